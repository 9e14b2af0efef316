//! Finding public proposals by words (S1.25), and keeping the index of words as they are published, changed and hidden.

use std::collections::HashMap;

use kernel::{Fault, Invalid, PageSize, PageToken, ProposalId, TenantId};
use messaging::Tx;
use proto::proposals as pb;

use super::App;
use super::comments::page_token;
use crate::domain::proposal::{Ending, Proposal, Stage};
use crate::domain::stems::{self, StemId};
use crate::domain::text::{Field, Form, Owner, OwnerKind, Texts, VariantState};
use crate::store::search::Hit;
use crate::{convert, store};

/// Longest query, in characters.
const MAX_QUERY: usize = 200;
/// Longest text that similar ones are looked for, in characters: a title, a summary and a body.
const MAX_TEXT: usize = 5_720;
/// Similar proposals that are offered.
const SIMILAR: usize = 5;

impl App {
    /// Proposals of a county that have these words, the best first.
    pub async fn search_proposals(
        &self,
        tenant: TenantId,
        query: &str,
        size: PageSize,
        token: &str,
    ) -> Result<pb::SearchProposalsResponse, Fault> {
        if query.chars().count() > MAX_QUERY {
            let rule = Invalid::new("a search has at most 200 characters", "use fewer words");
            return Err(rule.in_field("query"));
        }
        let list = format!("proposals.search|{tenant}|{query}");
        let after = PageToken::read(token, &list).map_err(page_token)?;
        let after = after.as_deref().map(hit).transpose()?;
        let words = stems::query(tenant, query);
        let limit = usize::try_from(size.limit()).map_err(Fault::internal)?;
        let hits = store::search::find(self.database.read(), tenant, &words, after, limit).await?;
        let (page, next) = size.cut(hits, &list, |hit| format!("{}|{}", hit.score, hit.proposal));
        Ok(pb::SearchProposalsResponse {
            proposals: self.found(tenant, &page).await?,
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// Earlier proposals that say something like this text.
    pub async fn find_similar_proposals(
        &self,
        tenant: TenantId,
        text: &str,
    ) -> Result<pb::FindSimilarProposalsResponse, Fault> {
        if text.chars().count() > MAX_TEXT {
            let rule = Invalid::new("a text has at most 5,000 characters", "send the first part of it");
            return Err(rule.in_field("body"));
        }
        let words = stems::query(tenant, text);
        let hits = store::search::find(self.database.read(), tenant, &words, None, SIMILAR).await?;
        Ok(pb::FindSimilarProposalsResponse { proposals: self.found(tenant, &hits).await? })
    }

    async fn found(&self, tenant: TenantId, hits: &[Hit]) -> Result<Vec<pb::FoundProposal>, Fault> {
        let conn = self.database.read();
        let proposals = store::search::proposals(conn, hits).await?;
        let ids: Vec<ProposalId> = proposals.iter().map(|proposal| proposal.id).collect();
        let uuids: Vec<kernel::Uuid> = ids.iter().map(ProposalId::as_uuid).collect();
        let texts = store::texts::load_many(conn, tenant, OwnerKind::Proposal, &uuids).await?;
        let counts: HashMap<ProposalId, _> = store::counts::of_all(conn, &ids).await?.into_iter().collect();
        let answers = store::answers::latest_of(conn, &ids).await?;
        let answer_ids: Vec<kernel::Uuid> = answers.values().map(|answer| answer.id).collect();
        let reasons = store::texts::load_many(conn, tenant, OwnerKind::Response, &answer_ids).await?;
        let (none, today) = (Texts::default(), self.today());
        let message = |proposal: &Proposal| {
            let texts = texts.get(&proposal.id.as_uuid()).unwrap_or(&none);
            let supports = counts.get(&proposal.id).map_or(0, |counts| counts.supports);
            let answer = answers.get(&proposal.id);
            let answer = answer.map(|kept| (&kept.answer, reasons.get(&kept.id).unwrap_or(&none)));
            convert::search::found(proposal, texts, supports, answer, today)
        };
        Ok(proposals.iter().map(message).collect())
    }
}

/// Makes the index of words fit to a proposal: to be called with each act after which it, or a text of it, may be seen by
/// everybody or no longer. What goes on in another one is found there.
pub(super) async fn refresh_index(tx: &Tx, proposal: &Proposal) -> Result<(), Fault> {
    let goes_on = matches!(proposal.stage, Stage::Ended { how: Ending::Merged { .. } | Ending::Split });
    if !proposal.is_visible() || goes_on {
        return store::search::remove(tx.conn(), proposal.id).await;
    }
    let texts = store::texts::load(tx.conn(), Owner::proposal(proposal.tenant, proposal.id)).await?;
    store::search::index(tx.conn(), proposal.tenant, proposal.id, &weights(proposal.tenant, &texts)).await
}

/// The same after a text was written or reviewed; those of answers and loop cards are not in the index.
pub(super) async fn refresh_index_of(tx: &Tx, owner: Owner) -> Result<(), Fault> {
    match owner.kind {
        OwnerKind::Proposal => {
            let proposal = store::proposals::load(tx.conn(), ProposalId::from_uuid(owner.id)).await?;
            refresh_index(tx, &proposal).await
        }
        OwnerKind::Response | OwnerKind::Feedback => Ok(()),
    }
}

/// The stems of what humans have reviewed of a proposal's texts: nothing else is public.
fn weights(tenant: TenantId, texts: &Texts) -> std::collections::BTreeMap<StemId, i64> {
    let reviewed = |field: Field, form: Form| {
        let variant = texts.variant(field, form).filter(|variant| variant.state == VariantState::Reviewed);
        variant.map_or("", |variant| variant.content.as_str())
    };
    let forms = Form::ALL.map(|variant| stems::Text {
        variant,
        title: reviewed(Field::Title, variant),
        summary: reviewed(Field::Summary, variant),
        body: reviewed(Field::Body, variant),
    });
    stems::weigh(tenant, &forms)
}

/// Reads the key of a page of what was found.
fn hit(key: &str) -> Result<Hit, Fault> {
    let refused =
        || page_token(Invalid::new("a page token goes back as it came", "leave it empty to begin again"));
    let (score, id) = key.split_once('|').ok_or_else(refused)?;
    Ok(Hit { score: score.parse().map_err(|_| refused())?, proposal: id.parse().map_err(page_token)? })
}
