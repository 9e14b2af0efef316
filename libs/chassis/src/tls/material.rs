//! Certificate, key and authorities, read from files and found good.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::Timestamp;
use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::connector::ServiceVerifier;
use super::identity::identities;

/// The only application protocol: HTTP/2.
const H2: &[u8] = b"h2";

/// Where the files are, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates of the authorities that may have signed those of others.
    pub ca: PathBuf,
    /// The own certificate; clients may have none.
    pub own: Option<OwnFiles>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFiles {
    /// The certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key, readable for its owner only.
    pub key: PathBuf,
}

impl TlsFiles {
    /// All of them.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let own = self.own.iter().flat_map(|own| [own.certificate.as_path(), own.key.as_path()]);
        std::iter::once(self.ca.as_path()).chain(own)
    }
}

/// Which of the files is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The authorities.
    Ca,
    /// The own certificate.
    Certificate,
    /// Its key.
    Key,
}

impl Part {
    /// Its name, as in the settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Ca => "ca",
            Part::Certificate => "certificate",
            Part::Key => "key",
        }
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// Which one.
    pub part: Part,
    /// The rule it breaks.
    pub rule: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.part.as_str(), self.rule, self.remedy)
    }
}

impl std::error::Error for TlsFault {}

/// What the files hold.
#[derive(Clone)]
pub struct Material {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    own: Option<Own>,
}

#[derive(Clone)]
struct Own {
    pair: Arc<CertifiedKey>,
    identities: Vec<String>,
    from: Timestamp,
    until: Timestamp,
}

impl Material {
    /// Reads the files. Whether the certificate is valid today is not asked here: [`expired`](Self::expired).
    ///
    /// # Errors
    /// Everything that is wrong: a file that cannot be read or is not PEM, a key that others may read or that is not the
    /// certificate's.
    pub fn load(files: &TlsFiles) -> Result<Self, Vec<TlsFault>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = load_roots(&files.ca);
        let own = files.own.as_ref().map(|own| load_own(own, &provider)).transpose();
        match (roots, own) {
            (Ok(roots), Ok(own)) => Ok(Self { provider, roots: Arc::new(roots), own }),
            (roots, own) => Err(roots.err().into_iter().chain(own.err().unwrap_or_default()).collect()),
        }
    }

    /// The names of the own certificate, first the one it is mainly for; none without one.
    #[must_use]
    pub fn identities(&self) -> &[String] {
        self.own.as_ref().map_or(&[], |own| &own.identities)
    }

    /// From when to when the own certificate is valid; none without one.
    #[must_use]
    pub fn validity(&self) -> Option<(Timestamp, Timestamp)> {
        self.own.as_ref().map(|own| (own.from, own.until))
    }

    /// What is wrong with the own certificate at this time.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Option<TlsFault> {
        let (from, until) = self.validity()?;
        let rule = match () {
            () if now > until => format!("has expired on {until}"),
            () if now < from => format!("is not valid before {from}"),
            () => return None,
        };
        Some(TlsFault { part: Part::Certificate, rule, remedy: "renew it, and check the clock".to_owned() })
    }

    /// For the server: whether clients must show a certificate is the last word on it.
    pub(crate) fn server(&self, clients_required: bool) -> Result<ServerConfig, String> {
        let own = self.own.as_ref().ok_or("a server needs a certificate")?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.roots), Arc::clone(&self.provider));
        let verifier = if clients_required { verifier } else { verifier.allow_unauthenticated() };
        let verifier = verifier.build().map_err(|error| error.to_string())?;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| error.to_string())?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&own.pair))));
        config.alpn_protocols = vec![H2.to_vec()];
        // A session taken up again would show no certificate.
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    /// For a connection to somebody who has this identity in the certificate, or without one, the host's name.
    pub(crate) fn client(&self, identity: Option<&str>) -> Result<ClientConfig, String> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| error.to_string())?;
        let builder = match identity {
            None => {
                let verifier = WebPkiServerVerifier::builder_with_provider(
                    Arc::clone(&self.roots),
                    Arc::clone(&self.provider),
                );
                builder.with_webpki_verifier(verifier.build().map_err(|error| error.to_string())?)
            }
            Some(identity) => {
                let algorithms = self.provider.signature_verification_algorithms;
                let verifier = ServiceVerifier::new(identity, Arc::clone(&self.roots), algorithms);
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let mut config = match &self.own {
            Some(own) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&own.pair))))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![H2.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

fn load_roots(file: &Path) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(Part::Ca, file)? {
        roots.add(certificate).map_err(|error| not_pem(Part::Ca, file, &error))?;
    }
    Ok(roots)
}

fn load_own(files: &OwnFiles, provider: &CryptoProvider) -> Result<Own, Vec<TlsFault>> {
    let chain = certificates(Part::Certificate, &files.certificate);
    let key = key(&files.key);
    let (chain, key) = match (chain, key) {
        (Ok(chain), Ok(key)) => (chain, key),
        (chain, key) => return Err(chain.err().into_iter().chain(key.err()).collect()),
    };
    let first = chain.first().map(|first| first.to_vec()).unwrap_or_default();
    let parsed = X509Certificate::from_der(&first);
    let (_, parsed) = parsed.map_err(|error| vec![not_pem(Part::Certificate, &files.certificate, &error)])?;
    let validity = parsed.validity();
    let from = Timestamp::from_seconds(validity.not_before.timestamp());
    let until = Timestamp::from_seconds(validity.not_after.timestamp());
    let pair = CertifiedKey::from_der(chain, key, provider).map_err(|error| {
        vec![TlsFault {
            part: Part::Key,
            rule: format!("{} is not the key of the certificate ({error})", files.key.display()),
            remedy: "name the two files that belong together".to_owned(),
        }]
    })?;
    Ok(Own { pair: Arc::new(pair), identities: identities(&first), from, until })
}

/// The certificates of a file; at least one.
fn certificates(part: Part, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let text = std::fs::read(file).map_err(|error| unreadable(part, file, &error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(not_pem(part, file, &"no certificate in it")),
        Err(error) => Err(not_pem(part, file, &error)),
    }
}

/// The private key of a file that its owner alone may read (SEC-60).
fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsFault> {
    let metadata = file.metadata().map_err(|error| unreadable(Part::Key, file, &error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(TlsFault {
            part: Part::Key,
            rule: format!("{} can be read by others", file.display()),
            remedy: format!("chmod 600 {}", file.display()),
        });
    }
    let text = std::fs::read(file).map_err(|error| unreadable(Part::Key, file, &error))?;
    // What the error says about the content stays unsaid: it is a key.
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| not_pem(Part::Key, file, &"no private key in it"))
}

fn unreadable(part: Part, file: &Path, error: &std::io::Error) -> TlsFault {
    TlsFault {
        part,
        rule: format!("{} must be readable ({error})", file.display()),
        remedy: "name a file that this user may read".to_owned(),
    }
}

fn not_pem(part: Part, file: &Path, error: &dyn fmt::Display) -> TlsFault {
    let remedy = "for a trial, osallisuus dev-ca makes all files".to_owned();
    TlsFault { part, rule: format!("{} must be PEM ({error})", file.display()), remedy }
}
