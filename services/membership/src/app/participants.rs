//! The register: adding people, reading them, shutting out and letting in, leaving, mandates.

use futures::FutureExt as _;
use kernel::{
    ActingMode, Caller, Date, Fault, MandateId, MunicipalityCode, PageSize, PageToken, ParticipantId,
    Subject, TenantId,
};
use messaging::{Command, Tx};
use proto::membership as pb;
use sea_orm::ConnectionTrait;

use super::{App, attestations, cards, own_act, person_of, roles};
use crate::domain::participant::{self, Participant, PersonId, Profile, State};
use crate::domain::{Rejection, mandate};
use crate::vault::Purpose;
use crate::{convert, events, store};

/// A person to add to a county's register.
#[derive(Debug, Clone)]
pub struct NewParticipant {
    /// Id in the register.
    pub id: ParticipantId,
    /// Id of the human, unless the link names one who is there already.
    pub person: PersonId,
    /// The county.
    pub tenant: TenantId,
    /// The county's own key.
    pub register_key: String,
    /// Name and addresses.
    pub profile: Profile,
    /// Keyed hash of what links one human over counties; from [`App::link_hash`].
    pub link_hash: Option<Vec<u8>>,
}

impl App {
    /// The keyed hash under which an identity link is stored.
    pub fn link_hash(&self, link: &str) -> Vec<u8> {
        self.vault().hash(Purpose::IdentityLink, link.as_bytes()).to_vec()
    }

    /// Adds a person to the register.
    ///
    /// # Errors
    /// RegisterKeyTaken, LinkTaken.
    pub async fn register(
        &self,
        command: &Command,
        new: NewParticipant,
    ) -> Result<pb::RegisterParticipantResponse, Fault> {
        self.writer().run(command, new, |tx, new| register(tx, new).boxed()).await
    }

    /// One person of a county's register.
    ///
    /// # Errors
    /// ParticipantUnknown.
    pub async fn participant(
        &self,
        tenant: TenantId,
        id: ParticipantId,
    ) -> Result<pb::GetParticipantResponse, Fault> {
        let found = store::participants::load(self.reads(), tenant, id).await?;
        let participant = found.ok_or(Rejection::ParticipantUnknown)?;
        let shown = show(self.reads(), &[participant]).await?;
        Ok(pb::GetParticipantResponse { participant: shown.into_iter().next() })
    }

    /// A page of a county's register, of one municipality if it is named.
    ///
    /// # Errors
    /// Invalid for a broken page token.
    pub async fn participants(
        &self,
        tenant: TenantId,
        municipality: Option<MunicipalityCode>,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListParticipantsResponse, Fault> {
        let municipality = municipality.as_ref().map(MunicipalityCode::as_str);
        let list = format!("participants|{tenant}|{}", municipality.unwrap_or("all"));
        let after = convert::field("page_token", PageToken::read(token, &list))?;
        let after: Option<ParticipantId> = after.map(|id| convert::parsed("page_token", &id)).transpose()?;
        let after = after.map(|id| id.as_uuid());
        let page = store::participants::page(self.reads(), tenant, municipality, after, size).await?;
        let (page, next) = size.cut(page, &list, |participant| participant.id.to_string());
        Ok(pb::ListParticipantsResponse {
            participants: show(self.reads(), &page).await?,
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// The caller's own data in the counties of their token, with the code cards that were made for them.
    ///
    /// # Errors
    /// SessionRefused if the caller has left.
    pub async fn myself(&self, caller: &Caller) -> Result<pb::GetMyselfResponse, Fault> {
        let person = person_of(self.reads(), caller.subject()?).await?;
        let mut participants = store::participants::of_person(self.reads(), person).await?;
        participants.retain(|one| caller.tenants.contains(&one.tenant));
        if participants.is_empty() {
            return Err(Rejection::SessionRefused.into());
        }
        // Who made a card is for the eyes of its holder, and not for whoever acts for them.
        let cards = match caller.mode {
            ActingMode::OnBehalf => Vec::new(),
            _ => cards::show(self.reads(), &participants, self.inner.wiring.clock.now()).await?,
        };
        Ok(pb::GetMyselfResponse { participants: show(self.reads(), &participants).await?, cards })
    }

    /// The ids by which membership's requests name a person: those of their entries in the counties' registers, and
    /// the references by which other services know them. For the person's extract of the audit log.
    ///
    /// # Errors
    /// SessionRefused if they have left.
    pub async fn names_of(&self, subject: Subject) -> Result<Vec<String>, Fault> {
        let person = person_of(self.reads(), subject).await?;
        let entries = store::participants::of_person(self.reads(), person).await?;
        let references = store::references::of_person(self.reads(), person).await?;
        let entries = entries.into_iter().map(|one| one.id.to_string());
        Ok(entries.chain(references.into_iter().map(|one| one.to_string())).collect())
    }

    /// Shuts a person out of the county for now: all sessions there end.
    ///
    /// # Errors
    /// ParticipantUnknown, HasLeft.
    pub async fn suspend(
        &self,
        command: &Command,
        tenant: TenantId,
        id: ParticipantId,
    ) -> Result<pb::SuspendParticipantResponse, Fault> {
        self.writer()
            .run(command, (tenant, id), |tx, (tenant, id)| {
                let done = change(tx, *tenant, *id, participant::Command::Suspend);
                async move { Ok(pb::SuspendParticipantResponse { participant: Some(done.await?) }) }.boxed()
            })
            .await
    }

    /// Lets a suspended person in again.
    ///
    /// # Errors
    /// ParticipantUnknown, HasLeft, NotSuspended.
    pub async fn reinstate(
        &self,
        command: &Command,
        tenant: TenantId,
        id: ParticipantId,
    ) -> Result<pb::ReinstateParticipantResponse, Fault> {
        self.writer()
            .run(command, (tenant, id), |tx, (tenant, id)| {
                let done = change(tx, *tenant, *id, participant::Command::Reinstate);
                async move { Ok(pb::ReinstateParticipantResponse { participant: Some(done.await?) }) }.boxed()
            })
            .await
    }

    /// The caller leaves in one county. `county` names it where the token covers several of their entries.
    ///
    /// # Errors
    /// SessionRefused if they have left there already; LeavesWhere; MandateOwnActs.
    pub async fn leave(
        &self,
        command: &Command,
        caller: &Caller,
        county: Option<TenantId>,
    ) -> Result<pb::LeaveParticipationResponse, Fault> {
        let leaving = Leaving {
            subject: own_act(caller)?,
            counties: county.map_or_else(|| caller.tenants.clone(), |county| vec![county]),
            // Nobody leaves where their card does not let them in.
            covered: caller.tenants.clone(),
            alone: self.new_id(),
        };
        self.writer().run(command, leaving, |tx, leaving| leave(tx, leaving).boxed()).await
    }

    /// Records a mandate.
    ///
    /// # Errors
    /// ParticipantUnknown, HasLeft, MandateFromSelf, DatesInOrder.
    pub async fn register_mandate(
        &self,
        command: &Command,
        tenant: TenantId,
        principal: ParticipantId,
        holder: ParticipantId,
        ends_on: Date,
    ) -> Result<pb::RegisterMandateResponse, Fault> {
        let id: MandateId = self.ids().new_id();
        let input = (id, tenant, principal, holder, ends_on);
        self.writer()
            .run(command, input, |tx, (id, tenant, principal, holder, ends_on)| {
                async move {
                    let principal = load(tx, *tenant, *principal).await?;
                    let holder = load(tx, *tenant, *holder).await?;
                    let today = tx.now().helsinki_date();
                    let mandate = mandate::register(*id, &principal, &holder, *ends_on, today)?;
                    store::roles::add_mandate(tx.conn(), &mandate).await?;
                    Ok(pb::RegisterMandateResponse { mandate_id: id.to_string() })
                }
                .boxed()
            })
            .await
    }
}

/// People with what is on record of them.
pub(super) async fn show(
    db: &impl ConnectionTrait,
    participants: &[Participant],
) -> Result<Vec<pb::Participant>, Fault> {
    let ids: Vec<ParticipantId> = participants.iter().map(|participant| participant.id).collect();
    let attestations = store::attestations::of(db, ids.clone()).await?;
    let roles = store::roles::of(db, ids).await?;
    let shown = participants.iter().map(|one| convert::participant_out(one, &attestations, &roles));
    Ok(shown.collect())
}

/// A person of the county's register, or a refusal.
pub(super) async fn load(tx: &Tx, tenant: TenantId, id: ParticipantId) -> Result<Participant, Fault> {
    let found = store::participants::load(tx.conn(), tenant, id).await?;
    found.ok_or_else(|| Rejection::ParticipantUnknown.into())
}

async fn register(tx: &Tx, new: &NewParticipant) -> Result<pb::RegisterParticipantResponse, Fault> {
    let participant = enrol(tx, new).await?;
    let shown = convert::participant_out(&participant, &[], &[]);
    Ok(pb::RegisterParticipantResponse { participant: Some(shown) })
}

/// Adds a person to the register, as the human whom the link names.
pub(super) async fn enrol(tx: &Tx, new: &NewParticipant) -> Result<Participant, Fault> {
    let person = match &new.link_hash {
        Some(link) => match store::participants::person_by_link(tx.conn(), link).await? {
            Some(person) => {
                require_absent(tx, person, new.tenant).await?;
                person
            }
            None => add_person(tx, new).await?,
        },
        None => add_person(tx, new).await?,
    };
    let event = participant::Event::Registered(Participant {
        id: new.id,
        tenant: new.tenant,
        person,
        register_key: new.register_key.clone(),
        profile: new.profile.clone(),
        state: State::Invited,
    });
    let participant::Event::Registered(participant) = event else {
        return Err(Fault::internal("registering made no person"));
    };
    if !store::participants::add(tx.conn(), &participant).await? {
        return Err(Rejection::RegisterKeyTaken.into());
    }
    Ok(participant)
}

async fn add_person(tx: &Tx, new: &NewParticipant) -> Result<PersonId, Fault> {
    store::participants::add_person(tx.conn(), new.person, new.link_hash.clone()).await?;
    Ok(new.person)
}

/// One human is once in a county's register.
pub(super) async fn require_absent(tx: &Tx, person: PersonId, tenant: TenantId) -> Result<(), Fault> {
    let there = store::participants::of_person(tx.conn(), person).await?;
    if there.iter().any(|one| one.tenant == tenant) { Err(Rejection::LinkTaken.into()) } else { Ok(()) }
}

/// Suspends or reinstates.
async fn change(
    tx: &Tx,
    tenant: TenantId,
    id: ParticipantId,
    command: participant::Command,
) -> Result<pb::Participant, Fault> {
    let mut participant = load(tx, tenant, id).await?;
    if let Some(event) = participant.decide(&command)? {
        participant = participant.apply(&event);
        store::participants::save(tx.conn(), &participant).await?;
        if event == participant::Event::Suspended {
            // What another county lets the same human do is its own business.
            store::sessions::end_of(tx.conn(), participant.id).await?;
        }
    }
    let shown = show(tx.conn(), &[participant]).await?;
    shown.into_iter().next().ok_or_else(|| Fault::internal("one person gave no answer"))
}

/// Somebody who leaves.
#[derive(Debug, Clone)]
struct Leaving {
    subject: Subject,
    /// Where.
    counties: Vec<TenantId>,
    /// Counties of the token.
    covered: Vec<TenantId>,
    /// Who the entry is from then on, if the human stays in another county.
    alone: PersonId,
}

/// Everything that ties the entry to the platform ends. With the last entry in which the human has taken part, services
/// are told to drop their references. Until then the human goes on in the other county under the same references, and the
/// services keep what they know of them, of this county too; the entry is nobody's but its own.
async fn leave(tx: &Tx, leaving: &Leaving) -> Result<pb::LeaveParticipationResponse, Fault> {
    let person = person_of(tx.conn(), leaving.subject).await?;
    let mut present = store::participants::of_person(tx.conn(), person).await?;
    present.retain(|entry| !entry.state.is_gone());
    let is_meant = |entry: &&Participant| {
        leaving.counties.contains(&entry.tenant) && leaving.covered.contains(&entry.tenant)
    };
    let mut meant = present.iter().filter(is_meant);
    let entry = meant.next().ok_or(Rejection::SessionRefused)?;
    if meant.next().is_some() {
        return Err(Rejection::LeavesWhere.into());
    }
    for attestation in store::attestations::of(tx.conn(), [entry.id]).await? {
        if let Some(event) = attestation.leave() {
            attestations::end(tx, attestation, &event).await?;
        }
    }
    for assignment in store::roles::of(tx.conn(), [entry.id]).await? {
        if let Ok(event) = assignment.end() {
            roles::end(tx, assignment, &event).await?;
        }
    }
    let mut left = entry.clone();
    if let Some(event) = left.decide(&participant::Command::Leave)? {
        left = left.apply(&event);
    }
    store::sessions::end_of(tx.conn(), entry.id).await?;
    store::cards::replace_open(tx.conn(), [entry.id]).await?;
    store::cards::drop_nomination_codes(tx.conn(), person).await?;
    store::roles::forget_mandates(tx.conn(), person, entry.tenant).await?;
    store::support::forget(tx.conn(), entry.id).await?;
    store::contacts::forget(tx.conn(), entry.id).await?;
    store::rolls::withdraw(tx.conn(), person, entry.id).await?;
    let places = store::rolls::claims(tx.conn(), person).await?;
    let is_on_roll = |id| places.iter().any(|(holder, _)| *holder == id);
    // Where somebody was only ever invited, perhaps without knowing it, they do not go on. But a place on a roll must stay
    // with the reference under which a paper ballot may have been handed over.
    let goes_on = |other: &&Participant| other.state != State::Invited || is_on_roll(other.id);
    if !present.iter().filter(|other| other.id != entry.id).any(|other| goes_on(&other)) {
        store::notices::forget(tx.conn(), person).await?;
        store::references::retire(tx.conn(), person).await?;
        // Whoever is registered again by this link is a new person.
        store::participants::set_link(tx.conn(), person, None).await?;
    } else {
        store::notices::forget_in(tx.conn(), person, entry.tenant).await?;
        // The human, who has the link, can be registered here again.
        store::participants::add_person(tx.conn(), leaving.alone, None).await?;
        left.person = leaving.alone;
    }
    store::participants::save(tx.conn(), &left).await?;
    Ok(pb::LeaveParticipationResponse {})
}

/// Notes a proof of identity to one county: whoever was only invited takes part there now.
pub(super) async fn sign_in(tx: &Tx, participant: &Participant) -> Result<(), Fault> {
    let Some(event) = participant.decide(&participant::Command::SignIn)? else { return Ok(()) };
    let after = participant.clone().apply(&event);
    store::participants::save(tx.conn(), &after).await?;
    let kind = roles::kind_of(tx, after.id).await?;
    if let Some(published) = events::participant(&after, &event, kind) {
        tx.publish(published);
    }
    Ok(())
}
