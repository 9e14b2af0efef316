//! What an answer says (P4, S1.18). Its texts stand in several forms, see [`crate::domain::text`].

use std::collections::BTreeSet;

use kernel::deadline::add_days;
use kernel::{Date, Fault, Invalid};

use crate::domain::proposal::Outcome;
use crate::domain::text::{Field, Form, Target, Texts, require};
use crate::domain::wording::{LINE, TEXT, day_from, optional, required};

/// What an answer says besides its texts. Of a draft anything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What the unit decides.
    pub outcome: Option<Outcome>,
    /// Which role does what comes next; never a person's name.
    pub next_role: String,
    /// By which day.
    pub next_on: Option<Date>,
    /// Last day of a try-out (S1.18).
    pub trial_ends_on: Option<Date>,
    /// How a try-out is evaluated (S1.18).
    pub trial_evaluation: String,
    /// Who decides, where the unit cannot: a role or body.
    pub forwarded_to: String,
    /// By which day they decide.
    pub forwarded_due_on: Option<Date>,
}

impl Answer {
    /// The same, trimmed.
    ///
    /// # Errors
    /// Invalid, naming the field, for what is too long.
    pub fn trimmed(self) -> Result<Self, Fault> {
        Ok(Self {
            next_role: optional("answer.next_role", &self.next_role, LINE)?,
            trial_evaluation: optional("answer.trial_evaluation", &self.trial_evaluation, TEXT)?,
            forwarded_to: optional("answer.forwarded_to", &self.forwarded_to, LINE)?,
            ..self
        })
    }

    /// Whether it may be given today (P4): it has an outcome, reasons in reviewed plain language in every language of
    /// the county, what happens next, by which role and when. A rejection says what would have to change, or an
    /// alternative. A try-out ends and is evaluated (S1.18). What somebody higher decides names them and the day.
    ///
    /// # Errors
    /// Invalid, naming the field; Conflict `proposals.forms_missing`, naming the forms.
    pub fn check(&self, texts: &Texts, languages: &BTreeSet<Form>, today: Date) -> Result<Outcome, Fault> {
        let outcome = self.outcome.ok_or_else(|| {
            let rule = "an answer says what the unit decides (P4)";
            Invalid::new(rule, "choose an outcome").in_field("answer.outcome")
        })?;
        let by_whom = "an answer says which role does what comes next (P4)";
        required("answer.next_role", &self.next_role, LINE, by_whom)?;
        let when = "an answer says by which day the next step is taken, not in the past (P4)";
        day_from("answer.next_on", self.next_on, today, when)?;
        if outcome == Outcome::Rejected && texts.field(Field::Alternative).is_none() {
            let rule = "a rejection says what would have to change, or an alternative (P4)";
            return Err(Invalid::new(rule, "write it").in_field("answer.texts.alternative"));
        }
        let tomorrow = add_days(today, 1);
        if outcome == Outcome::Trial {
            let ends = "a try-out names its last day, after today (S1.18)";
            day_from("answer.trial_ends_on", self.trial_ends_on, tomorrow, ends)?;
            let evaluated = "a try-out says how it is evaluated (S1.18)";
            required("answer.trial_evaluation", &self.trial_evaluation, TEXT, evaluated)?;
        }
        if outcome == Outcome::NeedsHigherDecision {
            let decides = "an answer that forwards says who decides (P4)";
            required("answer.forwarded_to", &self.forwarded_to, LINE, decides)?;
            let until = "an answer that forwards says by which day it is decided, after today (P4)";
            day_from("answer.forwarded_due_on", self.forwarded_due_on, tomorrow, until)?;
        }
        require(Target::Answer, texts, languages)?;
        Ok(outcome)
    }
}
