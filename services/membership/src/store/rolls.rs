//! Frozen rolls.

use std::collections::{BTreeMap, HashMap};

use kernel::{
    Date, ElectionId, ForumId, MunicipalityCode, PageSize, ParticipantId, RollClaim, TenantId, Uuid,
};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, JoinType,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::entity::{participant, roll, roll_count, roll_entry};
use super::{Result, failed, joined, split, stored, word};
use crate::domain::participant::{PersonId, State};
use crate::domain::roll::{Entry, Roll};

/// Rows inserted or read with one statement.
const CHUNK: usize = 500;

/// What is known of a roll besides its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The election.
    pub(crate) election: ElectionId,
    /// Its forum.
    pub(crate) forum: ForumId,
    /// Counties of the forum, the lead first.
    pub(crate) tenants: Vec<TenantId>,
    /// Service group whose clients vote and stand.
    pub(crate) group: String,
    /// Hash of the roll.
    pub(crate) hash: Vec<u8>,
    /// Whether the election is confirmed or annulled.
    pub(crate) over: bool,
    /// Whether its entries were erased, because their time is over.
    pub(crate) erased: bool,
}

/// A place on a roll, as the election officer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The human.
    pub(crate) person: PersonId,
    /// In the register.
    pub(crate) participant: ParticipantId,
    /// Name to show.
    pub(crate) display_name: String,
    /// Whether somebody helped.
    pub(crate) assisted: bool,
}

/// Stores a frozen roll; false if the election has one already, which then stays as it is.
pub(crate) async fn freeze(db: &impl ConnectionTrait, head: &Head, frozen: &Roll) -> Result<bool> {
    let election = head.election.as_uuid();
    let row = roll::Model {
        election,
        forum: head.forum.as_uuid(),
        tenants: joined(&head.tenants),
        service_group: head.group.clone(),
        hash: head.hash.clone(),
        over: head.over,
        over_on: None,
        erased: false,
    };
    let added = roll::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    if added == 0 {
        return Ok(false);
    }
    for (municipality, count) in &frozen.counts {
        let row =
            roll_count::Model { election, municipality: municipality.to_string(), count: i64::from(*count) };
        roll_count::Entity::insert(row.into_active_model())
            .exec_without_returning(db)
            .await
            .map_err(failed)?;
    }
    for chunk in frozen.entries.chunks(CHUNK) {
        let rows = chunk.iter().map(|entry| to_row(election, entry).into_active_model());
        roll_entry::Entity::insert_many(rows).exec_without_returning(db).await.map_err(failed)?;
    }
    Ok(true)
}

fn to_row(election: Uuid, entry: &Entry) -> roll_entry::Model {
    roll_entry::Model {
        election,
        person: entry.person.as_uuid(),
        participant: entry.participant.as_uuid(),
        municipality: entry.municipality.to_string(),
        helper_kind: None,
        withdrawn: false,
    }
}

/// A roll; None if none is frozen.
pub(crate) async fn head(db: &impl ConnectionTrait, election: ElectionId) -> Result<Option<Head>> {
    let row = roll::Entity::find_by_id(election.as_uuid()).one(db).await.map_err(failed)?;
    row.map(|row| {
        Ok(Head {
            election,
            forum: ForumId::from_uuid(row.forum),
            tenants: split(&row.tenants)?,
            group: row.service_group,
            hash: row.hash,
            over: row.over,
            erased: row.erased,
        })
    })
    .transpose()
}

/// Exact number of entries for every municipality.
pub(crate) async fn counts(
    db: &impl ConnectionTrait,
    election: ElectionId,
) -> Result<BTreeMap<MunicipalityCode, u32>> {
    let rows = roll_count::Entity::find()
        .filter(roll_count::Column::Election.eq(election.as_uuid()))
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter()
        .map(|row| Ok((stored(row.municipality.parse())?, stored(u32::try_from(row.count))?)))
        .collect()
}

/// A row of a roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// What is hashed.
    pub(crate) entry: Entry,
    /// Whether the place was given up.
    pub(crate) withdrawn: bool,
    /// Whether the entry in the register has left; None if there is no such entry.
    pub(crate) has_left: Option<bool>,
}

/// A part of a roll's rows, withdrawn ones too: at most [`CHUNK`], in the order of the persons after this one.
pub(crate) async fn entries(
    db: &impl ConnectionTrait,
    election: ElectionId,
    after: Option<PersonId>,
) -> Result<Vec<Row>> {
    let after = after.map(|person| roll_entry::Column::Person.gt(person.as_uuid()));
    let belongs = roll_entry::Entity::belongs_to(participant::Entity)
        .from(roll_entry::Column::Participant)
        .to(participant::Column::Id)
        .into();
    let rows: Vec<(Uuid, Uuid, String, bool, Option<String>)> = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::Person)
        .column(roll_entry::Column::Participant)
        .column(roll_entry::Column::Municipality)
        .column(roll_entry::Column::Withdrawn)
        .column(participant::Column::State)
        .join(JoinType::LeftJoin, belongs)
        .filter(roll_entry::Column::Election.eq(election.as_uuid()))
        .filter(Condition::all().add_option(after))
        .order_by_asc(roll_entry::Column::Person)
        .limit(CHUNK as u64)
        .into_tuple()
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter()
        .map(|(person, participant, municipality, withdrawn, state)| {
            let entry = Entry {
                person: PersonId::from(person),
                participant: ParticipantId::from_uuid(participant),
                municipality: stored(municipality.parse())?,
            };
            let state = state.map(|state| word(&State::ALL, State::as_str, &state)).transpose()?;
            Ok(Row { entry, withdrawn, has_left: state.map(State::is_gone) })
        })
        .collect()
}

/// Notes that an election is over: its roll gives no claims any more. False if it has no roll here, or was over before.
pub(crate) async fn end(db: &impl ConnectionTrait, election: ElectionId, today: Date) -> Result<bool> {
    let ended = roll::Entity::update_many()
        .col_expr(roll::Column::Over, Expr::value(true))
        .col_expr(roll::Column::OverOn, Expr::value(today))
        .filter(roll::Column::Election.eq(election.as_uuid()))
        .filter(roll::Column::Over.eq(false))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(ended.rows_affected == 1)
}

/// The rolls of elections that are over and whose entries are there still: election, leading county, and the day from
/// which it was over.
pub(crate) async fn ended(db: &impl ConnectionTrait) -> Result<Vec<(ElectionId, TenantId, Date)>> {
    let rows = roll::Entity::find()
        .filter(roll::Column::OverOn.is_not_null())
        .filter(roll::Column::Erased.eq(false))
        .all(db)
        .await
        .map_err(failed)?;
    let ended = rows.into_iter().filter_map(|row| Some((row.election, row.tenants, row.over_on?)));
    ended
        .map(|(election, tenants, day)| {
            let lead = split(&tenants)?.into_iter().next();
            let lead = lead.ok_or_else(|| kernel::Fault::internal("a roll of no county"))?;
            Ok((ElectionId::from_uuid(election), lead, day))
        })
        .collect()
}

/// Erases the entries of a roll, and with them who helped whom. Its hash and counts stay.
pub(crate) async fn erase(db: &impl ConnectionTrait, election: ElectionId) -> Result<u64> {
    roll::Entity::update_many()
        .col_expr(roll::Column::Erased, Expr::value(true))
        .filter(roll::Column::Election.eq(election.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    let entries = roll_entry::Entity::delete_many()
        .filter(roll_entry::Column::Election.eq(election.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(entries.rows_affected)
}

/// The places of a human on the rolls of elections that are not over, each with the entry in the register that has it.
pub(crate) async fn claims(
    db: &impl ConnectionTrait,
    person: PersonId,
) -> Result<Vec<(ParticipantId, RollClaim)>> {
    let belongs = roll_entry::Entity::belongs_to(roll::Entity)
        .from(roll_entry::Column::Election)
        .to(roll::Column::Election)
        .into();
    let rows = roll_entry::Entity::find()
        .join(JoinType::InnerJoin, belongs)
        .filter(roll::Column::Over.eq(false))
        .filter(roll_entry::Column::Person.eq(person.as_uuid()))
        .filter(roll_entry::Column::Withdrawn.eq(false))
        .order_by_asc(roll_entry::Column::Election)
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter()
        .map(|row| {
            let election = ElectionId::from_uuid(row.election);
            let claim = RollClaim { election, municipality: stored(row.municipality.parse())? };
            Ok((ParticipantId::from_uuid(row.participant), claim))
        })
        .collect()
}

/// The place of a human on one roll and the entry in the register that has it, unless they have left.
pub(crate) async fn claim(
    db: &impl ConnectionTrait,
    election: ElectionId,
    person: PersonId,
) -> Result<Option<(ParticipantId, RollClaim)>> {
    let row = roll_entry::Entity::find_by_id((election.as_uuid(), person.as_uuid()))
        .filter(roll_entry::Column::Withdrawn.eq(false))
        .one(db)
        .await
        .map_err(failed)?;
    row.map(|row| {
        let claim = RollClaim { election, municipality: stored(row.municipality.parse())? };
        Ok((ParticipantId::from_uuid(row.participant), claim))
    })
    .transpose()
}

/// Where these people have their places on one roll, those who have left too.
pub(crate) async fn places(
    db: &impl ConnectionTrait,
    election: ElectionId,
    people: impl IntoIterator<Item = PersonId>,
) -> Result<HashMap<PersonId, MunicipalityCode>> {
    let rows = roll_entry::Entity::find()
        .filter(roll_entry::Column::Election.eq(election.as_uuid()))
        .filter(roll_entry::Column::Person.is_in(people.into_iter().map(PersonId::as_uuid)))
        .all(db)
        .await
        .map_err(failed)?;
    rows.into_iter().map(|row| Ok((PersonId::from(row.person), stored(row.municipality.parse())?))).collect()
}

/// Whether a human has a place on any roll, of past elections too.
pub(crate) async fn any(db: &impl ConnectionTrait, person: PersonId) -> Result<bool> {
    let row = roll_entry::Entity::find()
        .filter(roll_entry::Column::Person.eq(person.as_uuid()))
        .one(db)
        .await
        .map_err(failed)?;
    Ok(row.is_some())
}

/// Withdraws the places of an entry that leaves: whoever comes back must not vote twice.
pub(crate) async fn withdraw(
    db: &impl ConnectionTrait,
    person: PersonId,
    participant: ParticipantId,
) -> Result<()> {
    roll_entry::Entity::update_many()
        .col_expr(roll_entry::Column::Withdrawn, Expr::value(true))
        .filter(roll_entry::Column::Person.eq(person.as_uuid()))
        .filter(roll_entry::Column::Participant.eq(participant.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Notes who helped a human to vote.
pub(crate) async fn record_helper(
    db: &impl ConnectionTrait,
    election: ElectionId,
    person: PersonId,
    helper_kind: &str,
) -> Result<()> {
    roll_entry::Entity::update_many()
        .col_expr(roll_entry::Column::HelperKind, Expr::value(helper_kind))
        .filter(roll_entry::Column::Election.eq(election.as_uuid()))
        .filter(roll_entry::Column::Person.eq(person.as_uuid()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

/// A page of one municipality's roll by name, after this name and participant; one more than the page holds. Those who
/// have left are not shown.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    election: ElectionId,
    municipality: MunicipalityCode,
    after: Option<(&str, Uuid)>,
    size: PageSize,
) -> Result<Vec<Listed>> {
    let after = after.map(|(name, id)| {
        Condition::any().add(participant::Column::DisplayName.gt(name)).add(
            Condition::all()
                .add(participant::Column::DisplayName.eq(name))
                .add(participant::Column::Id.gt(id)),
        )
    });
    let belongs = roll_entry::Entity::belongs_to(participant::Entity)
        .from(roll_entry::Column::Participant)
        .to(participant::Column::Id)
        .into();
    let rows: Vec<(Uuid, Uuid, String, Option<String>)> = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::Person)
        .column(participant::Column::Id)
        .column(participant::Column::DisplayName)
        .column(roll_entry::Column::HelperKind)
        .join(JoinType::InnerJoin, belongs)
        .filter(roll_entry::Column::Election.eq(election.as_uuid()))
        .filter(roll_entry::Column::Municipality.eq(municipality.as_str()))
        .filter(roll_entry::Column::Withdrawn.eq(false))
        .filter(Condition::all().add_option(after))
        .order_by_asc(participant::Column::DisplayName)
        .order_by_asc(participant::Column::Id)
        .limit(size.limit())
        .into_tuple()
        .all(db)
        .await
        .map_err(failed)?;
    let listed = rows.into_iter().map(|(person, participant, display_name, helper)| Listed {
        person: PersonId::from(person),
        participant: ParticipantId::from_uuid(participant),
        display_name,
        assisted: helper.is_some(),
    });
    Ok(listed.collect())
}
