//! The single checks.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::Config;
use chassis::config::NatsAddress;
use kernel::{Clock, SystemClock, Timestamp};
use membership::vault::KEY_FILE;
use messaging::broker::NatsSettings;
use messaging::provision::check_profile;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement};
use tokio::process::Command;
use tokio::time::timeout;

use super::Finding;
use crate::exit::Exit;
use crate::installation::account_file;
use crate::services;

/// How long anything may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// The oldest nats-server whose JetStream keeps the promises this project relies on.
const OLDEST_NATS: (u32, u32) = (2, 10);
/// The oldest PostgreSQL the migrations are written for.
const OLDEST_POSTGRES: i64 = 150_000;
/// Clocks of two machines may differ by this much.
const CLOCK_DIFFERENCE_MICROS: u64 = 2_000_000;
/// When this program was written; no clock that is right shows an earlier time.
const EPOCH: &str = "2026-01-01T00:00:00Z";

/// All checks, in the order of a start.
pub(super) async fn all(config: &Config) -> Vec<Finding> {
    let settings = config.show().iter().filter(|shown| shown.from != "default").count();
    let mut findings =
        vec![Finding::ok("configuration", format!("{settings} settings differ from the defaults"))];
    findings.push(clock());
    findings.extend(load_test(config));
    findings.push(data_folder(config));
    findings.extend(secrets(config));
    findings.extend(super::certificates::all(config));
    for (name, service) in &config.services {
        findings.extend(database(name, &service.database).await);
    }
    findings.push(nats(config).await);
    findings.extend(super::mail::server(config).await);
    findings.push(listener(config));
    findings
}

/// A system that is there to be loaded must not serve people.
fn load_test(config: &Config) -> Option<Finding> {
    let detail = "load_test is on: calls are not limited, and an operator may set the business clock";
    let remedy = "Set load_test = false before people use the system.";
    config.load_test.then(|| Finding::note("load test", detail, remedy))
}

fn clock() -> Finding {
    let now = SystemClock.now();
    let earliest: Timestamp = EPOCH.parse().unwrap_or(Timestamp::EPOCH);
    if now < earliest {
        let remedy = "Set the machine's clock, for example with chrony or systemd-timesyncd.";
        return Finding::fault("clock", Exit::Failure, format!("shows {now}, which is past"), remedy);
    }
    Finding::ok("clock", format!("shows {now}"))
}

fn data_folder(config: &Config) -> Finding {
    let folder = config.data_dir.display();
    // That it can be written to is a rule of the configuration.
    if !config.data_dir.is_dir() {
        let remedy = format!("Make it: osallisuus init --data {folder}");
        return Finding::fault("data folder", Exit::Configuration, format!("{folder} is not there"), remedy);
    }
    Finding::ok("data folder", folder.to_string())
}

fn secrets(config: &Config) -> Vec<Finding> {
    let folder = &config.secrets_dir;
    let files = services::names().map(|service| account_file(folder, service));
    let files: Vec<PathBuf> =
        files.chain([folder.join(KEY_FILE), folder.join(forums::vault::KEY_FILE)]).collect();
    let missing = files.iter().filter(|file| !file.is_file()).map(|file| file.display().to_string());
    let missing: Vec<String> = missing.collect();
    let mut findings = Vec::new();
    if missing.is_empty() {
        findings.push(Finding::ok("secrets", folder.display().to_string()));
    } else {
        // A folder that was made already is only mended: what is missing of it is made.
        let again = if folder.join(KEY_FILE).is_file() { " --new-code" } else { "" };
        let remedy = format!("Make them with: osallisuus init --data {}{again}", config.data_dir.display());
        let detail = format!("missing: {}", missing.join(", "));
        findings.push(Finding::fault("secrets", Exit::Configuration, detail, remedy));
    }
    for file in files.iter().filter(|file| is_open_to_others(file)) {
        let detail = format!("{} can be read by others", file.display());
        let remedy = format!("chmod 600 {}", file.display());
        findings.push(Finding::fault("secrets", Exit::Configuration, detail, remedy));
    }
    findings
}

fn is_open_to_others(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

async fn database(service: &str, url: &str) -> Vec<Finding> {
    let what = format!("database of {service}");
    if let Some(rest) = url.strip_prefix("sqlite:") {
        let path = rest.trim_start_matches("//").split('?').next().unwrap_or_default();
        return vec![sqlite(what, Path::new(path)).await];
    }
    match timeout(ANSWER, postgres(&what, url)).await {
        Ok(Ok(findings)) => findings,
        Ok(Err(error)) => vec![unreachable(what, "PostgreSQL", &error.to_string())],
        Err(_) => vec![unreachable(what, "PostgreSQL", "no answer within five seconds")],
    }
}

fn unreachable(what: String, server: &str, error: &str) -> Finding {
    let remedy =
        format!("Is {server} running, and are address, user and password right? See: osallisuus config show");
    Finding::fault(what, Exit::Unreachable, error, remedy)
}

async fn sqlite(what: String, path: &Path) -> Finding {
    if !path.exists() {
        return Finding::ok(what, format!("{} will be made at the first start", path.display()));
    }
    let look = async {
        let connection = connect(&format!("sqlite://{}?mode=ro", path.display())).await?;
        text(&connection, DbBackend::Sqlite, "PRAGMA quick_check(1)").await
    };
    match look.await {
        Ok(answer) if answer == "ok" => Finding::ok(what, path.display().to_string()),
        Ok(answer) => {
            let remedy = "Stop the system and restore the file from a backup.";
            Finding::fault(what, Exit::Failure, format!("{}: {answer}", path.display()), remedy)
        }
        Err(error) => {
            let remedy = "Is it a file of this system, and may this user read it?";
            Finding::fault(what, Exit::Unreachable, format!("{}: {error}", path.display()), remedy)
        }
    }
}

async fn postgres(what: &str, url: &str) -> Result<Vec<Finding>, DbErr> {
    let connection = connect(url).await?;
    let show = async |setting: &str| text(&connection, DbBackend::Postgres, setting).await;
    let version = show("SHOW server_version").await?;
    let number = show("SHOW server_version_num").await?.parse::<i64>().unwrap_or_default();
    if number < OLDEST_POSTGRES {
        let detail = format!("PostgreSQL {version} is too old");
        return Ok(vec![Finding::fault(what, Exit::Unreachable, detail, "Use PostgreSQL 15 or newer.")]);
    }
    let mut findings = vec![Finding::ok(what, format!("PostgreSQL {version}"))];
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value = show(&format!("SHOW {setting}")).await?;
        if value == "off" {
            let detail = format!("{setting} is off: a power cut loses what was acknowledged");
            findings.push(Finding::fault(what, Exit::Failure, detail, format!("Set {setting} = on.")));
        }
    }
    // Superusers may everything, too.
    let owns = "SELECT count(*)::text FROM pg_class WHERE oid = to_regclass('audit_log') \
                AND pg_has_role(current_user, relowner, 'USAGE')";
    if show(owns).await? != "0" {
        let detail = "the role of the running service owns the audit log, and could rewrite it";
        let remedy = "Make a role that owns the tables and name it in services.<name>.database_owner; the role in \
                      services.<name>.database then gets what it needs at the next start.";
        findings.push(Finding::note(what, detail, remedy));
    }
    let there = show("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text").await?;
    let here = SystemClock.now().as_micros();
    let difference = there.parse::<i64>().unwrap_or(here).abs_diff(here);
    if difference > CLOCK_DIFFERENCE_MICROS {
        let detail = format!("its clock differs by {} s from this machine's", difference / 1_000_000);
        findings.push(Finding::fault(
            what,
            Exit::Failure,
            detail,
            "Set both clocks by the same time server.",
        ));
    }
    Ok(findings)
}

async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false).connect_timeout(ANSWER).acquire_timeout(ANSWER);
    Database::connect(options).await
}

/// The first column of the first row, as text.
async fn text(connection: &DatabaseConnection, backend: DbBackend, sql: &str) -> Result<String, DbErr> {
    let row = connection.query_one_raw(Statement::from_string(backend, sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?.try_get_by_index(0)
}

async fn nats(config: &Config) -> Finding {
    match &config.nats.address {
        NatsAddress::Embedded => embedded_nats(&config.nats.server).await,
        NatsAddress::Url(url) => {
            let settings = match config.nats.connection(url, "osallisuus doctor") {
                Ok(settings) => settings,
                Err(why) => {
                    let remedy = "Name a file that this user may read.";
                    return Finding::fault("NATS", Exit::Configuration, why, remedy);
                }
            };
            match timeout(ANSWER, connect_nats(&settings)).await {
                Ok(Ok(client)) => nats_server(&client, &settings).await,
                Ok(Err(error)) => unreachable("NATS".to_owned(), "nats-server", &error.to_string()),
                Err(_) => unreachable("NATS".to_owned(), "nats-server", "no answer within five seconds"),
            }
        }
    }
}

/// One try, where the system itself would try for ever.
async fn connect_nats(settings: &NatsSettings) -> Result<async_nats::Client, async_nats::Error> {
    Ok(settings.options()?.connect(settings.servers()).await?)
}

async fn embedded_nats(program: &Path) -> Finding {
    let remedy = "Install nats-server 2.10 or newer, or name it in nats.server; ./infra/setup brings one.";
    let answer = match Command::new(program).arg("--version").output().await {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => {
            return Finding::fault(
                "NATS",
                Exit::Unreachable,
                format!("{}: {error}", program.display()),
                remedy,
            );
        }
    };
    match version(&answer) {
        Some(version) if version >= OLDEST_NATS => Finding::ok("NATS", format!("embedded, {answer}")),
        _ => Finding::fault(
            "NATS",
            Exit::Unreachable,
            format!("{answer:?} is too old or no nats-server"),
            remedy,
        ),
    }
}

async fn nats_server(client: &async_nats::Client, settings: &NatsSettings) -> Finding {
    let info = client.server_info();
    if let Err(why) = check_profile(&info.version, settings.profile, &settings.streams) {
        let remedy = "Or set nats.profile to what this installation is: osallisuus config show";
        return Finding::fault("NATS", Exit::Unreachable, why, remedy);
    }
    let context = async_nats::jetstream::new(client.clone());
    match timeout(ANSWER, context.query_account()).await {
        Ok(Ok(account)) => {
            Finding::ok("NATS", format!("nats-server {}, {} streams", info.version, account.streams))
        }
        _ => Finding::fault(
            "NATS",
            Exit::Unreachable,
            format!("nats-server {} has no JetStream for this account", info.version),
            "Enable JetStream in its configuration.",
        ),
    }
}

/// Reads "nats-server: v2.15.1" and "2.15.1" as (2, 15).
fn version(text: &str) -> Option<(u32, u32)> {
    let start = text.rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |place| place + 1);
    let mut numbers = text[start..].split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn listener(config: &Config) -> Finding {
    let address = config.listen.grpc;
    if address.port() != 0 && TcpStream::connect_timeout(&address, ANSWER).is_ok() {
        let remedy =
            "If that is this system, all is well: osallisuus status. Else choose another listen.grpc.";
        return Finding::note("address", format!("something listens at {address}"), remedy);
    }
    Finding::ok("address", format!("{address} is free"))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("nats-server: v2.15.1"), Some((2, 15)));
        assert_eq!(version("2.9.10"), Some((2, 9)));
        assert!(version("2.9.10") < version("2.10.0"));
        assert_eq!(version("something else"), None);
    }
}
