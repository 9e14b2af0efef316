//! The count, the witness, the lots.

use std::collections::BTreeMap;

use chassis::Call;
use futures::FutureExt as _;
use kernel::{ElectionId, Fault, ForumId, MunicipalityCode, Subject};
use messaging::{Tx, crash};
use proto::forums as pb;
use zeroize::Zeroizing;

use super::App;
use crate::domain::ballot::{Ballot, BallotPaper};
use crate::domain::candidate::CandidateState;
use crate::domain::election::{Constituency, CountInput, Election, Phase};
use crate::domain::figures::PublicFigures;
use crate::domain::lots::{self, WitnessNumber};
use crate::domain::paper::{self, PaperFigures};
use crate::domain::sealed::{BallotBox, BoardPrivateKey, BoxLabel};
use crate::domain::tally::Tally;
use crate::domain::voter::Channel;
use crate::store::tallies::TallyLine;
use crate::vault::Vault;
use crate::{convert, events, store};

/// Opened ballots by municipality.
type Opened = BTreeMap<MunicipalityCode, Vec<Ballot>>;

struct Count {
    forum: ForumId,
    election: ElectionId,
    /// None if the boxes were not closed when the command came.
    opened: Option<Opened>,
}

struct Witness {
    forum: ForumId,
    election: ElectionId,
    municipality: MunicipalityCode,
    number: WitnessNumber,
    person: Subject,
}

struct Draw {
    vault: Vault,
    forum: ForumId,
    election: ElectionId,
    municipality: MunicipalityCode,
}

impl App {
    /// Opens the boxes with the board's private key and counts. The key is used here, in memory, and forgotten; the
    /// writer gets the opened ballots, which nothing links to a voter any more.
    pub async fn count_ballots(
        &self,
        call: &Call,
        election: ElectionId,
        private_key: Zeroizing<Vec<u8>>,
    ) -> Result<pb::CountBallotsResponse, Fault> {
        let forum = call.scope.forum()?;
        let opened = self.open_boxes(forum, election, private_key).await?;
        crash::point("ballot.opened");
        let input = Count { forum, election, opened };
        let answer = self.writer.run(call.command(), input, |tx, input| count(tx, input).boxed()).await;
        if answer.is_ok() {
            crash::point("ballot.tally_after_commit");
        }
        answer
    }

    /// A named witness adds a number of their own to the lots of a tie. Forbidden `forums.witness_is_officer` or
    /// `forums.witness_is_candidate`: nobody witnesses the lots of an election they run or stand in.
    pub async fn witness_lots(
        &self,
        call: &Call,
        election: ElectionId,
        municipality: MunicipalityCode,
        number: WitnessNumber,
    ) -> Result<pb::WitnessLotsResponse, Fault> {
        let (forum, person) = (call.scope.forum()?, call.caller.subject()?);
        lots::refuse_officer(&call.caller, forum)?;
        let input = Witness { forum, election, municipality, number, person };
        self.writer.run(call.command(), input, |tx, input| witness(tx, input).boxed()).await
    }

    /// Draws the lots of a witnessed tie.
    pub async fn draw_lots(
        &self,
        call: &Call,
        election: ElectionId,
        municipality: MunicipalityCode,
    ) -> Result<pb::DrawLotsResponse, Fault> {
        let input = Draw { vault: self.vault.clone(), forum: call.scope.forum()?, election, municipality };
        self.writer.run(call.command(), input, |tx, input| draw(tx, input).boxed()).await
    }

    /// Boxes do not change once they are closed, so they are opened outside of the writer, which everybody waits for.
    async fn open_boxes(
        &self,
        forum: ForumId,
        election: ElectionId,
        private_key: Zeroizing<Vec<u8>>,
    ) -> Result<Option<Opened>, Fault> {
        let conn = self.database.read();
        let election = store::elections::load_in(conn, forum, election).await?;
        let key = BoardPrivateKey::new(&private_key, &election.board_key)?;
        if election.phase != Phase::Counting {
            return Ok(None);
        }
        let mut boxes = Vec::new();
        for constituency in election.contested() {
            let paper = constituency.paper();
            let stored = store::ballots::load_box(conn, election.id, constituency.municipality).await?;
            let ballots = BallotBox::from_stored(paper.written_len(), stored.sealed)?;
            let label = BoxLabel { election: election.id, municipality: constituency.municipality };
            boxes.push((label, paper, ballots));
        }
        let opening = tokio::task::spawn_blocking(move || {
            let open = |(label, paper, ballots): (BoxLabel, BallotPaper, BallotBox)| {
                (label.municipality, open_box(&key, &label, &paper, &ballots))
            };
            boxes.into_iter().map(open).collect()
        });
        opening.await.map(Some).map_err(Fault::internal)
    }
}

/// The valid ballots of a box, sorted by content. What does not open is left out: the count then finds fewer ballots
/// than marks, and refuses.
fn open_box(
    key: &BoardPrivateKey,
    label: &BoxLabel,
    paper: &BallotPaper,
    ballots: &BallotBox,
) -> Vec<Ballot> {
    let open = |sealed: &[u8]| paper.read(&Zeroizing::new(key.open(label, sealed)?));
    let mut opened: Vec<Ballot> = ballots.ballots().filter_map(open).collect();
    opened.sort();
    opened
}

async fn count(tx: &Tx, input: &Count) -> Result<pb::CountBallotsResponse, Fault> {
    let today = tx.now().helsinki_date();
    let forum = store::forums::load(tx.conn(), input.forum).await?;
    let before = store::elections::load_in(tx.conn(), forum.id, input.election).await?;
    before.check_counting()?;
    let opened = input.opened.as_ref().ok_or_else(|| {
        Fault::unavailable(
            "forums.boxes_just_closed",
            "The boxes closed a moment ago. Send the command again.",
        )
    })?;
    let papers = reconciled_papers(tx, &before).await?;
    let mut inputs = Vec::new();
    for constituency in before.contested() {
        inputs.push(count_input(tx, &before, constituency, opened, &papers).await?);
    }
    let event = before.count(&inputs)?;
    let election = before.apply(&event);
    for CountInput { municipality, tally, .. } in &inputs {
        let line = |(number, approvals): (&u32, &u32)| TallyLine {
            number: *number,
            approvals: *approvals,
            seat_no: None,
            deputy_no: None,
        };
        let lines: Vec<TallyLine> = tally.approvals.iter().map(line).collect();
        store::tallies::save(tx.conn(), election.id, *municipality, &lines).await?;
        let paper = election.constituency(*municipality)?.paper();
        let ballots = opened.get(municipality).map_or(&[][..], Vec::as_slice);
        let choices = ballots.iter().flat_map(|ballot| paper.write(ballot)).collect();
        store::ballots::insert_choices(tx.conn(), election.id, *municipality, choices).await?;
    }
    store::elections::save(tx.conn(), &election).await?;
    events::election(&forum, &election, &event).into_iter().for_each(|event| tx.publish(event));
    crash::point("ballot.tallied");
    Ok(pb::CountBallotsResponse { election: Some(convert::election(&election, today)) })
}

/// The reconciled batches by municipality; Conflict `forums.batch_not_reconciled` if any is not.
async fn reconciled_papers(
    tx: &Tx,
    election: &Election,
) -> Result<BTreeMap<MunicipalityCode, Vec<PaperFigures>>, Fault> {
    let mut papers: BTreeMap<MunicipalityCode, Vec<PaperFigures>> = BTreeMap::new();
    for ((municipality, label), entries) in store::papers::batches(tx.conn(), election.id).await? {
        let Some(figures) = paper::reconciled(&entries) else {
            let message = format!(
                "Batch \"{label}\" of {municipality} is not reconciled: another official must enter it, or a third if two differ, or the wrong entries are taken back with WithdrawPaperEntry."
            );
            return Err(Fault::conflict("forums.batch_not_reconciled", message));
        };
        papers.entry(municipality).or_default().push(figures.clone());
    }
    Ok(papers)
}

async fn count_input(
    tx: &Tx,
    election: &Election,
    constituency: &Constituency,
    opened: &Opened,
    papers: &BTreeMap<MunicipalityCode, Vec<PaperFigures>>,
) -> Result<CountInput, Fault> {
    let municipality = constituency.municipality;
    let ballots = opened.get(&municipality).map_or(&[][..], Vec::as_slice);
    let batches = papers.get(&municipality).map_or(&[][..], Vec::as_slice);
    let mut tally = Tally::empty(constituency.candidates);
    ballots.iter().for_each(|ballot| tally.add_ballot(ballot));
    batches.iter().for_each(|batch| tally.add_paper(batch));
    Ok(CountInput {
        municipality,
        opened: u32::try_from(ballots.len()).map_err(Fault::internal)?,
        online_marks: store::ballots::count_marks(tx.conn(), election.id, municipality, Channel::Online)
            .await?,
        paper: batches.iter().map(|batch| batch.ballots).sum(),
        paper_marks: store::ballots::count_marks(tx.conn(), election.id, municipality, Channel::Paper)
            .await?,
        tally,
    })
}

async fn witness(tx: &Tx, input: &Witness) -> Result<pb::WitnessLotsResponse, Fault> {
    let today = tx.now().helsinki_date();
    let before = store::elections::load_in(tx.conn(), input.forum, input.election).await?;
    let own = store::candidates::of_person(tx.conn(), before.id, input.person).await?;
    if own.is_some_and(|candidate| candidate.state == CandidateState::Accepted) {
        return Err(Fault::forbidden(
            "forums.witness_is_candidate",
            "You are a candidate of this election. Another person must witness its lots.",
        ));
    }
    let event = before.witness(input.municipality, input.number.clone(), input.person)?;
    let election = before.apply(&event);
    store::elections::save(tx.conn(), &election).await?;
    Ok(pb::WitnessLotsResponse { election: Some(convert::election(&election, today)) })
}

async fn draw(tx: &Tx, input: &Draw) -> Result<pb::DrawLotsResponse, Fault> {
    let today = tx.now().helsinki_date();
    let forum = store::forums::load(tx.conn(), input.forum).await?;
    let before = store::elections::load_in(tx.conn(), forum.id, input.election).await?;
    let event = before.draw_lots(input.municipality)?;
    let election = before.apply(&event);
    store::elections::save(tx.conn(), &election).await?;
    events::election(&forum, &election, &event).into_iter().for_each(|event| tx.publish(event));

    let seed = store::elections::seed(tx.conn(), &input.vault, election.id).await?;
    store::elections::reveal_seed(tx.conn(), election.id, &seed).await?;
    let lines = store::tallies::load(tx.conn(), election.id).await?;
    let tally = lines.get(&input.municipality).map(|lines| store::tallies::tally(lines));
    let tally = tally.unwrap_or_else(|| Tally::empty(0));
    let constituency = election.constituency(input.municipality)?;
    let lots = PublicFigures::of(&election, constituency, &tally, Some(&seed)).lots;
    Ok(pb::DrawLotsResponse {
        lots: lots.map(|proof| convert::results::lots(&election, &proof)),
        election: Some(convert::election(&election, today)),
    })
}
