//! Views, routines, triggers and events.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::text::{quoted_end, used_names, without_database};
use super::{Reader, object};
use crate::db::error::ServerError;
use crate::db::rows::Row;
use crate::db::snapshot::SnapshotObject;
use crate::schema::Name;

/// Returns `DEFINER=… ` where definers are wanted, and remembers the user.
fn definer(reader: &Reader<'_>, definer: &str, roles: &mut BTreeSet<String>) -> String {
    if !reader.with_definers || definer.is_empty() {
        return String::new();
    }
    roles.insert(definer.to_owned());
    let (user, host) = definer.rsplit_once('@').unwrap_or((definer, "%"));
    format!("DEFINER={}@{} ", reader.quote(user), reader.quote(host))
}

/// Returns the statement that made a routine, a trigger or an event, where `information_schema`
/// changes its text: there MariaDB 10.11 prints `\\` as `\`, and MySQL 9.7 also `''` as `'`
/// (measured). The text is in column `index` of `SHOW CREATE`; a login that may not see it gets
/// none.
async fn original(
    reader: &mut Reader<'_>,
    words: &str,
    name: &str,
    index: usize,
    body: &str,
) -> Result<Option<String>, ServerError> {
    let is_changed = body.contains('\\') || (reader.is_mysql() && body.contains(['\'', '"']));
    if !is_changed {
        return Ok(None);
    }
    let sql = format!("SHOW CREATE {words} {}", reader.quote(name));
    let rows = reader.connection.query(&sql).await?;
    let text = rows
        .first()
        .and_then(|row| row.get(index))
        .map(|text| if reader.with_definers { text.to_owned() } else { without_definer(text) });
    Ok(text)
}

/// Takes `` DEFINER=`user`@`host` `` out of a `CREATE` statement.
fn without_definer(sql: &str) -> String {
    let Some((before, after)) = sql.split_once("DEFINER=") else { return sql.to_owned() };
    if before != "CREATE " {
        return sql.to_owned();
    }
    let mut rest = after;
    for _ in 0..2 {
        let quote = rest.chars().next().unwrap_or(' ');
        let end = quoted_end(rest, quote, false);
        rest = rest.get(end..).unwrap_or("").trim_start_matches('@');
    }
    format!("CREATE {}", rest.trim_start())
}

/// Surrounds a statement with the `sql_mode` that it was made under, where new sessions have
/// another.
fn under_mode(reader: &Reader<'_>, mode: &str, sql: String) -> Vec<String> {
    if mode == reader.sql_mode {
        return vec![sql];
    }
    let set = format!("SET SESSION sql_mode = {}", reader.text(mode));
    vec![set, sql, "SET SESSION sql_mode = DEFAULT".to_owned()]
}

/// Writes views, those that others read first.
pub(super) async fn views(
    reader: &mut Reader<'_>,
    objects: &mut Vec<SnapshotObject>,
    roles: &mut BTreeSet<String>,
) -> Result<(), ServerError> {
    let algorithm = if reader.is_mysql() { "'UNDEFINED'" } else { "algorithm" };
    let sql = format!(
        "SELECT table_name, view_definition, check_option, definer, security_type, {algorithm} \
         FROM information_schema.views WHERE table_schema = {{db}}"
    );
    let rows = reader.ask_on(&sql, &["table_name"]).await?;
    let mut waiting: BTreeMap<String, (BTreeSet<String>, String)> = BTreeMap::new();
    for row in rows.iter().filter(|row| !reader.own.contains(row.text(0))) {
        let name = row.text(0).to_owned();
        let used = used_names(row.text(1), &reader.database).into_iter().collect();
        waiting.insert(name, (used, view(reader, row, roles)));
    }
    while !waiting.is_empty() {
        let free = waiting.iter().find(|(name, (used, _))| {
            !used.iter().any(|other| other != *name && waiting.contains_key(other))
        });
        let next = free.or_else(|| waiting.iter().next()).map(|(name, _)| name.clone());
        let Some(name) = next else { break };
        if let Some((_, sql)) = waiting.remove(&name) {
            objects.push(object("view", &name, vec![sql]));
        }
    }
    Ok(())
}

/// Writes one view.
fn view(reader: &Reader<'_>, row: &Row, roles: &mut BTreeSet<String>) -> String {
    let algorithm = match row.text(5) {
        "UNDEFINED" | "" => String::new(),
        algorithm => format!("ALGORITHM={algorithm} "),
    };
    let definer = definer(reader, row.text(3), roles);
    let security = if row.text(4) == "INVOKER" { "SQL SECURITY INVOKER " } else { "" };
    let check = match row.text(2) {
        "NONE" | "" => String::new(),
        check => format!(" WITH {check} CHECK OPTION"),
    };
    let name = reader.quote(row.text(0));
    let body = without_database(row.text(1), &reader.database);
    format!("CREATE {algorithm}{definer}{security}VIEW {name} AS {body}{check}")
}

/// Writes functions and procedures.
pub(super) async fn routines(
    reader: &mut Reader<'_>,
    objects: &mut Vec<SnapshotObject>,
    roles: &mut BTreeSet<String>,
) -> Result<(), ServerError> {
    let programs = reader.scope.as_ref().map(|scope| scope.programs.clone());
    let parameters = reader
        .ask_for(
            "SELECT routine_type, specific_name, ordinal_position, coalesce(parameter_mode, ''), \
             coalesce(parameter_name, ''), dtd_identifier, coalesce(character_set_name, ''), \
             coalesce(collation_name, '') \
             FROM information_schema.parameters WHERE specific_schema = {db}",
            &["specific_name"],
            programs.clone(),
        )
        .await?;
    let mut lists: HashMap<(String, String), Vec<&Row>> = HashMap::new();
    for row in &parameters {
        let place = (row.text(0).to_owned(), row.text(1).to_owned());
        lists.entry(place).or_default().push(row);
    }
    let rows = reader
        .ask_for(
            "SELECT routine_type, routine_name, routine_definition, is_deterministic, \
             sql_data_access, security_type, definer, sql_mode, routine_comment \
             FROM information_schema.routines \
             WHERE routine_schema = {db} AND routine_type IN ('FUNCTION', 'PROCEDURE')",
            &["routine_name"],
            programs,
        )
        .await?;
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| (row.text(0), row.text(1)));
    for row in rows {
        let place = (row.text(0).to_owned(), row.text(1).to_owned());
        let mut list = lists.remove(&place).unwrap_or_default();
        list.sort_by_key(|row| row.count(2));
        let original = original(reader, row.text(0), row.text(1), 2, row.text(2)).await?;
        let sql = original.unwrap_or_else(|| routine(reader, row, &list, roles));
        let kind = row.text(0).to_ascii_lowercase();
        objects.push(object(&kind, row.text(1), under_mode(reader, row.text(7), sql)));
    }
    Ok(())
}

/// Writes one routine.
fn routine(
    reader: &Reader<'_>,
    row: &Row,
    parameters: &[&Row],
    roles: &mut BTreeSet<String>,
) -> String {
    let kind = row.text(0);
    let is_function = kind == "FUNCTION";
    let typed = |parameter: &Row| {
        let charset = parameter.text(6);
        let charset = if charset.is_empty() {
            String::new()
        } else {
            format!(" CHARSET {charset} COLLATE {}", parameter.text(7))
        };
        format!("{}{charset}", parameter.text(5))
    };
    let mut list = Vec::new();
    let mut returns = String::new();
    for parameter in parameters {
        if parameter.count(2) == 0 {
            returns = format!("\n    RETURNS {}", typed(parameter));
            continue;
        }
        let mode = if is_function { String::new() } else { format!("{} ", parameter.text(3)) };
        list.push(format!("{mode}{} {}", reader.quote(parameter.text(4)), typed(parameter)));
    }
    let definer = definer(reader, row.text(6), roles);
    let name = reader.quote(row.text(1));
    let mut sql = format!("CREATE {definer}{kind} {name}({}){returns}", list.join(", "));
    if row.text(3) == "YES" {
        sql.push_str("\n    DETERMINISTIC");
    }
    if row.text(4) != "CONTAINS SQL" {
        sql.push_str(&format!("\n    {}", row.text(4)));
    }
    if row.text(5) == "INVOKER" {
        sql.push_str("\n    SQL SECURITY INVOKER");
    }
    if !row.text(8).is_empty() {
        sql.push_str(&format!("\n    COMMENT {}", reader.text(row.text(8))));
    }
    format!("{sql}\n{}", row.text(2))
}

/// Writes triggers, in the order in which they fire.
pub(super) async fn triggers(
    reader: &mut Reader<'_>,
    objects: &mut Vec<SnapshotObject>,
    roles: &mut BTreeSet<String>,
) -> Result<(), ServerError> {
    let rows = reader
        .ask_on(
            "SELECT trigger_name, event_object_table, action_timing, event_manipulation, \
             action_order, action_statement, definer, sql_mode \
             FROM information_schema.triggers WHERE event_object_schema = {db}",
            &["event_object_table"],
        )
        .await?;
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| (row.text(1), row.text(2), row.text(3), row.count(4)));
    for row in rows {
        let assembled = format!(
            "CREATE {}TRIGGER {} {} {} ON {} FOR EACH ROW {}",
            definer(reader, row.text(6), roles),
            reader.quote(row.text(0)),
            row.text(2),
            row.text(3),
            reader.quote(row.text(1)),
            row.text(5),
        );
        let original = original(reader, "TRIGGER", row.text(0), 2, row.text(5)).await?;
        let sql = original.unwrap_or(assembled);
        let statements = under_mode(reader, row.text(7), sql);
        let mut object = object("trigger", row.text(0), statements);
        object.relation = Some(Name::new("", row.text(1)));
        objects.push(object);
    }
    Ok(())
}

/// Writes events. One that begins when it was made or altered, which is what the server takes where
/// no STARTS is written, begins anew wherever it is loaded.
pub(super) async fn events(
    reader: &mut Reader<'_>,
    objects: &mut Vec<SnapshotObject>,
    roles: &mut BTreeSet<String>,
) -> Result<(), ServerError> {
    let programs = reader.scope.as_ref().map(|scope| scope.programs.clone());
    let rows = reader
        .ask_for(
            "SELECT event_name, event_type, coalesce(execute_at, ''), \
             coalesce(interval_value, ''), coalesce(interval_field, ''), \
             CASE WHEN starts IN (created, last_altered) THEN '' ELSE coalesce(starts, '') END, \
             coalesce(ends, ''), \
             on_completion, status, event_comment, event_definition, definer, sql_mode \
             FROM information_schema.events WHERE event_schema = {db}",
            &["event_name"],
            programs,
        )
        .await?;
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| row.text(0));
    for row in rows {
        let original = original(reader, "EVENT", row.text(0), 3, row.text(10)).await?;
        let sql = original.unwrap_or_else(|| event(reader, row, roles));
        objects.push(object("event", row.text(0), under_mode(reader, row.text(12), sql)));
    }
    Ok(())
}

/// Writes one event.
fn event(reader: &Reader<'_>, row: &Row, roles: &mut BTreeSet<String>) -> String {
    let mut when = if row.text(1) == "ONE TIME" {
        format!("AT '{}'", row.text(2))
    } else {
        // Compound intervals are printed with their quotes (`'1:10'`).
        format!("EVERY {} {}", row.text(3), row.text(4))
    };
    for (index, word) in [(5, "STARTS"), (6, "ENDS")] {
        if !row.text(index).is_empty() {
            when.push_str(&format!(" {word} '{}'", row.text(index)));
        }
    }
    let keep = if row.text(7) == "PRESERVE" { " ON COMPLETION PRESERVE" } else { "" };
    let status = match row.text(8) {
        "DISABLED" => " DISABLE",
        "SLAVESIDE_DISABLED" | "REPLICA_SIDE_DISABLED" => " DISABLE ON SLAVE",
        _ => "",
    };
    let comment = if row.text(9).is_empty() {
        String::new()
    } else {
        format!(" COMMENT {}", reader.text(row.text(9)))
    };
    let (definer, name) = (definer(reader, row.text(11), roles), reader.quote(row.text(0)));
    let body = row.text(10);
    format!("CREATE {definer}EVENT {name} ON SCHEDULE {when}{keep}{status}{comment} DO {body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definer_is_taken_out_whatever_quotes_it() {
        let wanted = "CREATE FUNCTION `f`() RETURNS int RETURN 'DEFINER=`x`'";
        for definer in ["`a b`@`%`", "\"root\"@\"localhost\"", "`a``b`@`h`"] {
            let sql = wanted.replacen("CREATE ", &format!("CREATE DEFINER={definer} "), 1);
            assert_eq!(without_definer(&sql), wanted);
        }
        assert_eq!(without_definer(wanted), wanted);
    }
}
