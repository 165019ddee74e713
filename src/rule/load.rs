//! A rule file to a [`Rule`]: strict, and all mistakes at once.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeValue;

use super::kinds::OBJECT_KINDS;
use super::message;
use super::model::{
    Blocks, EffectWord, Example, Flag, Leads, Match, Number, Once, OptionValue, Pattern, Rule,
    Severity, TableWord, TextMatch, VersionRange, Words,
};
use super::read::{Reader, RuleError, Table};
use crate::effect::words;
use crate::effect::{Algorithm, During, HeldUntil, LockMode, OnlineLock};
use crate::sql::{ServerKind, TransactionMode};

/// Reads a rule file. `stem` is the file's name without `.toml`: the id the rule has to have.
pub fn load(path: &str, stem: &str, text: &str) -> Result<Rule, Vec<RuleError>> {
    let mut reader = Reader::new(path, text);
    let Some(root) = reader.parse(text) else { return Err(reader.errors) };
    let top = 0..0;
    let rule = rule(&mut reader, Table::new("the rule", root.get_ref(), top), stem);
    if reader.errors.is_empty() { Ok(rule) } else { Err(reader.errors) }
}

fn rule(reader: &mut Reader, mut table: Table<'_>, stem: &str) -> Rule {
    let id = table.required_text(reader, "id");
    if id != stem && !id.is_empty() {
        let message = format!("the id \"{id}\" is not the file's name \"{stem}\"");
        reader.error(&table.span(), message, Some(format!("write id = \"{stem}\"")));
    }
    let severity = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let severities = table.words(reader, "severity", &severity);
    if severities.len() != 1 && reader.errors.is_empty() {
        let hint = Some("write error, warning or note".to_owned());
        reader.error(&table.span(), "the rule has no severity".to_owned(), hint);
    }
    let servers = table.words(reader, "servers", &SERVERS);
    if servers.is_empty() && reader.errors.is_empty() {
        let hint = Some("write servers = [\"postgres\"]".to_owned());
        reader.error(&table.span(), "the rule names no servers".to_owned(), hint);
    }
    let mut rule = Rule {
        id,
        since: table.required_text(reader, "since"),
        severity: severities.first().copied().unwrap_or(Severity::Error),
        policy: table.flag(reader, "policy").unwrap_or(false),
        servers,
        versions: versions(reader, &mut table),
        title: table.required_text(reader, "title"),
        message: None,
        why: table.required_text(reader, "why"),
        instead: table.required_text(reader, "instead").into(),
        aliases: plain(table.texts(reader, "aliases")),
        known_as: plain(table.texts(reader, "known_as")),
        once: table.words(reader, "once", &ONCE).first().copied(),
        leads: table.words(reader, "leads", &LEADS).first().copied().unwrap_or(Leads::Always),
        options: options(reader, &mut table, "options", "[options]"),
        matches: Vec::new(),
        examples: Vec::new(),
    };
    if let Some((text, span)) = table.text(reader, "message") {
        if let Err((word, known)) = message::check(&text) {
            reader.unknown(&span, "placeholder", &word, known);
        }
        rule.message = Some(text);
    }
    for found in table.tables(reader, "match", "[match]") {
        let span = found.span();
        let read = conditions(reader, found);
        check_options(reader, &read, &rule.options, &span);
        rule.matches.push(read);
    }
    if rule.matches.is_empty() {
        let hint = Some("write [match] with an effect".to_owned());
        reader.error(&table.span(), "the rule matches nothing".to_owned(), hint);
    }
    for found in table.tables(reader, "example", "[[example]]") {
        let read = example(reader, found);
        rule.examples.push(read);
    }
    table.finish(reader);
    rule
}

const ONCE: [(&str, Once); 2] = [("table", Once::Table), ("migration", Once::Migration)];

const LEADS: [(&str, Leads); 3] =
    [("always", Leads::Always), ("alone", Leads::Alone), ("never", Leads::Never)];

const SERVERS: [(&str, ServerKind); 4] = [
    ("postgres", ServerKind::Postgres),
    ("mysql", ServerKind::Mysql),
    ("mariadb", ServerKind::Mariadb),
    ("sqlite", ServerKind::Sqlite),
];

fn plain(texts: Vec<(String, Range<usize>)>) -> Vec<String> {
    texts.into_iter().map(|(text, _)| text).collect()
}

fn versions(reader: &mut Reader, table: &mut Table<'_>) -> BTreeMap<ServerKind, VersionRange> {
    let Some(mut versions) = table.table(reader, "versions", "versions") else {
        return BTreeMap::new();
    };
    let mut found = BTreeMap::new();
    for (name, kind) in SERVERS {
        let Some((text, span)) = versions.text(reader, name) else { continue };
        match VersionRange::parse(&text) {
            Some(range) => drop(found.insert(kind, range)),
            None => {
                let hint = Some("write for example \">=12\" or \">=14, <14.4\"".to_owned());
                reader.error(&span, format!("\"{text}\" is no range of versions"), hint);
            }
        }
    }
    versions.finish(reader);
    found
}

/// Reads free names with values.
fn options(
    reader: &mut Reader,
    table: &mut Table<'_>,
    key: &'static str,
    name: &'static str,
) -> BTreeMap<String, OptionValue> {
    let Some(options) = table.table(reader, key, name) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for ((name, value), span) in options.entries() {
        match option_value(value) {
            Some(value) => drop(found.insert(name.to_owned(), value)),
            None => {
                let message = format!("the option {name} is no number, text or list of texts");
                reader.error(&span, message, None);
            }
        }
    }
    found
}

/// Returns a TOML value as an option: a number from 0 on, a text, a list of texts.
pub(crate) fn option_value(value: &DeValue<'_>) -> Option<OptionValue> {
    if let Some(text) = value.as_str() {
        return Some(OptionValue::Text(text.to_owned()));
    }
    if let Some(number) = value.as_integer() {
        return u64::from_str_radix(number.as_str(), number.radix()).ok().map(OptionValue::Number);
    }
    let items = value.as_array()?;
    let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
    texts.collect::<Option<Vec<String>>>().map(OptionValue::List)
}

fn check_options(
    reader: &mut Reader,
    read: &Match,
    options: &BTreeMap<String, OptionValue>,
    span: &Range<usize>,
) {
    for name in read.used_options() {
        if !options.contains_key(name) {
            let hint = Some(format!("write [options] with {name} and its default"));
            reader.error(span, format!("the option ${name} is not declared"), hint);
        }
    }
}

fn conditions(reader: &mut Reader, mut table: Table<'_>) -> Match {
    let kinds = EffectWord::ALL.map(|kind| (kind.as_str(), kind));
    let effect = table.words(reader, "effect", &kinds);
    if effect.len() != 1 && reader.errors.is_empty() {
        let hint = Some("write effect = \"lock\" or another".to_owned());
        reader.error(&table.span(), "[match] has no effect".to_owned(), hint);
    }
    let effect = effect.first().copied().unwrap_or(EffectWord::Unknown);
    let blocks = [
        ("reads", Blocks::Reads),
        ("writes", Blocks::Writes),
        ("writes-only", Blocks::WritesOnly),
        ("nothing", Blocks::Nothing),
    ];
    let until = [
        ("statement-end", HeldUntil::StatementEnd),
        ("transaction-end", HeldUntil::TransactionEnd),
    ];
    let mut flags = BTreeMap::new();
    for flag in Flag::ALL {
        if let Some(value) = table.flag(reader, flag.as_str()) {
            flags.insert(flag, value);
        }
    }
    let read = Match {
        effect,
        words: effect_words(reader, &mut table, effect),
        blocks: table.words(reader, "blocks", &blocks).first().copied(),
        during: table.words(reader, "during", &DURING),
        modes: table.words(reader, "mode", &LOCK_MODES),
        held_until: table.words(reader, "held_until", &until).first().copied(),
        tables: table.words(reader, "table", &TABLES),
        objects: table.words(reader, "object", OBJECT_KINDS),
        rows_over: number(reader, &mut table, "rows_over"),
        bytes_over: number(reader, &mut table, "bytes_over"),
        algorithms: table.words(reader, "algorithm", &ALGORITHMS),
        online_locks: table.words(reader, "online_lock", &ONLINE_LOCKS),
        beside: known_words(reader, &mut table, "beside", words::CAUSES),
        flags,
        name: TextMatch {
            like: pattern(reader, &mut table, "name_like"),
            unlike: pattern(reader, &mut table, "name_unlike"),
            one_of: list(reader, &mut table, "name_in"),
            none_of: list(reader, &mut table, "name_not_in"),
        },
        value: TextMatch {
            like: pattern(reader, &mut table, "value_like"),
            unlike: pattern(reader, &mut table, "value_unlike"),
            one_of: list(reader, &mut table, "value_in"),
            none_of: list(reader, &mut table, "value_not_in"),
        },
        path: TextMatch {
            like: pattern(reader, &mut table, "path_like"),
            unlike: pattern(reader, &mut table, "path_unlike"),
            ..TextMatch::default()
        },
        number_over: number(reader, &mut table, "number_over"),
        number_under: number(reader, &mut table, "number_under"),
    };
    table.finish(reader);
    read
}

/// Reads the word list that the kind of effect has.
fn effect_words(reader: &mut Reader, table: &mut Table<'_>, effect: EffectWord) -> Vec<String> {
    let (key, known): (&'static str, &[words::Word]) = match effect {
        EffectWord::Lock | EffectWord::Rewrite | EffectWord::Scan | EffectWord::IndexBuild => {
            ("cause", words::CAUSES)
        }
        EffectWord::Break => ("how", words::HOWS),
        EffectWord::Failure => ("when", words::WHENS),
        EffectWord::LeftBehind => ("what", words::LEFT_BEHIND),
        EffectWord::Declares => ("what", words::DECLARES),
        EffectWord::Session => ("what", words::SESSIONS),
        EffectWord::Loss | EffectWord::Unknown => return Vec::new(),
    };
    known_words(reader, table, key, known)
}

fn known_words(
    reader: &mut Reader,
    table: &mut Table<'_>,
    key: &'static str,
    known: &[words::Word],
) -> Vec<String> {
    let mut found = Vec::new();
    for (word, span) in table.texts(reader, key) {
        if words::has(known, &word) {
            found.push(word);
        } else {
            let names: Vec<&'static str> = known.iter().map(|&(name, _)| name).collect();
            reader.unknown(&span, key, &word, &names);
        }
    }
    found
}

fn option_name(text: &str) -> Option<String> {
    text.strip_prefix('$').filter(|name| !name.is_empty()).map(str::to_owned)
}

fn number(reader: &mut Reader, table: &mut Table<'_>, key: &'static str) -> Option<Number> {
    let value = table.value(key)?;
    let number = match option_value(value.get_ref()) {
        Some(OptionValue::Number(number)) => Some(Number::Fixed(number)),
        Some(OptionValue::Text(text)) => option_name(&text).map(Number::Option),
        Some(OptionValue::List(_)) | None => None,
    };
    if number.is_none() {
        reader.error(&value.span(), format!("{key} is a number or \"$option\""), None);
    }
    number
}

fn pattern(reader: &mut Reader, table: &mut Table<'_>, key: &'static str) -> Option<Pattern> {
    let (text, span) = table.text(reader, key)?;
    if let Some(name) = option_name(&text) {
        return Some(Pattern::Option(name));
    }
    match super::options::regex(&text) {
        Ok(regex) => Some(Pattern::Fixed(regex)),
        Err(error) => {
            let line = error.to_string().lines().last().unwrap_or_default().to_owned();
            reader.error(&span, format!("{key} is no regular expression: {line}"), None);
            None
        }
    }
}

fn list(reader: &mut Reader, table: &mut Table<'_>, key: &'static str) -> Option<Words> {
    let texts = table.texts(reader, key);
    match texts.as_slice() {
        [] => None,
        [(only, _)] => match option_name(only) {
            Some(name) => Some(Words::Option(name)),
            None => Some(Words::Fixed(vec![only.clone()])),
        },
        _ => Some(Words::Fixed(plain(texts))),
    }
}

fn example(reader: &mut Reader, mut table: Table<'_>) -> Example {
    let modes = [
        ("wrapped", TransactionMode::Wrapped),
        ("unwrapped", TransactionMode::Unwrapped),
        ("grouped", TransactionMode::Grouped),
    ];
    let version = table.text(reader, "version").and_then(|(text, span)| {
        let version = text.parse().ok();
        if version.is_none() {
            reader.error(&span, format!("\"{text}\" is no server version"), None);
        }
        version
    });
    let sql = |text: Option<(String, Range<usize>)>| text.map(|(text, _)| text);
    let mut read = Example {
        name: table.required_text(reader, "name"),
        servers: table.words(reader, "servers", &SERVERS),
        version,
        transaction: table
            .words(reader, "transaction", &modes)
            .first()
            .copied()
            .unwrap_or(TransactionMode::Grouped),
        rows: BTreeMap::new(),
        settings: BTreeMap::new(),
        options: options(reader, &mut table, "options", "options of the example"),
        not_run: table.text(reader, "not_run").map(|(text, _)| text),
        given: sql(table.text(reader, "given")),
        bad: sql(table.text(reader, "bad")),
        good: sql(table.text(reader, "good")),
    };
    for (name, value) in options(reader, &mut table, "rows", "rows of the example") {
        if let OptionValue::Number(rows) = value {
            read.rows.insert(name, rows);
        }
    }
    for (name, value) in options(reader, &mut table, "settings", "settings of the example") {
        if let OptionValue::Text(value) = value {
            read.settings.insert(name, value);
        }
    }
    table.finish(reader);
    read
}

const DURING: [(&str, During); 4] = [
    ("instant", During::Instant),
    ("scan", During::Scan),
    ("index-build", During::IndexBuild),
    ("rewrite", During::Rewrite),
];

const TABLES: [(&str, TableWord); 4] = [
    ("existing", TableWord::Existing),
    ("new", TableWord::New),
    ("filled", TableWord::Filled),
    ("empty", TableWord::Empty),
];

const ALGORITHMS: [(&str, Algorithm); 4] = [
    ("INSTANT", Algorithm::Instant),
    ("NOCOPY", Algorithm::Nocopy),
    ("INPLACE", Algorithm::Inplace),
    ("COPY", Algorithm::Copy),
];

const ONLINE_LOCKS: [(&str, OnlineLock); 4] = [
    ("DEFAULT", OnlineLock::Default),
    ("NONE", OnlineLock::None),
    ("SHARED", OnlineLock::Shared),
    ("EXCLUSIVE", OnlineLock::Exclusive),
];

/// PostgreSQL's modes; the other servers have a mode for each thing that blocks.
const LOCK_MODES: [(&str, LockMode); 8] = [
    ("ACCESS SHARE", LockMode::AccessShare),
    ("ROW SHARE", LockMode::RowShare),
    ("ROW EXCLUSIVE", LockMode::RowExclusive),
    ("SHARE UPDATE EXCLUSIVE", LockMode::ShareUpdateExclusive),
    ("SHARE", LockMode::Share),
    ("SHARE ROW EXCLUSIVE", LockMode::ShareRowExclusive),
    ("EXCLUSIVE", LockMode::Exclusive),
    ("ACCESS EXCLUSIVE", LockMode::AccessExclusive),
];
