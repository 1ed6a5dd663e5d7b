//! The shape of a table, and which rank owns which of its rows.

use std::ops::Range;

use adagrad::Owners;

use crate::Error;

/// Which rank owns a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// Rank `row mod ranks`. Popular rows that stand together are spread over the ranks.
    Modulo,
    /// Ranges of ⌈rows/ranks⌉ rows. The shards, one behind the other, are the table.
    Ranges,
}

/// How many accumulators a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulators {
    /// One per element, as [`adagrad::Table::new`].
    ElementWise,
    /// One per row, as [`adagrad::Table::row_wise`].
    RowWise,
}

/// The shape of a table, the same on all ranks.
///
/// ```
/// use adagrad_mpi::{Accumulators, Division, Shape};
///
/// let shape = Shape::new(1_000_000, 64).row_wise().in_ranges();
/// assert_eq!((shape.rows, shape.dim), (1_000_000, 64));
/// assert_eq!((shape.accumulators, shape.division), (Accumulators::RowWise, Division::Ranges));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The rows of the whole table.
    pub rows: usize,
    /// The columns.
    pub dim: usize,
    /// One accumulator per element or one per row.
    pub accumulators: Accumulators,
    /// Which rank owns which rows.
    pub division: Division,
}

impl Shape {
    /// `rows` of `dim` columns, with one accumulator per element, divided by [`Division::Modulo`].
    #[must_use]
    pub const fn new(rows: usize, dim: usize) -> Self {
        Self { rows, dim, accumulators: Accumulators::ElementWise, division: Division::Modulo }
    }

    /// With one accumulator per row.
    #[must_use]
    pub const fn row_wise(self) -> Self {
        Self { accumulators: Accumulators::RowWise, ..self }
    }

    /// Divided by [`Division::Ranges`].
    #[must_use]
    pub const fn in_ranges(self) -> Self {
        Self { division: Division::Ranges, ..self }
    }

    /// The accumulators of a row.
    pub(crate) const fn accumulators_per_row(self) -> usize {
        match self.accumulators {
            Accumulators::ElementWise => self.dim,
            Accumulators::RowWise => 1,
        }
    }
}

/// Where the rows of a table are.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    division: Division,
    rows: usize,
    rank: usize,
    /// The ends of the ranges.
    ends: Vec<usize>,
}

impl Place {
    pub(crate) fn new(shape: Shape, rank: usize, ranks: usize) -> Self {
        let ends = (0..ranks).map(|rank| range(shape.rows, rank, ranks).end).collect();
        Self { division: shape.division, rows: shape.rows, rank, ends }
    }

    pub(crate) fn owners(&self) -> Owners<'_> {
        match self.division {
            Division::Modulo => Owners::Modulo { owners: self.ends.len(), rows: self.rows },
            Division::Ranges => Owners::Ranges(&self.ends),
        }
    }

    /// The rows that this rank owns, in order.
    pub(crate) fn own(&self) -> std::iter::StepBy<Range<usize>> {
        let ranks = self.ends.len();
        match self.division {
            Division::Modulo => (self.rank.min(self.rows)..self.rows).step_by(ranks),
            Division::Ranges => range(self.rows, self.rank, ranks).step_by(1),
        }
    }
}

/// The part of `len` things that a rank has, where each has ⌈len/ranks⌉ of them, the last fewer.
pub(crate) fn range(len: usize, rank: usize, ranks: usize) -> Range<usize> {
    let each = len.div_ceil(ranks);
    let at = |rank: usize| each.saturating_mul(rank).min(len);
    at(rank)..at(rank + 1)
}

/// `a·b` values, if MPI can count them.
pub(crate) fn count(what: &'static str, a: usize, b: usize) -> Result<usize, Error> {
    let most = i32::MAX as usize;
    match a.checked_mul(b) {
        Some(count) if count <= most => Ok(count),
        _ => Err(Error::TooMany { what, count: a as u128 * b as u128, most }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Shape, count, range};

    #[test]
    fn what_mpi_cannot_count_is_refused() {
        assert_eq!(count("values", i32::MAX as usize, 1).expect("2³¹ − 1"), i32::MAX as usize);
        let error = |a, b| count("values", a, b).expect_err("too many").to_string();
        let most = "expected at most 2147483647, which is what MPI counts";
        assert_eq!(error(1 << 16, 1 << 15), format!("values is 2147483648 values, {most}"));
        assert_eq!(error(usize::MAX, 2), format!("values is {} values, {most}", usize::MAX as u128 * 2));
    }

    #[test]
    fn each_row_has_one_owner() {
        for (rows, ranks) in [(0, 1), (0, 3), (1, 4), (10, 3), (12, 4), (13, 7), (usize::MAX, 3)] {
            assert_eq!(range(rows, 0, ranks).start, 0);
            assert_eq!(range(rows, ranks - 1, ranks).end, rows);
            for shape in [Shape::new(rows, 2), Shape::new(rows, 2).in_ranges()] {
                let places: Vec<_> = (0..ranks).map(|rank| Place::new(shape, rank, ranks)).collect();
                assert_eq!(places.iter().map(|place| place.own().len()).sum::<usize>(), rows);
                for (rank, place) in places.iter().enumerate() {
                    for (local, row) in place.own().enumerate().take(20) {
                        assert_eq!(places[0].owners().local(row), Some((rank, local)));
                    }
                }
            }
        }
    }
}
