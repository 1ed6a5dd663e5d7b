//! Every value is loaded as what it is, and stored as the nearest.

use adagrad::{Adagrad, Backend, Counter, Epsilon, Order, Rounding};
use half::{bf16, f16};

use crate::all_values::all_values;
use crate::backends;
use crate::reference::assert_same;
use crate::reference::mixed::Stored;
use crate::{assert_same_values, stored};

/// A step that makes −g of a parameter of 0.
fn negates(backend: Backend) -> Adagrad {
    let opt = Adagrad::new(1.0).with_epsilon(Epsilon::OutsideSqrt(0.0)).with_order(Order::StepFirst);
    opt.with_backend(backend)
}

fn loads<T: Stored>(of_bits: fn(u16) -> T) {
    let grads: Vec<T> = (0..=u16::MAX).map(of_bits).collect();
    let expected: Vec<f32> = grads.iter().map(|g| 0.0 - g.value()).collect();
    for &backend in backends() {
        let (mut params, mut accumulator) = (vec![0.0; grads.len()], vec![1.0; grads.len()]);
        negates(backend).step_mixed(&mut params, &grads, &mut accumulator, Rounding::Nearest).expect("valid");
        assert_same(&params, &expected, format!("{backend}: {}", T::NAME));
    }
}

#[test]
fn all_values_are_loaded() {
    loads(bf16::from_bits);
    loads(f16::from_bits);
}

fn stores<T: Stored>(negated: &[f32]) {
    let expected: Vec<T> = stored(&negated.iter().map(|g| 0.0 - g).collect::<Vec<_>>());
    for &backend in backends() {
        let mut params: Vec<T> = stored(&vec![0.0; negated.len()]);
        let mut accumulator = vec![1.0_f32; negated.len()];
        negates(backend).step_mixed(&mut params, negated, &mut accumulator, Rounding::Nearest).expect("valid");
        assert_same_values(&params, &expected, format!("{backend}: {}", T::NAME));
    }
}

/// Of each sign, exponent and begin of a mantissa, what is at and around the middle between two values.
#[test]
fn values_are_stored_as_the_nearest() {
    let low = [0, 1, 0xFFF, 0x1000, 0x1001, 0x2FFF, 0x3000, 0x3001, 0x7FFF, 0x8000, 0x8001, 0xF000, 0xFFFF];
    for low in low {
        let values: Vec<f32> = (0..=0xFFFF).map(|high: u32| f32::from_bits(high << 16 | low)).collect();
        stores::<bf16>(&values);
        stores::<f16>(&values);
    }
}

#[test]
#[ignore = "all f32: minutes; .ci/exhaustive"]
fn all_values_are_stored_as_the_nearest() {
    all_values("conversions", |values| {
        stores::<bf16>(values);
        stores::<f16>(values);
    });
}

/// The bits of NaN, and of what can be stored, by either way to round.
#[test]
fn nan_is_one_value_and_what_can_be_stored_stays() {
    for &backend in backends() {
        for rounding in [Rounding::Nearest, Rounding::Stochastic(Counter::new(1, 1))] {
            let opt = negates(backend);
            let nans = [f32::NAN, -f32::NAN, f32::from_bits(0x7FFF_FFFF), f32::from_bits(0xFFFF_FFFF)];
            let (mut wide, mut narrow) = ([bf16::ZERO; 4], [f16::ZERO; 4]);
            opt.step_mixed(&mut wide, &nans, &mut [1.0_f32; 4], rounding).expect("valid");
            opt.step_mixed(&mut narrow, &nans, &mut [1.0_f32; 4], rounding).expect("valid");
            assert_eq!(wide.map(bf16::to_bits), [0x7FC0; 4], "{backend}");
            assert_eq!(narrow.map(f16::to_bits), [0x7E00; 4], "{backend}");

            let (mut wide, mut narrow) = (vec![bf16::ZERO; 1 << 16], vec![f16::ZERO; 1 << 16]);
            let negated: Vec<f32> = (0..=u16::MAX).map(|bits| -bf16::from_bits(bits).to_f32()).collect();
            opt.step_mixed(&mut wide, &negated, &mut vec![1.0_f32; 1 << 16], rounding).expect("valid");
            assert_same(
                &wide.iter().map(|w| w.to_f32()).collect::<Vec<_>>(),
                &negated.iter().map(|g| 0.0 - g).collect::<Vec<_>>(),
                format!("{backend}, {rounding:?}"),
            );
            let negated: Vec<f32> = (0..=u16::MAX).map(|bits| -f16::from_bits(bits).to_f32()).collect();
            opt.step_mixed(&mut narrow, &negated, &mut vec![1.0_f32; 1 << 16], rounding).expect("valid");
            assert_same(
                &narrow.iter().map(|w| w.to_f32()).collect::<Vec<_>>(),
                &negated.iter().map(|g| 0.0 - g).collect::<Vec<_>>(),
                format!("{backend}, {rounding:?}"),
            );
        }
    }
}
