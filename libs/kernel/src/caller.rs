//! Who is calling: what a verified token says, and the questions rules ask of it.
//!
//! A [`Caller`] is an explicit parameter everywhere. It is made from a token by the access layer, or by tests and
//! jobs with the constructors here.

use time::Date;

use crate::{
    ActingMode, Assurance, ElectionId, Fault, HeldRole, MunicipalityCode, Role, ScopeRef, Subject, TenantId,
    Timestamp, UnitId,
};

/// Who a caller is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Nobody signed in.
    Anonymous,
    /// A person, by the reference of the service called.
    Person(Subject),
    /// One of the platform's own services or a system of the county, by its name.
    Service(String),
}

/// A place on the frozen roll of an election (F3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RollClaim {
    /// The election.
    pub election: ElectionId,
    /// The constituency: where the person votes.
    pub municipality: MunicipalityCode,
}

/// That the person is a client of one group in one municipality (M1), by the word of staff.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attestation {
    /// The group: a service area, for example "disability_services".
    pub group: String,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The day it was attested.
    pub since: Date,
}

/// Who is beside the caller: the support person of a member who acts [`ActingMode::Assisted`], or the holder of the
/// mandate by which an act [`ActingMode::OnBehalf`] comes about. The caller's subject is the member or the principal all
/// the same: a helper has no rights of their own here (M4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helper {
    /// The helper, by the reference of the service called.
    pub reference: Subject,
    /// Units in whose matters the helper is not independent, because they work there (M3): sorted, each once.
    pub conflict_units: Vec<UnitId>,
}

impl Helper {
    /// Whether a matter of this unit is one in which the helper is not independent (M3).
    pub fn is_in_conflict(&self, unit: UnitId) -> bool {
        self.conflict_units.contains(&unit)
    }
}

/// The verified token of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub identity: Identity,
    /// The service the token is for, for example "forums"; empty for the anonymous.
    pub audience: String,
    /// The counties the caller belongs to.
    pub tenants: Vec<TenantId>,
    /// Roles, each with its scope.
    pub roles: Vec<HeldRole>,
    /// Places on the rolls of open elections.
    pub rolls: Vec<RollClaim>,
    /// Attestations in force.
    pub attestations: Vec<Attestation>,
    /// How the act comes about.
    pub mode: ActingMode,
    /// Who helps, if membership knows of somebody. A member may also be helped by somebody whom it does not know.
    pub helper: Option<Helper>,
    /// Whether the person is staff of the services, or a support person, in any county today: also where that gives no right
    /// here. Told to forums only, where nobody who is takes part in decisions (F8, M4).
    pub staff_somewhere: bool,
    /// How surely the person was identified.
    pub assurance: Assurance,
    /// When the token ends, in real time.
    pub expires: Timestamp,
}

impl Caller {
    /// Nobody signed in: no role anywhere.
    pub fn anonymous() -> Self {
        Self::with(Identity::Anonymous)
    }

    /// A signed-in person without any role; give more with the struct's fields:
    /// `Caller { roles, ..Caller::person(subject) }`.
    pub fn person(subject: Subject) -> Self {
        Self::with(Identity::Person(subject))
    }

    /// One of the platform's own services: role [`Role::Service`] in the whole deployment, high assurance.
    pub fn service(name: impl Into<String>) -> Self {
        Self {
            roles: vec![HeldRole { role: Role::Service, scope: ScopeRef::Cell }],
            assurance: Assurance::High,
            ..Self::with(Identity::Service(name.into()))
        }
    }

    fn with(identity: Identity) -> Self {
        Self {
            identity,
            audience: String::new(),
            tenants: Vec::new(),
            roles: Vec::new(),
            rolls: Vec::new(),
            attestations: Vec::new(),
            mode: ActingMode::Alone,
            helper: None,
            staff_somewhere: false,
            assurance: Assurance::Low,
            expires: Timestamp::MAX,
        }
    }

    /// The person calling; Unauthenticated (`access.sign_in`) if nobody signed in, Forbidden
    /// (`access.person_only`) for a service.
    pub fn subject(&self) -> Result<Subject, Fault> {
        match &self.identity {
            Identity::Person(subject) => Ok(*subject),
            Identity::Anonymous => Err(Fault::unauthenticated("access.sign_in", "Sign in first.")),
            Identity::Service(_) => {
                Err(Fault::forbidden("access.person_only", "Only a person may do this, not a service."))
            }
        }
    }

    /// Whether nobody signed in.
    pub fn is_anonymous(&self) -> bool {
        self.identity == Identity::Anonymous
    }

    /// The name of the calling service; None for people.
    pub fn service_name(&self) -> Option<&str> {
        match &self.identity {
            Identity::Service(name) => Some(name),
            Identity::Anonymous | Identity::Person(_) => None,
        }
    }

    /// Whose idempotency keys a command belongs to: two callers may use the same key without meeting.
    /// The anonymous share one principal.
    pub fn principal(&self) -> String {
        match &self.identity {
            Identity::Anonymous => "anonymous".to_owned(),
            Identity::Person(subject) => format!("person:{subject}"),
            Identity::Service(name) => format!("service:{name}"),
        }
    }

    /// Whether the caller holds any of these roles in exactly this scope.
    pub fn holds(&self, any_of: &[Role], scope: &ScopeRef) -> bool {
        self.roles.iter().any(|held| held.scope == *scope && any_of.contains(&held.role))
    }

    /// The scopes in which the caller holds this role.
    pub fn scopes_of(&self, role: Role) -> impl Iterator<Item = ScopeRef> + '_ {
        self.roles.iter().filter(move |held| held.role == role).map(|held| held.scope)
    }

    /// The caller's place on the roll of this election, if any (F3).
    pub fn roll_for(&self, election: ElectionId) -> Option<&RollClaim> {
        self.rolls.iter().find(|claim| claim.election == election)
    }

    /// The caller's attestation as a client of this group in this municipality, if any (M1).
    pub fn attested(&self, group: &str, municipality: MunicipalityCode) -> Option<&Attestation> {
        self.attestations.iter().find(|held| held.group == group && held.municipality == municipality)
    }

    /// Whether the caller belongs to this county.
    pub fn in_tenant(&self, tenant: TenantId) -> bool {
        self.tenants.contains(&tenant)
    }

    /// Refuses with Forbidden (`access.assurance`) unless the person was identified at least this surely.
    pub fn require_assurance(&self, least: Assurance) -> Result<(), Fault> {
        if self.assurance >= least {
            return Ok(());
        }
        Err(Fault::forbidden(
            "access.assurance",
            format!("This asks for a surer sign-in ({least}). Sign in again with the other method."),
        ))
    }

    /// Whether the token has ended at this moment of real time.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;
    use uuid::Uuid;

    use super::*;
    use crate::{FaultKind, ForumId};

    fn subject() -> Subject {
        Uuid::from_u128(1).into()
    }

    fn forum(number: u128) -> ScopeRef {
        ScopeRef::Forum(ForumId::from_uuid(Uuid::from_u128(number)))
    }

    fn municipality(code: &str) -> MunicipalityCode {
        MunicipalityCode::new(code).unwrap()
    }

    #[test]
    fn a_role_counts_only_in_its_own_scope() {
        let pohde = ScopeRef::Tenant(TenantId::new("19").unwrap());
        let lapha = ScopeRef::Tenant(TenantId::new("21").unwrap());
        let roles = vec![
            HeldRole { role: Role::ElectionOfficer, scope: forum(7) },
            HeldRole { role: Role::Administrator, scope: pohde },
        ];
        let caller = Caller { roles, ..Caller::person(subject()) };
        assert!(caller.holds(&[Role::ForumSecretary, Role::ElectionOfficer], &forum(7)));
        assert!(!caller.holds(&[Role::ElectionOfficer], &forum(8)), "another forum");
        assert!(!caller.holds(&[Role::ForumSecretary], &forum(7)), "another role");
        assert!(!caller.holds(&[Role::Administrator], &lapha), "another county");
        assert!(!caller.holds(&[Role::Administrator], &forum(7)), "a county's role is no forum's role");
        assert!(!caller.holds(&[], &forum(7)));
        assert_eq!(caller.scopes_of(Role::ElectionOfficer).collect::<Vec<_>>(), [forum(7)]);
    }

    #[test]
    fn f3_a_roll_claim_is_for_one_election() {
        let election = ElectionId::from_uuid(Uuid::from_u128(3));
        let claim = RollClaim { election, municipality: municipality("139") };
        let caller = Caller { rolls: vec![claim], ..Caller::person(subject()) };
        assert_eq!(caller.roll_for(election), Some(&claim));
        assert_eq!(caller.roll_for(Uuid::from_u128(4).into()), None);
    }

    #[test]
    fn m1_an_attestation_is_for_one_group_and_one_municipality() {
        let held = Attestation {
            group: "disability_services".to_owned(),
            municipality: municipality("785"),
            since: date!(2026 - 01 - 15),
        };
        let caller = Caller { attestations: vec![held.clone()], ..Caller::person(subject()) };
        assert_eq!(caller.attested("disability_services", municipality("785")), Some(&held));
        assert_eq!(
            caller.attested("disability_services", municipality("889")),
            None,
            "attested for Vaala, not Utajärvi"
        );
        assert_eq!(caller.attested("child_protection", municipality("785")), None);
    }

    #[test]
    fn m3_a_helper_is_in_conflict_in_matters_of_their_own_units_only() {
        let unit = |number: u128| UnitId::from_uuid(Uuid::from_u128(number));
        let helper = Helper { reference: Uuid::from_u128(2).into(), conflict_units: vec![unit(5)] };
        assert!(helper.is_in_conflict(unit(5)) && !helper.is_in_conflict(unit(6)));
        let caller = Caller { helper: Some(helper), ..Caller::person(subject()) };
        assert_eq!(caller.subject(), Ok(subject()), "M4: the member acts, not the helper");
        assert_eq!(caller.principal(), Caller::person(subject()).principal());
    }

    #[test]
    fn principals_of_different_callers_differ() {
        let twin = Caller::service(subject().to_string());
        let principals =
            [Caller::anonymous(), Caller::person(subject()), twin].map(|caller| caller.principal());
        assert_eq!(principals[0], "anonymous");
        assert_eq!(principals[1], "person:00000000-0000-0000-0000-000000000001");
        assert_eq!(principals[2], "service:00000000-0000-0000-0000-000000000001");
    }

    #[test]
    fn only_a_person_has_a_subject() {
        assert_eq!(Caller::person(subject()).subject(), Ok(subject()));
        assert_eq!(Caller::anonymous().subject().unwrap_err().kind(), FaultKind::Unauthenticated);
        assert_eq!(Caller::service("forums").subject().unwrap_err().kind(), FaultKind::Forbidden);
        assert_eq!(Caller::service("forums").service_name(), Some("forums"));
        assert_eq!(Caller::person(subject()).service_name(), None);
        assert!(Caller::anonymous().is_anonymous() && !Caller::person(subject()).is_anonymous());
    }

    #[test]
    fn a_service_holds_its_role_in_the_cell_and_nothing_else() {
        let service = Caller::service("forums");
        assert!(service.holds(&[Role::Service], &ScopeRef::Cell));
        assert!(!service.holds(&[Role::Operator], &ScopeRef::Cell));
        assert!(!service.in_tenant(TenantId::new("19").unwrap()));
    }

    #[test]
    fn assurance_is_asked_for_as_a_minimum() {
        let caller = Caller { assurance: Assurance::Substantial, ..Caller::person(subject()) };
        assert_eq!(caller.require_assurance(Assurance::Low), Ok(()));
        assert_eq!(caller.require_assurance(Assurance::Substantial), Ok(()));
        assert_eq!(caller.require_assurance(Assurance::High).unwrap_err().code(), "access.assurance");
    }

    #[test]
    fn a_token_ends_at_its_moment() {
        let caller = Caller { expires: Timestamp::from_seconds(100), ..Caller::person(subject()) };
        assert!(!caller.is_expired(Timestamp::from_micros(99_999_999)));
        assert!(caller.is_expired(Timestamp::from_seconds(100)));
    }

    #[test]
    fn a_caller_belongs_to_the_counties_of_the_token_only() {
        let caller = Caller { tenants: vec![TenantId::new("19").unwrap()], ..Caller::person(subject()) };
        assert!(caller.in_tenant(TenantId::new("19").unwrap()));
        assert!(!caller.in_tenant(TenantId::new("21").unwrap()));
    }
}
