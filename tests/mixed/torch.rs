//! Replays steps of `PyTorch` with 16-bit tensors, each from the state that was recorded before it.

use adagrad::{Adagrad, Backend, Epsilon, Rounding, Schedule, WeightDecay};
use half::{bf16, f16};
use serde_json::Value;

use crate::backends;
use crate::json::{parse, patterns, text};
use crate::reference::assert_same;
use crate::reference::mixed::Stored;

/// Replays a case: how many parameters were compared.
fn replay<T: Stored>(of_bits: fn(u16) -> T, case: &Value, backend: Backend, context: &str) -> usize {
    let values = |value: &Value| patterns(value, 4).map(|bits| of_bits(bits as u16)).collect::<Vec<_>>();
    let number = |name: &str, default| case["hyper"][name].as_f64().unwrap_or(default);
    let schedule = Schedule::inverse_time(number("lr", 0.0), number("lr_decay", 0.0));
    let opt = Adagrad::pytorch(0.0)
        .with_epsilon(Epsilon::OutsideSqrt(number("eps", 1e-10) as f32))
        .with_weight_decay(WeightDecay::L2(number("weight_decay", 0.0) as f32))
        .with_maximize(case["hyper"]["maximize"].as_bool().unwrap_or(false))
        .with_backend(backend);
    let mut w = values(&case["w0"]);
    let mut a = vec![T::nearest(number("initial_accumulator_value", 0.0) as f32); w.len()];
    let steps = case["steps"].as_array().expect("a list");
    for (step, recorded) in (1..).zip(steps) {
        let opt = opt.with_learning_rate(schedule.at(step));
        opt.step_mixed(&mut w, &values(&recorded["g"]), &mut a, Rounding::Nearest).expect("valid");
        for (what, own) in [("w", &mut w), ("acc", &mut a)] {
            let peer = values(&recorded[what]);
            let [actual, expected] = [&*own, &peer].map(|x| x.iter().map(|x| x.value()).collect::<Vec<_>>());
            assert_same(&actual, &expected, format!("{context}: step {step}, {what}"));
            *own = peer;
        }
    }
    steps.len() * w.len()
}

#[test]
fn torch_half() {
    for &backend in backends() {
        let mut compared = 0;
        for line in include_str!("../peers/recordings/torch_half.jsonl").lines() {
            let case = parse(line);
            let context = format!("{backend}: {line:.120}");
            compared += match text(&case["dtype"]) {
                "bfloat16" => replay(bf16::from_bits, &case, backend, &context),
                _ => replay(f16::from_bits, &case, backend, &context),
            };
        }
        assert_eq!(compared, 588, "parameters");
    }
}
