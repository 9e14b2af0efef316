//! How a process of Osallisuus starts, listens, lets callers in, tells what it does, and stops.
//!
//! A service is data ([`Service`]): a name, default settings, migrations, and a function that wires it up. [`start`]
//! takes a list of them and is the only way anything starts: a service's own binary passes one, `osallisuus` all,
//! tests what they need. One process has one gRPC server; every service in it has its own database, writer, relay and
//! projections, and services in the same process call each other over the same wire as everybody else.
//!
//! ```text
//! configuration ─▶ bind ─▶ databases: open, migrate ─▶ build ─▶ spawn ─▶ ready
//!                                                                          │ soft stop
//! exit code ◀─ telemetry flushed ◀─ writers end ◀─ pipelines end ◀─ requests drain
//! ```
//!
//! A call goes through the [access layer](access) before any handler: path, deadline, size, token, rate, role and
//! scope, idempotency key. What it finds is the handler's [`Call`].
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`config`] | settings: defaults, file, environment; all faults at once |
//! | [`service`] | [`Service`], [`Context`], [`Parts`] |
//! | [`access`] | who may call what |
//! | [`token`] | actor tokens and vouchers: verifying, and membership's signing |
//! | [`tls`] | certificates of the process, renewed while it runs |
//! | [`telemetry`] | logs, traces, metrics |
//! | [`nats_child`] | the supervised nats-server of small deployments |
//!
//! # A new service in an hour
//!
//! 1. `proto/osallisuus/<name>/v1/service.proto` and `events.proto`. Every RPC carries the `access` option, or the
//!    build fails. Name the generated module in `proto/src/lib.rs`.
//! 2. Copy the smallest service's folder to `services/<name>`, and keep its files: `domain.rs`, `app.rs`, `store.rs`,
//!    `events.rs`, `grpc.rs`, `convert.rs`, `consumers.rs`. The workspace finds it by itself.
//! 3. In its `lib.rs`:
//!
//! ```
//! use chassis::{Context, Parts, Service, StartError};
//!
//! /// Keeps minutes.
//! pub const SERVICE: Service =
//!     Service { name: "minutes", defaults: "keep_years = 10", migrations: Vec::new, build };
//!
//! fn build(context: &Context) -> Result<Parts, StartError> {
//!     #[derive(serde::Deserialize)]
//!     struct Settings {
//!         keep_years: u32,
//!     }
//!     let settings: Settings = context.settings()?;
//!     if settings.keep_years < 10 {
//!         return Err(context.refuse("keep_years", "minutes are kept for ten years", "write 10 or more"));
//!     }
//!     // let app = App::new(context);
//!     // Ok(Parts::default()
//!     //     .grpc(MinutesServiceServer::new(grpc::Api::new(app.clone())))
//!     //     .consume("forums", consumers::forums)
//!     //     .job("minutes.remind", app.remind()))
//!     Ok(Parts::default())
//! }
//! ```
//!
//! 4. `src/main.rs` is `fn main() -> std::process::ExitCode { chassis::main(minutes::SERVICE) }`.
//! 5. One more line in the list of `services/standalone`. Configuration, health, access, telemetry, the event feed,
//!    the operator's RPCs and `settle()` of tests know it then.

pub mod access;
pub mod config;
mod directory;
mod feed;
mod identity;
pub mod nats_child;
mod peers;
mod process;
mod running;
mod secrets;
mod server;
pub mod service;
mod settle;
mod signals;
mod start;
mod status;
mod supervision;
mod systemd;
pub mod telemetry;
pub mod tls;
pub mod token;

pub use access::Call;
pub use config::{Config, ConfigFault, ConfigFaults};
pub use directory::{DirectoryClient, Notified, Retired};
pub use process::{THREADS_END, main};
pub use running::Running;
pub use secrets::Secrets;
pub use service::{Context, Parts, Service, StartError};
pub use signals::Signals;
pub use start::{Assembled, AssembledService, assemble, start};
pub use status::{fault, status};
pub use token::{Purpose, Recorder, Verifier, Voucher};
