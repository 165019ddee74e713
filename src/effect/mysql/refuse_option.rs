//! What is refused of table options.
//!
//! MySQL manual, CREATE TABLE; MariaDB manual, Table Options; measured on MariaDB 10.11, 11.8 and
//! MySQL 9.7, testdata/servers.

use super::{Scene, same};
use crate::schema::Relation;

impl Scene<'_> {
    /// Tells what is wrong with an option.
    pub(super) fn table_option(&mut self, before: &Relation, name: &str, value: &str) {
        match name {
            "engine" => {
                self.known_engine(value);
                self.engine_with_keys(before, value);
            }
            "page_compressed" | "encrypted" if !super::is_innodb(before) => {
                self.told.fails("type-mismatch", "1911", format!("unknown option '{name}'"));
            }
            "comment" if value.chars().count() > 2048 => {
                let detail = "the comment of the table is too long (max = 2048)".to_owned();
                self.told.fails("values-do-not-fit", "1628", detail);
            }
            "key_block_size" => self.block_size(before, value),
            "tablespace" if !self.is_mariadb() && !value.starts_with("innodb_") => {
                let detail = format!("fails if there is no tablespace '{value}'");
                self.told.may_fail("missing-object", "3510", detail);
            }
            "encryption" if !self.is_mariadb() && same(value, "y") => {
                let detail = "fails without a keyring".to_owned();
                self.told.may_fail("missing-object", "3185", detail);
            }
            "engine_attribute" | "secondary_engine_attribute"
                if !self.is_mariadb() && super::is_innodb(before) && !value.is_empty() =>
            {
                let detail = format!("the engine does not support {name}");
                self.told.fails("no-such-database-feature", "3981", detail);
            }
            "encrypted" if same(value, "yes") => {
                let detail = "fails without a plugin that has the key".to_owned();
                self.told.may_fail("no-such-database-feature", "1478", detail);
            }
            "sequence" if value != "0" => {
                let detail = "the columns are not those of a sequence".to_owned();
                self.told.may_fail("wrong-object-kind", "4086", detail);
            }
            // MariaDB leaves options that it does not know to the engine.
            _ if self.is_mariadb() && own_engine(before) && !is_option(name) => {
                let ignored = self.has_sql_mode("IGNORE_BAD_TABLE_OPTIONS", false);
                if !ignored {
                    self.told.fails("type-mismatch", "1911", format!("unknown option '{name}'"));
                }
            }
            _ => {}
        }
    }

    /// InnoDB has pages of 1, 2, 4, 8 and 16 KiB, where it is strict.
    fn block_size(&mut self, before: &Relation, value: &str) {
        let known = ["0", "1", "2", "4", "8", "16"].contains(&value);
        let strict = self.flag("innodb_strict_mode").unwrap_or(true);
        if !known && strict && super::is_innodb(before) {
            let detail = format!("InnoDB does not support KEY_BLOCK_SIZE={value}");
            self.told.fails("type-mismatch", "1478", detail);
        }
    }
}

/// Says whether MariaDB, or its InnoDB, has an option of tables.
fn is_option(name: &str) -> bool {
    let own = ["page_compressed", "page_compression_level", "encrypted", "encryption_key_id"];
    let server = [
        "engine",
        "auto_increment",
        "avg_row_length",
        "charset",
        "checksum",
        "collate",
        "comment",
        "connection",
        "data directory",
        "delay_key_write",
        "index directory",
        "insert_method",
        "key_block_size",
        "max_rows",
        "min_rows",
        "pack_keys",
        "page_checksum",
        "password",
        "row_format",
        "sequence",
        "stats_auto_recalc",
        "stats_persistent",
        "stats_sample_pages",
        "storage",
        "table_checksum",
        "tablespace",
        "transactional",
        "union",
    ];
    own.contains(&name) || server.contains(&name)
}

/// Says whether the engine is one that takes no options of its own, or InnoDB.
fn own_engine(table: &Relation) -> bool {
    let known = ["innodb", "aria", "myisam", "memory"];
    super::option(table, "engine").is_none_or(|engine| known.iter().any(|name| same(name, engine)))
}
