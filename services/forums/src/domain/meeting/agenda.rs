//! Topics: raised for a forum, put on an agenda, discussed, decided or left to another meeting.
//!
//! ```text
//! Raised ─▶ Scheduled ─▶ Discussed ─▶ Decided
//!    ▲          │             │
//!    │          └──▶ Deferred ◀┘      (Dropped: its proposal ended before a vote was opened)
//!    └─unscheduled─┘   └─▶ Scheduled on another agenda
//! ```
//!
//! What a member writes is free text; it becomes public when an officer has seen to its forms and scheduled it, and the
//! notice is sent.

use kernel::{AgendaItemId, Date, Fault, ForumId, Invalid, MeetingId, ProposalId, Subject};

use super::{Meeting, MeetingState};

/// Most topics on an agenda.
pub const MAX_AGENDA: usize = 50;
/// Most topics of one person that wait for a meeting in a forum.
pub const MAX_WAITING: u64 = 20;

/// Where a topic comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A local group (S1.37).
    LocalGroup,
    /// A member or deputy.
    Member,
    /// A service unit.
    Unit,
    /// Another body of the county.
    Body,
    /// A proposal that was sent to the forum.
    Proposal,
}

impl Source {
    /// Every source.
    pub const ALL: [Source; 5] =
        [Source::LocalGroup, Source::Member, Source::Unit, Source::Body, Source::Proposal];

    /// The name in events and databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::LocalGroup => "local_group",
            Source::Member => "member",
            Source::Unit => "unit",
            Source::Body => "body",
            Source::Proposal => "proposal",
        }
    }
}

/// The name of a local group, unit or body, trimmed. Invalid `request.invalid`.
pub fn checked_source_name(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    if (2..=120).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    let rule = "where a topic comes from is named in 2 to 120 characters";
    Err(Invalid::new(rule, "send for example \"Vaalan paikallisryhmä\"").in_field("source_name"))
}

/// How far a topic has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    /// Waits for a meeting.
    Raised,
    /// On the agenda of a meeting.
    Scheduled,
    /// Is being discussed.
    Discussed,
    /// Decided.
    Decided,
    /// Left to another meeting.
    Deferred,
    /// Nothing is decided about it any more.
    Dropped,
}

impl ItemState {
    /// Every state.
    pub const ALL: [ItemState; 6] = [
        ItemState::Raised,
        ItemState::Scheduled,
        ItemState::Discussed,
        ItemState::Decided,
        ItemState::Deferred,
        ItemState::Dropped,
    ];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            ItemState::Raised => "raised",
            ItemState::Scheduled => "scheduled",
            ItemState::Discussed => "discussed",
            ItemState::Decided => "decided",
            ItemState::Deferred => "deferred",
            ItemState::Dropped => "dropped",
        }
    }

    /// Whether a decision may follow.
    pub fn is_pending(self) -> bool {
        !matches!(self, ItemState::Decided | ItemState::Dropped)
    }
}

/// What a forum decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionKind {
    /// More than half of the votes cast were for it (F10).
    Endorsed,
    /// They were not.
    NotEndorsed,
    /// The proposal needs more work and may come again.
    ReturnedForWork,
    /// The forum said what it thinks.
    StatementGiven,
    /// The forum knows of it.
    Noted,
}

impl DecisionKind {
    /// Every kind.
    pub const ALL: [DecisionKind; 5] = [
        DecisionKind::Endorsed,
        DecisionKind::NotEndorsed,
        DecisionKind::ReturnedForWork,
        DecisionKind::StatementGiven,
        DecisionKind::Noted,
    ];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            DecisionKind::Endorsed => "endorsed",
            DecisionKind::NotEndorsed => "not_endorsed",
            DecisionKind::ReturnedForWork => "returned_for_work",
            DecisionKind::StatementGiven => "statement_given",
            DecisionKind::Noted => "noted",
        }
    }

    /// Whether it says why, in every form: Invalid `request.invalid` for texts where there should be none, and for none
    /// where there should be some. A proposal alone is returned for work: Invalid `forums.not_a_proposal`; and it waits
    /// for a vote otherwise: Invalid `forums.proposal_needs_vote`.
    pub fn check_recorded(self, item: &AgendaItem, has_texts: bool) -> Result<(), Fault> {
        let wants_texts = match self {
            DecisionKind::ReturnedForWork | DecisionKind::StatementGiven => true,
            DecisionKind::Noted => false,
            DecisionKind::Endorsed | DecisionKind::NotEndorsed => {
                let rule = "a forum endorses by a vote (F10)";
                return Err(Invalid::new(rule, "call PutToVote or RecordVote").in_field("kind"));
            }
        };
        if self == DecisionKind::ReturnedForWork && item.proposal.is_none() {
            let message = "Only a proposal is returned for more work. Give a statement, or leave the topic to another meeting.";
            return Err(Fault::invalid("forums.not_a_proposal", message).field(
                "kind",
                "a proposal alone is returned for work",
                "send STATEMENT_GIVEN or NOTED, or defer the topic",
            ));
        }
        if self != DecisionKind::ReturnedForWork && item.proposal.is_some() {
            let message = "A proposal waits for an endorsement, or to be returned for work (F10, X1). Put it to the vote, return it, or leave it to another meeting.";
            return Err(Fault::invalid("forums.proposal_needs_vote", message).field(
                "kind",
                "a forum votes on a proposal, or returns it for work",
                "call PutToVote or RecordVote, send RETURNED_FOR_WORK, or defer the topic",
            ));
        }
        if wants_texts == has_texts {
            return Ok(());
        }
        let rule = "a return and a statement say why or what in every form, a noting says nothing";
        Err(Invalid::new(rule, "add the texts, or leave them out").in_field("texts"))
    }
}

/// A decision. Its votes and texts are kept with other votes and texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub kind: DecisionKind,
    /// When.
    pub decided_on: Date,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgendaItem {
    /// Id.
    pub id: AgendaItemId,
    /// The forum.
    pub forum: ForumId,
    /// Where it comes from.
    pub source: Source,
    /// Which local group, unit or body; empty for others.
    pub source_name: String,
    /// The proposal it is.
    pub proposal: Option<ProposalId>,
    /// The member who raised it, or whoever did for a unit; never published.
    pub raised_by: Option<Subject>,
    /// When it was raised.
    pub raised_on: Date,
    /// How far it has come.
    pub state: ItemState,
    /// The meeting on whose agenda it is, or was when it was decided or dropped.
    pub meeting: Option<MeetingId>,
    /// Place on that agenda, from 1; 0 on none.
    pub position: u32,
    /// What was decided.
    pub decision: Option<Decision>,
    /// Whether its proposal ended while the forum voted on it: without a decision, nothing follows.
    pub proposal_ended: bool,
}

impl AgendaItem {
    /// A new topic.
    pub fn raised(id: AgendaItemId, forum: ForumId, source: Source, today: Date) -> Self {
        Self {
            id,
            forum,
            source,
            source_name: String::new(),
            proposal: None,
            raised_by: None,
            raised_on: today,
            state: ItemState::Raised,
            meeting: None,
            position: 0,
            decision: None,
            proposal_ended: false,
        }
    }

    /// Whether its texts may change; `meeting` is the one on whose agenda it is. Conflict `forums.agenda_closed` once the
    /// notice is sent, or `forums.topic_over`.
    pub fn check_texts(&self, meeting: Option<&Meeting>) -> Result<(), Fault> {
        match (self.state, meeting) {
            (ItemState::Raised | ItemState::Deferred, _) => Ok(()),
            (ItemState::Scheduled, Some(meeting)) => meeting.check_agenda(),
            _ => Err(self.over()),
        }
    }

    /// Puts it on an agenda that has `items` topics and `last` as its last place; none if it is there. Conflict
    /// `forums.agenda_closed`, `forums.topic_scheduled`, `forums.topic_over`; ResourceExhausted `forums.agenda_full`.
    pub fn schedule(&self, meeting: &Meeting, items: usize, last: u32) -> Result<Option<Self>, Fault> {
        match self.state {
            ItemState::Scheduled if self.meeting == Some(meeting.id) => return Ok(None),
            ItemState::Raised | ItemState::Deferred => {}
            ItemState::Scheduled => {
                return Err(Fault::conflict(
                    "forums.topic_scheduled",
                    "The topic is on the agenda of another meeting. Take it off that one first.",
                ));
            }
            ItemState::Discussed | ItemState::Decided | ItemState::Dropped => return Err(self.over()),
        }
        meeting.check_agenda()?;
        if items >= MAX_AGENDA {
            let message = format!("An agenda has at most {MAX_AGENDA} topics. Choose another meeting.");
            return Err(Fault::resource_exhausted("forums.agenda_full", message));
        }
        let (meeting, position) = (Some(meeting.id), last.saturating_add(1));
        Ok(Some(Self { state: ItemState::Scheduled, meeting, position, ..self.clone() }))
    }

    /// Takes it off the agenda of `meeting`; none if it is on none. Conflict `forums.agenda_closed` or
    /// `forums.topic_over`.
    pub fn unschedule(&self, meeting: Option<&Meeting>) -> Result<Option<Self>, Fault> {
        match (self.state, meeting) {
            (ItemState::Raised | ItemState::Deferred, _) => Ok(None),
            (ItemState::Scheduled, Some(meeting)) => {
                meeting.check_agenda()?;
                Ok(Some(self.off_agenda()))
            }
            _ => Err(self.over()),
        }
    }

    /// It waits for another meeting, because its own is cancelled.
    #[must_use]
    pub fn off_agenda(&self) -> Self {
        Self { state: ItemState::Raised, meeting: None, position: 0, ..self.clone() }
    }

    /// Says that it is being discussed; none if so already. Conflict `forums.topic_not_on_table`.
    pub fn discuss(&self) -> Result<Option<Self>, Fault> {
        self.check_on_table()?;
        let discussed = Self { state: ItemState::Discussed, ..self.clone() };
        Ok((self.state != ItemState::Discussed).then_some(discussed))
    }

    /// Leaves it to another meeting, or drops it if its proposal has ended; none if so already. Conflict
    /// `forums.topic_not_on_table`.
    pub fn defer(&self) -> Result<Option<Self>, Fault> {
        if self.is_left() {
            return Ok(None);
        }
        self.check_on_table()?;
        if self.proposal_ended {
            return Ok(self.drop_topic());
        }
        Ok(Some(Self { state: ItemState::Deferred, meeting: None, position: 0, ..self.clone() }))
    }

    /// Whether a meeting has left it, to another one or for good.
    pub fn is_left(&self) -> bool {
        match self.state {
            ItemState::Deferred => true,
            ItemState::Dropped => self.proposal_ended,
            _ => false,
        }
    }

    /// As the meeting that left it to another one saw it last.
    #[must_use]
    pub fn as_deferred_by(self, meeting: MeetingId, position: u32) -> Self {
        Self { state: ItemState::Deferred, meeting: Some(meeting), position, decision: None, ..self }
    }

    /// Whether it is before a meeting: Conflict `forums.topic_not_on_table`.
    pub fn check_on_table(&self) -> Result<(), Fault> {
        if matches!(self.state, ItemState::Scheduled | ItemState::Discussed) {
            return Ok(());
        }
        Err(Fault::conflict(
            "forums.topic_not_on_table",
            "The topic is not before a meeting now. Look at the agenda with GetMeeting.",
        ))
    }

    /// Decides it; none if it is decided so already. AlreadyExists `forums.already_decided` if it is decided otherwise
    /// (X1), Conflict `forums.topic_not_on_table`.
    pub fn decide(&self, kind: DecisionKind, today: Date) -> Result<Option<Self>, Fault> {
        match self.decision {
            Some(decision) if decision.kind == kind => Ok(None),
            Some(_) => Err(self.already_decided()),
            None => {
                self.check_on_table()?;
                let decision = Some(Decision { kind, decided_on: today });
                Ok(Some(Self { state: ItemState::Decided, decision, ..self.clone() }))
            }
        }
    }

    /// Drops it, because its proposal ended: before a vote was opened on it, or with a vote that decided nothing; none if it is decided or dropped.
    pub fn drop_topic(&self) -> Option<Self> {
        self.state.is_pending().then(|| Self { state: ItemState::Dropped, ..self.clone() })
    }

    /// A meeting decides about a topic once.
    pub fn already_decided(&self) -> Fault {
        let kind = self.decision.map_or("", |decision| decision.kind.as_str());
        let message = format!(
            "The forum has decided about this topic already ({kind}). A decision stands; what comes again is another topic."
        );
        Fault::already_exists("forums.already_decided", message)
    }

    fn over(&self) -> Fault {
        let message = format!("The topic is {}: nothing about it changes any more.", self.state.as_str());
        Fault::conflict("forums.topic_over", message)
    }
}

/// Whether a meeting's agenda is public: its texts come out in all forms at the same time, with the notice (F11).
pub fn is_public(state: MeetingState) -> bool {
    !matches!(state, MeetingState::Planned | MeetingState::Cancelled)
}
