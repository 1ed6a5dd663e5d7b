//! A progress bar, or now and then a line where standard error is not a terminal.

use core::time::Duration;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::text::thousands;

pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    unit: &'static str,
    last_line: Instant,
}

impl Progress {
    pub(crate) fn new(what: &'static str, total: usize, unit: &'static str) -> Self {
        let bar = ProgressBar::new(total as u64);
        let template = format!("{{msg}} [{{bar:40}}] {{human_pos}} of {{human_len}} {unit}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        if bar.is_hidden() {
            eprintln!("{what}: {} {unit}", thousands(total));
        }
        Self { bar, what, unit, last_line: Instant::now() }
    }

    /// So many more are done.
    pub(crate) fn advance(&mut self, done: usize) {
        self.bar.inc(done as u64);
        if self.bar.is_hidden() && self.last_line.elapsed() >= Duration::from_secs(1) {
            let [done, total] = [self.bar.position(), self.bar.length().unwrap_or(0)].map(|n| thousands(n as usize));
            eprintln!("{}: {done} of {total} {}", self.what, self.unit);
            self.last_line = Instant::now();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
