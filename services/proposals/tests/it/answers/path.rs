//! Scenario 4: "Päivätoimintaan lisää ulkoilua", from idea to effect, with its dates and numbers.

use tonic::Code;

use super::*;
use crate::support::{Store, refusal, run};

#[tokio::test]
async fn an_idea_goes_the_whole_way_to_its_effect_on_sqlite() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| whole_way(world).await).await
}

#[tokio::test]
async fn an_idea_goes_the_whole_way_to_its_effect_on_postgres() -> anyhow::Result<()> {
    run(Store::Postgres, async |world| whole_way(world).await).await
}

async fn whole_way(world: &World) -> anyhow::Result<()> {
    let proposal = to_the_forum(world).await?;
    request_and_answer(world, proposal).await?;
    change(world, proposal).await?;
    effect(world, proposal).await?;
    let steps = [
        "2026-09-07 Submitted author",
        "2026-09-09 Open area_coordinator",
        "2026-10-01 Shortlisted area_coordinator",
        "2026-10-01 BeforeForum area_coordinator",
        "2026-10-12 AwaitingResponse forum",
        "2026-11-04 Answered unit",
        "2026-11-20 change_planned unit",
        "2026-11-30 baseline_set unit",
        "2026-12-01 InImplementation unit",
        "2027-03-01 Implemented unit",
        "2027-03-15 ImpactMeasured unit",
        "2027-03-15 feedback_published handler",
        "2027-03-15 feedback_delivered timer",
        "2027-03-15 Closed area_coordinator",
    ];
    assert_eq!(world.timeline(proposal).await?, steps);
    assert_eq!(world.promised(proposal).await?, "", "nothing is owed any more");
    Ok(())
}

async fn to_the_forum(world: &World) -> anyhow::Result<ProposalId> {
    let proposal = world.submitted_proposal("Päivätoimintaan lisää ulkoilua").await?;
    world.on("2026-09-09").await?;
    world.screen(proposal).await?;
    let screened: Vec<pb::ProposalScreened> = world.published().await;
    assert_eq!(screened[0].days, 2, "screened within 7 days");
    world.on("2026-10-01").await?;
    world.make_plain(proposal).await?;
    let (tenant, proposal_id) = (POHDE.to_owned(), proposal.to_string());
    let shortlist = pb::ShortlistProposalRequest { tenant: tenant.clone(), proposal_id: proposal_id.clone() };
    world.handling().shortlist_proposal(world.by(world.coordinator(), shortlist)?).await?;
    let send = pb::SendToForumRequest { tenant, proposal_id, forum_id: world.forum.to_string() };
    world.handling().send_to_forum(world.by(world.coordinator(), send)?).await?;
    Ok(proposal)
}

async fn request_and_answer(world: &World, proposal: ProposalId) -> anyhow::Result<()> {
    world.on("2026-10-12").await?;
    world.endorse(proposal, "2026-10-12").await?;
    let asked: Vec<pb::ResponseRequested> = world.published().await;
    assert_eq!(asked.len(), 1, "exactly once");
    assert_eq!((asked[0].due_on.as_str(), &asked[0].unit_id), ("2026-11-11", &lead(world).to_string()));
    assert_eq!(world.promised(proposal).await?, "UnitManager Answer 2026-11-11");

    world.on("2026-11-04").await?;
    world.jobs_done().await?;
    // Rejected: without plain-language reasons, and by somebody who is no manager.
    let mut without = answer(pb::Outcome::AcceptedInPart);
    without.texts[0].language = "fi".to_owned();
    let refused = world.give(proposal, without).await?;
    assert_eq!(refusal(refused)?, (Code::FailedPrecondition, "proposals.forms_missing".to_owned()));
    let by_staff = pb::GiveResponseRequest {
        unit_id: lead(world).to_string(),
        proposal_id: proposal.to_string(),
        answer: Some(answer(pb::Outcome::AcceptedInPart)),
        reviewed: true,
    };
    let refused = world.answers().give_response(world.by(world.staff(lead(world)), by_staff)?).await;
    assert_eq!(refusal(refused)?, (Code::PermissionDenied, "access.scope".to_owned()));

    world.give(proposal, answer(pb::Outcome::AcceptedInPart)).await??;
    let given: Vec<pb::UnitResponseGiven> = world.published().await;
    let expected = pb::UnitResponseGiven {
        proposal_id: proposal.to_string(),
        unit_id: lead(world).to_string(),
        outcome: "accepted_in_part".to_owned(),
        days: 23,
        days_late: 0,
    };
    assert_eq!(given, [expected]);
    assert_eq!(world.promised(proposal).await?, "UnitManager StartChange 2026-12-01");

    // Rejected: closing without feedback. And the reminder of 4.11. is not needed.
    world.on("2026-11-05").await?;
    let refused = world.close(proposal).await?;
    assert_eq!(refusal(refused)?, (Code::FailedPrecondition, "proposals.no_feedback".to_owned()));
    world.jobs_done().await?;
    assert_eq!(world.published::<pb::ResponseReminderSent>().await, []);
    Ok(())
}

async fn change(world: &World, proposal: ProposalId) -> anyhow::Result<()> {
    world.on("2026-11-20").await?;
    world.plan(proposal, "2027-03-01").await??;
    // Rejected: an effect without a baseline.
    let refused = world.publish_impact(proposal).await?;
    assert_eq!(refusal(refused)?, (Code::FailedPrecondition, "proposals.no_baseline".to_owned()));
    world.on("2026-11-30").await?;
    world.set_baseline(proposal, baseline()).await??;
    world.on("2026-12-01").await?;
    world.begin(proposal).await??;
    let started: Vec<pb::ImplementationStarted> = world.published().await;
    assert_eq!((started[0].started_on.as_str(), started[0].due_on.as_str()), ("2026-12-01", "2027-03-01"));
    assert_eq!(world.promised(proposal).await?, "UnitManager FinishChange 2027-03-01");
    world.on("2027-03-01").await?;
    world.complete(proposal).await??;
    world.record(proposal, measured()).await??;
    assert_eq!(world.promised(proposal).await?, "UnitManager MeasureImpact 2027-08-30", "180 days (X2)");
    Ok(())
}

async fn effect(world: &World, proposal: ProposalId) -> anyhow::Result<()> {
    world.on("2027-03-15").await?;
    let report = world.publish_impact(proposal).await??;
    let of = |id: &str| report.indicators.iter().find(|one| one.indicator_id == id).cloned().unwrap();
    let round = |value: f64| (value * 10_000.0).round() / 10_000.0;
    let (outings, satisfaction, heard) = (of("outings_per_week"), of("satisfaction"), of("heard"));
    assert_eq!((outings.before_value, round(outings.after_value)), (1.0, 2.7692));
    assert_eq!(round(outings.attainment_percent), 92.3077, "92.31 % of 3.00");
    assert_eq!((round(satisfaction.before_value), round(satisfaction.after_value)), (3.4211, 4.2222));
    assert_eq!((round(satisfaction.change), round(heard.change)), (0.8012, 0.8158));
    let published: Vec<pb::ImpactMeasured> = world.published().await;
    let told = published[0].changes.iter().find(|one| one.indicator_id == "heard").unwrap();
    assert_eq!((told.before_n, told.after_n, told.after), (19, 18, 4.5));
    assert_eq!(world.promised(proposal).await?, "AreaCoordinator PublishFeedback 2027-03-30", "after Easter");

    let card = world.draft_card(proposal).await??;
    assert_eq!(card.state(), pb::FeedbackState::Drafted);
    let unread = world.publish_card(proposal).await?;
    assert_eq!(refusal(unread)?, (Code::FailedPrecondition, "proposals.forms_missing".to_owned()));
    assert_eq!(world.approve_card(proposal).await??.state(), pb::FeedbackState::PlainLanguageReady);
    world.publish_card(proposal).await??;
    world.jobs_done().await?;
    let get = pb::GetFeedbackRequest { proposal_id: proposal.to_string(), ..Default::default() };
    let card = world.loop_cards().get_feedback(get).await?.into_inner().card.unwrap_or_default();
    assert_eq!(card.state(), pb::FeedbackState::Delivered);
    assert_eq!(card.lines, [card_lines()]);
    assert_eq!((card.next_role.as_str(), card.next_on.as_str()), ("vastaava ohjaaja", "2027-09-30"));

    let closed = world.close(proposal).await??;
    assert_eq!(closed.stage.unwrap_or_default().stage(), pb::ProposalStage::Closed);
    let names = world.event_names().await;
    let last = &names[names.len() - 4..];
    assert_eq!(last, ["ImpactMeasured", "FeedbackPublished", "FeedbackDelivered", "ProposalClosed"]);
    let ended: Vec<pb::ProposalClosed> = world.published().await;
    assert_eq!(ended[0].outcome, "impact_measured");
    let steps = world.timeline(proposal).await?;
    let on = |stage: &str| {
        let mut steps = steps.iter().map(|step| step.split_whitespace());
        let step = steps.find_map(|mut step| step.next().filter(|_| step.next() == Some(stage)));
        day(step.unwrap_or_else(|| panic!("no step {stage}")))
    };
    let days = |from: &str, to: &str| (on(to) - on(from)).whole_days();
    assert_eq!(days("Submitted", "Answered"), 58, "submission to answer");
    assert_eq!(days("Submitted", "ImpactMeasured"), 189, "submission to effect");
    Ok(())
}
