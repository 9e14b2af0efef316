//! Scenario 3 by its numbers: six ideas, 42 sessions, 420 comparisons, 31 skips; and the ideas that joined late.

use kernel::{MunicipalityCode, ProposalId};
use proto::proposals as pb;

use super::{IDEAS, Round, Visitor, comparisons, counters_are_rows, new_idea, prepare};
use crate::support::{POHDE, Store, World, run};

/// Wins of row over column.
const WINS: [[u64; 6]; 6] = [
    [0, 18, 20, 17, 15, 19],
    [10, 0, 15, 12, 11, 14],
    [8, 13, 0, 12, 10, 13],
    [11, 16, 16, 0, 13, 16],
    [13, 17, 18, 15, 0, 17],
    [9, 14, 15, 12, 11, 0],
];
/// Sessions that compare all pairs.
const WHOLE: usize = 26;
/// Sessions in all.
const SESSIONS: usize = 42;
/// Pairs skipped.
const SKIPS: usize = 31;
/// Reasons, one after the other.
const REASONS: [pb::SkipReason; 4] = [
    pb::SkipReason::CannotSay,
    pb::SkipReason::BothGood,
    pb::SkipReason::BothBad,
    pb::SkipReason::NotUnderstood,
];

/// What is left to be answered.
struct Left {
    wins: [[u64; 6]; 6],
    skips: usize,
}

impl Left {
    /// The side that is still to win this pair; none if it has been compared often enough.
    fn take(&mut self, left: usize, right: usize) -> Option<pb::Side> {
        // In turns as far as possible, so that no side wins all of a session's pairs.
        let (over, under) = (self.wins[left][right], self.wins[right][left]);
        if over >= under && over > 0 {
            self.wins[left][right] -= 1;
            return Some(pb::Side::Left);
        }
        (under > 0).then(|| {
            self.wins[right][left] -= 1;
            pb::Side::Right
        })
    }

    fn comparisons(&self) -> u64 {
        self.wins.iter().flatten().sum()
    }
}

async fn skip(visitor: &mut Visitor, left: &mut Left) -> anyhow::Result<()> {
    anyhow::ensure!(left.skips > 0, "more skips than the scenario has");
    left.skips -= 1;
    Ok(visitor.skip(REASONS[left.skips % 4]).await?)
}

/// One visit: compares what is left to be compared, at most so many, and skips the rest.
async fn compare(
    visitor: &mut Visitor,
    round: &Round,
    left: &mut Left,
    most: usize,
) -> anyhow::Result<usize> {
    let (mut compared, mut seen) = (0, Vec::new());
    while compared < most {
        let Some((_, first, second)) = visitor.pair() else { break };
        let (first, second) = (round.index(&first), round.index(&second));
        let pair = (first.min(second), first.max(second));
        assert!(!seen.contains(&pair), "a participant gets the same pair twice");
        seen.push(pair);
        match left.take(first, second) {
            Some(side) => {
                visitor.compare(side).await?;
                compared += 1;
            }
            None => skip(visitor, left).await?,
        }
    }
    Ok(compared)
}

/// Of Ii first, then of Pudasjärvi; three of Utajärvi, too few to be told; the rest say nothing.
fn municipality(session: usize) -> Option<MunicipalityCode> {
    let code = match session {
        0..20 => "139",
        20..30 => "615",
        30..33 => "889",
        _ => return None,
    };
    MunicipalityCode::new(code).ok()
}

async fn play(world: &World, round: &Round) -> anyhow::Result<()> {
    let mut left = Left { wins: WINS, skips: SKIPS };
    for session in 0..SESSIONS {
        let mut visitor = round.visit(world, municipality(session)).await?;
        let most = match session {
            session if session < WHOLE => 15,
            session if session < SESSIONS - 2 => 1,
            _ => usize::try_from(left.comparisons())?,
        };
        let compared = compare(&mut visitor, round, &mut left, most).await?;
        if session < WHOLE {
            assert_eq!(compared, 15, "15 distinct pairs");
            assert!(visitor.pair().is_none(), "and then no more");
        }
        if session == SESSIONS - 1 {
            assert_eq!(left.comparisons(), 0, "all is compared");
        }
        // What is left of the skips, by those who look on and do not know.
        if (WHOLE..SESSIONS - 2).contains(&session) && left.skips > 16 {
            while left.skips > 16 && visitor.pair().is_some() {
                skip(&mut visitor, &mut left).await?;
            }
        }
    }
    let mut last = round.visit(world, None).await?;
    while left.skips > 0 {
        if last.pair().is_none() {
            last = round.visit(world, None).await?;
        }
        skip(&mut last, &mut left).await?;
    }
    Ok(())
}

#[tokio::test]
async fn scenario_3_has_its_numbers_on_sqlite() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| scenario(world).await).await
}

#[tokio::test]
async fn scenario_3_has_its_numbers_on_postgresql() -> anyhow::Result<()> {
    run(Store::Postgres, async |world| scenario(world).await).await
}

async fn scenario(world: &World) -> anyhow::Result<()> {
    let mut proposals: Vec<ProposalId> = Vec::new();
    for title in &IDEAS[..2] {
        proposals.push(world.open_proposal(title).await?);
    }
    let ideas = IDEAS.iter().enumerate().map(|(index, text)| new_idea(text, proposals.get(index).copied()));
    let round = Round::prepare(world, prepare(ideas.collect(), false)).await?;
    world.on("2026-09-21").await?;
    round.open_now(world).await?;
    for proposal in &proposals {
        let stage = world.public(*proposal).await?.stage.unwrap_or_default();
        assert_eq!(stage.stage(), pb::ProposalStage::InComparison);
    }
    play(world, &round).await?;
    counters_are_rows(world).await;
    let (now, ideas) = round.public(world).await?;
    assert_eq!(
        (now.comparisons, now.skips, now.sessions),
        (420, 31, 42),
        "skips are not counted as comparisons"
    );
    let shown: Vec<u64> = ideas.iter().map(|idea| idea.shown).collect();
    assert!(shown.iter().max().unwrap_or(&0) - shown.iter().min().unwrap_or(&0) <= 12, "{shown:?}");

    world.on("2026-10-01").await?;
    world.jobs_done().await?;
    let (closed, _) = round.public(world).await?;
    assert_eq!(closed.state(), pb::RoundState::Closed, "by its timer");
    let told = world.published::<pb::ComparisonRoundClosed>().await;
    assert_eq!(
        told.iter().map(|one| (one.comparisons, one.skips, one.sessions)).collect::<Vec<_>>(),
        [(420, 31, 42)]
    );
    for proposal in &proposals {
        let stage = world.public(*proposal).await?.stage.unwrap_or_default();
        assert_eq!(stage.stage(), pb::ProposalStage::Open, "whatever their place");
    }
    let published = round.publish(world).await?;
    assert_eq!(published.state(), pb::RoundState::Published);
    assert_eq!(round.publish(world).await?, published, "again is the same");
    check_ranking(world, &round).await?;
    shortlist(world, &round, proposals[0]).await
}

async fn check_ranking(world: &World, round: &Round) -> anyhow::Result<()> {
    let told = round.ranking(world).await?;
    let ranking = told.ranking.unwrap_or_default();
    assert_eq!(ranking.basis(), pb::RankingBasis::WinShare, "exposure is balanced and no idea joined late");
    assert!(!ranking.provisional && ranking.groups == 1);
    let lines: Vec<String> = ranking
        .lines
        .iter()
        .map(|line| {
            let index = round.ideas.iter().position(|id| *id == line.idea_id).unwrap_or(9) + 1;
            let (share, strength) = (100.0 * line.win_share.unwrap_or(0.0), line.strength.unwrap_or(0.0));
            format!("I{index} {}/{} {share:.2} {strength:.6} {}", line.wins, line.comparisons, line.rank)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "I1 89/140 63.57 0.255445 1",
            "I5 80/140 57.14 0.203869 2",
            "I4 72/140 51.43 0.167670 3",
            "I2 62/140 44.29 0.131437 4",
            "I6 61/140 43.57 0.128252 5",
            "I3 56/140 40.00 0.113327 6",
        ]
    );
    assert_eq!(ranking.lines.iter().map(|line| line.wins).sum::<u64>(), 420);
    let first = &ranking.lines[0];
    let interval = (first.interval_low.unwrap_or(0.0), first.interval_high.unwrap_or(0.0));
    assert_eq!(
        (format!("{:.4}", interval.0), format!("{:.4}", interval.1)),
        ("0.5534".into(), "0.7108".into())
    );
    assert_eq!(told.skips.iter().map(|skip| skip.count).sum::<u64>(), 31, "skips are reported");
    assert!(told.skips.iter().all(|skip| skip.count >= 7), "by reason: {:?}", told.skips);
    let sensitivity = told.sensitivity.unwrap_or_default();
    assert_eq!(sensitivity.sessions_left_out, 5, "a small cell at least");
    assert_eq!(sensitivity.same_order, sensitivity.ideas_moved == 0);
    assert!(told.municipalities.is_empty(), "of no municipality fifty compared");
    let event = world.published::<pb::RankingPublished>().await;
    let ranks: Vec<(usize, u32)> = event[0]
        .ranks
        .iter()
        .map(|one| (round.ideas.iter().position(|id| *id == one.idea_id).unwrap_or(9) + 1, one.rank))
        .collect();
    assert_eq!((event.len(), ranks), (1, vec![(1, 1), (5, 2), (4, 3), (2, 4), (6, 5), (3, 6)]));
    Ok(())
}

/// The last but two of the ranking may be chosen too: it is advice.
async fn shortlist(world: &World, round: &Round, proposal: ProposalId) -> anyhow::Result<()> {
    let choose = |idea: &str| pb::ShortlistFromRoundRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        round_id: round.id.clone(),
        idea_ids: vec![idea.to_owned()],
    };
    for _ in 0..2 {
        let request = world.by(world.coordinator(), choose(&round.ideas[0]))?;
        let chosen = comparisons(world).shortlist_from_round(request).await?.into_inner();
        assert_eq!(chosen.proposal_ids, [proposal.to_string()]);
    }
    let stage = world.public(proposal).await?.stage.unwrap_or_default();
    assert_eq!(stage.stage(), pb::ProposalStage::Shortlisted);
    assert_eq!(world.published::<pb::ProposalShortlisted>().await.len(), 1, "told once");
    let own = comparisons(world)
        .shortlist_from_round(world.by(world.coordinator(), choose(&round.ideas[2]))?)
        .await;
    assert_eq!(crate::support::refusal(own)?.1, "proposals.idea_without_proposal");
    Ok(())
}

/// A–B 14:6, A–C 16:4, B–C 13:7; then D joins, and C–D is 4:6. By win share D would be second.
#[tokio::test]
async fn an_idea_that_joined_late_is_ranked_by_whom_it_met() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| joined_late(world).await).await?;
    }
    Ok(())
}

async fn joined_late(world: &World) -> anyhow::Result<()> {
    // The fourth idea is there because a round has four; everybody skips it.
    let round = Round::open(world, 4, true).await?;
    let mut left = [[0, 14, 16], [6, 0, 13], [4, 7, 0]];
    let mut first = round.visit(world, None).await?;
    let own = first.add_idea("Matti Meikäläisen uimakerho").await?;
    compare_some(&mut first, &round, &mut left).await?;
    for _ in 1..20 {
        let mut visitor = round.visit(world, None).await?;
        compare_some(&mut visitor, &round, &mut left).await?;
    }
    assert_eq!(left, [[0; 3]; 3]);
    let approve = pb::ApproveOwnIdeaRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        round_id: round.id.clone(),
        idea_id: own.idea_id.clone(),
        text: "Uimakerho".to_owned(),
        picture: "outdoors".to_owned(),
    };
    comparisons(world).approve_own_idea(world.by(world.coordinator(), approve)?).await?;
    for number in 0..10 {
        let mut visitor = round.visit(world, None).await?;
        while let Some((_, one, other)) = visitor.pair() {
            let is_it =
                |idea: &pb::Idea, other: &pb::Idea| idea.idea_id == own.idea_id && round.index(other) == 2;
            let late_wins = number < 6;
            match (is_it(&one, &other), is_it(&other, &one)) {
                (true, _) if late_wins => visitor.compare(pb::Side::Left).await?,
                (true, _) => visitor.compare(pb::Side::Right).await?,
                (_, true) if late_wins => visitor.compare(pb::Side::Right).await?,
                (_, true) => visitor.compare(pb::Side::Left).await?,
                _ => visitor.skip(pb::SkipReason::CannotSay).await?,
            }
        }
    }
    counters_are_rows(world).await;
    round.close(world).await?;
    round.publish(world).await?;
    let ranking = round.ranking(world).await?.ranking.unwrap_or_default();
    assert_eq!(ranking.basis(), pb::RankingBasis::BradleyTerry, "an idea joined late");
    assert!(ranking.provisional, "an idea was never compared");
    let lines: Vec<String> = ranking
        .lines
        .iter()
        .map(|line| {
            let index = round.ideas.iter().position(|id| *id == line.idea_id).unwrap_or(4);
            let name = ["A", "B", "C", "unseen", "D"][index];
            let share = line.win_share.map_or("-".to_owned(), |share| format!("{:.2}", 100.0 * share));
            let strength = line.strength.map_or("-".to_owned(), |strength| format!("{strength:.6}"));
            format!("{name} {share} {strength} {}", line.rank)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "A 75.00 0.489212 1",
            "B 47.50 0.214879 2",
            "D 60.00 0.177545 3",
            "C 30.00 0.118364 4",
            "unseen - - 0"
        ]
    );
    Ok(())
}

/// Compares the first three ideas as is left, and skips the fourth.
async fn compare_some(visitor: &mut Visitor, round: &Round, left: &mut [[u64; 3]; 3]) -> anyhow::Result<()> {
    while let Some((_, one, other)) = visitor.pair() {
        let (one, other) = (round.index(&one), round.index(&other));
        if one > 2 || other > 2 {
            visitor.skip(pb::SkipReason::CannotSay).await?;
            continue;
        }
        let side = if left[one][other] > 0 { pb::Side::Left } else { pb::Side::Right };
        *(if side == pb::Side::Left { &mut left[one][other] } else { &mut left[other][one] }) -= 1;
        visitor.compare(side).await?;
    }
    Ok(())
}
