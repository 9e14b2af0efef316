//! What happens by itself: people who have left are forgotten, drafts that nobody touches are deleted.

use futures::FutureExt as _;
use kernel::deadline::{add_days, start_of_day};
use kernel::{Fault, FaultKind, Policies, PolicyKey, ProposalId, Subject, Timestamp};
use messaging::{NewJob, Tx};

use super::App;
use super::attachments::forget_sender;
use super::drafting::delete_draft;
use crate::domain::proposal::{Proposal, Stage};
use crate::domain::text::Owner;
use crate::store;
use crate::store::authors::AuthorKind;
use crate::store::retirements::Progress;

/// Job: asks membership who has left. No payload.
pub const RETIRED_REFERENCES: &str = "proposals.retired_references";

/// Job: deletes a draft that nobody has touched for the policy's days. Payload: the proposal.
pub const DRAFT_EXPIRES: &str = "proposals.draft_expires";

/// Job: deletes the texts of a proposal that ended without ever being public, the policy's days later. Payload: the
/// proposal.
pub const UNPUBLISHED_TEXTS: &str = "proposals.unpublished_texts";

/// How often membership is asked who has left, by the business clock.
const READING_PAUSE: time::Duration = time::Duration::HOUR;

/// The first reading of retired references; each one schedules the next.
pub fn first_reading_of_retirements(run_at: Timestamp) -> NewJob {
    next_reading(Progress::default(), run_at)
}

fn next_reading(progress: Progress, run_at: Timestamp) -> NewJob {
    NewJob { kind: RETIRED_REFERENCES, dedupe_key: progress.runs.to_string(), run_at, payload: Vec::new() }
}

impl App {
    /// Where to go on reading who has left.
    pub async fn retirement_cursor(&self) -> Result<u64, Fault> {
        Ok(store::retirements::progress(self.database.read()).await?.cursor)
    }

    /// Forgets people who have left, and remembers how far the list was read.
    pub async fn forget(&self, persons: Vec<Subject>, cursor: u64) -> Result<(), Fault> {
        let input = (persons, cursor);
        self.writer
            .internal(RETIRED_REFERENCES, input, |tx, input| forget_all(tx, &input.0, input.1).boxed())
            .await
    }

    /// Deletes a draft whose day has come, if nobody has touched it since.
    pub async fn end_draft(&self, id: ProposalId) -> Result<(), Fault> {
        self.writer.internal(DRAFT_EXPIRES, id, |tx, id| end_draft(tx, *id).boxed()).await
    }

    /// Deletes the texts of a proposal that ended without ever being public.
    pub async fn end_unpublished(&self, id: ProposalId) -> Result<(), Fault> {
        self.writer.internal(UNPUBLISHED_TEXTS, id, |tx, id| end_unpublished(tx, *id).boxed()).await
    }

    /// Schedules the next reading of who has left, whatever came of this one.
    pub async fn schedule_next_reading(&self) -> Result<(), Fault> {
        self.writer.internal(RETIRED_REFERENCES, (), |tx, ()| schedule_next(tx).boxed()).await
    }
}

async fn schedule_next(tx: &Tx) -> Result<(), Fault> {
    let before = store::retirements::progress(tx.conn()).await?;
    let progress = Progress { runs: before.runs + 1, ..before };
    store::retirements::save(tx.conn(), progress).await?;
    tx.schedule(next_reading(progress, tx.now() + READING_PAUSE));
    Ok(())
}

async fn forget_all(tx: &Tx, persons: &[Subject], cursor: u64) -> Result<(), Fault> {
    for person in persons {
        forget_one(tx, *person).await?;
    }
    let before = store::retirements::progress(tx.conn()).await?;
    store::retirements::save(tx.conn(), Progress { cursor, ..before }).await
}

/// Takes a person's reference out of everything; each noun's store adds its line here.
async fn forget_one(tx: &Tx, person: Subject) -> Result<(), Fault> {
    store::texts::forget_writer(tx.conn(), person).await?;
    forget_author(tx, person).await?;
    store::answers::forget(tx.conn(), person).await?;
    store::supports::forget(tx.conn(), person).await?;
    store::follows::forget(tx.conn(), person).await?;
    store::comments::forget(tx.conn(), person).await?;
    forget_sender(tx, person).await
}

/// What a person wrote for everybody stays, without them; what they said themselves does not. A draft goes with its
/// last author.
async fn forget_author(tx: &Tx, person: Subject) -> Result<(), Fault> {
    for (id, kind) in store::authors::forget(tx.conn(), person).await? {
        let proposal = store::proposals::load(tx.conn(), id).await?;
        if proposal.stage == Stage::Draft && store::authors::of(tx.conn(), id).await?.is_empty() {
            delete_draft(tx, &proposal).await?;
            continue;
        }
        if kind == AuthorKind::Author {
            store::findings::forget_own_words(tx.conn(), id).await?;
            store::proposals::save(tx.conn(), &proposal.clone().without_own_words()).await?;
        }
        forget_unpublished(tx, &proposal).await?;
    }
    store::proposals::forget_helper(tx.conn(), person).await
}

/// Deletes the texts of what has ended without ever being public, once nobody is left who wrote it (TIHA-12).
pub(super) async fn forget_unpublished(tx: &Tx, proposal: &Proposal) -> Result<(), Fault> {
    let is_kept = proposal.is_public
        || !proposal.stage.is_ended()
        || proposal.return_code_hash.is_some()
        || !store::authors::of(tx.conn(), proposal.id).await?.is_empty();
    if is_kept {
        return Ok(());
    }
    erase(tx, proposal).await
}

/// Deletes what a proposal says, and its files; where it went, and why, stays.
async fn erase(tx: &Tx, proposal: &Proposal) -> Result<(), Fault> {
    store::texts::delete(tx.conn(), Owner::proposal(proposal.tenant, proposal.id)).await?;
    store::attachments::delete_of(tx.conn(), proposal.id).await?;
    store::findings::delete_of(tx.conn(), proposal.id).await?;
    store::proposals::save(tx.conn(), &proposal.clone().without_own_words()).await
}

/// What ended without ever being public is kept for its authors for the policy's days, and not longer (TIHA-12).
pub(super) fn schedule_forgetting(tx: &Tx, ended: &Proposal, policies: &Policies) {
    if ended.is_public {
        return;
    }
    let today = tx.now().helsinki_date();
    let days = i32::try_from(policies.on(today, PolicyKey::UnpublishedDays)).unwrap_or(i32::MAX);
    tx.schedule(NewJob {
        kind: UNPUBLISHED_TEXTS,
        dedupe_key: ended.id.to_string(),
        run_at: start_of_day(add_days(today, days.saturating_add(1))),
        payload: ended.id.as_uuid().as_bytes().to_vec(),
    });
}

async fn end_unpublished(tx: &Tx, id: ProposalId) -> Result<(), Fault> {
    let proposal = store::proposals::load(tx.conn(), id).await?;
    if proposal.is_public || !proposal.stage.is_ended() {
        return Ok(());
    }
    erase(tx, &proposal).await
}

async fn end_draft(tx: &Tx, id: ProposalId) -> Result<(), Fault> {
    let draft = match store::proposals::load(tx.conn(), id).await {
        Ok(found) if found.stage == Stage::Draft => found,
        // Deleted or submitted meanwhile.
        Ok(_) => return Ok(()),
        Err(fault) if fault.kind() == FaultKind::NotFound => return Ok(()),
        Err(fault) => return Err(fault),
    };
    let policies = store::policies::of(tx.conn(), draft.tenant).await?;
    if draft.expires_on(&policies) > tx.now().helsinki_date() {
        return Ok(());
    }
    delete_draft(tx, &draft).await
}
