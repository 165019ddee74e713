//! The kinds of object that statements name.

/// Kinds of database object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// Table.
    Table,
    /// Foreign table.
    ForeignTable,
    /// View.
    View,
    /// Materialized view.
    MaterializedView,
    /// Index.
    Index,
    /// Sequence.
    Sequence,
    /// Type.
    Type,
    /// Domain.
    Domain,
    /// Function.
    Function,
    /// Procedure.
    Procedure,
    /// Function or procedure, as in `DROP ROUTINE`.
    Routine,
    /// Aggregate.
    Aggregate,
    /// Trigger.
    Trigger,
    /// Event trigger.
    EventTrigger,
    /// Event (MySQL).
    Event,
    /// Rule.
    Rule,
    /// Policy.
    Policy,
    /// Schema (a database in MySQL).
    Schema,
    /// Database.
    Database,
    /// Extension.
    Extension,
    /// Publication.
    Publication,
    /// Subscription.
    Subscription,
    /// Statistics object.
    Statistics,
    /// Tablespace.
    Tablespace,
    /// Role or user.
    Role,
    /// Column, in COMMENT, GRANT and RENAME.
    Column,
    /// Constraint, in COMMENT and RENAME.
    Constraint,
    /// Constraint of a domain.
    DomainConstraint,
    /// Attribute of a composite type.
    Attribute,
    /// Collation.
    Collation,
    /// Conversion.
    Conversion,
    /// Cast.
    Cast,
    /// Language.
    Language,
    /// Large object.
    LargeObject,
    /// Operator.
    Operator,
    /// Operator class.
    OperatorClass,
    /// Operator family.
    OperatorFamily,
    /// Access method.
    AccessMethod,
    /// Foreign data wrapper.
    ForeignDataWrapper,
    /// Foreign server.
    Server,
    /// User mapping.
    UserMapping,
    /// Text search configuration.
    TextSearchConfiguration,
    /// Text search dictionary.
    TextSearchDictionary,
    /// Text search parser.
    TextSearchParser,
    /// Text search template.
    TextSearchTemplate,
    /// Transform.
    Transform,
    /// Configuration parameter, in GRANT.
    Parameter,
    /// Package (MariaDB).
    Package,
}

impl ObjectKind {
    /// Says whether objects of a kind that is neither a relation, a type nor a routine live in a
    /// schema (PostgreSQL); the user mapping of a role is kept in the role.
    pub const fn has_schema(self) -> bool {
        matches!(
            self,
            Self::Statistics
                | Self::Collation
                | Self::Conversion
                | Self::Operator
                | Self::OperatorClass
                | Self::OperatorFamily
                | Self::TextSearchConfiguration
                | Self::TextSearchDictionary
                | Self::TextSearchParser
                | Self::TextSearchTemplate
                | Self::UserMapping
        )
    }

    /// Returns the words of the grammar in lower case: `materialized view`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::ForeignTable => "foreign table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Index => "index",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Routine => "routine",
            Self::Aggregate => "aggregate",
            Self::Trigger => "trigger",
            Self::EventTrigger => "event trigger",
            Self::Event => "event",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::Schema => "schema",
            Self::Database => "database",
            Self::Extension => "extension",
            Self::Publication => "publication",
            Self::Subscription => "subscription",
            Self::Statistics => "statistics",
            Self::Tablespace => "tablespace",
            Self::Role => "role",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::DomainConstraint => "domain constraint",
            Self::Attribute => "attribute",
            Self::Collation => "collation",
            Self::Conversion => "conversion",
            Self::Cast => "cast",
            Self::Language => "language",
            Self::LargeObject => "large object",
            Self::Operator => "operator",
            Self::OperatorClass => "operator class",
            Self::OperatorFamily => "operator family",
            Self::AccessMethod => "access method",
            Self::ForeignDataWrapper => "foreign data wrapper",
            Self::Server => "server",
            Self::UserMapping => "user mapping",
            Self::TextSearchConfiguration => "text search configuration",
            Self::TextSearchDictionary => "text search dictionary",
            Self::TextSearchParser => "text search parser",
            Self::TextSearchTemplate => "text search template",
            Self::Transform => "transform",
            Self::Parameter => "parameter",
            Self::Package => "package",
        }
    }
}
