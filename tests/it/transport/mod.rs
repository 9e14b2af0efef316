//! Transport security (SEC-01): with real certificates, servers and programs, who is let in and who is not.

mod grpc;
mod nats;
mod postgres;
mod processes;
mod renewal;
mod settings;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chassis::tls::{OwnFiles, TlsFiles};
use chassis::{Config, Running};
use kernel::{Clock as _, SystemClock, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use standalone::client::{ClientTls, Server};
use standalone::dev_ca::{self, Wanted};
use tempfile::TempDir;
use testkit::system::Store;
use time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::world::{self, SERVICES};

/// Name of the deployment.
const CELL: &str = "test";
/// Another system, which reads events.
const READER: &str = "lapland";
/// The beginning of an HTTP/2 connection, and empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Certificates of a cell in a folder, valid for a day from `now` on; new ones, if there are some.
pub(crate) fn certify_at(folder: &Path, now: Timestamp) {
    let clients = vec![READER.to_owned()];
    let wanted = Wanted { cell: CELL.to_owned(), hosts: Vec::new(), clients, now, life: Duration::days(1) };
    dev_ca::make(folder, &wanted).expect("certificates");
}

/// The same from now on.
pub(crate) fn certify(folder: &Path) {
    certify_at(folder, SystemClock.now());
}

/// Settings that name the files of `name` in a section.
pub(crate) fn files(folder: &Path, name: &str, section: &str) -> Vec<(String, String)> {
    let file = |name: String| format!("{:?}", folder.join(name));
    vec![
        (format!("{section}.ca"), file("ca.crt".to_owned())),
        (format!("{section}.certificate"), file(format!("{name}.crt"))),
        (format!("{section}.key"), file(format!("{name}.key"))),
    ]
}

/// All services in one process with the certificate of `osallisuus`, looking at its files each second.
struct Cell {
    // Dropped in this order: services before what they depend on, the folder last.
    running: Running,
    setup_code: String,
    certificates: PathBuf,
    _nats: testkit::nats::Server,
    _folder: TempDir,
}

impl Cell {
    async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("osallisuus-tls-").tempdir().expect("a folder");
        let certificates = folder.path().join("certificates");
        certify(&certificates);
        let nats = testkit::nats::Server::start().expect("a nats-server");
        let databases = world::new_databases(Store::Sqlite, folder.path()).await;
        let mut more = files(&certificates, "osallisuus", "tls");
        more.push(("tls.reload_seconds".to_owned(), "1".to_owned()));
        let more: Vec<(&str, &str)> =
            more.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let settings = world::settings(folder.path(), &nats.url(), &["19"], &databases, &more);
        let setup_code = world::set_up(&settings).await;
        let config = Config::load(SERVICES, Some(&settings), []).expect("settings in order");
        let running = chassis::start(SERVICES, config).await.expect("the services start");
        // Keys of tokens come from membership over TLS, in this process as in any.
        running.ready().await;
        Self { running, setup_code, certificates, _nats: nats, _folder: folder }
    }

    /// A client with the certificate of `name`.
    fn server(&self, name: &str) -> Server {
        self.server_with(&ClientTls::of(&self.certificates, name))
    }

    fn server_with(&self, tls: &ClientTls) -> Server {
        Server::secured(&self.running.url(), tls).expect("an address and certificates")
    }
}

/// Whether the server answers what everybody may ask.
async fn answers(server: &Server) -> bool {
    let request = proto::forums::ListForumsRequest { tenant: "19".to_owned(), ..Default::default() };
    server.public().forums().list_forums(request).await.is_ok()
}

/// A client that is none of ours: shakes hands, begins HTTP/2 and waits for the server's settings. Gives the server's
/// certificate.
async fn greeted(
    address: SocketAddr,
    files: &TlsFiles,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(&files.ca));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(versions).expect("versions").with_root_certificates(roots);
    let mut config = match &files.own {
        None => builder.with_no_client_auth(),
        Some(OwnFiles { certificate, key }) => {
            let key = PrivateKeyDer::from_pem_file(key).expect("a key");
            builder.with_client_auth_cert(certificates(certificate), key).expect("a pair")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    stream.write_all(PREFACE).await?;
    stream.read_exact(&mut [0; 9]).await?;
    let shown = stream.get_ref().1.peer_certificates().expect("the server's certificate");
    Ok(shown[0].to_vec())
}

fn certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(file).expect("a file").map(|one| one.expect("PEM")).collect()
}
