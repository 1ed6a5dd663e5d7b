use crate::Error;
use crate::table::{RowIndex, check_gradient_rows};

/// Sums the gradients of rows that appear more than once, in place, and returns how many distinct rows there are.
///
/// A row that appears twice in [`Adagrad::step_rows`](crate::Adagrad::step_rows) gets two steps. `PyTorch` gives it one
/// step with the sum; coalesce first for that.
///
/// `rows` are `k` row indices and `grads` their gradients, `k·dim` values. After the call the first `n` entries of
/// `rows` are the distinct rows, in order of their first occurrence, and the first `n·dim` values of `grads` their
/// sums, each added up in order of occurrence: `((g₁ + g₂) + g₃) + …`. What stands behind them is unspecified.
///
/// `scratch` needs at least `k` values, and should have `2·k`; what is in them does not matter. It becomes a hash table:
/// with `2·k` finding the rows takes `O(k)` look-ups on average, with `k` it takes `O(k·√k)`, and indices chosen to
/// collide take `O(k²)`. Each gradient is moved or added once in any case.
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
/// [`Error::ZeroDim`], [`Error::Overflow`], [`Error::Length`] if `grads` has not `k·dim` values, [`Error::TooShort`]
/// if `scratch` has not `k`. All slices are then as they were. Indices are only compared here: one that is negative or
/// too large is found by the step.
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
    if scratch.len() < k {
        return Err(Error::TooShort { what: "scratch", minimum: k, actual: scratch.len() });
    }

    // An open-addressed hash table: each entry is the position of a distinct row. When row `j` is looked for there are
    // at most `j < k` entries, so that a search ends at its row or at a free slot.
    const FREE: usize = usize::MAX;
    scratch.fill(FREE);
    let mut distinct = 0;
    for position in 0..k {
        let Some(&row) = rows.get(position) else { break };
        let Some((done, ahead)) = grads.split_at_mut_checked(position.wrapping_mul(dim)) else { break };
        let mut slot = home(row, scratch.len());
        loop {
            let Some(entry) = scratch.get_mut(slot) else {
                slot = 0;
                continue;
            };
            if *entry == FREE {
                *entry = distinct;
                if let Some(first) = rows.get_mut(distinct) {
                    *first = row;
                }
                for (to, from) in gradient_of(done, distinct, dim).iter_mut().zip(&*ahead) {
                    *to = *from;
                }
                distinct += 1;
                break;
            }
            if rows.get(*entry) == Some(&row) {
                for (sum, g) in gradient_of(done, *entry, dim).iter_mut().zip(&*ahead) {
                    *sum += *g;
                }
                break;
            }
            slot += 1;
        }
    }
    Ok(distinct)
}

/// The slot where the search for a row begins: Fibonacci hashing, scaled to the number of slots.
fn home<I: RowIndex>(row: I, slots: usize) -> usize {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15; // 2⁶⁴ divided by the golden ratio
    ((u128::from(I::to_bits(row).wrapping_mul(GOLDEN)) * slots as u128) >> 64) as usize
}

/// One gradient among those already seen; empty where it is the one that is looked at, and so already in its place.
fn gradient_of(done: &mut [f32], position: usize, dim: usize) -> &mut [f32] {
    let start = position.wrapping_mul(dim);
    done.get_mut(start..start.wrapping_add(dim)).unwrap_or_default()
}
