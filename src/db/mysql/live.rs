//! What holds of a live server and is no part of the schema: row versions, replication settings.

use std::collections::BTreeMap;

use super::Reader;
use crate::db::error::ServerError;
use crate::schema::{Name, Size};

/// Fills in how many versions of rows each table has; the largest count of its partitions.
///
/// MySQL since 8.0.29. Reading it takes the privilege PROCESS: without it nothing is known.
pub(super) async fn row_versions(reader: &mut Reader<'_>, sizes: &mut BTreeMap<Name, Size>) {
    if !reader.is_mysql() {
        return;
    }
    let asked = reader.ask(
        "SELECT name, total_row_versions FROM information_schema.innodb_tables \
         WHERE total_row_versions > 0",
    );
    let Ok(rows) = asked.await else { return };
    for size in sizes.values_mut() {
        size.row_versions = Some(0);
    }
    let versions = rows.iter().filter_map(|row| {
        let (database, table) = row.text(0).split_once('/')?;
        let table = table.split("#p#").next().unwrap_or(table);
        (decoded(database) == reader.database).then(|| (decoded(table), row.count(1)))
    });
    for (table, count) in versions {
        if let Some(size) = sizes.get_mut(&Name::new("", table)) {
            size.row_versions = size.row_versions.max(Some(count));
        }
    }
}

/// Reads what online schema change tools demand of a server.
pub(super) async fn settings(
    reader: &mut Reader<'_>,
    settings: &mut BTreeMap<String, String>,
) -> Result<(), ServerError> {
    let rows = reader
        .ask(
            "SHOW GLOBAL VARIABLES WHERE variable_name IN ('log_bin', 'binlog_format', \
             'binlog_row_image', 'log_slave_updates', 'log_replica_updates') \
             OR variable_name LIKE 'replicate\\_%do\\_%' \
             OR variable_name LIKE 'replicate\\_%ignore\\_%'",
        )
        .await?;
    let mut filters = Vec::new();
    for row in &rows {
        let (name, value) = (row.text(0).to_lowercase(), row.text(1));
        if name.starts_with("replicate_") {
            filters.extend((!value.is_empty()).then(|| format!("{name}:{value}")));
            continue;
        }
        // MariaDB, and MySQL before 8.0.26, know the older name alone.
        let name = if name == "log_slave_updates" { "log_replica_updates" } else { &name };
        settings.insert(name.to_owned(), value.to_owned());
    }
    if reader.is_mysql() {
        let asked = reader.ask(
            "SELECT concat(filter_name, ':', filter_rule) \
             FROM performance_schema.replication_applier_global_filters",
        );
        let rules = asked.await.unwrap_or_default();
        filters.extend(rules.iter().map(|row| row.text(0).to_lowercase()));
    }
    settings.insert("replication_filters".to_owned(), filters.join(", "));
    let missing = missing_privileges(reader).await?;
    settings.insert("missing_privileges".to_owned(), missing);
    Ok(())
}

/// Returns what the login lacks to follow the binary log; nothing where roles may grant it.
async fn missing_privileges(reader: &mut Reader<'_>) -> Result<String, ServerError> {
    let rows = reader
        .ask(
            "SELECT privilege_type, coalesce(current_role(), 'NONE') \
             FROM information_schema.user_privileges \
             WHERE grantee = concat('''', replace(current_user(), '@', '''@'''), '''')",
        )
        .await?;
    let has = |name: &str| rows.iter().any(|row| row.text(0) == name);
    let known = rows.first().is_some_and(|row| row.text(1) == "NONE") && !has("SUPER");
    // MariaDB shows REPLICATION CLIENT as BINLOG MONITOR since 10.5 (manual, "GRANT").
    let lacks = [
        (!has("REPLICATION SLAVE"), "REPLICATION SLAVE"),
        (!has("REPLICATION CLIENT") && !has("BINLOG MONITOR"), "REPLICATION CLIENT"),
    ];
    let lacks = lacks.iter().filter(|(lacks, _)| known && *lacks).map(|(_, name)| *name);
    Ok(lacks.collect::<Vec<_>>().join(", "))
}

/// Returns a name as it was before the server made a file name of it: `@002d` is a hyphen.
fn decoded(name: &str) -> String {
    let mut parts = name.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..4).and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                text.push(c);
                text.push_str(part.get(4..).unwrap_or_default());
            }
            None => {
                text.push('@');
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn file_names_are_names() {
        assert_eq!(super::decoded("my@002dtable"), "my-table");
        assert_eq!(super::decoded("plain"), "plain");
        assert_eq!(super::decoded("a@b"), "a@b");
    }
}
