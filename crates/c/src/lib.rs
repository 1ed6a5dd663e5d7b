//! The C library of `adagrad`. [`abi`] has the functions that C calls with pointers, and all `unsafe` blocks: it makes
//! slices of pointers. The rest is safe: the functions of values, what a call does with slices, and the C forms of
//! options, schedules and errors.
#![no_std]

mod abi;
mod calls;
mod options;
mod pointers;
mod regularized;
#[cfg(feature = "half")]
mod rounding;
mod schedule;
#[cfg(feature = "half")]
mod sixteen;
mod status;
mod steps;
mod table;
mod values;
