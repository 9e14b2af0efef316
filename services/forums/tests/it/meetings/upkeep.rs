//! What goes by itself: who was there, which seats voted, who dissented; and whoever leaves is forgotten.

use proto::forums as pb;
use testkit::system::Store;

use super::house::House;
use crate::grpc::PATIENCE;

#[tokio::test]
async fn tiha_12_persons_of_a_meeting_are_erased_after_the_appeal_period_and_seats_stay() -> anyhow::Result<()>
{
    for store in [Store::Sqlite, Store::Postgres] {
        erased_after_the_appeal_period(store).await?;
    }
    Ok(())
}

async fn erased_after_the_appeal_period(store: Store) -> anyhow::Result<()> {
    let house = House::new(store).await?;
    let idea = house.topic_of(0).await?;
    let meeting = house.opened("2026-09-28", "2026-10-12", std::slice::from_ref(&idea)).await?;
    let present = house.some([7, 6, 2, 4, 3]);
    house.meetings().record_attendance(house.secretary(house.attendance(&meeting, &present))?).await?;
    house.meetings().put_to_vote(house.secretary(house.put(&idea))?).await?;
    for held in &present {
        let vote = house.vote(&meeting, &idea, pb::VoteChoice::For);
        house.meetings().cast_forum_vote(house.member(held.person, vote)?).await?;
    }
    house.meetings().close_vote(house.secretary(house.close_vote(&idea))?).await?;
    let close = pb::CloseMeetingRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        meeting_id: meeting.clone(),
    };
    house.meetings().close_meeting(house.secretary(close)?).await?;
    let mine = async || -> anyhow::Result<pb::MyMeeting> {
        let list = pb::ListMyMeetingsRequest { forum_id: house.forum.clone(), ..Default::default() };
        let list = house.meetings().list_my_meetings(house.member(present[0].person, list)?).await?;
        Ok(list.into_inner().meetings.into_iter().next().unwrap_or_default())
    };
    house.on("2026-12-11").await?;
    let kept = mine().await?;
    assert!(kept.present && kept.voted_item_ids == [idea.clone()], "within the appeal period");
    assert!(kept.remote_link.is_empty(), "it is over");
    house.on("2026-12-13").await?;
    testkit::eventually(PATIENCE, async || mine().await.is_ok_and(|mine| !mine.present)).await;
    assert!(mine().await?.voted_item_ids.is_empty());
    let (_, agenda) = house.seen(&meeting).await?;
    let result = agenda[0].decision.clone().unwrap_or_default().vote.unwrap_or_default();
    assert_eq!((result.votes_for, result.present), (22, 22), "sums stay");
    let draft = pb::GetMinutesDraftRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        meeting_id: meeting.clone(),
        purpose: "Writing of the minutes".to_owned(),
    };
    let draft = house.meetings().get_minutes_draft(house.secretary(draft)?).await?.into_inner();
    assert_eq!(draft.minutes.unwrap_or_default().attendance.len(), 22, "seats stay");
    house.system.finish().await
}

#[tokio::test]
async fn the_secretary_is_told_every_day_of_a_meeting_that_nobody_closed() -> anyhow::Result<()> {
    let house = House::new(Store::Sqlite).await?;
    let idea = house.topic_of(0).await?;
    let meeting = house.opened("2026-09-28", "2026-10-12", std::slice::from_ref(&idea)).await?;
    let told = || {
        let told = house.system.directory().role_notices();
        told.into_iter().filter(|one| one.template == "forums.meeting_unclosed").collect::<Vec<_>>()
    };
    assert!(told().is_empty());
    for (number, day) in [(1, "2026-10-13"), (2, "2026-10-14")] {
        house.on(day).await?;
        testkit::eventually(PATIENCE, async || told().len() == number).await;
    }
    let role = told()[0].role.clone().unwrap_or_default();
    assert!(format!("{role:?}").contains(&house.forum), "of this forum: {role:?}");
    let close =
        pb::CloseMeetingRequest { forum_id: house.forum.clone(), tenant: String::new(), meeting_id: meeting };
    house.meetings().close_meeting(house.secretary(close)?).await?;
    house.on("2026-10-16").await?;
    house.system.settle().await?;
    assert_eq!(told().len(), 2, "it is closed");
    house.system.finish().await
}

/// One seat, one meeting: the forum of Utajärvi alone, without the wire.
mod small {
    use forums::app::{Attend, CastForumVote, Dissenting, Within};
    use forums::domain::meeting::agenda::DecisionKind;
    use forums::domain::meeting::attendance::{SaidPresent, SeatKey};
    use forums::domain::meeting::forms::{Form, Forms, MAX_BODY};
    use forums::domain::meeting::vote::Choice;
    use forums::domain::meeting::{Mode, Plan};
    use kernel::{AgendaItemId, MeetingId, PageSize, Subject, TextVariant};

    use crate::seats::elected;
    use crate::support::dump;
    use crate::world::{Person, Store, World, day, municipality, small};

    fn forms(title: &str) -> Forms {
        let form = |language| (language, Form { title: title.to_owned(), body: String::new() });
        let both = [TextVariant::Finnish, TextVariant::EasyFinnish].map(form);
        Forms::new("texts", both, MAX_BODY).unwrap()
    }

    async fn member(world: &World) -> Person {
        let holders = world.app.list_seat_holders(&world.officer(0)).await.unwrap().holders;
        let subject: Subject = holders[0].holder_ref.parse().unwrap();
        Person { subject, municipality: municipality("889") }
    }

    /// A meeting that is open, in which the only member is present and their topic is put to the vote.
    async fn voting(world: &World, member: &Person) -> (MeetingId, AgendaItemId) {
        let (meeting, item) = opened(world, member).await;
        let within = Within::new(&world.officer(0), world.forum);
        world.app.put_to_vote(&world.officer(0), within, item).await.unwrap();
        (meeting, item)
    }

    /// A meeting that is open, in which the only member is present, with their topic.
    async fn opened(world: &World, member: &Person) -> (MeetingId, AgendaItemId) {
        world.on("2026-09-20");
        let within = || Within::new(&world.officer(0), world.forum);
        let plan = Plan {
            held_on: day("2026-10-12"),
            starts_at: "13:00".to_owned(),
            mode: Mode::InPerson,
            place: "Utajärvi".to_owned(),
            remote_link: String::new(),
        };
        let planned = world.app.plan_meeting(&world.officer(0), within(), plan).await.unwrap();
        let meeting: MeetingId = planned.meeting.unwrap().meeting_id.parse().unwrap();
        let raised = world.app.raise_my_topic(&world.client(member), world.forum, forms("Uimaan")).await;
        let item: AgendaItemId = raised.unwrap().item.unwrap().item_id.parse().unwrap();
        world.app.schedule_topic(&world.officer(0), within(), meeting, item).await.unwrap();
        world.app.send_notice(&world.officer(0), within(), meeting, forms("Kokous")).await.unwrap();
        world.on("2026-10-12");
        world.app.open_meeting(&world.officer(0), within(), meeting).await.unwrap();
        let seat = SeatKey { municipality: municipality("889"), seat_no: 1 };
        let attend = Attend {
            present: vec![SaidPresent { seat, deputy_order: 0, remote: false }],
            chair: None,
            support_persons: 1,
            manager_present: false,
        };
        world.app.record_attendance(&world.officer(0), within(), meeting, attend).await.unwrap();
        (meeting, item)
    }

    #[tokio::test]
    async fn f12_what_a_decision_says_is_not_shown_before_the_minutes_to_whoever_raised_its_topic() {
        let world = World::new(Store::Sqlite, small()).await;
        elected(&world).await;
        let member = member(&world).await;
        let (meeting, item) = opened(&world, &member).await;
        let within = || Within::new(&world.officer(0), world.forum);
        let (kind, texts) = (DecisionKind::StatementGiven, forms("Mennään uimaan"));
        world.app.record_decision(&world.officer(0), within(), item, kind, texts).await.unwrap();
        let said = |items: &[proto::forums::AgendaItem]| items[0].decision.clone().unwrap().texts.len();
        let draft = world.app.get_minutes_draft(within(), meeting).await.unwrap().minutes.unwrap();
        assert_eq!(said(&draft.agenda), 2);
        let size = PageSize::new(0).unwrap();
        let mine = world.app.list_my_topics(&world.client(&member), world.forum, size, "").await.unwrap();
        assert_eq!((said(&mine.items), mine.items[0].texts.len()), (0, 2));
    }

    #[tokio::test]
    async fn a_notice_that_is_told_late_holds_at_another_place_and_not_on_another_day() {
        let world = World::new(Store::Sqlite, small()).await;
        elected(&world).await;
        let member = member(&world).await;
        let (meeting, _) = opened(&world, &member).await;
        let plan = Plan {
            held_on: day("2026-10-12"),
            starts_at: "13:00".to_owned(),
            mode: Mode::InPerson,
            place: "Utajärven kirjasto".to_owned(),
            remote_link: String::new(),
        };
        let within = Within::new(&world.officer(0), world.forum);
        world.app.move_meeting(&world.officer(0), within, meeting, plan).await.unwrap();
        let told = async |day: &str| {
            let payload = format!("forums.meeting_called|{meeting}|0|{day}");
            world.app.meeting_notice(&payload).await.unwrap().is_some()
        };
        assert!(told("2026-10-12").await, "only the place changed");
        assert!(!told("2026-10-05").await, "of a day that was moved");
    }

    #[tokio::test]
    async fn a_vote_leaves_a_sum_and_a_mark_of_the_seat_and_nothing_else() {
        for store in [Store::Sqlite, Store::Postgres] {
            let world = World::new(store, small()).await;
            elected(&world).await;
            let member = member(&world).await;
            let (meeting, item) = voting(&world, &member).await;
            let before = dump(&world.database).await;
            let vote = CastForumVote {
                forum: world.forum,
                meeting,
                item,
                choice: Choice::Against,
                confirmed: false,
            };
            world.app.cast_forum_vote(&world.client(&member), vote).await.unwrap();
            let after = dump(&world.database).await;
            let new: Vec<&str> = after
                .iter()
                .filter(|line| !before.contains(line))
                .map(|line| line.split(':').next().unwrap())
                .collect();
            assert_eq!(new, ["forum_vote", "forum_vote_mark"], "no log, no event, no job");
            let person =
                [member.subject.to_string(), member.subject.to_string().replace('-', "").to_uppercase()];
            let of_vote = after.iter().filter(|line| line.starts_with("forum_vote"));
            let named = |line: &&String| person.iter().any(|person| line.contains(person.as_str()));
            assert_eq!(of_vote.filter(named).count(), 0, "neither names the person");
        }
    }

    #[tokio::test]
    async fn tiha_12_a_meeting_that_is_still_open_keeps_who_is_there_and_can_be_closed() {
        let world = World::new(Store::Sqlite, small()).await;
        elected(&world).await;
        let member = member(&world).await;
        let (meeting, item) = voting(&world, &member).await;
        let vote = CastForumVote { forum: world.forum, meeting, item, choice: Choice::For, confirmed: false };
        world.app.cast_forum_vote(&world.client(&member), vote).await.unwrap();
        world.app.erase_meeting(meeting).await.unwrap();
        let within = || Within::new(&world.officer(0), world.forum);
        world.app.close_vote(&world.officer(0), within(), item, false).await.unwrap();
        let closed = world.app.close_meeting(&world.officer(0), within(), meeting).await.unwrap();
        let figures = closed.meeting.unwrap().figures.unwrap();
        assert_eq!((figures.present_total, figures.quorate), (1, true));
        // Once it is closed, who was there is forgotten, at its decisions too.
        let reference = member.subject.to_string().replace('-', "").to_uppercase();
        let left = async || {
            let rows = dump(&world.database).await.into_iter();
            let of_meeting = ["attendance", "decision_present"];
            rows.filter(|line| of_meeting.iter().any(|table| line.starts_with(table)))
                .filter(|line| line.contains(&reference))
                .count()
        };
        assert_eq!(left().await, 2);
        world.app.erase_meeting(meeting).await.unwrap();
        assert_eq!(left().await, 0);
    }

    #[tokio::test]
    async fn who_leaves_is_forgotten_at_meetings_and_their_seat_stays() {
        let world = World::new(Store::Sqlite, small()).await;
        elected(&world).await;
        let member = member(&world).await;
        let (meeting, item) = voting(&world, &member).await;
        let vote = CastForumVote { forum: world.forum, meeting, item, choice: Choice::For, confirmed: false };
        world.app.cast_forum_vote(&world.client(&member), vote).await.unwrap();
        let within = || Within::new(&world.officer(0), world.forum);
        world.app.close_vote(&world.officer(0), within(), item, false).await.unwrap();
        let text = "Menisin mieluummin hiihtämään.".to_owned();
        let dissent = Dissenting { forum: world.forum, item, text, show_seat: false, confirmed: false };
        world.app.attach_dissent(&world.client(&member), dissent).await.unwrap();
        world.app.close_meeting(&world.officer(0), within(), meeting).await.unwrap();
        world.app.forget(vec![member.subject], 1).await.unwrap();
        let reference = member.subject.to_string().replace('-', "").to_uppercase();
        let left: Vec<String> = dump(&world.database)
            .await
            .into_iter()
            .filter(|line| line.contains(&reference) && !line.starts_with("voter_mark"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        let draft = world.app.get_minutes_draft(within(), meeting).await.unwrap().minutes.unwrap();
        assert_eq!(
            (draft.attendance.len(), draft.dissents.len()),
            (1, 1),
            "what was said stays, by seat or without"
        );
    }
}
