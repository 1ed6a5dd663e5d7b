//! Steps on several threads give the bits of the serial ones, for any number of threads, and run on several threads.
#![cfg(feature = "rayon")]

mod inputs;
mod reference;

use core::time::Duration;
use std::io::Write;
use std::time::Instant;

use adagrad::{Adagrad, Backend, Epsilon, Error, NonFinite, Report, RowIndex, Table, WeightDecay};
use inputs::{Random, State, bags, options, plain_options};
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

/// Bags that are divided among threads, with room for all of them, for one and for some.
#[test]
fn bags_have_the_bits_of_the_reference() {
    let pools = [pool(2), pool(5)];
    for (row_wise, dim) in [(false, 24), (true, 100)] {
        for bags in bags(MIN_ROWS / dim, 1500, 3) {
            let options = Options { non_finite: NonFinite::Skip, ..plain_options()[0] };
            let grads = Rows::new(
                bags.offsets.len() - 1,
                dim,
                row_wise,
                vec![0_u32; bags.offsets.len() - 1],
                Random::sprinkled,
            );
            let state = Rows::new(1500, dim, row_wise, vec![0_u32], Random::sprinkled);
            let grads = &grads.state.grads;
            let mut expected = state.state.clone();
            let both = [&mut expected.params[..], &mut expected.accumulator[..]];
            let skipped = options.step_bags(both, dim, row_wise, &bags, grads);
            for pool in &pools {
                for room in [1, 2, 5, 9] {
                    let mut actual = state.state.clone();
                    let mut table = state.table(&mut actual);
                    let mut scratch = vec![f32::NAN; room * dim + 3];
                    let (opt, view) = (options.adagrad(), bags.view());
                    let report = pool.install(|| opt.par_step_bags(&mut table, &view, grads, &mut scratch));
                    let context = format!("room {room}, {dim} columns, {}, {:?}", bags.mean, bags.weights.is_some());
                    assert_eq!(report.expect("valid").skipped, skipped, "{context}");
                    assert_same(&actual.params, &expected.params, &context);
                    assert_same(&actual.accumulator, &expected.accumulator, &context);
                }
            }
        }
    }
}

/// The CPU time that each thread of a pool has taken so far, in nanoseconds, where the system tells: Linux does.
fn cpu_times(pool: &ThreadPool) -> Option<Vec<u64>> {
    let time = |_: rayon::BroadcastContext<'_>| {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    pool.broadcast(time).into_iter().collect()
}

/// Works in a pool of two threads for a while. The share of the thread that did less in the CPU time of both: 0.5 if
/// they shared alike, about 0 if one did it all.
fn lesser_share(pool: &ThreadPool, mut work: impl FnMut() + Send) -> Option<f64> {
    let before = cpu_times(pool)?;
    let start = Instant::now();
    // One call into the pool, as each may come to another thread.
    pool.install(|| {
        while start.elapsed() < Duration::from_millis(100) {
            work();
        }
    });
    let times: Vec<u64> = cpu_times(pool)?.iter().zip(before).map(|(after, before)| after - before).collect();
    let total: u64 = times.iter().sum();
    let least = times.into_iter().min()?;
    // A system may have the file and not the times.
    (total > 10_000_000).then(|| least as f64 / total as f64)
}

/// One thread that did all the work would give the same bits. So this looks at the time that each has taken.
#[test]
fn both_threads_of_two_do_their_part() {
    const LEN: usize = 1 << 20;
    // On a busy machine the second thread may come too late, to one step after the other.
    const PATIENCE: Duration = Duration::from_secs(20);
    let pool = pool(2);
    // The slowest backend, so that a step takes long enough for both.
    let opt = Adagrad::new(0.1).with_backend(Backend::Scalar);
    let State { mut params, grads, mut accumulator } = State::new(LEN, 8, Random::ordinary);
    let rows = indices(LEN / 16, 4096, false, 9);

    // Does it tell one thread from two? A serial step is taken by one.
    let serial = lesser_share(&pool, || {
        opt.step(&mut params, &grads, &mut accumulator).expect("valid");
    });
    let Some(serial) = serial else {
        // Not by `println!`, which nobody sees when a test succeeds.
        let _ = writeln!(std::io::stderr(), "SKIPPED: whether both threads work: no /proc/thread-self/schedstat");
        return;
    };
    assert!(serial < 0.05, "a serial step on two threads? {serial}");

    let assert_shared = |name: &str, work: &mut (dyn FnMut() + Send)| {
        let mut greatest = 0.0_f64;
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            greatest = greatest.max(lesser_share(&pool, &mut *work).unwrap_or(0.0));
            if greatest > 0.15 {
                return;
            }
        }
        panic!("{name}: one thread does it all, or all but a share of {greatest}");
    };
    assert_shared("par_step", &mut || {
        opt.par_step(&mut params, &grads, &mut accumulator).expect("valid");
    });
    for row_wise in [false, true] {
        let (w, a) = (&mut params[..4096 * 16], &mut accumulator[..if row_wise { 4096 } else { 4096 * 16 }]);
        let mut table =
            if row_wise { Table::row_wise(w, a, 16) } else { Table::new(w, a, 16) }.expect("its shape fits");
        assert_shared("par_step_rows", &mut || {
            opt.par_step_rows(&mut table, &rows, &grads).expect("valid");
        });
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

#[test]
fn rows_over_shapes() {
    let pools = pools();
    let opt = Adagrad::new(0.1).with_non_finite(NonFinite::Skip);
    for (table_rows, dim, row_wise) in
        [(1, 300, false), (2, 1000, true), (5, 64, false), (1000, 16, true), (1000, 37, false), (30_000, 1, false)]
    {
        let least = MIN_ROWS.div_ceil(dim + 16);
        for count in [0, 1, least - 1, least, 4 * least] {
            for skewed in [false, true] {
                let rows = indices(count, table_rows, skewed, count as u64);
                let rows = Rows::new(table_rows, dim, row_wise, rows, Random::any);
                rows.check(&pools, opt, if skewed { "skewed" } else { "" });
            }
        }
    }
}

#[test]
fn rows_over_options() {
    let pools = [pool(3)];
    for row_wise in [false, true] {
        let rows = Rows::new(700, 48, row_wise, indices(MIN_ROWS / 64 + 1, 700, true, 5), Random::any);
        for options in options().into_iter().step_by(7) {
            rows.check(&pools, options.adagrad(), "");
        }
    }
}

/// Lists that a sample may misjudge: one row, rows in order, and a period that a sample may fall in step with.
#[test]
fn rows_over_lists() {
    const COUNT: i64 = 1 << 16;
    let pools = pools();
    let check = |name: &str, row: fn(i64) -> i64| {
        for row_wise in [false, true] {
            let rows = Rows::new(100, 9, row_wise, (0..COUNT).map(row).collect(), Random::ordinary);
            rows.check(&pools, Adagrad::pytorch(0.1), name);
        }
    };
    check("the first row", |_| 0);
    check("the last row", |_| 99);
    check("ascending", |k| k * 100 / COUNT);
    check("descending", |k| 99 - k * 100 / COUNT);
    check("periodic", |k| k % 4 * 25);
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

/// The errors are those of the serial steps, in their order, and leave all as it was.
#[test]
fn errors_write_nothing() {
    let pool = pool(2);
    let len = MIN_DENSE + 64;
    let state = State::new(len, 4, Random::ordinary);
    for &backend in Backend::ALL {
        for opt in [Adagrad::new(0.1), Adagrad::new(-1.0), Adagrad::new(0.1).with_weight_decay(WeightDecay::L2(-1.0))] {
            let opt = opt.with_backend(backend);
            let fine = backend.is_available() && opt == Adagrad::new(0.1).with_backend(backend);
            for (grads, accumulator) in [(len, len), (len - 1, len), (len, len - 1), (0, 0)] {
                if fine && (grads, accumulator) == (len, len) {
                    continue; // no error
                }
                let mut actual = state.clone();
                let (g, a) = (&state.grads[..grads], &mut actual.accumulator[..accumulator]);
                let error = opt.step(&mut actual.params, g, a).expect_err("an error");
                let result = pool.install(|| opt.par_step(&mut actual.params, g, a));
                assert_eq!(result, Err(error));
                assert_same(&actual.params, &state.params, error);
                assert_same(&actual.accumulator, &state.accumulator, error);
            }
            for bad in [None, Some((0, -1)), Some((9999, 64)), Some((5000, i64::MAX))] {
                for missing_grads in [0, 1] {
                    if fine && bad.is_none() && missing_grads == 0 {
                        continue;
                    }
                    let mut rows = vec![3_i64; 10_000];
                    if let Some((position, row)) = bad {
                        rows[position] = row;
                    }
                    let mut actual = state.clone();
                    let grads = &vec![1.0; 10_000 * 32][missing_grads..];
                    let (w, a) = (&mut actual.params[..64 * 32], &mut actual.accumulator[..64 * 32]);
                    let mut table = Table::new(w, a, 32).expect("valid");
                    let error = opt.step_rows(&mut table, &rows, grads).expect_err("an error");
                    let result = pool.install(|| opt.par_step_rows(&mut table, &rows, grads));
                    assert_eq!(result, Err(error));
                    assert_same(&actual.params, &state.params, error);
                    assert_same(&actual.accumulator, &state.accumulator, error);
                }
            }
        }
    }
    let overflow = Error::Overflow { rows: 2, dim: usize::MAX };
    let mut table = Table::new(&mut [], &mut [], usize::MAX).expect("valid");
    assert_eq!(Adagrad::new(0.1).par_step_rows(&mut table, &[0_u32, 0], &[]), Err(overflow));
    assert_eq!(Adagrad::new(0.1).par_step(&mut [], &[], &mut []), Ok(Report::default()));
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
