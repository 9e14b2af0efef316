//! Starting.
use crate::config::Config;
use crate::running::Running;
use crate::service::{Service, StartError};

/// Starts services; the only way anything starts.
///
/// # Errors
/// The first thing that is not as it must be; of the configuration, everything.
pub async fn start(_services: &[Service], config: Config) -> Result<Running, StartError> {
    Ok(Running { addr: config.listen.grpc })
}
