//! Where the slices lie: apart, or as plain vectors of 2ᵏ elements do that are allocated one after the other.
//!
//! Such vectors lie a power of two and a little more apart. AMD's Zen, which predicts where in its first cache a line is
//! from a part of its address, takes a line of one for that of another again and again. It depends on the order in which
//! they were allocated how much that costs.

use adagrad::Backend;
use adagrad_benches::memory::{Vectors, apart, plain};

use crate::dense::{naive_outside, step};
use crate::measure::{Kind, Meter, Times, Who};
use crate::text::{Table, binary, cell};

/// The orders of allocation, as indices of parameters, gradients and accumulators.
pub(crate) const ORDERS: [([usize; 3], &str); 6] = [
    ([0, 1, 2], "w, g, G"),
    ([0, 2, 1], "w, G, g"),
    ([1, 0, 2], "g, w, G"),
    ([1, 2, 0], "g, G, w"),
    ([2, 0, 1], "G, w, g"),
    ([2, 1, 0], "G, g, w"),
];

/// Times per element of a length: of slices apart, and for each order.
pub(crate) struct Placed {
    pub(crate) n: usize,
    pub(crate) apart: Times,
    pub(crate) orders: Vec<(&'static str, Times)>,
}

impl Placed {
    /// The order in which one is slowest, and its time.
    pub(crate) fn worst(&self, who: Who) -> Option<(&'static str, f64)> {
        let times = self.orders.iter().filter_map(|(order, times)| Some((*order, times.of(who)?)));
        times.max_by(|(_, a), (_, b)| a.total_cmp(b))
    }
}

/// Vectors of this many elements are mapped into memory by glibc each on its own, whatever was freed before.
const MAPPED: usize = 1 << 23;

/// Measures all orders for each length. To be called before other large vectors were freed: in their place smaller ones
/// would lie otherwise than in a program that has just begun.
pub(crate) fn measure(meter: &Meter, lengths: &[usize]) -> Vec<Placed> {
    let mut kept: Vec<Vectors> = Vec::new();
    let of_length = |n: &usize| {
        let orders = ORDERS.iter().map(|(order, name)| {
            let mut vectors = plain(*n, *order);
            let times = times(meter, &mut vectors, *n, name);
            if *n < MAPPED {
                kept.push(vectors);
            }
            (*name, times)
        });
        let orders = orders.collect();
        let mut vectors = apart(*n);
        let apart = times(meter, &mut vectors, *n, "apart");
        if *n < MAPPED {
            kept.push(vectors);
        }
        Placed { n: *n, apart, orders }
    };
    lengths.iter().map(of_length).collect()
}

fn times(meter: &Meter, (w, g, a): &mut Vectors, n: usize, placement: &str) -> Times {
    let contenders = [naive_outside(), step(Who::detected(Kind::EXACT), Backend::detected(), Kind::EXACT)];
    let what = format!("placement, {} elements, {placement}", binary(n));
    meter.measure(&what, 0.25, &contenders, &mut [(&mut w[..n], &g[..n], &mut a[..n])]).per(n)
}

/// A line for each placement, two columns for each length.
pub(crate) fn table(placed: &[Placed]) -> Table {
    let pair = |times: &Times| [Who::Naive, Who::detected(Kind::EXACT)].map(|who| cell(times.of(who)));
    let names = placed.iter().flat_map(|placed| [format!("{}: naive", binary(placed.n)), "step".into()]);
    let mut table = Table::new(["allocated".to_owned()].into_iter().chain(names));
    table.push(["apart".to_owned()].into_iter().chain(placed.iter().flat_map(|placed| pair(&placed.apart))));
    for (i, (_, name)) in ORDERS.iter().enumerate() {
        let cells = placed.iter().flat_map(|placed| pair(&placed.orders[i].1));
        table.push([(*name).to_owned()].into_iter().chain(cells));
    }
    let worst = |placed: &Placed| {
        [Who::Naive, Who::detected(Kind::EXACT)].map(|who| cell(placed.worst(who).map(|(_, time)| time)))
    };
    table.push(["**the worst**".to_owned()].into_iter().chain(placed.iter().flat_map(worst)));
    table
}
