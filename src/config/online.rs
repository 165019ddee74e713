//! The `[runner.online_tool]` table: a tool for online schema changes of MySQL and MariaDB.

use crate::plan::{OnlineTool, Preset};
use crate::rule::{Reader, Table};

/// Reads the table.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `command` | the tool with its arguments; see below | required |
/// | `over` | tables at least as large are handed over: `500MB`, `10GB` | required |
///
/// Where `command` holds no `{alter}`, it begins with `pt-online-schema-change` or `gh-ost`, and
/// lockwise adds what table, change, login and limits need. Else it is taken as it is, with
/// `{alter}`, `{database}`, `{table}`, `{host}`, `{port}`, `{user}`, `{login}` (an option file with
/// the login, readable by its owner only) and `{lock_wait}` (seconds) filled in.
pub(super) fn read(reader: &mut Reader, mut table: Table<'_>) -> Option<OnlineTool> {
    let span = table.span();
    let command: Vec<String> =
        table.texts(reader, "command").into_iter().map(|(word, _)| word).collect();
    let over = match table.text(reader, "over") {
        Some((text, at)) => {
            let bytes = bytes(&text);
            if bytes.is_none() {
                let message = format!("over is no size: \"{text}\"");
                reader.error(&at, message, Some("write it like 500MB or 10GB".to_owned()));
            }
            bytes
        }
        None => {
            let message = "[runner.online_tool] lacks the key \"over\"".to_owned();
            reader.error(&span, message, Some("write it like over = \"10GB\"".to_owned()));
            None
        }
    };
    table.finish(reader);
    let complete = command.iter().any(|word| word.contains("{alter}"));
    let preset = command.first().and_then(|program| Preset::of(program));
    if command.is_empty() || !complete && preset.is_none() {
        let message = "[runner.online_tool] does not say how the tool is called".to_owned();
        let hint = "write command = [\"pt-online-schema-change\"], [\"gh-ost\"], or all arguments \
                    of another tool with {database}, {table}, {alter} and {login} in them";
        reader.error(&span, message, Some(hint.to_owned()));
        return None;
    }
    let preset = preset.filter(|_| !complete);
    over.map(|over| OnlineTool { command, preset, over })
}

/// Reads a size; a kilobyte has 1024 bytes, as in the sizes that servers tell.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..)?.trim().to_ascii_uppercase();
    let power = match unit.trim_end_matches('B').trim_end_matches('I') {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return None,
    };
    digits.trim().parse::<u64>().ok()?.checked_mul(1024_u64.pow(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("0"), Some(0));
        assert_eq!(bytes("512 KB"), Some(512 * 1024));
        assert_eq!(bytes("10GB"), Some(10 * 1024 * 1024 * 1024));
        assert_eq!(bytes("1GiB"), bytes("1 gb"));
        assert_eq!(bytes("ten GB"), None);
        assert_eq!(bytes("10 parsecs"), None);
        assert_eq!(bytes("99999999999999TB"), None);
    }
}
