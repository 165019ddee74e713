//! An open document as a migration with a history.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::text;
use crate::cli::failure::Failure;
use crate::cli::files::{read_folder, shown};
use crate::cli::history::{server_of, walk_options};
use crate::cli::options::ServerOptions;
use crate::cli::project::Project;
use crate::effect::{self, Context, MigrationEffects, walk};
use crate::rule::fix::{Fix, fix};
use crate::rule::{Finding, JudgeOptions, RuleSet, facts_in_words, judge as judge_migration};
use crate::schema::Schema;
use crate::sql::layout::{Given, Group, arrange};
use crate::sql::{Migration, Server, Span};

/// What is known of an open document.
pub(super) struct Judgement {
    /// All migrations of its folder, in order.
    pub(super) all: Vec<Migration>,
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

/// Judges a document; none where it is no migration (a down file, a file of another server).
pub(super) fn judge(
    path: &Path,
    open: &BTreeMap<String, String>,
    options: &ServerOptions,
    project: &Project,
    rules: &RuleSet,
) -> Result<Option<Judgement>, Failure> {
    let given = with_open_documents(read_folder(&folder_of(path))?, open);
    let arrangement = arrange(vec![given], project.config.convention);
    let (server, _) = server_of(options, project, &arrangement, None);
    let wanted = shown(path);
    let mut groups = arrangement.groups;
    groups.iter_mut().for_each(|group| group.select(server));
    let holds = |group: &Group| group.drafts.iter().any(|draft| draft.path() == wanted);
    let Some(group) = groups.into_iter().find(holds) else { return Ok(None) };
    let all: Vec<Migration> = group.drafts.into_iter().map(|draft| draft.parse(server)).collect();
    let mut schema = Schema::new(server, false);
    for migration in &all {
        let options = walk_options(migration, project);
        if migration.up.section.source.path() != wanted {
            walk(migration, &mut schema, &options);
            continue;
        }
        let fixes = fixes(migration, schema.clone());
        let effects = walk(migration, &mut schema, &options);
        let judging = JudgeOptions { adopt_comments: project.config.adopt_comments };
        let judged = judge_migration(migration, &effects, rules, server, judging);
        let (migration, findings) = (migration.clone(), judged.findings);
        return Ok(Some(Judgement { all, migration, effects, findings, fixes, server }));
    }
    Ok(None)
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
fn with_open_documents(given: Given, open: &BTreeMap<String, String>) -> Given {
    let Given::Folder { path, mut files } = given else { return given };
    for file in &mut files {
        let text = text::uri_of(&file.path).and_then(|uri| open.get(uri.as_str()));
        if let Some(text) = text {
            file.bytes = text.clone().into_bytes();
        }
    }
    Given::Folder { path, files }
}

fn fixes(migration: &Migration, mut schema: Schema) -> Vec<Fix> {
    schema.next_migration();
    let mut fixes = Vec::new();
    for statement in &migration.up.statements {
        let context = Context { in_transaction: false, settings: BTreeMap::new() };
        let effects = effect::of(statement, &schema, &context);
        fixes.extend(fix(&migration.up, statement, &schema, &effects));
        schema.apply(statement);
    }
    fixes
}
