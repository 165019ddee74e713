//! Queries: what they read, what `*` stands for, what they show.

use super::scope::{Alias, Allowed, Bound, Scope, Shown, ShownColumn};
use super::term::Value;
use super::{Checked, Meaning, Place, Reason, Refusal, Resolver, refused, same};
use crate::sql::ast::{
    Core, Cte, Output, OutputKind, Select, Sort, Source, SourceItem, Term, TermKind,
};

/// The WITH clause of a query that is being read.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) ctes: &'a [Cte],
    /// Those being looked into, and what they show as far as that is known meanwhile.
    pub(super) open: Vec<(usize, Option<Shown>)>,
}

/// What a query outside of everything may use.
pub(super) const ANYTHING: Allowed = Allowed { aggregate: true, window: true, place: Place::Query };

impl<'a> Resolver<'a> {
    /// Looks up all names of a query that a table is made from, and the collations of its columns.
    pub fn run_for_table(&mut self, select: &'a Select) -> Checked<()> {
        for output in select.cores.iter().flat_map(|core| &core.outputs) {
            if let OutputKind::Term(term) = &output.kind {
                self.collates(term)?;
            }
        }
        self.select(select).map(|_| ())
    }

    /// Looks up all names of a query and returns what it shows.
    pub(crate) fn select(&mut self, select: &'a Select) -> Checked<Shown> {
        self.query(select, None)
    }

    pub(super) fn query(
        &mut self,
        select: &'a Select,
        outer: Option<&Scope<'_>>,
    ) -> Checked<Shown> {
        self.within(&select.with, |this| this.cores(select, outer))
    }

    /// Runs something under a WITH clause.
    pub(super) fn within<R>(
        &mut self,
        with: &'a [Cte],
        run: impl FnOnce(&mut Self) -> Checked<R>,
    ) -> Checked<R> {
        for (at, cte) in with.iter().enumerate() {
            let name = cte.name.as_str();
            if with.iter().take(at).any(|earlier| same(earlier.name.as_str(), name)) {
                let detail = format!("duplicate WITH table name: {name}");
                return refused(Reason::Misused, detail);
            }
        }
        self.frames.push(Frame { ctes: with, open: Vec::new() });
        let result = run(self);
        self.frames.pop();
        result
    }

    fn cores(&mut self, select: &'a Select, outer: Option<&Scope<'_>>) -> Checked<Shown> {
        let single = select.cores.len() == 1;
        let mut all: Vec<Shown> = Vec::new();
        for core in &select.cores {
            let orders = if single { select.order_by.as_slice() } else { &[] };
            let shown = self.core(core, orders, outer)?;
            if let Some(first) = all.first()
                && first.complete
                && shown.complete
                && first.columns.len() != shown.columns.len()
            {
                let detail = "SELECTs to the left and right of UNION do not have the same number \
                              of result columns";
                return refused(Reason::Count, detail);
            }
            all.push(shown);
        }
        if !single {
            self.order_of_compound(select, &all)?;
        }
        for term in &select.limit {
            self.single(term, &Scope::default(), Allowed { aggregate: false, ..ANYTHING })?;
            if matches!(term.kind, TermKind::Literal) {
                let detail = "datatype mismatch: LIMIT takes whole numbers".to_owned();
                self.doubts.push(Refusal { reason: Reason::Misused, detail });
            }
        }
        Ok(all.into_iter().next().unwrap_or(Shown::unknown()))
    }

    /// ORDER BY of a compound names a column that it shows, by number, name or expression.
    fn order_of_compound(&mut self, select: &'a Select, all: &[Shown]) -> Checked<()> {
        for sort in &select.order_by {
            let term = without_collation(&sort.term);
            self.collates(&sort.term)?;
            let known = all.iter().all(|shown| shown.complete);
            if let TermKind::Integer(at) = &term.kind {
                in_range(*at, all.first(), "ORDER")?;
            } else if let (TermKind::Column { path, .. }, true) = (&term.kind, known) {
                let shows = |shown: &Shown| {
                    path.last().is_some_and(|name| shown.column(name.as_str()).is_some())
                };
                let written = |core: &Core| core.outputs.iter().any(|o| is_column(o, path));
                if !all.iter().any(shows) && !select.cores.iter().any(written) {
                    let detail = "ORDER BY term does not match any column in the result set";
                    return refused(Reason::NoColumn, detail);
                }
            } else if select.cores.iter().all(|core| !may_show(core, term)) {
                let detail = "ORDER BY term does not match any column in the result set";
                return refused(Reason::NoColumn, detail);
            } else {
                let detail = "ORDER BY term may not match any column in the result set".to_owned();
                self.doubts.push(Refusal { reason: Reason::NoColumn, detail });
            }
        }
        Ok(())
    }

    pub(super) fn core(
        &mut self,
        core: &'a Core,
        orders: &'a [Sort],
        outer: Option<&Scope<'_>>,
    ) -> Checked<Shown> {
        if core.uneven {
            return refused(Reason::Count, "all VALUES must have the same number of terms");
        }
        let mut scope = Scope { outer, ..Scope::default() };
        let mut conditions = Vec::new();
        self.sources(&core.from, &mut scope, &mut conditions)?;
        scope.windows = core.windows.iter().map(|(name, _)| name.value.clone()).collect();
        let (shown, values) = self.outputs(&core.outputs, &scope, ANYTHING)?;
        for term in core.rows.iter().flatten() {
            self.single(term, &scope, ANYTHING)?;
        }
        let grouped = !core.group_by.is_empty() || values.iter().any(|value| value.aggregate);
        let columns = core.outputs.iter().zip(&values);
        scope.aliases = columns.filter_map(|(output, value)| alias(output, value)).collect();
        let having = Allowed { aggregate: grouped, window: false, place: Place::Query };
        if let Some(term) = &core.having {
            // Since 3.39 (sqlite.org/releaselog/3_39_0.html).
            if core.group_by.is_empty() && !self.schema.server.version.at_least(3, 39, 0) {
                let detail = "a GROUP BY clause is required before HAVING";
                return refused(Reason::Misused, detail);
            }
            if !grouped {
                let detail = "HAVING clause on a non-aggregate query";
                return refused(Reason::Misused, detail);
            }
            self.single(term, &scope, having)?;
        }
        let condition = Allowed { aggregate: grouped && !self.is_run(), ..having };
        for term in conditions.into_iter().chain(&core.filter) {
            self.single(term, &scope, condition)?;
        }
        self.windows(core, &scope)?;
        // Since 3.53 they name what is outside too (measured on 3.51.3 and 3.53.4).
        if !self.schema.server.version.at_least(3, 53, 0) {
            scope.outer = None;
        }
        let ordering = Allowed { aggregate: grouped || !self.is_run(), ..ANYTHING };
        self.orders(orders.iter().map(|s| &s.term), &shown, &scope, (ordering, "ORDER"))?;
        let plain = core.outputs.iter().all(|output| matches!(output.kind, OutputKind::Term(_)));
        let aggregates = |term: &Term| {
            let TermKind::Integer(at) = &term.kind else { return false };
            let value = usize::try_from(*at - 1).ok().and_then(|at| values.get(at));
            plain && value.is_some_and(|value| value.aggregate)
        };
        if self.is_run() && core.group_by.iter().any(aggregates) {
            let detail = "aggregate functions are not allowed in the GROUP BY clause";
            return refused(Reason::Misused, detail);
        }
        let grouping = Allowed { aggregate: false, ..having };
        self.orders(core.group_by.iter(), &shown, &scope, (grouping, "GROUP"))?;
        Ok(shown)
    }

    fn windows(&mut self, core: &'a Core, scope: &Scope<'_>) -> Checked<()> {
        let allowed = Allowed { window: false, ..ANYTHING };
        for (_, window) in &core.windows {
            self.window(window, scope, allowed)?;
        }
        Ok(())
    }

    fn orders(
        &mut self,
        terms: impl Iterator<Item = &'a Term>,
        shown: &Shown,
        scope: &Scope<'_>,
        (allowed, what): (Allowed, &str),
    ) -> Checked<()> {
        for whole in terms {
            self.collates(whole)?;
            let term = without_collation(whole);
            if let TermKind::Integer(at) = &term.kind {
                if *at < 1 || self.is_run() {
                    in_range(*at, Some(shown), what)?;
                }
                continue;
            }
            let named = matches!(&term.kind, TermKind::Column { path, .. }
                if what == "ORDER" && path.len() == 1 && is_alias(scope, path));
            if named {
                continue;
            }
            let value = self.single(term, scope, allowed)?;
            if value.aggregate && what == "GROUP" {
                let detail = "aggregate functions are not allowed in the GROUP BY clause";
                return refused(Reason::Misused, detail);
            }
        }
        Ok(())
    }

    /// Looks up a select list and returns what it shows, with the value of each entry.
    pub(super) fn outputs(
        &mut self,
        outputs: &'a [Output],
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<(Shown, Vec<Value>)> {
        let mut shown = Shown { complete: true, ..Shown::default() };
        let mut values = Vec::new();
        for (at, output) in outputs.iter().enumerate() {
            match &output.kind {
                OutputKind::All if scope.bound.is_empty() => {
                    return refused(Reason::Missing, "no tables specified");
                }
                OutputKind::All => {
                    scope.bound.iter().for_each(|bound| expand(bound, true, &mut shown));
                    values.push(Value::default());
                }
                OutputKind::AllOf(table) => {
                    let mut named =
                        scope.bound.iter().filter(|b| same(&b.known_as, table.as_str())).peekable();
                    if let Some(found) = named.peek()
                        && let (Some(name), false) = (found.table.clone(), found.aliased)
                    {
                        self.note(table.span, Meaning::Table(name));
                    }
                    if named.peek().is_none() {
                        return Err(Refusal::missing("table", table));
                    }
                    named.for_each(|bound| expand(bound, false, &mut shown));
                    values.push(Value::default());
                }
                OutputKind::Term(term) => {
                    let value = self.shown_value(term, scope, allowed)?;
                    shown.columns.push(named(output, &value, at));
                    values.push(value);
                }
            }
        }
        if self.nested == 0 && self.is_run() && shown.columns.iter().any(|column| column.several) {
            return refused(Reason::Count, "row value misused");
        }
        Ok((shown, values))
    }

    /// Looks up what a column shows. SQLite leaves out what nobody reads of a query in FROM, and
    /// does not see then that it is not one value; it wants to know its collation, though.
    fn shown_value(
        &mut self,
        term: &'a Term,
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<Value> {
        if self.nested == 0 {
            return self.single(term, scope, allowed);
        }
        self.collates(term)?;
        let value = self.term(term, scope, allowed)?;
        Ok(value)
    }

    /// Looks up a query whose columns something else reads.
    pub(super) fn nested_query(
        &mut self,
        select: &'a Select,
        outer: Option<&Scope<'_>>,
    ) -> Checked<Shown> {
        self.nested += 1;
        let shown = self.query(select, outer);
        self.nested -= 1;
        shown
    }

    /// Binds what FROM names, and gathers the conditions of its joins.
    pub(super) fn sources(
        &mut self,
        sources: &'a [Source],
        scope: &mut Scope<'_>,
        conditions: &mut Vec<&'a Term>,
    ) -> Checked<()> {
        for source in sources {
            let before = scope.bound.len();
            let join = source.join;
            self.source(source, scope, conditions)?;
            if join.natural && (source.on.is_some() || !source.using.is_empty()) {
                let detail = "a NATURAL join may not have an ON or USING clause";
                return refused(Reason::Misused, detail);
            }
            self.shares(source, scope, before)?;
            conditions.extend(&source.on);
        }
        Ok(())
    }

    /// Marks the columns that a join has once: those of USING, and of both sides of NATURAL.
    fn shares(&mut self, source: &Source, scope: &mut Scope<'_>, before: usize) -> Checked<()> {
        let middle = before.min(scope.bound.len());
        let (left, right) = scope.bound.split_at_mut(middle);
        let has = |side: &[Bound], name: &str| {
            side.iter().any(|bound| !bound.shown.complete || bound.shown.column(name).is_some())
        };
        for column in &source.using {
            if !has(left, column.as_str()) || !has(right, column.as_str()) {
                let detail = format!(
                    "cannot join using column {column} - column not present in both tables"
                );
                return refused(Reason::NoColumn, detail);
            }
        }
        let known = left.iter().any(|bound| !bound.shown.complete);
        for bound in right {
            bound.using.extend(source.using.iter().map(|column| column.value.clone()));
            if !source.join.natural {
                continue;
            }
            let names = bound.shown.columns.iter().map(|column| column.name.clone());
            let both = names.filter(|name| left.iter().any(|b| b.shown.column(name).is_some()));
            let both: Vec<String> = both.collect();
            bound.using.extend(both);
            // Which columns are shared is not known: no name is ambiguous for certain.
            bound.shown.complete &= !known;
        }
        for (column, bound) in
            source.using.iter().flat_map(|column| scope.bound.iter().map(move |b| (column, b)))
        {
            if let (Some(name), Some(found)) = (&bound.table, bound.shown.column(column.as_str())) {
                self.note(column.span, Meaning::Column(name.clone(), found.name.clone()));
            }
        }
        Ok(())
    }

    fn source(
        &mut self,
        source: &'a Source,
        scope: &mut Scope<'_>,
        conditions: &mut Vec<&'a Term>,
    ) -> Checked<()> {
        let alias = source.alias.as_ref().map(|alias| alias.value.clone());
        let aliased = alias.is_some();
        let bound = match &source.item {
            SourceItem::Table(name) => {
                let (table, shown) = match self.cte(name)? {
                    Some(shown) => (None, shown),
                    None => self.table(name)?,
                };
                if let (Some(table), Some(index)) = (&table, &source.indexed_by) {
                    self.indexed_by(table, index.as_str())?;
                }
                let own = || known_as(name.name());
                Bound {
                    known_as: alias.unwrap_or_else(own),
                    table,
                    aliased,
                    shown,
                    using: Vec::new(),
                }
            }
            SourceItem::Function(name, arguments) => {
                conditions.extend(arguments);
                let shown = self.table_function(name)?;
                let known_as = alias.unwrap_or_else(|| name.name().to_owned());
                Bound { known_as, table: None, aliased: true, shown, using: Vec::new() }
            }
            SourceItem::Select(select) => {
                let rowid = self.rows_have_numbers();
                let shown = Shown { rowid, ..self.nested_query(select, scope.outer)? };
                let known_as = alias.unwrap_or_default();
                Bound { known_as, table: None, aliased: true, shown, using: Vec::new() }
            }
            SourceItem::Joined(sources) => {
                let mut inner = Scope { outer: scope.outer, ..Scope::default() };
                self.sources(sources, &mut inner, conditions)?;
                let Some(known_as) = alias else {
                    scope.bound.append(&mut inner.bound);
                    return Ok(());
                };
                let mut shown = Shown { complete: true, ..Shown::default() };
                inner.bound.iter().for_each(|bound| expand(bound, true, &mut shown));
                Bound { known_as, table: None, aliased: true, shown, using: Vec::new() }
            }
        };
        scope.bound.push(bound);
        Ok(())
    }
}

/// Says whether an expression may be one of those that a query shows.
fn may_show(core: &Core, term: &Term) -> bool {
    let kind = std::mem::discriminant(&term.kind);
    core.outputs.iter().any(|output| match &output.kind {
        OutputKind::Term(shown) => std::mem::discriminant(&without_collation(shown).kind) == kind,
        OutputKind::All | OutputKind::AllOf(_) => false,
    })
}

/// `sqlite_schema` is another name of `sqlite_master`: a column is found before a dot by that one
/// only (so on 3.40; by both on 3.51, where nobody is stopped from writing the old one).
fn known_as(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "sqlite_schema" => "sqlite_master".to_owned(),
        "sqlite_temp_schema" => "sqlite_temp_master".to_owned(),
        _ => name.to_owned(),
    }
}

/// Returns the same columns under other names.
pub(super) fn renamed(names: Vec<String>, shown: Shown) -> Shown {
    let types = shown.columns.into_iter().map(Some).chain(std::iter::repeat(None));
    let columns = names.into_iter().zip(types);
    let columns = columns.map(|(name, old)| {
        let old = old.unwrap_or_default();
        ShownColumn { name, of: None, hidden: false, ..old }
    });
    Shown { columns: columns.collect(), complete: true, rowid: false }
}

/// Adds what `*` means for one source.
fn expand(bound: &Bound, all: bool, shown: &mut Shown) {
    shown.complete &= bound.shown.complete;
    let shared = |name: &str| all && bound.using.iter().any(|using| same(using, name));
    let columns = bound.shown.columns.iter();
    for column in columns.filter(|column| !column.hidden && !shared(&column.name)) {
        let of = bound.table.clone().map(|table| (table, column.name.clone()));
        let of = of.or_else(|| column.of.clone());
        shown.columns.push(ShownColumn { of, ..column.clone() });
    }
}

/// Returns the column that an entry of a select list makes.
fn named(output: &Output, value: &Value, at: usize) -> ShownColumn {
    let column = value.column.clone();
    let written = output.alias.as_ref().map(|alias| alias.value.clone());
    let own = column.as_ref().map(|column| column.name.clone()).filter(|name| !name.is_empty());
    let text = (!output.text.is_empty()).then(|| output.text.clone());
    let name = written.or(own).or(text).unwrap_or_else(|| format!("column{}", at + 1));
    let data_type = column.as_ref().and_then(|column| column.data_type.clone());
    ShownColumn {
        name,
        data_type,
        of: column.and_then(|column| column.of),
        hidden: false,
        several: value.width != 1,
    }
}

fn alias(output: &Output, value: &Value) -> Option<Alias> {
    output.alias.as_ref().map(|alias| Alias {
        name: alias.value.clone(),
        aggregate: value.aggregate,
        window: value.window,
        width: value.width,
    })
}

fn is_alias(scope: &Scope<'_>, path: &[crate::sql::Ident]) -> bool {
    let name = path.last().map_or("", |name| name.as_str());
    scope.aliases.iter().any(|alias| same(&alias.name, name))
}

fn is_column(output: &Output, path: &[crate::sql::Ident]) -> bool {
    let OutputKind::Term(Term { kind: TermKind::Column { path: shown, .. }, .. }) = &output.kind
    else {
        return false;
    };
    match (shown.last(), path.last()) {
        (Some(left), Some(right)) => same(left.as_str(), right.as_str()),
        _ => false,
    }
}

fn in_range(at: i64, shown: Option<&Shown>, what: &str) -> Checked<()> {
    let most = shown.filter(|shown| shown.complete).map(|shown| shown.columns.len());
    let over = most.is_some_and(|most| usize::try_from(at).is_ok_and(|at| at > most));
    if at < 1 || over {
        let most = most.unwrap_or(0);
        let detail = format!("{what} BY term out of range - should be between 1 and {most}");
        return refused(Reason::Count, detail);
    }
    Ok(())
}

/// Returns an expression without COLLATE around it.
pub(super) fn without_collation(term: &Term) -> &Term {
    match &term.kind {
        TermKind::Collate(inner, _) => without_collation(inner),
        TermKind::Null
        | TermKind::Integer(_)
        | TermKind::Literal
        | TermKind::Parameter
        | TermKind::Filled
        | TermKind::Column { .. }
        | TermKind::Call(_)
        | TermKind::Row(_)
        | TermKind::Select(_)
        | TermKind::Exists(_)
        | TermKind::In(..)
        | TermKind::Cast(..)
        | TermKind::Raise(_)
        | TermKind::Apply(..) => term,
    }
}
