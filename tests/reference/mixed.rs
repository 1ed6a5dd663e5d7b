//! Steps of 16-bit types written as plainly as they can be, with the conversions of the crate `half`.

use adagrad::{Accumulation, Arithmetic, Element};
use half::{bf16, f16};

use super::Options;

/// How a type is loaded and stored.
pub trait Stored: Element {
    const NAME: &'static str;

    /// The nearest; NaN without sign and payload.
    fn nearest(x: f32) -> Self;

    fn value(self) -> f32;

    /// `x + remainder`, rounded to a neighbour by a random word.
    fn by_chance(x: f32, remainder: f32, word: u32) -> Self;
}

impl Stored for f32 {
    const NAME: &'static str = "f32";

    fn nearest(x: f32) -> f32 {
        x
    }

    fn value(self) -> f32 {
        self
    }

    fn by_chance(x: f32, remainder: f32, word: u32) -> f32 {
        if remainder == 0.0 || !remainder.is_finite() || !x.is_finite() {
            return x;
        }
        let neighbour = if remainder > 0.0 { x.next_up() } else { x.next_down() };
        let chance = ((word >> 9) + 1) as f32 / 8_388_608.0;
        if chance * (neighbour - x).abs() <= remainder.abs() { neighbour } else { x }
    }
}

impl Stored for bf16 {
    const NAME: &'static str = "bf16";

    fn nearest(x: f32) -> bf16 {
        if x.is_nan() { bf16::from_bits(0x7FC0) } else { bf16::from_f32(x) }
    }

    fn value(self) -> f32 {
        self.to_f32()
    }

    fn by_chance(x: f32, _: f32, word: u32) -> bf16 {
        if x.is_nan() || x.abs() >= bf16::MAX.to_f32() {
            return bf16::nearest(x);
        }
        let (kept, share) = ((x.to_bits() >> 16) as u16, x.to_bits() & 0xFFFF);
        bf16::from_bits(kept + u16::from(share + (word >> 16) >= 1 << 16))
    }
}

impl Stored for f16 {
    const NAME: &'static str = "f16";

    fn nearest(x: f32) -> f16 {
        if x.is_nan() { f16::from_bits(0x7E00) } else { f16::from_f32(x) }
    }

    fn value(self) -> f32 {
        self.to_f32()
    }

    fn by_chance(x: f32, _: f32, word: u32) -> f16 {
        if x.is_nan() || x.abs() >= f16::MAX.to_f32() {
            return f16::nearest(x);
        }
        let sign = if x.is_sign_negative() { 0x8000 } else { 0 };
        let magnitude = if x.abs() >= f16::MIN_POSITIVE.to_f32() {
            let share = x.to_bits() & 0x1FFF;
            let below = f16::from_f32(f32::from_bits(x.abs().to_bits() - share)).to_bits();
            below + u16::from(share + (word >> 19) >= 1 << 13)
        } else {
            let places = f64::from(x.abs()) * 2.0_f64.powi(24);
            let nearest = places.round_ties_even();
            let rest = places - nearest;
            let moves = f64::from((word >> 9) + 1) / 8_388_608.0 <= rest.abs();
            (nearest + if moves { rest.signum() } else { 0.0 }) as u16
        };
        f16::from_bits(sign | magnitude)
    }
}

/// The random words of an element, for its parameter and its accumulator: none to round to the nearest.
pub type Words = Option<[u32; 2]>;

/// The `n`th output, counted from 0, of `SplitMix64` with a seed.
fn split_mix(seed: u64, n: u64) -> u64 {
    let mut z = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(n.wrapping_add(1)).wrapping_add(seed);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Those of a column of a row, for the gradient at a position. `pcg3d` as in the paper.
pub fn words([seed, step]: [u64; 2], [row, position, column]: [u64; 3]) -> Words {
    let mut key = split_mix(seed, 0);
    for part in [step, row, position, column >> 32] {
        key = split_mix(key, part);
    }
    let mut v = [column as u32, key as u32, (key >> 32) as u32];
    v = v.map(|v| v.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    for round in 0..2 {
        v[0] = v[0].wrapping_add(v[1].wrapping_mul(v[2]));
        v[1] = v[1].wrapping_add(v[2].wrapping_mul(v[0]));
        v[2] = v[2].wrapping_add(v[0].wrapping_mul(v[1]));
        if round == 0 {
            v = v.map(|v| v ^ (v >> 16));
        }
    }
    Some([v[0], v[1]])
}

impl Options {
    /// What the sum of `kept` and `a·b` lost.
    fn remainder(&self, kept: f32, a: f32, b: f32, sum: f32) -> f32 {
        let product = a * b;
        let separate = kept + product;
        let added = separate - kept;
        let lost = (kept - (separate - added)) + (product - added);
        match self.arithmetic {
            Arithmetic::Fused => (separate - sum) + (lost - a.mul_add(-b, product)),
            _ => lost,
        }
    }

    /// What of the mean or square is added, as a product.
    fn factors(&self, g: f32) -> (f32, f32) {
        match self.accumulation {
            Accumulation::Ema(rho) => (g * g, 1.0 - rho),
            _ => (g, g),
        }
    }

    /// The dense step: how many elements were skipped.
    pub fn step_mixed<P: Stored, G: Stored, A: Stored>(
        &self,
        params: &mut [P],
        grads: &[G],
        accumulator: &mut [A],
        words: impl Fn(u64) -> Words,
    ) -> usize {
        let mut skipped = 0;
        for i in 0..params.len() {
            let (w, before) = (params[i].value(), accumulator[i].value());
            let g = self.gradient(w, grads[i].value());
            let sum = self.accumulate(before, g);
            let d = self.denominator(self.under(before, sum));
            let mut new = self.decay(w);
            if d != 0.0 {
                new -= (self.learning_rate * g) / d;
            }
            let (new, sum) = match words(i as u64) {
                None => (P::nearest(new), A::nearest(sum)),
                Some([of_w, of_a]) => {
                    let (a, b) = self.factors(g);
                    let remainder = self.remainder(self.kept(before), a, b, sum);
                    (P::by_chance(new, 0.0, of_w), A::by_chance(sum, remainder, of_a))
                }
            };
            if self.skips(before, sum.value(), &[new.value()]) {
                skipped += 1;
            } else {
                (params[i], accumulator[i]) = (new, sum);
            }
        }
        skipped
    }
}

/// A row's step in a table with one accumulator per row.
impl Options {
    /// Whether the row was skipped.
    pub fn step_mixed_row<P: Stored, G: Stored, A: Stored>(
        &self,
        params: &mut [P],
        grads: &[G],
        accumulator: &mut A,
        words: impl Fn(u64) -> Words,
    ) -> bool {
        let before = accumulator.value();
        let old: Vec<f32> = params.iter().map(|w| w.value()).collect();
        let g: Vec<f32> = old.iter().zip(grads).map(|(w, g)| self.gradient(*w, g.value())).collect();
        let mut p = [0.0; 8];
        for (j, g) in g.iter().enumerate() {
            p[j % 8] = self.product_plus(*g, *g, p[j % 8]);
        }
        let mean = (((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))) / params.len() as f32;
        let sum = self.accumulate_mean(before, mean);
        let d = self.denominator(self.under(before, sum));
        let rate = (self.learning_rate / d).min(f32::MAX);
        let rate = if (self.learning_rate / d).is_nan() { f32::NAN } else { rate };
        let new_sum = match words(0) {
            None => A::nearest(sum),
            Some([_, word]) => {
                let factor = if let Accumulation::Ema(rho) = self.accumulation { 1.0 - rho } else { 1.0 };
                A::by_chance(sum, self.remainder(self.kept(before), factor, mean, sum), word)
            }
        };
        let mut new = Vec::new();
        for (j, (w, g)) in old.iter().zip(&g).enumerate() {
            let decayed = self.decay(*w);
            let moved = if d == 0.0 { decayed } else { decayed - rate * g };
            new.push(match words(j as u64) {
                None => P::nearest(moved),
                Some([word, _]) => P::by_chance(moved, 0.0, word),
            });
        }
        let values: Vec<f32> = new.iter().map(|w| w.value()).collect();
        if self.skips(before, new_sum.value(), &values) {
            return true;
        }
        params.copy_from_slice(&new);
        *accumulator = new_sum;
        false
    }
}
