//! nats-server is away: writing goes on, and everything arrives when it is back (TST-04).

use testkit::system::Store;

use super::{Harmed, SOME};

#[tokio::test(flavor = "multi_thread")]
async fn tst_04_nats_killed_frozen_and_absent_at_start_sqlite() -> anyhow::Result<()> {
    harm(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_04_nats_killed_frozen_and_absent_at_start_postgres() -> anyhow::Result<()> {
    harm(Store::Postgres).await
}

async fn harm(store: Store) -> anyhow::Result<()> {
    let mut harmed = Harmed::start(store).await?;
    // Gone for a moment, and for long.
    harmed.place.nats.kill();
    harmed.load.more(SOME / 4).await?;
    harmed.place.nats.restart()?;
    harmed.load.more(SOME / 4).await?;
    harmed.place.nats.kill();
    harmed.until_out().await?;
    harmed.place.nats.restart()?;
    harmed.load.more(SOME / 4).await?;
    harmed.place.nats.pause()?;
    harmed.until_out().await?;
    harmed.place.nats.resume()?;
    harmed.load.more(SOME).await?;
    // The services start again and again while there is no nats-server at all.
    harmed.place.nats.kill();
    for _ in 0..3 {
        harmed.kill_and_start().await?;
        harmed.load.more(SOME / 4).await?;
    }
    harmed.until_out().await?;
    harmed.place.nats.restart()?;
    harmed.end().await
}
