//! Numbers and tables as text, and the page that they are written into.

use core::error::Error;
use std::fs;
use std::path::Path;

/// `4096` as `4 KiB`.
pub(crate) fn bytes(bytes: usize) -> String {
    let (number, prefix) = scaled(bytes);
    format!("{number} {prefix}B")
}

/// `32768` as `32 Ki`.
pub(crate) fn binary(number: usize) -> String {
    let (number, prefix) = scaled(number);
    format!("{number} {prefix}").trim_end().into()
}

/// By the greatest power of 1024 that divides it.
fn scaled(number: usize) -> (usize, &'static str) {
    let fits = |power: &usize| number != 0 && number.is_multiple_of(1 << (10 * power));
    let power = (0..=3).rev().find(fits).unwrap_or(0);
    (number >> (10 * power), ["", "Ki", "Mi", "Gi"][power])
}

/// With three digits, or as many as stand before the point.
pub(crate) fn digits(value: f64) -> String {
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// A number, or nothing.
pub(crate) fn cell(value: Option<f64>) -> String {
    value.map_or_else(String::new, digits)
}

/// A table in Markdown, whose numbers stand right.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self { rows: vec![head.into_iter().map(S::into).collect()] }
    }

    pub(crate) fn push<S: Into<String>>(&mut self, row: impl IntoIterator<Item = S>) {
        self.rows.push(row.into_iter().map(S::into).collect());
    }

    /// With the columns of equal width.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.rows[0].len()).map(|column| width(column).max(3)).collect();
        for (i, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if column == 0 { format!(" {cell:<width$} ") } else { format!(" {cell:>width$} ") }
            });
            text += &format!("|{}|\n", cells.collect::<Vec<_>>().join("|"));
            if i == 0 {
                let rules = widths.iter().enumerate().map(|(column, width)| {
                    if column == 0 { "-".repeat(width + 2) } else { format!("{}:", "-".repeat(width + 1)) }
                });
                text += &format!("|{}|\n", rules.collect::<Vec<_>>().join("|"));
            }
        }
        text
    }
}

const BEGIN: &str = "<!-- begin measured -->";
const END: &str = "<!-- end measured -->";

/// Replaces what stands between the two marks of a page. Both must be there, so that no other file is spoiled.
pub(crate) fn write_between_marks(page: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let old = fs::read_to_string(page)?;
    let missing = || format!("{} has no lines {BEGIN} and {END}", page.display());
    let (before, rest) = old.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    fs::write(page, format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", text.trim()))?;
    Ok(())
}
