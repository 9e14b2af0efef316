//! What other services' events do here: local policy and units from membership; from forums whose a forum is, and what
//! it decided about a proposal.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::policy::PolicyValue;
use kernel::{Fault, FaultKind, Invalid, PolicyKey, TenantId};
use messaging::{HandlerError, Received, Swept, Tx};
use proto::forums::{ForumFounded, ProposalEndorsed, ProposalNotEndorsed, ProposalReturnedForWork};
use proto::membership::{PolicySet, ServiceUnitRegistered};

use crate::app::{ForumDecision, Verdict, first_reading_of_retirements, forum_decided};
use crate::store;
use crate::store::units::Unit;

/// Handles the events of membership.
pub fn membership<'a>(tx: &'a Tx, received: &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        // Once there is a register there may be people who leave it. A job that exists is left as it is.
        tx.schedule(first_reading_of_retirements(tx.now()));
        let tenant = TenantId::new(&received.envelope.lane).map_err(permanent)?;
        if received.is::<PolicySet>() {
            return policy_set(tx, tenant, &received.decode()?, received.generation).await;
        }
        if received.is::<ServiceUnitRegistered>() {
            return unit_registered(tx, tenant, &received.decode()?, received.generation).await;
        }
        Ok(())
    }
    .boxed()
}

/// At the end of a rebuild of membership's projection, what no event tells any more goes.
pub fn sweep_membership<'a>(tx: &'a Tx, swept: Swept<'a>) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        store::policies::sweep(tx.conn(), swept.lane, swept.generation).await.map_err(handler_error)?;
        store::units::sweep(tx.conn(), swept.lane, swept.generation).await.map_err(handler_error)
    }
    .boxed()
}

/// Handles the events of forums.
pub fn forums<'a>(tx: &'a Tx, received: &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        if received.is::<ForumFounded>() {
            let event: ForumFounded = received.decode()?;
            let id = event.forum_id.parse().map_err(permanent)?;
            let tenant = TenantId::new(&received.envelope.lane).map_err(permanent)?;
            let others = received.envelope.co_tenants.iter().map(|code| TenantId::new(code));
            let others: Vec<TenantId> = others.collect::<Result<_, _>>().map_err(permanent)?;
            let saved = store::forums::save(tx.conn(), id, tenant, &others, received.generation);
            return saved.await.map_err(handler_error);
        }
        if let Some(decision) = decision(received)? {
            // A proposal that is not here, or not before that forum, waits for a person, loudly (REL-43).
            return forum_decided(tx, &decision).await.map_err(handler_error);
        }
        Ok(())
    }
    .boxed()
}

/// What a forum decided about a proposal, if that is what the event tells.
fn decision(received: &Received) -> Result<Option<ForumDecision>, HandlerError> {
    let read = |verdict, [proposal, forum, meeting]: [String; 3], decided_on: &str| {
        let decision = || -> Result<ForumDecision, Invalid> {
            let (proposal, forum) = (proposal.parse()?, forum.parse()?);
            let on = kernel::deadline::parse_date(decided_on)?;
            Ok(ForumDecision { proposal, forum, meeting: meeting.parse()?, on, verdict })
        };
        decision().map(Some).map_err(permanent)
    };
    if received.is::<ProposalEndorsed>() {
        let event: ProposalEndorsed = received.decode()?;
        let ids = [event.proposal_id, event.forum_id, event.meeting_id];
        return read(Verdict::Endorsed, ids, &event.decided_on);
    }
    if received.is::<ProposalNotEndorsed>() {
        let event: ProposalNotEndorsed = received.decode()?;
        let ids = [event.proposal_id, event.forum_id, event.meeting_id];
        return read(Verdict::NotEndorsed, ids, &event.decided_on);
    }
    if received.is::<ProposalReturnedForWork>() {
        let event: ProposalReturnedForWork = received.decode()?;
        let ids = [event.proposal_id, event.forum_id, event.meeting_id];
        return read(Verdict::Returned, ids, &event.decided_on);
    }
    Ok(None)
}

/// At the end of a rebuild of forums' projection, forums go that no event founds any more.
pub fn sweep_forums<'a>(tx: &'a Tx, swept: Swept<'a>) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move { store::forums::sweep(tx.conn(), swept.lane, swept.generation).await.map_err(handler_error) }
        .boxed()
}

/// Keeps a policy value; keys of newer versions are none of ours.
async fn policy_set(
    tx: &Tx,
    tenant: TenantId,
    event: &PolicySet,
    generation: u64,
) -> Result<(), HandlerError> {
    let Ok(key) = event.key.parse::<PolicyKey>() else { return Ok(()) };
    let value = key.parse(&event.value).map_err(permanent)?;
    let valid_from = kernel::deadline::parse_date(&event.valid_from).map_err(permanent)?;
    let value = PolicyValue { key, value, valid_from };
    store::policies::save(tx.conn(), tenant, value, generation).await.map_err(handler_error)
}

/// Keeps a unit.
async fn unit_registered(
    tx: &Tx,
    tenant: TenantId,
    event: &ServiceUnitRegistered,
    generation: u64,
) -> Result<(), HandlerError> {
    let unit = Unit {
        id: event.unit_id.parse().map_err(permanent)?,
        tenant,
        name: event.name.clone(),
        kind: event.kind.clone(),
        municipality: event.municipality.parse().map_err(permanent)?,
    };
    store::units::save(tx.conn(), &unit, generation).await.map_err(handler_error)
}

fn permanent(invalid: Invalid) -> HandlerError {
    HandlerError::Permanent(invalid.rule.into_owned())
}

/// A busy database is worth another try; nothing else is.
fn handler_error(fault: Fault) -> HandlerError {
    let text = format!("{fault} {}", fault.internal_text().unwrap_or_default());
    match fault.kind() {
        FaultKind::Unavailable | FaultKind::ResourceExhausted => HandlerError::Transient(text),
        _ => HandlerError::Permanent(text),
    }
}
