//! Passwords from the files and variables that the servers' own tools read.
//!
//! In: texts that `cli` has read. Out: the password for one host, port, database and user. This
//! file opens nothing.

use std::fmt;

/// Where passwords and user names may come from besides the URL.
#[derive(Clone, Default)]
pub struct Secrets {
    /// `PGPASSWORD`.
    pub pg_password: Option<String>,
    /// The text of `PGPASSFILE` or `~/.pgpass`.
    pub pgpass: Option<String>,
    /// `MYSQL_PWD`.
    pub mysql_pwd: Option<String>,
    /// The text of `~/.my.cnf`.
    pub my_cnf: Option<String>,
    /// The user of the operating system, for URLs that name none.
    pub user: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// What a password file is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Login<'a> {
    /// The host; `localhost` for a socket.
    pub(super) host: &'a str,
    /// The port.
    pub(super) port: u16,
    /// The database.
    pub(super) database: &'a str,
    /// The user.
    pub(super) user: &'a str,
}

impl Secrets {
    /// Returns the password for PostgreSQL: the variable goes before the file, as in libpq.
    pub(super) fn postgres(&self, login: Login<'_>) -> Option<String> {
        self.pg_password
            .clone()
            .or_else(|| self.pgpass.as_deref().and_then(|text| pgpass(text, login)))
    }

    /// Returns the password for MySQL and MariaDB: the file goes before the variable, as in their
    /// own client.
    pub(super) fn mysql(&self) -> Option<String> {
        let from_file = self.my_cnf.as_deref().and_then(|text| my_cnf(text, "password"));
        from_file.or_else(|| self.mysql_pwd.clone())
    }

    /// Returns the user that `.my.cnf` names.
    pub(super) fn mysql_user(&self) -> Option<String> {
        self.my_cnf.as_deref().and_then(|text| my_cnf(text, "user"))
    }
}

/// Reads `host:port:database:user:password` lines; `*` matches all, `\` quotes the next character.
///
/// PostgreSQL manual, "The Password File": the first line that matches counts.
fn pgpass(text: &str, login: Login<'_>) -> Option<String> {
    let port = login.port.to_string();
    let wanted = [login.host, port.as_str(), login.database, login.user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = pgpass_fields(line);
        let (password, keys) = fields.split_last()?;
        let fits = keys.len() == wanted.len()
            && keys.iter().zip(wanted).all(|(key, value)| key == "*" || key == value);
        fits.then(|| password.clone())
    })
}

/// Splits a line of a password file into at most five fields.
fn pgpass_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => chars.next().unwrap_or('\\'),
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            other => other,
        };
        if let Some(field) = fields.last_mut() {
            field.push(c);
        }
    }
    fields
}

/// Reads a key of the `[client]` groups of an option file; the last one counts.
fn my_cnf(text: &str, key: &str) -> Option<String> {
    let mut in_client = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(group) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            in_client = matches!(group.trim(), "client" | "mysql" | "mariadb-client");
        } else if in_client && !line.starts_with('#') && !line.starts_with(';') {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            if name.trim() == key {
                let value = value.trim();
                let bare = ['"', '\'']
                    .iter()
                    .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
                found = Some(bare.unwrap_or(value).to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: Login<'_> =
        Login { host: "db.example", port: 5432, database: "shop", user: "app" };

    #[test]
    fn the_first_matching_line_of_a_password_file_counts() {
        let text = "# comment\nother:*:*:*:no\ndb.example:5432:*:app:p\\:w\\\\d:x\n*:*:*:*:late\n";
        assert_eq!(pgpass(text, LOGIN).as_deref(), Some("p:w\\d:x"));
        assert_eq!(pgpass("db.example:5433:*:app:no\n", LOGIN), None);
    }

    #[test]
    fn only_client_groups_of_an_option_file_count() {
        let text = "[mysqld]\npassword=no\n[client]\nuser = app\npassword = \"a#b\"\n";
        assert_eq!(my_cnf(text, "password").as_deref(), Some("a#b"));
        assert_eq!(my_cnf(text, "user").as_deref(), Some("app"));
    }
}
