//! Frozen rolls for a check from outside: whether each is still the one that was published, and whether those who are
//! marked as voters have a place on it. Nothing here says who anybody is.

use std::collections::{BTreeMap, HashMap, HashSet};

use kernel::{ElectionId, Fault, MunicipalityCode, Subject};
use messaging::database_fault;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::app::{FORUMS, look_at_roll};
use crate::domain::PersonId;
use crate::store;
use crate::vault::Vault;

/// References asked for with one statement.
const CHUNK: usize = 500;

/// A frozen roll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollState {
    /// Its hash, as stored when it was frozen.
    pub hash: Vec<u8>,
    /// Number of people of each municipality, as stored then.
    pub counts: BTreeMap<MunicipalityCode, u32>,
    /// Whether hash and counts of what is in the tables now are those; None if its entries were erased.
    pub is_unchanged: Option<bool>,
}

/// The roll of an election; None if there is none. Its hash and counts are computed anew, as `GetRollSummary` does.
///
/// # Errors
/// Of the database.
pub async fn roll(
    database: &DatabaseConnection,
    vault: &Vault,
    election: ElectionId,
) -> Result<Option<RollState>, Fault> {
    // One view of it: who leaves meanwhile has left in all tables or in none.
    let view = messaging::view(database).await.map_err(database_fault)?;
    let looked = match store::rolls::head(&view, election).await? {
        None => None,
        Some(_) => Some(look_at_roll(vault, &view, election).await?),
    };
    view.commit().await.map_err(database_fault)?;
    Ok(looked.map(|looked| RollState {
        is_unchanged: (!looked.head.erased).then(|| looked.matches()),
        hash: looked.head.hash,
        counts: looked.published,
    }))
}

/// How many of these voters of forums, each with the municipality where they are marked, have no place on the roll of
/// an election there. Of those who have left the register only their references are kept, which count as a place; of a
/// roll that was erased nothing is known.
///
/// # Errors
/// Of the database.
pub async fn strangers(
    database: &DatabaseConnection,
    election: ElectionId,
    voters: &[(MunicipalityCode, Subject)],
) -> Result<u64, Fault> {
    let mut strangers = 0;
    if store::rolls::head(database, election).await?.is_some_and(|head| head.erased) {
        return Ok(0);
    }
    for chunk in voters.chunks(CHUNK) {
        strangers += strangers_among(database, election, chunk).await?;
    }
    Ok(strangers)
}

async fn strangers_among(
    conn: &impl ConnectionTrait,
    election: ElectionId,
    voters: &[(MunicipalityCode, Subject)],
) -> Result<u64, Fault> {
    let references: Vec<Subject> = voters.iter().map(|(_, voter)| *voter).collect();
    let people: HashMap<Subject, PersonId> =
        store::references::people(conn, FORUMS, &references).await?.into_iter().collect();
    let places = store::rolls::places(conn, election, people.values().copied()).await?;
    let left: HashSet<Subject> =
        store::references::are_retired(conn, FORUMS, &references).await?.into_iter().collect();
    let is_stranger = |(municipality, voter): &&(MunicipalityCode, Subject)| {
        let place = people.get(voter).and_then(|person| places.get(person));
        place != Some(municipality) && !left.contains(voter)
    };
    Ok(voters.iter().filter(is_stranger).count() as u64)
}
