//! One error for every value that cannot be read: ids, codes, dates, policy values, page tokens.
//!
//! It says the rule that was broken and what to send instead. It never repeats the value itself, because a
//! value that cannot be read may be anything, a person's name included, and faults are logged.

use std::borrow::Cow;

use crate::Fault;

/// A value that was refused because of its form, before any state was looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}; {remedy}")]
pub struct Invalid {
    /// The rule the value broke, for example "a municipality code has exactly three digits".
    pub rule: Cow<'static, str>,
    /// What to send instead, for example "send \"009\", not \"9\"".
    pub remedy: Cow<'static, str>,
}

impl Invalid {
    /// A refusal with the rule broken and the remedy.
    pub fn new(rule: impl Into<Cow<'static, str>>, remedy: impl Into<Cow<'static, str>>) -> Self {
        Self { rule: rule.into(), remedy: remedy.into() }
    }

    /// The fault to answer with when this value stood in the request's `field`
    /// (dotted path, for example `seat_plan.seats[2].municipality`).
    pub fn in_field(self, field: impl Into<String>) -> Fault {
        let field = field.into();
        let message = format!("{field}: {self}");
        Fault::invalid("request.invalid", message).field(field, self.rule, self.remedy)
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        Fault::invalid("request.invalid", invalid.to_string())
    }
}

#[cfg(test)]
mod tests {
    use crate::{FaultKind, MunicipalityCode};

    #[test]
    fn a_refused_value_names_its_field_rule_and_remedy_but_not_the_value() {
        let fault = MunicipalityCode::new("Maija Meikäläinen").unwrap_err().in_field("seats[2].municipality");
        assert_eq!(fault.kind(), FaultKind::Invalid);
        assert_eq!(fault.code(), "request.invalid");
        let [field] = fault.fields() else { panic!("one field expected: {fault:?}") };
        assert_eq!(field.field, "seats[2].municipality");
        assert_eq!(field.rule, "a municipality code has exactly three digits, zeros included");
        assert_eq!(field.remedy, "send \"009\", not \"9\", for Alavieska");
        assert!(fault.message().starts_with("seats[2].municipality: a municipality code has"));
        assert!(!format!("{fault:?}").contains("Maija"), "the value must not be repeated");
    }
}
