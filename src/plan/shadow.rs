//! The throw-away databases that dry runs are made in.

use super::dry_run::Ground;
use super::model::Shadow as Described;
use crate::db::{self, Connection, ShadowOptions, Snapshot, SnapshotOptions};

/// Where empty databases come from.
#[derive(Debug)]
pub struct Shadow {
    place: Option<Box<db::Shadow>>,
    described: Described,
    /// Statements that could not be loaded, and why.
    skipped: Vec<String>,
    /// How many of how many objects are loaded, where not all are.
    part: Option<(usize, usize)>,
    /// A session on a database that is as it was after loading the schema of this text.
    clean: Option<(String, Connection)>,
}

impl Shadow {
    /// Starts or reaches a server for the dry run. Without one there is a plan all the same, which
    /// says why.
    pub async fn start(options: ShadowOptions) -> Self {
        let given = options.url.as_ref().map(ToString::to_string);
        match db::Shadow::start(options).await {
            Ok(place) => {
                let server = place.server();
                let what = format!("{} {}", server.kind.title(), server.version);
                let (kind, mut detail) = match (server.kind, given) {
                    (crate::sql::ServerKind::Sqlite, _) => {
                        ("memory", format!("{what} in memory, empty"))
                    }
                    (_, Some(url)) => ("given", format!("{what} at {url}, an empty database")),
                    (_, None) => ("own-server", format!("{what}, started for this, empty")),
                };
                if let Some(difference) = place.difference() {
                    detail = format!("{detail}; {difference}");
                }
                let described = Described { kind: kind.to_owned(), detail };
                Self {
                    place: Some(Box::new(place)),
                    described,
                    skipped: Vec::new(),
                    part: None,
                    clean: None,
                }
            }
            Err(error) => Self::none(match error.hint() {
                Some(hint) => format!("{error}: {hint}"),
                None => error.to_string(),
            }),
        }
    }

    /// Returns a shadow that is none, for that reason.
    pub fn none(reason: impl Into<String>) -> Self {
        let described = Described { kind: "none".to_owned(), detail: reason.into() };
        Self { place: None, described, skipped: Vec::new(), part: None, clean: None }
    }

    /// Returns what the plan says about it.
    pub fn described(&self) -> Described {
        let mut described = self.described.clone();
        if let Some((part, all)) = self.part {
            described.detail = format!(
                "{}, with the {part} of {all} objects that the migrations concern",
                described.detail
            );
        }
        if let Some(first) = self.skipped.first() {
            let count = self.skipped.len();
            described.detail =
                format!("{}; {count} statements left out: {first}", described.detail);
        }
        described
    }

    /// Says whose server it is on.
    pub(super) fn ground(&self) -> Ground {
        if self.described.kind == "given" { Ground::Given } else { Ground::Own }
    }

    /// Says why there is none, if there is none.
    pub fn missing(&self) -> Option<&str> {
        self.place.is_none().then_some(self.described.detail.as_str())
    }

    /// Notes that so many of all objects are loaded: those that the migrations concern.
    pub(super) fn holds_part(&mut self, part: usize, all: usize) {
        self.part = Some((part, all));
    }

    /// Opens an empty database and loads a schema into it; nothing where there is no shadow.
    pub async fn seeded(&mut self, with: &Snapshot) -> Result<Option<Connection>, db::Error> {
        let Some(place) = &mut self.place else { return Ok(None) };
        if let Some((text, connection)) = self.clean.take()
            && text == with.text()
        {
            return Ok(Some(connection));
        }
        let (connection, report) = place.seeded(with).await?;
        let skipped = report.skipped.iter();
        self.skipped = skipped.map(|(sql, error)| format!("{sql}: {error}")).collect();
        Ok(Some(connection))
    }

    /// Takes back a database whose schema was proven to be the one it was loaded with, and into
    /// which no rows were written: the next plan need not load it again.
    pub(super) fn give_back(&mut self, with: &Snapshot, connection: Connection) {
        self.clean = Some((with.text(), connection));
    }

    /// Drops the database and stops the server.
    pub async fn stop(mut self) -> Result<(), db::Error> {
        if let Some((_, connection)) = self.clean.take() {
            connection.close().await?;
        }
        match self.place {
            Some(place) => place.stop().await,
            None => Ok(()),
        }
    }
}

/// Returns what snapshots are compared by: neither owners nor our own tables nor the attic.
pub fn snapshot_options() -> SnapshotOptions {
    let mut options = SnapshotOptions { grants: true, ..SnapshotOptions::default() };
    options.without_schemas.insert(super::attic::SCHEMA.to_owned());
    options.own_prefix = Some(format!("{}_", super::attic::SCHEMA));
    options
}
