//! PL/pgSQL blocks: the SQL statements in them, whatever conditions and loops stand around them.

use super::{body, names, select};
use crate::sql::ast::{Statement, StatementKind};
use crate::sql::cursor::Cursor;
use crate::sql::lexer::{Token, TokenKind};
use crate::sql::split::{PieceKind, Pieces};

/// What a block holds.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Its SQL statements in order.
    pub statements: Vec<Statement>,
    /// It runs SQL that is made up at run time.
    pub dynamic: bool,
    /// The reader is between DECLARE and BEGIN.
    declaring: bool,
}

/// Reads a block whose text is split at semicolons.
pub(super) fn read(cursor: &Cursor<'_>, pieces: &Pieces) -> Block {
    let mut block = Block::default();
    for piece in &pieces.pieces {
        if piece.kind == PieceKind::Statement {
            block.piece(&mut cursor.sub(piece.tokens.start, piece.tokens.end));
        }
    }
    block
}

impl Block {
    /// Reads up to one semicolon: words that open or close blocks, then at most one statement.
    fn piece(&mut self, c: &mut Cursor<'_>) {
        loop {
            if c.is_at_end() {
                return;
            }
            if c.accept(&["BEGIN"]) {
                self.declaring = false;
            } else if self.declaring {
                // A variable, a cursor, an alias: up to the semicolon.
                return;
            } else if c.accept(&["DECLARE"]) {
                self.declaring = true;
            } else if c.at_symbol("<<") || c.at_symbol("#") {
                // `<<label>>`, `#variable_conflict use_column`.
                c.advance();
                c.advance();
                c.advance();
            } else if c.accept_any(&["ELSE", "LOOP", "EXCEPTION"]).is_some() {
            } else if c.accept_any(&["IF", "ELSIF", "ELSEIF", "WHEN", "CASE"]).is_some() {
                skip_past(c, "THEN");
            } else if c.accept_any(&["WHILE", "FOREACH"]).is_some() {
                skip_past(c, "LOOP");
            } else if c.accept(&["FOR"]) {
                self.for_loop(c);
            } else {
                self.statement(c);
                return;
            }
        }
    }

    /// Reads the query of `FOR r IN query LOOP`.
    fn for_loop(&mut self, c: &mut Cursor<'_>) {
        while !c.is_at_end() && !c.accept(&["IN"]) {
            c.advance();
        }
        let start = c.position();
        let (query, execute) = (select::at_query(c), c.at(&["EXECUTE"]));
        skip_past(c, "LOOP");
        let end = c.position().saturating_sub(1);
        if execute {
            self.execute(&mut c.sub(start + 1, end));
        } else if query {
            self.sql(&c.sub(start, end));
        }
    }

    fn statement(&mut self, c: &mut Cursor<'_>) {
        const WITHOUT_SQL: &[&str] = &[
            "END", "NULL", "RAISE", "EXIT", "CONTINUE", "GET", "ASSERT", "FETCH", "MOVE", "CLOSE",
        ];
        if WITHOUT_SQL.iter().any(|word| c.at(&[word])) || is_assignment(c) {
            return;
        }
        if c.accept(&["EXECUTE"]) {
            self.execute(c);
        } else if c.accept(&["RETURN"]) {
            if c.accept(&["QUERY"]) {
                if c.accept(&["EXECUTE"]) {
                    self.execute(c);
                } else {
                    self.sql(&c.sub(c.position(), c.tokens().len()));
                }
            }
        } else if c.at(&["OPEN"]) {
            self.open(c);
        } else if c.at(&["PERFORM"]) {
            self.perform(c);
        } else {
            self.sql(&c.sub(c.position(), c.tokens().len()));
        }
    }

    /// Reads `OPEN cursor FOR query`.
    fn open(&mut self, c: &mut Cursor<'_>) {
        while !c.is_at_end() && !c.accept(&["FOR"]) {
            c.advance();
        }
        if c.accept(&["EXECUTE"]) {
            self.execute(c);
        } else if !c.is_at_end() {
            self.sql(&c.sub(c.position(), c.tokens().len()));
        }
    }

    /// Reads `PERFORM f(x) FROM t`, which is a SELECT whose result is thrown away.
    fn perform(&mut self, c: &mut Cursor<'_>) {
        let start = c.position();
        c.advance();
        match select::without_verb(c, start) {
            Ok(query) => {
                let span = c.span_from(start);
                self.statements.push(Statement { span, kind: body::select(query) });
            }
            Err(error) => {
                let (reason, at) = (error.message, Some(error.at));
                let kind = StatementKind::Unknown { reason, at, begun: None };
                self.statements.push(c.sub(start, c.tokens().len()).statement(kind));
            }
        }
    }

    /// Reads the argument of EXECUTE: a literal is SQL like any other, all else is unknown.
    fn execute(&mut self, c: &mut Cursor<'_>) {
        let literal = c.peek().filter(|token| {
            let string = matches!(token.kind, TokenKind::String | TokenKind::DollarString);
            let behind = c.text_at(1);
            let ends = ["INTO", "USING"].iter().any(|word| behind.eq_ignore_ascii_case(word));
            string && (behind.is_empty() || ends)
        });
        let read = literal.and_then(|token| {
            body::with_pieces(c, token, &mut |cursor, pieces| {
                let statements = pieces.pieces.iter().filter(|p| p.kind == PieceKind::Statement);
                statements
                    .map(|piece| {
                        let cursor = cursor.sub(piece.tokens.start, piece.tokens.end);
                        crate::sql::parse::statement(cursor)
                    })
                    .collect::<Vec<_>>()
            })
        });
        match read {
            Some(statements) => self.statements.extend(statements),
            None => self.dynamic = true,
        }
    }

    /// Reads an SQL statement, whose `INTO variable` makes no table here.
    fn sql(&mut self, c: &Cursor<'_>) {
        let tokens = without_into(c);
        let cursor = c.over(&tokens);
        let mut statement = crate::sql::parse::statement(cursor);
        if let (Some(first), Some(last)) = (c.tokens().first(), c.tokens().last()) {
            statement.span = first.span.to(last.span);
        }
        self.statements.push(statement);
    }
}

/// Skips to behind a word, CASE … END between taken as a whole.
fn skip_past(c: &mut Cursor<'_>, word: &str) {
    let (mut depth, mut cases) = (0_usize, 0_usize);
    while let Some(token) = c.peek() {
        match c.slice(token.span) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if c.at(&["CASE"]) => cases += 1,
            _ if cases > 0 && c.at(&["END"]) => cases -= 1,
            _ if cases == 0 && c.at(&[word]) => {
                c.advance();
                return;
            }
            _ => {}
        }
        c.advance();
    }
}

/// Says whether a variable is assigned: `x := 1`, `x.y[1] = 2`.
fn is_assignment(c: &Cursor<'_>) -> bool {
    let mut c = c.clone();
    if names::label(&mut c, "a name").is_err() {
        return false;
    }
    loop {
        if c.at_symbol(":=") || c.at_symbol("=") {
            return true;
        }
        if c.accept_symbol(".") {
            c.advance();
        } else if c.accept_symbol("[") {
            while !c.is_at_end() && !c.accept_symbol("]") {
                c.advance();
            }
        } else {
            return false;
        }
    }
}

/// Returns the tokens without `INTO [STRICT] a, b.c`.
fn without_into(c: &Cursor<'_>) -> Vec<Token> {
    let tokens = c.tokens();
    let word = |at: usize, word: &str| {
        tokens.get(at).is_some_and(|token| {
            token.kind == TokenKind::Word && c.slice(token.span).eq_ignore_ascii_case(word)
        })
    };
    let text = |at: usize| tokens.get(at).map_or("", |token| c.slice(token.span));
    let own = |at: usize| {
        at > 0 && (word(at - 1, "INSERT") || word(at - 1, "MERGE") || word(0, "IMPORT"))
    };
    let mut depth = 0_i32;
    let found = (0..tokens.len()).find(|&at| {
        match text(at) {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        depth == 0 && word(at, "INTO") && !own(at)
    });
    let Some(start) = found else { return tokens.to_vec() };
    let mut end = start + 1 + usize::from(word(start + 1, "STRICT"));
    loop {
        end += 1;
        while text(end) == "." || text(end) == "[" {
            end += if text(end) == "[" { 3 } else { 2 };
        }
        if text(end) != "," {
            break;
        }
        end += 1;
    }
    let (before, behind) = (tokens.get(..start), tokens.get(end..));
    [before.unwrap_or(&[]), behind.unwrap_or(&[])].concat()
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn statements_of_a_block() {
        check(
            "DO $$ BEGIN CREATE TABLE t (a int); END $$",
            "Do(DoBlock { language: \"plpgsql\", body: 5..40, statements: [Statement { kind: \
            CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"integer\" }) }] }) }] })",
        );
        check(
            "DO $$ DECLARE r record; n int := 1; BEGIN IF EXISTS (SELECT 1 FROM t) THEN ALTER \
            TABLE t ADD b int; ELSIF n = 1 THEN DROP TABLE u; ELSE PERFORM f(x) FROM v; END \
            IF; FOR r IN SELECT * FROM w LOOP UPDATE t SET a = r.a; END LOOP; n := 2; \
            EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            "Do(DoBlock { language: \"plpgsql\", body: 5..282, statements: [Statement { kind: \
            AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddColumn { column: ColumnDef { name: b, data_type: Some(DataType { name: \
            \"integer\" }) } } }] }) }, Statement { kind: Drop(Drop { object: Table, names: \
            [u], signatures: [None] }) }, Statement { kind: Dml(Dml { kind: Select, query: \
            Query { reads: [v], functions: [f], columns: [\"x\"] } }) }, Statement { kind: \
            Dml(Dml { kind: Select, query: Query { reads: [w], star: true } }) }, Statement { \
            kind: Dml(Dml { kind: Update, targets: [t], query: Query { columns: [\"a\"], \
            only_of: [(r, \"a\")] }, columns: [a] }) }] })",
        );
        check(
            "DO $$ BEGIN EXECUTE 'DROP TABLE t'; EXECUTE format('DROP TABLE %I', x); END $$",
            "Do(DoBlock { language: \"plpgsql\", body: 5..76, statements: [Statement { kind: \
            Drop(Drop { object: Table, names: [t], signatures: [None] }) }], dynamic: true \
            })",
        );
        check(
            "DO 'BEGIN EXECUTE ''DROP TABLE t''; END'",
            "Do(DoBlock { language: \"plpgsql\", body: 4..39, statements: [Statement { kind: \
            Drop(Drop { object: Table, names: [t], signatures: [None] }) }] })",
        );
        check(
            "DO $$ BEGIN SELECT max(a) INTO STRICT n FROM t; INSERT INTO t VALUES (1) \
            RETURNING id INTO x.y; END $$",
            "Do(DoBlock { language: \"plpgsql\", body: 5..100, statements: [Statement { kind: \
            Dml(Dml { kind: Select, query: Query { reads: [t], functions: [max], columns: \
            [\"a\"] } }) }, Statement { kind: Dml(Dml { kind: Insert, targets: [t], query: \
            Query { columns: [\"id\"] }, rows: Some([[\"1\"]]) }) }] })",
        );
        check(
            "DO $$ <<outer>> BEGIN WHILE CASE WHEN a THEN b ELSE c END LOOP TRUNCATE t; END \
            LOOP outer; OPEN c FOR SELECT 1 FROM t; RETURN; END $$",
            "Do(DoBlock { language: \"plpgsql\", body: 5..131, statements: [Statement { kind: \
            Truncate(Truncate { tables: [t] }) }, Statement { kind: Dml(Dml { kind: Select, \
            query: Query { reads: [t] } }) }] })",
        );
        check(
            "DO LANGUAGE plperl 'x'",
            "Do(DoBlock { language: \"plperl\", body: 20..21, dynamic: true })",
        );
        check(
            "DO $$ BEGIN ALTER TABLE t DORP a; END $$",
            "Do(DoBlock { language: \"plpgsql\", body: 5..38, statements: [Statement { kind: \
            Unknown { reason: \"expected ADD, DROP, ALTER, SET, RENAME or another action, \
            found \\\"DORP\\\"\", at: Some(26..30) } }] })",
        );
        check("DO", "! expected a body as a string, found the end of the statement");
    }
}
