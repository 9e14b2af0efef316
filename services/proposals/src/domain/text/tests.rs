//! Rules of forms of texts.

mod histories;

use std::collections::BTreeSet;

use kernel::{AttachmentId, FaultKind, TenantId, Uuid, reference};
use time::macros::date;

use super::*;

const TODAY: Date = date!(2026 - 09 - 09);

fn person(number: u128) -> Subject {
    Subject::from_uuid(Uuid::from_u128(number))
}

fn by(method: ReviewMethod) -> Reviewer {
    Reviewer { person: person(1), role: Role::AreaCoordinator, method }
}

fn tenant(code: &str) -> TenantId {
    TenantId::new(code).unwrap()
}

fn languages(code: &str) -> BTreeSet<Form> {
    required_languages([tenant(code)])
}

/// Texts with these forms, each reviewed.
fn reviewed(forms: &[(Field, Form)]) -> Texts {
    let mut texts = Texts::default();
    for (field, form) in forms {
        texts.write(*field, *form, "Haluamme ulos useammin.", Hand::Human).unwrap();
        review(&mut texts, *field, *form);
    }
    texts
}

fn review(texts: &mut Texts, field: Field, form: Form) {
    let method = if is_plain(form) { ReviewMethod::SelkoMeter2 } else { ReviewMethod::LanguageCheck };
    let revision = texts.variant(field, form).unwrap().revision;
    assert!(texts.review(field, form, revision, by(method), TODAY).unwrap());
}

fn state(texts: &Texts, field: Field, form: Form) -> VariantState {
    texts.variant(field, form).unwrap().state
}

fn outdoors() -> Vec<Symbol> {
    vec!["outdoors".parse().unwrap()]
}

#[test]
fn writing_the_source_anew_makes_every_other_form_out_of_date() {
    let mut texts = reviewed(&[(Field::Title, Form::Finnish), (Field::Title, Form::EasyFinnish)]);
    texts.write(Field::Title, Form::Swedish, "Vi vill ut oftare.", Hand::Human).unwrap();
    assert_eq!(state(&texts, Field::Title, Form::Swedish), VariantState::Draft);

    assert!(texts.write(Field::Title, Form::Finnish, "Haluamme sisälle.", Hand::Human).unwrap());
    assert_eq!(state(&texts, Field::Title, Form::Finnish), VariantState::Draft);
    assert_eq!(state(&texts, Field::Title, Form::EasyFinnish), VariantState::OutOfDate);
    assert_eq!(state(&texts, Field::Title, Form::Swedish), VariantState::OutOfDate);
    // What was reviewed once is shown on, and marked; what nobody reviewed is not.
    assert!(texts.variant(Field::Title, Form::EasyFinnish).unwrap().is_public());
    assert!(!texts.variant(Field::Title, Form::Swedish).unwrap().is_public());
    assert!(!texts.variant(Field::Title, Form::Finnish).unwrap().is_public());
}

#[test]
fn writing_a_form_that_is_not_the_source_changes_no_other_and_its_own_review_is_over() {
    let mut texts = reviewed(&[(Field::Title, Form::Finnish), (Field::Title, Form::EasyFinnish)]);
    assert!(texts.write(Field::Title, Form::EasyFinnish, "Ulos!", Hand::Human).unwrap());
    assert_eq!(state(&texts, Field::Title, Form::Finnish), VariantState::Reviewed);
    let easy = texts.variant(Field::Title, Form::EasyFinnish).unwrap();
    assert_eq!(
        (easy.state, easy.revision, easy.made_from, easy.review),
        (VariantState::Draft, 2, Some(1), None)
    );
    assert!(!easy.is_public(), "what may have had to go is not shown on");
}

#[test]
fn a_change_of_one_field_leaves_the_others_alone() {
    let mut texts = reviewed(&[
        (Field::Title, Form::Finnish),
        (Field::Summary, Form::Finnish),
        (Field::Summary, Form::EasyFinnish),
    ]);
    texts.write(Field::Title, Form::Finnish, "Uusi otsikko", Hand::Human).unwrap();
    assert_eq!(state(&texts, Field::Summary, Form::EasyFinnish), VariantState::Reviewed);
}

#[test]
fn the_same_words_again_change_nothing_unless_they_confirm_what_is_out_of_date() {
    let mut texts = reviewed(&[(Field::Title, Form::Finnish), (Field::Title, Form::EasyFinnish)]);
    let before = texts.clone();
    assert!(!texts.write(Field::Title, Form::Finnish, "  Haluamme ulos useammin.\r\n", Hand::Human).unwrap());
    assert!(!texts.write(Field::Title, Form::EasyFinnish, "Haluamme ulos useammin.", Hand::Human).unwrap());
    assert_eq!(texts, before);

    texts.write(Field::Title, Form::Finnish, "Haluamme ulos", Hand::Human).unwrap();
    assert!(texts.write(Field::Title, Form::EasyFinnish, "Haluamme ulos useammin.", Hand::Human).unwrap());
    let easy = texts.variant(Field::Title, Form::EasyFinnish).unwrap();
    assert_eq!((easy.state, easy.made_from), (VariantState::Draft, Some(2)));
}

#[test]
fn a_review_says_role_method_and_day_and_is_done_once() {
    let mut texts = Texts::default();
    texts.write(Field::Summary, Form::Finnish, "Haluamme ulos.", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::EasyFinnish, "Ulos!", Hand::Human).unwrap();
    let reader = by(ReviewMethod::WithReaders);
    assert!(texts.review(Field::Summary, Form::EasyFinnish, 1, reader, TODAY).unwrap());
    let kept = Review { role: Role::AreaCoordinator, method: ReviewMethod::WithReaders, on: TODAY };
    assert_eq!(texts.variant(Field::Summary, Form::EasyFinnish).unwrap().review, Some(kept));
    let later = date!(2026 - 10 - 01);
    assert!(!texts.review(Field::Summary, Form::EasyFinnish, 1, reader, later).unwrap(), "done already");
    assert_eq!(texts.variant(Field::Summary, Form::EasyFinnish).unwrap().review, Some(kept));
}

#[test]
fn a_review_that_may_not_be_is_refused_and_changes_nothing() {
    let machine = person(7);
    let mut texts = Texts::default();
    texts.write(Field::Summary, Form::Finnish, "Haluamme ulos.", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::EasyFinnish, "Ulos!", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::Swedish, "Ut!", Hand::Automatic { by: Some(machine) }).unwrap();
    texts.write(Field::Summary, Form::English, "Out!", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::Finnish, "Haluamme ulos useammin.", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::EasyFinnish, "Ulos!", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::Swedish, "Ut!", Hand::Automatic { by: Some(machine) }).unwrap();
    let before = texts.clone();

    let language = by(ReviewMethod::LanguageCheck);
    let plain = by(ReviewMethod::PlainLanguageCheck);
    let (fi, selko, sv, en) = (Form::Finnish, Form::EasyFinnish, Form::Swedish, Form::English);
    let summary = Field::Summary;
    let cases = [
        ((Field::Title, fi, 1, language), FaultKind::NotFound, "proposals.no_such_form"),
        ((summary, Form::SkoltSami, 1, language), FaultKind::NotFound, "proposals.no_such_form"),
        ((summary, fi, 1, language), FaultKind::Conflict, "proposals.form_changed"),
        ((summary, en, 1, language), FaultKind::Conflict, "proposals.form_out_of_date"),
        ((summary, selko, 2, language), FaultKind::Invalid, "proposals.review_method"),
        ((summary, selko, 2, by(ReviewMethod::Screening)), FaultKind::Invalid, "proposals.review_method"),
        ((summary, fi, 2, plain), FaultKind::Invalid, "proposals.review_method"),
        (
            (summary, sv, 2, Reviewer { person: machine, ..language }),
            FaultKind::Forbidden,
            "proposals.own_automatic_text",
        ),
    ];
    for ((field, form, revision, reviewer), kind, code) in cases {
        let fault = texts.review(field, form, revision, reviewer, TODAY).unwrap_err();
        assert_eq!((fault.kind(), fault.code()), (kind, code), "{field:?} {form}");
    }
    for role in Role::ALL.into_iter().filter(|role| !REVIEWERS.contains(role)) {
        let fault = texts.review(summary, selko, 2, Reviewer { role, ..plain }, TODAY).unwrap_err();
        assert_eq!(fault.code(), "proposals.not_a_reviewer", "{role}");
    }
    assert_eq!(texts, before);
    assert!(texts.review(summary, sv, 2, language, TODAY).unwrap(), "somebody else may");
}

#[test]
fn a_machine_writes_no_source() {
    let machine = Hand::Automatic { by: Some(person(7)) };
    let mut texts = Texts::default();
    let fault = texts.write(Field::Title, Form::Finnish, "Ulos", machine).unwrap_err();
    assert_eq!(fault.code(), "proposals.automatic_source");
    assert_eq!(texts, Texts::default());
    texts.write(Field::Title, Form::Finnish, "Ulos", Hand::Human).unwrap();
    let fault = texts.write(Field::Title, Form::Finnish, "Sisälle", machine).unwrap_err();
    assert_eq!(fault.code(), "proposals.automatic_source");
    assert_eq!(texts.content(Field::Title, Form::Finnish), Some("Ulos"));
}

#[test]
fn negative_test_13_nothing_is_plain_language_before_a_human_reviewed_it_as_that() {
    let mut texts = Texts::default();
    texts.write(Field::Summary, Form::Finnish, "Ulos.", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::EasyFinnish, "Ulos.", Hand::Human).unwrap();
    // As easy as a text can be by its measures; still not selkokieli.
    let hint = readability::hint("Ulos.");
    assert_eq!((hint.words, hint.long_words, hint.long_sentences), (1, 0, 0));
    let is_plain_language =
        |texts: &Texts, form: Form| texts.variant(Field::Summary, form).unwrap().is_plain_language();
    assert!(!is_plain_language(&texts, Form::EasyFinnish));
    // Screening says what may be public, not what is plain.
    texts.screened(by(ReviewMethod::Screening), TODAY).unwrap();
    assert!(!is_plain_language(&texts, Form::EasyFinnish));
    review(&mut texts, Field::Summary, Form::EasyFinnish);
    assert!(is_plain_language(&texts, Form::EasyFinnish));
    assert!(!is_plain_language(&texts, Form::Finnish), "a standard form never is");
    texts.write(Field::Summary, Form::Finnish, "Sisälle.", Hand::Human).unwrap();
    assert!(!is_plain_language(&texts, Form::EasyFinnish), "out of date");
}

#[test]
fn negative_test_3_a_bilingual_county_publishes_nothing_without_swedish_and_county_19_does() {
    let finnish = reviewed(&[(Field::Title, Form::Finnish), (Field::Body, Form::Finnish)]);
    for county in reference::counties() {
        let lacking = missing(Target::PublicProposal, &finnish, &languages(&county.code));
        let absent = |field| Missing::Form { field, form: Form::Swedish, why: Lack::Absent };
        let expected = match county.code.as_str() {
            "01" | "03" | "04" | "05" | "10" | "17" | "18" | "HEL" | "HUS" => {
                vec![absent(Field::Title), absent(Field::Summary)]
            }
            _ => Vec::new(),
        };
        assert_eq!(lacking, expected, "county {}", county.code);
    }
    let fault = require(Target::PublicProposal, &finnish, &languages("17")).unwrap_err();
    assert_eq!((fault.kind(), fault.code()), (FaultKind::Conflict, "proposals.forms_missing"));
    assert_eq!(
        fault.fields().iter().map(|one| one.field.as_str()).collect::<Vec<_>>(),
        ["title.sv", "summary.sv"]
    );
    assert_eq!(require(Target::PublicProposal, &finnish, &languages("19")), Ok(()));

    let mut both = finnish;
    both.write(Field::Title, Form::Swedish, "Ut", Hand::Human).unwrap();
    both.write(Field::Body, Form::Swedish, "Vi vill ut.", Hand::Human).unwrap();
    let unreviewed = |field| Missing::Form { field, form: Form::Swedish, why: Lack::NotReviewed };
    let lacking = missing(Target::PublicProposal, &both, &languages("17"));
    assert_eq!(lacking, [unreviewed(Field::Title), unreviewed(Field::Body)]);
    review(&mut both, Field::Title, Form::Swedish);
    review(&mut both, Field::Body, Form::Swedish);
    assert_eq!(missing(Target::PublicProposal, &both, &languages("17")), []);
    both.write(Field::Title, Form::Finnish, "Sisälle", Hand::Human).unwrap();
    let lacking = missing(Target::PublicProposal, &both, &languages("17"));
    assert!(lacking.contains(&Missing::Form {
        field: Field::Title,
        form: Form::Swedish,
        why: Lack::OutOfDate
    }));
}

#[test]
fn kie_1_a_joint_forum_of_a_bilingual_county_needs_swedish_and_sami_blocks_nothing() {
    assert_eq!(languages("19"), BTreeSet::from([Form::Finnish]));
    assert_eq!(languages("21"), BTreeSet::from([Form::Finnish]), "KIE-4: offered, not demanded");
    assert_eq!(languages("17"), BTreeSet::from([Form::Finnish, Form::Swedish]));
    assert_eq!(required_languages([tenant("19"), tenant("21")]), BTreeSet::from([Form::Finnish]));
    assert_eq!(
        required_languages([tenant("16"), tenant("17")]),
        BTreeSet::from([Form::Finnish, Form::Swedish])
    );
}

#[test]
fn p2_a_proposal_goes_to_a_forum_with_a_plain_title_a_plain_summary_and_a_picture() {
    let form = |field, form, why| Missing::Form { field, form, why };
    let mut texts = reviewed(&[(Field::Title, Form::Finnish), (Field::Summary, Form::Finnish)]);
    let needs = |texts: &Texts| missing(Target::ProposalToForum, texts, &languages("19"));
    let summary = |why| form(Field::Summary, Form::EasyFinnish, why);
    let title = |why| form(Field::Title, Form::EasyFinnish, why);
    assert_eq!(needs(&texts), [title(Lack::Absent), summary(Lack::Absent), Missing::Picture(Lack::Absent)]);

    texts.write(Field::Title, Form::EasyFinnish, "Ulos!", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::EasyFinnish, "Ulos!", Hand::Human).unwrap();
    texts.set_symbols(outdoors(), None).unwrap();
    let unread = [title(Lack::NotReviewed), summary(Lack::NotReviewed), Missing::Picture(Lack::NotReviewed)];
    assert_eq!(needs(&texts), unread);

    review(&mut texts, Field::Title, Form::EasyFinnish);
    review(&mut texts, Field::Summary, Form::EasyFinnish);
    texts.set_symbols(outdoors(), Some(Role::ForumSecretary)).unwrap();
    assert_eq!(needs(&texts), []);
    // A meeting shows its topics in both forms (F11).
    let mut plain = reviewed(&[(Field::Title, Form::EasyFinnish), (Field::Summary, Form::EasyFinnish)]);
    plain.set_symbols(outdoors(), Some(Role::ForumSecretary)).unwrap();
    assert_eq!(needs(&plain), [form(Field::Title, Form::Finnish, Lack::Absent)]);

    texts.write(Field::Summary, Form::Finnish, "Haluamme sisälle.", Hand::Human).unwrap();
    assert_eq!(needs(&texts), [summary(Lack::OutOfDate), Missing::Picture(Lack::OutOfDate)]);
    // A bilingual county needs the plain summary in both languages.
    let both = missing(Target::ProposalToForum, &texts, &languages("05"));
    assert!(both.contains(&form(Field::Summary, Form::EasySwedish, Lack::Absent)), "{both:?}");
    assert!(both.contains(&form(Field::Title, Form::Swedish, Lack::Absent)), "{both:?}");
    assert!(both.contains(&form(Field::Title, Form::EasySwedish, Lack::Absent)), "{both:?}");
}

#[test]
fn p4_an_answer_has_its_reasons_in_plain_language_and_says_what_happens_next() {
    let form = |field, form, why| Missing::Form { field, form, why };
    let needs = |texts: &Texts| missing(Target::Answer, texts, &languages("19"));
    let standard = reviewed(&[(Field::Reasons, Form::Finnish)]);
    let lacking = needs(&standard);
    assert_eq!(
        lacking,
        [
            form(Field::Reasons, Form::EasyFinnish, Lack::Absent),
            form(Field::NextSteps, Form::Finnish, Lack::Absent)
        ]
    );
    // Plain language alone does: it is Finnish too.
    let mut plain = reviewed(&[(Field::Reasons, Form::EasyFinnish), (Field::NextSteps, Form::EasyFinnish)]);
    assert_eq!(needs(&plain), []);
    plain.write(Field::Alternative, Form::Finnish, "Kaksi ohjaajaa lisää.", Hand::Human).unwrap();
    assert_eq!(needs(&plain), [form(Field::Alternative, Form::Finnish, Lack::NotReviewed)]);
}

#[test]
fn s2_39_a_loop_card_says_what_was_said_what_came_of_it_and_what_is_next_in_plain_language() {
    let form = |field, why| Missing::Form { field, form: Form::EasyFinnish, why };
    let needs = |texts: &Texts| missing(Target::LoopCard, texts, &languages("19"));
    let absent = |field| form(field, Lack::Absent);
    assert_eq!(needs(&Texts::default()), [absent(Field::YouSaid), absent(Field::WeDid), absent(Field::Next)]);
    let selko = Form::EasyFinnish;
    let could_not = [(Field::YouSaid, selko), (Field::WeCouldNot, selko), (Field::Next, selko)];
    let mut card = reviewed(&could_not);
    assert_eq!(needs(&card), [], "we could not is an answer too");
    card.write(Field::WeDid, Form::Finnish, "Ulkoilemme.", Hand::Human).unwrap();
    assert_eq!(needs(&card), [absent(Field::WeDid)], "every line that is written is written plainly");
}

#[test]
fn screening_reviews_what_the_author_wrote_first_and_the_pictures_but_no_other_form() {
    let mut texts = Texts::default();
    texts.write(Field::Title, Form::Finnish, "Ulos", Hand::Human).unwrap();
    texts.write(Field::Title, Form::English, "Out", Hand::Human).unwrap();
    texts.write(Field::Summary, Form::EasyFinnish, "Ulos!", Hand::Human).unwrap();
    texts.set_symbols(outdoors(), None).unwrap();
    assert!(texts.needs_work());
    texts.screened(by(ReviewMethod::Screening), TODAY).unwrap();
    assert_eq!(state(&texts, Field::Title, Form::Finnish), VariantState::Reviewed);
    assert_eq!(state(&texts, Field::Title, Form::English), VariantState::Draft);
    assert_eq!(
        state(&texts, Field::Summary, Form::EasyFinnish),
        VariantState::Draft,
        "plain is more than public"
    );
    assert_eq!(texts.symbols().state, VariantState::Reviewed);
    assert_eq!(texts.titles().collect::<Vec<_>>(), [(Form::Finnish, "Ulos")]);
    assert!(texts.needs_work());
    let again = texts.clone();
    texts.screened(by(ReviewMethod::Screening), date!(2026 - 10 - 01)).unwrap();
    assert_eq!(texts, again);
    let stranger = Reviewer { role: Role::Auditor, ..by(ReviewMethod::Screening) };
    texts.write(Field::Body, Form::Finnish, "Ulos.", Hand::Human).unwrap();
    assert_eq!(texts.screened(stranger, TODAY).unwrap_err().code(), "proposals.not_a_reviewer");
}

#[test]
fn pictures_are_few_each_once_and_fit_the_words_they_were_set_for() {
    let mut texts = reviewed(&[(Field::Title, Form::Finnish), (Field::Title, Form::Swedish)]);
    assert!(texts.set_symbols(outdoors(), Some(Role::UnitStaff)).unwrap());
    assert!(!texts.set_symbols(outdoors(), Some(Role::UnitStaff)).unwrap());
    texts.write(Field::Title, Form::Swedish, "Ut!", Hand::Human).unwrap();
    assert_eq!(texts.symbols().state, VariantState::Reviewed, "a translation says the same");
    texts.write(Field::Title, Form::Finnish, "Sisälle", Hand::Human).unwrap();
    assert_eq!(texts.symbols().state, VariantState::OutOfDate);
    assert!(texts.set_symbols(outdoors(), Some(Role::UnitStaff)).unwrap(), "they still fit");
    assert_eq!(texts.symbols().state, VariantState::Reviewed);

    let before = texts.clone();
    let eleven: Vec<Symbol> = Symbol::all().take(11).collect();
    let twice = [outdoors(), outdoors()].concat();
    for wrong in [eleven, twice] {
        assert_eq!(texts.set_symbols(wrong, None).unwrap_err().code(), "request.invalid");
        assert_eq!(texts, before);
    }
    assert!(texts.set_symbols(Symbol::all().take(10).collect(), None).is_ok());
}

#[test]
fn a_recording_reads_one_form_and_is_out_of_date_when_that_changes() {
    let recording = |number: u128| AttachmentId::from_uuid(Uuid::from_u128(number));
    let mut texts = reviewed(&[(Field::Title, Form::Finnish), (Field::Title, Form::Swedish)]);
    let staff = Some(Role::UnitStaff);
    assert_eq!(
        texts.attach_audio(recording(1), Form::English, staff).unwrap_err().code(),
        "proposals.no_such_form"
    );
    assert!(texts.attach_audio(recording(1), Form::Finnish, staff).unwrap());
    assert!(!texts.attach_audio(recording(1), Form::Finnish, staff).unwrap());
    assert!(texts.attach_audio(recording(2), Form::Swedish, staff).unwrap());
    let states = |texts: &Texts| texts.audio().iter().map(|one| one.state).collect::<Vec<_>>();
    texts.write(Field::Title, Form::Swedish, "Ut!", Hand::Human).unwrap();
    assert_eq!(states(&texts), [VariantState::Reviewed, VariantState::OutOfDate]);
    texts.write(Field::Title, Form::Finnish, "Sisälle", Hand::Human).unwrap();
    assert_eq!(states(&texts), [VariantState::OutOfDate, VariantState::OutOfDate]);
    assert!(texts.attach_audio(recording(1), Form::Finnish, staff).unwrap(), "it still holds");
    assert!(texts.remove_audio(recording(2)) && !texts.remove_audio(recording(2)));
    for number in 2..=20 {
        texts.attach_audio(recording(number), Form::Finnish, staff).unwrap();
    }
    assert_eq!(
        texts.attach_audio(recording(21), Form::Finnish, staff).unwrap_err().code(),
        "request.invalid"
    );
}

#[test]
fn words_that_do_not_fit_a_field_are_refused_with_its_name() {
    for field in Field::ALL {
        let longest = "ä".repeat(field.longest());
        assert_eq!(field.check(&longest).unwrap(), longest, "{field:?}");
        for wrong in [String::new(), " \n ".to_owned(), format!("{longest}ä"), "a\u{0}b".to_owned()] {
            let mut texts = Texts::default();
            let fault = texts.write(field, Form::Finnish, &wrong, Hand::Human).unwrap_err();
            assert_eq!(fault.fields()[0].field, field.as_str());
            assert_eq!(texts, Texts::default());
        }
        assert_eq!(field.check("a\nb").is_ok(), field != Field::Title, "{field:?}");
        assert_eq!(field.as_str().parse(), Ok(field));
        assert!(OwnerKind::ALL.into_iter().any(|kind| field.belongs_to(kind)), "{field:?} is nobody's");
    }
}

#[test]
fn what_is_stored_has_one_source() {
    let mut text = Text::new(Form::Finnish, "Ulos".to_owned(), Hand::Human).unwrap();
    text.write(Form::Swedish, "Ut".to_owned(), Hand::Human).unwrap();
    assert_eq!(Text::stored(text.variants().cloned()), Some(text.clone()));
    assert_eq!(Text::stored([]), None);
    assert_eq!(Text::stored([text.variant(Form::Swedish).unwrap().clone()]), None);
    let second = Variant { form: Form::English, ..text.source().clone() };
    assert_eq!(Text::stored([text.source().clone(), second]), None);
}

#[test]
fn an_authors_words_are_changed_by_the_coordinator_alone_and_what_people_read_never_goes_back_to_a_draft() {
    let (staff, coordinator) = (Role::UnitStaff, Role::AreaCoordinator);
    let (fi, selko, sv) = (Form::Finnish, Form::EasyFinnish, Form::Swedish);
    let mut texts = reviewed(&[(Field::Title, fi), (Field::Title, selko)]);
    texts.write(Field::Title, sv, "Ut", Hand::Human).unwrap();
    let matter = |told| Matter { owner: Owner::proposal(tenant("19"), Uuid::from_u128(1).into()), told };
    let is_public = Some("proposals.form_is_public");
    let authors = Some("proposals.authors_words");
    let cases = [
        // field, form, role, told, checked: refused with
        ((Field::Title, fi, staff, false, false), authors),
        ((Field::Title, fi, staff, true, true), authors),
        ((Field::Title, fi, Role::ForumSecretary, true, true), authors),
        ((Field::Title, fi, coordinator, false, false), None),
        ((Field::Title, fi, coordinator, true, false), is_public),
        ((Field::Title, fi, coordinator, true, true), None),
        ((Field::Title, selko, staff, false, false), None),
        ((Field::Title, selko, staff, true, false), is_public),
        ((Field::Title, selko, staff, true, true), None),
        ((Field::Title, sv, staff, true, false), None),
        ((Field::Title, Form::English, staff, true, false), None),
        ((Field::Summary, selko, staff, true, false), None),
        ((Field::Reasons, selko, staff, true, false), Some("request.invalid")),
    ];
    for ((field, form, role, told, checked), refused) in cases {
        let answer = matter(told).check_write(&texts, field, form, role, checked);
        assert_eq!(
            answer.as_ref().map_err(Fault::code).err(),
            refused,
            "{field:?} {form} {role} {told} {checked}"
        );
    }
}

#[test]
fn what_people_were_told_by_an_answer_is_not_changed_and_other_forms_of_it_are_still_written() {
    let (staff, coordinator) = (Role::UnitStaff, Role::AreaCoordinator);
    let texts = reviewed(&[(Field::Reasons, Form::Finnish), (Field::Reasons, Form::EasyFinnish)]);
    let matter = |told| Matter { owner: Owner::response(tenant("19"), Uuid::from_u128(1)), told };
    for form in [Form::Finnish, Form::EasyFinnish] {
        assert_eq!(matter(false).check_write(&texts, Field::Reasons, form, staff, false), Ok(()));
        for role in [staff, coordinator] {
            let fault = matter(true).check_write(&texts, Field::Reasons, form, role, true).unwrap_err();
            assert_eq!((fault.kind(), fault.code()), (FaultKind::Conflict, "proposals.told_already"));
        }
    }
    let unwritten = matter(true).check_write(&texts, Field::Alternative, Form::Finnish, coordinator, true);
    assert_eq!(unwritten.unwrap_err().code(), "proposals.told_already");
    assert_eq!(matter(true).check_write(&texts, Field::Reasons, Form::Swedish, staff, false), Ok(()));
}

#[test]
fn what_was_written_first_in_a_proposal_is_screened_by_the_coordinator_and_other_forms_by_who_masters_them() {
    let (fi, selko) = (Form::Finnish, Form::EasyFinnish);
    let texts = reviewed(&[(Field::Title, fi), (Field::Title, selko)]);
    let proposal = Matter { owner: Owner::proposal(tenant("19"), Uuid::from_u128(1).into()), told: false };
    let answer = Matter { owner: Owner::response(tenant("19"), Uuid::from_u128(1)), told: false };
    let check = |matter: Matter, form, role, method| {
        let checked = matter.check_review(&texts, Field::Title, form, role, method);
        checked.map_err(|fault| fault.code().to_owned())
    };
    let (staff, coordinator) = (Role::UnitStaff, Role::AreaCoordinator);
    let language = ReviewMethod::LanguageCheck;
    assert_eq!(check(proposal, fi, coordinator, ReviewMethod::Screening), Ok(()));
    assert_eq!(check(proposal, fi, staff, ReviewMethod::Screening).unwrap_err(), "proposals.not_a_screener");
    assert_eq!(check(proposal, fi, staff, language).unwrap_err(), "proposals.review_method");
    assert_eq!(check(proposal, fi, coordinator, language).unwrap_err(), "proposals.review_method");
    assert_eq!(check(proposal, selko, staff, ReviewMethod::WithReaders), Ok(()));
    assert_eq!(check(answer, fi, Role::UnitManager, language), Ok(()));
}
