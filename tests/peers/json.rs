//! Values in a line of a recording.

use serde_json::Value;

pub fn parse(line: &str) -> Value {
    serde_json::from_str(line).expect("a line of JSON")
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// The bit patterns in a string, of `digits` hexadecimal digits each.
pub fn patterns(value: &Value, digits: usize) -> impl Iterator<Item = u64> {
    let text = text(value);
    assert_eq!(text.len() % digits, 0, "{digits} digits each");
    (0..text.len() / digits).map(move |i| {
        let word = &text[i * digits..][..digits];
        u64::from_str_radix(word, 16).expect("hexadecimal digits")
    })
}
