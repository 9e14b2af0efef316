//! Services in processes of their own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use standalone::client::Server;
use standalone::demo::{Contest, Play, Progress};
use testkit::nats;
use testkit::system::Store;

use crate::support::world;

/// A process of the program; ended when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `osallisuus serve <service>` and waits for the line that says where it listens.
fn serve(service: &str, settings: &Path) -> (Process, String) {
    let mut child = Command::new(program())
        .args(["serve", service, "--output", "json", "--config"])
        .arg(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let output = child.stdout.take().expect("its output");
    let process = Process(child);
    let line = BufReader::new(output).lines().next().expect("a line").expect("text");
    let ready: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(ready["ready"], true, "{line}");
    (process, ready["grpc"].as_str().expect("an address").to_owned())
}

/// The program, beside this test in the target folder.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let folder = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    let program = folder.join("osallisuus");
    assert!(program.is_file(), "{} is missing: cargo build --workspace", program.display());
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn services_in_processes_of_their_own_work_together() {
    let folder = tempfile::Builder::new().prefix("osallisuus-processes-").tempdir().expect("a folder");
    let nats = nats::Server::start().expect("a nats-server");
    let databases = world::new_databases(Store::Sqlite, folder.path()).await;
    let counties = ["19", "21"];
    let settings = world::settings(folder.path(), &nats.url(), &counties, &databases, &[]);
    let setup_code = world::set_up(&settings).await;
    let (_membership, membership) = serve("membership", &settings);
    // Another process is another folder for files of its own; secrets and databases are shared by name.
    let own = folder.path().join("forums");
    std::fs::create_dir(&own).expect("a folder");
    let secrets = folder.path().join("secrets");
    let more =
        [("services.membership.address", format!("{membership:?}")), ("secrets.dir", format!("{secrets:?}"))];
    let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let settings = world::settings(&own, &nats.url(), &counties, &databases, &more);
    let (_forums, forums) = serve("forums", &settings);

    let server =
        Server::at(&membership).and_then(|server| server.with_service("forums", &forums)).expect("addresses");
    let mut play = Play::begin(server, &setup_code, Progress::silent()).await.expect("an administrator");
    play.register().await.expect("membership works");
    play.found().await.expect("forums works, and membership has heard of the forum");
    // The announcement goes from forums to membership, the frozen roll back.
    let contest = play.announce(Contest::first()).await.expect("the roll has come");
    let request = proto::forums::GetElectionRequest { election_id: contest.election_id };
    let election =
        play.server.public().elections().get_election(request).await.expect("the election").into_inner();
    let constituencies = election.election.expect("the election").constituencies;
    let eligible: u32 = constituencies.iter().map(|constituency| constituency.eligible).sum();
    assert_eq!(eligible, 46 + 41 + 13 + 15 + 12);
}
