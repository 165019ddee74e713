//! What a change of a column's type costs.
//!
//! In: the type before and after, each with its character set. Out: [`TypeChange`].
//!
//! MySQL manual, Online DDL Operations, Data Type Storage Requirements; MariaDB manual, InnoDB
//! Online DDL; measured on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::same;
use crate::schema::max_bytes;
use crate::sql::ServerKind;
use crate::sql::ast::DataType;

/// How two types of a column differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TypeChange {
    /// Not at all, or only in what is shown.
    None,
    /// Members are appended to an ENUM or SET without more bytes.
    Members,
    /// Longer, and every stored value stays as it is.
    Longer,
    /// Another collation, and every stored value stays as it is.
    Collation,
    /// Every value is written anew.
    Copy(&'static str),
}

/// Bytes of VARBINARY and of VARCHAR in its character set.
fn bytes(data_type: &DataType) -> u64 {
    let width = data_type.charset.as_deref().map_or(1, max_bytes);
    data_type.number(0).unwrap_or(1).saturating_mul(width)
}

/// Returns how many bytes the length of a VARCHAR or VARBINARY takes.
pub(super) fn length_bytes(data_type: &DataType) -> u8 {
    if bytes(data_type) > 255 { 2 } else { 1 }
}

/// Returns what a change costs on a server, in a table with or without `ROW_FORMAT=REDUNDANT`.
pub(super) fn type_change(
    server: ServerKind,
    old: &DataType,
    new: &DataType,
    redundant: bool,
) -> TypeChange {
    let mariadb = server == ServerKind::Mariadb;
    let kept = same_but_charset(old, new);
    match (old.name.as_str(), new.name.as_str()) {
        ("enum" | "set", "enum" | "set") if old.name == new.name => members(old, new, mariadb),
        ("varchar", "varchar") => text_change(server, old, new, redundant),
        ("varbinary", "varbinary") => length_change(server, old, new, redundant),
        // MariaDB: a GEOMETRY holds points as they are.
        (old, "geometry") if mariadb && old != "geometry" && super::refuse::is_geometry(old) => {
            TypeChange::Members
        }
        // MySQL 9.7: VARCHAR is compared by bytes alone (measured: 20 characters to 80 bytes).
        ("varchar", "varbinary") if !mariadb => length_change(server, old, new, redundant),
        _ if !kept => TypeChange::Copy("type-change"),
        _ => charset_change(old, new, mariadb),
    }
}

fn text_change(server: ServerKind, old: &DataType, new: &DataType, redundant: bool) -> TypeChange {
    let charset = charset_change(old, new, server == ServerKind::Mariadb);
    if matches!(charset, TypeChange::Copy(_)) {
        return charset;
    }
    if new.number(0).unwrap_or(0) < old.number(0).unwrap_or(0) {
        return TypeChange::Copy("type-change");
    }
    length_change(server, old, new, redundant).max(charset)
}

/// VARCHAR and VARBINARY keep their length in one byte up to 255 bytes, in two above.
///
/// MySQL changes in place within one class and copies across. MariaDB crosses at once from up to
/// 127 bytes, where both classes write the same byte, and at any length with
/// `ROW_FORMAT=REDUNDANT`.
fn length_change(
    server: ServerKind,
    old: &DataType,
    new: &DataType,
    redundant: bool,
) -> TypeChange {
    let (before, after) = (bytes(old), bytes(new));
    if after < before {
        return TypeChange::Copy("type-change");
    }
    if before == after {
        let kept = old.name == new.name;
        return if kept { TypeChange::None } else { TypeChange::Collation };
    }
    let crosses = before <= 255 && after > 255;
    let copies =
        if server == ServerKind::Mariadb { crosses && before > 127 && !redundant } else { crosses };
    match (copies, crosses) {
        (true, true) => TypeChange::Copy("varchar-length-class"),
        (true, false) => TypeChange::Copy("type-change"),
        (false, _) => TypeChange::Longer,
    }
}

/// utf8mb3 is part of utf8mb4, and to MySQL any text is bytes; a collation orders values and does
/// not change them.
fn charset_change(old: &DataType, new: &DataType, mariadb: bool) -> TypeChange {
    let (Some(before), Some(after)) = (&old.charset, &new.charset) else {
        return TypeChange::None;
    };
    let wider = (before == "utf8mb3" && after == "utf8mb4") || (after == "binary" && !mariadb);
    if before != after && !wider {
        return TypeChange::Copy("convert-charset");
    }
    // CHAR and TEXT have no length class to cross.
    if before == after && old.collation == new.collation {
        TypeChange::None
    } else {
        TypeChange::Collation
    }
}

fn same_but_charset(old: &DataType, new: &DataType) -> bool {
    if old.name != new.name || old.unsigned != new.unsigned || old.zerofill != new.zerofill {
        return false;
    }
    match old.name.as_str() {
        // The number is a display width.
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => true,
        "decimal" => decimal(old) == decimal(new),
        // FLOAT(M,D) rounds; the bytes are the same.
        "float" | "double" => true,
        "char" | "binary" | "bit" => old.number(0).unwrap_or(1) == new.number(0).unwrap_or(1),
        "datetime" | "timestamp" | "time" => {
            old.number(0).unwrap_or(0) == new.number(0).unwrap_or(0)
        }
        "vector" => old.number(0) == new.number(0),
        _ => true,
    }
}

fn decimal(data_type: &DataType) -> (u64, u64) {
    (data_type.number(0).unwrap_or(10), data_type.number(1).unwrap_or(0))
}

/// Members are stored by position: only those after the last may be new.
fn members(old: &DataType, new: &DataType, mariadb: bool) -> TypeChange {
    let kept = old.args.len() <= new.args.len()
        && old.args.iter().zip(&new.args).all(|(a, b)| same(a.trim_end(), b.trim_end()));
    let set = old.name == "set";
    if !kept || member_bytes(set, old.args.len()) != member_bytes(set, new.args.len()) {
        return TypeChange::Copy("enum-values");
    }
    let charset_kept = old.charset == new.charset && old.collation == new.collation;
    if !charset_kept && mariadb {
        return TypeChange::Copy("convert-charset");
    }
    if old.args.len() == new.args.len() { TypeChange::None } else { TypeChange::Members }
}

/// ENUM: one byte up to 255 members, then two. SET: 1, 2, 3, 4 or 8 bytes for 8 members each.
const fn member_bytes(set: bool, count: usize) -> usize {
    if !set {
        return if count <= 255 { 1 } else { 2 };
    }
    let bytes = count.div_ceil(8);
    if bytes > 4 { 8 } else { bytes }
}

/// Returns a member that goes, of an ENUM or SET.
pub(super) fn removed_member<'t>(old: &'t DataType, new: &DataType) -> Option<&'t str> {
    let stays =
        |member: &String| new.args.iter().any(|kept| same(kept.trim_end(), member.trim_end()));
    let gone = |member: &&String| !stays(member);
    old.args.iter().find(gone).map(String::as_str)
}

/// Says whether values of the old type may not fit into the new one.
pub(super) fn may_not_fit(old: &DataType, new: &DataType) -> bool {
    let rank = |data_type: &DataType| match data_type.name.as_str() {
        "tinyint" => Some(1_u64),
        "smallint" => Some(2),
        "mediumint" => Some(3),
        "int" => Some(4),
        "bigint" => Some(5),
        _ => None,
    };
    if let (Some(before), Some(after)) = (rank(old), rank(new)) {
        return after < before
            || (new.unsigned && !old.unsigned)
            || (old.unsigned && !new.unsigned && after == before);
    }
    let text = |data_type: &DataType| match data_type.name.as_str() {
        "char" | "varchar" => Some(data_type.number(0).unwrap_or(1)),
        "tinytext" => Some(255 / 4),
        "text" => Some(65_535 / 4),
        "mediumtext" | "longtext" => Some(u64::from(u32::MAX)),
        _ => None,
    };
    if let (Some(before), Some(after)) = (text(old), text(new)) {
        let narrower =
            old.charset != new.charset && !matches!(new.charset.as_deref(), Some("utf8mb4"));
        return after < before || narrower;
    }
    const BLOBS: [&str; 4] = ["tinyblob", "blob", "mediumblob", "longblob"];
    let blob = |data_type: &DataType| BLOBS.iter().position(|name| *name == data_type.name);
    if let (Some(before), Some(after)) = (blob(old), blob(new)) {
        return after < before;
    }
    if let (Some(_), true) = (text(new), rank(old).is_some()) {
        return text(new).is_some_and(|length| length < 20);
    }
    match (old.name.as_str(), new.name.as_str()) {
        ("decimal", "decimal") => {
            let ((p, s), (q, r)) = (decimal(old), decimal(new));
            q.saturating_sub(r) < p.saturating_sub(s)
        }
        ("varbinary" | "binary", "varbinary" | "binary") => bytes(new) < bytes(old),
        ("float", "double") | ("datetime", "timestamp") | ("timestamp", "datetime") => {
            old.name == "datetime"
        }
        (before, after) => before != after,
    }
}
