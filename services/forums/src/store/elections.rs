//! Elections and their municipalities.

use std::collections::BTreeMap;

use kernel::{ElectionId, Fault, ForumId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::entity::{constituency, election, lots_seed};
use super::values;
use crate::domain::election::{ConfirmedResult, Constituency, Election, Phase, Schedule};
use crate::domain::lots::{LotsSeed, WitnessNumber};
use crate::domain::sealed::BoardPublicKey;
use crate::vault::Vault;

/// Stores a new election with the sealed seed of its lots.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Election, sealed_seed: &[u8]) -> Result<(), Fault> {
    let row = row_of(stored, String::new()).into_active_model();
    election::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    let rows = stored.constituencies.iter().map(|one| constituency_row(stored.id, one).into_active_model());
    constituency::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    let (election_id, sealed) = (stored.id.as_uuid(), sealed_seed.to_vec());
    let seed = lots_seed::Model { election_id, sealed, revealed: None };
    let kept = lots_seed::Entity::insert(seed.into_active_model()).exec_without_returning(conn).await;
    kept.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed election with its municipalities.
pub async fn save(conn: &impl ConnectionTrait, changed: &Election) -> Result<(), Fault> {
    save_with_reason(conn, changed, "").await
}

/// Stores an annulled election with the reason.
pub async fn save_with_reason(
    conn: &impl ConnectionTrait,
    changed: &Election,
    reason: &str,
) -> Result<(), Fault> {
    let row = row_of(changed, reason.to_owned()).into_active_model().reset_all();
    row.update(conn).await.map_err(database_fault)?;
    for one in &changed.constituencies {
        let row = constituency_row(changed.id, one).into_active_model().reset_all();
        row.update(conn).await.map_err(database_fault)?;
    }
    Ok(())
}

/// An election, for the public. NotFound `forums.no_such_election`.
pub async fn load(conn: &impl ConnectionTrait, id: ElectionId) -> Result<Election, Fault> {
    let row = election::Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)?;
    whole(conn, row.ok_or_else(no_such_election)?).await
}

/// Ids of all elections of all forums, for checks of the whole.
pub async fn ids(conn: &impl ConnectionTrait) -> Result<Vec<ElectionId>, Fault> {
    let ids: Vec<Uuid> = election::Entity::find()
        .select_only()
        .column(election::Column::Id)
        .order_by_asc(election::Column::Id)
        .into_tuple()
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(ids.into_iter().map(ElectionId::from_uuid).collect())
}

/// An election of this forum only (SEC-12). NotFound `forums.no_such_election`.
pub async fn load_in(conn: &impl ConnectionTrait, forum: ForumId, id: ElectionId) -> Result<Election, Fault> {
    let row = election::Entity::find_by_id(id.as_uuid())
        .filter(election::Column::ForumId.eq(forum.as_uuid()))
        .one(conn)
        .await
        .map_err(database_fault)?;
    whole(conn, row.ok_or_else(no_such_election)?).await
}

/// The election of the forum that is not over, if there is one.
pub async fn open_in(conn: &impl ConnectionTrait, forum: ForumId) -> Result<Option<ElectionId>, Fault> {
    let over = Phase::ALL.into_iter().filter(|phase| phase.is_over()).map(Phase::as_str);
    let row = election::Entity::find()
        .filter(election::Column::ForumId.eq(forum.as_uuid()))
        .filter(election::Column::Phase.is_not_in(over))
        .one(conn)
        .await
        .map_err(database_fault)?;
    Ok(row.map(|row| ElectionId::from_uuid(row.id)))
}

/// Elections of a forum, the newest first, from before this id on.
pub async fn list(
    conn: &impl ConnectionTrait,
    forum: ForumId,
    before: Option<ElectionId>,
    limit: u64,
) -> Result<Vec<Election>, Fault> {
    let mut of_forum = election::Entity::find().filter(election::Column::ForumId.eq(forum.as_uuid()));
    if let Some(before) = before {
        of_forum = of_forum.filter(election::Column::Id.lt(before.as_uuid()));
    }
    let rows =
        of_forum.order_by_desc(election::Column::Id).limit(limit).all(conn).await.map_err(database_fault)?;
    // One query for the parts of all: anybody may ask for this list.
    let mut parts: BTreeMap<Uuid, Vec<constituency::Model>> = BTreeMap::new();
    for part in parts_of(conn, rows.iter().map(|row| row.id)).await? {
        parts.entry(part.election_id).or_default().push(part);
    }
    let with_parts = |row: election::Model| {
        let parts = parts.remove(&row.id).unwrap_or_default();
        election_of(row, parts)
    };
    rows.into_iter().map(with_parts).collect()
}

/// The seed of an election's lots: as it was revealed, or opened with the key of forums while it is secret.
pub async fn seed(
    conn: &impl ConnectionTrait,
    vault: &Vault,
    election: ElectionId,
) -> Result<LotsSeed, Fault> {
    let row = lots_seed::Entity::find_by_id(election.as_uuid()).one(conn).await.map_err(database_fault)?;
    let row = row.ok_or_else(|| Fault::internal("an election has no seed"))?;
    match row.revealed {
        Some(revealed) => Ok(LotsSeed::new(values::bytes(&revealed)?)),
        None => vault.unseal(election, &row.sealed),
    }
}

/// Keeps a seed readable that is public from now on, so that results do not hang on the key of forums.
pub async fn reveal_seed(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    seed: &LotsSeed,
) -> Result<(), Fault> {
    let revealed = Expr::value(Some(seed.as_bytes().to_vec()));
    let changed = lots_seed::Entity::update_many().col_expr(lots_seed::Column::Revealed, revealed);
    let of_election = lots_seed::Column::ElectionId.eq(election.as_uuid());
    changed.filter(of_election).exec(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Forgets who witnessed the lots of an election; their numbers stay, which the proof of the lots needs.
pub async fn forget_witnesses(conn: &impl ConnectionTrait, election: ElectionId) -> Result<(), Fault> {
    forget(conn, constituency::Column::ElectionId.eq(election.as_uuid())).await
}

/// Forgets a witness who has left, in every election.
pub async fn forget_witness(conn: &impl ConnectionTrait, witness: Subject) -> Result<(), Fault> {
    forget(conn, constituency::Column::WitnessRef.eq(witness.as_uuid())).await
}

async fn forget(conn: &impl ConnectionTrait, whose: SimpleExpr) -> Result<(), Fault> {
    let nobody = Expr::value(None::<Uuid>);
    let forgotten = constituency::Entity::update_many().col_expr(constituency::Column::WitnessRef, nobody);
    forgotten.filter(whose).exec(conn).await.map_err(database_fault)?;
    Ok(())
}

fn no_such_election() -> Fault {
    Fault::not_found("forums.no_such_election", "There is no such election here. Check the id and the forum.")
}

fn row_of(election: &Election, annul_reason: String) -> election::Model {
    let Schedule { nomination_opens_on, nomination_closes_on, voting_opens_on, voting_closes_on } =
        election.schedule;
    election::Model {
        id: election.id.as_uuid(),
        forum_id: election.forum.as_uuid(),
        supplementary: election.supplementary,
        phase: election.phase.as_str().to_owned(),
        nomination_opens_on: nomination_opens_on.to_string(),
        nomination_closes_on: nomination_closes_on.to_string(),
        voting_opens_on: voting_opens_on.to_string(),
        voting_closes_on: voting_closes_on.to_string(),
        board_public_key: election.board_key.as_bytes().to_vec(),
        lots_commitment: election.lots_commitment.clone(),
        roll_hash: election.roll_hash.map(|hash| hash.to_vec()),
        forum_seats_filled: election.forum_seats_filled.map(i64::from),
        annul_reason,
    }
}

fn constituency_row(election: ElectionId, one: &Constituency) -> constituency::Model {
    let confirmed = one.confirmed;
    constituency::Model {
        election_id: election.as_uuid(),
        municipality: one.municipality.to_string(),
        seats: i64::from(one.seats),
        eligible: one.eligible.map(i64::from),
        candidates: i64::from(one.candidates),
        uncontested: one.uncontested,
        ballots: one.ballots.map(i64::from),
        blank: i64::from(one.blank),
        invalid: i64::from(one.invalid),
        tie_seats_left: one.tie_seats_left.map(i64::from),
        witness_number: one.witness_number.as_ref().map(|number| number.as_str().to_owned()),
        witness_ref: one.witness.map(|witness| witness.as_uuid()),
        lots_drawn: one.lots_drawn,
        elected: confirmed.map(|result| i64::from(result.elected)),
        deputies: confirmed.map_or(0, |result| i64::from(result.deputies)),
        vacant: confirmed.map_or(0, |result| i64::from(result.vacant)),
        supplementary_due_on: confirmed
            .and_then(|result| result.supplementary_due_on)
            .map(|day| day.to_string()),
        tally_suppressed: confirmed.is_some_and(|result| result.tally_suppressed),
    }
}

async fn whole(conn: &impl ConnectionTrait, row: election::Model) -> Result<Election, Fault> {
    let parts = parts_of(conn, [row.id]).await?;
    election_of(row, parts)
}

/// The municipalities of these elections, by code.
async fn parts_of(
    conn: &impl ConnectionTrait,
    elections: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<constituency::Model>, Fault> {
    constituency::Entity::find()
        .filter(constituency::Column::ElectionId.is_in(elections))
        .order_by_asc(constituency::Column::Municipality)
        .all(conn)
        .await
        .map_err(database_fault)
}

fn election_of(row: election::Model, parts: Vec<constituency::Model>) -> Result<Election, Fault> {
    Ok(Election {
        id: ElectionId::from_uuid(row.id),
        forum: ForumId::from_uuid(row.forum_id),
        supplementary: row.supplementary,
        phase: values::known(&Phase::ALL, Phase::as_str, &row.phase)?,
        schedule: Schedule {
            nomination_opens_on: values::day(&row.nomination_opens_on)?,
            nomination_closes_on: values::day(&row.nomination_closes_on)?,
            voting_opens_on: values::day(&row.voting_opens_on)?,
            voting_closes_on: values::day(&row.voting_closes_on)?,
        },
        board_key: BoardPublicKey::from_stored(values::bytes(&row.board_public_key)?),
        lots_commitment: row.lots_commitment,
        roll_hash: row.roll_hash.as_deref().map(values::bytes).transpose()?,
        constituencies: parts.into_iter().map(constituency_of).collect::<Result<_, _>>()?,
        forum_seats_filled: values::maybe_count(row.forum_seats_filled)?,
    })
}

fn constituency_of(row: constituency::Model) -> Result<Constituency, Fault> {
    let confirmed = match values::maybe_count(row.elected)? {
        None => None,
        Some(elected) => Some(ConfirmedResult {
            elected,
            deputies: values::count(row.deputies)?,
            vacant: values::count(row.vacant)?,
            supplementary_due_on: values::maybe_day(row.supplementary_due_on.as_deref())?,
            tally_suppressed: row.tally_suppressed,
        }),
    };
    Ok(Constituency {
        municipality: values::municipality(&row.municipality)?,
        seats: values::count(row.seats)?,
        eligible: values::maybe_count(row.eligible)?,
        candidates: values::count(row.candidates)?,
        uncontested: row.uncontested,
        ballots: values::maybe_count(row.ballots)?,
        blank: values::count(row.blank)?,
        invalid: values::count(row.invalid)?,
        tie_seats_left: values::maybe_count(row.tie_seats_left)?,
        witness_number: row.witness_number.as_deref().map(WitnessNumber::new).transpose()?,
        witness: row.witness_ref.map(Subject::from_uuid),
        lots_drawn: row.lots_drawn,
        confirmed,
    })
}
