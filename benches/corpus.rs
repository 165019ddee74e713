//! Reads every SQL file below the folders given and counts what is not understood.
//!
//! `cargo bench --bench corpus -- [--server postgres] [--show N] FOLDER…` prints files, statements,
//! unknown statements by reason, and how fast they were read, file access not counted.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lockwise::sql::ast::StatementKind;
use lockwise::sql::{Section, Server, ServerKind, Source, Span, parse};

/// What the command line asks for.
struct Options {
    server: Server,
    show: usize,
    dump: bool,
    folders: Vec<PathBuf>,
}

/// What was found.
#[derive(Default)]
struct Totals {
    files: usize,
    undecodable: usize,
    bytes: usize,
    statements: usize,
    others: usize,
    refused: usize,
    unknown: BTreeMap<String, Vec<String>>,
}

fn main() -> std::io::Result<()> {
    let options = options();
    let mut files = Vec::new();
    for folder in &options.folders {
        collect(folder, &mut files)?;
    }
    files.sort();
    let mut totals = Totals::default();
    let mut sections = Vec::new();
    for path in &files {
        match String::from_utf8(std::fs::read(path)?) {
            Ok(text) => sections.push(section(path, text)),
            Err(_) => totals.undecodable += 1,
        }
    }
    let start = Instant::now();
    let mut out = std::io::stdout().lock();
    for section in sections {
        totals.files += 1;
        totals.bytes += section.source.text().len();
        read(section, &options, &mut totals, &mut out)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    report(&totals, seconds, &options, &mut out)
}

fn options() -> Options {
    let server = Server::of(ServerKind::Postgres);
    let mut options = Options { server, show: 3, dump: false, folders: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo passes this to every bench.
            "--bench" => {}
            "--dump" => options.dump = true,
            "--server" => {
                let kind = arguments.next().and_then(|name| name.parse().ok());
                options.server = Server::of(kind.unwrap_or(ServerKind::Postgres));
            }
            "--show" => {
                options.show = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(3);
            }
            folder => options.folders.push(PathBuf::from(folder)),
        }
    }
    options
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "sql") {
        files.push(path.to_owned());
    }
    Ok(())
}

fn section(path: &Path, text: String) -> Section {
    let range = Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    let source = Source::new(path.display().to_string(), text);
    Section { source, range, reading: Default::default() }
}

fn read(
    section: Section,
    options: &Options,
    totals: &mut Totals,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let script = parse(section, options.server);
    totals.statements += script.statements.len();
    totals.others += script.others.len();
    for statement in &script.statements {
        if options.dump {
            let (path, span) = (script.section.source.path(), statement.span);
            let kind = format!("{:?}", statement.kind);
            writeln!(out, "{path}\t{}\t{}\t{kind}", span.start, span.end)?;
        }
        if let StatementKind::Dml(dml) = &statement.kind {
            totals.refused += usize::from(dml.query.refused.is_some());
        }
        if let StatementKind::Unknown { reason, at, .. } = &statement.kind {
            let place = at.unwrap_or(statement.span);
            let position = script.section.source.position(place.start);
            let path = script.section.source.path();
            let sql: String = script.slice(statement.span).chars().take(160).collect();
            let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            let example = format!("{path}:{}:{}: {sql}", position.line, position.column);
            totals.unknown.entry(reason.clone()).or_default().push(example);
        }
    }
    Ok(())
}

fn report(
    totals: &Totals,
    seconds: f64,
    options: &Options,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if options.dump {
        return Ok(());
    }
    let unknown: usize = totals.unknown.values().map(Vec::len).sum();
    let mut reasons: Vec<_> = totals.unknown.iter().collect();
    reasons.sort_by_key(|(_, examples)| std::cmp::Reverse(examples.len()));
    for (reason, examples) in reasons {
        writeln!(out, "{:6}  {reason}", examples.len())?;
        for example in examples.iter().take(options.show) {
            writeln!(out, "        {example}")?;
        }
    }
    let (files, statements, others) = (totals.files, totals.statements, totals.others);
    writeln!(out, "files       {files} ({} not UTF-8)", totals.undecodable)?;
    writeln!(out, "statements  {statements}, besides {others} client commands and data blocks")?;
    writeln!(out, "unknown     {unknown}")?;
    writeln!(out, "refused     {} queries read from their tokens alone", totals.refused)?;
    let megabytes = f64::from(u32::try_from(totals.bytes).unwrap_or(u32::MAX)) / 1e6;
    writeln!(
        out,
        "read        {megabytes:.1} MB in {seconds:.2} s, {:.1} MB/s",
        megabytes / seconds
    )
}
