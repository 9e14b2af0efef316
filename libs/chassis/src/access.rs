//! The access layer.
mod call;
pub use call::Call;
