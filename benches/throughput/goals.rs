//! The figures that say whether steps are as fast as they should be, as ratios to the naive loop and to the limit.

use adagrad::Backend;

use crate::dense::{self, Place, Vectors};
use crate::measure::{KINDS, Meter, Times, Who};
use crate::rows::{self, Layout};
use crate::text::{Table, binary, digits};
use crate::threads;

/// Of tables.
pub(crate) const COLUMNS: &[usize] = &[16, 64, 128];

/// What to measure.
pub(crate) struct Sizes {
    /// Elements of dense steps.
    pub(crate) dense: Vec<usize>,
    /// Elements of single calls.
    pub(crate) calls: Vec<usize>,
    /// Elements of dense steps on two threads.
    pub(crate) threads: Vec<usize>,
    /// Parameters of a table that the second-level cache holds, with its accumulators and gradients.
    pub(crate) table: usize,
    pub(crate) columns: &'static [usize],
}

impl Sizes {
    /// How many groups of contenders are measured for these goals.
    pub(crate) fn groups(&self) -> usize {
        2 * self.dense.len() + self.calls.len() + self.threads.len() + 2 * self.columns.len()
    }
}

pub(crate) struct Goals {
    ratios: Table,
    calls: Table,
    threads: Table,
}

impl Goals {
    /// Measures dense steps and calls.
    pub(crate) fn dense(meter: &Meter, memory: &mut Vectors, sizes: &Sizes) -> Self {
        let ratios = Table::new(["", "step", "naive", "limit", "naive ÷ step", "limit ÷ step"]);
        let calls = ["elements", "naive"]
            .into_iter()
            .chain(KINDS.iter().filter(|kind| kind.is_on(Backend::detected())).map(|kind| kind.name));
        let threads = threads::measure(meter, memory, &sizes.threads);
        let mut goals = Self { ratios, calls: Table::new(calls), threads };
        let measure = |(n, place)| (n, place, dense::measure(meter, memory, n, place, &[Backend::detected()]));
        let pairs = sizes.dense.iter().flat_map(|n| [Place::Outside, Place::Inside].map(|place| (*n, place)));
        let measured: Vec<(usize, Place, Times)> = pairs.map(measure).collect();
        for kind in KINDS {
            for (n, place, times) in &measured {
                let what = format!("dense {}, {}, {}", kind.name, place.name(), binary(*n));
                goals.add(&what, times, Who::Step(Backend::detected(), *kind));
            }
        }
        for n in &sizes.calls {
            let times = dense::measure_call(meter, memory, *n);
            goals.calls.push([n.to_string()].into_iter().chain(times.all().map(|(_, time)| digits(time))));
        }
        goals
    }

    /// Adds random rows of a table with so many parameters.
    pub(crate) fn add_rows(&mut self, layouts: &rows::Measured, parameters: usize) {
        for kind in KINDS {
            for (layout, series) in layouts {
                for (dim, times) in series.iter().filter(|(dim, _)| COLUMNS.contains(dim)) {
                    let table = binary(parameters);
                    let what = format!("{} {}, {dim} columns, table of {table}", layout.name(), kind.name);
                    self.add(&what, times, Who::Step(Backend::detected(), *kind));
                }
            }
        }
    }

    fn add(&mut self, what: &str, times: &Times, step: Who) {
        if let [Some(step), Some(naive), Some(limit)] = [step, Who::Naive, Who::Limit].map(|who| times.of(who)) {
            let ratio = |time| format!("{:.2}", time / step);
            let [naive_ratio, limit_ratio] = [ratio(naive), ratio(limit)];
            self.ratios.push([what.into(), digits(step), digits(naive), digits(limit), naive_ratio, limit_ratio]);
        }
    }

    pub(crate) fn print(&self) {
        let backend = Backend::detected();
        self.ratios.print(&format!("**Goals** on {backend}, ns per element, and how many times as fast the step is:"));
        self.calls.print(&format!("**Calls** of `Adagrad::step` on {backend}, ns per call:"));
        self.threads.print(&format!("**Two threads** on {backend}, ns per element:"));
    }
}

/// Random rows of a table that the second-level cache holds.
pub(crate) fn rows_in_cache(meter: &Meter, sizes: &Sizes) -> rows::Measured {
    let mut memory = rows::Memory::new(sizes.table);
    let mut of_layout = |layout| {
        let measure = |dim: &usize| (*dim, rows::measure(meter, &mut memory, *dim, layout));
        (layout, sizes.columns.iter().map(measure).collect())
    };
    Layout::ALL.map(&mut of_layout).into()
}
