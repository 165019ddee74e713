//! What SQLite 3.35 and later do when they run a statement.
//!
//! In: one statement, the schema it meets, the settings in force. Out: effects. SQLite locks the
//! whole database file: a lock told here stands on the table the statement is about, or on
//! `sqlite_schema` where it is about none.
//!
//! Measured on 3.40.1, 3.46.1, 3.51.3 and 3.54.1 (testdata/servers/sqlite) unless another source is
//! named.

mod add_column;
mod alter;
mod create;
mod data;
mod definition;
mod drop;
mod module;
mod names;
mod rebuild;
mod values;

pub use rebuild::{Rebuild, rebuilds};

use super::collect::Collector;
use super::{Context, During, EffectKind, HeldUntil, LockMode, StatementEffects, TransactionRule};
use crate::schema::{Name, Relation, RelationKind, Schema};
use crate::sql::ast::{
    DmlKind, Maintenance, MaintenanceKind, Persistence, Pragma, Statement, StatementKind,
};
use crate::sql::{Ident, ObjectName, Span};

/// Where the facts of this folder are known from.
const MEASURED: &str = "SQLite 3.40 to 3.54, measured: testdata/servers/sqlite";
/// The result code of everything that is not about the rows.
const SQL_ERROR: &str = "SQLITE_ERROR";
/// The result code of a violated constraint.
const CONSTRAINT: &str = "SQLITE_CONSTRAINT";

/// Returns the effects of one statement.
pub(super) fn effects(
    statement: &Statement,
    schema: &Schema,
    context: &Context,
) -> StatementEffects {
    let mut scene = Scene { told: Collector::new(schema, statement.span, MEASURED), context };
    scene.statement(statement);
    scene.told.out
}

/// A statement that is being looked at, and what is told of it so far.
struct Scene<'a> {
    told: Collector<'a>,
    context: &'a Context,
}

impl<'a> Scene<'a> {
    fn schema(&self) -> &'a Schema {
        self.told.schema
    }

    fn statement(&mut self, statement: &Statement) {
        self.only_reads(&statement.kind);
        match &statement.kind {
            StatementKind::CreateTable(create) => self.create_table(create),
            StatementKind::AlterTable(alter) => self.alter_table(alter),
            StatementKind::CreateIndex(create) => self.create_index(create),
            StatementKind::CreateView(view) => self.create_view(view),
            StatementKind::CreateTrigger(trigger) => self.create_trigger(trigger),
            StatementKind::Drop(drop) => self.drop(drop),
            StatementKind::Reindex(reindex) => self.reindex(reindex),
            StatementKind::Dml(dml) => self.dml(dml),
            StatementKind::Maintenance(maintenance) => match maintenance.kind {
                MaintenanceKind::Vacuum => self.vacuum(maintenance),
                MaintenanceKind::Analyze => self.analyze(&maintenance.tables),
                MaintenanceKind::Cluster
                | MaintenanceKind::Optimize
                | MaintenanceKind::Repair
                | MaintenanceKind::Check
                | MaintenanceKind::Checksum
                | MaintenanceKind::Flush
                | MaintenanceKind::Checkpoint => {}
            },
            StatementKind::Pragma(pragma) => self.pragma(pragma),
            StatementKind::Unknown { reason, .. } => self.unknown(reason),
            StatementKind::AlterIndex(_)
            | StatementKind::Rename(_)
            | StatementKind::SetSchema(_)
            | StatementKind::OwnerTo(_)
            | StatementKind::Comment(_)
            | StatementKind::Grant(_)
            | StatementKind::RefreshMaterializedView(_)
            | StatementKind::CreateSequence(_)
            | StatementKind::AlterSequence(_)
            | StatementKind::CreateType(_)
            | StatementKind::AlterType(_)
            | StatementKind::CreateDomain(_)
            | StatementKind::AlterDomain(_)
            | StatementKind::CreateRoutine(_)
            | StatementKind::AlterRoutine(_)
            | StatementKind::CreateEvent(_)
            | StatementKind::CreateRule(_)
            | StatementKind::Policy(_)
            | StatementKind::CreateSchema(_)
            | StatementKind::Extension(_)
            | StatementKind::Publication(_)
            | StatementKind::Statistics(_)
            | StatementKind::Do(_)
            | StatementKind::Truncate(_)
            | StatementKind::Copy(_)
            | StatementKind::Set(_)
            | StatementKind::SetStatement { .. }
            | StatementKind::Lock(_)
            | StatementKind::Call { .. } => {
                self.told.fails(
                    "no-such-database-feature",
                    SQL_ERROR,
                    "SQLite has no such statement".to_owned(),
                );
            }
            StatementKind::Explain { statement, .. } => self.explain(statement),
            StatementKind::Transaction(_) | StatementKind::Other(_) => {}
        }
    }

    /// EXPLAIN does not run a statement, but looks up its names. What ALTER TABLE finds out when it
    /// runs, reading all definitions again, it does not find out then.
    fn explain(&mut self, statement: &Statement) {
        if let StatementKind::Dml(dml) = &statement.kind {
            self.change(dml);
            return;
        }
        let found = effects(statement, self.schema(), self.context).effects;
        let later = ["dependents-exist", "column-in-use", "in-transaction"];
        let refusal = |effect: &crate::effect::Effect| {
            matches!(&effect.kind, EffectKind::Failure(failure)
                if failure.certain && !later.contains(&failure.when))
        };
        self.told.out.effects.extend(found.into_iter().filter(refusal));
    }

    /// With `query_only` on, nothing is written (sqlite.org/pragma.html#pragma_query_only).
    fn only_reads(&mut self, kind: &StatementKind) {
        let rows = matches!(kind, StatementKind::Dml(dml) if dml.kind != DmlKind::Select);
        let analyze = matches!(kind, StatementKind::Maintenance(found)
            if found.kind == MaintenanceKind::Analyze);
        let changes = matches!(
            kind,
            StatementKind::CreateTable(_)
                | StatementKind::AlterTable(_)
                | StatementKind::CreateIndex(_)
                | StatementKind::CreateView(_)
                | StatementKind::CreateTrigger(_)
                | StatementKind::Drop(_)
                | StatementKind::Reindex(_)
        );
        if (rows || analyze || changes) && self.flag("query_only") == Some(true) {
            let detail = "attempt to write a readonly database".to_owned();
            self.told.fails("read-only", "SQLITE_READONLY", detail);
        }
    }

    /// The grammar takes all that SQLite takes: what it refuses, the server refuses.
    fn unknown(&mut self, reason: &str) {
        self.told.add(EffectKind::Unknown { reason: reason.to_owned() });
        let when = if reason.starts_with("SQLite") { "no-such-database-feature" } else { "syntax" };
        self.told.fails(when, SQL_ERROR, reason.to_owned());
    }

    /// Locks the file for a change of what a table is or holds.
    ///
    /// RESERVED keeps other writers out until the transaction ends. In rollback-journal mode the
    /// commit, and the spill of a full page cache before it, needs EXCLUSIVE: readers are locked
    /// out meanwhile (DROP COLUMN of 400,000 rows: 83 to 100 % of the time). In WAL mode readers
    /// go on, writers wait all the same.
    fn locks(&mut self, table: &Name, cause: &'static str, during: During) {
        let end = if self.context.in_transaction {
            HeldUntil::TransactionEnd
        } else {
            HeldUntil::StatementEnd
        };
        let exclusive = if during == During::Rewrite { during } else { During::Instant };
        self.told.lock(table, LockMode::SqliteReserved, cause, (end, during));
        self.told.lock(table, LockMode::SqliteExclusive, cause, (end, exclusive));
    }

    /// Returns the table that holds the definitions of all others: every change of one writes it.
    fn catalog() -> Name {
        Name::new("main", "sqlite_schema")
    }

    /// Says whether foreign keys are enforced, where the settings tell.
    ///
    /// The default differs by client: off in SQLite itself and its command line, on in libraries
    /// built with `SQLITE_DEFAULT_FOREIGN_KEYS=1`, sqlx among them.
    fn foreign_keys(&self) -> Option<bool> {
        self.flag("foreign_keys")
    }

    fn flag(&self, name: &str) -> Option<bool> {
        let value = self.context.settings.get(name)?;
        match value.to_ascii_lowercase().as_str() {
            "on" | "1" | "true" | "yes" => Some(true),
            "off" | "0" | "false" | "no" => Some(false),
            _ => None,
        }
    }

    /// Returns the table of a name if the schema knows it, and tells the failure if it is known
    /// that there is none.
    fn table(&mut self, name: &ObjectName) -> Option<&'a Relation> {
        let found = self.schema().find(name);
        let index = self.schema().find_index(name).is_some();
        if found.is_none() && (index || self.schema().is_absent(name)) {
            let detail = format!("no such table: {name}");
            self.told.fails("missing-object", SQL_ERROR, detail);
        }
        self.may_miss(name);
        found
    }

    /// Tells of a table that no migration makes: it may be there, and may not.
    fn may_miss(&mut self, name: &ObjectName) {
        let schema = self.schema();
        let other = schema.is_taken(&schema.resolve(name));
        if !other && !schema.is_absent(name) && !is_reserved(name.name()) {
            let detail = format!("table {name} is made by no migration that was read");
            self.told.may_fail("missing-object", SQL_ERROR, detail);
        }
    }

    fn vacuum(&mut self, maintenance: &Maintenance) {
        let options = &maintenance.options;
        let schema = self.schema();
        let there = |name: &str| {
            ["main", "temp"].iter().any(|own| same(own, name))
                || schema.schemas.keys().any(|known| same(known, name))
        };
        if let Some(name) = maintenance.tables.first().filter(|name| !there(name.name())) {
            self.told.fails("missing-object", SQL_ERROR, format!("unknown database {name}"));
        }
        if self.context.in_transaction {
            let detail = "cannot VACUUM from within a transaction".to_owned();
            self.told.fails("in-transaction", SQL_ERROR, detail);
        }
        self.told.out.transaction = TransactionRule::Forbidden;
        let into = options.iter().any(|option| option.starts_with("into"));
        let home = maintenance.tables.first().map_or("main", |name| name.name());
        let here = self.stored_tables().filter(|table| same(&table.name.schema, home));
        let tables: Vec<Name> = here.map(|table| table.name.clone()).collect();
        for table in &tables {
            if into {
                self.told.scan(table, "vacuum");
            } else {
                self.told.rewrite(table, "vacuum");
                self.locks(table, "vacuum", During::Rewrite);
            }
        }
        if !into && tables.is_empty() {
            self.locks(&Self::catalog(), "vacuum", During::Rewrite);
        }
    }

    fn stored_tables(&self) -> impl Iterator<Item = &'a Relation> + use<'a> {
        self.schema().all_relations().filter(|found| {
            found.kind == RelationKind::Table && found.persistence != Persistence::Temporary
        })
    }

    /// ANALYZE reads every index, or the table where it has none, and writes `sqlite_stat1`.
    fn analyze(&mut self, tables: &[ObjectName]) {
        let schema = self.schema();
        let mut names: Vec<Name> = Vec::new();
        // A bare name may be that of a database, and then means all its tables.
        let is_database = |name: &str| {
            ["main", "temp"].iter().any(|own| same(own, name))
                || schema.schemas.keys().any(|known| same(known, name))
        };
        let is_file = |name: &ObjectName| name.schema().is_none() && is_database(name.name());
        let whole = tables.iter().all(is_file);
        for table in tables.iter().filter(|name| !is_file(name)) {
            if Self::is_catalog(table) {
                names.push(Self::catalog());
            } else if let Some((_, owner, _)) = schema.find_index(table) {
                names.push(owner.name.clone());
            } else if let Some(found) = self.table(table) {
                names.push(found.name.clone());
            }
        }
        if whole {
            names.extend(self.stored_tables().map(|table| table.name.clone()));
        }
        for name in &names {
            self.told.scan(name, "analyze");
            self.locks(name, "analyze", During::Scan);
        }
    }

    /// A check of one table wants the table; a number is how many errors are told at most.
    fn checks(&mut self, pragma: &Pragma) {
        let Some(value) = &pragma.value else { return };
        let number = pragma.name != "foreign_key_check" && value.parse::<i64>().is_ok();
        let home = pragma.schema.iter().cloned();
        let name = ObjectName {
            parts: home.chain([Ident::new(value.clone(), Span::default())]).collect(),
        };
        if !number && !Self::is_catalog(&name) && self.schema().is_absent(&name) {
            let detail = format!("no such table: {value}");
            self.told.fails("missing-object", SQL_ERROR, detail);
        }
    }

    fn pragma(&mut self, pragma: &Pragma) {
        let sets = pragma.value.is_some();
        match pragma.name.as_str() {
            "synchronous" if sets && self.context.in_transaction => {
                let detail = "Safety level may not be changed inside a transaction".to_owned();
                self.told.fails("in-transaction", SQL_ERROR, detail);
            }
            "integrity_check" | "quick_check" | "foreign_key_check" => self.checks(pragma),
            // Neither does anything inside a transaction; the walk over the migration tells it.
            "foreign_keys" | "journal_mode" if self.context.in_transaction => {}
            "writable_schema" if sets => {
                let value = pragma.value.clone().unwrap_or_default();
                self.told.add(EffectKind::Session { what: "writable-schema", value });
            }
            "user_version" | "application_id" | "journal_mode" | "wal_checkpoint"
            | "incremental_vacuum"
                if sets =>
            {
                self.locks(&Self::catalog(), "pragma", During::Instant);
            }
            _ => {}
        }
    }
}

/// Says whether a name is one of the server's own.
fn is_reserved(name: &str) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}

/// Says whether two names are the same to SQLite.
fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}
