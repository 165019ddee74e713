//! Which server a folder is meant for, when nobody says it.

use super::Arrangement;
use crate::sql::server::ServerKind;

/// A guess, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The server.
    pub kind: ServerKind,
    /// What it rests on; nothing when it is only the default.
    pub because: Option<String>,
}

/// How much of the SQL is looked at: enough for any schema, little enough for ten thousand files.
const BYTES: usize = 512 * 1024;

/// Guesses the server from names of folders and from words that only one server knows.
pub fn guess_server(arrangement: &Arrangement) -> Guess {
    let drafts = || arrangement.groups.iter().flat_map(|group| &group.drafts);
    if let Some(guess) = drafts().next().and_then(|draft| from_path(draft.up.source.path())) {
        return guess;
    }
    let mut scores = Scores::default();
    let mut budget = BYTES;
    for draft in drafts() {
        let text = draft.up.source.slice(draft.up.range);
        if budget == 0 {
            break;
        }
        let end = (0..=text.len().min(budget)).rev().find(|&end| text.is_char_boundary(end));
        scores.read(text.get(..end.unwrap_or(0)).unwrap_or(""));
        budget = budget.saturating_sub(text.len());
    }
    scores.best()
}

/// A part of the path that is a server's name: `db/mysql/0001_init.sql`, `migrations_postgres/`.
fn from_path(path: &str) -> Option<Guess> {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.rsplit(['/', '_', '-', '.']).find_map(|word| {
        let kind = match word.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" | "pg" | "psql" => ServerKind::Postgres,
            "mysql" => ServerKind::Mysql,
            "mariadb" => ServerKind::Mariadb,
            "sqlite" | "sqlite3" => ServerKind::Sqlite,
            _ => return None,
        };
        Some(Guess { kind, because: Some(format!("the path says \"{word}\"")) })
    })
}

#[derive(Default)]
struct Scores {
    postgres: Score,
    mysql: Score,
    sqlite: Score,
}

/// How many telling words were seen, and the first of them.
#[derive(Default)]
struct Score {
    count: usize,
    first: Option<&'static str>,
}

impl Score {
    fn add(&mut self, word: &'static str) {
        self.count += 1;
        self.first = self.first.or(Some(word));
    }
}

/// Words that a schema for PostgreSQL has and the others do not know.
const POSTGRES: [&str; 17] = [
    "BIGSERIAL",
    "BYTEA",
    "CIDR",
    "CONCURRENTLY",
    "CITEXT",
    "EXTENSION",
    "GIN",
    "GIST",
    "HSTORE",
    "JSONB",
    "MATERIALIZED",
    "NULLS",
    "PLPGSQL",
    "SERIAL",
    "TIMESTAMPTZ",
    "TSVECTOR",
    "OWNER",
];
const MYSQL: [&str; 11] = [
    "AUTO_INCREMENT",
    "DATETIME",
    "ENGINE",
    "INNODB",
    "LONGTEXT",
    "MEDIUMTEXT",
    "TINYINT",
    "UNSIGNED",
    "UTF8MB4",
    "DELIMITER",
    "MODIFY",
];
const SQLITE: [&str; 4] = ["AUTOINCREMENT", "PRAGMA", "ROWID", "SQLITE_MASTER"];

impl Scores {
    fn read(&mut self, text: &str) {
        let code = text.lines().map(|line| line.split("--").next().unwrap_or(""));
        for line in code {
            if line.contains("::") || line.contains("$$") {
                self.postgres.add("::");
            }
            if line.contains('`') {
                self.mysql.add("`");
            }
            for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                self.word(word);
            }
        }
    }

    fn word(&mut self, word: &str) {
        if word.len() < 3 {
            return;
        }
        let find =
            |words: &[&'static str]| words.iter().find(|w| w.eq_ignore_ascii_case(word)).copied();
        if let Some(word) = find(&POSTGRES) {
            self.postgres.add(word);
        } else if let Some(word) = find(&MYSQL) {
            self.mysql.add(word);
        } else if let Some(word) = find(&SQLITE) {
            self.sqlite.add(word);
        }
    }

    /// PostgreSQL when nothing speaks for another; SQLite's words are few, and weigh more.
    fn best(&self) -> Guess {
        let (postgres, mysql, sqlite) =
            (self.postgres.count, self.mysql.count, self.sqlite.count * 4);
        let (kind, score) = if postgres >= mysql && postgres >= sqlite {
            (ServerKind::Postgres, &self.postgres)
        } else if mysql >= sqlite {
            (ServerKind::Mysql, &self.mysql)
        } else {
            (ServerKind::Sqlite, &self.sqlite)
        };
        let because = score.first.map(|word| match word {
            "`" => "the SQL quotes names with `".to_owned(),
            word => format!("the SQL says {word}"),
        });
        Guess { kind, because }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::layout::{Content, Given, InputFile, arrange};

    #[track_caller]
    fn check(path: &str, text: &str, kind: ServerKind, because: Option<&str>) {
        let file = InputFile { path: path.into(), content: Content::Bytes(text.into()) };
        let arrangement = arrange(vec![Given::File { file, beside: Vec::new() }], None);
        let guess = guess_server(&arrangement);
        assert_eq!((guess.kind, guess.because.as_deref()), (kind, because));
    }

    #[test]
    fn paths_and_words_tell_the_server() {
        use ServerKind::{Mariadb, Mysql, Postgres, Sqlite};
        check("db/mariadb/1_a.sql", "", Mariadb, Some("the path says \"mariadb\""));
        check("a.sql", "CREATE TABLE t (id serial);", Postgres, Some("the SQL says SERIAL"));
        check("a.sql", "CREATE TABLE `t` (id int);", Mysql, Some("the SQL quotes names with `"));
        check("a.sql", "PRAGMA foreign_keys = ON;", Sqlite, Some("the SQL says PRAGMA"));
        check("a.sql", "-- ENGINE\nCREATE TABLE t (id int);", Postgres, None);
    }
}
