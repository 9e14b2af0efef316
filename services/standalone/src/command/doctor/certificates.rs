//! Certificates: whether they are good, and for how long.

use chassis::Config;
use chassis::tls::{Material, OwnFiles, TlsFiles};
use kernel::{Clock as _, SystemClock};

use super::Finding;
use crate::exit::Exit;

/// The certificate of the process and that for NATS, if they have any.
pub(super) fn all(config: &Config) -> Vec<Finding> {
    let process = config.tls.as_ref().map(|tls| tls.files.clone());
    let nats = config.nats.tls.as_ref().map(|tls| TlsFiles {
        ca: tls.ca.clone(),
        own: Some(OwnFiles { certificate: tls.certificate.clone(), key: tls.key.clone() }),
    });
    let nats = nats.filter(|files| process.as_ref() != Some(files));
    let look = |(what, files): (&str, Option<TlsFiles>)| files.map(|files| one(what, &files));
    [("certificate", process), ("certificate for NATS", nats)].into_iter().filter_map(look).collect()
}

fn one(what: &str, files: &TlsFiles) -> Finding {
    const REMEDY: &str =
        "Renew it; a running process takes it up by itself. One of dev-ca: osallisuus dev-ca FOLDER";
    let material = match Material::load(files) {
        Ok(material) => material,
        Err(faults) => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            return Finding::fault(what, Exit::Configuration, faults.join("; "), REMEDY);
        }
    };
    let now = SystemClock.now();
    if let Some(fault) = material.expired(now) {
        return Finding::fault(what, Exit::Configuration, fault.to_string(), REMEDY);
    }
    let Some((from, until)) = material.validity() else { return Finding::ok(what, "none") };
    let (left, life) = (until - now, until - from);
    let detail = format!(
        "{}, valid until {until}: {} days and {} hours left",
        material.identities().join(" "),
        left.whole_days(),
        left.whole_hours() % 24,
    );
    // Who renews in time never sees the last quarter of a life.
    if left * 4 < life { Finding::note(what, detail, REMEDY) } else { Finding::ok(what, detail) }
}
