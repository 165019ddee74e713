//! Bytes of a file to text. What is no text is an error with the place of the first bad byte.

use super::{Content, InputFile, LayoutError, Problem};
use crate::sql::source::{Position, Source};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the file as UTF-8. A byte order mark is no part of the text: the first statement starts
/// at column 1, as editors show it.
pub(super) fn decode(file: InputFile) -> Result<Source, LayoutError> {
    let InputFile { path, content } = file;
    let mut bytes = match content {
        Content::Bytes(bytes) => bytes,
        Content::Unread(reader) => reader.read(&path)?,
    };
    let fail = |position, problem| LayoutError { path: path.clone(), position, problem };
    if u32::try_from(bytes.len()).is_err() {
        return Err(fail(None, Problem::TooLong { bytes: bytes.len() }));
    }
    if is_utf16(&bytes) {
        return Err(fail(None, Problem::Utf16));
    }
    if bytes.starts_with(UTF8_MARK) {
        bytes.drain(..UTF8_MARK.len());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(path, text)),
        Err(error) => {
            let offset = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let byte = bytes.get(offset).copied().unwrap_or(0);
            let position = position(bytes.get(..offset).unwrap_or(&[]));
            Err(fail(Some(position), Problem::NotUtf8 { offset, byte }))
        }
    }
}

/// Says whether a file begins with UTF-16's byte order mark, or with ASCII as UTF-16 has it: every
/// other byte zero.
fn is_utf16(bytes: &[u8]) -> bool {
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let zeros = |&first: &[u8; 4]| first.map(|byte| byte == 0);
    let zeros = bytes.first_chunk().map(zeros);
    marked || matches!(zeros, Some([true, false, true, false] | [false, true, false, true]))
}

/// Returns the place that follows a readable beginning.
fn position(before: &[u8]) -> Position {
    let text = String::from_utf8_lossy(before);
    let lines = text.matches('\n').count() + 1;
    let last = text.rsplit('\n').next().unwrap_or("");
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: number(lines), column: number(last.chars().count() + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> InputFile {
        InputFile { path: "a.sql".into(), content: Content::Bytes(bytes.into()) }
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        let source = decode(file(b"\xef\xbb\xbfSELECT 1;\r\n")).unwrap();
        assert_eq!(source.text(), "SELECT 1;\r\n");
    }

    #[test]
    fn a_bad_byte_has_a_place() {
        let error = decode(file("-- 주문\n-- caf\u{e9}".as_bytes())).map(|_| ());
        assert_eq!(error, Ok(()));
        let error = decode(file(b"-- \xec\xa3\xbc\n-- caf\xe9\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.sql:2:7: not UTF-8: byte 0xE9 at offset 13 is no character"
        );
    }

    #[test]
    fn utf16_is_named() {
        for bytes in [b"\xff\xfeS\0".as_slice(), b"\xfe\xff\0S", b"S\0E\0L\0", b"\0S\0E\0L"] {
            let error = decode(file(bytes)).unwrap_err();
            assert_eq!(error.problem, Problem::Utf16);
            assert!(error.hint().contains("UTF-8"));
        }
    }
}
