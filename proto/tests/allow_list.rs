//! What a published event may carry (docs/events.md). Being in a client forum reveals a disability, so an event
//! that names a person, directly or through a reference, is a leak. Every field of every event is listed in `allowed`;
//! a new one fails this test until somebody has thought about it.

mod allowed;

use allowed::ALLOWED;
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use std::collections::BTreeMap;

/// Words that no field of an event may contain, whatever the list above says.
const FORBIDDEN: &[&str] = &[
    "display_name",
    "ballot_name",
    "email",
    "phone",
    "hetu",
    "birth",
    "address",
    "diagnosis",
    "decision",
    "participant",
    "subject",
    "_ref",
    "holder",
    "voter",
    "text",
    "body",
];

fn events() -> BTreeMap<String, Vec<String>> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the descriptors are whole");
    let files: Vec<_> = pool.files().filter(|file| file.name().ends_with("/events.proto")).collect();
    // Messages that stand inside others (TypeCount) are reached through them.
    let inner: Vec<String> = files
        .iter()
        .flat_map(|file| file.messages())
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter_map(|field| match field.kind() {
            Kind::Message(message) => Some(message.full_name().to_owned()),
            _ => None,
        })
        .collect();
    files
        .iter()
        .flat_map(|file| file.messages())
        .filter(|message| !inner.contains(&message.full_name().to_owned()))
        .map(|message| {
            let name = message.full_name().trim_start_matches("osallisuus.").to_owned();
            let mut paths = Vec::new();
            collect(&message, "", &mut paths);
            (name, paths)
        })
        .collect()
}

fn collect(message: &MessageDescriptor, prefix: &str, paths: &mut Vec<String>) {
    for field in message.fields() {
        let path = format!("{prefix}{}", field.name());
        match field.kind() {
            Kind::Message(inner) => collect(&inner, &format!("{path}."), paths),
            _ => paths.push(path),
        }
    }
}

#[test]
fn every_event_carries_exactly_what_the_allow_list_says() {
    let allowed: BTreeMap<String, Vec<String>> = ALLOWED
        .iter()
        .map(|(name, fields)| ((*name).to_owned(), fields.iter().map(|field| (*field).to_owned()).collect()))
        .collect();
    for (name, fields) in events() {
        let Some(expected) = allowed.get(&name) else {
            panic!("{name} is published but nobody has said what it may carry")
        };
        assert_eq!(&fields, expected, "{name} carries other fields than the allow-list");
    }
    let published = events();
    for name in allowed.keys() {
        assert!(published.contains_key(name), "{name} is on the allow-list but no longer published");
    }
}

#[test]
fn no_event_has_a_field_that_names_a_person() {
    for (name, fields) in events() {
        for field in fields {
            let bad = FORBIDDEN.iter().find(|word| field.contains(**word));
            assert!(bad.is_none(), "{name}.{field} contains {bad:?}");
        }
    }
}
