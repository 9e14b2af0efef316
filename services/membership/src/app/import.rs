//! The county's register, row by row: people, their attestations and roles. All rows or none; what is there already,
//! as it is, adds nothing.
//!
//! Checking does everything that storing does, in a savepoint that is then undone: what passes the check can be stored.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use futures::FutureExt as _;
use kernel::{
    AssignmentId, AttestationId, Fault, HeldRole, ParticipantId, Role, ScopeKind, ScopeRef, Subject, TenantId,
};
use messaging::{Attempt, Command, Origin, Tx};
use proto::membership as pb;

use super::participants::{NewParticipant, enrol, require_absent};
use super::roles::NewRole;
use super::{App, attestations, person_of, roles};
use crate::domain::import::{self, Attested, RawRow, Row, RowFault};
use crate::domain::participant::{self, Participant, PersonId};
use crate::domain::tenancy::ServiceUnit;
use crate::domain::{Rejection, role};
use crate::{convert, store};

/// Why a row is refused that attests whoever imports it (M1).
const OWN_ROW: &str = "nobody attests for themselves, and this row is of the one who imports it; leave group and \
                       municipality empty, and ask the staff of the unit, or a colleague to import the row";

/// The rows of a request.
struct Rows {
    app: App,
    /// Who imports them.
    by: Subject,
    tenant: TenantId,
    rows: Vec<RawRow>,
}

/// What came of one row.
enum Outcome {
    Added,
    Updated,
    Unchanged,
}

/// A refusal of one row, or a failure of all.
enum Stop {
    Row(&'static str, String),
    All(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::All(fault)
    }
}

/// Turns a refusal into a fault of this column; what is no refusal stops everything.
fn in_column(column: &'static str) -> impl Fn(Fault) -> Stop {
    move |fault| match fault.kind() {
        kernel::FaultKind::Internal
        | kernel::FaultKind::Unavailable
        | kernel::FaultKind::ResourceExhausted => Stop::All(fault),
        _ => Stop::Row(column, fault.message().to_owned()),
    }
}

impl App {
    /// Every fault of every row; nothing is stored.
    ///
    /// # Errors
    /// SessionRefused if the caller has left.
    pub async fn check_import(
        &self,
        by: Subject,
        tenant: TenantId,
        rows: Vec<RawRow>,
    ) -> Result<pb::CheckImportResponse, Fault> {
        let rows = Arc::new(Rows { app: self.clone(), by, tenant, rows });
        let faults = self
            .writer()
            .internal("membership.check_import", rows, |tx, rows| check(tx, Arc::clone(rows)).boxed())
            .await?;
        Ok(pb::CheckImportResponse { faults: faults.into_iter().map(convert::row_fault_out).collect() })
    }

    /// Stores the rows, all or none.
    ///
    /// # Errors
    /// SessionRefused if the caller has left; `membership.import_refused` with the faults of the rows.
    pub async fn import(
        &self,
        command: &Command,
        by: Subject,
        tenant: TenantId,
        rows: Vec<RawRow>,
    ) -> Result<pb::ImportParticipantsResponse, Fault> {
        let rows = Rows { app: self.clone(), by, tenant, rows };
        self.writer()
            .run(command, rows, |tx, rows| {
                async move {
                    let (answer, faults) = rows.store(tx).await?;
                    if faults.is_empty() { Ok(answer) } else { Err(convert::import_refused(faults)) }
                }
                .boxed()
            })
            .await
    }
}

/// Stores the rows in a savepoint, and undoes it.
async fn check(tx: &Tx, rows: Arc<Rows>) -> Result<Vec<RowFault>, Fault> {
    let attempt = tx.attempt(Origin::default(), move |tx| {
        async move {
            let stored = rows.store(tx).await;
            Err::<Infallible, _>(stored.map(|(_, faults)| faults))
        }
        .boxed()
    });
    match attempt.await.map_err(messaging::database_fault)? {
        Attempt::Refused(faults) => faults,
        Attempt::Done(never) => match never {},
        Attempt::Panicked(text) => Err(Fault::internal(text)),
    }
}

impl Rows {
    /// Stores the rows whose form is right, and tells what is wrong with the others.
    async fn store(&self, tx: &Tx) -> Result<(pb::ImportParticipantsResponse, Vec<RowFault>), Fault> {
        let today = tx.now().helsinki_date();
        let by = person_of(tx.conn(), self.by).await?;
        let (rows, mut faults) = import::check(&self.rows, self.tenant, today);
        let keys = rows.iter().map(|row| row.register_key.clone());
        let known = store::participants::by_keys(tx.conn(), self.tenant, keys).await?;
        let known: HashMap<String, Participant> =
            known.into_iter().map(|one| (one.register_key.clone(), one)).collect();
        let units = rows.iter().filter_map(|row| row.unit.clone());
        let units = store::tenancy::units_named(tx.conn(), self.tenant, units).await?;
        let units: HashMap<String, ServiceUnit> =
            units.into_iter().map(|unit| (unit.name.clone(), unit)).collect();

        let mut answer = pb::ImportParticipantsResponse::default();
        for row in rows {
            let unit = row.unit.as_ref().map(|name| units.get(name));
            match self.store_row(tx, &row, known.get(&row.register_key), unit, by).await {
                Ok(Outcome::Added) => answer.added += 1,
                Ok(Outcome::Updated) => answer.updated += 1,
                Ok(Outcome::Unchanged) => answer.unchanged += 1,
                Err(Stop::Row(column, reason)) => faults.push(RowFault::new(row.line, column, reason)),
                Err(Stop::All(fault)) => return Err(fault),
            }
        }
        faults.sort_by_key(|fault| fault.line);
        Ok((answer, faults))
    }

    /// `unit` is None where the row names none, and Some(None) where it names one that is not there.
    async fn store_row(
        &self,
        tx: &Tx,
        row: &Row,
        known: Option<&Participant>,
        unit: Option<Option<&ServiceUnit>>,
        by: PersonId,
    ) -> Result<Outcome, Stop> {
        let unit = match unit {
            Some(None) => {
                let reason =
                    "there is no unit of this name in the county; register it first, or correct the name";
                return Err(Stop::Row("unit", reason.to_owned()));
            }
            Some(Some(unit)) => Some(unit),
            None => None,
        };
        let (participant, mut changed) = match known {
            // Who has left stays away, whatever the county's register says.
            Some(known) if known.state.is_gone() => return Ok(Outcome::Unchanged),
            Some(known) => self.update(tx, row, known.clone(), by).await?,
            None => (self.enrol(tx, row).await?, false),
        };
        if let (Some(attested), Some(unit)) = (&row.attested, unit) {
            changed |= self.attest(tx, &participant, attested, unit, by).await?;
        }
        if let Some(role) = row.role {
            changed |= self.assign(tx, &participant, role, unit).await?;
        }
        Ok(match known {
            None => Outcome::Added,
            Some(_) if changed => Outcome::Updated,
            Some(_) => Outcome::Unchanged,
        })
    }

    async fn enrol(&self, tx: &Tx, row: &Row) -> Result<Participant, Stop> {
        let new = NewParticipant {
            id: self.app.ids().new_id(),
            person: PersonId::from(self.app.ids().uuid()),
            tenant: self.tenant,
            register_key: row.register_key.clone(),
            profile: row.profile.clone(),
            link_hash: row.identity_link.as_ref().map(|link| self.app.link_hash(link)),
        };
        enrol(tx, &new).await.map_err(in_column("identity_link"))
    }

    /// Name, addresses and link as in the row; tells whether anything was different.
    async fn update(
        &self,
        tx: &Tx,
        row: &Row,
        mut participant: Participant,
        by: PersonId,
    ) -> Result<(Participant, bool), Stop> {
        let mut changed = false;
        if let Some(link) = &row.identity_link {
            let (link, before) = (self.app.link_hash(link), participant.person);
            changed = link_person(tx, &mut participant, &link).await.map_err(in_column("identity_link"))?;
            // Whoever could not attest themselves cannot become somebody who was attested, either.
            if participant.person != before && participant.person == by {
                let today = tx.now().helsinki_date();
                let held = store::attestations::of(tx.conn(), [participant.id]).await?;
                if held.iter().any(|attestation| attestation.is_on(today)) {
                    return Err(Stop::Row("identity_link", OWN_ROW.to_owned()));
                }
            }
        }
        let command = participant::Command::ChangeProfile(row.profile.clone());
        if let Some(event) = participant.decide(&command).map_err(Fault::from)? {
            participant = participant.apply(&event);
            changed = true;
        }
        if changed {
            store::participants::save(tx.conn(), &participant).await?;
        }
        Ok((participant, changed))
    }

    /// Attests unless it is attested already; tells whether it was not.
    async fn attest(
        &self,
        tx: &Tx,
        participant: &Participant,
        attested: &Attested,
        unit: &ServiceUnit,
        by: PersonId,
    ) -> Result<bool, Stop> {
        let Attested { group, municipality } = attested;
        let today = tx.now().helsinki_date();
        let existing = store::attestations::of(tx.conn(), [participant.id]).await?;
        let is_there = existing
            .iter()
            .any(|held| held.group == *group && held.municipality == *municipality && held.is_on(today));
        if is_there {
            return Ok(false);
        }
        let id: AttestationId = self.app.ids().new_id();
        match attestations::make(tx, id, participant, unit, by, group, *municipality, &existing).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.code() == Rejection::AttestsSelf.code() => {
                Err(Stop::Row("group", OWN_ROW.to_owned()))
            }
            Err(fault) => Err(in_column("municipality")(fault)),
        }
    }

    /// Gives the role, in the unit or else in the county, unless it is held already; tells whether it was not.
    async fn assign(
        &self,
        tx: &Tx,
        participant: &Participant,
        asked: Role,
        unit: Option<&ServiceUnit>,
    ) -> Result<bool, Stop> {
        let in_unit = unit.filter(|_| role::scope_kinds(asked).contains(&ScopeKind::Unit));
        let scope = in_unit.map_or(ScopeRef::Tenant(self.tenant), |unit| ScopeRef::Unit(unit.id));
        let new = NewRole {
            tenant: self.tenant,
            participant: participant.id,
            held: HeldRole { role: asked, scope },
            starts_on: None,
            ends_on: None,
            by_operator: false,
        };
        match roles::assign(tx, self.app.ids().new_id::<AssignmentId>(), participant, &new).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.code() == Rejection::RoleInForce.code() => Ok(false),
            Err(fault) => Err(in_column("role")(fault)),
        }
    }
}

/// What nobody may hold at once in one county, nobody holds at once in two (M7, F8, F5).
async fn require_compatible(tx: &Tx, participant: ParticipantId, other: PersonId) -> Result<(), Fault> {
    let entries = store::participants::of_person(tx.conn(), other).await?;
    let held = store::roles::of(tx.conn(), [participant]).await?;
    for theirs in store::roles::of(tx.conn(), entries.iter().map(|entry| entry.id)).await? {
        if let Some(own) = held.iter().find(|own| own.excludes(&theirs)) {
            return Err(Rejection::RolesExclude(own.held.role, theirs.held.role).into());
        }
    }
    Ok(())
}

/// Makes the participant the human whom the link names; tells whether that was new.
///
/// Two people who have each taken part cannot become one: the services know them by different references.
async fn link_person(tx: &Tx, participant: &mut Participant, link: &[u8]) -> Result<bool, Fault> {
    let person = participant.person;
    match store::participants::link_of(tx.conn(), person).await? {
        Some(held) if held == link => return Ok(false),
        Some(_) => return Err(Rejection::LinkFixed.into()),
        None => {}
    }
    let Some(other) = store::participants::person_by_link(tx.conn(), link).await? else {
        store::participants::set_link(tx.conn(), person, Some(link.to_vec())).await?;
        return Ok(true);
    };
    require_absent(tx, other, participant.tenant).await?;
    require_compatible(tx, participant.id, other).await?;
    if store::references::any(tx.conn(), person).await? || store::rolls::any(tx.conn(), person).await? {
        return Err(Rejection::LinkTooLate.into());
    }
    participant.person = other;
    Ok(true)
}
