//! Rule 6: real time. If an act was answered before another was invoked, then it comes first in the log: within a lane,
//! which is more than within a thing, since one writer gives all numbers of a lane.

use std::collections::HashMap;

use super::Book;
use crate::ledger::CheckError;
use crate::ledger::index::{get, number, text};
use crate::ledger::verdict::{Rule, Verdict};

/// Events read at once.
const PAGE: u64 = 5000;

/// The act behind the current place that was answered first, of those under one start of a client's machine: times of
/// two starts cannot be compared.
struct First {
    answered: i64,
    place: (String, String, u64),
    history: (String, String, String),
}

/// Goes through each lane from its end: an act whose answer came before the invocation of one with a lower number is in
/// the wrong order. One pass, and of the acts behind only the one that was answered first is kept for each start of a
/// machine.
pub(in crate::ledger) async fn check(book: &Book<'_>, verdict: &mut Verdict) -> Result<(), CheckError> {
    let question = format!(
        "SELECT e.service, e.lane, e.seq, c.invoked, c.answered, c.boot, c.principal, c.key, e.type, e.hash
         FROM event e JOIN call c ON c.service = e.service AND c.cause = e.cause
         WHERE (e.service, e.lane, e.seq) < (?, ?, CAST(? AS INTEGER))
         ORDER BY e.service DESC, e.lane DESC, e.seq DESC LIMIT {PAGE}"
    );
    // Above every name and number.
    let mut before = ("\u{10FFFF}".to_owned(), String::new(), String::new());
    let mut lane_of_first = (String::new(), String::new());
    let mut first: HashMap<String, First> = HashMap::new();
    loop {
        let page = book.index.ask(&question, &[&before.0, &before.1, &before.2]).await?;
        for row in &page {
            let (service, lane, seq) = (text(row, 0)?, text(row, 1)?, number(row, 2)?);
            before = (service.clone(), lane.clone(), seq.to_string());
            if (&lane_of_first.0, &lane_of_first.1) != (&service, &lane) {
                lane_of_first = (service.clone(), lane.clone());
                first.clear();
            }
            let (invoked, boot) = (get::<i64>(row, 3)?, text(row, 5)?);
            if boot.is_empty() {
                // Sent again after a start of the machine: when it was sent first is not known in the other's time.
                continue;
            }
            let (principal, key) = (text(row, 6)?, text(row, 7)?);
            if let Some(earlier) = first.get(&boot)
                && earlier.answered < invoked
            {
                let mut history =
                    book.calls(&earlier.history.0, &earlier.history.1, &earlier.history.2).await?;
                history.extend(book.calls(&service, &principal, &key).await?);
                history.push(super::event(&row_of(book, &service, &lane, seq).await?, 0)?);
                history.push(super::event(&row_of(book, &service, &lane, earlier.place.2).await?, 0)?);
                let what = format!(
                    "{service}, lane {lane}: event {} was answered before the act of event {seq} was invoked",
                    earlier.place.2
                );
                verdict.broken(Rule::Order, what, history);
            }
            let answered: Option<i64> = get(row, 4)?;
            if let Some(answered) = answered
                && first.get(&boot).is_none_or(|first| answered < first.answered)
            {
                let place = (service.clone(), lane, seq);
                first.insert(boot, First { answered, place, history: (service, principal, key) });
            }
        }
        if page.is_empty() {
            return Ok(());
        }
    }
}

async fn row_of(
    book: &Book<'_>,
    service: &str,
    lane: &str,
    seq: u64,
) -> Result<sea_orm::QueryResult, CheckError> {
    let question = "SELECT service, lane, seq, type, hash FROM event
        WHERE service = ? AND lane = ? AND seq = CAST(? AS INTEGER)";
    let rows = book.index.ask(question, &[service, lane, &seq.to_string()]).await?;
    rows.into_iter().next().ok_or_else(|| CheckError::Other("an event left the index".to_owned()))
}
