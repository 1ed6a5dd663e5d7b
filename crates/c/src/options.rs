//! The hyper-parameters as a plain struct, into which C may write anything.

use core::ffi::CStr;

use adagrad_rs::{Accumulation, Adagrad, Arithmetic, Backend, Epsilon, Error, NonFinite, WeightDecay};

use crate::status::Status;

/// The place of epsilon, see adagrad_options.
#[repr(u8)]
pub enum EpsilonPlace {
    /// d = sqrt(G) + epsilon.
    OutsideSqrt = 0,
    /// d = sqrt(G + epsilon).
    InsideSqrt = 1,
}

/// What weight decay does, see adagrad_options.
#[repr(u8)]
pub enum Decay {
    /// g = g + weight_decay*w, before the accumulator sees g.
    L2 = 0,
    /// w = w - (w*weight_decay)*learning_rate, apart from the gradient.
    Decoupled = 1,
}

/// How the accumulator takes in a squared gradient, see adagrad_options.
#[repr(u8)]
pub enum AccumulationKind {
    /// G = G + g*g. rho is not used.
    Sum = 0,
    /// G = rho*G + g*g.
    Leaky = 1,
    /// G = rho*G + (1 - rho)*(g*g), which makes the step that of RMSProp.
    Ema = 2,
}

/// Whether a*b + c rounds once or twice, see adagrad_options.
#[repr(u8)]
pub enum ArithmeticKind {
    /// Twice: after the product and after the sum.
    Separate = 0,
    /// Once, as PyTorch does on CPUs with fused multiply-add.
    Fused = 1,
    /// Twice, with quotients within 4 units in the last place of the exact ones. The only option whose results depend on
    /// the CPU.
    Fast = 2,
}

/// What a step does with an element that is infinite or NaN, or would become so, see adagrad_options.
#[repr(u8)]
pub enum NonFiniteKind {
    /// It is stepped like any other.
    Propagate = 0,
    /// It is left as it was, and counted in adagrad_report. In a row-wise table that holds for whole rows.
    Skip = 1,
}

/// The instructions that run a step, see adagrad_options.
#[repr(u8)]
pub enum BackendKind {
    /// The fastest that this CPU has.
    Detected = 0,
    /// One element at a time.
    Scalar = 1,
    /// The SIMD that every CPU of the build's target has.
    Portable = 2,
    /// AVX2 and FMA.
    Avx2 = 3,
    /// AVX-512F.
    Avx512 = 4,
}

/// The hyper-parameters. Make them by one of the presets, such as adagrad_new, and then change fields. A step does this to
/// each parameter w with gradient g and accumulator G. Each operation rounds once, and a term that is off is left out:
///
///     g = gradient_scale*g               and -g if maximize
///     g = clamp(g, -clip_value, clip_value)
///     g = g + weight_decay*w             ADAGRAD_DECAY_L2
///     G = G + g*g                        or what accumulation says
///     d = sqrt(G) + epsilon              or sqrt(G + epsilon), as epsilon_place says
///     w = w - (w*weight_decay)*learning_rate        ADAGRAD_DECAY_DECOUPLED
///     w = w - (learning_rate*g)/d        nothing where d is 0
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Options {
    /// At least 0 and finite.
    pub learning_rate: f32,
    /// At least 0 and finite.
    pub epsilon: f32,
    /// At least 0 and finite. 0 is off.
    pub weight_decay: f32,
    /// Finite. 1 is off.
    pub gradient_scale: f32,
    /// Above 0. Infinity is off.
    pub clip_value: f32,
    /// At least 0 and below 1. Used unless accumulation is ADAGRAD_ACCUMULATION_SUM.
    pub rho: f32,
    /// The value that accumulators start at: at least 0 and finite. For the code that makes them; no step uses it.
    pub initial_accumulator: f32,
    /// An adagrad_epsilon_place.
    pub epsilon_place: u8,
    /// An adagrad_decay.
    pub decay: u8,
    /// An adagrad_accumulation.
    pub accumulation: u8,
    /// An adagrad_arithmetic.
    pub arithmetic: u8,
    /// An adagrad_non_finite.
    pub non_finite: u8,
    /// An adagrad_backend.
    pub backend: u8,
    /// 0 descends, 1 ascends.
    pub maximize: u8,
    /// Must be 0.
    pub reserved: u8,
}

/// The numbers that C writes: those of the enums above.
macro_rules! numbers {
    ($($name:ident = $variant:expr),* $(,)?) => { $(const $name: u8 = $variant as u8;)* };
}
numbers! {
    OUTSIDE = EpsilonPlace::OutsideSqrt, INSIDE = EpsilonPlace::InsideSqrt,
    L2 = Decay::L2, DECOUPLED = Decay::Decoupled,
    SUM = AccumulationKind::Sum, LEAKY = AccumulationKind::Leaky, EMA = AccumulationKind::Ema,
    SEPARATE = ArithmeticKind::Separate, FUSED = ArithmeticKind::Fused, FAST = ArithmeticKind::Fast,
    PROPAGATE = NonFiniteKind::Propagate, SKIP = NonFiniteKind::Skip,
    DETECTED = BackendKind::Detected, SCALAR = BackendKind::Scalar, PORTABLE = BackendKind::Portable,
    AVX2 = BackendKind::Avx2, AVX512 = BackendKind::Avx512,
}

/// The first field whose number is none of its enum's.
fn unknown(field: &'static CStr) -> Result<Adagrad, &'static CStr> {
    Err(field)
}

impl Options {
    /// In the crate's form, or the field that has no meaning. Ranges are for [`Adagrad::validate`].
    #[inline(always)]
    pub fn decoded(&self) -> Result<Adagrad, &'static CStr> {
        let epsilon = match self.epsilon_place {
            OUTSIDE => Epsilon::OutsideSqrt(self.epsilon),
            INSIDE => Epsilon::InsideSqrt(self.epsilon),
            _ => return unknown(c"epsilon_place"),
        };
        let decay = match self.decay {
            L2 => WeightDecay::L2(self.weight_decay),
            DECOUPLED => WeightDecay::Decoupled(self.weight_decay),
            _ => return unknown(c"decay"),
        };
        let accumulation = match self.accumulation {
            SUM => Accumulation::Sum,
            LEAKY => Accumulation::Leaky(self.rho),
            EMA => Accumulation::Ema(self.rho),
            _ => return unknown(c"accumulation"),
        };
        let arithmetic = match self.arithmetic {
            SEPARATE => Arithmetic::Separate,
            FUSED => Arithmetic::Fused,
            FAST => Arithmetic::Fast,
            _ => return unknown(c"arithmetic"),
        };
        let non_finite = match self.non_finite {
            PROPAGATE => NonFinite::Propagate,
            SKIP => NonFinite::Skip,
            _ => return unknown(c"non_finite"),
        };
        let backend = match self.backend {
            DETECTED => None,
            SCALAR => Some(Backend::Scalar),
            PORTABLE => Some(Backend::Portable),
            AVX2 => Some(Backend::Avx2),
            AVX512 => Some(Backend::Avx512),
            _ => return unknown(c"backend"),
        };
        if self.maximize > 1 {
            return unknown(c"maximize");
        }
        if self.reserved != 0 {
            return unknown(c"reserved");
        }
        let mut options = Adagrad::new(self.learning_rate)
            .with_epsilon(epsilon)
            .with_weight_decay(decay)
            .with_gradient_scale(self.gradient_scale)
            .with_maximize(self.maximize == 1)
            .with_accumulation(accumulation)
            .with_arithmetic(arithmetic)
            .with_non_finite(non_finite)
            .with_initial_accumulator(self.initial_accumulator);
        if self.clip_value != f32::INFINITY {
            options = options.with_clip_value(self.clip_value);
        }
        if let Some(backend) = backend {
            options = options.with_backend(backend);
        }
        Ok(options)
    }

    /// In the crate's form, or an error.
    #[inline(always)]
    pub fn adagrad(&self) -> Result<Adagrad, Status> {
        self.decoded().map_err(|_| Status::Option)
    }

    /// The first field that is out of its range.
    pub fn bad(&self) -> Option<&'static CStr> {
        match self.decoded().map(|options| options.validate()) {
            Ok(Ok(())) => None,
            Err(field) => Some(field),
            Ok(Err(Error::Hyperparameter { what, .. })) => Some(match what {
                "learning_rate" => c"learning_rate",
                "epsilon" => c"epsilon",
                "weight_decay" => c"weight_decay",
                "gradient_scale" => c"gradient_scale",
                "clip_value" => c"clip_value",
                "accumulation" => c"rho",
                "initial_accumulator" => c"initial_accumulator",
                _ => c"an option",
            }),
            Ok(Err(_)) => Some(c"an option"),
        }
    }
}

impl From<Adagrad> for Options {
    /// For presets: no decay, forgetting or backend.
    #[inline(always)]
    fn from(preset: Adagrad) -> Self {
        let (epsilon, epsilon_place) = match preset.epsilon() {
            Epsilon::InsideSqrt(epsilon) => (epsilon, INSIDE),
            Epsilon::OutsideSqrt(epsilon) => (epsilon, OUTSIDE),
            _ => (f32::NAN, OUTSIDE),
        };
        Self {
            learning_rate: preset.learning_rate(),
            epsilon,
            weight_decay: 0.0,
            gradient_scale: 1.0,
            clip_value: f32::INFINITY,
            rho: 0.0,
            initial_accumulator: preset.initial_accumulator(),
            epsilon_place,
            decay: L2,
            accumulation: SUM,
            arithmetic: if preset.arithmetic() == Arithmetic::Fused { FUSED } else { SEPARATE },
            non_finite: PROPAGATE,
            backend: DETECTED,
            maximize: 0,
            reserved: 0,
        }
    }
}

/// The backend that steps run on unless one is named.
pub fn detected() -> u8 {
    match Backend::detected() {
        Backend::Scalar => SCALAR,
        Backend::Portable => PORTABLE,
        Backend::Avx2 => AVX2,
        Backend::Avx512 => AVX512,
        _ => DETECTED,
    }
}
