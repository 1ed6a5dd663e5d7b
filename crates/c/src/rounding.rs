//! How 16-bit steps round, as a plain struct into which C may write anything, and the functions that make it.
#![expect(unsafe_code, reason = "names are exported")]

use adagrad_rs::{Counter, Rounding as RustRounding};

use crate::status::Status;

/// How 16-bit steps round, see adagrad_rounding.
#[repr(u8)]
pub enum RoundingKind {
    /// To the nearest value, of two the one whose last bit is 0. What is less than half of the distance between two values is
    /// lost, each time: a bfloat16 accumulator of gradients 1 stops at 256, one in half precision at 2048.
    Nearest = 0,
    /// To one of the two neighbours, each with a chance in proportion to how near it is. So the expected result is the exact
    /// one, and what is small adds up. An accumulator in float is rounded by what its sum lost; parameters in float stay.
    Stochastic = 1,
}

/// How a 16-bit step rounds what it stores. Make it by adagrad_round_nearest or adagrad_round_stochastic. The random bits are a
/// function of these numbers and of an element's place in the call, and of nothing else.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Rounding {
    /// Another one gives other random bits.
    pub seed: u64,
    /// The number of the step: another one gives other random bits.
    pub step: u64,
    /// Where a call has a part only: the index of its first element in the whole array or, for rows, that of the table's first
    /// row in the whole table.
    pub first: u64,
    /// Where a call for rows has only a part of a step's rows: the index of its first one among them.
    pub position: u64,
    /// An adagrad_rounding_kind. With ADAGRAD_ROUNDING_KIND_NEAREST the numbers above are not used.
    pub kind: u8,
    /// 1 leaves positions out, for rows that each have one gradient in the step, as adagrad_coalesce_u32 makes them: then the
    /// bits do not depend on their order, or on how they are divided among calls. A row that has two gets the same random bits
    /// for both. 0 otherwise.
    pub without_positions: u8,
    /// Must be 0.
    pub reserved: [u8; 6],
}

impl Rounding {
    pub const NEAREST: Self = Self {
        seed: 0,
        step: 0,
        first: 0,
        position: 0,
        kind: RoundingKind::Nearest as u8,
        without_positions: 0,
        reserved: [0; 6],
    };

    pub const fn stochastic(seed: u64, step: u64) -> Self {
        Self { seed, step, kind: RoundingKind::Stochastic as u8, ..Self::NEAREST }
    }

    /// In the crate's form.
    #[inline(always)]
    pub fn decoded(&self) -> Result<RustRounding, Status> {
        if self.kind > RoundingKind::Stochastic as u8 || self.without_positions > 1 || self.reserved != [0; 6] {
            return Err(Status::Unknown);
        }
        if self.kind == RoundingKind::Nearest as u8 {
            return Ok(RustRounding::Nearest);
        }
        let counter = Counter::new(self.seed, self.step).with_first(self.first);
        Ok(RustRounding::Stochastic(if self.without_positions == 1 {
            counter.without_positions()
        } else {
            counter.with_position(self.position)
        }))
    }
}

/// Rounds to the nearest, in 16-bit steps.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_round_nearest() -> Rounding {
    Rounding::NEAREST
}

/// Rounds by chance, in 16-bit steps: a seed for each array or table, and the number of the step.
#[unsafe(no_mangle)]
pub extern "C" fn adagrad_round_stochastic(seed: u64, step: u64) -> Rounding {
    Rounding::stochastic(seed, step)
}
