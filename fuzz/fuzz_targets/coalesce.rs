//! `coalesce` and `partition` with many rows, among them some that were chosen to collide, against ones with a map.
#![no_main]

#[allow(dead_code, reason = "the other targets use the rest")]
mod input;
#[allow(dead_code, reason = "the other targets use the rest")]
#[path = "../../tests/reference/mod.rs"]
mod reference;

use std::collections::HashMap;

use adagrad::{Owners, RowIndex, coalesce, partition};
use bytemuck::Pod;
use input::{Input, count};
use libfuzzer_sys::fuzz_target;
use reference::assert_same;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    match input.below(4) {
        0 => test::<u32>(&mut input, |raw| raw as u32, |row| u64::from(row) as usize),
        1 => test::<u64>(&mut input, |raw| raw, |row| row as usize),
        2 => test::<i32>(&mut input, |raw| raw as i32, |row| row as u32 as usize),
        _ => test::<i64>(&mut input, |raw| raw as i64, |row| row as u64 as usize),
    }
});

fn test<I: RowIndex + Pod + From<u8>>(input: &mut Input, of_raw: fn(u64) -> I, to_usize: fn(I) -> usize) {
    let dim = 1 + input.below(4);
    let k = if input.one_in(32) { input.below(3000) } else { input.below(100) };
    let raw = rows(input, k);
    let k = raw.len();
    let mut rows = input.buffer::<I>(k, |_| I::from(0));
    let given: Vec<I> = raw.iter().map(|raw| of_raw(*raw)).collect();
    let mut grads = input.numbers(k * dim);
    let spare = match input.below(4) {
        0 => 0,
        1 => input.below(k + 1),
        _ => k,
    };
    let mut scratch = input.buffer::<usize>(k + spare, |input| input.any());

    let given_grads = grads.given().to_vec();
    let (mut order, mut distinct, mut sums) = (HashMap::new(), Vec::new(), Vec::new());
    for (row, g) in given.iter().zip(given_grads.chunks_exact(dim)) {
        let place = *order.entry(to_usize(*row)).or_insert(distinct.len());
        if place == distinct.len() {
            distinct.push(to_usize(*row));
            sums.extend_from_slice(g);
        } else {
            for (sum, g) in sums[place * dim..][..dim].iter_mut().zip(g) {
                *sum += *g;
            }
        }
    }
    count(k * dim);
    let rows_here = rows.fresh();
    rows_here.copy_from_slice(&given);
    let n = coalesce(rows_here, grads.fresh(), dim, scratch.fresh()).expect("the lengths fit");
    let actual: Vec<usize> = rows.written()[..n].iter().map(|row| to_usize(*row)).collect();
    assert_eq!(actual, distinct);
    assert_same(&grads.written()[..n * dim], &sums, "sums");
    scratch.written();

    // Of the table of as many rows as there can be, so that no row is outside unless it is negative.
    let table_rows = usize::MAX;
    let parts = 1 + input.below(20);
    let ends: Vec<usize> =
        (1..=parts).map(|part| if part == parts { table_rows } else { part << 40 >> parts }).collect();
    let owners = if input.any() { Owners::Ranges(&ends) } else { Owners::Modulo { owners: parts, rows: table_rows } };
    let mut to_rows = input.buffer::<I>(k, |_| I::from(9));
    let mut to_grads = input.numbers(k * dim);
    let mut counts = input.buffer::<usize>(parts, |input| input.any());
    count(k * dim);
    let result = partition(&given, &given_grads, dim, owners, to_rows.fresh(), to_grads.fresh(), counts.fresh());
    if result.is_err() {
        to_rows.assert_untouched();
        to_grads.assert_untouched();
        counts.assert_untouched();
        return;
    }
    let (mut at, mut seen) = (0, 0);
    for (owner, count) in counts.written().iter().enumerate() {
        for (row, g) in given.iter().zip(given_grads.chunks_exact(dim)) {
            let (of, local) = owners.local(to_usize(*row)).expect("each row of the table has an owner");
            if of == owner {
                assert_eq!(to_usize(to_rows.written()[at]), local);
                assert_same(&to_grads.written()[at * dim..][..dim], g, "partition");
                at += 1;
            }
        }
        seen += count;
        assert_eq!(at, seen);
    }
    assert_eq!(at, k);
}

/// Rows in some pattern; a few repeat.
fn rows(input: &mut Input, k: usize) -> Vec<u64> {
    let (start, bits) = (input.any::<u64>(), input.below(64) as u32);
    let start = start >> bits;
    let stride = match input.below(4) {
        0 => 1,
        1 => 1_u64 << input.below(64),
        2 => 832_040,
        _ => input.any(),
    };
    let range = 1 + input.below(2 * k + 1) as u64;
    match input.below(4) {
        0 => (0..k).map(|_| (input.any::<u64>() % range).wrapping_mul(stride)).collect(),
        1 => (0..k as u64).map(|j| start.wrapping_add((j % range).wrapping_mul(stride))).collect(),
        2 => (0..k as u64).map(|j| unmixed(start.wrapping_add(j % range))).collect(),
        // Seven rows for seven of eight slots, and one that searches for the other slot longer than is allowed: it was found
        // by going through 2³⁴ hashes.
        _ => (0..7).map(|slot| slot << 61).chain([0x0EDD_0A5E_5940_0205]).map(unmixed).collect(),
    }
}

/// The row whose mixture of bits in `coalesce` is this: so rows can be chosen that begin their search in one place.
fn unmixed(mixed: u64) -> u64 {
    let z = mixed ^ mixed >> 31 ^ mixed >> 62;
    let z = z.wrapping_mul(inverse(0x94D0_49BB_1331_11EB));
    let z = z ^ z >> 27 ^ z >> 54;
    let z = z.wrapping_mul(inverse(0xBF58_476D_1CE4_E5B9));
    z ^ z >> 30 ^ z >> 60
}

/// What times an odd number is 1, by Newton's method.
const fn inverse(odd: u64) -> u64 {
    let (mut x, mut steps) = (odd, 0); // three bits are right
    while steps < 5 {
        x = x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)));
        steps += 1;
    }
    x
}
