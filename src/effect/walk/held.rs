//! Locks that a transaction keeps while later statements run (PostgreSQL).
//!
//! A lock is kept to the end of the transaction (PostgreSQL 12 to 18, manual: Explicit Locking). So
//! a short ALTER TABLE becomes a long outage when a scan, an index build or a data change follows
//! it in the same transaction.

use super::settings::strong_locks;
use super::{StatementRun, Walker, session};
use crate::effect::{During, Effect, LockMode, Subject, TableState};
use crate::schema::Name;
use crate::sql::Span;
use crate::sql::ast::{ActionKind, AlterTable, DmlKind, PgAction, Statement, StatementKind};

/// The longest thing that a statement does to a table in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Scan,
    DataChange,
    IndexBuild,
    Rewrite,
}

impl Walker<'_> {
    /// Tells what a statement does under the locks of earlier ones, and notes its own.
    pub(super) fn held(&mut self, statement: &Statement, run: &mut StatementRun) {
        if !self.is_postgres() || self.open.is_none() || !run.in_transaction {
            return;
        }
        let work = work(run);
        let changes_data = changes_data(statement, run);
        let strong: Vec<Name> = strong_locks(run).map(|lock| lock.relation.name.clone()).collect();
        let exclusive: Vec<Name> = strong_locks(run)
            .filter(|lock| lock.mode == LockMode::AccessExclusive)
            .map(|lock| lock.relation.name.clone())
            .collect();
        let parents: Vec<Name> = foreign_key_parents(run);
        let Some(open) = self.open.as_mut() else { return };
        let span = statement.span;
        let mut tell = |what: &'static str, value: String| {
            run.effects.effects.push(session(span, what, value));
        };
        if let (Some(work), Some(held)) = (work, open.exclusive.first()) {
            // The lock and the length are told once; a build or a rewrite more is another matter.
            let once = matches!(work, Work::Scan | Work::DataChange);
            if !once || !std::mem::replace(&mut open.told_long, true) {
                tell(work.word(), held.to_string());
            }
        }
        let before = open.strong.len();
        open.strong.extend(strong.iter().cloned());
        if before == 1 && open.strong.len() > before && self.told.insert("several-tables-locked") {
            let tables: Vec<String> = open.strong.iter().map(Name::to_string).collect();
            tell("several-tables-locked", tables.join(", "));
        }
        let before = open.parents.len();
        open.parents.extend(parents);
        if before == 1 && open.parents.len() > before && self.told.insert("several-foreign-keys") {
            let tables: Vec<String> = open.parents.iter().map(Name::to_string).collect();
            tell("several-foreign-keys", tables.join(", "));
        }
        if changes_data {
            open.data_changes += 1;
            if open.schema_changes > 0 && self.told.insert("mixed-schema-and-data") {
                tell("mixed-schema-and-data", String::new());
            }
        } else if !strong.is_empty() {
            open.schema_changes += 1;
            if open.data_changes > 0 && self.told.insert("mixed-schema-and-data") {
                tell("mixed-schema-and-data", String::new());
            }
        }
        for name in exclusive {
            if !open.exclusive.contains(&name) {
                open.exclusive.push(name);
            }
        }
        if let StatementKind::AlterTable(alter) = &statement.kind {
            self.validations(alter, span, run);
        }
    }

    /// NOT VALID and VALIDATE in one transaction hold the lock of the first during the scan.
    fn validations(&mut self, alter: &AlterTable, span: Span, run: &mut StatementRun) {
        let table = self.schema.resolve(&alter.name);
        let Some(open) = self.open.as_mut() else { return };
        for action in &alter.actions {
            if let ActionKind::AddConstraint(constraint) = &action.kind {
                let name = constraint.name.as_ref().filter(|_| constraint.not_valid);
                open.not_valid.extend(name.map(|name| (table.clone(), name.value.clone())));
            } else if let ActionKind::Postgres(PgAction::ValidateConstraint { name }) = &action.kind
            {
                let key = (table.clone(), name.value.clone());
                if open.not_valid.contains(&key) {
                    let at = if action.span.is_empty() { span } else { action.span };
                    let value = name.value.clone();
                    let effect = session(at, "validate-in-same-transaction", value);
                    run.effects.effects.push(effect);
                }
            }
        }
    }
}

impl Work {
    const fn word(self) -> &'static str {
        match self {
            Self::Scan => "scan-while-holding",
            Self::DataChange => "data-change-while-holding",
            Self::IndexBuild => "index-build-while-holding",
            Self::Rewrite => "rewrite-while-holding",
        }
    }
}

fn work(run: &StatementRun) -> Option<Work> {
    let in_use = |subject: &Subject| subject.state == TableState::Existing;
    let each = super::standing(&run.effects.effects, &run.excused).filter_map(|effect| {
        if let Some((relation, during)) = effect.work() {
            let work = match during {
                During::Rewrite => Work::Rewrite,
                During::IndexBuild => Work::IndexBuild,
                During::Scan | During::Instant => Work::Scan,
            };
            return in_use(relation).then_some(work);
        }
        let lock = effect.lock()?;
        let bulk = matches!(lock.cause, "update" | "delete" | "merge");
        (bulk && in_use(&lock.relation)).then_some(Work::DataChange)
    });
    each.max()
}

/// Says whether a statement changes rows of a table in use, other than by listing new ones.
fn changes_data(statement: &Statement, run: &StatementRun) -> bool {
    let StatementKind::Dml(dml) = &statement.kind else { return false };
    let bulk = match dml.kind {
        DmlKind::Update | DmlKind::Delete | DmlKind::Merge => true,
        DmlKind::Insert | DmlKind::Replace => dml.from_query,
        DmlKind::Load => true,
        DmlKind::Select => false,
    };
    bulk && run.effects.effects.iter().filter_map(Effect::lock).any(|lock| {
        lock.relation.state == TableState::Existing
            && matches!(lock.cause, "update" | "delete" | "merge" | "insert")
    })
}

/// Returns the tables in use that a new foreign key of this statement references.
fn foreign_key_parents(run: &StatementRun) -> Vec<Name> {
    strong_locks(run)
        .filter(|lock| {
            matches!(
                lock.cause,
                "add-foreign-key-parent" | "create-table-foreign-key" | "add-column-foreign-key"
            )
        })
        .map(|lock| lock.relation.name.clone())
        .collect()
}
