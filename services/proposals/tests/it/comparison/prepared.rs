//! A prepared round is corrected or dropped; an open one is what it is.

use proto::proposals as pb;
use tonic::Code;

use super::{Round, comparisons, new_idea, prepare};
use crate::support::{POHDE, Store, World, refusal, run};

fn corrected(round: &Round, ideas: &[&str]) -> pb::CorrectRoundRequest {
    let pb::PrepareRoundRequest { tenant, forum_id, opens_on, closes_on, .. } = prepare(Vec::new(), false);
    pb::CorrectRoundRequest {
        tenant,
        forum_id,
        round_id: round.id.clone(),
        title: "Mielekäs viikko".to_owned(),
        opens_on,
        closes_on,
        own_ideas: true,
        ideas: ideas.iter().map(|text| new_idea(text, None)).collect(),
    }
}

async fn drop_round(world: &World, round: &Round) -> anyhow::Result<Result<(), tonic::Status>> {
    let (tenant, round_id) = (POHDE.to_owned(), round.id.clone());
    let request = pb::DropRoundRequest { tenant, forum_id: String::new(), round_id };
    Ok(comparisons(world).drop_round(world.by(world.coordinator(), request)?).await.map(drop))
}

#[tokio::test]
async fn a_prepared_round_is_corrected_or_dropped_and_an_open_one_is_not() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let round = Round::prepared(world, 6, false).await?;
            let ideas = ["Ulos", "Retki", "Kuoro", "Kahvila"];
            let request = world.by(world.coordinator(), corrected(&round, &ideas))?;
            let answer = comparisons(world).correct_round(request).await?.into_inner();
            let now = answer.round.unwrap_or_default();
            assert_eq!((now.round_id.as_str(), now.title.as_str()), (round.id.as_str(), "Mielekäs viikko"));
            assert_eq!((now.idea_count, now.own_ideas, answer.ideas.len()), (4, true, 4));
            let few = world.by(world.coordinator(), corrected(&round, &ideas[..3]))?;
            let few = refusal(comparisons(world).correct_round(few).await)?;
            assert_eq!(few, (Code::InvalidArgument, "proposals.ideas_of_round".to_owned()));
            let stored = "SELECT text FROM comparison_idea ORDER BY number";
            assert_eq!(world.texts(stored).await, ideas, "bad input changes nothing");

            let other = Round::prepared(world, 4, false).await?;
            drop_round(world, &other).await??;
            assert_eq!(refusal(drop_round(world, &other).await?)?.1, "proposals.no_such_round");
            assert_eq!(world.texts("SELECT COUNT(*) || '' FROM comparison_idea").await, ["4"]);

            world.on("2026-09-21").await?;
            round.open_now(world).await?;
            let late = world.by(world.coordinator(), corrected(&round, &ideas))?;
            let late = refusal(comparisons(world).correct_round(late).await)?;
            assert_eq!(late, (Code::FailedPrecondition, "proposals.round_not_prepared".to_owned()));
            assert_eq!(refusal(drop_round(world, &round).await?)?.1, "proposals.round_not_prepared");
            assert_eq!(round.public(world).await?.1.len(), 4);
            Ok(())
        })
        .await?;
    }
    Ok(())
}
