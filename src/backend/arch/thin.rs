//! Three slices of one length as three addresses and a length. These fit registers, six words and a rule do not, and a step
//! of a few elements is too short to hide what the stack takes: see docs/decisions.md, "Functions of their own".
#![expect(unsafe_code, reason = "slices from their addresses; see each proof")]

use core::slice;

use crate::backend::lanes::SliceKernel;
use crate::kernel::Rule;

/// The slices again.
///
/// # Safety
///
/// The addresses and the length are those of three slices that stay borrowed for `'a`, the first and the last mutably.
#[inline(always)]
pub(super) unsafe fn slices<'a>(
    w: *mut f32,
    g: *const f32,
    a: *mut f32,
    len: usize,
) -> (&'a mut [f32], &'a [f32], &'a mut [f32]) {
    // SAFETY: the caller's promise.
    unsafe { (slice::from_raw_parts_mut(w, len), slice::from_raw_parts(g, len), slice::from_raw_parts_mut(a, len)) }
}

/// Makes functions that take slices, and call one that takes addresses. If the slices differ in length they do nothing.
macro_rules! thin {
    ($($(#[$attribute:meta])* $visibility:vis fn $name:ident $(<$Kernel:ident>)? = $body:expr;)*) => {$(
        $(#[$attribute])*
        #[inline(always)]
        $visibility fn $name $(<$Kernel: SliceKernel>)? (rule: &Rule<f32>, w: &mut [f32], g: &[f32], a: &mut [f32]) -> usize {
            #[inline(never)]
            unsafe fn inside $(<$Kernel: SliceKernel>)? (
                rule: *const Rule<f32>,
                w: *mut f32,
                g: *const f32,
                a: *mut f32,
                len: usize,
            ) -> usize {
                // SAFETY: see the call, which the borrows of the slices and of the rule last for.
                let ((w, g, a), rule) = unsafe { (slices(w, g, a, len), &*rule) };
                $body(rule, w, g, a)
            }
            let len = w.len();
            if crate::backend::IS_SCALAR {
                // Inlined, so that the compiler drops what constant hyper-parameters turn off.
                return $body(rule, w, g, a);
            }
            if g.len() != len || a.len() != len {
                crate::kernel::never!("the slices have one length");
            }
            // SAFETY: all three slices have this length, and the rule's address is that of a reference: see docs/decisions.md,
            // "Options that are copied".
            unsafe { inside $(::<$Kernel>)? (rule, w.as_mut_ptr(), g.as_ptr(), a.as_mut_ptr(), len) }
        }
    )*};
}

thin! {
    /// The dense step on the detected backend.
    pub(crate) fn detected = crate::step::dense_detected;

    /// The dense step of a few elements.
    pub(crate) fn few = crate::step::dense_few;

    /// The same with weight decay.
    pub(crate) fn few_decayed = crate::step::dense_few_decayed;

    /// A kernel where AVX2 is not known to be there.
    pub(in crate::backend) fn first_or_portable<K> = crate::backend::first_or_portable::<K>;
}
