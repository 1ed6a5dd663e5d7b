//! The two charts, as SVG.

use core::error::Error;
use std::collections::HashSet;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Losses;
use crate::common::charts::{Curve, FONT, Labels, TITLE, canvas, chart, extent, finish, lines};
use crate::data::Split;
use crate::model::{Method, Model};

/// One colour for each method: told apart also by those who do not see red and green as different.
const COLOURS: [RGBColor; 3] = [RGBColor(90, 90, 90), RGBColor(230, 120, 0), RGBColor(0, 100, 180)];

/// Where the log-loss axis has a line.
const LOSSES: [f64; 11] = [0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 1.0];

/// Held-out log-loss over the number of updates, both logarithmic.
pub(crate) fn losses(path: &Path, losses: Vec<Losses>) -> Result<(), Box<dyn Error>> {
    let curve = |(losses, colour): (Losses, RGBColor)| Curve {
        name: losses.name,
        colour,
        points: losses.points.into_iter().map(|(updates, loss)| (updates as f64, loss)).collect(),
    };
    let curves: Vec<Curve> = losses.into_iter().zip(COLOURS).map(curve).collect();
    let last = curves.iter().flat_map(|curve| &curve.points).fold(1.0, |last, &(updates, _)| updates.max(last));
    let range = extent(&curves);
    let range = range.start / 1.1..range.end * 1.1;
    let ticks: Vec<f64> = LOSSES.into_iter().filter(|loss| range.contains(loss)).collect();

    let area = canvas(path)?;
    let labels = Labels { title: "Log-loss on held-out messages", x: "updates (one message each)", y: "mean log-loss" };
    let chart = chart(&area, labels, (1.0..last).log_scale(), range.log_scale().with_key_points(ticks))?;
    lines(&area, chart, curves, SeriesLabelPosition::UpperRight)
}

/// The effective learning rate of each word over the number of messages that have it, both logarithmic.
pub(crate) fn rates(path: &Path, models: &[Model], split: &Split<'_>) -> Result<(), Box<dyn Error>> {
    let rows = || 1..split.vocabulary.len();
    let most = rows().map(|row| split.counts[row]).max().unwrap_or(1);
    let (low, high) = models
        .iter()
        .flat_map(|model| rows().map(|row| f64::from(model.effective_rates[row])))
        .fold((f64::MAX, 0.0), |(low, high), rate| (rate.min(low), rate.max(high)));

    let area = canvas(path)?;
    let labels = Labels {
        title: "Effective learning rate of each word after training",
        x: "training messages with the word",
        y: "effective learning rate",
    };
    let mut chart =
        chart(&area, labels, (0.8..f64::from(most) * 1.4).log_scale(), (low / 1.5..high * 1.5).log_scale())?;
    for (model, colour) in models.iter().zip(COLOURS) {
        let name = format!("{}, η = {}", model.method.name(), model.learning_rate);
        if let Method::Sgd = model.method {
            let rate = f64::from(model.effective_rates[0]);
            chart
                .draw_series(LineSeries::new([(0.8, rate), (f64::from(most) * 1.4, rate)], colour.stroke_width(2)))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(3)));
        } else {
            // Of points that would lie on one another, one is enough.
            let mut drawn = HashSet::new();
            let points = rows()
                .map(|row| (f64::from(split.counts[row]), f64::from(model.effective_rates[row])))
                .filter(|&(count, rate)| drawn.insert(((count.ln() * 100.0) as i64, (rate.ln() * 40.0) as i64)));
            chart
                .draw_series(points.map(|point| Circle::new(point, 2, colour.mix(0.45).filled())))?
                .label(name)
                .legend(move |(x, y)| Circle::new((x + 12, y), 5, colour.filled()));
        }
    }
    // The words of some points of the last model, above them.
    let by_frequency = split.by_frequency();
    if let Some(model) = models.last() {
        for rank in [1, 3, 5, 10, 20, 50] {
            let Some(&row) = by_frequency.get(rank - 1) else { break };
            let style = (FONT, 14, &TITLE).into_text_style(&area).pos(Pos::new(HPos::Center, VPos::Bottom));
            let point = (f64::from(split.counts[row]), f64::from(model.effective_rates[row]));
            chart.draw_series([EmptyElement::at(point)
                + Circle::new((0, 0), 3, TITLE)
                + Text::new(split.vocabulary[row].to_string(), (0, -5), style)])?;
        }
    }
    finish(&area, &mut chart, SeriesLabelPosition::UpperRight)
}
