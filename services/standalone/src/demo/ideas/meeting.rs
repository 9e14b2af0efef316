//! The meeting of the forum: present 22 of 28 seats, and two ideas endorsed.

use std::collections::HashMap;

use proto::forums::{
    CloseMeetingRequest, ListTopicsRequest, MeetingMode, MeetingText, OpenMeetingRequest, PlanMeetingRequest,
    PresentSeat, RecordAttendanceRequest, RecordVoteRequest, ScheduleTopicRequest, SendNoticeRequest,
};

use super::{Ideas, example};
use crate::demo::play::during;
use crate::exit::Failure;
use crate::screen::percent;

/// A text in standard and in plain Finnish.
fn texts(title: &str, body: &str, plain: &str) -> Vec<MeetingText> {
    let text = |language: &str, body: &str| MeetingText {
        language: language.to_owned(),
        title: title.to_owned(),
        body: body.to_owned(),
    };
    vec![text("fi", body), text("fi-selko", plain)]
}

impl Ideas<'_> {
    /// Plans the meeting, puts the ideas on its agenda and sends its notice in standard and plain Finnish (F11).
    ///
    /// # Errors
    /// What forums answers.
    pub async fn call_meeting(&mut self) -> Result<(), Failure> {
        let request = PlanMeetingRequest {
            forum_id: self.play.forum_id.clone(),
            held_on: example::MEETING.to_owned(),
            starts_at: "12:00".to_owned(),
            mode: MeetingMode::InPerson.into(),
            place: "Pudasjärvi, hyvinvointikeskus".to_owned(),
            ..Default::default()
        };
        let planned = self.secretary.meetings().plan_meeting(request).await;
        let meeting = planned.map_err(during("plan the meeting"))?.into_inner().meeting.unwrap_or_default();
        self.meeting_id = meeting.meeting_id;
        self.items = self.schedule().await?;
        let notice = texts(
            "Asiakasfoorumin kokous",
            "Foorumi kokoontuu 12.10.2026 kello 12. Käsittelemme ideat, jotka vertailussa pidettiin parhaina.",
            "Foorumi kokoontuu 12.10.2026. Kello on 12. Puhumme ideoista.",
        );
        let request = SendNoticeRequest {
            forum_id: self.play.forum_id.clone(),
            meeting_id: self.meeting_id.clone(),
            notice,
            ..Default::default()
        };
        self.secretary.meetings().send_notice(request).await.map_err(during("send the notice"))?;
        self.done(example::RANKED, "notice of the meeting sent, in standard and in plain Finnish");
        Ok(())
    }

    /// Holds the meeting, on its day: attendance by seat, then those present vote on each idea on the table, by show of hands (F9, F10).
    ///
    /// # Errors
    /// What forums answers.
    pub async fn meet(&self) -> Result<(), Failure> {
        let (forum_id, meeting_id) = (self.play.forum_id.clone(), self.meeting_id.clone());
        let mut meetings = self.secretary.meetings();
        let request = OpenMeetingRequest { forum_id, meeting_id, ..Default::default() };
        meetings.open_meeting(request).await.map_err(during("open the meeting"))?;
        let seats = example::PRESENT.iter().flat_map(|(municipality, seats)| {
            (1..=*seats).map(|seat_no| PresentSeat {
                municipality: (*municipality).to_owned(),
                seat_no,
                ..Default::default()
            })
        });
        let request = RecordAttendanceRequest {
            forum_id: self.play.forum_id.clone(),
            meeting_id: self.meeting_id.clone(),
            present: seats.collect(),
            chair_municipality: "139".to_owned(),
            chair_seat_no: 1,
            support_persons: 7,
            manager_present: true,
            ..Default::default()
        };
        let present = meetings.record_attendance(request).await.map_err(during("record who is present"))?;
        let figures = present.into_inner().figures.unwrap_or_default();
        let what = format!(
            "the forum meets: {} of {} seats present, {}, {}",
            figures.present_total,
            figures.seats_total,
            percent(figures.attendance_basis_points),
            if figures.quorate { "quorate" } else { "not quorate" }
        );
        self.done(example::MEETING, &what);
        let [votes_for, votes_against, votes_blank] = example::VOTES;
        for (number, (title, _, proposal_id)) in self.endorsed().into_iter().enumerate() {
            let item = self.items.get(proposal_id).cloned().unwrap_or_default();
            self.endorse(title, item).await?;
            if number < 2 {
                let what =
                    format!("endorsed by {votes_for} votes to {votes_against}, {votes_blank} blank: {title}");
                self.done(example::MEETING, &what);
            }
        }
        self.done(example::MEETING, "endorsed by as many votes: the sixteen other proposals");
        let (forum_id, meeting_id) = (self.play.forum_id.clone(), self.meeting_id.clone());
        let request = CloseMeetingRequest { forum_id, meeting_id, ..Default::default() };
        meetings.close_meeting(request).await.map_err(during("close the meeting"))?;
        Ok(())
    }

    /// Takes what proposals has sent onto the agenda; gives the topics by proposal.
    async fn schedule(&self) -> Result<HashMap<String, String>, Failure> {
        let request = ListTopicsRequest {
            forum_id: self.play.forum_id.clone(),
            purpose: "Preparing the agenda of the meeting".to_owned(),
            page_size: 200,
            ..Default::default()
        };
        let listed =
            self.secretary.meetings().list_topics(request).await.map_err(during("list the topics"))?;
        let items: HashMap<String, String> = listed
            .into_inner()
            .items
            .into_iter()
            .filter(|item| !item.proposal_id.is_empty())
            .map(|item| (item.proposal_id, item.item_id))
            .collect();
        for item_id in items.values() {
            let request = ScheduleTopicRequest {
                forum_id: self.play.forum_id.clone(),
                meeting_id: self.meeting_id.clone(),
                item_id: item_id.clone(),
                ..Default::default()
            };
            let scheduled = self.secretary.meetings().schedule_topic(request).await;
            scheduled.map_err(during("put a topic on the agenda"))?;
        }
        Ok(items)
    }

    async fn endorse(&self, title: &str, item_id: String) -> Result<(), Failure> {
        let doing = format!("vote on {title}");
        let mut meetings = self.secretary.meetings();
        let [votes_for, votes_against, votes_blank] = example::VOTES;
        let request = RecordVoteRequest {
            forum_id: self.play.forum_id.clone(),
            item_id,
            votes_for,
            votes_against,
            votes_blank,
            ..Default::default()
        };
        meetings.record_vote(request).await.map_err(during(&doing))?;
        Ok(())
    }
}
