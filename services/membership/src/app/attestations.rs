//! Attesting, revoking, expiring; and telling how many are attested, in buckets.

use futures::FutureExt as _;
use kernel::{
    AttestationId, Fault, MunicipalityCode, ParticipantId, PolicyKey, Subject, TenantId, UnitId, deadline,
};
use messaging::{Command, NewJob, Tx};
use proto::membership as pb;

use super::upkeep::schedule_purge;
use super::{App, person_of};
use crate::domain::Rejection;
use crate::domain::attestation::{self, Attestation, Attesting, Event};
use crate::domain::participant::{Participant, PersonId};
use crate::domain::tenancy::ServiceUnit;
use crate::{convert, events, store};

/// Ends an attestation after its last day; the payload is its id.
pub const EXPIRY_JOB: &str = "membership.attestation_expiry";

/// An attestation to make.
#[derive(Debug, Clone)]
pub struct Eligibility {
    /// Unit whose staff attests: the scope in which the caller's role was found.
    pub unit: UnitId,
    /// The staff member.
    pub by: Subject,
    /// The person attested.
    pub participant: ParticipantId,
    /// Service group.
    pub group: String,
    /// The municipality.
    pub municipality: MunicipalityCode,
}

impl App {
    /// Attests that a person is a client (M1).
    ///
    /// # Errors
    /// UnitUnknown, ParticipantUnknown, and those of [`attestation::attest`].
    pub async fn attest(
        &self,
        command: &Command,
        asked: Eligibility,
    ) -> Result<pb::AttestEligibilityResponse, Fault> {
        let id: AttestationId = self.ids().new_id();
        self.writer().run(command, (id, asked), |tx, (id, asked)| attest(tx, *id, asked).boxed()).await
    }

    /// Takes an attestation back.
    ///
    /// # Errors
    /// UnitUnknown, AttestationUnknown, AttestationEnded.
    pub async fn revoke_attestation(
        &self,
        command: &Command,
        unit: UnitId,
        id: AttestationId,
    ) -> Result<pb::RevokeAttestationResponse, Fault> {
        self.writer().run(command, (unit, id), |tx, (unit, id)| revoke(tx, *unit, *id).boxed()).await
    }

    /// Ends an attestation whose last day is past; does nothing otherwise.
    ///
    /// # Errors
    /// Of the database.
    pub async fn expire_attestation(&self, id: AttestationId) -> Result<(), Fault> {
        self.writer().internal(EXPIRY_JOB, id, |tx, id| expire(tx, *id).boxed()).await
    }
}

async fn unit_of(tx: &Tx, unit: UnitId) -> Result<ServiceUnit, Fault> {
    store::tenancy::unit(tx.conn(), unit).await?.ok_or_else(|| Rejection::UnitUnknown.into())
}

async fn attest(
    tx: &Tx,
    id: AttestationId,
    asked: &Eligibility,
) -> Result<pb::AttestEligibilityResponse, Fault> {
    let by = person_of(tx.conn(), asked.by).await?;
    let unit = unit_of(tx, asked.unit).await?;
    let participant = store::participants::any(tx.conn(), asked.participant).await?;
    let participant = participant.ok_or(Rejection::ParticipantUnknown)?;
    let existing = store::attestations::of(tx.conn(), [participant.id]).await?;
    let made = make(tx, id, &participant, &unit, by, &asked.group, asked.municipality, &existing).await?;
    Ok(pb::AttestEligibilityResponse { attestation: Some(convert::attestation_out(&made)) })
}

/// Makes an attestation, with its timer and, if the bucket moves, its event.
#[expect(clippy::too_many_arguments, reason = "what an attestation consists of")]
pub(super) async fn make(
    tx: &Tx,
    id: AttestationId,
    participant: &Participant,
    unit: &ServiceUnit,
    by: PersonId,
    group: &str,
    municipality: MunicipalityCode,
    existing: &[Attestation],
) -> Result<Attestation, Fault> {
    let today = tx.now().helsinki_date();
    let months = months(tx, unit.tenant).await?;
    let asked = Attesting { id, participant, unit, by, group, municipality, existing, today, months };
    let event = attestation::attest(&asked)?;
    let Event::Attested(made) = &event else { return Err(Fault::internal("attesting made nothing")) };
    store::attestations::save(tx.conn(), made, today).await?;
    count(tx, made, &event, 1).await?;
    if let Some(after) = made.expires_on.next_day() {
        tx.schedule(NewJob {
            kind: EXPIRY_JOB,
            dedupe_key: made.id.to_string(),
            run_at: deadline::start_of_day(after),
            payload: made.id.as_uuid().as_bytes().to_vec(),
        });
    }
    Ok(made.clone())
}

async fn months(tx: &Tx, tenant: TenantId) -> Result<u32, Fault> {
    let today = tx.now().helsinki_date();
    store::tenancy::policy_on(tx.conn(), tenant, PolicyKey::AttestationMonths, today).await
}

async fn revoke(tx: &Tx, unit: UnitId, id: AttestationId) -> Result<pb::RevokeAttestationResponse, Fault> {
    let unit = unit_of(tx, unit).await?;
    let attestation = store::attestations::load(tx.conn(), unit.tenant, id).await?;
    let attestation = attestation.ok_or(Rejection::AttestationUnknown)?;
    let event = attestation.revoke()?;
    let after = end(tx, attestation, &event).await?;
    Ok(pb::RevokeAttestationResponse { attestation: Some(convert::attestation_out(&after)) })
}

async fn expire(tx: &Tx, id: AttestationId) -> Result<(), Fault> {
    let Some(attestation) = store::attestations::any(tx.conn(), id).await? else { return Ok(()) };
    if let Some(event) = attestation.expire(tx.now().helsinki_date()) {
        end(tx, attestation, &event).await?;
    }
    Ok(())
}

/// Ends an attestation, whatever the reason.
pub(super) async fn end(tx: &Tx, attestation: Attestation, event: &Event) -> Result<Attestation, Fault> {
    let after = attestation.apply(event);
    store::attestations::save(tx.conn(), &after, tx.now().helsinki_date()).await?;
    schedule_purge(tx);
    count(tx, &after, event, -1).await?;
    Ok(after)
}

async fn count(tx: &Tx, attestation: &Attestation, event: &Event, change: i64) -> Result<(), Fault> {
    let (before, after) = store::attestations::move_count(tx.conn(), attestation, change).await?;
    if let Some(published) = events::eligible(attestation, event, before, after) {
        tx.publish(published);
    }
    Ok(())
}
