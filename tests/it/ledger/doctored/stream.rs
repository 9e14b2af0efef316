//! Streams that are no copy of the log.

use async_nats::jetstream;
use messaging::broker::wire;

use super::Copy;

/// What is done to the streams once everything is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    /// That of forums is emptied.
    Purge,
    /// That of forums has its last message only, as if the blocks before it were gone.
    KeepLast,
    /// An event of forums lies in that of membership.
    Misplace,
}

impl Copy {
    pub(super) async fn reorder_stream(&mut self) {
        let at = self.stream.iter().position(|one| one.service == "forums" && one.seq == 2);
        let at = at.expect("a second event");
        self.stream.swap(at - 1, at);
    }

    pub(super) async fn alter_message(&mut self) {
        let message = self.stream.iter_mut().find(|one| one.service == "forums" && one.seq == 3);
        message.expect("a third event").payload.push(0);
    }

    pub(super) async fn withhold(&mut self) {
        let last = self.stream.iter().rposition(|one| one.service == "forums").expect("an event");
        self.stream.remove(last);
    }

    pub(super) async fn harm(&mut self, harm: Harm) {
        self.harm = Some(harm);
    }

    /// Does to the streams what is to be done.
    pub(super) async fn harm_streams(&self) {
        let client = async_nats::connect(self.nats.url()).await.expect("NATS");
        let context = jetstream::new(client);
        let forums = context.get_stream(wire::stream_name("forums")).await.expect("a stream");
        match self.harm {
            None => {}
            Some(Harm::Purge) => {
                forums.purge().await.expect("purged");
            }
            Some(Harm::KeepLast) => {
                forums.purge().keep(1).await.expect("purged");
            }
            Some(Harm::Misplace) => {
                let event = self.stream.iter().find(|one| one.service == "forums").expect("an event");
                let subject = wire::subject(event).replacen("forums", "membership", 1);
                let headers = wire::headers(event).expect("headers");
                let sent = context.publish_with_headers(subject, headers, event.payload.clone().into()).await;
                sent.expect("sent").await.expect("stored");
            }
        }
    }
}
