//! `audit`: who did or read what; and the check that nobody has rewritten it.
//!
//! Listing asks the services and is kept in the log itself. Exporting and checking read the databases, beside whoever
//! has them open: they are for the machine's operator and for a system outside, whose copy finds what a rewritten
//! database cannot show by itself.

mod prune;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use chassis::Config;
use clap::Subcommand;
use kernel::{TenantId, Timestamp};
use messaging::Database;
use messaging::audit::{Break, Broken, Head, PAGE as ROWS, Row, Verifier, Whose, beginning, page};
use proto::messaging::{AuditEntry, ListAuditEntriesRequest, ListOwnAuditEntriesRequest};
use serde::Serialize;

use crate::cli::{Installation, Remote};
use crate::client::Account;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};
use crate::services;

/// Rows of one answer.
const PAGE: u32 = 200;

/// Who did or read what, and whether the log of it is whole.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Lists rows, for auditors and data protection officers. Looking is kept in the log too.
    #[command(after_help = "Examples:
  osallisuus audit list --tenant 19 --purpose \"Yearly check, case 12/2026\"
  osallisuus audit list --service forums --after 2000 --purpose \"Yearly check\" --output json

Auditors of a county name it and see the rows of that county; those of the deployment see all.")]
    List {
        /// Only of this service.
        #[arg(long)]
        service: Option<String>,
        /// County, by its code.
        #[arg(long, value_name = "CODE")]
        tenant: Option<TenantId>,
        /// Rows after this number.
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: u64,
        /// At most this many rows of a service.
        #[arg(long, value_name = "ROWS", default_value_t = 1000)]
        most: usize,
        /// Why the log is read: 3 to 200 characters, kept in the log.
        #[arg(long, value_name = "TEXT")]
        purpose: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Lists one's own rows: what one did, and what others did that named one.
    #[command(after_help = "Examples:
  osallisuus audit own
  osallisuus audit own --service membership --output json")]
    Own {
        /// Only of this service.
        #[arg(long)]
        service: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Writes rows with their hashes as JSON lines, for a system outside. May run beside the system.
    #[command(after_help = "Examples:
  osallisuus audit export --config /etc/osallisuus.toml > audit.jsonl
  osallisuus audit export --service forums --after 2000 >> audit.jsonl

Keep the lines where the operators of this machine cannot write: verify --file finds a rewritten database by them.")]
    Export {
        /// Only of this service.
        #[arg(long)]
        service: Option<String>,
        /// Rows after this number: the last one exported before.
        #[arg(long, value_name = "SEQ", default_value_t = 0, requires = "service")]
        after: u64,
        #[command(flatten)]
        installation: Installation,
    },
    /// Checks that no row was changed, added or left out. May run beside the system.
    #[command(after_help = "Examples:
  osallisuus audit verify --config /etc/osallisuus.toml
  osallisuus audit verify --file audit.jsonl             the file, the databases, and that they agree
  osallisuus audit verify --file audit.jsonl --alone     the file only, on a machine without the databases

Exit code 1 if a log is broken; the first wrong or missing row is named.")]
    Verify {
        /// Only of this service.
        #[arg(long)]
        service: Option<String>,
        /// Exported file.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Only the file, without the databases.
        #[arg(long, requires = "file")]
        alone: bool,
        #[command(flatten)]
        installation: Installation,
    },
    /// Deletes rows that were kept for five years, as whoever owns the tables. May run beside the system.
    #[command(after_help = prune::EXAMPLES)]
    Prune(prune::PruneArgs),
}

pub(super) async fn run(command: AuditCommand, screen: Screen) -> Result<Exit, Failure> {
    match command {
        AuditCommand::List { service, tenant, after, most, purpose, remote } => {
            let tenant = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
            let wanted = ListAuditEntriesRequest {
                service: String::new(),
                tenant,
                after_seq: after,
                page_size: PAGE,
                purpose,
            };
            list(service, wanted, most, &remote.account()?, screen).await
        }
        AuditCommand::Own { service, remote } => own(service, &remote.account()?, screen).await,
        AuditCommand::Export { service, after, installation } => {
            export(service.as_deref(), after, &installation.load()?, screen).await
        }
        AuditCommand::Verify { service, file, alone, installation } => {
            let rows = file.as_deref().map(|file| read(file, service.as_deref())).transpose()?;
            let config = if alone { None } else { Some(installation.load()?) };
            verify(service.as_deref(), rows, config.as_ref(), screen).await
        }
        AuditCommand::Prune(args) => prune::run(&args, screen).await,
    }
}

/// A row as it is listed.
#[derive(Serialize)]
struct Listed {
    service: String,
    seq: u64,
    at: String,
    tenant: String,
    actor: String,
    actor_kind: String,
    mode: String,
    rpc: String,
    resource: String,
    purpose: String,
    decision: String,
    outcome: String,
    code: String,
}

async fn list(
    service: Option<String>,
    wanted: ListAuditEntriesRequest,
    most: usize,
    account: &Account,
    screen: Screen,
) -> Result<Exit, Failure> {
    let mut listed = Vec::new();
    for service in named(service) {
        let mut request = ListAuditEntriesRequest { service: service.clone(), ..wanted.clone() };
        let mut rows = Vec::new();
        loop {
            let page = account.audit(&service).list_audit_entries(request.clone()).await?.into_inner();
            rows.extend(page.entries.into_iter().map(|entry| Listed::new(&service, entry)));
            request.after_seq = page.next_after_seq;
            if page.next_after_seq == 0 || rows.len() >= most {
                break;
            }
        }
        rows.truncate(most);
        listed.extend(rows);
    }
    show(&listed, screen)
}

async fn own(service: Option<String>, account: &Account, screen: Screen) -> Result<Exit, Failure> {
    let mut listed = Vec::new();
    for service in named(service) {
        let mut after_seq = 0;
        loop {
            let request = ListOwnAuditEntriesRequest { service: service.clone(), after_seq, page_size: PAGE };
            let page = account.audit(&service).list_own_audit_entries(request).await?.into_inner();
            listed.extend(page.entries.into_iter().map(|entry| Listed::new(&service, entry)));
            after_seq = page.next_after_seq;
            if after_seq == 0 {
                break;
            }
        }
    }
    show(&listed, screen)
}

/// The service named, else all.
fn named(service: Option<String>) -> Vec<String> {
    service.map_or_else(|| services::names().map(str::to_owned).collect(), |one| vec![one])
}

fn show(rows: &[Listed], screen: Screen) -> Result<Exit, Failure> {
    screen.result(&rows, || {
        let head = ["Service", "Seq", "Time", "County", "Who", "What", "About", "Why", "Outcome"];
        let lines = rows.iter().map(|row| {
            let outcome = if row.decision == "denied" { &row.decision } else { &row.outcome };
            [
                row.service.clone(),
                row.seq.to_string(),
                row.at.clone(),
                row.tenant.clone(),
                format!("{} {}", row.actor_kind, row.actor).trim().to_owned(),
                row.rpc.rsplit('/').next().unwrap_or_default().to_owned(),
                row.resource.clone(),
                row.purpose.clone(),
                format!("{outcome} {}", row.code).trim().to_owned(),
            ]
        });
        if rows.is_empty() { "no rows".to_owned() } else { table(head, lines, &[1]) }
    })?;
    Ok(Exit::Done)
}

impl Listed {
    fn new(service: &str, entry: AuditEntry) -> Self {
        let at = entry.at.unwrap_or_default();
        let at = Timestamp::from_micros(at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000);
        Self {
            service: service.to_owned(),
            seq: entry.seq,
            at: at.to_string(),
            tenant: entry.tenant,
            actor: entry.actor,
            actor_kind: entry.actor_kind,
            mode: entry.mode,
            rpc: entry.rpc,
            resource: entry.resource,
            purpose: entry.purpose,
            decision: entry.decision,
            outcome: entry.outcome,
            code: entry.code,
        }
    }
}

async fn export(service: Option<&str>, after: u64, config: &Config, screen: Screen) -> Result<Exit, Failure> {
    for name in chosen(service)? {
        let log = connect(config, name).await?;
        let mut after = after;
        loop {
            let rows = rows(&log, name, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            for row in &rows {
                let line = serde_json::to_string(row).map_err(|error| Failure::general(error.to_string()))?;
                screen.line(&line)?;
            }
        }
        log.close().await.map_err(|error| unreadable(name, &error))?;
    }
    Ok(Exit::Done)
}

/// What came of the check of one log.
#[derive(Serialize)]
struct Checked {
    service: String,
    /// "database" or "file".
    what: &'static str,
    rows: u64,
    /// Number of the last row that is in order.
    head: u64,
    /// Its hash.
    hash: String,
    /// The first row that is wrong or missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_seq: Option<u64>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<Break>,
}

/// Rows of a file by service, in the order of the file.
type Exported = BTreeMap<String, Vec<Row>>;

async fn verify(
    service: Option<&str>,
    exported: Option<Exported>,
    config: Option<&Config>,
    screen: Screen,
) -> Result<Exit, Failure> {
    let mut checked = Vec::new();
    for (name, rows) in exported.iter().flatten() {
        let head = rows.first().map_or_else(Head::genesis, Head::before);
        let mut verifier = Verifier::new(head);
        let outcome = rows.iter().try_for_each(|row| verifier.take(row));
        checked.push(Checked::new(name, "file", rows.len() as u64, &verifier, outcome.err()));
    }
    if let Some(config) = config {
        for name in chosen(service)? {
            let copies = exported.as_ref().and_then(|exported| exported.get(name));
            checked.push(database(config, name, copies.map(Vec::as_slice).unwrap_or_default()).await?);
        }
    }
    let broken = checked.iter().any(|one| one.broken.is_some());
    screen.result(&checked, || sentences(&checked))?;
    Ok(if broken { Exit::Failure } else { Exit::Done })
}

/// Checks the log of a database, and that it has the rows of the copy.
async fn database(config: &Config, name: &'static str, copies: &[Row]) -> Result<Checked, Failure> {
    let log = connect(config, name).await?;
    let beginning = beginning(&log).await.map_err(|error| unreadable(name, &error))?;
    let mut copies = copies.iter().peekable();
    let mut count = 0;
    let mut broken = None;
    // What was forgotten here is in the copy only; its last row is the one that the first here follows.
    while let Some(copy) = copies.next_if(|copy| copy.seq <= beginning.seq) {
        let differs = copy.seq == beginning.seq && copy.hash != beginning.hash;
        broken = broken.or(differs.then_some(Broken { seq: copy.seq, what: Break::Differs }));
    }
    let mut verifier = Verifier::new(beginning);
    while broken.is_none() {
        let rows = rows(&log, name, verifier.head().seq).await?;
        if rows.is_empty() {
            // Rows that the copy has and the database no longer.
            broken = copies.next().map(|copy| Broken { seq: copy.seq, what: Break::Gap });
            break;
        }
        for row in &rows {
            count += 1;
            let differs =
                copies.next_if(|copy| copy.seq == row.seq).is_some_and(|copy| copy.hash != row.hash);
            let outcome = verifier.take(row);
            broken = outcome.err().or(differs.then_some(Broken { seq: row.seq, what: Break::Differs }));
            if broken.is_some() {
                break;
            }
        }
    }
    log.close().await.map_err(|error| unreadable(name, &error))?;
    Ok(Checked::new(name, "database", count, &verifier, broken))
}

impl Checked {
    fn new(
        service: &str,
        what: &'static str,
        rows: u64,
        verifier: &Verifier,
        broken: Option<Broken>,
    ) -> Self {
        let head = verifier.head();
        Self {
            service: service.to_owned(),
            what,
            rows,
            head: head.seq,
            hash: data_encoding::HEXLOWER.encode(&head.hash),
            broken_seq: broken.as_ref().map(|broken| broken.seq),
            broken: broken.map(|broken| broken.what),
        }
    }
}

fn sentences(checked: &[Checked]) -> String {
    let sentence = |one: &Checked| match (one.broken_seq, one.broken) {
        (Some(seq), Some(what)) => {
            format!("{}, {}: BROKEN, {}", one.service, one.what, Broken { seq, what })
        }
        _ => format!(
            "{}, {}: {} rows in order, up to {} {}",
            one.service, one.what, one.rows, one.head, one.hash
        ),
    };
    let lines: Vec<String> = checked.iter().map(sentence).collect();
    if lines.is_empty() { "no rows".to_owned() } else { lines.join("\n") }
}

/// Rows of an exported file, of one service or all.
fn read(file: &Path, service: Option<&str>) -> Result<Exported, Failure> {
    let during = |failure: Failure| failure.during(file.display());
    let opened = File::open(file).map_err(|error| during(error.into()))?;
    let mut exported = Exported::new();
    for (number, line) in BufReader::new(opened).lines().enumerate() {
        let line = line.map_err(|error| during(error.into()))?;
        let row: Row = serde_json::from_str(&line).map_err(|error| {
            during(Failure::general(format!("line {} is no row of an audit log: {error}", number + 1)))
                .remedy("Name a file that `osallisuus audit export` has written.")
        })?;
        if service.is_none_or(|service| service == row.service) {
            exported.entry(row.service.clone()).or_default().push(row);
        }
    }
    Ok(exported)
}

/// The service named, else all.
fn chosen(service: Option<&str>) -> Result<Vec<&'static str>, Failure> {
    let chosen: Vec<&str> = services::names().filter(|name| service.is_none_or(|one| one == *name)).collect();
    match service {
        Some(service) if chosen.is_empty() => {
            let known: Vec<&str> = services::names().collect();
            Err(Failure::new(Exit::Usage, format!("there is no service {service:?}"))
                .remedy(format!("Name one of: {}", known.join(", "))))
        }
        _ => Ok(chosen),
    }
}

async fn connect(config: &Config, name: &'static str) -> Result<Database, Failure> {
    let settings = config
        .services
        .get(name)
        .ok_or_else(|| Failure::new(Exit::Configuration, format!("no database of {name} is configured")))?;
    Database::look(&settings.database, name).await.map_err(|error| unreadable(name, &error))
}

/// Rows after a number.
async fn rows(log: &Database, name: &str, after: u64) -> Result<Vec<Row>, Failure> {
    let found = page(log, &Whose::All, after, ROWS).await;
    found.map(|(rows, _)| rows).map_err(|error| unreadable(name, &error))
}

fn unreadable(name: &str, error: &impl Display) -> Failure {
    Failure::new(Exit::Unreachable, format!("the audit log of {name} cannot be read: {error}"))
        .remedy("Has the system been started once, and is the address right? Try: osallisuus doctor")
}
