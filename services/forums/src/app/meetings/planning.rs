//! Planning, moving and cancelling meetings, and their notice.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, MeetingId, PolicyKey, Subject};
use messaging::Tx;
use proto::forums as pb;

use super::{Within, answered, happened, policy, tell};
use crate::app::App;
use crate::domain::meeting::forms::{self, Forms};
use crate::domain::meeting::{Meeting, MeetingEvent, MeetingState, Plan};
use crate::store::meeting_texts::Kind;
use crate::{events, store};

/// What members and deputies are told of a meeting; never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeetingNotice {
    /// Its notice is there.
    Called,
    /// It is on another day, time or place than they were told.
    Moved,
    /// It is not held.
    Cancelled,
}

impl MeetingNotice {
    const ALL: [MeetingNotice; 3] = [MeetingNotice::Called, MeetingNotice::Moved, MeetingNotice::Cancelled];

    /// The template of membership.
    pub fn template(self) -> &'static str {
        match self {
            MeetingNotice::Called => "forums.meeting_called",
            MeetingNotice::Moved => "forums.meeting_moved",
            MeetingNotice::Cancelled => "forums.meeting_cancelled",
        }
    }

    /// Unique for ever: a meeting has as many notices of a kind as it was moved. With its day, for which one that is told
    /// late still holds.
    pub(super) fn into_payload(self, meeting: &Meeting) -> String {
        format!("{}|{}|{}|{}", self.template(), meeting.id, meeting.moves, meeting.plan.held_on)
    }

    /// The day is missing in those from before.
    fn read(payload: &str) -> Option<(Self, MeetingId, u32, Option<&str>)> {
        let mut parts = payload.split('|');
        let mut next = || parts.next();
        let template = next()?;
        let kind = Self::ALL.into_iter().find(|kind| kind.template() == template)?;
        Some((kind, next()?.parse().ok()?, next()?.parse().ok()?, next()))
    }
}

struct PlanOne {
    id: MeetingId,
    within: Within,
    plan: Plan,
}

struct MoveOne {
    within: Within,
    meeting: MeetingId,
    plan: Plan,
}

struct SendNotice {
    within: Within,
    meeting: MeetingId,
    notice: Forms,
}

impl App {
    /// Plans a meeting.
    pub async fn plan_meeting(
        &self,
        call: &Call,
        within: Within,
        plan: Plan,
    ) -> Result<pb::PlanMeetingResponse, Fault> {
        let input = PlanOne { id: self.ids.new_id(), within, plan };
        self.writer.run(call.command(), input, |tx, input| plan_one(tx, input).boxed()).await
    }

    /// Moves a meeting that is not open yet.
    pub async fn move_meeting(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
        plan: Plan,
    ) -> Result<pb::MoveMeetingResponse, Fault> {
        let input = MoveOne { within, meeting, plan };
        self.writer.run(call.command(), input, |tx, input| move_one(tx, input).boxed()).await
    }

    /// Cancels a meeting that is not open yet.
    pub async fn cancel_meeting(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
    ) -> Result<pb::CancelMeetingResponse, Fault> {
        let input = (within, meeting);
        self.writer.run(call.command(), input, |tx, input| cancel(tx, input.0, input.1).boxed()).await
    }

    /// Sends the notice of a meeting (F11).
    pub async fn send_notice(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
        notice: Forms,
    ) -> Result<pb::SendNoticeResponse, Fault> {
        let input = SendNotice { within, meeting, notice };
        self.writer.run(call.command(), input, |tx, input| send_notice(tx, input).boxed()).await
    }

    /// Which notice a job is about, and whom it tells: nobody of what does not hold any more.
    pub async fn meeting_notice(
        &self,
        payload: &str,
    ) -> Result<Option<(MeetingNotice, Vec<Subject>)>, Fault> {
        let conn = self.database.read();
        let read = MeetingNotice::read(payload);
        let (notice, id, moves, day) = read.ok_or_else(|| Fault::internal("a job names no notice"))?;
        let meeting = store::meetings::load(conn, id).await?;
        let holds = match notice {
            MeetingNotice::Called => {
                // Another place takes no notice back.
                let is_same_day = day.is_some_and(|day| day == meeting.plan.held_on.to_string());
                (meeting.moves == moves || is_same_day)
                    && matches!(meeting.state, MeetingState::NoticeSent | MeetingState::Open)
            }
            MeetingNotice::Moved => meeting.state != MeetingState::Cancelled,
            MeetingNotice::Cancelled => true,
        };
        if !holds {
            return Ok(None);
        }
        let seats = store::seats::of_forum(conn, meeting.forum).await?;
        let deputies = store::seats::deputies(conn, meeting.forum).await?;
        let holders = seats.into_iter().filter_map(|seat| seat.holder);
        let all = holders.chain(deputies.into_iter().map(|deputy| deputy.holder));
        Ok(Some((notice, all.map(|holder| holder.reference).collect())))
    }
}

async fn plan_one(tx: &Tx, input: &PlanOne) -> Result<pb::PlanMeetingResponse, Fault> {
    let forum = input.within.load(tx.conn()).await?;
    let meeting = Meeting::plan(input.id, &forum, input.plan.clone(), tx.now().helsinki_date())?;
    store::meetings::insert(tx.conn(), &meeting).await?;
    let event = MeetingEvent::Planned;
    events::meeting(&forum, &meeting, &event).into_iter().for_each(|event| tx.publish(event));
    Ok(pb::PlanMeetingResponse { meeting: answered(tx, &forum, &meeting).await? })
}

async fn move_one(tx: &Tx, input: &MoveOne) -> Result<pb::MoveMeetingResponse, Fault> {
    let forum = input.within.load(tx.conn()).await?;
    let mut meeting = store::meetings::load_in(tx.conn(), forum.id, input.meeting).await?;
    if let Some(event) = meeting.move_to(&forum, input.plan.clone(), tx.now().helsinki_date())? {
        meeting = happened(tx, &forum, meeting, &event).await?;
        let notice_taken_back = matches!(event, MeetingEvent::Moved { notice_taken_back: true, .. });
        if notice_taken_back {
            store::meeting_texts::delete(tx.conn(), meeting.id.as_uuid(), Kind::Notice).await?;
        }
        if notice_taken_back || matches!(event, MeetingEvent::Rehoused { .. }) {
            tell(tx, &meeting, MeetingNotice::Moved);
        }
    }
    Ok(pb::MoveMeetingResponse { meeting: answered(tx, &forum, &meeting).await? })
}

async fn cancel(tx: &Tx, within: Within, id: MeetingId) -> Result<pb::CancelMeetingResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut meeting = store::meetings::load_in(tx.conn(), forum.id, id).await?;
    if let Some(event) = meeting.cancel()? {
        meeting = happened(tx, &forum, meeting, &event).await?;
        for item in store::agenda::of_meeting(tx.conn(), meeting.id).await? {
            if item.state.is_pending() {
                store::agenda::save(tx.conn(), &item.off_agenda()).await?;
            }
        }
        if event == (MeetingEvent::Cancelled { notice_taken_back: true }) {
            tell(tx, &meeting, MeetingNotice::Cancelled);
        }
    }
    Ok(pb::CancelMeetingResponse { meeting: answered(tx, &forum, &meeting).await? })
}

async fn send_notice(tx: &Tx, input: &SendNotice) -> Result<pb::SendNoticeResponse, Fault> {
    let today = tx.now().helsinki_date();
    let forum = input.within.load(tx.conn()).await?;
    let mut meeting = store::meetings::load_in(tx.conn(), forum.id, input.meeting).await?;
    let required = forms::required(&forum);
    input.notice.check_required("notice", &required)?;
    let items = store::agenda::of_meeting(tx.conn(), meeting.id).await?;
    let pending: Vec<_> = items.iter().filter(|item| item.state.is_pending()).collect();
    let days = policy(tx.conn(), &forum, PolicyKey::MeetingNoticeDays, today).await?;
    let Some(event) = meeting.send_notice(days, pending.len(), today)? else {
        let sent = store::meeting_texts::load(tx.conn(), meeting.id.as_uuid(), Kind::Notice).await?;
        meeting.check_same_notice(sent == input.notice)?;
        return Ok(pb::SendNoticeResponse { meeting: answered(tx, &forum, &meeting).await? });
    };
    // Each was complete when it was scheduled; counties may serve in more languages since.
    for item in pending {
        let texts = store::meeting_texts::load(tx.conn(), item.id.as_uuid(), Kind::Topic).await?;
        texts.check_required("texts", &required)?;
    }
    store::meeting_texts::save(tx.conn(), meeting.id.as_uuid(), Kind::Notice, &input.notice).await?;
    meeting = happened(tx, &forum, meeting, &event).await?;
    tell(tx, &meeting, MeetingNotice::Called);
    Ok(pb::SendNoticeResponse { meeting: answered(tx, &forum, &meeting).await? })
}
