//! Scenario 4's meeting: 12.10.2026, 22 of 28 seats, 19 for, 1 against, 2 blank.

use futures::future::join_all;
use proto::forums as pb;
use testkit::system::Store;

use super::house::{Held, House, both, refused};
use super::{TITLES, proposal};
use crate::grpc::PATIENCE;

#[tokio::test]
async fn scenario_4s_meeting_on_sqlite() -> anyhow::Result<()> {
    scenario_4(Store::Sqlite).await
}

#[tokio::test]
async fn scenario_4s_meeting_on_postgres() -> anyhow::Result<()> {
    scenario_4(Store::Postgres).await
}

async fn scenario_4(store: Store) -> anyhow::Result<()> {
    let house = House::new(store).await?;
    let (idea, other) = (house.topic_of(0).await?, house.topic_of(2).await?);
    assert_eq!(house.topics().await?.len(), 3, "sent twice, the first one is one topic");
    let meeting = house.opened("2026-09-28", "2026-10-12", &[idea.clone(), other.clone()]).await?;
    called(&house, &meeting).await?;
    let present = house.some([7, 6, 2, 4, 3]);
    attend(&house, &meeting, &present).await?;
    vote(&house, &meeting, &idea, &present).await?;
    return_for_work(&house, &other).await?;
    dissent(&house, &meeting, &idea, &present).await?;
    close(&house, &meeting).await?;
    minutes(&house, &meeting).await?;
    told(&house, &meeting).await?;
    let again = house.topics().await?;
    let proposals: Vec<&str> = again.iter().map(|item| item.proposal_id.as_str()).collect();
    assert_eq!(
        proposals,
        [proposal(1).to_string(), proposal(2).to_string()],
        "what was returned comes again"
    );
    assert_ne!(again[1].item_id, other, "as another topic");
    house.system.finish().await
}

/// Members and deputies were told, and of nothing but that there is something.
async fn called(house: &House, meeting: &str) -> anyhow::Result<()> {
    testkit::eventually(PATIENCE, async || house.system.directory().notices().len() == 2).await;
    let notice = house.system.directory().notices().remove(1);
    assert_eq!((notice.template.as_str(), notice.references.len()), ("forums.meeting_called", 29));
    assert!(notice.urgent, "F11: a notice that waits for another day comes too late");
    assert!(notice.references.contains(&house.deputy.to_string()));
    let (seen, agenda) = house.seen(meeting).await?;
    assert_eq!((seen.state(), seen.notice_sent_on.as_str()), (pb::MeetingState::Open, "2026-09-28"));
    assert_eq!(seen.notice.len(), 2);
    let titles: Vec<&str> = agenda.iter().map(|item| item.texts[1].title.as_str()).collect();
    assert_eq!(titles, [TITLES[0], TITLES[2]]);
    Ok(())
}

/// Ii 7, Pudasjärvi 6, Utajärvi 3, Vaala 4, Simo 2; one of Ii by a deputy, one over the network.
async fn attend(house: &House, meeting: &str, present: &[Held]) -> anyhow::Result<()> {
    let mut attendance = house.attendance(meeting, present);
    attendance.present[6].deputy_order = 1;
    attendance.present[21].remote = true;
    let recorded = house.meetings().record_attendance(house.secretary(attendance)?).await?.into_inner();
    let figures = recorded.figures.unwrap_or_default();
    let counts: Vec<(&str, u32)> =
        figures.present.iter().map(|one| (one.municipality.as_str(), one.count)).collect();
    assert_eq!(counts, [("139", 7), ("615", 6), ("751", 2), ("785", 4), ("889", 3)]);
    assert_eq!((figures.present_total, figures.seats_filled, figures.seats_total), (22, 28, 28));
    assert!(figures.quorate && figures.manager_present);
    assert_eq!((figures.attendance_basis_points, figures.support_persons), (7857, 7), "K3 is 78.57 %");
    Ok(())
}

/// All vote at the same time, each twice with the same command.
async fn vote(house: &House, meeting: &str, item: &str, present: &[Held]) -> anyhow::Result<()> {
    let too_early = house.vote(meeting, item, pb::VoteChoice::For);
    let too_early = house.meetings().cast_forum_vote(house.member(present[0].person, too_early)?).await;
    assert_eq!(refused(too_early), "forums.vote_not_open");
    for _ in 0..2 {
        house.meetings().put_to_vote(house.secretary(house.put(item))?).await?;
    }
    let mut requests = Vec::new();
    for (index, held) in present.iter().enumerate() {
        let choice = match index {
            0 => pb::VoteChoice::Against,
            1 | 2 => pb::VoteChoice::Blank,
            _ => pb::VoteChoice::For,
        };
        // The deputy votes for the seat that they are present for.
        let person = if index == 6 { house.deputy } else { held.person };
        let first = house.member(person, house.vote(meeting, item, choice))?;
        let mut again = tonic::Request::new(house.vote(meeting, item, choice));
        *again.metadata_mut() = first.metadata().clone();
        requests.push(first);
        requests.push(again);
    }
    let casts = requests.into_iter().map(|request| {
        let mut meetings = house.meetings();
        async move { meetings.cast_forum_vote(request).await }
    });
    for answer in join_all(casts).await {
        answer?;
    }
    let absent = house.vote(meeting, item, pb::VoteChoice::For);
    let absent_member = house.seats.iter().find(|held| held.municipality == "139" && held.seat_no == 7);
    let absent_member = absent_member.map_or(house.deputy, |held| held.person);
    let absent = house.meetings().cast_forum_vote(house.member(absent_member, absent)?).await;
    assert_eq!(refused(absent), "forums.not_present", "a deputy acts for this one");
    let second = house.vote(meeting, item, pb::VoteChoice::Against);
    let second = house.meetings().cast_forum_vote(house.member(present[5].person, second)?).await;
    assert_eq!(refused(second), "forums.already_voted");
    let (_, agenda) = house.seen(meeting).await?;
    assert!(agenda[0].vote_open && agenda[0].decision.is_none(), "nothing is told of an open vote");
    let first = house.meetings().close_vote(house.secretary(house.close_vote(item))?).await?.into_inner();
    let again = house.meetings().close_vote(house.secretary(house.close_vote(item))?).await?.into_inner();
    assert_eq!(first, again, "done already");
    let decision = again.item.unwrap_or_default().decision.unwrap_or_default();
    assert_eq!((decision.kind(), decision.decided_on.as_str()), (pb::DecisionKind::Endorsed, "2026-10-12"));
    let result = decision.vote.unwrap_or_default();
    assert_eq!((result.votes_for, result.votes_against, result.votes_blank), (19, 1, 2));
    assert_eq!((result.present, result.for_basis_points), (22, 9500), "19 of 20 votes cast");
    let late = house.vote(meeting, item, pb::VoteChoice::For);
    let late = house.meetings().cast_forum_vote(house.member(present[4].person, late)?).await;
    assert_eq!(refused(late), "forums.already_voted");
    Ok(())
}

async fn return_for_work(house: &House, item: &str) -> anyhow::Result<()> {
    let mut returned = pb::RecordDecisionRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        item_id: item.to_owned(),
        texts: both("Lisää tietoa", "Kuinka monta kuvaa viikossa?"),
        ..pb::RecordDecisionRequest::default()
    };
    returned.set_kind(pb::DecisionKind::ReturnedForWork);
    for _ in 0..2 {
        house.meetings().record_decision(house.secretary(returned.clone())?).await?;
    }
    returned.texts[0].body = "Muu syy.".to_owned();
    let other = house.meetings().record_decision(house.secretary(returned.clone())?).await;
    assert_eq!(refused(other), "forums.already_decided");
    let vote = pb::RecordVoteRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        item_id: item.to_owned(),
        votes_for: 22,
        ..pb::RecordVoteRequest::default()
    };
    assert_eq!(
        refused(house.meetings().record_vote(house.secretary(vote)?).await),
        "forums.already_decided",
        "a proposal is decided once in a meeting"
    );
    Ok(())
}

async fn dissent(house: &House, meeting: &str, item: &str, present: &[Held]) -> anyhow::Result<()> {
    let attach = |text: &str, show_seat| pb::AttachDissentRequest {
        forum_id: house.forum.clone(),
        item_id: item.to_owned(),
        text: text.to_owned(),
        show_seat,
        confirmed: false,
    };
    for (person, text, show_seat) in [
        (present[0].person, "En halua ulos.", false),
        (present[0].person, "En halua ulos talvella.", true),
        (present[1].person, "Naapurini ei jaksa.", false),
        (present[2].person, "Sanon tämän salaa.", false),
    ] {
        house.meetings().attach_dissent(house.member(person, attach(text, show_seat))?).await?;
    }
    let absent = house.seats.last().map_or(house.deputy, |held| held.person);
    let absent = house.meetings().attach_dissent(house.member(absent, attach("En tullut.", true))?).await;
    assert_eq!(refused(absent), "forums.not_a_member");
    let hidden = pb::GetMinutesRequest { meeting_id: meeting.to_owned() };
    assert_eq!(refused(house.meetings().get_minutes(hidden).await), "forums.minutes_not_published");
    Ok(())
}

async fn close(house: &House, meeting: &str) -> anyhow::Result<()> {
    let close = pb::CloseMeetingRequest {
        forum_id: house.forum.clone(),
        tenant: String::new(),
        meeting_id: meeting.to_owned(),
    };
    let first = house.meetings().close_meeting(house.secretary(close.clone())?).await?.into_inner();
    let again = house.meetings().close_meeting(house.secretary(close)?).await?.into_inner();
    assert_eq!(first, again, "done already");
    let figures = again.meeting.unwrap_or_default().figures.unwrap_or_default();
    assert_eq!((figures.present_total, figures.attendance_basis_points), (22, 7857));
    Ok(())
}

/// F12: checked by the chair, screened by a human, and only then public; by seat, and without what is withheld.
async fn minutes(house: &House, meeting: &str) -> anyhow::Result<()> {
    house.on("2026-10-14").await?;
    let (forum_id, meeting_id) = (house.forum.clone(), meeting.to_owned());
    let tenant = String::new();
    let draft = pb::DraftMinutesRequest {
        forum_id: forum_id.clone(),
        tenant: tenant.clone(),
        meeting_id: meeting_id.clone(),
        texts: both("Pöytäkirja", "Kokous alkoi kello 13."),
    };
    house.meetings().draft_minutes(house.secretary(draft)?).await?;
    let publish = pb::PublishMinutesRequest {
        forum_id: forum_id.clone(),
        tenant: tenant.clone(),
        meeting_id: meeting_id.clone(),
    };
    let unchecked = house.meetings().publish_minutes(house.secretary(publish.clone())?).await;
    assert_eq!(refused(unchecked), "forums.minutes_not_checked");
    let check = pb::CheckMinutesRequest { forum_id: forum_id.clone(), meeting_id: meeting_id.clone() };
    let by_secretary = house.meetings().check_minutes(house.secretary(check.clone())?).await;
    assert_eq!(refused(by_secretary), "access.scope");
    house.meetings().check_minutes(house.chair(check)?).await?;
    let unscreened = house.meetings().publish_minutes(house.secretary(publish.clone())?).await;
    assert_eq!(refused(unscreened), "forums.minutes_not_screened");
    let draft = pb::GetMinutesDraftRequest {
        forum_id: forum_id.clone(),
        tenant: tenant.clone(),
        meeting_id: meeting_id.clone(),
        purpose: "Screening of the minutes".to_owned(),
    };
    let draft = house.meetings().get_minutes_draft(house.chair(draft)?).await?.into_inner();
    let dissents = draft.minutes.unwrap_or_default().dissents;
    assert_eq!(dissents.len(), 3, "one of each seat");
    let (_, public) = house.seen(meeting).await?;
    let said = public.iter().filter_map(|item| item.decision.as_ref()).map(|decision| decision.texts.len());
    assert_eq!(said.sum::<usize>(), 0, "F12: what decisions say comes out with the minutes");
    let secret = dissents.iter().find(|one| one.text.contains("Naapurini")).cloned().unwrap_or_default();
    let screen = |withheld: String| pb::ScreenMinutesRequest {
        forum_id: forum_id.clone(),
        tenant: tenant.clone(),
        meeting_id: meeting_id.clone(),
        withheld: vec![pb::WithheldDissent {
            dissent_id: withheld,
            reason: pb::WithholdingReason::HealthOrService.into(),
        }],
        ..Default::default()
    };
    let unknown = house.meetings().screen_minutes(house.secretary(screen(house.forum.clone()))?).await;
    assert_eq!(refused(unknown), "request.invalid");
    let mut why = screen(secret.dissent_id.clone());
    why.withheld[0].reason = 0;
    let unsaid = house.meetings().screen_minutes(house.secretary(why)?).await;
    assert_eq!(refused(unsaid), "request.invalid", "nothing is withheld without a reason");
    let unreasoned =
        house.meetings().screen_minutes(house.secretary(as_before(&secret, meeting, house))?).await;
    assert_eq!(refused(unreasoned), "request.invalid", "an older client's withholding is not ignored");
    screened_and_checked_again(house, screen(secret.dissent_id)).await?;
    for _ in 0..2 {
        house.meetings().publish_minutes(house.secretary(publish.clone())?).await?;
    }
    let get = pb::GetMinutesRequest { meeting_id: meeting_id.clone() };
    let minutes = house.meetings().get_minutes(get).await?.into_inner().minutes.unwrap_or_default();
    assert_eq!(minutes.attendance.len(), 22);
    assert_eq!(minutes.attendance.iter().filter(|seat| seat.deputy).count(), 1);
    assert_eq!(minutes.attendance.iter().filter(|seat| seat.remote).count(), 1);
    let chair: Vec<&str> =
        minutes.attendance.iter().filter(|seat| seat.chair).map(|seat| seat.municipality.as_str()).collect();
    assert_eq!(chair, ["615"]);
    let texts: Vec<(&str, &str, u32)> = minutes
        .dissents
        .iter()
        .map(|one| (one.text.as_str(), one.municipality.as_str(), one.seat_no))
        .collect();
    assert_eq!((texts.len(), minutes.dissents_withheld), (2, 1), "one is withheld, and that is told");
    assert!(texts.contains(&("En halua ulos talvella.", "139", 1)), "the seat of who agreed");
    assert!(texts.contains(&("Sanon tämän salaa.", "", 0)), "no seat of who did not");
    let reason = minutes.agenda[1].decision.clone().unwrap_or_default();
    assert_eq!(reason.texts[1].body, "Kuinka monta kuvaa viikossa?");
    let (_, public) = house.seen(meeting).await?;
    assert_eq!(public[1].decision.clone().unwrap_or_default().texts.len(), 2, "public with the minutes");
    Ok(())
}

/// What a client sends that knows no reasons.
#[expect(deprecated, reason = "that is what it sends")]
fn as_before(secret: &pb::Dissent, meeting: &str, house: &House) -> pb::ScreenMinutesRequest {
    pb::ScreenMinutesRequest {
        forum_id: house.forum.clone(),
        meeting_id: meeting.to_owned(),
        withheld_dissent_ids: vec![secret.dissent_id.clone()],
        ..Default::default()
    }
}

/// The chair has checked other minutes than those without this dissent: they check again. Its author is told, and why.
async fn screened_and_checked_again(house: &House, screen: pb::ScreenMinutesRequest) -> anyhow::Result<()> {
    let check =
        pb::CheckMinutesRequest { forum_id: house.forum.clone(), meeting_id: screen.meeting_id.clone() };
    let publish = pb::PublishMinutesRequest {
        forum_id: house.forum.clone(),
        meeting_id: screen.meeting_id.clone(),
        ..Default::default()
    };
    let screened = house.meetings().screen_minutes(house.secretary(screen.clone())?).await?.into_inner();
    assert_eq!(screened.meeting.unwrap_or_default().state(), pb::MeetingState::MinutesDraft);
    let unchecked = house.meetings().publish_minutes(house.secretary(publish)?).await;
    assert_eq!(refused(unchecked), "forums.minutes_not_checked");
    let author = house.some([7, 6, 2, 4, 3])[1].person;
    testkit::eventually(crate::grpc::PATIENCE, async || {
        house.system.directory().notices().iter().any(|one| {
            one.template == "forums.dissent_withheld" && one.urgent && one.references == [author.to_string()]
        })
    })
    .await;
    let list = pb::ListMyMeetingsRequest { forum_id: house.forum.clone(), ..Default::default() };
    let mine = house.meetings().list_my_meetings(house.member(author, list)?).await?.into_inner().meetings;
    let mine: Vec<_> = mine[0].dissents.iter().map(|one| (one.withheld, one.withheld_reason())).collect();
    assert_eq!(mine, [(true, pb::WithholdingReason::HealthOrService)]);
    house.meetings().check_minutes(house.chair(check)?).await?;
    // The same again changes nothing, and nobody is told twice.
    let again = house.meetings().screen_minutes(house.secretary(screen)?).await?.into_inner();
    assert_eq!(again.meeting.unwrap_or_default().state(), pb::MeetingState::MinutesChecked);
    let told = house.system.directory().notices();
    assert_eq!(told.iter().filter(|one| one.template == "forums.dissent_withheld").count(), 1);
    Ok(())
}

/// Each fact once, and none with a person in it.
async fn told(house: &House, meeting: &str) -> anyhow::Result<()> {
    house.system.settle().await?;
    let endorsed: Vec<pb::ProposalEndorsed> = house.told().await?;
    let expected = pb::ProposalEndorsed {
        proposal_id: proposal(0).to_string(),
        forum_id: house.forum.clone(),
        meeting_id: meeting.to_owned(),
        votes_for: 19,
        votes_against: 1,
        votes_blank: 2,
        decided_on: "2026-10-12".to_owned(),
    };
    assert_eq!(endorsed, [expected], "X1: once");
    let returned: Vec<pb::ProposalReturnedForWork> = house.told().await?;
    assert_eq!(returned.len(), 1, "X1: once");
    assert_eq!(returned[0].proposal_id, proposal(2).to_string());
    let held: Vec<pb::MeetingHeld> = house.told().await?;
    assert_eq!(held.len(), 1);
    let counts: u32 = held[0].present.iter().map(|one| one.count).sum();
    assert_eq!(
        (counts, held[0].seats_filled, held[0].quorate, held[0].mode.as_str()),
        (22, 28, true, "hybrid")
    );
    assert_eq!(house.told::<pb::MinutesPublished>().await?.len(), 1);
    assert_eq!(house.told::<pb::MeetingScheduled>().await?.len(), 1);
    let sources: Vec<String> =
        house.told::<pb::TopicRaised>().await?.into_iter().map(|raised| raised.source).collect();
    assert_eq!(sources, ["proposal"; 4], "three, and the one that was sent again");
    let people =
        house.seats.iter().map(|held| held.person).chain([house.deputy, house.secretary, house.chair]);
    let people: Vec<Vec<u8>> = people
        .flat_map(|person| [person.to_string().into_bytes(), person.as_uuid().as_bytes().to_vec()])
        .collect();
    for event in house.events().await? {
        let named = |person: &Vec<u8>| event.payload.windows(person.len()).any(|part| part == person);
        assert!(!people.iter().any(named), "{} names a person (SEC-31)", event.event_type);
    }
    Ok(())
}
