//! What staff may do with texts that are not their own.

use kernel::{Fault, Invalid, Role};

use super::{Field, Form, Owner, OwnerKind, ReviewMethod, Texts, is_plain};

/// Whose texts they are, and whether people have been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matter {
    /// Whose texts.
    pub owner: Owner,
    /// Whether everybody may read them: a public proposal, an answer that was given, a published card.
    pub told: bool,
}

impl Matter {
    /// Whether somebody with this role may write this form; `checked` if they say with it how they have checked it.
    ///
    /// Invalid `request.invalid` for a field that such a thing does not have; Forbidden `proposals.authors_words` for the
    /// words of an author, which the coordinator alone changes; Conflict `proposals.told_already` for what people were
    /// told by an answer or a card, `proposals.form_is_public` where a form that everybody reads would go back to a
    /// draft.
    pub fn check_write(
        &self,
        texts: &Texts,
        field: Field,
        form: Form,
        role: Role,
        checked: bool,
    ) -> Result<(), Fault> {
        if !field.belongs_to(self.owner.kind) {
            let rule = "a proposal has a title, a summary and a body; an answer reasons, next steps and an alternative; \
                        a loop card its four lines";
            return Err(Invalid::new(rule, "name a field of the owner").in_field("field"));
        }
        let text = texts.field(field);
        let is_source = text.is_none_or(|text| text.source().form == form);
        let is_public = texts.variant(field, form).is_some_and(super::Variant::is_public);
        if self.owner.kind == OwnerKind::Proposal {
            if is_source && text.is_some() && role != Role::AreaCoordinator {
                return Err(Fault::forbidden(
                    "proposals.authors_words",
                    "These are the words of the author. Write another form, or ask the area coordinator.",
                ));
            }
        } else if self.told && (is_source || is_public) {
            return Err(Fault::conflict(
                "proposals.told_already",
                "People have been told this, so it is not changed. Amend the answer, or write a form that is not there yet.",
            ));
        }
        if self.told && is_public && !checked {
            return Err(Fault::conflict(
                "proposals.form_is_public",
                "Everybody reads this form, so it does not go back to a draft. Say with it how you have checked it.",
            ));
        }
        Ok(())
    }

    /// Whether somebody with this role may review this form by this method. What people wrote first in a proposal is
    /// screened, and screening is the coordinator's (P1).
    ///
    /// Forbidden `proposals.not_a_screener`; Invalid `proposals.review_method` where screening is asked for.
    pub fn check_review(
        &self,
        texts: &Texts,
        field: Field,
        form: Form,
        role: Role,
        method: ReviewMethod,
    ) -> Result<(), Fault> {
        if method == ReviewMethod::Screening && role != Role::AreaCoordinator {
            return Err(Fault::forbidden(
                "proposals.not_a_screener",
                "The area coordinator screens. Say how you have reviewed the form yourself.",
            ));
        }
        let is_source = texts.field(field).is_some_and(|text| text.source().form == form);
        let is_first = self.owner.kind == OwnerKind::Proposal && is_source && !is_plain(form);
        if is_first && method != ReviewMethod::Screening {
            return Err(Fault::invalid(
                "proposals.review_method",
                "What was written first in a proposal is screened by the area coordinator (P1).",
            ));
        }
        Ok(())
    }
}
