//! Many at once.

use std::sync::Arc;

use kernel::MunicipalityCode;
use proto::proposals as pb;

use super::{Round, counters_are_rows};
use crate::support::{Store, run};

/// Clients at once.
const CLIENTS: usize = 64;

/// The older idea is the better one.
fn better(left: &pb::Idea, right: &pb::Idea) -> pb::Side {
    if left.text < right.text { pb::Side::Left } else { pb::Side::Right }
}

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
        // So that half of the visits are enough for a municipality.
        world.policy("small_cell", "3").await?;
        let codes = ["139", "615"].map(|code| MunicipalityCode::new(code).ok());
        let mut visitors = Vec::new();
        for number in 0..CLIENTS {
            let municipality = codes[number % 2];
            visitors.push(round.visit(world, municipality).await?);
        }
        let barrier = Arc::new(tokio::sync::Barrier::new(CLIENTS));
        let mut tasks = tokio::task::JoinSet::new();
        for (number, mut visitor) in visitors.into_iter().enumerate() {
            let barrier = Arc::clone(&barrier);
            tasks.spawn(async move {
                barrier.wait().await;
                let (mut compared, mut skipped, mut helped, mut undone) = (0_u64, 0_u64, 0_u64, false);
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
                            visitor.compare_pair(pair, better(&one, &other), number % 5 == 0).await?;
                            compared += 1;
                            helped += u64::from(number % 5 == 0);
                        }
                    }
                }
                Ok::<_, tonic::Status>((compared, skipped, helped))
            });
        }
        let (mut compared, mut skipped, mut assisted) = (0, 0, 0);
        while let Some(done) = tasks.join_next().await {
            let (more, skips, helped) = done??;
            compared += more;
            skipped += skips;
            assisted += helped;
        }
        let (now, ideas) = round.public(world).await?;
        let told = (now.comparisons, now.skips, now.assisted);
        assert_eq!(told, (compared, skipped, assisted), "what was acknowledged is there");
        assert_eq!((now.sessions, compared + skipped), (64, 64 * 15));
        let shown: Vec<u64> = ideas.iter().map(|idea| idea.shown).collect();
        assert_eq!(shown.iter().sum::<u64>(), 2 * 64 * 15);
        counters_are_rows(world).await;
        // Who compared at once knew nothing of each other; those who come one after the other even it out.
        for number in 0..20 {
            let mut visitor = round.visit(world, codes[number % 2]).await?;
            while let Some((pair, one, other)) = visitor.pair() {
                visitor.compare_pair(pair, better(&one, &other), false).await?;
            }
        }
        let (_, ideas) = round.public(world).await?;
        let shown: Vec<u64> = ideas.iter().map(|idea| idea.shown).collect();
        let (least, most) = (shown.iter().min(), shown.iter().max());
        assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 6), "{shown:?}");
        round.close(world).await?;
        round.publish(world).await?;
        let told = round.ranking(world).await?;
        let first = &told.ranking.unwrap_or_default().lines[0];
        assert_eq!((first.text.as_str(), first.rank), ("Idea 1", 1));
        let places: Vec<&str> = told.municipalities.iter().map(|one| one.municipality.as_str()).collect();
        assert_eq!(places, ["139", "615"], "42 of each, and 30 are enough");
        let ranks = &told.municipalities[0].ranks;
        assert_eq!((ranks.len(), ranks[0].text.as_str(), ranks[0].rank), (8, "Idea 1", 1));
        let kept = "SELECT SUM(wins) || '|' || SUM(comparisons) || '|' || COUNT(strength) FROM ranked_idea \
                    WHERE part <> 'all'";
        assert_eq!(world.texts(kept).await, ["0|0|0"], "of a municipality ranks only");
        Ok(())
    })
    .await
}
