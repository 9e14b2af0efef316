//! The way to units and forums.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Fault, ForumId, ProposalId, TenantId};
use messaging::Tx;
use proto::proposals as pb;

use super::drafting::check_units;
use super::{App, moving};
use crate::domain::proposal::{Addressed, Proposal, Stage};
use crate::domain::text::{self, Owner, Target};
use crate::{convert, events, store};

struct Route {
    tenant: TenantId,
    id: ProposalId,
    addressed: Addressed,
}

struct Listed {
    tenant: TenantId,
    id: ProposalId,
}

struct Send {
    tenant: TenantId,
    id: ProposalId,
    forum: ForumId,
}

impl App {
    /// Names the units that answer (S1.11); the number of such changes is kept (S1.26).
    pub async fn route_proposal(
        &self,
        call: &Call,
        id: ProposalId,
        addressed: Addressed,
    ) -> Result<pb::RouteProposalResponse, Fault> {
        let input = Route { tenant: call.scope.tenant()?, id, addressed };
        self.writer.run(call.command(), input, |tx, input| routed(tx, input).boxed()).await
    }

    /// Chooses a proposal for the table of a forum.
    pub async fn shortlist_proposal(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::ShortlistProposalResponse, Fault> {
        let input = Listed { tenant: call.scope.tenant()?, id };
        self.writer.run(call.command(), input, |tx, input| shortlisted(tx, input).boxed()).await
    }

    /// Takes a proposal off the shortlist; it is open again.
    pub async fn reopen_proposal(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::ReopenProposalResponse, Fault> {
        let input = Listed { tenant: call.scope.tenant()?, id };
        self.writer.run(call.command(), input, |tx, input| reopened(tx, input).boxed()).await
    }

    /// Sends a proposal to a forum of its county, with its plain-language summary and picture (P2).
    pub async fn send_to_forum(
        &self,
        call: &Call,
        id: ProposalId,
        forum: ForumId,
    ) -> Result<pb::SendToForumResponse, Fault> {
        let input = Send { tenant: call.scope.tenant()?, id, forum };
        self.writer.run(call.command(), input, |tx, input| sent(tx, input).boxed()).await
    }
}

async fn routed(tx: &Tx, input: &Route) -> Result<pb::RouteProposalResponse, Fault> {
    let (before, ..) = moving::load(tx, input.tenant, input.id).await?;
    check_units(tx, input.tenant, &input.addressed).await?;
    let after = before.addressed_to(input.addressed.clone())?;
    if after.is_public && after.lead_unit.is_none() {
        return Err(kernel::Invalid::new(
            "a public proposal is addressed to at least one unit",
            "name the units that answer",
        )
        .in_field("unit_ids"));
    }
    store::proposals::save(tx.conn(), &after).await?;
    store::proposals::save_units(tx.conn(), &after).await?;
    Ok(pb::RouteProposalResponse { proposal: Some(shown(tx, &after).await?), reroutings: after.reroutings })
}

async fn shortlisted(tx: &Tx, input: &Listed) -> Result<pb::ShortlistProposalResponse, Fault> {
    let (before, today, policies) = moving::load(tx, input.tenant, input.id).await?;
    let mut after = before;
    if after.stage != Stage::Shortlisted {
        after = after.shortlist(today, &policies)?;
        moving::moved(tx, &after, "").await?;
        tx.publish(events::proposal::shortlisted(&after));
    }
    Ok(pb::ShortlistProposalResponse { proposal: Some(shown(tx, &after).await?) })
}

async fn reopened(tx: &Tx, input: &Listed) -> Result<pb::ReopenProposalResponse, Fault> {
    let (before, today, policies) = moving::load(tx, input.tenant, input.id).await?;
    let mut after = before;
    if after.stage != Stage::Open {
        if after.stage != Stage::Shortlisted {
            return Err(Fault::conflict(
                "proposals.stage",
                "Only a proposal on the shortlist is taken off it. A round gives its ideas back when it closes.",
            ));
        }
        after = after.reopen(today, &policies)?;
        moving::moved(tx, &after, "").await?;
    }
    Ok(pb::ReopenProposalResponse { proposal: Some(shown(tx, &after).await?) })
}

async fn sent(tx: &Tx, input: &Send) -> Result<pb::SendToForumResponse, Fault> {
    let (before, today, policies) = moving::load(tx, input.tenant, input.id).await?;
    let mut after = before;
    if after.stage != (Stage::BeforeForum { forum: input.forum }) {
        let counties = store::forums::tenants(tx.conn(), input.forum).await?;
        if !counties.contains(&input.tenant) {
            return Err(Fault::invalid(
                "proposals.unknown_forum",
                "The forum is not known in this county. A proposal goes to a forum of its county, or to a joint one.",
            )
            .field("forum_id", "the forum is one of the proposal's county", "choose one of the county's forums"));
        }
        after = after.send_to_forum(input.forum, today, &policies)?;
        let owner = Owner::proposal(after.tenant, after.id);
        let texts = store::texts::load(tx.conn(), owner).await?;
        text::require(Target::ProposalToForum, &texts, &text::required_languages(counties))?;
        moving::moved(tx, &after, "").await?;
        tx.publish(events::proposal::sent_to_forum(&after, input.forum, &texts));
    }
    Ok(pb::SendToForumResponse { proposal: Some(shown(tx, &after).await?) })
}

/// The proposal as an answer shows it.
async fn shown(tx: &Tx, proposal: &Proposal) -> Result<pb::Proposal, Fault> {
    let texts = store::texts::load(tx.conn(), Owner::proposal(proposal.tenant, proposal.id)).await?;
    Ok(convert::proposals::proposal(proposal, &texts, proposal.promise, tx.now().helsinki_date()))
}
