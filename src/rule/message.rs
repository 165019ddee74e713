//! Effects in words: a finding's message and the fact behind it.

use super::facts::Facts;
use crate::effect::{During, Effect, EffectKind, HeldUntil, Lock, LockMode, StatementEffects};
use crate::schema::Name;
use crate::sql::ServerKind;

/// Placeholders of a rule's `message`.
const PLACEHOLDERS: [&str; 11] = [
    "blocked", "column", "detail", "index", "mode", "name", "names", "number", "object", "table",
    "value",
];

/// Looks for placeholders that nobody fills; returns the first and those there are.
pub(super) fn check(template: &str) -> Result<(), (String, &'static [&'static str])> {
    for part in template.split('{').skip(1) {
        let word = part.split('}').next().unwrap_or_default();
        if !PLACEHOLDERS.contains(&word) {
            return Err((word.to_owned(), &PLACEHOLDERS));
        }
    }
    Ok(())
}

/// Returns a rule's message for an effect.
pub(super) fn fill(template: &str, facts: &Facts<'_>, server: ServerKind) -> String {
    let mut message = template.to_owned();
    for word in PLACEHOLDERS {
        let slot = format!("{{{word}}}");
        if message.contains(&slot) {
            message = message.replace(&slot, &placeholder(word, facts, server));
        }
    }
    message
}

fn placeholder(word: &str, facts: &Facts<'_>, server: ServerKind) -> String {
    match word {
        "name" => quoted(&facts.name, server),
        "names" => several(facts.value, server),
        "table" => quoted(facts.table(), server),
        "column" => quoted(facts.last_part(), server),
        "index" => facts.index.map_or_else(String::new, |index| quoted(&index.name, server)),
        "mode" => facts.lock.map_or("", |lock| lock.mode.as_str()).to_owned(),
        "blocked" => facts.lock.map_or("", |lock| blocked(lock.mode)).to_owned(),
        "number" => facts.number.map(|number| number.to_string()).unwrap_or_default(),
        "object" => facts.object.map_or("object", |object| object.as_str()).to_owned(),
        _ => facts.value.to_owned(),
    }
}

/// Quotes the first few of a list of names.
fn several(names: &str, server: ServerKind) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> =
        names.split(", ").filter(|name| !name.is_empty()).map(|n| quoted(n, server)).collect();
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// Quotes a full name as the server quotes names; the schema that needs no writing is left out.
pub(super) fn quoted(name: &str, server: ServerKind) -> String {
    let default = server.default_schema();
    let short = name.strip_prefix(default).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
    match server {
        ServerKind::Mysql | ServerKind::Mariadb => format!("`{short}`"),
        ServerKind::Postgres | ServerKind::Sqlite => format!("\"{short}\""),
    }
}

/// Names whom a lock stops.
pub(super) const fn blocked(mode: LockMode) -> &'static str {
    if mode.blocks_reads() {
        "reads and writes"
    } else if mode.blocks_writes() {
        "writes"
    } else {
        "no reads or writes"
    }
}

/// Returns an effect as a message without a rule's help: one lower-case line.
pub(super) fn plain(facts: &Facts<'_>, title: &str, server: ServerKind) -> String {
    let mut characters = title.chars();
    let first = characters.next().map(|first| first.to_lowercase().to_string());
    let title = format!("{}{}", first.unwrap_or_default(), characters.as_str());
    if facts.name.is_empty() {
        if facts.value.is_empty() { title } else { format!("{title}: {}", facts.value) }
    } else {
        format!("{title}: {}", quoted(&facts.name, server))
    }
}

/// Returns the fact behind a finding in words. Work on a table is told as the lock under which it
/// is done, where others wait for that: how long they wait is what matters.
pub(super) fn fact_under_lock(
    effect: &Effect,
    statement: Option<&StatementEffects>,
    server: ServerKind,
) -> String {
    let Some((relation, during)) = effect.work() else { return fact(effect, server) };
    let locks = statement.into_iter().flat_map(|statement| &statement.effects);
    let lock = locks.filter_map(Effect::lock).find(|lock| {
        lock.relation.name == relation.name && lock.during >= during && lock.mode.blocks_writes()
    });
    lock.map_or_else(|| fact(effect, server), |lock| lock_fact(lock, server))
}

/// Returns the fact behind a finding in words.
pub fn fact(effect: &Effect, server: ServerKind) -> String {
    match &effect.kind {
        EffectKind::Lock(lock) => lock_fact(lock, server),
        EffectKind::Rewrite { relation, .. } => {
            format!("every row of {} is written again", quoted(&relation.name.to_string(), server))
        }
        EffectKind::Scan { relation, .. } => {
            format!("every row of {} is read", quoted(&relation.name.to_string(), server))
        }
        EffectKind::IndexBuild { relation, index, concurrent, .. } => {
            let how =
                if *concurrent { "is built while reads and writes go on" } else { "is built" };
            let Name { name, .. } = index;
            let table = quoted(&relation.name.to_string(), server);
            format!("index {} on {table} {how}", quoted(name, server))
        }
        EffectKind::Loss(loss) => {
            let what = if loss.rows { "and its data are gone" } else { "is gone" };
            let by = if loss.cascade { " by CASCADE" } else { "" };
            let name = quoted(&loss.name, server);
            format!("{} {name} {what}{by}", loss.object.as_str())
        }
        EffectKind::Break { how, name, .. } => {
            format!("{}: {}", quoted(name, server), meaning(crate::effect::words::HOWS, how))
        }
        EffectKind::Failure(failure) => {
            let when = if failure.certain { "it fails" } else { "it can fail" };
            let code = failure.code.map(|code| format!(" (error {code})")).unwrap_or_default();
            format!("{when}: {}{code}", failure.detail)
        }
        EffectKind::LeftBehind { what, name, .. } => {
            let meaning = meaning(crate::effect::words::LEFT_BEHIND, what);
            format!("{}: {meaning}", quoted(name, server))
        }
        EffectKind::Declares(declaration) => {
            let meaning = meaning(crate::effect::words::DECLARES, declaration.what);
            format!("{}: {meaning}: {}", quoted(&declaration.name, server), declaration.value)
        }
        EffectKind::Session { what, value } => {
            let meaning = meaning(crate::effect::words::SESSIONS, what);
            if value.is_empty() { meaning.to_owned() } else { format!("{meaning}: {value}") }
        }
        EffectKind::Unknown { reason } => format!("not analysed: {reason}"),
    }
}

fn lock_fact(lock: &Lock, server: ServerKind) -> String {
    let kind = match lock.mode {
        LockMode::MdlSharedRead
        | LockMode::MdlSharedWrite
        | LockMode::MdlSharedUpgradable
        | LockMode::MdlSharedNoWrite
        | LockMode::MdlExclusive => "metadata lock",
        LockMode::AccessShare
        | LockMode::RowShare
        | LockMode::RowExclusive
        | LockMode::ShareUpdateExclusive
        | LockMode::Share
        | LockMode::ShareRowExclusive
        | LockMode::Exclusive
        | LockMode::AccessExclusive
        | LockMode::InnodbSharedRows
        | LockMode::InnodbExclusiveRows
        | LockMode::SqliteReserved
        | LockMode::SqliteExclusive => "lock",
    };
    let name = quoted(&lock.relation.name.to_string(), server);
    let during = match lock.during {
        During::Instant => "",
        During::Scan => " while every row is read",
        During::IndexBuild => " while an index is built",
        During::Rewrite => " while every row is written again",
    };
    let until = match lock.held_until {
        HeldUntil::StatementEnd => "",
        HeldUntil::TransactionEnd => ", held until the transaction ends",
    };
    let waits = match blocked(lock.mode) {
        "no reads or writes" => "reads and writes go on".to_owned(),
        who => format!("{who} wait"),
    };
    format!("{} {kind} on {name}: {waits}{during}{until}", lock.mode.as_str())
}

fn meaning(list: &[crate::effect::words::Word], word: &str) -> &'static str {
    list.iter().find(|(known, _)| *known == word).map_or("", |&(_, meaning)| meaning)
}
