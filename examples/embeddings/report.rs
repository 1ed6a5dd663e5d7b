//! What is printed.

use crate::common::text::{plain, thousands};
use crate::corpus::{Corpus, LEAST, Pair, WINDOW};
use crate::glove::{COLUMNS, DIM, Method, PASSES, Run, dot, mean_cost};
use crate::messages::Message;
use crate::{RATES, Tried};

/// So many neighbours of a word are shown.
const NEIGHBOURS: usize = 6;
/// The passes after which the cost is printed.
const STOPS: [usize; 5] = [1, 2, 5, 10, PASSES];
/// Words are grouped by how often the messages have them: the least number of each group.
const GROUPS: [usize; 5] = [LEAST, 10, 30, 100, 300];

pub(crate) fn corpus(corpus: &Corpus<'_>, messages: &[Message]) {
    let (words, spam) = (corpus.vocabulary.len(), messages.iter().filter(|message| message.spam).count());
    let [training, validation, held_out] =
        [&corpus.training, &corpus.validation, &corpus.held_out].map(|pairs| thousands(pairs.len()));
    println!("SMS Spam Collection: {} distinct messages, {spam} of them spam", thousands(messages.len()));
    println!(
        "  words  {} that occur at least {LEAST} times: \"{}\" {} times, half of them fewer than {} times",
        thousands(words),
        corpus.vocabulary[0],
        thousands(corpus.counts[0]),
        corpus.counts[words / 2] + 1
    );
    println!("  pairs  {training} of words at most {WINDOW} apart, by which the vectors are trained;");
    println!("         {validation} others, to choose rates and when to stop; and {held_out} for the results only");
    println!(
        "  model  {} rows, one for each word and one for it as a context, of {DIM} numbers and a bias: {} parameters",
        thousands(2 * words),
        thousands(2 * words * COLUMNS)
    );
}

pub(crate) fn rates(tried: &[Tried]) {
    by_rate(&format!("Cost of the training pairs in pass {PASSES}"), tried, Run::cost);
    by_rate(&format!("Least cost of the pairs for validation, of {PASSES} passes"), tried, Run::validation);
}

fn by_rate(title: &str, tried: &[Tried], value: fn(&Run) -> f64) {
    println!("\n{title}, by learning rate (* best, used from here on)");
    print!("  {:<16}", "η");
    RATES.iter().for_each(|rate| print!("{rate:>9} "));
    for Tried { method, runs } in tried {
        print!("\n  {:<16}", method.name());
        let least = runs.iter().map(value).fold(f64::INFINITY, f64::min);
        for cost in runs.iter().map(value) {
            let shown = if cost.is_finite() { format!("{cost:.5}") } else { "diverged".into() };
            print!("{shown:>9}{}", star(cost == least));
        }
    }
    println!();
}

/// A line of one value for each method, with a star at the least if there is one.
fn line<T: PartialOrd + Copy>(what: &str, values: &[T], show: impl Fn(T) -> String, starred: bool) {
    print!("  {what:<26}");
    for &value in values {
        let best = starred && values.iter().all(|&other| value <= other);
        print!("{:>16}{}", show(value), star(best));
    }
    println!();
}

fn names() {
    line("", &[0, 1, 2, 3], |method| Method::ALL[method].name().into(), false);
}

/// What is optimized: the cost of the training pairs.
pub(crate) fn fitted(tried: &[Tried]) {
    let each = |value: &dyn Fn(&Tried) -> f64| tried.iter().map(value).collect::<Vec<_>>();
    let sgd = tried[0].fitted().cost();
    println!("\nWhat is minimized: the cost of the training pairs (* best in the row)");
    names();
    line("η", &each(&|tried| tried.fitted().rate.into()), plain, false);
    for stop in STOPS {
        let cost = each(&|tried| tried.fitted().passes[stop - 1].cost);
        line(&format!("in pass {stop}"), &cost, |cost| format!("{cost:.5}"), true);
    }
    let passes = |tried: &Tried| tried.fitted().passes_to(|pass| pass.cost <= sgd);
    line("SGD's last over its last", &each(&|tried| sgd / tried.fitted().cost()), decimal, false);
    line("passes to SGD's last", &each(&passes), whole, true);
    line("ms a pass, on one thread", &each(&|tried| 1e3 * tried.seconds()), decimal, true);
    line("ms to SGD's last", &each(&|tried| 1e3 * tried.seconds() * passes(tried)), whole, true);
    line("kB of memory", &each(&|tried| tried.fitted().bytes as f64 / 1e3), whole, true);
    println!(
        "  Adagrad::glove starts G at 1 and adds (η·g)². On so few messages most of its rates stay near η, as SGD's do."
    );
}

/// What is hoped for: the cost of pairs that were never stepped.
pub(crate) fn general(tried: &[Tried], corpus: &Corpus<'_>) {
    let each = |value: &dyn Fn(&Run) -> f64| tried.iter().map(|tried| value(tried.general())).collect::<Vec<_>>();
    println!("\nPairs that were never stepped: held out, after the best pass for validation (* best in the row)");
    names();
    line("η", &each(&|run| run.rate.into()), plain, false);
    line("best pass", &each(&|run| (run.best + 1) as f64), whole, false);
    let held_out = |run: &Run, from: usize, below: usize| {
        let within = |pair: &&Pair| (from..below).contains(&corpus.rarer(pair));
        let pairs: Vec<Pair> = corpus.held_out.iter().filter(within).copied().collect();
        mean_cost(|row| vector(run, row), corpus.vocabulary.len(), &pairs)
    };
    let show = |cost: f64| format!("{cost:.5}");
    let cost = each(&|run| held_out(run, 0, usize::MAX));
    line("cost", &cost, show, true);
    line("share of SGD's", &cost.iter().map(|its| its / cost[0]).collect::<Vec<_>>(), percent, true);
    let sgd = tried[0].general().validation();
    let passes = |run: &Run| run.passes_to(|pass| pass.validation <= sgd);
    let fewest = |tried: &Tried| tried.runs.iter().map(passes).fold(f64::INFINITY, f64::min);
    line("passes to SGD's, at any η", &tried.iter().map(fewest).collect::<Vec<_>>(), whole, true);
    println!("  by how often the messages have the rarer word of a pair");
    for (i, &from) in GROUPS.iter().enumerate() {
        let (below, name) = group(i, from);
        line(&name, &each(&|run| held_out(run, from, below)), show, true);
    }
}

fn group(i: usize, from: usize) -> (usize, String) {
    match GROUPS.get(i + 1) {
        Some(&below) => (below, format!("  {from} to {}", below - 1)),
        None => (usize::MAX, format!("  {from} and more")),
    }
}

/// What a small gradient is multiplied by, of the runs that fitted best.
pub(crate) fn effective_rates(tried: &[Tried], corpus: &Corpus<'_>) {
    println!("\nEffective learning rates of words after pass {PASSES}: medians");
    names();
    let each = |rows: &[usize]| -> Vec<f64> {
        tried.iter().map(|tried| median(rows, |row| tried.fitted().effective_rates[row].into())).collect()
    };
    let rank = |rank: usize| each(&[rank]);
    for word in [0, 10, 100, 1_000] {
        if let Some(name) = corpus.vocabulary.get(word) {
            line(&format!("{name}, {} times", thousands(corpus.counts[word])), &rank(word), significant, false);
        }
    }
    let mut rare = Vec::new();
    for (i, &from) in GROUPS.iter().enumerate().rev() {
        let (below, name) = group(i, from);
        let rows: Vec<usize> =
            (0..corpus.counts.len()).filter(|&row| (from..below).contains(&corpus.counts[row])).collect();
        rare = each(&rows);
        line(&format!("{} words, {}", thousands(rows.len()), name.trim()), &rare, significant, false);
    }
    let factors: Vec<f64> = rare.iter().zip(rank(0)).map(|(rare, most)| rare / most).collect();
    line("rare over most frequent", &factors, decimal, false);
}

/// The nearest neighbours of the words of the command line, or of some others, by the vectors of SGD and the best ones.
pub(crate) fn neighbours(tried: &[Tried], corpus: &Corpus<'_>) {
    let best =
        (1..tried.len()).min_by(|&a, &b| tried[a].general().validation().total_cmp(&tried[b].general().validation()));
    let shown = [Some(0), best].into_iter().flatten();
    let shown: Vec<(&str, &Run)> = shown.map(|i| (tried[i].method.name(), tried[i].general())).collect();
    println!("\nNearest neighbours, by the cosine of the sums of both vectors of a word");
    if std::env::args().len() < 2 {
        println!("  Try your own: cargo run --release --example embeddings -- love tomorrow");
    }
    neighbours_by(&shown, corpus);
}

/// The same by the vectors of these runs.
fn neighbours_by(shown: &[(&str, &Run)], corpus: &Corpus<'_>) {
    let mut words: Vec<String> = std::env::args().skip(1).map(|word| word.to_lowercase()).collect();
    if words.is_empty() {
        words = ["good", "happy", "he", "home", "free", "prize"].map(Into::into).into();
    }
    let vectors: Vec<_> = shown.iter().map(|(_, run)| unit_vectors(run, corpus.vocabulary.len())).collect();
    for word in words {
        let Some(row) = corpus.vocabulary.iter().position(|known| *known == word) else {
            println!("  {word:<10} occurs fewer than {LEAST} times");
            continue;
        };
        for (i, ((name, _), vectors)) in shown.iter().zip(&vectors).enumerate() {
            let near: Vec<String> = nearest(vectors, row)
                .into_iter()
                .map(|near| format!("{} {:.2}", corpus.vocabulary[near], dot(&vectors[row], &vectors[near])))
                .collect();
            println!("  {:<10}{name:<16}{}", if i == 0 { &word } else { "" }, near.join(", "));
        }
    }
}

/// The six nearest neighbours of a word.
fn nearest(vectors: &[[f32; DIM]], word: usize) -> Vec<usize> {
    let cosine = |other: usize| dot(&vectors[word], &vectors[other]);
    let mut near: Vec<(f32, usize)> =
        (0..vectors.len()).filter(|&other| other != word).map(|other| (cosine(other), other)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(NEIGHBOURS).map(|(_, word)| word).collect()
}

/// The same method with other types of numbers, the first of which is `f32`.
#[cfg(all(feature = "half", not(debug_assertions)))]
pub(crate) fn sixteen(runs: &[(&str, Run)], corpus: &Corpus<'_>) {
    let words = corpus.vocabulary.len();
    println!("\nAdagrad with parameters and accumulators in 16 bits, two tables, at the rate that was best for f32");
    line("", &(0..runs.len()).collect::<Vec<_>>(), |run| runs[run].0.into(), false);
    let each = |value: &dyn Fn(&Run) -> f64| runs.iter().map(|(_, run)| value(run)).collect::<Vec<_>>();
    line("kB of memory", &each(&|run| run.bytes as f64 / 1e3), whole, false);
    line("ms a pass, on one thread", &each(&|run| 1e3 * run.seconds()), decimal, false);
    for stop in STOPS {
        line(&format!("cost in pass {stop}"), &each(&|run| run.passes[stop - 1].cost), |x| format!("{x:.5}"), false);
    }
    let held_out = |run: &Run| mean_cost(|row| vector(run, row), words, &corpus.held_out);
    line("held out, after all passes", &each(&held_out), |x| format!("{x:.5}"), false);
    let near = |run: &Run| {
        let vectors = unit_vectors(run, words);
        (0..words).map(|word| nearest(&vectors, word)).collect::<Vec<_>>()
    };
    let of_f32 = near(&runs[0].1);
    let shared = |run: &Run| {
        let both = of_f32.iter().zip(near(run)).map(|(a, b)| a.iter().filter(|word| b.contains(word)).count());
        both.sum::<usize>() as f64 / (NEIGHBOURS * words) as f64
    };
    line("neighbours as by f32", &each(&shared), percent, false);
    println!("  All of these tables are in the caches. There conversions cost time, and bytes do not.");
    neighbours_by(&runs.iter().map(|(name, run)| (*name, run)).collect::<Vec<_>>(), corpus);
}

/// Of each word the sum of its vectors, with length 1.
fn unit_vectors(run: &Run, words: usize) -> Vec<[f32; DIM]> {
    let unit = |word: usize| {
        let (w, c) = (vector(run, word), vector(run, words + word));
        let sum: [f32; DIM] = core::array::from_fn(|i| w[i] + c[i]);
        let length = dot(&sum, &sum).sqrt();
        sum.map(|x| x / length)
    };
    (0..words).map(unit).collect()
}

fn vector(run: &Run, row: usize) -> &[f32] {
    &run.rows[row * COLUMNS..][..COLUMNS]
}

pub(crate) fn median(rows: &[usize], value: impl Fn(usize) -> f64) -> f64 {
    let mut values: Vec<f64> = rows.iter().map(|&row| value(row)).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn star(best: bool) -> char {
    if best { '*' } else { ' ' }
}

fn decimal(value: f64) -> String {
    format!("{value:.1}")
}

fn whole(value: f64) -> String {
    if value.is_finite() { thousands(value.round() as usize) } else { "never".into() }
}

fn percent(value: f64) -> String {
    format!("{:.1} %", 100.0 * value)
}

fn significant(value: f64) -> String {
    let decimals = (2.0 - value.abs().max(1e-9).log10().floor()).clamp(1.0, 8.0);
    format!("{value:.*}", decimals as usize)
}
