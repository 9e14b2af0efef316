//! The rules, each a few questions to the index; what they find is told with the records that show it.

pub(super) mod answers;
pub(super) mod audit;
pub(super) mod ballots;
pub(super) mod counts;
pub(super) mod marks;
pub(super) mod order;
pub(super) mod projections;
pub(super) mod rolls;
pub(super) mod stream;

use std::path::PathBuf;

use sea_orm::QueryResult;

use super::CheckError;
use super::index::{Index, get, number, text};
use super::verdict::Piece;

/// The index, and what to call the journals.
pub(super) struct Book<'a> {
    pub(super) index: &'a Index,
    pub(super) journals: &'a [PathBuf],
}

impl Book<'_> {
    /// The calls with a key, as their journals tell of them.
    pub(super) async fn calls(
        &self,
        service: &str,
        principal: &str,
        key: &str,
    ) -> Result<Vec<Piece>, CheckError> {
        let question = "SELECT journal, line, rpc, key, outcome, reply FROM op
            WHERE service = ? AND principal = ? AND key = ? ORDER BY journal, line LIMIT 8";
        let rows = self.index.ask(question, &[service, principal, key]).await?;
        rows.iter().map(|row| self.call(row)).collect()
    }

    fn call(&self, row: &QueryResult) -> Result<Piece, CheckError> {
        let journal = usize::try_from(get::<i64>(row, 0)?).unwrap_or_default();
        let file = self.journals.get(journal).map(|file| file.display().to_string()).unwrap_or_default();
        Ok(Piece::Journal {
            file,
            line: number(row, 1)?,
            rpc: text(row, 2)?,
            key: text(row, 3)?,
            outcome: text(row, 4)?,
            reply: text(row, 5)?,
        })
    }

    /// The stored answer with a key; none or one.
    pub(super) async fn answer(
        &self,
        service: &str,
        principal: &str,
        key: &str,
    ) -> Result<Vec<Piece>, CheckError> {
        let question =
            "SELECT service, key, reply FROM answer WHERE service = ? AND principal = ? AND key = ?";
        let rows = self.index.ask(question, &[service, principal, key]).await?;
        let piece = |row: &QueryResult| -> Result<Piece, CheckError> {
            Ok(Piece::CommandLog { service: text(row, 0)?, key: text(row, 1)?, reply: text(row, 2)? })
        };
        rows.iter().map(piece).collect()
    }

    /// Events with a cause.
    pub(super) async fn events_of(&self, service: &str, cause: &str) -> Result<Vec<Piece>, CheckError> {
        let question = "SELECT service, lane, seq, type, hash FROM event WHERE service = ? AND cause = ?
            ORDER BY lane, seq LIMIT 8";
        let rows = self.index.ask(question, &[service, cause]).await?;
        rows.iter().map(|row| event(row, 0)).collect()
    }
}

/// The event in five columns: service, lane, seq, type, hash.
pub(super) fn event(row: &QueryResult, first: usize) -> Result<Piece, CheckError> {
    Ok(Piece::Log {
        service: text(row, first)?,
        lane: text(row, first + 1)?,
        seq: number(row, first + 2)?,
        event_type: text(row, first + 3)?,
        hash: text(row, first + 4)?,
    })
}
