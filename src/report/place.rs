//! A span of bytes as people count: lines and columns from 1.

use crate::sql::{Position, Source, Span};

/// A range in lines and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The first character.
    pub(super) start: Position,
    /// The last character.
    pub(super) last: Position,
    /// The character after the last one.
    pub(super) end: Position,
}

impl Place {
    /// Returns the lines and columns of a span.
    pub(super) fn of(source: &Source, span: Span) -> Self {
        let start = source.position(span.start);
        let end = source.position(span.end.max(span.start));
        let text = source.slice(span);
        let width = text.chars().next_back().map_or(0, char::len_utf8);
        let width = u32::try_from(width).unwrap_or(0);
        let last = source.position(span.end.saturating_sub(width).max(span.start));
        Self { start, last, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_from_one_and_in_characters() {
        let source = Source::new("a.sql", "ALTER TABLE 주문\nDROP COLUMN x;");
        let end = u32::try_from(source.text().len()).unwrap();
        let place = Place::of(&source, Span::new(0, end));
        assert_eq!((place.start.line, place.start.column), (1, 1));
        assert_eq!((place.last.line, place.last.column), (2, 14));
        assert_eq!((place.end.line, place.end.column), (2, 15));
        let empty = Place::of(&Source::new("a.sql", ""), Span::default());
        assert_eq!((empty.last.line, empty.last.column), (1, 1));
    }
}
