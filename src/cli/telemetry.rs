//! Sends spans and metrics of a run to an OpenTelemetry collector, when an endpoint is set.
//!
//! OTLP over HTTP with JSON, to `http://` endpoints: a collector beside the process takes it from
//! there. A collector that does not answer is a warning; the run is what counts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::console::Console;
use crate::apply::{Progress, Span, Trace};
use crate::report::otlp::{Speaker, metrics, traces};

/// The environment variables that say where to, by OpenTelemetry's specification.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Hears a run; remembers what it tells where somebody wants to know.
pub(super) struct Telemetry {
    trace: Option<Trace>,
    about: Vec<(String, String)>,
}

impl Telemetry {
    /// Begins a run, if an endpoint is set.
    pub(super) fn begin(what: &str, about: Vec<(String, String)>) -> Self {
        let off = variable("OTEL_SDK_DISABLED").is_some_and(|word| word == "true");
        let wanted = !off && ["TRACES", "METRICS"].iter().any(|signal| endpoint(signal).is_some());
        Self { trace: wanted.then(|| Trace::begin(what, now())), about }
    }

    /// Hears what goes on.
    pub(super) fn hear(&mut self, progress: &Progress) {
        log(progress);
        if let Some(trace) = &mut self.trace {
            trace.hear(progress, now());
        }
    }

    /// Ends the run and sends what was heard.
    pub(super) async fn finish(self, error: Option<&str>, console: &mut Console) {
        let Some(trace) = self.trace else { return };
        let spans = trace.finish(error, now());
        let speaker = speaker(&spans, self.about);
        let requests = [
            ("TRACES", "v1/traces", traces(&spans, &speaker)),
            ("METRICS", "v1/metrics", metrics(&spans, &speaker)),
        ];
        for (signal, path, body) in requests {
            let Some(to) = endpoint(signal) else { continue };
            let url = match to {
                Endpoint::Own(url) => url,
                Endpoint::Base(base) => format!("{}/{path}", base.trim_end_matches('/')),
            };
            if let Err(why) = post(&url, &body).await {
                console.warn(&format!("telemetry was not sent to {}: {why}", shown(&url)));
            }
        }
    }
}

/// Where a signal goes.
enum Endpoint {
    /// The URL as it is.
    Own(String),
    /// The path is to be added.
    Base(String),
}

fn endpoint(signal: &str) -> Option<Endpoint> {
    let own = variable(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")).map(Endpoint::Own);
    own.or_else(|| variable(ENDPOINT).map(Endpoint::Base))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Says who speaks: names from the environment, identifiers by chance.
fn speaker(spans: &[Span], about: Vec<(String, String)>) -> Speaker {
    let mut resource = list("OTEL_RESOURCE_ATTRIBUTES");
    let name = variable("OTEL_SERVICE_NAME");
    if name.is_some() || resource.iter().all(|(key, _)| key != "service.name") {
        resource.retain(|(key, _)| key != "service.name");
        resource.push(("service.name".to_owned(), name.unwrap_or_else(|| "lockwise".to_owned())));
    }
    // W3C Trace Context: 00-<trace>-<span>-<flags>.
    let caller = variable("TRACEPARENT").unwrap_or_default();
    let mut parts = caller.split('-').skip(1);
    let hex = |text: &&str, length| text.len() == length && u128::from_str_radix(text, 16).is_ok();
    let trace = parts.next().filter(|text| hex(text, 32));
    let parent = parts.next().filter(|text| hex(text, 16)).filter(|_| trace.is_some());
    Speaker {
        resource,
        about,
        trace: trace.map_or_else(|| format!("{:032x}", fastrand::u128(1..)), str::to_owned),
        spans: spans.iter().map(|_| format!("{:016x}", fastrand::u64(1..))).collect(),
        parent: parent.unwrap_or_default().to_owned(),
    }
}

/// Reads `key=value,key=value`.
fn list(name: &str) -> Vec<(String, String)> {
    let text = variable(name).unwrap_or_default();
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// Returns a URL without a user and password.
fn shown(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, address)| address)
}

/// Posts a body and makes sure that it was taken.
async fn post(url: &str, body: &Value) -> Result<(), String> {
    let rest = url.strip_prefix("http://").ok_or(
        "only http:// endpoints are spoken to: run a collector beside lockwise that takes it \
         further",
    )?;
    let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = address.rsplit_once('@').map_or(address, |(_, host)| host);
    let named = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Connection: close\r\n"
    );
    for (key, value) in list("OTEL_EXPORTER_OTLP_HEADERS") {
        head.push_str(&format!("{key}: {value}\r\n"));
    }
    let body = body.to_string();
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let limit = variable("OTEL_EXPORTER_OTLP_TIMEOUT").and_then(|text| text.parse().ok());
    let limit = Duration::from_millis(limit.unwrap_or(10_000));
    let exchange = async {
        let mut stream = TcpStream::connect(&named).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        let mut answer = Vec::new();
        // The status line says it all.
        stream.take(64).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = tokio::time::timeout(limit, exchange).await;
    let answer = answer.map_err(|_| "no answer in time".to_owned())?;
    let answer = answer.map_err(|error| error.to_string())?;
    let status = answer.split_whitespace().nth(1).unwrap_or("");
    if status.starts_with('2') { Ok(()) } else { Err(format!("it answered {}", line(&answer))) }
}

fn line(answer: &str) -> &str {
    answer.lines().next().unwrap_or("nothing")
}

/// Writes to the log what goes on, for `-v`.
fn log(progress: &Progress) {
    match progress {
        Progress::Migration { version, name, .. } => tracing::info!(version, name, "migration"),
        Progress::Step { step, of, sql } => tracing::info!(step, of, sql, "statement"),
        Progress::Blocked { by, waited_ms } => {
            tracing::info!(waited_ms, by = by.join(" | "), "waiting for a lock");
        }
        Progress::Retry { attempt, pause_ms, error } => {
            tracing::warn!(attempt, pause_ms, error, "trying again");
        }
        Progress::Batch { rows, batches, .. } => tracing::debug!(rows, batches, "batch"),
        Progress::WaitingForReplica { who, .. } => tracing::info!(who, "waiting for a replica"),
        Progress::Working { phase, percent } => tracing::debug!(phase, percent, "working"),
        Progress::CleanedUp { what } => tracing::warn!(what, "removed an invalid index"),
        Progress::Recovered { step } => tracing::warn!(step, "found done after a crash"),
        Progress::Ended { who, .. } => tracing::warn!(who, "ended what was in the way"),
        Progress::Done { version, took_ms } => tracing::info!(version, took_ms, "done"),
        Progress::WaitingForRun { holder } => tracing::info!(holder, "waiting for another run"),
        Progress::Resuming { plan } => tracing::info!(plan, "going on"),
    }
}
