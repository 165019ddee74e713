//! Names in queries, changes, expressions and definitions: what SQLite does not find, or not as it
//! is used.
//!
//! SQLite 3.40 to 3.51, measured: testdata/servers/sqlite; sqlite.org/lang_expr.html, section 3.

use std::collections::BTreeSet;

use super::{CONSTRAINT, SQL_ERROR, Scene};
use crate::schema::{
    Checked, Name, Object, Place, Purpose, Reason, Refusal, Relation, RelationKind, Resolver,
    Schema,
};
use crate::sql::Span;
use crate::sql::ast::{AlterTable, Dml, Expr, Query, Statement, StatementKind};

impl<'a> Scene<'a> {
    fn resolver<'s>(&self) -> Resolver<'s>
    where
        'a: 's,
    {
        let options = self.context.settings.get("compile_options").map(String::as_str);
        Resolver::new(self.schema(), Purpose::Run).built_with(options)
    }

    /// Tells of a refusal.
    pub(super) fn refuses(&mut self, refusal: Refusal) {
        self.told.fails(word(refusal.reason), SQL_ERROR, refusal.detail);
    }

    fn checked(&mut self, checked: Checked<()>, doubts: &[Refusal]) {
        if let Err(refusal) = checked {
            self.refuses(refusal);
            return;
        }
        for doubt in doubts {
            let raised = doubt.reason == Reason::Raised;
            let code = if raised { CONSTRAINT } else { SQL_ERROR };
            self.told.may_fail(word(doubt.reason), code, doubt.detail.clone());
        }
    }

    /// Looks up the names of a query that a table is made from.
    pub(super) fn query_of_table(&mut self, query: &Query) {
        let Some(select) = query.tree.get() else { return };
        let mut resolver = self.resolver();
        let checked = resolver.run_for_table(select);
        self.checked(checked, resolver.doubts());
    }

    /// Looks up the names of a change, and of the triggers it fires.
    pub(super) fn change(&mut self, dml: &Dml) {
        let Some(change) = dml.tree.get() else { return };
        let mut resolver = self.resolver();
        let checked = resolver.change(change);
        self.checked(checked, resolver.doubts());
    }

    /// Looks up the names of an expression that belongs to a table.
    pub(super) fn expression(&mut self, expr: &Expr, table: &Relation, place: Place) {
        let Some(term) = expr.tree.get() else { return };
        let mut resolver = self.resolver();
        let checked = resolver.expression(term, table, place);
        self.checked(checked, resolver.doubts());
    }

    /// Tells of a view or trigger that SQLite cannot read again when a table is altered: it reads
    /// all of the database's and of `temp`'s, before the change and after it
    /// (sqlite.org/lang_altertable.html, sections 3 to 5).
    ///
    /// `legacy_alter_table` leaves them alone when a table is renamed, and only then;
    /// `writable_schema` lets pass what is wrong.
    pub(super) fn reread(&mut self, table: &Name, alter: &AlterTable, step: Step) {
        let leaves = step == Step::RenameTable && self.flag("legacy_alter_table") == Some(true);
        let schema = self.schema();
        let defined =
            |found: &Relation| found.kind == RelationKind::View || !found.triggers.is_empty();
        let any = schema.all_relations().any(defined);
        if leaves || self.lets_pass() || !any {
            return;
        }
        let mut before = Resolver::new(schema, Purpose::Reread);
        if let Some((object, refusal)) = before.reread(&table.schema) {
            self.unreadable(&object, "", refusal);
            return;
        }
        let strings: BTreeSet<Span> = before.strings().clone();
        let mut after: Schema = schema.clone();
        let span = self.told.span;
        let kind = StatementKind::AlterTable(Box::new(alter.clone()));
        after.apply(&Statement { span, kind });
        let mut resolver = Resolver::new(&after, Purpose::Reread);
        if step != Step::RenameTable {
            resolver = resolver.with_strings(strings);
        }
        if let Some((object, refusal)) = resolver.reread(&table.schema) {
            let when = match step {
                Step::RenameTable | Step::RenameColumn => " after rename",
                Step::DropColumn => " after drop column",
            };
            self.unreadable(&object, when, refusal);
        }
    }

    /// Says whether `writable_schema` lets pass what cannot be read again: since 3.38 (measured on
    /// 3.37.0 and 3.38.2).
    pub(super) fn lets_pass(&self) -> bool {
        let since = self.schema().server.version.at_least(3, 38, 0);
        since && self.flag("writable_schema") == Some(true)
    }

    fn unreadable(&mut self, object: &Object, when: &str, refusal: Refusal) {
        let object = match object {
            Object::View(view) => format!("view {}", view.name),
            Object::Trigger(_, trigger) => format!("trigger {trigger}"),
        };
        let word = if when == " after drop column" { "column-in-use" } else { "dependents-exist" };
        let detail = format!("error in {object}{when}: {}", refusal.detail);
        self.told.fails(word, SQL_ERROR, detail);
    }
}

/// What of ALTER TABLE makes SQLite read definitions again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// RENAME TO.
    RenameTable,
    /// RENAME COLUMN.
    RenameColumn,
    /// DROP COLUMN.
    DropColumn,
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Missing => "missing-object",
        Reason::NoColumn => "missing-column",
        Reason::Ambiguous => "duplicate-object",
        Reason::Misused | Reason::Count => "type-mismatch",
        Reason::NotWritable => "wrong-object-kind",
        Reason::Raised => "rows-violate",
    }
}
