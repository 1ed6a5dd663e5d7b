//! Reads the hyper-parameters back.

use core::fmt;

use super::{Accumulation, Adagrad, Arithmetic, Epsilon, NonFinite, Order, WeightDecay};
use crate::Backend;
use crate::kernel::Flags;

/// Getters.
impl Adagrad {
    /// The learning rate η.
    ///
    /// ```
    /// assert_eq!(adagrad::Adagrad::new(0.1).learning_rate(), 0.1);
    /// ```
    #[must_use]
    pub const fn learning_rate(&self) -> f32 {
        self.rule.learning_rate
    }

    /// ε and its place.
    #[must_use]
    pub const fn epsilon(&self) -> Epsilon {
        if self.is(Flags::EPSILON_INSIDE) {
            Epsilon::InsideSqrt(self.rule.epsilon_inside)
        } else {
            Epsilon::OutsideSqrt(self.rule.epsilon_outside)
        }
    }

    /// The weight decay.
    #[must_use]
    pub const fn weight_decay(&self) -> WeightDecay {
        if self.is(Flags::L2) {
            WeightDecay::L2(self.rule.decay)
        } else if self.is(Flags::DECOUPLED) {
            WeightDecay::Decoupled(self.rule.decay)
        } else {
            WeightDecay::None
        }
    }

    /// The factor that gradients are multiplied by.
    #[must_use]
    pub const fn gradient_scale(&self) -> f32 {
        if self.maximize() { -self.rule.scale } else { self.rule.scale }
    }

    /// Whether steps ascend.
    #[must_use]
    pub const fn maximize(&self) -> bool {
        self.is(Flags::MAXIMIZE)
    }

    /// The limit of scaled gradients, if there is one.
    #[must_use]
    pub const fn clip_value(&self) -> Option<f32> {
        if self.is(Flags::CLIP) { Some(self.rule.clip) } else { None }
    }

    /// Whether `a·b + c` rounds once or twice, or whether quotients may be estimates.
    #[must_use]
    pub const fn arithmetic(&self) -> Arithmetic {
        if self.is(Flags::FUSED) {
            Arithmetic::Fused
        } else if self.is(Flags::FAST) {
            Arithmetic::Fast
        } else {
            Arithmetic::Separate
        }
    }

    /// How the accumulator takes in a squared gradient.
    #[must_use]
    pub const fn accumulation(&self) -> Accumulation {
        if self.is(Flags::AVERAGE) {
            Accumulation::Ema(self.rule.retained)
        } else if self.is(Flags::FORGET) {
            Accumulation::Leaky(self.rule.retained)
        } else {
            Accumulation::Sum
        }
    }

    /// Which comes first in a step.
    #[must_use]
    pub const fn order(&self) -> Order {
        if self.is(Flags::STEP_FIRST) { Order::StepFirst } else { Order::AccumulateFirst }
    }

    /// What a step does with values that are infinite or NaN.
    #[must_use]
    pub const fn non_finite(&self) -> NonFinite {
        if self.is(Flags::SKIP) { NonFinite::Skip } else { NonFinite::Propagate }
    }

    /// The value that accumulators start at.
    ///
    /// ```
    /// let accumulator = [adagrad::Adagrad::keras(0.1).initial_accumulator(); 100];
    /// # assert_eq!(accumulator[99], 0.1);
    /// ```
    #[must_use]
    pub const fn initial_accumulator(&self) -> f32 {
        self.initial_accumulator
    }

    /// The backend that steps run on, if [`Adagrad::with_backend`] has named one.
    #[must_use]
    pub const fn backend(&self) -> Option<Backend> {
        self.backend
    }
}

impl fmt::Debug for Adagrad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adagrad")
            .field("learning_rate", &self.learning_rate())
            .field("epsilon", &self.epsilon())
            .field("weight_decay", &self.weight_decay())
            .field("gradient_scale", &self.gradient_scale())
            .field("maximize", &self.maximize())
            .field("clip_value", &self.clip_value())
            .field("arithmetic", &self.arithmetic())
            .field("accumulation", &self.accumulation())
            .field("order", &self.order())
            .field("non_finite", &self.non_finite())
            .field("initial_accumulator", &self.initial_accumulator)
            .field("backend", &self.backend)
            .finish()
    }
}
