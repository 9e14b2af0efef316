//! What must be refused, each with a clear status and with nothing changed by it.

use proto::common::{ActingMode, MunicipalitySeats};
use proto::forums::{
    AnnounceElectionRequest, ApproveSeatPlanRequest, CastBallotRequest, ForumLevel, ForumType,
    FoundForumRequest, GetElectionResultRequest, GetMySeatRequest, ListCandidatesRequest,
    NominateCandidateRequest,
};
use proto::membership::{
    CheckImportRequest, ImportRow, IssueActorTokenRequest, RegisterMandateRequest, RegisterServiceUnitRequest,
};
use standalone::client::Account;
use standalone::demo::example::{self, PLACES, Place};
use standalone::demo::{Contest, Person, Play};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

use crate::support::world::World;

/// Sends a command that must be refused with this status, stable code and fields at fault, and looks at every table of
/// every service before and after.
async fn refused<T: std::fmt::Debug>(
    world: &World,
    what: &str,
    command: impl Future<Output = Result<Response<T>, Status>>,
    (code, reason): (Code, &str),
    fields: &[&str],
) {
    // What was accepted before may still be on its way to the other service.
    world.settle().await;
    let before = world.content().await;
    let status = command.await.expect_err(what);
    let details = status.get_error_details();
    let found = details.error_info().map(|info| info.reason.as_str()).unwrap_or_default();
    assert_eq!((status.code(), found), (code, reason), "{what}: {}", status.message());
    let at_fault: Vec<&str> = details
        .bad_request()
        .iter()
        .flat_map(|bad| &bad.field_violations)
        .map(|one| one.field.as_str())
        .collect();
    assert_eq!(at_fault, fields, "{what}: {}", status.message());
    assert!(!status.message().is_empty(), "{what}: a person must be told why");
    let after = world.content().await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after, "{what} was refused and has changed {}", before.name);
    }
}

/// While candidates can be nominated: somebody attested for Vaala stands in Utajärvi (F2).
pub(super) async fn check_nominations(world: &World, play: &Play, contest: &Contest) {
    let vaala = play.clients(place("785")).expect("clients");
    let account = signed_in(play, vaala.last().expect("a client")).await;
    let request = NominateCandidateRequest {
        forum_id: play.forum_id.clone(),
        election_id: contest.election_id.clone(),
        municipality: "889".to_owned(),
        voucher: String::new(),
    };
    let nominated = async { account.elections().nominate_candidate(request).await };
    let expected = (Code::PermissionDenied, "forums.not_attested_there");
    refused(world, "standing in Utajärvi with Vaala's attestation", nominated, expected, &["municipality"])
        .await;
}

/// On the last day of voting, when everybody who votes has done so.
pub(super) async fn check_voting(world: &World, play: &Play, contest: &Contest) {
    let ii = place("139");
    let clients = play.clients(ii).expect("clients");
    let ballot = |approvals: &[u32]| CastBallotRequest {
        forum_id: play.forum_id.clone(),
        election_id: contest.election_id.clone(),
        approvals: approvals.to_vec(),
        confirmed: false,
    };

    let has_not_voted = signed_in(play, &clients[0]).await;
    let nine = async { has_not_voted.elections().cast_ballot(ballot(&[1, 2, 3, 4, 5, 6, 7, 8, 9])).await };
    let too_many = (Code::InvalidArgument, "forums.too_many_approvals");
    refused(world, "nine approvals in Ii", nine, too_many, &["approvals"]).await;
    let unknown = async { has_not_voted.elections().cast_ballot(ballot(&[13])).await };
    let not_on_paper = (Code::InvalidArgument, "forums.unknown_candidate_number");
    refused(world, "a thirteenth candidate", unknown, not_on_paper, &["approvals"]).await;
    let twice = async { has_not_voted.elections().cast_ballot(ballot(&[3, 3])).await };
    refused(
        world,
        "a candidate twice",
        twice,
        (Code::InvalidArgument, "forums.approved_twice"),
        &["approvals"],
    )
    .await;

    let (online, on_paper) = contest.voting(ii, &clients);
    let has_voted = (Code::AlreadyExists, "forums.already_voted");
    let again = signed_in(play, online.last().expect("a voter")).await;
    let second = async { again.elections().cast_ballot(ballot(&[1])).await };
    refused(world, "a second ballot", second, has_voted, &[]).await;
    let other_channel = signed_in(play, on_paper.last().expect("a voter on paper")).await;
    let second = async { other_channel.elections().cast_ballot(ballot(&[1])).await };
    refused(world, "a ballot online after one on paper", second, has_voted, &[]).await;

    let supporter = signed_in(play, support_person(play)).await;
    let vote = async { supporter.elections().cast_ballot(ballot(&[1])).await };
    refused(world, "a vote by a support person", vote, (Code::PermissionDenied, "access.scope"), &[]).await;

    let token = mandate_token(play, &clients[1], &clients[2]).await;
    let vote = async {
        match token {
            // membership may give no such token at all, or one with which forums lets nobody vote.
            Err(status) => Err(status),
            Ok(token) => {
                let mut request = Request::new(ballot(&[1]));
                let metadata = request.metadata_mut();
                metadata.insert("authorization", format!("Bearer {token}").parse().expect("a header"));
                world.public().elections().cast_ballot(request).await
            }
        }
    };
    // A mandate never covers voting (M5): such a token has no place on the roll.
    refused(world, "a vote with a mandate", vote, (Code::PermissionDenied, "access.scope"), &[]).await;

    let dictated = has_not_voted.acting(ActingMode::Dictated);
    let vote = async { dictated.elections().cast_ballot(ballot(&[1])).await };
    let expected = (Code::PermissionDenied, "forums.dictated_cannot_vote");
    refused(world, "a dictated vote", vote, expected, &[]).await;
}

/// With the result confirmed: approvals in Utajärvi are shown to nobody, the officers included (F7).
pub(super) async fn check_suppression(world: &World, play: &Play, contest: &Contest) {
    let request = GetElectionResultRequest { election_id: contest.election_id.clone() };
    for account in [&world.public(), &play.officers[0], &play.administrator] {
        let result =
            account.elections().get_election_result(request.clone()).await.expect("a result").into_inner();
        let utajarvi = result.constituencies.iter().find(|one| one.municipality == "889").expect("Utajärvi");
        assert!(utajarvi.tally_suppressed);
        assert!(utajarvi.tally.is_empty(), "approvals in Utajärvi are shown");
        assert_eq!(utajarvi.blank, 0, "nor is the number of blank ballots");
        // By seat, not by approvals: the numbers of the elected come in the order of the paper.
        let numbers: Vec<u32> = utajarvi.elected_candidates.iter().map(|elected| elected.number).collect();
        assert!(numbers.is_sorted(), "the order {numbers:?} of the elected tells who had more approvals");
    }
    let request = ListCandidatesRequest {
        forum_id: play.forum_id.clone(),
        election_id: contest.election_id.clone(),
        purpose: "Checking that approvals are not shown".to_owned(),
        ..Default::default()
    };
    play.officers[0].elections().list_candidates(request).await.expect("candidates carry no approvals");
}

/// Bad input of the register: a file with faults, and one message that is far too large.
pub(super) async fn check_register(world: &World, play: &Play) {
    let csv = "register_key,display_name,language,municipality,group,unit\n\
               A1,Eino Esimerkki,fi,139,disability_services,Iin päivätoiminta\n\
               A2,,fi,139,disability_services,Iin päivätoiminta\n\
               A3,Aino Esimerkki,fi,9,disability_services,Iin päivätoiminta\n\
               A4,Onni Esimerkki,xx\n";
    let (county, today) = (kernel::TenantId::new("19").expect("a county"), play_day());
    let faults =
        standalone::register::Register::parse(csv.as_bytes(), county, today).expect_err("a file with faults");
    let at: Vec<(u32, &str)> = faults.iter().map(|fault| (fault.line, fault.column.as_str())).collect();
    assert!(at.contains(&(3, "display_name")), "{faults:?}");
    assert!(at.contains(&(4, "municipality")), "{faults:?}");
    assert!(at.iter().any(|(line, _)| *line == 5), "{faults:?}");
    assert!(faults.iter().all(|fault| !fault.reason.is_empty()), "{faults:?}");

    let row = |municipality: &str, unit: &str| ImportRow {
        line: 7,
        register_key: "A5".to_owned(),
        display_name: "Eino Esimerkki".to_owned(),
        municipality: municipality.to_owned(),
        group: example::GROUP.to_owned(),
        unit: unit.to_owned(),
        ..Default::default()
    };
    let before = world.content().await;
    for (rows, fault) in [
        (vec![row("999", "Iin päivätoiminta")], (7, "municipality")),
        (vec![row("751", "Simon päivätoiminta")], (7, "municipality")),
        (vec![row("139", "Yksikkö jota ei ole")], (7, "unit")),
    ] {
        let request = CheckImportRequest { tenant: "19".to_owned(), rows };
        let answer =
            play.administrator.participants().check_import(request).await.expect("an answer").into_inner();
        let found: Vec<(u32, &str)> =
            answer.faults.iter().map(|fault| (fault.line, fault.column.as_str())).collect();
        assert!(found.contains(&fault), "{fault:?} is not among {:?}", answer.faults);
    }
    assert_eq!(before, world.content().await, "checking an import changes nothing");

    let request = RegisterServiceUnitRequest {
        tenant: "19".to_owned(),
        name: "x".repeat(10 * 1024 * 1024),
        kind: 1,
        municipality: "139".to_owned(),
    };
    let huge = async { play.administrator.tenancy().register_service_unit(request).await };
    refused(world, "a message of 10 MB", huge, (Code::ResourceExhausted, "request.too_large"), &[]).await;
}

/// Bad days of an election. The forum must have a seat plan.
pub(super) async fn check_dates(world: &World, play: &Play) {
    let officer = &play.officers[0];
    buy_token(officer, &play.forum_id).await;
    let request = AnnounceElectionRequest {
        forum_id: play.forum_id.clone(),
        nomination_opens_on: "2026-03-20".to_owned(),
        nomination_closes_on: "2026-03-02".to_owned(),
        voting_opens_on: "2026-03-01".to_owned(),
        voting_closes_on: "2026-02-28".to_owned(),
        board_public_key: play.board.public().to_vec(),
        supplementary: false,
    };
    let announced = async { officer.elections().announce_election(request.clone()).await };
    let fields = ["nomination_closes_on", "voting_opens_on", "voting_closes_on"];
    let expected = (Code::InvalidArgument, "forums.election_dates");
    refused(world, "days in the wrong order", announced, expected, &fields).await;
    let no_day = AnnounceElectionRequest { nomination_opens_on: "30.2.2026".to_owned(), ..request };
    let announced = async { officer.elections().announce_election(no_day).await };
    let expected = (Code::InvalidArgument, "request.invalid");
    refused(world, "a day that does not exist", announced, expected, &["nomination_opens_on"]).await;
}

/// Variant 1b: county 19 alone. Simo is not in it, 8 + 8 + 4 + 4 = 24 seats are; and seat plans that are wrong.
pub(super) async fn check_one_county_alone(world: &World, administrator: &Account) {
    let found = |co_tenants: Vec<String>, agreement_id: &str| FoundForumRequest {
        tenant: "19".to_owned(),
        co_tenants,
        agreement_id: agreement_id.to_owned(),
        name: example::FORUM.to_owned(),
        purpose: example::PURPOSE.to_owned(),
        purpose_plain: example::PURPOSE_PLAIN.to_owned(),
        r#type: ForumType::ClientForum.into(),
        level: ForumLevel::Regional.into(),
        service_group: example::GROUP.to_owned(),
        term_starts_on: "2026-05-01".to_owned(),
        term_ends_on: "2028-04-30".to_owned(),
        founding_decision: "POHDE/481/2026".to_owned(),
    };
    let joint =
        async { administrator.forums().found_forum(found(vec!["21".to_owned()], "POHDE/482/2026")).await };
    let expected = (Code::InvalidArgument, "forums.tenant_not_served");
    refused(world, "a forum joint with a county of another deployment", joint, expected, &["co_tenants"])
        .await;
    let backwards = FoundForumRequest { term_ends_on: "2026-04-30".to_owned(), ..found(Vec::new(), "") };
    let founded = async { administrator.forums().found_forum(backwards).await };
    let expected = (Code::InvalidArgument, "forums.charter");
    refused(world, "a term that ends before it starts", founded, expected, &["term_ends_on"]).await;

    let forum =
        administrator.forums().found_forum(found(Vec::new(), "")).await.expect("a forum").into_inner().forum;
    let forum_id = forum.expect("a forum").forum_id;
    let plan = |seats: &[(&str, u32)], total: u32| {
        let seats = seats.iter();
        let seats =
            seats.map(|(code, seats)| MunicipalitySeats { municipality: (*code).to_owned(), seats: *seats });
        ApproveSeatPlanRequest {
            tenant: "19".to_owned(),
            forum_id: forum_id.clone(),
            seats: seats.collect(),
            total,
        }
    };
    let own = [("139", 8), ("615", 8), ("889", 4), ("785", 4)];
    let with_simo = [own[0], own[1], own[2], own[3], ("751", 4)];
    for (what, request, reason, field) in [
        ("Simo", plan(&with_simo, 28), "forums.municipality_not_in_tenant", "seats[4].municipality"),
        ("seats that do not add up", plan(&own, 28), "forums.seat_plan_sum", "total"),
        (
            "a municipality twice",
            plan(&[own[0], own[0]], 16),
            "forums.municipality_twice",
            "seats[1].municipality",
        ),
        ("no municipality's code", plan(&[("999", 8)], 8), "request.invalid", "seats[0].municipality"),
        ("a code of one digit", plan(&[("9", 8)], 8), "request.invalid", "seats[0].municipality"),
    ] {
        let approved = async { administrator.forums().approve_seat_plan(request).await };
        refused(world, what, approved, (Code::InvalidArgument, reason), &[field]).await;
    }
    let approved =
        administrator.forums().approve_seat_plan(plan(&own, 24)).await.expect("24 seats").into_inner();
    assert_eq!(approved.forum.expect("the forum").seats_total, 24);
    let again = async { administrator.forums().approve_seat_plan(plan(&own, 24)).await };
    let expected = (Code::FailedPrecondition, "forums.seat_plan_approved");
    refused(world, "a second plan", again, expected, &[]).await;
}

/// Signs somebody in and buys the tokens for forums, so that later only the command itself is looked at.
async fn signed_in(play: &Play, person: &Person) -> Account {
    let account = play.sign_in(person).await.expect("signed in");
    buy_token(&account, &play.forum_id).await;
    buy_token(&account.acting(ActingMode::Dictated), &play.forum_id).await;
    account
}

/// The first token for a service gives the person a reference there, which is a change of its own.
async fn buy_token(account: &Account, forum_id: &str) {
    let request = GetMySeatRequest { forum_id: forum_id.to_owned() };
    account.forums().get_my_seat(request).await.expect("an answer");
}

/// A token of `holder` on behalf of `principal`, by a mandate on record.
async fn mandate_token(play: &Play, principal: &Person, holder: &Person) -> Result<String, Status> {
    let request = RegisterMandateRequest {
        tenant: principal.tenant.clone(),
        principal_id: principal.participant_id.clone(),
        holder_id: holder.participant_id.clone(),
        ends_on: "2027-12-31".to_owned(),
    };
    play.administrator.participants().register_mandate(request).await.expect("a mandate for other matters");
    let account = signed_in(play, holder).await;
    let request = IssueActorTokenRequest {
        session: account.session().expect("a session").to_owned(),
        audience: "forums".to_owned(),
        acting_mode: ActingMode::OnBehalf.into(),
        on_behalf_of: principal.participant_id.clone(),
        ..Default::default()
    };
    let answer = account.sign_in().issue_actor_token(request).await?;
    Ok(answer.into_inner().token.expect("a token").token)
}

fn support_person(play: &Play) -> &Person {
    let (_, _, text) = example::REGISTERS[0];
    let line = text.lines().find(|line| line.ends_with(",support_person")).expect("a support person");
    let name = line.split(',').nth(1).expect("a name");
    play.person(name).expect("in the register")
}

fn place(code: &str) -> &'static Place {
    PLACES.iter().find(|place| place.municipality == code).expect("a municipality of the example")
}

fn play_day() -> kernel::Date {
    kernel::deadline::parse_date(example::days::REGISTER).expect("a day")
}
