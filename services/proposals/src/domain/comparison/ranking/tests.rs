use proptest::prelude::*;

use super::*;
use crate::domain::comparison::scores::{wilson, win_share};
use crate::domain::comparison::strength::groups;

/// Wins of row over column in scenario 3.
const SCENARIO: [[u64; 6]; 6] = [
    [0, 18, 20, 17, 15, 19],
    [10, 0, 15, 12, 11, 14],
    [8, 13, 0, 12, 10, 13],
    [11, 16, 16, 0, 13, 16],
    [13, 17, 18, 15, 0, 17],
    [9, 14, 15, 12, 11, 0],
];

fn matrix(wins: &[[u64; 6]; 6]) -> PairSums {
    let mut sums = PairSums::default();
    for (row, winner) in wins.iter().zip(1..) {
        for (times, loser) in row.iter().zip(1..) {
            if *times > 0 {
                sums.add(winner, loser, *times);
            }
        }
    }
    sums
}

fn order(ranking: &Ranking) -> Vec<(IdeaNo, Option<u32>)> {
    ranking.standings.iter().map(|standing| (standing.idea, standing.rank)).collect()
}

#[test]
fn the_numbers_of_scenario_3() {
    let sums = matrix(&SCENARIO);
    let ranking = rank(&[1, 2, 3, 4, 5, 6], &sums, false);
    assert_eq!((ranking.basis, ranking.provisional, ranking.groups), (Basis::WinShare, false, 1));
    assert_eq!((sums.comparisons(), sums.pairs().count()), (420, 15));
    let told: Vec<String> = ranking
        .standings
        .iter()
        .map(|one| {
            let share = 100.0 * win_share(one.wins, one.comparisons).unwrap();
            let (rank, strength) = (one.rank.unwrap(), one.strength.unwrap());
            format!("I{} {} of {}, {share:.2} %, {strength:.6}, {rank}", one.idea, one.wins, one.comparisons)
        })
        .collect();
    assert_eq!(
        told,
        [
            "I1 89 of 140, 63.57 %, 0.255445, 1",
            "I5 80 of 140, 57.14 %, 0.203869, 2",
            "I4 72 of 140, 51.43 %, 0.167670, 3",
            "I2 62 of 140, 44.29 %, 0.131437, 4",
            "I6 61 of 140, 43.57 %, 0.128252, 5",
            "I3 56 of 140, 40.00 %, 0.113327, 6",
        ]
    );
    let (least, most) = wilson(ranking.standings[0].wins, 140).unwrap();
    assert_eq!((format!("{least:.4}"), format!("{most:.4}")), ("0.5534".to_owned(), "0.7108".to_owned()));
}

/// The algorithm test of scenario 3: an idea that joined late met a weak one only.
#[test]
fn an_idea_that_joined_late_is_ranked_by_whom_it_met() {
    let mut sums = PairSums::default();
    for (one, other, won, lost) in [(1, 2, 14, 6), (1, 3, 16, 4), (2, 3, 13, 7), (3, 4, 4, 6)] {
        sums.add(one, other, won);
        sums.add(other, one, lost);
    }
    let shares = [1, 4, 2, 3].map(|idea| {
        let (wins, comparisons) = sums.of(idea);
        format!("{:.2}", 100.0 * win_share(wins, comparisons).unwrap())
    });
    assert_eq!(shares, ["75.00", "60.00", "47.50", "30.00"], "by win share D would be second");
    for joined_late in [true, false] {
        let ranking = rank(&[1, 2, 3, 4], &sums, joined_late);
        assert_eq!(ranking.basis, Basis::BradleyTerry, "exposure is unbalanced anyway");
        assert!(!ranking.provisional);
        assert_eq!(order(&ranking), [(1, Some(1)), (2, Some(2)), (4, Some(3)), (3, Some(4))]);
        let strengths: Vec<String> =
            ranking.standings.iter().map(|one| format!("{:.6}", one.strength.unwrap())).collect();
        assert_eq!(strengths, ["0.489212", "0.214879", "0.177545", "0.118364"]);
    }
}

#[test]
fn ideas_that_joined_late_make_strengths_the_basis_even_where_exposure_is_balanced() {
    assert_eq!(rank(&[1, 2, 3, 4, 5, 6], &matrix(&SCENARIO), true).basis, Basis::BradleyTerry);
}

#[test]
fn groups_that_nothing_links_are_ranked_each_by_itself_and_have_no_overall_strength() {
    let mut sums = PairSums::default();
    for (winner, loser, times) in [(1, 2, 3), (2, 1, 1), (3, 4, 2), (4, 3, 2)] {
        sums.add(winner, loser, times);
    }
    let ranking = rank(&[1, 2, 3, 4, 5], &sums, false);
    assert_eq!((ranking.groups, ranking.provisional), (2, true));
    assert_eq!(
        order(&ranking),
        [(1, Some(1)), (2, Some(2)), (3, Some(1)), (4, Some(1)), (5, None)],
        "3 and 4 are equal, 5 was never compared"
    );
    assert!(ranking.standings.iter().all(|one| one.strength.is_none()));
    assert_eq!(ranking.standings.iter().map(|one| one.group).collect::<Vec<_>>(), [1, 1, 2, 2, 0]);
}

#[test]
fn an_idea_that_was_never_compared_makes_the_ranking_provisional() {
    let mut sums = PairSums::default();
    for (winner, loser) in [(1, 2), (2, 1), (2, 3), (3, 2), (1, 3), (3, 1)] {
        sums.add(winner, loser, 5);
    }
    let all = rank(&[1, 2, 3], &sums, false);
    assert!(!all.provisional && all.groups == 1);
    let with_another = rank(&[1, 2, 3, 4], &sums, false);
    assert!(with_another.provisional && with_another.groups == 1, "nothing links the fourth");
}

#[test]
fn a_result_of_unequal_exposure_or_with_an_uncompared_idea_is_provisional() {
    let provisional =
        |counts: &[(u64, u64)]| rank_by_share(&(1..).zip(counts.iter().copied()).collect()).provisional;
    assert!(!provisional(&[(60, 100), (50, 100), (40, 100)]));
    assert!(provisional(&[(60, 100), (50, 100), (10, 40)]), "the last one met few");
    assert!(provisional(&[(1, 1), (0, 1), (0, 0)]));
}

#[test]
fn ideas_that_have_another_place_are_counted() {
    let by = |order: [u64; 3]| rank_by_share(&(1..).zip(order.map(|wins| (wins, 10))).collect());
    assert_eq!(moved(&by([9, 5, 1]), &by([8, 6, 1])), 0);
    assert_eq!(moved(&by([9, 5, 1]), &by([5, 9, 1])), 2);
    assert_eq!(moved(&by([9, 5, 1]), &by([9, 5, 5])), 1, "it shares the second place");
}

#[test]
fn an_idea_that_never_lost_makes_the_ranking_provisional() {
    let mut sums = PairSums::default();
    for (winner, loser) in [(1, 2), (1, 3), (2, 3), (3, 2)] {
        sums.add(winner, loser, 5);
    }
    let ranking = rank(&[1, 2, 3], &sums, true);
    assert!(ranking.provisional && ranking.groups == 1);
    assert_eq!(order(&ranking), [(1, Some(1)), (2, Some(2)), (3, Some(2))]);
}

#[test]
fn equal_shares_share_a_rank_and_the_next_stands_where_it_stands() {
    let counts = BTreeMap::from([(1, (3, 6)), (2, (2, 4)), (3, (1, 4)), (4, (4, 4)), (5, (0, 0))]);
    let ranking = rank_by_share(&counts);
    assert_eq!(order(&ranking), [(4, Some(1)), (1, Some(2)), (2, Some(2)), (3, Some(4)), (5, None)]);
    assert!(ranking.standings.iter().all(|one| one.strength.is_none()));
    assert_eq!(rank_by_share(&BTreeMap::new()).groups, 0);
}

#[test]
fn exposure_is_balanced_within_a_tenth_of_the_mean() {
    for (counts, balanced) in [
        (&[140, 140, 140][..], true),
        (&[0, 2, 1], true),
        (&[0, 3, 3], false),
        (&[95, 100, 105], true),
        (&[94, 100, 105], false),
        (&[], true),
    ] {
        assert_eq!(is_balanced(counts.iter().copied()), balanced, "{counts:?}");
    }
}

/// All pairs of sixty ideas compared: what a million comparisons come down to.
#[test]
fn sixty_ideas_all_compared_with_each_other_have_a_place_each() {
    let mut sums = PairSums::default();
    for one in 1..=60_u16 {
        for other in 1..=60_u16 {
            if one != other {
                sums.add(one, other, 100 + u64::from(one * 7 % 13) * 30 + u64::from(other % 5));
            }
        }
    }
    let ranking = rank(&(1..=60).collect::<Vec<_>>(), &sums, true);
    assert_eq!(ranking.standings.len(), 60);
}

proptest! {
    #[test]
    fn every_idea_has_one_place_and_ranks_follow_the_basis(
        wins in proptest::collection::vec((1_u16..12, 1_u16..12, 1_u64..9), 0..60), joined_late: bool,
    ) {
        let mut sums = PairSums::default();
        for (winner, loser, times) in wins.into_iter().filter(|(winner, loser, _)| winner != loser) {
            sums.add(winner, loser, times);
        }
        let ideas: Vec<IdeaNo> = (1..12).collect();
        let ranking = rank(&ideas, &sums, joined_late);
        let mut ranked: Vec<IdeaNo> = ranking.standings.iter().map(|one| one.idea).collect();
        ranked.sort_unstable();
        prop_assert_eq!(ranked, ideas);
        prop_assert_eq!(ranking.groups as usize, groups(&sums).len());
        prop_assert_eq!(ranking.standings.iter().map(|one| one.wins).sum::<u64>(), sums.comparisons());
        for pair in ranking.standings.windows(2).filter(|pair| pair[0].group == pair[1].group && pair[0].group > 0) {
            let (one, other) = (&pair[0], &pair[1]);
            prop_assert!(one.rank <= other.rank);
            let worse = match ranking.basis {
                Basis::WinShare => by_share(one, other),
                Basis::BradleyTerry if ranking.groups == 1 => by_strength(one, other),
                Basis::BradleyTerry => continue,
            };
            prop_assert_eq!(one.rank == other.rank, worse == Ordering::Equal);
            prop_assert!(worse != Ordering::Greater);
        }
        let strengths: Vec<f64> = ranking.standings.iter().filter_map(|one| one.strength).collect();
        prop_assert!(strengths.is_empty() || (strengths.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
