//! All texts of one owner, with the pictures and the audio that go with them.

use std::collections::BTreeMap;

use kernel::{AttachmentId, Date, Fault, Role};

use super::{
    Field, Form, Hand, ReviewMethod, Reviewer, Symbol, Text, Variant, VariantState, is_plain, no_such_form,
};

/// Most pictures of one owner.
pub(super) const MOST_SYMBOLS: usize = 10;
/// Most recordings of one owner.
pub(super) const MOST_READINGS: usize = 20;

/// The pictures that go with the texts, in the order to show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbols {
    /// The pictures.
    pub codes: Vec<Symbol>,
    /// Whether a human with a role found that they fit, and whether the texts have changed since.
    pub state: VariantState,
}

/// A recording in which a form is read aloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The recording: an attachment.
    pub attachment: AttachmentId,
    /// The form that is read.
    pub form: Form,
    /// Whether a human with a role took it, and whether what it reads has changed since.
    pub state: VariantState,
}

/// The texts of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    fields: BTreeMap<Field, Text>,
    symbols: Symbols,
    audio: Vec<Reading>,
}

impl Default for Texts {
    fn default() -> Self {
        let symbols = Symbols { codes: Vec::new(), state: VariantState::Draft };
        Self { fields: BTreeMap::new(), symbols, audio: Vec::new() }
    }
}

impl Texts {
    /// The texts as they were stored.
    pub fn stored(fields: BTreeMap<Field, Text>, symbols: Symbols, audio: Vec<Reading>) -> Self {
        Self { fields, symbols, audio }
    }

    /// The text of a field.
    pub fn field(&self, field: Field) -> Option<&Text> {
        self.fields.get(&field)
    }

    /// The fields that are written.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &Text)> {
        self.fields.iter().map(|(field, text)| (*field, text))
    }

    /// A form of a field.
    pub fn variant(&self, field: Field, form: Form) -> Option<&Variant> {
        self.field(field)?.variant(form)
    }

    /// What a form of a field says, whatever its state; for those who may see drafts.
    pub fn content(&self, field: Field, form: Form) -> Option<&str> {
        self.variant(field, form).map(|variant| variant.content.as_str())
    }

    /// The pictures.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The recordings.
    pub fn audio(&self) -> &[Reading] {
        &self.audio
    }

    /// The approved titles by form: reviewed and up to date. What events may tell.
    pub fn titles(&self) -> impl Iterator<Item = (Form, &str)> {
        let variants = self.field(Field::Title).into_iter().flat_map(Text::variants);
        let approved = variants.filter(|variant| variant.state == VariantState::Reviewed);
        approved.map(|variant| (variant.form, variant.content.as_str()))
    }

    /// Whether somebody has to write or review something before every form says the same, reviewed.
    pub fn needs_work(&self) -> bool {
        let variants = self.fields.values().flat_map(Text::variants).map(|variant| variant.state);
        let symbols = (!self.symbols.codes.is_empty()).then_some(self.symbols.state);
        let audio = self.audio.iter().map(|reading| reading.state);
        variants.chain(symbols).chain(audio).any(|state| state != VariantState::Reviewed)
    }

    /// Writes a form of a field. The first form that is written is the field's source. Answers false if nothing changed.
    ///
    /// Invalid `request.invalid` for words that do not fit the field, `proposals.automatic_source` for a source that no
    /// human wrote.
    pub fn write(&mut self, field: Field, form: Form, content: &str, hand: Hand) -> Result<bool, Fault> {
        let content = field.check(content).map_err(|invalid| invalid.in_field(field.as_str()))?;
        let is_source = match self.fields.get_mut(&field) {
            Some(text) => {
                if !text.write(form, content, hand)? {
                    return Ok(false);
                }
                text.source().form == form
            }
            None => {
                self.fields.insert(field, Text::new(form, content, hand)?);
                true
            }
        };
        // What nobody has reviewed yet is looked at anyway when it is.
        if is_source && self.symbols.state == VariantState::Reviewed {
            self.symbols.state = VariantState::OutOfDate;
        }
        for reading in self.audio.iter_mut().filter(|reading| is_source || reading.form == form) {
            reading.state = VariantState::OutOfDate;
        }
        Ok(true)
    }

    /// Leaves a field out again; for drafts. Answers false if it was not written.
    pub fn clear(&mut self, field: Field) -> bool {
        self.fields.remove(&field).is_some()
    }

    /// Keeps that a human reviewed a form of a field, as [`Text::review`].
    pub fn review(
        &mut self,
        field: Field,
        form: Form,
        revision: u32,
        by: Reviewer,
        today: Date,
    ) -> Result<bool, Fault> {
        let text = self.fields.get_mut(&field).ok_or_else(|| no_such_form(form))?;
        text.review(form, revision, by, today)
    }

    /// Keeps that a human with this role screened what the author wrote, and the pictures and recordings with it (P1).
    /// A source in plain language still needs a check of plain language.
    pub fn screened(&mut self, by: Reviewer, today: Date) -> Result<(), Fault> {
        let by = Reviewer { method: ReviewMethod::Screening, ..by };
        for text in self.fields.values_mut() {
            let (form, revision) = (text.source().form, text.source().revision);
            if !is_plain(form) {
                text.review(form, revision, by, today)?;
            }
        }
        let others = self.audio.iter_mut().map(|reading| &mut reading.state);
        for state in others.chain([&mut self.symbols.state]) {
            if *state == VariantState::Draft {
                *state = VariantState::Reviewed;
            }
        }
        Ok(())
    }

    /// Sets the pictures. `role` is the role of the human who finds that they fit; none for an author, whose pictures
    /// wait for screening. Answers false if nothing changed.
    ///
    /// Invalid `request.invalid` for more than ten, or one that stands twice.
    pub fn set_symbols(&mut self, codes: Vec<Symbol>, role: Option<Role>) -> Result<bool, Fault> {
        let twice = codes.iter().enumerate().any(|(at, code)| codes[..at].contains(code));
        if codes.len() > MOST_SYMBOLS || twice {
            return Err(kernel::Invalid::new(
                "a text has at most ten pictures, each once",
                "send at most ten codes of ListSymbols",
            )
            .in_field("symbols"));
        }
        let set = Symbols { codes, state: state_by(role) };
        let changed = set != self.symbols;
        self.symbols = set;
        Ok(changed)
    }

    /// Adds a recording in which a form is read aloud, or says that it still holds. `role` as in
    /// [`set_symbols`](Self::set_symbols). Answers false if nothing changed.
    ///
    /// NotFound `proposals.no_such_form` where no field is written in the form; Invalid `request.invalid` for more than
    /// twenty recordings.
    pub fn attach_audio(
        &mut self,
        attachment: AttachmentId,
        form: Form,
        role: Option<Role>,
    ) -> Result<bool, Fault> {
        if !self.fields.values().any(|text| text.variant(form).is_some()) {
            return Err(no_such_form(form));
        }
        let reading = Reading { attachment, form, state: state_by(role) };
        if let Some(kept) = self.audio.iter_mut().find(|kept| kept.attachment == attachment) {
            let changed = *kept != reading;
            *kept = reading;
            return Ok(changed);
        }
        if self.audio.len() >= MOST_READINGS {
            return Err(kernel::Invalid::new(
                "a text has at most twenty recordings",
                "remove one first, or read several fields in one recording",
            )
            .in_field("attachment_id"));
        }
        self.audio.push(reading);
        Ok(true)
    }

    /// Takes a recording away. Answers false if there was none.
    pub fn remove_audio(&mut self, attachment: AttachmentId) -> bool {
        let before = self.audio.len();
        self.audio.retain(|reading| reading.attachment != attachment);
        self.audio.len() < before
    }
}

/// The state of what is set by this role, or by the author.
fn state_by(role: Option<Role>) -> VariantState {
    if role.is_some() { VariantState::Reviewed } else { VariantState::Draft }
}
