//! Actor tokens, service accounts, and the keys that sign.

use std::sync::{Arc, PoisonError};

use chassis::token::Issuer;
use futures::FutureExt as _;
use kernel::{
    ActingMode, Caller, Fault, Helper, ParticipantId, Subject, SupportId, TenantId, Timestamp, UnitId,
};
use messaging::{Command, Tx};
use proto::membership as pb;
use sea_orm::ConnectionTrait;

use super::App;
use super::support::{both, helping};
use crate::domain::Rejection;
use crate::domain::participant::{Participant, PersonId};
use crate::domain::rejection::Support as Refusal;
use crate::domain::support;
use crate::domain::token::{self, Record};
use crate::store::keys::SigningKey;
use crate::vault::{Purpose, Vault};
use crate::{convert, store};

/// The service whose decisions staff take no part in.
const FORUMS: &str = "forums";

/// What somebody with a session asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Secret of the session.
    pub session: String,
    /// The service the token is for.
    pub audience: String,
    /// How the person acts.
    pub mode: ActingMode,
    /// On whose behalf, with [`ActingMode::OnBehalf`].
    pub on_behalf_of: Option<ParticipantId>,
    /// By which relationship somebody helps, with [`ActingMode::Assisted`].
    pub support: Option<SupportId>,
}

impl App {
    /// Gives an actor token to the holder of a session.
    ///
    /// # Errors
    /// SessionRefused, AudienceUnknown, Suspended, NoMandate, NotActive, GuardianInConflict, RoleEnded.
    pub async fn actor_token(&self, asked: Asked) -> Result<pb::IssueActorTokenResponse, Fault> {
        let audience = token::audience(&asked.audience)?;
        let now = self.real_now();
        let session = store::sessions::load(self.reads(), &self.session_hash(&asked.session)).await?;
        let session = session.filter(|session| now <= session.expires_at).ok_or(Rejection::SessionRefused)?;
        let record = record(self.reads(), session.person).await?.only(session.participant);
        // Whoever is shut out, or has left, acts for nobody either.
        let mut rights = record.rights(asked.mode, self.today())?;
        let mut person = session.person;
        let mut helper = None;
        if asked.mode == ActingMode::OnBehalf {
            let principal = self.principal(session.person, asked.on_behalf_of, &rights.tenants).await?;
            let units = record.work_units(self.today());
            helper = Some(self.helper(session.person, units, audience).await?);
            person = principal.person;
            let record = self::record(self.reads(), person).await?.only(principal.id);
            rights = record.rights(asked.mode, self.today())?;
        } else if let Some(support) = asked.support {
            // The member votes with somebody at their side: whoever takes the vote asks the member for a yes (M5).
            helper = Some(self.supporter(support, session.participant, audience).await?);
        }
        // Of a mandate's principal nothing follows from it: nobody votes for them.
        let staff_somewhere = audience == FORUMS && record.is_staff(self.today());
        let subject = self.reference(person, audience).await?;
        let caller = Caller {
            audience: audience.to_owned(),
            tenants: rights.tenants,
            roles: rights.roles,
            rolls: rights.rolls,
            attestations: rights.attestations,
            mode: asked.mode,
            helper,
            staff_somewhere,
            assurance: session.assurance,
            expires: whole_seconds(session.expires_at.min(now + token::ACTOR_TOKEN)),
            ..Caller::person(subject)
        };
        let token = self.issuer(self.reads()).await?.actor_token(&caller, self.ids().uuid(), now)?;
        let expires_at = Some(convert::timestamp_out(caller.expires));
        Ok(pb::IssueActorTokenResponse {
            token: Some(pb::ActorToken { token, expires_at }),
            subject: subject.to_string(),
        })
    }

    /// On whose behalf the holder may act by a mandate in force. The mandate counts in the county that recorded it: it
    /// must be the session's, and the principal's entry must be there.
    async fn principal(
        &self,
        holder: PersonId,
        of: Option<ParticipantId>,
        counties: &[TenantId],
    ) -> Result<Participant, Fault> {
        let of = of.ok_or(Rejection::NoMandate)?;
        let principal = store::participants::any(self.reads(), of).await?.ok_or(Rejection::NoMandate)?;
        let mandates = store::roles::mandates(self.reads(), holder, principal.person).await?;
        let today = self.today();
        let is_here = |tenant| tenant == principal.tenant && counties.contains(&tenant);
        if mandates.iter().any(|mandate| mandate.is_on(today) && is_here(mandate.tenant)) {
            Ok(principal)
        } else {
            Err(Rejection::NoMandate.into())
        }
    }

    /// Who helps the member by this relationship: it works, the helper is let in, and nothing speaks against it today (M3).
    async fn supporter(
        &self,
        support: SupportId,
        member: ParticipantId,
        audience: &'static str,
    ) -> Result<Helper, Fault> {
        let found = store::support::load(self.reads(), support).await?;
        let found = found.filter(|one| one.member == member && one.state == support::State::Active);
        let found = found.ok_or(Refusal::NotActive)?;
        let (member, supporter) = both(self.reads(), &found).await?;
        if !supporter.state.is_let_in() {
            return Err(Refusal::NotActive.into());
        }
        let helping = helping(self.reads(), member.person, &supporter, self.today()).await?;
        found.check_helper(&helping)?;
        self.helper(supporter.person, helping.conflict_units, audience).await
    }

    /// Somebody who is beside the caller, as the service knows them.
    async fn helper(
        &self,
        person: PersonId,
        conflict_units: Vec<UnitId>,
        audience: &'static str,
    ) -> Result<Helper, Fault> {
        Ok(Helper { reference: self.reference(person, audience).await?, conflict_units })
    }

    /// The person's reference at a service, made at first use.
    async fn reference(&self, person: PersonId, service: &'static str) -> Result<Subject, Fault> {
        if let Some(subject) = store::references::find(self.reads(), person, service).await? {
            return Ok(subject);
        }
        // Random in all its bits: an id with a time in it would tell when the person came, and join two services.
        let new = random_reference(self);
        let input = (person, service, new);
        self.writer()
            .internal("membership.reference", input, |tx, (person, service, new)| {
                async move { store::references::find_or_add(tx.conn(), *person, service, *new).await }.boxed()
            })
            .await
    }

    /// Gives a service account a token.
    ///
    /// # Errors
    /// AccountRefused, AudienceUnknown.
    pub async fn service_token(
        &self,
        account: &str,
        secret: &str,
        audience: &str,
    ) -> Result<pb::IssueServiceTokenResponse, Fault> {
        let audience = token::audience(audience)?;
        let stored = store::accounts::secret_hash(self.reads(), account).await?;
        let is_right = stored.is_some_and(|stored| {
            self.vault().is_hash_of(Purpose::Account, &stored, &bytes_of(account, secret))
        });
        if !is_right {
            return Err(Rejection::AccountRefused.into());
        }
        let now = self.real_now();
        let expires = whole_seconds(now + token::ACTOR_TOKEN);
        let caller = Caller { audience: audience.to_owned(), expires, ..Caller::service(account) };
        let token = self.issuer(self.reads()).await?.actor_token(&caller, self.ids().uuid(), now)?;
        let expires_at = Some(convert::timestamp_out(expires));
        Ok(pb::IssueServiceTokenResponse { token: Some(pb::ActorToken { token, expires_at }) })
    }

    /// Makes an account for another system, or a new secret for it. The secret is shown in this answer only.
    ///
    /// # Errors
    /// AccountReserved for the platform's own services.
    pub async fn create_account(
        &self,
        command: &Command,
        account: String,
    ) -> Result<pb::CreateServiceAccountResponse, Fault> {
        if token::AUDIENCES.contains(&account.as_str()) {
            return Err(Rejection::AccountReserved.into());
        }
        let secret = self.vault().derive_text(Purpose::Account, command);
        let hash = account_hash(self.vault(), &account, &secret);
        let mut answer = self
            .writer()
            .run(command, (account, hash), |tx, (account, hash)| {
                async move {
                    store::accounts::put(tx.conn(), account, hash).await?;
                    Ok(pb::CreateServiceAccountResponse::default())
                }
                .boxed()
            })
            .await?;
        answer.secret = secret;
        Ok(answer)
    }

    /// Puts a new signing key to use. The old one is published until the last thing signed with it has expired.
    ///
    /// # Errors
    /// Of the database.
    pub async fn rotate_key(&self, command: &Command) -> Result<pb::RotateSigningKeyResponse, Fault> {
        let key = new_key(self.vault(), self.ids(), &self.inner.wiring.cell, self.real_now())?;
        self.writer()
            .run(command, key, |tx, key| {
                async move {
                    put_key(tx, key).await?;
                    Ok(pb::RotateSigningKeyResponse { key_id: key.key_id.clone() })
                }
                .boxed()
            })
            .await
    }

    /// The public keys with which tokens and vouchers are verified.
    ///
    /// # Errors
    /// Of the database.
    pub async fn signing_keys(&self) -> Result<pb::ListSigningKeysResponse, Fault> {
        let keys = store::keys::published(self.reads(), self.real_now()).await?;
        let published = keys.into_iter().map(|key| pb::SigningKey {
            key_id: key.key_id,
            x: key.x,
            y: key.y,
            not_after: key.not_after.map(convert::timestamp_out),
        });
        Ok(pb::ListSigningKeysResponse { keys: published.collect() })
    }

    /// The issuer with the key in use; unsealed once for each key.
    pub(super) async fn issuer(&self, db: &impl ConnectionTrait) -> Result<Arc<Issuer>, Fault> {
        let key = store::keys::current(db).await?;
        let key = key.ok_or_else(|| {
            Fault::internal("there is no signing key: make the data folder with `osallisuus init`")
        })?;
        let cached = self.inner.issuer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(issuer) = cached.filter(|issuer| issuer.public_key().key_id == key.key_id) {
            return Ok(issuer);
        }
        let secret = self.vault().unseal(Purpose::SigningKey, &key.key_id, &key.sealed)?;
        let secret = <&[u8; 32]>::try_from(secret.as_slice()).map_err(Fault::internal)?;
        let issuer = Arc::new(Issuer::new(&self.inner.wiring.cell, key.key_id, secret)?);
        *self.inner.issuer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&issuer));
        Ok(issuer)
    }
}

/// Everything on record of a human.
pub(super) async fn record(db: &impl ConnectionTrait, person: PersonId) -> Result<Record, Fault> {
    let participants = store::participants::of_person(db, person).await?;
    let ids: Vec<ParticipantId> = participants.iter().map(|one| one.id).collect();
    Ok(Record {
        roles: store::roles::of(db, ids.clone()).await?,
        attestations: store::attestations::of(db, ids).await?,
        rolls: store::rolls::claims(db, person).await?,
        participants,
    })
}

/// A reference that nobody can guess and that tells nothing.
pub(super) fn random_reference(app: &App) -> Subject {
    Subject::from_uuid(kernel::Uuid::from_bytes(app.ids().bytes()))
}

/// Tokens count in whole seconds; what the answer says and the token says must be the same.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.as_seconds())
}

/// A secret counts for its account only.
fn bytes_of(account: &str, secret: &str) -> Vec<u8> {
    format!("{account}\n{secret}").into_bytes()
}

/// The hash under which an account's secret is stored.
pub(crate) fn account_hash(vault: &Vault, account: &str, secret: &str) -> [u8; 32] {
    vault.hash(Purpose::Account, &bytes_of(account, secret))
}

/// A new key, sealed.
pub(crate) fn new_key(
    vault: &Vault,
    ids: &kernel::Ids,
    cell: &str,
    real_now: Timestamp,
) -> Result<SigningKey, Fault> {
    let secret = zeroize::Zeroizing::new(ids.bytes::<32>());
    let key_id = ids.uuid().to_string();
    let issuer = Issuer::new(cell, key_id.as_str(), &secret)?;
    let sealed = vault.seal(Purpose::SigningKey, &key_id, ids.bytes(), secret.as_slice())?;
    let public = issuer.public_key();
    Ok(SigningKey {
        key_id,
        sealed,
        x: public.x.clone(),
        y: public.y.clone(),
        created_at: real_now,
        not_after: None,
    })
}

/// Stores a new key as the one in use.
pub(crate) async fn put_key(tx: &Tx, key: &SigningKey) -> Result<(), Fault> {
    let last_signed = token::VOUCHER.max(token::ACTOR_TOKEN);
    store::keys::rotate(tx.conn(), key, key.created_at + last_signed + token::LEEWAY).await
}
