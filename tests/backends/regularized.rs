//! The steps with L1 and L2: bits of every backend, dense and by rows.

use adagrad::{Ftrl, Proximal};

use crate::backends;
use crate::inputs::{LENGTHS, Random, State};
use crate::reference::assert_same;
use crate::regularized_reference::{Rates, ftrl, proximal};

/// L1 and L2 off and on, and hyper-parameters at which products and quotients overflow or are denormal.
const RATES: [Rates; 7] = [
    Rates(0.1, 0.0, 0.0),
    Rates(0.1, 0.5, 0.0),
    Rates(0.5, 0.0, 0.1),
    Rates(1.0, 0.01, 2.0),
    Rates(1e-30, 1e30, f32::MAX),
    Rates(f32::MAX, f32::MAX, 1e-45),
    Rates(1e-45, 1e-45, 0.0),
];

#[test]
fn dense() {
    for &backend in backends() {
        for rates in RATES {
            for length in LENGTHS {
                for value in [Random::any, Random::ordinary, Random::sprinkled] {
                    let State { params, grads, accumulator } = State::new(length, 3, value);
                    let linear = State::new(length, 4, value).params;
                    let context = format!("{backend}: {length}, {rates:?}");

                    let mut expected = [params.clone(), accumulator.clone(), linear.clone()];
                    let mut actual = expected.clone();
                    let Rates(rate, l1, l2) = rates;
                    {
                        let [w, a, z] = &mut expected;
                        for i in 0..length {
                            ftrl(rates, grads[i], &mut w[i], &mut a[i], &mut z[i]);
                        }
                    }
                    let [w, a, z] = &mut actual;
                    let step = Ftrl::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                    step.step(w, &grads, a, z).expect("valid");
                    for (actual, expected) in actual.iter().zip(&expected) {
                        assert_same(actual, expected, &context);
                    }

                    let (mut w, mut a) = (params.clone(), accumulator.clone());
                    for i in 0..length {
                        proximal(rates, grads[i], &mut w[i], &mut a[i]);
                    }
                    let (mut params, mut accumulator) = (params, accumulator);
                    let step = Proximal::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                    step.step(&mut params, &grads, &mut accumulator).expect("valid");
                    assert_same(&params, &w, &context);
                    assert_same(&accumulator, &a, &context);
                }
            }
        }
    }
}

/// Rows get the dense step each, duplicates one after the other. Of the others some fill a block together.
#[test]
fn rows() {
    const ROWS: usize = 23;
    let rows: Vec<i64> = [3, 0, 3, 4].into_iter().chain((0..20).map(|k| k * 7 % 23)).chain([5, 5, 6]).collect();
    for &backend in backends() {
        for Rates(rate, l1, l2) in RATES {
            for dim in (1..=40).chain([64, 129]) {
                let State { params: w, accumulator: a, .. } = State::new(ROWS * dim, 5, Random::sprinkled);
                let State { params: z, .. } = State::new(ROWS * dim, 6, Random::sprinkled);
                let grads = &State::new(rows.len() * dim, 7, Random::sprinkled).grads;
                let context = format!("{backend}: {dim} columns");
                let ftrl = Ftrl::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                let proximal = Proximal::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);

                let mut expected = [w.clone(), a.clone(), z.clone(), w.clone(), a.clone()];
                let mut actual = expected.clone();
                let [w, a, z, proximal_w, proximal_a] = &mut expected;
                for (row, g) in rows.iter().zip(grads.chunks(dim)) {
                    let row = *row as usize * dim..(*row as usize + 1) * dim;
                    ftrl.step(&mut w[row.clone()], g, &mut a[row.clone()], &mut z[row.clone()]).expect("valid");
                    proximal.step(&mut proximal_w[row.clone()], g, &mut proximal_a[row]).expect("valid");
                }
                let [w, a, z, proximal_w, proximal_a] = &mut actual;
                ftrl.step_rows(w, a, z, dim, &rows, grads).expect("valid");
                proximal.step_rows(proximal_w, proximal_a, dim, &rows, grads).expect("valid");
                for (actual, expected) in actual.iter().zip(&expected) {
                    assert_same(actual, expected, &context);
                }
            }
        }
    }
}
