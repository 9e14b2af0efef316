//! Two copies of the services on one PostgreSQL: the leader freezes, the other takes over, the first comes back and still
//! thinks that it leads (TST-09).

use std::collections::BTreeMap;

use standalone::services::SERVICES;
use testkit::eventually;
use testkit::system::Store;
use tests::load::Load;
use tests::place::Place;
use tests::scene::{Scene, Stage};
use tests::verdict::{connect, drained, judge, texts};

use super::{PATIENCE, SOME, tell};

/// Who leads what: service and name of the lease to owner and term.
type Leaders = BTreeMap<String, (String, u64)>;

#[tokio::test(flavor = "multi_thread")]
async fn tst_09_a_leader_that_freezes_and_comes_back_does_no_harm() -> anyhow::Result<()> {
    let (place, scene) = Scene::make(Store::Postgres, Stage::Voting).await?;
    let before = leaders(&place).await?;
    let first = place.run(&scene.start()).await?;
    let mut at_first = Load::start("one", &place.server()?, &scene);
    at_first.more(SOME).await?;
    let led = until(&place, |leaders| is_taken_over(&before, leaders)).await?;
    let second = place.run(&scene.start().second()).await?;
    let (one, two) = (place.server()?, place.second_server()?);
    let nobody = Scene { election: String::new(), ..scene.clone() };
    let mut at_second = Load::start("two", &two, &nobody);
    at_second.more(SOME).await?;
    at_first.more(SOME).await?;
    anyhow::ensure!(leaders(&place).await? == led, "the second copy leads what the first had taken");

    // It freezes in the middle of its work, perhaps of a transaction.
    first.freeze()?;
    at_second.more(SOME).await?;
    let mut done = at_second.stop().await?;
    // Everything arrives all the same: the leases have run out, and the second copy has taken them.
    drained(&two, &scene).await?;
    let taken = until(&place, |leaders| is_taken_over(&led, leaders)).await?;
    first.thaw()?;
    at_first.more(SOME).await?;
    done.add(at_first.stop().await?);
    drained(&one, &scene).await?;
    anyhow::ensure!(leaders(&place).await? == taken, "the first copy leads again, though nobody has stopped");
    first.stop()?;
    second.stop()?;
    judge(&place, &scene, &done, &[]).await?;
    tell(&format!("{done}; {} leases taken over", taken.len()));
    Ok(())
}

async fn leaders(place: &Place) -> anyhow::Result<Leaders> {
    let mut all = Leaders::new();
    for service in SERVICES {
        let connection = connect(place, service.name).await?;
        for row in texts(&connection, "SELECT name || '|' || owner || '|' || term FROM lease").await? {
            let mut parts = row.split('|').map(str::to_owned);
            let [Some(name), Some(owner), Some(term)] = [parts.next(), parts.next(), parts.next()] else {
                anyhow::bail!("a lease: {row}");
            };
            all.insert(format!("{} {name}", service.name), (owner, term.parse()?));
        }
        connection.close().await?;
    }
    Ok(all)
}

/// Whether each of these leases has another owner now, and a higher term.
fn is_taken_over(before: &Leaders, now: &Leaders) -> bool {
    !before.is_empty()
        && before.iter().all(|(name, (owner, term))| {
            now.get(name).is_some_and(|(new_owner, new_term)| new_owner != owner && new_term > term)
        })
}

/// Waits until it is so with the leaders.
async fn until(place: &Place, is_so: impl Fn(&Leaders) -> bool) -> anyhow::Result<Leaders> {
    eventually(PATIENCE, async || leaders(place).await.is_ok_and(|leaders| is_so(&leaders))).await;
    leaders(place).await
}
