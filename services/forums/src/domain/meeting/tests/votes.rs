//! When a vote is closed.

use super::*;

#[test]
fn f10_a_vote_waits_for_everybody_present_and_a_few_never_decide() {
    let (item, meeting) = (item(true).id, meeting().id);
    let full = turnout([7, 6, 2, 4, 3]);
    let of = |votes_for| {
        let tally = Tally { votes_for, ..Tally::default() };
        Vote { tally, ..Vote::open(item, meeting, &full).unwrap() }
    };
    let missing = of(21).close(marks(21), &full, false).unwrap_err();
    assert_eq!(missing.code(), "forums.votes_missing");
    assert!(missing.message().starts_with("1 of the seats"), "{missing}");
    assert!(!of(21).close(marks(21), &full, true).unwrap().is_open);
    let emptied = Marks { all: 22, standing: 21 };
    assert_eq!(
        code(of(22).close(emptied, &full, false)),
        "forums.votes_missing",
        "another seat has not voted"
    );
    let half = full.seats_filled / 2;
    assert_eq!(code(of(half).close(marks(half), &full, true)), "forums.too_few_votes");
    assert_eq!(
        code(of(1).close(marks(1), &full, true)),
        "forums.too_few_votes",
        "its sums would tell whose it is"
    );
    assert!(!of(half + 1).close(marks(half + 1), &full, true).unwrap().is_open);
}
