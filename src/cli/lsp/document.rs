//! An open document as a migration with a history.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;

use super::text;
use crate::cli::failure::Failure;
use crate::cli::files::{read_folder, shown};
use crate::cli::history::server_of;
use crate::cli::options::ServerOptions;
use crate::cli::project::Project;
use crate::cli::track::walk_options;
use crate::effect::{MigrationEffects, walk, walk_each};
use crate::rule::fix::{Fix, fix};
use crate::rule::{Finding, JudgeOptions, RuleSet, facts_in_words, judge};
use crate::schema::Schema;
use crate::sql::layout::{
    Arrangement, Content, Draft, Given, Group, InputFile, LayoutError, arrange, is_sidecar,
};
use crate::sql::{Convention, Migration, Server, Span, Version};

/// What is known of an open document.
pub(super) struct Judgement {
    /// The versions of its folder.
    pub(super) versions: BTreeSet<Version>,
    /// The document as a migration.
    pub(super) migration: Migration,
    /// What it does.
    effects: MigrationEffects,
    /// What the rules say.
    pub(super) findings: Vec<Finding>,
    /// Safe forms of its statements.
    pub(super) fixes: Vec<Fix>,
    server: Server,
}

/// What documents are judged by.
pub(super) struct Desk {
    /// Where the server is named.
    pub(super) options: ServerOptions,
    /// The configuration.
    pub(super) project: Project,
    /// The rules in force.
    pub(super) rules: RuleSet,
    /// The history of the document that was judged last.
    past: Option<Past>,
}

/// All that comes before a document. It holds as long as nothing but the document changes.
struct Past {
    signs: Signs,
    convention: Convention,
    server: Server,
    versions: BTreeSet<Version>,
    /// The schema before the document; none where the document is no migration.
    schema: Option<Schema>,
}

/// Signs by which a history is known again.
#[derive(PartialEq)]
struct Signs {
    path: String,
    /// The other files: when they were written and how long they are.
    files: Vec<(String, Option<SystemTime>, u64)>,
    /// The other files that are open, as they stand in the editor.
    open: BTreeMap<String, String>,
    /// What the document alone looks like: it may decide for its folder.
    alone: (Option<Convention>, Server),
}

impl Judgement {
    /// Returns the statement at a byte and what it does, in Markdown.
    pub(super) fn facts_at(&self, offset: u32) -> Option<(Span, String)> {
        let statements = self.migration.up.statements.iter().zip(&self.effects.statements);
        let (statement, run) = statements.into_iter().find(|(statement, _)| {
            statement.span.start <= offset && offset <= statement.span.end
        })?;
        let facts = facts_in_words(&run.effects, self.server.kind);
        let lines = if facts.is_empty() {
            "locks no table that others use".to_owned()
        } else {
            facts.iter().map(|fact| format!("- {fact}")).collect::<Vec<_>>().join("\n")
        };
        let title = format!("**{} {}**", self.server.kind.title(), self.server.version);
        Some((statement.span, format!("{title}\n\n{lines}")))
    }
}

impl Desk {
    /// Returns a desk on which nothing lies yet.
    pub(super) const fn new(options: ServerOptions, project: Project, rules: RuleSet) -> Self {
        Self { options, project, rules, past: None }
    }

    /// Judges a document; none where it is no migration (a down file, a file of another server).
    ///
    /// The files before it are replayed when they have changed, not at every key.
    pub(super) fn judge(
        &mut self,
        path: &Path,
        open: &BTreeMap<String, String>,
    ) -> Result<Option<Judgement>, Failure> {
        let wanted = shown(path);
        let Given::Folder { path: folder, files } = read_folder(&folder_of(path))? else {
            return Ok(None);
        };
        let mut files = with_open_documents(files, open);
        let alone = |convention| {
            let keeps = |file: &&InputFile| file.path == wanted || is_a_sidecar(&file.path);
            let files = files.iter().filter(keeps).cloned().collect();
            arrange(vec![Given::Folder { path: folder.clone(), files }], convention)
        };
        let itself = alone(self.project.config.convention);
        let (server, _) = server_of(&self.options, &self.project, &itself, None);
        let convention = itself.groups.first().map(|group| group.convention);
        let signs = signs(&wanted, &files, open, (convention, server));
        let known = self.past.as_ref().filter(|past| past.signs == signs);
        let draft = match known {
            Some(past) => only_draft(alone(Some(past.convention)), &wanted),
            None => {
                files.retain(|file| !is_gone(file));
                self.replay(signs, vec![Given::Folder { path: folder.clone(), files }], &wanted)?
            }
        };
        let past = self.past.as_ref();
        let past = past.and_then(|past| past.schema.as_ref().map(|schema| (past, schema)));
        let (Some(draft), Some((past, schema))) = (draft, past) else { return Ok(None) };
        let migration = draft.parse(past.server).map_err(|error| unreadable(&error))?;
        let versions = past.versions.clone();
        Ok(Some(self.judged(migration, schema.clone(), past.server, versions)))
    }

    /// Judges a document that is in no folder yet: it has no history.
    pub(super) fn judge_alone(&self, name: &str, text: &str) -> Result<Judgement, Failure> {
        let content = Content::Bytes(text.as_bytes().to_vec());
        let file = InputFile { path: name.to_owned(), content };
        let given = vec![Given::File { file, beside: Vec::new() }];
        let arrangement = arrange(given, Some(Convention::Plain));
        let (server, _) = server_of(&self.options, &self.project, &arrangement, None);
        let draft = arrangement.groups.into_iter().flat_map(|group| group.drafts).next();
        let unread = || Failure::new(format!("{name} is no SQL"));
        let migration = draft.ok_or_else(unread)?.parse(server);
        let migration = migration.map_err(|error| unreadable(&error))?;
        Ok(self.judged(migration, Schema::new(server, false), server, BTreeSet::new()))
    }

    /// Replays what comes before the document, and returns the document.
    fn replay(
        &mut self,
        signs: Signs,
        given: Vec<Given>,
        wanted: &str,
    ) -> Result<Option<Draft>, Failure> {
        let arrangement = arrange(given, self.project.config.convention);
        let (server, _) = server_of(&self.options, &self.project, &arrangement, None);
        let mut groups = arrangement.groups;
        groups.iter_mut().for_each(|group| group.select(server));
        let holds = |group: &Group| group.drafts.iter().any(|draft| draft.path() == wanted);
        let group = groups.into_iter().find(holds);
        let convention = group.as_ref().map_or(Convention::Plain, |group| group.convention);
        let mut drafts = group.map(|group| group.drafts).unwrap_or_default();
        let versions = drafts.iter().map(|draft| draft.version.clone()).collect();
        let at = drafts.iter().position(|draft| draft.path() == wanted);
        let later = at.map(|at| drafts.split_off(at)).unwrap_or_default();
        let mut schema = at.map(|_| Schema::new(server, false));
        if let Some(schema) = &mut schema {
            let parsed: Vec<Result<Migration, LayoutError>> =
                drafts.into_par_iter().map(|draft| draft.parse(server)).collect();
            for migration in parsed {
                let migration = migration.map_err(|error| unreadable(&error))?;
                let options = walk_options(&migration, &self.project);
                walk(&migration, schema, &options);
            }
        }
        self.past = Some(Past { signs, convention, server, versions, schema });
        Ok(later.into_iter().next())
    }

    fn judged(
        &self,
        migration: Migration,
        mut schema: Schema,
        server: Server,
        versions: BTreeSet<Version>,
    ) -> Judgement {
        let mut fixes = Vec::new();
        let options = walk_options(&migration, &self.project);
        let effects = walk_each(&migration, &mut schema, &options, |statement, schema, effects| {
            fixes.extend(fix(&migration, statement, schema, effects));
        });
        let judging = JudgeOptions { adopt_comments: self.project.config.adopt_comments };
        let judged = judge(&migration, &effects, &self.rules, server, judging);
        let findings = judged.findings;
        Judgement { versions, migration, effects, findings, fixes, server }
    }
}

fn unreadable(error: &LayoutError) -> Failure {
    Failure::new(error.to_string()).hint(error.hint())
}

fn only_draft(arrangement: Arrangement, wanted: &str) -> Option<Draft> {
    let mut drafts = arrangement.groups.into_iter().flat_map(|group| group.drafts);
    drafts.find(|draft| draft.path() == wanted)
}

fn is_a_sidecar(path: &str) -> bool {
    is_sidecar(path.rsplit('/').next().unwrap_or(path))
}

/// Says whether a file is listed and cannot be read: it went away meanwhile.
fn is_gone(file: &InputFile) -> bool {
    matches!(file.content, Content::Unread(_)) && !Path::new(&file.path).exists()
}

/// Returns the signs of what is around a document.
fn signs(
    wanted: &str,
    files: &[InputFile],
    open: &BTreeMap<String, String>,
    alone: (Option<Convention>, Server),
) -> Signs {
    let itself = text::uri_of(wanted);
    let itself = itself.as_ref().map_or("", |uri| uri.as_str());
    let sign = |file: &InputFile| {
        let found = std::fs::metadata(&file.path).ok();
        let written = found.as_ref().and_then(|found| found.modified().ok());
        (file.path.clone(), written, found.map_or(0, |found| found.len()))
    };
    let mut files: Vec<_> = files.iter().filter(|file| file.path != wanted).map(sign).collect();
    files.sort();
    let others = open.iter().filter(|(uri, _)| uri.as_str() != itself);
    let open = others.map(|(uri, text)| (uri.clone(), text.clone())).collect();
    Signs { path: wanted.to_owned(), files, open, alone }
}

/// Returns the folder whose migrations are the document's history: diesel and Prisma have a folder
/// for each migration, which is one too deep.
fn folder_of(path: &Path) -> PathBuf {
    let parent = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    let own_folder = matches!(name, "up.sql" | "down.sql" | "migration.sql");
    let folder = if own_folder { parent.parent() } else { None };
    folder.unwrap_or(parent).to_owned()
}

/// Replaces what is on disk by what is in the editor.
fn with_open_documents(
    mut files: Vec<InputFile>,
    open: &BTreeMap<String, String>,
) -> Vec<InputFile> {
    for file in &mut files {
        let text = text::uri_of(&file.path).and_then(|uri| open.get(uri.as_str()));
        if let Some(text) = text {
            file.content = Content::Bytes(text.clone().into_bytes());
        }
    }
    files
}
