//! The history of another tool, taken over without writing to it.
//!
//! In: the rows of the other tool's table and the migrations of the folder. Out: what was applied,
//! whether the files are still those, and what speaks against taking it over. The tables are those
//! of each tool's documentation and source.

pub mod checksum;
mod liquibase;

use self::checksum::{Atlas, VersionWidth};
use crate::db::{self, Connection, Rows};
use crate::sql::{Migration, ServerKind, literal};

/// The tools whose history is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// sqlx.
    Sqlx,
    /// refinery.
    Refinery,
    /// diesel.
    Diesel,
    /// golang-migrate.
    GolangMigrate,
    /// dbmate, or Rails, which keep the same table.
    DbmateOrRails,
    /// goose.
    Goose,
    /// Flyway.
    Flyway,
    /// Atlas.
    Atlas,
    /// Prisma.
    Prisma,
    /// Liquibase.
    Liquibase,
    /// Sqitch.
    Sqitch,
}

impl Tool {
    /// Every tool, in the order in which they are looked for.
    pub const ALL: [Self; 11] = [
        Self::Sqlx,
        Self::Refinery,
        Self::Diesel,
        Self::GolangMigrate,
        Self::DbmateOrRails,
        Self::Goose,
        Self::Flyway,
        Self::Atlas,
        Self::Prisma,
        Self::Liquibase,
        Self::Sqitch,
    ];

    /// Returns the name shown to people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlx => "sqlx",
            Self::Refinery => "refinery",
            Self::Diesel => "diesel",
            Self::GolangMigrate => "golang-migrate",
            Self::DbmateOrRails => "dbmate or Rails",
            Self::Goose => "goose",
            Self::Flyway => "Flyway",
            Self::Atlas => "Atlas",
            Self::Prisma => "Prisma",
            Self::Liquibase => "Liquibase",
            Self::Sqitch => "Sqitch",
        }
    }

    /// Returns its table.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Sqlx => "_sqlx_migrations",
            Self::Refinery => "refinery_schema_history",
            Self::Diesel => "__diesel_schema_migrations",
            Self::GolangMigrate | Self::DbmateOrRails => "schema_migrations",
            Self::Goose => "goose_db_version",
            Self::Flyway => "flyway_schema_history",
            Self::Atlas => "atlas_schema_revisions",
            Self::Prisma => "_prisma_migrations",
            Self::Liquibase => "DATABASECHANGELOG",
            Self::Sqitch => "sqitch.changes",
        }
    }

    /// Returns a query for version, state (`ok`, `failed`, `undone`) and checksum, in order.
    fn query(self, kind: ServerKind) -> String {
        let hex = if kind == ServerKind::Postgres {
            "encode(checksum, 'hex')"
        } else {
            "lower(hex(checksum))"
        };
        let state = |ok: &str| format!("CASE WHEN {ok} THEN 'ok' ELSE 'failed' END");
        match self {
            Self::Sqlx => format!(
                "SELECT version, {}, {hex} FROM _sqlx_migrations ORDER BY version",
                state("success")
            ),
            Self::Refinery => "SELECT version, 'ok', checksum FROM refinery_schema_history \
                               ORDER BY version"
                .to_owned(),
            Self::Diesel => {
                "SELECT version, 'ok', '' FROM __diesel_schema_migrations ORDER BY version"
                    .to_owned()
            }
            Self::GolangMigrate => {
                format!("SELECT version, {}, '' FROM schema_migrations", state("NOT dirty"))
            }
            Self::DbmateOrRails => {
                "SELECT version, 'ok', '' FROM schema_migrations ORDER BY version".to_owned()
            }
            // Old versions append a row with is_applied = false where new ones delete.
            Self::Goose => {
                "SELECT version_id, CASE WHEN is_applied THEN 'ok' ELSE 'undone' END, '' \
                            FROM goose_db_version WHERE version_id > 0 ORDER BY id"
                    .to_owned()
            }
            // Rows with a negative rank are locks; a NULL version is a repeatable migration.
            Self::Flyway => format!(
                "SELECT CASE WHEN version IS NULL THEN {} ELSE version END, \
                 CASE WHEN NOT success THEN 'failed' WHEN type LIKE 'UNDO%' OR type = 'DELETE' \
                 THEN 'undone' ELSE 'ok' END, coalesce({}, '') FROM flyway_schema_history \
                 WHERE installed_rank > 0 AND type <> 'SCHEMA' ORDER BY installed_rank",
                concat(kind, "'R:'", "description"),
                cast(kind, "checksum"),
            ),
            Self::Atlas => format!(
                "SELECT version, {}, hash FROM atlas_schema_revisions WHERE version NOT LIKE '.%' \
                 ORDER BY version",
                state("error IS NULL OR error = ''")
            ),
            Self::Prisma => "SELECT migration_name, CASE WHEN rolled_back_at IS NOT NULL THEN \
                             'undone' WHEN finished_at IS NULL THEN 'failed' ELSE 'ok' END, \
                             checksum FROM _prisma_migrations ORDER BY started_at"
                .to_owned(),
            // A changeset that was skipped is not applied; one that ran again has one row.
            Self::Liquibase => format!(
                "SELECT {}, CASE EXECTYPE WHEN 'FAILED' THEN 'failed' WHEN 'SKIPPED' THEN 'undone' \
                 ELSE 'ok' END, coalesce(MD5SUM, '') FROM DATABASECHANGELOG ORDER BY ORDEREXECUTED",
                concat(kind, &concat(kind, "AUTHOR", "':'"), "ID"),
            ),
            // What is reverted is deleted there.
            Self::Sqitch => {
                let table =
                    if kind == ServerKind::Sqlite { "sqitch.changes" } else { self.table() };
                let name = if kind.is_mysql_family() { "`change`" } else { "change" };
                format!(
                    "SELECT {name}, 'ok', coalesce(script_hash, '') FROM {table} \
                     ORDER BY committed_at, planned_at"
                )
            }
        }
    }

    /// Returns the tool of that name, as [`Self::as_str`] or one of its parts in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| {
            let mut names = tool.as_str().split(" or ");
            names.any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// Returns the advisory locks that the tool takes on PostgreSQL while it runs.
    ///
    /// The numbers are those of each tool's source: sqlx `generate_lock_id`, goose
    /// `DefaultLockID`, Prisma `MIGRATE_LOCK_ID`, Rails `MIGRATOR_SALT`, golang-migrate
    /// `GenerateAdvisoryLockId`, Flyway `PostgreSQLAdvisoryLockTemplate`, Sqitch `engine/pg.pm`.
    pub fn postgres_locks(self, database: &str) -> Vec<i64> {
        let crc = i64::from(checksum::crc32(database.as_bytes()));
        match self {
            Self::Sqlx => vec![0x3d32_ad9e_i64.wrapping_mul(crc)],
            Self::Goose => vec![4_097_083_626],
            Self::Prisma => vec![72_707_369],
            Self::DbmateOrRails => vec![2_053_462_845_i64.wrapping_mul(crc)],
            Self::GolangMigrate => {
                vec![i64::from(golang_lock(&format!("public\0schema_migrations\0{database}")))]
            }
            Self::Flyway => {
                // The letters of its name, and the hash of the table's quoted name.
                let hash = checksum::java_hash("\"public\".\"flyway_schema_history\"");
                vec![0x466c_7977_6179_i64.wrapping_add(i64::from(hash))]
            }
            Self::Sqitch => vec![75_474_063],
            Self::Refinery | Self::Diesel | Self::Atlas | Self::Liquibase => Vec::new(),
        }
    }

    /// Returns the names of the locks that the tool takes on MySQL and MariaDB while it runs.
    pub fn mysql_locks(self, database: &str) -> Vec<String> {
        let crc = i64::from(checksum::crc32(database.as_bytes()));
        match self {
            Self::Sqlx => vec![format!("{:x}", 0x3d32_ad9e_i64.wrapping_mul(crc))],
            Self::Prisma => vec!["prisma_migrate".to_owned()],
            Self::DbmateOrRails => vec![2_053_462_845_i64.wrapping_mul(crc).to_string()],
            Self::GolangMigrate => {
                vec![golang_lock(&format!("{database}:schema_migrations")).to_string()]
            }
            Self::Flyway => {
                let hash = checksum::java_hash(&format!("`{database}`.`flyway_schema_history`"));
                vec![format!("Flyway-{hash}")]
            }
            Self::Sqitch => vec![format!("sqitch working on {database}")],
            Self::Goose | Self::Refinery | Self::Diesel | Self::Atlas | Self::Liquibase => {
                Vec::new()
            }
        }
    }
}

/// golang-migrate names its locks so.
fn golang_lock(name: &str) -> u32 {
    checksum::crc32(name.as_bytes()).wrapping_mul(1_486_364_155)
}

fn concat(kind: ServerKind, one: &str, other: &str) -> String {
    match kind {
        ServerKind::Mysql | ServerKind::Mariadb => format!("concat({one}, {other})"),
        ServerKind::Postgres | ServerKind::Sqlite => format!("{one} || {other}"),
    }
}

fn cast(kind: ServerKind, what: &str) -> String {
    let word = if kind.is_mysql_family() { "char" } else { "text" };
    format!("cast({what} AS {word})")
}

/// A migration that the other tool knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its version there.
    pub version: String,
    /// Its checksum there; empty where the tool keeps none.
    pub checksum: String,
}

/// Why a history cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum CannotAdopt {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// The server refused a query on the other tool's table.
    #[error("cannot read {table}")]
    Table {
        /// The table.
        table: &'static str,
        /// Why.
        #[source]
        cause: Box<db::ServerError>,
    },
    /// There is no table of a known tool.
    #[error("no history of another tool in this database")]
    NoTool,
    /// The tool is in the middle of something, or failed there.
    #[error("{tool} says that migration {version} failed or is not finished")]
    Unfinished {
        /// The tool.
        tool: &'static str,
        /// The version.
        version: String,
    },
    /// Liquibase's lock is taken: by a run, or by one that died.
    #[error("the lock of Liquibase is taken by {0}")]
    LockedBy(String),
    /// The tool is running now.
    #[error("{0} holds its migration lock: it is running")]
    Running(&'static str),
}

fn refused(table: &'static str, cause: db::ServerError) -> CannotAdopt {
    CannotAdopt::Table { table, cause: Box::new(cause) }
}

/// Finds the tool whose table is there.
pub async fn find(connection: &mut Connection, only: Option<Tool>) -> Result<Tool, CannotAdopt> {
    let wanted = Tool::ALL.into_iter().filter(|tool| only.is_none_or(|only| only == *tool));
    for tool in wanted {
        if !has_table(connection, tool.table()).await? {
            continue;
        }
        if tool == Tool::GolangMigrate {
            // dbmate and Rails keep a table of the same name; `dirty` is golang-migrate's alone.
            let dirty = connection.query("SELECT dirty FROM schema_migrations").await;
            if dirty.is_err() {
                continue;
            }
        }
        return Ok(tool);
    }
    Err(CannotAdopt::NoTool)
}

async fn has_table(connection: &mut Connection, table: &str) -> Result<bool, CannotAdopt> {
    let kind = connection.server().kind;
    if table == Tool::Sqitch.table() && kind != ServerKind::Postgres {
        return has_sqitch(connection).await;
    }
    let name = literal(kind, table);
    let sql = match kind {
        ServerKind::Sqlite => {
            format!("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = {name}")
        }
        ServerKind::Postgres => format!("SELECT count(to_regclass({name}))"),
        ServerKind::Mysql | ServerKind::Mariadb => format!(
            "SELECT count(*) FROM information_schema.tables \
             WHERE table_schema = database() AND table_name = {name}"
        ),
    };
    let rows = connection.query(&sql).await;
    let rows = rows.map_err(|cause| refused("the catalog", cause))?;
    Ok(rows.first().is_some_and(|row| row.count(0) > 0))
}

/// Sqitch keeps its tables in a database of their own: `sqitch` on MySQL, `sqitch.db` beside the
/// file on SQLite, which is attached for reading.
async fn has_sqitch(connection: &mut Connection) -> Result<bool, CannotAdopt> {
    let sql = match connection.target().path() {
        None => "SELECT count(*) FROM information_schema.tables \
                 WHERE table_schema = 'sqitch' AND table_name = 'changes'"
            .to_owned(),
        Some(path) => {
            let beside = path.with_file_name("sqitch.db");
            if !beside.is_file() {
                return Ok(false);
            }
            let beside = literal(ServerKind::Sqlite, &beside.display().to_string());
            let attach = format!("ATTACH DATABASE {beside} AS sqitch");
            let done = connection.execute(&attach).await;
            done.map_err(|cause| refused("sqitch.db", cause))?;
            "SELECT count(*) FROM sqitch.sqlite_schema WHERE name = 'changes'".to_owned()
        }
    };
    let rows = connection.query(&sql).await;
    let rows = rows.map_err(|cause| refused("sqitch.changes", cause))?;
    Ok(rows.first().is_some_and(|row| row.count(0) > 0))
}

/// Takes the locks that the tool would take, so that the two exclude each other. They go with the
/// session.
pub async fn exclude(connection: &mut Connection, tool: Tool) -> Result<(), CannotAdopt> {
    let database = connection.database().to_owned();
    let kind = connection.server().kind;
    let questions: Vec<String> = match kind {
        ServerKind::Postgres => {
            let keys = tool.postgres_locks(&database).into_iter();
            keys.map(|key| format!("SELECT pg_try_advisory_lock({key})")).collect()
        }
        ServerKind::Mysql | ServerKind::Mariadb => {
            let names = tool.mysql_locks(&database).into_iter();
            names.map(|name| format!("SELECT GET_LOCK({}, 0)", literal(kind, &name))).collect()
        }
        ServerKind::Sqlite => Vec::new(),
    };
    for question in questions {
        let rows = connection.query(&question).await;
        let rows = rows.map_err(|cause| refused("its lock", cause))?;
        if !rows.first().is_some_and(|row| row.flag(0)) {
            return Err(CannotAdopt::Running(tool.as_str()));
        }
    }
    if tool == Tool::Liquibase {
        // Its lock is a row, which stays behind when the process dies.
        let sql = "SELECT LOCKEDBY FROM DATABASECHANGELOGLOCK WHERE LOCKED";
        let sql = if kind == ServerKind::Sqlite { format!("{sql} <> 0") } else { sql.to_owned() };
        if let Ok(rows) = connection.query(&sql).await
            && let Some(row) = rows.first()
        {
            return Err(CannotAdopt::LockedBy(row.text(0).to_owned()));
        }
    }
    Ok(())
}

/// Reads what the tool applied, in order.
pub async fn read(connection: &mut Connection, tool: Tool) -> Result<Vec<Known>, CannotAdopt> {
    let sql = tool.query(connection.server().kind);
    let rows = connection.query(&sql).await;
    let rows = rows.map_err(|cause| refused(tool.table(), cause))?;
    known(&rows, tool)
}

fn known(rows: &Rows, tool: Tool) -> Result<Vec<Known>, CannotAdopt> {
    let mut found: Vec<Known> = Vec::new();
    for row in rows {
        let (version, checksum) = (row.text(0).to_owned(), row.text(2).to_owned());
        match row.text(1) {
            "failed" => {
                return Err(CannotAdopt::Unfinished { tool: tool.as_str(), version });
            }
            "undone" => found.retain(|known| known.version != version),
            _ => {
                found.retain(|known| known.version != version);
                found.push(Known { version, checksum });
            }
        }
    }
    Ok(found)
}

/// How a file compares with what the tool applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The checksum is the file's.
    Same,
    /// The tool keeps no checksum.
    Trusted,
    /// The checksum is not one that can be computed here.
    NotComparable,
    /// The checksum is that of the file with other line ends.
    LineEnds,
    /// The file is another.
    Different,
}

impl Match {
    /// Returns the word for reports and the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Trusted => "no checksum to compare",
            Self::NotComparable => "its checksum cannot be compared: look at the file",
            Self::LineEnds => "same but for line ends",
            Self::Different => "DIFFERENT from what was applied",
        }
    }
}

/// A migration of the folder, and what the other tool knows of it.
#[derive(Debug)]
pub struct Adopted<'m> {
    /// The migration.
    pub migration: &'m Migration,
    /// The other tool's row.
    pub known: Known,
    /// How they compare.
    pub matched: Match,
}

/// The whole comparison.
#[derive(Debug, Default)]
pub struct Adoption<'m> {
    /// Applied, with a file.
    pub adopted: Vec<Adopted<'m>>,
    /// Applied, and no file is there.
    pub missing: Vec<Known>,
    /// Not applied.
    pub pending: Vec<&'m Migration>,
}

/// Compares the folder with what the tool applied.
pub fn compare(tool: Tool, known: Vec<Known>, migrations: &[Migration]) -> Adoption<'_> {
    let known = match tool {
        Tool::GolangMigrate => up_to(known, migrations),
        Tool::Sqlx
        | Tool::Refinery
        | Tool::Diesel
        | Tool::DbmateOrRails
        | Tool::Goose
        | Tool::Flyway
        | Tool::Atlas
        | Tool::Prisma
        | Tool::Liquibase
        | Tool::Sqitch => known,
    };
    let mut adoption = Adoption::default();
    let mut atlas = Atlas::default();
    let mut left = known;
    for migration in migrations {
        let path = migration.up.section.source.path();
        let name = path.rsplit('/').next().unwrap_or(path);
        let cumulative = atlas.file(name, migration.up.section.source.text());
        match left.iter().position(|known| is_of(tool, known, migration)) {
            Some(at) => {
                let known = left.remove(at);
                let matched = matched(tool, &known, migration, &cumulative);
                adoption.adopted.push(Adopted { migration, known, matched });
            }
            None => adoption.pending.push(migration),
        }
    }
    adoption.missing = left;
    adoption
}

/// golang-migrate keeps one row: everything up to its version counts as applied.
fn up_to(known: Vec<Known>, migrations: &[Migration]) -> Vec<Known> {
    let Some(last) = known.into_iter().next() else { return Vec::new() };
    let last = crate::sql::Version::new(last.version);
    migrations
        .iter()
        .filter(|migration| {
            migration.version <= last || same_version(migration.version.as_str(), last.as_str())
        })
        .map(|migration| Known {
            version: migration.version.as_str().to_owned(),
            checksum: String::new(),
        })
        .collect()
}

fn is_of(tool: Tool, known: &Known, migration: &Migration) -> bool {
    if tool == Tool::Prisma {
        let full = format!("{}_{}", migration.version, migration.name);
        return known.version == full || same_version(&known.version, migration.version.as_str());
    }
    if tool == Tool::Liquibase {
        return known.version == migration.version.as_str();
    }
    if tool == Tool::Sqitch {
        return known.version == migration.name;
    }
    if migration.repeatable {
        let name = known.version.strip_prefix("R:").unwrap_or_default();
        return name.replace(' ', "_") == migration.name.replace(' ', "_");
    }
    same_version(&known.version, migration.version.as_str())
}

/// `0042` and `42` are one version, and so are `2024-01-01` and `20240101`, `1_2` and `1.2`.
fn same_version(one: &str, other: &str) -> bool {
    let plain =
        |text: &str| text.replace('-', "").replace('_', ".").trim_start_matches('0').to_owned();
    plain(one) == plain(other)
}

fn matched(tool: Tool, known: &Known, migration: &Migration, cumulative: &str) -> Match {
    if tool == Tool::Liquibase {
        return liquibase::matched(&known.checksum, migration);
    }
    let text = migration.up.section.source.text();
    let lf = text.replace("\r\n", "\n");
    let crlf = lf.replace('\n', "\r\n");
    let version = || migration.version.as_str().parse::<i64>().unwrap_or(0);
    let sums = |text: &str| -> Vec<String> {
        match tool {
            Tool::Sqlx => vec![checksum::sqlx(text)],
            Tool::Prisma => vec![checksum::prisma(text)],
            Tool::Flyway => vec![checksum::flyway(text)],
            Tool::Refinery => [VersionWidth::Narrow, VersionWidth::Wide]
                .map(|width| checksum::refinery(&migration.name, version(), text, width))
                .to_vec(),
            Tool::Atlas => vec![cumulative.to_owned(), format!("h1:{cumulative}")],
            Tool::Sqitch => vec![checksum::sqitch(text)],
            Tool::Liquibase
            | Tool::Diesel
            | Tool::GolangMigrate
            | Tool::DbmateOrRails
            | Tool::Goose => Vec::new(),
        }
    };
    if known.checksum.is_empty() || sums(text).is_empty() {
        Match::Trusted
    } else if sums(text).contains(&known.checksum) {
        Match::Same
    } else if sums(&lf).contains(&known.checksum) || sums(&crlf).contains(&known.checksum) {
        Match::LineEnds
    } else {
        Match::Different
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Row;

    #[test]
    fn versions_are_compared_as_numbers_and_without_their_punctuation() {
        assert!(same_version("42", "0042"));
        assert!(same_version("20240131120000", "2024-01-31-120000"));
        assert!(same_version("1.2", "1_2"));
        assert!(!same_version("1", "10"));
    }

    #[test]
    fn what_was_undone_is_not_applied_and_a_failure_stops() {
        let rows = |rows: &[(&str, &str)]| Rows {
            rows: rows
                .iter()
                .map(|(version, state)| {
                    let cell = |text: &str| Some(text.to_owned());
                    Row(vec![cell(version), cell(state), cell("")])
                })
                .collect(),
        };
        let list = [("1", "ok"), ("2", "ok"), ("2", "undone"), ("3", "ok")];
        let found = known(&rows(&list), Tool::Goose).unwrap();
        let versions: Vec<&str> = found.iter().map(|known| known.version.as_str()).collect();
        assert_eq!(versions, ["1", "3"]);
        assert!(known(&rows(&[("1", "failed")]), Tool::Flyway).is_err());
    }
}
