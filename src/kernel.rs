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

/// Which terms of the update are on. By default none is.
#[derive(Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) epsilon_inside: bool,
    pub(crate) epsilon_is_zero: bool,
    pub(crate) scale: bool,
    pub(crate) clip: bool,
    pub(crate) l2: bool,
    pub(crate) decoupled: bool,
    pub(crate) forget: bool,
    pub(crate) average: bool,
    pub(crate) fused: bool,
    pub(crate) skip: bool,
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
        let Flags { epsilon_is_zero, scale, clip, l2, decoupled, forget, average, skip, .. } = self.flags;
        if epsilon_is_zero || scale || clip || l2 || decoupled || forget || average || skip {
            return None;
        }
        let Flags { epsilon_inside, fused, .. } = self.flags;
        Some(Self { flags: Flags { epsilon_inside, fused, ..Flags::default() }, ..*self })
    }

    /// `a·b + c`: rounded once if fused, else after the product and after the sum.
    #[inline(always)]
    fn product_plus<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, a: V, b: V, c: V) -> V {
        if self.flags.fused { lanes.mul_add(a, b, c) } else { lanes.add(c, lanes.mul(a, b)) }
    }

    /// `g ← scale·g`, `g ← clamp(g, −clip, clip)`, `g ← g + λ·w`.
    #[inline(always)]
    fn gradient<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, w: V, mut g: V) -> V {
        if self.flags.scale {
            g = lanes.mul(self.scale, g);
        }
        if self.flags.clip {
            // The gradient stands second, so that NaN stays NaN.
            g = lanes.max(self.minus_clip, lanes.min(self.clip, g));
        }
        if self.flags.l2 {
            g = self.product_plus(lanes, self.l2, w, g);
        }
        g
    }

    /// What of the accumulator is added to: `G`, or `ρ·G`.
    #[inline(always)]
    fn kept<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V) -> V {
        if self.flags.forget { lanes.mul(self.retained, accumulator) } else { accumulator }
    }

    /// The accumulator to keep. If bad gradients are skipped it stays finite, or one that is huge would freeze its
    /// parameters for ever, forgetting or not. The denominator is that of the sum before, so that no step gets larger.
    #[inline(always)]
    fn saturated<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V) -> V {
        if self.flags.skip { lanes.min(lanes.splat(f32::MAX), accumulator) } else { accumulator }
    }

    /// `G ← G + g·g`, `ρ·G + g·g`, or `ρ·G + (1−ρ)·(g·g)`.
    #[inline(always)]
    fn accumulate<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V, g: V) -> V {
        let kept = self.kept(lanes, accumulator);
        if self.flags.average {
            self.product_plus(lanes, self.fresh, lanes.mul(g, g), kept)
        } else {
            self.product_plus(lanes, g, g, kept)
        }
    }

    /// `G ← G + m`, `ρ·G + m`, or `ρ·G + (1−ρ)·m`, where `m` is the mean of a row's squares.
    #[inline(always)]
    fn accumulate_mean<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V, mean: V) -> V {
        let kept = self.kept(lanes, accumulator);
        if self.flags.average { self.product_plus(lanes, self.fresh, mean, kept) } else { lanes.add(kept, mean) }
    }

    /// `d ← √G + ε` or `√(G + ε)`.
    #[inline(always)]
    fn denominator<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, accumulator: V) -> V {
        if self.flags.epsilon_inside {
            lanes.sqrt(lanes.add(accumulator, self.epsilon))
        } else {
            lanes.add(lanes.sqrt(accumulator), self.epsilon)
        }
    }

    /// `w ← w − (w·λ)·η`.
    #[inline(always)]
    fn decay<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, w: V) -> V {
        if self.flags.decoupled { lanes.sub(w, lanes.mul(lanes.mul(w, self.decoupled), self.learning_rate)) } else { w }
    }

    /// `moved`, or `w` where `d = 0`, which needs ε = 0.
    #[inline(always)]
    fn unless_zero<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, d: V, w: V, moved: V) -> V {
        if self.flags.epsilon_is_zero { lanes.if_zero(d, w, moved) } else { moved }
    }

    /// The element-wise update of one block. The result is the number of elements skipped.
    #[inline(always)]
    fn block<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        params: &mut [f32; W],
        grads: &[f32; W],
        accumulator: &mut [f32; W],
    ) -> usize {
        let (w, a) = (lanes.load(params), lanes.load(accumulator));
        let g = self.gradient(lanes, w, lanes.load(grads));
        let sum = self.accumulate(lanes, a, g);
        let d = self.denominator(lanes, sum);
        let mut new_a = self.saturated(lanes, sum);
        let decayed = self.decay(lanes, w);
        let scaled = lanes.mul(self.learning_rate, g);
        let moved = lanes.sub(decayed, lanes.div(scaled, d));
        let mut new_w = self.unless_zero(lanes, d, decayed, moved);
        let mut skipped = 0;
        if self.flags.skip {
            // Not finite where `g` is not, and where the product overflows.
            new_w = lanes.if_finite(scaled, new_w, w);
            new_a = lanes.if_finite(scaled, new_a, a);
            skipped = lanes.count_non_finite(scaled);
        }
        lanes.store(new_w, params);
        lanes.store(new_a, accumulator);
        skipped
    }

    /// [`Rule::block`] for slices of one length.
    #[inline(always)]
    fn elements<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        params: &mut [f32],
        grads: &[f32],
        accumulator: &mut [f32],
    ) -> usize {
        let (w_blocks, w_tail) = params.as_chunks_mut::<W>();
        let (g_blocks, g_tail) = grads.as_chunks::<W>();
        let (a_blocks, a_tail) = accumulator.as_chunks_mut::<W>();
        let mut skipped = 0;
        for ((w, g), a) in w_blocks.iter_mut().zip(g_blocks).zip(a_blocks) {
            skipped += self.block(lanes, w, g, a);
        }
        if !w_tail.is_empty() {
            let (mut w, mut a) = (padded(w_tail), padded(a_tail));
            skipped += self.block(lanes, &mut w, &padded(g_tail), &mut a);
            unpad(&w, w_tail);
            unpad(&a, a_tail);
        }
        skipped
    }

    /// Adds the squares of one block of gradients to the running sums.
    #[inline(always)]
    fn add_squares<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        params: &[f32; W],
        grads: &[f32; W],
        sums: &mut [f32; W],
    ) {
        let g = self.gradient(lanes, lanes.load(params), lanes.load(grads));
        lanes.store(self.product_plus(lanes, g, g, lanes.load(sums)), sums);
    }

    /// `w ← w − s·g` for one block, where the row's `s` is `rate` and its denominator `d`.
    #[inline(always)]
    fn move_block<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        rate: V,
        d: V,
        params: &mut [f32; W],
        grads: &[f32; W],
    ) {
        let w = lanes.load(params);
        let g = self.gradient(lanes, w, lanes.load(grads));
        let w = self.decay(lanes, w);
        let moved = lanes.sub(w, lanes.mul(rate, g));
        lanes.store(self.unless_zero(lanes, d, w, moved), params);
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
        let (w_blocks, w_tail) = params.as_chunks_mut::<W>();
        let (g_blocks, g_tail) = grads.as_chunks::<W>();

        let mut p = [0.0; SUM_LANES];
        let (sums, _) = p.as_chunks_mut::<W>();
        let groups = sums.len().max(1);
        for (index, (w, g)) in w_blocks.iter().zip(g_blocks).enumerate() {
            if let Some(sum) = sums.get_mut(index % groups) {
                self.add_squares(lanes, w, g, sum);
            }
        }
        if !w_tail.is_empty()
            && let Some(sum) = sums.get_mut(w_blocks.len() % groups)
        {
            // The padding is zero, and adding its square changes no sum.
            self.add_squares(lanes, &padded(w_tail), &padded(g_tail), sum);
        }
        let sum = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
        // The sum of a row with a bad gradient is not finite. The converse fails: finite squares may overflow it.
        if self.flags.skip && !sum.is_finite() && self.any_non_finite(lanes, w_blocks, g_blocks, w_tail, g_tail) {
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
        for (w, g) in w_blocks.iter_mut().zip(g_blocks) {
            self.move_block(lanes, rate, d, w, g);
        }
        if !w_tail.is_empty() {
            let mut w = padded(w_tail);
            self.move_block(lanes, rate, d, &mut w, &padded(g_tail));
            unpad(&w, w_tail);
        }
        0
    }

    /// Whether any of a row's gradients, transformed, is infinite or NaN.
    #[inline(always)]
    fn any_non_finite<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        w_blocks: &[[f32; W]],
        g_blocks: &[[f32; W]],
        w_tail: &[f32],
        g_tail: &[f32],
    ) -> bool {
        let mut count = 0;
        for (w, g) in w_blocks.iter().zip(g_blocks) {
            count += lanes.count_non_finite(self.gradient(lanes, lanes.load(w), lanes.load(g)));
        }
        let (w, g) = (lanes.load(&padded(w_tail)), lanes.load(&padded(g_tail)));
        count + lanes.count_non_finite(self.gradient(lanes, w, g)) > 0
    }
}

/// The first values of a block, then zeros. The loop is over the block, whose length is known, so that it becomes a
/// handful of moves; over the values it becomes a call of `memcpy`, which costs four times as much.
#[inline(always)]
fn padded<const W: usize>(values: &[f32]) -> [f32; W] {
    let mut block = [0.0; W];
    for (j, to) in block.iter_mut().enumerate() {
        if let Some(from) = values.get(j) {
            *to = *from;
        }
    }
    block
}

/// The inverse of [`padded`].
#[inline(always)]
fn unpad<const W: usize>(block: &[f32; W], values: &mut [f32]) {
    for (j, from) in block.iter().enumerate() {
        if let Some(to) = values.get_mut(j) {
            *to = *from;
        }
    }
}

/// The dense step. The three slices have one length.
pub(crate) struct Dense<'a> {
    pub(crate) rule: Rule<f32>,
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
    pub(crate) rule: Rule<f32>,
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
    pub(crate) rule: Rule<f32>,
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
        let mut rate = [0.0; W];
        lanes.store(lanes.div(rule.learning_rate, rule.denominator(lanes, lanes.load(&padded(a_tail)))), &mut rate);
        unpad(&rate, rate_tail);
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
    let mut count = lanes.count_non_finite(lanes.load(&padded(tail)));
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
    if !rest.is_empty() {
        add_group(lanes, &padded(rest), &mut sums);
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
