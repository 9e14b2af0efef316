//! Every refusal has its code, and leaves everything as it was.

use chassis::Call;
use forums::app::{Accept, Nominate};
use forums::domain::candidate::{Acceptance, Nominee};
use forums::domain::forum::Charter;
use forums::domain::lots::WitnessNumber;
use forums::domain::seat::VacancyReason;
use kernel::{ActingMode, Caller, ElectionId, Fault, HeldRole, Role, Scope, ScopeRef, TenantId};
use proto::membership::RollFrozen;

use crate::support::dump;
use crate::world::{DATES, Store, World, as_support_person, charter, municipality, places, small};

/// Refused with this code, nothing changed.
async fn refused<T: std::fmt::Debug>(world: &World, code: &str, act: impl Future<Output = Result<T, Fault>>) {
    let before = dump(&world.database).await;
    let fault = act.await.expect_err(code);
    assert_eq!(fault.code(), code, "{fault}");
    assert_eq!(dump(&world.database).await, before, "{code} changed something");
}

#[tokio::test]
async fn founding_and_plans() {
    let world = World::new(Store::Sqlite, small()).await;
    let app = &world.app;
    let no_agreement = Charter { agreement_id: String::new(), ..charter() };
    refused(&world, "forums.agreement_needed", app.found_forum(&world.coordinator(), no_agreement)).await;
    let coordinator = world.coordinator();
    let again = app.approve_seat_plan(&coordinator, world.forum, world.quotas(), 1);
    refused(&world, "forums.seat_plan_approved", again).await;

    // Variant 1b: county 19 alone.
    let alone = Charter { co_tenants: Vec::new(), agreement_id: String::new(), ..charter() };
    let forum = app.found_forum(&world.coordinator(), alone).await.unwrap().forum.unwrap();
    let forum = forum.forum_id.parse().unwrap();
    let all = World::new(Store::Sqlite, places()).await.quotas();
    let coordinator = world.coordinator();
    let with_simo = app.approve_seat_plan(&coordinator, forum, all.clone(), 28);
    refused(&world, "forums.municipality_not_in_tenant", with_simo).await;
    let coordinator = world.coordinator();
    let wrong_sum = app.approve_seat_plan(&coordinator, forum, all[..4].to_vec(), 28);
    refused(&world, "forums.seat_plan_sum", wrong_sum).await;
    let other = Scope::Tenant(TenantId::new("21").unwrap());
    let from_elsewhere =
        Call::new(Caller::person(world.officers[0]), other, world.command(world.officers[0]));
    let out_of_scope = app.approve_seat_plan(&from_elsewhere, forum, all[..4].to_vec(), 24);
    refused(&world, "forums.no_such_forum", out_of_scope).await;
    let plan = app.approve_seat_plan(&world.coordinator(), forum, all[..4].to_vec(), 24).await.unwrap();
    assert_eq!(plan.forum.unwrap().seats_total, 24);
}

#[tokio::test]
async fn a_joint_forum_without_the_other_countys_consent_discloses_no_clients() {
    let world = World::new(Store::Sqlite, small()).await;
    let app = &world.app;
    let forum = app.found_forum(&world.coordinator(), charter()).await.unwrap().forum.unwrap();
    let forum = forum.forum_id.parse().unwrap();
    let coordinator = world.coordinator();
    let unconfirmed = app.approve_seat_plan(&coordinator, forum, world.quotas(), 1);
    refused(&world, "forums.joint_not_confirmed", unconfirmed).await;
    let lead = world.administrator_of("19");
    refused(&world, "forums.not_a_co_tenant", app.confirm_joint_forum(&lead, forum)).await;
    let confirmed = app.confirm_joint_forum(&world.administrator_of("21"), forum).await.unwrap();
    assert_eq!(confirmed.forum.unwrap().confirmed_co_tenants, ["21"]);
    // Again is the same.
    app.confirm_joint_forum(&world.administrator_of("21"), forum).await.unwrap();
    app.approve_seat_plan(&world.coordinator(), forum, world.quotas(), 1).await.unwrap();
}

#[tokio::test]
async fn announcing() {
    let world = World::new(Store::Sqlite, small()).await;
    let officer = world.officer(0);
    let announce = |dates, supplementary| {
        world.app.announce_election(&officer, world.announcement(dates, supplementary))
    };
    let mut wrong = DATES;
    wrong[2] = "2026-03-19";
    refused(&world, "forums.election_dates", announce(wrong, false)).await;
    let empty_plan = world.app.found_forum(&world.coordinator(), charter()).await.unwrap().forum.unwrap();
    let scope = Scope::Forum(empty_plan.forum_id.parse().unwrap());
    let elsewhere = Call::new(Caller::person(world.officers[0]), scope, world.command(world.officers[0]));
    let unplanned = world.app.announce_election(&elsewhere, world.announcement(DATES, false));
    refused(&world, "forums.no_seat_plan", unplanned).await;
    world.announce(DATES, false).await;
    refused(
        &world,
        "forums.election_open",
        world.app.announce_election(&world.officer(0), world.announcement(DATES, false)),
    )
    .await;
}

#[tokio::test]
async fn nominating() {
    let world = World::new(Store::Sqlite, places()).await;
    let election = world.announce(DATES, false).await;
    let vaala = &world.people[3][0];
    // A candidate attested for Vaala standing in Utajärvi (F2).
    refused(&world, "forums.not_attested_there", world.nominate(vaala, election, municipality("889"))).await;
    refused(
        &world,
        "forums.municipality_does_not_elect",
        world.nominate(vaala, election, municipality("009")),
    )
    .await;
    let nominate = Nominate { forum: world.forum, election, municipality: municipality("785"), other: None };
    let call = world.client(vaala);
    let staff = Call::new(as_support_person(world.caller(vaala)), call.scope, call.command().clone());
    refused(&world, "forums.staff_may_not_take_part", world.app.nominate(&staff, nominate.clone())).await;
    let mandate = Caller { mode: ActingMode::OnBehalf, ..world.caller(vaala) };
    let mandate = Call::new(mandate, call.scope, call.command().clone());
    refused(&world, "forums.mandate_cannot_vote", world.app.nominate(&mandate, nominate.clone())).await;
    let other = Nominee { person: world.people[2][0].subject, attestations: Vec::new() };
    let by_voucher = Nominate { other: Some(other), ..nominate };
    refused(&world, "forums.not_attested_there", world.app.nominate(&call, by_voucher)).await;

    let nominated = world.nominate(vaala, election, municipality("785")).await.unwrap().candidate.unwrap();
    assert!(nominated.candidate_ref.is_empty(), "the reference is for officers");
    refused(&world, "forums.already_nominated", world.nominate(vaala, election, municipality("785"))).await;
    let acceptance = Acceptance::new("Aino", Vec::new(), "", false).unwrap();
    let candidate = nominated.candidate_id.parse().unwrap();
    let accept = Accept { forum: world.forum, election, candidate, acceptance };
    let mandate = world.client(vaala);
    let on_behalf = Caller { mode: ActingMode::OnBehalf, ..world.caller(vaala) };
    let mandate = Call::new(on_behalf, mandate.scope, mandate.command().clone());
    let m5_withdrawn = world.app.withdraw_candidacy(&mandate, world.forum, election, candidate);
    refused(&world, "forums.mandate_cannot_vote", m5_withdrawn).await;
    let neighbour = world.client(&world.people[3][1]);
    refused(&world, "forums.no_such_candidacy", world.app.accept_candidacy(&neighbour, accept.clone())).await;
    refused(
        &world,
        "forums.nominations_still_open",
        world.app.close_nominations(&world.officer(0), election),
    )
    .await;
    world.on("2026-03-21");
    refused(&world, "forums.nominations_not_open", world.app.accept_candidacy(&world.client(vaala), accept))
        .await;
    refused(
        &world,
        "forums.nominations_not_open",
        world.nominate(&world.people[3][2], election, municipality("785")),
    )
    .await;
}

#[tokio::test]
async fn f5_neither_a_candidate_nor_an_officer_of_the_forum_witnesses_its_lots() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    for (person, number) in world.people[0][5..7].iter().zip([1, 2]) {
        world.cast(person, election, &[number]).await.unwrap();
    }
    world.close_and_count(election).await.unwrap();
    let candidate = world.people[0][0].subject;
    let call = Call::new(Caller::person(candidate), Scope::Forum(world.forum), world.command(candidate));
    let number = WitnessNumber::new("4163").unwrap();
    let own = world.app.witness_lots(&call, election, municipality("889"), number.clone());
    refused(&world, "forums.witness_is_candidate", own).await;
    let witness = world.officer(2);
    let officer_of = |forum| {
        let roles = [Role::ElectionWitness, Role::ElectionOfficer]
            .map(|role| HeldRole { role, scope: ScopeRef::Forum(forum) });
        let caller = Caller { roles: roles.to_vec(), ..Caller::person(world.officers[2]) };
        Call::new(caller, witness.scope, witness.command().clone())
    };
    let here = officer_of(world.forum);
    let officer = world.app.witness_lots(&here, election, municipality("889"), number.clone());
    refused(&world, "forums.witness_is_officer", officer).await;
    let elsewhere = officer_of(world.ids.new_id());
    world.app.witness_lots(&elsewhere, election, municipality("889"), number).await.unwrap();
}

#[tokio::test]
async fn voting() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    let voter = &world.people[0][10];
    refused(&world, "forums.too_many_approvals", world.cast(voter, election, &[1, 2])).await;
    refused(&world, "forums.unknown_candidate_number", world.cast(voter, election, &[4])).await;
    let call = world.voter(voter, election);
    let by = |caller| Call::new(caller, call.scope, call.command().clone());
    let cast = async |caller| world.app.cast_ballot(&by(caller), world.forum, &[1], false).await;
    let voting = || world.voting_caller(voter, election);
    refused(&world, "forums.staff_may_not_take_part", cast(as_support_person(voting()))).await;
    let elsewhere = Caller { staff_somewhere: true, ..voting() };
    refused(&world, "forums.staff_may_not_take_part", cast(elsewhere)).await;
    refused(&world, "forums.mandate_cannot_vote", cast(Caller { mode: ActingMode::OnBehalf, ..voting() }))
        .await;
    refused(&world, "forums.dictated_cannot_vote", cast(Caller { mode: ActingMode::Dictated, ..voting() }))
        .await;
    let elsewhere = Scope::Roll { election, municipality: municipality("139") };
    let elsewhere = Call::new(voting(), elsewhere, call.command().clone());
    let in_ii = world.app.cast_ballot(&elsewhere, world.forum, &[1], false);
    refused(&world, "forums.municipality_does_not_elect", in_ii).await;
    let other_forum = world.app.cast_ballot(&call, world.ids.new_id(), &[1], false);
    refused(&world, "forums.no_such_election", other_forum).await;

    world.cast(voter, election, &[1]).await.unwrap();
    refused(&world, "forums.already_voted", world.cast(voter, election, &[1])).await;
    let officer = world.officer(0);
    let paper = world.app.hand_paper_ballot(&officer, election, voter.subject, voter.municipality);
    refused(&world, "forums.already_voted", paper).await;
    refused(&world, "forums.voting_days_left", world.app.close_voting(&world.officer(0), election)).await;
    refused(&world, "forums.wrong_step", world.count(election)).await;
    world.on("2026-04-18");
    refused(&world, "forums.voting_not_open", world.cast(&world.people[0][11], election, &[1])).await;
}

#[tokio::test]
async fn assisted_and_blank_ballots_are_taken() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    let voter = &world.people[0][10];
    let call = world.voter(voter, election);
    let assisted = Caller { mode: ActingMode::Assisted, ..world.voting_caller(voter, election) };
    let call = Call::new(assisted, call.scope, call.command().clone());
    let unasked = world.app.cast_ballot(&call, world.forum, &[], false);
    refused(&world, "forums.confirmation_needed", unasked).await;
    world.app.cast_ballot(&call, world.forum, &[], true).await.unwrap();
    let status = world.app.get_voting_status(&world.voter(voter, election), world.forum).await.unwrap();
    assert!(status.voted && !status.paper_handed);
    world.close_and_count(election).await.unwrap();
    let counted = world.app.get_election_result(election).await.unwrap();
    assert_eq!(counted.constituencies[0].ballots, 1, "a blank ballot counts as cast");
}

#[tokio::test]
async fn counting_and_confirming() {
    let world = World::new(Store::Sqlite, small()).await;
    let election: ElectionId = world.open_small().await;
    for (index, person) in world.people[0].iter().enumerate().take(4) {
        world.cast(person, election, &[if index % 2 == 0 { 1 } else { 2 }]).await.unwrap();
    }
    world.on("2026-04-18");
    world.app.close_voting(&world.officer(0), election).await.unwrap();
    let officer = world.officer(0);
    let wrong_key = world.app.count_ballots(&officer, election, vec![7; 32].into());
    refused(&world, "forums.board_private_key", wrong_key).await;
    refused(&world, "forums.wrong_step", world.app.confirm_result(&world.officer(0), election)).await;
    world.count(election).await.unwrap();
    refused(&world, "forums.wrong_step", world.count(election)).await;
    refused(&world, "forums.wrong_step", world.app.confirm_result(&world.officer(0), election)).await;
    let place = municipality("889");
    refused(&world, "forums.lots_not_witnessed", world.app.draw_lots(&world.officer(0), election, place))
        .await;
    let number = WitnessNumber::new("6").unwrap();
    world.app.witness_lots(&world.officer(2), election, place, number.clone()).await.unwrap();
    let witness = world.officer(2);
    let again = world.app.witness_lots(&witness, election, place, number);
    refused(&world, "forums.tie_witnessed", again).await;
    world.app.draw_lots(&world.officer(0), election, place).await.unwrap();
    world.app.confirm_result(&world.officer(0), election).await.unwrap();
    let officer = world.officer(0);
    let late = world.app.annul_election(&officer, election, "The roll was wrong.".to_owned());
    refused(&world, "forums.wrong_step", late).await;
    let officer = world.officer(0);
    let vacancy = world.app.declare_vacancy(&officer, place, 2, VacancyReason::Left);
    refused(&world, "forums.no_such_seat", vacancy).await;
}

#[tokio::test]
async fn an_officer_of_another_forum_finds_no_election() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    let scope = Scope::Forum(world.ids.new_id());
    let stranger = Call::new(Caller::person(world.officers[0]), scope, world.command(world.officers[0]));
    refused(&world, "forums.no_such_election", world.app.list_paper_batches(&stranger, election)).await;
    let key = world.board_private.clone();
    let count = world.app.count_ballots(&stranger, election, key.into());
    refused(&world, "forums.no_such_election", count).await;
    let voter = &world.people[0][9];
    let paper = world.app.hand_paper_ballot(&stranger, election, voter.subject, voter.municipality);
    refused(&world, "forums.no_such_election", paper).await;
}

#[tokio::test]
async fn another_roll_of_the_same_election_is_not_passed_over_in_silence() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.announce(DATES, false).await;
    world.freeze_roll(election).await;
    let before = dump(&world.database).await;
    world.freeze_roll(election).await;
    let other = RollFrozen { election_id: election.to_string(), roll_hash: vec![6; 32], counts: Vec::new() };
    let refused = world.hear(&other).await.expect_err("it is parked");
    let why = refused.internal_text().unwrap_or_default();
    assert!(why.contains("another frozen roll"), "{why}");
    assert_eq!(dump(&world.database).await, before);
}
