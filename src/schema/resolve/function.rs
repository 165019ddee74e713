//! The functions that SQLite has, by name and number of arguments.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::same;
use crate::sql::ServerVersion;

/// What a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The same value for the same arguments.
    Scalar,
    /// Another value each time (sqlite.org/deterministic.html).
    Changing,
    /// A value of many rows; also over a window.
    Aggregate,
    /// Over a window only.
    Window,
}

/// What is known of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is there.
    There(Kind),
    /// It is there, but not with so many arguments.
    OtherArguments,
    /// It is not there.
    Missing,
    /// It depends on a build option, which is named, or on what a program loads.
    Optional(Option<&'static str>),
}

/// A line of the list.
#[derive(Debug)]
struct Listed {
    kind: Option<Kind>,
    arguments: &'static str,
    rest: &'static str,
}

static LIST: LazyLock<BTreeMap<&'static str, Vec<Listed>>> = LazyLock::new(|| {
    let mut list: BTreeMap<&str, Vec<Listed>> = BTreeMap::new();
    let lines = include_str!("functions.txt").lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or("");
        let (name, kind, arguments, rest) = (word(), word(), word(), word());
        let kind = match kind {
            "scalar" => Some(Kind::Scalar),
            "changing" => Some(Kind::Changing),
            "aggregate" => Some(Kind::Aggregate),
            "window" => Some(Kind::Window),
            _ => None,
        };
        list.entry(name).or_default().push(Listed { kind, arguments, rest });
    }
    list
});

/// Returns what is known of a function that is called with so many arguments.
pub(super) fn find(name: &str, arguments: usize, version: ServerVersion) -> Known {
    let lower = name.to_ascii_lowercase();
    let Some(listed) = LIST.get(lower.as_str()) else { return Known::Missing };
    // Until 3.38 they came with a build option (sqlite.org/json1.html, section 2).
    let first = ServerVersion::new(3, 38, 0);
    if (lower.starts_with("json_") || lower == "json") && !version.at_least(3, 38, 0) {
        return match find(name, arguments, first) {
            Known::There(_) => Known::Optional(Some("ENABLE_JSON1")),
            other @ (Known::OtherArguments | Known::Missing | Known::Optional(_)) => other,
        };
    }
    let mut known = Known::Missing;
    for entry in listed {
        let Some(kind) = entry.kind else {
            return Known::Optional((!entry.rest.is_empty()).then_some(entry.rest));
        };
        if !is_since(entry.rest, version) {
            continue;
        }
        if entry.arguments.split(',').any(|count| takes(count, arguments)) {
            return Known::There(kind);
        }
        known = Known::OtherArguments;
    }
    known
}

fn is_since(since: &str, version: ServerVersion) -> bool {
    let minor = since.split_once('.').and_then(|(_, minor)| minor.parse().ok());
    minor.is_none_or(|minor| version.at_least(3, minor, 0))
}

fn takes(count: &str, arguments: usize) -> bool {
    match count.strip_suffix('+') {
        Some(least) => least.parse().is_ok_and(|least: usize| arguments >= least),
        None => count.parse() == Ok(arguments),
    }
}

/// Says whether a collation is one of those that are always there.
pub(crate) fn is_collation(name: &str) -> bool {
    ["binary", "nocase", "rtrim"].iter().any(|known| same(known, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_by_version_and_number_of_arguments() {
        let old = ServerVersion::new(3, 40, 1);
        let new = ServerVersion::new(3, 51, 3);
        assert_eq!(find("LOWER", 1, old), Known::There(Kind::Scalar));
        assert_eq!(find("lower", 2, old), Known::OtherArguments);
        assert_eq!(find("max", 1, old), Known::There(Kind::Aggregate));
        assert_eq!(find("max", 3, old), Known::There(Kind::Scalar));
        assert_eq!(find("concat", 2, old), Known::Missing);
        assert_eq!(find("concat", 2, new), Known::There(Kind::Scalar));
        assert_eq!(find("iif", 2, old), Known::OtherArguments);
        assert_eq!(find("iif", 2, new), Known::There(Kind::Scalar));
        assert_eq!(find("nofn", 0, new), Known::Missing);
        assert_eq!(find("sqrt", 1, new), Known::Optional(Some("ENABLE_MATH_FUNCTIONS")));
        assert_eq!(find("sha3", 1, new), Known::Optional(None));
    }
}
