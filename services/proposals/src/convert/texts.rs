//! Texts in their forms.

use kernel::{Date, Fault};
use proto::common::Role as PbRole;
use proto::proposals as pb;

use super::requests::{choice, read};
use crate::app::Whose;
use crate::domain::text::readability::Hint;
use crate::domain::text::{
    Field, Form, Hand, Lack, Missing, Owner, OwnerKind, Reading, ReviewMethod, Symbol, Text, Texts, Variant,
    VariantState,
};

/// All forms, drafts too.
pub fn all(texts: &Texts) -> pb::Texts {
    shown(texts, |_| true, |_| true)
}

/// What everybody may read: forms that a human reviewed; pictures and recordings that a human took.
pub fn public(texts: &Texts) -> pb::Texts {
    shown(texts, Variant::is_public, |state| state != VariantState::Draft)
}

fn shown(
    texts: &Texts,
    variant: impl Fn(&Variant) -> bool,
    other: impl Fn(VariantState) -> bool,
) -> pb::Texts {
    let forms = texts.fields().flat_map(|(field, text)| text.variants().map(move |one| (field, text, one)));
    let forms = forms.filter(|(_, _, one)| variant(one)).map(|(field, text, one)| form(field, text, one));
    let symbols = texts.symbols();
    let has_symbols = !symbols.codes.is_empty() && other(symbols.state);
    let codes = symbols.codes.iter().filter(|_| has_symbols).map(|symbol| symbol.code().to_owned());
    let readings = texts.audio().iter().filter(|one| other(one.state)).map(reading);
    pb::Texts {
        forms: forms.collect(),
        symbols: codes.collect(),
        symbols_state: if has_symbols { state(symbols.state) } else { pb::FormState::Unspecified }.into(),
        readings: readings.collect(),
    }
}

/// Something in a form that may be personal data.
pub fn form_finding(named: Field, form: Form, finding: pb::Finding) -> pb::FormFinding {
    pb::FormFinding { field: field(named).into(), form: form.to_string(), finding: Some(finding) }
}

/// One form of a field; none if it is not written.
pub fn form_of(texts: &Texts, field: Field, asked: Form) -> Option<pb::Form> {
    let text = texts.field(field)?;
    Some(form(field, text, text.variant(asked)?))
}

fn form(named: Field, text: &Text, variant: &Variant) -> pb::Form {
    let role = variant.review.map(|review| format!("ROLE_{}", review.role.as_str().to_ascii_uppercase()));
    let role = role.and_then(|name| PbRole::from_str_name(&name)).unwrap_or(PbRole::Unspecified);
    let method = variant.review.map_or(pb::ReviewMethod::Unspecified, |review| review_method(review.method));
    pb::Form {
        field: field(named).into(),
        form: variant.form.as_str().to_owned(),
        content: variant.content.clone(),
        state: state(variant.state).into(),
        revision: variant.revision,
        source: text.source().form == variant.form,
        automatic: variant.hand != Hand::Human,
        plain_language: variant.is_plain_language(),
        reviewed_by_role: role.into(),
        review_method: method.into(),
        reviewed_on: variant.review.map(|review| review.on.to_string()).unwrap_or_default(),
    }
}

fn reading(reading: &Reading) -> pb::Reading {
    pb::Reading {
        attachment_id: reading.attachment.to_string(),
        form: reading.form.as_str().to_owned(),
        state: state(reading.state).into(),
    }
}

/// What is missing.
pub fn missing(missing: Missing) -> pb::MissingForm {
    let there = |why| match why {
        Lack::Absent => pb::FormState::Unspecified,
        Lack::NotReviewed => pb::FormState::Draft,
        Lack::OutOfDate => pb::FormState::OutOfDate,
    };
    match missing {
        Missing::Form { field: named, form, why } => pb::MissingForm {
            field: field(named).into(),
            form: form.as_str().to_owned(),
            state: there(why).into(),
        },
        Missing::Picture(why) => pb::MissingForm {
            field: pb::TextField::Unspecified.into(),
            form: String::new(),
            state: there(why).into(),
        },
    }
}

/// A text that waits.
pub fn waiting(owner: Owner, since: Date) -> pb::WaitingText {
    let kind = match owner.kind {
        OwnerKind::Proposal => pb::TextOwner::Proposal,
        OwnerKind::Response => pb::TextOwner::Response,
        OwnerKind::Feedback => pb::TextOwner::Feedback,
    };
    pb::WaitingText { owner: kind.into(), owner_id: owner.id.to_string(), since: since.to_string() }
}

/// A hint for the writer.
pub fn hint(hint: Hint) -> pb::ReadabilityHint {
    let Hint { sentences, words, longest_sentence, long_sentences, long_words, look_at } = hint;
    pb::ReadabilityHint { sentences, words, longest_sentence, long_sentences, long_words, look_at }
}

/// A picture.
pub fn symbol(symbol: Symbol) -> pb::PictureSymbol {
    pb::PictureSymbol {
        code: symbol.code().to_owned(),
        label_fi: symbol.label_fi().to_owned(),
        label_sv: symbol.label_sv().to_owned(),
    }
}

fn state(state: VariantState) -> pb::FormState {
    match state {
        VariantState::Draft => pb::FormState::Draft,
        VariantState::Reviewed => pb::FormState::Reviewed,
        VariantState::OutOfDate => pb::FormState::OutOfDate,
    }
}

fn field(field: Field) -> pb::TextField {
    match field {
        Field::Title => pb::TextField::Title,
        Field::Summary => pb::TextField::Summary,
        Field::Body => pb::TextField::Body,
        Field::Reasons => pb::TextField::Reasons,
        Field::NextSteps => pb::TextField::NextSteps,
        Field::Alternative => pb::TextField::Alternative,
        Field::YouSaid => pb::TextField::YouSaid,
        Field::WeDid => pb::TextField::WeDid,
        Field::WeCouldNot => pb::TextField::WeCouldNot,
        Field::Next => pb::TextField::Next,
    }
}

fn review_method(method: ReviewMethod) -> pb::ReviewMethod {
    match method {
        ReviewMethod::Screening => pb::ReviewMethod::Screening,
        ReviewMethod::LanguageCheck => pb::ReviewMethod::LanguageCheck,
        ReviewMethod::PlainLanguageCheck => pb::ReviewMethod::PlainLanguageCheck,
        ReviewMethod::SelkoMeter2 => pb::ReviewMethod::SelkoMeter2,
        ReviewMethod::WithReaders => pb::ReviewMethod::WithReaders,
    }
}

/// Whose texts a request is about.
pub fn whose(proposal_id: &str, owner: pb::TextOwner, owner_id: &str) -> Result<Whose, Fault> {
    let proposal = read("proposal_id", proposal_id)?;
    let kind = match owner {
        pb::TextOwner::Unspecified => return Err(choice("owner")),
        pb::TextOwner::Proposal => return Ok(Whose { proposal, kind: OwnerKind::Proposal, id: None }),
        pb::TextOwner::Response => OwnerKind::Response,
        pb::TextOwner::Feedback => OwnerKind::Feedback,
    };
    let id: kernel::FeedbackId = read("owner_id", owner_id)?;
    Ok(Whose { proposal, kind, id: Some(id.as_uuid()) })
}

/// Which text.
pub fn asked_field(asked: pb::TextField) -> Result<Field, Fault> {
    Field::ALL.into_iter().find(|one| field(*one) == asked).ok_or_else(|| choice("field"))
}

/// How a form was reviewed; none if it does not say.
pub fn method(asked: pb::ReviewMethod) -> Option<ReviewMethod> {
    ReviewMethod::ALL.into_iter().find(|one| review_method(*one) == asked)
}
