//! What a connection to SQLite has besides tables: savepoints and attached databases.
//!
//! In: the statements of a migration in their order. Out: the failures of those that name a
//! savepoint or a database that is not there, or attach one that is. A SAVEPOINT outside of a
//! transaction opens one, and its RELEASE commits it (sqlite.org/lang_savepoint.html).

use super::{StatementRun, Walker};
use crate::effect::{Effect, EffectKind, Failure};
use crate::sql::Ident;
use crate::sql::ast::{Other, Pragma, Statement, StatementKind, Transaction};

/// Where the facts of this file are known from.
const MEASURED: &str = "SQLite 3.40 to 3.51, measured: testdata/servers/sqlite";

/// The databases that every connection has.
const OWN: [&str; 2] = ["main", "temp"];

/// The state of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Connection {
    /// Open savepoints, latest last.
    savepoints: Vec<String>,
    /// The first of them opened the transaction.
    opened: bool,
    /// The open transaction wrote something.
    written: bool,
    /// Databases attached by their names.
    attached: Vec<String>,
    /// Databases that the open transaction has named.
    used: Vec<String>,
}

impl Connection {
    fn position(&self, savepoint: &Ident) -> Option<usize> {
        let named = |open: &String| open.eq_ignore_ascii_case(savepoint.as_str());
        self.savepoints.iter().rposition(named)
    }

    fn has(&self, database: &str) -> bool {
        let same = |name: &str| name.eq_ignore_ascii_case(database);
        OWN.into_iter().any(same) || self.attached.iter().any(|name| same(name))
    }
}

fn fails(statement: &Statement, run: &mut StatementRun, when: &'static str, detail: String) {
    let failure = Failure { when, certain: true, detail, code: Some("SQLITE_ERROR") };
    let kind = EffectKind::Failure(failure);
    run.effects.effects.push(Effect { span: statement.span, kind, source: MEASURED });
}

impl Walker<'_> {
    /// Follows savepoints and attached databases.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other statement names a database")]
    pub(super) fn connection(&mut self, statement: &Statement, run: &mut StatementRun) {
        let locks = |effect: &Effect| matches!(effect.kind, EffectKind::Lock(_));
        let wrote = run.effects.effects.iter().any(locks);
        self.connection.written = self.open.is_some() && (self.connection.written || wrote);
        let named = match &statement.kind {
            StatementKind::Pragma(pragma) => {
                self.wal(pragma, statement, run);
                pragma.schema.as_ref().map(Ident::as_str)
            }
            StatementKind::Transaction(transaction) => {
                self.savepoint(transaction, statement, run);
                return;
            }
            StatementKind::Other(other) => {
                self.database(other, statement, run);
                return;
            }
            StatementKind::CreateTable(create) => create.name.schema(),
            StatementKind::CreateView(view) => view.name.schema(),
            StatementKind::CreateTrigger(trigger) => trigger.name.schema(),
            StatementKind::CreateIndex(create) => create.schema.as_ref().map(Ident::as_str),
            StatementKind::Drop(drop) => drop.names.first().and_then(|name| name.schema()),
            StatementKind::AlterTable(alter) => alter.name.schema(),
            StatementKind::Dml(dml) => {
                let mut named = dml.targets.iter().chain(&dml.query.reads);
                named.find_map(|name| name.schema())
            }
            _ => None,
        };
        let named_now = named.filter(|_| run.in_transaction).map(str::to_ascii_lowercase);
        self.connection.used.extend(named_now);
        let makes = matches!(
            statement.kind,
            StatementKind::CreateTable(_)
                | StatementKind::CreateView(_)
                | StatementKind::CreateTrigger(_)
                | StatementKind::CreateIndex(_)
                | StatementKind::Pragma(_)
        );
        let named = named.filter(|_| makes);
        if let Some(name) = named.filter(|name| !self.connection.has(name)) {
            let certain = !self.schema.schemas.keys().any(|known| known.eq_ignore_ascii_case(name));
            let detail = format!("unknown database {name}");
            let code = Some("SQLITE_ERROR");
            let failure = Failure { when: "missing-object", certain, detail, code };
            let kind = EffectKind::Failure(failure);
            run.effects.effects.push(Effect { span: statement.span, kind, source: MEASURED });
        }
    }

    /// Inside a transaction the file goes neither into WAL mode nor out of it: an error, but where
    /// something was written before, the wish is passed over in silence.
    fn wal(&self, pragma: &Pragma, statement: &Statement, run: &mut StatementRun) {
        if pragma.name == "wal_checkpoint" && run.in_transaction && self.connection.written {
            fails(statement, run, "in-transaction", "database table is locked".to_owned());
        }
        let settings = self.settings.in_force();
        let (Some(now), Some(wanted)) = (settings.get("journal_mode"), &pragma.value) else {
            return;
        };
        let into = wanted.eq_ignore_ascii_case("wal");
        let changes = pragma.name == "journal_mode" && into != now.eq_ignore_ascii_case("wal");
        if changes && run.in_transaction && !self.connection.written {
            let way = if into { "into" } else { "out of" };
            let detail = format!("cannot change {way} wal mode from within a transaction");
            fails(statement, run, "in-transaction", detail);
        }
    }

    fn savepoint(
        &mut self,
        transaction: &Transaction,
        statement: &Statement,
        run: &mut StatementRun,
    ) {
        match transaction {
            Transaction::Savepoint(name) => {
                if self.open.is_none() {
                    self.open_by_savepoint(statement.span);
                    self.connection.opened = true;
                    run.in_transaction = true;
                }
                self.connection.savepoints.push(name.value.clone());
            }
            Transaction::Release(name) | Transaction::RollbackTo(name) => {
                let Some(at) = self.connection.position(name) else {
                    let detail = format!("no such savepoint: {name}");
                    fails(statement, run, "missing-object", detail);
                    return;
                };
                let stays = matches!(transaction, Transaction::RollbackTo(_));
                self.connection.savepoints.truncate(at + usize::from(stays));
                if self.connection.opened && self.connection.savepoints.is_empty() {
                    self.connection.opened = false;
                    self.open = None;
                }
            }
            Transaction::Commit { .. } | Transaction::Rollback { .. } => {
                self.connection.savepoints.clear();
                self.connection.used.clear();
                self.connection.opened = false;
            }
            Transaction::Prepare
            | Transaction::Begin(_)
            | Transaction::FinishPrepared
            | Transaction::SetMode
            | Transaction::SetConstraints => {}
        }
    }

    fn database(&mut self, other: &Other, statement: &Statement, run: &mut StatementRun) {
        let Some(name) = other.names.first().map(|name| name.name()) else { return };
        let there = self.connection.has(name);
        match other.what {
            "attach" if there => {
                let detail = format!("database {name} is already in use");
                fails(statement, run, "duplicate-object", detail);
            }
            "attach" => self.connection.attached.push(name.to_owned()),
            "detach" if OWN.into_iter().any(|own| own.eq_ignore_ascii_case(name)) => {
                let detail = format!("cannot detach database {name}");
                fails(statement, run, "wrong-object-kind", detail);
            }
            "detach"
                if there
                    && run.in_transaction
                    && self.connection.used.contains(&name.to_ascii_lowercase()) =>
            {
                fails(statement, run, "in-transaction", format!("database {name} is locked"));
            }
            "detach" if there => {
                self.connection.attached.retain(|found| !found.eq_ignore_ascii_case(name));
            }
            "detach" => {
                fails(statement, run, "missing-object", format!("no such database: {name}"));
            }
            _ => {}
        }
    }
}
