//! Drafts: seen by their authors only, and deleted when nobody touches them.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Caller, Date, Fault, ProposalId, Subject, TenantId};
use messaging::{NewJob, Tx};
use proto::proposals as pb;

use super::App;
use super::findings;
use super::upkeep::DRAFT_EXPIRES;
use crate::domain::proposal::{Acting, Addressed, Channel, Content, Proposal, Stage};
use crate::domain::text::{Field, Form, Hand, Owner, Texts};
use crate::store::authors::AuthorKind;
use crate::{convert, store};

/// Title, summary and body in one language; empty where not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The language, and whether it is plain.
    pub form: Form,
    /// Title.
    pub title: String,
    /// Summary.
    pub summary: String,
    /// Body.
    pub body: String,
}

/// All that an author says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writing {
    /// The texts.
    pub words: Words,
    /// The rest.
    pub content: Content,
    /// The member wants the helper although there is a conflict of interest (M3).
    pub conflict_accepted: bool,
}

/// A draft to begin.
#[derive(Debug, Clone)]
pub struct CreateDraft {
    /// The county.
    pub tenant: TenantId,
    /// What it says so far.
    pub writing: Writing,
    /// How it comes in.
    pub channel: Channel,
}

struct Create {
    id: ProposalId,
    author: Subject,
    caller: Caller,
    create: CreateDraft,
}

struct Edit {
    id: ProposalId,
    author: Subject,
    caller: Caller,
    writing: Writing,
}

struct Delete {
    id: ProposalId,
    caller: Caller,
}

impl App {
    /// Begins a draft.
    pub async fn create_draft(
        &self,
        call: &Call,
        create: CreateDraft,
    ) -> Result<pb::CreateDraftResponse, Fault> {
        self.check_served(create.tenant)?;
        let (author, caller) = (call.scope.subject()?, call.caller.clone());
        let input = Create { id: self.ids.new_id(), author, caller, create };
        self.writer.run(call.command(), input, |tx, input| created(tx, input).boxed()).await
    }

    /// Writes a draft anew.
    pub async fn edit_draft(
        &self,
        call: &Call,
        id: ProposalId,
        writing: Writing,
    ) -> Result<pb::EditDraftResponse, Fault> {
        let input = Edit { id, author: call.scope.subject()?, caller: call.caller.clone(), writing };
        self.writer.run(call.command(), input, |tx, input| edited(tx, input).boxed()).await
    }

    /// Deletes a draft.
    pub async fn delete_draft(&self, call: &Call, id: ProposalId) -> Result<pb::DeleteDraftResponse, Fault> {
        let input = Delete { id, caller: call.caller.clone() };
        self.writer.run(call.command(), input, |tx, input| deleted(tx, input).boxed()).await
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

async fn created(tx: &Tx, input: &Create) -> Result<pb::CreateDraftResponse, Fault> {
    let CreateDraft { tenant, writing, channel } = &input.create;
    let today = tx.now().helsinki_date();
    let acting = Acting::of(&input.caller, writing.conflict_accepted);
    let draft = Proposal::draft(input.id, *tenant, writing.content.clone(), *channel, acting, today);
    check_writing(tx, *tenant, &input.caller, writing).await?;
    let texts = written(Texts::default(), &writing.words)?;
    store_draft(tx, &draft, &texts).await?;
    store::authors::add(tx.conn(), draft.id, input.author, AuthorKind::Author, today).await?;
    schedule_end(tx, &draft).await?;
    Ok(pb::CreateDraftResponse {
        proposal: Some(convert::proposals::proposal(&draft, &texts, draft.promise, today)),
        findings: findings::warnings(&draft, &texts),
    })
}

async fn edited(tx: &Tx, input: &Edit) -> Result<pb::EditDraftResponse, Fault> {
    let today = tx.now().helsinki_date();
    let before = authored(tx, input.id, input.author).await?;
    let acting = Acting::of(&input.caller, input.writing.conflict_accepted);
    let mut content = input.writing.content.clone();
    if store::authors::first(tx.conn(), before.id).await? != Some(input.author) {
        // A co-author does not see what the person said themselves, and does not write it anew.
        content.own_words.clone_from(&before.own_words);
        content.strength.clone_from(&before.strength);
    }
    let draft = before.edit(content, acting, today)?;
    check_writing(tx, draft.tenant, &input.caller, &input.writing).await?;
    let owner = Owner::proposal(draft.tenant, draft.id);
    let texts = written(store::texts::load(tx.conn(), owner).await?, &input.writing.words)?;
    store::proposals::save(tx.conn(), &draft).await?;
    store::proposals::save_units(tx.conn(), &draft).await?;
    store::texts::save(tx.conn(), owner, &texts).await?;
    schedule_end(tx, &draft).await?;
    Ok(pb::EditDraftResponse {
        proposal: Some(convert::proposals::proposal(&draft, &texts, draft.promise, today)),
        findings: findings::warnings(&draft, &texts),
    })
}

async fn deleted(tx: &Tx, input: &Delete) -> Result<pb::DeleteDraftResponse, Fault> {
    let draft = begun_with(tx, input.id, &input.caller).await?;
    if draft.stage != Stage::Draft {
        return Err(Fault::conflict(
            "proposals.stage",
            "Only a draft is deleted. Withdraw a proposal that waits for screening.",
        ));
    }
    delete_draft(tx, &draft).await?;
    Ok(pb::DeleteDraftResponse {})
}

/// Deletes a draft with everything of it.
pub(super) async fn delete_draft(tx: &Tx, draft: &Proposal) -> Result<(), Fault> {
    store::texts::delete(tx.conn(), Owner::proposal(draft.tenant, draft.id)).await?;
    store::authors::delete_of(tx.conn(), draft.id).await?;
    store::attachments::delete_of(tx.conn(), draft.id).await?;
    store::proposals::delete(tx.conn(), draft.id).await
}

/// A proposal in which this person has a hand. NotFound `proposals.no_such_proposal`.
pub(super) async fn authored(tx: &Tx, id: ProposalId, person: Subject) -> Result<Proposal, Fault> {
    if !store::authors::is_writer(tx.conn(), id, person).await? {
        return Err(store::proposals::no_such_proposal());
    }
    store::proposals::load(tx.conn(), id).await
}

/// The same for an act with a helper, who is independent or was chosen all the same when the proposal was written (M3).
pub(super) async fn authored_with(tx: &Tx, id: ProposalId, caller: &Caller) -> Result<Proposal, Fault> {
    let proposal = authored(tx, id, caller.subject()?).await?;
    Acting::check_independence(caller, &proposal.units, proposal.acting.conflict_accepted)?;
    Ok(proposal)
}

/// The same for what only the person who began it does: taking it back, saying what they said themselves. Forbidden
/// `proposals.first_author`.
pub(super) async fn begun_with(tx: &Tx, id: ProposalId, caller: &Caller) -> Result<Proposal, Fault> {
    let proposal = authored_with(tx, id, caller).await?;
    if store::authors::first(tx.conn(), id).await? == Some(caller.subject()?) {
        return Ok(proposal);
    }
    Err(Fault::forbidden(
        "proposals.first_author",
        "Only the person who began the proposal takes it back, or says what they said themselves.",
    ))
}

/// Refuses units of another county, and a helper who is not independent (M3).
pub(super) async fn check_writing(
    tx: &Tx,
    tenant: TenantId,
    caller: &Caller,
    writing: &Writing,
) -> Result<(), Fault> {
    let addressed = &writing.content.addressed;
    check_units(tx, tenant, addressed).await?;
    Acting::check_independence(caller, &addressed.units, writing.conflict_accepted)
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

/// The texts with these words; words in another language than before take the place of the old ones.
pub(super) fn written(mut texts: Texts, words: &Words) -> Result<Texts, Fault> {
    for (field, content) in
        [(Field::Title, &words.title), (Field::Summary, &words.summary), (Field::Body, &words.body)]
    {
        let has_other_source = texts.field(field).is_some_and(|text| text.source().form != words.form);
        if content.trim().is_empty() || has_other_source {
            texts.clear(field);
        }
        if !content.trim().is_empty() {
            texts.write(field, words.form, content, Hand::Human)?;
        }
    }
    Ok(texts)
}

/// Stores a new proposal with its texts.
pub(super) async fn store_draft(tx: &Tx, draft: &Proposal, texts: &Texts) -> Result<(), Fault> {
    store::proposals::insert(tx.conn(), draft).await?;
    store::texts::save(tx.conn(), Owner::proposal(draft.tenant, draft.id), texts).await
}

/// A draft that nobody touches from now on ends on its day (TIHA-12).
pub(super) async fn schedule_end(tx: &Tx, draft: &Proposal) -> Result<(), Fault> {
    let policies = store::policies::of(tx.conn(), draft.tenant).await?;
    let ends_on: Date = draft.expires_on(&policies);
    tx.schedule(NewJob {
        kind: DRAFT_EXPIRES,
        dedupe_key: format!("{}@{}", draft.id, draft.touched_on),
        run_at: kernel::deadline::start_of_day(ends_on),
        payload: draft.id.as_uuid().as_bytes().to_vec(),
    });
    Ok(())
}
