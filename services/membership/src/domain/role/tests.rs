use kernel::{ForumId, UnitId, Uuid};
use proptest::prelude::*;
use time::macros::date;

use super::super::participant::State as PersonState;
use super::super::participant::tests::participant;
use super::*;

const TODAY: Date = date!(2026 - 03 - 02);

fn tenant(code: &str) -> TenantId {
    TenantId::new(code).unwrap()
}

fn scope(kind: ScopeKind) -> ScopeRef {
    match kind {
        ScopeKind::Tenant => ScopeRef::Tenant(tenant("19")),
        ScopeKind::Region => ScopeRef::Region(Uuid::from_u128(3).into()),
        ScopeKind::Forum => ScopeRef::Forum(ForumId::from_uuid(Uuid::from_u128(4))),
        ScopeKind::Unit => ScopeRef::Unit(UnitId::from_uuid(Uuid::from_u128(5))),
        ScopeKind::Cell => ScopeRef::Cell,
    }
}

fn facts() -> ScopeFacts {
    ScopeFacts { tenants: vec![tenant("19"), tenant("21")], term_ends_on: Some(date!(2028 - 04 - 30)) }
}

fn give(role: Role, kind: ScopeKind, existing: &[Assignment]) -> Result<Assignment, Rejection> {
    let participant = participant(PersonState::Active);
    let facts = facts();
    let event = assign(&Assigning {
        id: AssignmentId::from_uuid(Uuid::from_u128(6)),
        participant: &participant,
        tenant: tenant("19"),
        held: HeldRole { role, scope: scope(kind) },
        starts_on: None,
        ends_on: None,
        scope: Some(&facts),
        by_operator: true,
        existing,
        today: TODAY,
    })?;
    match event {
        Event::Assigned(assignment) => Ok(assignment),
        Event::Ended => panic!("giving ended a role"),
    }
}

#[test]
fn m7_operator_and_dpo_never_with_election_officer() {
    for other in [Role::Operator, Role::DataProtectionOfficer] {
        let held = give(other, scope_kinds(other)[0], &[]).unwrap();
        let refused = give(Role::ElectionOfficer, ScopeKind::Forum, &[held]);
        assert_eq!(refused, Err(Rejection::RolesExclude(Role::ElectionOfficer, other)));
        let officer = give(Role::ElectionOfficer, ScopeKind::Forum, &[]).unwrap();
        let refused = give(other, scope_kinds(other)[0], &[officer]);
        assert_eq!(refused, Err(Rejection::RolesExclude(other, Role::ElectionOfficer)));
    }
}

#[test]
fn f8_election_officer_is_not_staff_of_units() {
    for other in [Role::UnitStaff, Role::UnitManager, Role::SupportPerson] {
        let held = give(other, ScopeKind::Unit, &[]).unwrap();
        let refused = give(Role::ElectionOfficer, ScopeKind::Forum, std::slice::from_ref(&held));
        assert_eq!(refused, Err(Rejection::RolesExclude(Role::ElectionOfficer, other)));
        let ended = held.clone().apply(&held.end().unwrap());
        assert!(
            give(Role::ElectionOfficer, ScopeKind::Forum, &[ended]).is_ok(),
            "an ended role excludes nothing"
        );
    }
}

#[test]
fn f5_the_witness_of_a_forum_is_not_its_election_officer() {
    let (officer, witness) = (Role::ElectionOfficer, Role::ElectionWitness);
    for (first, second) in [(officer, witness), (witness, officer)] {
        let held = give(first, ScopeKind::Forum, &[]).unwrap();
        let refused = give(second, ScopeKind::Forum, std::slice::from_ref(&held));
        assert_eq!(refused, Err(Rejection::RolesExclude(second, first)));
        let elsewhere = ScopeRef::Forum(ForumId::from_uuid(Uuid::from_u128(44)));
        let held = Assignment { held: HeldRole { scope: elsewhere, ..held.held }, ..held };
        assert!(give(second, ScopeKind::Forum, &[held]).is_ok(), "officers witness other forums' lots");
    }
}

#[test]
fn m7_a_forum_role_ends_with_the_term() {
    let role = give(Role::ForumSecretary, ScopeKind::Forum, &[]).unwrap();
    assert_eq!(role.ends_on, Some(date!(2028 - 04 - 30)));
    assert_eq!(role.expire(date!(2028 - 04 - 30)), None);
    assert_eq!(role.expire(date!(2028 - 05 - 01)), Some(Event::Ended));

    let participant = participant(PersonState::Active);
    let facts = facts();
    let asked = Assigning {
        id: role.id,
        participant: &participant,
        tenant: tenant("19"),
        held: role.held,
        starts_on: None,
        ends_on: Some(date!(2028 - 05 - 01)),
        scope: Some(&facts),
        by_operator: false,
        existing: &[],
        today: TODAY,
    };
    assert_eq!(assign(&asked), Err(Rejection::RoleOutlastsTerm));
    assert_eq!(
        assign(&Assigning { ends_on: Some(date!(2026 - 03 - 01)), ..asked }),
        Err(Rejection::DatesInOrder)
    );
    assert_eq!(assign(&Assigning { tenant: tenant("01"), ..asked }), Err(Rejection::ScopeNotInCounty));
    assert_eq!(assign(&Assigning { scope: None, ..asked }), Err(Rejection::ScopeUnknown));
}

#[test]
fn every_role_has_its_kinds_of_scope_and_no_other() {
    let kinds = [ScopeKind::Tenant, ScopeKind::Region, ScopeKind::Forum, ScopeKind::Unit, ScopeKind::Cell];
    for role in Role::ALL {
        for kind in kinds {
            let given = give(role, kind, &[]);
            if role == Role::Service {
                assert_eq!(given, Err(Rejection::RoleNotForPeople));
            } else if scope_kinds(role).contains(&kind) {
                assert!(given.is_ok(), "{role} in {kind:?}: {given:?}");
            } else {
                assert_eq!(given, Err(Rejection::RoleScopeMismatch(role)));
            }
        }
    }
}

#[test]
fn only_an_operator_makes_operators() {
    let participant = participant(PersonState::Active);
    let asked = Assigning {
        id: AssignmentId::from_uuid(Uuid::nil()),
        participant: &participant,
        tenant: tenant("19"),
        held: HeldRole { role: Role::Operator, scope: ScopeRef::Cell },
        starts_on: None,
        ends_on: None,
        scope: None,
        by_operator: false,
        existing: &[],
        today: TODAY,
    };
    assert_eq!(assign(&asked), Err(Rejection::OperatorNeeded));
    assert!(assign(&Assigning { by_operator: true, ..asked }).is_ok());
}

proptest! {
    #[test]
    fn m7_f8_no_order_of_giving_and_ending_lets_two_excluded_roles_meet(
        steps in proptest::collection::vec((0..Role::ALL.len(), any::<bool>()), 0..40)
    ) {
        let mut held: Vec<Assignment> = Vec::new();
        for (number, ends) in steps {
            let role = Role::ALL[number];
            if ends {
                for one in &mut held {
                    if one.held.role == role && one.state == State::Active {
                        *one = one.clone().apply(&Event::Ended);
                    }
                }
            } else if let Some(kind) = scope_kinds(role).first()
                && let Ok(assignment) = give(role, *kind, &held)
            {
                held.push(assignment);
            }
            let today: Vec<HeldRole> = held.iter().filter(|one| one.is_on(TODAY)).map(|one| one.held).collect();
            for one in &today {
                for other in &today {
                    prop_assert!(!exclude(*one, *other), "{} with {}", one.role, other.role);
                }
            }
        }
    }
}
