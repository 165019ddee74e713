//! `CREATE FUNCTION` and `CREATE PROCEDURE`.

use super::{expr, names, types};
use crate::sql::ast::DataType;
use crate::sql::cursor::{Cursor, Parsed};

/// One argument of a routine.
#[derive(Debug)]
pub(super) struct Argument {
    /// The type.
    pub data_type: DataType,
    /// `OUT`: no part of the signature.
    pub out: bool,
}

/// Takes `[mode] [name] type [DEFAULT value]`.
pub(super) fn argument(c: &mut Cursor<'_>) -> Parsed<Argument> {
    let mut out = false;
    let before = mode(c, &mut out);
    let start = c.position();
    let data_type = match types::function_type(c) {
        Ok(data_type) if at_end(c) => data_type,
        Ok(_) | Err(_) => {
            c.reset(start);
            if !names::at_type_name(c) && !names::at_column_id(c) {
                return Err(c.expected("an argument"));
            }
            names::word(c, "an argument name")?;
            if !before {
                mode(c, &mut out);
            }
            types::function_type(c)?
        }
    };
    if c.accept(&["DEFAULT"]) || c.accept_symbol("=") || c.accept_symbol(":=") {
        expr::a_expr(c)?;
    }
    Ok(Argument { data_type, out })
}

fn mode(c: &mut Cursor<'_>, out: &mut bool) -> bool {
    if matches!(c.text_at(1), "," | ")") {
        return false;
    }
    if c.accept(&["IN", "OUT"]) {
        return true;
    }
    let word = c.accept_any(&["IN", "OUT", "INOUT", "VARIADIC"]);
    *out |= word == Some("OUT");
    word.is_some()
}

fn at_end(c: &Cursor<'_>) -> bool {
    c.at_symbol(",")
        || c.at_symbol(")")
        || c.at_symbol("=")
        || c.at_symbol(":=")
        || c.at(&["DEFAULT"])
        || c.at(&["ORDER"])
        || c.is_at_end()
}
