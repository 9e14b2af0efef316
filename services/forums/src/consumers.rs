//! What membership's events do here: local policy, and the frozen roll of an election.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::policy::PolicyValue;
use kernel::{ElectionId, Fault, FaultKind, Invalid, MunicipalityCode, PolicyKey, TenantId};
use messaging::{HandlerError, Received, Tx};
use proto::membership::{PolicySet, RollFrozen};

use crate::app::first_reading_of_retirements;
use crate::store;

/// Handles the events of membership.
pub fn membership<'a>(tx: &'a Tx, received: &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        // Once there is a register there may be people who leave it. A job that exists is left as it is.
        tx.schedule(first_reading_of_retirements(tx.now()));
        if received.is::<PolicySet>() {
            let tenant = TenantId::new(&received.envelope.lane).map_err(permanent)?;
            return policy_set(tx, tenant, &received.decode()?).await;
        }
        if received.is::<RollFrozen>() {
            return roll_frozen(tx, &received.decode()?).await;
        }
        Ok(())
    }
    .boxed()
}

/// Keeps a policy value; keys of newer versions are none of ours.
async fn policy_set(tx: &Tx, tenant: TenantId, event: &PolicySet) -> Result<(), HandlerError> {
    let Ok(key) = event.key.parse::<PolicyKey>() else { return Ok(()) };
    let value = key.parse(&event.value).map_err(permanent)?;
    let valid_from = kernel::deadline::parse_date(&event.valid_from).map_err(permanent)?;
    store::policies::save(tx.conn(), tenant, PolicyValue { key, value, valid_from })
        .await
        .map_err(handler_error)
}

/// Keeps the hash and counts of a frozen roll. A second roll of the same election is not taken: a roll is frozen.
async fn roll_frozen(tx: &Tx, event: &RollFrozen) -> Result<(), HandlerError> {
    let id: ElectionId = event.election_id.parse().map_err(permanent)?;
    let hash: [u8; 32] = event.roll_hash.as_slice().try_into().map_err(|_| wrong("roll_hash"))?;
    let count = |one: &proto::common::MunicipalityCount| -> Result<(MunicipalityCode, u32), HandlerError> {
        Ok((MunicipalityCode::new(&one.municipality).map_err(permanent)?, one.count))
    };
    let counts = event.counts.iter().map(count).collect::<Result<_, _>>()?;
    let election = store::elections::load(tx.conn(), id).await.map_err(handler_error)?;
    if let Some(event) = election.take_roll(hash, counts) {
        store::elections::save(tx.conn(), &election.apply(&event)).await.map_err(handler_error)?;
    }
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
