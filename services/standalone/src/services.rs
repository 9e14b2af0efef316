//! Every service of the platform. A new one is one more line here.

use chassis::Service;

/// The services, in the order in which they are started.
pub const SERVICES: &[Service] = &[membership::SERVICE, forums::SERVICE];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|service| service.name)
}

/// The service of this name.
pub fn find(name: &str) -> Option<Service> {
    SERVICES.iter().find(|service| service.name == name).copied()
}
