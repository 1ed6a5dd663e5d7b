//! Numbers as text.

/// `12345` as `12,345`.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number as text, without the digits that arithmetic leaves behind: `0.30000000000000004` is `0.3`.
pub(crate) fn plain(value: f64) -> String {
    if value == 0.0 || value >= 10.0 {
        return thousands(value.round() as usize);
    }
    let decimals = (1.0 - value.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.decimals$}").trim_end_matches('0').trim_end_matches('.').into()
}
