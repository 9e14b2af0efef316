//! Whoever has the same idea finds what was answered before (S1.25).

use proto::proposals as pb;
use proto::proposals::search_service_client::SearchServiceClient;

use super::answer;
use crate::support::{POHDE, Store, run};

#[tokio::test]
async fn s1_25_similar_proposals_are_offered_with_their_answers() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let answered = world.endorsed_proposal("Metsäretkiä joka viikko", "2026-10-01").await?;
        let open = world.open_proposal("Metsäretkiä talvella").await?;
        world.give(answered, answer(pb::Outcome::AcceptedInPart)).await??;
        let similar = pb::FindSimilarProposalsRequest {
            tenant: POHDE.to_owned(),
            title: "Metsäretki".to_owned(),
            ..pb::FindSimilarProposalsRequest::default()
        };
        let request = world.by(world.client(9), similar)?;
        let found = SearchServiceClient::new(world.system.channel()).find_similar_proposals(request).await?;
        let found = found.into_inner().proposals;
        let of = |id: kernel::ProposalId| found.iter().find(|found| found.proposal_id == id.to_string());
        assert_eq!(of(open).and_then(|found| found.answer.clone()), None, "not answered yet");
        let answer = of(answered).and_then(|found| found.answer.clone()).unwrap_or_default();
        assert_eq!(answer.outcome(), pb::Outcome::AcceptedInPart);
        assert_eq!(answer.texts[0].language, "fi-selko");
        assert!(answer.texts[0].reasons.starts_with("Ulkoilemme kolme kertaa viikossa."));
        Ok(())
    })
    .await
}
