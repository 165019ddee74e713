//! What goes on around a migration: replicas that fall behind, a vacuum that does not give way.

use crate::backfill::counters;
use crate::own::Own;
use crate::support::{Answer, Kind, Project};

/// Runs a back-fill while the replica is held up, and lets it go on once the run waits for it.
#[track_caller]
fn waits_for_the_replica(project: &Project, hold: &dyn Fn(), release: &dyn Fn(), who: &str) {
    counters(project, 400);
    project.write(
        "0002_fill.sql",
        "-- lockwise: batch key=id size=10 pause=200ms max_lag=1s\nUPDATE counters SET n = n + 1;\n",
    );
    hold();
    let mut run = project.start(&["apply", "--yes"]);
    let mut lines = std::io::BufReader::new(run.stderr.take().unwrap());
    let mut heard = String::new();
    while !heard.contains("waiting for the replica") {
        let read = std::io::BufRead::read_line(&mut lines, &mut heard).unwrap();
        assert!(read > 0, "it does not wait for the replica: {heard}");
    }
    assert!(heard.contains(who), "{heard}");
    let state = "SELECT min(n), max(n) FROM counters";
    assert_eq!(project.query(state), ["0|1"], "it waits in the middle");
    release();
    std::io::Read::read_to_string(&mut lines, &mut heard).unwrap();
    let answer = Answer::of(&run.wait_with_output().unwrap());
    assert_eq!(answer.code, Some(0), "{heard} {}", answer.all());
    assert_eq!(project.query(state), ["1|1"]);
}

#[test]
fn f10_postgres_a_back_fill_waits_for_a_replica_that_is_behind() {
    let primary = Own::postgres(&["wal_level=replica", "wal_sender_timeout=60s"]);
    let replica = Own::postgres_replica(&primary);
    let project = Project::on(Kind::Postgres, primary.url.clone());
    project.wait_for("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'");
    let replay = |word: &str| {
        crate::support::Session::open(&replica.url)
            .query(&format!("SELECT pg_wal_replay_{word}()"));
    };
    waits_for_the_replica(&project, &|| replay("pause"), &|| replay("resume"), "walreceiver");
}

#[test]
fn f10_mariadb_a_back_fill_waits_for_a_replica_that_is_behind() {
    let (primary, replica) = (Own::mariadb(1), Own::mariadb(2));
    replica.follow(&primary);
    let project = Project::on(Kind::Mariadb, primary.url.clone());
    project.config(&format!("[runner]\nreplicas = [\"{}\"]\n", replica.url));
    let held = std::cell::RefCell::new(crate::support::Session::open(&replica.url));
    let hold = || held.borrow_mut().execute("FLUSH TABLES WITH READ LOCK");
    let release = || held.borrow_mut().execute("UNLOCK TABLES");
    waits_for_the_replica(&project, &hold, &release, "127.0.0.1");
}

#[test]
fn f10_a_plan_names_a_replica_that_is_behind_and_a_slot_that_nobody_reads() {
    let primary = Own::postgres(&["wal_level=replica"]);
    let replica = Own::postgres_replica(&primary);
    let project = Project::on(Kind::Postgres, primary.url.clone());
    project.write("0001_a.sql", "CREATE TABLE a (id int);\n");
    project.expect(0, &["plan"]).says("no replica is behind").says("no idle replication slot");
    project.wait_for("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'");
    crate::support::Session::open(&replica.url).query("SELECT pg_wal_replay_pause()");
    project.query("SELECT pg_create_physical_replication_slot('forgotten', true)");
    project.execute(&["CREATE TABLE filler AS SELECT repeat('x', 1000) FROM \
         generate_series(1, 40000)"]);
    let answer = project.expect(0, &["plan"]);
    answer.says("replica walreceiver is").says("behind");
    answer.says("slot forgotten is idle and keeps");
    project.query("SELECT pg_drop_replication_slot('forgotten')");
}

#[test]
fn f11_a_wraparound_vacuum_is_named_and_waited_for() {
    let own = Own::postgres(&["autovacuum_naptime=1s"]);
    let project = Project::on(Kind::Postgres, own.url.clone());
    // The only vacuum it gets is the one that cannot be switched off: a page in 100 ms.
    project.write(
        "0001_a.sql",
        "CREATE TABLE a (id int, t text) WITH (autovacuum_enabled = false, \
         autovacuum_freeze_max_age = 100000, \
         autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);\n\
         INSERT INTO a SELECT i, repeat('x', 1000) FROM generate_series(1, 3000) i;\n",
    );
    project.expect(0, &["apply", "--yes"]);
    project.execute(&["DO $$ BEGIN FOR i IN 1..110000 LOOP PERFORM txid_current(); COMMIT; \
         END LOOP; END $$"]);
    let vacuum = "FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' \
                  AND query LIKE '%public.a (to prevent wraparound)'";
    project.wait_for(&format!("SELECT 1 {vacuum}"));
    project.config("[runner]\nlock_timeout = \"1s\"\nretries = 1\n");
    project.write("0002_b.sql", "ALTER TABLE a ADD COLUMN b int;\n");
    let answer = project.expect(3, &["apply", "--yes"]);
    answer.says("it does not give way to DDL").says("gave up at statement 1 of 1");
    answer.says("in the way: session").says("(to prevent wraparound)");
    assert_eq!(project.query(&format!("SELECT count(*) {vacuum}")), ["1"], "it was left alone");
    // Who is next in the queue gets the lock before another vacuum does.
    let url = project.url.clone();
    let next = std::thread::spawn(move || {
        let hurry = "ALTER TABLE a SET (autovacuum_vacuum_cost_delay = 0)";
        crate::support::Session::open(&url).execute(hurry);
    });
    project.wait_for("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'a'::regclass");
    project.query(&format!("SELECT pg_terminate_backend(pid) {vacuum}"));
    next.join().unwrap();
    project.config("[runner]\nlock_timeout = \"2s\"\n");
    project.expect(0, &["apply", "--yes"]).says("applied: 0002");
}
