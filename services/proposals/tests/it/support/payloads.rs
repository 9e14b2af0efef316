//! What proposals has really published, looked at field by field: nothing beyond the list of allowed fields, nobody's
//! words, no reference of a person.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, DynamicMessage, Value};

use super::World;
use crate::allowed::ALLOWED;

/// Stands in every text of a test's proposals, and in nothing else.
pub(crate) const CANARY: &str = "kanarialintu";
/// Stands in their titles, which everybody may read once a human found them fit (P1).
pub(crate) const TITLE_CANARY: &str = "Peipponen";
/// The fields that carry titles.
const TITLES: &str = "titles";
/// References of all people of a world begin so, in text and in bytes; other ids do not.
const PERSON_TEXT: [&str; 2] = ["00000000-0000-0000-0000-0000", "00000000000000000000"];
const PERSON_BYTES: [u8; 10] = [0; 10];

impl World {
    /// What stands in published events that must not; the number of events looked at.
    pub(crate) async fn leaks(&self) -> anyhow::Result<(usize, Vec<String>)> {
        let pool = DescriptorPool::decode(proto::DESCRIPTORS)?;
        let rows = self.rows("SELECT event_type, payload FROM event_log ORDER BY lane, seq").await;
        let mut leaks = Vec::new();
        for row in &rows {
            let kind: String = row.try_get_by_index(0)?;
            let payload: Vec<u8> = row.try_get_by_index(1)?;
            leaks.extend(leaks_of(&pool, &kind, &payload)?);
        }
        Ok((rows.len(), leaks))
    }
}

fn leaks_of(pool: &DescriptorPool, kind: &str, payload: &[u8]) -> anyhow::Result<Vec<String>> {
    let name = kind.trim_start_matches("osallisuus.");
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        return Ok(vec![format!("{kind} is not on the list")]);
    };
    let descriptor =
        pool.get_message_by_name(kind).ok_or_else(|| anyhow::anyhow!("no contract has {kind}"))?;
    let mut message = DynamicMessage::decode(descriptor, payload)?;
    let mut carried = BTreeSet::new();
    collect(&message, "", &mut carried);
    let beyond = carried.into_iter().filter(|field| !allowed.contains(&field.as_str()));
    let mut leaks: Vec<String> = beyond.map(|field| format!("{kind} carries {field}")).collect();
    let mut look = |message: &DynamicMessage, canaries: &[&str]| {
        let bytes = prost::Message::encode_to_vec(message);
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let found = canaries.iter().filter(|canary| text.contains(&canary.to_lowercase()));
        leaks.extend(found.map(|canary| format!("{kind} says {canary}")));
        if bytes.windows(PERSON_BYTES.len()).any(|window| window == PERSON_BYTES) {
            leaks.push(format!("{kind} has the bytes of a reference"));
        }
    };
    let [dashed, plain] = PERSON_TEXT;
    look(&message, &[CANARY, dashed, plain]);
    if allowed.iter().any(|field| field.starts_with("titles.")) {
        message.clear_field_by_name(TITLES);
    }
    look(&message, &[TITLE_CANARY]);
    Ok(leaks)
}

/// Paths of the fields that a message carries, those that its contract does not know as numbers.
fn collect(message: &DynamicMessage, prefix: &str, paths: &mut BTreeSet<String>) {
    paths.extend(message.unknown_fields().map(|field| format!("{prefix}{}", field.number())));
    for (field, value) in message.fields() {
        let path = format!("{prefix}{}", field.name());
        let values = match value {
            Value::List(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            match value {
                Value::Message(inner) => collect(inner, &format!("{path}."), paths),
                _ => {
                    paths.insert(path.clone());
                }
            }
        }
    }
}

#[test]
fn what_must_not_stand_in_an_event_is_found_wherever_it_stands() {
    use prost::{Message as _, Name as _};
    use proto::proposals as pb;

    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let leaks = |kind: &str, payload: &[u8]| leaks_of(&pool, kind, payload).unwrap();
    let closed = |outcome: &str| {
        let proposal_id = "01999999-0000-7000-8000-123456789abc".to_owned();
        pb::ProposalClosed { proposal_id, outcome: outcome.to_owned() }.encode_to_vec()
    };
    let kind = pb::ProposalClosed::full_name();
    assert_eq!(leaks(&kind, &closed("accepted")), [] as [&str; 0]);
    assert_eq!(leaks(&kind, &closed("Kanarialintu")), [format!("{kind} says {CANARY}")]);
    assert_eq!(leaks(&kind, &closed(TITLE_CANARY)), [format!("{kind} says {TITLE_CANARY}")]);
    let person = kernel::Uuid::from_u128(0xC11E_0001).to_string();
    assert_eq!(leaks(&kind, &closed(&person)).len(), 1);
    // A field of number 9 that no contract has.
    let unknown = [closed("accepted"), vec![0x4a, 0x01, b'x']].concat();
    assert_eq!(leaks(&kind, &unknown), [format!("{kind} carries 9")]);
    assert_eq!(leaks("osallisuus.proposals.v1.Secret", &[]).len(), 1);
    let title = pb::PublishedTitle { language: "fi".to_owned(), title: TITLE_CANARY.to_owned() };
    let screened = pb::ProposalScreened { titles: vec![title], ..pb::ProposalScreened::default() };
    assert_eq!(leaks(&pb::ProposalScreened::full_name(), &screened.encode_to_vec()), [] as [&str; 0]);
}
