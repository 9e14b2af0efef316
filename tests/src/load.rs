//! Clients that work while the system is harmed.
//!
//! Each sends one command at a time and behaves as a client should: what was not answered, or was answered with "come
//! again", is sent again with the same idempotency key until it is answered. So when the load has been stopped there is
//! nothing of which its clients do not know how it ended. Now and then a client sends an answered command once more:
//! it must get the same answer.

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Context;
use kernel::Ids;
use proto::forums::{CastBallotRequest, FoundForumRequest, HandPaperBallotRequest};
use proto::membership::{
    IssuePaperBallotVoucherRequest, RegisterServiceUnitRequest, ServiceUnitKind, SetPolicyRequest,
};
use proto::proposals::{Category, Content, CreateDraftRequest, SubmitProposalRequest};
use standalone::client::{Account, Server};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

use crate::scene::{Scene, Voter};

/// Counties in which things happen, each with a municipality.
const COUNTIES: [(&str, &str); 2] = [("19", "139"), ("21", "751")];
/// How long a client keeps sending a command.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it waits before it sends one again.
const PAUSE: Duration = Duration::from_millis(50);
/// Every so many answered commands, one is sent again.
const AGAIN_EVERY: u64 = 8;

/// Clients at work.
pub struct Load {
    clients: JoinSet<anyhow::Result<Done>>,
    stop: CancellationToken,
    answered: watch::Sender<u64>,
}

/// What was acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Names of service units registered.
    pub units: Vec<String>,
    /// Names of forums founded.
    pub forums: Vec<String>,
    /// Receipt numbers of proposals submitted.
    pub proposals: Vec<String>,
    /// Policy values set.
    pub policies: u64,
    /// Ballots cast online.
    pub ballots: u64,
    /// Paper ballots handed out.
    pub papers: u64,
    /// Commands sent again because nobody knew how they had ended.
    pub unknown: u64,
}

impl Done {
    /// All commands that were acknowledged.
    #[must_use]
    pub fn commands(&self) -> u64 {
        // A proposal is drafted and then submitted.
        let made = self.units.len() + self.forums.len() + 2 * self.proposals.len();
        made as u64 + self.policies + self.ballots + self.papers
    }

    /// Adds what another load was acknowledged.
    pub fn add(&mut self, other: Self) {
        self.units.extend(other.units);
        self.forums.extend(other.forums);
        self.proposals.extend(other.proposals);
        self.policies += other.policies;
        self.ballots += other.ballots;
        self.papers += other.papers;
        self.unknown += other.unknown;
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} commands acknowledged, {} sent again", self.commands(), self.unknown)
    }
}

impl Load {
    /// Starts clients of this scene: commands of all services in both counties, and the votes. What they make bears
    /// `name`; two loads at once need two, and only one of them may have the voters.
    #[must_use]
    pub fn start(name: &str, server: &Server, scene: &Scene) -> Self {
        let mut load =
            Self { clients: JoinSet::new(), stop: CancellationToken::new(), answered: watch::Sender::new(0) };
        let administrator = || server.resume(scene.administrator.clone());
        for county in COUNTIES {
            load.clients.spawn(load.client(administrator()).register_units(name.to_owned(), county));
            load.clients.spawn(load.client(administrator()).found_forums(name.to_owned(), county));
            load.clients.spawn(load.client(administrator()).propose(name.to_owned(), county));
            load.clients.spawn(load.client(administrator()).set_policies(county));
        }
        if !scene.election.is_empty() {
            load.clients.spawn(load.client(administrator()).vote(server.clone(), scene.clone()));
            let officer = server.resume(scene.officer.clone());
            load.clients.spawn(load.client(officer).hand_papers(scene.clone()));
        }
        load
    }

    /// How many commands have been answered so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        *self.answered.borrow()
    }

    /// Waits until so many more commands have been answered.
    ///
    /// # Errors
    /// If that does not happen in two minutes, or a client has failed.
    pub async fn more(&mut self, commands: u64) -> anyhow::Result<()> {
        let wanted = self.answered() + commands;
        let mut answered = self.answered.subscribe();
        tokio::select! {
            reached = tokio::time::timeout(PATIENCE, answered.wait_for(|count| *count >= wanted)) => {
                reached.with_context(|| format!("{commands} more commands were not answered in {PATIENCE:?}"))?
                    .context("the clients have gone")?;
                Ok(())
            }
            failed = first_failure(&mut self.clients) => Err(failed),
        }
    }

    /// Lets every client finish its command and tells what they were acknowledged.
    ///
    /// # Errors
    /// If a command was refused, not answered for two minutes, or answered in two ways.
    pub async fn stop(mut self) -> anyhow::Result<Done> {
        self.stop.cancel();
        let mut all = Done::default();
        while let Some(done) = self.clients.join_next().await {
            all.add(done.context("a client panicked")??);
        }
        Ok(all)
    }

    /// Ends the clients wherever they are, as they end with their machine. What they know stands in their journals.
    pub async fn abandon(mut self) {
        self.clients.shutdown().await;
    }

    fn client(&self, account: Account) -> Client {
        Client {
            account,
            ids: Ids::system(),
            stop: self.stop.clone(),
            answered: self.answered.clone(),
            sent: 0,
            done: Done::default(),
        }
    }
}

/// The first client that fails; never, if none does. One that has nothing more to do is no failure, but what it has
/// done must not be lost: it stays until the load is stopped.
async fn first_failure(clients: &mut JoinSet<anyhow::Result<Done>>) -> anyhow::Error {
    loop {
        match clients.join_next().await {
            Some(Ok(Err(error))) => return error,
            Some(Err(error)) => return error.into(),
            Some(Ok(Ok(_))) => return anyhow::anyhow!("a client ended before it was told to"),
            None => std::future::pending().await,
        }
    }
}

/// One client.
struct Client {
    account: Account,
    ids: Ids,
    stop: CancellationToken,
    answered: watch::Sender<u64>,
    sent: u64,
    done: Done,
}

impl Client {
    fn goes_on(&self) -> bool {
        !self.stop.is_cancelled()
    }

    async fn register_units(
        mut self,
        of: String,
        county: (&'static str, &'static str),
    ) -> anyhow::Result<Done> {
        let (tenant, municipality) = county;
        for number in 0.. {
            if !self.goes_on() {
                break;
            }
            let name = format!("Yksikkö {of} {tenant} {number}");
            let unit = RegisterServiceUnitRequest {
                tenant: tenant.to_owned(),
                name: name.clone(),
                kind: ServiceUnitKind::DayActivity.into(),
                municipality: municipality.to_owned(),
            };
            let call = |who: Account, unit| async move { who.tenancy().register_service_unit(unit).await };
            self.send(unit, call).await?;
            self.done.units.push(name);
        }
        Ok(self.done)
    }

    async fn found_forums(
        mut self,
        of: String,
        county: (&'static str, &'static str),
    ) -> anyhow::Result<Done> {
        for number in 0.. {
            if !self.goes_on() {
                break;
            }
            let charter = charter(county.0, &format!("Foorumi {of} {} {number}", county.0));
            let name = charter.name.clone();
            let call = |who: Account, charter| async move { who.forums().found_forum(charter).await };
            self.send(charter, call).await?;
            self.done.forums.push(name);
        }
        Ok(self.done)
    }

    async fn propose(mut self, of: String, county: (&'static str, &'static str)) -> anyhow::Result<Done> {
        for number in 0.. {
            if !self.goes_on() {
                break;
            }
            let content = Content {
                language: "fi".to_owned(),
                title: format!("Ehdotus {of} {} {number}", county.0),
                summary: "Tällä kokeillaan järjestelmää.".to_owned(),
                category: Category::Content.into(),
                ..Default::default()
            };
            let draft = CreateDraftRequest {
                tenant: county.0.to_owned(),
                content: Some(content),
                ..Default::default()
            };
            let call = |who: Account, draft| async move { who.proposals().create_draft(draft).await };
            let drafted = self.send(draft, call).await?.proposal.context("a draft")?;
            let whole = SubmitProposalRequest { proposal_id: drafted.proposal_id, ..Default::default() };
            let call = |who: Account, whole| async move { who.proposals().submit_proposal(whole).await };
            let receipt = self.send(whole, call).await?.receipt_no;
            self.done.proposals.push(receipt);
        }
        Ok(self.done)
    }

    async fn set_policies(mut self, county: (&'static str, &'static str)) -> anyhow::Result<Done> {
        let first = kernel::deadline::parse_date("2027-01-01").map_err(|error| anyhow::anyhow!("{error}"))?;
        for number in 0.. {
            if !self.goes_on() {
                break;
            }
            let policy = SetPolicyRequest {
                tenant: county.0.to_owned(),
                key: "code_card_days".to_owned(),
                value: (1 + number % 300).to_string(),
                valid_from: kernel::deadline::add_days(first, number % 3000).to_string(),
            };
            let call = |who: Account, policy| async move { who.tenancy().set_policy(policy).await };
            self.send(policy, call).await?;
            self.done.policies += 1;
        }
        Ok(self.done)
    }

    /// Everybody votes, one after the other.
    async fn vote(mut self, server: Server, scene: Scene) -> anyhow::Result<Done> {
        for Voter { session, approvals } in scene.voters {
            if !self.goes_on() {
                break;
            }
            self.account = server.resume(session);
            let ballot = CastBallotRequest {
                forum_id: scene.forum.clone(),
                election_id: scene.election.clone(),
                approvals,
                confirmed: false,
            };
            let call = |who: Account, ballot| async move { who.elections().cast_ballot(ballot).await };
            self.send(ballot, call).await?;
            self.done.ballots += 1;
        }
        self.rest().await
    }

    /// Everybody who votes on paper gets a ballot.
    async fn hand_papers(mut self, scene: Scene) -> anyhow::Result<Done> {
        for participant_id in scene.paper_voters {
            if !self.goes_on() {
                break;
            }
            let request = IssuePaperBallotVoucherRequest {
                forum_id: scene.forum.clone(),
                election_id: scene.election.clone(),
                participant_id,
            };
            let call =
                |who: Account, request| async move { who.rolls().issue_paper_ballot_voucher(request).await };
            let voucher = self.send(request, call).await?.voucher;
            let request = HandPaperBallotRequest {
                forum_id: scene.forum.clone(),
                election_id: scene.election.clone(),
                voucher,
            };
            let call =
                |who: Account, request| async move { who.elections().hand_paper_ballot(request).await };
            self.send(request, call).await?;
            self.done.papers += 1;
        }
        self.rest().await
    }

    /// Waits for the end, with nothing left to do.
    async fn rest(self) -> anyhow::Result<Done> {
        self.stop.cancelled().await;
        Ok(self.done)
    }

    /// Sends a command until it is answered; every so many, once more.
    async fn send<M, T, F>(
        &mut self,
        message: M,
        call: impl Fn(Account, Request<M>) -> F,
    ) -> anyhow::Result<T>
    where
        M: Clone,
        T: PartialEq + fmt::Debug,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let key = self.ids.uuid().to_string();
        let (answer, before) = insist(&self.account, &key, &message, &call).await?;
        self.done.unknown += before;
        self.sent += 1;
        if self.sent.is_multiple_of(AGAIN_EVERY) {
            let (again, _) = insist(&self.account, &key, &message, &call).await?;
            anyhow::ensure!(answer == again, "a command was answered in two ways: {answer:?} and {again:?}");
        }
        self.answered.send_modify(|count| *count += 1);
        Ok(answer)
    }
}

/// Sends a command with this key until it is answered; gives the answer and how often it was sent before.
///
/// # Errors
/// If it is refused, or not answered for two minutes.
pub async fn insist<M, T, F>(
    account: &Account,
    key: &str,
    message: &M,
    call: &impl Fn(Account, Request<M>) -> F,
) -> anyhow::Result<(T, u64)>
where
    M: Clone,
    F: Future<Output = Result<Response<T>, Status>>,
{
    let began = Instant::now();
    for before in 0.. {
        let mut request = Request::new(message.clone());
        request.metadata_mut().insert("idempotency-key", key.parse()?);
        let status = match call(account.clone(), request).await {
            Ok(answer) => return Ok((answer.into_inner(), before)),
            Err(status) => status,
        };
        let told = || format!("{:?} {}", status.code(), status.message());
        match status.code() {
            // A token bought before a clock jumped may be no good after it.
            Code::Unauthenticated => account.forget_tokens().await,
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => {}
            // Of a connection that broke. A service that answers so with details of its own is at fault itself.
            Code::Unknown | Code::Internal if status.details().is_empty() => {}
            _ => anyhow::bail!("a command was refused: {}", told()),
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "a command was not answered in {PATIENCE:?}: {}", told());
        tokio::time::sleep(PAUSE).await;
    }
    anyhow::bail!("sent too often")
}

/// A forum to found.
#[must_use]
pub fn charter(tenant: &str, name: &str) -> FoundForumRequest {
    FoundForumRequest {
        tenant: tenant.to_owned(),
        name: name.to_owned(),
        purpose: "Järjestelmän koettelu".to_owned(),
        purpose_plain: "Tällä kokeillaan järjestelmää.".to_owned(),
        r#type: proto::forums::ForumType::ClientForum.into(),
        level: proto::forums::ForumLevel::Regional.into(),
        service_group: "disability_services".to_owned(),
        term_starts_on: "2026-05-01".to_owned(),
        term_ends_on: "2028-04-30".to_owned(),
        founding_decision: "POHDE/1/2026".to_owned(),
        ..Default::default()
    }
}
