//! Column definitions, keys and foreign keys of SQLite.

use super::name::{at_plain_word, name};
use super::term::{expression, in_parentheses, term};
use crate::sql::ast::{
    ColumnDef, ConstraintKind, DataType, Expr, ExprShape, ForeignKey, Generated, GeneratedStorage,
    Key, KeyConstraint, KeyPart, Nullability, ReferentialAction, TableConstraint, TermKind, Tree,
    TypeParts,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr;
use crate::sql::lexer::TokenKind;
use crate::sql::name::Ident;
use crate::sql::source::Span;

/// Takes a column: a name, a type of any words or none, constraints.
pub(super) fn column(cursor: &mut Cursor<'_>) -> Parsed<ColumnDef> {
    let start = cursor.position();
    let mut column = ColumnDef {
        span: Span::default(),
        name: name(cursor)?,
        data_type: data_type(cursor)?,
        nullability: None,
        default: None,
        generated: None,
        identity: None,
        auto_increment: false,
        on_update: None,
        constraints: Vec::new(),
        comment: None,
        invisible: false,
        options: Vec::new(),
    };
    column_constraints(cursor, &mut column)?;
    column.span = cursor.span_from(start);
    Ok(column)
}

/// Takes the words of a type and up to two numbers in parentheses.
pub(super) fn data_type(cursor: &mut Cursor<'_>) -> Parsed<Option<DataType>> {
    let start = cursor.position();
    let mut words = String::new();
    let mut end = None;
    while at_plain_word(cursor) && !at_generated(cursor) {
        let Some(token) = cursor.advance() else { break };
        if end.is_some_and(|end| end != token.span.start) {
            words.push(' ');
        }
        words.push_str(&cursor.slice(token.span).to_lowercase());
        end = Some(token.span.end);
    }
    if words.is_empty() {
        return Ok(None);
    }
    let mut args = Vec::new();
    if cursor.accept_symbol("(") {
        args.push(signed_number(cursor)?);
        if cursor.accept_symbol(",") {
            args.push(signed_number(cursor)?);
        }
        cursor.expect_symbol(")")?;
    }
    let parts = TypeParts { name: words, args, ..TypeParts::default() };
    Ok(Some(DataType { span: cursor.span_from(start), ..parts.into() }))
}

/// `GENERATED ALWAYS` ends a type name only in front of `AS`; both words are names otherwise.
fn at_generated(cursor: &Cursor<'_>) -> bool {
    cursor.at(&["GENERATED", "ALWAYS", "AS"])
}

fn signed_number(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let sign = if cursor.accept_symbol("-") { "-" } else { "" };
    if sign.is_empty() {
        cursor.accept_symbol("+");
    }
    match cursor.peek() {
        Some(token) if token.kind == TokenKind::Number => {
            cursor.advance();
            Ok(format!("{sign}{}", cursor.slice(token.span)))
        }
        _ => Err(cursor.expected("a number")),
    }
}

fn column_constraints(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Parsed<()> {
    loop {
        let start = cursor.position();
        // A name with nothing behind it is accepted and means nothing.
        let named = if cursor.accept(&["CONSTRAINT"]) { Some(name(cursor)?) } else { None };
        let (constraints, nullability) = (column.constraints.len(), column.nullability.clone());
        if !column_constraint(cursor, column, named.clone(), start)? && named.is_none() {
            return Ok(());
        }
        // A name in front of DEFAULT, COLLATE and the like is one all the same.
        let kept = column.constraints.len() > constraints || column.nullability != nullability;
        if let Some(named) = named.filter(|_| !kept) {
            column.options.push(("named".to_owned(), named.value));
        }
    }
}

/// Takes one column constraint, if one is next.
fn column_constraint(
    cursor: &mut Cursor<'_>,
    column: &mut ColumnDef,
    named: Option<Ident>,
    start: usize,
) -> Parsed<bool> {
    if cursor.accept(&["DEFAULT"]) {
        column.default = Some(default_value(cursor)?);
    } else if cursor.accept(&["NOT", "NULL"]) {
        column.nullability = Some(Nullability::NotNull { name: named });
        if let Some(word) = column_conflict(cursor, column)? {
            column.options.push(("not null on conflict".to_owned(), word.to_owned()));
        }
    } else if cursor.accept(&["NULL"]) {
        column.nullability = Some(Nullability::Null);
        conflict(cursor)?;
    } else if cursor.accept(&["COLLATE"]) {
        let collation = name(cursor)?.value;
        match &mut column.data_type {
            Some(data_type) => data_type.collation = Some(collation),
            None => column.options.push(("collate".to_owned(), collation)),
        }
    } else if cursor.at(&["GENERATED"]) || cursor.at(&["AS"]) {
        if cursor.accept(&["GENERATED"]) {
            cursor.expect(&["ALWAYS"])?;
        }
        cursor.expect(&["AS"])?;
        column.generated = Some(generated(cursor)?);
    } else {
        return keyed_constraint(cursor, column, named, start);
    }
    Ok(true)
}

/// Takes PRIMARY KEY, UNIQUE, CHECK, REFERENCES or a stray DEFERRABLE clause.
fn keyed_constraint(
    cursor: &mut Cursor<'_>,
    column: &mut ColumnDef,
    named: Option<Ident>,
    start: usize,
) -> Parsed<bool> {
    let kind = if cursor.accept(&["PRIMARY", "KEY"]) {
        let descending = cursor.accept_any(&["ASC", "DESC"]) == Some("DESC");
        column_conflict(cursor, column)?;
        column.auto_increment |= cursor.accept(&["AUTOINCREMENT"]);
        ConstraintKind::PrimaryKey(own_key(&column.name, descending))
    } else if cursor.accept(&["UNIQUE"]) {
        column_conflict(cursor, column)?;
        ConstraintKind::Unique(own_key(&column.name, false))
    } else if cursor.accept(&["CHECK"]) {
        ConstraintKind::Check(in_parentheses(cursor)?)
    } else if cursor.accept(&["REFERENCES"]) {
        let columns = vec![column.name.clone()];
        ConstraintKind::ForeignKey(ForeignKey { columns, ..foreign_key(cursor)? })
    } else {
        let references = column.constraints.last_mut();
        let mut ignored = table_constraint(None, ConstraintKind::NotNull(column.name.clone()));
        return Ok(defer(cursor, references.unwrap_or(&mut ignored)));
    };
    let mut constraint = table_constraint(named, kind);
    constraint.span = cursor.span_from(start);
    column.constraints.push(constraint);
    Ok(true)
}

fn own_key(column: &Ident, descending: bool) -> KeyConstraint {
    let part = KeyPart {
        span: column.span,
        key: Key::Column(column.clone()),
        collation: None,
        opclass: None,
        prefix: None,
        descending,
        nulls_first: None,
    };
    KeyConstraint { parts: vec![part], ..KeyConstraint::default() }
}

/// Returns a constraint without place and attributes.
pub(super) fn table_constraint(name: Option<Ident>, kind: ConstraintKind) -> TableConstraint {
    TableConstraint {
        span: Span::default(),
        name,
        kind,
        not_valid: false,
        not_enforced: false,
        deferrable: false,
        initially_deferred: false,
        no_inherit: false,
        if_not_exists: false,
    }
}

/// Takes a literal, a signed number, an expression in parentheses, or a bare word, which stands
/// for the string of its letters.
fn default_value(cursor: &mut Cursor<'_>) -> Parsed<Expr> {
    if cursor.at_symbol("(") {
        return expression(cursor);
    }
    let start = cursor.position();
    let signed = cursor.accept_symbol("-") || cursor.accept_symbol("+");
    let Some(token) = cursor.peek() else { return Err(cursor.expected("a default value")) };
    let literal = matches!(token.kind, TokenKind::Number | TokenKind::String);
    let word = at_plain_word(cursor) || cursor.at(&["NULL"]) || cursor.at(&["INDEXED"]);
    if !literal && (signed || !word) {
        return Err(cursor.expected("a literal or an expression in parentheses"));
    }
    cursor.advance();
    let mut default = expr::facts(&cursor.sub(start, cursor.position()));
    if default.shape == ExprShape::Column {
        default.shape = ExprShape::Literal;
        default.columns.clear();
    }
    Ok(default)
}

fn generated(cursor: &mut Cursor<'_>) -> Parsed<Generated> {
    let expr = in_parentheses(cursor)?;
    let storage = match cursor.accept_any(&["STORED", "VIRTUAL"]) {
        Some("STORED") => GeneratedStorage::Stored,
        Some(_) => GeneratedStorage::Virtual,
        None => GeneratedStorage::Unspecified,
    };
    Ok(Generated { expr, storage })
}

/// Takes `ON CONFLICT …` and returns what is to happen, in lower case.
pub(super) fn conflict(cursor: &mut Cursor<'_>) -> Parsed<Option<&'static str>> {
    if !cursor.accept(&["ON", "CONFLICT"]) {
        return Ok(None);
    }
    match cursor.accept_any(&["rollback", "abort", "fail", "ignore", "replace"]) {
        Some(word) => Ok(Some(word)),
        None => Err(cursor.expected("ROLLBACK, ABORT, FAIL, IGNORE or REPLACE")),
    }
}

fn column_conflict(
    cursor: &mut Cursor<'_>,
    column: &mut ColumnDef,
) -> Parsed<Option<&'static str>> {
    let word = conflict(cursor)?;
    let option = word.map(|word| ("on conflict".to_owned(), word.to_owned()));
    column.options.extend(option);
    Ok(word)
}

/// Takes the parent, its columns and the actions behind `REFERENCES`.
pub(super) fn foreign_key(cursor: &mut Cursor<'_>) -> Parsed<ForeignKey> {
    let parent = crate::sql::name::ObjectName::bare(name(cursor)?);
    let mut parent_columns = Vec::new();
    if cursor.accept_symbol("(") {
        parent_columns.push(name(cursor)?);
        while cursor.accept_symbol(",") {
            parent_columns.push(name(cursor)?);
        }
        cursor.expect_symbol(")")?;
    }
    let mut key = ForeignKey {
        columns: Vec::new(),
        parent,
        parent_columns,
        on_delete: ReferentialAction::NoAction,
        on_update: ReferentialAction::NoAction,
        match_full: false,
        set_columns: false,
        period: false,
        index_name: None,
    };
    loop {
        if cursor.accept(&["MATCH"]) {
            // SQLite treats every MATCH as SIMPLE (https://sqlite.org/foreignkeys.html, section 6).
            name(cursor)?;
        } else if cursor.accept(&["ON", "DELETE"]) {
            key.on_delete = cursor.referential_action()?;
        } else if cursor.accept(&["ON", "UPDATE"]) {
            key.on_update = cursor.referential_action()?;
        } else if cursor.accept(&["ON", "INSERT"]) {
            cursor.referential_action()?;
        } else {
            return Ok(key);
        }
    }
}

/// Takes `[NOT] DEFERRABLE [INITIALLY …]` and says whether it was there.
pub(super) fn defer(cursor: &mut Cursor<'_>, constraint: &mut TableConstraint) -> bool {
    let not = cursor.accept(&["NOT", "DEFERRABLE"]);
    if !not && !cursor.accept(&["DEFERRABLE"]) {
        return false;
    }
    constraint.deferrable = !not;
    if cursor.accept(&["INITIALLY", "DEFERRED"]) {
        constraint.initially_deferred = !not;
    } else {
        cursor.accept(&["INITIALLY", "IMMEDIATE"]);
    }
    true
}

/// Takes the parts of a key; an expression that is one name is a column.
pub(super) fn key_parts(cursor: &mut Cursor<'_>) -> Parsed<Vec<KeyPart>> {
    let mut parts = vec![key_part(cursor)?];
    while cursor.accept_symbol(",") {
        parts.push(key_part(cursor)?);
    }
    Ok(parts)
}

fn key_part(cursor: &mut Cursor<'_>) -> Parsed<KeyPart> {
    let start = cursor.position();
    let (mut whole, mut end, mut collation) = (term(cursor)?, cursor.position(), None);
    if let TermKind::Collate(inner, name) = whole.kind {
        (whole, end, collation) = (*inner, end - 2, Some(name.value));
    }
    let string = matches!(whole.kind, TermKind::Literal) && end == start + 1;
    let bare = if let TermKind::Column { path, .. } = &mut whole.kind
        && path.len() == 1
    {
        path.pop()
    } else if string {
        name(&mut cursor.sub(start, end)).ok()
    } else {
        None
    };
    // Only a word in double quotes may be a string: the others stand without their quotes.
    let name_only = |mut ident: Ident| {
        if cursor.slice(ident.span).starts_with(['\'', '[', '`']) {
            ident.span = Span::new(ident.span.start + 1, ident.span.end.saturating_sub(1));
        }
        ident
    };
    let bare = bare.map(name_only);
    let key = bare.map(Key::Column).unwrap_or_else(|| {
        Key::Expr(Expr { tree: Tree::of(whole), ..expr::facts(&cursor.sub(start, end)) })
    });
    let descending = cursor.accept_any(&["ASC", "DESC"]) == Some("DESC");
    Ok(KeyPart {
        span: cursor.span_from(start),
        key,
        collation,
        opclass: None,
        prefix: None,
        descending,
        nulls_first: None,
    })
}
