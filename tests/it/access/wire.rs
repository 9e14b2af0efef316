//! A gRPC client without generated code: bytes out, bytes in.

use bytes::{Buf, BufMut, Bytes};
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
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
    let mut client = Grpc::new(channel);
    if let Err(error) = client.ready().await {
        return Verdict::Odd(format!("no connection: {error}"));
    }
    let path = PathAndQuery::try_from(rule.path.as_str()).expect("a path");
    match client.unary(request, path, Raw).await {
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

#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
