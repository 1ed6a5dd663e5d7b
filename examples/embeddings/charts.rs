//! The four charts, as SVG.

use core::error::Error;
use core::ops::Range;
use std::collections::HashSet;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Tried;
use crate::common::charts::{Curve, FONT, Labels, TITLE, canvas, chart, extent, finish, lines};
use crate::corpus::Corpus;
use crate::glove::{Method, PASSES, Run};

/// One colour for each method: told apart also by those who do not see red and green as different (Okabe and Ito).
const COLOURS: [RGBColor; Method::COUNT] =
    [RGBColor(70, 70, 70), RGBColor(230, 140, 0), RGBColor(0, 158, 115), RGBColor(0, 80, 170)];

/// Where the cost axis has a line.
const COSTS: [f64; 11] = [0.002, 0.003, 0.004, 0.005, 0.007, 0.01, 0.012, 0.015, 0.02, 0.03, 0.05];

/// The cost of the training pairs over the number of passes.
pub(crate) fn cost(path: &Path, tried: &[Tried]) -> Result<(), Box<dyn Error>> {
    let labels =
        Labels { title: "Cost of the training pairs, each method at its best rate", x: "passes", y: "mean cost" };
    curves(path, tried, labels, Tried::fitted, |_, run, pass| ((pass + 1) as f64, run.passes[pass].cost))
}

/// The same over the time that so many passes take.
pub(crate) fn time(path: &Path, tried: &[Tried]) -> Result<(), Box<dyn Error>> {
    let labels = Labels {
        title: "Cost of the training pairs over time, each method at its best rate",
        x: "milliseconds of training, on one thread",
        y: "mean cost",
    };
    curves(path, tried, labels, Tried::fitted, |tried, run, pass| {
        ((pass + 1) as f64 * 1e3 * tried.seconds(), run.passes[pass].cost)
    })
}

/// The cost of the pairs for validation over the number of passes.
pub(crate) fn validation(path: &Path, tried: &[Tried]) -> Result<(), Box<dyn Error>> {
    let labels =
        Labels { title: "Cost of pairs that are not trained on, each at its best rate", x: "passes", y: "mean cost" };
    curves(path, tried, labels, Tried::general, |_, run, pass| ((pass + 1) as f64, run.passes[pass].validation))
}

fn curves(
    path: &Path,
    tried: &[Tried],
    labels: Labels<'_>,
    run: fn(&Tried) -> &Run,
    point: impl Fn(&Tried, &Run, usize) -> (f64, f64),
) -> Result<(), Box<dyn Error>> {
    let curve = |(tried, colour): (&Tried, RGBColor)| {
        let run = run(tried);
        let points = (0..run.passes.len()).map(|pass| point(tried, run, pass)).collect();
        Curve { name: name(run), colour, points }
    };
    let curves: Vec<Curve> = tried.iter().zip(COLOURS).map(curve).collect();
    let last = curves.iter().flat_map(|curve| &curve.points).fold(0.0, |last, &(x, _)| x.max(last));
    let Range { start, end } = extent(&curves);
    let range = start / 1.1..end * 1.1;
    let ticks: Vec<f64> = COSTS.into_iter().filter(|cost| range.contains(cost)).collect();
    let area = canvas(path)?;
    let chart = chart(&area, labels, 0.0..last * 1.02, range.log_scale().with_key_points(ticks))?;
    lines(&area, chart, curves, SeriesLabelPosition::UpperRight)
}

fn name(run: &Run) -> String {
    format!("{}, η = {}", run.method.name(), run.rate)
}

/// The effective learning rate of each word over the number of times that it occurs, both logarithmic.
pub(crate) fn rates(path: &Path, tried: &[Tried], corpus: &Corpus<'_>) -> Result<(), Box<dyn Error>> {
    let words = 0..corpus.vocabulary.len();
    let all = tried.iter().flat_map(|tried| &tried.fitted().effective_rates[words.clone()]);
    let (low, high) =
        all.fold((f64::MAX, 0.0), |(low, high), &rate| (low.min(rate.into()), f64::max(high, rate.into())));
    let count = |row: usize| corpus.counts[row] as f64;
    let (from, to) = (count(words.len() - 1) * 0.8, count(0) * 1.4);

    let area = canvas(path)?;
    let title = format!("Effective learning rate of each word after {PASSES} passes");
    let labels = Labels { title: &title, x: "occurrences of the word", y: "effective learning rate" };
    let mut chart = chart(&area, labels, (from..to).log_scale(), (low / 1.5..high * 1.5).log_scale())?;
    for (tried, colour) in tried.iter().zip(COLOURS) {
        let run = tried.fitted();
        let rate = |row: usize| f64::from(run.effective_rates[row]);
        if let Method::Sgd = run.method {
            chart
                .draw_series(LineSeries::new([(from, rate(0)), (to, rate(0))], colour.stroke_width(2)))?
                .label(name(run))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(3)));
        } else {
            // Of points that would lie on one another, one is enough.
            let mut drawn = HashSet::new();
            let points = words
                .clone()
                .map(|row| (count(row), rate(row)))
                .filter(|&(count, rate)| drawn.insert(((count.ln() * 100.0) as i64, (rate.ln() * 40.0) as i64)));
            chart
                .draw_series(points.map(|point| Circle::new(point, 2, colour.mix(0.45).filled())))?
                .label(name(run))
                .legend(move |(x, y)| Circle::new((x + 12, y), 5, colour.filled()));
        }
    }
    // The words of some points of the last method, above them.
    if let Some(tried) = tried.last() {
        for row in [0, 2, 9, 29, 99] {
            let Some(word) = corpus.vocabulary.get(row) else { break };
            let style = (FONT, 14, &TITLE).into_text_style(&area).pos(Pos::new(HPos::Center, VPos::Bottom));
            let point = (count(row), f64::from(tried.fitted().effective_rates[row]));
            chart.draw_series([EmptyElement::at(point)
                + Circle::new((0, 0), 3, TITLE)
                + Text::new((*word).to_string(), (0, -5), style)])?;
        }
    }
    finish(&area, &mut chart, SeriesLabelPosition::LowerLeft)
}
