//! The signals that ask a process to end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT from the moment of listening on: one that comes while the process still starts is not lost, and
/// does not kill it half started. Listen before anything is started.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Whether the process was asked to end.
    asked: bool,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the system refuses, or outside of a runtime.
    pub fn listen() -> io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, asked: false })
    }

    /// Completes when the process was asked to end, at once if that was before. May be dropped and called again.
    pub async fn asked_to_end(&mut self) {
        if !self.asked {
            self.next().await;
            self.asked = true;
        }
    }

    /// Completes at the next signal: whoever asks twice does not want to wait.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
