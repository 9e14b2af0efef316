//! Scenario 1's figures, and random elections.

use kernel::{ElectionId, MunicipalityCode, Uuid};
use proptest::prelude::*;

use super::*;
use crate::domain::lots::{LotsSeed, WitnessNumber};

fn tally(approvals: &[u32]) -> Tally {
    let numbers = 1_u32..;
    Tally { ballots: 39, blank: 0, invalid: 0, approvals: numbers.zip(approvals.iter().copied()).collect() }
}

fn outcome_with(tally: &Tally, seats: u32, seed: u8, witness: &str) -> Outcome {
    let seed = LotsSeed::new([seed; 32]);
    let witness = WitnessNumber::new(witness).unwrap();
    let election = ElectionId::from_uuid(Uuid::from_u128(1));
    let municipality = MunicipalityCode::new("139").unwrap();
    tally.outcome(seats, &Draw { seed: &seed, election, municipality, witness: &witness })
}

#[test]
fn f5_ii_has_seven_members_outright_and_a_tie_at_the_eighth_seat() {
    let ii = tally(&[31, 29, 27, 24, 22, 20, 19, 15, 15, 11, 8, 6]);
    assert_eq!(ii.tie(8), Some(Tie { numbers: vec![8, 9], seats_left: 1 }));
    let outcome = outcome_with(&ii, 8, 1, "4163");
    let by_lots: Vec<_> = outcome.elected.iter().filter(|one| one.origin == SeatOrigin::Lots).collect();
    assert_eq!((outcome.elected.len(), by_lots.len(), outcome.vacant), (8, 1, 0));
    let loser = 17 - by_lots[0].number;
    assert_eq!(outcome.deputies, [loser, 10, 11, 12], "the loser of the lots is the first deputy");
}

#[test]
fn f5_no_lots_where_the_last_seat_is_clear() {
    let pudasjarvi = tally(&[28, 26, 25, 23, 21, 18, 17, 14, 9]);
    assert_eq!(pudasjarvi.tie(8), None);
    let outcome = outcome_with(&pudasjarvi, 8, 1, "1");
    assert_eq!(outcome.deputies, [9]);
    assert!(outcome.elected.iter().all(|one| one.origin == SeatOrigin::Vote));
}

#[test]
fn f5_equal_members_who_are_all_elected_need_no_lots() {
    let even = tally(&[9, 5, 5, 3]);
    assert_eq!(even.tie(3), None);
    assert!(!even.deputies_need_lots(3));
    assert!(tally(&[9, 5, 3, 3]).deputies_need_lots(2));
}

#[test]
fn f5_nobody_voted_and_everything_is_decided_by_lots() {
    let none = Tally::empty(5);
    assert_eq!(none.tie(2), Some(Tie { numbers: vec![1, 2, 3, 4, 5], seats_left: 2 }));
    assert_eq!(outcome_with(&none, 2, 3, "7").elected.len(), 2);
}

#[test]
fn f5_the_lots_are_the_published_formula() {
    // Computed with another program: printf 'osallisuus-lots-v1|…' | sha256sum.
    let seed = LotsSeed::new([0xab; 32]);
    assert_eq!(seed.commitment(), "b4e40280d31ebf0025ed60b9a4f9484c70620866cf997bef52d47a6d295314a1");
    let witness = WitnessNumber::new("4163").unwrap();
    let election = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b".parse().unwrap();
    let municipality = MunicipalityCode::new("139").unwrap();
    let draw = Draw { seed: &seed, election, municipality, witness: &witness };
    assert_eq!(draw.lot(8), "5c9a82f2ae4e21809eb40aeecbf236a02a3d563f873b5b0b21ac4551dc1e0281");
}

#[test]
fn f6_three_candidates_for_four_seats_leave_one_vacant() {
    let simo = Outcome::uncontested(4, 3);
    assert_eq!((simo.elected.len(), simo.vacant, simo.deputies.len()), (3, 1, 0));
    assert!(simo.elected.iter().all(|one| one.origin == SeatOrigin::Uncontested));
}

#[test]
fn an_elected_person_who_left_before_confirmation_is_followed_by_the_first_deputy() {
    let outcome =
        outcome_with(&tally(&[9, 8, 7, 6, 4, 3]), 4, 1, "1").without(|number| number == 2 || number == 5);
    let numbers: Vec<u32> = outcome.elected.iter().map(|one| one.number).collect();
    assert_eq!((numbers, outcome.deputies, outcome.vacant), (vec![1, 3, 4, 6], vec![], 0));
    assert_eq!(outcome.elected[3].origin, SeatOrigin::Deputy);
}

proptest! {
    #[test]
    fn f5_f6_random_elections(
        approvals in proptest::collection::vec(0_u32..12, 1..30),
        seats in 1_u32..15,
        seed: u8,
        witness in 0_u32..1000,
    ) {
        let tally = tally(&approvals);
        let outcome = outcome_with(&tally, seats, seed, &witness.to_string());
        let again = outcome_with(&tally, seats, seed, &witness.to_string());
        prop_assert_eq!(&outcome, &again, "lots are deterministic");

        let candidates = u32::try_from(approvals.len()).unwrap();
        prop_assert_eq!(u32::try_from(outcome.elected.len()).unwrap() + outcome.vacant, seats, "filled or vacant");
        prop_assert_eq!(outcome.elected.len() + outcome.deputies.len(), approvals.len(), "nobody is lost");
        let of = |number: &u32| tally.approvals[number];
        let weakest = outcome.elected.iter().map(|one| of(&one.number)).min().unwrap_or(0);
        let strongest = outcome.deputies.iter().map(of).max().unwrap_or(0);
        prop_assert!(weakest >= strongest, "winners have the most approvals");
        prop_assert!(outcome.deputies.iter().map(of).is_sorted_by(|a, b| a >= b), "deputies are in order");

        match tally.tie(seats) {
            Some(tie) => {
                prop_assert!(tie.seats_left >= 1 && usize::try_from(tie.seats_left).unwrap() < tie.numbers.len());
                let drawn = outcome.elected.iter().filter(|one| one.origin == SeatOrigin::Lots).count();
                prop_assert_eq!(u32::try_from(drawn).unwrap(), tie.seats_left);
            }
            None => {
                prop_assert!(candidates <= seats || weakest > strongest);
                // Without a tie at the last seat the witness's number does not matter for who is elected.
                let other = outcome_with(&tally, seats, seed.wrapping_add(1), "999999");
                prop_assert_eq!(other.elected, outcome.elected);
            }
        }
    }
}
