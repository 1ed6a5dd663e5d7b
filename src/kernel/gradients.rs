//! Where a row's gradient comes from: there is one for each row, or one for each bag of rows.

use super::blocks::{Blocks, Pass, Place, Source, nothing};
use crate::backend::lanes::{Lanes, map};
use crate::table::Indices;

/// The gradients of rows.
#[derive(Default)]
pub(crate) struct Gradients<'a> {
    values: &'a [f32],
    /// From where one begins to where the next one does.
    stride: usize,
    bags: Option<BagGradients<'a>>,
}

/// How the rows lie in bags, each of which has one gradient.
pub(crate) struct BagGradients<'a> {
    /// Where each bag begins among the rows, and where the last one ends.
    pub(crate) offsets: Indices<'a>,
    /// Whether a gradient is divided by the number of rows of its bag.
    pub(crate) mean: bool,
    /// What each row's gradient is multiplied by.
    pub(crate) weights: Option<&'a [f32]>,
    /// Room for a gradient that is divided or multiplied.
    pub(crate) scratch: &'a mut [f32],
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
}

impl<'a> Gradients<'a> {
    /// One for each row.
    #[inline(always)]
    pub(crate) fn for_rows(values: &'a [f32], stride: usize) -> Self {
        Self { values, stride, bags: None }
    }

    /// One for each bag.
    #[inline(always)]
    pub(crate) fn for_bags(values: &'a [f32], stride: usize, bags: BagGradients<'a>) -> Self {
        Self { values, stride, bags: Some(bags) }
    }

    #[inline(always)]
    pub(crate) fn are_of_bags(&self) -> bool {
        self.bags.is_some()
    }

    /// All of them, where there is one for each row.
    #[inline(always)]
    pub(crate) fn of_rows(&self) -> &'a [f32] {
        if self.bags.is_some() {
            never!("a kernel without bags");
        }
        self.values
    }

    /// The same gradients twice, for parts of the table. The first gets so much of the room.
    #[cfg(feature = "rayon")]
    pub(crate) fn split(self, room: usize) -> (Self, Self) {
        let Self { values, stride, bags } = self;
        let Some(BagGradients { offsets, mean, weights, scratch, .. }) = bags else {
            return (Self::for_rows(values, stride), Self::for_rows(values, stride));
        };
        let (first, second) = scratch.split_at_mut(room.min(scratch.len()));
        let bags = |scratch| Self::for_bags(values, stride, BagGradients::new(offsets, mean, weights, scratch));
        (bags(first), bags(second))
    }

    /// The gradient of the row at a position, which is never before that of the last call.
    #[inline(always)]
    pub(crate) fn of<const W: usize, L: Lanes<W>>(&mut self, lanes: L, position: usize, dim: usize) -> &[f32] {
        let Some(bags) = &mut self.bags else {
            return gradient(self.values, position.wrapping_mul(self.stride), dim);
        };
        let mut is_new = false;
        while position >= bags.end {
            let Some(end) = bags.offsets.get(bags.begun.wrapping_add(1)) else { never!("each row is in a bag") };
            (bags.size, bags.end) = (end.wrapping_sub(bags.end), end);
            bags.begun = bags.begun.wrapping_add(1);
            is_new = true;
        }
        let values = gradient(self.values, bags.begun.wrapping_sub(1).wrapping_mul(self.stride), dim);
        if !bags.mean && bags.weights.is_none() {
            return values;
        }
        let Some(scaled) = bags.scratch.get_mut(..dim) else { never!("room for a gradient") };
        if is_new || bags.weights.is_some() {
            let size = if bags.mean { bags.size as f32 } else { 1.0 };
            let weight = bags.weights.and_then(|weights| weights.get(position)).copied().unwrap_or(1.0);
            lanes.call(Blocks { w: scaled, g: values, a: nothing!(dim), pass: &mut Scale { size, weight } });
        }
        scaled
    }
}

/// The gradient that begins at a place.
#[inline(always)]
fn gradient(values: &[f32], start: usize, dim: usize) -> &[f32] {
    let Some(values) = values.get(start..start.wrapping_add(dim)) else { never!("a gradient for each row or bag") };
    values
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
