//! Which transaction a statement runs in: the runner's, one that the file opens, or none.
//!
//! PostgreSQL 12 to 18, manual: BEGIN, COMMIT; MySQL 8.0 to 9.x manual, Statements That Cause an
//! Implicit Commit, MariaDB the same; sqlite.org/lang_transaction.html.

use std::collections::BTreeSet;

use super::{StatementRun, Walker, session};
use crate::effect::{Effect, EffectKind, Failure, StatementEffects, TransactionRule};
use crate::schema::Name;
use crate::sql::ast::{Statement, StatementKind, Transaction};
use crate::sql::{ServerKind, Span, TransactionMode};

/// An open transaction and what happened in it so far.
#[derive(Debug, Clone)]
pub(super) struct Open {
    by: Opener,
    /// Tables in use that are locked against readers, and by which statement.
    pub(super) exclusive: Vec<Name>,
    /// Tables in use that are locked against writers.
    pub(super) strong: BTreeSet<Name>,
    /// Tables in use that foreign keys made here reference.
    pub(super) parents: BTreeSet<Name>,
    /// Constraints added NOT VALID: table and name.
    pub(super) not_valid: Vec<(Name, String)>,
    /// Schema changes of tables in use.
    pub(super) schema_changes: usize,
    /// Rows of tables in use were changed.
    pub(super) data_changes: usize,
    /// It was told that long work goes on under its locks.
    pub(super) told_long: bool,
}

/// Who opened a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opener {
    /// The tool that runs the file.
    Runner,
    /// lockwise's runner, for neighbours that allow it.
    Group,
    /// A BEGIN in the file.
    File(Span),
}

impl Open {
    fn new(by: Opener) -> Self {
        Self {
            by,
            exclusive: Vec::new(),
            strong: BTreeSet::new(),
            parents: BTreeSet::new(),
            not_valid: Vec::new(),
            schema_changes: 0,
            data_changes: 0,
            told_long: false,
        }
    }

    /// Returns the BEGIN, if the file has one.
    pub(super) const fn file_begin(&self) -> Option<Span> {
        match self.by {
            Opener::File(span) => Some(span),
            Opener::Runner | Opener::Group => None,
        }
    }
}

/// Notes that the server refuses a statement in a transaction.
///
/// PostgreSQL: error 25001 (`PreventInTransactionBlock`); SQLite: VACUUM
/// (sqlite.org/lang_vacuum.html).
pub(super) fn refuse(statement: &Statement, effects: &mut StatementEffects) {
    let told = effects.effects.iter().any(|effect| match &effect.kind {
        EffectKind::Failure(failure) => failure.when == "in-transaction",
        EffectKind::Lock(_)
        | EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Loss(_)
        | EffectKind::Break { .. }
        | EffectKind::LeftBehind { .. }
        | EffectKind::Declares(_)
        | EffectKind::Session { .. }
        | EffectKind::Unknown { .. } => false,
    });
    if !told {
        let failure = Failure {
            when: "in-transaction",
            certain: true,
            detail: "it cannot run inside a transaction block".to_owned(),
            code: Some("25001"),
        };
        effects.effects.push(Effect {
            span: statement.span,
            kind: EffectKind::Failure(failure),
            source: "PostgreSQL: error 25001, measured on 12 to 18",
        });
    }
}

impl Walker<'_> {
    /// Opens what the tool opens around the whole file.
    pub(super) fn start(&mut self) {
        if self.mode == TransactionMode::Wrapped {
            self.begin(Opener::Runner);
        }
    }

    fn begin(&mut self, by: Opener) {
        self.open = Some(Open::new(by));
        if !matches!(by, Opener::File(_)) {
            self.replay(Transaction::Begin(Vec::new()));
        }
    }

    /// Opens a transaction by a SAVEPOINT outside of one (SQLite).
    pub(super) fn open_by_savepoint(&mut self, span: Span) {
        self.begin(Opener::File(span));
    }

    /// Runs a transaction command on the schema that stands in no file.
    fn replay(&mut self, transaction: Transaction) {
        let kind = StatementKind::Transaction(transaction);
        self.schema.apply(&Statement { span: Span::default(), kind });
    }

    pub(super) fn open_group(&mut self) {
        if self.open.is_none() {
            self.begin(Opener::Group);
        }
    }

    pub(super) fn close_group(&mut self) {
        if self.open.take().is_some() {
            self.replay(Transaction::Commit { chain: false });
            self.settings.transaction_ends();
        }
    }

    /// Outside of transactions each statement commits by itself.
    pub(super) fn autocommit(&mut self, statement: &Statement) {
        if !super::settings::is_setting(&statement.kind) {
            self.replay(Transaction::Commit { chain: false });
        }
    }

    /// Follows transaction commands and settings.
    pub(super) fn command(&mut self, statement: &Statement, run: &mut StatementRun) {
        if self.kind() == ServerKind::Sqlite {
            self.connection(statement, run);
        }
        if let StatementKind::Transaction(transaction) = &statement.kind {
            self.transaction(transaction, statement.span, run);
        } else if let StatementKind::Set(set) = &statement.kind {
            self.set(set, statement, run);
        } else if let StatementKind::Pragma(pragma) = &statement.kind {
            self.pragma(pragma, statement, run);
        }
    }

    fn transaction(&mut self, transaction: &Transaction, span: Span, run: &mut StatementRun) {
        match transaction {
            Transaction::Begin(_) => {
                let nested = self.open.as_ref().map(|open| open.by);
                self.sqlite_transaction(nested, true, span, run);
                self.complain_about_begin(nested, span, run);
                self.settings.transaction_ends();
                self.begin(Opener::File(span));
                run.in_transaction = true;
            }
            Transaction::Commit { chain } | Transaction::Rollback { chain } => {
                let by = self.open.take().map(|open| open.by);
                self.sqlite_transaction(by, false, span, run);
                self.complain_about_end(by, span, run);
                self.settings.transaction_ends();
                if *chain {
                    self.begin(Opener::File(span));
                }
            }
            Transaction::Prepare => {
                self.open = None;
                self.settings.transaction_ends();
            }
            Transaction::Savepoint(_)
            | Transaction::Release(_)
            | Transaction::RollbackTo(_)
            | Transaction::FinishPrepared
            | Transaction::SetMode
            | Transaction::SetConstraints => {}
        }
    }

    /// SQLite refuses a BEGIN inside a transaction that the file opened, and a COMMIT or ROLLBACK
    /// outside of one (sqlite.org/lang_transaction.html, section 2).
    fn sqlite_transaction(
        &self,
        by: Option<Opener>,
        begins: bool,
        span: Span,
        run: &mut StatementRun,
    ) {
        let open = matches!(by, Some(Opener::File(_)));
        if self.kind() != ServerKind::Sqlite || open != begins || by.is_some() && !open {
            return;
        }
        let detail = if begins {
            "cannot start a transaction within a transaction"
        } else {
            "cannot commit or roll back: no transaction is active"
        };
        let failure = Failure {
            when: if begins { "in-transaction" } else { "missing-object" },
            certain: true,
            detail: detail.to_owned(),
            code: Some("SQLITE_ERROR"),
        };
        let source = "sqlite.org/lang_transaction.html, section 2";
        let kind = EffectKind::Failure(failure);
        run.effects.effects.push(Effect { span, kind, source });
    }

    fn complain_about_begin(&mut self, by: Option<Opener>, span: Span, run: &mut StatementRun) {
        let what = match by {
            Some(Opener::Runner) => "transaction-in-wrapped-file",
            Some(Opener::File(_)) => "begin-inside-transaction",
            Some(Opener::Group) | None => return,
        };
        if self.told.insert("transaction-nesting") {
            run.effects.effects.push(session(span, what, "BEGIN"));
        }
    }

    fn complain_about_end(&mut self, by: Option<Opener>, span: Span, run: &mut StatementRun) {
        let what = match by {
            Some(Opener::Runner) => "transaction-in-wrapped-file",
            None => "end-without-begin",
            Some(Opener::Group | Opener::File(_)) => return,
        };
        if self.told.insert("transaction-nesting") {
            run.effects.effects.push(session(span, what, "COMMIT"));
        }
    }

    /// MySQL and MariaDB commit what is open at nearly every DDL statement (MySQL manual, 15.3.3).
    pub(super) fn implicit_commit(&mut self, statement: &Statement, run: &mut StatementRun) {
        if run.effects.transaction != TransactionRule::CommitsImplicitly {
            return;
        }
        let Some(open) = self.open.take() else { return };
        self.settings.transaction_ends();
        let promised = match open.by {
            Opener::File(_) => true,
            // The tool's transaction is no promise of the author's, unless rows went before.
            Opener::Runner | Opener::Group => open.data_changes > 0,
        };
        if promised && self.told.insert("ddl-commits-transaction") {
            let effect = session(statement.span, "ddl-commits-transaction", "COMMIT");
            run.effects.effects.push(effect);
        }
    }

    /// Tells what is open at the end of the file, and commits what the tool opened.
    pub(super) fn finish(&mut self) {
        let Some(open) = self.open.take() else { return };
        if let Opener::File(begin) = open.by {
            self.out.migration.push(session(begin, "uncommitted-transaction", "BEGIN"));
        }
        // Later files are written for what the author meant, so the schema keeps the changes.
        self.replay(Transaction::Commit { chain: false });
        self.settings.transaction_ends();
    }

    /// Says whether the server is PostgreSQL, whose locks last until the transaction ends.
    pub(super) fn is_postgres(&self) -> bool {
        self.kind() == ServerKind::Postgres
    }
}
