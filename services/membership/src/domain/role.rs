//! Roles: always in a scope, from a day, some to a day.
//!
//! Which role is held where is [`scope_kinds`]; which two no one may hold at once is [`exclude`] (M7, F8).

use kernel::{AssignmentId, Date, HeldRole, ParticipantId, Role, ScopeKind, ScopeRef, TenantId};

use super::Rejection;
use super::participant::Participant;

/// The kinds of scope in which a role is held. Empty for roles that no person holds.
pub fn scope_kinds(role: Role) -> &'static [ScopeKind] {
    match role {
        Role::ClientMember
        | Role::Resident
        | Role::ElectedOfficial
        | Role::Registry
        | Role::Administrator => &[ScopeKind::Tenant],
        // Of the deployment too: what belongs to no single county is in its audit log all the same.
        Role::Auditor | Role::DataProtectionOfficer => &[ScopeKind::Tenant, ScopeKind::Cell],
        Role::PartnerRepresentative | Role::AreaCoordinator => &[ScopeKind::Tenant, ScopeKind::Region],
        Role::SupportPerson => &[ScopeKind::Unit, ScopeKind::Tenant],
        Role::UnitStaff | Role::UnitManager => &[ScopeKind::Unit],
        Role::ForumSecretary | Role::ForumChair | Role::ElectionOfficer | Role::ElectionWitness => {
            &[ScopeKind::Forum]
        }
        Role::Operator => &[ScopeKind::Cell],
        Role::Service => &[],
    }
}

/// Whether no one may hold these two roles at the same time: an election officer is neither operator nor data
/// protection officer (M7), neither staff, manager nor support person of a unit (F8), and witnesses no lots of the same
/// forum (F5).
pub fn exclude(one: HeldRole, other: HeldRole) -> bool {
    let never_of = |officer: HeldRole, other: HeldRole| {
        let never = match other.role {
            Role::Operator | Role::DataProtectionOfficer => true,
            Role::ElectionWitness => other.scope == officer.scope,
            role => is_staff(role),
        };
        officer.role == Role::ElectionOfficer && never
    };
    never_of(one, other) || never_of(other, one)
}

/// Whether the role works with clients: its holder takes no part in an election of clients (F8).
pub fn is_staff(role: Role) -> bool {
    matches!(role, Role::UnitStaff | Role::UnitManager | Role::SupportPerson)
}

/// Whether holding the role is an office, whose holder's code card only an administrator of every county that gave one
/// makes (an operator for an operator): whoever makes a card could sign in with it.
pub fn is_office(role: Role) -> bool {
    !matches!(role, Role::ClientMember | Role::Resident | Role::SupportPerson)
}

/// Where an assignment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Held from its first day to its last.
    Active,
    /// Ended, by its last day, by hand, or because the person left.
    Ended,
}

impl State {
    /// Both states.
    pub const ALL: [State; 2] = [State::Active, State::Ended];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Ended => "ended",
        }
    }
}

/// A role of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Id.
    pub id: AssignmentId,
    /// The person in the register.
    pub participant: ParticipantId,
    /// County that gave the role.
    pub tenant: TenantId,
    /// The role in its scope.
    pub held: HeldRole,
    /// First day.
    pub starts_on: Date,
    /// Last day; None if open.
    pub ends_on: Option<Date>,
    /// Where it stands.
    pub state: State,
}

/// What is known of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeFacts {
    /// The counties it belongs to: several for a joint forum or a region over a border.
    pub tenants: Vec<TenantId>,
    /// The last day of its term; None if it has none.
    pub term_ends_on: Option<Date>,
}

/// What a role is given from.
#[derive(Debug, Clone, Copy)]
pub struct Assigning<'a> {
    /// Id of the new assignment.
    pub id: AssignmentId,
    /// Who gets the role.
    pub participant: &'a Participant,
    /// County that gives it.
    pub tenant: TenantId,
    /// The role in its scope.
    pub held: HeldRole,
    /// First day; None for today.
    pub starts_on: Option<Date>,
    /// Last day; None if open.
    pub ends_on: Option<Date>,
    /// What is known of the scope; None if it is unknown.
    pub scope: Option<&'a ScopeFacts>,
    /// Whether the one who gives it is an operator.
    pub by_operator: bool,
    /// All roles of the human, in other counties too.
    pub existing: &'a [Assignment],
    /// Today.
    pub today: Date,
}

/// What happened. Published without the holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A role began.
    Assigned(Assignment),
    /// A role ended.
    Ended,
}

/// Gives a role.
///
/// # Errors
/// HasLeft, RoleNotForPeople, RoleScopeMismatch, OperatorNeeded, ScopeUnknown, ScopeNotInCounty, DatesInOrder,
/// RoleOutlastsTerm, RoleInForce, RolesExclude.
pub fn assign(asked: &Assigning<'_>) -> Result<Event, Rejection> {
    let role = asked.held.role;
    if asked.participant.state.is_gone() {
        return Err(Rejection::HasLeft);
    }
    if scope_kinds(role).is_empty() {
        return Err(Rejection::RoleNotForPeople);
    }
    if !scope_kinds(role).contains(&asked.held.scope.kind()) {
        return Err(Rejection::RoleScopeMismatch(role));
    }
    let term_ends_on = check_scope(asked)?;
    let starts_on = asked.starts_on.unwrap_or(asked.today);
    if asked.ends_on.is_some_and(|ends_on| ends_on < starts_on || ends_on < asked.today) {
        return Err(Rejection::DatesInOrder);
    }
    // M7: a role ends with the term of its forum.
    let outlasts = match (asked.ends_on, term_ends_on) {
        (Some(ends_on), Some(term)) => ends_on > term,
        (None, Some(term)) => starts_on > term,
        (_, None) => false,
    };
    if outlasts {
        return Err(Rejection::RoleOutlastsTerm);
    }
    let assignment = Assignment {
        id: asked.id,
        participant: asked.participant.id,
        tenant: asked.tenant,
        held: asked.held,
        starts_on,
        ends_on: asked.ends_on.or(term_ends_on),
        state: State::Active,
    };
    for other in asked.existing.iter().filter(|other| other.overlaps(&assignment)) {
        if other.held == assignment.held {
            return Err(Rejection::RoleInForce);
        }
        if other.excludes(&assignment) {
            return Err(Rejection::RolesExclude(role, other.held.role));
        }
    }
    Ok(Event::Assigned(assignment))
}

/// That the scope is there and the county's own; gives the last day of its term.
fn check_scope(asked: &Assigning<'_>) -> Result<Option<Date>, Rejection> {
    if asked.held.scope == ScopeRef::Cell {
        return if asked.by_operator { Ok(None) } else { Err(Rejection::OperatorNeeded) };
    }
    let facts = asked.scope.ok_or(Rejection::ScopeUnknown)?;
    if facts.tenants.contains(&asked.tenant) {
        Ok(facts.term_ends_on)
    } else {
        Err(Rejection::ScopeNotInCounty)
    }
}

impl Assignment {
    /// Whether the role is held on this day.
    pub fn is_on(&self, day: Date) -> bool {
        self.state == State::Active && self.starts_on <= day && self.ends_on.is_none_or(|last| day <= last)
    }

    /// Whether the role is held on this day, or may come to be held after it.
    pub fn is_on_or_after(&self, day: Date) -> bool {
        self.state == State::Active && self.ends_on.is_none_or(|last| day <= last)
    }

    /// Whether the two are held on a common day, though nobody may ([`exclude`]).
    pub fn excludes(&self, other: &Assignment) -> bool {
        exclude(self.held, other.held) && self.overlaps(other) && other.state == State::Active
    }

    fn overlaps(&self, other: &Assignment) -> bool {
        let begins_before_end =
            |a: &Assignment, b: &Assignment| b.ends_on.is_none_or(|last| a.starts_on <= last);
        self.state == State::Active && begins_before_end(self, other) && begins_before_end(other, self)
    }

    /// Ends the role by hand.
    ///
    /// # Errors
    /// RoleEnded.
    pub fn end(&self) -> Result<Event, Rejection> {
        if self.state == State::Active { Ok(Event::Ended) } else { Err(Rejection::RoleEnded) }
    }

    /// Ends the role when its last day is past (M7); None while it is not, or if it has ended.
    pub fn expire(&self, today: Date) -> Option<Event> {
        let past = self.ends_on.is_some_and(|last| today > last);
        (self.state == State::Active && past).then_some(Event::Ended)
    }

    /// The assignment after the event.
    #[must_use]
    pub fn apply(self, event: &Event) -> Assignment {
        match event {
            Event::Assigned(assignment) => assignment.clone(),
            Event::Ended => Assignment { state: State::Ended, ..self },
        }
    }
}

#[cfg(test)]
mod tests;
