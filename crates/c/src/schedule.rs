//! Learning rates as functions of the step.

use adagrad_rs::Schedule as Rates;

/// What a schedule starts from, see adagrad_schedule. Steps t count from 1.
#[repr(u8)]
pub enum ScheduleBase {
    /// rate.
    Constant = 0,
    /// rate/(1 + (t - 1)*decay): the lr_decay of torch.optim.Adagrad.
    InverseTime = 1,
    /// rate/sqrt(t).
    InverseSqrt = 2,
}

/// How a schedule ends, see adagrad_schedule.
#[repr(u8)]
pub enum CoolDown {
    /// It does not fall any further.
    None = 0,
    /// Linearly.
    Linear = 1,
    /// Along half a cosine.
    Cosine = 2,
}

/// A learning rate as a function of the step: the base, times min(1, t/warm_up), times a factor that falls from 1 to
/// cool_down_floor over the cool_down_steps steps after step cool_down_start. Make one by adagrad_schedule_constant,
/// and then change fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Schedule {
    /// The rate of the base.
    pub rate: f64,
    /// Of ADAGRAD_SCHEDULE_BASE_INVERSE_TIME.
    pub decay: f64,
    /// In how many steps the rate rises. 0 is off.
    pub warm_up: u64,
    /// The last step before the rate falls.
    pub cool_down_start: u64,
    /// In how many steps it falls.
    pub cool_down_steps: u64,
    /// The share of the rate that is left at the end.
    pub cool_down_floor: f64,
    /// An adagrad_schedule_base.
    pub base: u8,
    /// An adagrad_cool_down.
    pub cool_down: u8,
    /// Must be 0.
    pub reserved: [u8; 6],
}

impl Schedule {
    pub fn constant(rate: f64) -> Self {
        Self {
            rate,
            decay: 0.0,
            warm_up: 0,
            cool_down_start: 0,
            cool_down_steps: 0,
            cool_down_floor: 1.0,
            base: ScheduleBase::Constant as u8,
            cool_down: CoolDown::None as u8,
            reserved: [0; 6],
        }
    }

    /// The rate of a step, or NaN if a number has no meaning.
    pub fn at(&self, step: u64) -> f32 {
        const CONSTANT: u8 = ScheduleBase::Constant as u8;
        const INVERSE_TIME: u8 = ScheduleBase::InverseTime as u8;
        const INVERSE_SQRT: u8 = ScheduleBase::InverseSqrt as u8;
        const NONE: u8 = CoolDown::None as u8;
        const LINEAR: u8 = CoolDown::Linear as u8;
        const COSINE: u8 = CoolDown::Cosine as u8;

        if self.reserved != [0; 6] {
            return f32::NAN;
        }
        let base = match self.base {
            CONSTANT => Rates::constant(self.rate),
            INVERSE_TIME => Rates::inverse_time(self.rate, self.decay),
            INVERSE_SQRT => Rates::inverse_sqrt(self.rate),
            _ => return f32::NAN,
        };
        let base = base.with_warm_up(self.warm_up);
        let (start, steps, floor) = (self.cool_down_start, self.cool_down_steps, self.cool_down_floor);
        let rates = match self.cool_down {
            NONE => base,
            LINEAR => base.with_linear_cool_down(start, steps, floor),
            COSINE => base.with_cosine_cool_down(start, steps, floor),
            _ => return f32::NAN,
        };
        rates.at(step)
    }
}
