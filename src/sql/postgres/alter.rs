//! `ALTER` of anything.

use super::{
    alter_table, definition, extension, foreign, grant, index, object, policy, role, routine,
    schema, sequence, trigger, user_type,
};
use crate::sql::ast::{ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes what follows `ALTER`.
pub(super) fn alter(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    use ObjectKind as K;
    if c.accept(&["USER", "MAPPING"]) {
        return foreign::user_mapping(c, true);
    }
    if c.accept(&["DEFAULT", "PRIVILEGES"]) {
        return grant::default_privileges(c);
    }
    if c.accept(&["SYSTEM"]) {
        return schema::alter_system(c);
    }
    if c.accept_any(&["USER", "GROUP"]).is_some() {
        return role::alter(c);
    }
    let Some(object) = object::kind(c) else {
        return Err(c.expected("TABLE, INDEX, VIEW or another kind of object"));
    };
    if matches!(object, K::Table | K::ForeignTable | K::View | K::MaterializedView) {
        return alter_table::alter(c, object);
    }
    if matches!(object, K::Function | K::Procedure | K::Routine) {
        return routine::alter(c, object);
    }
    if let Some(found) = known(c, object) {
        return found;
    }
    definition::alter(c, object)
}

/// Takes the kinds with a grammar of their own.
fn known(c: &mut Cursor<'_>, object: ObjectKind) -> Option<Parsed<StatementKind>> {
    use ObjectKind as K;
    type Grammar = fn(&mut Cursor<'_>) -> Parsed<StatementKind>;
    const GRAMMARS: &[(ObjectKind, Grammar)] = &[
        (K::Index, index::alter),
        (K::Sequence, sequence::alter),
        (K::Type, user_type::alter),
        (K::Domain, user_type::alter_domain),
        (K::Policy, policy::alter),
        (K::Extension, extension::alter),
        (K::Publication, extension::alter_publication),
        (K::Subscription, extension::alter_subscription),
        (K::Statistics, extension::alter_statistics),
        (K::Database, schema::alter_database),
        (K::Tablespace, schema::alter_tablespace),
        (K::EventTrigger, trigger::alter_event),
        (K::ForeignDataWrapper, foreign::alter_wrapper),
        (K::Server, foreign::alter_server),
        (K::Role, role::alter),
        (K::LargeObject, definition::alter_large_object),
    ];
    let found = GRAMMARS.iter().find(|(kind, _)| *kind == object);
    found.map(|(_, grammar)| grammar(c))
}
