//! Who is measured, and how: all contenders in turn, again and again, on the same memory. Of each the shortest time
//! counts, so that what else the machine does weighs little, and on all alike.

use core::fmt;
use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

use adagrad::{Adagrad, Arithmetic, Backend};
use indicatif::{ProgressBar, ProgressStyle};

use crate::common::OPT;

/// A way to compute the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) options: Adagrad,
}

/// All ways. The charts' lines of the first are solid, those of a second are dashed.
pub(crate) const KINDS: &[Kind] =
    &[Kind { name: "exact", options: OPT }, Kind { name: "fast", options: OPT.with_arithmetic(Arithmetic::Fast) }];

impl Kind {
    /// Whether the backend has it. Where it has not, the step is that of the first kind.
    pub(crate) fn is_on(&self, backend: Backend) -> bool {
        *self == KINDS[0] || !matches!(backend, Backend::Scalar | Backend::Portable)
    }
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Who {
    Naive,
    Step(Backend, Kind),
    Limit,
    TwoThreads,
    LimitOfTwoThreads,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Naive => f.write_str("naive loop"),
            Self::Step(backend, kind) if *kind == KINDS[0] => write!(f, "{backend}"),
            Self::Step(backend, kind) => write!(f, "{backend} {}", kind.name),
            Self::Limit => f.write_str("limit"),
            Self::TwoThreads => f.write_str("two threads"),
            Self::LimitOfTwoThreads => f.write_str("limit of two threads"),
        }
    }
}

/// One who is measured, on memory `M`.
pub(crate) struct Contender<'a, M> {
    who: Who,
    run: Box<Calls<'a, M>>,
}

/// So many calls. The loop is inside, so that they are direct.
type Calls<'a, M> = dyn Fn(&mut M, u32) + 'a;

impl<'a, M> Contender<'a, M> {
    pub(crate) fn new(who: Who, call: impl Fn(&mut M) + 'a) -> Self {
        let run = move |memory: &mut M, calls| {
            for _ in 0..calls {
                call(black_box(memory));
            }
        };
        Self { who, run: Box::new(run) }
    }

    fn time(&self, memory: &mut M, calls: u32) -> Duration {
        let start = Instant::now();
        (self.run)(memory, calls);
        start.elapsed()
    }

    /// How many calls take as long as one measurement should. This also warms caches and clocks up.
    fn calls(&self, memory: &mut M, shortest: Duration) -> u32 {
        let mut calls = 1;
        while self.time(memory, calls) < shortest && calls < 1 << 24 {
            calls *= 2;
        }
        calls
    }
}

/// The time of one call of each, in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Times(Vec<(Who, f64)>);

impl Times {
    /// Times of a part of the call.
    pub(crate) fn per(mut self, parts: usize) -> Self {
        self.0.iter_mut().for_each(|(_, time)| *time /= parts as f64);
        self
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (Who, f64)> {
        self.0.iter().copied()
    }

    pub(crate) fn of(&self, who: Who) -> Option<f64> {
        self.all().find(|(measured, _)| *measured == who).map(|(_, time)| time)
    }
}

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// One measurement, at least.
    pub(crate) shortest: Duration,
    /// All of a group of contenders, if the repetitions allow.
    pub(crate) group: Duration,
    /// Of a group, at least.
    pub(crate) repetitions: usize,
}

/// Measures, and tells on standard error how far it is.
pub(crate) struct Meter {
    effort: Effort,
    bar: ProgressBar,
}

impl Meter {
    pub(crate) fn new(effort: Effort, groups: usize) -> Self {
        let bar = ProgressBar::new(groups as u64);
        if let Ok(style) = ProgressStyle::with_template("[{bar:40}] {pos} of {len}, {elapsed}: {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { effort, bar }
    }

    /// Tells what comes next: on a line of its own where standard error is not a terminal.
    pub(crate) fn tell(&self, what: &str) {
        self.bar.set_message(what.to_owned());
        self.bar.tick();
        if self.bar.is_hidden() {
            eprintln!("{} of {}: {what}", self.bar.position(), self.bar.length().unwrap_or(0));
        }
    }

    /// Prints to standard output, past the bar.
    pub(crate) fn print(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// The shortest time of a call of each, on any of the memories, which share the time. Where two are the same
    /// [`Who`], the faster one counts.
    pub(crate) fn measure<M>(&self, what: &str, contenders: &[Contender<'_, M>], memories: &mut [M]) -> Times {
        self.tell(what);
        let group = self.effort.group.div_f64(memories.len() as f64);
        let at_least = self.effort.repetitions.div_ceil(memories.len());
        let mut least = vec![f64::INFINITY; contenders.len()];
        for memory in memories {
            let start = Instant::now();
            let calls = contenders.iter().map(|contender| contender.calls(memory, self.effort.shortest));
            let calls: Vec<u32> = calls.collect();
            let mut repetitions = 0;
            while repetitions < at_least || start.elapsed() < group {
                for ((contender, calls), least) in contenders.iter().zip(&calls).zip(&mut least) {
                    let time = contender.time(memory, *calls).as_secs_f64() * 1e9 / f64::from(*calls);
                    *least = least.min(time);
                }
                repetitions += 1;
                self.bar.tick();
            }
        }
        self.bar.inc(1);
        let mut times: Vec<(Who, f64)> = Vec::new();
        for (contender, least) in contenders.iter().zip(least) {
            match times.iter_mut().find(|(who, _)| *who == contender.who) {
                Some((_, time)) => *time = time.min(least),
                None => times.push((contender.who, least)),
            }
        }
        Times(times)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
