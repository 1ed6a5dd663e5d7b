//! FBGEMM's row-wise kernel for bags, whose rows share a gradient: <https://github.com/pytorch/FBGEMM>,
//! `test/RowWiseSparseAdagradFusedTest.cc` and `test/EmbeddingSpMDMTestUtils.cc`, 71d6f8b2, which compare its generated code with
//! the formula of `src/RefImplementations.cc`.
//!
//! Its loops go over 64-bit indices or 32-bit ones, and over the corner cases below. What it has and this crate does not:
//! parameters in `f16` with stochastic rounding; gradients with a stride; offsets of another width than the indices; lengths in
//! the place of offsets; distances to prefetch.

use adagrad::{Adagrad, Backend, Bags, Epsilon, Error, RowIndex, Table};

use crate::assert_bits;
use crate::fbgemm::uniform;
use crate::inputs::Random;

/// Bags, rows of the table, columns, average length of a bag.
const SHAPES: [[usize; 4]; 18] = [
    [1, 8, 8, 4],
    [2, 8, 16, 4],
    [10, 4000, 32, 100],
    [100, 4000, 32, 100],
    [10, 4000, 64, 100],
    [10, 4000, 128, 100],
    [4, 400, 256, 10],
    [10, 4000, 48, 100],
    [10, 4000, 48, 100],
    [10, 4000, 40, 100],
    [10, 4000, 56, 100],
    [10, 4000, 1, 100],
    [10, 4000, 4, 100],
    [10, 40, 16, 10],
    [10, 40, 85, 10],
    [10, 40, 8, 10],
    [10, 40, 96, 10],
    [10, 40, 163, 10],
];

#[derive(Clone, Copy, PartialEq)]
enum Corner {
    None,
    EmptyIndices,
    OutOfBoundIndices,
    /// One index more, or less, than the offsets say.
    UnmatchedLengths,
}

const RATE: f32 = 0.5;
const EPSILON: f32 = 1e-5;

/// FBGEMM's formula, for indices that are in range.
fn reference(dim: usize, w: &mut [f32], h: &mut [f32], g: &[f32], offsets: &[usize], rows: &[usize]) {
    for (bag, g) in offsets.windows(2).zip(g.chunks(dim)) {
        let mut p = [0.0; 8];
        for (j, g) in g.iter().enumerate() {
            p[j % 8] += g * g;
        }
        let mean = (((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))) / dim as f32;
        for &row in &rows[bag[0]..bag[1]] {
            h[row] += mean;
            let step = -RATE / (h[row].sqrt() + EPSILON);
            for (w, g) in w[row * dim..][..dim].iter_mut().zip(g) {
                *w += g * step;
            }
        }
    }
}

fn check<I: RowIndex + TryFrom<usize>>(number: usize, corner: Corner, backend: Backend) {
    let [bags, table_rows, dim, average] = SHAPES[number];
    let mut random = Random(number as u64);
    let mut values = |n| (0..n).map(|_| uniform(&mut random, 2.0)).collect::<Vec<f32>>();
    let (mut w, mut h, g) = (values(table_rows * dim), values(table_rows), values(bags * dim));
    let mut offsets = vec![0];
    for bag in 0..bags {
        let length = if corner == Corner::EmptyIndices { 0 } else { 1 + random.below(table_rows.min(2 * average + 1)) };
        offsets.push(offsets[bag] + length);
    }
    let mut rows: Vec<usize> = (0..offsets[bags]).map(|_| random.below(table_rows)).collect();
    if let Some(first) = rows.first_mut() {
        *first = table_rows - 1;
    }
    let bad = if corner == Corner::OutOfBoundIndices { random.below(rows.len()) } else { rows.len() };
    if bad < rows.len() {
        rows[bad] = table_rows;
    }
    let indices = |of: &[usize]| of.iter().map(|&i| I::try_from(i).ok().expect("it fits")).collect::<Vec<I>>();
    let (all_offsets, all_rows) = (indices(&offsets), indices(&rows));
    if corner == Corner::UnmatchedLengths {
        let one_more = indices(&[&rows[..], &[0]].concat());
        for rows in [&all_rows[..rows.len() - 1], &one_more] {
            assert!(matches!(Bags::new(&all_offsets, rows), Err(Error::Offset { .. })));
        }
        return;
    }
    let (mut wanted_w, mut wanted_h) = (w.clone(), h.clone());
    let opt = Adagrad::fbgemm(RATE).with_epsilon(Epsilon::OutsideSqrt(EPSILON)).with_backend(backend);
    let bags = Bags::new(&all_offsets, &all_rows).expect("offsets in order");
    let mut table = Table::row_wise(&mut w, &mut h, dim).expect("its shape fits");
    let stepped = opt.step_bags(&mut table, &bags, &g, &mut []);
    if corner == Corner::OutOfBoundIndices {
        // FBGEMM says no more than that it failed; here nothing was written, and the error says where.
        assert_eq!(stepped, Err(Error::Row { position: bad, row: table_rows as i128, rows: table_rows }));
    } else {
        stepped.expect("valid");
        reference(dim, &mut wanted_w, &mut wanted_h, &g, &offsets, &rows);
    }
    // Their tolerance is 10⁻⁶ for accumulators and 10⁻⁴ for parameters; ours is none.
    assert_bits(&h, &wanted_h);
    assert_bits(&w, &wanted_w);
}

/// `rowwiseTest`.
#[test]
fn row_wise_sparse_adagrad_fused() {
    for number in 0..SHAPES.len() {
        for corner in [Corner::None, Corner::EmptyIndices, Corner::OutOfBoundIndices, Corner::UnmatchedLengths] {
            for backend in Backend::available() {
                check::<i64>(number, corner, backend);
                check::<i32>(number, corner, backend);
            }
        }
    }
}
