//! What a team asks for before a change may run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::Period;
use crate::plan::{Canon, Digest};

/// The `[approval]` table of lockwise.toml.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The allowed_signers file, in the format of ssh-keygen and git.
    pub allowed_signers: String,
    /// The git revision it is read from, so that a change cannot name its own approvers.
    #[serde(default)]
    pub allowed_signers_rev: Option<String>,
    /// A file of revoked keys (`SHA256:…`), plans (`sha256:…`) and people, one a line.
    #[serde(default)]
    pub revoked: Option<String>,
    /// How long an approval lasts.
    #[serde(default = "two_weeks")]
    pub valid_for: Period,
    /// Whether somebody may approve a change of their own.
    #[serde(default)]
    pub author_may_approve: bool,
    /// Who has which role: role to people, patterns as in allowed_signers.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// What kind of change needs whom.
    #[serde(default)]
    pub needs: Needs,
}

const fn two_weeks() -> Period {
    Period::from_seconds(14 * 86_400)
}

/// The `[approval.needs]` table: each entry is one person with that role, `any` for anybody listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// A change that loses data, or holds a statement that was not understood.
    #[serde(default = "one_of_any")]
    pub loss: Vec<String>,
    /// A change with a finding of severity error.
    #[serde(default = "one_of_any")]
    pub errors: Vec<String>,
    /// A change that makes readers or writers of an existing table wait.
    #[serde(default = "one_of_any")]
    pub locks: Vec<String>,
    /// Every other change.
    #[serde(default)]
    pub clean: Vec<String>,
}

fn one_of_any() -> Vec<String> {
    vec!["any".to_owned()]
}

impl Default for Needs {
    fn default() -> Self {
        Self { loss: one_of_any(), errors: one_of_any(), locks: one_of_any(), clean: Vec::new() }
    }
}

/// What kind of change a plan is; a plan can be of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Data are lost, or a statement was not understood.
    Loss,
    /// There is a finding of severity error.
    Errors,
    /// Readers or writers of an existing table wait.
    Locks,
    /// None of these.
    Clean,
}

impl Class {
    /// Returns the word used in configuration and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Errors => "errors",
            Self::Locks => "locks",
            Self::Clean => "clean",
        }
    }
}

impl Policy {
    /// Returns whom a plan of these classes needs: one entry a person.
    ///
    /// Where several classes apply, each role is needed as often as the class that wants it most
    /// says; a role satisfies an `any` as well.
    pub fn needs_for(&self, classes: &[Class]) -> Vec<String> {
        let mut most: BTreeMap<&str, usize> = BTreeMap::new();
        let mut people = 0;
        for class in classes {
            let list = match class {
                Class::Loss => &self.needs.loss,
                Class::Errors => &self.needs.errors,
                Class::Locks => &self.needs.locks,
                Class::Clean => &self.needs.clean,
            };
            people = people.max(list.len());
            for role in list {
                let count = list.iter().filter(|other| *other == role).count();
                let entry = most.entry(role.as_str()).or_default();
                *entry = count.max(*entry);
            }
        }
        most.remove("any");
        let mut needs: Vec<String> = most
            .into_iter()
            .flat_map(|(role, count)| std::iter::repeat_n(role.to_owned(), count))
            .collect();
        let missing = people.saturating_sub(needs.len());
        needs.extend(std::iter::repeat_n("any".to_owned(), missing));
        needs
    }

    /// Says whether somebody has a role.
    pub fn has_role(&self, principal: &str, role: &str) -> bool {
        role == "any"
            || self.roles.get(role).is_some_and(|people| {
                super::signers::matches_any(people.iter().map(String::as_str), principal)
            })
    }

    /// Returns a digest of all that decides who must approve. The list of signers is not part of
    /// it: somebody joining the team makes no approval invalid.
    pub fn digest(&self) -> Digest {
        let mut canon = Canon::new("lockwise policy");
        canon.text("valid-for", &self.valid_for.to_string());
        canon.text("author-may-approve", if self.author_may_approve { "yes" } else { "no" });
        for (role, people) in &self.roles {
            canon.text("role", role);
            canon.list("people", people.iter().map(String::as_str));
        }
        let Needs { loss, errors, locks, clean } = &self.needs;
        for (name, list) in [("loss", loss), ("errors", errors), ("locks", locks), ("clean", clean)]
        {
            canon.list(name, list.iter().map(String::as_str));
        }
        canon.finish()
    }

    /// Returns the roles that are needed and that nobody has.
    pub fn empty_roles(&self) -> Vec<&str> {
        let Needs { loss, errors, locks, clean } = &self.needs;
        let mut missing: Vec<&str> = [loss, errors, locks, clean]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .filter(|role| *role != "any" && self.roles.get(*role).is_none_or(Vec::is_empty))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        toml::from_str(
            r#"
            allowed_signers = "signers"
            [roles]
            dba = ["mina@shop.example", "*@dba.shop.example"]
            [needs]
            loss = ["dba", "any"]
            locks = ["any"]
            "#,
        )
        .unwrap()
    }

    #[test]
    fn the_strictest_class_decides() {
        let policy = policy();
        assert_eq!(policy.needs_for(&[Class::Clean]), Vec::<String>::new());
        assert_eq!(policy.needs_for(&[Class::Locks]), ["any"]);
        assert_eq!(policy.needs_for(&[Class::Loss, Class::Locks]), ["dba", "any"]);
    }

    #[test]
    fn roles_are_patterns() {
        let policy = policy();
        assert!(policy.has_role("mina@shop.example", "dba"));
        assert!(policy.has_role("x@dba.shop.example", "dba"));
        assert!(!policy.has_role("joon@shop.example", "dba"));
        assert!(policy.has_role("joon@shop.example", "any"));
        assert!(!policy.has_role("mina@shop.example", "lead"));
    }

    #[test]
    fn unknown_keys_are_errors() {
        let error = toml::from_str::<Policy>("allowed_signers = 'a'\nrevokd = 'b'").unwrap_err();
        assert!(error.to_string().contains("revokd"), "{error}");
    }

    #[test]
    fn roles_without_people_are_named() {
        let policy: Policy =
            toml::from_str("allowed_signers = 'a'\n[needs]\nloss = ['lead']").unwrap();
        assert_eq!(policy.empty_roles(), ["lead"]);
    }

    #[test]
    fn the_digest_follows_the_rules_and_not_the_signers() {
        let (mut one, two) = (policy(), policy());
        one.allowed_signers = "elsewhere".to_owned();
        assert_eq!(one.digest(), two.digest());
        one.author_may_approve = true;
        assert_ne!(one.digest(), two.digest());
    }
}
