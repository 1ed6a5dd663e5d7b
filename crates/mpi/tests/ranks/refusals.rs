//! What one rank cannot accept, all refuse, and nothing is written.

use std::fs;
use std::path::Path;

use adagrad::{Adagrad, Backend, Error as Refused};
use adagrad_mpi::{Division, Error, Shape, ShardedDense, ShardedTable};
use mpi::traits::CommunicatorCollectives;

use crate::Context;
use crate::inputs::{assert_same, value};

pub fn all(context: &Context<'_>) {
    steps(context);
    dense(context);
    constructors(context);
    files(context);
}

/// The error of one rank is this, and the others know whose it is.
#[track_caller]
fn refused<T>(context: &Context<'_>, by: usize, result: Result<T, Error>, message: &str) {
    let error = result.err().expect("an error on all ranks");
    if context.rank == by {
        assert!(error.to_string().contains(message), "{error}, expected {message}");
    } else {
        assert!(matches!(error, Error::Elsewhere { rank } if rank == by), "{error}");
    }
}

fn steps(context: &Context<'_>) {
    const DIM: usize = 4;
    for shape in [Shape::new(50, DIM), Shape::new(50, DIM).row_wise().in_ranges()] {
        let opt = Adagrad::new(0.1);
        let init = |row: usize, params: &mut [f32]| params.fill(value(row, 0, 7));
        let mut table = ShardedTable::new(context.world, shape, 0.0, init).expect("valid");
        let before = (table.params().to_vec(), table.accumulator().to_vec());
        let (rows, grads) = ([3, 49, 0, 3, 17_u64], [1.0; 5 * DIM]);
        for by in [0, context.ranks - 1] {
            let bad = context.rank == by;
            let wrong = if bad { [3, 49, 0, 50, u64::MAX] } else { rows };
            let result = table.step(&opt, &wrong, &grads);
            if let Err(Error::Refused(error)) = &result {
                assert_eq!(*error, Refused::Row { position: 3, row: 50, rows: 50 });
            }
            refused(context, by, result, "rows[3] is 50");

            let result = table.step(&opt, &rows, &grads[..if bad { 19 } else { 20 }]);
            refused(context, by, result, "grads has length 19, expected 20");

            let rate = if bad { f32::NAN } else { 0.1 };
            refused(context, by, table.step(&opt.with_learning_rate(rate), &rows, &grads), "learning_rate is NaN");

            if let Some(absent) = Backend::ALL.iter().find(|backend| !backend.is_available()) {
                let opt = if bad { opt.with_backend(*absent) } else { opt };
                refused(context, by, table.step(&opt, &rows, &grads), "is not available");
            }

            let mut out = vec![7.0; 5 * DIM];
            refused(context, by, table.read(&wrong, &mut out), "rows[3] is 50");
            let len = if bad { 1 } else { 20 };
            refused(context, by, table.read(&rows, &mut out[..len]), "out has length 1, expected 20");
            assert_same(&out, &[7.0; 5 * DIM], "out of a read that was refused");

            if context.ranks > 1 {
                let rate = if bad { 0.2 } else { 0.1 };
                let result = table.step(&opt.with_learning_rate(rate), &rows, &grads);
                assert!(matches!(result, Err(Error::Differs { what: "opt" })), "{result:?}");
            }
        }
        assert_same(table.params(), &before.0, "params after errors");
        assert_same(table.accumulator(), &before.1, "accumulators after errors");
        // All still works.
        table.step(&opt, &rows, &grads).expect("valid");
        let mut out = vec![0.0; DIM];
        table.read(&[49], &mut out).expect("valid");
        assert!(out[0] < value(49, 0, 7));
    }
}

fn dense(context: &Context<'_>) {
    let mut dense = ShardedDense::new(context.world, 4, vec![1.0; 10], 0.0).expect("valid");
    let never = |_, _: &[f32], _: &mut [f32]| panic!("no gradient is asked for");
    for by in [0, context.ranks - 1] {
        let opt = Adagrad::new(if context.rank == by { -1.0 } else { 0.1 });
        refused(context, by, dense.step(&opt, never), "learning_rate is -1");
        if context.ranks > 1 {
            let opt = Adagrad::new(if context.rank == by { 0.2 } else { 0.1 });
            let result = dense.step(&opt, never);
            assert!(matches!(result, Err(Error::Differs { what: "opt" })), "{result:?}");
        }
    }
    assert_same(dense.params(), &[1.0; 10], "params after errors");
    assert_same(dense.accumulator(), &vec![0.0; dense.own().len()], "accumulators after errors");
}

fn constructors(context: &Context<'_>) {
    let Context { world, rank, ranks, .. } = *context;
    let table = |shape, initial| ShardedTable::new(world, shape, initial, |_, _| ()).map(drop);
    let all = |result: Result<(), Error>, message: &str| {
        assert_eq!(result.expect_err("an error").to_string(), message);
    };
    all(table(Shape::new(10, 0), 0.0), "dim is 0, expected at least 1");
    let rows = usize::MAX.div_ceil(ranks) / 2;
    assert!(
        matches!(table(Shape::new(usize::MAX / 2, 3).in_ranges(), 0.0), Err(Error::Refused(_))),
        "{rows} rows of 3"
    );
    all(ShardedDense::new(world, 0, vec![], 0.0).map(drop), "parts is 0, expected at least 1");
    if ranks > 1 {
        let last = rank == ranks - 1;
        let shape = Shape::new(10, if last { 2 } else { 3 });
        all(table(shape, 0.0), "shape or initial_accumulator is not the same on all ranks");
        let initial = if last { 0.1 } else { 0.0 };
        all(table(Shape::new(10, 2), initial), "shape or initial_accumulator is not the same on all ranks");
        let params = vec![initial; 3];
        let dense = ShardedDense::new(world, 2, params, 0.0).map(drop);
        all(dense, "parts, params or initial_accumulator is not the same on all ranks");
    }
}

fn files(context: &Context<'_>) {
    let Context { world, rank, ref folder, .. } = *context;
    let absent = folder.join("no such folder").join("file");
    let mut table = ShardedTable::new(world, Shape::new(9, 2), 0.0, |_, _| ()).expect("valid");
    refused(context, 0, table.save(&absent), "No such file");
    let load = |path: &Path| ShardedTable::load(world, path, Division::Modulo).map(drop);
    let error = load(&absent).expect_err("no file");
    assert!(matches!(error, Error::Io { .. }), "{error}");

    // Each has one thing wrong.
    let path = folder.join("bad");
    table.save(&path).expect("saved");
    let good = fs::read(&path).expect("a file");
    load(&path).expect("a good file");
    let json_of =
        |json: &str, data: usize| [&(json.len() as u64).to_le_bytes(), json.as_bytes(), &vec![0; data]].concat();
    let tensor = |dtype: &str, shape: &str, from: usize, to: usize| {
        format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    let two = |params: String, accumulator: String| format!(r#"{{"params":{params},"accumulator":{accumulator}}}"#);
    for (bytes, message) in [
        (good[..good.len() - 1].to_vec(), "bytes, expected"),
        (good[..100].to_vec(), "its header"),
        (good[..5].to_vec(), "fill whole buffer"),
        (vec![255; 100], "its header"),
        (json_of("{}", 0), "it has no tensor params"),
        (json_of(&two(tensor("F32", "[2]", 0, 8), tensor("F32", "[2]", 8, 16)), 16), "params of shape [2]"),
        (json_of(&two(tensor("F32", "[1,2]", 0, 8), tensor("F32", "[2]", 8, 16)), 16), "params of shape [1, 2]"),
        (json_of(&two(tensor("I32", "[1,2]", 0, 8), tensor("F32", "[1]", 8, 12)), 12), "of type I32"),
        (json_of(&two(tensor("F32", "[1,0]", 0, 0), tensor("F32", "[1]", 0, 4)), 4), "0 columns"),
    ] {
        world.barrier();
        if rank == 0 {
            fs::write(&path, bytes).expect("written");
        }
        world.barrier();
        let error = load(&path).expect_err("a bad file").to_string();
        assert!(error.contains(message), "{error}, expected {message}");
    }
    world.barrier();
    if rank == 0 {
        fs::remove_file(&path).expect("removed");
    }
}
