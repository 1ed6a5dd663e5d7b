//! The two charts, as SVG. Both axes are logarithmic: the same distance is the same ratio everywhere.

use core::error::Error;
use core::ops::Range;
use std::path::Path;

use adagrad::Backend;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::machine::Cache;
use crate::measure::{KINDS, Times, Who};
use crate::text::{binary, bytes};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const SIZE: (u32, u32) = (960, 600);
const FONT: &str = "sans-serif";
const TEXT: RGBColor = RGBColor(40, 40, 40);
const QUIET: RGBColor = RGBColor(110, 110, 110);
const GRID: RGBColor = RGBColor(228, 228, 228);

/// Times per element at each place of the horizontal axis.
pub(crate) type Series = [(usize, Times)];

/// What stands at a panel.
struct Panel<'a> {
    title: &'a str,
    /// Below the axis.
    x: &'a str,
    /// Left of the axis: what the time of an element, in nanoseconds, is as throughput.
    y: &'a str,
    throughput: fn(f64) -> f64,
    /// Above the upper edge, at places of the axis.
    marks: &'a [(f64, String)],
    /// The labelled places of the horizontal axis.
    ticks: Vec<f64>,
}

/// Throughput of dense steps over their length.
pub(crate) fn dense(path: &Path, series: &Series, machine: &str, caches: &[Cache]) -> Result<(), Box<dyn Error>> {
    let mark = |cache: &Cache| (cache.bytes as f64 / 12.0, format!("L{}: {}", cache.level, bytes(cache.bytes)));
    let marks: Vec<_> = caches.iter().map(mark).collect();
    let panel = Panel {
        title: "",
        x: "elements (12 bytes each: parameter, gradient, accumulator)",
        y: "GB/s (20 bytes read and written per element)",
        throughput: |time| 20.0 / time,
        marks: &marks,
        ticks: series.iter().map(|(n, _)| *n as f64).step_by(2).collect(),
    };
    let root = canvas(path)?;
    let below = heading(&root, "A dense step, over its length", machine)?;
    let (chart, legend) = below.split_vertically(below.dim_in_pixel().1 - 66);
    draw(&chart, series, &panel, &range(&[series], panel.throughput))?;
    draw_legend(&legend, &series[0].1)?;
    root.present()?;
    Ok(())
}

/// Throughput of steps of random rows over their columns, for each layout.
pub(crate) fn rows(
    path: &Path,
    layouts: &[(&str, Vec<(usize, Times)>)],
    parameters: usize,
    machine: &str,
) -> Result<(), Box<dyn Error>> {
    let throughput = |time: f64| 1000.0 / time;
    let root = canvas(path)?;
    let title = format!("A step of random rows in a table of {} parameters", binary(parameters));
    let below = heading(&root, &title, machine)?;
    let (charts, legend) = below.split_vertically(below.dim_in_pixel().1 - 44);
    let all: Vec<&Series> = layouts.iter().map(|(_, series)| &series[..]).collect();
    let range = range(&all, throughput);
    for (area, (title, series)) in charts.split_evenly((1, layouts.len())).iter().zip(layouts) {
        let panel = Panel {
            title,
            x: "columns of a row",
            y: "million elements per second",
            throughput,
            marks: &[],
            ticks: series.iter().map(|(dim, _)| *dim as f64).filter(|dim| *dim != 20.0).collect(),
        };
        draw(area, series, &panel, &range)?;
    }
    draw_legend(&legend, &layouts[0].1[0].1)?;
    root.present()?;
    Ok(())
}

/// A chart file with a white background, which suits pages of any colour.
fn canvas(path: &Path) -> Result<Area<'_>, Box<dyn Error>> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    Ok(area)
}

/// Draws the title and what was measured, and returns the area below.
fn heading<'a>(root: &Area<'a>, title: &str, machine: &str) -> Result<Area<'a>, Box<dyn Error>> {
    let (heading, below) = root.split_vertically(66);
    heading.draw(&Text::new(title, (24, 16), (FONT, 23, &TEXT).into_text_style(root)))?;
    heading.draw(&Text::new(machine, (24, 44), (FONT, 14, &QUIET).into_text_style(root)))?;
    Ok(below)
}

/// The least and the greatest throughput, with some room.
fn range(all: &[&Series], throughput: fn(f64) -> f64) -> Range<f64> {
    let values = all.iter().flat_map(|series| series.iter()).flat_map(|(_, times)| times.all());
    let values = values.map(|(_, time)| throughput(time));
    let range = values.fold(f64::MAX..0.0, |range, value| value.min(range.start)..value.max(range.end));
    range.start / 1.15..range.end * 1.15
}

/// Draws the lines of a panel. Its right axis has the time of an element.
fn draw(area: &Area<'_>, series: &Series, panel: &Panel<'_>, range: &Range<f64>) -> Result<(), Box<dyn Error>> {
    let ends = series[0].0 as f64..series[series.len() - 1].0 as f64;
    let time = panel.throughput; // its own inverse
    let mut chart = ChartBuilder::on(area)
        .margin_left(12)
        .margin_right(12)
        .margin_top(if panel.title.is_empty() { 20 } else { 4 })
        .caption(panel.title, (FONT, if panel.title.is_empty() { 0 } else { 18 }, &TEXT))
        .x_label_area_size(48)
        .y_label_area_size(66)
        .right_y_label_area_size(62)
        .build_cartesian_2d(
            ends.clone().log_scale().base(2.0).with_key_points(panel.ticks.clone()),
            range.clone().log_scale().with_key_points(ticks(range)),
        )?
        .set_secondary_coord(0.0..1.0, 0.0..1.0);
    chart
        .configure_mesh()
        .x_desc(panel.x)
        .y_desc(panel.y)
        .x_label_formatter(&|x| binary(*x as usize))
        .y_label_formatter(&|y| plain(*y))
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .label_style((FONT, 14, &TEXT))
        .axis_desc_style((FONT, 15, &TEXT))
        .draw()?;

    let small = (FONT, 14, &TEXT).into_text_style(area);
    for tick in ticks(&(time(range.end)..time(range.start))) {
        let style = small.pos(Pos::new(HPos::Left, VPos::Center));
        let (x, y) = (ends.end, time(tick));
        chart.plotting_area().draw(&(EmptyElement::at((x, y)) + Text::new(plain(tick), (8, 0), style)))?;
    }
    let style = (FONT, 15, &TEXT).into_text_style(area).transform(FontTransform::Rotate90);
    let style = style.pos(Pos::new(HPos::Center, VPos::Top));
    let middle = (ends.end, (range.start * range.end).sqrt());
    chart.plotting_area().draw(&(EmptyElement::at(middle) + Text::new("ns per element", (58, 0), style)))?;

    for (x, text) in panel.marks.iter().filter(|(x, _)| ends.contains(x)) {
        let style = small.pos(Pos::new(HPos::Center, VPos::Bottom)).color(&QUIET);
        chart.draw_series(DashedLineSeries::new([(*x, range.start), (*x, range.end)], 2, 4, QUIET.into()))?;
        chart.plotting_area().draw(&(EmptyElement::at((*x, range.end)) + Text::new(text.clone(), (0, -4), style)))?;
    }
    // The limit's wide line lies under the others.
    let mut contenders: Vec<Who> = series[0].1.all().map(|(who, _)| who).collect();
    contenders.sort_by_key(|who| *who != Who::Limit);
    for who in contenders {
        let points = series.iter().filter_map(|(x, times)| Some((*x as f64, (panel.throughput)(times.of(who)?))));
        let style = colour(who).stroke_width(stroke(who));
        if is_dashed(who) {
            chart.draw_series(DashedLineSeries::new(points, 7, 5, style))?;
        } else {
            chart.draw_series(LineSeries::new(points, style))?;
        }
    }
    Ok(())
}

/// Draws what the lines are: all exact ones in a row, below them the others.
fn draw_legend(area: &Area<'_>, times: &Times) -> Result<(), Box<dyn Error>> {
    let mut next = [(84, 12), (84, 36)];
    for (who, _) in times.all() {
        let (x, y) = &mut next[usize::from(is_dashed(who))];
        let style = colour(who).stroke_width(stroke(who));
        if is_dashed(who) {
            for start in [*x, *x + 12, *x + 24] {
                area.draw(&PathElement::new([(start, *y), (start + 7, *y)], style))?;
            }
        } else {
            area.draw(&PathElement::new([(*x, *y), (*x + 31, *y)], style))?;
        }
        let text = if who == Who::Limit { "limit (memory only)".into() } else { who.to_string() };
        let label = (FONT, 15, &TEXT).into_text_style(area).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(text, (*x + 38, *y), label))?;
        *x += 165;
    }
    Ok(())
}

/// Told apart also by those who do not see red and green as different (Okabe and Ito).
fn colour(who: Who) -> RGBColor {
    match who {
        Who::Naive => RGBColor(60, 60, 60),
        Who::Limit | Who::LimitOfTwoThreads => RGBColor(175, 175, 175),
        Who::Step(Backend::Scalar, _) => RGBColor(204, 121, 167),
        Who::Step(Backend::Portable, _) => RGBColor(0, 158, 115),
        Who::Step(Backend::Avx2, _) => RGBColor(0, 114, 178),
        Who::Step(..) | Who::TwoThreads => RGBColor(213, 94, 0),
    }
}

fn stroke(who: Who) -> u32 {
    if who == Who::Limit { 5 } else { 2 }
}

fn is_dashed(who: Who) -> bool {
    matches!(who, Who::Step(_, kind) if kind != KINDS[0])
}

/// Where a logarithmic axis has a line.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    let within: &[f64] = match (range.end / range.start).log10() {
        ..1.0 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
        ..1.5 => &[1.0, 2.0, 3.0, 5.0],
        _ => &[1.0, 2.0, 5.0],
    };
    let (first, last) = (range.start.log10().floor() as i32, range.end.log10().ceil() as i32);
    let all = (first..=last).flat_map(|power| within.iter().map(move |factor| factor * 10.0_f64.powi(power)));
    all.filter(|tick| range.contains(tick)).collect()
}

/// A tick as text: `0.2`, `500`.
fn plain(tick: f64) -> String {
    // 1.5 has two digits.
    let decimals = (1.0 - tick.log10().floor()).max(0.0) as usize;
    let text = format!("{tick:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').into() }
}
