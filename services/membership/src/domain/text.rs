//! Short texts that come from outside: each has a form, checked once, where it comes in.

use kernel::{Invalid, TextVariant};

/// The longest name or key, in characters.
const LONGEST: usize = 100;

/// A name to show, of a person, unit or region: 1 to 100 characters, no control characters, trimmed.
pub fn name(text: &str) -> Result<String, Invalid> {
    let trimmed = text.trim();
    let fits = (1..=LONGEST).contains(&trimmed.chars().count());
    if fits && !trimmed.chars().any(char::is_control) {
        return Ok(trimmed.to_owned());
    }
    Err(Invalid::new("a name has 1 to 100 characters on one line", "send a name of at most 100 characters"))
}

/// A county's own key of a person: 1 to 100 characters without spaces.
pub fn register_key(text: &str) -> Result<String, Invalid> {
    let fits = (1..=LONGEST).contains(&text.chars().count());
    if fits && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new(
        "a register key has 1 to 100 characters without spaces",
        "send the key that the county's own register gives the person, for example \"A-1024\"",
    ))
}

/// What links one human over counties, or nothing: up to 200 characters without spaces. Capitals do not matter.
pub fn identity_link(text: &str) -> Result<Option<String>, Invalid> {
    let link = text.trim().to_lowercase();
    if link.is_empty() {
        return Ok(None);
    }
    if link.chars().count() <= 2 * LONGEST && !link.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(Some(link));
    }
    Err(Invalid::new(
        "an identity link has at most 200 characters without spaces",
        "send the identity provider's subject or the key agreed between the counties, or leave it empty",
    ))
}

/// A service group, for example "disability_services": 3 to 40 characters of a-z, 0-9 and underscore, a letter first.
pub fn group(text: &str) -> Result<String, Invalid> {
    let ok = (3..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if ok {
        return Ok(text.to_owned());
    }
    Err(Invalid::new(
        "a service group is 3 to 40 characters of a-z, 0-9 and underscore, and begins with a letter",
        "send for example \"disability_services\"",
    ))
}

/// The language a person wants to be addressed in; empty means Finnish.
pub fn language(text: &str) -> Result<TextVariant, Invalid> {
    if text.is_empty() { Ok(TextVariant::Finnish) } else { text.parse() }
}

/// An e-mail address, or empty. Only what would break a mail program is refused.
pub fn email(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let parts = text.split_once('@');
    let ok = text.is_empty()
        || (text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == ',' || c == ';')
            && parts.is_some_and(|(local, host)| {
                !local.is_empty() && host.contains('.') && !host.contains('@') && !host.ends_with('.')
            }));
    if ok {
        return Ok(text.to_owned());
    }
    Err(Invalid::new(
        "an e-mail address has one @ and a host with a dot",
        "send for example \"nimi@esimerkki.fi\", or leave it empty",
    ))
}

/// A phone number, or empty: digits with spaces and hyphens between, a plus in front allowed. Stored as typed.
pub fn phone(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let ok = text.is_empty()
        || (text.len() <= 30
            && digits.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-')
            && digits.chars().filter(char::is_ascii_digit).count() >= 5);
    if ok {
        return Ok(text.to_owned());
    }
    Err(Invalid::new(
        "a phone number is at least five digits, with spaces and hyphens between them",
        "send for example \"+358 40 123 4567\", or leave it empty",
    ))
}

/// The name of a service account: 3 to 40 characters of a-z, 0-9 and hyphen.
pub fn account(text: &str) -> Result<String, Invalid> {
    let ok = (3..=40).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if ok {
        return Ok(text.to_owned());
    }
    Err(Invalid::new(
        "an account name is 3 to 40 characters of a-z, 0-9 and hyphen",
        "send for example \"county-data-warehouse\"",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_have_one_line() {
        assert_eq!(name(" Aino Esimerkki ").unwrap(), "Aino Esimerkki");
        for bad in ["", "   ", "a\nb", &"x".repeat(101)] {
            assert!(name(bad).is_err(), "{bad:?} was taken");
        }
        assert!(name(&"å".repeat(100)).is_ok());
    }

    #[test]
    fn addresses_and_numbers_that_cannot_work_are_refused() {
        for good in ["", "a@b.fi", "etu.suku@kunta.esimerkki.fi"] {
            assert!(email(good).is_ok(), "{good:?} was refused");
        }
        for bad in ["a", "a@b", "@b.fi", "a@b.fi, c@d.fi", "a@b@c.fi", "a@b.fi."] {
            assert!(email(bad).is_err(), "{bad:?} was taken");
        }
        for good in ["", "+358 40 123 4567", "08-123456"] {
            assert!(phone(good).is_ok(), "{good:?} was refused");
        }
        for bad in ["1234", "soita minulle", "+", "04012345678901234567890123456789"] {
            assert!(phone(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn links_are_one_spelling() {
        assert_eq!(identity_link(" ABC-1 ").unwrap(), Some("abc-1".to_owned()));
        assert_eq!(identity_link("").unwrap(), None);
        assert!(identity_link("a b").is_err());
    }
}
