//! The step for bags of rows.

use adagrad::{Adagrad, Backend, Bags, Counter, Error, MixedTable, NonFinite, Rounding};
use half::{bf16, f16};

use crate::backends;
use crate::inputs::{Random, State, bags, options, plain_options};
use crate::reference::Options;
use crate::reference::mixed::{Stored, words};
use crate::{assert_same_values, stored};

const TABLE_ROWS: usize = 7;

/// Steps the rows of bags on every backend, each way to pool and to round, and with the reference, which copies gradients.
#[track_caller]
fn check<P: Stored, G: Stored, A: Stored>(options: Options, dim: usize, count: usize, value: fn(&mut Random) -> f32) {
    for (number, bags) in bags(count, TABLE_ROWS, dim as u64).into_iter().enumerate() {
        let row_wise = (number + dim).is_multiple_of(2);
        let mut random = Random(dim as u64);
        let grads: Vec<f32> = (0..(bags.offsets.len() - 1) * dim).map(|_| value(&mut random)).collect();
        let grads: Vec<G> = stored(&grads);
        let copies = bags.expanded(&grads.iter().map(|g| g.value()).collect::<Vec<_>>(), dim);
        let state = State::new(TABLE_ROWS * dim, 1, value);
        let params: Vec<P> = stored(&state.params);
        let accumulator: Vec<A> = stored(&state.accumulator[..if row_wise { TABLE_ROWS } else { TABLE_ROWS * dim }]);
        for rounding in [Rounding::Nearest, Rounding::Stochastic(Counter::new(5, 6).with_first(1000).with_position(90))]
        {
            let (mut expected_w, mut expected_a, mut skipped) = (params.clone(), accumulator.clone(), 0);
            for (position, row) in bags.rows.iter().enumerate() {
                let words = |column| match rounding {
                    Rounding::Stochastic(_) => words([5, 6], [1000 + *row as u64, 90 + position as u64, column]),
                    _ => None,
                };
                let (w, g) = (&mut expected_w[row * dim..][..dim], &copies[position * dim..][..dim]);
                skipped += if row_wise {
                    usize::from(options.step_mixed_row(w, g, &mut expected_a[*row], words))
                } else {
                    options.step_mixed(w, g, &mut expected_a[row * dim..][..dim], words)
                };
            }
            for &backend in backends() {
                let (mut w, mut a, mut scratch) = (params.clone(), accumulator.clone(), vec![f32::NAN; dim]);
                let new = if row_wise { MixedTable::row_wise } else { MixedTable::new };
                let mut table = new(&mut w, &mut a, dim).expect("a table");
                let opt = options.on(backend);
                let report = opt.step_mixed_bags(&mut table, &bags.view(), &grads, &mut scratch, rounding);
                let types = [P::NAME, G::NAME, A::NAME];
                let context = format!("{types:?}, {dim} columns, row-wise {row_wise}, {rounding:?}, {bags:?}, {opt:?}");
                assert_eq!(report.map(|report| report.skipped), Ok(skipped), "{context}");
                assert_same_values(&w, &expected_w, &context);
                assert_same_values(&a, &expected_a, &context);
            }
        }
    }
}

fn check_types(options: Options, dim: usize, count: usize, value: fn(&mut Random) -> f32) {
    check::<bf16, f16, f32>(options, dim, count, value);
    check::<f16, bf16, bf16>(options, dim, count, value);
}

#[test]
fn over_columns() {
    for dim in (1..=20).chain([31, 32, 33, 64, 65, 128, 200]) {
        check_types(plain_options()[dim % 4], dim, 30, Random::ordinary);
        check_types(Options { non_finite: NonFinite::Skip, ..plain_options()[3] }, dim, 20, Random::sprinkled);
    }
}

#[test]
fn over_options() {
    for (number, options) in options().into_iter().enumerate() {
        check_types(options, [3, 8, 19, 64, 5][number % 5], 12, [Random::any, Random::any_exponent][number / 5 % 2]);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let opt = Adagrad::new(0.5);
    let (mut w, mut a) = ([bf16::ONE; 4], [f16::ONE; 4]);
    let mut table = MixedTable::new(&mut w, &mut a, 2).expect("a table");
    let step = |opt: Adagrad, table: &mut MixedTable<'_, _, _>, rows: [i32; 2], grads: usize, room: usize| {
        let bags = Bags::new(&[0, 2], &rows).expect("in order");
        opt.step_mixed_bags(table, &bags, &vec![1.0_f32; grads], &mut vec![0.0; room], Rounding::Nearest)
    };
    let length = Error::Length { what: "grads", expected: 2, actual: 3 };
    assert_eq!(step(opt, &mut table, [0, 1], 3, 2), Err(length));
    assert_eq!(step(opt, &mut table, [0, 2], 2, 2), Err(Error::Row { position: 1, row: 2, rows: 2 }));
    assert_eq!(step(opt, &mut table, [-1, 0], 2, 2), Err(Error::Row { position: 0, row: -1, rows: 2 }));
    let short = Error::TooShort { what: "scratch", minimum: 2, actual: 1 };
    assert_eq!(step(opt, &mut table, [0, 1], 2, 1), Err(short));
    let bad = step(Adagrad::new(f32::NAN), &mut table, [0, 1], 2, 2);
    assert!(matches!(bad, Err(Error::Hyperparameter { what: "learning_rate", .. })));
    for &backend in Backend::ALL.iter().filter(|backend| !backend.is_available()) {
        let absent = step(opt.with_backend(backend), &mut table, [0, 1], 2, 2);
        assert_eq!(absent, Err(Error::Unavailable { backend }));
    }
    let mut table = table.with_out_of_range_skipped(true).with_padding_row(1);
    let report = step(opt, &mut table, [7, 1], 2, 2).expect("valid");
    assert_eq!(report.out_of_range, 1);
    assert_eq!((w, a), ([bf16::ONE; 4], [f16::ONE; 4]));
}
