use core::fmt;

use crate::kernel::{Dense, Flags, Rows, Rule};
use crate::table::{Indices, Layout, RowIndex, check_length};
use crate::{Backend, Error, Table};

/// Where ε stands in the denominator `d`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Epsilon {
    /// `d = √G + ε`: `PyTorch`, TensorFlow, FBGEMM, ONNX.
    OutsideSqrt(f32),
    /// `d = √(G + ε)`: Keras, optax, and most textbooks.
    InsideSqrt(f32),
}

/// How parameters are pulled towards zero.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum WeightDecay {
    /// Not at all.
    None,
    /// `g ← g + λ·w`, before the accumulator sees `g`: `PyTorch`'s `weight_decay`.
    L2(f32),
    /// `w ← w − (w·λ)·η`, beside the step: Keras' `weight_decay` (Loshchilov and Hutter, *Decoupled Weight Decay
    /// Regularization*, 2019).
    Decoupled(f32),
}

/// How the accumulator takes in a squared gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Accumulation {
    /// `G ← G + g·g`: Adagrad. The whole history counts, and the effective rate only falls.
    Sum,
    /// `G ← ρ·G + g·g`: the sum, forgetting at the rate ρ. For a gradient of constant size it settles at `g²/(1−ρ)`.
    Leaky(f32),
    /// `G ← ρ·G + (1−ρ)·(g·g)`: an average, which makes the step that of `RMSProp` (`torch.optim.RMSprop` with α = ρ;
    /// Tieleman and Hinton, 2012). `1−ρ` is an `f32`. A parameter may move by up to η/√(1−ρ).
    Ema(f32),
}

/// What becomes of a gradient that is infinite or NaN once it is scaled, clipped and has its weight decay, or that
/// overflows when a dense or element-wise step multiplies it by η.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonFinite {
    /// It enters the accumulator and the parameter as arithmetic has it.
    Propagate,
    /// The element, or row-wise the row, is left as it was and counted in [`Report::skipped`]. Besides, `G` stops at
    /// [`f32::MAX`] instead of becoming infinite, so that one huge gradient does not freeze a parameter for ever; the
    /// step itself divides by the infinite value, and so leaves the parameter.
    Skip,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many elements, or rows of a row-wise table, were left as they were by [`NonFinite::Skip`].
    pub skipped: usize,
}

/// How often a multiplication followed by an addition is rounded. Each choice but [`Arithmetic::Fast`] gives the same bits
/// on every backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arithmetic {
    /// After each operation: TensorFlow, Keras, FBGEMM, and plain scalar code.
    Separate,
    /// `g + λ·w`, `G + g·g` and, row-wise, the running sums of `g·g` are rounded once: `PyTorch` on CPUs with fused
    /// multiply-add. Without that instruction it is done in software, correctly rounded, and slow.
    Fused,
    /// As [`Arithmetic::Separate`], but `(η·g)/d` may differ from its value there by [`Arithmetic::FAST_ULPS`] units in
    /// the last place where that is a normal number: it comes from an estimate of `1/√(G+ε)`, or of `1/d`, and a Newton
    /// step. `G` keeps its bits. This is the one option with results that depend on the backend, on the CPU, and on how
    /// slices are divided among calls.
    ///
    /// Backends without such an estimate compute as [`Arithmetic::Separate`]: [`Backend::Scalar`] and
    /// [`Backend::Portable`]. So do row-wise tables, which divide once per row, and steps with an ε beyond
    /// 2⁻¹⁰⁰ … 2⁶⁰ or an η above 2⁶⁰.
    Fast,
}

impl Arithmetic {
    /// How far a quotient of [`Arithmetic::Fast`] may be from that of [`Arithmetic::Separate`], in units in the last
    /// place of the latter.
    pub const FAST_ULPS: u32 = 4;
}

/// The hyper-parameters of Adagrad (Duchi, Hazan and Singer, *Adaptive Subgradient Methods for Online Learning and
/// Stochastic Optimization*, 2011), and the steps that use them.
///
/// The state, `params` and `accumulator`, is the caller's. One step, for each element with parameter `w`, gradient `g`
/// and accumulator `G`, in this order and with one rounding per written operation; a term that is off is skipped:
///
/// ```text
/// g ← scale·g                       with_gradient_scale, with_maximize
/// g ← clamp(g, −clip, clip)         with_clip_value
/// g ← g + λ·w                       WeightDecay::L2
/// G ← G + g·g                       Accumulation; or ρ·G + g·g, or ρ·G + (1−ρ)·(g·g)
/// d ← √G + ε   or   √(G + ε)        Epsilon
/// w ← w − (w·λ)·η                   WeightDecay::Decoupled
/// w ← w − (η·g)/d                   nothing where d = 0, which needs ε = 0 and G = 0
/// ```
///
/// With [`Accumulation::Sum`], `G` never decreases, and since it holds the current `g²`, no step moves a parameter by
/// more than η (in a row-wise table: by more than η·√dim), apart from decay and rounding, and where `g²` does not
/// underflow nor `η·g` overflow.
///
/// An accumulator starts at 0 or a little above and must not be negative: a negative one is not looked for, and gives
/// NaN or infinity.
///
/// ```
/// use adagrad::{Adagrad, Epsilon, WeightDecay};
///
/// let opt = Adagrad::new(0.1).with_epsilon(Epsilon::InsideSqrt(1e-8)).with_weight_decay(WeightDecay::L2(1e-4));
/// let mut params = [1.0, -1.0];
/// let mut accumulator = [0.0; 2];
/// opt.step(&mut params, &[0.5, 0.0], &mut accumulator)?;
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Adagrad {
    options: Hyperparameters,
    /// The same in the kernels' form: made with them and not in each step, which may be one for a few elements.
    rule: Rule<f32>,
    /// Whether all are in their ranges.
    valid: bool,
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Hyperparameters {
    learning_rate: f32,
    epsilon: Epsilon,
    weight_decay: WeightDecay,
    gradient_scale: f32,
    clip_value: Option<f32>,
    maximize: bool,
    arithmetic: Arithmetic,
    accumulation: Accumulation,
    non_finite: NonFinite,
}

/// Hyper-parameters. None of these checks; [`Adagrad::validate`] does, and every step calls it.
impl Adagrad {
    /// Adagrad with the learning rate η, ε = 1e-8 outside the root, and all else off.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let (mut params, mut accumulator) = ([0.0], [0.0]);
    /// Adagrad::new(0.1).step(&mut params, &[4.0], &mut accumulator)?;
    /// assert_eq!((params, accumulator), ([-0.1], [16.0])); // the first step moves by η, whatever the gradient
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn new(learning_rate: f32) -> Self {
        Self::of(Hyperparameters {
            learning_rate,
            epsilon: Epsilon::OutsideSqrt(1e-8),
            weight_decay: WeightDecay::None,
            gradient_scale: 1.0,
            clip_value: None,
            maximize: false,
            arithmetic: Arithmetic::Separate,
            accumulation: Accumulation::Sum,
            non_finite: NonFinite::Propagate,
        })
    }

    /// `torch.optim.Adagrad(fused=True)`: ε = 1e-10 outside the root, [`Arithmetic::Fused`]. The accumulator starts at 0.
    ///
    /// Bit-identical to `PyTorch`'s fused CPU kernel on x86-64 with AVX2 or AVX-512. Its build for CPUs without them
    /// rounds separately: `.with_arithmetic(Arithmetic::Separate)`.
    ///
    /// ```
    /// use adagrad::{Adagrad, Arithmetic, Epsilon};
    ///
    /// let same = Adagrad::new(0.01).with_epsilon(Epsilon::OutsideSqrt(1e-10)).with_arithmetic(Arithmetic::Fused);
    /// assert_eq!(Adagrad::pytorch(0.01), same);
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn pytorch(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::OutsideSqrt(1e-10)).with_arithmetic(Arithmetic::Fused)
    }

    /// TensorFlow's `ApplyAdagradV2` and `SparseApplyAdagradV2`: ε = 1e-7 outside the root. The accumulator starts at 0.1.
    ///
    /// Bit-identical to them but where they flush denormals to zero.
    ///
    /// ```
    /// use adagrad::{Adagrad, Epsilon};
    ///
    /// assert_eq!(Adagrad::tensorflow(0.01), Adagrad::new(0.01).with_epsilon(Epsilon::OutsideSqrt(1e-7)));
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn tensorflow(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::OutsideSqrt(1e-7))
    }

    /// `keras.optimizers.Adagrad` of Keras 3: ε = 1e-7 inside the root. The accumulator starts at 0.1. Its
    /// `weight_decay` is [`WeightDecay::Decoupled`].
    ///
    /// Bit-identical to it on TensorFlow but where that flushes denormals to zero.
    ///
    /// ```
    /// use adagrad::{Adagrad, Epsilon};
    ///
    /// assert_eq!(Adagrad::keras(0.01), Adagrad::new(0.01).with_epsilon(Epsilon::InsideSqrt(1e-7)));
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn keras(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::InsideSqrt(1e-7))
    }

    /// FBGEMM's sparse and, with [`Table::row_wise`], row-wise Adagrad: ε = 1e-8 outside the root. The accumulator
    /// starts at 0.
    ///
    /// Bit-identical to its CPU kernels; its table-batched embedding operator sums duplicate rows first, see
    /// [`coalesce`](crate::coalesce()).
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// assert_eq!(Adagrad::fbgemm(0.01), Adagrad::new(0.01));
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn fbgemm(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::OutsideSqrt(1e-8))
    }

    /// `optax.adagrad`: ε = 1e-7 inside the root. The accumulator starts at 0.1.
    ///
    /// Equal to it up to its approximate reciprocal square root. Where `G` is 0 optax makes no update, and this crate
    /// the tiny one of the formula.
    ///
    /// ```
    /// use adagrad::{Adagrad, Epsilon};
    ///
    /// assert_eq!(Adagrad::optax(0.01), Adagrad::new(0.01).with_epsilon(Epsilon::InsideSqrt(1e-7)));
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn optax(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::InsideSqrt(1e-7))
    }

    /// These hyper-parameters with the learning rate η, for a rate that changes from step to step.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// const OPT: Adagrad = Adagrad::keras(0.1);
    /// assert_eq!(OPT.at(0.05), Adagrad::keras(0.05));
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn at(mut self, learning_rate: f32) -> Self {
        self.options.learning_rate = learning_rate;
        Self::of(self.options)
    }

    /// Sets ε and where it stands. It must be finite and not negative; with 0, an element whose `G` is 0 is not moved but by
    /// decoupled decay.
    ///
    /// ```
    /// use adagrad::{Adagrad, Epsilon};
    ///
    /// let (mut params, mut accumulator) = ([1.0], [0.0]);
    /// let opt = Adagrad::new(0.1).with_epsilon(Epsilon::OutsideSqrt(0.0));
    /// opt.step(&mut params, &[0.0], &mut accumulator)?;
    /// assert_eq!(params, [1.0]); // not NaN
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_epsilon(mut self, epsilon: Epsilon) -> Self {
        self.options.epsilon = epsilon;
        Self::of(self.options)
    }

    /// Sets the weight decay. λ must be finite and not negative; 0 is off.
    ///
    /// ```
    /// use adagrad::{Adagrad, WeightDecay};
    ///
    /// let (mut params, mut accumulator) = ([1.0], [1.0]);
    /// let opt = Adagrad::new(0.1).with_weight_decay(WeightDecay::Decoupled(0.5));
    /// opt.step(&mut params, &[0.0], &mut accumulator)?;
    /// assert_eq!(params, [0.95]); // 1 − (1·0.5)·0.1
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_weight_decay(mut self, weight_decay: WeightDecay) -> Self {
        self.options.weight_decay = weight_decay;
        Self::of(self.options)
    }

    /// Multiplies each gradient, before all else: by one over the loss scale, or by the factor of clipping by norm. It
    /// must be finite; 1 is off.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let (mut params, mut accumulator) = ([0.0], [0.0]);
    /// Adagrad::new(0.1).with_gradient_scale(1.0 / 1024.0).step(&mut params, &[2048.0], &mut accumulator)?;
    /// assert_eq!(accumulator, [4.0]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_gradient_scale(mut self, scale: f32) -> Self {
        self.options.gradient_scale = scale;
        Self::of(self.options)
    }

    /// Limits each scaled gradient to `−clip ..= clip`. It must be finite and above 0. NaN stays NaN.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let (mut params, mut accumulator) = ([0.0], [0.0]);
    /// Adagrad::new(0.1).with_clip_value(0.5).step(&mut params, &[f32::INFINITY], &mut accumulator)?;
    /// assert_eq!(accumulator, [0.25]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_clip_value(mut self, clip: f32) -> Self {
        self.options.clip_value = Some(clip);
        Self::of(self.options)
    }

    /// Climbs instead of descending: the gradient's sign is turned, before clipping and decay.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let (mut params, mut accumulator) = ([0.0], [0.0]);
    /// Adagrad::new(0.1).with_maximize(true).step(&mut params, &[4.0], &mut accumulator)?;
    /// assert_eq!(params, [0.1]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_maximize(mut self, maximize: bool) -> Self {
        self.options.maximize = maximize;
        Self::of(self.options)
    }

    /// Sets how often products that are added to something are rounded.
    ///
    /// ```
    /// use adagrad::{Adagrad, Arithmetic};
    ///
    /// let fused = Adagrad::tensorflow(0.1).with_arithmetic(Arithmetic::Fused);
    /// # assert!(fused.validate().is_ok());
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_arithmetic(mut self, arithmetic: Arithmetic) -> Self {
        self.options.arithmetic = arithmetic;
        Self::of(self.options)
    }

    /// Sets whether the accumulator forgets. ρ must be at least 0 and below 1. To forget all at once,
    /// `accumulator.fill(0.0)`.
    ///
    /// ```
    /// use adagrad::{Accumulation, Adagrad};
    ///
    /// let (mut params, mut accumulator) = ([0.0], [8.0]);
    /// let opt = Adagrad::new(0.1).with_accumulation(Accumulation::Leaky(0.5));
    /// opt.step(&mut params, &[2.0], &mut accumulator)?;
    /// assert_eq!(accumulator, [8.0]); // 0.5·8 + 2²
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_accumulation(mut self, accumulation: Accumulation) -> Self {
        self.options.accumulation = accumulation;
        Self::of(self.options)
    }

    /// Sets what becomes of gradients that are infinite or NaN.
    ///
    /// ```
    /// use adagrad::{Adagrad, NonFinite};
    ///
    /// let (mut params, mut accumulator) = ([1.0, 1.0], [0.0, 0.0]);
    /// let opt = Adagrad::new(0.5).with_non_finite(NonFinite::Skip);
    /// let report = opt.step(&mut params, &[f32::NAN, 3.0], &mut accumulator)?;
    /// assert_eq!(report.skipped, 1);
    /// assert_eq!((params, accumulator), ([1.0, 0.5], [0.0, 9.0]));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_non_finite(mut self, non_finite: NonFinite) -> Self {
        self.options.non_finite = non_finite;
        Self::of(self.options)
    }

    /// Checks every hyper-parameter.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let error = Adagrad::new(-0.1).validate().unwrap_err();
    /// assert_eq!(error.to_string(), "learning_rate is -0.1, expected finite and at least 0");
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`] for the first that is out of its range.
    #[inline]
    pub const fn validate(&self) -> Result<(), Error> {
        if self.valid { Ok(()) } else { self.options.error() }
    }

    /// Inlined, with what it calls, so that constants stay constants, and that of a chain only the last result is made.
    #[inline(always)]
    const fn of(options: Hyperparameters) -> Self {
        Self { options, rule: options.rule(), valid: options.check().is_ok() }
    }

    /// The hyper-parameters in the kernels' form.
    #[inline]
    pub(crate) const fn rule(&self) -> &Rule<f32> {
        &self.rule
    }
}

impl fmt::Debug for Adagrad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(f)
    }
}

impl PartialEq for Adagrad {
    fn eq(&self, other: &Self) -> bool {
        self.options == other.options
    }
}

impl Hyperparameters {
    /// The first that is out of its range.
    #[inline(always)]
    const fn check(&self) -> Result<(), Error> {
        const AT_LEAST_0: &str = "finite and at least 0";

        /// Written as two comparisons, because the compiler makes twenty instructions of `is_finite`.
        const fn at_least_0(value: f32) -> bool {
            value >= 0.0 && value <= f32::MAX
        }
        let epsilon = match self.epsilon {
            Epsilon::OutsideSqrt(epsilon) | Epsilon::InsideSqrt(epsilon) => epsilon,
        };
        let lambda = match self.weight_decay {
            WeightDecay::None => 0.0,
            WeightDecay::L2(lambda) | WeightDecay::Decoupled(lambda) => lambda,
        };
        let clip = match self.clip_value {
            None => 1.0,
            Some(clip) => clip,
        };
        let rho = match self.accumulation {
            Accumulation::Sum => 0.0,
            Accumulation::Leaky(rho) | Accumulation::Ema(rho) => rho,
        };
        let (what, value, expected) = if !at_least_0(self.learning_rate) {
            ("learning_rate", self.learning_rate, AT_LEAST_0)
        } else if !at_least_0(epsilon) {
            ("epsilon", epsilon, AT_LEAST_0)
        } else if !at_least_0(lambda) {
            ("weight_decay", lambda, AT_LEAST_0)
        } else if !at_least_0(self.gradient_scale.abs()) {
            ("gradient_scale", self.gradient_scale, "finite")
        } else if !(clip > 0.0 && clip <= f32::MAX) {
            ("clip_value", clip, "finite and above 0")
        } else if !(rho >= 0.0 && rho < 1.0) {
            ("accumulation", rho, "at least 0 and below 1")
        } else {
            return Ok(());
        };
        Err(Error::Hyperparameter { what, value, expected })
    }

    /// What is wrong. Not inlined: it is rarely asked.
    #[cold]
    const fn error(&self) -> Result<(), Error> {
        self.check()
    }

    /// The kernels' form.
    #[inline(always)]
    const fn rule(&self) -> Rule<f32> {
        let (epsilon, epsilon_inside) = match self.epsilon {
            Epsilon::OutsideSqrt(epsilon) => (epsilon, false),
            Epsilon::InsideSqrt(epsilon) => (epsilon, true),
        };
        let (l2, decoupled) = match self.weight_decay {
            WeightDecay::None => (0.0, 0.0),
            WeightDecay::L2(lambda) => (lambda, 0.0),
            WeightDecay::Decoupled(lambda) => (0.0, lambda),
        };
        let (retained, average) = match self.accumulation {
            Accumulation::Sum => (1.0, false),
            Accumulation::Leaky(rho) => (rho, false),
            Accumulation::Ema(rho) => (rho, true),
        };
        let clip = match self.clip_value {
            None => f32::INFINITY,
            Some(clip) => clip,
        };
        // Turning the scale's sign turns that of the product, with the same rounding.
        let scale = if self.maximize { -self.gradient_scale } else { self.gradient_scale };
        // Within these no estimate overflows or loses bits.
        const LEAST: f32 = f32::from_bits((127 - 100) << 23);
        const GREATEST: f32 = f32::from_bits((127 + 60) << 23);
        let estimable = epsilon >= LEAST && epsilon <= GREATEST && self.learning_rate <= GREATEST;
        Rule {
            learning_rate: self.learning_rate,
            epsilon,
            scale,
            clip,
            minus_clip: -clip,
            l2,
            decoupled,
            retained,
            fresh: 1.0 - retained,
            flags: Flags::NONE
                .with(Flags::EPSILON_INSIDE, epsilon_inside)
                .with(Flags::EPSILON_IS_ZERO, epsilon == 0.0)
                .with(Flags::SCALE, scale != 1.0)
                .with(Flags::CLIP, self.clip_value.is_some())
                .with(Flags::L2, l2 != 0.0)
                .with(Flags::DECOUPLED, decoupled != 0.0)
                .with(Flags::FORGET, retained != 1.0)
                .with(Flags::AVERAGE, average)
                .with(Flags::FUSED, matches!(self.arithmetic, Arithmetic::Fused))
                .with(Flags::FAST, matches!(self.arithmetic, Arithmetic::Fast) && estimable)
                .with(Flags::SKIP, matches!(self.non_finite, NonFinite::Skip)),
        }
    }
}

/// Steps.
impl Adagrad {
    /// One step for every parameter: the three slices have one length, and may be empty.
    ///
    /// It runs on [`Backend::detected`]. Splitting a call into several changes no bit.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let mut params = [1.0, 2.0, 3.0];
    /// let mut accumulator = [0.0; 3];
    /// Adagrad::new(0.5).step(&mut params, &[1.0, -1.0, 0.0], &mut accumulator)?;
    /// assert_eq!(params, [0.5, 2.5, 3.0]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`] if `grads` or `accumulator` has not the length of `params`.
    #[inline]
    pub fn step(&self, params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) -> Result<Report, Error> {
        self.step_on(Backend::detected(), params, grads, accumulator)
    }

    /// [`Adagrad::step`] on a given backend, for tests, benchmarks and bug reports.
    ///
    /// ```
    /// use adagrad::{Adagrad, Backend};
    ///
    /// for backend in Backend::available() {
    ///     let (mut params, mut accumulator) = ([1.0], [0.0]);
    ///     Adagrad::new(0.1).step_on(backend, &mut params, &[0.3], &mut accumulator)?;
    ///     assert_eq!(params, [0.9]); // the same on each
    /// }
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step`], and [`Error::Unavailable`].
    #[inline]
    pub fn step_on(
        &self,
        backend: Backend,
        params: &mut [f32],
        grads: &[f32],
        accumulator: &mut [f32],
    ) -> Result<Report, Error> {
        self.validate()?;
        check_length("grads", params.len(), grads.len())?;
        check_length("accumulator", params.len(), accumulator.len())?;
        let skipped = run_dense(backend, &mut Dense { rule: self.rule(), params, grads, accumulator });
        skipped.map(|skipped| Report { skipped }).ok_or(Error::Unavailable { backend })
    }

    /// [`Adagrad::step`], which leaves 0 in each gradient, ready for the next accumulation. The gradients are cleared
    /// while they are in the cache, so memory is passed over once.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let (mut params, mut grads, mut accumulator) = ([0.0], [2.0], [0.0]);
    /// Adagrad::new(0.1).step_and_zero(&mut params, &mut grads, &mut accumulator)?;
    /// assert_eq!((params, grads, accumulator), ([-0.1], [0.0], [4.0]));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step`].
    #[inline]
    pub fn step_and_zero(
        &self,
        params: &mut [f32],
        grads: &mut [f32],
        accumulator: &mut [f32],
    ) -> Result<Report, Error> {
        self.step_and_zero_on(Backend::detected(), params, grads, accumulator)
    }

    /// [`Adagrad::step_and_zero`] on a given backend, for tests, benchmarks and bug reports.
    ///
    /// ```
    /// use adagrad::{Adagrad, Backend};
    ///
    /// let (mut params, mut grads, mut accumulator) = ([0.0], [2.0], [0.0]);
    /// Adagrad::new(0.1).step_and_zero_on(Backend::Scalar, &mut params, &mut grads, &mut accumulator)?;
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_on`].
    pub fn step_and_zero_on(
        &self,
        backend: Backend,
        params: &mut [f32],
        grads: &mut [f32],
        accumulator: &mut [f32],
    ) -> Result<Report, Error> {
        /// 12 kB of the three slices: they fit in any first-level cache.
        const PART: usize = 1024;
        // An empty step makes all checks that do not depend on a part.
        self.step_on(backend, &mut [], &[], &mut [])?;
        check_length("grads", params.len(), grads.len())?;
        check_length("accumulator", params.len(), accumulator.len())?;
        let (w_parts, w_rest) = params.as_chunks_mut::<PART>();
        let (g_parts, g_rest) = grads.as_chunks_mut::<PART>();
        let (a_parts, a_rest) = accumulator.as_chunks_mut::<PART>();
        let mut skipped = 0;
        for ((w, g), a) in w_parts.iter_mut().zip(g_parts).zip(a_parts) {
            skipped += self.step_on(backend, w, g, a)?.skipped;
            g.fill(0.0);
        }
        skipped += self.step_on(backend, w_rest, g_rest, a_rest)?.skipped;
        g_rest.fill(0.0);
        Ok(Report { skipped })
    }

    /// One step for each of `rows`, in that order: `grads` holds `dim` values for each. A row that stands there twice
    /// gets two steps, as in TensorFlow and FBGEMM; see [`coalesce`](crate::coalesce()) for one.
    ///
    /// In a table with one accumulator per element each row gets the dense step. In a [row-wise](Table::row_wise) table,
    /// with `g` transformed as in the dense step:
    ///
    /// ```text
    /// G ← G + (Σ g²)/dim        p[j mod 8] += g[j]², then ((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7));
    ///                           the mean stands for g·g in Accumulation
    /// d ← √G + ε   or   √(G + ε)
    /// s ← η/d
    /// w ← w − (w·λ)·η           WeightDecay::Decoupled
    /// w ← w − s·g               nothing where d = 0
    /// ```
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let (mut params, mut accumulator) = ([0.0; 6], [0.0; 6]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 2)?;
    /// Adagrad::new(0.1).step_rows(&mut table, &[2_i64, 0], &[1.0, 1.0, -1.0, -1.0])?;
    /// assert_eq!(params, [0.1, 0.1, 0.0, 0.0, -0.1, -0.1]);
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Hyperparameter`]; [`Error::Length`] if `grads` has not `rows.len()·dim` values; [`Error::Overflow`] if
    /// that is beyond `usize`; [`Error::Row`] for the first row that is not in the table.
    #[inline]
    pub fn step_rows<I: RowIndex>(&self, table: &mut Table<'_>, rows: &[I], grads: &[f32]) -> Result<Report, Error> {
        self.step_rows_on(Backend::detected(), table, rows, grads)
    }

    /// [`Adagrad::step_rows`] on a given backend, for tests, benchmarks and bug reports.
    ///
    /// ```
    /// use adagrad::{Adagrad, Backend, Table};
    ///
    /// let (mut params, mut accumulator) = ([0.0; 6], [0.0; 6]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 2)?;
    /// Adagrad::new(0.1).step_rows_on(Backend::Scalar, &mut table, &[1_usize], &[1.0, 1.0])?;
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_rows`], and [`Error::Unavailable`].
    #[inline]
    pub fn step_rows_on<I: RowIndex>(
        &self,
        backend: Backend,
        table: &mut Table<'_>,
        rows: &[I],
        grads: &[f32],
    ) -> Result<Report, Error> {
        self.validate()?;
        table.check_rows(rows, grads)?;
        let rows = I::indices(rows);
        let skipped = match table.layout {
            Layout::ElementWise => run_rows(backend, &mut self.rows(table, rows, grads)),
            Layout::RowWise => run_row_wise(backend, &mut self.rows(table, rows, grads)),
        };
        skipped.map(|skipped| Report { skipped }).ok_or(Error::Unavailable { backend })
    }

    #[inline]
    pub(crate) fn rows<'a, const ROW_WISE: bool>(
        &'a self,
        table: &'a mut Table<'_>,
        rows: Indices<'a>,
        grads: &'a [f32],
    ) -> Rows<'a, ROW_WISE> {
        let Table { params, accumulator, dim, .. } = table;
        Rows { rule: self.rule(), params, accumulator, first_row: 0, dim: *dim, rows, grads }
    }
}

// On bare metal these are inlined, so that the compiler drops what constant hyper-parameters turn off. Elsewhere they are
// compiled with this crate, and not with each that calls it. They take references: a structure that is copied before its
// parts have left the store buffer waits for them, as long as a short slice takes.

#[cfg_attr(target_os = "none", inline(always))]
#[cfg_attr(not(target_os = "none"), inline(never))]
fn run_dense(backend: Backend, step: &mut Dense<'_>) -> Option<usize> {
    backend.run(step)
}

#[cfg_attr(target_os = "none", inline(always))]
#[cfg_attr(not(target_os = "none"), inline(never))]
fn run_rows(backend: Backend, step: &mut Rows<'_, false>) -> Option<usize> {
    backend.run(step)
}

#[cfg_attr(target_os = "none", inline(always))]
#[cfg_attr(not(target_os = "none"), inline(never))]
fn run_row_wise(backend: Backend, step: &mut Rows<'_, true>) -> Option<usize> {
    backend.run(step)
}
