//! forums: bodies of clients, their seats, and the elections that fill them.

pub mod domain;
