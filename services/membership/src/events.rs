//! Which facts of membership the world may know, and in what words. Nothing here names a person: roles without their
//! holder, totals in buckets, rolls as hash and counts. Every event of the domain is matched, so that a new one has to
//! be decided about.

use kernel::{ElectionId, HeldRole, Role, TenantId};
use messaging::NewEvent;
use proto::{common, membership as pb};

use crate::convert;
use crate::domain::attestation::{self, Attestation};
use crate::domain::participant::{self, Participant};
use crate::domain::role::{self, Assignment};
use crate::domain::roll::Roll;
use crate::domain::tenancy;

/// What counties decide about themselves is public.
pub(crate) fn tenancy(event: &tenancy::Event) -> NewEvent {
    match event {
        tenancy::Event::PolicySet(policy) => NewEvent::of(
            policy.tenant,
            "policy",
            policy.key,
            &pb::PolicySet {
                key: policy.key.to_string(),
                value: policy.value.to_string(),
                valid_from: policy.valid_from.to_string(),
            },
        ),
        tenancy::Event::RegionDefined(region) => NewEvent::of(
            region.tenant,
            "region",
            region.id,
            &pb::RegionDefined {
                region_id: region.id.to_string(),
                name: region.name.clone(),
                municipalities: region.municipalities.iter().map(ToString::to_string).collect(),
                valid_from: region.valid_from.to_string(),
            },
        ),
        tenancy::Event::UnitRegistered(unit) => NewEvent::of(
            unit.tenant,
            "unit",
            unit.id,
            &pb::ServiceUnitRegistered {
                unit_id: unit.id.to_string(),
                name: unit.name.clone(),
                kind: unit.kind.as_str().to_owned(),
                municipality: unit.municipality.to_string(),
            },
        ),
    }
}

/// Of people, only that somebody began to take part, and in which kind of role.
pub(crate) fn participant(
    participant: &Participant,
    event: &participant::Event,
    kind: Role,
) -> Option<NewEvent> {
    match event {
        participant::Event::Activated => {
            let role_kind = convert::role_out(kind).into();
            let payload = pb::ParticipantActivated { role_kind };
            // The county stands for the thing it happened to: an id would be a person's.
            Some(NewEvent::of(participant.tenant, "participation", participant.tenant, &payload))
        }
        participant::Event::Registered(_)
        | participant::Event::ProfileChanged(_)
        | participant::Event::Suspended
        | participant::Event::Reinstated
        | participant::Event::Left => None,
    }
}

/// Roles without their holder.
pub(crate) fn role(assignment: &Assignment, event: &role::Event) -> NewEvent {
    let role: common::HeldRole = convert::held_role_out(&assignment.held);
    let scope = scope_id(&assignment.held);
    match event {
        role::Event::Assigned(assigned) => {
            let payload = pb::RoleAssigned {
                role: Some(role),
                starts_on: assigned.starts_on.to_string(),
                ends_on: convert::optional_date_out(assigned.ends_on),
            };
            NewEvent::of(assignment.tenant, "role", scope, &payload)
        }
        role::Event::Ended => {
            NewEvent::of(assignment.tenant, "role", scope, &pb::RoleEnded { role: Some(role) })
        }
    }
}

/// The scope stands for the thing it happened to: the assignment's id would be as good as a person's.
fn scope_id(held: &HeldRole) -> String {
    held.scope.to_string()
}

/// Of attestations, only that the number of them moved to another bucket. `before` and `after` are the numbers.
pub(crate) fn eligible(
    attestation: &Attestation,
    event: &attestation::Event,
    before: u64,
    after: u64,
) -> Option<NewEvent> {
    match event {
        attestation::Event::Attested(_) | attestation::Event::Ended(_) => {
            let bucket = attestation::moved_bucket(before, after)?;
            let payload = pb::EligibleCountChanged {
                group: attestation.group.clone(),
                municipality: attestation.municipality.to_string(),
                bucket: bucket.to_string(),
            };
            let id = format!("{}/{}", attestation.group, attestation.municipality);
            Some(NewEvent::of(attestation.tenant, "eligibility", id, &payload))
        }
    }
}

/// A roll as hash and counts. `tenants` are the counties of the forum, the lead first.
pub(crate) fn roll_frozen(
    tenants: &[TenantId],
    election: ElectionId,
    roll: &Roll,
    hash: [u8; 32],
) -> Option<NewEvent> {
    let (lead, others) = tenants.split_first()?;
    let payload = pb::RollFrozen {
        election_id: election.to_string(),
        roll_hash: hash.to_vec(),
        counts: convert::counts_out(&roll.counts),
    };
    Some(NewEvent::of(*lead, "election", election, &payload).joint(others.to_vec()))
}
