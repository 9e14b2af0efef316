//! What the public, members and officers see of meetings.

use std::collections::BTreeMap;

use chassis::Call;
use kernel::{AgendaItemId, Fault, ForumId, MeetingId, PageSize, PageToken, PolicyKey, Uuid};
use proto::forums as pb;
use sea_orm::ConnectionTrait;

use super::{Within, policy, shown};
use crate::app::App;
use crate::app::queries::page_id;
use crate::domain::forum::Forum;
use crate::domain::meeting::agenda::is_public;
use crate::domain::meeting::attendance::{Roster, check_own_matter};
use crate::domain::meeting::forms::Forms;
use crate::domain::meeting::{Meeting, MeetingState};
use crate::store::meeting_texts::Kind;
use crate::{convert, store};

impl App {
    /// Meetings of a forum, the newest plan first.
    pub async fn list_meetings(
        &self,
        forum: ForumId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListMeetingsResponse, Fault> {
        let conn = self.database.read();
        let forum = store::forums::load(conn, forum).await?;
        let list = format!("meetings|{}", forum.id);
        let before = page_id(token, &list)?;
        let meetings = store::meetings::list(conn, forum.id, before, size.limit()).await?;
        let (meetings, next) = size.cut(meetings, &list, |meeting| meeting.id.to_string());
        Ok(pb::ListMeetingsResponse {
            meetings: self.seen(conn, &forum, &meetings).await?,
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// A meeting; with its agenda once the notice is sent. What decisions say comes out with the minutes, when they have been
    /// looked through (F12).
    pub async fn get_meeting(&self, id: MeetingId) -> Result<pb::GetMeetingResponse, Fault> {
        let conn = self.database.read();
        let meeting = store::meetings::load(conn, id).await?;
        let forum = store::forums::load(conn, meeting.forum).await?;
        let mut agenda = if is_public(meeting.state) { agenda(conn, &meeting).await? } else { Vec::new() };
        if meeting.state != MeetingState::Published {
            agenda.iter_mut().for_each(without_decision_texts);
        }
        let seen = self.seen(conn, &forum, std::slice::from_ref(&meeting)).await?;
        Ok(pb::GetMeetingResponse { meeting: seen.into_iter().next(), agenda })
    }

    /// Published minutes. NotFound `forums.minutes_not_published`.
    pub async fn get_minutes(&self, id: MeetingId) -> Result<pb::GetMinutesResponse, Fault> {
        let conn = self.database.read();
        let meeting = store::meetings::load(conn, id).await?;
        if meeting.state != MeetingState::Published {
            return Err(Fault::not_found(
                "forums.minutes_not_published",
                "The minutes of this meeting are not published. They are when the chair has found them right and they were looked through for secrets.",
            ));
        }
        let forum = store::forums::load(conn, meeting.forum).await?;
        Ok(pb::GetMinutesResponse { minutes: Some(self.minutes(conn, &forum, &meeting, false).await?) })
    }

    /// Minutes on their way, dissents that are withheld included.
    pub async fn get_minutes_draft(
        &self,
        within: Within,
        id: MeetingId,
    ) -> Result<pb::GetMinutesDraftResponse, Fault> {
        let conn = self.database.read();
        let forum = within.load(conn).await?;
        let meeting = store::meetings::load_in(conn, forum.id, id).await?;
        Ok(pb::GetMinutesDraftResponse { minutes: Some(self.minutes(conn, &forum, &meeting, true).await?) })
    }

    /// Topics of a forum that are not decided.
    pub async fn list_topics(
        &self,
        within: Within,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListTopicsResponse, Fault> {
        let conn = self.database.read();
        let forum = within.load(conn).await?;
        let list = format!("topics|{}", forum.id);
        let after = page_id(token, &list)?;
        let items = store::agenda::waiting(conn, forum.id, after, size.limit()).await?;
        let (items, next) = size.cut(items, &list, |item| item.id.to_string());
        Ok(pb::ListTopicsResponse {
            items: shown(conn, &items).await?,
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// Topics of a forum that the caller raised; what decisions say once the minutes are published (F12).
    pub async fn list_my_topics(
        &self,
        call: &Call,
        forum: ForumId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListMyTopicsResponse, Fault> {
        let conn = self.database.read();
        let person = call.scope.subject()?;
        let list = format!("my_topics|{forum}");
        let after = page_id(token, &list)?;
        let items = store::agenda::of_person(conn, forum, person, after, size.limit()).await?;
        let (items, next) = size.cut(items, &list, |item| item.id.to_string());
        let meetings: Vec<MeetingId> = items.iter().filter_map(|item| item.meeting).collect();
        let published = store::meetings::published(conn, &meetings).await?;
        let mut shown = shown(conn, &items).await?;
        for (item, shown) in items.iter().zip(&mut shown) {
            if !item.meeting.is_some_and(|meeting| published.contains(&meeting)) {
                without_decision_texts(shown);
            }
        }
        Ok(pb::ListMyTopicsResponse {
            items: shown,
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// Meetings of a forum as the caller, a member or deputy, sees them.
    pub async fn list_my_meetings(
        &self,
        call: &Call,
        forum: ForumId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListMyMeetingsResponse, Fault> {
        check_own_matter(&call.caller)?;
        let conn = self.database.read();
        let person = call.scope.subject()?;
        let forum = store::forums::load(conn, forum).await?;
        let seats = store::seats::of_forum(conn, forum.id).await?;
        let deputies = store::seats::deputies(conn, forum.id).await?;
        Roster { seats: &seats, deputies: &deputies }.check_belongs(person)?;
        let list = format!("my_meetings|{}", forum.id);
        let before = page_id(token, &list)?;
        let meetings = store::meetings::list(conn, forum.id, before, size.limit()).await?;
        let (meetings, next) = size.cut(meetings, &list, |meeting| meeting.id.to_string());
        let ids: Vec<MeetingId> = meetings.iter().map(|meeting| meeting.id).collect();
        let mut attended: BTreeMap<_, _> =
            store::attendance::of_person(conn, &ids, person).await?.into_iter().collect();
        let dissents = store::dissents::of_person(conn, &ids, person).await?;
        let seen = self.seen(conn, &forum, &meetings).await?;
        let mut mine = Vec::with_capacity(meetings.len());
        for (meeting, seen) in meetings.iter().zip(seen) {
            let present = attended.remove(&meeting.id);
            let voted = match present {
                None => Vec::new(),
                Some(present) => {
                    let votes = store::votes::of_meeting(conn, meeting.id).await?;
                    let items: Vec<AgendaItemId> = votes.into_keys().collect();
                    store::votes::marked(conn, &items, present.seat).await?
                }
            };
            let is_over = meeting.state.is_held() || meeting.state == MeetingState::Cancelled;
            mine.push(pb::MyMeeting {
                meeting: Some(seen),
                remote_link: if is_over { String::new() } else { meeting.plan.remote_link.clone() },
                present: present.is_some(),
                deputy: present.is_some_and(|present| present.deputy),
                municipality: present.map(|one| one.seat.municipality.to_string()).unwrap_or_default(),
                seat_no: present.map_or(0, |present| present.seat.seat_no),
                voted_item_ids: voted.iter().map(ToString::to_string).collect(),
                dissents: dissents
                    .iter()
                    .filter(|one| one.meeting == meeting.id)
                    .map(convert::meetings::dissent)
                    .collect(),
            });
        }
        let next_page_token = next.map(PageToken::into_string).unwrap_or_default();
        Ok(pb::ListMyMeetingsResponse { meetings: mine, next_page_token })
    }

    /// Meetings of a forum with their notices.
    async fn seen(
        &self,
        conn: &impl ConnectionTrait,
        forum: &Forum,
        meetings: &[Meeting],
    ) -> Result<Vec<pb::Meeting>, Fault> {
        let days = policy(conn, forum, PolicyKey::MeetingNoticeDays, self.today()).await?;
        let owners: Vec<Uuid> = meetings.iter().map(|meeting| meeting.id.as_uuid()).collect();
        let notices = store::meeting_texts::load_many(conn, &owners, Kind::Notice).await?;
        let none = Forms::default();
        let see = |meeting: &Meeting| {
            let notice = notices.get(&meeting.id.as_uuid()).unwrap_or(&none);
            convert::meetings::meeting(meeting, meeting.notice_due_on(days), notice)
        };
        Ok(meetings.iter().map(see).collect())
    }

    /// What the service knows of a meeting and what the secretary wrote; `whole` with what is not published.
    async fn minutes(
        &self,
        conn: &impl ConnectionTrait,
        forum: &Forum,
        meeting: &Meeting,
        whole: bool,
    ) -> Result<pb::Minutes, Fault> {
        let texts = store::meeting_texts::load(conn, meeting.id.as_uuid(), Kind::Minutes).await?;
        let attendance = store::attendance::of_meeting(conn, meeting.id).await?;
        let dissents = store::dissents::of_meeting(conn, meeting.id).await?;
        let withheld = dissents.iter().filter(|dissent| dissent.withheld.is_some()).count();
        let dissents = dissents.iter().filter(|dissent| whole || dissent.withheld.is_none());
        let seen = self.seen(conn, forum, std::slice::from_ref(meeting)).await?;
        let seat = |one| convert::meetings::seat_attendance(one, meeting.chair);
        Ok(pb::Minutes {
            meeting: seen.into_iter().next(),
            texts: convert::meetings::texts(&texts),
            attendance: attendance.iter().map(seat).collect(),
            agenda: agenda(conn, meeting).await?,
            dissents: dissents.map(convert::meetings::dissent).collect(),
            drafted_on: convert::day(meeting.minutes.drafted_on),
            checked_on: convert::day(meeting.minutes.checked_on),
            screened_on: convert::day(meeting.minutes.screened_on),
            published_on: convert::day(meeting.minutes.published_on),
            dissents_withheld: u32::try_from(withheld).map_err(Fault::internal)?,
        })
    }
}

/// Before the minutes are published (F12).
fn without_decision_texts(item: &mut pb::AgendaItem) {
    if let Some(decision) = &mut item.decision {
        decision.texts.clear();
    }
}

async fn agenda(conn: &impl ConnectionTrait, meeting: &Meeting) -> Result<Vec<pb::AgendaItem>, Fault> {
    let items = store::agenda::ever_of_meeting(conn, meeting.id).await?;
    let mut shown = shown(conn, &items).await?;
    // What another meeting is voting on now, or decided, is none of this one's.
    for one in shown.iter_mut().filter(|one| one.state() == pb::TopicState::Deferred) {
        (one.vote_open, one.decision) = (false, None);
    }
    Ok(shown)
}
