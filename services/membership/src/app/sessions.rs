//! Signing in and out.
//!
//! A session's secret is made from the command, so a repeated sign-in answers the same; its hash alone is stored.

use futures::FutureExt as _;
use kernel::{AssignmentId, Assurance, Fault, HeldRole, ParticipantId, Role, ScopeRef, TenantId, Timestamp};
use messaging::{Command, Tx};
use proto::membership as pb;

use super::upkeep::schedule_purge;
use super::{App, NewParticipant, participants, roles};
use crate::domain::card::{self, Card};
use crate::domain::participant::{Participant, PersonId};
use crate::domain::{Rejection, code, token};
use crate::store::sessions::Session;
use crate::vault::Purpose;
use crate::{convert, store};

/// Notice to the holder of a card that too many wrong codes were tried on it.
pub const CARD_LOCKED: &str = "membership.card_locked";
/// The same to whoever had the card made.
pub const ISSUED_CARD_LOCKED: &str = "membership.issued_card_locked";

/// Characters of a setup code: one hundred bits.
pub(crate) const SETUP_CODE_LENGTH: usize = 20;

/// The first administrator.
#[derive(Debug, Clone)]
pub struct NewAdministrator {
    /// The setup code as typed.
    pub code: String,
    /// The person.
    pub participant: NewParticipant,
}

impl App {
    /// The first administrator comes in with the setup code. They are administrator of every county of the deployment
    /// that has none, and operator if there is none, until they have named others and given the roles back.
    ///
    /// # Errors
    /// SetupCodeRefused, TenantNotServed.
    pub async fn redeem_setup_code(
        &self,
        command: &Command,
        new: NewAdministrator,
    ) -> Result<pb::RedeemSetupCodeResponse, Fault> {
        self.served(new.participant.tenant)?;
        let (secret, begin) = self.session_for(command, Assurance::Substantial);
        let input = (self.clone(), new, begin);
        let mut answer = self
            .writer()
            .run(command, input, |tx, (app, new, begin)| app.redeem(tx, new, begin).boxed())
            .await?;
        show_secret(&mut answer.session, secret);
        Ok(answer)
    }

    /// Signs in with a code card, which is used up.
    ///
    /// # Errors
    /// CardRefused for a wrong number, a wrong code and a locked card alike; CardUsed, CardReplaced, CardExpired and
    /// Suspended for those who know the code.
    pub async fn sign_in_with_card(
        &self,
        command: &Command,
        number: &str,
        typed: &str,
    ) -> Result<pb::SignInWithCodeCardResponse, Fault> {
        let number = code::read(number, card::NUMBER_LENGTH);
        let typed = code::read(typed, card::CODE_LENGTH);
        let (Some(number), Some(typed)) = (number, typed) else { return Err(Rejection::CardRefused.into()) };
        self.check_code(&number, &typed).await?;
        let (secret, begin) = self.session_for(command, Assurance::Substantial);
        let mut answer = self
            .writer()
            .run(command, (number, begin), |tx, (number, begin)| sign_in(tx, number, begin).boxed())
            .await?;
        show_secret(&mut answer.session, secret);
        Ok(answer)
    }

    /// That the code is the card's. A try is counted before the code is looked at, so that many at once are no way
    /// round the limit.
    ///
    /// Every number goes the same way, of a card that is there, that is locked, or that is not there at all: a turn of
    /// the writer, a slow hash, and after a refusal another turn. The answer does not tell them apart. Its time may, by a
    /// row that is written for a card that is there: what is learnt is that a number is in use, which is no secret.
    async fn check_code(&self, number: &str, typed: &str) -> Result<(), Fault> {
        let try_of = number.to_owned();
        let stored = self
            .writer()
            .internal("membership.card_try", try_of, |tx, number| begin_try(tx, number).boxed())
            .await?;
        let is_right = match stored {
            Some(hash) => self.vault().is_slow_hash_of(number, typed, hash).await?,
            None => {
                self.vault().slow_hash(number, typed, self.ids().bytes()).await?;
                false
            }
        };
        if is_right {
            return Ok(());
        }
        let refused = (self.clone(), number.to_owned());
        self.writer()
            .internal("membership.card_refused", refused, |tx, (app, number)| {
                app.tell_of_lock(tx, number).boxed()
            })
            .await?;
        Err(Rejection::CardRefused.into())
    }

    /// Tells the holder of a card that is locked, and whoever had it made; those who tried the codes are told nothing.
    async fn tell_of_lock(&self, tx: &Tx, number: &str) -> Result<(), Fault> {
        let Some((card, _)) = store::cards::load(tx.conn(), number).await? else { return Ok(()) };
        if !card.is_locked() {
            return Ok(());
        }
        for (whom, template) in [(card.participant, CARD_LOCKED), (card.issued_by, ISSUED_CARD_LOCKED)] {
            let Some(entry) = store::participants::any(tx.conn(), whom).await? else { continue };
            if !entry.state.is_gone() {
                self.tell_of_own(tx, &entry, template, &format!("{template}/{number}")).await?;
            }
        }
        Ok(())
    }

    /// Ends a session; ending one that has ended is fine.
    ///
    /// # Errors
    /// Of the database.
    pub async fn end_session(
        &self,
        command: &Command,
        secret: &str,
    ) -> Result<pb::EndSessionResponse, Fault> {
        let hash = self.session_hash(secret);
        self.writer()
            .run(command, hash, |tx, hash| {
                async move {
                    store::sessions::end(tx.conn(), hash).await?;
                    Ok(pb::EndSessionResponse {})
                }
                .boxed()
            })
            .await
    }

    /// The hash under which a session is stored.
    pub(super) fn session_hash(&self, secret: &str) -> [u8; 32] {
        self.vault().hash(Purpose::Session, secret.as_bytes())
    }

    /// The secret of the session that this command begins, and what the writer needs to begin it.
    fn session_for(&self, command: &Command, assurance: Assurance) -> (String, Begin) {
        let secret = self.vault().derive_text(Purpose::Session, command);
        let begin = Begin { secret_hash: self.session_hash(&secret), assurance, real_now: self.real_now() };
        (secret, begin)
    }

    async fn redeem(
        &self,
        tx: &Tx,
        new: &NewAdministrator,
        begin: &Begin,
    ) -> Result<pb::RedeemSetupCodeResponse, Fault> {
        let stored = store::accounts::setup_code(tx.conn()).await?.ok_or(Rejection::SetupCodeRefused)?;
        let typed = code::read(&new.code, SETUP_CODE_LENGTH).ok_or(Rejection::SetupCodeRefused)?;
        if !self.vault().is_hash_of(Purpose::SetupCode, &stored, typed.as_bytes()) {
            return Err(Rejection::SetupCodeRefused.into());
        }
        let counties = store::roles::without_administrator(tx.conn(), &self.inner.wiring.tenants).await?;
        if !counties.contains(&new.participant.tenant) {
            // Its administrators name others; a code of the machine's operators is not above them.
            return Err(Rejection::SetupCodeRefused.into());
        }
        store::accounts::drop_setup_code(tx.conn()).await?;
        let participant = participants::enrol(tx, &new.participant).await?;
        let administrator =
            |tenant: &TenantId| HeldRole { role: Role::Administrator, scope: ScopeRef::Tenant(*tenant) };
        let operator = HeldRole { role: Role::Operator, scope: ScopeRef::Cell };
        let operator = (!store::roles::is_operated(tx.conn()).await?).then_some(operator);
        for held in counties.iter().map(administrator).chain(operator) {
            // Each county's role is given in its own name, so that the county can end it.
            let tenant = match held.scope {
                ScopeRef::Tenant(tenant) => tenant,
                _ => participant.tenant,
            };
            let role = roles::NewRole {
                tenant,
                participant: participant.id,
                held,
                starts_on: None,
                ends_on: None,
                by_operator: true,
            };
            roles::assign(tx, self.ids().new_id::<AssignmentId>(), &participant, &role).await?;
        }
        let session = begin_session(tx, &participant, begin).await?;
        Ok(pb::RedeemSetupCodeResponse { session: Some(session), participant_id: participant.id.to_string() })
    }
}

/// A session to begin.
#[derive(Debug, Clone)]
struct Begin {
    secret_hash: [u8; 32],
    assurance: Assurance,
    real_now: Timestamp,
}

async fn load_card(tx: &Tx, number: &str) -> Result<Card, Fault> {
    let found = store::cards::load(tx.conn(), number).await?;
    Ok(found.ok_or(Rejection::CardRefused)?.0)
}

/// Counts a try; gives the slow hash to compare with, unless there is no such card or it is locked.
async fn begin_try(tx: &Tx, number: &str) -> Result<Option<String>, Fault> {
    let Some((card, hash)) = store::cards::load(tx.conn(), number).await? else { return Ok(None) };
    let Ok(begun) = card.begin_try() else { return Ok(None) };
    if let Some(event) = begun {
        store::cards::save(tx.conn(), &card.apply(event)).await?;
    }
    Ok(Some(hash))
}

async fn sign_in(tx: &Tx, number: &str, begin: &Begin) -> Result<pb::SignInWithCodeCardResponse, Fault> {
    let card = load_card(tx, number).await?;
    let event = card.redeem(tx.now())?;
    let participant: ParticipantId = card.participant;
    store::cards::save(tx.conn(), &card.apply(event)).await?;
    let participant =
        store::participants::any(tx.conn(), participant).await?.ok_or(Rejection::CardRefused)?;
    let session = begin_session(tx, &participant, begin).await?;
    Ok(pb::SignInWithCodeCardResponse { session: Some(session) })
}

/// Begins a session of the human in one county; the secret is put in on the way out.
async fn begin_session(tx: &Tx, participant: &Participant, begin: &Begin) -> Result<pb::Session, Fault> {
    participants::sign_in(tx, participant).await?;
    let person: PersonId = participant.person;
    let expires_at = begin.real_now + token::SESSION;
    // The card is of one county, which proves nothing to another: the session covers its entry only.
    let session = Session { person, participant: participant.id, assurance: begin.assurance, expires_at };
    store::sessions::add(tx.conn(), &begin.secret_hash, &session).await?;
    schedule_purge(tx);
    Ok(pb::Session {
        session: String::new(),
        expires_at: Some(convert::timestamp_out(expires_at)),
        assurance: convert::assurance_out(begin.assurance).into(),
        tenants: vec![participant.tenant.to_string()],
    })
}

fn show_secret(session: &mut Option<pb::Session>, secret: String) {
    if let Some(session) = session {
        session.session = secret;
    }
}
