//! `lockwise approve`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::amend;
use super::approvals;
use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::files::shown;
use super::live::Live;
use super::options::{DirOption, UrlOption, YesOption};
use super::plan::{PlanningOptions, make, order, show};
use super::project::Project;
use super::rollback::{HowFar, plan_back};
use super::running::now;
use super::runtime::block_on;
use crate::plan::approval::{ApprovalFile, NAMESPACE, Policy, Statement};
use crate::plan::{Instant, Plan};

/// Approve the plan of the pending migrations
///
/// Shows the plan and signs it with your SSH key, through ssh-keygen or your agent. The approval is
/// a file beside the migrations, to be committed with them; it holds for exactly these bytes on
/// exactly this schema.
#[derive(Debug, clap::Args)]
pub(super) struct ApproveArgs {
    #[command(flatten)]
    dir: DirOption,
    #[command(flatten)]
    url: UrlOption,
    #[command(flatten)]
    planning: PlanningOptions,
    #[command(flatten)]
    yes: YesOption,
    /// Approve taking migrations back: everything after this version
    #[arg(long, value_name = "VERSION", conflicts_with = "rollback_steps")]
    rollback_to: Option<String>,
    /// Approve taking so many migrations back
    #[arg(long, value_name = "N")]
    rollback_steps: Option<usize>,
    /// Approve the changed file of this applied migration
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["rollback_to", "rollback_steps"])]
    amend: Option<String>,
    /// Digest, or its beginning, that the plan must have
    #[arg(long, value_name = "DIGEST")]
    plan: Option<String>,
    /// Key to sign with: a private key, or the public half of one that the agent holds
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Who you are in allowed_signers [default: whom it names for the key]
    #[arg(long = "as", value_name = "ADDRESS")]
    principal: Option<String>,
    /// Remark that is signed along
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    comment: String,
}

/// Makes the plan, shows it, signs it.
pub(super) fn run(args: &ApproveArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let (live, plan) = block_on(async {
        let mut live = Live::open(project, &args.dir, &args.url, console).await?;
        live.pooled |= args.planning.pooled;
        if let Some(version) = &args.amend {
            live.details().await?;
            let edited = amend::find(&live, version)?;
            let plan = amend::plan_of(&mut live, &edited, console).await?;
            return Ok((live, plan));
        }
        let how_far = HowFar { to: args.rollback_to.clone(), steps: args.rollback_steps };
        if !how_far.is_unsaid() {
            let plan = plan_back(&mut live, &how_far, &args.planning, console).await?;
            return Ok((live, plan));
        }
        let pending = live.pending(order(&args.planning), console)?;
        let pending: Vec<_> = pending.into_iter().cloned().collect();
        let plan = make(&mut live, &pending, &args.planning, console).await?;
        Ok((live, plan))
    })?;
    let Some(policy) = &live.project.config.approval else {
        return Err(Failure::new("there is no approval policy")
            .hint("write an [approval] table into lockwise.toml"));
    };
    show(&plan, console)?;
    writeln!(console.out)?;
    if plan.migrations.is_empty() {
        return Err(Failure::new("there is nothing to approve: no migration is pending"));
    }
    expect_digest(args, &plan)?;
    let who = principal(args, policy, &live)?;
    let question = format!("approve plan {} as {who}?", plan.digest.short());
    if !args.yes.yes && !console.confirm(&question)? {
        console.note("nothing was signed");
        return Ok(Exit::No);
    }
    let path = sign(args, &plan, policy, &live, &who)?;
    writeln!(console.out, "approved: {}", shown(&path))?;
    Ok(Exit::Yes)
}

/// What is approved is what was reviewed.
fn expect_digest(args: &ApproveArgs, plan: &Plan) -> Result<(), Failure> {
    let Some(expected) = &args.plan else { return Ok(()) };
    let hex = plan.digest.as_str().split_once(':').map_or("", |(_, hex)| hex);
    if plan.digest.as_str() == expected || (expected.len() >= 8 && hex.starts_with(expected)) {
        return Ok(());
    }
    Err(Failure::new(format!("the plan is {}, not {expected}", plan.digest))
        .hint("review the plan as it is now: files, schema or policy changed since")
        .exit(Exit::No))
}

/// Finds out who signs.
fn principal(args: &ApproveArgs, policy: &Policy, live: &Live) -> Result<String, Failure> {
    if let Some(principal) = &args.principal {
        return Ok(principal.clone());
    }
    let public = public_key(&args.key)?;
    let signers = approvals::signers(policy, &live.project)?;
    let plain = |name: &&String| !name.contains(['*', '?', '!']);
    let found = signers.of_key(public.key_data()).flat_map(|s| &s.principals).find(plain);
    found.cloned().ok_or_else(|| {
        Failure::new(format!("{} is not listed in allowed_signers", shown(&args.key)))
            .hint("say who you are with --as, or have the key added to the list")
    })
}

/// Reads the public half of a key: the file itself, or the `.pub` beside it.
fn public_key(path: &Path) -> Result<ssh_key::PublicKey, Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let candidates = [path.to_owned(), PathBuf::from(beside)];
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).ok()?;
        ssh_key::PublicKey::from_openssh(text.trim()).ok()
    };
    candidates.iter().find_map(read).ok_or_else(|| {
        Failure::new(format!("no public key in {} or {}.pub", shown(path), shown(path)))
            .hint("name a key of yours with --key, for example ~/.ssh/id_ed25519")
    })
}

/// Writes the approval and has ssh-keygen sign it.
fn sign(
    args: &ApproveArgs,
    plan: &Plan,
    policy: &Policy,
    live: &Live,
    who: &str,
) -> Result<PathBuf, Failure> {
    let now = Instant::from_unix(now());
    let mut authors: Vec<String> =
        plan.migrations.iter().flat_map(|m| m.authors.iter().cloned()).collect();
    authors.sort();
    authors.dedup();
    let statement = Statement {
        binding: plan.binding(),
        target: plan.target.name.clone(),
        authors,
        approver: who.to_owned(),
        signed_at: now,
        expires_at: now.plus(policy.valid_for.seconds()),
        comment: args.comment.clone(),
    };
    let mut file = ApprovalFile::unsigned(&statement);
    file.signature = ssh_sign(&args.key, &file.statement)?;
    let path = approvals::file(&live.dir, plan, who);
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot write {}", shown(&path))).cause(error.to_string())
    };
    std::fs::create_dir_all(approvals::folder(&live.dir)).map_err(failed)?;
    std::fs::write(&path, file.to_text()).map_err(failed)?;
    Ok(path)
}

/// Signs a text: `ssh-keygen -Y sign` reads it from its standard input and asks for passphrases by
/// itself; a public key is signed with by the agent.
fn ssh_sign(key: &Path, text: &str) -> Result<String, Failure> {
    let attempt = || Failure::new(format!("cannot sign with {}", shown(key)));
    let mut child = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            attempt().cause(error.to_string()).hint("install OpenSSH: ssh-keygen signs")
        })?;
    if let Some(mut stdin) = child.stdin.take() {
        let written = stdin.write_all(text.as_bytes());
        written.map_err(|error| attempt().cause(error.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|error| attempt().cause(error.to_string()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(attempt().cause(words).hint("name a key of yours, or load it into the agent"));
    }
    String::from_utf8(output.stdout).map_err(|error| attempt().cause(error.to_string()))
}
