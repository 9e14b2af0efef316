//! The build refuses an RPC that does not say who may call it.

#[path = "../build/access.rs"]
#[expect(dead_code, reason = "the build writes table and page, this test only reads entries")]
mod access;

use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::FileDescriptorSet;

/// The contracts, with `change` applied to them.
fn changed(change: impl Fn(&mut FileDescriptorSet)) -> DescriptorPool {
    let mut pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the descriptors are whole");
    let mut set = FileDescriptorSet::decode(pool.encode_to_vec().as_slice()).expect("a descriptor set");
    change(&mut set);
    pool = DescriptorPool::new();
    pool.decode_file_descriptor_set(set.encode_to_vec().as_slice()).expect("still a valid set");
    pool
}

#[test]
fn the_contracts_as_they_are_have_an_entry_for_every_rpc() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the descriptors are whole");
    let rpcs = pool.services().map(|service| service.methods().len()).sum::<usize>();
    assert_eq!(access::entries(&pool).expect("no fault").len(), rpcs);
    assert_eq!(proto::access::TABLE.len(), rpcs);
}

#[test]
fn an_rpc_without_the_option_fails_the_build() {
    // prost drops extensions when it decodes, so this set has lost the option everywhere.
    let pool = changed(|_| ());
    let faults = access::entries(&pool).err().expect("a fault for every RPC");
    assert!(
        faults.contains("osallisuus.forums.v1.ForumsService.FoundForum: has no access option"),
        "{faults}"
    );
}
