//! What has run out is deleted once a night: sessions, nomination codes, in the end cards; and when the days are over for
//! which a county keeps them (TIHA-12), ended attestations and support relationships, notices, and the entries of the rolls
//! of past elections.
//!
//! Whatever is made that runs out schedules the purge of the next night, and a purge that leaves something behind
//! schedules the one after; the job of a night is there once, however often it is scheduled. Running it twice deletes
//! nothing more.

use futures::FutureExt as _;
use kernel::{Date, Fault, PolicyKey, TenantId, Timestamp, deadline};
use messaging::{NewJob, Tx, telemetry};

use super::{App, SERVICE};
use crate::domain::card;
use crate::store;

/// Deletes what has run out; no payload.
pub const PURGE_JOB: &str = "membership.purge";

/// What a purge has deleted that a county's policy keeps for a while, and whether more is to come.
#[derive(Debug, Default)]
struct Purged {
    attestations: u64,
    support: u64,
    notices: u64,
    roll_entries: u64,
    is_left: bool,
}

impl App {
    /// Deletes sessions that are over by real time; by the business clock, nomination codes whose days are over, cards
    /// of which nobody needs to know any more who made them, and what the counties' policies do not keep any longer.
    ///
    /// # Errors
    /// Of the database.
    pub async fn purge(&self) -> Result<(), Fault> {
        let input = (self.real_now(), self.inner.wiring.tenants.clone());
        let purged = self
            .writer()
            .internal(PURGE_JOB, input, |tx, (real_now, tenants)| purge(tx, *real_now, tenants).boxed())
            .await?;
        telemetry::erased(SERVICE, "attestations", purged.attestations);
        telemetry::erased(SERVICE, "support relationships", purged.support);
        telemetry::erased(SERVICE, "notices", purged.notices);
        telemetry::erased(SERVICE, "roll entries", purged.roll_entries);
        Ok(())
    }
}

async fn purge(tx: &Tx, real_now: Timestamp, tenants: &[TenantId]) -> Result<Purged, Fault> {
    let mut purged = Purged::default();
    for left in [
        store::sessions::purge(tx.conn(), real_now).await?,
        store::cards::purge_nomination_codes(tx.conn(), tx.now()).await?,
        store::cards::purge(tx.conn(), tx.now() - card::KEPT).await?,
    ] {
        purged.is_left |= left;
    }
    for tenant in tenants {
        let ended = last_kept(tx, *tenant, PolicyKey::EndedAttestationDays).await?;
        let (gone, left) = store::attestations::purge(tx.conn(), *tenant, ended).await?;
        purged.attestations += gone;
        purged.is_left |= left;
        let (gone, left) = store::support::purge(tx.conn(), *tenant, ended).await?;
        purged.support += gone;
        purged.is_left |= left;
        let told = last_kept(tx, *tenant, PolicyKey::NoticeDays).await?;
        let (gone, left) = store::notices::purge(tx.conn(), Some(*tenant), told).await?;
        purged.notices += gone;
        purged.is_left |= left;
        purged.is_left |= store::contacts::purge(tx.conn(), *tenant, told).await?;
    }
    // Notices that are about no county's register are kept as long as the default says.
    let days = i64::from(PolicyKey::NoticeDays.rule().default);
    let (gone, left) = store::notices::purge(tx.conn(), None, days_ago(tx, days)).await?;
    purged.notices += gone;
    purged.is_left |= left;
    purge_rolls(tx, &mut purged).await?;
    if purged.is_left {
        schedule_purge(tx);
    }
    Ok(purged)
}

/// Erases the entries of rolls when nobody can appeal any more; the leading county's policy counts, by its value on the
/// day on which the election was over.
async fn purge_rolls(tx: &Tx, purged: &mut Purged) -> Result<(), Fault> {
    for (election, lead, over_on) in store::rolls::ended(tx.conn()).await? {
        let key = PolicyKey::ElectionAppealDays;
        let days = store::tenancy::policy_on(tx.conn(), lead, key, over_on).await?;
        if over_on < days_ago(tx, i64::from(days)) {
            purged.roll_entries += store::rolls::erase(tx.conn(), election).await?;
        } else {
            purged.is_left = true;
        }
    }
    Ok(())
}

/// The first day of what a county keeps still, by its policy of today.
async fn last_kept(tx: &Tx, tenant: TenantId, key: PolicyKey) -> Result<Date, Fault> {
    let today = tx.now().helsinki_date();
    let days = store::tenancy::policy_on(tx.conn(), tenant, key, today).await?;
    Ok(days_ago(tx, i64::from(days)))
}

fn days_ago(tx: &Tx, days: i64) -> Date {
    tx.now().helsinki_date().saturating_sub(time::Duration::days(days))
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
