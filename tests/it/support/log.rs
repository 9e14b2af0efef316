//! The application's log, caught as it is written: everything our crates say down to the finest detail, and what
//! libraries say that a county would see.

use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Finer than any deployment logs.
const RULES: &str =
    "info,chassis=trace,messaging=trace,kernel=trace,membership=trace,forums=trace,standalone=trace";

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log(Arc::default());
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter(EnvFilter::new(RULES))
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("nothing else catches the log of a test");
    log
});

#[derive(Debug, Clone)]
struct Log(Arc<Mutex<Vec<u8>>>);

/// Begins to catch the log of this process, if that has not begun.
pub(crate) fn catch() {
    LazyLock::force(&LOG);
}

/// The lines written since.
pub(crate) fn lines() -> Vec<String> {
    let bytes = LOG.0.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}
