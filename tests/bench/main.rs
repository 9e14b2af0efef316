//! The benchmark: `infra/bench` builds it in release and runs it. Everything on one machine, in one run, so that the
//! figures can be compared with each other; only the ratios mean anything beyond the machine.
//!
//! | what | beside what |
//! | --- | --- |
//! | acknowledged `FoundForum` commands through gRPC, 64 clients, relay and NATS running | the same with one command per transaction; on PostgreSQL also pgbench writing the same rows |
//! | relay and projector catching up on a backlog | the broker's default sync and `always` |
//! | commit to projection | – |
//! | acknowledged comparisons and supports through gRPC, 64 clients | the same with one command per transaction; on PostgreSQL also pgbench writing the same rows with the same row locked |
//! | the next pair of 60 ideas after 100,000 comparisons, ranking 60 ideas by 1,000,000 | – |
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

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    commands::report(&options).await?;
    pipeline::report(&options).await?;
    comparing::report(&options).await?;
    reading::report(options.proposals, options.comments).await
}
