//! Where a row's gradient comes from: there is one for each row, or one for each bag of rows.

use super::blocks::{Blocks, Pass, Place, Source, nothing};
use super::storage::Storage;
use crate::backend::lanes::{Lanes, map};
use crate::table::Indices;

/// The gradients of a step for rows.
pub(crate) trait RowGradients<'a>: Default {
    /// What they hold, as kernels get it.
    type Element: Storage + 'a;

    /// The gradient of the row at a position, which is never before that of the last call.
    fn of<const W: usize, L: Lanes<W>>(&mut self, lanes: L, position: usize, dim: usize) -> &[Self::Element];

    /// The same gradients twice, for parts of the table. The first gets so much of the room that bags have.
    #[cfg(feature = "rayon")]
    fn split(self, room: usize) -> (Self, Self);
}

/// One for each row.
pub(crate) struct OfRows<'a, G> {
    values: &'a [G],
    /// From where one begins to where the next one does.
    stride: usize,
}

impl<'a, G> OfRows<'a, G> {
    #[inline(always)]
    pub(crate) fn new(values: &'a [G], stride: usize) -> Self {
        Self { values, stride }
    }

    /// One of them.
    #[inline(always)]
    fn get(&self, index: usize, dim: usize) -> &'a [G] {
        let start = index.wrapping_mul(self.stride);
        let Some(values) = self.values.get(start..start.wrapping_add(dim)) else {
            never!("a gradient for each row or bag")
        };
        values
    }
}

impl<G> Clone for OfRows<'_, G> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for OfRows<'_, G> {}

impl<G> Default for OfRows<'_, G> {
    #[inline(always)]
    fn default() -> Self {
        Self::new(&[], 0)
    }
}

impl<'a, G: Storage> RowGradients<'a> for OfRows<'a, G> {
    type Element = G;

    #[inline(always)]
    fn of<const W: usize, L: Lanes<W>>(&mut self, _: L, position: usize, dim: usize) -> &[G] {
        self.get(position, dim)
    }

    #[cfg(feature = "rayon")]
    fn split(self, _: usize) -> (Self, Self) {
        (self, self)
    }
}

/// How the rows lie in bags, each of which has one gradient.
#[derive(Default)]
pub(crate) struct BagGradients<'a> {
    /// Where each bag begins among the rows, and where the last one ends.
    offsets: Indices<'a>,
    /// Whether a gradient is divided by the number of rows of its bag.
    mean: bool,
    /// What each row's gradient is multiplied by.
    weights: Option<&'a [f32]>,
    /// Room for a gradient that is divided, multiplied or converted.
    scratch: &'a mut [f32],
    /// How many bags have begun, how many rows the last of them has, and the position behind it.
    begun: usize,
    size: usize,
    end: usize,
}

impl<'a> BagGradients<'a> {
    #[inline(always)]
    pub(crate) fn new(offsets: Indices<'a>, mean: bool, weights: Option<&'a [f32]>, scratch: &'a mut [f32]) -> Self {
        Self { offsets, mean, weights, scratch, begun: 0, size: 0, end: 0 }
    }

    /// The bag of the row at a position, and whether it is another one than that of the last call.
    #[inline(always)]
    fn bag_of(&mut self, position: usize) -> (usize, bool) {
        let mut is_new = false;
        while position >= self.end {
            let Some(end) = self.offsets.get(self.begun.wrapping_add(1)) else { never!("each row is in a bag") };
            (self.size, self.end) = (end.wrapping_sub(self.end), end);
            self.begun = self.begun.wrapping_add(1);
            is_new = true;
        }
        (self.begun.wrapping_sub(1), is_new)
    }

    /// Whether a row's gradient is its bag's.
    #[inline(always)]
    fn are_sums(&self) -> bool {
        !self.mean && self.weights.is_none()
    }

    /// The gradient of the row at a position, of those of the bag, in the room.
    #[inline(always)]
    fn scaled<const W: usize, L: Lanes<W>, G: Storage>(
        &mut self,
        lanes: L,
        position: usize,
        is_new: bool,
        values: &[G],
    ) -> &[f32] {
        let dim = values.len();
        let Some(scaled) = self.scratch.get_mut(..dim) else { never!("room for a gradient") };
        if is_new || self.weights.is_some() {
            let size = if self.mean { self.size as f32 } else { 1.0 };
            let weight = self.weights.and_then(|weights| weights.get(position)).copied().unwrap_or(1.0);
            lanes.call(Blocks { w: scaled, g: values, a: nothing!(dim), pass: &mut Scale { size, weight } });
        }
        scaled
    }

    /// The same bags twice. The first gets so much of the room.
    #[cfg(feature = "rayon")]
    fn split(self, room: usize) -> (Self, Self) {
        let Self { offsets, mean, weights, scratch, .. } = self;
        let (first, second) = scratch.split_at_mut(room.min(scratch.len()));
        (Self::new(offsets, mean, weights, first), Self::new(offsets, mean, weights, second))
    }
}

/// Gradients of `f32`: one for each row, or for each bag.
#[derive(Default)]
pub(crate) struct Gradients<'a> {
    values: OfRows<'a, f32>,
    bags: Option<BagGradients<'a>>,
}

impl<'a> Gradients<'a> {
    /// One for each row.
    #[inline(always)]
    pub(crate) fn for_rows(values: &'a [f32], stride: usize) -> Self {
        Self { values: OfRows::new(values, stride), bags: None }
    }

    /// One for each bag.
    #[inline(always)]
    pub(crate) fn for_bags(values: &'a [f32], stride: usize, bags: BagGradients<'a>) -> Self {
        Self { values: OfRows::new(values, stride), bags: Some(bags) }
    }

    #[inline(always)]
    pub(crate) fn are_of_bags(&self) -> bool {
        self.bags.is_some()
    }

    /// All of them, where each row has its own.
    #[inline(always)]
    pub(super) fn of_rows(&self) -> &'a [f32] {
        if self.bags.is_some() {
            never!("a kernel without bags");
        }
        self.values.values
    }
}

impl<'a> RowGradients<'a> for Gradients<'a> {
    type Element = f32;

    #[inline(always)]
    fn of<const W: usize, L: Lanes<W>>(&mut self, lanes: L, position: usize, dim: usize) -> &[f32] {
        let Some(bags) = &mut self.bags else { return self.values.get(position, dim) };
        let (bag, is_new) = bags.bag_of(position);
        let values = self.values.get(bag, dim);
        if bags.are_sums() { values } else { bags.scaled(lanes, position, is_new, values) }
    }

    #[cfg(feature = "rayon")]
    fn split(self, room: usize) -> (Self, Self) {
        let Self { values, bags } = self;
        let (first, second) = bags.map(|bags| bags.split(room)).unzip();
        (Self { values, bags: first }, Self { values, bags: second })
    }
}

/// Gradients of any type, one for each bag. Each is converted once, so that there is one kernel for all types.
#[cfg(feature = "half")]
pub(crate) struct OfBags<'a, G> {
    values: OfRows<'a, G>,
    bags: BagGradients<'a>,
}

#[cfg(feature = "half")]
impl<'a, G> OfBags<'a, G> {
    #[inline(always)]
    pub(crate) fn new(values: &'a [G], stride: usize, bags: BagGradients<'a>) -> Self {
        Self { values: OfRows::new(values, stride), bags }
    }
}

#[cfg(feature = "half")]
impl<G> Default for OfBags<'_, G> {
    #[inline(always)]
    fn default() -> Self {
        Self { values: OfRows::default(), bags: BagGradients::default() }
    }
}

#[cfg(feature = "half")]
impl<'a, G: Storage> RowGradients<'a> for OfBags<'a, G> {
    type Element = f32;

    #[inline(always)]
    fn of<const W: usize, L: Lanes<W>>(&mut self, lanes: L, position: usize, dim: usize) -> &[f32] {
        let (bag, is_new) = self.bags.bag_of(position);
        self.bags.scaled(lanes, position, is_new, self.values.get(bag, dim))
    }

    #[cfg(feature = "rayon")]
    fn split(self, room: usize) -> (Self, Self) {
        let Self { values, bags } = self;
        let (first, second) = bags.split(room);
        (Self { values, bags: first }, Self { values, bags: second })
    }
}

/// `(g/size)·weight`.
struct Scale {
    size: f32,
    weight: f32,
}

impl Pass for Scale {
    #[inline(always)]
    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        lanes: L,
        scaled: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        _: &mut (impl Place<W, L, N> + ?Sized),
    ) {
        let mut g = g.load(lanes);
        // A division takes time, and one by 1 changes nothing.
        if self.size != 1.0 {
            g = map(
                g,
                #[inline(always)]
                |g| lanes.div(g, lanes.splat(self.size)),
            );
        }
        g = map(
            g,
            #[inline(always)]
            |g| lanes.mul(g, lanes.splat(self.weight)),
        );
        scaled.store(lanes, g);
    }
}
