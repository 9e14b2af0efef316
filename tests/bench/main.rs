//! The benchmark: `infra/bench` builds it in release and runs it. Everything on one machine, in one run, so that the
//! figures can be compared with each other; only the ratios mean anything beyond the machine.
//!
//! | what | beside what |
//! | --- | --- |
//! | acknowledged `FoundForum` commands through gRPC, 64 clients, relay and NATS running | the same with one command per transaction; on PostgreSQL also pgbench writing the same rows |
//! | relay and projector catching up on a backlog | the broker's default sync and `always` |
//! | commit to projection | – |
//! | acknowledged comparisons and supports through gRPC, 64 clients | the same with one command per transaction; a transaction per request on a pool of connections that writes the same rows with the same row locked (PostgreSQL: pgbench) |
//! | the next pair of 60 ideas after 100,000 comparisons, ranking and publishing 60 ideas by 1,000,000 | – |
//! | searching 50,000 proposals, reading a thread of 100,000 comments | – |

mod commands;
mod comparing;
mod figures;
mod pgbench;
mod pipeline;
mod reading;

use clap::Parser;

/// Measures Osallisuus against itself and against pgbench, and prints the figures.
#[derive(Parser)]
struct Options {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds; the median counts. Measurements take turns in each round.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// What to measure; without it everything.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Clients that wait for their answer before they send again.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Events in the backlog that relay and projector catch up on.
    #[arg(long, default_value_t = 20_000)]
    backlog: u64,
    /// Comparisons that a round has when its next pair is asked for.
    #[arg(long, default_value_t = 100_000)]
    comparisons: u64,
    /// Proposals that are searched.
    #[arg(long, default_value_t = 50_000)]
    proposals: u64,
    /// Comments of the thread that is read.
    #[arg(long, default_value_t = 100_000)]
    comments: u64,
    /// cargo bench says so; there is nothing else here.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A part of the report.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Commands,
    Pipeline,
    Comparing,
    Reading,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let is_wanted = |part| options.only.is_empty() || options.only.contains(&part);
    if is_wanted(Part::Commands) {
        commands::report(&options).await?;
    }
    if is_wanted(Part::Pipeline) {
        pipeline::report(&options).await?;
    }
    if is_wanted(Part::Comparing) {
        comparing::report(&options).await?;
    }
    if is_wanted(Part::Reading) {
        reading::report(options.proposals, options.comments).await?;
    }
    Ok(())
}
