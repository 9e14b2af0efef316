//! Submitting: from here on there is a promise to keep. By the person, by somebody without a name, by staff who write
//! down what a person says; and what authors do afterwards: take back, confirm their words.

use chassis::{Call, Recorder, Voucher};
use futures::FutureExt as _;
use kernel::{ActingMode, Caller, Date, Fault, ProposalId, Subject, TenantId, UnitId, Uuid};
use messaging::{NewJob, Tx};
use proto::proposals as pb;

use super::drafting::{Words, Writing, authored, begun_with, check_units, store_draft, written};
use super::{App, codes, findings, moving};
use crate::domain::code;
use crate::domain::proposal::{
    Acting, Addressed, Answer, Category, Channel, Content, Proposal, Stage, StageKind,
};
use crate::domain::text::{Field, Form, Owner, Texts};
use crate::store::authors::AuthorKind;
use crate::{convert, events, store};

/// Job: asks the author of what somebody else worded whether those were their words. Payload: the proposal.
pub const CONFIRM_WORDS: &str = "proposals.confirm_words";
/// What the author is told then.
pub const TEMPLATE_CONFIRM_WORDS: &str = "proposals.confirm_words";

/// Characters of a receipt number after the year.
const RECEIPT_LENGTH: usize = 8;

/// A proposal that comes in whole.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The county.
    pub tenant: TenantId,
    /// What it says.
    pub writing: Writing,
    /// How it comes in.
    pub channel: Channel,
}

struct Submit {
    id: ProposalId,
    author: Subject,
    caller: Caller,
    conflict_accepted: bool,
    receipt: String,
}

struct SubmitWhole {
    id: ProposalId,
    incoming: Incoming,
    acting: Acting,
    author: Option<Subject>,
    return_code_hash: Option<Vec<u8>>,
    recorded: Option<Recorded>,
    receipt: String,
}

/// Where something was dictated, and the person's word for it.
struct Recorded {
    unit: UnitId,
    voucher: Uuid,
}

struct OfAuthor {
    id: ProposalId,
    caller: Caller,
}

struct Confirm {
    id: ProposalId,
    caller: Caller,
    answer: Answer,
    accepted: Option<bool>,
}

impl App {
    /// Submits a draft.
    pub async fn submit_proposal(
        &self,
        call: &Call,
        id: ProposalId,
        conflict_accepted: bool,
    ) -> Result<pb::SubmitProposalResponse, Fault> {
        let (author, caller) = (call.scope.subject()?, call.caller.clone());
        let input = Submit { id, author, caller, conflict_accepted, receipt: self.receipt() };
        self.writer.run(call.command(), input, |tx, input| submitted(tx, input).boxed()).await
    }

    /// Takes in the proposal of somebody who gives no name. The code that leads back to it is shown once (P8).
    pub async fn submit_anonymously(
        &self,
        call: &Call,
        incoming: Incoming,
    ) -> Result<pb::SubmitAnonymouslyResponse, Fault> {
        self.check_served(incoming.tenant)?;
        let code = codes::derive(&self.secrets, codes::Purpose::ReturnCode, call.command())?;
        let input = SubmitWhole {
            id: self.ids.new_id(),
            incoming,
            acting: Acting::alone(),
            author: None,
            return_code_hash: Some(code.hash),
            recorded: None,
            receipt: self.receipt(),
        };
        let answer = self.writer.run(call.command(), input, |tx, input| took_in(tx, input).boxed()).await?;
        // Not in the log of answers: put in on the way out.
        Ok(pb::SubmitAnonymouslyResponse {
            proposal: answer.proposal,
            receipt_no: answer.receipt_no,
            findings: answer.findings,
            return_code: code.shown,
        })
    }

    /// Takes in what a person said to the staff of a unit, who wrote it down: `voucher` is membership's word for it, given to
    /// this recorder in the name of this unit.
    pub async fn record_dictated(
        &self,
        call: &Call,
        voucher: &Voucher,
        incoming: Incoming,
    ) -> Result<pb::RecordDictatedProposalResponse, Fault> {
        self.check_served(incoming.tenant)?;
        let unit: UnitId = call.scope.unit()?;
        let accepted = incoming.writing.conflict_accepted;
        let by = call.caller.subject()?;
        let recorder = voucher.recorder.as_ref().filter(|one| one.unit == unit && one.person.reference == by);
        let Recorder { person, .. } = recorder.ok_or_else(another_recorders)?;
        Acting::check_recorder(person, unit, &incoming.writing.content.addressed.units, accepted)?;
        let acting = Acting {
            mode: ActingMode::Dictated,
            recorder: Some(by),
            helper: None,
            conflict_accepted: accepted,
        };
        let input = SubmitWhole {
            id: self.ids.new_id(),
            incoming,
            acting,
            author: Some(voucher.subject),
            return_code_hash: None,
            recorded: Some(Recorded { unit, voucher: voucher.id }),
            receipt: self.receipt(),
        };
        let answer = self.writer.run(call.command(), input, |tx, input| took_in(tx, input).boxed()).await?;
        Ok(pb::RecordDictatedProposalResponse {
            proposal: answer.proposal,
            receipt_no: answer.receipt_no,
            findings: answer.findings,
        })
    }

    /// An author takes a proposal back before it is screened.
    pub async fn withdraw_proposal(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::WithdrawProposalResponse, Fault> {
        let input = OfAuthor { id, caller: call.caller.clone() };
        self.writer.run(call.command(), input, |tx, input| withdrawn(tx, input).boxed()).await
    }

    /// The person says whether the words are theirs.
    pub async fn confirm_my_words(
        &self,
        call: &Call,
        id: ProposalId,
        answer: Answer,
        accepted: Option<bool>,
    ) -> Result<pb::ConfirmMyWordsResponse, Fault> {
        if call.caller.mode == ActingMode::OnBehalf {
            return Err(Fault::forbidden(
                "proposals.own_words",
                "Only the person can say whether these were their words, not who acts for them.",
            ));
        }
        let input = Confirm { id, caller: call.caller.clone(), answer, accepted };
        self.writer.run(call.command(), input, |tx, input| confirmed(tx, input).boxed()).await
    }

    /// Whom to ask whether the words of a proposal are theirs; nobody if there is nothing to ask.
    pub async fn authors_to_ask(&self, id: ProposalId) -> Result<Vec<Subject>, Fault> {
        let proposal = store::proposals::load(self.database.read(), id).await?;
        if !proposal.is_to_confirm() || proposal.stage.is_ended() {
            return Ok(Vec::new());
        }
        Ok(store::authors::first(self.database.read(), id).await?.into_iter().collect())
    }

    /// A new receipt number, without its year.
    pub(super) fn receipt(&self) -> String {
        code::from_bytes(&self.ids.bytes::<RECEIPT_LENGTH>(), RECEIPT_LENGTH)
    }
}

async fn submitted(tx: &Tx, input: &Submit) -> Result<pb::SubmitProposalResponse, Fault> {
    let before = authored(tx, input.id, input.author).await?;
    let texts = store::texts::load(tx.conn(), Owner::proposal(before.tenant, before.id)).await?;
    if before.stage == Stage::Submitted {
        return Ok(submission(&before, &texts, tx.now().helsinki_date()));
    }
    let accepted = input.conflict_accepted || before.acting.conflict_accepted;
    Acting::check_independence(&input.caller, &before.units, accepted)?;
    let mut draft = before;
    if input.caller.mode != ActingMode::Alone {
        draft.acting = Acting::of(&input.caller, accepted);
    }
    submit(tx, &draft, &texts, &input.receipt).await
}

async fn took_in(tx: &Tx, input: &SubmitWhole) -> Result<pb::SubmitProposalResponse, Fault> {
    let Incoming { tenant, writing, channel } = &input.incoming;
    let today = tx.now().helsinki_date();
    check_units(tx, *tenant, &writing.content.addressed).await?;
    if let Some(recorded) = &input.recorded {
        check_recorded(tx, *tenant, recorded).await?;
    }
    let texts = written(Texts::default(), &writing.words)?;
    let content = writing.content.clone();
    let mut draft = Proposal::draft(input.id, *tenant, content, *channel, input.acting.clone(), today);
    draft.return_code_hash.clone_from(&input.return_code_hash);
    store_draft(tx, &draft, &texts).await?;
    if let Some(author) = input.author {
        store::authors::add(tx.conn(), draft.id, author, AuthorKind::Author, today).await?;
    }
    submit(tx, &draft, &texts, &input.receipt).await
}

/// Takes in what somebody who gave no name said in a round of comparison, as a human has written it down: it is screened
/// as every proposal is.
pub(super) async fn submit_idea(
    tx: &Tx,
    tenant: TenantId,
    id: ProposalId,
    text: &str,
    receipt: &str,
) -> Result<Proposal, Fault> {
    let content = Content {
        own_words: String::new(),
        strength: String::new(),
        category: Category::Content,
        perspective: None,
        goals: Vec::new(),
        addressed: Addressed::default(),
    };
    let today = tx.now().helsinki_date();
    let words =
        Words { form: Form::Finnish, title: text.to_owned(), summary: text.to_owned(), body: String::new() };
    let texts = written(Texts::default(), &words)?;
    let draft = Proposal::draft(id, tenant, content, Channel::Web, Acting::alone(), today);
    store_draft(tx, &draft, &texts).await?;
    submit(tx, &draft, &texts, receipt).await?;
    store::proposals::load(tx.conn(), id).await
}

/// A voucher is good for who asked for it, in the name of the unit they asked in.
fn another_recorders() -> Fault {
    Fault::forbidden(
        "proposals.voucher_of_another",
        "This voucher was given to somebody else, or in the name of another unit. Ask membership for your own.",
    )
}

/// Staff write down for their own county, once with each voucher. Invalid `proposals.unknown_unit`, Conflict
/// `proposals.voucher_used`.
async fn check_recorded(tx: &Tx, tenant: TenantId, recorded: &Recorded) -> Result<(), Fault> {
    if store::units::of(tx.conn(), tenant, &[recorded.unit]).await?.is_empty() {
        return Err(Fault::invalid("proposals.unknown_unit", "The unit is none of this county's.").field(
            "unit_id",
            "staff of a unit write down proposals to the unit's own county",
            "send the unit's county, or let the person submit it themselves",
        ));
    }
    if store::proposals::use_voucher(tx.conn(), recorded.voucher).await? {
        return Ok(());
    }
    Err(Fault::conflict(
        "proposals.voucher_used",
        "This voucher was used for a proposal already. Ask the person for a new one for each.",
    ))
}

/// What every submission does.
async fn submit(
    tx: &Tx,
    draft: &Proposal,
    texts: &Texts,
    receipt: &str,
) -> Result<pb::SubmitProposalResponse, Fault> {
    check_complete(texts)?;
    let today = tx.now().helsinki_date();
    let policies = store::policies::of(tx.conn(), draft.tenant).await?;
    let after = draft.submit(receipt, today, &policies)?;
    moving::moved(tx, &after, "").await?;
    let owner = Owner::proposal(after.tenant, after.id);
    store::texts::save_and_queue(tx.conn(), owner, texts, today).await?;
    store::findings::replace(tx.conn(), after.id, &findings::found(&after, texts)).await?;
    schedule_confirmation(tx, &after);
    tx.publish(events::proposal::submitted(&after));
    Ok(submission(&after, texts, today))
}

/// Has the author asked whether the words are theirs, if somebody else worded them.
pub(super) fn schedule_confirmation(tx: &Tx, proposal: &Proposal) {
    if proposal.is_to_confirm() {
        tx.schedule(NewJob {
            kind: CONFIRM_WORDS,
            dedupe_key: proposal.id.to_string(),
            run_at: tx.now(),
            payload: proposal.id.as_uuid().as_bytes().to_vec(),
        });
    }
}

fn submission(proposal: &Proposal, texts: &Texts, today: Date) -> pb::SubmitProposalResponse {
    pb::SubmitProposalResponse {
        proposal: Some(convert::proposals::proposal(proposal, texts, proposal.promise, today)),
        receipt_no: proposal.receipt_no.clone(),
        findings: findings::warnings(proposal, texts),
    }
}

/// Invalid `proposals.incomplete` without a title, and a summary or a body.
fn check_complete(texts: &Texts) -> Result<(), Fault> {
    let has = |field: Field| texts.field(field).is_some();
    let mut fault =
        Fault::invalid("proposals.incomplete", "Something is missing before it can be submitted.");
    if !has(Field::Title) {
        fault = fault.field("content.title", "a proposal has a title", "write one, 1 to 120 characters");
    }
    if !has(Field::Summary) && !has(Field::Body) {
        fault = fault.field("content.body", "a proposal says what it wants", "write a summary or a text");
    }
    if fault.fields().is_empty() { Ok(()) } else { Err(fault) }
}

async fn withdrawn(tx: &Tx, input: &OfAuthor) -> Result<pb::WithdrawProposalResponse, Fault> {
    let today = tx.now().helsinki_date();
    let before = begun_with(tx, input.id, &input.caller).await?;
    let texts = store::texts::load(tx.conn(), Owner::proposal(before.tenant, before.id)).await?;
    let answer = |of: &Proposal| pb::WithdrawProposalResponse {
        proposal: Some(convert::proposals::proposal(of, &texts, of.promise, today)),
    };
    if before.stage.kind() == StageKind::Withdrawn {
        return Ok(answer(&before));
    }
    let policies = store::policies::of(tx.conn(), before.tenant).await?;
    let after = before.withdraw(today, &policies)?.without_own_words();
    moving::moved(tx, &after, "").await?;
    // Nothing follows any more from what nobody else has read.
    store::texts::delete(tx.conn(), Owner::proposal(after.tenant, after.id)).await?;
    store::findings::delete_of(tx.conn(), after.id).await?;
    store::attachments::delete_of(tx.conn(), after.id).await?;
    Ok(answer(&after))
}

async fn confirmed(tx: &Tx, input: &Confirm) -> Result<pb::ConfirmMyWordsResponse, Fault> {
    let before = begun_with(tx, input.id, &input.caller).await?;
    let after = before.confirm_words(&input.answer, input.accepted)?;
    if after != before {
        store::proposals::save(tx.conn(), &after).await?;
    }
    if after.own_words != before.own_words {
        let owner = Owner::proposal(after.tenant, after.id);
        let texts = store::texts::load(tx.conn(), owner).await?;
        let judged = store::findings::of(tx.conn(), after.id).await?;
        let found = findings::found_again(&after, &texts, &judged);
        store::findings::replace(tx.conn(), after.id, &found).await?;
    }
    Ok(pb::ConfirmMyWordsResponse {
        confirmation: convert::proposals::confirmation(after.confirmation).into(),
        to_recheck: after.to_recheck,
    })
}
