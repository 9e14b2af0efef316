//! What is fuzzed: one function for each input that comes from outside, with what must hold for any bytes.
//!
//! cargo-fuzz calls them with bytes it makes up (`infra/fuzz`); the test `corpus` calls them with every file of
//! `tests/fuzz/corpus`, so what was found once stays found. A target panics when something does not hold.

use std::sync::LazyLock;

use async_nats::HeaderMap;
use async_nats::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use futures::FutureExt as _;
use kernel::{ElectionId, MunicipalityCode, PageToken, TenantId, Uuid};
use messaging::broker::wire;
use messaging::envelope::is_intact;
use messaging::{Attempt, Envelope, HandlerError, Origin, Received};

#[path = "world.rs"]
pub(crate) mod world;

use world::World;

/// A function that takes any bytes.
pub(crate) type Target = fn(&[u8]);

/// Every target by its name, which is the name of its corpus folder too.
pub(crate) const TARGETS: [(&str, Target); 9] = [
    ("envelope", envelope),
    ("event", event),
    ("claims", claims),
    ("metadata", metadata),
    ("rpc", rpc),
    ("ballot", ballot),
    ("register", register),
    ("words", words),
    ("settings", settings),
];

static WORLD: LazyLock<World> = LazyLock::new(World::start);

/// A message from the bus: header lines, an empty line, the payload. What can be read is what was sent.
pub(crate) fn envelope(bytes: &[u8]) {
    let (head, payload) = halves(bytes);
    let mut headers = HeaderMap::new();
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            headers.append(name, value);
        }
    }
    let payload = Bytes::copy_from_slice(payload);
    // Only the place is read of messages that are walked over.
    let stored = wire::stored(&headers, 1);
    let Ok(envelope) = wire::envelope(Some(&headers), &payload) else { return };
    assert!(stored.is_ok(), "who has the whole has the place too");
    let intact = is_intact(&envelope);
    let Ok(again) = wire::headers(&envelope) else { return };
    let read = wire::envelope(Some(&again), &payload).expect("what was written can be read");
    assert_eq!(is_intact(&read), intact, "on the way nothing changes");
}

/// An event with any payload in front of the handlers of every service that listens: taken, skipped or refused for
/// good, but never an error of ours. The first byte chooses the type.
pub(crate) fn event(bytes: &[u8]) {
    let Some((first, payload)) = bytes.split_first() else { return };
    let world = &*WORLD;
    let types = &world.event_types;
    let event_type = &types[usize::from(*first) % types.len()];
    let service = event_type.split('.').nth(1).expect("osallisuus.<service>.v1.<Event>");
    let envelope = Envelope {
        service: service.to_owned(),
        lane: "19".to_owned(),
        epoch: 1,
        seq: 1,
        event_id: Uuid::from_u128(1).to_string(),
        event_type: event_type.clone(),
        schema_version: 1,
        aggregate_type: "thing".to_owned(),
        aggregate_id: world::KNOWN.to_string(),
        occurred_at_us: 1_770_000_000_000_000,
        causation_id: String::new(),
        correlation_id: String::new(),
        traceparent: String::new(),
        co_tenants: vec!["21".to_owned()],
        payload: payload.to_vec(),
        prev_hash: vec![0; 32],
        hash: vec![0; 32],
    };
    let received = Received::new(envelope);
    for listener in world.listeners.iter().filter(|listener| listener.source == service) {
        let (reader, writer) = (listener.reader, &world.writers[listener.reader]);
        let input = (listener.handler.clone(), received.clone());
        // Whatever it does is undone: the next input finds the same tables.
        let handled = world.runtime.block_on(writer.internal("fuzz", input, |tx, (handler, received)| {
            async move {
                let run = tx.attempt(Origin::default(), |tx| {
                    let (handler, received) = (handler.clone(), received.clone());
                    async move {
                        match handler(tx, &received).await {
                            Ok(()) => Err(HandlerError::Permanent("taken, and undone".to_owned())),
                            Err(error) => Err(error),
                        }
                    }
                    .boxed()
                });
                run.await.map_err(kernel::Fault::internal)
            }
            .boxed()
        }));
        match handled.expect("the database is there") {
            Attempt::Refused(HandlerError::Transient(text)) => panic!("{event_type} in {reader}: {text}"),
            Attempt::Panicked(text) => panic!("{event_type} in {reader} panicked: {text}"),
            Attempt::Done(()) | Attempt::Refused(_) => {}
        }
    }
}

/// Claims signed with the right key, and tokens that are nothing: let in or refused.
pub(crate) fn claims(bytes: &[u8]) {
    let token = match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(claims) => WORLD.sign(&claims),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    };
    let Ok(header) = format!("Bearer {token}").parse() else { return };
    WORLD.answers(
        "/osallisuus.forums.v1.ForumsService/GetMySeat",
        Bytes::new(),
        &[("authorization", header)],
    );
}

/// Any metadata beside a request that is in order: `name: value` lines.
pub(crate) fn metadata(bytes: &[u8]) {
    let path = "/osallisuus.forums.v1.ForumsService/ListForums";
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let pairs: Vec<_> = lines
        .filter(|(name, _)| NAMES.contains(name))
        .filter_map(|(name, value)| Some((name, value.trim().parse().ok()?)))
        .collect();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, Clone::clone(value))).collect();
    WORLD.answers(path, world::list_forums(), &pairs);
    WORLD.answers("/osallisuus.forums.v1.ForumsService/FoundForum", Bytes::new(), &pairs);
}

/// The metadata that the platform reads.
const NAMES: [&str; 6] =
    ["authorization", "idempotency-key", "grpc-timeout", "x-correlation-id", "traceparent", "tracestate"];

/// The request of any RPC, by somebody who may do everything: the path, a line break, the message.
pub(crate) fn rpc(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let path = parts.next().and_then(|path| std::str::from_utf8(path).ok());
    let (Some(path), Some(message)) = (path, parts.next()) else { return };
    let Some(entry) = proto::access::find(path) else { return };
    WORLD.asked(entry, Bytes::copy_from_slice(message));
}

/// A stored ballot box, a sealed and a written ballot. The first two bytes are seats and candidates.
pub(crate) fn ballot(bytes: &[u8]) {
    use forums::domain::ballot::BallotPaper;
    use forums::domain::sealed::{BallotBox, BoardPrivateKey, BoardPublicKey, BoxLabel};
    let [seats, candidates, bytes @ ..] = bytes else { return };
    let paper = BallotPaper { seats: u32::from(*seats), candidates: u32::from(*candidates) };
    if let Some(ballot) = paper.read(bytes) {
        assert_eq!(paper.write(&ballot), bytes, "no choice has two spellings");
        assert!(ballot.approvals().len() <= usize::from(*seats));
    }
    let label = BoxLabel {
        election: ElectionId::from_uuid(world::KNOWN),
        municipality: MunicipalityCode::new("139").expect("Ii"),
    };
    let (private, public) = world::board_key();
    let public = BoardPublicKey::new(&public).expect("a public key");
    let key = BoardPrivateKey::new(&private, &public).expect("its private key");
    let sealed = public.seal(&label, bytes, [7; 32]).expect("sealed");
    assert_eq!(key.open(&label, &sealed).as_deref(), Some(bytes), "what is sealed opens");
    // The fuzzer learns what was sealed for earlier inputs from comparisons; whatever opens was sealed here.
    let sealed_here =
        |text: &[u8], randomness| public.seal(&label, text, randomness).is_ok_and(|all| all == bytes);
    let by_us = |text: Vec<u8>| sealed_here(&text, [7; 32]) || sealed_here(&text, [9; 32]);
    assert!(key.open(&label, bytes).is_none_or(by_us), "nobody else can seal");
    // Neither a key nor a box is made of anything.
    let _ = (BoardPublicKey::new(bytes), BoardPrivateKey::new(bytes, &public));
    if let Ok(mut all) = BallotBox::from_stored(paper.written_len(), bytes.to_vec()) {
        let before = all.len();
        assert_eq!(all.ballots().count(), usize::try_from(before).expect("a count"));
        let written = vec![0; paper.written_len()];
        let one = public.seal(&label, &written, [9; 32]).expect("sealed");
        all.put(&one).expect("it fits");
        assert_eq!(all.len(), before + 1);
    }
}

/// A register file.
pub(crate) fn register(bytes: &[u8]) {
    let tenant = TenantId::new("19").expect("a county");
    let today = kernel::deadline::parse_date("2026-02-16").expect("a day");
    match standalone::register::Register::parse(bytes, tenant, today) {
        Ok(register) => assert!(!register.rows.is_empty()),
        Err(faults) => assert!(faults.iter().all(|fault| !fault.reason.is_empty())),
    }
}

/// What is read from texts everywhere: codes, ids, days, page tokens. What is read is written the same.
pub(crate) fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(code) = TenantId::new(text) {
        assert_eq!(code.as_str(), text);
    }
    if let Ok(code) = MunicipalityCode::new(text) {
        assert_eq!(code.as_str(), text);
    }
    if let Ok(scope) = text.parse::<kernel::ScopeRef>() {
        assert_eq!(scope.to_string().parse::<kernel::ScopeRef>().ok(), Some(scope));
    }
    if let Ok(day) = kernel::deadline::parse_date(text) {
        // A deadline never lies before the day it is counted from; on the last day there is, it is that day.
        let due = kernel::deadline::due_after_days(day, 60);
        assert!(due >= day);
    }
    if let Ok(Some(key)) = PageToken::read(text, "list") {
        let again = PageToken::after("list", &key).into_string();
        assert_eq!(PageToken::read(&again, "list").ok().flatten(), Some(key));
    }
    let _ = text.parse::<kernel::Role>();
    let _ = text.parse::<kernel::PolicyKey>().map(|key| key.parse(text));
}

/// A settings file: read, or refused with every fault; a password in it is never shown.
pub(crate) fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match chassis::Config::from_toml(world::SERVICES, text) {
        Ok(config) => assert!(!config.tenants.is_empty()),
        Err(faults) => assert!(!faults.faults().is_empty()),
    }
}

fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    end.map_or((bytes, &[]), |end| (&bytes[..end], &bytes[end + 2..]))
}
