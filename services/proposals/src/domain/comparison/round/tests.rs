use kernel::Uuid;
use kernel::policy::PolicyValue;
use time::macros::date;

use super::*;

fn charter() -> Charter {
    Charter {
        tenant: TenantId::new("19").unwrap(),
        forum: None,
        title: "Mielekäs päivä".to_owned(),
        opens_on: date!(2026 - 09 - 21),
        closes_on: date!(2026 - 09 - 30),
        own_ideas: true,
    }
}

fn prepared() -> Round {
    Round::prepare(Uuid::from_u128(1).into(), charter(), 6).unwrap()
}

fn in_state(state: RoundState) -> Round {
    Round { state, ..prepared() }
}

fn counted(comparisons: u64, sessions: u64) -> Round {
    let counts = Counts { comparisons, sessions, ..Counts::default() };
    Round { counts, ..in_state(RoundState::Closed) }
}

fn code<T: std::fmt::Debug>(refused: Result<T, Fault>) -> String {
    refused.unwrap_err().code().to_owned()
}

#[test]
fn a_round_has_4_to_60_ideas() {
    for (ideas, fine) in [(3, false), (4, true), (60, true), (61, false)] {
        assert_eq!(Round::prepare(Uuid::from_u128(1).into(), charter(), ideas).is_ok(), fine, "{ideas}");
    }
}

#[test]
fn a_round_has_a_name_and_days_in_their_order() {
    for (title, closes_on, field) in [
        ("ab", date!(2026 - 09 - 30), "title"),
        ("Kaksi\nriviä", date!(2026 - 09 - 30), "title"),
        ("Mielekäs päivä", date!(2026 - 09 - 20), "closes_on"),
        ("Mielekäs päivä", date!(2027 - 09 - 22), "closes_on"),
    ] {
        let refused = Charter { title: title.to_owned(), closes_on, ..charter() }.checked().unwrap_err();
        assert_eq!((refused.code(), refused.fields()[0].field.as_str()), ("proposals.round", field));
    }
    assert!(Charter { closes_on: date!(2026 - 09 - 21), ..charter() }.checked().is_ok());
}

#[test]
fn a_round_opens_on_one_of_its_days_once() {
    let round = prepared();
    assert_eq!(code(round.open(date!(2026 - 09 - 20))), "proposals.round_not_yet");
    assert_eq!(code(round.open(date!(2026 - 10 - 01))), "proposals.round_days_over");
    let open = round.clone().apply(round.open(date!(2026 - 09 - 21)).unwrap().unwrap());
    assert_eq!(open.state, RoundState::Open);
    assert_eq!(open.open(date!(2026 - 09 - 21)).unwrap(), None, "it is open already");
    for state in [RoundState::Closed, RoundState::Published] {
        assert_eq!(code(in_state(state).open(date!(2026 - 09 - 21))), "proposals.round_closed");
    }
}

#[test]
fn ideas_are_compared_while_it_is_open_and_its_days_last() {
    let open = in_state(RoundState::Open);
    assert!(open.check_open(date!(2026 - 09 - 30)).is_ok());
    assert_eq!(
        code(open.check_open(date!(2026 - 10 - 01))),
        "proposals.round_not_open",
        "whatever the timer does"
    );
    assert!(!open.is_due(date!(2026 - 09 - 30)) && open.is_due(date!(2026 - 10 - 01)));
    for state in [RoundState::Prepared, RoundState::Closed, RoundState::Published] {
        assert_eq!(code(in_state(state).check_open(date!(2026 - 09 - 25))), "proposals.round_not_open");
        assert!(!in_state(state).is_due(date!(2026 - 10 - 01)));
    }
}

#[test]
fn a_round_closes_once_and_only_if_it_was_open() {
    assert_eq!(code(prepared().close()), "proposals.round_not_open");
    assert_eq!(in_state(RoundState::Open).close().unwrap(), Some(RoundEvent::Closed));
    assert_eq!(in_state(RoundState::Closed).close().unwrap(), None);
    assert_eq!(in_state(RoundState::Published).close().unwrap(), None);
}

#[test]
fn no_ranking_is_published_under_30_comparisons_or_5_sessions() {
    let (today, policies) = (date!(2026 - 10 - 01), Policies::default());
    assert_eq!(code(counted(29, 5).publish(&policies, today)), "proposals.too_few_comparisons");
    assert_eq!(code(counted(30, 4).publish(&policies, today)), "proposals.too_few_sessions");
    assert_eq!(counted(30, 5).publish(&policies, today).unwrap(), Some(RoundEvent::Published));
    let value =
        PolicyValue { key: PolicyKey::RankingComparisons, value: 31, valid_from: date!(2026 - 10 - 01) };
    let stricter = Policies::new(vec![value]);
    assert_eq!(code(counted(30, 5).publish(&stricter, today)), "proposals.too_few_comparisons");
    let published = counted(30, 5).apply(RoundEvent::Published);
    assert_eq!(published.publish(&stricter, today).unwrap(), None, "what is public stays public");
    for state in [RoundState::Prepared, RoundState::Open] {
        assert_eq!(code(in_state(state).publish(&policies, today)), "proposals.round_still_open");
    }
}

#[test]
fn own_ideas_join_an_open_round_up_to_sixty() {
    let (open, today) = (in_state(RoundState::Open), date!(2026 - 09 - 25));
    let joined = open.clone().apply(open.join(today).unwrap());
    assert_eq!((joined.ideas, joined.joined_late), (7, 1));
    assert_eq!(code(Round { ideas: 60, ..open.clone() }.join(today)), "proposals.round_full");
    assert_eq!(code(in_state(RoundState::Closed).join(today)), "proposals.round_not_open");
    assert!(open.check_own_ideas().is_ok());
    let without = Round { charter: Charter { own_ideas: false, ..charter() }, ..open };
    assert_eq!(code(without.check_own_ideas()), "proposals.no_own_ideas");
}

#[test]
fn the_heaviest_hundredth_is_a_small_cell_at_least_and_leaves_one() {
    let left_out = [1, 5, 9, 10, 42, 500, 600, 66_667].map(|sessions| heaviest(sessions, 5));
    assert_eq!(left_out, [None, None, None, Some(5), Some(5), Some(5), Some(6), Some(666)]);
}

#[test]
fn a_round_held_elsewhere_is_closed_from_the_start() {
    let import =
        |ideas, today| Round::import(Uuid::from_u128(1).into(), charter(), ideas, Counts::default(), today);
    let round = import(2, date!(2026 - 09 - 30)).unwrap();
    assert!(round.imported && round.state == RoundState::Closed);
    assert!(import(1, date!(2026 - 09 - 30)).is_err());
    assert_eq!(import(2, date!(2026 - 09 - 29)).unwrap_err().fields()[0].field, "closed_on");
}

#[test]
fn a_round_with_proposals_takes_92_days_at_most() {
    for (closes_on, fine) in [(date!(2026 - 12 - 21), true), (date!(2026 - 12 - 22), false)] {
        assert_eq!(Charter { closes_on, ..charter() }.check_for_proposals().is_ok(), fine, "{closes_on}");
    }
}

#[test]
fn a_prepared_round_is_corrected_and_an_open_one_is_not() {
    let corrected = prepared().correct(charter(), 4).unwrap();
    assert_eq!((corrected.id, corrected.ideas), (prepared().id, 4));
    assert_eq!(code(prepared().correct(charter(), 3)), "proposals.ideas_of_round");
    for state in [RoundState::Open, RoundState::Closed, RoundState::Published] {
        assert_eq!(code(in_state(state).correct(charter(), 4)), "proposals.round_not_prepared");
    }
}

#[test]
fn a_round_of_which_ideas_were_taken_out_opens_with_four_at_least() {
    let mut round = Round { ideas: 5, ..prepared() }.apply(RoundEvent::IdeaRemoved);
    assert_eq!(round.ideas_in_it(), 4);
    assert!(round.open(date!(2026 - 09 - 21)).unwrap().is_some());
    round = round.apply(RoundEvent::IdeaRemoved);
    assert_eq!(code(round.open(date!(2026 - 09 - 21))), "proposals.too_few_ideas");
}

#[test]
fn visits_are_kept_until_the_ranking_is_public_or_thirty_days() {
    let closed = in_state(RoundState::Closed);
    assert!(!closed.visits_are_over(date!(2026 - 10 - 30)) && closed.visits_are_over(date!(2026 - 10 - 31)));
    assert!(in_state(RoundState::Published).visits_are_over(date!(2026 - 09 - 22)));
    for state in [RoundState::Prepared, RoundState::Open] {
        assert!(!in_state(state).visits_are_over(date!(2027 - 10 - 31)));
    }
}
