//! Who wrote a proposal. References are for telling people and for letting them at their own; nothing shows them.

use kernel::{Date, Fault, ProposalId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::entity::{author_invitation, proposal_author};
use super::values;

/// Who began it, or who joined later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorKind {
    /// Began it.
    Author,
    /// Joined by a code.
    CoAuthor,
}

impl AuthorKind {
    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthorKind::Author => "author",
            AuthorKind::CoAuthor => "co_author",
        }
    }
}

/// Adds an author; false if the person is one already.
pub async fn add(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
    kind: AuthorKind,
    today: Date,
) -> Result<bool, Fault> {
    let row = proposal_author::Model {
        proposal_id: proposal.as_uuid(),
        author_ref: person.as_uuid(),
        kind: kind.as_str().to_owned(),
        joined_on: today.to_string(),
    };
    let columns = [proposal_author::Column::ProposalId, proposal_author::Column::AuthorRef];
    let once = OnConflict::columns(columns).do_nothing().to_owned();
    let stored = proposal_author::Entity::insert(row.into_active_model()).on_conflict(once);
    Ok(stored.exec_without_returning(conn).await.map_err(database_fault)? > 0)
}

/// The authors of a proposal: for jobs that tell them.
pub async fn of(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Vec<Subject>, Fault> {
    let found: Vec<Uuid> = proposal_author::Entity::find()
        .filter(proposal_author::Column::ProposalId.eq(proposal.as_uuid()))
        .order_by_asc(proposal_author::Column::AuthorRef)
        .select_only()
        .column(proposal_author::Column::AuthorRef)
        .into_tuple()
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(found.into_iter().map(Subject::from_uuid).collect())
}

/// Whether the person is an author.
pub async fn is_author(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
) -> Result<bool, Fault> {
    let found = proposal_author::Entity::find_by_id((proposal.as_uuid(), person.as_uuid())).one(conn).await;
    Ok(found.map_err(database_fault)?.is_some())
}

/// Adds the authors of one proposal to another, as co-authors; who is one already stays what they are.
pub async fn carry_over(
    conn: &impl ConnectionTrait,
    from: ProposalId,
    into: ProposalId,
    today: Date,
) -> Result<(), Fault> {
    for person in of(conn, from).await? {
        add(conn, into, person, AuthorKind::CoAuthor, today).await?;
    }
    Ok(())
}

/// Keeps a code that makes its holder a co-author, once, until this day.
pub async fn invite(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    code_hash: &[u8],
    expires_on: Date,
) -> Result<(), Fault> {
    let row = author_invitation::Model {
        code_hash: code_hash.to_vec(),
        proposal_id: proposal.as_uuid(),
        expires_on: expires_on.to_string(),
    };
    let once = OnConflict::column(author_invitation::Column::CodeHash).do_nothing().to_owned();
    let stored = author_invitation::Entity::insert(row.into_active_model()).on_conflict(once);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// How many codes of a proposal wait to be used.
pub async fn invitations(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<u64, Fault> {
    author_invitation::Entity::find()
        .filter(author_invitation::Column::ProposalId.eq(proposal.as_uuid()))
        .count(conn)
        .await
        .map_err(database_fault)
}

/// Uses a code up: the proposal it is for; None if there is no such code, or it has expired.
pub async fn redeem(
    conn: &impl ConnectionTrait,
    code_hash: &[u8],
    today: Date,
) -> Result<Option<ProposalId>, Fault> {
    let row = author_invitation::Entity::find_by_id(code_hash.to_vec()).one(conn).await;
    let Some(row) = row.map_err(database_fault)? else { return Ok(None) };
    if values::day(&row.expires_on)? < today {
        return Ok(None);
    }
    let gone = author_invitation::Entity::delete_by_id(code_hash.to_vec()).exec(conn).await;
    gone.map_err(database_fault)?;
    Ok(Some(ProposalId::from_uuid(row.proposal_id)))
}

/// Takes a person who has left out of everything they wrote; answers what they wrote.
pub async fn forget(conn: &impl ConnectionTrait, person: Subject) -> Result<Vec<ProposalId>, Fault> {
    let rows = proposal_author::Entity::find()
        .filter(proposal_author::Column::AuthorRef.eq(person.as_uuid()))
        .all(conn)
        .await
        .map_err(database_fault)?;
    proposal_author::Entity::delete_many()
        .filter(proposal_author::Column::AuthorRef.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(rows.into_iter().map(|row| ProposalId::from_uuid(row.proposal_id)).collect())
}

/// Deletes the authors and the invitations of a draft.
pub async fn delete_of(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<(), Fault> {
    proposal_author::Entity::delete_many()
        .filter(proposal_author::Column::ProposalId.eq(proposal.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    author_invitation::Entity::delete_many()
        .filter(author_invitation::Column::ProposalId.eq(proposal.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}
