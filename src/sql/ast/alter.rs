//! `ALTER TABLE`, action by action.

use super::expr::{DataType, Expr};
use super::index::IndexDef;
use super::kind::ObjectKind;
use super::table::{ColumnDef, IdentityKind, PartitionBound, PartitionBy, TableConstraint};
use crate::sql::name::{Ident, ObjectName};
use crate::sql::source::Span;

/// `ALTER TABLE`, also on foreign tables and, where the words are the same, on views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterTable {
    /// The table.
    pub name: ObjectName,
    /// What the statement calls it: `ALTER TABLE`, `ALTER FOREIGN TABLE`, `ALTER VIEW`, …
    pub object: ObjectKind,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// `ONLY`.
    pub only: bool,
    /// `IGNORE` (MariaDB).
    pub ignore: bool,
    /// `ONLINE` (MariaDB's synonym of LOCK=NONE).
    pub online: bool,
    /// `WAIT n` (seconds) or `NOWAIT` (0), MariaDB.
    pub wait_seconds: Option<u32>,
    /// The actions in order.
    pub actions: Vec<TableAction>,
}

/// One action of `ALTER TABLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableAction {
    /// Where it stands.
    pub span: Span,
    /// What it does.
    pub kind: ActionKind,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionKind {
    /// `ADD COLUMN`.
    AddColumn {
        /// The column; its constraints are inside.
        column: Box<ColumnDef>,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// `FIRST` / `AFTER` (MySQL).
        position: ColumnPosition,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        column: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
    },
    /// `RENAME COLUMN`.
    RenameColumn {
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// `RENAME TO`.
    RenameTo(ObjectName),
    /// `ALTER COLUMN … SET DEFAULT`.
    SetDefault {
        /// The column.
        column: Ident,
        /// The new default.
        default: Expr,
    },
    /// `ALTER COLUMN … DROP DEFAULT`.
    DropDefault {
        /// The column.
        column: Ident,
    },
    /// `ALTER COLUMN … SET NOT NULL`.
    SetNotNull {
        /// The column.
        column: Ident,
    },
    /// `ALTER COLUMN … DROP NOT NULL`.
    DropNotNull {
        /// The column.
        column: Ident,
    },
    /// `ADD [CONSTRAINT …] …`.
    AddConstraint(Box<TableConstraint>),
    /// `DROP CONSTRAINT`.
    DropConstraint {
        /// The constraint.
        name: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`.
        cascade: bool,
    },
    /// What only PostgreSQL has.
    Postgres(PgAction),
    /// What only MySQL and MariaDB have.
    Mysql(MyAction),
}

impl ActionKind {
    /// Returns the pass in which PostgreSQL runs the action (12 to 18, AlterTablePass): whatever
    /// the order in which they are written, drops come first.
    pub const fn pass(&self) -> u8 {
        match self {
            Self::DropColumn { .. }
            | Self::DropConstraint { .. }
            | Self::DropNotNull { .. }
            | Self::DropDefault { .. }
            | Self::Postgres(PgAction::DropIdentity { .. } | PgAction::DropExpression { .. }) => 0,
            Self::Postgres(PgAction::AlterType { .. }) => 1,
            Self::Postgres(PgAction::SetExpression { .. }) => 2,
            Self::AddColumn { .. } => 3,
            Self::SetNotNull { .. } | Self::Postgres(PgAction::AddIdentity { .. }) => 4,
            Self::AddConstraint(added) => added.kind.pass(),
            Self::SetDefault { .. } => 6,
            Self::RenameColumn { .. } | Self::RenameTo(_) | Self::Postgres(_) | Self::Mysql(_) => 7,
        }
    }
}

/// Where a new column goes (MySQL).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ColumnPosition {
    /// At the end, or left where it is.
    #[default]
    Unchanged,
    /// `FIRST`.
    First,
    /// `AFTER column`.
    After(Ident),
}

/// Actions that only PostgreSQL has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PgAction {
    /// `ALTER COLUMN … TYPE …`.
    AlterType {
        /// The column.
        column: Ident,
        /// The new type; `collation` holds a written COLLATE.
        data_type: DataType,
        /// `USING …`.
        using: Option<Expr>,
    },
    /// `ALTER COLUMN … SET EXPRESSION AS (…)`.
    SetExpression {
        /// The column.
        column: Ident,
        /// The new expression.
        expr: Expr,
    },
    /// `ALTER COLUMN … DROP EXPRESSION`.
    DropExpression {
        /// The column.
        column: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ALTER COLUMN … ADD GENERATED … AS IDENTITY`.
    AddIdentity {
        /// The column.
        column: Ident,
        /// ALWAYS or BY DEFAULT.
        kind: IdentityKind,
    },
    /// `ALTER COLUMN … SET GENERATED`, `RESTART`, `SET INCREMENT …`.
    SetIdentity {
        /// The column.
        column: Ident,
    },
    /// `ALTER COLUMN … DROP IDENTITY`.
    DropIdentity {
        /// The column.
        column: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ALTER COLUMN … SET STATISTICS`.
    SetStatistics {
        /// The column; by number for expression indexes.
        column: Ident,
        /// `DEFAULT` instead of a number.
        to_default: bool,
    },
    /// `ALTER COLUMN … SET STORAGE`.
    SetStorage {
        /// The column.
        column: Ident,
        /// Lower-case.
        storage: String,
    },
    /// `ALTER COLUMN … SET COMPRESSION`.
    SetCompression {
        /// The column.
        column: Ident,
        /// Lower-case.
        method: String,
    },
    /// `ALTER COLUMN … SET (…)` or `RESET (…)`.
    ColumnOptions {
        /// The column.
        column: Ident,
        /// Option names, lower-case.
        options: Vec<String>,
    },
    /// `ALTER CONSTRAINT`.
    AlterConstraint {
        /// The constraint.
        name: Ident,
        /// `ENFORCED` (`Some(true)`), `NOT ENFORCED` (`Some(false)`).
        enforced: Option<bool>,
        /// `INHERIT` / `NO INHERIT`.
        inherit: Option<bool>,
        /// `DEFERRABLE` / `NOT DEFERRABLE`.
        deferrable: Option<bool>,
    },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint {
        /// The constraint.
        name: Ident,
    },
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
    },
    /// `ENABLE` / `DISABLE` … `TRIGGER`.
    Trigger {
        /// Enabled, disabled, replica or always.
        state: TriggerState,
        /// The trigger; none for ALL and USER.
        name: Option<Ident>,
        /// `ALL` (not `USER`).
        all: bool,
    },
    /// `ENABLE` / `DISABLE` … `RULE`.
    Rule {
        /// Enabled, disabled, replica or always.
        state: TriggerState,
        /// The rule.
        name: Ident,
    },
    /// `ENABLE`, `DISABLE`, `FORCE`, `NO FORCE` `ROW LEVEL SECURITY`.
    RowSecurity(RowSecurity),
    /// `CLUSTER ON index`.
    ClusterOn(Ident),
    /// `SET WITHOUT CLUSTER`.
    SetWithoutCluster,
    /// `SET WITHOUT OIDS`.
    SetWithoutOids,
    /// `SET LOGGED`.
    SetLogged,
    /// `SET UNLOGGED`.
    SetUnlogged,
    /// `SET ACCESS METHOD name` (`default` for DEFAULT).
    SetAccessMethod(String),
    /// `SET TABLESPACE`.
    SetTablespace(String),
    /// `SET (…)`: names lower-case, values as text.
    SetOptions(Vec<(String, String)>),
    /// `RESET (…)`.
    ResetOptions(Vec<String>),
    /// `INHERIT parent`.
    Inherit(ObjectName),
    /// `NO INHERIT parent`.
    NoInherit(ObjectName),
    /// `OF type`.
    Of(ObjectName),
    /// `NOT OF`.
    NotOf,
    /// `OWNER TO`.
    OwnerTo(String),
    /// `REPLICA IDENTITY`.
    ReplicaIdentity(ReplicaIdentity),
    /// `SET SCHEMA`.
    SetSchema(Ident),
    /// `ATTACH PARTITION`.
    AttachPartition {
        /// The table that becomes a partition.
        partition: ObjectName,
        /// Its bound.
        bound: PartitionBound,
    },
    /// `DETACH PARTITION`.
    DetachPartition {
        /// The partition.
        partition: ObjectName,
        /// Plain, CONCURRENTLY or FINALIZE.
        mode: DetachMode,
    },
    /// `OPTIONS (…)` of foreign tables and columns.
    ForeignOptions,
    /// `ALTER TABLE ALL IN TABLESPACE … SET TABLESPACE …`; the table name is the tablespace.
    AllInTablespace(String),
    /// `DEPENDS ON EXTENSION` and `NO DEPENDS ON EXTENSION`.
    DependsOnExtension(Ident),
}

/// Whether a trigger or rule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerState {
    /// `ENABLE`.
    Enable,
    /// `DISABLE`.
    Disable,
    /// `ENABLE REPLICA`.
    EnableReplica,
    /// `ENABLE ALWAYS`.
    EnableAlways,
}

/// A row level security switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSecurity {
    /// `ENABLE`.
    Enable,
    /// `DISABLE`.
    Disable,
    /// `FORCE`.
    Force,
    /// `NO FORCE`.
    NoForce,
}

/// `REPLICA IDENTITY …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaIdentity {
    /// `DEFAULT`.
    Default,
    /// `FULL`.
    Full,
    /// `NOTHING`.
    Nothing,
    /// `USING INDEX name`.
    Index(Ident),
}

/// How a partition is detached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetachMode {
    /// At once.
    Plain,
    /// `CONCURRENTLY`.
    Concurrently,
    /// `FINALIZE`.
    Finalize,
}

/// Actions that only MySQL and MariaDB have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MyAction {
    /// `MODIFY COLUMN`.
    ModifyColumn {
        /// The new definition.
        column: Box<ColumnDef>,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
        /// `FIRST` / `AFTER`.
        position: ColumnPosition,
    },
    /// `CHANGE COLUMN old new …`.
    ChangeColumn {
        /// The old name.
        from: Ident,
        /// The new definition with the new name.
        column: Box<ColumnDef>,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
        /// `FIRST` / `AFTER`.
        position: ColumnPosition,
    },
    /// `ADD INDEX`, `ADD KEY`, `ADD FULLTEXT`, `ADD SPATIAL` (unique keys are constraints).
    AddIndex {
        /// The index.
        index: Box<IndexDef>,
        /// `IF NOT EXISTS` (MariaDB).
        if_not_exists: bool,
    },
    /// `DROP INDEX` / `DROP KEY`.
    DropIndex {
        /// The index.
        name: Ident,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// `DROP PRIMARY KEY`.
    DropPrimaryKey {
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// `DROP FOREIGN KEY`.
    DropForeignKey {
        /// The constraint.
        name: Ident,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// `DROP CHECK`.
    DropCheck {
        /// The constraint.
        name: Ident,
    },
    /// `ALTER CHECK|CONSTRAINT name [NOT] ENFORCED`.
    AlterCheck {
        /// The constraint.
        name: Ident,
        /// ENFORCED.
        enforced: bool,
    },
    /// `RENAME INDEX|KEY a TO b`.
    RenameIndex {
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
    },
    /// `ALTER INDEX name VISIBLE|INVISIBLE|IGNORED|NOT IGNORED`.
    IndexVisibility {
        /// The index.
        name: Ident,
        /// The optimizer may use it.
        visible: bool,
    },
    /// `ALTER COLUMN name SET VISIBLE|INVISIBLE`.
    ColumnVisibility {
        /// The column.
        column: Ident,
        /// `SELECT *` shows it.
        visible: bool,
    },
    /// `CONVERT TO CHARACTER SET … [COLLATE …]`.
    ConvertTo {
        /// The character set; none for DEFAULT.
        charset: Option<String>,
        /// The collation.
        collation: Option<String>,
    },
    /// `ENGINE=…`, `ROW_FORMAT=…`, `COMMENT=…`, `AUTO_INCREMENT=…`, `[DEFAULT] CHARSET=…`.
    Option {
        /// Lower-case, `charset` and `collate` for the defaults of the table.
        name: String,
        /// As written, unquoted.
        value: String,
    },
    /// `FORCE`.
    Force,
    /// `ORDER BY …`.
    OrderBy,
    /// `ENABLE KEYS` / `DISABLE KEYS`.
    Keys {
        /// ENABLE.
        enable: bool,
    },
    /// `DISCARD TABLESPACE` / `IMPORT TABLESPACE`, of partitions too.
    Tablespace {
        /// DISCARD (else IMPORT).
        discard: bool,
    },
    /// `ALGORITHM=…`.
    Algorithm(String),
    /// `LOCK=…`.
    Lock(String),
    /// `WITH VALIDATION` / `WITHOUT VALIDATION`.
    Validation(bool),
    /// A change of partitions.
    Partition(PartitionAction),
    /// `PARTITION BY …`.
    PartitionBy(PartitionBy),
    /// `REMOVE PARTITIONING`.
    RemovePartitioning,
    /// `ADD SYSTEM VERSIONING` (MariaDB).
    AddSystemVersioning,
    /// `DROP SYSTEM VERSIONING` (MariaDB).
    DropSystemVersioning,
    /// `ADD PERIOD FOR name (a, b)` (MariaDB).
    AddPeriod {
        /// `SYSTEM_TIME` or the name of an application period.
        name: Ident,
        /// The columns where it starts and ends.
        columns: Vec<Ident>,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
    },
    /// `DROP PERIOD FOR name` (MariaDB).
    DropPeriod {
        /// `SYSTEM_TIME` or the name of an application period.
        name: Ident,
        /// `IF EXISTS`.
        if_exists: bool,
    },
}

/// A change of MySQL or MariaDB partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionAction {
    /// `ADD PARTITION (…)` or `PARTITIONS n`.
    Add {
        /// New names; empty for `PARTITIONS n`.
        names: Vec<Ident>,
        /// What their values are like, where any are written.
        values: Option<PartitionValues>,
        /// `IF NOT EXISTS` (MariaDB).
        if_not_exists: bool,
    },
    /// `DROP PARTITION`.
    Drop {
        /// The partitions.
        names: Vec<Ident>,
        /// `IF EXISTS` (MariaDB).
        if_exists: bool,
    },
    /// `TRUNCATE PARTITION`; empty means ALL.
    Truncate(Vec<Ident>),
    /// `COALESCE PARTITION n`.
    Coalesce,
    /// `REORGANIZE PARTITION … INTO (…)`.
    Reorganize {
        /// The partitions replaced; empty when none are named.
        from: Vec<Ident>,
        /// The partitions that replace them.
        into: Vec<Ident>,
        /// What their values are like, where any are written.
        values: Option<PartitionValues>,
    },
    /// `EXCHANGE PARTITION p WITH TABLE t`.
    Exchange {
        /// The partition.
        partition: Ident,
        /// The table.
        table: ObjectName,
        /// `WITHOUT VALIDATION`.
        without_validation: bool,
    },
    /// `CONVERT PARTITION p TO TABLE t` / `CONVERT TABLE t TO PARTITION p` (MariaDB).
    Convert {
        /// The table that appears or disappears.
        table: ObjectName,
        /// The partition.
        partition: Ident,
        /// To a table (else to a partition).
        to_table: bool,
        /// What the values of the new partition are like, where any are written.
        values: Option<PartitionValues>,
    },
    /// `ANALYZE`, `CHECK`, `OPTIMIZE`, `REBUILD`, `REPAIR` `PARTITION`.
    Maintain {
        /// The lower-case word.
        what: String,
        /// The partitions; empty means ALL.
        names: Vec<Ident>,
    },
}

/// How a partition says which rows it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionValues {
    /// `VALUES LESS THAN`, with how many values.
    LessThan(usize),
    /// `VALUES IN`, with how many values each row is told by.
    In(usize),
}

impl PartitionValues {
    /// Returns how many values stand side by side.
    pub const fn width(self) -> usize {
        match self {
            Self::LessThan(width) | Self::In(width) => width,
        }
    }
}
