//! New epochs: which, and the statements that begin them.

use kernel::TenantId;
use serde::Serialize;

use crate::broker::wire::to_hex;
use crate::database::DatabaseKind;
use crate::envelope::NO_HASH;
use crate::log::LaneHead;

/// A lane before and after a new epoch began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Raised {
    /// Lane: county code.
    pub lane: String,
    /// Epoch before; 0 if the lane had no event yet.
    pub old_epoch: u64,
    /// Epoch of the events to come.
    pub new_epoch: u64,
    /// Sequence number of the last event.
    pub seq: u64,
    /// Hash of the last event, in hexadecimal digits; empty for an empty lane.
    pub hash: String,
}

impl Raised {
    /// A new epoch for every lane that ends here, and for those of `tenants` that have no event yet, so that a lane whose
    /// events were all lost does not begin again in the epoch in which others have read them. It is higher than any that
    /// is known here and at least `at_least`: with the time in it, it is also higher than those of a log that was
    /// restored before and is not known here any more.
    pub fn all(heads: &[LaneHead], tenants: &[TenantId], at_least: u64) -> Vec<Self> {
        let highest = heads.iter().map(|head| head.epoch).max().unwrap_or_default();
        let new_epoch = (highest + 1).max(at_least);
        let known = heads.iter().map(|head| {
            let hash = if head.seq == 0 { String::new() } else { to_hex(&head.hash) };
            Self { lane: head.lane.clone(), old_epoch: head.epoch, new_epoch, seq: head.seq, hash }
        });
        let lanes = tenants.iter().map(TenantId::as_str);
        let missing = lanes.filter(|lane| heads.iter().all(|head| head.lane != *lane)).map(|lane| {
            let (lane, hash) = (lane.to_owned(), String::new());
            Self { lane, old_epoch: 0, new_epoch, seq: 0, hash }
        });
        let mut raised: Vec<Self> = known.chain(missing).collect();
        raised.sort_by(|one, other| one.lane.cmp(&other.lane));
        raised
    }

    /// Begins the new epoch of this lane.
    pub(crate) fn statement(&self, kind: DatabaseKind) -> String {
        let (lane, epoch, nothing) = (quoted(&self.lane), self.new_epoch, to_hex(&NO_HASH));
        let nothing = match kind {
            DatabaseKind::Sqlite => format!("x'{nothing}'"),
            DatabaseKind::Postgres => format!("decode('{nothing}', 'hex')"),
        };
        format!(
            "INSERT INTO event_head (lane, epoch, next_seq, head_hash, watermark_seq, published_seq) \
             VALUES ({lane}, {epoch}, 1, {nothing}, 0, 0) ON CONFLICT (lane) DO UPDATE SET epoch = excluded.epoch"
        )
    }
}

/// A text as a literal in a statement.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
