//! What is refused around a meeting, with its code.

use proto::forums as pb;
use testkit::system::Store;

use super::house::{Held, House, both, refused};

#[tokio::test]
async fn planning_and_the_notice() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    house.on("2026-09-29").await?;
    let plan = async |change: fn(&mut pb::PlanMeetingRequest)| {
        let mut plan = house.plan("2026-10-12");
        change(&mut plan);
        house.meetings().plan_meeting(house.secretary(plan).expect("a token")).await
    };
    assert_eq!(refused(plan(|plan| plan.held_on = "2026-09-28".to_owned()).await), "forums.meeting_in_past");
    assert_eq!(refused(plan(|plan| plan.held_on = "2028-05-01".to_owned()).await), "forums.outside_term");
    assert_eq!(refused(plan(|plan| plan.held_on = "12.10.2026".to_owned()).await), "request.invalid");
    assert_eq!(refused(plan(|plan| plan.starts_at = "25:00".to_owned()).await), "request.invalid");
    assert_eq!(refused(plan(|plan| plan.place.clear()).await), "request.invalid");
    assert_eq!(refused(plan(|plan| plan.set_mode(pb::MeetingMode::InPerson)).await), "request.invalid");
    assert_eq!(refused(plan(|plan| plan.mode = 0).await), "request.invalid");
    let by_chair = house.meetings().plan_meeting(house.chair(house.plan("2026-10-12"))?).await;
    assert_eq!(refused(by_chair), "access.scope", "a chair plans no meeting");

    let meeting = house.planned("2026-10-12", &[]).await?;
    let empty = house.meetings().send_notice(house.secretary(house.notice(&meeting))?).await;
    assert_eq!(refused(empty), "forums.empty_agenda");
    house.schedule(&meeting, &house.topic_of(0).await?).await?;
    let mut half = house.notice(&meeting);
    half.notice.pop();
    let half = house.meetings().send_notice(house.secretary(half)?).await;
    assert_eq!(refused(half), "forums.text_forms_missing", "F11");
    let late = house.meetings().send_notice(house.secretary(house.notice(&meeting))?).await;
    let status = late.expect_err("13 days before");
    let fault = chassis::fault(&status);
    assert_eq!(fault.code(), "forums.notice_too_late");
    assert!(fault.message().contains("2026-10-13"), "{fault}");

    let moved = |held_on: &str| {
        let plan = house.plan(held_on);
        pb::MoveMeetingRequest {
            forum_id: plan.forum_id,
            tenant: "19".to_owned(),
            meeting_id: meeting.clone(),
            held_on: plan.held_on,
            starts_at: plan.starts_at,
            mode: plan.mode,
            place: plan.place,
            remote_link: plan.remote_link,
        }
    };
    for _ in 0..2 {
        house.meetings().move_meeting(house.coordinator("19", moved("2026-10-13"))?).await?;
    }
    for _ in 0..2 {
        house.meetings().send_notice(house.secretary(house.notice(&meeting))?).await?;
    }
    assert_eq!(house.told::<pb::MeetingScheduled>().await?.len(), 2, "planned and moved");
    let (seen, _) = house.seen(&meeting).await?;
    assert_eq!(seen.notice_due_on, "2026-09-29");
    let full = house.schedule(&meeting, &house.topic_of(2).await?).await;
    assert_eq!(refused(full), "forums.agenda_closed");
    // Moved after the notice: it is taken back, and members are told so.
    house.meetings().move_meeting(house.coordinator("19", moved("2026-11-13"))?).await?;
    let (seen, agenda) = house.seen(&meeting).await?;
    assert_eq!((seen.state(), seen.notice.len(), agenda.len()), (pb::MeetingState::Planned, 0, 0));
    testkit::eventually(crate::grpc::PATIENCE, async || {
        house
            .system
            .directory()
            .notices()
            .iter()
            .any(|one| one.template == "forums.meeting_moved" && one.urgent)
    })
    .await;
    house.system.finish().await
}

#[tokio::test]
async fn f9_without_a_quorum_nothing_is_decided() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    let (idea, other) = (house.topic_of(0).await?, house.topic_of(2).await?);
    let meeting = house.opened("2026-09-28", "2026-10-12", std::slice::from_ref(&idea)).await?;
    let off_table = house.meetings().put_to_vote(house.secretary(house.put(&other))?).await;
    assert_eq!(refused(off_table), "forums.topic_not_on_table");
    for few in [house.some([7, 7, 0, 0, 0]), house.some([8, 8, 0, 0, 0])] {
        house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &few))?).await?;
        let vote = house.meetings().put_to_vote(house.secretary(house.put(&idea))?).await;
        assert_eq!(refused(vote), "forums.not_quorate");
        let hands = pb::RecordVoteRequest {
            forum_id: house.forum.clone(),
            item_id: idea.clone(),
            votes_for: 14,
            ..Default::default()
        };
        let hands = house.meetings().record_vote(house.secretary(hands)?).await;
        assert_eq!(refused(hands), "forums.not_quorate");
        let mut returned = pb::RecordDecisionRequest {
            forum_id: house.forum.clone(),
            item_id: idea.clone(),
            texts: both("Lisää tietoa", "Kuinka usein?"),
            ..Default::default()
        };
        returned.set_kind(pb::DecisionKind::ReturnedForWork);
        let returned = house.meetings().record_decision(house.secretary(returned)?).await;
        assert_eq!(refused(returned), "forums.not_quorate");
    }
    house.system.finish().await
}

#[tokio::test]
async fn attendance_decisions_and_dissents() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    let idea = house.topic_of(0).await?;
    house.on("2026-09-28").await?;
    let meeting = house.planned("2026-10-12", std::slice::from_ref(&idea)).await?;
    let present = house.some([7, 6, 2, 4, 3]);
    let record = async |change: &(dyn Fn(&mut pb::RecordAttendanceRequest) + Sync)| {
        let mut attendance = house.attendance(&meeting, &present);
        change(&mut attendance);
        house.meetings().record_attendance(house.secretary(attendance).expect("a token")).await
    };
    assert_eq!(refused(record(&|_| {}).await), "forums.meeting_not_open");
    let open = pb::OpenMeetingRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        meeting_id: meeting.clone(),
    };
    let uncalled = house.meetings().open_meeting(house.secretary(open.clone())?).await;
    assert_eq!(refused(uncalled), "forums.wrong_step");
    house.meetings().send_notice(house.secretary(house.notice(&meeting))?).await?;
    let early = house.meetings().open_meeting(house.secretary(open.clone())?).await;
    assert_eq!(refused(early), "forums.meeting_not_today");
    house.on("2026-10-12").await?;
    for _ in 0..2 {
        house.meetings().open_meeting(house.secretary(open.clone())?).await?;
    }
    assert_eq!(refused(record(&|one| one.present[0].seat_no = 9).await), "forums.no_such_seat");
    assert_eq!(refused(record(&|one| one.present[0].deputy_order = 2).await), "forums.no_such_deputy");
    assert_eq!(refused(record(&|one| one.present[0].seat_no = 2).await), "forums.present_twice");
    assert_eq!(refused(record(&|one| one.chair_seat_no = 8).await), "request.invalid");
    assert_eq!(refused(record(&|one| one.support_persons = 501).await), "request.invalid");
    assert_eq!(refused(record(&|one| one.present[0].municipality = "9".to_owned()).await), "request.invalid");
    record(&|_| {}).await?;

    let dissent = |person: &Held| {
        let dissent = pb::AttachDissentRequest {
            forum_id: house.forum.clone(),
            item_id: idea.clone(),
            text: "Ei.".to_owned(),
            ..Default::default()
        };
        house.member(person.person, dissent)
    };
    let undecided = house.meetings().attach_dissent(dissent(&present[0])?).await;
    assert_eq!(refused(undecided), "forums.nothing_decided");
    let decide = |kind: pb::DecisionKind, texts| {
        let mut decision = pb::RecordDecisionRequest {
            forum_id: house.forum.clone(),
            item_id: idea.clone(),
            texts,
            ..Default::default()
        };
        decision.set_kind(kind);
        house.secretary(decision)
    };
    for (kind, texts) in [
        (pb::DecisionKind::Endorsed, Vec::new()),
        (pb::DecisionKind::ReturnedForWork, Vec::new()),
        (pb::DecisionKind::Unspecified, Vec::new()),
    ] {
        assert_eq!(refused(house.meetings().record_decision(decide(kind, texts)?).await), "request.invalid");
    }
    let mut half = both("Syy", "Koska.");
    half.pop();
    let half = house.meetings().record_decision(decide(pb::DecisionKind::ReturnedForWork, half)?).await;
    assert_eq!(refused(half), "forums.text_forms_missing", "the reason comes in plain language too");
    for (kind, texts) in [
        (pb::DecisionKind::StatementGiven, both("Lausunto", "Hyvä asia.")),
        (pb::DecisionKind::Noted, Vec::new()),
    ] {
        let ended = house.meetings().record_decision(decide(kind, texts)?).await;
        assert_eq!(refused(ended), "forums.proposal_needs_vote", "proposals would wait for ever (X1)");
    }
    let returned = decide(pb::DecisionKind::ReturnedForWork, both("Lisää tietoa", "Kuinka usein?"))?;
    house.meetings().record_decision(returned).await?;
    assert_eq!(house.told::<pb::ProposalReturnedForWork>().await?.len(), 1);
    assert!(house.told::<pb::ProposalEndorsed>().await?.is_empty());
    house.meetings().attach_dissent(dissent(&present[0])?).await?;
    let unread = pb::GetMinutesDraftRequest {
        forum_id: house.forum.clone(),
        meeting_id: meeting.clone(),
        ..Default::default()
    };
    let unread = house.meetings().get_minutes_draft(house.secretary(unread)?).await;
    assert_eq!(refused(unread), "request.invalid", "whoever reads dissents says why");
    house.system.finish().await
}
