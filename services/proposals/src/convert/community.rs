//! Support, comments and files to their messages.

use proto::proposals as pb;

use crate::domain::attachment::{Attachment, AttachmentState};
use crate::domain::comment::{Comment, CommentState, Draft, Verdict};
use crate::domain::screening::Finding;
use crate::store::counts::Counts;

use super::requests::choice;

/// Counters.
pub fn counts(counts: Counts) -> pb::Counts {
    pb::Counts { supports: counts.supports, followers: counts.followers, comments: counts.comments }
}

/// A comment as everybody sees it.
pub fn comment(comment: &Comment) -> pb::Comment {
    let written = comment.written_at.as_micros();
    let nanos = i32::try_from(written.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    let mut message = pb::Comment {
        comment_id: comment.id.to_string(),
        proposal_id: comment.proposal.to_string(),
        parent_comment_id: comment.parent.map(|parent| parent.to_string()).unwrap_or_default(),
        depth: u32::try_from(comment.place.depth()).unwrap_or(u32::MAX),
        body: comment.body.clone(),
        by_staff: comment.by_staff,
        written_at: Some(prost_types::Timestamp { seconds: written.div_euclid(1_000_000), nanos }),
        reason: comment.reason.clone(),
        replies: u32::try_from(comment.replies).unwrap_or(u32::MAX),
        review_due_on: comment.review_due_on.map(|day| day.to_string()).unwrap_or_default(),
        ..pb::Comment::default()
    };
    message.set_state(match comment.state {
        CommentState::Waiting => pb::CommentState::Waiting,
        CommentState::Visible => pb::CommentState::Visible,
        CommentState::Deleted => pb::CommentState::Deleted,
        CommentState::Removed => pb::CommentState::Removed,
    });
    message
}

/// The same without its text, for answers that are kept: they would outlive a comment that is taken back or removed.
pub fn without_words(of: &Comment) -> pb::Comment {
    pb::Comment { body: String::new(), ..comment(of) }
}

/// A comment for its writer and for the human who looks at it.
pub fn screened(of: &Comment) -> pb::ScreenedComment {
    pb::ScreenedComment { comment: Some(comment(of)), findings: findings(&of.body, &of.findings) }
}

/// The answer to whoever wrote a comment: what was kept of it, and what they said.
pub fn said(kept: Option<pb::ScreenedComment>, draft: &Draft) -> pb::ScreenedComment {
    let comment = kept.and_then(|kept| kept.comment).unwrap_or_default();
    pb::ScreenedComment {
        comment: Some(pb::Comment { body: draft.body.clone(), ..comment }),
        findings: findings(&draft.body, &draft.findings),
    }
}

fn findings(body: &str, found: &[Finding]) -> Vec<pb::CommentFinding> {
    found.iter().filter_map(|found| finding(body, found)).collect()
}

/// A finding, counted in characters: clients count in units of their own, but everybody can count these.
fn finding(body: &str, found: &Finding) -> Option<pb::CommentFinding> {
    let starts_at = body.get(..found.start)?.chars().count();
    let length = body.get(found.start..found.end)?.chars().count();
    let (starts_at, length) = (u32::try_from(starts_at).ok()?, u32::try_from(length).ok()?);
    Some(pb::CommentFinding { kind: found.kind.as_str().to_owned(), starts_at, length })
}

/// A file without its bytes and its description, for answers that are kept: they would outlive a file that is removed.
pub fn without_description(file: &Attachment) -> pb::Attachment {
    pb::Attachment { description: String::new(), ..attachment(file) }
}

/// A file, without its bytes.
pub fn attachment(file: &Attachment) -> pb::Attachment {
    let mut message = pb::Attachment {
        attachment_id: file.id.to_string(),
        proposal_id: file.proposal.to_string(),
        media_type: file.kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        size: u32::try_from(file.size).unwrap_or(u32::MAX),
        description: file.description.clone(),
        language: file.language.as_str().to_owned(),
        chunks: u32::try_from(file.chunks).unwrap_or(u32::MAX),
        reason: file.reason.clone(),
        review_due_on: file.review_due_on.map(|day| day.to_string()).unwrap_or_default(),
        hidden_data: file.hidden_data,
        ..pb::Attachment::default()
    };
    message.set_state(match file.state {
        AttachmentState::Begun => pb::AttachmentState::Begun,
        AttachmentState::Waiting => pb::AttachmentState::Waiting,
        AttachmentState::Visible => pb::AttachmentState::Visible,
        AttachmentState::Removed => pb::AttachmentState::Removed,
    });
    message
}

/// What a human decides. Invalid `request.invalid` without a choice, or for a reason that may not be published.
pub fn verdict(verdict: pb::Verdict, reason: &str) -> Result<Verdict, kernel::Fault> {
    match verdict {
        pb::Verdict::Unspecified => Err(choice("verdict")),
        pb::Verdict::Show => Ok(Verdict::Show),
        pb::Verdict::Remove => Verdict::remove(reason),
    }
}
