//! A table whose rows are divided over the ranks.

use std::fmt;
use std::time::{Duration, Instant};

use adagrad::{Adagrad, Report, Table};
use mpi::traits::CommunicatorCollectives;

use crate::Error;
use crate::agree::{Same, agree, rank, ranks};
use crate::exchange::Exchange;
use crate::shape::{Accumulators, Place, Shape};

/// A table whose rows are divided over the ranks of a communicator, each with its accumulators.
///
/// Rows are named by their index in the whole table. All calls are collective, but those that only look at this rank's shard.
#[derive(Debug)]
pub struct ShardedTable<'c, C> {
    shape: Shape,
    exchange: Exchange<'c, C>,
    params: Vec<f32>,
    accumulator: Vec<f32>,
    times: Times,
}

/// How long the parts of this rank's last [`ShardedTable::step`] took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Sorting by owner, telling the owners how many rows come, and agreeing. Where a rank is late, the others wait here.
    pub prepare: Duration,
    /// Sending rows and gradients to the owners.
    pub exchange: Duration,
    /// The step of the rows that came.
    pub step: Duration,
}

/// What is looked at in each row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Params,
    Accumulator,
}

impl<'c, C: CommunicatorCollectives> ShardedTable<'c, C> {
    /// Collective. A table of this shape whose accumulators all start at `initial_accumulator`. `init` gets the index of each row
    /// that this rank owns, in order, and sets its `dim` parameters, which are 0 before.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with `ZeroDim`, or with `Overflow` if this rank's shard does not fit its address space;
    /// [`Error::Differs`] if the shape or `initial_accumulator` is not the same on all ranks.
    pub fn new(
        world: &'c C,
        shape: Shape,
        initial_accumulator: f32,
        mut init: impl FnMut(usize, &mut [f32]),
    ) -> Result<Self, Error> {
        let place = Place::new(shape, rank(world), ranks(world));
        let (rows, dim) = (place.own().len(), shape.dim);
        let own = match rows.checked_mul(dim).filter(|len| *len <= isize::MAX as usize / size_of::<f32>()) {
            _ if dim == 0 => Err(adagrad::Error::ZeroDim.into()),
            Some(_) => Ok(()),
            None => Err(adagrad::Error::Overflow { rows, dim }.into()),
        };
        let bits = initial_accumulator.to_bits();
        agree(world, own, Same("shape or initial_accumulator", format_args!("table {shape:?} {bits:x}")))?;
        let mut params = vec![0.0; rows * dim];
        for (row, params) in place.own().zip(params.chunks_exact_mut(dim)) {
            init(row, params);
        }
        let accumulator = vec![initial_accumulator; rows * shape.accumulators_per_row()];
        Ok(Self { shape, exchange: Exchange::new(world, place), params, accumulator, times: Times::default() })
    }

    /// Collective. One step for each of `rows`, with this rank's part of the batch: `k` rows of the whole table and their
    /// `k·dim` gradients. `k` may differ between ranks, and be 0.
    ///
    /// The result has the bits of [`Adagrad::step_rows`] in one process on the whole table, with the parts of rank 0, 1, …
    /// one behind the other. So it does not depend on the number of ranks, if the parts together are the same batch. A row that
    /// appears twice gets two steps. With [`Arithmetic::Fast`](adagrad::Arithmetic::Fast) this needs the same kind of CPU on
    /// all ranks.
    ///
    /// Each rank must give the same options. The report is of the rows that this rank owns.
    ///
    /// # Errors
    ///
    /// All ranks return one, and no table has changed: [`Error::Refused`] on a rank whose rows, gradients or options are not
    /// valid, with what [`Adagrad::step_rows`] or [`partition`](adagrad::partition()) says; [`Error::TooMany`] on a rank that
    /// would send or receive more than 2³¹ − 1 gradient values; [`Error::Elsewhere`] on the others; [`Error::Differs`] if the
    /// options differ.
    pub fn step(&mut self, opt: &Adagrad, rows: &[u64], grads: &[f32]) -> Result<Report, Error> {
        let (start, dim) = (Instant::now(), self.shape.dim);
        let same = Same("opt", format_args!("step {opt:?}"));
        self.exchange.prepare(rows, grads, dim, dim, check(opt), same)?;
        let prepared = Instant::now();
        self.exchange.send_rows();
        self.exchange.send_values(dim);
        let sent = Instant::now();
        let (params, accumulator) = (&mut self.params, &mut self.accumulator);
        let mut table = match self.shape.accumulators {
            Accumulators::ElementWise => Table::new(params, accumulator, dim)?,
            Accumulators::RowWise => Table::row_wise(params, accumulator, dim)?,
        };
        let (rows, grads) = (&self.exchange.rows[..], &self.exchange.values[..]);
        #[cfg(feature = "rayon")]
        let report = opt.par_step_rows(&mut table, rows, grads)?;
        #[cfg(not(feature = "rayon"))]
        let report = opt.step_rows(&mut table, rows, grads)?;
        self.times = Times { prepare: prepared - start, exchange: sent - prepared, step: sent.elapsed() };
        Ok(report)
    }

    /// Collective. Reads parameters of any rows: `out` gets `dim` values for each of `rows`, in that order. Each rank names
    /// the rows that it needs.
    ///
    /// # Errors
    ///
    /// All ranks return one, and no `out` has changed: [`Error::Refused`] on a rank with a row that is not in the table or an
    /// `out` of another length; [`Error::TooMany`] on a rank that would send or receive more than 2³¹ − 1 values;
    /// [`Error::Elsewhere`] on the others.
    pub fn read(&mut self, rows: &[u64], out: &mut [f32]) -> Result<(), Error> {
        self.read_part(Part::Params, rows, out)
    }

    /// Collective. The same for the accumulators: `dim` values for each row, or one where the table is row-wise.
    ///
    /// # Errors
    ///
    /// Those of [`ShardedTable::read`].
    pub fn read_accumulator(&mut self, rows: &[u64], out: &mut [f32]) -> Result<(), Error> {
        self.read_part(Part::Accumulator, rows, out)
    }

    pub(crate) fn read_part(&mut self, part: Part, rows: &[u64], out: &mut [f32]) -> Result<(), Error> {
        let width = self.width(part);
        let own = match rows.len().checked_mul(width) {
            Some(expected) if expected == out.len() => Ok(()),
            Some(expected) => Err(adagrad::Error::Length { what: "out", expected, actual: out.len() }.into()),
            None => Err(adagrad::Error::Overflow { rows: rows.len(), dim: width }.into()),
        };
        let of_params = part == Part::Params;
        let same = Same("the kind of call", format_args!("read {of_params}"));
        // No values go with the rows; what is sorted beside them is not sent.
        self.exchange.prepare(rows, &vec![0.0; rows.len()], 1, width, own, same)?;
        self.exchange.send_rows();
        let Self { exchange, params, accumulator, .. } = self;
        let shard = if part == Part::Params { params } else { accumulator };
        exchange.values.clear();
        for row in &exchange.rows {
            exchange.values.extend_from_slice(&shard[*row as usize * width..][..width]);
        }
        exchange.answer(rows, out, width);
        Ok(())
    }

    /// Collective. Sets parameters or accumulators of any rows. Where several ranks name a row, the last one's values stay.
    pub(crate) fn write_part(&mut self, part: Part, rows: &[u64], values: &[f32]) -> Result<(), Error> {
        let width = self.width(part);
        let of_params = part == Part::Params;
        let same = Same("the kind of call", format_args!("write {of_params}"));
        self.exchange.prepare(rows, values, width, width, Ok(()), same)?;
        self.exchange.send_rows();
        self.exchange.send_values(width);
        let shard = if part == Part::Params { &mut self.params } else { &mut self.accumulator };
        for (row, values) in self.exchange.rows.iter().zip(self.exchange.values.chunks_exact(width)) {
            shard[*row as usize * width..][..width].copy_from_slice(values);
        }
        Ok(())
    }

    /// How many values a row has.
    pub(crate) fn width(&self, part: Part) -> usize {
        if part == Part::Params { self.shape.dim } else { self.shape.accumulators_per_row() }
    }

    /// The shape of the whole table.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The communicator.
    #[must_use]
    pub fn world(&self) -> &'c C {
        self.exchange.world
    }

    /// The rows that this rank owns, as indices of the whole table, in the order of its shard.
    pub fn own_rows(&self) -> impl ExactSizeIterator<Item = usize> + fmt::Debug + use<'c, C> {
        self.exchange.place.own()
    }

    /// The parameters of the rows that this rank owns, row by row.
    #[must_use]
    pub fn params(&self) -> &[f32] {
        &self.params
    }

    /// Their accumulators.
    #[must_use]
    pub fn accumulator(&self) -> &[f32] {
        &self.accumulator
    }

    /// How long the parts of this rank's last step took.
    #[must_use]
    pub fn times(&self) -> Times {
        self.times
    }
}

/// What a step could refuse after gradients have been sent is refused before.
pub(crate) fn check(opt: &Adagrad) -> Result<(), Error> {
    opt.validate()?;
    match opt.backend() {
        Some(backend) if !backend.is_available() => Err(adagrad::Error::Unavailable { backend }.into()),
        _ => Ok(()),
    }
}
