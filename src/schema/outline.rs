//! What the outermost SELECT of a query shows, and which relations its words belong to
//! (PostgreSQL).

use super::model::{Relation, RelationKind, Schema};
use crate::sql::ast::{DataType, Outline, Shown};

/// A column of a result, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownColumn {
    /// Its name.
    pub name: Option<String>,
    /// Its type.
    pub data_type: Option<DataType>,
}

impl Schema {
    /// Returns the columns that a query shows; none where their number is not known.
    pub fn shown(&self, outline: &Outline) -> Option<Vec<ShownColumn>> {
        if !outline.plain {
            return None;
        }
        let mut found = Vec::new();
        for entry in &outline.shown {
            match entry {
                Shown::All(of) => {
                    let mut sources = outline
                        .sources
                        .iter()
                        .filter(|(alias, _)| of.as_ref().is_none_or(|owner| owner == alias))
                        .peekable();
                    sources.peek()?;
                    for (_, relation) in sources {
                        let relation = self.find(relation).filter(|relation| relation.complete)?;
                        if relation.kind == RelationKind::Sequence {
                            return None;
                        }
                        found.extend(relation.columns.iter().map(|column| ShownColumn {
                            name: Some(column.name.clone()),
                            data_type: column.data_type.clone(),
                        }));
                    }
                }
                Shown::Column { owner, column, cast, label } => found.push(ShownColumn {
                    name: Some(label.as_ref().unwrap_or(column).clone()),
                    data_type: cast
                        .clone()
                        .or_else(|| self.type_in(outline, owner.as_deref(), column)),
                }),
                Shown::Constant { data_type, label } => found.push(ShownColumn {
                    name: Some(label.clone()),
                    data_type: Some(data_type.clone()),
                }),
                Shown::Other(label) => {
                    found.push(ShownColumn { name: label.clone(), data_type: None });
                }
            }
        }
        Some(found)
    }

    fn type_in(&self, outline: &Outline, owner: Option<&str>, column: &str) -> Option<DataType> {
        let mine = outline.sources.iter().filter(|(alias, _)| owner.is_none_or(|o| o == alias));
        let mut found = mine.filter_map(|(_, relation)| self.find(relation)?.column(column));
        found.next()?.data_type.clone()
    }

    /// Returns the relations that a plain query reads, all of them known to the last column; none
    /// where there are others among them.
    pub fn known_sources(&self, outline: &Outline) -> Option<Vec<&Relation>> {
        let known = |name| self.find(name).filter(|relation: &&Relation| relation.complete);
        let all = outline.plain && !outline.sources.is_empty();
        all.then(|| outline.sources.iter().map(|(_, name)| known(name)).collect())?
    }
}
