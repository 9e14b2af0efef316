//! PostgreSQL's own programs, `pg_dump` and `pg_restore`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use percent_encoding::percent_decode_str;
use sea_orm::sqlx::postgres::PgConnectOptions;
use tokio::process::Command;
use url::Url;

use super::{BackupError, at};

/// Where Debian's packages of PostgreSQL are, one folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Parts of an address's query that the programs know, by the variable that tells them.
const VARIABLES: [(&str, &str); 5] = [
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("options", "PGOPTIONS"),
];

/// Where PostgreSQL's programs are. They are looked for when they are needed.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// The folder with them; without it the newest of Debian's packages, else the search path.
    pub folder: Option<PathBuf>,
}

impl Tools {
    /// Copies an exported snapshot to a file.
    pub(super) async fn dump(&self, url: &str, snapshot: &str, file: &Path) -> Result<(), BackupError> {
        // The file is for its owner only, and never one that is there already.
        use std::os::unix::fs::OpenOptionsExt as _;
        let new =
            std::fs::File::options().write(true).create_new(true).mode(0o600).open(file).map_err(at(file))?;
        let mut command = self.command("pg_dump", url)?;
        command.args(["--format=custom", "--no-owner", "--snapshot", snapshot]);
        command.stdout(new);
        run("pg_dump", command).await
    }

    /// Puts a copy into an empty database, all or nothing.
    pub(super) async fn restore(&self, url: &str, file: &Path) -> Result<(), BackupError> {
        let mut command = self.command("pg_restore", url)?;
        command.args(["--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-owner"]);
        // Only with a name does it write to a database; the rest is in the variables.
        command.arg("--dbname").arg(database(url)?).arg(file).stdout(Stdio::null());
        run("pg_restore", command).await
    }

    fn command(&self, program: &str, url: &str) -> Result<Command, BackupError> {
        let folder = self.folder.clone().or_else(newest);
        let mut command =
            Command::new(folder.map_or_else(|| PathBuf::from(program), |folder| folder.join(program)));
        // On the command line, others on the machine could read the password.
        command.envs(variables(url)?).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        Ok(command)
    }
}

async fn run(program: &str, mut command: Command) -> Result<(), BackupError> {
    let missing = |error: std::io::Error| {
        BackupError::Tool(format!(
            "{program} cannot be run: {error}; install PostgreSQL's client programs of the server's version or newer"
        ))
    };
    let output = command.spawn().map_err(missing)?.wait_with_output().await.map_err(missing)?;
    if output.status.success() {
        return Ok(());
    }
    // What it says may quote rows; the first line names the object.
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or_default();
    Err(BackupError::Tool(format!("{program} failed ({}): {first}", output.status)))
}

fn newest() -> Option<PathBuf> {
    let versions = Path::new(DEBIAN).read_dir().into_iter().flatten().flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        folder.join("pg_dump").is_file().then_some((version, folder))
    });
    versions.max().map(|(_, folder)| folder)
}

fn database(url: &str) -> Result<String, BackupError> {
    let name = options(url)?.get_database().map(str::to_owned);
    name.ok_or_else(|| BackupError::Tool("the address of the database names none".to_owned()))
}

/// What is wrong with an address is not told: it may hold a password.
fn options(url: &str) -> Result<PgConnectOptions, BackupError> {
    url.parse().map_err(|_| BackupError::Tool("the address of the database cannot be read".to_owned()))
}

/// An address as the variables that the programs read.
fn variables(url: &str) -> Result<Vec<(&'static str, String)>, BackupError> {
    let options = options(url)?;
    let parsed = Url::parse(url)
        .map_err(|_| BackupError::Tool("the address of the database cannot be read".to_owned()))?;
    let mut variables = vec![
        ("PGHOST", options.get_host().to_owned()),
        ("PGPORT", options.get_port().to_string()),
        ("PGUSER", options.get_username().to_owned()),
        ("PGDATABASE", database(url)?),
    ];
    if let Some(password) = parsed.password() {
        let password = percent_decode_str(password).decode_utf8_lossy().into_owned();
        variables.push(("PGPASSWORD", password));
    }
    for (name, value) in parsed.query_pairs() {
        let known = VARIABLES.iter().find(|(known, _)| *known == name.as_ref());
        variables.extend(known.map(|(_, variable)| (*variable, value.clone().into_owned())));
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn an_address_is_told_to_the_programs_without_the_command_line() {
        let url = "postgres://kunta:s%C3%A4l%40@db.example.org:6432/forums?sslmode=verify-full&sslrootcert=/etc/ca.pem";
        let variables: std::collections::BTreeMap<_, _> = variables(url).unwrap().into_iter().collect();
        for (name, value) in [
            ("PGHOST", "db.example.org"),
            ("PGPORT", "6432"),
            ("PGUSER", "kunta"),
            ("PGPASSWORD", "säl@"),
            ("PGDATABASE", "forums"),
            ("PGSSLMODE", "verify-full"),
            ("PGSSLROOTCERT", "/etc/ca.pem"),
        ] {
            assert_eq!(variables[name], value, "{name}");
        }
    }
}
