//! What a ballot may say (F4), and how it is written down before it is sealed.
//!
//! Written down, a ballot is one byte for the format and one bit for each candidate of the paper. All ballots of a
//! municipality have the same length and no choice has two spellings, so neither the length nor the bytes tell more
//! than the choice, and a blank ballot looks like any other once it is sealed.

use kernel::Fault;

/// Format of a written ballot.
const FORMAT: u8 = 1;

/// The ballot paper of a municipality: candidates 1 to `candidates`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BallotPaper {
    /// Seats, which is how many candidates may be approved at most.
    pub seats: u32,
    /// Candidates; they are numbered from 1 without gaps.
    pub candidates: u32,
}

/// A valid ballot: the approved numbers, ascending. Empty is blank.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ballot(Vec<u32>);

impl Ballot {
    /// The approved candidates' numbers.
    pub fn approvals(&self) -> &[u32] {
        &self.0
    }

    /// Whether nobody is approved; a blank ballot counts as cast.
    pub fn is_blank(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Ballot {
    /// Never shows the choice.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ballot")
    }
}

impl BallotPaper {
    /// Fills in the paper. The refusals never repeat the choice.
    ///
    /// Invalid `forums.too_many_approvals`, `forums.unknown_candidate_number` or `forums.approved_twice` (F4).
    pub fn fill_in(&self, approvals: &[u32]) -> Result<Ballot, Fault> {
        let Self { seats, candidates } = self;
        if u32::try_from(approvals.len()).map_or(true, |count| count > *seats) {
            let message =
                format!("approvals: at most {seats} candidates may be approved on this ballot (F4).");
            return Err(Fault::invalid("forums.too_many_approvals", message).field(
                "approvals",
                format!("at most {seats} candidates, as many as there are seats"),
                "approve fewer",
            ));
        }
        if approvals.iter().any(|number| !(1..=*candidates).contains(number)) {
            let message =
                format!("approvals: the candidates of this ballot paper are numbered 1 to {candidates}.");
            return Err(Fault::invalid("forums.unknown_candidate_number", message).field(
                "approvals",
                "every number is on the ballot paper",
                "send numbers of the paper only",
            ));
        }
        let mut numbers = approvals.to_vec();
        numbers.sort_unstable();
        if numbers.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Fault::invalid(
                "forums.approved_twice",
                "approvals: a candidate can be approved once on a ballot (F4).",
            )
            .field("approvals", "no number twice", "send each number once"));
        }
        Ok(Ballot(numbers))
    }

    /// Bytes of a written ballot.
    pub fn written_len(&self) -> usize {
        1 + usize::try_from(self.candidates).unwrap_or(usize::MAX).div_ceil(8)
    }

    /// Writes the ballot down.
    pub fn write(&self, ballot: &Ballot) -> Vec<u8> {
        let mut bytes = vec![0; self.written_len()];
        bytes[0] = FORMAT;
        for (byte, bit) in ballot.0.iter().filter_map(|number| place(*number)) {
            bytes[byte] |= bit;
        }
        bytes
    }

    /// Reads a written ballot; None if it is not one of this paper.
    pub fn read(&self, bytes: &[u8]) -> Option<Ballot> {
        if bytes.len() != self.written_len() || bytes.first() != Some(&FORMAT) {
            return None;
        }
        let approved = |number: &u32| place(*number).is_some_and(|(byte, bit)| bytes[byte] & bit != 0);
        let numbers: Vec<u32> = (1..=self.candidates).filter(approved).collect();
        // A bit beyond the last candidate would be a second spelling of the same choice.
        let ballot = self.fill_in(&numbers).ok()?;
        (self.write(&ballot) == bytes).then_some(ballot)
    }
}

/// Byte and bit of a candidate's number.
fn place(number: u32) -> Option<(usize, u8)> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    Some((1 + index / 8, 1 << (index % 8)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const II: BallotPaper = BallotPaper { seats: 8, candidates: 12 };

    #[test]
    fn f4_nine_approvals_for_eight_seats_are_refused() {
        let fault = II.fill_in(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap_err();
        assert_eq!(fault.code(), "forums.too_many_approvals");
        assert_eq!(fault.fields()[0].field, "approvals");
        assert!(II.fill_in(&[1, 2, 3, 4, 5, 6, 7, 8]).is_ok());
    }

    #[test]
    fn f4_the_same_candidate_twice_is_refused() {
        assert_eq!(II.fill_in(&[3, 3]).unwrap_err().code(), "forums.approved_twice");
    }

    #[test]
    fn f4_numbers_that_are_not_on_the_paper_are_refused() {
        for wrong in [0, 13, u32::MAX] {
            assert_eq!(II.fill_in(&[wrong]).unwrap_err().code(), "forums.unknown_candidate_number");
        }
    }

    #[test]
    fn f4_a_blank_ballot_is_valid_and_as_long_as_any_other() {
        let blank = II.fill_in(&[]).unwrap();
        assert!(blank.is_blank());
        let full = II.fill_in(&[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        assert_eq!(II.write(&blank).len(), II.write(&full).len());
        assert_eq!(II.read(&II.write(&blank)), Some(blank));
    }

    #[test]
    fn the_debug_form_does_not_tell_the_choice() {
        assert_eq!(format!("{:?}", II.fill_in(&[1]).unwrap()), "Ballot");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_the_order_of_approving_is_gone(
            candidates in 1_u32..60, seats in 1_u32..20, picks in proptest::collection::hash_set(1_u32..60, 0..20)
        ) {
            let paper = BallotPaper { seats, candidates };
            let one: Vec<u32> = picks.iter().copied().collect();
            let mut other = one.clone();
            other.reverse();
            match (paper.fill_in(&one), paper.fill_in(&other)) {
                (Ok(a), Ok(b)) => {
                    let written = paper.write(&a);
                    prop_assert_eq!(&written, &paper.write(&b));
                    prop_assert_eq!(written.len(), paper.written_len());
                    prop_assert_eq!(paper.read(&written), Some(a));
                }
                (a, b) => prop_assert!(a.is_err() && b.is_err()),
            }
        }

        #[test]
        fn no_choice_has_two_spellings(bytes in proptest::collection::vec(any::<u8>(), 0..4)) {
            if let Some(ballot) = II.read(&bytes) {
                prop_assert_eq!(II.write(&ballot), bytes);
            }
        }
    }
}
