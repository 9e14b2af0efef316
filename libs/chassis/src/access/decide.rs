//! Whether a caller may: the access entry of the RPC against the roles of the token.

use std::str::FromStr;

use kernel::{Assurance, Caller, ElectionId, Fault, Identity, Invalid, Scope, ScopeKind, ScopeRef};
use proto::access::{Entry, Grant, Scope as GrantScope};

use super::message::Message;

/// The first grant of the entry that the caller holds, as the scope of the call.
///
/// # Errors
/// Forbidden if there is none or the sign-in was not sure enough; Invalid if an id in the request is none and no other
/// grant lets the caller in.
pub(super) fn decide(entry: &Entry, caller: &Caller, message: &Message) -> Result<Scope, Fault> {
    if entry.anonymous {
        return Ok(Scope::Public);
    }
    let mut refusal = None;
    for grant in entry.any_of {
        match granted(grant, caller, message) {
            Ok(Some(scope)) => {
                caller.require_assurance(least(entry))?;
                return Ok(scope);
            }
            Ok(None) => {}
            Err(fault) => refusal = Some(fault),
        }
    }
    Err(refusal.unwrap_or_else(|| {
        Fault::forbidden(
            "access.scope",
            "You may not do this here. Ask the administrator of your county for the role.",
        )
    }))
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
    use super::*;

    #[test]
    fn every_role_of_the_contracts_is_one_of_the_kernel() {
        for number in 1.. {
            let Ok(role) = proto::common::Role::try_from(number) else { break };
            assert!(kernel::Role::ALL.iter().any(|held| is_same(role, *held)), "{}", role.as_str_name());
        }
    }
}
