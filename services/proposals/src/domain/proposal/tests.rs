//! The state machine: tables of what may be, and random histories.

mod acting;
mod model;

use kernel::{Date, Policies, ProposalId, TenantId, UnitId, Uuid};
use time::macros::date;

use super::*;

pub(super) const TODAY: Date = date!(2026 - 09 - 07);

pub(super) fn unit(number: u128) -> UnitId {
    UnitId::from_uuid(Uuid::from_u128(number))
}

pub(super) fn content() -> Content {
    Content {
        own_words: String::new(),
        strength: String::new(),
        category: Category::Content,
        perspective: None,
        goals: Vec::new(),
        addressed: Addressed::new(&[unit(1)], None).unwrap(),
    }
}

pub(super) fn draft() -> Proposal {
    let (id, tenant) = (ProposalId::from_uuid(Uuid::from_u128(7)), TenantId::new("19").unwrap());
    Proposal::draft(id, tenant, content(), Channel::Web, Acting::alone(), TODAY)
}

pub(super) fn submitted() -> Proposal {
    draft().submit("7K3M9QXA", TODAY, &Policies::default()).unwrap()
}

pub(super) fn open() -> Proposal {
    submitted().screened(TODAY, &Policies::default()).unwrap()
}

#[test]
fn p1_screening_is_due_within_seven_days_and_moves_off_days_off() {
    let promise = submitted().promise.unwrap();
    assert_eq!((promise.owner, promise.step), (OwnerRole::AreaCoordinator, NextStep::Screen));
    assert_eq!(promise.due, date!(2026 - 09 - 14));
    let late = draft().submit("X", date!(2026 - 11 - 29), &Policies::default()).unwrap();
    assert_eq!(late.promise.unwrap().due, date!(2026 - 12 - 07), "Sunday 6.12. is Independence Day");
}

#[test]
fn p1_only_what_waits_for_screening_is_screened_or_refused() {
    let policies = Policies::default();
    let reason = ScreeningReason::Abusive;
    assert!(submitted().reject(reason, TODAY, &policies).unwrap().stage.is_ended());
    for proposal in [draft(), open()] {
        assert_eq!(proposal.screened(TODAY, &policies).unwrap_err().code(), "proposals.stage");
        assert_eq!(proposal.reject(reason, TODAY, &policies).unwrap_err().code(), "proposals.stage");
    }
}

#[test]
fn a_proposal_opens_only_with_a_unit_that_leads_its_answer() {
    let mut homeless = submitted();
    (homeless.units, homeless.lead_unit) = (Vec::new(), None);
    let refused = homeless.screened(TODAY, &Policies::default()).unwrap_err();
    assert_eq!(refused.code(), "proposals.no_unit");
    let routed = homeless.addressed_to(Addressed::new(&[unit(2)], None).unwrap()).unwrap();
    assert_eq!(routed.reroutings, 0, "the first unit is no re-routing");
    assert!(routed.screened(TODAY, &Policies::default()).is_ok());
}

#[test]
fn s1_26_only_a_change_of_units_counts_as_a_rerouting() {
    let same = open().addressed_to(Addressed::new(&[unit(1)], None).unwrap()).unwrap();
    assert_eq!(same.reroutings, 0);
    let two = same.addressed_to(Addressed::new(&[unit(2), unit(1)], None).unwrap()).unwrap();
    assert_eq!((two.reroutings, two.lead_unit), (1, Some(unit(2))), "the first one named leads (S1.11)");
    assert_eq!(two.units, [unit(1), unit(2)]);
    let other_lead = Addressed::new(&[unit(2), unit(1)], Some(unit(1))).unwrap();
    assert_eq!(two.addressed_to(other_lead).unwrap().reroutings, 2);
}

#[test]
fn s1_11_the_lead_is_one_of_the_units() {
    assert_eq!(Addressed::new(&[unit(1)], Some(unit(2))).unwrap_err().code(), "proposals.units");
    let many: Vec<UnitId> = (1..=21).map(unit).collect();
    assert_eq!(Addressed::new(&many, None).unwrap_err().code(), "proposals.units");
    let twice = Addressed::new(&[unit(3), unit(3)], None).unwrap();
    assert_eq!((twice.units, twice.lead), (vec![unit(3)], Some(unit(3))));
}

#[test]
fn nothing_is_merged_into_itself_in_a_circle_or_into_what_is_not_open() {
    let policies = Policies::default();
    let one = open();
    let other = Proposal { id: ProposalId::from_uuid(Uuid::from_u128(8)), ..open() };
    let merged = one.merge_into(&other, TODAY, &policies).unwrap();
    let code = |result: Result<Proposal, Fault>| result.unwrap_err().code().to_owned();
    assert_eq!(code(one.merge_into(&one, TODAY, &policies)), "proposals.merge_target");
    assert_eq!(code(other.merge_into(&merged, TODAY, &policies)), "proposals.merge_target", "a circle");
    let elsewhere = Proposal { tenant: TenantId::new("21").unwrap(), ..other.clone() };
    assert_eq!(code(one.merge_into(&elsewhere, TODAY, &policies)), "proposals.merge_target");
    let waiting = Proposal { id: other.id, ..submitted() };
    assert_eq!(code(one.merge_into(&waiting, TODAY, &policies)), "proposals.merge_target");
    assert_eq!(code(merged.merge_into(&other, TODAY, &policies)), "proposals.stage");
}

#[test]
fn a_stage_reads_back_from_its_parts() {
    let id = Uuid::from_u128(5);
    let mut stages = vec![
        Stage::Draft,
        Stage::Submitted,
        Stage::Open,
        Stage::InComparison { round: id.into() },
        Stage::Shortlisted,
        Stage::BeforeForum { forum: id.into() },
        Stage::NotEndorsed,
        Stage::AwaitingResponse,
        Stage::Forwarded,
        Stage::InImplementation,
        Stage::Implemented,
        Stage::ImpactMeasured,
        Stage::Ended { how: Ending::Closed },
        Stage::Ended { how: Ending::Merged { into: id.into() } },
        Stage::Ended { how: Ending::Split },
        Stage::Ended { how: Ending::Withdrawn },
    ];
    stages.extend(Outcome::ALL.map(|outcome| Stage::Answered { outcome }));
    stages.extend(Redirection::ALL.map(|kind| Stage::Ended { how: Ending::Redirected { kind } }));
    let reasons = ScreeningReason::ALL;
    stages.extend(reasons.map(|reason| Stage::Ended { how: Ending::RejectedAtScreening { reason } }));
    for stage in &stages {
        let parts = (stage.kind(), stage.detail(), stage.reference());
        assert_eq!(Stage::from_parts(parts.0, parts.1, parts.2), Some(*stage));
        assert_eq!(stage.is_ended(), stage.kind().is_ended());
    }
    assert_eq!(Stage::from_parts(StageKind::Answered, "maybe", None), None);
    assert_eq!(Stage::from_parts(StageKind::Merged, "", None), None);
    for kind in StageKind::ALL {
        assert!(stages.iter().any(|stage| stage.kind() == kind), "{kind:?} is missing in this test");
    }
}

#[test]
fn an_explanation_is_neither_a_word_nor_a_novel() {
    assert!(Explanation::new("explanation", "  ei käy  ").is_err());
    assert!(Explanation::new("explanation", &"ä".repeat(1_001)).is_err());
    for telling in ["Soita Maijalle 040 123 4567.", "Kirjoita maija@example.fi niin kerron."] {
        assert!(Explanation::new("explanation", telling).is_err(), "{telling}");
    }
    let said = Explanation::new("explanation", " Asia ei koske palveluja. ").unwrap();
    assert_eq!(said.as_str(), "Asia ei koske palveluja.");
}
