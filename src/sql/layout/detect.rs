//! Which convention the files of a folder follow.

use super::name::{Direction, FileName, Prefix, Separator};
use super::sections::{goose_words, is_dbmate_marker, is_tern_divider, lines};
use crate::sql::migration::Convention;
use crate::sql::source::Source;

/// What the detection sees of one SQL file.
pub(super) struct Evidence<'a> {
    /// The file's own name.
    pub(super) file: &'a str,
    /// Its parts.
    pub(super) name: FileName<'a>,
    /// Its text.
    pub(super) source: &'a Source,
}

/// What stands beside the SQL files.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surroundings {
    /// `atlas.sum`
    pub(super) atlas_sum: bool,
    /// `meta/_journal.json`
    pub(super) drizzle_journal: bool,
    /// `sqitch.plan`
    pub(super) sqitch_plan: bool,
    /// The folder is `db/migrate`.
    pub(super) rails: bool,
}

/// Returns the convention of files that stand together.
pub(super) fn detect(files: &[Evidence<'_>], beside: Surroundings) -> Convention {
    let any = |of: fn(&Evidence<'_>) -> bool| files.iter().any(of);
    if any(|file| file.file == "migration.sql") {
        return Convention::Prisma;
    }
    if any(|file| file.file == "up.sql") {
        return Convention::Diesel;
    }
    if beside.sqitch_plan {
        return Convention::Sqitch;
    }
    // The names decide in most folders; the texts are read only as far as the markers stand.
    let marked = files.iter().find_map(|file| marker(file.source.text()));
    if let Some(convention) = marked {
        return convention;
    }
    by_name(files, beside)
}

/// Returns the tool whose marker stands in a text.
fn marker(text: &str) -> Option<Convention> {
    if text.starts_with("-- no-transaction")
        || text.starts_with("-- Add migration script here")
        || text.starts_with("-- Add up migration script here")
    {
        return Some(Convention::Sqlx);
    }
    // Markers are comments, and most files have none worth looking at line by line.
    if ![
        "+goose",
        "migrate:up",
        "tern:",
        "create above",
        "--! ",
        "statement-breakpoint",
        "iquibase",
    ]
    .iter()
    .any(|word| text.contains(word))
    {
        return None;
    }
    lines(text).find_map(|line| {
        let text = line.text;
        if goose_words(text).is_some() {
            Some(Convention::Goose)
        } else if is_dbmate_marker(text) {
            Some(Convention::Dbmate)
        } else if is_tern_divider(text) || text.trim() == "---- tern: disable-tx ----" {
            Some(Convention::Tern)
        } else if text.starts_with("--! Previous:") || text.starts_with("--! no-transaction") {
            Some(Convention::Graphile)
        } else if text.contains("--> statement-breakpoint") {
            Some(Convention::Drizzle)
        } else if super::changelog::is_liquibase_header(text) {
            Some(Convention::Liquibase)
        } else {
            None
        }
    })
}

fn by_name(files: &[Evidence<'_>], beside: Surroundings) -> Convention {
    let count = |of: fn(&FileName<'_>) -> bool| files.iter().filter(|file| of(&file.name)).count();
    let most = |number: usize| number * 2 > files.len();
    let directed = count(|name| name.direction != Direction::Untold && !name.version.is_empty());
    let ups = count(|name| name.direction == Direction::Up && !name.version.is_empty());
    let double = count(|name| name.separator == Separator::Double);
    let numbered = count(|name| !name.version.is_empty() && name.prefix == Prefix::None);
    let pop = count(|name| name.dialect.is_some() || name.autocommit || name.version.len() == 20);
    if ups > 0 && most(directed) {
        let pop = pop > 0 && count(|name| name.prefix != Prefix::None) == 0;
        return if pop { Convention::Pop } else { Convention::GolangMigrate };
    }
    if most(double) {
        return Convention::Flyway;
    }
    if beside.atlas_sum {
        return Convention::Atlas;
    }
    if beside.drizzle_journal {
        return Convention::Drizzle;
    }
    if most(numbered) {
        let underscores = count(|name| {
            matches!(name.separator, Separator::Underscore | Separator::None)
                && !name.version.is_empty()
        });
        return match (beside.rails, most(underscores)) {
            (true, _) => Convention::Rails,
            (false, true) => Convention::Lockwise,
            (false, false) => Convention::Plain,
        };
    }
    Convention::Plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::layout::name::file_name;

    #[track_caller]
    fn check(files: &[(&str, &str)], convention: Convention) {
        let sources: Vec<Source> = files.iter().map(|(_, text)| Source::new("", *text)).collect();
        let evidence: Vec<Evidence<'_>> = files
            .iter()
            .zip(&sources)
            .map(|((file, _), source)| Evidence { file, name: file_name(file).unwrap(), source })
            .collect();
        assert_eq!(detect(&evidence, Surroundings::default()), convention);
    }

    #[test]
    fn names_decide() {
        check(&[("0001_a.sql", ""), ("0001_a.down.sql", "")], Convention::Lockwise);
        check(&[("1_a.up.sql", ""), ("1_a.down.sql", "")], Convention::GolangMigrate);
        check(&[("V1__a.sql", ""), ("R__b.sql", "")], Convention::Flyway);
        check(&[("20230306111639__a.sql", "")], Convention::Flyway);
        check(&[("up.sql", ""), ("down.sql", "")], Convention::Diesel);
        check(&[("migration.sql", "")], Convention::Prisma);
        check(&[("1_a.postgres.up.sql", ""), ("1_a.mysql.up.sql", "")], Convention::Pop);
        check(&[("schema.sql", ""), ("seed.sql", "")], Convention::Plain);
        check(&[("0001-a.sql", "")], Convention::Plain);
    }

    #[test]
    fn markers_decide_before_names() {
        check(&[("1_a.sql", "-- +goose Up\n")], Convention::Goose);
        check(&[("1_a.sql", "-- migrate:up\n")], Convention::Dbmate);
        check(&[("1_a.sql", "-- no-transaction\n"), ("2_b.sql", "")], Convention::Sqlx);
        check(&[("1_a.sql", "A;\n--> statement-breakpoint\nB;")], Convention::Drizzle);
        check(&[("1_a.sql", "-- we left goose for good: +goose\n")], Convention::Lockwise);
    }
}
