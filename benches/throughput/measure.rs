//! Who is measured, and how: all contenders in turn, again and again, on the same memory. Of each the shortest time
//! counts, so that what else the machine does weighs little, and on all alike.

use core::fmt;
use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

use adagrad::{Adagrad, Arithmetic, Backend, Epsilon};
use adagrad_benches::{EPSILON, OPT};
use indicatif::{ProgressBar, ProgressStyle};

/// A way to compute the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) fast: bool,
    /// Whether ε is inside the root.
    pub(crate) inside: bool,
}

impl Kind {
    pub(crate) const EXACT: Self = Self { fast: false, inside: false };
    pub(crate) const FAST: Self = Self { fast: true, inside: false };

    pub(crate) fn options(self) -> Adagrad {
        let options = if self.inside { OPT.with_epsilon(Epsilon::InsideSqrt(EPSILON)) } else { OPT };
        if self.fast { options.with_arithmetic(Arithmetic::Fast) } else { options }
    }

    /// Whether the backend has it. Where it has not, the step is the exact one.
    pub(crate) fn is_on(self, backend: Backend) -> bool {
        !self.fast || !matches!(backend, Backend::Scalar | Backend::Portable)
    }
}

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Naive,
    NaiveInside,
    NaiveL2,
    Step(Backend, Kind),
    /// The detected backend's step with an option.
    Option(&'static str),
    /// The limit as a loop with one stream through each slice.
    OneStream,
    SeveralStreams,
    TwoThreads,
    LimitOfTwoThreads,
}

impl Who {
    /// The detected backend's step.
    pub(crate) fn detected(kind: Kind) -> Self {
        Self::Step(Backend::detected(), kind)
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Naive => f.write_str("naive"),
            Self::NaiveInside => f.write_str("naive, ε inside"),
            Self::NaiveL2 => f.write_str("naive, L2"),
            Self::Step(backend, kind) if kind.fast => write!(f, "{backend} fast"),
            Self::Step(backend, _) => write!(f, "{backend}"),
            Self::Option(name) => f.write_str(name),
            Self::OneStream => f.write_str("limit of one stream"),
            Self::SeveralStreams => f.write_str("limit of several"),
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

    /// The faster of one stream and several.
    pub(crate) fn limit(&self) -> Option<f64> {
        let several = self.of(Who::SeveralStreams).unwrap_or(f64::INFINITY);
        self.of(Who::OneStream).map(|one| one.min(several))
    }

    /// How many times as fast one is as another.
    pub(crate) fn ratio(&self, who: Who, other: Who) -> Option<f64> {
        Some(self.of(other)? / self.of(who)?)
    }
}

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// One measurement, at least.
    pub(crate) shortest: Duration,
    /// Of each group of contenders, at least.
    pub(crate) repetitions: usize,
    /// What a group's time is multiplied by.
    pub(crate) scale: f64,
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
    pub(crate) fn print(&self, text: &str) {
        self.bar.suspend(|| println!("{text}"));
    }

    /// The shortest time of a call of each, on any of the memories, which share the seconds. Where two are the same
    /// [`Who`], the faster one counts.
    pub(crate) fn measure<M>(
        &self,
        what: &str,
        seconds: f64,
        contenders: &[Contender<'_, M>],
        memories: &mut [M],
    ) -> Times {
        self.tell(what);
        let seconds = seconds * self.effort.scale / memories.len() as f64;
        let at_least = self.effort.repetitions.div_ceil(memories.len());
        let mut least = vec![f64::INFINITY; contenders.len()];
        for memory in memories {
            let start = Instant::now();
            let calls = contenders.iter().map(|contender| contender.calls(memory, self.effort.shortest));
            let calls: Vec<u32> = calls.collect();
            let mut repetitions = 0;
            while repetitions < at_least || start.elapsed().as_secs_f64() < seconds {
                for i in 0..contenders.len() {
                    // Every other time backwards: what one leaves in the caches and the clock meets both its neighbours.
                    let i = if repetitions % 2 == 0 { i } else { contenders.len() - 1 - i };
                    let time = contenders[i].time(memory, calls[i]).as_secs_f64() * 1e9 / f64::from(calls[i]);
                    least[i] = least[i].min(time);
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
