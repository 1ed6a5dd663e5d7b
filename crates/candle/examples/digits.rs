//! Handwritten digits, learnt by a small network: by this optimizer and by the Adagrad of `candle-optimisers`, side by side.
//!
//! Both start from the same weights and see the same images, so their losses are nearly the same, while the steps of this
//! one take a fraction of the time.

#[path = "../../../examples/common/progress.rs"]
mod progress;
#[path = "../../../examples/common/random.rs"]
mod random;
#[path = "../../../examples/common/text.rs"]
#[expect(dead_code, reason = "this example needs a part of it")]
mod text;

use std::time::{Duration, Instant};

use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer};
use candle_core::{DType, Device, IndexOp, Result, Tensor, bail};
use candle_nn::{Linear, Module, VarBuilder, VarMap, linear, loss};
use candle_optimisers::adagrad::{Adagrad as Theirs, ParamsAdaGrad};
use progress::Progress;
use random::SplitMix64;

/// A line is 64 pixels in 0..=16, then the digit.
const DIGITS: &str = include_str!("../../../examples/data/digits.csv");
const PIXELS: usize = 64;
const HIDDEN: usize = 256;
const TRAINING: usize = 1440; // of 1,797; the others are held out
const BATCH: usize = 32;
const EPOCHS: usize = 15;
const RATE: f64 = 0.02;

fn main() -> Result<()> {
    let (images, digits) = load()?;
    println!(
        "{TRAINING} images of digits to learn from, {} held out; {PIXELS} → {HIDDEN} → 10\n",
        digits.dim(0)? - TRAINING
    );
    let mut ours = Learner::new(|variables| {
        AdagradOptimizer::from_var_map(variables, Config::new(Adagrad::pytorch(RATE as f32)))
    })?;
    let mut theirs = Learner::new(|variables| {
        Theirs::new(variables.all_vars(), ParamsAdaGrad { lr: RATE, ..ParamsAdaGrad::default() })
    })?;
    ours.start(&mut SplitMix64(1))?;
    theirs.start(&mut SplitMix64(1))?;

    let mut random = SplitMix64(2);
    let mut progress = Progress::new("training both", EPOCHS * TRAINING, "images");
    let mut lines = Vec::new();
    for epoch in 1..=EPOCHS {
        let mut order: Vec<u32> = (0..TRAINING as u32).collect();
        for i in (1..TRAINING).rev() {
            order.swap(i, random.below(i + 1));
        }
        let mut losses = [0.0; 2];
        for batch in order.chunks_exact(BATCH) {
            let batch = Tensor::new(batch, &Device::Cpu)?;
            let (x, y) = (images.index_select(&batch, 0)?, digits.index_select(&batch, 0)?);
            losses[0] += ours.learn(&x, &y)?;
            losses[1] += theirs.learn(&x, &y)?;
            progress.advance(BATCH);
        }
        let held_out = (images.i(TRAINING..)?, digits.i(TRAINING..)?);
        let rights = [ours.right(&held_out)?, theirs.right(&held_out)?];
        lines.push((epoch, losses.map(|sum| sum / (TRAINING / BATCH) as f32), rights));
    }
    drop(progress);

    println!("        loss of training          held-out images right");
    println!("epoch   adagrad  optimisers       adagrad  optimisers");
    let last = lines.last().copied();
    for (epoch, [ours, theirs], rights) in lines {
        println!("{epoch:5}   {ours:7.5}  {theirs:10.5}       {:7}  {:10}", rights[0], rights[1]);
    }
    println!("\nshortest step of all {} weights, without the gradients:", text::thousands(ours.weights()));
    for (name, shortest) in [("adagrad-candle", ours.shortest), ("candle-optimisers", theirs.shortest)] {
        println!("{name:18} {:8.1} µs", shortest.as_secs_f64() * 1e6);
    }
    match last {
        Some((_, [loss, _], [right, _])) if loss < 0.06 && right >= 310 => Ok(()),
        last => bail!("expected a loss below 0.06 and at least 310 images right, got {last:?}"),
    }
}

/// All images, with pixels in 0..=1, and their digits.
fn load() -> Result<(Tensor, Tensor)> {
    let (mut images, mut digits) = (Vec::new(), Vec::new());
    for line in DIGITS.lines() {
        let numbers: Vec<u8> = line.split(',').filter_map(|number| number.parse().ok()).collect();
        let [pixels @ .., digit] = &*numbers else { bail!("an empty line") };
        if pixels.len() != PIXELS {
            bail!("a line of {} pixels", pixels.len());
        }
        images.extend(pixels.iter().map(|pixel| f32::from(*pixel) / 16.0));
        digits.push(u32::from(*digit));
    }
    let count = digits.len();
    Ok((Tensor::from_vec(images, (count, PIXELS), &Device::Cpu)?, Tensor::from_vec(digits, count, &Device::Cpu)?))
}

/// A network, its optimizer, and the shortest time of a step.
struct Learner<O> {
    variables: VarMap,
    layers: [Linear; 2],
    optimizer: O,
    shortest: Duration,
}

impl<O: Optimizer> Learner<O> {
    fn new(optimizer: impl Fn(&VarMap) -> Result<O>) -> Result<Self> {
        let variables = VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        let layers = [linear(PIXELS, HIDDEN, builder.pp("hidden"))?, linear(HIDDEN, 10, builder.pp("digits"))?];
        let optimizer = optimizer(&variables)?;
        Ok(Self { variables, layers, optimizer, shortest: Duration::MAX })
    }

    /// Weights as candle draws them, but the same in each run: evenly from −1/√n to 1/√n for n inputs.
    fn start(&mut self, random: &mut SplitMix64) -> Result<()> {
        for (layer, inputs) in [("hidden", PIXELS), ("digits", HIDDEN)] {
            for kind in ["weight", "bias"] {
                let name = format!("{layer}.{kind}");
                let shape = match self.variables.data().lock() {
                    Ok(variables) => variables[&name].shape().clone(),
                    Err(_) => bail!("a thread has panicked"),
                };
                let mut draw = || (random.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0) / (inputs as f32).sqrt();
                let start: Vec<f32> = (0..shape.elem_count()).map(|_| draw()).collect();
                self.variables.set_one(&name, Tensor::from_vec(start, shape, &Device::Cpu)?)?;
            }
        }
        Ok(())
    }

    fn weights(&self) -> usize {
        self.variables.all_vars().iter().map(|var| var.elem_count()).sum()
    }

    fn scores(&self, images: &Tensor) -> Result<Tensor> {
        let [hidden, digits] = &self.layers;
        digits.forward(&hidden.forward(images)?.relu()?)
    }

    /// The loss of a batch, before the step by it.
    fn learn(&mut self, images: &Tensor, digits: &Tensor) -> Result<f32> {
        let loss = loss::cross_entropy(&self.scores(images)?, digits)?;
        let grads = loss.backward()?;
        let start = Instant::now();
        self.optimizer.step(&grads)?;
        self.shortest = self.shortest.min(start.elapsed());
        loss.to_scalar()
    }

    /// How many images it takes for what they are.
    fn right(&self, (images, digits): &(Tensor, Tensor)) -> Result<u32> {
        let right = self.scores(images)?.argmax(1)?.eq(digits)?.to_dtype(DType::U32)?.sum_all()?;
        right.to_scalar()
    }
}
