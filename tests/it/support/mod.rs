//! What several tests of the whole need: the platform running, and looks into its databases, streams and logs from
//! outside.

pub(crate) mod dump;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod stream;
pub(crate) mod world;
