//! E-mail: the one way out of the platform to an address. A message says that something waits, see
//! [`contact`]; no address, and nothing a mail server says of one, is ever logged.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde::Deserialize;
use tokio::time::timeout;

use crate::domain::contact;

/// How long the mail server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take to take a message: the library limits each answer only, and a job ends after 30 seconds.
const SENDING: Duration = Duration::from_secs(25);

/// What a server says of the recipient's address (RFC 3463): no such mailbox, no such system, badly written, moved, no
/// mail taken there, mailbox closed.
const NO_SUCH_ADDRESS: [&str; 6] = ["5.1.1 ", "5.1.2 ", "5.1.3 ", "5.1.6 ", "5.1.10 ", "5.2.1 "];

/// The service's own settings.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// The mail server.
    pub smtp: Smtp,
}

/// `services.membership.smtp`.
#[derive(Debug, Deserialize)]
pub struct Smtp {
    /// Name of the server; empty for none.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// "starttls", "tls" or "none".
    pub tls: String,
    /// User, or empty.
    pub user: String,
    /// File with the password, or empty.
    pub password_file: String,
    /// Address of the sender.
    pub from: String,
}

/// A setting that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Which, below `services.membership`.
    pub key: &'static str,
    /// The rule.
    pub rule: String,
    /// What to do.
    pub remedy: &'static str,
}

/// Says that nobody wrote the message, so that no machine answers it (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Why a message did not get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It may later.
    ForNow,
    /// There is no such address.
    ForGood,
}

/// Sends messages by one mail server. Clones share it.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// The mailer of these settings; None if no server is named.
    ///
    /// # Errors
    /// The first setting that breaks a rule.
    pub fn new(settings: &Smtp) -> Result<Option<Mailer>, Wrong> {
        let Smtp { host, port, tls, user, password_file, from } = settings;
        if host.is_empty() {
            let set = [("smtp.user", user), ("smtp.password_file", password_file), ("smtp.from", from)];
            return match set.into_iter().find(|(_, value)| !value.is_empty()) {
                Some((key, _)) => Err(wrong(
                    key,
                    "without smtp.host no e-mail is sent",
                    "name the server, or leave both empty",
                )),
                None => Ok(None),
            };
        }
        let sender = "must be the address from which e-mail comes";
        let from: Mailbox = from
            .parse()
            .map_err(|_| wrong("smtp.from", sender, "write something like osallisuus@esimerkki.fi"))?;
        if user.is_empty() != password_file.is_empty() {
            let key = if user.is_empty() { "smtp.user" } else { "smtp.password_file" };
            return Err(wrong(key, "user and password_file go together", "set both, or neither"));
        }
        let is_here = ["localhost", "127.0.0.1", "::1"].contains(&host.as_str());
        let parameters = || {
            let built = TlsParameters::new_rustls(host.clone());
            built.map_err(|_| {
                wrong("smtp.host", "must be a name that a certificate can have", "name the server")
            })
        };
        let tls = match tls.as_str() {
            "starttls" => Tls::Required(parameters()?),
            "tls" => Tls::Wrapper(parameters()?),
            "none" if is_here => Tls::None,
            "none" => {
                let rule = "e-mail leaves this machine encrypted";
                return Err(wrong("smtp.tls", rule, "write starttls or tls"));
            }
            _ => return Err(wrong("smtp.tls", "must be starttls, tls or none", "write starttls")),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.as_str());
        let mut builder = builder.port(*port).tls(tls).timeout(Some(PATIENCE));
        if !user.is_empty() {
            builder =
                builder.credentials(Credentials::new(user.clone(), password(Path::new(password_file))?));
        }
        Ok(Some(Mailer { transport: builder.build(), from }))
    }

    /// Sends a message. The same `id` gives the same message id, by which a message that was sent twice is known.
    ///
    /// # Errors
    /// Whether it may get through later.
    pub async fn send(&self, to: &str, id: &str, message: contact::Message) -> Result<(), Failure> {
        let to: Mailbox = to.parse().map_err(|_| Failure::ForGood)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(message.subject)
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(lettre::message::header::ContentType::TEXT_PLAIN)
            .header(AutoSubmitted)
            .body(message.body.to_owned())
            .map_err(|_| Failure::ForGood)?;
        match timeout(SENDING, self.transport.send(message)).await {
            Ok(sent) => sent.map(|_| ()).map_err(|error| failure(&error)),
            Err(_) => Err(Failure::ForNow),
        }
    }

    /// Whether the server answers and takes the user's password; a sentence if not.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn check(&self) -> Result<(), String> {
        match timeout(PATIENCE, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("the mail server ends the connection".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer within ten seconds".to_owned()),
        }
    }
}

impl fmt::Debug for Mailer {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer")
    }
}

/// Only what is said of the recipient's address is for good: the server refuses for good, too, whoever has a wrong password
/// or may not send (5xx), and that is mended for all messages at once.
fn failure(error: &Error) -> Failure {
    let says = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let is_of_recipient = error.is_permanent() && NO_SUCH_ADDRESS.iter().any(|code| says.starts_with(code));
    if is_of_recipient { Failure::ForGood } else { Failure::ForNow }
}

fn password(file: &Path) -> Result<String, Wrong> {
    let text = std::fs::read_to_string(file).map_err(|error| Wrong {
        key: "smtp.password_file",
        rule: format!("{}: {error}", file.display()),
        remedy: "name a file that this user can read",
    })?;
    let password = text.trim();
    if password.is_empty() {
        return Err(wrong("smtp.password_file", "the file is empty", "write the password into it"));
    }
    Ok(password.to_owned())
}

fn wrong(key: &'static str, rule: &str, remedy: &'static str) -> Wrong {
    Wrong { key, rule: rule.to_owned(), remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Smtp {
        Smtp {
            host: "mail.esimerkki.fi".to_owned(),
            port: 587,
            tls: "starttls".to_owned(),
            user: String::new(),
            password_file: String::new(),
            from: "osallisuus@esimerkki.fi".to_owned(),
        }
    }

    #[test]
    fn settings_that_are_half_given_are_refused() {
        let key =
            |settings: Smtp| Mailer::new(&settings).map(|mailer| mailer.is_some()).map_err(|wrong| wrong.key);
        let text = str::to_owned;
        assert_eq!(key(Smtp { host: String::new(), from: String::new(), ..settings() }), Ok(false));
        assert_eq!(key(Smtp { host: String::new(), ..settings() }), Err("smtp.from"));
        assert_eq!(key(Smtp { from: String::new(), ..settings() }), Err("smtp.from"));
        assert_eq!(key(Smtp { user: text("notices"), ..settings() }), Err("smtp.password_file"));
        assert_eq!(key(Smtp { password_file: text("/x"), ..settings() }), Err("smtp.user"));
        let missing = Smtp { user: text("notices"), password_file: text("/no/such/file"), ..settings() };
        assert_eq!(key(missing), Err("smtp.password_file"));
        assert_eq!(
            key(Smtp { tls: text("none"), ..settings() }),
            Err("smtp.tls"),
            "in the clear beyond this machine"
        );
        assert_eq!(key(Smtp { tls: text("ssl"), ..settings() }), Err("smtp.tls"));
        assert_eq!(key(Smtp { tls: text("none"), host: text("127.0.0.1"), ..settings() }), Ok(true));
    }
}
