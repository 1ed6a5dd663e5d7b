//! Steps in place have the bits of the crate's steps of slices, for any layout of the gradient.

mod common;

use adagrad_candle::adagrad::{Arithmetic, Epsilon, NonFinite, Order};
use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer};
use candle_core::{CpuStorage, DType, Device, Storage, Tensor, Var};
use common::{LENGTHS, all_options, assert_same, f32s, gradients, special_values, stepped, tensor, values, var};

#[test]
fn f32_has_the_bits_of_the_crate() {
    // Not `Fast`, whose bits depend on where slices lie.
    for opt in all_options().into_iter().flat_map(|opt| [opt, opt.with_arithmetic(Arithmetic::Fused)]) {
        for len in LENGTHS {
            let (mut w, mut a) = (special_values(len, 1), vec![opt.initial_accumulator(); len]);
            let grads = [special_values(len, 2), values(len, 3)];
            let tensors = grads.each_ref().map(|g| tensor(g, DType::F32));
            let (params, accumulator, skipped) = stepped(Config::new(opt), &tensor(&w, DType::F32), &tensors);
            let expected: usize = grads.iter().map(|g| opt.step(&mut w, g, &mut a).expect("a step").skipped).sum();
            assert_same(&f32s(&params), &w, &(opt, len));
            assert_same(&f32s(&accumulator), &a, &(opt, len));
            assert_eq!(skipped, expected, "{opt:?} {len}");
        }
    }
}

/// A step of 16-bit parameters written plainly: to `f32`, stepped one by one, rounded.
#[test]
fn sixteen_bits_are_rounded_once() {
    let round = |w: f32, dtype| match dtype {
        DType::BF16 => half::bf16::from_f32(w).to_f32(),
        _ => half::f16::from_f32(w).to_f32(),
    };
    for (dtype, grad_dtype) in
        [(DType::BF16, DType::BF16), (DType::BF16, DType::F32), (DType::F16, DType::F16), (DType::F16, DType::F32)]
    {
        for opt in all_options() {
            for len in [0, 7, 1025] {
                let start = tensor(&special_values(len, 1), dtype);
                let grads = [special_values(len, 2), values(len, 3)].map(|g| tensor(&g, grad_dtype));
                let (params, accumulator, skipped) = stepped(Config::new(opt), &start, &grads);
                assert_eq!((params.dtype(), accumulator.dtype()), (dtype, DType::F32));

                let (mut w, mut a, mut expected) = (f32s(&start), vec![opt.initial_accumulator(); len], 0);
                for grad in grads {
                    for ((w, g), a) in w.iter_mut().zip(f32s(&grad)).zip(&mut a) {
                        let (mut new, mut sum) = (*w, *a);
                        let one = core::slice::from_mut;
                        let skipped = opt.step(one(&mut new), &[g], one(&mut sum)).expect("a step").skipped == 1;
                        let new = round(new, dtype);
                        if opt.non_finite() == NonFinite::Skip && (skipped || !new.is_finite()) {
                            expected += 1;
                        } else {
                            (*w, *a) = (new, sum);
                        }
                    }
                }
                assert_same(&f32s(&params), &w, &(dtype, opt, len));
                assert_same(&f32s(&accumulator), &a, &(dtype, opt, len));
                assert_eq!(skipped, expected, "{dtype:?} {opt:?} {len}");
            }
        }
    }
}

/// A parameter that is finite in `f32` and too large for 16 bits is left as it was, on either way.
#[test]
fn what_overflows_sixteen_bits_is_skipped() {
    for (dtype, greatest, update) in [(DType::F16, 65504.0, 16.0), (DType::BF16, 3.389_531_4e38, 1e36)] {
        // d = √G = 2⁻⁶³, so that no square overflows.
        let sum = 2.0_f32.powi(-126);
        let opt = Adagrad::new(1.0).with_epsilon(Epsilon::OutsideSqrt(0.0)).with_order(Order::StepFirst);
        let opt = opt.with_initial_accumulator(sum).with_non_finite(NonFinite::Skip);
        for (share, skips) in [(1.0, true), (0.25, false)] {
            let grad = -update * share * 2.0_f32.powi(-63);
            for by_tensors in [false, true] {
                let config = Config::new(opt).with_tensor_operations(by_tensors);
                let start = tensor(&[greatest, 1.0], dtype);
                let (params, sums, skipped) = stepped(config, &start, &[tensor(&[grad, 0.0], DType::F32)]);
                assert_eq!(skipped, usize::from(skips), "{dtype:?} {share}");
                assert_same(&f32s(&params), &[greatest, 1.0], &(dtype, share));
                assert_eq!(f32s(&sums)[0] == sum, skips, "{dtype:?} {share}");
            }
        }
    }
}

/// Each 16-bit value goes through a step that moves nothing, and through one with an update of half a unit.
#[test]
fn all_sixteen_bit_values_are_kept() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    let bf16: Vec<half::bf16> = all.iter().map(|bits| half::bf16::from_bits(*bits)).collect();
    let f16: Vec<half::f16> = all.iter().map(|bits| half::f16::from_bits(*bits)).collect();
    for start in [Tensor::new(bf16, &Device::Cpu), Tensor::new(f16, &Device::Cpu)] {
        let start = start.expect("a tensor");
        let zeros = start.zeros_like().expect("zeros");
        let (params, ..) = stepped(Config::new(Adagrad::new(0.1)), &start, &[zeros]);
        assert_same(&f32s(&params), &f32s(&start), &start.dtype());
    }
    // 1 − 2⁻⁹ lies between two bf16, of which 1 is the even one; below 1 a unit is 2⁻⁸.
    for (rate, expected) in [(0.001_953_125, 1.0), (0.001_953_3, 0.996_093_75)] {
        let (params, ..) =
            stepped(Config::new(Adagrad::new(rate)), &tensor(&[1.0], DType::BF16), &[tensor(&[1e9], DType::F32)]);
        assert_same(&f32s(&params), &[expected], &rate);
    }
}

#[test]
fn no_memory_is_moved() {
    let pointer = |var: &Var| {
        let (storage, _) = var.storage_and_layout();
        match &*storage {
            Storage::Cpu(CpuStorage::F32(values)) => values.as_ptr(),
            _ => panic!("not F32 on the CPU"),
        }
    };
    let w = var(&values(100, 1), DType::F32);
    let mut optimizer = AdagradOptimizer::new(vec![w.clone()], Adagrad::new(0.1).into()).expect("an optimizer");
    let accumulator = optimizer.accumulator(&w).expect("an accumulator").clone();
    let before = (pointer(&w), pointer(&accumulator));
    optimizer.step(&gradients(&[(&w, &tensor(&values(100, 2), DType::F32))])).expect("a step");
    assert_eq!((pointer(&w), pointer(&accumulator)), before);
}

#[test]
fn gradients_of_any_layout() -> candle_core::Result<()> {
    let base = tensor(&values(240, 1), DType::F32);
    for dtype in [DType::F32, DType::BF16, DType::F64] {
        let base = base.to_dtype(dtype)?;
        let layouts = [
            base.narrow(0, 7, 120)?.reshape((10, 12))?,      // an offset
            base.narrow(0, 0, 120)?.reshape((12, 10))?.t()?, // transposed
            base.reshape((10, 24))?.narrow(1, 5, 12)?,       // some columns
            base.narrow(0, 0, 12)?.broadcast_as((10, 12))?,  // one row for all
            base.reshape((2, 10, 12))?.narrow(0, 1, 1)?.squeeze(0)?,
        ];
        for (i, grad) in layouts.into_iter().enumerate() {
            let start = tensor(&values(120, 2), dtype).reshape((10, 12))?;
            let actual = stepped(Adagrad::pytorch(0.1).into(), &start, core::slice::from_ref(&grad));
            let expected = stepped(Adagrad::pytorch(0.1).into(), &start, &[grad.force_contiguous()?]);
            assert_same(&f32s(&actual.0), &f32s(&expected.0), &(dtype, i));
            assert_same(&f32s(&actual.1), &f32s(&expected.1), &(dtype, i));
        }
    }
    Ok(())
}

/// A gradient of another floating-point type is made the accumulator's.
#[test]
fn gradients_of_any_type() -> candle_core::Result<()> {
    let (start, grad) = (values(50, 1), values(50, 2));
    for dtype in [DType::BF16, DType::F16, DType::F32, DType::F64] {
        for grad_dtype in [DType::BF16, DType::F16, DType::F32, DType::F64] {
            let grad = tensor(&grad, grad_dtype);
            let wide = grad.to_dtype(if dtype == DType::F64 { DType::F64 } else { DType::F32 })?;
            let [actual, expected] =
                [grad, wide].map(|grad| stepped(Adagrad::new(0.1).into(), &tensor(&start, dtype), &[grad]));
            assert_same(&f32s(&actual.0), &f32s(&expected.0), &(dtype, grad_dtype));
            assert_same(&f32s(&actual.1), &f32s(&expected.1), &(dtype, grad_dtype));
        }
    }
    Ok(())
}

/// Neither a deadlock nor an error: a gradient that is the variable, or its accumulator.
#[test]
fn gradients_that_share_storage() -> candle_core::Result<()> {
    let start = values(120, 1);
    for of_accumulator in [false, true] {
        for transposed in [false, true] {
            let w = Var::from_tensor(&tensor(&start, DType::F32).reshape((12, 10))?)?;
            let mut optimizer = AdagradOptimizer::new(vec![w.clone()], Adagrad::keras(0.1).into())?;
            let accumulator = optimizer.accumulator(&w).expect("an accumulator").as_detached_tensor();
            let shared = if of_accumulator { &accumulator } else { w.as_tensor() };
            let shared = if transposed { shared.t()?.reshape((12, 10))? } else { shared.clone() };
            let copy = shared.force_contiguous()?;
            optimizer.step(&gradients(&[(&w, &shared)]))?;
            let expected = stepped(Adagrad::keras(0.1).into(), &tensor(&start, DType::F32).reshape((12, 10))?, &[copy]);
            assert_same(&f32s(&w), &f32s(&expected.0), &(of_accumulator, transposed));
            assert_same(&f32s(&accumulator), &f32s(&expected.1), &(of_accumulator, transposed));
        }
    }
    Ok(())
}

/// The gradient of the second variable is the first as it was before the step.
#[test]
fn gradients_that_are_another_variable() -> candle_core::Result<()> {
    for by_tensors in [false, true] {
        let [first, second] = [1, 2].map(|seed| var(&values(100, seed), DType::F32));
        let config = Config::new(Adagrad::new(0.1)).with_tensor_operations(by_tensors);
        let mut optimizer = AdagradOptimizer::new(vec![first.clone(), second.clone()], config)?;
        let expected = stepped(config, &second.copy()?, &[first.copy()?]);
        optimizer.step(&gradients(&[(&first, &tensor(&values(100, 3), DType::F32)), (&second, first.as_tensor())]))?;
        assert_same(&f32s(&second), &f32s(&expected.0), &by_tensors);
    }
    Ok(())
}

#[cfg(feature = "rayon")]
#[test]
fn threads_have_the_bits_of_one() {
    let (len, opt) = ((1 << 20) + 3, Adagrad::pytorch(0.1));
    let (mut w, g, mut a) = (values(len, 1), values(len, 2), vec![0.0; len]);
    let (params, accumulator, _) = stepped(opt.into(), &tensor(&w, DType::F32), &[tensor(&g, DType::F32)]);
    opt.step(&mut w, &g, &mut a).expect("a step");
    assert_same(&f32s(&params), &w, &"parameters");
    assert_same(&f32s(&accumulator), &a, &"accumulator");
}
