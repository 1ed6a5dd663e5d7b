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
/// collide are sorted instead, which takes `O(k·log² k)`. In any case each gradient is moved or added once.
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
        // average. At most about twice as many are allowed.
        let mut steps = k.saturating_mul(16 + 2 * k.checked_ilog2().unwrap_or(0) as usize);
        scratch.fill(FREE);
        for position in 0..k {
            let Some(&row) = self.rows.get(position) else { never!("a position") };
            let mut hash = mixed(row.into());
            let found = loop {
                if steps == 0 {
                    return position;
                }
                steps -= 1;
                let slot = (u128::from(hash) * scratch.len() as u128) >> 64;
                let Some(entry) = scratch.get_mut(slot as usize) else { never!("less than the slots") };
                if *entry == FREE {
                    *entry = self.distinct;
                    break None;
                }
                if self.rows.get(*entry) == Some(&row) {
                    break Some(*entry);
                }
                // Another slot, as if at random: neighbouring slots would fill up. See docs/decisions.md, "`coalesce`".
                hash = hash.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            };
            self.take(position, found);
        }
        k
    }

    /// Takes in positions from `first` on, by search in sorted runs. The places of the distinct rows are in as many
    /// runs as their number has bits that are 1, each as long as its bit says, the longest first. So adding a place to
    /// them sorts again what is short, mostly, and what is long, seldom.
    fn by_sorting(&mut self, scratch: &mut [usize], first: usize) {
        if first == self.rows.len() {
            return;
        }
        for (place, entry) in scratch.iter_mut().enumerate().take(self.distinct) {
            *entry = place;
        }
        for run in runs(self.distinct) {
            self.sort(scratch.get_mut(run).unwrap_or_default());
        }
        for position in first..self.rows.len() {
            let Some(&row) = self.rows.get(position) else { never!("a position") };
            let key = row.into();
            let found = runs(self.distinct).find_map(|run| {
                let run = scratch.get(run)?;
                let at = run.partition_point(|place| self.key(*place) < key);
                run.get(at).copied().filter(|place| self.key(*place) == key)
            });
            if found.is_none() {
                let Some(entry) = scratch.get_mut(self.distinct) else { never!("an entry for each row") };
                *entry = self.distinct;
            }
            self.take(position, found);
            if found.is_none()
                && let Some(run) = runs(self.distinct).last()
            {
                self.sort(scratch.get_mut(run).unwrap_or_default());
            }
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

    /// What places are sorted by: the row there.
    fn key(&self, place: usize) -> u64 {
        self.rows.get(place).map_or(u64::MAX, |row| (*row).into())
    }

    /// Heapsort: `core`'s sort could panic, as far as the linker knows.
    fn sort(&self, places: &mut [usize]) {
        let len = places.len();
        for start in (0..len / 2).rev() {
            self.sift(places, start);
        }
        for end in (1..len).rev() {
            swap(places, 0, end);
            self.sift(places.get_mut(..end).unwrap_or_default(), 0);
        }
    }

    /// Moves a place down the heap until no larger one is below it.
    fn sift(&self, heap: &mut [usize], mut at: usize) {
        loop {
            let below = [2 * at + 1, 2 * at + 2];
            let [Some(left), right] = below.map(|child| heap.get(child).map(|place| self.key(*place))) else { return };
            let child = if right.is_some_and(|right| right > left) { below[1] } else { below[0] };
            if heap.get(child).map(|place| self.key(*place)) <= heap.get(at).map(|place| self.key(*place)) {
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

/// The runs of `places` places: one for each bit that is 1, the longest first.
fn runs(places: usize) -> impl Iterator<Item = core::ops::Range<usize>> {
    let mut start = 0;
    core::iter::from_fn(move || {
        let bit = (places - start).checked_ilog2()?;
        let run = start..start + (1 << bit);
        start = run.end;
        Some(run)
    })
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

    use std::vec::Vec;

    use super::Groups;

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
}
