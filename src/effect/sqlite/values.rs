//! What the rows meet that INSERT and UPDATE write: NOT NULL, keys, types, CHECK, foreign keys,
//! and the triggers that delete others.
//!
//! SQLite 3.40 to 3.51, measured: testdata/servers/sqlite; sqlite.org/lang_conflict.html.

use super::{CONSTRAINT, SQL_ERROR, Scene, same};
use crate::schema::{Column, Demand, Relation, RelationKind};
use crate::sql::Ident;
use crate::sql::ast::{
    Change, Insert, ObjectKind, OnConflict, OutputKind, Select, Term, TermKind, Update,
};

/// A column that is written, and with what; none where that is not one expression.
type Written<'c> = (&'c str, Option<&'c Term>);

impl Scene<'_> {
    /// Tells what the written rows may violate.
    pub(super) fn rows_written(&mut self, table: &Relation, change: &Change) {
        let plain = table.kind == RelationKind::Table;
        if table.kind == RelationKind::Foreign {
            self.module_takes(table, change);
        }
        match change {
            Change::Insert(insert) if plain => {
                let written = inserted(table, insert);
                self.left_null(table, insert, &written);
                self.violated(table, &written, insert.on_conflict);
                self.keys_of_child(table, None);
                let replaces = insert.on_conflict == OnConflict::Replace || replaces_rows(table);
                if replaces && unique_keys(table) > 1 {
                    let name = table.name.to_string();
                    self.told.loses_too(ObjectKind::Table, name, true, &table.name);
                }
            }
            Change::Update(update) if plain => self.updated(table, update),
            Change::Delete(_) if plain => self.keys_of_child(table, None),
            Change::Insert(_) | Change::Update(_) | Change::Delete(_) | Change::Select(_) => {}
        }
    }

    /// A box of an R-tree ends after it begins; a text index takes commands in the column of its
    /// own name (sqlite.org/rtree.html, section 3.2; sqlite.org/fts5.html, section 6).
    fn module_takes(&mut self, table: &Relation, change: &Change) {
        let module = table.access_method.as_deref().unwrap_or("");
        let Change::Insert(insert) = change else { return };
        let command = insert.columns.iter().any(|c| same(c.as_str(), &table.name.name));
        if module.starts_with("rtree") {
            let detail = format!("rtree constraint failed: {}", table.name.name);
            self.told.may_fail("rows-violate", CONSTRAINT, detail);
        } else if module.starts_with("fts") && command {
            let detail = "SQL logic error: the command, or the table of its content".to_owned();
            self.told.may_fail("rows-violate", SQL_ERROR, detail);
        }
    }

    fn updated(&mut self, table: &Relation, update: &Update) {
        let mut written: Vec<Written<'_>> = Vec::new();
        for assignment in &update.set {
            let value = (assignment.columns.len() == 1).then_some(&assignment.value);
            written.extend(assignment.columns.iter().map(|column| (column.as_str(), value)));
        }
        self.violated(table, &written, update.on_conflict);
        let columns: Vec<&str> = written.iter().map(|(column, _)| *column).collect();
        self.keys_of_child(table, Some(&columns));
        let keyed = |column: &&&str| is_keyed(table, column);
        let replaces = update.on_conflict == OnConflict::Replace || replaces_rows(table);
        if replaces && columns.iter().any(|c| keyed(&c)) {
            let name = table.name.to_string();
            self.told.loses_too(ObjectKind::Table, name, true, &table.name);
        }
        if self.foreign_keys() != Some(false) && columns.iter().any(|c| keyed(&c)) {
            for (child, _) in self.schema().foreign_keys_to(&table.name) {
                let detail = format!("fails if {} has rows that reference it", child.name);
                self.told.may_fail("foreign-key-references", CONSTRAINT, detail);
            }
        }
    }

    /// An INSERT leaves columns NULL that it gives no value and that have no default; the key that
    /// is the rowid takes the next number.
    fn left_null(&mut self, table: &Relation, insert: &Insert, written: &[Written<'_>]) {
        let filled = |column: &Column| {
            let given = written.iter().find(|(name, _)| same(name, &column.name));
            match given {
                None => column.default.is_some() || column.generated.is_some(),
                Some((_, Some(Term { kind: TermKind::Null, .. }))) => {
                    insert.on_conflict == OnConflict::Replace && column.default.is_some()
                }
                Some(_) => true,
            }
        };
        let left = table
            .columns
            .iter()
            .filter(|column| column.not_null && !is_rowid(table, &column.name) && !filled(column))
            .find(|column| !table.takes_null_leniently(&column.name));
        let Some(column) = left.filter(|_| insert.on_conflict != OnConflict::Ignore) else {
            return;
        };
        let detail = format!("NOT NULL constraint failed: {}.{}", table.name.name, column.name);
        let row = insert.rows.as_ref().is_none_or(|rows| values(rows).is_some());
        // A trigger that runs before may give the row up.
        if !row || !insert.upserts.is_empty() || !table.triggers.is_empty() {
            self.told.may_fail("value-missing", CONSTRAINT, detail);
        } else {
            self.told.fails("value-missing", CONSTRAINT, detail);
        }
    }

    /// Tells that a row may be refused because of what is written into it.
    fn violated(&mut self, table: &Relation, written: &[Written<'_>], on_conflict: OnConflict) {
        for (name, value) in written {
            let literal = value.map(|term| &term.kind);
            let null = matches!(literal, Some(TermKind::Null));
            let whole = matches!(literal, Some(TermKind::Integer(_))) || null;
            let full = format!("{}.{name}", table.name.name);
            let column = table.column_any_case(name);
            if is_rowid(table, name) && !whole {
                let detail = format!("datatype mismatch: {full} takes whole numbers only");
                self.told.may_fail("rows-violate", "SQLITE_MISMATCH", detail);
            }
            let strict = table.options.contains_key("strict");
            if strict && !null && column.is_some_and(|column| may_not_fit(column, literal)) {
                let detail = format!("the type of a value may not be that of {full}");
                self.told.may_fail("rows-violate", CONSTRAINT, detail);
            }
            if on_conflict == OnConflict::Ignore {
                continue;
            }
            if is_keyed(table, name) && !null && on_conflict != OnConflict::Replace {
                let detail = format!("UNIQUE constraint failed: {full}");
                self.told.may_fail("rows-violate", CONSTRAINT, detail);
            }
            let known = matches!(literal, Some(TermKind::Integer(_) | TermKind::Literal));
            if column.is_some_and(|column| column.not_null) && !known {
                let detail = format!("NOT NULL constraint failed: {full}");
                self.told.may_fail("rows-violate", CONSTRAINT, detail);
            }
            let reached = self.computed_from(table, name);
            let checked = table.constraints.iter().any(|constraint| {
                matches!(&constraint.kind, Demand::Check(check)
                    if check.columns.iter().any(|word| reached.iter().any(|r| same(word, r))))
            });
            if checked {
                let detail = format!("a CHECK of {} may not hold", table.name.name);
                self.told.may_fail("rows-violate", CONSTRAINT, detail);
            }
        }
    }

    /// Returns a column and those that are computed from it. All are computed when a row
    /// is written: one of JSON fails where the text is none.
    fn computed_from<'t>(&mut self, table: &'t Relation, name: &'t str) -> Vec<&'t str> {
        let mut reached = vec![name];
        let mut at = 0;
        while let Some(from) = reached.get(at).copied() {
            at += 1;
            for column in &table.columns {
                let Some(generated) = &column.generated else { continue };
                let uses = generated.expr.columns.iter().any(|word| same(word, from));
                if !uses || reached.iter().any(|known| same(known, &column.name)) {
                    continue;
                }
                reached.push(&column.name);
                let text = generated.expr.text.to_ascii_lowercase();
                if text.contains("json") {
                    self.told.may_fail("rows-violate", SQL_ERROR, "malformed JSON".to_owned());
                }
            }
        }
        reached
    }

    /// With foreign keys on, a row of a child is looked up in its parent: the parent must be there,
    /// and have such a key (sqlite.org/foreignkeys.html, section 3). Of an UPDATE this holds for
    /// the keys whose columns it writes.
    fn keys_of_child(&mut self, table: &Relation, written: Option<&[&str]>) {
        if self.foreign_keys() == Some(false) {
            return;
        }
        for constraint in &table.constraints {
            let Demand::ForeignKey { columns, parent, parent_columns, .. } = &constraint.kind
            else {
                continue;
            };
            let concerns = |column: &String| {
                written.is_none_or(|written| written.iter().any(|name| same(name, column)))
            };
            if !columns.iter().any(concerns) {
                continue;
            }
            let schema = self.schema();
            let gone = schema.complete || schema.gone.contains_key(parent);
            match schema.relation(parent) {
                None if gone && self.foreign_keys() == Some(true) => {
                    let detail = format!("no such table: {parent}");
                    self.told.fails("missing-object", SQL_ERROR, detail);
                }
                None => {
                    let detail = format!("{parent} may not be there");
                    self.told.may_fail("missing-object", SQL_ERROR, detail);
                }
                Some(found) => {
                    let names = parent_columns.iter();
                    let names: Vec<Ident> =
                        names.map(|name| Ident::new(name, Default::default())).collect();
                    let detail = if found.complete && !super::create::is_unique(found, &names) {
                        let (child, parent) = (&table.name.name, &parent.name);
                        format!("foreign key mismatch - \"{child}\" referencing \"{parent}\"")
                    } else {
                        format!("fails if {parent} has no such row")
                    };
                    self.told.may_fail("orphans-present", CONSTRAINT, detail);
                }
            }
        }
    }

    /// Tells of the rows that triggers delete when a table is changed, and those that their changes
    /// fire.
    pub(super) fn deleted_by_triggers(&mut self, table: &Relation, change: &Change) {
        let mut queue = vec![(table.name.clone(), event_of(change))];
        let mut seen = Vec::new();
        while let Some((name, event)) = queue.pop() {
            let Some(relation) = self.schema().relation(&name) else { continue };
            for trigger in &relation.triggers {
                let mark = (name.clone(), trigger.name.clone());
                let Some(body) = trigger.body.get().filter(|body| body.event == event) else {
                    continue;
                };
                if seen.contains(&mark) {
                    continue;
                }
                seen.push(mark);
                for step in &body.steps {
                    let Some(target) = target_of(step) else { continue };
                    let full = self.schema().resolve(target);
                    if matches!(step, Change::Delete(_)) {
                        let object = ObjectKind::Table;
                        self.told.loses_too(object, full.to_string(), true, &full);
                    }
                    queue.push((full, event_of(step)));
                }
            }
        }
    }
}

const fn event_of(change: &Change) -> &'static str {
    match change {
        Change::Insert(_) => "insert",
        Change::Update(_) => "update",
        Change::Delete(_) => "delete",
        Change::Select(_) => "",
    }
}

const fn target_of(change: &Change) -> Option<&crate::sql::ObjectName> {
    match change {
        Change::Insert(insert) => Some(&insert.target.table),
        Change::Update(update) => Some(&update.target.table),
        Change::Delete(delete) => Some(&delete.target.table),
        Change::Select(_) => None,
    }
}

/// Returns the columns that an INSERT writes, with the values of the first row.
fn inserted<'c>(table: &'c Relation, insert: &'c Insert) -> Vec<Written<'c>> {
    if insert.rows.is_none() {
        return Vec::new();
    }
    let own = table.columns.iter().filter(|column| column.generated.is_none());
    let names: Vec<&str> = if insert.columns.is_empty() {
        own.map(|column| column.name.as_str()).collect()
    } else {
        insert.columns.iter().map(Ident::as_str).collect()
    };
    let row = insert.rows.as_ref().and_then(values);
    let value = |at: usize| row.as_ref().and_then(|row| row.get(at).copied());
    names.into_iter().enumerate().map(|(at, name)| (name, value(at))).collect()
}

/// Returns the first row of VALUES; none of a query.
fn values(select: &Select) -> Option<Vec<&Term>> {
    let [core] = select.cores.as_slice() else { return None };
    let plain = core.values || core.from.is_empty() && core.filter.is_none();
    let term = |output: &'_ crate::sql::ast::Output| matches!(output.kind, OutputKind::Term(_));
    if !plain || !core.outputs.iter().all(term) {
        return None;
    }
    let terms = core.outputs.iter().filter_map(|output| match &output.kind {
        OutputKind::Term(term) => Some(term),
        OutputKind::All | OutputKind::AllOf(_) => None,
    });
    Some(terms.collect())
}

/// Says whether a column is the number of the row: INTEGER PRIMARY KEY
/// (sqlite.org/lang_createtable.html, section 5).
fn is_rowid(table: &Relation, name: &str) -> bool {
    let integer = table.column_any_case(name).is_some_and(|column| {
        column.data_type.as_ref().is_some_and(|t| same(&t.name, "integer") && t.args.is_empty())
    });
    integer
        && !table.options.contains_key("without rowid")
        && table.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, Demand::PrimaryKey(key)
                if matches!(key.as_slice(), [only] if same(only, name)))
        })
}

/// Says whether a column is part of a key that no two rows share.
fn is_keyed(table: &Relation, name: &str) -> bool {
    let by_constraint = table.constraints.iter().any(|constraint| match &constraint.kind {
        Demand::PrimaryKey(key) | Demand::Unique(key) => key.iter().any(|c| same(c, name)),
        Demand::Check(_) | Demand::ForeignKey { .. } | Demand::Exclude(_) | Demand::NotNull(_) => {
            false
        }
    });
    let unique = crate::sql::ast::IndexKind::Unique;
    let mut indexes = table.indexes.iter().filter(|index| index.kind == unique);
    by_constraint || indexes.any(|index| index.mentions_column(name))
}

/// Says whether a constraint of the table has ON CONFLICT REPLACE.
fn replaces_rows(table: &Relation) -> bool {
    table.options.get("on conflict").is_some_and(|what| what == "replace")
}

fn unique_keys(table: &Relation) -> usize {
    let keys = table.constraints.iter();
    let keys = keys.filter(|c| matches!(c.kind, Demand::PrimaryKey(_) | Demand::Unique(_)));
    let unique = crate::sql::ast::IndexKind::Unique;
    let indexes = table.indexes.iter().filter(|i| i.kind == unique && i.constraint.is_none());
    keys.count() + indexes.count()
}

/// Says whether a value may have another type than the column of a STRICT table
/// (sqlite.org/stricttables.html, section 2).
pub(super) fn may_not_fit(column: &Column, value: Option<&TermKind>) -> bool {
    let name = column.data_type.as_ref().map_or("", |found| found.name.as_str());
    let is = |names: &[&str]| names.iter().any(|known| same(known, name));
    match value {
        Some(TermKind::Integer(_)) => is(&["blob"]),
        _ => !is(&["any"]),
    }
}
