//! Several forms of one text: languages, their plain-language forms, pictures and audio. Each has a state of its own, and
//! what may be published is decided by them.
//!
//! A text is written first in one form, its *source*; the other forms are made from it. When the source is written anew,
//! what was made from it is out of date until somebody writes it anew too. A form is reviewed by a human with a role; in
//! particular nothing is "selkokieltä" before that (negative test 13).

mod field;
mod language;
pub mod readability;
mod required;
mod staff;
mod symbol;
mod whole;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use kernel::{Date, Fault, Role, Subject};

pub use field::{Field, Owner, OwnerKind};
pub use kernel::TextVariant as Form;
pub use language::{is_plain, language_of, plain_of, required_languages};
pub use required::{Lack, Missing, Target, missing, require};
pub use staff::Matter;
pub use symbol::Symbol;
pub use whole::{Reading, Symbols, Texts};

/// Who may say that a form is right.
pub const REVIEWERS: [Role; 4] =
    [Role::AreaCoordinator, Role::ForumSecretary, Role::UnitManager, Role::UnitStaff];

/// State of a form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VariantState {
    /// Written; no human with a role has reviewed it.
    Draft,
    /// A human with a role reviewed it as it is, and its source has not changed since.
    Reviewed,
    /// Its source was written anew after it.
    OutOfDate,
}

impl VariantState {
    /// Every state.
    pub const ALL: [VariantState; 3] = [VariantState::Draft, VariantState::Reviewed, VariantState::OutOfDate];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            VariantState::Draft => "draft",
            VariantState::Reviewed => "reviewed",
            VariantState::OutOfDate => "out_of_date",
        }
    }
}

/// How a form was reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewMethod {
    /// Screened before publication: nothing in it that must not be public (P1).
    Screening,
    /// Read through by somebody who masters the language.
    LanguageCheck,
    /// Read through by somebody who masters plain language.
    PlainLanguageCheck,
    /// Measured by a human with *Selkokielen mittari 2.0*.
    SelkoMeter2,
    /// Read together with people it is meant for.
    WithReaders,
}

impl ReviewMethod {
    /// Every method.
    pub const ALL: [ReviewMethod; 5] = [
        ReviewMethod::Screening,
        ReviewMethod::LanguageCheck,
        ReviewMethod::PlainLanguageCheck,
        ReviewMethod::SelkoMeter2,
        ReviewMethod::WithReaders,
    ];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            ReviewMethod::Screening => "screening",
            ReviewMethod::LanguageCheck => "language_check",
            ReviewMethod::PlainLanguageCheck => "plain_language_check",
            ReviewMethod::SelkoMeter2 => "selko_meter_2",
            ReviewMethod::WithReaders => "with_readers",
        }
    }

    /// Whether the method tells what a review of this form must tell: of a plain form, whether it is plain.
    pub fn suits(self, form: Form) -> bool {
        match self {
            ReviewMethod::WithReaders => true,
            ReviewMethod::PlainLanguageCheck | ReviewMethod::SelkoMeter2 => is_plain(form),
            ReviewMethod::Screening | ReviewMethod::LanguageCheck => !is_plain(form),
        }
    }
}

/// That a human found a form right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    /// The role in which it was reviewed; never who.
    pub role: Role,
    /// How.
    pub method: ReviewMethod,
    /// The day.
    pub on: Date,
}

/// Who reviews, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reviewer {
    /// The person, compared with who brought in an automatic text; not kept.
    pub person: Subject,
    /// The role in which the person reviews.
    pub role: Role,
    /// How.
    pub method: ReviewMethod,
}

/// Who wrote a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// A human. Who is not kept with the text.
    Human,
    /// A machine, brought in by this person, who may not review it. None once the person has left.
    Automatic {
        /// Who brought it in.
        by: Option<Subject>,
    },
}

/// One form of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The form.
    pub form: Form,
    /// What it says.
    pub content: String,
    /// State.
    pub state: VariantState,
    /// How many times it has been written, from 1.
    pub revision: u32,
    /// Revision of the source that it was made from; none for the source itself.
    pub made_from: Option<u32>,
    /// Who wrote it.
    pub hand: Hand,
    /// Its review, if this revision ever had one: an out-of-date form keeps it.
    pub review: Option<Review>,
}

impl Variant {
    /// Whether it may be shown to everybody: a human reviewed what it says. One that is out of date since is shown,
    /// and marked.
    pub fn is_public(&self) -> bool {
        self.review.is_some()
    }

    /// Whether it may be called plain language (selkokieli, lättläst): a plain form, reviewed and up to date (negative
    /// test 13). Nothing else decides it, least of all a measure of readability.
    pub fn is_plain_language(&self) -> bool {
        is_plain(self.form) && self.state == VariantState::Reviewed
    }
}

/// A text with its forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    source: Form,
    variants: BTreeMap<Form, Variant>,
}

impl Text {
    /// A text, first written in this form. Invalid `proposals.automatic_source` unless a human wrote it.
    pub fn new(source: Form, content: String, hand: Hand) -> Result<Self, Fault> {
        if hand != Hand::Human {
            return Err(automatic_source());
        }
        let first = Variant {
            form: source,
            content,
            state: VariantState::Draft,
            revision: 1,
            made_from: None,
            hand,
            review: None,
        };
        Ok(Self { source, variants: BTreeMap::from([(source, first)]) })
    }

    /// The text as it was stored. None unless one form, and only one, is the source.
    pub fn stored(variants: impl IntoIterator<Item = Variant>) -> Option<Self> {
        let variants: BTreeMap<Form, Variant> = variants.into_iter().map(|one| (one.form, one)).collect();
        let mut sources = variants.values().filter(|one| one.made_from.is_none());
        let source = sources.next()?.form;
        sources.next().is_none().then_some(Self { source, variants })
    }

    /// The form it was first written in.
    pub fn source(&self) -> &Variant {
        &self.variants[&self.source]
    }

    /// This form of it.
    pub fn variant(&self, form: Form) -> Option<&Variant> {
        self.variants.get(&form)
    }

    /// Its forms.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.variants.values()
    }

    /// Writes a form; it is a draft then. Writing the source makes every other form out of date. Answers false if
    /// nothing changed: the same words, not out of date. The same words written again over a form that is out of date
    /// say that they still hold.
    ///
    /// Invalid `proposals.automatic_source` for a source that no human wrote.
    pub fn write(&mut self, form: Form, content: String, hand: Hand) -> Result<bool, Fault> {
        let is_source = form == self.source;
        if is_source && hand != Hand::Human {
            return Err(automatic_source());
        }
        let before = self.variants.get(&form);
        let revision = before.map_or(0, |one| one.revision);
        if before.is_some_and(|one| one.content == content && one.state != VariantState::OutOfDate) {
            return Ok(false);
        }
        let made_from = (!is_source).then_some(self.source().revision);
        let written = Variant {
            form,
            content,
            state: VariantState::Draft,
            revision: revision + 1,
            made_from,
            hand,
            review: None,
        };
        self.variants.insert(form, written);
        if is_source {
            for made in self.variants.values_mut().filter(|one| one.made_from.is_some()) {
                made.state = VariantState::OutOfDate;
            }
        }
        Ok(true)
    }

    /// Keeps that a human reviewed this revision of a form. Answers false if it was reviewed already.
    ///
    /// NotFound `proposals.no_such_form`; Forbidden `proposals.not_a_reviewer` for a role that does not review,
    /// `proposals.own_automatic_text` for who brought in an automatic text; Invalid `proposals.review_method` where the
    /// method does not suit the form (a plain form needs a check of plain language); Conflict `proposals.form_changed`
    /// where it was written anew meanwhile, `proposals.form_out_of_date` where its source was.
    pub fn review(&mut self, form: Form, revision: u32, by: Reviewer, today: Date) -> Result<bool, Fault> {
        let Some(variant) = self.variants.get_mut(&form) else {
            return Err(no_such_form(form));
        };
        if !REVIEWERS.contains(&by.role) {
            return Err(Fault::forbidden(
                "proposals.not_a_reviewer",
                "A form of a text is reviewed by a coordinator, a secretary, or staff or the manager of a unit.",
            ));
        }
        if variant.hand == (Hand::Automatic { by: Some(by.person) }) {
            return Err(Fault::forbidden(
                "proposals.own_automatic_text",
                "Who brought in an automatic text does not review it. Ask somebody else to.",
            ));
        }
        if !by.method.suits(form) {
            return Err(Fault::invalid(
                "proposals.review_method",
                "A plain-language form is reviewed by a check of plain language, another form by screening or a check \
                 of its language; either with its readers. Say how it was reviewed.",
            ));
        }
        if variant.revision != revision {
            return Err(Fault::conflict(
                "proposals.form_changed",
                "The form was written anew after you read it. Read it again, then review.",
            ));
        }
        match variant.state {
            VariantState::Reviewed => Ok(false),
            VariantState::OutOfDate => Err(Fault::conflict(
                "proposals.form_out_of_date",
                "The text that this form was made from has changed. Write the form anew, then review it.",
            )),
            VariantState::Draft => {
                variant.state = VariantState::Reviewed;
                variant.review = Some(Review { role: by.role, method: by.method, on: today });
                Ok(true)
            }
        }
    }
}

fn automatic_source() -> Fault {
    Fault::invalid(
        "proposals.automatic_source",
        "A machine does not write the text that other forms are made from. Write it as a human.",
    )
}

/// NotFound: the text is not written in this form.
pub(crate) fn no_such_form(form: Form) -> Fault {
    let message = format!("The text is not written in the form {form}. Write it first.");
    Fault::not_found("proposals.no_such_form", message)
}
