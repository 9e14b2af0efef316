//! What came out of the play: values for tests and JSON, tables for people.

use kernel::MunicipalityCode;
use proto::forums::{ConstituencyResult, GetElectionResultResponse};
use serde::Serialize;

use super::example;
use super::ideas::Story;
use crate::screen::{Screen, percent, table};

/// Both elections, and what became of the clients' ideas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The forum.
    pub forum_id: String,
    /// The election of the whole forum.
    pub first: Outcome,
    /// The supplementary election of Simo.
    pub again: Outcome,
    /// What became of the clients' ideas, if that was played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ideas: Option<Story>,
}

/// The public result of one election.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The election.
    pub election_id: String,
    /// Day of the confirmation.
    pub confirmed_on: String,
    /// By municipality.
    pub rows: Vec<Row>,
    /// Seats of the forum in all.
    pub seats_total: u32,
    /// Seats of the forum filled after this election.
    pub seats_filled: u32,
    /// K1, filled of all seats, in hundredths of a per cent.
    pub seats_filled_bp: u32,
    /// K2, ballots of eligible where people voted, in hundredths of a per cent.
    pub turnout_bp: u32,
}

/// The result in one municipality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Municipality code.
    pub municipality: String,
    /// Its name.
    pub name: String,
    /// Seats to fill.
    pub seats: u32,
    /// People on the roll.
    pub eligible: u32,
    /// Accepted candidates.
    pub candidates: u32,
    /// True if nobody had to vote.
    pub uncontested: bool,
    /// Ballots, paper included.
    pub ballots: u32,
    /// Turnout in hundredths of a per cent.
    pub turnout_bp: u32,
    /// Seats filled.
    pub elected: u32,
    /// Deputies.
    pub deputies: u32,
    /// Seats left empty.
    pub vacant: u32,
    /// Day by which a supplementary election is due; empty if none is.
    pub supplementary_due_on: String,
    /// True if approvals are not shown because there are too few ballots (F7).
    pub tally_suppressed: bool,
    /// Approvals, most first, with the candidate's number.
    pub tally: Vec<(u32, u32)>,
    /// The lots, if they were drawn.
    pub lots: Option<Lots>,
}

/// Lots drawn, with what is needed to recompute them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lots {
    /// Published when the election was announced.
    pub commitment: String,
    /// Revealed when they were drawn.
    pub seed: String,
    /// Given by the witness after the count.
    pub witness_number: String,
    /// The tied candidates' numbers in the order drawn.
    pub order: Vec<u32>,
    /// Seats that were left for them.
    pub seats_left: u32,
}

impl Outcome {
    /// The outcome in an answer of forums.
    pub fn new(confirmed_on: &str, answer: GetElectionResultResponse) -> Self {
        Self {
            election_id: answer.election.unwrap_or_default().election_id,
            confirmed_on: confirmed_on.to_owned(),
            rows: answer.constituencies.into_iter().map(Row::from).collect(),
            seats_total: answer.seats_total,
            seats_filled: answer.seats_filled,
            seats_filled_bp: answer.seats_filled_bp,
            turnout_bp: answer.turnout_bp,
        }
    }

    /// The result as a table, with the sums of all municipalities in the last line.
    pub fn table(&self) -> String {
        let head = [
            "Municipality",
            "Seats",
            "Eligible",
            "Candidates",
            "Ballots",
            "Turnout",
            "Elected",
            "Deputies",
            "Lots",
        ];
        let rows = self.rows.iter().map(Row::cells).chain([self.sums()]);
        table(head, rows, &[1, 2, 3, 4, 5, 6, 7])
    }

    fn sums(&self) -> [String; 9] {
        let sum = |of: fn(&Row) -> u32| self.rows.iter().map(of).sum::<u32>().to_string();
        [
            "All".to_owned(),
            sum(|row| row.seats),
            sum(|row| row.eligible),
            sum(|row| row.candidates),
            sum(|row| row.ballots),
            percent(self.turnout_bp),
            sum(|row| row.elected),
            sum(|row| row.deputies),
            String::new(),
        ]
    }

    /// Sentences under the table: K1, K2, suppressed tallies, empty seats.
    fn remarks(&self) -> Vec<String> {
        let filled = percent(self.seats_filled_bp);
        let mut remarks =
            vec![format!("K1 seats filled: {} of {}, {filled}", self.seats_filled, self.seats_total)];
        if self.turnout_bp > 0 {
            remarks.push(format!("K2 turnout where people voted: {}", percent(self.turnout_bp)));
        }
        for row in &self.rows {
            if row.tally_suppressed {
                let (name, ballots) = (&row.name, row.ballots);
                remarks.push(format!("{name}: approvals are not shown, {ballots} ballots are too few"));
            }
            if row.vacant > 0 {
                let (name, vacant, due) = (&row.name, row.vacant, &row.supplementary_due_on);
                remarks.push(format!("{name}: {vacant} seat empty, supplementary election due by {due}"));
            }
        }
        remarks
    }
}

impl From<ConstituencyResult> for Row {
    fn from(result: ConstituencyResult) -> Self {
        let code = MunicipalityCode::new(&result.municipality).ok();
        let name = code.and_then(|code| code.municipality().map(|known| known.name_fi.clone()));
        Self {
            name: name.unwrap_or_else(|| result.municipality.clone()),
            municipality: result.municipality,
            seats: result.seats,
            eligible: result.eligible,
            candidates: result.candidates,
            uncontested: result.uncontested,
            ballots: result.ballots,
            turnout_bp: result.turnout_bp,
            elected: result.elected,
            deputies: result.deputies,
            vacant: result.vacant,
            supplementary_due_on: result.supplementary_due_on,
            tally_suppressed: result.tally_suppressed,
            tally: result.tally.into_iter().map(|tally| (tally.number, tally.approvals)).collect(),
            lots: result.lots.map(|lots| Lots {
                commitment: lots.commitment,
                seed: lots.seed,
                witness_number: lots.witness_number,
                order: lots.order,
                seats_left: lots.seats_left,
            }),
        }
    }
}

impl Row {
    fn cells(&self) -> [String; 9] {
        let voted = |text: String| if self.uncontested { "–".to_owned() } else { text };
        [
            self.name.clone(),
            self.seats.to_string(),
            self.eligible.to_string(),
            self.candidates.to_string(),
            voted(self.ballots.to_string()),
            voted(percent(self.turnout_bp)),
            self.elected.to_string(),
            self.deputies.to_string(),
            self.lots.as_ref().map(Lots::sentence).unwrap_or_default(),
        ]
    }
}

impl Lots {
    /// "candidate 4 before candidate 9".
    fn sentence(&self) -> String {
        let order: Vec<String> = self.order.iter().map(|number| format!("candidate {number}")).collect();
        order.join(" before ")
    }
}

impl Report {
    /// Elections and ideas as tables with their remarks.
    pub fn text(&self, screen: Screen) -> String {
        let one = |title: &str, outcome: &Outcome| {
            let heading = screen.heading(&format!("{title}, confirmed {}", outcome.confirmed_on));
            format!("{heading}\n\n{}\n\n{}", outcome.table(), outcome.remarks().join("\n"))
        };
        let first = one(&format!("{}: election", example::FORUM), &self.first);
        let again = one("Supplementary election", &self.again);
        let ideas =
            self.ideas.as_ref().map_or_else(String::new, |ideas| format!("\n\n{}", ideas.text(screen)));
        format!("{first}\n\n{again}{ideas}")
    }
}
