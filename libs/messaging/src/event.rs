//! A fact that other services may know, before the writer gives it its place in the log.

use kernel::TenantId;
use prost::{Message, Name};

/// The version of every payload's meaning so far (REL-50).
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// An event to publish. Which of a service's facts become events is decided in its `events.rs`; what an event may hold
/// is on the allow-list of its type: no personal data.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Lead county: the lane the event goes to.
    pub tenant: TenantId,
    /// Other counties of a joint forum.
    pub co_tenants: Vec<TenantId>,
    /// Kind of the thing it happened to, for example "election"; a part of the subject, so lower case letters and `_`.
    pub aggregate_type: &'static str,
    /// Id of that thing. Events of one thing keep their order everywhere.
    pub aggregate_id: String,
    /// Full name of the payload message, for example "osallisuus.forums.v1.SeatFilled".
    pub event_type: String,
    /// Protobuf bytes of the payload.
    pub payload: Vec<u8>,
    /// Version of the payload's meaning, from 1 (REL-50).
    pub schema_version: u32,
}

impl NewEvent {
    /// An event of the lead county `tenant` about `aggregate_id`, whose type is the name of the message `M`.
    pub fn of<M: Message + Name>(
        tenant: TenantId,
        aggregate_type: &'static str,
        aggregate_id: impl ToString,
        payload: &M,
    ) -> Self {
        Self {
            tenant,
            co_tenants: Vec::new(),
            aggregate_type,
            aggregate_id: aggregate_id.to_string(),
            event_type: M::full_name(),
            payload: payload.encode_to_vec(),
            schema_version: SCHEMA_VERSION,
        }
    }

    /// Names the other counties of a joint forum.
    #[must_use]
    pub fn joint(mut self, co_tenants: Vec<TenantId>) -> Self {
        self.co_tenants = co_tenants;
        self
    }
}

/// What made an act happen; copied to every event and job of the act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Id of the cause: the command's key, hashed, or the id of the event that was handled.
    pub causation_id: String,
    /// Id shared by everything that follows from one act of a person.
    pub correlation_id: String,
    /// W3C trace context of the request, if it is traced.
    pub traceparent: Option<String>,
}
