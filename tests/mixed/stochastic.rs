//! Rounding by chance: it is unbiased, and depends on the counter alone.

use adagrad::{Adagrad, Counter, Element, Epsilon, Order, Rounding};
use half::{bf16, f16};

use crate::reference::mixed::Stored;
use crate::{assert_same_values, stored};

const COUNT: usize = 1 << 14;

/// A step that makes −g of a parameter of 0.
fn negates() -> Adagrad {
    Adagrad::new(1.0).with_epsilon(Epsilon::OutsideSqrt(0.0)).with_order(Order::StepFirst)
}

/// `COUNT` roundings of one value.
fn rounded<T: Stored>(x: f32, counter: Counter) -> Vec<f32> {
    let mut params: Vec<T> = stored(&[0.0; COUNT]);
    let grads = vec![-x; COUNT];
    let rounding = Rounding::Stochastic(counter);
    negates().step_mixed(&mut params, &grads, &mut vec![1.0_f32; COUNT], rounding).expect("valid");
    params.iter().map(|w| w.value()).collect()
}

/// Fails unless the results are `below` and `above`, and their mean is `x` within five standard errors.
fn assert_unbiased(results: &[f32], x: f64, [below, above]: [f64; 2], context: &str) {
    let ups = results.iter().filter(|r| f64::from(**r) == above).count();
    let downs = results.iter().filter(|r| f64::from(**r) == below).count();
    assert_eq!(ups + downs, results.len(), "{context}: other than the neighbours");
    let (n, share) = (results.len() as f64, (x - below) / (above - below));
    let error = (ups as f64 / n - share).abs();
    assert!(error <= 5.0 * (share * (1.0 - share) / n).sqrt() + 1e-9, "{context}: {ups} of {n} up, share {share}");
}

/// Between the values of each exponent, denormals among them, at shares of the distance from small to large.
fn each_distance<T: Stored>(values: impl Iterator<Item = T>) {
    let all: Vec<f32> = values.map(|x| x.value()).collect();
    for (number, pair) in all.windows(2).enumerate() {
        let (below, above) = (f64::from(pair[0]), f64::from(pair[1]));
        let share = [0.5, 0.1, 0.97, 0.003, 1.0 / 3.0][number % 5];
        for sign in [1.0, -1.0] {
            let x = (sign * (below + share * (above - below))) as f32;
            let results = rounded::<T>(x, Counter::new(number as u64, 1));
            let ends = [sign * below, sign * above];
            let context = format!("{} {x:e} in {ends:?}", T::NAME);
            assert_unbiased(&results, f64::from(x), ends, &context);
        }
    }
}

/// Two neighbours at each exponent, and for `f16` at each denormal whose bits are a power of two.
#[test]
fn each_distance_between_neighbours() {
    for exponent in 0..0xFE {
        each_distance((0..2).map(|last| bf16::from_bits((exponent << 7) + 0x55 + last)));
    }
    for exponent in 0..0x1E {
        each_distance((0..2).map(|last| f16::from_bits((exponent << 10) + 0x155 + last)));
    }
    for place in 0..10 {
        each_distance((0..2).map(|last| f16::from_bits((1 << place) + last)));
        each_distance((0..2).map(|last| f16::from_bits((1 << place) - 1 + last)));
    }
}

#[test]
#[ignore = "all neighbours: minutes; .ci/exhaustive"]
fn all_distances_between_neighbours() {
    each_distance((0..=0x7F7F).map(bf16::from_bits));
    each_distance((0..=0x7BFF).map(f16::from_bits));
}

/// What rounds to the nearest also where chance decides elsewhere.
#[test]
fn beyond_the_greatest_it_is_the_nearest() {
    for x in [f32::INFINITY, f32::MAX, 65504.0, 65519.9, 65520.0, 3.39e38, 3.3895314e38, 3.396e38] {
        for x in [x, -x] {
            let counter = Counter::new(1, 2);
            assert!(x.abs() < 65504.0 || rounded::<f16>(x, counter).iter().all(|r| *r == f16::nearest(x).value()));
            if x.abs() >= bf16::MAX.to_f32() {
                assert!(rounded::<bf16>(x, counter).iter().all(|r| *r == bf16::nearest(x).value()), "{x}");
            }
        }
    }
}

/// Accumulators from 0 after equal gradients of 1.
fn grown<A: Element + Stored>(start: f32, steps: u64, stochastic: bool) -> Vec<f32> {
    let mut params: Vec<f32> = vec![0.0; 2000];
    let mut accumulator: Vec<A> = stored(&[start; 2000]);
    for step in 0..steps {
        let rounding = if stochastic { Rounding::Stochastic(Counter::new(7, step)) } else { Rounding::Nearest };
        Adagrad::new(0.1).step_mixed(&mut params, &[1.0_f32; 2000], &mut accumulator, rounding).expect("valid");
    }
    accumulator.iter().map(|a| a.value()).collect()
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|x| f64::from(*x)).sum::<f64>() / values.len() as f64
}

#[test]
fn accumulators_keep_growing() {
    assert_eq!(grown::<bf16>(0.0, 3000, false), [256.0; 2000]);
    assert_eq!(grown::<f16>(0.0, 3000, false), [2048.0; 2000]);
    for (name, mean) in [("bf16", mean(&grown::<bf16>(0.0, 3000, true))), ("f16", mean(&grown::<f16>(0.0, 3000, true)))]
    {
        assert!((mean / 3000.0 - 1.0).abs() < 0.01, "{name}: {mean}");
    }
    // Each growth of 1 is half of the distance between two f32.
    let start = 16_777_216.0;
    assert_eq!(grown::<f32>(start, 1000, false), [start; 2000]);
    let growth = mean(&grown::<f32>(start, 1000, true)) - f64::from(start);
    // Of a sum of 1000 coins, each 0 or 2, and 2000 such sums.
    let standard_error = (1000.0 / 2000.0_f64).sqrt();
    assert!((growth - 1000.0).abs() < 5.0 * standard_error, "{growth}");
}

/// Where a sum is exact, chance has no say, whatever the counter.
#[test]
fn exact_sums_stay() {
    for steps in [1, 10, 100] {
        assert_eq!(grown::<f32>(0.0, steps, true), [steps as f32; 2000]);
        assert_eq!(grown::<bf16>(0.0, steps, true), [steps as f32; 2000]);
    }
}

/// The denominator is that of the sum before it is rounded: where that is stored as 0, the step is no larger.
#[test]
fn a_sum_that_is_stored_as_0_makes_no_large_step() {
    let (mut params, mut accumulator) = ([0.0_f32; 64], [f16::ZERO; 64]);
    let opt = Adagrad::new(0.5);
    opt.step_mixed(&mut params, &[1e-5_f32; 64], &mut accumulator, Rounding::Nearest).expect("valid");
    assert!(accumulator.iter().all(|a| *a == f16::ZERO));
    assert!(params.iter().all(|w| (-0.5..-0.499).contains(w)), "{params:?}");
}

/// A call in parts has the bits of the whole, if each part says where it begins; also beyond 2³² elements.
#[test]
fn parts_have_the_bits_of_the_whole() {
    let grads: Vec<f32> = (0..1000).map(|i| 1.0 + i as f32 * 1e-3).collect();
    for first in [0, (1 << 32) - 300, u64::MAX - 500] {
        let step = |w: &mut [bf16], g: &[f32], a: &mut [bf16], from: usize| {
            let counter = Counter::new(3, 9).with_first(first.wrapping_add(from as u64));
            Adagrad::new(0.1).step_mixed(w, g, a, Rounding::Stochastic(counter)).expect("valid");
        };
        let (mut whole, mut whole_sums) = (vec![bf16::ONE; 1000], vec![bf16::ONE; 1000]);
        step(&mut whole, &grads, &mut whole_sums, 0);
        for part in [1, 7, 64, 333] {
            let (mut w, mut a) = (vec![bf16::ONE; 1000], vec![bf16::ONE; 1000]);
            for from in (0..1000).step_by(part) {
                let to = (from + part).min(1000);
                step(&mut w[from..to], &grads[from..to], &mut a[from..to], from);
            }
            assert_same_values(&w, &whole, format!("parts of {part} from {first}"));
            assert_same_values(&a, &whole_sums, format!("parts of {part} from {first}"));
        }
    }
}

/// Streams have nothing in common: of parameters and accumulators, of neighbours, of steps, of seeds.
#[test]
fn streams_are_independent() {
    let ups = |counter: Counter| {
        let mut params: Vec<bf16> = vec![bf16::ZERO; COUNT];
        let mut accumulator: Vec<bf16> = vec![bf16::ONE; COUNT];
        // Both are to be rounded in the middle between two values.
        let half_above = 1.0 + f32::from(bf16::EPSILON) / 2.0;
        let grads = vec![-half_above; COUNT];
        let opt = negates();
        opt.step_mixed(&mut params, &grads, &mut accumulator, Rounding::Stochastic(counter)).expect("valid");
        let up = |values: &[bf16]| values.iter().map(|x| *x > values[0].min(values[1])).collect::<Vec<bool>>();
        let least = accumulator.iter().copied().fold(bf16::INFINITY, bf16::min);
        (up(&params), accumulator.iter().map(|a| *a > least).collect::<Vec<bool>>())
    };
    let agree = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| a == b).count() as f64;
    let (w, _) = ups(Counter::new(1, 1));
    let n = COUNT as f64;
    let is_half = |count: f64, of: f64| (count - of / 2.0).abs() <= 5.0 * of.sqrt() / 2.0;
    assert!(is_half(w.iter().filter(|up| **up).count() as f64, n));
    for other in [Counter::new(1, 2), Counter::new(2, 1), Counter::new(1, 1).with_first(COUNT as u64)] {
        assert!(is_half(agree(&w, &ups(other).0), n), "{other:?}");
    }
    for lag in [1, 2, 4, 8, 16, 64, 1024] {
        assert!(is_half(agree(&w[lag..], &w[..COUNT - lag]), n - lag as f64), "neighbours at {lag}");
    }
}
