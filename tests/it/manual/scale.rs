//! Scale: many counties in one deployment, a deployment for each, services by themselves in several copies.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use messaging::broker::{NatsSettings, NatsTls, wire};
use proto::forums::{FoundForumRequest, ListForumsRequest};
use standalone::client::{Account, ClientTls, SavedSession, Server};
use testkit::nats;
use testkit::postgres::Cluster;
use tonic::Code;

use super::{Ended, Going, Machine};
use crate::support::dump::{self, Row};
use crate::support::stream::{self, Message};
use crate::system::charter;

/// A forum of a county.
fn forum(county: &str, name: &str) -> FoundForumRequest {
    FoundForumRequest { tenant: county.to_owned(), ..charter(name) }
}

/// Whoever has signed in last.
fn signed_in(machine: &Machine, server: &Server) -> Account {
    let file = machine.path(".local/state/osallisuus/session.toml");
    server.resume(SavedSession::load(&file).expect("a file").expect("a session").session)
}

/// Names of a county's forums.
async fn forums(server: &Server, county: &str) -> Vec<String> {
    let request = ListForumsRequest { tenant: county.to_owned(), ..Default::default() };
    let page = server.public().forums().list_forums(request).await.expect("forums").into_inner();
    page.forums.into_iter().map(|forum| forum.name).collect()
}

/// Counties whose events are among these.
fn counties(messages: &[Message]) -> BTreeSet<String> {
    let county = |message: &Message| message.subject.split('.').nth(3).expect("a lane").to_owned();
    messages.iter().map(county).collect()
}

/// Waits until so many events of forums are in the streams.
async fn has_published(events: usize, look: impl AsyncFn() -> Vec<Message>) -> Vec<Message> {
    let count = |messages: &[Message]| messages.iter().filter(|one| one.subject.contains(".forums.")).count();
    testkit::eventually(Duration::from_secs(30), async || count(&look().await) >= events).await;
    look().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_county_joins_a_deployment_and_gets_an_administrator_of_its_own() {
    let mut machine = Machine::follows("### One deployment for many counties");
    machine.set("OSALLISUUS_LISTEN__GRPC", "127.0.0.1:0");
    let made = machine.run("osallisuus init --data /srv/osallisuus --tenants 19,21").json();
    let going = machine.start("osallisuus up --data /srv/osallisuus");
    machine.set("OSALLISUUS_SERVER", &going.address);
    let code = made["setup_code"].as_str().expect("a code");
    let line = "osallisuus sign-in --setup-code --name \"Aino Aalto\" --tenant 19";
    machine.run_with(line, &format!("{code}\n")).with(0);
    let server = Server::at(&going.address).expect("an address");
    let aino = signed_in(&machine, &server);
    for county in ["19", "21"] {
        aino.forums().found_forum(forum(county, "Vanha")).await.expect("founded");
    }
    assert!(aino.forums().found_forum(forum("05", "Vieras")).await.is_err(), "not served yet");
    assert_eq!(going.end().code(), Some(0));

    let line = r#"sed -i 's/^tenants = .*/tenants = ["19", "21", "05"]/' /srv/osallisuus/osallisuus.toml"#;
    machine.run(line).with(0);
    let made = machine.run("osallisuus init --data /srv/osallisuus --new-code").json();
    assert_eq!(made["tenants"], serde_json::json!(["05"]));
    let going = machine.start("osallisuus up --data /srv/osallisuus");
    machine.set("OSALLISUUS_SERVER", &going.address);
    let code = made["setup_code"].as_str().expect("a code");
    let line = "osallisuus sign-in --setup-code --name \"Eetu Elo\" --tenant 05";
    machine.run_with(line, &format!("{code}\n")).with(0);
    let server = Server::at(&going.address).expect("an address");
    let (aino, eetu) =
        (server.resume(aino.session().expect("a session").to_owned()), signed_in(&machine, &server));
    eetu.forums().found_forum(forum("05", "Uusi")).await.expect("founded");
    for (who, county) in [(&eetu, "19"), (&aino, "05")] {
        let refused = who.forums().found_forum(forum(county, "Vieras")).await.expect_err("another's county");
        assert_eq!(refused.code(), Code::PermissionDenied, "{county}");
    }
    // Eetu is no operator.
    Ended::of(machine.shell("osallisuus status"), "").with(5);
    let url = going.nats.clone().expect("a nats-server of its own");
    let messages = has_published(3, async || stream::all(&url).await).await;
    assert!(counties(&messages).is_superset(&["05", "19", "21"].map(str::to_owned).into()));
    assert_eq!(going.end().code(), Some(0));
    // Once there is an administrator there is no further code.
    Ended::of(machine.shell("osallisuus init --data /srv/osallisuus --new-code"), "").with(5);
    machine.done();
}

/// The two cells of the manual: name, county, port there.
const CELLS: [(&str, &str, &str); 2] = [("pohde", "19", "7419"), ("lapha", "21", "7421")];

/// Makes the cells as the manual says, with free ports; gives their setup codes.
fn make_cells(machine: &mut Machine, run: impl Fn(&mut Machine, &str) -> Ended) -> Vec<String> {
    for (_, _, port) in CELLS {
        let free = testkit::free_port().expect("a port");
        machine.here.push((format!(":{port}"), format!(":{free}")));
    }
    run(machine, "mkdir -p /srv/pohde /srv/lapha").with(0);
    let mut codes = Vec::new();
    for (cell, county, port) in CELLS {
        let settings = format!(
            "printf 'cell = \"{cell}\"\\ntenants = [\"{county}\"]\\nlisten.grpc = \"127.0.0.1:{port}\"\\n' > /srv/{cell}/osallisuus.toml"
        );
        run(machine, &settings).with(0);
        let made = run(machine, &format!("osallisuus init --data /srv/{cell} --tenants {county}")).json();
        codes.push(made["setup_code"].as_str().expect("a code").to_owned());
    }
    codes
}

/// Neither cell knows the other's forum, county or session.
async fn see_nothing_of_each_other(servers: &[Server; 2], codes: &[String]) {
    let mut accounts = Vec::new();
    for ((server, code), (cell, county, _)) in servers.iter().zip(codes).zip(CELLS) {
        let account = server.redeem_setup_code(code, "Aino Aalto", county).await.expect("an administrator");
        account.forums().found_forum(forum(county, cell)).await.expect("founded");
        accounts.push(account);
    }
    for (place, (cell, county, _)) in CELLS.iter().enumerate() {
        assert_eq!(forums(&servers[place], county).await, [*cell]);
        let stranger = servers[1 - place].resume(accounts[place].session().expect("a session").to_owned());
        let (_, elsewhere, _) = CELLS[1 - place];
        let refused =
            stranger.forums().found_forum(forum(elsewhere, "Vieras")).await.expect_err("a stranger");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
}

/// Counties in the event logs of a cell's databases.
async fn logged(folder: &Path) -> BTreeSet<String> {
    let mut lanes = BTreeSet::new();
    for service in ["membership", "forums", "proposals"] {
        let url = format!("sqlite://{}", folder.join(format!("{service}.sqlite")).display());
        let tables = dump::all(service, &url).await;
        let log = tables.iter().find(|table| table.name.ends_with(".event_log")).expect("a log");
        lanes.extend(log.rows.iter().map(|row| row["lane"].clone().expect("a lane")));
    }
    lanes
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cells_on_one_machine_see_nothing_of_each_other() {
    let mut machine = Machine::follows("### A cell for each county or region");
    let codes = make_cells(&mut machine, Machine::run);
    let going = CELLS.map(|(cell, ..)| machine.start(&format!("osallisuus up --data /srv/{cell}")));
    let servers = going.each_ref().map(|one| Server::at(&one.address).expect("an address"));
    see_nothing_of_each_other(&servers, &codes).await;
    for (one, (cell, county, _)) in going.iter().zip(CELLS) {
        let url = one.nats.clone().expect("a nats-server of its own");
        let messages = has_published(1, async || stream::all(&url).await).await;
        assert_eq!(counties(&messages), BTreeSet::from([county.to_owned()]));
        assert_eq!(logged(&machine.path("srv").join(cell)).await, BTreeSet::from([county.to_owned()]));
    }
    // One ends, the other goes on.
    let [pohde, lapha] = going;
    assert_eq!(pohde.end().code(), Some(0));
    assert_eq!(forums(&servers[1], "21").await, ["lapha"]);
    assert_eq!(lapha.end().code(), Some(0));
}

/// A client of NATS with a certificate of a cell.
async fn connect(url: &str, certificates: &Path, name: &str) -> async_nats::Client {
    let file = |name: String| certificates.join(name);
    let tls = NatsTls {
        ca: file("ca.crt".to_owned()),
        certificate: file(format!("{name}.crt")),
        key: file(format!("{name}.key")),
    };
    let settings =
        NatsSettings { tls: Some(tls), inbox: wire::inbox(name), ..NatsSettings::embedded(url.to_owned()) };
    settings.options().expect("options").connect(url).await.expect("NATS answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cells_on_one_nats_cluster_hear_nothing_of_each_other() {
    let mut machine = Machine::follows("### A cell for each county or region");
    let codes = make_cells(&mut machine, |machine, line| Ended::of(machine.shell(line), ""));
    let (mut accounts, mut authorities) = (String::new(), String::new());
    for (cell, ..) in CELLS {
        machine.run(&format!("osallisuus dev-ca /srv/{cell}/certificates --cell {cell}")).with(0);
        machine.run(&format!("osallisuus nats-config /srv/nats/{cell} --data /srv/{cell}")).with(0);
        let read = |path: String| std::fs::read_to_string(machine.path(&path)).expect("written");
        accounts += &read(format!("srv/nats/{cell}/accounts.conf"));
        authorities += &read(format!("srv/{cell}/certificates/ca.crt"));
    }
    // The server's own certificate is of one authority, which the other cell trusts for it.
    let bundle = machine.path("srv/nats/ca.crt");
    std::fs::write(&bundle, &authorities).expect("written");
    let server = nats::Server::start_configured(&format!(
        "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {bundle:?}, verify_and_map: true, min_version: \"1.3\" }}\n\
         accounts {{\n{accounts}\n}}\n",
        machine.path("srv/pohde/certificates/nats.crt"),
        machine.path("srv/pohde/certificates/nats.key"),
    ));
    let bus = server.expect("a nats-server");
    for (cell, ..) in CELLS {
        let folder = machine.path("srv").join(cell);
        std::fs::write(folder.join("certificates/ca.crt"), &authorities).expect("written");
        let file = |name: &str| folder.join("certificates").join(name);
        let mut text = std::fs::read_to_string(folder.join("osallisuus.toml")).expect("settings");
        text += &format!("nats.url = {:?}\n", bus.tls_url());
        for section in ["tls", "nats"] {
            text += &format!(
                "{section}.ca = {:?}\n{section}.certificate = {:?}\n{section}.key = {:?}\n",
                file("ca.crt"),
                file("osallisuus.crt"),
                file("osallisuus.key")
            );
        }
        std::fs::write(folder.join("osallisuus.toml"), text).expect("settings");
        let own = |end: &str| file(&format!("provision.{end}")).display().to_string();
        machine.set("OSALLISUUS_NATS__CERTIFICATE", own("crt"));
        machine.set("OSALLISUUS_NATS__KEY", own("key"));
        machine.run(&format!("osallisuus provision --data /srv/{cell}")).with(0);
    }
    machine.environment.retain(|(name, _)| !name.starts_with("OSALLISUUS_NATS__"));
    let going = CELLS.map(|(cell, ..)| machine.start(&format!("osallisuus up --data /srv/{cell}")));
    let certificates = CELLS.map(|(cell, ..)| machine.path("srv").join(cell).join("certificates"));
    let servers = [0, 1].map(|place| {
        let operator = ClientTls::of(&certificates[place], "operator");
        Server::secured(&going[place].address, &operator).expect("an address")
    });
    see_nothing_of_each_other(&servers, &codes).await;
    for (folder, (_, county, _)) in certificates.iter().zip(CELLS) {
        let client = connect(&bus.tls_url(), folder, "provision").await;
        let messages = has_published(1, async || stream::seen_by(client.clone()).await).await;
        assert_eq!(
            counties(&messages),
            BTreeSet::from([county.to_owned()]),
            "the streams of its own account"
        );
    }
    for one in going {
        assert_eq!(one.end().code(), Some(0));
    }
    // Together with the other test, nothing of the section is left.
    let other = ["mkdir", "printf", "osallisuus init"];
    machine.left.retain(|line| !other.iter().any(|start| line.starts_with(start)));
    machine.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn services_in_copies_share_postgresql_and_a_nats_cluster() {
    let mut machine = Machine::follows("### Each service by itself, in several copies");
    let trio = nats::Trio::start().expect("three nats-servers");
    let ports = [0; 5].map(|_| testkit::free_port().expect("a port"));
    let mut text = format!(
        "cell = \"test\"\ntenants = [\"19\", \"21\"]\ndata_dir = {:?}\nnats.url = {:?}\nnats.replicas = 3\n",
        machine.path("var"),
        trio.url(),
    );
    let mut databases = Vec::new();
    for (service, port) in [("membership", ports[0]), ("forums", ports[2]), ("proposals", ports[4])] {
        let database = Cluster::shared().create_database().await.expect("a database");
        text += &format!("services.{service}.database = {database:?}\n");
        text += &format!("services.{service}.address = \"http://127.0.0.1:{port}\"\n");
        databases.push((service, database));
    }
    std::fs::write(machine.path("etc/osallisuus/osallisuus.toml"), text).expect("settings");
    let provision = "osallisuus provision --config /etc/osallisuus/osallisuus.toml";
    // Three that have just started elect who leads them.
    testkit::eventually(Duration::from_secs(30), async || {
        Ended::of(machine.shell(provision), "").code == Some(0)
    })
    .await;
    let made = machine.run(provision).json();
    assert_eq!(made[0]["replicas"], 3, "{made}");
    let made = machine.run("osallisuus init --config /etc/osallisuus/osallisuus.toml --tenants 19,21").json();
    let code = made["setup_code"].as_str().expect("a code").to_owned();
    let serve = |machine: &mut Machine, service: &str, port: u16| {
        machine.set("OSALLISUUS_LISTEN__GRPC", format!("127.0.0.1:{port}"));
        machine.start(&format!("osallisuus serve {service} --config /etc/osallisuus/osallisuus.toml"))
    };
    let membership = [0, 1].map(|copy| serve(&mut machine, "membership", ports[copy]));
    let [first, second] = [2, 3].map(|copy| serve(&mut machine, "forums", ports[copy]));
    let proposals = serve(&mut machine, "proposals", ports[4]);

    let reached = |forums: &Going, membership: &Going| {
        let server = Server::at(&membership.address).expect("an address");
        server.with_service("forums", &forums.address).expect("an address")
    };
    let server = reached(&first, &membership[0]);
    let aino = server.redeem_setup_code(&code, "Aino Aalto", "19").await.expect("an administrator");
    aino.forums().found_forum(forum("19", "Ensimmäinen")).await.expect("founded");
    // What one copy wrote every copy answers, with a session that another copy of membership gave.
    let other = reached(&second, &membership[1]);
    let again = other.resume(aino.session().expect("a session").to_owned());
    again.forums().found_forum(forum("19", "Toinen")).await.expect("founded");
    assert_eq!(forums(&server, "19").await, ["Ensimmäinen", "Toinen"]);
    // One copy ends; the others publish and project what comes after.
    assert_eq!(first.end().code(), Some(0));
    let [one, another] = membership;
    assert_eq!(another.end().code(), Some(0));
    let again = reached(&second, &one).resume(aino.session().expect("a session").to_owned());
    again.forums().found_forum(forum("21", "Kolmas")).await.expect("founded");
    let urls = trio.url();
    let url = urls.split(',').next().expect("an address");
    let messages = has_published(3, async || stream::all(url).await).await;
    let lanes = stream::lanes(&messages);
    let founded = |lane: &str| lanes[lane].iter().filter(|event| event.kind() == "ForumFounded").count();
    assert_eq!((founded("forums.19"), founded("forums.21")), (2, 1), "each once, in order");
    for (service, url) in databases.iter().filter(|(service, _)| *service != "forums") {
        testkit::eventually(Duration::from_secs(30), async || {
            let tables = dump::all(service, url).await;
            let cursors =
                tables.iter().find(|table| table.name.ends_with(".projection_cursor")).expect("cursors");
            let of_forums = |row: &&Row| row["source"].as_deref() == Some("forums");
            cursors.rows.iter().filter(of_forums).any(|row| row["lane"].as_deref() == Some("21"))
        })
        .await;
    }
    for process in [proposals, second, one] {
        assert_eq!(process.end().code(), Some(0));
    }
    machine.done();
}
