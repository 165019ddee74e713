//! The text of one file, and places in it.

use std::sync::Arc;

/// A range of bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Returns the range from `start` up to but not including `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// Returns the smallest range that covers both.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Says whether `other` lies inside.
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Says whether nothing lies between the two ends.
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// A line and a column, both counted from 1; columns count characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
}

/// One file: its path as the user knows it, its text, and where its lines begin.
///
/// Cloning is cheap: the text is shared.
#[derive(Debug, Clone)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: String,
    text: String,
    line_starts: Vec<u32>,
}

impl Source {
    /// Wraps a text. Offsets are 32 bits wide; a longer text is refused when it is decoded.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let newlines = text.bytes().zip(1_u32..).filter(|&(byte, _)| byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(_, next)| next)).collect();
        Self(Arc::new(Inner { path: path.into(), text, line_starts }))
    }

    /// Returns the path as the user wrote it or as the folder listing gave it.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Returns the whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns the text in a range; nothing when the range is not on character boundaries.
    pub fn slice(&self, span: Span) -> &str {
        self.0.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Returns the line and column of a byte.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.0.line_starts.partition_point(|&start| start <= offset).max(1);
        let start = self.0.line_starts.get(line - 1).copied().unwrap_or(0);
        let before = self.slice(Span::new(start, offset));
        let column = u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        Position { line: u32::try_from(line).unwrap_or(u32::MAX), column }
    }

    /// Returns the number of lines, counting a last one without a newline.
    pub fn lines(&self) -> usize {
        self.0.line_starts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = Source::new("a.sql", "-- 주문\nDROP TABLE 주문;");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        let offset = u32::try_from(source.text().rfind(';').unwrap()).unwrap();
        assert_eq!(source.position(offset), Position { line: 2, column: 14 });
    }

    #[test]
    fn a_position_past_the_end_is_the_last_line() {
        let source = Source::new("a.sql", "SELECT 1;\n");
        assert_eq!(source.position(10), Position { line: 2, column: 1 });
        assert_eq!(source.lines(), 2);
    }
}
