//! Paper ballots: one channel each, two officials, no figures shown.

use forums::app::PaperBatchEntry;
use kernel::ElectionId;
use proto::forums as pb;

use crate::support::texts;
use crate::world::{Store, World, municipality, small};

fn entry(election: ElectionId, batch: &str, ballots: u32, first: u32) -> PaperBatchEntry {
    PaperBatchEntry {
        election,
        municipality: municipality("889"),
        batch: batch.to_owned(),
        ballots,
        blank: 0,
        invalid: 0,
        tallies: vec![(1, first), (2, ballots - first)],
    }
}

#[tokio::test]
async fn paper_is_counted_when_two_officials_agree_and_all_of_it_is_there() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    let [online, on_paper @ ..] = &world.people[0][5..9] else { panic!("four people") };
    world.cast(online, election, &[3]).await.unwrap();
    for (count, person) in on_paper.iter().enumerate() {
        let call = world.officer(0);
        let handed = world.app.hand_paper_ballot(&call, election, person.subject, person.municipality).await;
        assert_eq!(handed.unwrap().handed, u32::try_from(count + 1).unwrap());
        let again = world.app.hand_paper_ballot(&call, election, person.subject, person.municipality).await;
        assert_eq!(again.unwrap().handed, u32::try_from(count + 1).unwrap(), "the same command again");
        let refused = world.cast(person, election, &[1]).await.unwrap_err();
        assert_eq!(refused.code(), "forums.already_voted", "there is no second channel");
    }
    let enter = async |official: usize, entry| {
        world.app.enter_paper_batch(&world.officer(official), entry).await.map(|answer| answer.state())
    };
    assert_eq!(enter(0, entry(election, "1", 2, 2)).await.unwrap(), pb::PaperBatchState::EnteredOnce);
    let same = enter(0, entry(election, "1", 2, 2)).await.unwrap_err();
    assert_eq!(same.code(), "forums.batch_already_entered");
    assert_eq!(enter(1, entry(election, "1", 2, 1)).await.unwrap(), pb::PaperBatchState::Disputed);
    let early = world.close_and_count(election).await.unwrap_err();
    assert_eq!(early.code(), "forums.batch_not_reconciled");
    assert_eq!(enter(2, entry(election, "1", 2, 1)).await.unwrap(), pb::PaperBatchState::Reconciled);
    let incomplete = world.count(election).await.unwrap_err();
    assert_eq!(incomplete.code(), "forums.paper_mismatch");
    assert!(incomplete.message().contains('2') && incomplete.message().contains('3'), "{incomplete}");
    assert_eq!(enter(0, entry(election, "2", 1, 1)).await.unwrap(), pb::PaperBatchState::EnteredOnce);
    assert_eq!(enter(1, entry(election, "2", 1, 1)).await.unwrap(), pb::PaperBatchState::Reconciled);
    let closed = enter(2, entry(election, "2", 1, 1)).await.unwrap_err();
    assert_eq!(closed.code(), "forums.batch_reconciled");
    let batches = world.app.list_paper_batches(&world.officer(2), election).await.unwrap().batches;
    assert_eq!(batches.len(), 2);

    world.count(election).await.unwrap();
    let lines = texts(
        &world.database,
        "SELECT CAST(number AS text) || ':' || CAST(approvals AS text) FROM tally_line ORDER BY number",
    );
    assert_eq!(lines.await, ["1:2", "2:1", "3:1"]);
}

#[tokio::test]
async fn one_wrong_paper_batch_does_not_make_an_election_uncountable() {
    let world = World::new(Store::Sqlite, small()).await;
    let election = world.open_small().await;
    let voter = &world.people[0][5];
    let call = world.officer(0);
    world.app.hand_paper_ballot(&call, election, voter.subject, voter.municipality).await.unwrap();
    let enter = async |official: usize, batch: &str, ballots| {
        let entry = entry(election, batch, ballots, 1);
        world.app.enter_paper_batch(&world.officer(official), entry).await.map(|answer| answer.state())
    };
    let withdraw = async |official: usize, batch: &str| {
        let call = world.officer(official);
        let batch = batch.to_owned();
        let answer = world.app.withdraw_paper_entry(&call, election, municipality("889"), batch).await;
        answer.map(|answer| answer.state())
    };
    // Both officials count one ballot as two.
    enter(0, "1", 2).await.unwrap();
    assert_eq!(enter(1, "1", 2).await.unwrap(), pb::PaperBatchState::Reconciled);
    let stuck = world.close_and_count(election).await.unwrap_err();
    assert_eq!(stuck.code(), "forums.paper_mismatch");
    assert!(stuck.message().contains("WithdrawPaperEntry"), "{stuck}");

    // Each takes back the own entry, nobody another's.
    assert_eq!(withdraw(2, "1").await.unwrap_err().code(), "forums.no_such_paper_entry");
    assert_eq!(withdraw(0, "2").await.unwrap_err().code(), "forums.no_such_paper_entry");
    assert_eq!(withdraw(0, "1").await.unwrap(), pb::PaperBatchState::EnteredOnce);
    assert_eq!(withdraw(0, "1").await.unwrap_err().code(), "forums.no_such_paper_entry");
    assert_eq!(withdraw(1, "1").await.unwrap(), pb::PaperBatchState::Unspecified);
    enter(0, "1", 1).await.unwrap();
    assert_eq!(enter(1, "1", 1).await.unwrap(), pb::PaperBatchState::Reconciled);
    world.count(election).await.unwrap();
    assert_eq!(withdraw(0, "1").await.unwrap_err().code(), "forums.wrong_step");
}
