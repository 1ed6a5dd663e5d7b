//! What a training loop meets: layers, embeddings, rates, missing gradients, and errors that write nothing.

mod common;

use adagrad_candle::adagrad::{Backend, NonFinite, WeightDecay};
use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer, Schedule};
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{Embedding, Module, VarBuilder, VarMap, linear};
use common::{assert_same, f32s, gradients, tensor, values, var};

/// Two layers learn a function, with the same bits by each way to step. candle's CPU has no product of `BF16` matrices.
#[test]
fn layers_learn() -> Result<()> {
    for dtype in [DType::F32, DType::F64, DType::F16] {
        let mut losses = Vec::new();
        for by_tensors in [false, true] {
            let variables = VarMap::new();
            let builder = VarBuilder::from_varmap(&variables, dtype, &Device::Cpu);
            let (first, second) = (linear(3, 16, builder.pp("first"))?, linear(16, 1, builder.pp("second"))?);
            let mut names: Vec<_> = variables.data().lock().expect("the map").clone().into_iter().collect();
            names.sort_by(|a, b| a.0.cmp(&b.0));
            for (i, (_, var)) in names.iter().enumerate() {
                let start: Vec<f32> = values(var.elem_count(), i as u64).iter().map(|x| x.clamp(-0.5, 0.5)).collect();
                var.set(&tensor(&start, dtype).reshape(var.shape())?)?;
            }
            let config = Config::new(Adagrad::new(0.1)).with_tensor_operations(by_tensors);
            let mut optimizer = AdagradOptimizer::from_var_map(&variables, config)?;
            let x = tensor(&values(90, 9).iter().map(|x| x.clamp(-1.0, 1.0)).collect::<Vec<_>>(), dtype)
                .reshape((30, 3))?;
            let y = x.sum_keepdim(1)?;
            let loss = || second.forward(&first.forward(&x)?.tanh()?)?.sub(&y)?.sqr()?.mean_all()?.to_dtype(DType::F32);
            let start = loss()?.to_scalar::<f32>()?;
            for _ in 0..200 {
                optimizer.backward_step(&loss()?)?;
            }
            losses.push(loss()?.to_scalar::<f32>()?);
            assert!(losses[losses.len() - 1] < start / 20.0, "{dtype:?}: {start} became {losses:?}");
        }
        assert_same(&losses[..1], &losses[1..], &dtype);
    }
    Ok(())
}

/// candle's gradient of an embedding is dense. Rows that were not looked up stay as they are.
#[test]
fn embeddings_learn() -> Result<()> {
    let table = Var::from_tensor(&tensor(&values(4000, 1), DType::F32).reshape((1000, 4))?)?;
    let before = f32s(&table);
    let mut optimizer = AdagradOptimizer::new(vec![table.clone()], Adagrad::new(0.1).into())?;
    let embedding = Embedding::new(table.as_tensor().clone(), 4);
    let looked_up = embedding.forward(&Tensor::new(&[3_u32, 7, 3], &Device::Cpu)?)?;
    optimizer.backward_step(&looked_up.sqr()?.sum_all()?)?;
    for (row, (after, before)) in f32s(&table).chunks(4).zip(before.chunks(4)).enumerate() {
        assert_eq!(after != before, row == 3 || row == 7, "row {row}");
    }
    Ok(())
}

#[test]
fn the_rate_follows_the_schedule_until_it_is_set() -> Result<()> {
    let w = var(&[1.0, -2.0], DType::F32);
    let schedule = Schedule::constant(0.5).with_warm_up(4);
    let opt = Adagrad::new(9.0);
    let mut optimizer = AdagradOptimizer::new(vec![w.clone()], Config::new(opt).with_schedule(schedule))?;
    let (mut params, mut sums) = (f32s(&w), [0.0; 2]);
    for step in 1..=6 {
        let grad = values(2, step);
        assert_eq!(optimizer.learning_rate(), f64::from(schedule.at(step)));
        optimizer.step(&gradients(&[(&w, &tensor(&grad, DType::F32))]))?;
        opt.with_learning_rate(schedule.at(step)).step(&mut params, &grad, &mut sums).expect("a step");
        assert_same(&f32s(&w), &params, &step);
    }
    optimizer.set_learning_rate(0.25);
    assert_eq!((optimizer.learning_rate(), optimizer.steps()), (0.25, 6));
    assert_eq!(optimizer.options(), opt.with_learning_rate(0.25));
    Ok(())
}

/// A rate that `f32` cannot hold is used as it is for `F64`.
#[test]
fn a_rate_in_f64() -> Result<()> {
    let wide = var(&[1.0], DType::F64);
    let mut optimizer = AdagradOptimizer::new(vec![wide.clone()], Adagrad::new(0.0).into())?;
    optimizer.set_learning_rate(0.1);
    optimizer.step(&gradients(&[(&wide, &tensor(&[3.0], DType::F64))]))?;
    assert_eq!(wide.to_vec1::<f64>()?, [1.0 - (0.1 * 3.0) / (3.0 + f64::from(1e-8_f32))]);
    Ok(())
}

/// As for a norm that is limited anew in each step.
#[test]
fn options_may_change_between_steps() -> Result<()> {
    let w = var(&[1.0], DType::F32);
    let mut optimizer = AdagradOptimizer::new(vec![w.clone()], Adagrad::new(0.5).with_initial_accumulator(1.0).into())?;
    optimizer.set_options(optimizer.options().with_gradient_scale(0.0))?;
    optimizer.step(&gradients(&[(&w, &tensor(&[3.0], DType::F32))]))?;
    assert_eq!(f32s(&w), [1.0]);
    optimizer.set_options(Adagrad::new(77.0).with_weight_decay(WeightDecay::Decoupled(0.5)))?; // the rate is not taken
    optimizer.step(&gradients(&[(&w, &tensor(&[0.0], DType::F32))]))?;
    assert_eq!(f32s(&w), [0.75]);
    let before = optimizer.options();
    let error = optimizer.set_options(Adagrad::new(0.5).with_clip_value(0.0)).expect_err("a bad clip").to_string();
    assert!(error.contains("clip_value is 0, expected finite and above 0"), "{error}");
    assert_eq!(optimizer.options(), before);
    Ok(())
}

#[test]
fn without_a_gradient_nothing_moves_and_integers_are_left_out() -> Result<()> {
    let (w, other) = (var(&[1.0], DType::F32), var(&[1.0], DType::F32));
    let integer = Var::new(&[1_u32], &Device::Cpu)?;
    let opt = Adagrad::new(0.1).with_weight_decay(WeightDecay::Decoupled(0.5));
    let mut optimizer = AdagradOptimizer::new(vec![integer.clone(), w.clone(), other.clone()], opt.into())?;
    assert!(optimizer.accumulator(&integer).is_none());
    optimizer.step(&gradients(&[(&w, &tensor(&[1.0], DType::F32))]))?;
    assert_eq!((f32s(&other)[0], f32s(&w)[0] < 1.0), (1.0, true));
    AdagradOptimizer::empty(opt.into())?.step(&gradients(&[]))
}

#[test]
fn what_cannot_be_stepped_is_refused_and_nothing_is_written() -> Result<()> {
    let (first, second) = (var(&[1.0, 2.0], DType::F32), var(&[3.0, 4.0], DType::BF16));
    let mut optimizer = AdagradOptimizer::new(vec![first.clone(), second.clone()], Adagrad::new(0.1).into())?;
    let good = tensor(&[1.0, 1.0], DType::F32);
    for (bad, message) in [
        (tensor(&[1.0], DType::F32), "variable 1 (BF16, [2]) has a gradient of shape [1]"),
        (Tensor::new(&[1_u32, 1], &Device::Cpu)?, "variable 1 (BF16, [2]) has a gradient of type U32"),
    ] {
        let error = optimizer.step(&gradients(&[(&first, &good), (&second, &bad)])).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    }
    for rate in [-0.1, f64::NAN, f64::INFINITY, 1e300] {
        optimizer.set_learning_rate(rate);
        let error = optimizer.step(&gradients(&[(&first, &good)])).expect_err("a bad rate").to_string();
        assert!(error.contains("learning_rate is "), "{error}");
    }
    assert_eq!((f32s(&first), f32s(&second), optimizer.steps()), (vec![1.0, 2.0], vec![3.0, 4.0], 0));
    assert_eq!(f32s(optimizer.accumulator(&first).expect("one")), [0.0, 0.0]);
    Ok(())
}

#[test]
fn what_cannot_be_made_is_refused() -> Result<()> {
    let w = var(&[1.0], DType::F32);
    let refused = |vars: Vec<Var>, opt: Adagrad, message: &str| {
        let error = AdagradOptimizer::new(vars, opt.into()).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    };
    refused(vec![w.clone(), w.clone()], Adagrad::new(0.1), "variable 1 is there twice");
    refused(vec![w.clone()], Adagrad::new(-0.1), "learning_rate is -0.1, expected finite and at least 0");
    refused(vec![w.clone()], Adagrad::new(0.1).with_initial_accumulator(f32::NAN), "initial_accumulator is NaN");
    if let Some(backend) = Backend::ALL.iter().find(|backend| !backend.is_available()) {
        refused(vec![w.clone()], Adagrad::new(0.1).with_backend(*backend), "not available");
    }
    let twice = vec![("w".into(), w), ("w".into(), var(&[1.0], DType::F32))];
    let error = AdagradOptimizer::named(twice, Adagrad::new(0.1).into()).expect_err("a name twice").to_string();
    assert!(error.contains("name w is there twice"), "{error}");
    Ok(())
}

#[test]
fn skipped_elements_are_counted() -> Result<()> {
    for dtype in [DType::F32, DType::F16, DType::F64] {
        let (w, other) = (var(&[1.0, 2.0], dtype), var(&[1.0], dtype));
        let opt = Adagrad::new(0.5).with_non_finite(NonFinite::Skip);
        let mut optimizer = AdagradOptimizer::new(vec![w.clone(), other.clone()], opt.into())?;
        let [bad, worse] = [&[f32::NAN, 1.0][..], &[f32::INFINITY]].map(|grad| tensor(grad, dtype));
        optimizer.step(&gradients(&[(&w, &bad), (&other, &worse)]))?;
        assert_eq!((optimizer.skipped(), f32s(&w)[0], f32s(&w)[1] < 2.0), (2, 1.0, true));
        optimizer.step(&gradients(&[(&other, &tensor(&[1.0], dtype))]))?;
        assert_eq!(optimizer.skipped(), 0);
    }
    Ok(())
}

#[test]
fn it_may_go_to_another_thread() {
    fn sent<T: Send + Sync>() {}
    sent::<AdagradOptimizer>();
}
