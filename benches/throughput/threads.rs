//! Two threads beside one.

use core::hint::black_box;

use adagrad::Backend;
use adagrad_benches::limit::{self, Run};
use adagrad_benches::memory::{Slices, Vectors, places};

use crate::dense::{limits, step};
use crate::measure::{Contender, Kind, Meter, Times, Who};
use crate::text::{Table, binary, cell};

/// Times per element of a dense step and of the limit, on one thread and on two.
pub(crate) fn measure(meter: &Meter, memory: &mut Vectors, n: usize) -> Times {
    let options = Kind::EXACT.options();
    let mut contenders = vec![
        step(Who::detected(Kind::EXACT), Backend::detected(), Kind::EXACT),
        Contender::new(Who::TwoThreads, move |(w, g, a): &mut Slices<'_>| {
            black_box(&options).par_step(w, g, a).expect("the lengths are the same");
        }),
    ];
    contenders.extend(limits(n));
    contenders.extend(limit::loops(n / 2).into_iter().map(|(_, run)| {
        Contender::new(Who::LimitOfTwoThreads, move |(w, g, a): &mut Slices<'_>| halves(w, g, a, run))
    }));
    meter.measure(&format!("two threads, {} elements", binary(n)), 1.5, &contenders, &mut places(memory, n)).per(n)
}

/// A loop over both halves at once.
fn halves(params: &mut [f32], grads: &[f32], accumulator: &mut [f32], run: Run) {
    let middle = params.len() / 2;
    let (w, g, a) = (params.split_at_mut(middle), grads.split_at(middle), accumulator.split_at_mut(middle));
    rayon::join(|| run(w.0, g.0, a.0), || run(w.1, g.1, a.1));
}

pub(crate) fn table(series: &[(usize, Times)]) -> Table {
    let mut table =
        Table::new(["elements", "step", "2 threads", "times as fast", "limit", "of 2 threads", "times as fast"]);
    for (n, times) in series {
        let step = [times.of(Who::detected(Kind::EXACT)), times.of(Who::TwoThreads)];
        let limit = [times.limit(), times.of(Who::LimitOfTwoThreads)];
        let cells = [step, limit].into_iter().flat_map(|[one, two]| {
            let ratio = one.zip(two).map(|(one, two)| one / two);
            [cell(one), cell(two), cell(ratio)]
        });
        table.push([binary(*n)].into_iter().chain(cells));
    }
    table
}
