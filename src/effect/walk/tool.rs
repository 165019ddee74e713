//! What keeps online schema change tools from a table, or from a server.
//!
//! The tools' own manuals: gh-ost, Requirements and limitations; pt-online-schema-change,
//! Description and Risks.

use std::collections::BTreeMap;

use super::{StatementRun, Walker, session};
use crate::schema::{Constraint, Demand};
use crate::sql::ast::{Statement, StatementKind};

impl Walker<'_> {
    /// What keeps gh-ost, pt-online-schema-change and their like from a table that is rebuilt.
    pub(super) fn online_tool(&self, statement: &Statement, run: &mut StatementRun) {
        let StatementKind::AlterTable(alter) = &statement.kind else { return };
        let heavy = run.effects.online.is_some_and(|online| online.rebuilds);
        let Some(table) = self.schema.find(&alter.name).filter(|found| found.complete) else {
            return;
        };
        if !heavy || !self.in_use(&alter.name) {
            return;
        }
        let value = table.name.to_string();
        let key = table.constraints.iter().any(|constraint| match &constraint.kind {
            Demand::PrimaryKey(_) => true,
            Demand::Unique(columns) => columns
                .iter()
                .all(|name| table.column_any_case(name).is_some_and(|column| column.not_null)),
            Demand::Check(_)
            | Demand::Exclude(_)
            | Demand::ForeignKey { .. }
            | Demand::NotNull(_) => false,
        });
        let own_key = table.constraints.iter().filter_map(Constraint::parent).count() > 0;
        let referenced = !self.schema.foreign_keys_to(&table.name).is_empty();
        let to_itself = table.constraints.iter().any(|c| c.parent() == Some(&table.name));
        let generated = table.columns.iter().any(|column| column.generated.is_some());
        let reasons = [
            (!key, "online-tool-without-key"),
            (to_itself, "online-tool-self-reference"),
            ((own_key || referenced) && !to_itself, "online-tool-foreign-keys"),
            (!table.triggers.is_empty(), "online-tool-triggers"),
            (generated, "online-tool-generated"),
        ];
        for (applies, what) in reasons {
            if applies {
                run.effects.effects.push(session(statement.span, what, value.clone()));
            }
        }
        for complaint in server_complaints(&self.settings.in_force()) {
            run.effects.effects.push(session(statement.span, "online-tool-server", complaint));
        }
    }
}

/// What gh-ost and spirit demand of the server's settings: they follow the binary log while they
/// copy (gh-ost documentation, "Requirements and limitations"; spirit, "Preflight checks").
const DEMANDS: [(&str, &str); 4] = [
    ("log_bin", "ON"),
    ("binlog_format", "ROW"),
    ("binlog_row_image", "FULL"),
    ("log_replica_updates", "ON"),
];

/// Settings that are empty unless something is left out or lacking.
const EMPTY: [&str; 2] = ["replication_filters", "missing_privileges"];

/// Returns what is wrong with a server, as far as its settings are known: `binlog_format = MIXED`.
fn server_complaints(settings: &BTreeMap<String, String>) -> Vec<String> {
    let off = settings.get("log_bin").is_some_and(|value| value == "OFF");
    let wrong = DEMANDS.iter().filter(|(name, _)| *name == "log_bin" || !off);
    let wrong = wrong.filter_map(|(name, wanted)| {
        let value = settings.get(*name)?;
        (!value.eq_ignore_ascii_case(wanted)).then(|| format!("{name} = {value}"))
    });
    let there = EMPTY.iter().filter_map(|name| {
        let value = settings.get(*name).filter(|value| !value.is_empty())?;
        Some(format!("{} = {value}", name))
    });
    wrong.chain(there).collect()
}
