//! A connection to PostgreSQL that fails at the worst moment, on demand and without timing.
//!
//! It reads the client's messages (a type, a length, a body) and so knows a COMMIT when it comes by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next COMMIT, or to every connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    /// Nothing is wrong.
    None,
    /// The next COMMIT reaches the server and takes place, but the connection ends before its answer.
    LoseReply,
    /// The connection ends before the next COMMIT reaches the server.
    LoseCommit,
    /// New connections are closed at once; running ones end at their next message.
    Away,
}

/// A listening proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// The database's URL, by way of the proxy.
    pub(crate) url: String,
    fault: Arc<AtomicU8>,
    tried: Arc<AtomicU32>,
    asked: Arc<AtomicU32>,
}

impl Proxy {
    /// Starts a proxy before the database at `url`; it ends with the test.
    pub(crate) async fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let (user, rest) = url.rsplit_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let server: SocketAddr = server.parse().unwrap();
        let proxy = Self {
            url: format!("{user}@{own}/{database}?sslmode=disable"),
            fault: Arc::new(AtomicU8::new(0)),
            tried: Arc::default(),
            asked: Arc::default(),
        };
        let Self { fault, tried, asked, .. } = proxy.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tried.fetch_add(1, Ordering::SeqCst);
                if is(&fault, Fault::Away) {
                    continue;
                }
                let server = TcpStream::connect(server).await.unwrap();
                tokio::spawn(serve(client, server, Arc::clone(&fault), Arc::clone(&asked)));
            }
        });
        proxy
    }

    /// Connections that were asked for.
    pub(crate) fn tried(&self) -> u32 {
        self.tried.load(Ordering::SeqCst)
    }

    /// Messages that clients have sent.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn next(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }
}

fn is(current: &AtomicU8, fault: Fault) -> bool {
    current.load(Ordering::SeqCst) == fault as u8
}

async fn serve(client: TcpStream, server: TcpStream, fault: Arc<AtomicU8>, asked: Arc<AtomicU32>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let muted = Arc::new(AtomicBool::new(false));
    let answers = answers(from_server, to_client, Arc::clone(&muted));
    // Whichever ends first ends both: dropping the halves closes the connections.
    tokio::select! {
        () = questions(from_client, to_server, fault, muted, asked) => {}
        () = answers => {}
    }
}

/// Client to server, message by message.
async fn questions(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    fault: Arc<AtomicU8>,
    muted: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
) {
    // The first message has no type.
    let mut kind = None;
    loop {
        let Ok(length) = from.read_u32().await else { return };
        let mut body = vec![0; length as usize - 4];
        if from.read_exact(&mut body).await.is_err() || is(&fault, Fault::Away) {
            return;
        }
        asked.fetch_add(1, Ordering::SeqCst);
        if kind == Some(b'Q') && body.starts_with(b"COMMIT") {
            if is(&fault, Fault::LoseCommit) {
                fault.store(Fault::None as u8, Ordering::SeqCst);
                return;
            }
            if is(&fault, Fault::LoseReply) {
                fault.store(Fault::None as u8, Ordering::SeqCst);
                muted.store(true, Ordering::SeqCst);
            }
        }
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend(length.to_be_bytes());
        message.extend(body);
        if to.write_all(&message).await.is_err() {
            return;
        }
        let Ok(next) = from.read_u8().await else { return };
        kind = Some(next);
    }
}

/// Server to client; when muted, the first answer ends the connection: what it answers has taken place.
async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, muted: Arc<AtomicBool>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(size @ 1..) = from.read(&mut buffer).await else { return };
        if muted.load(Ordering::SeqCst) || to.write_all(&buffer[..size]).await.is_err() {
            return;
        }
    }
}
