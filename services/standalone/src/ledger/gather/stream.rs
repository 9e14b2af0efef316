//! Reading a service's stream from its first message to its last, with a consumer that leaves nothing behind.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::{self, ErrorCode};
use futures::StreamExt as _;
use kernel::{Clock as _, SystemClock};
use messaging::broker::{NatsSettings, wire};
use messaging::envelope;
use messaging::provision::MAX_AGE;
use tokio::time::timeout;

use crate::ledger::index::{Index, Rows};
use crate::ledger::verdict::Verdict;
use crate::ledger::{CheckError, hex};

/// How long the server may take for an answer or the next message.
const ANSWER: Duration = Duration::from_secs(10);
/// When the server clears away a consumer that nobody reads.
const ABANDONED: Duration = Duration::from_secs(30);
/// Messages asked for at once.
const BATCH: usize = 500;

/// Takes in the stream of a service. `is_dated` is true where events bear the time of day, as messages always do; a
/// demonstration sets its clock.
pub(in crate::ledger) async fn messages(
    index: &Index,
    service: &'static str,
    nats: &NatsSettings,
    is_dated: bool,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let context = jetstream::new(connect(nats).await?);
    let mut stream = match timeout(ANSWER, context.get_stream(wire::stream_name(service))).await {
        Err(_) => return Err(CheckError::Nats("no answer".to_owned())),
        Ok(Ok(stream)) => stream,
        // Whatever is in the log is then missing in the stream, and the rule says so.
        Ok(Err(error)) if is_absent(&error.kind()) => return Ok(()),
        Ok(Err(error)) => return Err(away(&error)),
    };
    let info = stream.info().await.map_err(|error| away(&error))?.clone();
    let state = info.state;
    let age = SystemClock.now().as_seconds().saturating_sub(info.created.unix_timestamp());
    let is_old = u64::try_from(age).is_ok_and(|age| age >= MAX_AGE.as_secs());
    // Since when it has been filled: what was too old then is not in it.
    let first = match (is_dated, state.messages) {
        (false, _) => 0,
        (true, 0) => SystemClock.now().as_micros(),
        (true, _) => state.first_timestamp.unix_timestamp().saturating_mul(1_000_000),
    };
    let mut streams: Rows<'_, 3> = index.rows("stream");
    streams.add([service.into(), is_old.into(), first.into()]).await?;
    streams.finish().await?;
    if state.messages == 0 {
        return Ok(());
    }
    let config = pull::Config {
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::None,
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: ABANDONED,
        ..pull::Config::default()
    };
    let consumer: Consumer<pull::Config> =
        stream.create_consumer(config).await.map_err(|error| away(&error))?;
    let mut messages =
        consumer.stream().max_messages_per_batch(BATCH).messages().await.map_err(|error| away(&error))?;
    let mut rows: Rows<'_, 7> = index.rows("message");
    loop {
        let next = timeout(ANSWER, messages.next()).await;
        let next = next.map_err(|_| CheckError::Nats("the stream stopped in the middle".to_owned()))?;
        let Some(message) = next else { break };
        let message = message.map_err(|error| away(&error))?;
        let place = message.info().map_err(|error| CheckError::Nats(error.to_string()))?.stream_sequence;
        // A message that somebody else put into the stream is no event, and no reader takes it for one.
        if let Ok(event) = wire::envelope(message.headers.as_ref(), &message.payload) {
            verdict.looked.messages += 1;
            let fault = if !envelope::is_intact(&event) {
                "was altered: it does not match its hash"
            } else if event.service != service || message.subject.as_str() != wire::subject(&event) {
                "lies under the subject of something else"
            } else {
                ""
            };
            rows.add([
                service.into(),
                event.lane.clone().into(),
                event.seq.cast_signed().into(),
                event.epoch.cast_signed().into(),
                place.cast_signed().into(),
                hex(&event.hash).into(),
                fault.into(),
            ])
            .await?;
        }
        if place >= state.last_sequence {
            break;
        }
    }
    rows.finish().await?;
    // The server clears it away by itself if this fails.
    let _ = stream.delete_consumer(&consumer.cached_info().name).await;
    Ok(())
}

async fn connect(nats: &NatsSettings) -> Result<async_nats::Client, CheckError> {
    let options = nats.options().map_err(|error| away(&error))?;
    options.connect(nats.servers()).await.map_err(|error| away(&error))
}

fn is_absent(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(reason) if reason.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn away(error: &dyn std::fmt::Display) -> CheckError {
    CheckError::Nats(error.to_string())
}
