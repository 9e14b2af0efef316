//! Taking events within one transaction: the gate for each, then the handler, the parking place or nothing.

use std::collections::BTreeSet;

use crate::crash;
use crate::envelope::Envelope;
use crate::gate::{self, Cursor, Verdict};
use crate::store::{Handled, Inbox, StoreError};

/// Type of the events by which readers prove that they have missed nothing. They are for subscribers who listen to
/// some types only; a projection reads all and only moves on.
pub const WATERMARK: &str = "osallisuus.messaging.v1.Watermark";

/// What became of the events of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The cursor afterwards.
    pub cursor: Cursor,
    /// Events taken: applied, skipped or parked.
    pub taken: u64,
    /// Events taken before, or given up by their source.
    pub duplicates: u64,
    /// Of those taken, how many the projection has no use for.
    pub skipped: u64,
    /// Of those taken, how many were parked.
    pub parked: u64,
    /// Highest event that waits behind a gap.
    pub gap: Option<u64>,
    /// Whether the lane was stopped just now.
    pub forked: bool,
    /// Whether the lane was being read again on purpose, so that nobody waited for these events.
    pub rebuilding: bool,
}

/// Takes events of one lane in order. What comes after a gap is left; the log has it.
///
/// # Errors
/// The transaction must be rolled back: nothing was taken.
pub async fn take<I: Inbox + ?Sized>(inbox: &I, events: &[Envelope]) -> Result<Taken, StoreError> {
    let cursor = inbox.cursor().await?;
    crash::point("projector.begun");
    let mut parked: BTreeSet<(String, String)> = inbox.parked(events).await?.into_iter().collect();
    let mut taken = Taken { rebuilding: cursor.rebuild_to.is_some(), cursor, ..Taken::default() };
    for event in events {
        match gate::decide(&taken.cursor, event) {
            Verdict::Take => {
                crash::point("projector.gate_passed");
                take_one(inbox, event, &mut parked, &mut taken).await?;
                taken.cursor.advance(event);
                taken.taken += 1;
            }
            Verdict::Duplicate | Verdict::Abandoned => taken.duplicates += 1,
            Verdict::Gap => taken.gap = taken.gap.max(Some(event.seq)),
            Verdict::Fork(reason) => {
                taken.cursor.stopped = Some(reason);
                taken.forked = true;
            }
            Verdict::Stopped => break,
        }
    }
    if taken.cursor.is_rebuilt() {
        inbox.sweep().await?;
        taken.cursor.rebuild_to = None;
    }
    if taken.taken > 0 || taken.forked {
        inbox.save(&taken.cursor).await?;
    }
    crash::point("projector.before_commit");
    Ok(taken)
}

async fn take_one<I: Inbox + ?Sized>(
    inbox: &I,
    event: &Envelope,
    parked: &mut BTreeSet<(String, String)>,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    if event.event_type == WATERMARK {
        return Ok(());
    }
    let thing = (event.aggregate_type.clone(), event.aggregate_id.clone());
    if parked.contains(&thing) {
        taken.parked += 1;
        return inbox.park(event, None).await;
    }
    let handled = inbox.handle(event).await?;
    crash::point("projector.after_handler");
    match handled {
        Handled::Applied => {}
        Handled::Skipped => taken.skipped += 1,
        Handled::Poison(error) => {
            taken.parked += 1;
            parked.insert(thing);
            crash::point("projector.before_park");
            inbox.park(event, Some(&error)).await?;
        }
    }
    Ok(())
}
