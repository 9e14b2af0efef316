//! The audit log: who did or read what, when and why (Act 906/2019, 17 §; SEC-40, SEC-41).
//!
//! Every database has one table `audit_log`, whose rows are a chain: dense numbers, each row with the hash of the one
//! before. Nothing but the [`Writer`](crate::Writer) adds to it:
//!
//! - of a **change**, in the transaction of the command itself, whether it was done or refused by a rule; a repeated
//!   command that gets its stored answer is no new decision and has no row;
//! - of a **reading** of another person's data, before the handler may read: no log, no data;
//! - of an **operator's act** on the machinery, before it;
//! - of a **denial** of somebody who was identified.
//!
//! A row holds references, never content: ids from the fields that the access option of the RPC names, and a purpose.
//! The table is append-only by triggers and, on PostgreSQL with an owner of its own, by the rights of the role. That
//! keeps rows from being rewritten by the system and by mistake; whoever owns the database can drop a trigger and make
//! a new chain, which is found by a copy of the rows outside ([`verify`] against an export).
//!
//! | file | what it does |
//! | --- | --- |
//! | `audit.rs` | what goes into a row |
//! | `audit/chain.rs` | rows, their hashes, and the check of a chain |
//! | `audit/read.rs` | pages of rows |
//! | `audit/prune.rs` | forgetting rows whose time is over |

mod chain;
mod prune;
mod read;

use kernel::{ActingMode, Caller, Fault, Identity, Role, ScopeRef, TenantId, Uuid};

pub use chain::{Break, Broken, Head, Row, Verifier, verify};
pub use prune::{Pruned, beginning, prune};
pub(crate) use read::head;
pub use read::{PAGE, Whose, page};

/// What is written down of a call. The writer adds number, time, cause and outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The county in whose name the caller acted, if it is one; auditors of a county see its rows.
    pub tenant: Option<TenantId>,
    /// The caller as this service knows them: own reference, or name of a service; empty if nobody signed in.
    pub actor: String,
    /// What the actor is.
    pub actor_kind: ActorKind,
    /// How the act came about, for example "on_behalf".
    pub mode: ActingMode,
    /// gRPC path.
    pub rpc: &'static str,
    /// What it was about: `name=id`, separated by spaces.
    pub resource: String,
    /// Why, in the caller's words; empty where the RPC asks for no reason.
    pub purpose: String,
}

/// What an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// Nobody signed in: the doors of sign-in.
    Anonymous,
    /// A person.
    Person,
    /// Somebody who holds the role of an operator.
    Operator,
    /// One of the platform's services, or a system of the county.
    Service,
}

impl ActorKind {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            ActorKind::Anonymous => "anonymous",
            ActorKind::Person => "person",
            ActorKind::Operator => "operator",
            ActorKind::Service => "service",
        }
    }
}

impl Entry {
    /// What a call by this caller leaves, acting in the name of `tenant`. Without one it is the caller's own county,
    /// if they have exactly one.
    pub fn new(caller: &Caller, rpc: &'static str, tenant: Option<TenantId>) -> Self {
        let only = || if let [only] = caller.tenants[..] { Some(only) } else { None };
        let (actor, actor_kind) = match &caller.identity {
            Identity::Anonymous => (String::new(), ActorKind::Anonymous),
            Identity::Person(subject) => (subject.to_string(), ActorKind::Person),
            Identity::Service(name) => (name.clone(), ActorKind::Service),
        };
        let operates = caller.holds(&[Role::Operator], &ScopeRef::Cell);
        let mut entry = Self {
            tenant: tenant.or_else(only),
            actor,
            actor_kind: if operates { ActorKind::Operator } else { actor_kind },
            mode: caller.mode,
            rpc,
            resource: String::new(),
            purpose: String::new(),
        };
        if let Some(helper) = &caller.helper {
            // M4: who was beside the member is on record with whatever the member did.
            entry.about("helper", &helper.reference.to_string());
        }
        entry
    }

    /// Adds the value of a request's field. A value that is neither a UUID nor a code of digits is not repeated: it
    /// may be anything.
    pub fn about(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        if !self.resource.is_empty() {
            self.resource.push(' ');
        }
        self.resource.push_str(name);
        self.resource.push('=');
        self.resource.push_str(if is_reference(value) { value } else { "?" });
    }
}

/// Whether a text can be nothing but an id: a UUID, or a code of a county or municipality.
fn is_reference(value: &str) -> bool {
    let is_code = value.len() <= 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    is_code || Uuid::try_parse(value).is_ok() || TenantId::new(value).is_ok()
}

/// How a call ended, as the log says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The command was done.
    Done,
    /// A rule refused it; the fault's code.
    Refused(String),
    /// It was let through, and what came of it is not told.
    Admitted,
    /// The access layer denied it; the fault's code.
    Denied(String),
}

impl Outcome {
    /// How a command ended.
    pub(crate) fn of(answer: &Result<Vec<u8>, Fault>) -> Self {
        match answer {
            Ok(_) => Outcome::Done,
            Err(fault) => Outcome::Refused(fault.code().to_owned()),
        }
    }

    fn words(self) -> (&'static str, &'static str, String) {
        match self {
            Outcome::Done => ("allowed", "done", String::new()),
            Outcome::Refused(code) => ("allowed", "refused", code),
            Outcome::Admitted => ("allowed", "admitted", String::new()),
            Outcome::Denied(code) => ("denied", "refused", code),
        }
    }
}

/// The longest purpose, in characters.
const LONGEST_PURPOSE: usize = 200;
/// So many digits, with nothing but spaces and hyphens between them, are a telephone number.
const PHONE: usize = 9;
/// So many digits in a row are a date of birth or part of a number that names somebody.
const IN_A_ROW: usize = 6;

/// The reason for reading another person's data, as the log keeps it: 3 to 200 characters on one line. It is kept for
/// years, so what looks like a person's number or address is refused; names cannot be told from other words.
///
/// # Errors
/// Invalid, with the field at fault.
pub fn purpose(field: &str, text: &str) -> Result<String, Fault> {
    let trimmed = text.trim();
    let fits = (3..=LONGEST_PURPOSE).contains(&trimmed.chars().count());
    if !fits || trimmed.chars().any(char::is_control) {
        return Err(kernel::Invalid::new(
            "whoever reads people's data says why, in 3 to 200 characters on one line",
            "send for example \"Handing out code cards\"",
        )
        .in_field(field));
    }
    if names_somebody(trimmed) {
        return Err(kernel::Invalid::new(
            "a purpose holds no e-mail address, telephone number or personal identity code: it is kept in the log",
            "say what it is for, and refer to the case",
        )
        .in_field(field));
    }
    Ok(trimmed.to_owned())
}

fn names_somebody(text: &str) -> bool {
    let longest_run = |text: &str| text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    let joined: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    text.contains('@')
        || longest_run(text).is_some_and(|run| run >= IN_A_ROW)
        || longest_run(&joined).is_some_and(|run| run >= PHONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_40_a_resource_holds_ids_and_never_what_stands_in_their_place() {
        let mut entry = Entry::new(&Caller::anonymous(), "/x", None);
        entry.about("tenant", "19");
        entry.about("participant_id", "0190a1b2-0000-7000-8000-000000000001");
        entry.about("municipality", "");
        entry.about("forum_id", "Maija Meikäläinen");
        entry.about("unit_id", "040123456789");
        assert_eq!(
            entry.resource,
            "tenant=19 participant_id=0190a1b2-0000-7000-8000-000000000001 forum_id=? unit_id=?"
        );
    }

    #[test]
    fn sec_40_the_county_is_the_one_granted_or_the_callers_only_one() {
        let tenant = |code| TenantId::new(code).unwrap();
        let both = vec![tenant("19"), tenant("21")];
        for (tenants, granted, expected) in [
            (vec![tenant("19")], None, Some(tenant("19"))),
            (both.clone(), None, None),
            (both, Some(tenant("21")), Some(tenant("21"))),
        ] {
            let caller = Caller { tenants, ..Caller::service("reporting") };
            assert_eq!(Entry::new(&caller, "/x", granted).tenant, expected);
        }
    }

    #[test]
    fn sec_40_a_purpose_is_a_short_line_without_a_persons_numbers() {
        for good in
            ["Handing out code cards", "Case POHDE/12345/2026", "Meeting of 2026-03-04", "Ääni", "a b"]
        {
            assert_eq!(purpose("purpose", &format!(" {good} ")).unwrap(), good);
        }
        let long = "x".repeat(201);
        for bad in [
            "",
            "  a ",
            "two\nlines",
            "maija@example.org",
            "131052-308T",
            "call 040 123 4567",
            "+358-40-1234567",
            &long,
        ] {
            let fault = purpose("purpose", bad).unwrap_err();
            assert_eq!(fault.fields()[0].field, "purpose", "{bad:?}");
        }
    }
}
