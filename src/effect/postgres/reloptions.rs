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
    for (name, value) in options.iter().filter(|(name, _)| !name.contains('.')) {
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
        let number = value.trim_matches('\'').parse::<f64>();
        if let (Some((low, high)), Ok(number)) = (bounds, number)
            && !(*low..=*high).contains(&number)
        {
            let detail = format!("value {value} out of bounds for option \"{name}\"");
            sheet.fails("wrong-object-kind", "22023", detail);
            return true;
        }
    }
    false
}

fn unrecognized(sheet: &mut Sheet<'_>, name: &str) {
    sheet.fails("wrong-object-kind", "22023", format!("unrecognized parameter \"{name}\""));
}
