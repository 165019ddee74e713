//! What MySQL 8.0, 8.4 and 9.x, and MariaDB 10.6 to 11.x, do when they run a statement.
//!
//! In: one statement, the schema it meets, the settings in force. Out: effects, and for ALTER TABLE
//! and index statements the best ALGORITHM and the weakest LOCK the server accepts. The two servers
//! share a grammar and a way of locking; where they differ a function asks [`Scene::is_mariadb`].
//!
//! Measured on MariaDB 10.11.19 and 11.8.9 and on MySQL 9.7.4 (testdata/servers/mariadb, mysql);
//! facts about MySQL 8.0 and 8.4 are from the manual, "Online DDL Operations".

mod administer;
mod alter;
mod alteration;
mod assume;
mod change;
mod compare;
mod compare_index;
mod counter;
mod data;
mod default;
mod decide;
mod decide_mariadb;
mod decide_mysql;
mod definition;
mod foreign_key;
mod object;
mod online;
mod partition;
mod refuse;
mod refuse_engine;
mod refuse_expr;
mod refuse_key;
mod refuse_option;
mod refuse_part;
mod refuse_period;
mod refuse_result;
mod refuse_twice;
mod refuse_use;
mod refuse_written;
mod table;
mod types;
mod values;
mod variables;

use super::collect::Collector;
use super::{
    Context, During, EffectKind, HeldUntil, LockMode, Online, OnlineLock, StatementEffects,
    TransactionRule,
};
use crate::schema::same_in_any_case as same;
use crate::schema::{Demand, Name, Relation, RelationKind, Schema};
use crate::sql::ast::{ObjectKind, Persistence, Statement, StatementKind};
use crate::sql::{ObjectName, ServerKind};

/// Where the facts of this folder are known from.
const MEASURED: &str =
    "MariaDB 10.11, 11.8, MySQL 9.7, measured: testdata/servers; MySQL manual, Online DDL";

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
        match &statement.kind {
            StatementKind::CreateTable(create) => self.create_table(create),
            StatementKind::AlterTable(alter) => self.alter_table(alter),
            StatementKind::CreateIndex(create) => self.create_index(create),
            StatementKind::Drop(drop) => self.drop(drop),
            StatementKind::Rename(rename) => self.rename(rename),
            StatementKind::Truncate(truncate) => self.truncate(truncate),
            StatementKind::CreateView(view) => self.create_view(view),
            StatementKind::CreateTrigger(trigger) => self.create_trigger(trigger),
            StatementKind::CreateRoutine(routine) => self.create_routine(routine),
            StatementKind::CreateEvent(event) => self.create_event(event),
            StatementKind::CreateSchema(create) => self.create_schema(create),
            StatementKind::Dml(dml) => self.dml(dml),
            StatementKind::Maintenance(maintenance) => self.maintenance(maintenance),
            StatementKind::Lock(lock) => self.lock_tables(lock),
            StatementKind::SetStatement { statement, .. } => self.statement(statement),
            StatementKind::Other(other) => self.other(other),
            StatementKind::Unknown { reason, begun, .. } => {
                self.unknown(reason);
                self.refused_before(begun.as_deref());
            }
            StatementKind::AlterRoutine(alter) => {
                self.commits();
                self.existing_routine(&alter.name);
            }
            StatementKind::Call { name } => self.existing_routine(name),
            StatementKind::Grant(grant) => self.grant(grant),
            StatementKind::CreateSequence(create) => self.create_sequence(create),
            StatementKind::AlterSequence(alter) => self.alter_sequence(alter),
            StatementKind::Transaction(transaction) => self.transaction(transaction),
            StatementKind::Set(set) => self.set(set),
            StatementKind::Do(block) => self.execute(block),
            StatementKind::AlterIndex(_)
            | StatementKind::Reindex(_)
            | StatementKind::SetSchema(_)
            | StatementKind::OwnerTo(_)
            | StatementKind::Comment(_)
            | StatementKind::RefreshMaterializedView(_)
            | StatementKind::CreateType(_)
            | StatementKind::AlterType(_)
            | StatementKind::CreateDomain(_)
            | StatementKind::AlterDomain(_)
            | StatementKind::CreateRule(_)
            | StatementKind::Policy(_)
            | StatementKind::Extension(_)
            | StatementKind::Publication(_)
            | StatementKind::Statistics(_)
            | StatementKind::Copy(_)
            | StatementKind::Pragma(_)
            | StatementKind::Explain { .. } => {}
        }
    }

    /// What the grammar does not read, the server refuses before it commits anything.
    fn unknown(&mut self, reason: &str) {
        self.told.add(EffectKind::Unknown { reason: reason.to_owned() });
        let unknown_type = self.is_mariadb() && reason.starts_with("unknown data type");
        let code = if unknown_type { "4161" } else { "1064" };
        self.told.may_fail("syntax", code, reason.to_owned());
    }

    fn is_mariadb(&self) -> bool {
        self.schema().server.kind == ServerKind::Mariadb
    }

    /// Says whether this is MySQL of a version or later.
    fn mysql_since(&self, major: u16, minor: u16, patch: u16) -> bool {
        !self.is_mariadb() && self.schema().server.version.at_least(major, minor, patch)
    }

    /// Says whether this is MariaDB of a version or later.
    fn mariadb_since(&self, major: u16, minor: u16) -> bool {
        self.is_mariadb() && self.schema().server.version.at_least(major, minor, 0)
    }

    /// Returns one of two codes.
    fn code(&self, mariadb: &'static str, mysql: &'static str) -> &'static str {
        if self.is_mariadb() { mariadb } else { mysql }
    }

    /// The statement commits the open transaction, before it and after it.
    fn commits(&mut self) {
        self.told.out.transaction = TransactionRule::CommitsImplicitly;
    }

    /// The server refuses the statement while reading it: nothing is committed.
    fn does_not_commit(&mut self) {
        self.told.out.transaction = TransactionRule::Allowed;
    }

    /// Returns whether a switch is on, where the settings tell.
    fn flag(&self, name: &str) -> Option<bool> {
        let value = self.context.settings.get(name)?;
        match value.to_ascii_lowercase().as_str() {
            "on" | "1" | "true" | "yes" => Some(true),
            "off" | "0" | "false" | "no" => Some(false),
            _ => None,
        }
    }

    /// `foreign_key_checks` is on unless it is switched off.
    fn foreign_key_checks(&self) -> bool {
        self.flag("foreign_key_checks").unwrap_or(true)
    }

    fn has_sql_mode(&self, mode: &str, default: bool) -> bool {
        self.context.settings.get("sql_mode").map_or(default, |modes| {
            let modes = modes.to_ascii_uppercase();
            let traditional = modes.contains("TRADITIONAL");
            traditional || modes.split(',').any(|found| found.trim() == mode)
        })
    }

    /// Both servers are strict unless `sql_mode` says otherwise.
    fn is_strict(&self) -> bool {
        self.has_sql_mode("STRICT_TRANS_TABLES", true)
            || self.has_sql_mode("STRICT_ALL_TABLES", false)
    }

    /// MySQL refuses `0000-00-00` by default, MariaDB does not.
    fn no_zero_date(&self) -> bool {
        self.has_sql_mode("NO_ZERO_DATE", !self.is_mariadb())
    }

    /// Returns a table that the schema knows, and tells the failure if it is known to be absent.
    fn table(&mut self, name: &ObjectName) -> Option<&'a Relation> {
        let found = self.schema().find(name);
        if found.is_none() && self.schema().is_absent(name) {
            let detail = format!("table '{name}' doesn't exist");
            self.told.fails("missing-object", "1146", detail);
        }
        self.may_miss(name, "1146");
        found
    }

    /// Tells of a table that no migration makes: it may be there, and may not.
    fn may_miss(&mut self, name: &ObjectName, code: &'static str) {
        if self.schema().find(name).is_none() && !self.schema().is_absent(name) {
            let detail = format!("table '{name}' is made by no migration that was read");
            self.told.may_fail("missing-object", code, detail);
        }
    }

    /// Takes the metadata lock that every change of a table needs.
    ///
    /// It waits for every transaction that read the table, and all that come later wait behind it.
    fn exclusive(&mut self, table: &Name, cause: &'static str, during: During) {
        self.told.lock(table, LockMode::MdlExclusive, cause, (HeldUntil::StatementEnd, during));
    }

    /// Takes what ALTER TABLE holds while it works, and the exclusive lock at start and end.
    fn online_locks(&mut self, table: &Name, cause: &'static str, online: Online, during: During) {
        let end = HeldUntil::StatementEnd;
        match online.lock {
            OnlineLock::Exclusive => self.exclusive(table, cause, during),
            OnlineLock::Shared => {
                self.exclusive(table, cause, During::Instant);
                if during > During::Instant {
                    self.told.lock(table, LockMode::MdlSharedNoWrite, cause, (end, during));
                }
            }
            OnlineLock::None | OnlineLock::Default => {
                self.exclusive(table, cause, During::Instant);
                if during > During::Instant {
                    self.told.lock(table, LockMode::MdlSharedUpgradable, cause, (end, during));
                }
            }
        }
    }

    /// Tells who waits on the other side of foreign keys.
    ///
    /// A statement that changes rows of a parent opens its children, and the other way round: it
    /// waits while either is locked. MySQL 8.0 and later lock the children of a changed parent
    /// exclusively, since the definition of the key is kept there too.
    fn relatives(&mut self, table: &Name, cause: &'static str) {
        self.parents(table, cause);
        self.children(table, cause);
    }

    fn parents(&mut self, table: &Name, cause: &'static str) {
        let schema = self.schema();
        let end = (HeldUntil::StatementEnd, During::Instant);
        let Some(found) = schema.relation(table) else { return };
        let parents: Vec<Name> = found
            .constraints
            .iter()
            .filter_map(|constraint| constraint.parent())
            .filter(|parent| *parent != table)
            .cloned()
            .collect();
        // MySQL keeps the name of the child with the parent: DROP and RENAME change it there.
        let named = matches!(cause, "drop-table" | "rename-table") && !self.is_mariadb();
        let mode = if named { LockMode::MdlExclusive } else { LockMode::MdlSharedNoWrite };
        for parent in parents {
            self.told.lock(&parent, mode, cause, end);
        }
    }

    fn children(&mut self, table: &Name, cause: &'static str) {
        let schema = self.schema();
        let end = (HeldUntil::StatementEnd, During::Instant);
        let children: Vec<Name> = schema
            .foreign_keys_to(table)
            .into_iter()
            .map(|(child, _)| child.name.clone())
            .filter(|child| child != table)
            .collect();
        let mode =
            if self.is_mariadb() { LockMode::MdlSharedNoWrite } else { LockMode::MdlExclusive };
        for child in children {
            self.told.lock(&child, mode, cause, end);
        }
    }

    /// Says whether a table is one of the session's own.
    fn is_temporary(&self, table: Option<&Relation>) -> bool {
        table.is_some_and(|found| found.persistence == Persistence::Temporary)
    }

    fn breaks_column(&mut self, how: &'static str, table: &Name, column: &str) {
        self.told.breaks(how, ObjectKind::Column, format!("{table}.{column}"), table);
    }

    /// Tells of views and triggers that go on naming something.
    fn leaves_broken(&mut self, table: &Name, column: Option<&str>) {
        let schema = self.schema();
        for view in schema.referrers(table).filter(|found| found.kind == RelationKind::View) {
            let names_it = view.reads.iter().any(|(read, words)| {
                read == table && column.is_none_or(|c| words.iter().any(|word| same(word, c)))
            });
            if names_it {
                self.told.leaves("view-broken", view.name.to_string(), &view.name);
            }
        }
        let Some(column) = column else { return };
        for trigger in schema.relation(table).into_iter().flat_map(|found| &found.triggers) {
            if trigger.columns.iter().any(|word| same(word, column)) {
                self.told.leaves("view-broken", format!("{table}.{}", trigger.name), table);
            }
        }
    }
}

/// Returns an option of a table in lower case.
fn option<'t>(table: &'t Relation, name: &str) -> Option<&'t str> {
    table.options.get(name).map(String::as_str)
}

/// Says whether rows are kept by InnoDB, the default engine of both servers.
fn is_innodb(table: &Relation) -> bool {
    option(table, "engine").is_none_or(|engine| same(engine, "innodb"))
}

/// Says whether a table has foreign keys that change or delete its own rows.
fn has_cascade(table: &Relation) -> bool {
    use crate::sql::ast::ReferentialAction::{Cascade, SetDefault, SetNull};
    table.constraints.iter().any(|constraint| match &constraint.kind {
        Demand::ForeignKey { on_delete, on_update, .. } => {
            matches!(on_delete, Cascade | SetNull | SetDefault)
                || matches!(on_update, Cascade | SetNull | SetDefault)
        }
        Demand::PrimaryKey(_)
        | Demand::Unique(_)
        | Demand::Check(_)
        | Demand::Exclude(_)
        | Demand::NotNull(_) => false,
    })
}
