//! Nanoseconds an element of one step: by this optimizer, in place and by operations of tensors, and by the Adagrad of
//! `candle-optimisers`. All take turns, and of each the shortest time counts. It is the time of the process on the CPU, so that
//! others who use the machine weigh little.
//!
//! `cargo bench`, or `cargo bench -- --test` for one short round.

use core::time::Duration;

use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_optimisers::adagrad::{Adagrad as Theirs, ParamsAdaGrad};
use cpu_time::ProcessTime;

/// So small that parameters and gradients keep their size.
const RATE: f64 = 1e-6;
const DTYPES: [DType; 4] = [DType::F32, DType::BF16, DType::F16, DType::F64];

/// The shape of what is stepped: so many variables of so many elements.
const SHAPES: [(usize, usize); 4] = [(1, 1 << 10), (100, 1 << 10), (1, 1 << 17), (1, 1 << 20)];

fn main() -> Result<()> {
    let test = std::env::args().any(|argument| argument == "--test");
    println!("{}, {} threads\n", cpu(), std::thread::available_parallelism().map_or(1, usize::from));
    println!("| type | variables × elements | adagrad-candle | by tensors | candle-optimisers | ratio |");
    println!("|---|---:|---:|---:|---:|---:|");
    for dtype in DTYPES {
        for (variables, len) in if test { &SHAPES[..1] } else { &SHAPES[..] } {
            let [ours, tensors, theirs] = measure(dtype, *variables, *len, if test { 1 } else { 30 })?;
            println!(
                "| {dtype:?} | {variables} × {len} | {ours:.2} | {tensors:.2} | {theirs:.2} | {:.1} |",
                theirs / ours
            );
        }
    }
    Ok(())
}

/// Nanoseconds an element of the three.
fn measure(dtype: DType, variables: usize, len: usize, rounds: usize) -> Result<[f64; 3]> {
    let options = Adagrad::pytorch(RATE as f32);
    let params = ParamsAdaGrad { lr: RATE, ..ParamsAdaGrad::default() };
    let memory = || memory(dtype, variables, len);
    let (ours, tensors, theirs) = (memory()?, memory()?, memory()?);
    let mut ours = (AdagradOptimizer::new(ours.0, options.into())?, ours.1);
    let by_tensors = Config::new(options).with_tensor_operations(true);
    let mut tensors = (AdagradOptimizer::new(tensors.0, by_tensors)?, tensors.1);
    let mut theirs = (Theirs::new(theirs.0, params)?, theirs.1);
    let (mut best, at_once) = ([f64::INFINITY; 3], (1 << 18) / (variables * len) + 1);
    for _ in 0..=rounds {
        for (best, taken) in
            best.iter_mut().zip([time(&mut ours, at_once)?, time(&mut tensors, at_once)?, time(&mut theirs, at_once)?])
        {
            *best = best.min(taken);
        }
    }
    Ok(best.map(|seconds| seconds * 1e9 / (variables * len) as f64))
}

/// Variables, and a gradient for each.
fn memory(dtype: DType, variables: usize, len: usize) -> Result<(Vec<Var>, GradStore)> {
    let values = |factor: usize| -> Vec<f32> { (0..len).map(|i| (i * factor % 1013) as f32 / 1013.0 - 0.5).collect() };
    let tensor = |factor| Tensor::from_vec(values(factor), len, &Device::Cpu)?.to_dtype(dtype);
    let (params, grad) = (tensor(97)?, tensor(7919)?);
    let vars: Vec<_> = (0..variables).map(|_| Var::from_tensor(&params)).collect::<Result<_>>()?;
    let mut grads = Tensor::zeros((), dtype, &Device::Cpu)?.backward()?;
    for var in &vars {
        grads.insert(var, grad.force_contiguous()?);
    }
    Ok((vars, grads))
}

/// Seconds of a step: of as many as take some milliseconds. The clock is read after so many steps that it does not count.
fn time<O: Optimizer>((optimizer, grads): &mut (O, GradStore), at_once: usize) -> Result<f64> {
    let (start, mut steps) = (ProcessTime::now(), 0);
    while start.elapsed() < Duration::from_millis(3) {
        for _ in 0..at_once {
            optimizer.step(grads)?;
        }
        steps += at_once;
    }
    Ok(start.elapsed().as_secs_f64() / steps as f64)
}

fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or("CPU of unknown name", |(_, name)| name.trim()).into()
}
