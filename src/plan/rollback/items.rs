//! The statements of a snapshot as things that exist: what each is called, how it is removed.

use std::collections::BTreeSet;

use crate::db::SnapshotObject;
use crate::sql::ast::{
    ActionKind, AlterTable, ConstraintKind, CreateIndex, CreateRoutine, CreateTable, DomainAction,
    ObjectKind, PgAction, RowSecurity, Statement, StatementKind,
};
use crate::sql::{
    Lexer, Lexing, ObjectName, Section, Server, ServerKind, Source, Span, TokenKind, parse,
};

/// One statement of a snapshot.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Kind and name. Two items with one identity are one thing, before and after.
    pub(super) identity: String,
    /// The place of its object in the snapshot.
    pub(super) at: usize,
    /// The table it goes away with.
    pub(super) table: Option<String>,
    /// Its own text.
    pub(super) create: String,
    /// Settings of the session that it needs, and what takes them back (MySQL, MariaDB).
    pub(super) around: (Vec<String>, Vec<String>),
    /// What removes it; none where a thing of this kind is only ever replaced.
    pub(super) remove: Option<String>,
    /// A table, with its parts.
    pub(super) parts: Option<Box<TableText>>,
    /// Relations that a view or a trigger reads, named as the snapshot names them.
    pub(super) reads: Vec<String>,
}

impl Item {
    /// Says whether columns of tables may have it as their type, or as a part of that.
    pub(super) fn supports_columns(&self) -> bool {
        let kinds = ["type ", "domain ", "collation ", "extension ", "schema "];
        kinds.iter().any(|kind| self.identity.starts_with(kind))
    }

    /// Says whether it is an index or a constraint of one of these full names.
    pub(super) fn is_one_of(&self, indexes: &BTreeSet<String>) -> bool {
        let Some((name, table)) = self.identity.split_once(" on ") else { return false };
        let name = name.trim_start_matches("index ").trim_start_matches("constraint ");
        let schema = table.rsplit_once('.').map_or("", |(schema, _)| schema);
        indexes.contains(&format!("{schema}.{name}"))
    }

    /// Returns the name of a view.
    pub(super) fn relation_name(&self) -> &str {
        let name = self.identity.trim_start_matches("materialized ");
        name.trim_start_matches("view ")
    }

    /// Returns what fills it again: a materialized view comes back empty.
    pub(super) fn refresh(&self) -> Option<String> {
        let name = self.remove.as_ref()?.strip_prefix("DROP MATERIALIZED VIEW ")?;
        self.create
            .starts_with("CREATE MATERIALIZED VIEW ")
            .then(|| format!("REFRESH MATERIALIZED VIEW {name}"))
    }
}

/// A table as its snapshot writes it.
#[derive(Debug, Clone)]
pub(super) struct TableText {
    /// The name as written.
    pub(super) name: String,
    /// The whole statement.
    pub(super) text: String,
    /// The same, understood.
    pub(super) ast: CreateTable,
    source: Source,
}

impl TableText {
    /// Returns the text at a place of the statement.
    pub(super) fn slice(&self, span: Span) -> &str {
        self.source.slice(span)
    }

    /// Returns where the name stands in `text`.
    pub(super) fn name_range(&self) -> std::ops::Range<usize> {
        let span = self.ast.name.span();
        span.start as usize..span.end as usize
    }
}

/// Reads the statements of one object of a snapshot.
pub(super) fn items(object: &SnapshotObject, server: Server) -> Vec<Item> {
    let is_setting = |text: &&String| text.starts_with("SET SESSION ");
    if !object.statements.iter().any(|text| is_setting(&text)) {
        return object.statements.iter().filter_map(|text| item(text.clone(), server)).collect();
    }
    // A routine remembers the settings it was made under, so they go with it.
    let before: Vec<String> = object.statements.iter().take_while(is_setting).cloned().collect();
    let mut rest = object.statements.iter().skip(before.len()).cloned();
    let mut item = rest.next().and_then(|text| item(text, server));
    if let Some(item) = &mut item {
        item.around = (before, rest.collect());
    }
    item.into_iter().collect()
}

/// Reads one statement.
pub(in crate::plan) fn parsed(text: &str, server: Server) -> Option<Statement> {
    let range = Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    let section =
        Section { source: Source::new("snapshot", text), range, reading: Default::default() };
    parse(section, server).statements.into_iter().next()
}

/// A statement read on its own.
struct One<'a> {
    source: &'a Source,
    server: Server,
}

fn item(text: String, server: Server) -> Option<Item> {
    let range = Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    let source = Source::new("snapshot", text.clone());
    let section = Section { source: source.clone(), range, reading: Default::default() };
    let statement = parse(section, server).statements.into_iter().next()?;
    Some(One { source: &source, server }.item(&statement, text))
}

impl One<'_> {
    fn slice(&self, span: Span) -> &str {
        self.source.slice(span)
    }

    fn name(&self, name: &ObjectName) -> &str {
        self.slice(name.span())
    }

    fn kind(&self) -> ServerKind {
        self.server.kind
    }

    fn item(&self, statement: &Statement, create: String) -> Item {
        let mut item = Item {
            identity: create.clone(),
            at: 0,
            table: None,
            create,
            around: (Vec::new(), Vec::new()),
            remove: None,
            parts: None,
            reads: Vec::new(),
        };
        // Chains of `if let`, not a match: what a snapshot never writes is left as it is, replaced
        // as a whole when its text differs.
        if !self.made(&mut item, statement) {
            self.attached(&mut item, statement);
        }
        item
    }

    /// Describes a statement that makes something; says whether it is one.
    fn made(&self, item: &mut Item, statement: &Statement) -> bool {
        let kind = &statement.kind;
        if let StatementKind::CreateTable(table) = kind {
            self.table(item, table);
        } else if let StatementKind::CreateIndex(index) = kind {
            self.index(item, index);
        } else if let StatementKind::CreateView(view) = kind {
            let word = if view.materialized { "MATERIALIZED VIEW" } else { "VIEW" };
            self.simple(item, word, &view.name);
            item.reads = view.query.reads.iter().map(ToString::to_string).collect();
        } else if let StatementKind::CreateSequence(sequence) = kind {
            self.simple(item, "SEQUENCE", &sequence.name);
        } else if let StatementKind::CreateType(create) = kind {
            self.simple(item, "TYPE", &create.name);
        } else if let StatementKind::CreateDomain(create) = kind {
            self.simple(item, "DOMAIN", &create.name);
        } else if let StatementKind::CreateRoutine(routine) = kind {
            self.routine(item, routine);
        } else if let StatementKind::CreateTrigger(trigger) = kind {
            let on = self.kind() == ServerKind::Postgres;
            self.on_table(item, "TRIGGER", self.name(&trigger.name), (&trigger.table, on));
            item.reads = trigger.statements.iter().flat_map(mentioned).collect();
        } else if let StatementKind::CreateEvent(event) = kind {
            self.simple(item, "EVENT", &event.name);
        } else if let StatementKind::CreateRule(rule) = kind {
            self.on_table(item, "RULE", self.slice(rule.name.span), (&rule.table, true));
        } else if let StatementKind::Policy(policy) = kind {
            self.on_table(item, "POLICY", self.slice(policy.name.span), (&policy.table, true));
        } else if let StatementKind::CreateSchema(schema) = kind {
            let name = schema.name.as_ref().map_or("", |name| self.slice(name.span));
            self.named(item, "SCHEMA", name);
        } else if let StatementKind::Extension(extension) = kind {
            self.named(item, "EXTENSION", self.slice(extension.name.span));
        } else if let StatementKind::Publication(publication) = kind {
            self.named(item, "PUBLICATION", self.slice(publication.name.span));
        } else if let StatementKind::Statistics(statistics) = kind {
            if let Some(name) = &statistics.name {
                self.simple(item, "STATISTICS", name);
            }
            item.table = statistics.table.as_ref().map(table_identity);
        } else {
            return false;
        }
        true
    }

    /// Describes a statement that says something about a thing made elsewhere.
    fn attached(&self, item: &mut Item, statement: &Statement) {
        let kind = &statement.kind;
        if let StatementKind::AlterTable(alter) = kind {
            self.alter_table(item, alter);
        } else if let StatementKind::AlterSequence(sequence) = kind {
            let name = self.name(&sequence.name);
            item.identity = format!("alter sequence {name} {:?}", sequence.options);
            if sequence.owned_by.is_some() {
                item.identity = format!("owner of sequence {name}");
                item.remove = Some(format!("ALTER SEQUENCE {name} OWNED BY NONE"));
            }
        } else if let StatementKind::Comment(comment) = kind {
            let on = comment.on.as_ref().map_or_else(String::new, |on| format!(" on {on}"));
            let object = comment.object.as_str();
            item.identity = format!("comment on {object} {}{on}", comment.name);
            item.table = if comment.object == ObjectKind::Table {
                Some(table_identity(&comment.name))
            } else if comment.object == ObjectKind::Column {
                Some(column_table(&comment.name))
            } else {
                comment.on.as_ref().map(table_identity)
            };
            item.remove = self.without_comment(&item.create);
        } else if let StatementKind::Grant(_) = kind {
            item.remove = self.opposite_grant(&item.create);
        } else if let StatementKind::OwnerTo(owner) = kind {
            item.identity = format!("owner of {} {}", owner.object.as_str(), owner.name);
        } else if let StatementKind::AlterDomain(alter) = kind {
            if let DomainAction::AddCheck { name: Some(name), .. } = &alter.action {
                let domain = self.name(&alter.name);
                item.identity = format!("constraint {name} of domain {}", alter.name);
                let name = self.slice(name.span);
                item.remove = Some(format!("ALTER DOMAIN {domain} DROP CONSTRAINT {name}"));
            }
        } else if let StatementKind::Pragma(pragma) = kind {
            item.identity = format!("pragma {}", pragma.name);
            item.remove = Some(format!("PRAGMA {} = 0", pragma.name));
        } else if let StatementKind::Other(other) = kind {
            self.other(item, other);
        }
    }

    fn named(&self, item: &mut Item, word: &str, name: &str) {
        item.identity = format!("{} {name}", word.to_lowercase());
        item.remove = Some(format!("DROP {word} {name}"));
    }

    fn simple(&self, item: &mut Item, word: &str, name: &ObjectName) {
        item.identity = format!("{} {name}", word.to_lowercase());
        item.remove = Some(format!("DROP {word} {}", self.name(name)));
    }

    /// `written` says whether the table stands in the DROP statement.
    fn on_table(&self, item: &mut Item, word: &str, name: &str, table: (&ObjectName, bool)) {
        let (table, written) = table;
        item.identity = format!("{} {name} on {table}", word.to_lowercase());
        item.table = Some(table_identity(table));
        let on = if written { format!(" ON {}", self.name(table)) } else { String::new() };
        item.remove = Some(format!("DROP {word} {name}{on}"));
    }

    fn table(&self, item: &mut Item, table: &CreateTable) {
        let foreign = table.foreign && self.kind() == ServerKind::Postgres;
        let word = if foreign { "FOREIGN TABLE" } else { "TABLE" };
        item.identity = table_identity(&table.name);
        item.remove = Some(format!("DROP {word} {}", self.name(&table.name)));
        item.parts = Some(Box::new(TableText {
            name: self.name(&table.name).to_owned(),
            text: item.create.clone(),
            ast: table.clone(),
            source: self.source.clone(),
        }));
    }

    fn index(&self, item: &mut Item, create: &CreateIndex) {
        let Some(ident) = &create.index.name else { return };
        let name = self.slice(ident.span);
        item.table = Some(table_identity(&create.table));
        let table = self.name(&create.table);
        item.identity = format!("index {} on {}", ident.value, create.table);
        let dropped = match self.kind() {
            ServerKind::Mysql | ServerKind::Mariadb => format!("{name} ON {table}"),
            ServerKind::Sqlite => name.to_owned(),
            // The index lives in the schema of its table.
            ServerKind::Postgres => match create.table.parts.iter().rev().nth(1) {
                Some(schema) => format!("{}.{name}", self.slice(schema.span)),
                None => name.to_owned(),
            },
        };
        item.remove = Some(format!("DROP INDEX {dropped}"));
    }

    fn routine(&self, item: &mut Item, routine: &CreateRoutine) {
        let word = match (routine.procedure, routine.aggregate) {
            (true, _) => "PROCEDURE",
            (false, true) if self.kind() == ServerKind::Postgres => "AGGREGATE",
            (false, _) => "FUNCTION",
        };
        self.simple(item, word, &routine.name);
        if self.kind() == ServerKind::Postgres {
            let types = routine.arguments.iter().map(|argument| self.slice(argument.span));
            let types = types.collect::<Vec<_>>().join(", ");
            item.identity = format!("{}({types})", item.identity);
            item.remove = item.remove.take().map(|drop| format!("{drop}({types})"));
        }
    }

    fn alter_table(&self, item: &mut Item, alter: &AlterTable) {
        let [action] = alter.actions.as_slice() else { return };
        let table = self.name(&alter.name);
        item.table = Some(table_identity(&alter.name));
        let undo = |what: &str| Some(format!("ALTER TABLE {table} {what}"));
        if let ActionKind::AddConstraint(constraint) = &action.kind {
            if let Some(name) = &constraint.name {
                let drop = drop_constraint_words(&constraint.kind, self.kind());
                item.identity = format!("constraint {} on {}", name.value, alter.name);
                item.remove = undo(&format!("DROP {drop} {}", self.slice(name.span)));
            }
        } else if let ActionKind::SetDefault { column, .. } = &action.kind {
            item.identity = format!("default of {} on {}", column.value, alter.name);
            let column = self.slice(column.span);
            item.remove = undo(&format!("ALTER COLUMN {column} DROP DEFAULT"));
        } else if let ActionKind::Postgres(action) = &action.kind {
            self.postgres_action(item, alter, action);
        }
    }

    /// Settings of a table that the snapshot writes as statements of their own; what is not named
    /// here is only ever replaced by the statement of before.
    fn postgres_action(&self, item: &mut Item, alter: &AlterTable, action: &PgAction) {
        let table = self.name(&alter.name);
        let undo = |what: String| Some(format!("ALTER TABLE {table} {what}"));
        let of = |what: &str| format!("{what} of {}", alter.name);
        if let PgAction::RowSecurity(RowSecurity::Force | RowSecurity::NoForce) = action {
            item.identity = of("forced row security");
            item.remove = undo("NO FORCE ROW LEVEL SECURITY".to_owned());
        } else if let PgAction::RowSecurity(_) = action {
            item.identity = of("row security");
            item.remove = undo("DISABLE ROW LEVEL SECURITY".to_owned());
        } else if let PgAction::ReplicaIdentity(_) = action {
            item.identity = of("replica identity");
            item.remove = undo("REPLICA IDENTITY DEFAULT".to_owned());
        } else if let PgAction::ClusterOn(_) = action {
            item.identity = of("clustered index");
            item.remove = undo("SET WITHOUT CLUSTER".to_owned());
        } else if let PgAction::OwnerTo(_) = action {
            item.identity = of("owner");
        } else if let PgAction::AttachPartition { partition, .. } = action {
            item.identity = of(&format!("partition {partition}"));
            item.remove = undo(format!("DETACH PARTITION {}", self.name(partition)));
        } else if let PgAction::Trigger { name: Some(name), .. } = action {
            item.identity = of(&format!("state of trigger {name}"));
            item.remove = undo(format!("ENABLE TRIGGER {}", self.slice(name.span)));
        } else if let PgAction::SetStatistics { column, .. } = action {
            item.identity = of(&format!("statistics of {column}"));
            let column = self.slice(column.span);
            item.remove = undo(format!("ALTER COLUMN {column} SET STATISTICS -1"));
        } else if let PgAction::SetStorage { column, .. } = action {
            // DEFAULT since 16; before, EXTENDED is that of every type but a few.
            let default =
                if self.server.version.at_least(16, 0, 0) { "DEFAULT" } else { "EXTENDED" };
            item.identity = of(&format!("storage of {column}"));
            let column = self.slice(column.span);
            item.remove = undo(format!("ALTER COLUMN {column} SET STORAGE {default}"));
        } else if let PgAction::SetCompression { column, .. } = action {
            item.identity = of(&format!("compression of {column}"));
            let column = self.slice(column.span);
            item.remove = undo(format!("ALTER COLUMN {column} SET COMPRESSION DEFAULT"));
        } else if let Some(reset) = column_reset(&item.create) {
            item.identity = of(&reset);
            item.remove = Some(reset);
        } else if let Some(name) = rule_state(&item.create) {
            item.identity = of(&format!("state of rule {name}"));
            item.remove = undo(format!("ENABLE RULE {name}"));
        } else if let PgAction::SetOptions(options) = action {
            item.identity = of("options");
            let names: Vec<&str> = options.iter().map(|(name, _)| name.as_str()).collect();
            item.remove = undo(format!("RESET ({})", names.join(", ")));
        }
    }

    fn other(&self, item: &mut Item, other: &crate::sql::ast::Other) {
        if item.create.starts_with("ALTER DEFAULT PRIVILEGES ") {
            item.remove = opposite_default(&item.create);
        } else if let Some((head, rest)) = item.create.split_once(" ADD MAPPING FOR ") {
            let token = rest.split(" WITH ").next().unwrap_or(rest);
            item.identity = format!("mapping of {token} {head}");
            item.remove = Some(format!("{head} DROP MAPPING FOR {token}"));
        } else if let Some(address) = address(&item.create) {
            item.identity = address.to_lowercase();
            item.remove = Some(format!("DROP {address}"));
        } else if let (Some(object), Some(name)) = (other.object, other.names.first())
            && other.what.starts_with("create-")
        {
            self.simple(item, &object.as_str().to_uppercase(), name);
        }
    }

    /// Returns `COMMENT ON … IS NULL`.
    fn without_comment(&self, text: &str) -> Option<String> {
        let last = tokens(text, self.server)
            .into_iter()
            .rev()
            .find(|(kind, _)| matches!(kind, TokenKind::String | TokenKind::DollarString))?;
        Some(format!("{}NULL", text.get(..last.1.start as usize)?))
    }

    /// Returns the REVOKE of a GRANT, and the GRANT of a REVOKE.
    fn opposite_grant(&self, text: &str) -> Option<String> {
        let grants = text.get(..5)?.eq_ignore_ascii_case("grant");
        let (from, to) = if grants { ("to", "from") } else { ("from", "to") };
        let word = tokens(text, self.server).into_iter().rev().find(|(kind, span)| {
            let word = text.get(span.start as usize..span.end as usize).unwrap_or("");
            *kind == TokenKind::Word && word.eq_ignore_ascii_case(from)
        })?;
        let before = text.get(if grants { 5 } else { 6 }..word.1.start as usize)?;
        let after = text.get(word.1.end as usize..)?;
        let after = after.split(" WITH GRANT OPTION").next()?;
        let verb = if grants { "REVOKE" } else { "GRANT" };
        Some(format!("{verb}{before}{}{after}", to.to_uppercase()))
    }
}

/// Returns what takes back options of a column.
fn column_reset(create: &str) -> Option<String> {
    let (head, options) = create.split_once(" SET (")?;
    let options = options.strip_suffix(')').filter(|_| head.contains(" ALTER COLUMN "))?;
    let names = options.split(", ").filter_map(|option| option.split('=').next());
    Some(format!("{head} RESET ({})", names.collect::<Vec<_>>().join(", ")))
}

/// Returns what takes back default privileges.
fn opposite_default(text: &str) -> Option<String> {
    let text = text.trim_end_matches(" WITH GRANT OPTION");
    if let Some((head, rest)) = text.split_once(" GRANT ") {
        let (what, who) = rest.rsplit_once(" TO ")?;
        return Some(format!("{head} REVOKE {what} FROM {who}"));
    }
    let (head, rest) = text.split_once(" REVOKE ")?;
    let (what, who) = rest.rsplit_once(" FROM ")?;
    Some(format!("{head} GRANT {what} TO {who}"))
}

/// Returns the name of the rule that a statement of a snapshot switches.
fn rule_state(create: &str) -> Option<&str> {
    create.split_once(" RULE ").map(|(_, name)| name)
}

/// Returns how `DROP` names what a statement of a snapshot makes, for what has no statement type of
/// its own: the words up to the first clause, as the snapshot writes them.
fn address(create: &str) -> Option<String> {
    let rest = create.strip_prefix("CREATE ")?;
    let ends: &[&str] = if rest.starts_with("OPERATOR CLASS ") {
        let name = rest.split(" DEFAULT FOR TYPE ").next()?.split(" FOR TYPE ").next()?;
        let method = rest.split(" USING ").nth(1)?.split_whitespace().next()?;
        return Some(format!("{name} USING {method}"));
    } else if rest.starts_with("OPERATOR FAMILY ") {
        return Some(rest.to_owned());
    } else if rest.starts_with("OPERATOR ") {
        let argument = |name: &str| {
            let value = rest.split(&format!("{name} = ")).nth(1)?;
            Some(value.split([',', '\n']).next()?.trim().trim_end_matches(')').to_owned())
        };
        let left = argument("LEFTARG").unwrap_or_else(|| "NONE".to_owned());
        let right = argument("RIGHTARG").unwrap_or_else(|| "NONE".to_owned());
        let name = rest.split(" (").next()?;
        return Some(format!("{name} ({left}, {right})"));
    } else if rest.starts_with("CAST ") {
        &[" WITH", " WITHOUT"]
    } else if rest.starts_with("EVENT TRIGGER ") {
        &[" ON "]
    } else if rest.starts_with("FOREIGN DATA WRAPPER ") {
        &[" HANDLER ", " VALIDATOR ", " OPTIONS "]
    } else if rest.starts_with("SERVER ") {
        &[" TYPE ", " VERSION ", " FOREIGN DATA WRAPPER "]
    } else if rest.starts_with("USER MAPPING ") {
        &[" OPTIONS ", " /*"]
    } else if rest.starts_with("TRUSTED LANGUAGE ") {
        return rest.split(" HANDLER ").next()?.strip_prefix("TRUSTED ").map(str::to_owned);
    } else if rest.starts_with("LANGUAGE ") {
        &[" HANDLER "]
    } else if rest.starts_with("ACCESS METHOD ") {
        &[" TYPE "]
    } else if rest.starts_with("TRANSFORM ") {
        &[" ("]
    } else if rest.starts_with("DEFAULT CONVERSION ") {
        return rest.split(" FOR ").next()?.strip_prefix("DEFAULT ").map(str::to_owned);
    } else if rest.starts_with("CONVERSION ") {
        &[" FOR "]
    } else if ["COLLATION ", "TEXT SEARCH "].iter().any(|word| rest.starts_with(word)) {
        &[" (", " FROM "]
    } else {
        return None;
    };
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    rest.get(..end).map(str::to_owned)
}

/// Returns the words between DROP and the name of a constraint.
pub(super) const fn drop_constraint_words(
    kind: &ConstraintKind,
    server: ServerKind,
) -> &'static str {
    // MySQL takes DROP CONSTRAINT for every kind since 8.0.19 only (manual, "ALTER TABLE").
    let mysql = server.is_mysql_family();
    if mysql && matches!(kind, ConstraintKind::ForeignKey(_)) {
        "FOREIGN KEY"
    } else if mysql && matches!(kind, ConstraintKind::Unique(_)) {
        "INDEX"
    } else if mysql && matches!(kind, ConstraintKind::PrimaryKey(_)) {
        "PRIMARY KEY"
    } else {
        "CONSTRAINT"
    }
}

/// Returns the identity of a table.
pub(super) fn table_identity(name: &ObjectName) -> String {
    format!("table {name}")
}

/// Returns the identity of the table in `table.column`.
fn column_table(name: &ObjectName) -> String {
    let parts = name.parts.split_last().map_or(&[][..], |(_, table)| table);
    table_identity(&ObjectName { parts: parts.to_vec() })
}

/// Returns the last parts of the names that a statement of a trigger body touches.
fn mentioned(statement: &Statement) -> Vec<String> {
    let StatementKind::Dml(dml) = &statement.kind else { return Vec::new() };
    let names = dml.targets.iter().chain(&dml.query.reads);
    names.map(|name| name.name().to_owned()).collect()
}

fn tokens(text: &str, server: Server) -> Vec<(TokenKind, Span)> {
    let mut lexer = Lexer::new(
        text,
        Lexing {
            kind: server.kind,
            version_number: 999_999,
            ansi_quotes: false,
            placeholders: false,
        },
    );
    std::iter::from_fn(|| lexer.next_token()).map(|token| (token.kind, token.span)).collect()
}
