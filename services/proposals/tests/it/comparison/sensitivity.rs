//! Whether the order hangs on the sessions that compared most.

use std::cmp::Reverse;

use proto::proposals as pb;

use super::{Round, counters_are_rows};
use crate::support::{Store, World, run};

/// Ideas of the round: a whole session sees each pair of them once, 15 in all.
const IDEAS: usize = 6;

#[tokio::test]
async fn an_order_that_hangs_on_five_heavy_sessions_says_so_sqlite() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| hangs_on_five(world).await).await
}

#[tokio::test]
async fn an_order_that_hangs_on_five_heavy_sessions_says_so_postgresql() -> anyhow::Result<()> {
    run(Store::Postgres, async |world| hangs_on_five(world).await).await
}

/// Five sessions answer all pairs and find the later idea better; twenty answer three pairs and find the earlier one
/// better. Each three pairs have all six ideas, so that all are compared equally often, with the five and without.
async fn hangs_on_five(world: &World) -> anyhow::Result<()> {
    let round = Round::open(world, IDEAS, false).await?;
    let (mut heavy, mut short) = (Vec::new(), Vec::new());
    for session in 0..25 {
        let mut visitor = round.visit(world, None).await?;
        let (answers, most) = if session < 5 { (&mut heavy, 15) } else { (&mut short, 3) };
        for _ in 0..most {
            let (_, left, right) = visitor.pair().expect("a pair");
            let (left, right) = (round.index(&left), round.index(&right));
            let winner = if session < 5 { left.max(right) } else { left.min(right) };
            let side = if winner == left { pb::Side::Left } else { pb::Side::Right };
            visitor.compare(side).await?;
            answers.push((winner, left + right - winner));
        }
    }
    counters_are_rows(world).await;
    round.close(world).await?;
    round.publish(world).await?;
    let told = round.ranking(world).await?;

    let all: Vec<(usize, usize)> = heavy.iter().chain(&short).copied().collect();
    let (with, without) = (ranks(&all, 45), ranks(&short, 20));
    let ranking = told.ranking.unwrap_or_default();
    assert_eq!(ranking.basis(), pb::RankingBasis::WinShare);
    for line in &ranking.lines {
        let index = round.ideas.iter().position(|id| *id == line.idea_id).expect("an idea of the round");
        assert_eq!(line.rank, with[index], "idea {index}");
    }
    let moved = with.iter().zip(&without).filter(|(one, other)| one != other).count();
    assert!(moved > 0, "{with:?} {without:?}");
    let sensitivity = told.sensitivity.expect("there are enough sessions");
    assert_eq!(
        (sensitivity.sessions_left_out, sensitivity.same_order, sensitivity.ideas_moved),
        (5, false, u32::try_from(moved)?)
    );
    Ok(())
}

/// Ranks of the ideas by how often each won, all of them compared so many times; equal ones share a rank.
fn ranks(answers: &[(usize, usize)], times: usize) -> Vec<u32> {
    let mut wins = [0_usize; IDEAS];
    let mut compared = [0_usize; IDEAS];
    for (winner, loser) in answers {
        wins[*winner] += 1;
        compared[*winner] += 1;
        compared[*loser] += 1;
    }
    assert_eq!(compared, [times; IDEAS], "all ideas get their turn equally often");
    let mut sorted = wins;
    sorted.sort_by_key(|wins| Reverse(*wins));
    let rank = |wins: &usize| {
        sorted.iter().position(|other| other == wins).map_or(0, |place| u32::try_from(place + 1).unwrap_or(0))
    };
    wins.iter().map(rank).collect()
}
