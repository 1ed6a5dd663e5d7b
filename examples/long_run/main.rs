//! Adagrad long after its rates have decayed, and what helps: a cool-down, restarts, an accumulator that forgets.
//!
//! `cargo run --release --example long_run` trains a linear regression whose optimum drifts, and a small network that tells
//! two spirals apart, each in five ways on the same samples. It says which of them have frozen and which have converged,
//! and draws charts of losses and effective rates. The samples come from fixed seeds, one for each problem.

mod charts;
#[path = "../common/mod.rs"]
mod common;
mod problems;
mod run;

use core::error::Error;
use std::path::Path;

use adagrad::{Accumulation, Adagrad, Summary};
use plotters::prelude::SeriesLabelPosition;

use charts::{Mark, over_steps};
use common::progress::Progress;
use common::text::{plain, thousands};
use problems::{Drift, Problem, Spirals};
use run::{RETAINED, Run, SMALL_GRADIENT, Variant, run};

/// The learning rates that each variant is run with, and the position of the one that everything is shown for.
const RATES: [f64; 5] = [0.01, 0.03, 0.1, 0.3, 1.0];
const SHOWN: usize = 1;
/// A rate is tiny if it is below this share of Leaky's median at the end, which the last gradients alone determine.
const TINY: f64 = 0.2;
const SEED: u64 = 1;

/// A part of a run over which the loss is averaged: its name, and the steps after which it begins and ends.
type Stage = (&'static str, [u64; 2]);

fn main() -> Result<(), Box<dyn Error>> {
    print_constant_gradient()?;

    let [from, to] = Drift::DRIFT;
    println!("\nConvex: least squares with a drifting optimum");
    println!(
        "  {} features with scales from 1/4 to 4; {} new samples at each of {} steps; noise of standard deviation {}",
        Drift::FEATURES,
        Drift::BATCH,
        thousands(Drift::STEPS as usize),
        Drift::NOISE
    );
    println!(
        "  The optimum stays put, goes round {} times between steps {} and {}, and then stays put again.",
        Drift::TURNS,
        thousands(from as usize),
        thousands(to as usize)
    );
    println!(
        "  The loss shown is the expected loss minus that of the optimum; the gradient is that of standardized features."
    );
    let stages = [
        ("still", [from - Drift::STEPS / 10, from]),
        ("drifting", Drift::DRIFT),
        ("at the end", [Drift::STEPS - Drift::STEPS / 10, Drift::STEPS]),
    ];
    let marks = [(from, "drift begins"), (to, "drift ends")];
    let drift = Shown {
        name: "drift",
        what: "Least squares",
        stages: &stages,
        marks: &marks,
        legend: SeriesLabelPosition::LowerMiddle,
    };
    drift.show(Drift::new(SEED))?;

    println!("\nNot convex: two spirals, told apart by a small network");
    println!(
        "  {} noisy points; one hidden layer of {} units, {} parameters; logistic loss; {} points at each of {} steps",
        Spirals::POINTS,
        Spirals::HIDDEN,
        Spirals::PARAMS,
        Spirals::BATCH,
        thousands(Spirals::STEPS as usize)
    );
    println!(
        "  The loss and the gradient shown are those of all points. Guessing has a loss of ln 2 = 0.693. One seed."
    );
    let tenth = Spirals::STEPS / 10;
    let stages = [("at half", [4 * tenth, 5 * tenth]), ("at the end", [9 * tenth, 10 * tenth])];
    let spirals = Shown {
        name: "spirals",
        what: "Two spirals",
        stages: &stages,
        marks: &[],
        legend: SeriesLabelPosition::UpperRight,
    };
    spirals.show(Spirals::new(SEED))
}

/// How the rate falls where the gradient is always the same.
fn print_constant_gradient() -> Result<(), adagrad::Error> {
    const ETA: f32 = 0.1;
    const GRADIENT: f32 = 0.5;
    let sum = Adagrad::new(ETA);
    let ema = sum.with_accumulation(Accumulation::Ema(RETAINED));
    let equal = ETA * (1.0 - RETAINED).sqrt();
    let columns = [
        ("Sum".into(), sum),
        (format!("Leaky({RETAINED})"), sum.with_accumulation(Accumulation::Leaky(RETAINED))),
        (format!("Ema({RETAINED})"), ema),
        (format!("Ema, η = {equal:.5}"), ema.with_learning_rate(equal)),
    ];
    println!("The effective rate η/d when the gradient is {GRADIENT} at every step, η = {ETA}");
    print!("  {:>7}", "steps");
    columns.iter().for_each(|(name, _)| print!("{name:>18}"));
    println!();
    let mut states = [([0.0], [0.0]); 4];
    for step in 1..=100_000 {
        for ((w, sum), (_, opt)) in states.iter_mut().zip(&columns) {
            opt.step(w, &[GRADIENT], sum)?;
        }
        if [1, 100, 1_000, 10_000, 100_000].contains(&step) {
            print!("  {:>7}", thousands(step));
            for ((_, sum), (_, opt)) in states.iter().zip(&columns) {
                let mut rate = [0.0];
                opt.effective_rates(sum, &mut rate)?;
                print!("{:>18}", significant(f64::from(rate[0])));
            }
            println!();
        }
    }
    println!(
        "  With Sum the rate falls as 1/√t for ever. With Leaky and Ema, which forget, it settles. Ema's G is Leaky's times"
    );
    println!(
        "  1 − ρ, so with η·√(1 − ρ) it takes the steps of Leaky, up to rounding and ε. Below, Leaky stands for both."
    );
    Ok(())
}

/// How a problem is shown.
struct Shown<'a> {
    name: &'a str,
    what: &'static str,
    stages: &'a [Stage],
    marks: &'a [Mark],
    /// Where the charts have room for it.
    legend: SeriesLabelPosition,
}

impl Shown<'_> {
    fn show<P: Problem>(&self, mut problem: P) -> Result<(), Box<dyn Error>> {
        let variants = RATES.iter().flat_map(|&eta| Variant::all(eta, P::STEPS));
        let mut progress = Progress::new(self.what, P::STEPS as usize, "steps");
        let all = run(&mut problem, variants, &mut progress)?;
        drop(progress);
        let runs = &all[SHOWN * Variant::COUNT..][..Variant::COUNT];

        println!(
            "  Cool-down: warm-up for {} steps; from step {} to the end η falls to η/100 along half a cosine.",
            thousands(P::STEPS as usize / 100),
            thousands(P::STEPS as usize / 2)
        );
        println!(
            "  Restarts: accumulator.fill(0.0) every {} steps. Leaky: ρ = {RETAINED}.",
            thousands(Variant::restart(P::STEPS) as usize)
        );
        self.print_losses(runs);
        print_rates(runs, P::STEPS)?;
        self.print_other_rates(&all);

        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        std::fs::create_dir_all(&target)?;
        let [losses, rates] = ["loss", "rates"].map(|of| target.join(format!("long-run-{}-{of}.svg", self.name)));
        let title = |of: &str| format!("{}: {of}, η = {}", self.what, RATES[SHOWN]);
        let marks = || (self.marks, self.legend.clone());
        over_steps(&losses, [&title("loss"), "loss"], runs, marks(), |point| point.loss)?;
        let rate = "median effective rate";
        over_steps(&rates, [&title(rate), rate], runs, marks(), |point| point.rate)?;
        println!("  Charts");
        println!("    loss             {}", losses.display());
        println!("    effective rates  {}", rates.display());
        Ok(())
    }

    fn print_losses(&self, runs: &[Run]) {
        println!("\n  Mean loss, η = {} (* best in the column)", RATES[SHOWN]);
        print!("    {:<18}", "");
        self.stages.iter().for_each(|(name, _)| print!("{name:>12} "));
        println!();
        let best = |steps| runs.iter().map(|run| run.mean_loss(steps)).fold(f64::INFINITY, f64::min);
        for run in runs {
            print!("    {:<18}", run.variant.name);
            for &(_, steps) in self.stages {
                let loss = run.mean_loss(steps);
                print!("{:>12}{}", significant(loss), star(loss == best(steps)));
            }
            println!();
        }
        for &(name, steps) in self.stages {
            let Some(worst) = runs.iter().max_by(|a, b| a.mean_loss(steps).total_cmp(&b.mean_loss(steps))) else {
                return;
            };
            let factor = worst.mean_loss(steps) / best(steps);
            println!("    Worst {name}: {}, {} times the loss of the best.", worst.variant.name, plain(factor));
        }
    }

    fn print_other_rates(&self, all: &[Run]) {
        for &(name, steps) in self.stages {
            println!("\n  Mean loss {name}, for other η (* best in the row)");
            print!("    {:<18}", "η");
            RATES.iter().for_each(|eta| print!("{eta:>10} "));
            println!();
            for variant in 0..Variant::COUNT {
                let runs = || all.iter().skip(variant).step_by(Variant::COUNT);
                let best = runs().map(|run| run.mean_loss(steps)).fold(f64::INFINITY, f64::min);
                print!("    {:<18}", all[variant].variant.name);
                for run in runs() {
                    let loss = run.mean_loss(steps);
                    print!("{:>10}{}", significant(loss), star(loss == best));
                }
                println!();
            }
            let least = |runs: &mut dyn Iterator<Item = usize>| {
                runs.map(|i| (i, all[i].mean_loss(steps))).min_by(|a, b| a.1.total_cmp(&b.1))
            };
            let (Some((best, loss)), Some((bare, bare_loss))) =
                (least(&mut (0..all.len())), least(&mut (0..all.len()).step_by(Variant::COUNT)))
            else {
                return;
            };
            let eta = |i: usize| RATES[i / Variant::COUNT];
            print!("    Best of all: {}, η = {}.", all[best].variant.name, eta(best));
            if best != bare {
                print!(" Bare at its best η, {}: {} times that loss.", eta(bare), plain(bare_loss / loss));
            }
            println!();
        }
    }
}

/// The effective rates at the end, and what they mean together with gradient and loss.
fn print_rates(runs: &[Run], steps: u64) -> Result<(), adagrad::Error> {
    let Some(recent) = runs.get(Variant::LEAKY).and_then(|run| run.points.last()) else { return Ok(()) };
    let tiny = (TINY * recent.rate) as f32;
    println!("\n  Effective rates at the end, and the verdict");
    println!(
        "    {:<18}{:>10}{:>10}{:>10}{:>8}{:>9}{:>15}{:>13}  verdict",
        "", "min", "mean", "max", "tiny", "stalled", "gradient left", "loss halves"
    );
    let mut summaries = Vec::new();
    for run in runs {
        let summary = run.rates(tiny)?;
        println!(
            "    {:<18}{:>10.1e}{:>10.1e}{:>10.1e}{:>8}{:>9}{:>15}{:>13}  {}",
            run.variant.name,
            summary.min,
            summary.mean,
            summary.max,
            percent(summary.share_below(), 0),
            percent(summary.stalled as f64 / run.params() as f64, 0),
            percent(run.gradient_left(), 1),
            run.halving().map_or("-".into(), |steps| thousands(steps as usize)),
            run.verdict(tiny)?.name()
        );
        summaries.push((run.variant.name, summary));
    }
    let (tiny, share) = (significant(f64::from(tiny)), percent(TINY, 0));
    println!(
        "    tiny           share of the rates below {tiny}, which is {share} of the median rate of leaky: those depend"
    );
    println!("                   on recent gradients only");
    println!(
        "    stalled        share of the accumulators that are too large for a gradient of today's size to change"
    );
    println!("    gradient left  norm of the exact gradient, as a share of what it was at the start");
    println!(
        "    loss halves    in so many steps, at the pace of the last tenth; - if it fell by less than two standard errors"
    );
    println!("    converged      at most {} of the gradient is left; otherwise:", percent(SMALL_GRADIENT, 0));
    println!(
        "    frozen         most rates are tiny, and the loss would not halve in {} steps",
        thousands(steps as usize)
    );
    println!("                   (with a cool-down the rates are meant to be tiny at the end)");
    println!("    slow           most rates are tiny, but the loss would halve");
    println!("    learning       most rates are not tiny, and the loss falls");
    println!("    hovering       most rates are not tiny, and the loss does not fall: steps too large for the noise");
    print_decades(&summaries);
    Ok(())
}

/// How many rates lie in each decade.
fn print_decades(summaries: &[(&str, Summary)]) {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

    let used = |bin: &usize| summaries.iter().any(|(_, summary)| summary.histogram[*bin] > 0);
    let bins = || (0..Summary::BINS).skip_while(|bin| !used(bin));
    let Some(last) = bins().filter(used).last() else { return };
    println!("\n  Effective rates at the end, by decade: each column counts those from its number up to the next");
    print!("    {:<18}", "");
    for bin in bins().take_while(|&bin| bin <= last) {
        let (lower, _) = Summary::decade(bin).unwrap_or_default();
        print!("{:>9}", format!("{lower:.0e}"));
    }
    println!();
    for (name, summary) in summaries {
        print!("    {name:<18}");
        for bin in bins().take_while(|&bin| bin <= last) {
            let count = summary.histogram[bin];
            let bar = if count == 0 { ' ' } else { BARS[(8 * count).div_ceil(summary.count).clamp(1, 8) - 1] };
            print!("{:>9}", format!("{bar} {count:>3}"));
        }
        println!();
    }
}

fn star(best: bool) -> char {
    if best { '*' } else { ' ' }
}

fn percent(value: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", 100.0 * value)
}

/// Three significant digits.
fn significant(value: f64) -> String {
    let decimals = (2.0 - value.abs().max(1e-9).log10().floor()).clamp(0.0, 9.0);
    format!("{value:.*}", decimals as usize)
}
