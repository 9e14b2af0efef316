//! Languages and levels of forms, and the languages in which a county publishes.

use std::collections::BTreeSet;

use kernel::{TenantId, reference};

use super::Form;

/// Whether the form is plain language: selkokieli or lättläst, once it is reviewed.
pub fn is_plain(form: Form) -> bool {
    matches!(form, Form::EasyFinnish | Form::EasySwedish)
}

/// The form of the same language in the standard level.
pub fn language_of(form: Form) -> Form {
    match form {
        Form::EasyFinnish => Form::Finnish,
        Form::EasySwedish => Form::Swedish,
        standard => standard,
    }
}

/// The plain-language form of a language, where there is one.
pub fn plain_of(language: Form) -> Option<Form> {
    match language_of(language) {
        Form::Finnish => Some(Form::EasyFinnish),
        Form::Swedish => Some(Form::EasySwedish),
        _ => None,
    }
}

/// The languages in which what these counties publish must stand: Finnish, and Swedish where one of them is bilingual
/// (KIE-1, KIE-2, KIE-3). Sámi languages are offered, and block nothing (KIE-4).
pub fn required_languages(counties: impl IntoIterator<Item = TenantId>) -> BTreeSet<Form> {
    let mut languages = BTreeSet::from([Form::Finnish]);
    let bilingual =
        |county: TenantId| reference::county(county.as_str()).is_some_and(|county| county.is_bilingual());
    if counties.into_iter().any(bilingual) {
        languages.insert(Form::Swedish);
    }
    languages
}
