//! Procedures, functions, triggers, events and packages of MySQL and MariaDB.

use super::body;
use super::command;
use super::data_type::{collation_name, data_type};
use super::name::{full_name, is_mariadb, mariadb_since, name};
use crate::sql::ast::{
    AlterRoutine, CreateEvent, CreateRoutine, CreateTrigger, DataType, DoBlock, ObjectKind, Other,
    Rename, StatementKind, Volatility,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr;
use crate::sql::name::ObjectName;

/// Reads a routine, a trigger, an event or a package behind `CREATE … [DEFINER = …]`, if it is one.
pub(super) fn create(
    cursor: &mut Cursor<'_>,
    or_replace: bool,
    definer: Option<String>,
) -> Parsed<Option<StatementKind>> {
    let aggregate = cursor.accept(&["AGGREGATE"]);
    let kind = if cursor.accept(&["FUNCTION"]) {
        routine(cursor, CreateRoutine { aggregate, or_replace, definer, ..new_routine(false) })?
    } else if aggregate {
        return Err(cursor.expected("FUNCTION"));
    } else if cursor.accept(&["PROCEDURE"]) {
        routine(cursor, CreateRoutine { or_replace, definer, ..new_routine(true) })?
    } else if cursor.accept(&["TRIGGER"]) {
        trigger(cursor, or_replace)?
    } else if cursor.accept(&["EVENT"]) {
        event(cursor, or_replace, definer)?
    } else if mariadb_since(cursor, 11, 4) && cursor.accept(&["PACKAGE"]) {
        let what = if cursor.accept(&["BODY"]) { "create-package-body" } else { "create-package" };
        cursor.accept(&["IF", "NOT", "EXISTS"]);
        let names = vec![full_name(cursor)?];
        cursor.skip_rest();
        let object = Some(ObjectKind::Package);
        StatementKind::Other(Other { what, object, names, options: Vec::new() })
    } else if definer.is_some() {
        return Err(cursor.expected("VIEW, PROCEDURE, FUNCTION, TRIGGER or EVENT"));
    } else {
        return Ok(None);
    };
    Ok(Some(kind))
}

fn new_routine(procedure: bool) -> CreateRoutine {
    CreateRoutine {
        name: ObjectName::default(),
        procedure,
        aggregate: false,
        or_replace: false,
        if_not_exists: false,
        arguments: Vec::new(),
        returns: None,
        returns_table: Vec::new(),
        language: "sql".to_owned(),
        volatility: Volatility::Volatile,
        security_definer: true,
        sets_search_path: false,
        definer: None,
        body: crate::sql::source::Span::default(),
        statements: Vec::new(),
        parsed_body: false,
    }
}

/// Reads a procedure or a function from its name on.
fn routine(cursor: &mut Cursor<'_>, mut routine: CreateRoutine) -> Parsed<StatementKind> {
    routine.if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    routine.name = full_name(cursor)?;
    if !routine.procedure && cursor.accept(&["RETURNS"]) {
        return loadable(cursor, routine);
    }
    routine.arguments = parameters(cursor, routine.procedure)?;
    if !routine.procedure {
        cursor.expect(&["RETURNS"])?;
        routine.returns = Some(value_type(cursor)?);
    }
    while characteristic(cursor, &mut routine)? {}
    let start = cursor.position();
    if routine.language == "sql" || is_mariadb(cursor) {
        routine.statements = body::body(cursor)?;
    } else {
        // `LANGUAGE JAVASCRIPT AS $$…$$` (MySQL 9).
        cursor.expect(&["AS"])?;
        cursor.skip_rest();
    }
    routine.body = cursor.span_from(start);
    Ok(StatementKind::CreateRoutine(Box::new(routine)))
}

/// Reads a function of a shared library: `RETURNS type SONAME 'file'`.
fn loadable(cursor: &mut Cursor<'_>, mut routine: CreateRoutine) -> Parsed<StatementKind> {
    let Some(word) = cursor.accept_any(&["string", "integer", "int", "real", "decimal"]) else {
        return Err(cursor.expected("STRING, INTEGER, REAL or DECIMAL"));
    };
    cursor.expect(&["SONAME"])?;
    cursor.string()?;
    routine.returns = Some(DataType::named(word));
    "c".clone_into(&mut routine.language);
    Ok(StatementKind::CreateRoutine(Box::new(routine)))
}

/// Takes the parameters in parentheses and returns their types.
fn parameters(cursor: &mut Cursor<'_>, procedure: bool) -> Parsed<Vec<DataType>> {
    cursor.expect_symbol("(")?;
    let mut types = Vec::new();
    if cursor.accept_symbol(")") {
        return Ok(types);
    }
    loop {
        if procedure || is_mariadb(cursor) {
            cursor.accept_any(&["IN", "OUT", "INOUT"]);
        }
        name(cursor)?;
        types.push(value_type(cursor)?);
        if !cursor.accept_symbol(",") {
            break;
        }
    }
    cursor.expect_symbol(")")?;
    Ok(types)
}

/// Takes a type, and COLLATE or (MariaDB) DEFAULT behind it. `TYPE OF column` has no type here.
fn value_type(cursor: &mut Cursor<'_>) -> Parsed<DataType> {
    let start = cursor.position();
    let anchored = is_mariadb(cursor)
        && (cursor.accept(&["TYPE", "OF"]) || cursor.accept(&["ROW", "TYPE", "OF"]));
    let mut data_type = if anchored {
        full_name(cursor)?;
        DataType { span: cursor.span_from(start), ..DataType::named("type of") }
    } else {
        data_type(cursor)?
    };
    if cursor.accept(&["COLLATE"]) {
        data_type.collation = Some(collation_name(cursor)?);
    }
    if is_mariadb(cursor) && cursor.accept(&["DEFAULT"]) {
        expr::until(cursor, &[])?;
    }
    Ok(data_type)
}

/// Takes one characteristic of a routine, if one is next.
fn characteristic(cursor: &mut Cursor<'_>, routine: &mut CreateRoutine) -> Parsed<bool> {
    if cursor.accept(&["COMMENT"]) {
        cursor.string()?;
    } else if cursor.accept(&["LANGUAGE"]) {
        routine.language = name_of_language(cursor)?;
    } else if cursor.accept(&["NOT", "DETERMINISTIC"]) {
        routine.volatility = Volatility::Volatile;
    } else if cursor.accept(&["DETERMINISTIC"]) {
        routine.volatility = Volatility::Immutable;
    } else if cursor.accept(&["SQL", "SECURITY"]) {
        match cursor.accept_any(&["DEFINER", "INVOKER"]) {
            Some(word) => routine.security_definer = word == "DEFINER",
            None => return Err(cursor.expected("DEFINER or INVOKER")),
        }
    } else {
        return Ok(cursor.accept(&["CONTAINS", "SQL"])
            || cursor.accept(&["NO", "SQL"])
            || cursor.accept(&["READS", "SQL", "DATA"])
            || cursor.accept(&["MODIFIES", "SQL", "DATA"]));
    }
    Ok(true)
}

fn name_of_language(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if cursor.accept(&["SQL"]) { Ok("sql".to_owned()) } else { Ok(lower(name(cursor)?.as_str())) }
}

fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

fn trigger(cursor: &mut Cursor<'_>, or_replace: bool) -> Parsed<StatementKind> {
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let trigger_name = full_name(cursor)?;
    let Some(timing) = cursor.accept_any(&["before", "after"]) else {
        return Err(cursor.expected("BEFORE or AFTER"));
    };
    let Some(event) = cursor.accept_any(&["insert", "update", "delete"]) else {
        return Err(cursor.expected("INSERT, UPDATE or DELETE"));
    };
    cursor.expect(&["ON"])?;
    let table = full_name(cursor)?;
    cursor.expect(&["FOR", "EACH", "ROW"])?;
    if cursor.accept_any(&["FOLLOWS", "PRECEDES"]).is_some() {
        full_name(cursor)?;
    }
    let start = cursor.position();
    let statements = body::body(cursor)?;
    Ok(StatementKind::CreateTrigger(Box::new(CreateTrigger {
        name: trigger_name,
        table,
        or_replace,
        if_not_exists,
        constraint: false,
        from: None,
        timing: timing.to_owned(),
        events: vec![event.to_owned()],
        columns: Vec::new(),
        for_each_row: true,
        transition_tables: false,
        when: None,
        function: None,
        statements,
        body: cursor.span_from(start),
        text: None,
    })))
}

fn event(
    cursor: &mut Cursor<'_>,
    or_replace: bool,
    definer: Option<String>,
) -> Parsed<StatementKind> {
    let if_not_exists = cursor.accept(&["IF", "NOT", "EXISTS"]);
    let name = full_name(cursor)?;
    cursor.expect(&["ON", "SCHEDULE"])?;
    schedule(cursor)?;
    let enabled = event_options(cursor)?;
    cursor.expect(&["DO"])?;
    let start = cursor.position();
    let statements = body::body(cursor)?;
    Ok(StatementKind::CreateEvent(Box::new(CreateEvent {
        name,
        or_replace,
        if_not_exists,
        definer,
        enabled,
        body: cursor.span_from(start),
        statements,
    })))
}

fn schedule(cursor: &mut Cursor<'_>) -> Parsed<()> {
    if cursor.accept_any(&["AT", "EVERY"]).is_none() {
        return Err(cursor.expected("AT or EVERY"));
    }
    let ends = ["ON", "ENABLE", "DISABLE", "COMMENT", "DO", "RENAME"];
    expr::until(cursor, &ends)?;
    Ok(())
}

/// Takes what stands between the schedule and DO, and says whether the event is enabled.
fn event_options(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    if cursor.accept(&["ON", "COMPLETION"]) {
        cursor.accept(&["NOT"]);
        cursor.expect(&["PRESERVE"])?;
    }
    if cursor.accept(&["RENAME", "TO"]) {
        full_name(cursor)?;
    }
    let mut enabled = true;
    if cursor.accept(&["DISABLE"]) {
        enabled = false;
        if cursor.accept(&["ON"]) && cursor.accept_any(&["SLAVE", "REPLICA"]).is_none() {
            return Err(cursor.expected("SLAVE or REPLICA"));
        }
    } else {
        cursor.accept(&["ENABLE"]);
    }
    if cursor.accept(&["COMMENT"]) {
        cursor.string()?;
    }
    Ok(enabled)
}

/// Reads what follows `ALTER PROCEDURE` or `ALTER FUNCTION`.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = full_name(cursor)?;
    let mut routine = new_routine(true);
    let mut options = Vec::new();
    let mut start = cursor.position();
    while characteristic(cursor, &mut routine)? {
        options.push(lower(cursor.slice(cursor.span_from(start))));
        start = cursor.position();
    }
    let object = ObjectKind::Routine;
    let found = AlterRoutine { object, name, signature: None, volatility: None, options };
    Ok(StatementKind::AlterRoutine(found))
}

/// Reads what follows `ALTER … EVENT`.
pub(super) fn alter_event(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = full_name(cursor)?;
    if cursor.accept(&["RENAME", "TO"]) {
        let pairs = vec![(name, full_name(cursor)?)];
        let object = ObjectKind::Event;
        return Ok(StatementKind::Rename(Rename {
            object,
            pairs,
            on: None,
            signature: None,
            if_exists: false,
        }));
    }
    let start = cursor.position();
    if cursor.accept(&["ON", "SCHEDULE"]) {
        schedule(cursor)?;
    }
    event_options(cursor)?;
    if cursor.position() == start && !cursor.at(&["DO"]) {
        return Err(cursor.expected("a change of the event"));
    }
    if cursor.accept(&["DO"]) {
        body::body(cursor)?;
    }
    command::named("alter-event", ObjectKind::Event, name)
}

/// Reads `BEGIN NOT ATOMIC … END` (MariaDB).
pub(super) fn block(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let start = cursor.position();
    let statements = body::body(cursor)?;
    Ok(StatementKind::Do(Box::new(DoBlock {
        language: "sql".to_owned(),
        body: cursor.span_from(start),
        statements,
        dynamic: false,
    })))
}

/// Reads `EXECUTE name [USING …]` and MariaDB's `EXECUTE IMMEDIATE …`: SQL made up at run time.
pub(super) fn execute(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let start = cursor.position();
    let immediate = is_mariadb(cursor) && cursor.accept(&["IMMEDIATE"]);
    if immediate {
        expr::until(cursor, &["USING"])?;
    } else {
        name(cursor)?;
    }
    if cursor.accept(&["USING"]) {
        loop {
            expr::until(cursor, &[])?;
            if !cursor.accept_symbol(",") {
                break;
            }
        }
    }
    Ok(StatementKind::Do(Box::new(DoBlock {
        language: if immediate { "immediate" } else { "sql" }.to_owned(),
        body: cursor.span_from(start),
        statements: Vec::new(),
        dynamic: true,
    })))
}
