//! What one statement changes, told without a look at the whole schema.
//!
//! Pure. On MySQL and MariaDB every statement commits by itself, and what it changes must be known
//! before it runs on the live database, so that a crash can be recovered from. With many statements
//! the whole schema cannot be read after each: what a statement names is read instead, and what
//! hangs on that. Whether that was enough is found out at the end, when what was put together is
//! compared with the schema as a whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::change::{changes, key};
use super::model::{ObjectChange, Step};
use crate::db::{Scope, Snapshot, SnapshotObject};
use crate::sql::{Lexer, Lexing, Server, ServerKind, TokenKind};

/// A new name stands among so many first words of a statement.
const HEAD: usize = 16;

/// The schema as far as it is known, and where its names lead to.
pub(super) struct Known {
    server: Server,
    objects: BTreeMap<(String, String), SnapshotObject>,
    /// Names in lower case to the relations that they are, are on, or refer to.
    leads: HashMap<String, BTreeSet<String>>,
    /// Relations, routines and events in lower case to the objects that are read with them.
    on: HashMap<String, BTreeSet<(String, String)>>,
}

impl Known {
    /// Returns what a look at everything shows.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let (server, objects) = (snapshot.server, BTreeMap::new());
        let mut known = Self { server, objects, leads: HashMap::new(), on: HashMap::new() };
        for object in &snapshot.objects {
            known.put(object.clone());
        }
        known
    }

    fn put(&mut self, object: SnapshotObject) {
        let relation = object.relation.as_ref().map(|relation| relation.name.clone());
        let place = relation.clone().unwrap_or_else(|| object.name.name.clone());
        self.on.entry(place.to_lowercase()).or_default().insert(key(&object));
        if !is_program(&object.kind) {
            let lead = self.leads.entry(object.name.name.to_lowercase()).or_default();
            lead.insert(place.clone());
        }
        // A change of the parent may change the foreign key of the child.
        if let Some(parent) = parent_of(&object) {
            self.leads.entry(parent.to_lowercase()).or_default().insert(place);
        }
        self.objects.insert(key(&object), object);
    }

    /// Returns what is to be read after a step; nothing where only a look at everything tells.
    pub(super) fn scope(&self, step: &Step) -> Option<Scope> {
        let words = words(&step.sql, self.server);
        let first = words.first().map(|word| word.text.to_lowercase()).unwrap_or_default();
        let plain = ["create", "alter", "drop", "rename", "truncate"].contains(&first.as_str());
        if !plain || step.unknown.is_some() {
            return None;
        }
        let mut scope = Scope::default();
        let head = words.iter().filter(|word| word.outside).take(HEAD);
        let mut program = false;
        for word in head {
            let lower = word.text.to_lowercase();
            program |= !word.quoted && is_program(&lower);
            if !self.leads.contains_key(&lower) {
                scope.relations.insert(word.text.clone());
            }
            scope.programs.insert(word.text.clone());
        }
        if !program {
            scope.programs.clear();
        }
        let after_to = words.windows(2).filter_map(|pair| match pair {
            [before, name] if ["to", "as", "."].contains(&before.text.to_lowercase().as_str()) => {
                Some(name)
            }
            _ => None,
        });
        scope.relations.extend(after_to.map(|name| name.text.clone()));
        for word in &words {
            let led = self.leads.get(&word.text.to_lowercase());
            scope.relations.extend(led.into_iter().flatten().cloned());
        }
        Some(scope)
    }

    /// Takes over what was read, and returns what is different now.
    pub(super) fn update(&mut self, scope: &Scope, now: Snapshot) -> Vec<ObjectChange> {
        let mut before = Snapshot::empty(self.server);
        let names = scope.relations.iter().map(|name| (name, false));
        let names = names.chain(scope.programs.iter().map(|name| (name, true)));
        let mut keys = BTreeSet::new();
        for (name, program) in names {
            let on = self.on.get(&name.to_lowercase()).into_iter().flatten();
            keys.extend(on.filter(|(kind, _)| is_program(kind) == program).cloned());
        }
        for key in keys {
            before.objects.extend(self.objects.remove(&key));
        }
        let different = changes(&before, &now);
        for object in now.objects {
            self.put(object);
        }
        different
    }

    /// Returns what is different in a look at everything.
    pub(super) fn changes_to(&self, snapshot: &Snapshot) -> Vec<ObjectChange> {
        let mut whole = Snapshot::empty(self.server);
        whole.objects = self.objects.values().cloned().collect();
        changes(&whole, snapshot)
    }
}

/// Says whether it is read by its own name and not with a relation.
fn is_program(kind: &str) -> bool {
    ["procedure", "function", "event"].contains(&kind)
}

/// Returns the table that a foreign key refers to.
fn parent_of(object: &SnapshotObject) -> Option<String> {
    if object.kind != "foreign-key" {
        return None;
    }
    let statement = object.statements.first()?;
    let (_, after) = statement.split_once(") REFERENCES ")?;
    let named = words(after, Server::of(ServerKind::Mysql));
    // The name of another database may stand before it.
    let outside = named.into_iter().take_while(|word| word.outside);
    outside.last().map(|word| word.text)
}

/// A word or a name of a statement.
struct Word {
    /// Without quotes.
    text: String,
    quoted: bool,
    /// It stands outside of parentheses.
    outside: bool,
}

fn words(sql: &str, server: Server) -> Vec<Word> {
    let mut lexer = Lexer::new(sql, Lexing::of(server));
    let (mut depth, mut words) = (0_u32, Vec::new());
    while let Some(token) = lexer.next_token() {
        let Some(text) = sql.get(token.span.start as usize..token.span.end as usize) else {
            continue;
        };
        let quoted = token.kind == TokenKind::QuotedName;
        match token.kind {
            TokenKind::Word | TokenKind::QuotedName => {
                let inner = text.get(1..text.len().saturating_sub(1)).filter(|_| quoted);
                let text = inner.map_or_else(|| text.to_owned(), |name| name.replace("``", "`"));
                words.push(Word { text, quoted, outside: depth == 0 });
            }
            TokenKind::Punctuation | TokenKind::Operator => match text {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            },
            TokenKind::Comment
            | TokenKind::String
            | TokenKind::DollarString
            | TokenKind::Number
            | TokenKind::Parameter
            | TokenKind::Variable
            | TokenKind::Unterminated
            | TokenKind::Stray => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::model::Nature;
    use crate::schema::Name;

    fn object(kind: &str, name: &str, on: Option<&str>, sql: &str) -> SnapshotObject {
        SnapshotObject {
            kind: kind.to_owned(),
            name: Name::new("", name),
            relation: on.map(|on| Name::new("", on)),
            note: None,
            statements: vec![sql.to_owned()],
        }
    }

    fn schema() -> Snapshot {
        let mut snapshot = Snapshot::empty(Server::of(ServerKind::Mariadb));
        let key = "ALTER TABLE `lines` ADD CONSTRAINT `l_o` FOREIGN KEY (`o`) REFERENCES \
                   `orders` (`id`)";
        snapshot.objects = vec![
            object("table", "orders", None, "CREATE TABLE `orders` (id int)"),
            object("table", "lines", None, "CREATE TABLE `lines` (o int)"),
            object("table", "others", None, "CREATE TABLE `others` (id int)"),
            object("foreign-key", "l_o", Some("lines"), key),
            object("trigger", "stamp", Some("others"), "CREATE TRIGGER `stamp` …"),
            object("procedure", "tidy", None, "CREATE PROCEDURE `tidy`() DO 1"),
        ];
        snapshot
    }

    fn visible(sql: &str) -> Step {
        Step::plain(sql, Nature::Visible)
    }

    #[track_caller]
    fn check(sql: &str, relations: &[&str], programs: &[&str]) {
        let known = Known::of(&schema());
        let scope = known.scope(&visible(sql)).unwrap();
        for name in relations {
            assert!(scope.relations.contains(*name), "{name} of {:?}", scope.relations);
        }
        for table in ["orders", "lines", "others"] {
            let wanted = relations.contains(&table);
            assert_eq!(scope.relations.contains(table), wanted, "{table}: {:?}", scope.relations);
        }
        for name in programs {
            assert!(scope.programs.contains(*name), "{name} of {:?}", scope.programs);
        }
        assert_eq!(scope.programs.is_empty(), programs.is_empty());
    }

    #[test]
    fn what_a_statement_names_and_what_hangs_on_it_is_read() {
        check("ALTER TABLE ORDERS ADD COLUMN note text", &["orders", "lines"], &[]);
        check("CREATE TABLE `new one` (id int, o int)", &["new one"], &[]);
        check("RENAME TABLE others TO shop.elsewhere", &["others", "elsewhere"], &[]);
        check("DROP TRIGGER stamp", &["others"], &[]);
        check("CREATE PROCEDURE p() UPDATE others SET id = 1", &["others"], &["p"]);
        check("DROP PROCEDURE tidy", &[], &["tidy"]);
    }

    #[test]
    fn what_cannot_be_told_from_its_words_is_looked_at_as_a_whole() {
        let known = Known::of(&schema());
        assert!(known.scope(&visible("CALL tidy()")).is_none());
        let opaque = Step { unknown: Some("no grammar".to_owned()), ..visible("CREATE THING a") };
        assert!(known.scope(&opaque).is_none());
    }

    #[test]
    fn what_is_read_is_taken_over() {
        let mut known = Known::of(&schema());
        let scope = known.scope(&visible("ALTER TABLE others RENAME TO more")).unwrap();
        let mut now = Snapshot::empty(known.server);
        now.objects = vec![
            object("table", "more", None, "CREATE TABLE `more` (id int)"),
            object("trigger", "stamp", Some("more"), "CREATE TRIGGER `stamp` …"),
        ];
        let read = now.objects.clone();
        let names: Vec<String> =
            known.update(&scope, now).into_iter().map(|change| change.name).collect();
        assert_eq!(names, ["others", "stamp on others", "more", "stamp on more"]);
        let mut whole = schema();
        assert!(!known.changes_to(&whole).is_empty());
        whole.objects.retain(|object| object.name.name != "others" && object.name.name != "stamp");
        whole.objects.extend(read);
        assert!(known.changes_to(&whole).is_empty());
    }
}
