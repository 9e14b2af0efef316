//! What a unit owes an endorsed proposal and when it is told that it is late (P3, P5). What an answer says is in
//! [`Answer`].
//!
//! ```text
//! Requested ─▶ Reminded ─▶ Overdue ─▶ EscalatedToCoordinator ─▶ EscalatedToManager
//!     └───────────┴───────────┴──────────────┴───────────────────────┴──▶ Given ─▶ Amended
//! ```
//!
//! The steps above are taken by timers and by nobody else; one that comes late takes all that are due, in order. There
//! is no step from silence to a rejection.

mod answer;
#[cfg(test)]
mod tests;

use kernel::deadline::{add_days, due_after_days, start_of_day};
use kernel::{Date, Fault, Policies, PolicyKey, ProposalId, Subject, TenantId, Timestamp, UnitId};
use time::Duration;

pub use self::answer::Answer;
use super::proposal::Acting;

/// Hour of the day, in Finland, at which a reminder goes: who answers on that day is not reminded.
const REMINDER_HOUR: Duration = Duration::hours(16);
/// Hour of the day, in Finland, at which what is overdue is told.
const MORNING: Duration = Duration::hours(8);

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResponseState {
    /// The unit was asked.
    Requested,
    /// It was reminded.
    Reminded,
    /// Its day has passed.
    Overdue,
    /// The area coordinator was told.
    EscalatedToCoordinator,
    /// The manager was told.
    EscalatedToManager,
    /// It answered.
    Given,
    /// It answered again in other words; the earlier answer stays readable.
    Amended,
}

impl ResponseState {
    /// Every state.
    pub const ALL: [ResponseState; 7] = [
        ResponseState::Requested,
        ResponseState::Reminded,
        ResponseState::Overdue,
        ResponseState::EscalatedToCoordinator,
        ResponseState::EscalatedToManager,
        ResponseState::Given,
        ResponseState::Amended,
    ];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            ResponseState::Requested => "requested",
            ResponseState::Reminded => "reminded",
            ResponseState::Overdue => "overdue",
            ResponseState::EscalatedToCoordinator => "escalated_to_coordinator",
            ResponseState::EscalatedToManager => "escalated_to_manager",
            ResponseState::Given => "given",
            ResponseState::Amended => "amended",
        }
    }

    /// Whether there is an answer.
    pub fn is_answered(self) -> bool {
        matches!(self, ResponseState::Given | ResponseState::Amended)
    }
}

/// The days of an answer (P3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseDays {
    /// Day on which the unit is reminded.
    pub remind_on: Date,
    /// Last day on which the answer is on time.
    pub due_on: Date,
    /// Day on which the manager is told that it is late.
    pub manager_on: Date,
}

impl ResponseDays {
    /// The days around a due day. A reminder never comes on the day of the request itself.
    fn around(asked_on: Date, due_on: Date, policies: &Policies) -> Self {
        let days = |key| i32::try_from(policies.on(asked_on, key)).unwrap_or(i32::MAX);
        let remind_on = add_days(due_on, -days(PolicyKey::ResponseReminderDays));
        let late_on = add_days(due_on, 1);
        Self {
            remind_on: remind_on.max(add_days(asked_on, 1)).min(due_on),
            due_on,
            manager_on: add_days(late_on, days(PolicyKey::ResponseManagerDays)),
        }
    }

    /// The day after the due day: the answer is late, and the area coordinator is told.
    pub fn late_on(&self) -> Date {
        add_days(self.due_on, 1)
    }
}

/// Who is told of a missing answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The area coordinators of the county.
    Coordinator,
    /// The manager of the unit.
    Manager,
}

impl Level {
    /// The name in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Coordinator => "coordinator",
            Level::Manager => "manager",
        }
    }
}

/// One request for an answer. A proposal has a first one when it is endorsed, and another one each time its answer is
/// that somebody higher decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitResponse {
    /// The proposal.
    pub proposal: ProposalId,
    /// Which request of the proposal it is, from 1.
    pub round: u32,
    /// The county.
    pub tenant: TenantId,
    /// The unit that leads the answer.
    pub unit: UnitId,
    /// The day from which the period runs: of the endorsement, or of being forwarded.
    pub asked_on: Date,
    /// When what is due.
    pub days: ResponseDays,
    /// Whether the due day was moved; it can be once.
    pub extended: bool,
    /// Counts changes of the days, from 1, so that timers of earlier days can tell that they are.
    pub version: u32,
    /// How far it has come.
    pub state: ResponseState,
    /// The day of the first answer.
    pub given_on: Option<Date>,
}

/// What happened to a request for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseEvent {
    /// The unit was reminded.
    Reminded,
    /// The due day passed.
    Overdue,
    /// Somebody else was told.
    Escalated(Level),
    /// The due day was moved.
    Extended(ResponseDays),
    /// The unit answered.
    Given {
        /// The day.
        on: Date,
        /// Days since it was asked.
        days: u32,
        /// Days after the due day; 0 if on time.
        days_late: u32,
    },
    /// The unit answered in other words.
    Amended,
}

/// A request before it has an id of its own: whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The proposal.
    pub proposal: ProposalId,
    /// The county.
    pub tenant: TenantId,
    /// The unit that leads the answer.
    pub unit: UnitId,
}

impl UnitResponse {
    /// Asks for the answer to an endorsed proposal: due so many days after the endorsement as local policy says, moved
    /// to a working day (P3, MAA-1).
    pub fn requested(asked: Asked, endorsed_on: Date, policies: &Policies) -> Self {
        let due_on = due_after_days(endorsed_on, policies.on(endorsed_on, PolicyKey::ResponseDays));
        Self::due(asked, 1, endorsed_on, due_on, policies)
    }

    /// Asks again after an answer that somebody higher decides, by the day which that answer named.
    #[must_use]
    pub fn forwarded(&self, on: Date, due_on: Date, policies: &Policies) -> Self {
        let asked = Asked { proposal: self.proposal, tenant: self.tenant, unit: self.unit };
        Self::due(asked, self.round + 1, on, due_on, policies)
    }

    fn due(asked: Asked, round: u32, asked_on: Date, due_on: Date, policies: &Policies) -> Self {
        Self {
            proposal: asked.proposal,
            round,
            tenant: asked.tenant,
            unit: asked.unit,
            asked_on,
            days: ResponseDays::around(asked_on, due_on, policies),
            extended: false,
            version: 1,
            state: ResponseState::Requested,
            given_on: None,
        }
    }

    /// What a timer does today: every step whose day has come, in order. Nothing once there is an answer.
    pub fn due_steps(&self, now: Timestamp) -> Vec<ResponseEvent> {
        let mut after = self.clone();
        let mut steps = Vec::new();
        while let Some((step, at)) = after.next_step().filter(|(_, at)| *at <= now) {
            debug_assert!(at <= now);
            steps.push(step);
            after = after.apply(&step);
        }
        steps
    }

    /// The next step a timer takes, and when.
    pub fn next_step(&self) -> Option<(ResponseEvent, Timestamp)> {
        let morning_of = |day| start_of_day(day) + MORNING;
        match self.state {
            ResponseState::Requested => {
                Some((ResponseEvent::Reminded, start_of_day(self.days.remind_on) + REMINDER_HOUR))
            }
            ResponseState::Reminded => Some((ResponseEvent::Overdue, morning_of(self.days.late_on()))),
            ResponseState::Overdue => {
                Some((ResponseEvent::Escalated(Level::Coordinator), morning_of(self.days.late_on())))
            }
            ResponseState::EscalatedToCoordinator => {
                Some((ResponseEvent::Escalated(Level::Manager), morning_of(self.days.manager_on)))
            }
            ResponseState::EscalatedToManager | ResponseState::Given | ResponseState::Amended => None,
        }
    }

    /// Moves the due day by so many days, once, before it has passed: what is late stays late.
    ///
    /// # Errors
    /// Conflict `proposals.response_given`, `proposals.response_extended` or `proposals.response_overdue`; Invalid for
    /// more days than local policy allows.
    pub fn extend(&self, days: u32, today: Date, policies: &Policies) -> Result<ResponseEvent, Fault> {
        if self.state.is_answered() {
            return Err(given());
        }
        if self.extended {
            return Err(Fault::conflict(
                "proposals.response_extended",
                "The due day of an answer is moved once only (P3). The unit answers by the day it has.",
            ));
        }
        if today > self.days.due_on {
            return Err(Fault::conflict(
                "proposals.response_overdue",
                "The due day has passed, and what is late stays late (P3). The unit answers as soon as it can.",
            ));
        }
        let most = policies.on(today, PolicyKey::ResponseExtensionDays);
        if !(1..=most).contains(&days) {
            let rule = format!("the due day is moved by 1 to {most} days");
            return Err(kernel::Invalid::new(rule, "send a number of days within it").in_field("days"));
        }
        let due_on = due_after_days(self.days.due_on, days);
        Ok(ResponseEvent::Extended(ResponseDays::around(today, due_on, policies)))
    }

    /// The unit answers. An answer that exists is changed by amending it.
    ///
    /// # Errors
    /// Conflict `proposals.response_given`.
    pub fn give(&self, today: Date) -> Result<ResponseEvent, Fault> {
        if self.state.is_answered() {
            return Err(given());
        }
        let since = |day: Date| u32::try_from((today - day).whole_days()).unwrap_or(0);
        Ok(ResponseEvent::Given { on: today, days: since(self.asked_on), days_late: since(self.days.due_on) })
    }

    /// The unit answers in other words.
    ///
    /// # Errors
    /// Conflict `proposals.no_response` while there is no answer.
    pub fn amend(&self) -> Result<ResponseEvent, Fault> {
        if self.state.is_answered() {
            return Ok(ResponseEvent::Amended);
        }
        Err(Fault::conflict(
            "proposals.no_response",
            "There is no answer that could be amended. Give the answer first.",
        ))
    }

    /// The request after an event.
    #[must_use]
    pub fn apply(mut self, event: &ResponseEvent) -> Self {
        match event {
            ResponseEvent::Reminded => self.state = ResponseState::Reminded,
            ResponseEvent::Overdue => self.state = ResponseState::Overdue,
            ResponseEvent::Escalated(Level::Coordinator) => {
                self.state = ResponseState::EscalatedToCoordinator;
            }
            ResponseEvent::Escalated(Level::Manager) => self.state = ResponseState::EscalatedToManager,
            ResponseEvent::Extended(days) => {
                self.days = *days;
                self.extended = true;
                self.version += 1;
                self.state = ResponseState::Requested;
            }
            ResponseEvent::Given { on, .. } => {
                self.given_on = Some(*on);
                self.state = ResponseState::Given;
            }
            ResponseEvent::Amended => self.state = ResponseState::Amended,
        }
        self
    }

    /// Whether the answer was given by its day.
    pub fn is_on_time(&self) -> bool {
        self.given_on.is_some_and(|day| day <= self.days.due_on)
    }

    /// How many days the answer is late, or was given late; 0 if it is not.
    pub fn days_late(&self, today: Date) -> u32 {
        let until = self.given_on.unwrap_or(today);
        u32::try_from((until - self.days.due_on).whole_days()).unwrap_or(0)
    }
}

/// Whether somebody may answer for the unit (P5): not those who wrote the proposal, wrote it down or helped with it, nor
/// who said that they are disqualified.
///
/// # Errors
/// Forbidden `proposals.disqualified`.
pub fn check_responder(
    responder: Subject,
    authors: &[Subject],
    acting: &Acting,
    declared: bool,
) -> Result<(), Fault> {
    let had_a_hand = [acting.recorder, acting.helper].contains(&Some(responder));
    if declared || had_a_hand || authors.contains(&responder) {
        return Err(Fault::forbidden(
            "proposals.disqualified",
            "Who wrote the proposal or helped with it, or is disqualified otherwise, does not answer it (P5). Another manager of the \
             unit answers.",
        ));
    }
    Ok(())
}

fn given() -> Fault {
    Fault::conflict(
        "proposals.response_given",
        "The unit has answered this proposal. Amend the answer if something in it has changed.",
    )
}
