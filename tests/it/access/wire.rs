//! Calls an RPC by its path, and reads what the access layer did from the answer.

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use testkit::raw;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use super::cell::{Verdict, id_in_request};
use super::rule::Rule;

/// A request that names the scope of every grant, and the service where it must, and nothing else.
pub(super) fn bare_request(rule: &Rule) -> Bytes {
    let mut request = DynamicMessage::new(rule.input.clone());
    for grant in rule.any_of.iter().filter(|grant| !grant.field.is_empty()) {
        request.set_field_by_name(&grant.field, Value::String(id_in_request(grant.scope)));
    }
    if let Some(field) = &rule.audience_field {
        request.set_field_by_name(field, Value::String(rule.audience.clone()));
    }
    request.encode_to_vec().into()
}

/// Calls an RPC and tells what the access layer did.
pub(super) async fn call(
    channel: Channel,
    rule: &Rule,
    body: Bytes,
    token: Option<&str>,
    key: &str,
) -> Verdict {
    let mut request = Request::new(body);
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", value);
    }
    request.metadata_mut().insert("idempotency-key", key.parse().expect("a header"));
    match raw::call(channel, &rule.path, request).await {
        Ok(_) => Verdict::Through,
        Err(status) => verdict(&status),
    }
}

/// What an error answer says about access. A fault of the access layer is known by its code.
fn verdict(status: &Status) -> Verdict {
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let access = reason.starts_with("access.");
    match status.code() {
        Code::Unauthenticated if access => Verdict::Unauthenticated,
        Code::PermissionDenied if access => Verdict::Forbidden,
        Code::InvalidArgument
        | Code::NotFound
        | Code::FailedPrecondition
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::Unauthenticated
            if !reason.is_empty() =>
        {
            Verdict::Through
        }
        code => Verdict::Odd(format!("{code:?} {reason} {}", status.message())),
    }
}
