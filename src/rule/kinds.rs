//! The kinds of object by the words that rule files use.

use crate::sql::ast::ObjectKind;

/// Every kind of object and its word.
pub(super) const OBJECT_KINDS: &[(&str, ObjectKind)] = &[
    ("table", ObjectKind::Table),
    ("foreign table", ObjectKind::ForeignTable),
    ("view", ObjectKind::View),
    ("materialized view", ObjectKind::MaterializedView),
    ("index", ObjectKind::Index),
    ("sequence", ObjectKind::Sequence),
    ("type", ObjectKind::Type),
    ("domain", ObjectKind::Domain),
    ("function", ObjectKind::Function),
    ("procedure", ObjectKind::Procedure),
    ("routine", ObjectKind::Routine),
    ("aggregate", ObjectKind::Aggregate),
    ("trigger", ObjectKind::Trigger),
    ("event trigger", ObjectKind::EventTrigger),
    ("event", ObjectKind::Event),
    ("rule", ObjectKind::Rule),
    ("policy", ObjectKind::Policy),
    ("schema", ObjectKind::Schema),
    ("database", ObjectKind::Database),
    ("extension", ObjectKind::Extension),
    ("publication", ObjectKind::Publication),
    ("subscription", ObjectKind::Subscription),
    ("statistics", ObjectKind::Statistics),
    ("tablespace", ObjectKind::Tablespace),
    ("role", ObjectKind::Role),
    ("column", ObjectKind::Column),
    ("constraint", ObjectKind::Constraint),
    ("domain constraint", ObjectKind::DomainConstraint),
    ("attribute", ObjectKind::Attribute),
    ("collation", ObjectKind::Collation),
    ("conversion", ObjectKind::Conversion),
    ("cast", ObjectKind::Cast),
    ("language", ObjectKind::Language),
    ("large object", ObjectKind::LargeObject),
    ("operator", ObjectKind::Operator),
    ("operator class", ObjectKind::OperatorClass),
    ("operator family", ObjectKind::OperatorFamily),
    ("access method", ObjectKind::AccessMethod),
    ("foreign data wrapper", ObjectKind::ForeignDataWrapper),
    ("server", ObjectKind::Server),
    ("user mapping", ObjectKind::UserMapping),
    ("text search configuration", ObjectKind::TextSearchConfiguration),
    ("text search dictionary", ObjectKind::TextSearchDictionary),
    ("text search parser", ObjectKind::TextSearchParser),
    ("text search template", ObjectKind::TextSearchTemplate),
    ("transform", ObjectKind::Transform),
    ("parameter", ObjectKind::Parameter),
    ("package", ObjectKind::Package),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_grammar() {
        for (word, kind) in OBJECT_KINDS {
            assert_eq!(*word, kind.as_str());
        }
    }
}
