//! What members see and do: their meetings, help beside them, deputies, seats that fall empty in between.

use kernel::{ActingMode, Caller, HeldRole, Role, ScopeRef, Subject};
use proto::forums as pb;
use testkit::system::Store;

use super::house::{House, assisted, refused};

async fn my_meeting(house: &House, person: Subject) -> anyhow::Result<pb::MyMeeting> {
    let list = pb::ListMyMeetingsRequest { forum_id: house.forum.clone(), ..Default::default() };
    let list = house.meetings().list_my_meetings(house.member(person, list)?).await?.into_inner();
    Ok(list.meetings.into_iter().next().unwrap_or_default())
}

#[tokio::test]
async fn m4_m5_a_member_votes_with_help_and_nobody_votes_for_them() -> anyhow::Result<()> {
    for store in [Store::Sqlite, Store::Postgres] {
        let house = House::new(store).await?;
        let idea = house.topic_of(0).await?;
        let meeting = house.opened("2026-09-28", "2026-10-12", std::slice::from_ref(&idea)).await?;
        let present = house.some([7, 6, 2, 4, 3]);
        house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &present))?).await?;
        house.meetings().put_to_vote(house.secretary(house.put(&idea))?).await?;
        let cast = async |caller: Caller, confirmed: bool| {
            let vote = house.vote(&meeting, &idea, pb::VoteChoice::For);
            let request = house.by(caller, pb::CastForumVoteRequest { confirmed, ..vote });
            house.meetings().cast_forum_vote(request.expect("a token")).await
        };
        let member = present[0].person;
        let mode = |mode| Caller { mode, ..Caller::person(member) };
        assert_eq!(refused(cast(assisted(member), false).await), "forums.confirmation_needed");
        assert_eq!(refused(cast(mode(ActingMode::OnBehalf), true).await), "forums.mandate_cannot_vote");
        assert_eq!(refused(cast(mode(ActingMode::Dictated), true).await), "forums.dictated_cannot_vote");
        let support = HeldRole { role: Role::SupportPerson, scope: ScopeRef::Forum(house.forum_id()?) };
        let support = Caller { roles: vec![support], ..Caller::person(member) };
        assert_eq!(refused(cast(support, true).await), "forums.staff_may_not_take_part");
        let elsewhere = Caller { staff_somewhere: true, ..Caller::person(member) };
        assert_eq!(
            refused(cast(elsewhere, true).await),
            "forums.staff_may_not_take_part",
            "M4, of whatever county"
        );
        let stranger = Caller::person(house.secretary);
        assert_eq!(refused(cast(stranger, true).await), "forums.not_a_member");
        assert!(my_meeting(&house, member).await?.voted_item_ids.is_empty());
        cast(assisted(member), true).await?;
        assert_eq!(refused(cast(Caller::person(member), true).await), "forums.already_voted");
        let mine = my_meeting(&house, member).await?;
        assert_eq!(mine.voted_item_ids, std::slice::from_ref(&idea));
        assert!(mine.present && !mine.deputy && mine.remote_link.starts_with("https://"));
        assert_eq!((mine.municipality.as_str(), mine.seat_no), ("139", 1));
        let absent = my_meeting(&house, house.deputy).await?;
        assert!(!absent.present && absent.voted_item_ids.is_empty());
        let unsaid = house.vote(&meeting, &idea, pb::VoteChoice::Unspecified);
        let unsaid = house.meetings().cast_forum_vote(house.member(present[1].person, unsaid)?).await;
        assert_eq!(refused(unsaid), "request.invalid");
        let close = house.close_vote(&idea);
        let missing = house.meetings().close_vote(house.secretary(close.clone())?).await;
        assert_eq!(refused(missing), "forums.votes_missing");
        let early = pb::CloseVoteRequest { close_early: true, ..close };
        let early = house.meetings().close_vote(house.secretary(early)?).await;
        assert_eq!(refused(early), "forums.too_few_votes", "one vote decides nothing");
        house.system.finish().await?;
    }
    Ok(())
}

#[tokio::test]
async fn m5_nobody_dissents_or_looks_at_meetings_in_a_members_name() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    let idea = house.topic_of(0).await?;
    let meeting = house.opened("2026-09-28", "2026-10-12", std::slice::from_ref(&idea)).await?;
    let present = house.some([7, 6, 2, 4, 3]);
    house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &present))?).await?;
    let hands = pb::RecordVoteRequest {
        forum_id: house.forum.clone(),
        item_id: idea.clone(),
        votes_for: 22,
        ..Default::default()
    };
    house.meetings().record_vote(house.secretary(hands)?).await?;
    let member = present[0].person;
    let dissent = async |caller: Caller, confirmed: bool| {
        let text = "En halua ulos.".to_owned();
        let (forum_id, item_id) = (house.forum.clone(), idea.clone());
        let dissent = pb::AttachDissentRequest { forum_id, item_id, text, show_seat: true, confirmed };
        house.meetings().attach_dissent(house.by(caller, dissent).expect("a token")).await
    };
    for mode in [ActingMode::OnBehalf, ActingMode::Dictated] {
        let other = Caller { mode, ..Caller::person(member) };
        assert_eq!(refused(dissent(other.clone(), true).await), "forums.members_own_matter");
        let list = pb::ListMyMeetingsRequest { forum_id: house.forum.clone(), ..Default::default() };
        let list = house.meetings().list_my_meetings(house.by(other, list)?).await;
        assert_eq!(refused(list), "forums.members_own_matter");
    }
    assert_eq!(refused(dissent(assisted(member), false).await), "forums.confirmation_needed");
    dissent(assisted(member), true).await?;
    house.system.finish().await
}

#[tokio::test]
async fn f10_who_was_there_at_the_decision_dissents_and_takes_nobody_elses_dissent_away() -> anyhow::Result<()>
{
    let house = House::new(Store::Sqlite).await?;
    let ideas = [house.topic_of(0).await?, house.topic_of(2).await?];
    let meeting = house.opened("2026-09-28", "2026-10-12", &ideas).await?;
    let present = house.some([7, 6, 2, 4, 3]);
    let holder = present[0].person;
    // Of the first seat its deputy is there at first, then its holder; somebody else leaves in between.
    let mut attendance = house.attendance(&meeting, &present);
    attendance.present[0].deputy_order = 1;
    house.meetings().record_attendance(house.secretary(attendance.clone())?).await?;
    let hands = |item: &String| pb::RecordVoteRequest {
        forum_id: house.forum.clone(),
        item_id: item.clone(),
        votes_for: 20,
        ..Default::default()
    };
    house.meetings().record_vote(house.secretary(hands(&ideas[0]))?).await?;
    attendance.present[0].deputy_order = 0;
    let left = attendance.present.remove(1);
    let early =
        present.iter().find(|held| (held.seat_no, &held.municipality) == (left.seat_no, &left.municipality));
    let early = early.map_or(house.secretary, |held| held.person);
    house.meetings().record_attendance(house.secretary(attendance)?).await?;
    house.meetings().record_vote(house.secretary(hands(&ideas[1]))?).await?;
    let dissent = async |person: Subject, which: usize, text: &str| {
        let dissent = pb::AttachDissentRequest {
            forum_id: house.forum.clone(),
            item_id: ideas[which].clone(),
            text: text.to_owned(),
            show_seat: true,
            confirmed: false,
        };
        house.meetings().attach_dissent(house.member(person, dissent).expect("a token")).await
    };
    dissent(house.deputy, 0, "Varajäsenen mieli").await?;
    assert_eq!(refused(dissent(holder, 0, "En ollut paikalla").await), "forums.not_a_member");
    dissent(early, 0, "Lähdin, mutta olen eri mieltä").await?;
    dissent(early, 0, "Lähdin, ja olen eri mieltä").await?;
    assert_eq!(refused(dissent(early, 1, "En ollut paikalla").await), "forums.not_a_member");
    dissent(holder, 1, "Jäsenen mieli").await?;
    let draft = pb::GetMinutesDraftRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        meeting_id: meeting.clone(),
        purpose: "Writing of the minutes".to_owned(),
    };
    let draft = house.meetings().get_minutes_draft(house.secretary(draft)?).await?.into_inner();
    let mut texts: Vec<String> =
        draft.minutes.unwrap_or_default().dissents.into_iter().map(|one| one.text).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["Jäsenen mieli", "Lähdin, ja olen eri mieltä", "Varajäsenen mieli"]);
    house.system.finish().await
}

#[tokio::test]
async fn a_seat_that_falls_empty_during_a_vote_has_no_vote_and_an_abandoned_vote_is_forgotten()
-> anyhow::Result<()> {
    let mut house = House::new(Store::Sqlite).await?;
    let idea = house.topic_of(0).await?;
    let meeting = house.opened("2026-09-28", "2026-10-12", std::slice::from_ref(&idea)).await?;
    // Fifteen of 28 seats: just enough.
    let present = house.some([8, 1, 2, 4, 0]);
    assert_eq!(present.len(), 15);
    house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &present))?).await?;
    house.meetings().put_to_vote(house.secretary(house.put(&idea))?).await?;
    for held in &present[..3] {
        let vote = house.vote(&meeting, &idea, pb::VoteChoice::For);
        house.meetings().cast_forum_vote(house.member(held.person, vote)?).await?;
    }
    let again =
        house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &present))?).await;
    assert_eq!(refused(again), "forums.vote_open", "who may vote is fixed while votes are taken");
    // The seats of Simo that were there fall empty one by one: 13 of 26.
    for held in present.iter().filter(|held| held.municipality == "751") {
        let mut vacate = pb::DeclareVacancyRequest {
            forum_id: house.forum.clone(),
            municipality: "751".to_owned(),
            seat_no: held.seat_no,
            ..Default::default()
        };
        vacate.set_reason(pb::VacancyReason::Left);
        house.forums().declare_vacancy(house.secretary(vacate)?).await?;
        let vote = house.vote(&meeting, &idea, pb::VoteChoice::For);
        let gone = house.meetings().cast_forum_vote(house.member(held.person, vote)?).await;
        assert_eq!(refused(gone), "forums.not_a_member");
    }
    let short = house.meetings().close_vote(house.secretary(house.close_vote(&idea))?).await;
    assert_eq!(refused(short), "forums.not_quorate", "13 is not more than half of 26");
    let close = pb::CloseMeetingRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        meeting_id: meeting.clone(),
    };
    let open = house.meetings().close_meeting(house.secretary(close.clone())?).await;
    assert_eq!(refused(open), "forums.vote_open");
    let defer =
        pb::DeferTopicRequest { forum_id: house.forum.clone(), tenant: String::new(), item_id: idea.clone() };
    for _ in 0..2 {
        house.meetings().defer_topic(house.secretary(defer.clone())?).await?;
    }
    assert!(my_meeting(&house, present[0].person).await?.voted_item_ids.is_empty(), "forgotten");
    let closed = house.meetings().close_meeting(house.secretary(close)?).await?.into_inner();
    let figures = closed.meeting.unwrap_or_default().figures.unwrap_or_default();
    assert_eq!((figures.present_total, figures.seats_filled, figures.quorate), (13, 26, false));
    assert!(house.told::<pb::ProposalEndorsed>().await?.is_empty());
    assert!(house.told::<pb::ProposalNotEndorsed>().await?.is_empty());
    assert_eq!(house.topic_of(0).await?, idea, "it waits for another meeting");
    let (_, agenda) = house.seen(&meeting).await?;
    assert_eq!(
        (agenda[0].state(), agenda[0].position),
        (pb::TopicState::Deferred, 1),
        "and stays in these minutes"
    );
    let next = house.opened("2026-10-20", "2026-11-12", std::slice::from_ref(&idea)).await?;
    house
        .meetings()
        .record_attendance(house.secretary(house.attendance(&next, &house.some([8, 1, 0, 4, 0])))?)
        .await?;
    assert_eq!(house.seen(&next).await?.1[0].state(), pb::TopicState::Scheduled);
    assert_eq!(house.seen(&meeting).await?.1[0].state(), pb::TopicState::Deferred);
    house.see_seats().await?;
    assert_eq!(house.seats.len(), 26);
    house.system.finish().await
}

#[tokio::test]
async fn f10_a_tie_by_show_of_hands_is_not_endorsed() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    let idea = house.topic_of(0).await?;
    let meeting = house.opened("2026-09-28", "2026-10-12", std::slice::from_ref(&idea)).await?;
    let present = house.some([7, 6, 2, 4, 3]);
    house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &present))?).await?;
    let hands = |votes_for, votes_against| pb::RecordVoteRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        item_id: idea.clone(),
        votes_for,
        votes_against,
        votes_blank: 2,
    };
    let more = house.meetings().record_vote(house.secretary(hands(11, 10))?).await;
    assert_eq!(refused(more), "forums.more_votes_than_present");
    let discuss = pb::DiscussTopicRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        item_id: idea.clone(),
    };
    house.meetings().discuss_topic(house.secretary(discuss)?).await?;
    let tie = house.meetings().record_vote(house.secretary(hands(10, 10))?).await?.into_inner();
    assert_eq!(
        tie.item.unwrap_or_default().decision.unwrap_or_default().kind(),
        pb::DecisionKind::NotEndorsed
    );
    let otherwise = house.meetings().record_vote(house.secretary(hands(11, 9))?).await;
    assert_eq!(refused(otherwise), "forums.already_decided");
    let ballot = house.meetings().put_to_vote(house.secretary(house.put(&idea))?).await;
    assert_eq!(refused(ballot), "forums.topic_not_on_table");
    let told: Vec<pb::ProposalNotEndorsed> = house.told().await?;
    assert_eq!((told.len(), told[0].votes_for, told[0].votes_against), (1, 10, 10));
    house.system.finish().await
}
