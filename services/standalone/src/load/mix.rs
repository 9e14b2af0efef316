//! Mixes: which calls come, in which share. The shares are part of the figures' meaning and stand in
//! docs/measure.md.

use clap::ValueEnum;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::ideas::{PEOPLE, PROPOSALS};
use super::prepare::Stage;

/// Which calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mix {
    /// Voters who buy a token, look at the paper and cast, and three public reads for each.
    ElectionDay,
    /// Public reads: forums, seats, elections, units, proposals and what is found of them.
    Reading,
    /// One write to nine reads; half of the writes support proposals and compare ideas.
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
    ListProposals,
    SearchProposals,
    GetProposal(usize),
    GetTimeline(usize),
    GetRound,
    /// Somebody supports a proposal, or no longer does.
    GiveSupport {
        proposal: usize,
        person: usize,
    },
    WithdrawSupport {
        proposal: usize,
        person: usize,
    },
    /// A visitor answers the next pair; a new visitor comes if all others are being served.
    Compare,
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
            Mix::Mixed if is_one_in(&mut self.random, 20) => self.write(),
            Mix::Mixed if is_one_in(&mut self.random, 19) => self.take_part(),
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

    /// Of a hundred: 60 pairs compared, 25 proposals supported, 15 supports withdrawn.
    fn take_part(&mut self) -> Act {
        let proposal = self.random.random_range(0..PROPOSALS);
        let person = self.random.random_range(0..PEOPLE);
        match self.random.random_range(0..100) {
            0..60 => Act::Compare,
            60..85 => Act::GiveSupport { proposal, person },
            _ => Act::WithdrawSupport { proposal, person },
        }
    }

    /// Of a hundred: 30 one forum, 15 its seats, 10 lists of forums, 10 elections, 5 units, 10 lists of proposals, 8 one
    /// proposal, 5 its timeline, 5 searches, 2 comparisons.
    fn read(&mut self) -> Act {
        let forum = self.random.random_range(0..self.stage.forums.len().max(1));
        let proposal = self.random.random_range(0..PROPOSALS);
        match self.random.random_range(0..100) {
            0..30 => Act::GetForum(forum),
            30..45 => Act::ListSeats(forum),
            45..55 => Act::ListForums,
            55..65 if self.stage.election.is_some() => Act::GetElection,
            55..65 => Act::ListElections(forum),
            65..70 => Act::ListUnits,
            70..80 => Act::ListProposals,
            80..88 => Act::GetProposal(proposal),
            88..93 => Act::GetTimeline(proposal),
            93..98 => Act::SearchProposals,
            _ => Act::GetRound,
        }
    }
}
