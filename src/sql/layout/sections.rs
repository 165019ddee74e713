//! The markers inside a file: up and down sections, places where no statement ends, and who opens
//! a transaction. The tools find them line by line, whatever the SQL around them is; so do we.

use super::Problem;
use crate::sql::migration::{Convention, Delimiter, Reading};
use crate::sql::source::{Source, Span};

/// What the markers of a file say.
#[derive(Debug, Clone, Default)]
pub(super) struct Marked {
    /// The statements that change the schema.
    pub(super) up: Span,
    /// The statements that change it back.
    pub(super) down: Option<Span>,
    /// A marker that says: no transaction around the file.
    pub(super) no_transaction: Option<Span>,
    /// It stands for all migrations before it (`-- atlas:checkpoint`).
    pub(super) checkpoint: bool,
    /// How the statements are told apart.
    pub(super) reading: Reading,
    /// What the way back skips.
    pub(super) skipped_by_down: Vec<Span>,
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
        Convention::Lockwise => lockwise(text, file),
        // Who runs these files is not known: a shell may fill in `${name}`, a client may read
        // DELIMITER.
        Convention::Plain | Convention::Stdin => lockwise(text, clients(file)),
        Convention::Flyway | Convention::Liquibase => filled_in(file),
        Convention::Refinery
        | Convention::Diesel
        | Convention::GolangMigrate
        | Convention::Prisma
        | Convention::Rails
        | Convention::Pop
        | Convention::Drizzle
        | Convention::Sqitch => file,
    }
}

/// The tool replaces `${name}`.
fn filled_in(mut file: Marked) -> Marked {
    file.reading.placeholders = true;
    file
}

fn clients(file: Marked) -> Marked {
    let mut file = filled_in(file);
    file.reading.delimiter_lines = true;
    file
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
                Some(begin) => {
                    file.reading.blocks.push(Span::new(begin.start, line.span.start));
                }
                None => file.problems.push((line.span.start, Problem::EndWithoutBegin)),
            },
            "envsub on" => file.reading.placeholders = true,
            "envsub off" => {}
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
    let mut sections: Vec<(bool, Line<'_>)> = Vec::new();
    for line in lines(text) {
        let Some((word, options)) = dbmate_words(line.text) else {
            let trimmed = line.text.trim();
            let statement = !trimmed.is_empty() && !trimmed.starts_with("--");
            if statement && sections.is_empty() {
                file.problems.push((line.span.start, Problem::BeforeFirstSection));
                break;
            }
            continue;
        };
        match word {
            "up" | "down" => {
                sections.push((word == "up", line));
                let alone = options.split_whitespace().any(|option| option == "transaction:false");
                if word == "up" && alone {
                    file.no_transaction = file.no_transaction.or(Some(line.span));
                }
            }
            _ => {
                let near = crate::sql::nearest(word, ["up", "down"]);
                let near = near.first().map(|&near| format!("-- migrate:{near}"));
                let marker = line.text.trim().to_owned();
                file.problems.push((line.span.start, Problem::UnknownMarker { marker, near }));
            }
        }
    }
    if sections.iter().any(|(up, _)| *up) {
        share(&mut file, &sections);
    } else if file.problems.is_empty() {
        file.problems.push((0, Problem::NoUpSection { marker: "-- migrate:up" }));
    }
    file
}

/// Gives the sections of a file, each `true` for up, to the way there and the way back.
fn share(file: &mut Marked, sections: &[(bool, Line<'_>)]) {
    let end = file.up.end;
    let mut parts: Vec<(bool, Span)> = Vec::new();
    for (at, (up, line)) in sections.iter().enumerate() {
        let until = sections.get(at + 1).map_or(end, |(_, next)| next.span.start);
        parts.push((*up, Span::new(if *up { line.span.start } else { line.next }, until)));
    }
    let of = |wanted: bool| {
        let mut own = parts.iter().filter(|(up, _)| *up == wanted).map(|(_, span)| *span);
        let first = own.next()?;
        Some(own.next_back().map_or(first, |last| first.to(last)))
    };
    // Comments in front of the first marker say something about the way there.
    file.up = of(true).map_or(file.up, |span| {
        let first_is_up = sections.first().is_some_and(|(up, _)| *up);
        if first_is_up { Span::new(0, span.end) } else { span }
    });
    file.down = of(false);
    let up = file.up;
    file.reading.skipped =
        parts.iter().filter(|(is_up, span)| !is_up && up.contains(*span)).map(|p| p.1).collect();
    let Some(down) = file.down else { return };
    let others = parts.iter().filter(|(is_up, span)| *is_up && down.contains(*span));
    file.skipped_by_down = others.map(|p| p.1).collect();
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
    let mut archive = false;
    for line in lines(text) {
        let Some(comment) = line.text.trim().strip_prefix("--") else {
            if line.text.trim().is_empty() {
                continue;
            }
            break;
        };
        if archive && archived(line.text).is_some() {
            break;
        }
        let comment = comment.trim();
        if let Some(delimiter) = comment.strip_prefix("atlas:delimiter") {
            let text = unescaped(delimiter.trim());
            file.reading.delimiter = Some(Delimiter { text, own_line: false });
        } else if comment == "atlas:txmode none" {
            file.no_transaction = Some(line.span);
        } else if comment.starts_with("atlas:checkpoint") {
            file.checkpoint = true;
        } else if comment == "atlas:txtar" {
            archive = true;
        }
    }
    if archive {
        unpack(text, &mut file);
    }
    file
}

/// `\n` stands for a line break in atlas:delimiter.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
}

/// Returns the name in `-- migration.sql --`, which begins a file in a txtar archive.
fn archived(line: &str) -> Option<&str> {
    let name = line.trim_end().strip_prefix("-- ")?.strip_suffix(" --")?.trim();
    (name.contains('.') && !name.contains(char::is_whitespace)).then_some(name)
}

/// The files of an archive: `migration.sql` goes there, `down.sql` back; checks change nothing.
fn unpack(text: &str, file: &mut Marked) {
    let heads: Vec<(&str, Line<'_>)> =
        lines(text).filter_map(|line| Some((archived(line.text)?, line))).collect();
    let end = file.up.end;
    let part = |wanted: &str| {
        let at = heads.iter().position(|(name, _)| *name == wanted)?;
        let until = heads.get(at + 1).map_or(end, |(_, next)| next.span.start);
        heads.get(at).map(|(_, head)| Span::new(head.next, until))
    };
    if let Some(up) = part("migration.sql") {
        file.up = up;
    } else {
        file.problems.push((0, Problem::NoUpSection { marker: "-- migration.sql --" }));
    }
    file.down = part("down.sql");
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

    /// Checks the statements that a PostgreSQL file falls into, there and back.
    #[track_caller]
    fn falls_into(file: &str, text: &str, up: &[&str], down: &[&str]) {
        use crate::sql::layout::{Content, Given, InputFile, arrange};
        use crate::sql::{Script, Server, ServerKind};
        let content = Content::Bytes(text.as_bytes().to_vec());
        let files = vec![InputFile { path: format!("m/{file}"), content }];
        let folder = Given::Folder { path: "m".into(), files };
        let found = arrange(vec![folder], None);
        assert_eq!(found.errors, []);
        let server = Server::of(ServerKind::Postgres);
        let mut group = found.groups.into_iter().next().unwrap();
        group.select(server);
        let migrations = group.drafts.into_iter().map(|draft| draft.parse(server).unwrap());
        let migrations: Vec<_> = migrations.collect();
        let texts = |script: &Script| -> Vec<String> {
            let all = script.statements.iter();
            all.map(|one| {
                let unknown = matches!(one.kind, crate::sql::ast::StatementKind::Unknown { .. });
                format!("{}{}", if unknown { "? " } else { "" }, script.slice(one.span))
            })
            .collect()
        };
        let ups: Vec<String> = migrations.iter().flat_map(|one| texts(&one.up)).collect();
        let downs = migrations.iter().filter_map(|one| one.down.as_ref());
        let downs: Vec<String> = downs.flat_map(texts).collect();
        assert_eq!(
            (ups, downs),
            (
                up.iter().map(ToString::to_string).collect(),
                down.iter().map(ToString::to_string).collect(),
            )
        );
    }

    #[test]
    fn dbmate_runs_all_sections_of_a_file() {
        falls_into(
            "1_a.sql",
            "-- migrate:up\nDROP TABLE a;\n-- migrate:down\nDROP TABLE b;\n\
             -- migrate:up transaction:false\nDROP TABLE c;\n-- migrate:down\nDROP TABLE d;\n",
            &["DROP TABLE a", "DROP TABLE c"],
            &["DROP TABLE b", "DROP TABLE d"],
        );
    }

    #[test]
    fn flyway_fills_in_placeholders() {
        falls_into(
            "V1__a.sql",
            "CREATE TABLE ${schema}.${prefix}_orders (id bigint) ${options};\n\
             UPDATE ${flyway:defaultSchema}.t SET a = ${value} WHERE b = '${x}';\n\
             DROP TABLE old_${name};\nSELECT $1;\nALTER TABLE t ${what};\n",
            &[
                "CREATE TABLE ${schema}.${prefix}_orders (id bigint) ${options}",
                "UPDATE ${flyway:defaultSchema}.t SET a = ${value} WHERE b = '${x}'",
                "DROP TABLE old_${name}",
                "SELECT $1",
                "? ALTER TABLE t ${what}",
            ],
            &[],
        );
        // sqlx sends them as they are, and the server refuses them.
        falls_into("1_a.sql", "-- no-transaction\nDROP TABLE ${a};", &["? DROP TABLE ${a}"], &[]);
    }

    #[test]
    fn liquibase_delimiters_and_servers() {
        falls_into(
            "a.sql",
            "--liquibase formatted sql\n--changeset a:1 endDelimiter:\"\\n/\" \
             splitStatements:true\nDROP TABLE a\n/\nSELECT 1 / 2\n/\n\
             --changeset a:2 dbms:mysql,mariadb\nDROP TABLE `b`;\n\
             --changeset a:3 dbms:\"postgresql, h2\" stripComments:false endDelimiter:@@\n\
             DROP TABLE c@@DROP TABLE d @@\n--rollback DROP TABLE e;\n\
             --changeset a:4 dbms:!postgresql\nDROP TABLE f;\n--changeset a:5\n\
             DROP TABLE ${g};\n",
            &["DROP TABLE a", "SELECT 1 / 2", "DROP TABLE c", "DROP TABLE d", "DROP TABLE ${g}"],
            &["DROP TABLE e"],
        );
    }

    #[test]
    fn atlas_delimiters_and_archives() {
        let atlas = |text: &str, up: &[&str], down: &[&str]| {
            let source = Source::new("1_a.sql", text);
            let marked = marked(&source, Convention::Atlas);
            assert_eq!(marked.problems, []);
            let server = crate::sql::Server::of(crate::sql::ServerKind::Postgres);
            let statements = |range| {
                let reading = marked.reading.clone();
                let section = crate::sql::Section { source: source.clone(), range, reading };
                let script = crate::sql::parse(section, server);
                let all = script.statements.iter().map(|one| script.slice(one.span).to_owned());
                all.collect::<Vec<_>>()
            };
            assert_eq!(statements(marked.up), up);
            assert_eq!(marked.down.map(statements).unwrap_or_default(), down);
        };
        atlas(
            "-- atlas:delimiter -- end\n\nSELECT 1\n-- end\nSELECT 2\n-- end\n",
            &["SELECT 1", "SELECT 2"],
            &[],
        );
        atlas(
            "-- atlas:delimiter \\n\\n\\n\n\nSELECT 1\n\n, 2\n\n\nSELECT 3\n",
            &["SELECT 1\n\n, 2", "SELECT 3"],
            &[],
        );
        atlas(
            "-- atlas:txtar\n\n-- checks.sql --\nSELECT NOT EXISTS (SELECT * FROM a);\n\
             -- migration.sql --\nDROP TABLE a;\n-- down.sql --\nCREATE TABLE a (b int);\n",
            &["DROP TABLE a"],
            &["CREATE TABLE a (b int)"],
        );
    }

    #[test]
    fn client_delimiters_in_files_that_nobody_claims() {
        falls_into(
            "schema.sql",
            "delimiter d//\nDROP TABLE a;\nd//\ndelimiter ;\nDROP TABLE :\"b\".c;\n\
             CREATE TABLE d (e int):options;",
            &["DROP TABLE a", "DROP TABLE :\"b\".c", "CREATE TABLE d (e int):options"],
            &[],
        );
    }
}
