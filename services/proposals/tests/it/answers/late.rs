//! Scenario 5: a late answer escalates; and the days of answers (P3).

use tonic::Code;

use super::*;
use crate::support::{Store, refusal, run};

#[tokio::test]
async fn p3_a_late_answer_escalates_and_counts_on_sqlite() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| eighteen_answers(world).await).await
}

#[tokio::test]
async fn p3_a_late_answer_escalates_and_counts_on_postgres() -> anyhow::Result<()> {
    run(Store::Postgres, async |world| eighteen_answers(world).await).await
}

/// 18 answers due from October to December: 14 on time, 3 late, 1 missing.
async fn eighteen_answers(world: &World) -> anyhow::Result<()> {
    world.on("2026-10-12").await?;
    let mut proposals = Vec::new();
    for number in 1..=18 {
        proposals.push(world.proposal_before_forum(&format!("Ehdotus {number}")).await?);
    }
    let endorsed: Vec<_> = proposals.iter().map(|one| world.endorsement(*one, "2026-10-12")).collect();
    world.forums_say_all(POHDE, &[LAPHA], &endorsed).await?;
    let (on_time, others) = proposals.split_at(14);
    let [late, next_day, last_of_november, missing] = others else { anyhow::bail!("four are left") };
    world.on("2026-11-04").await?;
    for proposal in on_time {
        world.give(*proposal, answer(pb::Outcome::Accepted)).await??;
    }
    world.evening_of("2026-11-04").await?;
    world.jobs_done().await?;
    escalate(world, *late, *next_day).await?;
    world.on("2026-11-30").await?;
    let rejected = answer_by(pb::Outcome::Rejected, "2026-12-31");
    world.give(*last_of_november, rejected.clone()).await??;
    world.on("2026-12-01").await?;
    world.give(*late, rejected).await??;
    let given: Vec<pb::UnitResponseGiven> = world.published().await;
    let of_late = given.iter().find(|one| one.proposal_id == late.to_string()).unwrap();
    assert_eq!((of_late.days, of_late.days_late), (50, 20));
    let response = world.response(*late).await?.response.unwrap_or_default();
    assert_eq!((response.late, response.days_late), (true, 20), "it stays late in the eyes of all");

    world.on("2026-12-31").await?;
    world.jobs_done().await?;
    let mut period = pb::GetResponseFiguresRequest {
        tenant: POHDE.to_owned(),
        from: "2026-10-01".to_owned(),
        to: "2026-12-31".to_owned(),
    };
    let figures = world.answers().get_response_figures(period.clone()).await?.into_inner();
    let expected =
        pb::GetResponseFiguresResponse { on_time: 14, late: 3, missing: 1, due: 18, on_time_bp: 7_778 };
    assert_eq!(figures, expected, "K4 is 77.78 %");
    period.to = "2026-11-10".to_owned();
    let before = world.answers().get_response_figures(period.clone()).await?.into_inner();
    assert_eq!(before.due, 0, "nothing was due before 11.11.");
    period.from = "2026-12-01".to_owned();
    let refused = world.answers().get_response_figures(period).await;
    assert_eq!(refusal(refused)?.0, Code::InvalidArgument);

    assert_eq!(world.promised(*missing).await?, "UnitManager Answer 2026-11-11 late");
    let closed = world.close(*missing).await?;
    assert_eq!(refusal(closed)?.1, "proposals.no_feedback", "silence is no rejection");
    Ok(())
}

async fn escalate(world: &World, late: ProposalId, next_day: ProposalId) -> anyhow::Result<()> {
    let day = async |day: &str| -> anyhow::Result<(usize, usize, Vec<String>)> {
        world.on(day).await?;
        world.jobs_done().await?;
        let levels = world.published::<pb::ResponseEscalated>().await;
        let levels = levels.into_iter().filter(|one| one.proposal_id == late.to_string());
        let reminders: Vec<pb::ResponseReminderSent> = world.published().await;
        let overdue: Vec<pb::ResponseOverdue> = world.published().await;
        Ok((reminders.len(), overdue.len(), levels.map(|one| one.level).collect()))
    };
    assert_eq!(day("2026-11-05").await?, (4, 0, vec![]));
    assert_eq!(day("2026-11-11").await?, (4, 0, vec![]));
    assert_eq!(world.promised(late).await?, "UnitManager Answer 2026-11-11");
    assert_eq!(day("2026-11-12").await?, (4, 4, vec!["coordinator".to_owned()]));
    assert_eq!(world.promised(late).await?, "UnitManager Answer 2026-11-11 late");
    world.give(next_day, answer(pb::Outcome::Accepted)).await??;
    assert_eq!(day("2026-11-25").await?, (4, 4, vec!["coordinator".to_owned()]));
    let both = vec!["coordinator".to_owned(), "manager".to_owned()];
    assert_eq!(day("2026-11-26").await?, (4, 4, both));
    assert_eq!(world.promised(late).await?, "UnitManager Answer 2026-11-11 late");
    let steps = world.timeline(late).await?;
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let expected = [
        "2026-10-12 AwaitingResponse forum",
        "2026-11-04 reminded timer",
        "2026-11-12 overdue timer",
        "2026-11-12 escalated_to_coordinator timer",
        "2026-11-26 escalated_to_manager timer",
    ];
    assert_eq!(steps[steps.len() - 5..], expected);
    told(world, late).await?;
    late_lists(world).await
}

/// The manager is told of request, reminder and the last escalation, the coordinators of the first.
async fn told(world: &World, proposal: ProposalId) -> anyhow::Result<()> {
    let notices = world.system.directory().role_notices();
    let about = notices.into_iter().filter(|one| one.dedupe_key.contains(&proposal.to_string()));
    let told: Vec<(String, proto::common::Role)> =
        about.map(|one| (one.template, one.role.map(|held| held.role()).unwrap_or_default())).collect();
    let (manager, coordinator) = (proto::common::Role::UnitManager, proto::common::Role::AreaCoordinator);
    let expected = [
        ("proposals.response_requested", manager),
        ("proposals.response_reminder", manager),
        ("proposals.response_late", coordinator),
        ("proposals.response_late", manager),
    ];
    assert_eq!(told, expected.map(|(template, role)| (template.to_owned(), role)));
    Ok(())
}

/// Three are open: coordinator and manager see the same ones, page by page.
async fn late_lists(world: &World) -> anyhow::Result<()> {
    let mut of_county =
        pb::ListLateResponsesRequest { tenant: POHDE.to_owned(), page_size: 2, page_token: String::new() };
    let first = world
        .answers()
        .list_late_responses(world.by(world.coordinator(), of_county.clone())?)
        .await?
        .into_inner();
    assert_eq!((first.responses.len(), first.responses[0].days_late), (2, 15));
    of_county.page_token = first.next_page_token;
    let second = world
        .answers()
        .list_late_responses(world.by(world.coordinator(), of_county.clone())?)
        .await?
        .into_inner();
    assert_eq!((second.responses.len(), second.next_page_token.as_str()), (1, ""));
    let of_unit = pb::ListMyUnitAnswersRequest {
        unit_id: lead(world).to_string(),
        page_size: 0,
        page_token: String::new(),
    };
    let mine = world
        .answers()
        .list_my_unit_answers(world.by(world.manager(lead(world)), of_unit.clone())?)
        .await?
        .into_inner();
    assert_eq!(mine.responses, [first.responses, second.responses].concat());
    let elsewhere = world.by(world.manager(world.units.ii_work), of_unit)?;
    let refused = world.answers().list_my_unit_answers(elsewhere).await;
    assert_eq!(refusal(refused)?.0, Code::PermissionDenied);
    let elsewhere = world.by(world.coordinator_of(LAPHA), of_county)?;
    assert_eq!(refusal(world.answers().list_late_responses(elsewhere).await)?.0, Code::PermissionDenied);
    Ok(())
}

#[tokio::test]
async fn p3_a_due_day_moves_to_a_working_day_and_once_more_by_the_coordinator() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        run(store, async |world| moved_once(world).await).await?;
    }
    Ok(())
}

async fn moved_once(world: &World) -> anyhow::Result<()> {
    world.on("2026-10-12").await?;
    let proposal = world.endorsed_proposal("Ehdotus 1", "2026-10-12").await?;
    world.on("2026-11-06").await?;
    let other = world.endorsed_proposal("Ehdotus 2", "2026-11-06").await?;
    assert_eq!(world.promised(other).await?, "UnitManager Answer 2026-12-07", "not on Independence Day");

    world.on("2026-11-09").await?;
    world.jobs_done().await?;
    let refused = world.extend(proposal, 15).await?;
    assert_eq!(refusal(refused)?.0, Code::InvalidArgument, "local policy allows 14 days");
    let extended = world.extend(proposal, 14).await??;
    assert_eq!((extended.due_on.as_str(), extended.extended), ("2026-11-25", true));
    assert_eq!(world.promised(proposal).await?, "UnitManager Answer 2026-11-25");
    let again = world.extend(proposal, 1).await?;
    let expected = (Code::FailedPrecondition, "proposals.response_extended".to_owned());
    assert_eq!(refusal(again)?, expected);

    // The timers of the old days find that they are old; those of the new ones tell in their turn.
    world.on("2026-11-13").await?;
    world.jobs_done().await?;
    assert_eq!(world.published::<pb::ResponseOverdue>().await, []);
    world.on("2026-11-26").await?;
    world.jobs_done().await?;
    let overdue: Vec<pb::ResponseOverdue> = world.published().await;
    assert_eq!(overdue.len(), 1);
    assert_eq!(overdue[0].due_on, "2026-11-25");
    let reminders: Vec<pb::ResponseReminderSent> = world.published().await;
    let due: Vec<_> = reminders.iter().map(|one| one.due_on.as_str()).collect();
    assert_eq!(due, ["2026-11-11", "2026-11-25"], "of each due day once");
    Ok(())
}

#[tokio::test]
async fn p3_a_clock_that_jumps_takes_every_step_in_order_and_once() -> anyhow::Result<()> {
    run(Store::Sqlite, async |world| {
        world.on("2026-10-12").await?;
        let proposal = world.endorsed_proposal("Ehdotus", "2026-10-12").await?;
        world.jobs_done().await?;
        let seen = world.event_names().await.len();
        world.on("2027-02-01").await?;
        world.jobs_done().await?;
        let expected = ["ResponseReminderSent", "ResponseOverdue", "ResponseEscalated", "ResponseEscalated"];
        assert_eq!(world.events_after(seen).await, expected);
        world.on("2027-05-03").await?;
        world.jobs_done().await?;
        assert_eq!(world.events_after(seen).await, expected);
        assert_eq!(world.promised(proposal).await?, "UnitManager Answer 2026-11-11 late");
        Ok(())
    })
    .await
}
