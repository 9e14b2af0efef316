//! How long certificates are still good, by what they are for and never by name: those who renew them are told by an
//! alert when they have not (OBS-31, SEC-01).
//!
//! That of the process is the one in use, not the one in the file, so a renewed file that is broken does not look
//! renewed. Those for NATS and PostgreSQL are read at each new connection and so are the files' own. One that cannot
//! be read has no time left.

use std::sync::Arc;

use kernel::{Clock as _, SystemClock, Timestamp};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use url::Url;

use crate::config::{Config, NatsAddress};
use crate::tls::{Keeper, Material, OwnFiles, TlsFiles};

/// A certificate of the process.
struct Watched {
    labels: Vec<KeyValue>,
    of: Of,
}

enum Of {
    Process(Arc<Keeper>),
    Files(TlsFiles),
}

impl Watched {
    /// From when to when it is valid; None if there is none to show.
    fn validity(&self) -> Option<(Timestamp, Timestamp)> {
        match &self.of {
            Of::Process(keeper) => keeper.validity(),
            Of::Files(files) => Material::load(files).ok()?.validity(),
        }
    }
}

/// Observes the certificates of a process, if it has any.
pub(super) fn observe(meter: &Meter, config: &Config, keeper: Option<&Arc<Keeper>>) {
    let watched: Arc<[Watched]> = watched(config, keeper).into();
    if watched.is_empty() {
        return;
    }
    let says = "How long the certificate in use is still valid; below 0 when it has expired.";
    each(meter, "tls_certificate_left", says, &watched, |(_, until)| until - SystemClock.now());
    let says = "For how long the certificate in use is valid from first to last.";
    each(meter, "tls_certificate_life", says, &watched, |(from, until)| until - from);
}

fn each(
    meter: &Meter,
    name: &'static str,
    says: &'static str,
    watched: &Arc<[Watched]>,
    measure: fn((Timestamp, Timestamp)) -> time::Duration,
) {
    let watched = Arc::clone(watched);
    let callback = move |observer: &dyn AsyncInstrument<f64>| {
        for one in watched.iter() {
            let seconds = one.validity().map_or(0.0, |validity| measure(validity).as_seconds_f64());
            observer.observe(seconds, &one.labels);
        }
    };
    meter.f64_observable_gauge(name).with_unit("s").with_description(says).with_callback(callback).build();
}

fn watched(config: &Config, keeper: Option<&Arc<Keeper>>) -> Vec<Watched> {
    let purpose = |purpose: &'static str| KeyValue::new("purpose", purpose);
    let mut all = Vec::new();
    if let Some(keeper) = keeper {
        all.push(Watched { labels: vec![purpose("process")], of: Of::Process(Arc::clone(keeper)) });
    }
    if let (NatsAddress::Url(url), Some(tls)) = (&config.nats.address, &config.nats.tls)
        && url.contains("tls://")
    {
        let own = OwnFiles { certificate: tls.certificate.clone(), key: tls.key.clone() };
        let files = TlsFiles { ca: tls.ca.clone(), own: Some(own) };
        all.push(Watched { labels: vec![purpose("nats")], of: Of::Files(files) });
    }
    for (name, service) in &config.services {
        if let Some(files) = of_database(&service.database) {
            let labels = vec![purpose("database"), KeyValue::new("service", name.clone())];
            all.push(Watched { labels, of: Of::Files(files) });
        }
    }
    all
}

/// The files that the address of a PostgreSQL names.
fn of_database(address: &str) -> Option<TlsFiles> {
    let address = Url::parse(address).ok()?;
    let named = |wanted: &str| {
        address.query_pairs().find(|(name, _)| name == wanted).map(|(_, file)| file.into_owned().into())
    };
    let own = OwnFiles { certificate: named("sslcert")?, key: named("sslkey")? };
    Some(TlsFiles { ca: named("sslrootcert")?, own: Some(own) })
}
