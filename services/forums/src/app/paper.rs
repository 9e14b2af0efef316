//! Batches of paper ballots. An official's figures go in and never come out again: not even to another official.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{ElectionId, Fault, ForumId, MunicipalityCode, Subject};
use messaging::Tx;
use proto::forums as pb;

use super::App;
use crate::domain::paper::{self, MAX_BATCHES, PaperEntry, PaperFigures};
use crate::{convert, store};

/// The count of a batch by one official, as it was sent.
#[derive(Debug, Clone)]
pub struct PaperBatchEntry {
    /// The election.
    pub election: ElectionId,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Label of the batch.
    pub batch: String,
    /// Ballots, blank and invalid ones included.
    pub ballots: u32,
    /// Blank ones.
    pub blank: u32,
    /// Invalid ones.
    pub invalid: u32,
    /// Approvals by candidate number.
    pub tallies: Vec<(u32, u32)>,
}

struct Enter {
    forum: ForumId,
    official: Subject,
    entry: PaperBatchEntry,
}

struct WithdrawEntry {
    forum: ForumId,
    official: Subject,
    election: ElectionId,
    key: store::papers::BatchKey,
}

impl App {
    /// Enters the count of a batch.
    pub async fn enter_paper_batch(
        &self,
        call: &Call,
        entry: PaperBatchEntry,
    ) -> Result<pb::EnterPaperBatchResponse, Fault> {
        let input = Enter { forum: call.scope.forum()?, official: call.caller.subject()?, entry };
        self.writer.run(call.command(), input, |tx, input| enter(tx, input).boxed()).await
    }

    /// Takes back the caller's own entry of a batch before the count: one wrong batch must not make an election
    /// uncountable.
    pub async fn withdraw_paper_entry(
        &self,
        call: &Call,
        election: ElectionId,
        municipality: MunicipalityCode,
        batch: String,
    ) -> Result<pb::WithdrawPaperEntryResponse, Fault> {
        let (forum, official) = (call.scope.forum()?, call.caller.subject()?);
        let input = WithdrawEntry { forum, official, election, key: (municipality, batch) };
        self.writer.run(call.command(), input, |tx, input| withdraw(tx, input).boxed()).await
    }

    /// Batches of an election and whether their entries agree.
    pub async fn list_paper_batches(
        &self,
        call: &Call,
        election: ElectionId,
    ) -> Result<pb::ListPaperBatchesResponse, Fault> {
        let conn = self.database.read();
        let election = store::elections::load_in(conn, call.scope.forum()?, election).await?;
        let batches = store::papers::batches(conn, election.id).await?;
        let batch =
            |((municipality, label), entries): (store::papers::BatchKey, Vec<PaperEntry>)| pb::PaperBatch {
                municipality: municipality.to_string(),
                batch: label,
                state: convert::batch_state(paper::state_of(&entries)).into(),
            };
        Ok(pb::ListPaperBatchesResponse { batches: batches.into_iter().map(batch).collect() })
    }
}

async fn enter(tx: &Tx, input: &Enter) -> Result<pb::EnterPaperBatchResponse, Fault> {
    let Enter { forum, official, entry } = input;
    let election = store::elections::load_in(tx.conn(), *forum, entry.election).await?;
    election.check_paper_entry()?;
    let paper = election.check_contested(entry.municipality)?.paper();
    let figures = PaperFigures::new(&paper, entry.ballots, entry.blank, entry.invalid, &entry.tallies)?;
    let mut batches = store::papers::batches(tx.conn(), election.id).await?;
    let key = (entry.municipality, entry.batch.clone());
    let room = u64::try_from(batches.len()).is_ok_and(|count| count < MAX_BATCHES);
    if !batches.contains_key(&key) && !room {
        let message =
            format!("An election has at most {MAX_BATCHES} batches of paper ballots. Make them larger.");
        return Err(Fault::resource_exhausted("forums.too_many_batches", message));
    }
    let entries = batches.entry(key.clone()).or_default();
    paper::may_enter(entries, *official)?;
    entries.push(PaperEntry { official: *official, figures });
    let state = paper::state_of(entries);
    if let Some(new) = entries.last() {
        store::papers::insert(tx.conn(), election.id, &key, new).await?;
    }
    Ok(pb::EnterPaperBatchResponse { state: convert::batch_state(state).into() })
}

async fn withdraw(tx: &Tx, input: &WithdrawEntry) -> Result<pb::WithdrawPaperEntryResponse, Fault> {
    let WithdrawEntry { forum, official, election, key } = input;
    let election = store::elections::load_in(tx.conn(), *forum, *election).await?;
    election.check_paper_entry()?;
    let mut entries = store::papers::batches(tx.conn(), election.id).await?.remove(key).unwrap_or_default();
    entries.remove(paper::own_entry(&entries, *official)?);
    store::papers::delete(tx.conn(), election.id, key, *official).await?;
    let state = match entries.as_slice() {
        [] => pb::PaperBatchState::Unspecified,
        left => convert::batch_state(paper::state_of(left)),
    };
    Ok(pb::WithdrawPaperEntryResponse { state: state.into() })
}
