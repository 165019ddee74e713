//! `ALTER TABLE` of MySQL and MariaDB.

use super::column::{column, default_value, definition, position};
use super::constraint::{Element, at_element, element};
use super::data_type::{at_charset, charset_name, collation_name};
use super::name::{
    column_name, full_name, is_mariadb, mariadb_if_exists, mariadb_if_not_exists, name, wait,
};
use super::option::{algorithm, lock, table_option};
use super::partition;
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnPosition, MyAction, ObjectKind, StatementKind, TableAction,
};
use crate::sql::cursor::{Cursor, Parsed};

/// Reads `[ONLINE] [IGNORE] TABLE …` behind ALTER.
pub(super) fn table(cursor: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let (mut online, mut ignore) = (false, false);
    while is_mariadb(cursor) {
        match cursor.accept_any(&["ONLINE", "IGNORE"]) {
            Some("ONLINE") => online = true,
            Some(_) => ignore = true,
            None => break,
        }
    }
    cursor.expect(&["TABLE"])?;
    let if_exists = mariadb_if_exists(cursor);
    let mut table = AlterTable {
        name: full_name(cursor)?,
        object: ObjectKind::Table,
        if_exists,
        only: false,
        ignore,
        online,
        wait_seconds: wait(cursor)?,
        actions: Vec::new(),
    };
    if !cursor.is_at_end()
        && let Err(error) = actions(cursor, &mut table.actions)
    {
        cursor.leave(StatementKind::AlterTable(Box::new(table)));
        return Err(error);
    }
    Ok(StatementKind::AlterTable(Box::new(table)))
}

/// Takes the actions: a list, then partitioning; or one change of partitions alone, which MySQL
/// allows ALGORITHM, LOCK and VALIDATION before (measured on 9.7) and MariaDB nothing.
fn actions(cursor: &mut Cursor<'_>, actions: &mut Vec<TableAction>) -> Parsed<()> {
    loop {
        let start = cursor.position();
        let alone = actions.iter().all(|action| !is_mariadb(cursor) && is_modifier(action));
        if alone && let Some(action) = secondary_engine(cursor) {
            actions.push(my(cursor, start, action));
            return Ok(());
        }
        if alone && let Some(action) = partition::action(cursor)? {
            actions.push(my(cursor, start, action));
            return Ok(());
        }
        if actions.is_empty() && partitioning(cursor, actions)? {
            return Ok(());
        }
        let ordered = cursor.at(&["ORDER", "BY"]);
        action(cursor, actions)?;
        if !ordered && cursor.accept_symbol(",") {
            continue;
        }
        partitioning(cursor, actions)?;
        return Ok(());
    }
}

/// Takes `SECONDARY_LOAD` or `SECONDARY_UNLOAD` (MySQL HeatWave).
fn secondary_engine(cursor: &mut Cursor<'_>) -> Option<MyAction> {
    if is_mariadb(cursor) {
        return None;
    }
    let word = cursor.accept_any(&["secondary_load", "secondary_unload"])?;
    Some(MyAction::Option { name: word.to_owned(), value: String::new() })
}

fn is_modifier(action: &TableAction) -> bool {
    let ActionKind::Mysql(action) = &action.kind else { return false };
    matches!(action, MyAction::Algorithm(_) | MyAction::Lock(_) | MyAction::Validation(_))
}

fn my(cursor: &Cursor<'_>, start: usize, action: MyAction) -> TableAction {
    TableAction { span: cursor.span_from(start), kind: ActionKind::Mysql(action) }
}

/// Takes `PARTITION BY …` or `REMOVE PARTITIONING`, which end the statement.
fn partitioning(cursor: &mut Cursor<'_>, actions: &mut Vec<TableAction>) -> Parsed<bool> {
    let start = cursor.position();
    let action = if let Some(partition_by) = partition::partition_by(cursor)? {
        MyAction::PartitionBy(partition_by)
    } else if cursor.accept(&["REMOVE", "PARTITIONING"]) {
        MyAction::RemovePartitioning
    } else {
        return Ok(false);
    };
    actions.push(my(cursor, start, action));
    Ok(true)
}

/// Takes one item of the list: an action, several added columns, or options without commas.
fn action(cursor: &mut Cursor<'_>, actions: &mut Vec<TableAction>) -> Parsed<()> {
    let start = cursor.position();
    let kind = match cursor.accept_any(&["ADD", "DROP", "CHANGE", "MODIFY", "ALTER", "RENAME"]) {
        Some("ADD") => return add(cursor, start, actions),
        Some("DROP") => drop(cursor)?,
        Some("CHANGE") => change(cursor)?,
        Some("MODIFY") => modify(cursor)?,
        Some("ALTER") => alter(cursor)?,
        Some(_) => rename(cursor)?,
        None => match other(cursor)? {
            Some(kind) => kind,
            None => return options(cursor, actions),
        },
    };
    actions.push(TableAction { span: cursor.span_from(start), kind });
    Ok(())
}

fn options(cursor: &mut Cursor<'_>, actions: &mut Vec<TableAction>) -> Parsed<()> {
    let mut start = cursor.position();
    let before = actions.len();
    while let Some((name, value)) = table_option(cursor)? {
        let action = if name == "system versioning" {
            MyAction::AddSystemVersioning
        } else {
            MyAction::Option { name, value }
        };
        actions.push(my(cursor, start, action));
        start = cursor.position();
    }
    if actions.len() == before { Err(cursor.expected("an action of ALTER TABLE")) } else { Ok(()) }
}

/// Takes what follows ADD.
fn add(cursor: &mut Cursor<'_>, start: usize, actions: &mut Vec<TableAction>) -> Parsed<()> {
    if is_mariadb(cursor) && cursor.accept(&["SYSTEM", "VERSIONING"]) {
        actions.push(my(cursor, start, MyAction::AddSystemVersioning));
        return Ok(());
    }
    if at_element(cursor) {
        let kind = added(element(cursor, true)?);
        actions.push(TableAction { span: cursor.span_from(start), kind });
        return Ok(());
    }
    cursor.accept(&["COLUMN"]);
    let if_not_exists = mariadb_if_not_exists(cursor);
    if !cursor.accept_symbol("(") {
        let column = Box::new(column(cursor)?);
        let position = position(cursor)?;
        let kind = ActionKind::AddColumn { column, if_not_exists, position };
        actions.push(TableAction { span: cursor.span_from(start), kind });
        return Ok(());
    }
    loop {
        let start = cursor.position();
        let kind = if at_element(cursor) {
            added(element(cursor, true)?)
        } else {
            let position = ColumnPosition::Unchanged;
            ActionKind::AddColumn { column: Box::new(column(cursor)?), if_not_exists, position }
        };
        actions.push(TableAction { span: cursor.span_from(start), kind });
        if !cursor.accept_symbol(",") {
            return cursor.expect_symbol(")");
        }
    }
}

fn added(element: Element) -> ActionKind {
    match element {
        Element::Constraint(constraint) => ActionKind::AddConstraint(Box::new(constraint)),
        Element::Index(index, if_not_exists) => {
            ActionKind::Mysql(MyAction::AddIndex { index: Box::new(index), if_not_exists })
        }
        Element::Period(name, columns, if_not_exists) => {
            ActionKind::Mysql(MyAction::AddPeriod { name, columns, if_not_exists })
        }
    }
}

fn drop(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    let mariadb = is_mariadb(cursor);
    let action = if cursor.accept(&["PRIMARY", "KEY"])
        || (mariadb && cursor.accept(&["CONSTRAINT", "PRIMARY", "KEY"]))
    {
        MyAction::DropPrimaryKey { if_exists: false }
    } else if cursor.accept(&["FOREIGN", "KEY"]) {
        let if_exists = mariadb_if_exists(cursor);
        MyAction::DropForeignKey { name: name(cursor)?, if_exists }
    } else if cursor.accept_any(&["INDEX", "KEY"]).is_some() {
        let if_exists = mariadb_if_exists(cursor);
        MyAction::DropIndex { name: name(cursor)?, if_exists }
    } else if cursor.accept(&["CONSTRAINT"]) {
        let if_exists = mariadb_if_exists(cursor);
        let name = name(cursor)?;
        return Ok(ActionKind::DropConstraint { name, if_exists, cascade: false });
    } else if !mariadb && cursor.accept(&["CHECK"]) {
        MyAction::DropCheck { name: name(cursor)? }
    } else if mariadb && cursor.accept(&["SYSTEM", "VERSIONING"]) {
        MyAction::DropSystemVersioning
    } else if mariadb && (cursor.at(&["PERIOD", "FOR"]) || cursor.at(&["PERIOD", "IF", "EXISTS"])) {
        cursor.accept(&["PERIOD"]);
        let if_exists = mariadb_if_exists(cursor);
        cursor.expect(&["FOR"])?;
        MyAction::DropPeriod { name: name(cursor)?, if_exists }
    } else {
        cursor.accept(&["COLUMN"]);
        let if_exists = mariadb_if_exists(cursor);
        let column = column_name(cursor)?;
        // Both words are accepted and do nothing (manual, "ALTER TABLE Statement").
        let cascade = cursor.accept_any(&["RESTRICT", "CASCADE"]) == Some("CASCADE");
        return Ok(ActionKind::DropColumn { column, if_exists, cascade });
    };
    Ok(ActionKind::Mysql(action))
}

fn change(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    cursor.accept(&["COLUMN"]);
    let if_exists = mariadb_if_exists(cursor);
    let from = column_name(cursor)?;
    let to = column_name(cursor)?;
    let column = Box::new(definition(cursor, to)?);
    let position = position(cursor)?;
    Ok(ActionKind::Mysql(MyAction::ChangeColumn { from, column, if_exists, position }))
}

fn modify(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    cursor.accept(&["COLUMN"]);
    let if_exists = mariadb_if_exists(cursor);
    let name = column_name(cursor)?;
    let column = Box::new(definition(cursor, name)?);
    let position = position(cursor)?;
    Ok(ActionKind::Mysql(MyAction::ModifyColumn { column, if_exists, position }))
}

/// Takes what follows ALTER inside of ALTER TABLE.
fn alter(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    let mariadb = is_mariadb(cursor);
    if cursor.accept(&["INDEX"]) || (mariadb && cursor.accept(&["KEY"])) {
        mariadb_if_exists(cursor);
        let name = name(cursor)?;
        let (shown, hidden): (&[&str], &[&str]) = if mariadb {
            (&["NOT", "IGNORED"], &["IGNORED"])
        } else {
            (&["VISIBLE"], &["INVISIBLE"])
        };
        let visible = cursor.accept(shown);
        if !visible {
            cursor.expect(hidden)?;
        }
        return Ok(ActionKind::Mysql(MyAction::IndexVisibility { name, visible }));
    }
    if !mariadb && cursor.accept_any(&["CHECK", "CONSTRAINT"]).is_some() {
        let name = name(cursor)?;
        let enforced = !cursor.accept(&["NOT"]);
        cursor.expect(&["ENFORCED"])?;
        return Ok(ActionKind::Mysql(MyAction::AlterCheck { name, enforced }));
    }
    cursor.accept(&["COLUMN"]);
    mariadb_if_exists(cursor);
    let column = column_name(cursor)?;
    if cursor.accept(&["DROP", "DEFAULT"]) {
        return Ok(ActionKind::DropDefault { column });
    }
    cursor.expect(&["SET"])?;
    if !mariadb && let Some(word) = cursor.accept_any(&["VISIBLE", "INVISIBLE"]) {
        let visible = word == "VISIBLE";
        return Ok(ActionKind::Mysql(MyAction::ColumnVisibility { column, visible }));
    }
    cursor.expect(&["DEFAULT"])?;
    let now = ["CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "NOW"];
    if !mariadb && now.iter().any(|word| cursor.at(&[word])) {
        return Err(cursor.expected("a literal or an expression in parentheses"));
    }
    Ok(ActionKind::SetDefault { column, default: default_value(cursor)? })
}

fn rename(cursor: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if cursor.accept(&["COLUMN"]) {
        let if_exists = mariadb_if_exists(cursor);
        let from = name(cursor)?;
        cursor.expect(&["TO"])?;
        return Ok(ActionKind::RenameColumn { from, to: name(cursor)?, if_exists });
    }
    if cursor.accept_any(&["INDEX", "KEY"]).is_some() {
        mariadb_if_exists(cursor);
        let from = name(cursor)?;
        cursor.expect(&["TO"])?;
        return Ok(ActionKind::Mysql(MyAction::RenameIndex { from, to: name(cursor)? }));
    }
    if cursor.accept_any(&["TO", "AS"]).is_none() {
        cursor.accept_symbol("=");
    }
    Ok(ActionKind::RenameTo(full_name(cursor)?))
}

/// Takes an action that is no table option and starts with a word of its own.
fn other(cursor: &mut Cursor<'_>) -> Parsed<Option<ActionKind>> {
    let action = if let Some(algorithm) = algorithm(cursor)? {
        MyAction::Algorithm(algorithm)
    } else if let Some(lock) = lock(cursor)? {
        MyAction::Lock(lock)
    } else if cursor.accept(&["CONVERT", "TO"]) {
        convert(cursor)?
    } else if cursor.accept(&["FORCE"]) {
        MyAction::Force
    } else if cursor.accept(&["ORDER", "BY"]) {
        order_by(cursor)?;
        MyAction::OrderBy
    } else if cursor.accept(&["ENABLE", "KEYS"]) {
        MyAction::Keys { enable: true }
    } else if cursor.accept(&["DISABLE", "KEYS"]) {
        MyAction::Keys { enable: false }
    } else if !is_mariadb(cursor) && cursor.accept(&["WITH", "VALIDATION"]) {
        MyAction::Validation(true)
    } else if !is_mariadb(cursor) && cursor.accept(&["WITHOUT", "VALIDATION"]) {
        MyAction::Validation(false)
    } else {
        return Ok(None);
    };
    Ok(Some(ActionKind::Mysql(action)))
}

fn convert(cursor: &mut Cursor<'_>) -> Parsed<MyAction> {
    if !at_charset(cursor) {
        return Err(cursor.expected("CHARACTER SET"));
    }
    let charset = if cursor.accept(&["DEFAULT"]) { None } else { Some(charset_name(cursor)?) };
    let collation = if cursor.accept(&["COLLATE"]) { Some(collation_name(cursor)?) } else { None };
    Ok(MyAction::ConvertTo { charset, collation })
}

fn order_by(cursor: &mut Cursor<'_>) -> Parsed<()> {
    loop {
        full_name(cursor)?;
        cursor.accept_any(&["ASC", "DESC"]);
        if !cursor.accept_symbol(",") {
            return Ok(());
        }
    }
}
