//! The ALGORITHM and LOCK that a statement asks for: how it runs then, and what is refused.
//!
//! MySQL manual, ALTER TABLE Statement; MariaDB manual, ALTER TABLE; the errors are measured on
//! MariaDB 10.11, 11.8 and MySQL 9.7, testdata/servers.

use super::Scene;
use super::alteration::Alteration;
use super::change::Changes;
use crate::effect::{Algorithm, Online, OnlineLock};
use crate::sql::ast::{ActionKind, IndexKind, MyAction};

impl Scene<'_> {
    /// Applies the ALGORITHM and LOCK that are written: refuses them, or runs as they say.
    pub(super) fn explicit(
        &mut self,
        alter: &Alteration<'_>,
        best: Online,
        changes: &Changes,
    ) -> Online {
        let mut algorithm: Option<&str> = None;
        let mut lock = alter.online.then_some("NONE");
        for action in &alter.actions {
            if let ActionKind::Mysql(MyAction::Algorithm(written)) = &action.kind {
                self.told.span = action.span;
                algorithm = Some(written.as_str());
            } else if let ActionKind::Mysql(MyAction::Lock(written)) = &action.kind {
                self.told.span = action.span;
                lock = Some(written.as_str());
            }
        }
        self.clauses(algorithm, lock, best, changes)
    }

    /// Returns how the statement runs with these clauses, and tells if the server refuses them.
    pub(super) fn clauses(
        &mut self,
        algorithm: Option<&str>,
        lock: Option<&str>,
        best: Online,
        changes: &Changes,
    ) -> Online {
        let asked = match algorithm {
            Some("INSTANT") => Some(Algorithm::Instant),
            Some("NOCOPY") if self.is_mariadb() => Some(Algorithm::Nocopy),
            Some("INPLACE") => Some(Algorithm::Inplace),
            Some("COPY") => Some(Algorithm::Copy),
            Some(_) | None => None,
        };
        let instant_with_lock = !self.is_mariadb()
            && asked == Some(Algorithm::Instant)
            && lock.is_some_and(|lock| lock != "DEFAULT");
        if instant_with_lock {
            // MySQL 8.0 manual, "ALTER TABLE Statement": only LOCK=DEFAULT goes with INSTANT.
            let detail = "ALGORITHM=INSTANT takes no LOCK but DEFAULT".to_owned();
            self.told.fails("lock-clause-refused", "1221", detail);
            return best;
        }
        let Some(asked) = asked.filter(|_| !changes.ignores_algorithm) else {
            return self.lock_clause(lock, best, changes, false);
        };
        if asked < best.algorithm {
            let detail = format!(
                "ALGORITHM={} is not supported for this operation: try {}",
                asked.as_str(),
                best.algorithm.as_str()
            );
            let index_work = asked == Algorithm::Instant && best.algorithm == Algorithm::Nocopy;
            let fulltext = changes.builds_kind(IndexKind::Fulltext) && !self.is_mariadb();
            let reasoned =
                index_work || fulltext && !changes.unexplained || changes.copies_for_a_reason();
            if changes.lacks_row_version && asked == Algorithm::Instant {
                let detail = "the table has as many row versions as it may have".to_owned();
                self.told.fails("row-version-limit", "4092", detail);
                return best;
            }
            // MariaDB 10.11 looks at LOCK first.
            let lock_first = self.is_mariadb() && lock == Some("NONE");
            let copies = changes.copy_cause.is_some() && changes.switches_keys_beside();
            let locks = lock_first && best.lock == OnlineLock::Shared && copies;
            let code = if reasoned || locks { "1846" } else { "1845" };
            self.told.fails("algorithm-refused", code, detail);
            return best;
        }
        let run = match asked {
            Algorithm::Copy if best.algorithm != Algorithm::Copy => Online {
                algorithm: Algorithm::Copy,
                lock: changes.copy_lock.unwrap_or(OnlineLock::Shared),
                rebuilds: true,
            },
            // MySQL adds and drops columns with INPLACE by a rebuild, though INSTANT would do.
            Algorithm::Inplace if best.algorithm == Algorithm::Instant && !self.is_mariadb() => {
                let rebuilds = changes.add_base || changes.drop_base;
                Online { algorithm: Algorithm::Inplace, lock: OnlineLock::None, rebuilds }
            }
            Algorithm::Instant | Algorithm::Nocopy | Algorithm::Inplace | Algorithm::Copy => best,
        };
        self.lock_clause(lock, run, changes, true)
    }

    fn lock_clause(
        &mut self,
        lock: Option<&str>,
        run: Online,
        changes: &Changes,
        algorithm_asked: bool,
    ) -> Online {
        let asked = match lock {
            Some("NONE") => OnlineLock::None,
            Some("SHARED") => OnlineLock::Shared,
            Some("EXCLUSIVE") => OnlineLock::Exclusive,
            Some(_) | None => return run,
        };
        // MySQL does nothing, or renames, under the exclusive lock alone (measured on 9.7).
        let renamed = Changes { rename_table: false, ..changes.clone() };
        let alone = !self.is_mariadb() && renamed.is_nothing() && run.algorithm != Algorithm::Copy;
        let wanted = if alone { OnlineLock::Exclusive } else { run.lock };
        // Where no ALGORITHM is asked for, MariaDB copies beside writers rather than make them
        // wait.
        let copies_online = self.mariadb_since(11, 2)
            && run.algorithm != Algorithm::Copy
            && run.lock == OnlineLock::Shared
            && !(changes.ignore || changes.add_auto_increment);
        if copies_online && asked == OnlineLock::None && !algorithm_asked {
            let algorithm = Algorithm::Copy;
            return Online { algorithm, lock: OnlineLock::None, rebuilds: true };
        }
        if asked < wanted {
            let detail =
                format!("LOCK={} is not supported: try LOCK={}", asked.as_str(), wanted.as_str());
            // Where COPY is asked for, that is the reason.
            let computes = (changes.add_stored || changes.add_computed_default)
                && !algorithm_asked
                && changes.copy_cause.is_none();
            let checks = changes.add_check && !changes.copies_for_a_reason();
            let unexplained = wanted == OnlineLock::Exclusive
                || if self.is_mariadb() { checks || computes } else { !checks && computes };
            let code = if unexplained { "1845" } else { "1846" };
            self.told.fails("lock-clause-refused", code, detail);
            return run;
        }
        // Any LOCK but DEFAULT makes MySQL leave INSTANT for INPLACE.
        if run.lock == OnlineLock::Default {
            return Online { algorithm: Algorithm::Inplace, lock: asked, ..run };
        }
        Online { lock: asked, ..run }
    }
}
