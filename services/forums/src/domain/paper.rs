//! Paper ballots: counted by hand in batches, each batch entered by two officials who do not see each other's
//! figures. Equal figures count; different ones wait for a third official whose figures equal one of the two.

use std::collections::BTreeMap;

use kernel::{Fault, Subject};

use crate::domain::ballot::BallotPaper;

/// Most batches of an election.
pub const MAX_BATCHES: u64 = 200;
/// Most ballots of a batch.
const MAX_BALLOTS: u32 = 10_000;

/// The figures of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperFigures {
    /// Ballots, blank and invalid ones included.
    pub ballots: u32,
    /// Blank ballots.
    pub blank: u32,
    /// Invalid ballots.
    pub invalid: u32,
    /// Approvals by candidate number; every candidate of the paper is there.
    pub approvals: BTreeMap<u32, u32>,
}

impl PaperFigures {
    /// The figures of a batch counted on this ballot paper. Candidates that are not named have no approvals.
    ///
    /// Invalid `forums.paper_figures` with every field at fault: unknown or repeated candidates, more blank and
    /// invalid ballots than ballots, more approvals than the valid ballots can hold, or fewer than they must.
    pub fn new(
        paper: &BallotPaper,
        ballots: u32,
        blank: u32,
        invalid: u32,
        tallies: &[(u32, u32)],
    ) -> Result<Self, Fault> {
        let mut fault = Fault::invalid(
            "forums.paper_figures",
            "The figures of this batch do not add up; see the fields.",
        );
        let mut approvals: BTreeMap<u32, u32> = (1..=paper.candidates).map(|number| (number, 0)).collect();
        let valid = ballots.saturating_sub(blank.saturating_add(invalid));
        if !(1..=MAX_BALLOTS).contains(&ballots) {
            fault =
                fault.field("ballots", format!("a batch has 1 to {MAX_BALLOTS} ballots"), "split the batch");
        }
        if blank.saturating_add(invalid) > ballots {
            fault = fault.field(
                "blank",
                "blank and invalid ballots are at most all ballots",
                "count the batch again",
            );
        }
        let mut named = std::collections::BTreeSet::new();
        for (index, (number, count)) in tallies.iter().enumerate() {
            let field = format!("tallies[{index}]");
            match approvals.get_mut(number) {
                None => {
                    fault = fault.field(field, "the candidate is on the ballot paper", "correct the number")
                }
                Some(_) if !named.insert(*number) => {
                    fault =
                        fault.field(field, "a candidate is named once", "send one figure for each candidate");
                }
                Some(_) if *count > valid => {
                    let rule = format!(
                        "a candidate has at most as many approvals as there are valid ballots, {valid}"
                    );
                    fault = fault.field(field, rule, "count the batch again");
                }
                Some(approvals) => *approvals = *count,
            }
        }
        let sum: u64 = approvals.values().map(|count| u64::from(*count)).sum();
        let (least, most) = (u64::from(valid), u64::from(valid) * u64::from(paper.seats));
        if fault.fields().is_empty() && !(least..=most).contains(&sum) {
            let rule = format!(
                "{valid} valid ballots hold {least} to {most} approvals in all: one to {} each; the tallies hold {sum}",
                paper.seats
            );
            fault = fault.field("tallies", rule, "count the batch again");
        }
        if fault.fields().is_empty() { Ok(Self { ballots, blank, invalid, approvals }) } else { Err(fault) }
    }
}

/// One official's entry of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperEntry {
    /// The official.
    pub official: Subject,
    /// What they counted.
    pub figures: PaperFigures,
}

/// State of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchState {
    /// Entered once.
    EnteredOnce,
    /// Two entries are equal.
    Reconciled,
    /// The entries differ.
    Disputed,
}

/// Where the entries of a batch stand.
pub fn state_of(entries: &[PaperEntry]) -> BatchState {
    match entries {
        [_] => BatchState::EnteredOnce,
        _ if reconciled(entries).is_some() => BatchState::Reconciled,
        _ => BatchState::Disputed,
    }
}

/// The figures on which two entries agree.
pub fn reconciled(entries: &[PaperEntry]) -> Option<&PaperFigures> {
    let agrees = |(index, entry): (usize, &PaperEntry)| {
        entries[index + 1..]
            .iter()
            .any(|other| other.figures == entry.figures)
            .then_some(&entries[index].figures)
    };
    entries.iter().enumerate().find_map(agrees)
}

/// The own entry to take back: NotFound `forums.no_such_paper_entry` if this official has not entered the batch.
pub fn own_entry(entries: &[PaperEntry], official: Subject) -> Result<usize, Fault> {
    entries.iter().position(|entry| entry.official == official).ok_or_else(|| {
        Fault::not_found(
            "forums.no_such_paper_entry",
            "batch: you have not entered this batch. Each official takes back their own entry only; ListPaperBatches tells the labels.",
        )
    })
}

/// Whether this official may enter this batch: Conflict `forums.batch_reconciled` when two entries agree,
/// AlreadyExists `forums.batch_already_entered` for a second entry of the same official.
pub fn may_enter(entries: &[PaperEntry], official: Subject) -> Result<(), Fault> {
    if reconciled(entries).is_some() {
        return Err(Fault::conflict(
            "forums.batch_reconciled",
            "batch: two officials have entered equal figures for this batch; it is closed. Use another label for another batch; if the figures are wrong, those who entered them take them back with WithdrawPaperEntry.",
        ));
    }
    if entries.iter().any(|entry| entry.official == official) {
        return Err(Fault::already_exists(
            "forums.batch_already_entered",
            "batch: you have entered this batch. Another official must enter it, without seeing your figures. To correct yours take it back with WithdrawPaperEntry first.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;

    const PAPER: BallotPaper = BallotPaper { seats: 4, candidates: 6 };

    fn figures(last: u32) -> PaperFigures {
        PaperFigures::new(&PAPER, 3, 0, 0, &[(1, 3), (6, last)]).unwrap()
    }

    fn entry(official: u128, last: u32) -> PaperEntry {
        PaperEntry { official: Subject::from_uuid(Uuid::from_u128(official)), figures: figures(last) }
    }

    #[test]
    fn two_equal_entries_of_different_officials_reconcile() {
        assert_eq!(state_of(&[entry(1, 1)]), BatchState::EnteredOnce);
        assert_eq!(state_of(&[entry(1, 1), entry(2, 1)]), BatchState::Reconciled);
    }

    #[test]
    fn different_entries_wait_for_a_third_that_equals_one_of_them() {
        let disputed = [entry(1, 1), entry(2, 2)];
        assert_eq!(state_of(&disputed), BatchState::Disputed);
        assert_eq!(state_of(&[entry(1, 1), entry(2, 2), entry(3, 3)]), BatchState::Disputed);
        let settled = [entry(1, 1), entry(2, 2), entry(3, 2)];
        assert_eq!(reconciled(&settled), Some(&figures(2)));
    }

    #[test]
    fn an_official_enters_a_batch_once() {
        let entries = [entry(1, 1)];
        let again = may_enter(&entries, entries[0].official).unwrap_err();
        assert_eq!(again.code(), "forums.batch_already_entered");
        assert!(may_enter(&entries, entry(2, 1).official).is_ok());
        let closed = may_enter(&[entry(1, 1), entry(2, 1)], entry(3, 1).official).unwrap_err();
        assert_eq!(closed.code(), "forums.batch_reconciled");
    }

    #[test]
    fn figures_that_cannot_be_true_are_refused_with_their_field() {
        let refused = |ballots, blank, invalid, tallies: &[(u32, u32)]| {
            let fault = PaperFigures::new(&PAPER, ballots, blank, invalid, tallies).unwrap_err();
            assert_eq!(fault.code(), "forums.paper_figures");
            fault.fields()[0].field.clone()
        };
        assert_eq!(refused(0, 0, 0, &[]), "ballots");
        assert_eq!(refused(2, 2, 1, &[]), "blank");
        assert_eq!(refused(2, 0, 0, &[(7, 1)]), "tallies[0]");
        assert_eq!(refused(2, 0, 0, &[(1, 1), (1, 1)]), "tallies[1]");
        assert_eq!(refused(3, 1, 1, &[(1, 2)]), "tallies[0]");
        assert_eq!(refused(1, 0, 0, &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]), "tallies");
        assert_eq!(refused(2, 0, 0, &[(1, 1)]), "tallies", "a valid ballot that approves nobody is blank");
        assert!(PaperFigures::new(&PAPER, 2, 2, 0, &[]).is_ok());
    }
}
