//! Privileges and owners.

use super::catalog::Reader;
use super::class::{Class, Rank};
use super::node::{Node, Nodes, name};
use crate::db::error::ServerError;
use crate::db::rows::Row;
use crate::schema::Name;

/// Privileges that differ from those that the owner has anyway: granted ones, and built-in ones
/// that were taken away. The letters are those of `acldefault` (manual, "System Catalog
/// Information").
const GRANTS: &str = "
WITH objects AS (
  SELECT 'pg_class'::regclass AS class, c.oid, 0 AS sub, n.nspname AS schema, c.relname AS name,
         CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || {name:c} AS address,
         '' AS part, c.relacl AS acl,
         acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", c.relowner) AS std
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relacl IS NOT NULL AND c.relkind IN ('r','p','v','m','S','f') AND {schema} AND {not_own}
    AND {member:pg_class:c}
  UNION ALL
  SELECT 'pg_class'::regclass, c.oid, a.attnum, n.nspname, c.relname, 'TABLE ' || {name:c},
         ' (' || quote_ident(a.attname) || ')', a.attacl, NULL::aclitem[]
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND {schema} AND {not_own}
    AND {member:pg_class:c}
  UNION ALL
  SELECT 'pg_proc'::regclass, p.oid, 0, n.nspname,
         p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure,
         '', p.proacl, acldefault('f', p.proowner)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.proacl IS NOT NULL AND {schema} AND {member:pg_proc:p}
  UNION ALL
  SELECT 'pg_type'::regclass, t.oid, 0, n.nspname, t.typname, 'TYPE ' || t.oid::regtype, '',
         t.typacl, acldefault('T', t.typowner)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typacl IS NOT NULL AND {schema} AND {member:pg_type:t}
  UNION ALL
  SELECT 'pg_namespace'::regclass, n.oid, 0, '', n.nspname, 'SCHEMA ' || quote_ident(n.nspname), '',
         n.nspacl, CASE WHEN n.nspname = 'public' THEN coalesce(i.initprivs,
           acldefault('n', n.nspowner)) ELSE acldefault('n', n.nspowner) END
  FROM pg_namespace n
  LEFT JOIN pg_init_privs i ON i.objoid = n.oid AND i.classoid = 'pg_namespace'::regclass
  WHERE n.nspacl IS NOT NULL AND {schema}
  UNION ALL
  SELECT 'pg_foreign_server'::regclass, s.oid, 0, '', s.srvname,
         'FOREIGN SERVER ' || quote_ident(s.srvname), '', s.srvacl, acldefault('S', s.srvowner)
  FROM pg_foreign_server s WHERE s.srvacl IS NOT NULL AND {member:pg_foreign_server:s}
  UNION ALL
  SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 0, '', w.fdwname, 'FOREIGN DATA WRAPPER '
         || quote_ident(w.fdwname), '', w.fdwacl, acldefault('F', w.fdwowner)
  FROM pg_foreign_data_wrapper w
  WHERE w.fdwacl IS NOT NULL AND {member:pg_foreign_data_wrapper:w}
  UNION ALL
  SELECT 'pg_language'::regclass, l.oid, 0, '', l.lanname, 'LANGUAGE ' || quote_ident(l.lanname),
         '', l.lanacl, acldefault('l', l.lanowner)
  FROM pg_language l LEFT JOIN pg_init_privs i ON i.objoid = l.oid
    AND i.classoid = 'pg_language'::regclass
  WHERE l.lanacl IS NOT NULL AND l.lanpltrusted AND i.objoid IS NULL
), entries AS (
  SELECT o.class, o.oid, o.sub, o.schema, o.name, o.address, o.part, 'GRANT' AS verb, x.grantee,
         x.privilege_type AS privilege, x.is_grantable
  FROM objects o CROSS JOIN LATERAL (
    SELECT grantee, privilege_type, is_grantable FROM aclexplode(o.acl)
    EXCEPT SELECT grantee, privilege_type, is_grantable FROM aclexplode(o.std)) x
  UNION ALL
  SELECT o.class, o.oid, o.sub, o.schema, o.name, o.address, o.part, 'REVOKE', x.grantee,
         x.privilege_type, false
  FROM objects o CROSS JOIN LATERAL (
    SELECT grantee, privilege_type FROM aclexplode(o.std)
    EXCEPT SELECT grantee, privilege_type FROM aclexplode(o.acl)) x
)
SELECT e.schema, e.name, e.class::text, e.oid, r.rolname, e.verb || ' '
    || string_agg(e.privilege || e.part, ', ' ORDER BY e.privilege) || ' ON ' || e.address
    || CASE e.verb WHEN 'GRANT' THEN ' TO ' ELSE ' FROM ' END
    || CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END
    || CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM entries e LEFT JOIN pg_roles r ON r.oid = e.grantee
WHERE e.grantee = 0 OR r.oid IS NOT NULL
GROUP BY e.class, e.oid, e.sub, e.schema, e.name, e.address, e.part, e.verb, e.grantee, r.rolname,
         e.is_grantable
ORDER BY e.schema, e.name, e.address, e.sub, e.verb DESC, r.rolname NULLS FIRST, e.is_grantable";

/// Privileges that new objects will have.
const DEFAULTS: &str = "
SELECT coalesce(n.nspname, ''), w.rolname || ' ' || d.defaclobjtype::text, w.rolname, r.rolname,
  'ALTER DEFAULT PRIVILEGES FOR ROLE ' || quote_ident(w.rolname)
  || coalesce(' IN SCHEMA ' || quote_ident(n.nspname), '') || ' ' || x.verb || ' '
  || string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) || ' ON '
  || CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
       WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END
  || CASE x.verb WHEN 'GRANT' THEN ' TO ' ELSE ' FROM ' END
  || CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END
  || CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM pg_default_acl d
JOIN pg_roles w ON w.oid = d.defaclrole
LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL (
  SELECT 'GRANT' AS verb, g.* FROM (
    SELECT grantee, privilege_type, is_grantable FROM aclexplode(d.defaclacl)
    EXCEPT SELECT grantee, privilege_type, is_grantable FROM aclexplode(
      CASE WHEN d.defaclnamespace = 0 THEN acldefault(
        CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END::\"char\", d.defaclrole)
      ELSE NULL::aclitem[] END)) g
  UNION ALL
  SELECT 'REVOKE', g.grantee, g.privilege_type, false FROM (
    SELECT grantee, privilege_type FROM aclexplode(
      CASE WHEN d.defaclnamespace = 0 THEN acldefault(
        CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END::\"char\", d.defaclrole)
      ELSE NULL::aclitem[] END)
    EXCEPT SELECT grantee, privilege_type FROM aclexplode(d.defaclacl)) g
) x
LEFT JOIN pg_roles r ON r.oid = x.grantee
GROUP BY n.nspname, w.rolname, d.defaclobjtype, x.verb, x.grantee, r.rolname, x.is_grantable
ORDER BY 1, 2, x.verb DESC, r.rolname NULLS FIRST, x.is_grantable";

/// Reads all privileges.
pub(super) async fn grants(reader: &mut Reader<'_>, nodes: &mut Nodes) -> Result<(), ServerError> {
    let mut last: Option<(String, u64)> = None;
    for row in &reader.ask(GRANTS).await? {
        let class = row.text(2).to_owned();
        let place = (class.clone(), row.count(3));
        if let Some(role) = row.get(4) {
            nodes.roles.insert(role.to_owned());
        }
        let statement = row.text(5).to_owned();
        if last.as_ref() == Some(&place)
            && let Some(node) = nodes.list.last_mut()
        {
            node.statements.push(statement);
            continue;
        }
        let key = Class::of(&class).map(|class| (class, row.count(3)));
        let name = name(row, 0);
        let mut node = Node::new(Rank::Grant, "grant", name.clone(), statement);
        if class == "pg_class" {
            node = node.on(name);
        }
        nodes.follow(key.as_slice(), node);
        last = Some(place);
    }
    for row in &reader.ask(DEFAULTS).await? {
        nodes.roles.extend([2, 3].iter().filter_map(|index| row.get(*index)).map(str::to_owned));
        let statement = row.text(4).to_owned();
        let node =
            Node::new(Rank::DefaultPrivileges, "default-privileges", name(row, 0), statement);
        nodes.follow(&[], node);
    }
    Ok(())
}

/// Owners of what has one of its own.
const OWNERS: &str = "
SELECT 'pg_class', c.oid, n.nspname, c.relname, r.rolname, 'ALTER ' || CASE c.relkind
    WHEN 'S' THEN 'SEQUENCE ' WHEN 'v' THEN 'VIEW ' WHEN 'm' THEN 'MATERIALIZED VIEW '
    ELSE 'TABLE ' END || {name:c} || ' OWNER TO ' || quote_ident(r.rolname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
WHERE c.relkind IN ('r','p','v','m','S') AND {schema} AND {not_own} AND {member:pg_class:c}
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
    AND d.objid = c.oid AND d.deptype IN ('i', 'a') AND c.relkind = 'S')
UNION ALL
SELECT 'pg_proc', p.oid, n.nspname,
    p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', r.rolname,
    'ALTER ROUTINE ' || p.oid::regprocedure || ' OWNER TO ' || quote_ident(r.rolname)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
WHERE {schema} AND {member:pg_proc:p} AND NOT EXISTS (SELECT 1 FROM pg_depend d
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
UNION ALL
SELECT 'pg_type', t.oid, n.nspname, t.typname, r.rolname,
    'ALTER TYPE ' || t.oid::regtype || ' OWNER TO ' || quote_ident(r.rolname)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_roles r ON r.oid = t.typowner
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE {schema} AND {member:pg_type:t} AND t.typtype IN ('e', 'd', 'r', 'c')
  AND (t.typtype <> 'c' OR c.relkind = 'c')
UNION ALL
SELECT 'pg_namespace', n.oid, '', n.nspname, r.rolname,
    'ALTER SCHEMA ' || quote_ident(n.nspname) || ' OWNER TO ' || quote_ident(r.rolname)
FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
WHERE {schema} AND n.nspname <> 'public'";

/// Reads who owns what.
pub(super) async fn owners(reader: &mut Reader<'_>, nodes: &mut Nodes) -> Result<(), ServerError> {
    for row in &reader.ask(OWNERS).await? {
        nodes.roles.insert(row.text(4).to_owned());
        let node = owner(row);
        let key = Class::of(row.text(0)).map(|class| (class, row.count(1)));
        nodes.follow(key.as_slice(), node);
    }
    Ok(())
}

/// Returns the object of one owner.
fn owner(row: &Row) -> Node {
    let name: Name = name(row, 2);
    let node = Node::new(Rank::Owner, "owner", name.clone(), row.text(5).to_owned());
    if row.text(0) == "pg_class" { node.on(name) } else { node }
}
