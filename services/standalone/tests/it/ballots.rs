//! Ballots are made for any totals that ballots can have, and for no others.

use std::collections::HashSet;

use proptest::prelude::*;
use standalone::demo::{Impossible, ballots_for, example::PLACES};

/// Approvals by candidate, as counted from the ballots.
fn count(ballots: &[Vec<usize>], candidates: usize) -> Vec<u32> {
    let mut totals = vec![0; candidates];
    for candidate in ballots.iter().flatten() {
        totals[*candidate] += 1;
    }
    totals
}

proptest! {
    #[test]
    fn ballots_add_up_to_the_totals_exactly_when_they_can(
        totals in prop::collection::vec(0_u32..40, 0..15),
        ballots in 0_usize..45,
        most in 0_usize..10,
        seed in any::<u64>(),
    ) {
        let whole: u64 = totals.iter().copied().map(u64::from).sum();
        let too_many = totals.iter().any(|total| u64::from(*total) > ballots as u64);
        match ballots_for(&totals, ballots, most, seed) {
            Err(Impossible::MoreThanBallots) => prop_assert!(too_many),
            Err(Impossible::MoreThanPlaces) => prop_assert!(whole > (ballots * most) as u64),
            Ok(made) => {
                prop_assert!(!too_many && whole <= (ballots * most) as u64);
                prop_assert_eq!(made.len(), ballots);
                prop_assert_eq!(count(&made, totals.len()), totals);
                for ballot in &made {
                    prop_assert!(ballot.len() <= most);
                    let different: HashSet<&usize> = ballot.iter().collect();
                    prop_assert_eq!(different.len(), ballot.len());
                }
            }
        }
    }
}

/// Source: the table of scenario 1.
#[test]
fn s1_31_the_examples_totals_have_ballots_within_the_seats() {
    let contested = PLACES.iter().filter(|place| place.vote.ballots > 0);
    let sums: Vec<(&str, usize, u32)> = contested
        .map(|place| {
            let vote = place.vote;
            let ballots = ballots_for(vote.approvals, vote.ballots, place.seats as usize, 1).unwrap();
            assert_eq!(count(&ballots, vote.candidates), vote.approvals, "{}", place.name);
            (place.name, ballots.len(), vote.approvals.iter().sum())
        })
        .collect();
    assert_eq!(sums, [("Ii", 39, 227), ("Pudasjärvi", 33, 181), ("Utajärvi", 11, 37)]);
}
