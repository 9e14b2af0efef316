//! Which proposals the role of a caller reaches: those that the unit answers, those of the county, those sent to the
//! forum.

use kernel::{Fault, ProposalId, Scope, UnitId};
use sea_orm::ConnectionTrait;

use super::proposals::{self, no_such_proposal};
use crate::domain::proposal::Proposal;

/// A proposal that is within what was granted; of a unit, one whose answer it leads.
///
/// NotFound `proposals.no_such_proposal`; Forbidden `proposals.not_the_lead_unit`.
pub async fn reached(conn: &impl ConnectionTrait, scope: &Scope, id: ProposalId) -> Result<Proposal, Fault> {
    match scope {
        Scope::Tenant(tenant) => proposals::load_in(conn, *tenant, id).await,
        Scope::Forum(forum) => {
            let found = proposals::load(conn, id).await?;
            if found.forum == Some(*forum) { Ok(found) } else { Err(no_such_proposal()) }
        }
        Scope::Unit(unit) => {
            let found = addressed(conn, *unit, id).await?;
            if found.lead_unit == Some(*unit) {
                return Ok(found);
            }
            Err(Fault::forbidden(
                "proposals.not_the_lead_unit",
                "Another unit leads the answer to this proposal (S1.11). Contribute your part to it instead.",
            ))
        }
        _ => Err(no_such_proposal()),
    }
}

/// A public proposal that is addressed to this unit, among others perhaps. NotFound `proposals.no_such_proposal`.
pub async fn addressed(conn: &impl ConnectionTrait, unit: UnitId, id: ProposalId) -> Result<Proposal, Fault> {
    let found = proposals::load(conn, id).await?;
    if found.units.contains(&unit) && found.is_public { Ok(found) } else { Err(no_such_proposal()) }
}
