//! The network is cut, in both directions and in one, and slow; and one of three nats-servers is gone (TST-10).
//!
//! The cuts need a network of their own, which only some users may have: the test starts itself again in one
//! (`unshare --net`). There all processes talk over the loopback interface, and routing rules drop what goes to or comes
//! from the port of nats-server.

use std::process::Command;

use anyhow::Context;
use testkit::nats::Trio;
use testkit::not_run;
use testkit::postgres::URL_VARIABLE;
use testkit::system::Store;
use tests::place::Place;
use tests::scene::{Scene, Stage};

use super::{Harmed, SOME, tell};

/// Set in the process that has a network of its own.
const INSIDE: &str = "FAULTS_INSIDE_OWN_NETWORK";
/// What the names of the tests that start themselves again begin with.
const TESTS: &str = "faults::network::tst_10_a_network_cut_in_both_directions_and_in_one_loses_nothing";

#[tokio::test(flavor = "multi_thread")]
async fn tst_10_a_network_cut_in_both_directions_and_in_one_loses_nothing_sqlite() -> anyhow::Result<()> {
    inside(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_10_a_network_cut_in_both_directions_and_in_one_loses_nothing_postgres() -> anyhow::Result<()> {
    inside(Store::Postgres).await
}

/// Starts the test of this database again in a network of its own; there, does it.
async fn inside(store: Store) -> anyhow::Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return cut(store).await;
    }
    let name = match store {
        Store::Sqlite => format!("{TESTS}_sqlite"),
        Store::Postgres => format!("{TESTS}_postgres"),
    };
    let own_network = Command::new("unshare").args(["--net", "true"]).output();
    if !own_network.is_ok_and(|output| output.status.success()) {
        not_run(&name, "this user may not make a network of their own (unshare --net)");
        return Ok(());
    }
    let mut command = Command::new("unshare");
    command.arg("--net").arg(std::env::current_exe()?).args([&name, "--exact", "--nocapture"]);
    // The PostgreSQL that others share is in the other network.
    command.env(INSIDE, "yes").env_remove(URL_VARIABLE);
    let output = tokio::process::Command::from(command).kill_on_drop(true).output().await?;
    let (said, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    tell(&format!("{said}{why}"));
    anyhow::ensure!(output.status.success(), "it failed in a network of its own");
    // Under another name it would not be found there, and nothing would fail.
    anyhow::ensure!(said.contains("test result: ok. 1 passed"), "no test called {name} ran there");
    Ok(())
}

async fn cut(store: Store) -> anyhow::Result<()> {
    ip("link set lo up")?;
    // Our rules come before the one for what is local.
    ip("rule add pref 100 lookup local")?;
    ip("rule del pref 0")?;
    let mut harmed = Harmed::start(store).await?;
    let url = harmed.place.nats.url();
    let port = url.rsplit(':').next().context("a port")?;
    for cut in [vec!["dport", "sport"], vec!["dport"], vec!["sport"]] {
        for direction in &cut {
            ip(&format!("rule add pref 10 ipproto tcp {direction} {port} blackhole"))?;
        }
        harmed.until_out().await?;
        for _ in &cut {
            ip("rule del pref 10")?;
        }
        harmed.load.more(SOME).await?;
    }
    let slow = "qdisc add dev lo root netem delay 200ms 100ms loss 5%";
    let output = Command::new("tc").args(slow.split(' ')).output();
    if output.is_ok_and(|output| output.status.success()) {
        harmed.load.more(SOME).await?;
        let counted = Command::new("tc").args(["-s", "qdisc", "show", "dev", "lo"]).output()?;
        let counted = String::from_utf8_lossy(&counted.stdout).into_owned();
        anyhow::ensure!(!counted.contains("(dropped 0,"), "no packet was lost: {counted}");
        anyhow::ensure!(Command::new("tc").args("qdisc del dev lo root".split(' ')).status()?.success());
    } else {
        not_run("TST-10, delay and loss", "this kernel has no netem (tc qdisc)");
    }
    harmed.end().await
}

fn ip(what: &str) -> anyhow::Result<()> {
    let output = Command::new("ip").args(what.split(' ')).output().context("run ip")?;
    anyhow::ensure!(output.status.success(), "ip {what}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_10_of_three_servers_each_leader_in_turn_is_killed_and_comes_back_sqlite() -> anyhow::Result<()> {
    three(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tst_10_of_three_servers_each_leader_in_turn_is_killed_and_comes_back_postgres() -> anyhow::Result<()>
{
    three(Store::Postgres).await
}

async fn three(store: Store) -> anyhow::Result<()> {
    let mut trio = Trio::start()?;
    let mut place = Place::new(store).await?;
    place.settings.insert("nats.url".to_owned(), format!("{:?}", trio.url()));
    place.settings.insert("nats.replicas".to_owned(), "3".to_owned());
    let scene = Scene::make_in(&place, Stage::Voting).await?;
    let mut harmed = Harmed::start_in(place, scene).await?;
    for stream in ["EVT_FORUMS", "EVT_MEMBERSHIP", "EVT_FORUMS"] {
        let before = leader(&trio.url(), stream).await?;
        trio.named(&before)?.kill();
        harmed.load.more(SOME * 2).await?;
        let now = leader(&trio.url(), stream).await?;
        anyhow::ensure!(now != before, "{before} leads {stream} though it is dead");
        trio.named(&before)?.restart()?;
        harmed.load.more(SOME).await?;
    }
    harmed.end().await
}

/// The server that leads a stream.
async fn leader(url: &str, stream: &str) -> anyhow::Result<String> {
    let servers: Vec<&str> = url.split(',').collect();
    let context = async_nats::jetstream::new(async_nats::connect(servers).await?);
    let asked = async {
        loop {
            // While a leader is elected nobody answers.
            if let Ok(mut stream) = context.get_stream(stream).await
                && let Ok(info) = stream.info().await
                && let Some(leader) = info.cluster.as_ref().and_then(|cluster| cluster.leader.clone())
            {
                return leader;
            }
        }
    };
    Ok(tokio::time::timeout(std::time::Duration::from_secs(60), asked).await?)
}
