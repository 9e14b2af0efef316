//! `doctor`: what is wrong with an installation, and what to do.
//!
//! Looks and changes nothing; may be run beside a running system.

mod certificates;
mod checks;
mod mail;

use std::fmt;

use serde::Serialize;

use crate::cli::Installation;
use crate::exit::{Exit, Failure};
use crate::screen::{Screen, table};

/// What a look at one thing found.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    state: State,
    detail: String,
    /// What to do; empty if nothing.
    #[serde(skip_serializing_if = "String::is_empty")]
    remedy: String,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Note,
    Fault,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Ok => "ok",
            State::Note => "note",
            State::Fault => "FAULT",
        })
    }
}

impl Finding {
    fn ok(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Ok,
            detail: detail.into(),
            remedy: String::new(),
            exit: Exit::Done,
        }
    }

    fn note(what: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { state: State::Note, remedy: remedy.into(), ..Self::ok(what, detail) }
    }

    fn fault(
        what: impl Into<String>,
        exit: Exit,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { state: State::Fault, exit, ..Self::note(what, detail, remedy) }
    }
}

pub(super) async fn run(installation: &Installation, screen: Screen) -> Result<Exit, Failure> {
    let findings = match installation.load() {
        Err(failure) => {
            let faults = failure.details.iter();
            faults
                .map(|fault| {
                    Finding::fault("configuration", Exit::Configuration, fault, "Correct the setting.")
                })
                .collect()
        }
        Ok(config) => checks::all(&config).await,
    };
    screen.result(&findings, || text(&findings))?;
    // What stands first in a start comes first here, so the first fault is the one to mend first.
    let first = findings.iter().find(|finding| finding.state == State::Fault);
    Ok(first.map_or(Exit::Done, |finding| finding.exit))
}

fn text(findings: &[Finding]) -> String {
    let rows = findings
        .iter()
        .map(|finding| [finding.what.clone(), finding.state.to_string(), finding.detail.clone()]);
    let mut text = table(["Looked at", "State", "Found"], rows, &[]);
    for finding in findings.iter().filter(|finding| !finding.remedy.is_empty()) {
        text += &format!("\n\n{}: {}", finding.what, finding.remedy);
    }
    text
}
