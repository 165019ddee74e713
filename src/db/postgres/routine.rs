//! Functions, procedures and aggregates.

use super::catalog::Reader;
use super::class::{Class, Rank};
use super::node::{Node, Nodes, name};
use crate::db::error::ServerError;

/// Routines that no type made for itself; aggregates have no `pg_get_functiondef`.
const ROUTINES: &str = "
SELECT p.oid, p.prokind, n.nspname,
  p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', p.oid::regprocedure,
  CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE {schema} AND {member:pg_proc:p}
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
    AND d.objid = p.oid AND d.deptype = 'i')
ORDER BY p.oid";

/// Aggregates, as `CREATE AGGREGATE` takes them.
const AGGREGATES: &str = "
SELECT p.oid, 'CREATE AGGREGATE ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '('
  || CASE WHEN pg_get_function_arguments(p.oid) = '' THEN '*'
       ELSE pg_get_function_arguments(p.oid) END || E') (\\n    '
  || concat_ws(E',\\n    ',
    'SFUNC = ' || g.aggtransfn::regproc, 'STYPE = ' || format_type(g.aggtranstype, NULL),
    CASE WHEN g.aggtransspace <> 0 THEN 'SSPACE = ' || g.aggtransspace END,
    CASE WHEN g.aggfinalfn <> 0 THEN 'FINALFUNC = ' || g.aggfinalfn::regproc END,
    CASE WHEN g.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
    CASE WHEN g.aggfinalfn <> 0 AND g.aggfinalmodify
      <> CASE g.aggkind WHEN 'n' THEN 'r' ELSE 'w' END THEN
      'FINALFUNC_MODIFY = ' || CASE g.aggfinalmodify WHEN 'r' THEN 'READ_ONLY'
        WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END,
    CASE WHEN g.aggcombinefn <> 0 THEN 'COMBINEFUNC = ' || g.aggcombinefn::regproc END,
    CASE WHEN g.aggserialfn <> 0 THEN 'SERIALFUNC = ' || g.aggserialfn::regproc END,
    CASE WHEN g.aggdeserialfn <> 0 THEN 'DESERIALFUNC = ' || g.aggdeserialfn::regproc END,
    'INITCOND = ' || quote_literal(g.agginitval),
    CASE WHEN g.aggmtransfn <> 0 THEN 'MSFUNC = ' || g.aggmtransfn::regproc END,
    CASE WHEN g.aggminvtransfn <> 0 THEN 'MINVFUNC = ' || g.aggminvtransfn::regproc END,
    CASE WHEN g.aggmtranstype <> 0 THEN 'MSTYPE = ' || format_type(g.aggmtranstype, NULL) END,
    CASE WHEN g.aggmtransspace <> 0 THEN 'MSSPACE = ' || g.aggmtransspace END,
    CASE WHEN g.aggmfinalfn <> 0 THEN 'MFINALFUNC = ' || g.aggmfinalfn::regproc END,
    CASE WHEN g.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
    'MINITCOND = ' || quote_literal(g.aggminitval),
    CASE WHEN g.aggsortop <> 0 THEN 'SORTOP = ' || (SELECT 'OPERATOR(' || quote_ident(en.nspname)
      || '.' || o.oprname || ')' FROM pg_operator o JOIN pg_namespace en ON en.oid = o.oprnamespace
      WHERE o.oid = g.aggsortop) END,
    CASE WHEN g.aggkind = 'h' THEN 'HYPOTHETICAL' END,
    CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END
  ) || E'\\n)'
FROM pg_aggregate g
JOIN pg_proc p ON p.oid = g.aggfnoid
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE {schema} AND {member:pg_proc:p}";

/// Reads all routines.
pub(super) async fn routines(
    reader: &mut Reader<'_>,
    nodes: &mut Nodes,
) -> Result<(), ServerError> {
    for row in &reader.ask(ROUTINES).await? {
        let (kind, words) = match row.text(1) {
            "p" => ("procedure", "PROCEDURE"),
            "a" => ("aggregate", "AGGREGATE"),
            _ => ("function", "FUNCTION"),
        };
        let definition = row.text(5).trim_end().to_owned();
        let node = Node::new(Rank::Routine, kind, name(row, 2), definition);
        let address = format!("{words} {}", row.text(4));
        nodes.add((Class::Routine, row.count(0)), &address, node);
    }
    for row in &reader.ask(AGGREGATES).await? {
        if let Some(node) = nodes.get_mut((Class::Routine, row.count(0))) {
            node.statements = vec![row.text(1).to_owned()];
        }
    }
    Ok(())
}
