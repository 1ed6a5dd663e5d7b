//! Steps on several threads, with rayon.

use super::bags::bag_gradients;
use super::dense::check_available;
use super::rows::run_rows;
use crate::kernel::{Flags, Gradients, RowGradients, Rows, Storage, is_exact};
use crate::table::{Indices, RowIndex};
use crate::{Adagrad, Backend, Bags, Error, Report, Table};

/// The least number of elements of a dense step that is divided. Fewer take less time than it may take to wake a
/// sleeping thread: see docs/decisions.md, "From 2¹⁹ elements on".
const MIN_DENSE: usize = 1 << if cfg!(miri) { 9 } else { 19 }; // Miri could not see longer ones divided

/// The least work of a step for rows that is divided.
const MIN_ROWS: usize = 1 << if cfg!(miri) { 9 } else { 18 };

/// The least work for a task.
const MIN_TASK: usize = 1 << if cfg!(miri) { 6 } else { 16 };

/// Tasks of a dense step for each thread: the second is taken by whoever is first done, so that a thread that wakes
/// late, or shares its processor, is not waited for as long.
const DENSE_TASKS: usize = 2;

/// Dense tasks but the last are a multiple of so many elements long: whole blocks of any backend, and whole cache
/// lines, so that tasks share no line if the slices begin at one.
const BLOCK: usize = 16;

/// The work for a row beside its elements, in elements.
const ROW_WORK: usize = 16;

/// How many of a step's rows are looked at to find ranges of the table that are stepped equally often.
const SAMPLES: usize = 512;

/// Steps on several threads, with the feature `rayon`. They use the thread pool that the call is made in, or else
/// rayon's global one. The results are the same bits as those of the serial steps, for any number of threads; but not with
/// [`Arithmetic::Fast`](crate::Arithmetic::Fast), whose bits depend on how slices are divided.
impl Adagrad {
    /// [`Adagrad::step`] on several threads, with the same result.
    ///
    /// Each thread gets a part of the slices. Fewer than 2¹⁹ elements are stepped by the calling thread alone, because
    /// it would take longer to wake another. The step itself allocates nothing, but rayon may.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// let mut params = vec![1.0; 1 << 20];
    /// let grads = vec![3.0; 1 << 20];
    /// let mut accumulator = vec![0.0; 1 << 20];
    /// Adagrad::new(0.5).par_step(&mut params, &grads, &mut accumulator)?;
    /// assert!(params.iter().all(|w| *w == 0.5));
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step`], before anything is written.
    ///
    /// # Panics
    ///
    /// If rayon needs its global pool and cannot start it. Nothing has been written then.
    pub fn par_step(&self, params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) -> Result<Report, Error> {
        self.check_dense(params, grads, accumulator)?;
        check_available(self.backend)?;
        // So many elements are exact on wide lanes, though a part of them would not be.
        let lanes = self.backend.unwrap_or_else(Backend::detected).lanes();
        let opt = if is_exact(lanes, params.len()) { self.set(Flags::FAST, false) } else { *self };
        let run = |Slices { params, grads, accumulator, .. }: Slices<'_>| opt.step(params, grads, accumulator);
        let tasks = dense_tasks(params.len());
        in_halves(&run, Slices { first: 0, params, grads, accumulator }, tasks)
    }

    /// [`Adagrad::step_rows`] on several threads, with the same result.
    ///
    /// Each thread gets a range of the table's rows. It reads all of `rows`, and steps those in its range, so a row
    /// that appears twice gets its steps in order. A sample of `rows` says where to divide the table, so that each
    /// range gets about as many steps. The step itself allocates nothing, but rayon may.
    ///
    /// Every thread reads all of `rows`, which takes a few nanoseconds a row. So many threads help most where the step
    /// of a row takes much longer than that: where rows have many columns, or are not in the cache. Small steps, those
    /// where `(dim + 16)·rows.len()` is less than 2¹⁸, are taken by the calling thread alone.
    ///
    /// ```
    /// use adagrad::{Adagrad, Table};
    ///
    /// let (mut params, mut accumulator) = (vec![0.0; 1000 * 64], vec![0.0; 1000 * 64]);
    /// let mut table = Table::new(&mut params, &mut accumulator, 64)?;
    /// let rows: Vec<u32> = (0..5000).map(|k| k * 7 % 1000).collect();
    /// Adagrad::new(0.1).par_step_rows(&mut table, &rows, &vec![1.0; 5000 * 64])?;
    /// assert!(accumulator.iter().all(|a| *a == 5.0)); // each row appears five times
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_rows`], before anything is written.
    ///
    /// # Panics
    ///
    /// As [`Adagrad::par_step`].
    pub fn par_step_rows<I: RowIndex>(
        &self,
        table: &mut Table<'_>,
        rows: &[I],
        grads: &[f32],
    ) -> Result<Report, Error> {
        self.validate()?;
        let out_of_range = table.check_rows(rows, grads)?;
        check_available(self.backend)?;
        let tasks = tasks_for_rows(rows.len(), grads.len());
        let grads = Gradients::for_rows(grads, table.shape.gradients);
        self.divided_rows(table, I::indices(rows), grads, out_of_range, tasks)
    }

    /// [`Adagrad::step_bags`] on several threads, with the same result, as [`par_step_rows`](Self::par_step_rows).
    ///
    /// Where the bags are [`mean`](Bags::mean) or [`weighted`](Bags::weighted), each thread needs `dim` values of
    /// `scratch`. One with room for fewer gradients than there are threads keeps the others idle.
    ///
    /// ```
    /// use adagrad::{Adagrad, Bags, Table};
    ///
    /// let (mut params, mut accumulator) = (vec![0.0; 1000 * 64], vec![0.0; 1000]);
    /// let mut table = Table::row_wise(&mut params, &mut accumulator, 64)?;
    /// let offsets: Vec<u32> = (0..=250).map(|bag| 20 * bag).collect();
    /// let rows: Vec<u32> = (0..5000).map(|k| k * 7 % 1000).collect();
    /// let bags = Bags::new(&offsets, &rows)?;
    /// Adagrad::new(0.1).par_step_bags(&mut table, &bags, &vec![1.0; 250 * 64], &mut [])?;
    /// assert!(accumulator.iter().all(|a| *a == 5.0)); // each row appears five times
    /// # Ok::<(), adagrad::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Adagrad::step_bags`], before anything is written.
    ///
    /// # Panics
    ///
    /// As [`Adagrad::par_step`].
    pub fn par_step_bags<I: RowIndex>(
        &self,
        table: &mut Table<'_>,
        bags: &Bags<'_, I>,
        grads: &[f32],
        scratch: &mut [f32],
    ) -> Result<Report, Error> {
        let out_of_range = self.check_bags(table, bags, grads, scratch)?;
        check_available(self.backend)?;
        let rows = I::indices(bags.rows);
        let room = if bags.are_scaled() { scratch.len() / table.dim() } else { usize::MAX };
        let tasks = tasks_for_rows(rows.len(), rows.len().saturating_mul(table.dim())).min(room);
        self.divided_rows(table, rows, bag_gradients(table, bags, grads, scratch), out_of_range, tasks)
    }

    fn divided_rows(
        &self,
        table: &mut Table<'_>,
        rows: Indices<'_>,
        grads: Gradients<'_>,
        out_of_range: usize,
        tasks: usize,
    ) -> Result<Report, Error> {
        let table_rows = table.rows;
        let (layout, are_plain) = (table.layout, table.shape.is_plain && !grads.are_of_bags());
        let run = |mut rows: Rows<'_>| run_rows(self.backend, layout, are_plain, &mut rows);
        let skipped = in_ranges(&run, self.rows(table, rows, grads), rows, table_rows, tasks)?;
        Ok(Report { skipped, out_of_range })
    }
}

/// How many tasks to make of so much work, with so many for each thread, if it is not less than `least`.
fn tasks(work: usize, least: usize, per_thread: usize) -> usize {
    if work < least {
        return 1;
    }
    match rayon::current_num_threads() {
        1 => 1,
        threads => threads.saturating_mul(per_thread).min(work / MIN_TASK),
    }
}

/// How many tasks to make of a dense step of so many elements.
pub(super) fn dense_tasks(len: usize) -> usize {
    tasks(len, MIN_DENSE, DENSE_TASKS)
}

/// How many tasks to make of a step for so many rows, which have so many elements together.
pub(super) fn tasks_for_rows(rows: usize, elements: usize) -> usize {
    tasks(rows.saturating_mul(ROW_WORK).saturating_add(elements), MIN_ROWS, 1)
}

/// What a step changes, which can be divided.
pub(super) trait Parts: Send + Sized {
    /// How many elements there are, or rows.
    fn len(&self) -> usize;

    /// What is before an element or row, counted from the first that is here, and what is not. The first part gets the room
    /// for so many of the gradients that bags have.
    fn split_at(self, at: usize, room: usize) -> (Self, Self);
}

/// The slices of a dense step, with the index of their first element among all.
pub(super) struct Slices<'a, P = f32, G = f32, A = f32> {
    pub(super) first: usize,
    pub(super) params: &'a mut [P],
    pub(super) grads: &'a [G],
    pub(super) accumulator: &'a mut [A],
}

impl<P: Send, G: Sync, A: Send> Parts for Slices<'_, P, G, A> {
    fn len(&self) -> usize {
        self.params.len()
    }

    fn split_at(self, at: usize, _: usize) -> (Self, Self) {
        let (w, w_rest) = self.params.split_at_mut(at);
        let (g, g_rest) = self.grads.split_at(at);
        let (a, a_rest) = self.accumulator.split_at_mut(at);
        (
            Self { first: self.first, params: w, grads: g, accumulator: a },
            Self { first: self.first + at, params: w_rest, grads: g_rest, accumulator: a_rest },
        )
    }
}

/// The dense step, halved until there are as many `tasks`. Each is `run`.
pub(super) fn in_halves<S: Parts>(
    run: &(impl Fn(S) -> Result<Report, Error> + Sync),
    slices: S,
    tasks: usize,
) -> Result<Report, Error> {
    if tasks < 2 {
        return run(slices);
    }
    let half = tasks / 2;
    let at = slices.len() / tasks * half / BLOCK * BLOCK;
    let (before, from) = slices.split_at(at, 0);
    let (before, from) = rayon::join(|| in_halves(run, before, half), || in_halves(run, from, tasks - half));
    Ok(Report { skipped: before?.skipped + from?.skipped, out_of_range: 0 })
}

/// Some of the rows, row 0 for one that is not in a table of so many. Their positions are multiples of the golden ratio,
/// modulo 1: spread evenly, but in step with no period of the list, such as one of columns of features.
fn sample(rows: Indices<'_>, table_rows: usize) -> [usize; SAMPLES] {
    let mut samples = [0; SAMPLES];
    let mut position = 0_u64;
    for sample in &mut samples {
        position = position.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let index = (u128::from(position) * rows.len() as u128) >> 64;
        *sample = rows.get(index as usize).filter(|row| *row < table_rows).unwrap_or(0);
    }
    samples
}

/// The step for rows of a table of so many, which is divided until there are as many `tasks`. Each is `run`.
pub(super) fn in_ranges<R: Parts>(
    run: &(impl Fn(R) -> Result<usize, Error> + Sync),
    rows: R,
    indices: Indices<'_>,
    table_rows: usize,
    tasks: usize,
) -> Result<usize, Error> {
    let samples: &mut [usize] = if tasks < 2 { &mut [] } else { &mut sample(indices, table_rows) };
    in_ranges_between(run, rows, 0, samples, tasks)
}

/// The same for a part of the table from a row on, divided at quantiles of the samples, which are in it.
fn in_ranges_between<R: Parts>(
    run: &(impl Fn(R) -> Result<usize, Error> + Sync),
    rows: R,
    first_row: usize,
    samples: &mut [usize],
    tasks: usize,
) -> Result<usize, Error> {
    if rows.len() == 0 {
        return Ok(0); // without reading all rows
    }
    if tasks < 2 || samples.is_empty() {
        return run(rows);
    }
    let half = tasks / 2;
    // Samples among `low` may equal the row; dividing there leaves nothing behind it.
    let (low, &mut row, high) = samples.select_nth_unstable(samples.len() * half / tasks);
    let (before, from) = rows.split_at(row - first_row, half);
    let (first, second) = rayon::join(
        || in_ranges_between(run, before, first_row, low, half),
        || in_ranges_between(run, from, row, high, tasks - half),
    );
    Ok(first? + second?)
}

impl<'a, P: Storage + Send, A: Storage + Send, G: RowGradients<'a> + Send> Parts for Rows<'a, P, A, G> {
    fn len(&self) -> usize {
        self.params.len() / self.shape.params
    }

    fn split_at(self, at: usize, room: usize) -> (Self, Self) {
        let Self { rule, params, accumulator, shape, first_row, padding, rows, grads } = self;
        let (w, w_rest) = params.split_at_mut(at * shape.params);
        let (a, a_rest) = accumulator.split_at_mut(at * shape.accumulators);
        let (grads, grads_rest) = grads.split(room.saturating_mul(shape.dim));
        let row = first_row + at;
        (
            Self { rule, params: w, accumulator: a, shape, first_row, padding, rows, grads },
            Self { rule, params: w_rest, accumulator: a_rest, shape, first_row: row, padding, rows, grads: grads_rest },
        )
    }
}
