//! What SQLite's ALTER TABLE cannot do, by building the table anew.
//!
//! A change written in another server's grammar (`ALTER COLUMN … TYPE`, `ADD CONSTRAINT`, `MODIFY`)
//! or refused by SQLite (`DROP COLUMN` of a column in an index, `ADD COLUMN … UNIQUE`) becomes the
//! steps of the SQLite manual's "Making Other Kinds Of Table Schema Changes": make the new table,
//! copy with the columns named, drop the old one, rename, make the indexes again.
//!
//! Views and the triggers of other tables stay as they are: `legacy_alter_table` keeps the renaming
//! from refusing them while the table is away. The table's own triggers go with it and are made
//! again. Offered only for a table whose definition is fully known, and those of its triggers.

use super::{Fix, FixKind, Runs, Step};
use crate::schema::{Column, Constraint, Demand, Index, Origin, Relation, Schema};
use crate::sql::ast::{
    ActionKind, AlterTable, GeneratedStorage, IndexKind, Key, KeyPart, MyAction, PgAction,
    ReferentialAction, Statement, StatementKind,
};
use crate::sql::{
    Convention, Migration, ObjectName, Script, Section, Server, ServerKind, TransactionMode,
    ident_if_needed, parse,
};

/// Returns the rebuild that does what the statement wants.
pub(super) fn fix(migration: &Migration, statement: &Statement, schema: &Schema) -> Option<Fix> {
    let script = &migration.up;
    #[expect(clippy::wildcard_enum_match_arm, reason = "other statements change no table")]
    let alter = match &statement.kind {
        StatementKind::Unknown { .. } => as_other_server(script, statement)?,
        StatementKind::AlterTable(alter) => alter.clone(),
        _ => return None,
    };
    let before = schema.find(&alter.name)?;
    let fresh = before.origin == Origin::Migration(schema.migration);
    let known = before.complete
        && before.triggers.iter().all(|trigger| trigger.text.is_some())
        && !before.options.contains_key("on conflict")
        && schema.find(&scratch_name(&alter.name)).is_none();
    let mut keys = schema.foreign_keys_to(&before.name).into_iter();
    let referenced = keys.any(|(child, _)| child.name != before.name);
    if !known
        || fresh
        || referenced && enforces_foreign_keys(migration, statement)
        || shown_column_goes(&alter, before, schema)
        || !alter.actions.iter().all(|a| needs_rebuild(&a.kind, before))
    {
        return None;
    }
    let after = changed(&alter, schema, statement)?;
    let steps = rebuild(before, &after, is_read(schema, before));
    Some(Fix {
        rules: vec![
            "sqlite-add-column-limits",
            "sqlite-drop-column-limits",
            "syntax-error",
            "unparsed-statement",
        ],
        span: statement.span,
        kind: FixKind::RebuildTable,
        steps,
    })
}

/// Says whether foreign keys are, or may be, enforced where a statement stands: DROP TABLE deletes
/// the rows then, and their children go or stand in the way (sqlite.org/foreignkeys.html, section
/// 5).
///
/// A switch inside a transaction does nothing, and a tool that opens one has not said what its
/// connection does. Without any the switch before the statement counts, else the connection: sqlx
/// turns them on (its `SqliteConnectOptions`), lockwise and the command `sqlite3` do not.
fn enforces_foreign_keys(migration: &Migration, statement: &Statement) -> bool {
    let before = migration.up.statements.iter().filter(|s| s.span.start < statement.span.start);
    let switch = before
        .filter_map(|statement| {
            let StatementKind::Pragma(pragma) = &statement.kind else { return None };
            pragma.value.as_ref().filter(|_| pragma.name == "foreign_keys")
        })
        .next_back()
        .map(|value| matches!(value.as_str(), "on" | "1" | "true" | "yes"));
    match migration.transaction {
        TransactionMode::Wrapped => true,
        TransactionMode::Unwrapped => switch.unwrap_or(migration.convention == Convention::Sqlx),
        TransactionMode::Grouped => switch.unwrap_or(false),
    }
}

/// Reads the statement in the grammar of a server that has more of ALTER TABLE.
fn as_other_server(script: &Script, statement: &Statement) -> Option<Box<AlterTable>> {
    [ServerKind::Postgres, ServerKind::Mysql].into_iter().find_map(|kind| {
        let section = Section {
            source: script.section.source.clone(),
            range: statement.span,
            reading: Default::default(),
        };
        let read = parse(section, Server::of(kind));
        let only = read.statements.into_iter().next()?;
        if let StatementKind::AlterTable(alter) = only.kind { Some(alter) } else { None }
    })
}

/// Says whether a view or a trigger shows a column that is dropped: it would be left broken.
fn shown_column_goes(alter: &AlterTable, table: &Relation, schema: &Schema) -> bool {
    alter.actions.iter().any(|action| {
        let ActionKind::DropColumn { column, .. } = &action.kind else { return false };
        let column = column.as_str();
        !schema.views_of_column(&table.name, column).is_empty() || !table.triggers.is_empty()
    })
}

/// Returns the name that the new table has until the old one is gone.
fn scratch_name(table: &ObjectName) -> ObjectName {
    let mut name = table.clone();
    if let Some(last) = name.parts.last_mut() {
        last.value.push_str("_new");
    }
    name
}

/// Says whether views, or triggers of other tables, name a table.
fn is_read(schema: &Schema, table: &Relation) -> bool {
    let reads = |relation: &Relation| relation.reads.iter().any(|(name, _)| *name == table.name);
    let touches = |relation: &Relation| {
        relation.name != table.name
            && relation.triggers.iter().any(|trigger| trigger.touches.contains(&table.name))
    };
    schema.relations.values().any(|relation| reads(relation) || touches(relation))
}

/// Says whether an action is one that SQLite has no words for, or refuses on this table.
fn needs_rebuild(action: &ActionKind, table: &Relation) -> bool {
    match action {
        ActionKind::AddConstraint(_)
        | ActionKind::DropConstraint { .. }
        | ActionKind::SetNotNull { .. }
        | ActionKind::DropNotNull { .. }
        | ActionKind::SetDefault { .. }
        | ActionKind::DropDefault { .. }
        | ActionKind::Postgres(PgAction::AlterType { using: None, .. })
        | ActionKind::Mysql(MyAction::ModifyColumn { .. }) => true,
        ActionKind::DropColumn { column, .. } => {
            table.indexes.iter().any(|index| index.mentions_column(column.as_str()))
        }
        ActionKind::AddColumn { column, .. } => !column.constraints.is_empty(),
        ActionKind::RenameColumn { .. }
        | ActionKind::RenameTo(_)
        | ActionKind::Postgres(_)
        | ActionKind::Mysql(_) => false,
    }
}

/// Returns the table as the statement would leave it.
fn changed(alter: &AlterTable, schema: &Schema, statement: &Statement) -> Option<Relation> {
    let name = schema.resolve(&alter.name);
    // Replayed as the server whose words they are: the model of tables is one for all.
    let mut after = schema.clone();
    let kind = if alter.actions.iter().any(|a| matches!(a.kind, ActionKind::Mysql(_))) {
        ServerKind::Mysql
    } else {
        ServerKind::Postgres
    };
    after.server = Server::of(kind);
    after.apply(&Statement {
        span: statement.span,
        kind: StatementKind::AlterTable(Box::new(alter.clone())),
    });
    let mut after = after.relation(&name).cloned()?;
    // Names that another server would have made up are not written down.
    let before = schema.relation(&name)?;
    for constraint in &mut after.constraints {
        let known = before.constraints.iter().any(|old| old.name == constraint.name);
        let written = alter.actions.iter().any(|action| {
            matches!(&action.kind, ActionKind::AddConstraint(added)
                if added.name.as_ref().is_some_and(|name| name.value == constraint.name))
        });
        if !known && !written {
            constraint.name.clear();
        }
    }
    Some(after)
}

fn rebuild(before: &Relation, after: &Relation, is_read: bool) -> Vec<Step> {
    let table = quote(&before.name.name);
    let new = quote(&format!("{}_new", before.name.name));
    let kept: Vec<String> = after
        .columns
        .iter()
        .filter(|column| {
            column.generated.is_none() && before.column_any_case(&column.name).is_some()
        })
        .map(|column| quote(&column.name))
        .collect();
    let kept = kept.join(", ");
    let mut steps = vec![create_table(after, &new)];
    if after.columns.iter().any(|column| column.auto_increment) {
        // Numbers that were given once are not given again, though their rows are gone
        // (sqlite.org/autoinc.html).
        let (old, new) = (&before.name.name, format!("{}_new", before.name.name));
        let (old, new) = (old.replace('\'', "''"), new.replace('\'', "''"));
        steps.push(format!(
            "INSERT INTO sqlite_sequence (name, seq)\n\
             SELECT '{new}', seq FROM sqlite_sequence WHERE name = '{old}'"
        ));
    }
    steps.push(format!("INSERT INTO {new} ({kept})\nSELECT {kept} FROM {table}"));
    steps.push(format!("DROP TABLE {table}"));
    let rename = format!("ALTER TABLE {new} RENAME TO {table}");
    if is_read {
        // Without it the renaming fails at what names the table that is away (measured on 3.40
        // and 3.51; sqlite.org/pragma.html, "legacy_alter_table").
        let [on, off] = ["ON", "OFF"].map(|to| format!("PRAGMA legacy_alter_table = {to}"));
        steps.extend([on, rename, off]);
    } else {
        steps.push(rename);
    }
    let own = |index: &&Index| index.constraint.is_none() && !index.primary;
    steps.extend(after.indexes.iter().filter(own).map(|index| create_index(index, &table)));
    let triggers = before.triggers.iter().filter_map(|trigger| trigger.text.as_ref());
    steps.extend(triggers.map(|text| format!("CREATE TRIGGER {text}")));
    steps.into_iter().map(|sql| Step { sql, runs: Runs::WithNeighbours }).collect()
}

fn create_table(table: &Relation, name: &str) -> String {
    let inline_key = integer_key(table);
    let rest: Vec<&Constraint> = table
        .constraints
        .iter()
        .filter(|constraint| {
            !(inline_key.is_some() && matches!(constraint.kind, Demand::PrimaryKey(_)))
        })
        .collect();
    // What is written on a column stays there: it goes with the column when that is dropped.
    let columns = table.columns.iter().map(|column| {
        let own = |c: &&&Constraint| c.written_on.as_ref() == Some(&column.name);
        let own = rest.iter().filter(own).filter_map(|c| constraint_definition(table, c, true));
        let parts: Vec<_> =
            [column_definition(column, inline_key)].into_iter().chain(own).collect();
        parts.join(" ")
    });
    let has = |on: &String| table.columns.iter().any(|column| column.name == *on);
    let apart = rest.iter().filter(|c| !c.written_on.as_ref().is_some_and(has));
    let constraints = apart.filter_map(|one| constraint_definition(table, one, false));
    let lines: Vec<String> = columns.chain(constraints).map(|line| format!("    {line}")).collect();
    let option = |key: &str| table.options.contains_key(key);
    let options: Vec<&str> = [("strict", "STRICT"), ("without rowid", "WITHOUT ROWID")]
        .into_iter()
        .filter(|(key, _)| option(key))
        .map(|(_, word)| word)
        .collect();
    let options =
        if options.is_empty() { String::new() } else { format!(" {}", options.join(", ")) };
    format!("CREATE TABLE {name} (\n{}\n){options}", lines.join(",\n"))
}

/// `INTEGER PRIMARY KEY` on the column is the row id; as a table constraint it is too, but
/// AUTOINCREMENT can only be written on the column. `INTEGER PRIMARY KEY DESC` has an index.
fn integer_key(table: &Relation) -> Option<&str> {
    let key = table.primary_key()?;
    let [only] = key else { return None };
    let column = table.column_any_case(only)?;
    let integer = column.data_type.as_ref().is_some_and(|t| t.name.eq_ignore_ascii_case("integer"));
    let descending = |index: &Index| index.primary && index.parts.iter().any(|p| p.descending);
    (integer && !table.indexes.iter().any(descending)).then_some(column.name.as_str())
}

fn column_definition(column: &Column, inline_key: Option<&str>) -> String {
    let mut out = quote(&column.name);
    if let Some(data_type) = &column.data_type {
        // A column without a type may have a collation.
        let space = if data_type.name.is_empty() { "" } else { " " };
        out.push_str(space);
        out.push_str(&data_type.name.to_uppercase());
        if !data_type.args.is_empty() {
            out.push_str(&format!("({})", data_type.args.join(", ")));
        }
        if let Some(collation) = &data_type.collation {
            out.push_str(&format!(" COLLATE {collation}"));
        }
    }
    if inline_key == Some(column.name.as_str()) {
        out.push_str(" PRIMARY KEY");
        if column.auto_increment {
            out.push_str(" AUTOINCREMENT");
        }
    }
    if column.not_null && inline_key != Some(column.name.as_str()) {
        out.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        out.push_str(&format!(" DEFAULT {}", default.text));
    }
    if let Some(generated) = &column.generated {
        let storage = match generated.storage {
            GeneratedStorage::Stored => " STORED",
            GeneratedStorage::Virtual | GeneratedStorage::Unspecified => "",
        };
        out.push_str(&format!(" GENERATED ALWAYS AS ({}){storage}", generated.expr.text));
    }
    out
}

fn constraint_definition(
    table: &Relation,
    constraint: &Constraint,
    on_column: bool,
) -> Option<String> {
    let list = |columns: &[String]| {
        columns.iter().map(|column| quote(column)).collect::<Vec<_>>().join(", ")
    };
    let key = |columns: &[String]| {
        if on_column { String::new() } else { format!(" ({})", list(columns)) }
    };
    let definition = match &constraint.kind {
        Demand::PrimaryKey(columns) | Demand::Unique(columns) => {
            let primary = matches!(constraint.kind, Demand::PrimaryKey(_));
            let word = if primary { "PRIMARY KEY" } else { "UNIQUE" };
            // Its index knows the order and the collation of each column.
            let mut indexes = table.indexes.iter();
            match indexes.find(|index| index.constraint.as_ref() == Some(&constraint.name)) {
                Some(index) if on_column => {
                    let descending = primary && index.parts.iter().any(|part| part.descending);
                    format!("{word}{}", if descending { " DESC" } else { "" })
                }
                Some(index) => format!("{word} ({})", key_parts(&index.parts)),
                None => format!("{word}{}", key(columns)),
            }
        }
        Demand::Check(check) => format!("CHECK ({})", check.text),
        Demand::ForeignKey { columns, parent, parent_columns, on_delete, on_update } => {
            let target = match parent_columns.as_slice() {
                [] => String::new(),
                columns => format!(" ({})", list(columns)),
            };
            let words = if on_column { "" } else { "FOREIGN KEY" };
            let space = if on_column { "" } else { " " };
            let deferred =
                if constraint.deferrable { " DEFERRABLE INITIALLY DEFERRED" } else { "" };
            format!(
                "{words}{}{space}REFERENCES {}{target}{}{}{deferred}",
                key(columns),
                quote(&parent.name),
                action("DELETE", *on_delete),
                action("UPDATE", *on_update),
            )
        }
        // SQLite has neither.
        Demand::Exclude(_) | Demand::NotNull(_) => return None,
    };
    let name = constraint.name.as_str();
    let unnamed = name.is_empty() || name.starts_with("sqlite_autoindex_");
    let name = if unnamed { String::new() } else { format!("CONSTRAINT {} ", quote(name)) };
    Some(format!("{name}{definition}"))
}

fn action(event: &str, action: ReferentialAction) -> String {
    let words = match action {
        ReferentialAction::NoAction => return String::new(),
        ReferentialAction::Restrict => "RESTRICT",
        ReferentialAction::Cascade => "CASCADE",
        ReferentialAction::SetNull => "SET NULL",
        ReferentialAction::SetDefault => "SET DEFAULT",
    };
    format!(" ON {event} {words}")
}

fn create_index(index: &Index, table: &str) -> String {
    let unique = if index.kind == IndexKind::Unique { "UNIQUE " } else { "" };
    let predicate =
        index.predicate.as_ref().map_or_else(String::new, |p| format!(" WHERE {}", p.text));
    let name = quote(&index.name);
    format!("CREATE {unique}INDEX {name} ON {table} ({}){predicate}", key_parts(&index.parts))
}

fn key_parts(parts: &[KeyPart]) -> String {
    let one = |part: &KeyPart| {
        let key = match &part.key {
            Key::Column(column) => quote(column.as_str()),
            Key::Expr(expr) => expr.text.clone(),
        };
        let collation =
            part.collation.as_ref().map_or_else(String::new, |c| format!(" COLLATE {c}"));
        let order = if part.descending { " DESC" } else { "" };
        format!("{key}{collation}{order}")
    };
    parts.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn quote(name: &str) -> String {
    ident_if_needed(ServerKind::Sqlite, name)
}
