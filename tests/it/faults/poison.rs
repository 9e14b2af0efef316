//! Events that cannot be taken (TST-08): parked with their thing, everything else flows, and what was parked for a fault
//! of ours is taken when that is mended.

use anyhow::Context;
use kernel::Ids;
use proto::membership::SetPolicyRequest;
use proto::messaging::RedriveParkedEventsRequest;
use sea_orm::ConnectionTrait as _;
use standalone::client::Account;
use testkit::eventually;
use testkit::system::Store;
use tests::load::insist;
use tests::operation;
use tests::scene::{Scene, Stage};
use tests::verdict::connect;

use super::{Harmed, SOME};

/// The value that the fault of ours cannot store.
const UNLUCKY: i64 = 999;

#[tokio::test(flavor = "multi_thread")]
async fn tst_08_poison_is_parked_with_its_thing_and_taken_when_the_fault_is_mended_sqlite()
-> anyhow::Result<()> {
    harm(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_08_poison_is_parked_with_its_thing_and_taken_when_the_fault_is_mended_postgres()
-> anyhow::Result<()> {
    harm(Store::Postgres).await
}

async fn harm(store: Store) -> anyhow::Result<()> {
    let (place, scene) = Scene::make(store, Stage::Voting).await?;
    operation::poison(&place, 3).await?;
    break_forums(&place).await?;
    let mut harmed = Harmed::start_in(place, scene).await?;
    let operator = harmed.server.resume(harmed.scene.administrator.clone());
    let set = async |key: &str, value: i64, day: &str| {
        let policy = SetPolicyRequest {
            tenant: "19".to_owned(),
            key: key.to_owned(),
            value: value.to_string(),
            valid_from: day.to_owned(),
        };
        let call = |who: Account, policy| async move { who.tenancy().set_policy(policy).await };
        insist(&operator, &Ids::system().uuid().to_string(), &policy, &call).await
    };
    set("tally_threshold", UNLUCKY, "2036-01-01").await?;
    set("tally_threshold", 21, "2036-01-02").await?;
    harmed.load.more(SOME).await?;

    // Three that nobody can take, two of which proposals reads too, one that a fault of ours cannot take, and what came
    // after it.
    let parked = async || operation::parked(&harmed.server, &harmed.scene).await;
    eventually(std::time::Duration::from_secs(30), async || {
        parked().await.is_ok_and(|events| events.len() >= 7)
    })
    .await;
    let events = parked().await?;
    let unlucky =
        events.iter().find(|(service, _)| *service == "forums").context("a policy is parked")?.1.clone();
    let things: Vec<&str> = events
        .iter()
        .filter(|(service, _)| *service == "membership")
        .map(|(_, event)| event.aggregate_id.as_str())
        .collect();
    assert_eq!(things, ["poison-1", "poison-2", "poison-3"], "each is parked, in its order");
    let foundings = events.iter().filter(|(service, _)| *service == "proposals").count();
    assert_eq!(foundings, 2, "proposals reads the founding of forums and nothing of elections");
    for (_, event) in &events {
        assert!(!event.error.is_empty() || event.seq > unlucky.seq, "an operator is told why: {event:?}");
    }

    mend_forums(&harmed.place).await?;
    let redrive = RedriveParkedEventsRequest {
        service: "forums".to_owned(),
        projection: unlucky.projection,
        lane: unlucky.lane,
        aggregate_id: unlucky.aggregate_id,
    };
    let redriven = operator.operator("forums").redrive_parked_events(redrive).await?.into_inner();
    assert!(redriven.projected >= 2, "the unlucky one and what waited behind it: {redriven:?}");
    assert_eq!(operation::dismiss_all(&harmed.server, &harmed.scene).await?, 3 + foundings);
    harmed.end().await
}

/// A fault of ours: forums cannot store one value.
async fn break_forums(place: &tests::place::Place) -> anyhow::Result<()> {
    let connection = connect(place, "forums").await?;
    let trigger = match place.store() {
        Store::Sqlite => format!(
            "CREATE TRIGGER fault BEFORE INSERT ON policy_value WHEN NEW.value = {UNLUCKY} \
             BEGIN SELECT RAISE(ABORT, 'a fault of ours'); END"
        ),
        Store::Postgres => {
            format!("ALTER TABLE policy_value ADD CONSTRAINT fault CHECK (value <> {UNLUCKY})")
        }
    };
    connection.execute_unprepared(&trigger).await?;
    Ok(connection.close().await?)
}

async fn mend_forums(place: &tests::place::Place) -> anyhow::Result<()> {
    let connection = connect(place, "forums").await?;
    let mended = match place.store() {
        Store::Sqlite => "DROP TRIGGER fault",
        Store::Postgres => "ALTER TABLE policy_value DROP CONSTRAINT fault",
    };
    connection.execute_unprepared(mended).await?;
    Ok(connection.close().await?)
}
