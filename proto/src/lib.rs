//! The contracts: gRPC services, events and the access entry of every RPC, generated at build time from
//! `proto/osallisuus/**`. Nothing generated is committed but `ACCESS.md`, which a test keeps current.
//!
//! - [`common`], [`messaging`], [`membership`], [`forums`], [`proposals`]: messages, clients and servers, one module a package.
//! - [`access`]: who may call which RPC; the servers enforce it, `ACCESS.md` shows it.
//! - [`DESCRIPTORS`]: the descriptor set, for reflection and for tests that are driven by the contracts.

pub mod access;

mod generated {
    #![expect(
        missing_docs,
        unreachable_pub,
        clippy::all,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated from the contracts, whose comments are the docs"
    )]
    pub mod common {
        pub mod v1 {
            tonic::include_proto!("osallisuus.common.v1");
        }
    }
    pub mod messaging {
        pub mod v1 {
            tonic::include_proto!("osallisuus.messaging.v1");
        }
    }
    pub mod membership {
        pub mod v1 {
            tonic::include_proto!("osallisuus.membership.v1");
        }
    }
    pub mod forums {
        pub mod v1 {
            tonic::include_proto!("osallisuus.forums.v1");
        }
    }
    pub mod proposals {
        pub mod v1 {
            tonic::include_proto!("osallisuus.proposals.v1");
        }
    }
}

pub use generated::common::v1 as common;
pub use generated::forums::v1 as forums;
pub use generated::membership::v1 as membership;
pub use generated::messaging::v1 as messaging;
pub use generated::proposals::v1 as proposals;

/// Encoded `FileDescriptorSet` of all contracts, options included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
