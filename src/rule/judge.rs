//! Effects and rules to findings: one cause, one finding.
//!
//! A migration is heard when it is walked, and judged when its history is at its end: what it
//! leaves behind may be made good by then. In between, only what rules hit is kept.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::facts::Facts;
use super::finding::{Finding, Judged, Note, Suppressed};
use super::matching::Place;
use super::message;
use super::model::{EffectWord, Leads, Once, Severity};
use super::set::{RuleInForce, RuleSet};
use super::suppress::{Directives, Suppression, directives, means};
use crate::effect::{Effect, EffectKind, MigrationEffects, StatementEffects, is_settled, standing};
use crate::schema::Schema;
use crate::sql::{Convention, Migration, Server, ServerKind, Source, Span, batches};

/// How a migration is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JudgeOptions {
    /// Comments of other linters silence findings too.
    pub adopt_comments: bool,
}

/// Judges one migration, its effects being all that there is to know.
pub fn judge(
    migration: &Migration,
    effects: &MigrationEffects,
    rules: &RuleSet,
    server: Server,
    options: JudgeOptions,
) -> Judged {
    let bench = Bench::new(rules, server, options);
    bench.hear(migration, effects).judged(&bench)
}

/// The rules in force for one server, found by what they match.
pub struct Bench<'r> {
    rules: &'r RuleSet,
    server: Server,
    options: JudgeOptions,
    /// Rules by the kind of effect and its word, in the order of their ids.
    by_word: HashMap<(EffectWord, &'r str), Vec<&'r RuleInForce>>,
    /// Rules that take any word of a kind of effect.
    by_kind: HashMap<EffectWord, Vec<&'r RuleInForce>>,
}

/// A migration that was heard: what rules hit in it.
#[derive(Debug)]
pub struct Case<'r> {
    path: Arc<str>,
    /// The file; of its text, what findings about the whole file point at. None where nothing was
    /// found in it and it can be read again.
    source: Option<Source>,
    hits: Box<[Hit<'r>]>,
    /// What comments say, where they say something.
    directives: Option<Box<Directives>>,
}

/// The statement an effect is part of.
#[derive(Debug, Clone, Copy)]
struct At {
    index: Option<usize>,
    span: Span,
}

/// A rule that an effect fires.
#[derive(Debug)]
struct Hit<'r> {
    rule: &'r RuleInForce,
    severity: Severity,
    weight: u8,
    at: At,
    /// The lines of the statement.
    source: Source,
    effect: Effect,
    fact: String,
    message: String,
}

/// Where nothing surrounds an effect: it is of the migration as a whole.
const NOWHERE: Place<'static> =
    Place { statement: None, path: "", in_transaction: false, lock_timeout: false };

impl<'r> Bench<'r> {
    /// Returns the rules that speak of a server.
    pub fn new(rules: &'r RuleSet, server: Server, options: JudgeOptions) -> Self {
        let in_force = || rules.iter().filter(|rule| rule.enabled && rule.rule.covers(server));
        let matches =
            || in_force().flat_map(|rule| rule.matches.iter().map(move |one| (rule, one)));
        let mut words: HashMap<EffectWord, BTreeSet<&'r str>> = HashMap::new();
        for (_, one) in matches() {
            words.entry(one.effect).or_default().extend(one.words.iter().map(String::as_str));
        }
        let mut by_kind: HashMap<EffectWord, Vec<&'r RuleInForce>> = HashMap::new();
        let mut by_word: HashMap<(EffectWord, &'r str), Vec<&'r RuleInForce>> = HashMap::new();
        // Several matches of one rule follow each other.
        let add = |list: &mut Vec<&'r RuleInForce>, rule: &'r RuleInForce| {
            if !list.last().is_some_and(|last| std::ptr::eq(*last, rule)) {
                list.push(rule);
            }
        };
        for (rule, one) in matches() {
            let any = one.words.is_empty();
            if any {
                add(by_kind.entry(one.effect).or_default(), rule);
            }
            let all = words.get(&one.effect).into_iter().flatten().copied().filter(|_| any);
            for word in all.chain(one.words.iter().map(String::as_str)) {
                add(by_word.entry((one.effect, word)).or_default(), rule);
            }
        }
        Self { rules, server, options, by_word, by_kind }
    }

    /// Returns what rules hit in a migration.
    pub fn hear(&self, migration: &Migration, effects: &MigrationEffects) -> Case<'r> {
        let source = &migration.up.section.source;
        let mut hits = Vec::new();
        for (index, run) in effects.statements.iter().enumerate() {
            let place = Place {
                statement: Some(&run.effects),
                path: source.path(),
                in_transaction: run.in_transaction,
                lock_timeout: run.lock_timeout,
            };
            let at = At { index: Some(index), span: run.span };
            for effect in standing(&run.effects.effects, &run.excused) {
                self.hits(effect, place, at, source, &mut hits);
            }
        }
        for effect in &effects.migration {
            let at = At { index: None, span: effect.span };
            self.hits(effect, NOWHERE, at, source, &mut hits);
        }
        let hits = hits.into_boxed_slice();
        let path = source.shared_path();
        let mut directives = directives(&migration.up, self.options.adopt_comments);
        for declared in batches(&migration.up, self.server) {
            if let Err(why) = declared.batch {
                directives.unknown.push((format!("batch: {why}"), declared.comment));
            }
        }
        let first = migration.up.statements.first().map(|statement| statement.span);
        let keeps_all = !directives.suppressions.is_empty() || !directives.unknown.is_empty();
        if keeps_all {
            let directives = Some(Box::new(directives));
            return Case { path, source: Some(source.clone()), hits, directives };
        }
        let keeps = !hits.is_empty() || migration.convention == Convention::Stdin;
        let source = keeps.then(|| source.cut(first.unwrap_or(Span::new(0, 0))));
        Case { path, source, hits, directives: None }
    }

    fn rules_on(&self, facts: &Facts<'_>) -> &[&'r RuleInForce] {
        let known = self.by_word.get(&(facts.kind, facts.word));
        known.or_else(|| self.by_kind.get(&facts.kind)).map_or(&[], Vec::as_slice)
    }

    fn hits(
        &self,
        effect: &Effect,
        place: Place<'_>,
        at: At,
        source: &Source,
        hits: &mut Vec<Hit<'r>>,
    ) {
        let facts = Facts::of(effect);
        let place = Place { path: source.path(), ..place };
        for &rule in self.rules_on(&facts) {
            let fires = rule.matches.iter().any(|found| found.holds(&facts, place))
                && rule.speaks_of(source.path());
            if !fires {
                continue;
            }
            let message = match &rule.rule.message {
                Some(template) => message::fill(template, &facts, self.server.kind),
                None => message::plain(&facts, &rule.rule.title, self.server.kind),
            };
            let span = at.span.to(effect.span);
            let cut = hits.last().map(|hit| &hit.source);
            let cut = cut.filter(|cut| cut.range().contains(span)).cloned();
            hits.push(Hit {
                rule,
                severity: self.severity(rule, &facts),
                weight: weight(&facts),
                at,
                source: cut.unwrap_or_else(|| source.cut(span)),
                effect: effect.clone(),
                fact: message::fact_under_lock(effect, place.statement, self.server.kind),
                message,
            });
        }
    }

    /// A lock on a table that is known to be small, or work there, is over before anybody notices.
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
        let about_time = about_time || facts.word == "bulk-change";
        let rows = facts.subject.map_or(facts.number, |subject| subject.rows);
        if about_time && rows.is_some_and(|rows| rows <= self.rules.small_rows) {
            Severity::Note
        } else {
            rule.severity
        }
    }
}

impl<'r> Case<'r> {
    /// Adds an effect of the migration as a whole that only its neighbours show. `read` reads the
    /// text of the file again.
    pub fn add(&mut self, effect: &Effect, bench: &Bench<'r>, read: impl Fn(&str) -> String) {
        let at = At { index: None, span: effect.span };
        let source =
            self.source.get_or_insert_with(|| Source::new(self.path.clone(), read(&self.path)));
        let mut hits = std::mem::take(&mut self.hits).into_vec();
        bench.hits(effect, NOWHERE, at, source, &mut hits);
        self.hits = hits.into_boxed_slice();
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Says whether one of these rules hit a statement.
    pub fn names(&self, statement: Span, rules: &[&str]) -> bool {
        let hit =
            |hit: &Hit<'r>| hit.at.span == statement && rules.contains(&hit.rule.rule.id.as_str());
        self.hits.iter().any(hit)
    }

    /// Drops what is made good in the last schema of the history; `last` for its last migration.
    pub fn settle(&mut self, schema: &Schema, last: bool) {
        let stands =
            |hit: &Hit<'r>| hit.at.index.is_none() || !is_settled(&hit.effect, schema, last);
        if !self.hits.iter().all(stands) {
            let hits = std::mem::take(&mut self.hits).into_vec().into_iter();
            self.hits = hits.filter(stands).collect();
        }
    }

    /// Returns the findings.
    pub fn judged(self, bench: &Bench<'r>) -> Judged {
        let Self { path, source, hits, directives } = self;
        let source = source.unwrap_or_else(|| Source::new(path, ""));
        let directives = directives.map(|directives| *directives).unwrap_or_default();
        let mut used = vec![false; directives.suppressions.len()];
        let (silenced, loud) =
            silence(told_once(hits.into_vec()), &directives.suppressions, bench.rules, &mut used);
        let silenced = silenced.into_iter();
        let mut judged = Judged {
            findings: grouped(folded(loud)),
            suppressed: silenced
                .map(|(hit, reason)| Suppressed { finding: finding(hit, Vec::new()), reason })
                .collect(),
        };
        let mut remarks = Vec::new();
        for effect in remarks_on_comments(&directives, &used, bench.rules) {
            let at = At { index: None, span: effect.span };
            bench.hits(&effect, NOWHERE, at, &source, &mut remarks);
        }
        let remarks = told_once(remarks).into_iter();
        judged.findings.extend(remarks.map(|hit| finding(hit, Vec::new())));
        judged.findings.sort_by(|a, b| {
            (a.span.start, b.severity, &a.rule).cmp(&(b.span.start, a.severity, &b.rule))
        });
        judged
    }
}

/// Leaves out what repeats an earlier hit: the same rule, clause and statement or message.
fn told_once(hits: Vec<Hit<'_>>) -> Vec<Hit<'_>> {
    let mut seen: HashMap<(*const RuleInForce, Span), Vec<usize>> = HashMap::new();
    let mut kept: Vec<Hit<'_>> = Vec::with_capacity(hits.len());
    for hit in hits {
        let earlier = seen.entry((std::ptr::from_ref(hit.rule), hit.effect.span)).or_default();
        let again = earlier
            .iter()
            .filter_map(|&place| kept.get(place))
            .any(|known| known.message == hit.message || known.at.index == hit.at.index);
        if !again {
            earlier.push(kept.len());
            kept.push(hit);
        }
    }
    kept
}

/// Puts hits on the same clause into one finding under the worst of them.
fn grouped(mut hits: Vec<Hit<'_>>) -> Vec<Finding> {
    hits.sort_by(|a, b| {
        // Of two rules on one failure, the one that speaks of fewer words is the nearer one.
        let words = |hit: &Hit<'_>| match hit.effect.failure() {
            Some(_) => hit.rule.rule.matches.iter().map(|found| found.words.len()).sum(),
            None => 0_usize,
        };
        let key = |hit: &Hit<'_>| (hit.weight, hit.effect.span.start, words(hit));
        let leads = |hit: &Hit<'_>| hit.rule.leads;
        let louder = || b.severity.cmp(&a.severity);
        leads(a).cmp(&leads(b)).then_with(louder).then_with(|| key(a).cmp(&key(b)))
    });
    let mut groups: Vec<(Hit<'_>, Vec<Hit<'_>>)> = Vec::new();
    let mut of_statement: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for hit in hits {
        let known = hit.at.index.map(|index| of_statement.entry(index).or_default());
        let same = known.as_ref().and_then(|known| {
            let lead = |place: usize| groups.get(place).map(|(lead, _)| lead);
            known.iter().copied().find(|&place| lead(place).is_some_and(|l| same_cause(l, &hit)))
        });
        match same.and_then(|place| groups.get_mut(place)) {
            Some((lead, others)) => {
                let told = |known: &Hit<'_>| known.message == hit.message;
                if !told(lead) && !others.iter().any(told) {
                    others.push(hit);
                }
            }
            None if hit.rule.leads == Leads::Never => {}
            None => {
                if let Some(known) = known {
                    known.push(groups.len());
                }
                groups.push((hit, Vec::new()));
            }
        }
    }
    groups.into_iter().map(|(lead, others)| finding(lead, others)).collect()
}

fn finding(lead: Hit<'_>, others: Vec<Hit<'_>>) -> Finding {
    Finding {
        rule: lead.rule.rule.id.clone(),
        severity: lead.severity,
        source: lead.source,
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
        replacement: None,
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

/// What is declared of a change as a whole: of rows, of an enum, of something that goes.
const CHANGES: [&str; 7] = [
    "bulk-change",
    "bulk-insert",
    "change-of-every-row",
    "change-without-copy",
    "drop-cascade",
    "dropped",
    "enum-value-without-position",
];

/// Says whether two hits come from the same clause of the same statement. What is only declared,
/// a type or a name, is a matter of its own.
fn same_cause(lead: &Hit<'_>, hit: &Hit<'_>) -> bool {
    let declared = |hit: &Hit<'_>| {
        matches!(&hit.effect.kind, EffectKind::Declares(declaration)
            if !CHANGES.contains(&declaration.what))
    };
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

type Silenced<'r> = (Vec<(Hit<'r>, String)>, Vec<Hit<'r>>);

fn silence<'r>(
    hits: Vec<Hit<'r>>,
    suppressions: &[Suppression],
    rules: &RuleSet,
    used: &mut [bool],
) -> Silenced<'r> {
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
