//! Pairs of blocks that lie as `bf16` do when two are taken for one `u32`: the first has the elements with an even place in
//! both, the second has the others. So neither loading nor storing has to move a value to another lane: see
//! docs/decisions.md, "`bf16` in pairs".

use super::blocks::{Pass, Place, Source};
use crate::backend::lanes::Lanes;

/// A pass over groups, of which each two blocks are a pair.
pub(super) struct InPairs<'p, P>(pub(super) &'p mut P);

impl<P: Pass> Pass for InPairs<'_, P> {
    #[inline(always)]
    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        lanes: L,
        w: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        a: &mut (impl Place<W, L, N> + ?Sized),
    ) {
        self.0.blocks(lanes, &mut Pairs(w), &PairsOf(g), &mut Pairs(a));
    }
}

struct PairsOf<'p, P: ?Sized>(&'p P);

impl<const W: usize, L: Lanes<W>, const N: usize, P: Source<W, L, N> + ?Sized> Source<W, L, N> for PairsOf<'_, P> {
    #[inline(always)]
    fn load(&self, lanes: L) -> [L::Vector; N] {
        self.0.load_pairs(lanes)
    }
}

struct Pairs<'p, P: ?Sized>(&'p mut P);

impl<const W: usize, L: Lanes<W>, const N: usize, P: Source<W, L, N> + ?Sized> Source<W, L, N> for Pairs<'_, P> {
    #[inline(always)]
    fn load(&self, lanes: L) -> [L::Vector; N] {
        self.0.load_pairs(lanes)
    }

    #[inline(always)]
    fn are_pairs(&self) -> bool {
        true
    }
}

impl<const W: usize, L: Lanes<W>, const N: usize, P: Place<W, L, N> + ?Sized> Place<W, L, N> for Pairs<'_, P> {
    #[inline(always)]
    fn must_round(&self, is_looked_at: bool) -> bool {
        self.0.must_round(is_looked_at)
    }

    #[inline(always)]
    fn round(&self, lanes: L, values: [L::Vector; N], remainders: [L::Vector; N]) -> [L::Vector; N] {
        self.0.round(lanes, values, remainders)
    }

    #[inline(always)]
    fn dither(
        &self,
        lanes: L,
        values: [L::Vector; N],
        remainders: [L::Vector; N],
        noise: [L::Vector; N],
    ) -> [L::Vector; N] {
        self.0.dither(lanes, values, remainders, noise)
    }

    #[inline(always)]
    fn store(&mut self, lanes: L, values: [L::Vector; N]) {
        self.0.store_pairs(lanes, values);
    }
}
