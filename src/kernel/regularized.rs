//! Steps that make parameters exactly 0: FTRL-Proximal and proximal Adagrad. One loop for both.

use super::narrow_rows::{gathered, scatter};
use super::rows::each_chunk;
use crate::backend::lanes::{Kernel, Lanes};
use crate::table::Indices;

/// What both formulas are given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    pub(crate) learning_rate: f32,
    pub(crate) l1: f32,
    pub(crate) l2: f32,
}

/// A step for some rows, each of which is in the table. All slices but `grads` have the table's length; `grads` has `dim`
/// values for each of `rows`. Only FTRL has a linear term; without it `linear` is empty.
pub(crate) struct Regularized<'a, const FTRL: bool> {
    pub(crate) rates: Rates,
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) linear: &'a mut [f32],
    pub(crate) dim: usize,
    pub(crate) rows: Indices<'a>,
    pub(crate) grads: &'a [f32],
}

/// A dense step, over slices of one length, but for `linear`, which is empty without FTRL.
pub(crate) struct RegularizedSlices<'a, const FTRL: bool> {
    pub(crate) rates: Rates,
    pub(crate) params: &'a mut [f32],
    pub(crate) grads: &'a [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) linear: &'a mut [f32],
}

/// By reference, as [`Regularized`].
impl<const FTRL: bool> Kernel for &mut RegularizedSlices<'_, FTRL> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        step_row::<FTRL, W, L>(lanes, self.rates, self.params, self.grads, self.accumulator, self.linear);
    }
}

/// By reference, so that each field is loaded as it was stored: several at once would wait for all of them.
impl<const FTRL: bool> Kernel for &mut Regularized<'_, FTRL> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let (rows, dim) = (self.rows, self.dim);
        each_chunk(
            rows,
            0,
            usize::MAX,
            #[inline(always)]
            |position, places| match dim {
                1 if W == 8 => self.together::<1, 8, W, L>(lanes, position, places),
                2 if W == 8 => self.together::<2, 4, W, L>(lanes, position, places),
                4 if W == 8 => self.together::<4, 2, W, L>(lanes, position, places),
                _ => self.each(lanes, position, places),
            },
        );
    }
}

impl<const FTRL: bool> Regularized<'_, FTRL> {
    /// The step of rows of `D` columns: `K` together, which fill a block, if they are different ones.
    #[inline(always)]
    fn together<const D: usize, const K: usize, const W: usize, L: Lanes<W>>(
        &mut self,
        lanes: L,
        position: usize,
        places: &[usize],
    ) {
        let (groups, last) = places.as_chunks::<K>();
        let mut position = position;
        for places in groups {
            if !self.block::<D, K, W, L>(lanes, position, places) {
                self.each(lanes, position, places);
            }
            position = position.wrapping_add(K);
        }
        self.each(lanes, position, last);
    }

    /// The step of rows that fill a block; or nothing and false, if one of them comes twice.
    #[inline(always)]
    fn block<const D: usize, const K: usize, const W: usize, L: Lanes<W>>(
        &mut self,
        lanes: L,
        position: usize,
        places: &[usize; K],
    ) -> bool {
        let (w, a) = (self.params.as_chunks_mut::<D>().0, self.accumulator.as_chunks_mut::<D>().0);
        let z = self.linear.as_chunks_mut::<D>().0;
        if a.len() != w.len() || FTRL && z.len() != w.len() {
            never!("slices of one length", false);
        }
        let (Ok(mut w), Ok(mut a)) = (w.get_disjoint_mut(*places), a.get_disjoint_mut(*places)) else { return false };
        let start = position.wrapping_mul(D);
        let Some(g) = self.grads.get(start..start.wrapping_add(W)).and_then(<[f32]>::first_chunk) else {
            never!("a gradient for each row", false)
        };
        let (g, mut values) = (lanes.load(g), [lanes.load(&gathered(&w)), lanes.load(&gathered(&a)), lanes.splat(0.0)]);
        let mut block = [0.0; W];
        if FTRL {
            let Ok(mut z) = z.get_disjoint_mut(*places) else { return false };
            values[2] = lanes.load(&gathered(&z));
            values = ftrl(lanes, self.rates, g, values);
            lanes.store(values[2], &mut block);
            scatter(&block, &mut z);
        } else {
            values = proximal(lanes, self.rates, g, values);
        }
        lanes.store(values[0], &mut block);
        scatter(&block, &mut w);
        lanes.store(values[1], &mut block);
        scatter(&block, &mut a);
        true
    }

    /// The step of each row.
    #[inline(always)]
    fn each<const W: usize, L: Lanes<W>>(&mut self, lanes: L, position: usize, places: &[usize]) {
        let Self { rates, dim, grads, .. } = *self;
        let (params, accumulator, linear) = (&mut *self.params, &mut *self.accumulator, &mut *self.linear);
        let mut from = position.wrapping_mul(dim);
        for place in places {
            let start = place.wrapping_mul(dim);
            let (row, to) = (start..start.wrapping_add(dim), from.wrapping_add(dim));
            let (Some(w), Some(g), Some(a), Some(z)) = (
                params.get_mut(row.clone()),
                grads.get(from..to),
                accumulator.get_mut(row.clone()),
                if FTRL { linear.get_mut(row) } else { Some(&mut [][..]) },
            ) else {
                never!("the row is in the table")
            };
            step_row::<FTRL, W, L>(lanes, rates, w, g, a, z);
            from = to;
        }
    }
}

/// The step of one row, or of dense slices.
#[inline(always)]
fn step_row<const FTRL: bool, const W: usize, L: Lanes<W>>(
    lanes: L,
    rates: Rates,
    w: &mut [f32],
    g: &[f32],
    a: &mut [f32],
    z: &mut [f32],
) {
    let ((w, w_rest), (g, g_rest)) = (w.as_chunks_mut::<W>(), g.as_chunks::<W>());
    let ((a, a_rest), (z, z_rest)) = (a.as_chunks_mut::<W>(), z.as_chunks_mut::<W>());
    for (block, ((w, g), a)) in w.iter_mut().zip(g).zip(a).enumerate() {
        let mut values = [lanes.load(w), lanes.load(a), lanes.splat(0.0)];
        if FTRL {
            let Some(z) = z.get_mut(block) else { never!("as many linear terms") };
            values[2] = lanes.load(z);
            values = ftrl(lanes, rates, lanes.load(g), values);
            lanes.store(values[2], z);
        } else {
            values = proximal(lanes, rates, lanes.load(g), values);
        }
        // The accumulators first: else the compiler stores the parameters by a mask where there is a select, which is slow.
        lanes.store(values[1], a);
        lanes.store(values[0], w);
    }
    if W > 1 && !w_rest.is_empty() {
        let mut values = [lanes.load_first(w_rest), lanes.load_first(a_rest), lanes.load_first(z_rest)];
        let g = lanes.load_first(g_rest);
        values = if FTRL { ftrl(lanes, rates, g, values) } else { proximal(lanes, rates, g, values) };
        lanes.store_first(values[0], w_rest);
        lanes.store_first(values[1], a_rest);
        lanes.store_first(values[2], z_rest);
    }
}

/// The formula of [`Ftrl`](crate::Ftrl), for a parameter, an accumulator and a linear term.
#[inline(always)]
fn ftrl<const W: usize, L: Lanes<W>>(
    lanes: L,
    rates: Rates,
    g: L::Vector,
    [w, a, z]: [L::Vector; 3],
) -> [L::Vector; 3] {
    let learning_rate = lanes.splat(rates.learning_rate);
    let sum = bounded(lanes, lanes.add(a, lanes.mul(g, g)));
    let root = lanes.sqrt(sum);
    let sigma = bounded(lanes, lanes.div(lanes.sub(root, lanes.sqrt(a)), learning_rate));
    let z = lanes.add(z, lanes.sub(g, lanes.mul(sigma, w)));
    let shrunk = lanes.sub(within(lanes, z, lanes.splat(rates.l1)), z);
    let divisor = bounded(lanes, lanes.add(lanes.div(root, learning_rate), lanes.splat(2.0 * rates.l2)));
    let is_zero = lanes.at_most(divisor, lanes.splat(0.0));
    [lanes.select(is_zero, w, lanes.div(shrunk, divisor)), sum, z]
}

/// The formula of [`Proximal`](crate::Proximal). The third value is handed back.
#[inline(always)]
fn proximal<const W: usize, L: Lanes<W>>(
    lanes: L,
    rates: Rates,
    g: L::Vector,
    [w, a, z]: [L::Vector; 3],
) -> [L::Vector; 3] {
    let sum = bounded(lanes, lanes.add(a, lanes.mul(g, g)));
    let root = lanes.sqrt(sum);
    let rate = bounded(lanes, lanes.div(lanes.splat(rates.learning_rate), root));
    let v = lanes.sub(w, lanes.mul(rate, g));
    let threshold = bounded(lanes, lanes.mul(rate, lanes.splat(rates.l1)));
    let shrunk = lanes.sub(v, within(lanes, v, threshold));
    let is_zero = lanes.at_most(root, lanes.splat(0.0));
    if rates.l2 == 0.0 {
        // A division by 1 changes nothing, and takes time.
        return [lanes.select(is_zero, w, shrunk), sum, z];
    }
    let divisor = bounded(lanes, lanes.add(lanes.splat(1.0), lanes.mul(rate, lanes.splat(rates.l2))));
    [lanes.select(is_zero, w, lanes.div(shrunk, divisor)), sum, z]
}

/// At most the greatest finite value, so that no product with 0, difference or quotient of infinities makes NaN. NaN
/// stays.
#[inline(always)]
fn bounded<const W: usize, L: Lanes<W>>(lanes: L, x: L::Vector) -> L::Vector {
    lanes.min(lanes.splat(f32::MAX), x)
}

/// `x`, or the nearest value whose magnitude is at most `limit`. NaN stays.
#[inline(always)]
fn within<const W: usize, L: Lanes<W>>(lanes: L, x: L::Vector, limit: L::Vector) -> L::Vector {
    lanes.max(lanes.sub(lanes.splat(0.0), limit), lanes.min(limit, x))
}
