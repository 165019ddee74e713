//! A table of MySQL or MariaDB as it is and as it was to the statements that bring it back.
//!
//! Foreign keys are no part of it: snapshots write them as statements of their own.

use super::items::TableText;
use super::tables::{Pair, TableWay, missing, same_name};
use crate::sql::ServerKind;
use crate::sql::ast::{ColumnDef, IndexDef};

/// Types that have a character set.
const TEXTS: [&str; 8] =
    ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"];

/// Returns the way from `now` back to `before`.
pub(super) fn way_back(pair: &Pair<'_>, way: &mut TableWay) {
    let mut actions = pair.constraints_to_drop();
    let mut visible = Vec::new();
    for index in &pair.now.ast.indexes {
        match same_but_for_visibility(pair, index) {
            Some(action) => visible.push(action),
            None => actions.extend(drop_index(pair, index)),
        }
    }
    for column in missing(&pair.now.ast.columns, &pair.before.ast.columns) {
        actions.push(format!("DROP COLUMN {}", pair.now.slice(column.name.span)));
    }
    let options = options(pair, way);
    let recoded =
        options.iter().any(|option| option.contains("CHARSET") || option.contains("COLLATE"));
    actions.extend(options);
    columns(pair, recoded, &mut actions);
    let there = |text: &str| pair.now.ast.indexes.iter().any(|i| pair.now.slice(i.span) == text);
    let hidden = |index: &IndexDef| {
        let found = pair.now.ast.indexes.iter().find(|now| same_index(index, now));
        found.is_some_and(|now| same_but_for_visibility(pair, now).is_some())
    };
    for index in &pair.before.ast.indexes {
        let text = pair.before.slice(index.span);
        if !there(text) && !hidden(index) {
            actions.push(format!("ADD {text}"));
        }
    }
    actions.extend(pair.constraints_to_add());
    // MariaDB takes DROP and ADD of a key under one name for no change at all, so this stands
    // apart (measured on 10.11).
    way.statements.extend(pair.alter(&visible));
    way.statements.extend(partitions(pair));
    way.statements.extend(pair.alter(&actions));
}

fn same_index(one: &IndexDef, other: &IndexDef) -> bool {
    let name = |index: &IndexDef| index.name.as_ref().map(|name| name.value.to_lowercase());
    name(one) == name(other)
}

/// Returns what shows or hides an index again, where nothing else about it is different.
fn same_but_for_visibility(pair: &Pair<'_>, now: &IndexDef) -> Option<String> {
    let before = pair.before.ast.indexes.iter().find(|index| same_index(index, now))?;
    let plain = |table: &TableText, index: &IndexDef| {
        let text = table.slice(index.span);
        text.replace(" IGNORED", "").replace(" /*!80000 INVISIBLE */", "").replace(" INVISIBLE", "")
    };
    if before.invisible == now.invisible || plain(pair.before, before) != plain(pair.now, now) {
        return None;
    }
    let word = match (pair.server.kind, before.invisible) {
        (ServerKind::Mariadb, true) => "IGNORED",
        (ServerKind::Mariadb, false) => "NOT IGNORED",
        (_, true) => "INVISIBLE",
        (_, false) => "VISIBLE",
    };
    let name = pair.now.slice(now.name.as_ref()?.span);
    Some(format!("ALTER INDEX {name} {word}"))
}

/// Returns what drops an index that is new or different.
fn drop_index(pair: &Pair<'_>, index: &IndexDef) -> Option<String> {
    let text = pair.now.slice(index.span);
    let same = pair.before.ast.indexes.iter().any(|i| pair.before.slice(i.span) == text);
    let name = index.name.as_ref().filter(|_| !same)?;
    Some(format!("DROP INDEX {}", pair.now.slice(name.span)))
}

/// Returns how the table was partitioned, where that is different: each way of partitioning is
/// written out in full, which makes the server sort the rows into partitions again.
fn partitions(pair: &Pair<'_>) -> Option<String> {
    let clause = |table: &TableText| -> Option<String> {
        let at = table.text.rfind("\nPARTITION BY ")?;
        table.text.get(at + 1..).map(str::to_owned)
    };
    let table = &pair.now.name;
    match (clause(pair.before), clause(pair.now)) {
        (was, is) if was == is => None,
        (Some(was), _) => Some(format!("ALTER TABLE {table} {was}")),
        (None, _) => Some(format!("ALTER TABLE {table} REMOVE PARTITIONING")),
    }
}

fn options(pair: &Pair<'_>, way: &mut TableWay) -> Vec<String> {
    let (before, now) = (&pair.before.ast.options, &pair.now.ast.options);
    let mut actions = Vec::new();
    for (name, value) in before {
        // The counter is data: it goes back by itself or not at all.
        if name != "auto_increment" && !now.contains(&(name.clone(), value.clone())) {
            actions.push(option(name, value));
        }
    }
    // A collation belongs to a character set, so they go together.
    if actions.iter().any(|action| action.starts_with("COLLATE"))
        && let Some((_, charset)) = before.iter().find(|(name, _)| name == "charset")
        && !actions.iter().any(|action| action.starts_with("DEFAULT CHARSET"))
    {
        actions.insert(0, option("charset", charset));
    }
    let gone = now.iter().filter(|(name, _)| !before.iter().any(|(other, _)| other == name));
    for (name, _) in gone {
        match name.as_str() {
            "comment" => actions.push("COMMENT = ''".to_owned()),
            "row_format" | "stats_persistent" | "stats_auto_recalc" | "stats_sample_pages"
            | "pack_keys" => actions.push(format!("{} = DEFAULT", name.to_uppercase())),
            "key_block_size" | "avg_row_length" | "max_rows" | "min_rows" | "checksum"
            | "table_checksum" | "delay_key_write" | "page_checksum" | "transactional" => {
                actions.push(format!("{} = 0", name.to_uppercase()));
            }
            "encryption" => actions.push("ENCRYPTION = 'N'".to_owned()),
            "encrypted" | "page_compressed" | "page_compression_level" => {
                // Options of the engine go away when they are set to DEFAULT (MariaDB manual,
                // "Engine-defined New Table/Field/Index Attributes").
                actions.push(format!("`{name}` = DEFAULT"));
            }
            "auto_increment" => {}
            other => way.notes.push(format!("the table option {other} stays as it is")),
        }
    }
    match (pair.before.ast.system_versioning, pair.now.ast.system_versioning) {
        (true, false) => actions.push("ADD SYSTEM VERSIONING".to_owned()),
        (false, true) => actions.push("DROP SYSTEM VERSIONING".to_owned()),
        (true, true) | (false, false) => {}
    }
    actions
}

fn option(name: &str, value: &str) -> String {
    match name {
        "comment" => format!("COMMENT = '{}'", value.replace('\'', "''")),
        "charset" => format!("DEFAULT CHARSET = {value}"),
        "collate" => format!("COLLATE = {value}"),
        other => format!("{} = {value}", other.to_uppercase()),
    }
}

/// Adds, changes and moves columns until they are as before. Where the table gets its character set
/// back, so does every text that has none of its own.
fn columns(pair: &Pair<'_>, recoded: bool, actions: &mut Vec<String>) {
    let before = &pair.before.ast.columns;
    let text_of_table = |column: &ColumnDef| {
        column.data_type.as_ref().is_some_and(|data_type| {
            data_type.charset.is_none()
                && data_type.collation.is_none()
                && TEXTS.contains(&data_type.name.as_str())
        })
    };
    let mut order: Vec<&str> = pair
        .now
        .ast
        .columns
        .iter()
        .filter(|now| before.iter().any(|column| same_name(column, now)))
        .map(|now| now.name.as_str())
        .collect();
    let mut last: Option<&str> = None;
    for (index, column) in before.iter().enumerate() {
        let text = pair.before.slice(column.span);
        let place = match last {
            None => "FIRST".to_owned(),
            Some(name) => format!("AFTER {}", pair.quoted(name)),
        };
        let name = column.name.as_str();
        let at = order.iter().position(|other| other.eq_ignore_ascii_case(name));
        let now = pair.now.ast.columns.iter().find(|now| same_name(now, column));
        match (now, at) {
            (Some(now), Some(at)) if at == index => {
                if pair.now.slice(now.span) != text || (recoded && text_of_table(column)) {
                    actions.push(format!("MODIFY COLUMN {text}"));
                }
            }
            (Some(_), at) => {
                actions.push(format!("MODIFY COLUMN {text} {place}"));
                if let Some(at) = at {
                    order.remove(at);
                }
                order.insert(index.min(order.len()), name);
            }
            (None, _) => {
                actions.push(format!("ADD COLUMN {text} {place}"));
                order.insert(index.min(order.len()), name);
            }
        }
        last = Some(name);
    }
}
