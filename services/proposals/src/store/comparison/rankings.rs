//! Published rankings: kept as they were when they were published, whatever policy says later.

use kernel::{Fault, RoundId};
use messaging::database_fault;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _,
};

use super::super::entity::{ranked_idea, round_ranking, round_sensitivity};
use super::super::values;
use super::{count, idea_no, kept};
use crate::domain::comparison::ranking::{Basis, Ranking, Standing};
use crate::domain::comparison::round::{Counts, PlaceRanking, Published, Sensitivity};

/// The ranking of all comparisons.
const ALL: &str = "all";

/// Stores what is published of a round.
pub async fn insert(
    conn: &impl ConnectionTrait,
    round: RoundId,
    counts: Counts,
    published: &Published,
) -> Result<(), Fault> {
    let Published { ranking, sensitivity, places } = published;
    insert_part(conn, round, ALL, ranking, (counts.sessions, counts.comparisons)).await?;
    if let Some(Sensitivity { sessions_left_out, ideas_moved }) = sensitivity {
        let row = round_sensitivity::Model {
            round_id: round.as_uuid(),
            sessions_left_out: kept(*sessions_left_out)?,
            ideas_moved: i64::from(*ideas_moved),
        };
        let row = row.into_active_model();
        round_sensitivity::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    }
    for PlaceRanking { municipality, ranking } in places {
        insert_part(conn, round, municipality.as_str(), &ranks_only(ranking), (0, 0)).await?;
    }
    Ok(())
}

/// What was published of a round; none before.
pub async fn load(conn: &impl ConnectionTrait, round: RoundId) -> Result<Option<Published>, Fault> {
    let heads = round_ranking::Entity::find()
        .filter(round_ranking::Column::RoundId.eq(round.as_uuid()))
        .order_by_asc(round_ranking::Column::Part)
        .all(conn)
        .await
        .map_err(database_fault)?;
    let mut lines = ranked_idea::Entity::find()
        .filter(ranked_idea::Column::RoundId.eq(round.as_uuid()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    // Group by group, in each by rank, then by number; those never compared at the end.
    lines.sort_by_key(|line| (line.linked == 0, line.linked, line.rank, line.idea));
    let sensitivity = round_sensitivity::Entity::find_by_id(round.as_uuid()).one(conn).await;
    let sensitivity = sensitivity.map_err(database_fault)?.map(|row| {
        Ok::<_, Fault>(Sensitivity {
            sessions_left_out: count(row.sessions_left_out)?,
            ideas_moved: values::count(row.ideas_moved)?,
        })
    });
    let (mut all, mut places) = (None, Vec::new());
    for head in heads {
        let ranking = ranking_of(&head, &lines)?;
        match head.part.as_str() {
            ALL => all = Some(ranking),
            code => places.push(PlaceRanking { municipality: values::municipality(code)?, ranking }),
        }
    }
    let sensitivity = sensitivity.transpose()?;
    Ok(all.map(|ranking| Published { ranking, sensitivity, places }))
}

/// Whoever knows all answers of a municipality but one could take theirs away from its counts, and not from its ranks.
fn ranks_only(ranking: &Ranking) -> Ranking {
    let rank = |one: &Standing| Standing { wins: 0, comparisons: 0, strength: None, ..one.clone() };
    Ranking { standings: ranking.standings.iter().map(rank).collect(), ..ranking.clone() }
}

async fn insert_part(
    conn: &impl ConnectionTrait,
    round: RoundId,
    part: &str,
    ranking: &Ranking,
    (sessions, comparisons): (u64, u64),
) -> Result<(), Fault> {
    let head = round_ranking::Model {
        round_id: round.as_uuid(),
        part: part.to_owned(),
        basis: ranking.basis.as_str().to_owned(),
        provisional: ranking.provisional,
        groups: i64::from(ranking.groups),
        sessions: kept(sessions)?,
        comparisons: kept(comparisons)?,
    };
    let head = head.into_active_model();
    round_ranking::Entity::insert(head).exec_without_returning(conn).await.map_err(database_fault)?;
    let mut lines = Vec::with_capacity(ranking.standings.len());
    for standing in &ranking.standings {
        let line = ranked_idea::Model {
            round_id: round.as_uuid(),
            part: part.to_owned(),
            idea: i64::from(standing.idea),
            rank: standing.rank.map(i64::from),
            linked: i64::from(standing.group),
            wins: kept(standing.wins)?,
            comparisons: kept(standing.comparisons)?,
            strength: standing.strength,
        };
        lines.push(line.into_active_model());
    }
    ranked_idea::Entity::insert_many(lines).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

fn ranking_of(head: &round_ranking::Model, lines: &[ranked_idea::Model]) -> Result<Ranking, Fault> {
    let own = lines.iter().filter(|line| line.part == head.part);
    let standing = |line: &ranked_idea::Model| {
        Ok(Standing {
            idea: idea_no(line.idea)?,
            rank: values::maybe_count(line.rank)?,
            group: values::count(line.linked)?,
            wins: count(line.wins)?,
            comparisons: count(line.comparisons)?,
            strength: line.strength,
        })
    };
    Ok(Ranking {
        basis: values::known(&Basis::ALL, Basis::as_str, &head.basis)?,
        provisional: head.provisional,
        groups: values::count(head.groups)?,
        standings: own.map(standing).collect::<Result<_, Fault>>()?,
    })
}
