//! Fixes to files: which statement goes where, and what the files are called.

use std::collections::BTreeSet;

use super::{Fix, Runs, Step};
use crate::sql::ast::StatementKind;
use crate::sql::{Convention, Migration, Span, TransactionMode, Version};

/// A migration and the fixes of its statements.
#[derive(Debug)]
pub struct FixedMigration<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// Its fixes, at most one a statement.
    pub fixes: Vec<Fix>,
}

/// A file with its new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// The path, beside the file the change comes from.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// The file was not there before.
    pub new: bool,
}

/// Returns the files that change and those that are added, in order.
///
/// `taken` are the versions of the folder: new files get versions that nobody has, right behind
/// their origin where there is room, else behind the last.
pub fn files(taken: &BTreeSet<Version>, fixed: &[FixedMigration<'_>]) -> Vec<FileEdit> {
    let mut taken = taken.clone();
    let mut edits = Vec::new();
    for one in fixed.iter().filter(|one| !one.fixes.is_empty() && can_split(one)) {
        let chunks = chunks(one);
        let mut version = one.migration.version.clone();
        for (number, chunk) in (1_usize..).zip(&chunks) {
            if number == 1 {
                edits.extend(first_file(one.migration, chunk));
                continue;
            }
            version = next_version(&version, &taken);
            taken.insert(version.clone());
            edits.extend(new_file(one.migration, chunk, &version, number));
        }
    }
    edits
}

/// Statements that share a file.
#[derive(Debug, Default)]
struct Chunk {
    text: String,
    /// It has at least one statement.
    filled: bool,
    /// It must run outside of a transaction.
    without_transaction: bool,
    /// A transaction is open behind its last statement.
    open: bool,
}

/// A file with its own BEGIN and COMMIT, or of a tool without a no-transaction marker, is left
/// alone when a fix needs more than one transaction.
fn can_split(one: &FixedMigration<'_>) -> bool {
    let migration = one.migration;
    let own = migration.up.statements.iter().any(|statement| {
        matches!(statement.kind, StatementKind::Transaction(_)) || !migration.up.others.is_empty()
    }) || !migration.up.section.reading.skipped.is_empty();
    let steps = || one.fixes.iter().flat_map(|fix| &fix.steps);
    let plain = steps().all(|step| step.runs == Runs::WithNeighbours);
    let outside = steps().any(|step| step.runs == Runs::WithoutTransaction);
    let marked = migration.transaction != TransactionMode::Wrapped
        || marker(migration.convention) != Marker::Impossible;
    plain || (!own && !migration.convention.keeps_a_list() && (marked || !outside))
}

fn chunks(one: &FixedMigration<'_>) -> Vec<Chunk> {
    let script = &one.migration.up;
    let mode = one.migration.transaction;
    let mut done: Vec<Chunk> = Vec::new();
    let mut chunk = Chunk::default();
    let mut from = script.section.range.start;
    for statement in &script.statements {
        let lead = script.slice(Span::new(from, statement.span.start));
        let as_is =
            Step { sql: script.slice(statement.span).to_owned(), runs: Runs::WithNeighbours };
        let fix = one.fixes.iter().find(|fix| fix.span == statement.span);
        let steps = fix.map_or_else(|| vec![as_is], |fix| fix.steps.clone());
        for (number, step) in steps.iter().enumerate() {
            if chunk.filled && splits(mode, &chunk, step) {
                done.push(std::mem::take(&mut chunk));
            }
            chunk.text.push_str(match number {
                0 if done.is_empty() || chunk.filled => lead,
                0 => lead.trim_start(),
                _ if chunk.filled => "\n\n",
                _ => "",
            });
            push(&mut chunk, step, mode);
        }
        from = after_semicolon(one.migration, statement.span.end);
    }
    chunk.text.push_str(script.slice(Span::new(from, script.section.range.end)));
    if !chunk.text.ends_with('\n') {
        chunk.text.push('\n');
    }
    done.push(chunk);
    done
}

fn splits(mode: TransactionMode, chunk: &Chunk, step: &Step) -> bool {
    match (mode, step.runs) {
        (TransactionMode::Unwrapped, _) => false,
        (TransactionMode::Grouped, Runs::InNewTransaction) => chunk.open,
        (TransactionMode::Grouped, Runs::WithNeighbours | Runs::WithoutTransaction) => false,
        (TransactionMode::Wrapped, Runs::WithoutTransaction) => true,
        (TransactionMode::Wrapped, Runs::InNewTransaction) => true,
        (TransactionMode::Wrapped, Runs::WithNeighbours) => chunk.without_transaction,
    }
}

fn push(chunk: &mut Chunk, step: &Step, mode: TransactionMode) {
    chunk.text.push_str(&step.sql);
    chunk.text.push(';');
    chunk.filled = true;
    chunk.open = step.runs != Runs::WithoutTransaction;
    chunk.without_transaction |=
        step.runs == Runs::WithoutTransaction && mode == TransactionMode::Wrapped;
}

/// Returns the place behind the semicolon that ends a statement.
fn after_semicolon(migration: &Migration, end: u32) -> u32 {
    let rest = migration.up.slice(Span::new(end, migration.up.section.range.end));
    let space = rest.len() - rest.trim_start().len();
    let semicolon = usize::from(rest.trim_start().starts_with(';'));
    let skipped = if semicolon == 1 { space + 1 } else { 0 };
    end + u32::try_from(skipped).unwrap_or(0)
}

/// How a convention says that a file runs outside of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    /// It has no way to say it.
    Impossible,
    /// It finds out by itself, or a file of one statement is never wrapped.
    NotNeeded,
    /// A first line of the file.
    FirstLine(&'static str),
    /// Words behind the line that begins the up section.
    UpLine(&'static str),
    /// A file beside it.
    Beside(&'static str, &'static str),
}

const fn marker(convention: Convention) -> Marker {
    match convention {
        Convention::Lockwise | Convention::Plain | Convention::Stdin => {
            Marker::FirstLine("-- lockwise:no-transaction\n")
        }
        Convention::Sqlx => Marker::FirstLine("-- no-transaction\n"),
        Convention::Goose => Marker::FirstLine("-- +goose NO TRANSACTION\n"),
        Convention::Atlas => Marker::FirstLine("-- atlas:txmode none\n\n"),
        Convention::Dbmate => Marker::UpLine(" transaction:false"),
        Convention::Diesel => Marker::Beside("metadata.toml", "run_in_transaction = false\n"),
        Convention::Flyway | Convention::Prisma | Convention::GolangMigrate => Marker::NotNeeded,
        Convention::Tern => Marker::FirstLine("---- tern: disable-tx ----\n"),
        Convention::Refinery
        | Convention::Rails
        | Convention::Pop
        | Convention::Graphile
        | Convention::Drizzle
        | Convention::Liquibase
        | Convention::Sqitch => Marker::Impossible,
    }
}

/// Returns the file that was there, with the first chunk in its up section.
fn first_file(migration: &Migration, chunk: &Chunk) -> Vec<FileEdit> {
    let source = &migration.up.section.source;
    let range = migration.up.section.range;
    let before = source.slice(Span::new(0, range.start));
    let length = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
    let after = source.slice(Span::new(range.end, length));
    let text = format!("{before}{}{after}", chunk.text);
    let path = source.path().to_owned();
    if !chunk.without_transaction || migration.marker.is_some() {
        return vec![FileEdit { path, text, new: false }];
    }
    marked(migration.convention, path, text, false)
}

/// Returns a file for a further chunk, with the frame that the convention wants.
fn new_file(
    migration: &Migration,
    chunk: &Chunk,
    version: &Version,
    number: usize,
) -> Vec<FileEdit> {
    let path = new_path(migration, version, number);
    let body = chunk.text.trim_start_matches(['\r', '\n']);
    let text = match migration.convention {
        Convention::Dbmate => format!("-- migrate:up\n{body}\n-- migrate:down\n"),
        Convention::Goose => format!("-- +goose Up\n{body}"),
        Convention::Lockwise
        | Convention::Sqlx
        | Convention::Refinery
        | Convention::Diesel
        | Convention::GolangMigrate
        | Convention::Flyway
        | Convention::Prisma
        | Convention::Atlas
        | Convention::Rails
        | Convention::Pop
        | Convention::Tern
        | Convention::Graphile
        | Convention::Drizzle
        | Convention::Liquibase
        | Convention::Sqitch
        | Convention::Plain
        | Convention::Stdin => body.to_owned(),
    };
    if chunk.without_transaction {
        return marked(migration.convention, path, text, true);
    }
    vec![FileEdit { path, text, new: true }]
}

fn marked(convention: Convention, path: String, text: String, new: bool) -> Vec<FileEdit> {
    match marker(convention) {
        Marker::Impossible | Marker::NotNeeded => vec![FileEdit { path, text, new }],
        Marker::FirstLine(line) => vec![FileEdit { path, text: format!("{line}{text}"), new }],
        Marker::UpLine(words) => {
            let up = "-- migrate:up";
            let text = text.replacen(up, &format!("{up}{words}"), 1);
            vec![FileEdit { path, text, new }]
        }
        Marker::Beside(name, content) => {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let beside =
                FileEdit { path: format!("{folder}/{name}"), text: content.to_owned(), new: true };
            vec![FileEdit { path, text, new }, beside]
        }
    }
}

/// Returns the path of a further file: the version and the name in it are replaced.
fn new_path(migration: &Migration, version: &Version, number: usize) -> String {
    let path = migration.up.section.source.path();
    let in_folder = matches!(migration.convention, Convention::Diesel | Convention::Prisma);
    let (head, tail) = if in_folder {
        path.rsplit_once('/').map_or(("", path), |(head, tail)| (head, tail))
    } else {
        (path, "")
    };
    let (folder, file) = head.rsplit_once('/').map_or(("", head), |(folder, file)| (folder, file));
    let old = written_version(file, migration.version.as_str());
    let renamed =
        if old.is_empty() { file.to_owned() } else { file.replacen(old, version.as_str(), 1) };
    let suffix = renamed.find('.').filter(|_| !in_folder).unwrap_or(renamed.len());
    // Flyway's versions have dots; its name begins behind two underscores.
    let name_at = renamed.find("__").unwrap_or(0);
    let suffix =
        renamed.get(name_at..).and_then(|rest| rest.find('.')).map_or(suffix, |at| name_at + at);
    let suffix = if in_folder { renamed.len() } else { suffix };
    let (stem, ending) = renamed.split_at(suffix);
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let tail = if tail.is_empty() { String::new() } else { format!("/{tail}") };
    format!("{folder}{stem}_step_{number}{ending}{tail}")
}

/// Returns the version as the name of a file or folder writes it: diesel leaves its dashes out,
/// and Flyway takes underscores for dots.
fn written_version<'f>(file: &'f str, version: &'f str) -> &'f str {
    if file.contains(version) {
        return version;
    }
    let digits = |text: &str| text.replace(['-', '_', '.'], "");
    let from = file.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let written = file.get(from..).unwrap_or("");
    let ends = written.char_indices().map(|(at, c)| at + c.len_utf8());
    let mut prefixes = ends.filter_map(|end| written.get(..end));
    prefixes.find(|prefix| digits(prefix) == digits(version)).unwrap_or(version)
}

/// Returns a version that nobody has: the next number where it is free and comes before the
/// version that follows, else the one behind the last.
fn next_version(version: &Version, taken: &BTreeSet<Version>) -> Version {
    let text = version.as_str();
    if text.is_empty() {
        return version.clone();
    }
    let next = increased(text);
    if let Some(next) = next.filter(|next| !taken.contains(next)) {
        return next;
    }
    let last = taken.last().and_then(|last| increased(last.as_str()));
    last.unwrap_or_else(|| Version::new(format!("{text}.1")))
}

/// Returns the version with its last number one higher, zeros in front kept.
fn increased(text: &str) -> Option<Version> {
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (head, number) = text.split_at_checked(text.len() - digits)?;
    let next = number.parse::<u64>().ok()?.checked_add(1)?;
    Some(Version::new(format!("{head}{next:0width$}", width = digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_keep_their_form() {
        let next = |text: &str, taken: &[&str]| {
            let taken = taken.iter().map(|text| Version::new(*text)).collect();
            next_version(&Version::new(text), &taken).as_str().to_owned()
        };
        assert_eq!(next("0042", &["0042"]), "0043");
        assert_eq!(next("0042", &["0042", "0043", "0044"]), "0045");
        assert_eq!(next("20240131120000", &["20240131120000"]), "20240131120001");
        assert_eq!(next("1.9", &["1.9"]), "1.10");
    }

    #[test]
    fn versions_are_found_as_they_are_written() {
        assert_eq!(written_version("2024-01-02-000000_a", "20240102000000"), "2024-01-02-000000");
        assert_eq!(written_version("V1_2__a_1.sql", "1.2"), "1_2");
        assert_eq!(written_version("0042_a.sql", "0042"), "0042");
    }
}
