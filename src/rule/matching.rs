//! Whether an effect satisfies the conditions of a rule.
//!
//! Options are replaced by their values beforehand ([`Match::resolve`]).

use super::facts::Facts;
use super::model::{Blocks, Flag, Match, Number, Pattern, TableWord, TextMatch, Words};
use crate::effect::{Effect, LockMode, StatementEffects, Subject, TableState};

/// The place of an effect: the statement it is part of, and the rule's options.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    /// Everything that the statement does; none for effects of a whole migration.
    pub(super) statement: Option<&'p StatementEffects>,
    /// The path of the file.
    pub(super) path: &'p str,
    /// The statement runs in a transaction.
    pub(super) in_transaction: bool,
    /// A timeout ends its wait for locks.
    pub(super) lock_timeout: bool,
}

impl Match {
    /// Says whether all conditions hold.
    pub(super) fn holds(&self, facts: &Facts<'_>, place: Place<'_>) -> bool {
        self.effect == facts.kind
            && (self.words.is_empty() || self.words.iter().any(|word| word == facts.word))
            && (self.tables.is_empty() || self.tables.iter().any(|&table| is(table, facts.state)))
            && (self.objects.is_empty()
                || facts.object.is_some_and(|object| self.objects.contains(&object)))
            && self.lock_holds(facts, place)
            && self.size_holds(facts)
            && self.online_holds(place)
            && (self.beside.is_empty() || self.beside_holds(place))
            && self.flags.iter().all(|(&flag, &wanted)| flag_of(flag, facts, place) == Some(wanted))
            && text_holds(&self.name, facts.last_part())
            && text_holds(&self.value, facts.value)
            && text_holds(&self.path, place.path)
            && self.number_holds(facts)
    }

    fn lock_holds(&self, facts: &Facts<'_>, place: Place<'_>) -> bool {
        let blocks = match self.blocks {
            Some(wanted) => blocks(wanted, facts, place),
            None => true,
        };
        let lock =
            |condition: &dyn Fn(&crate::effect::Lock) -> bool| facts.lock.is_some_and(condition);
        blocks
            && (self.during.is_empty() || lock(&|lock| self.during.contains(&lock.during)))
            && (self.modes.is_empty() || lock(&|lock| self.modes.contains(&lock.mode)))
            && self.held_until.is_none_or(|until| lock(&|lock| lock.held_until == until))
    }

    fn size_holds(&self, facts: &Facts<'_>) -> bool {
        let over = |limit: &Option<Number>, size: Option<u64>| match limit {
            Some(limit) => fixed(limit).is_none_or(|limit| size.is_none_or(|s| s > limit)),
            None => true,
        };
        let size = |pick: fn(&Subject) -> Option<u64>| facts.subject.and_then(pick);
        over(&self.rows_over, size(|subject| subject.rows))
            && over(&self.bytes_over, size(|subject| subject.bytes))
    }

    fn online_holds(&self, place: Place<'_>) -> bool {
        let online = place.statement.and_then(|statement| statement.online);
        (self.algorithms.is_empty()
            || online.is_some_and(|online| self.algorithms.contains(&online.algorithm)))
            && (self.online_locks.is_empty()
                || online.is_some_and(|online| self.online_locks.contains(&online.lock)))
    }

    fn beside_holds(&self, place: Place<'_>) -> bool {
        place.statement.is_some_and(|statement| {
            let facts = statement.effects.iter().map(Facts::of);
            facts.filter(Facts::has_cause).any(|other| self.beside.iter().any(|w| w == other.word))
        })
    }

    fn number_holds(&self, facts: &Facts<'_>) -> bool {
        let over = self.number_over.as_ref().is_none_or(|over| {
            facts.number.zip(fixed(over)).is_some_and(|(number, limit)| number > limit)
        });
        let under = self.number_under.as_ref().is_none_or(|under| {
            facts.number.zip(fixed(under)).is_some_and(|(number, limit)| number < limit)
        });
        over && under
    }
}

fn is(word: TableWord, state: Option<TableState>) -> bool {
    let Some(state) = state else { return false };
    match word {
        TableWord::Existing => state == TableState::Existing,
        TableWord::New => matches!(state, TableState::NewEmpty | TableState::NewFilled),
        TableWord::Filled => matches!(state, TableState::Existing | TableState::NewFilled),
        TableWord::Empty => state == TableState::Empty,
    }
}

/// Says whether the effect's lock, or one on the same table in the same statement, blocks so much.
fn blocks(wanted: Blocks, facts: &Facts<'_>, place: Place<'_>) -> bool {
    let modes: Vec<LockMode> = match (facts.lock, facts.subject, place.statement) {
        (Some(lock), _, _) => vec![lock.mode],
        (None, Some(subject), Some(statement)) => statement
            .effects
            .iter()
            .filter_map(Effect::lock)
            .filter(|lock| lock.relation.name == subject.name)
            .map(|lock| lock.mode)
            .collect(),
        (None, _, _) => Vec::new(),
    };
    let reads = modes.iter().any(|mode| mode.blocks_reads());
    let writes = modes.iter().any(|mode| mode.blocks_writes());
    match wanted {
        Blocks::Reads => reads,
        Blocks::Writes => writes,
        Blocks::WritesOnly => writes && !reads,
        Blocks::Nothing => !writes,
    }
}

fn flag_of(flag: Flag, facts: &Facts<'_>, place: Place<'_>) -> Option<bool> {
    match flag {
        Flag::Certain => facts.certain,
        Flag::Cascade => facts.loss.map(|loss| loss.cascade),
        Flag::Rows => facts.loss.map(|loss| loss.rows),
        Flag::Concurrent => facts.concurrent,
        Flag::Index => facts.lock.map(|lock| lock.index),
        Flag::InTransaction => Some(place.in_transaction),
        Flag::LockTimeout => Some(place.lock_timeout),
        Flag::RowsKnown => Some(facts.subject.is_some_and(|subject| subject.rows.is_some())),
        Flag::Rebuilds => {
            Some(place.statement.and_then(|s| s.online).is_some_and(|online| online.rebuilds))
        }
    }
}

fn fixed(number: &Number) -> Option<u64> {
    match number {
        Number::Fixed(number) => Some(*number),
        Number::Option(_) => None,
    }
}

fn text_holds(text: &TextMatch, value: &str) -> bool {
    let found = |pattern: &Pattern| match pattern {
        Pattern::Fixed(regex) => Some(regex.is_match(value)),
        Pattern::Option(_) => None,
    };
    let listed = |words: &Words| match words {
        Words::Fixed(words) => words.iter().any(|word| word.eq_ignore_ascii_case(value)),
        Words::Option(_) => false,
    };
    text.like.as_ref().is_none_or(|pattern| found(pattern) == Some(true))
        && text.unlike.as_ref().is_none_or(|pattern| found(pattern) == Some(false))
        && text.one_of.as_ref().is_none_or(listed)
        && !text.none_of.as_ref().is_some_and(listed)
}
