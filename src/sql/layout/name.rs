//! What a file name says: version, name, and whether it is the way there or the way back.

use crate::sql::server::ServerKind;

/// The direction a file name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// No word about it.
    Untold,
    /// `.up.sql`
    Up,
    /// `.down.sql`
    Down,
}

/// Flyway's and refinery's first letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// None.
    None,
    /// `V`: versioned.
    Versioned,
    /// `U`: undo (Flyway), unversioned (refinery).
    Undo,
    /// `R`: repeatable.
    Repeatable,
    /// `B`: baseline.
    Baseline,
}

/// What stands between version and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// `_`
    Underscore,
    /// `__`
    Double,
    /// `-` or `.`
    Other,
    /// Nothing: the name is empty, or there is no version.
    None,
}

/// The parts of a file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName<'a> {
    /// Flyway's letter.
    pub(super) prefix: Prefix,
    /// Digits, for Flyway with dots or underscores; empty when the name starts otherwise.
    pub(super) version: &'a str,
    /// What stands between version and name.
    pub(super) separator: Separator,
    /// The rest without suffixes.
    pub(super) name: &'a str,
    /// Up or down.
    pub(super) direction: Direction,
    /// A server named in the suffixes (pop).
    pub(super) dialect: Option<Dialect>,
    /// The suffix `.autocommit` (popx).
    pub(super) autocommit: bool,
}

/// A server as pop's file names call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One that lockwise knows.
    Known(ServerKind),
    /// Another one: its files are not for us.
    Foreign,
}

/// Takes a file name apart; nothing when it is no SQL file.
pub(super) fn file_name(file: &str) -> Option<FileName<'_>> {
    let stem = strip_suffix(file, ".sql")?;
    let (stem, direction) = match (strip_suffix(stem, ".up"), strip_suffix(stem, ".down")) {
        (Some(stem), _) => (stem, Direction::Up),
        (None, Some(stem)) => (stem, Direction::Down),
        (None, None) => (stem, Direction::Untold),
    };
    let (stem, autocommit) = part(stem, "autocommit");
    let (stem, dialect) = dialect(stem);
    let (stem, autocommit) = if autocommit { (stem, true) } else { part(stem, "autocommit") };
    let (prefix, rest) = prefix(stem);
    let (version, separator, name) = version(rest, prefix);
    Some(FileName { prefix, version, separator, name, direction, dialect, autocommit })
}

/// Returns the version of a migration in another language than SQL: Flyway's and refinery's
/// `V2__name.java` and `V2__name.rs`, goose's `00002_name.go`.
pub(super) fn code_version(file: &str) -> Option<&str> {
    let (stem, language) = file.rsplit_once('.')?;
    let (prefix, rest) = prefix(stem);
    let (version, separator, _) = version(rest, prefix);
    let wanted = match language {
        "java" | "kt" | "groovy" | "scala" | "rs" => (Prefix::Versioned, Separator::Double),
        "go" if !stem.ends_with("_test") => (Prefix::None, Separator::Underscore),
        _ => return None,
    };
    (!version.is_empty() && (prefix, separator) == wanted).then_some(version)
}

/// Strips an ASCII suffix, whatever its case.
fn strip_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let (stem, end) = text.split_at_checked(at)?;
    end.eq_ignore_ascii_case(suffix).then_some(stem)
}

fn part<'a>(stem: &'a str, word: &str) -> (&'a str, bool) {
    match stem.rsplit_once('.') {
        Some((stem, last)) if last.eq_ignore_ascii_case(word) => (stem, true),
        _ => (stem, false),
    }
}

fn dialect(stem: &str) -> (&str, Option<Dialect>) {
    let Some((before, word)) = stem.rsplit_once('.') else { return (stem, None) };
    let dialect = match word.to_ascii_lowercase().as_str() {
        "postgres" | "postgresql" | "pg" => Dialect::Known(ServerKind::Postgres),
        "mysql" => Dialect::Known(ServerKind::Mysql),
        "mariadb" => Dialect::Known(ServerKind::Mariadb),
        "sqlite" | "sqlite3" => Dialect::Known(ServerKind::Sqlite),
        "cockroach" | "cockroachdb" | "crdb" | "mssql" | "sqlserver" | "oracle" => Dialect::Foreign,
        _ => return (stem, None),
    };
    (before, Some(dialect))
}

fn prefix(stem: &str) -> (Prefix, &str) {
    let mut chars = stem.chars();
    let prefix = match chars.next() {
        Some('V' | 'v') => Prefix::Versioned,
        Some('U') => Prefix::Undo,
        Some('R') => Prefix::Repeatable,
        Some('B') => Prefix::Baseline,
        _ => return (Prefix::None, stem),
    };
    let rest = chars.as_str();
    let numbered = rest.starts_with(|c: char| c.is_ascii_digit());
    let is_prefix = numbered || (prefix == Prefix::Repeatable && rest.starts_with("__"));
    if is_prefix { (prefix, rest) } else { (Prefix::None, stem) }
}

/// Splits version and name. Dots and single underscores belong to the version only where a double
/// underscore ends it: `1_9__created_by`, `4.11.0.1__labels`.
fn version(text: &str, prefix: Prefix) -> (&str, Separator, &str) {
    if let Some((version, name)) = text.split_once("__")
        && is_number(version, prefix)
    {
        return (version, Separator::Double, name);
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (version, rest) = text.split_at(end);
    if version.is_empty() {
        return ("", Separator::None, text);
    }
    match rest.chars().next() {
        None => (version, Separator::None, ""),
        Some('_') => (version, Separator::Underscore, rest.get(1..).unwrap_or("")),
        Some('-' | '.') => (version, Separator::Other, rest.get(1..).unwrap_or("")),
        Some(_) => (version, Separator::None, rest),
    }
}

fn is_number(version: &str, prefix: Prefix) -> bool {
    let empty = version.is_empty() && prefix == Prefix::Repeatable;
    let numbers = version.split(['.', '_']);
    let mut numbers = numbers.map(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    empty || numbers.all(|is| is)
}

/// Says whether a folder is named like a version: `v1.4`, `0.10`, `3.0.0_schema`.
pub(super) fn is_version_folder(name: &str) -> bool {
    let rest = name.strip_prefix(['v', 'V']).unwrap_or(name);
    let mut numbers = rest.split(['.', '_', '-']);
    numbers.next().is_some_and(|first| {
        !first.is_empty() && first.len() < 8 && first.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<'a>(file: &'a str, version: &str, name: &str) -> FileName<'a> {
        let parts = file_name(file).unwrap();
        assert_eq!((parts.version, parts.name), (version, name));
        parts
    }

    #[test]
    fn versions_and_names_are_taken_apart() {
        check("0042_add_email.sql", "0042", "add_email");
        check("20240131120000_a-b.down.sql", "20240131120000", "a-b");
        check("0001-initialmigration.sql", "0001", "initialmigration");
        check("000019.sql", "000019", "");
        check("seed.sql", "", "seed");
        check("2fa.sql", "2", "fa");
        check("주문.sql", "", "주문");
    }

    #[test]
    fn flyway_versions_have_dots_or_underscores() {
        assert_eq!(check("V1_9__created_by.sql", "1_9", "created_by").prefix, Prefix::Versioned);
        check("V4.11.0.1__5565-labels.sql", "4.11.0.1", "5565-labels");
        assert_eq!(check("R__views.sql", "", "views").prefix, Prefix::Repeatable);
        assert_eq!(
            check("20230306111639__areas.sql", "20230306111639", "areas").prefix,
            Prefix::None
        );
        assert_eq!(check("Users.sql", "", "Users").prefix, Prefix::None);
        assert_eq!(check("afterMigrate__1.sql", "", "afterMigrate__1").separator, Separator::None);
    }

    #[test]
    fn suffixes_tell_direction_server_and_mode() {
        let file = check("20150100_networks.autocommit.postgres.up.sql", "20150100", "networks");
        assert_eq!(file.direction, Direction::Up);
        assert_eq!(file.dialect, Some(Dialect::Known(ServerKind::Postgres)));
        assert!(file.autocommit);
        assert_eq!(check("V0001.Initial.down.SQL", "0001", "Initial").direction, Direction::Down);
        assert!(file_name("README.md").is_none());
    }

    #[test]
    fn folders_named_like_versions() {
        assert!(is_version_folder("v1.4") && is_version_folder("0.10"));
        assert!(is_version_folder("3.0.0_schema"));
        assert!(!is_version_folder("versioned") && !is_version_folder("20240131_users"));
    }
}
