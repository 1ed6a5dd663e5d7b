//! Times steps as a user's program makes them, for `.ci/budgets`: prints a line for each, its name and its nanoseconds.

use std::hint::black_box;
use std::time::Instant;

use adagrad::{Adagrad, Table, coalesce, sum_of_squares};

/// Prints the shortest of many times of one call. The loop is written out, so that in a debug build little of the time
/// is this program's own.
macro_rules! time {
    ($call:expr, $name:expr) => {{
        const CALLS: u32 = 64;
        let mut least = f64::INFINITY;
        for _ in 0..2000 {
            let start = Instant::now();
            let mut calls = 0;
            while calls < CALLS {
                black_box(&$call);
                calls += 1;
            }
            least = least.min(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
        }
        println!("{least:.1} {}", $name);
    }};
}

fn main() -> Result<(), adagrad::Error> {
    let opt = Adagrad::new(1e-4);
    let (mut params, mut accumulator) = (vec![1.0; 16 * 1024], vec![1.0; 16 * 1024]);
    let grads = vec![1e-3; 16 * 1024];

    for len in [16, 1024] {
        let (w, g, sums) = (&mut params[..len], &grads[..len], &mut accumulator[..len]);
        time!(opt.step(w, g, sums), format!("step, {len} elements"));
    }
    // The types of these are generic, so they are compiled in this program, as far as they are not in the crate.
    let rows: &[u64] = &(0..64).map(|i| i * 389 % 1024).collect::<Vec<_>>();
    let rows_grads = &grads[..64 * 16];
    let mut table = Table::new(&mut params, &mut accumulator, 16)?;
    time!(opt.step_rows(&mut table, rows, rows_grads), "step_rows, 64 rows of 16");
    let mut table = Table::row_wise(&mut params, &mut accumulator[..1024], 16)?;
    time!(opt.step_rows(&mut table, rows, rows_grads), "step_rows, row-wise, 64 rows of 16");
    let (unique, sums, scratch) = (&mut *rows.to_vec(), &mut *rows_grads.to_vec(), &mut *vec![0_usize; 2 * 64]);
    time!(coalesce(unique, sums, 16, scratch), "coalesce, 64 rows of 16");
    let values = &grads[..1024];
    time!(sum_of_squares(values), "sum_of_squares, 1024 elements");
    Ok(())
}
