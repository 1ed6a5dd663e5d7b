//! How a pass rounds what it stores by a stream of random bits.

use super::blocks::{Pass, Place, Source};
use super::rounding::Rounding;
use super::storage::Storage;
use crate::backend::Scalar;
use crate::backend::lanes::Lanes;

/// By random bits, two words for each element of a row: one for its parameter, one for its accumulator.
///
/// The words are the first two of `pcg3d` (Jarzynski and Olano, *Hash Functions for GPU Rendering*, Journal of Computer
/// Graphics Techniques 9, 2020), of the column and two words of a key. The key is made by `SplitMix64` (Steele, Lea and
/// Flood, *Fast Splittable Pseudorandom Number Generators*, 2014): each part of the counter picks an output of the
/// generator that is seeded with the one before.
#[derive(Clone, Copy)]
pub(crate) struct Stream {
    key: u64,
    /// The column of the first element. Its upper half is a part of the key: dense steps are divided where it changes.
    first: u64,
}

impl Stream {
    /// That of a step, of which each row has its own.
    #[inline(always)]
    pub(crate) fn new(seed: u64, step: u64) -> Self {
        Self { key: split_mix(split_mix(seed, 0), step), first: 0 }
    }

    /// From a column on.
    #[inline(always)]
    pub(crate) fn at_column(self, first: u64) -> Self {
        Self { first, ..self }
    }

    /// How many elements there are before the column's lower half wraps around, at most `len`.
    #[inline(always)]
    pub(crate) fn room(self, len: usize) -> usize {
        let room = (1 << 32) - (self.first & 0xFFFF_FFFF);
        usize::try_from(room).unwrap_or(usize::MAX).min(len)
    }
}

/// The `n`th output, counted from 0, of the generator with this seed.
#[inline(always)]
fn split_mix(seed: u64, n: u64) -> u64 {
    let z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Rounding for Stream {
    type Pass<'p, P: Pass + 'p> = Dithering<'p, P>;

    const BY_CHANCE: bool = true;

    #[inline(always)]
    fn of_row(self, row: u64, position: u64) -> Self {
        Self { key: split_mix(split_mix(self.key, row), position), first: 0 }
    }

    #[inline(always)]
    fn one<A: Storage>(self, sum: f32, remainder: f32) -> f32 {
        let (_, noise) = self.wrap(&mut Nothing).words(Scalar);
        A::dither(Scalar, sum, remainder, noise)
    }

    #[inline(always)]
    fn wrap<P: Pass>(self, pass: &mut P) -> Dithering<'_, P> {
        let key = split_mix(self.key, self.first >> 32);
        Dithering { pass, y: linear(key as u32), z: linear((key >> 32) as u32), next: self.first as u32 }
    }

    #[inline(always)]
    fn after(self, elements: usize) -> Self {
        // The upper half stays, as in a pass that goes on: on every backend the words of a row of more columns begin again.
        let column = (self.first as u32).wrapping_add(elements as u32);
        self.at_column(self.first & !u64::from(u32::MAX) | u64::from(column))
    }
}

const MULTIPLIER: u32 = 1_664_525;
const INCREMENT: u32 = 1_013_904_223;

#[inline(always)]
fn linear(x: u32) -> u32 {
    x.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT)
}

/// A pass over elements in order, which are rounded by random bits.
pub(crate) struct Dithering<'p, P> {
    pass: &'p mut P,
    /// The words of the key, after their first step.
    y: u32,
    z: u32,
    /// The column of the next element.
    next: u32,
}

impl<P> Dithering<'_, P> {
    /// The words of the next `W` elements.
    #[inline(always)]
    fn words<const W: usize, L: Lanes<W>>(&mut self, lanes: L) -> (L::Vector, L::Vector) {
        let first = self.next;
        self.next = first.wrapping_add(W as u32);
        self.words_of(lanes, first, 1)
    }

    /// The words of `W` elements, from a column on, as far from each other as the distance.
    #[inline(always)]
    fn words_of<const W: usize, L: Lanes<W>>(&self, lanes: L, first: u32, distance: u32) -> (L::Vector, L::Vector) {
        let mut places = [0.0; W];
        for (place, to) in places.iter_mut().enumerate() {
            *to = f32::from_bits((place as u32).wrapping_mul(distance).wrapping_mul(MULTIPLIER));
        }
        // What is the same for all is one addition: that of `x` by itself, and of the first product.
        let first = linear(first).wrapping_add(self.y.wrapping_mul(self.z));
        let mut x = lanes.add_bits(lanes.load(&places), lanes.splat_bits(first));
        let mut z = lanes.splat_bits(self.z);
        let mut y = plus_product(lanes, lanes.splat_bits(self.y), z, x);
        z = plus_product(lanes, z, x, y);
        (x, y, z) = (mixed(lanes, x), mixed(lanes, y), mixed(lanes, z));
        x = plus_product(lanes, x, y, z);
        y = plus_product(lanes, y, z, x);
        (x, y)
    }
}

#[inline(always)]
fn plus_product<const W: usize, L: Lanes<W>>(lanes: L, a: L::Vector, b: L::Vector, c: L::Vector) -> L::Vector {
    lanes.add_bits(a, lanes.mul_bits(b, c))
}

#[inline(always)]
fn mixed<const W: usize, L: Lanes<W>>(lanes: L, a: L::Vector) -> L::Vector {
    lanes.xor_bits(a, lanes.shift_right(a, 16))
}

impl<P: Pass> Pass for Dithering<'_, P> {
    #[inline(always)]
    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        lanes: L,
        w: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        a: &mut (impl Place<W, L, N> + ?Sized),
    ) {
        let (mut of_w, mut of_a) = ([lanes.splat(0.0); N], [lanes.splat(0.0); N]);
        let first = self.next;
        self.next = first.wrapping_add(const { (N * W) as u32 });
        for (index, (of_w, of_a)) in of_w.iter_mut().zip(&mut of_a).enumerate() {
            let odd = index % 2;
            let (before, distance) = if w.are_pairs() { ((index - odd) * W + odd, 2) } else { (index * W, 1) };
            (*of_w, *of_a) = self.words_of(lanes, first.wrapping_add(before as u32), distance);
        }
        self.pass.blocks(lanes, &mut Dithered { place: w, noise: of_w }, g, &mut Dithered { place: a, noise: of_a });
    }
}

/// A pass that does nothing.
struct Nothing;

impl Pass for Nothing {
    #[inline(always)]
    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        _: L,
        _: &mut (impl Place<W, L, N> + ?Sized),
        _: &(impl Source<W, L, N> + ?Sized),
        _: &mut (impl Place<W, L, N> + ?Sized),
    ) {
    }
}

/// A place that rounds by random bits.
struct Dithered<'p, P: ?Sized, V, const N: usize> {
    place: &'p mut P,
    noise: [V; N],
}

impl<const W: usize, L: Lanes<W>, const N: usize, P: Place<W, L, N> + ?Sized> Source<W, L, N>
    for Dithered<'_, P, L::Vector, N>
{
    #[inline(always)]
    fn load(&self, lanes: L) -> [L::Vector; N] {
        self.place.load(lanes)
    }
}

impl<const W: usize, L: Lanes<W>, const N: usize, P: Place<W, L, N> + ?Sized> Place<W, L, N>
    for Dithered<'_, P, L::Vector, N>
{
    #[inline(always)]
    fn must_round(&self, _: bool) -> bool {
        true
    }

    #[inline(always)]
    fn round(&self, lanes: L, values: [L::Vector; N], remainders: [L::Vector; N]) -> [L::Vector; N] {
        self.place.dither(lanes, values, remainders, self.noise)
    }

    #[inline(always)]
    fn store(&mut self, lanes: L, values: [L::Vector; N]) {
        self.place.store(lanes, values);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    /// The words of the next elements.
    fn words(stream: Stream, count: usize) -> Vec<[u32; 2]> {
        let mut nothing = Nothing;
        let mut pass = stream.wrap(&mut nothing);
        let of_next = |_| pass.words(Scalar);
        (0..count).map(of_next).map(|(of_w, of_a)| [of_w.to_bits(), of_a.to_bits()]).collect()
    }

    /// Wherever a loop over groups ends and another one takes what is left, which depends on the lanes: also in a row of more
    /// than 2³² columns, whose words begin again.
    #[test]
    fn what_is_left_has_the_words_of_one_pass() {
        for first in [0, 7, (1 << 32) - 5, (3 << 32) - 2] {
            let stream = Stream::new(1, 2).of_row(3, 4).at_column(first);
            let all = words(stream, 9);
            for elements in 0..9 {
                assert_eq!(words(stream.after(elements), 9 - elements), all[elements..], "{elements} from {first}");
            }
        }
    }
}
