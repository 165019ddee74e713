//! Places as editors count them: lines from 0, columns in UTF-16 units; and paths as URIs.

use std::path::PathBuf;
use std::str::FromStr as _;

use lsp_types::{Position, Range, Uri};

use crate::sql::{Source, Span};

/// Returns the range of a span.
pub(super) fn range(source: &Source, span: Span) -> Range {
    Range { start: position(source, span.start), end: position(source, span.end) }
}

fn position(source: &Source, offset: u32) -> Position {
    // A finding keeps the lines that it is about: what is there begins with a line.
    let before = source.slice(Span::new(source.range().start, offset));
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or("").encode_utf16().count();
    let character = u32::try_from(column).unwrap_or(u32::MAX);
    Position { line: source.position(offset).line.saturating_sub(1), character }
}

/// Returns the byte at a position; the end of the line where the line is shorter.
pub(super) fn offset(source: &Source, position: Position) -> u32 {
    let mut offset = 0_usize;
    let mut lines = source.text().split_inclusive('\n');
    for _ in 0..position.line {
        offset += lines.next().map_or(0, str::len);
    }
    let line = lines.next().unwrap_or("").trim_end_matches(['\n', '\r']);
    let mut units = 0;
    for character in line.chars() {
        if units >= position.character {
            break;
        }
        units += u32::try_from(character.len_utf16()).unwrap_or(1);
        offset += character.len_utf8();
    }
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// Returns the path of a `file:` URI.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let encoded = uri.as_str().strip_prefix("file://")?;
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    let text = String::from_utf8(bytes).ok()?;
    // On Windows the path is `/C:/…`.
    let drive = text.get(1..).filter(|rest| rest.get(1..2) == Some(":"));
    Some(PathBuf::from(drive.unwrap_or(&text)))
}

/// Returns the `file:` URI of an absolute path.
pub(super) fn uri_of(path: &str) -> Option<Uri> {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "file:///" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Uri::from_str(&out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_utf16_units() {
        let source = Source::new("a.sql", "-- 𝄞\nDROP TABLE 주문;\n");
        let name = Span::new(19, 25);
        assert_eq!(source.slice(name), "주문");
        let range = range(&source, name);
        assert_eq!((range.start.line, range.start.character), (1, 11));
        assert_eq!((range.end.line, range.end.character), (1, 13));
        assert_eq!(offset(&source, range.end), 25);
        assert_eq!(offset(&source, Position { line: 0, character: 5 }), 7);
        assert_eq!(offset(&source, Position { line: 0, character: 99 }), 7);
    }

    #[test]
    fn paths_survive_being_a_uri() {
        let uri = uri_of("/tmp/a b/주문.sql").unwrap();
        assert_eq!(uri.as_str(), "file:///tmp/a%20b/%EC%A3%BC%EB%AC%B8.sql");
        assert_eq!(path_of(&uri), Some(PathBuf::from("/tmp/a b/주문.sql")));
    }
}
