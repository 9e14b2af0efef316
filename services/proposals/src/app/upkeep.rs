//! What happens by itself: people who have left are forgotten.

use futures::FutureExt as _;
use kernel::{Fault, Subject, Timestamp};
use messaging::{NewJob, Tx};

use super::App;
use crate::store;
use crate::store::retirements::Progress;

/// Job: asks membership who has left. No payload.
pub const RETIRED_REFERENCES: &str = "proposals.retired_references";

/// How often membership is asked who has left, by the business clock.
const READING_PAUSE: time::Duration = time::Duration::HOUR;

/// The first reading of retired references; each one schedules the next.
pub fn first_reading_of_retirements(run_at: Timestamp) -> NewJob {
    next_reading(Progress::default(), run_at)
}

fn next_reading(progress: Progress, run_at: Timestamp) -> NewJob {
    NewJob { kind: RETIRED_REFERENCES, dedupe_key: progress.runs.to_string(), run_at, payload: Vec::new() }
}

impl App {
    /// Where to go on reading who has left.
    pub async fn retirement_cursor(&self) -> Result<u64, Fault> {
        Ok(store::retirements::progress(self.database.read()).await?.cursor)
    }

    /// Forgets people who have left, and remembers how far the list was read.
    pub async fn forget(&self, persons: Vec<Subject>, cursor: u64) -> Result<(), Fault> {
        let input = (persons, cursor);
        self.writer
            .internal(RETIRED_REFERENCES, input, |tx, input| forget_all(tx, &input.0, input.1).boxed())
            .await
    }

    /// Schedules the next reading of who has left, whatever came of this one.
    pub async fn schedule_next_reading(&self) -> Result<(), Fault> {
        self.writer.internal(RETIRED_REFERENCES, (), |tx, ()| schedule_next(tx).boxed()).await
    }
}

async fn schedule_next(tx: &Tx) -> Result<(), Fault> {
    let before = store::retirements::progress(tx.conn()).await?;
    let progress = Progress { runs: before.runs + 1, ..before };
    store::retirements::save(tx.conn(), progress).await?;
    tx.schedule(next_reading(progress, tx.now() + READING_PAUSE));
    Ok(())
}

async fn forget_all(tx: &Tx, persons: &[Subject], cursor: u64) -> Result<(), Fault> {
    for person in persons {
        forget_one(tx, *person).await?;
    }
    let before = store::retirements::progress(tx.conn()).await?;
    store::retirements::save(tx.conn(), Progress { cursor, ..before }).await
}

/// Takes a person's reference out of everything; each noun's store adds its line here.
async fn forget_one(tx: &Tx, person: Subject) -> Result<(), Fault> {
    store::texts::forget_writer(tx.conn(), person).await?;
    store::supports::forget(tx.conn(), person).await?;
    store::follows::forget(tx.conn(), person).await
}
