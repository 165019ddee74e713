//! A value that an enum got cannot be taken away: the type is made anew (PostgreSQL manual,
//! "ALTER TYPE": values cannot be removed).

use std::collections::BTreeSet;

use super::all_items;
use super::items::{Item, parsed};
use crate::db::Snapshot;
use crate::sql::ast::{StatementKind, TypeKind};
use crate::sql::{ServerKind, Span, ident};

/// An enum made anew.
pub(super) struct Rebuilt {
    /// Statements in order.
    pub(super) statements: Vec<String>,
    /// Tables with a column of the type.
    pub(super) tables: BTreeSet<String>,
    /// What a person should know.
    pub(super) note: Option<String>,
}

/// Returns the statements that give an enum its old values, where its columns are all that uses it.
pub(super) fn rebuilt(
    (was, before): (&Item, &Snapshot),
    (is, now): (&Item, &Snapshot),
) -> Option<Rebuilt> {
    if before.server.kind != ServerKind::Postgres {
        return None;
    }
    let (old, new) = (enum_of(&was.create, before)?, enum_of(&is.create, before)?);
    let name = old.0;
    if used_elsewhere(&name, now) {
        return None;
    }
    let aside = aside(&name);
    let mut statements = vec![format!("ALTER TYPE {name} RENAME TO {}", aside.1)];
    statements.push(was.create.clone());
    let mut tables = BTreeSet::new();
    let partitions: BTreeSet<String> = now
        .objects
        .iter()
        .filter(|object| object.kind == "partition")
        .map(|object| object.name.to_string())
        .collect();
    for item in all_items(now, |object| object.kind == "table") {
        let Some(table) = &item.parts else { continue };
        let full = item.identity.trim_start_matches("table ").to_owned();
        if partitions.contains(&full) {
            continue;
        }
        for column in &table.ast.columns {
            let Some(data_type) = &column.data_type else { continue };
            let written = table.slice(data_type.span);
            let array = written.strip_prefix(name.as_str()).filter(|rest| !rest.contains('.'));
            let Some(array) = array else { continue };
            let column_name = table.slice(column.name.span);
            let alter = format!("ALTER COLUMN {column_name}");
            let mut actions = Vec::new();
            if column.default.is_some() {
                actions.push(format!("{alter} DROP DEFAULT"));
            }
            let text = format!("text{array}");
            let cast = format!("{column_name}::{text}::{name}{array}");
            actions.push(format!("{alter} TYPE {name}{array} USING {cast}"));
            if let Some(default) = &column.default {
                // The snapshot was read when the type had its own name.
                let expression = table.slice(default.span);
                actions.push(format!("{alter} SET DEFAULT {expression}"));
            }
            statements.push(format!("ALTER TABLE {} {}", table.name, actions.join(", ")));
            tables.insert(full.clone());
        }
    }
    statements.push(format!("DROP TYPE {}", aside.0));
    let gone: Vec<String> = new.1.into_iter().filter(|value| !old.1.contains(value)).collect();
    let values = gone.join("', '");
    let note = (!gone.is_empty())
        .then(|| format!("the way back fails while a row of {name} holds '{values}'"));
    Some(Rebuilt { statements, tables, note })
}

/// Returns the name as written and the values of an enum.
fn enum_of(text: &str, snapshot: &Snapshot) -> Option<(String, Vec<String>)> {
    let StatementKind::CreateType(create) = parsed(text, snapshot.server)?.kind else {
        return None;
    };
    let Span { start, end, .. } = create.name.span();
    let name = text.get(start as usize..end as usize)?.to_owned();
    match create.kind {
        TypeKind::Enum(values) => Some((name, values)),
        TypeKind::Composite(_) | TypeKind::Range | TypeKind::Base => None,
    }
}

/// Says whether anything but tables and views names the type, or a part of a table that PostgreSQL
/// would not convert with the column.
fn used_elsewhere(name: &str, now: &Snapshot) -> bool {
    now.objects.iter().any(|object| {
        object.statements.iter().any(|statement| match object.kind.as_str() {
            "view" | "materialized-view" => false,
            "type" if statement.starts_with(&format!("CREATE TYPE {name} ")) => false,
            "table" => statement.lines().any(|line| {
                let line = line.trim();
                line.starts_with("CONSTRAINT") && line.contains(name)
                    || line.contains(" GENERATED ALWAYS AS (") && line.contains(name)
            }),
            _ => statement.contains(name) && !statement.starts_with("COMMENT ON TYPE"),
        })
    })
}

/// Returns the full and the last part of a name for the type while it makes way.
fn aside(name: &str) -> (String, String) {
    let (schema, last) = name.rsplit_once('.').unwrap_or(("", name));
    let last = ident(ServerKind::Postgres, &format!("lockwise_old_{}", last.trim_matches('"')));
    let full = if schema.is_empty() { last.clone() } else { format!("{schema}.{last}") };
    (full, last)
}
