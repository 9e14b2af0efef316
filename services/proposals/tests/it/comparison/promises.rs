//! What was promised for a proposal holds, however often it is compared.

use kernel::ProposalId;
use proto::proposals as pb;

use super::{Round, comparisons, new_idea, prepare};
use crate::support::{Store, World, refusal, run};

fn ideas(proposal: ProposalId) -> Vec<pb::NewIdea> {
    let others = ["Yksi", "Kaksi", "Kolme"].map(|text| new_idea(text, None));
    others.into_iter().chain([new_idea("Ulos", Some(proposal))]).collect()
}

async fn due(world: &World, proposal: ProposalId) -> anyhow::Result<(pb::ProposalStage, String, bool)> {
    let public = world.public(proposal).await?;
    let stage = public.stage.clone().unwrap_or_default().stage();
    let promise = public.promise.unwrap_or_default();
    Ok((stage, promise.due_on, promise.late))
}

#[tokio::test]
async fn a_proposal_that_was_compared_has_the_day_that_it_had_before() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let (stage, promised, _) = due(world, proposal).await?;
        assert_eq!(stage, pb::ProposalStage::Open);
        world.on("2026-09-21").await?;
        for _ in 0..2 {
            let round = Round::prepare(world, prepare(ideas(proposal), false)).await?;
            round.open_now(world).await?;
            let compared = due(world, proposal).await?;
            // The day on which it closes by itself.
            assert_eq!(compared, (pb::ProposalStage::InComparison, "2026-10-01".to_owned(), false));
            round.close(world).await?;
            assert_eq!(due(world, proposal).await?, (pb::ProposalStage::Open, promised.clone(), false));
        }
        // A round that ends after the day that was promised does not put it off.
        let long =
            pb::PrepareRoundRequest { closes_on: "2026-12-20".to_owned(), ..prepare(ideas(proposal), false) };
        let round = Round::prepare(world, long).await?;
        round.open_now(world).await?;
        assert_eq!(due(world, proposal).await?.1, promised);
        world.on("2026-12-19").await?;
        assert_eq!(
            due(world, proposal).await?,
            (pb::ProposalStage::InComparison, promised, true),
            "it is late"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_round_with_proposals_is_no_longer_than_a_quarter() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = world.open_proposal("Päivätoimintaan lisää ulkoilua").await?;
        let year =
            pb::PrepareRoundRequest { closes_on: "2027-09-20".to_owned(), ..prepare(ideas(proposal), false) };
        let refused = comparisons(world).prepare_round(world.by(world.coordinator(), year)?).await;
        assert_eq!(refusal(refused)?.1, "proposals.round");
        Ok(())
    })
    .await
}
