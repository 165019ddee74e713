//! Runs statements on a server through psql, and reads from it what they did.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::recorded::worlds::World;

/// Drops everything that a case may have made.
const CLEAN: &str = r"
SET client_min_messages = error;
SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec
CREATE SCHEMA public;
SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication \gexec
SELECT format('DROP FOREIGN DATA WRAPPER %I CASCADE', fdwname) FROM pg_foreign_data_wrapper WHERE oid >= 16384 \gexec
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
 'scans', (SELECT json_object_agg(relid, seq_scan) FROM pg_stat_xact_all_tables
   WHERE seq_scan > 0));
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
   || CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname || '.' || o.conname
 FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE o.conrelid >= 16384
   AND o.contype IN ('c','f','p','u','x')
 UNION ALL
 SELECT 't' || t.oid, 'trigger '
   || CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname || '.' || t.tgname
 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal
 UNION ALL
 SELECT 'p' || p.oid, 'policy '
   || CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname || '.' || p.polname
 FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 UNION ALL
 SELECT 's' || s.oid, 'statistics '
   || CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || s.stxname
 FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace) all_objects;
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

/// Runs a script through psql. Returns what it prints and what it says beside.
fn psql(url: &str, script: String) -> (String, String) {
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
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Runs one case, with its setup before it.
pub(crate) fn attempt(case: &Value, url: &str, transaction: bool) -> Value {
    let text = |field: &str| case.get(field).and_then(Value::as_str).unwrap_or("");
    let (setup, session) = (text("setup_sql"), text("session_sql"));
    let sql = text("sql").trim_end().trim_end_matches(';');
    let (begin, end) = if transaction { ("BEGIN;", "ROLLBACK;") } else { ("", "") };
    let script = format!(
        "{CLEAN}\n\\warn @@setup\nSET client_min_messages = warning;\n{setup};\n\\connect -\nSET client_min_messages = warning;\n{session};\n\\echo @@before\n{RELATIONS}\\echo @@objects\n{OBJECTS}\\echo @@already\n{SEEN}\\warn @@run\n{begin}\nSET client_min_messages = debug1;\n{sql};\nSET client_min_messages = warning;\n\\warn @@end\n\\echo @@seen\n{SEEN}\\echo @@after\n{RELATIONS}\\echo @@left\n{OBJECTS}\\echo @@done\n{end}\n"
    );
    let (stdout, stderr) = psql(url, script);
    if let Some((state, message)) = error(section(&stderr, "@@setup", "@@run")) {
        return json!({"ok": false, "setup_failed": true, "sqlstate": state, "error": message});
    }
    let before = Before::read(&stdout);
    seen(&before, sql, &stdout, section(&stderr, "@@run", "@@end"))
}

/// How many statements of a world one psql runs.
const SCRIPT: usize = 250;

/// Runs the statements of a world, each in a transaction that is rolled back and in a session of
/// its own: one that has used a partition knows its bound, and locks the table above it no more.
pub(crate) fn tried(world: &World, url: &str) -> Vec<Value> {
    let setup = format!(
        "{CLEAN}\n\\warn @@setup\nSET client_min_messages = warning;\n{}\n\\warn @@run\n\\echo @@before\n{RELATIONS}\\echo @@objects\n{OBJECTS}\\echo @@seen\n",
        world.setup
    );
    let (stdout, stderr) = psql(url, setup);
    let failed = error(section(&stderr, "@@setup", "@@run"));
    assert!(failed.is_none(), "the world {} is not made: {failed:?}", world.name);
    let before = Before::read(&stdout);
    let mut results = Vec::new();
    for part in world.statements.chunks(SCRIPT) {
        let mut script = String::new();
        for sql in part {
            // A time zone with summer time: what depends on it shows.
            script.push_str(&format!(
                "\\connect -\nSET timezone = 'Europe/Vienna';\n\\echo @@case\n\\warn @@case\nBEGIN;\n\\echo @@already\n{SEEN}SET LOCAL client_min_messages = debug1;\n\\o /dev/null\n{sql};\n\\o\n\\warn @@end\nSET LOCAL client_min_messages = warning;\n\\echo @@seen\n{SEEN}\\echo @@after\n{RELATIONS}\\echo @@left\n{OBJECTS}\\echo @@done\nROLLBACK;\n"
            ));
        }
        let (stdout, stderr) = psql(url, script);
        let cases =
            part.iter().zip(stdout.split("@@case\n").skip(1)).zip(stderr.split("@@case\n").skip(1));
        let found =
            cases.map(|((sql, out), err)| seen(&before, sql, out, section(err, "", "@@end")));
        results.extend(found);
    }
    assert_eq!(results.len(), world.statements.len(), "a script of {} ended early", world.name);
    results
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

/// What was there before a statement.
struct Before {
    relations: BTreeMap<String, Seen>,
    objects: Value,
}

impl Before {
    fn read(stdout: &str) -> Self {
        let relations = relations(&parsed(section(stdout, "@@before", "@@objects")));
        let objects = parsed(section(stdout, "@@objects", "@@seen"));
        Self { relations, objects }
    }
}

/// Returns the strongest lock on each relation.
fn strongest(found: &Value, names: &BTreeMap<String, Seen>) -> BTreeMap<String, String> {
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
    locks
}

/// Returns what a statement did: what psql printed after it, and said while it ran.
fn seen(before: &Before, sql: &str, stdout: &str, during: &str) -> Value {
    if let Some((state, message)) = error(during) {
        return json!({"ok": false, "sqlstate": state, "error": message});
    }
    let Before { relations: names, objects } = before;
    let after = parsed(section(stdout, "@@after", "@@left"));
    let found = parsed(section(stdout, "@@seen", "@@after"));
    let left = parsed(section(stdout, "@@left", "@@done"));
    let locks = strongest(&found, names);
    // A session counts on until it tells the whole server.
    let already = parsed(section(stdout, "@@already", "@@seen"));
    let count = |seen: &Value, oid: &str| {
        seen.get("scans").and_then(|scans| scans.get(oid)).map_or(0, number)
    };
    let scans = found.get("scans").and_then(Value::as_object).into_iter().flatten();
    let mut full_scan: Vec<String> = scans
        .filter(|(oid, scans)| number(scans) > count(&already, oid))
        .filter_map(|(oid, _)| names.get(oid))
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
        .filter(|name| {
            let empty = later.values().any(|now| now.name == **name && now.bytes == 0);
            empty || sql.to_ascii_uppercase().contains("TRUNCATE")
        })
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
