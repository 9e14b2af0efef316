//! An election up to its opened boxes: people, forum, officer, candidates, voters who are signed in. One municipality, so
//! that all ballots go into one box: the hottest row there can be.

use std::collections::HashMap;
use std::path::Path;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kernel::{Ids, Timestamp, deadline};
use proto::common::{HeldRole, Role, ScopeKind};
use proto::forums::{
    AcceptCandidacyRequest, AnnounceElectionRequest, CloseNominationsRequest, ListMyCandidaciesRequest,
    NominateCandidateRequest, OpenVotingRequest,
};
use proto::membership::{
    AssignRoleRequest, IssueCodeCardRequest, ListParticipantsRequest, RegisterServiceUnitRequest,
    ServiceUnitKind,
};
use proto::messaging::GetClockRequest;

use super::act::{SEATS, forum, seat_plan};
use super::prepare::{AT_ONCE, Voter};
use super::{Fleet, Plan};
use crate::board_key::BoardKey;
use crate::client::Account;
use crate::demo::{self, Progress, during, example};
use crate::exit::Failure;
use crate::register::Register;
use crate::screen::Screen;
use crate::services;

/// More than seats, so that there is something to vote about.
const CANDIDATES: usize = SEATS as usize + 2;
/// Days of voting.
const VOTING_DAYS: i32 = 7;

/// An election in which ballots can be cast.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) forum_id: String,
    pub(super) election_id: String,
    pub(super) candidates: u32,
    pub(super) voters: Vec<Voter>,
}

/// What the steps share.
struct Scene<'a> {
    fleet: &'a Fleet,
    tenant: String,
    municipality: String,
    /// Tells the people of this run from those of others.
    run: String,
    /// Ids in the register, by name.
    people: HashMap<String, String>,
}

/// Prepares it. The business clock is moved to the next day, when nominations have closed and voting opens.
pub(super) async fn prepare(
    fleet: &Fleet,
    plan: &Plan,
    municipality: &str,
    screen: Screen,
) -> Result<Prepared, Failure> {
    let run = fleet.ids().uuid().simple().to_string().split_off(20);
    let (tenant, municipality) = (plan.tenant.to_string(), municipality.to_owned());
    let mut scene = Scene { fleet, tenant, municipality, run, people: HashMap::new() };
    let progress = Progress::on(screen);
    scene.register(plan, progress).await?;
    let forum_id = scene.found().await?;
    let officer = scene.appoint(&forum_id).await?;
    let today = scene.now().await?.helsinki_date();
    let tomorrow = kernel::deadline::add_days(today, 1);
    let announce = AnnounceElectionRequest {
        forum_id: forum_id.clone(),
        nomination_opens_on: today.to_string(),
        nomination_closes_on: today.to_string(),
        voting_opens_on: tomorrow.to_string(),
        voting_closes_on: deadline::add_days(today, VOTING_DAYS).to_string(),
        board_public_key: BoardKey::generate(&Ids::system()).public().to_vec(),
        supplementary: false,
    };
    let announced = officer.elections().announce_election(announce).await;
    let election = announced.map_err(during("announce the election"))?.into_inner().election;
    let election_id = election.unwrap_or_default().election_id;
    // The frozen roll comes back from membership.
    demo::settle(fleet.administrator(0)).await?;
    for number in 0..CANDIDATES {
        scene.stand(&forum_id, &election_id, number).await?;
    }
    let morning = deadline::start_of_day(tomorrow) + time::Duration::hours(9);
    for service in services::names() {
        let set = demo::set_clock(fleet.administrator(0), service, morning).await;
        set.map_err(during("set the clock"))?;
    }
    let close = CloseNominationsRequest { forum_id: forum_id.clone(), election_id: election_id.clone() };
    officer.elections().close_nominations(close).await.map_err(during("close nominations"))?;
    let open = OpenVotingRequest { forum_id: forum_id.clone(), election_id: election_id.clone() };
    officer.elections().open_voting(open).await.map_err(during("open voting"))?;
    let voters = scene.voters(plan.voters, progress).await?;
    let candidates = u32::try_from(CANDIDATES).unwrap_or(u32::MAX);
    Ok(Prepared { forum_id, election_id, candidates, voters })
}

fn candidate(number: usize) -> String {
    format!("Kuorma Ehdokas {number}")
}

fn voter(number: usize) -> String {
    format!("Kuorma Äänestäjä {number}")
}

const OFFICER: &str = "Kuorma Vaalivirkailija";

impl Scene<'_> {
    /// A name of this run.
    fn name(&self, name: &str) -> String {
        format!("{name} {}", self.run)
    }

    fn administrator(&self) -> &Account {
        self.fleet.administrator(0)
    }

    /// The business clock of forums.
    async fn now(&self) -> Result<Timestamp, Failure> {
        let request = GetClockRequest { service: "forums".to_owned() };
        let clock = self.administrator().operator("forums").get_clock(request).await;
        let now = clock.map_err(during("ask for the clock"))?.into_inner().now.unwrap_or_default();
        Ok(Timestamp::from_micros(now.seconds * 1_000_000 + i64::from(now.nanos) / 1_000))
    }

    async fn register(&mut self, plan: &Plan, progress: Progress) -> Result<(), Failure> {
        let unit = self.name("Kuormakokeen päivätoiminta");
        let request = RegisterServiceUnitRequest {
            tenant: self.tenant.clone(),
            name: unit.clone(),
            kind: ServiceUnitKind::DayActivity.into(),
            municipality: self.municipality.clone(),
        };
        let registered = self.administrator().tenancy().register_service_unit(request).await;
        registered.map_err(during("register a unit"))?;
        self.administrator().forget_tokens().await;
        let clients = (0..CANDIDATES).map(candidate).chain((0..plan.voters).map(voter));
        let group = example::GROUP;
        let mut csv = String::from("register_key,display_name,group,municipality,unit\n");
        csv += &format!("load-{}-officer,{},,,\n", self.run, self.name(OFFICER));
        for (number, client) in clients.enumerate() {
            let (run, name) = (&self.run, self.name(&client));
            csv += &format!("load-{run}-{number},{name},{group},{},{unit}\n", self.municipality);
        }
        let today = self.now().await?.helsinki_date();
        let register = Register::parse(csv.as_bytes(), plan.tenant, today);
        let register =
            register.map_err(|faults| Failure::general(format!("the people of the load: {faults:?}")))?;
        let bar = progress.bar("importing people", register.rows.len());
        let file = Path::new("people of the load");
        register
            .send(self.administrator(), &self.tenant, file, |stored| bar.set_position(stored as u64))
            .await?;
        bar.finish_and_clear();
        self.learn().await
    }

    /// Asks membership for the ids of the people just imported.
    async fn learn(&mut self) -> Result<(), Failure> {
        let mut page_token = String::new();
        loop {
            let request = ListParticipantsRequest {
                tenant: self.tenant.clone(),
                municipality: String::new(),
                purpose: "Handing out code cards for a load test".to_owned(),
                page_size: 200,
                page_token,
            };
            let page = self.administrator().participants().list_participants(request).await;
            let page = page.map_err(during("list the register"))?.into_inner();
            let of_run = page.participants.into_iter().filter(|one| one.display_name.ends_with(&self.run));
            self.people.extend(of_run.map(|one| (one.display_name, one.participant_id)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(());
            }
        }
    }

    async fn found(&self) -> Result<String, Failure> {
        let mut client = self.administrator().forums();
        let founded =
            client.found_forum(forum(self.tenant.clone())).await.map_err(during("found a forum"))?;
        let id = founded.into_inner().forum.unwrap_or_default().forum_id;
        let plan = seat_plan(self.tenant.clone(), self.municipality.clone(), id.clone());
        client.approve_seat_plan(plan).await.map_err(during("approve a seat plan"))?;
        // membership gives roles in forums it has heard of only.
        demo::settle(self.administrator()).await?;
        Ok(id)
    }

    async fn appoint(&self, forum_id: &str) -> Result<Account, Failure> {
        let role = HeldRole {
            role: Role::ElectionOfficer.into(),
            scope_kind: ScopeKind::Forum.into(),
            scope_id: forum_id.to_owned(),
        };
        let request = AssignRoleRequest {
            tenant: self.tenant.clone(),
            participant_id: self.person(OFFICER)?,
            role: Some(role),
            ..AssignRoleRequest::default()
        };
        let assigned = self.administrator().participants().assign_role(request).await;
        assigned.map_err(during("appoint the officer"))?;
        self.sign_in(OFFICER, 0).await
    }

    fn person(&self, name: &str) -> Result<String, Failure> {
        let name = self.name(name);
        let id = self.people.get(&name).cloned();
        id.ok_or_else(|| Failure::general(format!("{name} is not in the register")))
    }

    /// Gives somebody a code card and signs them in over the connection for this number.
    async fn sign_in(&self, name: &str, number: usize) -> Result<Account, Failure> {
        let request = IssueCodeCardRequest {
            tenant: self.tenant.clone(),
            participant_id: self.person(name)?,
            unit_id: String::new(),
        };
        let giver = self.fleet.administrator(number);
        let card = giver.participants().issue_code_card(request).await.map_err(during("make a code card"))?;
        let card = card.into_inner();
        let entered = self.fleet.server(number).sign_in_with_card(&card.card, &card.code).await;
        entered.map_err(during("sign in"))
    }

    /// One candidate, nominated by themselves.
    async fn stand(&self, forum_id: &str, election_id: &str, number: usize) -> Result<(), Failure> {
        let account = self.sign_in(&candidate(number), number).await?;
        let request = NominateCandidateRequest {
            forum_id: forum_id.to_owned(),
            election_id: election_id.to_owned(),
            municipality: self.municipality.clone(),
            voucher: String::new(),
        };
        account.elections().nominate_candidate(request).await.map_err(during("nominate"))?;
        let request = ListMyCandidaciesRequest { forum_id: forum_id.to_owned() };
        let mine = account.elections().list_my_candidacies(request).await;
        let mine = mine.map_err(during("find the candidacy"))?.into_inner().candidacies;
        let candidacy = mine.into_iter().next().unwrap_or_default();
        let request = AcceptCandidacyRequest {
            forum_id: forum_id.to_owned(),
            election_id: election_id.to_owned(),
            candidate_id: candidacy.candidate_id,
            ballot_name: candidate(number),
            ..AcceptCandidacyRequest::default()
        };
        account.elections().accept_candidacy(request).await.map_err(during("accept the candidacy"))?;
        Ok(())
    }

    async fn voters(&self, count: usize, progress: Progress) -> Result<Vec<Voter>, Failure> {
        let bar = progress.bar("signing voters in", count);
        let bar_of_each = &bar;
        let entered = stream::iter(0..count).map(async |number| {
            let account = self.sign_in(&voter(number), number).await?;
            bar_of_each.inc(1);
            Ok::<Voter, Failure>(Voter { number: u32::try_from(number).unwrap_or_default(), account })
        });
        let voters = entered.buffered(AT_ONCE).try_collect().await;
        bar.finish_and_clear();
        voters
    }
}
