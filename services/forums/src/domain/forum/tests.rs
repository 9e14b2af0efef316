//! Founding the Oulunkaari forum, and what is refused.

use kernel::Uuid;
use kernel::deadline::parse_date;

use super::*;

fn tenant(code: &str) -> TenantId {
    TenantId::new(code).unwrap()
}

/// The joint forum of scenario 1.
pub(crate) fn charter() -> Charter {
    Charter {
        tenant: tenant("19"),
        co_tenants: vec![tenant("21")],
        agreement_id: "POHDE/2026/17".to_owned(),
        name: "Oulunkaaren seudullinen asiakasfoorumi".to_owned(),
        purpose: "Asiakkaat kehittävät vammaispalveluja yhdessä.".to_owned(),
        purpose_plain: "Me asiakkaat kehitämme palveluja yhdessä.".to_owned(),
        kind: ForumType::ClientForum,
        level: ForumLevel::Regional,
        service_group: "disability_services".to_owned(),
        term_starts_on: parse_date("2026-05-01").unwrap(),
        term_ends_on: parse_date("2028-04-30").unwrap(),
        founding_decision: "POHDE/2026/16".to_owned(),
    }
}

fn founded(charter: Charter) -> Result<Forum, Fault> {
    Forum::found(ForumId::from_uuid(Uuid::from_u128(1)), charter, &[tenant("19"), tenant("21")])
}

/// Founded, and confirmed by the other counties.
fn found(charter: Charter) -> Result<Forum, Fault> {
    let counties = charter.co_tenants.clone();
    counties.into_iter().try_fold(founded(charter)?, Forum::confirmed_by)
}

fn plan(quotas: &[(&str, u32)]) -> Vec<SeatQuota> {
    let quota = |(code, seats): &(&str, u32)| SeatQuota {
        municipality: MunicipalityCode::new(code).unwrap(),
        seats: *seats,
    };
    quotas.iter().map(quota).collect()
}

const OULUNKAARI: [(&str, u32); 5] = [("139", 8), ("615", 8), ("889", 4), ("785", 4), ("751", 4)];

#[test]
fn f1_the_oulunkaari_plan_has_28_seats() {
    let forum = found(charter()).unwrap();
    let event = forum.approve_plan(plan(&OULUNKAARI), 28).unwrap();
    let forum = forum.apply(&event);
    assert_eq!((forum.state, forum.seats_total()), (ForumState::Active, 28));
    let again = forum.approve_plan(plan(&OULUNKAARI), 28).unwrap_err();
    assert_eq!(again.code(), "forums.seat_plan_approved");
}

#[test]
fn f1_seats_that_do_not_sum_are_refused() {
    let fault = found(charter()).unwrap().approve_plan(plan(&OULUNKAARI), 27).unwrap_err();
    assert_eq!((fault.code(), fault.fields()[0].field.as_str()), ("forums.seat_plan_sum", "total"));
    assert!(fault.message().contains("28") && fault.message().contains("27"));
}

#[test]
fn variant_1b_simo_is_not_in_pohjois_pohjanmaa() {
    let alone = Charter { co_tenants: Vec::new(), agreement_id: String::new(), ..charter() };
    let forum = found(alone).unwrap();
    let fault = forum.approve_plan(plan(&OULUNKAARI), 28).unwrap_err();
    assert_eq!(fault.code(), "forums.municipality_not_in_tenant");
    assert_eq!(fault.fields()[0].field, "seats[4].municipality");
    assert!(forum.approve_plan(plan(&OULUNKAARI[..4]), 24).is_ok());
}

#[test]
fn a_joint_forum_gets_no_plan_without_the_other_countys_consent() {
    let forum = founded(charter()).unwrap();
    let fault = forum.approve_plan(plan(&OULUNKAARI), 28).unwrap_err();
    assert_eq!(fault.code(), "forums.joint_not_confirmed");
    assert!(fault.message().contains("by 21."), "{fault}");
    // The lead county's consent is not the other's.
    let lead = forum.clone().confirmed_by(tenant("19")).unwrap_err();
    assert_eq!(lead.code(), "forums.not_a_co_tenant");
    assert!(forum.confirmed_by(tenant("21")).unwrap().approve_plan(plan(&OULUNKAARI), 28).is_ok());
}

#[test]
fn a_plan_names_each_municipality_once_and_has_1_to_200_seats() {
    let forum = found(charter()).unwrap();
    let code =
        |seats: &[(&str, u32)], total| forum.approve_plan(plan(seats), total).unwrap_err().code().to_owned();
    assert_eq!(code(&[("139", 4), ("139", 4)], 8), "forums.municipality_twice");
    assert_eq!(code(&[], 0), "forums.seats_out_of_range");
    assert_eq!(code(&[("139", 0)], 0), "forums.seats_out_of_range");
    assert_eq!(code(&[("139", 200), ("615", 1)], 201), "forums.seats_out_of_range");
    assert_eq!(code(&[("139", u32::MAX), ("615", 2)], 1), "forums.seats_out_of_range");
    assert!(forum.approve_plan(plan(&[("139", 200)]), 200).is_ok());
}

#[test]
fn a_joint_forum_needs_the_agreement_of_its_counties() {
    let without = Charter { agreement_id: " ".to_owned(), ..charter() };
    assert_eq!(found(without).unwrap_err().code(), "forums.agreement_needed");
    let twice = Charter { co_tenants: vec![tenant("19")], ..charter() };
    assert_eq!(found(twice).unwrap_err().code(), "forums.charter");
    let elsewhere = Charter { co_tenants: vec![tenant("01")], ..charter() };
    assert_eq!(found(elsewhere).unwrap_err().code(), "forums.tenant_not_served");
}

#[test]
fn every_field_of_the_charter_at_fault_is_named() {
    let empty = String::new;
    let bad = Charter {
        name: "A".to_owned(),
        purpose: empty(),
        purpose_plain: empty(),
        founding_decision: empty(),
        service_group: "Vammaispalvelut!".to_owned(),
        term_ends_on: parse_date("2026-05-01").unwrap(),
        ..charter()
    };
    let fault = found(bad).unwrap_err();
    let fields: Vec<&str> = fault.fields().iter().map(|field| field.field.as_str()).collect();
    assert_eq!(
        fields,
        ["name", "purpose", "purpose_plain", "founding_decision", "service_group", "term_ends_on"]
    );
}
