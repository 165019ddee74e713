//! Extensions, publications, subscriptions, statistics objects.

use super::{call, expr, from, index, names, object, options, other};
use crate::sql::ast::{Extension, Key, Member, ObjectKind, Publication, StatementKind, Statistics};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::name::{Ident, ObjectName};

/// Takes what follows `CREATE EXTENSION`.
pub(super) fn create(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_not_exists = names::if_not_exists(c);
    let name = names::column_id(c, "an extension name")?;
    let mut extension = Extension { name, if_not_exists, ..extension() };
    c.accept(&["WITH"]);
    loop {
        if c.accept(&["SCHEMA"]) {
            extension.schema = Some(names::column_id(c, "a schema")?);
        } else if c.accept_any(&["VERSION", "FROM"]).is_some() {
            word_or_string(c)?;
        } else if c.accept(&["CASCADE"]) {
            extension.cascade = true;
        } else {
            return Ok(StatementKind::Extension(extension));
        }
    }
}

fn extension() -> Extension {
    Extension {
        alter: false,
        name: Ident::new("", Default::default()),
        if_not_exists: false,
        schema: None,
        cascade: false,
        action: None,
        member: None,
    }
}

fn word_or_string(c: &mut Cursor<'_>) -> Parsed<()> {
    if names::at_string(c) {
        names::string(c)?;
    } else {
        names::word(c, "a version")?;
    }
    Ok(())
}

/// Takes what follows `ALTER EXTENSION`.
pub(super) fn alter(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = names::column_id(c, "an extension name")?;
    let address = object::Address::named(ObjectKind::Extension, ObjectName::bare(name.clone()));
    if c.at(&["SET", "SCHEMA"])
        && let Some(common) = object::common_action(c, &address, false)?
    {
        return Ok(common);
    }
    let Some(action) = c.accept_any(&["UPDATE", "ADD", "DROP"]) else {
        return Err(c.expected("UPDATE, ADD, DROP or SET SCHEMA"));
    };
    let mut found = Extension { alter: true, name, ..extension() };
    if action == "UPDATE" {
        if c.accept(&["TO"]) {
            word_or_string(c)?;
        }
    } else {
        let address = match object::kind(c) {
            Some(kind) => object::address(c, kind)?,
            None => return Err(c.expected("TABLE, FUNCTION or another kind of object")),
        };
        let object::Address { object, name, signature, on: _ } = address;
        found.member = Some(Member { object, name, signature });
    }
    found.action = Some(action.to_ascii_lowercase());
    Ok(StatementKind::Extension(found))
}

/// Takes what follows `CREATE PUBLICATION`.
pub(super) fn create_publication(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = names::column_id(c, "a publication name")?;
    let mut publication = publication(name, false);
    if c.accept(&["FOR", "ALL", "TABLES"]) {
        publication.all_tables = true;
    } else if c.accept(&["FOR"]) {
        published(c, &mut publication)?;
    }
    if c.accept(&["WITH"]) {
        publication.via_root = via_root(&options::settings(c)?);
    }
    Ok(StatementKind::Publication(publication))
}

/// Returns what is said of `publish_via_partition_root`: the option alone switches it on.
fn via_root(settings: &[options::Setting]) -> Option<bool> {
    let (_, value) = settings.iter().find(|(name, _)| name == "publish_via_partition_root")?;
    Some(!matches!(value.to_ascii_lowercase().as_str(), "false" | "off" | "no" | "0"))
}

fn publication(name: Ident, alter: bool) -> Publication {
    Publication {
        alter,
        name,
        all_tables: false,
        tables: Vec::new(),
        only: Vec::new(),
        columns: Vec::new(),
        restricted: Vec::new(),
        via_root: None,
        schemas: Vec::new(),
        action: None,
    }
}

/// Takes `TABLE a, b (x) WHERE (y), TABLES IN SCHEMA s`.
fn published(c: &mut Cursor<'_>, publication: &mut Publication) -> Parsed<()> {
    if !c.at(&["TABLE"]) && !c.at(&["TABLES", "IN", "SCHEMA"]) {
        return Err(c.expected("TABLE or TABLES IN SCHEMA"));
    }
    let mut schemas = false;
    loop {
        if c.accept(&["TABLES", "IN", "SCHEMA"]) {
            schemas = true;
        } else if c.accept(&["TABLE"]) {
            schemas = false;
        }
        if schemas {
            let schema = match c.accept(&["CURRENT_SCHEMA"]) {
                true => Ident::new("current_schema", c.last_span()),
                false => names::column_id(c, "a schema")?,
            };
            publication.schemas.push(schema);
        } else {
            let only = c.at(&["ONLY"]);
            let table = from::relation(c)?;
            publication.only.extend(only.then(|| table.clone()));
            let mut columns = names::optional_column_list(c)?;
            let restricted = !columns.is_empty() || c.at(&["WHERE"]);
            publication.restricted.extend(restricted.then(|| table.clone()));
            if c.accept(&["WHERE"]) {
                let filter = expr::in_parentheses(c)?;
                let span = c.last_span();
                columns.extend(filter.columns.iter().map(|word| Ident::new(word.as_str(), span)));
            }
            publication.columns.extend(columns.into_iter().map(|column| (table.clone(), column)));
            publication.tables.push(table);
        }
        if !c.accept_symbol(",") {
            return Ok(());
        }
    }
}

/// Takes what follows `ALTER PUBLICATION`.
pub(super) fn alter_publication(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let address = object::address(c, ObjectKind::Publication)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let Some(name) = address.name.parts.into_iter().next_back() else {
        return Err(c.expected("a publication"));
    };
    let mut publication = publication(name, true);
    let Some(action) = c.accept_any(&["SET", "ADD", "DROP"]) else {
        return Err(c.expected("ADD, SET, DROP, OWNER TO or RENAME TO"));
    };
    if action == "SET" && c.at_symbol("(") {
        publication.via_root = via_root(&options::settings(c)?);
        publication.action = Some("options".to_owned());
    } else {
        publication.action = Some(action.to_ascii_lowercase());
        published(c, &mut publication)?;
    }
    Ok(StatementKind::Publication(publication))
}

/// Takes what follows `CREATE SUBSCRIPTION`.
pub(super) fn create_subscription(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let name = ObjectName::bare(names::column_id(c, "a subscription name")?);
    let mut found = other("create-subscription", Some(ObjectKind::Subscription), vec![name]);
    c.expect(&["CONNECTION"])?;
    names::string(c)?;
    c.expect(&["PUBLICATION"])?;
    names::list(c, |c| names::label(c, "a publication"))?;
    if c.accept(&["WITH"]) {
        found.options = options::words(options::settings(c)?);
    }
    Ok(StatementKind::Other(found))
}

/// Takes what follows `ALTER SUBSCRIPTION`.
pub(super) fn alter_subscription(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let address = object::address(c, ObjectKind::Subscription)?;
    if let Some(common) = object::common_action(c, &address, false)? {
        return Ok(common);
    }
    let mut found = other("alter-subscription", Some(address.object), vec![address.name]);
    if c.accept(&["CONNECTION"]) {
        names::string(c)?;
        found.options.push("connection".to_owned());
    } else if c.accept(&["REFRESH", "PUBLICATION"]) {
        found.options.push("refresh publication".to_owned());
        subscription_options(c, &mut found.options)?;
    } else if let Some(word) = c.accept_any(&["ENABLE", "DISABLE"]) {
        found.options.push(word.to_ascii_lowercase());
    } else if c.accept(&["SKIP"]) || (c.at(&["SET"]) && c.text_at(1) == "(") {
        c.accept(&["SET"]);
        found.options = options::words(options::settings(c)?);
    } else if let Some(word) = c.accept_any(&["ADD", "DROP", "SET"]) {
        c.expect(&["PUBLICATION"])?;
        found.options.push(format!("{} publication", word.to_ascii_lowercase()));
        names::list(c, |c| names::label(c, "a publication"))?;
        subscription_options(c, &mut found.options)?;
    } else {
        return Err(c.expected("SET, ADD, DROP, REFRESH, ENABLE, DISABLE or another action"));
    }
    Ok(StatementKind::Other(found))
}

fn subscription_options(c: &mut Cursor<'_>, words: &mut Vec<String>) -> Parsed<()> {
    if c.accept(&["WITH"]) {
        words.extend(options::words(options::settings(c)?));
    }
    Ok(())
}

/// Takes what follows `CREATE STATISTICS`.
pub(super) fn create_statistics(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_exists = names::if_not_exists(c);
    let mut name = None;
    if !c.at_symbol("(") && !c.at(&["ON"]) {
        name = Some(names::qualified(c, "a name")?);
    }
    let mut kinds = Vec::new();
    if c.at_symbol("(") {
        call::enclosed(c, |c| {
            let words = names::list(c, |c| names::column_id(c, "a kind of statistics"))?;
            kinds.extend(words.into_iter().map(|word| word.value));
            Ok(())
        })?;
    }
    c.expect(&["ON"])?;
    let parts = names::list(c, index::key_part)?;
    let (mut columns, mut expressions) = (Vec::new(), Vec::new());
    for part in parts {
        match part.key {
            Key::Column(column) => columns.push(column),
            Key::Expr(expr) => expressions.push(expr),
        }
    }
    c.expect(&["FROM"])?;
    let table = Some(from::relation(c)?);
    let statistics =
        Statistics { alter: false, name, if_exists, kinds, columns, expressions, table };
    Ok(StatementKind::Statistics(statistics))
}

/// Takes what follows `ALTER STATISTICS`.
pub(super) fn alter_statistics(c: &mut Cursor<'_>) -> Parsed<StatementKind> {
    let if_exists = names::if_exists(c);
    let address = object::address(c, ObjectKind::Statistics)?;
    if let Some(common) = object::common_action(c, &address, if_exists)? {
        return Ok(common);
    }
    c.expect(&["SET", "STATISTICS"])?;
    if !c.accept(&["DEFAULT"]) {
        names::integer(c)?;
    }
    Ok(StatementKind::Statistics(Statistics {
        alter: true,
        name: Some(address.name),
        if_exists,
        kinds: Vec::new(),
        columns: Vec::new(),
        expressions: Vec::new(),
        table: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::check::check;

    #[test]
    fn forms() {
        check(
            "CREATE EXTENSION IF NOT EXISTS e WITH SCHEMA app VERSION '1' CASCADE",
            "Extension(Extension { name: e, if_not_exists: true, schema: Some(app), cascade: \
            true })",
        );
        check(
            "ALTER EXTENSION e UPDATE TO '2'",
            "Extension(Extension { alter: true, name: e, action: Some(\"update\") })",
        );
        check(
            "ALTER EXTENSION e ADD FUNCTION f(int)",
            "Extension(Extension { alter: true, name: e, action: Some(\"add\"), member: Some(Member { object: Function, name: f, signature: Some(Signature { types: [DataType { name: \"integer\" }], input: [DataType { name: \"integer\" }] }) }) })",
        );
        check(
            "ALTER EXTENSION e SET SCHEMA app",
            "SetSchema(SetSchema { object: Extension, name: e, schema: app })",
        );
        check(
            "CREATE PUBLICATION p FOR TABLE a, ONLY b (c) WHERE (d > 1), TABLES IN SCHEMA s \
            WITH (publish = 'insert')",
            "Publication(Publication { name: p, tables: [a, b], only: [b], columns: [(b, c), \
            (b, d)], restricted: [b], schemas: [s] })",
        );
        check(
            "CREATE PUBLICATION p FOR ALL TABLES",
            "Publication(Publication { name: p, all_tables: true })",
        );
        check(
            "ALTER PUBLICATION p ADD TABLE a",
            "Publication(Publication { alter: true, name: p, tables: [a], action: \
            Some(\"add\") })",
        );
        check(
            "ALTER PUBLICATION p SET (publish = 'insert')",
            "Publication(Publication { alter: true, name: p, action: Some(\"options\") })",
        );
        check(
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false)",
            "Other(Other { what: \"create-subscription\", object: Some(Subscription), names: \
            [s], options: [\"create_slot=false\"] })",
        );
        check(
            "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
            "Other(Other { what: \"alter-subscription\", object: Some(Subscription), names: \
            [s], options: [\"refresh publication\"] })",
        );
        check(
            "CREATE STATISTICS IF NOT EXISTS s (ndistinct) ON a, (b + c) FROM t",
            "Statistics(Statistics { name: Some(s), if_exists: true, kinds: [\"ndistinct\"], \
            columns: [a], expressions: [Expr { text: \"b + c\", columns: [\"b\", \"c\"] }], table: \
            Some(t) })",
        );
        check(
            "ALTER STATISTICS s SET STATISTICS 10",
            "Statistics(Statistics { alter: true, name: Some(s) })",
        );
        check("CREATE PUBLICATION p FOR t", "! expected TABLE or TABLES IN SCHEMA, found \"t\"");
    }
}
