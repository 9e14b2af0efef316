//! Which pair comes next: of the ideas shown least so far one that this session has not seen with the other, so that all
//! ideas get their turn; left and right by chance, so that neither side helps. An idea does not come twice running as long
//! as there are others: one that joined late would be in every pair until it has caught up.

use std::collections::BTreeSet;

use rand::Rng as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::IdeaNo;

/// The most pairs one session is shown.
const MOST_PAIRS: usize = 15;

/// Two ideas side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Shown first.
    pub left: IdeaNo,
    /// Shown second.
    pub right: IdeaNo,
}

impl Pair {
    /// The two in the order of their numbers: the same pair whichever way it is shown.
    pub fn ordered(self) -> (IdeaNo, IdeaNo) {
        (self.left.min(self.right), self.left.max(self.right))
    }

    /// Whether an idea is in both pairs.
    fn shares_with(self, other: Pair) -> bool {
        [self.left, self.right].iter().any(|idea| *idea == other.left || *idea == other.right)
    }
}

/// An idea and how often it was shown in the whole round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The idea.
    pub idea: IdeaNo,
    /// How often it was shown, to whomever, and answered or skipped.
    pub times: u64,
}

/// How many pairs a session is shown at most: 15, or all there are.
pub fn most_pairs(ideas: usize) -> usize {
    MOST_PAIRS.min(ideas * ideas.saturating_sub(1) / 2)
}

/// The next pair; none when the session has seen as many as it may. `seen` has the latest one last. The same seed gives
/// the same pair.
pub fn next(ideas: &[Shown], seen: &[Pair], seed: [u8; 32]) -> Option<Pair> {
    // Pairs with an idea that was taken out since are among those seen, so all there are is judged by what is left below.
    if seen.len() >= MOST_PAIRS {
        return None;
    }
    let latest = seen.last().copied();
    let seen: BTreeSet<(IdeaNo, IdeaNo)> = seen.iter().map(|pair| pair.ordered()).collect();
    let mut least = (true, u64::MAX, u64::MAX);
    let mut candidates: Vec<Pair> = Vec::new();
    for (index, one) in ideas.iter().enumerate() {
        for other in &ideas[index + 1..] {
            let pair = Pair { left: one.idea, right: other.idea };
            let again = latest.is_some_and(|latest| latest.shares_with(pair));
            let times = (again, one.times.min(other.times), one.times.max(other.times));
            if times > least || seen.contains(&pair.ordered()) {
                continue;
            }
            if times < least {
                least = times;
                candidates.clear();
            }
            candidates.push(pair);
        }
    }
    let mut random = ChaCha8Rng::from_seed(seed);
    let count = candidates.len();
    let Pair { left, right } = *candidates.get(random.random_range(0..count.max(1)))?;
    Some(if random.random() { Pair { left, right } } else { Pair { left: right, right: left } })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn shown(times: &[u64]) -> Vec<Shown> {
        times.iter().zip(1..).map(|(times, idea)| Shown { idea, times: *times }).collect()
    }

    #[test]
    fn a_session_is_shown_fifteen_pairs_or_all_there_are() {
        assert_eq!([0, 1, 2, 4, 5, 6, 7, 60].map(most_pairs), [0, 0, 1, 6, 10, 15, 15, 15]);
    }

    #[test]
    fn the_two_ideas_shown_least_come_next_on_either_side() {
        let ideas = shown(&[5, 2, 9, 3]);
        let pairs: Vec<Pair> = (0..50).filter_map(|seed| next(&ideas, &[], [seed; 32])).collect();
        assert!(pairs.iter().all(|pair| pair.ordered() == (2, 4)));
        assert!(pairs.iter().any(|pair| pair.left == 2) && pairs.iter().any(|pair| pair.left == 4));
    }

    #[test]
    fn a_pair_that_was_seen_does_not_come_again_whichever_way_it_was_shown() {
        let ideas = shown(&[0, 0, 7, 8]);
        let between = Pair { left: 4, right: 3 };
        for seen in [Pair { left: 1, right: 2 }, Pair { left: 2, right: 1 }] {
            let pair = next(&ideas, &[seen, between], [3; 32]).unwrap();
            assert!(pair.ordered() == (1, 3) || pair.ordered() == (2, 3), "{pair:?}");
        }
    }

    #[test]
    fn pairs_with_an_idea_that_was_taken_out_do_not_stand_for_those_of_the_others() {
        let ideas = shown(&[3, 3, 3, 3]);
        let pair = |left, right| Pair { left, right };
        let mut seen = vec![pair(5, 1), pair(2, 5), pair(5, 3), pair(1, 2), pair(3, 4), pair(1, 3)];
        while let Some(pair) = next(&ideas, &seen, [5; 32]) {
            seen.push(pair);
        }
        assert_eq!(seen.len(), 9, "all six of the four that are left, and three of before");
    }

    #[test]
    fn an_idea_that_joined_late_does_not_come_twice_running() {
        let ideas = shown(&[140, 140, 140, 140, 140, 140, 0]);
        let mut seen: Vec<Pair> = Vec::new();
        while let Some(pair) = next(&ideas, &seen, [5; 32]) {
            assert!(seen.last().is_none_or(|latest| !latest.shares_with(pair)), "{seen:?} {pair:?}");
            seen.push(pair);
            if seen.len() == 12 {
                break;
            }
        }
        let late = seen.iter().filter(|pair| pair.ordered().1 == 7).count();
        assert!((4..=6).contains(&late), "about every second pair: {seen:?}");
        // Of three ideas each pair has one in common with each other.
        let three = shown(&[0, 0, 0]);
        assert!(next(&three, &[Pair { left: 1, right: 2 }], [5; 32]).is_some());
    }

    #[test]
    fn the_same_seed_gives_the_same_pair() {
        let ideas = shown(&[0; 20]);
        assert_eq!(next(&ideas, &[], [9; 32]), next(&ideas, &[], [9; 32]));
        let pairs: BTreeSet<_> =
            (0..60).filter_map(|seed| next(&ideas, &[], [seed; 32])).map(Pair::ordered).collect();
        assert!(pairs.len() > 20, "other seeds give other pairs");
    }

    proptest! {
        /// However many sessions, exposure stays even and nobody sees a pair twice before all are used.
        #[test]
        fn all_ideas_get_their_turn(ideas in 4_u16..12, sessions in 1_usize..20, seed: u8) {
            let mut times: BTreeMap<IdeaNo, u64> = (1..=ideas).map(|idea| (idea, 0)).collect();
            let mut number = 0_u64;
            for _ in 0..sessions {
                let mut seen: Vec<Pair> = Vec::new();
                loop {
                    let shown: Vec<Shown> = times.iter().map(|(idea, times)| Shown { idea: *idea, times: *times }).collect();
                    let mut key = [seed; 32];
                    key[..8].copy_from_slice(&number.to_le_bytes());
                    number += 1;
                    let Some(pair) = next(&shown, &seen, key) else { break };
                    prop_assert!(pair.left != pair.right);
                    prop_assert!(!seen.iter().any(|before| before.ordered() == pair.ordered()));
                    seen.push(pair);
                    for idea in [pair.left, pair.right] {
                        *times.get_mut(&idea).unwrap() += 1;
                    }
                }
                prop_assert_eq!(seen.len(), most_pairs(usize::from(ideas)));
            }
            let (least, most) = (times.values().min().unwrap(), times.values().max().unwrap());
            // A session's last pairs are the ones it has left, whoever needs them; the next sessions make up for it.
            prop_assert!(most - least <= 6, "{times:?}");
        }
    }
}
