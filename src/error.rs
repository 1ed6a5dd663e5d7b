//! Why a call was refused.

use core::fmt;

use crate::Backend;

/// Why a call was refused. Every check comes before the first write, so after an error all memory is as it was.
///
/// ```
/// use adagrad::{Adagrad, Error};
///
/// let (mut params, mut accumulator) = ([1.0, 2.0], [0.0, 0.0]);
/// let error = Adagrad::new(0.1).step(&mut params, &[1.0], &mut accumulator).unwrap_err();
/// assert_eq!(error, Error::Length { what: "grads", expected: 2, actual: 1 });
/// assert_eq!(error.to_string(), "grads has length 1, expected 2");
/// assert_eq!(params, [1.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A slice has the wrong length.
    Length {
        /// The argument.
        what: &'static str,
        /// The length that fits the other arguments.
        expected: usize,
        /// Its length.
        actual: usize,
    },
    /// A slice is too short.
    TooShort {
        /// The argument.
        what: &'static str,
        /// The least length that is enough.
        minimum: usize,
        /// Its length.
        actual: usize,
    },
    /// The number of columns is 0.
    ZeroDim,
    /// The length of a table's memory is not a multiple of that of a row.
    NotRows {
        /// The argument.
        what: &'static str,
        /// Its length.
        len: usize,
        /// The length of a row there.
        row: usize,
    },
    /// A row, or a gradient, has fewer values than there are columns.
    Stride {
        /// The argument.
        what: &'static str,
        /// From where a row begins to where the next one does.
        stride: usize,
        /// The number of columns.
        dim: usize,
    },
    /// A row index is negative, or not less than the number of rows.
    Row {
        /// Its position among the row indices.
        position: usize,
        /// The index.
        row: i128,
        /// The number of rows in the table.
        rows: usize,
    },
    /// An offset of [`Bags`](crate::Bags) is out of order.
    Offset {
        /// Its position among the offsets.
        position: usize,
        /// The offset.
        offset: i128,
        /// The least that it may be.
        least: usize,
        /// The greatest that it may be.
        greatest: usize,
    },
    /// There is no owner of rows.
    NoOwners,
    /// A range of rows ends before it begins.
    Range {
        /// Its position among the ranges.
        position: usize,
        /// Its end.
        end: usize,
        /// Its start, the end of the range before.
        start: usize,
    },
    /// The number of gradients, one for each row index or bag, times the number of columns overflows `usize`.
    Overflow {
        /// The number of gradients.
        rows: usize,
        /// The number of columns.
        dim: usize,
    },
    /// A hyper-parameter is out of its range.
    Hyperparameter {
        /// The hyper-parameter.
        what: &'static str,
        /// Its value.
        value: f32,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// An accumulator is negative, infinite or NaN.
    Accumulator {
        /// Its position.
        position: usize,
        /// Its value.
        value: f32,
    },
    /// A row was last seen after the step that is to be taken.
    Step {
        /// Its position among the row indices.
        position: usize,
        /// The step in which it was last seen.
        last: u32,
        /// The step that is to be taken.
        step: u32,
    },
    /// The backend needs instructions that this CPU, or this build, does not have.
    Unavailable {
        /// The backend that was named.
        backend: Backend,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Length { what, expected, actual } => {
                write!(f, "{what} has length {actual}, expected {expected}")
            }
            Self::TooShort { what, minimum, actual } => {
                write!(f, "{what} has length {actual}, expected at least {minimum}")
            }
            Self::ZeroDim => write!(f, "dim is 0, expected at least 1"),
            Self::NotRows { what, len, row } => {
                write!(f, "{what} has length {len}, expected a multiple of {row}, the length of a row")
            }
            Self::Stride { what, stride, dim } => {
                write!(f, "{what}: rows are {stride} apart, expected at least the {dim} columns")
            }
            Self::Row { position, row, rows } => {
                write!(f, "rows[{position}] is {row}, expected 0 or more and less than {rows}, the table's rows")
            }
            Self::Offset { position, offset, least, greatest } => {
                write!(f, "offsets[{position}] is {offset}, expected {least} to {greatest}")
            }
            Self::NoOwners => write!(f, "there are 0 owners, expected at least 1"),
            Self::Range { position, end, start } => {
                write!(f, "ends[{position}] is {end}, expected at least {start}, where its range begins")
            }
            Self::Overflow { rows, dim } => {
                write!(f, "{rows} rows of {dim} columns overflow usize")
            }
            Self::Hyperparameter { what, value, expected } => {
                write!(f, "{what} is {value}, expected {expected}")
            }
            Self::Accumulator { position, value } => {
                write!(f, "accumulator[{position}] is {value}, expected finite and at least 0")
            }
            Self::Step { position, last, step } => {
                write!(f, "rows[{position}] was last seen in step {last}, expected at most {step}, the step")
            }
            Self::Unavailable { backend } => {
                write!(f, "the {backend} backend is not available on this CPU or in this build")
            }
        }
    }
}

impl core::error::Error for Error {}

#[inline(always)]
pub(crate) fn check_length(what: &'static str, expected: usize, actual: usize) -> Result<(), Error> {
    if actual == expected { Ok(()) } else { Err(Error::Length { what, expected, actual }) }
}

#[inline(always)]
pub(crate) fn check_room(what: &'static str, minimum: usize, actual: usize) -> Result<(), Error> {
    if actual >= minimum { Ok(()) } else { Err(Error::TooShort { what, minimum, actual }) }
}

pub(crate) fn check_stride(what: &'static str, stride: usize, dim: usize) -> Result<(), Error> {
    match dim {
        0 => Err(Error::ZeroDim),
        _ if stride < dim => Err(Error::Stride { what, stride, dim }),
        _ => Ok(()),
    }
}
