//! The Rust part of benches/peers: nanoseconds of a step by the naive loop, by `adagrad`, by this optimizer and by that of
//! `candle-optimisers`, as lines of JSON. All take turns on one thread, and of each the shortest time counts.
//!
//! `cargo bench --bench peers -- --quick` is shorter, `-- --test` only shows that it works.

use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

use adagrad_candle::{Adagrad, AdagradOptimizer, Optimizer};
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_optimisers::adagrad::{Adagrad as Theirs, ParamsAdaGrad};

const RATE: f32 = 1e-4;
const EPSILON: f32 = 1e-10;
/// Of one measurement, at least.
const SHORTEST: Duration = Duration::from_millis(2);

/// So many tensors of so many elements.
const SHAPES: [(usize, usize); 7] =
    [(1, 1 << 4), (1, 1 << 10), (100, 1 << 10), (1, 1 << 14), (1, 1 << 18), (1, 1 << 22), (1, 1 << 25)];

/// One who is measured: its name, a step, and its shortest time in nanoseconds.
struct Contender {
    who: &'static str,
    step: Box<dyn FnMut() -> Result<()>>,
    least: f64,
}

impl Contender {
    fn new(who: &'static str, step: impl FnMut() -> Result<()> + 'static) -> Self {
        Self { who, step: Box::new(step), least: f64::INFINITY }
    }

    /// Steps for some time.
    fn measure(&mut self) -> Result<()> {
        let (start, mut steps) = (Instant::now(), 0_u32);
        while start.elapsed() < SHORTEST {
            // The clock is read after so many that it does not count.
            for _ in 0..=steps / 4 {
                (self.step)()?;
                steps += 1;
            }
        }
        self.least = self.least.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(steps));
        Ok(())
    }
}

fn main() -> Result<()> {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    let (shapes, seconds, rounds) = match (has("--test"), has("--quick")) {
        (true, _) => (&SHAPES[..2], 0.0, 1),
        (_, true) => (&SHAPES[..6], 1.0, 3),
        _ => (&SHAPES[..], 10.0, 8),
    };
    for (tensors, elements) in shapes {
        for Contender { who, least, .. } in measured(contenders(*tensors, *elements)?, seconds, rounds)? {
            println!(r#"{{"tensors":{tensors},"elements":{elements},"who":"{who}","ns":{least}}}"#);
        }
    }
    Ok(())
}

fn measured(mut contenders: Vec<Contender>, seconds: f64, rounds: usize) -> Result<Vec<Contender>> {
    let (start, mut done) = (Instant::now(), 0);
    while done < rounds || start.elapsed().as_secs_f64() < seconds {
        for i in 0..contenders.len() {
            // Every other time backwards: what one leaves in the caches and the clock meets both its neighbours.
            let i = if done % 2 == 0 { i } else { contenders.len() - 1 - i };
            contenders[i].measure()?;
        }
        done += 1;
    }
    Ok(contenders)
}

fn contenders(tensors: usize, elements: usize) -> Result<Vec<Contender>> {
    let params = ParamsAdaGrad { lr: RATE.into(), eps: EPSILON.into(), ..ParamsAdaGrad::default() };
    let (mut slices, mut own) = (slices(tensors, elements), slices(tensors, elements));
    let ((vars, grads), (their_vars, their_grads)) = (variables(&slices)?, variables(&slices)?);
    let mut ours = AdagradOptimizer::new(vars, Adagrad::pytorch(RATE).into())?;
    let mut theirs = Theirs::new(their_vars, params)?;
    let naive = move || {
        slices.iter_mut().for_each(|(w, g, a)| naive::step(w, g, a, RATE, EPSILON));
        Ok(())
    };
    let options = black_box(Adagrad::pytorch(RATE));
    let step = move || {
        own.iter_mut().try_for_each(|(w, g, a)| options.step(w, g, a).map(drop)).map_err(candle_core::Error::wrap)
    };
    Ok(vec![
        Contender::new("naive", naive),
        Contender::new("adagrad", step),
        Contender::new("adagrad-candle", move || ours.step(&grads)),
        Contender::new("candle-optimisers", move || theirs.step(&their_grads)),
    ])
}

type Slices = (Vec<f32>, Vec<f32>, Vec<f32>);

/// Parameters and accumulators between 1 and 2, and gradients of either sign that are too small to change them.
fn slices(tensors: usize, elements: usize) -> Vec<Slices> {
    let values = |factor: usize| (0..elements).map(move |i| 1.0 + (i * factor % 1013) as f32 / 1013.0);
    let grads = || values(7919).enumerate().map(|(i, value)| value * if i % 2 == 0 { 6e-5 } else { -6e-5 });
    (0..tensors).map(|_| (values(97).collect(), grads().collect(), values(31).collect())).collect()
}

/// Variables of the same content, and a gradient for each.
fn variables(slices: &[Slices]) -> Result<(Vec<Var>, GradStore)> {
    let tensor = |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu);
    let vars: Vec<Var> = slices.iter().map(|(w, ..)| Var::from_tensor(&tensor(w)?)).collect::<Result<_>>()?;
    let mut grads = Tensor::zeros((), DType::F32, &Device::Cpu)?.backward()?;
    for (var, (_, g, _)) in vars.iter().zip(slices) {
        grads.insert(var, tensor(g)?);
    }
    Ok((vars, grads))
}
