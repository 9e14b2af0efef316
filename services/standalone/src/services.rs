//! Every service of the platform. A new one is one more line here, and one for each service whose events it reads.

use chassis::Service;

/// The services, in the order in which they are started.
pub const SERVICES: &[Service] = &[membership::SERVICE, forums::SERVICE, proposals::SERVICE];

/// Who takes in whose events: reader and source.
pub const READERS: &[(&str, &str)] = &[
    ("membership", "forums"),
    ("forums", "membership"),
    ("forums", "proposals"),
    ("proposals", "membership"),
    ("proposals", "forums"),
];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|service| service.name)
}

/// The service of this name.
pub fn find(name: &str) -> Option<Service> {
    SERVICES.iter().find(|service| service.name == name).copied()
}
