//! What staff has to do: lists without texts, and one proposal with its texts for who says why.

use chassis::Call;
use kernel::{Fault, PageSize, PageToken, ProposalId, Scope, TenantId};
use proto::proposals as pb;

use super::App;
use crate::domain::proposal::{Proposal, Stage, StageKind};
use crate::store::lists::{After, Filter};
use crate::{convert, store};

impl App {
    /// One proposal of the county with its texts and findings. Drafts, and what was taken back, are their authors'
    /// alone; the secretary of a forum sees what waits for screening, and what was sent to the forum.
    pub async fn get_handled_proposal(
        &self,
        call: &Call,
        tenant: TenantId,
        id: ProposalId,
    ) -> Result<pb::GetHandledProposalResponse, Fault> {
        self.check_county(call, tenant).await?;
        let found = store::proposals::load_in(self.database.read(), tenant, id).await?;
        let is_theirs = match call.scope {
            Scope::Forum(forum) => found.stage == Stage::Submitted || found.forum == Some(forum),
            _ => true,
        };
        if !is_theirs || matches!(found.stage.kind(), StageKind::Draft | StageKind::Withdrawn) {
            return Err(store::proposals::no_such_proposal());
        }
        let texts = self.texts_of(&found).await?;
        let shown = self.shown(&found, &texts).await?;
        let findings = store::findings::of(self.database.read(), id).await?;
        let handled = pb::HandledProposal {
            findings: findings.iter().map(convert::proposals::finding).collect(),
            steps: self.steps_of(id).await?,
            ..convert::proposals::handled_proposal(&found, &texts, shown)
        };
        Ok(pb::GetHandledProposalResponse { proposal: Some(handled) })
    }

    /// What waits for screening in the county.
    pub async fn list_to_screen(
        &self,
        call: &Call,
        tenant: TenantId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListToScreenResponse, Fault> {
        self.check_county(call, tenant).await?;
        let list = format!("proposals.to_screen|{tenant}");
        let after = page_day(token, &list)?;
        let found = store::lists::to_screen(self.database.read(), tenant, after, size.limit()).await?;
        let (found, next) = size.cut(found, &list, day_key);
        let next_page_token = next.map(PageToken::into_string).unwrap_or_default();
        Ok(pb::ListToScreenResponse { proposals: self.queued(tenant, &found).await?, next_page_token })
    }

    /// What is on its way in the county.
    pub async fn list_handling(
        &self,
        call: &Call,
        filter: Filter,
        to_recheck: bool,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListHandlingResponse, Fault> {
        let tenant = call.scope.tenant()?;
        let list = format!("proposals.handling|{tenant}|{}|{to_recheck}", filter.mark());
        let after = page_day(token, &list)?;
        let read = self.database.read();
        let found = store::lists::on_the_way(read, tenant, &filter, to_recheck, after, size.limit()).await?;
        let (found, next) = size.cut(found, &list, day_key);
        let next_page_token = next.map(PageToken::into_string).unwrap_or_default();
        Ok(pb::ListHandlingResponse { proposals: self.queued(tenant, &found).await?, next_page_token })
    }

    /// Refuses the secretary of a forum that is not of this county, as what is not there.
    async fn check_county(&self, call: &Call, tenant: TenantId) -> Result<(), Fault> {
        let Scope::Forum(forum) = call.scope else { return Ok(()) };
        let counties = store::forums::tenants(self.database.read(), forum).await?;
        if counties.contains(&tenant) { Ok(()) } else { Err(store::proposals::no_such_proposal()) }
    }

    async fn queued(&self, tenant: TenantId, page: &[Proposal]) -> Result<Vec<pb::QueuedProposal>, Fault> {
        let texts = self.texts_of_page(tenant, page).await?;
        let ids = page.iter().map(|proposal| proposal.id);
        let open = store::findings::open(self.database.read(), ids).await?;
        let mut queued = Vec::with_capacity(page.len());
        for proposal in page {
            queued.push(pb::QueuedProposal {
                proposal: Some(self.shown(proposal, texts.of(proposal)).await?),
                receipt_no: proposal.receipt_no.clone(),
                open_findings: open.get(&proposal.id).copied().unwrap_or(0),
                to_recheck: proposal.to_recheck,
            });
        }
        Ok(queued)
    }
}

/// The sort key of a list by day: the day and the id.
fn day_key(proposal: &Proposal) -> String {
    let due = proposal.promise.map(|promise| promise.due.to_string()).unwrap_or_default();
    format!("{due}|{}", proposal.id)
}

fn page_day(token: &str, list: &str) -> Result<Option<After>, Fault> {
    let wrong = |invalid: kernel::Invalid| invalid.in_field("page_token");
    let Some(key) = PageToken::read(token, list).map_err(wrong)? else { return Ok(None) };
    let (day, id) = key.split_once('|').unwrap_or_default();
    Ok(Some((day.to_owned(), id.parse().map_err(wrong)?)))
}
