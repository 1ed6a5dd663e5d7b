//! Two charts for each problem, as SVG: loss and effective rate over the steps.

use core::error::Error;
use core::ops::Range;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::common::charts::{Curve, FONT, Labels, TITLE, canvas, chart, extent, lines};
use crate::run::{Point, Run, Variant};

/// One colour for each variant: told apart also by those who do not see red and green as different (Okabe and Ito).
const COLOURS: [RGBColor; Variant::COUNT] =
    [RGBColor(70, 70, 70), RGBColor(86, 180, 233), RGBColor(0, 158, 115), RGBColor(230, 140, 0), RGBColor(0, 80, 170)];

/// A step that a chart marks, and what happens there.
pub(crate) type Mark = (u64, &'static str);

/// One value of each recorded point, for all runs. The last step stands a little left of the edge, for its label.
pub(crate) fn over_steps(
    path: &Path,
    [title, y]: [&str; 2],
    runs: &[Run],
    (marks, legend): (&[Mark], SeriesLabelPosition),
    value: fn(&Point) -> f64,
) -> Result<(), Box<dyn Error>> {
    let curve = |(run, colour): (&Run, RGBColor)| Curve {
        name: run.variant.name.into(),
        colour,
        points: run.points.iter().map(|point| (point.step as f64, value(point))).collect(),
    };
    let curves: Vec<Curve> = runs.iter().zip(COLOURS).map(curve).collect();
    let last = curves.iter().flat_map(|curve| &curve.points).fold(1.0, |last, &(step, _)| step.max(last));
    let range = extent(&curves);
    // Room for the marks.
    let margin = (range.end / range.start).powf(0.06);
    let range = range.start / margin..range.end * margin;

    let area = canvas(path)?;
    let ticks = ticks(&range);
    let labels = Labels { title, x: "steps", y };
    let mut chart = chart(&area, labels, 0.0..last * 1.02, range.clone().log_scale().with_key_points(ticks))?;
    for &(step, text) in marks {
        let (step, style) = (step as f64, (FONT, 14, &TITLE).into_text_style(&area));
        let style = style.pos(Pos::new(HPos::Left, VPos::Top));
        chart.draw_series([PathElement::new([(step, range.start), (step, range.end)], TITLE.mix(0.5))])?;
        chart.draw_series([EmptyElement::at((step, range.end)) + Text::new(text, (5, 3), style)])?;
    }
    lines(&area, chart, curves, legend)
}

/// Where a logarithmic axis has a line: at the powers of ten, and between them if these are few.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    let decades = (range.end / range.start).log10();
    let within: &[f64] = match decades {
        ..1.0 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        ..3.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let (first, last) = (range.start.log10().floor() as i32, range.end.log10().ceil() as i32);
    let all = (first..=last).flat_map(|power| within.iter().map(move |factor| factor * 10.0_f64.powi(power)));
    all.filter(|tick| range.contains(tick)).collect()
}
