//! `partition`: its order and counts, and that owners who step with their parts make the bits of one table.

mod inputs;
mod reference;

use adagrad::{Adagrad, Backend, Owners, RowIndex, Table, partition};
use inputs::{Random, one_of};
use proptest::prelude::*;
use reference::assert_same;

/// The parts as plainly as they can be made: for each owner, the rows in its table and their gradients.
fn naive(rows: &[usize], grads: &[f32], dim: usize, owners: &Owners<'_>) -> Vec<(Vec<usize>, Vec<f32>)> {
    let mut parts = vec![(Vec::new(), Vec::new()); owners.count()];
    for (row, g) in rows.iter().zip(grads.chunks(dim)) {
        let (owner, local) = match *owners {
            Owners::Modulo { owners, .. } => (row % owners, row / owners),
            Owners::Ranges(ends) => {
                let owner = ends.iter().position(|end| row < end).expect("a row of the table");
                (owner, row - if owner == 0 { 0 } else { ends[owner - 1] })
            }
            other => panic!("owners that are not known here: {other:?}"),
        };
        assert_eq!(owners.local(*row), Some((owner, local)));
        parts[owner].0.push(local);
        parts[owner].1.extend_from_slice(g);
    }
    parts
}

fn check<I: RowIndex + TryFrom<usize> + TryInto<usize>>(rows: &[usize], grads: &[f32], dim: usize, owners: Owners<'_>) {
    let typed: Vec<I> = rows.iter().map(|row| I::try_from(*row).ok().expect("it fits")).collect();
    // What is in the outputs does not matter.
    let (mut to_rows, mut to_grads) = (typed.clone(), vec![7.0; grads.len()]);
    to_rows.reverse();
    let mut counts = vec![9; owners.count()];
    partition(&typed, grads, dim, owners, &mut to_rows, &mut to_grads, &mut counts).expect("valid");
    let parts = naive(rows, grads, dim, &owners);
    assert_eq!(counts, parts.iter().map(|(rows, _)| rows.len()).collect::<Vec<_>>());
    let to_rows: Vec<usize> = to_rows.into_iter().map(|row| row.try_into().ok().expect("it fits")).collect();
    assert_eq!(to_rows, parts.iter().flat_map(|(rows, _)| rows).copied().collect::<Vec<_>>());
    let expected: Vec<f32> = parts.iter().flat_map(|(_, grads)| grads).copied().collect();
    assert_same(&to_grads, &expected, "gradients");
}

proptest! {
    #[test]
    fn parts_are_in_order(
        dim in 1_usize..20,
        mut ends in proptest::collection::vec(0_usize..50, 0..6),
        owners in 1_usize..9,
        k in 0_usize..60,
        seed in any::<u64>(),
    ) {
        let mut random = Random(seed);
        ends.sort_unstable();
        ends.push(50); // so that there are rows
        let rows: Vec<usize> = (0..k).map(|_| random.below(50)).collect();
        let grads: Vec<f32> = (0..k * dim).map(|_| random.any()).collect();
        for owners in [Owners::Ranges(&ends), Owners::Modulo { owners, rows: 50 }] {
            check::<u32>(&rows, &grads, dim, owners);
            check::<u64>(&rows, &grads, dim, owners);
            check::<usize>(&rows, &grads, dim, owners);
            check::<i32>(&rows, &grads, dim, owners);
            check::<i64>(&rows, &grads, dim, owners);
        }
    }
}

/// A step on a table, row-wise where it has fewer accumulators than parameters.
fn step(opt: &Adagrad, [w, a]: [&mut Vec<f32>; 2], dim: usize, rows: &[u32], grads: &[f32]) {
    let table = if a.len() == w.len() { Table::new(w, a, dim) } else { Table::row_wise(w, a, dim) };
    opt.step_rows(&mut table.expect("its shape fits"), rows, grads).expect("valid");
}

/// The bits of one table, on every backend, with both kinds of accumulators and rows that appear several times.
#[test]
fn owners_make_the_bits_of_one_table() {
    const ROWS: usize = 23;
    let mut random = Random(1);
    for dim in [1, 3, 8, 33] {
        let rows: Vec<u32> = (0..200 / one_of(8)).map(|_| random.below(ROWS) as u32).collect();
        let grads: Vec<f32> = (0..rows.len() * dim).map(|_| random.sprinkled()).collect();
        let params: Vec<f32> = (0..ROWS * dim).map(|_| random.ordinary()).collect();
        for owners in [
            Owners::Ranges(&[5, 5, 6, ROWS]),
            Owners::Ranges(&[ROWS, ROWS]),
            Owners::Modulo { owners: 1, rows: ROWS },
            Owners::Modulo { owners: 4, rows: ROWS },
            Owners::Modulo { owners: 40, rows: ROWS },
        ] {
            let (mut to_rows, mut to_grads, mut counts) = (rows.clone(), grads.clone(), vec![0; owners.count()]);
            partition(&rows, &grads, dim, owners, &mut to_rows, &mut to_grads, &mut counts).expect("valid");
            for backend in Backend::available() {
                for row_wise in [false, true] {
                    let opt = Adagrad::new(0.1).with_backend(backend);
                    let width = if row_wise { 1 } else { dim };
                    let (mut w, mut a) = (params.clone(), vec![0.0; ROWS * width]);
                    step(&opt, [&mut w, &mut a], dim, &rows, &grads);

                    let mut at = 0;
                    for (owner, count) in counts.iter().enumerate() {
                        let own: Vec<usize> =
                            (0..ROWS).filter(|row| owners.local(*row).expect("of the table").0 == owner).collect();
                        let mut own_w: Vec<f32> =
                            own.iter().flat_map(|row| &params[row * dim..][..dim]).copied().collect();
                        let mut own_a = vec![0.0; own.len() * width];
                        let part = at..at + count;
                        let grads = &to_grads[part.start * dim..part.end * dim];
                        step(&opt, [&mut own_w, &mut own_a], dim, &to_rows[part], grads);
                        at += count;
                        let gathered = |table: &[f32], width: usize| -> Vec<f32> {
                            own.iter().flat_map(|row| &table[row * width..][..width]).copied().collect()
                        };
                        let context = format!("{owners:?}, owner {owner}, {dim} columns, {opt:?}");
                        assert_same(&own_w, &gathered(&w, dim), &context);
                        assert_same(&own_a, &gathered(&a, width), &context);
                    }
                }
            }
        }
    }
}

#[test]
fn rows_that_nobody_owns() {
    for owners in [Owners::Ranges(&[2, 5]), Owners::Modulo { owners: 2, rows: 5 }] {
        assert!(owners.local(4).is_some());
        for row in [5, 6, usize::MAX] {
            assert_eq!(owners.local(row), None, "{owners:?}");
        }
    }
    for nobody in [Owners::Ranges(&[]), Owners::Modulo { owners: 0, rows: 5 }] {
        assert_eq!(nobody.local(0), None, "{nobody:?}");
    }
}
