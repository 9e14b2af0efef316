//! Services in processes of their own: each is known to the other, to NATS and to PostgreSQL by its own certificate, and
//! to nobody by anybody else's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use proto::membership::{RegisterServiceUnitRequest, ServiceUnitKind};
use proto::messaging::GetStatusRequest;
use rustls::version::TLS13;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use standalone::client::{Account, ClientTls, Server};
use standalone::dev_ca;
use testkit::postgres::{Cluster, Tls};

use super::nats::Bus;
use super::{certificates, greeted};
use crate::support::process::{Process, program};
use crate::support::world;
use crate::system::charter;

const SERVICES: [&str; 3] = ["membership", "forums", "proposals"];

/// What three services share: certificates, a nats-server with accounts, a PostgreSQL with TLS, and the settings.
struct Shared {
    // Dropped in this order: the folder of the bus, with its certificates, last.
    cluster: Cluster,
    ports: [u16; 3],
    bus: Bus,
}

impl Shared {
    async fn start() -> Self {
        let bus = Bus::start().await;
        let made = bus.provision("provision");
        assert!(made.0, "{}", made.1);
        let server = dev_ca::files(&bus.certificates, "postgres");
        let own = server.own.expect("files");
        let tls = Tls { certificate: &own.certificate, key: &own.key, ca: &server.ca };
        let cluster = Cluster::start_with_tls(tls).expect("a PostgreSQL");
        let administrator = sea_orm::Database::connect(cluster.url()).await.expect("the superuser");
        for service in SERVICES {
            for statement in
                [format!("CREATE ROLE {service} LOGIN"), format!("CREATE DATABASE {service} OWNER {service}")]
            {
                administrator.execute_unprepared(&statement).await.expect("done");
            }
        }
        administrator.close().await.expect("closed");
        let ports = SERVICES.map(|_| testkit::free_port().expect("a port"));
        let shared = Self { cluster, ports, bus };
        let mut text = std::fs::read_to_string(&shared.bus.settings).expect("settings");
        for (service, port) in SERVICES.iter().zip(ports) {
            text += &format!("services.{service}.address = \"https://127.0.0.1:{port}\"\n");
            text += &format!("services.{service}.database = {:?}\n", shared.database(service));
        }
        std::fs::write(&shared.bus.settings, text).expect("settings");
        shared
    }

    fn file(&self, name: String) -> PathBuf {
        self.bus.certificates.join(name)
    }

    /// The database of a service, as the service comes in.
    fn database(&self, service: &str) -> String {
        let host = self.cluster.url().rsplit('@').next().and_then(|rest| rest.split('/').next());
        let file = |name: String| self.file(name).display().to_string();
        format!(
            "postgres://{service}@{}/{service}?sslmode=verify-full&sslrootcert={}&sslcert={}&sslkey={}",
            host.expect("an address"),
            file("ca.crt".to_owned()),
            file(format!("{service}.crt")),
            file(format!("{service}.key")),
        )
    }

    /// What differs between the processes: where they listen, and who they are.
    fn own(&self, service: &str, shows: &str) -> Vec<(&'static str, String)> {
        let place = SERVICES.iter().position(|known| *known == service).expect("a service");
        let file = |end: &str| self.file(format!("{shows}.{end}")).display().to_string();
        vec![
            ("OSALLISUUS_LISTEN__GRPC", format!("127.0.0.1:{}", self.ports[place])),
            ("OSALLISUUS_TLS__CERTIFICATE", file("crt")),
            ("OSALLISUUS_TLS__KEY", file("key")),
            ("OSALLISUUS_NATS__CERTIFICATE", file("crt")),
            ("OSALLISUUS_NATS__KEY", file("key")),
        ]
    }

    fn serve(&self, service: &str) -> Process {
        let own = self.own(service, service);
        let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Process::run(&["serve", service], &self.bus.settings, &own)
    }
}

/// The first certificate of a file.
fn certificate(file: &Path) -> Vec<u8> {
    certificates(file)[0].to_vec()
}

/// Waits until a service has taken so many events of the other's county 19.
async fn has_taken(operator: &Account, service: &str, events: u64) {
    testkit::eventually(Duration::from_secs(30), async || {
        let request = GetStatusRequest { service: service.to_owned() };
        let status = operator.operator(service).get_status(request).await.expect("a status").into_inner();
        status.projections.iter().any(|lane| lane.lane == "19" && lane.seq >= events)
    })
    .await;
}

/// Users of PostgreSQL who are connected, with the name in their certificate; none for a connection without one.
async fn connected(database: &DatabaseConnection) -> Vec<(String, Option<String>)> {
    let question = "SELECT DISTINCT usename::text, client_dn FROM pg_stat_activity \
                    JOIN pg_stat_ssl USING (pid) WHERE usename <> 'postgres' ORDER BY 1, 2";
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, question)).await;
    let column = |row: &sea_orm::QueryResult| {
        (row.try_get_by_index(0).expect("a name"), row.try_get_by_index(1).expect("a name or none"))
    };
    rows.expect("rows").iter().map(column).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_01_services_in_processes_of_their_own_know_each_other_nats_and_postgresql_by_certificates() {
    let shared = Shared::start().await;
    let setup_code = world::set_up(&shared.bus.settings).await;
    let [membership, forums, proposals] = SERVICES.map(|service| shared.serve(service));

    let operator = ClientTls::of(&shared.bus.certificates, "operator");
    let server = Server::secured(&membership.address, &operator)
        .and_then(|server| server.with_service("forums", &forums.address))
        .and_then(|server| server.with_service("proposals", &proposals.address))
        .expect("addresses");
    let administrator = server.redeem_setup_code(&setup_code, "Aino Aalto", "19").await.expect("a session");
    // A token of membership's, keys fetched by forums over TLS, an event by NATS into membership's tables, and back.
    administrator.forums().found_forum(charter("Erillinen")).await.expect("founded");
    has_taken(&administrator, "membership", 1).await;
    let unit = RegisterServiceUnitRequest {
        tenant: "19".into(),
        name: "Yksikkö".into(),
        kind: ServiceUnitKind::DayActivity.into(),
        municipality: "139".into(),
    };
    administrator.tenancy().register_service_unit(unit).await.expect("registered");
    has_taken(&administrator, "forums", 1).await;
    has_taken(&administrator, "proposals", 1).await;

    let client = dev_ca::files(&shared.bus.certificates, "client");
    for (service, port) in SERVICES.iter().zip(shared.ports) {
        let shown = greeted(([127, 0, 0, 1], port).into(), &client, &[&TLS13]).await.expect("a client");
        assert_eq!(shown, certificate(&shared.file(format!("{service}.crt"))), "{service} shows its own");
    }
    let superuser = sea_orm::Database::connect(shared.cluster.url()).await.expect("the superuser");
    let own = |service: &str| (service.to_owned(), Some(format!("/CN={service}")));
    assert_eq!(connected(&superuser).await, [own("forums"), own("membership"), own("proposals")]);
    superuser.close().await.expect("closed");
    for process in [proposals, forums, membership] {
        assert_eq!(process.end().code(), Some(0));
    }

    // With the other's certificate it does not come as far as a start.
    let mut pretender = Command::new(program("osallisuus"));
    pretender.args(["serve", "forums", "--config"]).arg(&shared.bus.settings);
    let ended = pretender.envs(shared.own("forums", "membership")).output().expect("it runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(said.contains("spiffe://test/forums"), "{said}");
}
