//! Times steps as a user's program makes them, for `.ci/budgets`: prints a line for each, its name and its nanoseconds.

use std::hint::black_box;
use std::time::Instant;

use adagrad::{Adagrad, Table, coalesce, sum_of_squares};

fn main() -> Result<(), adagrad::Error> {
    const OPT: Adagrad = Adagrad::new(1e-4);
    let (mut params, mut accumulator) = (vec![1.0; 16 * 1024], vec![1.0; 16 * 1024]);
    let grads = vec![1e-3; 16 * 1024];

    for len in [16, 1024] {
        let (w, g, sums) = (&mut params[..len], &grads[..len], &mut accumulator[..len]);
        time(&format!("step, {len} elements"), || OPT.step(w, g, sums).map(|_| ()))?;
    }
    // Their types are generic, so they are compiled in this program, as far as they are not in the crate.
    let rows: Vec<u64> = (0..64).map(|i| i * 389 % 1024).collect();
    let mut table = Table::new(&mut params, &mut accumulator, 16)?;
    time("step_rows, 64 rows of 16", || OPT.step_rows(&mut table, &rows, &grads[..64 * 16]).map(|_| ()))?;
    let mut table = Table::row_wise(&mut params, &mut accumulator[..1024], 16)?;
    time("step_rows, row-wise, 64 rows of 16", || OPT.step_rows(&mut table, &rows, &grads[..64 * 16]).map(|_| ()))?;
    let (mut unique, mut sums, mut scratch) = (rows.clone(), vec![1e-3; 64 * 16], vec![0_usize; 2 * 64]);
    time("coalesce, 64 rows of 16", || coalesce(&mut unique, &mut sums, 16, &mut scratch).map(|_| ()))?;
    time("sum_of_squares, 1024 elements", || {
        black_box(sum_of_squares(black_box(&grads[..1024])));
        Ok(())
    })
}

/// The shortest of many times of one call.
fn time(name: &str, mut call: impl FnMut() -> Result<(), adagrad::Error>) -> Result<(), adagrad::Error> {
    const CALLS: u32 = 64;
    let mut least = f64::INFINITY;
    for _ in 0..2000 {
        let start = Instant::now();
        for _ in 0..CALLS {
            call()?;
        }
        least = least.min(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
    }
    println!("{least:.1} {name}");
    Ok(())
}
