//! What the servers refuse while they read a statement, before anything is committed: types with
//! numbers they do not have, defaults that contradict a column, names without an end.
//!
//! MySQL manual, Data Types, MariaDB the same where nothing else is said; measured on MariaDB
//! 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::Scene;
use super::definition::is_now;
use crate::sql::ast::{
    ActionKind, ColumnDef, DataType, Expr, ExprShape, MyAction, Nullability, StatementKind,
    TableAction,
};

/// The largest number that a length is read as.
const LONGEST: u64 = u32::MAX as u64;

impl Scene<'_> {
    /// Tells what is refused of the clauses as they are written, whatever the table is like.
    pub(super) fn refused_as_written(&mut self, actions: &[TableAction]) {
        for action in actions {
            self.told.span = action.span;
            if let ActionKind::AddColumn { column, .. }
            | ActionKind::Mysql(
                MyAction::ModifyColumn { column, .. } | MyAction::ChangeColumn { column, .. },
            ) = &action.kind
            {
                self.written_column(column);
            } else if let ActionKind::RenameTo(to) = &action.kind {
                self.written_table_name(to.name());
            } else if let ActionKind::Mysql(action) = &action.kind {
                self.written_option(action);
            }
        }
        self.charsets_together(actions);
    }

    fn written_option(&mut self, action: &MyAction) {
        if let Some((charset, collation)) = charsets(action) {
            self.charset(charset, collation);
        } else if let MyAction::Algorithm(name) = action {
            let known = ["DEFAULT", "INSTANT", "INPLACE", "COPY"].contains(&name.as_str());
            let own = self.is_mariadb() && name == "NOCOPY";
            if !(known || own) {
                let detail = format!("unknown ALGORITHM '{name}'");
                self.refused("algorithm-refused", "1800", detail);
            }
        } else if let MyAction::Lock(name) = action
            && !["DEFAULT", "NONE", "SHARED", "EXCLUSIVE"].contains(&name.as_str())
        {
            self.refused("lock-clause-refused", "1801", format!("unknown LOCK type '{name}'"));
        }
    }

    /// Tells of an error that comes before the statement commits.
    pub(super) fn refused(&mut self, when: &'static str, code: &'static str, detail: String) {
        self.told.fails(when, code, detail);
        self.does_not_commit();
    }

    /// What is wrong with the clauses before a syntax error is found before it: by MariaDB all that
    /// it looks at while reading, by MySQL names of character sets and algorithms only (measured on
    /// 10.11, 11.8 and 9.7).
    pub(super) fn refused_before(&mut self, begun: Option<&StatementKind>) {
        let Some(begun) = begun else { return };
        if let StatementKind::AlterTable(alter) = begun {
            if self.is_mariadb() {
                return self.refused_as_written(&alter.actions);
            }
            for action in &alter.actions {
                if let ActionKind::Mysql(action) = &action.kind {
                    self.written_option(action);
                }
            }
        } else if let StatementKind::CreateTable(create) = begun
            && self.is_mariadb()
        {
            for column in &create.columns {
                self.told.span = column.span;
                self.written_column(column);
            }
        }
    }

    fn written_table_name(&mut self, name: &str) {
        let long = name.chars().count() > 64;
        if long || name.is_empty() || name.ends_with(' ') {
            let code = if long { self.code("1103", "1059") } else { "1103" };
            self.refused("syntax", code, format!("incorrect table name '{name}'"));
        }
    }

    /// Tells what is refused of the definition of a column while it is read.
    pub(super) fn written_column(&mut self, column: &ColumnDef) {
        let name = column.name.as_str();
        if self.is_mariadb() && name.chars().any(|c| c > '\u{ffff}') {
            // Names are kept in utf8mb3.
            self.refused("syntax", "1300", format!("invalid utf8mb4 string: '{name}'"));
        } else if name.chars().count() > 64 {
            self.refused("syntax", "1059", format!("identifier name '{name}' is too long"));
        }
        let Some(data_type) = &column.data_type else { return };
        self.charset(data_type.charset.as_deref(), data_type.collation.as_deref());
        if let Some((code, what)) = self.impossible(data_type) {
            let detail = format!("column '{name}' of type {}: {what}", data_type.name);
            self.refused("values-do-not-fit", code, detail);
        }
        let counts = match data_type.name.as_str() {
            // MySQL: removed in 8.4 (release notes), deprecated before.
            "float" | "double" => !self.mysql_since(8, 4, 0),
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => true,
            _ => false,
        };
        if column.auto_increment && !counts {
            let detail = format!("incorrect column specifier for column '{name}'");
            self.refused("type-mismatch", "1063", detail);
        }
        if let Some(default) = &column.default {
            self.written_default(column, data_type, default);
        }
        if let Some(update) = &column.on_update {
            let timed = is_timed(data_type);
            let precise = self.is_mariadb() || precision(update) == digits(data_type);
            if column.generated.is_some() {
                let detail = "incorrect usage of ON UPDATE and generated column".to_owned();
                self.refused("type-mismatch", "1221", detail);
            } else if !(timed && precise) {
                let detail = format!("invalid ON UPDATE clause for '{name}' column");
                self.refused("type-mismatch", "1294", detail);
            }
        }
    }

    fn written_default(&mut self, column: &ColumnDef, data_type: &DataType, default: &Expr) {
        let not_null = matches!(column.nullability, Some(Nullability::NotNull { .. }));
        let null = default.shape == ExprShape::Null;
        // MySQL takes the time of day for the very type and precision only, and no typed literal.
        let other_time =
            is_now(default) && !(is_timed(data_type) && precision(default) == digits(data_type));
        let own = !self.is_mariadb() && (other_time || is_typed(default));
        if null && not_null || !null && column.auto_increment || own {
            let detail = format!("invalid default value for '{}'", column.name);
            self.refused("type-mismatch", "1067", detail);
        } else if self.is_long_literal(data_type, default) {
            self.no_long_default(column.name.as_str());
            self.does_not_commit();
        }
    }

    /// Returns why a type cannot have the numbers that are written behind it.
    fn impossible(&self, data_type: &DataType) -> Option<(&'static str, &'static str)> {
        let number =
            |at: usize| data_type.args.get(at).map(|arg| arg.parse::<u64>().unwrap_or(u64::MAX));
        let (first, second) = (number(0), number(1).unwrap_or(0));
        let length = first?;
        let mysql = !self.is_mariadb();
        let wide = Some(("1439", "display width out of range"));
        if matches!(data_type.name.as_str(), "enum" | "set") {
            return None;
        }
        if length > LONGEST && (mysql || !matches!(data_type.name.as_str(), "char" | "decimal")) {
            return wide;
        }
        let scaled = |most: u64| {
            if second > most {
                Some(("1425", "too big scale"))
            } else if data_type.args.len() > 1 && second > length && length > 0 {
                Some(("1427", "M must be >= D"))
            } else {
                None
            }
        };
        match data_type.name.as_str() {
            "decimal" => {
                let most = if mysql { 30 } else { 38 };
                let precise = Some(("1426", "too big precision")).filter(|_| length > 65);
                scaled(most).filter(|(code, _)| *code == "1425").or(precise).or(scaled(most))
            }
            "float" | "double" if data_type.args.len() == 1 => {
                Some(("1063", "incorrect column specifier"))
            }
            "float" | "double" if length > 255 => wide,
            "float" | "double" => scaled(30),
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" if length > 255 => wide,
            "year" if mysql && length != 4 => Some(("1818", "supports only YEAR")),
            "bit" if length > 64 => wide,
            "bit" if length == 0 && mysql => Some(("3013", "invalid size")),
            "time" | "datetime" | "timestamp" if length > 6 => Some(("1426", "too big precision")),
            "char" | "binary" if length > 255 => Some(("1074", "too long: at most 255")),
            "vector" if length > 16_383 => Some((self.code("1074", "6137"), "too long")),
            "vector" if length == 0 && !mysql => Some(("1063", "a vector has dimensions")),
            _ => None,
        }
    }
}

fn is_timed(data_type: &DataType) -> bool {
    matches!(data_type.name.as_str(), "datetime" | "timestamp")
}

/// Returns how many digits of a second a type keeps.
fn digits(data_type: &DataType) -> u64 {
    data_type.number(0).unwrap_or(0)
}

/// Returns how many digits of a second `NOW(…)` gives.
fn precision(now: &Expr) -> u64 {
    let inner = now.text.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    inner.and_then(|(digits, _)| digits.trim().parse().ok()).unwrap_or(0)
}

/// Returns the character set and the collation that an action names.
fn charsets(action: &MyAction) -> Option<(Option<&str>, Option<&str>)> {
    if let MyAction::ConvertTo { charset, collation } = action {
        return Some((charset.as_deref(), collation.as_deref()));
    }
    let MyAction::Option { name, value } = action else { return None };
    match name.as_str() {
        "charset" => Some((Some(value), None)),
        "collate" => Some((None, Some(value))),
        _ => None,
    }
}

/// Says whether a literal says of which type it is: `DATE '…'`.
pub(super) fn is_typed(default: &Expr) -> bool {
    let text = default.text.trim_start().to_ascii_lowercase();
    let word = ["date", "timestamp", "time"].iter().find_map(|word| text.strip_prefix(word));
    default.shape == ExprShape::Literal
        && word.is_some_and(|rest| rest.trim_start().starts_with('\''))
}
