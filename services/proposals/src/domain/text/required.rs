//! What must be there before a text is published: by target, and by the languages of the county.

use std::collections::BTreeSet;

use kernel::Fault;

use super::{Field, Form, Texts, VariantState, plain_of};

/// What is about to be published, or to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A proposal opens to everybody: title, and summary or body, in every language of the county.
    PublicProposal,
    /// A proposal goes to a forum: a title in standard and in plain language of every language, as topics of meetings have
    /// it (F11), a summary in plain language of every language, and a picture (P2).
    ProposalToForum,
    /// A unit answers: reasons in plain language (P4), what happens next, and the alternative if one is written.
    Answer,
    /// A loop card: its written lines in plain language; *you said*, *next*, and *we did* or *we could not* (S2.39).
    LoopCard,
    /// The card of a decision that ends a proposal at once: its reason, in plain language of every language.
    Decision,
}

impl Target {
    /// Every target.
    pub const ALL: [Target; 5] =
        [Target::PublicProposal, Target::ProposalToForum, Target::Answer, Target::LoopCard, Target::Decision];
}

/// What is wrong with what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lack {
    /// Nobody wrote it.
    Absent,
    /// Its source changed after it.
    OutOfDate,
    /// Nobody with a role has reviewed it.
    NotReviewed,
}

/// Something that must be there and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// A form of a field. Where the plain form would do as well, the standard one is named.
    Form {
        /// The field.
        field: Field,
        /// The form.
        form: Form,
        /// What is wrong.
        why: Lack,
    },
    /// A picture (P2).
    Picture(Lack),
}

/// How a field must be written.
#[derive(Clone, Copy)]
enum Level {
    /// In the language, standard or plain.
    Any,
    /// In the standard form of the language.
    Standard,
    /// In plain language, where the language has it.
    Plain,
}

/// What is missing before `texts` may go to `target`, in a county that publishes in these `languages` (of
/// [`required_languages`](super::required_languages)). Empty: it may.
pub fn missing(target: Target, texts: &Texts, languages: &BTreeSet<Form>) -> Vec<Missing> {
    let mut missing = Vec::new();
    let written = |field: &Field| texts.field(*field).is_some();
    for language in languages.iter().copied() {
        let mut need =
            |fields: &[Field], level: Level| missing.extend(lacking(texts, fields, language, level));
        match target {
            Target::PublicProposal => {
                need(&[Field::Title], Level::Any);
                need(&[Field::Summary, Field::Body], Level::Any);
            }
            Target::ProposalToForum => {
                need(&[Field::Title], Level::Standard);
                need(&[Field::Title], Level::Plain);
                need(&[Field::Summary], Level::Plain);
            }
            Target::Answer => {
                need(&[Field::Reasons], Level::Plain);
                need(&[Field::NextSteps], Level::Any);
                if written(&Field::Alternative) {
                    need(&[Field::Alternative], Level::Any);
                }
            }
            Target::LoopCard => {
                need(&[Field::YouSaid], Level::Plain);
                let done = [Field::WeDid, Field::WeCouldNot];
                for field in done.into_iter().filter(written) {
                    need(&[field], Level::Plain);
                }
                if !done.iter().any(written) {
                    need(&done, Level::Plain);
                }
                need(&[Field::Next], Level::Plain);
            }
            Target::Decision => need(&[Field::WeCouldNot], Level::Plain),
        }
    }
    if target == Target::ProposalToForum {
        missing.extend(picture(texts).map(Missing::Picture));
    }
    missing
}

/// Refuses with Conflict `proposals.forms_missing`, naming each, unless nothing is missing.
pub fn require(target: Target, texts: &Texts, languages: &BTreeSet<Form>) -> Result<(), Fault> {
    let missing = missing(target, texts, languages);
    if missing.is_empty() {
        return Ok(());
    }
    let fault = Fault::conflict(
        "proposals.forms_missing",
        "Some forms of the text are missing: what is published stands in every language of the county (KIE-3), and in \
         plain language and pictures where people are asked to decide or are answered (P2, P4). Write and review them.",
    );
    Err(missing.into_iter().fold(fault, |fault, one| match one {
        Missing::Form { field, form, why } => {
            fault.field(format!("{}.{form}", field.as_str()), why.rule(), why.remedy())
        }
        Missing::Picture(why) => fault.field("symbols", why.rule(), why.remedy()),
    }))
}

impl Lack {
    /// The rule that is not met.
    pub fn rule(self) -> &'static str {
        match self {
            Lack::Absent => "this form is needed and nobody wrote it",
            Lack::OutOfDate => "this form is needed and its source changed after it was made",
            Lack::NotReviewed => "this form is needed and no human with a role has reviewed it",
        }
    }

    /// What to do.
    pub fn remedy(self) -> &'static str {
        match self {
            Lack::Absent => "write it and have it reviewed",
            Lack::OutOfDate => "write it anew and have it reviewed",
            Lack::NotReviewed => "have it reviewed",
        }
    }
}

/// What is missing unless one of the fields stands in the language at the level, reviewed.
fn lacking(texts: &Texts, fields: &[Field], language: Form, level: Level) -> Option<Missing> {
    let plain = plain_of(language);
    let forms = match (level, plain) {
        (Level::Plain, Some(plain)) => vec![plain],
        (Level::Standard, _) => vec![language],
        _ => std::iter::once(language).chain(plain).collect(),
    };
    let candidates: Vec<(Field, Form)> =
        fields.iter().flat_map(|field| forms.iter().map(|form| (*field, *form))).collect();
    let state = |(field, form): (Field, Form)| texts.variant(field, form).map(|variant| variant.state);
    if candidates.iter().any(|one| state(*one) == Some(VariantState::Reviewed)) {
        return None;
    }
    // The nearest to done is named: a draft before what is out of date, that before what nobody wrote.
    let named = |(field, form): (Field, Form)| (lack(state((field, form))), field, form);
    let nearest = candidates.into_iter().map(named).min_by_key(|(why, ..)| std::cmp::Reverse(*why));
    let first = (Lack::Absent, *fields.first()?, *forms.first()?);
    let (why, field, form) = nearest.filter(|(why, ..)| *why != Lack::Absent).unwrap_or(first);
    Some(Missing::Form { field, form, why })
}

fn lack(state: Option<VariantState>) -> Lack {
    match state {
        None => Lack::Absent,
        Some(VariantState::OutOfDate) => Lack::OutOfDate,
        Some(VariantState::Draft | VariantState::Reviewed) => Lack::NotReviewed,
    }
}

fn picture(texts: &Texts) -> Option<Lack> {
    let symbols = texts.symbols();
    if symbols.codes.is_empty() {
        return Some(Lack::Absent);
    }
    (symbols.state != VariantState::Reviewed).then(|| lack(Some(symbols.state)))
}
