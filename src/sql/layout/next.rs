//! The files of a new migration, named by the convention of its folder.

use super::Group;
use crate::sql::migration::{Convention, Version};

/// A file to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Below the folder.
    pub path: String,
    /// What it starts with.
    pub text: String,
}

/// Why no file can be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotName {
    /// Nothing is left of the name.
    #[error("\"{0}\" holds no letter and no digit")]
    EmptyName(String),
    /// The tool writes down what it makes in a file of its own.
    #[error("{tool} keeps a list of its migrations")]
    ToolsOwn {
        /// The tool.
        tool: &'static str,
        /// Its command.
        command: &'static str,
    },
}

impl CannotName {
    /// Says what to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::EmptyName(_) => "name what changes, for example add_email_to_users".to_owned(),
            Self::ToolsOwn { command, .. } => format!("run `{command}`"),
        }
    }
}

/// Returns the files of the next migration.
///
/// `now` is the present time of UTC as fourteen digits. Folders that count keep counting; the
/// others get the time, but never a version before the last one.
pub fn next_files(
    group: &Group,
    convention: Convention,
    title: &str,
    now: &str,
) -> Result<Vec<NewFile>, CannotName> {
    let name = slug(title);
    if name.is_empty() {
        return Err(CannotName::EmptyName(title.to_owned()));
    }
    let version = next_version(group, now);
    let file = |path: String, text: &str| NewFile { path, text: text.to_owned() };
    let heading = format!("-- {}\n\n", title.trim());
    let pair = |up: String, down: String| {
        let back = format!("-- Takes back: {}\n\n", title.trim());
        Ok(vec![file(up, &heading), file(down, &back)])
    };
    let single = |path: String, text: &str| Ok(vec![file(path, text)]);
    let plain = format!("{version}_{name}.sql");
    match convention {
        Convention::Lockwise | Convention::Stdin | Convention::Plain => {
            pair(plain, format!("{version}_{name}.down.sql"))
        }
        Convention::Sqlx if !uses_up_files(group) => single(plain, &heading),
        Convention::Sqlx | Convention::GolangMigrate | Convention::Pop => {
            pair(format!("{version}_{name}.up.sql"), format!("{version}_{name}.down.sql"))
        }
        Convention::Refinery | Convention::Flyway => {
            let prefix = if uses_prefix(group) { "V" } else { "" };
            single(format!("{prefix}{version}__{name}.sql"), &heading)
        }
        Convention::Diesel => {
            let folder = format!("{}_{name}", diesel_version(&version));
            pair(format!("{folder}/up.sql"), format!("{folder}/down.sql"))
        }
        Convention::Prisma => single(format!("{version}_{name}/migration.sql"), &heading),
        Convention::Dbmate => single(plain, "-- migrate:up\n\n\n-- migrate:down\n\n"),
        Convention::Goose => single(plain, "-- +goose Up\n\n\n-- +goose Down\n\n"),
        Convention::Tern => {
            single(plain, &format!("{heading}\n---- create above / drop below ----\n\n"))
        }
        Convention::Rails => single(plain, &heading),
        Convention::Atlas => own("atlas", "atlas migrate new"),
        Convention::Graphile => own("graphile-migrate", "graphile-migrate commit"),
        Convention::Drizzle => own("drizzle-kit", "drizzle-kit generate"),
        Convention::Liquibase => own("liquibase", "liquibase generate-changelog"),
        Convention::Sqitch => own("sqitch", "sqitch add"),
    }
}

const fn own(tool: &'static str, command: &'static str) -> Result<Vec<NewFile>, CannotName> {
    Err(CannotName::ToolsOwn { tool, command })
}

/// Turns a title into the name of a file: `Add email to users` to `add_email_to_users`.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for character in title.trim().chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.trim_end_matches('_').to_owned()
}

fn uses_up_files(group: &Group) -> bool {
    group.drafts.iter().any(|draft| draft.path().ends_with(".up.sql"))
}

/// Flyway's prefix can be configured away; an empty folder has it.
fn uses_prefix(group: &Group) -> bool {
    let name = |path: &str| path.rsplit('/').next().unwrap_or("").to_owned();
    group.drafts.is_empty() || group.drafts.iter().any(|d| name(d.path()).starts_with('V'))
}

fn next_version(group: &Group, now: &str) -> String {
    let versions = group.drafts.iter().filter(|draft| !draft.repeatable);
    let last = versions.map(|draft| draft.version.clone()).max();
    let Some(last) = last else { return now.to_owned() };
    let (before, number) = match last.as_str().rfind(|c: char| !c.is_ascii_digit()) {
        Some(at) => last.as_str().split_at_checked(at + 1).unwrap_or(("", "")),
        None => ("", last.as_str()),
    };
    let timed = before.is_empty() && (8..=20).contains(&number.len());
    if timed {
        let mut time = now.to_owned();
        time.extend(std::iter::repeat_n('0', number.len().saturating_sub(now.len())));
        time.truncate(number.len());
        if Version::new(time.as_str()) > last {
            return time;
        }
    }
    format!("{before}{}", plus_one(number))
}

/// Adds one to a number in digits, keeping its width: `0099` to `0100`.
fn plus_one(number: &str) -> String {
    let mut digits: Vec<char> = number.chars().collect();
    for digit in digits.iter_mut().rev() {
        if *digit == '9' {
            *digit = '0';
        } else {
            *digit = char::from_u32(u32::from(*digit) + 1).unwrap_or('1');
            return digits.into_iter().collect();
        }
    }
    let digits: String = digits.into_iter().collect();
    format!("1{digits}")
}

/// Writes a time as diesel does: `2026-03-01-093000`.
fn diesel_version(version: &str) -> String {
    let part = |range: std::ops::Range<usize>| version.get(range).unwrap_or("");
    if version.len() < 14 {
        return version.to_owned();
    }
    format!("{}-{}-{}-{}", part(0..4), part(4..6), part(6..8), part(8..14))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::layout::{Content, Given, InputFile, arrange};

    #[track_caller]
    fn check(existing: &[&str], convention: Convention, expected: &[&str]) {
        let files = existing
            .iter()
            .map(|path| {
                let content = Content::Bytes(b"SELECT 1;".to_vec());
                InputFile { path: (*path).to_owned(), content }
            })
            .collect();
        let arrangement =
            arrange(vec![Given::Folder { path: String::new(), files }], Some(convention));
        let empty =
            Group { folder: String::new(), convention, unrelated: false, drafts: Vec::new() };
        let group = arrangement.groups.first().unwrap_or(&empty);
        let files = next_files(group, convention, "Add e-mail!", "20260301093000").unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, expected);
    }

    #[test]
    fn folders_that_count_keep_counting() {
        let lockwise = Convention::Lockwise;
        check(&["0099_a.sql"], lockwise, &["0100_add_e_mail.sql", "0100_add_e_mail.down.sql"]);
        check(&["9_a.sql"], Convention::Goose, &["10_add_e_mail.sql"]);
        check(&["V1_9__a.sql"], Convention::Flyway, &["V1.10__add_e_mail.sql"]);
    }

    #[test]
    fn the_others_get_the_time() {
        check(&[], Convention::Dbmate, &["20260301093000_add_e_mail.sql"]);
        check(
            &["20250101000000_a.up.sql"],
            Convention::Sqlx,
            &["20260301093000_add_e_mail.up.sql", "20260301093000_add_e_mail.down.sql"],
        );
        check(
            &[],
            Convention::Diesel,
            &["2026-03-01-093000_add_e_mail/up.sql", "2026-03-01-093000_add_e_mail/down.sql"],
        );
        check(
            &["20150100000001000000_a.postgres.up.sql"],
            Convention::Pop,
            &["20260301093000000000_add_e_mail.up.sql", "20260301093000000000_add_e_mail.down.sql"],
        );
    }

    #[test]
    fn a_version_never_comes_before_the_last_one() {
        check(&["20270101000000_a.sql"], Convention::Dbmate, &["20270101000001_add_e_mail.sql"]);
    }

    #[test]
    fn tools_with_a_list_of_their_own_make_their_files_themselves() {
        let group = Group {
            folder: String::new(),
            convention: Convention::Atlas,
            unrelated: false,
            drafts: Vec::new(),
        };
        let error = next_files(&group, Convention::Atlas, "a", "20260301093000").unwrap_err();
        assert_eq!(error.hint(), "run `atlas migrate new`");
        assert!(next_files(&group, Convention::Goose, " - ", "20260301093000").is_err());
    }
}
