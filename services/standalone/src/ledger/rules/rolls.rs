//! Frozen rolls: as membership published it, so it must be in membership's own tables (rule 9), and so must forums have
//! taken it (rule 5).

use std::collections::{BTreeMap, BTreeSet};

use chassis::Config;
use membership::reconciliation;
use membership::vault::Vault;
use prost::Name as _;
use proto::membership::RollFrozen;
use sea_orm::{ConnectionTrait, Value};

use crate::ledger::gather::{Remembered, Source, ask};
use crate::ledger::index::{get, text};
use crate::ledger::verdict::{Piece, Rule, Verdict};
use crate::ledger::{CheckError, hex};

/// In membership: the stored hash and counts are the published ones, and those of what is in the tables.
pub(in crate::ledger) async fn unchanged(
    membership: &Source,
    config: &Config,
    remembered: &Remembered,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let vault = Vault::open(&config.secrets_dir).map_err(CheckError::from_fault)?;
    let mut seen = BTreeSet::new();
    for (lane, seq, roll) in &remembered.rolls {
        let Ok(election) = roll.election_id.parse::<kernel::ElectionId>() else { continue };
        // What is frozen again is not frozen anew.
        if !seen.insert(roll.election_id.as_str()) {
            continue;
        }
        let state = reconciliation::roll(membership.database.read(), &vault, election).await;
        let state = state.map_err(CheckError::from_fault)?;
        let published: BTreeMap<String, u32> =
            roll.counts.iter().map(|count| (count.municipality.clone(), count.count)).collect();
        let why = match state {
            None => "is gone",
            Some(state) => {
                let counts = state.counts.iter().map(|(place, count)| (place.to_string(), *count));
                let is_published = state.hash == roll.roll_hash && counts.eq(published);
                match (is_published, state.is_unchanged) {
                    (false, _) => "is not the one that was published",
                    (true, Some(false)) => "was changed after it was published",
                    (true, _) => continue,
                }
            }
        };
        let row = Piece::Row {
            service: "membership".to_owned(),
            table: "roll".to_owned(),
            row: format!("election {election}"),
        };
        verdict.broken(Rule::Ballots, format!("membership: the roll {why}"), vec![frozen(lane, *seq), row]);
    }
    Ok(())
}

/// Elections are written by commands too, so of them the frozen roll alone is compared: its hash, and the counts of the
/// municipalities that elect.
pub(in crate::ledger) async fn taken(
    view: &impl ConnectionTrait,
    remembered: &Remembered,
    verdict: &mut Verdict,
) -> Result<(), CheckError> {
    let mut seen = BTreeSet::new();
    for (lane, seq, roll) in &remembered.rolls {
        let Ok(election) = roll.election_id.parse::<kernel::ElectionId>() else { continue };
        // A second roll is not taken: a roll is frozen.
        if !seen.insert(roll.election_id.as_str()) {
            continue;
        }
        let id = || -> Value { election.as_uuid().into() };
        let question = "SELECT roll_hash, phase FROM election WHERE id = $1";
        let stored = ask(view, question, [id()]).await?;
        let phase = stored.first().map(|row| text(row, 1)).transpose()?;
        let stored = stored.first().map(|row| get::<Option<Vec<u8>>>(row, 0)).transpose()?.flatten();
        if stored.is_none() && phase.as_deref() == Some("annulled") {
            // It was annulled before its roll arrived, which nobody takes then.
            continue;
        }
        let mut wrong = Vec::new();
        if stored.as_deref() != Some(roll.roll_hash.as_slice()) {
            wrong.push((
                "election",
                format!("{election}, hash of the roll {}", hex(&stored.unwrap_or_default())),
            ));
        }
        let question =
            "SELECT municipality, eligible FROM constituency WHERE election_id = $1 ORDER BY municipality";
        for row in ask(view, question, [id()]).await? {
            let (municipality, eligible) = (text(&row, 0)?, get::<Option<i64>>(&row, 1)?);
            let count = roll.counts.iter().find(|count| count.municipality == municipality);
            let count = count.map_or(0, |count| i64::from(count.count));
            if eligible.unwrap_or_default() != count {
                wrong.push(("constituency", format!("{election} {municipality}, eligible {eligible:?}")));
            }
        }
        for (table, row) in wrong {
            let event = frozen(lane, *seq);
            let row = Piece::Row { service: "forums".to_owned(), table: table.to_owned(), row };
            let what = format!("forums: {table} differs from the frozen roll");
            verdict.broken(Rule::Projection, what, vec![event, row]);
        }
    }
    Ok(())
}

/// The event by which a roll was published.
fn frozen(lane: &str, seq: u64) -> Piece {
    Piece::Log {
        service: "membership".to_owned(),
        lane: lane.to_owned(),
        seq,
        event_type: RollFrozen::full_name(),
        hash: String::new(),
    }
}
