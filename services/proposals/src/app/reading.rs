//! Queries: what everybody may see, and what is the caller's own.

use std::collections::{BTreeMap, BTreeSet};

use chassis::Call;
use kernel::{Fault, PageSize, PageToken, ProposalId, TenantId, Uuid};
use proto::proposals as pb;

use super::{App, codes};
use crate::domain::proposal::{Ending, Proposal, Stage};
use crate::domain::text::{Owner, OwnerKind, Texts};
use crate::store::authors::AuthorKind;
use crate::store::lists::Filter;
use crate::{convert, store};

/// Most steps of a proposal that an answer shows.
const MAX_STEPS: u64 = 200;

impl App {
    /// One public proposal.
    pub async fn get_proposal(&self, id: ProposalId) -> Result<pb::GetProposalResponse, Fault> {
        let found = store::proposals::load_public(self.database.read(), id).await?;
        let texts = self.texts_of(&found).await?;
        Ok(pb::GetProposalResponse {
            proposal: Some(self.shown(&found, &texts).await?),
            part_ids: self.part_ids(&found).await?,
        })
    }

    /// Public proposals of a county.
    pub async fn list_proposals(
        &self,
        tenant: TenantId,
        filter: Filter,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListProposalsResponse, Fault> {
        let list = format!("proposals|{tenant}|{}", filter.mark());
        let before = page_id(token, &list)?;
        let found = store::lists::public(self.database.read(), tenant, &filter, before, size.limit()).await?;
        let (found, next) = size.cut(found, &list, |proposal| proposal.id.to_string());
        let texts = self.texts_of_page(tenant, &found).await?;
        let mut proposals = Vec::with_capacity(found.len());
        for proposal in &found {
            proposals.push(self.shown(proposal, texts.of(proposal)).await?);
        }
        let next_page_token = next.map(PageToken::into_string).unwrap_or_default();
        Ok(pb::ListProposalsResponse { proposals, next_page_token })
    }

    /// One of the caller's own proposals, with its steps.
    pub async fn get_my_proposal(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::GetMyProposalResponse, Fault> {
        let person = call.scope.subject()?;
        let kind = store::authors::kind_of(self.database.read(), id, person).await?;
        let kind = kind.ok_or_else(store::proposals::no_such_proposal)?;
        let found = store::proposals::load(self.database.read(), id).await?;
        let mine = self.as_its_author(&found).await?;
        let mine = if kind == AuthorKind::Author { mine } else { convert::proposals::of_another(mine) };
        Ok(pb::GetMyProposalResponse { proposal: Some(mine) })
    }

    /// A proposal by its return code, as its author sees it (P8).
    pub async fn get_by_return_code(&self, typed: &str) -> Result<pb::GetByReturnCodeResponse, Fault> {
        // A code that cannot be one has no hash, so it is answered like one that nobody has.
        let hash = codes::hash_of(codes::Purpose::ReturnCode, typed).unwrap_or_default();
        let found = store::proposals::load_by_return_code(self.database.read(), &hash).await?;
        Ok(pb::GetByReturnCodeResponse { proposal: Some(self.as_its_author(&found).await?) })
    }

    /// The caller's own proposals, drafts included.
    pub async fn list_my_proposals(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListMyProposalsResponse, Fault> {
        const LIST: &str = "proposals.mine";
        let (person, before) = (call.scope.subject()?, page_id(token, LIST)?);
        let found = store::lists::written_by(self.database.read(), person, before, size.limit()).await?;
        let (found, next) = size.cut(found, LIST, |proposal| proposal.id.to_string());
        let tenants: BTreeSet<TenantId> = found.iter().map(|proposal| proposal.tenant).collect();
        let ids = found.iter().map(|proposal| proposal.id);
        let begun = store::authors::begun_by(self.database.read(), person, ids).await?;
        let mut texts = BTreeMap::new();
        for tenant in tenants {
            let of_county: Vec<Proposal> =
                found.iter().filter(|proposal| proposal.tenant == tenant).cloned().collect();
            texts.insert(tenant, self.texts_of_page(tenant, &of_county).await?);
        }
        let mut proposals = Vec::with_capacity(found.len());
        for proposal in &found {
            let Some(page) = texts.get(&proposal.tenant) else { continue };
            let shown = self.shown(proposal, page.of(proposal)).await?;
            let mine = convert::proposals::my_proposal(proposal, page.of(proposal), shown);
            let is_begun = begun.contains(&proposal.id);
            proposals.push(if is_begun { mine } else { convert::proposals::of_another(mine) });
        }
        let next_page_token = next.map(PageToken::into_string).unwrap_or_default();
        Ok(pb::ListMyProposalsResponse { proposals, next_page_token })
    }

    /// What was moderated in a county.
    pub async fn get_moderation_log(
        &self,
        tenant: TenantId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::GetModerationLogResponse, Fault> {
        let list = format!("proposals.moderations|{tenant}");
        let before: Option<ProposalId> = page_id(token, &list)?;
        let before: Option<Uuid> = before.map(|id| id.as_uuid());
        let found = store::moderations::list(self.database.read(), tenant, before, size.limit()).await?;
        let (found, next) = size.cut(found, &list, |entry| entry.id.to_string());
        Ok(pb::GetModerationLogResponse {
            entries: found.iter().map(convert::proposals::moderation).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// A proposal as an answer shows it, with the promise of where it goes on.
    pub(super) async fn shown(&self, of: &Proposal, texts: &Texts) -> Result<pb::Proposal, Fault> {
        let promise = store::proposals::promise_of_way(self.database.read(), of).await?;
        Ok(convert::proposals::proposal(of, texts, promise, self.today()))
    }

    /// The steps of a proposal.
    pub(super) async fn steps_of(&self, id: ProposalId) -> Result<Vec<pb::ProposalStep>, Fault> {
        let steps = store::steps::of(self.database.read(), id, 1, MAX_STEPS).await?;
        let today = self.today();
        Ok(steps.iter().map(|step| convert::proposals::step(step, today)).collect())
    }

    /// The texts of a proposal.
    pub(super) async fn texts_of(&self, of: &Proposal) -> Result<Texts, Fault> {
        store::texts::load(self.database.read(), Owner::proposal(of.tenant, of.id)).await
    }

    /// The texts of a page of proposals of one county.
    pub(super) async fn texts_of_page(&self, tenant: TenantId, page: &[Proposal]) -> Result<Page, Fault> {
        let ids: Vec<Uuid> = page.iter().map(|proposal| proposal.id.as_uuid()).collect();
        let found = store::texts::load_many(self.database.read(), tenant, OwnerKind::Proposal, &ids).await?;
        Ok(Page { found, none: Texts::default() })
    }

    async fn as_its_author(&self, of: &Proposal) -> Result<pb::MyProposal, Fault> {
        let texts = self.texts_of(of).await?;
        let shown = self.shown(of, &texts).await?;
        let findings = store::findings::of(self.database.read(), of.id).await?;
        let mut mine = convert::proposals::my_proposal(of, &texts, shown);
        mine.findings = findings.iter().map(convert::proposals::finding).collect();
        mine.steps = self.steps_of(of.id).await?;
        mine.part_ids = self.part_ids(of).await?;
        if of.is_hidden {
            let why = store::moderations::why_hidden(self.database.read(), of.id).await?.unwrap_or_default();
            mine.hidden_other_languages = convert::proposals::others(&why);
            mine.hidden_reason = why.plain;
        }
        Ok(mine)
    }

    async fn part_ids(&self, of: &Proposal) -> Result<Vec<String>, Fault> {
        if of.stage != (Stage::Ended { how: Ending::Split }) {
            return Ok(Vec::new());
        }
        let parts = store::lists::parts_of(self.database.read(), of.id).await?;
        Ok(parts.iter().map(ToString::to_string).collect())
    }
}

/// The texts of a page.
pub(super) struct Page {
    found: BTreeMap<Uuid, Texts>,
    none: Texts,
}

impl Page {
    /// Those of this proposal.
    pub(super) fn of(&self, proposal: &Proposal) -> &Texts {
        self.found.get(&proposal.id.as_uuid()).unwrap_or(&self.none)
    }
}

/// The id that a page goes on from.
pub(super) fn page_id(token: &str, list: &str) -> Result<Option<ProposalId>, Fault> {
    let wrong = |invalid: kernel::Invalid| invalid.in_field("page_token");
    let key = PageToken::read(token, list).map_err(wrong)?;
    key.map(|key| key.parse().map_err(wrong)).transpose()
}
