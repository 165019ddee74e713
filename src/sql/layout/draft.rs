//! A migration that is found but not parsed.

use super::changelog::out_of_comments;
use super::decode::decode;
use super::name::Dialect;
use super::{Content, InputFile, LayoutError, Problem, Reader};
use crate::sql::ast::{Statement, StatementKind, Transaction};
use crate::sql::migration::{Convention, Migration, Script, Section, TransactionMode, Version};
use crate::sql::parse::{parse, skim};
use crate::sql::server::{Server, ServerKind};
use crate::sql::source::Span;

/// A migration that is found but not parsed: the server is not known yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its version; empty for plain files and standard input.
    pub version: Version,
    /// Its name without version and suffix.
    pub name: String,
    /// Whose convention it follows.
    pub convention: Convention,
    /// The marker that says: no transaction around it.
    pub no_transaction: Option<Span>,
    /// A setting outside the SQL file says so (diesel's `metadata.toml`, Flyway's `.conf`).
    pub no_transaction_beside: bool,
    /// It runs again whenever it changes.
    pub repeatable: bool,
    /// The statements that change the schema.
    pub up: Section,
    /// The statements that change it back.
    pub down: Option<Section>,
    /// What runs before it is not all known.
    pub(super) after_unknown: bool,
    /// It stands for all migrations before it.
    pub(super) baseline: bool,
    pub(super) dialect: Option<Dialect>,
    /// Liquibase's names of the servers it is for, or with `!` is not for; empty for all.
    pub(super) dbms: Vec<String>,
    /// Reads its text again where that was let go of.
    pub(super) reader: Option<Reader>,
}

impl Draft {
    /// Returns the path of the file with the statements that change the schema.
    pub fn path(&self) -> &str {
        self.up.source.path()
    }

    /// Says whether it runs on a server at all (Liquibase's `dbms`).
    pub(super) fn runs_on(&self, server: ServerKind) -> bool {
        let name = match server {
            ServerKind::Postgres => "postgresql",
            ServerKind::Mysql => "mysql",
            ServerKind::Mariadb => "mariadb",
            ServerKind::Sqlite => "sqlite",
        };
        let names = || self.dbms.iter().map(String::as_str).filter(|name| !name.is_empty());
        let listed = names().any(|listed| listed == name || listed == "all");
        let excluded = names().any(|listed| listed.strip_prefix('!') == Some(name));
        let all = names().all(|listed| listed.starts_with('!'));
        !excluded && (listed || all)
    }

    /// Lets go of the text where it can be read again; returns how much that is.
    pub(super) fn let_go(&mut self) -> usize {
        if self.reader.is_none() {
            return 0;
        }
        let held = self.held();
        for section in std::iter::once(&mut self.up).chain(&mut self.down) {
            section.source = section.source.away();
        }
        held
    }

    /// Returns how many bytes of text it holds.
    pub(super) fn held(&self) -> usize {
        let down = self.down.as_ref().filter(|down| down.source.path() != self.path());
        self.up.source.text().len() + down.map_or(0, |down| down.source.text().len())
    }

    /// Reads the texts that were let go of.
    fn fetch(&mut self) -> Result<(), LayoutError> {
        let Some(reader) = &self.reader else { return Ok(()) };
        fetch(&mut self.up, reader)?;
        if let Some(down) = &mut self.down {
            if down.source.path() == self.up.source.path() {
                down.source = self.up.source.clone();
            }
            fetch(down, reader)?;
        }
        Ok(())
    }

    /// Reads the statements as a server would.
    pub fn parse(self, server: Server) -> Result<Migration, LayoutError> {
        self.read(server, parse)
    }

    /// Reads the statements, of a file of data only what says something new.
    pub fn skim(self, server: Server) -> Result<Migration, LayoutError> {
        self.read(server, skim)
    }

    fn read(
        mut self,
        server: Server,
        parse: impl Fn(Section, Server) -> Script,
    ) -> Result<Migration, LayoutError> {
        self.fetch()?;
        let up = parse(self.up.clone(), server);
        let transaction = self.mode(server.kind, &up.statements);
        Ok(Migration {
            transaction,
            marker: self.no_transaction,
            down: self.down.map(|down| read_back(down, |section| parse(section, server))),
            version: self.version,
            name: self.name,
            convention: self.convention,
            repeatable: self.repeatable,
            after_unknown: self.after_unknown,
            up,
        })
    }

    /// Says who opens a transaction.
    ///
    /// Prisma, golang-migrate and popx's autocommit files send the file as one message. PostgreSQL
    /// runs several statements of one message in one implicit transaction (manual, 55.2.2.1
    /// "Multiple Statements in a Simple Query"), and one statement alone as it is; MySQL and
    /// SQLite run them one by one. A BEGIN in the message makes the transaction the file's own.
    fn mode(&self, server: ServerKind, statements: &[Statement]) -> TransactionMode {
        let begins = statements.iter().any(|statement| {
            matches!(statement.kind, StatementKind::Transaction(Transaction::Begin(_)))
        });
        let together = statements.len() > 1 && !begins;
        let message = if server == ServerKind::Postgres && together {
            TransactionMode::Wrapped
        } else {
            TransactionMode::Unwrapped
        };
        let message_only =
            matches!(self.convention, Convention::Prisma | Convention::GolangMigrate)
                || (self.convention == Convention::Pop && self.no_transaction_beside);
        if message_only {
            return message;
        }
        if self.no_transaction.is_some() || self.no_transaction_beside {
            return TransactionMode::Unwrapped;
        }
        match self.convention {
            Convention::Prisma | Convention::GolangMigrate => message,
            Convention::Lockwise | Convention::Plain | Convention::Stdin => {
                TransactionMode::Grouped
            }
            // Flyway finds the statements that refuse a transaction by itself.
            Convention::Flyway => TransactionMode::Grouped,
            // Sqitch sends the file through the server's own client: BEGIN is the author's.
            Convention::Sqitch => TransactionMode::Unwrapped,
            Convention::Sqlx
            | Convention::Refinery
            | Convention::Diesel
            | Convention::Dbmate
            | Convention::Goose
            | Convention::Atlas
            | Convention::Rails
            | Convention::Pop
            | Convention::Tern
            | Convention::Graphile
            | Convention::Drizzle
            | Convention::Liquibase => TransactionMode::Wrapped,
        }
    }
}

/// Reads a way back, out of its comments where it stands in such.
fn read_back(down: Section, parse: impl Fn(Section) -> Script) -> Script {
    if !down.reading.in_comments {
        return parse(down);
    }
    let mut script = parse(out_of_comments(down));
    script.section.source = script.section.source.cut(script.section.range);
    script
}

/// Reads the file of a section again. What was found in it before must still be true.
fn fetch(section: &mut Section, reader: &Reader) -> Result<(), LayoutError> {
    let Some(length) = section.source.length_away() else { return Ok(()) };
    let path = section.source.path().to_owned();
    let source = decode(InputFile { path, content: Content::Unread(reader.clone()) })?;
    if source.text().len() != length {
        let path = source.path().to_owned();
        return Err(LayoutError { path, position: None, problem: Problem::Changed });
    }
    section.source = source;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::sql::layout::{Given, arrange};

    fn read_twice(first: &'static str, then: &'static str) -> Result<Migration, LayoutError> {
        let again = AtomicBool::new(false);
        let reader = Reader::new(move |_| {
            let text = if again.swap(true, Ordering::Relaxed) { then } else { first };
            Ok(text.as_bytes().to_vec())
        });
        let file = InputFile { path: "m/1_a.sql".into(), content: Content::Unread(reader) };
        let given = Given::Folder { path: "m".into(), files: vec![file] };
        let mut groups = arrange(vec![given], None).groups;
        let mut draft = groups.remove(0).drafts.remove(0);
        assert_eq!((draft.held(), draft.let_go(), draft.held()), (first.len(), first.len(), 0));
        draft.parse(Server::of(ServerKind::Postgres))
    }

    #[test]
    fn a_text_that_was_let_go_of_is_read_again() {
        let migration = read_twice("DROP TABLE a;", "DROP TABLE a;").unwrap();
        assert_eq!(migration.up.slice(migration.up.statements[0].span), "DROP TABLE a");
        let error = read_twice("DROP TABLE a;", "DROP TABLE a CASCADE;").unwrap_err();
        assert_eq!(error.to_string(), "m/1_a.sql: changed while it was read");
    }
}
