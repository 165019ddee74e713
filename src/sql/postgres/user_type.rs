//! Types and domains.

use super::{constraint, expr, names, object, options, types};
use crate::sql::ast::{
    AlterDomain, AlterType, ConstraintKind, CreateDomain, CreateType, DataType, DomainAction,
    ObjectKind, Rename, StatementKind, TypeAction, TypeKind,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

/// Takes what follows `CREATE TYPE`.
pub(super) fn create(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = names::qualified(c, "a type name")?;
    let kind = if c.accept(&["AS", "ENUM"]) {
        c.expect_symbol("(")?;
        let labels = if c.at_symbol(")") { Vec::new() } else { names::list(c, names::string)? };
        c.expect_symbol(")")?;
        TypeKind::Enum(labels)
    } else if c.accept(&["AS", "RANGE"]) {
        options::settings(c)?;
        TypeKind::Range
    } else if c.accept(&["AS"]) {
        c.expect_symbol("(")?;
        let none = c.at_symbol(")");
        let attributes = if none { Vec::new() } else { names::list(c, attribute)? };
        c.expect_symbol(")")?;
        TypeKind::Composite(attributes)
    } else {
        if c.at_symbol("(") {
            options::settings(c)?;
        }
        TypeKind::Base
    };
    Ok(StatementKind::CreateType(CreateType { name, kind }))
}

fn attribute(c: &mut Cursor<'_>) -> Parsed<(Ident, DataType)> {
    let name = names::column_id(c, "an attribute name")?;
    let mut data_type = types::data_type(c)?;
    if c.accept(&["COLLATE"]) {
        data_type.collation = Some(names::qualified(c, "a collation")?.to_string());
    }
    Ok((name, data_type))
}

/// Takes what follows `ALTER TYPE`.
pub(super) fn alter(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let start = c.position();
    let address = object::address(c, ObjectKind::Type)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let end = c.position();
    c.reset(start);
    let name = names::qualified(c, "a type name")?;
    c.reset(end);
    let actions = if let Some(action) = value(c)? {
        vec![action]
    } else if c.accept(&["SET"]) {
        options::settings(c)?;
        vec![TypeAction::Options]
    } else if c.accept(&["RENAME"]) {
        vec![rename_attribute(c)?]
    } else {
        names::list(c, attribute_action)?
    };
    Ok(StatementKind::AlterType(AlterType { name, actions }))
}

/// Takes `ADD VALUE` or `RENAME VALUE`, where one is next.
fn value(c: &mut Cursor<'_>) -> Parsed<Option<TypeAction>> {
    if c.accept(&["RENAME", "VALUE"]) {
        let from = names::string(c)?;
        c.expect(&["TO"])?;
        return Ok(Some(TypeAction::RenameValue { from, to: names::string(c)? }));
    }
    if !c.accept(&["ADD", "VALUE"]) {
        return Ok(None);
    }
    let if_not_exists = names::if_not_exists(c);
    let value = names::string(c)?;
    let positioned = c.accept_any(&["BEFORE", "AFTER"]).is_some();
    let beside = if positioned { Some(names::string(c)?) } else { None };
    Ok(Some(TypeAction::AddValue { value, if_not_exists, beside }))
}

fn rename_attribute(c: &mut Cursor<'_>) -> Parsed<TypeAction> {
    c.expect(&["ATTRIBUTE"])?;
    let from = names::column_id(c, "an attribute name")?;
    c.expect(&["TO"])?;
    let to = names::column_id(c, "an attribute name")?;
    Ok(TypeAction::RenameAttribute { from, to, cascade: names::cascade(c) })
}

fn attribute_action(c: &mut Cursor<'_>) -> Parsed<TypeAction> {
    if c.accept(&["ADD", "ATTRIBUTE"]) {
        let (name, data_type) = attribute(c)?;
        return Ok(TypeAction::AddAttribute { name, data_type, cascade: names::cascade(c) });
    }
    if c.accept(&["DROP", "ATTRIBUTE"]) {
        let if_exists = names::if_exists(c);
        let name = names::column_id(c, "an attribute name")?;
        return Ok(TypeAction::DropAttribute { name, if_exists, cascade: names::cascade(c) });
    }
    if c.accept(&["ALTER", "ATTRIBUTE"]) {
        let name = names::column_id(c, "an attribute name")?;
        c.accept(&["SET", "DATA"]);
        c.expect(&["TYPE"])?;
        let mut data_type = types::data_type(c)?;
        if c.accept(&["COLLATE"]) {
            data_type.collation = Some(names::qualified(c, "a collation")?.to_string());
        }
        return Ok(TypeAction::AlterAttribute { name, data_type, cascade: names::cascade(c) });
    }
    Err(c.expected("ADD VALUE, ADD ATTRIBUTE, RENAME TO or another action"))
}

/// Takes what follows `CREATE DOMAIN`.
pub(super) fn create_domain(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = names::qualified(c, "a domain name")?;
    c.accept(&["AS"]);
    let data_type = types::data_type(c)?;
    let mut domain =
        CreateDomain { name, data_type, default: None, not_null: false, checks: Vec::new() };
    loop {
        if c.accept(&["COLLATE"]) {
            domain.data_type.collation = Some(names::qualified(c, "a collation")?.to_string());
            continue;
        }
        let constraint = constraint::constraint_name(c)?;
        if c.accept(&["NOT", "NULL"]) {
            domain.not_null = true;
        } else if c.accept(&["NULL"]) {
        } else if c.accept(&["DEFAULT"]) {
            domain.default = Some(expr::b_expr(c)?);
        } else if c.accept(&["CHECK"]) {
            domain.checks.push((constraint, expr::in_parentheses(c)?));
        } else if constraint.is_some() {
            return Err(c.expected("CHECK or NOT NULL"));
        } else {
            break;
        }
    }
    Ok(StatementKind::CreateDomain(Box::new(domain)))
}

/// Takes what follows `ALTER DOMAIN`.
pub(super) fn alter_domain(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = names::qualified(c, "a domain name")?;
    let address = object::Address::named(ObjectKind::Domain, name.clone());
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    if c.accept(&["RENAME", "CONSTRAINT"]) {
        let from = ObjectName::bare(names::column_id(c, "a constraint name")?);
        c.expect(&["TO"])?;
        let to = ObjectName::bare(names::column_id(c, "a constraint name")?);
        return Ok(StatementKind::Rename(Rename {
            object: ObjectKind::DomainConstraint,
            pairs: vec![(from, to)],
            on: Some(name),
            signature: None,
            if_exists: false,
        }));
    }
    let action = domain_action(c)?;
    Ok(StatementKind::AlterDomain(Box::new(AlterDomain { name, action })))
}

fn domain_action(c: &mut Cursor<'_>) -> Parsed<DomainAction> {
    if c.accept(&["SET", "DEFAULT"]) {
        return Ok(DomainAction::SetDefault(expr::a_expr(c)?));
    }
    if c.accept(&["DROP", "DEFAULT"]) {
        return Ok(DomainAction::DropDefault);
    }
    if c.accept(&["SET", "NOT", "NULL"]) {
        return Ok(DomainAction::SetNotNull);
    }
    if c.accept(&["DROP", "NOT", "NULL"]) {
        return Ok(DomainAction::DropNotNull);
    }
    if c.accept(&["DROP", "CONSTRAINT"]) {
        let if_exists = names::if_exists(c);
        let name = names::column_id(c, "a constraint name")?;
        names::cascade(c);
        return Ok(DomainAction::DropConstraint { name, if_exists });
    }
    if c.accept(&["VALIDATE", "CONSTRAINT"]) {
        let name = names::column_id(c, "a constraint name")?;
        return Ok(DomainAction::ValidateConstraint(name));
    }
    c.expect(&["ADD"])?;
    let name = constraint::constraint_name(c)?;
    if c.accept(&["NOT", "NULL"]) {
        return Ok(DomainAction::AddNotNull { name });
    }
    c.expect(&["CHECK"])?;
    let check = expr::in_parentheses(c)?;
    let mut found = constraint::plain(name, ConstraintKind::Check(check.clone()));
    while constraint::attribute(c, &mut found, true)? {}
    Ok(DomainAction::AddCheck { name: found.name, check, not_valid: found.not_valid })
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE TYPE t AS ENUM ('a', 'b''c')",
            "CreateType(CreateType { name: t, kind: Enum([\"a\", \"b'c\"]) })",
        );
        check(
            "CREATE TYPE t AS (a int, b text COLLATE \"C\")",
            "CreateType(CreateType { name: t, kind: Composite([(a, DataType { name: \
            \"integer\" }), (b, DataType { name: \"text\", collation: Some(\"C\") })]) })",
        );
        check(
            "CREATE TYPE t AS RANGE (subtype = float8, subtype_diff = float8mi)",
            "CreateType(CreateType { name: t, kind: Range })",
        );
        check(
            "CREATE TYPE t (input = f, output = g)",
            "CreateType(CreateType { name: t, kind: Base })",
        );
        check(
            "ALTER TYPE t ADD VALUE IF NOT EXISTS 'x' BEFORE 'a'",
            "AlterType(AlterType { name: t, actions: [AddValue { value: \"x\", if_not_exists: \
            true, beside: Some(\"a\") }] })",
        );
        check(
            "ALTER TYPE t RENAME VALUE 'a' TO 'b'",
            "AlterType(AlterType { name: t, actions: [RenameValue { from: \"a\", to: \"b\" }] \
            })",
        );
        check(
            "ALTER TYPE t ADD ATTRIBUTE a int CASCADE, DROP ATTRIBUTE IF EXISTS b, ALTER \
            ATTRIBUTE c SET DATA TYPE text",
            "AlterType(AlterType { name: t, actions: [AddAttribute { name: a, data_type: \
            DataType { name: \"integer\" }, cascade: true }, DropAttribute { name: b, if_exists: true }, \
            AlterAttribute { name: c, data_type: DataType { name: \"text\" } }] })",
        );
        check(
            "ALTER TYPE t RENAME ATTRIBUTE a TO b CASCADE",
            "AlterType(AlterType { name: t, actions: [RenameAttribute { from: a, to: b, \
            cascade: true }] })",
        );
        check(
            "CREATE DOMAIN d AS text COLLATE \"C\" DEFAULT 'x' NOT NULL CONSTRAINT c CHECK \
            (VALUE <> '')",
            "CreateDomain(CreateDomain { name: d, data_type: DataType { name: \"text\", \
            collation: Some(\"C\") }, default: Some(Expr { text: \"'x'\", shape: Literal }), \
            not_null: true, checks: [(Some(c), Expr { text: \"VALUE <> ''\", columns: \
            [\"value\"] })] })",
        );
        check(
            "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID",
            "AlterDomain(AlterDomain { name: d, action: AddCheck { name: Some(c), check: Expr \
            { text: \"VALUE > 0\", columns: [\"value\"] }, not_valid: true } })",
        );
        check(
            "ALTER DOMAIN d ADD NOT NULL",
            "AlterDomain(AlterDomain { name: d, action: AddNotNull {} })",
        );
        check(
            "ALTER DOMAIN d VALIDATE CONSTRAINT c",
            "AlterDomain(AlterDomain { name: d, action: ValidateConstraint(c) })",
        );
        check(
            "ALTER DOMAIN d RENAME CONSTRAINT a TO b",
            "Rename(Rename { object: DomainConstraint, pairs: [(a, b)], on: Some(d) })",
        );
        check(
            "ALTER DOMAIN d DROP CONSTRAINT IF EXISTS c",
            "AlterDomain(AlterDomain { name: d, action: DropConstraint { name: c, if_exists: \
            true } })",
        );
        check("ALTER TYPE t ADD VALUE x", "! expected a string, found \"x\"");
        check(
            "ALTER TYPE t ADD ATRIBUTE a int",
            "! expected ADD VALUE, ADD ATTRIBUTE, RENAME TO or another action, found \"ADD\"",
        );
    }
}
