//! What a system stands on breaks under load, and everything must be as its clients were told afterwards: real
//! processes, real servers, on both databases. Each test shows that the fault took place before it judges: that events
//! could not be published, that answers bear the wrong time, that another copy leads, that a broker has less than was
//! published.
//!
//! | file | what breaks |
//! | --- | --- |
//! | `outage.rs` | nats-server is killed, frozen, absent (TST-04) |
//! | `betrayal.rs` | nats-server loses what it acknowledged (TST-05) |
//! | `database.rs` | PostgreSQL stops, connections are cut, SQLite is locked, the disk is full, clients hang up (TST-06) |
//! | `poison.rs` | events that cannot be taken (TST-08) |
//! | `zombie.rs` | a leader freezes and comes back (TST-09) |
//! | `network.rs` | the network is cut in both directions and in one; one of three nats-servers is gone (TST-10) |
//! | `clock.rs` | the clock jumps and stands still (TST-11) |
//! | `crowd.rs` | the services are killed while 64 clients support and compare |
//!
//! The crash matrix (TST-03) is a program, `infra/crash-matrix`; `points.rs` checks its list against the source.

mod betrayal;
mod clock;
mod crowd;
mod database;
mod disk;
mod network;
mod outage;
mod points;
mod poison;
mod zombie;

use std::time::Duration;

use standalone::client::Server;
use standalone::services::SERVICES;
use testkit::eventually;
use testkit::program::Program;
use testkit::system::Store;
use tests::load::Load;
use tests::place::Place;
use tests::scene::{Scene, Stage};
use tests::verdict::{connect, drained, judge, texts};

/// How long a fault may take to show on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Answered commands between one harm and the next.
const SOME: u64 = 60;

/// How long an event must have waited to be published, or there was no outage: longer than the relay waits for an
/// answer.
const OUT: Duration = Duration::from_secs(6);
/// How long the oldest event that is not published has waited when the newest was stored, microseconds.
const WAITED: &str = "SELECT CAST(COALESCE(MAX(e.occurred_at) - \
     MIN(CASE WHEN e.seq > h.published_seq THEN e.occurred_at END), 0) AS TEXT) \
     FROM event_log e JOIN event_head h ON h.lane = e.lane";

/// Says what a test did.
#[expect(clippy::print_stdout, reason = "tests tell people")]
fn tell(text: &str) {
    println!("{text}");
}

/// A system under load, to harm.
struct Harmed {
    place: Place,
    scene: Scene,
    server: Server,
    load: Load,
    /// None while the services do not run.
    program: Option<Program>,
}

impl Harmed {
    /// A system on the first morning of voting, with clients at work.
    async fn start(store: Store) -> anyhow::Result<Self> {
        let (place, scene) = Scene::make(store, Stage::Voting).await?;
        Self::start_in(place, scene).await
    }

    async fn start_in(place: Place, scene: Scene) -> anyhow::Result<Self> {
        let start = scene.start();
        Self::start_as(place, scene, &start).await
    }

    async fn start_as(place: Place, scene: Scene, how: &tests::place::Start) -> anyhow::Result<Self> {
        let program = Some(place.run(how).await?);
        let server = place.server()?;
        let mut load = Load::start("one", &server, &scene);
        load.more(SOME).await?;
        Ok(Self { place, scene, server, load, program })
    }

    /// Kills the services and starts them again.
    async fn kill_and_start(&mut self) -> anyhow::Result<()> {
        self.program.take().into_iter().for_each(Program::kill);
        self.program = Some(self.place.run(&self.scene.start()).await?);
        Ok(())
    }

    /// Waits until an outage of NATS shows: clients have gone on working, and of each service an event has been waiting
    /// for [`OUT`].
    async fn until_out(&mut self) -> anyhow::Result<()> {
        for service in SERVICES {
            let connection = connect(&self.place, service.name).await?;
            eventually(PATIENCE, async || {
                let waited = texts(&connection, WAITED).await.unwrap_or_default();
                waited.first().and_then(|us| us.parse().ok()) >= Some(OUT.as_micros())
            })
            .await;
            connection.close().await?;
        }
        self.load.more(SOME / 4).await
    }

    /// Lets clients work on, waits until everything has arrived, stops and judges.
    async fn end(self) -> anyhow::Result<()> {
        self.end_with(&[]).await
    }

    /// The same with flags of the ledger check.
    async fn end_with(mut self, flags: &[&str]) -> anyhow::Result<()> {
        self.load.more(SOME).await?;
        let done = self.load.stop().await?;
        drained(&self.server, &self.scene).await?;
        self.program.take().map_or(Ok(()), Program::stop)?;
        judge(&self.place, &self.scene, &done, flags).await?;
        tell(&done.to_string());
        Ok(())
    }
}
