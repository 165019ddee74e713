//! What a statement changes beyond the schema of its database: what no snapshot shows, and what a
//! dry run must not reach.
//!
//! Pure. A way back from such a change cannot be proven by comparing snapshots, so it is not called
//! proven.

use super::rollback::parsed;
use crate::db::Snapshot;
use crate::sql::ast::{ActionKind, ObjectKind, Other, PgAction, SetScope, StatementKind};
use crate::sql::{Migration, ObjectName, Server, ServerKind};

/// How far a statement reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Into its database, where no snapshot looks.
    Unseen,
    /// To what all databases of the server share.
    Server,
    /// To another server, or to files.
    Elsewhere,
}

/// What a statement reaches, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beyond {
    pub(super) reach: Reach,
    pub(super) what: &'static str,
}

/// Says which statements of a migration change what no snapshot shows, one sentence each.
pub(super) fn unseen(migration: &Migration, before: &Snapshot) -> Vec<String> {
    let script = &migration.up;
    let found = script.statements.iter().filter_map(|statement| {
        let text = script.slice(statement.span);
        let beyond = beyond(&statement.kind, text, before.server.kind)?;
        if beyond.reach == Reach::Unseen && !is_there(&statement.kind, before) {
            // What is made here goes with its owner.
            return None;
        }
        let line = script.section.source.position(statement.span.start).line;
        Some(format!("line {line} changes {}, which no snapshot shows", beyond.what))
    });
    found.collect()
}

/// Says why a statement must not be run in a dry run, if so.
///
/// A server that was started for the dry run may be changed as a whole, one that the user gave may
/// not; other servers and files never.
pub(super) fn forbidden(sql: &str, server: Server, given: bool) -> Option<String> {
    let statement = parsed(sql, server)?;
    let beyond = beyond(&statement.kind, sql, server.kind)?;
    match beyond.reach {
        Reach::Elsewhere => Some(format!("it reaches {}, which a dry run must not", beyond.what)),
        Reach::Server if given => Some(format!(
            "it changes {} of the whole server that --shadow names, which a dry run must not",
            beyond.what
        )),
        Reach::Server | Reach::Unseen => None,
    }
}

/// Returns what a statement reaches beyond the schema.
fn beyond(kind: &StatementKind, text: &str, server: ServerKind) -> Option<Beyond> {
    let mysql = server.is_mysql_family();
    let found = |reach, what| Some(Beyond { reach, what });
    let on_server =
        |object| shared(object, mysql).map(|what| Beyond { reach: Reach::Server, what });
    let words = text.to_ascii_uppercase();
    // Chains of `if let`, not a match: the other kinds stay within the schema.
    if let StatementKind::Other(other) = kind {
        of_other(other, text, mysql)
    } else if let StatementKind::Drop(drop) = kind {
        if drop.object == ObjectKind::Subscription {
            return found(Reach::Elsewhere, "the publisher of a subscription");
        }
        on_server(drop.object)
    } else if let StatementKind::Rename(rename) = kind {
        on_server(rename.object)
    } else if let StatementKind::Comment(comment) = kind {
        on_server(comment.object)
    } else if let StatementKind::Grant(grant) = kind {
        if mysql || grant.object == ObjectKind::LargeObject {
            return found(Reach::Server, "privileges");
        }
        on_server(grant.object)
    } else if let StatementKind::Set(set) = kind {
        let global =
            set.each().any(|set| matches!(set.scope, SetScope::Global | SetScope::NextStart));
        if global { found(Reach::Server, "settings") } else { None }
    } else if let StatementKind::CreateSchema(_) = kind {
        if mysql { found(Reach::Server, "databases") } else { None }
    } else if let StatementKind::Copy(_) = kind {
        let stream = ["STDIN", "STDOUT"].iter().any(|word| words.contains(word));
        if stream { None } else { found(Reach::Elsewhere, "files or programs") }
    } else if let StatementKind::Dml(_) = kind {
        let file = ["INTO OUTFILE", "INTO DUMPFILE"].iter().any(|word| words.contains(word));
        if file && mysql { found(Reach::Elsewhere, "files") } else { None }
    } else if owner_of(kind).is_some() {
        found(Reach::Unseen, "an owner")
    } else {
        None
    }
}

/// Returns what a statement gives another owner.
fn owner_of(kind: &StatementKind) -> Option<&ObjectName> {
    if let StatementKind::OwnerTo(owner) = kind {
        return Some(&owner.name);
    }
    let StatementKind::AlterTable(alter) = kind else { return None };
    let is_owner =
        |action: &ActionKind| matches!(action, ActionKind::Postgres(PgAction::OwnerTo(_)));
    alter.actions.iter().any(|action| is_owner(&action.kind)).then_some(&alter.name)
}

/// What a statement without a type of its own reaches.
fn of_other(other: &Other, text: &str, mysql: bool) -> Option<Beyond> {
    let found = |reach, what| Some(Beyond { reach, what });
    let words = text.to_ascii_lowercase();
    match other.what {
        "create-subscription" if offline(&words) => None,
        "create-subscription" | "alter-subscription" => {
            found(Reach::Elsewhere, "the publisher of a subscription")
        }
        "import-foreign-schema" => found(Reach::Elsewhere, "a foreign server"),
        "alter-system" | "set-password" => found(Reach::Server, "settings"),
        "security-label" => found(Reach::Unseen, "a security label"),
        "depends-on-extension" => found(Reach::Unseen, "what an extension takes along"),
        "reassign-owned" | "drop-owned" => found(Reach::Server, "what roles own"),
        "alter-user-mapping" => found(Reach::Unseen, "the login of a user mapping"),
        "alter-server" if !mysql && words.contains("passw") => found(Reach::Unseen, "a password"),
        what => {
            let verbs = ["create-", "alter-", "drop-", "rename-", "install", "uninstall"];
            let runs = ["start-", "stop-", "change-", "reset", "kill", "shutdown", "restart"];
            let changes = verbs.iter().chain(&runs).any(|verb| what.starts_with(verb));
            let what = match other.object {
                Some(object) => shared(object, mysql),
                None => mysql.then_some("plugins or replication"),
            };
            what.filter(|_| changes).map(|what| Beyond { reach: Reach::Server, what })
        }
    }
}

/// Says whether a subscription is made without a word to its publisher.
fn offline(words: &str) -> bool {
    let words: String = words.chars().filter(|c| !c.is_whitespace()).collect();
    ["connect=false", "connect='false'", "connect=off", "connect=0"]
        .iter()
        .any(|option| words.contains(option))
}

/// Names what all databases of a server share.
fn shared(object: ObjectKind, mysql: bool) -> Option<&'static str> {
    if object == ObjectKind::Role {
        Some("roles and users")
    } else if object == ObjectKind::Database || (mysql && object == ObjectKind::Schema) {
        Some("a database as a whole")
    } else if object == ObjectKind::Tablespace {
        Some("a tablespace")
    } else if object == ObjectKind::Parameter {
        Some("settings")
    } else if mysql && object == ObjectKind::Server {
        Some("a foreign server")
    } else {
        None
    }
}

/// Says whether what a statement names was there before the migration.
fn is_there(kind: &StatementKind, before: &Snapshot) -> bool {
    owner_of(kind).is_none_or(|name| {
        before.objects.iter().any(|object| {
            object.name.name.split('(').next().is_some_and(|there| there == name.name())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(server: ServerKind, sql: &str, wanted: Option<Reach>) {
        let statement = parsed(sql, Server::of(server)).expect("a statement");
        let found = beyond(&statement.kind, sql, server).map(|beyond| beyond.reach);
        assert_eq!(found, wanted, "{sql}");
    }

    #[test]
    fn what_a_schema_holds_is_not_beyond_it() {
        for sql in [
            "CREATE TABLE t (id int)",
            "GRANT SELECT ON t TO joe",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)",
            "COPY t FROM STDIN",
            "SET lock_timeout = 1",
            "COMMENT ON TABLE t IS 'x'",
            "CREATE SERVER s FOREIGN DATA WRAPPER w",
            "DROP TABLE t",
        ] {
            check(ServerKind::Postgres, sql, None);
        }
        check(ServerKind::Mariadb, "SET SESSION sql_mode = ''", None);
    }

    #[test]
    fn what_the_server_shares_is() {
        for sql in [
            "CREATE ROLE joe",
            "DROP ROLE joe",
            "GRANT admin TO joe",
            "GRANT CONNECT ON DATABASE shop TO joe",
            "ALTER DATABASE shop SET work_mem = '1GB'",
            "ALTER SYSTEM SET work_mem = '1GB'",
            "COMMENT ON ROLE joe IS 'x'",
            "REASSIGN OWNED BY joe TO mina",
        ] {
            check(ServerKind::Postgres, sql, Some(Reach::Server));
        }
        for sql in [
            "CREATE USER joe",
            "DROP USER joe",
            "GRANT SELECT ON shop.t TO joe",
            "SET GLOBAL sql_mode = ''",
            "CREATE DATABASE other",
        ] {
            check(ServerKind::Mariadb, sql, Some(Reach::Server));
        }
    }

    #[test]
    fn other_servers_and_files_are_elsewhere() {
        for sql in [
            "CREATE SUBSCRIPTION s CONNECTION 'host=a' PUBLICATION p",
            "ALTER SUBSCRIPTION s ENABLE",
            "DROP SUBSCRIPTION s",
            "IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b",
            "COPY t TO PROGRAM 'x'",
            "COPY t FROM '/x'",
        ] {
            check(ServerKind::Postgres, sql, Some(Reach::Elsewhere));
        }
        check(ServerKind::Postgres, "ALTER TABLE t OWNER TO joe", Some(Reach::Unseen));
    }
}
