//! Rule 5: every projection stands where its source's log ends, has nothing parked, and holds what a fresh fold gives.

use std::collections::{BTreeMap, BTreeSet};

use messaging::log::LaneHead;
use sea_orm::ConnectionTrait;

use super::{Book, event};
use crate::ledger::fold::{Declared, FOLDED, Side, TAKEN, Taken};
use crate::ledger::gather::{Source, ask};
use crate::ledger::index::{get, number, text};
use crate::ledger::verdict::{Piece, Rule, Verdict};
use crate::ledger::{CheckError, hex};

/// Where a projection is in a lane; at the beginning if it has read nothing.
#[derive(Debug, Default)]
struct At {
    epoch: u64,
    seq: u64,
    hash: String,
    stopped: String,
}

/// Checks the cursors of a service's projections; gives those sources of which it has taken everything, and nothing
/// since the check began.
pub(in crate::ledger) async fn cursors(
    service: &'static str,
    view: &impl ConnectionTrait,
    declared: &[Declared],
    sources: &[Source],
    verdict: &mut Verdict,
) -> Result<Vec<&'static str>, CheckError> {
    let mut complete = Vec::new();
    for one in declared.iter().filter(|one| one.service == service) {
        let Some(source) = sources.iter().find(|source| source.service() == one.source) else { continue };
        let cursors = cursors_of(view, one).await?;
        // Read after them: what a projection has taken beyond these is in no log.
        let now = source.ends().await?.heads;
        let lanes: BTreeSet<&str> =
            source.lanes().map(|head| head.lane.as_str()).chain(cursors.keys().map(String::as_str)).collect();
        let nothing = (At::default(), LaneHead::default());
        let mut all = true;
        for lane in lanes {
            let at = cursors.get(lane).unwrap_or(&nothing.0);
            let head = source.lanes().find(|head| head.lane == lane).unwrap_or(&nothing.1);
            let end = now.iter().find(|head| head.lane == lane).unwrap_or(&nothing.1);
            verdict.looked.cursors += 1;
            all &= at.seq == head.seq;
            // Beyond the head: the system writes while it is checked, and the next check sees that event.
            let is_there =
                at.seq > head.seq || (at.seq == head.seq && (at.seq == 0 || at.hash == hex(&head.hash)));
            let why = if !at.stopped.is_empty() {
                "stands still"
            } else if at.seq > end.seq && at.epoch >= end.epoch {
                "is beyond where its source ends"
            } else if !is_there {
                "is not where its source ends"
            } else {
                continue;
            };
            let what =
                format!("{service}: the projection {} of lane {lane} {why} {}", one.projection, at.stopped);
            let cursor = Piece::Cursor {
                service: service.to_owned(),
                projection: one.projection.to_owned(),
                lane: lane.to_owned(),
                seq: at.seq,
                hash: at.hash.clone(),
            };
            let head = Piece::Log {
                service: one.source.to_owned(),
                lane: lane.to_owned(),
                seq: head.seq,
                event_type: String::new(),
                hash: hex(&head.hash),
            };
            verdict.broken(Rule::Projection, what.trim_end(), vec![cursor, head]);
        }
        if all {
            complete.push(one.source);
        }
    }
    Ok(complete)
}

/// Where a projection is, by lane.
async fn cursors_of(view: &impl ConnectionTrait, one: &Declared) -> Result<BTreeMap<String, At>, CheckError> {
    let question = "SELECT lane, epoch, last_seq, last_hash, stopped FROM projection_cursor
        WHERE projection = $1 AND source = $2";
    let mut cursors = BTreeMap::new();
    for row in ask(view, question, [one.projection.into(), one.source.into()]).await? {
        let (epoch, seq) = (number(&row, 1)?, number(&row, 2)?);
        let (hash, stopped) = (hex(&get::<Vec<u8>>(&row, 3)?), text(&row, 4)?);
        cursors.insert(text(&row, 0)?, At { epoch, seq, hash, stopped });
    }
    Ok(cursors)
}

/// Nothing is parked.
pub(in crate::ledger) async fn parked(
    service: &'static str,
    view: &impl ConnectionTrait,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let question =
        "SELECT source, lane, seq, event_type, kind, projection FROM parked_event WHERE state = 'parked'
        ORDER BY projection, source, lane, seq LIMIT 1000";
    for row in ask(view, question, []).await? {
        let (source, lane, seq, event_type) =
            (text(&row, 0)?, text(&row, 1)?, number(&row, 2)?, text(&row, 3)?);
        let (kind, projection) = (text(&row, 4)?, text(&row, 5)?);
        let what = format!("{service}: an event is parked as {kind} in {projection}");
        let piece = Piece::Log { service: source, lane, seq, event_type, hash: String::new() };
        verdict.broken(Rule::Projection, what, vec![piece]);
    }
    Ok(())
}

/// The content of the folded tables: the rows that are on one side only.
pub(in crate::ledger) async fn contents(
    book: &Book<'_>,
    service: &'static str,
    complete: &[&'static str],
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    for (_, source, table) in FOLDED.iter().filter(|(reader, ..)| *reader == service) {
        if !complete.contains(source) {
            verdict
                .not_looked
                .push(format!("{service}.{table}: its projection of {source} is not at its end"));
            continue;
        }
        for (side, other, what) in [
            (Side::Live, Side::Fresh, "has a row that no event made"),
            (Side::Fresh, Side::Live, "lacks a row that events made"),
        ] {
            let question = format!(
                "SELECT line FROM content WHERE side = {} AND service = ?1 AND name = ?2
                 EXCEPT SELECT line FROM content WHERE side = {} AND service = ?1 AND name = ?2 LIMIT 20",
                side as u8, other as u8
            );
            for row in book.index.ask(&question, &[service, table]).await? {
                let row = Piece::Row {
                    service: service.to_owned(),
                    table: (*table).to_owned(),
                    row: text(&row, 0)?,
                };
                verdict.broken(Rule::Projection, format!("{service}: {table} {what}"), vec![row]);
            }
        }
    }
    Ok(())
}

/// Of events that write beside commands: each one's row is there, unless the event is parked or was dismissed; and, where
/// a rebuild clears up, no row is there without its event.
pub(in crate::ledger) async fn taken(
    book: &Book<'_>,
    service: &'static str,
    view: &impl ConnectionTrait,
    complete: &[&'static str],
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    for taken in TAKEN.iter().filter(|taken| taken.service == service) {
        if !complete.contains(&taken.source) {
            let (table, source) = (taken.table, taken.source);
            verdict
                .not_looked
                .push(format!("{service}.{table}: its projection of {source} is not at its end"));
            continue;
        }
        let live = format!(
            "SELECT line FROM content WHERE side = {} AND service = ?1 AND name = ?2",
            Side::Live as u8
        );
        let lacking = format!(
            "SELECT source, lane, seq, type, hash, line FROM taken WHERE service = ?1 AND name = ?2
             AND line NOT IN ({live}) ORDER BY source, lane, seq LIMIT 1000"
        );
        for row in book.index.ask(&lacking, &[service, taken.table]).await? {
            let (source, lane, seq) = (text(&row, 0)?, text(&row, 1)?, get::<i64>(&row, 2)?);
            let waits = "SELECT 1 FROM parked_event WHERE source = $1 AND lane = $2 AND seq = $3
                AND state <> 'projected'";
            if !ask(view, waits, [source.into(), lane.into(), seq.into()]).await?.is_empty() {
                continue;
            }
            let missing = row_piece(taken, text(&row, 5)?);
            let what = format!("{service}: {} lacks a row that events made", taken.table);
            verdict.broken(Rule::Projection, what, vec![event(&row, 0)?, missing]);
        }
        if !taken.is_swept {
            continue;
        }
        let made_up =
            format!("{live} EXCEPT SELECT line FROM taken WHERE service = ?1 AND name = ?2 LIMIT 20");
        for row in book.index.ask(&made_up, &[service, taken.table]).await? {
            let what = format!("{service}: {} has a row that no event made", taken.table);
            verdict.broken(Rule::Projection, what, vec![row_piece(taken, text(&row, 0)?)]);
        }
    }
    Ok(())
}

fn row_piece(taken: &Taken, row: String) -> Piece {
    Piece::Row { service: taken.service.to_owned(), table: taken.table.to_owned(), row }
}
