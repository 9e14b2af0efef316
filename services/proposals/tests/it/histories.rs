//! Random histories of support, following, merging, splitting and leaving: the kept counters are the rows, whatever
//! happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::FutureExt as _;
use kernel::{ActingMode, Ids, ProposalId, SettableClock, Subject, Uuid};
use messaging::{Clocks, Database, Writer, WriterSettings};
use proposals::store;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use testkit::postgres::Cluster;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{Store, day};

const PROPOSALS: u128 = 5;
const PEOPLE: u128 = 6;
/// Histories of a run, each one transaction.
const HISTORIES: u128 = 40;

/// Something that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Give(u128, u128),
    Withdraw(u128, u128),
    Follow(u128, u128),
    Unfollow(u128, u128),
    Merge(u128, u128),
    Split(u128, u128),
    Leave(u128),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pair = || (0..PROPOSALS, 0..PEOPLE);
    let two = || (0..PROPOSALS, 1..PROPOSALS).prop_map(|(one, by)| (one, (one + by) % PROPOSALS));
    let step = prop_oneof![
        5 => pair().prop_map(|(proposal, person)| Step::Give(proposal, person)),
        2 => pair().prop_map(|(proposal, person)| Step::Withdraw(proposal, person)),
        3 => pair().prop_map(|(proposal, person)| Step::Follow(proposal, person)),
        1 => pair().prop_map(|(proposal, person)| Step::Unfollow(proposal, person)),
        1 => two().prop_map(|(from, into)| Step::Merge(from, into)),
        1 => two().prop_map(|(from, into)| Step::Split(from, into)),
        1 => (0..PEOPLE).prop_map(Step::Leave),
    ];
    prop::collection::vec(step, 1..40)
}

/// Who stands where, as it must be.
#[derive(Default)]
struct Model {
    supports: BTreeMap<u128, BTreeSet<u128>>,
    follows: BTreeMap<u128, BTreeSet<u128>>,
}

impl Model {
    /// Does a step; for those of one person answers whether anything changed.
    fn go(&mut self, step: Step) -> Option<bool> {
        let joined = |map: &mut BTreeMap<u128, BTreeSet<u128>>, from, into, moved: bool| {
            let people = if moved { map.remove(&from) } else { map.get(&from).cloned() };
            map.entry(into).or_default().extend(people.unwrap_or_default());
        };
        match step {
            Step::Give(proposal, person) => Some(self.supports.entry(proposal).or_default().insert(person)),
            Step::Withdraw(proposal, person) => {
                Some(self.supports.entry(proposal).or_default().remove(&person))
            }
            Step::Follow(proposal, person) => Some(self.follows.entry(proposal).or_default().insert(person)),
            Step::Unfollow(proposal, person) => {
                Some(self.follows.entry(proposal).or_default().remove(&person))
            }
            Step::Merge(from, into) | Step::Split(from, into) => {
                let moved = matches!(step, Step::Merge(..));
                joined(&mut self.supports, from, into, moved);
                joined(&mut self.follows, from, into, moved);
                None
            }
            Step::Leave(person) => {
                for people in self.supports.values_mut().chain(self.follows.values_mut()) {
                    people.remove(&person);
                }
                None
            }
        }
    }
}

async fn go(tx: &messaging::Tx, history: u128, step: Step) -> Result<Option<bool>, kernel::Fault> {
    let conn = tx.conn();
    let today = day("2026-09-07");
    let answer = match step {
        Step::Give(proposal, person) => {
            let (proposal, person) = (proposal_of(history, proposal), person_of(history, person));
            Some(store::supports::give(conn, proposal, person, today, ActingMode::Alone).await?)
        }
        Step::Withdraw(proposal, person) => {
            let (proposal, person) = (proposal_of(history, proposal), person_of(history, person));
            Some(store::supports::withdraw(conn, proposal, person).await?)
        }
        Step::Follow(proposal, person) => {
            let (proposal, person) = (proposal_of(history, proposal), person_of(history, person));
            Some(store::follows::follow(conn, proposal, person, today).await?)
        }
        Step::Unfollow(proposal, person) => {
            let (proposal, person) = (proposal_of(history, proposal), person_of(history, person));
            Some(store::follows::unfollow(conn, proposal, person).await?)
        }
        Step::Merge(from, into) => {
            let (from, into) = (proposal_of(history, from), proposal_of(history, into));
            store::supports::carry_over(conn, from, into).await?;
            store::follows::carry_over(conn, from, into).await?;
            None
        }
        Step::Split(from, into) => {
            let (from, into) = (proposal_of(history, from), proposal_of(history, into));
            store::supports::copy(conn, from, into).await?;
            store::follows::copy(conn, from, into).await?;
            None
        }
        Step::Leave(person) => {
            store::supports::forget(conn, person_of(history, person)).await?;
            store::follows::forget(conn, person_of(history, person)).await?;
            None
        }
    };
    Ok(answer)
}

fn proposal_of(history: u128, number: u128) -> ProposalId {
    Uuid::from_u128(history * 1_000 + number).into()
}

fn person_of(history: u128, number: u128) -> Subject {
    Uuid::from_u128(history * 1_000 + 500 + number).into()
}

/// Everybody on a list, read in pages of two.
async fn read_all(
    page: impl AsyncFn(Option<Subject>) -> Result<Vec<Subject>, kernel::Fault>,
) -> Result<Vec<Subject>, kernel::Fault> {
    let mut all: Vec<Subject> = Vec::new();
    loop {
        let some = page(all.last().copied()).await?;
        if some.is_empty() {
            return Ok(all);
        }
        all.extend(some);
    }
}

async fn histories(kind: Store) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = match kind {
        Store::Sqlite => format!("sqlite://{}/proposals.sqlite", folder.path().display()),
        Store::Postgres => Cluster::shared().create_database().await?,
    };
    let database = Database::open(&url, "proposals", store::migrations).await?;
    let clock = Arc::new(SettableClock::stopped_at(kernel::deadline::start_of_day(day("2026-09-07"))));
    let clocks = Clocks { business: clock.clone(), real: clock };
    let settings = WriterSettings::for_kind(database.kind());
    let stop = CancellationToken::new();
    let writer = Writer::start(&database, clocks, Ids::system(), settings, &TaskTracker::new(), stop.clone());
    let mut runner = TestRunner::deterministic();
    for history in 1..=HISTORIES {
        let steps = steps().new_tree(&mut runner).map_err(anyhow::Error::msg)?.current();
        let mut model = Model::default();
        let done = writer.internal("story", (history, steps.clone()), |tx, (history, steps)| {
            async move {
                let mut answers = Vec::new();
                for step in steps {
                    answers.push(go(tx, *history, *step).await?);
                }
                Ok::<_, kernel::Fault>(answers)
            }
            .boxed()
        });
        let expected: Vec<Option<bool>> = steps.iter().map(|step| model.go(*step)).collect();
        assert_eq!(done.await?, expected, "{steps:?}");
        for number in 0..PROPOSALS {
            let (conn, proposal) = (database.read(), proposal_of(history, number));
            let supporters =
                read_all(async |after| store::supports::page(conn, proposal, after, 2).await).await?;
            let followers =
                read_all(async |after| store::follows::page(conn, proposal, after, 2).await).await?;
            let expected = |of: &BTreeMap<u128, BTreeSet<u128>>| -> Vec<Subject> {
                let people = of.get(&number).into_iter().flatten();
                people.map(|person| person_of(history, *person)).collect()
            };
            assert_eq!(supporters, expected(&model.supports), "{steps:?}");
            assert_eq!(followers, expected(&model.follows), "{steps:?}");
            let counts = store::counts::of(conn, proposal).await?;
            assert_eq!(counts.supports, supporters.len() as u64, "counters are rows: {steps:?}");
            assert_eq!(counts.followers, followers.len() as u64, "counters are rows: {steps:?}");
        }
    }
    stop.cancel();
    Ok(())
}

#[tokio::test]
async fn counters_are_rows_after_any_history() -> anyhow::Result<()> {
    histories(Store::Sqlite).await
}

#[tokio::test]
async fn counters_are_rows_after_any_history_on_postgresql() -> anyhow::Result<()> {
    histories(Store::Postgres).await
}
