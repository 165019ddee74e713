//! Plans of many statements, each against a database with objects of every kind: the way back is
//! proven or its loss is named, and what the shadow shows is what was predicted.
//!
//! A case file holds cases, one after the other, each under a line that says what must come out:
//! `-- case: name | restores | loses column public.t.c, table public.u | only mariadb`. Without a
//! word it must restore; `order` allows for the order of columns, `stays` says that no statement
//! brings the schema back; `unseen` that no snapshot shows all of it; `not run` that a dry run must
//! not try it; `surprise` that the server did something else than was predicted.

use std::collections::BTreeMap;

use lockwise::db::{self, ConnectOptions, Connection, ShadowOptions, Snapshot, Target};
use lockwise::plan::{self, Limits, Material, Plan, Proof, Shadow};
use lockwise::rule::{JudgeOptions, RuleSet};
use lockwise::sql::{
    Convention, Migration, Section, Server, Source, Span, TransactionMode, Version, parse,
};

/// One case of a file.
struct Case<'a> {
    name: &'a str,
    proof: &'a str,
    loses: Vec<&'a str>,
    only: Option<&'a str>,
    surprise: bool,
    sql: &'a str,
}

fn cases(file: &str) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for text in file.split("-- case: ").skip(1) {
        let (head, sql) = text.split_once('\n').unwrap();
        let (loses, only, surprise) = (Vec::new(), None, false);
        let mut case = Case { name: head, proof: "restores", loses, only, surprise, sql };
        for (number, word) in head.split('|').map(str::trim).enumerate() {
            if number == 0 {
                case.name = word;
            } else if let Some(list) = word.strip_prefix("loses ") {
                case.loses = list.split(", ").collect();
            } else if let Some(kind) = word.strip_prefix("only ") {
                case.only = Some(kind);
            } else if word == "surprise" {
                case.surprise = true;
            } else {
                case.proof = word;
            }
        }
        cases.push(case);
    }
    cases
}

fn migration(name: &str, sql: &str, server: Server) -> Migration {
    let range = Span::new(0, u32::try_from(sql.len()).unwrap());
    let source = Source::new("0001_case.sql", sql);
    Migration {
        version: Version::new("0001"),
        name: name.to_owned(),
        convention: Convention::Lockwise,
        transaction: TransactionMode::Grouped,
        marker: None,
        repeatable: false,
        after_unknown: false,
        up: parse(Section { source, range, reading: Default::default() }, server),
        down: None,
    }
}

/// Makes the plan of one case.
pub(crate) async fn plan_of(name: &str, sql: &str, live: &Snapshot, shadow: &mut Shadow) -> Plan {
    let rules = RuleSet::builtin().unwrap();
    let migration = migration(name, sql, live.server);
    let material = Material {
        pending: vec![&migration],
        live,
        target: plan::Target { name: "here".to_owned(), database: "shop".to_owned() },
        rules: &rules,
        judging: JudgeOptions { adopt_comments: false },
        policy: None,
        limits: Limits { lock_timeout_ms: 1000, statement_timeout_ms: 0 },
        authors: BTreeMap::new(),
        preflight: Vec::new(),
        dry_run: plan::DryRun::Each,
        dropped: plan::Dropped::Gone,
        seeding: plan::Seeding::Concerned,
        online_tool: None,
    };
    plan::build(&material, shadow).await.unwrap()
}

/// Says what is wrong with a plan, if anything is.
fn wrong(case: &Case<'_>, plan: &Plan) -> Option<String> {
    let migration = plan.migrations.first().unwrap();
    let mut wrong = Vec::new();
    if let Some(failure) = &migration.failure {
        wrong.push(format!("failed: {failure}"));
    }
    let proof = match &migration.rollback.proof {
        Proof::Restores => "restores",
        Proof::ColumnOrder { .. } => "order",
        Proof::Unseen { .. } => "unseen",
        Proof::Differs { .. } => "stays",
        Proof::Fails { .. } => "fails",
        Proof::NotRun { .. } => "not run",
    };
    if proof != case.proof {
        wrong.push(format!("the way back {proof}: {:#?}", migration.rollback.proof));
    }
    let loses = &migration.rollback.loses;
    let mut loses: Vec<_> =
        loses.iter().map(|loss| format!("{} {}", loss.kind, loss.name)).collect();
    let mut wanted = case.loses.clone();
    loses.sort_unstable();
    wanted.sort_unstable();
    if loses != wanted {
        wrong.push(format!("loses {loses:?}"));
    }
    if migration.surprises.is_empty() == case.surprise {
        wrong.push(format!("surprises {:#?}", migration.surprises));
    }
    if wrong.is_empty() {
        return None;
    }
    let way = migration.rollback.statements.join(";\n    ");
    Some(format!(
        "== {}\n  {}\n  way back:\n    {way}\n{}",
        case.name,
        wrong.join("\n  "),
        plan.diff
    ))
}

/// Runs the cases of a file against a database that has been filled; how many went wrong, and how.
pub(crate) async fn check(target: &Target, admin: Option<Target>, file: &str) {
    let options = ConnectOptions::default();
    let mut connection = Connection::open(target, &options).await.unwrap();
    let all = db::SnapshotOptions { sizes: true, ..plan::snapshot_options() };
    let live = db::snapshot(&mut connection, &all).await.unwrap();
    let objects = live.objects.len();
    assert!(objects >= 50, "a realistic schema has more than {objects} objects");
    let kind = live.server.kind.as_str();
    let only = std::env::var("LOCKWISE_CASE").ok();
    let mut shadow = Shadow::start(ShadowOptions { url: admin, ..ShadowOptions::of(&live) }).await;
    let mut failures = Vec::new();
    let mut count = 0;
    for case in cases(file) {
        if case.only.is_some_and(|only| only != kind)
            || only.as_ref().is_some_and(|only| !case.name.contains(only.as_str()))
        {
            continue;
        }
        count += 1;
        let plan = plan_of(case.name, case.sql, &live, &mut shadow).await;
        if let Some(wrong) = wrong(&case, &plan) {
            failures.push(wrong);
        }
    }
    shadow.stop().await.unwrap();
    let now = db::snapshot(&mut connection, &all).await.unwrap();
    assert_eq!(now.text(), live.text(), "a plan changed the target");
    let wrong = failures.len();
    assert!(failures.is_empty(), "{wrong} of {count} cases\n{}", failures.join("\n"));
}

/// Splits a file at lines of two semicolons.
pub(crate) fn pieces(file: &str) -> impl Iterator<Item = &str> {
    file.split("\n;;\n").map(str::trim).filter(|sql| !sql.is_empty())
}
