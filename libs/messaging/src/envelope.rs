//! An event with its place in a lane, and the hash that ties it to the one before.
//!
//! `hash = SHA-256(prev_hash ‖ canonical(header) ‖ SHA-256(payload))`. The canonical header is every other field of the
//! envelope in a fixed order, each text with its length before it, so no two headers have the same bytes. A reader that
//! checks the sequence and the link has proof that it has missed nothing and that nobody has changed anything.

use sha2::{Digest, Sha256};

pub use proto::messaging::Envelope;

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// What the first event of a lane names as the one before.
pub const NO_HASH: [u8; HASH_BYTES] = [0; HASH_BYTES];

/// The hash an envelope must carry. `prev_hash`, `payload` and all header fields count; `hash` itself does not.
pub fn hash(envelope: &Envelope) -> [u8; HASH_BYTES] {
    let mut hasher = Sha256::new();
    hasher.update(&envelope.prev_hash);
    hasher.update(b"osallisuus-event-v1");
    text(&mut hasher, &envelope.service);
    text(&mut hasher, &envelope.lane);
    hasher.update(envelope.epoch.to_be_bytes());
    hasher.update(envelope.seq.to_be_bytes());
    text(&mut hasher, &envelope.event_id);
    text(&mut hasher, &envelope.event_type);
    hasher.update(envelope.schema_version.to_be_bytes());
    text(&mut hasher, &envelope.aggregate_type);
    text(&mut hasher, &envelope.aggregate_id);
    hasher.update(envelope.occurred_at_us.to_be_bytes());
    text(&mut hasher, &envelope.causation_id);
    text(&mut hasher, &envelope.correlation_id);
    text(&mut hasher, &envelope.traceparent);
    hasher.update((envelope.co_tenants.len() as u64).to_be_bytes());
    for tenant in &envelope.co_tenants {
        text(&mut hasher, tenant);
    }
    hasher.update(Sha256::digest(&envelope.payload));
    hasher.finalize().into()
}

/// Whether the envelope carries its own right hash.
pub fn is_intact(envelope: &Envelope) -> bool {
    envelope.prev_hash.len() == HASH_BYTES && envelope.hash == hash(envelope)
}

fn text(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            service: "forums".into(),
            lane: "19".into(),
            epoch: 1,
            seq: 7,
            event_id: "0190b2a4-0000-7000-8000-000000000001".into(),
            event_type: "osallisuus.forums.v1.SeatFilled".into(),
            schema_version: 1,
            aggregate_type: "election".into(),
            aggregate_id: "e1".into(),
            occurred_at_us: 1_750_000_000_000_000,
            causation_id: "cause".into(),
            correlation_id: "act".into(),
            traceparent: String::new(),
            co_tenants: vec!["21".into()],
            payload: vec![1, 2, 3],
            prev_hash: NO_HASH.to_vec(),
            hash: Vec::new(),
        }
    }

    #[test]
    fn every_field_counts() {
        let changes: [fn(&mut Envelope); 16] = [
            |e| e.service = "reporting".into(),
            |e| e.lane = "21".into(),
            |e| e.epoch = 2,
            |e| e.seq = 8,
            |e| e.event_id.push('0'),
            |e| e.event_type.push('X'),
            |e| e.schema_version = 2,
            |e| e.aggregate_type.push('x'),
            |e| e.aggregate_id.push('x'),
            |e| e.occurred_at_us += 1,
            |e| e.causation_id.push('x'),
            |e| e.correlation_id.push('x'),
            |e| e.traceparent.push('x'),
            |e| e.co_tenants.clear(),
            |e| e.payload[0] = 9,
            |e| e.prev_hash[0] = 1,
        ];
        let original = hash(&envelope());
        for (number, change) in changes.iter().enumerate() {
            let mut changed = envelope();
            change(&mut changed);
            assert_ne!(hash(&changed), original, "change {number} went unnoticed");
        }
    }

    #[test]
    fn moving_text_between_fields_changes_the_hash() {
        let mut shifted = envelope();
        shifted.causation_id = "caus".into();
        shifted.correlation_id = "eact".into();
        assert_ne!(hash(&shifted), hash(&envelope()));
    }

    #[test]
    fn the_canonical_form_does_not_change() {
        // Computed by another program: stored logs depend on it, and others may check them.
        let hex: String = hash(&envelope()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "67849aba92fd03d41f11dfe8feb25de5f3b04aaf7059208ec505b0b553f4730b");
    }
}
