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
    /// Twice, with quotients within 5 units in the last place of the exact ones. The only option whose results depend on
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

/// The fields that are a number of an enum, in order; and the greatest number of each.
const NAMES: [&CStr; 8] =
    [c"epsilon_place", c"decay", c"accumulation", c"arithmetic", c"non_finite", c"backend", c"maximize", c"reserved"];
const GREATEST: [u8; 8] = [
    EpsilonPlace::InsideSqrt as u8,
    Decay::Decoupled as u8,
    AccumulationKind::Ema as u8,
    ArithmeticKind::Fast as u8,
    NonFiniteKind::Skip as u8,
    BackendKind::Avx512 as u8,
    1,
    0,
];

impl Options {
    #[inline(always)]
    fn numbers(&self) -> [u8; 8] {
        let Self { epsilon_place, decay, accumulation, arithmetic, non_finite, backend, maximize, reserved, .. } =
            *self;
        [epsilon_place, decay, accumulation, arithmetic, non_finite, backend, maximize, reserved]
    }

    /// Whether each number is one of its enum's.
    #[inline(always)]
    fn are_known(&self) -> bool {
        // Not in a loop: for size the compiler would link the table, and with it all texts that end with a 0.
        const G: [u8; 8] = GREATEST;
        let [a, b, c, d, e, f, g, h] = self.numbers();
        (a <= G[0]) & (b <= G[1]) & (c <= G[2]) & (d <= G[3]) & (e <= G[4]) & (f <= G[5]) & (g <= G[6]) & (h == G[7])
    }

    /// In the crate's form, if all numbers are known. Not as a `Result`, which would be copied out of. Ranges are for
    /// [`Adagrad::validate`].
    #[inline(always)]
    pub fn decoded(&self) -> Adagrad {
        let options = Adagrad::new(self.learning_rate)
            .with_epsilon(if self.epsilon_place == EpsilonPlace::InsideSqrt as u8 {
                Epsilon::InsideSqrt(self.epsilon)
            } else {
                Epsilon::OutsideSqrt(self.epsilon)
            })
            .with_weight_decay(if self.decay == Decay::L2 as u8 {
                WeightDecay::L2(self.weight_decay)
            } else {
                WeightDecay::Decoupled(self.weight_decay)
            })
            .with_gradient_scale(self.gradient_scale)
            .with_maximize(self.maximize == 1)
            .with_accumulation(if self.accumulation == AccumulationKind::Sum as u8 {
                Accumulation::Sum
            } else if self.accumulation == AccumulationKind::Leaky as u8 {
                Accumulation::Leaky(self.rho)
            } else {
                Accumulation::Ema(self.rho)
            })
            .with_arithmetic(if self.arithmetic == ArithmeticKind::Separate as u8 {
                Arithmetic::Separate
            } else if self.arithmetic == ArithmeticKind::Fused as u8 {
                Arithmetic::Fused
            } else {
                Arithmetic::Fast
            })
            .with_non_finite(if self.non_finite == NonFiniteKind::Skip as u8 {
                NonFinite::Skip
            } else {
                NonFinite::Propagate
            })
            .with_initial_accumulator(self.initial_accumulator);
        let options = if self.clip_value == f32::INFINITY { options } else { options.with_clip_value(self.clip_value) };
        match named(self.backend) {
            Some(backend) => options.with_backend(backend),
            None => options,
        }
    }

    /// # Errors
    ///
    /// [`Status::Option`] if a number is none of its enum's.
    #[inline(always)]
    pub fn check(&self) -> Result<(), Status> {
        if self.are_known() { Ok(()) } else { Err(Status::Option) }
    }

    /// The first field that is out of its range.
    pub fn bad(&self) -> Option<&'static CStr> {
        for ((number, greatest), name) in self.numbers().iter().zip(&GREATEST).zip(NAMES) {
            if number > greatest {
                return Some(name);
            }
        }
        match self.decoded().validate().err()? {
            Error::Hyperparameter { what: "learning_rate", .. } => Some(c"learning_rate"),
            Error::Hyperparameter { what: "epsilon", .. } => Some(c"epsilon"),
            Error::Hyperparameter { what: "weight_decay", .. } => Some(c"weight_decay"),
            Error::Hyperparameter { what: "gradient_scale", .. } => Some(c"gradient_scale"),
            Error::Hyperparameter { what: "clip_value", .. } => Some(c"clip_value"),
            Error::Hyperparameter { what: "accumulation", .. } => Some(c"rho"),
            Error::Hyperparameter { what: "initial_accumulator", .. } => Some(c"initial_accumulator"),
            _ => Some(c"an option"),
        }
    }
}

/// The backend of a number, unless it is that of the detected one.
#[inline(always)]
fn named(number: u8) -> Option<Backend> {
    const SCALAR: u8 = BackendKind::Scalar as u8;
    const PORTABLE: u8 = BackendKind::Portable as u8;
    const AVX2: u8 = BackendKind::Avx2 as u8;
    const AVX512: u8 = BackendKind::Avx512 as u8;
    match number {
        SCALAR => Some(Backend::Scalar),
        PORTABLE => Some(Backend::Portable),
        AVX2 => Some(Backend::Avx2),
        AVX512 => Some(Backend::Avx512),
        _ => None,
    }
}

impl From<Adagrad> for Options {
    /// For presets: no decay, forgetting or backend.
    #[inline(always)]
    fn from(preset: Adagrad) -> Self {
        let (epsilon, epsilon_place) = match preset.epsilon() {
            Epsilon::InsideSqrt(epsilon) => (epsilon, EpsilonPlace::InsideSqrt as u8),
            Epsilon::OutsideSqrt(epsilon) => (epsilon, EpsilonPlace::OutsideSqrt as u8),
            _ => (f32::NAN, EpsilonPlace::OutsideSqrt as u8),
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
            decay: Decay::L2 as u8,
            accumulation: AccumulationKind::Sum as u8,
            arithmetic: if preset.arithmetic() == Arithmetic::Fused {
                ArithmeticKind::Fused as u8
            } else {
                ArithmeticKind::Separate as u8
            },
            non_finite: NonFiniteKind::Propagate as u8,
            backend: BackendKind::Detected as u8,
            maximize: 0,
            reserved: 0,
        }
    }
}

/// The backend that steps run on unless one is named.
pub fn detected() -> u8 {
    match Backend::detected() {
        Backend::Scalar => BackendKind::Scalar as u8,
        Backend::Portable => BackendKind::Portable as u8,
        Backend::Avx2 => BackendKind::Avx2 as u8,
        Backend::Avx512 => BackendKind::Avx512 as u8,
        _ => BackendKind::Detected as u8,
    }
}
