//! The steps with L1 and L2: what holds for all input, and what is refused.

#[path = "inputs/mod.rs"]
mod inputs;
#[path = "reference/mod.rs"]
mod reference;

use adagrad::{Backend, Error, Ftrl, Proximal, Report, Table};
use inputs::Random;

/// Finite input makes no NaN, G never falls, and w is 0 where |z| ≤ l1.
#[test]
fn properties() {
    let mut random = Random(17);
    for _ in 0..200_000 / inputs::one_of(500) {
        let [g, w, z, a, rate, l1, l2] = [(); 7].map(|()| random.any_exponent());
        let (a, rate, l1, l2) = (a.abs(), rate.abs(), l1.abs(), l2.abs());
        let context = format!("g {g:e}, w {w:e}, z {z:e}, G {a:e}, η {rate:e}, l1 {l1:e}, l2 {l2:e}");
        if rate > 0.0 {
            let (mut params, mut accumulator, mut linear) = ([w], [a], [z]);
            let ftrl = Ftrl::new(rate).with_l1(l1).with_l2(l2);
            ftrl.step(&mut params, &[g], &mut accumulator, &mut linear).expect("valid");
            assert!(!params[0].is_nan() && !linear[0].is_nan(), "{context}");
            assert!(accumulator[0] >= a, "{context}");
            assert!(linear[0].abs() > l1 || params == [0.0] || accumulator == [0.0], "{context}");
        }
        let (mut params, mut accumulator) = ([w], [a]);
        Proximal::new(rate).with_l1(l1).with_l2(l2).step(&mut params, &[g], &mut accumulator).expect("valid");
        assert!(!params[0].is_nan(), "{context}");
        assert!(accumulator[0] >= a, "{context}");
    }
}

/// Without a gradient ever, nothing moves.
#[test]
fn all_zero() {
    let (mut params, mut accumulator, mut linear) = ([0.25; 9], [0.0; 9], [0.0; 9]);
    Ftrl::new(0.1).with_l1(1.0).step(&mut params, &[0.0; 9], &mut accumulator, &mut linear).expect("valid");
    Proximal::new(0.1).with_l1(1.0).step(&mut params, &[0.0; 9], &mut accumulator).expect("valid");
    assert_eq!((params, accumulator, linear), ([0.25; 9], [0.0; 9], [0.0; 9]));
}

#[test]
fn errors() {
    let hyper = |what, value, expected| Error::Hyperparameter { what, value, expected };
    let (above, at_least) = ("finite and above 0", "finite and at least 0");
    for bad in [-1.0, f32::INFINITY] {
        assert_eq!(Ftrl::new(bad).validate(), Err(hyper("learning_rate", bad, above)));
        assert_eq!(Proximal::new(bad).validate(), Err(hyper("learning_rate", bad, at_least)));
        assert_eq!(Ftrl::new(0.1).with_l1(bad).validate(), Err(hyper("l1", bad, at_least)));
        assert_eq!(Proximal::new(0.1).with_l2(bad).validate(), Err(hyper("l2", bad, at_least)));
    }
    assert!(Ftrl::new(f32::NAN).validate().is_err() && Proximal::new(0.1).with_l1(f32::NAN).validate().is_err());
    assert_eq!(Ftrl::new(0.0).validate(), Err(hyper("learning_rate", 0.0, above)));
    assert_eq!(Proximal::new(0.0).validate(), Ok(()));

    let length = |what, expected, actual| Error::Length { what, expected, actual };
    let (ftrl, proximal) = (Ftrl::new(0.1), Proximal::new(0.1));
    let (mut w, mut a, mut z) = ([1.0; 6], [1.0; 6], [1.0; 6]);
    let g = [1.0; 6];
    let results = [
        (ftrl.step(&mut w, &g[1..], &mut a, &mut z), length("grads", 6, 5)),
        (ftrl.step(&mut w, &g, &mut a[1..], &mut z), length("accumulator", 6, 5)),
        (ftrl.step(&mut w, &g, &mut a, &mut z[1..]), length("linear", 6, 5)),
        (proximal.step(&mut w, &g[1..], &mut a), length("grads", 6, 5)),
        (proximal.step(&mut w, &g, &mut a[1..]), length("accumulator", 6, 5)),
    ];
    for (result, error) in results {
        assert_eq!(result, Err(error));
    }
    for backend in Backend::ALL.iter().copied().filter(|backend| !backend.is_available()) {
        let error = Err(Error::Unavailable { backend });
        assert_eq!(ftrl.with_backend(backend).step(&mut w, &g, &mut a, &mut z), error);
        assert_eq!(proximal.with_backend(backend).step(&mut w, &g, &mut a), error);
    }
    assert_eq!((w, a, z), ([1.0; 6], [1.0; 6], [1.0; 6]));
}

#[test]
fn errors_of_rows() {
    let length = |what, expected, actual| Err(Error::Length { what, expected, actual });
    let (ftrl, proximal, g) = (Ftrl::new(0.1), Proximal::new(0.1), [1.0; 6]);
    let (mut w, mut a, mut z) = ([1.0; 6], [1.0; 6], [1.0; 6]);
    let mut table = Table::new(&mut w, &mut a, 2).expect("3 rows");
    let hyper = Err(Error::Hyperparameter { what: "l1", value: -1.0, expected: "finite and at least 0" });
    assert_eq!(ftrl.with_l1(-1.0).step_rows(&mut table, &mut z, &[0_u32], &g[..2]), hyper);
    assert_eq!(proximal.with_l1(-1.0).step_rows(&mut table, &[0_u32], &g[..2]), hyper);
    assert_eq!(ftrl.step_rows(&mut table, &mut z[2..], &[0_u32], &g[..2]), length("linear", 6, 4));
    assert_eq!(ftrl.step_rows(&mut table, &mut z, &[0_u32], &g), length("grads", 2, 6));
    assert_eq!(proximal.step_rows(&mut table, &[0_u32], &g), length("grads", 2, 6));
    for bad in [3, -1, i64::MAX] {
        let row = Err(Error::Row { position: 1, row: bad.into(), rows: 3 });
        assert_eq!(ftrl.step_rows(&mut table, &mut z, &[0, bad], &g[..4]), row);
        assert_eq!(proximal.step_rows(&mut table, &[0, bad], &g[..4]), row);
    }
    for backend in Backend::ALL.iter().copied().filter(|backend| !backend.is_available()) {
        let error = Err(Error::Unavailable { backend });
        assert_eq!(ftrl.with_backend(backend).step_rows(&mut table, &mut z, &[0_u32], &g[..2]), error);
        assert_eq!(proximal.with_backend(backend).step_rows(&mut table, &[0_u32], &g[..2]), error);
    }

    // An accumulator a row is not one an element, but in a single column.
    for mut table in [
        Table::row_wise(&mut w, &mut a[..3], 2).expect("3 rows"),
        Table::interleaved_row_wise(&mut [1.0; 9], 2).expect("3 rows"),
    ] {
        assert_eq!(ftrl.step_rows(&mut table, &mut z, &[0_u32], &g[..2]), length("accumulator", 6, 3));
        assert_eq!(proximal.step_rows(&mut table, &[0_u32], &g[..2]), length("accumulator", 6, 3));
    }
    assert_eq!((w, a, z), ([1.0; 6], [1.0; 6], [1.0; 6]));
    let mut table = Table::row_wise(&mut w, &mut a[..3], 2).expect("3 rows").with_columns(1).expect("one of two");
    assert_eq!(proximal.step_rows(&mut table, &[1_u32], &[3.0]), Ok(Report::default()));
    assert_eq!(a, [1.0, 10.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(w, [1.0, 1.0, 1.0 - 0.1 / 10.0_f32.sqrt() * 3.0, 1.0, 1.0, 1.0]);
    // In one slice, too: parameters are 3 apart, linear terms 2.
    let mut memory = [1.0; 9];
    let table = Table::interleaved_row_wise(&mut memory, 2).expect("3 rows");
    let mut table = table.with_columns(1).expect("one of two");
    assert_eq!(ftrl.step_rows(&mut table, &mut z, &[2_u32], &[1.0]), Ok(Report::default()));
    assert_eq!((memory[8], z[..4] == [1.0; 4], z[4] != 1.0, z[5]), (2.0, true, true, 1.0));
}
