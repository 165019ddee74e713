//! What else the live database has to do with a change: who holds the tables, what reads them, how
//! much room the change takes.
//!
//! Asked after the dry run, when it is known what changes. A query that the server has seen counts
//! when its own text, parsed, reads the table and names the column; nothing is matched by text.

use std::collections::BTreeSet;

use super::build::verdict;
use super::dependents::dependents;
use super::estimate::bytes;
use super::live::schema_of;
use super::model::{Check, CheckState, Plan, Step};
use crate::db::{self, Connection, LiveQuery, Snapshot};
use crate::schema::{Name, Schema};
use crate::sql::ast::{DataType, Dml, Query, StatementKind};
use crate::sql::{ObjectName, Section, Server, ServerKind, Source, Span, parse};

/// How many queries are asked for: the most frequent ones.
const QUERIES: u32 = 5_000;
/// How many of one kind are told.
const TOLD: usize = 10;
/// Less than this is not worth a word.
const ROOM: u64 = 100_000_000;

/// Looks around, adds what was seen to the plan, and says again how it looks altogether.
pub async fn look_around(plan: &mut Plan, live: &mut Connection, snapshot: &Snapshot) {
    if plan.migrations.is_empty() {
        return;
    }
    let touched = touched(plan, snapshot);
    held(plan, live, &touched).await;
    let schema = schema_of(snapshot);
    depending(plan, live, &touched, &schema).await;
    counters(plan, snapshot, &schema);
    queries(plan, live, snapshot, &schema).await;
    room(plan);
    plan.verdict = verdict(&plan.migrations, &plan.preflight);
}

fn add(plan: &mut Plan, what: &str, state: CheckState, details: Vec<String>, fine: &str) {
    let check = |state, detail| Check { what: what.to_owned(), state, detail };
    if details.is_empty() {
        plan.preflight.push(check(CheckState::Fine, fine.to_owned()));
        return;
    }
    let more = details.len().saturating_sub(TOLD);
    plan.preflight.extend(details.into_iter().take(TOLD).map(|detail| check(state, detail)));
    if more > 0 {
        plan.preflight.push(check(state, format!("and {more} more")));
    }
}

/// Returns the tables that are there and that the change locks, as the catalogs name them.
fn touched(plan: &Plan, snapshot: &Snapshot) -> BTreeSet<Name> {
    let locks = plan.steps().flat_map(|step| &step.locks).filter(|lock| lock.in_use);
    locks.filter_map(|lock| in_catalog(&lock.relation, snapshot)).collect()
}

/// Returns the name that the snapshot has for the one that a plan writes.
fn in_catalog(written: &str, snapshot: &Snapshot) -> Option<Name> {
    let last = written.rsplit('.').next().unwrap_or(written);
    let fits =
        |name: &Name| name.to_string() == written || name.schema.is_empty() && name.name == last;
    snapshot.objects.iter().map(|object| &object.name).find(|name| fits(name)).cloned()
}

/// Who holds locks that the change waits for.
async fn held(plan: &mut Plan, live: &mut Connection, touched: &BTreeSet<Name>) {
    let what = "held-locks";
    match db::held_locks(live, touched).await {
        Ok(Some(locks)) => {
            let line = |lock: &db::HeldLock| {
                let age =
                    lock.holder.age_seconds.map_or_else(String::new, |s| format!(" for {s} s"));
                format!(
                    "{} is held by session {} ({}){age}: {}",
                    lock.relation, lock.holder.backend, lock.mode, lock.holder.query
                )
            };
            let lines: BTreeSet<String> = locks.iter().map(line).collect();
            let fine = "nobody holds the tables now";
            add(plan, what, CheckState::Warning, lines.into_iter().collect(), fine);
        }
        Ok(None) if live.server().kind == ServerKind::Sqlite => {}
        Ok(None) => {
            let detail = "the server does not say who holds what".to_owned();
            add(plan, what, CheckState::Unknown, vec![detail], "");
        }
        Err(error) => add(plan, what, CheckState::Unknown, vec![error.to_string()], ""),
    }
}

/// What uses the tables: it is no warning by itself, and good to know.
async fn depending(
    plan: &mut Plan,
    live: &mut Connection,
    touched: &BTreeSet<Name>,
    schema: &Schema,
) {
    let found = match live.server().kind {
        ServerKind::Postgres => db::dependents(live, touched).await,
        // They record less than the model of the schema knows.
        ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => {
            Ok(dependents(schema, touched))
        }
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            add(plan, "dependents", CheckState::Unknown, vec![error.to_string()], "");
            return;
        }
    };
    let lines: Vec<String> = found
        .iter()
        .map(|one| format!("{} is used by the {} {}", one.relation, one.kind, one.name))
        .collect();
    add(plan, "dependents", CheckState::Fine, lines, "nothing else uses the tables");
}

/// Counters of AUTO_INCREMENT that are close to the end of their type.
fn counters(plan: &mut Plan, snapshot: &Snapshot, schema: &Schema) {
    if !snapshot.server.kind.is_mysql_family() {
        return;
    }
    let mut close: Vec<(u64, String)> = Vec::new();
    for (table, size) in &snapshot.sizes {
        let Some(next) = size.auto_increment else { continue };
        let columns = schema.relation(table).map(|relation| relation.columns.as_slice());
        let counted = columns.unwrap_or_default().iter().find(|column| column.auto_increment);
        let Some(column) = counted else { continue };
        let Some(most) = column.data_type.as_ref().and_then(most) else { continue };
        let percent = u128::from(next) * 100 / u128::from(most);
        if percent >= NEARLY {
            let line = format!("{table}.{} has counted to {next} of {most}", column.name);
            close.push((most - next.min(most), line));
        }
    }
    close.sort();
    let lines = close.into_iter().map(|(_, line)| line).collect();
    let fine = "no AUTO_INCREMENT has counted through four fifths of its type";
    add(plan, "auto-increment-capacity", CheckState::Warning, lines, fine);
}

/// A counter that has come so far through its type, in percent, is told.
const NEARLY: u128 = 80;

/// Returns the largest number of a type (MySQL manual, 13.1.2; MariaDB the same).
fn most(data_type: &DataType) -> Option<u64> {
    let signed: u64 = match data_type.name.as_str() {
        "tinyint" => 127,
        "smallint" => 32_767,
        "mediumint" => 8_388_607,
        "int" => 2_147_483_647,
        "bigint" => 9_223_372_036_854_775_807,
        _ => return None,
    };
    Some(if data_type.unsigned { signed * 2 + 1 } else { signed })
}

/// Something that queries cannot use any longer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Gone {
    table: Name,
    column: Option<String>,
    how: String,
}

/// The queries that read or write what is dropped, renamed or retyped.
async fn queries(plan: &mut Plan, live: &mut Connection, snapshot: &Snapshot, schema: &Schema) {
    let what = "live-queries";
    let gone: BTreeSet<Gone> = plan.steps().flat_map(|step| gone_by(step, snapshot)).collect();
    if gone.is_empty() {
        let fine = "nothing is dropped, renamed or retyped that a query could name";
        add(plan, what, CheckState::Fine, Vec::new(), fine);
        return;
    }
    let seen = match db::live_queries(live, QUERIES).await {
        Ok(Some(seen)) => seen,
        Ok(None) if live.server().kind == ServerKind::Sqlite => return,
        Ok(None) => {
            let how = match live.server().kind {
                ServerKind::Postgres => "load pg_stat_statements",
                ServerKind::Mysql | ServerKind::Mariadb | ServerKind::Sqlite => {
                    "switch performance_schema on"
                }
            };
            let detail = format!("the server keeps no list of queries: {how} to see who breaks");
            add(plan, what, CheckState::Unknown, vec![detail], "");
            return;
        }
        Err(error) => {
            add(plan, what, CheckState::Unknown, vec![error.to_string()], "");
            return;
        }
    };
    let lines: Vec<String> =
        seen.iter().flat_map(|query| broken(query, &gone, schema, snapshot.server)).collect();
    let fine = format!("none of {} queries seen uses what changes", seen.len());
    add(plan, what, CheckState::Warning, lines, &fine);
}

/// Returns what a statement takes away from queries.
fn gone_by(step: &Step, snapshot: &Snapshot) -> Vec<Gone> {
    let lost = step.loses.iter().filter(|loss| matches!(loss.kind.as_str(), "column" | "table"));
    let lost = lost.map(|loss| (format!("drops {}", loss.name), loss.name.as_str()));
    let broken = step.breaks.iter().filter_map(|text| text.split_once(": "));
    let broken = broken.map(|(how, name)| (format!("{how} {name}"), name));
    lost.chain(broken)
        .filter_map(|(how, name)| {
            if let Some(table) = in_catalog(name, snapshot) {
                return Some(Gone { table, column: None, how });
            }
            let (table, column) = name.rsplit_once('.')?;
            let table = in_catalog(table, snapshot)?;
            Some(Gone { table, column: Some(column.to_owned()), how })
        })
        .collect()
}

/// Says what a query loses, one line a loss.
fn broken(
    query: &LiveQuery,
    gone: &BTreeSet<Gone>,
    schema: &Schema,
    server: Server,
) -> Vec<String> {
    let Some(use_of) = Use::of(&query.text, server) else { return Vec::new() };
    let mut told = BTreeSet::new();
    for one in gone {
        if use_of.touches(one, schema) {
            let text = query.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let text: String = text.chars().take(160).collect();
            let user =
                if query.user.is_empty() { String::new() } else { format!(" by {}", query.user) };
            let mean = query.mean_us / 1000;
            told.insert(format!(
                "{}: {} calls{user}, {mean} ms each, of {text}",
                one.how, query.calls
            ));
        }
    }
    told.into_iter().collect()
}

/// What a query uses.
struct Use {
    relations: Vec<ObjectName>,
    columns: Vec<String>,
    star: bool,
}

impl Use {
    fn of(text: &str, server: Server) -> Option<Self> {
        // MySQL writes `...` for the rest of a list, in a digest.
        let text = text.replace("(...)", "(?)").replace(", ...", "");
        let range = Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX));
        let source = Source::new("query", text);
        let script = parse(Section { source, range, reading: Default::default() }, server);
        let statement = script.statements.into_iter().next()?;
        let StatementKind::Dml(dml) = statement.kind else { return None };
        let Dml { targets, query, columns, .. } = *dml;
        let Query { reads, writes, columns: named, star, .. } = query;
        let relations = targets.into_iter().chain(reads).chain(writes).collect();
        let columns = columns.into_iter().map(|column| column.value).chain(named).collect();
        Some(Self { relations, columns, star })
    }

    fn reads(&self, table: &Name) -> bool {
        self.relations.iter().any(|name| {
            name.name().eq_ignore_ascii_case(&table.name)
                && (table.schema.is_empty()
                    || name
                        .schema()
                        .is_none_or(|schema| schema.eq_ignore_ascii_case(&table.schema)))
        })
    }

    fn touches(&self, gone: &Gone, schema: &Schema) -> bool {
        if !self.reads(&gone.table) {
            return false;
        }
        let Some(column) = &gone.column else { return true };
        let named = self.columns.iter().any(|name| name.eq_ignore_ascii_case(column));
        // A name that another table of the query has too may still mean this one.
        let known = schema.relation(&gone.table).is_none_or(|relation| {
            relation.columns.iter().any(|there| there.name.eq_ignore_ascii_case(column))
        });
        known && (named || self.star)
    }
}

/// How much room the change needs while it runs: a table and its indexes stand twice until the new
/// ones are in place. No server tells a client how much is free.
fn room(plan: &mut Plan) {
    let mut needed: u64 = 0;
    let mut tables = BTreeSet::new();
    for step in plan.steps() {
        let works = step.locks.iter().filter(|lock| {
            lock.in_use && (step.rewrites.contains(&lock.relation) || !step.builds.is_empty())
        });
        if let Some(lock) = works.max_by_key(|lock| lock.bytes) {
            needed += lock.bytes.unwrap_or(0);
            tables.insert(lock.relation.clone());
        }
    }
    let what = "free-space";
    if needed < ROOM {
        let fine =
            format!("the change takes no more than {} of room", bytes(needed.max(1_000_000)));
        add(plan, what, CheckState::Fine, Vec::new(), &fine);
        return;
    }
    let names: Vec<String> = tables.into_iter().collect();
    let detail = format!(
        "up to {} of free space while {} are built; the server does not say what is free",
        bytes(needed),
        names.join(", ")
    );
    add(plan, what, CheckState::Unknown, vec![detail], "");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(server: Server) -> Schema {
        let mut snapshot = Snapshot::empty(server);
        snapshot.objects.push(crate::db::SnapshotObject {
            kind: "table".to_owned(),
            name: Name::new("public", "orders"),
            relation: None,
            note: None,
            statements: vec!["CREATE TABLE public.orders (id int, fax text)".to_owned()],
        });
        schema_of(&snapshot)
    }

    #[track_caller]
    fn check(text: &str, wanted: bool) {
        let server = Server::of(ServerKind::Postgres);
        let gone = Gone {
            table: Name::new("public", "orders"),
            column: Some("fax".to_owned()),
            how: "drops".to_owned(),
        };
        let found = Use::of(text, server).is_some_and(|used| used.touches(&gone, &schema(server)));
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn queries_are_resolved_to_columns_not_matched_by_text() {
        check("SELECT o.fax FROM orders o WHERE o.id = $1", true);
        check("SELECT * FROM public.orders", true);
        check("UPDATE orders SET fax = $1 WHERE id = $2", true);
        check("INSERT INTO orders (id, fax) VALUES ($1, $2)", true);
        check("WITH x AS (SELECT fax FROM orders) SELECT count(*) FROM x", true);
        check("SELECT id FROM orders", false);
        check("SELECT 'fax' FROM orders", false);
        check("SELECT fax FROM customers", false);
        check("SELECT fax FROM archive.orders", false);
        check("SELECT id /* fax */ FROM orders", false);
    }
}
