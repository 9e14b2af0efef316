//! Scenario 1: the Oulunkaari client forum is elected by the clients themselves, municipality by municipality
//! (S1.29–S1.38), and Simo's empty seat by a supplementary election.

use std::collections::BTreeMap;

use proto::forums::{
    ElectionState, GetElectionRequest, GetElectionResultRequest, GetElectionResultResponse, GetForumRequest,
    ListSeatsRequest, SeatOrigin, SeatState,
};
use proto::membership::GetRollSummaryRequest;
use standalone::demo::Contest;

use crate::support::stream::{self, Message};
use crate::support::world::World;

/// One line of the result: seats, eligible, candidates, uncontested, ballots, turnout, elected, deputies, vacant.
type Line = (u32, u32, u32, bool, u32, u32, u32, u32, u32);

/// The result of the first election, as everybody may see it.
pub(super) async fn check_first_result(world: &World, contest: &Contest) {
    let result = result(world, contest).await;
    let lines: Vec<(String, Line)> =
        result.constituencies.iter().map(|one| (one.municipality.clone(), line(one))).collect();
    let expected: [(&str, Line); 5] = [
        ("139", (8, 46, 12, false, 39, 8478, 8, 4, 0)),
        ("615", (8, 41, 9, false, 33, 8049, 8, 1, 0)),
        ("751", (4, 12, 3, true, 0, 0, 3, 0, 1)),
        ("785", (4, 15, 4, true, 0, 0, 4, 0, 0)),
        ("889", (4, 13, 6, false, 11, 8462, 4, 2, 0)),
    ];
    let mut sorted = lines.clone();
    sorted.sort();
    assert_eq!(sorted, expected.map(|(code, line)| (code.to_owned(), line)));

    let at = |code: &str| {
        result.constituencies.iter().find(|one| one.municipality == code).expect("a municipality")
    };
    let approvals = |code: &str| at(code).tally.iter().map(|tally| tally.approvals).collect::<Vec<_>>();
    assert_eq!(approvals("139"), [31, 29, 27, 24, 22, 20, 19, 15, 15, 11, 8, 6]);
    assert_eq!(approvals("139").iter().sum::<u32>(), 227);
    assert_eq!(approvals("615"), [28, 26, 25, 23, 21, 18, 17, 14, 9]);
    assert_eq!(approvals("615").iter().sum::<u32>(), 181);
    let suppressed: Vec<&str> = result
        .constituencies
        .iter()
        .filter(|one| one.tally_suppressed)
        .map(|one| one.municipality.as_str())
        .collect();
    assert_eq!(suppressed, ["889"], "eleven ballots are fewer than 20 (F7)");

    let lots = at("139").lots.as_ref().expect("lots were drawn in Ii (F5)");
    assert_eq!((lots.order.len(), lots.seats_left), (2, 1));
    let tied: Vec<u32> =
        at("139").tally.iter().filter(|tally| tally.approvals == 15).map(|tally| tally.number).collect();
    assert!(
        lots.order.iter().all(|number| tied.contains(number)),
        "the lots are between those with 15 approvals"
    );
    for (code, one) in result.constituencies.iter().map(|one| (one.municipality.as_str(), one)) {
        assert_eq!(one.lots.is_some(), code == "139", "lots in {code}");
        let due = if code == "751" { "2026-06-22" } else { "" };
        assert_eq!(one.supplementary_due_on, due, "a supplementary election in {code}");
    }
    let elected: Vec<u32> = at("139").elected_candidates.iter().map(|elected| elected.number).collect();
    assert!(elected.contains(&lots.order[0]), "the first of the order drawn has the seat");
    assert!(!elected.contains(&lots.order[1]), "the second does not");

    assert_eq!((result.seats_filled, result.seats_total), (27, 28));
    assert_eq!(result.seats_filled_bp, 9643, "K1 is 96.43 %");
    assert_eq!(result.turnout_bp, 8300, "K2 is 83.00 %");
    let contested = result.constituencies.iter().filter(|one| !one.uncontested);
    let sums = contested.fold((0, 0), |sums, one| (sums.0 + one.ballots, sums.1 + one.eligible));
    assert_eq!(sums, (83, 100), "ballots of eligible where people voted");
}

/// The roll as everybody may look at it: the hash that forums heard of, and a table that is still so.
pub(super) async fn check_roll(world: &World, contest: &Contest) {
    let request = GetRollSummaryRequest { election_id: contest.election_id.clone() };
    let summary = world.public().rolls().get_roll_summary(request).await.expect("a roll").into_inner();
    let counts: Vec<(&str, u32)> =
        summary.counts.iter().map(|count| (count.municipality.as_str(), count.count)).collect();
    assert_eq!(counts, [("139", 46), ("615", 41), ("751", 12), ("785", 15), ("889", 13)]);
    let request = GetElectionRequest { election_id: contest.election_id.clone() };
    let election = world.public().elections().get_election(request).await.expect("the election");
    assert_eq!(summary.roll_hash, election.into_inner().election.expect("the election").roll_hash);
    assert!(summary.matches && summary.hash_now == summary.roll_hash);
}

/// The seats after the first election.
pub(super) async fn check_first_seats(world: &World, forum_id: &str) {
    let seats = seats(world, forum_id).await;
    let seats_of = |code: &str, origin| *seats.get(&(code.to_owned(), origin)).unwrap_or(&0);
    assert_eq!(seats_of("139", SeatOrigin::Vote), 7, "seven are elected outright in Ii");
    assert_eq!(seats_of("139", SeatOrigin::Lots), 1, "and one by lots");
    assert_eq!(seats_of("615", SeatOrigin::Vote), 8);
    assert_eq!(seats_of("889", SeatOrigin::Vote), 4);
    assert_eq!(seats_of("785", SeatOrigin::Uncontested), 4);
    assert_eq!(seats_of("751", SeatOrigin::Uncontested), 3);
    assert_eq!(seats_of("751", SeatOrigin::Unspecified), 1, "one seat of Simo is empty");
    assert_eq!(seats.values().sum::<u32>(), 28);
    let empty = world.public().forums().list_seats(ListSeatsRequest { forum_id: forum_id.to_owned() }).await;
    let empty =
        empty.expect("seats").into_inner().seats.into_iter().find(|seat| seat.state() != SeatState::Filled);
    let empty = empty.expect("an empty seat");
    assert_eq!((empty.municipality.as_str(), empty.supplementary_due_on.as_str()), ("751", "2026-06-22"));
}

/// After the supplementary election the forum is whole.
pub(super) async fn check_second_result(world: &World, contest: &Contest, forum_id: &str) {
    let result = result(world, contest).await;
    let lines: Vec<(String, Line)> =
        result.constituencies.iter().map(|one| (one.municipality.clone(), line(one))).collect();
    let [(code, (vacancies, eligible, candidates, uncontested, .., elected, deputies, vacant))] = &lines[..]
    else {
        panic!("only Simo elects again: {lines:?}");
    };
    assert_eq!((code.as_str(), *vacancies, *eligible, *candidates, *uncontested), ("751", 1, 12, 2, false));
    assert_eq!((*elected, *deputies, *vacant), (1, 1, 0));
    assert_eq!((result.seats_filled, result.seats_total, result.seats_filled_bp), (28, 28, 10_000));
    let forum = world.public().forums().get_forum(GetForumRequest { forum_id: forum_id.to_owned() }).await;
    let forum = forum.expect("the forum").into_inner().forum.expect("the forum");
    assert_eq!((forum.seats_filled, forum.seats_total), (28, 28));
    assert!(seats(world, forum_id).await.keys().all(|(_, origin)| *origin != SeatOrigin::Unspecified));
}

/// What a subscriber outside of the platform has learnt from all of it.
pub(super) fn check_events(messages: &[Message], first: &Contest, again: &Contest, forum_id: &str) {
    let lanes = stream::lanes(messages);
    let forums = &lanes["forums.19"];
    let of = |kind: &str| forums.iter().filter(|message| message.kind() == kind).collect::<Vec<_>>();
    let mut facts = forums.iter().filter(|message| message.kind() != "Watermark");
    assert!(facts.all(|message| message.header("ce-cotenants") == "21"), "the forum is joint with Lapland");

    assert_eq!(of("ForumFounded").len(), 1);
    assert_eq!(of("SeatPlanApproved").iter().map(|event| event.number("total")).collect::<Vec<_>>(), [28]);
    assert_eq!(of("ElectionAnnounced").len(), 2);
    assert_eq!(of("NominationClosed").len(), 2);
    assert_eq!(of("VotingOpened").len(), 2);
    let mut closed: Vec<(String, u64, u64)> = of("VotingClosed")
        .iter()
        .map(|event| (event.text("municipality"), event.number("ballots"), event.number("eligible")))
        .collect();
    closed.sort();
    let expected = [("139", 39, 46), ("615", 33, 41), ("751", 10, 12), ("889", 11, 13)];
    assert_eq!(closed, expected.map(|(code, ballots, eligible)| (code.to_owned(), ballots, eligible)));
    let lots: Vec<String> = of("LotsDrawn").iter().map(|event| event.text("municipality")).collect();
    assert_eq!(lots, ["139"], "lots were drawn once");
    let confirmed: Vec<(String, u64, u64)> = of("ElectionConfirmed")
        .iter()
        .map(|event| (event.text("election_id"), event.number("filled"), event.number("vacant")))
        .collect();
    assert_eq!(confirmed, [(first.election_id.clone(), 27, 1), (again.election_id.clone(), 1, 0)]);
    let called: Vec<(String, u64, String)> = of("SupplementaryElectionCalled")
        .iter()
        .map(|event| (event.text("municipality"), event.number("seats"), event.text("due_on")))
        .collect();
    assert_eq!(called, [("751".to_owned(), 1, "2026-06-22".to_owned())]);

    let filled = of("SeatFilled");
    let again_announced = forums.iter().position(|message| {
        message.kind() == "ElectionAnnounced" && message.text("election_id") == again.election_id
    });
    let before = &forums[..again_announced.expect("a supplementary election")];
    assert_eq!(before.iter().filter(|message| message.kind() == "SeatFilled").count(), 27);
    assert_eq!(filled.len(), 28, "27 by the first election, one by the second");
    assert!(filled.iter().all(|event| event.text("forum_id") == forum_id));
    let mut seats: Vec<(String, u64)> =
        filled.iter().map(|event| (event.text("municipality"), event.number("seat_no"))).collect();
    seats.sort();
    seats.dedup();
    assert_eq!(seats.len(), 28, "no seat is filled twice");

    let rolls = lanes["membership.19"].iter().filter(|message| message.kind() == "RollFrozen").count();
    assert_eq!(rolls, 2, "a roll for each election");
}

/// Variant 1b for a subscriber: 24 seats, and no other county has a part in it.
pub(super) fn check_events_of_one_county(messages: &[Message]) {
    let facts = messages.iter().filter(|message| message.subject.starts_with("evt.v1.forums."));
    let facts: Vec<&Message> = facts.filter(|message| message.kind() != "Watermark").collect();
    let plans = facts.iter().filter(|message| message.kind() == "SeatPlanApproved");
    assert_eq!(plans.map(|event| event.number("total")).collect::<Vec<_>>(), [24]);
    assert_eq!(facts.iter().filter(|message| message.kind() == "ForumFounded").count(), 1);
    let joint = facts.iter().find(|message| !message.header("ce-cotenants").is_empty());
    assert!(joint.is_none(), "the forum is of one county: {joint:?}");
}

async fn result(world: &World, contest: &Contest) -> GetElectionResultResponse {
    let request = GetElectionResultRequest { election_id: contest.election_id.clone() };
    let result =
        world.public().elections().get_election_result(request).await.expect("a result").into_inner();
    assert_eq!(result.election.as_ref().map(|election| election.state()), Some(ElectionState::Confirmed));
    result
}

async fn seats(world: &World, forum_id: &str) -> BTreeMap<(String, SeatOrigin), u32> {
    let request = ListSeatsRequest { forum_id: forum_id.to_owned() };
    let seats = world.public().forums().list_seats(request).await.expect("seats").into_inner().seats;
    let mut counts = BTreeMap::new();
    for seat in seats {
        *counts.entry((seat.municipality.clone(), seat.origin())).or_default() += 1;
    }
    counts
}

fn line(one: &proto::forums::ConstituencyResult) -> Line {
    (
        one.seats,
        one.eligible,
        one.candidates,
        one.uncontested,
        one.ballots,
        one.turnout_bp,
        one.elected,
        one.deputies,
        one.vacant,
    )
}
