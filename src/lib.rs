//! Adagrad steps over `f32` slices: `no_std`, without allocation, and with the same bits on every backend.
//!
//! - [`Adagrad`] holds the hyper-parameters. [`Adagrad::step`] updates slices. [`Adagrad::step_rows`] updates rows of a
//!   [`Table`], with one accumulator per element or per row; [`coalesce`](coalesce()) sums duplicate rows first, and
//!   [`partition`](partition()) sorts rows by who owns them. [`Adagrad::step_bags`] is for rows that share a gradient, in
//!   [`Bags`].
//! - [`Ftrl`] and [`Proximal`] are steps with L1 and L2, whose parameters become exactly 0.
//! - The memory is the caller's. A call that returns an [`Error`] has written nothing, and no call panics.
//! - [`Backend`] is chosen at run time, even without `std`: scalar, portable SIMD, NEON, AVX2, AVX-512. The results do not
//!   depend on it.
//! - [`Schedule`] is a learning rate as a function of the step. [`Accumulation`] can forget. [`Adagrad::summary`] says how
//!   far the effective rates have fallen. [`NonFinite`], [`all_finite`], [`sum_of_squares`], [`clip_norm_scale`] and
//!   [`check_accumulator`] guard against bad gradients and states.
//! - With the feature `half`, `Adagrad::step_mixed`, `step_mixed_rows` and `step_mixed_bags` step `bf16` and `f16`.
//! - With the feature `rayon`, `Adagrad::par_step`, `par_step_rows` and `par_step_bags` run on several threads, those of [`Ftrl`]
//!   and [`Proximal`], too, and with `half` also `par_step_mixed`, `par_step_mixed_rows` and `par_step_mixed_bags`. Only these
//!   can panic: if rayon cannot start its threads.
//!
//! ```
//! use adagrad::Adagrad;
//!
//! // Minimize (x − 3)² + 10·(y + 1)².
//! let opt = Adagrad::new(0.5);
//! let mut params = [0.0, 0.0];
//! let mut accumulator = [0.0; 2];
//! for _ in 0..500 {
//!     let grads = [2.0 * (params[0] - 3.0), 20.0 * (params[1] + 1.0)];
//!     opt.step(&mut params, &grads, &mut accumulator)?;
//! }
//! assert!((params[0] - 3.0_f32).abs() < 1e-3 && (params[1] + 1.0_f32).abs() < 1e-3);
//! # Ok::<(), adagrad::Error>(())
//! ```
//!
//! # Same bits
//!
//! Every result is made of IEEE 754 operations that round correctly, in an order that is fixed and documented. So it
//! does not depend on the backend, the target, the slices' lengths and alignment, how a dense call is split, or how
//! many threads share a step. The exceptions are [`Arithmetic::Fast`], the payloads of NaNs, and CPUs set to flush
//! denormals to zero. 32-bit x86 needs SSE2: without it Rust itself rounds differently, and `wide` does not compile.
#![cfg_attr(
    doc,
    doc = "
# More

The module [`guide`] has the pages of the repository: how the crate works, how fast it is, what it costs on a
microcontroller, and what was measured to decide its design."
)]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(unreachable_pub)]

mod adagrad;
mod backend;
mod diagnostics;
mod error;
#[cfg(doc)]
pub mod guide;
mod kernel;
mod norms;
mod regularized;
#[cfg(feature = "half")]
mod rounding;
mod schedule;
mod step;
mod table;

pub use adagrad::{Accumulation, Adagrad, Arithmetic, Epsilon, NonFinite, Order, WeightDecay};
pub use backend::Backend;
pub use diagnostics::Summary;
pub use error::Error;
pub use norms::{all_finite, check_accumulator, clip_norm_scale, sum_of_squares};
pub use regularized::{Ftrl, Proximal};
#[cfg(feature = "half")]
pub use rounding::{Counter, Element, Rounding};
pub use schedule::Schedule;
pub use step::Report;
#[cfg(feature = "half")]
pub use table::MixedTable;
pub use table::{Bags, Owners, RowIndex, Table, coalesce, partition};

/// The code of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
