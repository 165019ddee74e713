//! `GRANT`, `REVOKE`, `ALTER DEFAULT PRIVILEGES`.

use super::{names, object, other};
use crate::sql::ast::{Grant, ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::lexer::TokenKind;
use crate::sql::name::{Ident, ObjectName};

/// Takes what follows `GRANT` or `REVOKE`.
pub(super) fn grant(c: &mut Cursor<'_>, revoke: bool) -> Parsed<StatementKind> {
    let mut found = Grant {
        columns: Vec::new(),
        revoke,
        privileges: Vec::new(),
        object: ObjectKind::Role,
        names: Vec::new(),
        signatures: Vec::new(),
        all_in_schema: Vec::new(),
        grantees: Vec::new(),
        grant_option: false,
        cascade: false,
    };
    if revoke {
        found.grant_option = option_for(c);
    }
    found.privileges = privileges(c, &mut found.columns)?;
    if c.accept(&["ON"]) {
        target(c, &mut found)?;
    } else {
        // PUBLIC and CURRENT_USER aside, roles are spelt as they are kept.
        found.object = ObjectKind::Role;
    }
    c.expect(&[if revoke { "FROM" } else { "TO" }])?;
    found.grantees = grantees(c)?;
    if c.accept(&["WITH"]) {
        found.grant_option = with_options(c)?;
    }
    if c.accept(&["GRANTED", "BY"]) {
        names::role(c)?;
    }
    found.cascade = revoke && names::cascade(c);
    Ok(StatementKind::Grant(found))
}

fn option_for(c: &mut Cursor<'_>) -> bool {
    ["GRANT", "ADMIN", "INHERIT", "SET"].iter().any(|word| c.accept(&[word, "OPTION", "FOR"]))
}

/// Takes `GRANT OPTION`, `ADMIN OPTION`, `ADMIN TRUE, INHERIT FALSE`; says whether the right to
/// pass on is among them.
fn with_options(c: &mut Cursor<'_>) -> Parsed<bool> {
    let mut passes_on = false;
    names::list(c, |c| {
        let Some(word) = c.accept_any(&["GRANT", "ADMIN", "INHERIT", "SET"]) else {
            return Err(c.expected("GRANT OPTION, ADMIN, INHERIT or SET"));
        };
        let on = match c.accept_any(&["OPTION", "TRUE", "FALSE"]) {
            Some(value) => value != "FALSE",
            None => return Err(c.expected("OPTION, TRUE or FALSE")),
        };
        passes_on |= on && matches!(word, "GRANT" | "ADMIN");
        Ok(())
    })?;
    Ok(passes_on)
}

/// Takes privileges with their columns, or roles.
fn privileges(c: &mut Cursor<'_>, columns: &mut Vec<Ident>) -> Parsed<Vec<String>> {
    names::list(c, |c| {
        if c.accept(&["ALL"]) {
            c.accept(&["PRIVILEGES"]);
            columns.extend(names::optional_column_list(c)?);
            return Ok("all".to_owned());
        }
        if c.accept(&["ALTER", "SYSTEM"]) {
            return Ok("alter system".to_owned());
        }
        let privilege = match c.accept_any(&["SELECT", "REFERENCES", "CREATE"]) {
            Some(word) => word.to_ascii_lowercase(),
            None => names::role(c)?,
        };
        columns.extend(names::optional_column_list(c)?);
        Ok(privilege)
    })
}

fn grantees(c: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    names::list(c, |c| {
        c.accept(&["GROUP"]);
        names::role(c)
    })
}

/// Takes what stands behind ON.
fn target(c: &mut Cursor<'_>, found: &mut Grant) -> Parsed<()> {
    const ALL: &[(&str, ObjectKind)] = &[
        ("TABLES", ObjectKind::Table),
        ("SEQUENCES", ObjectKind::Sequence),
        ("FUNCTIONS", ObjectKind::Function),
        ("PROCEDURES", ObjectKind::Procedure),
        ("ROUTINES", ObjectKind::Routine),
    ];
    if c.accept(&["ALL"]) {
        let known = ALL.iter().find(|(word, _)| c.accept(&[word]));
        let Some(&(_, kind)) = known else {
            return Err(c.expected("TABLES, SEQUENCES, FUNCTIONS, PROCEDURES or ROUTINES"));
        };
        c.expect(&["IN", "SCHEMA"])?;
        found.object = kind;
        found.all_in_schema = names::list(c, |c| names::column_id(c, "a schema"))?;
        return Ok(());
    }
    found.object = target_kind(c);
    let (mut signatures, mut places) = (Vec::new(), 0_usize);
    found.names = names::list(c, |c| {
        if found.object == ObjectKind::LargeObject && names::at_kind(c, TokenKind::Number) {
            let number = names::integer(c)?;
            return Ok(ObjectName::bare(Ident::new(number, c.last_span())));
        }
        if found.object == ObjectKind::Parameter {
            return names::qualified(c, "a setting");
        }
        let address = object::address(c, found.object)?;
        if address.signature.is_some() || !signatures.is_empty() {
            signatures.resize(places, None);
            signatures.push(address.signature);
        }
        places += 1;
        Ok(address.name)
    })?;
    found.signatures = signatures;
    Ok(())
}

/// Takes the words for the kind of object; a table where nothing is written.
fn target_kind(c: &mut Cursor<'_>) -> ObjectKind {
    let kinds: &[(&[&str], ObjectKind)] = &[
        (&["TABLE"], ObjectKind::Table),
        (&["SEQUENCE"], ObjectKind::Sequence),
        (&["FOREIGN", "DATA", "WRAPPER"], ObjectKind::ForeignDataWrapper),
        (&["FOREIGN", "SERVER"], ObjectKind::Server),
        (&["FUNCTION"], ObjectKind::Function),
        (&["PROCEDURE"], ObjectKind::Procedure),
        (&["ROUTINE"], ObjectKind::Routine),
        (&["DATABASE"], ObjectKind::Database),
        (&["DOMAIN"], ObjectKind::Domain),
        (&["LANGUAGE"], ObjectKind::Language),
        (&["LARGE", "OBJECT"], ObjectKind::LargeObject),
        (&["PARAMETER"], ObjectKind::Parameter),
        (&["SCHEMA"], ObjectKind::Schema),
        (&["TABLESPACE"], ObjectKind::Tablespace),
        (&["TYPE"], ObjectKind::Type),
    ];
    for &(words, kind) in kinds {
        // `ON sequence TO …` is a table of that name.
        let behind = c.text_at(words.len());
        let is_name = ["TO", "FROM", ",", "."].iter().any(|w| behind.eq_ignore_ascii_case(w));
        if !is_name && c.accept(words) {
            return kind;
        }
    }
    ObjectKind::Table
}

/// Takes what follows `ALTER DEFAULT PRIVILEGES`.
pub(super) fn default_privileges(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    loop {
        if c.accept(&["IN", "SCHEMA"]) {
            names::list(c, |c| names::column_id(c, "a schema"))?;
        } else if c.accept(&["FOR", "ROLE"]) || c.accept(&["FOR", "USER"]) {
            names::roles(c)?;
        } else {
            break;
        }
    }
    let revoke = match c.accept_any(&["GRANT", "REVOKE"]) {
        Some(word) => word == "REVOKE",
        None => return Err(c.expected("GRANT or REVOKE")),
    };
    if revoke {
        option_for(c);
    }
    privileges(c, &mut Vec::new())?;
    c.expect(&["ON"])?;
    let targets = ["TABLES", "FUNCTIONS", "ROUTINES", "SEQUENCES", "TYPES", "SCHEMAS"];
    if c.accept_any(&targets).is_none() && !c.accept(&["LARGE", "OBJECTS"]) {
        return Err(c.expected("TABLES, FUNCTIONS, SEQUENCES, TYPES or SCHEMAS"));
    }
    c.expect(&[if revoke { "FROM" } else { "TO" }])?;
    grantees(c)?;
    if c.accept(&["WITH"]) {
        c.expect(&["GRANT", "OPTION"])?;
    }
    if revoke {
        names::cascade(c);
    }
    Ok(StatementKind::Other(other("alter-default-privileges", None, Vec::new())))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "GRANT SELECT, INSERT (a, b) ON t, app.u TO joe, PUBLIC WITH GRANT OPTION",
            "Grant(Grant { privileges: [\"select\", \"insert\"], columns: [a, b], object: Table, \
            names: [t, app.u], grantees: [\"joe\", \"public\"], grant_option: true })",
        );
        check(
            "GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA app TO joe",
            "Grant(Grant { privileges: [\"all\"], object: Table, all_in_schema: [app], \
            grantees: [\"joe\"] })",
        );
        check(
            "REVOKE GRANT OPTION FOR EXECUTE ON FUNCTION f(int) FROM joe CASCADE",
            "Grant(Grant { revoke: true, privileges: [\"execute\"], object: Function, names: \
            [f], signatures: [Some(Signature { types: [DataType { name: \"integer\" }], input: \
            [DataType { name: \"integer\" }] })], grantees: [\"joe\"], grant_option: true, \
            cascade: true })",
        );
        check(
            "GRANT a, b TO joe WITH ADMIN TRUE, INHERIT FALSE",
            "Grant(Grant { privileges: [\"a\", \"b\"], object: Role, grantees: [\"joe\"], \
            grant_option: true })",
        );
        check(
            "REVOKE a FROM joe",
            "Grant(Grant { revoke: true, privileges: [\"a\"], object: Role, grantees: \
            [\"joe\"] })",
        );
        check(
            "GRANT SET ON PARAMETER work_mem TO joe",
            "Grant(Grant { privileges: [\"set\"], object: Parameter, names: [work_mem], \
            grantees: [\"joe\"] })",
        );
        check(
            "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA app GRANT SELECT ON TABLES TO joe",
            "Other(Other { what: \"alter-default-privileges\" })",
        );
        check("GRANT SELECT ON t", "! expected TO, found the end of the statement");
        check("GRANT SELECT t TO joe", "! expected TO, found \"t\"");
    }
}
