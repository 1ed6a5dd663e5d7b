//! The messages as rows of words, and splitting them.

use std::collections::HashMap;

use crate::common::random::SplitMix64;
use crate::messages::{Message, words};
use crate::shuffle::shuffle;

/// A message as the model sees it: the rows of the table that belong to it, and what it is.
pub(crate) struct Sample {
    pub(crate) rows: Vec<u32>,
    pub(crate) spam: bool,
}

/// The messages, shuffled and divided, and the words of the training part.
pub(crate) struct Split<'a> {
    /// A row's word. Row 0 is the bias, which belongs to every message.
    pub(crate) vocabulary: Vec<&'a str>,
    row_of: HashMap<&'a str, u32>,
    /// Of each row, the number of training samples that have it.
    pub(crate) counts: Vec<u32>,
    /// Four fifths of the messages. The last fifth of them, from `validation` on, is for choosing learning rates.
    pub(crate) training: Vec<Sample>,
    pub(crate) validation: usize,
    /// One fifth of the messages: looked at for the results only.
    pub(crate) held_out: Vec<Sample>,
}

impl<'a> Split<'a> {
    pub(crate) fn new(messages: &'a [Message], seed: u64) -> Self {
        let mut shuffled: Vec<&Message> = messages.iter().collect();
        shuffle(&mut SplitMix64(seed), &mut shuffled);
        let (held_out, training) = shuffled.split_at(messages.len() / 5);

        let mut vocabulary = vec!["(bias)"];
        let mut counts = vec![training.len() as u32];
        let mut row_of: HashMap<&'a str, u32> = HashMap::new();
        for word in training.iter().flat_map(|message| distinct(&message.words)) {
            let row = *row_of.entry(word).or_insert_with(|| {
                vocabulary.push(word);
                counts.push(0);
                vocabulary.len() as u32 - 1
            });
            counts[row as usize] += 1;
        }
        let samples = |messages: &[&Message]| -> Vec<Sample> {
            messages.iter().map(|message| Sample { rows: rows(&row_of, &message.words), spam: message.spam }).collect()
        };
        let (held_out, training) = (samples(held_out), samples(training));
        let validation = training.len() - training.len() / 5;
        Self { vocabulary, row_of, counts, training, validation, held_out }
    }

    /// The rows of any text.
    pub(crate) fn rows(&self, text: &str) -> Vec<u32> {
        rows(&self.row_of, &words(text))
    }

    /// The rows of the words, most frequent first.
    pub(crate) fn by_frequency(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (1..self.vocabulary.len()).collect();
        rows.sort_by_key(|&row| (core::cmp::Reverse(self.counts[row]), self.vocabulary[row]));
        rows
    }
}

/// The bias and the rows of words, each once. Words that are not in the training messages have none.
fn rows(row_of: &HashMap<&str, u32>, words: &[String]) -> Vec<u32> {
    core::iter::once(0).chain(distinct(words).iter().filter_map(|word| row_of.get(word).copied())).collect()
}

/// The words, each once, in the order of their first occurrence.
fn distinct(words: &[String]) -> Vec<&str> {
    let mut distinct: Vec<&str> = Vec::new();
    for word in words {
        if !distinct.contains(&word.as_str()) {
            distinct.push(word);
        }
    }
    distinct
}
