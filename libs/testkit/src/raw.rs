//! A gRPC client without generated code: bytes out, bytes in.

use bytes::{Buf, BufMut, Bytes};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Calls the RPC at `path` with the bytes of a message, whatever they are.
///
/// # Errors
/// What the service answers; Unavailable if there is no connection.
pub async fn call(channel: Channel, path: &str, request: Request<Bytes>) -> Result<Bytes, Status> {
    let path = PathAndQuery::try_from(path).map_err(|error| Status::invalid_argument(error.to_string()))?;
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unavailable(format!("no connection: {error}")))?;
    Ok(client.unary(request, path, Raw).await?.into_inner())
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
