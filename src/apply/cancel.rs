//! Whose work may be ended so that a migration gets on: only what somebody wrote down.

use super::watch::Blocker;

/// A rule that allows to end what is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRule {
    /// Which users; `*` stands for anything, no pattern for everybody.
    pub user: Option<String>,
    /// Which application names.
    pub application: Option<String>,
    /// Only what is older than this, counted from the beginning of its transaction.
    pub older_than_s: u64,
    /// What is ended.
    pub end: End,
}

/// What is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The statement; the session lives on. It does not help against a transaction that is idle.
    Statement,
    /// The session.
    Session,
}

impl CancelRule {
    /// Says whether the rule allows to end this one.
    pub(super) fn allows(&self, blocker: &Blocker) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern.as_deref().is_none_or(|pattern| matches(pattern, text))
        };
        // Another run is waited for, never ended.
        !blocker.application.starts_with("lockwise/")
            && fits(&self.user, &blocker.user)
            && fits(&self.application, &blocker.application)
            && blocker.age_s >= self.older_than_s
    }
}

/// Says whether a text fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        let table = [
            ("report", "report", true),
            ("report", "reports", false),
            ("report*", "reports", true),
            ("*port*", "reports", true),
            ("*port", "reports", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-c", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn only_what_is_named_and_old_enough_is_ended() {
        let rule = CancelRule {
            user: Some("analyst".to_owned()),
            application: None,
            older_than_s: 5,
            end: End::Statement,
        };
        let analyst = Blocker { user: "analyst".to_owned(), age_s: 5, ..Blocker::default() };
        assert!(rule.allows(&analyst));
        assert!(!rule.allows(&Blocker { age_s: 4, ..analyst.clone() }));
        assert!(!rule.allows(&Blocker { user: "shop".to_owned(), ..analyst.clone() }));
        let run = Blocker { application: "lockwise/1".to_owned(), ..analyst };
        assert!(!rule.allows(&run), "another run is never ended");
    }
}
