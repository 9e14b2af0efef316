//! What a handler knows of a call: who, how far, and under which idempotency key.

use kernel::{Caller, Fault, Scope};
use messaging::Command;
use tonic::Status;

use crate::status::status;

/// One call that was let in.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// What was granted: store functions filter by it.
    pub scope: Scope,
    command: Command,
}

impl Call {
    /// A call made up, for jobs and for tests of a service's own `app`.
    #[must_use]
    pub fn new(caller: Caller, scope: Scope, command: Command) -> Self {
        Self { caller, scope, command }
    }

    /// The call behind a request, as the access layer found it.
    ///
    /// # Errors
    /// Internal, if the request did not come through the access layer.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, Status> {
        let call = request.extensions().get::<Self>().cloned();
        call.ok_or_else(|| status(Fault::internal("a request came past the access layer")))
    }

    /// The command to give to the writer. Its key is the caller's idempotency key; only RPCs whose access option says
    /// `mutating` have one. A query's command has a new key each time, so that it can do no harm.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.command
    }
}
