//! The step for rows of a table.

use core::marker::PhantomData;

use super::dense::{check_available, dense_row};
use crate::backend::lanes::Kernel;
use crate::backend::{IS_SCALAR, run_detected};
use crate::kernel::{
    Any, AnyRowWise, AnyRows, Chunk, Class, Decayed, FEW_ROWS, FastRows, Flags, Fours, Gradients, NarrowRowWise,
    NarrowRows, OneByOne, Rows, ScalarRows, ShortRows, Usual, never, row_of,
};
use crate::table::{Indices, Layout, RowIndex};
use crate::{Adagrad, Backend, Error, Report, Table};

/// Steps for rows.
impl Adagrad {
    /// One step for each of `rows`, in that order. `grads` has `dim` values for each. A row that appears twice gets two
    /// steps, as in TensorFlow and FBGEMM. For one step with the sum, call [`coalesce`](crate::coalesce()) first.
    ///
    /// In a table with one accumulator per element, each row gets the dense step. In a [row-wise](Table::row_wise)
    /// table a row gets this one, where scale, clipping and L2 decay change `g` as in the dense step:
    ///
    /// ```text
    /// G ← G + (Σ g²)/dim        p[j mod 8] += g[j]², then ((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7));
    ///                           the mean stands for g·g in Accumulation
    /// d ← √G + ε   or   √(G + ε)
    /// s ← min(η/d, f32::MAX)     so that a gradient of 0 never makes NaN
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
    /// [`Error::Hyperparameter`]; [`Error::Length`] unless `grads` has `rows.len()·dim` values; [`Error::Overflow`] if
    /// that number overflows `usize`; [`Error::Row`] for the first row that is not in the table;
    /// [`Error::Unavailable`].
    // Inlined on bare metal, so that a program whose tables are all plain has no other loops: the compiler knows the last
    // argument there.
    #[cfg_attr(target_os = "none", inline(always))]
    #[cfg_attr(all(not(target_os = "none"), not(debug_assertions)), inline)]
    pub fn step_rows<I: RowIndex>(&self, table: &mut Table<'_>, rows: &[I], grads: &[f32]) -> Result<Report, Error> {
        let is_plain = table.shape.is_plain;
        self.step_checked_rows(table, rows, grads, is_plain)
    }

    #[cfg_attr(not(debug_assertions), inline)]
    fn step_checked_rows<I: RowIndex>(
        &self,
        table: &mut Table<'_>,
        rows: &[I],
        grads: &[f32],
        is_plain: bool,
    ) -> Result<Report, Error> {
        self.validate()?;
        let out_of_range = table.check_rows(rows, grads)?;
        let (layout, gradients) = (table.layout, Gradients::for_rows(grads, table.shape.gradients));
        let step = &mut self.rows(table, I::indices(rows), gradients);
        Ok(Report { skipped: run_rows(self.backend, layout, is_plain, step)?, out_of_range })
    }

    /// A kernel for checked rows.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(super) fn rows<'a>(&'a self, table: &'a mut Table<'_>, rows: Indices<'a>, grads: Gradients<'a>) -> Rows<'a> {
        let Table { params, accumulator, shape, padding, .. } = table;
        Rows { rule: &self.rule, params, accumulator, shape: *shape, first_row: 0, padding: *padding, rows, grads }
    }
}

/// The step for rows, which `are_plain` if each has its gradient and nothing lies between rows.
#[inline(always)]
pub(super) fn run_rows(
    backend: Option<Backend>,
    layout: Layout,
    are_plain: bool,
    step: &mut Rows<'_>,
) -> Result<usize, Error> {
    match (layout, are_plain) {
        (Layout::ElementWise, _) => run_element_wise(backend, are_plain, step),
        (Layout::RowWise, true) => run_row_wise(backend, step),
        (Layout::RowWise, false) => run_any_row_wise(backend, step),
    }
}

// On bare metal inlined, elsewhere compiled with this crate and not with each that calls it.

#[cfg_attr(target_os = "none", inline(always))]
#[cfg_attr(not(target_os = "none"), inline(never))]
fn run_element_wise(backend: Option<Backend>, are_plain: bool, step: &mut Rows<'_>) -> Result<usize, Error> {
    let lanes = lanes(backend);
    if lanes == 1 {
        return if are_plain {
            run(backend, ScalarRows::<false, true>(step))
        } else {
            run(backend, ScalarRows::<false, false>(step))
        };
    }
    let flags = step.rule.flags;
    // Which bits a fast step has must not depend on how many rows there are.
    if are_plain && step.rows.len() < FEW_ROWS && !flags.is_fast() {
        return run_few(backend, step);
    }
    let is_usual = !flags.any(Usual::WITHOUT);
    let is_narrow = lanes >= NarrowRows::<Any>::LEAST_LANES && (step.are_narrow(is_usual) || step.are_of_32(is_usual));
    if lanes >= FastRows::LEAST_LANES && step.are_fast() {
        run(backend, FastRows(step))
    } else if is_usual && is_narrow {
        run(backend, NarrowRows::<Usual>(step, PhantomData))
    } else if is_usual && step.are_short() {
        run(backend, ShortRows::<Usual>(step, PhantomData))
    } else if is_narrow {
        run(backend, NarrowRows::<Any>(step, PhantomData))
    } else if !flags.any(Decayed::WITHOUT) && lanes >= Decayed::LEAST_LANES && step.are_short() {
        run(backend, ShortRows::<Decayed>(step, PhantomData))
    } else if lanes >= Any::LEAST_LANES && step.are_short() {
        run(backend, ShortRows::<Any>(step, PhantomData))
    } else {
        run(backend, AnyRows(step))
    }
}

#[cfg_attr(target_os = "none", inline(always))]
#[cfg_attr(not(target_os = "none"), inline(never))]
fn run_row_wise(backend: Option<Backend>, step: &mut Rows<'_>) -> Result<usize, Error> {
    let lanes = lanes(backend);
    let is_usual = !step.rule.flags.any(Usual::WITHOUT);
    let is_narrow = lanes >= NarrowRowWise::<Any>::LEAST_LANES && step.are_narrow_row_wise(is_usual);
    if lanes == 1 {
        run(backend, ScalarRows::<true, true>(step))
    } else if lanes >= Fours::<Any>::LEAST_LANES && step.rows.len() < FEW_ROWS {
        let (mut room, dim) = ([0; FEW_ROWS], step.shape.dim);
        if is_usual {
            run(backend, &mut OneByOne::<Usual> { chunk: step.few(&mut room), dim })
        } else {
            run(backend, &mut OneByOne::<Any> { chunk: step.few(&mut room), dim })
        }
    } else if is_usual && is_narrow {
        run(backend, NarrowRowWise::<Usual>(step, PhantomData))
    } else if is_narrow {
        run(backend, NarrowRowWise::<Any>(step, PhantomData))
    } else if lanes >= Fours::<Any>::LEAST_LANES {
        if is_usual {
            run(backend, Fours::<Usual>(step, PhantomData))
        } else {
            run(backend, Fours::<Any>(step, PhantomData))
        }
    } else if is_usual {
        run(backend, AnyRowWise::<Usual, true>(step, PhantomData))
    } else {
        run(backend, AnyRowWise::<Any, true>(step, PhantomData))
    }
}

/// Compiled where it is used, but in debug builds, which then have it at this crate's level of optimization.
#[cfg_attr(not(debug_assertions), inline)]
fn run_any_row_wise(backend: Option<Backend>, step: &mut Rows<'_>) -> Result<usize, Error> {
    if lanes(backend) == 1 {
        run(backend, ScalarRows::<true, false>(step))
    } else if step.rule.flags.any(Flags::UNUSUAL) {
        run(backend, AnyRowWise::<Any, false>(step, PhantomData))
    } else {
        run(backend, AnyRowWise::<Usual, false>(step, PhantomData))
    }
}

/// The element-wise step for a few rows in which nothing lies between rows: a dense step for each.
fn run_few(backend: Option<Backend>, step: &mut Rows<'_>) -> Result<usize, Error> {
    check_available(backend)?;
    let mut room = [0; FEW_ROWS];
    let (dim, mut skipped) = (step.shape.dim, 0);
    let Chunk::<Any> { rule, params, accumulator, places, mut grads, .. } = step.few(&mut room);
    for place in places {
        let Some((g, rest)) = grads.split_at_checked(dim) else { never!("a gradient for each row", Ok(skipped)) };
        grads = rest;
        // A row that is not here has no slice, if its beginning does not wrap around.
        if place.checked_mul(dim).is_some()
            && let (Some(w), Some(a)) = (row_of(params, *place, dim), row_of(accumulator, *place, dim))
        {
            skipped += dense_row(backend, rule, w, g, a);
        }
    }
    Ok(skipped)
}

#[inline(always)]
fn lanes(backend: Option<Backend>) -> usize {
    if IS_SCALAR { 1 } else { backend.unwrap_or_else(Backend::detected).lanes() }
}

#[inline(always)]
pub(crate) fn run<K: Kernel<Output: Default>>(backend: Option<Backend>, kernel: K) -> Result<K::Output, Error> {
    match backend {
        Some(backend) if !IS_SCALAR => backend.run(kernel).ok_or(Error::Unavailable { backend }),
        Some(backend) if !backend.is_available() => Err(Error::Unavailable { backend }),
        _ => Ok(run_detected(kernel)),
    }
}
