//! The steps of an election, each allowed once, in order and on its days.

mod model;

use std::collections::BTreeMap;

use kernel::Uuid;
use kernel::deadline::parse_date;

use super::*;
use crate::domain::seat::{Holder, SeatEvent, SeatOrigin};
use crate::domain::tally::Outcome;

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

fn code(code: &str) -> MunicipalityCode {
    MunicipalityCode::new(code).unwrap()
}

fn witness() -> Subject {
    Subject::from_uuid(Uuid::from_u128(9))
}

fn schedule() -> Schedule {
    Schedule {
        nomination_opens_on: day("2026-03-02"),
        nomination_closes_on: day("2026-03-20"),
        voting_opens_on: day("2026-04-13"),
        voting_closes_on: day("2026-04-17"),
    }
}

fn quotas() -> Vec<SeatQuota> {
    [("139", 8), ("889", 4), ("751", 4)]
        .map(|(place, seats)| SeatQuota { municipality: code(place), seats })
        .to_vec()
}

fn announced() -> Election {
    let announcement = Announcement {
        schedule: schedule(),
        board_key: BoardPublicKey::from_stored([7; 32]),
        lots_commitment: "c".repeat(64),
        supplementary: false,
    };
    let (id, forum) = (ElectionId::from_uuid(Uuid::from_u128(1)), ForumId::from_uuid(Uuid::from_u128(2)));
    Election::announce(id, forum, announcement, &quotas(), day("2026-03-02")).unwrap()
}

fn with_candidates(counts: [u32; 3]) -> Election {
    let mut election = announced();
    for (constituency, candidates) in election.constituencies.iter_mut().zip(counts) {
        constituency.candidates = candidates;
    }
    election
}

fn step(election: Election, event: Result<ElectionEvent, Fault>) -> Election {
    let event = event.unwrap();
    election.apply(&event)
}

fn with_roll(election: Election) -> Election {
    let roll =
        election.take_roll([1; 32], vec![(code("139"), 46), (code("889"), 13), (code("751"), 12)]).unwrap();
    election.apply(&roll)
}

/// Contested in Ii and Utajärvi, uncontested in Simo; boxes closed with 39 and 11 ballots.
fn counting() -> Election {
    let election = with_roll(with_candidates([12, 6, 3]));
    let election = step(election.clone(), election.close_nominations(day("2026-03-21")));
    let election = step(election.clone(), election.open_voting(day("2026-04-13")));
    let ballots = vec![(code("139"), 39), (code("889"), 11)];
    step(election.clone(), election.close_voting(day("2026-04-18"), ballots))
}

fn tally(ballots: u32, approvals: &[u32]) -> Tally {
    let approvals: BTreeMap<u32, u32> = (1_u32..).zip(approvals.iter().copied()).collect();
    Tally { ballots, blank: 0, invalid: 0, approvals }
}

fn input(place: &str, ballots: u32, approvals: &[u32]) -> CountInput {
    let tally = tally(ballots, approvals);
    CountInput {
        municipality: code(place),
        opened: ballots,
        online_marks: ballots,
        paper: 0,
        paper_marks: 0,
        tally,
    }
}

fn inputs() -> Vec<CountInput> {
    vec![
        input("139", 39, &[31, 29, 27, 24, 22, 20, 19, 15, 15, 11, 8, 6]),
        input("889", 11, &[9, 8, 7, 6, 4, 3]),
    ]
}

fn code_of<T: std::fmt::Debug>(refused: Result<T, Fault>) -> String {
    refused.unwrap_err().code().to_owned()
}

#[test]
fn days_in_the_wrong_order_are_refused_each_with_its_field() {
    let wrong = Schedule {
        nomination_opens_on: day("2026-03-01"),
        nomination_closes_on: day("2026-02-20"),
        voting_opens_on: day("2026-02-20"),
        voting_closes_on: day("2026-02-19"),
    };
    let fault = wrong.check(day("2026-03-02")).unwrap_err();
    assert_eq!(fault.code(), "forums.election_dates");
    assert_eq!(fault.fields().len(), 4);
    assert!(schedule().check(day("2026-03-02")).is_ok());
    assert!(schedule().check(day("2026-03-03")).is_err(), "nominations cannot open in the past");
}

#[test]
fn nominations_are_open_from_their_first_to_their_last_day() {
    let election = announced();
    for (date, open) in
        [("2026-03-01", false), ("2026-03-02", true), ("2026-03-20", true), ("2026-03-21", false)]
    {
        assert_eq!(election.check_nominating(day(date)).is_ok(), open, "{date}");
    }
    assert_eq!(code_of(election.close_nominations(day("2026-03-20"))), "forums.nominations_still_open");
}

#[test]
fn f6_no_more_candidates_than_seats_is_uncontested() {
    let election = with_candidates([12, 4, 3]);
    let closed = step(election.clone(), election.close_nominations(day("2026-03-21")));
    assert_eq!(closed.contested().map(|one| one.municipality).collect::<Vec<_>>(), [code("139")]);
    assert_eq!(closed.phase, Phase::NominationsClosed);
    assert_eq!(code_of(closed.check_contested(code("751"))), "forums.uncontested");
}

#[test]
fn f6_without_any_contest_there_is_nothing_to_vote_on() {
    let election = with_candidates([8, 0, 3]);
    let closed = step(election.clone(), election.close_nominations(day("2026-03-21")));
    assert_eq!(closed.phase, Phase::Counted);
}

#[test]
fn voting_does_not_open_without_the_frozen_roll_or_outside_of_its_days() {
    let election = with_candidates([12, 6, 3]);
    let closed = step(election.clone(), election.close_nominations(day("2026-03-21")));
    assert_eq!(code_of(closed.open_voting(day("2026-04-13"))), "forums.roll_missing");
    let ready = with_roll(closed);
    assert_eq!(code_of(ready.open_voting(day("2026-04-12"))), "forums.voting_not_open");
    assert_eq!(code_of(ready.open_voting(day("2026-04-18"))), "forums.voting_not_open");
    assert!(ready.take_roll([2; 32], Vec::new()).is_none(), "a frozen roll does not change");
    let voting = step(ready.clone(), ready.open_voting(day("2026-04-13")));
    assert_eq!(voting.check_voting(code("139"), day("2026-04-17")).unwrap().eligible, Some(46));
    assert_eq!(code_of(voting.check_voting(code("139"), day("2026-04-18"))), "forums.voting_not_open");
    assert_eq!(code_of(voting.check_voting(code("751"), day("2026-04-14"))), "forums.uncontested");
    assert_eq!(
        code_of(voting.check_voting(code("615"), day("2026-04-14"))),
        "forums.municipality_does_not_elect"
    );
    assert_eq!(code_of(voting.close_voting(day("2026-04-17"), Vec::new())), "forums.voting_days_left");
}

#[test]
fn the_count_refuses_another_number_of_ballots_than_marks_and_names_both() {
    let mut inputs = inputs();
    inputs[0].opened = 40;
    let fault = counting().count(&inputs).unwrap_err();
    assert_eq!(fault.code(), "forums.box_mismatch");
    assert!(fault.message().contains("40") && fault.message().contains("39"));
    inputs[0].opened = 39;
    inputs[1].paper_marks = 2;
    let fault = counting().count(&inputs).unwrap_err();
    assert_eq!(fault.code(), "forums.paper_mismatch");
    assert!(fault.message().contains('0') && fault.message().contains('2'));
}

#[test]
fn the_count_refuses_more_marks_than_people_on_the_roll() {
    let inputs = |online: u32, paper: u32| {
        let one = input("889", online, &[9, 8, 7, 6, 4, 3]);
        [CountInput { paper, paper_marks: paper, ..one }]
    };
    assert!(counting().count(&inputs(11, 2)).is_ok(), "13 are on the roll");
    let fault = counting().count(&inputs(11, 3)).unwrap_err();
    assert_eq!(fault.code(), "forums.more_marks_than_voters");
    assert!(fault.message().contains("14") && fault.message().contains("13"), "{fault}");
    let mut unknown = counting();
    unknown.constituencies.iter_mut().for_each(|one| one.eligible = None);
    assert_eq!(code_of(unknown.count(&inputs(1, 0))), "forums.more_marks_than_voters");
}

#[test]
fn f5_a_tie_waits_for_the_witness_and_is_drawn_once() {
    let election = step(counting(), counting().count(&inputs()));
    assert_eq!(election.phase, Phase::TieByLot);
    let ii = code("139");
    assert_eq!(code_of(election.draw_lots(ii)), "forums.lots_not_witnessed");
    assert_eq!(code_of(election.draw_lots(code("889"))), "forums.no_tie");
    let number = WitnessNumber::new("4163").unwrap();
    let witnessed = step(election.clone(), election.witness(ii, number.clone(), witness()));
    assert_eq!(code_of(witnessed.witness(ii, number, witness())), "forums.tie_witnessed");
    let drawn = step(witnessed.clone(), witnessed.draw_lots(ii));
    assert_eq!(drawn.phase, Phase::Counted);
    assert_eq!(code_of(drawn.draw_lots(ii)), "forums.wrong_step");
}

#[test]
fn f5_no_lots_are_drawn_before_every_tie_of_the_election_is_witnessed() {
    let inputs = vec![inputs().remove(0), input("889", 11, &[9, 8, 7, 5, 5, 3])];
    let election = step(counting(), counting().count(&inputs));
    let number = WitnessNumber::new("1").unwrap();
    let one = step(election.clone(), election.witness(code("139"), number.clone(), witness()));
    let fault = one.draw_lots(code("139")).unwrap_err();
    assert_eq!(fault.code(), "forums.lots_not_witnessed");
    assert!(fault.message().contains("889"), "the seed would be known to the witness of 889");
    let both = step(one.clone(), one.witness(code("889"), number, witness()));
    let first = step(both.clone(), both.draw_lots(code("139")));
    assert_eq!(first.phase, Phase::TieByLot);
    let second = step(first.clone(), first.draw_lots(code("889")));
    assert_eq!(second.phase, Phase::Counted);
}

#[test]
fn f6_f7_confirmation_suppresses_small_tallies_and_dates_the_supplementary_election() {
    let clear = vec![input("139", 39, &[31, 29, 27, 24, 22, 20, 19, 15, 14, 11, 8, 6]), inputs().remove(1)];
    let election = step(counting(), counting().count(&clear));
    let outcome = |filled: u32, seats: u32| Outcome::uncontested(seats, filled);
    let outcomes = [(code("139"), outcome(8, 8)), (code("889"), outcome(4, 4)), (code("751"), outcome(3, 4))];
    let policy = ConfirmationPolicy { supplementary_days: 60, tally_threshold: 20 };
    let confirmed = step(election.clone(), election.confirm(&outcomes, policy, 0, day("2026-04-20")));
    let result = |place: &str| confirmed.constituency(code(place)).unwrap().confirmed.unwrap();
    assert!(!result("139").tally_suppressed, "39 ballots");
    assert!(result("889").tally_suppressed, "11 ballots");
    assert!(!result("751").tally_suppressed, "uncontested: no ballots to suppress");
    assert_eq!(result("751").supplementary_due_on, Some(day("2026-06-22")), "after Midsummer");
    assert_eq!((confirmed.phase, confirmed.forum_seats_filled), (Phase::Confirmed, Some(15)));
    assert_eq!(code_of(confirmed.annul("a reason long enough")), "forums.wrong_step");
}

#[test]
fn an_election_can_be_annulled_until_it_is_confirmed() {
    for election in [announced(), counting()] {
        assert_eq!(code_of(election.annul("short")), "forums.annul_reason");
        let annulled = step(election.clone(), election.annul("The roll was wrong."));
        assert_eq!(annulled.phase, Phase::Annulled);
        assert_eq!(code_of(annulled.annul("The roll was wrong.")), "forums.wrong_step");
    }
}

#[test]
fn a_supplementary_election_fills_the_empty_seats_only() {
    let charter = crate::domain::forum::tests::charter();
    let id = ForumId::from_uuid(Uuid::from_u128(2));
    let mut forum = Forum::found(id, charter.clone(), &[charter.tenant, charter.co_tenants[0]]).unwrap();
    assert_eq!(code_of(seats_to_fill(&forum, &[], false)), "forums.no_seat_plan");
    forum.state = ForumState::Active;
    forum.plan = quotas();
    let seat = |place: &str, number| Seat::new(code(place), number);
    let holder = Holder {
        reference: kernel::Subject::from_uuid(Uuid::from_u128(9)),
        name_public: false,
        election: ElectionId::from_uuid(Uuid::from_u128(1)),
    };
    let filled = SeatEvent::Filled { origin: SeatOrigin::Vote, holder };
    let seats = [seat("139", 1).apply(&filled), seat("751", 4)];
    assert_eq!(code_of(seats_to_fill(&forum, &seats, false)), "forums.already_elected");
    let quotas = seats_to_fill(&forum, &seats, true).unwrap();
    assert_eq!(quotas, [SeatQuota { municipality: code("751"), seats: 1 }]);
    assert_eq!(code_of(seats_to_fill(&forum, &seats[..1], true)), "forums.no_vacant_seats");
}
