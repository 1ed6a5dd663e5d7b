//! Replays the limit on rows' norms that `PyTorch` recorded.

use adagrad::{Backend, Table};
use serde_json::Value;

use crate::files::words;
use crate::json::parse;

/// How many units in the last place a parameter may be from the peer's. It adds up the squares in `f32`, and rounds their
/// root, where the crate has `f64`: for up to 64 columns in lanes of eight that is at most 12 roundings of the sum, of which
/// the root halves the error, and its own: 7·2⁻²⁴ of the norm. Both round the factor and the product.
const ULPS: u32 = 9;

#[test]
fn torch_norms() {
    let (mut scaled, mut equal, mut farthest) = (0, 0, 0);
    for line in include_str!("recordings/torch_norms.jsonl").lines() {
        let case = parse(line);
        let dim = case["dim"].as_u64().expect("a number") as usize;
        let rows: Vec<u64> = case["indices"].as_array().expect("a list").iter().filter_map(Value::as_u64).collect();
        let (before, expected, max_norm) = (words(&case["w0"]), words(&case["w"]), words(&case["max_norm"])[0]);
        let (mut params, mut accumulator) = (before.clone(), vec![0.0; before.len() / dim]);
        let mut table = Table::row_wise(&mut params, &mut accumulator, dim).expect("its shape fits");
        table.limit_norms(&rows, max_norm).expect("valid");
        for ((actual, expected), before) in params.iter().zip(&expected).zip(&before) {
            // Both leave the same rows as they were.
            assert_eq!(actual == before, expected == before, "{dim} columns, {max_norm}: {actual:e} {expected:e}");
            if actual != before {
                farthest = farthest.max(actual.to_bits().abs_diff(expected.to_bits()));
                scaled += 1;
                equal += u32::from(actual.to_bits() == expected.to_bits());
            }
        }
    }
    println!("{equal} of {scaled} equal, others within {farthest}, {}", Backend::detected());
    assert!(scaled > 500 && farthest <= ULPS, "{scaled} {farthest}");
}
