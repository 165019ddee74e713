//! Whether the columns that a query names are there, and of one relation only.
//!
//! PostgreSQL 12 to 18 look them up before anything is read or stored (manual: SELECT; measured,
//! testdata/servers/postgres: wide_view_14). Told of plain queries over relations that are known
//! to the last column.

use super::sheet::Sheet;
use super::there;
use crate::schema::Relation;
use crate::sql::ast::{Outline, Query, Shown};

/// Notes a column that no relation of a query has, or more than one. Says whether there is one.
pub(super) fn refused(sheet: &mut Sheet<'_>, query: &Query) -> bool {
    let Some(outline) = query.outline.get().filter(|_| !sheet.has_variables) else { return false };
    let Some(sources) = sheet.schema.known_sources(outline) else { return false };
    for word in outline.bare.iter().filter(|word| is_column(outline, word)) {
        let having = sources.iter().filter(|relation| has(relation, word)).count();
        if having == 0 {
            let detail = format!("column \"{word}\" does not exist");
            sheet.fails("missing-column", "42703", detail);
            return true;
        }
        if having > 1 && !there::SYSTEM.contains(&word.as_str()) {
            let detail = format!("column reference \"{word}\" is ambiguous");
            sheet.fails("missing-column", "42702", detail);
            return true;
        }
    }
    for (owner, column) in query.only_of.iter().filter(|(_, column)| column != "*") {
        let relation = sheet.schema.find(owner);
        let mine = relation.filter(|found| sources.iter().any(|known| known.name == found.name));
        if mine.is_some_and(|relation| !has(relation, column)) {
            let detail = format!("column {owner}.{column} does not exist");
            sheet.fails("missing-column", "42703", detail);
            return true;
        }
    }
    false
}

/// Says whether a word can only be a column: the name of a source stands for its rows, that of a
/// result for an expression, and a tool puts something else in place of its own words.
fn is_column(outline: &Outline, word: &str) -> bool {
    let label = |entry: &Shown| match entry {
        Shown::Column { label: Some(label), .. }
        | Shown::Other(Some(label))
        | Shown::Constant { label, .. } => label == word,
        Shown::Column { label: None, .. } | Shown::Other(None) | Shown::All(_) => false,
    };
    word != "*"
        && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && !outline.sources.iter().any(|(alias, name)| alias == word || name.name() == word)
        && !outline.shown.iter().any(label)
}

fn has(relation: &Relation, word: &str) -> bool {
    let rows = word == relation.name.name && relation.column(word).is_none();
    there::has_word(relation, word) && !rows
}
