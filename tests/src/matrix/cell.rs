//! One cell: a process dies at one passage of one point.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt as _;
use kernel::Ids;
use proto::forums::{CloseVotingRequest, CountBallotsRequest, ElectionState, GetElectionRequest};
use standalone::client::{Account, Server};
use testkit::program::Program;
use testkit::system::Store;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::held;
use super::points::{Point, Way};
use super::templates::{Template, Templates};
use crate::load::{Done, Load, insist};
use crate::operation;
use crate::place::{Place, Start};
use crate::scene::{COUNTING, Scene, Stage};
use crate::verdict::{drained, judge};

/// Answered commands before the point is armed, and after the process has come back.
const SOME: u64 = 24;
/// How long a process may take to die once the way to its point is gone.
const DEATH: Duration = Duration::from_secs(45);
/// How long a cell may take, which is several times what it takes on a loaded machine.
const LONGEST: Duration = Duration::from_secs(150);
/// File in which the process says at which point it dies.
const TOLD: &str = "told";

/// A death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Where.
    pub point: Point,
    /// At which passage, from 1.
    pub passage: u32,
    /// On which database.
    pub store: Store,
}

/// How a cell ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// The process died there and everything is as it must be.
    Green(Done),
    /// What is not as it must be.
    Red(String),
    /// There was no time left.
    NotTried,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passage {} {}", self.point.name, self.passage, self.database())
    }
}

impl Cell {
    /// The database as the command line names it.
    #[must_use]
    pub fn database(&self) -> &'static str {
        match self.store {
            Store::Sqlite => "sqlite",
            Store::Postgres => "postgres",
        }
    }

    /// Runs it.
    pub async fn run(&self, templates: &Templates) -> Ended {
        let ended = async {
            let stage = match self.point.way {
                // By the day of voting most events are too old to be missed in the streams.
                Way::Announcement | Way::EmptyStreams => Stage::Founded,
                _ => Stage::Voting,
            };
            let template = templates.of(self.store, stage).await.context("make the template")?;
            let place = template.place.copy(self.point.way != Way::EmptyStreams).await.context("copy it")?;
            let done = self.run_in(&place, template).await;
            // A red cell keeps nothing: its command repeats it.
            place.remove().await?;
            done
        };
        match tokio::time::timeout(LONGEST, ended).await {
            Ok(Ok(done)) => Ended::Green(done),
            Ok(Err(error)) => Ended::Red(format!("{error:#}")),
            Err(_) => Ended::Red(format!("it had not ended after {LONGEST:?}")),
        }
    }

    async fn run_in(&self, place: &Place, template: &Template) -> anyhow::Result<Done> {
        let mut scene = template.scene.clone();
        if self.point.way == Way::Count {
            // Papers that no officer has entered would hold up the count.
            scene.paper_voters.clear();
        }
        let server = place.server()?;
        if self.point.way == Way::Poison {
            operation::poison(place, 3).await.context("publish poison")?;
        }
        let armed = place.folder().join("armed");
        let counts_from_load = matches!(self.point.way, Way::Load | Way::Thief);
        let told = place.folder().join(TOLD).display().to_string();
        let how = scene.start().with_environment("FAILPOINTS", &self.plan());
        let mut how = how.with_environment("FAILPOINTS_TOLD", &told);
        if counts_from_load {
            how = how.with_environment("FAILPOINTS_AFTER", &armed.display().to_string());
        }
        let victim = place.start(&how)?;
        let mut load = Load::start("one", &server, &scene);
        if counts_from_load {
            load.more(SOME).await.context("before the point is armed")?;
            std::fs::write(&armed, "")?;
        }
        let thief = if self.point.way == Way::Thief { Some(steal(&place.nats.url()).await?) } else { None };
        match self.point.way {
            Way::Announcement => self.announce(place, &server, &scene, victim, load).await,
            Way::Count => self.count(place, &server, &scene, victim, load).await,
            _ => {
                self.dies(place, victim).await?;
                drop(thief);
                operation::end_leases(place).await?;
                let program = place.run(&scene.start()).await.context("start it again")?;
                load.more(SOME).await.context("after the start")?;
                let done = load.stop().await?;
                self.end(place, &server, &scene, program, &done).await?;
                Ok(done)
            }
        }
    }

    /// Waits until everything has arrived, ends the process and judges.
    async fn end(
        &self,
        place: &Place,
        server: &Server,
        scene: &Scene,
        program: Program,
        done: &Done,
    ) -> anyhow::Result<()> {
        drained(server, scene).await?;
        if self.point.way == Way::Poison {
            let dismissed = operation::dismiss_all(server, scene).await.context("dismiss the poison")?;
            // membership reads all three, proposals the two foundings.
            anyhow::ensure!(dismissed == 5, "{dismissed} poison events were parked, not 5");
        }
        program.stop()?;
        judge(place, scene, done, &[]).await
    }

    /// Waits until the process has died, and of this.
    async fn dies(&self, place: &Place, mut victim: Program) -> anyhow::Result<()> {
        let told = place.folder().join(TOLD);
        if self.point.is_held {
            held::until_seen(place, &told, &mut victim, DEATH).await?;
            victim.kill();
        } else {
            let ended = victim.ended(DEATH).await;
            anyhow::ensure!(ended, "the point was never reached; its log:\n{}", victim.log());
            anyhow::ensure!(victim.was_killed(), "it ended by itself; its log:\n{}", victim.log());
        }
        let told = std::fs::read_to_string(&told).context("it died without a word, of something else")?;
        let name = told.lines().next().unwrap_or_default();
        anyhow::ensure!(name == self.point.name, "it died at {name:?}");
        Ok(())
    }

    /// What `fail` is told.
    fn plan(&self) -> String {
        let name = self.point.name;
        match self.passage {
            1 => format!("{name}=return"),
            later => format!("{name}={}*off->return", later - 1),
        }
    }

    async fn announce(
        &self,
        place: &Place,
        server: &Server,
        scene: &Scene,
        victim: Program,
        mut load: Load,
    ) -> anyhow::Result<Done> {
        load.more(SOME).await?;
        let officer = server.resume(scene.officer.clone());
        let key = Ids::system().uuid().to_string();
        // The process dies on what follows from the announcement, at the latest when that has been answered.
        let announcement = scene.announcement();
        let announcing = insist(&officer, &key, &announcement, &|who: Account, request| async move {
            who.elections().announce_election(request).await
        });
        let (announced, dead) = tokio::join!(announcing, self.back_from_death(place, scene.start(), victim));
        let election = announced?.0.election.context("an election")?;
        let program = dead?;
        load.more(SOME).await.context("after the start")?;
        let done = load.stop().await?;
        drained(server, scene).await?;
        let constituencies = look(server, &election.election_id).await?.constituencies;
        let eligible: u32 = constituencies.iter().map(|one| one.eligible).sum();
        anyhow::ensure!(eligible == 127, "{eligible} people are on the frozen roll, not 127");
        self.end(place, server, scene, program, &done).await?;
        Ok(done)
    }

    async fn count(
        &self,
        place: &Place,
        server: &Server,
        scene: &Scene,
        victim: Program,
        mut load: Load,
    ) -> anyhow::Result<Done> {
        load.more(SOME * 4).await?;
        let mut done = load.stop().await?;
        // Nobody votes any more; everything else goes on during the count.
        let nobody = Scene { election: String::new(), ..scene.clone() };
        let mut load = Load::start("two", server, &nobody);
        operation::set_clock(server, scene, COUNTING).await?;
        let officer = server.resume(scene.officer.clone());
        let close = CloseVotingRequest { forum_id: scene.forum.clone(), election_id: scene.election.clone() };
        let key = || Ids::system().uuid().to_string();
        let call = |who: Account, request| async move { who.elections().close_voting(request).await };
        insist(&officer, &key(), &close, &call).await?;
        let count = CountBallotsRequest {
            forum_id: scene.forum.clone(),
            election_id: scene.election.clone(),
            board_private_key: scene.board_private.clone(),
        };
        let key = key();
        let counting = insist(&officer, &key, &count, &|who: Account, request| async move {
            who.elections().count_ballots(request).await
        });
        let (counted, dead) =
            tokio::join!(counting, self.back_from_death(place, Start::at(COUNTING), victim));
        counted?;
        let program = dead?;
        load.more(SOME).await.context("after the start")?;
        done.add(load.stop().await?);
        drained(server, scene).await?;
        let election = look(server, &scene.election).await?;
        anyhow::ensure!(election.state() != ElectionState::Counting, "the election is not counted");
        self.end(place, server, scene, program, &done).await?;
        Ok(done)
    }

    /// Waits for the death and starts the services again.
    async fn back_from_death(&self, place: &Place, how: Start, victim: Program) -> anyhow::Result<Program> {
        self.dies(place, victim).await?;
        operation::end_leases(place).await?;
        place.run(&how).await.context("start it again")
    }
}

async fn look(server: &Server, election_id: &str) -> anyhow::Result<proto::forums::Election> {
    let request = GetElectionRequest { election_id: election_id.to_owned() };
    server.public().elections().get_election(request).await?.into_inner().election.context("an election")
}

/// Another client of NATS takes messages of every consumer away and acknowledges them, until the answer is dropped.
async fn steal(url: &str) -> anyhow::Result<DropGuard> {
    let context = async_nats::jetstream::new(async_nats::connect(url).await?);
    let stop = CancellationToken::new();
    for service in standalone::services::SERVICES {
        let stream = context.get_stream(format!("EVT_{}", service.name.to_uppercase())).await?;
        let mut names = stream.consumer_names();
        while let Some(name) = names.next().await {
            let consumer: async_nats::jetstream::consumer::PullConsumer =
                stream.get_consumer(&name?).await.map_err(anyhow::Error::from_boxed)?;
            let theft = async move {
                let mut messages = consumer.stream().max_messages_per_batch(1).messages().await?;
                while let Some(message) = messages.next().await {
                    message?.ack().await.map_err(anyhow::Error::from_boxed)?;
                }
                anyhow::Ok(())
            };
            let stop = stop.clone();
            // What cannot be stolen is taken by the projector; then the point is not reached and the cell red.
            tokio::spawn(async move { stop.run_until_cancelled(theft).await });
        }
    }
    Ok(stop.drop_guard())
}
