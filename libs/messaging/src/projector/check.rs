//! Comparing cursors with the source's heads, and the consumer with its stream: at the start, on every new connection
//! and each minute. What the stream should have brought and did not is read from the log (REL-42); a consumer that
//! cannot bring anything any more is made anew (REL-41).

use std::sync::Arc;

use super::{Check, FEED_TIMEOUT, Projector, Step};
use crate::broker::{BrokerError, ConsumerState};
use crate::feed::FeedError;
use crate::gate::fixed;
use crate::log::LaneHead;

/// Checks in a row that find a consumer silent although it has messages, before it is made anew.
const SUSPICIONS: u32 = 2;

impl Projector {
    pub(super) fn start_check(&mut self) {
        if self.checking {
            return;
        }
        self.checking = true;
        let (broker, feed) = (Arc::clone(&self.with.broker), Arc::clone(&self.feed));
        let key = self.key.clone();
        let before = self.lanes.cursors();
        self.work.push(Box::pin(async move {
            let heads = tokio::time::timeout(FEED_TIMEOUT, feed.heads(&key.source)).await;
            let heads = heads.unwrap_or_else(|_| Err(FeedError("no answer in time".into())));
            let consumer = broker.consumer_state(&key).await;
            Step::Checked(Box::new(Check { before, heads, consumer }))
        }));
    }

    pub(super) async fn checked(&mut self, check: Check) {
        self.checking = false;
        // An operator may have put lanes back to their beginning, here or in another copy of the service.
        if let Err(error) = self.lanes.load().await {
            return self.trouble(Some(error.to_string()));
        }
        let mut is_missing_events = false;
        match check.heads {
            Ok(heads) => {
                for head in heads {
                    let before = check.before.get(&head.lane).copied().unwrap_or(0);
                    let before = before.min(self.lanes.cursor(&head.lane).seq);
                    is_missing_events |= self.compare(&head, before).await;
                }
            }
            Err(error) => tracing::debug!(projection = self.key.projection, %error, "heads are not known"),
        }
        self.look_after_consumer(check.consumer, is_missing_events).await;
        self.fill_lanes();
    }

    /// Compares a lane with its head. True if the stream should have brought events that it has not.
    async fn compare(&mut self, head: &LaneHead, before: u64) -> bool {
        let cursor = self.lanes.cursor(&head.lane);
        if cursor.stopped.is_some() {
            return false;
        }
        let is_same_place = head.seq == cursor.seq && head.epoch == cursor.epoch;
        if head.seq < before || (is_same_place && cursor.hash != fixed(&head.hash)) {
            let reason = format!(
                "event {} was taken, but the log of the source ends with event {} or holds another: it was restored \
                 from a backup",
                before, head.seq
            );
            self.stop(&head.lane, &reason).await;
            return false;
        }
        self.lanes.heard_of(&head.lane, head.seq);
        // The stream has it and nothing is on its way, or the lane has not moved since the check before.
        let is_overdue = self.idle && cursor.seq < head.published_seq;
        let stands_still = self.lanes.stands_still(&head.lane, cursor.seq, head.seq);
        if is_overdue || stands_still {
            self.lanes.behind(&head.lane);
        }
        is_overdue
    }

    async fn look_after_consumer(
        &mut self,
        state: Result<ConsumerState, BrokerError>,
        is_missing_events: bool,
    ) {
        let state = match state {
            Ok(state) => state,
            Err(BrokerError::NoConsumer | BrokerError::NoStream) => {
                // Only what awaits messages makes the consumer, so that it is made once.
                self.stream_created = None;
                return;
            }
            Err(_) => return,
        };
        let is_new_stream = self.stream_created.is_some_and(|created| created != state.stream_created);
        self.stream_created = Some(state.stream_created);
        let is_silent = is_missing_events && self.idle && state.pending > 0;
        self.suspicions = if is_silent { self.suspicions + 1 } else { 0 };
        let reason = if state.ack_floor > state.stream_last {
            "it has acknowledged more than the stream holds"
        } else if is_new_stream {
            "its stream was made anew"
        } else if self.suspicions >= SUSPICIONS {
            "it has messages and delivers none"
        } else {
            return;
        };
        tracing::warn!(
            projection = self.key.projection,
            source = self.key.source,
            reason,
            "a consumer is made anew"
        );
        match self.with.broker.recreate_consumer(&self.key).await {
            Ok(()) => {
                self.suspicions = 0;
                self.with.metrics.consumer_recreated(&self.key);
            }
            Err(error) => self.trouble(Some(error.to_string())),
        }
    }
}
