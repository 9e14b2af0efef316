//! Runs the crash matrix (TST-03), or a part of it; see `tests::matrix`. `infra/crash-matrix` builds it first.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::str::FromStr;
use std::time::Instant;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use futures::StreamExt as _;
use testkit::system::Store;
use tests::matrix::report::{Line, Report};
use tests::matrix::templates::Templates;
use tests::matrix::{cells, part};

/// Parts of the rotation: each run of the continuous integration takes one.
const ROTATION: usize = 3;

/// Kills a system at every point where it could leave something half done, and checks what is left.
#[derive(Parser)]
#[command(after_help = "Examples:
  infra/crash-matrix                               everything
  infra/crash-matrix --part 2/3                    the second third
  infra/crash-matrix --part auto                   a third, chosen by the commit
  infra/crash-matrix --points relay. --database sqlite")]
struct Options {
    /// Which part: N/M, or \"auto\" for a third that the commit chooses.
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
    /// Chooses the later passage of each point; the commit does by default.
    #[arg(long)]
    seed: Option<u64>,
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
    let commit = commit();
    let (number, parts) = match options.part {
        Part::Of { number, parts } => (number, parts),
        Part::Auto => (usize::try_from(commit % ROTATION as u64)? + 1, ROTATION),
    };
    let stores: &[Store] = match options.database {
        Databases::Sqlite => &[Store::Sqlite],
        Databases::Postgres => &[Store::Postgres],
        Databases::Both => &[Store::Sqlite, Store::Postgres],
    };
    let seed = options.seed.unwrap_or(commit);
    let mut chosen = part(cells(stores, &options.points, seed), number, parts);
    chosen.retain(|cell| options.passage.is_none_or(|passage| passage == cell.passage));
    anyhow::ensure!(!chosen.is_empty(), "no point begins with {:?}", options.points);
    let mut out = std::io::stdout();
    writeln!(out, "part {number}/{parts}, seed {seed}, {} cells, {} at a time", chosen.len(), options.jobs)?;

    let began = Instant::now();
    let templates = Templates::default();
    let mut report = Report { seed, lines: Vec::new() };
    let templates = &templates;
    let mut running = futures::stream::iter(chosen)
        .map(async |cell| {
            let began = Instant::now();
            let ended = cell.run(templates).await;
            Line { cell, ended, took: began.elapsed() }
        })
        .buffer_unordered(options.jobs);
    while let Some(line) = running.next().await {
        writeln!(out, "{}", line.text())?;
        report.lines.push(line);
    }
    write!(out, "\n{}{:.0} s\n", report.summary(), began.elapsed().as_secs_f64())?;
    if let Some(file) = &options.report {
        std::fs::write(file, serde_json::to_vec_pretty(&report.json())?)
            .with_context(|| format!("write {}", file.display()))?;
    }
    Ok(if report.red() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first digits of the commit's hash as a number; 0 outside of a repository.
fn commit() -> u64 {
    let asked = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let text = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0)
}
