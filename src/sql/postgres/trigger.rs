//! Triggers, event triggers and rules.

use super::{body, call, constraint, expr, names, object, other};
use crate::sql::ast::{
    ConstraintKind, CreateRule, CreateTrigger, Expr, ObjectKind, Statement, StatementKind,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::Ident;
use crate::sql::name::ObjectName;
use crate::sql::source::Span;

/// Takes what follows `CREATE [OR REPLACE] [CONSTRAINT] TRIGGER`.
pub(super) fn create(
    c: &mut Cursor<'_>,
    or_replace: bool,
    of_constraint: bool,
) -> Parsed<StatementKind> {
    let name = ObjectName::bare(names::column_id(c, "a trigger name")?);
    let timing = timing(c)?;
    let mut columns = Vec::new();
    let mut events = Vec::new();
    loop {
        let Some(event) = c.accept_any(&["INSERT", "DELETE", "UPDATE", "TRUNCATE"]) else {
            return Err(c.expected("INSERT, UPDATE, DELETE or TRUNCATE"));
        };
        let event_name = event.to_ascii_lowercase();
        if events.contains(&event_name) {
            return Err(c.expected("each event once"));
        }
        events.push(event_name);
        if event == "UPDATE" && c.accept(&["OF"]) {
            columns = names::list(c, |c| names::column_id(c, "a column name"))?;
        }
        if !c.accept(&["OR"]) {
            break;
        }
    }
    c.expect(&["ON"])?;
    let table = names::qualified(c, "a table name")?;
    let from = match c.accept(&["FROM"]) {
        true => Some(names::qualified(c, "a table name")?),
        false => None,
    };
    let mut attributes = constraint::plain(None, ConstraintKind::Check(Expr::default()));
    while constraint::attribute(c, &mut attributes, false)? {}
    let transition_tables = referencing(c)?;
    let for_each_row = for_each(c)?;
    let when = if c.accept(&["WHEN"]) { Some(expr::in_parentheses(c)?) } else { None };
    let function = execute(c, Arguments::Any)?;
    Ok(StatementKind::CreateTrigger(Box::new(CreateTrigger {
        name,
        table,
        or_replace,
        if_not_exists: false,
        constraint: of_constraint,
        from,
        timing,
        events,
        columns,
        for_each_row,
        transition_tables,
        when,
        function: Some(function),
        statements: Vec::new(),
        body: Span::default(),
        text: None,
    })))
}

fn timing(c: &mut Cursor<'_>) -> Parsed<String> {
    if c.accept(&["INSTEAD", "OF"]) {
        return Ok("instead of".to_owned());
    }
    match c.accept_any(&["BEFORE", "AFTER"]) {
        Some(word) => Ok(word.to_ascii_lowercase()),
        None => Err(c.expected("BEFORE, AFTER or INSTEAD OF")),
    }
}

/// Reads REFERENCING. Says whether it is written.
fn referencing(c: &mut Cursor<'_>) -> Parsed<bool> {
    let written = c.accept(&["REFERENCING"]);
    if written {
        while c.accept_any(&["NEW", "OLD"]).is_some() {
            if c.accept_any(&["TABLE", "ROW"]).is_none() {
                return Err(c.expected("TABLE"));
            }
            c.accept(&["AS"]);
            names::column_id(c, "a name")?;
        }
    }
    Ok(written)
}

fn for_each(c: &mut Cursor<'_>) -> Parsed<bool> {
    if !c.accept(&["FOR"]) {
        return Ok(false);
    }
    c.accept(&["EACH"]);
    match c.accept_any(&["ROW", "STATEMENT"]) {
        Some(word) => Ok(word == "ROW"),
        None => Err(c.expected("ROW or STATEMENT")),
    }
}

/// What a trigger may hand to its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arguments {
    /// Nothing: event triggers.
    None,
    /// Literals.
    Any,
}

/// Takes `EXECUTE FUNCTION f ('x', 1, word)`.
fn execute(c: &mut Cursor<'_>, arguments: Arguments) -> Parsed<ObjectName> {
    c.expect(&["EXECUTE"])?;
    if c.accept_any(&["FUNCTION", "PROCEDURE"]).is_none() {
        return Err(c.expected("FUNCTION or PROCEDURE"));
    }
    let name = names::function(c, "a function name")?;
    call::enclosed(c, |c| {
        if c.at_symbol(")") || arguments == Arguments::None {
            return Ok(());
        }
        names::list(c, |c| {
            if names::at_string(c) {
                names::string(c)?;
            } else if names::integer(c).is_err() {
                names::label(c, "an argument")?;
            }
            Ok(())
        })
        .map(|_| ())
    })?;
    Ok(name)
}

/// Takes what follows `CREATE EVENT TRIGGER`.
pub(super) fn create_event(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = ObjectName::bare(names::column_id(c, "a trigger name")?);
    c.expect(&["ON"])?;
    names::label(c, "an event")?;
    if c.accept(&["WHEN"]) {
        loop {
            names::column_id(c, "a filter")?;
            c.expect(&["IN"])?;
            call::enclosed(c, |c| names::list(c, names::string).map(|_| ()))?;
            if !c.accept(&["AND"]) {
                break;
            }
        }
    }
    let function = execute(c, Arguments::None)?;
    let object = Some(ObjectKind::EventTrigger);
    Ok(StatementKind::Other(other("create-event-trigger", object, vec![name, function])))
}

/// Takes what follows `ALTER EVENT TRIGGER`.
pub(super) fn alter_event(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let address = object::address(c, ObjectKind::EventTrigger)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let mut found = other("alter-event-trigger", Some(address.object), vec![address.name]);
    if c.accept(&["ENABLE"]) {
        c.accept_any(&["REPLICA", "ALWAYS"]);
        found.options.push("enable".to_owned());
    } else {
        c.expect(&["DISABLE"])?;
        found.options.push("disable".to_owned());
    }
    Ok(StatementKind::Other(found))
}

/// Takes what follows `CREATE [OR REPLACE] RULE`.
pub(super) fn create_rule(c: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    let name = names::column_id(c, "a rule name")?;
    c.expect(&["AS", "ON"])?;
    let Some(event) = c.accept_any(&["SELECT", "INSERT", "UPDATE", "DELETE"]) else {
        return Err(c.expected("SELECT, INSERT, UPDATE or DELETE"));
    };
    c.expect(&["TO"])?;
    let table = names::qualified(c, "a table name")?;
    let first = c.position();
    if c.accept(&["WHERE"]) {
        expr::a_expr(c)?;
    }
    c.expect(&["DO"])?;
    c.accept_any(&["INSTEAD", "ALSO"]);
    let start = c.position();
    let statements = if c.accept(&["NOTHING"]) { Vec::new() } else { rule_actions(c)? };
    Ok(StatementKind::CreateRule(CreateRule {
        name,
        table,
        or_replace,
        event: event.to_ascii_lowercase(),
        body: c.span_from(start),
        statements,
        row_columns: row_columns(&c.sub(first, c.position())),
    }))
}

/// Returns the names behind `OLD.` and `NEW.`, each once.
fn row_columns(c: &Cursor<'_>) -> Vec<Ident> {
    let mut found: Vec<Ident> = Vec::new();
    let mut inner = c.sub(0, c.tokens().len());
    while !inner.is_at_end() {
        let of_row = inner.at(&["OLD"]) || inner.at(&["NEW"]);
        inner.advance();
        let named = of_row && inner.accept_symbol(".") && !inner.at_symbol("*");
        if let Some(name) = named.then(|| names::column_id(&mut inner, "a column").ok()).flatten()
            && !found.iter().any(|known| known.value == name.value)
        {
            found.push(name);
        }
    }
    found
}

/// Takes one statement, or several in parentheses. A query may stand in parentheses as well.
fn rule_actions(c: &mut Cursor<'_>) -> Parsed<Vec<Statement>> {
    if !c.at_symbol("(") || super::select::at_query(c) && c.text_at(1) == "(" {
        return Ok(vec![body::nested(c)?]);
    }
    let opening = c.position();
    c.expect_symbol("(")?;
    let mut statements = Vec::new();
    while !c.accept_symbol(")") {
        if c.accept_symbol(";") {
            continue;
        }
        statements.push(body::nested(c)?);
        if !c.at_symbol(";") && !c.at_symbol(")") {
            return Err(c.expected("; or )"));
        }
    }
    // `(SELECT 1) UNION SELECT 2` is one query.
    if ["UNION", "INTERSECT", "EXCEPT"].iter().any(|word| c.at(&[word])) {
        c.reset(opening);
        statements = vec![body::nested(c)?];
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE OR REPLACE TRIGGER g BEFORE INSERT OR UPDATE OF a, b ON t FOR EACH ROW \
            WHEN (NEW.a IS DISTINCT FROM OLD.a) EXECUTE FUNCTION app.f('x', 1)",
            "CreateTrigger(CreateTrigger { name: g, table: t, or_replace: true, timing: \
            \"before\", events: [\"insert\", \"update\"], columns: [a, b], for_each_row: \
            true, when: Some(Expr { text: \"NEW.a IS DISTINCT FROM OLD.a\", columns: [\"a\"] \
            }), function: Some(app.f), body: 0..0 })",
        );
        check(
            "CREATE CONSTRAINT TRIGGER g AFTER DELETE ON t FROM u DEFERRABLE INITIALLY \
            DEFERRED FOR EACH ROW EXECUTE PROCEDURE f()",
            "CreateTrigger(CreateTrigger { name: g, table: t, constraint: true, from: \
            Some(u), timing: \"after\", events: [\"delete\"], for_each_row: true, function: \
            Some(f), body: 0..0 })",
        );
        check(
            "CREATE TRIGGER g AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT \
            EXECUTE FUNCTION f()",
            "CreateTrigger(CreateTrigger { name: g, table: t, timing: \"after\", events: \
            [\"insert\"], transition_tables: true, function: Some(f), body: 0..0 })",
        );
        check(
            "CREATE EVENT TRIGGER g ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE \
            FUNCTION f()",
            "Other(Other { what: \"create-event-trigger\", object: Some(EventTrigger), names: \
            [g, f] })",
        );
        check(
            "ALTER EVENT TRIGGER g ENABLE ALWAYS",
            "Other(Other { what: \"alter-event-trigger\", object: Some(EventTrigger), names: \
            [g], options: [\"enable\"] })",
        );
        check(
            "CREATE RULE r AS ON INSERT TO t DO INSTEAD (INSERT INTO u VALUES (1); DELETE \
            FROM v)",
            "CreateRule(CreateRule { name: r, table: t, event: \"insert\", body: 43..84, statements: [Statement { kind: Dml(Dml { kind: Insert, targets: [u], query: Query {}, rows: Some([[\"1\"]]) }) }, Statement { kind: Dml(Dml { kind: Delete, targets: [v], query: Query {} }) }] })",
        );
        check(
            "CREATE OR REPLACE RULE r AS ON SELECT TO v DO INSTEAD SELECT * FROM t",
            "CreateRule(CreateRule { name: r, table: v, or_replace: true, event: \"select\", body: 54..69, statements: [Statement { kind: Dml(Dml { kind: Select, query: Query { reads: [t], star: true } }) }] })",
        );
        check(
            "CREATE TRIGGER g BEFORE INSERT OR INSERT ON t EXECUTE FUNCTION f()",
            "! expected each event once, found \"ON\"",
        );
        check("CREATE TRIGGER g ON t", "! expected BEFORE, AFTER or INSTEAD OF, found \"ON\"");
    }
}
