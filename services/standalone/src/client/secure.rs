//! How a server is known, and what it is shown, on connections to `https://`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chassis::tls::{Keeper, OwnFiles, TlsFiles};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};

/// Files of certificates, as the command line has them. Each connection is made with what is in them then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
pub struct ClientTls {
    /// For a server at https://: PEM file with the authorities that may have signed its certificate.
    #[arg(long, value_name = "FILE", env = "OSALLISUUS_CA")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// PEM file with the own certificate, which most servers ask for.
    #[arg(long, value_name = "FILE", env = "OSALLISUUS_CERT", requires_all = ["ca", "key"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// PEM file with its key, readable for its owner only.
    #[arg(long, value_name = "FILE", env = "OSALLISUUS_KEY", requires = "cert")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

impl ClientTls {
    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// The same with paths that mean the same wherever the next command runs.
    #[must_use]
    pub fn absolute(&self) -> Self {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Self {
            ca: self.ca.as_ref().map(absolute),
            cert: self.cert.as_ref().map(absolute),
            key: self.key.as_ref().map(absolute),
        }
    }

    /// The files, read; None if none are named.
    ///
    /// # Errors
    /// [`Exit::Usage`] with everything that is wrong with them.
    pub(super) fn keeper(&self) -> Result<Option<Arc<Keeper>>, Failure> {
        let Some(ca) = self.ca.clone() else { return Ok(None) };
        let own = |(certificate, key): (&PathBuf, &PathBuf)| OwnFiles {
            certificate: certificate.clone(),
            key: key.clone(),
        };
        let own = self.cert.as_ref().zip(self.key.as_ref()).map(own);
        let keeper = Keeper::open(TlsFiles { ca, own }, false).map_err(|faults| {
            Failure::new(Exit::Usage, "certificates cannot be used")
                .details(faults.iter().map(ToString::to_string))
                .remedy("See --ca, --cert and --key.")
        })?;
        Ok(Some(keeper))
    }

    /// The files that `osallisuus dev-ca` made for somebody.
    #[must_use]
    pub fn of(folder: &Path, name: &str) -> Self {
        let file = |name: String| Some(folder.join(name));
        Self {
            ca: file("ca.crt".to_owned()),
            cert: file(format!("{name}.crt")),
            key: file(format!("{name}.key")),
        }
    }
}
