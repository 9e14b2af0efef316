//! What other services' events do here: from membership local policy, and the frozen roll of an election; from proposals
//! topics for a forum's agenda.

mod proposals;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::policy::PolicyValue;
use kernel::{ElectionId, Fault, FaultKind, Invalid, MunicipalityCode, PolicyKey, TenantId};
use messaging::{HandlerError, Received, Swept, Tx, crash};
use proto::membership::{PolicySet, RollFrozen};

use crate::app::first_reading_of_retirements;
use crate::store;

pub use proposals::{proposals, sweep as sweep_proposals};

/// Handles the events of membership.
pub fn membership<'a>(tx: &'a Tx, received: &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        // Once there is a register there may be people who leave it. A job that exists is left as it is.
        tx.schedule(first_reading_of_retirements(tx.now()));
        if received.is::<PolicySet>() {
            let tenant = TenantId::new(&received.envelope.lane).map_err(permanent)?;
            return policy_set(tx, tenant, &received.decode()?, received.generation).await;
        }
        if received.is::<RollFrozen>() {
            return roll_frozen(tx, &received.decode()?).await;
        }
        Ok(())
    }
    .boxed()
}

/// At the end of a rebuild, policy values go that no event sets any more: nothing else writes them. Rolls that were
/// taken stay, because an election keeps the first one; the job that an event schedules is there once in any case.
pub fn sweep<'a>(tx: &'a Tx, swept: Swept<'a>) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        store::policies::sweep(tx.conn(), swept.lane, swept.generation).await.map_err(handler_error)
    }
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

/// Keeps the hash and counts of a frozen roll. The same one again is nothing new; another one of the same election is
/// never taken, because a roll is frozen, and waits for an operator: membership has frozen twice, which it does only if
/// it was put back to a backup from before the first time.
async fn roll_frozen(tx: &Tx, event: &RollFrozen) -> Result<(), HandlerError> {
    let id: ElectionId = event.election_id.parse().map_err(permanent)?;
    let hash: [u8; 32] = event.roll_hash.as_slice().try_into().map_err(|_| wrong("roll_hash"))?;
    let count = |one: &proto::common::MunicipalityCount| -> Result<(MunicipalityCode, u32), HandlerError> {
        Ok((MunicipalityCode::new(&one.municipality).map_err(permanent)?, one.count))
    };
    let counts = event.counts.iter().map(count).collect::<Result<_, _>>()?;
    let election = store::elections::load(tx.conn(), id).await.map_err(handler_error)?;
    if election.roll_hash.is_some_and(|known| known != hash) {
        let text = format!("election {id} has another frozen roll than this one; a roll does not change");
        return Err(HandlerError::Permanent(text));
    }
    if let Some(event) = election.take_roll(hash, counts) {
        store::elections::save(tx.conn(), &election.apply(&event)).await.map_err(handler_error)?;
    }
    crash::point("ballot.roll_taken");
    Ok(())
}

fn permanent(invalid: Invalid) -> HandlerError {
    HandlerError::Permanent(invalid.rule.into_owned())
}

fn wrong(field: &str) -> HandlerError {
    HandlerError::Permanent(format!("{field} has a wrong length"))
}

/// A busy database is worth another try; nothing else is.
fn handler_error(fault: Fault) -> HandlerError {
    let text = format!("{fault} {}", fault.internal_text().unwrap_or_default());
    match fault.kind() {
        FaultKind::Unavailable | FaultKind::ResourceExhausted => HandlerError::Transient(text),
        _ => HandlerError::Permanent(text),
    }
}
