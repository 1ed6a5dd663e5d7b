//! The one loop over blocks: groups of them, then single ones, the last of which may be less than a block.

use super::storage::Storage;
use crate::backend::lanes::{Kernel, Lanes, map};

/// How many blocks a group has, but on lanes of one element, where code must be small: see docs/decisions.md, "One group
/// size for all lanes".
pub(crate) const GROUP: usize = 4;

/// The same where the steps of more blocks would not fit the registers: see docs/decisions.md, "Unusual steps on AVX2 are in
/// groups of two".
pub(super) const HALF_GROUP: usize = GROUP / 2;

/// How many parts of slices that are beyond the caches are gone over in turn.
const PARTS: usize = 3;

/// How many elements of a part are gone over before it is the next part's turn, at least: see docs/decisions.md, "In turn,
/// 512 bytes of each part".
const PIECE: usize = 128;

/// Where `N` blocks come from: whole ones, or a slice of at most one.
pub(crate) trait Source<const W: usize, L: Lanes<W>, const N: usize> {
    fn load(&self, lanes: L) -> [L::Vector; N];

    /// The same, of an even number of blocks, as pairs: see [`InPairs`](super::pairs::InPairs).
    #[cfg(feature = "half")]
    #[inline(always)]
    fn load_pairs(&self, lanes: L) -> [L::Vector; N] {
        self.load(lanes)
    }

    /// Whether they are loaded, and stored, as pairs.
    #[cfg(feature = "half")]
    #[inline(always)]
    fn are_pairs(&self) -> bool {
        false
    }
}

/// Where `N` blocks come from and go to.
pub(crate) trait Place<const W: usize, L: Lanes<W>, const N: usize>: Source<W, L, N> {
    /// Whether values must be rounded before they are stored: see [`Storage::must_round`].
    #[inline(always)]
    fn must_round(&self, _is_looked_at: bool) -> bool {
        false
    }

    /// What of the values can be stored. `remainders` is by how much what they stand for is more, or less.
    #[inline(always)]
    fn round(&self, _lanes: L, values: [L::Vector; N], _remainders: [L::Vector; N]) -> [L::Vector; N] {
        values
    }

    /// The same by chance: see [`Storage::dither`].
    #[cfg(feature = "half")]
    #[inline(always)]
    fn dither(
        &self,
        _lanes: L,
        values: [L::Vector; N],
        _remainders: [L::Vector; N],
        _noise: [L::Vector; N],
    ) -> [L::Vector; N] {
        values
    }

    /// Stores values, which have been rounded if they must be, or loaded.
    fn store(&mut self, lanes: L, values: [L::Vector; N]);

    /// The inverse of [`Source::load_pairs`].
    #[cfg(feature = "half")]
    #[inline(always)]
    fn store_pairs(&mut self, lanes: L, values: [L::Vector; N]) {
        self.store(lanes, values);
    }
}

impl<const W: usize, L: Lanes<W>, const N: usize, T: Storage> Source<W, L, N> for [[T; W]; N] {
    #[inline(always)]
    fn load(&self, lanes: L) -> [L::Vector; N] {
        let mut values = [lanes.splat(0.0); N];
        for (value, block) in values.iter_mut().zip(self) {
            *value = T::load(lanes, block);
        }
        values
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn load_pairs(&self, lanes: L) -> [L::Vector; N] {
        let mut values = [lanes.splat(0.0); N];
        for (pair, blocks) in values.as_chunks_mut().0.iter_mut().zip(self.as_chunks().0) {
            *pair = T::load_pair(lanes, blocks);
        }
        values
    }
}

impl<const W: usize, L: Lanes<W>, const N: usize, T: Storage> Place<W, L, N> for [[T; W]; N] {
    #[inline(always)]
    fn must_round(&self, is_looked_at: bool) -> bool {
        T::must_round(is_looked_at)
    }

    #[inline(always)]
    fn round(&self, lanes: L, values: [L::Vector; N], _: [L::Vector; N]) -> [L::Vector; N] {
        map(
            values,
            #[inline(always)]
            |value| T::round(lanes, value),
        )
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn dither(
        &self,
        lanes: L,
        mut values: [L::Vector; N],
        remainders: [L::Vector; N],
        noise: [L::Vector; N],
    ) -> [L::Vector; N] {
        for ((value, remainder), noise) in values.iter_mut().zip(remainders).zip(noise) {
            *value = T::dither(lanes, *value, remainder, noise);
        }
        values
    }

    #[inline(always)]
    fn store(&mut self, lanes: L, values: [L::Vector; N]) {
        for (block, value) in self.iter_mut().zip(values) {
            T::store(lanes, value, block);
        }
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn store_pairs(&mut self, lanes: L, values: [L::Vector; N]) {
        for (blocks, pair) in self.as_chunks_mut().0.iter_mut().zip(values.as_chunks().0) {
            T::store_pair(lanes, *pair, blocks);
        }
    }
}

impl<const W: usize, L: Lanes<W>, const N: usize> Source<W, L, N> for [&[f32; W]; N] {
    #[inline(always)]
    fn load(&self, lanes: L) -> [L::Vector; N] {
        let mut values = [lanes.splat(0.0); N];
        for (value, block) in values.iter_mut().zip(self) {
            *value = lanes.load(block);
        }
        values
    }
}

impl<const W: usize, L: Lanes<W>, T: Storage> Source<W, L, 1> for [T] {
    #[inline(always)]
    fn load(&self, lanes: L) -> [L::Vector; 1] {
        [T::load_first(lanes, self)]
    }
}

impl<const W: usize, L: Lanes<W>, T: Storage> Place<W, L, 1> for [T] {
    #[inline(always)]
    fn must_round(&self, is_looked_at: bool) -> bool {
        T::must_round(is_looked_at)
    }

    #[inline(always)]
    fn round(&self, lanes: L, [value]: [L::Vector; 1], _: [L::Vector; 1]) -> [L::Vector; 1] {
        [T::round(lanes, value)]
    }

    #[cfg(feature = "half")]
    #[inline(always)]
    fn dither(
        &self,
        lanes: L,
        [value]: [L::Vector; 1],
        [remainder]: [L::Vector; 1],
        [noise]: [L::Vector; 1],
    ) -> [L::Vector; 1] {
        [T::dither(lanes, value, remainder, noise)]
    }

    #[inline(always)]
    fn store(&mut self, lanes: L, [value]: [L::Vector; 1]) {
        T::store_first(lanes, value, self);
    }
}

/// At most a block, loaded before all else: it takes branches, which are then taken once.
pub(crate) struct Early<'a, V> {
    loaded: [V; 1],
    to: &'a mut [f32],
}

impl<'a, V> Early<'a, V> {
    #[inline(always)]
    pub(crate) fn load<const W: usize, L: Lanes<W, Vector = V>>(lanes: L, from: &'a mut [f32]) -> Self {
        Self { loaded: [lanes.load_first_apart(from)], to: from }
    }
}

impl<const W: usize, L: Lanes<W>> Source<W, L, 1> for Early<'_, L::Vector> {
    #[inline(always)]
    fn load(&self, _: L) -> [L::Vector; 1] {
        self.loaded
    }
}

impl<const W: usize, L: Lanes<W>> Place<W, L, 1> for Early<'_, L::Vector> {
    #[inline(always)]
    fn store(&mut self, lanes: L, values: [L::Vector; 1]) {
        self.to.store(lanes, values);
    }
}

/// Two halves of a block that lie apart.
pub(crate) struct Halves<'a>(pub(crate) &'a mut [f32; 4], pub(crate) &'a mut [f32; 4]);

impl<const W: usize, L: Lanes<W>> Source<W, L, 1> for Halves<'_> {
    #[inline(always)]
    fn load(&self, lanes: L) -> [L::Vector; 1] {
        [lanes.load_halves(self.0, self.1)]
    }
}

impl<const W: usize, L: Lanes<W>> Place<W, L, 1> for Halves<'_> {
    #[inline(always)]
    fn store(&mut self, lanes: L, [value]: [L::Vector; 1]) {
        lanes.store_halves(value, self.0, self.1);
    }
}

/// What is done to each group of blocks. It holds hyper-parameters and results as `f32`, and so fits lanes of any width.
pub(crate) trait Pass {
    /// Whether what is left, less than a block, is halves of a block, and not one that is padded.
    const IN_HALVES: bool = false;

    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        lanes: L,
        w: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        a: &mut (impl Place<W, L, N> + ?Sized),
    );
}

/// Slices of one length, to be gone over block by block.
pub(crate) struct Blocks<'a, V, G, A, P> {
    pub(crate) w: &'a mut [V],
    pub(crate) g: &'a [G],
    pub(crate) a: &'a mut [A],
    pub(crate) pass: &'a mut P,
}

/// Goes over slices of one length: groups of blocks, then single ones.
#[inline(always)]
pub(crate) fn each_block<const W: usize, L: Lanes<W>, A: Storage>(
    lanes: L,
    w: &mut [f32],
    g: &[f32],
    a: &mut [A],
    pass: &mut impl Pass,
) {
    let (w, g, a) = if W > 1 { each_group::<W, L, f32, f32, A, GROUP>(lanes, w, g, a, false, pass) } else { (w, g, a) };
    Blocks { w, g, a, pass }.run(lanes);
}

/// Goes over the groups, of `N` blocks, of slices of one length, and returns what is left.
///
/// The groups are taken from [`PARTS`] parts of the slices `in_turn`, so that memory has several streams to read ahead.
#[inline(always)]
pub(crate) fn each_group<'s, const W: usize, L: Lanes<W>, P: Storage, G: Storage, A: Storage, const N: usize>(
    lanes: L,
    w: &'s mut [P],
    g: &'s [G],
    a: &'s mut [A],
    in_turn: bool,
    pass: &mut impl Pass,
) -> (&'s mut [P], &'s [G], &'s mut [A]) {
    let groups = w.len() / (W * N);
    let piece = const { PIECE.div_ceil(W * N) };
    let part = groups / PARTS / piece * piece;
    let (part, groups) = if in_turn { (part, part * PARTS) } else { (piece, groups) };
    let done = groups * (W * N);
    let (Some((w, w_rest)), Some((g, g_rest)), Some((a, a_rest))) =
        (w.split_at_mut_checked(done), g.split_at_checked(done), a.split_at_mut_checked(done))
    else {
        never!("the slices have one length", (&mut [], &[], &mut []))
    };
    let (w, g, a) = (w.as_chunks_mut().0, g.as_chunks().0, a.as_chunks_mut().0);
    let (w, g, a) = (w.as_chunks_mut().0, g.as_chunks().0, a.as_chunks_mut().0);
    let (mut first, mut index) = (0, 0);
    while let (Some(w), Some(g), Some(a)) = (w.get_mut(index), g.get(index), a.get_mut(index)) {
        pass.blocks::<W, L, N>(lanes, w, g, a);
        index = index.wrapping_add(1);
        if index.is_multiple_of(piece) {
            index = index.wrapping_add(part - piece);
            if index >= groups {
                first += piece;
                index = if first < part { first } else { groups };
            }
        }
    }
    (w_rest, g_rest, a_rest)
}

/// Single blocks; what is less than one goes to lanes of half the width, if it fits and there are some.
impl<V: Storage, G: Storage, A: Storage, P: Pass> Kernel for Blocks<'_, V, G, A, P> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Blocks { w, g, a, pass } = self;
        if g.len() != w.len() || a.len() != w.len() {
            never!("the slices have one length");
        }
        let ((w, w_rest), (g, g_rest), (a, a_rest)) = (w.as_chunks_mut(), g.as_chunks(), a.as_chunks_mut());
        for ((w, g), a) in w.as_chunks_mut().0.iter_mut().zip(g.as_chunks().0).zip(a.as_chunks_mut().0) {
            pass.blocks::<W, L, 1>(lanes, w, g, a);
        }
        if W == 1 || w_rest.is_empty() {
            return;
        }
        if L::HAS_HALF && (P::IN_HALVES || w_rest.len() <= W / 2) {
            lanes.on_half(Blocks { w: w_rest, g: g_rest, a: a_rest, pass });
        } else {
            pass.blocks::<W, L, 1>(lanes, w_rest, g_rest, a_rest);
        }
    }
}

/// So much of nothing: the third slice of a loop over two.
macro_rules! nothing {
    ($len:expr) => {
        [(); usize::MAX].get_mut(..$len).unwrap_or_default()
    };
}
pub(super) use nothing;
