//! Names as they are written, and as the server keeps them.

use std::fmt;

use super::source::Span;

/// One part of a name, folded as its server folds it: quoted parts keep their case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident {
    /// The name as the server keeps it.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

impl Ident {
    /// Returns a name at a place.
    pub fn new(value: impl Into<String>, span: Span) -> Self {
        Self { value: value.into(), span }
    }

    /// Returns the name alone.
    pub fn as_str(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}

/// A possibly qualified name: `orders`, `app.orders`, `catalog.app.orders`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ObjectName {
    /// The parts, outermost first; at least one.
    pub parts: Vec<Ident>,
}

impl ObjectName {
    /// Returns an unqualified name.
    pub fn bare(ident: Ident) -> Self {
        Self { parts: vec![ident] }
    }

    /// Returns the last part.
    pub fn name(&self) -> &str {
        self.parts.last().map_or("", Ident::as_str)
    }

    /// Returns the part before the last, if it is written.
    pub fn schema(&self) -> Option<&str> {
        self.parts.iter().rev().nth(1).map(Ident::as_str)
    }

    /// Returns the name with a schema in front, unless it has one.
    #[must_use]
    pub fn within(&self, schema: Option<&Ident>) -> Self {
        match schema {
            Some(schema) if self.parts.len() == 1 => {
                Self { parts: std::iter::once(schema).chain(&self.parts).cloned().collect() }
            }
            Some(_) | None => self.clone(),
        }
    }

    /// Returns where the whole name stands.
    pub fn span(&self) -> Span {
        match (self.parts.first(), self.parts.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            let dot = if index > 0 { "." } else { "" };
            write!(f, "{dot}{part}")?;
        }
        Ok(())
    }
}
