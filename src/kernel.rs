//! The mathematics of the step, written once over [`Lanes`].

use crate::lanes::{Kernel, Lanes};
use crate::table::RowIndex;

/// How many running sums a row's squares go to, element `j` to sum `j mod 8`.
const SUM_LANES: usize = 8;

/// The hyper-parameters as the kernels use them. `T` is `f32`, or a vector with the same value in each lane.
///
/// The flags do not change within a call. They are branches, not copies of the kernel, so that the binary stays small;
/// but there are two copies, one of which has no branches for options that are rarely on: see [`Rule::plain`].
#[derive(Clone, Copy)]
pub(crate) struct Rule<T> {
    pub(crate) learning_rate: T,
    pub(crate) epsilon: T,
    pub(crate) scale: T,
    pub(crate) clip: T,
    pub(crate) minus_clip: T,
    pub(crate) l2: T,
    pub(crate) decoupled: T,
    pub(crate) retained: T,
    pub(crate) fresh: T,
    pub(crate) flags: Flags,
}

/// Which terms of the update are on: a set of bits, so that one test tells whether any of several is.
#[derive(Clone, Copy)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const EPSILON_INSIDE: Self = Self(1 << 0);
    pub(crate) const FUSED: Self = Self(1 << 1);
    /// Needs `2⁻¹⁰⁰ ≤ ε ≤ 2⁶⁰` and `η ≤ 2⁶⁰`.
    pub(crate) const FAST: Self = Self(1 << 2);
    pub(crate) const EPSILON_IS_ZERO: Self = Self(1 << 3);
    pub(crate) const SCALE: Self = Self(1 << 4);
    pub(crate) const CLIP: Self = Self(1 << 5);
    pub(crate) const L2: Self = Self(1 << 6);
    pub(crate) const DECOUPLED: Self = Self(1 << 7);
    pub(crate) const FORGET: Self = Self(1 << 8);
    pub(crate) const AVERAGE: Self = Self(1 << 9);
    pub(crate) const SKIP: Self = Self(1 << 10);

    /// Those that stay in [`Rule::plain`].
    const USUAL: Self = Self(Self::EPSILON_INSIDE.0 | Self::FUSED.0 | Self::FAST.0);

    /// With another one, if it is on.
    pub(crate) const fn with(self, flag: Self, on: bool) -> Self {
        if on { Self(self.0 | flag.0) } else { self }
    }

    #[inline(always)]
    fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }
}

impl Rule<f32> {
    #[inline(always)]
    fn splat<const W: usize, L: Lanes<W>>(&self, lanes: L) -> Rule<L::Vector> {
        Rule {
            learning_rate: lanes.splat(self.learning_rate),
            epsilon: lanes.splat(self.epsilon),
            scale: lanes.splat(self.scale),
            clip: lanes.splat(self.clip),
            minus_clip: lanes.splat(self.minus_clip),
            l2: lanes.splat(self.l2),
            decoupled: lanes.splat(self.decoupled),
            retained: lanes.splat(self.retained),
            fresh: lanes.splat(self.fresh),
            flags: self.flags,
        }
    }
}

impl<V: Copy> Rule<V> {
    /// The same rule, if only the usual options are on. Here the flags of all others are constants, which takes their
    /// branches out of the loops: with them a block of eight takes half as long again.
    #[inline(always)]
    fn plain(&self) -> Option<Self> {
        let usual = self.flags.0 & Flags::USUAL.0;
        (usual == self.flags.0).then_some(Self { flags: Flags(usual), ..*self })
    }

    /// `a·b + c`: rounded once if fused, else after the product and after the sum.
    #[inline(always)]
    fn product_plus<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, a: V, b: V, c: V) -> V {
        if self.flags.has(Flags::FUSED) { lanes.mul_add(a, b, c) } else { lanes.add(c, lanes.mul(a, b)) }
    }

    /// `g ← scale·g`, `g ← clamp(g, −clip, clip)`, `g ← g + λ·w`.
    #[inline(always)]
    fn gradient<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, w: V, mut g: V) -> V {
        if self.flags.has(Flags::SCALE) {
            g = lanes.mul(self.scale, g);
        }
        if self.flags.has(Flags::CLIP) {
            // The gradient stands second, so that NaN stays NaN.
            g = lanes.max(self.minus_clip, lanes.min(self.clip, g));
        }
        if self.flags.has(Flags::L2) {
            g = self.product_plus(lanes, self.l2, w, g);
        }
        g
    }

    /// What of the accumulator is added to: `G`, or `ρ·G`.
    #[inline(always)]
    fn kept<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V) -> V {
        if self.flags.has(Flags::FORGET) { lanes.mul(self.retained, accumulator) } else { accumulator }
    }

    /// The accumulator to keep. If bad gradients are skipped it stays finite, or one that is huge would freeze its
    /// parameters for ever, forgetting or not. The denominator is that of the sum before, so that no step gets larger.
    #[inline(always)]
    fn saturated<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V) -> V {
        if self.flags.has(Flags::SKIP) { lanes.min(lanes.splat(f32::MAX), accumulator) } else { accumulator }
    }

    /// `G ← G + g·g`, `ρ·G + g·g`, or `ρ·G + (1−ρ)·(g·g)`.
    #[inline(always)]
    fn accumulate<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V, g: V) -> V {
        let kept = self.kept(lanes, accumulator);
        if self.flags.has(Flags::AVERAGE) {
            self.product_plus(lanes, self.fresh, lanes.mul(g, g), kept)
        } else {
            self.product_plus(lanes, g, g, kept)
        }
    }

    /// `G ← G + m`, `ρ·G + m`, or `ρ·G + (1−ρ)·m`, where `m` is the mean of a row's squares.
    #[inline(always)]
    fn accumulate_mean<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V, mean: V) -> V {
        let kept = self.kept(lanes, accumulator);
        if self.flags.has(Flags::AVERAGE) {
            self.product_plus(lanes, self.fresh, mean, kept)
        } else {
            lanes.add(kept, mean)
        }
    }

    /// `d ← √G + ε` or `√(G + ε)`.
    #[inline(always)]
    fn denominator<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V) -> V {
        if self.flags.has(Flags::EPSILON_INSIDE) {
            root(lanes, lanes.add(accumulator, self.epsilon))
        } else {
            lanes.add(root(lanes, accumulator), self.epsilon)
        }
    }

    /// `a/d` up to [`Fast`](crate::Arithmetic::Fast)'s error, if it is on and the lanes have estimates: an estimate of
    /// `1/d` and one Newton step.
    ///
    /// The step leaves a relative error of `−¾·r²` or `−r²`, where `r` is about twice the estimate's error `E` or `E`
    /// itself: always of one sign, so half of the greatest is added. With the roundings of `p`, of the product in `e` and
    /// of the result, and those of the exact way, the two differ by at most 4 units in the last place, for any estimate
    /// with an error within `E`.
    ///
    /// No value overflows on the way: `d` is at least 2⁻¹⁰⁰, and where it is infinite `y` and the result are 0.
    #[inline(always)]
    fn approximate_quotient<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, a: V, sum: V) -> Option<V> {
        if !self.flags.has(Flags::FAST) {
            return None;
        }
        let square = L::ESTIMATE_ERROR * L::ESTIMATE_ERROR;
        let (y, e);
        if self.flags.has(Flags::EPSILON_INSIDE) {
            let half;
            (y, half) = lanes.rsqrt_and_half(lanes.add(sum, self.epsilon))?;
            e = minus_product(lanes, lanes.splat(0.5 + 0.75 * square), lanes.mul(half, y), y);
        } else {
            let d = self.denominator(lanes, sum);
            y = lanes.reciprocal(d)?;
            // A finite `d` if it is infinite; NaN stays NaN.
            let d = lanes.min(lanes.splat(f32::MAX), d);
            e = minus_product(lanes, lanes.splat(1.0 + 0.5 * square), d, y);
        }
        let p = lanes.mul(a, y);
        Some(lanes.mul_add(p, e, p))
    }

    /// `w ← w − (w·λ)·η`.
    #[inline(always)]
    fn decay<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, w: V) -> V {
        if self.flags.has(Flags::DECOUPLED) {
            lanes.sub(w, lanes.mul(lanes.mul(w, self.decoupled), self.learning_rate))
        } else {
            w
        }
    }

    /// `moved`, or `w` where `d = 0`, which needs ε = 0.
    #[inline(always)]
    fn unless_zero<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, d: V, w: V, moved: V) -> V {
        if self.flags.has(Flags::EPSILON_IS_ZERO) { lanes.if_zero(d, w, moved) } else { moved }
    }

    /// The element-wise update of a block: new parameters, new accumulators, and how many elements were skipped.
    #[inline(always)]
    fn updated<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, w: V, g: V, a: V) -> (V, V, usize) {
        let g = self.gradient(lanes, w, g);
        let sum = self.accumulate(lanes, a, g);
        let new_a = self.saturated(lanes, sum);
        let decayed = self.decay(lanes, w);
        let scaled = lanes.mul(self.learning_rate, g);
        let new_w = if let Some(quotient) = self.approximate_quotient(lanes, scaled, sum) {
            lanes.sub(decayed, quotient)
        } else {
            let d = self.denominator(lanes, sum);
            self.unless_zero(lanes, d, decayed, lanes.sub(decayed, lanes.div(scaled, d)))
        };
        if self.flags.has(Flags::SKIP) {
            // Not finite where `g` is not, and where the product overflows.
            let (new_w, new_a) = (lanes.if_finite(scaled, new_w, w), lanes.if_finite(scaled, new_a, a));
            (new_w, new_a, lanes.count_non_finite(scaled))
        } else {
            (new_w, new_a, 0)
        }
    }

    /// The element-wise update of three slices of one length. The result is the number of elements skipped.
    #[inline(always)]
    fn elements<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        params: &mut [f32],
        grads: &[f32],
        accumulator: &mut [f32],
    ) -> usize {
        // What is left behind the last whole block is updated as part of a block that overlaps that one. It starts from
        // the values of before, so the elements in both get the same result from both, but would be counted twice.
        let overlap = match (params.last_chunk(), grads.last_chunk(), accumulator.last_chunk()) {
            (Some(w), Some(g), Some(a)) if !params.len().is_multiple_of(W) && !self.flags.has(Flags::SKIP) => {
                Some((lanes.load(w), lanes.load(g), lanes.load(a)))
            }
            _ => None,
        };
        let (w_blocks, w_tail) = params.as_chunks_mut::<W>();
        let (g_blocks, g_tail) = grads.as_chunks::<W>();
        let (a_blocks, a_tail) = accumulator.as_chunks_mut::<W>();
        let mut skipped = 0;
        for ((w, g), a) in w_blocks.iter_mut().zip(g_blocks).zip(a_blocks) {
            let (new_w, new_a, count) = self.updated(lanes, lanes.load(w), lanes.load(g), lanes.load(a));
            lanes.store(new_w, w);
            lanes.store(new_a, a);
            skipped += count;
        }
        if let Some((w, g, a)) = overlap {
            let (new_w, new_a, _) = self.updated(lanes, w, g, a);
            if let (Some(w), Some(a)) = (params.last_chunk_mut(), accumulator.last_chunk_mut()) {
                lanes.store(new_w, w);
                lanes.store(new_a, a);
            }
        } else if !w_tail.is_empty() {
            let (w, g, a) = (lanes.load_first(w_tail), lanes.load_first(g_tail), lanes.load_first(a_tail));
            let (new_w, new_a, count) = self.updated(lanes, w, g, a);
            lanes.store_first(new_w, w_tail);
            lanes.store_first(new_a, a_tail);
            skipped += count;
        }
        skipped
    }

    /// One row-wise update of a row and its one accumulator:
    /// `G ← G + (Σ g²)/dim`, `s ← η/d`, `w ← w − s·g`. The result is the number of rows skipped: 0 or 1.
    ///
    /// The sum runs in eight lanes, element `j` in lane `j mod 8`, that are added as a tree. This is the order of
    /// FBGEMM's kernels.
    #[inline(always)]
    fn row_wise<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        params: &mut [f32],
        grads: &[f32],
        accumulator: &mut f32,
    ) -> usize {
        let dim = params.len() as f32;
        let sum = self.sum_of_squares(lanes, params, grads);
        // The sum of a row with a bad gradient is not finite. The converse fails: finite squares may overflow it.
        if self.flags.has(Flags::SKIP) && !sum.is_finite() && self.any_non_finite(lanes, params, grads) {
            return 1;
        }
        let a = self.accumulate_mean(lanes, lanes.splat(*accumulator), lanes.splat(sum / dim));
        let mut stored = [0.0; W];
        lanes.store(self.saturated(lanes, a), &mut stored);
        if let Some(first) = stored.first() {
            *accumulator = *first;
        }

        let d = self.denominator(lanes, a);
        let rate = lanes.div(self.learning_rate, d);
        let overlap = match (params.last_chunk(), grads.last_chunk()) {
            (Some(w), Some(g)) if !params.len().is_multiple_of(W) => Some((lanes.load(w), lanes.load(g))),
            _ => None,
        };
        let (w_blocks, w_tail) = params.as_chunks_mut::<W>();
        let (g_blocks, g_tail) = grads.as_chunks::<W>();
        for (w, g) in w_blocks.iter_mut().zip(g_blocks) {
            lanes.store(self.moved(lanes, rate, d, lanes.load(w), lanes.load(g)), w);
        }
        if let Some((w, g)) = overlap {
            if let Some(to) = params.last_chunk_mut() {
                lanes.store(self.moved(lanes, rate, d, w, g), to);
            }
        } else if !w_tail.is_empty() {
            let (w, g) = (lanes.load_first(w_tail), lanes.load_first(g_tail));
            lanes.store_first(self.moved(lanes, rate, d, w, g), w_tail);
        }
        0
    }

    /// `Σ g²` of a row's gradients.
    #[inline(always)]
    fn sum_of_squares<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, params: &[f32], grads: &[f32]) -> f32 {
        let mut p = [0.0; SUM_LANES];
        let (sums, _) = p.as_chunks_mut::<W>();
        let (w_groups, w_tail) = params.as_chunks::<SUM_LANES>();
        let (g_groups, g_tail) = grads.as_chunks::<SUM_LANES>();
        for (w, g) in w_groups.iter().zip(g_groups) {
            let ((w_blocks, _), (g_blocks, _)) = (w.as_chunks::<W>(), g.as_chunks::<W>());
            for ((w, g), sum) in w_blocks.iter().zip(g_blocks).zip(&mut *sums) {
                lanes.store(self.plus_square(lanes, lanes.load(w), lanes.load(g), lanes.load(sum)), sum);
            }
        }
        // In a block that is not full the last lanes are 0, and adding its square changes no sum.
        for ((w, g), sum) in w_tail.chunks(W).zip(g_tail.chunks(W)).zip(sums) {
            let (w, g) = (lanes.load_first(w), lanes.load_first(g));
            lanes.store(self.plus_square(lanes, w, g, lanes.load(sum)), sum);
        }
        ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
    }

    /// `sum + g·g`.
    #[inline(always)]
    fn plus_square<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, w: V, g: V, sum: V) -> V {
        let g = self.gradient(lanes, w, g);
        self.product_plus(lanes, g, g, sum)
    }

    /// `w − s·g` for one block, where the row's `s` is `rate` and its denominator `d`.
    #[inline(always)]
    fn moved<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, rate: V, d: V, w: V, g: V) -> V {
        let g = self.gradient(lanes, w, g);
        let w = self.decay(lanes, w);
        self.unless_zero(lanes, d, w, lanes.sub(w, lanes.mul(rate, g)))
    }

    /// Whether any of a row's gradients, transformed, is infinite or NaN.
    #[inline(always)]
    fn any_non_finite<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, params: &[f32], grads: &[f32]) -> bool {
        let mut count = 0;
        for (w, g) in params.chunks(W).zip(grads.chunks(W)) {
            count += lanes.count_non_finite(self.gradient(lanes, lanes.load_first(w), lanes.load_first(g)));
        }
        count > 0
    }
}

/// `√x`, correctly rounded.
#[inline(always)]
fn root<const W: usize, L: Lanes<W>>(lanes: L, x: L::Vector) -> L::Vector {
    lanes.sqrt(x)
}

/// `c − a·b`, rounded once.
#[inline(always)]
fn minus_product<const W: usize, L: Lanes<W>>(lanes: L, c: L::Vector, a: L::Vector, b: L::Vector) -> L::Vector {
    lanes.mul_add(a, lanes.sub(lanes.splat(-0.0), b), c)
}

/// The dense step. The three slices have one length.
pub(crate) struct Dense<'a> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [f32],
    pub(crate) grads: &'a [f32],
    pub(crate) accumulator: &'a mut [f32],
}

impl Kernel for Dense<'_> {
    /// The number of elements skipped.
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Self { rule, params, grads, accumulator } = self;
        let rule = rule.splat(lanes);
        match rule.plain() {
            Some(plain) => plain.elements(lanes, params, grads, accumulator),
            None => rule.elements(lanes, params, grads, accumulator),
        }
    }
}

/// A step for some rows of a table, with one accumulator per element or, if `ROW_WISE`, one per row.
///
/// `params` is a multiple of `dim` long, `accumulator` holds `dim` values per row or, row-wise, one, `grads` is as
/// long as `rows` times `dim`, and each row is in the table.
///
/// If `PART`, then `params` and `accumulator` are a part of the table, from `first_row` on, and rows outside of it are
/// passed over.
pub(crate) struct Rows<'a, I, const ROW_WISE: bool, const PART: bool> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) first_row: usize,
    pub(crate) dim: usize,
    pub(crate) rows: &'a [I],
    pub(crate) grads: &'a [f32],
}

impl<I: RowIndex, const ROW_WISE: bool, const PART: bool> Kernel for Rows<'_, I, ROW_WISE, PART> {
    /// The number of elements or, row-wise, rows skipped.
    type Output = usize;

    const MAX_LANES: usize = if ROW_WISE { SUM_LANES } else { usize::MAX };

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let rule = self.rule.splat(lanes);
        match rule.plain() {
            Some(plain) => self.each(lanes, plain),
            None => self.each(lanes, rule),
        }
    }
}

impl<I: RowIndex, const ROW_WISE: bool, const PART: bool> Rows<'_, I, ROW_WISE, PART> {
    /// One update after the other. The result is the number of elements or rows skipped.
    #[inline(always)]
    fn each<const W: usize, L: Lanes<W>>(self, lanes: L, rule: Rule<L::Vector>) -> usize {
        let mut grads = self.grads;
        let mut skipped = 0;
        let part_rows = if PART { self.params.len().checked_div(self.dim).unwrap_or(0) } else { 0 };
        for row in self.rows {
            // The caller has checked every row, so none of these breaks is taken; written as they are, they leave the
            // compiler no panic to link.
            let Some(mut row) = row.to_usize() else { break };
            let Some((g, rest)) = grads.split_at_checked(self.dim) else { break };
            if PART {
                // Less than 0 wraps around to more rows than there are.
                row = row.wrapping_sub(self.first_row);
                if row >= part_rows {
                    grads = rest;
                    continue;
                }
            }
            let Some(w) = row_of(self.params, row, self.dim) else { break };
            skipped += if ROW_WISE {
                let Some(a) = self.accumulator.get_mut(row) else { break };
                rule.row_wise(lanes, w, g, a)
            } else {
                let Some(a) = row_of(self.accumulator, row, self.dim) else { break };
                rule.elements(lanes, w, g, a)
            };
            grads = rest;
        }
        skipped
    }
}

/// One row of a table that holds it.
#[inline(always)]
fn row_of(table: &mut [f32], row: usize, dim: usize) -> Option<&mut [f32]> {
    let start = row.wrapping_mul(dim);
    table.get_mut(start..start.wrapping_add(dim))
}

/// Effective learning rates, `η/d`. The two slices have one length.
pub(crate) struct EffectiveRates<'a> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) accumulator: &'a [f32],
    pub(crate) rates: &'a mut [f32],
}

impl Kernel for EffectiveRates<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let rule = self.rule.splat(lanes);
        let (a_blocks, a_tail) = self.accumulator.as_chunks::<W>();
        let (rate_blocks, rate_tail) = self.rates.as_chunks_mut::<W>();
        for (a, rate) in a_blocks.iter().zip(rate_blocks) {
            lanes.store(lanes.div(rule.learning_rate, rule.denominator(lanes, lanes.load(a))), rate);
        }
        let rate = lanes.div(rule.learning_rate, rule.denominator(lanes, lanes.load_first(a_tail)));
        lanes.store_first(rate, rate_tail);
    }
}

/// Whether all values are finite.
pub(crate) struct AllFinite<'a>(pub(crate) &'a [f32]);

impl Kernel for AllFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> bool {
        /// How many values are looked at before the answer so far is.
        const STRIDE: usize = 1024;
        let (strides, rest) = self.0.as_chunks::<STRIDE>();
        for stride in strides {
            if count_non_finite(lanes, stride) > 0 {
                return false;
            }
        }
        count_non_finite(lanes, rest) == 0
    }
}

#[inline(always)]
fn count_non_finite<const W: usize, L: Lanes<W>>(lanes: L, values: &[f32]) -> usize {
    let (blocks, tail) = values.as_chunks::<W>();
    let mut count = lanes.count_non_finite(lanes.load_first(tail));
    for block in blocks {
        count += lanes.count_non_finite(lanes.load(block));
    }
    count
}

/// The running sums of [`SumOfSquares`], and how many elements go to them before they are added up.
const NORM_SUMS: usize = 32;
const NORM_STRIDE: usize = 4096;

/// `Σ x²`. Squares go to 32 running sums in `f32`, element `j` to sum `j mod 32`, which after each 4,096 elements are
/// added to 32 sums in `f64`; those are added as a tree of neighbours at the end.
pub(crate) struct SumOfSquares<'a>(pub(crate) &'a [f32]);

impl Kernel for SumOfSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> f64 {
        let mut totals = [0.0_f64; NORM_SUMS];
        let (strides, rest) = self.0.as_chunks::<NORM_STRIDE>();
        for stride in strides {
            add_sums(&squares::<W, L, NORM_SUMS>(lanes, stride), &mut totals);
        }
        add_sums(&squares::<W, L, NORM_SUMS>(lanes, rest), &mut totals);
        let totals: [f64; 16] = add_neighbours(&totals);
        let totals: [f64; 8] = add_neighbours(&totals);
        let totals: [f64; 4] = add_neighbours(&totals);
        let [a, b] = add_neighbours(&totals);
        a + b
    }
}

/// One level of a tree: the sums of pairs. `N` is twice `HALF`.
#[inline(always)]
fn add_neighbours<const N: usize, const HALF: usize>(values: &[f64; N]) -> [f64; HALF] {
    let mut sums = [0.0; HALF];
    let (pairs, _) = values.as_chunks();
    for (sum, [a, b]) in sums.iter_mut().zip(pairs) {
        *sum = a + b;
    }
    sums
}

/// Adds to running totals.
#[inline(always)]
fn add_sums<const N: usize>(sums: &[f32; N], totals: &mut [f64; N]) {
    for (total, sum) in totals.iter_mut().zip(sums) {
        *total += f64::from(*sum);
    }
}

/// The sums of squares of every `N`th value. `N` is a multiple of `W`.
#[inline(always)]
fn squares<const W: usize, L: Lanes<W>, const N: usize>(lanes: L, values: &[f32]) -> [f32; N] {
    let mut sums = [0.0; N];
    let (groups, rest) = values.as_chunks::<N>();
    for group in groups {
        add_group(lanes, group, &mut sums);
    }
    let (parts, _) = sums.as_chunks_mut::<W>();
    for (sum, x) in parts.iter_mut().zip(rest.chunks(W)) {
        let x = lanes.load_first(x);
        lanes.store(lanes.add(lanes.load(sum), lanes.mul(x, x)), sum);
    }
    sums
}

#[inline(always)]
fn add_group<const W: usize, L: Lanes<W>, const N: usize>(lanes: L, group: &[f32; N], sums: &mut [f32; N]) {
    let (sums, _) = sums.as_chunks_mut::<W>();
    let (blocks, _) = group.as_chunks::<W>();
    for (sum, block) in sums.iter_mut().zip(blocks) {
        let x = lanes.load(block);
        lanes.store(lanes.add(lanes.load(sum), lanes.mul(x, x)), sum);
    }
}
