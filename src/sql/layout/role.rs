//! What a file is by the convention of its folder: the way there, the way back, or none.

use super::Problem;
use super::name::{Direction, FileName, Prefix, Separator, file_name, is_version_folder};
use super::roots::{Entry, split_path};
use crate::sql::migration::{Convention, Version};

/// What a file is by the convention of its folder.
pub(super) enum Role {
    Up { version: Version, name: String, repeatable: bool, baseline: bool },
    Down { version: Version, name: String },
    Skip(&'static str),
    Bad(Problem),
}

const NO_VERSION: &str = "its name does not start with a version";

pub(super) fn role(entry: &Entry, root: &str, convention: Convention) -> Role {
    let Some(name) = file_name(&entry.file) else {
        return Role::Up {
            version: Version::new(""),
            name: entry.file.clone(),
            repeatable: false,
            baseline: false,
        };
    };
    match convention {
        Convention::Diesel => unit(entry, '-', &["up.sql"]),
        Convention::Prisma => unit(entry, '\0', &["migration.sql"]),
        Convention::Flyway | Convention::Refinery => flyway(entry, &name, convention, root),
        Convention::Plain | Convention::Stdin | Convention::Liquibase | Convention::Sqitch => {
            plain(entry, &name, root)
        }
        Convention::Atlas => atlas(&name),
        Convention::Sqlx => sqlx(entry, &name),
        Convention::GolangMigrate | Convention::Pop => match name.direction {
            Direction::Untold if !entry.named => Role::Skip("neither .up.sql nor .down.sql"),
            Direction::Untold | Direction::Up | Direction::Down => numbered(entry, &name, root),
        },
        Convention::Lockwise
        | Convention::Dbmate
        | Convention::Goose
        | Convention::Rails
        | Convention::Tern
        | Convention::Graphile
        | Convention::Drizzle => numbered(entry, &name, root),
    }
}

fn up(version: impl Into<std::sync::Arc<str>>, name: &str) -> Role {
    let version = Version::new(version);
    Role::Up { version, name: name.to_owned(), repeatable: false, baseline: false }
}

fn numbered(entry: &Entry, name: &FileName<'_>, root: &str) -> Role {
    if name.version.is_empty() && !entry.named {
        return Role::Skip(NO_VERSION);
    }
    let version = match version_folders(entry, root) {
        "" => name.version.to_owned(),
        folders => format!("{folders}/{}", name.version),
    };
    match name.direction {
        Direction::Down => {
            Role::Down { version: Version::new(version), name: name.name.to_owned() }
        }
        Direction::Untold | Direction::Up => up(version, name.name),
    }
}

/// Returns the folders between the root and the file that are named like versions.
fn version_folders<'a>(entry: &'a Entry, root: &str) -> &'a str {
    entry.folder.strip_prefix(root).unwrap_or("").trim_start_matches('/')
}

fn plain(entry: &Entry, name: &FileName<'_>, root: &str) -> Role {
    let Direction::Down = name.direction else {
        let folders = version_folders(entry, root);
        let stem = if name.name.is_empty() { name.version } else { name.name };
        let version = match (folders, name.version) {
            ("", version) => version.to_owned(),
            (folders, _) if !is_version_folder(folders) => name.version.to_owned(),
            (folders, "") => folders.to_owned(),
            (folders, version) => format!("{folders}/{version}"),
        };
        return up(version, stem);
    };
    Role::Down { version: Version::new(name.version), name: name.name.to_owned() }
}

/// Diesel and Prisma: the folder is the migration.
fn unit(entry: &Entry, dropped: char, ups: &[&str]) -> Role {
    let folder = split_path(&entry.folder).1;
    let (version, name) = folder.split_once('_').unwrap_or((folder, ""));
    let version = version.replace(dropped, "");
    if ups.contains(&entry.file.as_str()) {
        up(version, name)
    } else if entry.file == "down.sql" {
        Role::Down { version: Version::new(version), name: name.to_owned() }
    } else if entry.named {
        let stem = entry.file.strip_suffix(".sql").unwrap_or(&entry.file);
        up("", stem)
    } else {
        Role::Skip("not in a folder of its own")
    }
}

fn flyway(entry: &Entry, name: &FileName<'_>, convention: Convention, root: &str) -> Role {
    if name.separator != Separator::Double {
        let stem = entry.file.strip_suffix(".sql").unwrap_or(&entry.file);
        let callback = "its name is neither V…__ nor R__";
        return if entry.named { up(name.version, stem) } else { Role::Skip(callback) };
    }
    let refinery = convention == Convention::Refinery;
    let version = name.version.replace('_', ".");
    if refinery && version.contains('.') {
        let wants = "a whole number";
        return Role::Bad(Problem::NotAVersion { version, tool: "refinery", wants });
    }
    // `0.19/00__users.sql`: who numbers anew in each folder counts the folder in.
    let version = match version_folders(entry, root) {
        folders if name.prefix == Prefix::None && is_version_folder(folders) => {
            Version::new(format!("{folders}/{version}"))
        }
        _ => Version::new(version),
    };
    let text = name.name.to_owned();
    match name.prefix {
        Prefix::Undo if !refinery => Role::Down { version, name: text },
        Prefix::Versioned | Prefix::None | Prefix::Undo => {
            Role::Up { version, name: text, repeatable: false, baseline: false }
        }
        Prefix::Repeatable => Role::Up { version, name: text, repeatable: true, baseline: false },
        Prefix::Baseline => Role::Up { version, name: text, repeatable: false, baseline: true },
    }
}

/// Atlas takes the text before the first underscore, whatever it is.
fn atlas(name: &FileName<'_>) -> Role {
    if name.version.is_empty() {
        let (version, rest) = name.name.split_once('_').unwrap_or((name.name, ""));
        return up(version, rest);
    }
    up(name.version, name.name)
}

fn sqlx(entry: &Entry, name: &FileName<'_>) -> Role {
    let stem = entry.file.strip_suffix(".sql").unwrap_or(&entry.file);
    if name.version.is_empty() || !matches!(name.separator, Separator::Underscore) {
        return match stem.split_once('_') {
            Some((version, _)) if !entry.named => {
                let (version, wants) = (version.to_owned(), "a whole number before the first _");
                Role::Bad(Problem::NotAVersion { version, tool: "sqlx", wants })
            }
            _ if entry.named => up("", stem),
            _ => Role::Skip(NO_VERSION),
        };
    }
    match name.direction {
        Direction::Down => {
            Role::Down { version: Version::new(name.version), name: name.name.to_owned() }
        }
        Direction::Untold | Direction::Up => up(name.version, name.name),
    }
}
