//! Doing one act as a real client does it: with an idempotency key, and again with the same key while the outcome is
//! unknown.

use std::time::{Duration, Instant};

use proto::common::MunicipalitySeats;
use proto::forums::{
    ApproveSeatPlanRequest, CastBallotRequest, ForumLevel, ForumType, FoundForumRequest,
    GetBallotPaperRequest, GetElectionRequest, GetForumRequest, ListElectionsRequest, ListForumsRequest,
    ListSeatsRequest,
};
use proto::membership::{
    ListServiceUnitsRequest, RegisterParticipantRequest, RegisterServiceUnitRequest, ServiceUnitKind,
};
use tonic::{Request, Status};

use super::fleet::Fleet;
use super::mix::Act;
use super::prepare::{Stage, Voter};
use super::record::Recorder;
use super::take_part;
use crate::client::outcome;
use crate::ledger::journal::Outcome;

/// Tries of a call whose outcome is unknown.
const TRIES: u32 = 6;
/// First pause between two tries; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// Seats of a forum.
pub(super) const SEATS: u32 = 2;
/// Rows of a page.
pub(super) const PAGE: u32 = 20;

/// What every act works with.
pub(super) struct Scene<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) stage: &'a Stage,
    pub(super) recorder: &'a Recorder,
    pub(super) tenant: String,
}

/// Does an act that was due at `due`. The number chooses the connection.
pub(super) async fn perform(scene: &Scene<'_>, act: Act, number: usize, due: Instant) {
    let Scene { fleet, stage, recorder, tenant } = scene;
    let tenant = || tenant.clone();
    let forum = |index: usize| stage.forums.get(index).cloned().unwrap_or_default();
    let nobody = fleet.public(number);
    let administrator = fleet.administrator(number);
    match act {
        Act::FoundForum => found(scene, number, due).await,
        Act::ApproveSeatPlan => match stage.take_unplanned() {
            None => found(scene, number, due).await,
            Some(forum_id) => {
                let request = seat_plan(tenant(), stage.municipality.clone(), forum_id);
                let client = administrator.forums();
                let _ = recorder
                    .measure(
                        "ApproveSeatPlan",
                        due,
                        write(scene, request, |request| {
                            let mut client = client.clone();
                            async move { client.approve_seat_plan(request).await.map(drop) }
                        }),
                    )
                    .await;
            }
        },
        Act::RegisterUnit => {
            let request = RegisterServiceUnitRequest {
                tenant: tenant(),
                name: format!("Kuormayksikkö {}", fleet.ids().uuid()),
                kind: ServiceUnitKind::DayActivity.into(),
                municipality: stage.municipality.clone(),
            };
            let client = administrator.tenancy();
            let _ = recorder
                .measure(
                    "RegisterServiceUnit",
                    due,
                    write(scene, request, |request| {
                        let mut client = client.clone();
                        async move { client.register_service_unit(request).await.map(drop) }
                    }),
                )
                .await;
        }
        Act::RegisterParticipant => {
            let request = RegisterParticipantRequest {
                tenant: tenant(),
                register_key: fleet.ids().uuid().to_string(),
                display_name: format!("Kuorma Testaaja {number}"),
                ..RegisterParticipantRequest::default()
            };
            let client = administrator.participants();
            let _ = recorder
                .measure(
                    "RegisterParticipant",
                    due,
                    write(scene, request, |request| {
                        let mut client = client.clone();
                        async move { client.register_participant(request).await.map(drop) }
                    }),
                )
                .await;
        }
        Act::GetForum(index) => {
            let request = GetForumRequest { forum_id: forum(index) };
            let call = async { nobody.forums().get_forum(request).await.map(drop) };
            let _ = recorder.measure("GetForum", due, call).await;
        }
        Act::ListSeats(index) => {
            let request = ListSeatsRequest { forum_id: forum(index) };
            let call = async { nobody.forums().list_seats(request).await.map(drop) };
            let _ = recorder.measure("ListSeats", due, call).await;
        }
        Act::ListForums => {
            let request = ListForumsRequest { tenant: tenant(), page_size: PAGE, page_token: String::new() };
            let call = async { nobody.forums().list_forums(request).await.map(drop) };
            let _ = recorder.measure("ListForums", due, call).await;
        }
        Act::ListElections(index) => {
            let request =
                ListElectionsRequest { forum_id: forum(index), page_size: PAGE, page_token: String::new() };
            let call = async { nobody.elections().list_elections(request).await.map(drop) };
            let _ = recorder.measure("ListElections", due, call).await;
        }
        Act::ListUnits => {
            let request =
                ListServiceUnitsRequest { tenant: tenant(), page_size: PAGE, page_token: String::new() };
            let call = async { nobody.tenancy().list_service_units(request).await.map(drop) };
            let _ = recorder.measure("ListServiceUnits", due, call).await;
        }
        Act::GetElection => {
            let election_id = stage.election.as_ref().map(|election| election.election_id.clone());
            let request = GetElectionRequest { election_id: election_id.unwrap_or_default() };
            let call = async { nobody.elections().get_election(request).await.map(drop) };
            let _ = recorder.measure("GetElection", due, call).await;
        }
        Act::ListProposals
        | Act::SearchProposals
        | Act::GetProposal(_)
        | Act::GetTimeline(_)
        | Act::GetRound
        | Act::GiveSupport { .. }
        | Act::WithdrawSupport { .. }
        | Act::Compare => {
            if let Some(ideas) = &stage.ideas {
                take_part::perform(scene, ideas, act, number, due).await;
            }
        }
        Act::Vote(index) => {
            if let Some(election) = &stage.election
                && let Some(voter) = election.voters.get(index)
            {
                vote(scene, &election.forum_id, &election.election_id, election.candidates, voter, due).await;
            }
        }
    }
}

async fn found(scene: &Scene<'_>, number: usize, due: Instant) {
    let request = forum(scene.tenant.clone());
    let client = scene.fleet.administrator(number).forums();
    let founded = write(scene, request, |request| {
        let mut client = client.clone();
        async move {
            let forum = client.found_forum(request).await?.into_inner().forum;
            scene.stage.give_unplanned(forum.unwrap_or_default().forum_id);
            Ok(())
        }
    });
    let _ = scene.recorder.measure("FoundForum", due, founded).await;
}

/// A voter's way: a token, the ballot paper, the ballot. Each call is due when the one before was answered.
async fn vote(
    scene: &Scene<'_>,
    forum_id: &str,
    election_id: &str,
    candidates: u32,
    voter: &Voter,
    due: Instant,
) {
    let recorder = scene.recorder;
    let way = async {
        let token = voter.account.renew_token("forums", Duration::ZERO);
        recorder.measure("IssueActorToken", due, token).await?;
        let request =
            GetBallotPaperRequest { forum_id: forum_id.to_owned(), election_id: election_id.to_owned() };
        let client = voter.account.elections();
        let paper = async { client.clone().get_ballot_paper(request).await.map(drop) };
        recorder.measure("GetBallotPaper", Instant::now(), paper).await?;
        let request = CastBallotRequest {
            forum_id: forum_id.to_owned(),
            election_id: election_id.to_owned(),
            approvals: vec![1 + voter.number % candidates.max(1)],
            confirmed: false,
        };
        let cast = write(scene, request, |request| {
            let mut client = client.clone();
            async move { client.cast_ballot(request).await.map(drop) }
        });
        recorder.measure("CastBallot", Instant::now(), cast).await
    };
    recorder.way("a voter's way", due, way).await;
}

/// Sends a command, and the same again with its key while nobody knows what became of it.
pub(super) async fn write<R: Clone, F: Future<Output = Result<(), Status>>>(
    scene: &Scene<'_>,
    message: R,
    send: impl Fn(Request<R>) -> F,
) -> Result<(), Status> {
    let key = scene.fleet.ids().uuid().to_string();
    let mut pause = PAUSE;
    for last in (0..TRIES).map(|attempt| attempt + 1 == TRIES) {
        let mut request = Request::new(message.clone());
        let value = key.parse().map_err(|_| Status::internal("a key that is no header"))?;
        request.metadata_mut().insert("idempotency-key", value);
        match send(request).await {
            Err(status) if outcome(status.code()) == Outcome::Unknown && !last => {
                scene.recorder.retried();
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answered => return answered,
        }
    }
    Err(Status::unavailable("every try failed"))
}

/// A forum as a coordinator would found it.
pub(super) fn forum(tenant: String) -> FoundForumRequest {
    FoundForumRequest {
        tenant,
        name: "Kuormakokeen asiakasfoorumi".into(),
        purpose: "Mitataan, kuinka paljon järjestelmä kestää.".into(),
        purpose_plain: "Tämä foorumi on koe.".into(),
        r#type: ForumType::ClientForum.into(),
        level: ForumLevel::Regional.into(),
        service_group: crate::demo::example::GROUP.into(),
        term_starts_on: "2030-05-01".into(),
        term_ends_on: "2032-04-30".into(),
        founding_decision: "KOE/2026/1".into(),
        ..FoundForumRequest::default()
    }
}

/// A plan of two seats in one municipality.
pub(super) fn seat_plan(tenant: String, municipality: String, forum_id: String) -> ApproveSeatPlanRequest {
    let seats = vec![MunicipalitySeats { municipality, seats: SEATS }];
    ApproveSeatPlanRequest { tenant, forum_id, seats, total: SEATS }
}
