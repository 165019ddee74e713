//! What a command works on: the configuration, its folder, the rules in force.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::files::shown;
use super::options::GlobalOptions;
use crate::config::{Config, ConfigError};
use crate::rule::RuleSet;

const FILE: &str = "lockwise.toml";

/// The configuration and where it lies.
pub(super) struct Project {
    /// What it says.
    pub(super) config: Config,
    /// Its file; none where there is none.
    pub(super) file: Option<PathBuf>,
}

impl Project {
    /// Reads the configuration: the file that is named, or the nearest one upwards from here.
    pub(super) fn load(global: &GlobalOptions) -> Result<Self, Failure> {
        let file = match &global.config {
            Some(path) => Some(path.clone()),
            None => nearest_file(),
        };
        let Some(file) = file else { return Ok(Self { config: Config::default(), file: None }) };
        let path = shown(&file);
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Failure::new(format!("cannot read {path}")).because(&error).hint("check --config")
        })?;
        let config = Config::parse(&path, &text).map_err(|errors| failure(&errors))?;
        Ok(Self { config, file: Some(file) })
    }

    /// Returns a path that the configuration names: relative to its file.
    pub(super) fn path(&self, written: &Path) -> PathBuf {
        let folder = self.file.as_deref().and_then(Path::parent);
        match folder.filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => folder.join(written),
            None => written.to_owned(),
        }
    }

    /// Returns the folder of the migrations: as an option says, as the configuration says, or
    /// `migrations` beside it.
    pub(super) fn dir(&self, option: Option<&Path>) -> PathBuf {
        match (option, &self.config.dir) {
            (Some(dir), _) => dir.to_owned(),
            (None, Some(dir)) => self.path(dir),
            (None, None) => self.path(Path::new("migrations")),
        }
    }

    /// Returns the rules in force: built in, own ones, and what the configuration says of each.
    pub(super) fn rules(&self) -> Result<RuleSet, Failure> {
        let mut rules = RuleSet::builtin().map_err(|errors| failure(&errors))?;
        let mut errors = Vec::new();
        for path in &self.config.rules {
            for file in rule_files(&self.path(path))? {
                let text = std::fs::read_to_string(&file).map_err(|error| {
                    Failure::new(format!("cannot read the rule {}", shown(&file))).because(&error)
                })?;
                let stem = file.file_stem().unwrap_or_default().to_string_lossy();
                if let Err(found) = rules.add(&shown(&file), &stem, &text) {
                    errors.extend(found);
                }
            }
        }
        if let Err(found) = self.config.configure(&mut rules) {
            errors.extend(found);
        }
        if errors.is_empty() { Ok(rules) } else { Err(failure(&errors)) }
    }
}

fn nearest_file() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut up = PathBuf::new();
    for folder in here.ancestors() {
        if folder.join(FILE).is_file() {
            return Some(up.join(FILE));
        }
        // Above the repository is somebody else's.
        if folder.join(".git").exists() {
            return None;
        }
        up.push("..");
    }
    None
}

fn rule_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| {
        Failure::new(format!("cannot read the rules in {}", shown(path)))
            .because(&error)
            .hint("correct `rules` in lockwise.toml")
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    Ok(files)
}

/// All mistakes of configuration and rule files at once.
fn failure(errors: &[ConfigError]) -> Failure {
    Failure::all(errors.iter().map(|error| {
        let failure = Failure::new(error.to_string());
        match &error.hint {
            Some(hint) => failure.hint(hint.clone()),
            None => failure,
        }
    }))
}
