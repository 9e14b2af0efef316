//! Topics: raised, written anew, scheduled, discussed, deferred.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{AgendaItemId, Fault, ForumId, MeetingId, Scope, Subject, TenantId};
use messaging::Tx;
use proto::forums as pb;

use super::Within;
use crate::app::App;
use crate::domain::forum::{Forum, ForumState};
use crate::domain::meeting::agenda::{AgendaItem, ItemState, MAX_WAITING, Source, checked_source_name};
use crate::domain::meeting::attendance::Roster;
use crate::domain::meeting::forms::{self, Forms};
use crate::domain::meeting::{Meeting, vote};
use crate::store::meeting_texts::Kind;
use crate::{convert, events, store};

/// A topic that staff raise.
#[derive(Debug, Clone)]
pub struct RaiseTopic {
    /// The forum.
    pub forum: ForumId,
    /// Where it comes from.
    pub source: Source,
    /// Which local group, unit or body.
    pub source_name: String,
    /// Its forms, all that are required.
    pub forms: Forms,
}

struct Raise {
    id: AgendaItemId,
    scope: Scope,
    by: Subject,
    /// Counties of the caller.
    counties: Vec<TenantId>,
    topic: RaiseTopic,
}

struct RaiseOwn {
    id: AgendaItemId,
    forum: ForumId,
    person: Subject,
    forms: Forms,
}

struct Edit {
    within: Within,
    item: AgendaItemId,
    forms: Forms,
}

struct Schedule {
    within: Within,
    meeting: MeetingId,
    item: AgendaItemId,
}

impl App {
    /// Raises a topic of a local group, a unit or another body.
    pub async fn raise_topic(&self, call: &Call, topic: RaiseTopic) -> Result<pb::RaiseTopicResponse, Fault> {
        let (id, counties) = (self.ids.new_id(), call.caller.tenants.clone());
        let input = Raise { id, scope: call.scope, by: call.caller.subject()?, counties, topic };
        self.writer.run(call.command(), input, |tx, input| raise(tx, input).boxed()).await
    }

    /// A member or deputy raises a topic.
    pub async fn raise_my_topic(
        &self,
        call: &Call,
        forum: ForumId,
        forms: Forms,
    ) -> Result<pb::RaiseMyTopicResponse, Fault> {
        let input = RaiseOwn { id: self.ids.new_id(), forum, person: call.scope.subject()?, forms };
        self.writer.run(call.command(), input, |tx, input| raise_own(tx, input).boxed()).await
    }

    /// Writes the texts of a topic anew.
    pub async fn edit_topic(
        &self,
        call: &Call,
        within: Within,
        item: AgendaItemId,
        forms: Forms,
    ) -> Result<pb::EditTopicResponse, Fault> {
        let input = Edit { within, item, forms };
        self.writer.run(call.command(), input, |tx, input| edit(tx, input).boxed()).await
    }

    /// Puts a topic on an agenda.
    pub async fn schedule_topic(
        &self,
        call: &Call,
        within: Within,
        meeting: MeetingId,
        item: AgendaItemId,
    ) -> Result<pb::ScheduleTopicResponse, Fault> {
        let input = Schedule { within, meeting, item };
        self.writer.run(call.command(), input, |tx, input| schedule(tx, input).boxed()).await
    }

    /// Takes a topic off an agenda.
    pub async fn unschedule_topic(
        &self,
        call: &Call,
        within: Within,
        item: AgendaItemId,
    ) -> Result<pb::UnscheduleTopicResponse, Fault> {
        let input = (within, item);
        self.writer.run(call.command(), input, |tx, input| unschedule(tx, input.0, input.1).boxed()).await
    }

    /// Says that a topic is being discussed.
    pub async fn discuss_topic(
        &self,
        call: &Call,
        within: Within,
        item: AgendaItemId,
    ) -> Result<pb::DiscussTopicResponse, Fault> {
        let input = (within, item);
        self.writer.run(call.command(), input, |tx, input| discuss(tx, input.0, input.1).boxed()).await
    }

    /// Leaves a topic to another meeting, or drops it if its proposal has ended; an open vote on it is forgotten.
    pub async fn defer_topic(
        &self,
        call: &Call,
        within: Within,
        item: AgendaItemId,
    ) -> Result<pb::DeferTopicResponse, Fault> {
        let input = (within, item);
        self.writer.run(call.command(), input, |tx, input| defer(tx, input.0, input.1).boxed()).await
    }
}

/// A topic that is before an open meeting. Conflict `forums.topic_not_on_table` or `forums.meeting_not_open`.
pub(super) async fn before_meeting(tx: &Tx, item: &AgendaItem) -> Result<Meeting, Fault> {
    item.check_on_table()?;
    let meeting = item.meeting.ok_or_else(|| Fault::internal("a topic on an agenda names no meeting"))?;
    let meeting = store::meetings::load_in(tx.conn(), item.forum, meeting).await?;
    meeting.check_open()?;
    Ok(meeting)
}

async fn raise(tx: &Tx, input: &Raise) -> Result<pb::RaiseTopicResponse, Fault> {
    let Raise { id, scope, by, counties, topic } = input;
    let forum = match scope {
        // A unit's staff: of a county that the forum belongs to.
        Scope::Unit(_) => {
            let forum = store::forums::load(tx.conn(), topic.forum).await?;
            let of_forum = |county: &TenantId| {
                forum.charter.tenant == *county || forum.charter.co_tenants.contains(county)
            };
            if !counties.iter().any(of_forum) {
                return Err(store::forums::no_such_forum());
            }
            forum
        }
        scope => Within { scope: *scope, forum: topic.forum }.load(tx.conn()).await?,
    };
    check_active(&forum)?;
    if matches!(scope, Scope::Unit(_)) && topic.source != Source::Unit {
        let rule = "the staff of a unit raise topics of their unit";
        return Err(kernel::Invalid::new(rule, "send UNIT").in_field("source"));
    }
    topic.forms.check_required("texts", &forms::required(&forum))?;
    // The forum's own officers and coordinators answer for its list; whoever works in a unit has room for a few, as a member.
    let raised_by = matches!(scope, Scope::Unit(_)).then_some(*by);
    if let Some(by) = raised_by {
        check_waiting(tx, &forum, by).await?;
    }
    let item = AgendaItem {
        source_name: checked_source_name(&topic.source_name)?,
        raised_by,
        ..AgendaItem::raised(*id, forum.id, topic.source, tx.now().helsinki_date())
    };
    store_raised(tx, &forum, &item, &topic.forms).await?;
    Ok(pb::RaiseTopicResponse { item: Some(convert::meetings::item_without_texts(&item, None)) })
}

async fn raise_own(tx: &Tx, input: &RaiseOwn) -> Result<pb::RaiseMyTopicResponse, Fault> {
    let RaiseOwn { id, forum, person, forms } = input;
    let forum = store::forums::load(tx.conn(), *forum).await?;
    check_active(&forum)?;
    let seats = store::seats::of_forum(tx.conn(), forum.id).await?;
    let deputies = store::seats::deputies(tx.conn(), forum.id).await?;
    Roster { seats: &seats, deputies: &deputies }.check_belongs(*person)?;
    if forms.is_empty() {
        let rule = "a topic has a text in at least one form";
        return Err(kernel::Invalid::new(rule, "write a title").in_field("texts"));
    }
    check_waiting(tx, &forum, *person).await?;
    let raised = AgendaItem::raised(*id, forum.id, Source::Member, tx.now().helsinki_date());
    let item = AgendaItem { raised_by: Some(*person), ..raised };
    store_raised(tx, &forum, &item, forms).await?;
    Ok(pb::RaiseMyTopicResponse { item: Some(convert::meetings::item_without_texts(&item, None)) })
}

/// ResourceExhausted `forums.too_many_topics` where enough topics of a person wait.
async fn check_waiting(tx: &Tx, forum: &Forum, person: Subject) -> Result<(), Fault> {
    if store::agenda::count_waiting_of(tx.conn(), forum.id, person).await? < MAX_WAITING {
        return Ok(());
    }
    let message = format!(
        "{MAX_WAITING} topics of yours wait for a meeting. Raise more when some have been dealt with."
    );
    Err(Fault::resource_exhausted("forums.too_many_topics", message))
}

async fn store_raised(tx: &Tx, forum: &Forum, item: &AgendaItem, forms: &Forms) -> Result<(), Fault> {
    store::agenda::insert(tx.conn(), item).await?;
    store::meeting_texts::save(tx.conn(), item.id.as_uuid(), Kind::Topic, forms).await?;
    tx.publish(events::topic_raised(forum, item));
    Ok(())
}

fn check_active(forum: &Forum) -> Result<(), Fault> {
    if forum.state == ForumState::Active {
        return Ok(());
    }
    let message = "The forum has no seats yet, or its term is over. Raise the topic in an active forum.";
    Err(Fault::conflict("forums.no_seat_plan", message))
}

async fn edit(tx: &Tx, input: &Edit) -> Result<pb::EditTopicResponse, Fault> {
    let forum = input.within.load(tx.conn()).await?;
    let item = store::agenda::load_in(tx.conn(), forum.id, input.item).await?;
    item.check_texts(meeting_of(tx, &item).await?.as_ref())?;
    input.forms.check_required("texts", &forms::required(&forum))?;
    store::meeting_texts::save(tx.conn(), item.id.as_uuid(), Kind::Topic, &input.forms).await?;
    Ok(pb::EditTopicResponse { item: Some(convert::meetings::item_without_texts(&item, None)) })
}

async fn schedule(tx: &Tx, input: &Schedule) -> Result<pb::ScheduleTopicResponse, Fault> {
    let forum = input.within.load(tx.conn()).await?;
    let meeting = store::meetings::load_in(tx.conn(), forum.id, input.meeting).await?;
    let mut item = store::agenda::load_in(tx.conn(), forum.id, input.item).await?;
    let agenda = store::agenda::of_meeting(tx.conn(), meeting.id).await?;
    let last = agenda.last().map_or(0, |item| item.position);
    if let Some(scheduled) = item.schedule(&meeting, agenda.len(), last)? {
        let texts = store::meeting_texts::load(tx.conn(), item.id.as_uuid(), Kind::Topic).await?;
        texts.check_required("texts", &forms::required(&forum))?;
        store::agenda::save(tx.conn(), &scheduled).await?;
        item = scheduled;
    }
    Ok(pb::ScheduleTopicResponse { item: Some(convert::meetings::item_without_texts(&item, None)) })
}

async fn unschedule(tx: &Tx, within: Within, id: AgendaItemId) -> Result<pb::UnscheduleTopicResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut item = store::agenda::load_in(tx.conn(), forum.id, id).await?;
    let meeting = meeting_of(tx, &item).await?;
    if let Some(off) = item.unschedule(meeting.as_ref())? {
        store::agenda::save(tx.conn(), &off).await?;
        item = off;
    }
    Ok(pb::UnscheduleTopicResponse { item: Some(convert::meetings::item_without_texts(&item, None)) })
}

async fn discuss(tx: &Tx, within: Within, id: AgendaItemId) -> Result<pb::DiscussTopicResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut item = store::agenda::load_in(tx.conn(), forum.id, id).await?;
    before_meeting(tx, &item).await?;
    if let Some(discussed) = item.discuss()? {
        store::agenda::save(tx.conn(), &discussed).await?;
        item = discussed;
    }
    let vote = store::votes::find(tx.conn(), item.id).await?;
    Ok(pb::DiscussTopicResponse { item: Some(convert::meetings::item_without_texts(&item, vote.as_ref())) })
}

async fn defer(tx: &Tx, within: Within, id: AgendaItemId) -> Result<pb::DeferTopicResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut item = store::agenda::load_in(tx.conn(), forum.id, id).await?;
    if !item.is_left() {
        before_meeting(tx, &item).await?;
    }
    if let Some(deferred) = item.defer()? {
        store::votes::delete(tx.conn(), item.id).await?;
        if deferred.state == ItemState::Deferred {
            store::agenda::save_deferred(tx.conn(), &item, &deferred).await?;
        } else {
            store::agenda::save(tx.conn(), &deferred).await?;
        }
        item = deferred;
    }
    Ok(pb::DeferTopicResponse { item: Some(convert::meetings::item_without_texts(&item, None)) })
}

async fn meeting_of(tx: &Tx, item: &AgendaItem) -> Result<Option<Meeting>, Fault> {
    match item.meeting {
        None => Ok(None),
        Some(meeting) => Ok(Some(store::meetings::load_in(tx.conn(), item.forum, meeting).await?)),
    }
}

/// Refuses while votes on a topic are taken: Conflict `forums.vote_open`.
pub(super) async fn refuse_open_vote(tx: &Tx, item: AgendaItemId) -> Result<(), Fault> {
    let vote = store::votes::find(tx.conn(), item).await?;
    if vote.is_some_and(|vote| vote.is_open) { Err(vote::open_vote()) } else { Ok(()) }
}
