//! What a forum decides, told however often and in whatever order of restarts (X1).

use super::*;
use crate::support::{Store, run};

#[tokio::test]
async fn x1_an_endorsement_asks_for_one_answer_on_sqlite() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| one_answer(world).await).await
}

#[tokio::test]
async fn x1_an_endorsement_asks_for_one_answer_on_postgres() -> anyhow::Result<()> {
    run(Store::Postgres, async |world| one_answer(world).await).await
}

/// The same endorsement told again, another meeting's, services restarted in between.
async fn one_answer(world: &mut World) -> anyhow::Result<()> {
    world.on("2026-10-12").await?;
    let proposal = world.proposal_before_forum("Päivätoimintaan lisää ulkoilua").await?;
    let endorsement = world.endorsement(proposal, "2026-10-12");
    world.forums_say(POHDE, &[LAPHA], &endorsement).await?;
    world.forums_say(POHDE, &[LAPHA], &endorsement).await?;
    world.endorse(proposal, "2026-10-19").await?;
    world.do_not_endorse(proposal, "2026-10-19").await?;
    world.restart().await?;
    world.forums_say(POHDE, &[LAPHA], &endorsement).await?;
    world.restart().await?;
    world.jobs_done().await?;
    let asked: Vec<pb::ResponseRequested> = world.published().await;
    assert_eq!(asked.len(), 1);
    assert_eq!(world.value::<i64>("SELECT COUNT(*) FROM unit_response").await, 1);
    let notices = world.system.directory().role_notices();
    assert_eq!(notices.len(), 1, "and the manager is told once");
    assert_eq!(world.promised(proposal).await?, "UnitManager Answer 2026-11-11");
    Ok(())
}

#[tokio::test]
async fn x1_what_was_returned_for_work_is_endorsed_by_a_later_meeting() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on("2026-10-12").await?;
        let proposal = world.proposal_before_forum("Kuvat viikko-ohjelmaan").await?;
        world.return_for_work(proposal, "2026-10-12").await?;
        let standing = world.standing(proposal).await?;
        assert_eq!(standing.stage.unwrap_or_default().stage(), pb::ProposalStage::Open);
        let (tenant, proposal_id) = (POHDE.to_owned(), proposal.to_string());
        let shortlist =
            pb::ShortlistProposalRequest { tenant: tenant.clone(), proposal_id: proposal_id.clone() };
        world.handling().shortlist_proposal(world.by(world.coordinator(), shortlist)?).await?;
        let send = pb::SendToForumRequest { tenant, proposal_id, forum_id: world.forum.to_string() };
        world.handling().send_to_forum(world.by(world.coordinator(), send)?).await?;
        world.endorse(proposal, "2026-11-09").await?;
        assert_eq!(world.promised(proposal).await?, "UnitManager Answer 2026-12-09");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_forum_does_not_endorse_is_told_and_closed() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on("2026-10-12").await?;
        let proposal = world.proposal_before_forum("Iltatoimintaa viikonloppuun").await?;
        world.do_not_endorse(proposal, "2026-10-12").await?;
        assert_eq!(world.promised(proposal).await?, "AreaCoordinator PublishFeedback 2026-10-26");
        world.tell_and_close(proposal).await?;
        let closed: Vec<pb::ProposalClosed> = world.published().await;
        assert_eq!(closed[0].outcome, "not_endorsed");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn x1_a_decision_about_an_unknown_proposal_waits_for_a_person() -> anyhow::Result<()> {
    let world = World::start(Store::Sqlite, &[]).await?;
    let unknown: ProposalId = world.ids.new_id();
    let open = world.open_proposal("Ei foorumin edessä").await?;
    for proposal in [unknown, open] {
        // It settles although an event is parked: the lane goes on, for everything else.
        world.endorse(proposal, "2026-10-12").await?;
    }
    let status = world.system.status("proposals").await?;
    let parked: u64 = status.projections.iter().map(|projection| projection.parked).sum();
    assert_eq!(parked, 2, "loudly");
    assert_eq!(world.published::<pb::ResponseRequested>().await, []);
    let known = world.endorsed_proposal("Foorumin edessä", "2026-10-12").await?;
    assert_eq!(world.published::<pb::ResponseRequested>().await[0].proposal_id, known.to_string());
    Ok(())
}

/// A joint forum tells what it decides in the lane of the county that leads it, also of the other county's proposals.
#[tokio::test]
async fn x1_a_joint_forum_decides_about_a_proposal_of_the_county_that_does_not_lead_it() -> anyhow::Result<()>
{
    run(Store::Sqlite, async |world| {
        world.on("2026-10-12").await?;
        let tenant = LAPHA.to_owned();
        let simo = pb::Content {
            unit_ids: vec![world.units.simo_day.to_string()],
            ..world.content("Simon päivätoimintaan lisää ulkoilua")
        };
        let create = pb::CreateDraftRequest {
            tenant: tenant.clone(),
            content: Some(simo),
            ..pb::CreateDraftRequest::default()
        };
        let created = world.proposals().create_draft(world.by(world.client(1), create)?).await?.into_inner();
        let proposal_id = created.proposal.unwrap_or_default().proposal_id;
        let proposal: ProposalId = proposal_id.parse()?;
        let submit = pb::SubmitProposalRequest { proposal_id: proposal_id.clone(), ..Default::default() };
        world.proposals().submit_proposal(world.by(world.client(1), submit)?).await?;
        let coordinator = || world.coordinator_of(LAPHA);
        let screen = pb::ScreenProposalRequest {
            tenant: tenant.clone(),
            proposal_id: proposal_id.clone(),
            ..pb::ScreenProposalRequest::default()
        };
        world.handling().screen_proposal(world.by(coordinator(), screen)?).await?;
        world.make_plain_in(LAPHA, proposal).await?;
        let shortlist =
            pb::ShortlistProposalRequest { tenant: tenant.clone(), proposal_id: proposal_id.clone() };
        world.handling().shortlist_proposal(world.by(coordinator(), shortlist)?).await?;
        let send = pb::SendToForumRequest { tenant, proposal_id, forum_id: world.forum.to_string() };
        world.handling().send_to_forum(world.by(coordinator(), send)?).await?;
        world.endorse(proposal, "2026-10-12").await?;
        assert_eq!(world.promised(proposal).await?, "UnitManager Answer 2026-11-11");
        let [asked] = &world.published::<pb::ResponseRequested>().await[..] else { panic!("asked once") };
        assert_eq!(asked.unit_id, world.units.simo_day.to_string());
        let status = world.system.status("proposals").await?;
        assert_eq!(status.projections.iter().map(|projection| projection.parked).sum::<u64>(), 0);
        Ok(())
    })
    .await
}
