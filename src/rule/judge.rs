//! Effects and rules to findings: one cause, one finding.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::facts::Facts;
use super::finding::{Finding, Judged, Note, Suppressed};
use super::matching::Place;
use super::message;
use super::model::{EffectWord, Once, Severity};
use super::set::{RuleInForce, RuleSet};
use super::suppress::{Directives, Suppression, directives, means};
use crate::effect::{Effect, EffectKind, MigrationEffects, StatementEffects, standing};
use crate::sql::{Migration, Server, ServerKind, Span, batches};

/// How a migration is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JudgeOptions {
    /// Comments of other linters silence findings too.
    pub adopt_comments: bool,
}

/// Judges one migration.
pub fn judge(
    migration: &Migration,
    effects: &MigrationEffects,
    rules: &RuleSet,
    server: Server,
    options: JudgeOptions,
) -> Judged {
    let bench = Bench { migration, rules, server };
    let mut hits = Vec::new();
    for (index, run) in effects.statements.iter().enumerate() {
        let place = Place {
            statement: Some(&run.effects),
            in_transaction: run.in_transaction,
            lock_timeout: run.lock_timeout,
        };
        let at = At { index: Some(index), span: run.span };
        for effect in standing(&run.effects.effects, &run.excused) {
            bench.hits(effect, place, at, &mut hits);
        }
    }
    let whole = At { index: None, span: migration.up.section.range };
    let place = Place { statement: None, in_transaction: false, lock_timeout: false };
    for effect in &effects.migration {
        bench.hits(effect, place, At { span: effect.span, ..whole }, &mut hits);
    }
    let mut found = directives(&migration.up, options.adopt_comments);
    for declared in batches(&migration.up, server) {
        if let Err(why) = declared.batch {
            found.unknown.push((format!("batch: {why}"), declared.comment));
        }
    }
    let mut used = vec![false; found.suppressions.len()];
    let (silenced, loud) = silence(hits, &found.suppressions, rules, &mut used);
    let mut judged = Judged {
        findings: bench.grouped(folded(loud)),
        suppressed: silenced
            .into_iter()
            .map(|(hit, reason)| Suppressed { finding: bench.finding(hit, Vec::new()), reason })
            .collect(),
    };
    let mut remarks = Vec::new();
    for effect in remarks_on_comments(&found, &used, rules) {
        bench.hits(&effect, place, At { span: effect.span, ..whole }, &mut remarks);
    }
    judged.findings.extend(remarks.into_iter().map(|hit| bench.finding(hit, Vec::new())));
    judged.findings.sort_by(|a, b| {
        (a.span.start, b.severity, &a.rule).cmp(&(b.span.start, a.severity, &b.rule))
    });
    judged
}

struct Bench<'b> {
    migration: &'b Migration,
    rules: &'b RuleSet,
    server: Server,
}

/// The statement an effect is part of.
#[derive(Debug, Clone, Copy)]
struct At {
    index: Option<usize>,
    span: Span,
}

/// A rule that an effect fires.
struct Hit<'b> {
    rule: &'b RuleInForce,
    severity: Severity,
    weight: u8,
    kind: EffectWord,
    at: At,
    effect: Effect,
    fact: String,
    message: String,
}

impl<'b> Bench<'b> {
    fn hits(&self, effect: &Effect, place: Place<'_>, at: At, hits: &mut Vec<Hit<'b>>) {
        let facts = Facts::of(effect);
        let path = self.migration.up.section.source.path();
        for rule in self.rules.about(facts.kind) {
            let fires = rule.rule.covers(self.server)
                && rule.matches.iter().any(|found| found.holds(&facts, place))
                && rule.speaks_of(path);
            if !fires {
                continue;
            }
            let message = match &rule.rule.message {
                Some(template) => message::fill(template, &facts, self.server.kind),
                None => message::plain(&facts, &rule.rule.title, self.server.kind),
            };
            let again = hits.iter().any(|hit| {
                hit.rule.rule.id == rule.rule.id
                    && hit.effect.span == effect.span
                    && (hit.message == message || hit.at.index == at.index)
            });
            if !again {
                hits.push(Hit {
                    rule,
                    severity: self.severity(rule, &facts),
                    weight: weight(&facts),
                    kind: facts.kind,
                    at,
                    effect: effect.clone(),
                    fact: message::fact_under_lock(effect, place.statement, self.server.kind),
                    message,
                });
            }
        }
    }

    /// A lock or work on a table that is known to be small is over before anybody notices.
    fn severity(&self, rule: &RuleInForce, facts: &Facts<'_>) -> Severity {
        let about_time = match facts.kind {
            EffectWord::Lock | EffectWord::Rewrite | EffectWord::Scan | EffectWord::IndexBuild => {
                true
            }
            EffectWord::Loss
            | EffectWord::Break
            | EffectWord::Failure
            | EffectWord::LeftBehind
            | EffectWord::Declares
            | EffectWord::Session
            | EffectWord::Unknown => false,
        };
        let rows = facts.subject.and_then(|subject| subject.rows);
        if about_time && rows.is_some_and(|rows| rows <= self.rules.small_rows) {
            Severity::Note
        } else {
            rule.severity
        }
    }

    /// Puts hits on the same clause into one finding under the worst of them.
    fn grouped(&self, mut hits: Vec<Hit<'b>>) -> Vec<Finding> {
        hits.sort_by(|a, b| {
            let key = |hit: &Hit<'b>| (hit.weight, hit.effect.span.start);
            b.severity.cmp(&a.severity).then_with(|| key(a).cmp(&key(b)))
        });
        let mut groups: Vec<(Hit<'b>, Vec<Hit<'b>>)> = Vec::new();
        for hit in hits {
            match groups.iter_mut().find(|(lead, _)| same_cause(lead, &hit)) {
                Some((_, others)) => others.push(hit),
                None => groups.push((hit, Vec::new())),
            }
        }
        groups.into_iter().map(|(lead, others)| self.finding(lead, others)).collect()
    }

    fn finding(&self, lead: Hit<'b>, others: Vec<Hit<'b>>) -> Finding {
        Finding {
            rule: lead.rule.rule.id.clone(),
            severity: lead.severity,
            source: self.migration.up.section.source.clone(),
            span: lead.effect.span,
            statement: lead.at.span,
            message: lead.message,
            instead: lead.rule.rule.instead.clone(),
            fact: Some(lead.fact),
            effect: Some(lead.effect),
            also: others
                .into_iter()
                .map(|hit| Note {
                    rule: hit.rule.rule.id.clone(),
                    severity: hit.severity,
                    span: hit.effect.span,
                    message: hit.message,
                    instead: hit.rule.rule.instead.clone(),
                })
                .collect(),
            fix: None,
        }
    }
}

/// Orders kinds of effect of equal severity: what is worse comes first.
fn weight(facts: &Facts<'_>) -> u8 {
    match facts.kind {
        EffectWord::Unknown => 0,
        EffectWord::Failure => {
            if facts.certain == Some(true) {
                1
            } else {
                6
            }
        }
        EffectWord::Loss => 2,
        EffectWord::Rewrite => 3,
        EffectWord::IndexBuild => 4,
        EffectWord::Scan => 5,
        EffectWord::Lock => 7,
        EffectWord::Break => 8,
        EffectWord::Session => 9,
        EffectWord::LeftBehind => 10,
        EffectWord::Declares => 11,
    }
}

/// Says whether two hits come from the same clause of the same statement. What is only declared,
/// a type or a name, is a matter of its own.
fn same_cause(lead: &Hit<'_>, hit: &Hit<'_>) -> bool {
    let declared = |hit: &Hit<'_>| hit.kind == EffectWord::Declares;
    let (a, b) = (lead.effect.span, hit.effect.span);
    lead.at.index.is_some()
        && lead.at.index == hit.at.index
        && !declared(lead)
        && !declared(hit)
        && (a.contains(b) || b.contains(a))
}

/// Leaves one hit where one stands for all, and says in it how many there are.
fn folded(hits: Vec<Hit<'_>>) -> Vec<Hit<'_>> {
    let mut first: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut kept: Vec<(Hit<'_>, usize)> = Vec::new();
    for hit in hits {
        let place = match hit.rule.rule.once {
            None => None,
            Some(Once::Migration) => Some(String::new()),
            Some(Once::Table) => Some(Facts::of(&hit.effect).table().to_owned()),
        };
        let known = place.map(|place| first.entry((&hit.rule.rule.id, place)));
        match known {
            Some(Entry::Occupied(at)) => {
                if let Some((_, more)) = kept.get_mut(*at.get()) {
                    *more += 1;
                }
                continue;
            }
            Some(Entry::Vacant(at)) => drop(at.insert(kept.len())),
            None => {}
        }
        kept.push((hit, 0));
    }
    for (hit, more) in kept.iter_mut().filter(|(_, more)| *more > 0) {
        hit.message.push_str(&format!(", and {more} more in this migration"));
    }
    kept.into_iter().map(|(hit, _)| hit).collect()
}

type Silenced<'b> = (Vec<(Hit<'b>, String)>, Vec<Hit<'b>>);

fn silence<'b>(
    hits: Vec<Hit<'b>>,
    suppressions: &[Suppression],
    rules: &RuleSet,
    used: &mut [bool],
) -> Silenced<'b> {
    let mut silenced = Vec::new();
    let mut loud = Vec::new();
    for hit in hits {
        let mut reason = None;
        for (suppression, used) in suppressions.iter().zip(used.iter_mut()) {
            let here = suppression.statement.is_none() || suppression.statement == hit.at.index;
            if here && names(suppression, hit.rule, rules) {
                *used = true;
                reason.get_or_insert_with(|| suppression.reason.clone());
            }
        }
        match reason {
            Some(reason) => silenced.push((hit, reason)),
            None => loud.push(hit),
        }
    }
    (silenced, loud)
}

fn names(suppression: &Suppression, rule: &RuleInForce, rules: &RuleSet) -> bool {
    let Some(names) = &suppression.rules else { return true };
    names.iter().any(|name| match suppression.tool {
        Some(tool) => means(tool, name, &rule.rule.known_as),
        None => rules.get(name).is_some_and(|known| known.rule.id == rule.rule.id),
    })
}

/// Returns what is wrong with the comments themselves, as effects that rules match.
fn remarks_on_comments(found: &Directives, used: &[bool], rules: &RuleSet) -> Vec<Effect> {
    let mut remarks = Vec::new();
    let mut remark = |span: Span, what: &'static str, value: String| {
        let kind = EffectKind::Session { what, value };
        remarks.push(Effect { span, kind, source: "lockwise" });
    };
    for (suppression, &used) in found.suppressions.iter().zip(used) {
        if suppression.tool.is_some() {
            continue;
        }
        let names = suppression.rules.as_deref().unwrap_or_default();
        let unknown: Vec<&String> = names.iter().filter(|name| rules.get(name).is_none()).collect();
        for name in &unknown {
            let near = rules.nearest(name).map(|near| format!(" (nearest: {near})"));
            remark(suppression.span, "unknown-rule", format!("{name}{}", near.unwrap_or_default()));
        }
        if names.is_empty() {
            remark(suppression.span, "unknown-rule", "no rule is named".to_owned());
        } else if suppression.reason.is_empty() {
            remark(suppression.span, "suppression-without-reason", names.join(", "));
        }
        if !used && unknown.is_empty() && !names.is_empty() {
            remark(suppression.span, "unused-suppression", names.join(", "));
        }
    }
    for (word, span) in &found.unknown {
        remark(*span, "unknown-comment", format!("lockwise: {word}"));
    }
    remarks
}

/// Returns the effects of a statement alone, for callers that have no migration.
pub fn facts_in_words(effects: &StatementEffects, server: ServerKind) -> Vec<String> {
    effects.effects.iter().map(|effect| message::fact(effect, server)).collect()
}
