//! Settings in force at a statement, and what is wrong with them.

use std::collections::BTreeMap;

use super::{StatementRun, Walker, session, standing};
use crate::effect::{Declaration, During, Effect, EffectKind, Lock, Subject, TableState};
use crate::sql::ServerKind;
use crate::sql::ast::{ObjectKind, Pragma, Set, SetScope, Statement, StatementKind};

/// What the session and the transaction have set.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    kind: ServerKind,
    initial: BTreeMap<String, String>,
    session: BTreeMap<String, String>,
    local: BTreeMap<String, String>,
}

impl Settings {
    pub(super) fn new(kind: ServerKind, initial: BTreeMap<String, String>) -> Self {
        Self { kind, session: initial.clone(), initial, local: BTreeMap::new() }
    }

    /// lockwise's own runner gives up a wait for a lock in time and tries again, whatever the
    /// files say.
    pub(super) fn runner_sets_timeouts(&mut self) {
        for name in ["lock_timeout", "lock_wait_timeout", "idle_in_transaction_session_timeout"] {
            self.session.entry(name.to_owned()).or_insert_with(|| "3s".to_owned());
            self.initial.entry(name.to_owned()).or_insert_with(|| "3s".to_owned());
        }
    }

    /// Returns every setting by its name.
    pub(super) fn in_force(&self) -> BTreeMap<String, String> {
        let mut all = self.session.clone();
        all.extend(self.local.iter().map(|(name, value)| (name.clone(), value.clone())));
        all
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.local.get(name).or_else(|| self.session.get(name)).map(String::as_str)
    }

    /// Forgets what was set for the transaction that ends.
    pub(super) fn transaction_ends(&mut self) {
        self.local.clear();
    }

    fn set(&mut self, set: &Set, in_transaction: bool) {
        if set.name == "all" && set.value.is_none() {
            self.session = self.initial.clone();
            self.local.clear();
            return;
        }
        let target = match set.scope {
            SetScope::Local if !in_transaction => return,
            SetScope::Local => &mut self.local,
            SetScope::Session => {
                self.local.remove(&set.name);
                &mut self.session
            }
            SetScope::Global | SetScope::NextStart | SetScope::Statement => return,
        };
        let value = set.value.clone().filter(|value| !value.eq_ignore_ascii_case("default"));
        match value.or_else(|| self.initial.get(&set.name).cloned()) {
            Some(value) => target.insert(set.name.clone(), value),
            None => target.remove(&set.name),
        };
    }

    /// Returns a timeout in milliseconds: none when it is not set, 0 when it is switched off.
    fn milliseconds(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(|value| milliseconds(value, self.kind))
    }

    /// Names the setting that ends a wait for a table lock.
    const fn lock_timeout(&self) -> Option<&'static str> {
        match self.kind {
            ServerKind::Postgres => Some("lock_timeout"),
            ServerKind::Mysql | ServerKind::Mariadb => Some("lock_wait_timeout"),
            ServerKind::Sqlite => None,
        }
    }

    /// Says whether a wait for a table lock ends by itself. SQLite's busy timeout is the client's.
    pub(super) fn has_lock_timeout(&self) -> bool {
        self.lock_timeout().is_none_or(|name| self.is_on(name))
    }

    fn is_on(&self, name: &str) -> bool {
        self.milliseconds(name).is_some_and(|value| value > 0)
    }
}

/// Reads `3s`, `500`, `'1 min'`. A bare number counts milliseconds in PostgreSQL (manual, 20.1.1)
/// and seconds in MySQL and MariaDB (`lock_wait_timeout`).
fn milliseconds(value: &str, kind: ServerKind) -> Option<u64> {
    let value = value.trim().trim_matches('\'').trim();
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let factor = match (unit.trim().to_ascii_lowercase().as_str(), kind.is_mysql_family()) {
        ("", true) | ("s", _) => 1_000,
        ("" | "ms", _) => 1,
        ("us", _) => return Some(number / 1_000),
        ("min", _) => 60_000,
        ("h", _) => 3_600_000,
        ("d", _) => 86_400_000,
        _ => return None,
    };
    Some(number.saturating_mul(factor))
}

impl Walker<'_> {
    /// Takes over a SET, RESET or PRAGMA and tells what is wrong with it.
    pub(super) fn set(&mut self, set: &Set, statement: &Statement, run: &mut StatementRun) {
        for one in set.each() {
            let outside = one.scope == SetScope::Local && !run.in_transaction;
            if outside && self.kind() == ServerKind::Postgres {
                let value = one.name.clone();
                let effect = session(statement.span, "set-local-outside-transaction", value);
                run.effects.effects.push(effect);
            }
            self.settings.set(one, run.in_transaction);
            self.judge_timeout(&one.name, statement, run);
        }
    }

    fn judge_timeout(&mut self, name: &str, statement: &Statement, run: &mut StatementRun) {
        let lock_timeout = self.settings.lock_timeout();
        let is_lock_timeout = lock_timeout == Some(name);
        if !is_lock_timeout && name != "statement_timeout" {
            return;
        }
        let span = statement.span;
        if is_lock_timeout {
            match self.settings.milliseconds(name) {
                Some(0) => run.effects.effects.push(session(span, "lock-timeout-zero", name)),
                Some(value) => run.effects.effects.push(timeout(statement, name, value)),
                None => {}
            }
            if self.told.contains("missing-lock-timeout") && self.settings.is_on(name) {
                run.effects.effects.push(session(span, "lock-timeout-after", name));
            }
        }
        let of = |name: &str| self.settings.milliseconds(name).filter(|&value| value > 0);
        if let (Some(lock), Some(whole)) = (lock_timeout.and_then(of), of("statement_timeout"))
            && lock >= whole
            && self.kind() == ServerKind::Postgres
        {
            let value = format!("lock_timeout {lock} ms, statement_timeout {whole} ms");
            run.effects.effects.push(session(span, "timeout-inversion", value));
        }
    }

    /// Takes over a PRAGMA (SQLite).
    pub(super) fn pragma(
        &mut self,
        pragma: &Pragma,
        statement: &Statement,
        run: &mut StatementRun,
    ) {
        let Some(value) = &pragma.value else { return };
        let ignored = matches!(pragma.name.as_str(), "foreign_keys" | "journal_mode");
        if ignored && run.in_transaction {
            // SQLite manual, "PRAGMA foreign_keys": a no-op within a transaction.
            let value = format!("{} = {value}", pragma.name);
            run.effects.effects.push(session(statement.span, "pragma-in-transaction", value));
            return;
        }
        self.settings.session.insert(pragma.name.clone(), value.clone());
    }

    /// Tells of strong locks that nothing ends in time.
    pub(super) fn timeouts(&mut self, statement: &Statement, run: &mut StatementRun) {
        let locks: Vec<Lock> = strong_locks(run).cloned().collect();
        let Some(lock) = locks.first() else { return };
        let Some(setting) = self.settings.lock_timeout() else { return };
        let table = lock.relation.name.to_string();
        if !self.settings.is_on(setting) && self.told.insert("missing-lock-timeout") {
            run.effects.effects.push(session(
                statement.span,
                "missing-lock-timeout",
                table.clone(),
            ));
        }
        let works = |effect: &Effect| {
            let filled = |subject: &Subject| {
                matches!(subject.state, TableState::Existing | TableState::NewFilled)
            };
            effect.work().is_some_and(|(subject, _)| filled(subject))
        };
        let slow = locks.iter().any(|lock| lock.during > During::Instant)
            && standing(&run.effects.effects, &run.excused).any(works);
        if slow
            && self.kind() == ServerKind::Postgres
            && !self.settings.is_on("statement_timeout")
            && self.told.insert("missing-statement-timeout")
        {
            run.effects.effects.push(session(statement.span, "missing-statement-timeout", table));
        }
        self.idle_timeout(run);
    }

    /// A transaction that the file opens by itself may be left open by a person or a lost client.
    fn idle_timeout(&mut self, run: &mut StatementRun) {
        let Some(begin) = self.open.as_ref().and_then(super::transaction::Open::file_begin) else {
            return;
        };
        let setting = "idle_in_transaction_session_timeout";
        if self.kind() == ServerKind::Postgres
            && !self.settings.is_on(setting)
            && self.told.insert("missing-idle-timeout")
        {
            run.effects.effects.push(session(begin, "missing-idle-timeout", setting));
        }
    }
}

fn timeout(statement: &Statement, name: &str, value: u64) -> Effect {
    let declaration = Declaration {
        what: "lock-timeout",
        object: ObjectKind::Parameter,
        name: name.to_owned(),
        value: format!("{value} ms"),
        number: Some(value),
        state: TableState::Existing,
    };
    let source = "PostgreSQL manual, 20.11 lock_timeout; MySQL manual, lock_wait_timeout";
    Effect { span: statement.span, kind: EffectKind::Declares(declaration), source }
}

/// Returns the locks of a statement that stop readers or writers of a table in use. Data changes
/// are no such locks: they only stop each other.
pub(super) fn strong_locks(run: &StatementRun) -> impl Iterator<Item = &Lock> {
    run.effects.effects.iter().filter_map(|effect| match &effect.kind {
        EffectKind::Lock(lock) => {
            let in_use = lock.relation.state == TableState::Existing;
            let strong = lock.mode.blocks_writes() && !is_data_change(lock.cause);
            // An index on its own is locked for a moment at the end of concurrent work.
            (in_use && strong && !lock.index).then_some(lock)
        }
        EffectKind::Rewrite { .. }
        | EffectKind::Scan { .. }
        | EffectKind::IndexBuild { .. }
        | EffectKind::Loss(_)
        | EffectKind::Break { .. }
        | EffectKind::Failure(_)
        | EffectKind::LeftBehind { .. }
        | EffectKind::Declares(_)
        | EffectKind::Session { .. }
        | EffectKind::Unknown { .. } => None,
    })
}

fn is_data_change(cause: &str) -> bool {
    matches!(cause, "insert" | "update" | "delete" | "merge" | "copy" | "select")
}

/// Says whether a statement only sets something for the session.
pub(super) const fn is_setting(kind: &StatementKind) -> bool {
    matches!(kind, StatementKind::Set(_) | StatementKind::Pragma(_) | StatementKind::Transaction(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_with_their_units() {
        let pg = |value: &str| milliseconds(value, ServerKind::Postgres);
        assert_eq!(pg("3s"), Some(3_000));
        assert_eq!(pg("500"), Some(500));
        assert_eq!(pg("'1 min'"), Some(60_000));
        assert_eq!(pg("0"), Some(0));
        assert_eq!(pg("soon"), None);
        assert_eq!(milliseconds("5", ServerKind::Mariadb), Some(5_000));
    }
}
