//! Extended statistics.
//!
//! PostgreSQL 12 to 18, CreateStatistics (statscmds.c); manual: CREATE STATISTICS; measured,
//! testdata/servers/postgres.

use super::missing::{self, Named};
use super::sheet::Sheet;
use super::there;
use crate::effect::LockMode::ShareUpdateExclusive;
use crate::schema::{Name, RelationKind};
use crate::sql::ast::{ObjectKind, Statistics};

/// Effects of CREATE STATISTICS and ALTER STATISTICS.
pub(super) fn statistics(sheet: &mut Sheet<'_>, statistics: &Statistics) {
    if statistics.alter {
        if let Some(name) = &statistics.name
            && !sheet.needs_version(13, "ALTER STATISTICS … SET STATISTICS")
            && !statistics.if_exists
        {
            let kind = ObjectKind::Statistics;
            missing::lacks(sheet, Named { kind, name, on: None, signature: None });
        }
        return;
    }
    if let Some(name) = &statistics.name {
        if there::lacks_home(sheet, name) {
            return;
        }
        let full = sheet.schema.new_name(name);
        let there = sheet
            .schema
            .relations
            .values()
            .any(|table| table.statistics.iter().any(|(name, _)| *name == full));
        if there && !statistics.if_exists {
            let detail = format!("statistics object \"{name}\" already exists");
            sheet.fails("duplicate-object", "42710", detail);
            return;
        }
        if there {
            if let Some(table) = &statistics.table
                && let Some(table) = sheet.existing(table, false)
            {
                sheet.lock(&table, ShareUpdateExclusive, "create-statistics");
            }
            return;
        }
    }
    if let Some(table) = &statistics.table
        && let Some(table) = sheet.existing(table, false)
        && !statistics_refused(sheet, statistics, &table)
    {
        sheet.lock(&table, ShareUpdateExclusive, "create-statistics");
    }
}

/// What the server refuses of extended statistics: it counts what is written, and looks each up.
fn statistics_refused(sheet: &mut Sheet<'_>, statistics: &Statistics, table: &Name) -> bool {
    const KINDS: &[&str] = &["ndistinct", "dependencies", "mcv"];
    if statistics.name.is_none() && sheet.needs_version(16, "CREATE STATISTICS without a name") {
        return true;
    }
    let kind = sheet.table(table).map(|found| found.kind);
    if matches!(kind, Some(RelationKind::View | RelationKind::Sequence)) {
        let detail = format!("cannot define statistics for relation \"{table}\"");
        sheet.fails("wrong-object-kind", "42809", detail);
        return true;
    }
    if let Some(wrong) = statistics.kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        sheet.fails("syntax", "42601", format!("unrecognized statistics kind \"{wrong}\""));
        return true;
    }
    if !statistics.expressions.is_empty() && !sheet.since(14) {
        let detail = "only simple column references are allowed in CREATE STATISTICS".to_owned();
        sheet.fails("unsupported-version", "0A000", detail);
        return true;
    }
    let columns = &statistics.columns;
    if there::lacks_column(sheet, table, columns.iter().map(crate::sql::Ident::as_str)) {
        return true;
    }
    for expr in &statistics.expressions {
        if there::expr_lacks_column(sheet, table, expr) {
            return true;
        }
    }
    if columns.len() == 1 && statistics.expressions.is_empty() {
        let detail = "extended statistics require at least 2 columns".to_owned();
        sheet.fails("missing-column", "42P17", detail);
        return true;
    }
    let twice = columns
        .iter()
        .enumerate()
        .find(|(at, column)| columns.iter().take(*at).any(|other| other.value == column.value));
    if let Some((_, column)) = twice {
        let detail = format!("duplicate column name \"{column}\" in statistics definition");
        sheet.fails("duplicate-parts", "42701", detail);
    }
    twice.is_some()
}
