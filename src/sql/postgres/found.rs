//! What a walk over expressions and queries finds on its way.

use crate::sql::ast::{DataType, Expr, Outline, Query, Tree};
use crate::sql::cursor::{Cursor, Parsed, SyntaxError};
use crate::sql::expr as facts;
use crate::sql::name::{Ident, ObjectName};

/// How deeply expressions and queries may be nested. The server's own limit is its stack.
const DEEPEST: u16 = 200;

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Columns named, unqualified part only, each once.
    pub columns: Vec<String>,
    /// Those of them that are written alone somewhere; `*` among them.
    bare: Vec<String>,
    /// Columns written with a relation: the relation, where it is known by now.
    qualified: Vec<(Owner, String)>,
    /// Functions called, each once.
    pub functions: Vec<ObjectName>,
    /// Types cast to.
    pub casts: Vec<DataType>,
    /// There is a SELECT inside.
    pub has_subquery: bool,
    /// Sequences named in quotes by nextval() and its kin, each once.
    pub sequences: Vec<String>,
    /// Tables and columns in quotes by which nextval() and its kin find the sequence.
    pub serials: Vec<(String, String)>,
    /// Relations read, each once.
    pub reads: Vec<ObjectName>,
    /// Relations changed by WITH clauses, each once.
    pub writes: Vec<ObjectName>,
    /// Relations locked by FOR UPDATE and its kin, each once.
    pub row_locks: Vec<ObjectName>,
    /// Relations written with ONLY, each once.
    pub only: Vec<ObjectName>,
    /// A select list has `*`.
    pub star: bool,
    /// The table that `SELECT … INTO` makes.
    pub into: Option<Into>,
    /// Names of WITH clauses in force, innermost last.
    pub with: Vec<String>,
    /// Relations in FROM clauses in force, by the names they go by.
    pub sources: Vec<(String, ObjectName)>,
    /// How the outermost SELECT is built.
    pub outline: Outline,
    /// How many queries there are, the outermost included.
    pub queries: u32,
    /// Something in FROM is other than a relation joined by a condition.
    pub other_sources: bool,
    depth: u16,
}

/// What stands before the dot of `o.id`.
#[derive(Debug, Clone)]
enum Owner {
    /// A name that no FROM clause has explained so far.
    Alias(Ident),
    /// A relation.
    Relation(ObjectName),
}

/// `SELECT … INTO`.
#[derive(Debug)]
pub(super) struct Into {
    /// The table.
    pub name: ObjectName,
    /// How long it lives.
    pub persistence: crate::sql::ast::Persistence,
}

impl Found {
    /// Goes one level deeper, or fails where that is too deep to be meant.
    pub(super) fn enter(&mut self, c: &Cursor<'_>) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let message = format!("nested more than {DEEPEST} levels deep");
            return Err(SyntaxError { message, at: c.place() });
        }
        Ok(())
    }

    /// Comes back from a level.
    pub(super) const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Returns an empty one for a part whose facts are wanted apart. The names of WITH clauses
    /// move over and come back with [`Found::absorb`].
    pub(super) fn part(&mut self) -> Self {
        let with = std::mem::take(&mut self.with);
        Self { with, depth: self.depth, ..Self::default() }
    }

    /// Takes over what a part has found.
    pub(super) fn absorb(&mut self, part: &mut Self) {
        self.with = std::mem::take(&mut part.with);
        for name in &part.reads {
            self.read(name);
        }
        for name in &part.row_locks {
            self.lock(name);
        }
        for name in &part.writes {
            self.write(name);
        }
        for name in &part.only {
            note(&mut self.only, name);
        }
        for column in &part.columns {
            note_text(&mut self.columns, column);
        }
        for column in &part.bare {
            note_text(&mut self.bare, column);
        }
        self.qualified.extend(part.qualified.iter().cloned());
        for function in &part.functions {
            self.function(function.clone());
        }
        self.sequences.extend(part.sequences.iter().cloned());
        self.serials.extend(part.serials.iter().cloned());
        self.has_subquery |= part.has_subquery;
        self.queries += part.queries;
        self.other_sources |= part.other_sources;
    }

    /// Notes a column that is written alone.
    pub(super) fn column(&mut self, name: &str) {
        note_text(&mut self.columns, name);
        note_text(&mut self.bare, name);
    }

    /// Notes a column as it is written, with its relation or without.
    pub(super) fn column_of(&mut self, name: &ObjectName) {
        let Some(owner) = name.parts.iter().rev().nth(1) else { return self.column(name.name()) };
        note_text(&mut self.columns, name.name());
        self.qualified.push((Owner::Alias(owner.clone()), name.name().to_owned()));
    }

    /// Notes `*`, or `t.*` where a relation is named.
    pub(super) fn all_columns(&mut self, of: Option<&ObjectName>) {
        self.star = true;
        match of.and_then(|name| name.parts.last()) {
            Some(alias) => self.qualified.push((Owner::Alias(alias.clone()), "*".to_owned())),
            None => note_text(&mut self.bare, "*"),
        }
    }

    /// Finds the relations of columns noted so far among the FROM clauses in force. What is not
    /// found belongs to a query around this one.
    pub(super) fn find_owners(&mut self) {
        for (owner, _) in &mut self.qualified {
            let Owner::Alias(alias) = owner else { continue };
            let known = self.sources.iter().rev().find(|(known, _)| *known == alias.value);
            if let Some((_, relation)) = known {
                *owner = Owner::Relation(relation.clone());
            }
        }
    }

    /// Notes a function.
    pub(super) fn function(&mut self, name: ObjectName) {
        if !self.functions.iter().any(|known| same(known, &name)) {
            self.functions.push(name);
        }
    }

    /// Notes what an expression names and calls.
    pub(super) fn expr(&mut self, expr: Expr) {
        for column in &expr.columns {
            self.column(column);
        }
        for function in expr.functions {
            self.function(function);
        }
        self.casts.extend(expr.casts);
    }

    /// Notes a keyword that acts as a function.
    pub(super) fn keyword_function(&mut self, name: &str, c: &Cursor<'_>) {
        let name = Ident::new(name.to_ascii_lowercase(), c.last_span());
        self.function(ObjectName::bare(name));
    }

    /// Notes a relation that is read, unless it is the name of a WITH clause.
    pub(super) fn read(&mut self, name: &ObjectName) {
        if !self.is_with(name) {
            note(&mut self.reads, name);
        }
    }

    /// Notes a relation that is changed.
    pub(super) fn write(&mut self, name: &ObjectName) {
        note(&mut self.writes, name);
    }

    /// Notes a relation that is written with ONLY.
    pub(super) fn alone(&mut self, name: &ObjectName) {
        note(&mut self.only, name);
    }

    /// Notes a relation whose rows are locked.
    pub(super) fn lock(&mut self, name: &ObjectName) {
        if !self.is_with(name) {
            note(&mut self.row_locks, name);
        }
    }

    fn is_with(&self, name: &ObjectName) -> bool {
        name.parts.len() == 1 && self.with.iter().any(|with| with == name.name())
    }

    /// Returns the expression that the tokens since `start` make.
    pub(super) fn into_expr(self, c: &Cursor<'_>, start: usize) -> Expr {
        let inner = c.sub(start, c.position());
        let mut expr = Expr {
            span: c.span_from(start),
            text: facts::text(c, inner.tokens()),
            columns: self.columns,
            functions: self.functions,
            casts: self.casts,
            has_subquery: self.has_subquery,
            reads: self.reads,
            plain_query: self.queries == 1 && !self.other_sources,
            ..Expr::default()
        };
        expr.shape = facts::shape(c, inner.tokens(), &expr);
        expr.proves_not_null = facts::proofs(c, inner.tokens());
        expr
    }

    /// Returns the columns that are written with their relation only.
    pub(super) fn only_of(&mut self) -> Vec<(ObjectName, String)> {
        let mut only_of: Vec<(ObjectName, String)> = Vec::new();
        for (owner, column) in std::mem::take(&mut self.qualified) {
            let owner = match owner {
                Owner::Alias(alias) => ObjectName::bare(alias),
                Owner::Relation(name) => name,
            };
            let told = only_of.iter().any(|(known, name)| *name == column && same(known, &owner));
            if !told && !self.bare.contains(&column) {
                only_of.push((owner, column));
            }
        }
        only_of
    }

    /// Returns the query that the tokens since `start` make.
    pub(super) fn into_query(self, c: &Cursor<'_>, start: usize) -> Query {
        let plain = self.queries == 1 && !self.other_sources;
        let outline = Outline {
            plain,
            alone: self.queries == 0 && !self.other_sources && self.sources.is_empty(),
            chooses: self.outline.chooses || self.queries > 1,
            filter: self.outline.filter.filter(|_| plain),
            sources: if plain { self.sources } else { Vec::new() },
            // What queries inside show is not told apart.
            shown: if plain { self.outline.shown } else { Vec::new() },
            bare: self.bare,
            returns: self.outline.returns,
            defaulted: self.outline.defaulted,
        };
        Query {
            span: c.span_from(start),
            only_of: Vec::new(),
            reads: self.reads,
            row_locks: self.row_locks,
            writes: self.writes,
            sequences: self.sequences,
            serials: self.serials,
            functions: self.functions,
            columns: self.columns,
            only: self.only,
            star: self.star,
            refused: None,
            tree: Tree::default(),
            outline: Tree::of(outline),
        }
    }
}

fn note_text(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

fn note(names: &mut Vec<ObjectName>, name: &ObjectName) {
    if !names.iter().any(|known| same(known, name)) {
        names.push(name.clone());
    }
}

/// Says whether two names are written alike, wherever they stand.
pub(super) fn same(left: &ObjectName, right: &ObjectName) -> bool {
    let values = |name: &ObjectName| name.parts.len();
    values(left) == values(right)
        && left.parts.iter().zip(&right.parts).all(|(a, b)| a.value == b.value)
}
