//! Comments: written, taken back, moderated, read.

use chassis::Call;
use futures::FutureExt as _;
use kernel::deadline::due_after_days;
use kernel::{
    CommentId, Date, Fault, Invalid, PageSize, PageToken, PolicyKey, ProposalId, Subject, TenantId, Uuid,
};
use messaging::Tx;
use proto::proposals as pb;

use super::App;
use super::community::Part;
use crate::domain::comment::{Comment, CommentState, Draft, Place, Verdict, check_a_day};
use crate::domain::moderation::{Moderated, Moderation, ModerationAct};
use crate::{convert, store};

struct Write {
    id: CommentId,
    part: Part,
    parent: Option<CommentId>,
    draft: Draft,
    by_staff: bool,
}

struct Delete {
    writer: Subject,
    id: CommentId,
}

struct Moderate {
    entry: Uuid,
    tenant: TenantId,
    id: CommentId,
    verdict: Verdict,
}

impl App {
    /// Writes a comment; one in which the screening finds something waits for a human.
    pub async fn write_comment(
        &self,
        call: &Call,
        proposal: ProposalId,
        parent: Option<CommentId>,
        draft: Draft,
        conflict_accepted: bool,
    ) -> Result<pb::WriteCommentResponse, Fault> {
        let part = Part::of(call, proposal, conflict_accepted)?;
        let by_staff = crate::domain::comment::is_officer(&call.caller);
        let said = draft.clone();
        let input = Write { id: self.ids.new_id(), part, parent, draft, by_staff };
        let answer = self.writer.run(call.command(), input, |tx, input| written(tx, input).boxed()).await?;
        // Not in the log of answers, where it would outlive its deletion: put in on the way out.
        Ok(pb::WriteCommentResponse { written: Some(convert::community::said(answer.written, &said)) })
    }

    /// Takes the caller's own comment back.
    pub async fn delete_comment(
        &self,
        call: &Call,
        id: CommentId,
    ) -> Result<pb::DeleteCommentResponse, Fault> {
        let input = Delete { writer: call.scope.subject()?, id };
        self.writer.run(call.command(), input, |tx, input| deleted(tx, input).boxed()).await
    }

    /// A human lets a comment be seen or removes it.
    pub async fn moderate_comment(
        &self,
        call: &Call,
        id: CommentId,
        verdict: Verdict,
    ) -> Result<pb::ModerateCommentResponse, Fault> {
        let input = Moderate { entry: self.ids.uuid(), tenant: call.scope.tenant()?, id, verdict };
        self.writer.run(call.command(), input, |tx, input| moderated(tx, input).boxed()).await
    }

    /// The comments of a public proposal in the order of reading.
    pub async fn list_comments(
        &self,
        proposal: ProposalId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListCommentsResponse, Fault> {
        let list = format!("proposals.comments|{proposal}");
        let after = PageToken::read(token, &list).map_err(page_token)?;
        let proposal = store::proposals::load_public(self.database.read(), proposal).await?;
        let found =
            store::comments::shown(self.database.read(), proposal.id, after.as_deref(), size.limit()).await?;
        let (page, next) = size.cut(found, &list, |comment| comment.place.as_str().to_owned());
        Ok(pb::ListCommentsResponse {
            comments: page.iter().map(convert::community::comment).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// The caller's own comments, the newest first.
    pub async fn list_my_comments(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListMyCommentsResponse, Fault> {
        let writer = call.scope.subject()?;
        let list = format!("proposals.my_comments|{writer}");
        let before = PageToken::read(token, &list).map_err(page_token)?;
        let before = before.as_deref().map(day_and_id).transpose()?;
        let found = store::comments::own(self.database.read(), writer, before, size.limit()).await?;
        let key = |comment: &Comment| format!("{}|{}", comment.written_at.helsinki_date(), comment.id);
        let (page, next) = size.cut(found, &list, key);
        Ok(pb::ListMyCommentsResponse {
            comments: page.iter().map(convert::community::screened).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// A county's comments that wait for a human, the oldest first.
    pub async fn list_waiting_comments(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListWaitingCommentsResponse, Fault> {
        let tenant = call.scope.tenant()?;
        let list = format!("proposals.waiting_comments|{tenant}");
        let after = PageToken::read(token, &list).map_err(page_token)?;
        let after = after.map(|id| id.parse()).transpose().map_err(page_token)?;
        let found = store::comments::waiting(self.database.read(), tenant, after, size.limit()).await?;
        let (page, next) = size.cut(found, &list, |comment| comment.id.to_string());
        Ok(pb::ListWaitingCommentsResponse {
            comments: page.iter().map(convert::community::screened).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }
}

async fn written(tx: &Tx, input: &Write) -> Result<pb::WriteCommentResponse, Fault> {
    let Write { id, part, parent, draft, by_staff } = input;
    let proposal = part.open(tx).await?;
    let today = tx.now().helsinki_date();
    check_a_day(store::comments::written_on(tx.conn(), part.person, today).await?)?;
    let parent = match parent {
        None => None,
        Some(parent) => Some(answered(tx, proposal.id, *parent).await?),
    };
    let number = store::counts::next_comment(tx.conn(), proposal.id).await?;
    let state = draft.first_state();
    let review_due_on = match state {
        CommentState::Waiting => Some(review_due(tx, proposal.tenant, today).await?),
        CommentState::Visible | CommentState::Deleted | CommentState::Removed => None,
    };
    let comment = Comment {
        id: *id,
        tenant: proposal.tenant,
        proposal: proposal.id,
        parent: parent.as_ref().map(|parent| parent.id),
        place: Place::new(parent.as_ref().map(|parent| &parent.place), number)?,
        writer: Some(part.person),
        by_staff: *by_staff,
        mode: part.mode(),
        written_at: tx.now(),
        body: draft.body.clone(),
        findings: draft.findings.clone(),
        state,
        review_due_on,
        reason: String::new(),
        replies: 0,
    };
    store::comments::insert(tx.conn(), &comment).await?;
    let comment = Some(convert::community::without_words(&comment));
    Ok(pb::WriteCommentResponse { written: Some(pb::ScreenedComment { comment, findings: Vec::new() }) })
}

/// The comment of this proposal that is answered.
async fn answered(tx: &Tx, proposal: ProposalId, id: CommentId) -> Result<Comment, Fault> {
    let comment = store::comments::load(tx.conn(), id).await?;
    if comment.proposal != proposal {
        return Err(store::comments::no_such_comment());
    }
    comment.check_answerable()?;
    Ok(comment)
}

/// The day by which a human looks at what waits: as for proposals (P1).
pub(super) async fn review_due(tx: &Tx, tenant: TenantId, today: Date) -> Result<Date, Fault> {
    let policies = store::policies::of(tx.conn(), tenant).await?;
    Ok(due_after_days(today, policies.on(today, PolicyKey::ScreeningDays)))
}

async fn deleted(tx: &Tx, input: &Delete) -> Result<pb::DeleteCommentResponse, Fault> {
    let comment = store::comments::load_own(tx.conn(), input.writer, input.id).await?;
    let Some(deleted) = comment.deleted()? else {
        return Ok(pb::DeleteCommentResponse { already: true });
    };
    store::comments::save(tx.conn(), &deleted).await?;
    Ok(pb::DeleteCommentResponse { already: false })
}

async fn moderated(tx: &Tx, input: &Moderate) -> Result<pb::ModerateCommentResponse, Fault> {
    let before = store::comments::load_in(tx.conn(), input.tenant, input.id).await?;
    let was = before.state;
    let Some(after) = before.clone().judged(&input.verdict)? else {
        let comment = Some(convert::community::without_words(&before));
        return Ok(pb::ModerateCommentResponse { already: true, comment });
    };
    store::comments::save(tx.conn(), &after).await?;
    if let Verdict::Remove { reason } = &input.verdict {
        let entry = Moderation {
            id: input.entry,
            tenant: after.tenant,
            what: Moderated::Comment,
            proposal: after.proposal,
            act: if was == CommentState::Waiting { ModerationAct::Refused } else { ModerationAct::Hidden },
            why: reason.as_str().into(),
            on: tx.now().helsinki_date(),
        };
        store::moderations::append(tx.conn(), &entry).await?;
    }
    let comment = Some(convert::community::without_words(&after));
    Ok(pb::ModerateCommentResponse { already: false, comment })
}

/// Reads the key of a page of own comments.
fn day_and_id(key: &str) -> Result<(Date, CommentId), Fault> {
    let (day, id) = key.split_once('|').unwrap_or((key, ""));
    let day = kernel::deadline::parse_date(day).map_err(page_token)?;
    Ok((day, id.parse().map_err(page_token)?))
}

pub(super) fn page_token(invalid: Invalid) -> Fault {
    invalid.in_field("page_token")
}
