//! Texts in their forms: authors write their drafts; staff translates, writes plainly and reviews.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{
    AttachmentId, Caller, Fault, PageSize, PageToken, ProposalId, Role, Scope, ScopeRef, Subject, TenantId,
    Uuid,
};
use messaging::Tx;
use proto::proposals as pb;

use super::drafting::{authored, schedule_end};
use super::searching::refresh_index_of;
use super::{App, findings};
use crate::domain::proposal::{Acting, Proposal, Stage};
use crate::domain::text::{
    Field, Form, Hand, Matter, Owner, OwnerKind, ReviewMethod, Reviewer, Symbol, Target, Texts, missing,
    readability, required_languages,
};
use crate::{convert, store};

/// Whose texts a call is about.
#[derive(Debug, Clone, Copy)]
pub struct Whose {
    /// The proposal.
    pub proposal: ProposalId,
    /// The proposal itself, or its answer or card.
    pub kind: OwnerKind,
    /// The answer or the card.
    pub id: Option<Uuid>,
}

/// A form that staff writes.
#[derive(Debug, Clone)]
pub struct WriteForm {
    /// Whose text.
    pub whose: Whose,
    /// Which text.
    pub field: Field,
    /// The form.
    pub form: Form,
    /// What it says.
    pub content: String,
    /// Whether a machine wrote it.
    pub automatic: bool,
    /// How the writer has checked it, if they have.
    pub checked: Option<ReviewMethod>,
}

/// A form that is reviewed.
#[derive(Debug, Clone, Copy)]
pub struct ReviewForm {
    /// Whose text.
    pub whose: Whose,
    /// Which text.
    pub field: Field,
    /// The form.
    pub form: Form,
    /// The revision that was read.
    pub revision: u32,
    /// How it was reviewed.
    pub method: ReviewMethod,
}

/// Staff at work: in which role, where, and who.
struct Staff {
    role: Role,
    scope: Scope,
    person: Subject,
}

struct WriteMine {
    author: Caller,
    id: ProposalId,
    field: Field,
    form: Form,
    content: String,
}

struct SetMine {
    author: Caller,
    id: ProposalId,
    symbols: Vec<Symbol>,
}

struct SetSymbols {
    staff: Staff,
    whose: Whose,
    symbols: Vec<Symbol>,
}

struct Audio {
    staff: Staff,
    whose: Whose,
    attachment: AttachmentId,
}

impl App {
    /// The forms that everybody may read.
    pub async fn list_forms(&self, whose: Whose) -> Result<pb::ListFormsResponse, Fault> {
        let conn = self.database.read();
        let proposal = store::proposals::load_public(conn, whose.proposal).await?;
        let matter = store::texts::matter(conn, &proposal, whose.kind, whose.id).await?;
        if !matter.told {
            return Err(store::texts::no_such_text());
        }
        let texts = store::texts::load(conn, matter.owner).await?;
        Ok(pb::ListFormsResponse { texts: Some(convert::texts::public(&texts)) })
    }

    /// All forms of a proposal that the caller wrote.
    pub async fn list_my_forms(&self, call: &Call, id: ProposalId) -> Result<pb::ListMyFormsResponse, Fault> {
        let conn = self.database.read();
        if !store::authors::is_writer(conn, id, call.scope.subject()?).await? {
            return Err(store::proposals::no_such_proposal());
        }
        let proposal = store::proposals::load(conn, id).await?;
        let texts = store::texts::load(conn, Owner::proposal(proposal.tenant, id)).await?;
        Ok(pb::ListMyFormsResponse { texts: Some(convert::texts::all(&texts)) })
    }

    /// All forms of what was submitted, and what is missing before the next publication.
    pub async fn list_forms_in_work(
        &self,
        call: &Call,
        whose: Whose,
    ) -> Result<pb::ListFormsInWorkResponse, Fault> {
        let conn = self.database.read();
        let proposal = store::texts::handled(conn, &call.scope, whose.proposal, whose.kind).await?;
        let matter = store::texts::matter(conn, &proposal, whose.kind, whose.id).await?;
        let texts = store::texts::load(conn, matter.owner).await?;
        let target = match (matter.owner.kind, matter.told) {
            (OwnerKind::Proposal, false) => Target::PublicProposal,
            (OwnerKind::Proposal, true) => Target::ProposalToForum,
            (OwnerKind::Response, _) => Target::Answer,
            (OwnerKind::Feedback, _) => Target::LoopCard,
        };
        let missing = missing(target, &texts, &required_languages([proposal.tenant]));
        Ok(pb::ListFormsInWorkResponse {
            texts: Some(convert::texts::all(&texts)),
            missing: missing.into_iter().map(convert::texts::missing).collect(),
            findings: findings::in_unreviewed(&texts),
        })
    }

    /// A county's texts in which a form waits.
    pub async fn list_waiting_texts(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListWaitingTextsResponse, Fault> {
        let tenant: TenantId = call.scope.tenant()?;
        let list = format!("waiting_texts|{tenant}");
        let in_field = |invalid: kernel::Invalid| invalid.in_field("page_token");
        let after = PageToken::read(token, &list).map_err(in_field)?;
        let after = after.map(|key| key.parse::<ProposalId>().map_err(in_field)).transpose()?;
        let after = after.map(|id| id.as_uuid());
        let waiting = store::texts::waiting(self.database.read(), tenant, after, size.limit()).await?;
        let (waiting, next) = size.cut(waiting, &list, |one| one.owner.id.to_string());
        Ok(pb::ListWaitingTextsResponse {
            waiting: waiting.iter().map(|one| convert::texts::waiting(one.owner, one.since)).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// An author writes a form of their draft.
    pub async fn write_my_form(
        &self,
        call: &Call,
        id: ProposalId,
        field: Field,
        form: Form,
        content: String,
    ) -> Result<pb::WriteMyFormResponse, Fault> {
        let input = WriteMine { author: call.caller.clone(), id, field, form, content };
        self.writer.run(call.command(), input, |tx, input| wrote_mine(tx, input).boxed()).await
    }

    /// An author sets the pictures of their draft.
    pub async fn set_my_symbols(
        &self,
        call: &Call,
        id: ProposalId,
        symbols: Vec<Symbol>,
    ) -> Result<pb::SetMySymbolsResponse, Fault> {
        let input = SetMine { author: call.caller.clone(), id, symbols };
        self.writer.run(call.command(), input, |tx, input| set_mine(tx, input).boxed()).await
    }

    /// Staff writes a form.
    pub async fn write_form(&self, call: &Call, write: WriteForm) -> Result<pb::WriteFormResponse, Fault> {
        let input = (staff(call)?, write);
        self.writer.run(call.command(), input, |tx, input| wrote(tx, &input.0, &input.1).boxed()).await
    }

    /// A human reviews a form.
    pub async fn review_form(
        &self,
        call: &Call,
        review: ReviewForm,
    ) -> Result<pb::ReviewFormResponse, Fault> {
        let input = (staff(call)?, review);
        self.writer.run(call.command(), input, |tx, input| reviewed(tx, &input.0, input.1).boxed()).await
    }

    /// Staff sets the pictures.
    pub async fn set_symbols(
        &self,
        call: &Call,
        whose: Whose,
        symbols: Vec<Symbol>,
    ) -> Result<pb::SetSymbolsResponse, Fault> {
        let input = SetSymbols { staff: staff(call)?, whose, symbols };
        self.writer.run(call.command(), input, |tx, input| symbols_set(tx, input).boxed()).await
    }

    /// Staff adds a recording.
    pub async fn attach_audio(
        &self,
        call: &Call,
        whose: Whose,
        attachment: AttachmentId,
        form: Form,
    ) -> Result<pb::AttachAudioResponse, Fault> {
        let input = (Audio { staff: staff(call)?, whose, attachment }, form);
        self.writer.run(call.command(), input, |tx, input| attached(tx, &input.0, input.1).boxed()).await
    }

    /// Staff takes a recording away.
    pub async fn remove_audio(
        &self,
        call: &Call,
        whose: Whose,
        attachment: AttachmentId,
    ) -> Result<pb::RemoveAudioResponse, Fault> {
        let input = Audio { staff: staff(call)?, whose, attachment };
        self.writer.run(call.command(), input, |tx, input| removed(tx, input).boxed()).await
    }
}

async fn wrote_mine(tx: &Tx, input: &WriteMine) -> Result<pb::WriteMyFormResponse, Fault> {
    let WriteMine { author, id, field, form, content } = input;
    let (draft, mut texts) = own_draft(tx, author, *id).await?;
    if !field.belongs_to(OwnerKind::Proposal) {
        let rule = "a proposal has a title, a summary and a body";
        return Err(kernel::Invalid::new(rule, "write one of these").in_field("field"));
    }
    if texts.write(*field, *form, content, Hand::Human)? {
        save_draft(tx, draft, &texts).await?;
    }
    Ok(pb::WriteMyFormResponse {
        form: convert::texts::form_of(&texts, *field, *form),
        hint: Some(convert::texts::hint(readability::hint(content))),
    })
}

async fn set_mine(tx: &Tx, input: &SetMine) -> Result<pb::SetMySymbolsResponse, Fault> {
    let (draft, mut texts) = own_draft(tx, &input.author, input.id).await?;
    if texts.set_symbols(input.symbols.clone(), None)? {
        save_draft(tx, draft, &texts).await?;
    }
    Ok(pb::SetMySymbolsResponse { texts: Some(convert::texts::all(&texts)) })
}

async fn wrote(tx: &Tx, staff: &Staff, write: &WriteForm) -> Result<pb::WriteFormResponse, Fault> {
    let (matter, mut texts) = at_work(tx, staff, write.whose).await?;
    let WriteForm { whose: _, field, form, content, automatic, checked } = write;
    matter.check_write(&texts, *field, *form, staff.role, checked.is_some())?;
    let hand = if *automatic { Hand::Automatic { by: Some(staff.person) } } else { Hand::Human };
    let mut changed = texts.write(*field, *form, content, hand)?;
    if let Some(method) = *checked {
        let revision = texts.variant(*field, *form).map_or(0, |variant| variant.revision);
        changed |= review(
            tx,
            &matter,
            &mut texts,
            staff,
            ReviewForm { whose: write.whose, field: *field, form: *form, revision, method },
        )?;
    }
    if changed {
        store::texts::save_and_queue(tx.conn(), matter.owner, &texts, tx.now().helsinki_date()).await?;
        refresh_index_of(tx, matter.owner).await?;
    }
    Ok(pb::WriteFormResponse {
        form: convert::texts::form_of(&texts, *field, *form),
        hint: Some(convert::texts::hint(readability::hint(content))),
        findings: findings::in_form(*field, content),
    })
}

async fn reviewed(tx: &Tx, staff: &Staff, of: ReviewForm) -> Result<pb::ReviewFormResponse, Fault> {
    let (matter, mut texts) = at_work(tx, staff, of.whose).await?;
    if review(tx, &matter, &mut texts, staff, of)? {
        store::texts::save_and_queue(tx.conn(), matter.owner, &texts, tx.now().helsinki_date()).await?;
        refresh_index_of(tx, matter.owner).await?;
    }
    Ok(pb::ReviewFormResponse { form: convert::texts::form_of(&texts, of.field, of.form) })
}

fn review(tx: &Tx, matter: &Matter, texts: &mut Texts, staff: &Staff, of: ReviewForm) -> Result<bool, Fault> {
    let ReviewForm { whose: _, field, form, revision, method } = of;
    matter.check_review(texts, field, form, staff.role, method)?;
    let by = Reviewer { person: staff.person, role: staff.role, method };
    texts.review(field, form, revision, by, tx.now().helsinki_date())
}

async fn symbols_set(tx: &Tx, input: &SetSymbols) -> Result<pb::SetSymbolsResponse, Fault> {
    let (matter, mut texts) = at_work(tx, &input.staff, input.whose).await?;
    if texts.set_symbols(input.symbols.clone(), Some(input.staff.role))? {
        store::texts::save_and_queue(tx.conn(), matter.owner, &texts, tx.now().helsinki_date()).await?;
    }
    Ok(pb::SetSymbolsResponse { texts: Some(convert::texts::all(&texts)) })
}

async fn attached(tx: &Tx, input: &Audio, form: Form) -> Result<pb::AttachAudioResponse, Fault> {
    let Audio { staff, whose, attachment } = input;
    let (matter, mut texts) = at_work(tx, staff, *whose).await?;
    if !store::texts::is_recording(tx.conn(), whose.proposal, *attachment).await? {
        return Err(Fault::not_found(
            "proposals.no_such_recording",
            "The proposal has no such recording that a human has taken. Attach a sound file first.",
        ));
    }
    if texts.attach_audio(*attachment, form, Some(staff.role))? {
        store::texts::save_and_queue(tx.conn(), matter.owner, &texts, tx.now().helsinki_date()).await?;
    }
    Ok(pb::AttachAudioResponse { texts: Some(convert::texts::all(&texts)) })
}

async fn removed(tx: &Tx, input: &Audio) -> Result<pb::RemoveAudioResponse, Fault> {
    let (matter, mut texts) = at_work(tx, &input.staff, input.whose).await?;
    if texts.remove_audio(input.attachment) {
        store::texts::save_and_queue(tx.conn(), matter.owner, &texts, tx.now().helsinki_date()).await?;
    }
    Ok(pb::RemoveAudioResponse { texts: Some(convert::texts::all(&texts)) })
}

/// Who works, in the role in which they were let in.
fn staff(call: &Call) -> Result<Staff, Fault> {
    let role = match &call.scope {
        Scope::Tenant(_) => Role::AreaCoordinator,
        Scope::Forum(_) => Role::ForumSecretary,
        Scope::Unit(unit) if call.caller.holds(&[Role::UnitManager], &ScopeRef::Unit(*unit)) => {
            Role::UnitManager
        }
        _ => Role::UnitStaff,
    };
    Ok(Staff { role, scope: call.scope, person: call.caller.subject()? })
}

/// What staff works on, and its texts.
async fn at_work(tx: &Tx, staff: &Staff, whose: Whose) -> Result<(Matter, Texts), Fault> {
    let proposal = store::texts::handled(tx.conn(), &staff.scope, whose.proposal, whose.kind).await?;
    let matter = store::texts::matter(tx.conn(), &proposal, whose.kind, whose.id).await?;
    let texts = store::texts::load(tx.conn(), matter.owner).await?;
    Ok((matter, texts))
}

/// An author's draft and its texts. NotFound `proposals.no_such_proposal`; Conflict `proposals.not_a_draft`, and
/// `proposals.conflict_of_interest` for a helper who is not independent (M3).
async fn own_draft(tx: &Tx, author: &Caller, id: ProposalId) -> Result<(Proposal, Texts), Fault> {
    let draft = authored(tx, id, author.subject()?).await?;
    if draft.stage != Stage::Draft {
        return Err(Fault::conflict(
            "proposals.not_a_draft",
            "The proposal was submitted, so its words stay. Ask the area coordinator to correct them.",
        ));
    }
    Acting::check_independence(author, &draft.units, draft.acting.conflict_accepted)?;
    let texts = store::texts::load(tx.conn(), Owner::proposal(draft.tenant, id)).await?;
    Ok((draft, texts))
}

/// Keeps a draft's texts, and that somebody changed it today.
async fn save_draft(tx: &Tx, mut draft: Proposal, texts: &Texts) -> Result<(), Fault> {
    draft.touched_on = tx.now().helsinki_date();
    store::texts::save(tx.conn(), Owner::proposal(draft.tenant, draft.id), texts).await?;
    store::proposals::save(tx.conn(), &draft).await?;
    schedule_end(tx, &draft).await
}
