//! Every conversion between the contracts' messages and the domain's types.

pub(crate) mod contact;
pub(crate) mod support;

use std::collections::BTreeMap;

use kernel::{
    ActingMode, Assurance, Date, Fault, HeldRole, Invalid, MunicipalityCode, PolicyKey, Role, ScopeKind,
    ScopeRef, TenantId, Timestamp, deadline,
};
use proto::{common, membership as pb};

use crate::domain::attestation::{self, Attestation};
use crate::domain::card::{self, Card};
use crate::domain::import::{COLUMNS, RawRow, RowFault};
use crate::domain::participant::{self, Participant, Profile};
use crate::domain::role::Assignment;
use crate::domain::tenancy::{Policy, Region, ServiceUnit, UnitKind};
use crate::domain::text;

/// A checked value of the request's field, or a fault that names the field.
pub(crate) fn field<T>(name: &str, read: Result<T, Invalid>) -> Result<T, Fault> {
    read.map_err(|invalid| invalid.in_field(name))
}

/// A code or id.
pub(crate) fn parsed<T: std::str::FromStr<Err = Invalid>>(name: &str, value: &str) -> Result<T, Fault> {
    field(name, value.parse())
}

/// A day.
pub(crate) fn date_in(name: &str, value: &str) -> Result<Date, Fault> {
    field(name, deadline::parse_date(value))
}

/// A day, or nothing.
pub(crate) fn optional_date_in(name: &str, value: &str) -> Result<Option<Date>, Fault> {
    if value.is_empty() { Ok(None) } else { date_in(name, value).map(Some) }
}

/// A day as text; empty for none.
pub(crate) fn optional_date_out(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// A moment.
pub(crate) fn timestamp_out(at: Timestamp) -> prost_types::Timestamp {
    let nanos = at.as_micros().rem_euclid(1_000_000) * 1_000;
    prost_types::Timestamp { seconds: at.as_seconds(), nanos: i32::try_from(nanos).unwrap_or(0) }
}

/// A role: the same names in the contract and in the kernel.
pub(crate) fn role_out(role: Role) -> common::Role {
    let name = format!("ROLE_{}", role.as_str().to_ascii_uppercase());
    common::Role::from_str_name(&name).unwrap_or(common::Role::Unspecified)
}

fn role_in(role: common::Role) -> Result<Role, Invalid> {
    let name = role.as_str_name().strip_prefix("ROLE_").unwrap_or_default().to_ascii_lowercase();
    name.parse()
}

/// A role in its scope.
pub(crate) fn held_role_out(held: &HeldRole) -> common::HeldRole {
    let kind = match held.scope.kind() {
        ScopeKind::Tenant => common::ScopeKind::Tenant,
        ScopeKind::Region => common::ScopeKind::Region,
        ScopeKind::Forum => common::ScopeKind::Forum,
        ScopeKind::Unit => common::ScopeKind::Unit,
        ScopeKind::Cell => common::ScopeKind::Cell,
    };
    common::HeldRole { role: role_out(held.role).into(), scope_kind: kind.into(), scope_id: held.scope.id() }
}

/// A role in its scope.
pub(crate) fn held_role_in(held: Option<&common::HeldRole>) -> Result<HeldRole, Fault> {
    let missing = || Invalid::new("a role in its scope must be named", "send role, scope kind and scope id");
    let held = field("role", held.ok_or_else(missing))?;
    let role = field("role.role", role_in(held.role()))?;
    let kind = match held.scope_kind() {
        common::ScopeKind::Tenant => ScopeKind::Tenant,
        common::ScopeKind::Region => ScopeKind::Region,
        common::ScopeKind::Forum => ScopeKind::Forum,
        common::ScopeKind::Unit => ScopeKind::Unit,
        common::ScopeKind::Cell => ScopeKind::Cell,
        common::ScopeKind::Unspecified => {
            let invalid =
                Invalid::new("the kind of scope must be named", "send for example SCOPE_KIND_FORUM");
            return Err(invalid.in_field("role.scope_kind"));
        }
    };
    let scope = field("role.scope_id", ScopeRef::from_parts(kind, &held.scope_id))?;
    Ok(HeldRole { role, scope })
}

/// How surely somebody was identified.
pub(crate) fn assurance_out(assurance: Assurance) -> common::Assurance {
    match assurance {
        Assurance::Low => common::Assurance::Low,
        Assurance::Substantial => common::Assurance::Substantial,
        Assurance::High => common::Assurance::High,
    }
}

/// How somebody acts; nothing said means alone.
pub(crate) fn mode_in(mode: common::ActingMode) -> ActingMode {
    match mode {
        common::ActingMode::Unspecified | common::ActingMode::Self_ => ActingMode::Alone,
        common::ActingMode::Assisted => ActingMode::Assisted,
        common::ActingMode::Dictated => ActingMode::Dictated,
        common::ActingMode::OnBehalf => ActingMode::OnBehalf,
    }
}

/// A county by its code.
pub(crate) fn tenant_out(tenant: TenantId) -> pb::Tenant {
    let county = tenant.county();
    pb::Tenant {
        code: tenant.to_string(),
        name_fi: county.map(|county| county.name_fi.clone()).unwrap_or_default(),
        name_sv: county.map(|county| county.name_sv.clone()).unwrap_or_default(),
        languages: county.into_iter().flat_map(|county| county.languages()).map(str::to_owned).collect(),
    }
}

/// A policy value that a county has set.
pub(crate) fn policy_out(policy: &Policy) -> pb::Policy {
    pb::Policy {
        tenant: policy.tenant.to_string(),
        key: policy.key.to_string(),
        value: policy.value.to_string(),
        valid_from: policy.valid_from.to_string(),
    }
}

/// The product's default for a key.
pub(crate) fn default_policy_out(tenant: TenantId, key: PolicyKey) -> pb::Policy {
    pb::Policy {
        tenant: tenant.to_string(),
        key: key.to_string(),
        value: key.rule().default.to_string(),
        valid_from: String::new(),
    }
}

/// A region.
pub(crate) fn region_out(region: &Region) -> pb::Region {
    pb::Region {
        region_id: region.id.to_string(),
        tenant: region.tenant.to_string(),
        name: region.name.clone(),
        municipalities: region.municipalities.iter().map(ToString::to_string).collect(),
        valid_from: region.valid_from.to_string(),
    }
}

/// Municipality codes: at least one, at most 400, none twice.
pub(crate) fn municipalities_in(codes: &[String]) -> Result<Vec<MunicipalityCode>, Fault> {
    if codes.is_empty() || codes.len() > 400 {
        let invalid = Invalid::new("a region has 1 to 400 municipalities", "send their three-digit codes");
        return Err(invalid.in_field("municipalities"));
    }
    let mut known = Vec::with_capacity(codes.len());
    for (number, code) in codes.iter().enumerate() {
        let name = format!("municipalities[{number}]");
        let code: MunicipalityCode = parsed(&name, code)?;
        if known.contains(&code) {
            let invalid = Invalid::new("a municipality is in a region once", "remove the second one");
            return Err(invalid.in_field(name));
        }
        known.push(code);
    }
    Ok(known)
}

/// A service unit.
pub(crate) fn unit_out(unit: &ServiceUnit) -> pb::ServiceUnit {
    let kind = match unit.kind {
        UnitKind::WorkActivity => pb::ServiceUnitKind::WorkActivity,
        UnitKind::DayActivity => pb::ServiceUnitKind::DayActivity,
        UnitKind::Housing => pb::ServiceUnitKind::Housing,
        UnitKind::OtherSupport => pb::ServiceUnitKind::OtherSupport,
    };
    pb::ServiceUnit {
        unit_id: unit.id.to_string(),
        tenant: unit.tenant.to_string(),
        name: unit.name.clone(),
        kind: kind.into(),
        municipality: unit.municipality.to_string(),
    }
}

/// Kind of a service unit.
pub(crate) fn unit_kind_in(kind: pb::ServiceUnitKind) -> Result<UnitKind, Fault> {
    match kind {
        pb::ServiceUnitKind::WorkActivity => Ok(UnitKind::WorkActivity),
        pb::ServiceUnitKind::DayActivity => Ok(UnitKind::DayActivity),
        pb::ServiceUnitKind::Housing => Ok(UnitKind::Housing),
        pb::ServiceUnitKind::OtherSupport => Ok(UnitKind::OtherSupport),
        pb::ServiceUnitKind::Unspecified => {
            let invalid =
                Invalid::new("the kind of unit must be named", "send for example SERVICE_UNIT_KIND_HOUSING");
            Err(invalid.in_field("kind"))
        }
    }
}

/// Name and addresses of a person to register.
pub(crate) fn profile_in(request: &pb::RegisterParticipantRequest) -> Result<Profile, Fault> {
    Ok(Profile {
        display_name: field("display_name", text::name(&request.display_name))?,
        language: field("language", text::language(&request.language))?,
        email: field("email", text::email(&request.email))?,
        phone: field("phone", text::phone(&request.phone))?,
    })
}

/// A person with what is on record of them; `attestations` and `roles` may be other people's too.
pub(crate) fn participant_out(
    participant: &Participant,
    attestations: &[Attestation],
    roles: &[Assignment],
) -> pb::Participant {
    let state = match participant.state {
        participant::State::Invited => pb::ParticipantState::Invited,
        participant::State::Active => pb::ParticipantState::Active,
        participant::State::Suspended => pb::ParticipantState::Suspended,
        participant::State::Left => pb::ParticipantState::Left,
        participant::State::Anonymised => pb::ParticipantState::Anonymised,
    };
    let attestations = attestations.iter().filter(|one| one.participant == participant.id);
    let roles = roles.iter().filter(|one| one.participant == participant.id);
    pb::Participant {
        participant_id: participant.id.to_string(),
        tenant: participant.tenant.to_string(),
        display_name: participant.profile.display_name.clone(),
        language: participant.profile.language.to_string(),
        email: participant.profile.email.clone(),
        phone: participant.profile.phone.clone(),
        state: state.into(),
        attestations: attestations.map(attestation_out).collect(),
        roles: roles.map(assignment_out).collect(),
    }
}

/// An attestation.
pub(crate) fn attestation_out(attestation: &Attestation) -> pb::Attestation {
    pb::Attestation {
        attestation_id: attestation.id.to_string(),
        group: attestation.group.clone(),
        municipality: attestation.municipality.to_string(),
        attested_on: attestation.attested_on.to_string(),
        expires_on: attestation.expires_on.to_string(),
        revoked: attestation.state == attestation::State::Revoked,
    }
}

/// A code card, for its holder.
pub(crate) fn card_out(card: &Card, issued_by: String, unit: String, now: Timestamp) -> pb::CodeCard {
    let state = match card.state {
        card::State::Used => pb::CodeCardState::Used,
        card::State::Replaced => pb::CodeCardState::Replaced,
        card::State::Open if now > card.expires_at => pb::CodeCardState::Expired,
        card::State::Open if card.is_locked() => pb::CodeCardState::Locked,
        card::State::Open => pb::CodeCardState::Open,
    };
    pb::CodeCard {
        card: card.number.clone(),
        issued_at: Some(timestamp_out(card.issued_at)),
        issued_by,
        unit,
        expires_at: Some(timestamp_out(card.expires_at)),
        state: state.into(),
    }
}

/// A role of a person.
pub(crate) fn assignment_out(assignment: &Assignment) -> pb::RoleAssignment {
    pb::RoleAssignment {
        assignment_id: assignment.id.to_string(),
        role: Some(held_role_out(&assignment.held)),
        starts_on: assignment.starts_on.to_string(),
        ends_on: optional_date_out(assignment.ends_on),
    }
}

/// Numbers by municipality, in the order of the codes.
pub(crate) fn counts_out(counts: &BTreeMap<MunicipalityCode, u32>) -> Vec<common::MunicipalityCount> {
    let count = |(municipality, count): (&MunicipalityCode, &u32)| common::MunicipalityCount {
        municipality: municipality.to_string(),
        count: *count,
    };
    counts.iter().map(count).collect()
}

/// A row of a register, unchecked.
pub(crate) fn raw_row_in(row: pb::ImportRow) -> RawRow {
    let cells = [
        row.register_key,
        row.display_name,
        row.language,
        row.email,
        row.phone,
        row.identity_link,
        row.group,
        row.municipality,
        row.unit,
        row.role,
    ];
    RawRow { line: row.line, cells }
}

/// A fault of a row.
pub(crate) fn row_fault_out(fault: RowFault) -> pb::ImportFault {
    pb::ImportFault { line: fault.line, column: fault.column.to_owned(), reason: fault.reason }
}

/// The kind of helper, as a word for the database.
pub(crate) fn helper_kind_in(kind: pb::HelperKind) -> Result<&'static str, Fault> {
    match kind {
        pb::HelperKind::SupportPerson => Ok("support_person"),
        pb::HelperKind::Staff => Ok("staff"),
        pb::HelperKind::ClosePerson => Ok("close_person"),
        pb::HelperKind::ElectionOfficer => Ok("election_officer"),
        pb::HelperKind::Unspecified => {
            let invalid = Invalid::new(
                "the kind of helper must be named",
                "send for example HELPER_KIND_SUPPORT_PERSON",
            );
            Err(invalid.in_field("helper_kind"))
        }
    }
}

/// The fault of an import: every fault of every row, by its place in the request.
pub(crate) fn import_refused(faults: Vec<RowFault>) -> Fault {
    let message = format!(
        "rows: {} cells are wrong; nothing was stored. Correct the rows and send them again.",
        faults.len()
    );
    // A client that wants all of them asks CheckImport; an error has room for some.
    faults.into_iter().take(100).fold(Fault::invalid("membership.import_refused", message), |fault, row| {
        let column = if COLUMNS.contains(&row.column) { row.column } else { "row" };
        fault.field(
            format!("line {}, {column}", row.line),
            row.reason,
            "correct the cell and send the rows again",
        )
    })
}

#[cfg(test)]
mod tests {
    use kernel::{ForumId, Uuid};

    use super::*;

    #[test]
    fn every_role_has_the_same_name_in_the_contract() {
        for role in Role::ALL {
            let out = role_out(role);
            assert_ne!(out, common::Role::Unspecified, "{role}");
            assert_eq!(role_in(out), Ok(role));
        }
        assert!(role_in(common::Role::Unspecified).is_err());
    }

    #[test]
    fn roles_in_scopes_survive_the_way_out_and_in() {
        let scopes = [
            ScopeRef::Tenant(TenantId::new("19").unwrap()),
            ScopeRef::Region(Uuid::from_u128(1).into()),
            ScopeRef::Forum(ForumId::from_uuid(Uuid::from_u128(2))),
            ScopeRef::Unit(Uuid::from_u128(3).into()),
            ScopeRef::Cell,
        ];
        for scope in scopes {
            let held = HeldRole { role: Role::Auditor, scope };
            assert_eq!(held_role_in(Some(&held_role_out(&held))).unwrap(), held);
        }
        for wrong in [None, Some(common::HeldRole::default())] {
            let fault = held_role_in(wrong.as_ref()).unwrap_err();
            assert!(fault.fields()[0].field.starts_with("role"), "{fault}");
        }
    }

    #[test]
    fn the_cells_of_a_row_stand_in_the_order_of_the_columns() {
        let name = |column: &str| column.to_owned();
        let row = pb::ImportRow {
            line: 3,
            register_key: name("register_key"),
            display_name: name("display_name"),
            language: name("language"),
            email: name("email"),
            phone: name("phone"),
            identity_link: name("identity_link"),
            group: name("group"),
            municipality: name("municipality"),
            unit: name("unit"),
            role: name("role"),
        };
        assert_eq!(raw_row_in(row).cells, COLUMNS.map(str::to_owned));
    }
}
