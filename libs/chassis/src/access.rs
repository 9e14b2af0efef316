//! Who may call what: one layer before every handler, which denies what no contract allows (SEC-11).
//!
//! The access option of an RPC in the contracts is the only rule there is; `proto::access::TABLE` holds it for every
//! path, and a path without an entry is refused. The layer reads the whole request, since the scope that must be held
//! stands in one of its fields, and decides on the very bytes that the handler will decode.
//!
//! | file | what it does |
//! | --- | --- |
//! | `access/layer.rs` | the order of the checks; trace, log and metric of every request |
//! | `access/message.rs` | reads the request and the fields that hold ids |
//! | `access/decide.rs` | roles, scopes, assurance |
//! | `access/metadata.rs` | token, idempotency key, deadline, correlation id |
//! | `access/rates.rs` | calls a minute |
//! | `access/call.rs` | what the handler gets |
//!
//! What the option says about audit is kept here too (SEC-40): a reading of another person's data has its row in the
//! audit log before the handler runs, a denial of somebody who is known has one, and a change takes its row along to the
//! writer, which stores it in the transaction of the change.
//!
//! Refusals: `access.unknown_rpc`, `access.sign_in`, `access.token_invalid`, `access.token_expired`, `access.no_keys`,
//! `access.scope`, `access.assurance`, `access.rate`, `access.busy`, `access.deadline`, `request.too_large`,
//! `request.too_slow`, `request.malformed`, `request.idempotency_key`.

mod call;
mod decide;
mod layer;
mod message;
mod metadata;
mod rates;

pub use call::Call;
pub(crate) use layer::{AccessLayer, Gate, Served, note};
