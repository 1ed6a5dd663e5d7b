//! Steps that make parameters exactly 0: FTRL-Proximal and proximal Adagrad. One kernel for both formulas.

use super::narrow_rows::{gathered, scatter};
use super::rows::each_chunk;
use crate::backend::lanes::{Kernel, Lanes};
use crate::table::{Indices, Layout, Shape};

/// What both formulas are given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    pub(crate) learning_rate: f32,
    pub(crate) l1: f32,
    pub(crate) l2: f32,
}

/// A step for some rows of a table with an accumulator per element, or of a part of it; a row that is not there is passed
/// over. The slices have the shape, `grads` has a gradient for each of `rows`. Only FTRL has a linear term; without it
/// `linear` is empty.
pub(crate) struct Regularized<'a, const FTRL: bool> {
    pub(crate) rates: Rates,
    pub(crate) params: &'a mut [f32],
    pub(crate) accumulator: &'a mut [f32],
    pub(crate) linear: &'a mut [f32],
    pub(crate) shape: Shape,
    /// The first row of the part, and how many it has.
    pub(crate) first_row: usize,
    pub(crate) rows_here: usize,
    /// The row, of the whole table, that is passed over.
    pub(crate) padding: usize,
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
        let (rows, shape) = (self.rows, self.shape);
        each_chunk(
            rows,
            self.first_row,
            self.padding,
            #[inline(always)]
            |position, places| match shape.dim {
                _ if !shape.is_plain => lanes.call(Each::<FTRL, false> { step: self, position, places }),
                1 if W == 8 => self.together::<1, 8, W, L>(lanes, position, places),
                2 if W == 8 => self.together::<2, 4, W, L>(lanes, position, places),
                4 if W == 8 => self.together::<4, 2, W, L>(lanes, position, places),
                _ => lanes.call(Each::<FTRL, true> { step: self, position, places }),
            },
        );
    }
}

impl<const FTRL: bool> Regularized<'_, FTRL> {
    /// The step of rows of `D` columns: `K` together, which fill a block, and each by itself where they do not.
    #[inline(always)]
    fn together<const D: usize, const K: usize, const W: usize, L: Lanes<W>>(
        &mut self,
        lanes: L,
        mut position: usize,
        mut places: &[usize],
    ) {
        while !places.is_empty() {
            let done = lanes.call(Together::<FTRL, D, K> { step: self, position, places });
            position = position.wrapping_add(done);
            let rest = places.get(done..).unwrap_or_default();
            let (next, rest) = rest.split_at_checked(K).unwrap_or((rest, &[]));
            lanes.call(Each::<FTRL, true> { step: self, position, places: next });
            position = position.wrapping_add(K);
            places = rest;
        }
    }
}

/// The step of rows of `D` columns, `K` together, up to where some do not fill a block. Returns how many it has done. It
/// calls nothing, so that all values of its loop stay in registers.
struct Together<'s, 'a, const FTRL: bool, const D: usize, const K: usize> {
    step: &'s mut Regularized<'a, FTRL>,
    position: usize,
    places: &'s [usize],
}

impl<const FTRL: bool, const D: usize, const K: usize> Kernel for Together<'_, '_, FTRL, D, K> {
    type Output = usize;

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) -> usize {
        let Regularized { rates, ref mut params, ref mut accumulator, ref mut linear, grads, .. } = *self.step;
        let (w, a) = (params.as_chunks_mut::<D>().0, accumulator.as_chunks_mut::<D>().0);
        let z = linear.as_chunks_mut::<D>().0;
        if a.len() != w.len() || FTRL && z.len() != w.len() {
            never!("slices of one length");
        }
        let grads = grads.get(self.position.wrapping_mul(D)..).unwrap_or_default();
        let mut done: usize = 0;
        for (places, g) in self.places.as_chunks::<K>().0.iter().zip(grads.as_chunks::<W>().0) {
            // An error if one of the rows comes twice, or is passed over.
            let Ok(mut w) = w.get_disjoint_mut(*places) else { break };
            let Ok(mut a) = a.get_disjoint_mut(*places) else { break };
            let mut values = [lanes.load(&gathered(&w)), lanes.load(&gathered(&a)), lanes.splat(0.0)];
            let (g, mut block) = (lanes.load(g), [0.0; W]);
            if FTRL {
                let Ok(mut z) = z.get_disjoint_mut(*places) else { break };
                values[2] = lanes.load(&gathered(&z));
                values = ftrl(lanes, rates, g, values);
                lanes.store(values[2], &mut block);
                scatter(&block, &mut z);
            } else {
                values = proximal(lanes, rates, g, values);
            }
            // As in `step_row`, the accumulators first.
            lanes.store(values[1], &mut block);
            scatter(&block, &mut a);
            lanes.store(values[0], &mut block);
            scatter(&block, &mut w);
            done = done.wrapping_add(K);
        }
        done
    }
}

/// The step of each row of a chunk, a function of its own. If `PLAIN`, nothing lies between rows.
struct Each<'s, 'a, const FTRL: bool, const PLAIN: bool> {
    step: &'s mut Regularized<'a, FTRL>,
    position: usize,
    places: &'s [usize],
}

impl<const FTRL: bool, const PLAIN: bool> Kernel for Each<'_, '_, FTRL, PLAIN> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Regularized { rates, shape, rows_here, grads, .. } = *self.step;
        let (params, accumulator, linear) =
            (&mut *self.step.params, &mut *self.step.accumulator, &mut *self.step.linear);
        let dim = shape.dim;
        let (of_linear, of_gradients) = if PLAIN { (dim, dim) } else { (shape.linear(), shape.gradients) };
        let mut from = self.position.wrapping_mul(of_gradients);
        for place in self.places {
            let g = from..from.wrapping_add(dim);
            from = from.wrapping_add(of_gradients);
            if *place >= rows_here {
                continue;
            }
            let (start, at) = (place.wrapping_mul(dim), place.wrapping_mul(of_linear));
            let (row, third) = (start..start.wrapping_add(dim), at..at.wrapping_add(dim));
            let (w, a) = if PLAIN {
                (params.get_mut(row.clone()), accumulator.get_mut(row))
            } else {
                shape.row_mut(params, accumulator, *place, Layout::ElementWise).unzip()
            };
            let z = if FTRL { linear.get_mut(third) } else { Some(&mut [][..]) };
            let (Some(w), Some(g), Some(a), Some(z)) = (w, grads.get(g), a, z) else { never!("the row is here") };
            step_row::<FTRL, W, L>(lanes, rates, w, g, a, z);
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
