//! Rows a second of a step over ranks, and how much of it is communication. `cargo bench` starts this program, which starts
//! itself as 1, 2, … ranks under `mpirun`, and prints tables in Markdown.
//!
//! `cargo bench --bench ranks -- RANKS STEPS` goes up to so many ranks, with so many steps of each case.

use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, thread};

use adagrad::{Adagrad, Table};
use adagrad_mpi::{Shape, ShardedDense, ShardedTable};
use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

/// What a rank is to measure: `TABLE STEPS`.
const JOB: &str = "ADAGRAD_MPI_BENCH";
const ROWS: usize = 1 << 20;
const DIM: usize = 64;
/// Rows of a batch.
const BATCH: usize = 1 << 14;
/// Batches that take turns.
const BATCHES: usize = 8;
/// Dense parameters, and parts of their gradient.
const DENSE: usize = 1 << 20;
const PARTS: usize = 8;

/// Their names and headings.
const TABLES: [(&str, &str); 3] = [
    ("rows", "batch | ranks | rows a second, millions | step | prepare | exchange | rows' step | communication"),
    ("dense", "dense parameters | parts of their gradient | ranks | step"),
    ("empty", "rows | ranks | step"),
];

fn main() {
    if let Ok(job) = env::var(JOB) {
        return measure(&job);
    }
    // Cargo adds `--bench`.
    let mut numbers = env::args().skip(1).filter_map(|arg| arg.parse::<usize>().ok());
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let (most, steps) = (numbers.next().unwrap_or(processors), numbers.next().unwrap_or(200));
    println!(
        "A table of {ROWS} rows and {DIM} columns, one accumulator per element; random rows, owned by `row mod ranks`."
    );
    println!("{processors} hardware threads. Times are in µs, of the fastest of {steps} steps.");
    for (table, heading) in TABLES {
        println!("\n| {heading} |\n|{}", "---:|".repeat(heading.split('|').count()));
        let mut ranks = 1;
        while ranks <= most {
            let status = Command::new("mpirun")
                .args(["-n", &ranks.to_string()])
                .arg(env::current_exe().expect("this program"))
                .env(JOB, format!("{table} {steps}"))
                .envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")])
                .env("OMPI_MCA_rmaps_base_oversubscribe", "1")
                .env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")
                .status()
                .expect("mpirun is installed");
            assert!(status.success(), "{ranks} ranks: {status}");
            ranks *= 2;
        }
    }
}

/// A hash of two numbers.
fn hash(a: usize, b: usize) -> u64 {
    let mut x = ((a as u64) << 32 | b as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn batch(index: usize, positions: std::ops::Range<usize>) -> (Vec<u64>, Vec<f32>) {
    let rows = positions.clone().map(|position| hash(index, position) % ROWS as u64).collect();
    // So small that parameters stay as they are.
    let grads = positions.flat_map(|position| (0..DIM).map(move |column| hash(position, column) as f32 * 1e-30));
    (rows, grads.collect())
}

/// The greatest of all ranks.
fn slowest(world: &SimpleCommunicator, time: Duration) -> Duration {
    let mut most = 0.0;
    world.all_reduce_into(&time.as_secs_f64(), &mut most, SystemOperation::max());
    Duration::from_secs_f64(most)
}

fn measure(job: &str) {
    let universe = mpi::initialize().expect("MPI starts");
    let world = universe.world();
    let (table, steps) = job.split_once(' ').expect("a table and a number");
    let steps = steps.parse().expect("a number");
    let opt = Adagrad::fbgemm(0.1);
    match table {
        "rows" => rows(&world, &opt, steps),
        "dense" => dense(&world, &opt, steps),
        "empty" => empty(&world, &opt, steps * 20),
        other => panic!("no table {other}"),
    }
}

fn rows(world: &SimpleCommunicator, opt: &Adagrad, steps: usize) {
    let (rank, ranks) = (world.rank() as usize, world.size() as usize);
    if ranks == 1 {
        alone(opt, steps);
    }
    let init = |row: usize, params: &mut [f32]| params.fill(row as f32);
    let mut table = ShardedTable::new(world, Shape::new(ROWS, DIM), 0.0, init).expect("valid");
    for (name, size) in [("16 Ki in all", BATCH), ("16 Ki a rank", BATCH * ranks)] {
        let part = size * rank / ranks..size * (rank + 1) / ranks;
        let batches: Vec<_> = (0..BATCHES).map(|index| batch(index, part.clone())).collect();
        // The step that took the slowest rank the least time.
        let (mut least, mut times) = (Duration::MAX, table.times());
        for step in 0..steps + BATCHES {
            let (rows, grads) = &batches[step % BATCHES];
            world.barrier();
            let start = Instant::now();
            table.step(opt, rows, grads).expect("valid");
            world.barrier();
            let time = slowest(world, start.elapsed());
            if step >= BATCHES && time < least {
                (least, times) = (time, table.times());
            }
        }
        if rank == 0 {
            let us = |time: Duration| time.as_secs_f64() * 1e6;
            let rate = size as f64 / us(least);
            let [prepare, exchange, step] = [times.prepare, times.exchange, times.step].map(us);
            let share = 100.0 * exchange / us(least);
            print!("| {name} | {ranks} | {rate:.2} | {:.0} ", us(least));
            println!("| {prepare:.0} | {exchange:.0} | {step:.0} | {share:.0} % |");
        }
    }
}

/// The same table without MPI.
fn alone(opt: &Adagrad, steps: usize) {
    let (mut params, mut accumulator) = (vec![1.0; ROWS * DIM], vec![0.0; ROWS * DIM]);
    let batches: Vec<_> = (0..BATCHES).map(|index| batch(index, 0..BATCH)).collect();
    let mut least = Duration::MAX;
    for step in 0..steps {
        let (rows, grads) = &batches[step % BATCHES];
        let mut table = Table::new(&mut params, &mut accumulator, DIM).expect("its shape fits");
        let start = Instant::now();
        opt.step_rows(&mut table, rows, grads).expect("valid");
        least = least.min(start.elapsed());
    }
    let us = least.as_secs_f64() * 1e6;
    println!("| 16 Ki, without MPI | 1 | {:.2} | {us:.0} | | | {us:.0} | |", BATCH as f64 / us);
}

fn dense(world: &SimpleCommunicator, opt: &Adagrad, steps: usize) {
    let mut dense = ShardedDense::new(world, PARTS, vec![1.0; DENSE], 0.0).expect("valid");
    let mut least = Duration::MAX;
    for _ in 0..steps {
        world.barrier();
        let start = Instant::now();
        dense.step(opt, |_, _, grads| grads.fill(1e-20)).expect("valid");
        least = least.min(slowest(world, start.elapsed()));
    }
    if world.rank() == 0 {
        let us = least.as_secs_f64() * 1e6;
        println!("| {DENSE} | {PARTS} | {} | {us:.0} |", world.size());
    }
}

/// A step without rows: what the calls of MPI cost by themselves.
fn empty(world: &SimpleCommunicator, opt: &Adagrad, steps: usize) {
    let mut table = ShardedTable::new(world, Shape::new(ROWS, 1), 0.0, |_, _| ()).expect("valid");
    let mut least = Duration::MAX;
    for _ in 0..steps {
        world.barrier();
        let start = Instant::now();
        table.step(opt, &[], &[]).expect("valid");
        least = least.min(slowest(world, start.elapsed()));
    }
    if world.rank() == 0 {
        println!("| 0 | {} | {:.1} |", world.size(), least.as_secs_f64() * 1e6);
    }
}
