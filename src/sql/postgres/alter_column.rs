//! `ALTER TABLE … ALTER COLUMN …`.

use super::{column, expr, names, options, sequence, types};
use crate::sql::ast::{ActionKind, PgAction};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;
use crate::sql::name::Ident;

/// Takes the column and what is done to it.
pub(super) fn action(c: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if names::at_kind(c, TokenKind::Number) {
        let number = names::integer(c)?;
        let column = Ident::new(number, c.last_span());
        c.expect(&["SET", "STATISTICS"])?;
        return statistics(c, column).map(ActionKind::Postgres);
    }
    let column = names::column_id(c, "a column name")?;
    if c.accept(&["SET", "DEFAULT"]) {
        return Ok(ActionKind::SetDefault { column, default: expr::a_expr(c)? });
    }
    if c.accept(&["DROP", "DEFAULT"]) {
        return Ok(ActionKind::DropDefault { column });
    }
    if c.accept(&["SET", "NOT", "NULL"]) {
        return Ok(ActionKind::SetNotNull { column });
    }
    if c.accept(&["DROP", "NOT", "NULL"]) {
        return Ok(ActionKind::DropNotNull { column });
    }
    postgres(c, column).map(ActionKind::Postgres)
}

fn postgres(c: &mut Cursor<'_>, column: Ident) -> Parsed<PgAction> {
    if c.accept(&["TYPE"]) || c.accept(&["SET", "DATA", "TYPE"]) {
        return alter_type(c, column);
    }
    if c.accept(&["ADD", "GENERATED"]) {
        let kind = column::generated_when(c)?;
        c.expect(&["AS", "IDENTITY"])?;
        sequence::options_in_parentheses(c)?;
        return Ok(PgAction::AddIdentity { column, kind });
    }
    if c.accept(&["DROP"]) {
        return drop(c, column);
    }
    if c.accept(&["OPTIONS"]) {
        options::foreign(c)?;
        return Ok(PgAction::ForeignOptions);
    }
    if c.accept(&["RESET"]) {
        if c.at_symbol("(") {
            let options = options::setting_names(c)?;
            return Ok(PgAction::ColumnOptions { column, options });
        }
        return Err(c.expected("("));
    }
    if c.at(&["RESTART"]) || at_identity_option(c) {
        while identity_option(c)? {}
        return Ok(PgAction::SetIdentity { column });
    }
    if c.accept(&["SET"]) {
        return set(c, column);
    }
    Err(c.expected("TYPE, SET, DROP, ADD GENERATED or another change of the column"))
}

fn alter_type(c: &mut Cursor<'_>, column: Ident) -> Parsed<PgAction> {
    let mut data_type = types::data_type(c)?;
    if c.accept(&["COLLATE"]) {
        data_type.collation = Some(names::qualified(c, "a collation")?.to_string());
    }
    let using = if c.accept(&["USING"]) { Some(expr::a_expr(c)?) } else { None };
    Ok(PgAction::AlterType { column, data_type, using })
}

fn drop(c: &mut Cursor<'_>, column: Ident) -> Parsed<PgAction> {
    match c.accept_any(&["EXPRESSION", "IDENTITY"]) {
        Some("EXPRESSION") => {
            Ok(PgAction::DropExpression { column, if_exists: names::if_exists(c) })
        }
        Some(_) => Ok(PgAction::DropIdentity { column, if_exists: names::if_exists(c) }),
        None => Err(c.expected("DEFAULT, NOT NULL, EXPRESSION or IDENTITY")),
    }
}

fn set(c: &mut Cursor<'_>, column: Ident) -> Parsed<PgAction> {
    if c.at_symbol("(") {
        return Ok(PgAction::ColumnOptions { column, options: options::setting_names(c)? });
    }
    if c.accept(&["EXPRESSION"]) {
        c.expect(&["AS"])?;
        return Ok(PgAction::SetExpression { column, expr: expr::in_parentheses(c)? });
    }
    if c.accept(&["STATISTICS"]) {
        return statistics(c, column);
    }
    let method = |c: &mut Cursor<'_>| {
        if c.accept(&["DEFAULT"]) {
            return Ok("default".to_owned());
        }
        Ok(names::column_id(c, "a method")?.value.to_ascii_lowercase())
    };
    if c.accept(&["STORAGE"]) {
        return Ok(PgAction::SetStorage { column, storage: method(c)? });
    }
    if c.accept(&["COMPRESSION"]) {
        return Ok(PgAction::SetCompression { column, method: method(c)? });
    }
    Err(c.expected("DEFAULT, NOT NULL, DATA TYPE, STATISTICS, STORAGE or another property"))
}

fn statistics(c: &mut Cursor<'_>, column: Ident) -> Parsed<PgAction> {
    let to_default = c.accept(&["DEFAULT"]);
    if !to_default {
        names::integer(c)?;
    }
    Ok(PgAction::SetStatistics { column, to_default })
}

/// Says whether `SET` is followed by an option of an identity column.
fn at_identity_option(c: &Cursor<'_>) -> bool {
    c.at(&["SET"])
        && [
            "GENERATED",
            "INCREMENT",
            "MINVALUE",
            "MAXVALUE",
            "START",
            "RESTART",
            "CACHE",
            "CYCLE",
            "NO",
            "SEQUENCE",
            "LOGGED",
            "UNLOGGED",
            "OWNED",
            "AS",
        ]
        .iter()
        .any(|word| c.text_at(1).eq_ignore_ascii_case(word))
}

fn identity_option(c: &mut Cursor<'_>) -> Parsed<bool> {
    if c.accept(&["RESTART"]) {
        let with = c.accept(&["WITH"]);
        if with || names::at_kind(c, TokenKind::Number) || c.at_symbol("-") {
            names::integer(c)?;
        }
        return Ok(true);
    }
    if !at_identity_option(c) {
        return Ok(false);
    }
    c.expect(&["SET"])?;
    if c.accept(&["GENERATED"]) {
        return column::generated_when(c).map(|_| true);
    }
    match sequence::option(c)? {
        Some(_) => Ok(true),
        None => Err(c.expected("GENERATED or an option of the sequence")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn changes() {
        check(
            "ALTER TABLE t ALTER COLUMN a TYPE varchar(20) COLLATE \"C\" USING lower(a)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(AlterType { column: a, data_type: DataType { name: \"varchar\", args: \
            [\"20\"], collation: Some(\"C\") }, using: Some(Expr { text: \"lower(a)\", \
            columns: [\"a\"], functions: [lower] }) }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET DATA TYPE bigint",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(AlterType { column: a, data_type: DataType { name: \"bigint\" } }) }] \
            })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1 + 2",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetDefault { column: a, default: Expr { text: \"1 + 2\" } } }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a DROP DEFAULT",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            DropDefault { column: a } }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            SetNotNull { column: a } }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            DropNotNull { column: a } }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET EXPRESSION AS (b + 1)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetExpression { column: a, expr: Expr { text: \"b + 1\", columns: \
            [\"b\"] } }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a DROP EXPRESSION IF EXISTS",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(DropExpression { column: a, if_exists: true }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a ADD GENERATED ALWAYS AS IDENTITY",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(AddIdentity { column: a, kind: Always }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET GENERATED BY DEFAULT SET INCREMENT BY 2 RESTART",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetIdentity { column: a }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a DROP IDENTITY IF EXISTS",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(DropIdentity { column: a, if_exists: true }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET STATISTICS 100",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetStatistics { column: a }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET STORAGE external",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetStorage { column: a, storage: \"external\" }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET COMPRESSION pglz",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetCompression { column: a, method: \"pglz\" }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET (n_distinct = 5)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(ColumnOptions { column: a, options: [\"n_distinct\"] }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a RESET (n_distinct)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(ColumnOptions { column: a, options: [\"n_distinct\"] }) }] })",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a TYPE",
            "! expected a type, found the end of the statement",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET",
            "! expected DEFAULT, NOT NULL, DATA TYPE, STATISTICS, STORAGE or another \
            property, found the end of the statement",
        );
        check(
            "ALTER TABLE t ALTER COLUMN a SET NULL",
            "! expected DEFAULT, NOT NULL, DATA TYPE, STATISTICS, STORAGE or another \
            property, found \"NULL\"",
        );
        check(
            "ALTER TABLE t ALTER 3 SET STATISTICS 10",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetStatistics { column: 3 }) }] })",
        );
    }
}
