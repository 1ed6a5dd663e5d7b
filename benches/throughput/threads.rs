//! Two threads beside one.

use adagrad::Backend;

use crate::common::{Loop, traffic, whole};
use crate::dense::{Slices, Vectors, places};
use crate::measure::{Contender, KINDS, Meter, Who};
use crate::text::{Table, binary, digits};

/// Measures dense steps and the limit on one thread and on two; prints a line for each length.
pub(crate) fn measure(meter: &Meter, memory: &mut Vectors, lengths: &[usize]) -> Table {
    let mut table = Table::new([
        "elements",
        "step",
        "step, 2 threads",
        "times as fast",
        "limit",
        "limit, 2 threads",
        "times as fast",
    ]);
    let options = KINDS[0].options;
    for n in lengths {
        let contenders = [
            Contender::new(Who::Step(Backend::detected(), KINDS[0]), |(w, g, a): &mut Slices<'_>| {
                options.step(w, g, a).expect("the lengths are the same");
            }),
            Contender::new(Who::TwoThreads, |(w, g, a): &mut Slices<'_>| {
                options.par_step(w, g, a).expect("the lengths are the same");
            }),
            Contender::new(Who::Limit, |(w, g, a): &mut Slices<'_>| whole(w, g, a, traffic)),
            Contender::new(Who::LimitOfTwoThreads, |(w, g, a): &mut Slices<'_>| halves(w, g, a, traffic)),
        ];
        let what = format!("two threads, {} elements", binary(*n));
        let times = meter.measure(&what, &contenders, &mut places(memory, *n)).per(*n);
        let mut cells = vec![binary(*n)];
        for (one, two) in
            [(Who::Step(Backend::detected(), KINDS[0]), Who::TwoThreads), (Who::Limit, Who::LimitOfTwoThreads)]
        {
            let [one, two] = [one, two].map(|who| times.of(who));
            let ratio = one.zip(two).map(|(one, two)| one / two);
            cells.extend([one, two, ratio].map(|value| value.map_or_else(|| "-".into(), digits)));
        }
        table.push(cells);
    }
    table
}

/// A loop over both halves at once.
fn halves(params: &mut [f32], grads: &[f32], accumulator: &mut [f32], run: impl Loop + Sync) {
    let middle = params.len() / 2;
    let (w, g, a) = (params.split_at_mut(middle), grads.split_at(middle), accumulator.split_at_mut(middle));
    rayon::join(|| whole(w.0, g.0, a.0, run), || whole(w.1, g.1, a.1, run));
}
