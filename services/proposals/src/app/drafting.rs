//! Drafts: seen by their authors only.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Caller, Fault, ProposalId, Subject, TenantId};
use messaging::Tx;
use proto::proposals as pb;

use super::App;
use crate::domain::proposal::content::{Addressed, Content};
use crate::domain::proposal::{Acting, Channel, Proposal};
use crate::store::authors::AuthorKind;
use crate::{convert, store};

/// A draft to begin.
#[derive(Debug, Clone)]
pub struct CreateDraft {
    /// The county.
    pub tenant: TenantId,
    /// What it says so far.
    pub content: Content,
    /// How it comes in.
    pub channel: Channel,
    /// The member wants the helper although there is a conflict of interest (M3).
    pub conflict_accepted: bool,
}

struct Create {
    id: ProposalId,
    author: Subject,
    acting: Acting,
    create: CreateDraft,
}

impl App {
    /// Begins a draft.
    pub async fn create_draft(
        &self,
        call: &Call,
        create: CreateDraft,
    ) -> Result<pb::CreateDraftResponse, Fault> {
        self.check_served(create.tenant)?;
        let acting = acting(&call.caller, create.conflict_accepted);
        let input = Create { id: self.ids.new_id(), author: call.scope.subject()?, acting, create };
        self.writer.run(call.command(), input, |tx, input| created(tx, input).boxed()).await
    }

    /// Invalid `proposals.tenant_not_served` for a county that this deployment does not serve.
    pub(super) fn check_served(&self, tenant: TenantId) -> Result<(), Fault> {
        if self.tenants.contains(&tenant) {
            return Ok(());
        }
        Err(Fault::invalid("proposals.tenant_not_served", "This deployment does not serve that county.")
            .field(
                "tenant",
                "the county is one that this deployment serves",
                "send the code of your own county",
            ))
    }
}

/// Who acts how.
pub(super) fn acting(caller: &Caller, conflict_accepted: bool) -> Acting {
    Acting { mode: caller.mode, recorder: None, helper: None, conflict_accepted }
}

async fn created(tx: &Tx, input: &Create) -> Result<pb::CreateDraftResponse, Fault> {
    let Create { id, author, acting, create } = input;
    let today = tx.now().helsinki_date();
    check_units(tx, create.tenant, &create.content.addressed).await?;
    let draft =
        Proposal::draft(*id, create.tenant, create.content.clone(), create.channel, acting.clone(), today);
    store::proposals::insert(tx.conn(), &draft).await?;
    store::authors::add(tx.conn(), draft.id, *author, AuthorKind::Author, today).await?;
    Ok(pb::CreateDraftResponse { proposal: Some(convert::proposals::proposal(&draft, draft.promise, today)) })
}

/// Invalid `proposals.unknown_unit` if a unit is none of the county's.
pub(super) async fn check_units(tx: &Tx, tenant: TenantId, addressed: &Addressed) -> Result<(), Fault> {
    let known = store::units::of(tx.conn(), tenant, &addressed.units).await?;
    if known.len() == addressed.units.len() {
        return Ok(());
    }
    Err(Fault::invalid("proposals.unknown_unit", "A unit is not known in this county.").field(
        "unit_ids",
        "a proposal is addressed to units of its own county",
        "choose from the county's units, or leave it to the coordinator",
    ))
}
