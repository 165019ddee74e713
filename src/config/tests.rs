//! Every key of lockwise.toml, and every way to mistype one.

use super::*;

#[track_caller]
fn mistakes(text: &str) -> Vec<String> {
    let errors = Config::parse("lockwise.toml", text).unwrap_err();
    let line = |error: ConfigError| match &error.hint {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    };
    errors.into_iter().map(line).collect()
}

#[test]
fn everything_is_read() {
    let text = r#"
        dir = "db/migrations"
        convention = "flyway"
        server = "mariadb"
        server_version = 10.11
        rules = ["our-rules"]
        enable = ["table-name-style"]
        fail_on = "warning"
        [rule.table-rewrite]
        severity = "note"
        ignore = ["legacy/**"]
        options = { rows = 5 }
        [runner]
        lock_timeout = "500ms"
        shadow = "off"
        [approval]
        allowed_signers = "signers"
        valid_for = "3d"
        needs = { loss = ["dba"] }
    "#;
    let config = Config::parse("lockwise.toml", text).unwrap();
    assert_eq!(config.dir.as_deref(), Some(std::path::Path::new("db/migrations")));
    assert_eq!(config.convention, Some(Convention::Flyway));
    assert_eq!(config.server_version.map(|version| version.to_string()).as_deref(), Some("10.11"));
    assert_eq!(config.fail_on, FailOn::Warning);
    assert_eq!(config.runner.lock_timeout, Duration::from_millis(500));
    assert_eq!(config.runner.shadow, Shadow::Off);
    assert_eq!(config.approval.map(|policy| policy.needs.loss), Some(vec!["dba".to_owned()]));
    let ids: Vec<&str> = config.settings.iter().map(|(id, ..)| id.as_str()).collect();
    assert_eq!(ids, ["table-name-style", "table-rewrite"]);
}

#[test]
fn every_mistake_is_told_at_once_with_the_nearest_name() {
    let text = "sever = \"mysql\"\nserver = \"postgre\"\nserver_version = \"new\"\n\
                [runner]\nlock_timeout = \"2 seconds\"\nretrys = 3\n\
                [rule.x]\nseverity = \"loud\"\n[approval]\nallowed_signer = \"a\"\n";
    assert_eq!(
        mistakes(text),
        [
            "lockwise.toml:1:1: unknown key in lockwise.toml \"sever\" (write server)",
            "lockwise.toml:2:10: unknown server \"postgre\" (write postgres)",
            "lockwise.toml:3:18: \"new\" is not a server version: write for example 15, 8.0.36 or \
             10.11",
            "lockwise.toml:5:16: lock_timeout is no span of time: \"2 seconds\" (write it like \
             500ms, 2s, 5m or 1h)",
            "lockwise.toml:6:1: unknown key in [runner] \"retrys\" (write retries)",
            "lockwise.toml:8:12: unknown severity \"loud\" (use one of: off, on, note, warning, \
             error)",
            "lockwise.toml:10:1: unknown key in [approval] \"allowed_signer\" (write \
             allowed_signers)",
        ]
    );
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let errors = mistakes("dir = \"a\nserver = 1\n");
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("lockwise.toml:1:"), "{errors:?}");
}

#[test]
fn an_unknown_rule_is_told_with_its_place() {
    let config = Config::parse("lockwise.toml", "\n[rule.no-such-rule]\nseverity = \"off\"\n");
    let errors = config.unwrap().configure(&mut RuleSet::empty()).unwrap_err();
    assert_eq!(errors[0].to_string(), "lockwise.toml:2:1: there is no rule \"no-such-rule\"");
}

#[test]
fn spans_of_time() {
    assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(duration("5m"), Some(Duration::from_secs(300)));
    assert_eq!(duration("5"), None);
    assert_eq!(duration("s"), None);
    assert_eq!(duration("99999999999999999999s"), None);
}
