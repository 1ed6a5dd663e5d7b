//! What to measure, and where to write: from the arguments.

use core::time::Duration;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command, value_parser};

use crate::measure::Effort;
use crate::{bags, calls, dense, placement, regularized, upkeep};

/// The command that runs this.
pub(crate) const COMMAND: &str = "cargo bench -p adagrad-benches --bench throughput";

/// Parameters of a table that the second-level cache holds, with its accumulators and gradients.
pub(crate) const TABLE_IN_CACHE: usize = 1 << 15;

pub(crate) struct Plan {
    pub(crate) effort: Effort,
    /// Elements of plain vectors.
    pub(crate) placed: Vec<usize>,
    /// Elements of dense steps: powers of two.
    pub(crate) lengths: Vec<usize>,
    /// Elements of single calls.
    pub(crate) calls: &'static [usize],
    /// Elements of dense steps on two threads.
    pub(crate) threads: Vec<usize>,
    /// Columns of the table in the second-level cache.
    pub(crate) columns_in_cache: &'static [usize],
    /// Elements of dense steps of 16-bit types.
    pub(crate) mixed: Vec<usize>,
    /// How many cases of bags.
    pub(crate) bags: usize,
    /// Columns of the large table.
    pub(crate) columns: &'static [usize],
    /// Parameters of the large table.
    pub(crate) parameters: usize,
    pub(crate) charts: PathBuf,
    pub(crate) page: Option<PathBuf>,
}

impl Plan {
    /// How many groups of contenders are measured.
    pub(crate) fn groups(&self) -> usize {
        let placed = (placement::ORDERS.len() + 1) * self.placed.len();
        let calls = calls::Turn::ALL.len() * self.calls.len();
        let rows = 2 * (self.columns_in_cache.len() + self.columns.len());
        placed
            + self.lengths.len()
            + calls
            + dense::ZEROS.len()
            + self.threads.len()
            + rows
            + self.mixed.len()
            + 1
            + regularized::CASES.len()
            + upkeep::COLUMNS.len()
            + bags::Case::all().take(self.bags).count()
    }

    /// What stands before a chart's name in the page.
    pub(crate) fn charts_from_page(&self) -> String {
        let directory = self.page.as_ref().and_then(|page| page.parent());
        let relative = directory.and_then(|directory| self.charts.strip_prefix(directory).ok());
        let charts = relative.unwrap_or(&self.charts);
        if charts.as_os_str().is_empty() { String::new() } else { format!("{}/", charts.display()) }
    }

    /// Cargo adds `--bench`; without it this is a test, as it is for criterion.
    pub(crate) fn from_arguments() -> Self {
        let arguments = command().get_matches();
        let test = arguments.get_flag("test") || !arguments.get_flag("bench");
        let page = arguments.get_one("markdown").map(|path: &PathBuf| from_root(path));
        let charts = arguments.get_one("charts").map(|path: &PathBuf| from_root(path));
        let beside_page = || page.as_ref().map(|page| page.with_file_name("charts"));
        let charts = charts.or_else(beside_page).unwrap_or_else(|| {
            // A directory for temporary files in Cargo's target directory.
            let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
            if test { temporary.join("throughput") } else { temporary.with_file_name("throughput") }
        });
        if test {
            return Self {
                effort: Effort { shortest: Duration::ZERO, repetitions: 1, scale: 0.0 },
                placed: vec![1 << 12],
                lengths: vec![64, 1 << 10, 1 << 17],
                calls: &[1, 17],
                threads: vec![1 << 19],
                columns_in_cache: &[4, 16],
                mixed: vec![1 << 10, 1 << 17],
                bags: 1,
                columns: &[4, 20, 256],
                parameters: 1 << 16,
                charts,
                page,
            };
        }
        let effort = if arguments.get_flag("quick") {
            Effort { shortest: Duration::from_micros(20), repetitions: 2, scale: 0.1 }
        } else {
            Effort { shortest: Duration::from_micros(40), repetitions: 6, scale: 1.0 }
        };
        let parameters = arguments.get_one::<u16>("parameters").copied().map_or(128, usize::from);
        Self {
            effort,
            placed: [20, 22, 24, 25].map(|power| 1 << power).into(),
            lengths: (6..=25).map(|power| 1 << power).collect(),
            calls: &[1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 33, 64],
            threads: [18, 20, 22, 25].map(|power| 1 << power).into(),
            columns_in_cache: &[1, 2, 3, 4, 5, 8, 16, 20, 32, 64, 128],
            mixed: [10, 15, 22, 25].map(|power| 1 << power).into(),
            bags: usize::MAX,
            columns: &[4, 8, 16, 20, 32, 64, 128, 256],
            parameters: parameters << 20,
            charts,
            page,
        }
    }
}

fn command() -> Command {
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    let path = |name: &'static str, what: &'static str| {
        Arg::new(name).long(name).value_name(what).value_parser(value_parser!(PathBuf))
    };
    Command::new("throughput")
        .bin_name("cargo bench -p adagrad-benches --bench throughput --")
        .about("Measures steps beside naive loops and the limit of memory; prints tables in Markdown and draws charts")
        .after_help("Paths are seen from the root of the repository.")
        .arg(flag("test").help("Measure almost nothing: only to see that it works"))
        .arg(flag("quick").help("Measure a tenth as long: for a first look"))
        .arg(flag("bench").hide(true))
        .arg(path("markdown", "FILE").help("Also write the tables into this page, between the marks in it"))
        .arg(path("charts", "DIR").help(
            "Where to write the charts [default: charts/ beside the page, or throughput/ in Cargo's target directory]",
        ))
        .arg(
            Arg::new("parameters")
                .long("table")
                .value_name("MI")
                .value_parser(value_parser!(u16).range(1..))
                .default_value("128")
                .help("Size of the large table of random rows, in 2^20 parameters; each takes 16 bytes"),
        )
}

/// Cargo runs benchmarks in their package's directory, and not where the command was given.
fn from_root(path: &Path) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
