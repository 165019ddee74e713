//! Finds the binaries of a server on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sql::{Server, ServerKind, ServerVersion};

/// The two programs that a temporary server needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    /// Makes a data directory.
    pub(super) install: PathBuf,
    /// Serves it.
    pub(super) serve: PathBuf,
    /// The version of the server.
    pub(super) version: ServerVersion,
    /// The folder with the server's own tables in SQL, where `install` needs to be told.
    pub(super) base: Option<PathBuf>,
}

/// Returns the binaries nearest to the wanted version.
pub(super) fn find(wanted: Server, folders: &[PathBuf]) -> Option<Binaries> {
    let mut places = folders.to_vec();
    match wanted.kind {
        ServerKind::Postgres => places.extend(postgres_folders()),
        ServerKind::Mysql | ServerKind::Mariadb => {
            let usual = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
            let more = ["/usr/libexec", "/usr/local/mysql/bin"];
            places.extend(usual.into_iter().chain(more).map(PathBuf::from));
        }
        ServerKind::Sqlite => {}
    }
    let mut found: Vec<Binaries> =
        places.iter().filter_map(|folder| in_folder(wanted.kind, folder, &places)).collect();
    found.sort_by_key(|binaries| distance(wanted.version, binaries.version));
    found.into_iter().next()
}

/// Says how far a version is from the wanted one; of two equally far, the later is nearer.
fn distance(wanted: ServerVersion, found: ServerVersion) -> (u16, bool, u16, bool) {
    (
        wanted.major.abs_diff(found.major),
        found.major < wanted.major,
        wanted.minor.abs_diff(found.minor),
        found.minor < wanted.minor,
    )
}

/// Returns where packages put PostgreSQL.
fn postgres_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let printed = Command::new("pg_config").arg("--bindir").output();
    if let Ok(output) = printed {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    let parents = ["/usr/lib/postgresql", "/usr/local/lib/postgresql", "/usr"];
    for parent in parents {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        let names = entries.filter_map(Result::ok).map(|entry| entry.path());
        folders.extend(names.filter(|path| is_postgres_folder(path)).map(|path| path.join("bin")));
    }
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    folders
}

/// Says whether a folder's name is a version (Debian), `pgsql-15` (RPM) or `postgresql@15`.
fn is_postgres_folder(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    name.starts_with("pgsql") || name.starts_with("postgresql") || name.parse::<f32>().is_ok()
}

/// Looks into one folder.
fn in_folder(kind: ServerKind, folder: &Path, others: &[PathBuf]) -> Option<Binaries> {
    match kind {
        ServerKind::Postgres => {
            let install = existing(folder, "initdb")?;
            let serve = existing(folder, "postgres")?;
            let version = version_of(&serve, ServerKind::Postgres)?;
            Some(Binaries { install, serve, version, base: None })
        }
        ServerKind::Mariadb => {
            let serve = existing(folder, "mariadbd").or_else(|| existing(folder, "mysqld"))?;
            let version = version_of(&serve, ServerKind::Mariadb)?;
            let names = ["mariadb-install-db", "mysql_install_db"];
            let parent = folder.parent().map(|parent| parent.join("scripts"));
            let places = std::iter::once(folder).chain(parent.as_deref());
            let mut places = places.chain(others.iter().map(PathBuf::as_path));
            let install = places
                .find_map(|place| names.into_iter().find_map(|name| existing(place, name)))?;
            Some(Binaries { install, serve, version, base: None })
        }
        ServerKind::Mysql => {
            let serve = existing(folder, "mysqld")?;
            let version = version_of(&serve, ServerKind::Mysql)?;
            Some(Binaries { install: serve.clone(), serve, version, base: None })
        }
        ServerKind::Sqlite => None,
    }
}

/// Returns the path of a program, if it is there.
fn existing(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    path.is_file().then_some(path)
}

/// Asks a server binary for its version; none where it is the other one of MySQL and MariaDB.
fn version_of(serve: &Path, kind: ServerKind) -> Option<ServerVersion> {
    let output = Command::new(serve).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_mariadb = text.to_ascii_lowercase().contains("mariadb");
    if (kind == ServerKind::Mariadb) != is_mariadb {
        return None;
    }
    let mut words = text.split_whitespace();
    words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_version_is_taken_and_the_later_of_two() {
        let at = |text: &str| text.parse::<ServerVersion>().unwrap();
        let mut found = [at("13.4"), at("17.1"), at("14.2")];
        found.sort_by_key(|version| distance(at("15.3"), *version));
        assert_eq!(found, [at("14.2"), at("17.1"), at("13.4")]);
    }
}
