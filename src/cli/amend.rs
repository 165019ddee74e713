//! `lockwise amend`.

use std::io::Write as _;

use super::approvals;
use super::baseline::write_rows;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::live::Live;
use super::options::{DirOption, UrlOption, YesOption};
use super::plan::{PlanningOptions, make};
use super::project::Project;
use super::runtime::block_on;
use super::verify::{Compared, compared};
use crate::db::{Event, NewEntry};
use crate::plan::approval::Class;
use crate::plan::rollback::Difference;
use crate::plan::{Applied, Kept, Plan, PlannedMigration, digests_of, kept, version_of};
use crate::sql::Migration;

/// Accept the changed file of an applied migration
///
/// Only where the files as they are now make the schema that the database has: that is tried on a
/// shadow first. Both digests and the reason stay in the history. Where lockwise.toml has an
/// approval policy, it needs what a finding of severity error needs: see
/// `lockwise approve --amend`.
#[derive(Debug, clap::Args)]
pub(super) struct AmendArgs {
    /// Version of the migration
    version: String,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    /// Database server for the shadow, `auto` to start one
    #[arg(long, value_name = "URL")]
    shadow: Option<String>,
    /// Who changed the file [default: whom git names]
    #[arg(long, value_name = "ADDRESS")]
    author: Vec<String>,
    #[command(flatten)]
    yes: YesOption,
}

/// Tries the files, has the change agreed to, and writes it down.
pub(super) fn run(args: &AmendArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    block_on(async {
        let mut live = Live::open(project, &args.dir, &args.url, console).await?;
        live.details().await?;
        let edited = find(&live, &args.version)?;
        let (raw, semantic) = digests_of(&edited.migration, live.server.kind);
        if edited.applied.raw.as_ref() == Some(&raw) {
            writeln!(console.out, "nothing to do: {} is as it was applied", args.version)?;
            return Ok(Exit::Yes);
        }
        same_schema(&mut live, args.shadow.as_deref()).await?;
        let plan = plan_of(&mut live, &edited, console).await?;
        let audit = match &live.project.config.approval {
            Some(policy) => approvals::check(&plan, policy, &live, &args.author, console)?,
            None => Vec::new(),
        };
        writeln!(console.out, "{} {}", args.version, plan_path(&edited.migration))?;
        let before = edited.applied.raw.as_ref().map_or("unknown", |digest| digest.short());
        writeln!(console.out, "  applied as {before}, now {}", raw.short())?;
        let question = format!("accept the changed file of {} in {}?", args.version, live.target);
        if plan.needs.is_empty() && !args.yes.yes && !console.confirm(&question)? {
            console.note("nothing was changed");
            return Ok(Exit::No);
        }
        let mut rows: Vec<NewEntry> = audit
            .into_iter()
            .map(|detail| NewEntry {
                detail: Some(detail),
                ..NewEntry::new("", plan.digest.as_str(), Event::Approval)
            })
            .collect();
        rows.push(NewEntry {
            version: args.version.clone(),
            name: edited.migration.name.clone(),
            raw_digest: Some(raw.to_string()),
            semantic_digest: Some(semantic.to_string()),
            detail: Some(detail(&live, &edited.applied, &args.reason).to_string()),
            ..NewEntry::new("", plan.digest.as_str(), Event::Amended)
        });
        write_rows(&live, rows).await?;
        writeln!(console.out, "amended: {}", args.version)?;
        Ok(Exit::Yes)
    })
}

/// An applied migration whose file is to be accepted as it is now.
pub(super) struct Edited {
    applied: Applied,
    kept: Kept,
    migration: Migration,
}

/// Finds an applied migration and its file.
pub(super) fn find(live: &Live, version: &str) -> Result<Edited, Failure> {
    let applied = live.history.applied(version).cloned().ok_or_else(|| {
        Failure::new(format!("migration {version} is not applied"))
            .hint("run `lockwise status` for the versions that are")
    })?;
    let file = live.migrations.iter().find(|migration| version_of(migration) == version);
    let migration = file.cloned().ok_or_else(|| {
        Failure::new(format!("migration {version} has no file"))
            .hint("restore the file from version control")
            .exit(Exit::No)
    })?;
    let kept = kept(&live.entries, &applied).map_err(|error| {
        Failure::new(error.to_string())
            .hint("restore the file from version control: lockwise does not know what it did")
            .exit(Exit::No)
    })?;
    Ok(Edited { applied, kept, migration })
}

/// Makes sure that the files as they are make the schema that is there.
async fn same_schema(live: &mut Live, shadow: Option<&str>) -> Result<(), Failure> {
    match compared(live, shadow).await? {
        Compared::Not(reason) => Err(Failure::new("the changed file could not be tried")
            .cause(reason)
            .hint("name a database server for the shadow with --shadow")),
        Compared::With(Difference::None | Difference::ColumnOrder(_)) => Ok(()),
        Compared::With(Difference::Something(diff)) => {
            Err(Failure::new("the files as they are now make another schema than the database has")
                .cause(diff.trim_end().to_owned())
                .hint("restore the file, and put the change into a new migration")
                .exit(Exit::No))
        }
    }
}

/// Returns what approvals of the change are bound to: a plan that runs nothing.
pub(super) async fn plan_of(
    live: &mut Live,
    edited: &Edited,
    console: &mut Console,
) -> Result<Plan, Failure> {
    let mut plan = make(live, &[], &PlanningOptions::default(), console).await?;
    let Edited { kept, migration, .. } = edited;
    let (raw, semantic) = digests_of(migration, live.server.kind);
    plan.migrations.push(PlannedMigration {
        version: version_of(migration),
        name: migration.name.clone(),
        path: plan_path(migration),
        raw,
        semantic,
        authors: Vec::new(),
        groups: Vec::new(),
        findings: Vec::new(),
        diff: String::new(),
        change: Vec::new(),
        failure: None,
        surprises: vec!["the file of an applied migration was changed: nothing runs".to_owned()],
        rollback: kept.rollback.clone(),
    });
    plan.classes = vec![Class::Errors];
    if let Some(policy) = &live.project.config.approval {
        plan.needs = policy.needs_for(&plan.classes);
    }
    plan.digest = plan.computed_digest();
    Ok(plan)
}

fn plan_path(migration: &Migration) -> String {
    migration.up.section.source.path().to_owned()
}

/// Returns what the history keeps: all it kept before, and what is accepted now.
fn detail(live: &Live, applied: &Applied, reason: &str) -> serde_json::Value {
    let row = live.entries.iter().find(|row| row.seq == applied.seq);
    let text = row.and_then(|row| row.entry.detail.as_deref()).unwrap_or("{}");
    let mut detail: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(detail) = detail.as_object_mut() {
        let before = serde_json::json!({
            "raw": applied.raw, "semantic": applied.semantic, "reason": reason,
        });
        detail.insert("amended".to_owned(), before);
    }
    detail
}
