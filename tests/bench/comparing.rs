//! Comparing in pairs and supporting: answers acknowledged a second, how long one waits for the next pair, and how long
//! a ranking takes to compute; through gRPC, on SQLite and PostgreSQL.

mod pool;
mod scripts;
mod statements;
mod stored;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chassis::{Context, Parts, Service, StartError};
use futures::FutureExt as _;
use hdrhistogram::Histogram;
use kernel::deadline::parse_date;
use kernel::{Assurance, Caller, HeldRole, Ids, ProposalId, Role, RoundId, ScopeRef, TenantId};
use messaging::Writer;
use proposals::domain::comparison::IdeaNo;
use proposals::domain::comparison::idea::{Idea, IdeaState};
use proposals::domain::comparison::ranking::rank;
use proposals::domain::comparison::round::{Charter, Round as Comparing, RoundEvent};
use proposals::domain::comparison::sums::PairSums;
use proposals::domain::proposal::{Acting, Addressed, Category, Channel, Content, Proposal, Stage};
use proposals::store;
use proto::proposals as pb;
use proto::proposals::community_service_client::CommunityServiceClient;
use proto::proposals::comparisons_service_client::ComparisonsServiceClient;
use testkit::system::{Store, System};
use tokio::task::JoinSet;

use scripts::{compare_script, support_script, visits_script};

use crate::figures::{Round, heading, line, median, milliseconds};
use crate::{Options, pgbench};

const COUNTY: &str = "19";
/// The day on which the round is open.
const TODAY: &str = "2026-09-21T09:00:00Z";
/// Ideas of the round.
const IDEAS: IdeaNo = 60;
/// Pairs that a visit is shown.
const PAIRS: u64 = 15;
/// Comparisons of the round that is ranked.
const RANKED: u64 = 1_000_000;
/// Answers whose next pair is waited for, and rankings.
const ANSWERS: u64 = 1_000;
const RANKINGS: u64 = 20;

/// The writer of the running service, to store with.
static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

fn build(context: &Context) -> Result<Parts, StartError> {
    *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.writer.clone());
    (proposals::SERVICE.build)(context)
}

/// A system with an open round and an open proposal.
struct Contender {
    store: Store,
    system: System,
    writer: Writer,
    round: RoundId,
    proposal: ProposalId,
}

/// What is recorded.
#[derive(Clone, Copy)]
enum What {
    Comparisons,
    Supports,
}

/// Measures and prints.
pub(crate) async fn report(options: &Options) -> anyhow::Result<()> {
    for (store, name) in [(Store::Sqlite, "SQLite"), (Store::Postgres, "PostgreSQL")] {
        let grouped = Contender::start(store, "0").await?;
        let alone = Contender::start(store, "1").await?;
        for what in [What::Comparisons, What::Supports] {
            compete(what, name, [&grouped, &alone], options).await?;
        }
        let more = options.comparisons;
        heading(&format!(
            "The next pair of {IDEAS} ideas on {name}, after {more} comparisons more, one client"
        ));
        let waits = grouped.next_pairs(options.comparisons).await?;
        print("NextPair, the pair that waits: nothing stored", &waits.waiting.latencies());
        print("NextPair, a visit's first pair, committed", &waits.first.latencies());
        print("Compare, with the next pair, committed", &waits.compared.latencies());
        heading(&format!("The ranking of {IDEAS} ideas on {name}, by {RANKED} comparisons more"));
        print("PublishRanking, read, ranked and committed", &grouped.publish().await?.latencies());
        for Contender { system, writer, .. } in [grouped, alone] {
            drop(writer);
            system.finish().await?;
        }
    }
    heading("Ranking, computation only: nothing read or stored");
    rankings()
}

/// Both contenders, and a pool of connections to the database of the first, take turns.
async fn compete(
    what: What,
    name: &str,
    [grouped, alone]: [&Contender; 2],
    options: &Options,
) -> anyhow::Result<()> {
    let (mut together, mut one_by_one, mut pool) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..options.rounds {
        together.push(grouped.load(what, options).await?);
        one_by_one.push(alone.load(what, options).await?);
        pool.push(grouped.pool(what, number, options).await?);
    }
    let title = match what {
        What::Comparisons => "Acknowledged comparisons",
        What::Supports => "Acknowledged supports, given and taken back",
    };
    let (clients, rounds) = (options.clients, options.rounds);
    heading(&format!("{title} on {name}, {clients} clients, median of {rounds} rounds"));
    let rate = |rounds: &[Round]| median(rounds.iter().map(|round| round.per_second));
    let latency = |rounds: &[Round]| {
        let p50 = median(rounds.iter().map(|round| round.p50));
        Some((p50, median(rounds.iter().map(|round| round.p99))))
    };
    let (alone, pooled) = (rate(&one_by_one), median(pool));
    let (to_alone, to_pool) = (rate(&together) / alone, rate(&together) / pooled);
    let note = format!("{to_alone:.2} x one by one, {to_pool:.2} x the pool");
    line("group commit", rate(&together), latency(&together), &note);
    let rival = "the same writer with limits.batch = 1";
    line("one command per transaction", alone, latency(&one_by_one), rival);
    let rival = match grouped.store {
        Store::Sqlite => "ten connections, BEGIN IMMEDIATE, same rows; a gRPC call that does nothing",
        Store::Postgres => "pgbench, same rows, the counter's row locked; no gRPC",
    };
    line("a transaction per request on a pool", pooled, None, rival);
    Ok(())
}

impl Contender {
    async fn start(store: Store, batch: &str) -> anyhow::Result<Self> {
        let settings = [
            ("limits.batch", batch),
            ("telemetry.log", "error"),
            ("demo", "true"),
            ("clock.demo_start", TODAY),
        ];
        let service = Service { build, ..proposals::SERVICE };
        let system = System::start(&[service], store, &settings).await?;
        let writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = writer.context("the service runs")?;
        let ids = Ids::system();
        let rows = (open_round(&ids)?, ideas(&ids), open_proposal(&ids)?);
        let (round, proposal) = (rows.0.id, rows.2.id);
        let stored = writer.internal("bench", rows, |tx, (round, ideas, proposal)| {
            async move {
                store::comparison::rounds::insert(tx.conn(), round).await?;
                store::comparison::ideas::insert(tx.conn(), round.id, ideas, &[]).await?;
                store::proposals::insert(tx.conn(), proposal).await
            }
            .boxed()
        });
        stored.await?;
        Ok(Self { store, system, writer, round, proposal })
    }

    async fn load(&self, what: What, options: &Options) -> anyhow::Result<Round> {
        let load = Arc::new(Load::new()?);
        let mut clients = JoinSet::new();
        let began = Instant::now();
        for _ in 0..options.clients {
            match what {
                What::Comparisons => {
                    let client = ComparisonsServiceClient::new(self.system.channel());
                    clients.spawn(compare(Arc::clone(&load), client, self.round.to_string()));
                }
                What::Supports => {
                    let client = CommunityServiceClient::new(self.system.channel());
                    let person = Caller::person(Ids::system().new_id());
                    let tenants = vec![TenantId::new(COUNTY)?];
                    let caller = Caller { tenants, assurance: Assurance::Substantial, ..person };
                    let token = self.system.directory().token("proposals", caller)?;
                    clients.spawn(support(Arc::clone(&load), client, token, self.proposal.to_string()));
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(options.seconds)).await;
        load.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = clients.join_next().await {
            ended??;
        }
        load.round(began.elapsed())
    }

    /// Its database.
    fn url(&self) -> anyhow::Result<String> {
        if self.store == Store::Sqlite {
            return Ok(format!("sqlite://{}", self.system.folder().join("proposals.sqlite").display()));
        }
        let mut settings = self.system.environment();
        let url = settings.find(|(name, _)| name == "OSALLISUUS_SERVICES__PROPOSALS__DATABASE");
        Ok(url.context("a database")?.1)
    }

    /// The same rows as a service would write that takes a connection of a pool for each request.
    async fn pool(&self, what: What, number: usize, options: &Options) -> anyhow::Result<f64> {
        let url = self.url()?;
        if self.store == Store::Sqlite {
            let requests = match what {
                What::Supports => pool::Requests::Supports(self.proposal),
                What::Comparisons => pool::Requests::Comparisons(self.round),
            };
            return pool::load(&url, &self.system.channel(), requests, options).await;
        }
        let script = match what {
            What::Supports => support_script(self.proposal),
            What::Comparisons => {
                let visits = visits_script(self.round, number);
                let clients = options.clients.to_string();
                pgbench::run(&url, &visits, &["--client", &clients, "--transactions", "1"])?;
                compare_script(self.round, number)
            }
        };
        pgbench::load(&url, &script, options)
    }

    /// How long one waits for the next pair in a round with so many answers more: asked for, and with the
    /// acknowledgement of an answer.
    async fn next_pairs(&self, comparisons: u64) -> anyhow::Result<Waits> {
        stored::compared(&self.url()?, self.store, self.round, comparisons).await?;
        let waits = Waits { first: Load::new()?, waiting: Load::new()?, compared: Load::new()? };
        let mut client = ComparisonsServiceClient::new(self.system.channel());
        let mut visitor = Visitor::default();
        for _ in 0..ANSWERS {
            if visitor.visit.pair.is_none() {
                visitor.begin(&waits.first, &mut client, &self.round.to_string()).await?;
            }
            visitor.look(&waits.waiting, &mut client).await?;
            visitor.go_on(&waits.compared, &mut client, &self.round.to_string()).await?;
        }
        Ok(waits)
    }

    /// How long it takes to rank a round by so many answers, and to publish that.
    async fn publish(&self) -> anyhow::Result<Load> {
        stored::compared(&self.url()?, self.store, self.round, RANKED).await?;
        let tenant = TenantId::new(COUNTY)?;
        let coordinator = Caller {
            tenants: vec![tenant],
            roles: vec![HeldRole { role: Role::AreaCoordinator, scope: ScopeRef::Tenant(tenant) }],
            assurance: Assurance::Substantial,
            ..Caller::person(Ids::system().new_id())
        };
        let token = self.system.directory().token("proposals", coordinator)?;
        let mut client = ComparisonsServiceClient::new(self.system.channel());
        let (tenant, round_id) = (COUNTY.to_owned(), self.round.to_string());
        let close = pb::CloseRoundRequest { tenant, forum_id: String::new(), round_id };
        client.close_round(signed(&token, close.clone())?).await?;
        let pb::CloseRoundRequest { tenant, forum_id, round_id } = close;
        let publish = signed(&token, pb::PublishRankingRequest { tenant, forum_id, round_id })?;
        let load = Load::new()?;
        let sent = Instant::now();
        client.publish_ranking(publish).await?;
        load.record(sent.elapsed())?;
        Ok(load)
    }
}

/// What one waits for who compares alone.
struct Waits {
    /// `NextPair` at the beginning of a visit, which chooses a pair and stores it.
    first: Load,
    /// `NextPair` while a pair waits for its answer.
    waiting: Load,
    /// `Compare`.
    compared: Load,
}

/// What the clients of one measurement share.
struct Load {
    stop: AtomicBool,
    latencies: Mutex<Histogram<u64>>,
}

impl Load {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { stop: AtomicBool::new(false), latencies: Mutex::new(Histogram::new(3)?) })
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn record(&self, took: Duration) -> anyhow::Result<()> {
        let mut latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(latencies.record(u64::try_from(took.as_micros())?)?)
    }

    fn latencies(&self) -> Histogram<u64> {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn round(&self, long: Duration) -> anyhow::Result<Round> {
        let latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        anyhow::ensure!(!latencies.is_empty(), "nothing was answered");
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 commands")]
        let per_second = latencies.len() as f64 / long.as_secs_f64();
        Ok(Round { per_second, p50: milliseconds(&latencies, 0.5), p99: milliseconds(&latencies, 0.99) })
    }
}

type Comparisons = ComparisonsServiceClient<tonic::transport::Channel>;
type Community = CommunityServiceClient<tonic::transport::Channel>;

/// Somebody who compares, visit after visit.
#[derive(Default)]
struct Visitor {
    session_token: String,
    visit: pb::Visit,
}

impl Visitor {
    /// Begins a new visit. Only the choice of its first pair is timed.
    async fn begin(&mut self, load: &Load, client: &mut Comparisons, round: &str) -> anyhow::Result<()> {
        let (round_id, municipality) = (round.to_owned(), "139".to_owned());
        let started = client.start_session(keyed(pb::StartSessionRequest { round_id, municipality })?);
        self.session_token = started.await?.into_inner().session_token;
        self.look(load, client).await
    }

    /// Asks for the pair to answer.
    async fn look(&mut self, load: &Load, client: &mut Comparisons) -> anyhow::Result<()> {
        let next = keyed(pb::NextPairRequest { session_token: self.session_token.clone() })?;
        let sent = Instant::now();
        let answer = client.next_pair(next).await?;
        load.record(sent.elapsed())?;
        self.visit = answer.into_inner().visit.unwrap_or_default();
        Ok(())
    }

    /// Answers a pair, in a new visit if the last one has seen all of its pairs. Only the answer is timed.
    async fn go_on(&mut self, load: &Load, client: &mut Comparisons, round: &str) -> anyhow::Result<()> {
        if self.visit.pair.is_none() {
            self.begin(&Load::new()?, client, round).await?;
        }
        let request = keyed(pb::CompareRequest {
            session_token: self.session_token.clone(),
            pair_number: self.visit.pair.as_ref().context("a new visit has a pair")?.number,
            better: pb::Side::Left.into(),
            assisted: false,
        })?;
        let sent = Instant::now();
        let answer = client.compare(request).await?;
        load.record(sent.elapsed())?;
        self.visit = answer.into_inner().visit.unwrap_or_default();
        Ok(())
    }
}

async fn compare(load: Arc<Load>, mut client: Comparisons, round: String) -> anyhow::Result<()> {
    let mut visitor = Visitor::default();
    while load.goes_on() {
        visitor.go_on(&load, &mut client, &round).await?;
    }
    Ok(())
}

async fn support(
    load: Arc<Load>,
    mut client: Community,
    token: String,
    proposal: String,
) -> anyhow::Result<()> {
    let mut given = false;
    while load.goes_on() {
        let proposal_id = proposal.clone();
        let sent = Instant::now();
        if given {
            let take = pb::WithdrawSupportRequest { proposal_id };
            client.withdraw_support(signed(&token, take)?).await?;
        } else {
            let give = pb::GiveSupportRequest { proposal_id, conflict_accepted: false };
            client.give_support(signed(&token, give)?).await?;
        }
        load.record(sent.elapsed())?;
        given = !given;
    }
    Ok(())
}

fn keyed<T>(message: T) -> anyhow::Result<tonic::Request<T>> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("idempotency-key", Ids::system().uuid().to_string().parse()?);
    Ok(request)
}

fn signed<T>(token: &str, message: T) -> anyhow::Result<tonic::Request<T>> {
    let mut request = keyed(message)?;
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}

/// Time to rank sixty ideas by a million comparisons.
fn rankings() -> anyhow::Result<()> {
    let mut sums = PairSums::default();
    for one in 1..=IDEAS {
        for other in (1..=IDEAS).filter(|other| *other != one) {
            sums.add(one, other, 215 + u64::from(one * 7 % 13) * 11 + u64::from(other % 5));
        }
    }
    let ideas: Vec<IdeaNo> = (1..=IDEAS).collect();
    let load = Load::new()?;
    for _ in 0..RANKINGS {
        let began = Instant::now();
        std::hint::black_box(rank(&ideas, &sums, true));
        load.record(began.elapsed())?;
    }
    print(&format!("{IDEAS} ideas by {} comparisons", sums.comparisons()), &load.latencies());
    Ok(())
}

fn print(what: &str, latency: &Histogram<u64>) {
    let per_second = 1_000_000.0 / latency.mean().max(f64::MIN_POSITIVE);
    let (p50, p99) = (milliseconds(latency, 0.5), milliseconds(latency, 0.99));
    line(what, per_second, Some((p50, p99)), &format!("{} times, one after the other", latency.len()));
}

fn open_round(ids: &Ids) -> anyhow::Result<Comparing> {
    let charter = Charter {
        tenant: TenantId::new(COUNTY)?,
        forum: None,
        title: "Mielekäs päivä".to_owned(),
        opens_on: parse_date("2026-09-21")?,
        closes_on: parse_date("2026-09-30")?,
        own_ideas: false,
    };
    Ok(Comparing::prepare(ids.new_id(), charter, usize::from(IDEAS))?.apply(RoundEvent::Opened))
}

fn ideas(ids: &Ids) -> Vec<Idea> {
    let idea = |number| Idea {
        id: ids.new_id(),
        number: Some(number),
        text: format!("Päivätoimintaan lisää ulkoilua {number}"),
        picture: None,
        proposal: None,
        own: false,
        state: IdeaState::Approved,
        shown: 0,
        review_due_on: None,
    };
    (1..=IDEAS).map(idea).collect()
}

fn open_proposal(ids: &Ids) -> anyhow::Result<Proposal> {
    let content = Content {
        own_words: String::new(),
        strength: String::new(),
        category: Category::Content,
        perspective: None,
        goals: Vec::new(),
        addressed: Addressed::new(&[], None)?,
    };
    let (id, tenant, day) = (ids.new_id(), TenantId::new(COUNTY)?, parse_date("2026-09-21")?);
    let draft = Proposal::draft(id, tenant, content, Channel::Web, Acting::alone(), day);
    Ok(Proposal { stage: Stage::Open, is_public: true, ..draft })
}
