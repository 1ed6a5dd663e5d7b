//! Sorts gradients of rows by who owns the rows.

use crate::Error;
use crate::error::check_length;
use crate::kernel::never;
use crate::table::{Indices, IndicesMut, RowIndex, check_gradient_rows, first_outside};

/// Who owns which rows of a table that is divided among threads, processes or machines, for [`partition`](partition()).
///
/// Each owner has a table of its own rows. [`Owners::local`] says where in it a row is.
///
/// ```
/// use adagrad::Owners;
///
/// let ranges = Owners::Ranges(&[4, 4, 10]); // rows 0 to 3, none, and rows 4 to 9
/// assert_eq!(ranges.local(5), Some((2, 1)));
/// let modulo = Owners::Modulo { owners: 3, rows: 10 };
/// assert_eq!(modulo.local(5), Some((2, 1)));
/// assert_eq!(modulo.local(10), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Owners<'a> {
    /// One range of rows for each owner: owner 0 has the rows from 0 to before `ends[0]`, owner `k` those from
    /// `ends[k − 1]` to before `ends[k]`. A range may be empty. The last end is the number of rows of the whole table.
    Ranges(&'a [usize]),
    /// Row `r` belongs to owner `r mod owners`.
    Modulo {
        /// The number of owners.
        owners: usize,
        /// The number of rows of the whole table.
        rows: usize,
    },
}

impl Owners<'_> {
    /// The number of owners.
    #[must_use]
    pub fn count(&self) -> usize {
        match *self {
            Self::Ranges(ends) => ends.len(),
            Self::Modulo { owners, .. } => owners,
        }
    }

    /// The number of rows of the whole table.
    #[must_use]
    pub fn rows(&self) -> usize {
        match *self {
            Self::Ranges(ends) => ends.last().copied().unwrap_or(0),
            Self::Modulo { rows, .. } => rows,
        }
    }

    /// The owner of a row, and the row's index in its table: the row less the first of the range, or the row divided by
    /// the number of owners. `None` where nobody owns the row.
    #[must_use]
    #[inline(always)]
    pub fn local(&self, row: usize) -> Option<(usize, usize)> {
        match *self {
            Self::Ranges(ends) => {
                let owner = ends.partition_point(|end| *end <= row);
                let start = match owner.checked_sub(1) {
                    Some(before) => ends.get(before).copied()?,
                    None => 0,
                };
                if owner < ends.len() { Some((owner, row.wrapping_sub(start))) } else { None }
            }
            Self::Modulo { owners, rows } => {
                if row < rows {
                    Some((row.checked_rem(owners)?, row.checked_div(owners)?))
                } else {
                    None
                }
            }
        }
    }

    /// Checks that there is an owner, and that no range ends before it begins.
    fn check(&self) -> Result<(), Error> {
        if self.count() == 0 {
            return Err(Error::NoOwners);
        }
        if let Self::Ranges(ends) = *self {
            let mut before = 0;
            for (position, end) in ends.iter().enumerate() {
                if *end < before {
                    return Err(Error::Range { position, end: *end, start: before });
                }
                before = *end;
            }
        }
        Ok(())
    }
}

/// Sorts gradients of rows by who owns the rows: what a table that is divided among threads, processes or machines needs
/// before it sends them.
///
/// `rows` are `k` row indices of the whole table, and `grads` are their gradients, `k·dim` values. `to_rows` and
/// `to_grads` are as long. After the call they hold the same gradients, those for owner 0 first, then those for owner 1,
/// and so on. `counts`, one value per owner, says how many rows each got. `to_rows` holds each row's index in its owner's
/// own table, as [`Owners::local`] says, so that the owner can step with it.
///
/// An owner's rows are in the order that they had. So if each owner calls
/// [`Adagrad::step_rows`](crate::Adagrad::step_rows) with its part, their tables have the bits that one call makes of the
/// whole table: a row's steps are the same, in the same order.
///
/// It takes `O(k·dim)`, and `O(k·log owners)` for ranges. Each gradient is copied once.
///
/// ```
/// use adagrad::{Adagrad, Owners, Table, partition};
///
/// let (rows, grads) = ([4_u32, 1, 3, 1], [4.0, 10.0, 3.0, 1.0]);
/// let (mut to_rows, mut to_grads, mut counts) = ([0; 4], [0.0; 4], [0; 2]);
/// let owners = Owners::Modulo { owners: 2, rows: 6 };
/// partition(&rows, &grads, 1, owners, &mut to_rows, &mut to_grads, &mut counts)?;
/// assert_eq!(counts, [1, 3]); // row 4, and rows 1, 3 and 1
/// assert_eq!(to_rows, [2, 0, 1, 0]);
/// assert_eq!(to_grads, [4.0, 10.0, 3.0, 1.0]);
///
/// // What owner 1 does with its part.
/// let (mut params, mut accumulator) = ([0.0; 3], [0.0; 3]); // of rows 1, 3 and 5
/// let mut table = Table::new(&mut params, &mut accumulator, 1)?;
/// Adagrad::new(0.1).step_rows(&mut table, &to_rows[counts[0]..], &to_grads[counts[0]..])?;
/// assert_eq!(accumulator, [101.0, 9.0, 0.0]);
/// # Ok::<(), adagrad::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::ZeroDim`]; [`Error::NoOwners`]; [`Error::Range`] for the first range that ends before it begins;
/// [`Error::Overflow`] if `k·dim` overflows `usize`; [`Error::Length`] if `grads`, `to_rows`, `to_grads` or `counts` has
/// another length than this says; [`Error::Row`] for the first row that is not in the table. All slices are then as they
/// were.
pub fn partition<I: RowIndex>(
    rows: &[I],
    grads: &[f32],
    dim: usize,
    owners: Owners<'_>,
    to_rows: &mut [I],
    to_grads: &mut [f32],
    counts: &mut [usize],
) -> Result<(), Error> {
    if dim == 0 {
        return Err(Error::ZeroDim);
    }
    owners.check()?;
    check_gradient_rows(rows.len(), grads.len(), dim)?;
    check_length("to_rows", rows.len(), to_rows.len())?;
    check_length("to_grads", grads.len(), to_grads.len())?;
    check_length("counts", owners.count(), counts.len())?;
    let end = (owners.rows() as u64).min(I::END.wrapping_sub(1));
    if !I::indices(rows).are_below(end) {
        first_outside(rows, owners.rows())?;
    }
    match (I::indices(rows), I::indices_mut(to_rows)) {
        (Indices::U32(rows), IndicesMut::U32(to_rows)) => {
            partition_u32(rows, grads, dim, owners, to_rows, to_grads, counts);
        }
        (Indices::U64(rows), IndicesMut::U64(to_rows)) => {
            partition_u64(rows, grads, dim, owners, to_rows, to_grads, counts);
        }
        _ => never!("one type of index", Ok(())),
    }
    Ok(())
}

// These are compiled with this crate and at its level of optimization.

fn partition_u32(
    rows: &[u32],
    grads: &[f32],
    dim: usize,
    owners: Owners<'_>,
    to_rows: &mut [u32],
    to_grads: &mut [f32],
    counts: &mut [usize],
) {
    sort(rows, grads, dim, owners, to_rows, to_grads, counts);
}

fn partition_u64(
    rows: &[u64],
    grads: &[f32],
    dim: usize,
    owners: Owners<'_>,
    to_rows: &mut [u64],
    to_grads: &mut [f32],
    counts: &mut [usize],
) {
    sort(rows, grads, dim, owners, to_rows, to_grads, counts);
}

/// A counting sort. Each row is in the table, and the lengths fit.
#[inline(always)]
fn sort<I: RowIndex + TryFrom<usize>>(
    rows: &[I],
    grads: &[f32],
    dim: usize,
    owners: Owners<'_>,
    to_rows: &mut [I],
    to_grads: &mut [f32],
    counts: &mut [usize],
) {
    let owner_of = |row: I| I::to_usize(row).and_then(|row| owners.local(row));
    counts.fill(0);
    for row in rows {
        let Some(count) = owner_of(*row).and_then(|(owner, _)| counts.get_mut(owner)) else {
            never!("it has an owner")
        };
        *count = count.wrapping_add(1);
    }
    // Each count becomes the place where the owner's next row goes.
    let mut start = 0_usize;
    for count in &mut *counts {
        let next = start.wrapping_add(*count);
        *count = start;
        start = next;
    }
    let mut rest = grads;
    for row in rows {
        let Some((g, behind)) = rest.split_at_checked(dim) else { never!("a gradient for each row") };
        rest = behind;
        let Some((owner, local)) = owner_of(*row) else { never!("it has an owner") };
        let Some(place) = counts.get_mut(owner) else { never!("a count for each owner") };
        let (Some(to_row), Ok(local)) = (to_rows.get_mut(*place), I::try_from(local)) else {
            never!("a place, and an index that is not greater than the row")
        };
        *to_row = local;
        let at = place.wrapping_mul(dim);
        for (to, from) in to_grads.get_mut(at..at.wrapping_add(dim)).unwrap_or_default().iter_mut().zip(g) {
            *to = *from;
        }
        *place = place.wrapping_add(1);
    }
    // Each is now the place behind the owner's last row.
    let mut start = 0_usize;
    for count in counts {
        let end = *count;
        *count = end.wrapping_sub(start);
        start = end;
    }
}
