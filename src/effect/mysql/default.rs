//! Which defaults a type takes.
//!
//! MySQL manual, Data Type Default Values; measured on MariaDB 10.11, 11.8 and MySQL 9.7,
//! testdata/servers.

use super::refuse::is_geometry;
use super::refuse_written::is_typed;
use super::{Scene, same};
use crate::schema::Column;
use crate::sql::ast::{DataType, Expr, ExprShape};

/// Functions whose value a replica may find to be another one.
const UNSAFE: &[&str] = &[
    "current_user",
    "rand",
    "random_bytes",
    "session_user",
    "sysdate",
    "system_user",
    "user",
    "uuid",
    "uuid_short",
];

impl Scene<'_> {
    /// Says whether MySQL refuses a default because the values of the type are long.
    pub(super) fn is_long_literal(&self, data_type: &DataType, default: &Expr) -> bool {
        is_long(data_type) && default.shape == ExprShape::Literal && !self.is_mariadb()
    }

    /// Tells which defaults `ALTER COLUMN … SET DEFAULT` does not give: MySQL takes not even NULL
    /// for a type with long values (measured on 9.7).
    ///
    /// What is generated has no default (MySQL), what is NOT NULL has not NULL for one.
    pub(super) fn set_default(&mut self, column: &Column, to: &Expr) {
        let data_type = column.data_type.as_ref();
        let name = column.name.as_str();
        let plain = to.shape == ExprShape::Null || inner(to).is_some();
        if data_type.is_some_and(is_long) && plain && !self.is_mariadb() {
            self.no_long_default(name);
        }
        if column.generated.is_some() && !self.is_mariadb() {
            let detail = "incorrect usage of DEFAULT and generated column".to_owned();
            self.told.fails("type-mismatch", "1221", detail);
        }
        if column.not_null && to.shape == ExprShape::Null {
            self.invalid_default(name);
        }
        self.default_value(name, data_type, to);
    }

    fn invalid_default(&mut self, column: &str) {
        let detail = format!("invalid default value for '{column}'");
        self.told.fails("type-mismatch", "1067", detail);
    }

    /// MySQL manual, "Data Type Default Values": an expression in parentheses only.
    pub(super) fn no_long_default(&mut self, column: &str) {
        let detail =
            format!("BLOB, TEXT, GEOMETRY or JSON column '{column}' can't have a default value");
        self.told.fails("type-mismatch", "1101", detail);
    }

    /// Tells which defaults a type does not take.
    pub(super) fn default_value(
        &mut self,
        column: &str,
        data_type: Option<&DataType>,
        default: &Expr,
    ) {
        let Some(data_type) = data_type else { return };
        if self.is_long_literal(data_type, default) {
            return self.no_long_default(column);
        }
        // Error 1674 with statement-based logging: measured on 9.7 without a binary log.
        let unsafe_call = default
            .functions
            .iter()
            .any(|function| UNSAFE.iter().any(|f| same(f, function.name())));
        if unsafe_call && !self.is_mariadb() {
            let detail = "the default calls a function that is unsafe to replicate".to_owned();
            self.told.may_fail("type-mismatch", "1674", detail);
        }
        let literal = default.shape == ExprShape::Literal;
        let dated = matches!(data_type.name.as_str(), "date" | "datetime" | "timestamp");
        // MariaDB computes a constant expression at once.
        let computed = self.is_mariadb() && dated && is_small_number(default);
        // A typed literal of MariaDB is what it says; that of MySQL is refused as it is written.
        if literal
            && !is_typed(default)
            && (self.is_zero_date(data_type, default) || self.is_no_value(data_type, default))
            || computed
        {
            self.invalid_default(column);
        }
        if self.is_mariadb()
            && is_geometry(&data_type.name)
            && (literal || inner(default).is_some())
        {
            let detail = "cannot get geometry object from the default".to_owned();
            self.told.fails("type-mismatch", "1416", detail);
        }
    }

    /// Says whether a literal is no value of a type: blanks at the end of a text are cut, by
    /// MariaDB from CHAR alone, and a TIMESTAMP ends in 2038, or with MariaDB 11.5 in 2106.
    fn is_no_value(&self, data_type: &DataType, default: &Expr) -> bool {
        let cut = match data_type.name.as_str() {
            "char" => true,
            "varchar" => !self.is_mariadb(),
            _ => false,
        };
        let fits = |length: u64| {
            let text = quoted(default).map_or("", str::trim_end);
            u64::try_from(text.chars().count()).is_ok_and(|count| count <= length)
        };
        if cut && fits(data_type.number(0).unwrap_or(1)) {
            return false;
        }
        let year = quoted(default).and_then(|text| text.split('-').next()?.parse::<u32>().ok());
        let last = if self.mariadb_since(11, 5) { 2106 } else { 2038 };
        let late = data_type.name == "timestamp" && year.is_some_and(|year| year > last);
        late || is_no_value(data_type, default)
    }

    /// A zero date is refused under NO_ZERO_DATE: by MySQL if it is strict too, by MariaDB in any
    /// case (measured on 10.11, 11.8 and 9.7).
    fn is_zero_date(&self, data_type: &DataType, default: &Expr) -> bool {
        let dated = matches!(data_type.name.as_str(), "date" | "datetime" | "timestamp");
        let zero = quoted(default).is_some_and(|text| text.starts_with("0000-00-00"));
        dated && zero && self.no_zero_date() && (self.is_strict() || self.is_mariadb())
    }
}

/// Says whether the values of a type are stored outside the row.
fn is_long(data_type: &DataType) -> bool {
    let name = data_type.name.as_str();
    name.ends_with("text")
        || name.ends_with("blob")
        || matches!(name, "json" | "vector")
        || is_geometry(name)
}

/// Returns a literal that stands in parentheses.
fn inner(default: &Expr) -> Option<&str> {
    let text = default.text.trim().strip_prefix('(')?.strip_suffix(')')?.trim();
    let quoted = text.len() > 1
        && text.starts_with('\'')
        && text.trim_start_matches('\'').find('\'').is_some_and(|at| at + 2 == text.len());
    (quoted || text.parse::<f64>().is_ok()).then_some(text)
}

/// Says whether an expression computes a number that is too small for a date.
fn is_small_number(default: &Expr) -> bool {
    let text = default.text.trim();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let sum = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-()".contains(c);
    text.starts_with('(') && digits > 0 && digits < 5 && text.chars().all(sum)
}

/// Returns the text of a literal in quotes.
fn quoted(default: &Expr) -> Option<&str> {
    default.text.trim().strip_prefix('\'')?.strip_suffix('\'')
}

/// Returns the number of a literal of bits or hexadecimal digits.
fn coded(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let quoted = |sign: &str| text.strip_prefix(sign)?.strip_suffix('\'').map(ToOwned::to_owned);
    if let Some(bits) = quoted("b'").or_else(|| text.strip_prefix("0b").map(ToOwned::to_owned)) {
        return u64::from_str_radix(&bits, 2).ok();
    }
    let digits = quoted("x'").or_else(|| text.strip_prefix("0x").map(ToOwned::to_owned))?;
    u64::from_str_radix(&digits, 16).ok()
}

/// Says whether a literal is no value of a type, in any sql_mode (measured on 10.11 and 9.7).
fn is_no_value(data_type: &DataType, default: &Expr) -> bool {
    let bits = coded(default.text.trim());
    if data_type.name == "bit" {
        let width = data_type.number(0).unwrap_or(1);
        let number = bits.or_else(|| default.text.trim().parse().ok());
        return width < 64 && number.is_some_and(|number| number >> width > 0);
    }
    if bits.is_some() {
        return false;
    }
    let in_quotes = quoted(default);
    let text = in_quotes.unwrap_or(default.text.trim());
    let number = text.trim().parse::<f64>();
    match data_type.name.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float"
        | "double" => match number {
            Ok(number) => is_out_of_range(data_type, number),
            Err(_) => in_quotes.is_some(),
        },
        "enum" => !data_type.args.iter().any(|member| same(member, text)),
        "set" => {
            !text.is_empty()
                && !text.split(',').all(|m| data_type.args.iter().any(|member| same(member, m)))
        }
        "date" | "datetime" | "timestamp" => is_no_date(data_type, text),
        "time" => {
            let hours = text.split(':').next().and_then(|hours| hours.parse::<i32>().ok());
            let late = text.contains(':') && hours.is_some_and(|hours| hours.abs() > 838);
            late || in_quotes.is_some_and(|text| text.trim().is_empty())
        }
        "year" => number.is_ok_and(|n| n > 99.0 && !(1901.0..=2155.0).contains(&n)),
        "varchar" | "char" | "binary" | "varbinary" => {
            let bytes = data_type.name.ends_with("binary");
            let count = if bytes { text.len() } else { text.chars().count() };
            u64::try_from(count).is_ok_and(|count| count > data_type.number(0).unwrap_or(1))
        }
        _ => false,
    }
}

fn is_out_of_range(data_type: &DataType, number: f64) -> bool {
    let bits = match data_type.name.as_str() {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        "bigint" => 64,
        "decimal" => {
            let digits = data_type.number(0).unwrap_or(10);
            let whole = digits.saturating_sub(data_type.number(1).unwrap_or(0));
            let whole = i32::try_from(whole).unwrap_or(i32::MAX);
            return number.abs() >= 10_f64.powi(whole);
        }
        "float" if number.abs() > f64::from(f32::MAX) => return true,
        _ => return data_type.unsigned && number < 0.0,
    };
    let (least, most) = if data_type.unsigned {
        (0.0, 2_f64.powi(bits))
    } else {
        (-2_f64.powi(bits - 1), 2_f64.powi(bits - 1))
    };
    number.round() < least || number.round() >= most
}

/// Says whether a text is no date, with or without a time behind it.
fn is_no_date(data_type: &DataType, text: &str) -> bool {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    if !date.contains('-') {
        // A number is month and day at least.
        if date.parse::<u64>().is_ok_and(|number| (1..101).contains(&number)) {
            return true;
        }
        return date.is_empty() || !date.chars().all(|c| c.is_ascii_digit());
    }
    let numbers: Vec<Option<u32>> = date.split('-').map(|part| part.parse().ok()).collect();
    let [Some(year), Some(month), Some(day)] = numbers.as_slice() else { return true };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 31,
    };
    let mut clock = time.split(':').map(|part| part.parse::<f64>().unwrap_or(0.0));
    let late = clock.next().is_some_and(|hours| hours >= 24.0) || clock.any(|part| part >= 60.0);
    let early = data_type.name == "timestamp" && *year > 0 && *year < 1970;
    *month > 12 || *day > last || late || early
}
