//! Who won how often over whom: all that a ranking needs to know of the comparisons.

use std::collections::BTreeMap;

use super::IdeaNo;

/// Wins of two ideas over each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wins {
    /// Of the one with the lower number.
    pub lower: u64,
    /// Of the one with the higher number.
    pub higher: u64,
}

impl Wins {
    /// How often the two were compared.
    pub fn comparisons(self) -> u64 {
        self.lower + self.higher
    }
}

/// Sums of comparisons by pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairSums {
    pairs: BTreeMap<(IdeaNo, IdeaNo), Wins>,
}

impl PairSums {
    /// Adds wins of two different ideas, in either order.
    pub fn add(&mut self, winner: IdeaNo, loser: IdeaNo, times: u64) {
        let wins = self.pairs.entry((winner.min(loser), winner.max(loser))).or_default();
        *(if winner < loser { &mut wins.lower } else { &mut wins.higher }) += times;
    }

    /// These sums without others that are a part of them.
    #[must_use]
    pub fn without(mut self, part: &PairSums) -> Self {
        for (pair, less) in &part.pairs {
            let wins = self.pairs.entry(*pair).or_default();
            wins.lower = wins.lower.saturating_sub(less.lower);
            wins.higher = wins.higher.saturating_sub(less.higher);
        }
        self.pairs.retain(|_, wins| wins.comparisons() > 0);
        self
    }

    /// The sums of pairs of these ideas only.
    #[must_use]
    pub fn among(mut self, ideas: &[IdeaNo]) -> Self {
        self.pairs.retain(|(lower, higher), _| ideas.contains(lower) && ideas.contains(higher));
        self
    }

    /// The pairs that were compared, lower number first, with the wins of each.
    pub fn pairs(&self) -> impl Iterator<Item = (IdeaNo, IdeaNo, Wins)> + '_ {
        let compared = self.pairs.iter().filter(|(_, wins)| wins.comparisons() > 0);
        compared.map(|((lower, higher), wins)| (*lower, *higher, *wins))
    }

    /// All comparisons.
    pub fn comparisons(&self) -> u64 {
        self.pairs.values().map(|wins| wins.comparisons()).sum()
    }

    /// Wins and comparisons of one idea.
    pub fn of(&self, idea: IdeaNo) -> (u64, u64) {
        let mut all = (0, 0);
        for (lower, higher, wins) in self.pairs() {
            if idea == lower || idea == higher {
                all.0 += if idea == lower { wins.lower } else { wins.higher };
                all.1 += wins.comparisons();
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wins_are_added_in_either_order_and_taken_away_again() {
        let mut sums = PairSums::default();
        sums.add(2, 1, 3);
        sums.add(1, 2, 4);
        sums.add(3, 1, 1);
        assert_eq!(sums.comparisons(), 8);
        assert_eq!([1, 2, 3, 4].map(|idea| sums.of(idea)), [(4, 8), (3, 7), (1, 1), (0, 0)]);
        assert_eq!(sums.clone().among(&[1, 2]).comparisons(), 7, "without those of the third");
        let mut part = PairSums::default();
        part.add(3, 1, 1);
        part.add(2, 1, 1);
        let left = sums.without(&part);
        assert_eq!(left.pairs().collect::<Vec<_>>(), [(1, 2, Wins { lower: 4, higher: 2 })]);
    }
}
