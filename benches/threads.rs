//! Steps on several threads beside the serial ones: how much faster, for each size of the work.
//!
//! The thresholds in `src/step/parallel.rs` are chosen by this. The two take turns, one call each, so that other load on the
//! machine meets both; the least time of each is compared. Between calls there is a pause in which rayon's threads fall
//! asleep, as they do in a program that has something else to do. Calls come from outside of the pool (`from outside`)
//! or from a thread of it. The table does not fit in a cache; its rows are uniformly random, or the first ones are
//! frequent and the last ones rare (`skewed`).
//!
//! ```sh
//! cargo bench -p adagrad-benches --bench threads              # all
//! cargo bench -p adagrad-benches --bench threads -- rows      # the lines whose names contain a text
//! RAYON_NUM_THREADS=2 cargo bench -p adagrad-benches --bench threads
//! ```

use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

use adagrad::{Error, Report, Table};
use adagrad_benches::OPT;
use adagrad_benches::memory::{Random, apart};

/// Logarithms of the numbers of elements in a dense step, and of gradients in one for rows.
const DENSE: core::ops::RangeInclusive<u32> = 12..=24;
const ROWS: [u32; 6] = [12, 14, 16, 18, 20, 22];

/// Parameters of the table.
const TABLE: usize = 1 << 24;

/// Batches of rows that calls go through, so that they do not find their rows in the cache.
const BATCHES: usize = 8;

const PAUSE: Duration = Duration::from_micros(200);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let test = arguments.iter().any(|argument| argument == "--test"); // each once, as Criterion does it
    let filter = arguments.into_iter().find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let run = Run { filter, seconds: if test { 0.0 } else { 1.5 } };
    println!("{} threads", rayon::current_num_threads());
    for log in DENSE {
        run.dense(log);
    }
    for row_wise in [false, true] {
        for dim in [1, 16, 64, 128] {
            for skewed in [false, true] {
                for log in ROWS.into_iter().filter(|log| !test || *log <= 18) {
                    run.rows(log, dim, row_wise, skewed);
                }
            }
        }
    }
}

struct Run {
    filter: String,
    /// For each line.
    seconds: f64,
}

impl Run {
    fn dense(&self, log: u32) {
        let len = 1 << log;
        let name = format!("dense 2^{log}");
        if !name.contains(&self.filter) {
            return;
        }
        let (mut w, g, mut a) = apart(len);
        self.compare(&name, |parallel| {
            let (opt, w, a) = (black_box(&OPT), black_box(&mut w[..len]), black_box(&mut a[..len]));
            if parallel { opt.par_step(w, &g[..len], a) } else { opt.step(w, &g[..len], a) }
        });
    }

    fn rows(&self, log: u32, dim: usize, row_wise: bool, skewed: bool) {
        let table_rows = TABLE / dim;
        let k = (1 << log) / dim;
        let name = format!(
            "{} of {dim}, 2^{log} gradients{}",
            if row_wise { "row-wise rows" } else { "rows" },
            if skewed { ", skewed" } else { "" }
        );
        if !name.contains(&self.filter) {
            return;
        }
        let mut random = Random(1);
        let rows: Vec<u32> = (0..BATCHES * k)
            .map(|_| {
                let uniform = random.fraction();
                let row = if skewed { (table_rows as f64).powf(uniform) - 1.0 } else { uniform * table_rows as f64 };
                row as u32
            })
            .collect();
        let mut batches = rows.chunks_exact(k).cycle();
        let (mut w, g) = (random.numbers(TABLE), random.gradients(k * dim));
        let mut a = random.numbers(if row_wise { table_rows } else { TABLE });
        self.compare(&name, |parallel| {
            let table = if row_wise { Table::row_wise } else { Table::new };
            let mut table = table(black_box(&mut w), black_box(&mut a), dim)?;
            let rows = batches.next().expect("it cycles");
            let opt = black_box(&OPT);
            if parallel { opt.par_step_rows(&mut table, rows, &g) } else { opt.step_rows(&mut table, rows, &g) }
        });
    }

    /// Prints the least time of a step, `step(false)`, and how many times as fast the parallel one is.
    fn compare(&self, name: &str, mut step: impl FnMut(bool) -> Result<Report, Error> + Send) {
        let mut least = [f64::INFINITY; 3];
        let begin = Instant::now();
        loop {
            least[0] = least[0].min(time(|| step(false)));
            least[1] = least[1].min(time(|| step(true)));
            least[2] = least[2].min(rayon::scope(|_| time(|| step(true))));
            if begin.elapsed().as_secs_f64() >= self.seconds {
                break;
            }
        }
        let [serial, outside, inside] = least;
        println!(
            "{name:42} serial {:9.1} µs, times as fast: {:.2} from outside, {:.2} from inside",
            serial * 1e6,
            serial / outside,
            serial / inside
        );
    }
}

/// Seconds that a step takes, after a pause.
fn time(step: impl FnOnce() -> Result<Report, Error>) -> f64 {
    let pause = Instant::now();
    while pause.elapsed() < PAUSE {
        core::hint::spin_loop();
    }
    let begin = Instant::now();
    step().expect("valid");
    begin.elapsed().as_secs_f64()
}
