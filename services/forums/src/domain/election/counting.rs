//! The steps after the boxes are closed: count, witness, lots, confirmation.

use kernel::{Date, Fault, MunicipalityCode, Subject};

use super::{
    ConfirmationPolicy, ConfirmedResult, Constituency, CountInput, CountedFigures, Election, ElectionEvent,
    Phase,
};
use crate::domain::lots::WitnessNumber;
use crate::domain::tally::{Outcome, Tally};

impl Election {
    /// Refuses unless boxes are closed and not counted: Conflict `forums.wrong_step`.
    pub fn check_counting(&self) -> Result<(), Fault> {
        self.expect(Phase::Counting, "ballots are counted once, after voting has closed")
    }

    /// Counts. Conflict `forums.wrong_step`; `forums.box_mismatch` or `forums.paper_mismatch`, with both numbers,
    /// when there are not as many ballots as marks on either channel; `forums.more_marks_than_voters` when there are
    /// more marks than people on the frozen roll, or no roll.
    pub fn count(&self, inputs: &[CountInput]) -> Result<ElectionEvent, Fault> {
        self.check_counting()?;
        let mut counted = Vec::new();
        for input in inputs {
            let CountInput { municipality, opened, online_marks, paper, paper_marks, tally } = input;
            let &Constituency { seats, eligible, .. } = self.check_contested(*municipality)?;
            if opened != online_marks {
                let message = format!(
                    "The box of {municipality} holds {opened} ballots, but {online_marks} voters are marked. It is not counted; the election board decides."
                );
                return Err(Fault::conflict("forums.box_mismatch", message));
            }
            if paper != paper_marks {
                let message = format!(
                    "The paper batches of {municipality} hold {paper} ballots, but {paper_marks} were handed out. Enter the missing batches, or take wrong entries back with WithdrawPaperEntry; ballots not returned are invalid ones."
                );
                return Err(Fault::conflict("forums.paper_mismatch", message));
            }
            let marked = online_marks.saturating_add(*paper_marks);
            let eligible = eligible.unwrap_or(0);
            if marked > eligible {
                let message = format!(
                    "{marked} voters of {municipality} are marked, but {eligible} people are on the frozen roll. It is not counted; the election board decides."
                );
                return Err(Fault::conflict("forums.more_marks_than_voters", message));
            }
            let tie_seats_left = tally.tie(seats).map(|tie| tie.seats_left);
            let Tally { ballots, blank, invalid, .. } = *tally;
            counted.push((*municipality, CountedFigures { ballots, blank, invalid, tie_seats_left }));
        }
        Ok(ElectionEvent::Counted(counted))
    }

    /// A witness gives a number for an open tie. Conflict `forums.wrong_step`, `forums.no_tie` or
    /// `forums.tie_witnessed`.
    pub fn witness(
        &self,
        municipality: MunicipalityCode,
        number: WitnessNumber,
        witness: Subject,
    ) -> Result<ElectionEvent, Fault> {
        let constituency = self.check_tie(municipality)?;
        if constituency.witness_number.is_some() {
            return Err(Fault::conflict(
                "forums.tie_witnessed",
                "The witness's number of this tie was given. It cannot be changed.",
            ));
        }
        Ok(ElectionEvent::Witnessed { municipality, number, witness })
    }

    /// Draws the lots of a tie. Conflict `forums.wrong_step`, `forums.no_tie`, or `forums.lots_not_witnessed` until
    /// every tie of the election is witnessed: the draw reveals the seed, and a witness who knows the seed could
    /// choose.
    pub fn draw_lots(&self, municipality: MunicipalityCode) -> Result<ElectionEvent, Fault> {
        self.check_tie(municipality)?;
        let missing: Vec<&str> = self
            .constituencies
            .iter()
            .filter(|one| one.tie_seats_left.is_some() && one.witness_number.is_none())
            .map(|one| one.municipality.as_str())
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "The first lots drawn reveal the seed of all. Ties that need a witness's number first: {}.",
                missing.join(", ")
            );
            return Err(Fault::conflict("forums.lots_not_witnessed", message));
        }
        Ok(ElectionEvent::LotsDrawn(municipality))
    }

    fn check_tie(&self, municipality: MunicipalityCode) -> Result<&Constituency, Fault> {
        self.expect(
            Phase::TieByLot,
            "lots are drawn after the count, where there is a tie at the last seat",
        )?;
        let constituency = self.constituency(municipality)?;
        if !constituency.tie_open() {
            let message = format!("There is no open tie at the last seat of {municipality}.");
            return Err(Fault::conflict("forums.no_tie", message));
        }
        Ok(constituency)
    }

    /// Confirms these outcomes today. `filled_before` is the number of the forum's seats that others hold. Conflict
    /// `forums.wrong_step`.
    pub fn confirm(
        &self,
        outcomes: &[(MunicipalityCode, Outcome)],
        policy: ConfirmationPolicy,
        filled_before: u32,
        today: Date,
    ) -> Result<ElectionEvent, Fault> {
        self.expect(Phase::Counted, "a result is confirmed once, after the count and the lots")?;
        let due = kernel::deadline::due_after_days(today, policy.supplementary_days);
        let mut results = Vec::new();
        let mut filled = filled_before;
        for (municipality, outcome) in outcomes {
            let constituency = self.constituency(*municipality)?;
            let ballots = constituency.ballots.unwrap_or(0);
            let elected = u32::try_from(outcome.elected.len()).unwrap_or(u32::MAX);
            filled = filled.saturating_add(elected);
            let result = ConfirmedResult {
                elected,
                deputies: u32::try_from(outcome.deputies.len()).unwrap_or(u32::MAX),
                vacant: outcome.vacant,
                supplementary_due_on: (outcome.vacant > 0).then_some(due),
                tally_suppressed: !constituency.uncontested && ballots < policy.tally_threshold,
            };
            results.push((*municipality, result));
        }
        Ok(ElectionEvent::Confirmed { results, forum_seats_filled: filled })
    }
}
