//! What may be personal data in a proposal: a warning to its author, a question to the human who screens, never a
//! decision (P9).

use proto::proposals as pb;

use crate::convert;
use crate::domain::finding::{Decision, Found, Place};
use crate::domain::proposal::Proposal;
use crate::domain::screening::{Finding, screen};
use crate::domain::text::{Field, Texts, VariantState};

/// What is found in what a proposal says: its texts as they were written first, the person's own words, the wish.
pub(super) fn found(proposal: &Proposal, texts: &Texts) -> Vec<Found> {
    let field = |field: Field| texts.field(field).map_or("", |text| text.source().content.as_str());
    let places = [
        (Place::Title, field(Field::Title)),
        (Place::Summary, field(Field::Summary)),
        (Place::Body, field(Field::Body)),
        (Place::OwnWords, proposal.own_words.as_str()),
        (Place::Strength, proposal.strength.as_str()),
    ];
    let texts = places.map(|(_, text)| text);
    let findings = screen(&texts);
    let numbered = (1..).zip(findings).filter_map(|(finding_no, finding)| {
        let (place, text) = places.get(finding.text)?;
        let (starts_at, length) = in_characters(text, finding)?;
        Some(Found {
            finding_no,
            kind: finding.kind,
            place: *place,
            starts_at,
            length,
            decision: Decision::Open,
        })
    });
    numbered.collect()
}

/// Where a finding starts and how long it is. Positions are told in characters: clients count in units of their own, but
/// everybody can count these.
fn in_characters(text: &str, finding: Finding) -> Option<(u32, u32)> {
    let starts_at = text.get(..finding.start)?.chars().count();
    let length = text.get(finding.start..finding.end)?.chars().count();
    Some((u32::try_from(starts_at).ok()?, u32::try_from(length).ok()?))
}

/// What is found in a form that staff wrote: a hint to who reviews it.
pub(super) fn in_form(field: Field, content: &str) -> Vec<pb::Finding> {
    let numbered = (1..).zip(screen(&[content])).filter_map(|(finding_no, finding)| {
        let (starts_at, length) = in_characters(content, finding)?;
        Some(pb::Finding {
            finding_no,
            kind: finding.kind.as_str().to_owned(),
            place: field.as_str().to_owned(),
            starts_at,
            length,
            ..pb::Finding::default()
        })
    });
    numbered.collect()
}

/// What is found in the forms that nobody has reviewed.
pub(super) fn in_unreviewed(texts: &Texts) -> Vec<pb::FormFinding> {
    let variants = texts.fields().flat_map(|(field, text)| text.variants().map(move |one| (field, one)));
    let unreviewed = variants.filter(|(_, one)| one.state == VariantState::Draft);
    let found = unreviewed.flat_map(|(field, one)| {
        let finding = move |finding| convert::texts::form_finding(field, one.form, finding);
        in_form(field, &one.content).into_iter().map(finding)
    });
    found.collect()
}

/// What is found after the person corrected their own words; what a human said of the rest stands.
pub(super) fn found_again(proposal: &Proposal, texts: &Texts, judged: &[Found]) -> Vec<Found> {
    let mut again = found(proposal, texts);
    for one in again.iter_mut().filter(|one| one.place != Place::OwnWords) {
        let same = |before: &&Found| {
            (before.kind, before.place, before.starts_at, before.length)
                == (one.kind, one.place, one.starts_at, one.length)
        };
        if let Some(before) = judged.iter().find(same) {
            one.decision = before.decision;
        }
    }
    again
}

/// What is found, for the author.
pub(super) fn warnings(proposal: &Proposal, texts: &Texts) -> Vec<pb::Finding> {
    found(proposal, texts).iter().map(convert::proposals::finding).collect()
}
