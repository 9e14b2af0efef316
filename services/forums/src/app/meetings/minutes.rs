//! Minutes: written, checked, screened, published (F12).

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, Invalid, MeetingId, Subject};
use messaging::{Tx, telemetry};
use proto::forums as pb;

use super::{ERASE_MEETING, Within, answered, happened};
use crate::app::App;
use crate::domain::meeting::forms::{self, Forms};
use crate::store;
use crate::store::meeting_texts::Kind;

struct Draft {
    within: Within,
    meeting: MeetingId,
    writer: Subject,
    forms: Forms,
}

struct Check {
    within: Within,
    meeting: MeetingId,
    checker: Subject,
}

struct Screen {
    within: Within,
    meeting: MeetingId,
    withheld: Vec<String>,
}

impl App {
    /// Writes the text of minutes, or writes it anew.
    pub async fn draft_minutes(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
        forms: Forms,
    ) -> Result<pb::DraftMinutesResponse, Fault> {
        let input = Draft { within, meeting, writer: call.caller.subject()?, forms };
        self.writer.run(call.command(), input, |tx, input| draft(tx, input).boxed()).await
    }

    /// The chair finds minutes right.
    pub async fn check_minutes(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
    ) -> Result<pb::CheckMinutesResponse, Fault> {
        let input = Check { within, meeting, checker: call.caller.subject()? };
        self.writer.run(call.command(), input, |tx, input| check(tx, input).boxed()).await
    }

    /// A human has looked for secrets; these dissents are not published.
    pub async fn screen_minutes(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
        withheld: &[String],
    ) -> Result<pb::ScreenMinutesResponse, Fault> {
        let input = Screen { within, meeting, withheld: withheld.to_vec() };
        self.writer.run(call.command(), input, |tx, input| screen(tx, input).boxed()).await
    }

    /// Publishes minutes that are checked and screened.
    pub async fn publish_minutes(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
    ) -> Result<pb::PublishMinutesResponse, Fault> {
        let input = (within, meeting);
        self.writer.run(call.command(), input, |tx, input| publish(tx, input.0, input.1).boxed()).await
    }

    /// Erases who was present at a meeting by reference, which seats have voted and who dissented. Seats, sums, decisions
    /// and texts stay. Who wrote the minutes is forgotten when they are published. Nothing of a meeting that is open.
    pub async fn erase_meeting(&self, meeting: MeetingId) -> Result<(), Fault> {
        let erased =
            self.writer.internal(ERASE_MEETING, meeting, |tx, meeting| erase(tx, *meeting).boxed()).await?;
        for (what, rows) in erased {
            telemetry::erased("forums", what, rows);
        }
        Ok(())
    }
}

async fn draft(tx: &Tx, input: &Draft) -> Result<pb::DraftMinutesResponse, Fault> {
    let forum = input.within.load(tx.conn()).await?;
    let before = store::meetings::load_in(tx.conn(), forum.id, input.meeting).await?;
    let event = before.draft_minutes(input.writer, tx.now().helsinki_date())?;
    input.forms.check_required("texts", &forms::required(&forum))?;
    store::meeting_texts::save(tx.conn(), before.id.as_uuid(), Kind::Minutes, &input.forms).await?;
    let meeting = happened(tx, &forum, before, &event).await?;
    Ok(pb::DraftMinutesResponse { meeting: answered(tx, &forum, &meeting).await? })
}

async fn check(tx: &Tx, input: &Check) -> Result<pb::CheckMinutesResponse, Fault> {
    let forum = input.within.load(tx.conn()).await?;
    let mut meeting = store::meetings::load_in(tx.conn(), forum.id, input.meeting).await?;
    if let Some(event) = meeting.check_minutes(input.checker, tx.now().helsinki_date())? {
        meeting = happened(tx, &forum, meeting, &event).await?;
    }
    Ok(pb::CheckMinutesResponse { meeting: answered(tx, &forum, &meeting).await? })
}

async fn screen(tx: &Tx, input: &Screen) -> Result<pb::ScreenMinutesResponse, Fault> {
    let forum = input.within.load(tx.conn()).await?;
    let before = store::meetings::load_in(tx.conn(), forum.id, input.meeting).await?;
    let event = before.screen_minutes(tx.now().helsinki_date())?;
    let dissents = store::dissents::of_meeting(tx.conn(), before.id).await?;
    let mut withheld = Vec::with_capacity(input.withheld.len());
    for (index, id) in input.withheld.iter().enumerate() {
        let known = dissents.iter().map(|dissent| dissent.id).find(|known| known.to_string() == *id);
        withheld.push(known.ok_or_else(|| {
            let rule = Invalid::new("a withheld dissent is one of this meeting", "look at GetMinutesDraft");
            rule.in_field(format!("withheld_dissent_ids[{index}]"))
        })?);
    }
    store::dissents::withhold(tx.conn(), before.id, &withheld).await?;
    let meeting = happened(tx, &forum, before, &event).await?;
    Ok(pb::ScreenMinutesResponse { meeting: answered(tx, &forum, &meeting).await? })
}

async fn publish(tx: &Tx, within: Within, id: MeetingId) -> Result<pb::PublishMinutesResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut meeting = store::meetings::load_in(tx.conn(), forum.id, id).await?;
    if let Some(event) = meeting.publish_minutes(tx.now().helsinki_date())? {
        meeting = happened(tx, &forum, meeting, &event).await?;
    }
    Ok(pb::PublishMinutesResponse { meeting: answered(tx, &forum, &meeting).await? })
}

/// What was erased, and how much of it.
async fn erase(tx: &Tx, meeting: MeetingId) -> Result<Vec<(&'static str, u64)>, Fault> {
    if !store::meetings::load(tx.conn(), meeting).await?.state.is_held() {
        return Ok(Vec::new());
    }
    let votes = store::votes::of_meeting(tx.conn(), meeting).await?;
    let items: Vec<_> = votes.into_keys().collect();
    let marks = store::votes::erase_marks(tx.conn(), &items).await?;
    let persons = store::attendance::forget_meeting(tx.conn(), meeting).await?;
    let authors = store::dissents::forget_meeting(tx.conn(), meeting).await?;
    Ok(vec![("forum vote marks", marks), ("attending persons", persons), ("dissenting persons", authors)])
}
