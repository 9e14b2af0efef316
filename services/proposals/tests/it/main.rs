//! proposals on real databases: SQLite always, PostgreSQL where the rule might depend on the engine.

mod lifecycle;
mod support;
mod text_rows;
