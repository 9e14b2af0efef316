//! Support relationships: offering, asking, accepting, declaring, ending; who helps whom; municipalities without support
//! persons.
//!
//! Each is an act of its own person: no mandate covers it. To the other one, whoever is not one of the two is told the
//! same as if the relationship did not exist.

use futures::FutureExt as _;
use kernel::{
    Caller, Fault, ForumId, PageSize, PageToken, ParticipantId, Scope, SupportId, TenantId, UnitId,
};
use messaging::{Command, Tx};
use proto::membership as pb;
use sea_orm::ConnectionTrait;

use super::upkeep::schedule_purge;
use super::{App, own_act, participants, person_of, tokens};
use crate::domain::participant::Participant;
use crate::domain::rejection::Support as Refusal;
use crate::domain::support::{self, Event, Helping, Origin, Side, State, Support};
use crate::domain::tenancy::ServiceUnit;
use crate::domain::{PersonId, Rejection};
use crate::{convert, store};

/// Notice to a member that somebody was offered to them as a support person.
pub const SUPPORT_OFFERED: &str = "membership.support_offered";
/// Notice to a support person that a member has accepted or asked for them.
pub const SUPPORT_ACCEPTED: &str = "membership.support_accepted";
/// Notice to the other one that a relationship has ended.
pub const SUPPORT_ENDED: &str = "membership.support_ended";

impl App {
    /// Offers a member a support person, in the name of the county or of a unit: the scope in which the caller's role was
    /// found.
    ///
    /// # Errors
    /// UnitUnknown, ParticipantUnknown, NotForUnit, and those of [`support::begin`].
    pub async fn offer_support(
        &self,
        command: &Command,
        scope: Scope,
        member: ParticipantId,
        supporter: ParticipantId,
    ) -> Result<pb::OfferSupportResponse, Fault> {
        let id: SupportId = self.ids().new_id();
        self.writer()
            .run(command, (self.clone(), id, scope, member, supporter), |tx, input| {
                let (app, id, scope, member, supporter) = input;
                async move {
                    let (tenant, unit) = match scope {
                        Scope::Unit(unit) => {
                            let unit = unit_of(tx, *unit).await?;
                            (unit.tenant, Some(unit))
                        }
                        other => (other.tenant()?, None),
                    };
                    let member = participants::load(tx, tenant, *member).await?;
                    let supporter = participants::load(tx, tenant, *supporter).await?;
                    if let Some(unit) = unit
                        && !is_client_at(tx, &member, &unit).await?
                    {
                        return Err(Refusal::NotForUnit.into());
                    }
                    app.begin(tx, *id, &member, &supporter, Origin::Offer).await?;
                    Ok(pb::OfferSupportResponse {})
                }
                .boxed()
            })
            .await
    }

    /// The caller asks somebody of the same county for support, who knows their id from them.
    ///
    /// # Errors
    /// MandateOwnActs, HelperPresent, SessionRefused, ParticipantUnknown, and those of [`support::begin`].
    pub async fn ask_for_support(
        &self,
        command: &Command,
        caller: &Caller,
        supporter: ParticipantId,
    ) -> Result<pb::AskForSupportResponse, Fault> {
        let id: SupportId = self.ids().new_id();
        let subject = alone(caller)?;
        self.writer()
            .run(command, (self.clone(), id, subject, caller.tenants.clone(), supporter), |tx, input| {
                let (app, id, subject, tenants, supporter) = input;
                async move {
                    let person = person_of(tx.conn(), *subject).await?;
                    let supporter = store::participants::any(tx.conn(), *supporter).await?;
                    let supporter = supporter.ok_or(Rejection::ParticipantUnknown)?;
                    let own = entries(tx.conn(), person, tenants).await?;
                    let member = own.into_iter().find(|one| one.tenant == supporter.tenant);
                    let member = member.ok_or(Rejection::ParticipantUnknown)?;
                    let begun = app.begin(tx, *id, &member, &supporter, Origin::MemberAsks).await?;
                    Ok(pb::AskForSupportResponse {
                        support_id: begun.id.to_string(),
                        state: convert::support::state_out(begun.state).into(),
                    })
                }
                .boxed()
            })
            .await
    }

    /// Begins a relationship, tells whose turn it is, or gives the one that is there. A member who asks for the person who
    /// was offered to them accepts.
    async fn begin(
        &self,
        tx: &Tx,
        id: SupportId,
        member: &Participant,
        supporter: &Participant,
        origin: Origin,
    ) -> Result<Support, Fault> {
        let today = tx.now().helsinki_date();
        let helping = helping(tx.conn(), member.person, supporter, today).await?;
        let begun = support::begin(id, member, supporter, origin, &helping, today);
        if let Some(there) = store::support::open(tx.conn(), member.id, supporter.id).await? {
            return match origin {
                Origin::MemberAsks => {
                    self.put(tx, there, support::Command::Accept, &helping, member.person).await
                }
                // What would be refused is refused all the same: the answer tells of nothing that is there.
                Origin::Offer => begun.map(|_| there).map_err(Fault::from),
            };
        }
        let begun = begun?;
        if !store::support::save(tx.conn(), &begun).await? {
            return Err(Fault::internal("two relationships of the same two were begun at once"));
        }
        let (told, template) = match origin {
            Origin::Offer => (member, SUPPORT_OFFERED),
            Origin::MemberAsks => (supporter, SUPPORT_ACCEPTED),
        };
        self.tell_of_own(tx, told, template, &format!("{template}.{id}")).await?;
        Ok(begun)
    }

    /// Accepts, declines, declares or ends, whichever the caller's side may. Asked again, it answers with how it stands.
    ///
    /// # Errors
    /// MandateOwnActs, HelperPresent, SessionRefused, Unknown, and those of [`Support::decide`].
    pub async fn change_support<A>(
        &self,
        command: &Command,
        caller: &Caller,
        id: SupportId,
        change: support::Command,
        answer: fn(pb::SupportState) -> A,
    ) -> Result<A, Fault>
    where
        A: prost::Message + Default + Send + 'static,
    {
        let subject = alone(caller)?;
        let input = (self.clone(), subject, caller.tenants.clone(), id, change);
        self.writer()
            .run(command, input, move |tx, (app, subject, tenants, id, change)| {
                async move {
                    let person = person_of(tx.conn(), *subject).await?;
                    let own = entries(tx.conn(), person, tenants).await?;
                    let support = store::support::load(tx.conn(), *id).await?.ok_or(Refusal::Unknown)?;
                    let is_on = |side: Side| own.iter().any(|entry| entry.id == support.on(side));
                    let is_theirs = match change.side() {
                        Some(side) => is_on(side),
                        None => is_on(Side::Member) || is_on(Side::Supporter),
                    };
                    if !is_theirs {
                        return Err(Refusal::Unknown.into());
                    }
                    let (member, supporter) = both(tx.conn(), &support).await?;
                    let today = tx.now().helsinki_date();
                    let helping = helping(tx.conn(), member.person, &supporter, today).await?;
                    let after = app.put(tx, support, *change, &helping, person).await?;
                    Ok(answer(convert::support::state_out(after.state)))
                }
                .boxed()
            })
            .await
    }

    /// Makes the change, if it is one, and tells the other one; `by` is who made it.
    async fn put(
        &self,
        tx: &Tx,
        support: Support,
        change: support::Command,
        helping: &Helping,
        by: PersonId,
    ) -> Result<Support, Fault> {
        let Some(event) = support.decide(change, helping, tx.now().helsinki_date())? else {
            return Ok(support);
        };
        let (member, supporter) = both(tx.conn(), &support).await?;
        let was = support.state;
        let after = support.apply(&event);
        store::support::save(tx.conn(), &after).await?;
        let id = after.id;
        match event {
            Event::Accepted => {
                self.tell_of_own(tx, &supporter, SUPPORT_ACCEPTED, &format!("{SUPPORT_ACCEPTED}.{id}"))
                    .await?;
            }
            // The member sees it in the list of their own.
            Event::Declared(_) => {}
            Event::Ended(_) => {
                schedule_purge(tx);
                // Of an offer that is declined the support person was not told either.
                if was != State::Offered {
                    let other = if by == member.person { &supporter } else { &member };
                    self.tell_of_own(tx, other, SUPPORT_ENDED, &format!("{SUPPORT_ENDED}.{id}")).await?;
                }
            }
        }
        Ok(after)
    }

    /// Who helps the caller and whom the caller helps, in the counties of their token. A member sees who was offered; a
    /// support person is told the member's name only while they help.
    ///
    /// # Errors
    /// MandateOwnActs, SessionRefused; Invalid for a broken page token.
    pub async fn my_support(
        &self,
        caller: &Caller,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListMySupportResponse, Fault> {
        let subject = own_act(caller)?;
        let db = self.reads();
        let list = format!("support|{subject}");
        let after = convert::field("page_token", PageToken::read(token, &list))?;
        let after: Option<SupportId> = after.map(|id| convert::parsed("page_token", &id)).transpose()?;
        let own = entries(db, person_of(db, subject).await?, &caller.tenants).await?;
        let own: Vec<ParticipantId> = own.into_iter().map(|entry| entry.id).collect();
        let page = store::support::page(db, &own, after, size).await?;
        let (page, next) = size.cut(page, &list, |support| support.id.to_string());
        let mut relationships = Vec::with_capacity(page.len());
        for support in page {
            let (member, supporter) = both(db, &support).await?;
            let side = if own.contains(&support.member) { Side::Member } else { Side::Supporter };
            let (other, units) = match side {
                Side::Member => {
                    let units = tokens::record(db, supporter.person).await?.work_units(self.today());
                    (supporter, units)
                }
                Side::Supporter => (member, Vec::new()),
            };
            let is_named = side == Side::Member || support.state == State::Active;
            let name = if is_named { other.profile.display_name } else { String::new() };
            relationships.push(convert::support::relationship_out(&support, side, name, &units));
        }
        Ok(pb::ListMySupportResponse {
            relationships,
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// How many support persons each municipality of a forum has, for a county of the forum (S1.36).
    ///
    /// # Errors
    /// ScopeUnknown if the forum has not been heard of, ScopeNotInCounty if it is of others.
    pub async fn support_coverage(
        &self,
        tenant: TenantId,
        forum: ForumId,
    ) -> Result<pb::GetSupportCoverageResponse, Fault> {
        let facts = store::forums::facts(self.reads(), forum).await?.ok_or(Rejection::ScopeUnknown)?;
        if !facts.tenants.contains(&tenant) {
            return Err(Rejection::ScopeNotInCounty.into());
        }
        let municipalities = store::forums::seat_plan(self.reads(), forum).await?;
        let counts = store::support::coverage(self.reads(), &municipalities, self.today()).await?;
        let without = counts.iter().filter(|(_, count)| **count == 0).map(|(place, _)| place.to_string());
        Ok(pb::GetSupportCoverageResponse {
            without: without.collect(),
            support_persons: convert::counts_out(&counts),
        })
    }
}

/// The caller, acting without a mandate and without a helper on record: what the member answers alone (M3).
fn alone(caller: &Caller) -> Result<kernel::Subject, Fault> {
    let subject = own_act(caller)?;
    if caller.helper.is_some() { Err(Refusal::HelperPresent.into()) } else { Ok(subject) }
}

/// A human's entries in the registers of these counties that are not gone.
async fn entries(
    db: &impl ConnectionTrait,
    person: PersonId,
    tenants: &[TenantId],
) -> Result<Vec<Participant>, Fault> {
    let mut entries = store::participants::of_person(db, person).await?;
    entries.retain(|entry| !entry.state.is_gone() && tenants.contains(&entry.tenant));
    Ok(entries)
}

/// The member and the support person.
pub(super) async fn both(
    db: &impl ConnectionTrait,
    support: &Support,
) -> Result<(Participant, Participant), Fault> {
    let gone = || Fault::internal("a support relationship of somebody who is not in the register");
    let member = store::participants::any(db, support.member).await?.ok_or_else(gone)?;
    let supporter = store::participants::any(db, support.supporter).await?.ok_or_else(gone)?;
    Ok((member, supporter))
}

/// What is known of one human who helps another, today.
pub(super) async fn helping(
    db: &impl ConnectionTrait,
    member: PersonId,
    supporter: &Participant,
    today: kernel::Date,
) -> Result<Helping, Fault> {
    let mandates = store::roles::mandates(db, supporter.person, member).await?;
    let record = tokens::record(db, supporter.person).await?;
    Ok(Helping {
        conflict_units: record.work_units(today),
        by_mandate: mandates.iter().any(|mandate| mandate.is_on(today)),
        is_support_person: record.is_support_person(supporter.id, today),
    })
}

/// A unit, or a refusal.
pub(super) async fn unit_of(tx: &Tx, unit: UnitId) -> Result<ServiceUnit, Fault> {
    store::tenancy::unit(tx.conn(), unit).await?.ok_or_else(|| Rejection::UnitUnknown.into())
}

/// Whether a unit there, this one or another, has attested the person for the unit's municipality.
pub(super) async fn is_client_at(tx: &Tx, person: &Participant, unit: &ServiceUnit) -> Result<bool, Fault> {
    let today = tx.now().helsinki_date();
    for attestation in store::attestations::of(tx.conn(), [person.id]).await? {
        if !attestation.is_on(today) || attestation.municipality != unit.municipality {
            continue;
        }
        let by = store::tenancy::unit(tx.conn(), attestation.unit).await?;
        if by.is_some_and(|by| by.municipality == unit.municipality) {
            return Ok(true);
        }
    }
    Ok(false)
}
