//! Accounts, privileges, plugins, transactions: what concerns no table.
//!
//! None of them is modelled, so that whatever they name may be missing. MySQL manual, Statements
//! That Cause an Implicit Commit; measured on MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::Scene;
use crate::sql::ast::{DoBlock, Grant, ObjectKind, Other, Sequence, Set, Transaction};

/// Statements by their first words, and the error if what they name is not there or cannot be done
/// (measured on MariaDB 10.11 and 11.8, MySQL 9.7).
const MISSING: &[(&str, &str, &str)] = &[
    ("alter-instance", "3185", "fails without a keyring"),
    ("alter-role", "1396", "fails if there is no such account"),
    ("alter-server", "1477", "fails if there is no such server"),
    ("alter-user", "1396", "fails if there is no such account"),
    ("create-tablespace", "3121", "fails if the name of the file does not fit"),
    ("deallocate", "1243", "fails if there is no such prepared statement"),
    ("install", "1126", "fails if the library cannot be opened"),
    ("kill", "1094", "fails if there is no such thread"),
    ("rename-user", "1396", "fails if there is no such account"),
    ("set-password", "1133", "fails if there is no such account"),
    ("signal", "1644", "raises a condition"),
    ("uninstall", "1305", "fails if there is no such plugin"),
    ("use", "1049", "fails if there is no such database"),
];

/// First words of statements that commit the open transaction.
const COMMIT: &[&str] = &[
    "create-",
    "alter-",
    "drop-",
    "rename-",
    "set-password",
    "install",
    "uninstall",
    "flush",
    "reset-query-cache",
];

impl Scene<'_> {
    /// Users, roles, plugins and the like.
    pub(super) fn other(&mut self, other: &Other) {
        if COMMIT.iter().any(|start| other.what.starts_with(start)) {
            self.commits();
        }
        if other.what == "alter-event" {
            self.existing_event(&other.names);
        }
        if let Some((_, code, detail)) = MISSING.iter().find(|(what, ..)| *what == other.what) {
            self.told.may_fail("missing-object", code, (*detail).to_owned());
        }
    }

    fn existing_event(&mut self, names: &[crate::sql::ObjectName]) {
        for name in names {
            let full = self.schema().new_name(name);
            let there = self.schema().others.contains_key(&(ObjectKind::Event.as_str(), full));
            if !there && self.schema().complete {
                let detail = format!("unknown event '{name}'");
                self.told.fails("missing-object", "1539", detail);
            }
        }
    }

    /// GRANT and REVOKE want the table and the account.
    pub(super) fn grant(&mut self, grant: &Grant) {
        self.commits();
        if grant.object == ObjectKind::Table {
            for name in &grant.names {
                let known = self.table(name).filter(|found| found.complete);
                let missing = |column: &&crate::sql::Ident| {
                    known.is_some_and(|t| t.column_any_case(column.as_str()).is_none())
                };
                if let Some(column) = grant.columns.iter().find(missing) {
                    let detail = format!("unknown column '{column}' in '{name}'");
                    self.told.fails("missing-column", "1054", detail);
                }
            }
        }
        let (code, detail) = if grant.revoke {
            ("1147", "fails if there is no such grant")
        } else {
            (self.code("1133", "1410"), "fails if there is no such account")
        };
        self.told.may_fail("missing-object", code, detail.to_owned());
        if grant.revoke {
            self.told.may_fail("missing-object", "1141", detail.to_owned());
        }
    }

    /// A sequence of MariaDB is a table to others.
    pub(super) fn create_sequence(&mut self, create: &Sequence) {
        self.commits();
        let name = self.schema().new_name(&create.name);
        let replaces = create.options.iter().any(|option| option == "or replace");
        let there = self.schema().relation(&name).is_some();
        if there && !create.if_exists && !replaces {
            let detail = format!("table '{name}' already exists");
            self.told.fails("duplicate-object", "1050", detail);
        }
    }

    pub(super) fn alter_sequence(&mut self, alter: &Sequence) {
        self.commits();
        if !alter.if_exists {
            let detail = format!("fails if there is no sequence '{}'", alter.name);
            self.told.may_fail("missing-object", "4091", detail);
        }
    }

    /// BEGIN commits what is open. What a transaction is like is said before it begins.
    pub(super) fn transaction(&mut self, transaction: &Transaction) {
        match transaction {
            Transaction::Begin(_) if self.context.in_transaction => self.commits(),
            Transaction::SetMode if self.context.in_transaction => {
                let detail = "transaction characteristics cannot change in a transaction";
                self.told.fails("in-transaction", "1568", detail.to_owned());
            }
            Transaction::RollbackTo(name) | Transaction::Release(name) => {
                let detail = format!("fails if there is no savepoint '{name}'");
                self.told.may_fail("missing-object", "1305", detail);
            }
            Transaction::Begin(_)
            | Transaction::SetMode
            | Transaction::Commit { .. }
            | Transaction::Rollback { .. }
            | Transaction::Savepoint(_)
            | Transaction::Prepare
            | Transaction::FinishPrepared
            | Transaction::SetConstraints => {}
        }
    }

    /// `EXECUTE name` runs what PREPARE made in the session: whether it did is not followed.
    pub(super) fn execute(&mut self, block: &DoBlock) {
        if block.dynamic && block.language != "immediate" {
            let detail = "fails if there is no such prepared statement".to_owned();
            self.told.may_fail("missing-object", "1243", detail);
        }
    }

    /// The binary log is not switched within a transaction (error 1694).
    pub(super) fn set(&mut self, set: &Set) {
        let inside = self.context.in_transaction;
        if inside && set.each().any(|one| one.name == "sql_log_bin") {
            let detail = "cannot modify sql_log_bin inside a transaction".to_owned();
            self.told.fails("in-transaction", "1694", detail);
        }
        for one in set.each() {
            self.assignment(one);
        }
    }
}
