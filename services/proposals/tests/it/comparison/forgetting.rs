//! What is kept of visits, and how long.

use kernel::MunicipalityCode;
use proto::proposals as pb;

use super::{Round, counters_are_rows};
use crate::support::{Store, World, run};

const VISITS: &str =
    "SELECT (SELECT COUNT(*) FROM comparison_session) || '|' || (SELECT COUNT(*) FROM pair_offer)";

/// A round in which ten compare, two of them from a small municipality; closed.
async fn compared(world: &World) -> anyhow::Result<Round> {
    let round = Round::open(world, 6, false).await?;
    for number in 0..10 {
        let municipality = MunicipalityCode::new(if number < 2 { "751" } else { "139" }).ok();
        let mut visitor = round.visit(world, municipality).await?;
        for _ in 0..5 {
            visitor.compare(pb::Side::Left).await?;
        }
    }
    counters_are_rows(world).await;
    round.close(world).await?;
    Ok(round)
}

async fn rows(world: &World, question: &str) -> String {
    world.texts(question).await.concat()
}

#[tokio::test]
async fn single_answers_are_deleted_when_the_ranking_is_public() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let round = compared(world).await?;
            world.jobs_done().await?;
            assert_eq!(rows(world, VISITS).await, "10|60", "the sensitivity needs them");
            round.publish(world).await?;
            world.jobs_done().await?;
            assert_eq!(rows(world, VISITS).await, "0|0");
            let places =
                "SELECT place || ':' || sessions || ':' || comparisons FROM comparison_place ORDER BY place";
            assert_eq!(
                world.texts(places).await,
                [":10:50"],
                "too few of any municipality: they stand together"
            );
            let sums = "SELECT COUNT(*) || '' FROM pair_sum WHERE place <> ''";
            assert_eq!(rows(world, sums).await, "0");
            counters_are_rows(world).await;
            let told = round.ranking(world).await?;
            assert_eq!(told.ranking.unwrap_or_default().lines.len(), 6, "what is public stays public");
            assert_eq!(round.public(world).await?.0.comparisons, 50);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn single_answers_are_deleted_thirty_days_after_a_round_without_a_ranking() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let round = compared(world).await?;
        world.on("2026-10-30").await?;
        world.jobs_done().await?;
        assert_eq!(rows(world, VISITS).await, "10|60");
        world.on("2026-10-31").await?;
        world.jobs_done().await?;
        assert_eq!(rows(world, VISITS).await, "0|0");
        round.publish(world).await?;
        let told = round.ranking(world).await?;
        assert_eq!(told.ranking.unwrap_or_default().lines.len(), 6, "the sums are there still");
        assert!(told.sensitivity.is_none(), "and single visits are not");
        Ok(())
    })
    .await
}
