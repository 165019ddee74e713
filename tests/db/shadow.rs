//! Throw-away databases: own servers, guests, memory.

use lockwise::db::{Error, Shadow, ShadowOptions, Snapshot};
use lockwise::sql::{Server, ServerKind};

use crate::support::{admin, open, run};

fn options(kind: ServerKind) -> ShadowOptions {
    let mut options = ShadowOptions::of(&Snapshot::empty(Server::of(kind)));
    options.database = "shop".to_owned();
    options
}

#[test]
fn a_server_of_our_own_starts_and_leaves_nothing_behind() {
    for kind in [ServerKind::Postgres, ServerKind::Mariadb, ServerKind::Sqlite] {
        run(async {
            let mut shadow = Shadow::start(options(kind)).await.expect("a shadow");
            assert_eq!(shadow.server().kind, kind);
            let mut connection = shadow.fresh().await.expect("a database");
            connection.execute("CREATE TABLE t (id int)").await.expect("ddl");
            if kind != ServerKind::Sqlite {
                assert_eq!(connection.database(), "shop");
            }
            let mut again = shadow.fresh().await.expect("another one");
            again.execute("CREATE TABLE t (id int)").await.expect("it is empty");
            let place = again.target().to_string();
            let folder = place.split(':').nth(1).and_then(|path| path.rsplit_once('/'));
            let folder = folder.map(|(folder, _)| std::path::PathBuf::from(folder));
            shadow.stop().await.expect("stopped");
            if let Some(folder) = folder.filter(|_| kind != ServerKind::Sqlite) {
                assert!(!folder.exists(), "{folder:?}");
            }
        });
    }
}

#[test]
fn a_guest_database_is_dropped_even_without_stopping() {
    for kind in [ServerKind::Postgres, ServerKind::Mariadb] {
        run(async {
            let options = ShadowOptions { url: Some(admin(kind)), ..options(kind) };
            let mut shadow = Shadow::start(options).await.expect("a shadow");
            let mut connection = shadow.fresh().await.expect("a database");
            connection.execute("CREATE TABLE t (id int)").await.expect("ddl");
            let name = connection.database().to_owned();
            assert!(name.starts_with("lockwise_shadow_"));
            drop(shadow);
            let sql = match kind {
                ServerKind::Postgres => "SELECT count(*) FROM pg_database WHERE datname",
                _ => "SELECT count(*) FROM information_schema.schemata WHERE schema_name",
            };
            let rows = open(&admin(kind)).await.query(&format!("{sql} = '{name}'")).await;
            assert_eq!(rows.expect("count").scalar(), Some("0"));
        });
    }
}

#[test]
fn a_shadow_of_another_kind_is_refused() {
    let url = Some(admin(ServerKind::Mariadb));
    let options = ShadowOptions { url, ..options(ServerKind::Mysql) };
    let error = run(Shadow::start(options)).expect_err("refused");
    assert!(matches!(error, Error::Shadow { .. }), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("MySQL")));
}
