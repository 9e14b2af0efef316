//! The rules of transport (SEC-01): nothing leaves the machine in plain text, and who is spoken to is known.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use http::Uri;
use kernel::{Clock as _, SystemClock};
use messaging::broker::NatsTls;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::Tls;
use super::raw::{RawNats, RawTls};
use super::rules::Reader;
use crate::tls::{Material, OwnFiles, TlsFiles};

/// Names of users of the cluster that are no readers.
const TAKEN: [&str; 2] = ["osallisuus", "provision"];

/// The certificates of the process; None if none are set. Every fault of the files is told.
pub(super) fn tls(reader: &mut Reader<'_>, raw: RawTls) -> Option<Tls> {
    if !["required", "optional"].contains(&raw.clients.as_str()) {
        reader.refuse("tls.clients", "must be \"required\" or \"optional\"", "write one of them");
    }
    let reload = reader.seconds("tls.reload_seconds", raw.reload_seconds, 1, 3_600);
    let files = files(reader, "tls", [raw.certificate, raw.key, raw.ca])?;
    Some(Tls { files, clients_required: raw.clients == "required", reload })
}

/// What a cluster with TLS is shown: its own files, else those of the process.
pub(super) fn nats_tls(reader: &mut Reader<'_>, raw: &RawNats, process: Option<&Tls>) -> Option<NatsTls> {
    let named = [&raw.certificate, &raw.key, &raw.ca].map(Clone::clone);
    let files = files(reader, "nats", named).or_else(|| process.map(|tls| tls.files.clone()))?;
    let own = files.own?;
    Some(NatsTls { ca: files.ca, certificate: own.certificate, key: own.key })
}

/// Three files of a section, found good: all or none.
fn files(reader: &mut Reader<'_>, section: &str, [certificate, key, ca]: [PathBuf; 3]) -> Option<TlsFiles> {
    let is_set = |path: &Path| !path.as_os_str().is_empty();
    let settings = [("certificate", &certificate), ("key", &key), ("ca", &ca)];
    if !settings.iter().any(|(_, path)| is_set(path)) {
        return None;
    }
    let mut is_whole = true;
    for (name, path) in settings {
        if !is_set(path) {
            let rule = format!("{section}.certificate, {section}.key and {section}.ca go together");
            reader.refuse(&format!("{section}.{name}"), &rule, "name the file, or none of the three");
            is_whole = false;
        }
    }
    let files = TlsFiles { ca, own: Some(OwnFiles { certificate, key }) };
    if is_whole {
        let faults = match Material::load(&files) {
            Ok(material) => material.expired(SystemClock.now()).into_iter().collect(),
            Err(faults) => faults,
        };
        for fault in faults {
            reader.refuse(&format!("{section}.{}", fault.part.as_str()), &fault.rule, &fault.remedy);
        }
    }
    Some(files)
}

/// An address of a NATS server: nats:// on the own machine, tls:// anywhere.
pub(super) fn nats_url(reader: &mut Reader<'_>, url: &str, has_tls: bool) {
    const KEY: &str = "nats.url";
    let servers: Vec<&str> = url.split(',').map(str::trim).collect();
    let is_address = |server: &&str| server.starts_with("nats://") || server.starts_with("tls://");
    if !servers.iter().all(is_address) {
        let rule = "must be \"embedded\" or addresses that begin with nats:// or tls://";
        return reader.refuse(KEY, rule, "write something like \"nats://127.0.0.1:4222\"");
    }
    if servers.iter().any(|server| server.starts_with("nats://") && !is_on_this_machine(server)) {
        let rule = "plain text is for the own machine only";
        reader.refuse(
            KEY,
            rule,
            "begin the address with tls://, and set tls.certificate, tls.key and tls.ca",
        );
    }
    if servers.iter().any(|server| server.starts_with("tls://")) && !has_tls {
        let rule = "tls:// needs a certificate to show and an authority to trust";
        reader.refuse(KEY, rule, "set tls.certificate, tls.key and tls.ca, or those of [nats]");
    }
}

/// An address of a service: http:// on the own machine, https:// anywhere.
pub(super) fn service_url(reader: &mut Reader<'_>, key: &str, url: &str, has_tls: bool) {
    const REMEDY: &str =
        "write something like \"https://10.0.0.5:7400\", and set tls.certificate, tls.key and tls.ca";
    if url.starts_with("https://") {
        if !has_tls {
            reader.refuse(key, "https:// needs a certificate to show and an authority to trust", REMEDY);
        }
    } else if !url.starts_with("http://") {
        reader.refuse(key, "must be empty or begin with http:// or https://", REMEDY);
    } else if !is_on_this_machine(url) {
        reader.refuse(key, "plain text is for the own machine only", REMEDY);
    }
}

/// Why telemetry does not leave the machine.
pub(super) const PLAIN_TELEMETRY: &str =
    "it is plain text, which is for the own machine only, or for a network that is closed to strangers";
/// What to do about it.
pub(super) const CLOSED_NETWORK: &str = "write an address of the own machine, where a collector or proxy sends on by TLS, or set \
     telemetry.network_is_closed = true if it is";

/// Where telemetry is sent: http:// on the own machine, or in a network that is closed.
pub(super) fn otlp_endpoint(reader: &mut Reader<'_>, url: &str, network_is_closed: bool) {
    const KEY: &str = "telemetry.otlp_endpoint";
    if !url.starts_with("http://") {
        let remedy = "write something like \"http://127.0.0.1:4317\"";
        reader.refuse(KEY, "must be empty or begin with http://, to a collector", remedy);
    } else if !is_on_this_machine(url) && !network_is_closed {
        reader.refuse(KEY, PLAIN_TELEMETRY, CLOSED_NETWORK);
    }
}

/// A PostgreSQL on another machine is encrypted, and known by its name and authority. The address is read as it will be
/// when connecting, the variables PGHOST and PGSSLMODE included.
pub(super) fn postgres_url(reader: &mut Reader<'_>, key: &str, url: &str) {
    let Ok(options) = PgConnectOptions::from_str(url) else {
        let remedy = "write something like \"postgres://user@host/name?sslmode=verify-full\"";
        return reader.refuse(key, "must be an address of PostgreSQL", remedy);
    };
    let is_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
    let is_near = is_socket || is_loopback(options.get_host());
    if !is_near && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        let rule = "a PostgreSQL on another machine is spoken to by TLS, with its name checked";
        let remedy = "add ?sslmode=verify-full&sslrootcert=…&sslcert=…&sslkey=… to the address";
        reader.refuse(key, rule, remedy);
    }
}

/// Names of readers: of a-z, 0-9 and hyphen, and nobody else's.
pub(super) fn readers(reader: &mut Reader<'_>, names: &[String]) {
    const KEY: &str = "nats.readers";
    let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    for (place, name) in names.iter().enumerate() {
        if !(1..=40).contains(&name.len()) || !name.bytes().all(is_fine) {
            reader.refuse(
                KEY,
                "names are 1 to 40 of a-z, 0-9 and hyphen",
                "write something like [\"lapland\"]",
            );
        }
        let is_service = proto::access::TABLE.iter().any(|entry| entry.service == name);
        if is_service || TAKEN.contains(&name.as_str()) || names[..place].contains(name) {
            reader.refuse(KEY, &format!("{name:?} is taken"), "choose another name");
        }
    }
}

/// Whether the host of an address is this machine. One that cannot be read is not.
fn is_on_this_machine(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(is_loopback))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_on_this_machine;

    #[test]
    fn sec_01_this_machine_is_known_by_its_addresses() {
        for near in
            ["http://127.0.0.1:7400", "nats://[::1]:4222", "nats://localhost", "nats://u:p@127.0.0.9:1"]
        {
            assert!(is_on_this_machine(near), "{near}");
        }
        for far in
            ["http://10.0.0.5", "nats://localhost.example.fi", "nats://127.0.0.1@10.0.0.5:4222", "nats://"]
        {
            assert!(!is_on_this_machine(far), "{far}");
        }
    }
}
