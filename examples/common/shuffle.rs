//! Shuffling, the same on every machine.

use crate::common::random::SplitMix64;

pub(crate) fn shuffle<T>(random: &mut SplitMix64, items: &mut [T]) {
    for i in (1..items.len()).rev() {
        items.swap(i, random.below(i + 1));
    }
}
