//! Whether a caller may: the access entry of the RPC against the roles of the token.

use std::str::FromStr;

use kernel::{Assurance, Caller, ElectionId, Fault, Identity, Invalid, Scope, ScopeKind, ScopeRef};
use proto::access::{Entry, Grant, Scope as GrantScope};

use super::message::Message;

/// The first grant of the entry that the caller holds, as the scope of the call.
///
/// # Errors
/// Forbidden if there is none or the sign-in was not sure enough; Invalid if no other grant lets the caller in and an id
/// in the request is none, or the request names no scope at all.
pub(super) fn decide(entry: &Entry, caller: &Caller, message: &Message) -> Result<Scope, Fault> {
    if entry.anonymous {
        return Ok(Scope::Public);
    }
    let (mut wrong, mut empty, mut names_a_scope) = (None, None, false);
    for grant in entry.any_of {
        let is_given = is_given(grant, message);
        match granted(grant, caller, message) {
            Ok(Some(scope)) => {
                caller.require_assurance(least(entry))?;
                return Ok(scope);
            }
            Ok(None) => names_a_scope |= is_given,
            Err(fault) if is_given => wrong = Some(fault),
            Err(fault) => empty = Some(fault),
        }
    }
    // Who says where they act names one scope of those that an RPC knows: the others are not missing.
    let empty = empty.filter(|_| !names_a_scope);
    Err(wrong.or(empty).unwrap_or_else(|| {
        Fault::forbidden(
            "access.scope",
            "You may not do this here. Ask the administrator of your county for the role.",
        )
    }))
}

/// Whether the request has something in the field of the grant.
fn is_given(grant: &Grant, message: &Message) -> bool {
    grant.field.is_some_and(|field| message.text(field).map_or(true, |id| !id.is_empty()))
}

fn granted(grant: &Grant, caller: &Caller, message: &Message) -> Result<Option<Scope>, Fault> {
    let id = grant.field.map(|field| message.text(field)).transpose()?.unwrap_or_default();
    let kind = match grant.scope {
        GrantScope::SignedIn => return Ok(signed_in(caller)),
        GrantScope::Roll => {
            let election = ElectionId::from_str(id).map_err(|invalid| in_field(invalid, grant))?;
            // A place on a roll is a person's; a service that claims one is not let in by it.
            let claim = caller.roll_for(election).filter(|_| signed_in(caller).is_some());
            return Ok(claim.map(|claim| Scope::Roll { election, municipality: claim.municipality }));
        }
        GrantScope::Tenant => ScopeKind::Tenant,
        GrantScope::Forum => ScopeKind::Forum,
        GrantScope::Unit => ScopeKind::Unit,
        GrantScope::Region => ScopeKind::Region,
        GrantScope::Cell => ScopeKind::Cell,
    };
    let scope = ScopeRef::from_parts(kind, id).map_err(|invalid| in_field(invalid, grant))?;
    let holds = caller
        .roles
        .iter()
        .any(|held| held.scope == scope && grant.roles.iter().any(|role| is_same(*role, held.role)));
    Ok(holds.then(|| Scope::from(scope)))
}

fn signed_in(caller: &Caller) -> Option<Scope> {
    match caller.identity {
        Identity::Person(subject) => Some(Scope::SelfOnly(subject)),
        Identity::Anonymous | Identity::Service(_) => None,
    }
}

/// The contracts' roles and the kernel's have the same names: ROLE_UNIT_STAFF and unit_staff.
fn is_same(contract: proto::common::Role, held: kernel::Role) -> bool {
    contract.as_str_name().strip_prefix("ROLE_").is_some_and(|name| name.eq_ignore_ascii_case(held.as_str()))
}

fn least(entry: &Entry) -> Assurance {
    match entry.min_assurance {
        proto::common::Assurance::Unspecified | proto::common::Assurance::Low => Assurance::Low,
        proto::common::Assurance::Substantial => Assurance::Substantial,
        proto::common::Assurance::High => Assurance::High,
    }
}

fn in_field(invalid: Invalid, grant: &Grant) -> Fault {
    invalid.in_field(grant.field_name)
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use kernel::{FaultKind, HeldRole, UnitId, Uuid};
    use prost::Message as _;
    use proto::proposals::ListFormsInWorkRequest;
    use tonic::body::Body;

    use super::*;

    const UNIT: Uuid = Uuid::from_u128(0x55);

    /// What is decided for a unit's staff who ask for what a coordinator, a secretary or the unit may have.
    async fn asked(tenant: &str, forum: &str, unit: &str) -> Result<Scope, Fault> {
        let entry = proto::access::find("/osallisuus.proposals.v1.TextsService/ListFormsInWork").unwrap();
        let request = ListFormsInWorkRequest {
            tenant: tenant.to_owned(),
            forum_id: forum.to_owned(),
            unit_id: unit.to_owned(),
            ..ListFormsInWorkRequest::default()
        };
        let body = request.encode_to_vec();
        let mut frame = vec![0];
        frame.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
        frame.extend(body);
        let message = Message::read(Body::new(Full::new(frame.into())), 10_000).await.unwrap();
        let scope = ScopeRef::Unit(UnitId::from_uuid(UNIT));
        let roles = vec![HeldRole { role: kernel::Role::UnitStaff, scope }];
        let subject = Uuid::from_u128(1).into();
        let caller = Caller { roles, assurance: Assurance::High, ..Caller::person(subject) };
        decide(entry, &caller, &message)
    }

    #[tokio::test]
    async fn an_empty_id_is_no_fault_where_another_scope_is_named() {
        let unit = UNIT.to_string();
        assert!(asked("", "", &unit).await.is_ok());
        let elsewhere = asked("19", "", "").await.unwrap_err();
        assert_eq!((elsewhere.kind(), elsewhere.code()), (FaultKind::Forbidden, "access.scope"));
        let other = asked("", "", &Uuid::from_u128(0x66).to_string()).await.unwrap_err();
        assert_eq!(other.code(), "access.scope");
    }

    #[tokio::test]
    async fn an_id_that_is_none_and_no_scope_at_all_are_bad_input() {
        for (tenant, unit) in [("", "no unit"), ("99", ""), ("19", "no unit"), ("", "")] {
            let fault = asked(tenant, "", unit).await.unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Invalid, "{tenant} {unit}");
        }
    }

    #[test]
    fn every_role_of_the_contracts_is_one_of_the_kernel() {
        for number in 1.. {
            let Ok(role) = proto::common::Role::try_from(number) else { break };
            assert!(kernel::Role::ALL.iter().any(|held| is_same(role, *held)), "{}", role.as_str_name());
        }
    }
}
