//! Compares the indexes of a table before ALTER TABLE with those after it.
//!
//! MySQL: fill_alter_inplace_info (sql_table.cc), MariaDB the same; measured on MariaDB 10.11, 11.8
//! and MySQL 9.7, testdata/servers.

use super::alteration::Alteration;
use super::change::Changes;
use super::definition::*;
use super::{Scene, same};
use crate::schema::{Altered, Index, Relation};
use crate::sql::ast::{IndexKind, Key};

impl Changes {
    pub(super) fn indexes(
        &mut self,
        scene: &Scene<'_>,
        before: &Relation,
        after: &Altered,
        alter: &Alteration<'_>,
    ) {
        // MariaDB: an index written with USING is another one, even if it is the same method.
        let rewritten = |name: &str| scene.is_mariadb() && names_method(alter, name);
        let renames: Vec<(&str, &str)> = index_renames(alter);
        let old_name = |name: &str| {
            let found = renames.iter().find(|(_, to)| same(to, name));
            // The name that an index gave up is free for another one.
            let free = renames.iter().any(|(from, to)| same(from, name) && !same(from, to));
            let same_name = if free { String::new() } else { name.to_owned() };
            found.map_or(same_name, |(from, _)| (*from).to_owned())
        };
        self.renamed_indexes = !renames.is_empty();
        for new in &after.table.indexes {
            let old = before.indexes.iter().find(|old| same(&old.name, &old_name(&new.name)));
            match old {
                Some(old) if !rewritten(&new.name) && self.same_index(before, after, old, new) => {
                    self.metadata |= names_method(alter, &new.name);
                    self.index_visibility |= old.invisible != new.invisible;
                }
                Some(old) => {
                    self.drops(old);
                    self.builds(new);
                }
                None => self.builds(new),
            }
        }
        let stays = |old: &&Index| {
            after.table.indexes.iter().any(|new| same(&old_name(&new.name), &old.name))
        };
        for old in before.indexes.iter().filter(|old| !stays(old)) {
            self.drops(old);
        }
        if scene.is_mariadb() {
            self.rename_instead(scene, before, after);
        } else {
            // A virtual column that nobody sees comes and goes with an index over an expression.
            let computed = |index: &&Index| index.parts.iter().any(|p| p.key.column().is_none());
            self.add_virtual |= self.built.iter().any(|index| computed(&index));
            self.drop_virtual |=
                before.indexes.iter().filter(computed).any(|i| self.dropped.contains(&i.name));
        }
    }

    /// MariaDB takes an index that goes and one like it that comes for one that is renamed, a
    /// primary key and a unique one among them (measured on 10.11 and 11.8, FULLTEXT on 11.8 only).
    fn rename_instead(&mut self, scene: &Scene<'_>, before: &Relation, after: &Altered) {
        let gone: Vec<&Index> =
            before.indexes.iter().filter(|old| self.dropped.contains(&old.name)).collect();
        for old in gone {
            let fulltext = old.kind == IndexKind::Fulltext && !scene.mariadb_since(11, 0);
            // An index that a foreign key brings along is none that the statement adds.
            let like = |new: &&Index| {
                let brought = new.kind == IndexKind::Plain && new.constraint.is_some();
                !brought && !same(&new.name, &old.name) && self.same_index(before, after, old, new)
            };
            let Some(new) = self.built.iter().find(like).filter(|_| !fulltext) else { continue };
            let name = new.name.clone();
            self.built.retain(|index| index.name != name);
            self.dropped.retain(|index| *index != old.name);
            self.renamed_indexes = true;
        }
        let unique = |index: &Index| index.kind == IndexKind::Unique;
        self.touches_unique = self.built.iter().any(unique)
            || before.indexes.iter().any(|old| unique(old) && self.dropped.contains(&old.name));
    }

    /// InnoDB orders rows by the primary key, or by the first unique key without NULLs.
    pub(super) fn clustered(&mut self, scene: &Scene<'_>, before: &Relation, after: &Altered) {
        let old: Option<Vec<usize>> = clustered_key(before).map(|index| {
            let position = |name: &&str| before.columns.iter().position(|c| same(&c.name, name));
            index.key_columns().iter().filter_map(position).collect()
        });
        let new: Option<Vec<Option<usize>>> = clustered_key(&after.table).map(|index| {
            let origin = |name: &&str| {
                let at = after.table.columns.iter().position(|c| same(&c.name, name))?;
                after.origins.get(at).copied().flatten()
            };
            index.key_columns().iter().map(origin).collect()
        });
        let Some(old) = old else {
            self.other_order = new.is_some();
            return;
        };
        let Some(new) = new else {
            self.loses_key = true;
            return;
        };
        let same_columns =
            old.len() == new.len() && old.iter().zip(&new).all(|(l, r)| Some(*l) == *r);
        let promoted = clustered_key(&after.table).map(|index| index.name.clone());
        let made = self.built.iter().any(|index| Some(&index.name) == promoted.as_ref());
        if scene.is_mariadb() {
            self.other_order = !same_columns;
            if same_columns && made {
                self.keeps_rows_by(before, after, promoted.as_deref());
            }
        } else {
            // MySQL: a key that was there before does not take the place in a rebuild.
            self.other_order = made;
            self.loses_key = !made && !same_columns;
        }
    }

    /// MariaDB: rows that are in the order of a new key already stay where they are. The key that
    /// ordered them so far is built, if it stays, as one beside them.
    fn keeps_rows_by(&mut self, before: &Relation, after: &Altered, key: Option<&str>) {
        self.built.retain(|index| Some(index.name.as_str()) != key);
        let Some(old) = clustered_key(before) else { return };
        let stays = |new: &&Index| {
            !self.built.contains(new)
                && Some(new.name.as_str()) != key
                && self.same_index(before, after, old, new)
        };
        if let Some(beside) = after.table.indexes.iter().find(stays) {
            self.built.push(beside.clone());
        }
    }

    fn drops(&mut self, index: &Index) {
        self.drop_primary |= index.primary;
        self.touches_unique |= index.kind == IndexKind::Unique;
        self.collated_indexes.retain(|name| !same(name, &index.name));
        self.dropped.push(index.name.clone());
    }

    fn builds(&mut self, index: &Index) {
        self.add_primary |= index.primary;
        self.touches_unique |= index.kind == IndexKind::Unique;
        self.built.push(index.clone());
    }

    /// Says whether an index is over the same columns, whatever they are called now.
    fn same_index(&self, before: &Relation, after: &Altered, old: &Index, new: &Index) -> bool {
        let position = |name: &str| before.columns.iter().position(|c| same(&c.name, name));
        let origin = |name: &str| {
            let at = after.table.columns.iter().position(|c| same(&c.name, name))?;
            after.origins.get(at).copied().flatten()
        };
        old.kind == new.kind
            && old.parts.len() == new.parts.len()
            && old.parts.iter().zip(&new.parts).all(|(left, right)| {
                let columns = match (&left.key, &right.key) {
                    (Key::Column(a), Key::Column(b)) => position(a.as_str()) == origin(b.as_str()),
                    (Key::Expr(a), Key::Expr(b)) => fold(a) == fold(b),
                    (Key::Column(_), Key::Expr(_)) | (Key::Expr(_), Key::Column(_)) => false,
                };
                columns && left.prefix == right.prefix && left.descending == right.descending
            })
    }
}
