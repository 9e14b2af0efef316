//! Runs a command with a PostgreSQL of its own, named in `TESTKIT_POSTGRES_URL`; `infra/test` runs the
//! tests with it. The exit code is the command's.

use std::{
    env,
    process::{Command, ExitCode},
};

use anyhow::Context;
use testkit::postgres::{Cluster, URL_VARIABLE};

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments.next().context("usage: with-postgres COMMAND [ARGUMENT...]")?;
    let cluster = Cluster::start()?;
    let status = Command::new(&program)
        .args(arguments)
        .env(URL_VARIABLE, cluster.url())
        .status()
        .with_context(|| format!("run {}", program.display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
