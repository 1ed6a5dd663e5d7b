//! Dense steps.

use adagrad::{Adagrad, Backend, Epsilon};

use crate::common::{EPSILON, Random, naive, naive_inside, traffic, whole};
use crate::measure::{Contender, KINDS, Meter, Times, Who};
use crate::text::binary;

/// Parameters, gradients and accumulators.
pub(crate) type Vectors = (Vec<f32>, Vec<f32>, Vec<f32>);
/// The same of one step.
pub(crate) type Slices<'a> = (&'a mut [f32], &'a [f32], &'a mut [f32]);

/// Where ε stands.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Outside,
    Inside,
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Outside => "ε outside",
            Self::Inside => "ε inside",
        }
    }

    fn of(self, options: Adagrad) -> Adagrad {
        match self {
            Self::Outside => options,
            Self::Inside => options.with_epsilon(Epsilon::InsideSqrt(EPSILON)),
        }
    }
}

/// Memory for steps of up to so many elements. Filling it also makes the system provide its pages.
///
/// The vectors are not of one length: 2²⁷ bytes and one page apart, as they would lie, AMD's Zen takes the lines of one for
/// those of the other when it looks for them in its first cache, and finds out a dozen cycles later.
pub(crate) fn memory(elements: usize) -> Vectors {
    const PAGE: usize = 1024;
    let mut random = Random(1);
    (random.numbers(elements), random.gradients(elements + 5 * PAGE), random.numbers(elements + 11 * PAGE))
}

/// Places in memory for steps of `n` elements: up to four, because now and then a place is slow by some misfortune of its
/// addresses, and not for all contenders alike.
pub(crate) fn places((w, g, a): &mut Vectors, n: usize) -> Vec<Slices<'_>> {
    // Their distance keeps the place in a page of memory, and so the alignment.
    let distance = w.len() / (w.len() / n).clamp(1, 4);
    let (w, g, a) = (w.chunks_exact_mut(distance), g.chunks_exact(distance), a.chunks_exact_mut(distance));
    w.zip(g).zip(a).map(|((w, g), a)| (&mut w[..n], &g[..n], &mut a[..n])).collect()
}

/// Times per element, with the detected backend or all.
pub(crate) fn measure(meter: &Meter, memory: &mut Vectors, n: usize, place: Place, backends: &[Backend]) -> Times {
    let mut contenders: Vec<Contender<'_, Slices<'_>>> = vec![match place {
        Place::Outside => Contender::new(Who::Naive, |(w, g, a): &mut Slices<'_>| whole(w, g, a, naive)),
        Place::Inside => Contender::new(Who::Naive, |(w, g, a): &mut Slices<'_>| whole(w, g, a, naive_inside)),
    }];
    for kind in KINDS {
        let options = place.of(kind.options);
        contenders.extend(backends.iter().filter(|backend| kind.is_on(**backend)).map(|backend| {
            Contender::new(Who::Step(*backend, *kind), move |(w, g, a): &mut Slices<'_>| {
                options.step_on(*backend, w, g, a).expect("the lengths are the same");
            })
        }));
    }
    contenders.push(Contender::new(Who::Limit, |(w, g, a): &mut Slices<'_>| whole(w, g, a, traffic)));
    contenders.push(Contender::new(Who::Limit, |(w, g, a): &mut Slices<'_>| wide_traffic(w, g, a)));
    let what = format!("dense, {} elements, {}", binary(n), place.name());
    meter.measure(&what, &contenders, &mut places(memory, n)).per(n)
}

/// Times of a whole call of few elements: [`Adagrad::step`] and the naive loop.
pub(crate) fn measure_call(meter: &Meter, memory: &mut Vectors, n: usize) -> Times {
    let mut contenders = vec![Contender::new(Who::Naive, |(w, g, a): &mut Slices<'_>| whole(w, g, a, naive))];
    for kind in KINDS.iter().filter(|kind| kind.is_on(Backend::detected())) {
        contenders.push(Contender::new(Who::Step(Backend::detected(), *kind), |(w, g, a): &mut Slices<'_>| {
            // What the options are is not known when compiling, so they are checked.
            core::hint::black_box(&kind.options).step(w, g, a).expect("the lengths are the same");
        }));
    }
    meter.measure(&format!("calls, {n} elements"), &contenders, &mut places(memory, n))
}

/// The limit with AVX2 where the CPU has it: in a cache the width of loads and stores matters.
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "the compiler does not see the test for AVX2"))]
fn wide_traffic(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2(params: &mut [f32], grads: &[f32], accumulator: &mut [f32]) {
            traffic(params, grads, accumulator);
        }
        if std::is_x86_feature_detected!("avx2") {
            // The large vectors all begin at the same place of a cache line; no load or store shall straddle two.
            let head = params.as_ptr().align_offset(64).min(params.len());
            let (w, g, a) = (params.split_at_mut(head), grads.split_at(head), accumulator.split_at_mut(head));
            traffic(w.0, g.0, a.0);
            // SAFETY: the CPU has AVX2.
            return unsafe { with_avx2(w.1, g.1, a.1) };
        }
    }
    whole(params, grads, accumulator, traffic);
}
