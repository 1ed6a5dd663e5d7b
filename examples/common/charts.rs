//! What the charts have in common. They are written as SVG.

use core::error::Error;
use core::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::text::plain;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A chart with the axes `X` and `Y`.
pub(crate) type Chart<'a, X, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>;

const SIZE: (u32, u32) = (960, 600);
pub(crate) const FONT: &str = "sans-serif";
pub(crate) const TITLE: RGBColor = RGBColor(30, 30, 30);
const GRID: RGBColor = RGBColor(225, 225, 225);
const FRAME: RGBColor = RGBColor(170, 170, 170);

/// What stands at a chart.
#[derive(Clone, Copy)]
pub(crate) struct Labels<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// A line of a chart.
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
}

/// The least and the greatest value of the curves.
pub(crate) fn extent(curves: &[Curve]) -> Range<f64> {
    let values = curves.iter().flat_map(|curve| &curve.points).map(|&(_, value)| value);
    values.fold(f64::MAX..0.0, |range, value| value.min(range.start)..value.max(range.end))
}

/// An empty chart file.
pub(crate) fn canvas(path: &Path) -> Result<Area<'_>, Box<dyn Error>> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    Ok(area)
}

/// A chart with axes and nothing in it yet.
pub(crate) fn chart<'a, A, B>(
    area: &Area<'a>,
    labels: Labels<'_>,
    x: A,
    y: B,
) -> Result<Chart<'a, A::CoordDescType, B::CoordDescType>, Box<dyn Error>>
where
    A: AsRangedCoord<Value = f64>,
    B: AsRangedCoord<Value = f64>,
    A::CoordDescType: ValueFormatter<f64>,
    B::CoordDescType: ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(area)
        .caption(labels.title, (FONT, 24, &TITLE))
        .margin(16)
        .x_label_area_size(52)
        .y_label_area_size(72)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(labels.x)
        .y_desc(labels.y)
        .x_label_formatter(&|x| plain(*x))
        .y_label_formatter(&|y| plain(*y))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .draw()?;
    Ok(chart)
}

/// Draws lines, and the legend, which ends the chart.
pub(crate) fn lines<X, Y>(
    area: &Area<'_>,
    mut chart: Chart<'_, X, Y>,
    curves: Vec<Curve>,
    legend: SeriesLabelPosition,
) -> Result<(), Box<dyn Error>>
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    for Curve { name, colour, points } in curves {
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(3)));
    }
    finish(area, &mut chart, legend)
}

/// Draws the legend, which ends the chart.
pub(crate) fn finish<X, Y>(
    area: &Area<'_>,
    chart: &mut Chart<'_, X, Y>,
    legend: SeriesLabelPosition,
) -> Result<(), Box<dyn Error>>
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    chart
        .configure_series_labels()
        .position(legend)
        .legend_area_size(34)
        .margin(14)
        .background_style(WHITE)
        .border_style(FRAME)
        .label_font((FONT, 16))
        .draw()?;
    area.present()?;
    Ok(())
}
