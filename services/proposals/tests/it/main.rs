//! proposals on real databases: SQLite always, PostgreSQL where the rule might depend on the engine.

mod joining;
mod lifecycle;
mod lists;
mod screening;
mod support;
mod text_rows;
mod writing;
