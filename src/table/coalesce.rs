//! Sums the gradients of rows that appear more than once.

use crate::Error;
use crate::error::check_room;
use crate::kernel::never;
use crate::table::{IndicesMut, RowIndex, check_gradient_rows};

/// Sums the gradients of rows that appear more than once, in place, and returns how many distinct rows there are.
///
/// A row that appears twice in one call of [`Adagrad::step_rows`](crate::Adagrad::step_rows) gets two steps. `PyTorch`
/// gives it one step with the sum of both gradients. For that, call this function first.
///
/// `rows` are `k` row indices, and `grads` are their gradients, `k·dim` values. After the call, the first `n` entries
/// of `rows` are the distinct rows, in order of their first occurrence, where `n` is the result. The first `n·dim`
/// values of `grads` are their sums, each added up in order of occurrence: `((g₁ + g₂) + g₃) + …`. The values after
/// these are unspecified.
///
/// `scratch` needs at least `k` values, and should have `2·k`. Their content does not matter. It becomes a hash table.
/// Finding the rows takes `O(k)` look-ups with `2·k` values, and `O(k·log k)` with `k`. Row indices that were chosen to
/// collide are sorted instead, so it never takes longer than `O(k·log k)`. In any case each gradient is added at most
/// once, and moved at most once.
///
/// ```
/// let mut rows = [7_u32, 2, 7];
/// let mut grads = [1.0, 10.0, 2.0, 20.0, 4.0, 40.0];
/// let n = adagrad::coalesce(&mut rows, &mut grads, 2, &mut [0; 6])?;
/// assert_eq!(rows[..n], [7, 2]);
/// assert_eq!(grads[..n * 2], [5.0, 50.0, 2.0, 20.0]);
/// # Ok::<(), adagrad::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::ZeroDim`]; [`Error::Overflow`] if `k·dim` overflows `usize`; [`Error::Length`] if `grads` does not have
/// `k·dim` values; [`Error::TooShort`] if `scratch` has fewer than `k`. All slices are then as they were.
///
/// Row indices are only compared with each other here. The step finds one that is negative or too large.
pub fn coalesce<I: RowIndex>(
    rows: &mut [I],
    grads: &mut [f32],
    dim: usize,
    scratch: &mut [usize],
) -> Result<usize, Error> {
    let k = rows.len();
    if dim == 0 {
        return Err(Error::ZeroDim);
    }
    check_gradient_rows(k, grads.len(), dim)?;
    check_room("scratch", k, scratch.len())?;
    Ok(match I::indices_mut(rows) {
        IndicesMut::U32(rows) => coalesce_u32(rows, grads, dim, scratch),
        IndicesMut::U64(rows) => coalesce_u64(rows, grads, dim, scratch),
    })
}

// These are not generic, so that they are compiled with this crate and at its level of optimization.

fn coalesce_u32(rows: &mut [u32], grads: &mut [f32], dim: usize, scratch: &mut [usize]) -> usize {
    Groups { rows, grads, dim, distinct: 0 }.all(scratch)
}

fn coalesce_u64(rows: &mut [u64], grads: &mut [f32], dim: usize, scratch: &mut [usize]) -> usize {
    Groups { rows, grads, dim, distinct: 0 }.all(scratch)
}

/// The distinct rows so far, in front, with the sums of their gradients.
struct Groups<'a, I> {
    rows: &'a mut [I],
    grads: &'a mut [f32],
    dim: usize,
    distinct: usize,
}

impl<I: Into<u64> + Copy + Eq> Groups<'_, I> {
    /// Takes in all rows. Returns how many are distinct.
    fn all(mut self, scratch: &mut [usize]) -> usize {
        let found = self.by_hashing(scratch);
        self.by_sorting(scratch, found);
        self.distinct
    }

    /// Takes in positions from the first on, until all are done or the search has taken too many steps. Returns how
    /// many are done.
    fn by_hashing(&mut self, scratch: &mut [usize]) -> usize {
        const FREE: usize = usize::MAX;
        let k = self.rows.len();
        // Each entry is the place of a distinct row. In a table that gets full, a search takes a logarithm of steps on
        // average, beside the first. At most about twice as many are allowed.
        let mut steps = k.saturating_mul(15 + 2 * k.checked_ilog2().unwrap_or(0) as usize);
        scratch.fill(FREE);
        for position in 0..k {
            let Some(&row) = self.rows.get(position) else { never!("a position") };
            let (mut hash, mut is_first) = (spread(row.into()), true);
            let found = loop {
                let slot = (u128::from(hash) * scratch.len() as u128) >> 64;
                let Some(entry) = scratch.get_mut(slot as usize) else { never!("less than the slots") };
                if *entry == FREE {
                    *entry = self.distinct;
                    break None;
                }
                if self.rows.get(*entry) == Some(&row) {
                    break Some(*entry);
                }
                if steps == 0 {
                    return position;
                }
                steps -= 1;
                // Another slot, as if at random: neighbouring slots would fill up. See docs/decisions.md, "`coalesce`: a
                // product first, then a mixture, then slots as if at random".
                hash = if is_first {
                    mixed(row.into())
                } else {
                    hash.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1)
                };
                is_first = false;
            };
            self.take(position, found);
        }
        k
    }

    /// Takes in positions from `first` on, by sorting them and the places of the distinct rows so far, which are before
    /// them.
    fn by_sorting(&mut self, scratch: &mut [usize], first: usize) {
        let len = self.distinct + (self.rows.len() - first);
        if first == self.rows.len() {
            return;
        }
        let Some(positions) = scratch.get_mut(..len) else { never!("an entry for each row") };
        for (entry, position) in positions.iter_mut().zip((0..self.distinct).chain(first..self.rows.len())) {
            *entry = position;
        }
        self.sort(positions, true);
        // Those of a row are together now, in order: the others are added to the first, where that is.
        let (mut firsts, mut row) = (0, None);
        for at in 0..len {
            let Some(&position) = positions.get(at) else { never!("an entry for each row") };
            let Some(entry) = positions.get_mut(firsts) else { never!("no more than there are entries") };
            match row {
                Some((key, place)) if key == self.key(position) => self.take(position, Some(place)),
                _ => {
                    row = Some((self.key(position), position));
                    *entry = position;
                    firsts += 1;
                }
            }
        }
        let Some(positions) = positions.get_mut(..firsts) else { never!("no more than there are entries") };
        self.sort(positions, false);
        self.distinct = 0;
        for position in positions {
            self.take(*position, None);
        }
    }

    /// Adds the gradient at a position to those of a place, or gives its row the next place.
    fn take(&mut self, position: usize, place: Option<usize>) {
        let Some((done, ahead)) = self.grads.split_at_mut_checked(position.wrapping_mul(self.dim)) else {
            never!("a gradient for each row")
        };
        // Nothing where the gradient is already in its place.
        let start = place.unwrap_or(self.distinct).wrapping_mul(self.dim);
        let to = done.get_mut(start..start.wrapping_add(self.dim)).unwrap_or_default();
        if place.is_some() {
            for (sum, g) in to.iter_mut().zip(&*ahead) {
                *sum += *g;
            }
        } else {
            for (to, g) in to.iter_mut().zip(&*ahead) {
                *to = *g;
            }
            if let Some(row) = self.rows.get(position).copied()
                && let Some(first) = self.rows.get_mut(self.distinct)
            {
                *first = row;
            }
            self.distinct += 1;
        }
    }

    /// The row at a position, as a number.
    fn key(&self, position: usize) -> u64 {
        self.rows.get(position).map_or(u64::MAX, |row| (*row).into())
    }

    /// Sorts positions, by the rows there first or not. Heapsort: `core`'s sort could panic, as far as the linker knows.
    fn sort(&self, positions: &mut [usize], by_rows: bool) {
        let len = positions.len();
        for start in (0..len / 2).rev() {
            self.sift(positions, start, by_rows);
        }
        for end in (1..len).rev() {
            swap(positions, 0, end);
            self.sift(positions.get_mut(..end).unwrap_or_default(), 0, by_rows);
        }
    }

    /// Moves a position down the heap until no larger one is below it.
    fn sift(&self, heap: &mut [usize], mut at: usize, by_rows: bool) {
        let key = |heap: &[usize], at: usize| {
            let position = *heap.get(at)?;
            Some((if by_rows { self.key(position) } else { 0 }, position))
        };
        loop {
            let below = [2 * at + 1, 2 * at + 2];
            let [Some(left), right] = below.map(|child| key(heap, child)) else { return };
            let child = if right.is_some_and(|right| right > left) { below[1] } else { below[0] };
            if key(heap, child) <= key(heap, at) {
                return;
            }
            swap(heap, at, child);
            at = child;
        }
    }
}

/// A swap that never panics.
fn swap(places: &mut [usize], a: usize, b: usize) {
    let Ok([a, b]) = places.get_disjoint_mut([a, b]) else { never!("two places") };
    core::mem::swap(a, b);
}

/// A product in which most lists of rows are spread: with 2⁶⁴ divided by the golden ratio. Some arithmetic progressions are
/// not, and take another step.
fn spread(bits: u64) -> u64 {
    bits.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// A mixture of the bits: the finalizer of `SplitMix64` (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number
/// Generators*, 2014), so that an arithmetic progression is spread like any other list.
fn mixed(bits: u64) -> u64 {
    let z = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::cell::Cell;
    use std::vec::Vec;

    use super::Groups;
    use crate::coalesce;

    std::thread_local!(static READS: Cell<usize> = const { Cell::new(0) });

    /// A row that counts how often it is read, but for `==`.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Counted(u64);

    impl From<Counted> for u64 {
        fn from(row: Counted) -> Self {
            READS.set(READS.get() + 1);
            row.0
        }
    }

    /// Sorting alone gives what hashing gives, from any position on.
    #[test]
    fn sorting_is_hashing() {
        let rows: Vec<u32> = (0..300_u32).map(|i| i.wrapping_mul(2_654_435_769) % 97).collect();
        let grads: Vec<f32> = (0..600_u16).map(f32::from).collect();
        let mut scratch = [0; 300];
        let (mut hashed_rows, mut hashed_grads) = (rows.clone(), grads.clone());
        let mut hashed = Groups { rows: &mut hashed_rows, grads: &mut hashed_grads, dim: 2, distinct: 0 };
        assert_eq!(hashed.by_hashing(&mut scratch), 300);
        let distinct = hashed.distinct;
        for first in [0, 1, 2, 50, 299] {
            let (mut sorted_rows, mut sorted_grads) = (rows.clone(), grads.clone());
            let mut sorted = Groups { rows: &mut sorted_rows, grads: &mut sorted_grads, dim: 2, distinct: 0 };
            let mut start =
                Groups { rows: &mut sorted.rows[..first], grads: &mut sorted.grads[..2 * first], dim: 2, distinct: 0 };
            start.by_hashing(&mut scratch);
            sorted.distinct = start.distinct;
            sorted.by_sorting(&mut scratch, first);
            assert_eq!(sorted.distinct, distinct);
            assert_eq!(sorted_rows[..distinct], hashed_rows[..distinct]);
            assert_eq!(sorted_grads[..2 * distinct], hashed_grads[..2 * distinct]);
        }
    }

    /// Whatever the order of the rows, sorting reads at most `5·k·log₂ k` of them, and some more. Eight times as many rows
    /// would be enough to find a `log² k`.
    #[test]
    fn sorting_is_k_log_k() {
        let sizes: &[u64] = if cfg!(miri) { &[20, 50] } else { &[20, 1000, 8000, 64_000] };
        for &k in sizes {
            let orders: [fn(u64, u64) -> u64; 6] = [
                |i, _| i,
                |i, k| k - i,
                |_, _| 7,
                |i, k| i.min(k - i),
                |i, _| i.wrapping_mul(0x9E37_79B9_7F4A_7C15),
                |i, k| if i < k / 2 { i } else { i % 3 },
            ];
            for (number, order) in orders.into_iter().enumerate() {
                let mut rows: Vec<Counted> = (0..k).map(|i| Counted(order(i, k))).collect();
                let (mut grads, mut scratch) = (std::vec![1.0; rows.len()], std::vec![0; rows.len()]);
                READS.set(0);
                let mut groups = Groups { rows: &mut rows, grads: &mut grads, dim: 1, distinct: 0 };
                groups.by_sorting(&mut scratch, 0);
                let (reads, limit) = (READS.get() as f64, 5.0 * k as f64 * (k as f64).log2() + 10.0 * k as f64);
                assert!(reads <= limit, "order {number}, {k} rows: {reads} reads, at most {limit}");
            }
        }
    }

    /// What `super::mixed` makes this hash of.
    fn unmixed(hash: u64) -> u64 {
        // What times an odd number is 1, by Newton's method.
        let inverse = |odd: u64| (0..5).fold(odd, |x, _| x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x))));
        let z = hash ^ hash >> 31 ^ hash >> 62;
        let z = z.wrapping_mul(inverse(0x94D0_49BB_1331_11EB));
        let z = z ^ z >> 27 ^ z >> 54;
        let z = z.wrapping_mul(inverse(0xBF58_476D_1CE4_E5B9));
        z ^ z >> 30 ^ z >> 60
    }

    /// Seven rows for seven of eight slots, and an eighth that searches for the last slot longer than is allowed. Its mixture was
    /// found by going through 2³⁴ of them.
    #[test]
    fn rows_that_were_chosen_to_collide() {
        let rows = [0, 1, 2, 3, 4, 6, 7, unmixed(0x0EDD_0A5E_5940_0205)];
        let (mut there, mut sums, mut scratch) = (rows, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [0; 8]);
        let mut groups = Groups { rows: &mut there[..], grads: &mut sums, dim: 1, distinct: 0 };
        assert_eq!(groups.by_hashing(&mut scratch), 7);
        assert_eq!(coalesce(&mut there, &mut sums, 1, &mut scratch), Ok(8));
        assert_eq!((there, sums), (rows, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]));
    }
}
