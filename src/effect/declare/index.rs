//! Indexes: names, width, methods.

use super::Teller;
use crate::effect::TableState;
use crate::sql::ast::{CreateIndex, IndexDef, IndexKind, Key, KeyPart, ObjectKind};

impl Teller<'_> {
    /// `CREATE INDEX`.
    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        let table = self.schema.resolve(&create.table);
        let state = self.state(&create.table);
        self.index(&table.to_string(), &create.index, state);
        let relation = self.schema.relation(&table).filter(|found| found.complete);
        if let Some(relation) = relation {
            let count = u64::try_from(relation.indexes.len() + 1).ok();
            let name = table.to_string();
            self.add("table-indexes", ObjectKind::Table, name, "indexes", count, state);
        }
        if self.kind().is_mysql_family() {
            let object = ObjectKind::Table;
            if create.algorithm.is_none() {
                self.add("algorithm-clause-missing", object, table.to_string(), "", None, state);
            }
            match &create.lock {
                Some(word) => {
                    self.add("lock-clause", object, table.to_string(), word, None, state);
                }
                None => {
                    self.add("lock-clause-missing", object, table.to_string(), "", None, state);
                }
            }
        }
    }

    /// An index, wherever it is written.
    pub(super) fn index(&mut self, table: &str, index: &IndexDef, state: TableState) {
        let object = ObjectKind::Index;
        match &index.name {
            Some(name) => self.part("index-name", object, table, name, state),
            None => self.add("unnamed-index", object, table.to_owned(), "", None, state),
        }
        let name = match &index.name {
            Some(name) => format!("{table}.{name}"),
            None => table.to_owned(),
        };
        let count = u64::try_from(index.parts.len()).ok();
        if index.kind == IndexKind::Plain {
            self.add("index-columns", object, name.clone(), "columns", count, state);
        }
        if let Some(method) = &index.method {
            self.add("index-method", object, name.clone(), method, None, state);
        }
        let kind = match index.kind {
            IndexKind::Plain => "plain",
            IndexKind::Unique => "unique",
            IndexKind::Fulltext => "fulltext",
            IndexKind::Spatial => "spatial",
            IndexKind::Vector => "vector",
        };
        self.add("index-kind", object, name.clone(), kind, None, state);
        self.order(table, index, &name, state);
        self.selectivity(table, index, &name, state);
    }

    /// A plain index over one column that can have a handful of values at most.
    fn selectivity(&mut self, table: &str, index: &IndexDef, name: &str, state: TableState) {
        let [part] = index.parts.as_slice() else { return };
        let Key::Column(column) = &part.key else { return };
        let plain = index.kind == IndexKind::Plain && index.predicate.is_none();
        let (home, bare) = table.rsplit_once('.').unwrap_or(("", table));
        let relation = self.schema.relation(&crate::schema::Name::new(home, bare));
        let known = relation.and_then(|found| found.column_any_case(column.as_str()));
        let Some(data_type) = known.and_then(|c| c.data_type.as_ref()).filter(|_| plain) else {
            return;
        };
        let few = match data_type.name.as_str() {
            "boolean" | "bool" => true,
            "tinyint" | "bit" => data_type.number(0) == Some(1),
            "enum" => data_type.args.len() <= 4,
            _ => false,
        };
        if few {
            let object = ObjectKind::Index;
            self.add("few-values", object, name.to_owned(), column.as_str(), None, state);
        }
    }

    /// A date before the last column is scanned by range and leaves what follows it unused.
    fn order(&mut self, table: &str, index: &IndexDef, name: &str, state: TableState) {
        let Some((_, before)) = index.parts.split_last() else { return };
        let (home, bare) = table.rsplit_once('.').unwrap_or(("", table));
        let full = crate::schema::Name::new(home, bare);
        let Some(relation) = self.schema.relation(&full) else { return };
        // After the date, a key only breaks ties: pages are read in that order.
        let breaks_tie = |part: &KeyPart| {
            let column = part.key.column().zip(relation.primary_key());
            column.is_some_and(|(column, key)| key.iter().any(|own| own == column))
        };
        for (at, part) in before.iter().enumerate() {
            let Key::Column(column) = &part.key else { continue };
            if index.parts.iter().skip(at + 1).all(breaks_tie) {
                return;
            }
            let data_type = relation.column(column.as_str()).and_then(|c| c.data_type.as_ref());
            let dated = data_type.is_some_and(|data_type| {
                matches!(data_type.name.as_str(), "date" | "datetime" | "timestamp" | "time")
            });
            if dated {
                let value = column.value.clone();
                let object = ObjectKind::Index;
                self.add("date-before-last", object, name.to_owned(), &value, None, state);
                return;
            }
        }
    }
}
