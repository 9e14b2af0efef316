//! The database goes away, is locked or full, and clients hang up in the middle (TST-06).

use std::time::Duration;

use proto::membership::RegisterServiceUnitRequest;
use sea_orm::ConnectionTrait as _;
use standalone::services::SERVICES;
use testkit::postgres::Cluster;
use testkit::system::Store;
use testkit::{eventually, not_run};
use tests::load::charter;
use tests::place::{Place, sqlite};
use tests::scene::{Scene, Stage};
use tests::verdict::{connect, texts};
use tonic::Code;

use super::disk::SmallDisk;
use super::{Harmed, PATIENCE, SOME};

/// Cuts every connection that is in a transaction, and says of each whether it had written in it.
const CUT: &str = "SELECT CASE WHEN pg_terminate_backend(pid) AND backend_xid IS NOT NULL THEN 'writing' ELSE 'reading' END \
     FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
/// Transactions that were left open in the databases of a service.
const LEFT_OPEN: &str = "SELECT application_name FROM pg_stat_activity \
     WHERE datname = current_database() AND state LIKE 'idle in transaction%'";

#[tokio::test(flavor = "multi_thread")]
async fn tst_06_a_postgresql_that_stops_at_once_loses_nothing() -> anyhow::Result<()> {
    let mut cluster = Cluster::start()?;
    let mut databases = Vec::new();
    for service in SERVICES {
        databases.push((service.name, cluster.create_database().await?));
    }
    let place = Place::on(Store::Postgres, tempfile::tempdir()?, databases)?;
    let scene = Scene::make_in(&place, Stage::Voting).await?;
    let mut harmed = Harmed::start_in(place, scene).await?;
    for _ in 0..3 {
        cluster.crash()?;
        cluster.restart()?;
        harmed.load.more(SOME).await?;
    }
    harmed.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_06_connections_cut_in_the_middle_of_commits_lose_nothing() -> anyhow::Result<()> {
    let mut harmed = Harmed::start(Store::Postgres).await?;
    for round in 0..20 {
        let connection = connect(&harmed.place, SERVICES[round % SERVICES.len()].name).await?;
        // Until one was cut that had written and not committed yet.
        let cut = async || texts(&connection, CUT).await.unwrap_or_default();
        eventually(PATIENCE, async || cut().await.iter().any(|what| what == "writing")).await;
        connection.close().await?;
        harmed.load.more(SOME / 10).await?;
    }
    harmed.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_06_a_thousand_clients_that_hang_up_leave_no_transaction_open_postgres() -> anyhow::Result<()> {
    hang_up(Store::Postgres).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_06_a_thousand_clients_that_hang_up_leave_no_transaction_open_sqlite() -> anyhow::Result<()> {
    hang_up(Store::Sqlite).await
}

async fn hang_up(store: Store) -> anyhow::Result<()> {
    let mut harmed = Harmed::start(store).await?;
    let administrator = harmed.server.resume(harmed.scene.administrator.clone());
    for number in 0..1000_u64 {
        let unit = RegisterServiceUnitRequest {
            tenant: "19".to_owned(),
            name: format!("Kesken jäänyt {number}"),
            kind: 2,
            municipality: "139".to_owned(),
        };
        // Some before they are sent, some in the queue, some in the transaction, some answered.
        let patience = Duration::from_micros(number * 37 % 9000);
        let mut tenancy = administrator.tenancy();
        let _ = tokio::time::timeout(patience, tenancy.register_service_unit(unit)).await;
    }
    // On SQLite, where there is one connection that writes, nothing more would be stored.
    for service in SERVICES.iter().filter(|_| store == Store::Postgres) {
        let connection = connect(&harmed.place, service.name).await?;
        // A transaction under way is between two statements for a moment; one that was left open stays.
        eventually(Duration::from_secs(9), async || {
            texts(&connection, LEFT_OPEN).await.is_ok_and(|open| open.is_empty())
        })
        .await;
        connection.close().await?;
    }
    harmed.load.more(SOME).await?;
    harmed.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_06_a_sqlite_file_locked_by_another_loses_nothing() -> anyhow::Result<()> {
    let harmed = Harmed::start(Store::Sqlite).await?;
    let connection = connect(&harmed.place, "forums").await?;
    let administrator = harmed.server.resume(harmed.scene.administrator.clone());
    connection.execute_unprepared("BEGIN IMMEDIATE").await?;
    // The fault lasts until a command is given up.
    let refused = administrator.forums().found_forum(charter("19", "Lukittuna")).await;
    let code = refused.err().map(|status| status.code());
    anyhow::ensure!(
        matches!(code, Some(Code::Unavailable | Code::DeadlineExceeded)),
        "a command in a locked file ended with {code:?}"
    );
    connection.execute_unprepared("ROLLBACK").await?;
    connection.close().await?;
    harmed.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_06_a_full_disk_refuses_and_loses_nothing_sqlite() -> anyhow::Result<()> {
    // Room for the databases of an election and little more.
    let Some(disk) = small_disk("24m") else { return Ok(()) };
    let databases =
        SERVICES.iter().map(|service| (service.name, sqlite(disk.path(), service.name))).collect();
    let place = Place::on(Store::Sqlite, tempfile::tempdir()?, databases)?;
    let scene = Scene::make_in(&place, Stage::Voting).await?;
    let mut harmed = Harmed::start_in(place, scene).await?;
    let ballast = disk.fill()?;
    until_refused(&harmed).await;
    std::fs::remove_file(ballast)?;
    harmed.load.more(SOME).await?;
    harmed.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_06_a_full_disk_refuses_and_loses_nothing_postgres() -> anyhow::Result<()> {
    let Some(disk) = small_disk("224m") else { return Ok(()) };
    let cluster = Cluster::start_in(disk.path())?;
    let mut databases = Vec::new();
    for service in SERVICES {
        databases.push((service.name, cluster.create_database().await?));
    }
    let place = Place::on(Store::Postgres, tempfile::tempdir()?, databases)?;
    let scene = Scene::make_in(&place, Stage::Voting).await?;
    let mut harmed = Harmed::start_in(place, scene).await?;
    let ballast = disk.fill()?;
    until_refused(&harmed).await;
    std::fs::remove_file(ballast)?;
    harmed.load.more(SOME).await?;
    harmed.end().await
}

fn small_disk(size: &str) -> Option<SmallDisk> {
    let disk = SmallDisk::mount(size);
    if let Err(error) = &disk {
        not_run("TST-06, a full disk", &format!("a small disk cannot be mounted here: {error:#}"));
    }
    disk.ok()
}

/// Waits until a command is refused because the disk is full; its client may come again.
async fn until_refused(harmed: &Harmed) {
    let administrator = harmed.server.resume(harmed.scene.administrator.clone());
    let mut tenancy = administrator.tenancy();
    let unit = RegisterServiceUnitRequest {
        tenant: "19".to_owned(),
        name: "Täydellä levyllä".to_owned(),
        kind: 2,
        municipality: "139".to_owned(),
    };
    eventually(PATIENCE, async || {
        let answer = tenancy.register_service_unit(unit.clone()).await;
        answer.is_err_and(|status| status.code() == Code::ResourceExhausted)
    })
    .await;
}
