//! Connections of clients, after their handshakes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;

use super::keeper::Keeper;

/// How long a client may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Handshakes in progress at once; more clients wait to be accepted (SEC-50).
const HANDSHAKES: usize = 256;
/// Pause after the system could not accept: it has run out of something, and asking at once again would not help.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts clients until the stream is dropped. Each handshake has the certificates of its moment; one that fails
/// costs its client the connection and nobody else anything.
pub(crate) fn incoming(
    listener: TcpListener,
    keeper: Arc<Keeper>,
) -> ReceiverStream<io::Result<TlsStream<TcpStream>>> {
    let (sender, receiver) = mpsc::channel(HANDSHAKES);
    tokio::spawn(accept(listener, keeper, sender));
    ReceiverStream::new(receiver)
}

async fn accept(
    listener: TcpListener,
    keeper: Arc<Keeper>,
    sender: mpsc::Sender<io::Result<TlsStream<TcpStream>>>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = sender.closed() => return,
            accepted = accepted => accepted,
        };
        let tcp = match accepted {
            Ok((tcp, _)) => tcp,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(config) = keeper.server() else { return };
        let sender = sender.clone();
        tokio::spawn(async move {
            let _place = place;
            // Without it answers wait for each other; a connection that cannot have it works all the same.
            let _ = tcp.set_nodelay(true);
            match timeout(HANDSHAKE, TlsAcceptor::from(config).accept(tcp)).await {
                // The server may have ended meanwhile.
                Ok(Ok(stream)) => drop(sender.send(Ok(stream)).await),
                Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                Err(_) => tracing::debug!("a handshake took too long"),
            }
        });
    }
}
