//! Steps on the CPU, in place. An in-place operation of candle changes one tensor, so the accumulator's runs inside of the
//! parameters'.

use core::cell::{Cell, RefCell};

use adagrad::Adagrad;
use candle_core::{CpuStorage, Error, InplaceOp1, InplaceOp2, Layout, Result, Tensor, bail};

use crate::narrow;

/// Steps contiguous `F32`, `BF16` or `F16` parameters by a contiguous gradient of the same type or `F32`, with an `F32`
/// accumulator: how many elements were skipped. The three share no storage.
pub(crate) fn step(options: &Adagrad, params: &Tensor, grads: &Tensor, accumulator: &Tensor) -> Result<usize> {
    let op = OfParameters { options, accumulator, skipped: Cell::new(0) };
    params.inplace_op2(grads, &op)?;
    Ok(op.skipped.get())
}

struct OfParameters<'a> {
    options: &'a Adagrad,
    accumulator: &'a Tensor,
    skipped: Cell<usize>,
}

impl InplaceOp2 for OfParameters<'_> {
    fn name(&self) -> &'static str {
        "adagrad"
    }

    fn cpu_fwd(&self, params: &mut CpuStorage, pl: &Layout, grads: &CpuStorage, gl: &Layout) -> Result<()> {
        let (params, grads) = (RefCell::new((params, pl)), (grads, gl));
        self.accumulator.inplace_op1(&OfAccumulator { outer: self, params, grads })
    }
}

struct OfAccumulator<'a> {
    outer: &'a OfParameters<'a>,
    params: RefCell<(&'a mut CpuStorage, &'a Layout)>,
    grads: (&'a CpuStorage, &'a Layout),
}

impl InplaceOp1 for OfAccumulator<'_> {
    fn name(&self) -> &'static str {
        "adagrad-accumulator"
    }

    fn cpu_fwd(&self, accumulator: &mut CpuStorage, al: &Layout) -> Result<()> {
        use CpuStorage::{BF16, F16, F32};

        let (params, pl) = &mut *self.params.borrow_mut();
        let (grads, gl) = self.grads;
        let (Some(p), Some(g), Some(a), F32(sums)) =
            (pl.contiguous_offsets(), gl.contiguous_offsets(), al.contiguous_offsets(), accumulator)
        else {
            bail!("adagrad: parameters, gradient and accumulator must be contiguous, the accumulator F32");
        };
        let (p, g, sums, options) = (p.0..p.1, g.0..g.1, &mut sums[a.0..a.1], self.outer.options);
        let skipped = match (&mut **params, grads) {
            (F32(w), F32(grads)) => dense(options, &mut w[p], &grads[g], sums),
            (BF16(w), BF16(grads)) => narrow::step(options, &mut w[p], &grads[g], sums),
            (BF16(w), F32(grads)) => narrow::step(options, &mut w[p], &grads[g], sums),
            (F16(w), F16(grads)) => narrow::step(options, &mut w[p], &grads[g], sums),
            (F16(w), F32(grads)) => narrow::step(options, &mut w[p], &grads[g], sums),
            _ => bail!("adagrad: no kernel for these types"),
        };
        self.outer.skipped.set(skipped.map_err(Error::wrap)?);
        Ok(())
    }
}

fn dense(options: &Adagrad, w: &mut [f32], g: &[f32], sums: &mut [f32]) -> core::result::Result<usize, adagrad::Error> {
    #[cfg(feature = "rayon")]
    let report = options.par_step(w, g, sums);
    #[cfg(not(feature = "rayon"))]
    let report = options.step(w, g, sums);
    report.map(|report| report.skipped)
}
