//! What a user chooses: the hyper-parameters.

mod getters;
mod options;
mod presets;
mod validate;

pub use options::{Accumulation, Arithmetic, Epsilon, NonFinite, Order, WeightDecay};

use crate::Backend;
use crate::kernel::{Flags, Rule, greatest_estimate};

/// The hyper-parameters of Adagrad (Duchi, Hazan and Singer, *Adaptive Subgradient Methods for Online Learning and
/// Stochastic Optimization*, 2011), and the steps that use them.
///
/// The state, `params` and `accumulator`, is the caller's. For each element with parameter `w`, gradient `g` and
/// accumulator `G`, a step does this. The order is fixed, each operation rounds once, and a term that is off is
/// left out:
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
/// # Bounded update
///
/// With [`Accumulation::Sum`], `G` never decreases. It already holds the current `g²`, so no step moves a parameter by
/// much more than η. To be exact: without weight decay, [`Order::StepFirst`] and [`Arithmetic::Fast`], and with `G ≥ 0`,
/// what is subtracted from `w` is at most `η·(1 + 2⁻²²)` in magnitude, and `w` is then rounded once more. This holds if
///
/// - `g` is 0 or at least 2⁻⁶³ in magnitude, so that `g²` is a normal number,
/// - `η·g` is 0 or at least 2⁻¹²⁶ in magnitude, so that it is a normal number, too,
/// - and neither `g²` nor `η·g` overflows.
///
/// In a [row-wise](crate::Table::row_wise) table of `dim` columns the bound is `η·√dim·(1 + (dim/8 + 8)·2⁻²⁴) + 2⁻¹⁴⁹`,
/// where the mean of a row's squares and `η/d` are normal numbers.
///
/// # State
///
/// An accumulator starts at [`initial_accumulator`](Adagrad::initial_accumulator), which is 0 or a little above. It
/// must not be negative, infinite or NaN. A step does not check that. After you load a checkpoint, or set a state by
/// hand, call [`check_accumulator`](crate::check_accumulator).
///
/// ```
/// use adagrad::{Adagrad, Epsilon, WeightDecay};
///
/// let opt = Adagrad::new(0.1).with_epsilon(Epsilon::InsideSqrt(1e-8)).with_weight_decay(WeightDecay::L2(1e-4));
/// let mut params = [1.0, -1.0];
/// let mut accumulator = [opt.initial_accumulator(); 2];
/// opt.step(&mut params, &[0.5, 0.0], &mut accumulator)?;
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq)]
#[repr(C)] // `Rule` says why
pub struct Adagrad {
    /// In the kernels' form, which is made when a hyper-parameter is set, and not in each step.
    pub(crate) rule: Rule<f32>,
    initial_accumulator: f32,
    pub(crate) backend: Option<Backend>,
}

/// Hyper-parameters. These functions accept any value: [`Adagrad::validate`], and with it every step, returns an error
/// for one that is out of its range.
impl Adagrad {
    /// Adagrad with the learning rate η, ε = 1e-8 outside the root, and all else off.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let (mut params, mut accumulator) = ([0.0], [0.0]);
    /// Adagrad::new(0.1).step(&mut params, &[4.0], &mut accumulator)?;
    /// // The first step from G = 0 moves by η, where |g| is well above ε.
    /// assert_eq!((params, accumulator), ([-0.1], [16.0]));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn new(learning_rate: f32) -> Self {
        const OFF: Adagrad = Adagrad {
            rule: Rule {
                learning_rate: 0.0,
                epsilon_inside: -0.0,
                epsilon_outside: 1e-8,
                scale: 1.0,
                clip: f32::INFINITY,
                decay: 0.0,
                retained: 1.0,
                greatest_estimate: greatest_estimate(1e-8),
                flags: Flags::NONE,
            },
            initial_accumulator: 0.0,
            backend: None,
        };
        OFF.with_learning_rate(learning_rate)
    }

    /// Sets the learning rate η. It must be finite and not negative. It may change from step to step, as by a
    /// [`Schedule`](crate::Schedule).
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// const OPT: Adagrad = Adagrad::keras(0.1);
    /// assert_eq!(OPT.with_learning_rate(0.05), Adagrad::keras(0.05));
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_learning_rate(mut self, learning_rate: f32) -> Self {
        self.rule.learning_rate = learning_rate;
        self.set(Flags::BAD_LEARNING_RATE, !at_least_0(learning_rate))
            .set(Flags::RATE_TOO_LARGE, learning_rate > Arithmetic::GREATEST)
    }

    /// Sets ε and its place, inside or outside the root. It must be finite and not negative. With ε = 0, an element
    /// whose `G` is 0 moves only by decoupled decay.
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
        let (inside, value) = match epsilon {
            Epsilon::InsideSqrt(epsilon) => (true, epsilon),
            Epsilon::OutsideSqrt(epsilon) => (false, epsilon),
        };
        // −0 becomes 0, so that its sign shows nowhere.
        let epsilon = value + 0.0;
        (self.rule.epsilon_inside, self.rule.epsilon_outside) = if inside { (epsilon, -0.0) } else { (-0.0, epsilon) };
        self.rule.greatest_estimate = greatest_estimate(self.rule.epsilon_outside);
        self.set(Flags::EPSILON_INSIDE, inside)
            .set(Flags::EPSILON_IS_ZERO, epsilon == 0.0)
            .set(Flags::BAD_EPSILON, !at_least_0(epsilon))
            .set(Flags::EPSILON_TOO_FAR, !(epsilon >= Arithmetic::LEAST && epsilon <= Arithmetic::GREATEST))
    }

    /// Sets the weight decay. λ must be finite and not negative. A λ of 0 is the same as [`WeightDecay::None`].
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
        let (lambda, l2) = match weight_decay {
            WeightDecay::None => (0.0, false),
            WeightDecay::L2(lambda) => (lambda, true),
            WeightDecay::Decoupled(lambda) => (lambda, false),
        };
        self.rule.decay = lambda;
        self.set(Flags::L2, l2 && lambda != 0.0)
            .set(Flags::DECOUPLED, !l2 && lambda != 0.0)
            .set(Flags::BAD_WEIGHT_DECAY, !at_least_0(lambda))
    }

    /// Multiplies each gradient by `scale` before anything else: by the inverse of a loss scale, or by
    /// [`clip_norm_scale`](crate::clip_norm_scale). It must be finite. A scale of 1 is off.
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
    pub const fn with_gradient_scale(self, scale: f32) -> Self {
        self.scaled(scale, self.maximize())
    }

    /// Ascends instead of descending: the sign of each gradient is flipped, before clipping and decay.
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
    pub const fn with_maximize(self, maximize: bool) -> Self {
        self.scaled(self.gradient_scale(), maximize)
    }

    /// Flipping the sign of the scale flips that of the product, with the same rounding.
    #[inline(always)]
    const fn scaled(mut self, scale: f32, maximize: bool) -> Self {
        self.rule.scale = if maximize { -scale } else { scale };
        let finite = at_least_0(scale.abs());
        let scales = self.rule.scale != 1.0;
        self.set(Flags::MAXIMIZE, maximize).set(Flags::SCALE, scales).set(Flags::BAD_GRADIENT_SCALE, !finite)
    }

    /// Limits each scaled gradient to `−clip ..= clip`. The limit must be finite and above 0. A NaN stays a NaN.
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
        self.rule.clip = clip;
        self.set(Flags::CLIP, true).set(Flags::BAD_CLIP_VALUE, !(clip > 0.0 && clip <= f32::MAX))
    }

    /// Sets whether `a·b + c` rounds once or twice, or whether quotients may be estimates.
    ///
    /// ```
    /// use adagrad::{Adagrad, Arithmetic};
    ///
    /// let fused = Adagrad::tensorflow(0.1).with_arithmetic(Arithmetic::Fused);
    /// # assert!(fused.validate().is_ok());
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_arithmetic(self, arithmetic: Arithmetic) -> Self {
        self.set(Flags::FUSED, matches!(arithmetic, Arithmetic::Fused))
            .set(Flags::FAST, matches!(arithmetic, Arithmetic::Fast))
    }

    /// Sets whether the accumulator forgets. ρ must be at least 0 and below 1. To forget everything at once, call
    /// `accumulator.fill(opt.initial_accumulator())`.
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
        let (rho, forgets, averages) = match accumulation {
            Accumulation::Sum => (1.0, false, false),
            Accumulation::Leaky(rho) => (rho, true, false),
            Accumulation::Ema(rho) => (rho, true, true),
        };
        self.rule.retained = rho;
        self.set(Flags::FORGET, forgets)
            .set(Flags::AVERAGE, averages)
            .set(Flags::BAD_ACCUMULATION, forgets && !(rho >= 0.0 && rho < 1.0))
    }

    /// Sets whether the gradient is added to `G` before the parameter moves, or after that.
    ///
    /// ```
    /// use adagrad::{Adagrad, Order};
    ///
    /// let (mut params, mut accumulator) = ([0.0], [4.0]);
    /// let opt = Adagrad::new(0.5).with_order(Order::StepFirst);
    /// opt.step(&mut params, &[1.0], &mut accumulator)?;
    /// assert_eq!((params, accumulator), ([-0.25], [5.0])); // 0.5·1/√4, then 4 + 1²
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_order(self, order: Order) -> Self {
        self.set(Flags::STEP_FIRST, matches!(order, Order::StepFirst))
    }

    /// Sets what a step does with gradients, accumulators and parameters that are infinite or NaN.
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
    pub const fn with_non_finite(self, non_finite: NonFinite) -> Self {
        self.set(Flags::SKIP, matches!(non_finite, NonFinite::Skip))
    }

    /// Sets the value that accumulators start at. It must be finite and not negative. Steps do not use it: it is for
    /// the code that makes the accumulators.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let opt = Adagrad::new(0.1).with_initial_accumulator(0.1);
    /// let accumulator = [opt.initial_accumulator(); 100];
    /// # assert_eq!(accumulator[99], 0.1);
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_initial_accumulator(mut self, initial_accumulator: f32) -> Self {
        self.initial_accumulator = initial_accumulator;
        self.set(Flags::BAD_INITIAL_ACCUMULATOR, !at_least_0(initial_accumulator))
    }

    /// Runs on this backend instead of [`Backend::detected`], for tests, benchmarks and bug reports. If it is not
    /// available, steps return [`Error::Unavailable`](crate::Error::Unavailable).
    ///
    /// ```
    /// use adagrad::{Adagrad, Backend};
    ///
    /// for backend in Backend::available() {
    ///     let (mut params, mut accumulator) = ([1.0], [0.0]);
    ///     Adagrad::new(0.1).with_backend(backend).step(&mut params, &[0.3], &mut accumulator)?;
    ///     assert_eq!(params, [0.9]); // the same on each
    /// }
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self.set(Flags::FORCED, true)
    }

    #[inline(always)]
    pub(crate) const fn set(mut self, flags: Flags, on: bool) -> Self {
        self.rule.flags = self.rule.flags.set(flags, on);
        self
    }

    #[inline(always)]
    const fn is(&self, flag: Flags) -> bool {
        self.rule.flags.any(flag)
    }
}

/// Whether it is finite and at least 0. Two comparisons, because the compiler makes twenty instructions of `is_finite`.
#[inline(always)]
const fn at_least_0(value: f32) -> bool {
    value >= 0.0 && value <= f32::MAX
}
