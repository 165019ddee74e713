//! How many rows go with a change, asked of the live database.

use super::model::{DataLoss, Plan};
use crate::db::{Connection, Snapshot};
use crate::schema::Name;
use crate::sql::ident;

/// Tables with more rows than this are not counted: the server's estimate stands in.
const COUNTED: u64 = 1_000_000;

/// Fills in how many rows each loss concerns. What cannot be counted stays unknown.
pub async fn count_losses(plan: &mut Plan, live: &mut Connection, snapshot: &Snapshot) {
    for migration in &mut plan.migrations {
        let steps = migration.groups.iter_mut().flat_map(|group| &mut group.steps);
        for loss in steps.flat_map(|step| &mut step.loses) {
            count(loss, live, snapshot).await;
        }
        for loss in &mut migration.rollback.loses {
            count(loss, live, snapshot).await;
        }
    }
}

async fn count(loss: &mut DataLoss, live: &mut Connection, snapshot: &Snapshot) {
    if loss.rows.is_some() {
        return;
    }
    let Some((table, column)) = place(&loss.name, snapshot) else { return };
    let estimate = snapshot.sizes.get(table).map(|size| size.rows);
    if estimate.is_some_and(|rows| rows > COUNTED) {
        loss.rows = estimate;
        return;
    }
    let kind = snapshot.server.kind;
    let schema = if table.schema.is_empty() {
        String::new()
    } else {
        format!("{}.", ident(kind, &table.schema))
    };
    let what = column.map_or_else(|| "*".to_owned(), |column| ident(kind, column));
    let sql = format!("SELECT count({what}) FROM {schema}{}", ident(kind, &table.name));
    if let Ok(rows) = live.query(&sql).await {
        loss.rows = rows.first().map(|row| row.count(0));
    }
}

/// Finds the table that a name begins with, and the column after it.
fn place<'a>(name: &'a str, snapshot: &'a Snapshot) -> Option<(&'a Name, Option<&'a str>)> {
    let tables = snapshot.objects.iter().filter(|object| object.kind == "table");
    let mut found: Option<(&Name, Option<&str>, usize)> = None;
    for object in tables {
        for full in [object.name.to_string(), object.name.name.clone()] {
            let rest = name.strip_prefix(&full);
            let column = match rest {
                Some("") => None,
                Some(rest) => match rest.strip_prefix('.') {
                    Some(column) => Some(column),
                    None => continue,
                },
                None => continue,
            };
            if found.is_none_or(|(_, _, length)| full.len() > length) {
                found = Some((&object.name, column, full.len()));
            }
        }
    }
    found.map(|(table, column, _)| (table, column))
}
