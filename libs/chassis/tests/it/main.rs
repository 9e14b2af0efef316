//! A process of Osallisuus from outside: what it refuses to start with, whom it lets in, what it tells, how it ends.

mod access;
mod audit;
mod configuration;
mod fixture;
mod gap;
mod keys;
mod lifecycle;
mod nats_child;
mod observed;
mod parked;
mod pipeline;
mod tokens;
mod toy;
