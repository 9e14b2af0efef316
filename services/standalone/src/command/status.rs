//! `status`: how the services are.

use proto::messaging::{GetStatusRequest, GetStatusResponse};
use serde::Serialize;

use crate::cli::Remote;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};
use crate::services;

#[derive(Serialize)]
struct Status {
    service: &'static str,
    version: String,
    dependencies: Vec<Dependency>,
    lanes: Vec<Lane>,
    projections: Vec<Projection>,
    jobs_waiting: u64,
    jobs_dead: u64,
    /// Of the whole process: services that share one show the same.
    resident_bytes: u64,
}

#[derive(Serialize)]
struct Dependency {
    name: String,
    ok: bool,
    detail: String,
}

#[derive(Serialize)]
struct Lane {
    lane: String,
    seq: u64,
    published: u64,
}

#[derive(Serialize)]
struct Projection {
    projection: String,
    source: String,
    lane: String,
    seq: u64,
    parked: u64,
    stopped: String,
}

pub(super) async fn run(remote: &Remote, screen: Screen) -> Result<Exit, Failure> {
    let account = remote.account()?;
    let mut all = Vec::new();
    for service in services::names() {
        let request = GetStatusRequest { service: service.to_owned() };
        let answer = account.operator(service).get_status(request).await;
        all.push(Status::new(
            service,
            answer.map_err(|status| Failure::from(status).during(service))?.into_inner(),
        ));
    }
    screen.result(&all, || text(&all, screen))?;
    Ok(if all.iter().all(Status::is_fine) { Exit::Done } else { Exit::Failure })
}

impl Status {
    fn new(service: &'static str, answer: GetStatusResponse) -> Self {
        let dependencies = answer.dependencies.into_iter();
        let lanes = answer.lanes.into_iter();
        let projections = answer.projections.into_iter();
        Self {
            service,
            version: answer.version,
            dependencies: dependencies
                .map(|one| Dependency { name: one.name, ok: one.ok, detail: one.detail })
                .collect(),
            lanes: lanes
                .map(|lane| Lane { lane: lane.lane, seq: lane.seq, published: lane.published_seq })
                .collect(),
            projections: projections
                .map(|one| Projection {
                    projection: one.projection,
                    source: one.source,
                    lane: one.lane,
                    seq: one.seq,
                    parked: one.parked,
                    stopped: one.stopped,
                })
                .collect(),
            jobs_waiting: answer.jobs_waiting,
            jobs_dead: answer.jobs_dead,
            resident_bytes: answer.resident_bytes,
        }
    }

    /// Whether no person is needed.
    fn is_fine(&self) -> bool {
        self.dependencies.iter().all(|one| one.ok)
            && self.projections.iter().all(|one| one.parked == 0 && one.stopped.is_empty())
            && self.jobs_dead == 0
    }
}

fn text(all: &[Status], screen: Screen) -> String {
    let dependencies = all.iter().flat_map(|status| {
        status.dependencies.iter().map(|one| {
            let state = if one.ok { "ok".to_owned() } else { format!("down: {}", one.detail) };
            [status.service.to_owned(), one.name.clone(), state]
        })
    });
    let lanes = all.iter().flat_map(|status| {
        status.lanes.iter().map(|lane| {
            [status.service.to_owned(), lane.lane.clone(), lane.seq.to_string(), lane.published.to_string()]
        })
    });
    let projections = all.iter().flat_map(|status| {
        status.projections.iter().map(|one| {
            let state = if one.stopped.is_empty() {
                "runs".to_owned()
            } else {
                let which = format!("--service {} --projection {}", status.service, one.projection);
                format!("stopped: {}; heal it with: osallisuus resync {which}", one.stopped)
            };
            [
                status.service.to_owned(),
                format!("{} of {}", one.projection, one.source),
                one.lane.clone(),
                one.seq.to_string(),
                one.parked.to_string(),
                state,
            ]
        })
    });
    let jobs = all.iter().map(|status| {
        [status.service.to_owned(), status.jobs_waiting.to_string(), status.jobs_dead.to_string()]
    });
    let processes = all.iter().map(|status| {
        let mebibytes = format!("{} MiB", status.resident_bytes.div_ceil(1 << 20));
        [status.service.to_owned(), status.version.clone(), mebibytes]
    });
    [
        screen.heading("Processes"),
        table(["Service", "Version", "Memory"], processes, &[2]),
        screen.heading("\nDependencies"),
        table(["Service", "Needs", "State"], dependencies, &[]),
        screen.heading("\nOwn events, by county"),
        table(["Service", "County", "Written", "In the stream"], lanes, &[2, 3]),
        screen.heading("\nOthers' events taken in, by county"),
        table(["Service", "Projection", "County", "At", "Parked", "State"], projections, &[3, 4]),
        screen.heading("\nJobs"),
        table(["Service", "Waiting", "Dead"], jobs, &[1, 2]),
    ]
    .join("\n")
}
