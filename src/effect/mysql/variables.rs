//! The system variables: which there are, where each may be set, and to what.
//!
//! MySQL manual, Using System Variables; MariaDB manual, Server System Variables; the list is that
//! of MySQL 9.7.4, MariaDB 10.11.19 and 11.8.9, the errors are measured there, testdata/servers.

use super::Scene;
use super::refuse::CHARSETS;
use crate::sql::ast::{Set, SetScope};

/// The variables, in sections by server and scope.
const VARIABLES: &str = include_str!("variables.txt");

/// Modes that both servers have.
const MODES: &[&str] = &[
    "allow_invalid_dates",
    "ansi",
    "ansi_quotes",
    "error_for_division_by_zero",
    "high_not_precedence",
    "ignore_space",
    "no_auto_value_on_zero",
    "no_backslash_escapes",
    "no_dir_in_create",
    "no_engine_substitution",
    "no_unsigned_subtraction",
    "no_zero_date",
    "no_zero_in_date",
    "only_full_group_by",
    "pad_char_to_full_length",
    "pipes_as_concat",
    "real_as_float",
    "strict_all_tables",
    "strict_trans_tables",
    "traditional",
];

/// Modes that MariaDB has besides; MySQL gave most of them up with 8.0.
const MARIADB_MODES: &[&str] = &[
    "db2",
    "empty_string_is_null",
    "ignore_bad_table_options",
    "maxdb",
    "mssql",
    "mysql323",
    "mysql40",
    "no_auto_create_user",
    "no_field_options",
    "no_key_options",
    "no_table_options",
    "oracle",
    "postgresql",
    "simultaneous_assignment",
    "time_round_fractional",
];

/// Switches of the session that schema changes turn.
const SWITCHES: &[&str] =
    &["autocommit", "foreign_key_checks", "sql_log_bin", "sql_safe_updates", "unique_checks"];

impl Scene<'_> {
    /// Tells what is wrong with an assignment.
    pub(super) fn assignment(&mut self, set: &Set) {
        let name = set.name.as_str();
        if name.starts_with('@') {
            return;
        }
        if matches!(name, "names" | "character set") {
            return self.assigned_charset(set.value.as_deref());
        }
        if name.contains('.') {
            // A key cache, or a variable of a component.
            let detail = format!("fails if nothing brings the variable '{name}'");
            return self.told.may_fail("missing-object", self.code("4081", "1193"), detail);
        }
        match self.section(name) {
            Some(section) => self.assigned_where(set, section),
            None if self.mysql_since(9, 0, 0) || self.mariadb_since(10, 11) => {
                let detail = format!("unknown system variable '{name}', unless a plugin brings it");
                self.told.may_fail("missing-object", "1193", detail);
            }
            None => {}
        }
        if let Some(value) = set.value.as_ref().filter(|value| !value.contains('@')) {
            let value = value.to_ascii_lowercase();
            if name.starts_with("character_set_") && !name.ends_with("_dir") {
                self.charset(Some(&value), None);
            } else if name.starts_with("collation_") {
                self.charset(None, Some(&value));
            }
        }
        if let Some(value) = &set.value {
            self.assigned_value(name, &value.to_ascii_lowercase());
        }
    }

    /// Returns where a variable may be set, if the server has it.
    fn section(&self, name: &str) -> Option<&'static str> {
        let mut found = None;
        for line in VARIABLES.lines() {
            if let Some(title) = line.strip_prefix('[') {
                let (server, scope) = title.trim_end_matches(']').split_once(": ")?;
                let here = match server {
                    "both" => true,
                    "mysql" => !self.is_mariadb(),
                    "mariadb" => self.is_mariadb(),
                    // Between the two versions that were asked, both lists hold.
                    "mariadb-10.11" => self.is_mariadb() && !self.mariadb_since(11, 8),
                    _ => self.mariadb_since(11, 0),
                };
                found = here.then_some(scope);
            } else if found.is_some() && line.split(' ').any(|word| word == name) {
                return found;
            }
        }
        None
    }

    fn assigned_where(&mut self, set: &Set, section: &str) {
        let name = set.name.as_str();
        let global = set.scope == SetScope::Global;
        let (code, detail) = match section {
            // PERSIST_ONLY writes it down for the next start.
            _ if set.scope == SetScope::NextStart => return,
            _ if section.ends_with("read-only") => ("1238", "is read-only"),
            "global" if !global => ("1229", "is set with SET GLOBAL"),
            "session only" if global => ("1228", "is of the session alone"),
            "session set globally" if !global => ("1621", "is set with SET GLOBAL"),
            _ => return,
        };
        self.told.fails("type-mismatch", code, format!("variable '{name}' {detail}"));
    }

    fn assigned_charset(&mut self, charset: Option<&str>) {
        let charset = charset.map(str::to_ascii_lowercase);
        if let Some(name) = charset.filter(|name| !CHARSETS.contains(&name.as_str())) {
            let detail = format!("unknown character set: '{name}'");
            self.told.fails("missing-object", "1115", detail);
        }
    }

    fn assigned_value(&mut self, name: &str, value: &str) {
        let listed = value.chars().all(|c| c.is_ascii_alphanumeric() || "_,- ".contains(c));
        let own: &[&str] =
            if self.is_mariadb() { MARIADB_MODES } else { &["time_truncate_fractional"] };
        let mode = |word: &&str| !MODES.contains(word) && !own.contains(word);
        let unknown_mode = || {
            let mut words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
            listed && words.any(|word| word.parse::<u64>().is_err() && mode(&word))
        };
        let level = |value: &str| {
            ["read-uncommitted", "read-committed", "repeatable-read", "serializable"]
                .contains(&value)
        };
        let switch = ["0", "1", "on", "off", "true", "false"];
        let literal = listed && !value.contains(',');
        let (code, when) = match name {
            "sql_mode" if unknown_mode() => ("1231", "type-mismatch"),
            "transaction_isolation" | "tx_isolation" if literal && !level(value) => {
                ("1231", "type-mismatch")
            }
            "default_storage_engine" | "storage_engine" | "default_tmp_storage_engine"
                if literal && !self.is_engine(value) =>
            {
                ("1286", "missing-object")
            }
            "time_zone" if value.contains('/') => {
                // The tables of time zones are filled by hand.
                let detail = format!("fails if the time zone '{value}' is not loaded");
                return self.told.may_fail("missing-object", "1298", detail);
            }
            _ if SWITCHES.contains(&name) && literal && !switch.contains(&value) => {
                ("1231", "type-mismatch")
            }
            _ if name.ends_with("_timeout") && literal && value.parse::<f64>().is_err() => {
                ("1232", "type-mismatch")
            }
            _ => return,
        };
        let detail = format!("variable '{name}' can't be set to the value of '{value}'");
        self.told.fails(when, code, detail);
    }
}
