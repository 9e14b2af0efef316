//! The meeting itself: opened, who is there, closed.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, ForumId, MeetingId, PolicyKey};
use messaging::{NewJob, Tx};
use proto::forums as pb;

use super::{ERASE_MEETING, MEETING_UNCLOSED, Room, Within, answered, happened, policy};
use crate::app::App;
use crate::domain::forum::Forum;
use crate::domain::meeting::attendance::{Present, SaidPresent, SeatKey, check_chair};
use crate::domain::meeting::{Meeting, MeetingState, vote};
use crate::{convert, store};

/// Who is there, as it was said.
#[derive(Debug, Clone)]
pub struct Attend {
    /// Seats that are present.
    pub present: Vec<SaidPresent>,
    /// The seat that chairs.
    pub chair: Option<SeatKey>,
    /// How many support persons.
    pub support_persons: u32,
    /// Whether a manager of the services (S1.41).
    pub manager_present: bool,
}

struct Record {
    within: Within,
    meeting: MeetingId,
    attend: Attend,
}

impl App {
    /// Opens a meeting on its day.
    pub async fn open_meeting(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
    ) -> Result<pb::OpenMeetingResponse, Fault> {
        let input = (within, meeting);
        self.writer.run(call.command(), input, |tx, input| open(tx, input.0, input.1).boxed()).await
    }

    /// Says who is present.
    pub async fn record_attendance(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
        attend: Attend,
    ) -> Result<pb::RecordAttendanceResponse, Fault> {
        let input = Record { within, meeting, attend };
        self.writer.run(call.command(), input, |tx, input| record(tx, input).boxed()).await
    }

    /// The forum of a meeting that nobody has closed, whose secretary is told every day until somebody does; none if it is
    /// closed.
    pub async fn unclosed_meeting(&self, meeting: MeetingId) -> Result<Option<ForumId>, Fault> {
        self.writer.internal(MEETING_UNCLOSED, meeting, |tx, meeting| unclosed(tx, *meeting).boxed()).await
    }

    /// Closes a meeting; what it did not decide is deferred.
    pub async fn close_meeting(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
    ) -> Result<pb::CloseMeetingResponse, Fault> {
        let input = (within, meeting);
        self.writer.run(call.command(), input, |tx, input| close(tx, input.0, input.1).boxed()).await
    }
}

async fn open(tx: &Tx, within: Within, id: MeetingId) -> Result<pb::OpenMeetingResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut meeting = store::meetings::load_in(tx.conn(), forum.id, id).await?;
    if let Some(event) = meeting.open(tx.now().helsinki_date())? {
        meeting = happened(tx, &forum, meeting, &event).await?;
        remind_tomorrow(tx, meeting.id);
    }
    Ok(pb::OpenMeetingResponse { meeting: answered(tx, &forum, &meeting).await? })
}

async fn unclosed(tx: &Tx, id: MeetingId) -> Result<Option<ForumId>, Fault> {
    let meeting = store::meetings::load(tx.conn(), id).await?;
    if meeting.state != MeetingState::Open {
        return Ok(None);
    }
    remind_tomorrow(tx, id);
    Ok(Some(meeting.forum))
}

/// Has the secretary told tomorrow, if the meeting is open then: its figures and its minutes wait for its close.
fn remind_tomorrow(tx: &Tx, meeting: MeetingId) {
    let tomorrow = kernel::deadline::add_days(tx.now().helsinki_date(), 1);
    tx.schedule(NewJob {
        kind: MEETING_UNCLOSED,
        dedupe_key: format!("{meeting}|{tomorrow}"),
        run_at: kernel::deadline::start_of_day(tomorrow),
        payload: meeting.to_string().into_bytes(),
    });
}

async fn record(tx: &Tx, input: &Record) -> Result<pb::RecordAttendanceResponse, Fault> {
    let Record { within, meeting, attend } = input;
    let forum = within.load(tx.conn()).await?;
    let before = store::meetings::load_in(tx.conn(), forum.id, *meeting).await?;
    let event = before.attend(attend.support_persons, attend.manager_present, attend.chair)?;
    // While votes are taken it is fixed who may give one.
    if vote_is_open(tx, &before).await? {
        return Err(vote::open_vote());
    }
    let room = Room::with(tx, &forum, Vec::new()).await?;
    let present = room.roster().record(&attend.present)?;
    check_chair(attend.chair, &present)?;
    store::attendance::replace(tx.conn(), before.id, &present).await?;
    let meeting = happened(tx, &forum, before, &event).await?;
    let turnout = Room::with(tx, &forum, present).await?.turnout;
    Ok(pb::RecordAttendanceResponse { figures: Some(convert::meetings::figures(&meeting, &turnout)) })
}

async fn close(tx: &Tx, within: Within, id: MeetingId) -> Result<pb::CloseMeetingResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut meeting = store::meetings::load_in(tx.conn(), forum.id, id).await?;
    let room = Room::of(tx, &forum, meeting.id).await?;
    let vote_is_open = vote_is_open(tx, &meeting).await?;
    if let Some(event) = meeting.close(room.turnout.clone(), vote_is_open)? {
        // Whose seat fell empty in between is not in the minutes as present at the end.
        let standing: Vec<Present> =
            room.present.iter().filter(|one| room.roster().stands(one)).copied().collect();
        store::attendance::replace(tx.conn(), meeting.id, &standing).await?;
        meeting.chair = meeting.chair.filter(|chair| standing.iter().any(|one| one.seat == *chair));
        meeting = happened(tx, &forum, meeting, &event).await?;
        store::meetings::insert_present(tx.conn(), meeting.id, &room.turnout).await?;
        schedule_erasure(tx, &forum, &meeting).await?;
        for item in store::agenda::of_meeting(tx.conn(), meeting.id).await? {
            if item.state.is_pending()
                && let Some(deferred) = item.defer()?
            {
                store::agenda::save_deferred(tx.conn(), &item, &deferred).await?;
            }
        }
    }
    Ok(pb::CloseMeetingResponse { meeting: answered(tx, &forum, &meeting).await? })
}

async fn vote_is_open(tx: &Tx, meeting: &Meeting) -> Result<bool, Fault> {
    Ok(store::votes::of_meeting(tx.conn(), meeting.id).await?.values().any(|vote| vote.is_open))
}

/// Schedules the end of a meeting's personal data: as long after its close as after an election (TIHA-12). While it is open
/// its votes and its turnout need them.
async fn schedule_erasure(tx: &Tx, forum: &Forum, meeting: &Meeting) -> Result<(), Fault> {
    let today = tx.now().helsinki_date();
    let days = policy(tx.conn(), forum, PolicyKey::ElectionAppealDays, today).await?;
    let days = i32::try_from(days).map_err(Fault::internal)?;
    let run_at = kernel::deadline::start_of_day(kernel::deadline::add_days(today, days.saturating_add(1)));
    let id = meeting.id.to_string();
    // Meetings once had a job of the plain id from their opening on, which may have run.
    let dedupe_key = format!("{id}|closed");
    tx.schedule(NewJob { kind: ERASE_MEETING, dedupe_key, run_at, payload: id.into_bytes() });
    Ok(())
}
