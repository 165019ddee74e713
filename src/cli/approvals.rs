//! Approval files beside the migrations: reading, judging, telling.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::files::shown;
use super::live::Live;
use super::project::Project;
use super::running::now;
use crate::plan::approval::{AllowedSigners, Evidence, Judgement, Policy, Revoked, judge};
use crate::plan::{Instant, Plan, version_of};

/// The folder of the approvals below that of the migrations.
const FOLDER: &str = "approvals";
/// What their names end with.
const ENDING: &str = "approval";

/// Returns the folder of the approvals.
pub(super) fn folder(dir: &Path) -> PathBuf {
    dir.join(FOLDER)
}

/// Returns the file of somebody's approval of a plan.
pub(super) fn file(dir: &Path, plan: &Plan, who: &str) -> PathBuf {
    let who: String =
        who.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    folder(dir).join(format!("{}-{who}.{ENDING}", plan.digest.short()))
}

/// Makes sure that everybody who has to agree has; returns a line for the journal for each.
pub(super) fn check(
    plan: &Plan,
    policy: &Policy,
    live: &Live,
    named: &[String],
    console: &mut Console,
) -> Result<Vec<String>, Failure> {
    if plan.needs.is_empty() {
        return Ok(Vec::new());
    }
    let judgement = judgement(plan, policy, live, named)?;
    if judgement.may_run() {
        for accepted in &judgement.accepted {
            console.note(&format!("approved by {accepted}"));
        }
        return Ok(judgement
            .accepted
            .iter()
            .map(|accepted| {
                serde_json::json!({
                    "approver": accepted.approver, "key": accepted.key, "role": accepted.role,
                    "signed_at": accepted.signed_at.to_string(), "file": accepted.file,
                    "plan": plan.digest.as_str(),
                })
                .to_string()
            })
            .collect());
    }
    let mut failure = Failure::new(format!(
        "plan {} is not approved: missing {}",
        plan.digest.short(),
        judgement.missing.join(", ")
    ));
    for refused in &judgement.refused {
        failure = failure.cause(format!("{}: {}", refused.file, refused.reason));
    }
    if judgement.refused.is_empty() {
        let folder = shown(&folder(&live.dir));
        failure = failure.cause(format!("there is no approval of it in {folder}"));
    }
    Err(failure.hint("have the plan reviewed, and signed with `lockwise approve`").exit(Exit::No))
}

/// Looks at all approval files.
pub(super) fn judgement(
    plan: &Plan,
    policy: &Policy,
    live: &Live,
    named: &[String],
) -> Result<Judgement, Failure> {
    if let [role, ..] = policy.empty_roles().as_slice() {
        return Err(Failure::new(format!("nobody has the role \"{role}\" that the policy needs"))
            .hint("name people under [approval.roles] in lockwise.toml"));
    }
    let signers = signers(policy, &live.project)?;
    let revoked = match &policy.revoked {
        None => Revoked::default(),
        Some(path) => Revoked::parse(&read(&live.project.path(Path::new(path)))?),
    };
    let planned = live
        .migrations
        .iter()
        .filter(|file| plan.migrations.iter().any(|m| m.version == version_of(file)));
    let mut authors: Vec<String> = live.authors(named, planned).into_values().flatten().collect();
    authors.sort();
    authors.dedup();
    let files = approval_files(&live.dir)?;
    Ok(judge(&Evidence {
        binding: &plan.binding(),
        needs: &plan.needs,
        policy,
        signers: &signers,
        revoked: &revoked,
        authors: &authors,
        files: &files,
        now: Instant::from_unix(now()),
    }))
}

/// Reads the list of keys, from a git revision where the policy names one.
pub(super) fn signers(policy: &Policy, project: &Project) -> Result<AllowedSigners, Failure> {
    let path = project.path(Path::new(&policy.allowed_signers));
    let text = match &policy.allowed_signers_rev {
        None => read(&path)?,
        Some(revision) => git_show(revision, &path)?,
    };
    AllowedSigners::parse(&text).map_err(|bad| {
        Failure::new(format!("{}:{}: {}", shown(&path), bad.line, bad.reason))
            .hint("write it as for git: people, options, key type, key (ssh-keygen(1))")
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("cannot read {}", shown(path))).cause(error.to_string())
    })
}

fn git_show(revision: &str, path: &Path) -> Result<String, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let output = Command::new("git")
        .current_dir(folder.unwrap_or(Path::new(".")))
        .args(["show", &format!("{revision}:./{name}")])
        .output();
    let attempt = || Failure::new(format!("cannot read {} at {revision}", shown(path)));
    let output = output.map_err(|error| attempt().cause(error.to_string()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(attempt().cause(words).hint("fetch the revision, or correct the policy"));
    }
    String::from_utf8(output.stdout).map_err(|error| attempt().cause(error.to_string()))
}

fn approval_files(dir: &Path) -> Result<Vec<(String, String)>, Failure> {
    let folder = folder(dir);
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == ENDING))
        .collect();
    paths.sort();
    paths.iter().map(|path| Ok((shown(path), read(path)?))).collect()
}
