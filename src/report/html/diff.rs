//! A unified diff as two columns.

use maud::{Markup, html};

/// A line of the table.
enum Row<'a> {
    Place(&'a str),
    Both(&'a str),
    Changed(Option<&'a str>, Option<&'a str>),
}

/// Returns the table: before on the left, after on the right.
pub(super) fn side_by_side(unified: &str, label: &str) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(label) {
            table class="diff" {
                thead { tr { th scope="col" { "Before" } th scope="col" { "After" } } }
                tbody {
                    @for row in rows(unified) {
                        @match row {
                            Row::Place(text) => tr { td class="place" colspan="2" { (text) } },
                            Row::Both(text) => tr { td { (text) } td { (text) } },
                            Row::Changed(before, after) => tr {
                                td class=[before.map(|_| "removed")] { (before.unwrap_or("")) }
                                td class=[after.map(|_| "added")] { (after.unwrap_or("")) }
                            },
                        }
                    }
                }
            }
        }
    }
}

fn rows(unified: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for line in unified.lines() {
        match (line.get(..1), line.get(1..)) {
            (Some("-"), Some(_)) if line.starts_with("--- ") => {}
            (Some("+"), Some(_)) if line.starts_with("+++ ") => {}
            (Some("-"), Some(text)) => {
                // A removed line behind added ones begins a new pair.
                if !added.is_empty() {
                    pair(&mut rows, &mut removed, &mut added);
                }
                removed.push(text);
            }
            (Some("+"), Some(text)) => added.push(text),
            (Some("@"), _) => {
                pair(&mut rows, &mut removed, &mut added);
                rows.push(Row::Place(line));
            }
            (_, text) => {
                pair(&mut rows, &mut removed, &mut added);
                rows.push(Row::Both(text.unwrap_or("")));
            }
        }
    }
    pair(&mut rows, &mut removed, &mut added);
    rows
}

fn pair<'a>(rows: &mut Vec<Row<'a>>, removed: &mut Vec<&'a str>, added: &mut Vec<&'a str>) {
    let length = removed.len().max(added.len());
    let (mut before, mut after) = (removed.drain(..), added.drain(..));
    for _ in 0..length {
        rows.push(Row::Changed(before.next(), after.next()));
    }
}
