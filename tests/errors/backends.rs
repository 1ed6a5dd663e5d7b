//! Backends that this CPU or this build lacks.

use adagrad::{Adagrad, Backend, Error, Report, Table};

use super::{ACCUMULATOR, PARAMS, bits};

/// What each backend that is here can do, every other one refuses, before anything is written.
#[test]
fn every_backend_steps_or_is_unavailable() {
    // The two kinds are all of the backends, and each is of one kind, which all ways to ask agree on.
    let available: Vec<Backend> = Backend::available().collect();
    assert!(available.iter().all(|backend| Backend::ALL.contains(backend)));
    assert!(available.contains(&Backend::Scalar) && available.contains(&Backend::detected()));
    for (at, backend) in Backend::ALL.iter().enumerate() {
        assert!(!Backend::ALL[..at].contains(backend), "{backend} is listed twice");
    }
    let mut refused = 0;
    for &backend in Backend::ALL {
        let here = backend.is_available();
        assert_eq!(available.contains(&backend), here, "{backend}");
        let expected = if here { Ok(Report::default()) } else { Err(Error::Unavailable { backend }) };
        let opt = Adagrad::new(0.1).with_backend(backend);
        assert_eq!((opt.validate(), opt.backend()), (Ok(()), Some(backend)), "only a step asks for it");
        let check = |name: &str, params: &[f32], accumulator: &[f32], result: Result<Report, Error>| {
            assert_eq!(result, expected, "{name} on {backend}");
            let untouched =
                bits(params) == bits(&PARAMS) && bits(accumulator) == bits(&ACCUMULATOR[..accumulator.len()]);
            assert_eq!(untouched, !here, "{name} on {backend}");
        };

        let (mut w, mut a) = (PARAMS, ACCUMULATOR);
        let result = opt.step(&mut w, &[1.0; 6], &mut a);
        check("step", &w, &a, result);

        let (mut w, mut g, mut a) = (PARAMS, [1.0; 6], ACCUMULATOR);
        let result = opt.step_and_zero(&mut w, &mut g, &mut a);
        check("step_and_zero", &w, &a, result);
        assert_eq!(g, if here { [0.0; 6] } else { [1.0; 6] });

        for row_wise in [false, true] {
            let (mut w, mut a) = (PARAMS, ACCUMULATOR);
            let a = &mut a[..if row_wise { 3 } else { 6 }];
            let new = if row_wise { Table::row_wise } else { Table::new };
            let mut table = new(&mut w, a, 2).expect("its shape fits");
            let result = opt.step_rows(&mut table, &[2_u32], &[1.0; 2]);
            check("step_rows", &w, a, result);
        }

        let mut rates = [7.0; 6];
        assert_eq!(opt.effective_rates(&ACCUMULATOR, &mut rates), expected.map(|_| ()), "{backend}");
        assert_eq!(rates == [7.0; 6], !here, "{backend}");
        assert_eq!(opt.summary(&ACCUMULATOR, 0.0, 1.0).is_ok(), here, "{backend}");
        assert_eq!(backend.all_finite(&PARAMS), expected.map(|_| true), "{backend}");
        assert_eq!(backend.sum_of_squares(&[3.0, 4.0]), expected.map(|_| 25.0), "{backend}");
        // There is an error for no elements, too.
        assert_eq!(opt.step(&mut [], &[], &mut []), expected, "{backend}");
        refused += usize::from(!here);
    }
    assert_eq!(available.len() + refused, Backend::ALL.len());
}

/// A backend of another processor is never available, whatever this one can do.
#[test]
fn backends_of_other_processors_are_unavailable() {
    for backend in [Backend::Avx2, Backend::Avx512, Backend::Neon] {
        assert!(Backend::ALL.contains(&backend));
    }
    for backend in [Backend::Avx2, Backend::Avx512] {
        if cfg!(not(any(target_arch = "x86", target_arch = "x86_64"))) {
            assert!(!backend.is_available());
        }
    }
    // What the build is sure to have, its programs find.
    assert!(cfg!(not(target_feature = "avx512f")) || Backend::Avx512.is_available());
    assert!(cfg!(not(all(target_feature = "avx2", target_feature = "fma"))) || Backend::Avx2.is_available());
    let simd = cfg!(any(
        all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2"),
        all(target_arch = "aarch64", target_feature = "neon"),
        all(target_arch = "wasm32", target_feature = "simd128"),
    ));
    assert_eq!(Backend::Portable.is_available(), simd);
    let neon = cfg!(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"));
    assert_eq!(Backend::Neon.is_available(), neon);
}
