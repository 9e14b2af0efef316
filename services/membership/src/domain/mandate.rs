//! Mandates: one person acts on behalf of another, by a document on record. It never covers voting (M5).

use kernel::{Date, MandateId, TenantId};

use super::Rejection;
use super::participant::{Participant, PersonId};

/// A mandate on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    /// Id.
    pub id: MandateId,
    /// County that recorded it.
    pub tenant: TenantId,
    /// On whose behalf.
    pub principal: PersonId,
    /// Who may act.
    pub holder: PersonId,
    /// Last day.
    pub ends_on: Date,
}

/// Records a mandate. Internal: nothing is published.
///
/// # Errors
/// HasLeft, MandateFromSelf, DatesInOrder.
pub fn register(
    id: MandateId,
    principal: &Participant,
    holder: &Participant,
    ends_on: Date,
    today: Date,
) -> Result<Mandate, Rejection> {
    if principal.state.is_gone() || holder.state.is_gone() {
        return Err(Rejection::HasLeft);
    }
    if principal.person == holder.person {
        return Err(Rejection::MandateFromSelf);
    }
    if ends_on < today {
        return Err(Rejection::DatesInOrder);
    }
    Ok(Mandate { id, tenant: principal.tenant, principal: principal.person, holder: holder.person, ends_on })
}

impl Mandate {
    /// Whether the holder may act on this day.
    pub fn is_on(&self, day: Date) -> bool {
        day <= self.ends_on
    }
}
