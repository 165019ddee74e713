//! What a login may not see: `information_schema` leaves it out without a word.

use super::Reader;
use crate::db::error::ServerError;

/// What each privilege shows (manuals, "information_schema": VIEWS, TRIGGERS, EVENTS).
const SHOWN: [(&str, &str); 4] = [
    ("SELECT", "tables"),
    ("SHOW VIEW", "the text of views"),
    ("TRIGGER", "triggers"),
    ("EVENT", "events"),
];

/// Any of these shows the text of routines: MariaDB looks at `mysql.proc`, and since 11.3 at a
/// privilege of its own; MySQL has had one since 8.0.20, or takes SELECT on everything (manuals,
/// "SHOW CREATE PROCEDURE").
const ROUTINES: [&str; 2] = ["SHOW CREATE ROUTINE", "SHOW_ROUTINE"];

/// Returns what the login may not see, with the privilege that would show it.
pub(super) async fn missing(reader: &mut Reader<'_>) -> Result<Vec<String>, ServerError> {
    let rows = reader.connection.query("SHOW GRANTS").await?;
    let grants: Vec<Grant> = rows.iter().filter_map(|row| Grant::of(row.text(0))).collect();
    let database = reader.database.clone();
    let has = |privilege: &str| grants.iter().any(|one| one.gives(privilege, &database, "*"));
    let mut missing: Vec<String> = SHOWN
        .iter()
        .filter(|(privilege, _)| !has(privilege))
        .map(|(privilege, what)| format!("the login may not see {what}: it lacks {privilege}"))
        .collect();
    let proc = grants.iter().any(|one| one.gives("SELECT", "mysql", "proc"));
    let all = grants.iter().any(|one| one.database == "*" && one.gives("SELECT", "", "*"));
    if !(proc || all || ROUTINES.iter().any(|privilege| has(privilege))) {
        let lacks = if reader.is_mysql() { "SHOW_ROUTINE" } else { "SELECT on mysql.proc" };
        missing.push(format!("the login may not see routines: it lacks {lacks}"));
    }
    Ok(missing)
}

/// One line of `SHOW GRANTS`; lines of roles that are switched on are among them.
struct Grant {
    privileges: Vec<String>,
    database: String,
    table: String,
}

impl Grant {
    fn of(line: &str) -> Option<Self> {
        let (privileges, rest) = line.strip_prefix("GRANT ")?.split_once(" ON ")?;
        let (scope, _) = rest.split_once(" TO ")?;
        let (database, table) = scope.split_once('.')?;
        let bare = |name: &str| name.trim_matches('`').replace("\\_", "_");
        Some(Self {
            privileges: privileges.split(", ").map(str::to_owned).collect(),
            database: bare(database),
            table: bare(table),
        })
    }

    /// Says whether it gives a privilege on a table; `%` in the name of a database stands for any
    /// text (manuals, "GRANT"), and is taken for any database here.
    fn gives(&self, privilege: &str, database: &str, table: &str) -> bool {
        let everywhere = self.database == "*" || self.database.contains('%');
        (everywhere || self.database == database)
            && (self.table == "*" || self.table == table)
            && self.privileges.iter().any(|one| one == privilege || one == "ALL PRIVILEGES")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_as_the_server_prints_them() {
        let gives = |line: &str, privilege: &str, table: &str| {
            Grant::of(line).is_some_and(|grant| grant.gives(privilege, "my_shop", table))
        };
        let some = "GRANT SELECT, SHOW VIEW ON `my\\_shop`.* TO `ro`@`%`";
        assert!(gives(some, "SHOW VIEW", "*"));
        assert!(!gives(some, "TRIGGER", "*"));
        assert!(gives("GRANT ALL PRIVILEGES ON *.* TO `a`@`b` WITH GRANT OPTION", "EVENT", "*"));
        assert!(gives("GRANT SELECT ON `my_shop`.`proc` TO `ro`@`%`", "SELECT", "proc"));
        assert!(!gives("GRANT SELECT ON `other`.* TO `ro`@`%`", "SELECT", "*"));
        assert!(Grant::of("GRANT `reader` TO `ro`@`%`").is_none());
    }
}
