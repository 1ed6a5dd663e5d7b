//! Tables: the bits of one process, at any number of ranks, by both divisions, and after a pause.

use adagrad::{Accumulation, Adagrad, NonFinite, Table};
use adagrad_mpi::{Accumulators, Division, Shape, ShardedTable};
use mpi::topology::SimpleCommunicator;

use crate::Context;
use crate::inputs::{assert_same, hash, value};

const STEPS: usize = 6;
/// After so many steps checkpoints are written.
const PAUSE: usize = 3;
const ROWS: usize = 211;
/// The rows of a batch. Most appear more than once.
const BATCH: usize = 600;

type Sharded<'c> = ShardedTable<'c, SimpleCommunicator>;

/// A table in one process.
struct Whole {
    shape: Shape,
    params: Vec<f32>,
    accumulator: Vec<f32>,
}

impl Whole {
    fn new(shape: Shape, opt: &Adagrad) -> Self {
        let params = (0..shape.rows * shape.dim).map(|at| initial(at / shape.dim, at % shape.dim)).collect();
        let width = width(shape);
        Self { shape, params, accumulator: vec![opt.initial_accumulator(); shape.rows * width] }
    }

    fn step(&mut self, opt: &Adagrad, step: usize) {
        let (rows, grads) = batch(self.shape, step, 0..BATCH);
        let (params, accumulator, dim) = (&mut self.params[..], &mut self.accumulator[..], self.shape.dim);
        let table = match self.shape.accumulators {
            Accumulators::ElementWise => Table::new(params, accumulator, dim),
            Accumulators::RowWise => Table::row_wise(params, accumulator, dim),
        };
        opt.step_rows(&mut table.expect("its shape fits"), &rows, &grads).expect("valid");
    }

    /// This rank's shard is as its rows are here.
    fn compare(&self, table: &Sharded<'_>, what: &str) {
        for (values, shard, width) in [
            (&self.params, table.params(), self.shape.dim),
            (&self.accumulator, table.accumulator(), width(self.shape)),
        ] {
            let own: Vec<f32> = table.own_rows().flat_map(|row| &values[row * width..][..width]).copied().collect();
            assert_same(shard, &own, what);
        }
    }
}

fn width(shape: Shape) -> usize {
    if shape.accumulators == Accumulators::RowWise { 1 } else { shape.dim }
}

fn initial(row: usize, column: usize) -> f32 {
    value(row, column, 1)
}

/// Positions of a step's batch. Half of the rows are among 20 popular ones.
fn batch(shape: Shape, step: usize, positions: std::ops::Range<usize>) -> (Vec<u64>, Vec<f32>) {
    let among = |position: usize| if position.is_multiple_of(2) { shape.rows.min(20) } else { shape.rows };
    let row = |position: usize| hash(step, position, 2) % among(position) as u64;
    let grads = |position: usize| (0..shape.dim).map(move |column| value(step, position, 3 + column));
    (positions.clone().map(row).collect(), positions.flat_map(grads).collect())
}

/// Names, shapes and options.
fn cases() -> Vec<(String, Shape, Adagrad)> {
    let mut cases = Vec::new();
    for dim in [1, 5, 64] {
        for shape in [Shape::new(ROWS, dim), Shape::new(ROWS, dim).row_wise()] {
            for (name, opt) in [
                ("fbgemm", Adagrad::fbgemm(0.1)),
                ("pytorch", Adagrad::pytorch(0.1).with_initial_accumulator(0.5)),
                ("skip", Adagrad::new(0.3).with_non_finite(NonFinite::Skip).with_accumulation(Accumulation::Ema(0.9))),
            ] {
                let kind = if shape.accumulators == Accumulators::RowWise { "row-wise" } else { "element-wise" };
                cases.push((format!("{kind} {dim} {name}"), shape, opt));
            }
        }
    }
    // Fewer rows than ranks.
    cases.push(("two rows".into(), Shape::new(2, 3), Adagrad::new(0.1)));
    cases
}

fn step(context: &Context<'_>, table: &mut Sharded<'_>, opt: &Adagrad, step: usize) {
    let (rows, grads) = batch(table.shape(), step, context.part(BATCH, step));
    table.step(opt, &rows, &grads).expect("valid");
}

/// The checkpoint of a case.
fn file(context: &Context<'_>, name: &str) -> std::path::PathBuf {
    context.folder.join(format!("{name}.safetensors"))
}

/// By both divisions, from the beginning to the end, with a checkpoint on the way.
pub fn steps(context: &Context<'_>) {
    for (name, shape, opt) in cases() {
        for shape in [shape, shape.in_ranges()] {
            let what = format!("{name} {:?}, rank {} of {}", shape.division, context.rank, context.ranks);
            let mut whole = Whole::new(shape, &opt);
            let mut table = ShardedTable::new(context.world, shape, opt.initial_accumulator(), |row, params| {
                for (column, value) in params.iter_mut().enumerate() {
                    *value = initial(row, column);
                }
            })
            .expect("valid");
            whole.compare(&table, &what);
            for t in 0..STEPS {
                if t == PAUSE {
                    let name = format!("{name} {:?}", shape.division);
                    table.save(&file(context, &name)).expect("saved");
                }
                step(context, &mut table, &opt, t);
                whole.step(&opt, t);
                whole.compare(&table, &what);
            }
            read(context, &whole, &mut table, &what);
        }
        // Both divisions saved the same bytes.
        let bytes = |division: Division| std::fs::read(file(context, &format!("{name} {division:?}"))).expect("a file");
        assert!(bytes(Division::Modulo) == bytes(Division::Ranges), "{name}: the divisions saved other bytes");
    }
}

/// Each rank reads other rows, some of them twice.
fn read(context: &Context<'_>, whole: &Whole, table: &mut Sharded<'_>, what: &str) {
    let Shape { rows, dim, .. } = whole.shape;
    let wanted: Vec<u64> = (0..30 * context.rank).map(|k| hash(k, context.rank, 4) % rows as u64).collect();
    let picked = |values: &[f32], width: usize| -> Vec<f32> {
        wanted.iter().flat_map(|row| &values[*row as usize * width..][..width]).copied().collect()
    };
    let mut out = vec![7.0; wanted.len() * dim];
    table.read(&wanted, &mut out).expect("valid");
    assert_same(&out, &picked(&whole.params, dim), what);
    let width = width(whole.shape);
    let mut out = vec![7.0; wanted.len() * width];
    table.read_accumulator(&wanted, &mut out).expect("valid");
    assert_same(&out, &picked(&whole.accumulator, width), what);
}

/// From the checkpoints of another number of ranks to the same end.
pub fn resume(context: &Context<'_>) {
    for (name, shape, opt) in cases() {
        for division in [Division::Modulo, Division::Ranges] {
            let what = format!("{name} {division:?} resumed, rank {} of {}", context.rank, context.ranks);
            let mut table = ShardedTable::load(context.world, &file(context, &format!("{name} Modulo")), division);
            let table = table.as_mut().expect("loaded");
            assert_eq!(table.shape(), Shape { division, ..shape });
            let mut whole = Whole::new(shape, &opt);
            for t in 0..STEPS {
                whole.step(&opt, t);
                if t >= PAUSE {
                    step(context, table, &opt, t);
                }
            }
            whole.compare(table, &what);
        }
    }
}
