//! Dense steps: over their length, and on data with zeros.

use core::hint::black_box;

use adagrad::Backend;
use adagrad_benches::limit::{self, Streams};
use adagrad_benches::loops::{naive, naive_inside, whole};
use adagrad_benches::memory::{Random, Slices, Vectors, places};

use crate::measure::{Contender, Kind, Meter, Times, Who};
use crate::text::{Table, binary, cell};

/// A step on slices.
pub(crate) fn step<'a>(who: Who, backend: Backend, kind: Kind) -> Contender<'a, Slices<'a>> {
    let options = kind.options().with_backend(backend);
    Contender::new(who, move |(w, g, a): &mut Slices<'_>| {
        // What the options are is not known when compiling, so they are tested.
        black_box(&options).step(w, g, a).expect("the lengths are the same");
    })
}

pub(crate) fn naive_outside<'a>() -> Contender<'a, Slices<'a>> {
    Contender::new(Who::Naive, |(w, g, a): &mut Slices<'_>| whole(w, g, a, naive))
}

/// The loops of the limit.
pub(crate) fn limits<'a>(n: usize) -> impl Iterator<Item = Contender<'a, Slices<'a>>> {
    limit::loops(n).into_iter().map(|(streams, run)| {
        let who = if streams == Streams::One { Who::OneStream } else { Who::SeveralStreams };
        Contender::new(who, move |(w, g, a): &mut Slices<'_>| run(w, g, a))
    })
}

/// Times per element of steps of `n` elements, of all kinds on all backends.
pub(crate) fn measure(meter: &Meter, memory: &mut Vectors, n: usize) -> Times {
    let mut contenders = vec![naive_outside()];
    contenders.push(Contender::new(Who::NaiveInside, |(w, g, a): &mut Slices<'_>| whole(w, g, a, naive_inside)));
    for inside in [false, true] {
        for fast in [false, true] {
            let kind = Kind { fast, inside };
            let backends = Backend::available().filter(|backend| kind.is_on(*backend));
            contenders.extend(backends.map(|backend| step(Who::Step(backend, kind), backend, kind)));
        }
    }
    contenders.extend(limits(n));
    meter.measure(&format!("dense, {} elements", binary(n)), 1.5, &contenders, &mut places(memory, n)).per(n)
}

/// A line for each length; ε stands in one place.
pub(crate) fn table(series: &[(usize, Times)], inside: bool) -> Table {
    let naive = if inside { Who::NaiveInside } else { Who::Naive };
    let steps: Vec<Who> = series[0].1.all().map(|(who, _)| who).filter(|who| has_epsilon(*who, inside)).collect();
    let head = ["elements".into(), naive.to_string()].into_iter().chain(steps.iter().map(Who::to_string));
    let mut table = Table::new(head.chain([Who::OneStream.to_string(), Who::SeveralStreams.to_string()]));
    for (n, times) in series {
        let who = [naive].into_iter().chain(steps.clone()).chain([Who::OneStream, Who::SeveralStreams]);
        table.push([binary(*n)].into_iter().chain(who.map(|who| cell(times.of(who)))));
    }
    table
}

pub(crate) fn has_epsilon(who: Who, inside: bool) -> bool {
    matches!(who, Who::Step(_, kind) if kind.inside == inside)
}

/// Shares of zeros: one element in so many.
pub(crate) const ZEROS: [Option<u64>; 4] = [None, Some(1000), Some(100), Some(10)];

/// Times per element where `G = g = 0` for a share of the elements, which exact steps of several roots at once may have
/// to treat apart.
pub(crate) fn measure_zeros(meter: &Meter, n: usize, share: Option<u64>) -> Times {
    let mut random = Random(1);
    let (mut w, mut g, mut a) = (random.numbers(n), random.gradients(n), random.numbers(n));
    if let Some(one_in) = share {
        for (g, a) in g.iter_mut().zip(&mut a) {
            if random.bits().is_multiple_of(one_in) {
                (*g, *a) = (0.0, 0.0);
            }
        }
    }
    let mut contenders = vec![naive_outside()];
    for inside in [false, true] {
        for fast in [false, true] {
            let kind = Kind { fast, inside };
            let backend = Backend::detected();
            if kind.is_on(backend) {
                contenders.push(step(Who::Step(backend, kind), backend, kind));
            }
        }
    }
    let what = format!("zeros, {}", name_of_share(share));
    meter.measure(&what, 0.6, &contenders, &mut [(&mut w[..], &g[..], &mut a[..])]).per(n)
}

pub(crate) fn name_of_share(share: Option<u64>) -> String {
    share.map_or_else(|| "none".into(), |one_in| format!("1 in {one_in}"))
}

pub(crate) fn table_of_zeros(series: &[(Option<u64>, Times)]) -> Table {
    let who: Vec<Who> = series[0].1.all().map(|(who, _)| who).collect();
    let names =
        who.iter().map(|who| if has_epsilon(*who, true) { format!("{who}, ε inside") } else { who.to_string() });
    let mut table = Table::new(["zeros".to_owned()].into_iter().chain(names));
    for (share, times) in series {
        table.push([name_of_share(*share)].into_iter().chain(who.iter().map(|who| cell(times.of(*who)))));
    }
    table
}
