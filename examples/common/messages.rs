//! The bundled text messages: reading, and dividing into words.

use std::collections::HashSet;

const FILE: &str = include_str!("../data/SMSSpamCollection.tsv");

/// A message of the file: what it is, and its words, in order.
pub(crate) struct Message {
    pub(crate) spam: bool,
    pub(crate) words: Vec<String>,
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

/// The words of a text: lower case, split at whatever is neither letter nor digit. A number of four digits or more is the
/// word `<number>`, so that telephone numbers are one word.
pub(crate) fn words(text: &str) -> Vec<String> {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let number = |word: &str| word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    words.map(|word| if number(word) { "<number>".into() } else { word.into() }).collect()
}
