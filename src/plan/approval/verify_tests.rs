//! Every way in which an approval fails to count.

use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey, SshSig};

use super::*;
use crate::plan::Digest;

const NOW: Instant = Instant::from_unix(1_772_357_400);
const MINA: &str = "mina@shop.example";
const JOON: &str = "joon@shop.example";

/// One case: everything in order, to be spoilt in one place.
struct Case {
    binding: Binding,
    policy: Policy,
    signers: String,
    revoked: String,
    authors: Vec<String>,
    needs: Vec<String>,
    files: Vec<(String, String)>,
    now: Instant,
}

fn key(seed: u8) -> PrivateKey {
    let pair = Ed25519Keypair::from_seed(&[seed; 32]);
    PrivateKey::new(KeypairData::Ed25519(pair), "").unwrap()
}

fn line(principal: &str, options: &str, seed: u8) -> String {
    format!("{principal} {options} {}\n", key(seed).public_key().to_openssh().unwrap())
}

fn binding() -> Binding {
    Binding {
        plan: Digest::of_bytes(b"plan"),
        server: "postgres 15".to_owned(),
        base: Digest::of_bytes(b"base"),
        policy: Some(Digest::of_bytes(b"policy")),
        migrations: vec![("0042".to_owned(), Digest::of_bytes(b"file"))],
    }
}

fn statement(approver: &str) -> Statement {
    Statement {
        binding: binding(),
        target: "shop".to_owned(),
        authors: Vec::new(),
        approver: approver.to_owned(),
        signed_at: NOW.plus(-3600),
        expires_at: NOW.plus(86_400),
        comment: String::new(),
    }
}

fn signed_in(statement: &Statement, seed: u8, namespace: &str) -> String {
    let mut file = ApprovalFile::unsigned(statement);
    let text = file.statement.as_bytes();
    let signature = SshSig::sign(&key(seed), namespace, HashAlg::Sha512, text).unwrap();
    file.signature = signature.to_pem(LineEnding::LF).unwrap();
    file.to_text()
}

fn signed(statement: &Statement, seed: u8) -> (String, String) {
    (format!("{seed}.approval"), signed_in(statement, seed, NAMESPACE))
}

impl Case {
    fn good() -> Self {
        Self {
            binding: binding(),
            policy: toml::from_str(
                "allowed_signers = 'x'\n[roles]\ndba = ['mina@shop.example']\n\
                 lead = ['mina@shop.example', 'joon@shop.example']",
            )
            .unwrap(),
            signers: line(MINA, "", 1) + &line(MINA, "", 11) + &line(JOON, "", 2),
            revoked: String::new(),
            authors: vec!["author@shop.example".to_owned()],
            needs: vec!["dba".to_owned()],
            files: vec![signed(&statement(MINA), 1)],
            now: NOW,
        }
    }

    fn judge(&self) -> Judgement {
        judge(&Evidence {
            binding: &self.binding,
            needs: &self.needs,
            policy: &self.policy,
            signers: &AllowedSigners::parse(&self.signers).unwrap(),
            revoked: &Revoked::parse(&self.revoked),
            authors: &self.authors,
            files: &self.files,
            now: self.now,
        })
    }

    /// Demands that nothing may run, for exactly one reason.
    #[track_caller]
    fn refused(&self, reason: &Refusal) {
        let judgement = self.judge();
        assert!(!judgement.may_run(), "{judgement:?}");
        let reasons: Vec<&Refusal> = judgement.refused.iter().map(|r| &r.reason).collect();
        assert_eq!(reasons, [reason]);
        assert!(!reason.to_string().is_empty());
    }
}

#[test]
fn a_good_approval_counts() {
    let judgement = Case::good().judge();
    assert!(judgement.may_run());
    let [accepted] = judgement.accepted.as_slice() else { panic!("{judgement:?}") };
    assert_eq!((accepted.approver.as_str(), accepted.role.as_deref()), (MINA, Some("dba")));
    assert!(accepted.key.starts_with("SHA256:"));
}

#[test]
fn without_files_everything_is_missing() {
    let case = Case { files: Vec::new(), ..Case::good() };
    assert_eq!(case.judge().missing, ["dba"]);
}

#[test]
fn unsigned_is_refused() {
    let text = ApprovalFile::unsigned(&statement(MINA)).to_text();
    Case { files: vec![("a".into(), text)], ..Case::good() }.refused(&Refusal::Unsigned);
}

#[test]
fn an_unknown_key_is_refused() {
    let case = Case { files: vec![signed(&statement(MINA), 9)], ..Case::good() };
    let key = key(9).public_key().fingerprint(HashAlg::Sha256).to_string();
    case.refused(&Refusal::UnknownKey { key, approver: MINA.to_owned() });
}

#[test]
fn a_key_listed_for_somebody_else_is_refused() {
    let case = Case { files: vec![signed(&statement(MINA), 2)], ..Case::good() };
    let key = key(2).public_key().fingerprint(HashAlg::Sha256).to_string();
    case.refused(&Refusal::UnknownKey { key, approver: MINA.to_owned() });
}

#[test]
fn a_key_without_the_role_is_refused() {
    let case = Case { files: vec![signed(&statement(JOON), 2)], ..Case::good() };
    let needed = "dba".to_owned();
    case.refused(&Refusal::WrongRole { approver: JOON.to_owned(), needed });
}

#[test]
fn the_author_is_refused_in_any_case_of_letters() {
    let case = Case { authors: vec!["Mina@Shop.example".into()], ..Case::good() };
    case.refused(&Refusal::OwnChange(MINA.to_owned()));
    let mut allowed = Case { authors: vec![MINA.into()], ..Case::good() };
    allowed.policy.author_may_approve = true;
    assert!(allowed.judge().may_run());
}

#[test]
fn an_author_named_in_the_approval_counts_as_one() {
    let own = Statement { authors: vec![MINA.into()], ..statement(MINA) };
    let case = Case { files: vec![signed(&own, 1)], ..Case::good() };
    case.refused(&Refusal::OwnChange(MINA.to_owned()));
}

#[test]
fn an_unknown_author_is_refused() {
    Case { authors: Vec::new(), ..Case::good() }.refused(&Refusal::AuthorUnknown);
}

#[test]
fn changed_bytes_are_refused() {
    let mut case = Case::good();
    case.binding.plan = Digest::of_bytes(b"other");
    case.binding.migrations = vec![("0042".to_owned(), Digest::of_bytes(b"edited"))];
    case.refused(&Refusal::BytesChanged("0042".to_owned()));
}

#[test]
fn a_changed_schema_is_refused() {
    let mut case = Case::good();
    case.binding.plan = Digest::of_bytes(b"other");
    case.binding.base = Digest::of_bytes(b"drifted");
    case.refused(&Refusal::SchemaChanged);
}

#[test]
fn a_changed_policy_is_refused() {
    let mut case = Case::good();
    case.binding.plan = Digest::of_bytes(b"other");
    case.binding.policy = None;
    case.refused(&Refusal::PolicyChanged);
}

#[test]
fn another_server_is_refused() {
    let mut case = Case::good();
    case.binding.plan = Digest::of_bytes(b"other");
    case.binding.server = "postgres 16".to_owned();
    let (approved, found) = ("postgres 15".to_owned(), "postgres 16".to_owned());
    case.refused(&Refusal::ServerChanged { approved, found });
}

#[test]
fn changed_steps_are_refused() {
    let mut case = Case::good();
    case.binding.plan = Digest::of_bytes(b"other");
    case.refused(&Refusal::StepsChanged);
}

#[test]
fn another_plan_is_refused() {
    let mut case = Case::good();
    case.binding.plan = Digest::of_bytes(b"other");
    case.binding.migrations.push(("0043".to_owned(), Digest::of_bytes(b"more")));
    case.refused(&Refusal::OtherPlan(Digest::of_bytes(b"plan").short().to_owned()));
}

#[test]
fn an_expired_approval_is_refused() {
    let expires_at = NOW;
    let old = Statement { expires_at, ..statement(MINA) };
    let case = Case { files: vec![signed(&old, 1)], ..Case::good() };
    case.refused(&Refusal::Expired(expires_at));
}

#[test]
fn the_policy_limits_how_long_an_approval_lasts() {
    let signed_at = NOW.plus(-20 * 86_400);
    let old = Statement { signed_at, expires_at: NOW.plus(86_400), ..statement(MINA) };
    let case = Case { files: vec![signed(&old, 1)], ..Case::good() };
    case.refused(&Refusal::Expired(signed_at.plus(14 * 86_400)));
}

#[test]
fn a_revoked_key_plan_or_person_is_refused() {
    let key = key(1).public_key().fingerprint(HashAlg::Sha256).to_string();
    for entry in [key, Digest::of_bytes(b"plan").to_string(), MINA.to_owned()] {
        let revoked = format!("# taken back\n{entry} lost laptop\n");
        Case { revoked, ..Case::good() }.refused(&Refusal::Revoked(entry));
    }
}

#[test]
fn another_namespace_is_refused() {
    let text = signed_in(&statement(MINA), 1, "git");
    let case = Case { files: vec![("a".into(), text)], ..Case::good() };
    case.refused(&Refusal::WrongNamespace("git".to_owned()));
}

#[test]
fn a_key_listed_for_other_namespaces_is_refused() {
    let signers = line(MINA, "namespaces=\"git,file\"", 1);
    Case { signers, ..Case::good() }.refused(&Refusal::NamespaceNotAllowed(1));
    let signers = line(MINA, "namespaces=\"git\"", 1) + &line(MINA, "namespaces=\"lockwise\"", 1);
    assert!(Case { signers, ..Case::good() }.judge().may_run());
}

#[test]
fn a_tampered_file_is_refused() {
    let (name, text) = signed(&statement(MINA), 1);
    let longer = text.replace(&NOW.plus(86_400).to_string(), &NOW.plus(864_000).to_string());
    assert_ne!(text, longer);
    Case { files: vec![(name, longer)], ..Case::good() }.refused(&Refusal::Tampered);
}

#[test]
fn a_file_that_is_no_approval_is_refused() {
    let case = Case { files: vec![("a".into(), "{".into())], ..Case::good() };
    let judgement = case.judge();
    assert!(matches!(judgement.refused[0].reason, Refusal::Unreadable(_)), "{judgement:?}");
}

#[test]
fn a_key_counts_only_while_it_is_valid() {
    let signed_at = NOW.plus(-3600);
    for options in ["valid-after=20260302", "valid-before=20260301"] {
        let case = Case { signers: line(MINA, options, 1), ..Case::good() };
        case.refused(&Refusal::KeyNotValid(signed_at));
    }
    let signers = line(MINA, "valid-after=20260301,valid-before=20260302", 1);
    assert!(Case { signers, ..Case::good() }.judge().may_run());
}

#[test]
fn a_signature_from_the_future_is_refused() {
    let now = NOW.plus(-7200);
    Case { now, ..Case::good() }.refused(&Refusal::FromTheFuture(NOW.plus(-3600)));
}

#[test]
fn two_keys_of_one_person_count_once() {
    let needs = vec!["any".to_owned(), "any".to_owned()];
    let twice = vec![signed(&statement(MINA), 1), signed(&statement(MINA), 11)];
    let case = Case { needs: needs.clone(), files: twice, ..Case::good() };
    let judgement = case.judge();
    assert_eq!(judgement.missing, ["any"]);
    assert_eq!(judgement.refused[0].reason, Refusal::SamePerson(MINA.to_owned()));
    let two = vec![signed(&statement(MINA), 1), signed(&statement(JOON), 2)];
    assert!(Case { needs, files: two, ..Case::good() }.judge().may_run());
}

#[test]
fn people_are_given_the_roles_that_let_everybody_count() {
    // Mina could be the lead too, but then nobody would be the DBA.
    let needs = vec!["lead".to_owned(), "dba".to_owned()];
    let files = vec![signed(&statement(MINA), 1), signed(&statement(JOON), 2)];
    let judgement = Case { needs, files, ..Case::good() }.judge();
    assert!(judgement.may_run(), "{judgement:?}");
    let roles: Vec<_> = judgement.accepted.iter().map(|a| a.role.as_deref()).collect();
    assert_eq!(roles, [Some("dba"), Some("lead")]);
}
