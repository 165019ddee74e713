//! Spans and metrics of a run reach a collector; one that is not there stops nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::support::{Answer, Kind, Project};

/// Takes so many requests and returns their paths, headers and bodies.
fn collect(listener: &TcpListener, count: usize) -> Vec<(String, String, Value)> {
    (0..count)
        .map(|_| {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
            reader.get_mut().write_all(answer).unwrap();
            let path = head.split_whitespace().nth(1).unwrap().to_owned();
            (path, head, serde_json::from_slice(&body).unwrap())
        })
        .collect()
}

fn attribute<'v>(span: &'v Value, key: &str) -> Option<&'v Value> {
    let all = span["attributes"].as_array().unwrap();
    let found = all.iter().find(|one| one["key"] == key)?;
    found["value"].as_object().unwrap().values().next()
}

#[test]
fn a_collector_gets_a_span_for_each_statement() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (id integer PRIMARY KEY, n int);\n");
    project.write(
        "0002_b.sql",
        "INSERT INTO a (n) VALUES (1), (2), (3);\n\
         -- lockwise: batch key=id size=2 pause=0ms\nUPDATE a SET n = n + 1;\n",
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let collector = std::thread::spawn(move || collect(&listener, 2));
    let mut command = project.command(&["apply", "--yes"]);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}/"))
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=shop")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        .env("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let answer = Answer::of(&command.output().unwrap());
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    let requests = collector.join().unwrap();
    let (path, head, traces) = &requests[0];
    assert_eq!(path, "/v1/traces");
    assert!(head.contains("x-tenant: shop"), "{head}");
    let resource = &traces["resourceSpans"][0]["resource"];
    assert_eq!(attribute(resource, "service.name").unwrap(), "lockwise");
    assert_eq!(attribute(resource, "deployment.environment.name").unwrap(), "test");
    let spans = traces["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let names: Vec<&str> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "apply",
            "migration 0001",
            "migration 0001 statement 1",
            "migration 0002",
            "migration 0002 statement 1",
            "migration 0002 statement 2",
        ]
    );
    assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
    for span in spans {
        assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
        let time = |key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"), "{span}");
        assert_eq!(attribute(span, "db.system.name").unwrap(), "sqlite");
    }
    assert_eq!(spans[2]["parentSpanId"], spans[1]["spanId"]);
    assert_eq!(attribute(&spans[5], "lockwise.rows").unwrap(), "3");
    let (path, _, metrics) = &requests[1];
    assert_eq!(path, "/v1/metrics");
    let metrics = metrics["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let named = |name: &str| metrics.iter().find(|metric| metric["name"] == name).unwrap();
    let points = named("lockwise.step.work")["gauge"]["dataPoints"].as_array().unwrap();
    assert_eq!(points.len(), 3);
    assert_eq!(named("lockwise.migrations")["sum"]["dataPoints"][0]["asInt"], "2");
}

#[test]
fn a_failure_is_in_the_spans() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (n int);\n");
    project.expect(0, &["apply", "--yes"]);
    project.execute(&["INSERT INTO a VALUES (1), (1)"]);
    project.write("0002_b.sql", "CREATE UNIQUE INDEX a_n ON a (n);\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let collector = std::thread::spawn(move || collect(&listener, 2));
    let mut command = project.command(&["apply", "--yes"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"));
    let answer = Answer::of(&command.output().unwrap());
    assert_eq!(answer.code, Some(3), "{}", answer.all());
    let requests = collector.join().unwrap();
    let spans = &requests[0].2["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(spans[0]["status"]["code"], 2);
    assert!(spans[0]["status"]["message"].as_str().unwrap().contains("0002"), "{spans}");
}

#[test]
fn a_collector_that_is_not_there_is_a_warning() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (n int);\n");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (endpoint, why) in [
        (format!("http://127.0.0.1:{gone}"), "refused"),
        ("https://collector.example:4318".to_owned(), "run a collector beside lockwise"),
    ] {
        let mut command = project.command(&["apply", "--yes"]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        let answer = Answer::of(&command.output().unwrap());
        assert_eq!(answer.code, Some(0), "{}", answer.all());
        answer.says("telemetry was not sent").says(why);
        project.expect(0, &["rollback", "--steps", "1", "--yes"]);
    }
}

#[test]
fn the_log_is_text_or_json() {
    let project = Project::new(Kind::Sqlite);
    project.write("0001_a.sql", "CREATE TABLE a (n int);\n");
    let answer = project.expect(0, &["apply", "--yes", "-v", "--log", "json"]);
    let line = answer.stderr.lines().find(|line| line.starts_with('{')).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["level"], "INFO", "{line}");
    project.write("0002_b.sql", "CREATE TABLE b (n int);\n");
    project.expect(0, &["apply", "--yes", "-v"]).says("INFO").says("statement");
}
