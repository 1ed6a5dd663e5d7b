//! How fast steps are, as tables in Markdown on standard output and as two charts.
//!
//! `cargo bench --bench throughput -- --help` says what can be chosen. `measure.rs` says how it is measured, and
//! `../common/mod.rs` what the naive loop and the limit are.

mod charts;
#[path = "../common/mod.rs"]
mod common;
mod dense;
mod goals;
mod machine;
mod measure;
mod rows;
mod text;
mod threads;

use core::error::Error;
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use adagrad::Backend;
use clap::{Arg, ArgAction, Command, value_parser};

use dense::Place;
use measure::{Effort, Meter, Times, Who};
use rows::Layout;
use text::{Table, binary, digits};

/// What to measure.
struct Plan {
    effort: Effort,
    /// Powers of two.
    lengths: Vec<usize>,
    goals: goals::Sizes,
    columns: &'static [usize],
    parameters: usize,
    charts: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let plan = plan();
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global()?;
    let machine = machine::description();
    let backends: Vec<Backend> = Backend::available().collect();
    introduce(&machine, &backends);
    fs::create_dir_all(&plan.charts)?;
    let groups = plan.lengths.len() + plan.goals.groups() + 2 * plan.columns.len();
    let meter = Meter::new(plan.effort, groups);

    let elements = plan.lengths.iter().chain(&plan.goals.dense).chain(&plan.goals.threads).max().copied().unwrap_or(1);
    meter.tell("filling memory");
    let mut memory = dense::memory(elements);
    let measure = |n: &usize| (*n, dense::measure(&meter, &mut memory, *n, Place::Outside, &backends));
    let series: Vec<(usize, Times)> = plan.lengths.iter().map(measure).collect();
    meter.print(|| table("elements", &series).print("**Dense**, ns per element; GB/s are 20 divided by that:"));
    let dense_chart = plan.charts.join("dense.svg");
    let machine_of_chart = format!("adagrad {} on {machine}", env!("CARGO_PKG_VERSION"));
    charts::dense(&dense_chart, &series, &machine_of_chart, &machine::caches())?;
    let mut goals = goals::Goals::dense(&meter, &mut memory, &plan.goals);
    drop(memory);

    let small = goals::rows_in_cache(&meter, &plan.goals);
    let large = random_rows(&meter, &plan)?;
    goals.add_rows(&small, plan.goals.table);
    goals.add_rows(&large, plan.parameters);
    meter.print(|| goals.print());
    drop(meter);
    eprintln!("charts: {}", plan.charts.display());
    Ok(())
}

/// The arguments. Cargo adds `--bench`; without it this is a test, as it is for criterion.
fn plan() -> Plan {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let arguments = Command::new("throughput")
        .bin_name("cargo bench --bench throughput --")
        .about("Measures steps beside a naive loop and the limit of memory; prints Markdown and draws two charts")
        .arg(flag("test").help("Measure almost nothing: only to see that it works"))
        .arg(flag("bench").hide(true))
        .arg(
            Arg::new("charts")
                .long("charts")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Where to write dense.svg and rows.svg [default: throughput/ in Cargo's target directory]"),
        )
        .arg(
            Arg::new("parameters")
                .long("table")
                .value_name("MI")
                .value_parser(value_parser!(u16).range(1..))
                .default_value("128")
                .help("Size of the table of random rows, in 2^20 parameters; each takes 8 bytes"),
        )
        .get_matches();
    let test = arguments.get_flag("test") || !arguments.get_flag("bench");
    let charts = arguments.get_one::<PathBuf>("charts").cloned();
    // A directory for temporary files in Cargo's target directory.
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    if test {
        return Plan {
            effort: Effort { shortest: Duration::ZERO, group: Duration::ZERO, repetitions: 1 },
            lengths: vec![64, 128, 1 << 16],
            goals: goals::Sizes {
                dense: vec![1 << 10],
                calls: vec![1, 17],
                threads: vec![1 << 16],
                table: 1 << 15,
                columns: &[16],
            },
            columns: &[4, 20, 256],
            parameters: 1 << 16,
            charts: charts.unwrap_or_else(|| temporary.join("throughput")),
        };
    }
    let parameters = arguments.get_one::<u16>("parameters").copied().map_or(128, usize::from);
    Plan {
        effort: Effort { shortest: Duration::from_micros(100), group: Duration::from_millis(1500), repetitions: 7 },
        lengths: (6..=25).map(|power| 1 << power).collect(),
        goals: goals::Sizes {
            dense: [10, 15, 20, 25].map(|power| 1 << power).into(),
            calls: vec![1, 4, 8, 15, 16, 17, 20, 32, 64],
            threads: vec![1 << 18, 1 << 20, 1 << 25],
            table: 1 << 15,
            columns: goals::COLUMNS,
        },
        columns: &[4, 8, 16, 20, 32, 64, 128, 256],
        parameters: parameters << 20,
        charts: charts.unwrap_or_else(|| temporary.with_file_name("throughput")),
    }
}

/// Says what is measured, and where.
fn introduce(machine: &str, backends: &[Backend]) {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let separator = if arguments.is_empty() { "" } else { " -- " };
    let arguments = arguments.join(" ");
    let names: Vec<String> = backends.iter().map(Backend::to_string).collect();
    println!("`cargo bench --bench throughput{separator}{arguments}`");
    println!();
    println!("- adagrad {}; backends here: {}", env!("CARGO_PKG_VERSION"), names.join(", "));
    println!("- {machine}");
    println!(
        "- naive loop: the step written plainly; limit: a loop over the same memory that computes next to nothing, the"
    );
    println!("  faster of two: with 16-byte and with 32-byte vectors, or for rows without and with prefetching");
    println!(
        "- all contenders in turn on the same memory, and of each the shortest time; the gradients are small random"
    );
    println!("  numbers, η = 1e-4, ε = 1e-8");
    println!();
}

/// Measures random rows of the large table, prints them and draws the chart; nothing where the memory is missing.
fn random_rows(meter: &Meter, plan: &Plan) -> Result<rows::Measured, Box<dyn Error>> {
    let bytes = rows::Memory::bytes(plan.parameters);
    if !machine::has_memory(bytes) {
        let mebibytes = bytes >> 20;
        meter.print(|| println!("SKIPPED: random rows take {mebibytes} MiB, which are not free; `--table` sets it\n"));
        return Ok(Vec::new());
    }
    meter.tell("filling memory");
    let mut memory = rows::Memory::new(plan.parameters);
    let mut layouts = Vec::new();
    for layout in Layout::ALL {
        let measure = |dim: &usize| (*dim, rows::measure(meter, &mut memory, *dim, layout));
        layouts.push((layout, plan.columns.iter().map(measure).collect::<Vec<_>>()));
    }
    for (layout, series) in &layouts {
        let (name, size) = (layout.name(), binary(plan.parameters));
        let caption = format!("**Random rows**, {name}, of a table of {size} parameters, ns per element:");
        meter.print(|| table("columns", series).print(&caption));
    }
    let panels: Vec<_> = layouts.iter().map(|(layout, series)| (layout.name(), series.clone())).collect();
    let machine = format!("adagrad {} on {}", env!("CARGO_PKG_VERSION"), machine::description());
    charts::rows(&plan.charts.join("rows.svg"), &panels, plan.parameters, &machine)?;
    Ok(layouts)
}

/// Times per element, a line for each size.
fn table(size: &str, series: &[(usize, Times)]) -> Table {
    let contenders: Vec<Who> = series[0].1.all().map(|(who, _)| who).collect();
    let mut table = Table::new([size.to_owned()].into_iter().chain(contenders.iter().map(Who::to_string)));
    for (n, times) in series {
        table.push([binary(*n)].into_iter().chain(times.all().map(|(_, time)| digits(time))));
    }
    table
}
