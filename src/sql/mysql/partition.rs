//! Partitions of MySQL and MariaDB: `PARTITION BY`, and the changes of ALTER TABLE.

use super::column::{at_engine_option, engine_option};
use super::name::{
    full_name, is_mariadb, mariadb_if_exists, mariadb_if_not_exists, mariadb_since, name,
    name_list, name_or_string, names, number,
};
use crate::sql::ast::{
    Expr, Key, KeyPart, MyAction, PartitionAction, PartitionBy, PartitionValues,
};
use crate::sql::cursor::{Cursor, Parsed};
use crate::sql::expr;
use crate::sql::name::Ident;

/// Takes `PARTITION BY …`, if it is next.
pub(super) fn partition_by(cursor: &mut Cursor<'_>) -> Parsed<Option<PartitionBy>> {
    if !cursor.accept(&["PARTITION", "BY"]) {
        return Ok(None);
    }
    let (strategy, keys) = strategy(cursor)?;
    if cursor.accept(&["PARTITIONS"]) {
        number(cursor)?;
    }
    if cursor.accept(&["SUBPARTITION", "BY"]) {
        hash_or_key(cursor)?;
        if cursor.accept(&["SUBPARTITIONS"]) {
            number(cursor)?;
        }
    }
    let (partitions, values) =
        if cursor.at_symbol("(") { definitions(cursor)? } else { (Vec::new(), None) };
    // "Inconsistency in usage of column lists" is an error of the grammar (measured on 10.11, 11.8
    // and 9.7).
    if strategy.ends_with("columns") && values.is_some_and(|found| found.width() != keys.len()) {
        return Err(cursor.expected("as many values as columns"));
    }
    Ok(Some(PartitionBy { strategy, keys, partitions }))
}

fn strategy(cursor: &mut Cursor<'_>) -> Parsed<(String, Vec<KeyPart>)> {
    if is_mariadb(cursor) && cursor.accept(&["SYSTEM_TIME"]) {
        system_time(cursor)?;
        return Ok(("system_time".to_owned(), Vec::new()));
    }
    let Some(word) = cursor.accept_any(&["range", "list"]) else { return hash_or_key(cursor) };
    if cursor.accept(&["COLUMNS"]) {
        let columns = name_list(cursor)?.into_iter().map(column_part).collect();
        return Ok((format!("{word} columns"), columns));
    }
    let expr = expr::in_parentheses(cursor)?;
    Ok((word.to_owned(), vec![expression_part(cursor, expr)]))
}

/// Takes `INTERVAL … [STARTS …]` or `LIMIT n`, and `AUTO`.
fn system_time(cursor: &mut Cursor<'_>) -> Parsed<()> {
    if cursor.accept(&["INTERVAL"]) {
        // `1 MONTH`: the unit ends it, whatever stands before.
        let ends = ["STARTS", "AUTO", "PARTITIONS", "SUBPARTITION"];
        expr::until(cursor, &ends)?;
        if cursor.accept(&["STARTS"]) {
            expr::until(cursor, &["AUTO", "PARTITIONS", "SUBPARTITION"])?;
        }
    } else if cursor.accept(&["LIMIT"]) {
        number(cursor)?;
    }
    cursor.accept(&["AUTO"]);
    Ok(())
}

fn hash_or_key(cursor: &mut Cursor<'_>) -> Parsed<(String, Vec<KeyPart>)> {
    let linear = if cursor.accept(&["LINEAR"]) { "linear " } else { "" };
    if cursor.accept(&["HASH"]) {
        let expr = expr::in_parentheses(cursor)?;
        return Ok((format!("{linear}hash"), vec![expression_part(cursor, expr)]));
    }
    cursor.expect(&["KEY"])?;
    if cursor.accept(&["ALGORITHM"]) {
        cursor.expect_symbol("=")?;
        number(cursor)?;
    }
    let columns = if cursor.accept_symbol("(") {
        let columns = if cursor.at_symbol(")") { Vec::new() } else { names(cursor)? };
        cursor.expect_symbol(")")?;
        columns
    } else {
        return Err(cursor.expected("("));
    };
    Ok((format!("{linear}key"), columns.into_iter().map(column_part).collect()))
}

fn column_part(column: Ident) -> KeyPart {
    key_part(column.span, Key::Column(column))
}

/// An expression that is one name is a column.
fn expression_part(cursor: &Cursor<'_>, expr: Expr) -> KeyPart {
    let span = expr.span;
    let text = cursor.slice(span).trim_matches('`');
    match expr.columns.as_slice() {
        [column] if column == text => key_part(span, Key::Column(Ident::new(column.clone(), span))),
        _ => key_part(span, Key::Expr(expr)),
    }
}

const fn key_part(span: crate::sql::source::Span, key: Key) -> KeyPart {
    KeyPart {
        span,
        key,
        collation: None,
        opclass: None,
        prefix: None,
        descending: false,
        nulls_first: None,
    }
}

/// Names of partitions, and what values they have.
type Definitions = (Vec<Ident>, Option<PartitionValues>);

/// Takes partition definitions in parentheses.
fn definitions(cursor: &mut Cursor<'_>) -> Parsed<Definitions> {
    cursor.expect_symbol("(")?;
    let (mut names, mut values) = (Vec::new(), None);
    loop {
        let (name, found) = definition(cursor)?;
        names.push(name);
        values = values.or(found);
        if !cursor.accept_symbol(",") {
            break;
        }
    }
    cursor.expect_symbol(")")?;
    Ok((names, values))
}

fn definition(cursor: &mut Cursor<'_>) -> Parsed<(Ident, Option<PartitionValues>)> {
    cursor.expect(&["PARTITION"])?;
    definition_rest(cursor)
}

/// Takes the name, the values and the options of a partition.
fn definition_rest(cursor: &mut Cursor<'_>) -> Parsed<(Ident, Option<PartitionValues>)> {
    let partition = name(cursor)?;
    let mut values = None;
    if cursor.accept(&["VALUES", "LESS", "THAN"]) {
        let width = if cursor.accept(&["MAXVALUE"]) { 1 } else { value_list(cursor)? };
        values = Some(PartitionValues::LessThan(width));
    } else if cursor.accept(&["VALUES", "IN"]) {
        let mut first = cursor.sub(cursor.position() + 1, cursor.tokens().len());
        let width = if first.at_symbol("(") { value_list(&mut first)? } else { 1 };
        values = Some(PartitionValues::In(width));
        expr::in_parentheses(cursor)?;
    } else if is_mariadb(cursor) {
        // `DEFAULT` of LIST, `HISTORY` and `CURRENT` of SYSTEM_TIME.
        cursor.accept(&["VALUES"]);
        cursor.accept_any(&["DEFAULT", "HISTORY", "CURRENT"]);
    }
    while partition_option(cursor)? {}
    if cursor.accept_symbol("(") {
        loop {
            cursor.expect(&["SUBPARTITION"])?;
            name_or_string(cursor)?;
            while partition_option(cursor)? {}
            if !cursor.accept_symbol(",") {
                break;
            }
        }
        cursor.expect_symbol(")")?;
    }
    Ok((partition, values))
}

/// Takes values in parentheses and returns how many they are.
fn value_list(cursor: &mut Cursor<'_>) -> Parsed<usize> {
    cursor.expect_symbol("(")?;
    let mut count = 1;
    loop {
        if !cursor.accept(&["MAXVALUE"]) {
            expr::until(cursor, &[])?;
        }
        if !cursor.accept_symbol(",") {
            break;
        }
        count += 1;
    }
    cursor.expect_symbol(")")?;
    Ok(count)
}

fn partition_option(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    cursor.accept(&["STORAGE"]);
    if cursor.accept_any(&["ENGINE", "TABLESPACE"]).is_some() {
        cursor.accept_symbol("=");
        name_or_string(cursor)?;
    } else if cursor.accept_any(&["MAX_ROWS", "MIN_ROWS", "NODEGROUP"]).is_some() {
        cursor.accept_symbol("=");
        number(cursor)?;
    } else if cursor.accept(&["COMMENT"])
        || cursor.accept(&["DATA", "DIRECTORY"])
        || cursor.accept(&["INDEX", "DIRECTORY"])
    {
        cursor.accept_symbol("=");
        cursor.string()?;
    } else if is_mariadb(cursor) && at_engine_option(cursor) {
        engine_option(cursor)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Takes a change of partitions or tablespaces, if one is next. It stands alone in its statement.
pub(super) fn action(cursor: &mut Cursor<'_>) -> Parsed<Option<MyAction>> {
    if let Some(word) = cursor.accept_any(&["DISCARD", "IMPORT"]) {
        if !is_mariadb(cursor) && cursor.accept(&["PARTITION"]) {
            all_or_names(cursor)?;
        }
        cursor.expect(&["TABLESPACE"])?;
        return Ok(Some(MyAction::Tablespace { discard: word == "DISCARD" }));
    }
    if let Some(maintain) = maintain(cursor)? {
        return Ok(Some(MyAction::Partition(maintain)));
    }
    let action = if cursor.accept(&["ADD", "PARTITION"]) {
        add(cursor)?
    } else if cursor.accept(&["DROP", "PARTITION"]) {
        let if_exists = mariadb_if_exists(cursor);
        PartitionAction::Drop { names: names(cursor)?, if_exists }
    } else if cursor.accept(&["TRUNCATE", "PARTITION"]) {
        PartitionAction::Truncate(all_or_names(cursor)?)
    } else if cursor.accept(&["COALESCE", "PARTITION"]) {
        binary_log(cursor);
        number(cursor)?;
        PartitionAction::Coalesce
    } else if cursor.accept(&["REORGANIZE", "PARTITION"]) {
        reorganize(cursor)?
    } else if cursor.accept(&["EXCHANGE", "PARTITION"]) {
        exchange(cursor)?
    } else if is_mariadb(cursor) && cursor.accept(&["CONVERT", "PARTITION"]) {
        let partition = name(cursor)?;
        cursor.expect(&["TO", "TABLE"])?;
        let table = full_name(cursor)?;
        PartitionAction::Convert { table, partition, to_table: true, values: None }
    } else if is_mariadb(cursor) && cursor.accept(&["CONVERT", "TABLE"]) {
        let table = full_name(cursor)?;
        cursor.expect(&["TO", "PARTITION"])?;
        let (partition, values) = definition_rest(cursor)?;
        validation(cursor);
        PartitionAction::Convert { table, partition, to_table: false, values }
    } else {
        return Ok(None);
    };
    Ok(Some(MyAction::Partition(action)))
}

fn binary_log(cursor: &mut Cursor<'_>) {
    cursor.accept_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
}

fn all_or_names(cursor: &mut Cursor<'_>) -> Parsed<Vec<Ident>> {
    if cursor.accept(&["ALL"]) { Ok(Vec::new()) } else { names(cursor) }
}

fn add(cursor: &mut Cursor<'_>) -> Parsed<PartitionAction> {
    let if_not_exists = mariadb_if_not_exists(cursor);
    binary_log(cursor);
    let (names, values) = if cursor.accept(&["PARTITIONS"]) {
        number(cursor)?;
        (Vec::new(), None)
    } else {
        definitions(cursor)?
    };
    Ok(PartitionAction::Add { names, values, if_not_exists })
}

fn reorganize(cursor: &mut Cursor<'_>) -> Parsed<PartitionAction> {
    binary_log(cursor);
    if cursor.is_at_end() {
        return Ok(PartitionAction::Reorganize {
            from: Vec::new(),
            into: Vec::new(),
            values: None,
        });
    }
    let from = names(cursor)?;
    cursor.expect(&["INTO"])?;
    let (into, values) = definitions(cursor)?;
    Ok(PartitionAction::Reorganize { from, into, values })
}

fn exchange(cursor: &mut Cursor<'_>) -> Parsed<PartitionAction> {
    let partition = name(cursor)?;
    cursor.expect(&["WITH", "TABLE"])?;
    let table = full_name(cursor)?;
    let without_validation = validation(cursor) == Some(false);
    Ok(PartitionAction::Exchange { partition, table, without_validation })
}

/// Takes `WITH VALIDATION` or `WITHOUT VALIDATION`: MySQL, and MariaDB since 11.4.
fn validation(cursor: &mut Cursor<'_>) -> Option<bool> {
    if is_mariadb(cursor) && !mariadb_since(cursor, 11, 4) {
        return None;
    }
    if cursor.accept(&["WITH", "VALIDATION"]) {
        return Some(true);
    }
    cursor.accept(&["WITHOUT", "VALIDATION"]).then_some(false)
}

fn maintain(cursor: &mut Cursor<'_>) -> Parsed<Option<PartitionAction>> {
    let words = ["analyze", "check", "optimize", "rebuild", "repair"];
    let Some(what) = words.into_iter().find(|word| cursor.at(&[word, "PARTITION"])) else {
        return Ok(None);
    };
    cursor.accept(&[what, "PARTITION"]);
    binary_log(cursor);
    let names = all_or_names(cursor)?;
    let options: &[&str] = match what {
        "check" => &["QUICK", "FAST", "MEDIUM", "EXTENDED", "CHANGED"],
        "repair" => &["QUICK", "EXTENDED", "USE_FRM"],
        _ => &[],
    };
    while cursor.accept_any(options).is_some() || cursor.accept(&["FOR", "UPGRADE"]) {}
    Ok(Some(PartitionAction::Maintain { what: what.to_owned(), names }))
}
