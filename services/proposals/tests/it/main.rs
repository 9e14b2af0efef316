//! proposals on real databases: SQLite always, PostgreSQL where the rule might depend on the engine.

#![expect(clippy::unwrap_used, reason = "what tests share is a test too")]

#[path = "../../../../proto/tests/allowed/mod.rs"]
mod allowed;
mod answers;
mod attachments;
mod comments;
mod comparison;
mod dictation;
mod histories;
mod joining;
mod lifecycle;
mod lists;
mod own_words;
mod screening;
mod searching;
mod support;
mod supports;
mod text_rows;
mod texts;
mod writing;
