//! Filling the index: journals, then of each service where its log ends and its stored answers in one view, then the log
//! up to there, the audit log and the stream. What a client was told before its journal was read is in what is read
//! after it; so the system may run meanwhile.

mod chain;
mod stream;

use std::path::{Path, PathBuf};

use messaging::audit::{self, Verifier, Whose};
use messaging::log::{self, LaneHead};
use messaging::{Database, Envelope, causation};
use prost::{Message as _, Name as _};
use proto::membership::RollFrozen;
use sea_orm::{ConnectionTrait, Statement};
use sha2::{Digest as _, Sha256};

use super::fold::Taken;
use super::index::{Index, Rows, get, number, text};
use super::journal::{self, Outcome};
use super::verdict::{Piece, Rule, Verdict};
use super::{CheckError, fold, hex, rules};
use chain::Chain;

pub(super) use stream::messages;

/// Stored answers read at once.
const PAGE: u64 = 500;

/// A service's database, and how far its log reached when the check began.
pub(super) struct Source {
    pub(super) database: Database,
    ends: Ends,
}

/// Where the lanes of a log end: as their heads say, or further on if the log does not end there.
pub(super) struct Ends {
    pub(super) heads: Vec<LaneHead>,
    /// Those that no head tells of.
    headless: Vec<LaneHead>,
}

impl Source {
    /// A service's database; takes in its stored answers, which are those of what its log holds up to its ends.
    pub(super) async fn new(
        index: &Index,
        database: Database,
        verdict: &mut Verdict,
    ) -> Result<Self, CheckError> {
        let view = messaging::view(database.read()).await?;
        let ends = ends(&database, &view).await?;
        answers(index, database.service(), &view, verdict).await?;
        view.commit().await?;
        Ok(Self { database, ends })
    }

    /// Where the lanes end now.
    pub(super) async fn ends(&self) -> Result<Ends, CheckError> {
        ends(&self.database, self.database.read()).await
    }

    pub(super) fn service(&self) -> &'static str {
        self.database.service()
    }

    /// Lanes that have events.
    pub(super) fn lanes(&self) -> impl Iterator<Item = &LaneHead> {
        self.ends.heads.iter().filter(|head| head.seq > 0)
    }
}

/// Rows of a question to a service's database; parameters are `$1` and so on.
pub(super) async fn ask(
    connection: &impl ConnectionTrait,
    question: &str,
    values: impl IntoIterator<Item = sea_orm::Value>,
) -> Result<Vec<sea_orm::QueryResult>, CheckError> {
    let backend = connection.get_database_backend();
    Ok(connection.query_all_raw(Statement::from_sql_and_values(backend, question, values)).await?)
}

async fn ends(database: &Database, connection: &impl ConnectionTrait) -> Result<Ends, CheckError> {
    let mut heads = log::heads_in(connection).await?;
    // One question, so that what is written meanwhile is in both tables or in none.
    let question =
        "SELECT l.lane, MAX(l.seq) AS last FROM event_log l LEFT JOIN event_head h ON h.lane = l.lane
        GROUP BY l.lane, h.next_seq HAVING MAX(l.seq) >= COALESCE(h.next_seq, 0)";
    let mut headless = Vec::new();
    for row in ask(connection, question, []).await? {
        let (lane, last) = (text(&row, 0)?, number(&row, 1)?);
        for event in log::events(database, &lane, last, 1).await? {
            heads.retain(|head| head.lane != lane);
            headless.push(LaneHead {
                lane: event.lane,
                epoch: event.epoch,
                seq: event.seq,
                hash: event.hash,
                published_seq: event.seq,
            });
        }
    }
    heads.extend(headless.iter().cloned());
    Ok(Ends { heads, headless })
}

/// Takes in the journals.
pub(super) async fn journals(
    index: &Index,
    files: &[PathBuf],
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let mut rows: Rows<'_, 14> = index.rows("op");
    for (number, file) in (0_i64..).zip(files) {
        journal_of(&mut rows, number, file, verdict).await?;
    }
    Ok(rows.finish().await?)
}

async fn journal_of(
    rows: &mut Rows<'_, 14>,
    number: i64,
    file: &Path,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let looked = &mut verdict.looked;
    journal::read(file, async |one| {
        looked.calls += 1;
        *match one.outcome {
            Outcome::Ok => &mut looked.acknowledged,
            Outcome::Rejected => &mut looked.rejected,
            Outcome::Unknown => &mut looked.unknown,
        } += 1;
        let cause = causation(&one.call.principal, &one.call.key);
        let row = [
            number.into(),
            one.line.cast_signed().into(),
            one.boot.to_string().into(),
            one.call.service.into(),
            one.call.rpc.into(),
            one.call.principal.into(),
            one.call.key.into(),
            cause.into(),
            one.invoked_us.into(),
            one.wall_us.into(),
            one.answered_us.into(),
            one.outcome.as_str().into(),
            one.code.into(),
            one.reply.into(),
        ];
        Ok(rows.add(row).await?)
    })
    .await
}

/// What is remembered of a log besides the index.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Frozen rolls, with the lane and place of their events.
    pub(super) rolls: Vec<(String, u64, RollFrozen)>,
}

/// Takes in a service's log up to its heads, and checks its chains (rule 3).
pub(super) async fn events(
    index: &Index,
    source: &Source,
    remembered: &mut Remembered,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    for end in &source.ends.headless {
        let what = format!("{}, lane {}: the log goes on beyond its head", source.service(), end.lane);
        let last = Piece::Log {
            service: source.service().to_owned(),
            lane: end.lane.clone(),
            seq: end.seq,
            event_type: String::new(),
            hash: hex(&end.hash),
        };
        verdict.broken(Rule::Chain, what, vec![last]);
    }
    let mut rows: Rows<'_, 10> = index.rows("event");
    let mut taken: Rows<'_, 8> = index.rows("taken");
    for head in source.lanes() {
        let mut chain = Chain::new(source.service(), &head.lane);
        let mut next = 1;
        while next <= head.seq {
            let page = log::events(&source.database, &head.lane, next, log::PAGE).await?;
            let Some(last) = page.last().map(|event| event.seq) else { break };
            for event in page.into_iter().filter(|event| event.seq <= head.seq) {
                chain.take(&event, verdict);
                if event.service == "membership" && event.event_type == RollFrozen::full_name() {
                    // One that cannot be read is the projection's business: it parks it.
                    let roll = RollFrozen::decode(event.payload.as_slice());
                    remembered.rolls.extend(roll.ok().map(|roll| (event.lane.clone(), event.seq, roll)));
                }
                if let Some((table, line)) = fold::row_of(&event) {
                    taken.add(taken_row(table, line, &event)).await?;
                }
                verdict.looked.events += 1;
                rows.add(event_row(event)).await?;
            }
            next = last + 1;
        }
        chain.finish(head, verdict);
    }
    taken.finish().await?;
    Ok(rows.finish().await?)
}

fn taken_row(table: &Taken, line: String, event: &Envelope) -> [sea_orm::Value; 8] {
    [
        table.service.into(),
        table.table.into(),
        line.into(),
        event.service.clone().into(),
        event.lane.clone().into(),
        event.seq.cast_signed().into(),
        event.event_type.clone().into(),
        hex(&event.hash).into(),
    ]
}

fn event_row(event: Envelope) -> [sea_orm::Value; 10] {
    [
        event.service.into(),
        event.lane.into(),
        event.seq.cast_signed().into(),
        event.epoch.cast_signed().into(),
        event.event_type.into(),
        format!("{}/{}", event.aggregate_type, event.aggregate_id).into(),
        event.causation_id.into(),
        Sha256::digest(&event.payload).to_vec().into(),
        hex(&event.hash).into(),
        event.occurred_at_us.into(),
    ]
}

/// Takes in what a service's audit log says was done, and checks its chain (rule 8).
pub(super) async fn audit_log(
    index: &Index,
    source: &Source,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let mut rows: Rows<'_, 2> = index.rows("audit");
    let mut verifier = Verifier::new(audit::beginning(&source.database).await?);
    let mut broken = None;
    let mut after = Some(0);
    while let Some(seq) = after {
        let (page, next) = audit::page(&source.database, &Whose::All, seq, audit::PAGE).await?;
        for row in &page {
            broken = broken.or_else(|| verifier.take(row).err());
            verdict.looked.audited += 1;
            if row.outcome == "done" {
                rows.add([source.service().into(), row.causation_id.clone().into()]).await?;
            }
        }
        after = next;
    }
    if let Some(broken) = broken {
        rules::audit::broken(source.service(), &broken, verdict);
    }
    Ok(rows.finish().await?)
}

/// Takes in where a service's lanes end now, when its stream has been read: what the stream holds beyond that is in no
/// log.
pub(super) async fn heads(index: &Index, source: &Source) -> Result<(), CheckError> {
    let mut rows: Rows<'_, 4> = index.rows("head");
    for head in source.ends().await?.heads {
        let (seq, epoch) = (head.seq.cast_signed(), head.epoch.cast_signed());
        rows.add([source.service().into(), head.lane.into(), seq.into(), epoch.into()]).await?;
    }
    Ok(rows.finish().await?)
}

/// Takes in a service's stored answers.
async fn answers(
    index: &Index,
    service: &'static str,
    connection: &impl ConnectionTrait,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let question = format!(
        "SELECT principal, idem_key, rpc, response FROM command_log WHERE (principal, idem_key) > ($1, $2) \
         ORDER BY principal, idem_key LIMIT {PAGE}"
    );
    let mut rows: Rows<'_, 6> = index.rows("answer");
    let mut after = (String::new(), String::new());
    loop {
        let page = ask(connection, &question, [after.0.clone().into(), after.1.clone().into()]).await?;
        for row in &page {
            after = (get(row, 0)?, get(row, 1)?);
            let (rpc, response): (String, Vec<u8>) = (get(row, 2)?, get(row, 3)?);
            let reply = hex(&Sha256::digest(response));
            let (principal, key) = after.clone();
            let cause = causation(&principal, &key);
            rows.add([service.into(), principal.into(), key.into(), cause.into(), rpc.into(), reply.into()])
                .await?;
            verdict.looked.answers += 1;
        }
        if page.is_empty() {
            return Ok(rows.finish().await?);
        }
    }
}
