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
