//! Databases for tests.

use std::{net::TcpStream, process::Command, time::Duration};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use testkit::{eventually, postgres::Cluster};

#[tokio::test]
async fn every_test_has_a_database_of_its_own() -> anyhow::Result<()> {
    let cluster = Cluster::shared();
    let (one, other) = (cluster.create_database().await?, cluster.create_database().await?);
    assert_ne!(one, other);
    Database::connect(&one).await?.execute_unprepared("CREATE TABLE mine (id int)").await?;
    let elsewhere = Database::connect(&other).await?.execute_unprepared("SELECT * FROM mine").await;
    assert!(elsewhere.is_err(), "a table of one database must not be seen in another");
    Ok(())
}

#[tokio::test]
async fn commits_are_durable_as_in_production() -> anyhow::Result<()> {
    let database = Database::connect(Cluster::shared().create_database().await?).await?;
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let row = database
            .query_one_raw(Statement::from_string(DbBackend::Postgres, format!("SHOW {setting}")))
            .await?
            .expect("SHOW gives a row");
        assert_eq!(row.try_get_by_index::<String>(0)?, "on", "{setting}");
    }
    Ok(())
}

#[tokio::test]
async fn committed_rows_and_url_survive_a_crash() -> anyhow::Result<()> {
    let mut cluster = Cluster::start()?;
    let url = cluster.create_database().await?;
    Database::connect(&url).await?.execute_unprepared("CREATE TABLE kept AS SELECT 1 AS one").await?;
    cluster.crash()?;
    assert!(TcpStream::connect(address(&url)).is_err(), "a crashed server must not answer");
    cluster.restart()?;
    let rows = Database::connect(&url).await?.execute_unprepared("SELECT * FROM kept").await?;
    assert_eq!(rows.rows_affected(), 1);
    Ok(())
}

#[tokio::test]
async fn a_killed_run_leaves_no_server() -> anyhow::Result<()> {
    // The command tells its server's URL and kills the process that owns the server.
    let script = "echo $TESTKIT_POSTGRES_URL; kill -KILL $PPID";
    let output = Command::new(env!("CARGO_BIN_EXE_with-postgres")).args(["sh", "-c", script]).output()?;
    assert!(!output.status.success(), "with-postgres should have been killed");
    let url = String::from_utf8(output.stdout)?;
    eventually(Duration::from_secs(20), async || TcpStream::connect(address(&url)).is_err()).await;
    Ok(())
}

#[test]
fn with_postgres_ends_as_its_command_does() -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO_BIN_EXE_with-postgres")).args(["sh", "-c", "exit 7"]).status()?;
    assert_eq!(status.code(), Some(7));
    Ok(())
}

/// Host and port of a database's URL.
fn address(url: &str) -> &str {
    let behind_password = url.rsplit('@').next().expect("a URL");
    behind_password.split('/').next().expect("a host")
}
