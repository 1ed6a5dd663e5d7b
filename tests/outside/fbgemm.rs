//! FBGEMM's kernels for rows: <https://github.com/pytorch/FBGEMM>, `test/SparseAdagradTest.cc`, 71d6f8b2, which compares its
//! generated code with the formulas of `src/RefImplementations.cc`, element-wise and row-wise.
//!
//! Its loops go over all of: 64-bit indices or 32-bit ones; an index out of range or none; weight decay or none; a counter
//! that adjusts the decay or none; and three distances to prefetch, which no option here changes.
//!
//! FBGEMM adds `rate·g/d`; its callers pass a negative rate. It also does the rows before a bad index, and says how many these
//! were; here such a call is refused as a whole, and names the same position.
//!
//! What this crate does not have: the decay of FBGEMM, `fma(λ, w, g)` with two roundings elsewhere, as one option; and its
//! counters, which multiply λ by a factor for each row. A caller gets the bits of both by decaying the gradients of a row
//! before its step. With the option `WeightDecay::L2`, which rounds the product, results are near.

use adagrad::{Adagrad, Backend, Epsilon, Error, RowIndex, Table, WeightDecay};

use crate::inputs::Random;
use crate::{assert_bits, assert_close};

/// Rows, and columns.
const SHAPES: [(usize, usize); 15] = [
    (150, 1),
    (150, 4),
    (10, 8),
    (150, 16),
    (1, 8),
    (1, 16),
    (150, 24),
    (150, 32),
    (150, 40),
    (150, 64),
    (150, 80),
    (150, 128),
    (150, 384),
    (10, 385),
    (10, 769),
];

const RATE: f32 = 0.5;
const EPSILON: f32 = 1e-5;

/// Units of 2⁻²⁴, relatively, for each time that a row is stepped with L2 in place of FBGEMM's decay. `λ·w + g` has one rounding
/// there and two here, each of a unit at most: the gradients are 3 units apart. So squares are 6 apart, and 2 more by
/// their own roundings, and so are the sums: 10. The update is 3 for the gradient, 5 for the root of the sum, and 2 each for
/// the product, the root, its sum with ε and the quotient: 16.
const UNITS_A_STEP: f64 = 16.0;

/// One combination of the test's parameters.
#[derive(Clone, Copy)]
struct Case {
    shape: (usize, usize),
    row_wise: bool,
    out_of_bounds: bool,
    weight_decay: f32,
    adjusted: bool,
}

/// A uniform value from 0 to `limit`.
pub fn uniform(random: &mut Random, limit: f32) -> f32 {
    random.below(1 << 24) as f32 / (1 << 24) as f32 * limit
}

struct State {
    w: Vec<f32>,
    h: Vec<f32>,
    g: Vec<f32>,
    indices: Vec<usize>,
    /// How often a row was seen, or nothing.
    counters: Vec<f64>,
}

impl Case {
    fn state(&self) -> State {
        let (rows, dim) = self.shape;
        let mut random = Random((rows * 1000 + dim) as u64);
        let limit = if self.row_wise { 2.0 } else { 10.0 };
        let mut values = |n| (0..n).map(|_| uniform(&mut random, limit)).collect::<Vec<f32>>();
        let h = values(if self.row_wise { rows } else { rows * dim });
        let (w, g) = (values(rows * dim), values(rows * dim));
        let mut indices: Vec<usize> = (0..rows).map(|_| random.below(rows)).collect();
        if self.out_of_bounds {
            indices[random.below(rows)] = rows;
        }
        let counters = (0..rows).map(|_| if self.adjusted { random.below(2_000_000) as f64 } else { 0.0 }).collect();
        State { w, h, g, indices, counters }
    }

    /// The factor of λ for a row.
    fn decay(&self, counter: f64) -> f32 {
        let factor = if counter > 0.0 { 1e6 / counter } else { 1.0 };
        self.weight_decay * factor as f32
    }

    /// FBGEMM's formulas. The result is how many rows were done.
    fn reference(&self, State { w, h, g, indices, counters }: &mut State) -> usize {
        let (rows, dim) = self.shape;
        for (i, (&row, g)) in indices.iter().zip(g.chunks(dim)).enumerate() {
            if row >= rows {
                return i;
            }
            let decay = self.decay(counters[row]);
            let w = &mut w[row * dim..][..dim];
            let g: Vec<f32> = g.iter().zip(&*w).map(|(g, w)| decay.mul_add(*w, *g)).collect();
            if self.row_wise {
                let mut p = [0.0; 8];
                for (j, g) in g.iter().enumerate() {
                    p[j % 8] += g * g;
                }
                let sum = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
                h[row] += sum / dim as f32;
                let step = -RATE / (h[row].sqrt() + EPSILON);
                for (w, g) in w.iter_mut().zip(g) {
                    *w += g * step;
                }
            } else {
                for ((w, h), g) in w.iter_mut().zip(&mut h[row * dim..]).zip(g) {
                    *h += g * g;
                    *w += -RATE * g / (h.sqrt() + EPSILON);
                }
            }
        }
        indices.len()
    }

    fn table<'a>(&self, w: &'a mut [f32], h: &'a mut [f32]) -> Table<'a> {
        let new = if self.row_wise { Table::row_wise } else { Table::new };
        new(w, h, self.shape.1).expect("its shape fits")
    }

    fn check<I: RowIndex + TryFrom<usize>>(&self, backend: Backend) {
        let (rows, dim) = self.shape;
        let opt = Adagrad::fbgemm(RATE).with_epsilon(Epsilon::OutsideSqrt(EPSILON)).with_backend(backend);
        let mut wanted = self.state();
        let done = self.reference(&mut wanted);
        let State { mut w, mut h, g, indices, counters } = self.state();
        let indices: Vec<I> = indices.iter().map(|&row| I::try_from(row).ok().expect("it fits")).collect();
        if self.out_of_bounds {
            let (w_before, h_before) = (w.clone(), h.clone());
            let refused = opt.step_rows(&mut self.table(&mut w, &mut h), &indices, &g);
            assert_eq!(refused, Err(Error::Row { position: done, row: rows as i128, rows }));
            assert_bits(&w, &w_before);
            assert_bits(&h, &h_before);
        } else {
            assert_eq!(done, indices.len());
        }
        if self.weight_decay == 0.0 {
            opt.step_rows(&mut self.table(&mut w, &mut h), &indices[..done], &g[..done * dim]).expect("valid");
        } else {
            for ((row, index), g) in wanted.indices.iter().zip(&indices).zip(g.chunks(dim)).take(done) {
                let decay = self.decay(counters[*row]);
                let g: Vec<f32> = g.iter().zip(&w[row * dim..]).map(|(g, w)| decay.mul_add(*w, *g)).collect();
                opt.step_rows(&mut self.table(&mut w, &mut h), core::slice::from_ref(index), &g).expect("valid");
            }
        }
        // Their tolerance is 10⁻⁶, or 10⁻³ for the accumulators of rows, either way; ours is none.
        assert_bits(&h, &wanted.h);
        assert_bits(&w, &wanted.w);
        if self.weight_decay > 0.0 && !self.adjusted {
            self.check_l2(opt.with_weight_decay(WeightDecay::L2(self.weight_decay)), &indices[..done], &wanted);
        }
    }

    fn check_l2<I: RowIndex>(&self, opt: Adagrad, indices: &[I], wanted: &State) {
        let dim = self.shape.1;
        let State { mut w, mut h, g, .. } = self.state();
        opt.step_rows(&mut self.table(&mut w, &mut h), indices, &g[..indices.len() * dim]).expect("valid");
        let mut times = vec![0.0; self.shape.0];
        for row in &wanted.indices[..indices.len()] {
            times[*row] += 1.0;
        }
        let columns = if self.row_wise { 1 } else { dim };
        for (i, (h, wanted)) in h.iter().zip(&wanted.h).enumerate() {
            let narrow = UNITS_A_STEP * times[i / columns] / f64::from(1 << 24);
            assert_close(*h, f64::from(*wanted), narrow, 0.0);
            assert!(narrow < 1e-5, "a narrow tolerance: {narrow}");
        }
        for (i, (w, wanted)) in w.iter().zip(&wanted.w).enumerate() {
            // Relative to the parameter before or after, and the update, which is at most the rate: at most 10.5 in all.
            let narrow = UNITS_A_STEP * times[i / dim] * f64::from(wanted.abs() + RATE) / f64::from(1 << 24);
            assert_close(*w, f64::from(*wanted), 0.0, narrow);
        }
    }
}

fn check_all(row_wise: bool) {
    for shape in SHAPES {
        for out_of_bounds in [false, true] {
            for (weight_decay, adjusted) in [(0.0, false), (0.0, true), (0.1, false), (0.1, true)] {
                let case = Case { shape, row_wise, out_of_bounds, weight_decay, adjusted };
                for backend in Backend::available() {
                    case.check::<i64>(backend);
                    case.check::<i32>(backend);
                }
            }
        }
    }
}

/// `basicTest_two_stages`.
#[test]
fn sparse_adagrad() {
    check_all(false);
}

/// `rowwiseTest_two_stages`.
#[test]
fn row_wise_sparse_adagrad() {
    check_all(true);
}
