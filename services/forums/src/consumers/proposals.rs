//! What the events of proposals do here: a proposal that is sent to a forum becomes a topic, and one that ends before a
//! vote was opened on it is dropped.
//!
//! The topic has the id of the event, and each event that was taken is kept with its topic: whatever is read again after
//! a rebuild raises nothing twice. A proposal that was returned for work is sent again by another event, and is another
//! topic.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{AgendaItemId, Fault, ForumId, ProposalId, TenantId, TextVariant, Uuid};
use messaging::{HandlerError, Received, Swept, Tx};
use proto::proposals::{
    ProposalClosed, ProposalMerged, ProposalRedirected, ProposalSentToForum, ProposalSplit, PublishedTitle,
};

use super::{handler_error, permanent};
use crate::domain::forum::Forum;
use crate::domain::meeting::agenda::{AgendaItem, ItemState, Source};
use crate::domain::meeting::forms::{Form, Forms, MAX_BODY};
use crate::store::meeting_texts::Kind;
use crate::{events, store};

/// Handles the events of proposals.
pub fn proposals<'a>(tx: &'a Tx, received: &'a Received) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move {
        if received.is::<ProposalSentToForum>() {
            return sent(tx, received, &received.decode()?).await;
        }
        let ended = if received.is::<ProposalMerged>() {
            received.decode::<ProposalMerged>()?.proposal_id
        } else if received.is::<ProposalSplit>() {
            received.decode::<ProposalSplit>()?.proposal_id
        } else if received.is::<ProposalRedirected>() {
            received.decode::<ProposalRedirected>()?.proposal_id
        } else if received.is::<ProposalClosed>() {
            received.decode::<ProposalClosed>()?.proposal_id
        } else {
            return Ok(());
        };
        drop_topics(tx, ended.parse().map_err(permanent)?).await.map_err(handler_error)
    }
    .boxed()
}

/// At the end of a rebuild, topics go that no event raises any more and nobody has touched.
pub fn sweep<'a>(tx: &'a Tx, swept: Swept<'a>) -> BoxFuture<'a, Result<(), HandlerError>> {
    async move { store::agenda::sweep(tx.conn(), swept.lane, swept.generation).await.map_err(handler_error) }
        .boxed()
}

/// A proposal was sent to a forum of its county: raised once, and its titles are those it has now.
async fn sent(tx: &Tx, received: &Received, event: &ProposalSentToForum) -> Result<(), HandlerError> {
    let envelope = &received.envelope;
    let event_id: AgendaItemId = envelope.event_id.parse().map_err(permanent)?;
    let tenant = TenantId::new(&envelope.lane).map_err(permanent)?;
    let forum: ForumId = event.forum_id.parse().map_err(permanent)?;
    let proposal: ProposalId = event.proposal_id.parse().map_err(permanent)?;
    let forms = titles(&event.titles)?;
    let forum = store::forums::load(tx.conn(), forum).await.map_err(handler_error)?;
    if forum.charter.tenant != tenant && !forum.charter.co_tenants.contains(&tenant) {
        let text = format!("county {tenant} sent a proposal to forum {}, which is not its", forum.id);
        return Err(HandlerError::Permanent(text));
    }
    let taken = Taken { event: event_id, tenant, generation: received.generation };
    take(tx, &forum, proposal, &forms, taken).await.map_err(handler_error)
}

/// The event that was taken.
struct Taken {
    event: AgendaItemId,
    tenant: TenantId,
    generation: u64,
}

async fn take(
    tx: &Tx,
    forum: &Forum,
    proposal: ProposalId,
    forms: &Forms,
    taken: Taken,
) -> Result<(), Fault> {
    let conn = tx.conn();
    let event: Uuid = taken.event.as_uuid();
    let known = store::agenda::sent_by(conn, event).await?;
    let item = match known {
        Some(item) => item,
        None => {
            let pending = store::agenda::pending_of_proposal(conn, proposal).await?;
            match pending.iter().find(|item| item.forum == forum.id) {
                // Sent twice: one topic, with the titles of the later sending unless it is on an agenda (F11).
                Some(item) => {
                    if matches!(item.state, ItemState::Raised | ItemState::Deferred) {
                        store::meeting_texts::save(conn, item.id.as_uuid(), Kind::Topic, forms).await?;
                    }
                    item.id
                }
                None => {
                    let today = tx.now().helsinki_date();
                    let raised = AgendaItem::raised(taken.event, forum.id, Source::Proposal, today);
                    let item = AgendaItem { proposal: Some(proposal), ..raised };
                    store::agenda::insert(conn, &item).await?;
                    store::meeting_texts::save(conn, event, Kind::Topic, forms).await?;
                    tx.publish(events::topic_raised(forum, &item));
                    item.id
                }
            }
        }
    };
    store::agenda::save_sending(conn, event, taken.tenant.as_str(), item, taken.generation).await
}

/// Drops a proposal's topics, but those on which a vote was opened: what a forum votes on, it decides. If it abandons the
/// vote, the topic is dropped then.
async fn drop_topics(tx: &Tx, proposal: ProposalId) -> Result<(), Fault> {
    for item in store::agenda::pending_of_proposal(tx.conn(), proposal).await? {
        if store::votes::find(tx.conn(), item.id).await?.is_some() {
            store::agenda::save(tx.conn(), &AgendaItem { proposal_ended: true, ..item }).await?;
            continue;
        }
        if let Some(dropped) = item.drop_topic() {
            store::agenda::save(tx.conn(), &dropped).await?;
        }
    }
    Ok(())
}

/// Titles of languages that are known here; those of newer versions are none of ours.
fn titles(titles: &[PublishedTitle]) -> Result<Forms, HandlerError> {
    let known = titles.iter().filter_map(|title| {
        let language: TextVariant = title.language.parse().ok()?;
        Some((language, Form { title: title.title.clone(), body: String::new() }))
    });
    Forms::new("titles", known, MAX_BODY).map_err(handler_error)
}
