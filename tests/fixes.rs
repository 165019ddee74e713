//! What `lockwise fix` writes, and that the schema after it is the schema it would have been.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says by panicking what is wrong")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lockwise::db::{Connection, Secrets, Shadow, ShadowOptions, SnapshotOptions, Target, snapshot};
use lockwise::effect;
use lockwise::rule::fix::{FileEdit, Fix, FixKind, FixedMigration, files, fix};
use lockwise::schema::Schema;
use lockwise::sql::ast::StatementKind;
use lockwise::sql::layout::{Content, Given, InputFile, arrange};
use lockwise::sql::{Convention, Migration, Server, ServerKind, ServerVersion};

/// Reads files of one folder as the tool of a convention would.
fn migrations(convention: Convention, given: &[(&str, &str)], server: Server) -> Vec<Migration> {
    let file = |(path, text): &(&str, &str)| InputFile {
        path: format!("migrations/{path}"),
        content: Content::Bytes(text.as_bytes().to_vec()),
    };
    let folder =
        Given::Folder { path: "migrations".to_owned(), files: given.iter().map(file).collect() };
    let arrangement = arrange(vec![folder], Some(convention));
    assert!(arrangement.errors.is_empty(), "{:?}", arrangement.errors);
    let drafts = arrangement.groups.into_iter().flat_map(|group| group.drafts);
    drafts.map(|draft| draft.parse(server).unwrap()).collect()
}

/// Fixes the last of these migrations.
fn fixed(all: &[Migration]) -> (Vec<FileEdit>, Vec<Fix>) {
    let last = all.last().unwrap();
    let mut schema = Schema::new(last_server(last), false);
    let mut fixes = Vec::new();
    for migration in all {
        schema.next_migration();
        for statement in &migration.up.statements {
            let context = effect::Context {
                in_transaction: false,
                settings: std::collections::BTreeMap::new(),
            };
            let effects = effect::of(statement, &schema, &context);
            if std::ptr::eq(migration, last) {
                fixes.extend(fix(migration, statement, &schema, &effects));
            }
            schema.apply(statement);
        }
    }
    let versions = all.iter().map(|migration| migration.version.clone()).collect();
    let edits = files(&versions, &[FixedMigration { migration: last, fixes: fixes.clone() }]);
    (edits, fixes)
}

/// The server is not part of a migration; these tests say it by the path.
fn last_server(migration: &Migration) -> Server {
    let name = migration.name.as_str();
    Server::of(if name.contains("mariadb") {
        ServerKind::Mariadb
    } else if name.contains("sqlite") {
        ServerKind::Sqlite
    } else {
        ServerKind::Postgres
    })
}

#[track_caller]
fn check(convention: Convention, given: &[(&str, &str)], expected: &[(&str, &str)]) {
    let kind = if given.iter().any(|(path, _)| path.contains("mariadb")) {
        ServerKind::Mariadb
    } else if given.iter().any(|(path, _)| path.contains("sqlite")) {
        ServerKind::Sqlite
    } else {
        ServerKind::Postgres
    };
    let all = migrations(convention, given, Server::of(kind));
    let (edits, _) = fixed(&all);
    let show = |pairs: Vec<(&str, &str)>| {
        pairs.into_iter().fold(String::new(), |mut out, (path, text)| {
            writeln!(out, "=== {path}\n{text}").unwrap();
            out
        })
    };
    let found = edits
        .iter()
        .map(|edit| (edit.path.trim_start_matches("migrations/"), edit.text.as_str()))
        .collect();
    assert_eq!(show(found), show(expected.to_vec()));
}

const ORDERS: (&str, &str) = (
    "0001_orders.sql",
    "CREATE TABLE customers (id bigint PRIMARY KEY);\n\
     CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);\n",
);

#[test]
fn an_index_is_built_concurrently_in_place_where_lockwise_runs_the_file() {
    check(
        Convention::Lockwise,
        &[ORDERS, ("0002_find.sql", "CREATE INDEX IF NOT EXISTS orders_note ON orders (note);\n")],
        &[("0002_find.sql", "CREATE INDEX CONCURRENTLY orders_note ON orders (note);\n")],
    );
}

#[test]
fn a_wrapped_file_gets_the_marker_when_the_index_is_all_there_is() {
    check(
        Convention::Sqlx,
        &[ORDERS, ("0002_find.sql", "CREATE INDEX orders_note ON orders (note);\n")],
        &[(
            "0002_find.sql",
            "-- no-transaction\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);\n",
        )],
    );
}

#[test]
fn a_wrapped_file_with_more_in_it_is_split_in_order() {
    check(
        Convention::Sqlx,
        &[
            ORDERS,
            (
                "0002_find.sql",
                "ALTER TABLE orders ADD COLUMN state text;\n\
                 -- The list of open orders.\n\
                 CREATE INDEX orders_state ON orders (state);\n\
                 COMMENT ON TABLE orders IS 'what was bought';\n",
            ),
        ],
        &[
            ("0002_find.sql", "ALTER TABLE orders ADD COLUMN state text;"),
            (
                "0003_find_step_2.sql",
                "-- no-transaction\n-- The list of open orders.\n\
                 CREATE INDEX CONCURRENTLY orders_state ON orders (state);",
            ),
            ("0004_find_step_3.sql", "COMMENT ON TABLE orders IS 'what was bought';\n"),
        ],
    );
}

#[test]
fn a_foreign_key_is_validated_in_a_migration_of_its_own() {
    check(
        Convention::Lockwise,
        &[
            ORDERS,
            (
                "0002_buyers.sql",
                "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id);\n",
            ),
        ],
        &[
            (
                "0002_buyers.sql",
                "ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY \
                 (customer_id) REFERENCES customers (id) NOT VALID;",
            ),
            (
                "0003_buyers_step_2.sql",
                "ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey;\n",
            ),
        ],
    );
}

/// Three files of a convention: the tables, a change with an index in its middle, one after that.
fn numbered(convention: Convention) -> Vec<(String, String)> {
    let change = "ALTER TABLE orders ADD COLUMN state text;\n\
                  CREATE INDEX orders_state ON orders (state);\n\
                  COMMENT ON TABLE orders IS 'what was bought';\n";
    let texts = [ORDERS.1, change, "CREATE TABLE later (id bigint PRIMARY KEY);\n"];
    #[expect(clippy::wildcard_enum_match_arm, reason = "most conventions name files alike")]
    let file = |(number, text): (usize, &str)| {
        let text = match convention {
            Convention::Dbmate => format!("-- migrate:up\n{text}\n-- migrate:down\n"),
            Convention::Goose => format!("-- +goose Up\n{text}"),
            _ => text.to_owned(),
        };
        let path = match convention {
            Convention::Flyway | Convention::Refinery => format!("V{number}__step.sql"),
            Convention::GolangMigrate => format!("{number:06}_step.up.sql"),
            Convention::Pop => format!("2024010{number}000000000000_step.postgres.up.sql"),
            Convention::Prisma => format!("2024010{number}000000_step/migration.sql"),
            Convention::Diesel => format!("2024-01-0{number}-000000_step/up.sql"),
            Convention::Atlas => format!("2024010{number}000000_step.sql"),
            Convention::Tern => format!("{number:03}_step.sql"),
            _ => format!("{number:04}_step.sql"),
        };
        (path, text)
    };
    (1..).zip(texts).map(file).collect()
}

/// Whatever the convention: after a fix its folder is read without an error, the versions rise,
/// every statement is there in its order, and the index is built without blocking.
#[test]
fn a_folder_that_is_split_stays_one_of_its_convention() {
    let server = Server::of(ServerKind::Postgres);
    for convention in Convention::ALL {
        if convention.keeps_a_list() || !convention.has_unique_versions() {
            continue;
        }
        let mut texts = numbered(convention);
        let given: Vec<(&str, &str)> =
            texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let all = migrations(convention, &given, server);
        assert_eq!(all.len(), 3, "{}", convention.as_str());
        let versions = all.iter().map(|migration| migration.version.clone()).collect();
        let (_, fixes) = fixed(&all[..2]);
        let edits = files(&versions, &[FixedMigration { migration: &all[1], fixes }]);
        for edit in edits {
            let path = edit.path.trim_start_matches("migrations/").to_owned();
            texts.retain(|(known, _)| *known != path);
            texts.push((path, edit.text));
        }
        texts.retain(|(path, _)| path.ends_with(".sql"));
        let given: Vec<(&str, &str)> =
            texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let after = migrations(convention, &given, server);
        let name = convention.as_str();
        let rises = after.windows(2).all(|pair| pair[0].version < pair[1].version);
        assert!(rises, "{name}: {:?}", texts);
        let statements = statements(&after);
        let find = |text: &str| statements.iter().position(|one| one.contains(text));
        let order = [
            find("CREATE TABLE orders"),
            find("ADD COLUMN state"),
            find("orders_state"),
            find("COMMENT ON TABLE"),
        ];
        assert!(order.iter().all(Option::is_some), "{name}: {statements:?}");
        assert!(order.is_sorted(), "{name}: {statements:?}");
    }
}

#[test]
fn a_number_that_is_taken_is_not_given_twice() {
    let given = [
        ORDERS,
        ("0002_later.sql", "CREATE TABLE later (id bigint PRIMARY KEY);\n"),
        ("0003_note.sql", "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n"),
    ];
    let all = migrations(Convention::Lockwise, &given, Server::of(ServerKind::Postgres));
    let (edits, _) = fixed(&all);
    let paths: Vec<&str> = edits.iter().map(|edit| edit.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "migrations/0003_note.sql",
            "migrations/0004_note_step_2.sql",
            "migrations/0005_note_step_3.sql"
        ]
    );
}

#[test]
fn a_new_table_needs_no_fix() {
    let given = [(
        "0001_orders.sql",
        "CREATE TABLE orders (id bigint, note text);\nCREATE INDEX orders_note ON orders (note);\n\
         ALTER TABLE orders ADD PRIMARY KEY (id);\n",
    )];
    let all = migrations(Convention::Lockwise, &given, Server::of(ServerKind::Postgres));
    assert_eq!(fixed(&all).0, []);
}

#[test]
fn a_file_with_its_own_transaction_is_left_alone() {
    let given = [
        ORDERS,
        ("0002_find.sql", "BEGIN;\nCREATE INDEX orders_note ON orders (note);\nCOMMIT;\n"),
    ];
    let all = migrations(Convention::Lockwise, &given, Server::of(ServerKind::Postgres));
    assert_eq!(fixed(&all).0, []);
}

#[test]
fn dbmate_and_goose_files_keep_their_frames() {
    check(
        Convention::Dbmate,
        &[
            (
                "0001_orders.sql",
                "-- migrate:up\nCREATE TABLE orders (id bigint, note text);\n-- migrate:down\nDROP TABLE orders;\n",
            ),
            (
                "0002_find.sql",
                "-- migrate:up\nCREATE INDEX orders_note ON orders (note);\n-- migrate:down\nDROP INDEX orders_note;\n",
            ),
        ],
        &[(
            "0002_find.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);\n-- migrate:down\nDROP INDEX orders_note;\n",
        )],
    );
}

// ------------------------------------------------------------------- the same schema on a server

async fn admin(variable: &str) -> Target {
    let url = std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: start the tests with tests/run"));
    Target::parse(&url, &Secrets::default()).unwrap()
}

fn statements(migrations: &[Migration]) -> Vec<String> {
    let mut out = Vec::new();
    for migration in migrations {
        for statement in &migration.up.statements {
            assert!(!matches!(statement.kind, StatementKind::Unknown { .. }), "{statement:?}");
            out.push(migration.up.slice(statement.span).to_owned());
        }
    }
    out
}

async fn schema_after(shadow: &mut Shadow, statements: &[String]) -> String {
    let mut connection: Connection = shadow.fresh().await.unwrap();
    for sql in statements {
        connection.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    let text = snapshot(&mut connection, &SnapshotOptions::default()).await.unwrap().text();
    connection.close().await.unwrap();
    text
}

/// Returns the fixes of all migrations but the first.
fn fixes_of(all: &[Migration], server: Server) -> Vec<Fix> {
    let mut schema = Schema::new(server, true);
    let mut fixes = Vec::new();
    for (number, migration) in all.iter().enumerate() {
        schema.next_migration();
        for statement in &migration.up.statements {
            let context = effect::Context {
                in_transaction: false,
                settings: std::collections::BTreeMap::new(),
            };
            let effects = effect::of(statement, &schema, &context);
            if number > 0 {
                fixes.extend(fix(migration, statement, &schema, &effects));
            }
            schema.apply(statement);
        }
    }
    fixes
}

/// Which test proves a kind of fix: one on a server of that kind, from that version on.
const fn proven_on(kind: FixKind) -> (ServerKind, u32) {
    match kind {
        FixKind::BuildConcurrently
        | FixKind::DropConcurrently
        | FixKind::ReindexConcurrently
        | FixKind::RefreshConcurrently
        | FixKind::ValidateLater
        | FixKind::AdoptIndex
        | FixKind::ProveNotNull => (ServerKind::Postgres, 15),
        FixKind::ValidateNotNull => (ServerKind::Postgres, 18),
        FixKind::NameAlgorithm => (ServerKind::Mariadb, 10),
        FixKind::RebuildTable => (ServerKind::Sqlite, 3),
    }
}

/// Checks that a test has proven every kind of fix that it is there for.
#[track_caller]
fn all_proven(on: (ServerKind, u32), proven: &BTreeSet<FixKind>) {
    let wanted = FixKind::ALL.into_iter().filter(|&kind| proven_on(kind) == on);
    let missing: Vec<FixKind> = wanted.filter(|kind| !proven.contains(kind)).collect();
    assert!(missing.is_empty(), "nothing proves {missing:?}");
}

/// Runs a migration and its fixed form and compares what the server says of the two schemas; the
/// fixed form needs no fix. Returns the kinds of fix that are proven by it.
async fn same_schema(
    shadow: &mut Shadow,
    server: Server,
    given: &str,
    change: &str,
    rule: &str,
) -> BTreeSet<FixKind> {
    let before = ("0001_before.sql", given);
    let all = migrations(Convention::Lockwise, &[before, ("0002_change.sql", change)], server);
    let fixes = fixes_of(&all, server);
    assert!(fixes.iter().any(|fix| fix.rules.contains(&rule)), "{change}: no fix for {rule}");
    let kinds: BTreeSet<FixKind> = fixes.iter().map(|fix| fix.kind).collect();
    assert!(kinds.iter().all(|kind| FixKind::ALL.contains(kind)), "{kinds:?}: not listed");
    let versions = all.iter().map(|migration| migration.version.clone()).collect();
    let edits = files(&versions, &[FixedMigration { migration: all.last().unwrap(), fixes }]);
    let mut after: Vec<(String, String)> = vec![(before.0.to_owned(), before.1.to_owned())];
    for edit in edits {
        after.push((edit.path.trim_start_matches("migrations/").to_owned(), edit.text));
    }
    let after: Vec<(&str, &str)> = after.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let repaired = migrations(Convention::Lockwise, &after, server);
    let again = fixes_of(&repaired, server);
    assert!(!again.iter().any(|fix| fix.rules.contains(&rule)), "{after:?} is still not right");
    let original = schema_after(shadow, &statements_as_written(&all)).await;
    let result = schema_after(shadow, &statements(&repaired)).await;
    assert_eq!(original, result, "{change}\nbecame {after:?}");
    kinds
}

fn statements_as_written(migrations: &[Migration]) -> Vec<String> {
    let all = migrations.iter().flat_map(|m| m.up.statements.iter().map(move |s| (m, s)));
    all.map(|(migration, statement)| migration.up.slice(statement.span).to_owned()).collect()
}

fn options(server: Server, url: Option<Target>) -> ShadowOptions {
    ShadowOptions {
        server,
        database: "lockwise_fixes".to_owned(),
        settings: std::collections::BTreeMap::new(),
        url,
        folders: Vec::new(),
        user: "lockwise".to_owned(),
    }
}

#[tokio::test]
async fn the_schema_after_a_fix_is_the_same_on_postgres() {
    let server = Server { kind: ServerKind::Postgres, version: "15".parse().unwrap() };
    let url = admin("LOCKWISE_TEST_POSTGRES").await;
    let mut shadow = Shadow::start(options(server, Some(url))).await.unwrap();
    let given = "CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL);\n\
        CREATE TABLE orders (id bigint NOT NULL, customer_id bigint, note text, qty int, \
            \"Mixed Case\" text);\n\
        CREATE INDEX orders_note ON orders (note);\n\
        CREATE MATERIALIZED VIEW totals AS SELECT customer_id, count(*) AS n FROM orders \
            GROUP BY customer_id;\n\
        CREATE UNIQUE INDEX totals_key ON totals (customer_id);\n\
        CREATE TABLE events (id bigint, at date NOT NULL) PARTITION BY RANGE (at);\n\
        CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO \
            ('2025-01-01');\n";
    let mut proven = BTreeSet::new();
    for (change, rule) in [
        (
            "CREATE UNIQUE INDEX orders_q ON orders USING btree (qty DESC) INCLUDE (note) WHERE qty > 0;",
            "create-index-blocking",
        ),
        ("DROP INDEX IF EXISTS orders_note;", "drop-index-blocking"),
        ("REINDEX TABLE orders;", "reindex-blocking"),
        ("REFRESH MATERIALIZED VIEW totals;", "refresh-matview-blocking"),
        (
            "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE;",
            "add-foreign-key-validating",
        ),
        ("ALTER TABLE orders ADD CONSTRAINT \"Q\" CHECK (qty > 0);", "add-check-validating"),
        (
            "ALTER TABLE orders ADD CHECK (qty > 0), ALTER COLUMN note SET DEFAULT '';",
            "add-check-validating",
        ),
        (
            "ALTER TABLE orders ADD UNIQUE (customer_id, \"Mixed Case\");",
            "add-unique-constraint-builds-index",
        ),
        ("ALTER TABLE orders ADD CONSTRAINT pk PRIMARY KEY (id);", "add-primary-key-builds-index"),
        ("ALTER TABLE orders ALTER COLUMN \"Mixed Case\" SET NOT NULL;", "set-not-null-scan"),
    ] {
        proven.extend(same_schema(&mut shadow, server, given, &format!("{change}\n"), rule).await);
    }
    shadow.stop().await.unwrap();
    all_proven((ServerKind::Postgres, 15), &proven);
}

/// `LOCKWISE_TEST_POSTGRES_BIN` names the folder with the binaries of a PostgreSQL 18; an older one
/// has no NOT NULL that is NOT VALID, and nothing is proven there.
#[tokio::test]
async fn not_null_is_validated_later_on_postgres_18() {
    let Some(folder) = std::env::var_os("LOCKWISE_TEST_POSTGRES_BIN") else { return };
    let folder = std::path::PathBuf::from(folder);
    let version = call(&folder, folder.join("postgres").to_str().unwrap(), &["--version"]);
    let version: ServerVersion = version.split_whitespace().nth(2).unwrap().parse().unwrap();
    if !version.at_least(18, 0, 0) {
        return;
    }
    let server = Server { kind: ServerKind::Postgres, version };
    let options = ShadowOptions { folders: vec![folder], ..options(server, None) };
    let mut shadow = Shadow::start(options).await.unwrap();
    let given = "CREATE TABLE orders (id bigint NOT NULL, note text, \"Mixed Case\" text, \
        CONSTRAINT orders_note_not_null CHECK (note <> ''));\n";
    let mut proven = BTreeSet::new();
    for change in [
        "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n",
        "ALTER TABLE orders ALTER COLUMN \"Mixed Case\" SET NOT NULL;\n",
        "ALTER TABLE orders ADD COLUMN code text, ALTER COLUMN note SET NOT NULL;\n",
    ] {
        let rule = "set-not-null-scan";
        proven.extend(same_schema(&mut shadow, server, given, change, rule).await);
    }
    shadow.stop().await.unwrap();
    all_proven((ServerKind::Postgres, 18), &proven);
}

/// Changes whose ALGORITHM and LOCK a fix writes out, on both servers.
const UNGUARDED: &[&str] = &[
    "ALTER TABLE orders ADD COLUMN state varchar(10) NOT NULL DEFAULT 'new';",
    "ALTER TABLE orders ADD INDEX by_note (note), DROP COLUMN qty;",
    "CREATE INDEX by_qty ON orders (qty);",
    "ALTER TABLE orders MODIFY note varchar(60);",
    "ALTER TABLE orders MODIFY qty int NOT NULL;",
    "ALTER TABLE orders ALTER COLUMN qty SET DEFAULT 1;",
    "ALTER TABLE orders RENAME COLUMN note TO remark;",
    "ALTER TABLE orders CHANGE note remark varchar(40);",
    "ALTER TABLE orders RENAME INDEX old TO by_qty;",
    "ALTER TABLE orders DROP INDEX old, ADD UNIQUE by_qty (qty);",
    "ALTER TABLE orders ADD COLUMN twice int AS (qty * 2) VIRTUAL;",
    "ALTER TABLE orders ADD COLUMN first_seen date FIRST;",
    "ALTER TABLE orders DROP PRIMARY KEY, ADD PRIMARY KEY (id, qty);",
    "ALTER TABLE orders ROW_FORMAT = DYNAMIC;",
    "ALTER TABLE orders COMMENT = 'what was bought';",
    "DROP INDEX old ON orders;",
    "CREATE UNIQUE INDEX by_note ON orders (note(10)) COMMENT 'short';",
];

async fn guarded_changes(variable: &str, server: Server, own: &[&str]) {
    let url = admin(variable).await;
    let mut shadow = Shadow::start(options(server, Some(url))).await.unwrap();
    let given = "CREATE TABLE orders (id bigint NOT NULL PRIMARY KEY, note varchar(40), qty int, \
            KEY old (qty));\n";
    let mut proven = BTreeSet::new();
    for change in UNGUARDED.iter().chain(own) {
        let change = format!("{change}\n");
        let rule = "mysql-algorithm-clause-missing";
        proven.extend(same_schema(&mut shadow, server, given, &change, rule).await);
    }
    shadow.stop().await.unwrap();
    all_proven((ServerKind::Mariadb, 10), &proven);
}

#[tokio::test]
async fn the_schema_after_a_fix_is_the_same_on_mariadb() {
    let server = Server { kind: ServerKind::Mariadb, version: "10.11.6".parse().unwrap() };
    let own = ["DROP INDEX IF EXISTS `old` ON orders;"];
    guarded_changes("LOCKWISE_TEST_MARIADB", server, &own).await;
}

/// `tests/run --with-mysql --test fixes` starts a MySQL: it accepts the clauses that are written
/// for it, or the test fails.
#[tokio::test]
async fn the_schema_after_a_fix_is_the_same_on_mysql() {
    if std::env::var_os("LOCKWISE_TEST_MYSQL").is_none() {
        return;
    }
    let server = Server { kind: ServerKind::Mysql, version: "9.7.0".parse().unwrap() };
    let own = [
        "CREATE INDEX by_sum ON orders ((qty + 1));",
        "ALTER TABLE orders ALTER INDEX old INVISIBLE;",
        "ALTER TABLE orders DROP COLUMN note, ADD COLUMN remark text;",
        "ALTER TABLE orders ADD CONSTRAINT some CHECK (qty > 0) NOT ENFORCED;",
        "ALTER TABLE orders MODIFY note varchar(60) FIRST;",
    ];
    guarded_changes("LOCKWISE_TEST_MYSQL", server, &own).await;
}

// ------------------------------------------------------------------- the table built anew (SQLite)

const SHOP: &str = "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);\n\
    CREATE TABLE orders (\n\
        id INTEGER PRIMARY KEY AUTOINCREMENT,\n\
        customer_id INTEGER CONSTRAINT buyer REFERENCES customers (id) ON DELETE CASCADE \
            DEFERRABLE INITIALLY DEFERRED,\n\
        note TEXT COLLATE NOCASE DEFAULT ('a' || 'b'),\n\
        qty INTEGER CONSTRAINT some CHECK (qty > 0),\n\
        twice INTEGER GENERATED ALWAYS AS (qty * 2) STORED,\n\
        code TEXT UNIQUE,\n\
        part_of INTEGER REFERENCES orders (id),\n\
        CONSTRAINT one_note UNIQUE (customer_id, note DESC)\n\
    );\n\
    CREATE INDEX orders_note ON orders (note COLLATE BINARY DESC, qty) WHERE qty > 1;\n\
    CREATE INDEX orders_lower ON orders (lower(note));\n\
    CREATE TABLE lines (id INTEGER PRIMARY KEY, \
        order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE);\n\
    CREATE TABLE log (what TEXT);\n\
    CREATE VIEW big AS SELECT o.id, o.note, c.name FROM orders o JOIN customers c \
        ON c.id = o.customer_id WHERE o.qty > 1;\n\
    CREATE TRIGGER orders_log AFTER INSERT ON orders WHEN NEW.qty > 1\n\
    BEGIN INSERT INTO log VALUES ('order; ' || NEW.note); END;\n\
    CREATE TRIGGER lines_touch AFTER INSERT ON lines\n\
    BEGIN UPDATE orders SET qty = qty + 1 WHERE id = NEW.order_id; END;\n";

const ROWS: &str = "INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bo');\n\
    INSERT INTO orders (id, customer_id, note, qty, code, part_of) VALUES \
        (1, 1, 'first', 1, 'x', NULL), (2, 2, 'second', 5, NULL, 1), (9, 1, 'gone', 1, 'z', 1);\n\
    DELETE FROM orders WHERE id = 9;\n\
    INSERT INTO lines (order_id) VALUES (1), (1), (2);\n";

/// Calls a program in a folder and returns what it prints.
#[track_caller]
fn call(folder: &std::path::Path, program: &str, words: &[&str]) -> String {
    let output =
        std::process::Command::new(program).args(words).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{program} {words:?}:\n{out}{error}");
    out
}

/// Returns what SQLite says of its schema, without the freedom there is in writing it down.
fn described(folder: &std::path::Path, database: &str) -> String {
    let schema = call(
        folder,
        "sqlite3",
        &[
            database,
            "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'lockwise%' \
         AND tbl_name NOT LIKE 'lockwise%' ORDER BY type, name;",
        ],
    );
    let plain: String = schema.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
    let facts = ["table_xinfo", "foreign_key_list", "index_list"]
        .map(|pragma| call(folder, "sqlite3", &[database, &format!("PRAGMA {pragma}(orders)")]));
    format!("{}\n{}", plain.to_lowercase(), facts.concat())
}

/// Fixes a change, applies it to a database with rows, and compares with the wanted schema.
#[track_caller]
fn rebuilt(change: &str, edits: &[(&str, &str)]) -> BTreeSet<FixKind> {
    let server = Server::of(ServerKind::Sqlite);
    let files = [("0001_shop.sql", SHOP), ("0002_change.sql", change)];
    let kinds = fixes_of(&migrations(Convention::Lockwise, &files, server), server);
    let kinds = kinds.iter().map(|fix| fix.kind).collect();
    let lockwise = env!("CARGO_BIN_EXE_lockwise");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("migrations")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("migrations/0001_shop.sql", SHOP);
    let url = ["--url", "sqlite:shop.db"];
    call(folder, "sqlite3", &["shop.db", "VACUUM"]);
    call(folder, lockwise, &[&["apply", "--yes"], &url[..]].concat());
    call(folder, "sqlite3", &["shop.db", ROWS]);
    write("migrations/0002_change.sql", change);
    let server = ["--server", "sqlite"];
    call(folder, lockwise, &[&["fix", "--write", "migrations"], &server[..]].concat());
    let fixed = std::fs::read_to_string(folder.join("migrations/0002_change.sql")).unwrap();
    assert!(fixed.contains("orders_new"), "not fixed: {fixed}");
    let lint = std::process::Command::new(lockwise)
        .args(["lint", "--history", "migrations/0001_shop.sql", "migrations/0002_change.sql"])
        .args(server)
        .current_dir(folder)
        .output()
        .unwrap();
    let findings = String::from_utf8(lint.stdout).unwrap();
    for rule in ["sqlite-add-", "sqlite-drop-", "syntax-error", "unparsed-", "broken-", "rows"] {
        assert!(!findings.contains(&format!("[{rule}")), "{fixed}\n{findings}");
    }
    let all = "SELECT id, customer_id, qty, code, part_of FROM orders ORDER BY id;\
        SELECT * FROM lines; SELECT * FROM customers; SELECT id, name FROM big; SELECT * FROM log;";
    let before = call(folder, "sqlite3", &["shop.db", all]);
    call(folder, lockwise, &[&["apply", "--yes"], &url[..]].concat());
    assert_eq!(call(folder, "sqlite3", &["shop.db", all]), before, "{fixed}");

    let mut wanted = SHOP.to_owned();
    for (from, to) in edits {
        assert!(wanted.contains(from), "{from}");
        wanted = wanted.replace(from, to);
    }
    call(folder, "sqlite3", &["wanted.db", &wanted]);
    assert_eq!(described(folder, "shop.db"), described(folder, "wanted.db"), "{fixed}");

    let checks = "PRAGMA foreign_key_check; PRAGMA integrity_check;";
    assert_eq!(call(folder, "sqlite3", &["shop.db", checks]), "ok\n", "{fixed}");
    let works = "PRAGMA foreign_keys = ON;\
        INSERT INTO orders (customer_id, note, qty) VALUES (2, 'new', 7);\
        SELECT max(id) FROM orders; SELECT name FROM big WHERE note = 'new';\
        SELECT what FROM log WHERE what LIKE '%new';\
        INSERT INTO lines (order_id) VALUES (10); SELECT qty FROM orders WHERE id = 10;\
        DELETE FROM orders WHERE id = 10; SELECT count(*) FROM lines;";
    assert_eq!(
        call(folder, "sqlite3", &["shop.db", works]),
        "10\nBo\norder; new\n8\n3\n",
        "{fixed}"
    );
    kinds
}

#[test]
fn a_table_that_is_built_anew_keeps_what_is_on_it_and_around_it() {
    let note = "note TEXT COLLATE NOCASE DEFAULT ('a' || 'b')";
    let required = "note TEXT COLLATE NOCASE NOT NULL DEFAULT ('a' || 'b')";
    let proven =
        rebuilt("ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n", &[(note, required)]);
    all_proven((ServerKind::Sqlite, 3), &proven);
    let key = "CONSTRAINT one_note UNIQUE (customer_id, note DESC)";
    rebuilt(
        "ALTER TABLE orders ADD CONSTRAINT few CHECK (qty < 100);\n",
        &[(
            key,
            "CONSTRAINT one_note UNIQUE (customer_id, note DESC), CONSTRAINT few CHECK (qty < 100)",
        )],
    );
    rebuilt("ALTER TABLE orders DROP CONSTRAINT one_note;\n", &[(&format!(",\n{key}"), "")]);
    rebuilt(
        "ALTER TABLE orders ALTER COLUMN qty TYPE numeric(10, 2);\n",
        &[("qty INTEGER CONSTRAINT", "qty NUMERIC(10, 2) CONSTRAINT")],
    );
}

/// DROP TABLE deletes the rows first where foreign keys are enforced, and sqlx enforces them in the
/// transaction it opens.
#[test]
fn a_table_that_others_reference_is_not_built_anew_under_enforced_keys() {
    let server = Server::of(ServerKind::Sqlite);
    let given = "CREATE TABLE parent (id INTEGER PRIMARY KEY, a COLLATE NOCASE);\n\
                 CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent(id));";
    let change = "ALTER TABLE parent ALTER COLUMN a SET NOT NULL;";
    let files = [("0001_before_sqlite.sql", given), ("0002_change_sqlite.sql", change)];
    let (_, refused) = fixed(&migrations(Convention::Sqlx, &files, server));
    assert!(refused.is_empty(), "{refused:?}");
    let (_, offered) = fixed(&migrations(Convention::Lockwise, &files, server));
    let text = format!("{offered:?}");
    assert!(text.contains("a COLLATE NOCASE NOT NULL"), "{text}");
}
