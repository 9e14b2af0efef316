//! What each event makes of an election. Total: it cannot fail.

use kernel::MunicipalityCode;

use super::{Constituency, Election, ElectionEvent, Phase};

impl Election {
    /// The election after the event.
    #[must_use]
    pub fn apply(mut self, event: &ElectionEvent) -> Self {
        match event {
            ElectionEvent::Announced => self.phase = Phase::Announced,
            ElectionEvent::RollArrived { hash, counts } => {
                self.roll_hash = Some(*hash);
                for constituency in &mut self.constituencies {
                    // A municipality that the roll does not name has nobody on it.
                    let found =
                        counts.iter().find(|(municipality, _)| *municipality == constituency.municipality);
                    constituency.eligible = Some(found.map_or(0, |(_, count)| *count));
                }
            }
            ElectionEvent::NominationsClosed => self.close(),
            ElectionEvent::VotingOpened => self.phase = Phase::Voting,
            ElectionEvent::VotingClosed(ballots) => {
                self.phase = Phase::Counting;
                for (municipality, count) in ballots {
                    self.change(*municipality, |constituency| constituency.ballots = Some(*count));
                }
            }
            ElectionEvent::Counted(figures) => {
                for (municipality, figures) in figures {
                    self.change(*municipality, |constituency| {
                        constituency.ballots = Some(figures.ballots);
                        constituency.blank = figures.blank;
                        constituency.invalid = figures.invalid;
                        constituency.tie_seats_left = figures.tie_seats_left;
                    });
                }
                self.phase = self.phase_after_count();
            }
            ElectionEvent::Witnessed { municipality, number, witness } => {
                self.change(*municipality, |constituency| {
                    constituency.witness_number = Some(number.clone());
                    constituency.witness = Some(*witness);
                });
            }
            ElectionEvent::LotsDrawn(municipality) => {
                self.change(*municipality, |constituency| constituency.lots_drawn = true);
                self.phase = self.phase_after_count();
            }
            ElectionEvent::Confirmed { results, forum_seats_filled } => {
                for (municipality, result) in results {
                    self.change(*municipality, |constituency| constituency.confirmed = Some(*result));
                }
                self.forum_seats_filled = Some(*forum_seats_filled);
                self.phase = Phase::Confirmed;
            }
            ElectionEvent::Annulled => self.phase = Phase::Annulled,
        }
        self
    }

    /// The election after a candidate of the municipality accepted.
    #[must_use]
    pub fn with_one_candidate_more(mut self, municipality: MunicipalityCode) -> Self {
        self.change(municipality, |constituency| constituency.candidates += 1);
        self
    }

    /// The election after an accepted candidate of the municipality stepped back.
    #[must_use]
    pub fn with_one_candidate_less(mut self, municipality: MunicipalityCode) -> Self {
        self.change(municipality, |constituency| {
            constituency.candidates = constituency.candidates.saturating_sub(1);
        });
        self
    }

    /// Without a contested municipality there is nothing to vote on and nothing to count (F6).
    fn close(&mut self) {
        for constituency in &mut self.constituencies {
            constituency.uncontested = constituency.candidates <= constituency.seats;
        }
        let contested = self.contested().next().is_some();
        self.phase = if contested { Phase::NominationsClosed } else { Phase::Counted };
    }

    fn phase_after_count(&self) -> Phase {
        if self.constituencies.iter().any(Constituency::tie_open) { Phase::TieByLot } else { Phase::Counted }
    }

    fn change(&mut self, municipality: MunicipalityCode, change: impl FnOnce(&mut Constituency)) {
        if let Some(found) = self.constituencies.iter_mut().find(|one| one.municipality == municipality) {
            change(found);
        }
    }
}
