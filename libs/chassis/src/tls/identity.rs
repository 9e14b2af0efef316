//! The names in a certificate that say who somebody is in a cell.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// The name of a service, an operator or another system in the certificates of a cell: `spiffe://<cell>/<name>`.
#[must_use]
pub fn identity_of(cell: &str, name: &str) -> String {
    format!("spiffe://{cell}/{name}")
}

/// The URIs among the alternative names of a certificate, in its order; none if it cannot be read.
pub(crate) fn identities(certificate: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let uri = |name: &GeneralName<'_>| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _ => None,
    };
    names.value.general_names.iter().filter_map(uri).collect()
}
