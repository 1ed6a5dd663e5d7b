//! Steps that make parameters exactly 0: FTRL-Proximal and proximal Adagrad. One loop for both.

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

impl<const FTRL: bool> Kernel for Regularized<'_, FTRL> {
    type Output = ();

    #[inline(always)]
    fn run<const W: usize, L: Lanes<W>>(self, lanes: L) {
        let Self { rates, params, accumulator, linear, dim, rows, grads } = self;
        for position in 0..rows.len() {
            let Some(row) = rows.get(position) else { never!("each row fits usize") };
            let (start, from) = (row.wrapping_mul(dim), position.wrapping_mul(dim));
            let (end, to) = (start.wrapping_add(dim), from.wrapping_add(dim));
            let (Some(w), Some(g), Some(a), Some(z)) = (
                params.get_mut(start..end),
                grads.get(from..to),
                accumulator.get_mut(start..end),
                if FTRL { linear.get_mut(start..end) } else { Some(&mut [][..]) },
            ) else {
                never!("the row is in the table")
            };
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
                lanes.store(values[0], w);
                lanes.store(values[1], a);
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
    let divisor = bounded(lanes, lanes.add(lanes.splat(1.0), lanes.mul(rate, lanes.splat(rates.l2))));
    let is_zero = lanes.at_most(root, lanes.splat(0.0));
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
