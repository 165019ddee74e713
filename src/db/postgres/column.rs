//! Columns of tables.

use std::collections::HashMap;

use super::catalog::Reader;
use super::node::{Class, Key};
use crate::db::error::ServerError;
use crate::db::rows::Row;

/// A column as it stands in `CREATE TABLE`.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    pub(super) number: u64,
    pub(super) quoted: String,
    pub(super) data_type: String,
    pub(super) collation: Option<String>,
    pub(super) not_null: bool,
    /// The name of its NOT NULL constraint where that is not the server's own choice (18).
    pub(super) not_null_name: Option<String>,
    /// The NOT NULL constraint is not valid, or not for children: it stands outside or is marked.
    pub(super) not_null_no_inherit: bool,
    pub(super) default: Option<(Key, String)>,
    pub(super) generated: Option<&'static str>,
    pub(super) identity: Option<String>,
    /// Declared here, and not only inherited.
    pub(super) local: bool,
    /// `SET STORAGE`, `SET STATISTICS` and the like, as ends of `ALTER COLUMN` statements.
    pub(super) settings: Vec<String>,
    /// The options of a column of a foreign table.
    pub(super) foreign: String,
}

impl Column {
    /// Returns the line of the column.
    pub(super) fn definition(&self) -> String {
        let mut text = format!("{} {}{}", self.quoted, self.data_type, self.foreign);
        if let Some(collation) = &self.collation {
            text.push_str(" COLLATE ");
            text.push_str(collation);
        }
        match (&self.default, self.generated) {
            (Some((_, expression)), Some(kind)) => {
                text.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {kind}"));
            }
            (Some((_, expression)), None) => text.push_str(&format!(" DEFAULT {expression}")),
            (None, _) => {}
        }
        if let Some(identity) = &self.identity {
            text.push(' ');
            text.push_str(identity);
        }
        if self.not_null {
            if let Some(name) = &self.not_null_name {
                text.push_str(&format!(" CONSTRAINT {name}"));
            }
            text.push_str(" NOT NULL");
            if self.not_null_no_inherit {
                text.push_str(" NO INHERIT");
            }
        }
        text
    }
}

/// Columns of tables and views, with what is special about each.
///
/// The default of a statistics target is -1 before 17 and NULL since. A partition takes its
/// identity from its parent since 17 and must not declare it.
const COLUMNS: &str = "
SELECT a.attrelid, a.attnum, a.attname, quote_ident(a.attname),
  format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0 THEN
    (SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname) FROM pg_collation co
     JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END,
  a.attnotnull, d.oid, pg_get_expr(d.adbin, d.adrelid), a.attgenerated,
  CASE WHEN c.relispartition THEN '' ELSE a.attidentity END, a.attislocal,
  CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN'
    WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
  {since@14@CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END@NULL},
  CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
  (SELECT string_agg(split_part(o, '=', 1) || '=' ||
     quote_literal(substr(o, strpos(o, '=') + 1)), ', ' ORDER BY o) FROM unnest(a.attoptions) o),
  {options:a.attfdwoptions}
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'c', 'f')
  AND {schema} AND {not_own}
ORDER BY a.attrelid, a.attnum";

/// Sequences of identity columns: what differs from the server's own choice.
const IDENTITIES: &str = "
SELECT d.refobjid, d.refobjsubid,
  concat_ws(' ',
    CASE WHEN c.relname <> t.relname || '_' || a.attname || '_seq'
      OR c.relnamespace <> t.relnamespace THEN 'SEQUENCE NAME ' || {name:c} END,
    {sequence_options})
FROM pg_depend d
JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
JOIN pg_sequence s ON s.seqrelid = c.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
{sequence_limits}
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
  AND d.refobjsubid > 0 AND {schema}";

/// Reads all columns, by relation.
pub(super) async fn columns(
    reader: &mut Reader<'_>,
) -> Result<HashMap<u64, Vec<Column>>, ServerError> {
    let mut identities = HashMap::new();
    for row in &reader.ask(IDENTITIES).await? {
        identities.insert((row.count(0), row.count(1)), row.text(2).to_owned());
    }
    let mut columns: HashMap<u64, Vec<Column>> = HashMap::new();
    for row in &reader.ask(COLUMNS).await? {
        let options = identities.get(&(row.count(0), row.count(1)));
        columns.entry(row.count(0)).or_default().push(column(row, options));
    }
    Ok(columns)
}

/// Reads one column.
fn column(row: &Row, identity_options: Option<&String>) -> Column {
    let options = identity_options.filter(|options| !options.is_empty());
    let identity = match row.text(10) {
        "a" => Some("GENERATED ALWAYS AS IDENTITY"),
        "d" => Some("GENERATED BY DEFAULT AS IDENTITY"),
        _ => None,
    };
    let identity = identity.map(|words| match options {
        Some(options) => format!("{words} ({options})"),
        None => words.to_owned(),
    });
    let mut settings = Vec::new();
    let words = [(12, "SET STORAGE "), (13, "SET COMPRESSION "), (14, "SET STATISTICS ")];
    for (index, word) in words {
        settings.extend(row.get(index).map(|value| format!("{word}{value}")));
    }
    settings.extend(row.get(15).map(|options| format!("SET ({options})")));
    Column {
        number: row.count(1),
        quoted: row.text(3).to_owned(),
        data_type: row.text(4).to_owned(),
        collation: row.get(5).map(str::to_owned),
        not_null: row.flag(6),
        not_null_name: None,
        not_null_no_inherit: false,
        default: row.get(8).map(|text| ((Class::Default, row.count(7)), text.to_owned())),
        generated: match row.text(9) {
            "s" => Some("STORED"),
            "v" => Some("VIRTUAL"),
            _ => None,
        },
        identity,
        local: row.flag(11),
        settings,
        foreign: row.text(16).to_owned(),
    }
}
