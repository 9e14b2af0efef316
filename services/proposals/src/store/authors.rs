//! Who wrote a proposal. References are for telling people and for letting them at their own; nothing shows them.

use std::collections::BTreeSet;

use kernel::{Date, Fault, ProposalId, Subject, Uuid};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::entity::{author_invitation, proposal_author};
use super::values;

/// Who began it, who joined later, or whose own proposal goes on in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorKind {
    /// Began it.
    Author,
    /// Joined by a code.
    CoAuthor,
    /// Wrote one that goes on in this one: is told of it and may read it, and has no hand in it.
    Merged,
}

impl AuthorKind {
    /// Every kind.
    pub const ALL: [AuthorKind; 3] = [AuthorKind::Author, AuthorKind::CoAuthor, AuthorKind::Merged];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthorKind::Author => "author",
            AuthorKind::CoAuthor => "co_author",
            AuthorKind::Merged => "merged",
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

/// The person who began a proposal and whose own words it keeps; nobody once they have left.
pub async fn first(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Option<Subject>, Fault> {
    let rows = rows_of(conn, proposal).await?;
    let first = rows.into_iter().find(|row| row.kind == AuthorKind::Author.as_str());
    Ok(first.map(|row| Subject::from_uuid(row.author_ref)))
}

/// Whether the person is an author of any kind.
pub async fn is_author(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
) -> Result<bool, Fault> {
    Ok(kind_of(conn, proposal, person).await?.is_some())
}

/// Whether the person has a hand in the proposal: began it, or joined it.
pub async fn is_writer(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
) -> Result<bool, Fault> {
    let kind = kind_of(conn, proposal, person).await?;
    Ok(matches!(kind, Some(AuthorKind::Author | AuthorKind::CoAuthor)))
}

/// What the person is to a proposal; None if they have no part in it.
pub async fn kind_of(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    person: Subject,
) -> Result<Option<AuthorKind>, Fault> {
    let found = proposal_author::Entity::find_by_id((proposal.as_uuid(), person.as_uuid())).one(conn).await;
    found.map_err(database_fault)?.map(|row| kind(&row)).transpose()
}

/// Those of a page of proposals that this person began.
pub async fn begun_by(
    conn: &impl ConnectionTrait,
    person: Subject,
    page: impl Iterator<Item = ProposalId>,
) -> Result<BTreeSet<ProposalId>, Fault> {
    let rows = proposal_author::Entity::find()
        .filter(proposal_author::Column::AuthorRef.eq(person.as_uuid()))
        .filter(proposal_author::Column::Kind.eq(AuthorKind::Author.as_str()))
        .filter(proposal_author::Column::ProposalId.is_in(page.map(|proposal| proposal.as_uuid())))
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(rows.into_iter().map(|row| ProposalId::from_uuid(row.proposal_id)).collect())
}

/// Adds the authors of a proposal to the one it goes on in; who is an author there already stays what they are.
pub async fn carry_over(
    conn: &impl ConnectionTrait,
    from: ProposalId,
    into: ProposalId,
    today: Date,
) -> Result<(), Fault> {
    for person in of(conn, from).await? {
        add(conn, into, person, AuthorKind::Merged, today).await?;
    }
    Ok(())
}

/// Gives a part of a proposal the authors of the whole one, each as they were.
pub async fn copy(
    conn: &impl ConnectionTrait,
    from: ProposalId,
    into: ProposalId,
    today: Date,
) -> Result<(), Fault> {
    for row in rows_of(conn, from).await? {
        add(conn, into, Subject::from_uuid(row.author_ref), kind(&row)?, today).await?;
    }
    Ok(())
}

fn kind(row: &proposal_author::Model) -> Result<AuthorKind, Fault> {
    values::known(&AuthorKind::ALL, AuthorKind::as_str, &row.kind)
}

async fn rows_of(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
) -> Result<Vec<proposal_author::Model>, Fault> {
    proposal_author::Entity::find()
        .filter(proposal_author::Column::ProposalId.eq(proposal.as_uuid()))
        .order_by_asc(proposal_author::Column::AuthorRef)
        .all(conn)
        .await
        .map_err(database_fault)
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

/// How many codes of a proposal wait to be used and still work on this day.
pub async fn invitations(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    today: Date,
) -> Result<u64, Fault> {
    author_invitation::Entity::find()
        .filter(author_invitation::Column::ProposalId.eq(proposal.as_uuid()))
        .filter(author_invitation::Column::ExpiresOn.gte(today.to_string()))
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

/// Takes a person who has left out of everything they wrote; answers what they wrote, and what they were to it.
pub async fn forget(
    conn: &impl ConnectionTrait,
    person: Subject,
) -> Result<Vec<(ProposalId, AuthorKind)>, Fault> {
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
    rows.into_iter().map(|row| Ok((ProposalId::from_uuid(row.proposal_id), kind(&row)?))).collect()
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
