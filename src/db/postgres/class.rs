//! The kinds of catalog entries, and the order of the kinds in a snapshot.

/// The catalog that an object stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Class {
    Relation,
    Type,
    Routine,
    Default,
    Constraint,
    Rule,
    Trigger,
    Policy,
    Statistics,
    Publication,
    EventTrigger,
    Extension,
    Schema,
    Language,
    AccessMethod,
    Wrapper,
    Server,
    UserMapping,
    Collation,
    Conversion,
    SearchParser,
    SearchTemplate,
    SearchDictionary,
    SearchConfiguration,
    Cast,
    Transform,
    Operator,
    OperatorFamily,
    /// An operator class.
    Operators,
    OperatorOfFamily,
    FunctionOfFamily,
    Subscription,
    /// Made up by us: what is loosely in an operator family.
    OperatorMembers,
    /// Made up by us: the name of a base type, before its functions.
    ShellType,
    /// Made up by us: a partition, attached to its table.
    Attach,
    /// Made up by us: what follows a table, such as attaching a partition.
    After,
}

impl Class {
    /// Reads the name of a catalog.
    pub(super) fn of(catalog: &str) -> Option<Self> {
        Some(match catalog {
            "pg_class" => Self::Relation,
            "pg_type" => Self::Type,
            "pg_proc" => Self::Routine,
            "pg_attrdef" => Self::Default,
            "pg_constraint" => Self::Constraint,
            "pg_rewrite" => Self::Rule,
            "pg_trigger" => Self::Trigger,
            "pg_policy" => Self::Policy,
            "pg_statistic_ext" => Self::Statistics,
            "pg_publication" => Self::Publication,
            "pg_event_trigger" => Self::EventTrigger,
            "pg_extension" => Self::Extension,
            "pg_namespace" => Self::Schema,
            "pg_language" => Self::Language,
            "pg_am" => Self::AccessMethod,
            "pg_foreign_data_wrapper" => Self::Wrapper,
            "pg_foreign_server" => Self::Server,
            "pg_user_mapping" => Self::UserMapping,
            "pg_collation" => Self::Collation,
            "pg_conversion" => Self::Conversion,
            "pg_ts_parser" => Self::SearchParser,
            "pg_ts_template" => Self::SearchTemplate,
            "pg_ts_dict" => Self::SearchDictionary,
            "pg_ts_config" => Self::SearchConfiguration,
            "pg_cast" => Self::Cast,
            "pg_transform" => Self::Transform,
            "pg_operator" => Self::Operator,
            "pg_opfamily" => Self::OperatorFamily,
            "pg_opclass" => Self::Operators,
            "pg_amop" => Self::OperatorOfFamily,
            "pg_amproc" => Self::FunctionOfFamily,
            "pg_subscription" => Self::Subscription,
            _ => return None,
        })
    }
}

/// Catalog and number of an object.
pub(super) type Key = (Class, u64);

/// What comes first among objects that do not depend on each other. The order of the variants is
/// the order in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Schema,
    Extension,
    Language,
    AccessMethod,
    Wrapper,
    Server,
    UserMapping,
    Collation,
    Conversion,
    SearchParser,
    SearchTemplate,
    SearchDictionary,
    SearchConfiguration,
    Type,
    Sequence,
    Routine,
    Cast,
    Transform,
    Operator,
    OperatorFamily,
    OperatorClass,
    OperatorMember,
    Table,
    Attach,
    SequenceOwner,
    Constraint,
    Index,
    IndexAttach,
    View,
    ForeignKey,
    TableSetting,
    Trigger,
    Rule,
    Policy,
    Statistics,
    Publication,
    Subscription,
    EventTrigger,
    Tablespace,
    Owner,
    Grant,
    DefaultPrivileges,
}
