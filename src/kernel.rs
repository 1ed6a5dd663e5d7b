//! The mathematics of the step, written once over [`Lanes`].

use crate::lanes::{Kernel, Lanes};
use crate::table::RowIndex;

/// How many running sums a row's squares go to, element `j` to sum `j mod 8`.
const SUM_LANES: usize = 8;

/// The hyper-parameters as the kernels use them. `T` is `f32`, or a vector with the same value in each lane.
///
/// The flags do not change within a call. They are branches, not copies of the kernel: beside a square root and a
/// division a predicted branch costs nothing, and the binary stays small.
#[derive(Clone, Copy)]
pub(crate) struct Rule<T> {
    pub(crate) learning_rate: T,
    pub(crate) epsilon: T,
    pub(crate) scale: T,
    pub(crate) clip: T,
    pub(crate) minus_clip: T,
    pub(crate) l2: T,
    pub(crate) decoupled: T,
    pub(crate) flags: Flags,
}

/// Which terms of the update are on.
#[derive(Clone, Copy)]
pub(crate) struct Flags {
    pub(crate) epsilon_inside: bool,
    pub(crate) epsilon_is_zero: bool,
    pub(crate) scale: bool,
    pub(crate) clip: bool,
    pub(crate) l2: bool,
    pub(crate) decoupled: bool,
    pub(crate) fused: bool,
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
            flags: self.flags,
        }
    }
}

impl<V: Copy> Rule<V> {
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

    /// One element-wise update: the new parameters and the new accumulator.
    #[inline(always)]
    fn element<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, w: V, g: V, accumulator: V) -> (V, V) {
        let g = self.gradient(lanes, w, g);
        let accumulator = self.product_plus(lanes, g, g, accumulator);
        let d = self.denominator(lanes, accumulator);
        let w = self.decay(lanes, w);
        let moved = lanes.sub(w, lanes.div(lanes.mul(self.learning_rate, g), d));
        (self.unless_zero(lanes, d, w, moved), accumulator)
    }

    /// [`Rule::element`] for one block.
    #[inline(always)]
    fn block<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        params: &mut [f32; W],
        grads: &[f32; W],
        accumulator: &mut [f32; W],
    ) {
        let (w, a) = self.element(lanes, lanes.load(params), lanes.load(grads), lanes.load(accumulator));
        lanes.store(w, params);
        lanes.store(a, accumulator);
    }

    /// [`Rule::element`] for slices of one length.
    #[inline(always)]
    fn elements<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        params: &mut [f32],
        grads: &[f32],
        accumulator: &mut [f32],
    ) {
        let (w_blocks, w_tail) = params.as_chunks_mut::<W>();
        let (g_blocks, g_tail) = grads.as_chunks::<W>();
        let (a_blocks, a_tail) = accumulator.as_chunks_mut::<W>();
        for ((w, g), a) in w_blocks.iter_mut().zip(g_blocks).zip(a_blocks) {
            self.block(lanes, w, g, a);
        }
        if !w_tail.is_empty() {
            let (mut w, mut a) = (padded(w_tail), padded(a_tail));
            self.block(lanes, &mut w, &padded(g_tail), &mut a);
            unpad(&w, w_tail);
            unpad(&a, a_tail);
        }
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
    /// `G ← G + (Σ g²)/dim`, `s ← η/d`, `w ← w − s·g`.
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
    ) {
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
        *accumulator += sum / dim;

        let d = self.denominator(lanes, lanes.splat(*accumulator));
        let rate = lanes.div(self.learning_rate, d);
        for (w, g) in w_blocks.iter_mut().zip(g_blocks) {
            self.move_block(lanes, rate, d, w, g);
        }
        if !w_tail.is_empty() {
            let mut w = padded(w_tail);
            self.move_block(lanes, rate, d, &mut w, &padded(g_tail));
            unpad(&w, w_tail);
        }
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
    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let rule = self.rule.splat(lanes);
        rule.elements(lanes, self.params, self.grads, self.accumulator);
    }
}

/// A step for some rows of a table, with one accumulator per element or, if `ROW_WISE`, one per row.
///
/// `params` is a multiple of `dim` long, `accumulator` holds `dim` values per row or, row-wise, one, `grads` is as
/// long as `rows` times `dim`, and each row is in the table.
pub(crate) struct Rows<'a, I, const ROW_WISE: bool> {
    pub(crate) rule: Rule<f32>,
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) dim: usize,
    pub(crate) rows: &'a [I],
    pub(crate) grads: &'a [f32],
}

impl<I: RowIndex, const ROW_WISE: bool> Kernel for Rows<'_, I, ROW_WISE> {
    const MAX_LANES: usize = if ROW_WISE { SUM_LANES } else { usize::MAX };

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let rule = self.rule.splat(lanes);
        let mut grads = self.grads;
        for row in self.rows {
            // The caller has checked every row, so none of these returns is taken; written as they are, they leave
            // the compiler no panic to link.
            let Some(row) = row.to_usize() else { return };
            let Some((g, rest)) = grads.split_at_checked(self.dim) else { return };
            let Some(w) = row_of(self.params, row, self.dim) else { return };
            if ROW_WISE {
                let Some(a) = self.accumulator.get_mut(row) else { return };
                rule.row_wise(lanes, w, g, a);
            } else {
                let Some(a) = row_of(self.accumulator, row, self.dim) else { return };
                rule.elements(lanes, w, g, a);
            }
            grads = rest;
        }
    }
}

/// One row of a table that holds it.
#[inline(always)]
fn row_of(table: &mut [f32], row: usize, dim: usize) -> Option<&mut [f32]> {
    let start = row.wrapping_mul(dim);
    table.get_mut(start..start.wrapping_add(dim))
}
