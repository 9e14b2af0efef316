//! Rows of the log, their hashes, and the check that none was changed, added or left out.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Entry, Outcome};
use crate::entity::audit_log;
use crate::envelope::NO_HASH;
use crate::event::Origin;

/// What every hash begins with: a hash of something else cannot stand for a row.
const FORMAT: &[u8] = b"osallisuus-audit-v1";

/// One row of the log; as JSON, one line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the service whose log it is.
    pub service: String,
    /// Place in the log, dense from 1.
    pub seq: u64,
    /// When it was written, real time, microseconds since 1970 UTC.
    pub at_us: i64,
    /// County, by code; empty if none in particular.
    pub tenant: String,
    /// Who: the service's own reference of a person, or the name of a service; empty for nobody.
    pub actor: String,
    /// "person", "operator", "service" or "anonymous".
    pub actor_kind: String,
    /// How the act came about: "self", "assisted", "dictated" or "on_behalf".
    pub mode: String,
    /// gRPC path.
    pub rpc: String,
    /// What it was about: `name=id`, separated by spaces.
    pub resource: String,
    /// Why, in the caller's words; empty where nobody asks.
    pub purpose: String,
    /// "allowed" or "denied", by the access layer.
    pub decision: String,
    /// "done" or "refused" for commands; "admitted" for what has its row before it begins, as readings do.
    pub outcome: String,
    /// Stable code of the refusal; empty without one.
    pub code: String,
    /// Id shared by everything that follows from one act of a person.
    pub correlation_id: String,
    /// Of a command: the causation id of the events it published. Empty for readings and denials.
    pub causation_id: String,
    /// Hash of the row before; zeros for the first. 32 bytes, in JSON hexadecimal.
    #[serde(with = "hex")]
    pub prev_hash: Vec<u8>,
    /// Hash of this row.
    #[serde(with = "hex")]
    pub hash: Vec<u8>,
}

impl Row {
    /// The row that comes after `head`.
    pub(crate) fn after(
        head: &Head,
        service: &str,
        at_us: i64,
        (entry, outcome, origin): (&Entry, Outcome, &Origin),
    ) -> Self {
        let (decision, outcome, code) = outcome.words();
        let mut row = Self {
            service: service.to_owned(),
            seq: head.seq + 1,
            at_us,
            tenant: entry.tenant.map(|tenant| tenant.to_string()).unwrap_or_default(),
            actor: entry.actor.clone(),
            actor_kind: entry.actor_kind.as_str().to_owned(),
            mode: entry.mode.as_str().to_owned(),
            rpc: entry.rpc.to_owned(),
            resource: entry.resource.clone(),
            purpose: entry.purpose.clone(),
            decision: decision.to_owned(),
            outcome: outcome.to_owned(),
            code,
            correlation_id: origin.correlation_id.clone(),
            causation_id: origin.causation_id.clone(),
            prev_hash: head.hash.clone(),
            hash: Vec::new(),
        };
        row.hash = row.computed_hash();
        row
    }

    /// The hash that the row must have: SHA-256 over the hash of the row before and every field with its length.
    pub fn computed_hash(&self) -> Vec<u8> {
        let mut hasher = Sha256::new();
        hasher.update(FORMAT);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.at_us.to_be_bytes());
        for field in [
            self.prev_hash.as_slice(),
            self.service.as_bytes(),
            self.tenant.as_bytes(),
            self.actor.as_bytes(),
            self.actor_kind.as_bytes(),
            self.mode.as_bytes(),
            self.rpc.as_bytes(),
            self.resource.as_bytes(),
            self.purpose.as_bytes(),
            self.decision.as_bytes(),
            self.outcome.as_bytes(),
            self.code.as_bytes(),
            self.correlation_id.as_bytes(),
            self.causation_id.as_bytes(),
        ] {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        hasher.finalize().to_vec()
    }

    /// Where the log stands after this row.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }

    /// The row of a service's database. Its name is the database's and is not stored.
    pub(crate) fn stored(service: &str, row: audit_log::Model) -> Self {
        Self {
            service: service.to_owned(),
            seq: row.seq.cast_unsigned(),
            at_us: row.at,
            tenant: row.tenant,
            actor: row.actor,
            actor_kind: row.actor_kind,
            mode: row.mode,
            rpc: row.rpc,
            resource: row.resource,
            purpose: row.purpose,
            decision: row.decision,
            outcome: row.outcome,
            code: row.code,
            correlation_id: row.correlation_id,
            causation_id: row.causation_id,
            prev_hash: row.prev_hash,
            hash: row.hash,
        }
    }

    /// The row as the table has it.
    pub(crate) fn into_model(self) -> audit_log::Model {
        audit_log::Model {
            seq: self.seq.cast_signed(),
            at: self.at_us,
            tenant: self.tenant,
            actor: self.actor,
            actor_kind: self.actor_kind,
            mode: self.mode,
            rpc: self.rpc,
            resource: self.resource,
            purpose: self.purpose,
            decision: self.decision,
            outcome: self.outcome,
            code: self.code,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            prev_hash: self.prev_hash,
            hash: self.hash,
        }
    }
}

/// Where a log stands: its last row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last row; 0 for an empty log.
    pub seq: u64,
    /// Its hash; zeros for an empty log.
    pub hash: Vec<u8>,
}

impl Head {
    /// Before the first row.
    pub fn genesis() -> Self {
        Self { seq: 0, hash: NO_HASH.to_vec() }
    }

    /// Before this row, by its own word: where the check of a part of a log begins.
    pub fn before(row: &Row) -> Self {
        Self { seq: row.seq.saturating_sub(1), hash: row.prev_hash.clone() }
    }
}

/// A log that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Number of the first row that is wrong or missing.
    pub seq: u64,
    /// What is wrong.
    pub what: Break,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Break {
    /// Rows are missing before the next one, or out of order.
    Gap,
    /// The row is linked to another row than the one before it.
    Link,
    /// The row is not what was hashed.
    Altered,
    /// A copy of the row says something else.
    Differs,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Break::Gap => "is missing or out of order",
            Break::Link => "is not linked to the row before it",
            Break::Altered => "is not what was written",
            Break::Differs => "is not the same in the copy",
        };
        write!(f, "row {} {what}", self.seq)
    }
}

impl std::error::Error for Broken {}

/// Checks a log row by row.
#[derive(Clone, Debug)]
pub struct Verifier {
    head: Head,
}

impl Verifier {
    /// Begins after `head`: [`Head::genesis`] for a whole log.
    pub fn new(head: Head) -> Self {
        Self { head }
    }

    /// Checks the next row.
    ///
    /// # Errors
    /// The row that is wrong or missing.
    pub fn take(&mut self, row: &Row) -> Result<(), Broken> {
        let seq = self.head.seq + 1;
        let broken = |what| Err(Broken { seq, what });
        if row.seq != seq {
            return broken(Break::Gap);
        }
        if row.prev_hash != self.head.hash {
            return broken(Break::Link);
        }
        if row.hash != row.computed_hash() {
            return broken(Break::Altered);
        }
        self.head = row.head();
        Ok(())
    }

    /// Where the checked part ends.
    pub fn head(&self) -> &Head {
        &self.head
    }
}

/// Checks that rows are a log without gaps, unchanged, from `head` on; says where it ends.
///
/// # Errors
/// The first row that is wrong or missing.
pub fn verify<'a>(head: Head, rows: impl IntoIterator<Item = &'a Row>) -> Result<Head, Broken> {
    let mut verifier = Verifier::new(head);
    for row in rows {
        verifier.take(row)?;
    }
    Ok(verifier.head)
}

mod hex {
    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        HEXLOWER.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Caller, TenantId};

    use super::*;

    fn chain(length: usize) -> Vec<Row> {
        let mut head = Head::genesis();
        let mut rows = Vec::new();
        for number in 0..length {
            let mut entry = Entry::new(&Caller::service("reporting"), "/x.Y/Z", TenantId::new("19").ok());
            entry.about("municipality", &format!("{number:03}"));
            entry.purpose = "Testing".to_owned();
            let origin = Origin { correlation_id: "c".into(), causation_id: "d".into(), traceparent: None };
            let outcome = if number % 2 == 0 { Outcome::Done } else { Outcome::Refused("a.b".to_owned()) };
            rows.push(Row::after(&head, "forums", number as i64, (&entry, outcome, &origin)));
            head = rows[number].head();
        }
        rows
    }

    #[test]
    fn sec_41_a_whole_log_and_every_part_of_it_is_in_order() {
        let rows = chain(6);
        assert_eq!(verify(Head::genesis(), &rows), Ok(rows[5].head()));
        assert_eq!(verify(Head::genesis(), &[]), Ok(Head::genesis()));
        for from in 1..6 {
            assert_eq!(verify(Head::before(&rows[from]), &rows[from..]), Ok(rows[5].head()));
        }
    }

    #[test]
    fn sec_41_a_change_of_any_field_is_found_at_its_row() {
        let changes: [fn(&mut Row); 15] = [
            |row| row.service.push('x'),
            |row| row.at_us += 1,
            |row| row.tenant.push('1'),
            |row| row.actor.push('x'),
            |row| row.actor_kind.push('x'),
            |row| row.mode.push('x'),
            |row| row.rpc.push('x'),
            |row| row.resource.push('x'),
            |row| row.purpose.push('x'),
            |row| row.decision.push('x'),
            |row| row.outcome.push('x'),
            |row| row.code.push('x'),
            |row| row.correlation_id.push('x'),
            |row| row.causation_id.push('x'),
            // A letter that moves from one field to the next is a change too.
            |row| row.outcome = format!("{}{}", row.outcome, row.code.drain(..).collect::<String>()),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut rows = chain(4);
            change(&mut rows[1]);
            let broken = Broken { seq: 2, what: Break::Altered };
            assert_eq!(verify(Head::genesis(), &rows), Err(broken), "change {number}");
            // Hashed anew, the next row tells.
            rows[1].hash = rows[1].computed_hash();
            let broken = Broken { seq: 3, what: Break::Link };
            assert_eq!(verify(Head::genesis(), &rows), Err(broken), "change {number}");
        }
    }

    #[test]
    fn sec_41_rows_left_out_swapped_or_doubled_are_found() {
        let broken = |seq, what| Err(Broken { seq, what });
        let without = |left_out: usize| {
            let mut rows = chain(4);
            rows.remove(left_out);
            verify(Head::genesis(), &rows)
        };
        assert_eq!(without(0), broken(1, Break::Gap));
        assert_eq!(without(2), broken(3, Break::Gap));
        let mut swapped = chain(4);
        swapped.swap(1, 2);
        assert_eq!(verify(Head::genesis(), &swapped), broken(2, Break::Gap));
        let mut doubled = chain(4);
        doubled.insert(1, doubled[1].clone());
        assert_eq!(verify(Head::genesis(), &doubled), broken(3, Break::Gap));
        // The end alone can be cut off unseen; that is what the copy outside is for.
        assert_eq!(without(3), Ok(chain(4)[2].head()));
    }

    #[test]
    fn an_exported_line_is_the_row() {
        let row = chain(2).remove(1);
        let line = serde_json::to_string(&row).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Row>(&line).unwrap(), row);
    }
}
