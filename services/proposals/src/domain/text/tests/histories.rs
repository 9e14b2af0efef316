//! Random histories against rules that are written another way: by when each thing was written and reviewed.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const FIELDS: [Field; 3] = [Field::Title, Field::Summary, Field::Reasons];
const FORMS: [Form; 5] = [Form::Finnish, Form::EasyFinnish, Form::Swedish, Form::EasySwedish, Form::English];

#[derive(Debug, Clone)]
enum Step {
    Write(Field, Form, u8, bool),
    Review(Field, Form, ReviewMethod, u128, u32),
    Screen,
    Symbols(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let field = select(FIELDS.as_slice());
    let form = select(FORMS.as_slice());
    let method = select(ReviewMethod::ALL.as_slice());
    prop_oneof![
        4 => (field.clone(), form.clone(), 0..3_u8, proptest::bool::weighted(0.2))
            .prop_map(|(field, form, words, machine)| Step::Write(field, form, words, machine)),
        6 => (field, form, method, 1..3_u128, 0..2_u32)
            .prop_map(|(field, form, method, who, old)| Step::Review(field, form, method, who, old)),
        1 => Just(Step::Screen),
        1 => any::<bool>().prop_map(Step::Symbols),
    ]
}

/// When each form was written and reviewed last, in steps of the history.
#[derive(Default)]
struct Model {
    source: BTreeMap<Field, Form>,
    written: BTreeMap<(Field, Form), usize>,
    reviewed: BTreeMap<(Field, Form), usize>,
    symbols_set: Option<usize>,
}

impl Model {
    fn source_written(&self, field: Field) -> usize {
        self.written[&(field, self.source[&field])]
    }

    fn state(&self, field: Field, form: Form) -> Option<VariantState> {
        let written = *self.written.get(&(field, form))?;
        if written < self.source_written(field) {
            return Some(VariantState::OutOfDate);
        }
        let reviewed = self.reviewed.get(&(field, form)).is_some_and(|at| *at > written);
        Some(if reviewed { VariantState::Reviewed } else { VariantState::Draft })
    }

    fn symbols_fit(&self) -> bool {
        let last = self.source.keys().map(|field| self.source_written(*field)).max();
        self.symbols_set.is_some_and(|set| last.is_none_or(|last| set > last))
    }

    fn says(&self, field: Field, forms: &[Form]) -> bool {
        forms.iter().any(|form| self.state(field, *form) == Some(VariantState::Reviewed))
    }

    /// Whether the target's rule holds, said as the rule says it.
    fn holds(&self, target: Target, swedish: bool) -> bool {
        use Form::{EasyFinnish, EasySwedish, Finnish, Swedish};
        let any = |field| {
            self.says(field, &[Finnish, EasyFinnish])
                && (!swedish || self.says(field, &[Swedish, EasySwedish]))
        };
        let plain =
            |field| self.says(field, &[EasyFinnish]) && (!swedish || self.says(field, &[EasySwedish]));
        let standard = |field| self.says(field, &[Finnish]) && (!swedish || self.says(field, &[Swedish]));
        match target {
            Target::PublicProposal => any(Field::Title) && any(Field::Summary),
            Target::ProposalToForum => {
                let title = standard(Field::Title) && plain(Field::Title);
                title && plain(Field::Summary) && self.symbols_fit()
            }
            // Fields that these histories do not write.
            Target::Answer | Target::LoopCard | Target::Decision => false,
        }
    }
}

proptest! {
    #[test]
    fn a_reviewed_form_whose_source_changed_is_never_reviewed_and_nothing_is_missing_only_if_all_is_reviewed(
        steps in proptest::collection::vec(step(), 1..60),
        swedish: bool,
    ) {
        let mut texts = Texts::default();
        let mut model = Model::default();
        for (at, step) in (1..).zip(steps) {
            match step {
                Step::Write(field, form, words, machine) => {
                    let hand = if machine { Hand::Automatic { by: Some(person(1)) } } else { Hand::Human };
                    let words = format!("Sanat {words}");
                    let same = texts.content(field, form) == Some(words.as_str());
                    let old = model.state(field, form) == Some(VariantState::OutOfDate);
                    let is_source = model.source.get(&field).is_none_or(|source| *source == form);
                    match texts.write(field, form, &words, hand) {
                        Ok(changed) => {
                            prop_assert!(!(is_source && machine), "a machine wrote a source");
                            prop_assert_eq!(changed, !same || old);
                            if changed {
                                model.source.entry(field).or_insert(form);
                                model.written.insert((field, form), at);
                            }
                        }
                        Err(_) => prop_assert!(is_source && machine, "a human may write"),
                    }
                }
                Step::Review(field, form, method, who, old) => {
                    let before = texts.clone();
                    let variant = texts.variant(field, form).cloned();
                    let revision = variant.as_ref().map_or(1, |one| one.revision.saturating_sub(old));
                    let reviewer = Reviewer { person: person(who), ..by(method) };
                    let answer = texts.review(field, form, revision, reviewer, TODAY);
                    match (&answer, variant) {
                        (Ok(done), Some(variant)) => {
                            prop_assert!(old == 0 || variant.revision == revision);
                            prop_assert_ne!(variant.hand, Hand::Automatic { by: Some(person(who)) });
                            prop_assert!(method.suits(form));
                            if *done {
                                model.reviewed.insert((field, form), at);
                            }
                        }
                        (Ok(_), None) => return Err(TestCaseError::fail("there was nothing to review")),
                        (Err(_), _) => prop_assert_eq!(&texts, &before, "refused, and changed"),
                    }
                }
                Step::Screen => {
                    texts.screened(by(ReviewMethod::Screening), TODAY).unwrap();
                    for (field, source) in &model.source {
                        if !is_plain(*source) && model.state(*field, *source) == Some(VariantState::Draft) {
                            model.reviewed.insert((*field, *source), at);
                        }
                    }
                }
                Step::Symbols(some) => {
                    let codes = if some { outdoors() } else { Vec::new() };
                    texts.set_symbols(codes, Some(Role::UnitStaff)).unwrap();
                    model.symbols_set = some.then_some(at);
                }
            }
            for field in FIELDS {
                for form in FORMS {
                    let variant = texts.variant(field, form);
                    prop_assert_eq!(variant.map(|one| one.state), model.state(field, form), "{:?} {}", field, form);
                    let Some(variant) = variant else { continue };
                    let reviewed = variant.state == VariantState::Reviewed;
                    prop_assert!(!reviewed || variant.review.is_some(), "reviewed by nobody");
                    prop_assert_eq!(variant.is_plain_language(), reviewed && is_plain(form));
                    if let Some(made_from) = variant.made_from {
                        let newest = texts.field(field).unwrap().source().revision;
                        prop_assert_eq!(made_from < newest, variant.state == VariantState::OutOfDate);
                    }
                }
            }
            let languages = if swedish { languages("17") } else { languages("19") };
            for target in [Target::PublicProposal, Target::ProposalToForum] {
                let complete = missing(target, &texts, &languages).is_empty();
                prop_assert_eq!(complete, model.holds(target, swedish), "{:?}", target);
                prop_assert_eq!(require(target, &texts, &languages).is_ok(), complete);
            }
        }
    }
}
