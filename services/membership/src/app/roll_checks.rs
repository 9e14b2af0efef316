//! Whether a frozen roll is still the one whose hash was published: looked at whenever anybody asks, every night until
//! the election is over, and once more when it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt as _;
use kernel::{Date, ElectionId, Fault, MunicipalityCode, Timestamp, deadline};
use messaging::{NewJob, Tx};
use sea_orm::ConnectionTrait;
use time::Duration;

use super::App;
use super::upkeep::schedule_purge;
use crate::domain::roll::{self, Entry};
use crate::domain::{PersonId, Rejection};
use crate::store;
use crate::store::rolls::Head;
use crate::vault::{Purpose, Vault};

/// Checks a roll; the payload is the election's id. A roll that was changed ends the job for good, which an operator
/// sees in the status: one such job for each night, until the election is over.
pub const ROLL_CHECK_JOB: &str = "membership.roll_check";

/// For how long a look at a roll answers everybody who asks, in real time.
const LOOK_KEPT: Duration = Duration::minutes(1);

/// What was published of a roll, and what is in the table.
pub(crate) struct Looked {
    pub(crate) head: Head,
    /// Counts as published.
    pub(crate) published: BTreeMap<MunicipalityCode, u32>,
    /// Hash of what is in the table.
    pub(super) hash: [u8; 32],
    /// Counts of what is in the table, without the municipalities that have nobody.
    counts: BTreeMap<MunicipalityCode, u32>,
    /// Whether the places given up are those of the entries that have left, which the hash does not tell.
    given_up_by_leavers: bool,
}

impl Looked {
    /// Whether the roll is the one that was published.
    pub(crate) fn matches(&self) -> bool {
        let published = self.published.iter().filter(|(_, count)| **count > 0);
        self.given_up_by_leavers && self.head.hash == self.hash && published.eq(&self.counts)
    }
}

/// The keyed hash of an entry.
fn entry_hash(vault: &Vault, election: ElectionId, entry: &Entry) -> [u8; 32] {
    vault.hash(Purpose::RollEntry, &roll::entry_bytes(election, entry))
}

/// Computes a roll's hash and counts anew, a part of it at a time.
///
/// # Errors
/// RollUnknown.
pub(crate) async fn look_at_roll(
    vault: &Vault,
    db: &impl ConnectionTrait,
    election: ElectionId,
) -> Result<Looked, Fault> {
    let head = store::rolls::head(db, election).await?.ok_or(Rejection::RollUnknown)?;
    let published = store::rolls::counts(db, election).await?;
    let mut hashes = Vec::new();
    let mut counts = BTreeMap::new();
    let mut given_up_by_leavers = true;
    let mut last: Option<PersonId> = None;
    loop {
        let part = store::rolls::entries(db, election, last).await?;
        let Some(end) = part.last() else { break };
        last = Some(end.entry.person);
        for row in &part {
            hashes.push(entry_hash(vault, election, &row.entry));
            *counts.entry(row.entry.municipality).or_insert(0) += 1;
            given_up_by_leavers &= row.has_left == Some(row.withdrawn);
        }
    }
    Ok(Looked { head, published, hash: roll::hash(election, hashes), counts, given_up_by_leavers })
}

impl App {
    /// The keyed hash of an entry.
    pub(super) fn entry_hash(&self, election: ElectionId, entry: &Entry) -> [u8; 32] {
        entry_hash(self.vault(), election, entry)
    }

    /// How the roll was at a look within the last minute, or is now. One roll is computed at a time.
    ///
    /// # Errors
    /// RollUnknown.
    pub(super) async fn recent_look(&self, election: ElectionId) -> Result<Arc<Looked>, Fault> {
        let mut looks = self.inner.looks.lock().await;
        let now = self.real_now();
        // So that what is kept does not grow with the elections there have been.
        looks.retain(|_, (at, _)| (*at..*at + LOOK_KEPT).contains(&now));
        if let Some((_, looked)) = looks.get(&election) {
            return Ok(Arc::clone(looked));
        }
        let looked = Arc::new(look_at_roll(self.vault(), self.reads(), election).await?);
        looks.insert(election, (now, Arc::clone(&looked)));
        Ok(looked)
    }

    /// Checks a roll. The next check is scheduled before, unless the election is over: one night on which the roll is not
    /// as published, or cannot be read, is not the last.
    ///
    /// # Errors
    /// RollUnknown; RollChanged if the roll is not the one that was published.
    pub async fn check_roll(&self, election: ElectionId) -> Result<(), Fault> {
        self.writer()
            .internal(ROLL_CHECK_JOB, election, |tx, election| {
                async move {
                    let head = store::rolls::head(tx.conn(), *election).await?;
                    if !head.ok_or(Rejection::RollUnknown)?.over {
                        schedule_check(tx, *election);
                    }
                    Ok(())
                }
                .boxed()
            })
            .await?;
        let looked = look_at_roll(self.vault(), self.reads(), election).await?;
        // Of an erased roll only the hash is left, and nothing to compare it with.
        if looked.head.erased || looked.matches() { Ok(()) } else { Err(Rejection::RollChanged.into()) }
    }

    /// Ends the claims of a roll, because its election is over, and has it checked for the last time.
    pub(crate) async fn end_roll(&self, tx: &Tx, election: ElectionId) -> Result<(), Fault> {
        if store::rolls::end(tx.conn(), election, tx.now().helsinki_date()).await? {
            schedule_purge(tx);
            schedule(tx, election, "end".to_owned(), tx.now());
        }
        Ok(())
    }
}

/// Schedules the check of the next night.
pub(super) fn schedule_check(tx: &Tx, election: ElectionId) {
    if let Some(tomorrow) = Date::next_day(tx.now().helsinki_date()) {
        schedule(tx, election, tomorrow.to_string(), deadline::start_of_day(tomorrow));
    }
}

fn schedule(tx: &Tx, election: ElectionId, when: String, run_at: Timestamp) {
    let dedupe_key = format!("{election}/{when}");
    let payload = election.as_uuid().as_bytes().to_vec();
    tx.schedule(NewJob { kind: ROLL_CHECK_JOB, dedupe_key, run_at, payload });
}
