//! `coalesce`: what it computes, and that no regular pattern of rows makes it slow.

mod inputs;
mod reference;

use core::time::Duration;
use std::collections::HashSet;
use std::time::Instant;

use adagrad::{RowIndex, coalesce};
use inputs::Random;
use proptest::prelude::*;
use reference::assert_same;

proptest! {
    #[test]
    fn sums_are_in_order_of_occurrence(
        dim in 1_usize..20,
        rows in proptest::collection::vec(prop_oneof![0_usize..6, any::<usize>()], 0..60),
        seed in any::<u64>(),
        spare in 0_usize..140,
    ) {
        let mut random = Random(seed);
        let grads: Vec<f32> = (0..rows.len() * dim).map(|_| random.sprinkled()).collect();
        let (expected_rows, expected_grads) = reference::coalesce(&rows, &grads, dim);
        let (mut distinct, mut sums) = (rows.clone(), grads.clone());
        // What is in the scratch does not matter.
        let mut scratch: Vec<usize> = (0..rows.len() + spare).map(|_| random.bits() as usize).collect();
        let n = coalesce(&mut distinct, &mut sums, dim, &mut scratch).expect("valid");
        prop_assert_eq!(&distinct[..n], &expected_rows);
        assert_same(&sums[..n * dim], &expected_grads, "sums");
    }

    /// The same for many rows, with every size of scratch, and for each type of index.
    #[test]
    fn many_rows(
        k in 0_usize..3000,
        range in 1_usize..5000,
        stride in prop_oneof![Just(1), Just(832_040), Just(1 << 16), 1_usize..1000],
        spare in prop_oneof![Just(0), Just(1), 0_usize..6000],
        seed in any::<u64>(),
    ) {
        let mut random = Random(seed);
        let rows: Vec<usize> = (0..k).map(|_| random.below(range) % (i32::MAX as usize / stride) * stride).collect();
        let grads: Vec<f32> = (0..k).map(|_| random.ordinary()).collect();
        fn check<I: RowIndex + TryFrom<usize> + TryInto<usize>>(rows: &[usize], grads: &[f32], spare: usize) {
            let mut typed: Vec<I> = rows.iter().map(|row| I::try_from(*row).ok().expect("it fits")).collect();
            let mut sums = grads.to_vec();
            let n = coalesce(&mut typed, &mut sums, 1, &mut vec![3; rows.len() + spare]).expect("valid");
            // The naive one searches the whole list for each row, so this is one with a set.
            let (mut seen, mut distinct, mut order) = (HashSet::new(), Vec::new(), std::collections::HashMap::new());
            let mut expected = Vec::new();
            for (row, g) in rows.iter().zip(grads) {
                if seen.insert(*row) {
                    order.insert(*row, distinct.len());
                    distinct.push(*row);
                    expected.push(*g);
                } else {
                    expected[order[row]] += *g;
                }
            }
            let typed: Vec<usize> = typed[..n].iter().map(|row| (*row).try_into().ok().expect("it fits")).collect();
            assert_eq!(typed, distinct);
            assert_same(&sums[..n], &expected, "sums");
        }
        check::<u32>(&rows, &grads, spare);
        check::<u64>(&rows, &grads, spare);
        check::<usize>(&rows, &grads, spare);
        check::<i32>(&rows, &grads, spare);
        check::<i64>(&rows, &grads, spare);
    }
}

/// How long it takes to find these rows, which are distinct: the least of some runs.
fn time<I: RowIndex>(rows: &[I], scratch: usize, runs: usize) -> Duration {
    let (mut rows_here, mut grads, mut scratch) = (rows.to_vec(), vec![1.0; rows.len()], vec![0; scratch]);
    let run = |_| {
        rows_here.copy_from_slice(rows);
        let start = Instant::now();
        let n = coalesce(&mut rows_here, &mut grads, 1, &mut scratch).expect("valid");
        let elapsed = start.elapsed();
        assert_eq!(n, rows.len());
        elapsed
    };
    (0..runs).map(run).min().expect("a run")
}

/// `count` random rows, all distinct.
fn distinct(count: usize, mut row: impl FnMut() -> u64) -> Vec<u64> {
    let mut seen = HashSet::new();
    core::iter::from_fn(|| Some(row())).filter(|row| seen.insert(*row)).take(count).collect()
}

/// Each list takes at most three times as long as random rows, and a millisecond.
///
/// A machine may be busy with something else, so that a list that seems slow is timed again, next to random rows. What
/// this looks for takes thousands of times as long.
fn assert_as_fast_as_random<I: RowIndex>(random: &[I], lists: &[(String, Vec<I>)], scratch: usize) {
    const PATIENCE: Duration = Duration::from_secs(10);
    let mut limit = time(random, scratch, 3);
    for (name, rows) in lists {
        let mut taken = time(rows, scratch, 1);
        let begin = Instant::now();
        while taken > 3 * limit + Duration::from_millis(1) && begin.elapsed() < PATIENCE {
            limit = limit.max(time(random, scratch, 1));
            taken = taken.min(time(rows, scratch, 1));
        }
        assert!(
            taken <= 3 * limit + Duration::from_millis(1),
            "{name}, scratch of {scratch}: {taken:?}, random rows take {limit:?}"
        );
    }
}

/// How many rows a list has.
const K: usize = 100_000;

fn progression(start: u64, stride: u64) -> (String, Vec<u64>) {
    let rows = (0..K as u64).map(|j| start.wrapping_add(j.wrapping_mul(stride))).collect();
    (format!("from {start} at a stride of {stride}"), rows)
}

/// Strides at which a multiplication spreads rows badly: Fibonacci numbers by the golden ratio, powers of two by any.
fn strides() -> Vec<u64> {
    let fibonacci = core::iter::successors(Some((1_u64, 2_u64)), |(a, b)| Some((*b, a.checked_add(*b)?)));
    let fibonacci = fibonacci.map(|(a, _)| a).step_by(3).take(29);
    let powers = (0..=46).step_by(4).map(|exponent| 1 << exponent);
    let round = [10, 100, 1000, 1_000_000, 1_000_003, (1 << 20) - 1, (1 << 20) + 1, (1 << 32) - 1, 3 << 30];
    // The inverse of the golden ratio's multiplier, and the multiplier itself.
    let golden = [0x9E37_79B9_7F4A_7C15, 0xF1DE_83E1_9937_733D, 0x61C8_8646_80B5_83EB];
    [832_040, 317_811].into_iter().chain(fibonacci).chain(powers).chain(round).chain(golden).collect()
}

#[test]
#[cfg_attr(miri, ignore = "it measures time")]
fn arithmetic_progressions_take_no_longer_than_random_rows() {
    let mut random = Random(1);
    let random = distinct(K, || random.bits() >> 1);
    let lists: Vec<_> = strides().into_iter().map(|stride| progression(0, stride)).collect();
    assert_as_fast_as_random(&random, &lists, 2 * K);
}

/// As many slots as rows: then the last ones search long, which more than the table's filling must not make longer.
#[test]
#[cfg_attr(miri, ignore = "it measures time")]
fn arithmetic_progressions_with_the_least_scratch() {
    let mut random = Random(2);
    let random = distinct(K, || random.bits() >> 1);
    let strides = [832_040, 317_811, 1, 2, 1 << 16, 1 << 20, 1 << 32, 1000, 121_393, 1_346_269];
    let lists: Vec<_> = strides.into_iter().map(|stride| progression(0, stride)).collect();
    assert_as_fast_as_random(&random, &lists, K);
}

#[test]
#[cfg_attr(miri, ignore = "it measures time")]
fn progressions_from_elsewhere_and_downwards() {
    let mut random = Random(3);
    let random = distinct(K, || random.bits() >> 1);
    let mut lists = Vec::new();
    for start in [1, 12_345_678_901, u64::MAX] {
        for stride in [1, 832_040, 1 << 16, 832_040_u64.wrapping_neg(), u64::MAX] {
            lists.push(progression(start, stride));
        }
    }
    // Columns of a few features, each in a range of its own: two progressions at once.
    for stride in [1 << 24, 832_040, 1_000_000] {
        let rows = (0..K as u64).map(|j| j % 26 * stride * 10_000 + j / 26).collect();
        lists.push((format!("26 ranges, a multiple of {stride} apart"), rows));
    }
    assert_as_fast_as_random(&random, &lists, 2 * K);
}

/// Indices of 32 bits, which are hashed otherwise or not.
#[test]
#[cfg_attr(miri, ignore = "it measures time")]
fn progressions_of_32_bits() {
    let mut random = Random(4);
    let narrow = |rows: Vec<u64>| rows.into_iter().map(|row| row as u32).collect::<Vec<u32>>();
    let random = narrow(distinct(K, || random.bits() & u64::from(u32::MAX)));
    let strides = [1, 2, 3, 64, 1 << 10, 1 << 15, 1000, 17_711, 28_657, 40_503, 10_946];
    let lists: Vec<_> = strides
        .into_iter()
        .map(|stride| {
            let (name, rows) = progression(0, stride);
            (name, narrow(rows))
        })
        .collect();
    assert_as_fast_as_random(&random, &lists, 2 * K);
    assert_as_fast_as_random(&random, &lists[..4], K);
}
