//! Which approvals count, and why the others do not.

use std::fmt;

use ssh_key::{HashAlg, PublicKey, SshSig};

use super::NAMESPACE;
use super::file::{ApprovalFile, Binding, Statement};
use super::policy::Policy;
use super::signers::{AllowedSigners, Signer};
use crate::plan::Instant;

/// All that is looked at.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// What is about to run.
    pub binding: &'a Binding,
    /// Who must have signed: one entry a person, from [`Policy::needs_for`].
    pub needs: &'a [String],
    /// The rules.
    pub policy: &'a Policy,
    /// The keys.
    pub signers: &'a AllowedSigners,
    /// What was taken back.
    pub revoked: &'a Revoked,
    /// Who wrote the change, as far as version control knows.
    pub authors: &'a [String],
    /// The approval files: name and text.
    pub files: &'a [(String, String)],
    /// The time.
    pub now: Instant,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Approvals that count, one a person.
    pub accepted: Vec<Accepted>,
    /// Approvals that do not, each with its reason.
    pub refused: Vec<Refused>,
    /// Roles that nobody signed for.
    pub missing: Vec<String>,
}

impl Judgement {
    /// Says whether the plan may run.
    pub const fn may_run(&self) -> bool {
        self.missing.is_empty()
    }
}

/// An approval that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The file.
    pub file: String,
    /// Who.
    pub approver: String,
    /// The fingerprint of the key.
    pub key: String,
    /// When.
    pub signed_at: Instant,
    /// The need it meets; none when more people signed than were needed.
    pub role: Option<String>,
}

/// An approval that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The file.
    pub file: String,
    /// Why.
    pub reason: Refusal,
}

/// Why an approval does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// There is no signature in it.
    #[error("it is not signed")]
    Unsigned,
    /// The signature does not fit the statement.
    #[error("the file was changed after it was signed")]
    Tampered,
    /// The signature was made for something else.
    #[error("it is signed in the namespace \"{0}\", not in \"{NAMESPACE}\"")]
    WrongNamespace(String),
    /// The list gives the key no right to sign for lockwise.
    #[error("allowed_signers line {0} does not let this key sign in the namespace \"{NAMESPACE}\"")]
    NamespaceNotAllowed(usize),
    /// The key is not listed for the person.
    #[error("the key {key} is not listed for {approver} in allowed_signers")]
    UnknownKey {
        /// Its fingerprint.
        key: String,
        /// Who claims it.
        approver: String,
    },
    /// The key or the plan was taken back.
    #[error("{0} was revoked")]
    Revoked(String),
    /// The key was not valid yet, or no longer, when it signed.
    #[error("the key was not valid at {0}, when it signed")]
    KeyNotValid(Instant),
    /// The signature claims to come from the future.
    #[error("it was signed at {0}, which is still to come: compare the clocks")]
    FromTheFuture(Instant),
    /// It is too old.
    #[error("it expired at {0}")]
    Expired(Instant),
    /// It is for other migrations.
    #[error("it approves another plan ({0})")]
    OtherPlan(String),
    /// The files are not those that were approved.
    #[error("the bytes of migration {0} changed after the approval")]
    BytesChanged(String),
    /// The schema is not the one that was approved.
    #[error("the schema of the database changed after the approval")]
    SchemaChanged,
    /// The rules are not those that were approved.
    #[error("the approval policy changed after the approval")]
    PolicyChanged,
    /// The server is another one.
    #[error("it was given for {approved}, this is {found}")]
    ServerChanged {
        /// The server approved.
        approved: String,
        /// The server found.
        found: String,
    },
    /// Steps or rollback are not those that were approved.
    #[error("the steps or the rollback plan changed after the approval")]
    StepsChanged,
    /// The approver wrote the change.
    #[error("{0} wrote the change and cannot approve it")]
    OwnChange(String),
    /// Nobody knows who wrote the change.
    #[error("nobody knows who wrote the change: pass --author, or run in the git repository")]
    AuthorUnknown,
    /// The approver has none of the roles that are still needed.
    #[error("{approver} does not have the role needed ({needed})")]
    WrongRole {
        /// Who.
        approver: String,
        /// What is needed.
        needed: String,
    },
    /// The person's approval is counted already.
    #[error("{0} approved already: one person counts once, whatever the key")]
    SamePerson(String),
}

/// Keys, plans and people whose approvals no longer count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revoked(Vec<String>);

impl Revoked {
    /// Reads the text of the file: one entry a line, anything behind it is a remark.
    pub fn parse(text: &str) -> Self {
        let entries = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        Self(entries.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
    }

    fn find(&self, entries: &[&str]) -> Option<String> {
        entries.iter().find(|e| self.0.iter().any(|r| r == *e)).map(|e| (*e).to_owned())
    }
}

/// A signature that holds, and who made it.
struct Genuine {
    file: String,
    statement: Statement,
    key: String,
}

/// Decides which approvals count.
pub fn judge(evidence: &Evidence<'_>) -> Judgement {
    let mut judgement =
        Judgement { accepted: Vec::new(), refused: Vec::new(), missing: Vec::new() };
    let mut genuine: Vec<Genuine> = Vec::new();
    for (file, text) in evidence.files {
        let refuse = |reason| Refused { file: file.clone(), reason };
        let result = authenticate(evidence, text)
            .and_then(|found| bound(evidence, &found).map(|()| found))
            .map(|(statement, key)| Genuine { file: file.clone(), statement, key });
        match result {
            Ok(one) if genuine.iter().any(|g| same_person(&g.statement, &one.statement)) => {
                judgement.refused.push(refuse(Refusal::SamePerson(one.statement.approver)));
            }
            Ok(one) => genuine.push(one),
            Err(reason) => judgement.refused.push(refuse(reason)),
        }
    }
    assign(evidence, genuine, &mut judgement);
    judgement
}

fn same_person(one: &Statement, other: &Statement) -> bool {
    one.approver.eq_ignore_ascii_case(&other.approver)
}

/// Checks that somebody listed signed exactly this statement.
fn authenticate(evidence: &Evidence<'_>, text: &str) -> Result<(Statement, String), Refusal> {
    let file = ApprovalFile::parse(text).map_err(|bad| Refusal::Unreadable(bad.to_string()))?;
    if file.signature.trim().is_empty() {
        return Err(Refusal::Unsigned);
    }
    let signature = SshSig::from_pem(file.signature.as_bytes())
        .map_err(|error| Refusal::Unreadable(format!("its signature cannot be read: {error}")))?;
    if signature.namespace() != NAMESPACE {
        return Err(Refusal::WrongNamespace(signature.namespace().to_owned()));
    }
    let key = PublicKey::from(signature.public_key().clone());
    key.verify(NAMESPACE, file.statement.as_bytes(), &signature).map_err(|_| Refusal::Tampered)?;
    let statement = Statement::parse(&file.statement).ok_or(Refusal::Tampered)?;
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let lines: Vec<&Signer> = evidence
        .signers
        .of_key(signature.public_key())
        .filter(|signer| signer.is_for(&statement.approver))
        .collect();
    listed(&lines, &statement, &fingerprint)?;
    let entries =
        [fingerprint.as_str(), statement.binding.plan.as_str(), statement.approver.as_str()];
    match evidence.revoked.find(&entries) {
        Some(entry) => Err(Refusal::Revoked(entry)),
        None => Ok((statement, fingerprint)),
    }
}

/// Checks what the list says about the key: one line that allows everything is enough.
fn listed(lines: &[&Signer], statement: &Statement, key: &str) -> Result<(), Refusal> {
    let Some(first) = lines.first() else {
        let (key, approver) = (key.to_owned(), statement.approver.clone());
        return Err(Refusal::UnknownKey { key, approver });
    };
    let allowed: Vec<_> = lines.iter().filter(|line| line.allows(NAMESPACE)).collect();
    if allowed.is_empty() {
        return Err(Refusal::NamespaceNotAllowed(first.line));
    }
    let at = statement.signed_at;
    let valid = |line: &&Signer| {
        line.valid_after.is_none_or(|after| after <= at)
            && line.valid_before.is_none_or(|before| at < before)
    };
    if allowed.iter().any(|line| valid(line)) { Ok(()) } else { Err(Refusal::KeyNotValid(at)) }
}

/// Checks that the statement is about this plan, this schema, these rules, and now.
fn bound(evidence: &Evidence<'_>, (signed, _): &(Statement, String)) -> Result<(), Refusal> {
    let (approved, found) = (&signed.binding, evidence.binding);
    if approved.plan != found.plan {
        return Err(difference(approved, found));
    }
    if signed.signed_at > evidence.now {
        return Err(Refusal::FromTheFuture(signed.signed_at));
    }
    // The policy's own limit counts as well: an approver cannot grant more time than it does.
    let limit = signed.signed_at.plus(evidence.policy.valid_for.seconds());
    let expires = signed.expires_at.min(limit);
    if expires <= evidence.now {
        return Err(Refusal::Expired(expires));
    }
    if evidence.policy.author_may_approve {
        return Ok(());
    }
    let mut authors = evidence.authors.iter().chain(&signed.authors).peekable();
    if authors.peek().is_none() {
        return Err(Refusal::AuthorUnknown);
    }
    if authors.any(|author| author.eq_ignore_ascii_case(&signed.approver)) {
        return Err(Refusal::OwnChange(signed.approver.clone()));
    }
    Ok(())
}

/// Says which part of the plan differs from what was approved.
fn difference(approved: &Binding, found: &Binding) -> Refusal {
    let versions = |binding: &Binding| -> Vec<String> {
        binding.migrations.iter().map(|(version, _)| version.clone()).collect()
    };
    if versions(approved) != versions(found) {
        return Refusal::OtherPlan(approved.plan.short().to_owned());
    }
    let changed = approved.migrations.iter().zip(&found.migrations).find(|(a, b)| a != b);
    if let Some(((version, _), _)) = changed {
        return Refusal::BytesChanged(version.clone());
    }
    if approved.server != found.server {
        let (approved, found) = (approved.server.clone(), found.server.clone());
        return Refusal::ServerChanged { approved, found };
    }
    if approved.base != found.base {
        return Refusal::SchemaChanged;
    }
    if approved.policy != found.policy {
        return Refusal::PolicyChanged;
    }
    Refusal::StepsChanged
}

/// Gives each need one person; the roles that fewest people have are filled first.
fn assign(evidence: &Evidence<'_>, genuine: Vec<Genuine>, judgement: &mut Judgement) {
    let has = |one: &Genuine, role: &str| evidence.policy.has_role(&one.statement.approver, role);
    // needs × people: the smallest matching problem there is, solved by augmenting paths.
    let mut holder: Vec<Option<usize>> = vec![None; genuine.len()];
    for need in 0..evidence.needs.len() {
        let mut tried = vec![false; genuine.len()];
        let able = |need: usize, person: usize| {
            let role = evidence.needs.get(need).map_or("", String::as_str);
            genuine.get(person).is_some_and(|one| has(one, role))
        };
        if !augment(need, &able, &mut tried, &mut holder) {
            judgement.missing.extend(evidence.needs.get(need).cloned());
        }
    }
    for (one, need) in genuine.into_iter().zip(holder) {
        let role = need.and_then(|need| evidence.needs.get(need).cloned());
        if role.is_none() && !judgement.missing.is_empty() {
            let needed = judgement.missing.join(", ");
            let reason = Refusal::WrongRole { approver: one.statement.approver, needed };
            judgement.refused.push(Refused { file: one.file, reason });
            continue;
        }
        judgement.accepted.push(Accepted {
            file: one.file,
            approver: one.statement.approver,
            key: one.key,
            signed_at: one.statement.signed_at,
            role,
        });
    }
}

/// Finds somebody for a need, moving people who are able to do something else instead.
fn augment(
    need: usize,
    able: &impl Fn(usize, usize) -> bool,
    tried: &mut [bool],
    holder: &mut [Option<usize>],
) -> bool {
    for person in 0..holder.len() {
        if !able(need, person) || tried.get(person).copied().unwrap_or(true) {
            continue;
        }
        if let Some(mark) = tried.get_mut(person) {
            *mark = true;
        }
        let busy = holder.get(person).copied().flatten();
        if busy.is_none_or(|other| augment(other, able, tried, holder)) {
            if let Some(slot) = holder.get_mut(person) {
                *slot = Some(need);
            }
            return true;
        }
    }
    false
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} with {}", self.approver, self.signed_at, self.key)
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
