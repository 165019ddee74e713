//! `ALTER TABLE` and its like on views, materialized views and foreign tables.

use super::{alter_column, column, constraint, names, object, options, partition};
use crate::sql::ast::{
    ActionKind, AlterTable, ColumnPosition, DetachMode, ObjectKind, PgAction, ReplicaIdentity,
    RowSecurity, StatementKind, TableAction, TriggerState,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

/// Takes what follows `ALTER TABLE`, `ALTER VIEW`, `ALTER MATERIALIZED VIEW`, …
pub(super) fn alter(c: &mut Cursor<'_>, object: ObjectKind) -> Parsed<StatementKind> {
    if c.at(&["ALL", "IN", "TABLESPACE"]) {
        let start = c.position();
        let (from, to) = all_in_tablespace(c)?;
        let kind = ActionKind::Postgres(PgAction::AllInTablespace(to));
        let actions = vec![TableAction { span: c.span_from(start), kind }];
        return Ok(table(object, ObjectName::bare(from), actions));
    }
    let if_exists = names::if_exists(c);
    let only = c.accept(&["ONLY"]);
    let name = if only && c.accept_symbol("(") {
        let name = names::qualified(c, "a table name")?;
        c.expect_symbol(")")?;
        name
    } else {
        let name = names::qualified(c, "a table name")?;
        c.accept_symbol("*");
        name
    };
    let actions = match alone(c)? {
        Some(action) => vec![action],
        None => names::list(c, action)?,
    };
    Ok(StatementKind::AlterTable(Box::new(AlterTable {
        if_exists,
        only,
        ..plain(object, name, actions)
    })))
}

fn plain(object: ObjectKind, name: ObjectName, actions: Vec<TableAction>) -> AlterTable {
    AlterTable {
        name,
        object,
        if_exists: false,
        only: false,
        ignore: false,
        online: false,
        wait_seconds: None,
        actions,
    }
}

fn table(object: ObjectKind, name: ObjectName, actions: Vec<TableAction>) -> StatementKind {
    StatementKind::AlterTable(Box::new(plain(object, name, actions)))
}

/// Takes `ALL IN TABLESPACE a [OWNED BY …] SET TABLESPACE b`; returns both tablespaces.
pub(super) fn all_in_tablespace(c: &mut Cursor<'_>) -> Parsed<(Ident, String)> {
    c.expect(&["ALL", "IN", "TABLESPACE"])?;
    let from = names::column_id(c, "a tablespace")?;
    if c.accept(&["OWNED", "BY"]) {
        names::roles(c)?;
    }
    c.expect(&["SET", "TABLESPACE"])?;
    let to = names::column_id(c, "a tablespace")?.value;
    c.accept(&["NOWAIT"]);
    Ok((from, to))
}

/// Takes an action that stands alone: RENAME, SET SCHEMA, ATTACH and DETACH.
fn alone(c: &mut Cursor<'_>) -> Parsed<Option<TableAction>> {
    let start = c.position();
    let kind = if c.accept(&["RENAME"]) {
        rename(c)?
    } else if c.accept(&["SET", "SCHEMA"]) {
        ActionKind::Postgres(PgAction::SetSchema(names::column_id(c, "a schema")?))
    } else if let Some(extension) = object::depends_on_extension(c)? {
        ActionKind::Postgres(PgAction::DependsOnExtension(extension))
    } else if c.accept(&["ATTACH", "PARTITION"]) {
        let partition = names::qualified(c, "a table name")?;
        let bound = partition::bound(c)?;
        ActionKind::Postgres(PgAction::AttachPartition { partition, bound })
    } else if c.accept(&["DETACH", "PARTITION"]) {
        let partition = names::qualified(c, "a table name")?;
        let mode = match c.accept_any(&["CONCURRENTLY", "FINALIZE"]) {
            Some("CONCURRENTLY") => DetachMode::Concurrently,
            Some(_) => DetachMode::Finalize,
            None => DetachMode::Plain,
        };
        ActionKind::Postgres(PgAction::DetachPartition { partition, mode })
    } else {
        return Ok(None);
    };
    Ok(Some(TableAction { span: c.span_from(start), kind }))
}

fn rename(c: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if c.accept(&["TO"]) {
        return Ok(ActionKind::RenameTo(ObjectName::bare(names::column_id(c, "a table name")?)));
    }
    if c.accept(&["CONSTRAINT"]) {
        let from = names::column_id(c, "a constraint name")?;
        c.expect(&["TO"])?;
        let to = names::column_id(c, "a constraint name")?;
        return Ok(ActionKind::Postgres(PgAction::RenameConstraint { from, to }));
    }
    c.accept(&["COLUMN"]);
    let from = names::column_id(c, "a column name")?;
    c.expect(&["TO"])?;
    let to = names::column_id(c, "a column name")?;
    Ok(ActionKind::RenameColumn { from, to, if_exists: false })
}

fn action(c: &mut Cursor<'_>) -> Parsed<TableAction> {
    let start = c.position();
    let kind = action_kind(c)?;
    Ok(TableAction { span: c.span_from(start), kind })
}

fn action_kind(c: &mut Cursor<'_>) -> Parsed<ActionKind> {
    let Some(verb) = c.accept_any(&[
        "ADD", "DROP", "ALTER", "SET", "RESET", "VALIDATE", "ENABLE", "DISABLE", "FORCE", "NO",
        "INHERIT", "OF", "NOT", "OWNER", "REPLICA", "CLUSTER", "OPTIONS",
    ]) else {
        return Err(c.expected("ADD, DROP, ALTER, SET, RENAME or another action"));
    };
    let action = match verb {
        "ADD" => return add(c),
        "DROP" => return drop(c),
        "ALTER" => return alter_part(c),
        "SET" => set(c)?,
        "RESET" => PgAction::ResetOptions(options::setting_names(c)?),
        "VALIDATE" => {
            c.expect(&["CONSTRAINT"])?;
            PgAction::ValidateConstraint { name: names::column_id(c, "a constraint name")? }
        }
        "ENABLE" | "DISABLE" => switch(c, verb == "ENABLE")?,
        "FORCE" => {
            c.expect(&["ROW", "LEVEL", "SECURITY"])?;
            PgAction::RowSecurity(RowSecurity::Force)
        }
        "NO" if c.accept(&["FORCE"]) => {
            c.expect(&["ROW", "LEVEL", "SECURITY"])?;
            PgAction::RowSecurity(RowSecurity::NoForce)
        }
        "NO" => {
            c.expect(&["INHERIT"])?;
            PgAction::NoInherit(names::qualified(c, "a table name")?)
        }
        "INHERIT" => PgAction::Inherit(names::qualified(c, "a table name")?),
        "OF" => PgAction::Of(names::qualified(c, "a type name")?),
        "NOT" => {
            c.expect(&["OF"])?;
            PgAction::NotOf
        }
        "OWNER" => {
            c.expect(&["TO"])?;
            PgAction::OwnerTo(names::role(c)?)
        }
        "REPLICA" => replica_identity(c)?,
        "CLUSTER" => {
            c.expect(&["ON"])?;
            PgAction::ClusterOn(names::column_id(c, "an index name")?)
        }
        _ => {
            options::foreign(c)?;
            PgAction::ForeignOptions
        }
    };
    Ok(ActionKind::Postgres(action))
}

fn add(c: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if constraint::at_table_constraint(c) {
        return Ok(ActionKind::AddConstraint(Box::new(constraint::table_constraint(c)?)));
    }
    c.accept(&["COLUMN"]);
    let if_not_exists = names::if_not_exists(c);
    let column = Box::new(column::definition(c)?);
    Ok(ActionKind::AddColumn { column, if_not_exists, position: ColumnPosition::Unchanged })
}

fn drop(c: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if c.accept(&["CONSTRAINT"]) {
        let if_exists = names::if_exists(c);
        let name = names::column_id(c, "a constraint name")?;
        let cascade = names::cascade(c);
        return Ok(ActionKind::DropConstraint { name, if_exists, cascade });
    }
    c.accept(&["COLUMN"]);
    let if_exists = names::if_exists(c);
    let column = names::column_id(c, "a column name")?;
    let cascade = names::cascade(c);
    Ok(ActionKind::DropColumn { column, if_exists, cascade })
}

fn alter_part(c: &mut Cursor<'_>) -> Parsed<ActionKind> {
    if c.accept(&["CONSTRAINT"]) {
        return alter_constraint(c).map(ActionKind::Postgres);
    }
    c.accept(&["COLUMN"]);
    alter_column::action(c)
}

fn alter_constraint(c: &mut Cursor<'_>) -> Parsed<PgAction> {
    let name = names::column_id(c, "a constraint name")?;
    let (mut enforced, mut inherit, mut deferrable) = (None, None, None);
    let start = c.position();
    loop {
        if c.accept(&["NOT", "DEFERRABLE"]) {
            deferrable = Some(false);
        } else if c.accept(&["DEFERRABLE"]) || c.accept(&["INITIALLY", "DEFERRED"]) {
            deferrable = Some(true);
        } else if c.accept(&["INITIALLY", "IMMEDIATE"]) {
        } else if c.accept(&["NOT", "ENFORCED"]) {
            enforced = Some(false);
        } else if c.accept(&["ENFORCED"]) {
            enforced = Some(true);
        } else if c.accept(&["INHERIT"]) {
            inherit = Some(true);
        } else if c.accept(&["NO", "INHERIT"]) {
            inherit = Some(false);
        } else {
            break;
        }
    }
    if c.position() == start {
        return Err(c.expected("DEFERRABLE, ENFORCED, INHERIT or another attribute"));
    }
    Ok(PgAction::AlterConstraint { name, enforced, inherit, deferrable })
}

fn set(c: &mut Cursor<'_>) -> Parsed<PgAction> {
    if c.at_symbol("(") {
        return Ok(PgAction::SetOptions(options::settings(c)?));
    }
    if c.accept(&["TABLESPACE"]) {
        let tablespace = names::column_id(c, "a tablespace")?.value;
        c.accept(&["NOWAIT"]);
        return Ok(PgAction::SetTablespace(tablespace));
    }
    if c.accept(&["ACCESS", "METHOD"]) {
        if c.accept(&["DEFAULT"]) {
            return Ok(PgAction::SetAccessMethod("default".to_owned()));
        }
        return Ok(PgAction::SetAccessMethod(names::column_id(c, "an access method")?.value));
    }
    if c.accept(&["LOGGED"]) {
        return Ok(PgAction::SetLogged);
    }
    if c.accept(&["UNLOGGED"]) {
        return Ok(PgAction::SetUnlogged);
    }
    if c.accept(&["WITHOUT", "CLUSTER"]) {
        return Ok(PgAction::SetWithoutCluster);
    }
    if c.accept(&["WITHOUT", "OIDS"]) {
        return Ok(PgAction::SetWithoutOids);
    }
    Err(c.expected("SCHEMA, TABLESPACE, LOGGED, UNLOGGED, ACCESS METHOD, WITHOUT or options"))
}

/// Takes what follows ENABLE and DISABLE.
fn switch(c: &mut Cursor<'_>, enable: bool) -> Parsed<PgAction> {
    if c.accept(&["ROW"]) {
        c.expect(&["LEVEL", "SECURITY"])?;
        let state = if enable { RowSecurity::Enable } else { RowSecurity::Disable };
        return Ok(PgAction::RowSecurity(state));
    }
    let state = match enable {
        false => TriggerState::Disable,
        true if c.accept(&["ALWAYS"]) => TriggerState::EnableAlways,
        true if c.accept(&["REPLICA"]) => TriggerState::EnableReplica,
        true => TriggerState::Enable,
    };
    if c.accept(&["RULE"]) {
        return Ok(PgAction::Rule { state, name: names::column_id(c, "a rule name")? });
    }
    c.expect(&["TRIGGER"])?;
    if let Some(word) = c.accept_any(&["ALL", "USER"]) {
        return Ok(PgAction::Trigger { state, name: None, all: word == "ALL" });
    }
    let name = Some(names::column_id(c, "a trigger name")?);
    Ok(PgAction::Trigger { state, name, all: false })
}

fn replica_identity(c: &mut Cursor<'_>) -> Parsed<PgAction> {
    c.expect(&["IDENTITY"])?;
    let identity = if c.accept(&["USING", "INDEX"]) {
        ReplicaIdentity::Index(names::column_id(c, "an index name")?)
    } else {
        match c.accept_any(&["DEFAULT", "FULL", "NOTHING"]) {
            Some("DEFAULT") => ReplicaIdentity::Default,
            Some("FULL") => ReplicaIdentity::Full,
            Some(_) => ReplicaIdentity::Nothing,
            None => return Err(c.expected("DEFAULT, FULL, NOTHING or USING INDEX")),
        }
    };
    Ok(PgAction::ReplicaIdentity(identity))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn actions() {
        check(
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddColumn { column: ColumnDef { name: a, data_type: Some(DataType { name: \
            \"integer\" }) }, if_not_exists: true } }] })",
        );
        check(
            "ALTER TABLE t ADD colum a int",
            "! expected the end of the statement, found \"int\"",
        );
        check(
            "ALTER TABLE t ADD x int, DROP COLUMN IF EXISTS y CASCADE",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            AddColumn { column: ColumnDef { name: x, data_type: Some(DataType { name: \
            \"integer\" }) } } }, TableAction { kind: DropColumn { column: y, if_exists: \
            true, cascade: true } }] })",
        );
        check(
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS c",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            DropConstraint { name: c, if_exists: true } }] })",
        );
        check(
            "ALTER TABLE t RENAME TO u",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            RenameTo(u) }] })",
        );
        check(
            "ALTER TABLE t RENAME COLUMN a TO b",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            RenameColumn { from: a, to: b } }] })",
        );
        check(
            "ALTER TABLE t RENAME a TO b",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            RenameColumn { from: a, to: b } }] })",
        );
        check(
            "ALTER TABLE t RENAME CONSTRAINT a TO b",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(RenameConstraint { from: a, to: b }) }] })",
        );
        check(
            "ALTER TABLE t SET SCHEMA app",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetSchema(app)) }] })",
        );
        check(
            "ALTER TABLE t OWNER TO CURRENT_USER",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(OwnerTo(\"current_user\")) }] })",
        );
        check(
            "ALTER TABLE t SET (fillfactor = 70, autovacuum_enabled)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetOptions([(\"fillfactor\", \"70\"), (\"autovacuum_enabled\", \"\")])) \
            }] })",
        );
        check(
            "ALTER TABLE t RESET (fillfactor)",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(ResetOptions([\"fillfactor\"])) }] })",
        );
        check(
            "ALTER TABLE t SET LOGGED",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetLogged) }] })",
        );
        check(
            "ALTER TABLE t SET UNLOGGED",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetUnlogged) }] })",
        );
        check(
            "ALTER TABLE t SET ACCESS METHOD heap",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetAccessMethod(\"heap\")) }] })",
        );
        check(
            "ALTER TABLE t SET TABLESPACE x",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetTablespace(\"x\")) }] })",
        );
        check(
            "ALTER TABLE t SET WITHOUT CLUSTER",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(SetWithoutCluster) }] })",
        );
        check(
            "ALTER TABLE t CLUSTER ON i",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(ClusterOn(i)) }] })",
        );
        check(
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(RowSecurity(Enable)) }] })",
        );
        check(
            "ALTER TABLE t NO FORCE ROW LEVEL SECURITY",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(RowSecurity(NoForce)) }] })",
        );
        check(
            "ALTER TABLE t DISABLE TRIGGER ALL",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(Trigger { state: Disable, all: true }) }] })",
        );
        check(
            "ALTER TABLE t ENABLE REPLICA TRIGGER g",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(Trigger { state: EnableReplica, name: Some(g) }) }] })",
        );
        check(
            "ALTER TABLE t ENABLE ALWAYS RULE r",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(Rule { state: EnableAlways, name: r }) }] })",
        );
        check(
            "ALTER TABLE t REPLICA IDENTITY USING INDEX i",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(ReplicaIdentity(Index(i))) }] })",
        );
        check(
            "ALTER TABLE t REPLICA IDENTITY FULL",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(ReplicaIdentity(Full)) }] })",
        );
        check(
            "ALTER TABLE t INHERIT p",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(Inherit(p)) }] })",
        );
        check(
            "ALTER TABLE t NO INHERIT p",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(NoInherit(p)) }] })",
        );
        check(
            "ALTER TABLE t OF ty",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(Of(ty)) }] })",
        );
        check(
            "ALTER TABLE t NOT OF",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(NotOf) }] })",
        );
        check(
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(ValidateConstraint { name: c }) }] })",
        );
        check(
            "ALTER TABLE t ALTER CONSTRAINT c NOT DEFERRABLE ENFORCED",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(AlterConstraint { name: c, enforced: Some(true), deferrable: \
            Some(false) }) }] })",
        );
        check(
            "ALTER TABLE t ALTER CONSTRAINT c INHERIT",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(AlterConstraint { name: c, inherit: Some(true) }) }] })",
        );
        check(
            "ALTER TABLE t ATTACH PARTITION p DEFAULT",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(AttachPartition { partition: p, bound: Default }) }] })",
        );
        check(
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(DetachPartition { partition: p, mode: Concurrently }) }] })",
        );
        check(
            "ALTER TABLE t DETACH PARTITION p FINALIZE",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(DetachPartition { partition: p, mode: Finalize }) }] })",
        );
        check(
            "ALTER TABLE t DEPENDS ON EXTENSION e",
            "AlterTable(AlterTable { name: t, object: Table, actions: [TableAction { kind: \
            Postgres(DependsOnExtension(e)) }] })",
        );
        check(
            "ALTER TABLE IF EXISTS ONLY app.t DROP a",
            "AlterTable(AlterTable { name: app.t, object: Table, if_exists: true, only: true, \
            actions: [TableAction { kind: DropColumn { column: a } }] })",
        );
        check(
            "ALTER MATERIALIZED VIEW v SET TABLESPACE x",
            "AlterTable(AlterTable { name: v, object: MaterializedView, actions: [TableAction \
            { kind: Postgres(SetTablespace(\"x\")) }] })",
        );
        check(
            "ALTER VIEW v ALTER c SET DEFAULT 1",
            "AlterTable(AlterTable { name: v, object: View, actions: [TableAction { kind: \
            SetDefault { column: c, default: Expr { text: \"1\", shape: Literal } } }] })",
        );
        check(
            "ALTER FOREIGN TABLE t OPTIONS (SET a 'b')",
            "AlterTable(AlterTable { name: t, object: ForeignTable, actions: [TableAction { \
            kind: Postgres(ForeignOptions) }] })",
        );
        check(
            "ALTER TABLE ALL IN TABLESPACE a OWNED BY x SET TABLESPACE b",
            "AlterTable(AlterTable { name: a, object: Table, actions: [TableAction { kind: \
            Postgres(AllInTablespace(\"b\")) }] })",
        );
    }

    #[test]
    fn what_is_no_action_is_refused() {
        check("ALTER TABLE t ADD x", "! expected a type, found the end of the statement");
        check(
            "ALTER TABLE t ADD COLUMN colum x int",
            "! expected the end of the statement, found \"int\"",
        );
        check(
            "ALTER TABLE t DORP COLUMN a",
            "! expected ADD, DROP, ALTER, SET, RENAME or another action, found \"DORP\"",
        );
        check("ALTER TABLE t DROP", "! expected a column name, found the end of the statement");
        check("ALTER TABLE t RENAME a b", "! expected TO, found \"b\"");
        check("ALTER TABLE t ATTACH PARTITION p, ADD x int", "! expected FOR VALUES, found \",\"");
        check(
            "ALTER TABLE t SET LOGED",
            "! expected SCHEMA, TABLESPACE, LOGGED, UNLOGGED, ACCESS METHOD, WITHOUT or \
            options, found \"LOGED\"",
        );
        check("ALTER TABLE t ENABLE TRIGER g", "! expected TRIGGER, found \"TRIGER\"");
        check(
            "ALTER TABLE t ADD COLUMN a int DROP b",
            "! expected the end of the statement, found \"DROP\"",
        );
        check(
            "ALTER TABLE t ",
            "! expected ADD, DROP, ALTER, SET, RENAME or another action, found the end of the \
            statement",
        );
    }
}
