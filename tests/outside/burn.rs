//! burn: <https://github.com/tracel-ai/burn>, `crates/burn-optim/src/optim/adagrad.rs`, its tests, 2c06be35 (0.22.0-pre.2).
//!
//! Its other test saves and loads the optimizer's state, which here is a slice of the caller's.

use adagrad::{Adagrad, Backend, Epsilon, Schedule};

use crate::assert_close;

const WEIGHT: [[f32; 6]; 6] = [
    [-0.3206, 0.1374, 0.4043, 0.3200, 0.0859, 0.0671],
    [0.0777, -0.0185, -0.3667, 0.2550, 0.1955, -0.2922],
    [-0.0190, 0.0346, -0.2962, 0.2484, -0.2780, 0.3130],
    [-0.2980, -0.2214, -0.3715, -0.2981, -0.0761, 0.1626],
    [0.3300, -0.2182, 0.3717, -0.1729, 0.3796, -0.0304],
    [-0.0159, -0.0120, 0.1258, 0.1921, 0.0293, 0.3833],
];
const BIAS: [f32; 6] = [-0.3905, 0.0884, -0.0970, 0.1176, 0.1366, 0.0130];

/// Two batches of two inputs.
const INPUTS: [[[f32; 6]; 2]; 2] = [
    [[0.6294, 0.0940, 0.8176, 0.8824, 0.5228, 0.4310], [0.7152, 0.9559, 0.7893, 0.5684, 0.5939, 0.8883]],
    [[0.8491, 0.2108, 0.8939, 0.4433, 0.5527, 0.2528], [0.3270, 0.0412, 0.5538, 0.9605, 0.3195, 0.9085]],
];

const WEIGHT_EXPECTED: [[f64; 6]; 6] = [
    [-0.334989, 0.123011, 0.389911, 0.305611, 0.071511, 0.052711],
    [0.066144, -0.030056, -0.378256, 0.243444, 0.183944, -0.303756],
    [-0.033462, 0.020138, -0.310662, 0.233938, -0.292462, 0.298538],
    [-0.312636, -0.236036, -0.386136, -0.312736, -0.090736, 0.147964],
    [0.315896, -0.232304, 0.357596, -0.187004, 0.365496, -0.044504],
    [-0.030305, -0.026405, 0.111395, 0.177695, 0.014895, 0.368895],
];
const BIAS_EXPECTED: [f64; 6] = [-0.405214, 0.073686, -0.111714, 0.102886, 0.121886, -0.001714];

/// Half a unit of the last digit that is given, and a unit of `f32` each for two steps.
const NARROW: f64 = 0.5e-6 + 2.0 / (1 << 24) as f64;

#[test]
fn test_adagrad_optimizer_with_numbers() {
    let rate = Schedule::inverse_time(0.01, 0.5);
    for backend in Backend::available() {
        let opt = Adagrad::pytorch(0.01).with_epsilon(Epsilon::OutsideSqrt(1e-8)).with_backend(backend);
        let (mut weight, mut weight_sums) = (WEIGHT, [[0.0; 6]; 6]);
        let (mut bias, mut bias_sums) = (BIAS, [0.0; 6]);
        for (step, batch) in (1..).zip(INPUTS) {
            let opt = opt.with_learning_rate(rate.at(step));
            // The loss is the sum of all outputs: a weight's gradient is the sum of its inputs, a bias' is 2.
            for (input, (weight, sums)) in weight.iter_mut().zip(&mut weight_sums).enumerate() {
                opt.step(weight, &[batch[0][input] + batch[1][input]; 6], sums).expect("valid");
            }
            opt.step(&mut bias, &[2.0; 6], &mut bias_sums).expect("valid");
        }
        let params = weight.as_flattened().iter().chain(&bias);
        for (w, wanted) in params.zip(WEIGHT_EXPECTED.as_flattened().iter().chain(&BIAS_EXPECTED)) {
            assert_close(*w, *wanted, 0.0, 1e-6);
            assert_close(*w, *wanted, 0.0, NARROW);
        }
    }
}
