//! Giving and ending roles.

use futures::FutureExt as _;
use kernel::{AssignmentId, Date, Fault, HeldRole, ParticipantId, Role, ScopeRef, TenantId, deadline};
use messaging::{Command, NewJob, Tx};
use proto::membership as pb;

use super::{App, participants};
use crate::domain::Rejection;
use crate::domain::participant::Participant;
use crate::domain::role::{self, Assigning, Assignment, Event, ScopeFacts};
use crate::{convert, events, store};

/// Ends a role after its last day (M7); the payload is the assignment's id.
pub const ROLE_END_JOB: &str = "membership.role_end";

/// A role to give.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// County that gives it.
    pub tenant: TenantId,
    /// Who gets it.
    pub participant: ParticipantId,
    /// The role in its scope.
    pub held: HeldRole,
    /// First day; None for today.
    pub starts_on: Option<Date>,
    /// Last day; None if open.
    pub ends_on: Option<Date>,
    /// Whether the one who gives it is an operator.
    pub by_operator: bool,
}

impl App {
    /// Gives a person a role.
    ///
    /// # Errors
    /// ParticipantUnknown, and those of [`role::assign`].
    pub async fn assign_role(
        &self,
        command: &Command,
        new: NewRole,
    ) -> Result<pb::AssignRoleResponse, Fault> {
        let id: AssignmentId = self.ids().new_id();
        self.writer()
            .run(command, (id, new), |tx, (id, new)| {
                async move {
                    let participant = participants::load(tx, new.tenant, new.participant).await?;
                    let assignment = assign(tx, *id, &participant, new).await?;
                    Ok(pb::AssignRoleResponse { assignment: Some(convert::assignment_out(&assignment)) })
                }
                .boxed()
            })
            .await
    }

    /// Ends a role that the county gave.
    ///
    /// # Errors
    /// AssignmentUnknown, RoleEnded.
    pub async fn end_role(
        &self,
        command: &Command,
        tenant: TenantId,
        id: AssignmentId,
    ) -> Result<pb::EndRoleResponse, Fault> {
        self.writer()
            .run(command, (tenant, id), |tx, (tenant, id)| {
                async move {
                    let assignment = store::roles::load(tx.conn(), *tenant, *id).await?;
                    let assignment = assignment.ok_or(Rejection::AssignmentUnknown)?;
                    let event = assignment.end()?;
                    let after = end(tx, assignment, &event).await?;
                    Ok(pb::EndRoleResponse { assignment: Some(convert::assignment_out(&after)) })
                }
                .boxed()
            })
            .await
    }

    /// Ends a role whose last day is past; does nothing otherwise.
    ///
    /// # Errors
    /// Of the database.
    pub async fn expire_role(&self, id: AssignmentId) -> Result<(), Fault> {
        self.writer()
            .internal(ROLE_END_JOB, id, |tx, id| {
                async move {
                    let Some(assignment) = store::roles::any(tx.conn(), *id).await? else { return Ok(()) };
                    if let Some(event) = assignment.expire(tx.now().helsinki_date()) {
                        end(tx, assignment, &event).await?;
                    }
                    Ok(())
                }
                .boxed()
            })
            .await
    }
}

/// Gives a role, with its timer and its event. All roles of the human count, in other counties too. Whoever gets an
/// office has to sign in anew, with a new card.
pub(super) async fn assign(
    tx: &Tx,
    id: AssignmentId,
    participant: &Participant,
    new: &NewRole,
) -> Result<Assignment, Fault> {
    let everywhere = store::participants::of_person(tx.conn(), participant.person).await?;
    let existing = store::roles::of(tx.conn(), everywhere.iter().map(|one| one.id)).await?;
    let scope = scope_facts(tx, &new.held.scope).await?;
    let event = role::assign(&Assigning {
        id,
        participant,
        tenant: new.tenant,
        held: new.held,
        starts_on: new.starts_on,
        ends_on: new.ends_on,
        scope: scope.as_ref(),
        by_operator: new.by_operator,
        existing: &existing,
        today: tx.now().helsinki_date(),
    })?;
    let Event::Assigned(assignment) = &event else { return Err(Fault::internal("giving a role made none")) };
    store::roles::save(tx.conn(), assignment).await?;
    if role::is_office(assignment.held.role) {
        // Cards made before, and sessions begun with them, were made by people who may not make one of an office.
        store::cards::replace_open(tx.conn(), everywhere.iter().map(|one| one.id)).await?;
        store::sessions::end_all(tx.conn(), participant.person).await?;
    }
    tx.publish(events::role(assignment, &event));
    if let Some(after) = assignment.ends_on.and_then(Date::next_day) {
        tx.schedule(NewJob {
            kind: ROLE_END_JOB,
            dedupe_key: assignment.id.to_string(),
            run_at: deadline::start_of_day(after),
            payload: assignment.id.as_uuid().as_bytes().to_vec(),
        });
    }
    Ok(assignment.clone())
}

/// Ends a role, whatever the reason.
pub(super) async fn end(tx: &Tx, assignment: Assignment, event: &Event) -> Result<Assignment, Fault> {
    let after = assignment.apply(event);
    store::roles::save(tx.conn(), &after).await?;
    tx.publish(events::role(&after, event));
    Ok(after)
}

/// What is known of a scope; None if it is unknown. The whole deployment has nothing to know.
async fn scope_facts(tx: &Tx, scope: &ScopeRef) -> Result<Option<ScopeFacts>, Fault> {
    let of = |tenants| Some(ScopeFacts { tenants, term_ends_on: None });
    Ok(match scope {
        ScopeRef::Tenant(tenant) => of(vec![*tenant]),
        ScopeRef::Unit(unit) => {
            store::tenancy::unit(tx.conn(), *unit).await?.and_then(|unit| of(vec![unit.tenant]))
        }
        ScopeRef::Region(region) => store::tenancy::region(tx.conn(), *region).await?.and_then(|region| {
            // Over a border, each county gives roles for the region.
            let counties = region.municipalities.iter().filter_map(|one| one.county_on(region.valid_from));
            of(counties.chain([region.tenant]).collect())
        }),
        ScopeRef::Forum(forum) => store::forums::facts(tx.conn(), *forum).await?,
        ScopeRef::Cell => None,
    })
}

/// The kind of role in which somebody takes part, for the count of those who do: what staff attested, else the first
/// role held, else resident.
pub(super) async fn kind_of(tx: &Tx, participant: ParticipantId) -> Result<Role, Fault> {
    let today = tx.now().helsinki_date();
    let attestations = store::attestations::of(tx.conn(), [participant]).await?;
    if attestations.iter().any(|attestation| attestation.is_on(today)) {
        return Ok(Role::ClientMember);
    }
    let roles = store::roles::of(tx.conn(), [participant]).await?;
    let first = roles.iter().find(|role| role.is_on(today));
    Ok(first.map_or(Role::Resident, |role| role.held.role))
}
