//! What a user chooses: the hyper-parameters, and how the rate changes.

use adagrad::{Adagrad, Schedule};

/// The hyper-parameters of an [`AdagradOptimizer`](crate::AdagradOptimizer), and how its rate changes.
///
/// ```
/// use adagrad_candle::{Adagrad, Config, Schedule};
///
/// let config = Config::new(Adagrad::keras(0.01));
/// let config = config.with_schedule(Schedule::inverse_time(0.01, 1e-3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    pub(crate) options: Adagrad,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) by_tensors: bool,
}

impl Config {
    /// These hyper-parameters at their learning rate. Accumulators start at
    /// [`initial_accumulator`](Adagrad::initial_accumulator).
    #[must_use]
    pub const fn new(options: Adagrad) -> Self {
        Self { options, schedule: None, by_tensors: false }
    }

    /// Step `t`, counted from 1, has the rate [`schedule.at(t)`](Schedule::at). The rate of the hyper-parameters is not used.
    #[must_use]
    pub const fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Takes operations of tensors for all parameters, also where there are kernels: for tests, and to compare.
    #[must_use]
    pub const fn with_tensor_operations(mut self, by_tensors: bool) -> Self {
        self.by_tensors = by_tensors;
        self
    }
}

impl From<Adagrad> for Config {
    fn from(options: Adagrad) -> Self {
        Self::new(options)
    }
}
