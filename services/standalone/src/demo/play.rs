//! What all acts of the play share: the people, the clock, waiting until an event has arrived everywhere.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Ids, Timestamp, deadline};
use proto::common::{HeldRole, Role, ScopeKind};
use proto::membership::{AssignRoleRequest, IssueCodeCardRequest};
use proto::messaging::{GetStatusRequest, GetStatusResponse, LaneHead, SetClockRequest};
use tonic::Status;

use super::example::{self, Place, Vote, days};
use crate::board_key::BoardKey;
use crate::client::{Account, Server};
use crate::exit::{Exit, Failure};
use crate::screen::Screen;
use crate::services;

/// How many people act at once. Enough to fill the server, few enough to leave room for others.
const AT_ONCE: usize = 16;
/// How long an event may take to arrive before the play gives up.
const ARRIVAL: Duration = Duration::from_secs(30);
/// Pause between two looks whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// The play: a system, and who acts in it.
#[derive(Debug)]
pub struct Play {
    /// The system.
    pub server: Server,
    /// The first administrator, who is also the operator.
    pub administrator: Account,
    /// Everybody in the register, by name.
    pub people: HashMap<String, Person>,
    /// Ids of the service units, by name.
    pub units: HashMap<String, String>,
    /// Somebody of each unit's staff, by the unit's name.
    pub staff: HashMap<String, Account>,
    /// The election officers, once there is a forum.
    pub officers: Vec<Account>,
    /// The witness of the lots, once there is a forum.
    pub witness: Option<Account>,
    /// The forum; empty before it is founded.
    pub forum_id: String,
    /// The election board's key pair.
    pub board: BoardKey,
    pub(super) progress: Progress,
}

/// Somebody in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Id at membership.
    pub participant_id: String,
    /// Name.
    pub name: String,
    /// County code.
    pub tenant: String,
    /// Municipality as a client; empty for others.
    pub municipality: String,
    /// Name of the unit that gives out the person's code cards; empty: the administrator does.
    pub unit: String,
}

/// One election of the play.
#[derive(Debug, Clone)]
pub struct Contest {
    /// Its id; empty before it is announced.
    pub election_id: String,
    /// True for the one that fills Simo's empty seat.
    pub supplementary: bool,
    /// Days of: announcement, last nominations, closing of nominations, first and last voting, confirmation.
    pub days: [&'static str; 6],
    /// Ids of the candidates by municipality, in the order of [`Vote::approvals`].
    pub candidates: HashMap<&'static str, Vec<String>>,
}

impl Contest {
    /// The election of the whole forum.
    pub fn first() -> Self {
        let days = [
            days::ANNOUNCED,
            days::NOMINATIONS_END,
            days::NOMINATIONS_CLOSED,
            days::VOTING_STARTS,
            days::VOTING_ENDS,
            days::CONFIRMED,
        ];
        Self { election_id: String::new(), supplementary: false, days, candidates: HashMap::new() }
    }

    /// The supplementary election.
    pub fn again() -> Self {
        let days = [
            days::AGAIN_ANNOUNCED,
            days::AGAIN_NOMINATIONS_END,
            days::AGAIN_NOMINATIONS_CLOSED,
            days::AGAIN_VOTING_STARTS,
            days::AGAIN_VOTING_ENDS,
            days::AGAIN_CONFIRMED,
        ];
        Self { supplementary: true, days, ..Self::first() }
    }

    /// What happens in this election in a municipality.
    pub fn vote(&self, place: &Place) -> Vote {
        if self.supplementary { place.vote_again } else { place.vote }
    }

    /// Clients of the municipality who stand: the first in the register, after those who stood before.
    pub fn standing<'a>(&self, place: &Place, clients: &'a [Person]) -> &'a [Person] {
        let first = if self.supplementary { place.vote.candidates } else { 0 };
        &clients[first..first + self.vote(place).candidates]
    }

    /// Clients of the municipality who vote: the last in the register; on paper those at the very end.
    pub fn voting<'a>(&self, place: &Place, clients: &'a [Person]) -> (&'a [Person], &'a [Person]) {
        let vote = self.vote(place);
        let voters = &clients[clients.len() - vote.ballots..];
        voters.split_at(vote.ballots - vote.paper)
    }
}

impl Play {
    /// The administrator comes in with the setup code. The business clock stands at [`example::CLOCK_STARTS`].
    ///
    /// # Errors
    /// What membership answers.
    pub async fn begin(server: Server, setup_code: &str, progress: Progress) -> Result<Self, Failure> {
        let entered = server.redeem_setup_code(setup_code, example::ADMINISTRATOR, example::LEAD).await;
        let administrator = entered.map_err(during("redeem the setup code"))?;
        Ok(Self {
            server,
            administrator,
            people: HashMap::new(),
            units: HashMap::new(),
            staff: HashMap::new(),
            officers: Vec::new(),
            witness: None,
            forum_id: String::new(),
            board: BoardKey::generate(&Ids::system()),
            progress,
        })
    }

    /// Moves the business clock of all services to nine in the morning of this day in Finland.
    ///
    /// # Errors
    /// If the system is not in demo mode.
    pub async fn day(&self, day: &str) -> Result<(), Failure> {
        self.hour(day, 9).await
    }

    /// Moves the business clock of all services to this hour of this day in Finland.
    ///
    /// # Errors
    /// If the system is not in demo mode.
    pub async fn hour(&self, day: &str, hour: i64) -> Result<(), Failure> {
        let date = deadline::parse_date(day).map_err(|error| Failure::general(error.to_string()))?;
        let moment = deadline::start_of_day(date) + time::Duration::hours(hour);
        for service in services::names() {
            set_clock(&self.administrator, service, moment).await.map_err(during("set the clock"))?;
        }
        Ok(())
    }

    /// Clients of a municipality in the order of the register.
    ///
    /// # Errors
    /// If one of them is not in the register yet.
    pub fn clients(&self, place: &Place) -> Result<Vec<Person>, Failure> {
        let register = super::opening::register_of(place.tenant)?;
        let names = register.rows.into_iter().filter_map(|row| {
            let is_client =
                row.municipality == place.municipality || row.display_name == place.attested_by_staff;
            is_client.then_some(row.display_name)
        });
        names.map(|name| self.person(&name).cloned()).collect()
    }

    /// Somebody in the register.
    ///
    /// # Errors
    /// If there is nobody of this name.
    pub fn person(&self, name: &str) -> Result<&Person, Failure> {
        self.people.get(name).ok_or_else(|| Failure::general(format!("{name} is not in the register")))
    }

    /// Gives somebody a new code card, from their unit's staff or else the administrator, and signs them in.
    ///
    /// # Errors
    /// What membership answers.
    pub async fn sign_in(&self, person: &Person) -> Result<Account, Failure> {
        let staff = self.staff.get(&person.unit);
        let unit_id = staff.and_then(|_| self.units.get(&person.unit)).cloned().unwrap_or_default();
        let request = IssueCodeCardRequest {
            tenant: person.tenant.clone(),
            participant_id: person.participant_id.clone(),
            unit_id,
        };
        let giver = staff.unwrap_or(&self.administrator);
        let entered = async {
            let card = giver.participants().issue_code_card(request).await?.into_inner();
            self.server.sign_in_with_card(&card.card, &card.code).await
        };
        entered.await.map_err(during(&format!("sign in {}", person.name)))
    }

    /// Gives somebody a role in the forum.
    ///
    /// # Errors
    /// What membership answers.
    pub async fn assign_in_forum(&self, person: &Person, role: Role) -> Result<(), Failure> {
        let role = HeldRole {
            role: role.into(),
            scope_kind: ScopeKind::Forum.into(),
            scope_id: self.forum_id.clone(),
        };
        let request = AssignRoleRequest {
            tenant: person.tenant.clone(),
            participant_id: person.participant_id.clone(),
            role: Some(role),
            ..Default::default()
        };
        let assigned = self.administrator.participants().assign_role(request).await;
        assigned.map_err(during(&format!("give {} a role", person.name)))?;
        Ok(())
    }

    /// Waits until every service has projected every event that any of them has published.
    ///
    /// # Errors
    /// [`Exit::Failure`] if they have not after 30 s, naming a projection that stands still.
    pub async fn settle(&self) -> Result<(), Failure> {
        settle(&self.administrator).await
    }

    pub(super) fn officer(&self, number: usize) -> Result<&Account, Failure> {
        self.officers.get(number).ok_or_else(|| Failure::general("there are no election officers yet"))
    }
}

/// Waits until every service has projected every event that any of them has published, as an operator sees it.
///
/// # Errors
/// [`Exit::Failure`] if they have not after 30 s, naming a projection that stands still.
pub(crate) async fn settle(operator: &Account) -> Result<(), Failure> {
    let end = Instant::now() + ARRIVAL;
    let mut before = Vec::new();
    loop {
        let now = statuses(operator).await.map_err(during("ask for the services' state"))?;
        let behind = behind(&now);
        // Two equal rounds: what one service published while another was asked is not overlooked.
        if behind.is_none() && heads(&now) == heads(&before) {
            return Ok(());
        }
        if Instant::now() > end {
            let what = behind.unwrap_or_else(|| "the services keep publishing".to_owned());
            return Err(Failure::new(Exit::Failure, format!("events did not arrive in time: {what}"))
                .remedy("See: osallisuus status, osallisuus parked list"));
        }
        if behind.is_some() {
            tokio::time::sleep(LOOK).await;
        }
        before = now;
    }
}

async fn statuses(operator: &Account) -> Result<Vec<(&'static str, GetStatusResponse)>, Status> {
    let mut statuses = Vec::new();
    for service in services::names() {
        let request = GetStatusRequest { service: service.to_owned() };
        let answer = operator.operator(service).get_status(request).await?;
        statuses.push((service, answer.into_inner()));
    }
    Ok(statuses)
}

/// The first projection that is not at the head of its source.
fn behind(statuses: &[(&str, GetStatusResponse)]) -> Option<String> {
    let of = |name: &str| statuses.iter().find(|(service, _)| *service == name).map(|(_, status)| status);
    for (service, source) in services::READERS {
        let (taker, giver) = (of(service)?, of(source)?);
        for LaneHead { lane, seq, .. } in &giver.lanes {
            // A projection that has not heard of a lane yet is not listed.
            let taken = taker.projections.iter().find(|one| one.source == *source && one.lane == *lane);
            let at = taken.map_or(0, |projection| projection.seq);
            if at < *seq {
                let stopped = taken.map(|projection| projection.stopped.as_str()).unwrap_or_default();
                return Some(format!(
                    "{service} is at event {at} of {seq} of {source}, county {lane} {stopped}"
                ));
            }
        }
    }
    None
}

fn heads(statuses: &[(&str, GetStatusResponse)]) -> Vec<u64> {
    statuses.iter().flat_map(|(_, status)| status.lanes.iter().map(|lane| lane.seq)).collect()
}

/// Sets the business clock of one service.
pub(crate) async fn set_clock(account: &Account, service: &str, to: Timestamp) -> Result<Timestamp, Status> {
    let micros = to.as_micros();
    let now = prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
    };
    let request = SetClockRequest { service: service.to_owned(), now: Some(now) };
    account.operator(service).set_clock(request).await?;
    Ok(to)
}

/// Says what was being done when a call failed.
pub(crate) fn during(what: &str) -> impl FnOnce(Status) -> Failure {
    move |status| Failure::from(status).during(what)
}

/// Does something for each, several at once; the first failure ends it. Answers come in the order of the items.
pub(super) async fn each<I, T, F>(
    items: impl IntoIterator<Item = I>,
    act: impl FnMut(I) -> F,
) -> Result<Vec<T>, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    stream::iter(items.into_iter().map(act)).buffered(AT_ONCE).try_collect().await
}

/// Tells how the play goes, on standard error.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    screen: Option<Screen>,
}

impl Progress {
    /// Tells it.
    pub fn on(screen: Screen) -> Self {
        Self { screen: screen.shows_progress().then_some(screen) }
    }

    /// Says nothing.
    pub fn silent() -> Self {
        Self { screen: None }
    }

    /// Something was done on this day of the business clock.
    pub(super) fn done(self, day: &str, what: &str) {
        if let Some(screen) = self.screen {
            screen.note(&format!("{day}  {what}"));
        }
    }

    /// A line that is written over; drawn on a terminal only.
    pub fn spinner(self) -> ProgressBar {
        if self.screen.is_some() { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
    }

    /// A bar for so many steps; drawn on a terminal only.
    pub fn bar(self, what: &'static str, steps: usize) -> ProgressBar {
        if self.screen.is_none() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(steps as u64).with_message(what);
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}");
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}
