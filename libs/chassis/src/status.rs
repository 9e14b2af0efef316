//! The one table between [`Fault`] and gRPC status, in both directions.
//!
//! Clients get the stable code (`google.rpc.ErrorInfo.reason`), the fields at fault (`BadRequest`) and how long to wait
//! (`RetryInfo`). The internal text stays in the status' source, which is never sent; the edge logs it.

use std::sync::Arc;

use kernel::{Fault, FaultKind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Domain of our codes in `google.rpc.ErrorInfo`.
const DOMAIN: &str = "osallisuus";

/// The status that tells a client of this fault.
#[must_use]
pub fn status(fault: Fault) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(fault.code(), DOMAIN, []);
    for field in fault.fields() {
        details.add_bad_request_violation(&field.field, format!("{}; {}", field.rule, field.remedy));
    }
    if let Some(wait) = fault.retry_after() {
        details.set_retry_info(Some(wait));
    }
    let mut status = Status::with_error_details(code(fault.kind()), fault.message(), details);
    status.set_source(Arc::new(fault));
    status
}

/// The fault behind a status that another service answered with.
#[must_use]
pub fn fault(status: &Status) -> Fault {
    let details = status.get_error_details();
    let reason = match details.error_info() {
        Some(info) if info.domain == DOMAIN => info.reason.clone(),
        _ => format!("grpc.{}", code_name(status.code())),
    };
    let mut fault = Fault::new(kind(status.code()), reason, status.message());
    for violation in details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default() {
        let (rule, remedy) = violation.description.split_once("; ").unwrap_or((&violation.description, ""));
        fault = fault.field(&violation.field, rule.to_owned(), remedy.to_owned());
    }
    match details.retry_info().and_then(|info| info.retry_delay) {
        Some(wait) => fault.with_retry_after(wait),
        None => fault,
    }
}

/// The fault kept in a status made by [`status`] in this process.
pub(crate) fn source(status: &Status) -> Option<&Fault> {
    std::error::Error::source(status)?.downcast_ref()
}

/// The answer to a request that took longer than its deadline. What it had begun to write may still be stored; the same
/// request with the same idempotency key tells.
pub(crate) fn deadline_exceeded() -> Status {
    let details = ErrorDetails::with_error_info("access.deadline", DOMAIN, []);
    let message = "The deadline passed before the answer was there. Send the same request again.";
    Status::with_error_details(Code::DeadlineExceeded, message, details)
}

fn code(kind: FaultKind) -> Code {
    match kind {
        FaultKind::Invalid => Code::InvalidArgument,
        FaultKind::Unauthenticated => Code::Unauthenticated,
        FaultKind::Forbidden => Code::PermissionDenied,
        FaultKind::NotFound => Code::NotFound,
        FaultKind::Conflict => Code::FailedPrecondition,
        FaultKind::AlreadyExists => Code::AlreadyExists,
        FaultKind::ResourceExhausted => Code::ResourceExhausted,
        FaultKind::Unavailable => Code::Unavailable,
        FaultKind::Internal => Code::Internal,
    }
}

/// Every code, since other servers and the transport use more of them than we do.
fn kind(code: Code) -> FaultKind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => FaultKind::Invalid,
        Code::Unauthenticated => FaultKind::Unauthenticated,
        Code::PermissionDenied => FaultKind::Forbidden,
        Code::NotFound => FaultKind::NotFound,
        Code::FailedPrecondition | Code::Aborted => FaultKind::Conflict,
        Code::AlreadyExists => FaultKind::AlreadyExists,
        Code::ResourceExhausted => FaultKind::ResourceExhausted,
        // A client's own deadline, a lost connection: the same request may be sent again.
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => FaultKind::Unavailable,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss | Code::Unimplemented => {
            FaultKind::Internal
        }
    }
}

/// The name of a code as in the gRPC documents, in lower case.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fault_survives_the_way_to_a_client() {
        let sent = Fault::invalid("forums.seats", "The seats do not add up.")
            .field("seats", "must add up to the total", "correct the total")
            .with_retry_after(Duration::from_secs(2));
        assert_eq!(fault(&status(sent.clone())), sent);
    }

    #[test]
    fn internal_text_never_leaves_but_stays_for_the_log() {
        let status = status(Fault::internal("disk of Maija is full"));
        let sent = status.clone().into_http::<tonic::body::Body>();
        assert!(!format!("{:?}", sent.headers()).contains("Maija"));
        assert_eq!(source(&status).and_then(Fault::internal_text), Some("disk of Maija is full"));
    }
}
