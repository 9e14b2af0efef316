//! Tests of the whole: how the crates hang together, the stories of the domain, access, secrecy, faults.

mod access;
mod architecture;
mod corpus;
mod faults;
mod ledger;
mod manual;
mod operations;
mod privacy;
mod secrecy;
mod stories;
mod support;
mod system;
mod transport;
mod watch;
