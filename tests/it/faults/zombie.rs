//! Two copies of the services on one PostgreSQL: the leader freezes, the other takes over, the first comes back and still
//! thinks that it leads (TST-09).

use testkit::system::Store;
use tests::load::Load;
use tests::scene::{Scene, Stage};
use tests::verdict::{drained, judge};

use super::{SOME, tell};

#[tokio::test(flavor = "multi_thread")]
async fn tst_09_a_leader_that_freezes_and_comes_back_does_no_harm() -> anyhow::Result<()> {
    let (place, scene) = Scene::make(Store::Postgres, Stage::Voting).await?;
    let first = place.run(&scene.start()).await?;
    let second = place.run(&scene.start().second()).await?;
    let (one, two) = (place.server()?, place.second_server()?);
    let mut at_first = Load::start("one", &one, &scene);
    let nobody = Scene { election: String::new(), ..scene.clone() };
    let mut at_second = Load::start("two", &two, &nobody);
    at_first.more(SOME).await?;
    at_second.more(SOME).await?;

    // The first copy has come first and leads. It freezes in the middle of its work, perhaps of a transaction.
    first.freeze()?;
    at_second.more(SOME).await?;
    let mut done = at_second.stop().await?;
    // Everything arrives all the same: the leases have run out, and the second copy has taken them.
    drained(&two, &scene).await?;
    first.thaw()?;
    at_first.more(SOME).await?;
    done.add(at_first.stop().await?);
    drained(&one, &scene).await?;
    first.stop()?;
    second.stop()?;
    judge(&place, &scene, &done, &[]).await?;
    tell(&done.to_string());
    Ok(())
}
