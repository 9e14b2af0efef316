//! pgbench writing the rows that one command writes, such as `FoundForum`, one transaction each, over plain connections:
//! the most that a service without group commit could reach on this machine.

use std::io::Write as _;
use std::process::Command;

use anyhow::Context as _;
use testkit::postgres::Cluster;

use crate::Options;

/// Whether the transaction takes its sequence number from the lane's head, which serialises, or from nowhere.
#[derive(Clone, Copy)]
pub(crate) enum Head {
    /// As the event log needs it: dense numbers, so one row that everybody waits for.
    Locked,
    /// A PostgreSQL sequence: gaps, and no order of commits.
    Free,
}

/// A database with forums' tables.
pub(crate) struct Database {
    url: String,
}

impl Database {
    /// Makes the database and its tables.
    pub(crate) async fn prepare() -> anyhow::Result<Self> {
        let url = Cluster::shared().create_database().await?;
        messaging::Database::open(&url, "forums", forums::SERVICE.migrations).await?;
        let setup = "CREATE SEQUENCE bench_seq; \
             INSERT INTO event_head (lane, epoch, next_seq, head_hash, watermark_seq, published_seq) \
             VALUES ('19', 1, 1, '\\x00', 0, 0)";
        let done = Command::new(program("psql")).arg(&url).args(["-q", "-c", setup]).status()?;
        anyhow::ensure!(done.success(), "psql could not prepare the database of pgbench");
        let database = Self { url };
        // A schema that has changed since is found out now and not after the first contenders.
        for head in [Head::Locked, Head::Free] {
            run(&database.url, &transaction(head), &["--client", "1", "--transactions", "1"])?;
        }
        Ok(database)
    }

    /// Transactions a second.
    pub(crate) fn run(&self, head: Head, options: &Options) -> anyhow::Result<f64> {
        load(&self.url, &transaction(head), options)
    }
}

/// Transactions a second of all clients, each with a connection of its own and one transaction at a time.
pub(crate) fn load(url: &str, script: &str, options: &Options) -> anyhow::Result<f64> {
    let (clients, seconds) = (options.clients.to_string(), options.seconds.to_string());
    run(url, script, &["--jobs", "2", "--client", &clients, "--time", &seconds])
}

/// Runs a script of pgbench on a database; each client counts its transactions in `:n`, if the script does.
pub(crate) fn run(url: &str, script: &str, arguments: &[&str]) -> anyhow::Result<f64> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(script.as_bytes())?;
    let output = Command::new(program("pgbench"))
        .args(["--no-vacuum", "--protocol", "prepared", "--define", "n=0"])
        .args(arguments)
        .arg("--file")
        .arg(file.path())
        .arg(url)
        .output()
        .context("pgbench, which comes with PostgreSQL")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    // It goes on, and reports a rate, when single clients gave up.
    anyhow::ensure!(output.status.success(), "pgbench: {}", complaint.lines().next().unwrap_or_default());
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.with_context(|| format!("pgbench said: {text}{complaint}"))
}

fn transaction(head: Head) -> String {
    let seq = match head {
        Head::Locked => {
            "UPDATE event_head SET next_seq = next_seq + 1 WHERE lane = '19' RETURNING next_seq AS seq \\gset\n"
        }
        Head::Free => "SELECT nextval('bench_seq') AS seq \\gset\n",
    };
    let lane = match head {
        Head::Locked => "19",
        Head::Free => "21",
    };
    format!(
        "BEGIN;\n\
         SELECT gen_random_uuid() AS forum, gen_random_uuid() AS event, gen_random_uuid() AS key \\gset\n\
         INSERT INTO forum (id, tenant, agreement_id, name, purpose, purpose_plain, kind, level, service_group, \
         term_starts_on, term_ends_on, founding_decision, state, seats_filled) VALUES (:forum, '19', '', \
         'Oulunkaaren seudullinen asiakasfoorumi', \
         'Asiakkaat kehittävät vammaispalveluja yhdessä henkilöstön kanssa.', \
         'Foorumissa asiakkaat kertovat, miten palvelut toimivat.', 'client_forum', 'regional', \
         'disability_services', '2030-05-01', '2032-04-30', 'POHDE/2026/1', 'founded', 0);\n\
         INSERT INTO forum_tenant (forum_id, tenant, lead, confirmed) VALUES (:forum, '19', true, true);\n\
         INSERT INTO command_log (principal, idem_key, rpc, request_hash, response, created_at) VALUES \
         ('person 00000000-0000-7000-8000-000000000000', :key, 'FoundForum', sha256('x'), \
         decode(repeat('ab', 400), 'hex'), 1);\n\
         {seq}\
         INSERT INTO event_log (lane, seq, epoch, event_id, aggregate_type, aggregate_id, event_type, \
         schema_version, payload, causation_id, correlation_id, traceparent, co_tenants, occurred_at, prev_hash, \
         hash) VALUES ('{lane}', :seq, 1, :event, 'forum', :forum, 'osallisuus.forums.v1.ForumFounded', 1, \
         decode(repeat('ab', 100), 'hex'), '0123456789abcdef0123456789abcdef', '', '', '', 1, sha256('x'), \
         sha256('y'));\n\
         COMMIT;\n"
    )
}

/// A program of PostgreSQL: on PATH, or in the newest folder of Debian's layout.
fn program(name: &str) -> std::path::PathBuf {
    let mut folders: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin").join(name)).collect())
        .unwrap_or_default();
    folders.sort();
    folders.into_iter().rev().find(|path| path.exists()).unwrap_or_else(|| name.into())
}
