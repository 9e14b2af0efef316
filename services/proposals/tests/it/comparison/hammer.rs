//! Many give support, take it back and compare at once, while the service is killed in the middle, twice: a process of
//! its own, killed with a signal that cannot be caught. Afterwards everything is as its clients were told.

use std::fmt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use kernel::{Ids, ProposalId};
use proto::proposals as pb;
use proto::proposals::community_service_client::CommunityServiceClient;
use proto::proposals::comparisons_service_client::ComparisonsServiceClient;
use testkit::program::Program;
use testkit::{eventually, free_port};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use super::{Round, counters_are_rows};
use crate::support::{FORUMS, MEMBERSHIP, PROPOSALS, Store, World, run};

/// Clients at once.
const CLIENTS: u16 = 64;
/// Acknowledged commands between one kill and the next.
const SOME: u64 = 400;
/// How long a client waits before it sends again.
const PAUSE: Duration = Duration::from_millis(20);
/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all clients share.
struct Shared {
    channel: Channel,
    round: String,
    proposal: ProposalId,
    stop: AtomicBool,
    answered: AtomicU64,
}

/// What one client knows in the end.
struct Known {
    supports: bool,
    compared: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_64_clients_were_told_is_stored_though_the_service_is_killed_sqlite() -> anyhow::Result<()> {
    killed_in_the_middle(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_64_clients_were_told_is_stored_though_the_service_is_killed_postgresql() -> anyhow::Result<()> {
    killed_in_the_middle(Store::Postgres).await
}

async fn killed_in_the_middle(store: Store) -> anyhow::Result<()> {
    run(store, async |world| {
        let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let round = Round::open(world, 8, false).await?;
        world.system.settle().await?;
        // From here on proposals is a process of its own on the same data.
        world.restart_as(&[MEMBERSHIP, FORUMS]).await?;
        let port = free_port()?;
        let mut program = start(world, port)?;
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.connect_lazy();
        let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
        let shared = Arc::new(Shared { channel, round: round.id.clone(), proposal, stop, answered });
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let token = world.system.directory().token("proposals", world.client(100 + number))?;
            clients.spawn(client(Arc::clone(&shared), token));
        }
        for kill in 1..=2 {
            answered_more(&shared, kill * SOME, &mut program, &mut clients).await?;
            program.kill();
            program = start(world, port)?;
        }
        answered_more(&shared, 3 * SOME, &mut program, &mut clients).await?;
        shared.stop.store(true, Ordering::Relaxed);
        let (mut supporters, mut compared) = (0, 0);
        while let Some(known) = clients.join_next().await {
            let Known { supports, compared: more } = known??;
            supporters += u64::from(supports);
            compared += more;
        }
        program.stop()?;
        world.restart_as(&[PROPOSALS, MEMBERSHIP, FORUMS]).await?;
        let log = messaging::log::verify(&world.database()?, |_| {}).await?;
        assert!(log.is_whole() && !log.whole.is_empty(), "{log:?}");
        let (now, _) = round.public(world).await?;
        assert_eq!(now.comparisons, compared, "stored is what was acknowledged");
        counters_are_rows(world).await;
        let rows = "SELECT COUNT(*) || '|' || COUNT(DISTINCT person) FROM support";
        assert_eq!(world.texts(rows).await, [format!("{supporters}|{supporters}")], "one a person");
        let kept = "SELECT SUM(supports) || '' FROM proposal_counts";
        assert_eq!(world.texts(kept).await, [supporters.to_string()], "the counter is that of the rows");
        assert!(compared >= SOME / 2, "only {compared} comparisons");
        Ok(())
    })
    .await
}

/// Starts the binary of proposals on the world's data. Clients ask until it answers.
fn start(world: &World, port: u16) -> anyhow::Result<Program> {
    let folder = world.system.folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_proposals"));
    command.envs(world.system.environment());
    command.env("OSALLISUUS_LISTEN__GRPC", format!("127.0.0.1:{port}"));
    // The day on which the round opens: a clock that was set does not outlive its process.
    command.env("OSALLISUUS_CLOCK__DEMO_START", "2026-09-21T09:00:00Z");
    Program::start(&mut command, &folder, &folder.join("proposals.log"))
}

/// Waits for so many answers.
async fn answered_more(
    shared: &Shared,
    than: u64,
    program: &mut Program,
    clients: &mut JoinSet<anyhow::Result<Known>>,
) -> anyhow::Result<()> {
    let enough = eventually(PATIENCE, async || {
        shared.answered.load(Ordering::Relaxed) >= than || !program.is_running()
    });
    tokio::select! {
        () = enough => {}
        Some(ended) = clients.join_next() => {
            let told = ended?.err();
            anyhow::bail!("a client ended: {told:?}; the log of proposals:\n{}", program.log());
        }
    }
    anyhow::ensure!(program.is_running(), "proposals ended; its log:\n{}", program.log());
    Ok(())
}

/// Gives support, takes it back and compares, until it is stopped; the last thing it was told is what it knows.
async fn client(shared: Arc<Shared>, token: String) -> anyhow::Result<Known> {
    let ids = Ids::system();
    let community = CommunityServiceClient::new(shared.channel.clone());
    let comparisons = ComparisonsServiceClient::new(shared.channel.clone());
    let proposal_id = shared.proposal.to_string();
    let mut known = Known { supports: false, compared: 0 };
    let (mut session, mut visit) = (String::new(), pb::Visit::default());
    for turn in 0_u64.. {
        if shared.stop.load(Ordering::Relaxed) {
            break;
        }
        if turn % 3 == 0 {
            let (proposal_id, community) = (proposal_id.clone(), community.clone());
            if known.supports {
                let take = pb::WithdrawSupportRequest { proposal_id };
                let call = |request| {
                    let mut client = community.clone();
                    async move { client.withdraw_support(request).await }
                };
                insist(&shared, &ids, &token, &take, call).await?;
            } else {
                let give = pb::GiveSupportRequest { proposal_id, conflict_accepted: false };
                let call = |request| {
                    let mut client = community.clone();
                    async move { client.give_support(request).await }
                };
                insist(&shared, &ids, &token, &give, call).await?;
            }
            known.supports = !known.supports;
        }
        let Some(pair) = visit.pair.clone() else {
            let start =
                pb::StartSessionRequest { round_id: shared.round.clone(), municipality: "139".to_owned() };
            let call = |request| {
                let mut client = comparisons.clone();
                async move { client.start_session(request).await }
            };
            let started = insist(&shared, &ids, "", &start, call).await?;
            (session, visit) = (started.session_token, started.visit.unwrap_or_default());
            continue;
        };
        let compare = pb::CompareRequest {
            session_token: session.clone(),
            pair_number: pair.number,
            better: pb::Side::Left.into(),
            assisted: false,
        };
        let call = |request| {
            let mut client = comparisons.clone();
            async move { client.compare(request).await }
        };
        visit = insist(&shared, &ids, "", &compare, call).await?.visit.unwrap_or_default();
        known.compared += 1;
    }
    Ok(known)
}

/// Sends a command under one key until it is answered.
async fn insist<M: Clone, T: fmt::Debug, F: Future<Output = Result<Response<T>, Status>>>(
    shared: &Shared,
    ids: &Ids,
    token: &str,
    message: &M,
    call: impl Fn(Request<M>) -> F,
) -> anyhow::Result<T> {
    let key = ids.uuid().to_string();
    let sent = tokio::time::timeout(PATIENCE, async {
        loop {
            let mut request = Request::new(message.clone());
            request.metadata_mut().insert("idempotency-key", key.parse()?);
            if !token.is_empty() {
                request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
            }
            match call(request).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => match status.code() {
                    Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::Cancelled
                    | Code::ResourceExhausted => {}
                    // Of a connection that broke; a service that answers so has details of its own.
                    Code::Unknown | Code::Internal if status.details().is_empty() => {}
                    _ => anyhow::bail!("a command was refused: {status}"),
                },
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    let answer = sent.await.context("a command was not answered")??;
    shared.answered.fetch_add(1, Ordering::Relaxed);
    Ok(answer)
}
