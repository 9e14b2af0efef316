//! What has run out is deleted once a night: sessions, nomination codes, and in the end cards.
//!
//! Whatever is made that runs out schedules the purge of the next night, and a purge that leaves something behind
//! schedules the one after; the job of a night is there once, however often it is scheduled.

use futures::FutureExt as _;
use kernel::{Date, Fault, deadline};
use messaging::{NewJob, Tx};

use super::App;
use crate::domain::card;
use crate::store;

/// Deletes what has run out; no payload.
pub const PURGE_JOB: &str = "membership.purge";

impl App {
    /// Deletes sessions that are over by real time; by the business clock, nomination codes whose days are over and
    /// cards of which nobody needs to know any more who made them.
    ///
    /// # Errors
    /// Of the database.
    pub async fn purge(&self) -> Result<(), Fault> {
        self.writer()
            .internal(PURGE_JOB, self.real_now(), |tx, real_now| {
                async move {
                    let left = [
                        store::sessions::purge(tx.conn(), *real_now).await?,
                        store::cards::purge_nomination_codes(tx.conn(), tx.now()).await?,
                        store::cards::purge(tx.conn(), tx.now() - card::KEPT).await?,
                    ];
                    if left.contains(&true) {
                        schedule_purge(tx);
                    }
                    Ok(())
                }
                .boxed()
            })
            .await
    }
}

/// Schedules the purge of the next night, because something was made that will run out.
pub(super) fn schedule_purge(tx: &Tx) {
    if let Some(tomorrow) = Date::next_day(tx.now().helsinki_date()) {
        tx.schedule(NewJob {
            kind: PURGE_JOB,
            dedupe_key: tomorrow.to_string(),
            run_at: deadline::start_of_day(tomorrow),
            payload: Vec::new(),
        });
    }
}
