//! Calls of few elements, each timed as a whole: on the same memory again and again, and on 64 slices in turn.
//!
//! On the same memory a call waits for what the one before has stored; in turn it does not. Programs do both.

use core::hint::black_box;

use adagrad::{Adagrad, WeightDecay};
use adagrad_benches::loops::{naive, naive_inside, naive_l2, whole};
use adagrad_benches::memory::{Slices, apart};
use adagrad_benches::{DECAY, LEARNING_RATE, OPT};

use crate::measure::{Contender, Kind, Meter, Times, Who};
use crate::text::{Table, digits};

/// Whether calls step the same memory or slices in turn.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Turn {
    Same,
    InTurn,
}

impl Turn {
    pub(crate) const ALL: [Self; 2] = [Self::Same, Self::InTurn];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Same => "on the same memory",
            Self::InTurn => "on 64 slices in turn",
        }
    }

    /// Elements from one call's slices to those of the next one.
    fn distance(self, n: usize) -> usize {
        match self {
            Self::Same => 0,
            // Aligned to 16 bytes, and not to a cache line, as small vectors are.
            Self::InTurn => n.next_multiple_of(4) + 4,
        }
    }
}

/// Sets the learning rate before each call.
const RATE: Who = Who::Option("rate set");
const L2: Who = Who::Option("L2");

/// Steps with an option, and the naive loop of the same option. A plain loop with fused multiply-adds would call a
/// function for each, so that of `pytorch` is the one without.
const STEPS: [(Who, Who); 6] = [
    (Who::Option("default"), Who::Naive),
    (RATE, Who::Naive),
    (Who::Option("pytorch"), Who::Naive),
    (Who::Option("fast"), Who::Naive),
    (Who::Option("keras"), Who::NaiveInside),
    (L2, Who::NaiveL2),
];

/// Each step beside its naive loop.
pub(crate) fn pairs() -> impl Iterator<Item = (Who, Who)> {
    STEPS.into_iter()
}

/// Whether a step on the same memory waits for the one before, the naive loop's as well as any other: it begins with the
/// parameter, and so cannot begin before that was computed.
pub(crate) fn is_bound_by_latency(step: Who) -> bool {
    step == L2
}

/// The order of the tables' columns: after a naive loop come its steps.
fn columns() -> Vec<Who> {
    let mut columns = Vec::new();
    for (step, naive) in STEPS {
        if !columns.contains(&naive) {
            columns.push(naive);
        }
        columns.push(step);
    }
    columns
}

fn options(who: Who) -> Adagrad {
    match who {
        Who::Option("pytorch") => Adagrad::pytorch(LEARNING_RATE),
        Who::Option("keras") => Adagrad::keras(LEARNING_RATE),
        L2 => OPT.with_weight_decay(WeightDecay::L2(DECAY)),
        Who::Option("fast") => Kind::FAST.options(),
        _ => OPT,
    }
}

/// So many calls are timed together.
const CALLS: usize = 64;

/// What they step: `n` elements each, from `distance` to `distance`.
struct Calls<'a> {
    slices: Slices<'a>,
    n: usize,
    distance: usize,
}

fn contender<'a>(who: Who) -> Contender<'a, Calls<'a>> {
    let options = options(who);
    // A loop for each, so that nothing is decided in it.
    match who {
        Who::Naive => each(who, |w, g, a| whole(w, g, a, naive)),
        Who::NaiveInside => each(who, |w, g, a| whole(w, g, a, naive_inside)),
        Who::NaiveL2 => each(who, |w, g, a| whole(w, g, a, naive_l2)),
        RATE => each(who, move |w, g, a| {
            let rate = black_box(LEARNING_RATE);
            let options = black_box(&options).with_learning_rate(rate);
            options.step(w, g, a).expect("the lengths are the same");
        }),
        _ => each(who, move |w, g, a| {
            black_box(&options).step(w, g, a).expect("the lengths are the same");
        }),
    }
}

fn each<'a>(who: Who, call: impl Fn(&mut [f32], &[f32], &mut [f32]) + 'a) -> Contender<'a, Calls<'a>> {
    Contender::new(who, move |calls: &mut Calls<'a>| {
        let (w, g, a) = &mut calls.slices;
        for i in 0..CALLS {
            // How long the slices are is not known when compiling, nor that all are as long.
            let (start, n) = (i * calls.distance, black_box(calls.n));
            call(&mut w[start..][..n], &g[start..][..n], &mut a[start..][..n]);
        }
    })
}

/// Times of a call of `n` elements.
pub(crate) fn measure(meter: &Meter, n: usize, turn: Turn) -> Times {
    let distance = turn.distance(n);
    let len = distance * CALLS + n;
    let (mut w, g, mut a) = apart(len + 2048);
    // Always at the same places of a page, where loads do not meet stores of another slice's: aligned to 16 bytes, as small
    // vectors are.
    let [at_w, at_g, at_a] = [(&w, 4), (&g, 340), (&a, 676)].map(|(v, offset)| v.as_ptr().align_offset(4096) + offset);
    let slices: Slices<'_> = (&mut w[at_w..][..len], &g[at_g..][..len], &mut a[at_a..][..len]);
    let contenders: Vec<_> = columns().into_iter().map(contender).collect();
    let calls = Calls { slices, n, distance };
    meter.measure(&format!("calls {}, {n} elements", turn.name()), 1.0, &contenders, &mut [calls]).per(CALLS)
}

pub(crate) fn table(series: &[(usize, Times)]) -> Table {
    let columns = columns();
    let mut table = Table::new(["elements".into()].into_iter().chain(columns.iter().map(Who::to_string)));
    for (n, times) in series {
        let times = columns.iter().map(|who| times.of(*who).map_or_else(String::new, digits));
        table.push([n.to_string()].into_iter().chain(times));
    }
    table
}
