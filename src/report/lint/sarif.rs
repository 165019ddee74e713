//! SARIF 2.1.0, as code scanning reads it, with the rules' own texts as help.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::{Value, json};

use super::{LintReport, Place, one_line};
use crate::rule::{Finding, Rule, RuleInForce, Severity};
use crate::sql::Span;

pub(super) fn write(report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    // Rules that found nothing would only make the file longer.
    let found: BTreeSet<&str> = report.findings.iter().map(|f| f.rule.as_str()).collect();
    let rules: Vec<&RuleInForce> =
        report.rules.iter().filter(|rule| found.contains(rule.rule.id.as_str())).collect();
    let index: BTreeMap<&str, usize> =
        rules.iter().enumerate().map(|(index, rule)| (rule.rule.id.as_str(), index)).collect();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let print = finding.fingerprint();
            let count = seen.entry(print.clone()).or_default();
            *count += 1;
            result(finding, index.get(finding.rule.as_str()).copied(), &format!("{count} {print}"))
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lockwise",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<Value>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {
                "server": report.server.kind.as_str(),
                "serverVersion": report.server.version.to_string(),
            },
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

const fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn descriptor(in_force: &RuleInForce) -> Value {
    let rule = &in_force.rule;
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": one_line(&rule.why) },
        "help": { "text": help(rule), "markdown": help_markdown(rule) },
        "defaultConfiguration": { "level": level(in_force.severity) },
        "properties": {
            "tags": rule.servers.iter().map(|server| server.as_str()).collect::<Vec<_>>(),
            "precision": "high",
        },
    })
}

fn help(rule: &Rule) -> String {
    format!("{}\n\nInstead: {}", one_line(&rule.why), one_line(&rule.instead))
}

fn help_markdown(rule: &Rule) -> String {
    let mut text = format!("{}\n\n**Instead:** {}\n", one_line(&rule.why), one_line(&rule.instead));
    let example = rule.examples.iter().find(|example| example.bad.is_some());
    if let Some(bad) = example.and_then(|example| example.bad.as_deref()) {
        text.push_str(&format!("\nFound in:\n\n```sql\n{}\n```\n", bad.trim()));
    }
    if let Some(good) = example.and_then(|example| example.good.as_deref()) {
        text.push_str(&format!("\nWrite:\n\n```sql\n{}\n```\n", good.trim()));
    }
    text
}

fn result(finding: &Finding, rule_index: Option<usize>, fingerprint: &str) -> Value {
    let mut text = finding.message.clone();
    if let Some(fact) = &finding.fact {
        text.push_str(&format!("\nEffect: {fact}"));
    }
    text.push_str(&format!("\nInstead: {}", one_line(&finding.instead)));
    let related: Vec<Value> = finding
        .also
        .iter()
        .map(|note| {
            let mut location = location(finding, note.span);
            if let Some(object) = location.as_object_mut() {
                let text = format!("{} ({})", note.message, note.rule);
                object.insert("message".to_owned(), json!({ "text": text }));
            }
            location
        })
        .collect();
    let mut value = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [location(finding, finding.span)],
        "relatedLocations": related,
        "partialFingerprints": { "lockwise/v1": fingerprint },
    });
    if let (Some(index), Some(object)) = (rule_index, value.as_object_mut()) {
        object.insert("ruleIndex".to_owned(), json!(index));
    }
    if let (Some(title), Some(replacement), Some(object)) =
        (finding.fix, &finding.replacement, value.as_object_mut())
    {
        let change = json!({
            "artifactLocation": { "uri": uri(finding.source.path()) },
            "replacements": [{
                "deletedRegion": region(finding, replacement.span),
                "insertedContent": { "text": replacement.text },
            }],
        });
        let fix = json!({ "description": { "text": title }, "artifactChanges": [change] });
        object.insert("fixes".to_owned(), json!([fix]));
    }
    value
}

fn location(finding: &Finding, span: Span) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(finding.source.path()) },
        "region": region(finding, span),
    }})
}

fn region(finding: &Finding, span: Span) -> Value {
    let place = Place::of(&finding.source, span);
    json!({
        "startLine": place.start.line,
        "startColumn": place.start.column,
        "endLine": place.end.line,
        "endColumn": place.end.column,
    })
}

/// Writes a path as a URI: relative ones stay relative to the repository.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' | b'+' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    if path.starts_with('/') { format!("file://{uri}") } else { uri }
}
