//! What a service says about events it listens to: which service they come from, and what each one does here.
//!
//! A projection is a handler with a name. The projector calls the handler for every event of the source service, lane
//! by lane and in order, each in a savepoint of its own; the cursor moves in the same transaction, so an event takes
//! effect exactly once although it may be delivered, and the handler may be run, more than once.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::envelope::Envelope;
use crate::event::SCHEMA_VERSION;
use crate::store::ProjectionKey;
use crate::tx::Tx;

/// An event as it reached a projection.
#[derive(Clone, Debug)]
pub struct Received {
    /// The header, verified by its place in the lane and its hash. Its `payload` field is left empty.
    pub envelope: Envelope,
    /// Protobuf bytes of the payload.
    pub payload: Bytes,
    /// How often the lane was rebuilt. A handler whose rows a rebuild may sweep out writes it into each of them.
    pub generation: u64,
}

impl Received {
    /// Takes the payload out of an envelope.
    pub fn new(mut envelope: Envelope) -> Self {
        let payload = Bytes::from(std::mem::take(&mut envelope.payload));
        Self { envelope, payload, generation: 0 }
    }

    /// Whether the event is of type `M`.
    pub fn is<M: prost::Name>(&self) -> bool {
        self.envelope.event_type == M::full_name()
    }

    /// The payload as an `M`.
    ///
    /// # Errors
    /// Permanent, because the same bytes never decode better, and a version whose meaning is not known may not be read as
    /// another (REL-50): the event is parked.
    pub fn decode<M: prost::Message + Default>(&self) -> Result<M, HandlerError> {
        let Envelope { event_type, schema_version, .. } = &self.envelope;
        if *schema_version != SCHEMA_VERSION {
            return Err(HandlerError::Permanent(format!(
                "{event_type} has version {schema_version}, and only {SCHEMA_VERSION} is known here"
            )));
        }
        M::decode(self.payload.clone()).map_err(|error| {
            HandlerError::Permanent(format!("payload of {}: {error}", self.envelope.event_type))
        })
    }
}

/// Why a handler did not take an event. Neither text may hold personal data: operators read it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandlerError {
    /// Will fail every time: the event is parked, with every later one of the same thing (REL-43).
    #[error("permanent: {0}")]
    Permanent(String),
    /// May succeed later: the whole batch is rolled back and tried again.
    #[error("transient: {0}")]
    Transient(String),
}

/// Database errors are transient but for broken constraints, which mean that the event contradicts what is stored.
impl From<sea_orm::DbErr> for HandlerError {
    fn from(error: sea_orm::DbErr) -> Self {
        match crate::database::classify(&error) {
            crate::database::ErrorClass::Constraint => Self::Permanent(error.to_string()),
            _ => Self::Transient(error.to_string()),
        }
    }
}

/// What an event does here. Called within a savepoint; may be called again after a rollback, so it touches `tx` only.
pub type Handler =
    Arc<dyn for<'a> Fn(&'a Tx, &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> + Send + Sync>;

/// Deletes the rows of a lane that were last written before a rebuild, that is with a lower generation.
pub type Sweep =
    Arc<dyn for<'a> Fn(&'a Tx, Swept<'a>) -> BoxFuture<'a, Result<(), HandlerError>> + Send + Sync>;

/// What a rebuild has not written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept<'a> {
    /// Lane: county code.
    pub lane: &'a str,
    /// Rows of a lower generation go.
    pub generation: u64,
}

/// A named reader of another service's events, with its own cursor for each lane.
#[derive(Clone)]
pub struct Projection {
    /// Name of the projection; a new name starts from the first event (REL-44).
    pub name: &'static str,
    /// Service whose events it reads, for example "forums".
    pub source: &'static str,
    /// What each event does. It may get an event again that it has had, when the projection is rebuilt.
    pub handler: Handler,
    /// What goes at the end of a rebuild; `None` if nothing may go, because commands write the same rows or because
    /// what an event brought about outlives it, as a frozen roll does.
    pub sweep: Option<Sweep>,
}

impl Projection {
    /// A projection from a function or closure.
    pub fn new<F>(name: &'static str, source: &'static str, handler: F) -> Self
    where
        F: for<'a> Fn(&'a Tx, &'a Received) -> BoxFuture<'a, Result<(), HandlerError>>
            + Send
            + Sync
            + 'static,
    {
        Self { name, source, handler: Arc::new(handler), sweep: None }
    }

    /// The same projection, with rows that a rebuild may delete: those that no event of the lane writes any more.
    #[must_use]
    pub fn sweeping<F>(self, sweep: F) -> Self
    where
        F: for<'a> Fn(&'a Tx, Swept<'a>) -> BoxFuture<'a, Result<(), HandlerError>> + Send + Sync + 'static,
    {
        Self { sweep: Some(Arc::new(sweep)), ..self }
    }

    /// What names it, as a projection of this service.
    pub fn key(&self, service: &str) -> ProjectionKey {
        ProjectionKey {
            service: service.to_owned(),
            projection: self.name.to_owned(),
            source: self.source.to_owned(),
        }
    }
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projection")
            .field("name", &self.name)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
