//! The splitter and the grammars on random text: whatever a file holds, they end, they do not
//! panic, and every place they name lies in the file.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says by panicking what is wrong"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockwise::effect::{WalkOptions, walk};
use lockwise::report::lint::{LintFormat, LintReport, LintedFile};
use lockwise::rule::fix::fix;
use lockwise::rule::{Bench, JudgeOptions, RuleSet};
use lockwise::schema::Schema;
use lockwise::sql::layout::{Content, Given, InputFile, arrange};
use lockwise::sql::{
    Convention, Lexing, Piece, Section, Server, ServerKind, Source, Span, parse, split,
};
use proptest::prelude::*;

/// Statements of all servers, to be damaged.
const SEEDS: &[&str] = &[
    "CREATE TABLE app.orders (id bigint PRIMARY KEY, note text DEFAULT 'a''b' NOT NULL, \
     CONSTRAINT c CHECK (id > 0) NOT VALID, FOREIGN KEY (id) REFERENCES t (id) ON DELETE CASCADE)",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS x int DEFAULT now() NOT NULL, DROP COLUMN y CASCADE",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON t USING gin (lower(a) text_ops DESC) WHERE b IS NULL",
    "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (MAXVALUE)",
    "SELECT a[1:2], b::numeric(3, 1), count(*) FILTER (WHERE x) OVER (ORDER BY y) FROM t FOR UPDATE",
    "WITH r AS (SELECT 1) INSERT INTO t (a) SELECT * FROM r ON CONFLICT (a) DO UPDATE SET a = 1",
    "DO $x$ BEGIN IF a THEN EXECUTE 'DROP TABLE t'; END IF; END $x$",
    "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT ''x'' || a; SELECT 1'",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END",
    "COPY t FROM stdin;\n1\t2\n\\.\n",
    "\\connect shop\n",
    "CREATE TABLE `t` (`id` int(10) unsigned NOT NULL AUTO_INCREMENT, KEY `k` (`id`(4))) ENGINE=InnoDB",
    "ALTER TABLE t MODIFY COLUMN c varchar(10) CHARACTER SET utf8mb4, ALGORITHM=INPLACE, LOCK=NONE",
    "DELIMITER $$\nCREATE PROCEDURE p() BEGIN IF a THEN SET b = 1; END IF; END$$\nDELIMITER ;\n",
    "/*!50001 CREATE VIEW v AS SELECT 1 */",
    "UPDATE a, b SET a.x = b.y WHERE a.id = b.id",
    "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; END",
    "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b) STRICT, WITHOUT ROWID",
    "PRAGMA foreign_keys = off",
    "-- 주문 테이블\nDROP TABLE IF EXISTS \"주문\" /* a /* nested */ b */",
];

/// Pieces that mean something to one lexer or another.
const FRAGMENTS: &[&str] = &[
    "'",
    "\"",
    "`",
    "$$",
    "$x$",
    "(",
    ")",
    "((((",
    "[",
    "]",
    ";",
    "--",
    "/*",
    "*/",
    "/*!",
    "#",
    "\\",
    "\n",
    "\r\n",
    "BEGIN",
    "END",
    "CASE",
    "ATOMIC",
    "CREATE",
    "TABLE",
    "SELECT",
    "NOT",
    "é",
    "주",
    "\u{feff}",
    "\u{a0}",
    "::",
    ":x",
    "$1",
    "@v",
    "?",
    "0x",
    "1e",
    "E'\\",
    "U&\"",
    "DELIMITER //\n",
    "\\.",
    "COPY a FROM stdin;",
    ",",
    ".",
    "INTO",
    "UNION",
    "WITH",
];

fn servers() -> [Server; 4] {
    ServerKind::ALL.map(Server::of)
}

fn whole(text: &str) -> Span {
    Span::new(0, u32::try_from(text.len()).unwrap())
}

/// Splits and parses a text for one server and checks every place in the result.
#[track_caller]
fn check(text: &str, server: Server) {
    let pieces = split(text, Lexing::of(server), whole(text), &Default::default());
    check_pieces(text, &pieces.pieces);
    for token in &pieces.tokens {
        check_span(text, token.span);
    }
    for comment in &pieces.comments {
        check_span(text, *comment);
    }
    let source = Source::new("random.sql", text);
    let script = parse(Section { source, range: whole(text), reading: Default::default() }, server);
    for statement in &script.statements {
        check_span(text, statement.span);
        for span in spans(&format!("{:?}", statement.kind)) {
            check_span(text, span);
        }
    }
}

/// Pieces are in order and do not overlap, so that they and the gaps between them are the text.
#[track_caller]
fn check_pieces(text: &str, pieces: &[Piece]) {
    let mut joined = String::new();
    let mut end = 0;
    for piece in pieces {
        check_span(text, piece.span);
        assert!(piece.span.start >= end, "pieces overlap in {text:?}");
        joined.push_str(&text[end as usize..piece.span.start as usize]);
        joined.push_str(&text[piece.span.start as usize..piece.span.end as usize]);
        end = piece.span.end;
    }
    joined.push_str(&text[end as usize..]);
    assert_eq!(joined, text);
}

#[track_caller]
fn check_span(text: &str, span: Span) {
    let range = span.start as usize..span.end as usize;
    assert!(span.start <= span.end && text.get(range).is_some(), "{span:?} in {text:?}");
}

/// Returns all places that the printed form of a statement holds.
fn spans(printed: &str) -> Vec<Span> {
    let numbers = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse::<u32>().ok()
    };
    let mut found = Vec::new();
    for part in printed.split("Span { start: ").skip(1) {
        let end = part.split_once(", end: ").and_then(|(_, rest)| numbers(rest));
        if let (Some(start), Some(end)) = (numbers(part), end) {
            found.push(Span::new(start, end));
        }
    }
    found
}

/// A script of damaged statements: words cut out, doubled, swapped, and fragments put between.
fn damaged() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0..4_u8, prop::sample::select(FRAGMENTS));
    let seeds = prop::collection::vec(prop::sample::select(SEEDS), 1..4);
    (seeds, prop::collection::vec(edit, 0..6)).prop_map(|(seeds, edits)| {
        let text = seeds.join(";\n");
        let mut words: Vec<&str> = text.split_inclusive(' ').collect();
        for (index, edit, fragment) in edits {
            if words.is_empty() {
                break;
            }
            let at = index.index(words.len());
            match edit {
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[at]),
                2 => words.insert(at, fragment),
                _ => words.swap(at, 0),
            }
        }
        words.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 192, failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn random_text_is_split_and_read(text in "\\PC{0,80}") {
        for server in servers() {
            check(&text, server);
        }
    }

    #[test]
    fn random_fragments_are_split_and_read(
        parts in prop::collection::vec(prop::sample::select(FRAGMENTS), 0..40),
    ) {
        for server in servers() {
            check(&parts.concat(), server);
            check(&parts.join(" "), server);
        }
    }

    #[test]
    fn damaged_statements_are_split_and_read(text in damaged()) {
        for server in servers() {
            check(&text, server);
        }
    }
}

#[test]
fn deep_nesting_ends_with_a_reason() {
    for open in ["(", "((SELECT ", "[", "CASE WHEN ", "SELECT * FROM (", "a = ANY (", "NOT "] {
        for server in servers() {
            check(&format!("SELECT {}", open.repeat(3000)), server);
            check(&format!("CREATE TABLE t (a int CHECK ({}", open.repeat(3000)), server);
        }
    }
}

#[test]
fn nested_bodies_end() {
    let mut text = "SELECT 1".to_owned();
    for depth in 0..200 {
        text = format!("DO $x{depth}$ BEGIN {text}; END $x{depth}$");
    }
    check(&text, Server::of(ServerKind::Postgres));
}

#[test]
fn long_input_takes_linear_time() {
    // Each of these was or could be read again and again from the same place.
    let parts = ["SELECT 1;", "COPY t FROM stdin;", "((", "\\x\n", "BEGIN;", "'a' ", "/* ", "$a$ "];
    for part in parts {
        for server in servers() {
            check(&part.repeat(5_000), server);
        }
    }
}

/// Chooses, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }
}

/// Cuts, doubles and mixes a file with another one and with fragments.
fn mutated(text: &str, other: &str, dice: &mut Dice) -> String {
    let mut parts: Vec<&str> = text.split_inclusive([' ', '\n', ';', '(', ',']).collect();
    let others: Vec<&str> = other.split_inclusive([' ', '\n', ';', '(', ',']).collect();
    for _ in 0..1 + dice.below(6) {
        let at = dice.below(parts.len());
        match dice.below(7) {
            _ if parts.is_empty() => break,
            0 => drop(parts.remove(at)),
            1 => parts.truncate(at),
            2 => drop(parts.drain(..at)),
            3 => parts.insert(at, FRAGMENTS[dice.below(FRAGMENTS.len())]),
            4 => {
                let with = dice.below(parts.len());
                parts.swap(at, with);
            }
            _ => {
                let from = dice.below(others.len());
                let length = 1 + dice.below(8);
                let piece = others.iter().skip(from).take(length).copied();
                parts.splice(at..at, piece);
            }
        }
    }
    parts.concat()
}

fn sql_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sql_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
}

/// Reads, walks, judges and reports a text as a migration after another one.
fn judge_whole(
    before: &str,
    text: &str,
    convention: Convention,
    bench: &Bench<'_>,
    server: Server,
) {
    let file = |path: &str, text: &str| InputFile {
        path: format!("m/{path}"),
        content: Content::Bytes(text.as_bytes().to_vec()),
    };
    let files = vec![file("1_before.sql", before), file("2_now.sql", text)];
    let given = Given::Folder { path: "m".to_owned(), files };
    let rules = RuleSet::empty();
    let mut schema = Schema::new(server, false);
    for group in arrange(vec![given], Some(convention)).groups {
        for draft in group.drafts {
            let migration = draft.parse(server).unwrap();
            for statement in &migration.up.statements {
                let nothing = lockwise::effect::of(
                    statement,
                    &schema,
                    &lockwise::effect::Context {
                        in_transaction: true,
                        settings: Default::default(),
                    },
                );
                fix(&migration, statement, &schema, &nothing);
            }
            let effects = walk(&migration, &mut schema, &WalkOptions::default());
            let mut case = bench.hear(&migration, &effects);
            case.settle(&schema, true);
            let judged = case.judged(bench);
            for finding in &judged.findings {
                let text = migration.up.section.source.text();
                check_span(text, finding.span);
                check_span(text, finding.statement);
                let whole = &migration.up.section.source;
                let at = finding.span.start;
                assert_eq!(finding.source.position(at), whole.position(at));
                assert_eq!(finding.source.slice(finding.span), whole.slice(finding.span));
            }
            for format in [LintFormat::Text { colors: false }, LintFormat::Json, LintFormat::Sarif]
            {
                let judged = lockwise::rule::Judged {
                    findings: judged.findings.clone(),
                    suppressed: Vec::new(),
                };
                let file = LintedFile { path: "m".to_owned(), judged, statements: 1, unknown: 0 };
                let mut report = LintReport::new(format, server, &rules);
                report.add(file, &mut std::io::sink()).unwrap();
                report.finish(&mut std::io::sink()).unwrap();
            }
        }
    }
}

/// With `LOCKWISE_FUZZ=FOLDER LOCKWISE_FUZZ_SECONDS=600` it goes on for longer, with the files of a
/// folder of one's own.
#[test]
fn mutated_files_do_no_harm() {
    let own = std::env::var_os("LOCKWISE_FUZZ").map(PathBuf::from);
    let folder = own.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"));
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let until = number("LOCKWISE_FUZZ_SECONDS").map(|s| Instant::now() + Duration::from_secs(s));
    let mut paths = Vec::new();
    sql_files(&folder, &mut paths);
    paths.sort();
    let texts: Vec<String> =
        paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let texts: Vec<&String> = texts.iter().filter(|text| text.len() < 20_000).collect();
    let rules = RuleSet::builtin().unwrap();
    let benches = servers().map(|server| Bench::new(&rules, server, JudgeOptions::default()));
    let mut dice = Dice(number("LOCKWISE_FUZZ_SEED").unwrap_or(0x9e37_79b9_7f4a_7c15));
    for round in 0.. {
        if until.map_or(round >= 200, |until| Instant::now() > until) {
            break;
        }
        let mut pick = || texts[dice.below(texts.len())].as_str();
        let (before, one, other) = (pick(), pick(), pick());
        let text = mutated(one, other, &mut dice);
        let convention = Convention::ALL[dice.below(Convention::ALL.len())];
        let kept = std::env::temp_dir().join("lockwise-mutated.sql");
        if until.is_some() {
            std::fs::write(&kept, format!("{before}\n-- file: 2\n{text}")).unwrap();
        }
        for (bench, server) in benches.iter().zip(servers()) {
            let start = Instant::now();
            check(&text, server);
            judge_whole(before, &text, convention, bench, server);
            let took = start.elapsed();
            assert!(took < Duration::from_secs(20), "{took:?} {server:?} {convention:?}: {text}");
        }
    }
}
