//! A supervised nats-server.
