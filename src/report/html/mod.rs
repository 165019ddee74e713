//! A plan as one self-contained page for the person who has to sign it.
//!
//! The verdict and what needs a decision come first, then the locks of each table over time, the
//! statements with what they do, the schema diff, the way back, and what was seen in the live
//! database. No script, no font, no picture, no network: the page is one file that can be mailed,
//! printed and kept. Every colour is also said in words.

mod diff;
mod locks;
mod migration;

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::plan::{Check, CheckState, DataLoss, Plan, Proof, Verdict};

const STYLE: &str = include_str!("style.css");

/// Writes a plan as a page.
pub fn plan_html(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("{} plan for {}", verdict_word(plan.verdict), plan.target.database);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "lockwise: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#plan" { "Skip to the plan" }
                header { (head(plan)) }
                main id="plan" {
                    (decide(plan))
                    (locks::timeline(plan))
                    @for (number, one) in (1_usize..).zip(&plan.migrations) {
                        (migration::section(one, number))
                    }
                    (total_diff(plan))
                    (preflight(&plan.preflight))
                }
                footer { (foot(plan)) }
            }
        }
    };
    out.write_all(page.into_string().as_bytes())
}

fn head(plan: &Plan) -> Markup {
    html! {
        p class="quiet" { "lockwise plan" }
        h1 {
            (count(plan.migrations.len(), "migration")) " for " (plan.target.database)
            @if plan.target.name != plan.target.database { " on " (plan.target.name) }
        }
        div class={ "verdict " (verdict_class(plan.verdict)) } {
            strong { (verdict_word(plan.verdict)) }
            p { (verdict_sentence(plan)) }
            @if let Some(longest) = locks::longest(plan) { p { (longest) } }
        }
    }
}

const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Nothing => "Nothing to do",
        Verdict::Ready => "Ready",
        Verdict::Careful => "Look closely",
        Verdict::Blocked => "Blocked",
    }
}

const fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Nothing | Verdict::Ready => "good",
        Verdict::Careful => "warn",
        Verdict::Blocked => "bad",
    }
}

fn verdict_sentence(plan: &Plan) -> String {
    let steps = count(plan.steps().count(), "statement");
    let proven = plan.migrations.iter().filter(|m| is_proven(&m.rollback.proof)).count();
    match plan.verdict {
        Verdict::Nothing => "Every migration in the folder is applied.".to_owned(),
        Verdict::Ready | Verdict::Careful | Verdict::Blocked => format!(
            "{steps}; the way back is proven for {proven} of {}.",
            count(plan.migrations.len(), "migration")
        ),
    }
}

const fn is_proven(proof: &Proof) -> bool {
    match proof {
        Proof::Restores | Proof::ColumnOrder { .. } => true,
        Proof::Unseen { .. }
        | Proof::Differs { .. }
        | Proof::Fails { .. }
        | Proof::NotRun { .. } => false,
    }
}

/// What somebody has to decide before signing, worst first.
fn decide(plan: &Plan) -> Markup {
    let failures = plan.migrations.iter().filter_map(|m| Some((m, m.failure.as_ref()?)));
    let errors = plan.migrations.iter().flat_map(|m| m.findings.iter().map(move |f| (m, f)));
    let errors: Vec<_> = errors.filter(|(_, finding)| finding.severity == "error").collect();
    let losses: Vec<&DataLoss> = plan.losses().collect();
    let unproven = plan.migrations.iter().filter(|m| !is_proven(&m.rollback.proof));
    let unproven: Vec<_> = unproven.collect();
    let checks = plan.preflight.iter().filter(|check| check.state >= CheckState::Warning);
    let checks: Vec<&Check> = checks.collect();
    let surprises = plan.migrations.iter().flat_map(|m| m.surprises.iter().map(move |s| (m, s)));
    let surprises: Vec<_> = surprises.collect();
    let unknown: Vec<_> = plan.steps().filter(|step| step.unknown.is_some()).collect();
    let calm = errors.is_empty()
        && losses.is_empty()
        && unproven.is_empty()
        && checks.is_empty()
        && surprises.is_empty()
        && unknown.is_empty();
    html! {
        section aria-labelledby="decide" {
            h2 id="decide" { "What needs a decision" }
            ul class="decide" {
                @for (migration, failure) in failures {
                    li { (badge("bad", "dry run failed")) " " (migration.version) ": " (failure) }
                }
                @for (migration, finding) in &errors {
                    li {
                        (badge("bad", &finding.rule)) " " (finding.message) " "
                        span class="quiet" { "(" (migration.path) ":" (finding.line) ")" }
                    }
                }
                @for (migration, surprise) in &surprises {
                    li { (badge("bad", "not as predicted")) " " (migration.version) ": " (surprise) }
                }
                @for step in &unknown {
                    li { (badge("bad", "not analysed")) " statement " (step.number) ", line " (step.line) }
                }
                @for loss in &losses { li { (badge("bad", "data go")) " " (loss_sentence(loss)) } }
                @for migration in &unproven {
                    li {
                        (badge("warn", "no proven way back")) " " (migration.version) " "
                        (migration.name) (reason(&migration.rollback.proof))
                    }
                }
                @for check in &checks { li { (check_badge(check.state)) " " (check.detail) } }
                @if calm && plan.migrations.iter().all(|m| m.failure.is_none()) {
                    li { "Nothing: no error, no data lost, every way back proven." }
                }
            }
            (signatures(plan))
        }
    }
}

/// Says why a way back is not proven, where that is said in a few words.
fn reason(proof: &Proof) -> String {
    match proof {
        Proof::Restores | Proof::ColumnOrder { .. } => String::new(),
        Proof::Unseen { what } => format!(": {}", what.join("; ")),
        Proof::Differs { .. } => ": the schema afterwards is another".to_owned(),
        Proof::Fails { error, .. } => format!(": {error}"),
        Proof::NotRun { reason } => format!(": {reason}"),
    }
}

fn signatures(plan: &Plan) -> Markup {
    html! {
        h3 { "Who signs" }
        @if plan.needs.is_empty() {
            p { "Nobody has to: " @if plan.policy.is_some() {
                "the policy asks for no approval of a change like this."
            } @else { "there is no approval policy." } }
        } @else {
            p { "Approvals needed: " (plan.needs.join(", ")) ". To approve exactly this plan:" }
            pre tabindex="0" aria-label="Command that approves this plan" {
                code { "lockwise approve --plan " (plan.digest.as_str()) }
            }
        }
    }
}

fn total_diff(plan: &Plan) -> Markup {
    html! {
        @if plan.migrations.len() > 1 && !plan.diff.is_empty() {
            section aria-labelledby="diff" {
                h2 id="diff" { "The schema, before and after everything" }
                (diff::side_by_side(&plan.diff, "Schema before and after the whole plan"))
            }
        }
    }
}

fn preflight(checks: &[Check]) -> Markup {
    html! {
        section aria-labelledby="preflight" {
            h2 id="preflight" { "Seen in the live database" }
            @if checks.is_empty() {
                p { "Nothing was looked at." }
            } @else {
                div class="scroll" tabindex="0" role="region" aria-label="Checks of the live database" {
                    table {
                        thead { tr { th scope="col" { "Check" } th scope="col" { "State" } th scope="col" { "Seen" } } }
                        tbody {
                            @for check in checks {
                                tr {
                                    th scope="row" { (check.what.replace('-', " ")) }
                                    td { (check_badge(check.state)) }
                                    td { (check.detail) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn check_badge(state: CheckState) -> Markup {
    let class = match state {
        CheckState::Fine => "good",
        CheckState::Unknown | CheckState::Warning => "warn",
        CheckState::Blocked => "bad",
    };
    badge(class, state.as_str())
}

fn foot(plan: &Plan) -> Markup {
    html! {
        h2 { "What this plan is bound to" }
        dl class="facts" {
            dt { "Plan" } dd { code { (plan.digest.as_str()) } }
            dt { "Schema it starts from" } dd { code { (plan.base.as_str()) } }
            dt { "Server" } dd { (plan.server.kind) " " (plan.server.version) }
            dt { "Dry run" } dd { (plan.shadow.detail) }
            @if let Some(policy) = &plan.policy { dt { "Policy" } dd { code { (policy.as_str()) } } }
        }
        p class="quiet" {
            "An approval holds for exactly these bytes on exactly this schema; a change of either "
            "makes a new plan."
        }
    }
}

fn badge(class: &str, text: &str) -> Markup {
    html! { span class={ "badge " (class) } { (text) } }
}

/// Says what goes, and whether somewhere a copy stays.
fn loss_sentence(loss: &DataLoss) -> String {
    let rows = loss.rows.map_or_else(String::new, |rows| format!(", {}", count_rows(rows)));
    let kept = loss.kept.as_ref().map_or_else(String::new, |kept| format!("; kept in {kept}"));
    format!("{} {}{rows}{kept}", loss.kind, loss.name)
}

fn count_rows(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let text = include_str!("../../../testdata/plan/careful.json");
        let plan: Plan = serde_json::from_str(text).unwrap();
        let mut out = Vec::new();
        plan_html(&plan, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_page_needs_nothing_but_itself() {
        let page = page();
        for word in ["<script", "http://", "https://", "url(", "@import", "<img", "<link"] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn the_verdict_and_the_losses_come_first() {
        let page = page();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing"));
        assert!(at("Look closely") < at("column public.customers.fax, 312 rows"));
        assert!(at("column public.customers.fax, 312 rows") < at("Who waits"));
        assert!(at("Who waits") < at("ALTER TABLE orders ALTER COLUMN state"));
        assert!(at("Approvals needed: dba") < at("Who waits"));
    }

    #[test]
    fn locks_are_held_to_the_end_of_their_transaction_only() {
        let page = page();
        let row = page.split("<th scope=\"row\">public.orders</th>").nth(1).unwrap();
        let row = row.split("</tr>").next().unwrap();
        assert!(row.contains("9 s to 26 s"), "{row}");
        assert!(row.contains("still ACCESS EXCLUSIVE"), "{row}");
        assert!(row.trim_end().ends_with("<td>–</td>"), "{row}");
    }
}
