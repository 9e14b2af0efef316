//! No question that can be asked is answered with a ballot beside a person: not a voter's, not an official's, not an
//! operator's question (docs/ballots.md). Read from the contracts, so that a new answer is looked at by itself.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

/// Names of all fields that an answer can carry, those of messages inside it too.
fn fields(message: &MessageDescriptor, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        found.insert(field.name().to_owned());
        if let Kind::Message(inner) = field.kind() {
            fields(&inner, seen, found);
        }
    }
}

fn names_a_person(field: &str) -> bool {
    field.ends_with("_ref") || field.ends_with("_refs") || field.contains("participant_id")
}

fn tells_a_choice(field: &str) -> bool {
    field == "approvals" || ["choices", "sealed"].iter().any(|word| field.contains(word))
}

#[test]
fn bal_10_no_answer_has_a_person_and_a_ballot_in_it() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts");
    let services = pool.services().filter(|service| service.package_name().starts_with("osallisuus."));
    let (mut persons, mut choices) = (Vec::new(), Vec::new());
    for method in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let mut found = BTreeSet::new();
        fields(&method.output(), &mut BTreeSet::new(), &mut found);
        if found.iter().any(|field| names_a_person(field)) {
            persons.push(method.full_name().to_owned());
        }
        if found.iter().any(|field| tells_a_choice(field)) {
            choices.push(method.full_name().to_owned());
        }
    }
    let both: Vec<&String> = persons.iter().filter(|name| choices.contains(name)).collect();
    assert!(both.is_empty(), "these answers put a person beside a ballot: {both:?}");
    // The words above are those of the contracts: they find what is there.
    let has = |list: &[String], name: &str| list.iter().any(|one| one.ends_with(name));
    assert!(has(&persons, ".ListCandidates") && has(&persons, ".ListElectoralRoll"), "{persons:?}");
    assert!(has(&choices, ".GetElectionResult"), "{choices:?}");
}
