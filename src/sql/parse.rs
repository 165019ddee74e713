//! A section of a file to its statements.

use super::ast::{Dml, DmlKind, Statement, StatementKind};
use super::cursor::{Cursor, Parsed};
use super::lexer::Lexing;
use super::migration::{Script, Section};
use super::name::ObjectName;
use super::server::{Server, ServerKind};
use super::split::{PieceKind, split_each};

/// Splits a section and reads its statements.
pub fn parse(section: Section, server: Server) -> Script {
    read(section, server, |_, _| false)
}

/// Reads a section like [`parse`]; of a file of data, INSERTs that do what the one before them does
/// are counted and not kept.
pub fn skim(section: Section, server: Server) -> Script {
    read(section, server, inserts_alike)
}

/// Reads a section; behind many statements those are left out that repeat the one before them.
fn read(
    section: Section,
    server: Server,
    repeats: impl Fn(&Statement, &Statement) -> bool,
) -> Script {
    let text = section.source.text();
    let lexing = Lexing { placeholders: section.reading.placeholders, ..Lexing::of(server) };
    let mut statements: Vec<Statement> = Vec::new();
    let mut others = Vec::new();
    let mut repeated = 0;
    let comments = split_each(text, lexing, section.range, &section.reading, |piece, tokens| {
        if piece.kind != PieceKind::Statement {
            others.push(piece);
            return;
        }
        let mut read = statement(Cursor::new(text, tokens, server));
        if statements.len() > MANY {
            forget_rows(&mut read);
            if statements.last().is_some_and(|last| repeats(last, &read)) {
                repeated += 1;
                return;
            }
        }
        statements.push(read);
    });
    statements.shrink_to_fit();
    Script { section, statements, repeated, comments, others }
}

/// Says whether two INSERTs put rows of their own values into the same columns of the same table.
fn inserts_alike(one: &Statement, other: &Statement) -> bool {
    let (StatementKind::Dml(one), StatementKind::Dml(other)) = (&one.kind, &other.kind) else {
        return false;
    };
    let plain = |dml: &Dml| {
        dml.kind == DmlKind::Insert
            && !dml.from_query
            && dml.query.reads.is_empty()
            && dml.query.writes.is_empty()
            && dml.query.refused.is_none()
    };
    let names = |list: &[ObjectName]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let columns = |dml: &Dml| dml.columns.iter().map(|c| c.value.clone()).collect::<Vec<_>>();
    plain(one)
        && plain(other)
        && one.on_conflict == other.on_conflict
        && names(&one.targets) == names(&other.targets)
        && names(&one.query.functions) == names(&other.query.functions)
        && columns(one) == columns(other)
}

/// From how many statements on a file is data rather than schema work.
const MANY: usize = 1_000;

/// What an INSERT writes decides at most which partitions it locks: in a file of data, all may be.
fn forget_rows(statement: &mut Statement) {
    if let StatementKind::Dml(dml) = &mut statement.kind {
        dml.rows = None;
        dml.columns.shrink_to_fit();
        dml.targets.shrink_to_fit();
    }
}

/// Reads one statement; what is not understood says why.
pub(super) fn statement(mut cursor: Cursor<'_>) -> Statement {
    let kind = match grammar(&mut cursor).and_then(|kind| ended(&mut cursor, kind)) {
        Ok(kind) => kind,
        Err(error) => {
            let begun = cursor.begun();
            StatementKind::Unknown { reason: error.message, at: Some(error.at), begun }
        }
    };
    cursor.statement(kind)
}

/// Nothing follows a statement but, behind CREATE TABLE, options that a tool puts in.
fn ended(cursor: &mut Cursor<'_>, kind: StatementKind) -> Parsed<StatementKind> {
    if matches!(kind, StatementKind::CreateTable(_)) && cursor.at_placeholder() {
        cursor.advance();
    }
    if let Err(error) = cursor.end() {
        // The last clause is the one that goes on otherwise.
        if let StatementKind::AlterTable(mut alter) = kind {
            alter.actions.pop();
            cursor.leave(StatementKind::AlterTable(alter));
        }
        return Err(error);
    }
    Ok(kind)
}

fn grammar(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    match cursor.server().kind {
        ServerKind::Postgres => super::postgres::statement(cursor),
        ServerKind::Mysql | ServerKind::Mariadb => super::mysql::statement(cursor),
        ServerKind::Sqlite => super::sqlite::statement(cursor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::source::{Source, Span};

    #[test]
    fn repeated_inserts_are_counted_and_not_kept() {
        for kind in ServerKind::ALL {
            let mut text = String::new();
            for row in 0..2_000 {
                text.push_str(&format!("INSERT INTO orders (id, name) VALUES ({row}, 'a;b');\n"));
            }
            text.push_str("INSERT INTO customers (id, name) VALUES (1, 'c');\nDROP TABLE orders;");
            let range = Span::new(0, u32::try_from(text.len()).unwrap());
            let source = Source::new("a.sql", text);
            let section = Section { source, range, reading: Default::default() };
            let server = Server::of(kind);
            let skimmed = skim(section.clone(), server);
            assert_eq!(skimmed.statements.len() + skimmed.repeated, 2_002, "{kind}");
            assert_eq!(skimmed.repeated, 2_000 - MANY - 1, "{kind}");
            let last = skimmed.statements.last().unwrap();
            assert_eq!(skimmed.slice(last.span), "DROP TABLE orders", "{kind}");
            assert_eq!(parse(section, server).statements.len(), 2_002, "{kind}");
        }
    }
}
