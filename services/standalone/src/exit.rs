//! How a command ends: its exit code, and a failure that says what to do.

use std::fmt;

use kernel::Fault;
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Exit code of the program. Scripts may rely on it; `osallisuus --help` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed, for example because a file has faults.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration is wrong.
    Configuration = 3,
    /// Something that is needed does not answer: a server, the database, NATS.
    Unreachable = 4,
    /// Refused: by the server, or because something would be overwritten.
    Refused = 5,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The exit code it leads to.
    pub exit: Exit,
    /// The server's stable code of a refusal, for example "forums.round_closed"; empty if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What went wrong, in a sentence.
    pub message: String,
    /// Where and why in detail: fields of a request, lines of a file, checks that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to do about it; empty if there is nothing to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Failure {
    /// A failure with this exit code and sentence.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: String::new(),
            message: message.into(),
            details: Vec::new(),
            remedy: String::new(),
        }
    }

    /// A failure of the command itself: exit code 1.
    pub fn general(message: impl Into<String>) -> Self {
        Self::new(Exit::Failure, message)
    }

    /// Adds lines of detail.
    #[must_use]
    pub fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Says what was being done, in front of what went wrong.
    #[must_use]
    pub fn during(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    /// The sentence, the details one a line, and the remedy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.code.is_empty() {
            write!(f, " ({})", self.code)?;
        }
        for detail in &self.details {
            write!(f, "\n  {detail}")?;
        }
        if !self.remedy.is_empty() {
            write!(f, "\n{}", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl From<Status> for Failure {
    /// What a server answered, or that it did not.
    fn from(status: Status) -> Self {
        // What a server says has no cause here; what has one happened to the connection.
        let is_lost = std::error::Error::source(&status).is_some();
        let exit = match status.code() {
            Code::Unavailable | Code::DeadlineExceeded => Exit::Unreachable,
            Code::Cancelled | Code::Unknown if is_lost => Exit::Unreachable,
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unauthenticated => Exit::Refused,
            _ => Exit::Failure,
        };
        let details = status.get_error_details();
        let fields = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
        let code = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
        let message = if status.message().is_empty() {
            format!("the server answered {}", status.code())
        } else {
            status.message().to_owned()
        };
        let failure = Self { code, ..Self::new(exit, message) }
            .details(fields.into_iter().map(|field| format!("{}: {}", field.field, field.description)));
        match status.code() {
            Code::Unauthenticated => failure.remedy("Sign in: osallisuus sign-in"),
            Code::Unavailable => {
                failure.remedy("Is the system running, and is --server right? Try: osallisuus doctor")
            }
            Code::Cancelled | Code::Unknown if is_lost => failure
                .remedy("The connection ended. Does the server ask for a certificate? See --cert and --key."),
            _ => failure,
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let fields = fault.fields().iter();
        let details = fields.map(|field| format!("{}: {}; {}", field.field, field.rule, field.remedy));
        let failure = Self::general(fault.message()).details(details);
        Self { code: fault.code().to_owned(), ..failure }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::general(error.to_string())
    }
}
