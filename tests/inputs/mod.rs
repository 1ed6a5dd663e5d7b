//! What the tests feed to the steps: lengths, hyper-parameters, ordinary and special values.
#![allow(dead_code, reason = "each test uses its own part of this file")]

use adagrad::{Accumulation, Arithmetic, Epsilon, NonFinite, Order, WeightDecay};

use crate::reference::{Bags, Options};

/// Lengths at and around every boundary of lanes, of blocks and of groups of blocks, and some beyond.
#[cfg(not(miri))]
pub const LENGTHS: [usize; 52] = [
    0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 23, 24, 25, 31, 32, 33, 47, 48, 63, 64, 65, 95, 96, 97, 127, 128,
    129, 191, 192, 193, 255, 256, 257, 383, 384, 385, 511, 512, 513, 767, 1023, 1024, 1025, 1031, 2047, 4096, 4097,
    4159,
];
#[cfg(miri)]
pub const LENGTHS: [usize; 14] = [0, 1, 2, 3, 5, 8, 13, 16, 17, 33, 64, 100, 129, 200];

/// Of how many sizes or values a test takes one: of 1, but of `n` in Miri, which takes a thousand times as long.
pub const fn one_of(n: usize) -> usize {
    if cfg!(miri) { n } else { 1 }
}

/// Lengths that a step may take in parts: too long for all options. Of twice the last one Node.js ends with a fault after
/// the test for WebAssembly.
#[cfg(not(miri))]
pub const LONG: [usize; 4] = [1 << 17, (1 << 17) + 1, 200_003, (1 << 19) + 17];
#[cfg(miri)]
pub const LONG: [usize; 1] = [1000];

/// Columns of tables: all up to the size of a group of blocks, and some beyond.
pub fn dims() -> impl Iterator<Item = usize> {
    (1..=130).chain([191, 192, 193, 255, 256, 257, 511, 512, 513, 1000, 1024, 1025, 2048, 4099]).step_by(one_of(33))
}

/// How far into its allocation a slice begins, so that no alignment is met by chance.
pub const OFFSETS: [usize; 5] = [0, 1, 3, 7, 13];

/// Values at which arithmetic has its edges.
pub const SPECIAL: [f32; 26] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    1e-45, // the smallest denormal
    -1e-45,
    1e-40,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    1.175_494_2e-38, // the largest denormal
    1e-23,           // its square is denormal
    -1e-19,          // its square is just normal
    1e-8,
    f32::EPSILON,
    0.1,
    1.000_000_1,
    16_777_217.0,
    1.844_674_3e19,  // its square is just finite
    -1.844_674_5e19, // its square is infinite
    1e30,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    -f32::NAN,
];

/// The generator `SplitMix64` (Steele, Lea and Flood, 2014): the same numbers in every run and on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// Ordinary values: either sign, magnitudes from 2⁻²⁰ to 2⁴.
    pub fn ordinary(&mut self) -> f32 {
        let exponent = 107 + self.below(24) as u32;
        let bits = self.bits() as u32;
        f32::from_bits((bits & 0x807F_FFFF) | exponent << 23)
    }

    /// Ordinary values with a zero now and then, and rarely a special one: most groups of blocks are ordinary throughout,
    /// and those that are not lie amid them.
    pub fn sprinkled(&mut self) -> f32 {
        match self.below(200) {
            0..20 => 0.0,
            20 => SPECIAL[self.below(SPECIAL.len())],
            21 => f32::from_bits(self.bits() as u32 & 0x807F_FFFF), // denormal
            22 => f32::from_bits(self.bits() as u32 & 0x1FFF_FFFF), // below 2⁻⁶³
            23 => self.ordinary() * 1e30,
            _ => self.ordinary(),
        }
    }

    /// Ordinary values, a tenth of them zeros.
    pub fn with_zeros(&mut self) -> f32 {
        if self.below(10) == 0 { 0.0 } else { self.ordinary() }
    }

    /// Any value at all: ordinary, special, or a random bit pattern.
    pub fn any(&mut self) -> f32 {
        match self.below(4) {
            0 => SPECIAL[self.below(SPECIAL.len())],
            1 => f32::from_bits(self.bits() as u32),
            _ => self.ordinary(),
        }
    }

    /// A finite value of any exponent, denormals among them, of either sign.
    pub fn any_exponent(&mut self) -> f32 {
        f32::from_bits((self.bits() as u32 & 0x807F_FFFF) | (self.below(255) as u32) << 23)
    }

    /// A value that an accumulator may have: not negative.
    pub fn accumulated(&mut self, value: fn(&mut Self) -> f32) -> f32 {
        match self.below(4) {
            0 => 0.0,
            _ => value(self).abs(),
        }
    }
}

/// Parameters, gradients and accumulators.
#[derive(Clone)]
pub struct State {
    pub params: Vec<f32>,
    pub grads: Vec<f32>,
    pub accumulator: Vec<f32>,
}

impl State {
    pub fn new(len: usize, seed: u64, value: fn(&mut Random) -> f32) -> Self {
        let mut random = Random(seed);
        Self {
            params: (0..len).map(|_| value(&mut random)).collect(),
            grads: (0..len).map(|_| value(&mut random)).collect(),
            accumulator: (0..len).map(|_| random.accumulated(value)).collect(),
        }
    }
}

/// Each way to pool rows in bags: some bags are empty, the first and the last among them, one has one row, and rows are in
/// several bags and twice in one.
pub fn bags(count: usize, table_rows: usize, seed: u64) -> Vec<Bags> {
    let mut random = Random(seed);
    let mut offsets = vec![0, 0];
    let mut end = 0;
    while end < count {
        end = (end + [0, 1, 2, 3, 5, 20][random.below(6)]).min(count);
        offsets.push(end);
    }
    offsets.push(end);
    let rows: Vec<usize> = (0..count).map(|_| random.below(table_rows)).collect();
    let weights: Vec<f32> = (0..count).map(|_| random.ordinary()).collect();
    let mut all = Vec::new();
    for mean in [false, true] {
        for weights in [None, Some(weights.clone())] {
            all.push(Bags { offsets: offsets.clone(), rows: rows.clone(), mean, weights });
        }
        // A row in each.
        all.push(Bags { offsets: (0..=count).collect(), rows: rows.clone(), mean, weights: None });
    }
    all
}

/// Without options: ε on both sides of the root, rounded after each operation and fused.
pub fn plain_options() -> Vec<Options> {
    let mut all = Vec::new();
    for epsilon in [Epsilon::OutsideSqrt(1e-10), Epsilon::InsideSqrt(1e-7)] {
        for arithmetic in [Arithmetic::Separate, Arithmetic::Fused] {
            all.push(Options { arithmetic, ..Options::new(0.1, epsilon) });
        }
    }
    all
}

/// Every option on and off, in every combination that takes another path.
pub fn options() -> Vec<Options> {
    let mut all = Vec::new();
    for epsilon in [
        Epsilon::OutsideSqrt(1e-8),
        Epsilon::InsideSqrt(1e-8),
        Epsilon::OutsideSqrt(0.0),
        Epsilon::InsideSqrt(0.0),
        Epsilon::InsideSqrt(1e-45),
    ] {
        for weight_decay in [WeightDecay::None, WeightDecay::L2(0.01), WeightDecay::Decoupled(0.01)] {
            for arithmetic in [Arithmetic::Separate, Arithmetic::Fused] {
                for (gradient_scale, clip_value, maximize) in [
                    (1.0, None, false),
                    (1.0, None, true),
                    (0.37, None, false),
                    (1.0, Some(0.5), false),
                    (-1024.0, Some(1e-3), true),
                ] {
                    for (accumulation, non_finite, order) in [
                        (Accumulation::Sum, NonFinite::Propagate, Order::AccumulateFirst),
                        (Accumulation::Sum, NonFinite::Skip, Order::AccumulateFirst),
                        (Accumulation::Sum, NonFinite::Propagate, Order::StepFirst),
                        (Accumulation::Sum, NonFinite::Skip, Order::StepFirst),
                        (Accumulation::Leaky(0.9), NonFinite::Propagate, Order::AccumulateFirst),
                        (Accumulation::Ema(0.99), NonFinite::Skip, Order::AccumulateFirst),
                        (Accumulation::Ema(0.0), NonFinite::Propagate, Order::AccumulateFirst),
                        (Accumulation::Leaky(0.0), NonFinite::Skip, Order::AccumulateFirst),
                    ] {
                        all.push(Options {
                            learning_rate: 0.1,
                            epsilon,
                            weight_decay,
                            gradient_scale,
                            clip_value,
                            maximize,
                            arithmetic,
                            accumulation,
                            non_finite,
                            order,
                        });
                    }
                }
            }
        }
    }
    all.into_iter().step_by(one_of(97)).collect()
}
