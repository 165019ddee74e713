//! Statements that look alike for every kind of object: DROP, RENAME, COMMENT, GRANT, …

use super::expr::{DataType, Expr};
use super::kind::ObjectKind;
use super::query::Query;
use crate::sql::name::{Ident, ObjectName};
use crate::sql::source::Span;

/// What tells an overload of a routine from others, and a cast or an operator from all others: the
/// types written (PostgreSQL).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// Every type in order; what stands for none is left out.
    pub types: Vec<DataType>,
    /// Those of them that are handed over: arguments that are not `OUT`.
    pub input: Vec<DataType>,
}

/// `DROP …` of any kind of object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// What kind of object.
    pub object: ObjectKind,
    /// The objects. Argument lists of routines are in `signatures`.
    pub names: Vec<ObjectName>,
    /// The types of each routine, operator, aggregate or cast, where written.
    pub signatures: Vec<Option<Signature>>,
    /// The table of a trigger, rule or policy; of an index in MySQL.
    pub on_table: Option<ObjectName>,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// `CASCADE`.
    pub cascade: bool,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `TEMPORARY` (MySQL).
    pub temporary: bool,
    /// `ALGORITHM=…` (MySQL), upper-case.
    pub algorithm: Option<String>,
    /// `LOCK=…` (MySQL), upper-case.
    pub lock: Option<String>,
    /// `WAIT n` / `NOWAIT` (MariaDB).
    pub wait_seconds: Option<u32>,
}

/// `ALTER … RENAME TO`, of objects other than tables' own parts; `RENAME TABLE` (MySQL).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// What kind of object.
    pub object: ObjectKind,
    /// Old and new names; MySQL renames several at once.
    pub pairs: Vec<(ObjectName, ObjectName)>,
    /// The table of a trigger, rule, policy; the domain of a domain constraint.
    pub on: Option<ObjectName>,
    /// The types of a routine, where written.
    pub signature: Option<Signature>,
    /// `IF EXISTS`.
    pub if_exists: bool,
}

/// `ALTER … SET SCHEMA`, of objects other than tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetSchema {
    /// What kind of object.
    pub object: ObjectKind,
    /// The object.
    pub name: ObjectName,
    /// The types of a routine or operator, where written.
    pub signature: Option<Signature>,
    /// The new schema.
    pub schema: Ident,
    /// `IF EXISTS`.
    pub if_exists: bool,
}

/// `ALTER … OWNER TO`, of objects other than tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerTo {
    /// What kind of object.
    pub object: ObjectKind,
    /// The object.
    pub name: ObjectName,
    /// The types of a routine or operator, where written.
    pub signature: Option<Signature>,
    /// The new owner.
    pub owner: String,
}

/// `COMMENT ON`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// What kind of object.
    pub object: ObjectKind,
    /// The object; for a column `table.column`.
    pub name: ObjectName,
    /// The table (or domain) of a constraint, trigger, rule or policy.
    pub on: Option<ObjectName>,
    /// The types of a routine, operator or cast, where written.
    pub signature: Option<Signature>,
    /// The text; none for NULL.
    pub text: Option<String>,
}

/// `GRANT` and `REVOKE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// REVOKE.
    pub revoke: bool,
    /// Lower-case privileges (`select`, `all`), or roles when `object` is [`ObjectKind::Role`].
    pub privileges: Vec<String>,
    /// The columns that privileges are limited to (PostgreSQL, MySQL).
    pub columns: Vec<Ident>,
    /// What kind of object; Role for membership.
    pub object: ObjectKind,
    /// The objects; empty for membership.
    pub names: Vec<ObjectName>,
    /// The types of each routine, where written (PostgreSQL).
    pub signatures: Vec<Option<Signature>>,
    /// `ALL … IN SCHEMA`: the schemas, with `names` empty.
    pub all_in_schema: Vec<Ident>,
    /// To or from whom, lower-case `public` included.
    pub grantees: Vec<String>,
    /// `WITH GRANT OPTION` / `WITH ADMIN OPTION`.
    pub grant_option: bool,
    /// `CASCADE`.
    pub cascade: bool,
}

/// `CREATE VIEW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateView {
    /// The view.
    pub name: ObjectName,
    /// Materialized.
    pub materialized: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `TEMP`.
    pub temporary: bool,
    /// `RECURSIVE`.
    pub recursive: bool,
    /// Column names, where written.
    pub columns: Vec<Ident>,
    /// What it shows.
    pub query: Query,
    /// `WITH NO DATA`.
    pub with_no_data: bool,
    /// `security_invoker`, `sql_security`, `definer`, `algorithm`, …: lower-case names.
    pub options: Vec<(String, String)>,
}

/// `REFRESH MATERIALIZED VIEW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshMaterializedView {
    /// The view.
    pub name: ObjectName,
    /// `CONCURRENTLY`.
    pub concurrently: bool,
    /// `WITH NO DATA`.
    pub with_no_data: bool,
}

/// `CREATE SEQUENCE` and `ALTER SEQUENCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The sequence.
    pub name: ObjectName,
    /// `IF [NOT] EXISTS`.
    pub if_exists: bool,
    /// How long it lives.
    pub persistence: super::table::Persistence,
    /// `OWNED BY table.column`; `NONE` is an empty path.
    pub owned_by: Option<Vec<Ident>>,
    /// Options written, lower-case words (`increment`, `restart`, `as`, `set logged`, …).
    pub options: Vec<String>,
}

/// `CREATE TYPE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateType {
    /// The type.
    pub name: ObjectName,
    /// What it is.
    pub kind: TypeKind,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// `AS ENUM (…)`.
    Enum(Vec<String>),
    /// `AS (attribute type, …)`.
    Composite(Vec<(Ident, DataType)>),
    /// `AS RANGE (…)`.
    Range,
    /// A base type or a shell.
    Base,
}

/// `ALTER TYPE`, except rename of the type, SET SCHEMA and OWNER TO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterType {
    /// The type.
    pub name: ObjectName,
    /// What it does.
    pub actions: Vec<TypeAction>,
}

/// What `ALTER TYPE` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeAction {
    /// `ADD VALUE`.
    AddValue {
        /// The new value.
        value: String,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// The value written after `BEFORE` or `AFTER`.
        beside: Option<String>,
    },
    /// `RENAME VALUE`.
    RenameValue {
        /// The old value.
        from: String,
        /// The new value.
        to: String,
    },
    /// `ADD ATTRIBUTE`.
    AddAttribute {
        /// The attribute.
        name: Ident,
        /// Its type.
        data_type: DataType,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `DROP ATTRIBUTE`.
    DropAttribute {
        /// The attribute.
        name: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `ALTER ATTRIBUTE … TYPE`.
    AlterAttribute {
        /// The attribute.
        name: Ident,
        /// Its new type.
        data_type: DataType,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `RENAME ATTRIBUTE`.
    RenameAttribute {
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `SET (…)`.
    Options,
}

/// `CREATE DOMAIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateDomain {
    /// The domain.
    pub name: ObjectName,
    /// The base type.
    pub data_type: DataType,
    /// `DEFAULT`.
    pub default: Option<Expr>,
    /// `NOT NULL`.
    pub not_null: bool,
    /// Named CHECK constraints.
    pub checks: Vec<(Option<Ident>, Expr)>,
}

/// `ALTER DOMAIN`, except rename, SET SCHEMA and OWNER TO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterDomain {
    /// The domain.
    pub name: ObjectName,
    /// What it does.
    pub action: DomainAction,
}

/// What `ALTER DOMAIN` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainAction {
    /// `SET DEFAULT`.
    SetDefault(Expr),
    /// `DROP DEFAULT`.
    DropDefault,
    /// `SET NOT NULL`.
    SetNotNull,
    /// `DROP NOT NULL`.
    DropNotNull,
    /// `ADD CONSTRAINT … CHECK`.
    AddCheck {
        /// The name.
        name: Option<Ident>,
        /// The condition.
        check: Expr,
        /// `NOT VALID`.
        not_valid: bool,
    },
    /// `ADD CONSTRAINT … NOT NULL` (PostgreSQL 17 and later).
    AddNotNull {
        /// The name.
        name: Option<Ident>,
    },
    /// `DROP CONSTRAINT`.
    DropConstraint {
        /// The name.
        name: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint(Ident),
}

/// `CREATE POLICY` and `ALTER POLICY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// ALTER (else CREATE).
    pub alter: bool,
    /// The policy.
    pub name: Ident,
    /// The table.
    pub table: ObjectName,
    /// `AS RESTRICTIVE`.
    pub restrictive: bool,
    /// Lower-case command after FOR; `all` where nothing is written.
    pub command: String,
    /// After TO.
    pub roles: Vec<String>,
    /// `USING (…)`.
    pub using: Option<Expr>,
    /// `WITH CHECK (…)`.
    pub with_check: Option<Expr>,
}

/// `CREATE RULE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRule {
    /// The rule.
    pub name: Ident,
    /// The table or view.
    pub table: ObjectName,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `select`, `insert`, `update`, `delete`.
    pub event: String,
    /// The commands after DO, as one text.
    pub body: Span,
    /// The commands after DO.
    pub statements: Vec<super::Statement>,
    /// Columns of the table that stand behind OLD and NEW, each once.
    pub row_columns: Vec<Ident>,
}

/// `CREATE SCHEMA`, also `CREATE DATABASE` in MySQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSchema {
    /// The schema; none when only AUTHORIZATION is written.
    pub name: Option<Ident>,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Statements inside (PostgreSQL).
    pub elements: Vec<super::Statement>,
}

/// `CREATE EXTENSION` and `ALTER EXTENSION … UPDATE` / `ADD` / `DROP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// ALTER (else CREATE).
    pub alter: bool,
    /// The extension.
    pub name: Ident,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `SCHEMA …`.
    pub schema: Option<Ident>,
    /// `CASCADE`.
    pub cascade: bool,
    /// Lower-case first word of an ALTER: `update`, `add`, `drop`.
    pub action: Option<String>,
    /// What is added or dropped.
    pub member: Option<Member>,
}

/// An object that becomes a part of an extension, or ceases to be one (PostgreSQL).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What kind of object.
    pub object: ObjectKind,
    /// The object.
    pub name: ObjectName,
    /// The types of a routine, operator or cast, where written.
    pub signature: Option<Signature>,
}

/// `CREATE PUBLICATION` and `ALTER PUBLICATION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// ALTER (else CREATE).
    pub alter: bool,
    /// The publication.
    pub name: Ident,
    /// `FOR ALL TABLES`.
    pub all_tables: bool,
    /// The tables named.
    pub tables: Vec<ObjectName>,
    /// Those of them that are written with ONLY.
    pub only: Vec<ObjectName>,
    /// Columns that it lists or filters rows by, with their tables.
    pub columns: Vec<(ObjectName, Ident)>,
    /// Tables of which it lists columns or filters rows.
    pub restricted: Vec<ObjectName>,
    /// `publish_via_partition_root`, where it is written.
    pub via_root: Option<bool>,
    /// `TABLES IN SCHEMA …`.
    pub schemas: Vec<Ident>,
    /// For ALTER: `add`, `set`, `drop`, `options`.
    pub action: Option<String>,
}

/// `CREATE STATISTICS`, `ALTER STATISTICS … SET STATISTICS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// ALTER (else CREATE).
    pub alter: bool,
    /// The statistics object; a name is made up where none is written.
    pub name: Option<ObjectName>,
    /// `IF [NOT] EXISTS`.
    pub if_exists: bool,
    /// Kinds named, lower-case.
    pub kinds: Vec<String>,
    /// Columns named.
    pub columns: Vec<Ident>,
    /// Expressions named.
    pub expressions: Vec<Expr>,
    /// The table (CREATE).
    pub table: Option<ObjectName>,
}
