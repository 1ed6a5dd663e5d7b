//! The mathematics of the step, written once over [`Lanes`].

use crate::estimates::{root, times_reciprocal, times_rsqrt};
use crate::lanes::{Kernel, Lanes};
use crate::table::Indices;

/// How many running sums a row's squares go to, element `j` to sum `j mod 8`.
const SUM_LANES: usize = 8;

/// The hyper-parameters as the kernels use them. `T` is `f32`, or a vector with the same value in each lane.
///
/// The flags do not change within a call. They are branches, not copies of the kernel, so that the binary stays small; but
/// usual combinations have copies without branches: see [`Rule::apply`].
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
#[derive(Clone, Copy, PartialEq, Eq)]
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

    /// The usual ones of exact rules.
    const USUAL: Self = Self(Self::EPSILON_INSIDE.0 | Self::FUSED.0);

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
    /// Applies the rule.
    ///
    /// Flags do not change within a loop, but their branches take time: a block of eight elements takes half as long again
    /// with those of all options, and a fast one a tenth with those of the usual ones. So the fastest lanes have a copy of
    /// the loop for each of the most usual rules, and all lanes have one for the usual ones and one for the rest.
    ///
    /// Bits are tested one by one, because a `match` becomes a jump through a table, which costs as much as a short slice.
    #[inline(always)]
    fn apply<const W: usize, L: Lanes<W, Vector = V>, U: Update<W, L>>(self, lanes: L, update: U) -> usize {
        let usual = Flags(self.flags.0 & Flags::USUAL.0);
        let inside = self.flags.has(Flags::EPSILON_INSIDE);
        if self.flags.with(Flags::FAST, true) != usual.with(Flags::FAST, true) {
            update.apply(lanes, self)
        } else if L::ESTIMATE_ERROR == 0.0 {
            update.apply(lanes, self.having(usual))
        } else if U::CAN_BE_FAST && self.flags.has(Flags::FAST) {
            if inside {
                update.apply(lanes, self.having(Flags::FAST.with(Flags::EPSILON_INSIDE, true)))
            } else {
                update.apply(lanes, self.having(Flags::FAST))
            }
        } else if usual.has(Flags::FUSED) {
            update.apply(lanes, self.having(usual.with(Flags::FUSED, true)))
        } else if inside {
            update.apply(lanes, self.having(Flags::EPSILON_INSIDE))
        } else {
            update.apply(lanes, self.having(Flags::NONE))
        }
    }

    /// The same rule, whose flags the compiler knows.
    #[inline(always)]
    fn having(self, flags: Flags) -> Self {
        Self { flags, ..self }
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

    /// `a/d` up to the error of [`Arithmetic::Fast`](crate::Arithmetic::Fast), if that is on and the lanes have estimates.
    #[inline(always)]
    fn approximate_quotient<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, a: V, sum: V) -> Option<V> {
        if !self.flags.has(Flags::FAST) {
            None
        } else if self.flags.has(Flags::EPSILON_INSIDE) {
            let (y, half) = lanes.rsqrt_and_half(lanes.add(sum, self.epsilon))?;
            Some(times_rsqrt(lanes, a, half, y, L::ESTIMATE_ERROR))
        } else {
            let d = self.denominator(lanes, sum);
            Some(times_reciprocal(lanes, a, d, lanes.reciprocal(d)?, L::ESTIMATE_ERROR))
        }
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
        let overlap = if W == 1 || params.len().is_multiple_of(W) || self.flags.has(Flags::SKIP) {
            None
        } else if let (Some(w), Some(g), Some(a)) = (params.last_chunk(), grads.last_chunk(), accumulator.last_chunk())
        {
            Some((lanes.load(w), lanes.load(g), lanes.load(a)))
        } else {
            None
        };
        let (mut w_blocks, w_tail) = params.as_chunks_mut::<W>();
        let (mut g_blocks, g_tail) = grads.as_chunks::<W>();
        let (mut a_blocks, a_tail) = accumulator.as_chunks_mut::<W>();
        let mut skipped = 0;
        if L::ESTIMATE_ERROR > 0.0 && self.flags.has(Flags::FAST) {
            // Two at once: the loop itself is a good part of the work.
            let (w_pairs, g_pairs, a_pairs);
            (w_pairs, w_blocks) = w_blocks.as_chunks_mut::<2>();
            (g_pairs, g_blocks) = g_blocks.as_chunks::<2>();
            (a_pairs, a_blocks) = a_blocks.as_chunks_mut::<2>();
            for (([w0, w1], [g0, g1]), [a0, a1]) in w_pairs.iter_mut().zip(g_pairs).zip(a_pairs) {
                let (new_w0, new_a0, count0) = self.updated(lanes, lanes.load(w0), lanes.load(g0), lanes.load(a0));
                let (new_w1, new_a1, count1) = self.updated(lanes, lanes.load(w1), lanes.load(g1), lanes.load(a1));
                lanes.store(new_w0, w0);
                lanes.store(new_a0, a0);
                lanes.store(new_w1, w1);
                lanes.store(new_a1, a1);
                skipped += count0 + count1;
            }
        }
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
        let overlap = if W == 1 || params.len().is_multiple_of(W) {
            None
        } else if let (Some(w), Some(g)) = (params.last_chunk(), grads.last_chunk()) {
            Some((lanes.load(w), lanes.load(g)))
        } else {
            None
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
        if W == 1 {
            // The same in a loop that stays small.
            let (w, g) = (params.as_chunks().0, grads.as_chunks().0);
            for (index, (w, g)) in w.iter().zip(g).enumerate() {
                if let Some(sum) = sums.get_mut(index % SUM_LANES) {
                    lanes.store(self.plus_square(lanes, lanes.load(w), lanes.load(g), lanes.load(sum)), sum);
                }
            }
            return tree(&p);
        }
        let (w_groups, w_tail) = params.as_chunks::<SUM_LANES>();
        let (g_groups, g_tail) = grads.as_chunks::<SUM_LANES>();
        for (w, g) in w_groups.iter().zip(g_groups) {
            let ((w_blocks, _), (g_blocks, _)) = (w.as_chunks::<W>(), g.as_chunks::<W>());
            for ((w, g), sum) in w_blocks.iter().zip(g_blocks).zip(&mut *sums) {
                lanes.store(self.plus_square(lanes, lanes.load(w), lanes.load(g), lanes.load(sum)), sum);
            }
        }
        let ((w_blocks, w_rest), (g_blocks, g_rest)) = (w_tail.as_chunks::<W>(), g_tail.as_chunks::<W>());
        let mut sums = sums.iter_mut();
        for ((w, g), sum) in w_blocks.iter().zip(g_blocks).zip(&mut sums) {
            lanes.store(self.plus_square(lanes, lanes.load(w), lanes.load(g), lanes.load(sum)), sum);
        }
        if !w_rest.is_empty()
            && let Some(sum) = sums.next()
        {
            // The last lanes are 0, and adding their squares changes no sum.
            let (w, g) = (lanes.load_first(w_rest), lanes.load_first(g_rest));
            lanes.store(self.plus_square(lanes, w, g, lanes.load(sum)), sum);
        }
        tree(&p)
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
        let ((w_blocks, w_rest), (g_blocks, g_rest)) = (params.as_chunks::<W>(), grads.as_chunks::<W>());
        let (w, g) = (lanes.load_first(w_rest), lanes.load_first(g_rest));
        let mut count = lanes.count_non_finite(self.gradient(lanes, w, g));
        for (w, g) in w_blocks.iter().zip(g_blocks) {
            count += lanes.count_non_finite(self.gradient(lanes, lanes.load(w), lanes.load(g)));
        }
        count > 0
    }
}

/// The sum of a row's running sums.
#[inline(always)]
fn tree(p: &[f32; SUM_LANES]) -> f32 {
    ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
}

/// Loops that apply a rule.
trait Update<const W: usize, L: Lanes<W>> {
    /// Whether [`Arithmetic::Fast`](crate::Arithmetic::Fast) makes a difference.
    const CAN_BE_FAST: bool = true;

    /// The result is the number of elements or rows skipped.
    fn apply(self, lanes: L, rule: Rule<L::Vector>) -> usize;
}

/// The dense step. The three slices have one length.
pub(crate) struct Dense<'a> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [f32],
    pub(crate) grads: &'a [f32],
    pub(crate) accumulator: &'a mut [f32],
}

impl Kernel for &mut Dense<'_> {
    /// The number of elements skipped.
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        if L::HAS_NARROWER && self.params.len() < W {
            return lanes.on_narrower(self);
        }
        self.rule.splat(lanes).apply(lanes, self)
    }
}

impl<const W: usize, L: Lanes<W>> Update<W, L> for &mut Dense<'_> {
    #[inline(always)]
    fn apply(self, lanes: L, rule: Rule<L::Vector>) -> usize {
        /// From how many elements on blocks begin where a vector may.
        const ALIGN_FROM: usize = 512;

        let Dense { params, grads, accumulator, .. } = self;
        if W == 1 || params.len() < ALIGN_FROM || rule.flags.has(Flags::SKIP) {
            return rule.elements(lanes, params, grads, accumulator);
        }
        let first = match (params.first_chunk(), grads.first_chunk(), accumulator.first_chunk()) {
            (Some(w), Some(g), Some(a)) => (lanes.load(w), lanes.load(g), lanes.load(a)),
            _ => return 0,
        };
        // As at the end of the slices, a block that overlaps others starts from the values of before.
        let begin = params.as_ptr().align_offset(W * size_of::<f32>()).min(params.len());
        rule.elements(
            lanes,
            params.get_mut(begin..).unwrap_or_default(),
            grads.get(begin..).unwrap_or_default(),
            accumulator.get_mut(begin..).unwrap_or_default(),
        );
        if let (Some(to_w), Some(to_a)) = (params.first_chunk_mut(), accumulator.first_chunk_mut()) {
            let (w, g, a) = first;
            let (new_w, new_a, _) = rule.updated(lanes, w, g, a);
            lanes.store(new_w, to_w);
            lanes.store(new_a, to_a);
        }
        0
    }
}

/// Rows of tables with fewer parameters are in the cache, or soon there.
const PREFETCH_FROM: usize = 1 << 17;

/// How many parameters ahead rows are asked for: enough for the memory to answer in time, and few enough for the cache to
/// hold.
const PREFETCH_AHEAD: usize = 384;

/// A step for some rows of a table, with one accumulator per element or, if `ROW_WISE`, one per row.
///
/// `params` is a multiple of `dim` long, `accumulator` holds `dim` values per row or, row-wise, one, `grads` is as
/// long as `rows` times `dim`, and each row is in the table.
///
/// `params` and `accumulator` may be a part of the table, from `first_row` on. Then other rows are passed over.
pub(crate) struct Rows<'a, const ROW_WISE: bool> {
    pub(crate) rule: &'a Rule<f32>,
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) first_row: usize,
    pub(crate) dim: usize,
    pub(crate) rows: Indices<'a>,
    pub(crate) grads: &'a [f32],
}

impl<const ROW_WISE: bool> Kernel for &mut Rows<'_, ROW_WISE> {
    /// The number of elements or, row-wise, rows skipped.
    type Output = usize;

    const MAX_LANES: usize = if ROW_WISE { SUM_LANES } else { usize::MAX };

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        if L::HAS_NARROWER && self.dim < W {
            return lanes.on_narrower(self);
        }
        self.rule.splat(lanes).apply(lanes, self)
    }
}

impl<const W: usize, L: Lanes<W>, const ROW_WISE: bool> Update<W, L> for &mut Rows<'_, ROW_WISE> {
    /// A row-wise step divides once for a row.
    const CAN_BE_FAST: bool = !ROW_WISE;

    /// One update after the other.
    #[inline(always)]
    fn apply(self, lanes: L, rule: Rule<L::Vector>) -> usize {
        // No row has 0 columns.
        let ahead = match PREFETCH_AHEAD.checked_div(self.dim) {
            Some(rows) if L::CAN_PREFETCH && self.params.len() >= PREFETCH_FROM => 1 + rows,
            _ => usize::MAX,
        };
        let prefetched = self.rows.len().saturating_sub(ahead);
        let rows_here = self.params.len().checked_div(self.dim).unwrap_or(0);
        let mut grads = self.grads;
        let mut skipped = 0;
        for position in 0..self.rows.len() {
            if position < prefetched
                && let Some(row) = self.rows.get(position.wrapping_add(ahead))
            {
                self.prefetch(lanes, row);
            }
            // The caller has checked every row, so none of these breaks is taken; written as they are, they leave the
            // compiler no panic to link.
            let Some(row) = self.rows.get(position) else { break };
            let Some((g, rest)) = grads.split_at_checked(self.dim) else { break };
            grads = rest;
            // A row before this part wraps around to more rows than there are.
            let row = row.wrapping_sub(self.first_row);
            if row >= rows_here {
                continue;
            }
            let Some(w) = row_of(self.params, row, self.dim) else { break };
            skipped += if ROW_WISE {
                let Some(a) = self.accumulator.get_mut(row) else { break };
                rule.row_wise(lanes, w, g, a)
            } else {
                let Some(a) = row_of(self.accumulator, row, self.dim) else { break };
                rule.elements(lanes, w, g, a)
            };
        }
        skipped
    }
}

impl<const ROW_WISE: bool> Rows<'_, ROW_WISE> {
    /// Asks for a row's parameters and accumulators, if they are here.
    #[inline(always)]
    fn prefetch<const W: usize, L: Lanes<W>>(&self, lanes: L, row: usize) {
        let row = row.wrapping_sub(self.first_row);
        let start = row.wrapping_mul(self.dim);
        let end = start.wrapping_add(self.dim);
        lanes.prefetch(self.params.get(start..end).unwrap_or_default());
        let accumulators = if ROW_WISE { row..row.wrapping_add(1) } else { start..end };
        lanes.prefetch(self.accumulator.get(accumulators).unwrap_or_default());
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
    let (blocks, rest) = rest.as_chunks::<W>();
    let (parts, _) = sums.as_chunks_mut::<W>();
    let mut parts = parts.iter_mut();
    for (block, sum) in blocks.iter().zip(&mut parts) {
        add_square(lanes, lanes.load(block), sum);
    }
    if let Some(sum) = parts.next() {
        add_square(lanes, lanes.load_first(rest), sum);
    }
    sums
}

#[inline(always)]
fn add_group<const W: usize, L: Lanes<W>, const N: usize>(lanes: L, group: &[f32; N], sums: &mut [f32; N]) {
    let (sums, _) = sums.as_chunks_mut::<W>();
    let (blocks, _) = group.as_chunks::<W>();
    for (sum, block) in sums.iter_mut().zip(blocks) {
        add_square(lanes, lanes.load(block), sum);
    }
}

#[inline(always)]
fn add_square<const W: usize, L: Lanes<W>>(lanes: L, x: L::Vector, sum: &mut [f32; W]) {
    lanes.store(lanes.add(lanes.load(sum), lanes.mul(x, x)), sum);
}
