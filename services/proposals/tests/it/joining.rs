//! Merging and splitting: authors, supporters and followers come along.

use kernel::ProposalId;
use proto::proposals as pb;
use tonic::Status;

use crate::support::{POHDE, Store, World, refusal, run};

const WHY: &str = "Ehdotukset koskevat samaa asiaa.";

fn merge(proposal: ProposalId, into: ProposalId) -> pb::MergeProposalRequest {
    pb::MergeProposalRequest {
        tenant: POHDE.to_owned(),
        proposal_id: proposal.to_string(),
        into_proposal_id: into.to_string(),
        explanation: WHY.to_owned(),
        ..pb::MergeProposalRequest::default()
    }
}

async fn send(
    world: &World,
    request: pb::MergeProposalRequest,
) -> anyhow::Result<Result<pb::Proposal, Status>> {
    let answer = world.handling().merge_proposal(world.by(world.coordinator(), request)?).await;
    Ok(answer.map(|answer| answer.into_inner().proposal.unwrap_or_default()))
}

/// A submitted proposal of another client.
async fn of_client(world: &World, client: u16, title: &str) -> anyhow::Result<ProposalId> {
    let create = pb::CreateDraftRequest {
        tenant: POHDE.to_owned(),
        content: Some(world.content(title)),
        ..pb::CreateDraftRequest::default()
    };
    let created = world.proposals().create_draft(world.by(world.client(client), create)?).await?.into_inner();
    let id = created.proposal.unwrap_or_default().proposal_id;
    let submit =
        pb::SubmitProposalRequest { proposal_id: id.clone(), ..pb::SubmitProposalRequest::default() };
    world.proposals().submit_proposal(world.by(world.client(client), submit)?).await?;
    Ok(id.parse()?)
}

async fn story(world: &mut World) -> anyhow::Result<()> {
    let (one, other) = (of_client(world, 2, "Metsään").await?, world.open_proposal("Ulos").await?);
    let waiting = world.submitted_proposal("Odottaa").await?;
    assert_eq!(refusal(send(world, merge(one, one)).await?)?.1, "proposals.merge_target");
    assert_eq!(refusal(send(world, merge(one, waiting)).await?)?.1, "proposals.merge_target");
    assert_eq!(refusal(send(world, merge(one, world.ids.new_id())).await?)?.1, "proposals.no_such_proposal");
    for _ in 0..2 {
        let merged = send(world, merge(one, other)).await??;
        let stage = merged.stage.unwrap_or_default();
        assert_eq!(
            (stage.stage(), stage.into_proposal_id.clone()),
            (pb::ProposalStage::Merged, other.to_string())
        );
        let promise = merged.promise.unwrap_or_default();
        assert_eq!(promise.next_step(), pb::NextStep::Decide, "the promise of the one it goes on in");
    }
    assert_eq!(refusal(send(world, merge(other, one)).await?)?.1, "proposals.merge_target", "no circle");
    let [event] = &world.published::<pb::ProposalMerged>().await[..] else { panic!("merged once") };
    assert_eq!(event.into_proposal_id, other.to_string());
    let get = pb::GetMyProposalRequest { proposal_id: other.to_string() };
    let joined = world.proposals().get_my_proposal(world.by(world.client(2), get)?).await?;
    assert!(joined.into_inner().proposal.is_some(), "client 2 is an author of it now");

    // What is due later of the one it goes on in is what the merged one shows, however often it goes on.
    let third = world.open_proposal("Kaikki ulos").await?;
    send(world, merge(other, third)).await??;
    let (tenant, proposal_id) = (POHDE.to_owned(), third.to_string());
    let shortlist = pb::ShortlistProposalRequest { tenant, proposal_id };
    world.handling().shortlist_proposal(world.by(world.coordinator(), shortlist)?).await?;
    let promise = world.public(other).await?.promise.unwrap_or_default();
    assert_eq!(promise.next_step(), pb::NextStep::SendToForum);
    Ok(())
}

#[tokio::test]
async fn a_proposal_goes_on_in_another_open_one_with_its_authors() -> anyhow::Result<()> {
    run(Store::Sqlite, story).await
}

#[tokio::test]
async fn a_proposal_goes_on_in_another_open_one_with_its_authors_on_postgresql() -> anyhow::Result<()> {
    run(Store::Postgres, story).await
}

#[tokio::test]
async fn a_proposal_goes_on_as_parts_that_stand_where_it_stood_and_have_its_authors() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let whole = world.open_proposal("Ulos ja parempaa ruokaa").await?;
        let part = |title: &str, unit: kernel::UnitId| pb::SplitPart {
            language: "fi".to_owned(),
            title: title.to_owned(),
            summary: "Haluamme tätä.".to_owned(),
            category: pb::Category::WayOfWorking.into(),
            unit_ids: vec![unit.to_string()],
            ..pb::SplitPart::default()
        };
        let mut split = pb::SplitProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: whole.to_string(),
            parts: vec![part("Ulos", world.units.ii_day)],
            explanation: "Ehdotuksessa oli kaksi asiaa.".to_owned(),
            ..pb::SplitProposalRequest::default()
        };
        let alone = world.handling().split_proposal(world.by(world.coordinator(), split.clone())?).await;
        assert_eq!(refusal(alone)?.1, "request.invalid", "one part is no split");
        split.parts.push(pb::SplitPart { title: String::new(), ..part("", world.units.ii_work) });
        let untitled = world.handling().split_proposal(world.by(world.coordinator(), split.clone())?).await;
        assert_eq!(refusal(untitled)?.1, "proposals.forms_missing");
        split.parts[1] = part("Parempaa ruokaa", world.units.ii_work);
        let answer = world.handling().split_proposal(world.by(world.coordinator(), split.clone())?).await?;
        let answer = answer.into_inner();
        assert_eq!(answer.parts.len(), 2);
        let ids: Vec<String> = answer.parts.iter().map(|part| part.proposal_id.clone()).collect();
        for (part, title) in answer.parts.iter().zip(["Ulos", "Parempaa ruokaa"]) {
            let public = world.public(part.proposal_id.parse()?).await?;
            assert_eq!(public.stage.unwrap_or_default().stage(), pb::ProposalStage::Open);
            assert_eq!(public.titles[0].title, title);
            assert_eq!(public.split_from_id, whole.to_string());
            assert!(world.mine(part.proposal_id.parse()?).await?.receipt_no.contains('-'));
        }
        let get = pb::GetProposalRequest { proposal_id: whole.to_string() };
        let shown = world.proposals().get_proposal(get).await?.into_inner();
        assert_eq!(shown.part_ids, ids);
        assert_eq!(shown.proposal.unwrap_or_default().promise, None);
        let [event] = &world.published::<pb::ProposalSplit>().await[..] else { panic!("split once") };
        assert_eq!(event.part_ids, ids);
        let again =
            world.handling().split_proposal(world.by(world.coordinator(), split)?).await?.into_inner();
        let again: Vec<String> = again.parts.into_iter().map(|part| part.proposal_id).collect();
        assert_eq!(again, ids, "what is split is not split again");
        Ok(())
    })
    .await
}
