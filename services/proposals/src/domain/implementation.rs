//! The change that an answer promised: its plan, its progress and its end.
//!
//! ```text
//! Drafted ─▶ Started ─▶ Delayed ─▶ Completed
//!                └──────────┴────▶ Cancelled: the answer is amended to a rejection, with its reasons (P4)
//! ```

use kernel::{Date, Fault, Invalid, ProposalId, UnitId};

use crate::domain::wording::{LINE, TEXT, day_from, required};

/// Most steps of a plan.
const MOST_STEPS: usize = 30;

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlanState {
    /// Planned; nothing has begun.
    Drafted,
    /// Begun.
    Started,
    /// It takes longer than was said.
    Delayed,
    /// Done.
    Completed,
    /// Given up.
    Cancelled,
}

impl PlanState {
    /// Every state.
    pub const ALL: [PlanState; 5] = [
        PlanState::Drafted,
        PlanState::Started,
        PlanState::Delayed,
        PlanState::Completed,
        PlanState::Cancelled,
    ];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            PlanState::Drafted => "drafted",
            PlanState::Started => "started",
            PlanState::Delayed => "delayed",
            PlanState::Completed => "completed",
            PlanState::Cancelled => "cancelled",
        }
    }

    /// Whether the change is being made.
    pub fn is_running(self) -> bool {
        matches!(self, PlanState::Started | PlanState::Delayed)
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanStep {
    /// What is done, in plain Finnish.
    pub what: String,
    /// Whether it is done.
    pub done: bool,
}

/// The plan of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImplementationPlan {
    /// The proposal.
    pub proposal: ProposalId,
    /// The unit that makes the change.
    pub unit: UnitId,
    /// How far it has come.
    pub state: PlanState,
    /// Its steps, in order.
    pub steps: Vec<PlanStep>,
    /// How much is done, 0 to 100.
    pub percent: u32,
    /// By which day it is to be done.
    pub due_on: Date,
    /// The day it began.
    pub started_on: Option<Date>,
    /// The day it was done or given up.
    pub ended_on: Option<Date>,
    /// Why it takes longer, in plain Finnish; empty if it does not.
    pub delay_reason: String,
}

/// What happened to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanEvent {
    /// The change began.
    Started(Date),
    /// Some of it is done.
    Progressed {
        /// How much, 0 to 100.
        percent: u32,
        /// Numbers of the steps that are done, from 1.
        done: Vec<u32>,
    },
    /// It takes longer.
    Delayed {
        /// The new day.
        due_on: Date,
        /// Why, in plain Finnish.
        reason: String,
    },
    /// It is done.
    Completed(Date),
    /// It was given up.
    Cancelled(Date),
}

impl ImplementationPlan {
    /// A plan, before anything begins. It may be drafted again until then.
    ///
    /// # Errors
    /// Invalid, naming the field.
    pub fn draft(
        proposal: ProposalId,
        unit: UnitId,
        steps: &[String],
        due_on: Option<Date>,
        today: Date,
    ) -> Result<Self, Fault> {
        if !(1..=MOST_STEPS).contains(&steps.len()) {
            let rule = format!("a plan has 1 to {MOST_STEPS} steps");
            return Err(Invalid::new(rule, "write what is done, step by step").in_field("steps"));
        }
        let step = |(index, what): (usize, &String)| -> Result<PlanStep, Fault> {
            let what = required(&format!("steps[{index}]"), what, LINE, "a step says what is done")?;
            Ok(PlanStep { what, done: false })
        };
        Ok(Self {
            proposal,
            unit,
            state: PlanState::Drafted,
            steps: steps.iter().enumerate().map(step).collect::<Result<_, _>>()?,
            percent: 0,
            due_on: day_from("due_on", due_on, today, "a plan says by which day it is done")?,
            started_on: None,
            ended_on: None,
            delay_reason: String::new(),
        })
    }

    /// The change begins today.
    ///
    /// # Errors
    /// Conflict `proposals.plan_state`.
    pub fn start(&self, today: Date) -> Result<PlanEvent, Fault> {
        self.must(self.state == PlanState::Drafted)?;
        Ok(PlanEvent::Started(today))
    }

    /// Some of it is done.
    ///
    /// # Errors
    /// Conflict `proposals.plan_state`; Invalid, naming the field.
    pub fn progress(&self, percent: u32, done: &[u32]) -> Result<PlanEvent, Fault> {
        self.must(self.state.is_running())?;
        if percent > 100 {
            return Err(
                Invalid::new("progress is 0 to 100 per cent", "send it within that").in_field("percent")
            );
        }
        let exists = |number: &u32| (1..=self.steps.len()).contains(&(*number as usize));
        if let Some(wrong) = done.iter().position(|number| !exists(number)) {
            let rule = format!("the plan has steps 1 to {}", self.steps.len());
            return Err(Invalid::new(rule, "send numbers of its steps").in_field(format!("done[{wrong}]")));
        }
        Ok(PlanEvent::Progressed { percent, done: done.to_vec() })
    }

    /// It takes longer: the day moves, with a reason.
    ///
    /// # Errors
    /// Conflict `proposals.plan_state`; Invalid, naming the field.
    pub fn delay(&self, due_on: Option<Date>, reason: &str, today: Date) -> Result<PlanEvent, Fault> {
        self.must(self.state.is_running())?;
        let later = self.due_on.next_day().unwrap_or(self.due_on).max(today);
        Ok(PlanEvent::Delayed {
            due_on: day_from("due_on", due_on, later, "a delay names a later day")?,
            reason: required("reason_plain", reason, TEXT, "a delay gives its reason in plain Finnish")?,
        })
    }

    /// It is done.
    ///
    /// # Errors
    /// Conflict `proposals.plan_state`.
    pub fn complete(&self, today: Date) -> Result<PlanEvent, Fault> {
        self.must(self.state.is_running())?;
        Ok(PlanEvent::Completed(today))
    }

    /// It is given up.
    ///
    /// # Errors
    /// Conflict `proposals.plan_state`.
    pub fn cancel(&self, today: Date) -> Result<PlanEvent, Fault> {
        self.must(self.state.is_running())?;
        Ok(PlanEvent::Cancelled(today))
    }

    /// The plan after an event.
    #[must_use]
    pub fn apply(mut self, event: &PlanEvent) -> Self {
        match event {
            PlanEvent::Started(on) => {
                self.state = PlanState::Started;
                self.started_on = Some(*on);
            }
            PlanEvent::Progressed { percent, done } => {
                self.percent = *percent;
                for (step, number) in self.steps.iter_mut().zip(1..) {
                    step.done = done.contains(&number);
                }
            }
            PlanEvent::Delayed { due_on, reason } => {
                self.state = PlanState::Delayed;
                self.due_on = *due_on;
                self.delay_reason.clone_from(reason);
            }
            PlanEvent::Completed(on) => {
                self.state = PlanState::Completed;
                self.ended_on = Some(*on);
                self.percent = 100;
                self.steps.iter_mut().for_each(|step| step.done = true);
            }
            PlanEvent::Cancelled(on) => {
                self.state = PlanState::Cancelled;
                self.ended_on = Some(*on);
            }
        }
        self
    }

    fn must(&self, may: bool) -> Result<(), Fault> {
        if may {
            return Ok(());
        }
        let state = self.state.as_str();
        Err(Fault::conflict(
            "proposals.plan_state",
            format!(
                "The plan of the change is {state}, from where this step is not taken. Look at it again."
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;
    use time::macros::date;

    use super::*;

    const TODAY: Date = date!(2026 - 11 - 20);

    fn drafted(steps: &[&str], due_on: Option<Date>) -> Result<ImplementationPlan, Fault> {
        let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
        ImplementationPlan::draft(Uuid::nil().into(), Uuid::nil().into(), &steps, due_on, TODAY)
    }

    fn plan() -> ImplementationPlan {
        drafted(&["Sovimme ohjaajat.", "Ulkoilemme."], Some(date!(2027 - 02 - 26))).unwrap()
    }

    fn after(plan: ImplementationPlan, event: Result<PlanEvent, Fault>) -> ImplementationPlan {
        plan.apply(&event.unwrap())
    }

    #[test]
    fn a_change_goes_from_its_plan_to_its_end() {
        let plan = plan();
        let started = after(plan.clone(), plan.start(TODAY));
        let some = after(started.clone(), started.progress(40, &[1]));
        assert_eq!((some.percent, some.steps[0].done, some.steps[1].done), (40, true, false));
        let later = date!(2027 - 03 - 15);
        let delayed = after(some.clone(), some.delay(Some(later), "Ohjaaja sairastui.", TODAY));
        assert_eq!((delayed.state, delayed.due_on), (PlanState::Delayed, later));
        let done = after(delayed.clone(), delayed.complete(later));
        assert_eq!((done.state, done.percent, done.ended_on), (PlanState::Completed, 100, Some(later)));
        assert!(done.steps.iter().all(|step| step.done));
    }

    #[test]
    fn no_step_is_taken_out_of_its_order() {
        let plan = plan();
        let started = after(plan.clone(), plan.start(TODAY));
        let done = after(started.clone(), started.complete(TODAY));
        let given_up = after(started.clone(), started.cancel(TODAY));
        for (plan, starts, runs) in
            [(&plan, true, false), (&started, false, true), (&done, false, false), (&given_up, false, false)]
        {
            assert_eq!(plan.start(TODAY).is_ok(), starts, "{:?}", plan.state);
            let running =
                [plan.progress(1, &[]), plan.complete(TODAY), plan.cancel(TODAY)].map(|step| step.is_ok());
            assert_eq!(running, [runs; 3], "{:?}", plan.state);
            assert_eq!(plan.delay(Some(Date::MAX), "Syy.", TODAY).is_ok(), runs, "{:?}", plan.state);
        }
    }

    #[test]
    fn a_plan_says_what_is_done_and_by_which_day() {
        let field = |plan: Result<ImplementationPlan, Fault>| plan.unwrap_err().fields()[0].field.clone();
        assert_eq!(field(drafted(&[], Some(TODAY))), "steps");
        assert_eq!(field(drafted(&["a"; 31], Some(TODAY))), "steps");
        assert_eq!(field(drafted(&["a", " "], Some(TODAY))), "steps[1]");
        assert_eq!(field(drafted(&["a"], None)), "due_on");
        assert_eq!(field(drafted(&["a"], TODAY.previous_day())), "due_on");
    }

    #[test]
    fn a_delay_gives_a_later_day_and_a_reason() {
        let plan = plan();
        let started = after(plan.clone(), plan.start(TODAY));
        let field = |event: Result<PlanEvent, Fault>| event.unwrap_err().fields()[0].field.clone();
        assert_eq!(field(started.delay(Some(started.due_on), "Syy.", TODAY)), "due_on");
        assert_eq!(field(started.delay(Some(Date::MAX), "", TODAY)), "reason_plain");
        assert_eq!(field(started.progress(101, &[])), "percent");
        assert_eq!(field(started.progress(10, &[1, 3])), "done[1]");
    }
}
