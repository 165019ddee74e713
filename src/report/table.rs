//! Tables for people: columns as wide as their widest cell, wide characters counted as two.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// Rows of cells under a head.
#[derive(Debug, Clone, Default)]
pub struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns a table with that head.
    pub fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. A cell with several lines makes the row as high.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Says whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes the table, each line after `indent`.
    pub fn write(&self, out: &mut dyn Write, indent: &str, colors: bool) -> io::Result<()> {
        let widths = self.widths();
        let (bold, reset) = if colors { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let head: Vec<&str> = self.head.clone();
        writeln!(out, "{indent}{bold}{}{reset}", line(&head, &widths))?;
        for row in &self.rows {
            let height = row.iter().map(|cell| cell.lines().count()).max().unwrap_or(0);
            for at in 0..height {
                let cells: Vec<&str> =
                    row.iter().map(|cell| cell.lines().nth(at).unwrap_or("")).collect();
                writeln!(out, "{indent}{}", line(&cells, &widths))?;
            }
        }
        Ok(())
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.head.iter().map(|cell| cell.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                let widest = cell.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
                *width = widest.max(*width);
            }
        }
        widths
    }
}

fn line(cells: &[&str], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, &width) in cells.iter().zip(widths) {
        line.push_str(cell);
        let gap = width.saturating_sub(cell.width()) + 2;
        line.extend(std::iter::repeat_n(' ', gap));
    }
    line.truncate(line.trim_end().len());
    line
}

/// Shortens a text to a width: one line, runs of blanks as one, `…` for what is left out.
pub fn shortened(text: &str, width: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    if text.width() <= width {
        return text;
    }
    let mut short = String::new();
    for character in text.chars() {
        let next = unicode_width::UnicodeWidthChar::width(character).unwrap_or(0);
        if short.width() + next + 1 > width {
            break;
        }
        short.push(character);
    }
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_are_aligned() {
        let mut table = Table::new(&["TABLE", "ROWS"]);
        table.row(vec!["주문".into(), "12".into()]);
        table.row(vec!["orders\nlines".into(), "7".into()]);
        let mut out = Vec::new();
        table.write(&mut out, "  ", false).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  TABLE   ROWS\n  주문    12\n  orders  7\n  lines\n");
    }

    #[test]
    fn long_texts_are_shortened_at_their_width() {
        assert_eq!(shortened("CREATE  TABLE\n orders", 40), "CREATE TABLE orders");
        assert_eq!(shortened("CREATE TABLE orders", 10), "CREATE TA…");
        assert_eq!(shortened("주문주문주문", 7), "주문주…");
    }
}
