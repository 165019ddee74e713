//! ENUM and SET columns (MySQL, MariaDB): how a new list of members differs from the old one.

use super::Teller;
use crate::effect::TableState;
use crate::sql::ast::{AlterTable, ColumnDef, ObjectKind};

impl Teller<'_> {
    /// Compares the members that MODIFY or CHANGE writes with those the column has.
    ///
    /// Appending is metadata only; anything else rewrites the table (MySQL manual, 17.12.1,
    /// measured on MySQL 9.7 and MariaDB 10.11), and what is removed is lost or refused.
    pub(super) fn members(
        &mut self,
        alter: &AlterTable,
        old_name: &str,
        column: &ColumnDef,
        state: TableState,
    ) {
        let Some(relation) = self.schema.find(&alter.name) else { return };
        let old = relation.column_any_case(old_name).and_then(|found| found.data_type.as_ref());
        let (Some(old), Some(new)) = (old, &column.data_type) else { return };
        if old.name != new.name || !matches!(new.name.as_str(), "enum" | "set") {
            return;
        }
        let (before, after) = (&old.args, &new.args);
        let name = format!("{}.{}", relation.name, column.name);
        let removed: Vec<&str> =
            before.iter().filter(|word| !after.contains(word)).map(String::as_str).collect();
        let kept_before: Vec<&String> = before.iter().filter(|word| after.contains(word)).collect();
        let kept_after: Vec<&String> = after.iter().filter(|word| before.contains(word)).collect();
        let object = ObjectKind::Column;
        if !removed.is_empty() {
            let value = removed.join(", ");
            self.add("enum-value-removed", object, name.clone(), &value, None, state);
        } else if kept_before != kept_after {
            self.add("enum-values-reordered", object, name.clone(), &new.name, None, state);
        } else if !after.starts_with(before) {
            let inserted: Vec<&str> =
                after.iter().filter(|word| !before.contains(word)).map(String::as_str).collect();
            let value = inserted.join(", ");
            self.add("enum-value-inserted", object, name.clone(), &value, None, state);
        }
        let class = |count: usize| match (new.name.as_str(), count) {
            ("enum", 0..=255) | ("set", 0..=8) => 1,
            ("enum", _) | ("set", 9..=16) => 2,
            (_, 17..=24) => 3,
            (_, 25..=32) => 4,
            _ => 8,
        };
        if class(before.len()) != class(after.len()) {
            let number = u64::try_from(after.len()).ok();
            self.add("enum-size-class", object, name, &new.name, number, state);
        }
    }
}
