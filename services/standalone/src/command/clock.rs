//! `clock`: the business clock.

use kernel::{Timestamp, deadline};
use proto::messaging::GetClockRequest;
use serde::Serialize;

use crate::cli::{ClockCommand, Remote};
use crate::client::Account;
use crate::demo;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};
use crate::services;

#[derive(Serialize)]
struct Clock {
    service: &'static str,
    now: String,
    in_finland: String,
    settable: bool,
}

pub(super) async fn run(command: ClockCommand, screen: Screen) -> Result<Exit, Failure> {
    match command {
        ClockCommand::Get { remote } => show(&remote.account()?, screen).await,
        ClockCommand::Set { time, remote } => set(&time, &remote, screen).await,
    }
}

async fn set(time: &str, remote: &Remote, screen: Screen) -> Result<Exit, Failure> {
    let to = read(time)?;
    let account = remote.account()?;
    for service in services::names() {
        demo::set_clock(&account, service, to)
            .await
            .map_err(|status| Failure::from(status).during(service))?;
    }
    show(&account, screen).await
}

async fn show(account: &Account, screen: Screen) -> Result<Exit, Failure> {
    let mut clocks = Vec::new();
    for service in services::names() {
        let request = GetClockRequest { service: service.to_owned() };
        let answer = account.operator(service).get_clock(request).await;
        let answer = answer.map_err(|status| Failure::from(status).during(service))?.into_inner();
        let now = answer.now.unwrap_or_default();
        let now = Timestamp::from_micros(now.seconds * 1_000_000 + i64::from(now.nanos / 1_000));
        let local = now.to_helsinki();
        clocks.push(Clock {
            service,
            now: now.to_string(),
            in_finland: format!(
                "{} {:02}:{:02}:{:02}",
                local.date(),
                local.hour(),
                local.minute(),
                local.second()
            ),
            settable: answer.settable,
        });
    }
    screen.result(&clocks, || {
        let yes_or_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let rows = clocks.iter().map(|clock| {
            [clock.service.to_owned(), clock.now.clone(), clock.in_finland.clone(), yes_or_no(clock.settable)]
        });
        table(["Service", "Business clock", "In Finland", "Can be set"], rows, &[])
    })?;
    Ok(Exit::Done)
}

/// A moment, or nine in the morning of a day.
fn read(text: &str) -> Result<Timestamp, Failure> {
    if let Ok(date) = deadline::parse_date(text) {
        return Ok(deadline::start_of_day(date) + time::Duration::hours(9));
    }
    text.parse().map_err(|_| {
        Failure::new(Exit::Usage, format!("{text:?} is neither a time nor a day"))
            .remedy("Write 2026-04-13T09:00:00+03:00 or 2026-04-13")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_means_nine_in_the_morning_in_finland_summer_and_winter() {
        assert_eq!(read("2026-04-13").expect("a day").to_string(), "2026-04-13T06:00:00Z");
        assert_eq!(read("2026-03-02").expect("a day").to_string(), "2026-03-02T07:00:00Z");
        assert_eq!(read("2026-04-13T09:00:00+03:00").expect("a time").to_string(), "2026-04-13T06:00:00Z");
        assert_eq!(read("tomorrow").expect_err("neither").exit, Exit::Usage);
    }
}
