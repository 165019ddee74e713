//! Maintenance, EXPLAIN, prepared statements and the administration of MySQL and MariaDB.

use super::account;
use super::index::at_account;
use super::name::{full_name, full_names, is_mariadb, name, number, wait};
use super::routine;
use crate::sql::ast::{
    Dml, DmlKind, Maintenance, MaintenanceKind, ObjectKind, Other, Query, StatementKind, Tree,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::ObjectName;
use crate::sql::parse;
use crate::sql::server::ServerKind;

/// Reads a statement that no other part of the grammar has read.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if cursor.accept(&["GRANT"]) {
        return account::grant(cursor);
    }
    if cursor.accept(&["REVOKE"]) {
        return account::revoke(cursor);
    }
    if let Some(kind) = maintenance(cursor)? {
        return Ok(kind);
    }
    if cursor.accept_any(&["EXPLAIN", "DESCRIBE", "DESC"]).is_some() {
        return explain(cursor);
    }
    if is_mariadb(cursor) && cursor.accept(&["ANALYZE"]) {
        format_option(cursor)?;
        if !at_explained(cursor) {
            return Err(cursor.expected("a query or a data change"));
        }
        return explained(cursor, true);
    }
    if cursor.accept(&["CALL"]) {
        let name = full_name(cursor)?;
        if cursor.at_symbol("(") {
            cursor.parentheses()?;
        }
        return Ok(StatementKind::Call { name });
    }
    if cursor.accept(&["USE"]) {
        return named("use", ObjectKind::Schema, ObjectName::bare(name(cursor)?));
    }
    if cursor.accept(&["DO"]) {
        return do_expressions(cursor);
    }
    if let Some(kind) = prepared(cursor)? {
        return Ok(kind);
    }
    if cursor.at(&["LOAD", "DATA"]) || cursor.at(&["LOAD", "XML"]) {
        return load(cursor);
    }
    administration(cursor)
}

/// Returns a statement that is recognised by its first words; what follows them is skipped.
pub(super) fn other(
    cursor: &mut Cursor<'_>,
    what: &'static str,
    object: Option<ObjectKind>,
) -> Parsed<StatementKind> {
    cursor.skip_rest();
    Ok(StatementKind::Other(Other { what, object, names: Vec::new(), options: Vec::new() }))
}

/// Returns a statement about one object that is recognised and nothing more.
pub(super) fn named(
    what: &'static str,
    object: ObjectKind,
    name: ObjectName,
) -> Parsed<StatementKind> {
    let names = vec![name];
    Ok(StatementKind::Other(Other { what, object: Some(object), names, options: Vec::new() }))
}

fn maintenance(cursor: &mut Cursor<'_>) -> Parsed<Option<StatementKind>> {
    let kinds = [
        ("OPTIMIZE", MaintenanceKind::Optimize),
        ("ANALYZE", MaintenanceKind::Analyze),
        ("REPAIR", MaintenanceKind::Repair),
        ("CHECK", MaintenanceKind::Check),
        ("CHECKSUM", MaintenanceKind::Checksum),
    ];
    let start = cursor.position();
    for (word, kind) in kinds {
        if !cursor.accept(&[word]) {
            continue;
        }
        cursor.accept_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
        let view = is_mariadb(cursor) && cursor.accept(&["VIEW"]);
        if !view && cursor.accept_any(&["TABLE", "TABLES"]).is_none() {
            cursor.reset(start);
            return Ok(None);
        }
        let tables = full_names(cursor)?;
        wait(cursor)?;
        let foreign = if is_mariadb(cursor) { "UPDATE" } else { "PERSISTENT" };
        let histogram = is_mariadb(cursor) && cursor.at(&["DROP", "HISTOGRAM"]);
        if histogram || cursor.at(&[foreign]) || cursor.at(&["WAIT"]) || cursor.at(&["NOWAIT"]) {
            return Err(cursor.expected("an option of this server"));
        }
        let mut options = Vec::new();
        while let Some(token) = cursor.advance() {
            options.push(cursor.slice(token.span).to_ascii_lowercase());
        }
        let maintenance = Maintenance { kind, tables, columns: Vec::new(), options, index: None };
        return Ok(Some(StatementKind::Maintenance(maintenance)));
    }
    if cursor.accept(&["FLUSH"]) {
        return flush(cursor).map(Some);
    }
    Ok(None)
}

/// Reads what follows FLUSH: tables and how they are locked, or other things.
fn flush(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    cursor.accept_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    if cursor.accept_any(&["TABLE", "TABLES"]).is_none() {
        if cursor.is_at_end() {
            return Err(cursor.expected("what to flush"));
        }
        return other(cursor, "flush", None);
    }
    let bare = cursor.is_at_end() || cursor.at(&["WITH"]) || cursor.at(&["FOR"]);
    let tables = if bare { Vec::new() } else { full_names(cursor)? };
    let mut options = Vec::new();
    if cursor.accept(&["WITH", "READ", "LOCK"]) {
        options.push("with read lock".to_owned());
        if is_mariadb(cursor) {
            cursor.accept(&["AND", "DISABLE", "CHECKPOINT"]);
        }
    } else if cursor.accept(&["FOR", "EXPORT"]) {
        options.push("for export".to_owned());
    }
    wait(cursor)?;
    let kind = MaintenanceKind::Flush;
    Ok(StatementKind::Maintenance(Maintenance {
        kind,
        tables,
        columns: Vec::new(),
        options,
        index: None,
    }))
}

fn format_option(cursor: &mut Cursor<'_>) -> Parsed<()> {
    if cursor.at(&["FORMAT"]) && cursor.text_at(1) == "=" {
        cursor.advance();
        cursor.advance();
        super::name::name_or_string(cursor)?;
    }
    Ok(())
}

/// Reads what follows EXPLAIN: options and a statement, a table, or a connection.
fn explain(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    cursor.accept_any(&["EXTENDED", "PARTITIONS"]);
    let analyze = !is_mariadb(cursor) && cursor.accept(&["ANALYZE"]);
    format_option(cursor)?;
    if !is_mariadb(cursor) && cursor.accept(&["INTO"]) {
        cursor.advance();
    }
    if at_explained(cursor) {
        return explained(cursor, analyze);
    }
    if cursor.accept(&["FOR", "CONNECTION"]) {
        number(cursor)?;
        return other(cursor, "explain-connection", None);
    }
    let table = full_name(cursor)?;
    cursor.skip_rest();
    named("describe", ObjectKind::Table, table)
}

fn at_explained(cursor: &Cursor<'_>) -> bool {
    let words = ["SELECT", "WITH", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE", "TABLE"];
    words.iter().any(|word| cursor.at(&[word])) || cursor.at_symbol("(")
}

fn explained(cursor: &mut Cursor<'_>, analyze: bool) -> Parsed<StatementKind> {
    if cursor.is_at_end() {
        return Err(cursor.expected("a statement"));
    }
    let rest = cursor.sub(cursor.position(), cursor.tokens().len());
    let statement = Box::new(parse::statement(rest));
    cursor.skip_rest();
    Ok(StatementKind::Explain { analyze, statement })
}

/// `DO expression, …` runs like a SELECT that returns nothing.
fn do_expressions(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if cursor.is_at_end() {
        return Err(cursor.expected("an expression"));
    }
    let mut touched = Query::default();
    let start = cursor.position();
    loop {
        let facts = crate::sql::expr::until(cursor, &[])?;
        touched.functions.extend(facts.functions);
        touched.columns.extend(facts.columns);
        if !cursor.accept_symbol(",") {
            break;
        }
    }
    touched.span = cursor.span_from(start);
    Ok(StatementKind::Dml(Box::new(Dml {
        kind: DmlKind::Select,
        targets: Vec::new(),
        query: touched,
        filter: None,
        columns: Vec::new(),
        from_query: false,
        rows: None,
        limit: false,
        picked: false,
        order_by: false,
        on_conflict: false,
        tree: Tree::default(),
    })))
}

fn prepared(cursor: &mut Cursor<'_>) -> Parsed<Option<StatementKind>> {
    if cursor.accept(&["PREPARE"]) {
        name(cursor)?;
        cursor.expect(&["FROM"])?;
        crate::sql::expr::until(cursor, &[])?;
        return other(cursor, "prepare", None).map(Some);
    }
    if cursor.accept(&["EXECUTE"]) {
        return routine::execute(cursor).map(Some);
    }
    if cursor.accept(&["DEALLOCATE", "PREPARE"]) || cursor.accept(&["DROP", "PREPARE"]) {
        name(cursor)?;
        return Ok(Some(StatementKind::Other(Other {
            what: "deallocate",
            object: None,
            names: Vec::new(),
            options: Vec::new(),
        })));
    }
    Ok(None)
}

/// Reads `LOAD DATA … INTO TABLE t …` and `LOAD XML`.
fn load(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    cursor.advance();
    cursor.advance();
    let start = cursor.position();
    while !cursor.is_at_end() && !cursor.at(&["INTO", "TABLE"]) {
        cursor.advance();
    }
    let on_conflict = cursor.sub(start, cursor.position()).tokens().iter().any(|token| {
        let word = cursor.slice(token.span);
        word.eq_ignore_ascii_case("replace") || word.eq_ignore_ascii_case("ignore")
    });
    cursor.expect(&["INTO", "TABLE"])?;
    let targets = vec![full_name(cursor)?];
    cursor.skip_rest();
    Ok(StatementKind::Dml(Box::new(Dml {
        kind: DmlKind::Load,
        targets,
        query: Query { span: cursor.span_from(0), ..Query::default() },
        filter: None,
        columns: Vec::new(),
        from_query: false,
        rows: None,
        limit: false,
        picked: false,
        order_by: false,
        on_conflict,
        tree: Tree::default(),
    })))
}

/// Which of the two servers has a statement.
type Has = &'static [ServerKind];
const BOTH: Has = &[ServerKind::Mysql, ServerKind::Mariadb];
const MYSQL: Has = &[ServerKind::Mysql];
const MARIADB: Has = &[ServerKind::Mariadb];

/// First words of statements that change no table, how they are called, and who has them.
const ADMINISTRATION: &[(&[&str], &str, Has)] = &[
    (&["SHOW"], "show", BOTH),
    (&["HELP"], "help", BOTH),
    (&["HANDLER"], "handler", BOTH),
    (&["KILL"], "kill", BOTH),
    (&["SHUTDOWN"], "shutdown", BOTH),
    (&["RESTART"], "restart", MYSQL),
    (&["CLONE"], "clone", MYSQL),
    (&["BINLOG"], "binlog", BOTH),
    (&["PURGE"], "purge", BOTH),
    (&["RESET", "QUERY", "CACHE"], "reset-query-cache", MARIADB),
    (&["RESET", "MASTER"], "reset", BOTH),
    (&["RESET", "SLAVE"], "reset", BOTH),
    (&["RESET", "REPLICA"], "reset", BOTH),
    (&["RESET", "BINARY", "LOGS"], "reset", MYSQL),
    (&["RESET", "PERSIST"], "reset", MYSQL),
    (&["CHANGE", "MASTER"], "change-master", BOTH),
    (&["CHANGE", "REPLICATION"], "change-replication", MYSQL),
    (&["START", "SLAVE"], "start-replica", BOTH),
    (&["START", "REPLICA"], "start-replica", BOTH),
    (&["START", "ALL"], "start-replica", MARIADB),
    (&["START", "GROUP_REPLICATION"], "start-group-replication", MYSQL),
    (&["STOP", "SLAVE"], "stop-replica", BOTH),
    (&["STOP", "REPLICA"], "stop-replica", BOTH),
    (&["STOP", "ALL"], "stop-replica", MARIADB),
    (&["STOP", "GROUP_REPLICATION"], "stop-group-replication", MYSQL),
    (&["CACHE", "INDEX"], "cache-index", BOTH),
    (&["LOAD", "INDEX", "INTO", "CACHE"], "load-index", BOTH),
    (&["INSTALL", "SONAME"], "install", MARIADB),
    (&["INSTALL", "PLUGIN"], "install", BOTH),
    (&["INSTALL", "COMPONENT"], "install", MYSQL),
    (&["UNINSTALL"], "uninstall", BOTH),
    (&["IMPORT", "TABLE", "FROM"], "import-table", MYSQL),
    (&["BACKUP"], "backup", MARIADB),
    (&["LOCK", "INSTANCE", "FOR", "BACKUP"], "lock-instance", MYSQL),
    (&["UNLOCK", "INSTANCE"], "unlock-instance", MYSQL),
    (&["SIGNAL"], "signal", BOTH),
    (&["RESIGNAL"], "resignal", BOTH),
    (&["GET"], "get-diagnostics", BOTH),
];

fn administration(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let kind = cursor.server().kind;
    let known =
        ADMINISTRATION.iter().find(|(words, _, has)| has.contains(&kind) && cursor.accept(words));
    match known {
        Some((_, what, _)) => other(cursor, what, None),
        None => Err(cursor.expected("a statement")),
    }
}

/// Kinds of object that concern no table, how CREATE and ALTER of them are called, who has them.
const OBJECTS: &[(&[&str], ObjectKind, &str, &str, Has)] = &[
    (&["USER"], ObjectKind::Role, "create-user", "alter-user", BOTH),
    (&["ROLE"], ObjectKind::Role, "create-role", "alter-role", BOTH),
    (&["SERVER"], ObjectKind::Server, "create-server", "alter-server", BOTH),
    (&["TABLESPACE"], ObjectKind::Tablespace, "create-tablespace", "alter-tablespace", MYSQL),
    (
        &["UNDO", "TABLESPACE"],
        ObjectKind::Tablespace,
        "create-tablespace",
        "alter-tablespace",
        MYSQL,
    ),
    (
        &["LOGFILE", "GROUP"],
        ObjectKind::Tablespace,
        "create-logfile-group",
        "alter-logfile-group",
        MYSQL,
    ),
    (
        &["RESOURCE", "GROUP"],
        ObjectKind::Role,
        "create-resource-group",
        "alter-resource-group",
        MYSQL,
    ),
    (&["INSTANCE"], ObjectKind::Database, "create-instance", "alter-instance", MYSQL),
    (&["LIBRARY"], ObjectKind::Language, "create-library", "alter-library", MYSQL),
    (
        &["SPATIAL", "REFERENCE", "SYSTEM"],
        ObjectKind::Type,
        "create-spatial-reference-system",
        "alter-spatial-reference-system",
        MYSQL,
    ),
];

/// Reads what follows CREATE for an object that concerns no table.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let kind = cursor.server().kind;
    let known = OBJECTS.iter().find(|(words, .., has)| has.contains(&kind) && cursor.accept(words));
    let Some((_, object, what, ..)) = known else {
        return Err(cursor.expected("a kind of object"));
    };
    cursor.accept(&["IF", "NOT", "EXISTS"]);
    if *object == ObjectKind::Role && !at_account(cursor) {
        return Err(cursor.expected("an account"));
    }
    other(cursor, what, Some(*object))
}

/// Reads what follows ALTER for an object that concerns no table.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let kind = cursor.server().kind;
    let known = OBJECTS.iter().find(|(words, .., has)| has.contains(&kind) && cursor.accept(words));
    let Some((_, object, _, what, _)) = known else {
        return Err(cursor.expected("a kind of object"));
    };
    other(cursor, what, Some(*object))
}
