//! Functions, procedures, triggers, events and anonymous blocks.

use super::Statement;
use super::expr::{DataType, Expr};
use crate::sql::name::{Ident, ObjectName};
use crate::sql::source::Span;

/// `CREATE FUNCTION` and `CREATE PROCEDURE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRoutine {
    /// The routine.
    pub name: ObjectName,
    /// A procedure.
    pub procedure: bool,
    /// An aggregate function (MariaDB) or `CREATE AGGREGATE`.
    pub aggregate: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS` (MySQL, MariaDB).
    pub if_not_exists: bool,
    /// Argument types in order.
    pub arguments: Vec<DataType>,
    /// The return type, if it has one.
    pub returns: Option<DataType>,
    /// The types of the columns of `RETURNS TABLE (…)` (PostgreSQL).
    pub returns_table: Vec<DataType>,
    /// Lower-case language; `sql` for MySQL bodies.
    pub language: String,
    /// `IMMUTABLE` / `STABLE` / `VOLATILE`; volatile where nothing is written.
    pub volatility: Volatility,
    /// `SECURITY DEFINER` (PostgreSQL), `SQL SECURITY DEFINER` or nothing (MySQL).
    pub security_definer: bool,
    /// `SET search_path …` on the function.
    pub sets_search_path: bool,
    /// `DEFINER=…` (MySQL).
    pub definer: Option<String>,
    /// Where the body stands.
    pub body: Span,
    /// The statements of a plain SQL body, of `BEGIN ATOMIC` and `RETURN` (PostgreSQL), as far as
    /// they could be read.
    pub statements: Vec<Statement>,
    /// `RETURN …` or `BEGIN ATOMIC`: parsed, and its dependencies recorded, when created.
    pub parsed_body: bool,
}

/// How a function's result may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Volatility {
    /// Depends on its arguments only.
    Immutable,
    /// The same within one statement.
    Stable,
    /// May differ at every call.
    #[default]
    Volatile,
}

/// `ALTER FUNCTION` / `PROCEDURE` / `ROUTINE` options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterRoutine {
    /// What kind: function, procedure or routine.
    pub object: super::ObjectKind,
    /// The routine.
    pub name: ObjectName,
    /// Its types, where written (PostgreSQL).
    pub signature: Option<super::Signature>,
    /// The volatility written, if any.
    pub volatility: Option<Volatility>,
    /// Lower-case words of the options written.
    pub options: Vec<String>,
}

/// `CREATE TRIGGER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTrigger {
    /// The trigger.
    pub name: ObjectName,
    /// The table or view.
    pub table: ObjectName,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `CONSTRAINT TRIGGER`.
    pub constraint: bool,
    /// `FROM referenced_table` of a constraint trigger.
    pub from: Option<ObjectName>,
    /// `before`, `after`, `instead of`.
    pub timing: String,
    /// Lower-case events: `insert`, `update`, `delete`, `truncate`.
    pub events: Vec<String>,
    /// `UPDATE OF` columns.
    pub columns: Vec<Ident>,
    /// `FOR EACH ROW`.
    pub for_each_row: bool,
    /// `REFERENCING … TABLE`.
    pub transition_tables: bool,
    /// `WHEN (…)`.
    pub when: Option<Expr>,
    /// The function it calls (PostgreSQL).
    pub function: Option<ObjectName>,
    /// The statements of its body (MySQL, SQLite), as far as they could be read.
    pub statements: Vec<Statement>,
    /// Where the body stands.
    pub body: Span,
    /// The whole of it from the name on (SQLite), to make it again.
    pub text: Option<String>,
}

/// `CREATE EVENT` (MySQL).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateEvent {
    /// The event.
    pub name: ObjectName,
    /// `OR REPLACE` (MariaDB).
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `DEFINER=…`.
    pub definer: Option<String>,
    /// It runs by itself: neither `DISABLE` nor `DISABLE ON …` is written.
    pub enabled: bool,
    /// Where the body stands.
    pub body: Span,
    /// The statements of its body, as far as they could be read.
    pub statements: Vec<Statement>,
}

/// `DO` (PostgreSQL), `BEGIN NOT ATOMIC` (MariaDB), `EXECUTE` (MySQL): dynamic, without statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoBlock {
    /// Lower-case language.
    pub language: String,
    /// Where the body stands, quotes left out.
    pub body: Span,
    /// Statements found in the body: DDL and DML written plainly, in order. Conditions and loops
    /// around them are not evaluated.
    pub statements: Vec<Statement>,
    /// The body runs SQL made up at run time (`EXECUTE …`).
    pub dynamic: bool,
}
