//! Comments in their threads. A page of them is read by the index in which they lie in the order of reading, whatever
//! the length of the thread.

use kernel::{CommentId, Date, Fault, ProposalId, Subject, TenantId};
use messaging::database_fault;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::entity::comment::{self, Column, Entity};
use super::{counts, values};
use crate::domain::comment::{Comment, CommentState, Place};
use crate::domain::screening::{Finding, FindingKind};

/// Stores a new comment; its place in the thread and the counter with it.
pub async fn insert(conn: &impl ConnectionTrait, new: &Comment) -> Result<(), Fault> {
    let row = row_of(new, false).into_active_model();
    Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    settle(conn, new, false, false).await
}

/// Stores a changed comment. What follows from it is changed too: the counter of the proposal, and whether comments above
/// it, of which only the place is left, still have a place.
pub async fn save(conn: &impl ConnectionTrait, changed: &Comment) -> Result<(), Fault> {
    let before = find(conn, changed.id).await?.ok_or_else(no_such_comment)?;
    let was_visible = before.state == CommentState::Visible.as_str();
    settle(conn, changed, was_visible, before.shown).await
}

async fn settle(
    conn: &impl ConnectionTrait,
    changed: &Comment,
    was_visible: bool,
    was_shown: bool,
) -> Result<(), Fault> {
    update(conn, changed).await?;
    let is_visible = changed.state == CommentState::Visible;
    if is_visible != was_visible {
        counts::add_comments(conn, changed.proposal, if is_visible { 1 } else { -1 }).await?;
    }
    let mut below = changed.clone();
    let mut was_shown = was_shown;
    while below.is_shown() != was_shown
        && let Some(parent) = below.parent
    {
        let row = find(conn, parent).await?.ok_or_else(no_such_comment)?;
        let is_more = below.is_shown();
        was_shown = row.shown;
        let mut above = comment_of(row)?;
        above.replies = if is_more { above.replies + 1 } else { above.replies.saturating_sub(1) };
        update(conn, &above).await?;
        below = above;
    }
    Ok(())
}

async fn update(conn: &impl ConnectionTrait, changed: &Comment) -> Result<(), Fault> {
    let row = row_of(changed, changed.is_shown()).into_active_model().reset_all();
    row.update_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// A comment of a proposal. NotFound `proposals.no_such_comment`.
pub async fn load(conn: &impl ConnectionTrait, id: CommentId) -> Result<Comment, Fault> {
    comment_of(find(conn, id).await?.ok_or_else(no_such_comment)?)
}

/// A comment of this county. NotFound `proposals.no_such_comment`.
pub async fn load_in(conn: &impl ConnectionTrait, tenant: TenantId, id: CommentId) -> Result<Comment, Fault> {
    let found = load(conn, id).await?;
    if found.tenant == tenant { Ok(found) } else { Err(no_such_comment()) }
}

/// A comment that this person wrote. NotFound `proposals.no_such_comment`.
pub async fn load_own(conn: &impl ConnectionTrait, writer: Subject, id: CommentId) -> Result<Comment, Fault> {
    let found = load(conn, id).await?;
    if found.writer == Some(writer) { Ok(found) } else { Err(no_such_comment()) }
}

/// How many comments a person wrote on a day, whatever became of them.
pub async fn written_on(conn: &impl ConnectionTrait, writer: Subject, day: Date) -> Result<u64, Fault> {
    let of_day = Entity::find()
        .filter(Column::Person.eq(writer.as_uuid()))
        .filter(Column::WrittenOn.eq(day.to_string()));
    of_day.count(conn).await.map_err(database_fault)
}

/// The comments of a proposal that have a place in its threads, in the order of reading: at most `limit` after `after`.
pub async fn shown(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<Comment>, Fault> {
    let mut query =
        Entity::find().filter(Column::ProposalId.eq(proposal.as_uuid())).filter(Column::Shown.eq(true));
    if let Some(after) = after {
        query = query.filter(Column::Path.gt(after));
    }
    let rows = query.order_by_asc(Column::Path).limit(limit).all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(comment_of).collect()
}

/// A person's own comments, the newest first: at most `limit`, from before this day and id on.
pub async fn own(
    conn: &impl ConnectionTrait,
    writer: Subject,
    before: Option<(Date, CommentId)>,
    limit: u64,
) -> Result<Vec<Comment>, Fault> {
    let mut query = Entity::find().filter(Column::Person.eq(writer.as_uuid()));
    if let Some((day, id)) = before {
        let day = day.to_string();
        let same_day =
            Condition::all().add(Column::WrittenOn.eq(day.as_str())).add(Column::Id.lt(id.as_uuid()));
        query = query.filter(Condition::any().add(Column::WrittenOn.lt(day.as_str())).add(same_day));
    }
    let ordered = query.order_by_desc(Column::WrittenOn).order_by_desc(Column::Id);
    let rows = ordered.limit(limit).all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(comment_of).collect()
}

/// A county's comments that wait for a human, the oldest first: at most `limit` after `after`.
pub async fn waiting(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    after: Option<CommentId>,
    limit: u64,
) -> Result<Vec<Comment>, Fault> {
    let mut query = Entity::find()
        .filter(Column::Tenant.eq(tenant.as_str()))
        .filter(Column::State.eq(CommentState::Waiting.as_str()));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.as_uuid()));
    }
    let rows = query.order_by_asc(Column::Id).limit(limit).all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(comment_of).collect()
}

/// Forgets who wrote the comments of a person who has left.
pub async fn forget(conn: &impl ConnectionTrait, person: Subject) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::Person, Expr::value(Option::<kernel::Uuid>::None))
        .filter(Column::Person.eq(person.as_uuid()))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    Ok(())
}

/// What is answered for a comment that is not there, or that the caller may not know of.
pub fn no_such_comment() -> Fault {
    Fault::not_found(
        "proposals.no_such_comment",
        "There is no such comment here. Look at the proposal again.",
    )
}

async fn find(conn: &impl ConnectionTrait, id: CommentId) -> Result<Option<comment::Model>, Fault> {
    Entity::find_by_id(id.as_uuid()).one(conn).await.map_err(database_fault)
}

fn row_of(of: &Comment, shown: bool) -> comment::Model {
    comment::Model {
        id: of.id.as_uuid(),
        tenant: of.tenant.to_string(),
        proposal_id: of.proposal.as_uuid(),
        parent_id: of.parent.map(|parent| parent.as_uuid()),
        path: of.place.as_str().to_owned(),
        person: of.writer.map(|writer| writer.as_uuid()),
        by_staff: of.by_staff,
        acting_mode: of.mode.as_str().to_owned(),
        written_on: of.written_at.helsinki_date().to_string(),
        written_at: of.written_at.as_micros(),
        body: of.body.clone(),
        findings: findings_text(&of.findings),
        state: of.state.as_str().to_owned(),
        review_due_on: of.review_due_on.map(|day| day.to_string()),
        reason: of.reason.clone(),
        replies: of.replies.cast_signed(),
        shown,
    }
}

fn comment_of(row: comment::Model) -> Result<Comment, Fault> {
    Ok(Comment {
        id: CommentId::from_uuid(row.id),
        tenant: values::tenant(&row.tenant)?,
        proposal: ProposalId::from_uuid(row.proposal_id),
        parent: row.parent_id.map(CommentId::from_uuid),
        place: Place::stored(row.path),
        writer: row.person.map(Subject::from_uuid),
        by_staff: row.by_staff,
        mode: row.acting_mode.parse().map_err(Fault::internal)?,
        written_at: kernel::Timestamp::from_micros(row.written_at),
        body: row.body,
        findings: findings_of(&row.findings)?,
        state: values::known(&CommentState::ALL, CommentState::as_str, &row.state)?,
        review_due_on: values::maybe_day(row.review_due_on.as_deref())?,
        reason: row.reason,
        replies: u64::try_from(row.replies).map_err(Fault::internal)?,
    })
}

/// Findings as one text: "phone 5 17, name 20 28".
fn findings_text(findings: &[Finding]) -> String {
    let one = |finding: &Finding| format!("{} {} {}", finding.kind.as_str(), finding.start, finding.end);
    findings.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn findings_of(stored: &str) -> Result<Vec<Finding>, Fault> {
    let broken = || Fault::internal("stored findings of a comment are not readable");
    let one = |text: &str| {
        let mut parts = text.split(' ');
        let (Some(kind), Some(start), Some(end)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(broken());
        };
        let kind = values::known(&FindingKind::ALL, FindingKind::as_str, kind)?;
        let number = |text: &str| text.parse().map_err(|_| broken());
        Ok(Finding { text: 0, start: number(start)?, end: number(end)?, kind })
    };
    stored.split(", ").filter(|text| !text.is_empty()).map(one).collect()
}
