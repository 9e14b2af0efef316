//! Bradley–Terry: a strength for each idea so that the chance of `a` to win over `b` is `a / (a + b)`. It allows for how
//! strong the ideas were that an idea met, which a win share does not.
//!
//! The strengths are the most likely ones. The known way to them is minorisation–maximisation (Hunter 2004): each in turn
//! becomes its wins divided by the sum of `comparisons / (own + other)`. Where ideas hang together by a thread that takes
//! hundreds of thousands of turns; taken from both sides, `sum of wins · other / (own + other)` divided by `sum of losses /
//! (own + other)` (Newman 2023), the same strengths are reached in a fraction of them.
//!
//! They exist only where every idea can be reached from every other along wins. Where not (an idea that won or lost every
//! time), half a win is added to both sides of every pair that was compared, and the result is provisional. Ideas that
//! no comparison links, not even by way of others, cannot be set against each other at all: such groups have strengths of
//! their own.

use std::collections::BTreeMap;

use super::IdeaNo;
use super::scores::float;
use super::sums::PairSums;

/// The strengths are found when no strength changes by more than this part of itself.
const TOLERANCE: f64 = 1e-12;
/// An end in any case. Thousands are needed only where ideas hang together by a thread.
const MOST_SWEEPS: usize = 200_000;

/// Ideas that were compared with each other, directly or by way of others.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Strength by idea; they add up to 1.
    pub strengths: BTreeMap<IdeaNo, f64>,
    /// True if half wins were added.
    pub provisional: bool,
}

/// The groups of ideas that were compared, the largest first, and of equal ones that with the lowest number. An idea that
/// was never compared is in none.
pub fn groups(sums: &PairSums) -> Vec<Group> {
    let mut groups: Vec<Graph> = Vec::new();
    for (lower, higher, wins) in sums.pairs() {
        let mut joined = Graph::default();
        joined.add(lower, higher, (float(wins.lower), float(wins.higher)));
        let (touched, others): (Vec<Graph>, Vec<Graph>) =
            groups.into_iter().partition(|graph| graph.has(lower) || graph.has(higher));
        touched.into_iter().for_each(|graph| joined.join(graph));
        groups = others;
        groups.push(joined);
    }
    groups.sort_by_key(|graph| (std::cmp::Reverse(graph.ideas.len()), graph.ideas.first().copied()));
    groups.into_iter().map(Graph::solve).collect()
}

/// Ideas that hang together, and the comparisons between them.
#[derive(Debug, Clone, Default)]
struct Graph {
    /// Numbers, in order.
    ideas: Vec<IdeaNo>,
    /// Wins of the first over the second and of the second over the first.
    pairs: Vec<(IdeaNo, IdeaNo, (f64, f64))>,
}

/// What an idea met: the place of the other, how often it won over it, how often it lost.
type Met = Vec<Vec<(usize, f64, f64)>>;

impl Graph {
    fn has(&self, idea: IdeaNo) -> bool {
        self.ideas.binary_search(&idea).is_ok()
    }

    fn add(&mut self, one: IdeaNo, other: IdeaNo, wins: (f64, f64)) {
        self.pairs.push((one, other, wins));
        self.ideas.extend([one, other]);
        self.ideas.sort_unstable();
        self.ideas.dedup();
    }

    fn join(&mut self, other: Graph) {
        self.pairs.extend(other.pairs);
        self.ideas.extend(other.ideas);
        self.ideas.sort_unstable();
        self.ideas.dedup();
    }

    fn solve(self) -> Group {
        let mut met = self.met();
        let provisional = !is_strongly_connected(&met);
        if provisional {
            for (_, won, lost) in met.iter_mut().flatten() {
                *won += 0.5;
                *lost += 0.5;
            }
        }
        let strengths = most_likely(&met);
        Group { strengths: self.ideas.into_iter().zip(strengths).collect(), provisional }
    }

    fn met(&self) -> Met {
        let place = |idea: IdeaNo| self.ideas.binary_search(&idea).unwrap_or_default();
        let mut met = vec![Vec::new(); self.ideas.len()];
        for (one, other, (first, second)) in &self.pairs {
            let (one, other) = (place(*one), place(*other));
            met[one].push((other, *first, *second));
            met[other].push((one, *second, *first));
        }
        met
    }
}

/// Whether every idea can be reached from every other along wins.
fn is_strongly_connected(met: &Met) -> bool {
    let reaches_all = |goes_on: fn(f64, f64) -> bool| {
        let mut reached = vec![false; met.len()];
        let mut waiting = vec![0];
        while let Some(place) = waiting.pop() {
            if std::mem::replace(&mut reached[place], true) {
                continue;
            }
            let next = met[place].iter().filter(|(_, won, lost)| goes_on(*won, *lost));
            waiting.extend(next.map(|(other, ..)| *other));
        }
        reached.into_iter().all(|reached| reached)
    };
    reaches_all(|won, _| won > 0.0) && reaches_all(|_, lost| lost > 0.0)
}

/// The strengths by place; every idea has won and lost.
fn most_likely(met: &Met) -> Vec<f64> {
    let even = 1.0 / float(met.len() as u64);
    let mut strengths = vec![even; met.len()];
    for _ in 0..MOST_SWEEPS {
        let mut change = 0.0_f64;
        for (place, others) in met.iter().enumerate() {
            let before = strengths[place];
            let (mut above, mut below) = (0.0, 0.0);
            for (other, won, lost) in others {
                let both = before + strengths[*other];
                above += won * strengths[*other] / both;
                below += lost / both;
            }
            strengths[place] = above / below;
            change = change.max((strengths[place] / before - 1.0).abs());
        }
        let sum: f64 = strengths.iter().sum();
        strengths.iter_mut().for_each(|strength| *strength /= sum);
        if change <= TOLERANCE {
            break;
        }
    }
    strengths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sums from lines of (winner, loser, times).
    pub(crate) fn sums(wins: &[(IdeaNo, IdeaNo, u64)]) -> PairSums {
        let mut sums = PairSums::default();
        wins.iter().for_each(|(winner, loser, times)| sums.add(*winner, *loser, *times));
        sums
    }

    #[test]
    fn nothing_compared_has_no_group() {
        assert!(groups(&PairSums::default()).is_empty());
    }

    #[test]
    fn two_ideas_share_as_they_won() {
        let found = groups(&sums(&[(1, 2, 3), (2, 1, 1)]));
        assert_eq!(found.len(), 1);
        assert!(!found[0].provisional);
        assert!((found[0].strengths[&1] - 0.75).abs() < 1e-12);
    }

    #[test]
    fn an_idea_that_always_won_gets_half_a_win_against_it() {
        let found = groups(&sums(&[(1, 2, 3)]));
        assert!(found[0].provisional);
        assert!((found[0].strengths[&1] - 3.5 / 4.0).abs() < 1e-12);
    }

    #[test]
    fn ideas_that_nothing_links_are_groups_of_their_own() {
        let found = groups(&sums(&[(7, 8, 1), (8, 7, 1), (1, 2, 1), (2, 3, 1), (3, 1, 1)]));
        let ideas: Vec<Vec<IdeaNo>> =
            found.iter().map(|group| group.strengths.keys().copied().collect()).collect();
        assert_eq!(ideas, [vec![1, 2, 3], vec![7, 8]]);
        assert!(found.iter().all(|group| !group.provisional));
        assert!(found.iter().all(|group| (group.strengths.values().sum::<f64>() - 1.0).abs() < 1e-12));
    }

    #[test]
    fn pairs_that_link_groups_late_join_them() {
        let found = groups(&sums(&[(1, 2, 1), (3, 4, 1), (2, 3, 1), (4, 1, 1)]));
        assert_eq!(found.len(), 1);
        assert!(!found[0].provisional, "a circle of wins");
        assert!(found[0].strengths.values().all(|strength| (strength - 0.25).abs() < 1e-9));
    }

    proptest! {
        /// The most likely strengths are those with which each idea is expected to win as often as it did.
        #[test]
        fn every_idea_is_expected_to_win_as_often_as_it_did(
            wins in proptest::collection::vec((1_u16..9, 1_u16..9, 1_u64..20), 1..40),
        ) {
            let wins: Vec<_> = wins.into_iter().filter(|(winner, loser, _)| winner != loser).collect();
            let sums = sums(&wins);
            for group in groups(&sums) {
                let added = if group.provisional { 0.5 } else { 0.0 };
                for (idea, own) in &group.strengths {
                    let (mut expected, mut won) = (0.0, 0.0);
                    for (lower, higher, between) in sums.pairs() {
                        let (other, mine) = match *idea {
                            idea if idea == lower => (higher, between.lower),
                            idea if idea == higher => (lower, between.higher),
                            _ => continue,
                        };
                        let times = float(between.comparisons()) + 2.0 * added;
                        expected += times * own / (own + group.strengths[&other]);
                        won += float(mine) + added;
                    }
                    prop_assert!((expected - won).abs() < 1e-6, "idea {idea}: {expected} and {won}");
                }
            }
        }
    }
}
