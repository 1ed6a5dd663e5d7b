//! Why a call was refused.

use std::io;
use std::path::PathBuf;

/// Why a call was refused, on all ranks together. Nothing has been written then, on any of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This rank's arguments are not valid.
    #[error(transparent)]
    Refused(#[from] adagrad::Error),
    /// Another rank refused its part. Its own error says why.
    #[error("rank {rank} refused its part of the call; its own error says why")]
    Elsewhere {
        /// The first such rank.
        rank: usize,
    },
    /// What must be the same on all ranks is not.
    #[error("{what} is not the same on all ranks")]
    Differs {
        /// The arguments.
        what: &'static str,
    },
    /// More values than MPI can count in one message. Give them in several calls.
    #[error("{what} is {count} values, expected at most {most}, which is what MPI counts")]
    TooMany {
        /// What would be sent or received.
        what: &'static str,
        /// How many values it has.
        count: u128,
        /// The greatest number that is allowed.
        most: usize,
    },
    /// There are no parts that a gradient could be the sum of.
    #[error("parts is 0, expected at least 1")]
    NoParts,
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is no checkpoint of what is to be loaded.
    #[error("{path}: {why}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}
