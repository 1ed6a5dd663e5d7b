//! Adagrad on tables and dense parameters that are divided over the processes of MPI, on one machine or many, with the bits
//! of one process.
//!
//! - [`ShardedTable`]: each rank has some rows of a table. A step sends gradients to the ranks that own the rows.
//! - [`ShardedDense`]: each rank has all parameters and a part of the accumulators. A step sums gradients in an order that
//!   does not depend on the number of ranks.
//! - Both save to one file, which any number of ranks can load.
//!
//! All calls are *collective*: every rank makes them, in the same order, with its own part of the data. What a rank cannot
//! accept, all ranks refuse: each returns an [`Error`], and nothing is written on any of them.
//!
//! ```no_run
//! use adagrad::Adagrad;
//! use adagrad_mpi::{Shape, ShardedTable};
//! use mpi::traits::Communicator;
//!
//! let universe = mpi::initialize().expect("MPI is not initialized yet");
//! let world = universe.world();
//! let opt = Adagrad::new(0.1);
//! let mut table = ShardedTable::new(&world, Shape::new(1_000_000, 64), opt.initial_accumulator(), |row, params| {
//!     params.fill(row as f32 * 1e-6);
//! })?;
//! let rows = [17, 4 + world.rank() as u64]; // this rank's part of the batch
//! let mut params = [0.0; 2 * 64];
//! table.read(&rows, &mut params)?;
//! let grads = params.map(|w| w - 1.0);
//! table.step(&opt, &rows, &grads)?;
//! table.save("table.safetensors".as_ref())?;
//! # Ok::<(), adagrad_mpi::Error>(())
//! ```
//!
//! # Threads
//!
//! With the feature `rayon` each rank steps on the threads of rayon's pool, with the same bits. Start MPI by
//! `mpi::initialize_with_threading(Threading::Funneled)` then: one thread makes all calls of MPI.
//!
//! # Where MPI ends the program
//!
//! When a message cannot be delivered, MPI's default is to end all processes. Start again from the last checkpoint then.
//! The same holds where memory is exhausted. MPI cannot find a rank that makes other calls than the rest, or none: the program
//! then waits, or ends.

mod agree;
mod checkpoint;
mod dense;
mod error;
mod exchange;
mod shape;
mod table;
mod tree;

pub use dense::ShardedDense;
pub use error::Error;
pub use shape::{Accumulators, Division, Shape};
pub use table::{ShardedTable, Times};
