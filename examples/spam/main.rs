//! Spam or ham: logistic regression on the SMS Spam Collection, with one weight a word, learnt message by message.
//!
//! `cargo run --release --example spam` trains it with plain SGD and with Adagrad, says which was better at what, and how many
//! weights L1 makes 0, and draws two charts. Splits and orders come from fixed seeds, so that only the times differ from
//! run to run.
//!
//! `cargo run --release --example spam -- "You have won" "See you at lunch"` also says which of these messages are spam.

mod charts;
#[path = "../common/mod.rs"]
mod common;
mod data;
#[path = "../common/messages.rs"]
mod messages;
mod model;
#[path = "../common/shuffle.rs"]
mod shuffle;
mod sparse;

use core::error::Error;
use std::path::Path;

use adagrad::Backend;

use common::progress::Progress;
use common::text::thousands;
use data::{Sample, Split};
use model::{EPOCHS, Method, Metrics, Model, log_loss, probability, score, time_steps, train};

/// The learning rates that each method is tried with.
const RATES: [f32; 8] = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
/// The seed of the split that everything is shown for, and those of others, to see what depends on the split.
const SEED: u64 = 1;
const OTHER_SEEDS: core::ops::RangeInclusive<u64> = 2..=11;
/// The numbers of updates after which the log-loss is printed.
const STOPS: [usize; 7] = [10, 30, 100, 300, 1_000, 3_000, 10_000];
const METHODS: usize = Method::ALL.len();

fn main() -> Result<(), Box<dyn Error>> {
    let (messages, lines) = messages::messages()?;
    let split = Split::new(&messages, SEED);
    print_data(&split, lines);

    let mut progress = Progress::new("Choosing learning rates", METHODS * RATES.len(), "training runs");
    let tried = try_rates(&split, &mut progress)?;
    drop(progress);
    print_rates(&tried);

    let mut models = Vec::new();
    let mut curves = Vec::new();
    for (method, losses) in Method::ALL.into_iter().zip(&tried) {
        let (model, curve) = train_with_curve(method, RATES[best(losses)], &split)?;
        models.push(model);
        curves.push(curve);
    }
    print_results(&models, &split);
    print_curves(&curves);
    print_effective_rates(&models, &split);
    let [.., last] = &models[..] else { return Err("no model".into()) };
    print_words(last, &split);
    print_messages(last, &split);
    sparse::print(last.learning_rate, &split)?;
    print_time(last, &split.training)?;

    let seeds = OTHER_SEEDS.count();
    let mut progress = Progress::new("Other splits", seeds * METHODS * (RATES.len() + 1), "training runs");
    let mut others = Vec::new();
    for seed in OTHER_SEEDS {
        let split = Split::new(&messages, seed);
        let tried = try_rates(&split, &mut progress)?;
        let mut results = Vec::new();
        for (method, losses) in Method::ALL.into_iter().zip(&tried) {
            let model = train(method, RATES[best(losses)], split.vocabulary.len(), &split.training, |_, _| {})?;
            results.push(Metrics::new(&model.weights, &split.held_out));
            progress.advance(1);
        }
        others.push(results);
    }
    drop(progress);
    print_other_splits(&others);

    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&target)?;
    let (losses, rates) = (target.join("spam-loss.svg"), target.join("spam-rates.svg"));
    charts::losses(&losses, curves)?;
    charts::rates(&rates, &models, &split)?;
    println!("\nCharts");
    println!("  log-loss on the way       {}", losses.display());
    println!("  effective learning rates  {}", rates.display());
    Ok(())
}

/// For each method the validation log-loss with each rate, having learnt from the training messages before those.
fn try_rates(split: &Split<'_>, progress: &mut Progress) -> Result<Vec<Vec<f64>>, adagrad::Error> {
    let (training, validation) = split.training.split_at(split.validation);
    let mut tried = Vec::new();
    for method in Method::ALL {
        let mut losses = Vec::new();
        for rate in RATES {
            let model = train(method, rate, split.vocabulary.len(), training, |_, _| {})?;
            losses.push(log_loss(&model.weights, validation));
            progress.advance(1);
        }
        tried.push(losses);
    }
    Ok(tried)
}

/// The position of the smallest value.
fn best(losses: &[f64]) -> usize {
    (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0)
}

/// Held-out log-losses on the way: of one method, with the number of updates before each.
pub(crate) struct Losses {
    name: String,
    points: Vec<(usize, f64)>,
}

fn train_with_curve(method: Method, rate: f32, split: &Split<'_>) -> Result<(Model, Losses), adagrad::Error> {
    let mut points = Vec::new();
    let mut next = 1;
    let last = EPOCHS * split.training.len();
    let model = train(method, rate, split.vocabulary.len(), &split.training, |updates, weights| {
        if updates == next || updates == last || STOPS.contains(&updates) {
            points.push((updates, log_loss(weights, &split.held_out)));
        }
        if updates == next {
            next += 1 + next / 10;
        }
    })?;
    Ok((model, Losses { name: format!("{}, η = {rate}", method.name()), points }))
}

fn print_data(split: &Split<'_>, lines: usize) {
    let (training, held_out) = (&split.training, &split.held_out);
    let distinct = training.len() + held_out.len();
    let spam = training.iter().chain(held_out).filter(|sample| sample.spam).count();
    let rows: usize = training.iter().map(|sample| sample.rows.len()).sum();
    let words = split.vocabulary.len() - 1;
    println!("SMS Spam Collection: {} lines, {} distinct messages", thousands(lines), thousands(distinct));
    println!(
        "  spam      {spam} of them; always answering ham would be right for {}",
        percent(1.0 - share(spam, distinct))
    );
    println!(
        "  training  {} messages; the last {} of these serve to choose the learning rates",
        thousands(training.len()),
        training.len() - split.validation
    );
    println!("  held out  {} messages, used for the results only", thousands(held_out.len()));
    println!(
        "  model     a weight for each of {} words and a bias; a message has {:.1} of them on average",
        thousands(words),
        rows as f64 / training.len() as f64
    );
}

fn print_rates(tried: &[Vec<f64>]) {
    println!("\nLearning rates: validation log-loss after {EPOCHS} passes (* best, used from here on)");
    print!("  {:<18}", "η");
    RATES.iter().for_each(|rate| print!("{rate:>9} "));
    for (method, losses) in Method::ALL.iter().zip(tried) {
        print!("\n  {:<18}", method.name());
        for (i, loss) in losses.iter().enumerate() {
            print!("{loss:>9.4}{}", star(i == best(losses)));
        }
    }
    println!();
}

/// A line of one value for each method, with a star at the best.
fn print_line(what: &str, values: &[f64], least_is_best: bool, show: impl Fn(f64) -> String) {
    let best = values.iter().copied().reduce(if least_is_best { f64::min } else { f64::max });
    print!("  {what:<18}");
    values.iter().for_each(|&value| print!("{:>18}{}", show(value), star(Some(value) == best)));
    println!();
}

fn print_names(what: &str) {
    print!("  {what:<18}");
    Method::ALL.iter().for_each(|method| print!("{:>18} ", method.name()));
    println!();
}

fn print_metrics(results: &[Metrics]) {
    let each = |value: fn(&Metrics) -> f64| results.iter().map(value).collect::<Vec<_>>();
    print_line("log-loss", &each(|metrics| metrics.log_loss), true, loss);
    print_line("accuracy", &each(|metrics| metrics.accuracy), false, percent);
    print_line("precision", &each(|metrics| metrics.precision), false, percent);
    print_line("recall", &each(|metrics| metrics.recall), false, percent);
    print_line("F1", &each(|metrics| metrics.f1), false, percent);
}

fn print_results(models: &[Model], split: &Split<'_>) {
    let messages = split.held_out.len();
    println!("\nResults: {} held-out messages (* best in the row)", thousands(messages));
    print_names("");
    print_metrics(&models.iter().map(|model| Metrics::new(&model.weights, &split.held_out)).collect::<Vec<_>>());
    println!(
        "  One message more or less changes the accuracy by {}. G₀ is what G starts at: from 0 the first step of a",
        percent(share(1, messages))
    );
    println!(
        "  word is η for almost any gradient; from 0.1, as in TensorFlow and Keras, a small gradient makes a small step."
    );
}

fn print_curves(curves: &[Losses]) {
    println!("\nHow fast it learns: held-out log-loss (* best in the row)");
    print_names("after updates");
    let last = curves.first().and_then(|curve| curve.points.last()).map(|&(updates, _)| updates);
    for stop in STOPS.into_iter().chain(last) {
        let at = |curve: &Losses| curve.points.iter().find(|&&(updates, _)| updates == stop).map(|&(_, loss)| loss);
        print_line(&thousands(stop), &curves.iter().filter_map(at).collect::<Vec<_>>(), true, loss);
    }
}

fn print_effective_rates(models: &[Model], split: &Split<'_>) {
    let by_frequency = split.by_frequency();
    println!("\nEffective learning rates, after the last update");
    print!("  {:>5}  {:<12}{:>9}", "rank", "word", "messages");
    for model in models {
        match model.method {
            Method::Sgd => print!("{:>11}", "SGD rate"),
            Method::Adagrad { start } => print!("{:>13}{:>11}", format!("G, G₀ = {start}"), "rate"),
        }
    }
    println!();
    let line = |rank: &str, word: &str, messages: &str, rows: &[usize]| {
        print!("  {rank:>5}  {word:<12}{messages:>9}");
        for model in models {
            if let Method::Adagrad { .. } = model.method {
                print!("{:>13}", significant(median(rows, |row| f64::from(model.accumulator[row]))));
            }
            print!("{:>11}", significant(median(rows, |row| f64::from(model.effective_rates[row]))));
        }
        println!();
    };
    line("", "(bias)", &thousands(split.training.len()), &[0]);
    for rank in [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] {
        if let Some(&row) = by_frequency.get(rank - 1) {
            line(&thousands(rank), split.vocabulary[row], &thousands(split.counts[row] as usize), &[row]);
        }
    }
    let once: Vec<usize> = by_frequency.iter().copied().filter(|&row| split.counts[row] == 1).collect();
    println!("  Medians, for words grouped by the number of training messages that contain them:");
    for (from, to) in [(1_000, usize::MAX), (100, 999), (10, 99), (2, 9), (1, 1)] {
        let rows: Vec<usize> =
            by_frequency.iter().copied().filter(|&row| (from..=to).contains(&(split.counts[row] as usize))).collect();
        let range = match to {
            1 => "1".into(),
            usize::MAX => format!("{from}+"),
            _ => format!("{from} to {to}"),
        };
        line("", &format!("{} words", thousands(rows.len())), &range, &rows);
    }
    let Some(&most) = by_frequency.first() else { return };
    let factors = models.iter().map(|model| {
        let factor =
            median(&once, |row| f64::from(model.effective_rates[row])) / f64::from(model.effective_rates[most]);
        format!("{}: {factor:.1}", model.method.name())
    });
    println!(
        "  The median word that one message contains learns this many times as fast as \"{}\":",
        split.vocabulary[most]
    );
    println!("    {}", factors.collect::<Vec<_>>().join("; "));
}

fn print_words(model: &Model, split: &Split<'_>) {
    let mut rows: Vec<usize> = (1..split.vocabulary.len()).collect();
    rows.sort_by(|&a, &b| model.weights[b].total_cmp(&model.weights[a]));
    println!("\nThe heaviest words ({})", model.method.name());
    let word = |&row: &usize| format!("{:<14}{:>+7.3}", split.vocabulary[row], model.weights[row]);
    println!("  {:<27}for ham", "for spam");
    for (spam, ham) in rows.iter().zip(rows.iter().rev()).take(12) {
        println!("  {:<27}{}", word(spam), word(ham));
    }
    println!("  {}", word(&0));
}

/// Whether the messages of the command line, or two others, are spam.
fn print_messages(model: &Model, split: &Split<'_>) {
    let mut messages: Vec<String> = std::env::args().skip(1).collect();
    println!("\nIs it spam? ({})", model.method.name());
    if messages.is_empty() {
        println!("  Try your own: cargo run --release --example spam -- \"first message\" \"second message\"");
        messages =
            vec!["You have won a free phone! Text YES to 80123 now".into(), "Running late, see you at 8?".into()];
    }
    for message in messages {
        let mut rows = split.rows(&message);
        let spam = probability(score(&model.weights, &rows));
        rows.retain(|&row| row != 0);
        let weight = |row: u32| model.weights[row as usize];
        rows.sort_by(|&a, &b| weight(b).abs().total_cmp(&weight(a).abs()));
        let word = |&row: &u32| format!("{} {:+.2}", split.vocabulary[row as usize], weight(row));
        let heaviest: Vec<String> = rows.iter().take(5).map(word).collect();
        println!("  {:>8}  {message}", percent(f64::from(spam)));
        println!("  {:>8}  {}", "", heaviest.join(", "));
    }
}

fn print_time(model: &Model, samples: &[Sample]) -> Result<(), adagrad::Error> {
    let (call, row) = time_steps(model, samples)?;
    println!(
        "\nTime of step_rows on this machine ({} detected): {call:.0} ns a message, {row:.1} ns a row",
        Backend::detected()
    );
    Ok(())
}

fn print_other_splits(others: &[Vec<Metrics>]) {
    println!(
        "\nThe same for {} other splits, with learning rates chosen anew for each: means (* best in the row)",
        others.len()
    );
    print_names("");
    let mean = |method: usize, value: fn(&Metrics) -> f64| {
        others.iter().map(|results| value(&results[method])).sum::<f64>() / others.len() as f64
    };
    let means: Vec<Metrics> = (0..METHODS)
        .map(|method| Metrics {
            log_loss: mean(method, |metrics| metrics.log_loss),
            accuracy: mean(method, |metrics| metrics.accuracy),
            precision: mean(method, |metrics| metrics.precision),
            recall: mean(method, |metrics| metrics.recall),
            f1: mean(method, |metrics| metrics.f1),
        })
        .collect();
    print_metrics(&means);
    let wins = |what: &str, better: fn(&Metrics, &Metrics) -> bool| {
        print!("  {what:<18}{:>18} ", "");
        for method in 1..METHODS {
            let won = others.iter().filter(|results| better(&results[method], &results[0])).count();
            let lost = others.iter().filter(|results| better(&results[0], &results[method])).count();
            print!("{:>18} ", format!("{won} : {lost}"));
        }
        println!();
    };
    println!("  Splits in which Adagrad was better : SGD was better");
    wins("log-loss", |a, b| a.log_loss < b.log_loss);
    wins("F1", |a, b| a.f1 > b.f1);
}

fn median(rows: &[usize], value: impl Fn(usize) -> f64) -> f64 {
    let mut values: Vec<f64> = rows.iter().map(|&row| value(row)).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

fn star(best: bool) -> char {
    if best { '*' } else { ' ' }
}

fn loss(value: f64) -> String {
    format!("{value:.4}")
}

fn percent(value: f64) -> String {
    format!("{:.2} %", 100.0 * value)
}

/// Three significant digits, and at least one after the point.
fn significant(value: f64) -> String {
    let decimals = (2.0 - value.abs().max(1e-9).log10().floor()).clamp(1.0, 8.0);
    format!("{value:.*}", decimals as usize)
}
