//! Objects that a list defines: languages, foreign servers, collations, text search, operators and
//! casts, base types, subscriptions.
//!
//! What only a few may read, or nobody should, is not written down: passwords in options stand as
//! [`HIDDEN`].

use super::catalog::Reader;
use super::class::{Class, Rank};
use super::node::{Node, Nodes, name};
use crate::db::error::ServerError;
use crate::db::snapshot::HIDDEN;

/// One kind of object: a query for number, schema, name, statement, address, further statements, a
/// role that it names, and the number of what it follows.
struct Definition {
    rank: Rank,
    kind: &'static str,
    class: Class,
    sql: &'static str,
}

const DEFINITIONS: &[Definition] = &[
    Definition {
        rank: Rank::Language,
        kind: "language",
        class: Class::Language,
        sql: "
SELECT l.oid, '', l.lanname, 'CREATE ' || CASE WHEN l.lanpltrusted THEN 'TRUSTED ' ELSE '' END
  || 'LANGUAGE ' || quote_ident(l.lanname) || ' HANDLER ' || l.lanplcallfoid::regproc
  || CASE WHEN l.laninline <> 0 THEN ' INLINE ' || l.laninline::regproc ELSE '' END
  || CASE WHEN l.lanvalidator <> 0 THEN ' VALIDATOR ' || l.lanvalidator::regproc ELSE '' END,
  'LANGUAGE ' || quote_ident(l.lanname)
FROM pg_language l WHERE l.lanispl AND l.oid >= 16384 AND {member:pg_language:l}",
    },
    Definition {
        rank: Rank::AccessMethod,
        kind: "access-method",
        class: Class::AccessMethod,
        sql: "
SELECT a.oid, '', a.amname, 'CREATE ACCESS METHOD ' || quote_ident(a.amname) || ' TYPE '
  || CASE a.amtype WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END || ' HANDLER ' || a.amhandler,
  'ACCESS METHOD ' || quote_ident(a.amname)
FROM pg_am a WHERE a.oid >= 16384 AND {member:pg_am:a}",
    },
    Definition {
        rank: Rank::Wrapper,
        kind: "foreign-data-wrapper",
        class: Class::Wrapper,
        sql: "
SELECT w.oid, '', w.fdwname, 'CREATE FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)
  || CASE WHEN w.fdwhandler <> 0 THEN ' HANDLER ' || w.fdwhandler::regproc ELSE '' END
  || CASE WHEN w.fdwvalidator <> 0 THEN ' VALIDATOR ' || w.fdwvalidator::regproc ELSE '' END
  || {options:w.fdwoptions}, 'FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)
FROM pg_foreign_data_wrapper w WHERE {member:pg_foreign_data_wrapper:w}",
    },
    Definition {
        rank: Rank::Server,
        kind: "server",
        class: Class::Server,
        sql: "
SELECT s.oid, '', s.srvname, 'CREATE SERVER ' || quote_ident(s.srvname)
  || coalesce(' TYPE ' || quote_literal(s.srvtype), '')
  || coalesce(' VERSION ' || quote_literal(s.srvversion), '')
  || ' FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname) || {options:s.srvoptions},
  'SERVER ' || quote_ident(s.srvname)
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE {member:pg_foreign_server:s}",
    },
    Definition {
        rank: Rank::UserMapping,
        kind: "user-mapping",
        class: Class::UserMapping,
        sql: "
SELECT m.umid, '', m.usename || ' ' || m.srvname, 'CREATE USER MAPPING FOR '
  || CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END || ' SERVER '
  || quote_ident(m.srvname) || ' /* options {hidden} */', '', NULL,
  CASE WHEN m.umuser <> 0 THEN m.usename END, m.srvid
FROM pg_user_mappings m",
    },
    Definition {
        rank: Rank::Collation,
        kind: "collation",
        class: Class::Collation,
        sql: "
SELECT t.oid, n.nspname, t.collname, 'CREATE COLLATION ' || quote_ident(n.nspname) || '.'
  || quote_ident(t.collname) || ' (PROVIDER = ' || CASE t.collprovider WHEN 'i' THEN 'icu'
       WHEN 'b' THEN 'builtin' ELSE 'libc' END || CASE
     WHEN t.collprovider <> 'c' THEN ', LOCALE = ' || quote_literal({locale})
     WHEN t.collcollate = t.collctype THEN ', LOCALE = ' || quote_literal(t.collcollate)
     ELSE ', LC_COLLATE = ' || quote_literal(t.collcollate) || ', LC_CTYPE = '
       || quote_literal(t.collctype) END
  || CASE WHEN t.collisdeterministic THEN '' ELSE ', DETERMINISTIC = false' END
  || {since@16@coalesce(', RULES = ' || quote_literal(t.collicurules), '')@''} || ')',
  'COLLATION ' || quote_ident(n.nspname) || '.' || quote_ident(t.collname)
FROM pg_collation t JOIN pg_namespace n ON n.oid = t.collnamespace
WHERE t.oid >= 16384 AND {schema} AND {member:pg_collation:t}",
    },
    Definition {
        rank: Rank::Conversion,
        kind: "conversion",
        class: Class::Conversion,
        sql: "
SELECT t.oid, n.nspname, t.conname, 'CREATE ' || CASE WHEN t.condefault THEN 'DEFAULT ' ELSE '' END
  || 'CONVERSION ' || quote_ident(n.nspname) || '.' || quote_ident(t.conname) || ' FOR '
  || quote_literal(pg_encoding_to_char(t.conforencoding)) || ' TO '
  || quote_literal(pg_encoding_to_char(t.contoencoding)) || ' FROM ' || t.conproc,
  'CONVERSION ' || quote_ident(n.nspname) || '.' || quote_ident(t.conname)
FROM pg_conversion t JOIN pg_namespace n ON n.oid = t.connamespace
WHERE t.oid >= 16384 AND {schema} AND {member:pg_conversion:t}",
    },
    Definition {
        rank: Rank::SearchParser,
        kind: "text-search-parser",
        class: Class::SearchParser,
        sql: "
SELECT t.oid, n.nspname, t.prsname, 'CREATE TEXT SEARCH PARSER ' || quote_ident(n.nspname) || '.'
  || quote_ident(t.prsname) || ' (START = ' || t.prsstart || ', GETTOKEN = ' || t.prstoken
  || ', END = ' || t.prsend || CASE WHEN t.prsheadline <> 0 THEN ', HEADLINE = '
    || t.prsheadline::regproc ELSE '' END || ', LEXTYPES = ' || t.prslextype || ')',
  'TEXT SEARCH PARSER ' || quote_ident(n.nspname) || '.' || quote_ident(t.prsname)
FROM pg_ts_parser t JOIN pg_namespace n ON n.oid = t.prsnamespace
WHERE t.oid >= 16384 AND {schema} AND {member:pg_ts_parser:t}",
    },
    Definition {
        rank: Rank::SearchTemplate,
        kind: "text-search-template",
        class: Class::SearchTemplate,
        sql: "
SELECT t.oid, n.nspname, t.tmplname, 'CREATE TEXT SEARCH TEMPLATE ' || quote_ident(n.nspname) || '.'
  || quote_ident(t.tmplname) || ' (' || CASE WHEN t.tmplinit <> 0 THEN 'INIT = '
    || t.tmplinit::regproc || ', ' ELSE '' END || 'LEXIZE = ' || t.tmpllexize || ')',
  'TEXT SEARCH TEMPLATE ' || quote_ident(n.nspname) || '.' || quote_ident(t.tmplname)
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace
WHERE t.oid >= 16384 AND {schema} AND {member:pg_ts_template:t}",
    },
    Definition {
        rank: Rank::SearchDictionary,
        kind: "text-search-dictionary",
        class: Class::SearchDictionary,
        sql: "
SELECT t.oid, n.nspname, t.dictname, 'CREATE TEXT SEARCH DICTIONARY ' || quote_ident(n.nspname)
  || '.' || quote_ident(t.dictname) || ' (TEMPLATE = ' || quote_ident(tn.nspname) || '.'
  || quote_ident(p.tmplname) || coalesce(', ' || t.dictinitoption, '') || ')',
  'TEXT SEARCH DICTIONARY ' || quote_ident(n.nspname) || '.' || quote_ident(t.dictname)
FROM pg_ts_dict t JOIN pg_namespace n ON n.oid = t.dictnamespace
JOIN pg_ts_template p ON p.oid = t.dicttemplate JOIN pg_namespace tn ON tn.oid = p.tmplnamespace
WHERE t.oid >= 16384 AND {schema} AND {member:pg_ts_dict:t}",
    },
    Definition {
        rank: Rank::SearchConfiguration,
        kind: "text-search-configuration",
        class: Class::SearchConfiguration,
        sql: "
SELECT t.oid, n.nspname, t.cfgname, 'CREATE TEXT SEARCH CONFIGURATION ' || quote_ident(n.nspname)
  || '.' || quote_ident(t.cfgname) || ' (PARSER = ' || quote_ident(pn.nspname) || '.'
  || quote_ident(p.prsname) || ')',
  'TEXT SEARCH CONFIGURATION ' || quote_ident(n.nspname) || '.' || quote_ident(t.cfgname),
  (SELECT string_agg(m.mapping, chr(1) ORDER BY m.mapping) FROM (
     SELECT 'ALTER TEXT SEARCH CONFIGURATION ' || quote_ident(n.nspname) || '.'
       || quote_ident(t.cfgname) || ' ADD MAPPING FOR ' || quote_ident(k.alias) || ' WITH '
       || string_agg(x.mapdict::regdictionary::text, ', ' ORDER BY x.mapseqno) AS mapping
     FROM pg_ts_config_map x JOIN ts_token_type(t.cfgparser) k ON k.tokid = x.maptokentype
     WHERE x.mapcfg = t.oid GROUP BY k.alias) m)
FROM pg_ts_config t JOIN pg_namespace n ON n.oid = t.cfgnamespace
JOIN pg_ts_parser p ON p.oid = t.cfgparser JOIN pg_namespace pn ON pn.oid = p.prsnamespace
WHERE t.oid >= 16384 AND {schema} AND {member:pg_ts_config:t}",
    },
    Definition {
        rank: Rank::Cast,
        kind: "cast",
        class: Class::Cast,
        sql: "
SELECT t.oid, '', '(' || t.castsource::regtype || ' AS ' || t.casttarget::regtype || ')',
  'CREATE CAST (' || t.castsource::regtype || ' AS ' || t.casttarget::regtype || ') WITH'
  || CASE t.castmethod WHEN 'f' THEN ' FUNCTION ' || t.castfunc::regprocedure
       WHEN 'i' THEN ' INOUT' ELSE 'OUT FUNCTION' END
  || CASE t.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END,
  'CAST (' || t.castsource::regtype || ' AS ' || t.casttarget::regtype || ')'
FROM pg_cast t WHERE t.oid >= 16384 AND {member:pg_cast:t}
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass
    AND d.objid = t.oid AND d.deptype = 'i')",
    },
    Definition {
        rank: Rank::Transform,
        kind: "transform",
        class: Class::Transform,
        sql: "
SELECT t.oid, '', t.trftype::regtype || ' ' || l.lanname, 'CREATE TRANSFORM FOR '
  || t.trftype::regtype || ' LANGUAGE ' || quote_ident(l.lanname) || ' (' || concat_ws(', ',
    CASE WHEN t.trffromsql <> 0 THEN 'FROM SQL WITH FUNCTION ' || t.trffromsql::regprocedure END,
    CASE WHEN t.trftosql <> 0 THEN 'TO SQL WITH FUNCTION ' || t.trftosql::regprocedure END) || ')',
  'TRANSFORM FOR ' || t.trftype::regtype || ' LANGUAGE ' || quote_ident(l.lanname)
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE {member:pg_transform:t}",
    },
    Definition {
        rank: Rank::Operator,
        kind: "operator",
        class: Class::Operator,
        sql: "
SELECT t.oid, n.nspname, t.oprname || ' (' || format_type(t.oprleft, NULL) || ', '
    || format_type(t.oprright, NULL) || ')',
  'CREATE OPERATOR ' || quote_ident(n.nspname) || '.' || t.oprname || E' (\\n    '
  || concat_ws(E',\\n    ', 'FUNCTION = ' || t.oprcode::regproc,
    CASE WHEN t.oprleft <> 0 THEN 'LEFTARG = ' || format_type(t.oprleft, NULL) END,
    CASE WHEN t.oprright <> 0 THEN 'RIGHTARG = ' || format_type(t.oprright, NULL) END,
    (SELECT 'COMMUTATOR = OPERATOR(' || quote_ident(n2.nspname) || '.' || o.oprname || ')'
     FROM pg_operator o JOIN pg_namespace n2 ON n2.oid = o.oprnamespace WHERE o.oid = t.oprcom),
    (SELECT 'NEGATOR = OPERATOR(' || quote_ident(n2.nspname) || '.' || o.oprname || ')'
     FROM pg_operator o JOIN pg_namespace n2 ON n2.oid = o.oprnamespace WHERE o.oid = t.oprnegate),
    CASE WHEN t.oprrest <> 0 THEN 'RESTRICT = ' || t.oprrest::regproc END,
    CASE WHEN t.oprjoin <> 0 THEN 'JOIN = ' || t.oprjoin::regproc END,
    CASE WHEN t.oprcanhash THEN 'HASHES' END, CASE WHEN t.oprcanmerge THEN 'MERGES' END)
  || E'\\n)', 'OPERATOR ' || t.oid::regoperator
FROM pg_operator t JOIN pg_namespace n ON n.oid = t.oprnamespace
WHERE t.oid >= 16384 AND t.oprcode <> 0 AND {schema} AND {member:pg_operator:t}",
    },
    Definition {
        rank: Rank::OperatorFamily,
        kind: "operator-family",
        class: Class::OperatorFamily,
        sql: "
SELECT t.oid, n.nspname, t.opfname || ' USING ' || a.amname, 'CREATE OPERATOR FAMILY '
  || quote_ident(n.nspname) || '.' || quote_ident(t.opfname) || ' USING ' || quote_ident(a.amname),
  'OPERATOR FAMILY ' || quote_ident(n.nspname) || '.' || quote_ident(t.opfname) || ' USING '
  || quote_ident(a.amname)
FROM pg_opfamily t JOIN pg_namespace n ON n.oid = t.opfnamespace JOIN pg_am a ON a.oid = t.opfmethod
WHERE t.oid >= 16384 AND {schema} AND {member:pg_opfamily:t}",
    },
    Definition {
        rank: Rank::OperatorClass,
        kind: "operator-class",
        class: Class::Operators,
        sql: "
SELECT t.oid, n.nspname, t.opcname || ' USING ' || a.amname, 'CREATE OPERATOR CLASS '
  || quote_ident(n.nspname) || '.' || quote_ident(t.opcname)
  || CASE WHEN t.opcdefault THEN ' DEFAULT' ELSE '' END || ' FOR TYPE ' || t.opcintype::regtype
  || ' USING ' || quote_ident(a.amname) || ' FAMILY ' || quote_ident(fn.nspname) || '.'
  || quote_ident(f.opfname) || E' AS\\n    ' || coalesce((SELECT string_agg(x.item, E',\\n    '
       ORDER BY x.part, x.number, x.item) FROM ({members:pg_opclass:t}) x),
     'STORAGE ' || t.opcintype::regtype)
  || CASE WHEN t.opckeytype <> 0 THEN E',\\n    STORAGE ' || t.opckeytype::regtype ELSE '' END,
  'OPERATOR CLASS ' || quote_ident(n.nspname) || '.' || quote_ident(t.opcname) || ' USING '
  || quote_ident(a.amname)
FROM pg_opclass t JOIN pg_namespace n ON n.oid = t.opcnamespace JOIN pg_am a ON a.oid = t.opcmethod
JOIN pg_opfamily f ON f.oid = t.opcfamily JOIN pg_namespace fn ON fn.oid = f.opfnamespace
WHERE t.oid >= 16384 AND {schema} AND {member:pg_opclass:t}",
    },
    Definition {
        rank: Rank::OperatorMember,
        kind: "operator-family-members",
        class: Class::OperatorMembers,
        sql: "
SELECT t.oid, n.nspname, t.opfname || ' USING ' || a.amname, 'ALTER OPERATOR FAMILY '
  || quote_ident(n.nspname) || '.' || quote_ident(t.opfname) || ' USING ' || quote_ident(a.amname)
  || E' ADD\\n    ' || m.items, '', NULL, NULL, t.oid
FROM pg_opfamily t JOIN pg_namespace n ON n.oid = t.opfnamespace JOIN pg_am a ON a.oid = t.opfmethod
CROSS JOIN LATERAL (SELECT string_agg(x.item, E',\\n    ' ORDER BY x.part, x.number, x.item) AS items
  FROM ({members:pg_opfamily:t}) x) m
WHERE t.oid >= 16384 AND m.items IS NOT NULL AND {schema} AND {member:pg_opfamily:t}",
    },
    Definition {
        rank: Rank::Subscription,
        kind: "subscription",
        class: Class::Subscription,
        sql: "
SELECT t.oid, '', t.subname, 'CREATE SUBSCRIPTION ' || quote_ident(t.subname)
  || ' CONNECTION ''host={hidden}'' PUBLICATION '
  || (SELECT string_agg(quote_ident(p), ', ' ORDER BY p) FROM unnest(t.subpublications) p)
  || ' WITH (connect = false, slot_name = '
  || coalesce(quote_literal(t.subslotname), 'NONE')
  || CASE WHEN t.subsynccommit <> 'off' THEN ', synchronous_commit = '
       || quote_literal(t.subsynccommit) ELSE '' END || ')',
  'SUBSCRIPTION ' || quote_ident(t.subname),
  CASE WHEN t.subenabled THEN 'ALTER SUBSCRIPTION ' || quote_ident(t.subname) || ' ENABLE' END
FROM pg_subscription t JOIN pg_database b ON b.oid = t.subdbid
WHERE b.datname = current_database()",
    },
];

/// Where a collation that is not one of the C library keeps the name of its locale.
const fn locale(major: u16) -> &'static str {
    match major {
        ..15 => "t.collcollate",
        15 | 16 => "t.colliculocale",
        17.. => "t.colllocale",
    }
}

/// Members of operator classes and families: what they use, the class or family uses.
const MEMBER_OWNERS: &str =
    "SELECT d.classid::regclass::text, d.objid, d.refclassid::regclass::text,
  d.refobjid FROM pg_depend d WHERE d.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass)
  AND d.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
  AND d.deptype IN ('i', 'a') AND d.objid >= 16384";

/// Reads all of them.
pub(super) async fn definitions(
    reader: &mut Reader<'_>,
    nodes: &mut Nodes,
) -> Result<(), ServerError> {
    let locale = locale(reader.major);
    for Definition { rank, kind, class, sql } in DEFINITIONS {
        let sql = sql.replace("{locale}", locale).replace("{hidden}", HIDDEN);
        for row in &reader.ask(&sql).await? {
            let mut node = Node::new(*rank, kind, name(row, 1), row.text(3).to_owned());
            let more = row.get(5).into_iter().flat_map(|list| list.split('\u{1}'));
            node.statements.extend(more.map(str::to_owned));
            nodes.roles.extend(row.get(6).map(str::to_owned));
            nodes.add((*class, row.count(0)), row.text(4), node);
            // What follows its object has no dependency of its own in the catalogs.
            if row.count(7) > 0 {
                let before = if *class == Class::UserMapping {
                    Class::Server
                } else {
                    Class::OperatorFamily
                };
                nodes.depend((*class, row.count(0)), (before, row.count(7)));
            }
        }
    }
    for row in &reader.query(MEMBER_OWNERS).await? {
        let (Some(class), Some(owner)) = (Class::of(row.text(0)), Class::of(row.text(2))) else {
            continue;
        };
        let is_loose = owner == Class::OperatorFamily;
        let owner = if is_loose { Class::OperatorMembers } else { owner };
        nodes.alias((class, row.count(1)), (owner, row.count(3)));
    }
    base_types(reader, nodes).await
}

/// Base types, and types of which only the name is there.
const BASE_TYPES: &str = "
SELECT t.oid, n.nspname, t.typname, t.oid::regtype::text, t.typarray,
  CASE WHEN t.typisdefined THEN 'CREATE TYPE ' || t.oid::regtype || E' (\\n    '
  || concat_ws(E',\\n    ',
    'INTERNALLENGTH = ' || CASE WHEN t.typlen < 0 THEN 'VARIABLE' ELSE t.typlen::text END,
    'INPUT = ' || t.typinput, 'OUTPUT = ' || t.typoutput,
    CASE WHEN t.typreceive <> 0 THEN 'RECEIVE = ' || t.typreceive END,
    CASE WHEN t.typsend <> 0 THEN 'SEND = ' || t.typsend END,
    CASE WHEN t.typmodin <> 0 THEN 'TYPMOD_IN = ' || t.typmodin END,
    CASE WHEN t.typmodout <> 0 THEN 'TYPMOD_OUT = ' || t.typmodout END,
    CASE WHEN t.typanalyze <> 0 THEN 'ANALYZE = ' || t.typanalyze END,
    {since@14@CASE WHEN t.typelem <> 0 THEN 'SUBSCRIPT = ' || t.typsubscript END@NULL},
    CASE WHEN t.typelem <> 0 THEN 'ELEMENT = ' || t.typelem::regtype END,
    CASE WHEN t.typbyval THEN 'PASSEDBYVALUE' END,
    'ALIGNMENT = ' || CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'd'
      THEN 'double' ELSE 'int4' END,
    'STORAGE = ' || CASE t.typstorage WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' WHEN 'x'
      THEN 'extended' ELSE 'plain' END,
    CASE WHEN t.typcategory <> 'U' THEN 'CATEGORY = ' || quote_literal(t.typcategory::text) END,
    CASE WHEN t.typispreferred THEN 'PREFERRED = true' END,
    'DEFAULT = ' || quote_literal(t.typdefault),
    CASE WHEN t.typdelim <> ',' THEN 'DELIMITER = ' || quote_literal(t.typdelim::text) END,
    CASE WHEN t.typcollation <> 0 THEN 'COLLATABLE = true' END) || E'\\n)' END,
  (SELECT string_agg(DISTINCT d.refobjid::text, ' ') FROM pg_depend d
   WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
   AND d.refclassid = 'pg_proc'::regclass AND d.refobjid >= 16384)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid >= 16384 AND {schema} AND {member:pg_type:t}
  AND (t.typtype = 'b' AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.typarray = t.oid)
    OR t.typtype = 'p' AND NOT t.typisdefined)
ORDER BY t.oid";

/// Reads base types: their name first, then the functions that read and write their values, then
/// the rest (`CREATE TYPE`, manual).
async fn base_types(reader: &mut Reader<'_>, nodes: &mut Nodes) -> Result<(), ServerError> {
    for row in &reader.ask(BASE_TYPES).await? {
        let (shell, quoted) = ((Class::ShellType, row.count(0)), row.text(3));
        let create = format!("CREATE TYPE {quoted}");
        let address = format!("TYPE {quoted}");
        let Some(definition) = row.get(5) else {
            let node = Node::new(Rank::Type, "type", name(row, 1), create);
            nodes.add((Class::Type, row.count(0)), &address, node);
            continue;
        };
        let node = Node::new(Rank::Type, "shell-type", name(row, 1), create);
        nodes.add(shell, "", node);
        let key = (Class::Type, row.count(0));
        let node = Node::new(Rank::Type, "type", name(row, 1), definition.to_owned());
        nodes.add(key, &address, node);
        nodes.alias((Class::Type, row.count(4)), key);
        nodes.depend(key, shell);
        for function in row.text(6).split(' ').filter_map(|number| number.parse().ok()) {
            nodes.reads_values.insert((function, key.1));
        }
    }
    Ok(())
}
