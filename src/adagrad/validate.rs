//! Whether the hyper-parameters are in their ranges.

use super::{Adagrad, Epsilon};
use crate::Error;
use crate::kernel::Flags;

impl Adagrad {
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
    #[inline(always)]
    pub const fn validate(&self) -> Result<(), Error> {
        if self.is(Flags::BAD) { Err(self.fault()) } else { Ok(()) }
    }

    /// The first hyper-parameter that is out of its range.
    #[cold]
    const fn fault(&self) -> Error {
        const AT_LEAST_0: &str = "finite and at least 0";

        let (what, value, expected) = if self.is(Flags::BAD_LEARNING_RATE) {
            ("learning_rate", self.rule.learning_rate, AT_LEAST_0)
        } else if self.is(Flags::BAD_EPSILON) {
            let (Epsilon::InsideSqrt(epsilon) | Epsilon::OutsideSqrt(epsilon)) = self.epsilon();
            ("epsilon", epsilon, AT_LEAST_0)
        } else if self.is(Flags::BAD_WEIGHT_DECAY) {
            ("weight_decay", self.rule.decay, AT_LEAST_0)
        } else if self.is(Flags::BAD_GRADIENT_SCALE) {
            ("gradient_scale", self.gradient_scale(), "finite")
        } else if self.is(Flags::BAD_CLIP_VALUE) {
            ("clip_value", self.rule.clip, "finite and above 0")
        } else if self.is(Flags::BAD_ACCUMULATION) {
            ("accumulation", self.rule.retained, "at least 0 and below 1")
        } else {
            ("initial_accumulator", self.initial_accumulator, AT_LEAST_0)
        };
        Error::Hyperparameter { what, value, expected }
    }
}
