//! The cells of the matrix: who calls with what kind of token, and what the access option says to that.

use kernel::{
    Assurance, Attestation, Caller, Date, ElectionId, ForumId, HeldRole, Identity, MunicipalityCode,
    RegionId, Role, RollClaim, ScopeRef, Subject, TenantId, UnitId, Uuid,
};

use super::rule::{Grant, Rule, Where};

/// How the caller comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Situation {
    /// Everything right for the scope of the RPC's grant with this index; the role itself may be a wrong one.
    Own(usize),
    /// The same kind of scope, another id.
    OtherId,
    /// The same kind of scope in another county, to which the caller belongs.
    OtherCounty,
    /// The role is held in the county (in the whole deployment, where a county is asked for) instead of the scope.
    OtherKind,
    /// Everything right, but the caller was hardly identified.
    WeakSignIn,
    /// Everything right, but no token is shown.
    NoToken,
    /// Everything right, but the token has a flaw.
    Flawed(Flaw),
}

/// What may be wrong with a token whose claims are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYet,
    /// It is for another service.
    WrongAudience,
    /// It is from another deployment.
    WrongIssuer,
    /// HS256 with the public key as the secret.
    Hs256WithPublicKey,
    /// Algorithm "none" and no signature.
    NoSignature,
    /// Signed by a key that nobody published, under the id of one that was.
    ForeignKey,
    /// Claims changed after signing.
    Altered,
    /// A voucher, which is signed by the same key.
    Voucher,
}

impl Flaw {
    pub(super) const ALL: [Flaw; 9] = [
        Flaw::Expired,
        Flaw::NotYet,
        Flaw::WrongAudience,
        Flaw::WrongIssuer,
        Flaw::Hs256WithPublicKey,
        Flaw::NoSignature,
        Flaw::ForeignKey,
        Flaw::Altered,
        Flaw::Voucher,
    ];
}

/// One cell: one call.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) role: Option<Role>,
    pub(super) situation: Situation,
    /// What the token says; its audience and end are set when it is signed.
    pub(super) caller: Caller,
}

/// What the access layer does with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Lets it through; what the service answers is the service's matter.
    Through,
    /// Refuses the token.
    Unauthenticated,
    /// Refuses the caller.
    Forbidden,
    /// Something that no RPC may do on a request that only names its scope.
    Odd(String),
}

/// What the access option alone says about a cell.
pub(super) fn expected(rule: &Rule, cell: &Cell) -> Verdict {
    if rule.anonymous {
        return Verdict::Through;
    }
    if matches!(cell.situation, Situation::NoToken | Situation::Flawed(_)) {
        return Verdict::Unauthenticated;
    }
    let caller = &cell.caller;
    let granted = rule.any_of.iter().any(|grant| grants(grant, caller));
    let sure = rule.least.is_none_or(|least| caller.assurance >= least);
    if granted && sure { Verdict::Through } else { Verdict::Forbidden }
}

fn grants(grant: &Grant, caller: &Caller) -> bool {
    let person = matches!(caller.identity, Identity::Person(_));
    let wanted = match grant.scope {
        Where::SignedIn => return person,
        Where::Roll => return person && caller.rolls.iter().any(|claim| claim.election == election(OWN)),
        Where::Cell => ScopeRef::Cell,
        Where::Tenant => ScopeRef::Tenant(county(OWN_COUNTY)),
        Where::Forum | Where::Unit | Where::Region => scope(grant.scope, OWN),
    };
    caller.roles.iter().any(|held| grant.roles.contains(&held.role) && held.scope == wanted)
}

/// The id a request names in the field of a grant.
pub(super) fn id_in_request(scope: Where) -> String {
    match scope {
        Where::Tenant => OWN_COUNTY.to_owned(),
        _ => id(OWN).to_string(),
    }
}

/// Every cell of an RPC.
pub(super) fn cells(rule: &Rule) -> Vec<Cell> {
    let anyone = Grant { roles: Vec::new(), scope: Where::SignedIn, field: String::new() };
    let grants = if rule.any_of.is_empty() { vec![anyone] } else { rule.any_of.clone() };
    let mut situations: Vec<Situation> = (0..grants.len()).map(Situation::Own).collect();
    situations.extend([
        Situation::OtherId,
        Situation::OtherCounty,
        Situation::OtherKind,
        Situation::WeakSignIn,
        Situation::NoToken,
    ]);
    situations.extend(Flaw::ALL.map(Situation::Flawed));
    let roles = || Role::ALL.into_iter().map(Some).chain([None]);
    let mut cells = Vec::new();
    for situation in situations {
        // A flaw is worth trying only on what would be let in otherwise: each grant's own scope.
        let tried = if let Situation::Own(index) = situation { &grants[index..=index] } else { &grants };
        for grant in tried {
            let roles = roles().filter(|role| is_worth_trying(situation, grant, *role));
            cells.extend(roles.map(|role| Cell {
                role,
                situation,
                caller: caller(grant.scope, role, situation),
            }));
        }
    }
    cells
}

/// Rare flaws of a token are tried with the roles that would be let in; all else with every role.
fn is_worth_trying(situation: Situation, grant: &Grant, role: Option<Role>) -> bool {
    use Flaw::{Expired, Hs256WithPublicKey, NoSignature, WrongAudience};
    match situation {
        Situation::Flawed(Expired | WrongAudience | Hs256WithPublicKey | NoSignature) => true,
        Situation::Flawed(_) => role.is_none() || role.is_some_and(|role| grant.roles.contains(&role)),
        _ => true,
    }
}

const OWN: u128 = 1;
const OTHER: u128 = 2;
const ELSEWHERE: u128 = 3;
const OWN_COUNTY: &str = "19";
const OTHER_COUNTY: &str = "21";
const THIRD_COUNTY: &str = "17";

fn caller(scope: Where, role: Option<Role>, situation: Situation) -> Caller {
    let (number, code) = match situation {
        Situation::OtherId => (OTHER, THIRD_COUNTY),
        Situation::OtherCounty => (ELSEWHERE, OTHER_COUNTY),
        _ => (OWN, OWN_COUNTY),
    };
    let home = if situation == Situation::OtherCounty { OTHER_COUNTY } else { OWN_COUNTY };
    let held_in = match (situation, scope) {
        (Situation::OtherKind, Where::Tenant) => ScopeRef::Cell,
        (Situation::OtherKind, _) => ScopeRef::Tenant(county(OWN_COUNTY)),
        (_, Where::Tenant | Where::SignedIn | Where::Roll) => ScopeRef::Tenant(county(code)),
        (Situation::OtherId | Situation::OtherCounty, Where::Cell) => ScopeRef::Tenant(county(code)),
        (_, Where::Cell) => ScopeRef::Cell,
        (_, Where::Forum | Where::Unit | Where::Region) => self::scope(scope, number),
    };
    let identity = match role {
        Some(Role::Service) => Identity::Service("reporting".to_owned()),
        _ => Identity::Person(Subject::from(id(OWN))),
    };
    let municipality =
        MunicipalityCode::new(if home == OWN_COUNTY { "139" } else { "751" }).expect("a municipality");
    let on_roll = scope == Where::Roll && situation != Situation::OtherKind;
    Caller {
        identity,
        audience: String::new(),
        tenants: vec![county(home)],
        roles: role.into_iter().map(|role| HeldRole { role, scope: held_in }).collect(),
        rolls: if on_roll {
            vec![RollClaim { election: election(number), municipality }]
        } else {
            Vec::new()
        },
        attestations: vec![Attestation {
            group: "disability_services".to_owned(),
            municipality,
            since: Date::from_ordinal_date(2026, 20).expect("a day"),
        }],
        mode: kernel::ActingMode::Alone,
        helper: None,
        staff_somewhere: false,
        assurance: if situation == Situation::WeakSignIn { Assurance::Low } else { Assurance::High },
        expires: kernel::Timestamp::MAX,
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

fn election(number: u128) -> ElectionId {
    ElectionId::from_uuid(id(number))
}

fn county(code: &str) -> TenantId {
    TenantId::new(code).expect("a county")
}

fn scope(kind: Where, number: u128) -> ScopeRef {
    match kind {
        Where::Forum => ScopeRef::Forum(ForumId::from_uuid(id(number))),
        Where::Unit => ScopeRef::Unit(UnitId::from_uuid(id(number))),
        Where::Region => ScopeRef::Region(RegionId::from_uuid(id(number))),
        Where::SignedIn | Where::Tenant | Where::Roll | Where::Cell => panic!("{kind:?} has no such id"),
    }
}
