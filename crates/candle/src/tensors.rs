//! The step as operations of tensors: for types and devices that have no kernel. The formula is that of [`Adagrad`], in its
//! order, and in the accumulator's type.

use adagrad::{Accumulation, Adagrad, Epsilon, NonFinite, Order, WeightDecay};
use candle_core::{DType, Result, Tensor, bail};

/// What a step makes of parameters and accumulator, of which it has written neither.
pub(crate) struct Stepped {
    pub(crate) params: Tensor,
    pub(crate) accumulator: Tensor,
    /// Modulo 2³².
    pub(crate) skipped: usize,
}

/// The step, at a rate in place of that of the options. The gradient has the accumulator's type.
pub(crate) fn step(
    options: &Adagrad,
    rate: f64,
    params: &Tensor,
    grads: &Tensor,
    accumulator: &Tensor,
) -> Result<Stepped> {
    let rate = if accumulator.dtype() == DType::F64 { rate } else { f64::from(rate as f32) };
    let w = params.to_dtype(accumulator.dtype())?;
    let g = gradient(options, &w, grads)?;
    let sum = accumulated(options, accumulator, &g)?;
    let under = if options.order() == Order::StepFirst { accumulator } else { &sum };
    let (d, epsilon) = match options.epsilon() {
        Epsilon::InsideSqrt(epsilon) => (plus(under, epsilon.into())?.sqrt()?, epsilon),
        Epsilon::OutsideSqrt(epsilon) => (plus(&under.sqrt()?, epsilon.into())?, epsilon),
        other => bail!("adagrad: {other:?} is not known here"),
    };
    let kept = match options.weight_decay() {
        WeightDecay::Decoupled(lambda) => w.sub(&times(&times(&w, lambda.into())?, rate)?)?,
        _ => w.clone(),
    };
    let mut moved = kept.sub(&times(&g, rate)?.div(&d)?)?;
    if epsilon == 0.0 {
        moved = d.le(0.0)?.where_cond(&kept, &moved)?;
    }
    let new = moved.to_dtype(params.dtype())?;
    if options.non_finite() == NonFinite::Propagate {
        return Ok(Stepped { params: new, accumulator: sum, skipped: 0 });
    }
    // A difference of a value and itself is 0 where the value is finite, else NaN.
    let moved = new.to_dtype(w.dtype())?;
    let zeros = moved.sub(&moved)?.add(&sum.sub(&sum)?)?;
    let zeros = accumulator.ge(0.0)?.where_cond(&zeros, &plus(&zeros, f64::NAN)?)?;
    let good = zeros.eq(0.0)?;
    let stepped = good.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()?;
    Ok(Stepped {
        params: good.where_cond(&moved, &w)?.to_dtype(params.dtype())?,
        accumulator: good.where_cond(&sum, accumulator)?,
        skipped: w.elem_count() - stepped as usize,
    })
}

/// `g ← scale·g`, `g ← clamp(g, −clip, clip)`, `g ← g + λ·w`.
fn gradient(options: &Adagrad, w: &Tensor, g: &Tensor) -> Result<Tensor> {
    let mut g = g.clone();
    let scale = if options.maximize() { -options.gradient_scale() } else { options.gradient_scale() };
    if scale != 1.0 {
        g = times(&g, scale.into())?;
    }
    if let Some(clip) = options.clip_value() {
        // By comparisons, so that NaN stays NaN: what the minimum of a number and NaN is depends on the device.
        let limit = |limit: f32| Tensor::new(limit, g.device())?.to_dtype(g.dtype())?.broadcast_as(g.shape());
        let below = g.lt(f64::from(-clip))?.where_cond(&limit(-clip)?, &g)?;
        g = g.gt(f64::from(clip))?.where_cond(&limit(clip)?, &below)?;
    }
    match options.weight_decay() {
        WeightDecay::L2(lambda) => g.add(&times(w, lambda.into())?),
        WeightDecay::None | WeightDecay::Decoupled(_) => Ok(g),
        other => bail!("adagrad: {other:?} is not known here"),
    }
}

/// `G ← G + g·g`, `ρ·G + g·g`, or `ρ·G + (1−ρ)·(g·g)`.
fn accumulated(options: &Adagrad, accumulator: &Tensor, g: &Tensor) -> Result<Tensor> {
    let square = g.mul(g)?;
    match options.accumulation() {
        Accumulation::Sum => accumulator.add(&square),
        Accumulation::Leaky(rho) => times(accumulator, rho.into())?.add(&square),
        Accumulation::Ema(rho) => {
            let fresh = if g.dtype() == DType::F64 { 1.0 - f64::from(rho) } else { (1.0 - rho).into() };
            times(accumulator, rho.into())?.add(&times(&square, fresh)?)
        }
        other => bail!("adagrad: {other:?} is not known here"),
    }
}

/// `x·factor`. What is added is −0, which changes no value, zeros included.
fn times(x: &Tensor, factor: f64) -> Result<Tensor> {
    x.affine(factor, -0.0)
}

/// `x + term`.
fn plus(x: &Tensor, term: f64) -> Result<Tensor> {
    x.affine(1.0, term)
}
