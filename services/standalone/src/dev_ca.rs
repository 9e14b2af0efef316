//! A certificate authority for development and trials, with a certificate for everybody of a cell (SEC-01).
//!
//! Each certificate names its holder as `spiffe://<cell>/<name>`, that of `osallisuus` every service too, because all of
//! them may run in one process. Lives are short; running it again renews the certificates and keeps the authority.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chassis::tls::{Material, OwnFiles, TlsFiles, identity_of};
use kernel::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde::Serialize;
use time::Duration;

use crate::exit::{Exit, Failure};
use crate::services;

/// How long the authority is valid.
const CA_LIFE: Duration = Duration::days(365);
/// Clocks of other machines may be behind by this much.
const SKEW: Duration = Duration::minutes(5);
/// Names under which every machine knows itself.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Servers and people that have a certificate beside the services.
const OTHERS: [&str; 5] = ["nats", "postgres", "provision", "operator", "client"];

/// What certificates are for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Name of the deployment.
    pub cell: String,
    /// Names and addresses of its machines, beside the one at hand.
    pub hosts: Vec<String>,
    /// Further holders: other systems, readers of events.
    pub clients: Vec<String>,
    /// Now.
    pub now: Timestamp,
    /// How long the certificates are valid.
    pub life: Duration,
}

/// What is in the folder now.
#[derive(Debug, Serialize)]
pub struct Made {
    /// The folder.
    pub folder: PathBuf,
    /// Whether the authority is new.
    pub new_authority: bool,
    /// The holders of certificates: `<name>.crt` and `<name>.key`.
    pub names: Vec<String>,
    /// Until when these are valid.
    pub valid_until: String,
}

/// The files of one holder in a folder.
#[must_use]
pub fn files(folder: &Path, name: &str) -> TlsFiles {
    let own =
        OwnFiles { certificate: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) };
    TlsFiles { ca: folder.join("ca.crt"), own: Some(own) }
}

/// Makes the authority if there is none, and a new certificate for everybody. Files are for their owner only.
///
/// # Errors
/// Refused, if the authority in the folder is another cell's or has expired, or certificates lie there without one;
/// Usage, if a name cannot be in a certificate.
pub fn make(folder: &Path, wanted: &Wanted) -> Result<Made, Failure> {
    let written = |error: std::io::Error| Failure::from(error).during(folder.display());
    fs::create_dir_all(folder).map_err(written)?;
    let ca = files(folder, "ca");
    let is_there = ca.ca.exists();
    let issuer = if is_there { kept(folder, &ca, wanted)? } else { new(folder, &ca, wanted)? };
    let services: Vec<&str> = services::names().collect();
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    let together = ["osallisuus"].iter().chain(&services).map(|name| (*name).to_owned()).collect();
    all.push(("osallisuus".to_owned(), together));
    let single = services.iter().chain(&OTHERS).map(|name| (*name).to_owned()).chain(wanted.clients.clone());
    all.extend(single.map(|name| (name.clone(), vec![name])));
    for (name, identities) in &all {
        let files = files(folder, name);
        let Some(own) = files.own else { continue };
        let pair = KeyPair::generate().map_err(failed)?;
        let certificate = params(wanted, name, identities)?.signed_by(&pair, &issuer).map_err(failed)?;
        write(&own.key, &pair.serialize_pem()).map_err(written)?;
        write(&own.certificate, &certificate.pem()).map_err(written)?;
    }
    Ok(Made {
        folder: folder.to_owned(),
        new_authority: !is_there,
        names: all.into_iter().map(|(name, _)| name).collect(),
        valid_until: (wanted.now + wanted.life).to_string(),
    })
}

/// A new authority, in a folder without certificates.
fn new(folder: &Path, files: &TlsFiles, wanted: &Wanted) -> Result<Issuer<'static, KeyPair>, Failure> {
    let certificates = fs::read_dir(folder).map_err(|error| Failure::from(error).during(folder.display()))?;
    let is_ours = |path: &Path| path.extension().is_some_and(|end| end == "crt" || end == "key");
    if let Some(found) = certificates.flatten().find(|entry| is_ours(&entry.path())) {
        let message = format!("{} is there, and no authority", found.path().display());
        return Err(Failure::new(Exit::Refused, message).remedy("Name an empty folder."));
    }
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, format!("Osallisuus development CA, {}", wanted.cell));
    params.subject_alt_names = vec![uri(&domain(&wanted.cell))?];
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (wanted.now - SKEW).to_offset();
    params.not_after = (wanted.now + CA_LIFE).to_offset();
    let pair = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&pair).map_err(failed)?;
    if let Some(own) = &files.own {
        let written = |error: std::io::Error| Failure::from(error).during(folder.display());
        write(&own.key, &pair.serialize_pem()).map_err(written)?;
        write(&own.certificate, &certificate.pem()).map_err(written)?;
    }
    Ok(Issuer::new(params, pair))
}

/// The authority that is there, if it is this cell's and valid.
fn kept(folder: &Path, files: &TlsFiles, wanted: &Wanted) -> Result<Issuer<'static, KeyPair>, Failure> {
    let refused = |why: String| {
        Failure::new(Exit::Refused, format!("{}: {why}", folder.display()))
            .remedy("An authority is never overwritten. Name another folder, and give out its certificates.")
    };
    let material = Material::load(files).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        refused(faults.join("; "))
    })?;
    if let Some(fault) = material.expired(wanted.now) {
        return Err(refused(fault.to_string()));
    }
    let domain = domain(&wanted.cell);
    if material.identities() != [domain.as_str()] {
        return Err(refused(format!("the authority there is not that of the cell {}", wanted.cell)));
    }
    let Some(own) = &files.own else { return Err(refused("no authority".to_owned())) };
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| refused(error.to_string()));
    let pair = KeyPair::from_pem(&read(&own.key)?).map_err(failed)?;
    Issuer::from_ca_cert_pem(&read(&own.certificate)?, pair).map_err(failed)
}

fn params(wanted: &Wanted, name: &str, identities: &[String]) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    for identity in identities {
        params.subject_alt_names.push(uri(&identity_of(&wanted.cell, identity))?);
    }
    for host in THIS_MACHINE.iter().copied().chain(wanted.hosts.iter().map(String::as_str)) {
        params.subject_alt_names.push(match host.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(host.try_into().map_err(|_| unusable(host))?),
        });
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = (wanted.now - SKEW).to_offset();
    params.not_after = (wanted.now + wanted.life).to_offset();
    Ok(params)
}

/// What identities of the cell begin with.
fn domain(cell: &str) -> String {
    format!("spiffe://{cell}")
}

fn uri(text: &str) -> Result<SanType, Failure> {
    Ok(SanType::URI(text.try_into().map_err(|_| unusable(text))?))
}

fn unusable(name: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{name:?} cannot be in a certificate"))
        .remedy("Write it in ASCII, as in nats-1.example.fi.")
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn failed(error: rcgen::Error) -> Failure {
    Failure::general(format!("a certificate cannot be made: {error}"))
}

/// Written beside and moved over it: whoever reads meanwhile has the old file or the new one, whole.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    // One left over from a command that was killed.
    let _ = fs::remove_file(&fresh);
    let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    fs::rename(&fresh, file)
}
