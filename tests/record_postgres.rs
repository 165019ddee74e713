//! Records what PostgreSQL really does, in the form of `testdata/servers/postgres`.
//!
//! Nothing happens unless `LOCKWISE_RECORD_POSTGRES` names servers (`12=postgres://…;15=…`):
//!
//! ```text
//! LOCKWISE_RECORD_POSTGRES='15=postgres://postgres@127.0.0.1:5432/postgres' \
//! LOCKWISE_RECORD_CASES=cases-to-run.jsonl LOCKWISE_RECORD_OUT=recorded.jsonl \
//! cargo test --test record_postgres
//! ```
//!
//! A case to run has `id`, `family`, `setup_sql`, `sql` and maybe `session_sql`. It runs through
//! psql in a transaction that is rolled back: locks come from pg_locks, rewrites from file numbers,
//! scans from pg_stat_xact_all_tables, builds from DEBUG1 messages. A statement that refuses a
//! transaction runs alone, and only what it leaves is recorded. Without `LOCKWISE_RECORD_CASES` the
//! cases that are recorded already are run again and compared.
//!
//! `wide.jsonl` can be recorded again in the same way. Its results with `"observed": "debugger"` are
//! of statements that refuse a transaction: a debugger stood at LockAcquireExtended of the session
//! and noted every lock asked for, which no client can. They are compared in what a client sees:
//! success or error, rewrites, indexes rebuilt, messages.

#![expect(clippy::expect_used, reason = "a server that cannot be asked fails the test")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

/// Drops everything that a case may have made.
const CLEAN: &str = r"
SET client_min_messages = error;
SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec
CREATE SCHEMA public;
SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication \gexec
SELECT format('DROP ACCESS METHOD %I CASCADE', amname) FROM pg_am WHERE oid >= 16384 \gexec
SELECT format('DROP EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_extension WHERE extname <> 'plpgsql' \gexec
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_owner') THEN CREATE ROLE app_owner; END IF; END $$;
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_reader') THEN CREATE ROLE app_reader; END IF; END $$;
";

/// Relations by number: name, kind, file, pages.
const RELATIONS: &str = r"
SELECT json_object_agg(c.oid, json_build_array(
  CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END,
  c.relkind, c.relfilenode,
  CASE WHEN c.relkind IN ('r','m','i') THEN pg_relation_size(c.oid) ELSE 0 END))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND n.nspname NOT LIKE 'pg\_%';
";

/// Strongest locks of this session by relation, and tables read, in this transaction.
const SEEN: &str = r"
SELECT json_build_object(
 'locks', (SELECT json_object_agg(relation, modes) FROM (SELECT relation, json_agg(mode) AS modes
   FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
   GROUP BY relation) l),
 'scans', (SELECT json_agg(relid) FROM pg_stat_xact_all_tables WHERE seq_scan > 0));
";

/// Objects by number, for finding what is lost.
const OBJECTS: &str = r"
SELECT json_object_agg(key, name) FROM (
 SELECT 'c' || c.oid AS key, CASE c.relkind WHEN 'r' THEN 'table ' WHEN 'p' THEN 'table '
   WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence '
   WHEN 'f' THEN 'foreign table ' ELSE 'index ' END
   || CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS name
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid >= 16384 AND n.nspname NOT LIKE 'pg\_%' AND c.relkind IN ('r','p','v','m','S','f','i','I')
 UNION ALL
 SELECT 'a' || c.oid || '.' || a.attnum, 'column '
   || CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname || '.' || a.attname
 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid >= 16384 AND n.nspname NOT LIKE 'pg\_%' AND a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind IN ('r','p','v','m','f')
 UNION ALL
 SELECT 'o' || o.oid, CASE o.contype WHEN 'c' THEN 'check ' WHEN 'f' THEN 'foreign key '
   WHEN 'p' THEN 'primary key ' WHEN 'u' THEN 'unique ' WHEN 'x' THEN 'exclude ' ELSE 'not null ' END
   || c.relname || '.' || o.conname
 FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid WHERE o.conrelid >= 16384
   AND o.contype IN ('c','f','p','u','x')
 UNION ALL
 SELECT 't' || t.oid, 'trigger ' || c.relname || '.' || t.tgname
 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
 UNION ALL
 SELECT 'p' || p.oid, 'policy ' || c.relname || '.' || p.polname
 FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
 UNION ALL
 SELECT 's' || s.oid, 'statistics ' || s.stxname FROM pg_statistic_ext s) all_objects;
";

const MODES: &[&str] = &[
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];

#[test]
fn record() {
    let Ok(servers) = std::env::var("LOCKWISE_RECORD_POSTGRES") else { return };
    let servers: Vec<(u64, String)> = servers
        .split(';')
        .filter_map(|entry| entry.split_once('='))
        .map(|(version, url)| (version.trim().parse().expect("a version"), url.to_owned()))
        .collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/servers/postgres");
    let cases = std::env::var("LOCKWISE_RECORD_CASES")
        .unwrap_or_else(|_| format!("{folder}/recorded.jsonl"));
    let out = std::env::var("LOCKWISE_RECORD_OUT").unwrap_or_default();
    let cases: Vec<Value> = std::fs::read_to_string(cases)
        .expect("cases to run")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a case"))
        .collect();
    let columns: Vec<Vec<Value>> = std::thread::scope(|scope| {
        let run = |server: &(u64, String)| -> Vec<Value> {
            cases.iter().map(|case| run(case, &server.1)).collect()
        };
        let threads: Vec<_> =
            servers.iter().map(|server| scope.spawn(move || run(server))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a recording")).collect()
    });
    let mut lines = String::new();
    let mut changed = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let results = servers
            .iter()
            .zip(&columns)
            .filter_map(|((version, _), column)| Some((*version, column.get(at)?.clone())));
        let row = with_results(case, grouped(results));
        if case.get("results").is_some() && !agrees(case, &row) {
            changed.push(case.get("id").cloned().unwrap_or_default());
        }
        lines.push_str(&format!("{row}\n"));
    }
    if out.is_empty() {
        assert!(changed.is_empty(), "these cases are another today: {changed:?}");
    } else {
        std::fs::write(out, lines).expect("a file for the recordings");
    }
}

fn with_results(case: &Value, results: Vec<Value>) -> Value {
    let mut row = Map::new();
    for field in ["id", "family", "setup_sql", "session_sql", "sql"] {
        if let Some(value) = case.get(field) {
            row.insert(field.to_owned(), value.clone());
        }
    }
    let in_txn = results.iter().all(|result| result.get("tx_ok") != Some(&Value::Bool(false)));
    row.insert("in_txn".to_owned(), Value::Bool(in_txn));
    row.insert("results".to_owned(), Value::Array(results));
    Value::Object(row)
}

/// Joins the versions with the same result.
fn grouped(results: impl Iterator<Item = (u64, Value)>) -> Vec<Value> {
    let mut groups: Vec<(Vec<u64>, Value)> = Vec::new();
    for (version, result) in results {
        match groups.iter_mut().find(|(_, known)| *known == result) {
            Some((versions, _)) => versions.push(version),
            None => groups.push((vec![version], result)),
        }
    }
    groups
        .into_iter()
        .map(|(versions, result)| {
            let mut object = Map::from_iter([("versions".to_owned(), json!(versions))]);
            if let Value::Object(fields) = result {
                object.extend(fields);
            }
            Value::Object(object)
        })
        .collect()
}

/// Says whether the versions that were run again did what was recorded for them.
fn agrees(old: &Value, new: &Value) -> bool {
    let by_version = |row: &Value| -> BTreeMap<u64, Value> {
        let results = row.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut found = BTreeMap::new();
        for mut result in results {
            let versions = result.as_object_mut().and_then(|object| object.remove("versions"));
            for version in versions.as_ref().and_then(Value::as_array).into_iter().flatten() {
                found.insert(version.as_u64().unwrap_or(0), result.clone());
            }
        }
        found
    };
    let old = by_version(old);
    by_version(new).iter().all(|(version, result)| {
        old.get(version).is_some_and(|known| visible(known, result) == visible(result, known))
    })
}

/// Leaves out the fields that one of two results does not have: where a debugger saw more, or a
/// version was recorded before scans were.
fn visible(result: &Value, other: &Value) -> Value {
    let mut result = result.clone();
    // The script ends every statement, and so the place of a syntax error may be another.
    let syntax = result.get("sqlstate").and_then(Value::as_str) == Some("42601");
    if let Some(object) = result.as_object_mut() {
        let by_debugger = [&*object, other.as_object().unwrap_or(&Map::new())]
            .iter()
            .any(|fields| fields.contains_key("observed"));
        object.retain(|field, _| {
            let unseen = by_debugger && matches!(field.as_str(), "locks" | "observed");
            let elsewhere = syntax && field == "error";
            !(unseen || elsewhere) && other.get(field).is_some()
        });
    }
    result
}

fn text<'c>(case: &'c Value, field: &str) -> &'c str {
    case.get(field).and_then(Value::as_str).unwrap_or("")
}

/// Runs a case, in a transaction if it may, and returns what was seen.
fn run(case: &Value, url: &str) -> Value {
    let inside = attempt(case, url, true);
    let refused = inside.get("sqlstate").and_then(Value::as_str) == Some("25001");
    if !refused {
        return inside;
    }
    let mut alone = attempt(case, url, false);
    if let Some(object) = alone.as_object_mut()
        && object.get("ok") == Some(&Value::Bool(true))
    {
        object.insert("tx_ok".to_owned(), Value::Bool(false));
        for unseen in ["locks", "full_scan", "lost"] {
            object.remove(unseen);
        }
    }
    alone
}

fn attempt(case: &Value, url: &str, transaction: bool) -> Value {
    let setup = text(case, "setup_sql");
    let session = text(case, "session_sql");
    let sql = text(case, "sql").trim_end().trim_end_matches(';');
    let (begin, end) = if transaction { ("BEGIN;", "ROLLBACK;") } else { ("", "") };
    let script = format!(
        "{CLEAN}\n\\warn @@setup\nSET client_min_messages = warning;\n{setup};\n\\connect -\nSET client_min_messages = warning;\n{session};\n\\echo @@before\n{RELATIONS}\\echo @@objects\n{OBJECTS}\\warn @@run\n{begin}\nSET client_min_messages = debug1;\n{sql};\nSET client_min_messages = warning;\n\\warn @@end\n\\echo @@seen\n{SEEN}\\echo @@after\n{RELATIONS}\\echo @@left\n{OBJECTS}\\echo @@done\n{end}\n"
    );
    let mut child = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose", "-d", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("psql");
    let mut input = child.stdin.take().expect("a pipe");
    let feed = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().expect("an answer");
    feed.join().expect("a thread").expect("a script read to its end");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    seen(&stdout, &stderr)
}

fn section<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    rest.split_once(to).map_or(rest, |(inside, _)| inside)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text.trim()).unwrap_or(Value::Null)
}

/// Returns the first error of a part of what psql says: state and message.
fn error(part: &str) -> Option<(String, String)> {
    part.lines().find_map(|line| {
        let rest = line.split_once("ERROR:  ").map(|(_, rest)| rest)?;
        let (state, message) = rest.split_once(": ")?;
        Some((state.to_owned(), message.to_owned()))
    })
}

fn seen(stdout: &str, stderr: &str) -> Value {
    let setup = section(stderr, "@@setup", "@@run");
    if let Some((state, message)) = error(setup) {
        return json!({"ok": false, "setup_failed": true, "sqlstate": state, "error": message});
    }
    let during = section(stderr, "@@run", "@@end");
    if let Some((state, message)) = error(during) {
        return json!({"ok": false, "sqlstate": state, "error": message});
    }
    let before = parsed(section(stdout, "@@before", "@@objects"));
    let after = parsed(section(stdout, "@@after", "@@left"));
    let found = parsed(section(stdout, "@@seen", "@@after"));
    let objects = parsed(section(stdout, "@@objects", "@@seen"));
    let left = parsed(section(stdout, "@@left", "@@done"));
    let names = relations(&before);
    let mut locks = BTreeMap::new();
    for (oid, modes) in found.get("locks").and_then(Value::as_object).into_iter().flatten() {
        let Some(relation) = names.get(oid) else { continue };
        let strongest = modes
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .max_by_key(|mode| MODES.iter().position(|known| known == mode));
        locks.insert(relation.name.clone(), strongest.unwrap_or("").to_owned());
    }
    let scans = found.get("scans").and_then(Value::as_array).into_iter().flatten();
    let mut full_scan: Vec<String> = scans
        .filter_map(|oid| names.get(&number(oid).to_string()))
        .filter(|relation| relation.bytes > 0)
        .map(|relation| relation.name.clone())
        .collect();
    full_scan.sort();
    let later = relations(&after);
    let moved = |kinds: &[&str]| -> Vec<String> {
        let mut found: Vec<String> = names
            .iter()
            .filter(|(oid, relation)| {
                kinds.contains(&relation.kind.as_str())
                    && later.get(*oid).is_some_and(|now| now.file != relation.file)
            })
            .map(|(_, relation)| relation.name.clone())
            .collect();
        found.sort();
        found
    };
    // What is made anew under the same name is not lost.
    let kept = |name: &Value| left.as_object().is_some_and(|l| l.values().any(|n| n == name));
    let mut lost: Vec<String> = objects
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, name)| left.get(key.as_str()).is_none() && !kept(name))
        .filter_map(|(_, name)| name.as_str().map(ToOwned::to_owned))
        .collect();
    lost.sort();
    let mut rewrite = moved(&["r", "m"]);
    // TRUNCATE gives a table a new file too, and writes nothing.
    let emptied: Vec<String> = rewrite
        .iter()
        .filter(|name| later.values().any(|now| now.name == **name && now.bytes == 0))
        .filter(|name| {
            let last = name.rsplit('.').next().unwrap_or(name);
            !during.contains(&format!("rewriting table \"{last}\""))
        })
        .cloned()
        .collect();
    rewrite.retain(|name| !emptied.contains(name));
    full_scan.retain(|name| !emptied.contains(name));
    let messages = builds(during);
    json!({"ok": true, "tx_ok": true, "locks": locks, "rewrite": rewrite,
        "index_rebuilt": moved(&["i"]), "full_scan": full_scan, "lost": lost,
        "emptied": emptied, "messages": messages})
}

/// Returns the messages that tell of work.
fn builds(during: &str) -> Vec<String> {
    during
        .lines()
        .filter_map(|line| line.split_once("DEBUG:  ").map(|(_, rest)| rest))
        .filter_map(|rest| rest.split_once(": ").map(|(_, message)| message))
        .filter(|message| {
            ["building", "rewriting", "verifying"].iter().any(|word| message.starts_with(word))
        })
        .filter(|message| !message.contains("\"pg_"))
        .map(|message| format!("DEBUG: {message}"))
        .collect()
}

/// Returns a number that JSON has as one or, as object numbers, as text.
fn number(value: &Value) -> u64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or(text).unwrap_or(0)
}

struct Seen {
    name: String,
    kind: String,
    file: u64,
    bytes: u64,
}

fn relations(value: &Value) -> BTreeMap<String, Seen> {
    let entries = value.as_object().into_iter().flatten();
    let part = |fields: &Value, at: usize| fields.get(at).cloned().unwrap_or_default();
    entries
        .map(|(oid, fields)| {
            let seen = Seen {
                name: part(fields, 0).as_str().unwrap_or("").to_owned(),
                kind: part(fields, 1).as_str().unwrap_or("").to_owned(),
                file: number(&part(fields, 2)),
                bytes: number(&part(fields, 3)),
            };
            (oid.clone(), seen)
        })
        .collect()
}
