//! Spans and metrics of a run as OpenTelemetry's OTLP in JSON.
//!
//! The form is that of opentelemetry-proto 1.x with its JSON mapping: identifiers in hexadecimal,
//! 64-bit numbers as texts. Pure: whoever sends it gives the identifiers.

use serde_json::{Value, json};

use crate::apply::{Span, SpanKind};

/// Who speaks, and of what.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// Attributes of the resource: `service.name` and what the environment adds.
    pub resource: Vec<(String, String)>,
    /// Attributes of every span: the database, the run.
    pub about: Vec<(String, String)>,
    /// 32 hexadecimal digits.
    pub trace: String,
    /// 16 hexadecimal digits for each span.
    pub spans: Vec<String>,
    /// The span of whoever called lockwise; empty where nobody said.
    pub parent: String,
}

/// Returns the request for `/v1/traces`.
pub fn traces(spans: &[Span], speaker: &Speaker) -> Value {
    let id = |at: usize| speaker.spans.get(at).cloned().unwrap_or_default();
    let all: Vec<Value> = spans
        .iter()
        .enumerate()
        .map(|(at, span)| {
            let parent = span.parent.map_or_else(|| speaker.parent.clone(), id);
            let status = match &span.error {
                Some(error) => json!({ "code": 2, "message": error }),
                None => json!({ "code": 1 }),
            };
            json!({
                "traceId": speaker.trace,
                "spanId": id(at),
                "parentSpanId": parent,
                "name": name(span),
                // A statement is a call of the database.
                "kind": if span.kind == SpanKind::Step { 3 } else { 1 },
                "startTimeUnixNano": span.start.to_string(),
                "endTimeUnixNano": span.end.to_string(),
                "attributes": attributes(span, speaker),
                "status": status,
            })
        })
        .collect();
    json!({ "resourceSpans": [{
        "resource": resource(speaker),
        "scopeSpans": [{ "scope": scope(), "spans": all }],
    }] })
}

/// Returns the request for `/v1/metrics`: one point a statement, and sums of the run.
pub fn metrics(spans: &[Span], speaker: &Speaker) -> Value {
    let steps = || spans.iter().filter(|span| span.kind == SpanKind::Step);
    let took = |span: &Span| span.end.saturating_sub(span.start) / 1_000_000;
    let points = |value: &dyn Fn(&Span) -> u64| -> Vec<Value> {
        let point = |span: &Span| {
            json!({
                "attributes": attributes(span, speaker),
                "startTimeUnixNano": span.start.to_string(),
                "timeUnixNano": span.end.to_string(),
                "asInt": value(span).to_string(),
            })
        };
        steps().map(point).collect()
    };
    let gauge = |name: &str, unit: &str, text: &str, value: &dyn Fn(&Span) -> u64| {
        json!({
            "name": name, "unit": unit, "description": text,
            "gauge": { "dataPoints": points(value) },
        })
    };
    let waited = |span: &Span| span.lock_wait_ms;
    let work = |span: &Span| took(span).saturating_sub(span.lock_wait_ms);
    let retries = |span: &Span| span.retries;
    let rows = |span: &Span| span.rows;
    json!({ "resourceMetrics": [{
        "resource": resource(speaker),
        "scopeMetrics": [{ "scope": scope(), "metrics": [
            gauge("lockwise.step.lock_wait", "ms", "How long a statement waited for locks", &waited),
            gauge("lockwise.step.work", "ms", "How long a statement worked", &work),
            gauge("lockwise.step.retries", "1", "Attempts beyond the first", &retries),
            gauge("lockwise.step.rows", "1", "Rows changed in batches", &rows),
            total(spans, speaker),
        ] }],
    }] })
}

/// The number of migrations that were applied and failed.
fn total(spans: &[Span], speaker: &Speaker) -> Value {
    let Some(run) = spans.first() else { return Value::Null };
    let migrations = || spans.iter().filter(|span| span.kind == SpanKind::Migration);
    let point = |outcome: &str, failed: bool| {
        let count = migrations().filter(|span| span.error.is_some() == failed).count();
        let mut all = pairs(&speaker.about);
        all.push(pair("outcome", outcome));
        json!({
            "attributes": all,
            "startTimeUnixNano": run.start.to_string(),
            "timeUnixNano": run.end.to_string(),
            "asInt": count.to_string(),
        })
    };
    json!({
        "name": "lockwise.migrations", "unit": "1", "description": "Migrations of the run",
        // 1: the sum of this run alone.
        "sum": {
            "aggregationTemporality": 1, "isMonotonic": true,
            "dataPoints": [point("done", false), point("failed", true)],
        },
    })
}

fn name(span: &Span) -> String {
    match span.kind {
        SpanKind::Run => span.what.clone(),
        SpanKind::Migration => format!("migration {}", span.version),
        SpanKind::Step => format!("migration {} statement {}", span.version, span.step),
    }
}

fn attributes(span: &Span, speaker: &Speaker) -> Vec<Value> {
    let mut all = pairs(&speaker.about);
    match span.kind {
        SpanKind::Run => {}
        SpanKind::Migration => {
            all.push(pair("lockwise.migration", &span.version));
            all.push(pair("lockwise.name", &span.what));
        }
        SpanKind::Step => {
            all.push(pair("lockwise.migration", &span.version));
            all.push(number("lockwise.step", span.step as u64));
            all.push(pair("db.query.summary", &span.what));
            all.push(number("lockwise.lock_wait_ms", span.lock_wait_ms));
            all.push(number("lockwise.retries", span.retries));
            if span.rows > 0 {
                all.push(number("lockwise.rows", span.rows));
            }
        }
    }
    all
}

fn resource(speaker: &Speaker) -> Value {
    json!({ "attributes": pairs(&speaker.resource) })
}

fn scope() -> Value {
    json!({ "name": "lockwise", "version": env!("CARGO_PKG_VERSION") })
}

fn pairs(all: &[(String, String)]) -> Vec<Value> {
    all.iter().map(|(key, value)| pair(key, value)).collect()
}

fn pair(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn number(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}
