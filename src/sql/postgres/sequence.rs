//! `CREATE SEQUENCE`, `ALTER SEQUENCE`, and the options that identity columns share.

use super::{names, object, types};
use crate::sql::ast::{ObjectKind, Persistence, Sequence, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;
use crate::sql::name::Ident;

/// One option: its word, and the column of `OWNED BY`.
pub(super) struct SequenceOption {
    /// In lower case: `increment`, `no maxvalue`.
    pub word: String,
    /// The path behind `OWNED BY`; `NONE` is an empty path.
    pub owned_by: Option<Vec<Ident>>,
}

/// Takes one option, where one is next.
pub(super) fn option(c: &mut Cursor<'_>) -> Parsed<Option<SequenceOption>> {
    let plain = |word: &str| Ok(Some(SequenceOption { word: word.to_owned(), owned_by: None }));
    if c.accept(&["AS"]) {
        types::simple(c)?;
        return plain("as");
    }
    if c.accept(&["NO"]) {
        return match c.accept_any(&["MINVALUE", "MAXVALUE", "CYCLE"]) {
            Some(word) => plain(&format!("no {}", word.to_ascii_lowercase())),
            None => Err(c.expected("MINVALUE, MAXVALUE or CYCLE")),
        };
    }
    if let Some(word) = c.accept_any(&["CACHE", "MINVALUE", "MAXVALUE"]) {
        names::integer(c)?;
        return plain(&word.to_ascii_lowercase());
    }
    if let Some(word) = c.accept_any(&["CYCLE", "LOGGED", "UNLOGGED"]) {
        return plain(&word.to_ascii_lowercase());
    }
    if c.accept(&["INCREMENT"]) {
        c.accept(&["BY"]);
        names::integer(c)?;
        return plain("increment");
    }
    if c.accept(&["START"]) {
        c.accept(&["WITH"]);
        names::integer(c)?;
        return plain("start");
    }
    if c.accept(&["RESTART"]) {
        let with = c.accept(&["WITH"]);
        if with || names::at_kind(c, TokenKind::Number) || matches!(c.text_at(0), "-" | "+") {
            names::integer(c)?;
        }
        return plain("restart");
    }
    if c.accept(&["SEQUENCE", "NAME"]) {
        names::qualified(c, "a sequence name")?;
        return plain("sequence name");
    }
    if c.accept(&["OWNED", "BY"]) {
        let path = names::qualified(c, "a column, or NONE")?.parts;
        let none = path.len() == 1 && path.iter().all(|part| part.value == "none");
        let owned_by = Some(if none { Vec::new() } else { path });
        return Ok(Some(SequenceOption { word: "owned by".to_owned(), owned_by }));
    }
    Ok(None)
}

/// Takes `(options)`, where they are next.
pub(super) fn options_in_parentheses(c: &mut Cursor<'_>) -> Parsed<()> {
    if c.accept_symbol("(") {
        if option(c)?.is_none() {
            return Err(c.expected("an option of the sequence"));
        }
        while option(c)?.is_some() {}
        c.expect_symbol(")")?;
    }
    Ok(())
}

/// Takes what follows `CREATE SEQUENCE`.
pub(super) fn create(c: &mut Cursor<'_>, persistence: Persistence) -> Parsed<StatementKind> {
    let if_exists = names::if_not_exists(c);
    let name = names::qualified(c, "a sequence name")?;
    let mut sequence =
        Sequence { name, if_exists, persistence, owned_by: None, options: Vec::new() };
    options(c, &mut sequence)?;
    Ok(StatementKind::CreateSequence(sequence))
}

fn options(c: &mut Cursor<'_>, sequence: &mut Sequence) -> Parsed<()> {
    while let Some(option) = option(c)? {
        sequence.options.push(option.word);
        if option.owned_by.is_some() {
            sequence.owned_by = option.owned_by;
        }
    }
    Ok(())
}

/// Takes what follows `ALTER SEQUENCE`.
pub(super) fn alter(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_exists = names::if_exists(c);
    let name = names::qualified(c, "a sequence name")?;
    let address = object::Address::named(ObjectKind::Sequence, name);
    if let Some(common) = object::common_action(c, &address, if_exists)? {
        return Ok(common);
    }
    let mut sequence = Sequence {
        name: address.name,
        if_exists,
        persistence: Persistence::Permanent,
        owned_by: None,
        options: Vec::new(),
    };
    if c.accept(&["SET"]) {
        match c.accept_any(&["LOGGED", "UNLOGGED"]) {
            Some(word) => sequence.options.push(format!("set {}", word.to_ascii_lowercase())),
            None => return Err(c.expected("SCHEMA, LOGGED or UNLOGGED")),
        }
        return Ok(StatementKind::AlterSequence(sequence));
    }
    options(c, &mut sequence)?;
    if sequence.options.is_empty() {
        return Err(c.expected("an option of the sequence"));
    }
    Ok(StatementKind::AlterSequence(sequence))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn options() {
        check(
            "CREATE TEMP SEQUENCE IF NOT EXISTS app.s AS bigint INCREMENT BY -1 NO MAXVALUE \
            START 5 CACHE 10 CYCLE OWNED BY t.c",
            "CreateSequence(Sequence { name: app.s, if_exists: true, persistence: Temporary, \
            owned_by: Some([t, c]), options: [\"as\", \"increment\", \"no maxvalue\", \
            \"start\", \"cache\", \"cycle\", \"owned by\"] })",
        );
        check(
            "ALTER SEQUENCE IF EXISTS s RESTART",
            "AlterSequence(Sequence { name: s, if_exists: true, options: [\"restart\"] })",
        );
        check(
            "ALTER SEQUENCE s OWNED BY NONE",
            "AlterSequence(Sequence { name: s, owned_by: Some([]), options: [\"owned by\"] })",
        );
        check(
            "ALTER SEQUENCE s SET LOGGED",
            "AlterSequence(Sequence { name: s, options: [\"set logged\"] })",
        );
        check(
            "ALTER SEQUENCE s RENAME TO r",
            "Rename(Rename { object: Sequence, pairs: [(s, r)] })",
        );
        check(
            "ALTER SEQUENCE s",
            "! expected an option of the sequence, found the end of the statement",
        );
        check("CREATE SEQUENCE s INCREMENT x", "! expected a number, found \"x\"");
    }
}
