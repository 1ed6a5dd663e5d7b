//! The trace with which Adagrad is commonly taught, to the precision that is printed there.
//!
//! Two parameters start at 0 and see the gradients below with η = 0.1 and ε = 1e-8: the first parameter's feature is
//! frequent, the second one's rare.

use adagrad::{Adagrad, Epsilon};

const GRADS: [[f32; 2]; 5] = [[0.5, 0.0], [0.4, 0.3], [0.3, 0.0], [0.5, 0.2], [0.4, 0.0]];

/// A step's state as it is printed: G, η/d and w, each for both parameters.
type Printed = ([&'static str; 2], [&'static str; 2], [&'static str; 2]);

fn assert_trace(epsilon: Epsilon, expected: [Printed; 5]) {
    let opt = Adagrad::new(0.1).with_epsilon(epsilon);
    let (mut params, mut accumulator, mut effective) = ([0.0_f32; 2], [0.0_f32; 2], [0.0_f32; 2]);
    for (step, (grads, (g, rates, weights))) in GRADS.iter().zip(expected).enumerate() {
        opt.step(&mut params, grads, &mut accumulator).expect("valid");
        opt.effective_rates(&accumulator, &mut effective).expect("valid");
        for i in 0..2 {
            assert_eq!(format!("{:.2}", accumulator[i]), g[i], "G{} after step {}", i + 1, step + 1);
            let rate = effective[i];
            let rate = if rate < 1.0 { format!("{rate:.4}") } else { format!("{rate:.0}") };
            assert_eq!(rate, rates[i], "rate {} after step {}", i + 1, step + 1);
            assert_eq!(format!("{:.5}", params[i]), weights[i], "w{} after step {}", i + 1, step + 1);
        }
    }
}

// Common teaching material prints w₁ = −0.3045 after step 5. It is −0.30456, which rounds to −0.3046.
#[test]
fn epsilon_inside() {
    assert_trace(
        Epsilon::InsideSqrt(1e-8),
        [
            // At G = 0 the rate is 0.1/√1e-8 = 1000; the 3162.3 that is printed in places is wrong.
            (["0.25", "0.00"], ["0.2000", "1000"], ["-0.10000", "0.00000"]),
            (["0.41", "0.09"], ["0.1562", "0.3333"], ["-0.16247", "-0.10000"]),
            (["0.50", "0.09"], ["0.1414", "0.3333"], ["-0.20490", "-0.10000"]),
            (["0.75", "0.13"], ["0.1155", "0.2774"], ["-0.26263", "-0.15547"]),
            (["0.91", "0.13"], ["0.1048", "0.2774"], ["-0.30456", "-0.15547"]),
        ],
    );
}

#[test]
fn epsilon_outside() {
    assert_trace(
        Epsilon::OutsideSqrt(1e-8),
        [
            (["0.25", "0.00"], ["0.2000", "10000000"], ["-0.10000", "0.00000"]),
            (["0.41", "0.09"], ["0.1562", "0.3333"], ["-0.16247", "-0.10000"]),
            (["0.50", "0.09"], ["0.1414", "0.3333"], ["-0.20490", "-0.10000"]),
            (["0.75", "0.13"], ["0.1155", "0.2774"], ["-0.26263", "-0.15547"]),
            (["0.91", "0.13"], ["0.1048", "0.2774"], ["-0.30456", "-0.15547"]),
        ],
    );
}

/// A constant gradient of 0.5: the rate falls as 1/√t.
#[test]
fn the_rate_decays() {
    let opt = Adagrad::new(0.1).with_epsilon(Epsilon::InsideSqrt(1e-8));
    let (mut params, mut accumulator, mut rates) = ([0.0], [0.0], [0.0]);
    for step in 1..=1000 {
        opt.step(&mut params, &[0.5], &mut accumulator).expect("valid");
        opt.effective_rates(&accumulator, &mut rates).expect("valid");
        match step {
            100 => assert_eq!(format!("{:.2}", rates[0]), "0.02"),
            1000 => assert_eq!(format!("{:.5}", rates[0]), "0.00632"),
            _ => {}
        }
    }
}
