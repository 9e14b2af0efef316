//! A meeting of a forum: planned, called with notice, held, and its minutes.
//!
//! ```text
//! Planned ─▶ NoticeSent ─▶ Open ─▶ Closed ─▶ MinutesDraft ─▶ MinutesChecked ─▶ Published
//!    ▲────moved────┘                              ▲─written or screened anew─┘
//! ```
//!
//! A meeting that is not open yet may be moved, which takes its notice back, or cancelled. Days are days in Finland by
//! the business clock.
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`agenda`] | topics: raised, scheduled, discussed, decided or deferred |
//! | [`attendance`] | who is present, by seat; the quorum (F9) |
//! | [`vote`] | who may vote, how votes are counted (F10) |
//! | [`forms`] | the forms in which a text is there at the same time (F11) |
//! | [`minutes`] | minutes and dissents (F12) |

pub mod agenda;
pub mod attendance;
pub mod forms;
pub mod minutes;
mod plan;
#[cfg(test)]
mod tests;
pub mod vote;

use kernel::deadline::add_days;
use kernel::{Date, Fault, ForumId, Invalid, MeetingId, Subject};

use self::attendance::{SeatKey, Turnout};
use self::minutes::Minutes;
use self::plan::checked_day;
pub use self::plan::{Mode, Plan};
use crate::domain::forum::Forum;

/// Most support persons a meeting is said to have.
pub const MAX_SUPPORT_PERSONS: u32 = 500;

/// How far a meeting has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MeetingState {
    /// Has a day; its notice is not sent.
    Planned,
    /// Its notice is sent and its agenda fixed.
    NoticeSent,
    /// Going on.
    Open,
    /// Over.
    Closed,
    /// Its minutes are written.
    MinutesDraft,
    /// The chair found them right.
    MinutesChecked,
    /// Its minutes are public.
    Published,
    /// Not held.
    Cancelled,
}

impl MeetingState {
    /// Every state.
    pub const ALL: [MeetingState; 8] = [
        MeetingState::Planned,
        MeetingState::NoticeSent,
        MeetingState::Open,
        MeetingState::Closed,
        MeetingState::MinutesDraft,
        MeetingState::MinutesChecked,
        MeetingState::Published,
        MeetingState::Cancelled,
    ];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            MeetingState::Planned => "planned",
            MeetingState::NoticeSent => "notice_sent",
            MeetingState::Open => "open",
            MeetingState::Closed => "closed",
            MeetingState::MinutesDraft => "minutes_draft",
            MeetingState::MinutesChecked => "minutes_checked",
            MeetingState::Published => "published",
            MeetingState::Cancelled => "cancelled",
        }
    }

    /// Whether it was held.
    pub fn is_held(self) -> bool {
        match self {
            MeetingState::Planned
            | MeetingState::NoticeSent
            | MeetingState::Open
            | MeetingState::Cancelled => false,
            MeetingState::Closed
            | MeetingState::MinutesDraft
            | MeetingState::MinutesChecked
            | MeetingState::Published => true,
        }
    }
}

/// A meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meeting {
    /// Id.
    pub id: MeetingId,
    /// The forum.
    pub forum: ForumId,
    /// How far it has come.
    pub state: MeetingState,
    /// When and where.
    pub plan: Plan,
    /// How often it was moved: which of its notices a notice is.
    pub moves: u32,
    /// When its notice was sent, if it holds still.
    pub notice_sent_on: Option<Date>,
    /// Whether a manager of the services was there (S1.41).
    pub manager_present: bool,
    /// How many support persons were there: a count, not who or for whom.
    pub support_persons: u32,
    /// The seat that chairs, if one of them does.
    pub chair: Option<SeatKey>,
    /// What it was like at its close.
    pub turnout: Option<Turnout>,
    /// Its minutes.
    pub minutes: Minutes,
}

/// What happened to a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeetingEvent {
    /// It was planned.
    Planned,
    /// It was moved; whether its notice was taken back.
    Moved {
        /// The new plan.
        plan: Plan,
        /// Whether members had a notice of the old one.
        notice_taken_back: bool,
    },
    /// Its place or address was changed after its notice was sent: the notice holds, and members are told.
    Rehoused {
        /// The new plan.
        plan: Plan,
    },
    /// Its notice was sent.
    NoticeSent {
        /// On this day.
        on: Date,
    },
    /// It was opened.
    Opened,
    /// Who is there besides the seats.
    Attended {
        /// How many support persons.
        support_persons: u32,
        /// Whether a manager.
        manager_present: bool,
        /// The seat that chairs.
        chair: Option<SeatKey>,
    },
    /// It was closed.
    Closed(Turnout),
    /// It was cancelled; whether members had a notice of it.
    Cancelled {
        /// Whether they had.
        notice_taken_back: bool,
    },
    /// Its minutes were written.
    MinutesDrafted {
        /// By whom; never published.
        by: Subject,
        /// On this day.
        on: Date,
    },
    /// The chair found them right.
    MinutesChecked {
        /// On this day.
        on: Date,
    },
    /// A human had looked for secrets.
    MinutesScreened {
        /// On this day.
        on: Date,
        /// Whether what is published is not what was checked: it is checked again.
        check_again: bool,
    },
    /// They became public.
    MinutesPublished {
        /// On this day.
        on: Date,
    },
}

impl Meeting {
    /// Plans a meeting. Conflict `forums.no_seat_plan`, `forums.meeting_in_past` or `forums.outside_term`; Invalid
    /// `request.invalid` as [`Plan::checked`].
    pub fn plan(id: MeetingId, forum: &Forum, plan: Plan, today: Date) -> Result<Self, Fault> {
        let plan = checked_day(forum, plan, today)?;
        Ok(Self {
            id,
            forum: forum.id,
            state: MeetingState::Planned,
            plan,
            moves: 0,
            notice_sent_on: None,
            manager_present: false,
            support_persons: 0,
            chair: None,
            turnout: None,
            minutes: Minutes::default(),
        })
    }

    /// Moves it; none if everything is so already. Conflict `forums.wrong_step` once it is open, but for a place or address,
    /// which may turn out wrong on the day itself; and as [`Meeting::plan`].
    pub fn move_to(&self, forum: &Forum, plan: Plan, today: Date) -> Result<Option<MeetingEvent>, Fault> {
        let plan = checked_day(forum, plan, today)?;
        let is_called = matches!(self.state, MeetingState::NoticeSent | MeetingState::Open);
        if is_called && plan.is_same_time(&self.plan) {
            return Ok((plan != self.plan).then_some(MeetingEvent::Rehoused { plan }));
        }
        let notice_taken_back = self.expect_before_opening("a meeting is moved before it is open")?;
        Ok((plan != self.plan).then_some(MeetingEvent::Moved { plan, notice_taken_back }))
    }

    /// Cancels it; none if it is. Conflict `forums.wrong_step` once it is open.
    pub fn cancel(&self) -> Result<Option<MeetingEvent>, Fault> {
        if self.state == MeetingState::Cancelled {
            return Ok(None);
        }
        let notice_taken_back = self.expect_before_opening("a meeting is cancelled before it is open")?;
        Ok(Some(MeetingEvent::Cancelled { notice_taken_back }))
    }

    /// The last day on which a notice can be sent (F11).
    pub fn notice_due_on(&self, notice_days: u32) -> Date {
        add_days(self.plan.held_on, -days(notice_days))
    }

    /// Sends the notice; none if it is sent. Conflict `forums.notice_too_late` less than `notice_days` before, naming
    /// the first day that is possible (F11), `forums.empty_agenda` or `forums.wrong_step`.
    pub fn send_notice(
        &self,
        notice_days: u32,
        agenda_items: usize,
        today: Date,
    ) -> Result<Option<MeetingEvent>, Fault> {
        if self.state == MeetingState::NoticeSent {
            return Ok(None);
        }
        self.expect(MeetingState::Planned, "a notice is sent once, before the meeting")?;
        if agenda_items == 0 {
            return Err(Fault::conflict(
                "forums.empty_agenda",
                "There is nothing on the agenda. Schedule a topic before the notice is sent.",
            ));
        }
        if today > self.notice_due_on(notice_days) {
            let first = add_days(today, days(notice_days));
            let message = format!(
                "The notice is sent at least {notice_days} days before the meeting (F11). The first possible day is {first}: move the meeting to it or later, then send the notice."
            );
            return Err(Fault::conflict("forums.notice_too_late", message));
        }
        Ok(Some(MeetingEvent::NoticeSent { on: today }))
    }

    /// Whether a notice that comes again is the one that was sent: Conflict `forums.notice_sent`.
    pub fn check_same_notice(&self, is_same: bool) -> Result<(), Fault> {
        if is_same {
            return Ok(());
        }
        Err(Fault::conflict(
            "forums.notice_sent",
            "Another notice of this meeting is sent. Move the meeting if it has changed, and send the new one.",
        ))
    }

    /// Whether its agenda may change: Conflict `forums.agenda_closed`.
    pub fn check_agenda(&self) -> Result<(), Fault> {
        if self.state == MeetingState::Planned {
            return Ok(());
        }
        Err(Fault::conflict(
            "forums.agenda_closed",
            "The agenda is fixed when the notice is sent, so that members have all of it in time (F11). Choose another meeting.",
        ))
    }

    /// Opens it; none if it is open. Conflict `forums.meeting_not_today` or `forums.wrong_step`.
    pub fn open(&self, today: Date) -> Result<Option<MeetingEvent>, Fault> {
        if self.state == MeetingState::Open {
            return Ok(None);
        }
        self.expect(MeetingState::NoticeSent, "a meeting is opened after its notice was sent")?;
        if today != self.plan.held_on {
            let day = self.plan.held_on;
            let message =
                format!("The meeting is on {day}; it is opened on that day. Move it if it is on another.");
            return Err(Fault::conflict("forums.meeting_not_today", message));
        }
        Ok(Some(MeetingEvent::Opened))
    }

    /// Refuses unless it is open: Conflict `forums.meeting_not_open`.
    pub fn check_open(&self) -> Result<(), Fault> {
        if self.state == MeetingState::Open {
            return Ok(());
        }
        Err(Fault::conflict(
            "forums.meeting_not_open",
            "This is done while the meeting is open. Open it on its day; what is closed stays as it is.",
        ))
    }

    /// Says who is there besides the seats. Conflict `forums.meeting_not_open`; Invalid `request.invalid`.
    pub fn attend(
        &self,
        support_persons: u32,
        manager_present: bool,
        chair: Option<SeatKey>,
    ) -> Result<MeetingEvent, Fault> {
        self.check_open()?;
        if support_persons > MAX_SUPPORT_PERSONS {
            let rule = format!("a meeting has at most {MAX_SUPPORT_PERSONS} support persons");
            return Err(Invalid::new(rule, "correct the number").in_field("support_persons"));
        }
        Ok(MeetingEvent::Attended { support_persons, manager_present, chair })
    }

    /// Closes it; none if it was held already. Conflict `forums.vote_open` or `forums.meeting_not_open`.
    pub fn close(&self, turnout: Turnout, vote_is_open: bool) -> Result<Option<MeetingEvent>, Fault> {
        if self.state.is_held() {
            return Ok(None);
        }
        self.check_open()?;
        if vote_is_open {
            return Err(vote::open_vote());
        }
        Ok(Some(MeetingEvent::Closed(turnout)))
    }

    /// Writes the minutes, or writes them anew until they are published. Conflict `forums.wrong_step`.
    pub fn draft_minutes(&self, by: Subject, today: Date) -> Result<MeetingEvent, Fault> {
        if !self.state.is_held() || self.state == MeetingState::Published {
            return Err(
                self.wrong_step("minutes are written after the meeting and before they are published")
            );
        }
        Ok(MeetingEvent::MinutesDrafted { by, on: today })
    }

    /// The chair finds the minutes right; none if so already. Forbidden `forums.own_minutes` for whoever ever wrote them;
    /// Conflict `forums.wrong_step`.
    pub fn check_minutes(&self, by: Subject, today: Date) -> Result<Option<MeetingEvent>, Fault> {
        if self.minutes.writers.contains(&by) {
            return Err(Fault::forbidden(
                "forums.own_minutes",
                "Whoever wrote the minutes does not check them. Ask another chair.",
            ));
        }
        match self.state {
            MeetingState::MinutesChecked | MeetingState::Published => Ok(None),
            MeetingState::MinutesDraft => Ok(Some(MeetingEvent::MinutesChecked { on: today })),
            _ => Err(self.wrong_step("minutes are checked after they are written")),
        }
    }

    /// A human has looked for secrets; `changed`: other dissents are withheld than were before, which whoever checked the
    /// minutes has not seen. Conflict `forums.wrong_step`.
    pub fn screen_minutes(&self, changed: bool, today: Date) -> Result<MeetingEvent, Fault> {
        match self.state {
            MeetingState::MinutesDraft | MeetingState::MinutesChecked => {
                let check_again = changed && self.state == MeetingState::MinutesChecked;
                Ok(MeetingEvent::MinutesScreened { on: today, check_again })
            }
            _ => {
                Err(self
                    .wrong_step("minutes are screened after they are written and before they are published"))
            }
        }
    }

    /// Publishes the minutes; none if they are. Conflict `forums.minutes_not_checked` or
    /// `forums.minutes_not_screened` (F12).
    pub fn publish_minutes(&self, today: Date) -> Result<Option<MeetingEvent>, Fault> {
        match (self.state, self.minutes.screened_on) {
            (MeetingState::Published, _) => Ok(None),
            (MeetingState::MinutesChecked, Some(_)) => Ok(Some(MeetingEvent::MinutesPublished { on: today })),
            (MeetingState::MinutesChecked, None) => Err(Fault::conflict(
                "forums.minutes_not_screened",
                "Minutes are published when a human has looked for secrets in them (F12). Call ScreenMinutes first.",
            )),
            _ => Err(Fault::conflict(
                "forums.minutes_not_checked",
                "Minutes are published when the chair has found them right (F12). Ask the chair to check them first.",
            )),
        }
    }

    /// The meeting after the event.
    #[must_use]
    pub fn apply(mut self, event: &MeetingEvent) -> Self {
        match event {
            MeetingEvent::Planned => self.state = MeetingState::Planned,
            MeetingEvent::Moved { plan, .. } => {
                self.state = MeetingState::Planned;
                self.plan = plan.clone();
                self.moves += 1;
                self.notice_sent_on = None;
            }
            MeetingEvent::Rehoused { plan } => {
                self.plan = plan.clone();
                self.moves += 1;
            }
            MeetingEvent::NoticeSent { on } => {
                self.state = MeetingState::NoticeSent;
                self.notice_sent_on = Some(*on);
            }
            MeetingEvent::Opened => self.state = MeetingState::Open,
            MeetingEvent::Attended { support_persons, manager_present, chair } => {
                self.support_persons = *support_persons;
                self.manager_present = *manager_present;
                self.chair = *chair;
            }
            MeetingEvent::Closed(turnout) => {
                self.state = MeetingState::Closed;
                self.turnout = Some(turnout.clone());
            }
            MeetingEvent::Cancelled { .. } => self.state = MeetingState::Cancelled,
            MeetingEvent::MinutesDrafted { by, on } => {
                self.state = MeetingState::MinutesDraft;
                let mut writers = std::mem::take(&mut self.minutes.writers);
                if !writers.contains(by) {
                    writers.push(*by);
                }
                self.minutes = Minutes { writers, drafted_on: Some(*on), ..Minutes::default() };
            }
            MeetingEvent::MinutesChecked { on } => {
                self.state = MeetingState::MinutesChecked;
                self.minutes.checked_on = Some(*on);
            }
            MeetingEvent::MinutesScreened { on, check_again } => {
                self.minutes.screened_on = Some(*on);
                if *check_again {
                    self.state = MeetingState::MinutesDraft;
                    self.minutes.checked_on = None;
                }
            }
            MeetingEvent::MinutesPublished { on } => {
                self.state = MeetingState::Published;
                self.minutes.published_on = Some(*on);
                self.minutes.writers = Vec::new();
            }
        }
        self
    }

    /// Whether members had a notice, of a meeting that is not open yet.
    fn expect_before_opening(&self, rule: &str) -> Result<bool, Fault> {
        match self.state {
            MeetingState::Planned => Ok(false),
            MeetingState::NoticeSent => Ok(true),
            _ => Err(self.wrong_step(rule)),
        }
    }

    fn expect(&self, state: MeetingState, rule: &str) -> Result<(), Fault> {
        if self.state == state { Ok(()) } else { Err(self.wrong_step(rule)) }
    }

    fn wrong_step(&self, rule: &str) -> Fault {
        let message = format!("The meeting is {}; {rule}. Look at GetMeeting.", self.state.as_str());
        Fault::conflict("forums.wrong_step", message)
    }
}

/// Policy days as the calendar counts them.
fn days(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
