//! The arithmetic of the step: hyper-parameters as the kernels use them, and what they do to a group of blocks.

use core::mem::offset_of;

use super::Flags;
use super::blocks::{Place, Source};
use super::class::Class;
use super::quotients::fast_quotients;
use super::roots::{minus_product, roots};
use crate::backend::lanes::{Lanes, map, zip};

/// The hyper-parameters as the kernels use them. `T` is `f32`, or a vector with the same value in each lane.
///
/// The flags do not change within a call. They are tested once a group.
// In this order, what `with_learning_rate` does not touch is copied in whole registers: see docs/decisions.md, "Options that
// are copied".
#[derive(Clone, Copy, PartialEq)]
#[repr(C)]
pub(crate) struct Rule<T> {
    pub(crate) flags: Flags,
    pub(crate) learning_rate: T,
    /// ε where it stands inside the root, else −0, which changes nothing that it is added to.
    pub(crate) epsilon_inside: T,
    /// ε where it stands outside the root, else −0.
    pub(crate) epsilon_outside: T,
    pub(crate) scale: T,
    pub(crate) clip: T,
    /// λ of either weight decay.
    pub(crate) decay: T,
    /// ρ of an accumulator that forgets.
    pub(crate) retained: T,
    /// See [`greatest_estimate`](super::greatest_estimate).
    pub(crate) greatest_estimate: T,
}

/// 32 bytes that are copied in whole registers.
const _: () = assert!(offset_of!(Rule<f32>, epsilon_inside) == 8 && size_of::<Rule<f32>>() == 36);

impl Rule<f32> {
    #[inline(always)]
    pub(crate) fn splat<const W: usize, L: Lanes<W>>(&self, lanes: L) -> Rule<L::Vector> {
        Rule {
            learning_rate: lanes.splat(self.learning_rate),
            epsilon_inside: lanes.splat(self.epsilon_inside),
            epsilon_outside: lanes.splat(self.epsilon_outside),
            scale: lanes.splat(self.scale),
            clip: lanes.splat(self.clip),
            decay: lanes.splat(self.decay),
            retained: lanes.splat(self.retained),
            greatest_estimate: lanes.splat(self.greatest_estimate),
            flags: self.flags,
        }
    }
}

impl<V: Copy> Rule<V> {
    /// The same rule, of which the compiler knows that it lacks these terms.
    #[inline(always)]
    pub(crate) fn without(self, terms: Flags) -> Self {
        Self { flags: self.flags.set(terms, false), ..self }
    }

    /// `a·b + c`: rounded once if fused, else after the product and after the sum.
    #[inline(always)]
    pub(crate) fn product_plus<const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        a: [V; N],
        b: [V; N],
        mut c: [V; N],
    ) -> [V; N] {
        if self.flags.any(Flags::FUSED) {
            for ((c, a), b) in c.iter_mut().zip(a).zip(b) {
                *c = lanes.mul_add(a, b, *c);
            }
        } else {
            for ((c, a), b) in c.iter_mut().zip(a).zip(b) {
                *c = lanes.add(*c, lanes.mul(a, b));
            }
        }
        c
    }

    /// `g ← scale·g`, `g ← clamp(g, −clip, clip)`, `g ← g + λ·w`.
    #[inline(always)]
    pub(crate) fn gradient<const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        w: &(impl Source<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
    ) -> [V; N] {
        let mut g = g.load(lanes);
        if self.flags.any(Flags::GRADIENT) {
            if self.flags.any(Flags::SCALE) {
                g = map(
                    g,
                    #[inline(always)]
                    |g| lanes.mul(self.scale, g),
                );
            }
            if self.flags.any(Flags::CLIP) {
                let minus_clip = lanes.sub(lanes.splat(-0.0), self.clip);
                // The gradient stands second, so that NaN stays NaN.
                g = map(
                    g,
                    #[inline(always)]
                    |g| lanes.max(minus_clip, lanes.min(self.clip, g)),
                );
            }
            if self.flags.any(Flags::L2) {
                g = self.product_plus(lanes, [self.decay; N], w.load(lanes), g);
            }
        }
        g
    }

    /// What of the accumulator is added to: `G`, or `ρ·G`.
    #[inline(always)]
    fn kept<const W: usize, L: Lanes<W, Vector = V>, const N: usize>(&self, lanes: L, accumulator: [V; N]) -> [V; N] {
        if self.flags.any(Flags::FORGET) {
            map(
                accumulator,
                #[inline(always)]
                |a| lanes.mul(self.retained, a),
            )
        } else {
            accumulator
        }
    }

    /// `G ← G + g·g`, `ρ·G + g·g`, or `ρ·G + (1−ρ)·(g·g)`.
    #[inline(always)]
    pub(crate) fn accumulated<const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        accumulator: [V; N],
        g: [V; N],
    ) -> [V; N] {
        let (a, b) = self.factors(lanes, g);
        let kept = self.kept(lanes, accumulator);
        self.product_plus(lanes, a, b, kept)
    }

    /// The factors of what is added to the accumulator: `g` and `g`, or `g·g` and `1−ρ`.
    #[inline(always)]
    fn factors<const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        g: [V; N],
    ) -> ([V; N], [V; N]) {
        let (mut a, mut b) = (g, g);
        if self.flags.any(Flags::AVERAGE) {
            a = map(
                g,
                #[inline(always)]
                |g| lanes.mul(g, g),
            );
            b = [self.fresh(lanes); N];
        }
        (a, b)
    }

    /// By how much the exact sums of what [`accumulated`](Self::accumulated) adds are more than its results, or less.
    #[inline(always)]
    fn remainders<const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        accumulator: [V; N],
        g: [V; N],
        sums: [V; N],
    ) -> [V; N] {
        let (a, b) = self.factors(lanes, g);
        let mut rest = self.kept(lanes, accumulator);
        for (((rest, a), b), sum) in rest.iter_mut().zip(a).zip(b).zip(sums) {
            *rest = self.remainder(lanes, *rest, a, b, sum);
        }
        rest
    }

    /// The same of what [`accumulated_mean`](Self::accumulated_mean) adds.
    #[inline(always)]
    pub(crate) fn remainder_of_mean<const W: usize, L: Lanes<W, Vector = V>>(
        &self,
        lanes: L,
        accumulator: V,
        mean: V,
        sum: V,
    ) -> V {
        let [kept] = self.kept(lanes, [accumulator]);
        let factor = if self.flags.any(Flags::AVERAGE) { self.fresh(lanes) } else { lanes.splat(1.0) };
        self.remainder(lanes, kept, factor, mean, sum)
    }

    /// `kept + a·b − sum`, where `sum` is what that was rounded to. Exact where the product was rounded before, by the
    /// algorithm `TwoSum` (Knuth, *The Art of Computer Programming*, volume 2, section 4.2.2); where it is fused, to one
    /// rounding of what is left.
    #[inline(always)]
    fn remainder<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, kept: V, a: V, b: V, sum: V) -> V {
        let product = lanes.mul(a, b);
        let separate = lanes.add(kept, product);
        let added = lanes.sub(separate, kept);
        let lost = lanes.add(lanes.sub(kept, lanes.sub(separate, added)), lanes.sub(product, added));
        if self.flags.any(Flags::FUSED) {
            let of_product = minus_product(lanes, product, a, b);
            lanes.add(lanes.sub(separate, sum), lanes.sub(lost, of_product))
        } else {
            lost
        }
    }

    /// `1−ρ`.
    #[inline(always)]
    fn fresh<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L) -> V {
        lanes.sub(lanes.splat(1.0), self.retained)
    }

    /// `G ← G + m`, `ρ·G + m`, or `ρ·G + (1−ρ)·m`, where `m` is the mean of a row's squares.
    #[inline(always)]
    pub(crate) fn accumulated_mean<const W: usize, L: Lanes<W, Vector = V>>(&self, lanes: L, a: V, mean: V) -> V {
        let [kept] = self.kept(lanes, [a]);
        if self.flags.any(Flags::AVERAGE) {
            let [sum] = self.product_plus(lanes, [self.fresh(lanes)], [mean], [kept]);
            sum
        } else {
            lanes.add(kept, mean)
        }
    }

    /// `d ← √G + ε` or `√(G + ε)`.
    ///
    /// Both are added, of which one is −0: the one that is off takes an addition and no branch. There is a branch instead where
    /// additions are software, and in single blocks of four that decay, since a step waits for all of the one before.
    #[inline(always)]
    pub(crate) fn denominators<C: Class, const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        accumulator: [V; N],
    ) -> [V; N] {
        let inside = self.flags.any(Flags::EPSILON_INSIDE);
        let adds_both = const { L::CAN_ADD && (W > 4 || N > 1 || !C::IS_DECAYED) };
        let mut d = accumulator;
        if adds_both || inside {
            d = map(
                d,
                #[inline(always)]
                |a| lanes.add(a, self.epsilon_inside),
            );
        }
        d = if const { C::ROOTS_BY_DIVIDER } {
            map(
                d,
                #[inline(always)]
                |d| lanes.sqrt(d),
            )
        } else {
            roots(lanes, d)
        };
        if adds_both || !inside {
            d = map(
                d,
                #[inline(always)]
                |root| lanes.add(root, self.epsilon_outside),
            );
        }
        d
    }

    /// `w ← w − (w·λ)·η`.
    #[inline(always)]
    pub(crate) fn decayed<const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        w: [V; N],
    ) -> [V; N] {
        if self.flags.any(Flags::DECOUPLED) {
            map(
                w,
                #[inline(always)]
                |w| lanes.sub(w, lanes.mul(lanes.mul(w, self.decay), self.learning_rate)),
            )
        } else {
            w
        }
    }

    /// `w − q` for the quotients `q`, or `w` where `d = 0`, which needs ε = 0.
    #[inline(always)]
    pub(crate) fn moved<const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        w: [V; N],
        q: [V; N],
        d: [V; N],
    ) -> [V; N] {
        let mut moved = zip(
            w,
            q,
            #[inline(always)]
            |w, q| lanes.sub(w, q),
        );
        if self.flags.any(Flags::EPSILON_IS_ZERO) {
            for ((moved, w), d) in moved.iter_mut().zip(w).zip(d) {
                // A denominator is not below 0.
                *moved = lanes.select(lanes.at_most(d, lanes.splat(0.0)), w, *moved);
            }
        }
        moved
    }

    /// The element-wise step of a group of blocks. The result is how many elements were skipped. A rule of a class that never
    /// skips has no code for it.
    #[inline(always)]
    pub(crate) fn step<C: Class, const W: usize, L: Lanes<W, Vector = V>, const N: usize>(
        &self,
        lanes: L,
        w: &mut (impl Place<W, L, N> + ?Sized),
        g: &(impl Source<W, L, N> + ?Sized),
        a: &mut (impl Place<W, L, N> + ?Sized),
    ) -> usize {
        let skips = self.flags.any(Flags::SKIP);
        let g = self.gradient(lanes, &*w, g);
        let before = a.load(lanes);
        let sums = self.accumulated(lanes, before, g);
        // The root is that of the sum itself: of one that is rounded to 0, a small gradient would make a large step.
        let stored =
            if a.must_round(skips) { a.round(lanes, sums, self.remainders(lanes, before, g, sums)) } else { sums };
        if !skips && W > 1 {
            // At once, since a guard of estimates does not change them.
            a.store(lanes, stored);
        }
        let scaled = map(
            g,
            #[inline(always)]
            |g| lanes.mul(self.learning_rate, g),
        );
        let under = if self.flags.any(Flags::STEP_FIRST) { before } else { sums };
        let (q, d) = if const { C::MAY_BE_FAST && L::ESTIMATE_ERROR > 0.0 } && self.flags.is_fast() {
            (fast_quotients(lanes, self, scaled, under), scaled)
        } else {
            let d = self.denominators::<C, W, L, N>(lanes, under);
            (
                zip(
                    scaled,
                    d,
                    #[inline(always)]
                    |scaled, d| lanes.div(scaled, d),
                ),
                d,
            )
        };
        let old = w.load(lanes);
        let new = self.moved(lanes, self.decayed(lanes, old), q, d);
        let new = if w.must_round(skips) { w.round(lanes, new, [lanes.splat(0.0); N]) } else { new };
        if const { C::WITHOUT.any(Flags::SKIP) } || !skips {
            w.store(lanes, new);
            if W == 1 {
                // Here the stores of both are one instruction less.
                a.store(lanes, stored);
            }
            return 0;
        }
        let (mut new, mut sums, mut skipped) = (new, stored, 0);
        // Mostly no element is skipped, which one question for all blocks finds out.
        let all = before.iter().fold(
            lanes.and(finite(lanes, new), finite(lanes, sums)),
            #[inline(always)]
            |all, before| lanes.and(all, lanes.at_most(lanes.splat(0.0), *before)),
        );
        if W == 1 || !lanes.all(all) {
            for (((new, old), sum), before) in new.iter_mut().zip(old).zip(&mut sums).zip(before) {
                let good = lanes.at_most(lanes.splat(0.0), before);
                let good = lanes.and(good, finite(lanes, [*new, *sum]));
                *new = lanes.select(good, *new, old);
                *sum = lanes.select(good, *sum, before);
                skipped += W - lanes.count(good);
            }
        }
        w.store(lanes, new);
        a.store(lanes, sums);
        skipped
    }
}

/// Where all values of a lane are finite: the difference of a value and itself is 0 then, and otherwise NaN.
#[inline(always)]
pub(crate) fn finite<const W: usize, L: Lanes<W>, const N: usize>(lanes: L, values: [L::Vector; N]) -> L::Mask {
    let zero = lanes.splat(0.0);
    let mut sum = zero;
    for value in values {
        sum = lanes.add(sum, lanes.sub(value, value));
    }
    lanes.at_most(sum, zero)
}
