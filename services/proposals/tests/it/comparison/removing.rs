//! Ideas that are taken out of a round: nobody is shown them any more.

use proto::proposals as pb;
use tonic::Code;

use super::{IDEAS, Round, comparisons, counters_are_rows, new_idea, prepare};
use crate::support::{POHDE, Store, World, refusal, run};

const REASON: &str = "Ideassa on toisen ihmisen nimi.";

async fn remove(
    world: &World,
    round: &Round,
    idea_id: &str,
) -> anyhow::Result<Result<pb::Round, tonic::Status>> {
    let request = pb::RemoveIdeaRequest {
        tenant: POHDE.to_owned(),
        forum_id: String::new(),
        round_id: round.id.clone(),
        idea_id: idea_id.to_owned(),
        reason: REASON.to_owned(),
    };
    let removed = comparisons(world).remove_idea(world.by(world.coordinator(), request)?).await;
    Ok(removed.map(|removed| removed.into_inner().round.unwrap_or_default()))
}

/// Hides a proposal, as for personal data in it.
async fn hide(world: &World, proposal: kernel::ProposalId) -> anyhow::Result<()> {
    let request = pb::HideProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: proposal.to_string(),
        explanation: "Ehdotuksessa on toisen ihmisen nimi.".to_owned(),
        ..Default::default()
    };
    world.handling().hide_proposal(world.by(world.coordinator(), request)?).await?;
    Ok(())
}

#[tokio::test]
async fn an_idea_that_is_taken_out_is_shown_to_nobody_and_counts_in_no_ranking() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let round = Round::open(world, 5, false).await?;
            let mut waiting = round.visit(world, None).await?;
            let (number, first, _) = waiting.pair().expect("a pair");
            for _ in 0..6 {
                let mut visitor = round.visit(world, None).await?;
                while visitor.pair().is_some() {
                    visitor.compare(pb::Side::Left).await?;
                }
            }
            let gone = first.idea_id.clone();
            let left = remove(world, &round, &gone).await??;
            assert_eq!(left.idea_count, 4);
            assert_eq!(remove(world, &round, &gone).await??, left, "again changes nothing");
            let log = "SELECT what || ' ' || act || ' ' || reason FROM moderation_log";
            assert_eq!(world.texts(log).await, [format!("idea hidden {REASON}")], "once");
            let kept = "SELECT COUNT(*) || '' FROM comparison_idea WHERE text = '' AND picture = ''";
            assert_eq!(world.texts(kept).await, ["1"], "its text is erased");
            let (_, ideas) = round.public(world).await?;
            assert!(ideas.len() == 4 && ideas.iter().all(|idea| idea.idea_id != gone));

            let stale = refusal(waiting.compare_pair(number, pb::Side::Left, false).await)?;
            assert_eq!(stale, (Code::FailedPrecondition, "proposals.pair_not_waiting".to_owned()));
            waiting.look().await?;
            let mut shown = 0;
            while let Some((_, one, other)) = waiting.pair() {
                assert!(one.idea_id != gone && other.idea_id != gone && !one.text.is_empty());
                waiting.compare(pb::Side::Right).await?;
                shown += 1;
            }
            assert_eq!(shown, 6, "all pairs of the four");
            counters_are_rows(world).await;

            round.close(world).await?;
            round.publish(world).await?;
            let ranking = round.ranking(world).await?.ranking.unwrap_or_default();
            assert!(ranking.lines.iter().all(|line| line.idea_id != gone && !line.text.is_empty()));
            let compared: Vec<u64> = ranking.lines.iter().map(|line| line.comparisons).collect();
            assert_eq!(compared, [21; 4], "with the other three, by seven");
            // And once it is public.
            let second = ranking.lines[1].idea_id.clone();
            remove(world, &round, &second).await??;
            let ranking = round.ranking(world).await?.ranking.unwrap_or_default();
            let ranks: Vec<u32> = ranking.lines.iter().map(|line| line.rank).collect();
            assert!(ranking.lines.len() == 3 && ranks[0] == 1, "{ranks:?}");
            assert!(ranking.lines.iter().all(|line| line.idea_id != second));
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_was_compared_with_an_idea_that_is_taken_out_helps_no_ranking_over_its_least()
-> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = Round::open(world, 5, false).await?;
        for _ in 0..5 {
            let mut visitor = round.visit(world, None).await?;
            for _ in 0..8 {
                visitor.compare(pb::Side::Left).await?;
            }
        }
        // Of 40 comparisons at least 16 are with the idea that was compared most.
        let (_, ideas) = round.public(world).await?;
        let most = ideas.iter().max_by_key(|idea| idea.shown).map(|idea| idea.idea_id.clone());
        remove(world, &round, &most.unwrap_or_default()).await??;
        round.close(world).await?;
        assert_eq!(refusal(round.publish(world).await)?.1, "proposals.too_few_comparisons");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_proposal_that_is_hidden_leaves_every_round_it_is_in() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal(IDEAS[0]).await?;
        let ideas =
            IDEAS.iter().enumerate().map(|(index, text)| new_idea(text, (index == 0).then_some(proposal)));
        let round = Round::prepare(world, prepare(ideas.collect(), false)).await?;
        world.on("2026-09-21").await?;
        round.open_now(world).await?;
        let mut visitor = round.visit(world, None).await?;
        hide(world, proposal).await?;
        hide(world, proposal).await?;
        let (now, ideas) = round.public(world).await?;
        assert_eq!((now.idea_count, ideas.len()), (5, 5));
        assert!(ideas.iter().all(|idea| idea.text != IDEAS[0] && idea.proposal_id.is_empty()));
        visitor.look().await?;
        while let Some((_, one, other)) = visitor.pair() {
            assert!(one.text != IDEAS[0] && other.text != IDEAS[0]);
            visitor.compare(pb::Side::Left).await?;
        }
        let erased = "SELECT COUNT(*) || '' FROM comparison_idea WHERE state = 'removed' AND text = ''";
        assert_eq!(world.texts(erased).await, ["1"]);
        round.close(world).await?;
        let stage = "SELECT stage FROM proposal WHERE is_public";
        assert_eq!(world.texts(stage).await, ["open"], "it is where it was before, out of sight");
        Ok(())
    })
    .await
}
