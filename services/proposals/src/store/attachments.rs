//! Files and their pieces. No function reads a whole file.

use kernel::{AttachmentId, Fault, ProposalId, Subject, TenantId, Timestamp};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait as _, IntoActiveModel as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::entity::attachment::{self, Column, Entity};
use super::entity::attachment_chunk;
use super::values;
use crate::domain::attachment::{Attachment, AttachmentState, MediaType, Part};

/// Stores a new file.
pub async fn insert(conn: &impl ConnectionTrait, new: &Attachment) -> Result<(), Fault> {
    let row = row_of(new).into_active_model();
    Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed file.
pub async fn save(conn: &impl ConnectionTrait, changed: &Attachment) -> Result<(), Fault> {
    let row = row_of(changed).into_active_model().reset_all();
    row.update_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes a file with its pieces.
pub async fn delete(conn: &impl ConnectionTrait, id: AttachmentId) -> Result<(), Fault> {
    for part in Part::ALL {
        delete_chunks(conn, id, part).await?;
    }
    Entity::delete_by_id(id.as_uuid()).exec(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes the files of a draft with their pieces.
pub async fn delete_of(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<(), Fault> {
    for file in of(conn, proposal).await? {
        delete(conn, file.id).await?;
    }
    Ok(())
}

/// A file; None if there is none such.
pub async fn find(conn: &impl ConnectionTrait, id: AttachmentId) -> Result<Option<Attachment>, Fault> {
    let row = Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)?;
    row.map(attachment_of).transpose()
}

/// A file. NotFound `proposals.no_such_attachment`.
pub async fn load(conn: &impl ConnectionTrait, id: AttachmentId) -> Result<Attachment, Fault> {
    find(conn, id).await?.ok_or_else(no_such_attachment)
}

/// A file that this person sent. NotFound `proposals.no_such_attachment`.
pub async fn load_own(
    conn: &impl ConnectionTrait,
    sender: Subject,
    id: AttachmentId,
) -> Result<Attachment, Fault> {
    let found = load(conn, id).await?;
    if found.sender == Some(sender) { Ok(found) } else { Err(no_such_attachment()) }
}

/// A file of this county. NotFound `proposals.no_such_attachment`.
pub async fn load_in(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    id: AttachmentId,
) -> Result<Attachment, Fault> {
    let found = load(conn, id).await?;
    if found.tenant == tenant { Ok(found) } else { Err(no_such_attachment()) }
}

/// How many files a proposal has, without those that were removed.
pub async fn count(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<u64, Fault> {
    let kept = Entity::find()
        .filter(Column::ProposalId.eq(proposal.as_uuid()))
        .filter(Column::State.ne(AttachmentState::Removed.as_str()));
    kept.count(conn).await.map_err(database_fault)
}

/// The files of a proposal, in the order in which they were begun; those that were removed too.
pub async fn of(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<Vec<Attachment>, Fault> {
    let rows = Entity::find()
        .filter(Column::ProposalId.eq(proposal.as_uuid()))
        .order_by_asc(Column::Id)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter().map(attachment_of).collect()
}

/// The files that a person sent, those that were removed too.
pub async fn sent_by(conn: &impl ConnectionTrait, sender: Subject) -> Result<Vec<Attachment>, Fault> {
    let rows = Entity::find().filter(Column::Person.eq(sender.as_uuid())).order_by_asc(Column::Id).all(conn);
    rows.await.map_err(database_fault)?.into_iter().map(attachment_of).collect()
}

/// The sizes of the files that a person has, in bytes, without those that were removed: few, see
/// [`MAX_FILES_OF_PERSON`](crate::domain::attachment::MAX_FILES_OF_PERSON).
pub async fn sizes(conn: &impl ConnectionTrait, sender: Subject) -> Result<Vec<u64>, Fault> {
    let sizes: Vec<i64> = Entity::find()
        .filter(Column::Person.eq(sender.as_uuid()))
        .filter(Column::State.ne(AttachmentState::Removed.as_str()))
        .select_only()
        .column(Column::Size)
        .into_tuple()
        .all(conn)
        .await
        .map_err(database_fault)?;
    sizes.into_iter().map(|size| u64::try_from(size).map_err(Fault::internal)).collect()
}

/// A county's files that wait for a human, the oldest first: at most `limit` after `after`.
pub async fn waiting(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    after: Option<AttachmentId>,
    limit: u64,
) -> Result<Vec<Attachment>, Fault> {
    let mut query = Entity::find()
        .filter(Column::Tenant.eq(tenant.as_str()))
        .filter(Column::State.eq(AttachmentState::Waiting.as_str()));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    let rows = query.order_by_asc(Column::Id).limit(limit).all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(attachment_of).collect()
}

/// Stores the next piece that was sent.
pub async fn put_chunk(
    conn: &impl ConnectionTrait,
    id: AttachmentId,
    position: u64,
    data: Vec<u8>,
) -> Result<(), Fault> {
    let chunk = attachment_chunk::Entity::insert(chunk_row(id, Part::Sent, position, data));
    chunk.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores pieces with the hidden data taken out, from position `first` on, in place of those of an earlier try. `of` is
/// what was read of the file, as many pieces and bytes; false, and nothing is stored, if it is not that any more: it was
/// finished, removed or deleted meanwhile, or a piece came in.
pub async fn put_plain(
    conn: &impl ConnectionTrait,
    id: AttachmentId,
    of: (u64, u64),
    first: u64,
    pieces: &[Vec<u8>],
) -> Result<bool, Fault> {
    let is_so = |file: Attachment| (file.state, (file.chunks, file.size)) == (AttachmentState::Begun, of);
    if !find(conn, id).await?.is_some_and(is_so) {
        return Ok(false);
    }
    use attachment_chunk::Column::{AttachmentId, Data, Part as PartOf, Position};
    for (position, piece) in (first..).zip(pieces) {
        let replace = OnConflict::columns([AttachmentId, PartOf, Position]).update_column(Data).to_owned();
        let stored = attachment_chunk::Entity::insert(chunk_row(id, Part::Plain, position, piece.clone()));
        stored.on_conflict(replace).exec_without_returning(conn).await.map_err(database_fault)?;
    }
    Ok(true)
}

/// Deletes the pieces with the hidden data taken out from this position on, which an earlier try left.
pub async fn cut_plain(conn: &impl ConnectionTrait, id: AttachmentId, from: u64) -> Result<(), Fault> {
    attachment_chunk::Entity::delete_many()
        .filter(attachment_chunk::Column::AttachmentId.eq(id.as_uuid()))
        .filter(attachment_chunk::Column::Part.eq(Part::Plain.as_str()))
        .filter(attachment_chunk::Column::Position.gte(from.cast_signed()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

fn chunk_row(id: AttachmentId, part: Part, position: u64, data: Vec<u8>) -> attachment_chunk::ActiveModel {
    let row = attachment_chunk::Model {
        attachment_id: id.as_uuid(),
        part: part.as_str().to_owned(),
        position: position.cast_signed(),
        data,
    };
    row.into_active_model()
}

/// A piece of a file. NotFound `proposals.no_such_attachment` if it is gone.
pub async fn chunk(
    conn: &impl ConnectionTrait,
    id: AttachmentId,
    part: Part,
    position: u64,
) -> Result<Vec<u8>, Fault> {
    let key = (id.as_uuid(), part.as_str().to_owned(), position.cast_signed());
    let row = attachment_chunk::Entity::find_by_id(key).one(conn).await.map_err(database_fault)?;
    Ok(row.ok_or_else(no_such_attachment)?.data)
}

/// Deletes the pieces of a part of a file.
pub async fn delete_chunks(conn: &impl ConnectionTrait, id: AttachmentId, part: Part) -> Result<(), Fault> {
    attachment_chunk::Entity::delete_many()
        .filter(attachment_chunk::Column::AttachmentId.eq(id.as_uuid()))
        .filter(attachment_chunk::Column::Part.eq(part.as_str()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// What is answered for a file that is not there, or that the caller may not know of.
pub fn no_such_attachment() -> Fault {
    Fault::not_found(
        "proposals.no_such_attachment",
        "There is no such file here. Look at the proposal again.",
    )
}

fn row_of(of: &Attachment) -> attachment::Model {
    attachment::Model {
        id: of.id.as_uuid(),
        tenant: of.tenant.to_string(),
        proposal_id: of.proposal.as_uuid(),
        person: of.sender.map(|sender| sender.as_uuid()),
        state: of.state.as_str().to_owned(),
        media_type: of.kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        size: of.size.cast_signed(),
        chunks: of.chunks.cast_signed(),
        sha256: of.sha256.clone(),
        description: of.description.clone(),
        variant: of.language.as_str().to_owned(),
        part: of.part.as_str().to_owned(),
        hidden_data: of.hidden_data,
        begun_at: of.begun_at.as_micros(),
        review_due_on: of.review_due_on.map(|day| day.to_string()),
        reason: of.reason.clone(),
    }
}

fn attachment_of(row: attachment::Model) -> Result<Attachment, Fault> {
    let kind = Some(row.media_type.as_str()).filter(|kind| !kind.is_empty());
    Ok(Attachment {
        id: AttachmentId::from_uuid(row.id),
        tenant: values::tenant(&row.tenant)?,
        proposal: ProposalId::from_uuid(row.proposal_id),
        sender: row.person.map(Subject::from_uuid),
        state: values::known(&AttachmentState::ALL, AttachmentState::as_str, &row.state)?,
        kind: kind.map(|kind| values::known(&MediaType::ALL, MediaType::as_str, kind)).transpose()?,
        size: u64::try_from(row.size).map_err(Fault::internal)?,
        chunks: u64::try_from(row.chunks).map_err(Fault::internal)?,
        sha256: row.sha256,
        description: row.description,
        language: row.variant.parse().map_err(Fault::internal)?,
        part: values::known(&Part::ALL, Part::as_str, &row.part)?,
        hidden_data: row.hidden_data,
        begun_at: Timestamp::from_micros(row.begun_at),
        review_due_on: values::maybe_day(row.review_due_on.as_deref())?,
        reason: row.reason,
    })
}
