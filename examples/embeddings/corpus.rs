//! Which words the messages have, and which of them stand near each other.

use core::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::common::random::SplitMix64;
use crate::messages::Message;
use crate::shuffle::shuffle;

/// Two words of a message are near each other if they are at most so far apart.
pub(crate) const WINDOW: usize = 10;
/// A word has a vector if the messages have it at least so often.
pub(crate) const LEAST: usize = 5;
/// From this count on all pairs weigh the same: `x_max` of `GloVe`.
pub(crate) const FULL_WEIGHT: f64 = 100.0;

/// A word, one that stands near it, and what is to be learnt of them.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) word: u32,
    pub(crate) context: u32,
    /// ln X, where X is the sum of 1/distance over all places where `context` stands near `word`.
    pub(crate) log_count: f32,
    /// f(X) = (X/`FULL_WEIGHT`)^0.75, at most 1.
    pub(crate) weight: f32,
}

/// The words, most frequent first, and their pairs in three parts. A pair and the same in the other order are in one part.
pub(crate) struct Corpus<'a> {
    pub(crate) vocabulary: Vec<&'a str>,
    /// How often the messages have each word.
    pub(crate) counts: Vec<usize>,
    pub(crate) training: Vec<Pair>,
    /// A tenth, for choosing learning rates and when to stop.
    pub(crate) validation: Vec<Pair>,
    /// A tenth, looked at for the results only.
    pub(crate) held_out: Vec<Pair>,
}

impl<'a> Corpus<'a> {
    pub(crate) fn new(messages: &'a [Message], seed: u64) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in messages.iter().flat_map(|message| &message.words) {
            *counts.entry(word).or_default() += 1;
        }
        let mut words: Vec<(&str, usize)> = counts.into_iter().filter(|&(_, count)| count >= LEAST).collect();
        words.sort_by_key(|&(word, count)| (Reverse(count), word));
        let (vocabulary, counts): (Vec<&str>, Vec<usize>) = words.into_iter().unzip();

        let mut pairs: Vec<([u32; 2], f64)> = near(messages, &vocabulary).into_iter().collect();
        shuffle(&mut SplitMix64(seed), &mut pairs);
        let tenth = pairs.len() / 10;
        let held_out = both_orders(&pairs[..tenth]);
        let validation = both_orders(&pairs[tenth..2 * tenth]);
        let training = both_orders(&pairs[2 * tenth..]);
        Self { vocabulary, counts, training, validation, held_out }
    }

    /// How often the messages have the rarer word of a pair.
    pub(crate) fn rarer(&self, pair: &Pair) -> usize {
        self.counts[pair.word.max(pair.context) as usize]
    }
}

/// The sums of 1/distance of all words that stand near each other. As with `GloVe`, words without a vector are left out first.
fn near(messages: &[Message], vocabulary: &[&str]) -> BTreeMap<[u32; 2], f64> {
    let row_of: HashMap<&str, u32> = vocabulary.iter().copied().zip(0..).collect();
    let mut near = BTreeMap::new();
    for message in messages {
        let rows: Vec<u32> = message.words.iter().filter_map(|word| row_of.get(word.as_str()).copied()).collect();
        for (place, &word) in rows.iter().enumerate() {
            for (distance, &other) in (1..=WINDOW).zip(rows[..place].iter().rev()) {
                // A word near itself counts twice, once from each place.
                let share = if word == other { 2.0 } else { 1.0 } / distance as f64;
                *near.entry([word.min(other), word.max(other)]).or_default() += share;
            }
        }
    }
    near
}

fn both_orders(pairs: &[([u32; 2], f64)]) -> Vec<Pair> {
    let ordered = |&([a, b], count): &([u32; 2], f64)| {
        let (log_count, weight) = (count.ln() as f32, (count / FULL_WEIGHT).min(1.0).powf(0.75) as f32);
        let pair = |word, context| Pair { word, context, log_count, weight };
        if a == b { vec![pair(a, b)] } else { vec![pair(a, b), pair(b, a)] }
    };
    pairs.iter().flat_map(ordered).collect()
}
