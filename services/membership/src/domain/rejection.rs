//! Every refusal of membership in one place: its code never changes, its text names rule and remedy and nobody.

mod support;

use kernel::{Fault, FaultKind, Role};

pub use support::Support;

/// Why a command was refused although its form was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// No such person in this county.
    ParticipantUnknown,
    /// The register key is another person's.
    RegisterKeyTaken,
    /// The identity link is another person's of the same county.
    LinkTaken,
    /// A person's identity link, once set, stays.
    LinkFixed,
    /// The person has taken part under two identities already; they cannot be made one.
    LinkTooLate,
    /// The person has left.
    HasLeft,
    /// The person may not sign in for now.
    Suspended,
    /// The person is not suspended.
    NotSuspended,
    /// No such service unit in this county.
    UnitUnknown,
    /// A unit of this name exists in the county.
    UnitNameTaken,
    /// M1: the municipality belongs to another county.
    MunicipalityNotInCounty,
    /// M1: the person is of another county than the unit.
    PersonNotInCounty,
    /// M1: nobody attests for themselves.
    AttestsSelf,
    /// M1: there is an attestation in force for this group and municipality.
    AttestationInForce,
    /// No such attestation in the unit's county.
    AttestationUnknown,
    /// The attestation has ended already.
    AttestationEnded,
    /// The role cannot be held in a scope of this kind.
    RoleScopeMismatch(Role),
    /// The scope does not exist, or has not been heard of yet.
    ScopeUnknown,
    /// The scope belongs to other counties.
    ScopeNotInCounty,
    /// The role is given to services only.
    RoleNotForPeople,
    /// Only an operator makes operators.
    OperatorNeeded,
    /// M7, F8: the person holds a role that excludes this one.
    RolesExclude(Role, Role),
    /// The person holds this role in this scope already.
    RoleInForce,
    /// M7: the role would outlast the forum's term.
    RoleOutlastsTerm,
    /// First and last day are the wrong way round, or the last day is past.
    DatesInOrder,
    /// No such role assignment in this county.
    AssignmentUnknown,
    /// The role has ended already.
    RoleEnded,
    /// M5: nobody has a mandate from themselves.
    MandateFromSelf,
    /// An act that no mandate covers (M5).
    MandateOwnActs,
    /// The caller takes part in several counties and says not which they leave.
    LeavesWhere,
    /// No mandate in force on record.
    NoMandate,
    /// The unit may make cards only for people it has attested.
    CardNotForUnit,
    /// The person holds an office; only an administrator of each county that gave one makes their card, and only an
    /// operator an operator's.
    CardNeedsAdministrator,
    /// Card and code do not belong together, there is no such card, or it is locked: which of them is told to nobody
    /// who has not signed in.
    CardRefused,
    /// The card was used before.
    CardUsed,
    /// A newer card has replaced it.
    CardReplaced,
    /// The card's days are over.
    CardExpired,
    /// The policy day has begun.
    PolicyHasBegun,
    /// The region holds no municipality of its county.
    RegionElsewhere,
    /// A municipality of the region does not exist on its first day.
    MunicipalityNotThen,
    /// A region of this name begins on this day in the county.
    RegionTaken,
    /// The deployment does not serve the county.
    TenantNotServed,
    /// The setup code is wrong or was used.
    SetupCodeRefused,
    /// The session has ended or never was.
    SessionRefused,
    /// Wrong name or secret of a service account.
    AccountRefused,
    /// No service of this name.
    AudienceUnknown,
    /// The name belongs to one of the platform's own services.
    AccountReserved,
    /// The election has no frozen roll here.
    RollUnknown,
    /// The election is of another forum.
    RollOfOtherForum,
    /// The election is over.
    RollOver,
    /// The roll in the database is not the one whose hash was published.
    RollChanged,
    /// The person is not on the roll.
    NotOnRoll,
    /// F8: the person works with clients.
    StaffTakeNoPart,
    /// The nomination code is wrong, used or expired.
    NominationCodeRefused,
    /// The person is not attested for the election's service group in any of its municipalities.
    NotAttestedThere,
    /// The person has no attestation with which to be nominated.
    NothingToStandFor,
    /// About support relationships, dictation and contact settings.
    Support(Support),
}

impl Rejection {
    /// Kind, code and public text.
    fn parts(&self) -> (FaultKind, &'static str, &'static str) {
        use FaultKind::{AlreadyExists, Conflict, Forbidden, Invalid, NotFound, Unauthenticated};
        match self {
            Rejection::ParticipantUnknown => (
                NotFound,
                "membership.participant_unknown",
                "participant_id: there is no such person in this county's register. Look the person up again.",
            ),
            Rejection::RegisterKeyTaken => (
                AlreadyExists,
                "membership.register_key_already_used",
                "register_key: a register key is one person's in a county, and this one is another's. Correct the key.",
            ),
            Rejection::LinkTaken => (
                AlreadyExists,
                "membership.link_already_used",
                "identity_link: one human is once in a county's register, and this link is another's there. \
                 Correct the link, or use the person who is there.",
            ),
            Rejection::LinkFixed => (
                Conflict,
                "membership.link_fixed",
                "identity_link: a person's link, once set, stays. Leave the field as it was; a wrong link is mended \
                 by the person leaving and being registered anew.",
            ),
            Rejection::LinkTooLate => (
                Conflict,
                "membership.link_too_late",
                "identity_link: the person has taken part in both counties already without the link, so they cannot \
                 be made one any more. The person must first leave in one of them.",
            ),
            Rejection::HasLeft => (
                Conflict,
                "membership.has_left",
                "participant_id: the person has left participation. Register the person anew under a new key.",
            ),
            Rejection::Suspended => (
                Forbidden,
                "membership.suspended",
                "The person may not take part for now. Ask the administrator of your county.",
            ),
            Rejection::NotSuspended => (
                Conflict,
                "membership.not_suspended",
                "participant_id: only a suspended person can be let in again, and this one is not suspended.",
            ),
            Rejection::UnitUnknown => (
                NotFound,
                "membership.unit_unknown",
                "unit_id: there is no such service unit in this county. Register the unit first.",
            ),
            Rejection::UnitNameTaken => (
                AlreadyExists,
                "membership.unit_already_registered",
                "name: a unit's name is its own within a county, and this one is taken. Choose another name.",
            ),
            Rejection::MunicipalityNotInCounty => (
                Invalid,
                "membership.municipality_not_in_county",
                "municipality: the municipality must belong to the county. Send the code of one of the county's \
                 municipalities.",
            ),
            Rejection::PersonNotInCounty => (
                Forbidden,
                "membership.person_not_in_county",
                "participant_id: staff attest people of their own county only. Ask the staff of the person's county.",
            ),
            Rejection::AttestsSelf => (
                Forbidden,
                "membership.attests_self",
                "participant_id: nobody attests for themselves. Ask a colleague to do it.",
            ),
            Rejection::AttestationInForce => (
                AlreadyExists,
                "membership.attestation_already_in_force",
                "municipality: the person is attested for this group and municipality already. Revoke that \
                 attestation first if it is wrong.",
            ),
            Rejection::AttestationUnknown => (
                NotFound,
                "membership.attestation_unknown",
                "attestation_id: there is no such attestation in the unit's county. Look it up again.",
            ),
            Rejection::AttestationEnded => (
                Conflict,
                "membership.attestation_ended",
                "attestation_id: the attestation has ended already. Nothing needs to be done.",
            ),
            Rejection::RoleScopeMismatch(_) => (
                Invalid,
                "membership.role_scope_mismatch",
                "role: each role is held in a scope of its own kind.",
            ),
            Rejection::ScopeUnknown => (
                NotFound,
                "membership.scope_unknown",
                "role.scope_id: there is no such forum, unit or region, or it was made so recently that it is not \
                 known here yet. Check the id, and try again in a moment.",
            ),
            Rejection::ScopeNotInCounty => (
                Forbidden,
                "membership.scope_not_in_county",
                "role.scope_id: a county gives roles in its own scopes only, and this one belongs to others. Ask the \
                 administrator of that county.",
            ),
            Rejection::RoleNotForPeople => (
                Invalid,
                "membership.role_not_for_people",
                "role: this role belongs to services. Make a service account instead.",
            ),
            Rejection::OperatorNeeded => (
                Forbidden,
                "membership.operator_needed",
                "role: only an operator makes another operator. Ask an operator of the deployment.",
            ),
            Rejection::RolesExclude(_, _) => (
                Conflict,
                "membership.roles_exclude",
                "role: the person holds a role that may not be held together with this one.",
            ),
            Rejection::RoleInForce => (
                AlreadyExists,
                "membership.role_already_in_force",
                "role: the person holds this role in this scope already. End that one first to change its dates.",
            ),
            Rejection::RoleOutlastsTerm => (
                Invalid,
                "membership.role_outlasts_term",
                "ends_on: a role in a forum ends with the forum's term (M7). Send an earlier day, or leave it empty.",
            ),
            Rejection::DatesInOrder => (
                Invalid,
                "membership.dates_in_order",
                "ends_on: the last day is not before the first, nor before today. Correct the days.",
            ),
            Rejection::AssignmentUnknown => (
                NotFound,
                "membership.assignment_unknown",
                "assignment_id: there is no such role assignment in this county. Look it up again.",
            ),
            Rejection::RoleEnded => (
                Conflict,
                "membership.role_ended",
                "assignment_id: the role has ended already. Nothing needs to be done.",
            ),
            Rejection::MandateFromSelf => (
                Invalid,
                "membership.mandate_from_self",
                "holder_id: a mandate is given to another person. Send two different people.",
            ),
            Rejection::MandateOwnActs => (
                Forbidden,
                "membership.mandate_own_acts",
                "acting_mode: leaving, standing as a candidate and saying who helped to vote are nobody's but the \
                 person's own. The person signs in and does it.",
            ),
            Rejection::LeavesWhere => (
                Invalid,
                "membership.leaves_where",
                "tenant: a person leaves in one county at a time, and you are let in to several. Send the county's code.",
            ),
            Rejection::NoMandate => (
                Forbidden,
                "membership.no_mandate",
                "on_behalf_of: no mandate in force is on record. Ask the county to record the mandate.",
            ),
            Rejection::CardNotForUnit => (
                Forbidden,
                "membership.card_not_for_unit",
                "participant_id: staff make cards only for people whom their unit has attested. Attest the person \
                 first, or ask the county.",
            ),
            Rejection::CardNeedsAdministrator => (
                Forbidden,
                "membership.card_needs_administrator",
                "participant_id: the person holds an office. Only an administrator of every county in which they hold one \
                 makes their card, and only an operator an operator's; ask one of them.",
            ),
            Rejection::CardRefused => (
                Unauthenticated,
                "membership.card_refused",
                "Card number and code do not belong together. Check both; after ten wrong tries a card stops working, and \
                 your unit makes a new one.",
            ),
            Rejection::CardUsed => (
                Unauthenticated,
                "membership.card_used",
                "A code card works once, and this one has been used. Ask your unit for a new card.",
            ),
            Rejection::CardReplaced => (
                Unauthenticated,
                "membership.card_replaced",
                "A newer code card has replaced this one. Use the newer card.",
            ),
            Rejection::CardExpired => (
                Unauthenticated,
                "membership.card_expired",
                "The code card's days are over. Ask your unit for a new card.",
            ),
            Rejection::PolicyHasBegun => (
                Conflict,
                "membership.policy_has_begun",
                "valid_from: policy is not changed for days that have begun, so that old decisions can be explained. \
                 Send a later day.",
            ),
            Rejection::RegionElsewhere => (
                Invalid,
                "membership.region_elsewhere",
                "municipalities: a region has at least one municipality of the county that keeps it. Add one, or let \
                 the other county define the region.",
            ),
            Rejection::MunicipalityNotThen => (
                Invalid,
                "membership.municipality_not_then",
                "municipalities: each municipality must exist on the region's first day. Correct the codes or the day.",
            ),
            Rejection::RegionTaken => (
                AlreadyExists,
                "membership.region_already_defined",
                "name: a region of this name begins on this day already. Choose another name or day.",
            ),
            Rejection::TenantNotServed => (
                NotFound,
                "membership.tenant_not_served",
                "tenant: this deployment does not serve the county. ListTenants tells which it serves.",
            ),
            Rejection::SetupCodeRefused => (
                Unauthenticated,
                "membership.setup_code_refused",
                "The setup code is wrong or was used. `osallisuus init --new-code` gives a new one, as long as \
                 there is no administrator.",
            ),
            Rejection::SessionRefused => {
                (Unauthenticated, "membership.session_refused", "The session has ended. Sign in again.")
            }
            Rejection::AccountRefused => (
                Unauthenticated,
                "membership.account_refused",
                "Account name and secret do not belong together. Check the account's secret file.",
            ),
            Rejection::AudienceUnknown => (
                Invalid,
                "membership.audience_unknown",
                "audience: a token is for one of the platform's services. Send for example \"forums\".",
            ),
            Rejection::AccountReserved => (
                Forbidden,
                "membership.account_reserved",
                "account: the name belongs to one of the platform's own services. Choose another name.",
            ),
            Rejection::RollUnknown => (
                NotFound,
                "membership.roll_unknown",
                "election_id: no roll is frozen for this election, or not yet. Check the id, and try again in a moment.",
            ),
            Rejection::RollOfOtherForum => (
                NotFound,
                "membership.roll_of_other_forum",
                "election_id: the election is not of this forum. Send the forum's own election.",
            ),
            Rejection::RollOver => (
                Conflict,
                "membership.roll_over",
                "election_id: the election is over. Nothing can be done on its roll any more.",
            ),
            Rejection::RollChanged => (
                Conflict,
                "membership.roll_changed",
                "The roll in membership's database is not the one whose hash was published when it was frozen: \
                 somebody changed the table. Tell the election board, and compare with a backup.",
            ),
            Rejection::NotOnRoll => (
                Forbidden,
                "membership.not_on_roll",
                "election_id: the person is not on the roll of this election. The roll was frozen when the election \
                 was announced.",
            ),
            Rejection::StaffTakeNoPart => (
                Conflict,
                "membership.staff_take_no_part",
                "Whoever is support person, staff or manager of a unit in some county neither nominates, stands nor \
                 votes in an election of clients (F8). They may help a client who asks for it, in the client's own \
                 session.",
            ),
            Rejection::NominationCodeRefused => (
                NotFound,
                "membership.nomination_code_refused",
                "code: the code is wrong, was used, or its days are over. Ask the person for a new code.",
            ),
            Rejection::NotAttestedThere => (
                Conflict,
                "membership.not_attested_there",
                "election_id: a candidate is attested for the election's service group in one of its municipalities, \
                 and this person is not. Send the election in which they can stand; the code still works.",
            ),
            Rejection::NothingToStandFor => (
                Conflict,
                "membership.nothing_to_stand_for",
                "A nomination code needs an attestation in force. Ask the staff of your unit to attest you.",
            ),
            Rejection::Support(why) => why.parts(),
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.parts().1
    }
}

impl From<Support> for Rejection {
    fn from(why: Support) -> Self {
        Rejection::Support(why)
    }
}

impl From<Support> for Fault {
    fn from(why: Support) -> Self {
        Rejection::Support(why).into()
    }
}

impl From<Rejection> for Fault {
    fn from(rejection: Rejection) -> Self {
        let (kind, code, text) = rejection.parts();
        let message = match rejection {
            Rejection::RoleScopeMismatch(role) => {
                let kinds = super::role::scope_kinds(role);
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                format!("{text} The role {role} is held in: {}. Send such a scope.", kinds.join(", "))
            }
            Rejection::RolesExclude(asked, held) => {
                format!("{text} {asked} and {held} exclude each other (M7, F8). End the other role first.")
            }
            _ => text.to_owned(),
        };
        Fault::new(kind, code, message)
    }
}
