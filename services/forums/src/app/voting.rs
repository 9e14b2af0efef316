//! Voting: opened, cast, closed.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{ElectionId, Fault, ForumId, MunicipalityCode, Subject};
use messaging::{NewJob, Tx, crash};
use proto::forums as pb;

use super::App;
use super::upkeep::CLOSE_VOTING;
use crate::domain::election::{Election, Phase};
use crate::domain::sealed::{BallotBox, BoxLabel};
use crate::domain::voter::{self, Channel, Mark, Marked};
use crate::{convert, events, store};

struct OfElection {
    forum: ForumId,
    election: ElectionId,
}

/// A ballot on its way into the box: sealed before it reaches the writer's queue.
struct Cast {
    forum: ForumId,
    election: ElectionId,
    municipality: MunicipalityCode,
    voter: Subject,
    mark: Mark,
    sealed: Vec<u8>,
}

struct HandPaper {
    forum: ForumId,
    election: ElectionId,
    municipality: MunicipalityCode,
    voter: Subject,
    mark: Mark,
}

impl App {
    /// Opens voting in the contested municipalities. A timer closes it after the last day.
    pub async fn open_voting(
        &self,
        call: &Call,
        election: ElectionId,
    ) -> Result<pb::OpenVotingResponse, Fault> {
        let input = OfElection { forum: call.scope.forum()?, election };
        self.writer.run(call.command(), input, |tx, input| open(tx, input).boxed()).await
    }

    /// Puts the caller's ballot into the box of their municipality, once (F3, F4). `confirmed`: with a helper present, the
    /// voter said yes themselves.
    ///
    /// The ballot is checked and sealed here, in memory; the writer gets the sealed form only. The mark is the
    /// idempotency record: the same command again is done already. Nothing of it is logged, published or scheduled (BAL-11);
    /// that somebody with a helper was asked for their own yes is logged, without who.
    pub async fn cast_ballot(
        &self,
        call: &Call,
        forum: ForumId,
        approvals: &[u32],
        confirmed: bool,
    ) -> Result<pb::CastBallotResponse, Fault> {
        let (election_id, municipality) = call.scope.roll()?;
        let voter = call.caller.subject()?;
        voter::may_cast(&call.caller, confirmed).inspect_err(note_confirmation)?;
        let election = store::elections::load_in(self.database.read(), forum, election_id).await?;
        let paper = election.check_contested(municipality)?.paper();
        let ballot = paper.fill_in(approvals)?;
        let label = BoxLabel { election: election_id, municipality };
        let sealed = election.board_key.seal(&label, &paper.write(&ballot), self.ids.bytes())?;
        crash::point("ballot.sealed");
        let key_hash = voter::key_hash(election_id, voter, &call.command().key);
        let mark = Mark { channel: Channel::Online, key_hash };
        let input = Cast { forum, election: election_id, municipality, voter, mark, sealed };
        let answer =
            self.writer.run_unlogged(call.command(), input, |tx, input| cast(tx, input).boxed()).await;
        if answer.is_ok() {
            crash::point("ballot.cast_after_commit");
        }
        answer
    }

    /// Hands a paper ballot to the voter named by a voucher: from then on they cannot vote online. As for online ballots
    /// the mark is the idempotency record: a row in the command log would hold key and time, and the mark's hash of
    /// the key would say whose they are.
    pub async fn hand_paper_ballot(
        &self,
        call: &Call,
        election: ElectionId,
        voter: Subject,
        municipality: MunicipalityCode,
    ) -> Result<pb::HandPaperBallotResponse, Fault> {
        let key_hash = voter::key_hash(election, voter, &call.command().key);
        let mark = Mark { channel: Channel::Paper, key_hash };
        let input = HandPaper { forum: call.scope.forum()?, election, municipality, voter, mark };
        self.writer.run_unlogged(call.command(), input, |tx, input| hand_paper(tx, input).boxed()).await
    }

    /// Closes the boxes after the last day.
    pub async fn close_voting(
        &self,
        call: &Call,
        election: ElectionId,
    ) -> Result<pb::CloseVotingResponse, Fault> {
        let input = OfElection { forum: call.scope.forum()?, election };
        self.writer.run(call.command(), input, |tx, input| close(tx, input).boxed()).await
    }

    /// Closes the boxes by the timer; an election that is annulled or closed already is left alone.
    pub(super) async fn close_voting_by_timer(&self, election: ElectionId) -> Result<(), Fault> {
        self.writer.internal(CLOSE_VOTING, election, |tx, election| close_if_open(tx, election).boxed()).await
    }
}

/// Logs that a member with a helper is asked whether a vote is theirs: not who it is, nor about what.
pub(super) fn note_confirmation(fault: &Fault) {
    if fault.code() == "forums.confirmation_needed" {
        tracing::info!("a vote with a helper present waits for the member's own yes");
    }
}

async fn open(tx: &Tx, input: &OfElection) -> Result<pb::OpenVotingResponse, Fault> {
    let today = tx.now().helsinki_date();
    let forum = store::forums::load(tx.conn(), input.forum).await?;
    let before = store::elections::load_in(tx.conn(), forum.id, input.election).await?;
    let event = before.open_voting(today)?;
    let election = before.apply(&event);
    store::elections::save(tx.conn(), &election).await?;
    for constituency in election.contested() {
        store::ballots::insert_box(tx.conn(), election.id, constituency.municipality).await?;
    }
    events::election(&forum, &election, &event).into_iter().for_each(|event| tx.publish(event));
    let id = election.id.to_string();
    let run_at =
        kernel::deadline::start_of_day(kernel::deadline::add_days(election.schedule.voting_closes_on, 1));
    tx.schedule(NewJob { kind: CLOSE_VOTING, dedupe_key: id.clone(), run_at, payload: id.into_bytes() });
    Ok(pb::OpenVotingResponse { election: Some(convert::election(&election, today)) })
}

async fn cast(tx: &Tx, input: &Cast) -> Result<pb::CastBallotResponse, Fault> {
    let Cast { forum, election, municipality, voter, mark, sealed } = input;
    let existing = store::ballots::mark(tx.conn(), *election, *voter).await?;
    if voter::check_mark(existing.as_ref(), mark)? == Marked::Done {
        return Ok(pb::CastBallotResponse {});
    }
    let election = store::elections::load_in(tx.conn(), *forum, *election).await?;
    let constituency = election.check_voting(*municipality, tx.now().helsinki_date())?;
    let mut stored = store::ballots::lock_box(tx.conn(), election.id, *municipality).await?;
    let mut ballots = BallotBox::from_stored(constituency.paper().written_len(), stored.sealed)?;
    check_room(constituency.eligible, ballots.len().saturating_add(stored.paper_handed))?;
    store::ballots::insert_mark(tx.conn(), election.id, *municipality, *voter, mark).await?;
    ballots.put(sealed)?;
    stored.sealed = ballots.into_bytes();
    store::ballots::save_box(tx.conn(), election.id, *municipality, stored).await?;
    crash::point("ballot.cast_before_commit");
    Ok(pb::CastBallotResponse {})
}

async fn hand_paper(tx: &Tx, input: &HandPaper) -> Result<pb::HandPaperBallotResponse, Fault> {
    let HandPaper { forum, election, municipality, voter, mark } = input;
    let election = store::elections::load_in(tx.conn(), *forum, *election).await?;
    let existing = store::ballots::mark(tx.conn(), election.id, *voter).await?;
    if voter::check_mark(existing.as_ref(), mark)? == Marked::Done {
        let stored = store::ballots::load_box(tx.conn(), election.id, *municipality).await?;
        return Ok(pb::HandPaperBallotResponse { handed: stored.paper_handed });
    }
    let constituency = election.check_voting(*municipality, tx.now().helsinki_date())?;
    let mut stored = store::ballots::lock_box(tx.conn(), election.id, *municipality).await?;
    let ballots = BallotBox::from_stored(constituency.paper().written_len(), stored.sealed.clone())?;
    check_room(constituency.eligible, ballots.len().saturating_add(stored.paper_handed))?;
    store::ballots::insert_mark(tx.conn(), election.id, *municipality, *voter, mark).await?;
    stored.paper_handed += 1;
    let handed = stored.paper_handed;
    store::ballots::save_box(tx.conn(), election.id, *municipality, stored).await?;
    crash::point("ballot.paper_before_commit");
    Ok(pb::HandPaperBallotResponse { handed })
}

/// There are never more marks than people on the roll, whatever tokens say (F3).
fn check_room(eligible: Option<u32>, marked: u32) -> Result<(), Fault> {
    if marked < eligible.unwrap_or(0) {
        return Ok(());
    }
    Err(Fault::conflict(
        "forums.roll_exhausted",
        "As many people have voted as there are on the frozen roll of this municipality. Tell the election officer.",
    ))
}

async fn close(tx: &Tx, input: &OfElection) -> Result<pb::CloseVotingResponse, Fault> {
    let today = tx.now().helsinki_date();
    let election = store::elections::load_in(tx.conn(), input.forum, input.election).await?;
    let election = if election.voting_closed() { election } else { close_boxes(tx, election).await? };
    Ok(pb::CloseVotingResponse { election: Some(convert::election(&election, today)) })
}

async fn close_if_open(tx: &Tx, election: &ElectionId) -> Result<(), Fault> {
    let election = store::elections::load(tx.conn(), *election).await?;
    if election.phase == Phase::Voting {
        close_boxes(tx, election).await?;
    }
    Ok(())
}

async fn close_boxes(tx: &Tx, before: Election) -> Result<Election, Fault> {
    let forum = store::forums::load(tx.conn(), before.forum).await?;
    let mut ballots = Vec::new();
    for constituency in before.contested() {
        let municipality = constituency.municipality;
        let online = store::ballots::count_marks(tx.conn(), before.id, municipality, Channel::Online).await?;
        let paper = store::ballots::count_marks(tx.conn(), before.id, municipality, Channel::Paper).await?;
        ballots.push((municipality, online.saturating_add(paper)));
    }
    let event = before.close_voting(tx.now().helsinki_date(), ballots)?;
    let election = before.apply(&event);
    store::elections::save(tx.conn(), &election).await?;
    store::ballots::rewrite_marks(tx.conn(), election.id).await?;
    events::election(&forum, &election, &event).into_iter().for_each(|event| tx.publish(event));
    Ok(election)
}
