//! Conversions from and to `f16` by operations on bits, for lanes without an instruction.

use crate::backend::lanes::Lanes;

/// By how much the exponents' biases differ, in the bits of an `f32`.
const REBIAS: u32 = (127 - 15) << 23;

/// 2⁻¹⁴, the least normal `f16`.
pub(crate) const LEAST_NORMAL_F16: f32 = f32::from_bits((127 - 14) << 23);

/// The greatest finite `f16`.
pub(crate) const GREATEST_F16: f32 = 65504.0;

/// From here on values round to infinity.
const INFINITE_FROM: f32 = 65520.0;

/// The values of some `f16`. A signalling NaN becomes a quiet one only in the next operation.
#[inline(always)]
pub(in crate::backend) fn f16_to_f32<const W: usize, L: Lanes<W>>(lanes: L, from: &[u16; W]) -> L::Vector {
    let bits = lanes.load_bits(from);
    let magnitude = lanes.shift_left(lanes.and_bits(bits, lanes.splat_bits(0x7FFF)), 13);
    let sign = lanes.shift_left(lanes.and_bits(bits, lanes.splat_bits(0x8000)), 16);
    let normal = lanes.add_bits(magnitude, lanes.splat_bits(REBIAS));
    // Those whose exponent is all ones: it must stay so.
    let infinite = lanes.add_bits(normal, lanes.splat_bits(REBIAS));
    // Those whose exponent is 0: with that of 2⁻¹⁴, they are so much too large.
    let least = lanes.splat(LEAST_NORMAL_F16);
    let denormal = lanes.sub(lanes.add_bits(magnitude, least), least);
    let is_finite = lanes.at_most(normal, lanes.splat(GREATEST_F16));
    let finite = lanes.select(lanes.at_most(least, normal), normal, denormal);
    lanes.xor_bits(lanes.select(is_finite, finite, infinite), sign)
}

/// The bits of the nearest `f16`.
#[inline(always)]
pub(in crate::backend) fn f32_to_f16<const W: usize, L: Lanes<W>>(lanes: L, v: L::Vector, to: &mut [u16; W]) {
    let magnitude = lanes.and_bits(v, lanes.splat_bits(0x7FFF_FFFF));
    let sign = lanes.xor_bits(v, magnitude);
    // Half of the last place, less one bit where the last place is even; a carry goes to the exponent.
    let last = lanes.and_bits(lanes.shift_right(magnitude, 13), lanes.splat_bits(1));
    let rounded = lanes.add_bits(lanes.add_bits(magnitude, lanes.splat_bits(0xFFF)), last);
    let normal = lanes.shift_right(lanes.add_bits(rounded, lanes.splat_bits(REBIAS.wrapping_neg())), 13);
    // The last place of ½ is that of the denormal `f16`, 2⁻²⁴.
    let half = lanes.splat(0.5);
    let denormal = lanes.add_bits(lanes.add(magnitude, half), lanes.splat_bits(0.5_f32.to_bits().wrapping_neg()));
    let finite = lanes.select(lanes.at_most(lanes.splat(LEAST_NORMAL_F16), magnitude), normal, denormal);
    let is_infinite = lanes.at_most(lanes.splat(INFINITE_FROM), magnitude);
    let number = lanes.select(is_infinite, lanes.splat_bits(0x7C00), finite);
    let number = lanes.xor_bits(number, lanes.shift_right(sign, 16));
    let is_number = lanes.at_most(magnitude, magnitude);
    lanes.store_bits(lanes.select(is_number, number, lanes.splat_bits(0x7E00)), to);
}
