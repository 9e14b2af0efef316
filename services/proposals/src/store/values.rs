//! Values between rows and domain. What is stored was valid when it was stored, so anything else is our own failure.

use kernel::{Date, Fault, Invalid, MunicipalityCode, TenantId, TextVariant};

/// The value of an enum by its stored name.
pub(super) fn known<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, Fault> {
    let found = all.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| Fault::internal("a stored name is not one of its kind"))
}

/// A count.
pub(super) fn count(stored: i64) -> Result<u32, Fault> {
    u32::try_from(stored).map_err(Fault::internal)
}

/// A count that may be missing.
pub(super) fn maybe_count(stored: Option<i64>) -> Result<Option<u32>, Fault> {
    stored.map(count).transpose()
}

/// A day.
pub(super) fn day(stored: &str) -> Result<Date, Fault> {
    kernel::deadline::parse_date(stored).map_err(broken)
}

/// A day that may be missing.
pub(super) fn maybe_day(stored: Option<&str>) -> Result<Option<Date>, Fault> {
    stored.map(day).transpose()
}

/// A municipality.
pub(super) fn municipality(stored: &str) -> Result<MunicipalityCode, Fault> {
    MunicipalityCode::new(stored).map_err(broken)
}

/// A county.
pub(super) fn tenant(stored: &str) -> Result<TenantId, Fault> {
    TenantId::new(stored).map_err(broken)
}

/// What a stored value that cannot be read is: our own failure.
pub(super) fn broken(invalid: Invalid) -> Fault {
    Fault::internal(invalid.rule)
}

/// A text in several forms as one text; empty for none.
pub(super) fn forms_text(forms: &[(TextVariant, String)]) -> Result<String, Fault> {
    if forms.is_empty() {
        return Ok(String::new());
    }
    let named: Vec<(&str, &str)> = forms.iter().map(|(form, text)| (form.as_str(), text.as_str())).collect();
    serde_json::to_string(&named).map_err(Fault::internal)
}

/// The forms of such a text.
pub(super) fn forms_of(stored: &str) -> Result<Vec<(TextVariant, String)>, Fault> {
    if stored.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<(String, String)> = serde_json::from_str(stored).map_err(Fault::internal)?;
    named.into_iter().map(|(form, text)| Ok((form.parse().map_err(broken)?, text))).collect()
}
