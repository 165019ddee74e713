//! Approvals with real keys: signed by ssh-keygen, judged by apply.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{ALL, Answer, Kind, Project, shop};

const MINA: &str = "mina@shop.example";
const JOON: &str = "joon@shop.example";

const POLICY: &str = "\
[approval]
allowed_signers = \"allowed_signers\"
revoked = \"revoked\"
[approval.roles]
dba = [\"mina@shop.example\"]
[approval.needs]
loss = [\"dba\"]
errors = [\"dba\"]
locks = [\"dba\"]
clean = [\"any\"]
";

/// A project with a policy and two people who have keys.
fn project(kind: Kind) -> Project {
    let project = Project::new(kind);
    shop(&project);
    project.config(POLICY);
    std::fs::write(project.path().join("revoked"), "").unwrap();
    let mut signers = String::new();
    for (name, principal) in [("mina", MINA), ("joon", JOON)] {
        let public = key(&project, name);
        signers.push_str(&format!("{principal} namespaces=\"lockwise\" {public}"));
    }
    std::fs::write(project.path().join("allowed_signers"), signers).unwrap();
    project
}

/// Makes a key pair and returns its public half.
fn key(project: &Project, name: &str) -> String {
    key_of_kind(project, name, "ed25519")
}

fn key_of_kind(project: &Project, name: &str, kind: &str) -> String {
    let path = project.path().join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", "", "-C", name, "-f"])
        .arg(&path)
        .status()
        .unwrap_or_else(|_| panic!("ssh-keygen is missing: install openssh-client"));
    assert!(made.success());
    std::fs::read_to_string(path.with_extension("pub")).unwrap()
}

const AUTHOR: [&str; 2] = ["--author", "author@shop.example"];

fn approve(project: &Project, key: &str, more: &[&str]) -> Answer {
    let mut arguments = vec!["approve", "--yes", "--key", key];
    arguments.extend(AUTHOR);
    arguments.extend(more);
    project.run(&arguments)
}

fn apply(project: &Project) -> Answer {
    project.run(&["apply", "--yes", AUTHOR[0], AUTHOR[1]])
}

#[track_caller]
fn refused(project: &Project, reason: &str) {
    let answer = apply(project);
    assert_eq!(answer.code, Some(1), "{}", answer.all());
    answer.says("is not approved: missing dba").says(reason).says("hint: have the plan reviewed");
}

fn approval(project: &Project) -> PathBuf {
    let folder = project.path().join("migrations/approvals");
    std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn an_approved_plan_runs_and_the_history_says_who() {
    for kind in ALL {
        let project = project(kind);
        refused(&project, "there is no approval of it");
        let answer = approve(&project, "mina", &["--comment", "looks right"]);
        assert_eq!(answer.code, Some(0), "{}", answer.all());
        let answer = apply(&project);
        assert_eq!(answer.code, Some(0), "{}", answer.all());
        answer.says("approved by mina@shop.example");
        let history = project.expect(0, &["history", "--format", "json"]);
        history.says(MINA).says("SHA256:").says("\"role\": \"dba\"");
    }
}

#[test]
fn ssh_keygen_itself_accepts_the_signature() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    let text = std::fs::read_to_string(approval(&project)).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (statement, signature) = (project.path().join("statement"), project.path().join("sig"));
    std::fs::write(&statement, file["statement"].as_str().unwrap()).unwrap();
    std::fs::write(&signature, file["signature"].as_str().unwrap()).unwrap();
    let verified = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", "lockwise", "-I", MINA, "-f"])
        .arg(project.path().join("allowed_signers"))
        .arg("-s")
        .arg(&signature)
        .stdin(std::fs::File::open(&statement).unwrap())
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn the_wrong_role_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "joon", &[]);
    refused(&project, "joon@shop.example does not have the role needed (dba)");
}

#[test]
fn an_unknown_key_is_refused() {
    let project = project(Kind::Sqlite);
    key(&project, "stranger");
    let answer = approve(&project, "stranger", &[]);
    assert_eq!(answer.code, Some(2), "{}", answer.all());
    approve(&project, "stranger", &["--as", MINA]);
    refused(&project, "is not listed for mina@shop.example");
}

#[test]
fn the_author_is_refused() {
    let project = project(Kind::Sqlite);
    let by_mina = ["approve", "--yes", "--key", "mina", "--author", MINA];
    project.expect(0, &by_mina);
    let answer = project.expect(1, &["apply", "--yes", "--author", MINA]);
    answer.says("mina@shop.example wrote the change and cannot approve it");
}

#[test]
fn changed_bytes_are_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    project.write("0005_no_fax.sql", "ALTER TABLE customers DROP COLUMN fax; -- now\n");
    refused(&project, "the bytes of migration 0005 changed after the approval");
}

#[test]
fn a_changed_schema_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    project.execute(&["CREATE TABLE by_hand (id int)"]);
    refused(&project, "the schema of the database changed after the approval");
}

#[test]
fn a_changed_policy_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    project.config(&POLICY.replace("[approval.roles]", "valid_for = \"1d\"\n[approval.roles]"));
    refused(&project, "the approval policy changed after the approval");
}

#[test]
fn another_plan_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    project.write("0006_more.sql", "CREATE TABLE more (id int);\n");
    refused(&project, "it approves another plan");
}

#[test]
fn a_revoked_key_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    std::fs::write(project.path().join("revoked"), format!("{MINA} left the team\n")).unwrap();
    refused(&project, "mina@shop.example was revoked");
}

#[test]
fn an_expired_approval_is_refused() {
    let project = project(Kind::Sqlite);
    let policy = POLICY.replace("[approval.roles]", "valid_for = \"0s\"\n[approval.roles]");
    project.config(&policy);
    approve(&project, "mina", &[]);
    refused(&project, "it expired at");
}

#[test]
fn a_tampered_file_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    let path = approval(&project);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("comment: ", "comment: fine")).unwrap();
    refused(&project, "the file was changed after it was signed");
}

#[test]
fn an_unsigned_file_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    let path = approval(&project);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    file["signature"] = "".into();
    std::fs::write(&path, file.to_string()).unwrap();
    refused(&project, "it is not signed");
}

#[test]
fn another_namespace_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    let path = approval(&project);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let statement = project.path().join("statement");
    std::fs::write(&statement, file["statement"].as_str().unwrap()).unwrap();
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", "git", "-f"])
        .arg(project.path().join("mina"))
        .arg(&statement)
        .status()
        .unwrap();
    assert!(signed.success());
    let signature = std::fs::read_to_string(project.path().join("statement.sig")).unwrap();
    file["signature"] = signature.into();
    std::fs::write(&path, file.to_string()).unwrap();
    refused(&project, "it is signed in the namespace \"git\"");
}

#[test]
fn signers_are_read_from_the_revision_that_is_pinned() {
    let project = project(Kind::Sqlite);
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .current_dir(project.path())
            .args(["-c", "user.name=t", "-c", "user.email=t@shop.example"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "allowed_signers"]);
    git(&["commit", "-q", "-m", "team"]);
    let pinned = "allowed_signers = \"allowed_signers\"\nallowed_signers_rev = \"main\"";
    project.config(&POLICY.replace("allowed_signers = \"allowed_signers\"", pinned));
    // The change names its own approver; the list that counts does not.
    let own = key(&project, "own");
    let list = project.path().join("allowed_signers");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, format!("{text}{MINA} {own}")).unwrap();
    approve(&project, "own", &["--as", MINA]);
    refused(&project, "is not listed for mina@shop.example");
}

/// Writes who may sign, a line a key.
fn signers(project: &Project, lines: &[String]) {
    std::fs::write(project.path().join("allowed_signers"), lines.concat()).unwrap();
}

/// Changes the statement of the approval and signs it again, with the key of that name.
fn sign_again(project: &Project, key: &str, edit: impl Fn(&str) -> String) {
    let path = approval(project);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut file: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let edited = edit(file.get("statement").unwrap().as_str().unwrap());
    let statement = project.path().join("edited");
    std::fs::write(&statement, &edited).unwrap();
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", "lockwise", "-f"])
        .arg(project.path().join(key))
        .arg(&statement)
        .status()
        .unwrap();
    assert!(signed.success());
    let signature = std::fs::read_to_string(project.path().join("edited.sig")).unwrap();
    file.insert("signature".to_owned(), signature.into());
    file.insert("statement".to_owned(), edited.into());
    std::fs::write(&path, serde_json::to_string(&file).unwrap()).unwrap();
}

#[test]
fn keys_of_every_kind_count() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let project = project(Kind::Sqlite);
        let public = key_of_kind(&project, "own", kind);
        signers(&project, &[format!("{MINA} namespaces=\"lockwise\" {public}")]);
        let answer = approve(&project, "own", &[]);
        assert_eq!(answer.code, Some(0), "{kind} {}", answer.all());
        let answer = apply(&project);
        assert_eq!(answer.code, Some(0), "{kind} {}", answer.all());
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_only_the_agent_holds_counts() {
    let project = project(Kind::Sqlite);
    let socket = project.path().join("agent");
    let mut agent = Command::new("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let private = project.path().join("mina");
    let added = || {
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(&private).env("SSH_AUTH_SOCK", &socket);
        add.stderr(std::process::Stdio::null()).status().unwrap().success()
    };
    let started = std::time::Instant::now();
    while !added() {
        assert!(started.elapsed().as_secs() < 30, "the agent does not take the key");
        std::thread::yield_now();
    }
    std::fs::remove_file(&private).unwrap();
    let mut command = project
        .command(&["approve", "--yes", "--key", "mina.pub", "--as", MINA, AUTHOR[0], AUTHOR[1]]);
    let answer = Answer::of(&command.env("SSH_AUTH_SOCK", &socket).output().unwrap());
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    assert_eq!(apply(&project).code, Some(0));
}

#[test]
fn a_key_outside_of_its_time_is_refused() {
    for time in ["valid-before=\"20200101\"", "valid-after=\"21000101\""] {
        let project = project(Kind::Sqlite);
        approve(&project, "mina", &[]);
        let public = std::fs::read_to_string(project.path().join("mina.pub")).unwrap();
        signers(&project, &[format!("{MINA} namespaces=\"lockwise\",{time} {public}")]);
        refused(&project, "the key was not valid at");
    }
}

#[test]
fn a_key_listed_for_another_namespace_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    let public = std::fs::read_to_string(project.path().join("mina.pub")).unwrap();
    signers(&project, &[format!("{MINA} namespaces=\"git\" {public}")]);
    refused(&project, "does not let this key sign in the namespace \"lockwise\"");
}

#[test]
fn an_approval_from_the_future_is_refused() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    sign_again(&project, "mina", |statement| {
        let year = |line: &str| match line.strip_prefix("signed-at: ") {
            Some(time) => format!("signed-at: 2099{}\n", &time[4..]),
            None => match line.strip_prefix("expires-at: ") {
                Some(time) => format!("expires-at: 2099{}\n", &time[4..]),
                None => format!("{line}\n"),
            },
        };
        statement.lines().map(year).collect()
    });
    refused(&project, "which is still to come: compare the clocks");
}

#[test]
fn two_keys_of_one_person_count_once() {
    let project = project(Kind::Sqlite);
    project.config(&POLICY.replace("loss = [\"dba\"]", "loss = [\"dba\", \"any\"]"));
    let second = key(&project, "second");
    let listed = |name: &str, public: &str| format!("{name} namespaces=\"lockwise\" {public}");
    let public = |name: &str| {
        std::fs::read_to_string(project.path().join(name).with_extension("pub")).unwrap()
    };
    signers(
        &project,
        &[listed(MINA, &public("mina")), listed(MINA, &second), listed(JOON, &public("joon"))],
    );
    approve(&project, "mina", &[]);
    approve(&project, "second", &[]);
    let answer = apply(&project);
    assert_eq!(answer.code, Some(1), "{}", answer.all());
    answer.says("is not approved: missing any");
    approve(&project, "joon", &[]);
    assert_eq!(apply(&project).code, Some(0));
}

#[test]
fn a_change_without_an_author_is_refused() {
    let project = project(Kind::Sqlite);
    project.run(&["approve", "--yes", "--key", "mina"]);
    let answer = project.expect(1, &["apply", "--yes"]);
    answer.says("nobody knows who wrote the change");
}

#[test]
fn the_history_says_who_approved_what_when_and_with_which_key() {
    let schema = include_str!("../../testdata/schemas/history.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for kind in ALL {
        let project = project(kind);
        approve(&project, "mina", &["--comment", "looks right"]);
        assert_eq!(apply(&project).code, Some(0), "{kind:?}");
        let answer = project.expect(0, &["history", "--format", "json"]);
        let log: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&log).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{kind:?}: {errors:?}\n{}", answer.stdout);
        let changes = log["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 5, "{kind:?}");
        let approval = &changes[0]["approvals"][0];
        assert_eq!(approval["approver"], MINA);
        assert_eq!(approval["role"], "dba");
        assert!(approval["key"].as_str().unwrap().starts_with("SHA256:"), "{approval}");
    }
}

#[test]
fn a_digest_that_was_not_reviewed_is_not_signed() {
    let project = project(Kind::Sqlite);
    let answer = approve(&project, "mina", &["--plan", "0123456789ab"]);
    assert_eq!(answer.code, Some(1), "{}", answer.all());
    answer.says("the plan is sha256:");
}

#[test]
fn a_rollback_needs_approval_too() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    assert_eq!(apply(&project).code, Some(0));
    let back = ["rollback", "--steps", "1", "--yes", AUTHOR[0], AUTHOR[1]];
    project.expect(1, &back).says("is not approved");
    let answer = approve(&project, "mina", &["--rollback-steps", "1"]);
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    project.expect(0, &back).says("rolled back: 0005");
}

#[test]
fn an_amended_file_needs_approval_too() {
    let project = project(Kind::Sqlite);
    approve(&project, "mina", &[]);
    assert_eq!(apply(&project).code, Some(0));
    let file = project.migration("0001_customers.sql");
    let text = std::fs::read_to_string(&file).unwrap();
    project.write("0001_customers.sql", text.replace("joon@shop.example", "june@shop.example"));
    let why = "she changed her name";
    let amend = ["amend", "0001", "--yes", "--reason", why, AUTHOR[0], AUTHOR[1]];
    project.expect(1, &amend).says("is not approved: missing dba");
    // Somebody who may not is not enough, and what is signed is this text and no other.
    approve(&project, "joon", &["--amend", "0001"]);
    project.expect(1, &amend).says("is not approved");
    let answer = approve(&project, "mina", &["--amend", "0001"]);
    assert_eq!(answer.code, Some(0), "{}", answer.all());
    project.write("0001_customers.sql", text.replace("joon@shop.example", "jane@shop.example"));
    project.expect(1, &amend).says("is not approved");
    project.write("0001_customers.sql", text.replace("joon@shop.example", "june@shop.example"));
    project.expect(0, &amend).says("amended: 0001").says("approved by mina@shop.example");
    project.expect(0, &["verify"]);
    let row = project.query("SELECT detail FROM lockwise_journal WHERE event = 'amended'").concat();
    assert!(row.contains("she changed her name"), "{row}");
}
