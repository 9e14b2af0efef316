//! What answers, changes and loop cards must be (P4–P7, X2).

use futures::FutureExt as _;
use proposals::store;
use tonic::Code;

use super::*;
use crate::support::{Store, refusal, run};

const ENDORSED: &str = "2026-10-12";

fn conflict(code: &str) -> (Code, String) {
    (Code::FailedPrecondition, code.to_owned())
}

/// The first field that a refusal names.
fn field<T>(called: Called<T>) -> anyhow::Result<String> {
    let status = called.err().context("this must be refused")?;
    let fault = chassis::fault(&status);
    Ok(fault.fields().first().context("a field")?.field.clone())
}

#[tokio::test]
async fn p4_an_answer_that_says_too_little_is_refused_and_changes_nothing() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        let seen = world.event_names().await.len();
        let full = || answer(pb::Outcome::Accepted);
        let cases = [
            (pb::Answer { outcome: 0, ..full() }, "answer.outcome"),
            (pb::Answer { next_role: " ".to_owned(), ..full() }, "answer.next_role"),
            (pb::Answer { next_on: String::new(), ..full() }, "answer.next_on"),
            (pb::Answer { next_on: "2026-10-11".to_owned(), ..full() }, "answer.next_on"),
            (
                pb::Answer { trial_ends_on: String::new(), ..answer(pb::Outcome::Trial) },
                "answer.trial_ends_on",
            ),
            (
                pb::Answer { forwarded_to: String::new(), ..answer(pb::Outcome::NeedsHigherDecision) },
                "answer.forwarded_to",
            ),
        ];
        for (too_little, expected) in cases {
            assert_eq!(field(world.give(proposal, too_little).await?)?, expected);
        }
        let mut harsh = answer(pb::Outcome::Rejected);
        harsh.texts[0].alternative.clear();
        assert_eq!(field(world.give(proposal, harsh).await?)?, "answer.texts.alternative");
        let mut silent = full();
        silent.texts[0].reasons.clear();
        assert_eq!(refusal(world.give(proposal, silent).await?)?, conflict("proposals.forms_missing"));
        assert_eq!(world.response(proposal).await?.answers, []);
        assert_eq!(
            world.value::<i64>("SELECT COUNT(*) FROM unit_answer").await,
            0,
            "nothing is kept of them"
        );
        assert_eq!(world.events_after(seen).await, [""; 0]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p5_only_a_manager_of_the_lead_unit_who_is_not_disqualified_answers() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        let give = |unit: UnitId| pb::GiveResponseRequest {
            unit_id: unit.to_string(),
            proposal_id: proposal.to_string(),
            answer: Some(answer(pb::Outcome::Accepted)),
            reviewed: true,
        };
        let unit = lead(world);
        let by = async |caller: Caller, unit: UnitId| -> anyhow::Result<(Code, String)> {
            refusal(world.answers().give_response(world.by(caller, give(unit))?).await)
        };
        let forbidden = |code: &str| (Code::PermissionDenied, code.to_owned());
        assert_eq!(by(world.staff(unit), unit).await?, forbidden("access.scope"));
        assert_eq!(by(world.coordinator(), unit).await?, forbidden("access.scope"));
        let elsewhere = world.units.ii_work;
        assert_eq!(by(world.manager(elsewhere), unit).await?, forbidden("access.scope"));
        let unknown = (Code::NotFound, "proposals.no_such_proposal".to_owned());
        assert_eq!(by(world.manager(elsewhere), elsewhere).await?, unknown, "it is not addressed to them");
        // Client 1 wrote it, and manages the unit besides.
        let author = Caller { roles: world.manager(unit).roles, ..world.client(1) };
        assert_eq!(by(author, unit).await?, forbidden("proposals.disqualified"));
        // Others of the unit's managers wrote it down, and helped with it.
        let (recorder, helper) = (world.person(78), world.person(79));
        let writer = world.writer()?;
        let hands = writer.internal("story", proposal, move |tx, id| {
            async move {
                let mut proposal = store::proposals::load(tx.conn(), *id).await?;
                (proposal.acting.recorder, proposal.acting.helper) = (Some(recorder), Some(helper));
                store::proposals::save(tx.conn(), &proposal).await
            }
            .boxed()
        });
        hands.await?;
        for number in [78, 79] {
            let hand = Caller { roles: world.manager(unit).roles, ..world.client(number) };
            assert_eq!(by(hand, unit).await?, forbidden("proposals.disqualified"), "{number}");
        }
        let declare =
            pb::DeclareDisqualifiedRequest { unit_id: unit.to_string(), proposal_id: proposal.to_string() };
        for _ in 0..2 {
            world.answers().declare_disqualified(world.by(world.manager(unit), declare.clone())?).await?;
        }
        // Somebody has to see to it that the unit can answer at all.
        world.jobs_done().await?;
        let told = world.system.directory().role_notices();
        let told = told.iter().filter(|notice| notice.template == "proposals.manager_disqualified");
        assert_eq!(told.count(), 1, "the coordinators, once");
        assert_eq!(by(world.manager(unit), unit).await?, forbidden("proposals.disqualified"));
        let another = Caller { roles: world.manager(unit).roles, ..world.client(77) };
        world.answers().give_response(world.by(another, give(unit))?).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn s1_11_several_units_give_one_answer() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.proposal_before_forum("Ehdotus").await?;
        let (unit, other) = (lead(world), world.units.ii_work);
        let route = pb::RouteProposalRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            unit_ids: vec![unit.to_string(), other.to_string()],
            lead_unit_id: unit.to_string(),
        };
        world.handling().route_proposal(world.by(world.coordinator(), route)?).await?;
        world.endorse(proposal, ENDORSED).await?;
        let part = |unit: UnitId| pb::ContributeToResponseRequest {
            unit_id: unit.to_string(),
            proposal_id: proposal.to_string(),
            text: "Työtoiminta lähtee mukaan keskiviikkoisin.".to_owned(),
        };
        let by_lead = world.answers().contribute_to_response(world.by(world.staff(unit), part(unit))?).await;
        assert_eq!(refusal(by_lead)?, conflict("proposals.lead_unit"));
        world.answers().contribute_to_response(world.by(world.staff(other), part(other))?).await?;
        assert_eq!(world.response(proposal).await?.parts, [], "nobody sees it before the answer");
        let not_the_lead = pb::GiveResponseRequest {
            unit_id: other.to_string(),
            proposal_id: proposal.to_string(),
            answer: Some(answer(pb::Outcome::Accepted)),
            reviewed: true,
        };
        let refused = world.answers().give_response(world.by(world.manager(other), not_the_lead)?).await;
        let expected = (Code::PermissionDenied, "proposals.not_the_lead_unit".to_owned());
        assert_eq!(refusal(refused)?, expected);
        world.give(proposal, answer(pb::Outcome::Accepted)).await??;
        let response = world.response(proposal).await?;
        assert_eq!(response.parts[0].unit_id, other.to_string());
        let late = world.answers().contribute_to_response(world.by(world.staff(other), part(other))?).await;
        assert_eq!(refusal(late)?, conflict("proposals.response_given"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p4_what_somebody_higher_decides_is_answered_again_by_its_day() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        world.on("2026-11-02").await?;
        world.give(proposal, answer(pb::Outcome::NeedsHigherDecision)).await??;
        assert_eq!(world.promised(proposal).await?, "UnitManager HigherDecision 2026-12-15");
        let forwarded: Vec<pb::ProposalForwarded> = world.published().await;
        assert_eq!(forwarded[0].due_on, "2026-12-15");
        world.on("2026-12-16").await?;
        world.jobs_done().await?;
        assert_eq!(world.published::<pb::ResponseOverdue>().await.len(), 1, "the second day is watched too");
        world.give(proposal, answer_by(pb::Outcome::Accepted, "2027-01-11")).await??;
        let response = world.response(proposal).await?;
        let outcomes: Vec<_> =
            response.answers.iter().map(|one| one.answer.clone().unwrap_or_default().outcome()).collect();
        assert_eq!(outcomes, [pb::Outcome::Accepted, pb::Outcome::NeedsHigherDecision]);
        assert_eq!((response.response.unwrap_or_default().round, response.answers[0].number), (2, 2));
        let given: Vec<pb::UnitResponseGiven> = world.published().await;
        assert_eq!((given[0].days, given[0].days_late), (21, 0));
        assert_eq!((given[1].days, given[1].days_late), (65, 1), "days count from the endorsement");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p4_an_amended_answer_keeps_the_earlier_one() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        let early = world.amend(proposal, answer(pb::Outcome::Accepted)).await?;
        assert_eq!(refusal(early)?, conflict("proposals.no_response"));
        world.give(proposal, answer(pb::Outcome::Rejected)).await??;
        assert_eq!(world.promised(proposal).await?, "AreaCoordinator PublishFeedback 2026-10-26");
        world.amend(proposal, answer(pb::Outcome::Trial)).await??;
        assert_eq!(world.promised(proposal).await?, "UnitManager StartChange 2026-12-01");
        let answers = world.response(proposal).await?.answers;
        let texts = |number: usize| answers[number].answer.clone().unwrap_or_default();
        assert_eq!((texts(0).outcome(), texts(1).outcome()), (pb::Outcome::Trial, pb::Outcome::Rejected));
        assert_eq!(texts(0).trial_ends_on, "2027-03-01", "a try-out ends (S1.18)");
        let amended: Vec<pb::UnitResponseAmended> = world.published().await;
        assert_eq!(amended[0].outcome, "trial");
        world.plan(proposal, "2026-12-31").await??;
        world.begin(proposal).await??;
        let begun = world.amend(proposal, answer(pb::Outcome::Rejected)).await?;
        assert_eq!(
            refusal(begun)?,
            conflict("proposals.stage"),
            "a change that has begun is cancelled instead"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p4_a_change_that_is_given_up_becomes_a_rejection_with_its_reasons() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        world.give(proposal, answer(pb::Outcome::Accepted)).await??;
        world.plan(proposal, "2026-12-31").await??;
        world.begin(proposal).await??;
        let delay = pb::DelayChangeRequest {
            unit_id: lead(world).to_string(),
            proposal_id: proposal.to_string(),
            due_on: "2027-01-31".to_owned(),
            reason_plain: "Ohjaaja sairastui.".to_owned(),
            ..pb::DelayChangeRequest::default()
        };
        let delayed = world.changes().delay_change(world.by(world.staff(lead(world)), delay)?).await?;
        assert_eq!(delayed.into_inner().plan.unwrap_or_default().state(), pb::PlanState::Delayed);
        assert_eq!(world.promised(proposal).await?, "UnitManager FinishChange 2027-02-01", "a Monday");
        let cancel = |outcome| pb::CancelChangeRequest {
            unit_id: lead(world).to_string(),
            proposal_id: proposal.to_string(),
            answer: Some(answer(outcome)),
            reviewed: true,
        };
        let manager = || world.manager(lead(world));
        let still = world.changes().cancel_change(world.by(manager(), cancel(pb::Outcome::Accepted))?).await;
        assert_eq!(field(still)?, "answer.outcome");
        world.changes().cancel_change(world.by(manager(), cancel(pb::Outcome::Rejected))?).await?;
        world.tell_and_close(proposal).await?;
        let closed: Vec<pb::ProposalClosed> = world.published().await;
        assert_eq!(closed[0].outcome, "rejected");
        let get = pb::GetChangeRequest { proposal_id: proposal.to_string() };
        let plan = world.changes().get_change(get).await?.into_inner().plan.unwrap_or_default();
        assert_eq!(plan.state(), pb::PlanState::Cancelled);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p6_without_a_baseline_a_change_is_only_done() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        world.give(proposal, answer(pb::Outcome::Accepted)).await??;
        assert_eq!(refusal(world.begin(proposal).await?)?, conflict("proposals.no_plan"));
        world.plan(proposal, "2026-12-31").await??;
        world.begin(proposal).await??;
        world.begin(proposal).await??;
        assert_eq!(world.published::<pb::ImplementationStarted>().await.len(), 1, "it began once");
        let late = world.set_baseline(proposal, baseline()).await?;
        assert_eq!(refusal(late)?, conflict("proposals.baseline_late"));
        world.complete(proposal).await??;
        world.complete(proposal).await??;
        assert_eq!(world.published::<pb::ImplementationCompleted>().await.len(), 1);
        assert_eq!(world.promised(proposal).await?, "AreaCoordinator PublishFeedback 2026-10-26");
        assert_eq!(refusal(world.record(proposal, measured()).await?)?, conflict("proposals.no_baseline"));
        assert_eq!(refusal(world.publish_impact(proposal).await?)?, conflict("proposals.no_baseline"));
        world.tell_and_close(proposal).await?;
        let closed: Vec<pb::ProposalClosed> = world.published().await;
        assert_eq!(closed[0].outcome, "done", "no effect is claimed");
        assert_eq!(world.published::<pb::ImpactMeasured>().await, []);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p6_means_of_few_people_are_not_shown() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = with_baseline(world).await?;
        world.complete(proposal).await??;
        let mut few = measured();
        few[1].after = mean(17, 4);
        world.record(proposal, few).await??;
        let report = world.publish_impact(proposal).await??;
        let shown: Vec<_> = report.indicators.iter().map(|one| one.indicator_id.as_str()).collect();
        assert_eq!((shown, report.hidden_indicators), (vec!["heard", "outings_per_week"], 1));
        let published: Vec<pb::ImpactMeasured> = world.published().await;
        let told: Vec<_> = published[0].changes.iter().map(|one| one.indicator_id.as_str()).collect();
        assert_eq!(told, ["heard", "outings_per_week"]);
        Ok(())
    })
    .await
}

/// A change that has begun, with the baseline of scenario 4.
async fn with_baseline(world: &World) -> anyhow::Result<ProposalId> {
    world.on(ENDORSED).await?;
    let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
    world.give(proposal, answer(pb::Outcome::Accepted)).await??;
    world.plan(proposal, "2026-12-31").await??;
    world.set_baseline(proposal, baseline()).await??;
    world.begin(proposal).await??;
    Ok(proposal)
}

#[tokio::test]
async fn x2_a_change_whose_effect_nobody_measured_comes_to_the_coordinator() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        let proposal = with_baseline(world).await?;
        world.on("2027-03-01").await?;
        world.complete(proposal).await??;
        world.on("2027-08-30").await?;
        world.jobs_done().await?;
        assert_eq!(world.promised(proposal).await?, "UnitManager MeasureImpact 2027-08-30");
        world.draft_card(proposal).await??;
        world.approve_card(proposal).await??;
        let early = world.publish_card(proposal).await?;
        assert_eq!(refusal(early)?, conflict("proposals.impact_awaited"));
        world.on("2027-08-31").await?;
        world.jobs_done().await?;
        assert_eq!(world.promised(proposal).await?, "AreaCoordinator MeasureImpact 2027-08-30 late");
        let notices = world.system.directory().role_notices();
        let last = notices.last().context("a notice")?;
        assert_eq!(last.template, "proposals.impact_late");
        world.impact_due(proposal).await?;
        let marked = "SELECT COUNT(*) FROM proposal_step WHERE mark = 'impact_overdue'";
        assert_eq!(world.value::<i64>(marked).await, 1, "a job that runs twice says it once");
        world.publish_card(proposal).await??;
        world.close(proposal).await??;
        let closed: Vec<pb::ProposalClosed> = world.published().await;
        assert_eq!(closed[0].outcome, "done");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn p7_nothing_closes_without_published_feedback() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on(ENDORSED).await?;
        let proposal = world.endorsed_proposal("Ehdotus", ENDORSED).await?;
        world.draft_card(proposal).await??;
        world.approve_card(proposal).await??;
        let early = world.publish_card(proposal).await?;
        assert_eq!(refusal(early)?, conflict("proposals.feedback_early"));
        world.give(proposal, answer(pb::Outcome::Rejected)).await??;
        assert_eq!(refusal(world.close(proposal).await?)?, conflict("proposals.no_feedback"));
        let get = pb::GetFeedbackRequest { proposal_id: proposal.to_string(), ..Default::default() };
        let hidden = world.loop_cards().get_feedback(get).await?;
        assert_eq!(hidden.into_inner().card, None, "a draft is nobody's to read");
        let without_next = pb::DraftFeedbackRequest {
            tenant: POHDE.to_owned(),
            proposal_id: proposal.to_string(),
            lines: Some(card_lines()),
            next_role: "vastaava ohjaaja".to_owned(),
            ..pb::DraftFeedbackRequest::default()
        };
        world.loop_cards().draft_feedback(world.by(world.coordinator(), without_next)?).await?;
        assert_eq!(field(world.publish_card(proposal).await?)?, "next_on", "a card has a timetable");
        world.draft_card(proposal).await??;
        world.publish_card(proposal).await??;
        world.publish_card(proposal).await??;
        assert_eq!(world.published::<pb::FeedbackPublished>().await.len(), 1, "published once");
        assert_eq!(refusal(world.draft_card(proposal).await?)?, conflict("proposals.feedback_published"));
        let changed = world.amend(proposal, answer(pb::Outcome::Accepted)).await?;
        assert_eq!(refusal(changed)?, conflict("proposals.feedback_published"));
        assert_eq!(world.promised(proposal).await?, "AreaCoordinator Close 2026-10-26");
        world.close(proposal).await??;
        world.close(proposal).await??;
        assert_eq!(world.published::<pb::ProposalClosed>().await.len(), 1, "closed once");
        Ok(())
    })
    .await
}
