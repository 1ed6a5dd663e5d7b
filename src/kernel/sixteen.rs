//! What slices of the 16-bit types hold, and how values are rounded to them.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::storage::{Storage, chance, same_as};
use crate::backend::lanes::Lanes;
use crate::backend::{GREATEST_F16, LEAST_NORMAL_F16};

/// The `f32` before the greatest finite `bf16`.
const BELOW_GREATEST_BF16: f32 = f32::from_bits(0x7F7E_FFFF);

/// The distance between denormal `f16`.
const LEAST_F16: f32 = f32::from_bits((127 - 24) << 23);

/// The bits of an `f32` that a `bf16` keeps, and an `f16` that is not denormal.
const KEPT_BF16: u32 = 0xFFFF_0000;
const KEPT_F16: u32 = 0xFFFF_E000;

const MAGNITUDE: u32 = 0x7FFF_FFFF;

/// What is the same for both types, given how lanes load and store them, and whether storing rounds.
macro_rules! sixteen_bits {
    ($Type:ident, $of:ident, $load:ident, $store:ident, $round:ident, $dither:ident, $stores_any:literal, { $($of_pairs:item)* }) => {
        impl Storage for $Type {
            same_as!($of);
            $($of_pairs)*

            #[inline(always)]
            fn must_round(is_looked_at: bool) -> bool {
                is_looked_at || !$stores_any
            }

            #[inline(always)]
            fn round<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector) -> L::Vector {
                $round(lanes, value)
            }

            #[inline(always)]
            fn dither<const W: usize, L: Lanes<W>>(
                lanes: L,
                value: L::Vector,
                _remainder: L::Vector,
                noise: L::Vector,
            ) -> L::Vector {
                $dither(lanes, value, noise)
            }

            #[inline(always)]
            fn load<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self; W]) -> L::Vector {
                let Some(bits) = from.reinterpret_cast().first_chunk() else { never!("as many", lanes.splat(0.0)) };
                $load(lanes, bits)
            }

            #[inline(always)]
            fn store<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self; W]) {
                let Some(bits) = to.reinterpret_cast_mut().first_chunk_mut() else { never!("as many") };
                $store(lanes, value, bits);
            }

            #[inline(always)]
            fn load_first<const W: usize, L: Lanes<W>>(lanes: L, from: &[Self]) -> L::Vector {
                $load(lanes, &first_of(from.reinterpret_cast()))
            }

            #[inline(always)]
            fn store_first<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, to: &mut [Self]) {
                let mut block = [0; W];
                $store(lanes, value, &mut block);
                copy_first(&block, to.reinterpret_cast_mut());
            }
        }
    };
}
sixteen_bits!(bf16, of_bf16, load_bf16, store_bf16, round_bf16, dither_bf16, false, {
    const LIES_IN_PAIRS: bool = true;

    #[inline(always)]
    fn load_pair<const W: usize, L: Lanes<W>>(lanes: L, [low, high]: &[[Self; W]; 2]) -> [L::Vector; 2] {
        let (Some(low), Some(high)) = (low.reinterpret_cast().first_chunk(), high.reinterpret_cast().first_chunk())
        else {
            never!("as many", [lanes.splat(0.0); 2])
        };
        lanes.load_halves_of_bits(&[*low, *high])
    }

    #[inline(always)]
    fn store_pair<const W: usize, L: Lanes<W>>(
        lanes: L,
        [even, odd]: [L::Vector; 2],
        [low, high]: &mut [[Self; W]; 2],
    ) {
        let mut bits = [[0; W]; 2];
        lanes.store_halves_of_bits(even, odd, &mut bits);
        let (Some(to_low), Some(to_high)) =
            (low.reinterpret_cast_mut().first_chunk_mut(), high.reinterpret_cast_mut().first_chunk_mut())
        else {
            never!("as many")
        };
        [*to_low, *to_high] = bits;
    }
});
sixteen_bits!(f16, of_f16, load_f16, store_f16, round_f16, dither_f16, true, {});

/// At most `W` values, which are at most eight, and 0 for what is missing.
///
/// They are put together in registers: a block that was stored in pieces cannot be loaded as a whole before all of it has left
/// for the cache, which takes longer than the step. See docs/decisions.md, "Less than a block of 16-bit values".
#[inline(always)]
fn first_of<const W: usize>(from: &[u16]) -> [u16; W] {
    let mut block = [0; W];
    if from.len() > 8 {
        never!("lanes of eight step what is less than a block", block);
    }
    let (low, high) = from.split_at(from.len().min(4));
    let low = four(low);
    if let Some(all) = block.first_chunk_mut() {
        *all = bytemuck::must_cast::<[u64; 2], [u16; 8]>([low, four(high)]);
    } else if let Some(all) = block.first_chunk_mut() {
        *all = bytemuck::must_cast::<u64, [u16; 4]>(low);
    } else if let (Some(one), Some(from)) = (block.first_mut(), from.first()) {
        *one = *from;
    }
    block
}

/// At most four values, and 0 for what is missing.
#[inline(always)]
fn four(from: &[u16]) -> u64 {
    if let Some(four) = from.first_chunk::<4>() {
        return bytemuck::must_cast(*four);
    }
    bytemuck::must_cast(match from {
        [a, b, c, ..] => [*a, *b, *c, 0],
        [a, b] => [*a, *b, 0, 0],
        [a] => [*a, 0, 0, 0],
        [] => [0; 4],
    })
}

/// Copies as many values as `to` has, at most eight.
#[inline(always)]
fn copy_first<const W: usize>(from: &[u16; W], to: &mut [u16]) {
    if to.len() > 8 {
        never!("lanes of eight step what is less than a block");
    }
    if let Some(from) = from.first_chunk::<8>() {
        let [low, high] = bytemuck::must_cast::<[u16; 8], [[u16; 4]; 2]>(*from);
        if let Some((first, rest)) = to.split_first_chunk_mut() {
            *first = low;
            copy_four(high, rest);
        } else {
            copy_four(low, to);
        }
    } else if let Some(from) = from.first_chunk() {
        copy_four(*from, to);
    } else if let (Some(from), Some(to)) = (from.first(), to.first_mut()) {
        *to = *from;
    }
}

/// The same of four.
#[inline(always)]
fn copy_four(from: [u16; 4], to: &mut [u16]) {
    if let Some(to) = to.first_chunk_mut() {
        *to = from;
        return;
    }
    let [x, y, z, _] = from;
    match to {
        [a, b, c, ..] => (*a, *b, *c) = (x, y, z),
        [a, b] => (*a, *b) = (x, y),
        [a] => *a = x,
        [] => {}
    }
}

#[inline(always)]
fn load_bf16<const W: usize, L: Lanes<W>>(lanes: L, bits: &[u16; W]) -> L::Vector {
    lanes.shift_left(lanes.load_bits(bits), 16)
}

#[inline(always)]
fn store_bf16<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, bits: &mut [u16; W]) {
    lanes.store_bits(lanes.shift_right(value, 16), bits);
}

/// Half of the last place that is kept, less one bit where the last place is even, is added, and what is below is cut off.
/// A carry goes to the exponent, and from the greatest finite value on to infinity.
#[inline(always)]
fn round_bf16<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector) -> L::Vector {
    let last = lanes.and_bits(lanes.shift_right(value, 16), lanes.splat_bits(1));
    cut_bf16(lanes, value, lanes.add_bits(lanes.splat_bits(0x7FFF), last))
}

/// Instead of half of the last place, a random part of it is added. From the greatest finite value on it is half, as in
/// [`round_bf16`].
#[inline(always)]
fn dither_bf16<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, noise: L::Vector) -> L::Vector {
    let magnitude = lanes.and_bits(value, lanes.splat_bits(MAGNITUDE));
    let inside = lanes.at_most(magnitude, lanes.splat(BELOW_GREATEST_BF16));
    let part = lanes.select(inside, lanes.shift_right(noise, 16), lanes.splat_bits(0x8000));
    cut_bf16(lanes, value, part)
}

/// What is left of the sum, and the one NaN.
#[inline(always)]
fn cut_bf16<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, part: L::Vector) -> L::Vector {
    let cut = lanes.and_bits(lanes.add_bits(value, part), lanes.splat_bits(KEPT_BF16));
    lanes.select(lanes.at_most(value, value), cut, lanes.splat(f32::NAN))
}

#[inline(always)]
fn load_f16<const W: usize, L: Lanes<W>>(lanes: L, bits: &[u16; W]) -> L::Vector {
    lanes.load_f16(bits)
}

#[inline(always)]
fn store_f16<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, bits: &mut [u16; W]) {
    lanes.store_f16(value, bits);
}

#[inline(always)]
fn round_f16<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector) -> L::Vector {
    let mut bits = [0; W];
    lanes.store_f16(value, &mut bits);
    lanes.load_f16(&bits)
}

/// As [`dither_bf16`], but for denormal `f16`, which are not cut-off `f32`: of these the nearest is taken, or its neighbour
/// on the other side of the value. From the greatest finite value on it is left to the nearest.
#[inline(always)]
fn dither_f16<const W: usize, L: Lanes<W>>(lanes: L, value: L::Vector, noise: L::Vector) -> L::Vector {
    let magnitude = lanes.and_bits(value, lanes.splat_bits(MAGNITUDE));
    let sign = lanes.xor_bits(value, magnitude);
    let normal = lanes.and_bits(lanes.add_bits(magnitude, lanes.shift_right(noise, 19)), lanes.splat_bits(KEPT_F16));
    // The last place of ½ is that of the denormal `f16`.
    let half = lanes.splat(0.5);
    let nearest = lanes.sub(lanes.add(magnitude, half), half);
    let rest = lanes.sub(magnitude, nearest);
    let distance = lanes.and_bits(rest, lanes.splat_bits(MAGNITUDE));
    let step = lanes.xor_bits(lanes.splat(LEAST_F16), lanes.xor_bits(rest, distance));
    let moves = lanes.at_most(lanes.mul(chance(lanes, noise), lanes.splat(LEAST_F16)), distance);
    let denormal = lanes.select(moves, lanes.add(nearest, step), nearest);
    let finite = lanes.select(lanes.at_most(lanes.splat(LEAST_NORMAL_F16), magnitude), normal, denormal);
    let is_inside = lanes.at_most(magnitude, lanes.splat(GREATEST_F16));
    lanes.select(is_inside, lanes.xor_bits(finite, sign), round_f16(lanes, value))
}
