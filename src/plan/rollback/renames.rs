//! Renames to the statements that take them back.
//!
//! A rename keeps the data, which dropping and creating would lose, so it is undone as a rename,
//! before anything else is compared.

use crate::db::Snapshot;
use crate::schema::Name;
use crate::sql::ast::{
    ActionKind, AlterIndex, AlterTable, IndexAction, MyAction, ObjectKind, PgAction, Rename,
    Statement, StatementKind, TypeAction,
};
use crate::sql::{Ident, ObjectName, Script, ServerKind, ident};

/// Returns what undoes the renames of these statements, last rename first. Things that did not
/// exist before are left alone: they are about to be dropped.
pub fn undo_renames(script: &Script, before: &Snapshot) -> Vec<String> {
    let undo = Undo { script, before, kind: before.server.kind };
    let mut statements: Vec<String> =
        script.statements.iter().flat_map(|statement| undo.statement(statement)).collect();
    statements.reverse();
    statements
}

struct Undo<'a> {
    script: &'a Script,
    before: &'a Snapshot,
    kind: ServerKind,
}

impl Undo<'_> {
    fn text(&self, ident: &Ident) -> &str {
        self.script.slice(ident.span)
    }

    fn name_text(&self, name: &ObjectName) -> &str {
        self.script.slice(name.span())
    }

    /// Returns `schema.new` for something that was `schema.old`.
    fn renamed(&self, old: &ObjectName, new: &Ident) -> String {
        match old.parts.iter().rev().nth(1) {
            Some(schema) => format!("{}.{}", self.text(schema), self.text(new)),
            None => self.text(new).to_owned(),
        }
    }

    fn last_text<'n>(&'n self, name: &'n ObjectName) -> &'n str {
        name.parts.last().map_or("", |part| self.text(part))
    }

    /// Says whether something of that name was there before.
    fn existed(&self, name: &ObjectName) -> bool {
        let (schema, last) = (name.schema(), name.name());
        let fits = |there: &Name| {
            there.name.eq_ignore_ascii_case(last)
                && schema.is_none_or(|schema| there.schema.eq_ignore_ascii_case(schema))
        };
        self.before.objects.iter().any(|object| fits(&object.name))
    }

    fn statement(&self, statement: &Statement) -> Vec<String> {
        if let StatementKind::AlterTable(alter) = &statement.kind {
            self.alter_table(alter)
        } else if let StatementKind::AlterIndex(alter) = &statement.kind {
            self.alter_index(alter).into_iter().collect()
        } else if let StatementKind::Rename(rename) = &statement.kind {
            self.rename(rename)
        } else if let StatementKind::SetSchema(set) = &statement.kind {
            let old = set.name.parts.iter().rev().nth(1);
            let old = old.map_or("public", |schema| self.text(schema));
            let (word, new) = (set.object.as_str().to_uppercase(), self.text(&set.schema));
            let name = self.last_text(&set.name);
            vec![format!("ALTER {word} {new}.{name} SET SCHEMA {old}")]
        } else if let StatementKind::AlterType(alter) = &statement.kind {
            let name = self.name_text(&alter.name);
            let existed = self.existed(&alter.name);
            let actions = alter.actions.iter().filter(|_| existed);
            actions.filter_map(|action| self.type_action(name, action)).collect()
        } else {
            Vec::new()
        }
    }

    fn alter_table(&self, alter: &AlterTable) -> Vec<String> {
        if !self.existed(&alter.name) {
            return Vec::new();
        }
        let word = alter.object.as_str().to_uppercase();
        // A rename of the table comes last in MySQL's combined ALTER, and stands alone elsewhere.
        let mut table = self.name_text(&alter.name).to_owned();
        let mut undone = Vec::new();
        for action in &alter.actions {
            if let ActionKind::RenameTo(new) = &action.kind {
                let new = new.parts.last();
                let new_name = new.map_or_else(String::new, |new| self.renamed(&alter.name, new));
                let old = self.last_text(&alter.name);
                undone.push(format!("ALTER {word} {new_name} RENAME TO {old}"));
                table = new_name;
            }
        }
        for action in &alter.actions {
            undone.extend(self.table_action(&word, &table, &alter.name, &action.kind));
        }
        // The table gets its old name back last of all, since the whole list is turned round.
        undone
    }

    fn table_action(
        &self,
        word: &str,
        table: &str,
        name: &ObjectName,
        action: &ActionKind,
    ) -> Option<String> {
        if let ActionKind::RenameColumn { from, to, .. } = action {
            let (from, to) = (self.text(from), self.text(to));
            return Some(format!("ALTER {word} {table} RENAME COLUMN {to} TO {from}"));
        }
        if let ActionKind::Postgres(PgAction::RenameConstraint { from, to }) = action {
            let (from, to) = (self.text(from), self.text(to));
            return Some(format!("ALTER TABLE {table} RENAME CONSTRAINT {to} TO {from}"));
        }
        if let ActionKind::Postgres(PgAction::SetSchema(new)) = action {
            let old = name.parts.iter().rev().nth(1).map_or("public", |schema| self.text(schema));
            let last = self.last_text(name);
            return Some(format!("ALTER {word} {}.{last} SET SCHEMA {old}", self.text(new)));
        }
        if let ActionKind::Mysql(MyAction::RenameIndex { from, to }) = action {
            let (from, to) = (self.text(from), self.text(to));
            return Some(format!("ALTER TABLE {table} RENAME INDEX {to} TO {from}"));
        }
        if let ActionKind::Mysql(MyAction::ChangeColumn { from, column, .. }) = action
            && !from.value.eq_ignore_ascii_case(&column.name.value)
        {
            // MariaDB 10.5.2 and MySQL 8.0 have RENAME COLUMN; the definition follows by comparing.
            let (from, to) = (self.text(from), self.text(&column.name));
            return Some(format!("ALTER TABLE {table} RENAME COLUMN {to} TO {from}"));
        }
        None
    }

    fn alter_index(&self, alter: &AlterIndex) -> Option<String> {
        let IndexAction::RenameTo(new) = &alter.action else { return None };
        let (new, old) = (self.renamed(&alter.name, new), self.last_text(&alter.name));
        self.existed(&alter.name).then(|| format!("ALTER INDEX {new} RENAME TO {old}"))
    }

    fn rename(&self, rename: &Rename) -> Vec<String> {
        let pairs = rename.pairs.iter();
        if self.kind.is_mysql_family() {
            let pairs = pairs.filter(|(old, _)| self.existed(old)).rev();
            let undone = pairs
                .map(|(old, new)| format!("{} TO {}", self.name_text(new), self.name_text(old)));
            let undone: Vec<String> = undone.collect();
            let statement = format!("RENAME TABLE {}", undone.join(", "));
            return if undone.is_empty() { Vec::new() } else { vec![statement] };
        }
        let word = rename.object.as_str().to_uppercase();
        let undone = pairs.map(|(old, new)| {
            let last = self.last_text(old);
            let short = new.parts.last().map_or("", |new| self.text(new));
            let on = rename.on.as_ref().map(|on| self.name_text(on));
            match (on, new.parts.last()) {
                (Some(on), _) if rename.object == ObjectKind::DomainConstraint => {
                    format!("ALTER DOMAIN {on} RENAME CONSTRAINT {short} TO {last}")
                }
                (Some(on), _) => format!("ALTER {word} {short} ON {on} RENAME TO {last}"),
                (None, Some(new)) => {
                    format!("ALTER {word} {} RENAME TO {last}", self.renamed(old, new))
                }
                (None, None) => String::new(),
            }
        });
        undone.collect()
    }

    fn type_action(&self, name: &str, action: &TypeAction) -> Option<String> {
        if let TypeAction::RenameValue { from, to } = action {
            let quote = |text: &str| crate::sql::literal(self.kind, text);
            let (from, to) = (quote(from), quote(to));
            return Some(format!("ALTER TYPE {name} RENAME VALUE {to} TO {from}"));
        }
        let TypeAction::RenameAttribute { from, to, .. } = action else { return None };
        let (from, to) = (ident(self.kind, from.as_str()), ident(self.kind, to.as_str()));
        Some(format!("ALTER TYPE {name} RENAME ATTRIBUTE {to} TO {from}"))
    }
}
