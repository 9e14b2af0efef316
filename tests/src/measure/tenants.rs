//! What a county costs at rest: in one deployment for all, and in a cell of its own.

use std::time::Duration;

use testkit::program::Program;
use testkit::system::Store;

use super::process::{Use, children};
use super::{COUNTIES, mebibytes, say};
use crate::place::{Place, Start};

/// How long a system is left alone before it is measured: what a start sets in motion has ended.
const SETTLED: Duration = Duration::from_secs(30);

/// A system at rest.
struct Cell {
    // Dropped first: it stands on the place.
    program: Program,
    place: Place,
}

/// What a set-up uses.
#[derive(Clone, Copy, Default)]
struct Total {
    ours: Use,
    nats: Use,
}

/// Measures for `seconds` and prints a table.
///
/// # Errors
/// If a system does not start.
pub async fn report(seconds: u32) -> anyhow::Result<()> {
    say(&format!("\nAt rest for {seconds} s on SQLite; processor in thousandths of one core, memory in MiB"));
    say("set-up                        osallisuus  nats-server   own memory  nats memory   for each county");
    for (what, cells) in [
        ("one county", vec![&COUNTIES[..1]]),
        ("one deployment, 22 counties", vec![&COUNTIES[..]]),
        ("22 cells of one county", COUNTIES.chunks(1).collect()),
    ] {
        let counties = cells.iter().map(|cell| cell.len()).sum::<usize>();
        let total = at_rest(&cells, seconds).await?;
        say(&line(what, total, f64::from(seconds), f64::from(u32::try_from(counties)?)));
    }
    Ok(())
}

async fn at_rest(cells: &[&[&str]], seconds: u32) -> anyhow::Result<Total> {
    let mut running = Vec::new();
    for counties in cells {
        let mut place = Place::new(Store::Sqlite).await?;
        place.settings.insert("tenants".to_owned(), format!("{counties:?}"));
        place.init()?;
        let program = place.run(&Start::default()).await?;
        running.push(Cell { program, place });
    }
    tokio::time::sleep(SETTLED).await;
    let before = used(&running)?;
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let after = used(&running)?;
    for cell in running {
        cell.program.stop()?;
        cell.place.remove().await?;
    }
    let during = |before: Use, after: Use| Use { cpu: after.cpu - before.cpu, ..after };
    Ok(Total { ours: during(before.ours, after.ours), nats: during(before.nats, after.nats) })
}

fn used(cells: &[Cell]) -> anyhow::Result<Total> {
    let add = |to: &mut Use, more: Use| {
        to.cpu += more.cpu;
        to.resident += more.resident;
        to.own += more.own;
    };
    let mut total = Total::default();
    for cell in cells {
        add(&mut total.ours, Use::of(cell.program.id())?);
    }
    // The nats-servers are this program's children, as the cells are.
    let servers = children(std::process::id(), "nats-server")?;
    anyhow::ensure!(servers.len() == cells.len(), "{} nats-servers for {} cells", servers.len(), cells.len());
    for server in servers {
        add(&mut total.nats, Use::of(server)?);
    }
    Ok(total)
}

fn line(what: &str, total: Total, seconds: f64, counties: f64) -> String {
    let thousandths = |used: Use| used.cpu / seconds * 1000.0;
    format!(
        "{what:<28} {:>11.1}  {:>11.1}  {:>11.1}  {:>11.1}   {:.2} of a core's thousandths, {:.1} MiB",
        thousandths(total.ours),
        thousandths(total.nats),
        mebibytes(total.ours.own),
        mebibytes(total.nats.own),
        (thousandths(total.ours) + thousandths(total.nats)) / counties,
        mebibytes(total.ours.own + total.nats.own) / counties
    )
}
