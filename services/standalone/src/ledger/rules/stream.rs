//! Rule 4: the stream is a copy of the log. Within what it keeps, every event is there at least once, as the log has it,
//! and the first occurrences of a lane come in its order.

use kernel::{Clock as _, SystemClock};
use sea_orm::QueryResult;

use super::{Book, event};
use crate::ledger::CheckError;
use crate::ledger::index::{number, text};
use crate::ledger::verdict::{Piece, Rule, Verdict};

/// Checks the stream of a service. `rewound` is true where the broker lost events and they were published anew, behind
/// later ones; readers put them in order by their numbers.
pub(in crate::ledger) async fn check(
    book: &Book<'_>,
    service: &str,
    rewound: bool,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    differing(book, service, verdict).await?;
    beyond(book, service, verdict).await?;
    unpublished(book, service, verdict).await?;
    if rewound { Ok(()) } else { disordered(book, service, verdict).await }
}

/// Messages that the log does not have so. Those of an epoch that was given up are nobody's business.
async fn differing(book: &Book<'_>, service: &str, verdict: &mut Verdict) -> Result<(), CheckError> {
    let question = "SELECT m.service, m.place, m.lane, m.seq, m.hash, m.fault,
            e.service, e.lane, e.seq, e.type, e.hash
        FROM message m LEFT JOIN event e ON e.service = m.service AND e.lane = m.lane AND e.seq = m.seq
        WHERE m.service = ? AND (m.fault <> ''
            OR (e.hash IS NOT NULL AND e.hash <> m.hash AND m.epoch >= e.epoch))
        ORDER BY m.place LIMIT 1000";
    for row in book.index.ask(question, &[service]).await? {
        let mut history = vec![message(&row, 0)?];
        if !text(&row, 6)?.is_empty() {
            history.push(event(&row, 6)?);
        }
        let (lane, seq) = (text(&row, 2)?, number(&row, 3)?);
        let fault = text(&row, 5)?;
        let how = if fault.is_empty() { "is another one in the log" } else { fault.as_str() };
        verdict.broken(
            Rule::Stream,
            format!("{service}, lane {lane}: event {seq} of the stream {how}"),
            history,
        );
    }
    Ok(())
}

/// Messages beyond the end of the log: it has lost events that were published, for example because its database was put
/// back without a new epoch.
async fn beyond(book: &Book<'_>, service: &str, verdict: &mut Verdict) -> Result<(), CheckError> {
    let question = "SELECT m.service, m.place, m.lane, m.seq, m.hash FROM message m
        LEFT JOIN head h ON h.service = m.service AND h.lane = m.lane
        WHERE m.service = ? AND (h.seq IS NULL OR (m.seq > h.seq AND m.epoch >= h.epoch))
        ORDER BY m.place LIMIT 1000";
    for row in book.index.ask(question, &[service]).await? {
        let what = format!(
            "{service}, lane {}: event {} of the stream is not in the log",
            text(&row, 2)?,
            number(&row, 3)?
        );
        verdict.broken(Rule::Stream, what, vec![message(&row, 0)?]);
    }
    Ok(())
}

/// Events that are not in the stream. Everything behind the first of the lane must be there, and everything younger than
/// a stream keeps: younger than that when the last event happened and when its first message came, since a stream that
/// was lost is filled again with no more than it keeps; and in a stream that is old enough for messages to have left it by
/// age, younger than that now.
async fn unpublished(book: &Book<'_>, service: &str, verdict: &mut Verdict) -> Result<(), CheckError> {
    let keeps = i64::try_from(messaging::provision::MAX_AGE.as_micros()).unwrap_or(i64::MAX);
    let now = SystemClock.now().as_micros();
    let question = format!(
        "WITH newest AS (SELECT MAX(occurred, CASE WHEN (SELECT old FROM stream WHERE service = ?1) THEN {now} ELSE 0 END,
                    COALESCE((SELECT first FROM stream WHERE service = ?1), 0)) AS at
                FROM (SELECT MAX(occurred) AS occurred FROM event WHERE service = ?1)),
            oldest AS (SELECT lane, MIN(seq) AS seq FROM message WHERE service = ?1 GROUP BY lane)
        SELECT e.service, e.lane, e.seq, e.type, e.hash FROM event e LEFT JOIN oldest o ON o.lane = e.lane
        WHERE e.service = ?1
            AND (e.seq > COALESCE(o.seq, 9223372036854775807) OR e.occurred > (SELECT at FROM newest) - {keeps})
            AND NOT EXISTS (SELECT 1 FROM message m WHERE m.service = e.service AND m.lane = e.lane AND m.seq = e.seq
                AND m.epoch >= e.epoch)
        ORDER BY e.lane, e.seq LIMIT 1000"
    );
    for row in book.index.ask(&question, &[service]).await? {
        let what =
            format!("{service}, lane {}: event {} is not in the stream", text(&row, 1)?, number(&row, 2)?);
        verdict.broken(Rule::Stream, what, vec![event(&row, 0)?]);
    }
    Ok(())
}

async fn disordered(book: &Book<'_>, service: &str, verdict: &mut Verdict) -> Result<(), CheckError> {
    let question = "WITH first AS (
            SELECT m.service, m.lane, m.seq, m.epoch, MIN(m.place) AS place, m.hash FROM message m
            JOIN event e ON e.service = m.service AND e.lane = m.lane AND e.seq = m.seq AND e.hash = m.hash
            WHERE m.service = ? GROUP BY m.lane, m.seq),
        pairs AS (SELECT *, LAG(seq) OVER w AS seq_before, LAG(place) OVER w AS place_before,
            LAG(hash) OVER w AS hash_before FROM first WINDOW w AS (PARTITION BY lane ORDER BY seq))
        SELECT service, place, lane, seq, hash, service, place_before, lane, seq_before, hash_before FROM pairs
        WHERE place < place_before ORDER BY lane, seq LIMIT 1000";
    for row in book.index.ask(question, &[service]).await? {
        let (lane, seq, before) = (text(&row, 2)?, number(&row, 3)?, number(&row, 8)?);
        let what = format!("{service}, lane {lane}: event {seq} came before event {before}");
        verdict.broken(Rule::Stream, what, vec![message(&row, 0)?, message(&row, 5)?]);
    }
    Ok(())
}

/// The message in five columns: service, place, lane, seq, hash.
fn message(row: &QueryResult, first: usize) -> Result<Piece, CheckError> {
    Ok(Piece::Stream {
        service: text(row, first)?,
        place: number(row, first + 1)?,
        lane: text(row, first + 2)?,
        seq: number(row, first + 3)?,
        hash: text(row, first + 4)?,
    })
}
