//! What a call returns.

use core::ffi::CStr;

use adagrad_rs::Error;

/// What a call returns. Below 0, no array was written.
#[repr(i32)] // not `C`: by Arm's default such an enum has one byte, and four with -fno-short-enums
#[derive(Clone, Copy, PartialEq)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// A pointer is null: to something that is needed, or to an array whose length is not 0.
    Null = -1,
    /// A pointer is not a multiple of its type's alignment.
    Misaligned = -2,
    /// An array that the call writes overlaps another one.
    Overlap = -3,
    /// An array is too long for the address space, or a scratch array too short.
    Length = -4,
    /// The number of columns is 0, or greater than a row, or than a gradient stride.
    Dim = -5,
    /// A row index is not less than the number of rows.
    Row = -6,
    /// A hyper-parameter is out of its range: see adagrad_bad_option.
    Option = -7,
    /// An accumulator is negative, infinite or NaN.
    Accumulator = -8,
    /// The backend that was named needs instructions that this CPU, or this build, does not have.
    Unavailable = -9,
    /// An error that has no number here.
    Other = -10,
    /// A number of a plain struct, such as a layout, is none that it may have.
    Unknown = -11,
    /// An offset of bags is out of order: see adagrad_bags_u32.
    Offset = -12,
    /// There is no owner of rows, or a range ends before it begins.
    Owners = -13,
    /// A row was last seen after the step that is asked for.
    Step = -14,
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Length { .. } | Error::TooShort { .. } | Error::Overflow { .. } => Self::Length,
            Error::ZeroDim | Error::Stride { .. } => Self::Dim,
            Error::Row { .. } => Self::Row,
            Error::Hyperparameter { .. } => Self::Option,
            Error::Accumulator { .. } => Self::Accumulator,
            Error::Unavailable { .. } => Self::Unavailable,
            Error::Offset { .. } => Self::Offset,
            Error::NoOwners | Error::Range { .. } => Self::Owners,
            Error::Step { .. } => Self::Step,
            _ => Self::Other,
        }
    }
}

/// What a number says, which may be any.
pub fn message(status: i32) -> &'static CStr {
    const TEXTS: [&CStr; 15] = [
        c"done",
        c"a pointer is null",
        c"a pointer is misaligned",
        c"arrays overlap",
        c"an array is too long or too short",
        c"the number of columns is 0 or too great",
        c"a row index is not in the table",
        c"a hyper-parameter is out of its range",
        c"an accumulator is negative, infinite or NaN",
        c"the backend is not available",
        c"another error",
        c"a number of a struct is not known",
        c"an offset of bags is out of order",
        c"no owner of rows, or a range that ends before it begins",
        c"a row was last seen after this step",
    ];
    TEXTS.get(status.unsigned_abs() as usize).filter(|_| status <= 0).copied().unwrap_or(c"no status of adagrad")
}
