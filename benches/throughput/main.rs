//! How fast steps are, as tables in Markdown, as charts, and as a list of goals that are met or not.
//!
//! `cargo bench -p adagrad-benches --bench throughput -- --help` says what can be chosen. `measure.rs` says how it is
//! measured; `../src/loops.rs` has the naive loops and `../src/limit.rs` the limit.

mod bags;
mod calls;
mod charts;
mod dense;
mod goals;
mod machine;
mod measure;
mod mixed;
mod placement;
mod plan;
mod regularized;
mod rows;
mod text;
mod threads;
mod upkeep;

use core::error::Error;
use std::fs;

use adagrad::Backend;
use adagrad_benches::memory;

use calls::Turn;
use charts::Line;
use goals::Measured;
use measure::{Kind, Meter, Who};
use plan::Plan;
use rows::Layout;
use text::binary;

/// What was printed, for the page.
struct Report<'a> {
    meter: &'a Meter,
    text: String,
    /// Where the charts are, seen from the page.
    charts: String,
}

impl Report<'_> {
    fn add(&mut self, text: &str) {
        self.meter.print(text);
        self.text += text;
        self.text.push('\n');
    }

    fn table(&mut self, caption: &str, table: &text::Table) {
        self.add(&format!("{caption}\n\n{}", table.markdown()));
    }

    fn chart(&mut self, what: &str, file: &str) {
        self.add(&format!("![{what}]({}{file})\n", self.charts));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let plan = Plan::from_arguments();
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global()?;
    fs::create_dir_all(&plan.charts)?;
    let meter = Meter::new(plan.effort, plan.groups());
    let mut report = Report { meter: &meter, text: String::new(), charts: plan.charts_from_page() };
    report.add(&introduction());
    let measured = Measured {
        // First, while no large memory was freed.
        placed: placement::measure(&meter, &plan.placed),
        ..slices(&meter, &plan)
    };
    let measured = Measured { rows: rows_in_cache(&meter, &plan), ..measured };
    let regularized = regularized::CASES.map(|case| (case, regularized::measure(&meter, case)));
    let upkeep = upkeep::COLUMNS.map(|dim| (dim, upkeep::measure(&meter, dim)));
    let bags = bags::Case::all()
        .take(plan.bags)
        .map(|case| {
            let times = bags::measure(&meter, &case);
            (case, times)
        })
        .collect();
    let measured = Measured { bags, ..measured };
    let random_rows = random_rows(&meter, &plan);
    let measured = Measured {
        mixed: mixed_slices(&meter, &plan),
        mixed_rows: mixed::measure_rows(&meter, plan.parameters),
        ..measured
    };

    let caption = "### Goals\n\nWhat an AMD Zen 4 should reach, were it idle. `× naive` is speed: 2 × naive takes half of the naive \
                   loop's time. *Found* is the worst\ncase of this run, and *where* says which.";
    report.table(caption, &goals::table(&measured));
    tell_dense(&mut report, &plan, &measured)?;
    tell_calls(&mut report, &plan, &measured)?;
    tell_rows(&mut report, &plan, &measured, random_rows.as_ref())?;
    let caption = format!(
        "### Bags\n\n{} random rows of a table of {} parameters, in bags that have one gradient each; ns per element of the rows:",
        bags::ROWS,
        binary(bags::TABLE)
    );
    report.table(&caption, &bags::table(&measured.bags));
    let caption = format!(
        "### FTRL and proximal steps\n\nWith L1 only, {} parameters in the second cache, dense or as random rows of so many \
         columns; ns per element:",
        binary(plan::TABLE_IN_CACHE)
    );
    report.table(&caption, &regularized::table(&regularized));
    let caption = format!(
        "### Between steps\n\n`limit_norms`, where each row's norm is above the limit, and `decay_rows`, on random rows of a \
         table of {} parameters;\nns per element:",
        binary(plan::TABLE_IN_CACHE)
    );
    report.table(&caption, &upkeep::table(&upkeep));
    let caption = "### Placement\n\nSlices that lie apart, and plain `vec![0.0; n]` in each order of allocation; ns per \
                   element:";
    report.table(caption, &placement::table(&measured.placed));
    let caption = format!(
        "### Zeros\n\nWith G = g = 0 for a share of the elements, {} elements; ns per element:",
        binary(goals::IN_CACHE[1])
    );
    report.table(&caption, &dense::table_of_zeros(&measured.zeros));
    let caption = "### Two threads\n\n`par_step` beside `step`, and the limit on as many threads; ns per element:";
    report.table(caption, &threads::table(&measured.threads));
    tell_mixed(&mut report, &plan, &measured);
    let text = report.text;
    if let Some(page) = &plan.page {
        text::write_between_marks(page, &text)?;
    }
    drop(meter);
    eprintln!("charts: {}", plan.charts.canonicalize()?.display());
    Ok(())
}

/// Measures what is done on slices.
fn slices(meter: &Meter, plan: &Plan) -> Measured {
    let elements = plan.lengths.iter().chain(&plan.threads).max().copied().unwrap_or(1);
    meter.tell("filling memory");
    let mut memory = memory::apart(elements);
    let dense = plan.lengths.iter().map(|n| (*n, dense::measure(meter, &mut memory, *n))).collect();
    let calls = |turn| plan.calls.iter().map(|n| (*n, calls::measure(meter, *n, turn))).collect();
    let calls = Turn::ALL.map(|turn| (turn, calls(turn))).into();
    let zeros = dense::ZEROS.map(|share| (share, dense::measure_zeros(meter, goals::IN_CACHE[1], share))).into();
    let threads = plan.threads.iter().map(|n| (*n, threads::measure(meter, &mut memory, *n))).collect();
    Measured { dense, calls, zeros, threads, ..Measured::default() }
}

/// Measures dense steps of 16-bit types.
fn mixed_slices(meter: &Meter, plan: &Plan) -> Vec<(usize, measure::Times)> {
    meter.tell("filling memory");
    let mut memory = mixed::Memory::new(plan.mixed.iter().max().copied().unwrap_or(1));
    plan.mixed.iter().map(|n| (*n, mixed::measure(meter, &mut memory, *n))).collect()
}

/// Measures random rows of a table that the second-level cache holds.
fn rows_in_cache(meter: &Meter, plan: &Plan) -> rows::Measured {
    let mut memory = rows::Memory::new(plan::TABLE_IN_CACHE);
    let mut of_layout = |layout| {
        let measure = |dim: &usize| (*dim, rows::measure(meter, 1.2, &mut memory, *dim, layout));
        (layout, plan.columns_in_cache.iter().map(measure).collect())
    };
    Layout::ALL.map(&mut of_layout).into()
}

/// Measures random rows of the large table; nothing where the memory is missing.
fn random_rows(meter: &Meter, plan: &Plan) -> Option<rows::Measured> {
    if !machine::has_memory(rows::Memory::bytes(plan.parameters)) {
        return None;
    }
    meter.tell("filling memory");
    let mut memory = rows::Memory::new(plan.parameters);
    let mut of_layout = |layout| {
        let measure = |dim: &usize| (*dim, rows::measure(meter, 1.5, &mut memory, *dim, layout));
        (layout, plan.columns.iter().map(measure).collect())
    };
    Some(Layout::ALL.map(&mut of_layout).into())
}

fn tell_dense(report: &mut Report<'_>, plan: &Plan, measured: &Measured) -> Result<(), Box<dyn Error>> {
    report.add("### Dense steps\n");
    report.chart("Throughput of a dense step over its length", "dense.svg");
    report.table(
        "ε outside the root, ns per element; GB/s are 20 divided by that:",
        &dense::table(&measured.dense, false),
    );
    report.table("ε inside the root:", &dense::table(&measured.dense, true));
    let steps = measured.dense[0].1.all().map(|(who, _)| who).filter(|who| dense::has_epsilon(*who, false));
    let lines = [Who::Naive].into_iter().chain(steps).chain([Who::OneStream]);
    let lines: Vec<Line> = lines.map(|who| Line::new(&measured.dense, who)).collect();
    charts::dense(&plan.charts.join("dense.svg"), &lines, &machine_of_chart(), &machine::caches())
}

fn tell_calls(report: &mut Report<'_>, plan: &Plan, measured: &Measured) -> Result<(), Box<dyn Error>> {
    report.add(
        "### Calls of few elements\n\nEach naive loop stands before the steps that are compared with it. `rate set`: with \
         `with_learning_rate` before\neach call. `pytorch` rounds `G + g·g` once; its naive loop, which would call a \
         function for that, is the plain one.\nWith L2 decay on the same memory a call begins with the parameters that the \
         one before stored: that chain of a\nroot and a division is what is timed there.\n",
    );
    report.chart("Calls per second over their elements", "calls.svg");
    for (turn, series) in &measured.calls {
        report.table(&format!("Calls {}, ns per call:", turn.name()), &calls::table(series));
    }
    let lines = [Who::Naive, Who::Option("default"), Who::Option("L2"), Who::Option("fast")];
    let panels =
        measured.calls.iter().map(|(turn, series)| (turn.name(), lines.map(|who| Line::new(series, who)).into()));
    charts::calls(&plan.charts.join("calls.svg"), &panels.collect::<Vec<_>>(), &machine_of_chart())
}

fn tell_rows(
    report: &mut Report<'_>,
    plan: &Plan,
    measured: &Measured,
    random_rows: Option<&rows::Measured>,
) -> Result<(), Box<dyn Error>> {
    let caption = format!(
        "### Rows\n\nRandom rows of a table of {} parameters, which the second cache holds; ns per element:",
        binary(plan::TABLE_IN_CACHE)
    );
    report.table(&caption, &rows::table(&measured.rows));
    let caption = "The same with other options: a gradient scale, skipping what is not finite, GloVe's order, L2 decay. Each naive \
         loop stands before the steps that are compared with it:";
    report.table(caption, &rows::table_of_options(&measured.rows));
    let size = binary(plan.parameters);
    let Some(layouts) = random_rows else {
        let mebibytes = rows::Memory::bytes(plan.parameters) >> 20;
        report.add(&format!("SKIPPED: random rows of {size} parameters take {mebibytes} MiB, which are not free.\n"));
        return Ok(());
    };
    report.chart("Throughput of a step of random rows over their columns", "rows.svg");
    let caption = format!("Random rows of a table of {size} parameters, which lies in memory; ns per element:");
    report.table(&caption, &rows::table(layouts));
    let panels = layouts.iter().map(|(layout, series)| {
        let who = [Who::Naive, Who::detected(Kind::EXACT), Who::detected(Kind::FAST), Who::OneStream];
        let lines = who.map(|who| Line::new(series, who)).into_iter();
        (layout.name(), lines.filter(Line::is_measured).collect())
    });
    let panels: Vec<(&str, Vec<Line>)> = panels.collect();
    charts::rows(&plan.charts.join("rows.svg"), &panels, plan.parameters, &machine_of_chart())
}

fn tell_mixed(report: &mut Report<'_>, plan: &Plan, measured: &Measured) {
    let caption = format!(
        "### 16-bit types\n\nDense steps of `bf16` beside those of `f32`, ε outside, rounded to the nearest and by chance; \
         transparent huge\npages: {}; ns per element:",
        machine::huge_pages()
    );
    report.table(&caption, &mixed::table(&measured.mixed));
    let size = binary(plan.parameters);
    match &measured.mixed_rows {
        Some(times) => {
            let caption = format!(
                "Random rows of a table of {size} parameters, with one `f32` accumulator a row, gradients `f32`; ns per \
                 element:"
            );
            report.table(&caption, &mixed::table_of_rows(times));
        }
        None => report.add(&format!("SKIPPED: random rows of {size} parameters: the memory is not free.\n")),
    }
}

fn machine_of_chart() -> String {
    format!("adagrad on {}", machine::description())
}

/// Says what is measured, and where.
fn introduction() -> String {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let separator = if arguments.is_empty() { "" } else { " -- " };
    let names: Vec<String> = Backend::available().map(|backend| backend.to_string()).collect();
    format!(
        "One run of `{}{separator}{}` on {}. Backends here: {}.\n",
        plan::COMMAND,
        arguments.join(" "),
        machine::description(),
        names.join(", ")
    )
}
