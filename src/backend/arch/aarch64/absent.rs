//! What stands for the token of NEON on other processors: a type without values.

use crate::backend::lanes::{Kernel, SliceKernel};
use crate::kernel::Rule;

pub(in crate::backend) enum Neon {}

impl Neon {
    #[inline(always)]
    pub(in crate::backend) fn detect() -> Option<Self> {
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
