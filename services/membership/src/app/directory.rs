//! What services ask with their own identity: notices to people, and the references of those who have left.

use futures::FutureExt as _;
use kernel::{
    ActingMode, AssignmentId, Caller, Date, Fault, HeldRole, NoticeId, PageSize, PageToken, Subject,
    TenantId, deadline,
};
use messaging::{Command, NewJob, Tx};
use proto::membership as pb;

use super::upkeep::schedule_purge;
use super::{App, SERVICE, person_of};
use crate::domain::notice::delivery_day;
use crate::domain::participant::{Participant, PersonId};
use crate::store::notices::Notice;
use crate::{convert, store};

/// Delivers a held notice on its day; the payload is its id.
pub const NOTICE_JOB: &str = "membership.notice";

/// A notice that a service asks for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The calling service.
    pub service: String,
    /// What waits, without content: for example "forums.voting_open".
    pub template: String,
    /// The same key tells a person once only.
    pub dedupe_key: String,
    /// Whether it reaches people today though another notice did.
    pub urgent: bool,
}

impl App {
    /// Tells people, by the calling service's references, that something waits. Each key tells a person once; a second
    /// notice of a day is held to the next, unless it is urgent. Unknown references are those of people who have left.
    ///
    /// # Errors
    /// Of the database.
    pub async fn notify(
        &self,
        command: &Command,
        ask: Ask,
        references: Vec<Subject>,
    ) -> Result<pb::NotifyResponse, Fault> {
        self.writer()
            .run(command, (self.clone(), ask, references), |tx, (app, ask, references)| {
                async move {
                    let people = store::references::people(tx.conn(), &ask.service, references).await?;
                    let people: Vec<PersonId> = people.into_iter().map(|(_, person)| person).collect();
                    let (notified, held) = app.tell_all(tx, &people, ask).await?;
                    Ok(pb::NotifyResponse { notified, held })
                }
                .boxed()
            })
            .await
    }

    /// Tells those who hold the role today, a page of them at a time, the oldest assignment first. Who is shut out at the
    /// moment acts in no role and is not told.
    ///
    /// # Errors
    /// Invalid for a broken page token.
    pub async fn notify_role(
        &self,
        command: &Command,
        ask: Ask,
        held: HeldRole,
        size: PageSize,
        token: &str,
    ) -> Result<pb::NotifyRoleResponse, Fault> {
        let list = format!("holders|{}|{}", held.role, held.scope);
        let after = convert::field("page_token", PageToken::read(token, &list))?;
        let after: Option<AssignmentId> = after.map(|id| convert::parsed("page_token", &id)).transpose()?;
        self.writer()
            .run(command, (self.clone(), ask, held, list), move |tx, (app, ask, held, list)| {
                async move {
                    let today = tx.now().helsinki_date();
                    let page = store::roles::holders(tx.conn(), *held, today, after, size).await?;
                    let (page, next) = size.cut(page, list, |(id, _)| id.to_string());
                    let ids = page.into_iter().map(|(_, participant)| participant);
                    let holders = store::participants::by_ids(tx.conn(), ids).await?;
                    let present = holders.iter().filter(|one| one.state.is_let_in());
                    let people: Vec<PersonId> = present.map(|one| one.person).collect();
                    let (notified, held) = app.tell_all(tx, &people, ask).await?;
                    let next_page_token = next.map(PageToken::into_string).unwrap_or_default();
                    Ok(pb::NotifyRoleResponse { notified, held, next_page_token })
                }
                .boxed()
            })
            .await
    }

    /// How many of the people are told now, and how many were already or will be on another day.
    async fn tell_all(&self, tx: &Tx, people: &[PersonId], ask: &Ask) -> Result<(u32, u32), Fault> {
        let (mut notified, mut held) = (0, 0);
        for person in people {
            if self.tell(tx, *person, None, ask).await? {
                notified += 1;
            } else {
                held += 1;
            }
        }
        Ok((notified, held))
    }

    /// Tells a person of something that membership itself has seen about their entry in a county's register. One such
    /// notice that waits for its day tells of this too: however often it happens, other notices are not pushed further away.
    pub(super) async fn tell_of_own(
        &self,
        tx: &Tx,
        entry: &Participant,
        template: &'static str,
        dedupe_key: &str,
    ) -> Result<(), Fault> {
        let Participant { person, tenant, .. } = *entry;
        if !store::notices::is_waiting(tx.conn(), person, tenant, template).await? {
            let ask = Ask {
                service: SERVICE.to_owned(),
                template: template.to_owned(),
                dedupe_key: dedupe_key.to_owned(),
                urgent: false,
            };
            self.tell(tx, person, Some(tenant), &ask).await?;
        }
        Ok(())
    }

    /// Tells a person at once of something that staff did to their entry.
    pub(super) async fn tell_at_once(
        &self,
        tx: &Tx,
        entry: &Participant,
        template: &'static str,
        dedupe_key: &str,
    ) -> Result<(), Fault> {
        let ask = Ask {
            service: SERVICE.to_owned(),
            template: template.to_owned(),
            dedupe_key: dedupe_key.to_owned(),
            urgent: true,
        };
        self.tell(tx, entry.person, Some(entry.tenant), &ask).await?;
        Ok(())
    }

    /// Whether the person is told now; false if they were already, or will be on another day.
    async fn tell(
        &self,
        tx: &Tx,
        person: PersonId,
        tenant: Option<TenantId>,
        ask: &Ask,
    ) -> Result<bool, Fault> {
        if store::notices::is_told(tx.conn(), person, &ask.service, &ask.dedupe_key).await? {
            return Ok(false);
        }
        let today = tx.now().helsinki_date();
        let day = if ask.urgent {
            today
        } else {
            delivery_day(&store::notices::taken_days(tx.conn(), person, today).await?, today)
        };
        let is_now = day == today;
        let notice = Notice {
            id: self.ids().new_id(),
            person,
            tenant,
            service: ask.service.clone(),
            template: ask.template.clone(),
            dedupe_key: ask.dedupe_key.clone(),
            urgent: ask.urgent,
            created_at: tx.now(),
            deliver_on: day,
            delivered_at: is_now.then(|| tx.now()),
        };
        store::notices::add(tx.conn(), &notice).await?;
        schedule_purge(tx);
        if is_now {
            self.let_out(tx, &notice).await?;
        } else {
            tx.schedule(NewJob {
                kind: NOTICE_JOB,
                dedupe_key: notice.id.to_string(),
                run_at: deadline::start_of_day(day),
                payload: notice.id.as_uuid().as_bytes().to_vec(),
            });
        }
        Ok(is_now)
    }

    /// Delivers a held notice; one that was delivered, or whose person has left, stays as it is.
    ///
    /// # Errors
    /// Of the database.
    pub async fn deliver_notice(&self, id: NoticeId) -> Result<(), Fault> {
        self.writer()
            .internal(NOTICE_JOB, (self.clone(), id), |tx, (app, id)| {
                async move {
                    match store::notices::deliver(tx.conn(), *id, tx.now()).await? {
                        Some(notice) => app.let_out(tx, &notice).await,
                        None => Ok(()),
                    }
                }
                .boxed()
            })
            .await
    }

    /// The notices that have reached the caller, the newest first. Those about their entry in a register, such as that a
    /// card was made, are for the eyes of its holder: not with another county's card, and not for whoever acts for them.
    ///
    /// # Errors
    /// SessionRefused; Invalid for a broken page token.
    pub async fn my_notices(
        &self,
        caller: &Caller,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListMyNoticesResponse, Fault> {
        let subject = caller.subject()?;
        let person = person_of(self.reads(), subject).await?;
        let counties = match caller.mode {
            ActingMode::OnBehalf => &[],
            _ => caller.tenants.as_slice(),
        };
        let list = format!("notices|{subject}");
        let before = convert::field("page_token", PageToken::read(token, &list))?;
        let before = before.as_deref().map(last_shown).transpose()?;
        let page = store::notices::page(self.reads(), person, counties, before, size).await?;
        let (page, next) = size.cut(page, &list, |notice| format!("{} {}", notice.deliver_on, notice.id));
        let notices = page.into_iter().map(|notice| pb::Notice {
            notice_id: notice.id.to_string(),
            template: notice.template,
            created_at: Some(convert::timestamp_out(notice.created_at)),
        });
        Ok(pb::ListMyNoticesResponse {
            notices: notices.collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// References of people who have left, for the calling service to drop.
    ///
    /// # Errors
    /// Of the database.
    pub async fn retired_references(
        &self,
        service: &str,
        cursor: u64,
        size: PageSize,
    ) -> Result<pb::ListRetiredReferencesResponse, Fault> {
        let retired =
            store::references::retired(self.reads(), service, cursor, u64::from(size.get())).await?;
        let cursor = retired.last().map_or(cursor, |(number, _)| *number);
        let references = retired.into_iter().map(|(_, reference)| reference.to_string()).collect();
        Ok(pb::ListRetiredReferencesResponse { references, cursor })
    }
}

/// The day and the id of the notice with which a page ended.
fn last_shown(key: &str) -> Result<(Date, NoticeId), Fault> {
    let (day, id) = key.split_once(' ').unwrap_or((key, ""));
    Ok((convert::date_in("page_token", day)?, convert::parsed("page_token", id)?))
}
