//! Form of the texts of answers, plans and loop cards: trimmed, not too long, there where a rule asks for it.

use kernel::{Date, Fault, Invalid};

/// Most characters of a text.
pub const TEXT: usize = 5_000;
/// Most characters of a line: a role, a body, a step of a plan.
pub const LINE: usize = 200;

/// The text, trimmed; it may be empty.
///
/// # Errors
/// Invalid, naming the field, for one that is too long.
pub fn optional(field: &str, text: &str, most: usize) -> Result<String, Fault> {
    let text = text.trim();
    if text.chars().count() <= most {
        return Ok(text.to_owned());
    }
    let rule = format!("a text of this field has at most {most} characters");
    Err(Invalid::new(rule, "shorten it").in_field(field))
}

/// The text, trimmed; `rule` says why it may not be empty.
///
/// # Errors
/// Invalid, naming the field, for one that is empty or too long.
pub fn required(field: &str, text: &str, most: usize, rule: &'static str) -> Result<String, Fault> {
    let text = optional(field, text, most)?;
    if text.is_empty() {
        return Err(Invalid::new(rule, "write it").in_field(field));
    }
    Ok(text)
}

/// A day that is named and not before `first`; `rule` says why.
///
/// # Errors
/// Invalid, naming the field.
pub fn day_from(field: &str, day: Option<Date>, first: Date, rule: &'static str) -> Result<Date, Fault> {
    let remedy = || format!("send a day from {first} on");
    day.filter(|day| *day >= first).ok_or_else(|| Invalid::new(rule, remedy()).in_field(field))
}
