//! What each number on a ballot paper got. Stays when candidates are erased.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{ElectionId, Fault, MunicipalityCode};
use messaging::database_fault;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::entity::tally_line;
use super::values;
use crate::domain::tally::Tally;

/// A number's approvals, and where it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TallyLine {
    /// Number on the ballot paper.
    pub number: u32,
    /// Approvals.
    pub approvals: u32,
    /// Seat won, once confirmed.
    pub seat_no: Option<u32>,
    /// Order among the deputies, once confirmed.
    pub deputy_no: Option<u32>,
}

/// Stores the lines of a municipality instead of those before.
pub async fn save(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
    lines: &[TallyLine],
) -> Result<(), Fault> {
    tally_line::Entity::delete_many()
        .filter(tally_line::Column::ElectionId.eq(election.as_uuid()))
        .filter(tally_line::Column::Municipality.eq(municipality.as_str()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    if lines.is_empty() {
        return Ok(());
    }
    let rows = lines.iter().map(|line| {
        tally_line::Model {
            election_id: election.as_uuid(),
            municipality: municipality.to_string(),
            number: i64::from(line.number),
            approvals: i64::from(line.approvals),
            seat_no: line.seat_no.map(i64::from),
            deputy_no: line.deputy_no.map(i64::from),
        }
        .into_active_model()
    });
    tally_line::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The lines of an election by municipality and number.
pub async fn load(
    conn: &impl ConnectionTrait,
    election: ElectionId,
) -> Result<BTreeMap<MunicipalityCode, Vec<TallyLine>>, Fault> {
    let rows = tally_line::Entity::find()
        .filter(tally_line::Column::ElectionId.eq(election.as_uuid()))
        .order_by_asc(tally_line::Column::Municipality)
        .order_by_asc(tally_line::Column::Number)
        .all(conn)
        .await
        .map_err(database_fault)?;
    let mut lines: BTreeMap<MunicipalityCode, Vec<TallyLine>> = BTreeMap::new();
    for row in rows {
        let line = TallyLine {
            number: values::count(row.number)?,
            approvals: values::count(row.approvals)?,
            seat_no: values::maybe_count(row.seat_no)?,
            deputy_no: values::maybe_count(row.deputy_no)?,
        };
        lines.entry(values::municipality(&row.municipality)?).or_default().push(line);
    }
    Ok(lines)
}

/// Lines that keep who was before whom and who was equal, which the lots rest on, but not with how many approvals.
pub fn without_figures(lines: &[TallyLine]) -> Vec<TallyLine> {
    let counts: BTreeSet<u32> = lines.iter().map(|line| line.approvals).filter(|count| *count > 0).collect();
    let ranks: BTreeMap<u32, u32> = counts.into_iter().zip(1..).collect();
    let rank = |line: &TallyLine| ranks.get(&line.approvals).copied().unwrap_or(0);
    lines.iter().map(|line| TallyLine { approvals: rank(line), ..*line }).collect()
}

/// The approvals of these lines; how many ballots there were is the election's to tell.
pub fn tally(lines: &[TallyLine]) -> Tally {
    let approvals = lines.iter().map(|line| (line.number, line.approvals)).collect();
    Tally { ballots: 0, blank: 0, invalid: 0, approvals }
}
