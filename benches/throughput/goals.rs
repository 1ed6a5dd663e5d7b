//! How fast steps should be, and whether they are.
//!
//! The figures are ratios to the naive loop and to the limit, as an AMD Zen 4 reached them. On another CPU a goal that is
//! not met says where that CPU differs, rather than that something is wrong.

use adagrad::Backend;

use crate::bags;
use crate::calls::{self, Turn};
use crate::dense::name_of_share;
use crate::measure::{Kind, Times, Who};
use crate::mixed::{self, Types};
use crate::placement::Placed;
use crate::rows;
use crate::text::{Table, binary, digits};

/// All that was measured.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) placed: Vec<Placed>,
    pub(crate) dense: Vec<(usize, Times)>,
    pub(crate) calls: Vec<(Turn, Vec<(usize, Times)>)>,
    pub(crate) rows: rows::Measured,
    pub(crate) bags: Vec<(bags::Case, Times)>,
    pub(crate) zeros: Vec<(Option<u64>, Times)>,
    pub(crate) threads: Vec<(usize, Times)>,
    pub(crate) mixed: Vec<(usize, Times)>,
    pub(crate) mixed_rows: Option<Times>,
}

/// Elements whose slices the first cache holds, and the second one.
pub(crate) const IN_CACHE: [usize; 2] = [1 << 10, 1 << 15];
/// Elements whose slices are in memory, or for the first of them in the last cache.
pub(crate) const IN_MEMORY: [usize; 2] = [1 << 22, 1 << 25];

/// From how many elements on `par_step` divides them.
const DIVIDED_FROM: usize = 1 << 19;

/// A ratio or a time, and what it is of.
type Found = (f64, String);

pub(crate) fn table(measured: &Measured) -> Table {
    let mut goals = Goals(Table::new(["", "goal", "found", "where", ""]));
    for backend in [Backend::Avx2, Backend::Avx512] {
        if backend.is_available() {
            goals.dense(&measured.dense, backend);
        }
    }
    goals.calls(&measured.calls);
    goals.rows(&measured.rows);
    goals.bags(&measured.bags);
    goals.memory(&measured.dense);
    goals.placement(&measured.placed);
    goals.zeros(&measured.zeros);
    goals.threads(&measured.threads);
    goals.mixed(&measured.mixed);
    goals.mixed_rows(measured.mixed_rows.as_ref());
    goals.0
}

struct Goals(Table);

impl Goals {
    /// Every value must be as large as the goal: shows the least.
    fn at_least(&mut self, what: &str, unit: &str, goal: f64, found: impl IntoIterator<Item = Found>) {
        let least = found.into_iter().min_by(|(a, _), (b, _)| a.total_cmp(b));
        self.add(what, format!("≥ {goal:.2}{unit}"), unit, least, |found| found >= goal);
    }

    /// No value may be larger than the goal: shows the greatest.
    fn at_most(&mut self, what: &str, unit: &str, goal: f64, found: impl IntoIterator<Item = Found>) {
        let greatest = found.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b));
        self.add(what, format!("≤ {goal:.2}{unit}"), unit, greatest, |found| found <= goal);
    }

    fn add(&mut self, what: &str, goal: String, unit: &str, found: Option<Found>, met: impl Fn(f64) -> bool) {
        // Rounded as it is shown, so that the verdict and the figure agree.
        let Some((value, place)) = found.map(|(value, place)| ((value * 100.0).round() / 100.0, place)) else {
            return;
        };
        let verdict = if met(value) { "met" } else { "**not met**" };
        self.0.push([what.into(), goal, format!("{value:.2}{unit}"), place, verdict.into()]);
    }

    /// Exact and fast steps in a cache, both places of ε.
    fn dense(&mut self, series: &[(usize, Times)], backend: Backend) {
        let wide = backend == Backend::Avx512;
        let in_cache: Vec<_> = series.iter().filter(|(n, _)| IN_CACHE.contains(n)).collect();
        let times_as_naive = |fast: bool| {
            in_cache.iter().flat_map(move |(n, times)| {
                [(false, Who::Naive), (true, Who::NaiveInside)].into_iter().filter_map(move |(inside, naive)| {
                    let ratio = times.ratio(Who::Step(backend, Kind { fast, inside }), naive)?;
                    Some((ratio, format!("{}, ε {}", binary(*n), if inside { "inside" } else { "outside" })))
                })
            })
        };
        let goal = if wide { 2.9 } else { 2.3 };
        self.at_least(&format!("exact on {backend} in L1 and L2"), " × naive", goal, times_as_naive(false));
        let goal = if wide { 3.6 } else { 3.3 };
        self.at_least(&format!("fast on {backend} in L1 and L2"), " × naive", goal, times_as_naive(true));
        let [outside, inside] = [false, true].map(|inside| Who::Step(backend, Kind { fast: true, inside }));
        let found = in_cache.iter().filter_map(|(n, times)| Some((times.ratio(inside, outside)?, binary(*n))));
        self.at_most(&format!("fast on {backend}, ε outside"), " × the time of inside", 1.15, found);
        let found = series.iter().flat_map(|(n, times)| {
            [false, true].into_iter().filter_map(move |inside| {
                let [exact, fast] = [false, true].map(|fast| Who::Step(backend, Kind { fast, inside }));
                let place = format!("{}, ε {}", binary(*n), if inside { "inside" } else { "outside" });
                Some((times.ratio(exact, fast)?, place))
            })
        });
        // Three percent are noise where memory is the limit of both.
        self.at_most(&format!("fast on {backend}, any length"), " × the time of exact", 1.03, found);
    }

    fn calls(&mut self, all: &[(Turn, Vec<(usize, Times)>)]) {
        for (turn, series) in all {
            let each = || {
                series.iter().flat_map(|(n, times)| {
                    let pair = move |(step, naive)| Some((*n, step, times.of(step)?, times.of(naive)?));
                    calls::pairs().filter_map(pair)
                })
            };
            let beyond = each().map(|(n, step, time, naive)| (time - naive, format!("{n} elements, {step}")));
            self.at_most(&format!("calls {}", turn.name()), " ns beyond naive", 1.0, beyond);
            let ratio =
                |(n, step, time, naive): (usize, Who, f64, f64)| (naive / time, format!("{n} elements, {step}"));
            let found = each().filter(|(n, ..)| *n >= 5).map(ratio);
            self.at_least(&format!("calls {}, from 5 on", turn.name()), " × naive", 1.0, found);
            let bound = |who| *turn == Turn::Same && calls::is_bound_by_latency(who);
            let found = each().filter(|(n, step, ..)| *n >= 16 && !bound(*step)).map(ratio);
            self.at_least(&format!("calls {}, from 16 on", turn.name()), " × naive", 1.4, found);
        }
    }

    fn rows(&mut self, layouts: &rows::Measured) {
        for (layout, series) in layouts {
            for (from, goal) in [(1, 1.0), (4, 1.6)] {
                let wide = series.iter().filter(|(dim, _)| *dim >= from);
                let found = wide.filter_map(|(dim, times)| {
                    Some((times.ratio(Who::detected(Kind::EXACT), Who::Naive)?, format!("{dim} columns")))
                });
                let what = format!("{} rows in cache, {from} columns or more", layout.name());
                self.at_least(&what, " × naive", goal, found);
            }
            let found = series.iter().flat_map(|(dim, times)| {
                rows::pairs_with_options(*layout).into_iter().filter_map(move |(step, naive)| {
                    Some((times.ratio(step, naive)?, format!("{dim} columns, {step}")))
                })
            });
            self.at_least(&format!("the same with other options, {}", layout.name()), " × naive", 1.0, found);
        }
    }

    fn bags(&mut self, series: &[(bags::Case, Times)]) {
        for (size, than, goal) in [(1, bags::ALONE, 0.97), (20, bags::COPIES, 1.3)] {
            let of_size = series.iter().filter(|(case, _)| case.size == size && case.dim >= 64);
            let found = of_size.filter_map(|(case, times)| {
                let place = format!("{} columns, {}", case.dim, case.layout.name());
                Some((times.ratio(bags::BAGS, than)?, place))
            });
            self.at_least(&format!("bags of {size}"), &format!(" × {than}"), goal, found);
        }
    }

    /// Beside the fastest loop that goes through each slice in one stream: several streams can be faster than it.
    fn memory(&mut self, series: &[(usize, Times)]) {
        for (n, times) in series.iter().filter(|(n, _)| IN_MEMORY.contains(n)) {
            let found = times.ratio(Who::detected(Kind::EXACT), Who::OneStream);
            let found = found.map(|ratio| (ratio, "ε outside".to_owned()));
            self.at_least(&format!("{} elements", binary(*n)), " × one stream", 1.05, found);
        }
    }

    fn placement(&mut self, placed: &[Placed]) {
        let step = Who::detected(Kind::EXACT);
        let each = placed.iter().flat_map(|placed| {
            let ratio = |(order, times): &(&str, Times)| {
                Some((times.ratio(step, Who::Naive)?, format!("{}, {order}", binary(placed.n))))
            };
            placed.orders.iter().filter_map(ratio).collect::<Vec<_>>()
        });
        self.at_least("plain vectors of 2ᵏ elements, each order", " × naive", 1.0, each);
        let worst = placed.iter().filter_map(|placed| {
            let (order, time) = placed.worst(step)?;
            Some((time / placed.apart.of(step)?, format!("{}, {order}", binary(placed.n))))
        });
        self.at_most("the same, the worst order", " × the time apart", 1.5, worst);
    }

    /// The figure is what the step reached when all its roots came from the divider, whatever the data.
    fn zeros(&mut self, series: &[(Option<u64>, Times)]) {
        let found = series.iter().filter_map(|(share, times)| {
            Some((times.ratio(Who::detected(Kind::EXACT), Who::Naive)?, format!("zeros: {}", name_of_share(*share))))
        });
        self.at_least("exact on data with zeros", " × naive", 1.9, found);
    }

    fn threads(&mut self, series: &[(usize, Times)]) {
        let (largest, smaller): (Vec<_>, Vec<_>) = series.iter().partition(|(n, _)| *n == IN_MEMORY[1]);
        for (n, times) in largest {
            let found = times.ratio(Who::TwoThreads, Who::LimitOfTwoThreads).map(|ratio| (ratio, String::new()));
            self.at_least(&format!("two threads, {}", binary(*n)), " × their limit", 0.95, found);
        }
        let divided = smaller.into_iter().filter(|(n, _)| *n >= DIVIDED_FROM);
        let found = divided.filter_map(|(n, times)| {
            let one = times.of(Who::detected(Kind::EXACT))?;
            let two = times.of(Who::TwoThreads)?;
            Some((one / two, format!("{} elements: {} and {} ns", binary(*n), digits(one), digits(two))))
        });
        self.at_least("two threads, fewer elements", " × one thread", 1.6, found);
    }

    /// Beside the same steps of `f32`. What is stored takes 12 and 10 bytes an element, instead of 20.
    fn mixed(&mut self, series: &[(usize, Times)]) {
        for (types, rounding, who) in mixed::STEPS {
            let (what, in_memory) = match types {
                Types::State => ("bf16 parameters and accumulators", 1.1),
                Types::All => ("bf16, gradients too", 1.3),
            };
            for (n, goal) in [(IN_CACHE[0], 0.8), (IN_MEMORY[1], in_memory)] {
                let found = series.iter().filter(|(length, _)| *length == n);
                let found = found
                    .filter_map(|(n, times)| Some((times.ratio(who, mixed::F32)?, format!("{} elements", binary(*n)))));
                self.at_least(&format!("{what}, {}", mixed::name(rounding)), " × f32", goal, found);
            }
        }
    }

    fn mixed_rows(&mut self, times: Option<&Times>) {
        for (rounding, who) in mixed::ROW_STEPS {
            let found = times.and_then(|times| times.ratio(who, mixed::F32)).map(|ratio| (ratio, String::new()));
            let what = format!("random rows of 64 columns, bf16 parameters, {}", mixed::name(rounding));
            self.at_least(&what, " × f32", 1.25, found);
        }
    }
}
