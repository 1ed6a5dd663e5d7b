//! Steps of 16-bit parameters: they are made `f32` in blocks, stepped, and rounded once.
//!
//! This is the one place for them. Where [`adagrad`] has kernels for 16-bit types, they belong here.

use adagrad::{Adagrad, Error, NonFinite};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// Values in a block: 4 kB of each array, which stays in the first-level cache.
const BLOCK: usize = 1024;

/// A type that is exactly made `f32`, and that `f32` is rounded to.
pub(crate) trait Narrow: Copy {
    /// Exactly, for slices of one length.
    fn widen(narrow: &[Self], wide: &mut [f32]);
    /// To the nearest, an even one at a tie, for slices of one length.
    fn round(wide: &[f32], narrow: &mut [Self]);
    /// Whether `f32` that is finite becomes infinite.
    fn overflows(wide: f32) -> bool;
}

macro_rules! half {
    ($type:ty) => {
        impl Narrow for $type {
            fn widen(narrow: &[Self], wide: &mut [f32]) {
                narrow.convert_to_f32_slice(wide);
            }
            fn round(wide: &[f32], narrow: &mut [Self]) {
                narrow.convert_from_f32_slice(wide);
            }
            fn overflows(wide: f32) -> bool {
                wide.is_finite() && !<$type>::from_f32(wide).is_finite()
            }
        }
    };
}
half!(bf16);
half!(f16);

/// For gradients.
impl Narrow for f32 {
    fn widen(narrow: &[Self], wide: &mut [f32]) {
        wide.copy_from_slice(narrow);
    }
    fn round(wide: &[f32], narrow: &mut [Self]) {
        narrow.copy_from_slice(wide);
    }
    fn overflows(_: f32) -> bool {
        false
    }
}

/// The step of [`Adagrad::step`] for slices of one length: how many elements were skipped.
///
/// With [`NonFinite::Skip`] an element is skipped also where the new parameter is finite but is rounded to an infinity.
pub(crate) fn step<W: Narrow, G: Narrow>(
    options: &Adagrad,
    params: &mut [W],
    grads: &[G],
    accumulator: &mut [f32],
) -> Result<usize, Error> {
    let skips = options.non_finite() == NonFinite::Skip;
    let [mut w_block, mut g_block, mut before] = [[0.0; BLOCK]; 3];
    let mut skipped = 0;
    for ((params, grads), accumulator) in
        params.chunks_mut(BLOCK).zip(grads.chunks(BLOCK)).zip(accumulator.chunks_mut(BLOCK))
    {
        let (w, g, before) = (&mut w_block[..params.len()], &mut g_block[..params.len()], &mut before[..params.len()]);
        W::widen(params, w);
        G::widen(grads, g);
        if skips {
            before.copy_from_slice(accumulator);
        }
        skipped += options.step(w, g, accumulator)?.skipped;
        if skips && w.iter().any(|w| W::overflows(*w)) {
            // The gradients are no longer needed.
            W::widen(params, g);
            for (((w, old), sum), before) in w.iter_mut().zip(g).zip(accumulator).zip(before) {
                if W::overflows(*w) {
                    (*w, *sum) = (*old, *before);
                    skipped += 1;
                }
            }
        }
        W::round(w, params);
    }
    Ok(skipped)
}
