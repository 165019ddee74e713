//! The language server, driven by a scripted editor.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says by panicking what is wrong"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// An editor with one language server.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next_id: u64,
}

impl Editor {
    fn start(folder: &Path) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_lockwise"))
            .args(["lsp", "--server", "postgres", "--server-version", "15"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = server.stdin.take().unwrap();
        let output = BufReader::new(server.stdout.take().unwrap());
        let mut editor = Self { server, input, output, next_id: 0 };
        let answer = editor.ask("initialize", json!({"capabilities": {}}));
        assert_eq!(answer["capabilities"]["hoverProvider"], json!(true));
        editor.tell("initialized", json!({}));
        editor
    }

    fn write(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.write(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.read();
            if message["id"] == json!(id) {
                assert_eq!(message["error"], Value::Null);
                return message["result"].clone();
            }
        }
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            if let Some(value) = line.trim().strip_prefix("Content-Length: ") {
                length = value.parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// Waits for the diagnostics of a document.
    fn diagnostics(&mut self) -> Vec<Value> {
        loop {
            let message = self.read();
            if message["method"] == json!("textDocument/publishDiagnostics") {
                return message["params"]["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    fn quit(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.server.wait().unwrap().success());
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n";
const INDEX: &str = "-- 주문 찾기\nCREATE INDEX orders_note ON orders (note);\n";

#[test]
fn an_editor_sees_findings_effects_and_fixes() {
    let folder = tempfile::tempdir().unwrap();
    let orders = folder.path().join("0001_orders.sql");
    let index = folder.path().join("0002_find.sql");
    std::fs::write(&orders, ORDERS).unwrap();
    std::fs::write(&index, "").unwrap();
    let mut editor = Editor::start(folder.path());

    // What counts is the text in the editor, not the empty file on disk.
    editor.tell(
        "textDocument/didOpen",
        json!({"textDocument": {"uri": uri(&index), "languageId": "sql", "version": 1, "text": INDEX}}),
    );
    let found = editor.diagnostics();
    let blocking = found.iter().find(|d| d["code"] == json!("create-index-blocking"));
    let blocking = blocking.unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(blocking["severity"], json!(1));
    assert_eq!(blocking["range"]["start"], json!({"line": 1, "character": 0}));

    let at = json!({"textDocument": {"uri": uri(&index)}, "position": {"line": 1, "character": 5}});
    let hover = editor.ask("textDocument/hover", at);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("PostgreSQL 15") && text.contains("SHARE"), "{text}");

    let range = json!({"start": {"line": 1, "character": 3}, "end": {"line": 1, "character": 3}});
    let actions = editor.ask(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": uri(&index)}, "range": range,
               "context": {"diagnostics": [blocking]}}),
    );
    let edit = &actions[0]["edit"]["documentChanges"][0]["edits"][0]["newText"];
    assert_eq!(edit, "-- 주문 찾기\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);\n");

    // The fixed text has no such finding.
    editor.tell(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri(&index), "version": 2},
               "contentChanges": [{"text": edit}]}),
    );
    let found = editor.diagnostics();
    assert!(found.iter().all(|d| d["code"] != json!("create-index-blocking")), "{found:?}");
    editor.quit();
}

#[test]
fn half_typed_sql_and_strange_documents_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let half = folder.path().join("0001_half.sql");
    std::fs::write(&half, "").unwrap();
    let mut editor = Editor::start(folder.path());
    for text in
        ["", "CREATE TABLE", "CREATE TABLE t (", "SELECT '", "\u{feff}DROP", "ALTER TABLE t ADD"]
    {
        editor.tell(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri(&half), "languageId": "sql", "version": 1, "text": text}}),
        );
        editor.diagnostics();
    }
    editor.quit();
}

#[test]
fn a_document_that_is_not_saved_yet_is_judged_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lockwise.toml"), "server = \"postgres\"\n").unwrap();
    let mut editor = Editor::start(folder.path());
    editor.tell(
        "textDocument/didOpen",
        json!({"textDocument": {"uri": "untitled:Untitled-1", "languageId": "sql", "version": 1,
            "text": "\nCREATE INDEX CONCURRENTLY a ON t (b);\nDROP TABLE orders;"}}),
    );
    let found = editor.diagnostics();
    let codes: Vec<&Value> = found.iter().map(|found| &found["code"]).collect();
    assert_eq!(codes, ["drop-table"]);
    assert_eq!(found[0]["range"]["start"]["line"], 2);
    editor.quit();
}

#[test]
fn what_comes_before_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let orders = folder.path().join("0001_orders.sql");
    let index = folder.path().join("0002_find.sql");
    std::fs::write(&orders, ORDERS).unwrap();
    std::fs::write(&index, "").unwrap();
    let mut editor = Editor::start(folder.path());
    let open = |path: &Path, text: &str| json!({"textDocument": {"uri": uri(path), "languageId": "sql", "version": 1, "text": text}});
    let blocks =
        |found: &[Value]| found.iter().any(|d| d["code"] == json!("create-index-blocking"));
    editor.tell("textDocument/didOpen", open(&index, INDEX));
    assert!(blocks(&editor.diagnostics()));

    // On disk: the table is gone before the document comes.
    std::fs::write(&orders, format!("{ORDERS}DROP TABLE orders;\n")).unwrap();
    editor.tell("textDocument/didOpen", open(&index, INDEX));
    assert!(!blocks(&editor.diagnostics()));

    // In the editor: it is there after all.
    editor.tell("textDocument/didOpen", open(&orders, ORDERS));
    editor.diagnostics();
    editor.tell("textDocument/didOpen", open(&index, INDEX));
    assert!(blocks(&editor.diagnostics()));

    // A marker in the document changes what its whole folder follows.
    editor.tell("textDocument/didOpen", open(&index, &format!("-- +goose Up\n{INDEX}")));
    let found = editor.diagnostics();
    assert!(!found.is_empty(), "{found:?}");
    editor.quit();
}

/// A document that is opened with a text.
fn opened(path: &Path, text: &str) -> Value {
    json!({"textDocument": {"uri": uri(path), "languageId": "sql", "version": 1, "text": text}})
}

#[test]
fn positions_count_utf16_units_and_windows_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("0001_wide.sql");
    std::fs::write(&path, "").unwrap();
    let mut editor = Editor::start(folder.path());
    // One character outside the basic plane is two units; one Hangul syllable is one.
    let text = "-- 주문\r\n/* 😀가 */ DROP TABLE orders; DROP TABLE \"주😀문\";\r\n";
    editor.tell("textDocument/didOpen", opened(&path, text));
    let found = editor.diagnostics();
    let mut ranges: Vec<&Value> = found
        .iter()
        .filter(|found| found["code"] == json!("drop-table"))
        .map(|found| &found["range"])
        .collect();
    ranges.sort_by_key(|range| range["start"]["character"].as_u64());
    let at = |from: u32, to: u32| json!({"start": {"line": 1, "character": from}, "end": {"line": 1, "character": to}});
    assert_eq!(ranges, [&at(10, 27), &at(29, 46)]);
    let hover = |editor: &mut Editor, character: u32| {
        let at = json!({"textDocument": {"uri": uri(&path)},
                        "position": {"line": 1, "character": character}});
        editor.ask("textDocument/hover", at)
    };
    let text = |hover: &Value| hover["contents"]["value"].as_str().unwrap_or("").to_owned();
    assert!(text(&hover(&mut editor, 12)).contains("orders"));
    assert!(text(&hover(&mut editor, 31)).contains("주😀문"));
    assert_eq!(hover(&mut editor, 3), Value::Null);
    editor.quit();
}

#[test]
fn a_fix_keeps_windows_lines() {
    let folder = tempfile::tempdir().unwrap();
    let orders = folder.path().join("0001_orders.sql");
    let index = folder.path().join("0002_find.sql");
    std::fs::write(&orders, ORDERS).unwrap();
    std::fs::write(&index, "").unwrap();
    let mut editor = Editor::start(folder.path());
    editor.tell("textDocument/didOpen", opened(&index, &INDEX.replace('\n', "\r\n")));
    editor.diagnostics();
    let range = json!({"start": {"line": 1, "character": 3}, "end": {"line": 1, "character": 3}});
    let actions = editor.ask(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": uri(&index)}, "range": range, "context": {"diagnostics": []}}),
    );
    let edit = &actions[0]["edit"]["documentChanges"][0]["edits"][0]["newText"];
    let expected = "-- 주문 찾기\r\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);\r\n";
    assert_eq!(edit, expected);
    editor.quit();
}

#[test]
fn a_large_document_is_judged_as_it_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("0001_rows.sql");
    std::fs::write(&path, "").unwrap();
    let mut editor = Editor::start(folder.path());
    let rows: String = (0..5_000).fold(String::from("CREATE TABLE t (id int PRIMARY KEY);\n"), {
        |text, row| text + &format!("INSERT INTO t (id) VALUES ({row});\n")
    });
    editor.tell("textDocument/didOpen", opened(&path, &rows));
    editor.diagnostics();
    editor.tell(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri(&path), "version": 2},
               "contentChanges": [{"text": rows + "DROP TABLE orders;\n"}]}),
    );
    let found = editor.diagnostics();
    let dropped = found.iter().find(|found| found["code"] == json!("drop-table"));
    assert_eq!(dropped.unwrap()["range"]["start"], json!({"line": 5_001, "character": 0}));
    editor.quit();
}
