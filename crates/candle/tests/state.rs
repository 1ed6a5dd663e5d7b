//! Saving, loading and resuming.

mod common;

use std::collections::HashMap;
use std::path::PathBuf;

use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer, Schedule};
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{Init, VarMap};
use common::{assert_same, f32s, gradients, tensor, values};

const NAMES: [(&str, DType); 4] =
    [("layer.bias", DType::F32), ("layer.weight", DType::BF16), ("wide", DType::F64), ("zeta", DType::F16)];

fn variables() -> VarMap {
    let variables = VarMap::new();
    for (name, dtype) in NAMES {
        variables.get((4, 5), name, Init::Const(0.5), dtype, &Device::Cpu).expect("a variable");
    }
    variables
}

fn get(variables: &VarMap, name: &str) -> Var {
    variables.data().lock().expect("the map")[name].clone()
}

fn config() -> Config {
    Config::new(Adagrad::pytorch(0.1)).with_schedule(Schedule::inverse_time(0.1, 0.3))
}

fn train(variables: &VarMap, optimizer: &mut AdagradOptimizer, steps: core::ops::Range<u64>) -> Result<()> {
    for step in steps {
        for (i, (name, dtype)) in NAMES.into_iter().enumerate() {
            let (var, grad) =
                (get(variables, name), tensor(&values(20, 100 * step + i as u64), dtype).reshape((4, 5))?);
            // One variable's gradient at a time, in turn, so that they have different histories.
            if step as usize % NAMES.len() == i {
                optimizer.step(&gradients(&[(&var, &grad)]))?;
            }
        }
    }
    Ok(())
}

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("adagrad-candle-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_resumed_run_has_the_bits_of_one_that_was_not_stopped() -> Result<()> {
    let folder = Folder::new("resumed");
    let [params, state] = ["params", "state"].map(|name| folder.0.join(name).with_extension("safetensors"));
    let whole = variables();
    let mut optimizer = AdagradOptimizer::from_var_map(&whole, config())?;
    train(&whole, &mut optimizer, 0..8)?;
    whole.save(&params)?;
    optimizer.save(&state)?;
    train(&whole, &mut optimizer, 8..17)?;

    let mut resumed = variables();
    let mut second = AdagradOptimizer::from_var_map(&resumed, config())?;
    resumed.load(&params)?;
    second.load(&state)?;
    assert_eq!(second.steps(), 8);
    train(&resumed, &mut second, 8..17)?;
    assert_eq!((second.steps(), second.learning_rate()), (optimizer.steps(), optimizer.learning_rate()));
    for (name, _) in NAMES {
        let [a, b] = [&whole, &resumed].map(|variables| get(variables, name));
        assert_same(&f32s(&a), &f32s(&b), &name);
        let of = |optimizer: &AdagradOptimizer, var| f32s(optimizer.accumulator(var).expect("an accumulator"));
        assert_same(&of(&optimizer, &a), &of(&second, &b), &name);
        assert!(f32s(&a).iter().any(|w| *w != 0.5), "{name} was not trained");
    }
    Ok(())
}

#[test]
fn a_state_is_a_copy_and_can_be_put_back() -> Result<()> {
    let variables = variables();
    let mut optimizer = AdagradOptimizer::from_var_map(&variables, config())?;
    train(&variables, &mut optimizer, 0..5)?;
    let state = optimizer.state()?;
    let mut keys: Vec<_> = state.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        ["accumulator.layer.bias", "accumulator.layer.weight", "accumulator.wide", "accumulator.zeta", "steps"]
    );
    let before = f32s(&state["accumulator.zeta"]);
    train(&variables, &mut optimizer, 5..10)?;
    assert_same(&f32s(&state["accumulator.zeta"]), &before, &"the copy");
    optimizer.load_state(&state)?;
    let accumulator = optimizer.accumulator(&get(&variables, "zeta")).expect("an accumulator");
    assert_same(&f32s(accumulator), &before, &"put back");
    assert_eq!(optimizer.steps(), 5);
    // The accumulators themselves are a state, too.
    let shared: HashMap<_, _> = NAMES
        .map(|(name, _)| {
            (
                format!("accumulator.{name}"),
                optimizer.accumulator(&get(&variables, name)).expect("one").as_tensor().clone(),
            )
        })
        .into_iter()
        .chain([("steps".into(), Tensor::new(7_i64, &Device::Cpu)?)])
        .collect();
    optimizer.load_state(&shared)?;
    assert_eq!(optimizer.steps(), 7);
    Ok(())
}

#[test]
fn a_bad_state_is_refused_and_nothing_is_written() -> Result<()> {
    let variables = variables();
    let mut optimizer = AdagradOptimizer::from_var_map(&variables, config())?;
    train(&variables, &mut optimizer, 0..4)?;
    let good = optimizer.state()?;
    let zeros = |dtype| Tensor::zeros((4, 5), dtype, &Device::Cpu);
    let with = |value: f32| zeros(DType::F32)?.slice_assign(&[1..2, 2..3], &Tensor::new(&[[value]], &Device::Cpu)?);
    let zeta = "accumulator.zeta";
    let cases = [
        (zeta, None, "accumulator.zeta is missing"),
        ("steps", None, "steps is missing"),
        ("steps", Some(Tensor::new(-1_i64, &Device::Cpu)?), "steps is no number in I64 that is at least 0"),
        ("steps", Some(Tensor::new(&[1_i64], &Device::Cpu)?), "steps is no number in I64 that is at least 0"),
        ("steps", Some(Tensor::new(1_f32, &Device::Cpu)?), "steps is no number in I64 that is at least 0"),
        ("accumulator.other", Some(zeros(DType::F32)?), "accumulator.other is of no variable here"),
        (zeta, Some(zeros(DType::F32)?.t()?), "accumulator.zeta is F32 [5, 4], expected F32 [4, 5]"),
        (zeta, Some(zeros(DType::F64)?), "accumulator.zeta is F64 [4, 5], expected F32 [4, 5]"),
        ("accumulator.wide", Some(zeros(DType::F32)?), "accumulator.wide is F32 [4, 5], expected F64 [4, 5]"),
        (zeta, Some(with(-1.0)?), "accumulator.zeta[7] is -1, expected finite and at least 0"),
        (zeta, Some(with(f32::NAN)?), "accumulator.zeta[7] is NaN, expected finite and at least 0"),
        (zeta, Some(with(f32::INFINITY)?), "accumulator.zeta[7] is inf, expected finite and at least 0"),
    ];
    for (key, tensor, message) in cases {
        // All else would be accepted.
        let mut bad: HashMap<_, _> =
            good.iter().map(|(key, t)| Ok((key.clone(), t.affine(2.0, 1.0)?))).collect::<Result<_>>()?;
        bad.remove(key);
        bad.extend(tensor.map(|tensor| (key.into(), tensor)));
        let error = optimizer.load_state(&bad).expect_err(message).to_string();
        assert!(error.contains(message), "{error}, expected {message}");
        for (key, expected) in optimizer.state()? {
            assert_same(&f32s(&expected), &f32s(&good[&key]), &(message, key));
        }
    }
    assert!(optimizer.load("/there/is/no/such/file").is_err());
    assert_eq!(optimizer.steps(), 4);
    Ok(())
}
