//! TST-01: an election beside a plain reading of its rules. Whatever is tried in whatever order and on whatever day,
//! both say the same, nothing is done twice, and the events fold to the state.

use proptest::prelude::*;

use super::*;

/// What may be tried.
#[derive(Debug, Clone, Copy)]
enum Act {
    TakeRoll,
    CloseNominations,
    OpenVoting,
    CloseVoting,
    /// With a tie at the last seat of the first contested municipality or without.
    Count {
        tied: bool,
    },
    Witness,
    DrawLots,
    Confirm,
    Annul,
}

/// One try.
#[derive(Debug, Clone, Copy)]
enum Try {
    /// What the rules ask for next, on a day for it: so that tries get far.
    Right { tied: bool },
    /// Anything, on any day.
    Any(Act, usize),
}

/// Days on both sides of every edge of the schedule.
const DAYS: [&str; 8] = [
    "2026-03-02",
    "2026-03-20",
    "2026-03-21",
    "2026-04-12",
    "2026-04-13",
    "2026-04-17",
    "2026-04-18",
    "2026-04-20",
];

/// The rules in plain words; days as text, which sorts as days do.
struct Model {
    phase: Phase,
    has_roll: bool,
    is_witnessed: bool,
    is_contested: bool,
}

impl Model {
    fn allows(&self, act: Act, day: &str) -> bool {
        match act {
            Act::TakeRoll => {
                !self.has_roll && matches!(self.phase, Phase::Announced | Phase::NominationsClosed)
            }
            Act::CloseNominations => self.phase == Phase::Announced && day > "2026-03-20",
            Act::OpenVoting => {
                self.phase == Phase::NominationsClosed
                    && self.has_roll
                    && ("2026-04-13"..="2026-04-17").contains(&day)
            }
            Act::CloseVoting => self.phase == Phase::Voting && day > "2026-04-17",
            Act::Count { .. } => self.phase == Phase::Counting,
            Act::Witness => self.phase == Phase::TieByLot && !self.is_witnessed,
            Act::DrawLots => self.phase == Phase::TieByLot && self.is_witnessed,
            Act::Confirm => self.phase == Phase::Counted,
            Act::Annul => !matches!(self.phase, Phase::Confirmed | Phase::Annulled),
        }
    }

    fn follow(&mut self, act: Act) {
        match act {
            Act::TakeRoll => self.has_roll = true,
            Act::CloseNominations if self.is_contested => self.phase = Phase::NominationsClosed,
            Act::CloseNominations => self.phase = Phase::Counted,
            Act::OpenVoting => self.phase = Phase::Voting,
            Act::CloseVoting => self.phase = Phase::Counting,
            Act::Count { tied: true } => self.phase = Phase::TieByLot,
            Act::Count { tied: false } | Act::DrawLots => self.phase = Phase::Counted,
            Act::Witness => self.is_witnessed = true,
            Act::Confirm => self.phase = Phase::Confirmed,
            Act::Annul => self.phase = Phase::Annulled,
        }
    }

    /// What comes next, and a day for it.
    fn right(&self, tied: bool) -> (Act, &'static str) {
        match self.phase {
            Phase::Announced if !self.has_roll => (Act::TakeRoll, "2026-03-02"),
            Phase::NominationsClosed if !self.has_roll => (Act::TakeRoll, "2026-03-21"),
            Phase::Announced => (Act::CloseNominations, "2026-03-21"),
            Phase::NominationsClosed => (Act::OpenVoting, "2026-04-13"),
            Phase::Voting => (Act::CloseVoting, "2026-04-18"),
            Phase::Counting => (Act::Count { tied }, "2026-04-20"),
            Phase::TieByLot if !self.is_witnessed => (Act::Witness, "2026-04-20"),
            Phase::TieByLot => (Act::DrawLots, "2026-04-20"),
            Phase::Counted | Phase::Confirmed | Phase::Annulled => (Act::Confirm, "2026-04-20"),
        }
    }
}

/// What the election itself says; none if it refuses.
fn decide(election: &Election, act: Act, day: Date) -> Option<ElectionEvent> {
    let contested = || election.contested().next().map_or(code("139"), |one| one.municipality);
    match act {
        Act::TakeRoll => {
            let counts = election.constituencies.iter().map(|one| (one.municipality, 46)).collect();
            election.take_roll([1; 32], counts)
        }
        Act::CloseNominations => election.close_nominations(day).ok(),
        Act::OpenVoting => election.open_voting(day).ok(),
        Act::CloseVoting => {
            let ballots = election.contested().map(|one| (one.municipality, 20)).collect();
            election.close_voting(day, ballots).ok()
        }
        Act::Count { tied } => {
            let first = contested();
            let boxes = election.contested().map(|one| {
                // All alike tie at the last seat; a falling row does not.
                let alike = tied && one.municipality == first;
                let approvals: Vec<u32> =
                    (0..one.candidates).map(|place| if alike { 5 } else { 20 - place }).collect();
                input(one.municipality.as_str(), 20, &approvals)
            });
            election.count(&boxes.collect::<Vec<_>>()).ok()
        }
        Act::Witness => {
            let number = WitnessNumber::new("4163").unwrap();
            election.witness(contested(), number, witness()).ok()
        }
        Act::DrawLots => election.draw_lots(contested()).ok(),
        Act::Confirm => {
            let policy = ConfirmationPolicy { supplementary_days: 60, tally_threshold: 20 };
            election.confirm(&[], policy, 0, day).ok()
        }
        Act::Annul => election.annul("The roll was wrong.").ok(),
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::TakeRoll),
        Just(Act::CloseNominations),
        Just(Act::OpenVoting),
        Just(Act::CloseVoting),
        any::<bool>().prop_map(|tied| Act::Count { tied }),
        Just(Act::Witness),
        Just(Act::DrawLots),
        Just(Act::Confirm),
        Just(Act::Annul),
    ]
}

fn one_try() -> impl Strategy<Value = Try> {
    // An annulment ends everything, so that chance is kept small by the larger share of right acts.
    prop_oneof![
        3 => any::<bool>().prop_map(|tied| Try::Right { tied }),
        1 => (act(), 0..DAYS.len()).prop_map(|(act, day)| Try::Any(act, day)),
    ]
}

proptest! {
    #[test]
    fn tst_01_an_election_goes_by_its_rules_and_its_events_fold_to_its_state(
        candidates in [0u32..13, 0u32..7, 0u32..7],
        tries in proptest::collection::vec(one_try(), 0..30),
    ) {
        let start = with_candidates(candidates);
        let is_contested = candidates.iter().zip([8, 4, 4]).any(|(candidates, seats)| *candidates > seats);
        let mut model =
            Model { phase: Phase::Announced, has_roll: false, is_witnessed: false, is_contested };
        let (mut election, mut events) = (start.clone(), Vec::new());
        for one in tries {
            let (act, date) = match one {
                Try::Right { tied } => model.right(tied),
                Try::Any(act, date) => (act, DAYS[date]),
            };
            let decided = decide(&election, act, day(date));
            prop_assert_eq!(decided.is_some(), model.allows(act, date), "{:?} on {} in {:?}", act, date, model.phase);
            let Some(event) = decided else { continue };
            election = election.apply(&event);
            model.follow(act);
            prop_assert_eq!(election.phase, model.phase, "after {:?}", act);
            prop_assert!(decide(&election, act, day(date)).is_none(), "{:?} is done twice", act);
            events.push(event);
        }
        prop_assert_eq!(events.iter().fold(start, Election::apply), election);
    }
}
