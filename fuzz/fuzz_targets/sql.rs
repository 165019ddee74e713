//! Splits and reads any text for one of the four servers; the first byte says which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lockwise::sql::{Lexing, Section, Server, ServerKind, Source, Span, parse, split};

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let server = Server::of(ServerKind::ALL[usize::from(first) % ServerKind::ALL.len()]);
    let range = Span::new(0, u32::try_from(text.len()).expect("libFuzzer's inputs are short"));
    let pieces = split(text, Lexing::of(server), range, &Default::default());
    let mut joined = String::new();
    let mut end = 0;
    for piece in &pieces.pieces {
        let (start, stop) = (piece.span.start as usize, piece.span.end as usize);
        joined.push_str(&text[end..start]);
        joined.push_str(&text[start..stop]);
        end = stop;
    }
    joined.push_str(&text[end..]);
    assert_eq!(joined, text, "pieces and the gaps between them are the text");
    let source = Source::new("fuzz.sql", text);
    let script = parse(Section { source, range, reading: Default::default() }, server);
    for statement in &script.statements {
        let span = statement.span;
        assert!(text.get(span.start as usize..span.end as usize).is_some());
    }
});
