//! What a call does with slices and options.

use adagrad_rs::{Adagrad, Error, RowIndex, Summary as RustSummary, Table, check_accumulator};

use crate::status::Status;

/// What a call did, or where it found an error.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Report {
    /// The number of elements, or of rows of a row-wise table, that ADAGRAD_NON_FINITE_SKIP left as they were.
    pub skipped: usize,
    /// The number of rows that were passed over because they are not in the table, see adagrad_table.
    pub out_of_range: usize,
    /// With ADAGRAD_STATUS_ROW, _ACCUMULATOR, _OFFSET, _OWNERS and _STEP the first bad position in the array; otherwise 0.
    pub position: usize,
}

impl Report {
    pub const NONE: Self = Self { skipped: 0, out_of_range: 0, position: 0 };
}

/// How far the effective learning rates of some accumulators have fallen. Rates that are infinite or NaN are counted in
/// non_finite only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Summary {
    /// The mean of the finite rates; 0 if there is none.
    pub mean: f64,
    /// The least finite rate; infinite if there is none.
    pub min: f32,
    /// The greatest finite rate; 0 if there is none.
    pub max: f32,
    /// The number of finite rates.
    pub count: usize,
    /// The number of rates that are infinite or NaN.
    pub non_finite: usize,
    /// The number of finite rates below the threshold.
    pub below: usize,
    /// The number of accumulators that a gradient of the given size no longer changes.
    pub stalled: usize,
    /// How many rates lie in each decade: bin 0 has all below 1e-8, bin b the decade from 10^(b-9) on, and the last bin
    /// all from 1e6 on.
    pub histogram: [usize; 16],
}

impl From<RustSummary> for Summary {
    fn from(summary: RustSummary) -> Self {
        let RustSummary { count, non_finite, min, max, mean, below, stalled, histogram, .. } = summary;
        Self { mean, min, max, count, non_finite, below, stalled, histogram }
    }
}

/// What a call returns, and its report.
pub type Outcome = Result<Report, (Status, Report)>;

/// An error, with its position.
#[cold]
fn refused(error: Error) -> (Status, Report) {
    let position = match error {
        Error::Row { position, .. }
        | Error::Accumulator { position, .. }
        | Error::Offset { position, .. }
        | Error::Range { position, .. }
        | Error::Step { position, .. } => position,
        _ => 0,
    };
    (error.into(), Report { position, ..Report::NONE })
}

#[inline(always)]
pub fn outcome(result: Result<adagrad_rs::Report, Error>) -> Outcome {
    let report = |report: adagrad_rs::Report| Report {
        skipped: report.skipped,
        out_of_range: report.out_of_range,
        ..Report::NONE
    };
    result.map(report).map_err(refused)
}

/// Of a call that has nothing to report but errors.
#[inline(always)]
pub fn done(result: Result<(), Error>) -> Outcome {
    result.map(|()| Report::NONE).map_err(refused)
}

/// On bare metal a function of its own, so that the crate's step has one caller, and no [`Error`] is moved about.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub fn step(options: &Adagrad, params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) -> Outcome {
    // The step would say which option, which takes code and has no use here.
    if options.validate().is_err() {
        return Err((Status::Option, Report::NONE));
    }
    outcome(options.step(params, grads, accumulator))
}

#[inline(always)]
pub fn step_and_zero(options: &Adagrad, params: &mut [f32], grads: &mut [f32], accumulator: &mut [f32]) -> Outcome {
    if cfg!(target_os = "none") {
        // There is no cache to keep gradients in, and one step is linked.
        let report = step(options, params, grads, accumulator)?;
        grads.fill(0.0);
        Ok(report)
    } else {
        outcome(options.step_and_zero(params, grads, accumulator))
    }
}

#[inline(always)]
pub fn step_rows<I: RowIndex>(
    options: &Adagrad,
    table: Result<Table<'_>, Error>,
    rows: &[I],
    grads: &[f32],
) -> Outcome {
    outcome(table.and_then(|mut table| options.step_rows(&mut table, rows, grads)))
}

pub fn state(accumulator: &[f32]) -> Outcome {
    done(check_accumulator(accumulator))
}
