//! Sums of partial gradients, in an order that does not depend on who has them.
//!
//! The parts `0..n` are the leaves of a tree: its left half has as many as the greatest power of two below `n`, its right half
//! the rest, and so on. A rank with some neighbouring parts sums the largest subtrees that they fill, and sends only those sums.

use std::ops::Range;

/// The largest nodes below `node` whose leaves are all in `parts`, in order.
pub(crate) fn nodes(node: Range<usize>, parts: &Range<usize>) -> Vec<Range<usize>> {
    if node.start.max(parts.start) >= node.end.min(parts.end) {
        Vec::new()
    } else if parts.start <= node.start && node.end <= parts.end {
        vec![node]
    } else {
        let [left, right] = children(node);
        [nodes(left, parts), nodes(right, parts)].concat()
    }
}

/// Sums what is below `node`. `values` has `len` values for each of `pieces`, which are nodes in order that together have all
/// of its leaves. The sum replaces the values of the first of them, whose position is the result.
pub(crate) fn sum(node: Range<usize>, pieces: &[Range<usize>], values: &mut [f32], len: usize) -> usize {
    let first = pieces.partition_point(|piece| piece.start < node.start);
    if pieces.get(first).is_none_or(|piece| *piece == node || node.len() < 2) {
        return first;
    }
    let [left, right] = children(node);
    let (left, right) = (sum(left, pieces, values, len), sum(right, pieces, values, len));
    let (before, behind) = values.split_at_mut(right * len);
    add(&mut before[left * len..][..len], &behind[..len]);
    left
}

/// The sum of the parts below `node`, which `part` writes one by one over zeros. `spare` has buffers to use again: as many as
/// the tree is high.
pub(crate) fn sum_as_made(
    node: Range<usize>,
    sum: &mut [f32],
    spare: &mut Vec<Vec<f32>>,
    part: &mut dyn FnMut(usize, &mut [f32]),
) {
    if node.len() < 2 {
        sum.fill(0.0);
        return part(node.start, sum);
    }
    let [left, right] = children(node);
    sum_as_made(left, sum, spare, part);
    let mut other = spare.pop().unwrap_or_else(|| vec![0.0; sum.len()]);
    sum_as_made(right, &mut other, spare, part);
    add(sum, &other);
    spare.push(other);
}

fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += *from;
    }
}

fn children(node: Range<usize>) -> [Range<usize>; 2] {
    let middle = node.start + node.len().next_power_of_two() / 2;
    [node.start..middle, middle..node.end]
}

#[cfg(test)]
mod tests {
    use super::{nodes, sum, sum_as_made};
    use crate::shape::range;

    #[test]
    fn few_sums_are_sent() {
        let of = |parts, own| nodes(0..parts, &own).into_iter().map(|node| (node.start, node.end)).collect::<Vec<_>>();
        assert_eq!(of(8, 0..4), [(0, 4)]);
        assert_eq!(of(8, 3..6), [(3, 4), (4, 6)]);
        assert_eq!(of(7, 4..7), [(4, 7)]);
        assert_eq!(of(8, 5..5), []);
    }

    #[test]
    fn the_sum_does_not_depend_on_who_has_which_parts() {
        for parts in 1..20 {
            // 2⁻²⁴ of the others: any other order rounds otherwise.
            let value = |part: usize| 1.0 + 1e-7 * (part * part) as f32;
            let single: Vec<_> = (0..parts).map(|part| part..part + 1).collect();
            let mut alone: Vec<f32> = (0..parts).map(value).collect();
            assert_eq!(sum(0..parts, &single, &mut alone, 1), 0);
            for ranks in 1..parts + 3 {
                let (mut pieces, mut sums, mut spare) = (Vec::new(), Vec::new(), Vec::new());
                for rank in 0..ranks {
                    for node in nodes(0..parts, &range(parts, rank, ranks)) {
                        let mut sum = [7.0];
                        sum_as_made(node.clone(), &mut sum, &mut spare, &mut |part, to| to[0] += value(part));
                        sums.extend(sum);
                        pieces.push(node);
                    }
                }
                assert!(spare.len() <= 5);
                assert_eq!(sum(0..parts, &pieces, &mut sums, 1), 0);
                assert_eq!(sums[0].to_bits(), alone[0].to_bits(), "{parts} parts on {ranks} ranks");
            }
        }
    }
}
