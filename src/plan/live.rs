//! A snapshot to the schema model: the live database as the effects see it.

use crate::db::Snapshot;
use crate::schema::{Name, Schema};
use crate::sql::{Section, Server, Source, Span, parse};

/// Returns the model of a live schema: complete, nothing of it new, sizes filled in.
pub fn schema_of(snapshot: &Snapshot) -> Schema {
    let server = snapshot.server;
    let mut schema = Schema::new(server, true);
    for sql in snapshot.statements() {
        apply(&mut schema, sql, server);
    }
    if let Some(path) = snapshot.search_path() {
        schema.session_path = path;
    }
    for (name, size) in &snapshot.sizes {
        let relation = schema.relation_mut(name).map(|relation| {
            relation.size = Some(*size);
            relation.has_rows = size.rows > 0;
        });
        // MySQL's model has no name for the current database.
        if relation.is_none()
            && let Some(relation) = schema.relation_mut(&Name::new("", name.name.clone()))
        {
            relation.size = Some(*size);
            relation.has_rows = size.rows > 0;
        }
    }
    schema
}

fn apply(schema: &mut Schema, sql: &str, server: Server) {
    let range = Span::new(0, u32::try_from(sql.len()).unwrap_or(u32::MAX));
    let section =
        Section { source: Source::new("snapshot", sql), range, reading: Default::default() };
    for statement in parse(section, server).statements {
        schema.apply(&statement);
    }
}
