//! Records the worlds of `testdata/servers/postgres/worlds`.

use serde_json::{Map, Value, json};

use crate::grouped;
use crate::recorded::worlds::{NAMES, World, folder, world};
use crate::server::tried;

/// Records the worlds that are named.
pub(crate) fn record(servers: &[(u64, String)], wanted: &str) {
    let named = |name: &str| wanted == "all" || wanted.split(',').any(|wanted| wanted == name);
    for name in NAMES.iter().filter(|name| named(name)) {
        let world = world(name);
        let lines = recorded(&world, servers);
        std::fs::write(folder().join(format!("{name}.jsonl")), lines).expect("a file to write");
    }
}

/// Returns the results of all statements; those with the same share a line.
fn recorded(world: &World, servers: &[(u64, String)]) -> String {
    let columns: Vec<Vec<Value>> = std::thread::scope(|scope| {
        let run = |server: &(u64, String)| tried(world, &server.1).iter().map(brief).collect();
        let threads: Vec<_> =
            servers.iter().map(|server| scope.spawn(move || run(server))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a recording")).collect()
    });
    let mut rows: Vec<(Value, Vec<&String>)> = Vec::new();
    for (at, statement) in world.statements.iter().enumerate() {
        let of_versions = servers.iter().zip(&columns);
        let results =
            of_versions.filter_map(|((version, _), all)| Some((*version, all.get(at)?.clone())));
        let results = Value::Array(grouped(results));
        match rows.iter_mut().find(|(known, _)| *known == results) {
            Some((_, statements)) => statements.push(statement),
            None => rows.push((results, vec![statement])),
        }
    }
    rows.iter()
        .map(|(results, sql)| json!({"results": results, "sql": sql}).to_string() + "\n")
        .collect()
}

/// Leaves out what says nothing: lists without entries, and that a statement succeeds.
fn brief(result: &Value) -> Value {
    let empty = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Null | Value::Bool(_) => true,
        Value::Number(_) | Value::String(_) => false,
    };
    let fields = result.as_object().into_iter().flatten();
    let kept = fields.filter(|(_, value)| !empty(value));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}
