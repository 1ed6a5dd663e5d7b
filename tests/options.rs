//! Hyper-parameters: what is set is read back, counts in `==`, and is what `Debug` prints.

use adagrad::{Accumulation, Adagrad, Arithmetic, Backend, Epsilon, NonFinite, Order, WeightDecay};

/// All that can be read.
fn all(opt: &Adagrad) -> impl PartialEq + core::fmt::Debug {
    (
        (opt.learning_rate(), opt.epsilon(), opt.weight_decay(), opt.gradient_scale(), opt.clip_value()),
        (opt.maximize(), opt.arithmetic(), opt.accumulation(), opt.non_finite()),
        (opt.initial_accumulator(), opt.backend(), opt.order()),
    )
}

/// The defaults; and one after the other, each option of which the getter gives back what the setter took, leaves all
/// others as they were, and makes the hyper-parameters unequal to those without it.
#[test]
fn getters_give_back_what_setters_took() {
    let new = Adagrad::new(0.1);
    assert_eq!(new.learning_rate(), 0.1);
    assert_eq!(new.epsilon(), Epsilon::OutsideSqrt(1e-8));
    assert_eq!(new.weight_decay(), WeightDecay::None);
    assert_eq!(new.gradient_scale(), 1.0);
    assert_eq!(new.clip_value(), None);
    assert!(!new.maximize());
    assert_eq!(new.arithmetic(), Arithmetic::Separate);
    assert_eq!(new.accumulation(), Accumulation::Sum);
    assert_eq!(new.non_finite(), NonFinite::Propagate);
    assert_eq!(new.order(), Order::AccumulateFirst);
    assert_eq!(new.initial_accumulator(), 0.0);
    assert_eq!(new.backend(), None);

    // Each option, how it is put back to the default, and whether the getter is right.
    type Option = (Adagrad, fn(Adagrad) -> Adagrad, fn(&Adagrad) -> bool);
    let mut options: Vec<Option> = vec![
        (new.with_learning_rate(0.5), |o| o.with_learning_rate(0.1), |o| o.learning_rate() == 0.5),
        (
            new.with_epsilon(Epsilon::InsideSqrt(1e-8)),
            |o| o.with_epsilon(Epsilon::OutsideSqrt(1e-8)),
            |o| o.epsilon() == Epsilon::InsideSqrt(1e-8),
        ),
        (
            new.with_epsilon(Epsilon::OutsideSqrt(1e-6)),
            |o| o.with_epsilon(Epsilon::OutsideSqrt(1e-8)),
            |o| o.epsilon() == Epsilon::OutsideSqrt(1e-6),
        ),
        (
            new.with_weight_decay(WeightDecay::L2(0.25)),
            |o| o.with_weight_decay(WeightDecay::None),
            |o| o.weight_decay() == WeightDecay::L2(0.25),
        ),
        (
            new.with_weight_decay(WeightDecay::Decoupled(0.25)),
            |o| o.with_weight_decay(WeightDecay::None),
            |o| o.weight_decay() == WeightDecay::Decoupled(0.25),
        ),
        (new.with_gradient_scale(-2.0), |o| o.with_gradient_scale(1.0), |o| o.gradient_scale() == -2.0),
        (new.with_maximize(true), |o| o.with_maximize(false), Adagrad::maximize),
        (
            new.with_arithmetic(Arithmetic::Fused),
            |o| o.with_arithmetic(Arithmetic::Separate),
            |o| o.arithmetic() == Arithmetic::Fused,
        ),
        (
            new.with_arithmetic(Arithmetic::Fast),
            |o| o.with_arithmetic(Arithmetic::Separate),
            |o| o.arithmetic() == Arithmetic::Fast,
        ),
        (
            new.with_accumulation(Accumulation::Leaky(0.5)),
            |o| o.with_accumulation(Accumulation::Sum),
            |o| o.accumulation() == Accumulation::Leaky(0.5),
        ),
        (
            new.with_accumulation(Accumulation::Ema(0.5)),
            |o| o.with_accumulation(Accumulation::Sum),
            |o| o.accumulation() == Accumulation::Ema(0.5),
        ),
        // Even where its arithmetic is that of another option.
        (
            new.with_accumulation(Accumulation::Leaky(0.0)),
            |o| o.with_accumulation(Accumulation::Sum),
            |o| o.accumulation() == Accumulation::Leaky(0.0),
        ),
        (
            new.with_non_finite(NonFinite::Skip),
            |o| o.with_non_finite(NonFinite::Propagate),
            |o| o.non_finite() == NonFinite::Skip,
        ),
        (new.with_order(Order::StepFirst), |o| o.with_order(Order::AccumulateFirst), |o| o.order() == Order::StepFirst),
        (new.with_initial_accumulator(0.1), |o| o.with_initial_accumulator(0.0), |o| o.initial_accumulator() == 0.1),
    ];
    // These cannot be put back.
    options.push((new.with_clip_value(3.0), |_| Adagrad::new(0.1), |o| o.clip_value() == Some(3.0)));
    options.push((new.with_backend(Backend::Scalar), |_| Adagrad::new(0.1), |o| o.backend() == Some(Backend::Scalar)));

    for (at, (opt, put_back, getter)) in options.iter().enumerate() {
        assert!(getter(opt) && !getter(&new), "{opt:?}");
        assert_eq!(all(&put_back(*opt)), all(&new), "it leaves the others as they were");
        assert_eq!(put_back(*opt), new);
        for (other_at, (other, ..)) in options.iter().enumerate() {
            assert_eq!(at == other_at, opt == other, "{opt:?}, {other:?}");
        }
    }
    for &backend in Backend::ALL {
        assert_eq!(new.with_backend(backend).backend(), Some(backend));
    }
}

/// All at once, in two orders.
#[test]
fn options_do_not_disturb_each_other() {
    let one = Adagrad::keras(0.1)
        .with_backend(Backend::Portable)
        .with_weight_decay(WeightDecay::L2(0.25))
        .with_gradient_scale(0.5)
        .with_clip_value(3.0)
        .with_maximize(true)
        .with_arithmetic(Arithmetic::Fused)
        .with_accumulation(Accumulation::Ema(0.75))
        .with_non_finite(NonFinite::Skip)
        .with_order(Order::StepFirst)
        .with_initial_accumulator(7.0)
        .with_learning_rate(0.2);
    let other = Adagrad::new(0.2)
        .with_initial_accumulator(7.0)
        .with_order(Order::StepFirst)
        .with_non_finite(NonFinite::Skip)
        .with_accumulation(Accumulation::Ema(0.75))
        .with_arithmetic(Arithmetic::Fused)
        .with_maximize(true)
        .with_clip_value(3.0)
        .with_gradient_scale(0.5)
        .with_weight_decay(WeightDecay::L2(0.25))
        .with_epsilon(Epsilon::InsideSqrt(1e-7))
        .with_backend(Backend::Portable);
    assert_eq!(one, other);
    assert_eq!(all(&one), all(&other));
    assert_eq!((one.learning_rate(), one.epsilon()), (0.2, Epsilon::InsideSqrt(1e-7)));
    assert_eq!((one.weight_decay(), one.gradient_scale()), (WeightDecay::L2(0.25), 0.5));
    assert_eq!((one.clip_value(), one.maximize()), (Some(3.0), true));
    assert_eq!((one.arithmetic(), one.accumulation()), (Arithmetic::Fused, Accumulation::Ema(0.75)));
    assert_eq!((one.non_finite(), one.initial_accumulator()), (NonFinite::Skip, 7.0));
    assert_eq!(one.backend(), Some(Backend::Portable));
}

#[test]
fn what_is_off_reads_as_off() {
    let new = Adagrad::new(0.1);
    for off in [WeightDecay::L2(0.0), WeightDecay::Decoupled(0.0), WeightDecay::L2(-0.0), WeightDecay::None] {
        assert_eq!(new.with_weight_decay(off).weight_decay(), WeightDecay::None);
        assert_eq!(new.with_weight_decay(off), new);
    }
    for epsilon in [Epsilon::OutsideSqrt(-0.0), Epsilon::InsideSqrt(-0.0)] {
        let (Epsilon::OutsideSqrt(value) | Epsilon::InsideSqrt(value)) = new.with_epsilon(epsilon).epsilon() else {
            panic!("{epsilon:?}");
        };
        assert_eq!(value.to_bits(), 0, "an ε of −0 is taken as 0");
    }
}

/// What is out of range reads back as it was given, so that an error can be looked into.
#[test]
fn what_is_invalid_reads_back() {
    assert_eq!(Adagrad::new(-1.0).learning_rate(), -1.0);
    assert!(Adagrad::new(f32::NAN).learning_rate().is_nan());
    assert_eq!(Adagrad::new(0.1).with_clip_value(-1.0).clip_value(), Some(-1.0));
    assert_eq!(Adagrad::new(0.1).with_weight_decay(WeightDecay::L2(-1.0)).weight_decay(), WeightDecay::L2(-1.0));
    assert_eq!(Adagrad::new(0.1).with_initial_accumulator(-1.0).initial_accumulator(), -1.0);
}

#[test]
fn presets() {
    let rows = [
        (Adagrad::pytorch(0.5), Epsilon::OutsideSqrt(1e-10), Arithmetic::Fused, 0.0),
        (Adagrad::tensorflow(0.5), Epsilon::OutsideSqrt(1e-7), Arithmetic::Separate, 0.1),
        (Adagrad::keras(0.5), Epsilon::InsideSqrt(1e-7), Arithmetic::Separate, 0.1),
        (Adagrad::fbgemm(0.5), Epsilon::OutsideSqrt(1e-8), Arithmetic::Separate, 0.0),
        (Adagrad::optax(0.5), Epsilon::InsideSqrt(1e-7), Arithmetic::Separate, 0.1),
    ];
    for (preset, epsilon, arithmetic, initial) in rows {
        let same = Adagrad::new(0.5).with_epsilon(epsilon).with_arithmetic(arithmetic);
        assert_eq!(preset, same.with_initial_accumulator(initial));
        assert_eq!(preset.initial_accumulator(), initial);
        assert_eq!(preset == same, initial == 0.0, "it counts in ==");
    }
}

/// The initial accumulator is for the caller: steps take the accumulators as they are.
#[test]
fn steps_do_not_use_the_initial_accumulator() {
    let step = |opt: Adagrad| {
        let (mut params, mut accumulator) = ([1.0], [0.25]);
        opt.step(&mut params, &[1.0], &mut accumulator).expect("valid");
        (params, accumulator)
    };
    let opt = Adagrad::new(0.1);
    assert_eq!(step(opt), step(opt.with_initial_accumulator(9.0)));
}

#[test]
fn debug_prints_every_option() {
    let text = format!("{:?}", Adagrad::keras(0.1).with_clip_value(3.0).with_backend(Backend::Scalar));
    assert!(text.starts_with("Adagrad { learning_rate: 0.1, epsilon: InsideSqrt(1e-7), "), "{text}");
    for field in [
        "weight_decay: None",
        "gradient_scale: 1.0",
        "clip_value: Some(3.0)",
        "maximize: false",
        "arithmetic: Separate",
        "accumulation: Sum",
        "order: AccumulateFirst",
        "non_finite: Propagate",
        "initial_accumulator: 0.1",
        "backend: Some(Scalar)",
    ] {
        assert!(text.contains(field), "{field} is not in {text}");
    }
    assert!(text.ends_with(" }"), "{text}");
    assert!(format!("{:#?}", Adagrad::new(0.1)).starts_with("Adagrad {\n"));
}

/// All of it can be a constant.
#[test]
fn constants() {
    const OPT: Adagrad = Adagrad::keras(0.1)
        .with_weight_decay(WeightDecay::Decoupled(0.1))
        .with_non_finite(NonFinite::Skip)
        .with_initial_accumulator(0.5)
        .with_backend(Backend::Scalar);
    const RATE: f32 = OPT.learning_rate();
    assert_eq!((RATE, OPT.non_finite()), (0.1, NonFinite::Skip));
}
