//! How all ranks come to refuse a call together.

use std::fmt::{self, Write};

use mpi::collective::SystemOperation;
use mpi::traits::CommunicatorCollectives;

use crate::Error;

/// What must be the same on all ranks: its name, and a text that tells it apart.
pub(crate) struct Same<'a>(pub(crate) &'static str, pub(crate) fmt::Arguments<'a>);

/// Collective. `Ok` on all ranks, or an error on all: this rank's own, or that another has one, or that what must be the same
/// differs.
pub(crate) fn agree<C: CommunicatorCollectives, T>(
    world: &C,
    own: Result<T, Error>,
    Same(what, text): Same<'_>,
) -> Result<T, Error> {
    let hash = hash(text);
    // The greatest stands for the lowest rank that refuses; and all hashes are equal if the greatest is also the least.
    let refuses = if own.is_err() { u64::MAX - rank(world) as u64 } else { 0 };
    let mut greatest = [0; 3];
    world.all_reduce_into(&[refuses, hash, !hash], &mut greatest, SystemOperation::max());
    let own = own?;
    match greatest {
        [0, greatest, least] if greatest == !least => Ok(own),
        [0, ..] => Err(Error::Differs { what }),
        [refuses, ..] => Err(Error::Elsewhere { rank: (u64::MAX - refuses) as usize }),
    }
}

pub(crate) fn rank<C: CommunicatorCollectives>(world: &C) -> usize {
    world.rank().unsigned_abs() as usize
}

pub(crate) fn ranks<C: CommunicatorCollectives>(world: &C) -> usize {
    world.size().unsigned_abs() as usize
}

/// FNV-1a, which is the same on all ranks, of what is written.
fn hash(text: fmt::Arguments<'_>) -> u64 {
    struct Hash(u64);
    impl Write for Hash {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for byte in text.bytes() {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
            Ok(())
        }
    }
    let mut hash = Hash(0xcbf2_9ce4_8422_2325);
    // What is hashed here, numbers and options, is written without errors.
    let _ = hash.write_fmt(text);
    hash.0
}
