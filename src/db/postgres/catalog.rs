//! Asks the catalogs, with the conditions that every query shares.

use super::{fragment, literals};
use crate::db::connection::Connection;
use crate::db::error::ServerError;
use crate::db::rows::Rows;
use crate::db::snapshot::SnapshotOptions;

/// Sends queries about the catalogs.
pub(super) struct Reader<'a> {
    connection: &'a mut Connection,
    /// The first number of the server's version.
    pub(super) major: u16,
    own: String,
    without_schemas: String,
}

impl<'a> Reader<'a> {
    /// Returns a reader for a session.
    pub(super) fn new(
        connection: &'a mut Connection,
        options: &SnapshotOptions,
        major: u16,
    ) -> Self {
        let own = literals(options.own.iter());
        let without_schemas = literals(options.without_schemas.iter());
        Self { connection, major, own, without_schemas }
    }

    /// Sends a query.
    pub(super) async fn query(&mut self, sql: &str) -> Result<Rows, ServerError> {
        self.connection.query(sql).await
    }

    /// Fills in the shared conditions and sends the query.
    pub(super) async fn ask(&mut self, sql: &str) -> Result<Rows, ServerError> {
        let sql = self.fill(sql);
        self.connection.query(&sql).await
    }

    /// Fills in the shared conditions:
    ///
    /// - `{schema}`: `n` is a schema of users;
    /// - `{not_own}`: relation `c` is none of ours;
    /// - `{member:class:x}`: object `x.oid` of the class does not belong to an extension;
    /// - `{name:x}`: the full quoted name of relation `x` in schema `n`;
    /// - `{options:x}`: the `OPTIONS` of a foreign object;
    /// - `{members:class:x}`: what is in operator class or family `x`;
    /// - `{sequence_options}`: what is special about sequence `s`, from `{sequence_limits}`;
    /// - `{since@14@a@b}`: `a` from that version on, `b` before.
    pub(super) fn fill(&self, sql: &str) -> String {
        let mut text = String::with_capacity(sql.len() + 512);
        let mut rest = sql;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let (hole, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(&self.hole(hole));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    /// Returns what belongs into one hole.
    fn hole(&self, hole: &str) -> String {
        let mark = if hole.starts_with("since") { '@' } else { ':' };
        let parts: Vec<&str> = hole.splitn(4, mark).collect();
        match parts.as_slice() {
            ["schema"] => format!(
                "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
                 AND n.nspname NOT IN ({})",
                self.without_schemas
            ),
            ["sequence_options"] => fragment::SEQUENCE_OPTIONS.to_owned(),
            ["sequence_limits"] => fragment::SEQUENCE_LIMITS.to_owned(),
            ["options", of] => fragment::options(of),
            ["members", class, of] => fragment::members(class, of),
            ["own"] => self.own.clone(),
            ["not_own"] => format!("c.relname NOT IN ({})", self.own),
            ["member", class, alias] => format!(
                "NOT EXISTS (SELECT 1 FROM pg_depend ext WHERE ext.classid = '{class}'::regclass \
                 AND ext.objid = {alias}.oid AND ext.deptype = 'e')"
            ),
            ["name", alias] => {
                format!("quote_ident(n.nspname) || '.' || quote_ident({alias}.relname)")
            }
            ["since", version, now, before] => {
                let since: u16 = version.parse().unwrap_or(0);
                (*if self.major >= since { now } else { before }).to_owned()
            }
            _ => format!("{{{hole}}}"),
        }
    }
}
