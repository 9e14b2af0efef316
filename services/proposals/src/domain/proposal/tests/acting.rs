//! Who acted how: helpers, words, answers.

use kernel::{ActingMode, Caller, Helper, Subject, Uuid};

use super::*;

fn helped(conflict: &[UnitId]) -> Caller {
    let subject = |number| Subject::from_uuid(Uuid::from_u128(number));
    let helper = Some(Helper { reference: subject(2), conflict_units: conflict.to_vec() });
    Caller { helper, mode: ActingMode::Assisted, ..Caller::person(subject(1)) }
}

fn assisted() -> Proposal {
    Proposal { acting: Acting::of(&helped(&[]), false), ..submitted() }
}

#[test]
fn m3_a_helper_from_the_unit_concerned_is_refused_unless_the_member_wants_this_one() {
    let caller = helped(&[unit(1)]);
    let refused = Acting::check_independence(&caller, &[unit(2), unit(1)], false).unwrap_err();
    assert_eq!(refused.code(), "proposals.conflict_of_interest");
    assert!(Acting::check_independence(&caller, &[unit(1)], true).is_ok());
    assert!(Acting::check_independence(&caller, &[unit(2)], false).is_ok(), "another unit's matter");
    let alone = Caller { helper: None, ..caller.clone() };
    assert!(Acting::check_independence(&alone, &[unit(1)], false).is_ok(), "nobody helps");
    assert!(Acting::of(&caller, true).conflict_accepted && !Acting::of(&alone, true).conflict_accepted);
    let works_at = |units: &[UnitId]| helped(units).helper.unwrap();
    assert!(Acting::check_recorder(&works_at(&[]), unit(1), &[unit(1)], false).is_err());
    assert!(Acting::check_recorder(&works_at(&[]), unit(1), &[unit(1)], true).is_ok());
    assert!(Acting::check_recorder(&works_at(&[]), unit(1), &[unit(2)], false).is_ok());
    assert!(
        Acting::check_recorder(&works_at(&[unit(2)]), unit(1), &[unit(2)], false).is_err(),
        "works there, too"
    );
}

#[test]
fn m3_that_a_person_wanted_who_wrote_it_down_is_the_recorders_word_until_they_say_so() {
    let acting = Acting { mode: ActingMode::Dictated, conflict_accepted: true, ..Acting::alone() };
    let claimed = Proposal { acting, ..submitted() };
    assert!(claimed.is_acceptance_claimed() && !assisted().is_acceptance_claimed());
    let unsaid = claimed.confirm_words(&Answer::Yes, None).unwrap_err();
    assert_eq!(unsaid.code(), "proposals.acceptance_unanswered");
    let unsure = claimed.confirm_words(&Answer::DontKnow, None).unwrap();
    assert!(unsure.is_acceptance_claimed(), "nothing is said");
    let yes = claimed.confirm_words(&Answer::Yes, Some(true)).unwrap();
    assert!(yes.acting.conflict_accepted && !yes.is_acceptance_claimed() && !yes.to_recheck);
    let no = claimed.confirm_words(&Answer::Yes, Some(false)).unwrap();
    assert!(!no.acting.conflict_accepted && no.to_recheck, "a human looks again");
    let plain = Proposal { acting: Acting { conflict_accepted: false, ..claimed.acting.clone() }, ..claimed };
    assert!(plain.confirm_words(&Answer::Yes, None).is_ok(), "there is nothing to ask");
}

#[test]
fn who_helped_with_a_draft_is_not_forgotten_when_the_person_goes_on_alone() {
    let drafted = Proposal { acting: Acting::of(&helped(&[]), false), ..draft() };
    let alone = drafted.edit(content(), Acting::alone(), TODAY).unwrap();
    assert_eq!(alone.acting.mode, ActingMode::Assisted);
    assert_eq!(submitted().edit(content(), Acting::alone(), TODAY).unwrap_err().code(), "proposals.stage");
}

#[test]
fn a_correction_becomes_the_own_words_and_a_human_looks_again_only_at_what_is_public() {
    let answer = Answer::No { correction: " Haluan metsään. ".to_owned() };
    let before = assisted();
    assert!(before.is_to_confirm());
    let corrected = before.confirm_words(&answer, None).unwrap();
    assert_eq!(corrected.own_words, "Haluan metsään.");
    assert_eq!((corrected.confirmation, corrected.to_recheck), (Confirmation::No, false));
    assert!(!corrected.is_to_confirm());
    let public = before.screened(TODAY, &Policies::default()).unwrap().confirm_words(&answer, None).unwrap();
    assert!(public.to_recheck && !public.rechecked().to_recheck);
    assert!(!before.confirm_words(&Answer::DontKnow, None).unwrap().to_recheck);
    assert_eq!(before.confirm_words(&Answer::Yes, None).unwrap().confirmation, Confirmation::Yes);
}

#[test]
fn words_are_confirmed_only_where_somebody_else_worded_them_and_with_a_correction_that_says_something() {
    let empty = Answer::No { correction: "  ".to_owned() };
    assert_eq!(assisted().confirm_words(&empty, None).unwrap_err().code(), "proposals.correction");
    let long = Answer::No { correction: "a".repeat(5_001) };
    assert_eq!(assisted().confirm_words(&long, None).unwrap_err().code(), "proposals.correction");
    assert_eq!(
        submitted().confirm_words(&Answer::Yes, None).unwrap_err().code(),
        "proposals.nothing_to_confirm"
    );
    let ended = assisted().withdraw(TODAY, &Policies::default()).unwrap();
    assert_eq!(ended.confirm_words(&Answer::Yes, None).unwrap_err().code(), "proposals.stage");
}

#[test]
fn a_proposal_is_taken_back_only_before_it_is_screened() {
    let policies = Policies::default();
    assert_eq!(submitted().withdraw(TODAY, &policies).unwrap().promise, None);
    assert_eq!(open().withdraw(TODAY, &policies).unwrap_err().code(), "proposals.too_late_to_withdraw");
    assert_eq!(draft().withdraw(TODAY, &policies).unwrap_err().code(), "proposals.stage");
}

#[test]
fn a_part_of_a_split_stands_where_the_whole_one_stood() {
    let whole = open();
    let part =
        Part { category: Category::WayOfWorking, addressed: Addressed::new(&[unit(9)], None).unwrap() };
    let made = whole.part(Uuid::from_u128(70).into(), 2, part);
    assert_eq!((made.stage, made.promise, made.is_public), (whole.stage, whole.promise, true));
    assert_eq!((made.receipt_no.as_str(), made.split_from), ("2026-7K3M9QXA-02", Some(whole.id)));
    assert_eq!((made.category, made.lead_unit), (Category::WayOfWorking, Some(unit(9))));
}
