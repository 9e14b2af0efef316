//! Visits need no token: what limits them is calls a minute.

use std::time::Instant;

use proto::proposals as pb;
use tokio::task::JoinSet;
use tonic::Code;

use super::{Round, comparisons};
use crate::support::{Store, World, refusal};

#[tokio::test]
async fn no_more_than_sixty_visits_begin_a_minute_from_one_address() -> anyhow::Result<()> {
    let world = World::start(Store::Sqlite, &[("limits.rates", "true")]).await?;
    let round = Round::open(&world, 4, false).await?;
    let start = pb::StartSessionRequest { round_id: round.id.clone(), municipality: String::new() };
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..200 {
        let (mut client, request) = (comparisons(&world), world.anonymous(start.clone())?);
        calls.spawn(async move { client.start_session(request).await });
    }
    let mut begun = 0;
    while let Some(answer) = calls.join_next().await {
        match answer? {
            Ok(_) => begun += 1,
            refused => {
                assert_eq!(refusal(refused)?, (Code::ResourceExhausted, "access.rate".to_owned()));
            }
        }
    }
    // Sixty at once, and one more for each second that has passed.
    let most = 61 + began.elapsed().as_secs();
    assert!((60..=most).contains(&begun), "{begun} of 200, not 60 to {most}");
    assert!(begun < 200, "too slow a machine to say anything");
    world.system.finish().await
}
