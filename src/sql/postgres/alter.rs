//! `ALTER` of anything.

use super::{alter_table, foreign, index, object, sequence};
use crate::sql::ast::{ObjectKind, StatementKind};
use crate::sql::cursor::{Cursor, Parsed};

/// Takes what follows `ALTER`.
pub(super) fn alter(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    if c.accept(&["USER", "MAPPING"]) {
        return foreign::user_mapping(c, true);
    }
    let Some(object) = object::kind(c) else {
        return Err(c.expected("TABLE, INDEX, VIEW or another kind of object"));
    };
    use ObjectKind as K;
    if matches!(object, K::Table | K::ForeignTable | K::View | K::MaterializedView) {
        return alter_table::alter(c, object);
    }
    if object == K::Index {
        return index::alter(c);
    }
    if object == K::Sequence {
        return sequence::alter(c);
    }
    if object == K::ForeignDataWrapper {
        return foreign::alter_wrapper(c);
    }
    if object == K::Server {
        return foreign::alter_server(c);
    }
    let address = object::address(c, object)?;
    match object::common_action(c, &address, false)? {
        Some(common) => Ok(common),
        None => Err(c.expected("RENAME TO, OWNER TO or SET SCHEMA")),
    }
}
