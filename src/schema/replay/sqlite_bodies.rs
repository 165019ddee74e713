//! Views and triggers of SQLite: made from their trees, and kept as they are when what they name
//! gets another name.
//!
//! SQLite 3.35 and later, sqlite.org/lang_altertable.html, section 2; measured,
//! testdata/servers/sqlite.

use std::collections::BTreeMap;

use super::super::model::{Column, Name, Relation, RelationKind, Schema, TriggerBody, ViewBody};
use super::super::resolve::{Meaning, Purpose, Resolver, Shown};
use super::create::plain_column;
use crate::sql::Span;
use crate::sql::ast::{CreateTrigger, CreateView, Select, StatementKind, Tree};

/// Makes a view.
pub(super) fn create_view(schema: &mut Schema, view: &CreateView) {
    let home = if view.temporary { Some("temp") } else { view.name.schema() };
    let home = home.unwrap_or(schema.home()).to_owned();
    let name = schema.key(&Name::new(home, view.name.name()));
    if schema.is_taken(&name) {
        return;
    }
    super::view::create(schema, view);
    let Some(select) = view.query.tree.get() else { return };
    let body = ViewBody { columns: view.columns.clone(), select: select.clone() };
    if let Some(made) = schema.relation_mut(&name) {
        made.body = Tree::of(body);
    }
    show_views(schema, &name);
}

/// Finds out again what those views show that read a relation, or are it, and those that read them.
/// A temporary one may stand in front of any.
pub(super) fn show_views(schema: &mut Schema, changed: &Name) {
    let all = changed.schema.eq_ignore_ascii_case("temp");
    let mut reached = vec![changed.clone()];
    let mut at = 0;
    while let Some(name) = reached.get(at).cloned().filter(|_| !all) {
        at += 1;
        let readers = schema.referrers(&name).filter(|found| found.kind == RelationKind::View);
        let new = readers.map(|found| found.name.clone()).filter(|name| !reached.contains(name));
        let new: Vec<Name> = new.collect();
        reached.extend(new);
    }
    let mut resolver = Resolver::new(schema, Purpose::Reread);
    let named = reached.iter().filter(|_| !all).filter_map(|name| schema.relations.get(name));
    let views = named.chain(schema.relations.values().filter(|_| all));
    let views = views.filter(|found| found.body.get().is_some());
    let shown: Vec<(Name, Shown)> =
        views.filter_map(|view| Some((view.name.clone(), resolver.shown_by(view).ok()?))).collect();
    for (name, shown) in shown {
        let columns = columns_of(schema, shown.columns, schema.relation(&name));
        let Some(view) = schema.relations.get(&name) else { continue };
        let changed = view.columns != columns || view.complete != shown.complete;
        if let (true, Some(view)) = (changed, schema.relation_mut(&name)) {
            view.columns = columns;
            view.complete = shown.complete;
        }
    }
}

/// Gives a table the columns that a query shows.
pub(super) fn fill_from_query(schema: &Schema, table: &mut Relation, select: &Select) {
    let shown = Resolver::new(schema, Purpose::Reread).select(select);
    let Ok(shown) = shown else { return };
    table.complete = shown.complete;
    table.columns = columns_of(schema, shown.columns, None);
}

/// Columns of one name are told apart by a number (`a`, `a:1`).
fn columns_of(
    schema: &Schema,
    shown: Vec<super::super::resolve::ShownColumn>,
    view: Option<&Relation>,
) -> Vec<Column> {
    let origin = view.map_or(schema.origin(), |view| view.origin);
    let mut columns: Vec<Column> = Vec::new();
    for column in shown {
        let taken = |name: &str| columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
        let mut name = column.name.clone();
        let mut count = 1;
        while taken(&name) {
            name = format!("{}:{count}", column.name);
            count += 1;
        }
        columns.push(plain_column(&name, column.data_type, origin));
    }
    columns
}

/// Returns what a trigger does, if all of it was read.
pub(super) fn trigger_body(create: &CreateTrigger) -> Tree<TriggerBody> {
    let mut steps = Vec::new();
    for statement in &create.statements {
        let StatementKind::Dml(dml) = &statement.kind else { return Tree::default() };
        let Some(step) = dml.tree.get() else { return Tree::default() };
        steps.push(step.clone());
    }
    let when = match &create.when {
        None => None,
        Some(when) => match when.tree.get() {
            Some(term) => Some(term.clone()),
            None => return Tree::default(),
        },
    };
    Tree::of(TriggerBody {
        temporary: create.name.schema().is_some_and(|home| home.eq_ignore_ascii_case("temp")),
        timing: create.timing.clone(),
        event: create.events.first().cloned().unwrap_or_default(),
        columns: create.columns.clone(),
        when,
        steps,
    })
}

/// New names by the places of those that they replace.
type Edits = BTreeMap<Span, String>;

/// Writes a new name wherever views and triggers mean what is renamed: before it is renamed, while
/// they can still be understood.
pub(super) fn rename(schema: &mut Schema, new_name: impl Fn(&Meaning) -> Option<String>) {
    let edits = |resolver: &Resolver<'_>| -> Edits {
        let meanings = resolver.meanings().iter();
        meanings.filter_map(|(at, meaning)| Some((*at, new_name(meaning)?))).collect()
    };
    let mut views: Vec<(Name, Edits)> = Vec::new();
    let mut triggers: Vec<(Name, usize, Edits)> = Vec::new();
    for relation in schema.relations.values() {
        if relation.kind == RelationKind::View {
            let mut resolver = Resolver::new(schema, Purpose::Reread);
            // What is refused is told where the statement is looked at; up to there it is read.
            let _ = resolver.view(relation);
            views.push((relation.name.clone(), edits(&resolver)));
        }
        for (at, trigger) in relation.triggers.iter().enumerate() {
            let mut resolver = Resolver::new(schema, Purpose::Reread);
            let _ = resolver.trigger(relation, trigger);
            triggers.push((relation.name.clone(), at, edits(&resolver)));
        }
    }
    for (name, edits) in views.into_iter().filter(|(_, edits)| !edits.is_empty()) {
        let Some(view) = schema.relation_mut(&name) else { continue };
        if let Some(body) = view.body.get_mut() {
            body.select.each_name(&mut |name| edit(name, &edits));
        }
    }
    for (table, at, edits) in triggers {
        let of = |column: &str| new_name(&Meaning::Column(table.clone(), column.to_owned()));
        let Some(body) = schema
            .relation_mut(&table)
            .and_then(|table| table.triggers.get_mut(at))
            .and_then(|trigger| trigger.body.get_mut())
        else {
            continue;
        };
        for column in &mut body.columns {
            column.value = of(&column.value).unwrap_or_else(|| column.value.clone());
        }
        if let Some(when) = &mut body.when {
            when.each_name(&mut |name| edit(name, &edits));
        }
        for step in &mut body.steps {
            step.each_name(&mut |name| edit(name, &edits));
        }
    }
}

fn edit(name: &mut crate::sql::Ident, edits: &Edits) {
    if let Some(new) = edits.get(&name.span) {
        name.value.clone_from(new);
    }
}
