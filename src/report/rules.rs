//! Rules: as a list, and one by one with everything its file says.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::table::Table;
use crate::rule::{Example, OptionValue, Rule, RuleInForce};
use crate::sql::ServerKind;

/// Writes a table of rules.
pub fn list(rules: &[&RuleInForce], colors: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&["RULE", "SEVERITY", "SERVERS", "WHAT IT FINDS"]);
    for rule in rules {
        let severity = if rule.enabled { rule.severity.as_str() } else { "off" };
        table.row(vec![
            rule.rule.id.clone(),
            severity.to_owned(),
            servers(&rule.rule),
            rule.rule.title.clone(),
        ]);
    }
    table.write(out, "", colors)
}

fn servers(rule: &Rule) -> String {
    if rule.servers.len() == ServerKind::ALL.len() {
        return "all".to_owned();
    }
    let names: Vec<&str> = rule.servers.iter().map(|server| server.as_str()).collect();
    names.join(", ")
}

/// Writes rules as JSON.
pub fn list_json(rules: &[&RuleInForce], out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<Value> = rules.iter().map(|rule| value(rule)).collect();
    serde_json::to_writer(&mut *out, &json!({ "format": 1, "rules": rules }))?;
    writeln!(out)
}

fn value(in_force: &RuleInForce) -> Value {
    let rule = &in_force.rule;
    json!({
        "id": rule.id,
        "since": rule.since,
        "severity": in_force.severity.as_str(),
        "enabled": in_force.enabled,
        "policy": rule.policy,
        "servers": rule.servers.iter().map(|server| server.as_str()).collect::<Vec<_>>(),
        "title": rule.title,
        "why": rule.why,
        "instead": &*rule.instead,
        "aliases": rule.aliases,
        "known_as": rule.known_as,
        "options": in_force
            .options
            .iter()
            .map(|(name, value)| (name.clone(), option(value)))
            .collect::<serde_json::Map<String, Value>>(),
    })
}

fn option(value: &OptionValue) -> Value {
    match value {
        OptionValue::Number(number) => json!(number),
        OptionValue::Text(text) => json!(text),
        OptionValue::List(list) => json!(list),
    }
}

/// Writes everything about one rule.
pub fn explain(in_force: &RuleInForce, colors: bool, out: &mut dyn Write) -> io::Result<()> {
    let rule = &in_force.rule;
    let (bold, dim, reset) = if colors { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let state = match (in_force.enabled, rule.policy) {
        (true, _) => in_force.severity.as_str(),
        (false, true) => "off until switched on",
        (false, false) => "off",
    };
    writeln!(out, "{bold}{}{reset}", rule.title)?;
    writeln!(out, "{} ({state}; {}; since {})\n", rule.id, servers(rule), rule.since)?;
    writeln!(out, "{}\n", rule.why.trim())?;
    writeln!(out, "{bold}Instead{reset}\n{}", indented(&rule.instead))?;
    if !in_force.options.is_empty() {
        writeln!(out, "\n{bold}Options{reset} (in lockwise.toml: [rule.{}.options])", rule.id)?;
        for (name, value) in &in_force.options {
            writeln!(out, "  {name} = {}", option(value))?;
        }
    }
    for example in &rule.examples {
        writeln!(out, "\n{bold}Example: {}{reset}", example.name)?;
        for (label, sql) in parts(example) {
            writeln!(out, "  {dim}{label}:{reset}\n{}", indented(&indented(sql)))?;
        }
    }
    if !rule.known_as.is_empty() {
        writeln!(out, "\nKnown elsewhere as {}.", rule.known_as.join(", "))?;
    }
    if !rule.aliases.is_empty() {
        writeln!(out, "\nFormerly {}.", rule.aliases.join(", "))?;
    }
    let id = &rule.id;
    writeln!(out, "\nTo accept one place, write above it: -- lockwise: allow {id}: <reason>")
}

/// Writes one rule as JSON, with its examples.
pub fn explain_json(in_force: &RuleInForce, out: &mut dyn Write) -> io::Result<()> {
    let examples: Vec<Value> = in_force
        .rule
        .examples
        .iter()
        .map(|example| {
            json!({
                "name": example.name,
                "given": example.given,
                "bad": example.bad,
                "good": example.good,
            })
        })
        .collect();
    let mut rule = value(in_force);
    if let Some(object) = rule.as_object_mut() {
        object.insert("examples".to_owned(), json!(examples));
    }
    serde_json::to_writer(&mut *out, &json!({ "format": 1, "rule": rule }))?;
    writeln!(out)
}

fn parts(example: &Example) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("given", example.given.as_deref()),
        ("found in", example.bad.as_deref()),
        ("fine", example.good.as_deref()),
    ]
    .into_iter()
    .filter_map(|(label, sql)| sql.map(|sql| (label, sql)))
}

fn indented(text: &str) -> String {
    let lines: Vec<String> =
        text.trim_end().lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    lines.join("\n")
}
