//! The text of one file, and places in it.

use std::sync::{Arc, OnceLock};

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

/// One file, or some lines of it: its path as the user knows it and its text.
///
/// Cloning is cheap: the text is shared. Places are always counted from the start of the file.
#[derive(Debug, Clone)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: Arc<str>,
    text: Box<str>,
    /// Where in the file the text begins; `start` is the first byte of a line.
    start: u32,
    /// Lines of the file before it.
    lines_before: u32,
    /// The length of the file where its text is not in memory.
    away: Option<u32>,
    /// Where lines begin, counted in the text; found when somebody asks for a place.
    line_starts: OnceLock<Box<[u32]>>,
}

impl Source {
    /// Wraps a text. Offsets are 32 bits wide; a longer text is refused when it is decoded.
    pub fn new(path: impl Into<Arc<str>>, text: impl Into<Box<str>>) -> Self {
        Self::with(path.into(), text.into(), 0, 0, None)
    }

    fn with(
        path: Arc<str>,
        text: Box<str>,
        start: u32,
        lines_before: u32,
        away: Option<u32>,
    ) -> Self {
        let line_starts = OnceLock::new();
        Self(Arc::new(Inner { path, text, start, lines_before, away, line_starts }))
    }

    /// Returns the file without its text, which is to be read again when it is needed.
    pub(super) fn away(&self) -> Self {
        let length = self.0.away.unwrap_or(self.range().end);
        Self::with(self.0.path.clone(), Box::default(), 0, 0, Some(length))
    }

    /// Returns the length of a file whose text is not in memory.
    pub(super) fn length_away(&self) -> Option<usize> {
        self.0.away.map(|length| length as usize)
    }

    /// Returns the lines that a range touches; the rest of the text is let go of.
    pub fn cut(&self, span: Span) -> Self {
        let text = self.text();
        let at = |offset: u32| (offset.saturating_sub(self.0.start) as usize).min(text.len());
        let (first, last) = (at(span.start), at(span.end.max(span.start)));
        let before = text.get(..first).unwrap_or("");
        let from = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(last..).unwrap_or("");
        let to = rest.find('\n').map_or(text.len(), |newline| last + newline);
        if to - from >= text.len() / 2 {
            return self.clone();
        }
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let line = self.line_starts().partition_point(|&start| start as usize <= from).max(1);
        let kept = text.get(from..to).unwrap_or("").into();
        let start = self.0.start.saturating_add(narrow(from));
        let lines_before = self.0.lines_before.saturating_add(narrow(line - 1));
        Self::with(self.0.path.clone(), kept, start, lines_before, None)
    }

    /// Returns the path as the user wrote it or as the folder listing gave it.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Returns the path without a copy of it.
    pub fn shared_path(&self) -> Arc<str> {
        self.0.path.clone()
    }

    /// Returns the whole text that is there.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns the place of the whole text that is there.
    pub fn range(&self) -> Span {
        let length = u32::try_from(self.0.text.len()).unwrap_or(u32::MAX);
        Span::new(self.0.start, self.0.start.saturating_add(length))
    }

    /// Returns the text in a range; nothing when the range is not on character boundaries.
    pub fn slice(&self, span: Span) -> &str {
        let at = |offset: u32| offset.checked_sub(self.0.start).map(|at| at as usize);
        let range = at(span.start).zip(at(span.end));
        range.and_then(|(start, end)| self.0.text.get(start..end)).unwrap_or("")
    }

    /// Returns the line and column of a byte.
    pub fn position(&self, offset: u32) -> Position {
        let at = offset.saturating_sub(self.0.start);
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start <= at).max(1);
        let start = starts.get(line - 1).copied().unwrap_or(0);
        let before = self.0.text.get(start as usize..at as usize).unwrap_or("");
        let column = u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Position { line: line.saturating_add(self.0.lines_before), column }
    }

    fn line_starts(&self) -> &[u32] {
        self.0.line_starts.get_or_init(|| {
            let newlines = self.0.text.bytes().zip(1_u32..).filter(|&(byte, _)| byte == b'\n');
            std::iter::once(0).chain(newlines.map(|(_, next)| next)).collect()
        })
    }

    /// Returns the number of lines, counting a last one without a newline.
    pub fn lines(&self) -> usize {
        self.line_starts().len()
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

    #[test]
    fn lines_cut_out_of_a_file_keep_their_places() {
        let text = "-- 주문\nSELECT 1;\n  SELECT\n2;\nSELECT 3;\nSELECT 4;\nSELECT 5;\n";
        let whole = Source::new("a.sql", text);
        let start = u32::try_from(text.find("SELECT\n").unwrap()).unwrap();
        let span = Span::new(start, start + 8);
        let cut = whole.cut(span);
        assert_eq!(cut.text(), "  SELECT\n2;");
        assert_eq!(cut.slice(span), whole.slice(span));
        for offset in span.start..=span.end {
            assert_eq!(cut.position(offset), whole.position(offset));
        }
        assert_eq!(cut.cut(Span::new(start + 7, start + 8)).text(), "2;");
        assert_eq!(whole.cut(Span::new(0, 1_000)).text(), text);
    }
}
