//! Schemas, extensions, types, sequences, and what stands on tables or belongs to the database.

use super::catalog::Reader;
use super::class::{Class, Key, Rank};
use super::node::{Node, Nodes, OwnedSequence, name};
use crate::db::error::ServerError;

/// Reads schemas. `public` is in every new database.
pub(super) async fn schemas(reader: &mut Reader<'_>, nodes: &mut Nodes) -> Result<(), ServerError> {
    let sql = "SELECT n.oid, '', n.nspname, quote_ident(n.nspname) FROM pg_namespace n \
               WHERE {schema} AND n.nspname <> 'public' AND {member:pg_namespace:n} ORDER BY n.oid";
    for row in &reader.ask(sql).await? {
        let quoted = row.text(3);
        let create = format!("CREATE SCHEMA {quoted}");
        let node = Node::new(Rank::Schema, "schema", name(row, 1), create);
        nodes.add((Class::Schema, row.count(0)), &format!("SCHEMA {quoted}"), node);
    }
    Ok(())
}

/// Reads extensions. `plpgsql` is in every new database.
pub(super) async fn extensions(
    reader: &mut Reader<'_>,
    nodes: &mut Nodes,
) -> Result<(), ServerError> {
    let sql = "SELECT x.oid, '', x.extname, quote_ident(x.extname), quote_ident(n.nspname), \
               quote_literal(x.extversion) FROM pg_extension x \
               JOIN pg_namespace n ON n.oid = x.extnamespace \
               WHERE x.extname <> 'plpgsql' ORDER BY x.extname";
    for row in &reader.query(sql).await? {
        let (quoted, schema, version) = (row.text(3), row.text(4), row.text(5));
        let create = format!("CREATE EXTENSION {quoted} WITH SCHEMA {schema} VERSION {version}");
        let node = Node::new(Rank::Extension, "extension", name(row, 1), create);
        nodes.add((Class::Extension, row.count(0)), "", node);
    }
    Ok(())
}

/// Enums, ranges, composites and domains; the row types of tables come with their tables.
const TYPES: &str = "
SELECT t.oid, t.typtype, n.nspname, t.typname, t.oid::regtype::text, t.typarray,
  CASE t.typtype
  WHEN 'e' THEN 'CREATE TYPE ' || t.oid::regtype || E' AS ENUM (\\n    ' || coalesce(
    (SELECT string_agg(quote_literal(e.enumlabel), E',\\n    ' ORDER BY e.enumsortorder)
     FROM pg_enum e WHERE e.enumtypid = t.oid), '') || E'\\n)'
  WHEN 'c' THEN 'CREATE TYPE ' || t.oid::regtype || E' AS (\\n    ' || coalesce(
    (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attcollation <> at.typcollation AND a.attcollation <> 0 THEN ' COLLATE '
          || (SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname) FROM pg_collation co
              JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation)
          ELSE '' END, E',\\n    ' ORDER BY a.attnum)
     FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid
     WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '') || E'\\n)'
  WHEN 'r' THEN (SELECT 'CREATE TYPE ' || t.oid::regtype || E' AS RANGE (\\n    '
    || concat_ws(E',\\n    ', 'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
      CASE WHEN NOT o.opcdefault THEN 'SUBTYPE_OPCLASS = ' || quote_ident(pn.nspname) || '.'
        || quote_ident(o.opcname) END,
      (SELECT 'COLLATION = ' || quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
       FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
       JOIN pg_type st ON st.oid = r.rngsubtype
       WHERE co.oid = r.rngcollation AND r.rngcollation <> st.typcollation),
      CASE WHEN r.rngcanonical <> 0 THEN 'CANONICAL = ' || r.rngcanonical END,
      CASE WHEN r.rngsubdiff <> 0 THEN 'SUBTYPE_DIFF = ' || r.rngsubdiff END,
      {since@14@'MULTIRANGE_TYPE_NAME = ' || r.rngmultitypid::regtype@NULL}) || E'\\n)'
    FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc
    JOIN pg_namespace pn ON pn.oid = o.opcnamespace WHERE r.rngtypid = t.oid)
  WHEN 'd' THEN 'CREATE DOMAIN ' || t.oid::regtype || ' AS '
    || format_type(t.typbasetype, t.typtypmod)
    || CASE WHEN t.typcollation <> bt.typcollation AND t.typcollation <> 0 THEN ' COLLATE '
       || (SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname) FROM pg_collation co
           JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = t.typcollation)
       ELSE '' END
    || coalesce(' DEFAULT '
         || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)),
         '')
    || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
    || coalesce((SELECT string_agg(E'\\n    CONSTRAINT ' || quote_ident(k.conname) || ' '
         || pg_get_constraintdef(k.oid), '' ORDER BY k.conname)
       FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated), '')
  END,
  (SELECT string_agg('ALTER DOMAIN ' || t.oid::regtype || ' ADD CONSTRAINT '
     || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), chr(1) ORDER BY k.conname)
   FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND NOT k.convalidated),
  t.typrelid, {since@14@(SELECT r.rngmultitypid FROM pg_range r WHERE r.rngtypid = t.oid)@NULL},
  (SELECT string_agg(a.attnum || chr(2) || quote_ident(a.attname), chr(1)) FROM pg_attribute a
   WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_type bt ON bt.oid = t.typbasetype
WHERE t.typtype IN ('e', 'c', 'r', 'd') AND (t.typtype <> 'c' OR c.relkind = 'c')
  AND {schema} AND {member:pg_type:t}
ORDER BY t.oid";

/// Constraints of domains, which carry comments and depend on functions.
const DOMAIN_CONSTRAINTS: &str = "
SELECT k.oid, k.contypid, 'CONSTRAINT ' || quote_ident(k.conname) || ' ON DOMAIN '
  || k.contypid::regtype
FROM pg_constraint k WHERE k.contypid <> 0 AND k.oid >= 16384";

/// Reads types.
pub(super) async fn types(reader: &mut Reader<'_>, nodes: &mut Nodes) -> Result<(), ServerError> {
    for row in &reader.ask(TYPES).await? {
        let key = (Class::Type, row.count(0));
        let kind = if row.text(1) == "d" { "domain" } else { "type" };
        let quoted = row.text(4);
        let mut node = Node::new(Rank::Type, kind, name(row, 2), row.text(6).to_owned());
        let more = row.get(7).into_iter().flat_map(|list| list.split('\u{1}'));
        node.statements.extend(more.map(str::to_owned));
        let words = if row.text(1) == "d" { "DOMAIN" } else { "TYPE" };
        nodes.add(key, &format!("{words} {quoted}"), node);
        nodes.alias((Class::Type, row.count(5)), key);
        if row.count(8) > 0 {
            nodes.alias((Class::Relation, row.count(8)), key);
            nodes.relations.insert(row.count(8), (name(row, 2), quoted.to_owned()));
            for column in row.text(10).split('\u{1}') {
                if let Some((number, column)) = column.split_once('\u{2}') {
                    let number = number.parse().unwrap_or(0);
                    nodes.columns.insert((row.count(8), number), column.to_owned());
                }
            }
        }
        if row.count(9) > 0 {
            nodes.alias((Class::Type, row.count(9)), key);
        }
    }
    for row in &reader.query(DOMAIN_CONSTRAINTS).await? {
        let key = (Class::Constraint, row.count(0));
        nodes.alias(key, (Class::Type, row.count(1)));
        nodes.addresses.insert(key, row.text(2).to_owned());
    }
    // Array types of aliases (multiranges) and functions that came with a range type.
    let made = "SELECT d.classid::regclass, d.objid, d.refobjid FROM pg_depend d \
                WHERE d.refclassid = 'pg_type'::regclass AND d.deptype = 'i' \
                AND d.classid IN ('pg_type'::regclass, 'pg_proc'::regclass) AND d.objid >= 16384";
    for row in &reader.query(made).await? {
        if let Some(class) = Class::of(row.text(0)) {
            nodes.alias((class, row.count(1)), (Class::Type, row.count(2)));
        }
    }
    Ok(())
}

/// Sequences, except those of identity columns, and who owns them.
const SEQUENCES: &str = "
SELECT c.oid, '', n.nspname, c.relname, {name:c},
  concat_ws(' ', 'CREATE' || CASE c.relpersistence WHEN 'u' THEN ' UNLOGGED' ELSE '' END
    || ' SEQUENCE', {name:c},
    CASE WHEN s.seqtypid <> 20 THEN 'AS ' || format_type(s.seqtypid, NULL) END,
    {sequence_options}),
  d.refobjid, 'ALTER SEQUENCE ' || {name:c} || ' OWNED BY ' || quote_ident(tn.nspname) || '.'
    || quote_ident(t.relname) || '.' || quote_ident(a.attname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype = 'a'
LEFT JOIN pg_class t ON t.oid = d.refobjid
LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
{sequence_limits}
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {schema} AND {not_own}
  AND (t.oid IS NULL OR NOT t.relname = ANY (ARRAY[{own}])) AND {member:pg_class:c}
  AND NOT EXISTS (SELECT 1 FROM pg_depend i WHERE i.classid = 'pg_class'::regclass
    AND i.objid = c.oid AND i.deptype = 'i')
ORDER BY c.oid";

/// Reads sequences.
pub(super) async fn sequences(
    reader: &mut Reader<'_>,
    nodes: &mut Nodes,
) -> Result<(), ServerError> {
    for row in &reader.ask(SEQUENCES).await? {
        let (key, quoted) = ((Class::Relation, row.count(0)), row.text(4));
        let node = Node::new(Rank::Sequence, "sequence", name(row, 2), row.text(5).to_owned());
        nodes.add(key, &format!("SEQUENCE {quoted}"), node);
        nodes.relations.insert(key.1, (name(row, 2), quoted.to_owned()));
        if let Some(sql) = row.get(7) {
            nodes.owned.push(OwnedSequence {
                sequence: key,
                table: row.count(6),
                name: name(row, 2),
                statement: sql.to_owned(),
            });
        }
    }
    Ok(())
}

/// One kind of object on a table: its catalog, and a query for number, table, name, statement,
/// address and further statements.
struct OnTable {
    rank: Rank,
    kind: &'static str,
    class: Class,
    sql: &'static str,
}

/// Triggers, rules, policies and statistics objects. A trigger that a partition has from its table
/// comes with that one: since 13 `tgparentid` says so, before that a dependency.
const ON_TABLES: [OnTable; 4] = [
    OnTable {
        rank: Rank::Trigger,
        kind: "trigger",
        class: Class::Trigger,
        sql: "
SELECT t.oid, c.oid, n.nspname, t.tgname, pg_get_triggerdef(t.oid),
  'TRIGGER ' || quote_ident(t.tgname) || ' ON ' || {name:c},
  CASE WHEN t.tgenabled <> 'O' THEN 'ALTER TABLE ' || {name:c} || CASE t.tgenabled WHEN 'D'
    THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA' ELSE ' ENABLE ALWAYS' END || ' TRIGGER '
    || quote_ident(t.tgname) END
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND {schema} AND {not_own} AND {member:pg_trigger:t}
  AND {since@13@t.tgparentid = 0@NOT EXISTS (SELECT 1 FROM pg_depend d
    WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
    AND d.refclassid = 'pg_trigger'::regclass)}
ORDER BY t.oid",
    },
    OnTable {
        rank: Rank::Rule,
        kind: "rule",
        class: Class::Rule,
        sql: "
SELECT r.oid, c.oid, n.nspname, r.rulename, rtrim(pg_get_ruledef(r.oid), ';'),
  'RULE ' || quote_ident(r.rulename) || ' ON ' || {name:c},
  CASE WHEN r.ev_enabled <> 'O' THEN 'ALTER TABLE ' || {name:c} || CASE r.ev_enabled WHEN 'D'
    THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA' ELSE ' ENABLE ALWAYS' END || ' RULE '
    || quote_ident(r.rulename) END
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND {schema} AND {not_own} AND {member:pg_rewrite:r}
ORDER BY r.oid",
    },
    OnTable {
        rank: Rank::Policy,
        kind: "policy",
        class: Class::Policy,
        sql: "
SELECT p.oid, c.oid, n.nspname, p.polname, 'CREATE POLICY ' || quote_ident(p.polname) || ' ON '
  || {name:c} || CASE WHEN p.polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
  || CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w'
     THEN ' FOR UPDATE' WHEN 'd' THEN ' FOR DELETE' ELSE '' END
  || CASE WHEN p.polroles = '{0}' THEN '' ELSE ' TO ' || (SELECT string_agg(CASE WHEN o.r = 0
       THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o.r)) END, ', ' ORDER BY pg_get_userbyid(o.r))
       FROM unnest(p.polroles) AS o(r)) END
  || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
  || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''),
  'POLICY ' || quote_ident(p.polname) || ' ON ' || {name:c}, NULL,
  (SELECT string_agg(r.rolname, chr(1)) FROM pg_roles r WHERE r.oid = ANY (p.polroles))
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {schema} AND {not_own}
ORDER BY p.oid",
    },
    OnTable {
        rank: Rank::Statistics,
        kind: "statistics",
        class: Class::Statistics,
        sql: "
SELECT s.oid, c.oid, sn.nspname, s.stxname, pg_get_statisticsobjdef(s.oid),
  'STATISTICS ' || quote_ident(sn.nspname) || '.' || quote_ident(s.stxname),
  {since@13@CASE WHEN s.stxstattarget >= 0 THEN 'ALTER STATISTICS ' || quote_ident(sn.nspname)
    || '.' || quote_ident(s.stxname) || ' SET STATISTICS ' || s.stxstattarget END@NULL}
FROM pg_statistic_ext s
JOIN pg_namespace sn ON sn.oid = s.stxnamespace
JOIN pg_class c ON c.oid = s.stxrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {schema} AND {not_own}
ORDER BY s.oid",
    },
];

/// Reads what stands on tables.
pub(super) async fn on_tables(
    reader: &mut Reader<'_>,
    nodes: &mut Nodes,
) -> Result<(), ServerError> {
    for OwnedSequence { sequence, table, name, statement } in std::mem::take(&mut nodes.owned) {
        let relation = nodes.relations.get(&table).map(|(name, _)| name.clone());
        let mut node = Node::new(Rank::SequenceOwner, "sequence-owner", name, statement);
        node.relation = relation;
        nodes.follow(&[sequence, (Class::Relation, table)], node);
    }
    for OnTable { rank, kind, class, sql } in ON_TABLES {
        for row in &reader.ask(sql).await? {
            let table = (Class::Relation, row.count(1));
            let Some((relation, _)) = nodes.relations.get(&table.1).cloned() else { continue };
            let key = (class, row.count(0));
            let mut node = Node::new(rank, kind, name(row, 2), row.text(4).to_owned()).on(relation);
            node.statements.extend(row.get(6).map(str::to_owned));
            nodes.add(key, row.text(5), node);
            nodes.depend(key, table);
            let roles = row.get(7).into_iter().flat_map(|list| list.split('\u{1}'));
            nodes.roles.extend(roles.map(str::to_owned));
        }
    }
    // A view is its `_RETURN` rule; what that reads, the view reads.
    let returns = "SELECT r.oid, r.ev_class FROM pg_rewrite r WHERE r.rulename = '_RETURN' \
                   AND r.oid >= 16384";
    for row in &reader.query(returns).await? {
        nodes.alias((Class::Rule, row.count(0)), (Class::Relation, row.count(1)));
    }
    Ok(())
}

/// Event triggers.
const EVENT_TRIGGERS: &str = "
SELECT e.oid, '', e.evtname, 'CREATE EVENT TRIGGER ' || quote_ident(e.evtname)
  || ' ON ' || e.evtevent
  || coalesce(E'\\n    WHEN TAG IN (' || (SELECT string_agg(quote_literal(t), ', ' ORDER BY t)
     FROM unnest(e.evttags) t) || ')', '') || E'\\n    EXECUTE FUNCTION '
  || e.evtfoid::regproc || '()',
  'EVENT TRIGGER ' || quote_ident(e.evtname),
  CASE WHEN e.evtenabled <> 'O' THEN 'ALTER EVENT TRIGGER ' || quote_ident(e.evtname)
    || CASE e.evtenabled WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA'
       ELSE ' ENABLE ALWAYS' END END
FROM pg_event_trigger e WHERE {member:pg_event_trigger:e} ORDER BY e.oid";

/// Publications; column lists, row filters and schemas since 15.
const PUBLICATIONS: &str = "
SELECT p.oid, '', p.pubname, 'CREATE PUBLICATION ' || quote_ident(p.pubname)
  || CASE WHEN p.puballtables THEN ' FOR ALL TABLES' ELSE '' END
  || coalesce((SELECT ' FOR ' || string_agg(x.what, ', ' ORDER BY x.what) FROM (
       SELECT 'TABLE ' || CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END || {name:c}
         || {since@15@coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', '
              ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = r.prrelid
              AND a.attnum = ANY (r.prattrs)) || ')', '')
            || coalesce(' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')', '')@''} AS what
       FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.prpubid = p.oid
       {since@15@UNION ALL SELECT 'TABLES IN SCHEMA ' || quote_ident(sn.nspname)
         FROM pg_publication_namespace pn JOIN pg_namespace sn ON sn.oid = pn.pnnspid
         WHERE pn.pnpubid = p.oid@}) x), '')
  || ' WITH (publish = ''' || concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
     CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
     CASE WHEN p.pubtruncate THEN 'truncate' END) || ''''
  || {since@13@CASE WHEN p.pubviaroot THEN ', publish_via_partition_root = true' ELSE '' END@''}
  || ')',
  'PUBLICATION ' || quote_ident(p.pubname),
  (SELECT string_agg(r.prrelid::text, ' ') FROM pg_publication_rel r WHERE r.prpubid = p.oid)
FROM pg_publication p ORDER BY p.oid";

/// Reads event triggers and publications.
pub(super) async fn of_database(
    reader: &mut Reader<'_>,
    nodes: &mut Nodes,
) -> Result<(), ServerError> {
    for row in &reader.ask(EVENT_TRIGGERS).await? {
        let sql = row.text(3).to_owned();
        let mut node = Node::new(Rank::EventTrigger, "event-trigger", name(row, 1), sql);
        node.statements.extend(row.get(5).map(str::to_owned));
        nodes.add((Class::EventTrigger, row.count(0)), row.text(4), node);
    }
    for row in &reader.ask(PUBLICATIONS).await? {
        let sql = row.text(3).to_owned();
        let node = Node::new(Rank::Publication, "publication", name(row, 1), sql);
        let key: Key = (Class::Publication, row.count(0));
        nodes.add(key, row.text(4), node);
        for table in row.text(5).split_whitespace().filter_map(|number| number.parse().ok()) {
            nodes.depend(key, (Class::Relation, table));
        }
    }
    Ok(())
}
