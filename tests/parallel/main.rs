//! Steps on several threads give the bits of the serial ones, for any number of threads, and run on several threads.
#![cfg(feature = "rayon")]

mod errors;
#[path = "../inputs/mod.rs"]
mod inputs;
#[path = "../reference/mod.rs"]
mod reference;
mod regularized;
#[path = "../reference/regularized.rs"]
mod regularized_reference;
mod rows;
mod shares;

use adagrad::{Adagrad, Backend, Epsilon, NonFinite, RowIndex, Table};
use inputs::{Random, State, options, plain_options};
use proptest::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use reference::{Options, assert_same};

/// The least number of elements of a dense step, and the least work for rows, that is divided among threads.
const MIN_DENSE: usize = 1 << 19;
const MIN_ROWS: usize = 1 << 18;

const THREADS: [usize; 5] = [1, 2, 3, 4, 7];

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("threads")
}

fn pools() -> Vec<ThreadPool> {
    THREADS.into_iter().map(pool).collect()
}

/// Runs the dense step serially and in each pool.
#[track_caller]
fn check_dense(pools: &[ThreadPool], opt: Adagrad, state: &State) {
    let mut expected = state.clone();
    let report = opt.step(&mut expected.params, &state.grads, &mut expected.accumulator);
    let mut actual = state.clone();
    for pool in pools {
        actual.params.copy_from_slice(&state.params);
        actual.accumulator.copy_from_slice(&state.accumulator);
        let (w, g, a) = (&mut actual.params[..], &state.grads[..], &mut actual.accumulator[..]);
        let context = format!("{} threads, {} elements, {opt:?}", pool.current_num_threads(), w.len());
        assert_eq!(pool.install(|| opt.par_step(w, g, a)), report, "{context}");
        assert_same(w, &expected.params, &context);
        assert_same(a, &expected.accumulator, &context);
    }
}

/// A table, and the rows to step with their gradients.
struct Rows<I> {
    state: State,
    dim: usize,
    row_wise: bool,
    rows: Vec<I>,
}

impl<I: RowIndex + Sync> Rows<I> {
    /// `grads` is as long as the rows need, the accumulator as long as the table needs.
    fn new(table_rows: usize, dim: usize, row_wise: bool, rows: Vec<I>, value: fn(&mut Random) -> f32) -> Self {
        let mut state = State::new(table_rows * dim, dim as u64, value);
        let mut random = Random(9);
        state.grads = (0..rows.len() * dim).map(|_| value(&mut random)).collect();
        if row_wise {
            state.accumulator.truncate(table_rows);
        }
        Self { state, dim, row_wise, rows }
    }

    fn table<'a>(&self, state: &'a mut State) -> Table<'a> {
        let (w, a) = (&mut state.params, &mut state.accumulator);
        if self.row_wise { Table::row_wise(w, a, self.dim) } else { Table::new(w, a, self.dim) }.expect("valid")
    }

    /// Runs the step serially and in each pool.
    #[track_caller]
    fn check(&self, pools: &[ThreadPool], opt: Adagrad, context: &str) {
        let mut expected = self.state.clone();
        let mut table = self.table(&mut expected);
        let report = opt.step_rows(&mut table, &self.rows, &self.state.grads);
        let mut actual = self.state.clone();
        for pool in pools {
            actual.params.copy_from_slice(&self.state.params);
            actual.accumulator.copy_from_slice(&self.state.accumulator);
            let mut table = self.table(&mut actual);
            let result = pool.install(|| opt.par_step_rows(&mut table, &self.rows, &self.state.grads));
            let context = format!(
                "{} threads, {} rows of {}, row-wise {}, {context}, {opt:?}",
                pool.current_num_threads(),
                self.rows.len(),
                self.dim,
                self.row_wise
            );
            assert_eq!(result, report, "{context}");
            assert_same(&actual.params, &expected.params, &context);
            assert_same(&actual.accumulator, &expected.accumulator, &context);
        }
    }
}

/// Indices of a table of so many rows: all over it, or mostly of a few rows.
fn indices(count: usize, table_rows: usize, skewed: bool, seed: u64) -> Vec<u32> {
    let mut random = Random(seed);
    let mut index = || random.below(table_rows) as u32;
    (0..count).map(|_| if skewed && index() % 8 > 0 { index().min(index()) % 3 } else { index() }).collect()
}

#[test]
fn dense_over_lengths() {
    let pools = pools();
    for len in [0, 1, 17, 4095, MIN_DENSE - 1, MIN_DENSE, MIN_DENSE + 1, MIN_DENSE + 333_333, 1 << 20, (1 << 20) + 17] {
        let state = State::new(len, len as u64, Random::any);
        check_dense(&pools, Adagrad::new(0.1).with_non_finite(NonFinite::Skip), &state);
    }
}

/// Against the naive reference, not the serial step: all that is divided among threads on every backend.
#[test]
fn divided_steps_have_the_bits_of_the_reference() {
    let pools = [pool(2), pool(3)];
    let state = State::new(2 * MIN_DENSE + 13, 6, Random::sprinkled);
    let rows: Vec<usize> = indices(12_000, 1500, true, 7).into_iter().map(|row| row as usize).collect();
    for backend in Backend::available() {
        for options in plain_options() {
            let options = Options { non_finite: NonFinite::Skip, ..options };
            let mut expected = state.clone();
            let skipped = options.step(&mut expected.params, &state.grads, &mut expected.accumulator);
            for pool in &pools {
                let State { mut params, grads, mut accumulator } = state.clone();
                let opt = options.on(backend);
                let report = pool.install(|| opt.par_step(&mut params, &grads, &mut accumulator)).expect("valid");
                assert_same(&params, &expected.params, format_args!("params, {opt:?}"));
                assert_same(&accumulator, &expected.accumulator, format_args!("accumulator, {opt:?}"));
                assert_eq!(report.skipped, skipped, "{opt:?}");
            }
        }
        for row_wise in [false, true] {
            let options = Options { non_finite: NonFinite::Skip, ..plain_options()[0] };
            let rows = Rows::new(1500, 100, row_wise, rows.clone(), Random::sprinkled);
            let State { mut params, grads, mut accumulator } = rows.state.clone();
            let step = if row_wise { Options::step_row_wise } else { Options::step_rows };
            let skipped = step(&options, &mut params, &mut accumulator, 100, &rows.rows, &grads);
            for pool in &pools {
                let mut actual = rows.state.clone();
                let mut table = rows.table(&mut actual);
                let opt = options.on(backend);
                let report = pool.install(|| opt.par_step_rows(&mut table, &rows.rows, &grads)).expect("valid");
                assert_same(&actual.params, &params, format_args!("params, row-wise {row_wise}, {opt:?}"));
                assert_same(&actual.accumulator, &accumulator, format_args!("G, row-wise {row_wise}, {opt:?}"));
                assert_eq!(report.skipped, skipped, "row-wise {row_wise}, {opt:?}");
            }
        }
    }
}

#[test]
fn dense_over_options() {
    let pools = [pool(3)];
    let state = State::new(MIN_DENSE + 7, 2, Random::any);
    // Each value of each option, but not each combination: how a step is divided does not depend on them.
    for options in options().into_iter().step_by(7) {
        check_dense(&pools, options.adagrad(), &state);
    }
}

/// Without a pool of the caller's, within a task of one, and in many tasks at once.
#[test]
fn from_anywhere() {
    let opt = Adagrad::new(0.1);
    let state = State::new(MIN_DENSE, 3, Random::ordinary);
    let mut expected = state.clone();
    opt.step(&mut expected.params, &state.grads, &mut expected.accumulator).expect("valid");
    let run = || {
        let mut actual = state.clone();
        opt.par_step(&mut actual.params, &state.grads, &mut actual.accumulator).expect("valid");
        assert_same(&actual.params, &expected.params, "params");
        assert_same(&actual.accumulator, &expected.accumulator, "accumulator");
    };
    run();
    for pool in pools() {
        pool.scope(|scope| (0..9).for_each(|_| scope.spawn(|_| run())));
        pool.install(|| rayon::join(run, || rayon::join(run, run)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(8)))]

    #[test]
    fn any_dense_step(len in 0..3 * MIN_DENSE, threads in 1..9_usize, seed in any::<u64>(), rate in 1e-3_f32..1.0) {
        let opt = Options::new(rate, Epsilon::InsideSqrt(1e-7)).adagrad().with_non_finite(NonFinite::Skip);
        check_dense(&[pool(threads)], opt, &State::new(len, seed, Random::any));
    }

    #[test]
    fn any_step_for_rows(
        (table_rows, dim, work) in (1..3000_usize, 1..100_usize, 0..3 * MIN_ROWS),
        threads in 1..9_usize,
        seed in any::<u64>(),
        (row_wise, skewed) in any::<(bool, bool)>(),
    ) {
        let rows = indices(work / (dim + 16), table_rows, skewed, seed);
        let opt = Adagrad::new(0.1).with_non_finite(NonFinite::Skip);
        Rows::new(table_rows, dim, row_wise, rows, Random::any).check(&[pool(threads)], opt, "");
    }
}
