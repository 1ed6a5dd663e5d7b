//! What stands for the tokens of x86 on other processors: types without values.

use crate::backend::lanes::{Kernel, SliceKernel};
use crate::kernel::Rule;

pub(in crate::backend) enum Absent {}

pub(in crate::backend) use Absent as Avx2;
pub(in crate::backend) use Absent as Avx512;

impl Absent {
    #[inline(always)]
    pub(in crate::backend) fn detect() -> Option<Self> {
        None
    }

    #[inline(always)]
    pub(in crate::backend) fn known() -> Option<Self> {
        None
    }

    pub(in crate::backend) fn enter<K: Kernel>(self, _: K) -> K::Output {
        match self {}
    }

    pub(in crate::backend) fn enter_slices<K: SliceKernel>(
        self,
        _: &Rule<f32>,
        _: &mut [f32],
        _: &[f32],
        _: &mut [f32],
    ) -> usize {
        match self {}
    }
}

#[inline(always)]
pub(in crate::backend) fn remember() {}
