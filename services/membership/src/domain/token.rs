//! What a token tells about its holder: rights of today, and nothing that says who it is.

use kernel::{
    ActingMode, Attestation as AttestationClaim, Date, HeldRole, ParticipantId, Role, RollClaim, ScopeRef,
    TenantId, UnitId,
};
use time::Duration;

use super::Rejection;
use super::attestation::Attestation;
use super::participant::{Participant, State};
use super::role::{self, Assignment};

/// How long an actor token is good for, in real time.
pub const ACTOR_TOKEN: Duration = Duration::minutes(5);
/// How long a voucher is good for, in real time.
pub const VOUCHER: Duration = Duration::minutes(15);
/// How long a session lasts, in real time.
pub const SESSION: Duration = Duration::hours(12);
/// How long a nomination code may be used, by the business clock.
pub const NOMINATION_CODE: Duration = Duration::days(7);
/// Clocks of two machines may differ by this much.
pub const LEEWAY: Duration = Duration::seconds(30);

/// The services a token may be for.
pub const AUDIENCES: [&str; 5] = ["membership", "forums", "proposals", "partners", "reporting"];

/// The service called `name`, as a constant.
///
/// # Errors
/// AudienceUnknown.
pub fn audience(name: &str) -> Result<&'static str, Rejection> {
    AUDIENCES.into_iter().find(|known| *known == name).ok_or(Rejection::AudienceUnknown)
}

/// Everything that is on record of a human.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The human in the registers of the counties.
    pub participants: Vec<Participant>,
    /// Roles, ended ones too.
    pub roles: Vec<Assignment>,
    /// Attestations, ended ones too.
    pub attestations: Vec<Attestation>,
    /// Places on the rolls of elections that are not over, each with the entry in the register that has it.
    pub rolls: Vec<(ParticipantId, RollClaim)>,
}

/// What the human may show a service today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Counties in which the human takes part or holds a role, in the order of their codes.
    pub tenants: Vec<TenantId>,
    /// Roles held today, in the order of the kernel's list.
    pub roles: Vec<HeldRole>,
    /// Attestations in force today.
    pub attestations: Vec<AttestationClaim>,
    /// Places on rolls.
    pub rolls: Vec<RollClaim>,
}

impl Record {
    /// The record without the entries in other counties' registers: whoever proved to one county who they are has
    /// proved it to no other. What belongs to the other entries gives no rights, but what it rules out stays ruled out.
    #[must_use]
    pub fn only(mut self, participant: ParticipantId) -> Record {
        self.participants.retain(|one| one.id == participant);
        self
    }

    /// The record without the entries in other counties' registers than these, for the same reason.
    #[must_use]
    pub fn within(mut self, tenants: &[TenantId]) -> Record {
        self.participants.retain(|one| tenants.contains(&one.tenant));
        self
    }

    /// The rights of a token of today.
    ///
    /// A mandate carries the counties only: no office, and no vote or candidacy (M5). Whoever is staff in another county
    /// gets neither attestations nor places on rolls (F8): the token does not tell the role, which would be a right.
    ///
    /// # Errors
    /// SessionRefused if the human has left everywhere, Suspended if they are shut out wherever they are.
    pub fn rights(&self, mode: ActingMode, today: Date) -> Result<Rights, Rejection> {
        let present: Vec<&Participant> =
            self.participants.iter().filter(|one| !one.state.is_gone()).collect();
        if present.is_empty() {
            return Err(Rejection::SessionRefused);
        }
        let let_in: Vec<&Participant> =
            present.into_iter().filter(|one| one.state != State::Suspended).collect();
        if let_in.is_empty() {
            return Err(Rejection::Suspended);
        }
        let is_in = |participant| let_in.iter().any(|one| one.id == participant);
        let mut tenants: Vec<TenantId> = let_in.iter().map(|one| one.tenant).collect();
        let mut rights =
            Rights { tenants: Vec::new(), roles: Vec::new(), attestations: Vec::new(), rolls: Vec::new() };
        if mode != ActingMode::OnBehalf {
            let held = self.roles.iter().filter(|role| role.is_on(today) && is_in(role.participant));
            for role in held {
                rights.roles.push(role.held);
                tenants.push(role.tenant);
            }
            rights.roles.sort_unstable();
        }
        let staff_elsewhere = self.staff_roles(today).any(|role| !is_in(role.participant));
        if mode != ActingMode::OnBehalf && !staff_elsewhere {
            let attested = self.attestations.iter().filter(|one| one.is_on(today) && is_in(one.participant));
            rights.attestations = attested
                .map(|one| AttestationClaim {
                    group: one.group.clone(),
                    municipality: one.municipality,
                    since: one.attested_on,
                })
                .collect();
            let on_rolls = self.rolls.iter().filter(|(entry, _)| is_in(*entry));
            rights.rolls = on_rolls.map(|(_, claim)| *claim).collect();
        }
        tenants.sort_unstable();
        tenants.dedup();
        rights.tenants = tenants;
        Ok(rights)
    }

    /// Whether the human is staff in any county (F8).
    pub fn is_staff(&self, today: Date) -> bool {
        self.staff_roles(today).next().is_some()
    }

    /// Whether they are a support person in this county by a role of today.
    pub fn is_support_person(&self, entry: ParticipantId, today: Date) -> bool {
        let mut held = self.roles.iter().filter(|one| one.participant == entry && one.is_on(today));
        held.any(|one| one.held.role == Role::SupportPerson)
    }

    /// The units where the human works, in any county: in their matters they are not independent (M3). Sorted, each once.
    pub fn work_units(&self, today: Date) -> Vec<UnitId> {
        let works = |one: &&Assignment| matches!(one.held.role, Role::UnitStaff | Role::UnitManager);
        let unit_of = |one: &Assignment| match one.held.scope {
            ScopeRef::Unit(unit) => Some(unit),
            _ => None,
        };
        let mut units: Vec<UnitId> = self.staff_roles(today).filter(works).filter_map(unit_of).collect();
        units.sort_unstable();
        units.dedup();
        units
    }

    /// Of all counties, of those where the human is shut out too.
    fn staff_roles(&self, today: Date) -> impl Iterator<Item = &Assignment> {
        self.roles.iter().filter(move |one| one.is_on(today) && role::is_staff(one.held.role))
    }
}

#[cfg(test)]
mod tests {
    use kernel::{AssignmentId, AttestationId, ElectionId, MunicipalityCode, Uuid};
    use time::macros::date;

    use super::super::participant::tests::participant;
    use super::super::{attestation, role};
    use super::*;

    const TODAY: Date = date!(2026 - 03 - 02);

    fn record(state: State) -> Record {
        let participant = participant(state);
        let tenant = participant.tenant;
        let municipality = MunicipalityCode::new("139").unwrap();
        Record {
            roles: vec![Assignment {
                id: AssignmentId::from_uuid(Uuid::nil()),
                participant: participant.id,
                tenant,
                held: HeldRole { role: Role::Resident, scope: ScopeRef::Tenant(tenant) },
                starts_on: TODAY,
                ends_on: Some(TODAY),
                state: role::State::Active,
            }],
            attestations: vec![Attestation {
                id: AttestationId::from_uuid(Uuid::nil()),
                participant: participant.id,
                tenant,
                unit: UnitId::from_uuid(Uuid::nil()),
                group: "disability_services".to_owned(),
                municipality,
                attested_on: TODAY,
                expires_on: TODAY,
                state: attestation::State::Active,
            }],
            rolls: vec![(
                participant.id,
                RollClaim { election: ElectionId::from_uuid(Uuid::nil()), municipality },
            )],
            participants: vec![participant],
        }
    }

    #[test]
    fn only_what_is_in_force_today_is_told() {
        let rights = record(State::Active).rights(ActingMode::Alone, TODAY).unwrap();
        assert_eq!((rights.roles.len(), rights.attestations.len(), rights.rolls.len()), (1, 1, 1));
        let later = TODAY.next_day().unwrap();
        let rights = record(State::Active).rights(ActingMode::Alone, later).unwrap();
        assert_eq!((rights.roles.len(), rights.attestations.len()), (0, 0));
    }

    #[test]
    fn a_suspended_entry_on_the_roll_votes_through_no_other_entry() {
        let mut record = record(State::Suspended);
        let other = Participant {
            id: ParticipantId::from_uuid(Uuid::from_u128(99)),
            tenant: TenantId::new("21").unwrap(),
            ..participant(State::Active)
        };
        record.participants.push(other);
        let rights = record.rights(ActingMode::Alone, TODAY).unwrap();
        assert_eq!((rights.rolls.len(), rights.roles.len(), rights.attestations.len()), (0, 0, 0));
    }

    #[test]
    fn f8_staff_of_one_county_neither_votes_nor_stands_with_the_card_of_another() {
        let mut record = record(State::Active);
        let other = Participant {
            id: ParticipantId::from_uuid(Uuid::from_u128(99)),
            tenant: TenantId::new("21").unwrap(),
            ..participant(State::Active)
        };
        let unit = ScopeRef::Unit(UnitId::from_uuid(Uuid::nil()));
        for role in [Role::UnitStaff, Role::UnitManager, Role::SupportPerson] {
            let mut record = record.clone();
            record.participants.push(other.clone());
            record.roles.push(Assignment {
                participant: other.id,
                tenant: other.tenant,
                held: HeldRole { role, scope: unit },
                ..record.roles[0].clone()
            });
            let own = record.participants[0].id;
            let rights = record.clone().only(own).rights(ActingMode::Alone, TODAY).unwrap();
            assert_eq!((rights.rolls.len(), rights.attestations.len()), (0, 0), "{role}");
            assert_eq!(rights.roles, [record.roles[0].held], "and the other county's role gives no right");
            let later = TODAY.next_day().unwrap();
            assert!(record.is_staff(TODAY) && !record.is_staff(later), "until the role ends");
        }
        // Other roles elsewhere rule nothing out.
        record.roles[0].participant = other.id;
        record.participants.push(other);
        let own = record.participants[0].id;
        assert_eq!(record.only(own).rights(ActingMode::Alone, TODAY).unwrap().rolls.len(), 1);
    }

    #[test]
    fn m3_the_units_of_a_helper_are_those_where_they_work_today() {
        let mut record = record(State::Active);
        let unit = |number: u128| UnitId::from_uuid(Uuid::from_u128(number));
        let held = |role, number| HeldRole { role, scope: ScopeRef::Unit(unit(number)) };
        let first = record.roles[0].clone();
        let roles = [(Role::UnitStaff, 2), (Role::UnitManager, 1), (Role::UnitManager, 2)];
        record
            .roles
            .extend(roles.map(|(role, number)| Assignment { held: held(role, number), ..first.clone() }));
        let support_person = Assignment { held: held(Role::SupportPerson, 3), ..first };
        record.roles.push(support_person);
        assert_eq!(record.work_units(TODAY), [unit(1), unit(2)]);
        assert_eq!(record.work_units(TODAY.next_day().unwrap()), []);
    }

    #[test]
    fn m5_a_mandate_never_covers_voting() {
        let rights = record(State::Active).rights(ActingMode::OnBehalf, TODAY).unwrap();
        assert_eq!(rights.rolls, []);
        assert_eq!(rights.attestations, []);
        assert_eq!(rights.roles, []);
        assert_eq!(rights.tenants, [TenantId::new("19").unwrap()]);
    }

    #[test]
    fn who_is_shut_out_or_gone_gets_nothing() {
        let alone = ActingMode::Alone;
        assert_eq!(record(State::Suspended).rights(alone, TODAY), Err(Rejection::Suspended));
        assert_eq!(record(State::Left).rights(alone, TODAY), Err(Rejection::SessionRefused));
    }
}
