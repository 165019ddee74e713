//! INSERT, UPDATE and DELETE, and the triggers that they fire.

use super::super::model::{Column, Demand, Relation, RelationKind, Trigger};
use super::scope::{Allowed, Bound, Scope, Shown};
use super::select::ANYTHING;
use super::{Checked, Meaning, Place, Reason, Resolver, TriggerRow, refused, same};
use crate::sql::Ident;
use crate::sql::ast::{
    Assignment, Change, Delete, IndexKind, Insert, Output, OutputKind, Sort, Target, Term,
    TermKind, Update, Upsert,
};

/// What fires a trigger.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event<'e> {
    Insert,
    Update(&'e [Ident]),
    Delete,
}

impl Event<'_> {
    const fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update(_) => "update",
            Self::Delete => "delete",
        }
    }

    /// A trigger on UPDATE OF columns is there for those alone.
    fn concerns(self, body: &super::super::model::TriggerBody) -> bool {
        match self {
            Self::Insert | Self::Delete => true,
            Self::Update(columns) => {
                let set = |of: &Ident| columns.iter().any(|c| same(of.as_str(), c.as_str()));
                body.columns.is_empty() || body.columns.iter().any(set)
            }
        }
    }
}

/// What a condition or a value of a change may use.
const PLAIN: Allowed = Allowed { aggregate: false, window: false, place: Place::Query };

impl<'a> Resolver<'a> {
    /// Looks up all names of a change of data or a query, and of the triggers it fires.
    pub fn change(&mut self, change: &'a Change) -> Checked<()> {
        match change {
            Change::Select(select) => self.select(select).map(|_| ()),
            Change::Insert(insert) => self.within(&insert.with, |this| this.insert(insert)),
            Change::Update(update) => self.within(&update.with, |this| this.update(update)),
            Change::Delete(delete) => self.within(&delete.with, |this| this.delete(delete)),
        }
    }

    fn target(&mut self, target: &Target) -> Checked<(Option<&'a Relation>, Bound)> {
        let table = self.relation(&target.table)?;
        let shown = match table {
            Some(table) => {
                self.note(name_span(&target.table), Meaning::Table(table.name.clone()));
                self.shown_by(table)?
            }
            None => self.own_table(&target.table),
        };
        if let (Some(table), Some(index)) = (table, &target.indexed_by) {
            self.indexed_by(&table.name, index.as_str())?;
        }
        let alias = target.alias.as_ref().map(|alias| alias.value.clone());
        let bound = Bound {
            aliased: alias.is_some(),
            known_as: alias.unwrap_or_else(|| target.table.name().to_owned()),
            table: table.map(|table| table.name.clone()),
            shown,
            using: Vec::new(),
        };
        Ok((table, bound))
    }

    /// A view takes changes only where a trigger makes something of them. Until 3.41 RETURNING is
    /// taken for such a trigger, and nothing is done; 3.42 and later refuse it (measured).
    fn writable(
        &self,
        table: Option<&Relation>,
        event: Event<'_>,
        returning: &[Output],
    ) -> Checked<()> {
        if !returning.is_empty() && !self.schema.server.version.at_least(3, 42, 0) {
            return Ok(());
        }
        let Some(view) = table.filter(|t| self.is_run() && t.kind == RelationKind::View) else {
            return Ok(());
        };
        let instead = |trigger: &&Trigger| {
            let meant = |body: &super::super::model::TriggerBody| {
                body.event == event.word() && body.timing == "instead of" && event.concerns(body)
            };
            trigger.body.get().is_none_or(meant)
        };
        if view.triggers.iter().any(|trigger| instead(&trigger)) {
            return Ok(());
        }
        let detail = format!("cannot modify {} because it is a view", view.name.name);
        refused(Reason::NotWritable, detail)
    }

    fn insert(&mut self, insert: &'a Insert) -> Checked<()> {
        let (table, bound) = self.target(&insert.target)?;
        self.writable(table, Event::Insert, &insert.returning)?;
        for column in &insert.columns {
            let detail = format!("table {} has no column named {column}", bound.known_as);
            self.written(table, &bound, column, detail)?;
        }
        if let Some(rows) = &insert.rows {
            let shown = self.select(rows)?;
            self.counted(table, &bound, insert, &shown)?;
        }
        for upsert in &insert.upserts {
            self.upsert(table, &bound, upsert)?;
        }
        self.returning(&insert.returning, &bound)?;
        self.fire(table, Event::Insert)?;
        for upsert in &insert.upserts {
            if let Some(set) = &upsert.set {
                let columns: Vec<Ident> = set.iter().flat_map(|a| a.columns.clone()).collect();
                self.fire(table, Event::Update(&columns))?;
            }
        }
        Ok(())
    }

    /// A row has a value for each column named, or for each that is not generated.
    fn counted(
        &self,
        table: Option<&Relation>,
        bound: &Bound,
        insert: &Insert,
        shown: &Shown,
    ) -> Checked<()> {
        if !self.is_run() || !shown.complete {
            return Ok(());
        }
        let has = shown.columns.len();
        if !insert.columns.is_empty() {
            let wanted = insert.columns.len();
            if has != wanted {
                return refused(Reason::Count, format!("{has} values for {wanted} columns"));
            }
            return Ok(());
        }
        let generated = |column: &Column| column.generated.is_some();
        let computed = table.map_or(0, |t| t.columns.iter().filter(|c| generated(c)).count());
        let visible = bound.shown.columns.iter().filter(|column| !column.hidden).count();
        let wanted = visible.saturating_sub(computed);
        if bound.shown.complete && has != wanted {
            let name = &bound.known_as;
            let detail =
                format!("table {name} has {wanted} columns but {has} values were supplied");
            return refused(Reason::Count, detail);
        }
        Ok(())
    }

    /// Looks at a column that is written. Definitions are not asked what they write.
    fn written(
        &mut self,
        table: Option<&Relation>,
        bound: &Bound,
        column: &Ident,
        missing: String,
    ) -> Checked<()> {
        let found = bound.shown.column(column.as_str()).map(|found| found.name.clone());
        if let (Some(name), Some(found)) = (&bound.table, &found) {
            self.note(column.span, Meaning::Column(name.clone(), found.clone()));
        }
        if !self.is_run() {
            return Ok(());
        }
        let generated = table
            .and_then(|table| table.column_any_case(column.as_str()))
            .is_some_and(|found| found.generated.is_some());
        if generated {
            let detail = format!("cannot write generated column \"{column}\"");
            return refused(Reason::NotWritable, detail);
        }
        let rowid = ["rowid", "oid", "_rowid_"].iter().any(|name| same(name, column.as_str()));
        if found.is_some() || !bound.shown.complete || rowid && bound.shown.rowid {
            return Ok(());
        }
        refused(Reason::NoColumn, missing)
    }

    fn assigned(
        &mut self,
        table: Option<&Relation>,
        bound: &Bound,
        set: &'a [Assignment],
        scope: &Scope<'_>,
    ) -> Checked<()> {
        for assignment in set {
            for column in &assignment.columns {
                let detail = format!("no such column: {column}");
                self.written(table, bound, column, detail)?;
            }
            let value = self.term(&assignment.value, scope, PLAIN)?;
            let wanted = assignment.columns.len();
            if self.is_run() && value.width != wanted {
                let detail = format!("{wanted} columns assigned {} values", value.width);
                return refused(Reason::Count, detail);
            }
        }
        Ok(())
    }

    fn upsert(
        &mut self,
        table: Option<&'a Relation>,
        bound: &Bound,
        upsert: &'a Upsert,
    ) -> Checked<()> {
        if self.is_run() && table.is_some_and(|table| table.kind == RelationKind::View) {
            return refused(Reason::NotWritable, "cannot UPSERT a view");
        }
        if self.is_run() && table.is_some_and(|table| table.kind == RelationKind::Foreign) {
            let detail = "UPSERT not implemented for virtual table";
            return refused(Reason::NotWritable, detail);
        }
        let mut scope = Scope { bound: vec![bound.clone()], ..Scope::default() };
        for term in upsert.key.iter().chain(&upsert.key_filter) {
            self.single(term, &scope, PLAIN)?;
        }
        if let (Some(table), true) = (table, self.is_run() && !upsert.key.is_empty()) {
            conflict_key(table, upsert)?;
        }
        scope.excluded = Some(Bound { aliased: true, ..bound.clone() });
        if let Some(set) = &upsert.set {
            self.assigned(table, bound, set, &scope)?;
        }
        if let Some(filter) = &upsert.filter {
            self.single(filter, &scope, PLAIN)?;
        }
        Ok(())
    }

    fn update(&mut self, update: &'a Update) -> Checked<()> {
        let (table, bound) = self.target(&update.target)?;
        let columns: Vec<Ident> = update.set.iter().flat_map(|a| a.columns.clone()).collect();
        self.writable(table, Event::Update(&columns), &update.returning)?;
        let mut scope = Scope { bound: vec![bound.clone()], ..Scope::default() };
        let mut conditions = Vec::new();
        self.sources(&update.from, &mut scope, &mut conditions)?;
        let again = |other: &&Bound| {
            let named = !bound.aliased || same(&other.known_as, &bound.known_as);
            bound.table.is_some()
                && other.table == bound.table
                && other.aliased == bound.aliased
                && named
        };
        if self.is_run() && scope.bound.iter().skip(1).any(|other| again(&other)) {
            let name = &bound.known_as;
            let detail = format!("target object/alias may not appear in FROM clause: {name}");
            return refused(Reason::Misused, detail);
        }
        self.assigned(table, &bound, &update.set, &scope)?;
        for term in conditions.into_iter().chain(&update.filter) {
            self.single(term, &scope, PLAIN)?;
        }
        self.tail(&update.tail.order_by, &update.tail.limit, &scope)?;
        self.returning(&update.returning, &bound)?;
        self.fire(table, Event::Update(&columns))
    }

    fn delete(&mut self, delete: &'a Delete) -> Checked<()> {
        let (table, bound) = self.target(&delete.target)?;
        self.writable(table, Event::Delete, &delete.returning)?;
        let scope = Scope { bound: vec![bound.clone()], ..Scope::default() };
        if let Some(filter) = &delete.filter {
            self.single(filter, &scope, PLAIN)?;
        }
        self.tail(&delete.tail.order_by, &delete.tail.limit, &scope)?;
        self.returning(&delete.returning, &bound)?;
        self.fire(table, Event::Delete)
    }

    /// ORDER BY and LIMIT are there only if SQLite was built with them.
    fn tail(&mut self, order_by: &'a [Sort], limit: &'a [Term], scope: &Scope<'_>) -> Checked<()> {
        if order_by.is_empty() && limit.is_empty() {
            return Ok(());
        }
        let word = if order_by.is_empty() { "LIMIT" } else { "ORDER" };
        let detail = format!("near \"{word}\": syntax error");
        match self.has_option("ENABLE_UPDATE_DELETE_LIMIT") {
            Some(true) => {}
            Some(false) => return refused(Reason::Misused, detail),
            None => self.doubts.push(super::Refusal { reason: Reason::Misused, detail }),
        }
        if limit.is_empty() {
            return refused(Reason::Misused, "ORDER BY without LIMIT");
        }
        for sort in order_by {
            self.single(&sort.term, scope, PLAIN)?;
        }
        for term in limit {
            self.single(term, &Scope::default(), PLAIN)?;
        }
        Ok(())
    }

    fn returning(&mut self, outputs: &'a [Output], bound: &Bound) -> Checked<()> {
        if outputs.is_empty() {
            return Ok(());
        }
        if self.row.is_some() {
            return refused(Reason::Misused, "cannot use RETURNING in a trigger");
        }
        if outputs.iter().any(|output| matches!(output.kind, OutputKind::AllOf(_))) {
            let detail = "RETURNING may not use \"TABLE.*\" wildcards";
            return refused(Reason::Misused, detail);
        }
        // A column has no database before its table there.
        let bound = Bound { table: None, ..bound.clone() };
        let scope = Scope { bound: vec![bound], ..Scope::default() };
        let allowed = Allowed { aggregate: false, window: false, ..ANYTHING };
        self.outputs(outputs, &scope, allowed).map(|_| ())
    }

    /// Looks up the names of the triggers that a change fires: they are read when it is.
    fn fire(&mut self, table: Option<&'a Relation>, event: Event<'_>) -> Checked<()> {
        let Some(table) = table.filter(|_| self.is_run()) else { return Ok(()) };
        for trigger in &table.triggers {
            let Some(body) = trigger.body.get() else { continue };
            if body.event == event.word() && event.concerns(body) {
                self.trigger(table, trigger)?;
            }
        }
        Ok(())
    }

    /// Looks up the names of a trigger.
    pub(crate) fn trigger(&mut self, table: &'a Relation, trigger: &'a Trigger) -> Checked<()> {
        let Some(body) = trigger.body.get() else { return Ok(()) };
        let mark = (table.name.clone(), trigger.name.to_ascii_lowercase());
        if self.fired.contains(&mark) {
            return Ok(());
        }
        self.fired.push(mark);
        let row = TriggerRow { table, old: body.event != "insert", new: body.event != "delete" };
        let home = if body.temporary { "temp" } else { table.name.schema.as_str() };
        let outside = (
            self.row.replace(row),
            self.home.replace(home.to_owned()),
            std::mem::take(&mut self.frames),
        );
        let checked = self.shown_by(table).and_then(|_| {
            if let Some(when) = &body.when {
                self.single(when, &Scope::default(), PLAIN)?;
            }
            body.steps.iter().try_for_each(|step| self.change(step))
        });
        (self.row, self.home, self.frames) = outside;
        checked
    }
}

const NO_SUCH_KEY: &str = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint";

/// ON CONFLICT names the columns of a unique key.
fn conflict_key(table: &Relation, upsert: &Upsert) -> Checked<()> {
    let mut columns = Vec::new();
    for term in &upsert.key {
        // An index over an expression may be meant.
        let TermKind::Column { path, .. } = &super::select::without_collation(term).kind else {
            let computed = |index: &&super::super::model::Index| {
                let whole = index.predicate.is_none() || upsert.key_filter.is_some();
                let keys = index.key_columns().len() < index.parts.len();
                index.kind == IndexKind::Unique && whole && keys
            };
            if table.complete && !table.indexes.iter().any(|index| computed(&index)) {
                return refused(Reason::NotWritable, NO_SUCH_KEY);
            }
            return Ok(());
        };
        columns.extend(path.last().map(Ident::as_str));
    }
    let equal = |key: &[&str]| {
        key.len() == columns.len()
            && columns.iter().all(|column| key.iter().any(|name| same(name, column)))
    };
    let by_constraint = table.constraints.iter().any(|constraint| match &constraint.kind {
        Demand::PrimaryKey(key) | Demand::Unique(key) => {
            equal(&key.iter().map(String::as_str).collect::<Vec<_>>())
        }
        Demand::Check(_) | Demand::ForeignKey { .. } | Demand::Exclude(_) | Demand::NotNull(_) => {
            false
        }
    });
    let by_index = table.indexes.iter().any(|index| {
        let partial = index.predicate.is_some() && upsert.key_filter.is_none();
        index.kind == IndexKind::Unique && !partial && equal(&index.key_columns())
    });
    let rowid = !table.options.contains_key("without rowid")
        && matches!(columns.as_slice(), [only] if ["rowid", "oid", "_rowid_"]
            .iter().any(|name| same(name, only)));
    if by_constraint || by_index || rowid || !table.complete {
        return Ok(());
    }
    refused(Reason::NotWritable, NO_SUCH_KEY)
}

fn name_span(name: &crate::sql::ObjectName) -> crate::sql::Span {
    name.parts.last().map_or_else(Default::default, |part| part.span)
}
