//! Votes, decisions and dissents.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{AgendaItemId, Fault, ForumId, MeetingId, Subject, Uuid};
use messaging::Tx;
use proto::forums as pb;

use super::topics::{before_meeting, refuse_open_vote};
use super::{Room, Within};
use crate::app::App;
use crate::app::voting::note_confirmation;
use crate::domain::forum::Forum;
use crate::domain::meeting::agenda::{AgendaItem, DecisionKind};
use crate::domain::meeting::attendance::{Present, not_there};
use crate::domain::meeting::forms::{self, Forms};
use crate::domain::meeting::minutes::Dissent;
use crate::domain::meeting::vote::{self, Choice, Marks, Method, Tally, Vote};
use crate::store::meeting_texts::Kind;
use crate::{convert, events, store};

/// A member's vote.
#[derive(Debug, Clone, Copy)]
pub struct CastForumVote {
    /// The forum.
    pub forum: ForumId,
    /// The meeting.
    pub meeting: MeetingId,
    /// The topic.
    pub item: AgendaItemId,
    /// What it says.
    pub choice: Choice,
    /// With a helper present: the member said yes themselves.
    pub confirmed: bool,
}

/// A member's dissent.
#[derive(Debug, Clone)]
pub struct Dissenting {
    /// The forum.
    pub forum: ForumId,
    /// The topic.
    pub item: AgendaItemId,
    /// What it says.
    pub text: String,
    /// Whether the minutes say of which seat it is.
    pub show_seat: bool,
    /// With a helper present: the member said yes themselves.
    pub confirmed: bool,
}

struct Cast {
    vote: CastForumVote,
    person: Subject,
    key: String,
}

struct ByHands {
    within: Within,
    item: AgendaItemId,
    tally: Tally,
}

struct Decide {
    within: Within,
    item: AgendaItemId,
    kind: DecisionKind,
    forms: Forms,
}

struct Attach {
    id: Uuid,
    person: Subject,
    dissent: Dissenting,
}

impl App {
    /// Opens a vote.
    pub async fn put_to_vote(
        &self,
        call: &Call,
        within: Within,
        item: AgendaItemId,
    ) -> Result<pb::PutToVoteResponse, Fault> {
        let input = (within, item);
        self.writer.run(call.command(), input, |tx, input| put_to_vote(tx, input.0, input.1).boxed()).await
    }

    /// Counts the caller's own vote. Not in the command log: the hash of the request there would tell what was voted.
    pub async fn cast_forum_vote(
        &self,
        call: &Call,
        vote: CastForumVote,
    ) -> Result<pb::CastForumVoteResponse, Fault> {
        let person = call.scope.subject()?;
        vote::may_vote(&call.caller, vote.confirmed).inspect_err(note_confirmation)?;
        let input = Cast { vote, person, key: call.command().key.clone() };
        self.writer.run_unlogged(call.command(), input, |tx, input| cast(tx, input).boxed()).await
    }

    /// Closes a vote, which decides; `early` although seats that are present have not voted.
    pub async fn close_vote(
        &self,
        call: &Call,
        within: Within,
        item: AgendaItemId,
        early: bool,
    ) -> Result<pb::CloseVoteResponse, Fault> {
        let input = (within, item, early);
        self.writer.run(call.command(), input, |tx, input| close_vote(tx, *input).boxed()).await
    }

    /// Records a vote by show of hands, which decides.
    pub async fn record_vote(
        &self,
        call: &Call,
        within: Within,
        item: AgendaItemId,
        tally: Tally,
    ) -> Result<pb::RecordVoteResponse, Fault> {
        let input = ByHands { within, item, tally };
        self.writer.run(call.command(), input, |tx, input| record_vote(tx, input).boxed()).await
    }

    /// Records a decision without a vote.
    pub async fn record_decision(
        &self,
        call: &Call,
        within: Within,
        item: AgendaItemId,
        kind: DecisionKind,
        forms: Forms,
    ) -> Result<pb::RecordDecisionResponse, Fault> {
        let input = Decide { within, item, kind, forms };
        self.writer.run(call.command(), input, |tx, input| record_decision(tx, input).boxed()).await
    }

    /// Attaches a dissent, or writes it anew.
    pub async fn attach_dissent(
        &self,
        call: &Call,
        dissent: Dissenting,
    ) -> Result<pb::AttachDissentResponse, Fault> {
        Dissent::check_author(&call.caller, dissent.confirmed)?;
        // Not from a clock: dissents are shown in the order of their ids, which is not that of writing.
        let id = uuid::Builder::from_random_bytes(self.ids.bytes()).into_uuid();
        let input = Attach { id, person: call.scope.subject()?, dissent };
        self.writer.run(call.command(), input, |tx, input| attach(tx, input).boxed()).await
    }
}

async fn put_to_vote(tx: &Tx, within: Within, id: AgendaItemId) -> Result<pb::PutToVoteResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut item = store::agenda::load_in(tx.conn(), forum.id, id).await?;
    let meeting = before_meeting(tx, &item).await?;
    let vote = match store::votes::find(tx.conn(), item.id).await? {
        Some(vote) => vote,
        None => {
            let room = Room::of(tx, &forum, meeting.id).await?;
            let vote = Vote::open(item.id, meeting.id, &room.turnout)?;
            store::votes::insert(tx.conn(), &vote).await?;
            if let Some(discussed) = item.discuss()? {
                store::agenda::save(tx.conn(), &discussed).await?;
                item = discussed;
            }
            vote
        }
    };
    Ok(pb::PutToVoteResponse { item: Some(convert::meetings::item_without_texts(&item, Some(&vote))) })
}

async fn cast(tx: &Tx, input: &Cast) -> Result<pb::CastForumVoteResponse, Fault> {
    let Cast { vote: wanted, person, key } = input;
    let forum = store::forums::load(tx.conn(), wanted.forum).await?;
    let meeting = store::meetings::load_in(tx.conn(), forum.id, wanted.meeting).await?;
    let item = store::agenda::load_in(tx.conn(), forum.id, wanted.item).await?;
    let room = Room::of(tx, &forum, meeting.id).await?;
    room.roster().check_belongs(*person)?;
    let present = standing(&room, *person)?;
    let key_hash = vote::key_hash(item.id, present.seat, key);
    let existing = store::votes::mark(tx.conn(), item.id, present.seat).await?;
    if vote::check_mark(existing.as_ref(), &key_hash)? {
        return Ok(pb::CastForumVoteResponse {});
    }
    let open = store::votes::find(tx.conn(), item.id).await?;
    let open = open.filter(|vote| vote.meeting == meeting.id).ok_or_else(vote::vote_not_open)?;
    open.check_open()?;
    if !store::votes::insert_mark(tx.conn(), item.id, present.seat, &key_hash).await? {
        return Err(vote::already_voted());
    }
    store::votes::add(tx.conn(), item.id, wanted.choice).await?;
    Ok(pb::CastForumVoteResponse {})
}

/// For which seat the person is present. Conflict `forums.not_present`.
fn standing(room: &Room, person: Subject) -> Result<Present, Fault> {
    let theirs = |one: &&Present| one.person == Some(person) && room.roster().stands(one);
    room.present.iter().find(theirs).copied().ok_or_else(|| {
        Fault::conflict(
            "forums.not_present",
            "You are not recorded as present at this meeting. Tell the secretary that you are there.",
        )
    })
}

async fn close_vote(
    tx: &Tx,
    (within, id, early): (Within, AgendaItemId, bool),
) -> Result<pb::CloseVoteResponse, Fault> {
    let forum = within.load(tx.conn()).await?;
    let mut item = store::agenda::load_in(tx.conn(), forum.id, id).await?;
    let mut vote = store::votes::find(tx.conn(), item.id).await?.ok_or_else(vote::vote_not_open)?;
    // Closed before: done already, and nothing is told again (X1).
    if vote.is_open || vote.method != Method::Ballot {
        let meeting = before_meeting(tx, &item).await?;
        let room = Room::of(tx, &forum, meeting.id).await?;
        let marked = store::votes::marked_seats(tx.conn(), item.id).await?;
        let has_voted = |one: &&Present| room.roster().stands(one) && marked.contains(&one.seat);
        let count = |seats: usize| u32::try_from(seats).map_err(Fault::internal);
        let standing = count(room.present.iter().filter(has_voted).count())?;
        let marks = Marks { all: count(marked.len())?, standing };
        vote = vote.close(marks, &room.turnout, early)?;
        store::votes::save(tx.conn(), &vote).await?;
        store::votes::rewrite_marks(tx.conn(), item.id).await?;
        item = decided(tx, &forum, &room, item, vote.tally.decision(), Some(&vote)).await?;
    }
    Ok(pb::CloseVoteResponse { item: Some(convert::meetings::item_without_texts(&item, Some(&vote))) })
}

async fn record_vote(tx: &Tx, input: &ByHands) -> Result<pb::RecordVoteResponse, Fault> {
    let ByHands { within, item, tally } = input;
    let forum = within.load(tx.conn()).await?;
    let mut item = store::agenda::load_in(tx.conn(), forum.id, *item).await?;
    let vote = match store::votes::find(tx.conn(), item.id).await? {
        Some(vote) if vote.is_open => return Err(vote::open_vote()),
        Some(vote) if vote.method == Method::ShowOfHands && vote.tally == *tally => vote,
        Some(_) => return Err(item.already_decided()),
        None if item.decision.is_some() => return Err(item.already_decided()),
        None => {
            let meeting = before_meeting(tx, &item).await?;
            let room = Room::of(tx, &forum, meeting.id).await?;
            let vote = Vote::by_hands(item.id, meeting.id, &room.turnout, *tally)?;
            store::votes::insert(tx.conn(), &vote).await?;
            item = decided(tx, &forum, &room, item, tally.decision(), Some(&vote)).await?;
            vote
        }
    };
    Ok(pb::RecordVoteResponse { item: Some(convert::meetings::item_without_texts(&item, Some(&vote))) })
}

async fn record_decision(tx: &Tx, input: &Decide) -> Result<pb::RecordDecisionResponse, Fault> {
    let Decide { within, item, kind, forms } = input;
    let forum = within.load(tx.conn()).await?;
    let mut item = store::agenda::load_in(tx.conn(), forum.id, *item).await?;
    kind.check_recorded(&item, !forms.is_empty())?;
    if !forms.is_empty() {
        forms.check_required("texts", &forms::required(&forum))?;
    }
    refuse_open_vote(tx, item.id).await?;
    if item.decision.is_some() {
        let texts = store::meeting_texts::load(tx.conn(), item.id.as_uuid(), Kind::Decision).await?;
        if item.decide(*kind, tx.now().helsinki_date())?.is_some() || texts != *forms {
            return Err(item.already_decided());
        }
    } else {
        let meeting = before_meeting(tx, &item).await?;
        let room = Room::of(tx, &forum, meeting.id).await?;
        room.turnout.check_quorate()?;
        store::meeting_texts::save(tx.conn(), item.id.as_uuid(), Kind::Decision, forms).await?;
        item = decided(tx, &forum, &room, item, *kind, None).await?;
    }
    Ok(pb::RecordDecisionResponse { item: Some(convert::meetings::item_without_texts(&item, None)) })
}

/// Stores a decision with who was there, and tells of it, once (X1).
async fn decided(
    tx: &Tx,
    forum: &Forum,
    room: &Room,
    item: AgendaItem,
    kind: DecisionKind,
    vote: Option<&Vote>,
) -> Result<AgendaItem, Fault> {
    let Some(item) = item.decide(kind, tx.now().helsinki_date())? else { return Ok(item) };
    store::agenda::save(tx.conn(), &item).await?;
    let standing: Vec<Present> =
        room.present.iter().filter(|one| room.roster().stands(one)).copied().collect();
    store::attendance::keep_at_decision(tx.conn(), item.id, &standing).await?;
    events::decided(forum, &item, vote).into_iter().for_each(|event| tx.publish(event));
    Ok(item)
}

async fn attach(tx: &Tx, input: &Attach) -> Result<pb::AttachDissentResponse, Fault> {
    let Attach { id, person, dissent } = input;
    let item = store::agenda::load_in(tx.conn(), dissent.forum, dissent.item).await?;
    let text = Dissent::checked_text(&dissent.text)?;
    let undecided = || {
        let message =
            "A dissent is from a decision, and nothing is decided about this topic. Wait for the decision.";
        Fault::conflict("forums.nothing_decided", message)
    };
    let meeting = item.meeting.filter(|_| item.decision.is_some()).ok_or_else(undecided)?;
    let meeting = store::meetings::load_in(tx.conn(), item.forum, meeting).await?;
    meeting.check_dissent()?;
    let seat = store::attendance::at_decision(tx.conn(), item.id, *person).await?.ok_or_else(not_there)?;
    let dissent = Dissent {
        id: *id,
        meeting: meeting.id,
        item: item.id,
        seat,
        author: Some(*person),
        text,
        show_seat: dissent.show_seat,
        withheld: None,
    };
    store::dissents::put(tx.conn(), &dissent).await?;
    Ok(pb::AttachDissentResponse {})
}
