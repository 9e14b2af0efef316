//! The index of words by which public proposals are found (S1.25): which stems a proposal has and how much, how many
//! proposals have a stem, and how many there are in a county. All of it is kept, in the transaction that publishes,
//! changes or hides a proposal, so that no search counts anything.
//!
//! A search does bounded work however many proposals there are. Of its words it takes the rarest few; of each of these
//! the proposals with the most of it, by an index that has them in that order; only these are weighed.

use std::collections::{BTreeMap, HashMap};

use kernel::{Fault, ProposalId, TenantId, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::entity::{proposal, search_document, search_size, search_stem, search_term};
use crate::domain::proposal::Proposal;
use crate::domain::stems::{self, StemId};

/// Rows of one statement.
const CHUNK: usize = 500;
/// Words of a search that are weighed: the rarest, each with its stems in all languages.
const WORDS: usize = 8;
/// Proposals looked at for the rarest word, and for each of the others: those that have the most of it.
const OF_RAREST: u64 = 400;
const OF_OTHERS: u64 = 60;

/// A proposal that a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The proposal.
    pub proposal: ProposalId,
    /// How well it fits; more is better.
    pub score: i64,
}

/// Puts a proposal into the index, in place of what was there of it.
pub async fn index(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    proposal: ProposalId,
    weights: &BTreeMap<StemId, i64>,
) -> Result<(), Fault> {
    remove(conn, proposal).await?;
    let stems: Vec<StemId> = weights.keys().copied().collect();
    let document = search_document::Model {
        proposal_id: proposal.as_uuid(),
        tenant: tenant.to_string(),
        stems: stems.iter().map(|stem| stem.number().to_string()).collect::<Vec<_>>().join(","),
    };
    let stored = search_document::Entity::insert(document.into_active_model());
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    let rows: Vec<search_term::Model> = weights
        .iter()
        .map(|(stem, weight)| search_term::Model {
            stem: stem.number(),
            proposal_id: proposal.as_uuid(),
            weight: *weight,
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        let rows = chunk.iter().cloned().map(|row| row.into_active_model());
        search_term::Entity::insert_many(rows).exec_without_returning(conn).await.map_err(database_fault)?;
    }
    for chunk in stems.chunks(CHUNK) {
        let rows = chunk.iter().map(|stem| search_stem::Model { stem: stem.number(), proposals: 1 });
        let raised = Expr::col((search_stem::Entity, search_stem::Column::Proposals)).add(1);
        let raise = OnConflict::column(search_stem::Column::Stem)
            .value(search_stem::Column::Proposals, raised)
            .to_owned();
        let stored = search_stem::Entity::insert_many(rows.map(|row| row.into_active_model()));
        stored.on_conflict(raise).exec_without_returning(conn).await.map_err(database_fault)?;
    }
    add_size(conn, tenant, 1).await
}

/// Takes a proposal out of the index; nothing if it is not in it.
pub async fn remove(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<(), Fault> {
    let known = search_document::Entity::find_by_id(proposal.as_uuid()).one(conn).await;
    let Some(known) = known.map_err(database_fault)? else { return Ok(()) };
    let stems: Vec<i64> = known.stems.split(',').filter_map(|number| number.parse().ok()).collect();
    for chunk in stems.chunks(CHUNK) {
        search_term::Entity::delete_many()
            .filter(search_term::Column::Stem.is_in(chunk.iter().copied()))
            .filter(search_term::Column::ProposalId.eq(proposal.as_uuid()))
            .exec(conn)
            .await
            .map_err(database_fault)?;
        search_stem::Entity::update_many()
            .col_expr(search_stem::Column::Proposals, Expr::col(search_stem::Column::Proposals).sub(1))
            .filter(search_stem::Column::Stem.is_in(chunk.iter().copied()))
            .exec(conn)
            .await
            .map_err(database_fault)?;
    }
    search_document::Entity::delete_by_id(proposal.as_uuid()).exec(conn).await.map_err(database_fault)?;
    let tenant = super::values::tenant(&known.tenant)?;
    add_size(conn, tenant, -1).await
}

/// The proposals of a county that fit these words, the best first and among equals by id: at most `limit`, after
/// `after`. `words` are those of [`stems::query`].
pub async fn find(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    words: &[Vec<StemId>],
    after: Option<Hit>,
    limit: usize,
) -> Result<Vec<Hit>, Fault> {
    let rarest = rarest(conn, tenant, words).await?;
    let mut candidates = Vec::new();
    for (place, stem) in rarest.iter().map(|word| word.stem.number()).enumerate() {
        let most = if place == 0 { OF_RAREST } else { OF_OTHERS };
        let best: Vec<Uuid> = search_term::Entity::find()
            .select_only()
            .column(search_term::Column::ProposalId)
            .filter(search_term::Column::Stem.eq(stem))
            .order_by_desc(search_term::Column::Weight)
            .order_by_asc(search_term::Column::ProposalId)
            .limit(most)
            .into_tuple()
            .all(conn)
            .await
            .map_err(database_fault)?;
        candidates.extend(best);
    }
    candidates.sort_unstable();
    candidates.dedup();
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let weights: Vec<(i64, Uuid, i64)> = search_term::Entity::find()
        .select_only()
        .columns([search_term::Column::Stem, search_term::Column::ProposalId, search_term::Column::Weight])
        .filter(search_term::Column::Stem.is_in(rarest.iter().map(|word| word.stem.number())))
        .filter(search_term::Column::ProposalId.is_in(candidates))
        .into_tuple()
        .all(conn)
        .await
        .map_err(database_fault)?;
    // A word counts once, by the language in which it says most.
    let of_stem: HashMap<i64, &Rare> = rarest.iter().map(|rare| (rare.stem.number(), rare)).collect();
    let mut scores: BTreeMap<ProposalId, BTreeMap<usize, i64>> = BTreeMap::new();
    for (stem, proposal, weight) in weights {
        let Some(rare) = of_stem.get(&stem) else { continue };
        let words = scores.entry(ProposalId::from_uuid(proposal)).or_default();
        let best = words.entry(rare.word).or_default();
        *best = std::cmp::max(*best, rare.rarity * weight);
    }
    let mut hits: Vec<Hit> = scores
        .into_iter()
        .map(|(proposal, words)| Hit { proposal, score: words.values().sum() })
        .filter(|hit| after.is_none_or(|after| place(*hit) > place(after)))
        .collect();
    hits.sort_unstable_by_key(|hit| place(*hit));
    hits.truncate(limit);
    Ok(hits)
}

/// Where a hit stands among others.
fn place(hit: Hit) -> (std::cmp::Reverse<i64>, ProposalId) {
    (std::cmp::Reverse(hit.score), hit.proposal)
}

/// A stem of a search that is in the index.
struct Rare {
    stem: StemId,
    /// Which of the words it is a stem of.
    word: usize,
    rarity: i64,
}

/// The stems of the rarest words of a search, the rarest first.
async fn rarest(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    words: &[Vec<StemId>],
) -> Result<Vec<Rare>, Fault> {
    let asked = words.iter().flatten().map(|stem| stem.number());
    let known = search_stem::Entity::find()
        .filter(search_stem::Column::Stem.is_in(asked))
        .filter(search_stem::Column::Proposals.gt(0))
        .all(conn)
        .await
        .map_err(database_fault)?;
    let known: HashMap<i64, u64> = known
        .into_iter()
        .map(|row| Ok((row.stem, u64::try_from(row.proposals).map_err(Fault::internal)?)))
        .collect::<Result<_, Fault>>()?;
    let size = search_size::Entity::find_by_id(tenant.as_str()).one(conn).await.map_err(database_fault)?;
    let size = u64::try_from(size.map_or(0, |row| row.proposals)).map_err(Fault::internal)?;
    let stems =
        words.iter().enumerate().flat_map(|(word, stems)| stems.iter().map(move |stem| (word, *stem)));
    let mut rare: Vec<Rare> = stems
        .filter_map(|(word, stem)| {
            let with_it = known.get(&stem.number())?;
            Some(Rare { stem, word, rarity: stems::rarity(*with_it, size) })
        })
        .collect();
    rare.sort_unstable_by_key(|rare| (std::cmp::Reverse(rare.rarity), rare.stem));
    // A word is as rare as its rarest stem, and nobody says in which language they ask: the word stays with all of them.
    let mut words: Vec<usize> = Vec::new();
    for word in rare.iter().map(|rare| rare.word) {
        if words.len() < WORDS && !words.contains(&word) {
            words.push(word);
        }
    }
    rare.retain(|rare| words.contains(&rare.word));
    Ok(rare)
}

async fn add_size(conn: &impl ConnectionTrait, tenant: TenantId, change: i64) -> Result<(), Fault> {
    let row = search_size::Model { tenant: tenant.to_string(), proposals: change };
    let raised = Expr::col((search_size::Entity, search_size::Column::Proposals)).add(change);
    let raise = OnConflict::column(search_size::Column::Tenant)
        .value(search_size::Column::Proposals, raised)
        .to_owned();
    let stored = search_size::Entity::insert(row.into_active_model()).on_conflict(raise);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The proposals that were found, in the order of the hits; what is no longer public is left out.
pub async fn proposals(conn: &impl ConnectionTrait, hits: &[Hit]) -> Result<Vec<Proposal>, Fault> {
    let ids = hits.iter().map(|hit| hit.proposal.as_uuid());
    let rows = proposal::Entity::find().filter(proposal::Column::Id.is_in(ids)).all(conn).await;
    let found = super::proposals::whole(conn, rows.map_err(database_fault)?).await?;
    let mut found: HashMap<ProposalId, Proposal> =
        found.into_iter().filter(Proposal::is_visible).map(|proposal| (proposal.id, proposal)).collect();
    Ok(hits.iter().filter_map(|hit| found.remove(&hit.proposal)).collect())
}
