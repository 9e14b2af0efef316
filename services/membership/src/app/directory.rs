//! What services ask with their own identity: notices to people, and the references of those who have left.

use futures::FutureExt as _;
use kernel::{ActingMode, Caller, Fault, NoticeId, PageSize, PageToken, Subject, TenantId, deadline};
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

/// Notices to make.
struct Ask {
    service: String,
    references: Vec<Subject>,
    template: String,
    dedupe_key: String,
}

impl App {
    /// Tells people, by the calling service's references, that something waits. Each key tells a person once; a second
    /// notice of a day is held to the next. Unknown references are those of people who have left.
    ///
    /// # Errors
    /// Of the database.
    pub async fn notify(
        &self,
        command: &Command,
        service: &str,
        references: Vec<Subject>,
        template: String,
        dedupe_key: String,
    ) -> Result<pb::NotifyResponse, Fault> {
        let ask = Ask { service: service.to_owned(), references, template, dedupe_key };
        self.writer()
            .run(command, (self.clone(), ask), |tx, (app, ask)| {
                async move {
                    let mut answer = pb::NotifyResponse::default();
                    let people = store::references::people(tx.conn(), &ask.service, &ask.references).await?;
                    for (_, person) in people {
                        if app.tell(tx, person, None, &ask.service, &ask.template, &ask.dedupe_key).await? {
                            answer.notified += 1;
                        } else {
                            answer.held += 1;
                        }
                    }
                    Ok(answer)
                }
                .boxed()
            })
            .await
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
            self.tell(tx, person, Some(tenant), SERVICE, template, dedupe_key).await?;
        }
        Ok(())
    }

    /// Whether the person is told now; false if they were already, or will be on another day.
    async fn tell(
        &self,
        tx: &Tx,
        person: PersonId,
        tenant: Option<TenantId>,
        service: &str,
        template: &str,
        dedupe_key: &str,
    ) -> Result<bool, Fault> {
        if store::notices::is_told(tx.conn(), person, service, dedupe_key).await? {
            return Ok(false);
        }
        let today = tx.now().helsinki_date();
        let taken = store::notices::taken_days(tx.conn(), person, today).await?;
        let day = delivery_day(&taken, today);
        let is_now = day == today;
        let notice = Notice {
            id: self.ids().new_id(),
            person,
            tenant,
            service: service.to_owned(),
            template: template.to_owned(),
            dedupe_key: dedupe_key.to_owned(),
            created_at: tx.now(),
            deliver_on: day,
            delivered_at: is_now.then(|| tx.now()),
        };
        store::notices::add(tx.conn(), &notice).await?;
        schedule_purge(tx);
        if !is_now {
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
            .internal(NOTICE_JOB, id, |tx, id| {
                async move { store::notices::deliver(tx.conn(), *id, tx.now()).await }.boxed()
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
        let before = before.map(|day| convert::date_in("page_token", &day)).transpose()?;
        let page = store::notices::page(self.reads(), person, counties, before, size).await?;
        let (page, next) = size.cut(page, &list, |notice| notice.deliver_on.to_string());
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
