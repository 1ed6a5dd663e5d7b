//! The charts, as SVG. Both axes are logarithmic: the same distance is the same ratio everywhere.

use core::error::Error;
use core::ops::Range;
use std::fs;
use std::path::Path;

use adagrad::Backend;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::machine::Cache;
use crate::measure::{Times, Who};
use crate::text::{binary, bytes};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const SIZE: (u32, u32) = (960, 600);
const FONT: &str = "sans-serif";
const TEXT: RGBColor = RGBColor(40, 40, 40);
const QUIET: RGBColor = RGBColor(110, 110, 110);
const PALE: RGBColor = RGBColor(170, 170, 170);
const GRID: RGBColor = RGBColor(228, 228, 228);

/// A line: what it is, how it looks, and its times per element at places of the horizontal axis.
#[derive(Clone)]
pub(crate) struct Line {
    who: Who,
    name: String,
    points: Vec<(usize, f64)>,
}

impl Line {
    /// The limit is the faster of its loops.
    pub(crate) fn new(series: &[(usize, Times)], who: Who) -> Self {
        let time = |times: &Times| if who == Who::OneStream { times.limit() } else { times.of(who) };
        let points = series.iter().filter_map(|(x, times)| Some((*x, time(times)?)));
        let name = if who == Who::OneStream { "limit".into() } else { who.to_string() };
        Self { who, name, points: points.collect() }
    }

    pub(crate) fn is_measured(&self) -> bool {
        !self.points.is_empty()
    }
}

/// What stands at a panel.
struct Panel<'a> {
    title: &'a str,
    /// Below the axis.
    x: &'a str,
    /// Left of the axis: what a time in nanoseconds is as throughput.
    y: &'a str,
    throughput: fn(f64) -> f64,
    /// Right of the axis.
    time: &'a str,
    /// Above the upper edge, at places of the axis.
    marks: &'a [(f64, String)],
    /// The labelled places of the horizontal axis.
    ticks: Vec<f64>,
}

/// Throughput of dense steps over their length.
pub(crate) fn dense(path: &Path, lines: &[Line], machine: &str, caches: &[Cache]) -> Result<(), Box<dyn Error>> {
    let mark = |cache: &Cache| (cache.bytes as f64 / 12.0, format!("L{}: {}", cache.level, bytes(cache.bytes)));
    let marks: Vec<_> = caches.iter().map(mark).collect();
    let panel = Panel {
        title: "",
        x: "elements (12 bytes each: parameter, gradient, accumulator)",
        y: "GB/s (20 bytes read and written per element)",
        throughput: |time| 20.0 / time,
        time: "ns per element",
        marks: &marks,
        ticks: lines[0].points.iter().map(|(n, _)| *n as f64).step_by(2).collect(),
    };
    write(path, |root| {
        let below = heading(root, "A dense step, over its length", machine)?;
        let (chart, legend) = below.split_vertically(below.dim_in_pixel().1 - 66);
        draw(&chart, lines, &panel, &range(lines, panel.throughput))?;
        draw_legend(&legend, lines)
    })
}

/// Throughput of steps of random rows over their columns, for each layout.
pub(crate) fn rows(
    path: &Path,
    layouts: &[(&str, Vec<Line>)],
    size: usize,
    machine: &str,
) -> Result<(), Box<dyn Error>> {
    let title = format!("A step of random rows in a table of {} parameters", binary(size));
    pair(path, &title, machine, layouts, ["columns of a row", "million elements per second", "ns per element"])
}

/// Calls of few elements over their number, on the same memory and in turn.
pub(crate) fn calls(path: &Path, turns: &[(&str, Vec<Line>)], machine: &str) -> Result<(), Box<dyn Error>> {
    pair(
        path,
        "A call of few elements",
        machine,
        turns,
        ["elements of a call", "million calls per second", "ns per call"],
    )
}

/// Two charts with the same axes beside each other.
fn pair(
    path: &Path,
    title: &str,
    machine: &str,
    panels: &[(&str, Vec<Line>)],
    [x, y, time]: [&str; 3],
) -> Result<(), Box<dyn Error>> {
    let throughput = |time: f64| 1000.0 / time;
    write(path, |root| {
        let below = heading(root, title, machine)?;
        let (charts, legend) = below.split_vertically(below.dim_in_pixel().1 - 44);
        let all: Vec<Line> = panels.iter().flat_map(|(_, lines)| lines.clone()).collect();
        let range = range(&all, throughput);
        for (area, (title, lines)) in charts.split_evenly((1, panels.len())).iter().zip(panels) {
            let powers_of_two = lines[0].points.iter().map(|(x, _)| *x).filter(|x| x.is_power_of_two());
            let ticks = powers_of_two.map(|x| x as f64).collect();
            draw(area, lines, &Panel { title, x, y, throughput, time, marks: &[], ticks }, &range)?;
        }
        draw_legend(&legend, &panels[0].1)
    })
}

/// Draws a chart and writes its file, with a white background, which suits pages of any colour.
fn write(path: &Path, draw: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    // What is so anyway makes a third of the file.
    fs::write(path, text.replace(" opacity=\"1\"", "").replace(" stroke-width=\"1\"", ""))?;
    Ok(())
}

/// Draws the title and what was measured, and returns the area below.
fn heading<'a>(root: &Area<'a>, title: &str, machine: &str) -> Result<Area<'a>, Box<dyn Error>> {
    let (heading, below) = root.split_vertically(66);
    heading.draw(&Text::new(title, (24, 16), (FONT, 23, &TEXT).into_text_style(root)))?;
    heading.draw(&Text::new(machine, (24, 44), (FONT, 14, &QUIET).into_text_style(root)))?;
    Ok(below)
}

/// The least and the greatest throughput, with some room.
fn range(lines: &[Line], throughput: fn(f64) -> f64) -> Range<f64> {
    let values = lines.iter().flat_map(|line| &line.points).map(|(_, time)| throughput(*time));
    let range = values.fold(f64::MAX..0.0, |range, value| value.min(range.start)..value.max(range.end));
    range.start / 1.15..range.end * 1.15
}

/// Draws the lines of a panel. Its right axis has the time of an element.
fn draw(area: &Area<'_>, lines: &[Line], panel: &Panel<'_>, range: &Range<f64>) -> Result<(), Box<dyn Error>> {
    let places = &lines[0].points;
    let ends = places[0].0 as f64..places[places.len() - 1].0 as f64;
    let time = panel.throughput; // its own inverse
    let mut builder = ChartBuilder::on(area);
    if !panel.title.is_empty() {
        builder.caption(panel.title, (FONT, 18, &TEXT));
    }
    let mut chart = builder
        .margin_left(12)
        .margin_right(12)
        .margin_top(if panel.title.is_empty() { 20 } else { 4 })
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
    chart.plotting_area().draw(&(EmptyElement::at(middle) + Text::new(panel.time.to_owned(), (58, 0), style)))?;

    for (x, text) in panel.marks.iter().filter(|(x, _)| ends.contains(x)) {
        let style = small.pos(Pos::new(HPos::Center, VPos::Bottom)).color(&QUIET);
        chart.draw_series(LineSeries::new([(*x, range.start), (*x, range.end)], PALE))?;
        chart.plotting_area().draw(&(EmptyElement::at((*x, range.end)) + Text::new(text.clone(), (0, -4), style)))?;
    }
    // The limit's wide line lies under the others.
    let mut lines: Vec<&Line> = lines.iter().collect();
    lines.sort_by_key(|line| line.who != Who::OneStream);
    for line in lines {
        let points = line.points.iter().map(|(x, time)| (*x as f64, (panel.throughput)(*time)));
        let style = colour(line.who).stroke_width(stroke(line.who));
        chart.draw_series(LineSeries::new(points.clone(), style))?;
        if is_marked(line.who) {
            chart.draw_series(points.map(|point| Circle::new(point, 3, colour(line.who).filled())))?;
        }
    }
    Ok(())
}

/// Draws what the lines are: all exact ones in a row, below them the others.
fn draw_legend(area: &Area<'_>, lines: &[Line]) -> Result<(), Box<dyn Error>> {
    let mut next = [(84, 12), (84, 36)];
    for line in lines {
        let (x, y) = &mut next[usize::from(is_marked(line.who))];
        let style = colour(line.who).stroke_width(stroke(line.who));
        area.draw(&PathElement::new([(*x, *y), (*x + 31, *y)], style))?;
        if is_marked(line.who) {
            area.draw(&Circle::new((*x + 16, *y), 3, colour(line.who).filled()))?;
        }
        let label = (FONT, 15, &TEXT).into_text_style(area).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(line.name.clone(), (*x + 38, *y), label))?;
        *x += 140;
    }
    Ok(())
}

/// Told apart also by those who do not see red and green as different (Okabe and Ito).
fn colour(who: Who) -> RGBColor {
    match who {
        Who::Naive => RGBColor(60, 60, 60),
        Who::OneStream => RGBColor(175, 175, 175),
        Who::Step(Backend::Scalar, _) => RGBColor(204, 121, 167),
        Who::Step(Backend::Portable, _) => RGBColor(0, 158, 115),
        Who::Step(Backend::Avx2 | Backend::Neon, _) | Who::Option("L2") => RGBColor(0, 114, 178),
        _ => RGBColor(213, 94, 0),
    }
}

fn stroke(who: Who) -> u32 {
    if who == Who::OneStream { 5 } else { 2 }
}

/// A line of `Arithmetic::Fast`.
fn is_marked(who: Who) -> bool {
    who == Who::Option("fast") || matches!(who, Who::Step(_, kind) if kind.fast)
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
