//! The rules of membership: plain values and functions, no database and no network.
//!
//! | module | what it decides |
//! | --- | --- |
//! | [`text`] | names, keys, addresses: what may be stored |
//! | [`code`] | codes on cards and papers: alphabet, groups, how they are read back |
//! | [`tenancy`] | dated policy values, regions, service units |
//! | [`participant`] | a person in a county's register, from invited to left |
//! | [`attestation`] | who is a client of which services where (M1) |
//! | [`role`] | roles in scopes, and which exclude each other (M7, F8) |
//! | [`mandate`] | acting on behalf of another |
//! | [`support`] | who helps a member, accepted by them (M3, M4) |
//! | [`card`] | code cards: single use, expiring, locked after wrong tries |
//! | [`roll`] | electoral rolls: one human, one entry |
//! | [`contact`] | how somebody wants to be told, and the words |
//! | [`notice`] | one notice a person a day |
//! | [`token`] | what a token tells about its holder |
//! | [`import`] | rows of a county's register file |
//! | [`rejection`] | every refusal, with its code and its remedy |

pub mod attestation;
pub mod card;
pub mod code;
pub mod contact;
pub mod import;
pub mod mandate;
pub mod notice;
pub mod participant;
pub mod rejection;
pub mod role;
pub mod roll;
pub mod support;
pub mod tenancy;
pub mod text;
pub mod token;

pub use participant::PersonId;
pub use rejection::Rejection;
