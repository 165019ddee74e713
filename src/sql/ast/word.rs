//! What a statement is called in reports: `create-table`, `alter-index`, `insert`.

use super::{DmlKind, MaintenanceKind, ObjectKind, StatementKind, Transaction};

impl StatementKind {
    /// Returns the first words of the statement in lower case with hyphens.
    pub fn word(&self) -> String {
        let pick = |first: bool, yes, no| if first { yes } else { no };
        let word = match self {
            Self::AlterTable(alter) => return verb("alter", alter.object),
            Self::Drop(drop) => return verb("drop", drop.object),
            Self::Rename(rename) => return verb("rename", rename.object),
            Self::SetSchema(set) => return verb("alter", set.object),
            Self::OwnerTo(owner) => return verb("alter", owner.object),
            Self::Explain { statement, .. } => return format!("explain-{}", statement.kind.word()),
            Self::SetStatement { statement, .. } => return statement.kind.word(),
            Self::CreateTable(_) => "create-table",
            Self::CreateIndex(_) => "create-index",
            Self::AlterIndex(_) => "alter-index",
            Self::Reindex(_) => "reindex",
            Self::Comment(_) => "comment",
            Self::Grant(grant) => pick(grant.revoke, "revoke", "grant"),
            Self::CreateView(view) if view.materialized => "create-materialized-view",
            Self::CreateView(_) => "create-view",
            Self::RefreshMaterializedView(_) => "refresh-materialized-view",
            Self::CreateSequence(_) => "create-sequence",
            Self::AlterSequence(_) => "alter-sequence",
            Self::CreateType(_) => "create-type",
            Self::AlterType(_) => "alter-type",
            Self::CreateDomain(_) => "create-domain",
            Self::AlterDomain(_) => "alter-domain",
            Self::CreateRoutine(routine) if routine.aggregate => "create-aggregate",
            Self::CreateRoutine(routine) if routine.procedure => "create-procedure",
            Self::CreateRoutine(_) => "create-function",
            Self::AlterRoutine(_) => "alter-routine",
            Self::CreateTrigger(_) => "create-trigger",
            Self::CreateEvent(_) => "create-event",
            Self::CreateRule(_) => "create-rule",
            Self::Policy(policy) => pick(policy.alter, "alter-policy", "create-policy"),
            Self::CreateSchema(_) => "create-schema",
            Self::Extension(extension) => {
                pick(extension.alter, "alter-extension", "create-extension")
            }
            Self::Publication(publication) => {
                pick(publication.alter, "alter-publication", "create-publication")
            }
            Self::Statistics(statistics) => {
                pick(statistics.alter, "alter-statistics", "create-statistics")
            }
            Self::Do(_) => "do",
            Self::Truncate(_) => "truncate",
            Self::Dml(dml) => dml_word(dml.kind),
            Self::Copy(_) => "copy",
            Self::Transaction(transaction) => transaction_word(transaction),
            Self::Set(_) => "set",
            Self::Lock(lock) => pick(lock.unlock, "unlock-tables", "lock-table"),
            Self::Maintenance(maintenance) => maintenance_word(maintenance.kind),
            Self::Pragma(_) => "pragma",
            Self::Call { .. } => "call",
            Self::Other(other) => other.what,
            Self::Unknown { .. } => "unknown",
        };
        word.to_owned()
    }
}

fn verb(verb: &str, object: ObjectKind) -> String {
    format!("{verb}-{}", object.as_str().replace(' ', "-"))
}

const fn dml_word(kind: DmlKind) -> &'static str {
    match kind {
        DmlKind::Select => "select",
        DmlKind::Insert => "insert",
        DmlKind::Update => "update",
        DmlKind::Delete => "delete",
        DmlKind::Merge => "merge",
        DmlKind::Replace => "replace",
        DmlKind::Load => "load-data",
    }
}

const fn transaction_word(transaction: &Transaction) -> &'static str {
    match transaction {
        Transaction::Begin(_) => "begin",
        Transaction::Commit { .. } => "commit",
        Transaction::Rollback { .. } => "rollback",
        Transaction::Savepoint(_) => "savepoint",
        Transaction::Release(_) => "release-savepoint",
        Transaction::RollbackTo(_) => "rollback-to-savepoint",
        Transaction::Prepare => "prepare-transaction",
        Transaction::FinishPrepared => "finish-prepared",
        Transaction::SetMode => "set-transaction",
        Transaction::SetConstraints => "set-constraints",
    }
}

const fn maintenance_word(kind: MaintenanceKind) -> &'static str {
    match kind {
        MaintenanceKind::Vacuum => "vacuum",
        MaintenanceKind::Analyze => "analyze",
        MaintenanceKind::Cluster => "cluster",
        MaintenanceKind::Optimize => "optimize-table",
        MaintenanceKind::Repair => "repair-table",
        MaintenanceKind::Check => "check-table",
        MaintenanceKind::Checksum => "checksum-table",
        MaintenanceKind::Flush => "flush-tables",
        MaintenanceKind::Checkpoint => "checkpoint",
    }
}
