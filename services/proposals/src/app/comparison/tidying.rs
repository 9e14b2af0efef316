//! What is kept of visits, and how long: how an answer was given until the round closes, single answers until its ranking
//! is public. Sums of many are kept.

use futures::FutureExt as _;
use kernel::{Fault, RoundId, Timestamp};
use messaging::{NewJob, Tx};

use super::super::App;
use crate::domain::comparison::places::{self, Least};
use crate::domain::comparison::round::{Round, RoundEvent};
use crate::store;

/// Job: forgets of the visits of a closed round what is needed no more. Payload: the round's id.
pub const TIDY_ROUND: &str = "proposals.tidy_round";
/// Visits at a time: other commands get their turn between.
const AT_ONCE: u64 = 200;

/// Schedules a look at what is needed no more. `why` tells the looks at a round apart.
pub(super) fn schedule_tidying(tx: &Tx, round: &Round, run_at: Timestamp, why: &str) {
    let (dedupe_key, payload) = (format!("{}/{why}", round.id), round.id.as_uuid().as_bytes().to_vec());
    tx.schedule(NewJob { kind: TIDY_ROUND, dedupe_key, run_at, payload });
}

impl App {
    /// Forgets what is needed no more of the visits of a closed round.
    pub async fn tidy_round(&self, round: RoundId) -> Result<(), Fault> {
        let some =
            async || self.writer.internal(TIDY_ROUND, round, |tx, id| tidy_some(tx, *id).boxed()).await;
        while some().await? {}
        Ok(())
    }
}

/// Forgets of some visits; false once there is nothing left to forget.
async fn tidy_some(tx: &Tx, id: RoundId) -> Result<bool, Fault> {
    let round = store::comparison::rounds::load(tx.conn(), id).await?;
    if !round.visits_are_over(tx.now().helsinki_date()) {
        return store::comparison::sessions::forget_latest(tx.conn(), id, AT_ONCE).await;
    }
    if !round.visits_forgotten {
        forget_places(tx, &round).await?;
        store::comparison::rounds::save(tx.conn(), &round.apply(RoundEvent::VisitsForgotten)).await?;
    }
    store::comparison::sessions::delete_some(tx.conn(), id, AT_ONCE).await
}

/// Forgets the municipalities of which so few compared that their ranking is not told.
async fn forget_places(tx: &Tx, round: &Round) -> Result<(), Fault> {
    let policies = store::policies::of(tx.conn(), round.charter.tenant).await?;
    let least = Least::by(&policies, tx.now().helsinki_date());
    let (places, unnamed) = store::comparison::sums::places(tx.conn(), round.id).await?;
    let told = places::published(&places, unnamed, least);
    store::comparison::sums::forget_places(tx.conn(), round.id, &told).await
}
