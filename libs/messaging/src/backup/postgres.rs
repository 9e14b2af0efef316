//! PostgreSQL's own programs: `pg_dump`, `pg_restore`, and `psql`, through which a copy is put back in one transaction.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};

use super::server::{MISLEADING, variables};
use super::{BackupError, at};
use crate::crash;

/// Where Debian's packages of PostgreSQL are, one folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The first version whose `pg_restore` sets `transaction_timeout`.
const SETS_TIMEOUT: u32 = 17;

/// Where PostgreSQL's programs are. They are looked for when they are needed.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// The folder with them; without it Debian's package of the server's version, else the newest of them, else the search
    /// path.
    pub folder: Option<PathBuf>,
}

/// What is put into a database.
pub(super) struct Script<'a> {
    /// The file of the copy.
    pub(super) copy: &'a Path,
    /// The schema that it is put into.
    pub(super) schema: &'a str,
    /// Statements before it.
    pub(super) before: &'a str,
    /// Statements after it.
    pub(super) after: &'a str,
}

impl Tools {
    /// Copies an exported snapshot to a file.
    pub(super) async fn dump(&self, url: &str, snapshot: &str, file: &Path) -> Result<(), BackupError> {
        // The file is for its owner only, and never one that is there already.
        use std::os::unix::fs::OpenOptionsExt as _;
        let new =
            std::fs::File::options().write(true).create_new(true).mode(0o600).open(file).map_err(at(file))?;
        let mut command = self.command("pg_dump");
        connect(&mut command, url)?;
        command.args([
            "--no-password",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            "--snapshot",
            snapshot,
        ]);
        command.stdout(new);
        finish("pg_dump", spawn("pg_dump", &mut command)?).await
    }

    /// Reads a copy to its end, without a server.
    pub(super) async fn read(&self, file: &Path) -> Result<(), BackupError> {
        let mut command = self.command("pg_restore");
        command.arg("--file=/dev/null").arg(file);
        finish("pg_restore", spawn("pg_restore", &mut command)?).await
    }

    /// The programs for the server of a connection.
    pub(super) async fn of_server(&self, connection: &impl ConnectionTrait) -> Result<Self, BackupError> {
        if self.folder.is_some() {
            return Ok(self.clone());
        }
        let folder = Path::new(DEBIAN).join(major(connection).await?.to_string()).join("bin");
        Ok(Self { folder: folder.join("pg_dump").is_file().then_some(folder) })
    }

    /// That `psql` can be run, and that the server of a connection understands what `pg_restore` writes.
    pub(super) async fn ready(&self, connection: &impl ConnectionTrait) -> Result<(), BackupError> {
        let mut command = self.command("psql");
        command.arg("--version").stdout(Stdio::null());
        finish("psql", spawn("psql", &mut command)?).await?;
        let mut command = self.command("pg_restore");
        let said =
            spawn("pg_restore", command.arg("--version").stdout(Stdio::piped()))?.wait_with_output().await;
        let said = said.map_err(|error| BackupError::Tool(format!("pg_restore: {error}")))?;
        if !said.status.success() {
            return Err(BackupError::Tool(format!("pg_restore --version: {}", said.status)));
        }
        let (ours, server) = (version(&String::from_utf8_lossy(&said.stdout)), major(connection).await?);
        // From version 17 on its scripts begin with a setting that older servers do not know.
        if ours.is_some_and(|ours| ours >= SETS_TIMEOUT) && server < SETS_TIMEOUT {
            return Err(BackupError::Tool(format!(
                "pg_restore writes what a server of version {server} does not understand; install postgresql-client-{server}"
            )));
        }
        Ok(())
    }

    /// Puts a copy into a database in one transaction, with what comes before and after it: all or nothing.
    pub(super) async fn restore(&self, url: &str, script: Script<'_>) -> Result<(), BackupError> {
        let mut psql = self.command("psql");
        connect(&mut psql, url)?;
        psql.args(["--no-password", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
        psql.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut psql = spawn("psql", &mut psql)?;
        let input = psql.stdin.take();
        let (fed, ended) = tokio::join!(self.feed(input, script), finish("psql", psql));
        // If psql has ended early, that is why it could not be fed.
        ended?;
        fed
    }

    /// Writes the script. Without its last line, which is written only when all of the copy was, nothing is changed.
    async fn feed(&self, input: Option<ChildStdin>, script: Script<'_>) -> Result<(), BackupError> {
        let broken = |error: std::io::Error| BackupError::Tool(format!("psql: {error}"));
        let mut input = input.ok_or_else(|| broken(std::io::ErrorKind::BrokenPipe.into()))?;
        input.write_all(format!("BEGIN;\n{};\n", script.before).as_bytes()).await.map_err(broken)?;
        let mut command = self.command("pg_restore");
        // Rights are granted anew at every start; those of a role that a new server has not got would end the script.
        command.args(["--file=-", "--no-owner", "--no-privileges", "--clean", "--if-exists"]);
        command.args(["--schema", script.schema]);
        command.arg(script.copy).stdout(Stdio::piped());
        let mut restore = spawn("pg_restore", &mut command)?;
        let output = restore.stdout.take();
        let copied = async {
            match output {
                Some(mut output) => tokio::io::copy(&mut output, &mut input).await.map_err(broken),
                None => Ok(0),
            }
        };
        let (copied, ended) = tokio::join!(copied, finish("pg_restore", restore));
        copied?;
        ended?;
        crash::point("restore.before_commit");
        input.write_all(format!("{};\nCOMMIT;\n", script.after).as_bytes()).await.map_err(broken)?;
        input.shutdown().await.map_err(broken)
    }

    fn command(&self, program: &str) -> Command {
        let folder = self.folder.clone().or_else(newest);
        let path = folder.map_or_else(|| PathBuf::from(program), |folder| folder.join(program));
        let mut command = Command::new(path);
        command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// Tells a program its server.
fn connect(command: &mut Command, url: &str) -> Result<(), BackupError> {
    for name in MISLEADING {
        command.env_remove(name);
    }
    command.envs(variables(url)?);
    Ok(())
}

fn spawn(program: &str, command: &mut Command) -> Result<Child, BackupError> {
    command.spawn().map_err(|error| {
        BackupError::Tool(format!(
            "{program} cannot be run: {error}; install PostgreSQL's client programs of the server's version"
        ))
    })
}

/// Waits for the end of a program.
///
/// # Errors
/// Tool if it failed, with what it says first.
async fn finish(program: &str, mut child: Child) -> Result<(), BackupError> {
    let said = child.stderr.take();
    let (first, status) = tokio::join!(first_line(said), child.wait());
    let status: ExitStatus = status.map_err(|error| BackupError::Tool(format!("{program}: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(BackupError::Tool(format!("{program} failed ({status}): {first}")))
}

/// The first line of what a program says: it names the object. What follows may quote rows.
async fn first_line(said: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = Vec::new();
    if let Some(mut said) = said {
        // What cannot be read is not told.
        let _ = said.read_to_end(&mut text).await;
    }
    String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned()
}

/// The server's version, without what is behind the point.
async fn major(connection: &impl ConnectionTrait) -> Result<u32, DbErr> {
    let question = "SELECT current_setting('server_version_num')::int / 10000";
    let statement = Statement::from_string(connection.get_database_backend(), question);
    let row = connection.query_one_raw(statement).await?;
    let version: i32 = row.ok_or_else(|| DbErr::RecordNotFound(question.to_owned()))?.try_get_by_index(0)?;
    Ok(version.unsigned_abs())
}

/// The version that a program says it is of: `pg_restore (PostgreSQL) 17.2 (Debian 17.2-1)`.
fn version(said: &str) -> Option<u32> {
    let number = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn newest() -> Option<PathBuf> {
    let versions = Path::new(DEBIAN).read_dir().into_iter().flatten().flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        folder.join("pg_dump").is_file().then_some((version, folder))
    });
    versions.max().map(|(_, folder)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_its_version() {
        assert_eq!(version("pg_restore (PostgreSQL) 17.2 (Debian 17.2-1.pgdg120+1)\n"), Some(17));
        assert_eq!(version("pg_restore (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(version("pg_restore (PostgreSQL) 15.14\n"), Some(15));
        assert_eq!(version(""), None);
    }
}
