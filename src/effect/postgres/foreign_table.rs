//! Foreign tables: what they cannot have, and servers that nobody can ask.
//!
//! PostgreSQL 12 to 18: transformColumnDefinition (parse_utilcmd.c), GetFdwRoutineByServerId
//! (foreign.c); manual: CREATE FOREIGN TABLE, CREATE FOREIGN DATA WRAPPER; measured,
//! testdata/servers/postgres.

use super::missing::{self, Named};
use super::sheet::Sheet;
use crate::schema::{Name, Relation, RelationKind};
use crate::sql::ObjectName;
use crate::sql::ast::{ConstraintKind, CreateTable, ObjectKind, TableConstraint};

/// Notes a key or a foreign key that a new column of a foreign table would have.
pub(super) fn constraint_refused(
    sheet: &mut Sheet<'_>,
    table: Option<&Relation>,
    constraints: &[TableConstraint],
) -> bool {
    let foreign = table.is_some_and(|table| table.kind == RelationKind::Foreign);
    foreign && constraints.iter().any(|added| key_refused(sheet, added))
}

/// Notes what CREATE FOREIGN TABLE asks for and cannot have. Says whether there is anything.
pub(super) fn create_refused(sheet: &mut Sheet<'_>, create: &CreateTable) -> bool {
    if !create.foreign {
        return false;
    }
    let inline = create.columns.iter().flat_map(|column| &column.constraints);
    if inline.chain(&create.constraints).any(|added| key_refused(sheet, added)) {
        return true;
    }
    let server = create.options.iter().find(|(option, _)| option == "server");
    server.is_some_and(|(_, server)| {
        let name = ObjectName::bare(crate::sql::Ident::new(server.as_str(), sheet.span()));
        let kind = ObjectKind::Server;
        missing::lacks(sheet, Named { kind, name: &name, on: None, signature: None })
    })
}

fn key_refused(sheet: &mut Sheet<'_>, added: &TableConstraint) -> bool {
    let what = match added.kind {
        ConstraintKind::PrimaryKey(_) | ConstraintKind::PrimaryKeyUsingIndex(_) => "primary key",
        ConstraintKind::Unique(_) | ConstraintKind::UniqueUsingIndex(_) => "unique",
        ConstraintKind::Exclude(_) => "exclusion",
        ConstraintKind::ForeignKey(_) => "foreign key",
        ConstraintKind::Check(_) | ConstraintKind::NotNull(_) => return false,
    };
    // PostgreSQL 12 says 42809 where a column is added.
    let detail = format!("{what} constraints are not supported on foreign tables");
    sheet.fails("wrong-object-kind", "0A000", detail);
    true
}

/// Notes a foreign table whose wrapper has no handler: nothing can be read or written through it.
/// Says whether it is so.
pub(super) fn lacks_handler(sheet: &mut Sheet<'_>, table: &Name) -> bool {
    let server = sheet.table(table).and_then(Relation::server);
    server.map(ToOwned::to_owned).is_some_and(|server| server_lacks_handler(sheet, &server))
}

/// The same for a server.
pub(super) fn server_lacks_handler(sheet: &mut Sheet<'_>, server: &str) -> bool {
    let find = |kind: ObjectKind, name: &str| {
        sheet.schema.others.get(&(kind.as_str(), Name::new("", name)))
    };
    let wrapper = find(ObjectKind::Server, server).map(|server| server.of.clone());
    let Some(wrapper) = wrapper else { return false };
    let handler = find(ObjectKind::ForeignDataWrapper, &wrapper);
    let lacks = handler.is_some_and(|wrapper| wrapper.of.is_empty());
    if lacks {
        let detail = format!("foreign-data wrapper \"{wrapper}\" has no handler");
        sheet.fails("wrong-object-kind", "55000", detail);
    }
    lacks
}
