//! Memory of each service in a process of its own: at rest, under load and over a soak.

use std::time::Duration;

use serde_json::Value;
use standalone::services::SERVICES;
use testkit::system::Store;

use super::process::Use;
use super::subject::Subject;
use super::{mebibytes, rates, say};

/// How long a system is left alone before its memory at rest is read.
const REST: Duration = Duration::from_secs(20);

/// Measures both databases and prints.
///
/// # Errors
/// If the system or the load does not run.
pub async fn report(rate: u32, seconds: u32) -> anyhow::Result<()> {
    say(&format!(
        "\nMemory, each service in a process of its own: at rest, then {rate} commands a second for {seconds} s"
    ));
    for store in [Store::Sqlite, Store::Postgres] {
        let subject = Subject::start_apart(store).await?;
        tokio::time::sleep(REST).await;
        let mut rest = Vec::new();
        for program in &subject.programs {
            rest.push(Use::of(program.id())?);
        }
        let (rate, seconds) = (rate.to_string(), seconds.to_string());
        let load =
            subject.load(&["--mix", "writing", "--rate", &rate, "--duration", &seconds, "--soak"]).await?;
        for (service, rest) in SERVICES.iter().zip(rest) {
            say(&line(store, service.name, rest, &load));
        }
        say(&format!(
            "{store:?}: {} calls acknowledged at {:.0}/s, p99 {:.1} ms, {} failed",
            load["ok"],
            load["achieved"].as_f64().unwrap_or(f64::NAN),
            load["all"]["p99"].as_f64().unwrap_or(f64::NAN),
            rates::failed(&load)
        ));
        subject.finish().await?;
    }
    Ok(())
}

fn line(store: Store, service: &str, rest: Use, load: &Value) -> String {
    let memory = load["memory"].as_array().into_iter().flatten().find(|memory| memory["service"] == service);
    let of = |name: &str| memory.and_then(|memory| memory[name].as_u64()).map_or(f64::NAN, mebibytes);
    let growth = memory.and_then(|memory| memory["growth"].as_f64()).unwrap_or(f64::NAN);
    format!(
        "{store:?} {service:<11} at rest {:.1} MiB ({:.1} its own); under load at most {:.1} MiB, at the end {:.1} MiB; \
         growth over the second half {growth:.1} MiB/h",
        mebibytes(rest.resident),
        mebibytes(rest.own),
        of("max"),
        of("end")
    )
}
