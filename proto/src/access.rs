//! Who may call which RPC: the table read from the `access` option of the contracts.

use crate::common::{Assurance, Role};

/// Access entry of one RPC.
#[derive(Debug)]
pub struct Entry {
    /// gRPC path, for example `/osallisuus.forums.v1.ForumsService/GetForum`.
    pub path: &'static str,
    /// Service that answers and that a token must be meant for; empty where the request names it.
    pub service: &'static str,
    /// Number of the request's string field that names the service, where it does.
    pub audience_field: Option<u32>,
    /// True where no token is asked for.
    pub anonymous: bool,
    /// The caller needs one of these.
    pub any_of: &'static [Grant],
    /// True if the RPC changes something and so needs an idempotency key.
    pub mutating: bool,
    /// Least assurance of the sign-in; `Unspecified` asks for none.
    pub min_assurance: Assurance,
    /// Calls a minute allowed to one caller; 0 means the server's default.
    pub per_minute: u32,
    /// Largest request in bytes; 0 means the server's default.
    pub max_bytes: u32,
    /// What the audit log holds of a call.
    pub audit: Audit,
    /// The request's fields whose ids the audit log keeps.
    pub audit_fields: &'static [Field],
    /// The request's field with the reason for a reading; there for [`Audit::Read`] and no other.
    pub purpose_field: Option<Field>,
    /// True where a call must leave no trace of its time.
    pub untraced: bool,
}

/// A top-level string field of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its number on the wire.
    pub number: u32,
}

/// One way to be let in.
#[derive(Debug)]
pub struct Grant {
    /// Any of these roles; empty where the scope alone decides.
    pub roles: &'static [Role],
    /// Where the role must be held.
    pub scope: Scope,
    /// Number of the request's top-level string field that holds the scope's id.
    pub field: Option<u32>,
    /// Name of that field, for refusals; empty without one.
    pub field_name: &'static str,
}

/// Kind of scope in which a role must be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Any valid token of a person; own data only.
    SignedIn,
    /// The county named by the field.
    Tenant,
    /// The forum named by the field.
    Forum,
    /// The service unit named by the field.
    Unit,
    /// The region named by the field.
    Region,
    /// A place on the roll of the election named by the field.
    Roll,
    /// The whole deployment.
    Cell,
}

/// What the audit log holds of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// Nothing: public information, own data, technical data.
    None,
    /// The change, done or refused, and who made it.
    Change,
    /// The reading of another person's data, before it is read.
    Read,
    /// Nothing at all, on purpose.
    Secret,
}

include!(concat!(env!("OUT_DIR"), "/access_table.rs"));

/// The entries of one service, without those that every service has and those that leave no trace.
pub fn of(service: &str) -> impl Iterator<Item = &'static Entry> {
    TABLE
        .iter()
        .filter(move |entry| entry.service == service && entry.audience_field.is_none() && !entry.untraced)
}

/// The entry of a gRPC path. `None` means that nobody may call it.
pub fn find(path: &str) -> Option<&'static Entry> {
    TABLE.binary_search_by(|entry| entry.path.cmp(path)).ok().map(|index| &TABLE[index])
}
