//! What to do with an event that arrives, decided from the place in its lane and nothing else.
//!
//! A lane is dense and hash-linked, so a reader who keeps the sequence number and the hash of the last event it has
//! taken can tell a duplicate, a gap and a fork from the next event without asking anybody. However the event came
//! (stream, redelivery, repair from the log), the same decision is made, in the transaction that takes it.

use crate::envelope::{Envelope, HASH_BYTES, NO_HASH};

/// How far a projection has come in one lane of its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Epoch of the last event taken; 0 before the first.
    pub epoch: u64,
    /// Sequence number of the last event taken; 0 before the first.
    pub seq: u64,
    /// Hash of the last event taken; zeros before the first.
    pub hash: [u8; HASH_BYTES],
    /// Why the lane stands still until a person acts; `None` while it runs.
    pub stopped: Option<String>,
    /// How often the lane was rebuilt.
    pub generation: u64,
    /// The event at which a rebuild under way is done; `None` if there is none.
    pub rebuild_to: Option<u64>,
}

impl Default for Cursor {
    fn default() -> Self {
        Self { epoch: 0, seq: 0, hash: NO_HASH, stopped: None, generation: 0, rebuild_to: None }
    }
}

impl Cursor {
    /// Moves to an event that was taken.
    pub fn advance(&mut self, event: &Envelope) {
        self.epoch = event.epoch;
        self.seq = event.seq;
        self.hash = fixed(&event.hash);
    }

    /// Whether a rebuild has come to where it is done.
    pub fn is_rebuilt(&self) -> bool {
        self.rebuild_to.is_some_and(|target| self.seq >= target)
    }
}

/// What to do with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next one: take it.
    Take,
    /// It was taken before: drop it.
    Duplicate,
    /// It belongs to a log that was given up when its database was restored from a backup: drop it.
    Abandoned,
    /// Events before it are missing: take none of these, fetch the missing ones from the log.
    Gap,
    /// It contradicts what was taken before. The text says how; the lane must stop and wait for a person.
    Fork(String),
    /// The lane stands still.
    Stopped,
}

/// Decides about one event. It must have been checked to carry its own right hash.
pub fn decide(cursor: &Cursor, event: &Envelope) -> Verdict {
    if cursor.stopped.is_some() {
        return Verdict::Stopped;
    }
    if event.seq <= cursor.seq {
        return decide_about_past(cursor, event);
    }
    if event.epoch < cursor.epoch {
        return Verdict::Abandoned;
    }
    if event.seq > cursor.seq + 1 {
        return Verdict::Gap;
    }
    if event.prev_hash != cursor.hash {
        return Verdict::Fork(format!(
            "event {} of epoch {} does not follow the event {} of epoch {} that was taken before it",
            event.seq, event.epoch, cursor.seq, cursor.epoch
        ));
    }
    Verdict::Take
}

/// An event that is not after the cursor is a duplicate, unless the log was rewritten below the cursor.
fn decide_about_past(cursor: &Cursor, event: &Envelope) -> Verdict {
    if event.epoch > cursor.epoch {
        return Verdict::Fork(format!(
            "the log was restored: event {} of epoch {} replaces one of epoch {} that was taken already, up to event {}",
            event.seq, event.epoch, cursor.epoch, cursor.seq
        ));
    }
    if event.seq == cursor.seq && event.epoch == cursor.epoch && event.hash != cursor.hash {
        return Verdict::Fork(format!(
            "event {} of epoch {} exists with two contents",
            event.seq, event.epoch
        ));
    }
    Verdict::Duplicate
}

/// A hash of fixed length; anything of another length becomes zeros, which match nothing that was taken.
pub(crate) fn fixed(hash: &[u8]) -> [u8; HASH_BYTES] {
    hash.try_into().unwrap_or(NO_HASH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(epoch: u64, seq: u64, prev: u8, hash: u8) -> Envelope {
        Envelope { epoch, seq, prev_hash: vec![prev; 32], hash: vec![hash; 32], ..Envelope::default() }
    }

    fn at(epoch: u64, seq: u64, hash: u8) -> Cursor {
        Cursor { epoch, seq, hash: [hash; 32], ..Cursor::default() }
    }

    #[test]
    fn the_first_event_of_a_lane_is_taken() {
        assert_eq!(decide(&Cursor::default(), &event(1, 1, 0, 1)), Verdict::Take);
    }

    #[test]
    fn a_lane_cannot_be_joined_in_the_middle() {
        assert_eq!(decide(&Cursor::default(), &event(1, 2, 1, 2)), Verdict::Gap);
    }

    #[test]
    fn the_next_event_is_taken_once() {
        let mut cursor = at(1, 4, 4);
        let next = event(1, 5, 4, 5);
        assert_eq!(decide(&cursor, &next), Verdict::Take);
        cursor.advance(&next);
        assert_eq!(decide(&cursor, &next), Verdict::Duplicate);
    }

    #[test]
    fn an_event_with_one_missing_before_it_is_a_gap() {
        assert_eq!(decide(&at(1, 4, 4), &event(1, 6, 5, 6)), Verdict::Gap);
    }

    #[test]
    fn an_event_that_does_not_link_to_the_last_one_is_a_fork() {
        assert!(matches!(decide(&at(1, 4, 4), &event(1, 5, 9, 5)), Verdict::Fork(_)));
    }

    #[test]
    fn another_content_of_the_last_event_is_a_fork() {
        assert!(matches!(decide(&at(1, 4, 4), &event(1, 4, 3, 9)), Verdict::Fork(_)));
    }

    #[test]
    fn a_new_epoch_that_continues_the_chain_is_taken() {
        assert_eq!(decide(&at(1, 4, 4), &event(2, 5, 4, 5)), Verdict::Take);
    }

    #[test]
    fn a_new_epoch_that_rewrites_what_was_taken_is_a_fork() {
        assert!(matches!(decide(&at(1, 9, 9), &event(2, 5, 4, 5)), Verdict::Fork(_)));
        assert!(matches!(decide(&at(1, 4, 4), &event(2, 5, 8, 5)), Verdict::Fork(_)));
    }

    #[test]
    fn events_of_an_epoch_given_up_are_dropped() {
        assert_eq!(decide(&at(2, 4, 4), &event(1, 5, 4, 5)), Verdict::Abandoned);
        assert_eq!(decide(&at(2, 4, 4), &event(1, 3, 2, 3)), Verdict::Duplicate);
    }

    #[test]
    fn a_stopped_lane_takes_nothing() {
        let stopped = Cursor { stopped: Some("fork".into()), ..at(1, 4, 4) };
        assert_eq!(decide(&stopped, &event(1, 5, 4, 5)), Verdict::Stopped);
    }

    #[test]
    fn a_rebuild_is_done_with_the_event_it_goes_to() {
        let towards = |seq| Cursor { rebuild_to: Some(seq), ..at(1, 4, 4) };
        assert!(!towards(5).is_rebuilt());
        assert!(towards(4).is_rebuilt() && towards(3).is_rebuilt());
        assert!(!at(1, 4, 4).is_rebuilt(), "there is no rebuild");
    }
}
