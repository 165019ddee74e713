//! The markers inside a file: up and down sections, places where no statement ends, and who opens
//! a transaction. The tools find them line by line, whatever the SQL around them is; so do we.

use super::Problem;
use crate::sql::migration::Convention;
use crate::sql::source::{Source, Span};

/// What the markers of a file say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marked {
    /// The statements that change the schema.
    pub(super) up: Span,
    /// The statements that change it back.
    pub(super) down: Option<Span>,
    /// A marker that says: no transaction around the file.
    pub(super) no_transaction: Option<Span>,
    /// It stands for all migrations before it (`-- atlas:checkpoint`).
    pub(super) checkpoint: bool,
    /// What is wrong, and at which byte.
    pub(super) problems: Vec<(u32, Problem)>,
}

/// One line of a text.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// Without the line break.
    pub(super) text: &'a str,
    /// Its place.
    pub(super) span: Span,
    /// Where the next line starts.
    pub(super) next: u32,
}

/// Returns the lines with their places.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0_u32;
    text.split_inclusive('\n').map(move |full| {
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
        let line = full.trim_end_matches(['\n', '\r']);
        let span = Span::new(start, start + length(line));
        start += length(full);
        Line { text: line, span, next: start }
    })
}

/// Reads the markers that a convention has.
pub(super) fn marked(source: &Source, convention: Convention) -> Marked {
    let text = source.text();
    let whole = Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    let file = Marked { up: whole, ..Marked::default() };
    match convention {
        Convention::Goose => goose(text, file),
        Convention::Dbmate => dbmate(text, file),
        Convention::Tern => tern(text, file),
        Convention::Atlas => atlas(text, file),
        Convention::Sqlx => Marked { no_transaction: at_start(text, "-- no-transaction"), ..file },
        Convention::Graphile => {
            Marked { no_transaction: own_line(text, "--! no-transaction"), ..file }
        }
        Convention::Lockwise | Convention::Plain | Convention::Stdin => lockwise(text, file),
        Convention::Refinery
        | Convention::Diesel
        | Convention::GolangMigrate
        | Convention::Flyway
        | Convention::Prisma
        | Convention::Rails
        | Convention::Pop
        | Convention::Drizzle
        | Convention::Liquibase
        | Convention::Sqitch => file,
    }
}

/// sqlx looks at the very first bytes of the file.
fn at_start(text: &str, marker: &str) -> Option<Span> {
    let line = lines(text).next().filter(|_| text.starts_with(marker))?;
    Some(line.span)
}

fn own_line(text: &str, marker: &str) -> Option<Span> {
    lines(text).find(|line| line.text.trim_end() == marker).map(|line| line.span)
}

/// The first line `-- lockwise:no-transaction`. Anywhere else it would be overlooked: an error.
fn lockwise(text: &str, mut file: Marked) -> Marked {
    for (index, line) in lines(text).enumerate() {
        if !is_lockwise_marker(line.text) {
            continue;
        }
        if index == 0 {
            file.no_transaction = Some(line.span);
        } else {
            file.problems.push((line.span.start, Problem::MarkerNotFirst));
        }
    }
    file
}

fn is_lockwise_marker(line: &str) -> bool {
    let comment = line.trim().strip_prefix("--").map(str::trim_start);
    let words = comment.and_then(|text| text.strip_prefix("lockwise:"));
    words.is_some_and(|words| words.trim() == "no-transaction")
}

/// Returns the words of a goose annotation: `-- +goose Up` at the very start of a line.
pub(super) fn goose_words(line: &str) -> Option<&str> {
    let words = line.strip_prefix("--")?.trim_start().strip_prefix("+goose")?;
    words.starts_with([' ', '\t']).then(|| words.trim())
}

fn goose(text: &str, mut file: Marked) -> Marked {
    let mut up = None;
    let mut down = None;
    let mut open: Option<Span> = None;
    for line in lines(text) {
        let Some(words) = goose_words(line.text) else { continue };
        match words.to_ascii_lowercase().as_str() {
            "up" => up = Some(line.span),
            "down" => down = Some(line),
            "no transaction" => file.no_transaction = Some(line.span),
            "statementbegin" => open = Some(Span::new(line.next, line.next)),
            "statementend" => match open.take() {
                // Several statements may stand in a block: the server gets them in one message.
                Some(_) => {}
                None => file.problems.push((line.span.start, Problem::EndWithoutBegin)),
            },
            word if word == "envsub on" || word == "envsub off" => {}
            _ => {
                let known = ["Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION"];
                let near = crate::sql::nearest(words, known);
                let near = near.first().map(|near| format!("-- +goose {near}"));
                let marker = line.text.trim().to_owned();
                file.problems.push((line.span.start, Problem::UnknownMarker { marker, near }));
            }
        }
    }
    if let Some(begin) = open {
        file.problems.push((begin.start.saturating_sub(1), Problem::BeginWithoutEnd));
    }
    let Some(up) = up else {
        file.problems.push((0, Problem::NoUpSection { marker: "-- +goose Up" }));
        return file;
    };
    split_at_down(&mut file, up, down);
    file
}

/// The up section goes from the file's first byte (only comments stand before its marker) to the
/// down marker; the down section from there to the end.
fn split_at_down(file: &mut Marked, up: Span, down: Option<Line<'_>>) {
    let end = file.up.end;
    match down {
        None => {}
        Some(down) if down.span.start > up.start => {
            file.up = Span::new(0, down.span.start);
            file.down = Some(Span::new(down.next, end));
        }
        Some(down) => {
            file.up = Span::new(up.start, end);
            file.down = Some(Span::new(down.next, up.start));
        }
    }
}

/// Returns the direction and the options of a dbmate marker.
fn dbmate_words(line: &str) -> Option<(&str, &str)> {
    let words = line.trim_start().strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
    Some(words.split_once(char::is_whitespace).unwrap_or((words, "")))
}

/// Says whether a line is one of dbmate's section markers.
pub(super) fn is_dbmate_marker(line: &str) -> bool {
    dbmate_words(line).is_some_and(|(word, _)| word == "up" || word == "down")
}

fn dbmate(text: &str, mut file: Marked) -> Marked {
    let mut up = None;
    let mut down = None;
    for line in lines(text) {
        let Some((word, options)) = dbmate_words(line.text) else {
            let trimmed = line.text.trim();
            let statement = !trimmed.is_empty() && !trimmed.starts_with("--");
            if statement && up.is_none() && down.is_none() {
                file.problems.push((line.span.start, Problem::BeforeFirstSection));
                break;
            }
            continue;
        };
        match word {
            "up" if up.is_some() => {
                file.problems.push((line.span.start, Problem::SecondSection));
            }
            "up" => {
                up = Some(line.span);
                if options.split_whitespace().any(|option| option == "transaction:false") {
                    file.no_transaction = Some(line.span);
                }
            }
            "down" => down = down.or(Some(line)),
            _ => {
                let near = crate::sql::nearest(word, ["up", "down"]);
                let near = near.first().map(|&near| format!("-- migrate:{near}"));
                let marker = line.text.trim().to_owned();
                file.problems.push((line.span.start, Problem::UnknownMarker { marker, near }));
            }
        }
    }
    match up {
        None if file.problems.is_empty() => {
            file.problems.push((0, Problem::NoUpSection { marker: "-- migrate:up" }));
        }
        None => {}
        Some(up) => split_at_down(&mut file, up, down),
    }
    file
}

/// Says whether a line divides tern's up and down parts.
pub(super) fn is_tern_divider(line: &str) -> bool {
    line.trim() == "---- create above / drop below ----"
}

fn tern(text: &str, mut file: Marked) -> Marked {
    file.no_transaction = own_line(text, "---- tern: disable-tx ----");
    if let Some(line) = lines(text).find(|line| is_tern_divider(line.text)) {
        file.down = Some(Span::new(line.next, file.up.end));
        file.up = Span::new(0, line.span.start);
    }
    file
}

/// Atlas reads directives from the comments at the top of a file.
fn atlas(text: &str, mut file: Marked) -> Marked {
    for line in lines(text) {
        let Some(comment) = line.text.trim().strip_prefix("--") else {
            if line.text.trim().is_empty() {
                continue;
            }
            break;
        };
        match comment.trim() {
            "atlas:txmode none" => file.no_transaction = Some(line.span),
            words if words.starts_with("atlas:checkpoint") => file.checkpoint = true,
            _ => {}
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(convention: Convention, text: &str, up: &str, down: Option<&str>) -> Marked {
        let source = Source::new("a.sql", text);
        let marked = marked(&source, convention);
        assert_eq!(source.slice(marked.up), up);
        assert_eq!(marked.down.map(|down| source.slice(down)), down);
        marked
    }

    #[test]
    fn goose_sections_and_blocks() {
        let text = "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nDO x;\n\
                    -- +goose StatementEnd\n-- +goose Down\nDROP TABLE a;\n";
        let up = text.split("-- +goose Down").next().unwrap();
        let marked = check(Convention::Goose, text, up, Some("DROP TABLE a;\n"));
        assert_eq!(marked.no_transaction, Some(Span::new(0, 24)));
        assert_eq!(marked.problems, []);
    }

    #[test]
    fn goose_annotations_are_checked() {
        let problems = |text| {
            let marked = marked(&Source::new("a.sql", text), Convention::Goose);
            marked.problems.into_iter().map(|(at, p)| format!("{at} {p}")).collect::<Vec<_>>()
        };
        assert_eq!(problems("SELECT 1;"), ["0 no `-- +goose Up` section"]);
        assert_eq!(
            problems("-- +goose up\n-- +goose StatmentBegin\n-- +goose StatementEnd\n"),
            [
                "13 unknown marker `-- +goose StatmentBegin`",
                "37 StatementEnd without a StatementBegin before it"
            ]
        );
    }

    #[test]
    fn dbmate_sections_and_options() {
        let text = "-- note\n-- migrate:up transaction:false\nCREATE INDEX i ON t (a);\n\
                    -- migrate:down\nDROP INDEX i;\n";
        let up = text.split("-- migrate:down").next().unwrap();
        let marked = check(Convention::Dbmate, text, up, Some("DROP INDEX i;\n"));
        assert!(marked.no_transaction.is_some());
        let early = "CREATE TABLE t (a int);\n-- migrate:up\n";
        let marked = check(Convention::Dbmate, early, early, None);
        assert_eq!(marked.problems, [(0, Problem::BeforeFirstSection)]);
    }

    #[test]
    fn tern_divider_and_marker() {
        let text = "---- tern: disable-tx ----\nA;\n---- create above / drop below ----\nB;\n";
        let up = "---- tern: disable-tx ----\nA;\n";
        assert!(check(Convention::Tern, text, up, Some("B;\n")).no_transaction.is_some());
    }

    #[test]
    fn transaction_markers_stand_where_their_tool_looks() {
        let none = |convention, text| {
            let marked = marked(&Source::new("a.sql", text), convention);
            marked.no_transaction.is_some()
        };
        assert!(none(Convention::Sqlx, "-- no-transaction\nSELECT 1;"));
        assert!(!none(Convention::Sqlx, "\n-- no-transaction\nSELECT 1;"));
        assert!(none(Convention::Lockwise, "-- lockwise:no-transaction\r\nSELECT 1;"));
        assert!(none(Convention::Atlas, "-- atlas:txmode none\n\nSELECT 1;"));
        assert!(!none(Convention::Atlas, "SELECT 1;\n-- atlas:txmode none\n"));
        assert!(none(Convention::Graphile, "--! Previous: x\n--! no-transaction\nSELECT 1;"));
        assert!(!none(Convention::Flyway, "-- lockwise:no-transaction\nSELECT 1;"));
    }

    #[test]
    fn a_lockwise_marker_that_is_not_first_is_an_error() {
        let source = Source::new("a.sql", "-- adds an index\n-- lockwise:no-transaction\n");
        let marked = marked(&source, Convention::Lockwise);
        assert_eq!(marked.problems, [(17, Problem::MarkerNotFirst)]);
    }
}
