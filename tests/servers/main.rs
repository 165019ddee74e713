//! Lint, plan, approve, apply and roll back on real servers: SQLite, PostgreSQL and MariaDB.
//!
//! The servers come from `tests/run`, which sets `LOCKWISE_TEST_POSTGRES` and
//! `LOCKWISE_TEST_MARIADB` to the URLs of logins that may create databases, and with
//! `tests/run --with-mysql` also `LOCKWISE_TEST_MYSQL`. Every test makes a
//! database of its own and drops it. Tests of failures bear the number of the failure:
//!
//! | number | what goes wrong |
//! |---|---|
//! | f01 | a statement waits for a lock, and everybody else queues up behind it |
//! | f02 | a concurrent build or its kin fails and leaves something invalid behind |
//! | f03 | a run that waits for the migration lock makes a concurrent build a deadlock victim |
//! | f04 | a lock stays after a crash, or nobody knows who holds it |
//! | f05 | a pooler lends the session to others |
//! | f06 | every statement commits by itself, and an error may have had an effect |
//! | f07 | a crash between a statement and its journal row; the server goes on alone |
//! | f08 | the connection breaks at COMMIT: did it happen? |
//! | f09 | metadata locks; an ALTER that degrades to a copy |
//! | f10 | replicas fall behind |
//! | f11 | a vacuum against wraparound does not give way |
//! | f12 | line ends and comments change the checksum of a file |
//! | f13 | two branches add the same version, or a lower one |
//! | f14 | clocks disagree |
//! | f15 | an applied migration is edited |
//! | f16 | the runner itself reorders statements, or reports what is not so |
//! | f17 | SQLite: deferred transactions, pragmas that do nothing, a full disk |
//! | f18 | a rollback takes back more than was meant |
//! | f19 | the run is asked to end in the middle |
//! | f20 | statements that refuse a transaction |

#![expect(clippy::unwrap_used, reason = "a test says by panicking that something is wrong")]
#![expect(clippy::panic, reason = "a test says by panicking that something is wrong")]

mod adopt;
mod approvals;
mod attic;
mod backfill;
mod bad_input;
mod clients;
mod crashes;
mod cuts;
mod leftovers;
mod hand_over;
mod history;
mod lifecycle;
mod limits;
mod locks;
mod many;
mod own;
mod pooler;
mod proxy;
mod page;
mod plan_files;
mod review;
mod support;
mod surroundings;
mod targets;
mod telemetry;
mod ways_back;
