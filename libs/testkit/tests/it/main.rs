//! The harness holds what it promises: servers answer, survive what tests do to them, and are gone afterwards.

mod nats;
mod postgres;
mod system;
