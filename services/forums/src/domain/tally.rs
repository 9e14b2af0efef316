//! Who is elected (F5, F6).
//!
//! The order of the candidates is: most approvals first, and among equals the lowest lot first (see
//! [`crate::domain::lots`]). The first take the seats, the others are deputies in the same order. That is the whole
//! rule, and it holds for every tie.
//!
//! Only a tie *at the last seat* decides who is elected; such a tie waits for the witness. Deputies with equal
//! approvals are put in order by the same lots and the same witness number; where there was no tie at the last seat
//! nobody had to witness, and the number is empty. Members with equal approvals who are all elected need no order.

use std::collections::BTreeMap;

use crate::domain::ballot::Ballot;
use crate::domain::lots::Draw;
use crate::domain::paper::PaperFigures;
use crate::domain::seat::SeatOrigin;

/// The counted ballots of a municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Ballots cast, paper, blank and invalid ones included.
    pub ballots: u32,
    /// Blank ballots.
    pub blank: u32,
    /// Invalid ballots; only paper can be invalid.
    pub invalid: u32,
    /// Approvals by candidate number; every candidate is there.
    pub approvals: BTreeMap<u32, u32>,
}

impl Tally {
    /// Nothing counted yet, for candidates 1 to `candidates`.
    pub fn empty(candidates: u32) -> Self {
        Self {
            ballots: 0,
            blank: 0,
            invalid: 0,
            approvals: (1..=candidates).map(|number| (number, 0)).collect(),
        }
    }

    /// Adds an opened ballot.
    pub fn add_ballot(&mut self, ballot: &Ballot) {
        self.ballots += 1;
        self.blank += u32::from(ballot.is_blank());
        for number in ballot.approvals() {
            *self.approvals.entry(*number).or_default() += 1;
        }
    }

    /// Adds a reconciled batch of paper ballots.
    pub fn add_paper(&mut self, batch: &PaperFigures) {
        self.ballots += batch.ballots;
        self.blank += batch.blank;
        self.invalid += batch.invalid;
        for (number, approvals) in &batch.approvals {
            *self.approvals.entry(*number).or_default() += approvals;
        }
    }

    /// The tie at the last seat, if there is one.
    pub fn tie(&self, seats: u32) -> Option<Tie> {
        let mut counts: Vec<u32> = self.approvals.values().copied().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let last_seat = usize::try_from(seats).ok()?.checked_sub(1)?;
        let (last_in, first_out) = (*counts.get(last_seat)?, *counts.get(last_seat + 1)?);
        if last_in != first_out {
            return None;
        }
        let tied = self.approvals.iter().filter(|(_, count)| **count == last_in).map(|(number, _)| *number);
        let ahead = counts.iter().filter(|count| **count > last_in).count();
        let seats_left = seats - u32::try_from(ahead).unwrap_or(seats);
        Some(Tie { numbers: tied.collect(), seats_left })
    }

    /// Whether the lots are needed for the order of the deputies only: some of them have equal approvals, and no tie
    /// at the last seat.
    pub fn deputies_need_lots(&self, seats: u32) -> bool {
        let seats = usize::try_from(seats).unwrap_or(usize::MAX);
        let mut counts: Vec<u32> = self.approvals.values().copied().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.iter().skip(seats).collect::<Vec<_>>().windows(2).any(|pair| pair[0] == pair[1])
    }

    /// The result of a contested municipality.
    pub fn outcome(&self, seats: u32, draw: &Draw<'_>) -> Outcome {
        let tie = self.tie(seats);
        let mut order: Vec<u32> = self.approvals.keys().copied().collect();
        order.sort_by_cached_key(|number| (std::cmp::Reverse(self.approvals[number]), draw.lot(*number)));
        let cut = usize::try_from(seats).unwrap_or(usize::MAX).min(order.len());
        let deputies = order.split_off(cut);
        let origin = |number: &u32| match &tie {
            Some(tie) if tie.numbers.contains(number) => SeatOrigin::Lots,
            _ => SeatOrigin::Vote,
        };
        let elected =
            order.iter().map(|number| Elected { number: *number, origin: origin(number) }).collect();
        Outcome::new(seats, elected, deputies)
    }
}

/// A tie at the last seat: these candidates have equal approvals, and there are fewer seats left than candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// Numbers of the tied candidates, ascending.
    pub numbers: Vec<u32>,
    /// Seats left for them.
    pub seats_left: u32,
}

impl Tie {
    /// The tied in the order drawn: the first take the seats left.
    pub fn order(&self, draw: &Draw<'_>) -> Vec<u32> {
        let mut order = self.numbers.clone();
        order.sort_by_cached_key(|number| draw.lot(*number));
        order
    }
}

/// An elected candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elected {
    /// Number on the ballot paper.
    pub number: u32,
    /// How the seat was won.
    pub origin: SeatOrigin,
}

/// The result of a municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Who is elected, by number on the ballot paper. Numbers are drawn by lot, so the order of seats does not tell
    /// who had more approvals (F7).
    pub elected: Vec<Elected>,
    /// Numbers of the deputies, in order.
    pub deputies: Vec<u32>,
    /// Seats left empty.
    pub vacant: u32,
}

impl Outcome {
    fn new(seats: u32, mut elected: Vec<Elected>, deputies: Vec<u32>) -> Self {
        elected.sort_by_key(|one| one.number);
        let filled = u32::try_from(elected.len()).unwrap_or(u32::MAX);
        Self { elected, deputies, vacant: seats.saturating_sub(filled) }
    }

    /// The result where there are no more candidates than seats: all are elected without voting (F6).
    pub fn uncontested(seats: u32, candidates: u32) -> Self {
        let elected = |number| Elected { number, origin: SeatOrigin::Uncontested };
        Self::new(seats, (1..=candidates).map(elected).collect(), Vec::new())
    }

    /// The result without those who cannot take a seat any more (they left, or hold one): deputies move up in order.
    #[must_use]
    pub fn without(self, gone: impl Fn(u32) -> bool) -> Self {
        let seats = u32::try_from(self.elected.len()).unwrap_or(u32::MAX).saturating_add(self.vacant);
        let mut elected: Vec<Elected> = self.elected.into_iter().filter(|one| !gone(one.number)).collect();
        let mut deputies = self.deputies.into_iter().filter(|number| !gone(*number));
        while u32::try_from(elected.len()).is_ok_and(|filled| filled < seats) {
            let Some(number) = deputies.next() else { break };
            elected.push(Elected { number, origin: SeatOrigin::Deputy });
        }
        Self::new(seats, elected, deputies.collect())
    }
}

#[cfg(test)]
mod tests;
