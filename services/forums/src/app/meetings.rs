//! Meetings: what happens before, in and after them.

mod minutes;
mod planning;
mod queries;
mod sitting;
mod topics;
mod voting;

use std::collections::BTreeMap;

use chassis::Call;
use kernel::{AgendaItemId, Date, Fault, ForumId, MeetingId, PolicyKey, Scope, Uuid};
use messaging::{NewJob, Tx};
use proto::forums as pb;
use sea_orm::ConnectionTrait;

use crate::domain::forum::Forum;
use crate::domain::meeting::agenda::AgendaItem;
use crate::domain::meeting::attendance::{Present, Roster, Turnout};
use crate::domain::meeting::forms::Forms;
use crate::domain::meeting::{Meeting, MeetingEvent};
use crate::domain::seat::{Deputy, Seat};
use crate::store::meeting_texts::Kind;
use crate::{convert, events, store};

pub use planning::MeetingNotice;
pub use sitting::Attend;
pub use topics::RaiseTopic;
pub use voting::{CastForumVote, Dissenting};

/// Job: tells members and deputies of a meeting. Payload: which notice of which meeting.
pub const MEETING_NOTICE: &str = "forums.meeting_notice";
/// Job: erases the persons of a meeting after the appeal period. Payload: the meeting's id.
pub const ERASE_MEETING: &str = "forums.erase_meeting";
/// Job: tells the secretary of a meeting that is open after its day. Payload: the meeting's id.
pub const MEETING_UNCLOSED: &str = "forums.meeting_unclosed";
/// Job: tells the author of a dissent that it is not published. Payload: the dissent's id.
pub const DISSENT_WITHHELD: &str = "forums.dissent_withheld";
/// Notice to secretaries.
pub const TEMPLATE_MEETING_UNCLOSED: &str = "forums.meeting_unclosed";
/// Notice to an author, who finds the reason with the meeting.
pub const TEMPLATE_DISSENT_WITHHELD: &str = "forums.dissent_withheld";

/// What a command of an officer was granted for, and the forum that it names.
#[derive(Debug, Clone, Copy)]
pub struct Within {
    scope: Scope,
    forum: ForumId,
}

impl Within {
    /// A call about this forum.
    pub fn new(call: &Call, forum: ForumId) -> Self {
        Self { scope: call.scope, forum }
    }

    /// The forum, if the caller has their role in it or in the county that leads it. NotFound `forums.no_such_forum`.
    async fn load(&self, conn: &impl ConnectionTrait) -> Result<Forum, Fault> {
        match self.scope {
            Scope::Tenant(tenant) => store::forums::load_led_by(conn, tenant, self.forum).await,
            scope => store::forums::load(conn, scope.forum()?).await,
        }
    }
}

/// The seats of a forum and who is present, as they are now.
struct Room {
    seats: Vec<Seat>,
    deputies: Vec<Deputy>,
    present: Vec<Present>,
    turnout: Turnout,
}

impl Room {
    async fn of(tx: &Tx, forum: &Forum, meeting: MeetingId) -> Result<Self, Fault> {
        let present = store::attendance::of_meeting(tx.conn(), meeting).await?;
        Self::with(tx, forum, present).await
    }

    async fn with(tx: &Tx, forum: &Forum, present: Vec<Present>) -> Result<Self, Fault> {
        let seats = store::seats::of_forum(tx.conn(), forum.id).await?;
        let deputies = store::seats::deputies(tx.conn(), forum.id).await?;
        let needed =
            policy(tx.conn(), forum, PolicyKey::QuorumMunicipalities, tx.now().helsinki_date()).await?;
        let roster = Roster { seats: &seats, deputies: &deputies };
        let turnout = Turnout::of(forum, roster, &present, needed);
        Ok(Self { seats, deputies, present, turnout })
    }

    fn roster(&self) -> Roster<'_> {
        Roster { seats: &self.seats, deputies: &self.deputies }
    }
}

/// A policy of the county that leads the forum.
async fn policy(
    conn: &impl ConnectionTrait,
    forum: &Forum,
    key: PolicyKey,
    today: Date,
) -> Result<u32, Fault> {
    Ok(store::policies::of(conn, forum.charter.tenant).await?.on(today, key))
}

/// Stores a meeting after an event and tells of it.
async fn happened(tx: &Tx, forum: &Forum, before: Meeting, event: &MeetingEvent) -> Result<Meeting, Fault> {
    let meeting = before.apply(event);
    store::meetings::save(tx.conn(), &meeting).await?;
    events::meeting(forum, &meeting, event).into_iter().for_each(|event| tx.publish(event));
    Ok(meeting)
}

/// A meeting as an answer to a command.
async fn answered(tx: &Tx, forum: &Forum, meeting: &Meeting) -> Result<Option<pb::Meeting>, Fault> {
    let days = policy(tx.conn(), forum, PolicyKey::MeetingNoticeDays, tx.now().helsinki_date()).await?;
    Ok(Some(convert::meetings::meeting(meeting, meeting.notice_due_on(days), &Forms::default())))
}

/// Topics with their texts and votes.
async fn shown(conn: &impl ConnectionTrait, items: &[AgendaItem]) -> Result<Vec<pb::AgendaItem>, Fault> {
    let owners: Vec<Uuid> = items.iter().map(|item| item.id.as_uuid()).collect();
    let ids: Vec<AgendaItemId> = items.iter().map(|item| item.id).collect();
    let texts = store::meeting_texts::load_many(conn, &owners, Kind::Topic).await?;
    let decisions = store::meeting_texts::load_many(conn, &owners, Kind::Decision).await?;
    let votes = store::votes::of_items(conn, &ids).await?;
    let none = Forms::default();
    let of =
        |all: &BTreeMap<Uuid, Forms>, item: &AgendaItem| all.get(&item.id.as_uuid()).unwrap_or(&none).clone();
    let show = |item: &AgendaItem| {
        convert::meetings::item(item, votes.get(&item.id), &of(&texts, item), &of(&decisions, item))
    };
    Ok(items.iter().map(show).collect())
}

/// Schedules a notice to members and deputies.
fn tell(tx: &Tx, meeting: &Meeting, notice: MeetingNotice) {
    let payload = notice.into_payload(meeting);
    let dedupe_key = payload.clone();
    tx.schedule(NewJob { kind: MEETING_NOTICE, dedupe_key, run_at: tx.now(), payload: payload.into_bytes() });
}
