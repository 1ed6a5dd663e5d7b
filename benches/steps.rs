//! Every backend's step beside two reference loops over the same memory.
//!
//! `src/` has these loops and says what the values are. `throughput` is for looking at; this is for comparing one commit
//! with another:
//!
//! ```sh
//! cargo bench -p adagrad-benches --bench steps -- --save-baseline before
//! cargo bench -p adagrad-benches --bench steps -- --baseline before
//! ```

use core::hint::black_box;
use core::time::Duration;

use adagrad::{
    Accumulation, Adagrad, Arithmetic, Backend, Epsilon, NonFinite, Table, WeightDecay, all_finite, sum_of_squares,
};
use adagrad_benches::limit::{self, Ahead, Streams};
use adagrad_benches::loops::{Loop, each_row, naive, naive_inside, naive_l2, naive_row_wise, whole};
use adagrad_benches::memory::{Random, apart};
use adagrad_benches::{DECAY, EPSILON, LEARNING_RATE, OPT};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Elements of a dense step. An element takes 12 bytes: parameter, gradient and accumulator.
const DENSE: [(&str, usize); 4] = [
    ("L1", 1 << 11),   // 24 KiB
    ("L2", 1 << 15),   // 384 KiB
    ("L3", 1 << 20),   // 12 MiB
    ("DRAM", 1 << 23), // 96 MiB
];

/// Parameters of a table. One of them takes 4 bytes, and 4 more if it has its own accumulator.
const TABLES: [(&str, usize); 2] = [
    ("L2", 1 << 15),   // 128 or 256 KiB, and the gradients' 128 KiB
    ("DRAM", 1 << 25), // 128 or 256 MiB
];

/// Columns of a table.
const DIMS: [usize; 3] = [16, 64, 128];

/// Gradient values of one call on a table.
const BATCH: usize = 1 << 15;

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(1500))
        .without_plots();
    targets = dense, calls, rows, row_wise, options, passes
}
criterion_main!(benches);

fn dense(c: &mut Criterion) {
    let mut group = c.benchmark_group("dense");
    for (place, len) in DENSE {
        let mut memory = apart(len);
        // The fastest of the loops of the limit is in `throughput`; here one of each way is enough.
        let loops = limit::loops(len);
        let limit = |streams| loops.iter().rfind(|(of, _)| *of == streams).map(|(_, run)| *run);
        group.throughput(Throughput::Elements(len as u64));
        compare(
            &mut group,
            place,
            &mut memory,
            |opt, (w, g, a)| {
                opt.step(&mut w[..len], &g[..len], &mut a[..len]).expect("the lengths are the same");
            },
            |(w, g, a)| whole(&mut w[..len], &g[..len], &mut a[..len], naive),
            |(w, g, a)| {
                let run = limit(Streams::Several).or(limit(Streams::One)).expect("one is always there");
                run(&mut w[..len], &g[..len], &mut a[..len]);
            },
        );
    }
}

/// Calls of few elements on the same memory, a learning rate for each call included.
fn calls(c: &mut Criterion) {
    let mut group = c.benchmark_group("calls");
    for len in [1, 4, 8, 16, 17, 64] {
        let mut random = Random(5);
        let (mut w, g, mut a) = (random.numbers(len), random.gradients(len), random.numbers(len));
        group.bench_function(BenchmarkId::new("step", len), |b| {
            b.iter(|| {
                let opt = black_box(&OPT);
                opt.step(black_box(&mut w), black_box(&g), black_box(&mut a)).expect("the lengths are the same");
            });
        });
        group.bench_function(BenchmarkId::new("step_with_rate", len), |b| {
            b.iter(|| {
                let opt = black_box(&OPT).with_learning_rate(black_box(LEARNING_RATE));
                opt.step(black_box(&mut w), black_box(&g), black_box(&mut a)).expect("the lengths are the same");
            });
        });
        group.bench_function(BenchmarkId::new("naive", len), |b| {
            b.iter(|| whole(black_box(&mut w), black_box(&g), black_box(&mut a), naive));
        });
    }
}

/// Tables with one accumulator per element.
fn rows(c: &mut Criterion) {
    tables(c, "rows", false, naive);
}

/// Tables with one accumulator per row.
fn row_wise(c: &mut Criterion) {
    tables(c, "row_wise", true, naive_row_wise);
}

/// Each call takes the next [`BATCH`] of random rows, so that those of a table in DRAM are out of the caches when they
/// come again.
fn tables(c: &mut Criterion, name: &str, row_wise: bool, naive: impl Loop) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(BATCH as u64));
    for (place, len) in TABLES {
        // What is fastest there.
        let ahead = if place == "DRAM" { Ahead::Lines } else { Ahead::Nothing };
        let loops = limit::loops_over_rows(row_wise);
        let (_, traffic) = loops.into_iter().rfind(|(of, _)| *of == ahead).expect("there is one of each");
        let mut random = Random(2);
        let (mut w, g, mut a) = (random.numbers(len), random.gradients(BATCH), random.numbers(len));
        for dim in DIMS {
            let rows = random.rows(len / dim, len / dim);
            let batches = rows.chunks_exact(BATCH / dim).cycle();
            let a = if row_wise { &mut a[..len / dim] } else { &mut a[..] };
            compare(
                &mut group,
                &format!("{place}/{dim}"),
                &mut (&mut w[..], a, batches),
                |opt, (w, a, batches)| {
                    let table = if row_wise { Table::row_wise(w, a, dim) } else { Table::new(w, a, dim) };
                    let rows = batches.next().expect("it cycles");
                    opt.step_rows(&mut table.expect("the shapes fit"), rows, &g).expect("each row is in it");
                },
                |(w, a, batches)| each_row(w, a, dim, batches.next().expect("it cycles"), &g, naive),
                |(w, a, batches)| traffic(w, a, dim, batches.next().expect("it cycles"), &g),
            );
        }
    }
}

/// Each option of the dense step beside the plain step, on the detected backend: an option that is off costs nothing, and
/// one that is on a little arithmetic beside the square root and the division.
fn options(c: &mut Criterion) {
    let mut group = c.benchmark_group("options");
    let (place, len) = DENSE[1];
    let mut random = Random(3);
    let (mut w, g, mut a) = (random.numbers(len), random.gradients(len), random.numbers(len));
    group.throughput(Throughput::Elements(len as u64));
    for (name, opt) in [
        ("plain", OPT),
        ("epsilon_inside", OPT.with_epsilon(Epsilon::InsideSqrt(EPSILON))),
        ("scale", OPT.with_gradient_scale(0.5)),
        ("clip_value", OPT.with_clip_value(1e-4)),
        ("l2", OPT.with_weight_decay(WeightDecay::L2(DECAY))),
        ("decoupled", OPT.with_weight_decay(WeightDecay::Decoupled(DECAY))),
        ("fused", OPT.with_arithmetic(Arithmetic::Fused)),
        // What is forgotten would wear G down to denormals, were ρ not next to 1.
        ("leaky", OPT.with_accumulation(Accumulation::Leaky(1.0 - f32::EPSILON / 2.0))),
        ("skip", OPT.with_non_finite(NonFinite::Skip)),
    ] {
        group.bench_function(BenchmarkId::new(name, place), |b| {
            b.iter(|| {
                let opt = black_box(&opt);
                opt.step(black_box(&mut w), black_box(&g), black_box(&mut a)).expect("the lengths are the same");
            });
        });
    }
    let mut beside = |name: &str, run: limit::Run| {
        group.bench_function(BenchmarkId::new(name, place), |b| {
            b.iter(|| run(black_box(&mut w), black_box(&g), black_box(&mut a)));
        });
    };
    beside("naive", |w, g, a| whole(w, g, a, naive));
    beside("naive_epsilon_inside", |w, g, a| whole(w, g, a, naive_inside));
    beside("naive_l2", |w, g, a| whole(w, g, a, naive_l2));
}

/// Other passes over memory: clearing gradients in the step or after it, finiteness, sums of squares and effective
/// rates, beside the plain step and a loop that only reads.
fn passes(c: &mut Criterion) {
    let mut group = c.benchmark_group("passes");
    for (place, len) in &DENSE[1..] {
        let mut random = Random(4);
        let (mut w, mut g, mut a) = (random.numbers(*len), random.gradients(*len), random.numbers(*len));
        group.throughput(Throughput::Elements(*len as u64));
        let mut measure = |name: &str, run: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(name, place), |b| b.iter(&mut *run));
        };
        measure("step", &mut || {
            OPT.step(black_box(&mut w), black_box(&g), black_box(&mut a)).expect("the lengths are the same");
        });
        measure("step_then_fill", &mut || {
            OPT.step(black_box(&mut w), black_box(&g), black_box(&mut a)).expect("the lengths are the same");
            black_box(&mut g).fill(0.0);
        });
        measure("step_and_zero", &mut || {
            OPT.step_and_zero(black_box(&mut w), black_box(&mut g), black_box(&mut a)).expect("as long");
        });
        measure("effective_rates", &mut || OPT.effective_rates(black_box(&a), black_box(&mut g)).expect("as long"));
        measure("all_finite", &mut || {
            black_box(all_finite(black_box(&a)));
        });
        measure("sum_of_squares", &mut || {
            black_box(sum_of_squares(black_box(&a)));
        });
        measure("read_only", &mut || {
            black_box(black_box(&a).iter().fold(0, |bits, x| bits | x.to_bits()));
        });
    }
}

/// Measures the step on each backend and the two reference loops, one after the other over the same memory.
fn compare<M>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    place: &str,
    memory: &mut M,
    step: impl Fn(&Adagrad, &mut M),
    naive: impl Fn(&mut M),
    traffic: impl Fn(&mut M),
) {
    let mut measure = |name: &str, run: &dyn Fn(&mut M)| {
        group.bench_function(BenchmarkId::new(name, place), |b| b.iter(|| run(black_box(&mut *memory))));
    };
    for backend in Backend::available() {
        let opt = OPT.with_backend(backend);
        measure(&backend.to_string(), &|memory| step(black_box(&opt), memory));
    }
    measure("naive", &naive);
    measure("traffic", &traffic);
}
