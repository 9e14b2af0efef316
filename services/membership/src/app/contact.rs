//! How people want to be told, and telling them so: by e-mail, by letter. Other ways can read the notices themselves.
//!
//! A notice leaves the service at most once, when it reaches its person: by the settings of the entry in the register
//! that it is about, else of the person's first entry with any. What is set is sealed and opened only to send. Whatever
//! fails outside, the notice is in the service.

use futures::FutureExt as _;
use kernel::deadline::add_days;
use kernel::{
    Caller, Fault, NoticeId, PageSize, PageToken, ParticipantId, Scope, TenantId, TextVariant, Timestamp,
};
use messaging::{Command, JobError, NewJob, Tx};
use prost::Message as _;
use proto::membership as pb;
use sea_orm::ConnectionTrait;
use time::Duration;

use super::support::{is_client_at, unit_of};
use super::{App, own_act, participants, person_of};
use crate::domain::Rejection;
use crate::domain::contact::{self, Channel, Contact};
use crate::domain::notice::Delivery;
use crate::domain::rejection::Support as Refusal;
use crate::mail::Failure;
use crate::store::contacts::Outgoing;
use crate::store::notices::Notice;
use crate::vault::Purpose;
use crate::{convert, store};

/// Notice to somebody for whom staff set how they are told.
const CONTACT_SET: &str = "membership.contact_set";
/// Sends the e-mail of a notice; the payload is its id.
pub const MAIL_JOB: &str = "membership.mail";

/// How often the mail server is tried in a row at first; below the tries of any job.
const MOST_TRIES: u32 = 8;

/// When it is tried again after those, once each time.
const PAUSE: Duration = Duration::hours(1);

/// For how many days: a server that is down or takes no password over a weekend holds messages up and ends none. Then the
/// notice stays in the service only.
const MOST_DAYS: i32 = 4;

/// What is sealed of a person's settings.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Stored {
    /// The way.
    #[prost(string, tag = "1")]
    channel: String,
    /// Language and form.
    #[prost(string, tag = "2")]
    form: String,
    /// E-mail address.
    #[prost(string, tag = "3")]
    email: String,
    /// Postal address.
    #[prost(string, repeated, tag = "4")]
    address_lines: Vec<String>,
}

impl App {
    /// Sets how the caller is told, in the name of their entry in this county.
    ///
    /// # Errors
    /// MandateOwnActs, SessionRefused, ParticipantUnknown, NoMail.
    pub async fn set_my_contact(
        &self,
        command: &Command,
        caller: &Caller,
        tenant: TenantId,
        contact: Contact,
    ) -> Result<pb::SetMyContactResponse, Fault> {
        let subject = own_act(caller)?;
        self.can_be_told(&contact)?;
        let input = (self.clone(), subject, caller.tenants.clone(), tenant, contact);
        self.writer()
            .run(command, input, |tx, (app, subject, tenants, tenant, contact)| {
                async move {
                    let entry = own_entry(tx.conn(), *subject, tenants, *tenant).await?;
                    app.put_contact(tx, entry, contact, true).await?;
                    Ok(pb::SetMyContactResponse {})
                }
                .boxed()
            })
            .await
    }

    /// How the caller has chosen to be told.
    ///
    /// # Errors
    /// MandateOwnActs, SessionRefused, ParticipantUnknown.
    pub async fn my_contact(
        &self,
        caller: &Caller,
        tenant: TenantId,
    ) -> Result<pb::GetMyContactResponse, Fault> {
        let entry = own_entry(self.reads(), own_act(caller)?, &caller.tenants, tenant).await?;
        let contact = self.contact(self.reads(), entry).await?.unwrap_or_default();
        Ok(pb::GetMyContactResponse { contact: Some(convert::contact::contact_out(contact)) })
    }

    /// Sets it for a client who asked for it, in the name of the county or a unit, and tells them at once. What they have
    /// chosen themselves is theirs: whoever it may be about does not turn their messages away.
    ///
    /// # Errors
    /// UnitUnknown, ParticipantUnknown, HasLeft, NotForUnit, ContactOwn, NoMail.
    pub async fn set_contact_for(
        &self,
        command: &Command,
        scope: Scope,
        participant: ParticipantId,
        contact: Contact,
    ) -> Result<pb::SetContactForResponse, Fault> {
        self.can_be_told(&contact)?;
        let told: NoticeId = self.ids().new_id();
        self.writer()
            .run(command, (self.clone(), scope, participant, contact, told), |tx, input| {
                let (app, scope, participant, contact, told) = input;
                async move {
                    let person = match scope {
                        Scope::Unit(unit) => {
                            let unit = unit_of(tx, *unit).await?;
                            let person = participants::load(tx, unit.tenant, *participant).await?;
                            if !is_client_at(tx, &person, &unit).await? {
                                return Err(Refusal::ContactNotForUnit.into());
                            }
                            person
                        }
                        other => participants::load(tx, other.tenant()?, *participant).await?,
                    };
                    if person.state.is_gone() {
                        return Err(Rejection::HasLeft.into());
                    }
                    if store::contacts::is_own(tx.conn(), person.id).await? {
                        return Err(Refusal::ContactOwn.into());
                    }
                    app.put_contact(tx, person.id, contact, false).await?;
                    app.tell_at_once(tx, &person, CONTACT_SET, &format!("{CONTACT_SET}.{told}")).await?;
                    Ok(pb::SetContactForResponse {})
                }
                .boxed()
            })
            .await
    }

    fn can_be_told(&self, contact: &Contact) -> Result<(), Fault> {
        let no_mail = contact.channel == Channel::Email && self.inner.wiring.mailer.is_none();
        if no_mail { Err(Refusal::NoMail.into()) } else { Ok(()) }
    }

    async fn put_contact(
        &self,
        tx: &Tx,
        entry: ParticipantId,
        contact: &Contact,
        own: bool,
    ) -> Result<(), Fault> {
        let stored = Stored {
            channel: contact.channel.as_str().to_owned(),
            form: contact.form.as_str().to_owned(),
            email: contact.email.clone(),
            address_lines: contact.address_lines.clone(),
        };
        let context = entry.to_string();
        let sealed =
            self.vault().seal(Purpose::Contact, &context, self.ids().bytes(), &stored.encode_to_vec())?;
        store::contacts::put(tx.conn(), entry, &sealed, own).await?;
        if contact.channel != Channel::Letter {
            store::contacts::recall(tx.conn(), entry).await?;
        }
        Ok(())
    }

    /// What an entry has set, if anything. What cannot be opened is told the operator and counts as nothing set: one such
    /// entry must not keep the notices of others back.
    async fn contact(
        &self,
        db: &impl ConnectionTrait,
        entry: ParticipantId,
    ) -> Result<Option<Contact>, Fault> {
        let Some(sealed) = store::contacts::sealed(db, entry).await? else { return Ok(None) };
        let opened = self.opened(entry, &sealed);
        if opened.is_err() {
            tracing::error!(
                "how somebody wants to be told cannot be opened; they find their notices in the service"
            );
        }
        Ok(opened.ok())
    }

    fn opened(&self, entry: ParticipantId, sealed: &[u8]) -> Result<Contact, Fault> {
        let opened = self.vault().unseal(Purpose::Contact, &entry.to_string(), sealed)?;
        let stored = Stored::decode(opened.as_slice()).map_err(Fault::internal)?;
        let Stored { channel, form, email, address_lines } = stored;
        let channel = Channel::ALL.into_iter().find(|one| one.as_str() == channel).unwrap_or_default();
        let form = form.parse().unwrap_or(TextVariant::Finnish);
        Ok(Contact { channel, form, email, address_lines })
    }

    /// Lets a notice that has reached its person leave the service, if they want that.
    pub(super) async fn let_out(&self, tx: &Tx, notice: &Notice) -> Result<(), Fault> {
        let entries = store::participants::of_person(tx.conn(), notice.person).await?;
        let is_meant = |tenant: TenantId| notice.tenant.is_none_or(|only| only == tenant);
        for entry in entries.into_iter().filter(|one| one.state.is_let_in() && is_meant(one.tenant)) {
            let contact = self.contact(tx.conn(), entry.id).await?;
            let Some(channel) = contact.map(|one| one.channel).filter(|one| *one != Channel::InService)
            else {
                continue;
            };
            let is_mail = channel == Channel::Email;
            let no_mail = is_mail && self.inner.wiring.mailer.is_none();
            let outgoing = Outgoing {
                notice: notice.id,
                participant: entry.id,
                tenant: entry.tenant,
                channel,
                state: if no_mail { Delivery::Failed } else { Delivery::Waiting },
                made_on: tx.now().helsinki_date(),
            };
            store::contacts::add(tx.conn(), &outgoing).await?;
            if is_mail && !no_mail {
                tx.schedule(mail(notice.id, notice.id.to_string(), tx.now()));
            }
            return Ok(());
        }
        Ok(())
    }

    /// Sends the e-mail of a notice, unless it went or its person chose otherwise. A job sends it twice if it is killed
    /// between sending and noting; the message has the same id then. `round`: which job of this notice it is, from 0;
    /// `attempt`: which of its tries, from 1. What cannot be opened, for want of a key perhaps, may be opened later.
    ///
    /// # Errors
    /// Transient while the mail server may still take it.
    pub async fn send_mail(&self, id: NoticeId, round: u32, attempt: u32) -> Result<(), JobError> {
        let waits = store::contacts::outgoing(self.reads(), id).await?;
        let is_mail = |one: &Outgoing| one.channel == Channel::Email && one.state == Delivery::Waiting;
        let Some(outgoing) = waits.filter(is_mail) else { return Ok(()) };
        let entry = outgoing.participant;
        let sealed = store::contacts::sealed(self.reads(), entry).await?;
        let contact = sealed.map(|sealed| self.opened(entry, &sealed)).transpose();
        let sent = match (contact, &self.inner.wiring.mailer) {
            (Err(_), _) => {
                tracing::error!("how somebody wants to be told cannot be opened; their message waits");
                Err(Failure::ForNow)
            }
            (Ok(Some(contact)), Some(mailer)) if contact.channel == Channel::Email => {
                mailer.send(&contact.email, &id.to_string(), contact::message(contact.form)).await
            }
            // Whoever chose another way since finds the notice in the service; without a server everybody does.
            _ => Err(Failure::ForGood),
        };
        let state = match sent {
            Ok(()) => Delivery::Done,
            Err(Failure::ForNow) if round == 0 && attempt < MOST_TRIES => {
                return Err(JobError::Transient("the mail server does not take a message now".to_owned()));
            }
            Err(Failure::ForNow) if self.today() < add_days(outgoing.made_on, MOST_DAYS) => Delivery::Waiting,
            Err(_) => Delivery::Failed,
        };
        self.writer()
            .internal(MAIL_JOB, (id, state, round + 1), |tx, (id, state, next)| {
                async move {
                    if *state == Delivery::Waiting {
                        tx.schedule(mail(*id, format!("{id}|{next}"), tx.now() + PAUSE));
                    }
                    store::contacts::finish(tx.conn(), *id, *state).await
                }
                .boxed()
            })
            .await?;
        Ok(())
    }

    /// Letters of a county that wait for the printer, with the addresses of now.
    ///
    /// # Errors
    /// Invalid for a broken page token.
    pub async fn letters(
        &self,
        tenant: TenantId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListLettersResponse, Fault> {
        let list = format!("letters|{tenant}");
        let after = convert::field("page_token", PageToken::read(token, &list))?;
        let after: Option<NoticeId> = after.map(|id| convert::parsed("page_token", &id)).transpose()?;
        let page = store::contacts::letters(self.reads(), tenant, after, size).await?;
        let (page, next) = size.cut(page, &list, |letter| letter.notice.to_string());
        let people = page.iter().map(|letter| letter.participant);
        let people = store::participants::by_ids(self.reads(), people).await?;
        let mut letters = Vec::with_capacity(page.len());
        for letter in page {
            let person = people.iter().find(|one| one.id == letter.participant);
            // Between two reads somebody may leave, or choose another way.
            let (Some(person), Some(contact)) =
                (person, self.contact(self.reads(), letter.participant).await?)
            else {
                continue;
            };
            let text = contact::message(contact.form);
            let mut address_block = vec![person.profile.display_name.clone()];
            address_block.extend(contact.address_lines);
            letters.push(pb::Letter {
                letter_id: letter.notice.to_string(),
                waits_since: letter.made_on.to_string(),
                address_block,
                subject: text.subject.to_owned(),
                text_lines: text.body.lines().map(str::to_owned).collect(),
            });
        }
        let next_page_token = next.map(PageToken::into_string).unwrap_or_default();
        Ok(pb::ListLettersResponse { letters, next_page_token })
    }

    /// Notes that letters were printed.
    ///
    /// # Errors
    /// Of the database.
    pub async fn letters_printed(
        &self,
        command: &Command,
        tenant: TenantId,
        letters: Vec<NoticeId>,
    ) -> Result<pb::MarkLettersPrintedResponse, Fault> {
        self.writer()
            .run(command, (tenant, letters), |tx, (tenant, letters)| {
                async move {
                    let marked = store::contacts::printed(tx.conn(), *tenant, letters).await?;
                    let marked = u32::try_from(marked).map_err(Fault::internal)?;
                    Ok(pb::MarkLettersPrintedResponse { marked })
                }
                .boxed()
            })
            .await
    }

    /// How many messages of a county wait, and how many e-mails did not get through.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delivery_counts(&self, tenant: TenantId) -> Result<pb::GetDeliveryCountsResponse, Fault> {
        let count = |channel, state| store::contacts::count(self.reads(), tenant, channel, state);
        Ok(pb::GetDeliveryCountsResponse {
            mail_waiting: count(Channel::Email, Delivery::Waiting).await?,
            mail_failed: count(Channel::Email, Delivery::Failed).await?,
            letters_waiting: count(Channel::Letter, Delivery::Waiting).await?,
        })
    }
}

/// Sends the e-mail of a notice then.
fn mail(notice: NoticeId, dedupe_key: String, run_at: Timestamp) -> NewJob {
    NewJob { kind: MAIL_JOB, dedupe_key, run_at, payload: notice.as_uuid().as_bytes().to_vec() }
}

/// The caller's entry in this county's register.
async fn own_entry(
    db: &impl ConnectionTrait,
    subject: kernel::Subject,
    tenants: &[TenantId],
    tenant: TenantId,
) -> Result<ParticipantId, Fault> {
    let person = person_of(db, subject).await?;
    let entries = store::participants::of_person(db, person).await?;
    let is_own = |one: &&crate::domain::participant::Participant| {
        one.tenant == tenant && tenants.contains(&tenant) && !one.state.is_gone()
    };
    let entry = entries.iter().find(is_own).ok_or(Rejection::ParticipantUnknown)?;
    Ok(entry.id)
}
