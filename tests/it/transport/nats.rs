//! A nats-server with certificates and the accounts that `osallisuus nats-config` writes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::{Consumer, pull};
use async_nats::jetstream::{Context, context::ContextBuilder, stream};
use chassis::Config;
use futures::StreamExt as _;
use messaging::broker::{NatsSettings, NatsTls, wire};
use standalone::client::{ClientTls, Server};
use tempfile::TempDir;
use testkit::nats;
use tokio::time::timeout;

use super::{READER, SERVICES, certify, files};
use crate::support::process::program;
use crate::support::world;
use crate::system::charter;

/// Long enough for an answer that comes, short enough to wait for one that must not.
const ANSWER: Duration = Duration::from_millis(700);

/// A nats-server, and the settings of a process that uses it.
pub(super) struct Bus {
    server: nats::Server,
    pub(super) settings: PathBuf,
    pub(super) certificates: PathBuf,
    folder: TempDir,
}

impl Bus {
    /// Certificates, accounts as the command writes them, the server, and its streams as the command makes them.
    pub(super) async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("osallisuus-bus-").tempdir().expect("a folder");
        let certificates = folder.path().join("certificates");
        certify(&certificates);
        let settings = folder.path().join("settings.toml");
        let base = format!(
            "cell = \"test\"\ntenants = [\"19\"]\ndata_dir = {:?}\nlisten.grpc = \"127.0.0.1:0\"\n\
             demo = true\nlimits.rates = false\nnats.readers = [{READER:?}]\n",
            folder.path()
        );
        std::fs::write(&settings, &base).expect("settings");
        let written = osallisuus(&["nats-config"], folder.path(), &settings, &[]);
        assert!(written.0, "{}", written.1);
        let accounts = std::fs::read_to_string(folder.path().join("accounts.conf")).expect("accounts");
        let file = |name: &str| certificates.join(name).display().to_string();
        let server = nats::Server::start_configured(&format!(
            "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify_and_map: true, min_version: \"1.3\" }}\n\
             accounts {{\n{accounts}\n}}\n",
            file("nats.crt"),
            file("nats.key"),
            file("ca.crt"),
        ));
        let server = server.expect("a nats-server");
        let mut text = format!("{base}nats.url = {:?}\n", server.tls_url());
        for (name, value) in
            [files(&certificates, "osallisuus", "nats"), files(&certificates, "osallisuus", "tls")].concat()
        {
            text += &format!("{name} = {value}\n");
        }
        std::fs::write(&settings, text).expect("settings");
        Self { server, settings, certificates, folder }
    }

    pub(super) fn provision(&self, certificate: &str) -> (bool, String) {
        let file = |end: &str| self.certificates.join(format!("{certificate}.{end}")).display().to_string();
        let (crt, key) = (file("crt"), file("key"));
        let variables =
            [("OSALLISUUS_NATS__CERTIFICATE", crt.as_str()), ("OSALLISUUS_NATS__KEY", key.as_str())];
        osallisuus(&["provision"], Path::new(""), &self.settings, &variables)
    }

    /// A plain NATS client with the certificate and the place for answers of `name`.
    async fn client(&self, name: &str) -> Result<Client, String> {
        let file = |end: &str| self.certificates.join(format!("{name}.{end}"));
        let tls =
            NatsTls { ca: self.certificates.join("ca.crt"), certificate: file("crt"), key: file("key") };
        let inbox = wire::inbox(name);
        let settings =
            NatsSettings { tls: Some(tls), inbox, ..NatsSettings::embedded(self.server.tls_url()) };
        let options = settings.options().map_err(|error| error.to_string())?;
        let options = options.request_timeout(Some(ANSWER));
        options.connect(settings.servers()).await.map_err(|error| error.to_string())
    }

    async fn context(&self, name: &str) -> Context {
        let client = self.client(name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let prefix = if name == READER { "$JS.test.API" } else { "$JS.API" };
        ContextBuilder::new().api_prefix(prefix).timeout(ANSWER).ack_timeout(ANSWER).build(client)
    }

    /// How many messages a stream holds, and how many consumers it has.
    async fn state(&self, stream: &str) -> (u64, usize) {
        let context = self.context("provision").await;
        let info = context.get_stream(stream).await.expect("the stream").get_info().await.expect("its state");
        (info.state.messages, info.state.consumer_count)
    }
}

/// Runs the program to its end: whether it did what it was asked, and what it said.
fn osallisuus(
    arguments: &[&str],
    folder: &Path,
    settings: &Path,
    variables: &[(&str, &str)],
) -> (bool, String) {
    let mut command = Command::new(program("osallisuus"));
    command.args(arguments);
    if !folder.as_os_str().is_empty() {
        command.arg(folder);
    }
    let output = command.arg("--config").arg(settings).envs(variables.iter().copied()).output();
    let output = output.expect("the program runs");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.success(), said.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn rel_04_events_flow_with_certificates_and_permissions_and_another_system_reads_them() {
    let bus = Bus::start().await;
    let refused = bus.provision("osallisuus");
    assert!(!refused.0, "services made streams: {}", refused.1);
    let made = bus.provision("provision");
    assert!(made.0, "{}", made.1);

    let setup_code = world::set_up(&bus.settings).await;
    let config = Config::load(SERVICES, Some(&bus.settings), []).expect("settings in order");
    let running = chassis::start(SERVICES, config).await.expect("the services start");
    running.ready().await;
    let operator = ClientTls::of(&bus.certificates, "operator");
    let server = Server::secured(&running.url(), &operator).expect("an address");
    let administrator = server.redeem_setup_code(&setup_code, "Aino Aalto", "19").await.expect("a session");
    administrator.forums().found_forum(charter("Suojattu")).await.expect("founded");
    running.settle().await.expect("published by forums, projected by membership");

    let reader = bus.context(READER).await;
    let consumer: Consumer<pull::Config> =
        reader.get_consumer_from_stream(READER, "EVT_FORUMS").await.expect("its own consumer");
    let mut messages = consumer.fetch().max_messages(1).messages().await.expect("asked");
    let message = timeout(Duration::from_secs(10), messages.next()).await.expect("in time");
    let message = message.expect("a message").expect("no error");
    assert_eq!(message.subject.as_str(), "evt.v1.forums.19.forum.forum_founded");
    assert!(wire::envelope(message.headers.as_ref(), &message.payload).is_ok(), "headers and all");
    message.ack().await.expect("acknowledged");
    testkit::eventually(Duration::from_secs(10), async || {
        let info = consumer.get_info().await;
        info.is_ok_and(|info| info.ack_floor.consumer_sequence == 1)
    })
    .await;
    let mut live = bus.client(READER).await.expect("a reader").subscribe("evt.v1.>").await.expect("asked");
    administrator.forums().found_forum(charter("Toinen")).await.expect("founded");
    let event = timeout(Duration::from_secs(10), live.next()).await.expect("in time").expect("an event");
    assert_eq!(event.subject.as_str(), "evt.v1.forums.19.forum.forum_founded");
    running.stop().await;
    drop(bus.folder);
}

#[tokio::test(flavor = "multi_thread")]
async fn rel_04_who_is_nobody_of_the_cell_does_not_come_in() {
    let bus = Bus::start().await;
    assert!(bus.client("client").await.is_err(), "a certificate that is no user's");
    let plain = NatsSettings::embedded(bus.server.tls_url());
    let plain = plain.options().expect("options").add_root_certificates(bus.certificates.join("ca.crt"));
    assert!(plain.connect(bus.server.tls_url()).await.is_err(), "no certificate");
    certify(&bus.certificates.join("elsewhere"));
    let foreign = bus.certificates.join("elsewhere/forums.crt");
    let options = async_nats::ConnectOptions::new()
        .add_root_certificates(bus.certificates.join("ca.crt"))
        .add_client_certificate(foreign.clone(), foreign.with_extension("key"));
    assert!(options.connect(bus.server.tls_url()).await.is_err(), "of another authority");
    assert!(bus.client("forums").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn rel_04_a_service_does_nothing_that_is_another_s() {
    let bus = Bus::start().await;
    assert!(bus.provision("provision").0);
    let before = (bus.state("EVT_FORUMS").await, bus.state("EVT_MEMBERSHIP").await);
    let forums = bus.context("forums").await;
    assert!(publishes(&forums, "evt.v1.membership.19.participant.x").await.is_none(), "another's event");
    assert!(forums.delete_stream("EVT_FORUMS").await.is_err(), "a stream deleted");
    let new = stream::Config { name: "MINE".into(), subjects: vec!["mine".into()], ..Default::default() };
    assert!(forums.create_stream(new).await.is_err(), "a stream made");
    assert!(asks(&forums, "$JS.API.STREAM.PURGE.EVT_FORUMS").await.is_none(), "a stream emptied");
    assert!(asks(&forums, "$JS.API.STREAM.MSG.DELETE.EVT_FORUMS").await.is_none(), "an event deleted");
    assert!(asks(&forums, "$JS.API.STREAM.MSG.GET.EVT_MEMBERSHIP").await.is_none(), "another's stream read");
    for reserved in [READER, "membership_forums_forums"] {
        let config = pull::Config { durable_name: Some(reserved.to_owned()), ..Default::default() };
        let made = forums.create_consumer_on_stream(config, "EVT_MEMBERSHIP").await;
        assert!(made.is_err(), "{reserved}: another's consumer");
    }
    assert!(hears(&bus, "forums", &format!("{}.>", wire::inbox("membership"))).await.is_none(), "answers");
    assert!(hears(&bus, "forums", "evt.v1.>").await.is_none(), "events past its consumers");
    assert_eq!((bus.state("EVT_FORUMS").await, bus.state("EVT_MEMBERSHIP").await), before);
    // What is its own works.
    assert!(publishes(&forums, "evt.v1.forums.19.forum.x").await.is_some());
    assert_eq!(bus.state("EVT_FORUMS").await.0, before.0.0 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rel_04_another_system_reads_and_changes_nothing() {
    let bus = Bus::start().await;
    assert!(bus.provision("provision").0);
    let forums = bus.context("forums").await;
    assert!(publishes(&forums, "evt.v1.forums.19.forum.x").await.is_some());
    let before = bus.state("EVT_FORUMS").await;
    let reader = bus.context(READER).await;
    assert!(publishes(&reader, "evt.v1.forums.19.forum.y").await.is_none(), "an event");
    for request in [
        "$JS.test.API.STREAM.PURGE.EVT_FORUMS",
        "$JS.API.STREAM.PURGE.EVT_FORUMS",
        "$JS.test.API.STREAM.DELETE.EVT_FORUMS",
        "$JS.test.API.STREAM.INFO.EVT_FORUMS",
        "$JS.test.API.CONSUMER.DELETE.EVT_FORUMS.lapland",
        "$JS.test.API.CONSUMER.CREATE.EVT_FORUMS",
        "$JS.test.API.CONSUMER.INFO.EVT_FORUMS.membership_forums_forums",
    ] {
        assert!(asks(&reader, request).await.is_none(), "{request}");
    }
    assert!(hears(&bus, READER, &format!("{}.>", wire::inbox("forums"))).await.is_none(), "answers");
    // Answers go where the asker says; from its own account it cannot name a subject that a stream keeps.
    let client = bus.client(READER).await.expect("a reader");
    for request in ["MSG.NEXT", "INFO"].map(|what| format!("$JS.test.API.CONSUMER.{what}.EVT_FORUMS.lapland"))
    {
        let smuggled = "evt.v1.forums.19.forum.smuggled".to_owned();
        client.publish_with_reply(request, smuggled, "".into()).await.expect("sent");
    }
    client.flush().await.expect("flushed");
    let own = asks(&reader, "$JS.test.API.CONSUMER.INFO.EVT_FORUMS.lapland").await.expect("its own consumer");
    assert!(own.contains("\"name\":\"lapland\""), "{own}");
    assert_eq!(bus.state("EVT_FORUMS").await, before);
}

/// The place at which a stream stored a message; none without its acknowledgement.
async fn publishes(context: &Context, subject: &str) -> Option<u64> {
    let sent = context.publish(subject.to_owned(), "".into()).await.ok()?;
    sent.await.ok().map(|ack| ack.sequence)
}

/// The answer to a request; none if there is none.
async fn asks(context: &Context, subject: &str) -> Option<String> {
    let client = context.client();
    let request = client.request(subject.to_owned(), "{}".into());
    let answer = timeout(ANSWER, request).await.ok()?.ok()?;
    Some(String::from_utf8_lossy(&answer.payload).into_owned())
}

/// What `name` hears on a subject while membership is answered something and forums publishes something.
async fn hears(bus: &Bus, name: &str, subject: &str) -> Option<String> {
    let client = bus.client(name).await.expect("a client");
    let mut messages = client.subscribe(subject.to_owned()).await.expect("asked");
    client.flush().await.expect("flushed");
    for (other, stream) in [("membership", "EVT_MEMBERSHIP"), ("forums", "EVT_FORUMS")] {
        let context = bus.context(other).await;
        assert!(asks(&context, &format!("$JS.API.STREAM.INFO.{stream}")).await.is_some(), "{other}");
    }
    let message = timeout(ANSWER, messages.next()).await.ok()??;
    Some(message.subject.to_string())
}

#[test]
fn the_configuration_of_a_production_cluster_is_accepted_by_nats_server() {
    let folder = tempfile::tempdir().expect("a folder");
    certify(folder.path());
    for name in ["crt", "key"] {
        let from = folder.path().join(format!("nats.{name}"));
        std::fs::copy(from, folder.path().join(format!("node.{name}"))).expect("copied");
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/nats");
    let text = std::fs::read_to_string(shipped.join("production.conf")).expect("shipped");
    let text = text.replace("/etc/osallisuus/nats", &folder.path().display().to_string());
    std::fs::write(folder.path().join("production.conf"), text).expect("written");
    std::fs::copy(shipped.join("accounts.conf"), folder.path().join("accounts.conf")).expect("copied");
    let output = Command::new(nats::program().expect("a nats-server"))
        .arg("-t")
        .arg("--config")
        .arg(folder.path().join("production.conf"))
        .envs([("NATS_NAME", "nats-1"), ("NATS_STORE", "/tmp/nats")])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
