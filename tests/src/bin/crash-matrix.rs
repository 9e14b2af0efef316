//! Runs the crash matrix (TST-03), or a part of it; see `tests::matrix`. `infra/crash-matrix` builds it first.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use futures::StreamExt as _;
use testkit::system::Store;
use tests::matrix::cell::{Cell, Ended};
use tests::matrix::points::{POINTS, Point};
use tests::matrix::report::{Line, OUT_OF_TIME, Report};
use tests::matrix::templates::Templates;
use tests::matrix::{cells, part, turned};

/// Parts of the rotation: each run of the continuous integration takes one.
const ROTATION: usize = 3;
/// A cell is begun only if so much time is left, which is more than one takes.
const ROOM: Duration = Duration::from_secs(20);

/// Kills a system at every point where it could leave something half done, and checks what is left.
#[derive(Parser)]
#[command(after_help = "Examples:
  infra/crash-matrix                               everything
  infra/crash-matrix --part 2/3                    the second third
  infra/crash-matrix --part auto --within 480      a third in eight minutes; the next commit takes the next third
  infra/crash-matrix --points relay. --database sqlite")]
struct Options {
    /// Which part: N/M, or \"auto\" for a third that the number of commits chooses.
    #[arg(long, default_value = "1/1")]
    part: Part,
    /// On which databases.
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,
    /// Only points whose name begins so.
    #[arg(long, default_value = "")]
    points: String,
    /// Only this passage.
    #[arg(long)]
    passage: Option<u32>,
    /// Chooses the later passage of each point; the number of commits does by default.
    #[arg(long)]
    seed: Option<u64>,
    /// Ends after so many seconds, names the cells for which there was no time, and begins elsewhere the next time.
    #[arg(long, value_name = "SECONDS")]
    within: Option<u64>,
    /// Cells at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Where the report goes, as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    Both,
}

#[derive(Clone, Copy)]
enum Part {
    Auto,
    Of { number: usize, parts: usize },
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let numbers = text.split_once('/').and_then(|(n, m)| Some((n.parse().ok()?, m.parse().ok()?)));
        match numbers {
            Some((number, parts)) if (1..=parts).contains(&number) => Ok(Self::Of { number, parts }),
            _ => Err("write it as 2/3, or auto".to_owned()),
        }
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(options))
}

async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let commits = commits();
    let (number, parts) = match options.part {
        Part::Of { number, parts } => (number, parts),
        Part::Auto => {
            let commits = commits.as_ref().map_err(|why| anyhow::anyhow!("no part can be chosen: {why}"))?;
            (usize::try_from(commits % ROTATION as u64)? + 1, ROTATION)
        }
    };
    let commits = commits.unwrap_or(0);
    let stores: &[Store] = match options.database {
        Databases::Sqlite => &[Store::Sqlite],
        Databases::Postgres => &[Store::Postgres],
        Databases::Both => &[Store::Sqlite, Store::Postgres],
    };
    let seed = options.seed.unwrap_or(commits);
    let mut chosen = part(cells(stores, &options.points, seed), number, parts);
    chosen.retain(|cell| options.passage.is_none_or(|passage| passage == cell.passage));
    anyhow::ensure!(
        !chosen.is_empty(),
        "there is no such passage of a point that begins with {:?}",
        options.points
    );
    let chosen = turned(chosen, usize::try_from(commits / ROTATION as u64)?);
    let mut out = std::io::stdout();
    writeln!(out, "part {number}/{parts}, seed {seed}, {} cells, {} at a time", chosen.len(), options.jobs)?;
    for why in POINTS.iter().filter_map(Point::left_out) {
        writeln!(out, "does not happen: {why}")?;
    }

    let end = options.within.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let began = Instant::now();
    let report = try_all(&options, chosen, seed, end).await?;
    write!(out, "\n{}{:.0} s\n", report.summary(), began.elapsed().as_secs_f64())?;
    for line in report.not_tried() {
        testkit::not_run(&format!("crash matrix, {}", line.cell), OUT_OF_TIME);
    }
    if let Some(file) = &options.report {
        std::fs::write(file, serde_json::to_vec_pretty(&report.json())?)
            .with_context(|| format!("write {}", file.display()))?;
    }
    anyhow::ensure!(report.not_tried().count() < report.lines.len(), "there was no time for a single cell");
    Ok(if report.red() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tries these cells, some at a time, until `end`.
async fn try_all(
    options: &Options,
    chosen: Vec<Cell>,
    seed: u64,
    end: Option<Instant>,
) -> anyhow::Result<Report> {
    let mut out = std::io::stdout();
    let templates = Templates::default();
    let templates = &templates;
    let mut report = Report { seed, lines: Vec::new() };
    let mut running = futures::stream::iter(chosen)
        .map(async |cell| {
            let began = Instant::now();
            let left = end.map(|end| end.saturating_duration_since(began));
            let ended = match left {
                None => cell.run(templates).await,
                Some(left) if left < ROOM => Ended::NotTried,
                Some(left) => {
                    tokio::time::timeout(left, cell.run(templates)).await.unwrap_or(Ended::NotTried)
                }
            };
            Line { cell, ended, took: began.elapsed() }
        })
        .buffer_unordered(options.jobs);
    while let Some(line) = running.next().await {
        writeln!(out, "{}", line.text())?;
        report.lines.push(line);
    }
    Ok(report)
}

/// How many commits there are up to this one.
///
/// # Errors
/// Why that cannot be told, and what to do.
fn commits() -> Result<u64, String> {
    let ask = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let instead = "or name a part, for example --part 1/3";
    if ask(&["rev-parse", "--is-shallow-repository"]).as_deref() == Some("true") {
        return Err(format!("the repository has not all its commits; run git fetch --unshallow, {instead}"));
    }
    let count = ask(&["rev-list", "--count", "HEAD"]).and_then(|count| count.parse().ok());
    count.ok_or_else(|| {
        format!("git does not tell the number of commits; run it in a clone of the repository, {instead}")
    })
}
