//! A proposal on its way, through the contracts.

use proto::proposals as pb;

use crate::support::{Store, run};

#[tokio::test]
async fn a_draft_is_submitted_screened_and_then_public_with_a_promise_at_each_step() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| {
            let proposal = world.submitted_proposal("Päivätoimintaan lisää ulkoilua").await?;
            assert!(world.public(proposal).await.is_err(), "not public before a human has screened it");
            world.on("2026-09-09").await?;
            let screened = world.screen(proposal).await?;
            assert_eq!(screened.stage.unwrap_or_default().stage(), pb::ProposalStage::Open);
            let public = world.public(proposal).await?;
            let promise = public.promise.unwrap_or_default();
            assert_eq!(
                (promise.owner(), promise.next_step(), promise.due_on.as_str(), promise.late),
                (pb::OwnerRole::AreaCoordinator, pb::NextStep::Decide, "2026-11-09", false)
            );
            let [screened] = &world.published::<pb::ProposalScreened>().await[..] else {
                panic!("screened once")
            };
            assert_eq!(screened.days, 2);
            assert_eq!(world.event_names().await, ["ProposalSubmitted", "ProposalScreened"]);
            Ok(())
        })
        .await?;
    }
    Ok(())
}
