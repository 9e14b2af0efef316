//! Minutes: written, checked, screened, published (F12).

use std::collections::BTreeMap;

use chassis::Call;
use futures::FutureExt as _;
use kernel::{AgendaItemId, Fault, Invalid, MeetingId, Subject, Uuid};
use messaging::{NewJob, Tx, telemetry};
use proto::forums as pb;

use super::{DISSENT_WITHHELD, ERASE_MEETING, Within, answered, happened};
use crate::app::App;
use crate::domain::meeting::forms::{self, Forms};
use crate::domain::meeting::minutes::{Withholding, is_changed};
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
    withheld: Vec<(String, Withholding)>,
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

    /// A human has looked for secrets; these dissents are not published, each for its reason, and their authors are told.
    pub async fn screen_minutes(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
        withheld: Vec<(String, Withholding)>,
    ) -> Result<pb::ScreenMinutesResponse, Fault> {
        let input = Screen { within, meeting, withheld };
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

    /// Whom to tell that a dissent is not published; nobody if it is by now.
    pub async fn withheld_author(&self, dissent: Uuid) -> Result<Option<Subject>, Fault> {
        store::dissents::withheld_author(self.database.read(), dissent).await
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
    let dissents = store::dissents::of_meeting(tx.conn(), before.id).await?;
    let mut withheld = BTreeMap::new();
    for (index, (id, reason)) in input.withheld.iter().enumerate() {
        let known = dissents.iter().map(|dissent| dissent.id).find(|known| known.to_string() == *id);
        let known = known.ok_or_else(|| {
            let rule = Invalid::new("a withheld dissent is one of this meeting", "look at GetMinutesDraft");
            rule.in_field(format!("withheld[{index}].dissent_id"))
        })?;
        withheld.insert(known, *reason);
    }
    let changed = is_changed(&dissents, &withheld);
    let event = before.screen_minutes(changed, tx.now().helsinki_date())?;
    store::dissents::withhold(tx.conn(), before.id, &withheld).await?;
    for dissent in dissents.iter().filter(|one| one.withheld.is_none() && withheld.contains_key(&one.id)) {
        let id = dissent.id.to_string();
        let dedupe_key = format!("{id}|{}", tx.now().helsinki_date());
        tx.schedule(NewJob {
            kind: DISSENT_WITHHELD,
            dedupe_key,
            run_at: tx.now(),
            payload: id.into_bytes(),
        });
    }
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
    let decided = store::agenda::of_meeting(tx.conn(), meeting).await?;
    let decided: Vec<AgendaItemId> = decided.into_iter().map(|item| item.id).collect();
    let persons = store::attendance::forget_meeting(tx.conn(), meeting).await?
        + store::attendance::forget_decisions(tx.conn(), &decided).await?;
    let authors = store::dissents::forget_meeting(tx.conn(), meeting).await?;
    Ok(vec![("forum vote marks", marks), ("attending persons", persons), ("dissenting persons", authors)])
}
