//! The names in queries, changes and expressions, to be changed where they stand.

use super::select::{
    Assignment, Change, Core, Cte, InList, Output, OutputKind, Select, Sort, Source, SourceItem,
    Tail, Target, Term, TermKind, Window,
};
use crate::sql::name::{Ident, ObjectName};

/// What is done to each name.
type Visit<'v> = dyn FnMut(&mut Ident) + 'v;

impl Select {
    /// Hands over each name that may be one of a table or a column, in any order.
    pub fn each_name(&mut self, visit: &mut Visit<'_>) {
        with(&mut self.with, visit);
        self.cores.iter_mut().for_each(|core| in_core(core, visit));
        sorts(&mut self.order_by, visit);
        terms(&mut self.limit, visit);
    }
}

impl Change {
    /// Hands over each name that may be one of a table or a column, in any order.
    pub fn each_name(&mut self, visit: &mut Visit<'_>) {
        match self {
            Self::Select(select) => select.each_name(visit),
            Self::Insert(insert) => {
                with(&mut insert.with, visit);
                target(&mut insert.target, visit);
                insert.columns.iter_mut().for_each(&mut *visit);
                if let Some(rows) = &mut insert.rows {
                    rows.each_name(visit);
                }
                for upsert in &mut insert.upserts {
                    terms(&mut upsert.key, visit);
                    maybe(&mut upsert.key_filter, visit);
                    assignments(upsert.set.iter_mut().flatten(), visit);
                    maybe(&mut upsert.filter, visit);
                }
                outputs(&mut insert.returning, visit);
            }
            Self::Update(update) => {
                with(&mut update.with, visit);
                target(&mut update.target, visit);
                assignments(update.set.iter_mut(), visit);
                sources(&mut update.from, visit);
                maybe(&mut update.filter, visit);
                outputs(&mut update.returning, visit);
                tail(&mut update.tail, visit);
            }
            Self::Delete(delete) => {
                with(&mut delete.with, visit);
                target(&mut delete.target, visit);
                maybe(&mut delete.filter, visit);
                outputs(&mut delete.returning, visit);
                tail(&mut delete.tail, visit);
            }
        }
    }
}

impl Term {
    /// Hands over each name that may be one of a table or a column, in any order.
    pub fn each_name(&mut self, visit: &mut Visit<'_>) {
        match &mut self.kind {
            TermKind::Null
            | TermKind::Integer(_)
            | TermKind::Literal
            | TermKind::Parameter
            | TermKind::Filled
            | TermKind::Raise(None) => {}
            TermKind::Column { path, .. } => path.iter_mut().for_each(visit),
            TermKind::Call(call) => {
                terms(&mut call.arguments, visit);
                sorts(&mut call.order_by, visit);
                maybe(&mut call.filter, visit);
                call.over.iter_mut().for_each(|over| window(over, visit));
            }
            TermKind::Row(inner) | TermKind::Apply(_, inner) => terms(inner, visit),
            TermKind::Select(select) | TermKind::Exists(select) => select.each_name(visit),
            TermKind::In(left, list) => {
                left.each_name(visit);
                match list {
                    InList::Terms(inner) => terms(inner, visit),
                    InList::Select(select) => select.each_name(visit),
                    InList::Table(table, arguments) => {
                        object(table, visit);
                        terms(arguments, visit);
                    }
                }
            }
            TermKind::Collate(inner, _) | TermKind::Cast(inner, _) => inner.each_name(visit),
            TermKind::Raise(Some(message)) => message.each_name(visit),
        }
    }
}

fn terms(all: &mut [Term], visit: &mut Visit<'_>) {
    all.iter_mut().for_each(|term| term.each_name(visit));
}

fn maybe(term: &mut Option<Term>, visit: &mut Visit<'_>) {
    term.iter_mut().for_each(|term| term.each_name(visit));
}

fn sorts(all: &mut [Sort], visit: &mut Visit<'_>) {
    all.iter_mut().for_each(|sort| sort.term.each_name(visit));
}

fn object(name: &mut ObjectName, visit: &mut Visit<'_>) {
    name.parts.iter_mut().for_each(visit);
}

fn target(target: &mut Target, visit: &mut Visit<'_>) {
    object(&mut target.table, visit);
}

fn with(ctes: &mut [Cte], visit: &mut Visit<'_>) {
    ctes.iter_mut().for_each(|cte| cte.select.each_name(visit));
}

fn outputs(all: &mut [Output], visit: &mut Visit<'_>) {
    for output in all {
        match &mut output.kind {
            OutputKind::All => {}
            OutputKind::AllOf(table) => visit(table),
            OutputKind::Term(term) => term.each_name(visit),
        }
    }
}

fn assignments<'t>(all: impl Iterator<Item = &'t mut Assignment>, visit: &mut Visit<'_>) {
    for assignment in all {
        assignment.columns.iter_mut().for_each(&mut *visit);
        assignment.value.each_name(visit);
    }
}

fn tail(tail: &mut Tail, visit: &mut Visit<'_>) {
    sorts(&mut tail.order_by, visit);
    terms(&mut tail.limit, visit);
}

fn window(window: &mut Window, visit: &mut Visit<'_>) {
    terms(&mut window.partition_by, visit);
    sorts(&mut window.order_by, visit);
    terms(&mut window.bounds, visit);
}

fn sources(all: &mut [Source], visit: &mut Visit<'_>) {
    for source in all {
        match &mut source.item {
            SourceItem::Table(table) => object(table, visit),
            SourceItem::Function(_, arguments) => terms(arguments, visit),
            SourceItem::Select(select) => select.each_name(visit),
            SourceItem::Joined(inner) => sources(inner, visit),
        }
        maybe(&mut source.on, visit);
        source.using.iter_mut().for_each(&mut *visit);
    }
}

fn in_core(core: &mut Core, visit: &mut Visit<'_>) {
    outputs(&mut core.outputs, visit);
    core.rows.iter_mut().for_each(|row| terms(row, visit));
    sources(&mut core.from, visit);
    maybe(&mut core.filter, visit);
    terms(&mut core.group_by, visit);
    maybe(&mut core.having, visit);
    core.windows.iter_mut().for_each(|(_, inner)| window(inner, visit));
}
