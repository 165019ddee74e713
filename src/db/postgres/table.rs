//! Tables, views, constraints and indexes.

use std::collections::{BTreeMap, HashMap};

use super::catalog::Reader;
use super::class::{Class, Key, Rank};
use super::column;
use super::create::{Column, Table};
use super::node::{Node, Nodes, name};
use crate::db::error::ServerError;
use crate::db::rows::Row;
use crate::schema::Name;

/// Tables and views.
const RELATIONS: &str = "
SELECT c.oid, c.relkind, n.nspname, c.relname, {name:c}, c.relpersistence, c.reltype,
  (SELECT string_agg(split_part(o, '=', 1) || '=' ||
     quote_literal(substr(o, strpos(o, '=') + 1)), ', ' ORDER BY o) FROM unnest(
       c.reloptions || (SELECT array_agg('toast.' || x) FROM unnest(tc.reloptions) x)) o),
  CASE WHEN am.amname <> 'heap' THEN quote_ident(am.amname) END, quote_ident(ts.spcname),
  c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
  CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
  CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
  (SELECT string_agg(quote_ident(pn.nspname) || '.' || quote_ident(p.relname), chr(1)
     ORDER BY i.inhseqno) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
     JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid),
  (SELECT min(i.inhparent::bigint) FROM pg_inherits i WHERE i.inhrelid = c.oid),
  CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype::text END,
  c.relispartition,
  {since@14@(SELECT bool_or(i.inhdetachpending) FROM pg_inherits i WHERE i.inhrelid = c.oid)@false},
  (SELECT 'SERVER ' || quote_ident(fs.srvname) || {options:ft.ftoptions} FROM pg_foreign_table ft
   JOIN pg_foreign_server fs ON fs.oid = ft.ftserver WHERE ft.ftrelid = c.oid)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND {schema} AND {not_own}
  AND {member:pg_class:c}
ORDER BY c.oid";

/// Reads tables and views with their columns and constraints.
pub(super) async fn relations(
    reader: &mut Reader<'_>,
    nodes: &mut Nodes,
) -> Result<(), ServerError> {
    let mut columns = column::columns(reader).await?;
    for (relation, list) in &columns {
        for column in list {
            nodes.columns.insert((*relation, column.number), column.quoted.clone());
        }
    }
    let rows = reader.ask(RELATIONS).await?;
    for row in &rows {
        let key = (Class::Relation, row.count(0));
        nodes.relations.insert(key.1, (name(row, 2), row.text(4).to_owned()));
        let columns = columns.remove(&key.1).unwrap_or_default();
        match row.text(1) {
            "v" | "m" => view(row, &columns, nodes),
            _ => table(row, columns, nodes),
        }
        nodes.alias((Class::Type, row.count(6)), key);
    }
    for row in &rows {
        partition(row, nodes);
    }
    constraints(reader, nodes).await
}

/// Adds a view.
fn view(row: &Row, columns: &[Column], nodes: &mut Nodes) {
    let (quoted, is_materialized) = (row.text(4), row.text(1) == "m");
    let words = if is_materialized { "MATERIALIZED VIEW" } else { "VIEW" };
    let kind = if is_materialized { "materialized-view" } else { "view" };
    let method = row.get(8).filter(|_| is_materialized).map(|am| format!(" USING {am}"));
    let options = row.get(7).map(|options| format!(" WITH ({options})"));
    let body = row.text(15).trim().trim_end_matches(';');
    let data = if is_materialized { "\nWITH NO DATA" } else { "" };
    let (method, options) = (method.unwrap_or_default(), options.unwrap_or_default());
    let create = format!("CREATE {words} {quoted}{method}{options} AS\n{body}{data}");
    let mut node = Node::new(Rank::View, kind, name(row, 2), create);
    for column in columns {
        let words = if is_materialized { "MATERIALIZED VIEW" } else { "VIEW" };
        let alter = format!("ALTER {words} {quoted} ALTER COLUMN {}", column.quoted);
        let default = column.default.as_ref();
        let default = default.map(|(_, expression)| format!("{alter} SET DEFAULT {expression}"));
        node.statements.extend(default);
        let settings = column.settings.iter().filter(|_| is_materialized);
        node.statements.extend(settings.map(|setting| format!("{alter} {setting}")));
    }
    let key = (Class::Relation, row.count(0));
    nodes.add(key, &format!("{words} {quoted}"), node);
    for column in columns {
        if let Some((default, _)) = &column.default {
            nodes.alias(*default, key);
        }
    }
}

/// Adds a table.
fn table(row: &Row, columns: Vec<Column>, nodes: &mut Nodes) {
    let (key, quoted) = ((Class::Relation, row.count(0)), row.text(4));
    let is_partition = row.flag(19);
    let parents = row.get(16).filter(|_| !is_partition).unwrap_or("");
    let parents = parents.split('\u{1}').filter(|parent| !parent.is_empty());
    let defaults: Vec<(Key, bool)> = columns
        .iter()
        .filter_map(|column| Some((column.default.as_ref()?.0, column.generated.is_none())))
        .collect();
    let (kind, words) = match (row.text(1), row.text(5)) {
        ("f", _) => ("foreign-table", "FOREIGN TABLE"),
        (_, "u") => ("table", "UNLOGGED TABLE"),
        _ => ("table", "TABLE"),
    };
    let address = if kind == "table" { "TABLE" } else { words };
    let table = Table {
        quoted: quoted.to_owned(),
        words,
        columns,
        constraints: BTreeMap::new(),
        parents: parents.map(str::to_owned).collect(),
        partition_by: row.get(13).map(str::to_owned),
        access_method: row.get(8).map(str::to_owned),
        options: row.get(7).map(str::to_owned),
        foreign: row.get(21).map(str::to_owned),
    };
    let mut node = Node::new(Rank::Table, kind, name(row, 2), String::new());
    node.statements.clear();
    if let Some(of_type) = row.get(18) {
        node.statements.push(format!("ALTER TABLE ONLY {quoted} OF {of_type}"));
    }
    for (index, words) in [(10, "ENABLE"), (11, "FORCE")] {
        if row.flag(index) {
            node.statements.push(format!("ALTER TABLE {quoted} {words} ROW LEVEL SECURITY"));
        }
    }
    // A foreign table has none, and its catalog entry says NOTHING.
    match if kind == "table" { row.text(12) } else { "" } {
        "f" => node.statements.push(format!("ALTER TABLE ONLY {quoted} REPLICA IDENTITY FULL")),
        "n" => node.statements.push(format!("ALTER TABLE ONLY {quoted} REPLICA IDENTITY NOTHING")),
        _ => {}
    }
    node.table = Some(Box::new(table));
    let place = nodes.add(key, &format!("{address} {quoted}"), node);
    for (default, movable) in defaults {
        nodes.alias(default, key);
        if movable {
            nodes.parts.insert(default, place);
        }
    }
    if let Some(tablespace) = row.get(9) {
        let sql = format!("ALTER TABLE {quoted} SET TABLESPACE {tablespace}");
        let node = Node::new(Rank::Tablespace, "tablespace", name(row, 2), sql).on(name(row, 2));
        nodes.follow(&[key], node);
    }
}

/// Attaches a partition to its table.
fn partition(row: &Row, nodes: &mut Nodes) {
    let Some(bound) = row.get(14) else { return };
    let (child, parent) = (row.count(0), row.count(17));
    let parent_name = row.text(16).to_owned();
    let sql = format!("ALTER TABLE ONLY {parent_name} ATTACH PARTITION {} {bound}", row.text(4));
    let mut node = Node::new(Rank::Attach, "partition", name(row, 2), sql).on(name(row, 2));
    if row.flag(20) {
        node.note = Some(crate::db::DETACHING.to_owned());
    }
    nodes.follow(&[(Class::Relation, child), (Class::Relation, parent)], node);
    let place = nodes.list.len().saturating_sub(1);
    nodes.places.insert((Class::Attach, child), place);
    nodes.partitions.entry(parent).or_default().push(child);
}

/// Constraints of tables; those that a partition takes from its parent come with the parent's.
const CONSTRAINTS: &str = "
SELECT k.oid, k.conrelid, k.contype, k.conname, quote_ident(k.conname), pg_get_constraintdef(k.oid),
  k.convalidated, k.conislocal, k.connoinherit, c.relkind, c.relispartition, k.conindid,
  k.conkey[1], k.conname = c.relname || '_' || a.attname || '_not_null'
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
WHERE k.contype IN ('p', 'u', 'x', 'c', 'f', 'n') AND {schema} AND {not_own}
  AND {member:pg_class:c}
  AND NOT (k.contype = 'f' AND k.conparentid <> 0)
ORDER BY k.oid";

/// Reads constraints: into their table, or as statements of their own.
async fn constraints(reader: &mut Reader<'_>, nodes: &mut Nodes) -> Result<(), ServerError> {
    for row in &reader.ask(CONSTRAINTS).await? {
        let table = (Class::Relation, row.count(1));
        let Some((table_name, quoted)) = nodes.relations.get(&table.1).cloned() else { continue };
        let key = (Class::Constraint, row.count(0));
        let address = format!("CONSTRAINT {} ON {quoted}", row.text(4));
        if row.text(2) == "n" {
            not_null(row, nodes);
        }
        let inside = is_inside(row);
        if inside == Some(true) {
            if let Some(table) = nodes.get_mut(table).and_then(|node| node.table.as_mut()) {
                let definition = (key, row.text(5).to_owned());
                table.constraints.insert(row.text(4).to_owned(), definition);
            }
            if let Some(place) = nodes.places.get(&table).copied().filter(|_| row.text(2) == "c") {
                nodes.parts.insert(key, place);
            }
            nodes.addresses.insert(key, address.clone());
        }
        if inside != Some(false) {
            nodes.alias(key, table);
            nodes.alias((Class::Relation, row.count(11)), table);
            continue;
        }
        let is_foreign = row.text(2) == "f";
        // A foreign key of a partitioned table is one of its partitions too.
        let only = if is_foreign && row.text(9) == "p" { "" } else { "ONLY " };
        let only = if row.text(2) == "c" { "" } else { only };
        let (constraint, definition) = (row.text(4), row.text(5));
        let sql = format!("ALTER TABLE {only}{quoted} ADD CONSTRAINT {constraint} {definition}");
        let rank = if is_foreign { Rank::ForeignKey } else { Rank::Constraint };
        let kind = if is_foreign { "foreign-key" } else { "constraint" };
        let own = Name::new(table_name.schema.clone(), row.text(3));
        let node = Node::new(rank, kind, own, sql).on(table_name);
        nodes.add(key, &address, node);
        if !is_foreign {
            nodes.alias((Class::Relation, row.count(11)), key);
        }
        nodes.after_partitions(key, table.1);
        nodes.depend(key, table);
    }
    Ok(())
}

/// Says whether a constraint stands inside `CREATE TABLE`; none for those that come with a parent.
///
/// Checks of a partition are needed inside, since it is attached later. Keys of partitioned tables
/// and partitions are added after attaching, because attaching would build those that are missing.
fn is_inside(row: &Row) -> Option<bool> {
    let (is_local, is_partition) = (row.flag(7), row.flag(10));
    let has_partitions = row.text(9) == "p";
    match row.text(2) {
        "c" if !is_local && !is_partition => None,
        "c" => Some(!row.text(5).ends_with(" NOT VALID")),
        "f" => Some(false),
        "n" if row.flag(6) || (!is_local && !is_partition) => None,
        "n" => Some(false),
        _ => Some(!is_partition && !has_partitions),
    }
}

/// Puts the name of a NOT NULL constraint (18) to its column.
fn not_null(row: &Row, nodes: &mut Nodes) {
    let (is_valid, is_default, no_inherit) = (row.flag(6), row.flag(13), row.flag(8));
    let number = row.count(12);
    let node = nodes.get_mut((Class::Relation, row.count(1)));
    let Some(table) = node.and_then(|node| node.table.as_mut()) else { return };
    for column in table.columns.iter_mut().filter(|column| column.number == number) {
        column.not_null = is_valid;
        column.not_null_no_inherit = no_inherit && is_valid;
        column.not_null_name = (!is_default).then(|| row.text(4).to_owned());
    }
}

/// Indexes that do not come with a constraint, and what is special about those that do.
const INDEXES: &str = "
SELECT i.indexrelid, i.indrelid, n.nspname, x.relname, quote_ident(n.nspname) || '.' ||
  quote_ident(x.relname), pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered,
  i.indisreplident, k.first, h.inhparent, quote_ident(ts.spcname),
  quote_ident(pn.nspname) || '.' || quote_ident(p.relname), quote_ident(x.relname),
  (SELECT string_agg(a.attnum || ' SET STATISTICS ' || a.attstattarget, chr(1) ORDER BY a.attnum)
   FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0),
  (SELECT string_agg(split_part(o, '=', 1) || '=' || quote_literal(substr(o, strpos(o, '=') + 1)),
     ', ' ORDER BY o) FROM unnest(x.reloptions) o)
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (SELECT conindid, min(oid::bigint) AS first FROM pg_constraint
  WHERE contype IN ('p', 'u', 'x') GROUP BY conindid) k ON k.conindid = i.indexrelid
LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
LEFT JOIN pg_class p ON p.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
LEFT JOIN pg_tablespace ts ON ts.oid = x.reltablespace
WHERE c.relkind IN ('r', 'p', 'm') AND {schema} AND {not_own} AND {member:pg_class:c}
ORDER BY i.indexrelid";

/// The note on an index that is not used, such as the leftover of a failed concurrent build.
pub(in crate::db) const INVALID: &str = "invalid";

/// Reads indexes.
pub(super) async fn indexes(reader: &mut Reader<'_>, nodes: &mut Nodes) -> Result<(), ServerError> {
    let rows = reader.ask(INDEXES).await?;
    let mut quoted_tables: HashMap<u64, (Name, String)> = HashMap::new();
    for row in &rows {
        let table = (Class::Relation, row.count(1));
        let Some((table_name, quoted)) = nodes.relations.get(&table.1).cloned() else { continue };
        quoted_tables.insert(row.count(0), (table_name.clone(), quoted));
        let key = (Class::Relation, row.count(0));
        if row.get(9).is_none() {
            let sql = row.text(5).to_owned();
            let mut node = Node::new(Rank::Index, "index", name(row, 2), sql).on(table_name);
            node.note = (!row.flag(6)).then(|| INVALID.to_owned());
            nodes.add(key, &format!("INDEX {}", row.text(4)), node);
            nodes.after_partitions(key, table.1);
            nodes.depend(key, table);
        } else {
            nodes.addresses.insert(key, format!("INDEX {}", row.text(4)));
            // `pg_get_constraintdef` keeps the options of the index to itself.
            if let (Some(options), Some(node)) = (row.get(15), nodes.get_mut(key)) {
                node.statements.push(format!("ALTER INDEX {} SET ({options})", row.text(4)));
            }
        }
        if let Some(columns) = row.get(14).map(|list| list.split('\u{1}'))
            && let Some(node) = nodes.get_mut(key)
        {
            let alter = format!("ALTER INDEX {} ALTER COLUMN ", row.text(4));
            node.statements.extend(columns.map(|column| format!("{alter}{column}")));
        }
    }
    for row in &rows {
        index_settings(row, &quoted_tables, nodes);
    }
    Ok(())
}

/// Adds what is said about an index after it is there.
fn index_settings(row: &Row, tables: &HashMap<u64, (Name, String)>, nodes: &mut Nodes) {
    let key = (Class::Relation, row.count(0));
    let Some((table, quoted_table)) = tables.get(&key.1) else { return };
    let quoted = row.text(4);
    let mut add = |rank, kind, sql: String, after: &[_]| {
        nodes.follow(after, Node::new(rank, kind, name(row, 2), sql).on(table.clone()));
    };
    if let Some(parent) = row.get(12) {
        let sql = format!("ALTER INDEX {parent} ATTACH PARTITION {quoted}");
        let after = [key, (Class::Relation, row.count(10))];
        add(Rank::IndexAttach, "index-partition", sql, &after);
    }
    if row.flag(7) {
        let sql = format!("ALTER TABLE {quoted_table} CLUSTER ON {}", row.text(13));
        add(Rank::TableSetting, "clustered", sql, &[key]);
    }
    if row.flag(8) {
        let index = row.text(13);
        let sql = format!("ALTER TABLE ONLY {quoted_table} REPLICA IDENTITY USING INDEX {index}");
        add(Rank::TableSetting, "replica-identity", sql, &[key]);
    }
    if let Some(tablespace) = row.get(11) {
        let sql = format!("ALTER INDEX {quoted} SET TABLESPACE {tablespace}");
        add(Rank::Tablespace, "tablespace", sql, &[key]);
    }
}
