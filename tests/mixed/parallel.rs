//! Steps on several threads have the bits of those on one, by chance, too. How steps are divided is tested in
//! `tests/parallel`, which has the same code.

use adagrad::{Adagrad, Backend, Bags, Counter, Error, MixedTable, NonFinite, Rounding};
use half::{bf16, f16};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::inputs::{Random, State, bags};
use crate::{assert_same_values, stored};

const ROUNDINGS: [Rounding; 3] = [
    Rounding::Nearest,
    Rounding::Stochastic(Counter::new(1, 2).with_first(u64::MAX - 1000).with_position(1 << 40)),
    Rounding::Stochastic(Counter::new(1, 2).with_first((1 << 32) - 300_000).without_positions()),
];

fn pools() -> Vec<ThreadPool> {
    [1, 2, 3, 7].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads")).into()
}

fn opt() -> Adagrad {
    Adagrad::pytorch(0.1).with_non_finite(NonFinite::Skip)
}

struct Values {
    params: Vec<bf16>,
    grads: Vec<f16>,
    accumulator: Vec<f32>,
}

fn values(len: usize, gradients: usize, accumulators: usize) -> Values {
    let state = State::new(len, 1, Random::sprinkled);
    let grads = State::new(gradients, 2, Random::sprinkled).grads;
    let accumulator = state.accumulator[..accumulators].to_vec();
    Values { params: stored(&state.params), grads: stored(&grads), accumulator }
}

#[test]
fn dense() {
    for len in [0, 17, 1 << 19, (1 << 20) + 12_345] {
        let Values { params, grads, accumulator } = values(len, len, len);
        for rounding in ROUNDINGS {
            let (mut expected_w, mut expected_a) = (params.clone(), accumulator.clone());
            let report = opt().step_mixed(&mut expected_w, &grads, &mut expected_a, rounding);
            for pool in pools() {
                let (mut w, mut a) = (params.clone(), accumulator.clone());
                let result = pool.install(|| opt().par_step_mixed(&mut w, &grads, &mut a, rounding));
                let context = format!("{} threads, {len} elements, {rounding:?}", pool.current_num_threads());
                assert_eq!(result, report, "{context}");
                assert_same_values(&w, &expected_w, &context);
                assert_same_values(&a, &expected_a, &context);
            }
        }
    }
}

#[test]
fn rows_and_bags() {
    const TABLE_ROWS: usize = 500;
    for (dim, count, row_wise) in [(24, 10, false), (24, 9000, false), (100, 3000, true)] {
        let accumulators = if row_wise { TABLE_ROWS } else { TABLE_ROWS * dim };
        let Values { params, grads, accumulator } = values(TABLE_ROWS * dim, count * dim, accumulators);
        for bags in bags(count, TABLE_ROWS, 3) {
            let of_bags = &grads[..(bags.offsets.len() - 1) * dim];
            for (number, rounding) in ROUNDINGS.into_iter().enumerate() {
                let step = |pool: Option<&ThreadPool>, room: usize| {
                    let (mut w, mut a, mut scratch) = (params.clone(), accumulator.clone(), vec![f32::NAN; room]);
                    let new = if row_wise { MixedTable::row_wise } else { MixedTable::new };
                    let mut table = new(&mut w, &mut a, dim).expect("its shape fits");
                    let view = bags.view();
                    let reports = match pool {
                        None => [
                            opt().step_mixed_rows(&mut table, &bags.rows, &grads, rounding),
                            opt().step_mixed_bags(&mut table, &view, of_bags, &mut scratch, rounding),
                        ],
                        Some(pool) => pool.install(|| {
                            [
                                opt().par_step_mixed_rows(&mut table, &bags.rows, &grads, rounding),
                                opt().par_step_mixed_bags(&mut table, &view, of_bags, &mut scratch, rounding),
                            ]
                        }),
                    };
                    (reports, w, a)
                };
                let (reports, expected_w, expected_a) = step(None, dim);
                for pool in pools() {
                    let room = [1, 2, 9][number] * dim + 3;
                    let context =
                        format!("{} threads, {dim} columns, {rounding:?}, {room}", pool.current_num_threads());
                    let (result, w, a) = step(Some(&pool), room);
                    assert_eq!(result, reports, "{context}");
                    assert_same_values(&w, &expected_w, &context);
                    assert_same_values(&a, &expected_a, &context);
                }
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let (len, dim) = (1 << 20, 64);
    let (mut w, mut a) = (vec![bf16::ONE; len], vec![1.0_f32; len]);
    let (grads, rows) = (vec![f16::ONE; len], vec![1_u32; len / dim]);
    let nearest = Rounding::Nearest;
    let absent = Backend::ALL.iter().copied().find(|backend| !backend.is_available());
    let error = opt().par_step_mixed(&mut w, &grads[1..], &mut a, nearest);
    assert_eq!(error, Err(Error::Length { what: "grads", expected: len, actual: len - 1 }));
    let error = absent.map(|backend| opt().with_backend(backend).par_step_mixed(&mut w, &grads, &mut a, nearest));
    assert_eq!(error, absent.map(|backend| Err(Error::Unavailable { backend })));
    let mut table = MixedTable::new(&mut w, &mut a, dim).expect("its shape fits");
    let error = opt().par_step_mixed_rows(&mut table, &rows, &grads[1..], nearest);
    assert_eq!(error, Err(Error::Length { what: "grads", expected: len, actual: len - 1 }));
    let error = opt().par_step_mixed_rows(&mut table, &[&rows[1..], &[len as u32]].concat(), &grads, nearest);
    let row = Error::Row { position: len / dim - 1, row: len as i128, rows: len / dim };
    assert_eq!(error, Err(row));
    let offsets = [0, rows.len() as u32];
    let bags = Bags::new(&offsets, &rows).expect("in order");
    let error = opt().par_step_mixed_bags(&mut table, &bags, &grads[..dim], &mut [0.0; 63], nearest);
    assert_eq!(error, Err(Error::TooShort { what: "scratch", minimum: dim, actual: 63 }));
    if let Some(backend) = absent {
        let opt = opt().with_backend(backend);
        let error = opt.par_step_mixed_rows(&mut table, &rows, &grads, nearest);
        assert_eq!(error, Err(Error::Unavailable { backend }));
        let error = opt.par_step_mixed_bags(&mut table, &bags, &grads[..dim], &mut [0.0; 64], nearest);
        assert_eq!(error, Err(Error::Unavailable { backend }));
    }
    assert!(w.iter().all(|w| *w == bf16::ONE) && a.iter().all(|a| *a == 1.0));
}
