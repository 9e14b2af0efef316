//! Measures whole systems from outside; see `tests::measure`. `infra/measure` builds it first.

use clap::{Parser, ValueEnum};
use tests::measure::{backlog, memory, rates, tenants};

/// Measures a release build on this machine and prints the figures. All of it takes about an hour.
#[derive(Parser)]
#[command(after_help = "Examples:
  infra/measure                                    everything
  infra/measure rates --seconds 10                 commands a second only, in short rounds
  infra/measure soak --soak 60                     memory over a minute instead of ten")]
struct Options {
    /// What; everything if none is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Length of a round, in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Commands a second on SQLite.
    #[arg(long, default_value_t = 3000)]
    sqlite: u32,
    /// Commands a second on PostgreSQL.
    #[arg(long, default_value_t = 1500)]
    postgres: u32,
    /// Also search the highest rate.
    #[arg(long)]
    search: bool,
    /// Events of the backlog.
    #[arg(long, default_value_t = 100_000)]
    backlog: u64,
    /// Length of the soak, in seconds.
    #[arg(long, default_value_t = 600)]
    soak: u32,
    /// Commands a second of the soak.
    #[arg(long, default_value_t = 300)]
    soak_rate: u32,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    /// Commands a second, latencies, commit to projection.
    Rates,
    /// A backlog, drained.
    Backlog,
    /// What a county costs at rest.
    Tenants,
    /// Memory of each service, at rest and over a soak.
    Soak,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let wanted = |part: Part| options.parts.is_empty() || options.parts.contains(&part);
    if wanted(Part::Rates) {
        let rates = [options.sqlite, options.postgres];
        let plan =
            rates::Plan { rates, seconds: options.seconds, rounds: options.rounds, search: options.search };
        rates::report(&plan).await?;
    }
    if wanted(Part::Backlog) {
        backlog::report(options.backlog).await?;
    }
    if wanted(Part::Tenants) {
        tenants::report(60).await?;
    }
    if wanted(Part::Soak) {
        memory::report(options.soak_rate, options.soak).await?;
    }
    Ok(())
}
