//! The whole vocabulary of refusals and failures.
//!
//! A fault has a *kind* (what the client can do about it; chassis maps it to a gRPC status in one table), a
//! stable *code* (what programs and translations look at), a *public message* in English, and an *internal
//! text* that goes to the log and never to the client. Public texts in other languages are the portal's business.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What sort of answer a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The request itself is wrong, whatever the state: correct it.
    Invalid,
    /// No valid token: sign in.
    Unauthenticated,
    /// A valid token without the right: asking again does not help.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// Refused because of the state things are in: look again, then decide.
    Conflict,
    /// Refused because it exists already, and differs from what was asked.
    AlreadyExists,
    /// Too much at once: wait.
    ResourceExhausted,
    /// Cannot be done at this moment: the same request, with the same idempotency key, may be sent again.
    Unavailable,
    /// Our own failure.
    Internal,
}

/// One field of the request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// Dotted path of the field, for example `seats[2].municipality`.
    pub field: String,
    /// The rule it broke.
    pub rule: Cow<'static, str>,
    /// What to send instead.
    pub remedy: Cow<'static, str>,
}

/// A refusal or a failure, for the client and for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    code: Cow<'static, str>,
    message: String,
    fields: Vec<FieldFault>,
    retry_after: Option<Duration>,
    internal: Option<String>,
}

impl Fault {
    /// A fault of this kind. `code` is "service.reason" in snake case, for example "forums.round_closed", and
    /// never changes once published; `message` is public English that names the rule and the remedy and holds no
    /// personal data.
    pub fn new(kind: FaultKind, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            fields: Vec::new(),
            retry_after: None,
            internal: None,
        }
    }

    /// The request is wrong, whatever the state. Name its fields with [`field`](Self::field).
    pub fn invalid(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Invalid, code, message)
    }

    /// No valid token.
    pub fn unauthenticated(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Unauthenticated, code, message)
    }

    /// The caller may not.
    pub fn forbidden(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Forbidden, code, message)
    }

    /// There is no such thing, or the caller may not know of it.
    pub fn not_found(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::NotFound, code, message)
    }

    /// Refused because of the state things are in.
    pub fn conflict(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Conflict, code, message)
    }

    /// Refused because it exists already.
    pub fn already_exists(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::AlreadyExists, code, message)
    }

    /// Too much at once. Say how long to wait with [`retry_after`](Self::with_retry_after).
    pub fn resource_exhausted(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::ResourceExhausted, code, message)
    }

    /// Cannot be done at this moment.
    pub fn unavailable(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Unavailable, code, message)
    }

    /// Our own failure. The error's text (with its chain, if it writes one for `{:#}`) goes to the log only; the
    /// client learns that it was us.
    pub fn internal(error: impl fmt::Display) -> Self {
        Self::new(
            FaultKind::Internal,
            "internal",
            "The server failed to do this. It was not your request's fault.",
        )
        .because(error)
    }

    /// Adds a field of the request that was refused, with the rule it broke and the remedy.
    #[must_use]
    pub fn field(
        mut self,
        field: impl Into<String>,
        rule: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.fields.push(FieldFault { field: field.into(), rule: rule.into(), remedy: remedy.into() });
        self
    }

    /// Tells the client how long to wait before asking again.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds the internal text: what the log needs and the client must not see.
    #[must_use]
    pub fn because(mut self, error: impl fmt::Display) -> Self {
        self.internal = Some(format!("{error:#}"));
        self
    }

    /// What sort of answer this is.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The stable code, for example "forums.round_closed".
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The public message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields refused; empty unless the request itself is wrong.
    pub fn fields(&self) -> &[FieldFault] {
        &self.fields
    }

    /// How long to wait before asking again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The internal text, for the log only.
    pub fn internal_text(&self) -> Option<&str> {
        self.internal.as_deref()
    }
}

impl fmt::Display for Fault {
    /// Code and public message; never the internal text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_inside_is_never_shown() {
        let fault = Fault::internal("password for the database is hunter2");
        assert_eq!((fault.kind(), fault.code()), (FaultKind::Internal, "internal"));
        assert_eq!(fault.internal_text(), Some("password for the database is hunter2"));
        assert!(!fault.message().contains("hunter2"));
        assert!(!fault.to_string().contains("hunter2"));
    }

    #[test]
    fn a_fault_names_every_field() {
        let fault = Fault::invalid("forums.seat_plan", "The seats do not add up.")
            .field("total", "the total is the sum of the seats", "send 28")
            .field("seats[0].seats", "a municipality has at least one seat", "send 1 or more");
        let fields: Vec<&str> = fault.fields().iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["total", "seats[0].seats"]);
        assert_eq!(fault.to_string(), "forums.seat_plan: The seats do not add up.");
    }

    #[test]
    fn each_constructor_gives_its_kind() {
        let made = [
            (Fault::invalid("a", "b"), FaultKind::Invalid),
            (Fault::unauthenticated("a", "b"), FaultKind::Unauthenticated),
            (Fault::forbidden("a", "b"), FaultKind::Forbidden),
            (Fault::not_found("a", "b"), FaultKind::NotFound),
            (Fault::conflict("a", "b"), FaultKind::Conflict),
            (Fault::already_exists("a", "b"), FaultKind::AlreadyExists),
            (Fault::resource_exhausted("a", "b"), FaultKind::ResourceExhausted),
            (Fault::unavailable("a", "b"), FaultKind::Unavailable),
        ];
        for (fault, kind) in made {
            assert_eq!(fault.kind(), kind);
            assert_eq!((fault.code(), fault.message()), ("a", "b"));
            assert_eq!((fault.fields().len(), fault.retry_after(), fault.internal_text()), (0, None, None));
        }
    }

    #[test]
    fn a_fault_may_say_how_long_to_wait() {
        let fault = Fault::unavailable("db.busy", "The database is busy.")
            .with_retry_after(Duration::from_secs(2))
            .because("database is locked");
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(2)));
        assert_eq!(fault.internal_text(), Some("database is locked"));
    }
}
