//! CREATE VIEW and CREATE MATERIALIZED VIEW.

use super::super::model::{Name, Relation, RelationKind, Schema};
use super::create::plain_column;
use crate::sql::ast::{CreateView, Query};

/// Makes or replaces a view.
pub(super) fn create(schema: &mut Schema, view: &CreateView) {
    let name = if view.temporary && view.name.schema().is_none() {
        let home = match schema.server.kind {
            crate::sql::ServerKind::Postgres => "pg_temp",
            crate::sql::ServerKind::Sqlite => "temp",
            crate::sql::ServerKind::Mysql | crate::sql::ServerKind::Mariadb => "",
        };
        schema.key(&Name::new(home, view.name.name()))
    } else {
        schema.new_name(&view.name)
    };
    if schema.relation(&name).is_some() && !view.or_replace {
        return;
    }
    let kind = if view.materialized { RelationKind::MaterializedView } else { RelationKind::View };
    let origin = schema.relation(&name).map_or(schema.origin(), |old| old.origin);
    let mut made = Relation::new(name, kind, origin);
    made.reads = reads(schema, &view.query);
    made.calls = view.query.functions.iter().map(|f| f.name().to_owned()).collect();
    made.options = view.options.iter().cloned().collect();
    made.has_rows = !view.with_no_data;
    shown_columns(schema, view, &mut made);
    schema.put_relation(made);
}

/// Returns what a query reads, each relation with the columns of it that the query may name.
pub(super) fn reads(schema: &Schema, query: &Query) -> Vec<(Name, Vec<String>)> {
    let read = |written| {
        let name = schema.resolve(written);
        let mine = |column: &str| query.may_mean(column, |owner| schema.resolve(owner) == name);
        let words = query.columns.iter().filter(|column| mine(column)).cloned();
        // SQLite reads `*` anew with every query; the others when the view is made.
        let all = query.star && mine("*") && schema.server.kind != crate::sql::ServerKind::Sqlite;
        let columns = match schema.relation(&name) {
            Some(relation) if all => {
                let known = relation.columns.iter().map(|column| column.name.clone());
                known.chain(words).collect()
            }
            Some(relation) if relation.complete => {
                words.filter(|word| relation.column(word).is_some()).collect()
            }
            Some(_) | None => words.collect(),
        };
        (name, columns)
    };
    query.reads.iter().map(read).collect()
}

fn shown_columns(schema: &Schema, view: &CreateView, made: &mut Relation) {
    let origin = made.origin;
    let shown = view.query.outline.get().and_then(|outline| schema.shown(outline));
    if let Some(shown) = shown {
        let mut written = view.columns.iter().map(|column| column.value.clone());
        let columns = shown.into_iter().map(|column| {
            let name = written.next().or(column.name)?;
            Some(plain_column(&name, column.data_type, origin))
        });
        if let Some(columns) = columns.collect() {
            made.columns = columns;
            made.complete = true;
            return;
        }
    }
    if !view.columns.is_empty() {
        let written = view.columns.iter().map(|column| plain_column(&column.value, None, origin));
        made.columns = written.collect();
        made.complete = true;
        return;
    }
    for (read, columns) in &made.reads {
        let Some(source) = schema.relation(read) else { continue };
        for column in &source.columns {
            let seen = made.columns.iter().any(|known| known.name == column.name);
            if columns.contains(&column.name) && !seen {
                let copy = plain_column(&column.name, column.data_type.clone(), origin);
                made.columns.push(copy);
            }
        }
    }
}
