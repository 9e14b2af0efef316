//! What may be personal data in a proposal: a warning to its author, a question to the human who screens, never a
//! decision (P9).

use proto::proposals as pb;

use crate::convert;
use crate::domain::proposal::Proposal;
use crate::domain::screening::screen;
use crate::domain::text::{Field, Texts};
use crate::store::findings::{Decision, Found, Place};

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
        // Positions are told in characters: clients count in units of their own, but everybody can count these.
        let starts_at = text.get(..finding.start)?.chars().count();
        let length = text.get(finding.start..finding.end)?.chars().count();
        let (starts_at, length) = (u32::try_from(starts_at).ok()?, u32::try_from(length).ok()?);
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

/// The same, for the author.
pub(super) fn warnings(proposal: &Proposal, texts: &Texts) -> Vec<pb::Finding> {
    found(proposal, texts).iter().map(convert::proposals::finding).collect()
}
