//! Tests of the whole: how the crates hang together, the stories of the domain, access, secrecy, faults.

mod architecture;
