//! Ballots against marks, for a check from outside: how many there are of each, and whether the tally is that of the
//! opened ballots. Numbers only; nothing here says who voted or how.

use std::collections::BTreeMap;

use kernel::{ElectionId, Fault, MunicipalityCode, Subject};
use messaging::database_fault;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::domain::election::{Constituency, Election, Phase};
use crate::domain::paper;
use crate::domain::sealed::BallotBox;
use crate::domain::tally::Tally;
use crate::domain::voter::{self, Channel};
use crate::store;

/// The ballots and marks of a contested municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxState {
    /// The election.
    pub election: ElectionId,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// People on the frozen roll; none if it has not arrived.
    pub eligible: Option<u32>,
    /// Voters marked as having voted online.
    pub online_marks: u32,
    /// Voters marked as having got a paper ballot.
    pub paper_marks: u32,
    /// Sealed ballots in the box; none if there is no box, or it holds no whole number of them.
    pub sealed: Option<u32>,
    /// Paper ballots handed out, as the box says.
    pub paper_handed: u32,
    /// Once counted: opened ballots that are kept.
    pub opened: Option<u32>,
    /// Once counted: whether the tally is that of the opened ballots and the reconciled papers.
    pub tally_agrees: Option<bool>,
}

/// The boxes of all elections in which voting has begun and whose ballots are not erased yet.
///
/// # Errors
/// Of the database.
pub async fn boxes(database: &DatabaseConnection) -> Result<Vec<BoxState>, Fault> {
    let mut states = Vec::new();
    for id in store::elections::ids(database).await? {
        // One view of an election: a ballot and its mark are seen both or neither while people vote.
        let view = messaging::view(database).await.map_err(database_fault)?;
        let election = store::elections::load(&view, id).await?;
        for constituency in election.contested().filter(|_| election.phase >= Phase::Voting) {
            states.extend(state_of(&view, &election, constituency).await?);
        }
        view.commit().await.map_err(database_fault)?;
    }
    Ok(states)
}

/// Whether marks may be gone with the boxes of an election that is over: they are erased together.
///
/// # Errors
/// Of the database.
pub async fn may_be_erased(database: &DatabaseConnection) -> Result<bool, Fault> {
    for id in store::elections::ids(database).await? {
        let view = messaging::view(database).await.map_err(database_fault)?;
        let election = store::elections::load(&view, id).await?;
        let is_over = election.phase > Phase::Counted;
        let mut boxes = 0;
        for constituency in election.contested().filter(|_| is_over) {
            let there = store::ballots::find_box(&view, id, constituency.municipality).await?;
            boxes += usize::from(there.is_some());
        }
        view.commit().await.map_err(database_fault)?;
        if is_over && boxes == 0 && election.contested().next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A mark, as a check compares it with what clients were told and with the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// The election.
    pub election: ElectionId,
    /// Where the voter is marked.
    pub municipality: MunicipalityCode,
    /// The voter, as forums knows them.
    pub voter: Subject,
    /// True for a paper ballot that was handed over.
    pub on_paper: bool,
    key_hash: [u8; 32],
}

impl Marked {
    /// Whether it is the mark of the command with this key.
    #[must_use]
    pub fn is_of(&self, key: &str) -> bool {
        self.key_hash == voter::key_hash(self.election, self.voter, key)
    }
}

/// The elections that have marks, and of each all its marks.
///
/// # Errors
/// Of the database.
pub async fn marks(database: &DatabaseConnection) -> Result<Vec<(ElectionId, Vec<Marked>)>, Fault> {
    let mut all = Vec::new();
    for election in store::elections::ids(database).await? {
        let marks = store::ballots::marks(database, election).await?;
        let marks = marks.into_iter().map(|(municipality, voter, mark)| Marked {
            election,
            municipality,
            voter,
            on_paper: mark.channel == Channel::Paper,
            key_hash: mark.key_hash,
        });
        all.push((election, marks.collect::<Vec<_>>()));
    }
    all.retain(|(_, marks)| !marks.is_empty());
    Ok(all)
}

/// Whether a voter's mark in any election is that of the command with this key.
///
/// # Errors
/// Of the database.
pub async fn is_marked(conn: &impl ConnectionTrait, voter: Subject, key: &str) -> Result<bool, Fault> {
    let marks = store::ballots::marks_of(conn, voter).await?;
    Ok(marks.iter().any(|(election, mark)| mark.key_hash == voter::key_hash(*election, voter, key)))
}

async fn state_of(
    conn: &impl ConnectionTrait,
    election: &Election,
    constituency: &Constituency,
) -> Result<Option<BoxState>, Fault> {
    let (id, municipality) = (election.id, constituency.municipality);
    let online_marks = store::ballots::count_marks(conn, id, municipality, Channel::Online).await?;
    let paper_marks = store::ballots::count_marks(conn, id, municipality, Channel::Paper).await?;
    let stored = store::ballots::find_box(conn, id, municipality).await?;
    let choices = store::ballots::choices(conn, id, municipality).await?;
    let is_over = election.phase > Phase::Counted;
    if is_over && stored.is_none() && choices.is_none() && online_marks + paper_marks == 0 {
        // Erased, or annulled before voting. While an election is under way its boxes are there, if empty.
        return Ok(None);
    }
    let paper_handed = stored.as_ref().map_or(0, |stored| stored.paper_handed);
    let written_len = constituency.paper().written_len();
    let sealed = stored.and_then(|stored| BallotBox::from_stored(written_len, stored.sealed).ok());
    let (opened, tally_agrees) = match choices {
        None => (None, None),
        Some(choices) => {
            let (opened, agrees) = tallied(conn, election, constituency, &choices).await?;
            (Some(opened), Some(agrees))
        }
    };
    Ok(Some(BoxState {
        election: id,
        municipality,
        eligible: constituency.eligible,
        online_marks,
        paper_marks,
        sealed: sealed.map(|sealed| sealed.len()),
        paper_handed,
        opened,
        tally_agrees,
    }))
}

/// Counts the kept choices anew. What is no ballot is not counted, so the numbers then differ.
async fn tallied(
    conn: &impl ConnectionTrait,
    election: &Election,
    constituency: &Constituency,
    choices: &[u8],
) -> Result<(u32, bool), Fault> {
    let ballot_paper = constituency.paper();
    let mut tally = Tally::empty(constituency.candidates);
    for ballot in choices.chunks(ballot_paper.written_len()).filter_map(|bytes| ballot_paper.read(bytes)) {
        tally.add_ballot(&ballot);
    }
    let opened = tally.ballots;
    for ((municipality, _), entries) in store::papers::batches(conn, election.id).await? {
        if let Some(figures) =
            paper::reconciled(&entries).filter(|_| municipality == constituency.municipality)
        {
            tally.add_paper(figures);
        }
    }
    let lines = store::tallies::load(conn, election.id).await?.remove(&constituency.municipality);
    let lines = lines.unwrap_or_default();
    let approvals: BTreeMap<u32, u32> = lines.iter().map(|line| (line.number, line.approvals)).collect();
    let agrees = approvals == tally.approvals
        && constituency.ballots == Some(tally.ballots)
        && (constituency.blank, constituency.invalid) == (tally.blank, tally.invalid);
    Ok((opened, agrees))
}
