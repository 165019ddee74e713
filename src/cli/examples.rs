//! What `--help` says at its end: examples, exit codes, environment variables.

/// The end of the help of lockwise itself.
pub(super) const ROOT: &str = "\
Exit codes:
  0  the answer is yes, nothing blocks
  1  the answer is no: findings at or over the limit, drift, missing approval
  2  no answer: bad arguments or configuration, unreadable file, unreachable server
  3  a database was touched and the run did not finish: see `lockwise status`

Environment:
  DATABASE_URL                  the database, where --url is not given
  PGPASSWORD, PGPASSFILE        passwords of PostgreSQL
  MYSQL_PWD                     password of MySQL and MariaDB; ~/.my.cnf is read too
  NO_COLOR                      no colours
  OTEL_EXPORTER_OTLP_ENDPOINT   where spans and metrics of a run go, for example
                                http://127.0.0.1:4318";

/// Examples of each command: its name, then lines.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "lint",
        "  lockwise lint
  lockwise lint --since origin/main              what a branch adds
  lockwise lint m/0042_orders.sql --history m    one file, after all the others
  cat change.sql | lockwise lint - --server postgres --server-version 15",
    ),
    ("effects", "  lockwise effects m/0042_orders.sql --history m --format json"),
    (
        "fix",
        "  lockwise fix                 shows the safe form as a diff
  lockwise fix --write         writes it
  lockwise fix --rule create-index-blocking --write",
    ),
    ("rules", "  lockwise rules index --server postgres\n  lockwise rules --off"),
    (
        "explain",
        "  lockwise explain create-index-blocking\n  lockwise explain squawk:ban-drop-table",
    ),
    (
        "plan",
        "  lockwise plan --url postgres://deploy@db.example/shop
  lockwise plan --format html > plan.html
  lockwise plan --format markdown --out plan.json",
    ),
    (
        "approve",
        "  lockwise approve --key ~/.ssh/id_ed25519
  lockwise approve --key ~/.ssh/id_ed25519 --plan 3f2a9c01 --comment \"after the backup\"
  lockwise approve --key ~/.ssh/id_ed25519 --rollback-steps 1",
    ),
    (
        "apply",
        "  lockwise apply
  lockwise apply --yes                             in a pipeline
  lockwise apply --targets --yes                   on every database of [targets]
  lockwise apply --settle 0042.2=done --reason \"seen in the schema\"",
    ),
    ("rollback", "  lockwise rollback --steps 1\n  lockwise rollback --to 0041 --yes"),
    ("status", "  lockwise status\n  lockwise status --format json"),
    ("new", "  lockwise new \"orders by customer\""),
    ("verify", "  lockwise verify\n  lockwise verify --shadow off       files only"),
    (
        "history",
        "  lockwise history\n  lockwise history --stats\n  lockwise history --format csv > history.csv",
    ),
    ("adopt", "  lockwise adopt\n  lockwise adopt --from flyway --dir db/migration"),
    ("baseline", "  lockwise baseline --to 0041"),
    ("amend", "  lockwise amend 0041 --reason \"a comment gave a password away\""),
    ("snapshot", "  lockwise snapshot --out schema.lockwise"),
    (
        "completions",
        "  lockwise completions bash > ~/.local/share/bash-completion/completions/lockwise
  lockwise completions zsh > ~/.zfunc/_lockwise",
    ),
    ("man", "  lockwise man plan | man -l -\n  lockwise man --out ~/.local/share/man/man1"),
];

/// Adds the examples to the help of each command.
pub(super) fn add(mut root: clap::Command) -> clap::Command {
    for (name, lines) in EXAMPLES {
        let end = format!("Examples:\n{lines}");
        root = root.mut_subcommand(name, |command| command.after_long_help(end));
    }
    root
}
