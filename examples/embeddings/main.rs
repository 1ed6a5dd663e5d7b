//! Word vectors from text messages: `GloVe`, with a row of a table for each word and one for it as a context.
//!
//! `cargo run --release --example embeddings` trains them with plain SGD, with Adagrad, with Adagrad in the order of `GloVe`'s
//! own program, and with one accumulator a row. It says which was better at what, and by how much, and draws four charts.
//! All that is random comes from fixed seeds, so that only the times differ from run to run.
//!
//! What depends on the seeds: with three of them SGD's last cost was 2.2 or 2.3 times that of Adagrad, 2.4 or 2.5 times that
//! of row-wise Adagrad, and 1.1 to 1.7 times that of `Adagrad::glove`. Of pairs that were held out, the cost of row-wise
//! Adagrad was 96.5 to 98.7 % of SGD's, and that of the other two 99.5 to 103.5 %.
//!
//! `cargo run --release --example embeddings -- good monday` shows the nearest neighbours of these words. With `--features half`
//! it also trains with `bf16` numbers, beside `f32`; not in a debug build, as these loops take half a minute to compile.

mod charts;
#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod glove;
#[path = "../common/messages.rs"]
mod messages;
mod report;
#[path = "../common/shuffle.rs"]
mod shuffle;
#[cfg(all(feature = "half", not(debug_assertions)))]
mod sixteen;

use core::error::Error;
use std::path::Path;

use common::progress::Progress;
use corpus::Corpus;
use glove::{Method, PASSES, Run, train};

/// The learning rates that each method is tried with.
const RATES: [f32; 7] = [0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 0.7];
const SEED: u64 = 1;

/// All runs of a method, in the order of `RATES`.
pub(crate) struct Tried {
    pub(crate) method: Method,
    pub(crate) runs: Vec<Run>,
}

impl Tried {
    /// The run whose last pass had the least cost: the best optimizer of what is optimized.
    pub(crate) fn fitted(&self) -> &Run {
        self.least(Run::cost)
    }

    /// The run, of all passes, with the least cost of the pairs for validation: the best vectors.
    pub(crate) fn general(&self) -> &Run {
        self.least(Run::validation)
    }

    fn least(&self, value: impl Fn(&Run) -> f64) -> &Run {
        let least = (0..self.runs.len()).min_by(|&a, &b| value(&self.runs[a]).total_cmp(&value(&self.runs[b])));
        &self.runs[least.unwrap_or(0)]
    }

    /// The least time of a pass, which other work on the machine disturbs least.
    pub(crate) fn seconds(&self) -> f64 {
        self.runs.iter().map(Run::seconds).fold(f64::INFINITY, f64::min)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (messages, _) = messages::messages()?;
    let corpus = Corpus::new(&messages, SEED);
    report::corpus(&corpus, &messages);

    let mut progress = Progress::new("Training", Method::COUNT * RATES.len() * PASSES, "passes");
    // Methods in turn, so that other work on the machine slows down all of them.
    let mut tried = Method::ALL.map(|method| Tried { method, runs: Vec::new() });
    for rate in RATES {
        for Tried { method, runs } in &mut tried {
            runs.push(train(*method, rate, &corpus, |passes| progress.advance(passes))?);
        }
    }
    drop(progress);
    report::rates(&tried);
    report::fitted(&tried);
    report::general(&tried, &corpus);
    report::effective_rates(&tried, &corpus);
    report::neighbours(&tried, &corpus);
    #[cfg(all(feature = "half", not(debug_assertions)))]
    report::sixteen(&sixteen::runs(tried[1].fitted().rate, &corpus)?, &corpus);

    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&target)?;
    let file = |of: &str| target.join(format!("embeddings-{of}.svg"));
    let [cost, time, validation, rates] = ["cost", "time", "validation", "rates"].map(file);
    charts::cost(&cost, &tried)?;
    charts::time(&time, &tried)?;
    charts::validation(&validation, &tried)?;
    charts::rates(&rates, &tried, &corpus)?;
    println!("\nCharts");
    println!("  cost over passes          {}", cost.display());
    println!("  cost over time            {}", time.display());
    println!("  pairs for validation      {}", validation.display());
    println!("  effective learning rates  {}", rates.display());
    Ok(())
}
