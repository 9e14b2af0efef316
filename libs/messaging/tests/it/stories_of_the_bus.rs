//! Relay and projector on a real nats-server: what breaks, and that it comes right.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_nats::HeaderMap;
use async_nats::jetstream::{self, consumer, stream};
use futures::StreamExt as _;
use kernel::FaultKind;
use messaging::broker::{Ack, Broker as _, BrokerError, Dedupe, NatsBroker, NatsSettings, wire};
use messaging::store::ProjectionKey;
use messaging::{DatabaseKind, ParkedKind, provision};
use testkit::eventually;
use testkit::nats::Server;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::bus::{Feed, PATIENCE, SINK, SOURCE, Service, broker, projection};
use crate::support::ENGINES;

const SQLITE: DatabaseKind = DatabaseKind::Sqlite;

/// Source and sink on a server of their own, everything running.
pub(crate) struct Bus {
    pub(crate) server: Server,
    pub(crate) source: Service,
    pub(crate) sink: Service,
    pub(crate) feed: Arc<Feed>,
    pub(crate) broker: Arc<NatsBroker>,
    pub(crate) antidote: Arc<AtomicBool>,
}

impl Bus {
    pub(crate) async fn start(engine: DatabaseKind) -> Self {
        let mut bus = Self::open(engine).await;
        bus.start_source();
        bus.start_sink();
        bus
    }

    async fn open(engine: DatabaseKind) -> Self {
        let server = Server::start().unwrap();
        let source = Service::open(SOURCE, engine).await;
        let sink = Service::open(SINK, engine).await;
        let feed = Feed::of(&source);
        let broker = connected(&server).await;
        Self { server, source, sink, feed, broker, antidote: Arc::default() }
    }

    fn start_source(&mut self) {
        self.source.start(&self.broker, Vec::new(), &self.feed);
    }

    fn start_sink(&mut self) {
        self.sink.start(&self.broker, vec![projection(&self.antidote)], &self.feed);
    }

    pub(crate) async fn until_settled(&self) {
        self.source.until_published().await;
        self.sink.until_taken(&self.source).await;
    }

    /// Waits until the stream has so many events of a lane, each at least once.
    async fn until_held(&self, lane: &str, events: u64) {
        let mut before = Vec::new();
        eventually(PATIENCE, async || {
            let held = self.broker.stored_from(SOURCE, lane, 0, 1000).await;
            let held: Vec<u64> = held.unwrap_or_default().iter().map(|stored| stored.seq).collect();
            let is_whole = (1..=events).all(|seq| held.contains(&seq));
            if held != before {
                println!("lane {lane} in the stream: {held:?}");
                before = held;
            }
            is_whole
        })
        .await;
    }

    /// A client that is none of ours.
    async fn outsider(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.server.url()).await.unwrap())
    }
}

fn key() -> ProjectionKey {
    ProjectionKey { service: SINK.into(), projection: SINK.into(), source: SOURCE.into() }
}

/// Headers of a stored message, to publish it again by itself: it may have come together with others.
fn copied(headers: &HeaderMap) -> HeaderMap {
    let mut copy = HeaderMap::new();
    for (name, values) in headers.iter() {
        for value in values.iter().filter(|_| !name.to_string().starts_with("Nats-Batch-")) {
            copy.append(name.clone(), value.clone());
        }
    }
    copy
}

#[tokio::test]
async fn events_of_all_lanes_reach_the_projection_on_both_engines() {
    for engine in ENGINES {
        let bus = Bus::start(engine).await;
        for _ in 0..10 {
            for lane in ["17", "19", "21"] {
                bus.source.write(lane, "a", 7).await;
            }
        }
        bus.until_settled().await;
        bus.sink.assert_projected(&bus.source).await;
        assert_eq!(bus.sink.number("SELECT count(*) FROM projection_cursor WHERE last_seq = 70").await, 3);
        // Marks are written a little later.
        eventually(PATIENCE, async || {
            bus.source.number("SELECT count(*) FROM event_head WHERE published_seq = 70").await == 3
        })
        .await;
    }
}

#[tokio::test]
async fn rel_30_a_page_of_events_is_stored_in_its_order_all_or_none() {
    let bus = Bus::open(SQLITE).await;
    bus.source.write("19", "a", 5).await;
    let events = messaging::log::events(&bus.source.database, "19", 1, 5).await.unwrap();
    bus.broker.provision_stream(SOURCE).await.unwrap();
    let held = async || bus.broker.stored_from(SOURCE, "19", 1, 10).await.unwrap();

    bus.broker.publish(&events[1], Dedupe::ById).await.unwrap();
    // One of them is there already: nothing else is stored.
    assert_eq!(bus.broker.publish_together(&events).await.unwrap(), None);
    assert_eq!(held().await.len(), 1);

    let ack = bus.broker.publish_together(&events[2..]).await.unwrap();
    assert_eq!(ack, Some(Ack { place: 4, duplicate: false }));
    let numbers: Vec<u64> = held().await.iter().map(|stored| stored.seq).collect();
    assert_eq!(numbers, [2, 3, 4, 5]);
    // The same again, as after an acknowledgement that was lost.
    assert_eq!(bus.broker.publish_together(&events[2..]).await.unwrap(), None);
    assert_eq!(held().await.len(), 4);
}

#[tokio::test]
async fn a_stream_that_cannot_store_together_gets_its_events_one_by_one() {
    let mut bus = Bus::open(SQLITE).await;
    bus.broker.provision_stream(SOURCE).await.unwrap();
    let older = stream::Config {
        allow_atomic_publish: false,
        ..provision::stream(SOURCE, &provision::StreamSettings::default(), "2.15.1")
    };
    bus.outsider().await.update_stream(older).await.unwrap();
    bus.source.write("19", "a", 30).await;
    bus.start_source();
    bus.source.until_published().await;
    assert_eq!(bus.broker.extent(SOURCE, "19").await.unwrap().messages, 30);
}

#[tokio::test]
async fn tst_04_a_server_killed_again_and_again_under_load_loses_nothing() {
    let mut bus = Bus::start(SQLITE).await;
    for round in 0..4 {
        for _ in 0..20 {
            bus.source.write("19", "a", 5).await;
            bus.source.write("21", "b", 5).await;
        }
        bus.server.kill();
        // Writing goes on while there is no server.
        bus.source.write("19", "a", 5).await;
        if round % 2 == 0 {
            bus.source.until("the relay says so", |source| !source.status().troubles().is_empty()).await;
        }
        bus.server.restart().unwrap();
    }
    bus.until_settled().await;
    bus.sink.assert_projected(&bus.source).await;
    bus.source.until("troubles are over", |source| source.status().troubles().is_empty()).await;
}

#[tokio::test]
async fn obs_12_everything_starts_and_writes_without_a_server() {
    let mut bus = Bus::open(SQLITE).await;
    bus.server.kill();
    bus.broker = broker(&bus.server.url()).await;
    bus.start_source();
    bus.start_sink();
    bus.source.write("19", "a", 30).await;
    bus.source.until("the relay says so", |source| !source.status().troubles().is_empty()).await;
    bus.server.restart().unwrap();
    bus.until_settled().await;
    bus.sink.assert_projected(&bus.source).await;
}

#[tokio::test]
async fn tst_05_a_deleted_stream_is_made_again_and_filled_from_the_log() {
    let bus = Bus::start(SQLITE).await;
    bus.source.write("19", "a", 30).await;
    bus.source.write("21", "b", 30).await;
    bus.until_settled().await;
    let outsider = bus.outsider().await;
    outsider.delete_stream(wire::stream_name(SOURCE)).await.unwrap();
    // Nothing new is written: the comparison alone must find it.
    bus.until_held("19", 30).await;
    bus.until_held("21", 30).await;
    bus.source.write("19", "a", 5).await;
    bus.until_settled().await;
    bus.sink.assert_projected(&bus.source).await;
}

#[tokio::test]
async fn tst_05_a_purged_stream_is_filled_again_although_the_server_remembers_the_ids() {
    let bus = Bus::start(SQLITE).await;
    bus.source.write("19", "a", 20).await;
    bus.until_settled().await;
    let stream = bus.outsider().await.get_stream(wire::stream_name(SOURCE)).await.unwrap();
    stream.purge().filter(wire::lane_subject(SOURCE, "19")).await.unwrap();
    eventually(PATIENCE, async || stream.get_info().await.is_ok_and(|info| info.state.messages >= 20)).await;
    let extent = bus.broker.extent(SOURCE, "19").await.unwrap();
    assert_eq!((extent.first.unwrap().seq, extent.last.unwrap().seq), (1, 20));
    bus.sink.assert_projected(&bus.source).await;
}

#[tokio::test]
async fn a_hole_in_the_stream_is_found_at_start_and_filled() {
    let mut bus = Bus::open(SQLITE).await;
    bus.start_source();
    bus.source.write("19", "a", 10).await;
    bus.source.until_published().await;
    bus.source.stop().await;
    // As if the server had lost its last events before a publishing that was under way arrived.
    let outsider = bus.outsider().await;
    let stream = outsider.get_stream(wire::stream_name(SOURCE)).await.unwrap();
    let mut copies = Vec::new();
    for place in [1, 2, 3, 4, 5, 6, 10] {
        copies.push(stream.get_raw_message(place).await.unwrap());
    }
    outsider.delete_stream(wire::stream_name(SOURCE)).await.unwrap();
    bus.broker.provision_stream(SOURCE).await.unwrap();
    for copy in copies {
        let headers = copied(&copy.headers);
        let sent = outsider.publish_with_headers(copy.subject, headers, copy.payload).await.unwrap();
        sent.await.unwrap();
    }
    bus.start_source();
    bus.until_held("19", 10).await;
}

#[tokio::test]
async fn duplicates_and_rubbish_in_the_stream_do_no_harm() {
    let bus = Bus::start(SQLITE).await;
    bus.source.write("19", "a", 20).await;
    bus.until_settled().await;
    let outsider = bus.outsider().await;
    let stream = outsider.get_stream(wire::stream_name(SOURCE)).await.unwrap();
    for place in [1, 7, 20] {
        let copy = stream.get_raw_message(place).await.unwrap();
        let mut headers = copied(&copy.headers);
        headers.insert(async_nats::header::NATS_MESSAGE_ID, format!("copy-{place}"));
        outsider.publish_with_headers(copy.subject, headers, copy.payload).await.unwrap().await.unwrap();
    }
    let rubbish =
        outsider.publish(wire::lane_subject(SOURCE, "19").replace('>', "x.y"), "rubbish".into()).await;
    rubbish.unwrap().await.unwrap();
    bus.source.write("19", "a", 5).await;
    bus.until_settled().await;
    bus.sink.assert_projected(&bus.source).await;
    assert_eq!(bus.source.pipeline().status().lanes()["19"].stopped, None);
}

/// TST-08.
#[tokio::test]
async fn rel_43_poison_is_parked_with_its_thing_and_redriven() {
    for engine in ENGINES {
        let bus = Bus::start(engine).await;
        bus.source.write("19", "poison", 1).await;
        bus.source.write("19", "healthy", 3).await;
        bus.source.write("19", "poison", 2).await;
        bus.source.write("19", "healthy", 3).await;
        bus.until_settled().await;
        assert_eq!(bus.sink.number("SELECT count(*) FROM applied").await, 6);
        let store = bus.sink.pipeline().store();
        let parked = store.parked_events(None, 50).await.unwrap();
        let seen: Vec<(u64, ParkedKind)> = parked.iter().map(|event| (event.seq, event.kind)).collect();
        assert_eq!(
            seen,
            [(1, ParkedKind::Poison), (5, ParkedKind::Blocked), (6, ParkedKind::Blocked)],
            "{parked:?}"
        );
        let place = (SINK.to_owned(), SOURCE.to_owned(), "19".to_owned(), 1);
        assert_eq!(store.parked_events(Some(&place), 1).await.unwrap()[0].seq, 5);

        // Still poison: nothing changes but the count of tries.
        let refused = store.redrive(SINK, "19", "poison").await.unwrap_err();
        assert_eq!(refused.code(), "messaging.still_failing");
        assert_eq!(store.parked_events(None, 50).await.unwrap()[0].attempts, 2);

        bus.antidote.store(true, Ordering::SeqCst);
        assert_eq!(store.redrive(SINK, "19", "poison").await.unwrap(), 3);
        assert_eq!(bus.sink.number("SELECT count(*) FROM applied").await, 9);
        assert_eq!(store.parked_events(None, 50).await.unwrap(), []);
        assert_eq!(store.redrive(SINK, "19", "poison").await.unwrap_err().kind(), FaultKind::NotFound);
        // And the thing is free again.
        bus.source.write("19", "poison", 1).await;
        bus.until_settled().await;
        assert_eq!(bus.sink.number("SELECT count(*) FROM applied").await, 10);
    }
}

#[tokio::test]
async fn rel_43_a_parked_event_is_dismissed_for_a_reason_and_those_behind_it_are_tried() {
    let bus = Bus::start(SQLITE).await;
    bus.source.write("19", "poison", 3).await;
    bus.until_settled().await;
    let store = bus.sink.pipeline().store();
    let refused = store.dismiss(SINK, "19", 1, "because").await.unwrap_err();
    assert_eq!(refused.kind(), FaultKind::Invalid);
    let refused = store.dismiss(SINK, "19", 2, "a reason long enough").await.unwrap_err();
    assert_eq!(refused.code(), "messaging.not_first");
    // Those behind still fail: the dismissal stands, and the next one is the first now.
    assert_eq!(store.dismiss(SINK, "19", 1, "a reason long enough").await.unwrap(), 0);
    assert_eq!(store.parked_events(None, 50).await.unwrap()[0].kind, ParkedKind::Poison);
    bus.antidote.store(true, Ordering::SeqCst);
    assert_eq!(store.dismiss(SINK, "19", 2, "a reason long enough").await.unwrap(), 1);
    assert_eq!(bus.sink.number("SELECT count(*) FROM applied").await, 1);
    let dismissed = "SELECT count(*) FROM parked_event WHERE state = 'dismissed' AND reason IS NOT NULL";
    assert_eq!(bus.sink.number(dismissed).await, 2);
}

#[tokio::test]
async fn rel_42_messages_acknowledged_by_somebody_else_are_read_from_the_log() {
    let mut bus = Bus::open(SQLITE).await;
    bus.start_source();
    bus.source.write("19", "a", 25).await;
    bus.source.until_published().await;
    bus.broker.ensure_consumer(&key()).await.unwrap();
    let stream = bus.outsider().await.get_stream(wire::stream_name(SOURCE)).await.unwrap();
    let thief: consumer::PullConsumer = stream.get_consumer(&wire::consumer_name(&key())).await.unwrap();
    let mut stolen = thief.fetch().max_messages(25).messages().await.unwrap();
    while let Some(message) = stolen.next().await {
        message.unwrap().double_ack().await.unwrap();
    }
    assert_eq!(thief.get_info().await.unwrap().num_pending, 0);
    bus.start_sink();
    bus.sink.until_taken(&bus.source).await;
    bus.sink.assert_projected(&bus.source).await;
}

#[tokio::test]
async fn rel_40_a_gap_in_one_lane_holds_up_no_other_while_the_log_cannot_be_read() {
    let mut bus = Bus::open(SQLITE).await;
    bus.start_source();
    bus.source.write("19", "a", 10).await;
    bus.source.until_published().await;
    let stream = bus.outsider().await.get_stream(wire::stream_name(SOURCE)).await.unwrap();
    bus.source.stop().await;
    stream.purge().sequence(6).await.unwrap();
    bus.feed.away.store(true, Ordering::SeqCst);
    bus.start_sink();
    // No relay repairs the stream now. Lane 19 begins with event 6; lane 21 comes through by the stream alone.
    bus.source.write("21", "b", 10).await;
    for event in messaging::log::events(&bus.source.database, "21", 1, 10).await.unwrap() {
        bus.broker.publish(&event, messaging::broker::Dedupe::ById).await.unwrap();
    }
    bus.sink
        .until("lane 21 is taken", |sink| {
            sink.status().projections().get(&(key(), "21".to_owned())).is_some_and(|lane| lane.seq == 10)
        })
        .await;
    let lane = bus.sink.pipeline().status().projections()[&(key(), "19".to_owned())].clone();
    assert_eq!((lane.seq, lane.target), (0, 10));
    bus.feed.away.store(false, Ordering::SeqCst);
    bus.sink.until_taken(&bus.source).await;
    bus.sink.assert_projected(&bus.source).await;
}

#[tokio::test]
async fn tst_03_pipelines_restarted_under_load_go_on_where_they_were() {
    let mut bus = Bus::start(SQLITE).await;
    for _ in 0..3 {
        for _ in 0..20 {
            bus.source.write("19", "a", 5).await;
        }
        bus.sink.stop().await;
        bus.start_sink();
        bus.source.stop().await;
        bus.start_source();
        bus.sink.stop().await;
        bus.start_sink();
    }
    bus.until_settled().await;
    bus.sink.assert_projected(&bus.source).await;
}

#[tokio::test]
async fn rel_02_a_consumer_that_is_not_as_wanted_is_refused_and_the_field_named() {
    let mut bus = Bus::open(SQLITE).await;
    bus.broker.provision_stream(SOURCE).await.unwrap();
    let stream = bus.outsider().await.get_stream(wire::stream_name(SOURCE)).await.unwrap();
    let wrong =
        consumer::pull::Config { ack_policy: consumer::AckPolicy::Explicit, ..provision::consumer(&key()) };
    stream.create_consumer(wrong).await.unwrap();
    let refused = bus.broker.ensure_consumer(&key()).await.unwrap_err();
    assert!(matches!(&refused, BrokerError::Refused(what) if what.contains("ack_policy")), "{refused}");
    bus.start_sink();
    bus.sink
        .until("the projection says so", |sink| {
            sink.status().troubles().values().any(|what| what.contains("ack_policy"))
        })
        .await;
}

#[tokio::test]
async fn rel_02_a_stream_that_is_not_as_wanted_is_named_and_provisioned() {
    let bus = Bus::open(SQLITE).await;
    assert_eq!(bus.broker.check_stream(SOURCE).await, Err(BrokerError::NoStream));
    let outsider = bus.outsider().await;
    let wrong = stream::Config {
        duplicate_window: std::time::Duration::from_secs(1),
        ..provision::stream(SOURCE, &provision::StreamSettings::default(), "2.15.1")
    };
    outsider.create_stream(wrong).await.unwrap();
    let refused = bus.broker.check_stream(SOURCE).await.unwrap_err();
    assert!(matches!(&refused, BrokerError::Refused(what) if what.contains("duplicate_window")), "{refused}");
    bus.broker.provision_stream(SOURCE).await.unwrap();
    bus.broker.check_stream(SOURCE).await.unwrap();
}

#[tokio::test]
async fn rel_04_a_service_that_may_not_make_streams_waits_for_one() {
    let mut bus = Bus::open(SQLITE).await;
    let settings = NatsSettings { makes_streams: false, ..NatsSettings::embedded(bus.server.url()) };
    bus.broker = Arc::new(NatsBroker::connect(settings).await.unwrap());
    bus.start_source();
    bus.source.write("19", "a", 5).await;
    bus.source
        .until("the relay says so", |source| {
            source.status().troubles().values().any(|what| what.contains("stream does not exist"))
        })
        .await;
    connected(&bus.server).await.provision_stream(SOURCE).await.unwrap();
    bus.source.until_published().await;
}

#[tokio::test]
async fn a_lane_tells_how_long_its_oldest_event_waits_and_only_while_one_does() {
    let mut bus = Bus::open(SQLITE).await;
    let settings = NatsSettings { makes_streams: false, ..NatsSettings::embedded(bus.server.url()) };
    bus.broker = Arc::new(NatsBroker::connect(settings).await.unwrap());
    // A lane that has an epoch and no event yet.
    let begun = "INSERT INTO event_head (lane, epoch, next_seq, head_hash, watermark_seq, published_seq) \
                 VALUES ('35', 2, 1, zeroblob(32), 0, 0)";
    bus.source.write_sql(begun).await;
    bus.source.write("19", "a", 5).await;
    bus.start_source();
    let of =
        |source: &messaging::Pipeline, lane| source.status().lanes().get(lane).cloned().unwrap_or_default();
    bus.source.until("it waits", |source| of(source, "19").oldest_us.is_some()).await;
    connected(&bus.server).await.provision_stream(SOURCE).await.unwrap();
    bus.source.until("it is published", |source| of(source, "19").published == 5).await;
    // Every lane is looked at because of another one.
    bus.source.write("21", "b", 1).await;
    bus.source.until("so is the other", |source| of(source, "21").published == 1).await;
    assert_eq!(of(bus.source.pipeline(), "19").oldest_us, None);
    let lanes: Vec<String> = bus.source.pipeline().status().lanes().into_keys().collect();
    assert_eq!(lanes, ["19", "21"], "nothing is known of a lane without events");
}

async fn connected(server: &Server) -> Arc<NatsBroker> {
    let broker = broker(&server.url()).await;
    eventually(PATIENCE, async || broker.ready().is_ok()).await;
    broker
}

#[tokio::test]
async fn rel_01_a_server_that_is_too_old_is_refused_by_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        let (read, mut write) = connection.into_split();
        let info = r#"{"server_id":"X","server_name":"x","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576,"jetstream":true,"host":"127.0.0.1","port":4222,"go":"go1.19","client_id":1}"#;
        write.write_all(format!("INFO {info}\r\n").as_bytes()).await.unwrap();
        let mut lines = BufReader::new(read).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.starts_with("PING") {
                write.write_all(b"PONG\r\n").await.unwrap();
            }
        }
    });
    let broker = broker(&url).await;
    eventually(PATIENCE, async || matches!(broker.ready(), Err(BrokerError::Refused(_)))).await;
    let refused = broker.ready().unwrap_err().to_string();
    assert!(refused.contains("2.9.10") && refused.contains("2.10"), "{refused}");
    assert!(matches!(broker.provision_stream(SOURCE).await, Err(BrokerError::Refused(_))));
    server.abort();
}
