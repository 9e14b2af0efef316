//! Databases for tests.

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use testkit::postgres::Cluster;

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
