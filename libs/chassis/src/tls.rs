//! TLS of a process (SEC-01, TIHA-6): who it is to others, and how it knows them.
//!
//! A process has one certificate. It names the services that run in it, as `spiffe://<cell>/<service>`; the server
//! shows it to clients, services show it to each other. A service that calls another asks for that name in the
//! certificate, not for a host name: what it must know is who answers, wherever that is. Other clients ask for the
//! host name, as usual.
//!
//! ```text
//! files ──▶ Material ──▶ Keeper ──┬──▶ incoming: a handshake for each connection
//!   ▲   read again every 5 s │    └──▶ TlsConnector: connections to others
//!   renewed                  └─ what is broken is told, and what was there before goes on
//! ```
//!
//! Only TLS 1.3 is spoken, and no session is taken up again, so every connection shows certificates that are valid now.

mod connector;
mod identity;
mod incoming;
mod keeper;
mod material;

pub use connector::TlsConnector;
pub(crate) use identity::identities;
pub use identity::identity_of;
pub(crate) use incoming::incoming;
pub use keeper::Keeper;
pub use material::{Material, OwnFiles, Part, TlsFault, TlsFiles};
