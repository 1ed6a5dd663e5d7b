//! The trace with which Adagrad is commonly taught, to the precision that is printed there; and the loop of `GloVe`.
//!
//! Two parameters start at 0 and see the gradients below with η = 0.1 and ε = 1e-8: the first parameter's feature is
//! frequent, the second one's rare.

use adagrad::{Adagrad, Epsilon, Table};

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

/// The loop of `glove.c` for one pair of words, in `f64` as there, beside two rows of a table stepped by its preset: over
/// a thousand steps they stay within the roundings of `f32`.
#[test]
fn glove() {
    const ETA: f64 = 0.05;
    let (mut w, mut sums) = ([[0.3_f64, -0.2], [0.1, 0.4]], [[1.0_f64; 2]; 2]);
    let opt = Adagrad::glove(ETA as f32);
    let mut params = w.as_flattened().iter().map(|w| *w as f32).collect::<Vec<_>>();
    let mut accumulator = vec![opt.initial_accumulator(); 4];
    for step in 0..1000 {
        // What the dot product of the two should be, a little different each time.
        let target = 1.0 + 0.1 * f64::from(step % 7);
        let difference = w[0][0] * w[1][0] + w[0][1] * w[1][1] - target;
        let single = params[0] * params[2] + params[1] * params[3] - target as f32;
        let grads = [params[2], params[3], params[0], params[1]].map(|w| single * w);
        let mut table = Table::new(&mut params, &mut accumulator, 2).expect("its shape fits");
        opt.step_rows(&mut table, &[0_u32, 1], &grads).expect("valid");

        let before = w;
        for word in 0..2 {
            for j in 0..2 {
                let update = ETA * difference * before[1 - word][j];
                w[word][j] -= update / sums[word][j].sqrt();
                sums[word][j] += update * update;
            }
        }
        let near = |a: &[f32], b: &[[f64; 2]; 2]| {
            a.iter().zip(b.as_flattened()).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5 * b.abs().max(0.1))
        };
        assert!(near(&params, &w) && near(&accumulator, &sums), "step {step}: {params:?}, {w:?}");
    }
}
