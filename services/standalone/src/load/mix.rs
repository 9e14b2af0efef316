//! Mixes: which calls come, in which share. The shares are part of the figures' meaning and stand in
//! docs/measure.md.

use clap::ValueEnum;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::prepare::Stage;

/// Which calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mix {
    /// Voters who buy a token, look at the paper and cast, and three public reads for each.
    ElectionDay,
    /// Public reads: forums, seats, elections, units.
    Reading,
    /// One write to nine reads.
    Mixed,
    /// Writes only, in both services: forums, seat plans, units, participants.
    Writing,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    FoundForum,
    /// A plan for a forum that was founded before; a new forum if there is none without.
    ApproveSeatPlan,
    RegisterUnit,
    RegisterParticipant,
    GetForum(usize),
    ListForums,
    ListSeats(usize),
    ListElections(usize),
    ListUnits,
    GetElection,
    /// The next voter's way to the box: three calls.
    Vote(usize),
}

/// Draws acts, the same ones for the same seed.
pub(super) struct Draw<'a> {
    mix: Mix,
    random: ChaCha8Rng,
    stage: &'a Stage,
    voted: usize,
}

impl<'a> Draw<'a> {
    pub(super) fn new(mix: Mix, random: ChaCha8Rng, stage: &'a Stage) -> Self {
        Self { mix, random, stage, voted: 0 }
    }

    pub(super) fn next(&mut self) -> Act {
        let is_one_in = |random: &mut ChaCha8Rng, many: u32| random.random_range(0..many) == 0;
        match self.mix {
            Mix::Writing => self.write(),
            Mix::Mixed if is_one_in(&mut self.random, 10) => self.write(),
            Mix::ElectionDay if self.voted < self.stage.voters() && is_one_in(&mut self.random, 4) => {
                self.voted += 1;
                Act::Vote(self.voted - 1)
            }
            Mix::Reading | Mix::Mixed | Mix::ElectionDay => self.read(),
        }
    }

    /// Of a hundred: 40 forums, 20 seat plans, 20 units, 20 participants.
    fn write(&mut self) -> Act {
        match self.random.random_range(0..100) {
            0..40 => Act::FoundForum,
            40..60 => Act::ApproveSeatPlan,
            60..80 => Act::RegisterUnit,
            _ => Act::RegisterParticipant,
        }
    }

    /// Of a hundred: 40 one forum, 20 its seats, 15 lists of forums, 15 elections, 10 units.
    fn read(&mut self) -> Act {
        let forum = self.random.random_range(0..self.stage.forums.len().max(1));
        match self.random.random_range(0..100) {
            0..40 => Act::GetForum(forum),
            40..60 => Act::ListSeats(forum),
            60..75 => Act::ListForums,
            75..90 if self.stage.election.is_some() => Act::GetElection,
            75..90 => Act::ListElections(forum),
            _ => Act::ListUnits,
        }
    }
}
