//! Column definitions.

use super::{constraint, expr, names, options, sequence, types};
use crate::sql::ast::{ColumnDef, Generated, GeneratedStorage, IdentityKind, Nullability};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::Ident;

/// Takes `name type …`.
pub(super) fn definition(c: &mut Cursor<'_>) -> Parsed<ColumnDef> {
    let start = c.position();
    let mut column = empty(names::column_id(c, "a column name")?);
    column.data_type = Some(types::data_type(c)?);
    while storage(c, &mut column)? {}
    qualifiers(c, &mut column)?;
    column.span = c.span_from(start);
    Ok(column)
}

/// Takes `name [WITH OPTIONS] …` as it stands in `OF type` and `PARTITION OF`.
pub(super) fn typed(c: &mut Cursor<'_>) -> Parsed<ColumnDef> {
    let start = c.position();
    let mut column = empty(names::column_id(c, "a column name")?);
    c.accept(&["WITH", "OPTIONS"]);
    qualifiers(c, &mut column)?;
    column.span = c.span_from(start);
    Ok(column)
}

/// Returns a column of that name and nothing else.
pub(super) fn empty(name: Ident) -> ColumnDef {
    ColumnDef {
        span: name.span,
        name,
        data_type: None,
        nullability: None,
        default: None,
        generated: None,
        identity: None,
        auto_increment: false,
        on_update: None,
        constraints: Vec::new(),
        comment: None,
        invisible: false,
        options: Vec::new(),
    }
}

fn storage(c: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<bool> {
    if let Some(word) = c.accept_any(&["STORAGE", "COMPRESSION"]) {
        let value = if c.accept(&["DEFAULT"]) {
            "default".to_owned()
        } else {
            names::column_id(c, "a method")?.value.to_ascii_lowercase()
        };
        column.options.push((word.to_ascii_lowercase(), value));
        return Ok(true);
    }
    options::optional_foreign(c)
}

/// Takes the constraints, the default and the rest behind the type.
fn qualifiers(c: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<()> {
    loop {
        let start = c.position();
        if c.accept(&["COLLATE"]) {
            let collation = names::qualified(c, "a collation")?.to_string();
            if let Some(data_type) = &mut column.data_type {
                data_type.collation = Some(collation);
            }
            continue;
        }
        let name = constraint::constraint_name(c)?;
        let named = name.is_some();
        if null(c, column, &name)? || value(c, column)? {
            // A deferrable NOT NULL or DEFAULT is refused by the server later on.
            continue;
        }
        if let Some(kind) = constraint::column_kind(c, &column.name)? {
            let mut found = constraint::plain(name, kind);
            loop {
                let check = matches!(found.kind, crate::sql::ast::ConstraintKind::Check(_));
                if check && c.accept(&["NO", "INHERIT"]) {
                    found.no_inherit = true;
                } else if !constraint::attribute(c, &mut found, false)? {
                    break;
                }
            }
            found.span = c.span_from(start);
            column.constraints.push(found);
            continue;
        }
        if named {
            return Err(c.expected("a constraint"));
        }
        if !stray_attribute(c)? {
            return Ok(());
        }
    }
}

/// The grammar allows the attributes of a constraint behind anything.
fn stray_attribute(c: &mut Cursor<'_>) -> Parsed<bool> {
    let mut nowhere =
        constraint::plain(None, crate::sql::ast::ConstraintKind::Check(Default::default()));
    constraint::attribute(c, &mut nowhere, false)
}

fn null(c: &mut Cursor<'_>, column: &mut ColumnDef, name: &Option<Ident>) -> Parsed<bool> {
    if c.accept(&["NOT", "NULL"]) {
        c.accept(&["NO", "INHERIT"]);
        column.nullability = Some(Nullability::NotNull { name: name.clone() });
        return Ok(true);
    }
    if c.accept(&["NULL"]) {
        column.nullability = Some(Nullability::Null);
        return Ok(true);
    }
    Ok(false)
}

fn value(c: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<bool> {
    if c.accept(&["DEFAULT"]) {
        column.default = Some(expr::b_expr(c)?);
        return Ok(true);
    }
    if !c.accept(&["GENERATED"]) {
        return Ok(false);
    }
    let kind = generated_when(c)?;
    c.expect(&["AS"])?;
    if c.accept(&["IDENTITY"]) {
        column.identity = Some(kind);
        sequence::options_in_parentheses(c)?;
        return Ok(true);
    }
    if kind == IdentityKind::ByDefault {
        return Err(c.expected("IDENTITY"));
    }
    let expr = expr::in_parentheses(c)?;
    let storage = match c.accept_any(&["STORED", "VIRTUAL"]) {
        Some("STORED") => GeneratedStorage::Stored,
        Some(_) => GeneratedStorage::Virtual,
        None => GeneratedStorage::Unspecified,
    };
    column.generated = Some(Generated { expr, storage });
    Ok(true)
}

/// Takes `ALWAYS` or `BY DEFAULT`.
pub(super) fn generated_when(c: &mut Cursor<'_>) -> Parsed<IdentityKind> {
    if c.accept(&["ALWAYS"]) {
        return Ok(IdentityKind::Always);
    }
    if c.accept(&["BY", "DEFAULT"]) {
        return Ok(IdentityKind::ByDefault);
    }
    Err(c.expected("ALWAYS or BY DEFAULT"))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn qualifiers() {
        check(
            "CREATE TABLE t (a bigint CONSTRAINT nn NOT NULL PRIMARY KEY, b text COLLATE \
            \"C\" DEFAULT 'x' UNIQUE NULLS NOT DISTINCT DEFERRABLE, c int GENERATED ALWAYS \
            AS (a * 2) STORED, d int GENERATED BY DEFAULT AS IDENTITY (START WITH 10), e int \
            STORAGE plain COMPRESSION lz4 NULL, f int REFERENCES u (x) MATCH FULL ON DELETE \
            SET NULL (f) ON UPDATE CASCADE INITIALLY DEFERRED, g int CHECK (g > 0) NO \
            INHERIT NOT ENFORCED)",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: Some(DataType { name: \"bigint\" }), nullability: Some(NotNull { name: Some(nn) }), constraints: [TableConstraint { kind: PrimaryKey(KeyConstraint { parts: [KeyPart { key: Column(a) }] }) }] }, ColumnDef { name: b, data_type: Some(DataType { name: \"text\", collation: Some(\"C\") }), default: Some(Expr { text: \"'x'\", shape: Literal }), constraints: [TableConstraint { kind: Unique(KeyConstraint { parts: [KeyPart { key: Column(b) }], nulls_not_distinct: true }), deferrable: true }] }, ColumnDef { name: c, data_type: Some(DataType { name: \"integer\" }), generated: Some(Generated { expr: Expr { text: \"a * 2\", columns: [\"a\"] }, storage: Stored }) }, ColumnDef { name: d, data_type: Some(DataType { name: \"integer\" }), identity: Some(ByDefault) }, ColumnDef { name: e, data_type: Some(DataType { name: \"integer\" }), nullability: Some(Null), options: [(\"storage\", \"plain\"), (\"compression\", \"lz4\")] }, ColumnDef { name: f, data_type: Some(DataType { name: \"integer\" }), constraints: [TableConstraint { kind: ForeignKey(ForeignKey { columns: [f], parent: u, parent_columns: [x], on_delete: SetNull, on_update: Cascade, match_full: true, set_columns: true }), deferrable: true, initially_deferred: true }] }, ColumnDef { name: g, data_type: Some(DataType { name: \"integer\" }), constraints: [TableConstraint { kind: Check(Expr { text: \"g > 0\", columns: [\"g\"] }), not_enforced: true, no_inherit: true }] }] })",
        );
        check(
            "CREATE TABLE t (a int GENERATED ALWAYS AS (b))",
            "CreateTable(CreateTable { name: t, columns: [ColumnDef { name: a, data_type: \
            Some(DataType { name: \"integer\" }), generated: Some(Generated { expr: Expr { \
            text: \"b\", columns: [\"b\"], shape: Column }, storage: Unspecified }) }] })",
        );
        check(
            "CREATE TABLE t (a int GENERATED BY DEFAULT AS (b))",
            "! expected IDENTITY, found \"(\"",
        );
        check("CREATE TABLE t (a int CONSTRAINT x)", "! expected a constraint, found \")\"");
    }
}
