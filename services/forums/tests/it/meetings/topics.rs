//! Topics: who may raise one, when it becomes public, and what proposals' events do to them.

use kernel::{Caller, HeldRole, Ids, Role, ScopeRef, TenantId};
use proto::forums as pb;
use testkit::system::Store;

use super::PROPOSALS;
use super::house::{House, both, refused, text};
use crate::grpc::{MEMBERSHIP, PATIENCE};

/// Raises a topic as the staff of a unit of this county.
async fn by_unit(
    house: &House,
    county: &str,
    source: pb::TopicSource,
) -> Result<pb::AgendaItem, tonic::Status> {
    let roles = vec![HeldRole { role: Role::UnitStaff, scope: ScopeRef::Unit(house.unit) }];
    let tenants = TenantId::new(county).into_iter().collect();
    let staff = Caller { roles, tenants, ..Caller::person(house.secretary) };
    let mut raise = pb::RaiseTopicRequest {
        forum_id: house.forum.clone(),
        unit_id: house.unit.to_string(),
        source_name: "Iin päivätoiminta".to_owned(),
        texts: both("Kahvilavuorot", "Kuka keittää kahvin?"),
        ..pb::RaiseTopicRequest::default()
    };
    raise.set_source(source);
    let request = house.by(staff, raise).map_err(|error| tonic::Status::internal(error.to_string()))?;
    Ok(house.meetings().raise_topic(request).await?.into_inner().item.unwrap_or_default())
}

#[tokio::test]
async fn members_staff_and_local_groups_raise_topics_and_all_forms_come_out_at_once() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    house.on("2026-09-20").await?;
    let member = house.seats[3].person;
    let own = |texts| pb::RaiseMyTopicRequest { forum_id: house.forum.clone(), texts };
    let stranger: kernel::Subject = Ids::system().new_id();
    let text_of = || vec![text("fi-selko", "Haluan uimaan", "Missä voin uida?")];
    let outside = house.meetings().raise_my_topic(house.member(stranger, own(text_of()))?).await;
    assert_eq!(refused(outside), "forums.not_a_member");
    let empty = house.meetings().raise_my_topic(house.member(member, own(Vec::new()))?).await;
    assert_eq!(refused(empty), "request.invalid");
    let raised = house.meetings().raise_my_topic(house.member(member, own(text_of()))?).await?;
    let raised = raised.into_inner().item.unwrap_or_default();
    assert!(raised.texts.is_empty(), "an answer to a command is kept, and this text is not public");
    house.meetings().raise_my_topic(house.member(house.deputy, own(text_of()))?).await?;

    let unit = by_unit(&house, "21", pb::TopicSource::Unit).await?;
    assert_eq!(unit.source_name, "Iin päivätoiminta");
    assert_eq!(refused(by_unit(&house, "21", pb::TopicSource::Body).await), "request.invalid");
    assert_eq!(refused(by_unit(&house, "21", pb::TopicSource::Proposal).await), "request.invalid");
    assert_eq!(refused(by_unit(&house, "01", pb::TopicSource::Unit).await), "forums.no_such_forum");
    let mut group = pb::RaiseTopicRequest {
        forum_id: house.forum.clone(),
        source_name: "Vaalan paikallisryhmä".to_owned(),
        texts: both("Kuvat viikko-ohjelmaan", ""),
        ..pb::RaiseTopicRequest::default()
    };
    group.set_source(pb::TopicSource::LocalGroup);
    group.tenant = "19".to_owned();
    house.meetings().raise_topic(house.coordinator("19", group.clone())?).await?;
    group.tenant = "21".to_owned();
    let elsewhere = house.meetings().raise_topic(house.coordinator("21", group.clone())?).await;
    assert_eq!(refused(elsewhere), "forums.no_such_forum", "the county that leads the forum");
    group.texts.pop();
    let half = house.meetings().raise_topic(house.chair(group)?).await;
    assert_eq!(refused(half), "forums.text_forms_missing", "F11");

    let mine = pb::ListMyTopicsRequest { forum_id: house.forum.clone(), ..Default::default() };
    let mine = house.meetings().list_my_topics(house.member(member, mine)?).await?.into_inner().items;
    assert_eq!((mine.len(), mine[0].texts[0].title.as_str()), (1, "Haluan uimaan"));

    // What a member wrote in one form waits until somebody has written the others.
    let meeting = house.planned("2026-10-12", &[unit.item_id]).await?;
    let unready = house.schedule(&meeting, &raised.item_id).await;
    assert_eq!(refused(unready), "forums.text_forms_missing");
    let edit = |texts| pb::EditTopicRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        item_id: raised.item_id.clone(),
        texts,
    };
    let half = house.meetings().edit_topic(house.secretary(edit(text_of()))?).await;
    assert_eq!(refused(half), "forums.text_forms_missing");
    let whole = both("Haluan uimaan", "Missä voin uida?");
    house.meetings().edit_topic(house.secretary(edit(whole.clone()))?).await?;
    house.schedule(&meeting, &raised.item_id).await?;
    house.schedule(&meeting, &raised.item_id).await?;
    assert!(house.seen(&meeting).await?.1.is_empty(), "nothing is public before the notice");
    house.meetings().send_notice(house.secretary(house.notice(&meeting))?).await?;
    let agenda = house.seen(&meeting).await?.1;
    assert_eq!(agenda.iter().map(|item| item.position).collect::<Vec<_>>(), [1, 2]);
    assert!(agenda.iter().all(|item| item.texts.len() == 2), "F11: all forms at once");
    let late = house.meetings().edit_topic(house.secretary(edit(whole))?).await;
    assert_eq!(refused(late), "forums.agenda_closed");
    let sources: Vec<String> =
        house.told::<pb::TopicRaised>().await?.into_iter().map(|raised| raised.source).collect();
    assert_eq!(sources.len(), 7, "{sources:?}");
    house.system.finish().await
}

#[tokio::test]
async fn a_cancelled_meeting_sets_its_topics_free_and_a_merged_proposal_is_dropped() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    house.on("2026-09-20").await?;
    let (kept, merged) = (house.topic_of(0).await?, house.topic_of(1).await?);
    let meeting = house.planned("2026-10-12", &[kept.clone(), merged.clone()]).await?;
    let elsewhere = house.planned("2026-11-12", &[]).await?;
    assert_eq!(refused(house.schedule(&elsewhere, &kept).await), "forums.topic_scheduled");
    let off = pb::UnscheduleTopicRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        item_id: kept.clone(),
    };
    for _ in 0..2 {
        house.meetings().unschedule_topic(house.secretary(off.clone())?).await?;
    }
    house.schedule(&meeting, &kept).await?;
    house.meetings().send_notice(house.secretary(house.notice(&meeting))?).await?;
    let cancel = pb::CancelMeetingRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        meeting_id: meeting.clone(),
    };
    for _ in 0..2 {
        house.meetings().cancel_meeting(house.secretary(cancel.clone())?).await?;
    }
    testkit::eventually(PATIENCE, async || {
        house.system.directory().notices().iter().any(|one| one.template == "forums.meeting_cancelled")
    })
    .await;
    assert_eq!(house.told::<pb::MeetingCancelled>().await?.len(), 1);
    let waiting: Vec<String> = house.topics().await?.into_iter().map(|item| item.item_id).collect();
    assert!(waiting.contains(&kept) && !waiting.contains(&merged), "the merged one is dropped");
    house.schedule(&elsewhere, &kept).await?;
    assert_eq!(refused(house.schedule(&elsewhere, &merged).await), "forums.topic_over");
    house.system.finish().await
}

#[tokio::test]
async fn the_topic_of_a_proposal_that_ended_during_the_vote_is_dropped_with_it() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    let (merged, other) = (house.topic_of(1).await?, house.topic_of(0).await?);
    house.on("2026-09-20").await?;
    let cancelled = house.planned("2026-11-12", &[]).await?;
    let meeting = house.opened("2026-09-28", "2026-10-12", &[merged.clone(), other.clone()]).await?;
    let present = house.some([7, 6, 2, 4, 3]);
    house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &present))?).await?;
    for item in [&merged, &other] {
        house.meetings().put_to_vote(house.secretary(house.put(item))?).await?;
    }
    let cancel = pb::CancelMeetingRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        meeting_id: cancelled,
    };
    // The second proposal is merged into the first one meanwhile.
    house.meetings().cancel_meeting(house.secretary(cancel)?).await?;
    house.system.settle().await?;
    let defer = |item: &String| pb::DeferTopicRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        item_id: item.clone(),
    };
    for (item, state) in [(&merged, pb::TopicState::Dropped), (&other, pb::TopicState::Deferred)] {
        for _ in 0..2 {
            let left = house.meetings().defer_topic(house.secretary(defer(item))?).await?.into_inner();
            assert_eq!(left.item.unwrap_or_default().state(), state);
        }
    }
    let waiting: Vec<String> = house.topics().await?.into_iter().map(|item| item.item_id).collect();
    assert!(waiting.contains(&other) && !waiting.contains(&merged), "nobody votes on it again");
    house.system.finish().await
}

#[tokio::test]
async fn a_person_has_so_many_topics_waiting_for_whomever_they_raise_them() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    house.on("2026-09-20").await?;
    for _ in 0..20 {
        by_unit(&house, "19", pb::TopicSource::Unit).await?;
    }
    let more = by_unit(&house, "19", pb::TopicSource::Unit).await;
    assert_eq!(refused(more), "forums.too_many_topics", "a unit's staff has no more room than a member");
    let member = house.seats[3].person;
    let own = |title: &str| pb::RaiseMyTopicRequest { forum_id: house.forum.clone(), texts: both(title, "") };
    let first = house.meetings().raise_my_topic(house.member(member, own("Uimaan"))?).await?.into_inner();
    for _ in 1..20 {
        house.meetings().raise_my_topic(house.member(member, own("Lisää"))?).await?;
    }
    // What a meeting left to another one waits for it, too.
    let first = first.item.unwrap_or_default().item_id;
    let meeting = house.opened("2026-09-28", "2026-10-12", std::slice::from_ref(&first)).await?;
    let defer =
        pb::DeferTopicRequest { forum_id: house.forum.clone(), tenant: String::new(), item_id: first };
    house.meetings().defer_topic(house.secretary(defer)?).await?;
    let more = house.meetings().raise_my_topic(house.member(member, own("Vielä"))?).await;
    assert_eq!(refused(more), "forums.too_many_topics", "{meeting}");
    house.system.finish().await
}

#[tokio::test]
async fn reading_proposals_again_raises_nothing_twice() -> anyhow::Result<()> {
    let mut house = House::new(Store::Sqlite).await?;
    let (idea, other) = (house.topic_of(0).await?, house.topic_of(2).await?);
    let meeting = house.opened("2026-09-28", "2026-10-12", &[idea.clone(), other]).await?;
    let present = house.some([7, 6, 2, 4, 3]);
    house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &present))?).await?;
    let hands = pb::RecordVoteRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        item_id: idea,
        votes_for: 19,
        votes_against: 1,
        votes_blank: 2,
    };
    for _ in 0..2 {
        house.meetings().record_vote(house.secretary(hands.clone())?).await?;
    }
    let before: Vec<pb::AgendaItem> = house.topics().await?;
    assert_eq!(before.len(), 2);
    let mut services =
        proto::messaging::operator_service_client::OperatorServiceClient::new(house.system.channel());
    let rebuild = proto::messaging::RebuildProjectionRequest {
        service: "forums".to_owned(),
        projection: "proposals".to_owned(),
        ..Default::default()
    };
    let roles = vec![HeldRole { role: Role::Operator, scope: ScopeRef::Cell }];
    let operator = Caller { roles, ..Caller::service("test-operator") };
    services.rebuild_projection(house.system.request("forums", operator, rebuild)?).await?;
    house.system.restart_as(&[forums::SERVICE, MEMBERSHIP, PROPOSALS]).await?;
    assert_eq!(house.topics().await?, before, "the same topics, and no other");
    assert_eq!(house.told::<pb::TopicRaised>().await?.len(), 3);
    assert_eq!(house.told::<pb::ProposalEndorsed>().await?.len(), 1);
    house.system.finish().await
}

#[tokio::test]
async fn forums_is_ready_where_proposals_is_not_deployed() -> anyhow::Result<()> {
    let services = [forums::SERVICE, MEMBERSHIP];
    let system = testkit::system::System::start(&services, Store::Sqlite, &[]).await?;
    system.settle().await?;
    system.finish().await
}
