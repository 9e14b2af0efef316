//! A fresh fold: the handlers of a service, with an empty database of their own, are given the whole log of the source;
//! what they then hold is what the projection must hold. Only tables that nothing but events writes can be compared.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use chassis::{Config, StartError};
use messaging::store::{SqlStore, Store as _};
use messaging::{Database, Envelope, log};
use prost::{Message as _, Name as _};
use proto::forums::{ProposalEndorsed, ProposalNotEndorsed, ProposalReturnedForWork};
use proto::proposals::ProposalSentToForum;
use sea_orm::{ConnectionTrait, DatabaseBackend};

use super::CheckError;
use super::gather::{Source, ask};
use super::index::{Index, Rows, get};
use super::verdict::Verdict;
use crate::services::SERVICES;

/// Tables written by events only: service, source of the events, table. They hold published facts, no persons.
pub(super) const FOLDED: [(&str, &str, &str); 5] = [
    ("forums", "membership", "policy_value"),
    ("membership", "forums", "known_forum"),
    ("proposals", "membership", "policy_value"),
    ("proposals", "membership", "service_unit"),
    ("proposals", "forums", "known_forum"),
];
/// Tables that say which events were taken, beside rows that commands write too, so that a fresh fold cannot make them.
pub(super) const TAKEN: [Taken; 2] = [
    Taken {
        service: "forums",
        source: "proposals",
        table: "proposal_sending",
        key: &["event_id"],
        is_swept: true,
    },
    Taken {
        service: "proposals",
        source: "forums",
        table: "forum_decision",
        key: &["meeting_id", "proposal_id"],
        is_swept: false,
    },
];
/// Tables that events write and that are judged in another way: rolls are computed anew from the register's entries.
const JUDGED: [(&str, &str); 3] =
    [("membership", "roll"), ("membership", "roll_count"), ("membership", "roll_entry")];
/// Tables that hold how far the events are, what they led to, and those that wait.
const OF_THE_MACHINERY: [&str; 6] =
    ["event_head", "event_log", "job", "parked_event", "projection_cursor", "sqlite_sequence"];
/// Column that tells which rebuild wrote a row last; it differs and means nothing.
const GENERATION: &str = "generation";
/// For how long the databases of a fresh fold may refuse to be opened.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// Rows read at once.
const PAGE: u64 = 1000;

/// A table with a row for each event of a kind that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) service: &'static str,
    pub(super) source: &'static str,
    pub(super) table: &'static str,
    /// Columns that the event alone tells, by name.
    key: &'static [&'static str],
    /// Whether a rebuild removes what no event tells any more. If not, rows outlive events that were lost with a
    /// restored backup.
    pub(super) is_swept: bool,
}

/// The row that must be there once an event was taken: its table, and its key as a line. One that cannot be read is the
/// projection's business: it parks it.
pub(super) fn row_of(event: &Envelope) -> Option<(&'static Taken, String)> {
    let is = |name: &str| event.event_type == name;
    let [sending, decision] = &TAKEN;
    let payload = event.payload.as_slice();
    let decided = |meeting: String, proposal: String| {
        let line = format!("meeting_id={meeting} proposal_id={proposal}");
        Some((decision, line.replace('-', "")))
    };
    if event.service == sending.source && is(&ProposalSentToForum::full_name()) {
        return Some((sending, format!("event_id={}", event.event_id.replace('-', ""))));
    }
    if event.service != decision.source {
        return None;
    }
    if is(&ProposalEndorsed::full_name()) {
        let event = ProposalEndorsed::decode(payload).ok()?;
        return decided(event.meeting_id, event.proposal_id);
    }
    if is(&ProposalNotEndorsed::full_name()) {
        let event = ProposalNotEndorsed::decode(payload).ok()?;
        return decided(event.meeting_id, event.proposal_id);
    }
    if is(&ProposalReturnedForWork::full_name()) {
        let event = ProposalReturnedForWork::decode(payload).ok()?;
        return decided(event.meeting_id, event.proposal_id);
    }
    None
}

/// Whose content it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The running service's.
    Live = 0,
    /// That of the fresh fold.
    Fresh = 1,
}

/// A projection, as the service declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) service: &'static str,
    pub(super) projection: &'static str,
    pub(super) source: &'static str,
}

/// Folds the logs of `sources` up to their heads with the handlers of all services, in databases in `folder`, and takes
/// the content of the tables into the index. Gives the projections that there are.
pub(super) async fn fold(
    index: &Index,
    config: &Config,
    sources: &[Source],
    folder: &Path,
    verdict: &mut Verdict,
) -> Result<Vec<Declared>, CheckError> {
    let mut config = config.clone();
    config.data_dir = folder.to_owned();
    config.demo_start = None;
    for (name, service) in &mut config.services {
        service.database = format!("sqlite://{}?mode=rwc", folder.join(format!("{name}.sqlite")).display());
    }
    let end = Instant::now() + PATIENCE;
    let fresh = loop {
        // New files on a machine whose disk is busy with the system that is judged.
        match chassis::assemble(SERVICES, config.clone()).await {
            Ok(fresh) => break fresh,
            Err(StartError::Database { .. }) if Instant::now() < end => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                return Err(CheckError::Other(format!("the services for a fresh fold: {error}")));
            }
        }
    };
    let mut declared = Vec::new();
    for one in &fresh.services {
        let service = one.database.service();
        let before = filled(&one.database).await?;
        let store = SqlStore::new(one.database.clone(), one.writer.clone(), &one.projections);
        for projection in &one.projections {
            let (name, from) = (projection.name, projection.source);
            declared.push(Declared { service, projection: name, source: from });
            let is_folded = FOLDED.iter().any(|(into, of, _)| (*into, *of) == (service, from));
            if !is_folded && !TAKEN.iter().any(|taken| (taken.service, taken.source) == (service, from)) {
                let what =
                    format!("{service}: what {name} makes of the events of {from} is compared with nothing");
                verdict.not_looked.push(what);
            }
            let Some(source) = sources.iter().find(|source| source.service() == from).filter(|_| is_folded)
            else {
                continue;
            };
            let key = projection.key(service);
            for head in source.lanes() {
                take_lane(&store, &key, &source.database, &head.lane, head.seq).await?;
            }
        }
        contents(index, Side::Fresh, service, one.database.read()).await?;
        for table in filled(&one.database).await?.difference(&before) {
            let is_judged = FOLDED.iter().any(|(of, _, name)| (*of, *name) == (service, table.as_str()))
                || JUDGED.contains(&(service, table.as_str()));
            if !is_judged && !OF_THE_MACHINERY.contains(&table.as_str()) {
                let what = format!("{service}.{table}: events write it, and it is not compared with them");
                verdict.not_looked.push(what);
            }
        }
    }
    fresh.end().await;
    Ok(declared)
}

/// The tables that have rows.
async fn filled(database: &Database) -> Result<BTreeSet<String>, CheckError> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut filled = BTreeSet::new();
    for row in ask(database.read(), tables, []).await? {
        let table: String = get(&row, 0)?;
        let rows = ask(database.read(), &format!("SELECT 1 FROM \"{table}\" LIMIT 1"), []).await?;
        if !rows.is_empty() {
            filled.insert(table);
        }
    }
    Ok(filled)
}

async fn take_lane(
    store: &SqlStore,
    key: &messaging::store::ProjectionKey,
    source: &Database,
    lane: &str,
    head: u64,
) -> Result<(), CheckError> {
    let mut next = 1;
    while next <= head {
        let mut page = log::events(source, lane, next, log::PAGE).await?;
        page.retain(|event| event.seq <= head);
        let Some(last) = page.last().map(|event| event.seq) else { break };
        let taken = store.take(key, lane, page).await;
        taken.map_err(|error| CheckError::Other(format!("a fresh fold: {error}")))?;
        next = last + 1;
    }
    Ok(())
}

/// Takes the content of a service's folded tables into the index, a line for each row.
pub(super) async fn contents(
    index: &Index,
    side: Side,
    service: &str,
    connection: &impl ConnectionTrait,
) -> Result<(), CheckError> {
    let folded = FOLDED.iter().filter(|(of, ..)| *of == service).map(|(.., table)| (*table, None));
    let taken = TAKEN.iter().filter(|taken| taken.service == service && side == Side::Live);
    for (table, key) in folded.chain(taken.map(|taken| (taken.table, Some(taken.key)))) {
        let line = line_of(connection, table, key).await?;
        let question = format!(
            "SELECT line FROM (SELECT {line} AS line FROM {table}) AS lines WHERE line > $1 ORDER BY line LIMIT {PAGE}"
        );
        let mut rows: Rows<'_, 4> = index.rows("content");
        let mut after = String::new();
        loop {
            let page = ask(connection, &question, [after.clone().into()]).await?;
            for row in &page {
                after = get(row, 0)?;
                rows.add([(side as i64).into(), service.into(), table.into(), after.clone().into()]).await?;
            }
            if page.is_empty() {
                break;
            }
        }
        rows.finish().await?;
    }
    Ok(())
}

/// An expression for a whole row, or some of its columns, as text that is the same on both engines.
async fn line_of(
    connection: &impl ConnectionTrait,
    table: &str,
    only: Option<&[&str]>,
) -> Result<String, CheckError> {
    let is_sqlite = connection.get_database_backend() == DatabaseBackend::Sqlite;
    let question = match is_sqlite {
        true => "SELECT name, '' FROM pragma_table_info($1) ORDER BY name",
        false => {
            "SELECT column_name::text, data_type::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY column_name"
        }
    };
    let mut columns = Vec::new();
    for row in ask(connection, question, [table.into()]).await? {
        let (name, kind): (String, String) = (get(&row, 0)?, get(&row, 1)?);
        if name == GENERATION || only.is_some_and(|only| !only.contains(&name.as_str())) {
            continue;
        }
        let text = match (is_sqlite, kind.as_str()) {
            (true, _) => format!(
                "CASE typeof(\"{name}\") WHEN 'blob' THEN lower(hex(\"{name}\")) ELSE CAST(\"{name}\" AS TEXT) END"
            ),
            (false, "uuid") => format!("replace(\"{name}\"::text, '-', '')"),
            (false, "bytea") => format!("encode(\"{name}\", 'hex')"),
            (false, "boolean") => format!("(\"{name}\"::int)::text"),
            (false, _) => format!("\"{name}\"::text"),
        };
        columns.push(format!("'{name}=' || COALESCE({text}, 'null')"));
    }
    Ok(columns.join(" || ' ' || "))
}
