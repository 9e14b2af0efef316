//! The days of an election.

use kernel::{Date, Fault};

/// First and last days of nominations and of voting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// First day of nominations.
    pub nomination_opens_on: Date,
    /// Last day of nominations.
    pub nomination_closes_on: Date,
    /// First day of voting.
    pub voting_opens_on: Date,
    /// Last day of voting.
    pub voting_closes_on: Date,
}

impl Schedule {
    /// Refuses days that are past or out of order: Invalid `forums.election_dates` with every day at fault.
    pub fn check(&self, today: Date) -> Result<(), Fault> {
        let Self { nomination_opens_on, nomination_closes_on, voting_opens_on, voting_closes_on } = *self;
        let rules = [
            ("nomination_opens_on", nomination_opens_on >= today, "nominations open today or later"),
            (
                "nomination_closes_on",
                nomination_closes_on >= nomination_opens_on,
                "nominations close on their first day or later",
            ),
            (
                "voting_opens_on",
                voting_opens_on > nomination_closes_on,
                "voting opens after nominations have closed",
            ),
            (
                "voting_closes_on",
                voting_closes_on >= voting_opens_on,
                "voting closes on its first day or later",
            ),
        ];
        let mut fault = Fault::invalid(
            "forums.election_dates",
            "The days of an election follow each other: nominations, then voting; see the fields.",
        );
        for (field, holds, rule) in rules {
            if !holds {
                fault = fault.field(field, rule, "send a later day");
            }
        }
        if fault.fields().is_empty() { Ok(()) } else { Err(fault) }
    }

    /// Whether candidates can be nominated on this day.
    pub fn is_nomination_day(&self, day: Date) -> bool {
        (self.nomination_opens_on..=self.nomination_closes_on).contains(&day)
    }

    /// Whether ballots can be cast on this day.
    pub fn is_voting_day(&self, day: Date) -> bool {
        (self.voting_opens_on..=self.voting_closes_on).contains(&day)
    }
}
