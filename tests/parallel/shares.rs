//! Whether both of two threads work.

use core::time::Duration;
use std::io::Write;
use std::time::Instant;

use adagrad::{Adagrad, Backend, Table};
use rayon::ThreadPool;

use super::inputs::{Random, State};
use super::{indices, pool};

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
