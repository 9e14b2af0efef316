//! Reads one gRPC message, within its limit, and single fields straight from its bytes.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use kernel::Fault;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use tonic::body::Body;

/// How long a request may take to arrive. Before it is here nobody knows who sends it.
const ARRIVAL: Duration = Duration::from_secs(5);
/// Bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The one message of a request.
#[derive(Debug)]
pub(super) struct Message {
    frame: Bytes,
}

impl Message {
    /// Reads the message, at most `limit` bytes, for at most five seconds. A longer one is refused as soon as it says
    /// its length.
    pub(super) async fn read(body: Body, limit: usize) -> Result<Self, Fault> {
        tokio::time::timeout(ARRIVAL, Self::arrive(body, limit)).await.unwrap_or_else(|_| Err(too_slow()))
    }

    async fn arrive(mut body: Body, limit: usize) -> Result<Self, Fault> {
        let mut read = BytesMut::new();
        let mut expected = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| malformed("The request broke off.").because(error))?;
            let Ok(data) = frame.into_data() else { continue };
            read.extend_from_slice(&data);
            if expected.is_none() && read.len() >= PREFIX {
                expected = Some(PREFIX + length(&read[..PREFIX], limit)?);
            }
            if expected.is_some_and(|expected| read.len() > expected) {
                return Err(malformed("A request holds exactly one message."));
            }
        }
        if expected != Some(read.len()) {
            return Err(malformed("The request is shorter than it says."));
        }
        Ok(Self { frame: read.freeze() })
    }

    /// The message's bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.frame[PREFIX..]
    }

    /// The request's body again, for the handler.
    pub(super) fn to_body(&self) -> Body {
        Body::new(http_body_util::Full::new(self.frame.clone()))
    }

    /// Whether the handler's decoder can make anything of it. Asked only when a handler has failed: that decoder calls
    /// bytes that are no message a failure of the server.
    pub(super) fn is_of(&self, path: &str) -> bool {
        static CONTRACTS: LazyLock<Option<DescriptorPool>> =
            LazyLock::new(|| DescriptorPool::decode(proto::DESCRIPTORS).ok());
        let input = CONTRACTS.as_ref().and_then(|contracts| input_of(contracts, path));
        input.is_some_and(|input| DynamicMessage::decode(input, self.bytes()).is_ok())
    }

    /// The text of a top-level field; empty if it is not there, the last one if it stands several times, as the
    /// handler's decoder has it.
    pub(super) fn text(&self, field: u32) -> Result<&str, Fault> {
        Ok(self.texts(field)?.pop().unwrap_or_default())
    }

    /// Every text of a top-level field, in order.
    pub(super) fn texts(&self, field: u32) -> Result<Vec<&str>, Fault> {
        let found =
            find(self.bytes(), field).ok_or_else(|| malformed("The request is not a valid message."))?;
        let text =
            |bytes| std::str::from_utf8(bytes).map_err(|_| malformed("A text of the request is not UTF-8."));
        found.into_iter().map(text).collect()
    }
}

/// The message that the RPC at `/<service>/<method>` takes.
fn input_of(contracts: &DescriptorPool, path: &str) -> Option<MessageDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let service = contracts.get_service_by_name(service)?;
    service.methods().find(|one| one.name() == method).map(|method| method.input())
}

fn length(mut prefix: &[u8], limit: usize) -> Result<usize, Fault> {
    if prefix.get_u8() != 0 {
        return Err(malformed("Compressed requests are not accepted. Send it as it is."));
    }
    let length = usize::try_from(prefix.get_u32()).unwrap_or(usize::MAX);
    if length > limit {
        let message = format!("The request is larger than {limit} bytes. Send less at a time.");
        return Err(Fault::resource_exhausted("request.too_large", message));
    }
    Ok(length)
}

fn too_slow() -> Fault {
    let message = format!("The request was not here whole after {ARRIVAL:?}. Send it again, faster.");
    Fault::unavailable("request.too_slow", message)
}

pub(super) fn malformed(message: &str) -> Fault {
    Fault::invalid("request.malformed", message)
}

/// The bytes of every length-delimited field of this number; None if this is no message.
fn find(mut message: &[u8], wanted: u32) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let skipped = match key & 7 {
            0 => {
                varint(&mut message)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)?).ok()?,
            5 => 4,
            // Groups: nothing of ours has them.
            _ => return None,
        };
        let (value, rest) = message.split_at_checked(skipped)?;
        if key & 7 == 2 && key >> 3 == u64::from(wanted) {
            found.push(value);
        }
        message = rest;
    }
    Some(found)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use proto::messaging::ReadEventsRequest;

    use super::*;

    fn encoded() -> Vec<u8> {
        let request =
            ReadEventsRequest { service: "forums".into(), lane: "19".into(), from_seq: u64::MAX, limit: 7 };
        request.encode_to_vec()
    }

    #[test]
    fn fields_are_read_as_the_decoder_reads_them() {
        let mut bytes = encoded();
        // The same field again: the last one wins, here and in the decoder.
        bytes.extend(ReadEventsRequest { lane: "21".into(), ..Default::default() }.encode_to_vec());
        assert_eq!(find(&bytes, 1), Some(vec![b"forums".as_slice()]));
        assert_eq!(find(&bytes, 2), Some(vec![b"19".as_slice(), b"21".as_slice()]));
        assert_eq!(find(&bytes, 9), Some(vec![]));
        assert_eq!(ReadEventsRequest::decode(bytes.as_slice()).unwrap().lane, "21");
    }

    /// A message with its prefix.
    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], length.as_slice(), message].concat()
    }

    /// A body that arrives in pieces of this size.
    fn in_pieces(bytes: &[u8], size: usize) -> Body {
        let frames: Vec<_> = bytes
            .chunks(size)
            .map(|piece| Ok::<_, kernel::Fault>(http_body::Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        Body::new(http_body_util::StreamBody::new(futures::stream::iter(frames)))
    }

    #[tokio::test]
    async fn a_message_is_the_same_in_whatever_pieces_it_arrives() {
        let message = encoded();
        let whole = framed(&message);
        for size in 1..=whole.len() {
            let read = Message::read(in_pieces(&whole, size), message.len()).await.unwrap();
            assert_eq!(read.bytes(), message, "pieces of {size} bytes");
            assert_eq!((read.text(2).unwrap(), read.text(9).unwrap()), ("19", ""));
        }
    }

    #[tokio::test]
    async fn a_body_that_is_not_one_whole_message_within_its_limit_is_refused() {
        let whole = framed(b"1234");
        let refused = async |bytes: &[u8], limit| {
            let read = Message::read(in_pieces(bytes, 3), limit).await;
            read.map(|_| ()).unwrap_err().code().to_owned()
        };
        assert_eq!(refused(&whole, 3).await, "request.too_large");
        assert_eq!(refused(&[&whole[..], b"5"].concat(), 10).await, "request.malformed");
        for end in 0..whole.len() {
            assert_eq!(refused(&whole[..end], 10).await, "request.malformed", "cut after {end} bytes");
        }
        assert_eq!(refused(&[1, 0, 0, 0, 0], 10).await, "request.malformed", "compressed");
        let read = Message::read(in_pieces(&framed(&[0x0a, 1, 0xff]), 3), 3).await.unwrap();
        assert_eq!(read.text(1).unwrap_err().code(), "request.malformed", "no UTF-8");
        let read = Message::read(in_pieces(&framed(&[0x0b]), 6), 1).await.unwrap();
        assert_eq!(read.text(1).unwrap_err().code(), "request.malformed", "a group");
    }

    #[test]
    fn fields_of_every_other_kind_are_passed_over() {
        let varint = [5 << 3, 0xff, 0x01];
        let fixed64 = [&[3 << 3 | 1][..], &[1; 8]].concat();
        let fixed32 = [&[4 << 3 | 5][..], &[1; 4]].concat();
        // Field 100, whose key takes two bytes.
        let text = [0xa2, 0x06, 2, b'I', b'i'];
        let bytes = [&varint[..], &fixed64, &fixed32, &text, &varint].concat();
        assert_eq!(find(&bytes, 100), Some(vec![b"Ii".as_slice()]));
        for other in [3, 4, 5] {
            assert_eq!(find(&bytes, other), Some(vec![]), "not a text");
        }
        for broken in [&fixed64[..8], &fixed32[..4], &varint[..2], &text[..4], &[0x0b], &[0x0c], &[0x80; 11]]
        {
            assert_eq!(find(broken, 1), None, "{broken:?}");
        }
        assert_eq!(varint_of(&[0xff; 9], 0x01), Some(u64::MAX));
    }

    /// The number of these bytes and a last one.
    fn varint_of(first: &[u8], last: u8) -> Option<u64> {
        varint(&mut &[first, &[last]].concat()[..])
    }

    #[tokio::test(start_paused = true)]
    async fn sec_50_a_message_that_does_not_come_is_waited_for_five_seconds() {
        let frames = futures::stream::pending::<Result<http_body::Frame<Bytes>, kernel::Fault>>();
        let began = tokio::time::Instant::now();
        let read = Message::read(Body::new(http_body_util::StreamBody::new(frames)), 10).await;
        assert_eq!(read.unwrap_err().code(), "request.too_slow");
        assert_eq!(began.elapsed(), ARRIVAL);
    }

    #[test]
    fn a_message_that_breaks_off_is_refused() {
        let bytes = encoded();
        for end in 1..bytes.len() {
            let is_whole = ReadEventsRequest::decode(&bytes[..end]).is_ok();
            assert_eq!(find(&bytes[..end], 1).is_some(), is_whole, "cut after {end} bytes");
        }
    }
}
