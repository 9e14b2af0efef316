//! How somebody wants to be told that something waits for them, and the words in which they are.

use kernel::{Invalid, TextVariant};

use super::text;

/// The longest line of an address, in characters.
const LONGEST_LINE: usize = 60;
/// Most and fewest lines of an address, below the name.
const LINES: std::ops::RangeInclusive<usize> = 2..=5;

/// The way in which somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Channel {
    /// In the service only.
    #[default]
    InService,
    /// By e-mail.
    Email,
    /// By a printed letter.
    Letter,
}

impl Channel {
    /// Every way.
    pub const ALL: [Channel; 3] = [Channel::InService, Channel::Email, Channel::Letter];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::InService => "in_service",
            Channel::Email => "email",
            Channel::Letter => "letter",
        }
    }
}

/// How somebody wants to be told. C2, and the form may tell of a need (C3): it is stored sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// The way.
    pub channel: Channel,
    /// Language and form of the message.
    pub form: TextVariant,
    /// E-mail address, or empty.
    pub email: String,
    /// Postal address below the name.
    pub address_lines: Vec<String>,
}

impl Default for Contact {
    fn default() -> Self {
        Self {
            channel: Channel::InService,
            form: TextVariant::Finnish,
            email: String::new(),
            address_lines: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Contact {
    /// Leaves the addresses and the form out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Contact {
    /// A choice that can be carried out. The field at fault goes with the refusal.
    ///
    /// # Errors
    /// The name of the field, and why.
    pub fn new(
        channel: Channel,
        form: &str,
        email: &str,
        address_lines: &[String],
    ) -> Result<Contact, (&'static str, Invalid)> {
        let form = text::language(form).map_err(|why| ("contact.form", why))?;
        let email = text::email(email).map_err(|why| ("contact.email", why))?;
        let address_lines = lines(address_lines).map_err(|why| ("contact.address_lines", why))?;
        match channel {
            Channel::Email if email.is_empty() => {
                let why = Invalid::new("whoever is told by e-mail has an address", "send the e-mail address");
                Err(("contact.email", why))
            }
            Channel::Letter if address_lines.is_empty() => {
                let why = Invalid::new(
                    "whoever is told by letter has an address",
                    "send the postal address, line by line",
                );
                Err(("contact.address_lines", why))
            }
            _ => Ok(Contact { channel, form, email, address_lines }),
        }
    }
}

/// Lines of a postal address, or none.
fn lines(lines: &[String]) -> Result<Vec<String>, Invalid> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let trimmed: Vec<String> = lines.iter().map(|line| line.trim().to_owned()).collect();
    let fits = |line: &String| {
        (1..=LONGEST_LINE).contains(&line.chars().count()) && !line.chars().any(char::is_control)
    };
    if LINES.contains(&trimmed.len()) && trimmed.iter().all(fits) {
        return Ok(trimmed);
    }
    Err(Invalid::new(
        "a postal address has 2 to 5 lines of at most 60 characters",
        "send for example street, and postal code with town",
    ))
}

/// What a message says: that something waits, and nothing of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Subject or heading.
    pub subject: &'static str,
    /// Text.
    pub body: &'static str,
}

/// The message in this form; where there is none in it, in the nearest language that there is.
pub fn message(form: TextVariant) -> Message {
    let text = match form {
        TextVariant::EasyFinnish => include_str!("../../data/message/fi-selko.txt"),
        TextVariant::Swedish | TextVariant::EasySwedish => include_str!("../../data/message/sv.txt"),
        TextVariant::English => include_str!("../../data/message/en.txt"),
        TextVariant::Finnish
        | TextVariant::NorthernSami
        | TextVariant::InariSami
        | TextVariant::SkoltSami => include_str!("../../data/message/fi.txt"),
    };
    let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
    Message { subject, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_a_message_that_says_nothing_of_what_waits() {
        for form in TextVariant::ALL {
            let Message { subject, body } = message(form);
            assert!(!subject.is_empty() && subject.chars().count() < 70, "{form}");
            assert!(body.lines().count() > 2 && body.ends_with('\n'), "{form}");
            let both = format!("{subject} {body}").to_lowercase();
            for word in ["http", "vaali", "ehdotus", "asiakas", "vammais", "kort", "card", "{"] {
                assert!(!both.contains(word), "{form}: {word}");
            }
        }
        assert_ne!(message(TextVariant::Finnish), message(TextVariant::EasyFinnish));
    }

    #[test]
    fn a_choice_has_what_it_needs() {
        let lines = ["Rantatie 1", "91100 Ii"].map(str::to_owned);
        let new = |channel, email: &str, lines: &[String]| {
            Contact::new(channel, "fi-selko", email, lines).map_err(|(field, _)| field)
        };
        assert!(new(Channel::InService, "", &[]).is_ok());
        assert!(new(Channel::Email, "aino@esimerkki.fi", &[]).is_ok());
        assert!(new(Channel::Letter, "", &lines).is_ok());
        assert_eq!(new(Channel::Email, "", &lines), Err("contact.email"));
        assert_eq!(new(Channel::Email, "aino@esimerkki.fi\r\nBcc: x@y.fi", &[]), Err("contact.email"));
        assert_eq!(new(Channel::Letter, "aino@esimerkki.fi", &[]), Err("contact.address_lines"));
        for bad in [
            vec!["Rantatie 1".to_owned()],
            vec!["x".repeat(61), "91100 Ii".to_owned()],
            vec![String::new(); 2],
        ] {
            assert_eq!(new(Channel::Letter, "", &bad), Err("contact.address_lines"), "{bad:?}");
        }
        let wrong = Contact::new(Channel::InService, "klingon", "", &[]).map_err(|(field, _)| field);
        assert_eq!(wrong, Err("contact.form"));
        let shown = format!("{:?}", new(Channel::Letter, "aino@esimerkki.fi", &lines).unwrap());
        assert!(!shown.contains("aino") && !shown.contains("Ranta") && !shown.contains("Easy"), "{shown}");
    }
}
