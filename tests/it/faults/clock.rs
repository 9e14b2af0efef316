//! The clock of the machine jumps by an hour, back by two, and stands still (TST-11): tokens and leases may end early or
//! late, but nothing acknowledged is lost.

use kernel::{Clock as _, SystemClock};
use standalone::services::SERVICES;
use testkit::system::Store;
use tests::scene::{Scene, Stage};
use tests::verdict::{connect, texts};

use super::{Harmed, SOME};

#[tokio::test(flavor = "multi_thread")]
async fn tst_11_a_clock_that_jumps_and_stands_still_loses_nothing_sqlite() -> anyhow::Result<()> {
    harm(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_11_a_clock_that_jumps_and_stands_still_loses_nothing_postgres() -> anyhow::Result<()> {
    harm(Store::Postgres).await
}

async fn harm(store: Store) -> anyhow::Result<()> {
    let (place, mut scene) = Scene::make(store, Stage::Voting).await?;
    // Vouchers that end early are rightly refused; here nothing may be.
    scene.paper_voters.clear();
    let file = place.folder().join("clock");
    let set = |text: &str| std::fs::write(&file, text);
    set("0")?;
    let how = scene.start().with_environment("CLOCK_FAULT", &file.display().to_string());
    let mut harmed = Harmed::start_as(place, scene, &how).await?;
    let still = format!("={}", SystemClock.now().as_micros());
    for wrong in ["3600", "-3600", &still, "0"] {
        set(wrong)?;
        harmed.load.more(SOME).await?;
        for service in SERVICES {
            is_shown(&harmed, service.name, wrong).await?;
        }
    }
    // NATS comes and goes while the clock is wrong: pauses and ages are measured with it.
    set("3600")?;
    harmed.place.nats.restart()?;
    harmed.load.more(SOME).await?;
    set("0")?;
    harmed.end().await
}

/// Whether the answers that a service has stored bear the wrong time: later than any clock shows, earlier than anything
/// happened, several at one moment.
async fn is_shown(harmed: &Harmed, service: &str, wrong: &str) -> anyhow::Result<()> {
    let now = SystemClock.now().as_micros();
    let nearly = 3_500_000_000;
    let stored = match wrong {
        "3600" => format!("created_at > {}", now + nearly),
        "-3600" => format!("created_at < {}", now - nearly),
        "0" => return Ok(()),
        still => format!("created_at = {}", still.trim_start_matches('=')),
    };
    let connection = connect(&harmed.place, service).await?;
    let question = format!("SELECT CAST(COUNT(*) AS TEXT) FROM command_log WHERE {stored}");
    let count = texts(&connection, &question).await?;
    connection.close().await?;
    anyhow::ensure!(
        count.first().and_then(|count| count.parse::<u64>().ok()) > Some(1),
        "{service}: {count:?} answers bear the time of a clock that is told {wrong:?}"
    );
    Ok(())
}
