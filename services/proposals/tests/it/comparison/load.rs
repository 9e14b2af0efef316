//! Many at once.

use std::sync::Arc;

use kernel::MunicipalityCode;
use proto::proposals as pb;

use super::{Round, counters_are_rows};
use crate::support::{Store, run};

/// Clients at once.
const CLIENTS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_compare_at_once_and_every_counter_is_that_of_its_rows_sqlite() -> anyhow::Result<()> {
    at_once(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_compare_at_once_and_every_counter_is_that_of_its_rows_postgresql() -> anyhow::Result<()> {
    at_once(Store::Postgres).await
}

async fn at_once(store: Store) -> anyhow::Result<()> {
    run(store, async |world| {
        let round = Round::open(world, 8, false).await?;
        let codes = ["139", "615", "889"].map(|code| MunicipalityCode::new(code).ok());
        let mut visitors = Vec::new();
        for number in 0..CLIENTS {
            let municipality = codes.get(number % 4).copied().flatten();
            visitors.push(round.visit(world, municipality).await?);
        }
        let barrier = Arc::new(tokio::sync::Barrier::new(CLIENTS));
        let mut tasks = tokio::task::JoinSet::new();
        for (number, mut visitor) in visitors.into_iter().enumerate() {
            let barrier = Arc::clone(&barrier);
            tasks.spawn(async move {
                barrier.wait().await;
                let (mut compared, mut skipped, mut undone) = (0_u64, 0_u64, false);
                while let Some((pair, one, other)) = visitor.pair() {
                    match (number + pair as usize) % 7 {
                        0 => {
                            visitor.skip(pb::SkipReason::BothGood).await?;
                            skipped += 1;
                        }
                        3 if !undone => {
                            visitor.compare(pb::Side::Left).await?;
                            visitor.undo(pair).await?;
                            undone = true;
                        }
                        _ => {
                            // The older idea is the better one, mostly.
                            let older = one.text < other.text;
                            let side = if older { pb::Side::Left } else { pb::Side::Right };
                            visitor.compare_pair(pair, side, number % 5 == 0).await?;
                            compared += 1;
                        }
                    }
                }
                Ok::<_, tonic::Status>((compared, skipped))
            });
        }
        let (mut compared, mut skipped) = (0, 0);
        while let Some(done) = tasks.join_next().await {
            let (more, skips) = done??;
            compared += more;
            skipped += skips;
        }
        let (now, ideas) = round.public(world).await?;
        assert_eq!((now.comparisons, now.skips), (compared, skipped), "what was acknowledged is there");
        assert_eq!((now.sessions, compared + skipped), (64, 64 * 15));
        let shown: Vec<u64> = ideas.iter().map(|idea| idea.shown).collect();
        assert_eq!(shown.iter().sum::<u64>(), 2 * 64 * 15);
        assert!(shown.iter().max().unwrap_or(&0) - shown.iter().min().unwrap_or(&0) <= 8, "{shown:?}");
        counters_are_rows(world).await;
        round.close(world).await?;
        round.publish(world).await?;
        let told = round.ranking(world).await?;
        let first = &told.ranking.unwrap_or_default().lines[0];
        assert_eq!((first.text.as_str(), first.rank), ("Idea 1", 1));
        assert!(told.sensitivity.unwrap_or_default().same_order, "it does not hang on one session");
        assert_eq!(told.municipalities.len(), 3, "16 of each, and 16 who did not say");
        Ok(())
    })
    .await
}
