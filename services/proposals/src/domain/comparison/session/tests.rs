use proptest::prelude::*;

use super::*;

fn session() -> Session {
    Session::start(SessionToken::new([7; 32]).hash(), Uuid::from_u128(1).into(), None)
}

fn offer(number: u32, answer: Option<Answer>) -> Offer {
    let left = u16::try_from(number).unwrap();
    Offer { number, pair: Pair { left, right: left + 1 }, answer }
}

fn code<T: std::fmt::Debug>(refused: Result<T, Fault>) -> String {
    refused.unwrap_err().code().to_owned()
}

#[test]
fn only_the_hash_of_a_token_says_whose_session_it_is() {
    let token = SessionToken::new([7; 32]);
    assert_eq!(token.reveal().len(), 64);
    assert_eq!(SessionToken::read(token.reveal()).unwrap().hash(), token.hash());
    assert_ne!(SessionToken::new([8; 32]).hash(), token.hash());
    assert_eq!(format!("{token:?}"), "SessionToken");
    for wrong in ["", "ab", &"A".repeat(64), &"g".repeat(64), &"a".repeat(63)] {
        assert_eq!(SessionToken::read(wrong).unwrap_err().fields()[0].field, "session_token");
    }
}

#[test]
fn each_pair_of_each_session_has_a_seed_of_its_own() {
    let (one, other) = (SessionToken::new([7; 32]).hash(), SessionToken::new([8; 32]).hash());
    assert_eq!(one.seed(1), one.seed(1));
    assert!(one.seed(1) != one.seed(2) && one.seed(1) != other.seed(1));
}

#[test]
fn the_pair_that_waits_is_answered_once() {
    let offers = [offer(1, Some(Answer::Left)), offer(2, None)];
    let change = session().answer(&offers, 2, Answer::Right, false).unwrap().unwrap();
    assert_eq!((change.offer.answer, change.added, change.sessions), (Some(Answer::Right), true, 1));
    assert_eq!(session().answer(&offers, 1, Answer::Left, false).unwrap(), None, "done already");
    assert_eq!(code(session().answer(&offers, 1, Answer::Right, false)), "proposals.pair_answered");
    for unknown in [0, 3] {
        assert_eq!(
            code(session().answer(&offers, unknown, Answer::Left, false)),
            "proposals.pair_not_waiting"
        );
    }
}

#[test]
fn a_pair_with_an_idea_that_was_taken_out_waits_no_more() {
    let offers = vec![offer(1, Some(Answer::Left)), offer(2, None), offer(4, None)];
    let numbers = |left: Vec<Offer>| left.iter().map(|offer| offer.number).collect::<Vec<_>>();
    assert_eq!(
        numbers(still_there(offers.clone(), |idea| idea != 3)),
        [1, 4],
        "the answer to the first stays"
    );
    assert_eq!(numbers(still_there(offers.clone(), |idea| idea != 1)), [1, 2, 4]);
    assert_eq!(numbers(still_there(offers, |_| true)), [1, 2, 4]);
}

#[test]
fn a_pair_shown_later_waits_for_its_turn() {
    let offers = [offer(1, None), offer(2, None)];
    assert_eq!(waiting(&offers).unwrap().number, 1);
    assert_eq!(code(session().answer(&offers, 2, Answer::Left, false)), "proposals.pair_not_waiting");
}

#[test]
fn the_latest_answer_is_taken_back_once() {
    let answered =
        session().apply(&session().answer(&[offer(1, None)], 1, Answer::Left, true).unwrap().unwrap());
    assert_eq!((answered.comparisons, answered.latest), (1, Latest::Assisted));
    let offers = [offer(1, Some(Answer::Left)), offer(2, None)];
    let change = answered.undo(&offers, 1).unwrap().unwrap();
    assert_eq!(
        (change.offer.answer, change.added, change.assisted, change.sessions),
        (None, false, true, -1)
    );
    let undone = answered.apply(&change);
    assert_eq!((undone.comparisons, undone.latest), (0, Latest::None));
    assert_eq!(undone.undo(&[offer(1, None), offer(2, None)], 1).unwrap(), None, "it waits already");
}

#[test]
fn nothing_but_the_latest_answer_is_taken_back() {
    let offers = [offer(1, Some(Answer::Left)), offer(2, Some(Answer::Right)), offer(3, None)];
    let answered = Session { comparisons: 2, latest: Latest::Alone, ..session() };
    assert_eq!(code(answered.undo(&offers, 1)), "proposals.nothing_to_undo");
    assert!(answered.undo(&offers, 2).unwrap().is_some());
    assert_eq!(
        code(Session { latest: Latest::None, ..answered.clone() }.undo(&offers, 2)),
        "proposals.nothing_to_undo"
    );
    assert_eq!(code(answered.undo(&[], 1)), "proposals.nothing_to_undo");
}

#[test]
fn a_skip_is_no_comparison_and_its_reason_is_from_the_list() {
    let skip = Answer::Skipped(SkipReason::CannotSay);
    let change = session().answer(&[offer(1, None)], 1, skip, false).unwrap().unwrap();
    assert_eq!(change.sessions, 0, "who only skips has not compared");
    let skipped = session().apply(&change);
    assert_eq!(skipped.comparisons, 0);
    let other = Answer::Skipped(SkipReason::BothBad);
    assert_eq!(code(skipped.answer(&[offer(1, Some(skip))], 1, other, false)), "proposals.pair_answered");
    let names = SkipReason::ALL.map(SkipReason::as_str);
    assert_eq!(names, ["cannot_say", "both_good", "both_bad", "not_understood"]);
}

#[test]
fn a_session_adds_three_ideas_at_most() {
    let mut session = session();
    for _ in 0..3 {
        session = session.add_own_idea().unwrap();
    }
    assert_eq!(code(session.add_own_idea()), "proposals.own_ideas_of_session");
}

proptest! {
    /// However a session answers and takes back, its count is that of its answers.
    #[test]
    fn the_count_is_that_of_the_answers(acts in proptest::collection::vec((0_u8..3, any::<bool>()), 1..40)) {
        let mut session = session();
        let mut offers = vec![offer(1, None)];
        let (mut sessions, mut assisted_total) = (0, 0);
        for (act, assisted) in acts {
            let number = waiting(&offers).unwrap().number;
            let change = match act {
                0 => session.answer(&offers, number, Answer::Left, assisted).unwrap(),
                1 => session.answer(&offers, number, Answer::Skipped(SkipReason::BothGood), assisted).unwrap(),
                _ => session.undo(&offers, number.saturating_sub(1)).unwrap_or_default(),
            };
            let Some(change) = change else { continue };
            let index = usize::try_from(change.offer.number).unwrap() - 1;
            offers[index] = change.offer;
            session = session.apply(&change);
            sessions += change.sessions;
            if change.answer.is_comparison() && change.assisted {
                assisted_total += if change.added { 1 } else { -1 };
            }
            if waiting(&offers).is_none() {
                offers.push(offer(u32::try_from(offers.len()).unwrap() + 1, None));
            }
            let compared = offers.iter().filter(|offer| offer.answer.is_some_and(Answer::is_comparison)).count();
            prop_assert_eq!(session.comparisons as usize, compared);
            prop_assert_eq!(sessions, i64::from(compared > 0));
            prop_assert!(assisted_total >= 0 && assisted_total <= i64::from(session.comparisons));
        }
    }
}
