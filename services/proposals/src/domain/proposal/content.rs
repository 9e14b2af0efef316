//! What an author may write, and how much of it.

use std::collections::BTreeSet;

use kernel::{Fault, UnitId};

use super::tags::{Category, Goal, Perspective};
use crate::domain::screening::{FindingKind, screen};
use crate::domain::text::{Form, is_plain, plain_of};

/// Most characters of the person's own words.
pub const MAX_OWN_WORDS: usize = 5_000;
/// Most characters of the answer to "what do you want to do or be able to do" (S1.15).
pub const MAX_STRENGTH: usize = 600;
/// Most units that a proposal is addressed to (S1.11).
pub const MAX_UNITS: usize = 20;

/// What a proposal says besides its title, summary and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The person's own words, apart from any helper's wording; may be empty.
    pub own_words: String,
    /// What the person wants to do or be able to do (S1.15); may be empty.
    pub strength: String,
    /// What kind of change it asks for.
    pub category: Category,
    /// The perspective, if chosen.
    pub perspective: Option<Perspective>,
    /// Goals.
    pub goals: Vec<Goal>,
    /// The units it is addressed to.
    pub addressed: Addressed,
}

/// Units and the one that leads them (S1.11).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addressed {
    /// The units, by id, each once.
    pub units: Vec<UnitId>,
    /// The one that leads the coordinated answer: one of them; None if there are none.
    pub lead: Option<UnitId>,
}

impl Addressed {
    /// These units, led by `lead`, else by the first.
    ///
    /// Invalid `proposals.units` if they are too many or the lead is none of them.
    pub fn new(units: &[UnitId], lead: Option<UnitId>) -> Result<Self, Fault> {
        let lead = lead.or_else(|| units.first().copied());
        let mut sorted = units.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() > MAX_UNITS {
            let rule = format!("a proposal is addressed to at most {MAX_UNITS} units");
            return Err(Fault::invalid("proposals.units", format!("There are too many units: {rule}."))
                .field("unit_ids", rule, "leave some out"));
        }
        if lead.is_some_and(|lead| !sorted.contains(&lead)) {
            return Err(Fault::invalid(
                "proposals.units",
                "The unit that leads the answer is not one of those addressed.",
            )
            .field(
                "lead_unit_id",
                "the lead unit is one of the units",
                "name it in unit_ids too",
            ));
        }
        Ok(Self { units: sorted, lead })
    }
}

impl Content {
    /// Checks lengths and puts goals in order. Invalid `proposals.content` with every field at fault.
    pub fn checked(mut self) -> Result<Self, Fault> {
        let mut fault =
            Fault::invalid("proposals.content", "The proposal cannot be kept like this; see the fields.");
        for (field, text, most) in
            [("own_words", &self.own_words, MAX_OWN_WORDS), ("strength", &self.strength, MAX_STRENGTH)]
        {
            if text.chars().count() > most {
                fault = fault.field(field, format!("at most {most} characters"), "say it shorter");
            }
        }
        if !fault.fields().is_empty() {
            return Err(fault);
        }
        self.goals.sort_unstable();
        self.goals.dedup();
        Ok(self)
    }
}

/// Most characters of an explanation.
pub const MAX_EXPLANATION: usize = 1_000;

/// What leads to a person, whatever stands around it.
const TELLING: [FindingKind; 4] =
    [FindingKind::IdentityCode, FindingKind::Phone, FindingKind::Email, FindingKind::Address];

/// Why something was decided, in plain language, for its author and where it says so for everybody: 10 to 1,000
/// characters, without codes, numbers or addresses of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation(String);

impl Explanation {
    /// Invalid `request.invalid` naming the field, for a text of a wrong length, or one that tells how to find a person:
    /// it stands in the public moderation log.
    pub fn new(field: &str, text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if screen(&[text]).iter().any(|finding| TELLING.contains(&finding.kind)) {
            let rule =
                "an explanation names no person: no identity code, phone number, e-mail or street address";
            return Err(kernel::Invalid::new(rule, "say it without them").in_field(field));
        }
        if (10..=MAX_EXPLANATION).contains(&text.chars().count()) {
            return Ok(Self(text.to_owned()));
        }
        let rule =
            format!("a decision is explained in plain language, in 10 to {MAX_EXPLANATION} characters");
        Err(kernel::Invalid::new(rule, "say why, and what the person can do").in_field(field))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why something was decided, as everybody may read it: in plain language, in every language of the county (KIE-3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons {
    /// In plain Finnish.
    pub plain: Explanation,
    /// In other languages.
    pub others: Vec<(Form, Explanation)>,
}

impl Reasons {
    /// Invalid `request.invalid` if a form is none of plain language in another language than Finnish, or stands twice.
    pub fn new(plain: Explanation, others: Vec<(Form, Explanation)>) -> Result<Self, Fault> {
        let mut seen = BTreeSet::from([Form::EasyFinnish]);
        if others.iter().all(|(form, _)| is_plain(*form) && seen.insert(*form)) {
            return Ok(Self { plain, others });
        }
        let rule = "an explanation in another language is in its plain language, once in each";
        Err(kernel::Invalid::new(rule, "send it as sv-lattlast").in_field("other_languages"))
    }

    /// Refuses with Conflict `proposals.forms_missing`, naming the forms, unless they stand in each of these `languages`
    /// (of [`required_languages`](crate::domain::text::required_languages)).
    pub fn check_languages(&self, languages: &BTreeSet<Form>) -> Result<(), Fault> {
        let is_there =
            |form: Form| form == Form::EasyFinnish || self.others.iter().any(|(other, _)| *other == form);
        let missing =
            languages.iter().filter_map(|language| plain_of(*language)).filter(|form| !is_there(*form));
        let fault = Fault::conflict(
            "proposals.forms_missing",
            "Everybody may read why, so it stands in every language of the county (KIE-3). Say it in the others too.",
        );
        let fault = missing.fold(fault, |fault, form| {
            let rule = "the reason stands in the plain form of every language of the county";
            fault.field(format!("other_languages.{form}"), rule, format!("add {form}"))
        });
        if fault.fields().is_empty() { Ok(()) } else { Err(fault) }
    }
}

/// Why a proposal ends, as its people are told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Why.
    pub reasons: Reasons,
    /// Whether who decides has read each through and finds it plain.
    pub reviewed: bool,
}
