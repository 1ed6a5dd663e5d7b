//! The row-wise step of one row, or of some together: one accumulator for all columns of a row.

use core::array::{from_mut, from_ref};
use core::marker::PhantomData;

use super::blocks::{Blocks, Pass, Place, Source, nothing};
use super::class::Class;
use super::rounding::{Nearest, Rounding};
use super::rule::finite;
use super::storage::Storage;
use super::{Flags, Rule};
use crate::backend::Scalar;
use crate::backend::lanes::{Kernel, Lanes, zip};

/// How many running sums a row's squares go to, element `j` to sum `j mod 8`.
const SUMS: usize = 8;

/// `G ← G + (Σ g²)/dim`, `s ← min(η/d, f32::MAX)`, `w ← w − s·g`. The result is the number of rows skipped: 0 or 1.
///
/// The sum runs in eight lanes, element `j` in lane `j mod 8`, that are added as a tree. This is the order of FBGEMM's
/// kernels (`RefImplementations.cc`). Without the limit on `s`, a gradient of 0 would make NaN where `η/d` overflows.
///
/// A rule of a class has no code for what the class lacks.
#[inline(always)]
pub(super) fn step_row<C: Class, const W: usize, L: Lanes<W>, P: Storage, G: Storage, A: Storage, R: Rounding>(
    rule: &Rule<f32>,
    lanes: L,
    params: &mut [P],
    grads: &[G],
    accumulator: &mut [A],
    rounding: R,
) -> usize {
    let [accumulator] = accumulator.as_chunks_mut::<1>().0 else { never!("a row has one accumulator") };
    let rule = rule.without(C::WITHOUT);
    let rules = rule.splat(lanes);
    let before = A::load(Scalar, accumulator);
    let (sum, dim) = (lanes.tree(&squares(&rule, lanes, params, grads)), params.len());
    // Both are correctly rounded, and so the same. The product is faster: see docs/decisions.md, "The mean of a row".
    let mean = if dim.is_power_of_two() { sum * (1.0 / dim as f32) } else { sum / dim as f32 };
    let (old, mean) = (lanes.splat(before), lanes.splat(mean));
    let [sum, d, rate] = rates::<C, W, L>(&rules, lanes, old, mean);
    let remainder = if R::BY_CHANCE { first(lanes, rules.remainder_of_mean(lanes, old, mean, sum)) } else { 0.0 };
    let sum = rounding.one::<A>(first(lanes, sum), remainder);
    let moves = Move { rule, rate: first(lanes, rate), d: first(lanes, d) };
    let good = before >= 0.0 && sum <= f32::MAX;
    let mut row = MovedRow { moves, is_test: rule.flags.any(Flags::SKIP), good, class: PhantomData::<C> };
    if W == 1 && row.is_test() {
        // A loop of its own, which is less code than the three that the compiler makes of one.
        Blocks { w: params, g: grads, a: nothing!(grads.len()), pass: &mut rounding.wrap(&mut row) }.run(lanes);
        if !row.good {
            return 1;
        }
        row.is_test = false;
    }
    loop {
        Blocks { w: params, g: grads, a: nothing!(grads.len()), pass: &mut rounding.wrap(&mut row) }.run(lanes);
        if W == 1 || !row.is_test() {
            A::store(Scalar, sum, accumulator);
            return 0;
        }
        if !row.good {
            return 1;
        }
        row.is_test = false;
    }
}

/// The same as a function of its own, for loops over rows of any layout.
pub(super) struct OneRow<'a, C> {
    pub(super) rule: &'a Rule<f32>,
    pub(super) w: &'a mut [f32],
    pub(super) g: &'a [f32],
    pub(super) a: &'a mut [f32],
    pub(super) class: PhantomData<C>,
}

// By its address: see docs/decisions.md, "A few rows".
impl<C: Class> Kernel for &mut OneRow<'_, C> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        step_row::<C, W, L, _, _, _, _>(self.rule, lanes, self.w, self.g, self.a, Nearest)
    }
}

/// The sums, denominators and rates of rows, from their accumulators and means.
#[inline(always)]
fn rates<C: Class, const W: usize, L: Lanes<W>>(
    rules: &Rule<L::Vector>,
    lanes: L,
    old: L::Vector,
    mean: L::Vector,
) -> [L::Vector; 3] {
    let sum = rules.accumulated_mean(lanes, old, mean);
    let under = if rules.flags.any(Flags::STEP_FIRST) { old } else { sum };
    let [d] = rules.denominators::<C, W, L, 1>(lanes, [under]);
    [sum, d, lanes.min(lanes.splat(f32::MAX), lanes.div(rules.learning_rate, d))]
}

/// [`rates`] of rows of `dim` columns, from the squares of their gradients.
#[inline(always)]
pub(super) fn rates_of<C: Class, const W: usize, L: Lanes<W>>(
    rules: &Rule<L::Vector>,
    lanes: L,
    squares: &[[f32; SUMS]; TOGETHER],
    old: &[f32; W],
    dim: usize,
) -> [[f32; W]; 3] {
    let mut sum = [0.0; W];
    for (to, from) in sum.iter_mut().zip(lanes.trees(squares)) {
        *to = from;
    }
    let sum = lanes.load(&sum);
    // The product has the same bits, as in [`step_row`].
    let mean = if dim.is_power_of_two() {
        lanes.mul(sum, lanes.splat(1.0 / dim as f32))
    } else {
        lanes.div(sum, lanes.splat(dim as f32))
    };
    rates::<C, W, L>(rules, lanes, lanes.load(old), mean).map(
        #[inline(always)]
        |vector| {
            let mut values = [0.0; W];
            lanes.store(vector, &mut values);
            values
        },
    )
}

/// The first of the lanes.
#[inline(always)]
fn first<const W: usize, L: Lanes<W>>(lanes: L, vector: L::Vector) -> f32 {
    let mut values = [0.0; W];
    lanes.store(vector, &mut values);
    values.first().copied().unwrap_or_default()
}

/// How many rows are stepped together.
pub(super) const TOGETHER: usize = 4;

/// [`step_row`], by a rule that skips nothing, of some rows, all different, of those that are here, each some whole blocks. They
/// share the instructions for the mean, the root and the quotient: see docs/decisions.md, "Row-wise rows share a root".
#[inline(always)]
pub(super) fn step_together<C: Class, const W: usize, L: Lanes<W>, const D: usize>(
    rule: &Rule<f32>,
    lanes: L,
    params: &mut [[f32; D]],
    accumulators: &mut [f32],
    places: [usize; TOGETHER],
    grads: &[&[f32; D]; TOGETHER],
) {
    let rule = rule.without(C::WITHOUT);
    let rules = rule.splat(lanes);
    let (mut all, mut old) = ([[0.0; SUMS]; TOGETHER], [0.0; W]);
    for (((place, g), p), old) in places.iter().zip(grads).zip(&mut all).zip(&mut old) {
        // A row that is not here has no slice.
        if let (Some(w), Some(a), Some(p)) = (params.get(*place), accumulators.get(*place), p.first_chunk_mut()) {
            *old = *a;
            let mut sum = lanes.splat(0.0);
            for (w, g) in w.as_chunks::<W>().0.iter().zip(g.as_chunks::<W>().0) {
                let g = rules.gradient(lanes, from_ref(w), from_ref(g));
                [sum] = rules.product_plus(lanes, g, g, [sum]);
            }
            lanes.store(sum, p);
        }
    }
    let [sum, d, rate] = rates_of::<C, W, L>(&rules, lanes, &all, &old, D);
    for ((((place, g), sum), d), rate) in places.iter().zip(grads).zip(sum).zip(d).zip(rate) {
        if let (Some(w), Some(a)) = (params.get_mut(*place), accumulators.get_mut(*place)) {
            *a = sum;
            for (w, g) in w.as_chunks_mut::<W>().0.iter_mut().zip(g.as_chunks::<W>().0) {
                let moved = Move { rule, rate, d }.moved(lanes, from_ref(w), from_ref(g));
                from_mut(w).store(lanes, moved);
            }
        }
    }
}

/// [`step_row`] of some rows, all different, of those that are here, each at most a block. The result is the number of rows
/// skipped. They share the tests of options, too.
#[inline(always)]
pub(super) fn step_group<C: Class, const W: usize, L: Lanes<W>, const D: usize>(
    rule: &Rule<f32>,
    lanes: L,
    params: &mut [[f32; D]],
    accumulators: &mut [f32],
    places: [usize; TOGETHER],
    grads: &[&[f32; D]; TOGETHER],
) -> usize {
    let rule = rule.without(C::WITHOUT);
    let rules = rule.splat(lanes);
    let zero = lanes.splat(0.0);
    let (mut w, mut g, mut old) = ([zero; TOGETHER], [zero; TOGETHER], [0.0; W]);
    for ((((place, from), to_w), to_g), old) in places.iter().zip(grads).zip(&mut w).zip(&mut g).zip(&mut old) {
        // A row that is not here has no slice.
        if let (Some(w), Some(a)) = (params.get(*place), accumulators.get(*place)) {
            (*old, *to_w, *to_g) = (*a, f32::load_first(lanes, w.as_slice()), f32::load_first(lanes, from.as_slice()));
        }
    }
    let g = rules.gradient(lanes, &Loaded(w), &Loaded(g));
    let mut all = [[0.0; SUMS]; TOGETHER];
    for (square, p) in rules.product_plus(lanes, g, g, [zero; TOGETHER]).into_iter().zip(&mut all) {
        if let Some(p) = p.first_chunk_mut() {
            lanes.store(square, p);
        }
    }
    let [sum, d, rate] = rates_of::<C, W, L>(&rules, lanes, &all, &old, D);
    let (mut rates, mut ds) = ([zero; TOGETHER], [zero; TOGETHER]);
    for (((to_rate, to_d), rate), d) in rates.iter_mut().zip(&mut ds).zip(rate).zip(d) {
        (*to_rate, *to_d) = (lanes.splat(rate), lanes.splat(d));
    }
    let moved = moved(&rules, lanes, w, g, rates, ds);
    let mut skipped = 0;
    for ((place, sum), moved) in places.iter().zip(sum).zip(moved) {
        if let (Some(w), Some(a)) = (params.get_mut(*place), accumulators.get_mut(*place)) {
            if const { !C::WITHOUT.any(Flags::SKIP) }
                && rule.flags.any(Flags::SKIP)
                && !(*a >= 0.0 && sum <= f32::MAX && lanes.all(finite(lanes, [moved])))
            {
                skipped += 1;
                continue;
            }
            *a = sum;
            f32::store_first(lanes, moved, w);
        }
    }
    skipped
}

/// Blocks that are loaded.
pub(super) struct Loaded<V, const N: usize>(pub(super) [V; N]);

impl<const W: usize, L: Lanes<W>, const N: usize> Source<W, L, N> for Loaded<L::Vector, N> {
    #[inline(always)]
    fn load(&self, _: L) -> [L::Vector; N] {
        self.0
    }
}

/// The squares of a row's gradients, added up in eight sums.
#[inline(always)]
fn squares<const W: usize, L: Lanes<W>, P: Storage, G: Storage>(
    rule: &Rule<f32>,
    lanes: L,
    params: &[P],
    grads: &[G],
) -> [f32; SUMS] {
    let mut p = [0.0; SUMS];
    if W == 1 {
        // The same in a loop that stays small.
        for (j, (w, g)) in params.as_chunks::<W>().0.iter().zip(grads.as_chunks::<W>().0).enumerate() {
            if let Some(sum) = p.as_chunks_mut::<W>().0.get_mut(j % SUMS) {
                add_squares(rule, lanes, from_ref(w), from_ref(g), sum);
            }
        }
    } else {
        let (w_groups, w_rest) = params.as_chunks::<SUMS>();
        let (g_groups, g_rest) = grads.as_chunks::<SUMS>();
        for (w, g) in w_groups.iter().zip(g_groups) {
            let blocks = w.as_chunks::<W>().0.iter().zip(g.as_chunks::<W>().0);
            for ((w, g), sum) in blocks.zip(p.as_chunks_mut::<W>().0) {
                add_squares(rule, lanes, from_ref(w), from_ref(g), sum);
            }
        }
        let (w_blocks, w_rest) = w_rest.as_chunks::<W>();
        let (g_blocks, g_rest) = g_rest.as_chunks::<W>();
        let mut sums = p.as_chunks_mut::<W>().0.iter_mut();
        for ((w, g), sum) in w_blocks.iter().zip(g_blocks).zip(&mut sums) {
            add_squares(rule, lanes, from_ref(w), from_ref(g), sum);
        }
        // The lanes behind the last element are 0, and adding their squares changes no sum.
        if !g_rest.is_empty()
            && let Some(sum) = sums.next()
        {
            add_squares(rule, lanes, w_rest, g_rest, sum);
        }
    }
    p
}

/// `p ← p + g·g`.
#[inline(always)]
fn add_squares<const W: usize, L: Lanes<W>>(
    rule: &Rule<f32>,
    lanes: L,
    w: &(impl Source<W, L, 1> + ?Sized),
    g: &(impl Source<W, L, 1> + ?Sized),
    sum: &mut [f32; W],
) {
    let rule = rule.splat(lanes);
    let g = rule.gradient(lanes, w, g);
    let [new] = rule.product_plus(lanes, g, g, [lanes.load(sum)]);
    lanes.store(new, sum);
}

/// `w ← w − s·g` of blocks of rows, of each of which the rate `s` and the denominator are given. Weights decay before that.
#[inline(always)]
pub(super) fn moved<const W: usize, L: Lanes<W>, const N: usize>(
    rules: &Rule<L::Vector>,
    lanes: L,
    w: [L::Vector; N],
    g: [L::Vector; N],
    rates: [L::Vector; N],
    ds: [L::Vector; N],
) -> [L::Vector; N] {
    let moves = zip(
        rates,
        g,
        #[inline(always)]
        |rate, g| lanes.mul(rate, g),
    );
    rules.moved(lanes, rules.decayed(lanes, w), moves, ds)
}

/// The same of a row, by its gradients as they are given.
struct Move {
    rule: Rule<f32>,
    rate: f32,
    d: f32,
}

impl Move {
    #[inline(always)]
    fn moved<const W: usize, L: Lanes<W>, const N: usize>(
        &self,
        lanes: L,
        w: &(impl Source<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
    ) -> [L::Vector; N] {
        let rules = &self.rule.splat(lanes);
        let (rate, d) = (lanes.splat(self.rate), lanes.splat(self.d));
        let g = rules.gradient(lanes, w, g);
        moved(rules, lanes, w.load(lanes), g, [rate; N], [d; N])
    }
}

/// A row that is moved. A test stores nothing, and only looks whether all that would be stored is finite: one loop does both,
/// and so has one copy of the arithmetic.
struct MovedRow<C> {
    moves: Move,
    is_test: bool,
    good: bool,
    class: PhantomData<C>,
}

impl<C: Class> MovedRow<C> {
    #[inline(always)]
    fn is_test(&self) -> bool {
        self.is_test && const { !C::WITHOUT.any(Flags::SKIP) }
    }
}

impl<C: Class> Pass for MovedRow<C> {
    #[inline(always)]
    fn blocks<const W: usize, L: Lanes<W>, const N: usize>(
        &mut self,
        lanes: L,
        w: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        _: &mut (impl Place<W, L, N> + ?Sized),
    ) {
        let moved = self.moves.moved(lanes, &*w, g);
        let moved = if w.must_round(self.is_test()) { w.round(lanes, moved, [lanes.splat(0.0); N]) } else { moved };
        if self.is_test() {
            self.good &= lanes.all(finite(lanes, moved));
        } else {
            w.store(lanes, moved);
        }
    }
}
