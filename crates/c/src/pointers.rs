//! What can be told of C's pointers without following them.

use crate::status::Status;

/// The addresses of an array: its first byte, and the one behind its last. An empty one has none.
pub type Span = (usize, usize);

/// The addresses of an array, if a slice may be made of it.
#[inline(always)]
pub fn span<T>(start: *const T, len: usize) -> Result<Span, Status> {
    if len == 0 {
        return Ok((0, 0));
    }
    if start.is_null() {
        return Err(Status::Null);
    }
    if !start.is_aligned() {
        return Err(Status::Misaligned);
    }
    if len > isize::MAX as usize / size_of::<T>() {
        return Err(Status::Length);
    }
    let end = start.addr().checked_add(len * size_of::<T>()).ok_or(Status::Length)?;
    Ok((start.addr(), end))
}

/// An array that the call writes must not overlap others.
#[inline(always)]
pub fn apart(a: Span, b: Span) -> Result<(), Status> {
    if a.0 < b.1 && b.0 < a.1 { Err(Status::Overlap) } else { Ok(()) }
}

/// A report may be absent, but not misaligned.
#[inline(always)]
pub fn optional<T>(pointer: *const T) -> Result<(), Status> {
    if pointer.is_aligned() { Ok(()) } else { Err(Status::Misaligned) }
}
