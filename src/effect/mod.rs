//! A statement and the schema before it to effects: what the server will do, and no opinion.
//!
//! In: one statement, the schema it meets, the transaction it runs in. Out: [`Effect`]s in the
//! order they happen. Knows nothing of rules or severities. A statement it does not know gives
//! [`EffectKind::Unknown`].

pub mod words;
mod collect;
mod model;
mod postgres;
mod mysql;
mod sqlite;
mod declare;
mod walk;
mod set;

pub use model::*;
pub use set::{Branch, Chain, FileState, Member, told_by_set};
pub use sqlite::{Rebuild, rebuilds};
pub(crate) use walk::standing;
pub use walk::{MigrationEffects, StatementRun, WalkOptions, is_settled, settle, walk, walk_each};

use crate::schema::Schema;
use crate::sql::ServerKind;
use crate::sql::ast::Statement;

/// What surrounds a statement.
#[derive(Debug, Clone)]
pub struct Context {
    /// The statement runs inside a transaction block, opened by the file or by the runner.
    pub in_transaction: bool,
    /// Settings in force by lower-case name, as far as the SQL sets them: `timezone`, `sql_mode`,
    /// `foreign_key_checks`, `lock_timeout`, `foreign_keys`, …
    pub settings: std::collections::BTreeMap<String, String>,
}

/// Returns what a server does when it runs a statement on a schema.
pub fn of(statement: &Statement, schema: &Schema, context: &Context) -> StatementEffects {
    match schema.server.kind {
        ServerKind::Postgres => postgres::effects(statement, schema, context),
        ServerKind::Mysql | ServerKind::Mariadb => mysql::effects(statement, schema, context),
        ServerKind::Sqlite => sqlite::effects(statement, schema, context),
    }
}
