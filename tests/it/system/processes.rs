//! Services in processes of their own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use proto::membership::{RegisterServiceUnitRequest, ServiceUnitKind};
use proto::messaging::{GetClockRequest, SetClockRequest};
use rustix::process::{Pid, Signal, kill_process};
use standalone::client::Server;
use standalone::demo::ideas::example;
use standalone::demo::{Contest, Ideas, Play, Progress};
use tempfile::TempDir;
use testkit::nats;
use testkit::system::Store;

use crate::support::process::program;
use crate::support::{stream, world};

/// A service in a process of its own; killed when dropped.
struct Process {
    child: Child,
    service: &'static str,
    settings: PathBuf,
    address: String,
}

impl Process {
    /// Starts `osallisuus serve <service>` and waits for the line that says where it listens.
    fn serve(service: &'static str, settings: PathBuf) -> Self {
        Self::serve_at(service, settings, "127.0.0.1:0")
    }

    fn serve_at(service: &'static str, settings: PathBuf, listen: &str) -> Self {
        let mut child = Command::new(program("osallisuus"))
            .args(["serve", service, "--output", "json", "--config"])
            .arg(&settings)
            .env("OSALLISUUS_LISTEN__GRPC", listen)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("its output");
        let line = BufReader::new(output).lines().next().expect("a line").expect("text");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(ready["ready"], true, "{line}");
        let address = ready["grpc"].as_str().expect("an address").to_owned();
        Self { child, service, settings, address }
    }

    /// Ends it as a power cut does.
    fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Starts it again where others look for it, after [`kill`](Self::kill).
    fn again(self) -> Self {
        let listen = self.address.trim_start_matches("http://").to_owned();
        Self::serve_at(self.service, self.settings.clone(), &listen)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Three services in processes of their own, with what they share.
struct Deployment {
    // Dropped in this order: services before what they need.
    membership: Process,
    forums: Process,
    proposals: Process,
    setup_code: String,
    nats: nats::Server,
    _folder: TempDir,
}

impl Deployment {
    async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("osallisuus-processes-").tempdir().expect("a folder");
        let nats = nats::Server::start().expect("a nats-server");
        let databases = world::new_databases(Store::Sqlite, folder.path()).await;
        let counties = ["19", "21"];
        let settings = world::settings(folder.path(), &nats.url(), &counties, &databases, &[]);
        let setup_code = world::set_up(&settings).await;
        let membership = Process::serve("membership", settings);
        // Another process is another folder for files of its own; secrets and databases are shared by name.
        let secrets = format!("{:?}", folder.path().join("secrets"));
        let address = format!("{:?}", membership.address);
        let more = [("services.membership.address", address.as_str()), ("secrets.dir", secrets.as_str())];
        let serve = |service: &'static str| {
            let own = folder.path().join(service);
            std::fs::create_dir(&own).expect("a folder");
            Process::serve(service, world::settings(&own, &nats.url(), &counties, &databases, &more))
        };
        let (forums, proposals) = (serve("forums"), serve("proposals"));
        Self { membership, forums, proposals, setup_code, nats, _folder: folder }
    }

    /// The administrator, coming in.
    async fn begin(&self) -> Play {
        let server = Server::at(&self.membership.address)
            .and_then(|server| server.with_service("forums", &self.forums.address))
            .and_then(|server| server.with_service("proposals", &self.proposals.address))
            .expect("addresses");
        Play::begin(server, &self.setup_code, Progress::silent()).await.expect("an administrator")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_in_processes_of_their_own_work_together() {
    let deployment = Deployment::start().await;
    let mut play = deployment.begin().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn tst_03_a_killed_service_leaves_its_neighbour_working_and_the_election_goes_on_after_its_return() {
    let mut deployment = Deployment::start().await;
    let mut play = deployment.begin().await;
    play.register().await.expect("registered");
    play.found().await.expect("founded");
    let mut contest = play.announce(Contest::first()).await.expect("announced");

    let now = clock(&play, "forums").await;
    deployment.forums.kill();
    let unit = RegisterServiceUnitRequest {
        tenant: "19".into(),
        name: "Uusi yksikkö".into(),
        kind: ServiceUnitKind::DayActivity.into(),
        municipality: "139".into(),
    };
    play.administrator.tenancy().register_service_unit(unit).await.expect("membership needs no forums");
    let asked = proto::forums::GetElectionRequest { election_id: contest.election_id.clone() };
    let away = play.server.public().elections().get_election(asked).await.expect_err("forums is away");
    assert_eq!(away.code(), tonic::Code::Unavailable, "{}", away.message());
    deployment.forums = deployment.forums.again();
    set_clock(&play, "forums", now).await;
    play.nominate(&mut contest).await.expect("forums goes on where it was");
    play.vote(&contest).await.expect("voted");

    let now = clock(&play, "membership").await;
    deployment.membership.kill();
    let asked = proto::forums::GetElectionRequest { election_id: contest.election_id.clone() };
    play.server.public().elections().get_election(asked).await.expect("forums reads without membership");
    deployment.membership = deployment.membership.again();
    set_clock(&play, "membership", now).await;
    play.count(&contest).await.expect("counted");
    let outcome = play.confirm(&contest).await.expect("confirmed");
    assert_eq!((outcome.seats_filled, outcome.seats_total), (27, 28));
    assert_eq!((outcome.seats_filled_bp, outcome.turnout_bp), (9643, 8300), "every ballot is there, once");
}

/// What a forum endorses is asked of the unit once: with proposals away at the decision, with forums away when proposals
/// comes back, and with proposals killed again after it has taken the event.
#[tokio::test(flavor = "multi_thread")]
async fn x1_a_unit_is_asked_once_for_its_answer_whichever_service_goes_away_when() {
    let mut deployment = Deployment::start().await;
    let mut play = deployment.begin().await;
    play.register().await.expect("registered");
    play.found().await.expect("founded");
    for contest in [Contest::first(), Contest::again()] {
        let mut contest = play.announce(contest).await.expect("announced");
        play.nominate(&mut contest).await.expect("nominated");
        play.vote(&contest).await.expect("voted");
        play.count(&contest).await.expect("counted");
        play.confirm(&contest).await.expect("confirmed");
    }
    let mut ideas = Ideas::begin(&play).await.expect("appointed");
    ideas.submit().await.expect("submitted");
    ideas.compare().await.expect("compared");
    ideas.send_to_forum().await.expect("sent");
    ideas.call_meeting().await.expect("called");
    play.day(example::MEETING).await.expect("a day");
    let now = clock(&play, "proposals").await;
    deployment.proposals.kill();
    ideas.meet().await.expect("the forum needs no proposals to decide");
    deployment.forums.kill();
    deployment.proposals = deployment.proposals.again();
    deployment.forums = deployment.forums.again();
    for service in ["forums", "proposals"] {
        set_clock(&play, service, now).await;
    }
    play.settle().await.expect("proposals has heard of the decisions");
    deployment.proposals.kill();
    deployment.proposals = deployment.proposals.again();
    set_clock(&play, "proposals", now).await;
    play.settle().await.expect("nothing is left");

    let messages = stream::all(&deployment.nats.url()).await;
    let of = |kind: &str| -> Vec<String> {
        let events = messages.iter().filter(|message| message.kind() == kind);
        let mut proposals: Vec<String> = events.map(|event| event.text("proposal_id")).collect();
        proposals.sort();
        proposals
    };
    let followed = [example::FOLLOWED, example::LATE].map(|idea| ideas.proposals[idea].clone());
    let mut endorsed: Vec<String> = followed.into_iter().chain(ideas.others).collect();
    endorsed.sort();
    assert_eq!(of("ProposalEndorsed"), endorsed);
    assert_eq!(of("ResponseRequested"), endorsed);
    let requested = messages.iter().filter(|message| message.kind() == "ResponseRequested");
    let due: Vec<String> = requested.map(|event| event.text("due_on")).collect();
    assert_eq!(due, vec!["2026-11-11"; 18]);
}

/// The business clock of a process.
async fn clock(play: &Play, service: &str) -> Option<prost_types::Timestamp> {
    let request = GetClockRequest { service: service.to_owned() };
    play.administrator.operator(service).get_clock(request).await.expect("a clock").into_inner().now
}

/// A demonstration's business clock is in memory only: a new process starts with the one of the settings.
async fn set_clock(play: &Play, service: &str, now: Option<prost_types::Timestamp>) {
    let request = SetClockRequest { service: service.to_owned(), now };
    play.administrator.operator(service).set_clock(request).await.expect("the clock is set");
}

#[tokio::test]
async fn a_service_s_own_program_logs_json_and_tells_by_its_exit_code_how_it_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let away = "\"http://127.0.0.1:1\"";
    let settings = |database: &str, more: &[(&str, &str)]| {
        let databases = [("forums", database.to_owned())];
        let more =
            [&[("services.membership.address", away), ("telemetry.format", "\"json\"")], more].concat();
        world::settings(folder.path(), "nats://127.0.0.1:1", &["19"], &databases, &more)
    };
    let ends = |settings: &Path| {
        let output = Command::new(program("forums")).arg("--config").arg(settings).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let sqlite = format!("sqlite://{}?mode=rwc", folder.path().join("forums.sqlite").display());

    let (code, said) = ends(&settings(&sqlite, &[("listen.port", "7400")]));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("listen.port"), "{said}");
    let (code, said) = ends(&settings("postgres://me:s3cret@127.0.0.1:1/forums", &[]));
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("forums") && !said.contains("s3cret"), "{said}");

    let secrets = folder.path().join("secrets");
    std::fs::create_dir(&secrets).expect("a folder");
    forums::vault::Vault::prepare(&secrets, &kernel::Ids::system()).expect("a key file");
    let settings = settings(&sqlite, &[]);
    let mut child = Command::new(program("forums"))
        .arg("--config")
        .arg(&settings)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut log = BufReader::new(child.stderr.take().expect("its log")).lines();
    loop {
        let line = log.next().expect("it runs").expect("text");
        let line: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        if line["message"] == "started" {
            break;
        }
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::TERM).expect("the signal is sent");
    let rest = log.map(|line| line.expect("text"));
    assert!(rest.last().is_some_and(|line| line.contains("stopped")));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
