//! The two charts, as SVG.

use core::error::Error;
use std::collections::HashSet;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::data::Split;
use crate::model::{Method, Model};
use crate::{Curve, thousands};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const SIZE: (u32, u32) = (960, 600);
const FONT: &str = "sans-serif";
const TITLE: RGBColor = RGBColor(30, 30, 30);
const GRID: RGBColor = RGBColor(225, 225, 225);
const FRAME: RGBColor = RGBColor(170, 170, 170);
/// One colour for each method: told apart also by those who do not see red and green as different.
const COLOURS: [RGBColor; 3] = [RGBColor(90, 90, 90), RGBColor(230, 120, 0), RGBColor(0, 100, 180)];

/// Where the log-loss axis has a line.
const LOSSES: [f64; 11] = [0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 1.0];

/// Held-out log-loss over the number of updates, both logarithmic.
pub(crate) fn losses(path: &Path, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let last = points().map(|&(updates, _)| updates).max().unwrap_or(1) as f64;
    let (low, high) = points().fold((f64::MAX, 0.0), |(low, high), &(_, loss)| (loss.min(low), loss.max(high)));
    let losses = low / 1.1..high * 1.1;
    let lines: Vec<f64> = LOSSES.into_iter().filter(|loss| losses.contains(loss)).collect();

    let area = canvas(path)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Log-loss on held-out messages", (FONT, 24, &TITLE))
        .margin(16)
        .x_label_area_size(52)
        .y_label_area_size(72)
        .build_cartesian_2d((1.0..last).log_scale(), losses.log_scale().with_key_points(lines))?;
    chart
        .configure_mesh()
        .x_desc("updates (one message each)")
        .y_desc("mean log-loss")
        .x_label_formatter(&|x| plain(*x))
        .y_label_formatter(&|y| plain(*y))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let points = curve.points.iter().map(|&(updates, loss)| (updates as f64, loss));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(curve.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .legend_area_size(34)
        .margin(14)
        .background_style(WHITE)
        .border_style(FRAME)
        .label_font((FONT, 16))
        .draw()?;
    area.present()?;
    Ok(())
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
    let mut chart = ChartBuilder::on(&area)
        .caption("Effective learning rate of each word after training", (FONT, 24, &TITLE))
        .margin(16)
        .x_label_area_size(52)
        .y_label_area_size(72)
        .build_cartesian_2d((0.8..f64::from(most) * 1.4).log_scale(), (low / 1.5..high * 1.5).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("training messages with the word")
        .y_desc("effective learning rate")
        .x_label_formatter(&|x| plain(*x))
        .y_label_formatter(&|y| plain(*y))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .draw()?;
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
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .legend_area_size(34)
        .margin(14)
        .background_style(WHITE)
        .border_style(FRAME)
        .label_font((FONT, 16))
        .draw()?;
    area.present()?;
    Ok(())
}

fn canvas(path: &Path) -> Result<Area<'_>, Box<dyn Error>> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    Ok(area)
}

/// A number as text, without the digits that arithmetic leaves behind: `0.30000000000000004` is `0.3`.
fn plain(value: f64) -> String {
    let decimals = (1.0 - value.log10().floor()).clamp(0.0, 9.0) as usize;
    if value >= 10.0 {
        return thousands(value.round() as usize);
    }
    format!("{value:.decimals$}").trim_end_matches('0').trim_end_matches('.').into()
}
