//! Summaries of accumulators, clipping by norm, and schedules.

use adagrad::{Adagrad, Arithmetic, Backend, Schedule, Summary, clip_norm_scale, sum_of_squares};
use proptest::prelude::*;

use crate::inputs::Random;
use crate::reference::Options;
use crate::{plain, value};

proptest! {
    #[test]
    fn a_summary_counts_every_rate(
        options in plain(),
        values in proptest::collection::vec(value(), 0..300),
        threshold in 1e-6_f32..10.0,
        gradient in value(),
    ) {
        let accumulator: Vec<f32> = values.iter().map(|x| x.abs()).collect();
        let mut rates = vec![0.0; accumulator.len()];
        let opt = Options { arithmetic: Arithmetic::Separate, ..options }.adagrad();
        opt.effective_rates(&accumulator, &mut rates).expect("valid");
        let summary = opt.summary(&accumulator, threshold, gradient).expect("valid");
        let finite: Vec<f32> = rates.into_iter().filter(|rate| rate.is_finite()).collect();
        prop_assert_eq!(summary.count, finite.len());
        prop_assert_eq!(summary.count + summary.non_finite, accumulator.len());
        prop_assert_eq!(summary.below, finite.iter().filter(|rate| **rate < threshold).count());
        let share = if finite.is_empty() { 0.0 } else { summary.below as f64 / finite.len() as f64 };
        prop_assert_eq!(summary.share_below(), share);
        prop_assert_eq!(summary.min, finite.iter().copied().fold(f32::INFINITY, f32::min));
        prop_assert_eq!(summary.max, finite.iter().copied().fold(0.0, f32::max));
        let sum: f64 = finite.iter().map(|rate| f64::from(*rate)).sum();
        prop_assert_eq!(summary.mean, if finite.is_empty() { 0.0 } else { sum / finite.len() as f64 });
        for (bin, count) in summary.histogram.iter().enumerate() {
            let (lower, upper) = Summary::decade(bin).expect("a bin");
            prop_assert_eq!(*count, finite.iter().filter(|rate| (lower..upper).contains(*rate)).count());
        }

        // Stalled is what a step with that gradient leaves as it was.
        let (mut params, mut stepped) = (vec![0.0; accumulator.len()], accumulator.clone());
        opt.step(&mut params, &vec![gradient; accumulator.len()], &mut stepped).expect("valid");
        let stalled = accumulator.iter().zip(&stepped).filter(|(before, after)| before == after).count();
        prop_assert_eq!(summary.stalled, stalled);
    }

    #[test]
    fn clipping_by_global_norm_limits_it(
        a in proptest::collection::vec(value(), 0..100),
        b in proptest::collection::vec(value(), 0..100),
        max_norm in 1e-3_f32..100.0,
    ) {
        let scale = clip_norm_scale(sum_of_squares(&a) + sum_of_squares(&b), max_norm);
        prop_assert!(scale > 0.0 && scale <= 1.0);
        let norm: f64 = a.iter().chain(&b).map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let clipped = norm * f64::from(scale);
        prop_assert!(clipped <= f64::from(max_norm) * (1.0 + 1e-5));
        prop_assert!(scale == 1.0 || clipped >= f64::from(max_norm) * (1.0 - 1e-5));
    }

    /// The same for gradients, and limits, of any exponents: nothing finite is dropped for its size.
    #[test]
    fn clipping_by_global_norm_over_all_exponents(
        lengths in (0..3000_usize, 0..50_usize),
        exponent in 1..255_u32,
        spread in 0..40_u32,
        max_exponent in 40..200_u32,
        seed in any::<u64>(),
    ) {
        let mut random = Random(seed);
        let value = |random: &mut Random| {
            let exponent = exponent.saturating_sub(if spread == 0 { 0 } else { random.below(spread as usize) as u32 });
            f32::from_bits(random.bits() as u32 & 0x807F_FFFF | exponent << 23)
        };
        let mut slice = |length| (0..length).map(|_| value(&mut random)).collect::<Vec<f32>>();
        let (a, b) = (slice(lengths.0), slice(lengths.1));
        let max_norm = f32::from_bits(max_exponent << 23 | 0x1234);
        let norm: f64 = a.iter().chain(&b).map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        for &backend in Backend::ALL.iter().filter(|backend| backend.is_available()) {
            let sum = |values| backend.sum_of_squares(values).expect("available");
            let scale = clip_norm_scale(sum(&a) + sum(&b), max_norm);
            let wanted = (f64::from(max_norm) / norm).min(1.0);
            // A scale below the normal numbers loses bits.
            let tolerance = wanted * 1e-5 + f64::from(f32::from_bits(1));
            prop_assert!((f64::from(scale) - wanted).abs() <= tolerance, "{backend}: {scale:e} for {wanted:e}");
        }
    }

    #[test]
    fn schedules_stay_between_floor_and_rate(
        rate in 1e-3_f64..10.0,
        warm_up in 0_u64..50,
        start in 0_u64..200,
        steps in 0_u64..200,
        floor in 0.0_f64..1.0,
        step in 1_u64..500,
        far in any::<u64>(),
    ) {
        let bases = [Schedule::constant(rate), Schedule::inverse_time(rate, 0.01), Schedule::inverse_sqrt(rate)];
        for base in bases {
            let base = base.with_warm_up(warm_up);
            for schedule in [base.with_linear_cool_down(start, steps, floor), base.with_cosine_cool_down(start, steps, floor)] {
                let (whole, now) = (f64::from(base.at(step)), f64::from(schedule.at(step)));
                prop_assert!(now <= whole * (1.0 + 1e-6) && now >= whole * floor * (1.0 - 1e-6) - 1e-9);
                if step <= start {
                    prop_assert_eq!(now, whole);
                } else if step >= start + steps {
                    prop_assert!((now - whole * floor).abs() <= 1e-6 * whole);
                }
                // Falling once it is warm, wherever the step.
                let later = f64::from(schedule.at(step.max(warm_up).saturating_add(far)));
                prop_assert!(later <= f64::from(schedule.at(step.max(warm_up))) * (1.0 + 1e-6));
                prop_assert!(later.is_finite() && later >= 0.0);
            }
            prop_assert!(step >= warm_up || base.at(step) >= base.at(1));
            prop_assert_eq!(base.at(0), base.at(1));
        }
    }
}

/// A batch that is finite is scaled and not dropped, where its squares leave the range of `f32`.
#[test]
fn clipping_of_huge_and_tiny_gradients() {
    let scale = clip_norm_scale(sum_of_squares(&[3e19, 1.0, 1.0]), 1.0);
    assert_eq!(scale, 1.0 / 3e19);
    assert!((scale / 3.3333e-20 - 1.0).abs() < 1e-4, "{scale:e}");
    assert_eq!(clip_norm_scale(sum_of_squares(&[f32::MAX; 4]), 1.0), 0.5 / f32::MAX);
    assert!((clip_norm_scale(sum_of_squares(&[3e-30, 4e-30]), 1e-30) - 0.2).abs() < 1e-7);
    assert_eq!(clip_norm_scale(sum_of_squares(&[1e-30; 3]), 1.0), 1.0);
    assert_eq!(clip_norm_scale(sum_of_squares(&[f32::INFINITY, 1.0]), 1.0), 0.0);
    assert!(clip_norm_scale(sum_of_squares(&[f32::NAN, 1.0]), 1.0).is_nan());
    assert!([-1.0, f32::NAN].iter().all(|max_norm| clip_norm_scale(4.0, *max_norm).is_nan()));
}

/// From G = 2²⁴ on, a gradient of 1 changes no accumulator any more.
#[test]
fn accumulators_that_no_longer_grow() {
    let opt = Adagrad::new(0.1);
    let accumulator = [0.0, 16_777_215.0, 16_777_216.0, 33_554_432.0, 1e10];
    let stalled = |gradient| opt.summary(&accumulator, 1e-3, gradient).expect("valid").stalled;
    assert_eq!(stalled(1.0), 3);
    assert_eq!(stalled(-1.0), 3);
    assert_eq!(stalled(2.0), 1);
    assert_eq!(stalled(1e-30), 5, "its square underflows");
    assert_eq!(stalled(0.0), 5);
    let (mut params, mut sums) = ([0.0; 5], accumulator);
    opt.step(&mut params, &[1.0; 5], &mut sums).expect("valid");
    assert_eq!(sums[2..], accumulator[2..]);
    assert_eq!(sums[1], 16_777_216.0);
    // Across the parts that a summary works in.
    assert_eq!(opt.summary(&[16_777_216.0; 1000], 1e-3, 1.0).expect("valid").stalled, 1000);
}

#[test]
fn rates_by_hand() {
    assert_eq!(Schedule::constant(0.1).at(7), 0.1);
    assert_eq!([1, 2, 3].map(|step| Schedule::inverse_time(0.1, 0.5).at(step)), [0.1, 0.1 / 1.5, 0.05]);
    assert_eq!([0, 1, 4, 100].map(|step| Schedule::inverse_sqrt(0.1).at(step)), [0.1, 0.1, 0.05, 0.01]);
    assert_eq!([1, 5, 10, 11].map(|step| Schedule::constant(0.1).with_warm_up(10).at(step)), [0.01, 0.05, 0.1, 0.1]);
    let linear = Schedule::constant(1.0).with_linear_cool_down(100, 50, 0.5);
    let cosine = Schedule::constant(1.0).with_cosine_cool_down(100, 50, 0.5);
    for rate in [linear, cosine] {
        assert_eq!([1, 100, 125, 150, 151].map(|step| rate.at(step)), [1.0, 1.0, 0.75, 0.5, 0.5]);
    }
    // Half of half a cosine's height after a third of it.
    assert_eq!(Schedule::constant(1.0).with_cosine_cool_down(0, 3, 0.0).at(1), 0.75);
}
