//! Every file of the fuzzer's corpus again, and small changes of each: what was found once stays found (TST-20).

use std::path::{Path, PathBuf};

use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

#[path = "../fuzz/targets.rs"]
mod targets;

use targets::{TARGETS, world};

/// Changes tried of each file.
const CHANGES: u64 = 8;

#[test]
fn tst_20_no_input_of_the_corpus_breaks_anything() {
    for (name, target) in TARGETS {
        let files = files(name);
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in &files {
            let bytes = std::fs::read(file).expect("a file of the corpus");
            target(&bytes);
            for seed in 0..CHANGES {
                target(&changed(&bytes, seed));
            }
        }
        println!("{name}: {} files, {CHANGES} changes of each", files.len());
    }
}

/// A copy with some bits turned, a piece cut out or doubled.
fn changed(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut changed = bytes.to_vec();
    if changed.is_empty() {
        return vec![random.random()];
    }
    let place = random.random_range(0..changed.len());
    let end = random.random_range(place..changed.len());
    match seed % 4 {
        0 => changed[place] ^= 1 << random.random_range(0..8),
        1 => drop(changed.drain(place..end)),
        2 => changed.splice(place..place, bytes[place..end].to_vec()).for_each(drop),
        _ => changed.truncate(place),
    }
    changed
}

/// The requests of the corpus are made from the contracts: one of each RPC with all its fields. `UPDATE_CORPUS=1`
/// writes those of new RPCs.
#[test]
fn tst_20_every_rpc_has_a_request_in_the_corpus() {
    let mut missing = Vec::new();
    for (path, input) in requests() {
        let file = folder("rpc").join(path.trim_start_matches('/').replace('/', "."));
        if file.exists() {
            continue;
        }
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            let message = prost::Message::encode_to_vec(&filled(&input, 0));
            let bytes = [path.as_bytes(), b"\n", &message].concat();
            std::fs::write(file, bytes).expect("written");
        } else {
            missing.push(path);
        }
    }
    assert!(missing.is_empty(), "run this test with UPDATE_CORPUS=1 for {missing:?}");
}

fn requests() -> Vec<(String, MessageDescriptor)> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts");
    let services = pool.services().filter(|service| service.package_name().starts_with("osallisuus."));
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let path = |method: &prost_reflect::MethodDescriptor| {
        format!("/{}/{}", method.parent_service().full_name(), method.name())
    };
    methods.map(|method| (path(&method), method.input())).collect()
}

/// A message with every field set to something that its name asks for.
fn filled(message: &MessageDescriptor, depth: u8) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let Some(value) = value(&field, depth) else { continue };
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        made.set_field(&field, value);
    }
    made
}

fn value(field: &FieldDescriptor, depth: u8) -> Option<Value> {
    Some(match field.kind() {
        Kind::String => Value::String(text(field.name())),
        Kind::Bytes => Value::Bytes(vec![9; 32].into()),
        Kind::Bool => Value::Bool(true),
        Kind::Uint32 => Value::U32(1),
        Kind::Uint64 => Value::U64(1),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 => Value::I64(1),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(_) if depth > 3 || field.is_map() => return None,
        Kind::Message(inner) => Value::Message(filled(&inner, depth + 1)),
        _ => return None,
    })
}

fn text(name: &str) -> String {
    match name {
        "service" => "forums".to_owned(),
        "tenant" | "tenants" | "co_tenants" | "lane" => "19".to_owned(),
        "municipality" | "municipalities" => "139".to_owned(),
        "service_group" | "group" => "disability_services".to_owned(),
        "page_token" => String::new(),
        name if name.ends_with("_id") || name.ends_with("_ids") || name.contains("reference") => {
            world::KNOWN.to_string()
        }
        name if name.ends_with("_on") || name.ends_with("_from") || name.ends_with("_until") => {
            "2030-05-01".to_owned()
        }
        name => format!("Jokin {name}"),
    }
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn files(target: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(target)).expect("a folder of the corpus");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}
