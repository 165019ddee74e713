//! Pieces of SQL that several queries about the catalogs share.

use crate::db::snapshot::HIDDEN;

/// What a sequence has that the server would not have chosen (`CREATE SEQUENCE`, manual).
pub(super) const SEQUENCE_OPTIONS: &str = "
    CASE WHEN s.seqincrement <> 1 THEN 'INCREMENT BY ' || s.seqincrement END,
    CASE WHEN s.seqmin <> CASE WHEN s.seqincrement > 0 THEN 1 ELSE l.least END
      THEN 'MINVALUE ' || s.seqmin END,
    CASE WHEN s.seqmax <> CASE WHEN s.seqincrement > 0 THEN l.most ELSE -1 END
      THEN 'MAXVALUE ' || s.seqmax END,
    CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END
      THEN 'START WITH ' || s.seqstart END,
    CASE WHEN s.seqcache <> 1 THEN 'CACHE ' || s.seqcache END,
    CASE WHEN s.seqcycle THEN 'CYCLE' END";

/// The smallest and largest value of the type of sequence `s`.
pub(super) const SEQUENCE_LIMITS: &str = "CROSS JOIN LATERAL (SELECT
  CASE s.seqtypid WHEN 21 THEN -32768 WHEN 23 THEN -2147483648
    ELSE -9223372036854775808 END AS least,
  CASE s.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END AS most
  ) l";

/// Operators and support functions that belong to an operator class or loosely to a family.
const MEMBERS: &str = "
  SELECT 1 AS part, o.amopstrategy AS number, 'OPERATOR ' || o.amopstrategy || ' '
    || o.amopopr::regoperator || CASE WHEN o.amoppurpose = 'o' THEN ' FOR ORDER BY '
      || quote_ident(sn.nspname) || '.' || quote_ident(sf.opfname) ELSE '' END AS item
  FROM pg_depend d JOIN pg_amop o ON o.oid = d.objid
  LEFT JOIN pg_opfamily sf ON sf.oid = o.amopsortfamily
  LEFT JOIN pg_namespace sn ON sn.oid = sf.opfnamespace
  WHERE d.classid = 'pg_amop'::regclass AND d.refclassid = '{class}'::regclass
    AND d.refobjid = {of}.oid AND d.deptype IN ('i', 'a')
  UNION ALL
  SELECT 2, p.amprocnum, 'FUNCTION ' || p.amprocnum || ' (' || p.amproclefttype::regtype || ', '
    || p.amprocrighttype::regtype || ') ' || p.amproc::regprocedure
  FROM pg_depend d JOIN pg_amproc p ON p.oid = d.objid
  WHERE d.classid = 'pg_amproc'::regclass AND d.refclassid = '{class}'::regclass
    AND d.refobjid = {of}.oid AND d.deptype IN ('i', 'a')";

/// Options as `CREATE … OPTIONS` takes them, sorted; those that hold a secret keep it.
const OPTIONS: &str =
    "coalesce(' OPTIONS (' || (SELECT string_agg(quote_ident(o.option_name) || ' '
  || CASE WHEN o.option_name ~* 'passw|secret|token' THEN '''{hidden}'''
       ELSE quote_literal(o.option_value) END, ', ' ORDER BY o.option_name)
  FROM pg_options_to_table({of}) o) || ')', '')";

/// Returns the options of an object as SQL that prints them.
pub(super) fn options(of: &str) -> String {
    OPTIONS.replace("{of}", of).replace("{hidden}", HIDDEN)
}

/// Returns the members of an operator class or family as a query.
pub(super) fn members(class: &str, of: &str) -> String {
    MEMBERS.replace("{class}", class).replace("{of}", of)
}
