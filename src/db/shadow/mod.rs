//! Throw-away databases to try a migration on.
//!
//! Three kinds: a new database on a server that the user names, a server of our own started from
//! installed binaries, and SQLite in memory. All of them vanish with the [`Shadow`].

mod binaries;
mod own;

use std::path::PathBuf;

use super::connection::{ConnectOptions, Connection};
use super::error::{Attempt as _, Error};
use super::introspect::{LoadReport, load};
use super::snapshot::Snapshot;
use super::target::Target;
use crate::sql::{Server, ServerKind, ident, literal};
use own::OwnServer;

/// What kind of shadow is wanted.
#[derive(Debug, Clone)]
pub struct ShadowOptions {
    /// The server to imitate.
    pub server: Server,
    /// The database to imitate: its name, so that qualified names mean the same on a server of our
    /// own.
    pub database: String,
    /// Settings of that database: [`Snapshot::settings`].
    pub settings: std::collections::BTreeMap<String, String>,
    /// A server to make a throw-away database on, instead of starting one.
    pub url: Option<Target>,
    /// Folders in which to look for server binaries: `PATH`, and what the configuration names.
    pub folders: Vec<PathBuf>,
    /// The name of the superuser of a server of our own.
    pub user: String,
}

impl ShadowOptions {
    /// Returns the options for a shadow of the database that a snapshot was taken of.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            server: snapshot.server,
            database: snapshot.database.clone(),
            settings: snapshot.settings.clone(),
            url: None,
            folders: Vec::new(),
            user: "lockwise".to_owned(),
        }
    }
}

/// A place for throw-away databases.
#[derive(Debug)]
pub struct Shadow {
    place: ShadowPlace,
    server: Server,
    options: ShadowOptions,
}

/// Where the throw-away databases are.
#[derive(Debug)]
enum ShadowPlace {
    Memory,
    Guest(Guest),
    Own(OwnServer),
}

/// A database on somebody else's server. Dropped with this value.
#[derive(Debug)]
struct Guest {
    admin: Target,
    kind: ServerKind,
    database: Option<String>,
}

impl Shadow {
    /// Starts or reaches the server.
    pub async fn start(options: ShadowOptions) -> Result<Self, Error> {
        let wanted = options.server.kind;
        if wanted == ServerKind::Sqlite {
            let server = Connection::open(&Target::memory(), &connect_options()).await?.server();
            return Ok(Self { place: ShadowPlace::Memory, server, options });
        }
        let (place, admin) = match &options.url {
            Some(url) => {
                let guest = Guest { admin: url.clone(), kind: wanted, database: None };
                (ShadowPlace::Guest(guest), url.clone())
            }
            None => {
                let own = OwnServer::start(&options).await?;
                let admin = own.admin();
                (ShadowPlace::Own(own), admin)
            }
        };
        let server = Connection::open(&admin, &connect_options()).await?.server();
        if server.kind != wanted {
            let message = format!("the shadow is {}, the target {}", server.kind, wanted);
            let hint = format!("give --shadow the URL of a {} server", wanted.title());
            return Err(Error::Shadow { message, hint });
        }
        Ok(Self { place, server, options })
    }

    /// Returns the server that the shadow runs on; its version may differ from the target's.
    pub const fn server(&self) -> Server {
        self.server
    }

    /// Says in one sentence how the shadow's server differs from the target's, if it does.
    ///
    /// Patch levels do not count; on MySQL and MariaDB the second number does.
    pub fn difference(&self) -> Option<String> {
        let (ours, theirs) = (self.server.version, self.options.server.version);
        let same = match self.server.kind {
            ServerKind::Postgres => ours.major == theirs.major,
            ServerKind::Mysql | ServerKind::Mariadb => {
                (ours.major, ours.minor) == (theirs.major, theirs.minor)
            }
            ServerKind::Sqlite => true,
        };
        let title = self.server.kind.title();
        (!same).then(|| format!("the shadow runs {title} {ours}, the target {title} {theirs}"))
    }

    /// Makes an empty database in place of the former one, and opens a session on it.
    pub async fn fresh(&mut self) -> Result<Connection, Error> {
        let target = match &mut self.place {
            ShadowPlace::Memory => Target::memory(),
            ShadowPlace::Guest(guest) => {
                guest.drop_database().await?;
                let name = format!("lockwise_shadow_{:016x}", fastrand::u64(..));
                let mut admin = Connection::open(&guest.admin, &connect_options()).await?;
                create_database(&mut admin, &name, &self.options).await?;
                admin.close().await?;
                guest.database = Some(name.clone());
                guest.admin.with_database(&name)
            }
            ShadowPlace::Own(own) => {
                let name = match self.options.database.as_str() {
                    "" | "postgres" | "mysql" => "lockwise_shadow",
                    name => name,
                };
                let mut admin = Connection::open(&own.admin(), &connect_options()).await?;
                drop_database(&mut admin, name).await?;
                create_database(&mut admin, name, &self.options).await?;
                admin.close().await?;
                own.admin().with_database(name)
            }
        };
        Connection::open(&target, &connect_options()).await
    }

    /// Makes a database with the schema of a snapshot, and opens a session on it.
    ///
    /// On a server of our own the roles that the snapshot names are made first.
    pub async fn seeded(&mut self, snapshot: &Snapshot) -> Result<(Connection, LoadReport), Error> {
        let mut connection = self.fresh().await?;
        if matches!(self.place, ShadowPlace::Own(_)) {
            for role in &snapshot.roles {
                create_role(&mut connection, role).await?;
            }
        }
        let report = load(&mut connection, snapshot).await?;
        like_a_new_session(&mut connection, &snapshot.settings).await;
        Ok((connection, report))
    }

    /// Drops the database, stops the server and removes its files. Dropping the value does the
    /// same, without telling of errors.
    pub async fn stop(self) -> Result<(), Error> {
        match self.place {
            ShadowPlace::Memory => Ok(()),
            ShadowPlace::Guest(mut guest) => guest.drop_database().await,
            ShadowPlace::Own(own) => {
                drop(own);
                Ok(())
            }
        }
    }
}

impl Guest {
    /// Drops the database, if there is one.
    async fn drop_database(&mut self) -> Result<(), Error> {
        let Some(name) = self.database.take() else { return Ok(()) };
        let mut admin = Connection::open(&self.admin, &connect_options()).await?;
        drop_database(&mut admin, &name).await?;
        admin.close().await
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let Some(name) = self.database.take() else { return };
        let mut last = Self { admin: self.admin.clone(), kind: self.kind, database: Some(name) };
        // A runtime cannot be entered from within another one, so a thread of its own.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                let _ = runtime.block_on(last.drop_database());
            }
        });
        let _ = cleaner.join();
    }
}

/// Returns how sessions on a shadow are opened.
fn connect_options() -> ConnectOptions {
    ConnectOptions { application_name: "lockwise/shadow".to_owned(), ..ConnectOptions::default() }
}

/// Makes an empty database like the target's: encoding and collation where the server has them.
async fn create_database(
    admin: &mut Connection,
    name: &str,
    options: &ShadowOptions,
) -> Result<(), Error> {
    let kind = admin.server().kind;
    let quoted = ident(kind, name);
    let setting = |name: &str| options.settings.get(name).map(|value| literal(kind, value));
    let (like, plain) = match kind {
        ServerKind::Postgres => {
            let base = format!("CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8'");
            let like = match (setting("collate"), setting("ctype")) {
                (Some(collate), Some(ctype)) => {
                    format!("{base} LC_COLLATE {collate} LC_CTYPE {ctype}")
                }
                (Some(_) | None, _) => base.clone(),
            };
            (like, base)
        }
        ServerKind::Mysql | ServerKind::Mariadb => {
            let base = format!("CREATE DATABASE {quoted}");
            let like = match (setting("charset"), setting("collation")) {
                (Some(charset), Some(collation)) => {
                    format!("{base} CHARACTER SET {charset} COLLATE {collation}")
                }
                (Some(_) | None, _) => base.clone(),
            };
            (like, base)
        }
        ServerKind::Sqlite => return Ok(()),
    };
    let attempt = "cannot create the shadow database";
    if admin.execute(&like).await.is_err() {
        admin.execute(&plain).await.attempt(attempt)?;
    }
    if kind == ServerKind::Postgres {
        for name in OF_SESSIONS {
            let Some(value) = options.settings.get(name) else { continue };
            // A list of names is printed as it is written.
            let list = name == "search_path" && !value.is_empty();
            let value = if list { value.clone() } else { literal(kind, value) };
            // What this server does not know, such as a time zone, stays as it is.
            let _ = admin.execute(&format!("ALTER DATABASE {quoted} SET {name} = {value}")).await;
        }
    }
    Ok(())
}

/// Settings of sessions that change what statements do (PostgreSQL).
const OF_SESSIONS: [&str; 5] =
    ["timezone", "search_path", "datestyle", "intervalstyle", "default_table_access_method"];

/// Gives a session the settings that one of the target begins with (MySQL, MariaDB). What this
/// server does not know stays as it is.
async fn like_a_new_session(
    connection: &mut Connection,
    settings: &std::collections::BTreeMap<String, String>,
) {
    let kind = connection.server().kind;
    if !kind.is_mysql_family() {
        return;
    }
    let names = [
        "sql_mode",
        "time_zone",
        "default_storage_engine",
        "foreign_key_checks",
        "innodb_strict_mode",
        "alter_algorithm",
        "sql_require_primary_key",
        "sql_generate_invisible_primary_key",
    ];
    for name in names {
        let Some(value) = settings.get(name) else { continue };
        let value = match value.as_str() {
            "ON" | "OFF" => value.clone(),
            _ => literal(kind, value),
        };
        let _ = connection.execute(&format!("SET SESSION {name} = {value}")).await;
    }
}

/// Drops a database with whoever is connected to it.
async fn drop_database(admin: &mut Connection, name: &str) -> Result<(), Error> {
    let Server { kind, version } = admin.server();
    let attempt = "cannot drop the shadow database";
    let quoted = ident(kind, name);
    if kind == ServerKind::Postgres {
        let name = literal(kind, name);
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = {name} AND pid <> pg_backend_pid()"
        );
        admin.execute(&end).await.attempt(attempt)?;
    }
    // PostgreSQL 13 and later wait for the sessions to end (DROP DATABASE, manual).
    let forced = kind == ServerKind::Postgres && version.at_least(13, 0, 0);
    let force = if forced { " WITH (FORCE)" } else { "" };
    let sql = format!("DROP DATABASE IF EXISTS {quoted}{force}");
    admin.execute(&sql).await.attempt(attempt)?;
    Ok(())
}

/// Makes a role (PostgreSQL) or a user (MySQL, MariaDB: `name@host`) that cannot log in.
async fn create_role(connection: &mut Connection, role: &str) -> Result<(), Error> {
    let kind = connection.server().kind;
    let attempt = "cannot create a role on the shadow server";
    let sql = match kind {
        ServerKind::Postgres => {
            let known = format!("SELECT 1 FROM pg_roles WHERE rolname = {}", literal(kind, role));
            if !connection.query(&known).await.attempt(attempt)?.is_empty() {
                return Ok(());
            }
            format!("CREATE ROLE {}", ident(kind, role))
        }
        ServerKind::Mysql | ServerKind::Mariadb => {
            let (user, host) = role.rsplit_once('@').unwrap_or((role, "%"));
            let user = format!("{}@{}", literal(kind, user), literal(kind, host));
            let created = format!("CREATE USER IF NOT EXISTS {user}");
            connection.execute(&created).await.attempt(attempt)?;
            // A view whose definer may not read its tables cannot be used, so definers may do all.
            format!("GRANT ALL ON *.* TO {user}")
        }
        ServerKind::Sqlite => return Ok(()),
    };
    connection.execute(&sql).await.attempt(attempt)?;
    Ok(())
}
