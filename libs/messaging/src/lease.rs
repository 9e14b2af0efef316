//! Who of several copies of a service does what only one may do: the relay of a lane, a projection.
//!
//! A lease runs out unless it is renewed, and its term rises with every change of owner. Nothing depends on it for
//! being right: what a second owner does at the same time is a duplicate that readers drop. It saves work.

use std::time::Duration;

use futures::FutureExt as _;
use kernel::Fault;
use sea_orm::{ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _};

use crate::database::database_fault;
use crate::entity::lease;
use crate::tx::Tx;
use crate::writer::Writer;

/// How long a lease holds.
const TTL: Duration = Duration::from_secs(10);

/// Takes, renews and gives back leases in the name of one running process.
#[derive(Clone, Debug)]
pub struct Leases {
    writer: Writer,
    owner: String,
}

/// A lease that is held until `term` changes or its time runs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// Number of this ownership; the next owner's is higher.
    pub term: u64,
}

#[derive(Clone, Debug)]
struct Claim {
    name: String,
    owner: String,
    now_us: i64,
    until_us: i64,
}

impl Leases {
    /// How often a lease must be renewed.
    pub const RENEW_EVERY: Duration = Duration::from_secs(3);

    /// Leases of the process called `owner`, a name that no other copy has and that changes with every start.
    pub fn new(writer: Writer, owner: String) -> Self {
        Self { writer, owner }
    }

    /// Takes the lease, or renews it if it is ours. None if another holds it.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn hold(&self, name: &str) -> Result<Option<Lease>, Fault> {
        let now_us = self.writer.clocks().real.now().as_micros();
        let ttl_us = i64::try_from(TTL.as_micros()).unwrap_or(i64::MAX);
        let claim = Claim {
            name: name.to_owned(),
            owner: self.owner.clone(),
            now_us,
            until_us: now_us.saturating_add(ttl_us),
        };
        self.writer.internal("lease_hold", claim, |tx, claim| hold(tx, claim).boxed()).await
    }

    /// Gives the lease back, so that another need not wait for it to run out.
    ///
    /// # Errors
    /// If the database is away; the lease then runs out.
    pub async fn give_back(&self, name: &str) -> Result<(), Fault> {
        let claim = Claim { name: name.to_owned(), owner: self.owner.clone(), now_us: 0, until_us: 0 };
        self.writer.internal("lease_give_back", claim, |tx, claim| give_back(tx, claim).boxed()).await
    }
}

/// Reading before writing is safe here: the writers of a database take turns.
async fn hold(tx: &Tx, claim: &Claim) -> Result<Option<Lease>, Fault> {
    let found = lease::Entity::find_by_id(claim.name.clone()).one(tx.conn()).await.map_err(database_fault)?;
    let term = match &found {
        Some(held) if held.owner == claim.owner => held.term,
        Some(held) if held.expires_at > claim.now_us => return Ok(None),
        Some(ended) => ended.term + 1,
        None => 1,
    };
    let row = lease::Model {
        name: claim.name.clone(),
        owner: claim.owner.clone(),
        term,
        expires_at: claim.until_us,
    };
    let row = row.into_active_model().reset_all();
    match found {
        Some(_) => row.update(tx.conn()).await.map(drop),
        None => lease::Entity::insert(row).exec_without_returning(tx.conn()).await.map(drop),
    }
    .map_err(database_fault)?;
    Ok(Some(Lease { name: claim.name.clone(), term: term.cast_unsigned() }))
}

async fn give_back(tx: &Tx, claim: &Claim) -> Result<(), Fault> {
    let found = lease::Entity::find_by_id(claim.name.clone()).one(tx.conn()).await.map_err(database_fault)?;
    if let Some(held) = found.filter(|held| held.owner == claim.owner) {
        let ended = lease::Model { expires_at: 0, ..held };
        ended.into_active_model().reset_all().update(tx.conn()).await.map_err(database_fault)?;
    }
    Ok(())
}
