//! Constraints of tables and columns.

use super::{expr, index, names, options};
use crate::sql::ast::{
    ConstraintKind, ExcludeConstraint, ForeignKey, Key, KeyConstraint, KeyPart, ReferentialAction,
    TableConstraint,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::Ident;
use crate::sql::source::Span;

/// Says whether a table constraint begins here.
pub(super) fn at_table_constraint(c: &Cursor<'_>) -> bool {
    // All of these but EXCLUDE are reserved words.
    ["CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN"].iter().any(|word| c.at(&[word]))
        || c.at(&["NOT", "NULL"])
        || (c.at(&["EXCLUDE"])
            && (c.text_at(1) == "(" || c.text_at(1).eq_ignore_ascii_case("using")))
}

/// Takes `[CONSTRAINT name] …` as it stands among columns or behind ADD.
pub(super) fn table_constraint(c: &mut Cursor<'_>) -> Parsed<TableConstraint> {
    let start = c.position();
    let name = constraint_name(c)?;
    let kind = table_kind(c)?;
    let mut constraint = plain(name, kind);
    while attribute(c, &mut constraint, true)? {}
    constraint.span = c.span_from(start);
    Ok(constraint)
}

/// Takes `CONSTRAINT name`, where it is next.
pub(super) fn constraint_name(c: &mut Cursor<'_>) -> Parsed<Option<Ident>> {
    if !c.accept(&["CONSTRAINT"]) {
        return Ok(None);
    }
    names::column_id(c, "a constraint name").map(Some)
}

/// Returns a constraint without attributes.
pub(super) fn plain(name: Option<Ident>, kind: ConstraintKind) -> TableConstraint {
    TableConstraint {
        span: Span::default(),
        name,
        kind,
        not_valid: false,
        not_enforced: false,
        deferrable: false,
        initially_deferred: false,
        no_inherit: false,
        if_not_exists: false,
    }
}

fn table_kind(c: &mut Cursor<'_>) -> Parsed<ConstraintKind> {
    if c.accept(&["CHECK"]) {
        return Ok(ConstraintKind::Check(expr::in_parentheses(c)?));
    }
    if c.accept(&["NOT", "NULL"]) {
        return Ok(ConstraintKind::NotNull(names::column_id(c, "a column name")?));
    }
    if c.accept(&["UNIQUE"]) {
        if c.accept(&["USING", "INDEX"]) {
            return Ok(ConstraintKind::UniqueUsingIndex(names::column_id(c, "an index name")?));
        }
        return Ok(ConstraintKind::Unique(table_key(c)?));
    }
    if c.accept(&["PRIMARY"]) {
        c.expect(&["KEY"])?;
        if c.accept(&["USING", "INDEX"]) {
            let index = names::column_id(c, "an index name")?;
            return Ok(ConstraintKind::PrimaryKeyUsingIndex(index));
        }
        return Ok(ConstraintKind::PrimaryKey(table_key(c)?));
    }
    if c.accept(&["EXCLUDE"]) {
        return exclude(c);
    }
    if c.accept(&["FOREIGN"]) {
        c.expect(&["KEY"])?;
        let (columns, period) = key_columns(c)?;
        c.expect(&["REFERENCES"])?;
        return Ok(ConstraintKind::ForeignKey(references(c, columns, period)?));
    }
    Err(c.expected("CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY, EXCLUDE or NOT NULL"))
}

/// Takes `[NULLS [NOT] DISTINCT] (a, b WITHOUT OVERLAPS) [INCLUDE (c)] …`.
fn table_key(c: &mut Cursor<'_>) -> Parsed<KeyConstraint> {
    let nulls_not_distinct = nulls(c)?;
    c.expect_symbol("(")?;
    let parts = names::list(c, |c| Ok(column_part(names::column_id(c, "a column name")?)))?;
    let without_overlaps = c.accept(&["WITHOUT", "OVERLAPS"]);
    c.expect_symbol(")")?;
    let include = if c.accept(&["INCLUDE"]) { names::column_list(c)? } else { Vec::new() };
    let tablespace = index_options(c)?;
    Ok(KeyConstraint {
        parts,
        include,
        nulls_not_distinct,
        without_overlaps,
        index_name: None,
        tablespace,
        options: Vec::new(),
    })
}

/// Takes `NULLS [NOT] DISTINCT`, where it is next; says whether NOT was written.
pub(super) fn nulls(c: &mut Cursor<'_>) -> Parsed<bool> {
    if !c.accept(&["NULLS"]) {
        return Ok(false);
    }
    let not = c.accept(&["NOT"]);
    c.expect(&["DISTINCT"])?;
    Ok(not)
}

/// Takes `[WITH (…)] [USING INDEX TABLESPACE name]`.
fn index_options(c: &mut Cursor<'_>) -> Parsed<Option<String>> {
    if c.at(&["WITH"]) && c.text_at(1) == "(" {
        c.advance();
        options::settings(c)?;
    }
    if c.accept(&["USING", "INDEX", "TABLESPACE"]) {
        return Ok(Some(names::column_id(c, "a tablespace")?.value));
    }
    Ok(None)
}

/// Returns a key part that is a column and nothing else.
pub(super) fn column_part(column: Ident) -> KeyPart {
    KeyPart {
        span: column.span,
        key: Key::Column(column),
        collation: None,
        opclass: None,
        prefix: None,
        descending: false,
        nulls_first: None,
    }
}

fn exclude(c: &mut Cursor<'_>) -> Parsed<ConstraintKind> {
    let method = index::method(c)?;
    c.expect_symbol("(")?;
    let parts = names::list(c, |c| {
        let part = index::key_part(c)?;
        c.expect(&["WITH"])?;
        if c.accept(&["OPERATOR"]) {
            c.expect_symbol("(")?;
            expr::any_operator(c)?;
            c.expect_symbol(")")?;
        } else {
            expr::any_operator(c)?;
        }
        Ok(part)
    })?;
    c.expect_symbol(")")?;
    if c.accept(&["INCLUDE"]) {
        names::column_list(c)?;
    }
    index_options(c)?;
    let predicate = if c.accept(&["WHERE"]) { Some(expr::in_parentheses(c)?) } else { None };
    Ok(ConstraintKind::Exclude(ExcludeConstraint { method, parts, predicate }))
}

/// Takes `(a, b, PERIOD c)`.
fn key_columns(c: &mut Cursor<'_>) -> Parsed<(Vec<Ident>, bool)> {
    let mut period = false;
    c.expect_symbol("(")?;
    let columns = names::list(c, |c| {
        if c.at(&["PERIOD"]) && !matches!(c.text_at(1), "," | ")") {
            c.advance();
            period = true;
        }
        names::column_id(c, "a column name")
    })?;
    c.expect_symbol(")")?;
    Ok((columns, period))
}

/// Takes what follows REFERENCES.
pub(super) fn references(
    c: &mut Cursor<'_>,
    columns: Vec<Ident>,
    period: bool,
) -> Parsed<ForeignKey> {
    let parent = names::qualified(c, "a table name")?;
    let parent_columns = if c.at_symbol("(") { key_columns(c)?.0 } else { Vec::new() };
    let mut match_full = false;
    let mut set_columns = false;
    if c.accept(&["MATCH"]) {
        match c.accept_any(&["FULL", "PARTIAL", "SIMPLE"]) {
            Some(word) => match_full = word == "FULL",
            None => return Err(c.expected("FULL, PARTIAL or SIMPLE")),
        }
    }
    let (mut on_delete, mut on_update) = (None, None);
    while c.accept(&["ON"]) {
        let slot = match c.accept_any(&["DELETE", "UPDATE"]) {
            Some("DELETE") => &mut on_delete,
            Some(_) => &mut on_update,
            None => return Err(c.expected("DELETE or UPDATE")),
        };
        if slot.is_some() {
            return Err(c.expected("one action for each event"));
        }
        let (action, columns) = action(c)?;
        *slot = Some(action);
        set_columns |= columns;
    }
    Ok(ForeignKey {
        columns,
        parent,
        parent_columns,
        on_delete: on_delete.unwrap_or_default(),
        on_update: on_update.unwrap_or_default(),
        match_full,
        set_columns,
        period,
        index_name: None,
    })
}

fn action(c: &mut Cursor<'_>) -> Parsed<(ReferentialAction, bool)> {
    if c.accept(&["NO", "ACTION"]) {
        return Ok((ReferentialAction::NoAction, false));
    }
    if c.accept(&["RESTRICT"]) {
        return Ok((ReferentialAction::Restrict, false));
    }
    if c.accept(&["CASCADE"]) {
        return Ok((ReferentialAction::Cascade, false));
    }
    c.expect(&["SET"])?;
    let action = match c.accept_any(&["NULL", "DEFAULT"]) {
        Some("NULL") => ReferentialAction::SetNull,
        Some(_) => ReferentialAction::SetDefault,
        None => return Err(c.expected("NULL or DEFAULT")),
    };
    let columns = c.at_symbol("(");
    names::optional_column_list(c)?;
    Ok((action, columns))
}

/// Takes one of the words that may follow a constraint, where one is next.
///
/// `NOT VALID` and `NO INHERIT` belong to table constraints; on a column only CHECK and NOT NULL
/// take `NO INHERIT`.
pub(super) fn attribute(
    c: &mut Cursor<'_>,
    constraint: &mut TableConstraint,
    of_table: bool,
) -> Parsed<bool> {
    if c.accept(&["NOT", "DEFERRABLE"]) {
        constraint.deferrable = false;
    } else if c.accept(&["DEFERRABLE"]) {
        constraint.deferrable = true;
    } else if c.accept(&["INITIALLY"]) {
        match c.accept_any(&["DEFERRED", "IMMEDIATE"]) {
            Some(word) => constraint.initially_deferred = word == "DEFERRED",
            None => return Err(c.expected("DEFERRED or IMMEDIATE")),
        }
        constraint.deferrable |= constraint.initially_deferred;
    } else if c.accept(&["NOT", "ENFORCED"]) {
        constraint.not_enforced = true;
    } else if c.accept(&["ENFORCED"]) {
        constraint.not_enforced = false;
    } else if of_table && c.accept(&["NOT", "VALID"]) {
        constraint.not_valid = true;
    } else if of_table && c.accept(&["NO", "INHERIT"]) {
        constraint.no_inherit = true;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Takes a constraint that stands on a column, its attributes left to the caller.
pub(super) fn column_kind(c: &mut Cursor<'_>, column: &Ident) -> Parsed<Option<ConstraintKind>> {
    let key = |c: &mut Cursor<'_>| {
        Ok(KeyConstraint {
            parts: vec![column_part(column.clone())],
            nulls_not_distinct: nulls(c)?,
            tablespace: index_options(c)?,
            ..KeyConstraint::default()
        })
    };
    if c.accept(&["UNIQUE"]) {
        return Ok(Some(ConstraintKind::Unique(key(c)?)));
    }
    if c.accept(&["PRIMARY"]) {
        c.expect(&["KEY"])?;
        return Ok(Some(ConstraintKind::PrimaryKey(key(c)?)));
    }
    if c.accept(&["CHECK"]) {
        return Ok(Some(ConstraintKind::Check(expr::in_parentheses(c)?)));
    }
    if c.accept(&["REFERENCES"]) {
        let foreign_key = references(c, vec![column.clone()], false)?;
        return Ok(Some(ConstraintKind::ForeignKey(foreign_key)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn kinds() {
        check(
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { name: Some(c), kind: Check(Expr { text: \"a > \
            0\", columns: [\"a\"] }), not_valid: true }) }] })",
        );
        check(
            "ALTER TABLE t ADD PRIMARY KEY (a, b) INCLUDE (c) WITH (fillfactor = 70) USING \
            INDEX TABLESPACE x",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { kind: PrimaryKey(KeyConstraint { parts: [KeyPart \
            { key: Column(a) }, KeyPart { key: Column(b) }], include: [c], tablespace: \
            Some(\"x\") }) }) }] })",
        );
        check(
            "ALTER TABLE t ADD CONSTRAINT c PRIMARY KEY USING INDEX i",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { name: Some(c), kind: PrimaryKeyUsingIndex(i) }) \
            }] })",
        );
        check(
            "ALTER TABLE t ADD UNIQUE USING INDEX i DEFERRABLE INITIALLY DEFERRED",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { kind: UniqueUsingIndex(i), deferrable: true, \
            initially_deferred: true }) }] })",
        );
        check(
            "ALTER TABLE t ADD CONSTRAINT c UNIQUE (a, b WITHOUT OVERLAPS)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { name: Some(c), kind: Unique(KeyConstraint { \
            parts: [KeyPart { key: Column(a) }, KeyPart { key: Column(b) }], \
            without_overlaps: true }) }) }] })",
        );
        check(
            "ALTER TABLE t ADD FOREIGN KEY (a, PERIOD b) REFERENCES app.u (x, PERIOD y) NOT \
            VALID",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { kind: ForeignKey(ForeignKey { columns: [a, b], \
            parent: app.u, parent_columns: [x, y], period: true }), not_valid: true }) }] })",
        );
        check(
            "ALTER TABLE t ADD EXCLUDE USING gist (a WITH =, b WITH &&) WHERE (c)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { kind: Exclude(ExcludeConstraint { method: \
            Some(\"gist\"), parts: [KeyPart { key: Column(a) }, KeyPart { key: Column(b) }], \
            predicate: Some(Expr { text: \"c\", columns: [\"c\"], shape: Column }) }) }) }] \
            })",
        );
        check(
            "ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { name: Some(c), kind: NotNull(a), not_valid: true \
            }) }] })",
        );
        check(
            "ALTER TABLE t ADD CONSTRAINT c NOT NULL a NO INHERIT",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddConstraint(TableConstraint { name: Some(c), kind: NotNull(a), no_inherit: \
            true }) }] })",
        );
    }

    #[test]
    fn what_is_no_constraint_is_refused() {
        check(
            "ALTER TABLE t ADD CONSTRAINT c",
            "! expected CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY, EXCLUDE or NOT NULL, found \
            the end of the statement",
        );
        check(
            "ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS c CHECK (a)",
            "! expected CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY, EXCLUDE or NOT NULL, found \
            \"NOT\"",
        );
        check(
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES",
            "! expected a table name, found the end of the statement",
        );
        check(
            "ALTER TABLE t ADD UNIQUE (a) NOT VALUED",
            "! expected the end of the statement, found \"NOT\"",
        );
        check("ALTER TABLE t ADD PRIMARY (a)", "! expected KEY, found \"(\"");
    }
}
