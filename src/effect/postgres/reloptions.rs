//! Names and bounds of storage parameters.
//!
//! PostgreSQL 12 to 18, manual: CREATE TABLE, Storage Parameters; measured,
//! testdata/servers/postgres.

use super::sheet::Sheet;

/// A name, the first major version that has it, and the bounds of a number.
type Parameter = (&'static str, u16, Option<(f64, f64)>);

/// Parameters of tables and materialized views, with the first version where that is not 12, and
/// the bounds of those that are numbers.
const TABLE: &[Parameter] = &[
    ("autovacuum_analyze_scale_factor", 12, Some((0.0, 100.0))),
    ("autovacuum_analyze_threshold", 12, Some((0.0, 2_147_483_647.0))),
    ("autovacuum_enabled", 12, None),
    ("autovacuum_freeze_max_age", 12, Some((100_000.0, 2_000_000_000.0))),
    ("autovacuum_freeze_min_age", 12, Some((0.0, 1_000_000_000.0))),
    ("autovacuum_freeze_table_age", 12, Some((0.0, 2_000_000_000.0))),
    ("autovacuum_multixact_freeze_max_age", 12, Some((10_000.0, 2_000_000_000.0))),
    ("autovacuum_multixact_freeze_min_age", 12, Some((0.0, 1_000_000_000.0))),
    ("autovacuum_multixact_freeze_table_age", 12, Some((0.0, 2_000_000_000.0))),
    ("autovacuum_vacuum_cost_delay", 12, Some((0.0, 100.0))),
    ("autovacuum_vacuum_cost_limit", 12, Some((1.0, 10_000.0))),
    ("autovacuum_vacuum_insert_scale_factor", 13, Some((0.0, 100.0))),
    ("autovacuum_vacuum_insert_threshold", 13, Some((-1.0, 2_147_483_647.0))),
    ("autovacuum_vacuum_max_threshold", 18, Some((-1.0, 2_147_483_647.0))),
    ("autovacuum_vacuum_scale_factor", 12, Some((0.0, 100.0))),
    ("autovacuum_vacuum_threshold", 12, Some((0.0, 2_147_483_647.0))),
    ("fillfactor", 12, Some((10.0, 100.0))),
    ("log_autovacuum_min_duration", 12, Some((-1.0, 2_147_483_647.0))),
    ("parallel_workers", 12, Some((0.0, 1024.0))),
    ("toast_tuple_target", 12, Some((128.0, 8160.0))),
    ("user_catalog_table", 12, None),
    ("vacuum_index_cleanup", 12, None),
    ("vacuum_max_eager_freeze_failure_rate", 18, Some((0.0, 1.0))),
    ("vacuum_truncate", 12, None),
];

/// Notes a parameter that tables do not have, or a value out of its bounds. Says whether there is
/// one. Parameters with a name space in front (`toast.…`) are let through, and so are all where a
/// table may be kept by a method of an extension.
pub(super) fn refused(sheet: &mut Sheet<'_>, options: &[(String, String)]) -> bool {
    for (name, value) in options.iter().filter(|(name, _)| !name.contains(['.', ' '])) {
        let Some((_, since, bounds)) = TABLE.iter().find(|(known, _, _)| known == name) else {
            if name == "oids" {
                continue;
            }
            unrecognized(sheet, name);
            return true;
        };
        if !sheet.since(*since) {
            unrecognized(sheet, name);
            return true;
        }
        if bounds.is_some_and(|bounds| is_out_of_bounds(sheet, name, value, bounds)) {
            return true;
        }
    }
    false
}

/// Parameters of indexes: the method, the name, the first version.
const INDEX: &[(&str, &str, u16)] = &[
    ("brin", "autosummarize", 12),
    ("brin", "pages_per_range", 12),
    ("btree", "deduplicate_items", 13),
    ("btree", "fillfactor", 12),
    ("btree", "vacuum_cleanup_index_scale_factor", 12),
    ("gin", "fastupdate", 12),
    ("gin", "gin_pending_list_limit", 12),
    ("gist", "buffering", 12),
    ("gist", "fillfactor", 12),
    ("hash", "fillfactor", 12),
    ("spgist", "fillfactor", 12),
];

/// Notes a parameter that indexes of a method do not have. Says whether there is one.
pub(super) fn index_names_refused<'n>(
    sheet: &mut Sheet<'_>,
    method: Option<&str>,
    mut names: impl Iterator<Item = &'n str>,
) -> bool {
    let method = method.unwrap_or("btree");
    if !INDEX.iter().any(|(known, _, _)| *known == method) {
        return false;
    }
    let known = |name: &&str| {
        INDEX.iter().any(|(of, known, since)| *of == method && known == name && sheet.since(*since))
    };
    let wrong = names.find(|name| !known(name));
    if let Some(wrong) = wrong {
        unrecognized(sheet, wrong);
    }
    wrong.is_some()
}

/// The same for the options of CREATE INDEX, whose numbers have bounds.
pub(super) fn index_refused(
    sheet: &mut Sheet<'_>,
    method: Option<&str>,
    options: &[(String, String)],
) -> bool {
    let fill = options.iter().find(|(name, _)| name == "fillfactor");
    if index_names_refused(sheet, method, options.iter().map(|(name, _)| name.as_str())) {
        return true;
    }
    fill.is_some_and(|(name, value)| is_out_of_bounds(sheet, name, value, (10.0, 100.0)))
}

/// Notes a parameter that views do not have. Says whether there is one.
pub(super) fn view_refused(sheet: &mut Sheet<'_>, options: &[(String, String)]) -> bool {
    const VIEW: &[&str] = &["check_option", "security_barrier", "security_invoker"];
    let mut own = options.iter().filter(|(name, _)| !name.contains(['.', ' ']));
    let wrong = own.find(|(name, _)| !VIEW.contains(&name.as_str()));
    if let Some((wrong, _)) = wrong {
        unrecognized(sheet, wrong);
    }
    wrong.is_some()
}

/// Notes a parameter that columns do not have. Says whether there is one.
pub(super) fn column_refused(sheet: &mut Sheet<'_>, options: &[String]) -> bool {
    const COLUMN: &[&str] = &["n_distinct", "n_distinct_inherited"];
    let wrong = options.iter().find(|name| !COLUMN.contains(&name.as_str()));
    if let Some(wrong) = wrong {
        unrecognized(sheet, wrong);
    }
    wrong.is_some()
}

fn is_out_of_bounds(sheet: &mut Sheet<'_>, name: &str, value: &str, bounds: (f64, f64)) -> bool {
    let number = value.trim_matches('\'').parse::<f64>();
    let out = number.is_ok_and(|number| !(bounds.0..=bounds.1).contains(&number));
    if out {
        let detail = format!("value {value} out of bounds for option \"{name}\"");
        sheet.fails("wrong-object-kind", "22023", detail);
    }
    out
}

fn unrecognized(sheet: &mut Sheet<'_>, name: &str) {
    sheet.fails("wrong-object-kind", "22023", format!("unrecognized parameter \"{name}\""));
}
