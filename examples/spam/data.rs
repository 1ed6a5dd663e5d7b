//! The messages as rows of words: reading, tokenizing, splitting.

use std::collections::{HashMap, HashSet};

use crate::common::random::SplitMix64;

const FILE: &str = include_str!("../data/SMSSpamCollection.tsv");

/// A message of the file: what it is, and its words.
pub(crate) struct Message {
    spam: bool,
    words: Vec<String>,
}

/// The distinct messages of the file, and the number of its lines.
pub(crate) fn messages() -> Result<(Vec<Message>, usize), String> {
    let mut seen = HashSet::new();
    let mut messages = Vec::new();
    for (i, line) in FILE.lines().enumerate() {
        let (label, text) = line.split_once('\t').ok_or_else(|| format!("line {}: no tab", i + 1))?;
        let spam = match label {
            "spam" => true,
            "ham" => false,
            _ => return Err(format!("line {}: {label} is neither ham nor spam", i + 1)),
        };
        if seen.insert(line) {
            messages.push(Message { spam, words: words(text) });
        }
    }
    Ok((messages, FILE.lines().count()))
}

/// The words of a text, each once, in the order of their first occurrence: lower case, split at whatever is neither
/// letter nor digit. A number of four digits or more is the word `<number>`, so that telephone numbers are one word.
fn words(text: &str) -> Vec<String> {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").to_lowercase();
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let number = word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        let word = if number { "<number>" } else { word };
        if !words.iter().any(|known| known == word) {
            words.push(word.into());
        }
    }
    words
}

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
        for word in training.iter().flat_map(|message| &message.words) {
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

/// The bias and the rows of words. Words that are not in the training messages have none.
fn rows(row_of: &HashMap<&str, u32>, words: &[String]) -> Vec<u32> {
    core::iter::once(0).chain(words.iter().filter_map(|word| row_of.get(word.as_str()).copied())).collect()
}

pub(crate) fn shuffle<T>(random: &mut SplitMix64, items: &mut [T]) {
    for i in (1..items.len()).rev() {
        items.swap(i, random.below(i + 1));
    }
}
