//! Periods of MariaDB: the time of the application, and that of system versioning.
//!
//! MariaDB manual, Application-Time Periods, System-Versioned Tables; measured on MariaDB 10.11 and
//! 11.8, testdata/servers.

use super::alteration::Alteration;
use super::{Scene, same};
use crate::schema::Relation;
use crate::sql::Ident;
use crate::sql::ast::{ActionKind, MyAction};

/// What a table's options call a period, before its name.
const PERIOD: &str = "period ";

/// Returns the periods of a table: the name of each and its two columns.
pub(super) fn periods(table: &Relation) -> impl Iterator<Item = (&str, Vec<&str>)> {
    table.options.iter().filter_map(|(name, columns)| {
        Some((name.strip_prefix(PERIOD)?, columns.split(' ').collect()))
    })
}

/// Says whether a name is that of a period of the application.
pub(super) fn is_period(table: &Relation, name: &str) -> bool {
    periods(table).any(|(found, _)| same(found, name) && !is_system(found))
}

fn is_system(period: &str) -> bool {
    same(period, "system_time")
}

impl Scene<'_> {
    /// Tells what a statement may not do to periods and their columns.
    pub(super) fn refused_periods(&mut self, before: &Relation, alter: &Alteration<'_>) {
        for action in &alter.actions {
            self.told.span = action.span;
            if let ActionKind::Mysql(MyAction::AddPeriod { name, columns, if_not_exists }) =
                &action.kind
            {
                self.added_period(before, alter, name, columns, *if_not_exists);
            } else if let ActionKind::Mysql(MyAction::DropPeriod { name, if_exists }) = &action.kind
            {
                let there = periods(before).any(|(found, _)| same(found, name.as_str()));
                if !there && before.complete && !if_exists {
                    let detail = format!("can't DROP PERIOD '{name}': check that it exists");
                    self.told.fails("missing-object", "1091", detail);
                }
            }
        }
        for (name, columns) in periods(before) {
            if is_system(name) {
                self.system_columns(alter, &columns);
            } else if periods(&alter.after.table).any(|(kept, _)| same(kept, name)) {
                self.kept_period(alter, &columns);
            }
        }
    }

    fn added_period(
        &mut self,
        before: &Relation,
        alter: &Alteration<'_>,
        name: &Ident,
        columns: &[Ident],
        if_not_exists: bool,
    ) {
        if is_system(name.as_str()) {
            return;
        }
        let old = periods(before).find(|(found, _)| !is_system(found));
        if let Some((old, _)) = old {
            if !(if_not_exists && same(old, name.as_str())) {
                let detail = "cannot specify more than one application-time period".to_owned();
                self.told.fails("duplicate-object", "4154", detail);
            }
            return;
        }
        if let [start, end] = columns
            && same(start.as_str(), end.as_str())
        {
            let detail = format!("column '{start}' specified twice");
            self.told.fails("duplicate-parts", "1110", detail);
            self.does_not_commit();
            return;
        }
        let names: Vec<&str> = columns.iter().map(|column| column.as_str()).collect();
        self.period_columns(&alter.after.table, &names);
        let detail = "fails if a row ends before it starts".to_owned();
        self.told.may_fail("rows-violate", "4025", detail);
    }

    /// The columns of a period are there, are dates or times, and of one type.
    fn period_columns(&mut self, table: &Relation, columns: &[&str]) {
        let mut types = Vec::new();
        for name in columns {
            let Some(column) = table.column_any_case(name) else {
                if table.complete {
                    let detail = format!("unknown column '{name}' in a period");
                    self.told.fails("missing-column", "1054", detail);
                }
                continue;
            };
            let Some(data_type) = &column.data_type else { continue };
            if !matches!(data_type.name.as_str(), "date" | "datetime" | "timestamp") {
                let detail = format!("incorrect column specifier for column '{name}'");
                self.told.fails("type-mismatch", "1063", detail);
            }
            types.push((&data_type.name, data_type.number(0).unwrap_or(0)));
        }
        if let [start, end] = types.as_slice()
            && start != end
        {
            let detail = "the columns of a period have different types".to_owned();
            self.told.fails("type-mismatch", "4153", detail);
        }
    }

    /// A period that stays keeps its columns.
    fn kept_period(&mut self, alter: &Alteration<'_>, columns: &[&str]) {
        let Some(column) = columns.iter().find(|column| alter.names(column)) else { return };
        self.told.span = alter.clause_of_column(column);
        if columns.iter().any(|column| alter.drops(column)) {
            let detail = format!("unknown column '{column}' in 'CHECK'");
            self.told.fails("column-in-use", "1054", detail);
        } else if columns.iter().all(|c| alter.after.table.column_any_case(c).is_some()) {
            self.period_columns(&alter.after.table, columns);
        }
    }

    /// The two columns of system versioning go together, and with it.
    fn system_columns(&mut self, alter: &Alteration<'_>, columns: &[&str]) {
        let gone = columns.iter().filter(|column| alter.drops(column)).count();
        let ends = alter.actions.iter().find(|action| {
            matches!(&action.kind, ActionKind::Mysql(MyAction::DropSystemVersioning))
                || matches!(&action.kind, ActionKind::Mysql(MyAction::DropPeriod { name, .. })
                    if is_system(name.as_str()))
        });
        let kept = gone < columns.len();
        if kept && (gone > 0 || ends.is_some()) {
            let dropped = columns.iter().find(|column| alter.drops(column));
            self.told.span = dropped
                .map(|column| alter.clause_of_column(column))
                .or(ends.map(|action| action.span))
                .unwrap_or(self.told.span);
            let detail = "the columns of system versioning go together, and with it".to_owned();
            self.told.fails("column-in-use", "4125", detail);
        }
        for action in &alter.actions {
            let modified = matches!(&action.kind, ActionKind::Mysql(
                MyAction::ModifyColumn { column, .. })
                if columns.iter().any(|name| same(name, column.name.as_str())));
            if modified {
                self.told.span = action.span;
                let detail = "cannot change a column of system versioning".to_owned();
                self.told.fails("column-in-use", "4130", detail);
            }
        }
    }
}
