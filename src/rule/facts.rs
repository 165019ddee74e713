//! One flat view of an effect, so that matching and messages need not know its variants.

use super::model::EffectWord;
use crate::effect::{Declaration, Effect, EffectKind, Failure, Lock, Loss, Subject, TableState};
use crate::schema::Name;
use crate::sql::ast::ObjectKind;

/// An effect as a row of facts; what an effect does not have is none.
#[derive(Debug, Clone)]
pub(super) struct Facts<'e> {
    /// Which kind of effect.
    pub(super) kind: EffectWord,
    /// Its cause, how, what or when.
    pub(super) word: &'static str,
    /// The relation it is about.
    pub(super) subject: Option<&'e Subject>,
    /// The state of the table concerned.
    pub(super) state: Option<TableState>,
    /// The full name of the object.
    pub(super) name: String,
    /// The kind of object.
    pub(super) object: Option<ObjectKind>,
    /// The value.
    pub(super) value: &'e str,
    /// The number.
    pub(super) number: Option<u64>,
    /// The lock.
    pub(super) lock: Option<&'e Lock>,
    /// The index that is built.
    pub(super) index: Option<&'e Name>,
    /// The index is built concurrently.
    pub(super) concurrent: Option<bool>,
    /// The failure does not depend on data.
    pub(super) certain: Option<bool>,
    /// What is lost.
    pub(super) loss: Option<&'e Loss>,
}

impl<'e> Facts<'e> {
    const fn empty(kind: EffectWord, word: &'static str) -> Self {
        Self {
            kind,
            word,
            subject: None,
            state: None,
            name: String::new(),
            object: None,
            value: "",
            number: None,
            lock: None,
            index: None,
            concurrent: None,
            certain: None,
            loss: None,
        }
    }

    fn of_subject(kind: EffectWord, word: &'static str, subject: &'e Subject) -> Self {
        Self {
            subject: Some(subject),
            state: Some(subject.state),
            name: subject.name.to_string(),
            object: Some(ObjectKind::Table),
            ..Self::empty(kind, word)
        }
    }

    fn named(
        kind: EffectWord,
        word: &'static str,
        name: &str,
        object: Option<ObjectKind>,
        state: TableState,
    ) -> Self {
        Self { name: name.to_owned(), object, state: Some(state), ..Self::empty(kind, word) }
    }

    /// Returns the facts of an effect.
    pub(super) fn of(effect: &'e Effect) -> Self {
        match &effect.kind {
            EffectKind::Lock(lock) => Self {
                lock: Some(lock),
                ..Self::of_subject(EffectWord::Lock, lock.cause, &lock.relation)
            },
            EffectKind::Rewrite { relation, cause } => {
                Self::of_subject(EffectWord::Rewrite, cause, relation)
            }
            EffectKind::Scan { relation, cause, .. } => {
                Self::of_subject(EffectWord::Scan, cause, relation)
            }
            EffectKind::IndexBuild { relation, index, cause, concurrent } => Self {
                index: Some(index),
                concurrent: Some(*concurrent),
                ..Self::of_subject(EffectWord::IndexBuild, cause, relation)
            },
            EffectKind::Loss(loss) => Self::of_loss(loss),
            EffectKind::Break { how, object, name, state } => {
                Self::named(EffectWord::Break, how, name, Some(*object), *state)
            }
            EffectKind::Failure(failure) => Self::of_failure(failure),
            EffectKind::LeftBehind { what, name, by, state } => {
                Self { value: by, ..Self::named(EffectWord::LeftBehind, what, name, None, *state) }
            }
            EffectKind::Declares(declaration) => Self::of_declaration(declaration),
            EffectKind::Session { what, value } => {
                Self { value, name: value.clone(), ..Self::empty(EffectWord::Session, what) }
            }
            EffectKind::Unknown { reason } => {
                Self { value: reason, ..Self::empty(EffectWord::Unknown, "") }
            }
        }
    }

    fn of_loss(loss: &'e Loss) -> Self {
        let facts = Self::named(EffectWord::Loss, "", &loss.name, Some(loss.object), loss.state);
        Self { loss: Some(loss), ..facts }
    }

    fn of_failure(failure: &'e Failure) -> Self {
        Self {
            value: &failure.detail,
            certain: Some(failure.certain),
            ..Self::empty(EffectWord::Failure, failure.when)
        }
    }

    fn of_declaration(declaration: &'e Declaration) -> Self {
        Self {
            value: &declaration.value,
            number: declaration.number,
            ..Self::named(
                EffectWord::Declares,
                declaration.what,
                &declaration.name,
                Some(declaration.object),
                declaration.state,
            )
        }
    }

    /// Says whether the word is a cause: locks, rewrites, scans and index builds have one.
    pub(super) const fn has_cause(&self) -> bool {
        matches!(
            self.kind,
            EffectWord::Lock | EffectWord::Rewrite | EffectWord::Scan | EffectWord::IndexBuild
        )
    }

    /// Returns the name of the table concerned: the object itself, or what it is part of.
    pub(super) fn table(&self) -> &str {
        match self.object {
            Some(ObjectKind::Column) => self.name.rsplit_once('.').map_or("", |(table, _)| table),
            _ => &self.name,
        }
    }

    /// Returns the last part of the name.
    pub(super) fn last_part(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }
}
