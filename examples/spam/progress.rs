//! A progress bar, or now and then a line where standard error is not a terminal.

use core::time::Duration;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    last_line: Instant,
}

impl Progress {
    pub(crate) fn new(what: &'static str, runs: usize) -> Self {
        let bar = ProgressBar::new(runs as u64);
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {pos} of {len} training runs, {eta} left") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        if bar.is_hidden() {
            eprintln!("{what}: {runs} training runs");
        }
        Self { bar, what, last_line: Instant::now() }
    }

    pub(crate) fn run_done(&mut self) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.last_line.elapsed() >= Duration::from_secs(1) {
            eprintln!("{}: {} of {} done", self.what, self.bar.position(), self.bar.length().unwrap_or(0));
            self.last_line = Instant::now();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
