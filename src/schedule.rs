//! Learning rates as functions of the step.

/// A learning rate as a function of the step. It has no state, so a run can be resumed at any step.
///
/// The rate is computed in `f64` and rounded once to `f32`, for
/// [`Adagrad::with_learning_rate`](crate::Adagrad::with_learning_rate). Steps `t` count from 1. It is the product of a
/// base, a warm-up and a cool-down:
///
/// ```text
/// base      constant            η
///           inverse_time        η/(1 + (t−1)·decay)
///           inverse_sqrt        η/√t
/// warm-up   with_warm_up        min(1, t/steps)
/// cool-down with_linear_…       1 − (1 − floor)·x             x = clamp((t − start)/steps, 0, 1)
///           with_cosine_…       floor + (1 − floor)·(1 + cos πx)/2
/// ```
///
/// ```
/// use adagrad::{Adagrad, Schedule};
///
/// const OPT: Adagrad = Adagrad::new(0.0); // the rate comes from the schedule
/// const RATE: Schedule = Schedule::constant(0.5).with_warm_up(10).with_cosine_cool_down(900, 100, 0.01);
///
/// let (mut params, mut accumulator) = ([1.0_f32], [0.0]);
/// for step in 1..=1000 {
///     let grads = [2.0 * params[0]];
///     OPT.with_learning_rate(RATE.at(step)).step(&mut params, &grads, &mut accumulator)?;
/// }
/// assert!(params[0].abs() < 1e-6);
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    rate: f64,
    base: Base,
    warm_up: u64,
    cool_down: CoolDown,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Base {
    Constant,
    InverseTime(f64),
    InverseSqrt,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum CoolDown {
    None,
    Linear(Span),
    Cosine(Span),
}

/// The steps in which a rate falls, and the share of it that is left at the end.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    start: u64,
    steps: u64,
    floor: f64,
}

impl Span {
    /// How much of the span has passed after a step, from 0 to 1.
    fn passed(&self, step: u64) -> f64 {
        match step.saturating_sub(self.start) {
            0 => 0.0,
            since if since >= self.steps => 1.0,
            since => since as f64 / self.steps as f64,
        }
    }
}

impl Schedule {
    /// `η` at every step.
    ///
    /// ```
    /// assert_eq!(adagrad::Schedule::constant(0.1).at(7), 0.1);
    /// ```
    #[must_use]
    pub const fn constant(rate: f64) -> Self {
        Self { rate, base: Base::Constant, warm_up: 0, cool_down: CoolDown::None }
    }

    /// `η/(1 + (t−1)·decay)`: `lr_decay` of `torch.optim.Adagrad`, with the same bits.
    ///
    /// ```
    /// assert_eq!(adagrad::Schedule::inverse_time(0.1, 0.5).at(3), 0.05);
    /// ```
    #[must_use]
    pub const fn inverse_time(rate: f64, decay: f64) -> Self {
        Self { base: Base::InverseTime(decay), ..Self::constant(rate) }
    }

    /// `η/√t`, the rate of online gradient descent (Zinkevich, *Online Convex Programming and Generalized Infinitesimal
    /// Gradient Ascent*, 2003). Adagrad's effective rate already falls like that by itself.
    ///
    /// ```
    /// assert_eq!(adagrad::Schedule::inverse_sqrt(0.1).at(100), 0.01);
    /// ```
    #[must_use]
    pub const fn inverse_sqrt(rate: f64) -> Self {
        Self { base: Base::InverseSqrt, ..Self::constant(rate) }
    }

    /// Multiplies by `min(1, t/steps)`: the rate rises linearly and is whole from step `steps` on. 0 turns it off.
    ///
    /// ```
    /// assert_eq!(adagrad::Schedule::constant(0.1).with_warm_up(10).at(5), 0.05);
    /// ```
    #[must_use]
    pub const fn with_warm_up(mut self, steps: u64) -> Self {
        self.warm_up = steps;
        self
    }

    /// Falls linearly over the `steps` steps after step `start`, to `floor` times the rate, and stays there. It
    /// replaces any other cool-down.
    ///
    /// ```
    /// let rate = adagrad::Schedule::constant(1.0).with_linear_cool_down(100, 50, 0.0);
    /// assert_eq!([rate.at(100), rate.at(125), rate.at(150), rate.at(151)], [1.0, 0.5, 0.0, 0.0]);
    /// ```
    #[must_use]
    pub const fn with_linear_cool_down(mut self, start: u64, steps: u64, floor: f64) -> Self {
        self.cool_down = CoolDown::Linear(Span { start, steps, floor });
        self
    }

    /// Falls along half a cosine over the `steps` steps after step `start`, to `floor` times the rate, and stays there
    /// (Loshchilov and Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, 2017, without the restarts). It
    /// replaces any other cool-down.
    ///
    /// ```
    /// let rate = adagrad::Schedule::constant(1.0).with_cosine_cool_down(100, 50, 0.0);
    /// assert_eq!([rate.at(100), rate.at(125), rate.at(150), rate.at(151)], [1.0, 0.5, 0.0, 0.0]);
    /// ```
    #[must_use]
    pub const fn with_cosine_cool_down(mut self, start: u64, steps: u64, floor: f64) -> Self {
        self.cool_down = CoolDown::Cosine(Span { start, steps, floor });
        self
    }

    /// The rate of a step. Steps count from 1; step 0 has the rate of step 1. Nothing is checked here: a step with a
    /// rate that is NaN, negative or infinite returns an error.
    ///
    /// ```
    /// use adagrad::Schedule;
    ///
    /// const RATE: Schedule = Schedule::inverse_sqrt(0.1).with_warm_up(4);
    /// assert_eq!(RATE.at(1), 0.025);
    /// ```
    #[must_use]
    pub fn at(&self, step: u64) -> f32 {
        let step = step.max(1);
        let mut rate = match self.base {
            Base::Constant => self.rate,
            Base::InverseTime(decay) => self.rate / (1.0 + (step - 1) as f64 * decay),
            Base::InverseSqrt => self.rate / libm::sqrt(step as f64),
        };
        if step < self.warm_up {
            rate *= step as f64 / self.warm_up as f64;
        }
        rate *= match self.cool_down {
            CoolDown::None => 1.0,
            CoolDown::Linear(span) => 1.0 - (1.0 - span.floor) * span.passed(step),
            CoolDown::Cosine(span) => {
                let wave = libm::cos(core::f64::consts::PI * span.passed(step));
                span.floor + (1.0 - span.floor) * ((1.0 + wave) / 2.0)
            }
        };
        rate as f32
    }
}
