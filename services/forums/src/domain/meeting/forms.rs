//! The forms of one text: standard and plain, in each language the counties of a forum serve in. Whoever reads plain
//! language gets a text at the same time as everybody else (F11), so a text is there in all required forms or not at
//! all.

use std::collections::BTreeMap;

use kernel::{Fault, Invalid, TenantId, TextVariant};

use crate::domain::forum::Forum;

/// Most characters of a title.
pub const MAX_TITLE: usize = 120;
/// Most characters of the text of a topic, a notice or a decision.
pub const MAX_BODY: usize = 5_000;
/// Most characters of the text of minutes.
pub const MAX_MINUTES: usize = 20_000;

/// One form of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Title.
    pub title: String,
    /// Text; may be empty.
    pub body: String,
}

/// The forms of a text, by language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forms(BTreeMap<TextVariant, Form>);

impl Forms {
    /// The forms, trimmed. Invalid `request.invalid` for a language that is there twice, a title of another length than
    /// 1 to [`MAX_TITLE`] characters, a text of more than `most` or text in some forms only.
    pub fn new(
        field: &str,
        forms: impl IntoIterator<Item = (TextVariant, Form)>,
        most: usize,
    ) -> Result<Self, Fault> {
        let mut kept = BTreeMap::new();
        for (index, (language, form)) in forms.into_iter().enumerate() {
            let invalid = |part: &str, rule: String, remedy: &'static str| {
                Err(Invalid::new(rule, remedy).in_field(format!("{field}[{index}].{part}")))
            };
            let form = Form { title: form.title.trim().to_owned(), body: form.body.trim().to_owned() };
            let title = form.title.chars();
            if !(1..=MAX_TITLE).contains(&title.clone().count()) || title.clone().any(char::is_control) {
                let rule = format!("a title has 1 to {MAX_TITLE} characters on one line");
                return invalid("title", rule, "send a shorter title");
            }
            if form.body.chars().count() > most {
                return invalid("body", format!("the text has at most {most} characters"), "shorten it");
            }
            if kept.insert(language, form).is_some() {
                return invalid("language", format!("{language} is there twice"), "send each form once");
            }
        }
        let empty = kept.values().filter(|form| form.body.is_empty()).count();
        if empty != 0 && empty != kept.len() {
            let rule = "what has a text in one form has it in every form, plain language too (F11)";
            return Err(Invalid::new(rule, "write the text in every form, or in none").in_field(field));
        }
        Ok(Self(kept))
    }

    /// What was stored.
    pub fn stored(forms: impl IntoIterator<Item = (TextVariant, Form)>) -> Self {
        Self(forms.into_iter().collect())
    }

    /// The forms, by language.
    pub fn iter(&self) -> impl Iterator<Item = (TextVariant, &Form)> {
        self.0.iter().map(|(language, form)| (*language, form))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses unless all required forms are there: Invalid `forums.text_forms_missing` naming them (F11).
    pub fn check_required(&self, field: &str, required: &[TextVariant]) -> Result<(), Fault> {
        let missing = required.iter().filter(|language| !self.0.contains_key(language));
        let missing: Vec<&str> = missing.map(|language| language.as_str()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{field}: the text is missing in {}. Standard and plain language come at the same time (F11).",
            missing.join(", ")
        );
        Err(Fault::invalid("forums.text_forms_missing", message).field(
            field,
            "a text is there in all required forms at the same time",
            format!("add {}", missing.join(", ")),
        ))
    }
}

/// The forms in which a forum's texts must be there: standard and plain Finnish, and Swedish as well where one of its
/// counties serves in both languages (KIE-1).
pub fn required(forum: &Forum) -> Vec<TextVariant> {
    let mut required = vec![TextVariant::Finnish, TextVariant::EasyFinnish];
    let counties = std::iter::once(&forum.charter.tenant).chain(&forum.charter.co_tenants);
    if counties
        .filter_map(|county: &TenantId| kernel::reference::county(county.as_str()))
        .any(|one| one.is_bilingual())
    {
        required.extend([TextVariant::Swedish, TextVariant::EasySwedish]);
    }
    required
}
