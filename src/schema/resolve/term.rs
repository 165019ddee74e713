//! Expressions: columns, functions, subqueries, and how many values they are.

use super::function::{self, Kind, Known, is_collation};
use super::scope::{Allowed, Found, Scope, ShownColumn};
use super::select::without_collation;
use super::{Checked, Place, Reason, Refusal, Resolver, refused, same};
use crate::sql::ast::{Call, InList, Operator, Sort, Term, TermKind, Window};

/// What is known of the value of an expression.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// How many values it is: more than one for rows and for queries of several columns.
    pub(super) width: usize,
    /// An aggregate is in it.
    pub(super) aggregate: bool,
    /// A function over a window is in it.
    pub(super) window: bool,
    /// The column that it is.
    pub(super) column: Option<ShownColumn>,
}

impl Default for Value {
    fn default() -> Self {
        Self { width: 1, aggregate: false, window: false, column: None }
    }
}

impl Value {
    fn of(parts: &[Self]) -> Self {
        let any = |which: fn(&Self) -> bool| parts.iter().any(which);
        Self {
            aggregate: any(|part| part.aggregate),
            window: any(|part| part.window),
            ..Self::default()
        }
    }
}

impl<'a> Resolver<'a> {
    /// Looks up the names of an expression that is one value.
    pub(super) fn single(
        &mut self,
        term: &'a Term,
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<Value> {
        let value = self.term(term, scope, allowed)?;
        if value.width != 1 && self.is_run() {
            let detail = if matches!(term.kind, TermKind::Select(_)) {
                format!("sub-select returns {} columns - expected 1", value.width)
            } else {
                "row value misused".to_owned()
            };
            return refused(Reason::Count, detail);
        }
        Ok(value)
    }

    fn singles(
        &mut self,
        terms: &'a [Term],
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<Vec<Value>> {
        terms.iter().map(|term| self.single(term, scope, allowed)).collect()
    }

    /// Looks up the names of an expression.
    pub(super) fn term(
        &mut self,
        term: &'a Term,
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<Value> {
        match &term.kind {
            TermKind::Null | TermKind::Integer(_) | TermKind::Literal | TermKind::Filled => {
                Ok(Value::default())
            }
            TermKind::Parameter => {
                prohibited(allowed, "parameters", true)?;
                Ok(Value::default())
            }
            TermKind::Column { path, quoted } => {
                if path.len() > 1 {
                    prohibited(allowed, "the \".\" operator", false)?;
                }
                Ok(match self.look_up(path, *quoted, scope, allowed)? {
                    Found::Column(column) if column.several && self.is_run() => {
                        return refused(Reason::Count, "row value misused");
                    }
                    Found::Column(column) => Value { column: Some(column), ..Value::default() },
                    Found::Alias(alias) => Value {
                        width: alias.width,
                        aggregate: alias.aggregate,
                        window: alias.window,
                        column: None,
                    },
                    Found::Rowid | Found::Literal | Found::Unknown => Value::default(),
                })
            }
            TermKind::Call(call) => self.call(call, scope, allowed),
            TermKind::Row(terms) => {
                let parts = self.singles(terms, scope, allowed)?;
                Ok(Value { width: parts.len(), ..Value::of(&parts) })
            }
            TermKind::Select(select) => {
                prohibited_query(allowed)?;
                let shown = self.query(select, Some(scope))?;
                let width = if shown.complete { shown.columns.len() } else { 1 };
                Ok(Value { width, ..Value::default() })
            }
            TermKind::Exists(select) => {
                prohibited_query(allowed)?;
                self.query(select, Some(scope))?;
                Ok(Value::default())
            }
            TermKind::In(left, list) => self.is_in(left, list, scope, allowed),
            TermKind::Collate(inner, _) | TermKind::Cast(inner, _) => {
                let value = self.single(inner, scope, allowed)?;
                let keeps = matches!(term.kind, TermKind::Collate(..));
                Ok(Value { column: value.column.filter(|_| keeps), ..value })
            }
            TermKind::Raise(message) => {
                // A CHECK may have it, but on 3.44 and 3.45 (measured): it fails when a row comes.
                let version = self.schema.server.version;
                let asked = version.at_least(3, 44, 0) && !version.at_least(3, 46, 0);
                let kept = allowed.place == Place::Check && !asked;
                if self.row.is_none() && self.is_run() && !kept {
                    let detail = "RAISE() may only be used within a trigger-program";
                    return refused(Reason::Misused, detail);
                }
                if let Some(message) = message {
                    self.single(message, scope, allowed)?;
                    if self.is_run() && self.row.is_some() {
                        let detail = "a trigger may refuse the row (RAISE)".to_owned();
                        self.doubts.push(Refusal { reason: Reason::Raised, detail });
                    }
                }
                Ok(Value::default())
            }
            TermKind::Apply(operator, operands) => self.apply(*operator, operands, scope, allowed),
        }
    }

    fn apply(
        &mut self,
        operator: Operator,
        operands: &'a [Term],
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<Value> {
        match operator {
            Operator::Compare | Operator::Between => {
                let mut parts = Vec::new();
                for operand in operands {
                    self.collates(operand)?;
                    parts.push(self.term(operand, scope, allowed)?);
                }
                let mut widths = parts.iter().map(|part| part.width);
                let first = widths.next().unwrap_or(1);
                if widths.any(|width| width != first) {
                    return refused(Reason::Count, "row value misused");
                }
                Ok(Value::of(&parts))
            }
            Operator::Case | Operator::Plain => {
                Ok(Value::of(&self.singles(operands, scope, allowed)?))
            }
        }
    }

    fn is_in(
        &mut self,
        left: &'a Term,
        list: &'a InList,
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<Value> {
        self.collates(left)?;
        let value = self.term(left, scope, allowed)?;
        let shown = match list {
            // Rows are compared with rows (on 3.37 and later, not on 3.35).
            InList::Terms(terms)
                if matches!(left.kind, TermKind::Row(_))
                    && self.schema.server.version.at_least(3, 36, 0) =>
            {
                for term in terms {
                    let has = self.term(term, scope, allowed)?.width;
                    if has != value.width && self.is_run() {
                        let wanted = value.width;
                        let detail = format!("IN(...) element has {has} terms - expected {wanted}");
                        return refused(Reason::Count, detail);
                    }
                }
                None
            }
            InList::Terms(terms) => {
                self.singles(terms, scope, allowed)?;
                if value.width != 1 && self.is_run() {
                    return refused(Reason::Count, "row value misused");
                }
                None
            }
            InList::Select(select) => {
                prohibited_query(allowed)?;
                Some(self.query(select, Some(scope))?)
            }
            InList::Table(table, arguments) => {
                prohibited_query(allowed)?;
                self.singles(arguments, scope, allowed)?;
                Some(self.any_table(table)?)
            }
        };
        if let Some(shown) = shown.filter(|shown| shown.complete && self.is_run()) {
            let (has, wanted) = (shown.columns.len(), value.width);
            if has != wanted {
                let detail = format!("sub-select returns {has} columns - expected {wanted}");
                return refused(Reason::Count, detail);
            }
        }
        Ok(Value { width: 1, column: None, ..value })
    }

    fn call(&mut self, call: &'a Call, scope: &Scope<'_>, allowed: Allowed) -> Checked<Value> {
        let count = if call.star { 0 } else { call.arguments.len() };
        let version = self.schema.server.version;
        let known = function::find(call.name.as_str(), count, version);
        let known = self.decided(known, call);
        if known == Known::There(Kind::Changing) {
            prohibited_in(allowed, "non-deterministic functions", CHANGELESS)?;
        }
        if self.is_run() {
            self.called(call, known, allowed)?;
        }
        let rows = matches!(known, Known::There(Kind::Aggregate | Kind::Window));
        let aggregate = rows && call.over.is_none();
        let inner = Allowed {
            aggregate: allowed.aggregate && !(aggregate && self.is_run()),
            window: allowed.window && !(rows && self.is_run()),
            ..allowed
        };
        let parts = self.singles(&call.arguments, scope, inner)?;
        if self.is_run() {
            self.arguments_of(call)?;
        }
        for Sort { term } in &call.order_by {
            self.single(term, scope, inner)?;
        }
        if let Some(filter) = &call.filter {
            self.single(filter, scope, inner)?;
        }
        if let Some(window) = &call.over {
            self.window(window, scope, inner)?;
        }
        let of = Value::of(&parts);
        Ok(Value {
            aggregate: of.aggregate || aggregate,
            window: of.window || call.over.is_some(),
            ..of
        })
    }

    /// Says whether an aggregate stands in an expression, subqueries left aside.
    pub(super) fn has_aggregate(&self, term: &Term) -> bool {
        match &term.kind {
            TermKind::Call(call) => {
                let count = if call.star { 0 } else { call.arguments.len() };
                let known = function::find(call.name.as_str(), count, self.schema.server.version);
                known == Known::There(Kind::Aggregate) && call.over.is_none()
                    || call.arguments.iter().any(|argument| self.has_aggregate(argument))
            }
            TermKind::Apply(_, inner) | TermKind::Row(inner) => {
                inner.iter().any(|operand| self.has_aggregate(operand))
            }
            TermKind::Collate(inner, _) | TermKind::Cast(inner, _) => self.has_aggregate(inner),
            TermKind::Null
            | TermKind::Integer(_)
            | TermKind::Literal
            | TermKind::Filled
            | TermKind::Parameter
            | TermKind::Column { .. }
            | TermKind::Select(_)
            | TermKind::Exists(_)
            | TermKind::In(..)
            | TermKind::Raise(_) => false,
        }
    }

    /// Looks at what some functions want of their arguments.
    fn arguments_of(&mut self, call: &Call) -> Checked<()> {
        let name = call.name.as_str().to_ascii_lowercase();
        let mut doubt = |detail: &str| {
            let detail = detail.to_owned();
            self.doubts.push(Refusal { reason: Reason::Misused, detail });
        };
        let second = call.arguments.get(1).map(|term| &term.kind);
        match name.as_str() {
            // sqlite.org/lang_corefunc.html#likelihood
            "likelihood" if !matches!(second, Some(TermKind::Literal | TermKind::Filled)) => {
                let detail = "second argument to likelihood() must be a constant between 0.0 and \
                              1.0";
                return refused(Reason::Misused, detail);
            }
            "json_object" | "jsonb_object" if call.arguments.len() % 2 == 1 => {
                doubt(&format!("{name}() requires an even number of arguments"));
            }
            "like" if matches!(call.arguments.get(2), Some(term) if !is_one_value(term)) => {
                doubt("ESCAPE expression must be a single character");
            }
            "match" => doubt("unable to use function MATCH in the requested context"),
            _ if name.starts_with("json") || name.starts_with("->") => doubt("malformed JSON"),
            _ => {}
        }
        Ok(())
    }

    /// Decides about a function that depends on how the server was built; one that cannot be
    /// decided about is noted.
    fn decided(&mut self, known: Known, call: &Call) -> Known {
        let Known::Optional(option) = known else { return known };
        match option.and_then(|option| self.has_option(option)) {
            Some(true) if option == Some("ENABLE_PERCENTILE") => {
                return Known::There(Kind::Aggregate);
            }
            Some(true) => {}
            Some(false) => return Known::Missing,
            None if self.is_run() => self.doubts.push(Refusal::missing("function", &call.name)),
            None => {}
        }
        known
    }

    fn called(&self, call: &Call, known: Known, allowed: Allowed) -> Checked<()> {
        let name = &call.name;
        let misused = |detail: String| refused(Reason::Misused, detail);
        let kind = match known {
            Known::There(kind) => kind,
            Known::Missing => return Err(Refusal::missing("function", name)),
            Known::OtherArguments => {
                let detail = format!("wrong number of arguments to function {name}()");
                return refused(Reason::Count, detail);
            }
            Known::Optional(_) => return Ok(()),
        };
        let over = call.over.is_some();
        match kind {
            Kind::Scalar | Kind::Changing if over => {
                misused(format!("{name}() may not be used as a window function"))
            }
            Kind::Scalar | Kind::Changing if call.filter.is_some() => {
                misused(format!("FILTER may not be used with non-aggregate {name}()"))
            }
            Kind::Scalar | Kind::Changing if !call.order_by.is_empty() => {
                misused(format!("ORDER BY may not be used with non-aggregate {name}()"))
            }
            Kind::Scalar | Kind::Changing => Ok(()),
            Kind::Window if !over => misused(format!("misuse of window function {name}()")),
            Kind::Aggregate | Kind::Window if over && !allowed.window => {
                misused(format!("misuse of window function {name}()"))
            }
            Kind::Aggregate if !over && !allowed.aggregate => {
                misused(format!("misuse of aggregate function {name}()"))
            }
            Kind::Aggregate | Kind::Window if call.distinct && over => {
                misused("DISTINCT is not supported for window functions".to_owned())
            }
            Kind::Aggregate if call.distinct && call.arguments.len() != 1 => {
                misused("DISTINCT aggregates must have exactly one argument".to_owned())
            }
            Kind::Window if call.filter.is_some() => {
                misused("FILTER clause may only be used with aggregate window functions".to_owned())
            }
            Kind::Aggregate | Kind::Window => Ok(()),
        }
    }

    /// Looks up what stands behind OVER.
    pub(super) fn window(
        &mut self,
        window: &'a Window,
        scope: &Scope<'_>,
        allowed: Allowed,
    ) -> Checked<()> {
        if let Some(base) = window.base.as_ref().filter(|_| self.is_run())
            && !scope.windows.iter().any(|known| same(known, base.as_str()))
        {
            return Err(Refusal::missing("window", base));
        }
        let terms = window.partition_by.iter().chain(window.order_by.iter().map(|s| &s.term));
        for term in terms.chain(&window.bounds) {
            self.single(term, scope, allowed)?;
        }
        Ok(())
    }

    /// A collation is needed where values are compared.
    pub(super) fn collates(&self, term: &Term) -> Checked<()> {
        let TermKind::Collate(_, collation) = &term.kind else { return Ok(()) };
        if self.is_run() && !is_collation(collation.as_str()) {
            return Err(Refusal::missing("collation sequence", collation));
        }
        Ok(())
    }

    /// Looks up the names of an expression that belongs to one table.
    pub fn expression(
        &mut self,
        term: &'a Term,
        table: &'a super::super::model::Relation,
        place: Place,
    ) -> Checked<()> {
        let shown = self.shown_by(table)?;
        let bound = super::scope::Bound {
            known_as: table.name.name.clone(),
            table: Some(table.name.clone()),
            aliased: false,
            shown,
            using: Vec::new(),
        };
        let scope = Scope { bound: vec![bound], ..Scope::default() };
        let allowed = Allowed { aggregate: false, window: false, place };
        self.single(term, &scope, allowed).map(|_| ())
    }
}

const fn is_one_value(term: &Term) -> bool {
    matches!(term.kind, TermKind::Literal | TermKind::Filled | TermKind::Parameter)
}

/// Says whether an expression is one value for all rows, as DEFAULT wants it.
pub fn is_constant(term: &Term) -> bool {
    let word = |path: &[crate::sql::Ident]| matches!(path, [only] if ["true", "false"].iter().any(|w| same(w, only.as_str())));
    match &without_collation(term).kind {
        TermKind::Null
        | TermKind::Integer(_)
        | TermKind::Literal
        | TermKind::Filled
        | TermKind::Collate(..) => true,
        TermKind::Column { path, .. } => word(path),
        TermKind::Call(call) => call.over.is_none() && call.arguments.iter().all(is_constant),
        TermKind::Cast(inner, _) => is_constant(inner),
        TermKind::Apply(_, operands) | TermKind::Row(operands) => operands.iter().all(is_constant),
        TermKind::In(left, InList::Terms(terms)) => {
            is_constant(left) && terms.iter().all(is_constant)
        }
        TermKind::Parameter
        | TermKind::Select(_)
        | TermKind::Exists(_)
        | TermKind::In(..)
        | TermKind::Raise(_) => false,
    }
}

/// Where nothing may change from one time to the next.
const CHANGELESS: &[Place] = &[Place::IndexKey, Place::PartialIndex, Place::Generated];

/// Refuses what stands where a name of another table, or none at all, would make no sense.
fn prohibited(allowed: Allowed, what: &str, everywhere: bool) -> Checked<()> {
    let all = [Place::Check, Place::PartialIndex, Place::IndexKey, Place::Generated];
    let some = [Place::IndexKey, Place::Generated];
    prohibited_in(allowed, what, if everywhere { &all } else { &some })
}

fn prohibited_query(allowed: Allowed) -> Checked<()> {
    prohibited(allowed, "subqueries", true)
}

fn prohibited_in(allowed: Allowed, what: &str, places: &[Place]) -> Checked<()> {
    if !places.contains(&allowed.place) {
        return Ok(());
    }
    let place = match allowed.place {
        Place::Check => "CHECK constraints",
        Place::PartialIndex => "partial index WHERE clauses",
        Place::IndexKey => "index expressions",
        Place::Generated => "generated columns",
        Place::Query | Place::Default => return Ok(()),
    };
    refused(Reason::Misused, format!("{what} prohibited in {place}"))
}
