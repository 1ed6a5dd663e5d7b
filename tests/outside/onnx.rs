//! ONNX: both node tests of `ai.onnx.preview.training.Adagrad`, <https://github.com/onnx/onnx>,
//! `onnx/backend/test/case/node/adagrad.py`, 1.23.2. Its runner compares by `rtol=1e-3, atol=1e-7`.

use adagrad::{Adagrad, Backend, Epsilon, Schedule, WeightDecay};

use crate::assert_close;

/// A tensor of a node test.
struct Node {
    x: &'static [f32],
    g: &'static [f32],
    h: &'static [f32],
    /// The bits of what the generator of the tests wrote.
    x_new: &'static [u32],
    h_new: &'static [u32],
}

/// `test_adagrad`.
const SINGLE: [Node; 1] = [Node { x: &[1.0], g: &[-1.0], h: &[2.0], x_new: &[0x3F87_6297], h_new: &[0x403F_DF40] }];

/// `test_adagrad_multiple`, whose first tensor here is the second there: the first there has the values of [`SINGLE`].
const MULTIPLE: [Node; 1] = [Node {
    x: &[1.0, 2.0],
    g: &[-1.0, -3.0],
    h: &[4.0, 1.0],
    x_new: &[0x3F85_B840, 0x4006_1237],
    h_new: &[0x409F_EFA0, 0x411F_CEDD],
}];

/// Units in the last place of the new parameter. ONNX computes the last line in `f64` and rounds once; here the product, the
/// root, the sum, the quotient and the difference are each rounded: half a unit of the parameter for the difference, and
/// less than one for the rest, since the update is a twelfth of the parameter.
const ULPS: u32 = 1;

fn check(nodes: &[Node]) {
    // `T` is 0 for the first step, which has the number 1 here.
    let rate = Schedule::inverse_time(f64::from(0.1_f32), 0.1).at(1);
    for backend in Backend::available() {
        let opt = Adagrad::new(rate)
            .with_epsilon(Epsilon::OutsideSqrt(1e-5))
            .with_weight_decay(WeightDecay::L2(0.001))
            .with_backend(backend);
        for Node { x, g, h, x_new, h_new } in nodes {
            let (mut params, mut accumulator) = (x.to_vec(), h.to_vec());
            opt.step(&mut params, g, &mut accumulator).expect("valid");
            for (((w, sum), x_new), h_new) in params.iter().zip(&accumulator).zip(*x_new).zip(*h_new) {
                assert_close(*w, f64::from(f32::from_bits(*x_new)), 1e-3, 1e-7);
                assert_close(*sum, f64::from(f32::from_bits(*h_new)), 1e-3, 1e-7);
                assert_eq!(sum.to_bits(), *h_new, "accumulator");
                assert!(w.to_bits().abs_diff(*x_new) <= ULPS, "{w:e}");
            }
        }
    }
}

#[test]
fn test_adagrad() {
    check(&SINGLE);
}

#[test]
fn test_adagrad_multiple() {
    check(&SINGLE);
    check(&MULTIPLE);
}
