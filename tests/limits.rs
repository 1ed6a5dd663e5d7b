//! Sizes at the edge of `usize`, and that no call recurses deeply.

use adagrad::{Adagrad, Bags, Error, Ftrl, Owners, Proximal, Table, coalesce, partition};

/// Numbers of rows and columns whose product is more than a `usize` can be; it wraps around to 0 or a small number.
fn beyond() -> impl Iterator<Item = (usize, usize)> {
    let half = 1 << (usize::BITS / 2);
    let few = [2, 3, 4, 7, 8].into_iter().map(|rows| (rows, usize::MAX / rows + 1));
    // As many rows as a test can have: of 32 bits the square root.
    let square = (usize::BITS == 32).then_some((half, half));
    few.chain([(2, usize::MAX), (5, usize::MAX - 3)]).chain(square)
}

/// No product of a number of rows and one of columns is taken for a small one.
#[test]
fn products_beyond_usize() {
    let opt = Adagrad::new(0.1);
    for (rows, dim) in beyond() {
        let overflow = Error::Overflow { rows, dim };
        for len in [0, rows.wrapping_mul(dim).min(100)] {
            let (indices, mut values) = (vec![0_u32; rows], vec![1.0; len]);
            let offsets = vec![0_u32; rows + 1];
            let bags = Bags::new(&offsets, &[]).expect("in order");
            for row_wise in [false, true] {
                let new = if row_wise { Table::row_wise } else { Table::new };
                let mut table = new(&mut [], &mut [], dim).expect("no rows");
                assert_eq!(opt.step_rows(&mut table, &indices, &values), Err(overflow));
                assert_eq!(opt.step_bags(&mut table, &bags, &values, &mut []), Err(overflow));
                #[cfg(feature = "rayon")]
                {
                    assert_eq!(opt.par_step_rows(&mut table, &indices, &values), Err(overflow));
                    assert_eq!(opt.par_step_bags(&mut table, &bags, &values, &mut []), Err(overflow));
                }
            }
            let mut table = Table::new(&mut [], &mut [], dim).expect("no rows");
            assert_eq!(Ftrl::new(0.1).step_rows(&mut table, &mut [], &indices, &values), Err(overflow));
            assert_eq!(Proximal::new(0.1).step_rows(&mut table, &indices, &values), Err(overflow));
            assert_eq!(coalesce(&mut indices.clone(), &mut values, dim, &mut vec![0; rows]), Err(overflow));
            let owners = Owners::Modulo { owners: 1, rows: 1 };
            let mut to_rows = indices.clone();
            let result = partition(&indices, &values.clone(), dim, owners, &mut to_rows, &mut values, &mut [0]);
            assert_eq!(result, Err(overflow));
            assert!(values.iter().all(|x| *x == 1.0));
        }
    }
}

/// No index that wraps around, times the number of columns, is taken for a row of the table.
#[test]
fn indices_beyond_usize() {
    let opt = Adagrad::new(0.1);
    for dim in [2, 3, 4, 8, 16, 20, 32, 100] {
        for row in [usize::MAX, usize::MAX / dim + 1, usize::MAX / 2 + 1, usize::MAX / (4 * dim) + 1] {
            for row_wise in [false, true] {
                let (mut params, mut accumulator) = (vec![0.0; 3 * dim], vec![0.0; 3 * dim]);
                let len = if row_wise { 3 } else { 3 * dim };
                let new = if row_wise { Table::row_wise } else { Table::new };
                let mut table = new(&mut params, &mut accumulator[..len], dim).expect("its shape fits");
                let grads = vec![1.0; dim];
                let error = Error::Row { position: 0, row: row as i128, rows: 3 };
                assert_eq!(opt.step_rows(&mut table, &[row], &grads), Err(error));
                let mut table = table.with_out_of_range_skipped(true);
                let report = opt.step_rows(&mut table, &[row], &grads).expect("it is passed over");
                assert_eq!(report.out_of_range, 1);
                // More rows are stepped by other loops.
                let report = opt.step_rows(&mut table, &[row; 8], &grads.repeat(8)).expect("they are passed over");
                assert_eq!(report.out_of_range, 8);
                assert!(params.iter().chain(&accumulator).all(|x| *x == 0.0));
            }
        }
    }
}

/// Steps are halved, not divided one by one: many threads with little stack are enough.
#[cfg(feature = "rayon")]
#[test]
fn recursion_is_shallow() {
    let threads = if cfg!(miri) { 4 } else { 64 }; // for Miri less is divided, too
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(1 << 16).build().expect("threads");
    let opt = Adagrad::new(0.1);
    let len = if cfg!(miri) { 1 << 11 } else { 1 << 22 };
    let (mut params, mut accumulator, grads) = (vec![0.0; len], vec![0.0; len], vec![1.0; len]);
    pool.install(|| opt.par_step(&mut params, &grads, &mut accumulator)).expect("valid");
    assert!(accumulator.iter().all(|a| *a == 1.0));
    let rows: Vec<u32> = (0..len as u32 / 16).collect();
    let offsets: Vec<u32> = (0..=len as u32 / 16).collect();
    let bags = Bags::new(&offsets, &rows).expect("in order").mean();
    let mut scratch = vec![0.0; 16 * 64];
    for row_wise in [false, true] {
        let accumulator = if row_wise { &mut accumulator[..len / 16] } else { &mut accumulator[..] };
        accumulator.fill(0.0);
        let new = if row_wise { Table::row_wise } else { Table::new };
        let mut table = new(&mut params, accumulator, 16).expect("its shape fits");
        pool.install(|| opt.par_step_rows(&mut table, &rows, &grads)).expect("valid");
        pool.install(|| opt.par_step_bags(&mut table, &bags, &grads, &mut scratch)).expect("valid");
        assert!(accumulator.iter().all(|a| *a == 2.0));
    }
}
