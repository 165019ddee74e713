//! Sequences of MariaDB.

use super::name::{full_name, mariadb_since};
use super::option::table_option;
use crate::sql::ast::{Persistence, Sequence, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;

/// Reads `[TEMPORARY] SEQUENCE …` behind `CREATE [OR REPLACE]`.
pub(super) fn create(cursor: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    let temporary = cursor.accept(&["TEMPORARY"]);
    cursor.expect(&["SEQUENCE"])?;
    let persistence = if temporary { Persistence::Temporary } else { Persistence::Permanent };
    let if_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let name = full_name(cursor)?;
    let mut options: Vec<String> =
        or_replace.then(|| "or replace".to_owned()).into_iter().collect();
    sequence_options(cursor, &mut options, false)?;
    while let Some((name, _)) = table_option(cursor)? {
        options.push(name);
    }
    Ok(StatementKind::CreateSequence(Sequence {
        name,
        if_exists,
        persistence,
        owned_by: None,
        options,
    }))
}

/// Reads what follows `ALTER SEQUENCE`.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_exists = cursor.accept(&["IF", "EXISTS"]);
    let name = full_name(cursor)?;
    let mut options = Vec::new();
    sequence_options(cursor, &mut options, true)?;
    if options.is_empty() {
        return Err(cursor.expected("an option of a sequence"));
    }
    Ok(StatementKind::AlterSequence(Sequence {
        name,
        if_exists,
        persistence: Persistence::Permanent,
        owned_by: None,
        options,
    }))
}

/// Takes options; RESTART is for ALTER alone, AS exists since MariaDB 11.5.
fn sequence_options(cursor: &mut Cursor<'_>, options: &mut Vec<String>, alter: bool) -> Parsed<()> {
    let bare = ["nomaxvalue", "nominvalue", "nocache", "cycle", "nocycle"];
    let mut valued = vec!["start", "increment", "minvalue", "maxvalue", "cache"];
    valued.extend(alter.then_some("restart"));
    loop {
        if let Some(word) = cursor.accept_any(&bare) {
            options.push(word.to_owned());
        } else if cursor.accept(&["NO"]) {
            match cursor.accept_any(&["maxvalue", "minvalue", "cache", "cycle"]) {
                Some(word) => options.push(format!("no {word}")),
                None => return Err(cursor.expected("MAXVALUE, MINVALUE, CACHE or CYCLE")),
            }
        } else if let Some(word) = cursor.accept_any(&valued) {
            let with = cursor.accept_any(&["WITH", "BY"]).is_some()
                || (!matches!(word, "start" | "increment") && cursor.accept_symbol("="));
            let negative = cursor.accept_symbol("-");
            let number = cursor.peek().is_some_and(|token| token.kind == TokenKind::Number);
            if number {
                cursor.advance();
            } else if with || negative || word != "restart" {
                return Err(cursor.expected("a number"));
            }
            options.push(word.to_owned());
        } else if mariadb_since(cursor, 11, 5) && cursor.accept(&["AS"]) {
            super::data_type::data_type(cursor)?;
            options.push("as".to_owned());
        } else {
            return Ok(());
        }
    }
}
