//! Runs a statement on a schema.
//!
//! Statements that the server would refuse change as much as can be made of them: the linter says
//! elsewhere that they fail, and later statements still find what their author had in mind.

mod alter;
mod create;
mod drop;
mod key_copies;
pub(super) mod mysql;
mod partition;
mod postgres;
mod rename;
mod routine;
mod rows;
mod sqlite;
mod sqlite_bodies;
mod view;

use super::model::Schema;
use crate::sql::ServerKind;
use crate::sql::ast::{Statement, StatementKind, Transaction};

impl Schema {
    /// Changes the schema as the statement would.
    pub fn apply(&mut self, statement: &Statement) {
        match self.server.kind {
            ServerKind::Postgres => {
                self.drawn |= postgres::may_draw(statement);
                postgres::apply(self, statement);
            }
            ServerKind::Mysql | ServerKind::Mariadb => mysql::apply(self, statement),
            ServerKind::Sqlite => sqlite::apply(self, statement),
        }
    }

    /// Opens, ends or takes back a transaction.
    fn apply_transaction(&mut self, transaction: &Transaction) {
        match transaction {
            Transaction::Begin(_) => self.open_level(None),
            Transaction::Commit { chain } => {
                self.commit();
                if *chain {
                    self.open_level(None);
                }
            }
            Transaction::Rollback { chain } => {
                self.roll_back();
                if *chain {
                    self.open_level(None);
                }
            }
            Transaction::Savepoint(name) => self.open_level(Some(name.value.clone())),
            Transaction::Release(name) => self.release(name.as_str()),
            Transaction::RollbackTo(name) => self.roll_back_to(name.as_str()),
            Transaction::Prepare => self.commit(),
            Transaction::FinishPrepared | Transaction::SetMode | Transaction::SetConstraints => {}
        }
    }
}

/// Runs the statements whose words and meaning every server shares, as far as they change a
/// schema; everything else is left to the caller. Says whether it was one of them.
#[expect(clippy::wildcard_enum_match_arm, reason = "the caller matches what is left")]
fn apply_shared(schema: &mut Schema, statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Transaction(transaction) => schema.apply_transaction(transaction),
        StatementKind::CreateView(view) => view::create(schema, view),
        StatementKind::Drop(drop) => drop::apply(schema, drop),
        StatementKind::Rename(rename) => rename::apply(schema, rename),
        StatementKind::Dml(dml) => rows::note_rows(schema, dml),
        StatementKind::Truncate(truncate) => {
            for table in &truncate.tables {
                let name = schema.resolve(table);
                if let Some(relation) = schema.relation_mut(&name) {
                    relation.has_rows = false;
                }
            }
        }
        _ => return false,
    }
    true
}
