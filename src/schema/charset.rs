//! Character sets and collations of MySQL and MariaDB: what a column gets, and how wide it is.

use super::model::Relation;
use crate::sql::ast::DataType;
use crate::sql::{Server, ServerKind};

/// A character set and one of its collations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charset {
    /// The character set, `utf8` written as `utf8mb3`.
    pub name: String,
    /// The collation.
    pub collation: String,
}

impl Charset {
    /// Returns the character set and collation that a pair of written ones means, if any is
    /// written.
    pub fn written(
        server: Server,
        charset: Option<&str>,
        collation: Option<&str>,
        outer: &Self,
    ) -> Option<Self> {
        let charset = charset.filter(|name| *name != "default");
        let collation = collation.filter(|name| *name != "default");
        match (charset, collation) {
            (None, None) => None,
            (Some(name), None) => {
                let name = canonical(name);
                let collation = default_collation(server, &name);
                Some(Self { name, collation })
            }
            (name, Some(collation)) => {
                let collation = canonical(collation);
                let own = charset_of(&collation);
                let name = name.map(canonical).or(own).unwrap_or_else(|| outer.name.clone());
                Some(Self { name, collation })
            }
        }
    }

    /// Returns the default of a server that nobody configured.
    ///
    /// MySQL 8.0 and later: utf8mb4 (manual, "Server Character Set and Collation"). MariaDB:
    /// latin1 before 11.6, then utf8mb4 (release notes of 11.6.1).
    pub fn of_server(server: Server) -> Self {
        let latin1 = server.kind == ServerKind::Mariadb && !server.version.at_least(11, 6, 0);
        let name = if latin1 { "latin1" } else { "utf8mb4" };
        Self { name: name.to_owned(), collation: default_collation(server, name) }
    }

    /// Returns the default of a table.
    pub fn of_table(server: Server, table: &Relation) -> Self {
        let outer = Self::of_server(server);
        let option = |name: &str| table.options.get(name).map(String::as_str);
        Self::written(server, option("charset"), option("collate"), &outer).unwrap_or(outer)
    }

    /// Returns what a column of a type gets in a table with that default; none where the type has
    /// no character set.
    pub fn of_type(server: Server, data_type: &DataType, table: &Self) -> Option<Self> {
        if !has_charset(&data_type.name) {
            return None;
        }
        let charset = data_type.charset.as_deref();
        let collation = data_type.collation.as_deref();
        let mut found =
            Self::written(server, charset, collation, table).unwrap_or_else(|| table.clone());
        if data_type.binary && collation.is_none() {
            found.collation = format!("{}_bin", found.name);
        }
        Some(found)
    }
}

/// Says whether values of a type are characters.
pub fn has_charset(data_type: &str) -> bool {
    matches!(
        data_type,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
    )
}

/// Returns the bytes of the widest character.
pub fn max_bytes(charset: &str) -> u64 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "ujis" | "eucjpms" => 3,
        "ucs2" | "gbk" | "gb2312" | "big5" | "sjis" | "cp932" | "euckr" => 2,
        _ => 1,
    }
}

fn canonical(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("utf8_") {
        Some(rest) => format!("utf8mb3_{rest}"),
        None if name == "utf8" => "utf8mb3".to_owned(),
        None => name,
    }
}

/// Returns the character set that a collation names; MariaDB's `uca1400_…` fit several.
fn charset_of(collation: &str) -> Option<String> {
    let start = collation.split('_').next()?;
    (start != "uca1400").then(|| start.to_owned())
}

/// Returns the collation a character set has where none is written.
///
/// MySQL: SHOW CHARACTER SET of 8.0 and 9.7. MariaDB: the same names, but `general_ci` for
/// utf8mb4 before 11.5 and `uca1400_ai_ci` for all Unicode sets since (`character_set_collations`).
fn default_collation(server: Server, charset: &str) -> String {
    let unicode = matches!(charset, "utf8mb3" | "utf8mb4" | "ucs2" | "utf16" | "utf32");
    if server.kind == ServerKind::Mariadb && server.version.at_least(11, 5, 0) && unicode {
        return format!("{charset}_uca1400_ai_ci");
    }
    let rest = match charset {
        "binary" => return "binary".to_owned(),
        "utf8mb4" if server.kind == ServerKind::Mysql => "0900_ai_ci",
        "latin1" | "swe7" | "dec8" => "swedish_ci",
        "big5" | "gb2312" | "gbk" | "gb18030" => "chinese_ci",
        "sjis" | "ujis" | "cp932" | "eucjpms" => "japanese_ci",
        "euckr" => "korean_ci",
        "latin5" => "turkish_ci",
        "hp8" => "english_ci",
        _ => "general_ci",
    };
    format!("{charset}_{rest}")
}
