//! Making code cards.

use std::collections::HashMap;

use futures::FutureExt as _;
use kernel::{
    Caller, Date, Fault, ParticipantId, PolicyKey, Role, Scope, ScopeRef, Subject, TenantId, Timestamp,
    UnitId,
};
use messaging::{Command, Tx};
use proto::membership as pb;
use sea_orm::ConnectionTrait;

use super::upkeep::schedule_purge;
use super::{App, participants, person_of};
use crate::domain::card::{self, Card, State};
use crate::domain::participant::{Participant, PersonId};
use crate::domain::role::{self, Assignment};
use crate::domain::{Rejection, code};
use crate::vault::Purpose;
use crate::{convert, store};

/// Notice to a person that a card with which one can sign in as them was made.
pub const CARD_MADE: &str = "membership.card_made";

/// Who may have a card made of whom.
#[derive(Debug, Clone)]
enum Issuer {
    /// The county; whom the caller is administrator or operator over decides about people who hold an office.
    County { tenant: TenantId, caller: Caller },
    /// A unit, for people it has attested.
    Unit(UnitId),
}

/// What the writer needs of a new card.
struct New {
    app: App,
    issuer: Issuer,
    by: Subject,
    participant: ParticipantId,
    number: String,
    code_hash: String,
}

impl App {
    /// Makes a code card; an older unused one of the person stops working. The code is shown in this answer only.
    ///
    /// Whoever asks for a card sees its code and could sign in with it. So it is on record who they are, and the person
    /// is told that a card was made.
    ///
    /// # Errors
    /// SessionRefused if the caller has left; ParticipantUnknown, UnitUnknown, HasLeft, CardNotForUnit,
    /// CardNeedsAdministrator.
    pub async fn issue_card(
        &self,
        command: &Command,
        caller: &Caller,
        scope: Scope,
        participant: ParticipantId,
    ) -> Result<pb::IssueCodeCardResponse, Fault> {
        let issuer = match scope {
            Scope::Unit(unit) => Issuer::Unit(unit),
            other => Issuer::County { tenant: other.tenant()?, caller: caller.clone() },
        };
        let derived = self.vault().derive(Purpose::CardCode, command);
        let code = code::from_bytes(&derived[..card::CODE_LENGTH], card::CODE_LENGTH);
        // The number is no secret, but a replay must show the same one: it too is made from the command.
        let number = code::from_bytes(&derived[card::CODE_LENGTH..], card::NUMBER_LENGTH);
        let code_hash = self.vault().slow_hash(&number, &code, self.ids().bytes()).await?;
        let new = New { app: self.clone(), issuer, by: caller.subject()?, participant, number, code_hash };
        let mut answer = self.writer().run(command, new, |tx, new| issue(tx, new).boxed()).await?;
        // Not in the log of answers: put in on the way out.
        answer.code = code::grouped(&code);
        Ok(answer)
    }
}

async fn issue(tx: &Tx, new: &New) -> Result<pb::IssueCodeCardResponse, Fault> {
    let today = tx.now().helsinki_date();
    let (tenant, issued_for) = match new.issuer {
        Issuer::County { tenant, .. } => (tenant, None),
        Issuer::Unit(unit) => {
            let known = store::tenancy::unit(tx.conn(), unit).await?.ok_or(Rejection::UnitUnknown)?;
            (known.tenant, Some(unit))
        }
    };
    let issued_by = entry_of(tx, new.by, tenant).await?;
    let participant = participants::load(tx, tenant, new.participant).await?;
    if participant.state.is_gone() {
        return Err(Rejection::HasLeft.into());
    }
    check_issuer(tx, new, participant.person, today).await?;
    let days = store::tenancy::policy_on(tx.conn(), tenant, PolicyKey::CodeCardDays, today).await?;
    let card = Card {
        number: new.number.clone(),
        participant: participant.id,
        issued_by,
        issued_for,
        issued_at: tx.now(),
        expires_at: card::expiry(today, days),
        tries: 0,
        state: State::Open,
    };
    store::cards::replace_open(tx.conn(), [participant.id]).await?;
    if !store::cards::add(tx.conn(), &card, &new.code_hash).await? {
        return Err(Fault::unavailable(
            "membership.card_number_taken",
            "The number drawn for the card is taken. Ask for the card again, with a new idempotency key.",
        ));
    }
    schedule_purge(tx);
    new.app.tell_of_own(tx, &participant, CARD_MADE, &format!("{CARD_MADE}/{}", card.number)).await?;
    Ok(pb::IssueCodeCardResponse {
        card: card.number,
        code: String::new(),
        expires_at: Some(convert::timestamp_out(card.expires_at)),
    })
}

/// The caller's entry in the county's register; in another one, if a role lets them act here from there.
async fn entry_of(tx: &Tx, caller: Subject, tenant: TenantId) -> Result<ParticipantId, Fault> {
    let person = person_of(tx.conn(), caller).await?;
    let entries = store::participants::of_person(tx.conn(), person).await?;
    let here = entries.iter().find(|entry| entry.tenant == tenant).or(entries.first());
    Ok(here.ok_or(Rejection::SessionRefused)?.id)
}

/// The cards of people as they themselves may see them, with the names of those who had them made.
pub(super) async fn show(
    db: &impl ConnectionTrait,
    participants: &[Participant],
    now: Timestamp,
) -> Result<Vec<pb::CodeCard>, Fault> {
    let cards = store::cards::of(db, participants.iter().map(|one| one.id)).await?;
    let issuers = store::participants::by_ids(db, cards.iter().map(|card| card.issued_by)).await?;
    let issuers: HashMap<ParticipantId, String> =
        issuers.into_iter().map(|one| (one.id, one.profile.display_name)).collect();
    let units = store::tenancy::units_by_ids(db, cards.iter().filter_map(|card| card.issued_for)).await?;
    let units: HashMap<UnitId, String> = units.into_iter().map(|unit| (unit.id, unit.name)).collect();
    let shown = cards.iter().map(|card| {
        let issuer = issuers.get(&card.issued_by).cloned().unwrap_or_default();
        let unit = card.issued_for.and_then(|unit| units.get(&unit).cloned()).unwrap_or_default();
        convert::card_out(card, issuer, unit, now)
    });
    Ok(shown.collect())
}

/// Whoever makes a card could sign in with it, so who may make it depends on what its holder may do.
async fn check_issuer(tx: &Tx, new: &New, person: PersonId, today: Date) -> Result<(), Fault> {
    let everywhere = store::participants::of_person(tx.conn(), person).await?;
    let roles = store::roles::of(tx.conn(), everywhere.iter().map(|one| one.id)).await?;
    // Every office anywhere, and one that begins later: the card may still be open when it does.
    let mut offices = roles.iter().filter(|one| one.is_on_or_after(today) && role::is_office(one.held.role));
    let may_open = |office: &Assignment| match &new.issuer {
        Issuer::County { caller, .. } if office.held.scope == ScopeRef::Cell => {
            caller.holds(&[Role::Operator], &ScopeRef::Cell)
        }
        Issuer::County { caller, .. } => {
            caller.holds(&[Role::Administrator], &ScopeRef::Tenant(office.tenant))
        }
        Issuer::Unit(_) => false,
    };
    if !offices.all(may_open) {
        return Err(Rejection::CardNeedsAdministrator.into());
    }
    let Issuer::Unit(unit) = new.issuer else { return Ok(()) };
    let attestations = store::attestations::of(tx.conn(), [new.participant]).await?;
    if attestations.iter().any(|one| one.unit == unit && one.is_on(today)) {
        Ok(())
    } else {
        Err(Rejection::CardNotForUnit.into())
    }
}
